// SPDX-License-Identifier: Apache-2.0
//
// The pass over the IR of each object.
#include "safec.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Passes/PassPlugin.h"
extern "C" LLVM_ATTRIBUTE_WEAK llvm::PassPluginLibraryInfo llvmGetPassPluginInfo()
{
        return { LLVM_PLUGIN_API_VERSION, "safec", "1", [](llvm::PassBuilder &) {} };
}
