/* SPDX-License-Identifier: Apache-2.0
 *
 * The self-test of tasks, locks, waiting, timers and containment: a kernel whose
 * services_start() is this file.  Built by `make selftest`; each line "selftest: NAME ok"
 * stands for a test, and the last one says how many failed.
 */
#ifdef KEEL_SELFTEST
#pragma clang diagnostic ignored "-Wunused-function"
#pragma clang diagnostic ignored "-Winfinite-recursion"
#pragma clang diagnostic ignored "-Wcast-function-type-mismatch"
#include "task_impl.h"
#include "timer.h"
#include "bh.h"
#include "mem.h"

LOCK_CLASS(st_outer);
LOCK_CLASS(st_inner, AFTER(st_outer));

OBJECT(tester) {
        struct task_body base;
        void (*fn)(struct tester *self);
        void (*sys)(struct tester *self, struct user_regs *regs);
        u32 arg, done, restarted, started, calls, pendings, faults, died;
        u32 oops_in_died, vruntime;
        struct timer timer;
        struct notifier notifier;
        struct irq_handler irq;
        struct waitq wq;
        struct mutex m;
        struct spinlock s;
};
POOL_DECLARE(tester)
static u32 freed;
static void tester_fini(struct tester *t) { (void)t; __atomic_fetch_add(&freed, 1, __ATOMIC_RELAXED); }
POOL_DEFINE(tester, tester_fini);

static struct waitq changed;
static struct mutex outer, inner;
static struct spinlock spin;
static struct rwlock rw;
static u32 failures, tests;
static u64 shared;

static void check(const char *name, bool good)
{
        tests++;
        failures += !good;
        k_print(good ? "selftest: %s ok\n" : "selftest: %s FAILED\n", (u64)name, 0, 0);
}

/* True: it was free, and is held now. */
static bool take_free(struct mutex *m)
{
        if (m->owner_k)
                return false;
        mutex_lock(m);
        return true;
}

static void set(u32 *flag)
{
        __atomic_fetch_add(flag, 1, __ATOMIC_SEQ_CST);
        waitq_wake_all(&changed);
}

/* False: it did not come to `n` in ten seconds. */
static bool wait_for(u32 *flag, u32 n)
{
        u64 end = time_now() + 10 * NSEC_PER_SEC;
        WAITER(w);
        waiter_add(&w, &changed);
        while (__atomic_load_n(flag, __ATOMIC_SEQ_CST) < n)
                if (failed(waiter_sleep(&w, WAIT_UNINTERRUPTIBLE, end)))
                        return false;
        return true;
}

static u64 st_step(struct task_body *b)
{
        struct tester *t = (struct tester *)b;

        t->fn(t);
        set(&t->done);
        task_exit();
        return 0;
}
static void st_restart(struct task_body *b)
{
        set(&((struct tester *)b)->restarted);
        task_exit();
}
static const struct kthread_ops st_ops = { st_step, st_restart };

static struct tester *new_tester(void (*fn)(struct tester *), u32 arg)
{
        struct tester *t = tester_alloc(NULL, MAY_RECLAIM);

        if (!t)
                k_panic("selftest: no memory");
        t->fn = fn;
        t->arg = arg;
        tester_publish(t);
        return t;
}

static struct tester *spawn(void (*fn)(struct tester *), u32 arg)
{
        struct tester *t = new_tester(fn, arg);
        struct task *k = task_new_kernel(&t->base, &st_ops, NULL);

        if (!k)
                k_panic("selftest: no memory");
        task_set_name(k, STR("tester"));
        task_start(k);
        return t;
}

/* ---- tasks, locks, waiting ---- */

static bool ends(struct tester *t)
{
        for (u32 i = 0; i < 2000 && task_state(t->base.task) != TASK_ENDED; i++)
                ignore(sleep_until(time_now() + NSEC_PER_MSEC, WAIT_KILLABLE));
        return task_state(t->base.task) == TASK_ENDED;
}

static void count_under_mutex(struct tester *t)
{
        for (u32 i = 0; i < t->arg; i++) {
                GUARD(&inner);
                u64 v = shared;
                if (i % 16 == 0)
                        task_yield();
                shared = v + 1;
        }
}

static void count_under_spin(struct tester *t)
{
        for (u32 i = 0; i < t->arg; i++) {
                SPIN_GUARD(&spin);
                shared++;
        }
}

static void count_under_write(struct tester *t)
{
        for (u32 i = 0; i < t->arg; i++) {
                if (i % 4) {
                        READ_GUARD(&rw);
                        u64 v = *(volatile u64 *)&shared;
                        if (i % 8 == 1)
                                task_yield();
                        assert(v == *(volatile u64 *)&shared);
                } else {
                        write_lock(&rw);
                        u64 v = shared;
                        task_yield();
                        shared = v + 1;
                        write_unlock(&rw);
                }
        }
}

static void crowd(const char *name, void (*fn)(struct tester *), u32 threads, u32 each, u64 expect)
{
        struct tester *t[16];
        bool good = true;

        shared = 0;
        for (u32 i = 0; i < threads; i++)
                t[i] = spawn(fn, each);
        for (u32 i = 0; i < threads; i++) {
                good &= wait_for(&t[i]->done, 1);
                tester_drop(t[i]);
        }
        check(name, good && shared == expect);
}

static struct { struct waitq q[2]; struct spinlock lock; u32 turn; } pp;
static void ping_pong(struct tester *t)
{
        for (u32 i = 0; i < 2000; i++) {
                WAITER(w);
                waiter_add(&w, &pp.q[t->arg]);
                while (__atomic_load_n(&pp.turn, __ATOMIC_SEQ_CST) != t->arg)
                        ignore(waiter_sleep(&w, WAIT_UNINTERRUPTIBLE, NEVER));
                __atomic_store_n(&pp.turn, !t->arg, __ATOMIC_SEQ_CST);
                waitq_wake_one(&pp.q[!t->arg]);
        }
}

static struct waitq tickets;
static u32 ticket_count, tickets_taken;
static void take_tickets(struct tester *t)
{
        for (u32 i = 0; i < t->arg; i++) {
                WAITER(w);
                waiter_add_exclusive(&w, &tickets);
                for (;;) {
                        u32 n = __atomic_load_n(&ticket_count, __ATOMIC_SEQ_CST);
                        if (n && CMPXCHG(ticket_count, n, n - 1))
                                break;
                        if (!n)
                                ignore(waiter_sleep(&w, WAIT_UNINTERRUPTIBLE, NEVER));
                }
                set(&tickets_taken);
        }
}

static u32 order_seen[8], order_n;
static void timer_fn(struct timer *tm)
{
        struct tester *t = OWNER_OF(tester, timer, tm);
        order_seen[order_n++ % 8] = t->arg;
        set(&t->calls);
        if (t->arg == 7 && t->calls < 3)
                timer_arm(tm, time_now() + NSEC_PER_MSEC);
}

