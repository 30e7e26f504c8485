// SPDX-License-Identifier: Apache-2.0
//
// What one unit tells the check over all units, as JSON.
#include "safec.h"
#include "llvm/Support/JSON.h"

namespace safec {
std::string Checker::facts()
{
        return "{}";
}
}
