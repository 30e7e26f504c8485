// SPDX-License-Identifier: Apache-2.0
//
// What the AST part hands to the IR pass of the same compilation.
#pragma once
#include <set>
#include <string>

namespace safec {
struct Shared {
        bool frame = false, ir = true;
        std::set<std::string> off;
        std::string facts;
        std::string self;       // the plugin's file
};
extern Shared shared;
}