static struct waitq relay;
static void wait_exclusively(struct tester *t)
{
        WAITER(w);
        waiter_add_exclusive(&w, &relay);
        set(&t->started);
        ignore(waiter_sleep(&w, WAIT_UNINTERRUPTIBLE, NEVER));
}

static void test_waiting(void)
{
        struct tester *a = spawn(ping_pong, 0), *b = spawn(ping_pong, 1);
        check("ping-pong", wait_for(&a->done, 1) && wait_for(&b->done, 1));
        tester_drop(a);
        tester_drop(b);

        struct tester *t[6];
        for (u32 i = 0; i < 6; i++)
                t[i] = spawn(take_tickets, 500);
        for (u32 i = 0; i < 3000; i++) {
                FETCH_ADD(ticket_count, 1);
                waitq_wake_one(&tickets);
                if (i % 7 == 0)
                        task_yield();
        }
        bool good = true;
        for (u32 i = 0; i < 6; i++) {
                good &= wait_for(&t[i]->done, 1);
                tester_drop(t[i]);
        }
        check("exclusive wake-ups", good && tickets_taken == 3000 && ticket_count == 0);

        struct tester *second;
        {
                WAITER(first);
                waiter_add_exclusive(&first, &relay);
                second = spawn(wait_exclusively, 0);
                wait_for(&second->started, 1);
                waitq_wake_one(&relay);         /* it is first's, which ends without having slept on it */
                ignore(sleep_until(time_now() + 5 * NSEC_PER_MSEC, WAIT_KILLABLE));
                good = !second->done;
        }
        check("an exclusive wake-up is passed on", good && wait_for(&second->done, 1));
        tester_drop(second);

        u64 start = time_now();
        WAITER(w);
        waiter_add(&w, &pp.q[0]);
        bool timed_out = err_is(waiter_sleep(&w, WAIT_INTERRUPTIBLE, start + 20 * NSEC_PER_MSEC), ETIMEDOUT);
        check("wait with deadline", timed_out && time_now() >= start + 20 * NSEC_PER_MSEC && time_now() < start + 5 * NSEC_PER_SEC);
        start = time_now();
struct tester *far = new_tester(NULL, 0);
        bool good_far = succeeded(timer_init(&far->timer, timer_fn));
        timer_arm(&far->timer, start + 3 * NSEC_PER_SEC);       /* a later deadline does not hide an earlier one */
        good_far &= succeeded(sleep_until(start + 10 * NSEC_PER_MSEC, WAIT_KILLABLE)) && time_now() >= start + 10 * NSEC_PER_MSEC;
        check("sleep_until", good_far && time_now() < start + 2 * NSEC_PER_SEC);
        timer_fini(&far->timer);
        tester_drop(far);
        waitq_wake_all(&pp.q[0]);
        check("a wake-up is remembered", succeeded(waiter_sleep(&w, WAIT_UNINTERRUPTIBLE, time_now() + NSEC_PER_SEC)));
        for (u32 i = 0; i < 300; i++)
                waiter_add(&w, &t[i % 6]->wq);
        waitq_wake_one(&t[3]->wq);
        check("300 queues", succeeded(waiter_sleep(&w, WAIT_UNINTERRUPTIBLE, time_now() + NSEC_PER_SEC)));
}

static void sleep_killable(struct tester *t)
{
        WAITER(w);
        waiter_add(&w, &t->wq);
        set(&t->started);
        if (err_is(waiter_sleep(&w, t->arg ? WAIT_INTERRUPTIBLE : WAIT_KILLABLE, NEVER), EINTR))
                set(&t->calls);
}

static void lock_killable(struct tester *t)
{
        set(&t->started);
        if (err_is(mutex_lock_killable(&outer), EINTR))
                set(&t->calls);
        else
                mutex_unlock(&outer);
}

static u32 write_went;
static void write_once(struct tester *t)
{
        set(&t->started);
        write_lock(&rw);
        STORE(write_went, 1);
        set(&t->calls);
        write_unlock(&rw);
}

static void read_once(struct tester *t)
{
        read_lock(&rw);
        if (LOAD(write_went))
                set(&t->calls);
        read_unlock(&rw);
}

/* S3: a writer in the queue stops later readers. */
static void test_rw_order(void)
{
        read_lock(&rw);
        struct tester *w = spawn(write_once, 0);
        bool good = wait_for(&w->started, 1);
        for (u32 i = 0; i < 1000 && LOAD(rw.word_k) == 1; i++)
                ignore(sleep_until(time_now() + NSEC_PER_MSEC, WAIT_UNINTERRUPTIBLE));
        struct tester *r = spawn(read_once, 0);
        ignore(sleep_until(time_now() + 5 * NSEC_PER_MSEC, WAIT_UNINTERRUPTIBLE));
        good &= !r->done && !w->calls;
        read_unlock(&rw);
        check("a waiting writer stops readers", good && wait_for(&w->done, 1) && wait_for(&r->done, 1) && r->calls);
        tester_drop(r);
        tester_drop(w);
}

static void test_interrupts(void)
{
        struct tester *k = spawn(sleep_killable, 0), *s = spawn(sleep_killable, 1);
        wait_for(&k->started, 1);
        wait_for(&s->started, 1);
        task_interrupt(k->base.task, INTR_SIGNAL);
        task_interrupt(s->base.task, INTR_SIGNAL);
        bool good = wait_for(&s->calls, 1) && !k->calls;
        task_interrupt(k->base.task, INTR_KILL);
        check("task_interrupt", good && wait_for(&k->calls, 1));
        mutex_lock(&outer);
        struct tester *l = spawn(lock_killable, 0);
        wait_for(&l->started, 1);
        ignore(sleep_until(time_now() + 5 * NSEC_PER_MSEC, WAIT_UNINTERRUPTIBLE));
        task_interrupt(l->base.task, INTR_KILL);
        good = wait_for(&l->calls, 1);
        mutex_unlock(&outer);
        check("mutex_lock_killable", good && wait_for(&l->done, 1) && take_free(&outer));
        mutex_unlock(&outer);
}

static void do_nothing(struct tester *t) { (void)t; }

/* A thread's object that is kept goes on naming its own ended task; a task is used again when it is gone. */
static void test_ended(void)
{
        struct tester *t[20];
        bool good = true;

        for (u32 i = 0; i < 20; i++) {
                t[i] = spawn(do_nothing, 0);
                good &= wait_for(&t[i]->done, 1) && ends(t[i]);
                for (u32 j = 0; j < i; j++)
                        good &= task_state(t[j]->base.task) == TASK_ENDED && t[j]->base.task != t[i]->base.task;
        }
        for (u32 i = 0; i < 20; i++)
                tester_drop(t[i]);
        u32 n = 0;
        for (u32 i = 0; i < 100; i++) {
                struct tester *x = spawn(do_nothing, 0);
                good &= wait_for(&x->done, 1) && ends(x);
                n = max_u64(n, x->base.task->entry.index);
                tester_drop(x);
        }
        check("ended tasks", good && n < 60);
}

