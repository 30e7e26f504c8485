// SPDX-License-Identifier: Apache-2.0
//
// Statements and expressions.  Every node of a function is visited; a node whose
// token the framework spelled (a macro's body) is accepted as it is, but what the
// service put into it is checked, conversions of it included.
#include "safec.h"
#include "llvm/ADT/StringExtras.h"

namespace safec {

SourceLocation Checker::own(const Stmt *s)
{
        if (const auto *b = dyn_cast<BinaryOperator>(s))
                return b->getOperatorLoc();
        if (const auto *u = dyn_cast<UnaryOperator>(s))
                return u->getOperatorLoc();
        if (const auto *c = dyn_cast<ConditionalOperator>(s))
                return c->getQuestionLoc();
        if (const auto *c = dyn_cast<BinaryConditionalOperator>(s))
                return c->getQuestionLoc();
        if (const auto *m = dyn_cast<MemberExpr>(s))
                return m->getMemberLoc();
        if (const auto *a = dyn_cast<ArraySubscriptExpr>(s))
                return a->getRBracketLoc();
        if (const auto *c = dyn_cast<CallExpr>(s))
                return c->getRParenLoc();
        if (const auto *c = dyn_cast<CStyleCastExpr>(s))
                return c->getLParenLoc();
        if (const auto *c = dyn_cast<CompoundLiteralExpr>(s))
                return c->getLParenLoc();
        if (const auto *i = dyn_cast<ImplicitCastExpr>(s))
                return own(i->getSubExpr());
        if (const auto *p = dyn_cast<ParenExpr>(s))
                return own(p->getSubExpr());
        if (const auto *c = dyn_cast<ConstantExpr>(s))
                return own(c->getSubExpr());
        if (const auto *i = dyn_cast<InitListExpr>(s)) {
                if (i->getLBraceLoc().isValid())
                        return i->getLBraceLoc();
                return i->getNumInits() && i->getInit(0) ? own(i->getInit(0)) : i->getBeginLoc();
        }
        return s->getBeginLoc();
}

namespace {
enum Use { Value, Read, Write, Addr };

class Walk {
        Checker &C;
        ASTContext &X;
        // The variable whose initialiser is being read (J4).
        const VarDecl *initialising = nullptr;

        static const Expr *bare(const Expr *e) { return e->IgnoreParens(); }
        bool mine(const Stmt *s) { return C.mine(s); }
        void err(const Stmt *s, llvm::StringRef rule, const llvm::Twine &what) { C.err(C.own(s), rule, what); }

public:
        explicit Walk(Checker &c) : C(c), X(*c.Ctx) {}

        //--- statements ---------------------------------------------------

        void stmt(const Stmt *s)
        {
                if (!s)
                        return;
                if (const auto *e = dyn_cast<Expr>(s))
                        return expr(e, Value, false);
                switch (s->getStmtClass()) {
                case Stmt::DeclStmtClass:
                        for (const Decl *d : cast<DeclStmt>(s)->decls())
                                if (const auto *v = dyn_cast<VarDecl>(d)) {
                                        C.checkLocal(v);
                                        // checkLocal has looked into statics already
                                        if (v->hasInit() && !(v->isStaticLocal() && !C.trusted(v->getLocation()))) {
                                                auto *old = initialising;
                                                initialising = v;
                                                init(v->getInit(), v->getType());
                                                initialising = old;
                                        }
                                }
                        return;
                case Stmt::CompoundStmtClass: case Stmt::NullStmtClass: case Stmt::IfStmtClass: case Stmt::WhileStmtClass:
                case Stmt::DoStmtClass: case Stmt::ForStmtClass: case Stmt::SwitchStmtClass: case Stmt::CaseStmtClass:
                case Stmt::DefaultStmtClass: case Stmt::BreakStmtClass: case Stmt::ContinueStmtClass:
                case Stmt::GotoStmtClass: case Stmt::LabelStmtClass: case Stmt::AttributedStmtClass:
                        break;
                case Stmt::ReturnStmtClass:
                        if (const Expr *e = cast<ReturnStmt>(s)->getRetValue())
                                expr(e, Value, false);
                        return;
                default:
                        if (mine(s))
                                err(s, "X1", llvm::Twine("statements of this sort (") + s->getStmtClassName() + ") are not part of Safe C");
                }
                for (const Stmt *c : s->children())
                        if (c)
                                stmt(c);
        }

