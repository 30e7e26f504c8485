// SPDX-License-Identifier: Apache-2.0
//
// What one unit tells the check over all units, as JSON; it travels inside the
// object, in a section that the link drops, so the two cannot come apart.
//
//   unit, plugin, flags    the file, the plugin's hash, what it was compiled with
//   tags      name → kind, size, align, fields (enums: their integer type and values' hash)
//   symbols   name → type, and whether this unit defines it; of services
//   api       framework functions and variables that this unit may link to
//   globals   variables that change: those of functions and unnamed ones too; name, line
#include "safec.h"
#include "clang/Basic/Version.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"

namespace safec {

static std::string hexHash(llvm::StringRef data)
{
        llvm::SHA256 h;
        h.update(data);
        auto sum = h.final();
        return llvm::toHex(llvm::ArrayRef<uint8_t>(sum.data(), 12), true);
}

namespace {
class Writer {
        Checker &C;
        ASTContext &X;

public:
        explicit Writer(Checker &c) : C(c), X(*c.Ctx) {}

        // A type's name; what has no tag is spelled out by its contents.
        std::string type(QualType t, unsigned deep = 0)
        {
                t = t.getCanonicalType();
                std::string q = t.isConstQualified() ? "const " : "";
                if (deep > 12)
                        return "...";
                if (const auto *p = t->getAs<PointerType>())
                        return type(p->getPointeeType(), deep + 1) + " *" + q;
                if (const auto *a = X.getAsConstantArrayType(t))
                        return type(a->getElementType(), deep + 1) + "[" + std::to_string(a->getSize().getZExtValue()) + "]";
                if (const auto *f = t->getAs<FunctionProtoType>()) {
                        std::string s = type(f->getReturnType(), deep + 1) + "(";
                        for (QualType p : f->param_types())
                                s += type(p, deep + 1) + ",";
                        return s + ")";
                }
                if (const auto *tt = t->getAs<TagType>()) {
                        const TagDecl *d = tt->getDecl();
                        if (d->getIdentifier())
                                return q + d->getKindName().str() + " " + d->getName().str();
                        if (const auto *r = dyn_cast<RecordDecl>(d))
                                return q + d->getKindName().str() + fields(r, deep + 1);
                        if (const auto *e = dyn_cast<EnumDecl>(d))
                                return q + type(e->getIntegerType(), deep + 1);
                }
                return t.getAsString();
        }

        std::string fields(const RecordDecl *r, unsigned deep = 0)
        {
                std::string s = "{";
                r = r->getDefinition();
                if (!r)
                        return "{?}";
                const ASTRecordLayout &lay = X.getASTRecordLayout(r);
                for (const FieldDecl *f : r->fields()) {
                        s += f->getName().str() + "@" + std::to_string(lay.getFieldOffset(f->getFieldIndex()));
                        if (f->isBitField())
                                s += ":" + std::to_string(f->getBitWidthValue(X));
                        s += " " + type(f->getType(), deep) + ";";
                }
                return s + "}";
        }