/* ---- timers, notifiers, interrupts, kicks ---- */

static void notify_fn(struct notifier *n) { set(&OWNER_OF(tester, notifier, n)->calls); }
static void irq_fn(struct irq_handler *h) { set(&OWNER_OF(tester, irq, h)->calls); }
static void irq_arms_timer(struct irq_handler *h) { timer_arm(&OWNER_OF(tester, irq, h)->timer, time_now() + 3 * NSEC_PER_MSEC); }

static void raise_line(u32 line)
{
        preempt_add(PREEMPT_ONE);
        u64 f = arch_irq_save();
        k_on_device_irq(line);
        arch_irq_restore(f);
        preempt_sub_check(PREEMPT_ONE);
}

static void test_deferred(void)
{
        struct tester *t[5];
        u64 now = time_now();
        bool good = true;

        for (u32 i = 0; i < 5; i++) {
                t[i] = new_tester(NULL, i);
                good &= succeeded(timer_init(&t[i]->timer, timer_fn));
        }
        static const u8 due[5] = { 30, 10, 40, 20, 50 };
        for (u32 i = 0; i < 5; i++)
                timer_arm(&t[i]->timer, now + due[i] * NSEC_PER_MSEC);
        timer_arm(&t[4]->timer, NEVER);
        good &= wait_for(&t[2]->calls, 1) && order_n == 4 && !t[4]->calls;
        check("timers in order", good && order_seen[0] == 1 && order_seen[1] == 3 && order_seen[2] == 0 && order_seen[3] == 2);
        t[0]->arg = 7;
        t[0]->calls = 0;
        timer_arm(&t[0]->timer, 0);
        check("timer arms itself", wait_for(&t[0]->calls, 3));
        timer_fini(&t[0]->timer);
        timer_fini(&t[0]->timer);
        check("timer_fini", !t[0]->timer.index_k);

        good = succeeded(notifier_init(&t[2]->notifier, notify_fn));
        t[2]->calls = 0;
        struct waiter nw = notifier_waiter(&t[2]->notifier);
        waiter_add(&nw, &t[3]->wq);
        waitq_wake_one(&t[3]->wq);
        good &= t[2]->calls == 1;
        notifier_fini(&t[2]->notifier);
        waitq_wake_one(&t[3]->wq);
        good &= t[2]->calls == 1;
        check("notifier", good);

        /* Of two that wait alone a wake-up for one is the first's, and of others each; one for all is everybody's. */
        good = true;
        for (u32 i = 0; i < 3; i++) {
                good &= succeeded(notifier_init(&t[i]->notifier, notify_fn));
                t[i]->calls = 0;
                struct waiter w = i < 2 ? notifier_waiter_alone(&t[i]->notifier) : notifier_waiter(&t[i]->notifier);
                waiter_add(&w, &t[3]->wq);
        }
        good &= waitq_wake_one(&t[3]->wq) == 2 && t[0]->calls == 1 && t[1]->calls == 0 && t[2]->calls == 1;
        good &= waitq_wake_all(&t[3]->wq) == 3 && t[0]->calls == 2 && t[1]->calls == 1 && t[2]->calls == 2;
        notifier_fini(&t[0]->notifier);
        good &= waitq_wake_one(&t[3]->wq) == 2 && t[0]->calls == 2 && t[1]->calls == 2 && t[2]->calls == 3;
        notifier_fini(&t[1]->notifier);
        notifier_fini(&t[2]->notifier);
        good &= waitq_wake_one(&t[3]->wq) == 0;
        check("notifiers that wait alone", good);
        check("an order of objects", OBJECT_BEFORE(t[0], t[1]) != OBJECT_BEFORE(t[1], t[0]) && !OBJECT_BEFORE(t[2], t[2]));

        t[3]->calls = 0;
        good = succeeded(irq_attach_isa(&t[3]->irq, 7, irq_fn)) && err_is(irq_attach_isa(&t[4]->irq, 7, irq_fn), EBUSY);
        raise_line(7);
        good &= wait_for(&t[3]->calls, 1);
        irq_detach(&t[3]->irq);
        raise_line(7);
        check("interrupt line", good && t[3]->calls == 1);
        good = succeeded(irq_attach_isa(&t[1]->irq, 7, irq_arms_timer));
        t[1]->calls = 0;
        u64 start = time_now();
        raise_line(7);
        check("interrupt handler arms a timer", good && wait_for(&t[1]->calls, 1) && time_now() < start + NSEC_PER_SEC);
        irq_detach(&t[1]->irq);
        for (u32 i = 0; i < 5; i++) {
                timer_fini(&t[i]->timer);
                tester_drop(t[i]);
        }
}

/* What ends a callback waits for one that runs on another CPU. */
static volatile u32 in_callback, begun;
static void dawdle(void)
{
        begun++;
        in_callback = 1;
        for (u64 end = time_now() + 5 * NSEC_PER_MSEC; time_now() < end;)
                cpu_relax();
        in_callback = 0;
}
static void slow_timer(struct timer *tm)     { (void)tm; dawdle(); }
static void slow_notify(struct notifier *n)  { (void)n; dawdle(); }
static void slow_irq(struct irq_handler *h)  { (void)h; dawdle(); }
static struct tester *victim;
static void start_slow(struct tester *t)
{
        if (t->arg == 0)
                timer_arm(&victim->timer, 0);
        else if (t->arg == 1)
                waitq_wake_all(&victim->wq);
        else
                raise_line(6);
        for (u32 i = 0; i < 100 && t->arg == 0; i++)
                ignore(sleep_until(time_now() + 100000, WAIT_KILLABLE));
}

/* Runs when it is kicked, slowly; arg: ends. */
static u64 kicked_step(struct task_body *b)
{
        struct tester *t = (struct tester *)b;

        if (__atomic_load_n(&t->arg, __ATOMIC_SEQ_CST)) {
                task_exit();
                set(&t->done);
        } else if (t->started++) {
                dawdle();
                set(&t->calls);
        }
        return NEVER;
}
static const struct kthread_ops kicked_ops = { .step = kicked_step };

/* Until *n is no longer `was`; false: not within ten seconds. */
static bool moves(volatile u32 *n, u32 was)
{
        for (u64 end = time_now() + 10 * NSEC_PER_SEC; *n == was && time_now() < end;)
                ignore(sleep_until(time_now() + 100000, WAIT_KILLABLE));
        return *n != was;
}

