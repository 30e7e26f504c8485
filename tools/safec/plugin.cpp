// SPDX-License-Identifier: Apache-2.0
//
// The checker as a clang plugin: clang -fplugin=safec.so [-fplugin-arg-safec-...]
//
//   mode=frame      no rules, only the IR pass (for files of frame/ itself)
//   off=RULE        one rule off; for the mutation tests. off=TRAPS: the rules hold, the code has no
//                   traps: for measuring what they cost
//   trust=DIR       a further trusted folder; for tests over a stub
//   allow=DIR       a further folder to include from; for tests
//   root=DIR        the tree's top, if it is not two above the plugin's folder
//   facts=FILE      write the unit's facts there too
//   ir=off          no IR pass; for tests
#include "safec.h"
#include "clang/AST/ASTConsumer.h"
#include "clang/Frontend/FrontendPluginRegistry.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <dlfcn.h>

namespace safec {
Shared shared;

static std::string selfPath()
{
        Dl_info info;
        if (!dladdr((void *)&selfPath, &info) || !info.dli_fname)
                return "";
        llvm::SmallString<256> real;
        if (llvm::sys::fs::real_path(info.dli_fname, real))
                return info.dli_fname;
        return std::string(real);
}

Checker::Checker(CompilerInstance &ci, Options opts)
        : CI(ci), SM(ci.getSourceManager()), Opts(std::move(opts))
{
        diagID = CI.getDiagnostics().getCustomDiagID(DiagnosticsEngine::Error, "[%0] %1");
}

void Checker::err(SourceLocation loc, llvm::StringRef rule, const llvm::Twine &what)
{
        if (!on(rule))
                return;
        std::string text = what.str();
        if (!seen.insert(rule.str() + std::to_string(loc.getRawEncoding()) + text).second)
                return;
        CI.getDiagnostics().Report(loc, diagID) << rule << text;
}

static bool isScratch(SourceManager &SM, FileID f)
{
        auto buf = SM.getBufferOrNone(f);
        return buf && buf->getBufferIdentifier() == "<scratch space>";
}

// Follows a token to the text it was read from; a pasted token belongs to the
// macro body that holds the ##.
FileID Checker::fileOf(SourceLocation loc)
{
        while (loc.isMacroID()) {
                SourceLocation s = SM.getImmediateSpellingLoc(loc);
                if (s.isFileID() && isScratch(SM, SM.getFileID(s)))
                        loc = SM.getImmediateExpansionRange(loc).getBegin();
                else
                        loc = s;
        }
        return SM.getFileID(loc);
}

std::string Checker::realPath(FileID f)
{
        auto ref = SM.getFileEntryRefForID(f);
        if (!ref)
                return "";
        llvm::StringRef real = ref->getFileEntry().tryGetRealPathName();
        llvm::SmallString<256> out;
        if (llvm::sys::fs::real_path(real.empty() ? ref->getName() : real, out))
                return std::string(real);
        return std::string(out);
}

static bool under(llvm::StringRef path, llvm::StringRef dir)
{
        return !dir.empty() && path.starts_with(dir) && path.size() > dir.size() && path[dir.size()] == '/';
}

bool Checker::trustedFile(FileID f)
{
        auto it = trustCache.find(f);
        if (it != trustCache.end())
                return it->second;
        bool yes = false;
        if (f.isValid()) {
                std::string path = realPath(f);
                if (path.empty()) {
                        auto buf = SM.getBufferOrNone(f);
                        llvm::StringRef id = buf ? buf->getBufferIdentifier() : "";
                        yes = id == "<built-in>" || id == "<command line>";
                } else if (f != SM.getMainFileID()) {
                        yes = under(path, Opts.root + "/frame");
                        for (auto &t : Opts.trust)
                                yes |= under(path, t);
                        llvm::SmallString<256> res;
                        if (!llvm::sys::fs::real_path(CI.getHeaderSearchOpts().ResourceDir, res))
                                yes |= under(path, res);
                }
        }
        trustCache[f] = yes;
        return yes;
}

bool Checker::generatedFile(FileID f)
{
        return under(realPath(f), Opts.root + "/build/gen");
}

bool Checker::inTrustedFile(SourceLocation loc)
{
        if (loc.isInvalid())
                return true;
        return trustedFile(SM.getFileID(SM.getExpansionLoc(loc)));
}

bool Checker::inMainFile(SourceLocation loc)
{
        return loc.isValid() && SM.getFileID(SM.getExpansionLoc(loc)) == SM.getMainFileID();
}

namespace {
class Consumer : public ASTConsumer {
public:
        explicit Consumer(std::unique_ptr<Checker> c) : C(std::move(c)) {}
        void HandleTranslationUnit(ASTContext &ctx) override
        {
                if (C->CI.getDiagnostics().hasErrorOccurred() && ctx.getDiagnostics().hasUncompilableErrorOccurred()) {
                        // A broken tree proves nothing; the compile fails anyway.
                        return;
                }
                C->Ctx = &ctx;
                C->checkDecls();
                if (C->CI.getDiagnostics().hasErrorOccurred())
                        return;
                shared.facts = C->facts();
                if (!C->Opts.factsFile.empty()) {
                        std::error_code ec;
                        llvm::raw_fd_ostream out(C->Opts.factsFile, ec);
                        if (!ec)
                                out << shared.facts;
                }
        }
        std::unique_ptr<Checker> C;
};

class Action : public PluginASTAction {
        Options opts;