        llvm::json::Value tag(const TagDecl *d)
        {
                llvm::json::Object o;
                if (const auto *e = dyn_cast<EnumDecl>(d)) {
                        o["kind"] = "enum";
                        o["type"] = type(e->getIntegerType());
                        return o;
                }
                const auto *r = cast<RecordDecl>(d);
                static const char *const kinds[] = { "value", "stable", "base", "object" };
                o["kind"] = kinds[(int)C.kindOf(r)];
                o["union"] = r->isUnion();
                if (const RecordDecl *def = r->getDefinition()) {
                        const ASTRecordLayout &lay = X.getASTRecordLayout(def);
                        o["size"] = (int64_t)lay.getSize().getQuantity();
                        o["align"] = (int64_t)lay.getAlignment().getQuantity();
                        o["fields"] = fields(def);
                }
                return o;
        }
};

std::string flagsOf(CompilerInstance &ci)
{
        std::string all;
        bool skip = false;
        std::vector<std::string> args;
        ci.getInvocation().generateCC1CommandLine([&](const llvm::Twine &a) { args.push_back(a.str()); });
        // What differs from file to file says nothing.
        static const llvm::StringSet<> drop = { "-o", "-main-file-name", "-dependency-file", "-MT", "-x", "-fcoverage-compilation-dir=",
                "-dwarf-debug-flags", "-record-command-line" };
        for (size_t i = 0; i < args.size(); i++) {
                llvm::StringRef a = args[i];
                if (skip) {
                        skip = false;
                        continue;
                }
                if (drop.count(a)) {
                        skip = true;
                        continue;
                }
                if (!a.starts_with("-") && (a.ends_with(".c") || a.ends_with(".o")))
                        continue;
                if (a == "-sys-header-deps" || a == "-MP" || a.starts_with("-fcoverage") || a.starts_with("-fdebug-compilation-dir") ||
                    a == "-fcolor-diagnostics" || a.starts_with("-fmessage-length") || a == "-fansi-escape-codes")
                        continue;
                all += args[i] + " ";
        }
        return all;
}
}

std::string Checker::facts()
{
        Writer w(*this);
        llvm::json::Object tags, symbols, unit;
        llvm::json::Array api, globals;
        auto changes = [&](llvm::StringRef name, SourceLocation loc) {
                globals.push_back(llvm::json::Object{ { "name", name }, { "line", (int64_t)SM.getExpansionLineNumber(loc) } });
        };
        const FileEntry *main = SM.getFileEntryForID(SM.getMainFileID());
        unit["unit"] = main ? realPath(SM.getMainFileID()) : "";
        if (auto self = llvm::MemoryBuffer::getFile(shared.self))
                unit["plugin"] = hexHash((*self)->getBuffer());
        unit["flags"] = flagsOf(CI);
        unit["clang"] = getClangFullVersion();
        std::string off;
        for (auto &o : Opts.off)
                off += o.first().str() + " ";
        for (auto &t : Opts.trust)
                off += "trust=" + t + " ";
        if (!Opts.ir)
                off += "ir=off ";
        unit["off"] = off;      // what only tests may say

        // A symbol that others can link to and no header declares: then the tags
        // of this file could meet others' through it.
        bool bare = false;
        for (const Decl *d : Ctx->getTranslationUnitDecl()->decls()) {
                const auto *v = dyn_cast<ValueDecl>(d);
                if (!v || d->isImplicit() || (!isa<FunctionDecl>(v) && !isa<VarDecl>(v)) || !v->isExternallyVisible() || frameworkDecl(v))
                        continue;
                bool mine = true;
                for (const Decl *r : v->redecls())
                        mine &= inMainFile(r->getLocation());
                bare |= mine && !generatedDecl(v);
        }
        for (const Decl *d : Ctx->getTranslationUnitDecl()->decls()) {
                SourceLocation loc = d->getLocation();
                if (d->isImplicit() || loc.isInvalid())
                        continue;
                bool frame = inTrustedFile(loc);
                if (const auto *t = dyn_cast<TagDecl>(d)) {
                        if (!t->getIdentifier() || (frame && frameworkDecl(t)))
                                continue;
                        // A tag that only the .c file knows cannot meet another unit's.
                        bool local = !bare;
                        for (const auto *r : t->redecls())
                                local &= inMainFile(r->getLocation());
                        if (local)
                                continue;
                        tags[(t->getKindName() + " " + t->getName()).str()] = w.tag(t->getDefinition() ? cast<TagDecl>(t->getDefinition()) : t);
                        continue;
                }
                const auto *v = dyn_cast<ValueDecl>(d);
                if (!v || !v->getIdentifier() || (!isa<FunctionDecl>(v) && !isa<VarDecl>(v)))
                        continue;
                if (frame || frameworkDecl(v)) {
                        if (v->isExternallyVisible() && v->isReferenced() && !(isa<FunctionDecl>(v) && cast<FunctionDecl>(v)->isDefined())) {
                                if (tagged(v, "keel:service"))
                                        symbols[v->getName()] = llvm::json::Object{ { "type", w.type(v->getType()) }, { "defined", false } };
                                else
                                        api.push_back(v->getName());
                        } else if (tagged(v, "keel:service")) {
                                symbols[v->getName()] = llvm::json::Object{ { "type", w.type(v->getType()) }, { "defined", true } };
                        }
                        continue;
                }
                if (!v->isExternallyVisible()) {
                        const auto *var = dyn_cast<VarDecl>(v);
                        if (var && !Ctx->getBaseElementType(var->getType()).isConstQualified())
                                changes(var->getName(), var->getLocation());
                        continue;
                }
                bool defined;
                if (const auto *f = dyn_cast<FunctionDecl>(v)) {
                        defined = f->isDefined();
                } else {
                        const auto *var = cast<VarDecl>(v);
                        defined = var->getDefinition() || var->getActingDefinition();
                        if (defined && !Ctx->getBaseElementType(var->getType()).isConstQualified() && !generatedDecl(var))
                                changes(var->getName(), var->getLocation());
                }
                symbols[v->getName()] = llvm::json::Object{ { "type", w.type(v->getType()) }, { "defined", defined } };
        }
        for (const VarDecl *v : statics)
                if (!Ctx->getBaseElementType(v->getType()).isConstQualified())
                        changes(v->getName(), v->getLocation());
        for (const CompoundLiteralExpr *e : literals)
                if (!Ctx->getBaseElementType(e->getType()).isConstQualified())
                        changes("compoundliteral", e->getExprLoc());
        unit["tags"] = std::move(tags);
        unit["symbols"] = std::move(symbols);
        unit["api"] = std::move(api);
        unit["globals"] = std::move(globals);
        std::string out;
        llvm::raw_string_ostream(out) << llvm::json::Value(std::move(unit));
        return out;
}
}