        void init(const Expr *e, QualType t) { expr(e, Value, false); (void)t; }

        //--- expressions --------------------------------------------------

        // use: what the surroundings do with the lvalue; outer: the token that
        // consumes this value is the framework's.
        void expr(const Expr *e, Use use, bool outer)
        {
                switch (e->getStmtClass()) {
                case Stmt::ParenExprClass:
                        return expr(cast<ParenExpr>(e)->getSubExpr(), use, outer);
                case Stmt::ConstantExprClass:
                        return expr(cast<ConstantExpr>(e)->getSubExpr(), use, outer);
                case Stmt::ImplicitCastExprClass:
                        return implicit(cast<ImplicitCastExpr>(e), use, outer);
                case Stmt::CStyleCastExprClass:
                        return explicitCast(cast<CStyleCastExpr>(e));
                case Stmt::DeclRefExprClass: {
                        const auto *d = cast<DeclRefExpr>(e);
                        if (d->getDecl() == initialising && !C.trusted(d->getLocation()))
                                err(e, "J4", "'" + d->getDecl()->getName() + "' is used in its own initialiser");
                        if (mine(e))
                                C.checkRef(d->getDecl(), d->getLocation());
                        return;
                }
                case Stmt::MemberExprClass:
                        return member(cast<MemberExpr>(e), use, outer);
                case Stmt::ArraySubscriptExprClass:
                        return subscript(cast<ArraySubscriptExpr>(e), use);
                case Stmt::UnaryOperatorClass:
                        return unary(cast<UnaryOperator>(e));
                case Stmt::BinaryOperatorClass:
                case Stmt::CompoundAssignOperatorClass:
                        return binary(cast<BinaryOperator>(e));
                case Stmt::CallExprClass:
                        return call(cast<CallExpr>(e));
                case Stmt::AtomicExprClass:
                        return atomic(cast<AtomicExpr>(e));
                case Stmt::InitListExprClass:
                        return initList(cast<InitListExpr>(e));
                case Stmt::CompoundLiteralExprClass: {
                        const auto *l = cast<CompoundLiteralExpr>(e);
                        if (mine(e)) {
                                C.checkType(l->getType(), C.own(e));
                                if (C.holdsPinned(l->getType()))
                                        err(e, "O4", "'" + l->getType().getAsString() + "' is made by its macro only");
                                if (C.holdsStable(l->getType()))
                                        err(e, "S3", "no literals of STABLE or OBJECT types; fill the fields one by one");
                        }
                        return expr(l->getInitializer(), Value, !mine(e));
                }
                case Stmt::UnaryExprOrTypeTraitExprClass: {
                        const auto *u = cast<UnaryExprOrTypeTraitExpr>(e);
                        if (mine(e) && u->getKind() != UETT_SizeOf && u->getKind() != UETT_AlignOf)
                                err(e, "X2", "only sizeof and alignof");
                        if (mine(e) && u->getTypeOfArgument()->isVariablyModifiedType())
                                err(e, "T2", "no variable-length arrays");
                        return;
                }
                case Stmt::IntegerLiteralClass: case Stmt::CharacterLiteralClass: case Stmt::CXXBoolLiteralExprClass:
                case Stmt::ImplicitValueInitExprClass:
                        return;
                case Stmt::StringLiteralClass:
                        return;
                case Stmt::ConditionalOperatorClass:
                        for (const Stmt *c : e->children())
                                expr(cast<Expr>(c), Value, outer && !mine(e));
                        if (mine(e) && C.holdsStable(e->getType()))
                                err(e, "S3", "STABLE and OBJECT types are not copied");
                        return;
                case Stmt::StmtExprClass:
                        if (mine(e))
                                err(e, "X2", "no statement expressions; write a static inline function");
                        return stmt(cast<StmtExpr>(e)->getSubStmt());
                case Stmt::GenericSelectionExprClass: {
                        const auto *g = cast<GenericSelectionExpr>(e);
                        if (mine(e))
                                err(e, "X2", "no _Generic");
                        if (g->getResultExpr())
                                expr(g->getResultExpr(), use, outer);
                        return;
                }
                default:
                        if (mine(e))
                                err(e, "X2", llvm::Twine("expressions of this sort (") + e->getStmtClassName() + ") are not part of Safe C");
                        for (const Stmt *c : e->children())
                                if (c) {
                                        if (const auto *ce = dyn_cast<Expr>(c))
                                                expr(ce, Value, true);
                                        else
                                                stmt(c);
                                }
                }
        }

