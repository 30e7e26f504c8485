/* SPDX-License-Identifier: Apache-2.0
 *
 * Locks with all their checks and the order of their classes; waiting, timers; tasks.
 */
#include "tests/host/frame/host_impl.h"

u64  host_now = 1000 * NSEC_PER_SEC;
void (*host_on_sleep)(void);
bool host_hang_is_signal;

/* ---- what is held, and in which order ---- */

enum kind { SPIN = 1, MUTEX, READ, WRITE };
static struct { const void *lock; enum kind kind; u32 class; } held[MAX_HELD];
static u32 n_held, preempt_off;

#define CLASSES 256
static const struct lock_class *classes[CLASSES];
static u32 n_classes = 1;

static u16 class_id(const struct lock_class *c)
{
        for (u32 i = 1; i < n_classes; i++)
                if (classes[i] == c)
                        return (u16)i;
        CHECK(n_classes < CLASSES);
        classes[n_classes] = c;
        return (u16)n_classes++;
}

static bool declared(const struct lock_class *outer, const struct lock_class *inner, u32 depth)
{
        if (!depth && inner->leaf_k && !outer->leaf_k)
                return true;
        for (u32 i = 0; i < ARRAY_SIZE(inner->after_k) && inner->after_k[i]; i++)
                if (inner->after_k[i] == outer || (depth < 16 && inner->after_k[i] != inner && declared(outer, inner->after_k[i], depth + 1)))
                        return true;
        return false;
}

static void stop(const char *what, const char *a, const char *b)
{
        static char text[200];
        snprintf(text, sizeof text, "%s (%s, %s)", what, a, b);
        host_fail("lock", 0, text);
}

static const char *name_of(u32 class) { return class ? classes[class]->name_k : "no class"; }

static void taken(const void *lock, enum kind kind, u32 class, bool waits)
{
        CHECK(class < n_classes);
        for (u32 i = 0; i < n_held; i++) {
                if (held[i].lock == lock)
                        stop("taken while held", name_of(class), "");
                bool spin_in_sleeping = kind == SPIN && held[i].kind != SPIN;
                if (waits && class && held[i].class && !spin_in_sleeping && !declared(classes[held[i].class], classes[class], 0))
                        stop("order not declared", name_of(held[i].class), name_of(class));
        }
        if (n_held == MAX_HELD)
                stop("too many locks held", name_of(class), "");
        held[n_held].lock = lock;
        held[n_held].kind = kind;
        held[n_held++].class = class;
}
static void released(const void *lock, enum kind kind, u32 class)
{
        for (u32 i = n_held; i-- > 0;)
                if (held[i].lock == lock && held[i].kind == kind) {
                        memmove(&held[i], &held[i + 1], (n_held - i - 1) * sizeof held[0]);
                        n_held--;
                        return;
                }
        stop("let go of and not held", name_of(class), "");
}
static bool is_held(const void *lock)
{
        for (u32 i = 0; i < n_held; i++)
                if (held[i].lock == lock)
                        return true;
        return false;
}
u32 host_held(void) { return n_held; }

void host_may_sleep(void)
{
        for (u32 i = 0; i < n_held; i++)
                if (held[i].kind == SPIN)
                        stop("may sleep with a spin lock held", name_of(held[i].class), "");
        if (preempt_off)
                stop("may sleep with preemption off", "", "");
}
void assert_may_sleep(void) { host_may_sleep(); }
void preempt_disable(void)  { preempt_off++; }
void preempt_enable(void)   { CHECK(preempt_off); preempt_off--; }

void k_spin_init(struct spinlock *l, const struct lock_class *c)  { *l = (struct spinlock){ .class_k = class_id(c) }; }
void k_mutex_init(struct mutex *l, const struct lock_class *c)    { *l = (struct mutex){ .class_k = class_id(c) }; }
void k_rw_init(struct rwlock *l, const struct lock_class *c)      { *l = (struct rwlock){ .class_k = class_id(c) }; }

void spin_lock(struct spinlock *l)    { taken(l, SPIN, l->class_k, true); CHECK(!l->word_k); l->word_k = 1; preempt_off++; }
bool spin_trylock(struct spinlock *l) { if (l->word_k) return false; taken(l, SPIN, l->class_k, false); l->word_k = 1; preempt_off++; return true; }
void spin_unlock(struct spinlock *l)  { released(l, SPIN, l->class_k); CHECK(l->word_k); l->word_k = 0; preempt_enable(); }

