// SPDX-License-Identifier: Apache-2.0
//
// Control flow: no jump past a declaration (J1), no non-void function that
// reaches its end (J3).
#include "safec.h"

namespace safec {
namespace {
class Jumps {
        Checker &C;
        std::vector<const VarDecl *> scope;
        std::vector<size_t> switches;
        struct Goto { SourceLocation loc; std::vector<const VarDecl *> scope; const LabelDecl *label; };
        std::vector<Goto> gotos;
        llvm::DenseMap<const LabelDecl *, std::vector<const VarDecl *>> labels;

public:
        explicit Jumps(Checker &c) : C(c) {}

        void stmt(const Stmt *s)
        {
                if (!s)
                        return;
                if (const auto *d = dyn_cast<DeclStmt>(s)) {
                        children(s);
                        for (const Decl *v : d->decls())
                                if (const auto *var = dyn_cast<VarDecl>(v))
                                        if (!var->isStaticLocal())
                                                scope.push_back(var);
                        return;
                }
                if (const auto *g = dyn_cast<GotoStmt>(s)) {
                        gotos.push_back({ g->getGotoLoc(), scope, g->getLabel() });
                        return;
                }
                if (const auto *l = dyn_cast<LabelStmt>(s)) {
                        labels[l->getDecl()] = scope;
                        return stmt(l->getSubStmt());
                }
                if (const auto *c = dyn_cast<SwitchCase>(s)) {
                        if (!switches.empty() && scope.size() > switches.back())
                                C.err(c->getKeywordLoc(), "J1", "this case jumps past the declaration of '" + scope.back()->getName() +
                                        "'; put the declaring case into braces");
                        return stmt(c->getSubStmt());
                }
                bool opens = isa<CompoundStmt>(s) || isa<ForStmt>(s) || isa<IfStmt>(s) || isa<WhileStmt>(s) || isa<SwitchStmt>(s) || isa<DoStmt>(s);
                size_t mark = scope.size();
                if (const auto *sw = dyn_cast<SwitchStmt>(s)) {
                        stmt(sw->getInit());
                        stmt(sw->getCond());
                        switches.push_back(scope.size());
                        stmt(sw->getBody());
                        switches.pop_back();
                } else {
                        children(s);
                }
                if (opens)
                        scope.resize(mark);
        }

        void children(const Stmt *s)
        {
                for (const Stmt *c : s->children())
                        stmt(c);
        }

        void finish()
        {
                for (const Goto &g : gotos) {
                        auto it = labels.find(g.label);
                        if (it == labels.end())
                                continue;
                        const auto &at = it->second;
                        for (size_t i = 0; i < at.size(); i++)
                                if (i >= g.scope.size() || g.scope[i] != at[i]) {
                                        C.err(g.loc, "J1", "this goto jumps past the declaration of '" + at[i]->getName() + "'; declare it before the goto");
                                        break;
                                }
                }
        }
};

// Can control leave the statement at its end?  Conservative: yes, if in doubt.
class Ends {
        ASTContext &X;
        struct Frame { bool broken = false; };
        std::vector<bool *> breaks;

public:
        explicit Ends(ASTContext &x) : X(x) {}

        bool always(const Expr *e)
        {
                Expr::EvalResult r;
                return e && e->EvaluateAsInt(r, X) && !r.Val.getInt().isZero();
        }

        bool noReturn(const Expr *e)
        {
                e = e->IgnoreParenCasts();
                if (const auto *c = dyn_cast<CallExpr>(e)) {
                        const FunctionDecl *f = c->getDirectCallee();
                        return f && f->isNoReturn();
                }
                if (const auto *s = dyn_cast<StmtExpr>(e)) {
                        std::vector<bool *> saved;
                        saved.swap(breaks);
                        bool n = !completes(s->getSubStmt());
                        saved.swap(breaks);
                        return n;
                }
                if (const auto *b = dyn_cast<BinaryOperator>(e))
                        if (b->getOpcode() == BO_Comma)
                                return noReturn(b->getLHS()) || noReturn(b->getRHS());
                return false;
        }

