// SPDX-License-Identifier: Apache-2.0
//
// Where borrows come from and how far they may go.
//
// An origin is a set of: parameter i (bit i), content of parameter i (bit 8+i),
// and a scope depth (0: nothing local).  Static and heap data have the empty
// origin.  Each local variable collects the origins of all that is stored in it;
// the function is walked until nothing changes, then once more to complain.
//
// A local origin outweighs all others: what lies in a local at depth d came from
// depth d or further out, so "content of local d" is again depth d.
#include "safec.h"

namespace safec {
namespace {
const int TEMPORARY = 1 << 20;

struct Origin {
        unsigned bits = 0;
        int depth = 0;          // with the steps that cleanups make (B8)
        int plain = 0;          // without
        Origin operator|(Origin o) const
        {
                return { bits | o.bits, depth > o.depth ? depth : o.depth, plain > o.plain ? plain : o.plain };
        }
        bool operator==(Origin o) const { return bits == o.bits && depth == o.depth && plain == o.plain; }
        bool empty() const { return !bits && !depth; }
};

// What a pointer of that origin leads to.
Origin content(Origin p) { return { ((p.bits & 0xff) << 8) | (p.bits & 0xff00), p.depth, p.plain }; }

struct Place {
        Origin addr;                    // of a pointer to it
        Origin value;                   // of what lies in it
        const VarDecl *root = nullptr;  // the local variable it is part of
        bool global = false;
};

class Borrows {
        Checker &C;
        const FunctionDecl *F;
        llvm::DenseMap<const VarDecl *, Origin> var;
        llvm::DenseMap<const VarDecl *, int> depthOf, plainOf;
        int depth = 1, plain = 1;
        bool changed = false, report = false;

public:
        Borrows(Checker &c, const FunctionDecl *f) : C(c), F(f) {}

        void run()
        {
                unsigned i = 0;
                for (const ParmVarDecl *p : F->parameters()) {
                        depthOf[p] = plainOf[p] = 1;
                        if (i < 8 && C.isBorrow(p->getType()))
                                var[p] = { 1u << i, 0, 0 };
                        i++;
                }
                int rounds = 0;
                do {
                        changed = false;
                        depth = plain = 1;
                        stmt(F->getBody());
                        if (++rounds > 100) {
                                C.err(F->getLocation(), "B7", "the origins of borrows in '" + F->getName() + "' do not settle; split the function");
                                return;
                        }
                } while (changed);
                report = true;
                depth = plain = 1;
                stmt(F->getBody());
        }

        void stmt(const Stmt *s)
        {
                if (!s)
                        return;
                if (const auto *e = dyn_cast<Expr>(s)) {
                        value(e);
                        return;
                }
                if (const auto *d = dyn_cast<DeclStmt>(s)) {
                        for (const Decl *v : d->decls())
                                if (const auto *x = dyn_cast<VarDecl>(v))
                                        declare(x);
                        return;
                }
                if (const auto *r = dyn_cast<ReturnStmt>(s)) {
                        if (r->getRetValue()) {
                                Origin o = value(r->getRetValue());
                                if (report && o.depth)
                                        C.err(r->getReturnLoc(), "B5", "returns a borrow of a local variable");
                        }
                        return;
                }
                int saved = depth, savedPlain = plain;
                bool opens = isa<CompoundStmt>(s) || isa<ForStmt>(s) || isa<IfStmt>(s) || isa<WhileStmt>(s) || isa<SwitchStmt>(s) || isa<DoStmt>(s);
                if (opens) {
                        depth++;
                        plain++;
                }
                for (const Stmt *c : s->children())
                        stmt(c);
                if (opens) {
                        depth = saved;
                        plain = savedPlain;
                }
        }

        void declare(const VarDecl *v)
        {
                if (v->hasGlobalStorage()) {
                        if (v->hasInit())
                                value(v->getInit());
                        return;
                }
                bool cleanup = v->hasAttr<CleanupAttr>();
                if (cleanup)
                        depth++;
                depthOf[v] = depth;
                plainOf[v] = plain;
                if (v->hasInit()) {
                        Origin o = cut(v->getInit()->getType(), value(v->getInit()));
                        into(v, o, v->getLocation());
                }
                if (cleanup)
                        depth++;
        }

        Origin cut(QualType t, Origin o) { return C.isBorrow(t) ? o : Origin{}; }

        void into(const VarDecl *v, Origin o, SourceLocation loc)
        {
                Origin now = var.lookup(v) | o;
                if (!(now == var.lookup(v))) {
                        var[v] = now;
                        changed = true;
                }
                if (report && o.depth > depthOf.lookup(v))
                        C.err(loc, o.plain > plainOf.lookup(v) ? "B4" : "B8", "'" + v->getName() + "' would outlive what it borrows; declare it in the inner block (after the guard or pin), or use a copy");
        }