void  mutex_lock(struct mutex *l)     { host_may_sleep(); taken(l, MUTEX, l->class_k, true); CHECK(!l->owner_k); l->owner_k = 1; }
err_t mutex_lock_killable(struct mutex *l) { if (host_interrupts() & INTR_KILL) return ERR(EINTR); mutex_lock(l); return OK; }
void  mutex_unlock(struct mutex *l)   { released(l, MUTEX, l->class_k); CHECK(l->owner_k); l->owner_k = 0; }

void read_lock(struct rwlock *l)      { host_may_sleep(); taken(l, READ, l->class_k, true); CHECK(!l->writer_k); l->word_k++; }
void read_unlock(struct rwlock *l)    { released(l, READ, l->class_k); CHECK(l->word_k); l->word_k--; }
void write_lock(struct rwlock *l)     { host_may_sleep(); taken(l, WRITE, l->class_k, true); CHECK(!l->writer_k && !l->word_k); l->writer_k = 1; }
void write_unlock(struct rwlock *l)   { released(l, WRITE, l->class_k); CHECK(l->writer_k); l->writer_k = 0; }

/* ---- entries that services name by index and generation ---- */

struct entry { u32 gen; bool used; };
static u32 next_gen = 1;

/* ---- waiters and notifiers ---- */

#define WAITERS 4096
#define QUEUES  64
static struct waiter_state {
        struct entry e;
        struct notifier *notifier;              /* NULL: the task's */
        void (*fn)(struct notifier *);
        bool woken, nomem;
        u32  n;
        struct { struct waitq *q; bool exclusive; } on[QUEUES];
} waiters[WAITERS];
static u32 live_waiters;

static struct waiter_state *waiter_state(const struct waiter *w)
{
        CHECK(w->index_k >= 1 && w->index_k <= WAITERS && waiters[w->index_k - 1].e.used && waiters[w->index_k - 1].e.gen == w->gen_k);
        return &waiters[w->index_k - 1];
}
static struct waiter begin(void)
{
        for (u32 i = 0; i < WAITERS; i++)
                if (!waiters[i].e.used) {
                        waiters[i] = (struct waiter_state){ .e = { next_gen++, true } };
                        return (struct waiter){ i + 1, waiters[i].e.gen };
                }
        host_fail("waiter", 0, "too many waiters");
}
struct waiter k_waiter_begin(void) { host_may_sleep(); live_waiters++; return begin(); }
void k_waiter_end(struct waiter *w) { waiter_state(w)->e.used = false; live_waiters--; }

static void add(struct waiter *w, struct waitq *q, bool exclusive)
{
        if (!w)
                return;
        struct waiter_state *s = waiter_state(w);
        q->waiters_k = 1;
        if (s->n == QUEUES || host_alloc_fails()) {
                s->nomem = true;
                return;
        }
        s->on[s->n].q = q;
        s->on[s->n++].exclusive = exclusive;
}
void k_waiter_add(struct waiter *w, struct waitq *q)         { add(w, q, false); }
void waiter_add_exclusive(struct waiter *w, struct waitq *q) { add(w, q, true); }

static u32 wake(struct waitq *q, bool all)
{
        u32 n = 0;
        bool spent = false;
        if (!q->waiters_k)
                return 0;
        for (u32 i = 0; i < WAITERS; i++) {
                struct waiter_state *s = &waiters[i];
                for (u32 k = 0; s->e.used && k < s->n; k++) {
                        if (s->on[k].q != q || (s->on[k].exclusive && spent && !all))
                                continue;
                        spent |= s->on[k].exclusive;
                        s->woken = true;
                        n++;
                        if (s->notifier) {
                                preempt_off++;
                                s->fn(s->notifier);
                                preempt_off--;
                        }
                        break;
                }
        }
        if (!n)
                q->waiters_k = 0;
        return n;
}
u32 waitq_wake_one(struct waitq *q) { return wake(q, false); }
u32 waitq_wake_all(struct waitq *q) { return wake(q, true); }