        // The expression whose value a conversion takes, without the framework's parentheses.
        bool fromService(const Expr *sub) { return mine(bare(sub)); }

        void implicit(const ImplicitCastExpr *e, Use use, bool outer)
        {
                const Expr *sub = e->getSubExpr();
                bool svc = fromService(sub);
                switch (e->getCastKind()) {
                case CK_LValueToRValue:
                        if (svc && C.holdsPinned(e->getType()))
                                err(sub, "O4", "'" + e->getType().getAsString() + "' is not copied; pass a pointer to it");
                        if (svc && C.holdsStable(e->getType()))
                                err(sub, "S3", "STABLE and OBJECT types are not copied; use a pointer");
                        return expr(sub, Read, outer);
                case CK_ArrayToPointerDecay:
                        if (svc && !outer)
                                err(sub, "P7", isa<StringLiteral>(bare(sub))
                                        ? "a string literal is not a pointer here; write STR(\"...\") for a slice"
                                        : "an array is not a pointer here; write BYTES_OF(a), MBYTES_OF(a) or a typed slice");
                        return expr(sub, Addr, outer);
                case CK_NoOp: case CK_IntegralCast: case CK_IntegralToBoolean: case CK_PointerToBoolean:
                case CK_BooleanToSignedIntegral: case CK_NullToPointer: case CK_FunctionToPointerDecay: case CK_ToVoid:
                        if (svc && e->getCastKind() == CK_NullToPointer && !outer && sub->getType()->isIntegerType())
                                err(sub, "P6", "write NULL");
                        return expr(sub, use, outer);
                case CK_BuiltinFnToFnPtr:
                        if (svc)
                                err(sub, "C3", "no compiler builtins");
                        return;
                case CK_BitCast:
                        // T * to void *, where a framework macro hands it to the framework: the callee's
                        // parameter says what it takes (see call()).
                        if (svc && !(outer && e->getType()->isVoidPointerType()))
                                err(sub, "P5", "conversion from '" + sub->getType().getAsString() + "' to '" + e->getType().getAsString() + "'");
                        return expr(sub, use, outer);
                default:
                        if (svc)
                                err(sub, "P5", llvm::Twine("conversion from '") + sub->getType().getAsString() + "' to '" +
                                        e->getType().getAsString() + "' is not part of Safe C");
                        return expr(sub, use, outer);
                }
        }

        static QualType pointee(QualType t) { return t->getPointeeType(); }

