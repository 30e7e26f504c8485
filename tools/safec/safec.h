// SPDX-License-Identifier: Apache-2.0
//
// The Safe C checker: what its parts share.
//
//   plugin.cpp   options, hooking into the compilation
//   text.cpp     the text of a unit: includes, directives, words, macros (H N X4 M)
//   types.cpp    struct kinds, declarations and types (T V U S A N L)
//   expr.cpp     statements and expressions (P C O X I and the rest of U, S)
//   flow.cpp     control flow (J)
//   borrow.cpp   origins of borrows (B)
//   facts.cpp    what a unit tells the cross-unit check
//   ir.cpp       the pass over the IR
//
// A token is trusted when it is spelled in a file under frame/ (or in the
// compiler's own headers or predefines); everything else is checked.
#pragma once
#include "shared.h"
#include "clang/AST/AST.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/RecordLayout.h"
#include "clang/Basic/SourceManager.h"
#include "clang/Frontend/CompilerInstance.h"
#include "clang/Lex/Preprocessor.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringSet.h"
#include <set>
#include <string>
#include <vector>

namespace safec {
using namespace clang;

struct Options {
        bool frame = false;             // mode=frame: the IR pass only
        bool ir = true;
        llvm::StringSet<> off;          // off=RULE, for the mutation tests
        std::string root;               // the tree's top, a real path
        std::vector<std::string> trust; // trust=DIR (tests with a stub)
        std::vector<std::string> allow; // allow=DIR: includes from there are fine (safecheck, tests)
        std::string factsFile;          // facts=FILE: also write them there
};

enum class Kind { Value, Stable, Base, Object };

class Checker {
public:
        Checker(CompilerInstance &ci, Options opts);

        CompilerInstance &CI;
        SourceManager &SM;
        Options Opts;
        ASTContext *Ctx = nullptr;

        // Diagnostics
        void err(SourceLocation loc, llvm::StringRef rule, const llvm::Twine &what);
        bool on(llvm::StringRef rule) const { return !Opts.off.count(rule); }

        // Provenance
        FileID fileOf(SourceLocation loc);              // where the token is spelled
        bool trustedFile(FileID f);
        bool trusted(SourceLocation loc) { return loc.isValid() && trustedFile(fileOf(loc)); }
        bool inTrustedFile(SourceLocation loc);         // where its expansion stands
        bool inMainFile(SourceLocation loc);
        bool generatedFile(FileID f);                   // under build/gen
        std::string realPath(FileID f);

        // Text
        void hookText();
        void learnMacros();
        llvm::StringSet<> frameWords;                   // identifiers spelled in frame's headers
        llvm::DenseSet<const IdentifierInfo *> macroWords;      // those in the bodies of its macros

        // Types
        bool tagged(const Decl *d, llvm::StringRef tag);
        Kind kindOf(const RecordDecl *r);
        Kind kindOf(QualType t);                        // of the record, through arrays
        bool holdsStable(QualType t);                   // is or contains STABLE, BASE or OBJECT
        bool isBorrow(QualType t);                      // is or contains a borrow
        bool holdsPinned(QualType t);                   // is or contains what only its macro may make
        std::string whyBorrow(QualType t);
        bool isPod(QualType t, bool padding, std::string *why = nullptr);
        bool hasConst(QualType t);
        bool isOpaque(const RecordDecl *r);
        void checkType(QualType t, SourceLocation loc, bool param = false);
        void checkDecls();
        void checkLocal(const VarDecl *v);
        bool frameworkDecl(const Decl *d);              // its first declaration stands in frame/
        bool generatedDecl(const NamedDecl *d);         // its name comes from a framework macro

        // Expressions, flow, borrows
        void checkFunction(const FunctionDecl *f);
        void checkInit(const Expr *e, QualType t);
        void checkFlow(const FunctionDecl *f);
        void checkBorrows(const FunctionDecl *f);
        SourceLocation own(const Stmt *s);              // the token that makes this node
        bool mine(const Stmt *s) { return !trusted(own(s)); }
        void checkRef(const ValueDecl *d, SourceLocation loc);

        // Facts
        std::string facts();

        llvm::DenseSet<const IdentifierInfo *> frameNames;      // framework names at file scope

private:
        llvm::DenseMap<FileID, int> trustCache;
        llvm::DenseMap<const RecordDecl *, int> borrowCache, stableCache;
        std::set<std::string> seen;
        unsigned diagID;
        void checkRecord(const RecordDecl *r);
        void checkEnum(const EnumDecl *e);
        void checkVar(const VarDecl *v);
        void findLiterals(const Stmt *s);
        llvm::SetVector<const VarDecl *> statics;       // of functions
        llvm::SetVector<const CompoundLiteralExpr *> literals;  // of file scope
        void checkFunctionDecl(const FunctionDecl *f);
        void checkAttrs(const Decl *d);
        void checkTagScopes(const DeclContext *dc);
        void checkName(const NamedDecl *d);
};

}