err_t notifier_init(struct notifier *n, void (*fn)(struct notifier *))
{
        if (host_alloc_fails())
                return ERR(ENOMEM);
        struct waiter w = begin();
        waiters[w.index_k - 1].notifier = n;
        waiters[w.index_k - 1].fn = fn;
        *n = (struct notifier){ w.index_k, w.gen_k };
        host_live_others++;
        return OK;
}
struct waiter notifier_waiter(struct notifier *n) { return (struct waiter){ n->index_k, n->gen_k }; }
struct waiter notifier_waiter_alone(struct notifier *n) { return notifier_waiter(n); }
void notifier_fini(struct notifier *n)
{
        if (!n->index_k)
                return;
        waiter_state(&(struct waiter){ n->index_k, n->gen_k })->e.used = false;
        *n = (struct notifier){};
        host_live_others--;
}

/* ---- sleeping ---- */

static u32 interrupts;
u32  host_interrupts(void)      { return interrupts; }
void host_interrupt(u32 why)    { interrupts |= why; }
u32  task_interrupts(void)      { return interrupts; }
void task_clear_interrupts(u32 mask) { interrupts &= ~mask; }

/* One round of everybody else.  False: nobody had anything to do. */
static bool others(u64 deadline)
{
        static u32 depth;
        if (host_on_sleep && depth == 0) {
                u32 n = n_held;
                depth++;
                void (*play)(void) = host_on_sleep;
                play();
                depth--;
                CHECK(n == n_held);
        }
        return host_run_timers(deadline);
}

static err_t sleep(struct waiter_state *s, enum wait_mode mode, u64 deadline)
{
        host_may_sleep();
        for (u32 rounds = 0;; rounds++) {
                if (s && s->woken) {
                        s->woken = false;
                        return OK;
                }
                if ((mode == WAIT_INTERRUPTIBLE && interrupts) || (mode == WAIT_KILLABLE && (interrupts & INTR_KILL)))
                        return ERR(EINTR);
                if (host_now >= deadline)
                        return ERR(ETIMEDOUT);
                if (others(deadline) || (s && s->woken))
                        continue;
                if ((mode == WAIT_INTERRUPTIBLE && interrupts) || (mode == WAIT_KILLABLE && (interrupts & INTR_KILL)))
                        continue;
                if (deadline != NEVER)
                        host_now = deadline;
                else if (host_hang_is_signal && mode != WAIT_UNINTERRUPTIBLE)
                        interrupts |= INTR_SIGNAL | INTR_KILL;
                else if (rounds > 1000 || !host_on_sleep)
                        host_fail("sleep", 0, "nobody would ever wake this sleeper");
        }
}

err_t waiter_sleep(struct waiter *w, enum wait_mode mode, u64 deadline)
{
        struct waiter_state *s = waiter_state(w);
        if (s->nomem) {
                s->nomem = false;
                return ERR(ENOMEM);
        }
        return sleep(s, mode, deadline);
}
err_t sleep_until(u64 deadline, enum wait_mode mode)
{
        err_t err = sleep(NULL, mode, deadline);
        return err_is(err, ETIMEDOUT) ? OK : err;
}
err_t waitq_sleep(struct waitq *q, struct mutex *m, enum wait_mode mode, u64 deadline)
{
        WAITER(w);
        waiter_add(&w, q);
        mutex_unlock(m);
        err_t err = waiter_sleep(&w, mode, deadline);
        mutex_lock(m);
        return err;
}
err_t waitq_sleep_spin(struct waitq *q, struct spinlock *l, enum wait_mode mode, u64 deadline)
{
        CHECK(is_held(l) && preempt_off == 1);
        spin_unlock(l);
        err_t err;
        {
                WAITER(w);
                waiter_add(&w, q);
                err = waiter_sleep(&w, mode, deadline);
        }
        spin_lock(l);
        return err;
}

void host_at_rest(void)
{
        if (n_held)
                stop("still held", name_of(held[0].class), "");
        CHECK(preempt_off == 0 && live_waiters == 0);
}

/* ---- timers ---- */

#define TIMERS 4096
static struct { struct entry e; struct timer *t; void (*fn)(struct timer *); u64 deadline; } timers[TIMERS];