        void store(const Place &p, QualType t, Origin o, SourceLocation loc)
        {
                if (!C.isBorrow(t))
                        return;
                if (p.root)
                        return into(p.root, o, loc);
                if (o.empty() || p.global)
                        return;
                // Through a pointer: only a parameter's own content may come back to it.
                unsigned b = p.addr.bits;
                if (!p.addr.depth && b && b < 0x100 && !(b & (b - 1))) {
                        unsigned i = 0;
                        while (!(b >> i & 1))
                                i++;
                        if (F->getParamDecl(i)->getType()->isPointerType() && !o.depth && !(o.bits & ~(b << 8)))
                                return;
                }
                if (report)
                        C.err(loc, "B3", "stores a borrow through a pointer; return it instead (a small struct if there is more to return)");
        }

        //--- lvalues ------------------------------------------------------

        Place deref(Origin p) { return { p, content(p), nullptr, false }; }

        Place place(const Expr *e)
        {
                e = e->IgnoreParens();
                if (const auto *d = dyn_cast<DeclRefExpr>(e)) {
                        const auto *v = dyn_cast<VarDecl>(d->getDecl());
                        if (!v)
                                return {};
                        if (v->hasGlobalStorage())
                                return { {}, {}, nullptr, true };
                        int at = depthOf.lookup(v);
                        return { { 0, at ? at : depth, at ? plainOf.lookup(v) : plain }, var.lookup(v), v, false };
                }
                if (const auto *m = dyn_cast<MemberExpr>(e)) {
                        if (m->isArrow())
                                return deref(value(m->getBase()));
                        if (m->getBase()->isGLValue())
                                return place(m->getBase());
                        Origin o = value(m->getBase());
                        return { { 0, TEMPORARY, TEMPORARY }, o, nullptr, false };
                }
                if (const auto *u = dyn_cast<UnaryOperator>(e)) {
                        if (u->getOpcode() == UO_Deref)
                                return deref(value(u->getSubExpr()));
                        if (u->getOpcode() == UO_Extension)
                                return place(u->getSubExpr());
                        value(u);
                        return {};
                }
                if (const auto *a = dyn_cast<ArraySubscriptExpr>(e)) {
                        value(a->getIdx());
                        const auto *dec = dyn_cast<ImplicitCastExpr>(a->getBase());
                        if (dec && dec->getCastKind() == CK_ArrayToPointerDecay) {
                                if (dec->getSubExpr()->isGLValue())
                                        return place(dec->getSubExpr());
                                return { { 0, TEMPORARY, TEMPORARY }, value(dec->getSubExpr()), nullptr, false };
                        }
                        return deref(value(a->getBase()));
                }
                if (const auto *l = dyn_cast<CompoundLiteralExpr>(e)) {
                        Origin o = value(l->getInitializer());
                        if (l->isFileScope())
                                return { {}, o, nullptr, true };
                        if (report && o.depth > depth)
                                C.err(C.own(e), "B4", "the literal outlives what it borrows");
                        return { { 0, depth, plain }, o, nullptr, false };
                }
                if (const auto *g = dyn_cast<GenericSelectionExpr>(e))
                        return place(g->getResultExpr());
                if (const auto *g = dyn_cast<ChooseExpr>(e))
                        return place(g->getChosenSubExpr());
                if (const auto *c = dyn_cast<CastExpr>(e))
                        if (c->getSubExpr()->isGLValue())
                                return place(c->getSubExpr());
                if (isa<StringLiteral>(e) || isa<PredefinedExpr>(e))
                        return { {}, {}, nullptr, true };
                if (const auto *o = dyn_cast<OpaqueValueExpr>(e))
                        if (o->getSourceExpr() && o->getSourceExpr()->isGLValue())
                                return place(o->getSourceExpr());
                Origin all = rest(e);
                return { all | Origin{ 0, TEMPORARY, TEMPORARY }, all, nullptr, false };
        }

        //--- values -------------------------------------------------------

        Origin rest(const Stmt *e)
        {
                Origin o;
                for (const Stmt *c : e->children())
                        if (c) {
                                if (const auto *x = dyn_cast<Expr>(c))
                                        o = o | any(x);
                                else
                                        stmt(c);
                        }
                return o;
        }

        Origin any(const Expr *e)
        {
                if (e->isGLValue()) {
                        Place p = place(e);
                        return cut(e->getType(), p.value);
                }
                return value(e);
        }

        Origin value(const Expr *e)
        {
                if (e->isGLValue() && !e->getType()->isFunctionType()) {
                        // an lvalue whose value nobody takes
                        place(e);
                        return {};
                }
                return cut(e->getType(), raw(e));
        }