static void test_kicks(void)
{
        struct tester *t = new_tester(NULL, 0);
        struct task *k = task_new_kernel(&t->base, &kicked_ops, NULL);
        bool good = k != NULL;

        if (!good)
                k_panic("selftest: no memory");
        task_kick(k);                           /* too early: what it would do it does anyway */
        task_start(k);
        good &= moves(&t->started, 0);
        u32 runs = begun;
        task_kick(k);
        good &= moves(&begun, runs);
        runs = begun;
        task_kick(k);                           /* it runs still, or it does no more */
        good &= moves(&begun, runs) && wait_for(&t->calls, 2);
        __atomic_store_n(&t->arg, 1, __ATOMIC_SEQ_CST);
        task_kick(k);
        check("kicks", good && wait_for(&t->done, 1));
        tester_drop(t);
}

static void test_endings(void)
{
        static const char *const names[] = { "timer_fini waits", "notifier_fini waits", "irq_detach waits" };

        for (u32 what = 0; what < 3; what++) {
                bool good = true;
                for (u32 round = 0; round < 5; round++) {
                        victim = new_tester(NULL, 0);
                        good &= succeeded(timer_init(&victim->timer, slow_timer)) && succeeded(notifier_init(&victim->notifier, slow_notify));
                        good &= succeeded(irq_attach_isa(&victim->irq, 6, slow_irq));
                        struct waiter nw = notifier_waiter(&victim->notifier);
                        waiter_add(&nw, &victim->wq);
                        u32 before = begun;
                        struct tester *t = spawn(start_slow, what);
                        for (u64 end = time_now() + 10 * NSEC_PER_SEC; begun == before && time_now() < end;)
                                cpu_relax();
                        if (what == 0)
                                timer_fini(&victim->timer);
                        notifier_fini(&victim->notifier);
                        irq_detach(&victim->irq);
                        good &= !in_callback;
                        timer_fini(&victim->timer);
                        good &= wait_for(&t->done, 1);
                        tester_drop(t);
                        tester_drop(victim);
                }
                check(names[what], good);
        }
}

/* An object dies with its timer armed: no call, neither to it nor to its next life. */
static void test_stale_timer(void)
{
        struct tester *t = new_tester(NULL, 0), *u[8];
        bool good = succeeded(timer_init(&t->timer, timer_fn));

        timer_arm(&t->timer, time_now() + 5 * NSEC_PER_MSEC);
        tester_drop(t);
        for (u32 i = 0; i < 8; i++)
                u[i] = new_tester(NULL, 0);
        ignore(sleep_until(time_now() + 20 * NSEC_PER_MSEC, WAIT_KILLABLE));
        for (u32 i = 0; i < 8; i++) {
                good &= u[i]->calls == 0;
                tester_drop(u[i]);
        }
        check("a dead object's timer", good && t->calls == 0);

        t = new_tester(NULL, 0);
        good = succeeded(irq_attach_isa(&t->irq, 4, irq_fn));
        tester_drop(t);
        t->calls = 0;
        raise_line(4);
        check("a dead object's interrupt handler", good && t->calls == 0);
}

/* Handles are any bits: none reaches what is not there, or what is there in another generation (K7). */
static void test_wild(void)
{
        static const u32 words[] = { 0, 1, 2, 3, 1000, 100000, 0x7fffffff, 0x80000000, U32_MAX };
        struct tester *t = new_tester(NULL, 0);
        bool good = true;

        for (u32 i = 0; i < ARRAY_SIZE(words) * 3; i++) {
                u32 index = words[i / 3], gen = words[i % 3 * 4];               /* 0, 1000, U32_MAX */

                t->timer = (struct timer){ index, gen };
                timer_fini(&t->timer);
                t->irq = (struct irq_handler){ index, gen };
                irq_detach(&t->irq);
                t->notifier = (struct notifier){ index, gen };
                struct waiter w = notifier_waiter(&t->notifier);
                waiter_add(&w, &t->wq);
                waitq_wake_all(&t->wq);
                notifier_fini(&t->notifier);
        }
        struct tester *u = new_tester(NULL, 0);
        good &= succeeded(timer_init(&u->timer, timer_fn));
        timer_arm(&u->timer, time_now() + 10 * NSEC_PER_MSEC);
        t->timer = (struct timer){ u->timer.index_k, u->timer.gen_k - 1 };
        timer_fini(&t->timer);
        t->timer = u->timer;                                    /* the entry's, but not its owner's */
        timer_fini(&t->timer);
        good &= wait_for(&u->calls, 1);
        timer_fini(&u->timer);
        check("wild handles", good && !t->calls);
        tester_drop(u);
        tester_drop(t);
}

/* ---- containment: each of these must oops, and the machine go on ---- */

static volatile u32 big = 77, zero;
static u32 numbers[4];
static u32 *volatile null_word;
static void takes_int(u32 x) { shared += x; }
static void (*volatile wrong_type)(struct tester *) = (void (*)(struct tester *))takes_int;
static u32 deep(u32 n)
{
        volatile u8 pad[512];
        pad[n % 512] = (u8)n;
        return deep(n + 1) + pad[0];
}

static void do_null(struct tester *t)        { (void)t; *null_word = 1; }
static void do_bounds(struct tester *t)      { (void)t; numbers[big]++; }
static void do_divide(struct tester *t)      { (void)t; shared = 5 / zero; }
static void do_shift(struct tester *t)       { (void)t; shared = 1u << big; }
static void do_kcfi(struct tester *t)        { wrong_type(t); }
static void do_assert(struct tester *t)      { assert(t->arg == 99); }
static void do_overflow(struct tester *t)    { t->arg = deep(1); }
/* Recursion that ends in the framework: a system call's locks, at every depth there is. */
static u32 deep_locks(struct tester *t, u32 n)
{
        volatile u8 pad[16];
        pad[n % 16] = (u8)n;
        mutex_lock(&t->m);
        waitq_wake_all(&t->wq);
        mutex_unlock(&t->m);
        tester_drop(tester_alloc(NULL, NOWAIT));
        if (n % 2) {
                ignore(timer_init(&t->timer, NULL));
                payer_drop(payer_new(NULL, 1000));
        } else if (succeeded(timer_init(&t->timer, (void (*)(struct timer *))do_nothing))) {
                timer_arm(&t->timer, NEVER - 1 - n % 7);
                timer_fini(&t->timer);
        }
        t->wq.waiters_k = 1;
        return deep_locks(t, n + 1) + pad[0];
}
static void do_deep_locks(struct tester *t)
{
        volatile u8 *shift = __builtin_alloca(16 * t->arg);     /* another alignment of the end each time */
        shift[0] = 0;
        t->arg = deep_locks(t, 1);
}
static void do_wild(struct tester *t)        { (void)t; *(volatile u64 *)0x123456789000 = 1; }
static void do_unlock_free(struct tester *t) { mutex_unlock(&t->m); }
static void do_relock(struct tester *t)      { mutex_lock(&t->m); mutex_lock(&t->m); }
static void do_relock_spin(struct tester *t) { spin_lock(&t->s); spin_lock(&t->s); }
static void do_reread(struct tester *t)      { (void)t; read_lock(&rw); read_lock(&rw); }
static void do_sleep_spin(struct tester *t)  { spin_lock(&t->s); ignore(sleep_until(time_now() + 1, WAIT_KILLABLE)); }
static void do_enable(struct tester *t)      { (void)t; preempt_enable(); }
static void do_enable_spin(struct tester *t) { spin_lock(&t->s); preempt_enable(); }
static void do_leave_guard(struct tester *t) { mutex_lock(&t->m); }
static void do_many_locks(struct tester *t)
{
        (void)t;
        for (u32 i = 0; i < MAX_HELD + 1; i++)
                preempt_disable();
}
static void do_start_twice(struct tester *t) { task_start(t->base.task); }
static void do_second_task(struct tester *t) { task_new_kernel(&t->base, &st_ops, NULL); }
static void do_bad_queue(struct tester *t)   { (void)t; WAITER(w); waiter_add(&w, (struct waitq *)8); }
static void do_bad_lock(struct tester *t)    { (void)t; mutex_lock((struct mutex *)16); }
static void do_timer_uninit(struct tester *t) { timer_arm(&t->timer, 1); }
static void do_holding(struct tester *t)
{
        mutex_lock(&outer);
        mutex_lock(&inner);
        write_lock(&rw);
        spin_lock(&spin);
        *null_word = t->arg;
}