        void explicitCast(const CStyleCastExpr *e)
        {
                const Expr *sub = e->getSubExpr();
                if (!mine(e))
                        return expr(sub, Value, true);
                C.checkType(e->getType(), C.own(e));
                QualType from = sub->getType(), to = e->getType();
                switch (e->getCastKind()) {
                case CK_IntegralCast: case CK_IntegralToBoolean: case CK_ToVoid: case CK_PointerToBoolean: case CK_LValueToRValue:
                case CK_BooleanToSignedIntegral:
                        break;
                case CK_NullToPointer:
                        break;
                case CK_NoOp:
                        if (to->isPointerType() && from->isPointerType()) {
                                QualType a = X.getCanonicalType(pointee(from)), b = X.getCanonicalType(pointee(to));
                                if (!X.hasSameType(a.getUnqualifiedType(), b.getUnqualifiedType()))
                                        err(e, "P5", "cast changes what the pointer points to");
                                else if (!b.isAtLeastAsQualifiedAs(a))
                                        err(e, "P8", "cast drops a qualifier");
                        }
                        break;
                case CK_PointerToIntegral:
                        err(e, "P6", "no casts from pointers to integers");
                        break;
                case CK_IntegralToPointer:
                        err(e, "P6", "no casts from integers to pointers");
                        break;
                case CK_BitCast:
                        if (to->isPointerType() && from->isPointerType() &&
                            X.hasSameUnqualifiedType(X.getCanonicalType(pointee(from)).getUnqualifiedType(),
                                                     X.getCanonicalType(pointee(to)).getUnqualifiedType()))
                                err(e, "P8", "cast drops a qualifier");
                        else
                                err(e, "P5", "cast from '" + from.getAsString() + "' to '" + to.getAsString() +
                                        "'; use DOWNCAST, OWNER_OF, POD_READ or a slice accessor");
                        break;
                default:
                        err(e, "P9", "cast from '" + from.getAsString() + "' to '" + to.getAsString() + "' is not part of Safe C");
                }
                expr(sub, Value, false);
        }

        void member(const MemberExpr *e, Use use, bool outer)
        {
                const auto *f = dyn_cast<FieldDecl>(e->getMemberDecl());
                if (f && mine(e)) {
                        const RecordDecl *r = f->getParent();
                        bool readonly = C.tagged(f, "keel:readonly");
                        if (readonly) {
                                if (use != Read)
                                        err(e, "O3", "field '" + f->getName() + "' may only be read by value");
                        } else if (C.isOpaque(r)) {
                                err(e, "O1", "'" + f->getName() + "' is a field of an opaque framework type");
                        }
                }
                expr(e->getBase(), e->isArrow() ? Value : use, outer && !e->isArrow());
        }

        void subscript(const ArraySubscriptExpr *e, Use use)
        {
                const Expr *base = e->getBase();
                const Expr *idx = e->getIdx();
                const auto *decay = dyn_cast<ImplicitCastExpr>(base);
                bool array = decay && decay->getCastKind() == CK_ArrayToPointerDecay;
                const Expr *lv = array ? decay->getSubExpr() : nullptr;
                if (mine(e)) {
                        if (e->getLHS() != base)
                                err(e, "P4", "write array[index]");
                        if (!array) {
                                err(e, "P4", "only a true array is subscripted, not a pointer; use a slice, or a pointer to the struct that holds the array");
                        } else {
                                bool plain = isa<DeclRefExpr>(lv) || isa<MemberExpr>(lv) || isa<ArraySubscriptExpr>(lv);
                                if (const auto *p = dyn_cast<ParenExpr>(lv))
                                        if (const auto *u = dyn_cast<UnaryOperator>(p->getSubExpr()))
                                                plain = u->getOpcode() == UO_Deref;
                                if (const auto *m = dyn_cast<MemberExpr>(lv))
                                        if (!m->getBase()->isLValue() && !m->isArrow())
                                                plain = false;
                                if (!plain)
                                        err(e, "P4", "the subscripted thing must be a plain array (variable, field or element), without parentheses");
                        }
                }
                if (lv)
                        if (const auto *at = X.getAsConstantArrayType(lv->getType())) {
                                Expr::EvalResult r;
                                if (idx->EvaluateAsInt(r, X, Expr::SE_AllowSideEffects) && (mine(e) || mine(bare(idx)))) {
                                        llvm::APSInt i = r.Val.getInt();
                                        if (i.isNegative() || i.getZExtValue() >= at->getSize().getZExtValue())
                                                err(e, "P10", "index " + llvm::toString(i, 10) + " is outside the array of " +
                                                        llvm::toString(at->getSize(), 10, false));
                                }
                        }
                if (array)
                        expr(lv, use, false);
                else
                        expr(base, Value, !mine(e));
                expr(idx, Value, false);
        }