        Origin raw(const Expr *e)
        {
                if (const auto *p = dyn_cast<ParenExpr>(e))
                        return value(p->getSubExpr());
                if (const auto *c = dyn_cast<ConstantExpr>(e))
                        return value(c->getSubExpr());
                if (const auto *c = dyn_cast<CastExpr>(e)) {
                        const Expr *s = c->getSubExpr();
                        switch (c->getCastKind()) {
                        case CK_LValueToRValue:
                                return place(s).value;
                        case CK_ArrayToPointerDecay:
                                return s->isGLValue() ? place(s).addr : Origin{ 0, TEMPORARY, TEMPORARY };
                        case CK_FunctionToPointerDecay: case CK_BuiltinFnToFnPtr:
                                return {};
                        default:
                                // The value may be cut off by an inner type (an OBJECT pointer), never by the outer.
                                return s->isGLValue() ? place(s).value : value(s);
                        }
                }
                if (const auto *u = dyn_cast<UnaryOperator>(e)) {
                        if (u->getOpcode() == UO_AddrOf)
                                return place(u->getSubExpr()).addr;
                        if (u->isIncrementDecrementOp())
                                return place(u->getSubExpr()).value;
                        return value(u->getSubExpr());
                }
                if (const auto *b = dyn_cast<BinaryOperator>(e)) {
                        if (b->getOpcode() == BO_Assign) {
                                Origin o = value(b->getRHS());
                                Place p = place(b->getLHS());
                                store(p, b->getLHS()->getType(), o, b->getOperatorLoc());
                                return o;
                        }
                        if (b->isCompoundAssignmentOp()) {
                                value(b->getRHS());
                                return place(b->getLHS()).value;
                        }
                        if (b->getOpcode() == BO_Comma) {
                                value(b->getLHS());
                                return value(b->getRHS());
                        }
                        Origin l = value(b->getLHS());
                        return l | value(b->getRHS());
                }
                if (const auto *c = dyn_cast<AbstractConditionalOperator>(e)) {
                        value(c->getCond());
                        Origin t = value(c->getTrueExpr());
                        return t | value(c->getFalseExpr());
                }
                if (const auto *c = dyn_cast<CallExpr>(e))
                        return call(c);
                if (const auto *a = dyn_cast<AtomicExpr>(e))
                        return atomic(a);
                if (const auto *i = dyn_cast<InitListExpr>(e)) {
                        if (!i->isSemanticForm() && i->getSemanticForm())
                                i = i->getSemanticForm();
                        Origin o;
                        for (const Expr *x : i->inits())
                                if (x)
                                        o = o | any(x);
                        return o;
                }
                if (const auto *s = dyn_cast<StmtExpr>(e))
                        return statement(s);
                if (const auto *g = dyn_cast<GenericSelectionExpr>(e))
                        return value(g->getResultExpr());
                if (const auto *g = dyn_cast<ChooseExpr>(e))
                        return value(g->getChosenSubExpr());
                if (const auto *o = dyn_cast<OpaqueValueExpr>(e))
                        return o->getSourceExpr() ? any(o->getSourceExpr()) : Origin{};
                if (isa<UnaryExprOrTypeTraitExpr>(e) || isa<OffsetOfExpr>(e))
                        return {};
                return rest(e);
        }

        Origin call(const CallExpr *c)
        {
                Origin o;
                value(c->getCallee());
                for (const Expr *a : c->arguments()) {
                        Origin v = a->isGLValue() ? any(a) : value(a);
                        if (!C.isBorrow(a->getType()))
                                continue;
                        o = o | v;
                        QualType to = a->getType()->getPointeeType();
                        // A void * or a struct passed by value may lead to more borrows.
                        if (to.isNull() || to->isVoidType() || to->isIncompleteType() || C.isBorrow(to))
                                o = o | content(v);
                }
                return o;
        }

        Origin atomic(const AtomicExpr *a)
        {
                const auto *u = dyn_cast<UnaryOperator>(a->getPtr()->IgnoreParenImpCasts());
                Place p = u && u->getOpcode() == UO_AddrOf ? place(u->getSubExpr()) : deref(value(a->getPtr()));
                QualType t = a->getPtr()->getType()->getPointeeType();
                Origin o;
                bool first = true;
                for (const Stmt *c : a->children()) {
                        const auto *x = dyn_cast_or_null<Expr>(c);
                        if (!x)
                                continue;
                        if (first) {
                                first = false;
                                continue;
                        }
                        o = o | any(x);
                }
                store(p, t, o, C.own(a->getPtr()));
                return p.value;
        }

        Origin statement(const StmtExpr *s)
        {
                int saved = depth, savedPlain = plain;
                depth++;
                plain++;
                Origin o;
                const CompoundStmt *b = s->getSubStmt();
                for (const Stmt *c : b->body()) {
                        if (c == b->body_back() && isa<Expr>(c))
                                o = value(cast<Expr>(c));
                        else
                                stmt(c);
                }
                depth = saved;
                plain = savedPlain;
                o = cut(s->getType(), o);
                if (report && o.depth > depth) {
                        C.err(s->getBeginLoc(), "B6", "a borrow of a local leaves its block");
                        o.depth = depth;
                        o.plain = plain;
                }
                return o;
        }
};
}

void Checker::checkBorrows(const FunctionDecl *f) { Borrows(*this, f).run(); }
}