        bool completes(const Stmt *s)
        {
                if (!s)
                        return true;
                switch (s->getStmtClass()) {
                case Stmt::ReturnStmtClass: case Stmt::GotoStmtClass: case Stmt::ContinueStmtClass:
                        return false;
                case Stmt::BreakStmtClass:
                        if (!breaks.empty())
                                *breaks.back() = true;
                        return false;
                case Stmt::CompoundStmtClass: {
                        bool live = true;
                        for (const Stmt *c : cast<CompoundStmt>(s)->body()) {
                                if (holdsEntry(c))
                                        live = true;
                                bool end = completes(c);
                                live = live && end;
                        }
                        return live;
                }
                case Stmt::IfStmtClass: {
                        const auto *i = cast<IfStmt>(s);
                        bool a = completes(i->getThen());
                        bool b = i->getElse() ? completes(i->getElse()) : true;
                        if (noReturn(i->getCond()))
                                return false;
                        return a || b;
                }
                case Stmt::WhileStmtClass: {
                        const auto *w = cast<WhileStmt>(s);
                        return loop(w->getBody(), w->getCond(), false);
                }
                case Stmt::ForStmtClass: {
                        const auto *f = cast<ForStmt>(s);
                        return loop(f->getBody(), f->getCond(), !f->getCond());
                }
                case Stmt::DoStmtClass: {
                        const auto *d = cast<DoStmt>(s);
                        bool broken = false;
                        breaks.push_back(&broken);
                        bool end = completes(d->getBody());
                        breaks.pop_back();
                        if (broken)
                                return true;
                        if (!end && !holdsContinue(d->getBody()))
                                return false;
                        return !always(d->getCond());
                }
                case Stmt::SwitchStmtClass: {
                        const auto *w = cast<SwitchStmt>(s);
                        bool broken = false, hasDefault = false;
                        for (const SwitchCase *c = w->getSwitchCaseList(); c; c = c->getNextSwitchCase())
                                hasDefault |= isa<DefaultStmt>(c);
                        breaks.push_back(&broken);
                        bool end = completes(w->getBody());
                        breaks.pop_back();
                        return broken || end || !hasDefault;
                }
                case Stmt::CaseStmtClass: case Stmt::DefaultStmtClass:
                        return completes(cast<SwitchCase>(s)->getSubStmt());
                case Stmt::LabelStmtClass:
                        return completes(cast<LabelStmt>(s)->getSubStmt());
                case Stmt::AttributedStmtClass:
                        return completes(cast<AttributedStmt>(s)->getSubStmt());
                default:
                        if (const auto *e = dyn_cast<Expr>(s))
                                return !noReturn(e);
                        return true;
                }
        }

        bool loop(const Stmt *body, const Expr *cond, bool endless)
        {
                bool broken = false;
                breaks.push_back(&broken);
                completes(body);
                breaks.pop_back();
                return broken || !(endless || always(cond));
        }

        static bool holdsEntry(const Stmt *s)
        {
                if (!s)
                        return false;
                if (isa<LabelStmt>(s) || isa<SwitchCase>(s))
                        return true;
                for (const Stmt *c : s->children())
                        if (holdsEntry(c))
                                return true;
                return false;
        }

        static bool holdsContinue(const Stmt *s)
        {
                if (!s || isa<WhileStmt>(s) || isa<ForStmt>(s) || isa<DoStmt>(s))
                        return false;
                if (isa<ContinueStmt>(s))
                        return true;
                for (const Stmt *c : s->children())
                        if (holdsContinue(c))
                                return true;
                return false;
        }
};
}

void Checker::checkFlow(const FunctionDecl *f)
{
        Jumps j(*this);
        j.stmt(f->getBody());
        j.finish();
        if (!f->getReturnType()->isVoidType() && Ends(*Ctx).completes(f->getBody()))
                err(f->getBody()->getEndLoc(), "J3", "'" + f->getName() +
                        "' may reach its end without a return (a switch over all enumerators does not count)");
}
}