static bool oopses(void (*fn)(struct tester *), u32 arg)
{
        u64 before = oops_count();
        struct tester *t = spawn(fn, arg);
        bool good = wait_for(&t->restarted, 1) && oops_count() == before + 1;

        tester_drop(t);
        return good;
}

static void oopses_once(const char *name, void (*fn)(struct tester *)) { check(name, oopses(fn, 1)); }

static void test_oopses(void)
{
        oopses_once("oops: NULL", do_null);
        oopses_once("oops: array bounds", do_bounds);
        oopses_once("oops: division", do_divide);
        oopses_once("oops: shift", do_shift);
        oopses_once("oops: kcfi", do_kcfi);
        oopses_once("oops: assert", do_assert);
        oopses_once("oops: stack overflow", do_overflow);
        bool deep_good = true;
        for (u32 i = 1; i <= 24; i++)
                deep_good &= oopses(do_deep_locks, i);
        check("oops: stack overflow under the framework", deep_good);
        oopses_once("oops: user address", do_wild);
        oopses_once("oops: unlock of a free mutex", do_unlock_free);
        oopses_once("oops: relock", do_relock);
        oopses_once("oops: relock of a spin lock", do_relock_spin);
        oopses_once("oops: second read lock", do_reread);
        oopses_once("oops: sleep with a spin lock", do_sleep_spin);
        oopses_once("oops: preempt_enable unbalanced", do_enable);
        oopses_once("oops: preempt_enable instead of unlock", do_enable_spin);
        oopses_once("oops: guard left behind", do_leave_guard);
        oopses_once("oops: too many locks", do_many_locks);
        oopses_once("oops: task_start twice", do_start_twice);
        oopses_once("oops: second task of a body", do_second_task);
        oopses_once("oops: bad queue", do_bad_queue);
        oopses_once("oops: bad lock", do_bad_lock);
        oopses_once("oops: timer not initialised", do_timer_uninit);
        oopses_once("oops: holding four locks", do_holding);
        bool good = take_free(&outer) && take_free(&inner) && !rw.word_k && !rw.writer_k;
        write_lock(&rw);
        good &= spin_trylock(&spin);
        check("oops: its locks are free again", good);
        check("oops: said once", !outer.flags_k && !inner.flags_k && !rw.flags_k && spin.word_k == 1);
        spin_unlock(&spin);
        write_unlock(&rw);
        mutex_unlock(&inner);
        mutex_unlock(&outer);
}

static void timer_oops(struct timer *tm)       { SPIN_GUARD(&spin); *null_word = tm->gen_k; }
static void notify_oops(struct notifier *n)    { SPIN_GUARD(&spin); *null_word = n->gen_k; }
static void irq_oops(struct irq_handler *h)    { *null_word = h->gen_k; }
static void notify_unlocks(struct notifier *n) { (void)n; mutex_unlock(&outer); }
static void timer_leaves_lock(struct timer *tm) { (void)tm; spin_lock(&spin); }

static void test_borrowed_oopses(void)
{
        struct tester *t = new_tester(NULL, 1);
        u64 before = oops_count();
        bool good = succeeded(timer_init(&t->timer, timer_oops));

        timer_arm(&t->timer, 0);
        ignore(sleep_until(time_now() + 20 * NSEC_PER_MSEC, WAIT_KILLABLE));
        timer_arm(&t->timer, 0);                /* switched off: nothing more happens */
        ignore(sleep_until(time_now() + 20 * NSEC_PER_MSEC, WAIT_KILLABLE));
        good &= oops_count() == before + 1 && spin_trylock(&spin);
        spin_unlock(&spin);
        check("oops: in a timer", good);
        timer_fini(&t->timer);

        good = succeeded(timer_init(&t->timer, timer_leaves_lock));
        timer_arm(&t->timer, 0);
        ignore(sleep_until(time_now() + 20 * NSEC_PER_MSEC, WAIT_KILLABLE));
        good &= oops_count() == before + 2 && spin_trylock(&spin);
        spin_unlock(&spin);
        check("oops: a timer leaves a lock", good);
        timer_fini(&t->timer);

        good = succeeded(notifier_init(&t->notifier, notify_oops));
        struct waiter nw = notifier_waiter(&t->notifier);
        waiter_add(&nw, &t->wq);
        waitq_wake_one(&t->wq);
        waitq_wake_one(&t->wq);
        check("oops: in a notifier", good && oops_count() == before + 3);
        notifier_fini(&t->notifier);

        /* What the waker holds is not the notifier's to let go of (E3). */
        good = succeeded(notifier_init(&t->notifier, notify_unlocks));
        nw = notifier_waiter(&t->notifier);
        waiter_add(&nw, &t->wq);
        mutex_lock(&outer);
        waitq_wake_one(&t->wq);
        check("oops: a notifier unlocks its waker's mutex", good && oops_count() == before + 4 && (outer.owner_k & 0x7fffffff) == current_task()->entry.index);
        mutex_unlock(&outer);
        notifier_fini(&t->notifier);
        before++;

        good = succeeded(irq_attach_isa(&t->irq, 5, irq_oops));
        raise_line(5);
        ignore(sleep_until(time_now() + 10 * NSEC_PER_MSEC, WAIT_KILLABLE));
        raise_line(5);
        ignore(sleep_until(time_now() + 10 * NSEC_PER_MSEC, WAIT_KILLABLE));
        check("oops: in an interrupt handler", good && oops_count() == before + 4);
        irq_detach(&t->irq);
        tester_drop(t);
}