        std::unique_ptr<ASTConsumer> CreateASTConsumer(CompilerInstance &ci, llvm::StringRef) override
        {
                std::string self = selfPath();
                if (opts.root.empty()) {        // build/tools/safec.so
                        llvm::SmallString<256> top(self);
                        for (int i = 0; i < 3; i++)
                                llvm::sys::path::remove_filename(top);
                        opts.root = std::string(top);
                }
                shared.self = self;
                shared.frame = opts.frame;
                shared.ir = opts.ir;
                for (auto &rule : opts.off)
                        shared.off.insert(rule.first().str());
                ci.getCodeGenOpts().PassPlugins.push_back(self);
                if (opts.frame)
                        return std::make_unique<ASTConsumer>();
                if (!opts.off.count("F1"))
                        checkFlags(ci);
                auto c = std::make_unique<Checker>(ci, opts);
                c->hookText();
                return std::make_unique<Consumer>(std::move(c));
        }

        // Flags without which the rules do not add up (SAFE-C's undefined behaviour
        // is defined by them); warnings that are errors are the build's business.
        static void checkFlags(CompilerInstance &ci)
        {
                const LangOptions &l = ci.getLangOpts();
                const CodeGenOptions &g = ci.getCodeGenOpts();
                DiagnosticsEngine &diag = ci.getDiagnostics();
                unsigned id = diag.getCustomDiagID(DiagnosticsEngine::Error, "[F1] Safe C is compiled with %0");
                auto need = [&](bool has, const char *flag) { if (!has) diag.Report(id) << flag; };
                need(l.C23, "-std=gnu23");
                need(l.Freestanding, "-ffreestanding");
                need(l.isSignedOverflowDefined(), "-fwrapv");
                need(g.RelaxedAliasing, "-fno-strict-aliasing");
                need(g.NullPointerIsValid, "-fno-delete-null-pointer-checks");
                need(g.getFiniteLoops() == CodeGenOptions::FiniteLoopsKind::Never, "-fno-finite-loops");
                need(l.getTrivialAutoVarInit() == LangOptions::TrivialAutoVarInitKind::Zero, "-ftrivial-auto-var-init=zero");
                need(l.getStrictFlexArraysLevel() == LangOptions::StrictFlexArraysLevelKind::IncompleteOnly, "-fstrict-flex-arrays=3");
                need(g.NoCommon, "-fno-common");
                need(g.DisableRedZone, "-mno-red-zone");
                need(g.StackClashProtector, "-fstack-clash-protection");
                need(l.Sanitize.has(SanitizerKind::KCFI), "-fsanitize=kcfi");
                struct { SanitizerMask kind; const char *flag; } traps[] = {
                        { SanitizerKind::ArrayBounds, "-fsanitize=array-bounds -fsanitize-trap=array-bounds" },
                        { SanitizerKind::ShiftExponent, "-fsanitize=shift-exponent -fsanitize-trap=shift-exponent" },
                        { SanitizerKind::IntegerDivideByZero, "-fsanitize=integer-divide-by-zero -fsanitize-trap=integer-divide-by-zero" },
                        { SanitizerKind::Bool, "-fsanitize=bool -fsanitize-trap=bool" },
                };
                for (auto &t : traps)
                        need(l.Sanitize.has(t.kind) && g.SanitizeTrap.has(t.kind), t.flag);
                bool unreachable = false;
                for (auto &a : ci.getFrontendOpts().LLVMArgs)
                        unreachable |= a == "-trap-unreachable";
                need(unreachable, "-mllvm -trap-unreachable");
        }

        static std::string real(llvm::StringRef dir)
        {
                llvm::SmallString<256> out;
                return llvm::sys::fs::real_path(dir, out) ? dir.str() : std::string(out);
        }

        bool ParseArgs(const CompilerInstance &ci, const std::vector<std::string> &args) override
        {
                for (llvm::StringRef a : args) {
                        auto [key, value] = a.split('=');
                        if (key == "mode" && value == "frame")
                                opts.frame = true;
                        else if (key == "off")
                                opts.off.insert(value);
                        else if (key == "trust")
                                opts.trust.push_back(real(value));
                        else if (key == "allow")
                                opts.allow.push_back(real(value));
                        else if (key == "root")
                                opts.root = real(value);
                        else if (key == "facts")
                                opts.factsFile = value;
                        else if (key == "ir" && value == "off")
                                opts.ir = false;
                        else {
                                unsigned id = ci.getDiagnostics().getCustomDiagID(DiagnosticsEngine::Error, "safec: unknown option '%0'");
                                ci.getDiagnostics().Report(id) << a;
                                return false;
                        }
                }
                return true;
        }

        ActionType getActionType() override { return AddBeforeMainAction; }
};
}
}

static clang::FrontendPluginRegistry::Add<safec::Action> entry("safec", "the Safe C checker");
