/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers of threads and processes.  See pid.h.
 *
 * The table is an array of pages by number: a slot names the pid, a bit says that the
 * number is taken.  Pages are made when first used and stay until the namespace goes, so
 * a finder walks it without a lock: what a slot names is try_held, then asked whether it
 * still is this number of this namespace.
 *
 * Invariants P1  used bit set  <=>  a pid with this number that is not retired exists, or is being made
 *            P2  a slot names a published pid with this number, or NULL
 */
#include "services/process/pidfd.h"
#include "services/process/process_impl.h"

LOCK_CLASS_DECLARE(io_owner);            /* vfs/async.c: signals are sent under it */
LOCK_CLASS(tree, AFTER(io_owner));
LOCK_CLASS(process, AFTER(tree));
LOCK_CLASS(cpu_timers, AFTER2(tree, process));
LOCK_CLASS(pid_table, AFTER2(tree, process));
LOCK_CLASS(account, AFTER2(tree, process));

static void pid_ns_fini(struct pid_ns *ns)
{
        for (u32 i = 0; i < PID_PAGES; i++)
                pid_page_drop(ns->page[i]);
}
POOL_DEFINE(pid_ns, pid_ns_fini);
POOL_DEFINE(pid_page, NO_FINI);

/* Half of what memory would carry: a thread takes a 16 KiB stack and as much again of objects and tables. */
static u32 default_max_threads(void)
{
        u64 n = mem_stats().total * PAGE_SIZE / (128 * 1024);
        return (u32)max_u64(64, min_u64(n, PID_MAX_LIMIT / 2));
}

struct pid_ns *pid_ns_new(struct payer *payer)
{
        struct pid_ns *ns = pid_ns_alloc(payer, MAY_RECLAIM);
        if (!ns)
                return NULL;
        lock_init(&ns->tree, tree);
        lock_init(&ns->lock, pid_table);
        lock_init(&ns->accounts_lock, account);
        ns->inum = NS_INUM_PID;
        ns->max = PID_MAX_DEFAULT;
        ns->max_threads = default_max_threads();
        mbytes_copy(MBYTES_OF(ns->core_pattern), STR("core"));
        pid_ns_publish(ns);
        return ns;
}

u64 pid_ns_inum(struct pid_ns *ns)              { return ns->inum; }
u32 pid_ns_threads(struct pid_ns *ns)           { return LOAD(ns->threads); }
u64 pid_ns_forks(struct pid_ns *ns)             { return LOAD(ns->forks); }
u32 pid_ns_last(struct pid_ns *ns)              { return LOAD(ns->last); }
u32 pid_ns_max(struct pid_ns *ns)               { return LOAD(ns->max); }
u32 pid_ns_max_threads(struct pid_ns *ns)       { return LOAD(ns->max_threads); }
void pid_ns_set_max_threads(struct pid_ns *ns, u32 max) { STORE(ns->max_threads, max); }
void tree_lock(struct pid_ns *ns)               { spin_lock(&ns->tree); }
void tree_unlock(struct pid_ns *ns)             { spin_unlock(&ns->tree); }
struct pid_ns *pid_ns_current(void)             { return thread_current()->ns->pid; }
void session_register(struct pid_ns *ns, const struct session_ops *ops) { ns->session_ops = ops; }

const struct process_ops *process_ops_of(struct process *p) { return ns_of(p)->ops; }

struct core_settings process_core_settings(struct process *p)
{
        return *core_settings_of(ns_of(p));
}

struct core_settings *core_settings_of(struct pid_ns *ns) { return &ns->core; }

void process_core_pattern(struct process *p, mbytes out)
{
        struct pid_ns *ns = ns_of(p);
        SPIN_GUARD(&ns->lock);
        mbytes_copy(out, BYTES_OF(ns->core_pattern));
}

u32 process_core_pipes(struct process *p, i32 change)
{
        return FETCH_ADD(ns_of(p)->core_pipes, (u32)change) + (u32)change;
}

void process_set_core_pattern(bytes pattern)
{
        struct pid_ns *ns = pid_ns_current();
        SPIN_GUARD(&ns->lock);
        mbytes_fill(MBYTES_OF(ns->core_pattern), 0);
        mbytes_copy(MBYTES_OF(ns->core_pattern), bytes_take(pattern, min_u64(bytes_len(pattern), CORE_PATTERN_LEN - 1)));
}

err_t pid_ns_set_max(struct pid_ns *ns, u32 max)
{
        if (max <= PID_RESERVED || max > PID_MAX_LIMIT)
                return ERR(EINVAL);
        STORE(ns->max, max);
        return OK;
}

/* ---- Giving numbers out ---- */

/* The first free number in [from, to), or 0.  A page that is not there has all its numbers free. */
static u32 first_free_locked(struct pid_ns *ns, u32 from, u32 to)
{
        while (from < to) {
                struct pid_page *page = ns->page[from / PIDS_PER_PAGE];
                if (!page)
                        return from;
                u64 free = ~page->used[from % PIDS_PER_PAGE / 64] & ~0ul << (from & 63);
                if (free) {
                        u32 nr = (from & ~63u) + bit_lowest(free);
                        return nr < to ? nr : 0;
                }
                from = (from | 63) + 1;
        }
        return 0;
}

static u32 next_number_locked(struct pid_ns *ns)
{
        u32 nr = first_free_locked(ns, ns->last + 1, ns->max);
        return nr ? nr : first_free_locked(ns, PID_RESERVED, min_u32(ns->last + 1, ns->max));
}

