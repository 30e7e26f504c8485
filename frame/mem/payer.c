/* SPDX-License-Identifier: Apache-2.0
 *
 * Payers: who is charged for memory.  A charge goes to the payer and all its parents.  Each CPU
 * keeps a stock of charged but unused bytes for a few payers, so that the usual charge touches
 * nothing shared; a payer near its limit has no stock.
 *
 * Lifetime   A payer lives while it is held or has used > 0 (which holds one reference), so what
 *            was charged to it may keep a plain pointer.  A child holds its parent.  Services' holds are
 *            counted apart and are one reference together: however often they drop, what tasks,
 *            spaces and charges rely on is still there.
 * Invariants O5  used = what objects and frames were charged + the stocks; stock[i].bytes > 0
 *                only for a living payer
 */
#include "impl.h"

static void payer_fini(struct payer *p) { k_drop(p->parent); }
POOL_DEFINE(payer, payer_fini);

struct payer *payer_new(struct payer *parent, u64 limit)
{
        if (parent)
                k_hold(parent);
        struct payer *p = k_pool_alloc(&k_pool_payer, NULL, MAY_RECLAIM);

        if (!p) {
                k_drop(parent);
                return NULL;
        }
        p->parent = parent;
        p->limit = limit;
        p->holds = 1;
        k_publish(p);
        return p;
}

/* Moves the services' count, which is not 0; the count before. */
static u32 holds_add(struct payer *p, u32 n)
{
        u32 old = LOAD_RELAXED(p->holds);

        do
                k_range(old != 0 && old < K_SATURATED);
        while (!__atomic_compare_exchange_n(&p->holds, &old, old + n, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
        return old;
}

struct payer *payer_hold(struct payer *p)
{
        holds_add(p, 1);
        return p;
}

void payer_drop(struct payer *p)
{
        if (p && holds_add(p, -1u) == 1)
                k_drop(p);
}

/* The caller knows that p lives: it is held, or the bytes are part of its used. */
static void chain_sub(struct payer *p, u64 bytes)
{
        for (struct payer *q = p->parent; q; q = q->parent)
                FETCH_SUB(q->used, bytes);
        if (FETCH_SUB(p->used, bytes) == bytes)
                k_drop(p);              /* the reference of used > 0 */
}

/* p is held by the caller. */
static bool chain_add(struct payer *p, u64 bytes)
{
        for (struct payer *q = p; q; q = q->parent) {
                u64 old = FETCH_ADD(q->used, bytes);

                if (q == p && old == 0)
                        k_hold(p);
                if (old + bytes > q->limit) {
                        for (struct payer *r = p->parent; r && q != p; r = r->parent) {
                                FETCH_SUB(r->used, bytes);
                                if (r == q)
                                        break;
                        }
                        if (FETCH_SUB(p->used, bytes) == bytes)
                                k_drop(p);
                        return false;
                }
        }
        return true;
}

static bool far_from_limits(struct payer *p)
{
        for (struct payer *q = p; q; q = q->parent) {
                u64 used = LOAD_RELAXED(q->used);

                if (used > q->limit || q->limit - used < 64ul * STOCK_MAX)
                        return false;
        }
        return true;
}

bool payer_take_slow(struct payer *p, u64 bytes)
{
        struct stock evicted = { 0 };

        k_hold(p);                      /* traps on a dead payer, before anything changed */
        bool stocked = far_from_limits(p), ok = chain_add(p, stocked ? bytes + STOCK_MAX : bytes);

        if (ok && stocked) {
                section_enter();
                struct stock *st = stock_at(mem_cpu(), p);

                if (st->payer != p) {
                        evicted = *st;
                        *st = (struct stock){ p, 0 };
                }
                st->bytes += STOCK_MAX;
                section_leave();
        }
        if (evicted.bytes > 0)
                chain_sub(evicted.payer, (u64)evicted.bytes);
        k_drop(p);
        return ok;
}

/* Asked by everything that allocates, but for what comes from a CPU's cache in release builds. */
#ifdef KEEL_DEBUG
static u64 sites[1 << 14];              /* hashes of the call stacks that have failed; 0: free */
static u32 failed_sites;                /* atomic */

static bool is_new_site(struct task *t)
{
        u64 *fp = __builtin_frame_address(0), hash = 1;

        /* SAFETY: K4: the links of frames on the task's own stack. */
        for (u32 i = 0; i < 12 && (u64)fp > t->stack_low && (u64)fp < t->stack_top - 16; fp = (u64 *)fp[0], i++)
                hash = (hash ^ fp[1]) * 0x9e3779b97f4a7c15ul;
        for (u32 i = 0; i < 16; i++) {
                u64 *site = &sites[((hash >> 40) + i) % (sizeof sites / sizeof sites[0])], was = 0;

                if (__atomic_compare_exchange_n(site, &was, hash, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
                        __atomic_fetch_add(&failed_sites, 1, __ATOMIC_RELAXED);
                        return true;
                }
                if (was == hash)
                        break;
        }
        return false;
}

u32 task_failed_sites(void) { return __atomic_load_n(&failed_sites, __ATOMIC_RELAXED); }

static bool fault_injected(struct task *t)
{
        if (!t || !t->fail_nth || preempt_count() >= PREEMPT_BH)
                return false;
        return t->fail_nth == FAIL_EACH_SITE ? is_new_site(t) : --t->fail_nth == 0;
}
#else
u32 task_failed_sites(void) { return 0; }
static inline bool fault_injected(struct task *t) { return t && t->fail_nth && preempt_count() < PREEMPT_BH && --t->fail_nth == 0; }
#endif

bool payer_charge(struct payer *p, u64 bytes)
{
        bool fails = fault_injected(current_task());
        if (fails || !p)
                return !fails;
        section_enter();
        struct stock *st = stock_with(mem_cpu(), p, bytes);

        if (st)
                st->bytes -= (i64)bytes;
        section_leave();
        return st || payer_take_slow(p, bytes);
}

/* What does not fit into a stock, or has none, goes all the way. */
noinline void payer_uncharge_slow(struct payer *p, u64 bytes)
{
        section_enter();
        struct stock *st = stock_with(mem_cpu(), p, STOCK_MAX);

        if (st) {                       /* too full: down to one measure */
                bytes += (u64)st->bytes - STOCK_MAX;
                st->bytes = STOCK_MAX;
        }
        section_leave();
        chain_sub(p, bytes);
}

void payer_uncharge(struct payer *p, u64 bytes)
{
        if (!p || !bytes)
                return;
        section_enter();
        bool done = stock_return(mem_cpu(), p, bytes);
        section_leave();
        if (!done)
                payer_uncharge_slow(p, bytes);
}