        // A member of a packed struct on the way to this lvalue?
        static bool packedPath(const Expr *e)
        {
                e = bare(e);
                if (const auto *m = dyn_cast<MemberExpr>(e)) {
                        const auto *f = dyn_cast<FieldDecl>(m->getMemberDecl());
                        if (f && (f->hasAttr<PackedAttr>() || f->getParent()->hasAttr<PackedAttr>()))
                                return true;
                        return !m->isArrow() && packedPath(m->getBase());
                }
                if (const auto *s = dyn_cast<ArraySubscriptExpr>(e)) {
                        const auto *d = dyn_cast<ImplicitCastExpr>(s->getBase());
                        return d && d->getCastKind() == CK_ArrayToPointerDecay && packedPath(d->getSubExpr());
                }
                return false;
        }

        void unary(const UnaryOperator *e)
        {
                const Expr *sub = e->getSubExpr();
                switch (e->getOpcode()) {
                case UO_AddrOf:
                        if (mine(e) && packedPath(sub) && !X.getTypeAlignInChars(sub->getType()).isOne())
                                err(sub, "U3", "no address of a member of a packed struct; copy it to a local first");
                        if (mine(e)) {
                                C.checkType(e->getType(), C.own(e));
                                if (isa<CompoundLiteralExpr>(bare(sub)) && false)
                                        return;
                        }
                        return expr(sub, Addr, !mine(e));
                case UO_PreInc: case UO_PreDec: case UO_PostInc: case UO_PostDec:
                        if (sub->getType()->isPointerType() && (mine(e) || fromService(sub)))
                                err(e, "P3", "no ++ or -- on pointers; use an index or a slice");
                        return expr(sub, Write, !mine(e));
                case UO_Deref:
                        return expr(sub, Value, !mine(e));
                case UO_Plus: case UO_Minus: case UO_Not: case UO_LNot:
                        return expr(sub, Value, !mine(e));
                default:
                        if (mine(e) && e->getOpcode() != UO_Extension)
                                err(e, "X2", llvm::Twine("operator ") + UnaryOperator::getOpcodeStr(e->getOpcode()) + " is not part of Safe C");
                        return expr(sub, Value, !mine(e));
                }
        }

        void binary(const BinaryOperator *e)
        {
                const Expr *l = e->getLHS(), *r = e->getRHS();
                BinaryOperatorKind op = e->getOpcode();
                bool trustedOp = !mine(e);
                if (!trustedOp) {
                        bool pl = l->getType()->isPointerType() || l->getType()->isArrayType();
                        bool pr = r->getType()->isPointerType() || r->getType()->isArrayType();
                        if ((pl || pr) && (op == BO_Add || op == BO_Sub || op == BO_AddAssign || op == BO_SubAssign))
                                err(e, "P1", "no pointer arithmetic; use an index into an array, or a slice");
                        if (pl && pr && e->isRelationalOp())
                                err(e, "P2", "pointers have no order");
                        if (op == BO_Div || op == BO_Rem || op == BO_DivAssign || op == BO_RemAssign) {
                                QualType t = isa<CompoundAssignOperator>(e) ? cast<CompoundAssignOperator>(e)->getComputationLHSType() : l->getType();
                                if (t->isSignedIntegerOrEnumerationType()) {
                                        Expr::EvalResult v;
                                        if (!r->EvaluateAsInt(v, X) || !v.Val.getInt().isStrictlyPositive())
                                                err(e, "I1", "signed / and % only by a positive constant; make the operands unsigned");
                                }
                        }
                        if (op == BO_PtrMemD || op == BO_PtrMemI)
                                err(e, "X2", "operator");
                }
                if (e->isAssignmentOp()) {
                        if (C.holdsPinned(l->getType()) && (!trustedOp || fromService(l)))
                                err(e, "O4", "'" + l->getType().getAsString() + "' is not assigned");
                        if (C.holdsStable(l->getType()) && (!trustedOp || fromService(l)))
                                err(e, "S3", "STABLE and OBJECT types are not copied; fill the fields one by one");
                        expr(l, Write, trustedOp);
                        expr(r, Value, trustedOp);
                        return;
                }
                expr(l, Value, trustedOp);
                expr(r, Value, trustedOp && op != BO_Comma ? true : trustedOp);
        }

