// SPDX-License-Identifier: Apache-2.0
//
// Struct kinds, and the rules on declarations and types.
#include "safec.h"

namespace safec {

static const uint64_t MAX_POINTEE = 65536;

bool Checker::tagged(const Decl *d, llvm::StringRef tag)
{
        for (const Decl *r : d->redecls())
                for (const auto *a : r->specific_attrs<BTFDeclTagAttr>())
                        if (a->getBTFDeclTag() == tag)
                                return true;
        return false;
}

Kind Checker::kindOf(const RecordDecl *r)
{
        if (tagged(r, "keel:object"))
                return Kind::Object;
        if (tagged(r, "keel:base"))
                return Kind::Base;
        if (tagged(r, "keel:stable"))
                return Kind::Stable;
        return Kind::Value;
}

static QualType element(ASTContext &ctx, QualType t)
{
        t = t.getCanonicalType();
        while (const ArrayType *a = ctx.getAsArrayType(t))
                t = a->getElementType().getCanonicalType();
        return t;
}

Kind Checker::kindOf(QualType t)
{
        if (const auto *r = element(*Ctx, t)->getAs<RecordType>())
                return kindOf(r->getDecl());
        return Kind::Value;
}

bool Checker::holdsStable(QualType t)
{
        const auto *rt = element(*Ctx, t)->getAs<RecordType>();
        if (!rt)
                return false;
        if (kindOf(rt->getDecl()) != Kind::Value)
                return true;
        const RecordDecl *d = rt->getDecl()->getDefinition();
        if (!d)
                return false;
        auto it = stableCache.find(d);
        if (it != stableCache.end())
                return it->second;
        bool yes = false;
        for (const FieldDecl *f : d->fields())
                yes |= holdsStable(f->getType());
        return stableCache[d] = yes;
}

bool Checker::isBorrow(QualType t)
{
        t = element(*Ctx, t);
        if (const auto *p = t->getAs<PointerType>()) {
                QualType to = p->getPointeeType().getCanonicalType();
                if (to->isFunctionType())
                        return false;
                // A pointer to an array of STABLE things is as storable as one to its element.
                return kindOf(to) == Kind::Value;
        }
        const auto *rt = t->getAs<RecordType>();
        if (!rt)
                return t->isNullPtrType() || t->isBlockPointerType();
        if (tagged(rt->getDecl(), "keel:borrow"))
                return true;
        const RecordDecl *d = rt->getDecl()->getDefinition();
        if (!d || kindOf(d) != Kind::Value)
                return false;           // B1 keeps borrows out of the others
        auto it = borrowCache.find(d);
        if (it != borrowCache.end())
                return it->second;
        bool yes = false;
        for (const FieldDecl *f : d->fields())
                yes |= isBorrow(f->getType());
        return borrowCache[d] = yes;
}

// What in it is the borrow, and what to do.
std::string Checker::whyBorrow(QualType t)
{
        t = element(*Ctx, t);
        if (const auto *p = t->getAs<PointerType>()) {
                std::string s = "'" + t.getAsString() + "'";
                if (const auto *r = p->getPointeeType()->getAs<RecordType>())
                        if (!r->getDecl()->getDefinition() && r->getDecl()->getIdentifier())
                                s += ", whose kind is not known here: if it is one, declare OBJECT(" + r->getDecl()->getName().str() +
                                        "); or STABLE(...);";
                return s;
        }
        if (const auto *rt = t->getAs<RecordType>())
                if (const RecordDecl *d = rt->getDecl()->getDefinition())
                        if (!tagged(d, "keel:borrow"))
                                for (const FieldDecl *f : d->fields())
                                        if (isBorrow(f->getType()))
                                                return whyBorrow(f->getType());
        return "'" + t.getAsString() + "'";
}

// Marked so, or a framework type with fields of its own (named ..._k).
bool Checker::isOpaque(const RecordDecl *r)
{
        if (tagged(r, "keel:opaque"))
                return true;
        if (const RecordDecl *d = r->getDefinition())
                if (frameworkDecl(d))
                        for (const FieldDecl *f : d->fields())
                                if (f->getName().ends_with("_k"))
                                        return true;
        return false;
}

bool Checker::holdsPinned(QualType t)
{
        const auto *rt = element(*Ctx, t)->getAs<RecordType>();
        if (!rt)
                return false;
        if (tagged(rt->getDecl(), "keel:pinned"))
                return true;
        if (const RecordDecl *d = rt->getDecl()->getDefinition())
                for (const FieldDecl *f : d->fields())
                        if (holdsPinned(f->getType()))
                                return true;
        return false;
}

bool Checker::hasConst(QualType t)
{
        if (Ctx->getBaseElementType(t).isConstQualified() || t.isConstQualified())
                return true;
        const auto *rt = element(*Ctx, t)->getAs<RecordType>();
        const RecordDecl *d = rt ? rt->getDecl()->getDefinition() : nullptr;
        if (d)
                for (const FieldDecl *f : d->fields())
                        if (hasConst(f->getType()))
                                return true;
        return false;
}

// Integers, enums, arrays, structs and unions of them; nothing else.
bool Checker::isPod(QualType t, bool padding, std::string *why)
{
        auto no = [&](const std::string &w) { if (why && why->empty()) *why = w; return false; };
        t = element(*Ctx, t);
        if (const auto *et = t->getAs<EnumType>()) {
                QualType i = et->getDecl()->getIntegerType();
                return !i.isNull() && !i->isBooleanType() ? true : no("an enum of bool");
        }
        if (t->isBooleanType())
                return no("a bool");
        if (t->isIntegerType())
                return t->isBitIntType() ? no("a _BitInt") : true;
        if (t->isPointerType())
                return no("a pointer");
        const auto *rt = t->getAs<RecordType>();
        if (!rt)
                return no("a '" + t.getAsString() + "'");
        const RecordDecl *d = rt->getDecl()->getDefinition();
        if (!d)
                return no("an incomplete type");
        if (kindOf(d) != Kind::Value || isOpaque(d) || tagged(d, "keel:borrow"))
                return no("'struct " + d->getName().str() + "', which is not plain");
        if (d->hasFlexibleArrayMember())
                return no("a flexible array");
        const ASTRecordLayout &lay = Ctx->getASTRecordLayout(d);
        uint64_t at = 0;
        for (const FieldDecl *f : d->fields()) {
                if (!isPod(f->getType(), padding, why))
                        return false;
                uint64_t off = lay.getFieldOffset(f->getFieldIndex());
                uint64_t bits = f->isBitField() ? f->getBitWidthValue(*Ctx) : Ctx->getTypeSize(f->getType());
                if (padding && !d->isUnion() && off != at)
                        return no("a hole before '" + f->getName().str() + "' (name it as a field)");
                if (padding && f->isUnnamedBitField())
                        return no("an unnamed bit-field (name it)");
                if (padding && d->isUnion() && bits != (uint64_t)Ctx->toBits(lay.getSize()) && f->isBitField())
                        return no("a bit-field in a union");
                at = d->isUnion() ? std::max(at, off + bits) : off + bits;
        }
        if (padding && at != (uint64_t)Ctx->toBits(lay.getSize()))
                return no("a hole at the end of '" + d->getName().str() + "' (name it as a field)");
        return true;
}

bool Checker::frameworkDecl(const Decl *d)
{
        const Decl *first = d->getCanonicalDecl();
        return inTrustedFile(first->getLocation());
}

bool Checker::generatedDecl(const NamedDecl *d)
{
        return d->getLocation().isMacroID() && trusted(d->getLocation());
}

// A type as the service wrote it: every layer but the inside of records.
void Checker::checkType(QualType t, SourceLocation loc, bool param)
{
        t = t.getCanonicalType();
        if (t.isVolatileQualified() || t.isRestrictQualified())
                err(loc, "T6", "no volatile or restrict types; write LOAD and STORE for shared words");
        if (t.getQualifiers().hasAddressSpace() || t.getQualifiers().hasObjCLifetime())
                err(loc, "T6", "no address spaces");
        const Type *ty = t.getTypePtr();
        if (const auto *p = dyn_cast<PointerType>(ty)) {
                QualType to = p->getPointeeType();
                if (to->isVoidType()) {
                        err(loc, "T1", "'void *' is not part of Safe C; use the real type, a slice, or an OBJECT and DOWNCAST");
                        return;
                }
                if (to->isIncompleteArrayType())
                        err(loc, "T2", "no pointers to arrays of unknown bound; use a slice");
                if (!to->isIncompleteType() && !to->isFunctionType() &&
                    (uint64_t)Ctx->getTypeSizeInChars(to).getQuantity() > MAX_POINTEE)
                        err(loc, "T7", "no pointers to types above 64 KiB");
                checkType(to, loc);
                return;
        }
        if (const auto *a = Ctx->getAsArrayType(t)) {
                if (const auto *c = dyn_cast<ConstantArrayType>(a)) {
                        if (c->getSize().isZero())
                                err(loc, "T2", "no arrays of zero elements");
                } else {
                        err(loc, "T2", "arrays have a constant bound; use a slice or a fixed maximum");
                }
                checkType(a->getElementType(), loc);
                return;
        }
        if (const auto *f = dyn_cast<FunctionType>(ty)) {
                const auto *fp = dyn_cast<FunctionProtoType>(f);
                if (!fp) {
                        err(loc, "T4", "functions have a prototype");
                        return;
                }
                if (fp->isVariadic())
                        err(loc, "T4", "no variadic functions");
                if (f->getCallConv() != CC_C || f->getNoReturnAttr() || f->getRegParmType() || f->getExtInfo().getNoCallerSavedRegs())
                        err(loc, "A1", "no attributes on function types");
                if (fp->getNumParams() > 8)
                        err(loc, "B7", "at most 8 parameters; pass a struct");
                checkType(fp->getReturnType(), loc);
                if (holdsPinned(fp->getReturnType()))
                        err(loc, "O4", "'" + fp->getReturnType().getAsString() + "' is not returned");
                if (!fp->getReturnType()->isVoidType() && holdsStable(fp->getReturnType()))
                        err(loc, "S2", "STABLE and OBJECT types are not returned by value");
                for (QualType p : fp->param_types()) {
                        checkType(p, loc, true);
                        if (holdsPinned(p))
                                err(loc, "O4", "'" + p.getAsString() + "' is not passed by value; pass a pointer");
                        if (holdsStable(p))
                                err(loc, "S2", "STABLE and OBJECT types are not passed by value; pass a pointer");
                }
                return;
        }
        if (t->isVoidType() || isa<RecordType>(ty))
                return;
        if (const auto *e = dyn_cast<EnumType>(ty)) {
                QualType i = e->getDecl()->getIntegerType();
                if (!i.isNull() && i->isBooleanType())
                        err(loc, "T9", "no enums of bool");
                return;
        }
        if (const auto *b = dyn_cast<BuiltinType>(ty)) {
                switch (b->getKind()) {
                case BuiltinType::Bool: case BuiltinType::Char_S: case BuiltinType::Char_U:
                case BuiltinType::SChar: case BuiltinType::UChar: case BuiltinType::Short: case BuiltinType::UShort:
                case BuiltinType::Int: case BuiltinType::UInt: case BuiltinType::Long: case BuiltinType::ULong:
                case BuiltinType::LongLong: case BuiltinType::ULongLong: case BuiltinType::Char8:
                case BuiltinType::Char16: case BuiltinType::Char32: case BuiltinType::WChar_S: case BuiltinType::WChar_U:
                        return;
                default:
                        err(loc, "T5", "type '" + t.getAsString() + "' is not part of Safe C");
                        return;
                }
        }
        err(loc, "T5", "type '" + t.getAsString() + "' is not part of Safe C");
}

// Attributes: only what framework words made, or nothing.
void Checker::checkAttrs(const Decl *d)
{
        for (const Attr *a : d->attrs()) {
                if (a->isImplicit() || a->isInherited())
                        continue;
                if (const auto *b = dyn_cast<BTFDeclTagAttr>(a)) {
                        llvm::StringRef tag = b->getBTFDeclTag();
                        if (trusted(a->getLocation()) && tag != "keel:object" && tag != "keel:base" && tag != "keel:stable")
                                err(d->getLocation(), "A1", "this marker is for the framework's own declarations");
                }
                // The k_ functions of framework macros cannot be spelled here (N1).
                if (const auto *c = dyn_cast<CleanupAttr>(a))
                        if (!trusted(c->getLocation()) || !c->getFunctionDecl()->getName().starts_with("k_"))
                                checkRef(c->getFunctionDecl(), d->getLocation());
                if (!trusted(a->getLocation()))
                        err(a->getLocation(), "A1", "no attributes but the words of frame/marks.h");
        }
}

// A name must not hide one that framework macros may mean.
void Checker::checkName(const NamedDecl *d)
{
        const IdentifierInfo *ii = d->getIdentifier();
        if (ii && frameNames.count(ii) && macroWords.count(ii) && !trusted(d->getLocation()))
                err(d->getLocation(), "N4", "'" + ii->getName() + "' is a name of the framework; choose another");
}

void Checker::checkRecord(const RecordDecl *r)
{
        checkAttrs(r);
        bool o = false, b = false, s = false;
        o = tagged(r, "keel:object"), b = tagged(r, "keel:base"), s = tagged(r, "keel:stable");
        if (o + b + s > 1)
                err(r->getLocation(), "S4", "'" + r->getName() + "' has two kinds");
        if (!r->isThisDeclarationADefinition())
                return;
        if (r->getIdentifier() && frameworkDecl(r))
                err(r->getLocation(), "N4", "'struct " + r->getName() + "' is the framework's; it may not be defined here");
        for (const Decl *d : r->decls())
                if (const auto *in = dyn_cast<RecordDecl>(d))
                        checkRecord(in);
                else if (const auto *e = dyn_cast<EnumDecl>(d))
                        checkEnum(e);
        Kind kind = kindOf(r);
        // A struct without a tag inside another is part of that one, whose own check looks into it.
        bool nested = !r->getIdentifier() && isa<RecordDecl>(r->getLexicalDeclContext());
        bool packed = r->hasAttr<PackedAttr>();
        if (r->field_empty())
                err(r->getLocation(), "T8", "no empty structs");
        unsigned index = 0;
        for (const FieldDecl *f : r->fields()) {
                SourceLocation loc = f->getLocation();
                QualType t = f->getType();
                bool first = index++ == 0;
                checkAttrs(f);
                if (f->hasAttr<PackedAttr>())
                        packed = true;
                if (t->isIncompleteArrayType()) {
                        err(loc, "T3", "no flexible array members; use a fixed maximum or a pool of parts");
                        continue;
                }
                checkType(t, loc);
                if (holdsPinned(t))
                        err(loc, "O4", "'" + t.getAsString() + "' is declared by its macro only; keep a pointer to it");
                Kind k = kindOf(t);
                if (k == Kind::Object)
                        err(loc, "S4", "an OBJECT lives only in its pool; keep a pointer");
                if (k == Kind::Base && !(first && t->isRecordType() && !r->isUnion() &&
                                         (kind == Kind::Object || kind == Kind::Base)))
                        err(loc, "S4", "a BASE is only the first member of an OBJECT or BASE");
                if (kind == Kind::Value && holdsStable(t) && k != Kind::Object && !nested)
                        err(loc, "S4", "'" + r->getName() + "' holds a STABLE member: declare it STABLE(" + r->getName() + ") or OBJECT(...)");
                if (kind != Kind::Value && isBorrow(t))
                        err(loc, "B1", "a borrow may not be kept in a STABLE, BASE or OBJECT type (" + whyBorrow(t) + "); keep an OBJECT pointer, a value or a blob");
                if (r->isUnion()) {
                        std::string why;
                        if (!isPod(t, false, &why))
                                err(loc, "U1", "union members are integers and structs or arrays of them; this holds " + why);
                }
        }
        if (packed)
                for (const FieldDecl *f : r->fields()) {
                        std::string why;
                        if (!isPod(f->getType(), false, &why))
                                err(f->getLocation(), "U2", "members of packed structs are integers and structs or arrays of them; this holds " + why);
                }
}

void Checker::checkEnum(const EnumDecl *e)
{
        checkAttrs(e);
        QualType i = e->getIntegerType();
        if (!i.isNull() && i->isBooleanType())
                err(e->getLocation(), "T9", "no enums of bool");
        if (e->isThisDeclarationADefinition() && e->getIdentifier() && frameworkDecl(e))
                err(e->getLocation(), "N4", "'enum " + e->getName() + "' is the framework's");
        for (const EnumConstantDecl *c : e->enumerators())
                checkName(c);
}

void Checker::checkLocal(const VarDecl *v)
{
        if (trusted(v->getLocation()))
                return;
        SourceLocation loc = v->getLocation();
        checkAttrs(v);
        checkName(v);
        checkType(v->getType(), loc);
        if (v->getTLSKind() != VarDecl::TLS_None)
                err(loc, "V1", "no thread-local variables");
        if (v->getStorageClass() == SC_Register)
                err(loc, "V2", "no register variables");
        if (v->getStorageClass() == SC_Extern)
                err(loc, "N2", "no extern declarations inside functions");
        unsigned cleanups = 0;
        bool own = v->hasAttr<UninitializedAttr>();     // a word of SCRATCH's alone (A1)
        for (const auto *c : v->specific_attrs<CleanupAttr>()) {
                cleanups++;
                own |= frameworkDecl(c->getFunctionDecl()) && c->getFunctionDecl()->getName().starts_with("k_");
        }
        if (cleanups > 1)
                err(loc, "A1", "one cleanup for a variable; '" + v->getName() + "' has more");
        if (holdsPinned(v->getType()) && (!trusted(v->getTypeSpecStartLoc()) || !own))
                err(loc, "O4", "'" + v->getType().getAsString() + "' is declared by its macro only");
        if (v->isStaticLocal()) {
                if (!trusted(loc))
                        statics.insert(v);
                checkVar(v);
        } else if (holdsStable(v->getType())) {
                err(loc, "S1", "'" + v->getType().getAsString() + "' is STABLE or OBJECT and may not be a local variable");
        }
}

// Globals and statics.
void Checker::checkVar(const VarDecl *v)
{
        SourceLocation loc = v->getLocation();
        checkAttrs(v);
        QualType t = v->getType();
        if (!v->isStaticLocal()) {
                checkName(v);
                if (t->isIncompleteArrayType())
                        err(loc, "T2", "arrays have a constant bound");
                else
                        checkType(t, loc);
        }
        if (v->getTLSKind() != VarDecl::TLS_None)
                err(loc, "V1", "no thread-local variables");
        if (frameworkDecl(v))
                err(loc, "L1", "'" + v->getName() + "' is the framework's");
        Kind k = kindOf(t);
        if (k == Kind::Object || k == Kind::Base)
                err(loc, "S1", "OBJECT and BASE types are never global; allocate one");
        bool isConst = Ctx->getBaseElementType(t).isConstQualified();
        if (isBorrow(t) && !isConst)
                err(loc, "B2", "a borrow may not be kept in a global that changes (" + whyBorrow(t) + "); make it const, or keep an OBJECT pointer");
        if (v->hasExternalStorage() && inMainFile(loc))
                err(loc, "N2", "no extern declarations in .c files; declare it in the owner's header");
        if (v->getType()->isRecordType() && !v->hasExternalStorage() && v->getType()->isIncompleteType())
                err(loc, "T2", "incomplete type");
        if (v->hasInit() && v->getInit()) {
                checkInit(v->getInit(), t);
                findLiterals(v->getInit());
        }
}

// What has no name and lives as long as the kernel.
void Checker::findLiterals(const Stmt *s)
{
        if (const auto *e = dyn_cast_or_null<CompoundLiteralExpr>(s); e && e->isFileScope())
                literals.insert(e);
        if (s)
                for (const Stmt *c : s->children())
                        findLiterals(c);
}

static bool runtimeName(llvm::StringRef n)
{
        static const llvm::StringSet<> names = { "memcpy", "memmove", "memset", "memcmp", "bcmp", "bcopy", "bzero", "strlen", "abort" };
        return names.count(n);
}

void Checker::checkFunctionDecl(const FunctionDecl *f)
{
        SourceLocation loc = f->getLocation();
        checkAttrs(f);
        checkName(f);
        checkType(f->getType(), loc);
        for (const ParmVarDecl *p : f->parameters()) {
                checkAttrs(p);
                if (f->isThisDeclarationADefinition())
                        checkName(p);
                if (const auto *d = dyn_cast<DecayedType>(p->getType().getTypePtr()))
                        if (d->getOriginalType()->isArrayType())
                                err(p->getLocation(), "T8", "no array parameters; pass a slice or a pointer to the array's struct");
        }
        if (frameworkDecl(f) && !tagged(f, "keel:service"))
                err(loc, "L1", "'" + f->getName() + "' is the framework's and may not be declared again");
        if (runtimeName(f->getName()))
                err(loc, "L2", "'" + f->getName() + "' is a name of the compiler's run time");
        if (f->getBuiltinID())
                err(loc, "L2", "'" + f->getName() + "' is a compiler builtin");
        bool isStatic = f->getStorageClass() == SC_Static;
        if (f->getStorageClass() == SC_Extern && inMainFile(loc))
                err(loc, "N2", "no extern declarations in .c files");
        else if (!isStatic && !f->isThisDeclarationADefinition() && inMainFile(loc) && !frameworkDecl(f) && !f->isDefined())
                err(loc, "N2", "no declarations of other files' functions in .c files; include the header");
        if (isStatic && !f->isDefined() && f->isUsed())
                err(loc, "L3", "static function '" + f->getName() + "' is never defined");
        if (f->isInlineSpecified() && !isStatic)
                err(loc, "L3", "inline functions are static");
        if (f->isThisDeclarationADefinition() && !isStatic && !inMainFile(loc))
                err(loc, "L3", "functions defined in headers are static inline");
        if (f->isThisDeclarationADefinition() && f->hasBody()) {
                checkFunction(f);
                checkFlow(f);
                checkBorrows(f);
        }
}

// Tags and typedefs inside functions and prototypes.
void Checker::checkTagScopes(const DeclContext *dc)
{
        for (const Decl *d : dc->decls()) {
                bool tag = isa<TagDecl>(d) && cast<TagDecl>(d)->getIdentifier();
                if ((tag || isa<TypedefNameDecl>(d)) && !trusted(d->getLocation()))
                        err(d->getLocation(), "N4", "structs, unions, enums and typedefs are declared at file scope only");
                if (const auto *r = dyn_cast<RecordDecl>(d)) {
                        if (!trusted(d->getLocation()))
                                checkRecord(r);
                } else if (const auto *e = dyn_cast<EnumDecl>(d)) {
                        if (!trusted(d->getLocation()))
                                checkEnum(e);
                } else if (const auto *inner = dyn_cast<FunctionDecl>(d)) {
                        if (!trusted(d->getLocation()))
                                err(d->getLocation(), "N2", "no function declarations inside functions");
                        (void)inner;
                }
        }
}

void Checker::checkDecls()
{
        learnMacros();
        const TranslationUnitDecl *tu = Ctx->getTranslationUnitDecl();
        for (const Decl *d : tu->decls()) {
                if (!inTrustedFile(d->getLocation()))
                        continue;
                if (const auto *n = dyn_cast<NamedDecl>(d))
                        if (n->getIdentifier() && !isa<TagDecl>(d) && d->getLocation().isValid())
                                frameNames.insert(n->getIdentifier());
                if (const auto *e = dyn_cast<EnumDecl>(d))
                        for (const EnumConstantDecl *c : e->enumerators())
                                frameNames.insert(c->getIdentifier());
        }
        for (const Decl *d : tu->decls()) {
                SourceLocation loc = d->getLocation();
                if (d->isImplicit() || loc.isInvalid() || inTrustedFile(loc))
                        continue;
                if (const auto *f = dyn_cast<FunctionDecl>(d))
                        checkTagScopes(f);
                if (const auto *n = dyn_cast<NamedDecl>(d))
                        if (generatedDecl(n)) {
                                // A framework macro made it; its arguments are still the service's.
                                if (const auto *f = dyn_cast<FunctionDecl>(d)) {
                                        if (f->isThisDeclarationADefinition() && f->hasBody())
                                                checkFunction(f);
                                } else if (const auto *v = dyn_cast<VarDecl>(d)) {
                                        if (v->hasInit())
                                                checkInit(v->getInit(), v->getType());
                                }
                                continue;
                        }
                if (const auto *r = dyn_cast<RecordDecl>(d))
                        checkRecord(r);
                else if (const auto *e = dyn_cast<EnumDecl>(d))
                        checkEnum(e);
                else if (const auto *f = dyn_cast<FunctionDecl>(d))
                        checkFunctionDecl(f);
                else if (const auto *v = dyn_cast<VarDecl>(d))
                        checkVar(v);
                else if (const auto *t = dyn_cast<TypedefNameDecl>(d)) {
                        checkAttrs(t);
                        checkName(t);
                        checkType(t->getUnderlyingType(), loc);
                        if (t->getPreviousDecl())
                                err(loc, "N4", "typedef '" + t->getName() + "' is declared twice");
                } else if (!isa<StaticAssertDecl>(d) && !isa<EmptyDecl>(d))
                        err(loc, "X1", llvm::Twine("declarations of this sort (") + d->getDeclKindName() + ") are not part of Safe C");
        }
}
}
