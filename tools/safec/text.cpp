// SPDX-License-Identifier: Apache-2.0
//
// Rules on the text: each checked file is read raw once when it is entered
// (macro bodies and #if 0 included), includes and macros are followed by
// callbacks, and each token that reaches the parser is looked at, which shows
// what pasting made.
#include "safec.h"
#include "clang/Lex/Lexer.h"
#include "clang/Lex/MacroArgs.h"
#include "clang/Lex/MacroInfo.h"
#include "clang/Lex/PPCallbacks.h"
#include "llvm/Support/FileSystem.h"

namespace safec {

// Words that belong to the framework and the compiler.
static bool reservedWord(llvm::StringRef w)
{
        if (w == "__VA_ARGS__" || w == "__VA_OPT__")
                return false;
        return w.starts_with("_") || w.starts_with("k_") || w.starts_with("K_") || w.ends_with("_k") || w.starts_with("guard_k_");
}

static const char *bannedKeyword(llvm::StringRef w, const char **rule)
{
        if (w == "asm") { *rule = "X4"; return "no assembly in services; it belongs to frame/"; }
        if (w == "typeof" || w == "typeof_unqual") { *rule = "X3"; return "'typeof' is not part of Safe C; write the type"; }
        if (w == "alignas") { *rule = "A1"; return "'alignas' is not part of Safe C; write CACHE_ALIGNED"; }
        if (w == "thread_local") { *rule = "V1"; return "no thread-local variables"; }
        if (w == "register") { *rule = "V2"; return "no register variables"; }
        if (w == "volatile") { *rule = "T6"; return "no volatile; write LOAD and STORE"; }
        if (w == "restrict") { *rule = "T6"; return "no restrict"; }
        if (w == "nullptr") { *rule = "T5"; return "write NULL"; }
        if (w == "float" || w == "double") { *rule = "T5"; return "no floating point in the kernel"; }
        return nullptr;
}

static bool upperCase(llvm::StringRef w)
{
        if (w.empty() || w[0] < 'A' || w[0] > 'Z')
                return false;
        for (char c : w)
                if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
                        return false;
        return true;
}

namespace {
class Text : public PPCallbacks {
        Checker &C;
        Preprocessor &PP;
        llvm::DenseSet<FileID> read;

public:
        Text(Checker &c, Preprocessor &pp) : C(c), PP(pp) {}

        void FileChanged(SourceLocation loc, FileChangeReason why, SrcMgr::CharacteristicKind kind, FileID) override
        {
                FileID f = C.SM.getFileID(loc);
                if (why == RenameFile)
                        return;
                if (why == SystemHeaderPragma && !C.trustedFile(f)) {
                        C.err(loc, "H4", "a checked file may not become a system header");
                        return;
                }
                if (why != EnterFile || !read.insert(f).second)
                        return;
                if (C.trustedFile(f)) {
                        if (kind == SrcMgr::C_User)
                                learn(f);
                        return;
                }
                if (kind != SrcMgr::C_User)
                        C.err(loc, "H4", "a checked file may not be a system header; include it by \"...\" or -I");
                scan(f);
        }

        // The words that frame's headers use: services may not define them as macros.
        void learn(FileID f)
        {
                auto buf = C.SM.getBufferOrNone(f);
                if (!buf)
                        return;
                Lexer lex(f, *buf, C.SM, PP.getLangOpts());
                Token t;
                while (!lex.LexFromRawLexer(t))
                        if (t.is(tok::raw_identifier))
                                C.frameWords.insert(t.getRawIdentifier());
        }

        void scan(FileID f)
        {
                auto buf = C.SM.getBufferOrNone(f);
                if (!buf)
                        return;
                Lexer lex(f, *buf, C.SM, PP.getLangOpts());
                Token t, prev;
                prev.startToken();
                prev.setKind(tok::unknown);
                bool end = lex.LexFromRawLexer(t);
                while (!end) {
                        if (t.is(tok::hash) && t.isAtStartOfLine()) {
                                end = directive(lex, t);
                                prev.setKind(tok::unknown);
                                continue;
                        }
                        word(t, prev);
                        prev = t;
                        end = lex.LexFromRawLexer(t);
                }
        }