        // Pointer arguments to the framework's void * parameters: their true type.
        void handed(const Expr *arg, const ParmVarDecl *p)
        {
                bool pod = C.tagged(p, "keel:pod"), mpod = C.tagged(p, "keel:mpod"), obj = C.tagged(p, "keel:anyobj");
                const Expr *e = bare(arg);
                while (true) {
                        if (const auto *c = dyn_cast<CastExpr>(e)) {
                                QualType from = c->getSubExpr()->getType();
                                if (c->getCastKind() == CK_ArrayToPointerDecay) {
                                        e = c->getSubExpr();
                                        break;
                                }
                                // The framework's own cast: its responsibility, unless it asks.
                                if (!pod && !mpod && !obj && isa<CStyleCastExpr>(c) && !mine(c))
                                        return;
                                if ((c->getCastKind() == CK_BitCast || c->getCastKind() == CK_NoOp) && from->isPointerType()) {
                                        e = bare(c->getSubExpr());
                                        continue;
                                }
                        }
                        if (const auto *b = dyn_cast<BinaryOperator>(e))
                                if (b->getOpcode() == BO_Comma) {
                                        e = bare(b->getRHS());
                                        continue;
                                }
                        break;
                }
                if (!pod && !mpod && !obj) {
                        if (fromService(e) && !e->getType()->isVoidPointerType() && !e->isNullPointerConstant(X, Expr::NPC_ValueDependentIsNotNull))
                                err(e, "P5", "'" + e->getType().getAsString() + "' may not be handed to this parameter");
                        return;
                }
                QualType t = e->getType();
                if (t->isVoidPointerType())
                        return;         // the framework's own value
                QualType to = t->isPointerType() ? t->getPointeeType() : t;
                std::string why;
                if (obj) {
                        Kind k = C.kindOf(to);
                        if (k != Kind::Object && k != Kind::Base)
                                err(e, "S5", "'" + to.getAsString() + "' is no OBJECT or BASE");
                        return;
                }
                if (isa<StringLiteral>(e) && pod)
                        return;
                if (!C.isPod(to, true, &why))
                        err(e, "U4", "'" + to.getAsString() + "' may not be seen as bytes: it holds " + why);
                else if (mpod && C.hasConst(to))
                        err(e, "U4", "'" + to.getAsString() + "' has const members and may not be written as bytes");
        }

        void call(const CallExpr *e)
        {
                const FunctionDecl *f = e->getDirectCallee();
                bool svc = mine(e);
                const Expr *callee = e->getCallee();
                expr(callee, Value, !svc);
                if (svc && C.holdsStable(e->getType()) && e->getType()->isRecordType())
                        err(e, "S2", "STABLE and OBJECT types are not returned by value");
                for (unsigned i = 0; i < e->getNumArgs(); i++) {
                        const Expr *a = e->getArg(i);
                        expr(a, Value, !svc);
                        const ParmVarDecl *p = f && i < f->getNumParams() ? f->getParamDecl(i) : nullptr;
                        if (p && p->getType()->isVoidPointerType() && C.frameworkDecl(f))
                                handed(a, p);
                }
        }

