/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts of users, and the credentials of threads.  See account.h.
 */
#include "services/process/process_impl.h"
#include "services/security/cred.h"

static void account_fini(struct account *a)
{
        struct pid_ns *ns = a->ns;
        if (!ns)
                return;
        u32 head = a->uid % ACCOUNT_HEADS;
        spin_lock(&ns->accounts_lock);
        if (ns->accounts[head] == a) {
                ns->accounts[head] = a->next;
        } else {
                struct account *at = ns->accounts[head];
                while (at && at->next != a)
                        at = at->next;
                if (at)
                        at->next = a->next;
        }
        spin_unlock(&ns->accounts_lock);
        pid_ns_drop(ns);
}
POOL_DEFINE(account, account_fini);

/* One that is dying is passed over: its count is 0, and it takes itself off. */
static struct account *find_locked(struct pid_ns *ns, u32 uid)
{
        for (struct account *a = ns->accounts[uid % ACCOUNT_HEADS]; a; a = a->next)
                if (a->uid == uid && account_try_hold(a))
                        return a;
        return NULL;
}

struct account *account_get(struct pid_ns *ns, u32 uid)
{
        spin_lock(&ns->accounts_lock);
        struct account *a = find_locked(ns, uid);
        spin_unlock(&ns->accounts_lock);
        if (a)
                return a;
        struct account *new = account_alloc(NULL, MAY_RECLAIM);
        if (!new)
                return NULL;
        new->uid = uid;
        spin_lock(&ns->accounts_lock);
        a = find_locked(ns, uid);
        if (!a) {
                new->ns = pid_ns_hold(ns);
                new->next = ns->accounts[uid % ACCOUNT_HEADS];
                ns->accounts[uid % ACCOUNT_HEADS] = new;
                account_publish(new);
        }
        spin_unlock(&ns->accounts_lock);
        if (!a)
                return new;
        account_drop(new);
        return a;
}

bool process_may_trace(struct process *p, bool real)
{
        struct thread *self = thread_current();

        if (p == self->process)
                return true;
        struct cred *its = thread_cred(PTR_LOAD(p->leader));
        bool may = its && cred_may_ptrace(self->cred, its, real) && (p->dumpable == DUMP_USER || capable(CAP_SYS_PTRACE));
        cred_drop(its);
        return may;
}

struct cred *thread_cred(struct thread *t)
{
        for (;;) {
                struct cred *c = PTR_LOAD(t->cred);
                if (!c)
                        return NULL;            /* t is dead and gone: a stale pointer */
                if (cred_try_hold(c)) {
                        if (PTR_LOAD(t->cred) == c)
                                return c;
                        cred_drop(c);
                }
                cpu_relax();
        }
}

/* Do others learn more by looking into who has `new` than into who had `old`? */
static bool gains(const struct cred *old, const struct cred *new)
{
        return new->euid != old->euid || new->egid != old->egid || new->fsuid != old->fsuid || new->fsgid != old->fsgid ||
               (new->cap_permitted & ~old->cap_permitted) != 0;
}

void thread_set_cred(struct cred *cred)
{
        struct thread *t = thread_current();
        struct process *p = t->process;
        struct cred *old = t->cred;
        struct account *account = NULL, *old_account = NULL;

        /* Without memory the thread stays on its old user's account. */
        if (cred->uid != old->uid)
                account = account_get(ns_of(p), cred->uid);
        u8 suid_dumpable = (u8)process_core_settings(p).suid_dumpable;
        spin_lock(&p->lock);
        if (gains(old, cred)) {
                p->dumpable = suid_dumpable;
                STORE(t->pdeath_signal, 0u);
        }
        PTR_STORE(t->cred, cred);
        if (account) {
                old_account = t->account;
                t->account = account;
                FETCH_ADD(account->threads, 1ul);
                FETCH_SUB(old_account->threads, 1ul);
        }
        spin_unlock(&p->lock);
        cred_drop(old);
        account_drop(old_account);
}

bool capable(u32 cap) { return cred_has(cred_current(), cap); }