/* ---- user tasks ---- */

#define CODE_AT 0x400000ul
static void u_start(struct task_body *b, struct user_regs *r)
{
        struct tester *t = (struct tester *)b;
        r->rip = CODE_AT + t->arg * 64;
        r->rsp = 0x500000;
        set(&t->started);
}
static void u_syscall(struct task_body *b, struct user_regs *r)
{
        struct tester *t = (struct tester *)b;
        t->calls++;
        t->sys(t, r);
}
static void u_fault(struct task_body *b, struct user_regs *r, struct user_fault f)
{
        (void)r;
        ((struct tester *)b)->faults += f.addr == 0x777000 ? 1 : 100;
        task_exit();
}
static void u_exception(struct task_body *b, struct user_regs *r, struct user_fault f)
{
        (void)r;
        ((struct tester *)b)->faults += f.vector == 6 ? 1 : 100;
        task_exit();
}
static void u_pending(struct task_body *b, struct user_regs *r)
{
        (void)r;
        set(&((struct tester *)b)->pendings);
        if (task_interrupts() & INTR_KILL)
                task_exit();
        task_clear_interrupts(INTR_SIGNAL);
}
static void u_died(struct task_body *b, struct user_regs *r)
{
        struct tester *t = (struct tester *)b;
        (void)r;
        set(&t->died);
        if (t->oops_in_died)
                *null_word = 1;
        task_exit();
}
static const struct user_ops u_ops = { u_start, u_syscall, u_fault, u_exception, u_pending, u_died };

static void sys_exit_at(struct tester *t, struct user_regs *r) { if (r->rax != -38ul || t->calls == 5000) task_exit(); }
static void sys_oops(struct tester *t, struct user_regs *r)    { (void)r; mutex_lock(&outer); spin_lock(&t->s); *null_word = 1; }
static void sys_leave(struct tester *t, struct user_regs *r)   { (void)r; if (t->calls == 1) mutex_lock(&t->m); else task_exit(); }

static struct vmspace *user_space(void)
{
        static const u8 code[] = {
                [0] = 0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7,                 /* 0: mov $1, %eax; syscall; again */
                [64] = 0xeb, 0xfe,                                              /* 1: for ever */
                [128] = 0x48, 0x8b, 0x04, 0x25, 0x00, 0x70, 0x77, 0x00,         /* 2: mov 0x777000, %rax */
                [192] = 0x0f, 0x0b,                                             /* 3: ud2 */
        };
        struct frame *f = frame_alloc(NULL, FRAME_ZERO);
        struct vmspace *s = vmspace_new(NULL);

        if (!f || !s)
                k_panic("selftest: no memory");
        frame_write(f, 0, k_bytes(code, sizeof code));
        VM_CURSOR(c, s, CODE_AT);
        if (failed(cursor_map(&c, f, VM_READ | VM_EXEC)))
                k_panic("selftest: cursor_map");
        return s;
}

static struct tester *user(struct vmspace *s, u32 code, void (*sys)(struct tester *, struct user_regs *), u32 oops_in_died)
{
        struct tester *t = new_tester(NULL, code);
        t->sys = sys;
        t->oops_in_died = oops_in_died;
        struct task *k = task_new_user(&t->base, &u_ops, NULL, false);
        if (!k)
                k_panic("selftest: no memory");
        task_set_name(k, STR("user"));
        task_set_space_of(k, s);
        task_start(k);
        return t;
}

static void test_users(void)
{
        struct vmspace *s = user_space();
        struct tester *t = user(s, 0, sys_exit_at, 0);
        check("user: 5000 system calls", ends(t) && t->calls == 5000);
        tester_drop(t);

        t = user(s, 2, sys_exit_at, 0);
        check("user: page fault", ends(t) && t->faults == 1);
        tester_drop(t);
        t = user(s, 3, sys_exit_at, 0);
        check("user: exception", ends(t) && t->faults == 1);
        tester_drop(t);

        struct tester *many[8];
        for (u32 i = 0; i < 8; i++)
                many[i] = user(s, 1, sys_exit_at, 0);
        bool good = true;
        for (u32 i = 0; i < 8; i++)
                good &= wait_for(&many[i]->started, 1);
        check("user: endless loops share the CPUs", good);
        task_notify(many[0]->base.task);
        task_interrupt(many[1]->base.task, INTR_SIGNAL);
        check("user: pending is called", wait_for(&many[0]->pendings, 1) && wait_for(&many[1]->pendings, 1));
        struct task_times tt = { };
        for (u32 i = 0; i < 500 && tt.user <= tt.system; i++) {
                ignore(sleep_until(time_now() + 2 * NSEC_PER_MSEC, WAIT_KILLABLE));
                tt = task_times(many[2]->base.task);
        }
        for (u32 i = 0; i < 8; i++)
                task_interrupt(many[i]->base.task, INTR_KILL);
        for (u32 i = 0; i < 8; i++) {
                good &= ends(many[i]);
                tester_drop(many[i]);
        }
        check("user: killed in a loop", good);
        check("user: times", tt.user > tt.system && tt.start > 0);

        u64 before = oops_count();
        t = user(s, 0, sys_oops, 0);
        good = wait_for(&t->died, 1) && ends(t) && t->calls == 1 && oops_count() == before + 1;
        good &= take_free(&outer) && spin_trylock(&t->s);
        spin_unlock(&t->s);
        mutex_unlock(&outer);
        check("user: oops in a system call", good);
        tester_drop(t);
        t = user(s, 0, sys_leave, 0);
        check("user: guard left behind", ends(t) && t->died == 1 && t->calls == 1 && oops_count() == before + 2);
        tester_drop(t);
        t = user(s, 0, sys_oops, 1);
        good = wait_for(&t->died, 1);
        ignore(sleep_until(time_now() + 20 * NSEC_PER_MSEC, WAIT_KILLABLE));
        check("user: second oops parks", good && oops_count() == before + 4 && task_state(t->base.task) == TASK_SLEEPING);
        tester_drop(t);
        vmspace_drop(s);
}

/* ---- policies ---- */