static u32 timer_at(const struct timer *t)
{
        CHECK(t->index_k >= 1 && t->index_k <= TIMERS);
        CHECK(timers[t->index_k - 1].e.used && timers[t->index_k - 1].e.gen == t->gen_k && timers[t->index_k - 1].t == t);
        return t->index_k - 1;
}
err_t timer_init(struct timer *t, void (*fn)(struct timer *))
{
        if (host_alloc_fails())
                return ERR(ENOMEM);
        for (u32 i = 0; i < TIMERS; i++)
                if (!timers[i].e.used) {
                        timers[i].e = (struct entry){ next_gen++, true };
                        timers[i].t = t;
                        timers[i].fn = fn;
                        timers[i].deadline = NEVER;
                        *t = (struct timer){ i + 1, timers[i].e.gen };
                        host_live_others++;
                        return OK;
                }
        return ERR(ENOMEM);
}
void timer_arm(struct timer *t, u64 deadline) { timers[timer_at(t)].deadline = deadline; }
void timer_fini(struct timer *t)
{
        if (!t->index_k)
                return;
        timers[timer_at(t)].e.used = false;
        *t = (struct timer){};
        host_live_others--;
}
bool host_run_timers(u64 until)
{
        u32 best = TIMERS;
        for (u32 i = 0; i < TIMERS; i++)
                if (timers[i].e.used && timers[i].deadline <= until && timers[i].deadline != NEVER && (best == TIMERS || timers[i].deadline < timers[best].deadline))
                        best = i;
        if (best == TIMERS)
                return false;
        host_now = max_u64(host_now, timers[best].deadline);
        timers[best].deadline = NEVER;
        u32 n = n_held, off = preempt_off++;
        timers[best].fn(timers[best].t);
        preempt_off--;
        CHECK(n == n_held && off == preempt_off);
        return true;
}

void host_settle(void)
{
        while (host_run_timers(host_now))
                ;
}

u64 time_now(void)    { return host_now; }
u64 time_coarse(void) { return host_now; }
u64 rtc_read(void)    { return 1700000000; }
struct clock_params clock_params(void) { return (struct clock_params){ .mult = 1 << 20, .shift = 20, .user_readable = true }; }

/* ---- tasks: there is one, and those that never run ---- */

OBJECT(task) { struct task_body *body; };
static void task_done(struct task *t) { k_drop(t->body); }
POOL_DEFINE(task, task_done);
static struct task_body *current;
static bool exiting;

void host_become(struct task_body *b) { current = b; exiting = false; }
struct task_body *task_current(void)  { CHECK(current); return current; }
static bool task_is_current(struct task *t) { return current && current->task == t; }
void task_set_urgent(struct task *t, bool urgent) { (void)t; (void)urgent; }
static struct task *new_task(struct task_body *body, struct payer *payer)
{
        struct task *t = k_pool_alloc(&k_pool_task, payer, MAY_RECLAIM);
        if (!t)
                return NULL;
        k_hold(body);
        t->body = body;
        body->task = t;
        return t;
}
struct task *task_new_user(struct task_body *b, const struct user_ops *ops, struct payer *p, bool fpu)  { (void)ops, (void)fpu; return new_task(b, p); }
struct task *task_new_kernel(struct task_body *b, const struct kthread_ops *ops, struct payer *p)      { (void)ops; return new_task(b, p); }
void task_start(struct task *t)       { (void)t; }
void task_discard(struct task *t)     { k_drop(t); }
void task_kick(struct task *t)        { (void)t; }
u32  task_fail_nth(u32 n)             { (void)n; return 0; }
u32  task_failed_sites(void)          { return 0; }
void task_exit(void)                  { exiting = true; }
void task_set_ops(struct task *t, const struct user_ops *ops) { (void)t, (void)ops; }
void task_set_name(struct task *t, bytes name) { (void)t, (void)name; }
void task_interrupt(struct task *t, enum intr why) { if (task_is_current(t)) interrupts |= why; }
void cpu_barrier(void) {}
void task_notify(struct task *t)      { (void)t; }
struct task_times task_times(struct task *t) { (void)t; return (struct task_times){ .start = 0 }; }
u64  task_switches(struct task *t, bool v)   { (void)t, (void)v; return 0; }
u32  task_cpu(struct task *t)         { (void)t; return 0; }
u32  cpu_id(void)                     { return 0; }
u32  cpu_count(void)                  { return 1; }
void task_yield(void)                 { host_may_sleep(); host_settle(); }
enum task_state task_state(struct task *t) { return task_is_current(t) ? TASK_RUNNING : TASK_RUNNABLE; }
bool task_sleeps_interruptibly(struct task *t) { (void)t; return false; }
void sched_register(const struct sched_ops *ops) { (void)ops; }
void sched_resched(u32 cpu)           { (void)cpu; }
u64  cpu_counter(u32 cpu, enum cpu_counter which) { (void)cpu; (void)which; return 0; }
u64  cpu_idle_time(u32 cpu)           { (void)cpu; return 0; }
void cpu_relax(void)                  { }
