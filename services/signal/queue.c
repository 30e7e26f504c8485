/* SPDX-License-Identifier: Apache-2.0
 *
 * Pending signals: a mask says which, a queue behind it with what.
 *
 * One standard signal needs no memory: it stands in the sigpending itself.
 * A standard signal is pending once (send.c sees to it); a real-time signal as often as it was sent, up to
 * RLIMIT_SIGPENDING of its receiver's user.  A standard signal that finds no memory or
 * limit for its siginfo is still pending, as one from nobody.
 */
#include "services/signal/signal_impl.h"
#include "abi/const/process.h"

static void sigqueued_fini(struct sigqueued *q)
{
        if (q->account)
                FETCH_SUB(q->account->signals, 1ul);
        account_drop(q->account);
}
POOL_DEFINE(sigqueued, sigqueued_fini);

/* NULL: over the limit, or no memory. */
static struct sigqueued *new_entry(struct thread *t, bool over_limit)
{
        struct account *account = t->account;
        u64 limit = LOAD(t->process->rlimit[RLIMIT_SIGPENDING].cur);

        if (LOAD(account->signals) >= limit && !over_limit)
                return NULL;
        struct sigqueued *q = sigqueued_alloc(t->payer, NOWAIT);
        if (!q)
                return NULL;
        q->account = account_hold(account);
        FETCH_ADD(account->signals, 1ul);
        return q;
}

static void append_locked(struct sigpending *pending, struct sigqueued *q)
{
        if (pending->last)
                pending->last->next = q;
        else
                pending->first = q;
        pending->last = q;
}

err_t queue_add_locked(struct thread *t, struct sigpending *pending, const struct siginfo *info)
{
        u32 sig = info->signo;
        bool standard = sig < SIGRTMIN;

        if (standard && !pending->one.signo && info->code >= 0 && sig != SIGKILL) {
                pending->one = *info;
                STORE(pending->mask, pending->mask | BIT(sig));
                return OK;
        }
        /* Nobody has a question about a kill. */
        struct sigqueued *q = sig == SIGKILL ? NULL : new_entry(t, standard && info->code >= 0);
        if (!q && !standard && info->code != SI_USER)
                return ERR(EAGAIN);
        if (q) {
                q->info = *info;
                append_locked(pending, q);
        }
        STORE(pending->mask, pending->mask | BIT(sig));
        return OK;
}

void queue_add_timer_locked(struct sigpending *pending, struct sigqueued *q)
{
        q->queued = true;
        append_locked(pending, sigqueued_hold(q));
        STORE(pending->mask, pending->mask | BIT(q->info.signo));
}

/* ---- The signals of timers ---- */

struct sigqueued *signal_timer_new(struct thread *t) { return new_entry(t, false); }
void signal_timer_drop(struct sigqueued *q) { sigqueued_drop(q); }

void signal_timer_begin_locked(struct sigqueued *q, struct ptimer *timer, struct siginfo info)
{
        q->info = info;
        q->timer = timer;
}

void signal_timer_end_locked(struct sigqueued *q)
{
        if (q)
                q->timer = NULL;
}

/* ---- Taking ---- */

/* Unlinks q, which follows before (NULL: is first). */
static void unlink_locked(struct sigpending *pending, struct sigqueued *before, struct sigqueued *q)
{
        if (before)
                before->next = q->next;
        else
                pending->first = q->next;
        if (pending->last == q)
                pending->last = before;
        q->next = NULL;
        q->queued = false;
}

static bool any_behind(struct sigqueued *q, u32 sig)
{
        while (q && q->info.signo != sig)
                q = q->next;
        return q != NULL;
}

static void take_locked(struct process *p, struct sigpending *pending, u32 sig, struct siginfo *info)
{
        struct sigqueued *before = NULL, *q = pending->first;
        bool more;

        if (pending->one.signo == sig) {        /* the first of its number: others can only be timers' */
                *info = pending->one;
                pending->one.signo = 0;
                more = any_behind(q, sig);
        } else {
                while (q && q->info.signo != sig) {
                        before = q;
                        q = q->next;
                }
                *info = (struct siginfo){ .signo = sig, .code = SI_USER };
                more = q && any_behind(q->next, sig);
                if (q) {
                        *info = q->info;
                        unlink_locked(pending, before, q);
                        if (q->timer)
                                process_ops_of(p)->timer_taken(q->timer, info);
                        sigqueued_drop(q);
                }
        }
        if (!more)
                STORE(pending->mask, pending->mask & ~BIT(sig));
}

u32 queue_take_locked(struct thread *t, u64 set, struct siginfo *info)
{
        struct process *p = t->process;
        u64 own = t->pending.mask & set, shared = p->pending.mask & set;

        if ((own | shared) & SYNCHRONOUS) {
                own &= own & SYNCHRONOUS ? SYNCHRONOUS : ~0ul;
                shared &= shared & SYNCHRONOUS ? SYNCHRONOUS : ~0ul;
        }
        if (!own && !shared)
                return 0;
        u32 sig = bit_lowest(own ? own : shared) + 1;
        take_locked(p, own ? &t->pending : &p->pending, sig, info);
        return sig;
}

void queue_remove_locked(struct sigpending *pending, u64 set)
{
        struct sigqueued *before = NULL, *q = pending->first;

        if (!(pending->mask & set))
                return;
        STORE(pending->mask, pending->mask & ~set);
        if (pending->one.signo && sig_in(set, pending->one.signo))
                pending->one.signo = 0;
        while (q) {
                struct sigqueued *next = q->next;
                if (sig_in(set, q->info.signo)) {
                        unlink_locked(pending, before, q);
                        sigqueued_drop(q);
                } else {
                        before = q;
                }
                q = next;
        }
}

void queue_remove_all_locked(struct process *p, u64 set)
{
        queue_remove_locked(&p->pending, set);
        for (struct thread *t = p->threads; t; t = t->next)
                queue_remove_locked(&t->pending, set);
}

void signal_flush_thread(struct thread *t)   { queue_remove_locked(&t->pending, ~0ul); }
void signal_flush_process(struct process *p) { queue_remove_locked(&p->pending, ~0ul); }