static void take_number_locked(struct pid_ns *ns, struct pid *p, u32 nr)
{
        struct pid_page *page = ns->page[nr / PIDS_PER_PAGE];
        u32 i = nr % PIDS_PER_PAGE;

        page->used[i / 64] |= 1ul << (i & 63);
        ns->last = nr;
        p->nr = nr;
        pid_publish(p);
        PTR_STORE(page->slot[i], p);
}

static u32 free_number_locked(struct pid_ns *ns, u32 want)
{
        if (!want)
                return next_number_locked(ns);
        return first_free_locked(ns, want, want + 1);
}

struct pid_result pid_new(struct pid_ns *ns, struct payer *payer) { return pid_new_as(ns, payer, 0); }

struct pid_result pid_new_as(struct pid_ns *ns, struct payer *payer, u32 want)
{
        struct pid_page *spare = NULL;
        u32 nr = 0;

        if (want >= LOAD(ns->max))
                return (struct pid_result){ .err = ERR(EINVAL) };
        struct pid *p = pid_alloc(payer, MAY_RECLAIM);
        if (!p)
                return (struct pid_result){ .err = ERR(ENOMEM) };
        for (;;) {
                spin_lock(&ns->lock);
                nr = free_number_locked(ns, want);
                if (!nr)
                        break;
                if (!ns->page[nr / PIDS_PER_PAGE] && spare) {
                        PTR_STORE(ns->page[nr / PIDS_PER_PAGE], spare);
                        spare = NULL;
                }
                if (ns->page[nr / PIDS_PER_PAGE])
                        break;
                spin_unlock(&ns->lock);
                spare = pid_page_alloc(NULL, MAY_RECLAIM);
                if (!spare) {
                        pid_drop(p);
                        return (struct pid_result){ .err = ERR(ENOMEM) };
                }
        }
        if (nr) {
                u32 last = ns->last;
                p->ns = pid_ns_hold(ns);
                take_number_locked(ns, p, nr);
                if (want)
                        ns->last = last;                /* others go on where they were */
        }
        spin_unlock(&ns->lock);
        pid_page_drop(spare);
        if (nr)
                return (struct pid_result){ .p = p, .err = OK };
        pid_drop(p);
        return (struct pid_result){ .err = want ? ERR(EEXIST) : ERR(EAGAIN) };
}

static void free_number(struct pid *p)
{
        struct pid_ns *ns = p->ns;
        u32 i = p->nr % PIDS_PER_PAGE;

        if (!p->nr || p->retired)       /* the group of the first process has number 0, in no slot */
                return;
        p->retired = true;
        spin_lock(&ns->lock);
        struct pid_page *page = ns->page[p->nr / PIDS_PER_PAGE];
        PTR_STORE(page->slot[i], NULL);
        page->used[i / 64] &= ~(1ul << (i & 63));
        spin_unlock(&ns->lock);
}

void pid_retire_tree(struct pid *p)
{
        if (!p->thread && !p->process && !p->group && !p->session)
                free_number(p);
}

static void pid_fini(struct pid *p)
{
        if (!p->ns)
                return;
        free_number(p);                 /* one that never was anything's */
        pid_ns_drop(p->ns);
}
POOL_DEFINE(pid, pid_fini);

/* ---- Finding ---- */

struct pid *pid_find(struct pid_ns *ns, u32 nr)
{
        if (nr == 0 || nr >= PID_MAX_LIMIT)
                return NULL;
        struct pid_page *page = PTR_LOAD(ns->page[nr / PIDS_PER_PAGE]);
        if (!page)
                return NULL;
        struct pid *p = PTR_LOAD(page->slot[nr % PIDS_PER_PAGE]);
        if (!pid_try_hold(p))
                return NULL;
        if (p->nr == nr && p->ns == ns)
                return p;
        pid_drop(p);            /* the slot's pid died and became another's meanwhile: the number was free */
        return NULL;
}

/* A pid names its thread as long as that is not reaped: what is found, held, and still named is it. */
struct thread *thread_find(struct pid_ns *ns, u32 tid)
{
        struct pid *p = pid_find(ns, tid);
        if (!p)
                return NULL;
        struct thread *t = PTR_LOAD(p->thread);
        if (!thread_try_hold(t)) {
                t = NULL;
        } else if (PTR_LOAD(p->thread) != t) {
                thread_drop(t);
                t = NULL;
        }
        pid_drop(p);
        return t;
}

struct process *pid_process(struct pid *p)
{
        struct process *proc = PTR_LOAD(p->process);
        if (!process_try_hold(proc))
                return NULL;
        if (PTR_LOAD(p->process) == proc)
                return proc;
        process_drop(proc);
        return NULL;
}

struct process *process_find(struct pid_ns *ns, u32 tgid)
{
        struct pid *p = pid_find(ns, tgid);
        if (!p)
                return NULL;
        struct process *proc = pid_process(p);
        pid_drop(p);
        return proc;
}

/* The first number >= nr that is taken, or 0. */
static u32 next_used(struct pid_ns *ns, u32 nr)
{
        while (nr < PID_MAX_LIMIT) {
                struct pid_page *page = PTR_LOAD(ns->page[nr / PIDS_PER_PAGE]);
                if (!page) {
                        nr = (nr / PIDS_PER_PAGE + 1) * PIDS_PER_PAGE;
                        continue;
                }
                u64 used = LOAD(page->used[nr % PIDS_PER_PAGE / 64]) & ~0ul << (nr & 63);
                if (used)
                        return (nr & ~63u) + bit_lowest(used);
                nr = (nr | 63) + 1;
        }
        return 0;
}

struct process *process_next(struct pid_ns *ns, u32 nr)
{
        for (nr = next_used(ns, nr); nr; nr = next_used(ns, nr + 1)) {
                struct process *p = process_find(ns, nr);
                if (p)
                        return p;
        }
        return NULL;
}