        void word(const Token &t, const Token &prev)
        {
                if (t.is(tok::raw_identifier)) {
                        std::string w = Lexer::getSpelling(t, C.SM, PP.getLangOpts());
                        const char *rule;
                        if (w.find('\\') != std::string::npos)
                                C.err(t.getLocation(), "N1", "no escapes in names");
                        // NAME##_get: what pasting makes of it is looked at later.
                        else if (reservedWord(w) && !(prev.is(tok::hashhash) && w.size() > 1 && w[0] == '_' && w[1] >= 'a' && w[1] <= 'z'))
                                C.err(t.getLocation(), "N1", "'" + w + "' is reserved for the framework and the compiler (_..., k_..., K_..., ..._k); choose another name");
                        else if (const char *what = bannedKeyword(w, &rule))
                                C.err(t.getLocation(), rule, what);
                }
                if (t.is(tok::l_square) && prev.is(tok::l_square))
                        C.err(t.getLocation(), "A1", "no attributes; use the words of frame/marks.h (must_check, unused, noinline, ...)");
        }

        // Reads one directive line; t is its # and becomes the token after it.
        bool directive(Lexer &lex, Token &t)
        {
                SourceLocation hash = t.getLocation();
                std::vector<std::string> words;
                Token prev;
                prev.startToken();
                prev.setKind(tok::unknown);
                bool end = lex.LexFromRawLexer(t);
                while (!end && !t.isAtStartOfLine()) {
                        words.push_back(Lexer::getSpelling(t, C.SM, PP.getLangOpts()));
                        if (!(words.size() >= 2 && words[0] == "include"))
                                word(t, prev);
                        prev = t;
                        end = lex.LexFromRawLexer(t);
                }
                if (words.empty())
                        return end;
                static const llvm::StringSet<> known = { "include", "define", "undef", "if", "ifdef", "ifndef", "elif",
                        "elifdef", "elifndef", "else", "endif", "error", "warning", "pragma" };
                if (!known.count(words[0]))
                        C.err(hash, "H3", "directive '#" + words[0] + "' is not part of Safe C");
                else if (words[0] == "pragma" && !(words.size() == 2 && words[1] == "once"))
                        C.err(hash, "H2", "the only pragma is '#pragma once'");
                return end;
        }

        void InclusionDirective(SourceLocation hash, const Token &tok, llvm::StringRef name, bool, CharSourceRange,
                                OptionalFileEntryRef file, llvm::StringRef, llvm::StringRef, const Module *, bool,
                                SrcMgr::CharacteristicKind) override
        {
                if (C.trusted(hash))
                        return;
                if (!tok.getIdentifierInfo() || tok.getIdentifierInfo()->getName() != "include")
                        C.err(hash, "H3", "only plain #include");
                if (!file)
                        return;
                llvm::SmallString<256> path;
                if (llvm::sys::fs::real_path(file->getName(), path))
                        return;
                auto under = [&](const std::string &dir) {
                        return llvm::StringRef(path).starts_with(dir + "/");
                };
                for (const char *dir : { "/services", "/lib", "/abi", "/build/gen" })
                        if (under(C.Opts.root + dir))
                                return;
                for (auto &dir : C.Opts.allow)
                        if (under(dir))
                                return;
                if (under(C.Opts.root + "/frame/include"))
                        C.err(hash, "H1", "'" + name.str() + "': the framework's header is already included in every file; delete this line");
                else
                        C.err(hash, "H1", "'" + name.str() + "' may not be included: only files under services/, lib/, abi/ and build/gen/");
        }

        void MacroDefined(const Token &name, const MacroDirective *) override
        {
                SourceLocation loc = name.getLocation();
                FileID f = C.fileOf(loc);
                if (C.trustedFile(f))
                        return;
                llvm::StringRef w = name.getIdentifierInfo()->getName();
                if (C.generatedFile(f))
                        return;
                if (!upperCase(w))
                        C.err(loc, "M1", "macro '" + w + "': macros of services are UPPER_CASE; write a static inline function for other names");
                if (C.frameWords.count(w))
                        C.err(loc, "M2", "'" + w + "' is a word of the framework's headers; choose another macro name");
        }

        void MacroUndefined(const Token &name, const MacroDefinition &md, const MacroDirective *) override
        {
                if (C.trusted(name.getLocation()))
                        return;
                MacroInfo *mi = md.getMacroInfo();
                if (mi && C.trusted(mi->getDefinitionLoc()))
                        C.err(name.getLocation(), "M2", "'" + name.getIdentifierInfo()->getName() + "' is the framework's macro");
        }