#define PQ 64
static struct { struct spinlock lock; struct task_body *q[PQ]; u32 n; u32 mode, calls; struct task_body *last; } pol;
static u32 p_enqueue(struct task_body *t, u32 last, bool woken)
{
        (void)woken;
        SPIN_GUARD(&pol.lock);
        if (pol.mode == 2 && ++pol.calls > 50)
                *null_word = 1;
        pol.q[pol.n++] = t;
        for (u32 c = 0; c < cpu_count(); c++)
                sched_resched(c);
        return last;
}
static struct task_body *p_pick(u32 cpu, struct task_body *prev, enum prev_was was, u64 ran, struct task_body *woken, bool want)
{
        (void)ran;
        SPIN_GUARD(&pol.lock);
        if (prev && was != PREV_STOPPED)
                pol.q[pol.n++] = prev;
        if (woken)
                pol.q[pol.n++] = woken;
        if (!want)
                return NULL;
        pol.calls++;
        if (pol.mode == 1 && pol.calls % 3 == 0 && pol.last)
                return pol.last;                        /* running, asleep or gone */
        if (pol.mode == 1 && pol.calls % 7 == 0) {
                sched_resched(cpu);
                return NULL;
        }
        if (!pol.n)
                return NULL;
        struct task_body *t = pol.q[0];
        for (u32 i = 1; i < pol.n; i++)
                pol.q[i - 1] = pol.q[i];
        pol.q[--pol.n] = NULL;
        pol.last = t;
        return t;
}
static bool p_tick(struct task_body *t, u32 cpu, u64 ran) { (void)t; (void)cpu; (void)ran; return true; }
static const struct sched_ops p_ops = { p_enqueue, p_pick, p_tick };

static void test_policy(void)
{
        sched_register(&p_ops);
        crowd("policy: mutex", count_under_mutex, 8, 1000, 8000);
        test_users();
        pol.mode = 1;
        crowd("policy: wrong answers", count_under_mutex, 8, 1000, 8000);
        crowd("policy: wrong answers, rwlock", count_under_write, 8, 400, 800);
        pol.mode = 2;
        pol.calls = 0;
        u64 before = oops_count();
        crowd("policy: oops", count_under_mutex, 8, 1000, 8000);
        check("policy: it failed", oops_count() > before);
        pol.mode = 0;
        crowd("policy: round robin after it", count_under_mutex, 8, 1000, 8000);
}

/* ---- the debug build's order checker: its two lines are looked for by tests ---- */

static void test_order(void)
{
        struct tester *t = new_tester(NULL, 0);
        struct mutex *in = &t->m;
        lock_init(in, st_inner);
        lock_init(&outer, st_outer);
        mutex_lock(&outer);
        mutex_lock(in);                 /* as declared */
        mutex_unlock(in);
        mutex_unlock(&outer);
        mutex_lock(in);
        mutex_lock(&outer);             /* the other way round: reported */
        mutex_unlock(&outer);
        mutex_unlock(in);
        tester_drop(t);
}


/* ---- selftest=stress: everything at once, for ten seconds ---- */

#define ACTORS 12
static struct {
        struct mutex m[3];
        struct rwlock rw[2];
        struct spinlock s;
        struct waitq q[4];
        u64 plain[6], counted[6];               /* under a lock, and atomic: equal at the end */
        struct tester *actor[ACTORS];
        u64 end;
        u32 ops;
} st;

static u32 dice(struct tester *t, u32 n)
{
        t->vruntime = t->vruntime * 1664525u + 1013904223u;
        return (t->vruntime >> 8) % n;
}

static void bump(u32 i)
{
        u64 v = *(volatile u64 *)&st.plain[i];
        FETCH_ADD(st.counted[i], 1);
        *(volatile u64 *)&st.plain[i] = v + 1;
}

static void act_lock(struct tester *t)
{
        u32 i = dice(t, 3);
        bool nap = !dice(t, 50);

        if (dice(t, 3))
                mutex_lock(&st.m[i]);
        else if (failed(mutex_lock_killable(&st.m[i])))
                return;
        bump(i);
        if (nap)
                ignore(sleep_until(time_now() + dice(t, 100000), WAIT_UNINTERRUPTIBLE));
        if (!dice(t, 20000) && t->arg % 3 == 0)
                assert(t->arg == 1000);         /* an oops with the mutex held */
        mutex_unlock(&st.m[i]);
}

static void act_rw(struct tester *t)
{
        u32 i = dice(t, 2);

        if (dice(t, 4)) {
                READ_GUARD(&st.rw[i]);
                u64 v = *(volatile u64 *)&st.plain[3 + i];
                if (!dice(t, 20))
                        task_yield();
                assert(v == *(volatile u64 *)&st.plain[3 + i]);
        } else {
                write_lock(&st.rw[i]);
                bump(3 + i);
                if (!dice(t, 20))
                        task_yield();
                write_unlock(&st.rw[i]);
        }
}

static void act_wait(struct tester *t)
{
        WAITER(w);
        for (u32 i = dice(t, 3); i < 3; i++) {
                if (dice(t, 2))
                        waiter_add(&w, &st.q[dice(t, 4)]);
                else
                        waiter_add_exclusive(&w, &st.q[dice(t, 4)]);
        }
        ignore(waiter_sleep(&w, (enum wait_mode)dice(t, 3), time_now() + dice(t, 400000)));
}

static void stress_timer(struct timer *tm) { FETCH_ADD(OWNER_OF(tester, timer, tm)->calls, 1); waitq_wake_one(&st.q[tm->gen_k % 4]); }
static void stress_notify(struct notifier *n) { FETCH_ADD(OWNER_OF(tester, notifier, n)->calls, 1); SPIN_GUARD(&st.s); bump(5); }

static void disarm(void *other) { timer_arm(&((struct tester *)other)->timer, NEVER); }

static void act_deferred(struct tester *t)
{
        struct tester *other = st.actor[dice(t, ACTORS)];

        switch (dice(t, 6)) {
        case 0: timer_fini(&t->timer); ignore(timer_init(&t->timer, stress_timer)); break;
        case 1: (void)contained(disarm, other); break;          /* it may have none just now */
        case 2: timer_arm(&t->timer, time_now() + dice(t, 200000)); break;
        case 3: notifier_fini(&t->notifier); ignore(notifier_init(&t->notifier, stress_notify)); break;
        case 4: {
                struct waiter w = notifier_waiter(&other->notifier);
                waiter_add(&w, &st.q[dice(t, 4)]);
                break;
        }
        default: break;
        }
}

static void act_thread(struct tester *t)
{
        if (dice(t, 10))
                return;
        struct tester *child = spawn(do_nothing, 0);
        if (dice(t, 2))
                wait_for(&child->done, 1);
        tester_drop(child);
}

static void stress(struct tester *t)
{
        if (!t->started++) {
                ignore(timer_init(&t->timer, stress_timer));
                ignore(notifier_init(&t->notifier, stress_notify));
        }
        while (time_now() < st.end) {
                FETCH_ADD(st.ops, 1);
                switch (dice(t, 12)) {
                case 0: case 1: case 2: act_lock(t); break;
                case 3: case 4: act_rw(t); break;
                case 5: case 6: act_wait(t); break;
                case 7: waitq_wake_one(&st.q[dice(t, 4)]); break;
                case 8: waitq_wake_all(&st.q[dice(t, 4)]); break;
                case 9: act_deferred(t); break;
                case 10: act_thread(t); break;
                default:
                        task_interrupt(st.actor[dice(t, ACTORS)]->base.task, dice(t, 2) ? INTR_KILL : INTR_SIGNAL);
                        task_clear_interrupts(INTR_KILL | INTR_SIGNAL);
                }
        }
        timer_fini(&t->timer);
        notifier_fini(&t->notifier);
}
static void stress_restart(struct task_body *b) { FETCH_ADD(((struct tester *)b)->restarted, 1); }
static const struct kthread_ops stress_ops = { st_step, stress_restart };