        void atomic(const AtomicExpr *e)
        {
                if (mine(e))
                        err(e, "X2", "no compiler builtins");
                QualType t = e->getPtr()->getType()->getPointeeType();
                if (const auto *u = dyn_cast<UnaryOperator>(e->getPtr()->IgnoreParenImpCasts()))
                        if (u->getOpcode() == UO_AddrOf && packedPath(u->getSubExpr()) && !X.getTypeAlignInChars(t).isOne())
                                err(u->getSubExpr(), "U3", "no atomic access to a member of a packed struct");
                switch (e->getOp()) {
                case AtomicExpr::AO__atomic_load_n: case AtomicExpr::AO__atomic_store_n: case AtomicExpr::AO__atomic_exchange_n:
                case AtomicExpr::AO__atomic_compare_exchange_n: case AtomicExpr::AO__atomic_load: case AtomicExpr::AO__atomic_store:
                        break;
                default:
                        if ((t->isPointerType() || t->isBooleanType()) && service(e->getPtr()))
                                err(e->getPtr(), "P1", "atomic arithmetic is for integers only, not '" + t.getAsString() + "'");
                }
                for (const Stmt *c : e->children())
                        if (c)
                                expr(cast<Expr>(c), Value, true);
        }

        // Did the service spell any of it?
        bool service(const Stmt *s)
        {
                if (mine(s))
                        return true;
                for (const Stmt *c : s->children())
                        if (c && service(c))
                                return true;
                return false;
        }

        static bool zero(const Expr *e, ASTContext &X)
        {
                e = e->IgnoreParenImpCasts();
                if (isa<ImplicitValueInitExpr>(e))
                        return true;
                if (const auto *l = dyn_cast<InitListExpr>(e)) {
                        for (const Expr *i : l->inits())
                                if (i && !zero(i, X))
                                        return false;
                        return true;
                }
                if (e->isNullPointerConstant(X, Expr::NPC_ValueDependentIsNotNull))
                        return true;
                Expr::EvalResult r;
                return e->EvaluateAsInt(r, X) && r.Val.getInt().isZero();
        }

        void initList(const InitListExpr *e)
        {
                if (!e->isSemanticForm() && e->getSemanticForm())
                        e = e->getSemanticForm();
                if (!e->isSemanticForm() && e->getSemanticForm() == nullptr && e->isSyntacticForm())
                        ;       // it is both forms
                bool svc = mine(e);
                if (svc && e->getType()->isRecordType()) {
                        const RecordDecl *r = e->getType()->castAs<RecordType>()->getDecl();
                        if (C.isOpaque(r) && !zero(e, X))
                                err(e, "O2", "'" + e->getType().getAsString() + "' is opaque: initialise it with {} or by its functions");
                }
                if (const Expr *fill = e->hasArrayFiller() ? e->getArrayFiller() : nullptr)
                        if (!isa<ImplicitValueInitExpr>(fill))
                                expr(fill, Value, !svc);
                for (const Expr *i : e->inits())
                        if (i)
                                expr(i, Value, !svc);
        }
};
}

// A service names a function or variable.
void Checker::checkRef(const ValueDecl *d, SourceLocation loc)
{
        if (const auto *f = dyn_cast<FunctionDecl>(d)) {
                if (f->getBuiltinID() && !frameworkDecl(f)) {
                        err(loc, "C3", "no compiler builtins");
                        return;
                }
                if (frameworkDecl(f) && !tagged(f, "keel:safe") && !tagged(f, "keel:service"))
                        err(loc, "C1", "'" + f->getName() + "' is not part of the framework's safe API");
        } else if (const auto *v = dyn_cast<VarDecl>(d)) {
                if (v->hasGlobalStorage() && frameworkDecl(v) && !tagged(v, "keel:safe"))
                        err(loc, "C2", "'" + v->getName() + "' is not part of the framework's safe API");
        }
}

void Checker::checkInit(const Expr *e, QualType t) { Walk(*this).init(e, t); }

void Checker::checkFunction(const FunctionDecl *f) { Walk(*this).stmt(f->getBody()); }
}