        void MacroExpands(const Token &name, const MacroDefinition &md, SourceRange, const MacroArgs *args) override
        {
                const MacroInfo *mi = md.getMacroInfo();
                if (!mi || !args || !C.trusted(mi->getDefinitionLoc()))
                        return;
                unsigned i = 0;
                for (const IdentifierInfo *p : mi->params()) {
                        unsigned index = i++;
                        if (index >= args->getNumMacroArguments())
                                break;
                        llvm::StringRef sort = p->getName();
                        if (sort == "TYPE" || sort == "MEMBER" || sort == "NAME" || sort == "LITERAL" || sort == "CONST")
                                argument(name, sort, args->getUnexpArgument(index));
                }
        }

        void argument(const Token &macro, llvm::StringRef sort, const Token *t)
        {
                std::string who = macro.getIdentifierInfo()->getName().str();
                unsigned n = 0;
                bool mine = false, ok = true;
                const Token *first = t;
                for (; t->isNot(tok::eof); t++, n++) {
                        mine |= !C.trusted(t->getLocation());
                        if (sort == "LITERAL")
                                ok &= t->is(tok::string_literal) || stringMacro(*t);
                        else if (sort == "CONST")
                                ok &= constToken(*t);
                }
                if (n && !mine)
                        return;
                SourceLocation loc = n ? first->getLocation() : macro.getLocation();
                if (sort == "LITERAL") {
                        if (!n || !ok)
                                C.err(loc, "M4", who + " takes a string literal here");
                } else if (sort == "CONST") {
                        if (!n || !ok)
                                C.err(loc, "M4", who + " takes an integer constant here");
                } else {
                        if (n != 1 || !first->getIdentifierInfo() || first->isAnnotation() ||
                            (PP.getMacroInfo(first->getIdentifierInfo()) && !C.trusted(first->getLocation())))
                                C.err(loc, "M4", who + " takes exactly one name here (and no macro)");
                }
        }

        bool stringMacro(const Token &t)
        {
                const IdentifierInfo *ii = t.getIdentifierInfo();
                const MacroInfo *mi = ii ? PP.getMacroInfo(ii) : nullptr;
                if (!mi || mi->isFunctionLike() || mi->getNumTokens() == 0)
                        return false;
                for (const Token &b : mi->tokens())
                        if (b.isNot(tok::string_literal))
                                return false;
                return true;
        }

        bool constToken(const Token &t)
        {
                switch (t.getKind()) {
                case tok::numeric_constant: case tok::char_constant: case tok::l_paren: case tok::r_paren:
                case tok::plus: case tok::minus: case tok::star: case tok::slash: case tok::percent: case tok::tilde:
                case tok::lessless: case tok::greatergreater: case tok::pipe: case tok::amp: case tok::caret:
                case tok::kw_sizeof:
                        return true;
                default:
                        return t.getIdentifierInfo() != nullptr;
                }
        }
};
}

// The words in the bodies of the framework's macros, as far as they are there for services.
void Checker::learnMacros()
{
        Preprocessor &PP = CI.getPreprocessor();
        for (auto &m : PP.macros()) {
                const MacroInfo *mi = PP.getMacroInfo(m.first);
                if (!mi || !trusted(mi->getDefinitionLoc()))
                        continue;
                // Tags and fields have name spaces of their own.
                tok::TokenKind before = tok::unknown;
                for (const Token &t : mi->tokens()) {
                        if (t.getIdentifierInfo() && before != tok::kw_struct && before != tok::kw_union &&
                            before != tok::kw_enum && before != tok::period && before != tok::arrow)
                                macroWords.insert(t.getIdentifierInfo());
                        before = t.getKind();
                }
        }
}

void Checker::hookText()
{
        Preprocessor &PP = CI.getPreprocessor();
        PP.addPPCallbacks(std::make_unique<Text>(*this, PP));
        // What the parser gets: pasted names and attributes made of pieces.
        auto prevSquare = std::make_shared<bool>(false);
        PP.setTokenWatcher([this, prevSquare](const Token &t) {
                if (t.is(tok::l_square)) {
                        if (*prevSquare && !trusted(t.getLocation()))
                                err(t.getLocation(), "A1", "no attributes; use the words of frame/marks.h");
                        *prevSquare = true;
                        return;
                }
                *prevSquare = false;
                if (t.isAnnotation())
                        return;
                const IdentifierInfo *ii = t.getIdentifierInfo();
                if (!ii || !t.getLocation().isMacroID() || trusted(t.getLocation()))
                        return;
                llvm::StringRef w = ii->getName();
                const char *rule;
                if (reservedWord(w))
                        err(t.getLocation(), "N3", "pasting made the reserved name '" + w + "'");
                else if (const char *what = bannedKeyword(w, &rule))
                        err(t.getLocation(), rule, what);
        });
}
}