static void test_stress(void)
{
        bool good = true;
        u32 restarts = 0;

        st.end = time_now() + 10 * NSEC_PER_SEC;
        for (u32 i = 0; i < ACTORS; i++) {
                st.actor[i] = new_tester(stress, i);
                st.actor[i]->vruntime = (u32)hash_u64(time_now() + i);
                if (!task_new_kernel(&st.actor[i]->base, &stress_ops, NULL))
                        k_panic("selftest: no memory");
        }
        for (u32 i = 0; i < ACTORS; i++)
                task_start(st.actor[i]->base.task);
        ignore(sleep_until(st.end, WAIT_UNINTERRUPTIBLE));
        for (u32 i = 0; i < ACTORS; i++) {
                good &= wait_for(&st.actor[i]->done, 1) && ends(st.actor[i]);
                restarts += st.actor[i]->restarted;
        }
        check("stress: all ended", good);
        for (u32 i = 0; i < 6; i++)
                check("stress: counts agree", st.plain[i] == st.counted[i]);
        for (u32 i = 0; i < 3; i++)
                check("stress: mutex is free", take_free(&st.m[i]));
        for (u32 i = 0; i < 2; i++)
                check("stress: rwlock is free", !st.rw[i].word_k && !st.rw[i].writer_k);
        k_print("selftest: %d operations, %d restarts\n", st.ops, restarts, 0);
        k_print("selftest: %d tests, %d failed, %d oopses\n", tests, failures, oops_count());
}

/* ---- selftest=cost: instructions per operation, under icount ---- */

static void sys_count(struct tester *t, struct user_regs *r) { (void)r; if (t->calls == 10000) task_exit(); }

static void cost(const char *name, u64 start, u32 n) { k_print("cost: %s %d ns\n", (u64)name, (time_now() - start) / n, 0); }

static void test_cost(void)
{
        struct tester *t = new_tester(NULL, 0), *a, *b;
        struct vmspace *s = user_space();
        u64 start = time_now();

        for (u32 i = 0; i < 1000; i++) {
                mutex_lock(&t->m);
                mutex_unlock(&t->m);
        }
        cost("mutex pair", start, 1000);
        start = time_now();
        for (u32 i = 0; i < 1000; i++) {
                spin_lock(&t->s);
                spin_unlock(&t->s);
        }
        cost("spin pair", start, 1000);
        start = time_now();
        for (u32 i = 0; i < 1000; i++)
                waitq_wake_one(&t->wq);
        cost("wake of nobody", start, 1000);
        start = time_now();
        for (u32 i = 0; i < 1000; i++) {
                WAITER(w);
                waiter_add(&w, &t->wq);
        }
        cost("waiter, one queue", start, 1000);
        ignore(timer_init(&t->timer, timer_fn));
        start = time_now();
        for (u32 i = 0; i < 1000; i++) {
                timer_arm(&t->timer, start + NSEC_PER_SEC);
                timer_arm(&t->timer, NEVER);
        }
        cost("timer arm and cancel", start, 1000);
        timer_fini(&t->timer);
        start = time_now();
        for (u32 i = 0; i < 1000; i++)
                task_yield();
        cost("yield, nobody else", start, 1000);
        start = time_now();
        a = spawn(ping_pong, 0), b = spawn(ping_pong, 1);
        wait_for(&a->done, 1);
        wait_for(&b->done, 1);
        cost("switch (kernel threads)", start, 4000);
        start = time_now();
        for (u32 i = 0; i < 100; i++) {
                a = spawn(do_nothing, 0);
                wait_for(&a->done, 1);
                tester_drop(a);
        }
        cost("thread: create, run, end", start, 100);
        start = time_now();
        a = user(s, 0, sys_count, 0);
        WAITER(w);
        waiter_add(&w, &changed);
        while (task_state(a->base.task) != TASK_ENDED)
                task_yield();
        cost("system call (with user loop of 3)", start, 10000);
}

bool asked_for(bytes what);
void mem_selftest(void);
void pci_selftest(void);                /* frame/io */

bool asked_for(bytes what)
{
        bytes line = boot_cmdline();
        return bytes_len(line) >= bytes_len(what) && bytes_eq(bytes_skip(line, bytes_len(line) - bytes_len(what)), what);
}

void services_start(void)
{
        machine_set_panic_timeout(-1);
        k_print("selftest: %d CPUs\n", cpu_count(), 0, 0);
        if (asked_for(STR("selftest=section"))) {
                preempt_add(PREEMPT_SECTION);
                *null_word = 1;
        }
        if (asked_for(STR("selftest=idle"))) {
                ignore(sleep_until(time_now() + 2 * NSEC_PER_SEC, WAIT_KILLABLE));
                for (u32 c = 0; c < cpu_count(); c++)
                        check("idle CPUs take no ticks", cpu_idle_time(c) > NSEC_PER_SEC && irq_count(16, c) < 20);
                k_print("selftest: %d tests, %d failed, %d oopses\n", tests, failures, oops_count());
                power_off();
        }
        if (asked_for(STR("selftest=mem"))) {
                ignore(sleep_until(time_now() + 20 * NSEC_PER_MSEC, WAIT_KILLABLE));     /* the boot CPU goes idle */
                mem_selftest();
                power_off();
        }
        if (asked_for(STR("selftest=pci"))) {
                pci_selftest();
                power_off();
        }
        if (asked_for(STR("selftest=stress"))) {
                test_stress();
                power_off();
        }
        if (asked_for(STR("selftest=cost"))) {
                test_cost();
                power_off();
        }
        struct tester *t = spawn(do_nothing, 0);
        check("kernel thread", wait_for(&t->done, 1) && ends(t));
        tester_drop(t);
        crowd("mutex", count_under_mutex, 8, 2000, 16000);
        crowd("spin lock", count_under_spin, 8, 5000, 40000);
        crowd("rwlock", count_under_write, 8, 800, 1600);
        test_waiting();
        test_interrupts();
        test_rw_order();
        test_ended();
        test_deferred();
        test_kicks();
        test_endings();
        test_stale_timer();
        test_wild();
        test_order();
        test_oopses();
        test_borrowed_oopses();
        test_users();
        test_policy();
        ignore(sleep_until(time_now() + 50 * NSEC_PER_MSEC, WAIT_KILLABLE));
        k_print("selftest: %d tests, %d failed, %d oopses\n", tests, failures, oops_count());
        power_off();
}
#endif
