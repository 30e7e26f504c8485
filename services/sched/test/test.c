/* SPDX-License-Identifier: Apache-2.0
 *
 * The scheduling policy on simulated CPUs: nothing is lost, nothing runs twice, shares follow
 * weights, real-time comes first, affinity holds.  Ordinary C; includes sched.c for its insides.
 */
#include "services/sched/sched.c"
#include "services/sched/balance.c"
#include "services/sched/settings.c"
#include "services/sched/load.c"
#include "services/sched/deadline.c"

int  printf(const char *, ...);
void *mmap(void *, usize, int, int, int, long);
void exit(int) __attribute__((noreturn));
#define CHECK(cond) do { if (!(cond)) { printf("%s:%d: %s\n", __FILE__, __LINE__, #cond); exit(1); } } while (0)

/* ---- stand-in for the framework ---- */

static u64 now;
static u32 cpus = 1;
static const struct sched_ops *policy;
static bool resched[MAX_CPUS];

u64  time_now(void)      { return now; }
u64  time_coarse(void)   { return now; }
u32  cpu_count(void)     { return cpus; }
u32  cpu_id(void)        { return 0; }
void task_yield(void)    {}
void k_spin_init(struct spinlock *l, const struct lock_class *c) { (void)l; (void)c; }
void sched_register(const struct sched_ops *o) { policy = o; }
void sched_resched(u32 cpu) { resched[cpu] = true; }
err_t timer_init(struct timer *t, void (*fn)(struct timer *)) { (void)t; (void)fn; return OK; }
void timer_arm(struct timer *t, u64 deadline) { (void)t; (void)deadline; }     /* step() looks at the alarms */
void task_notify(struct task *t) { (void)t; }
void task_set_urgent(struct task *t, bool urgent) { (void)t; (void)urgent; }
void spin_lock(struct spinlock *l)   { CHECK(!l->word_k); l->word_k = 1; }
void spin_unlock(struct spinlock *l) { CHECK(l->word_k); l->word_k = 0; }

struct pool k_pool_thread = { .slot_k = K_SLOT(thread), .size_k = sizeof(struct thread), .name_k = "thread" };

static u64 seed = 1;
static u64 rnd(void) { seed ^= seed << 13; seed ^= seed >> 7; seed ^= seed << 17; return seed; }

/* ---- the simulation ---- */

#define THREADS 200
#define KTHREADS 8
enum state { ASLEEP, QUEUED, RUNNING };
struct sim { struct task_body *body; enum state state; u32 cpu; u64 ran; bool ended; };
static struct sim sims[THREADS + KTHREADS];
static struct task_body kbodies[KTHREADS];
static struct process proc;
static struct { struct sim *cur; u64 since; } cpu[MAX_CPUS];
static u32 nthreads;
static bool yields;                     /* now and then */

static struct thread *thread_at(u32 i)
{
        static u8 *region;
        if (!region) {
                region = mmap(NULL, 1ul << 22, 3, 0x22, -1, 0);
                k_pool_thread.base_k = (u64)region + sizeof(struct k_obj);
        }
        return (struct thread *)(k_pool_thread.base_k + (u64)i * K_SLOT(thread));
}

static void reset(u32 n, u32 ncpus)
{
        cpus = ncpus;
        nthreads = n;
        now += NSEC_PER_SEC;
        reservations.reserved = 0;
        reservations.urgent = 0;
        for (u32 i = 0; i < MAX_CPUS; i++) {
                __builtin_memset(&runqs[i], 0, sizeof runqs[i]);
                runqs[i].alarm = NEVER;
                cpu[i].cur = NULL;
                resched[i] = false;
        }
        for (u32 i = 0; i < n; i++) {
                struct thread *t = thread_at(i);
                __builtin_memset(t, 0, sizeof *t);
                t->process = &proc;
                sched_first(t);
                sims[i] = (struct sim){ .body = &t->base };
        }
        for (u32 i = 0; i < KTHREADS; i++)
                sims[THREADS + i] = (struct sim){ .body = &kbodies[i] };
}

static struct sim *sim_of(struct task_body *b)
{
        for (u32 i = 0; i < THREADS + KTHREADS; i++)
                if (sims[i].body == b && (i < nthreads || i >= THREADS))
                        return &sims[i];
        CHECK(!"unknown body");
        return NULL;
}

static void wake(struct sim *s, bool woken)
{
        CHECK(s->state == ASLEEP);
        s->state = QUEUED;
        u32 c = policy->enqueue(s->body, s->cpu, woken);
        if (c != NO_CPU) {
                CHECK(c < cpus);
                resched[c] = true;
        }
}

/* Who leaves and who comes in two calls or, one time in two, in one. */
static struct { struct task_body *prev; enum prev_was was; u64 ran; struct task_body *woken; } left;
static void leave(u32 c, bool sleep, bool yield)
{
        struct sim *s = cpu[c].cur;
        u64 ran = now - cpu[c].since;
        static u32 turn;
        if (!s)
                return;
        cpu[c].cur = NULL;
        s->ran += ran;
        s->state = sleep ? ASLEEP : QUEUED;
        left.prev = s->body;
        left.was = sleep ? PREV_STOPPED : yield ? PREV_YIELDED : PREV_PREEMPTED;
        left.ran = ran;
        if (turn++ & 1) {
                CHECK(!policy->pick(c, left.prev, left.was, ran, NULL, false));
                left.prev = NULL;
        }
}

static void enter(u32 c)
{
        struct task_body *b = policy->pick(c, left.prev, left.was, left.ran, left.woken, true);
        left.woken = NULL;
        left.prev = NULL;
        resched[c] = false;
        if (!b)
                return;
        struct sim *s = sim_of(b);
        CHECK(s->state == QUEUED);
        if (s < &sims[THREADS])
                CHECK(allows(DOWNCAST(thread, b), c));
        s->state = RUNNING;
        s->cpu = c;
        cpu[c].cur = s;
        cpu[c].since = now;
}

/* One step of simulated time on every CPU. */
static void step(u64 ns, u32 sleep_per_1000)
{
        now += ns;
        wake_up(NULL);
        for (u32 c = 0; c < cpus; c++) {
                struct sim *s = cpu[c].cur;
                if (s && rnd() % 1000 < sleep_per_1000) {
                        leave(c, true, false);
                        enter(c);
                } else if (s && (policy->tick(s->body, c, now - cpu[c].since) || resched[c])) {
                        leave(c, false, yields && rnd() % 16 == 0);
                        enter(c);
                } else if (!s) {
                        enter(c);
                }
        }
}

static u32 count_heap(struct thread *t, struct thread *up)
{
        u32 n = 0;
        for (; t; up = t, t = t->se.sibling) {
                CHECK(t->se.up == up);
                for (struct thread *c = t->se.child; c; c = c->se.sibling)
                        CHECK(!before(c, t));
                n += 1 + count_heap(t->se.child, t);
        }
        return n;
}

static u32 count_rt(const struct runq *rq)
{
        u32 n = 0;
        for (u32 level = 0; level < RT_LEVELS; level++)
                for (struct thread *t = rq->rt[level].first; t; t = t->se.next)
                        n++;
        return n;
}

static void check_all(void)
{
        u32 queued = 0, have = 0, urgent = 0;
        u64 reserved = 0;
        for (u32 c = 0; c < cpus; c++) {
                u32 deadlines = count_heap(runqs[c].deadlines.root, NULL), level = rt_highest(&runqs[c]);
                u32 rt = count_rt(&runqs[c]);
                CHECK(runqs[c].queued == count_heap(runqs[c].fair.root, NULL) + rt + runqs[c].kernel_count + deadlines);
                CHECK(runqs[c].urgent_rank == (deadlines ? RANK_DEADLINE : level ? RANK_OTHER + level : RANK_NONE));
                queued += runqs[c].queued + count_heap(runqs[c].refills.root, NULL);
                urgent += rt + deadlines;
        }
        for (u32 i = 0; i < nthreads; i++)
                reserved += own_bandwidth(thread_at(i));
        CHECK(reserved == reservations.reserved);
        CHECK(urgent == reservations.urgent);
        for (u32 i = 0; i < THREADS + KTHREADS; i++)
                have += sims[i].body && (i < nthreads || i >= THREADS) && sims[i].state == QUEUED;
        CHECK(queued == have);
}

static void random_changes(void)
{
        struct thread *t = thread_at((u32)(rnd() % nthreads));
        switch (rnd() % 4) {
        case 0:
                sched_set_nice(t, (i32)(rnd() % 40) - 20);
                break;
        case 1: {
                u32 policies[] = { SCHED_NORMAL, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE };
                u32 p = policies[rnd() % 6];
                struct sched_params params = { .policy = p, .rt_priority = sched_is_realtime(p) ? 1 + (u32)(rnd() % 99) : 0 };
                if (p == SCHED_DEADLINE) {
                        params.runtime = 2000 + rnd() % (10 * NSEC_PER_MSEC);
                        params.deadline = params.runtime + 100000 + rnd() % (50 * NSEC_PER_MSEC);
                        params.period = rnd() & 1 ? 0 : params.deadline + rnd() % (50 * NSEC_PER_MSEC);
                        params.flags = rnd() & 1 ? SCHED_FLAG_RECLAIM : 0;
                }
                err_t err = sched_set(t, params);
                CHECK(succeeded(err) || (p == SCHED_DEADLINE && (err_is(err, EBUSY) || err_is(err, EPERM))));
                break;
        }
        default:
                if (failed(sched_set_affinity(t, rnd() & rnd())))
                        CHECK(succeeded(sched_set_affinity(t, ~0ul)));
                break;
        case 2:
                if (rnd() & 1)
                        sched_boost(t, 1 + (u32)(rnd() % 100));
                else
                        sched_boost(t, 0);
        }
        /* Whoever runs where it may not is sent away at once. */
        for (u32 c = 0; c < cpus; c++)
                if (resched[c] && cpu[c].cur) {
                        leave(c, false, false);
                        enter(c);
                }
}

static void chaos(u32 n, u32 ncpus, u32 steps)
{
        reset(n, ncpus);
        for (u32 i = 0; i < steps; i++) {
                for (u32 k = 0; k < 3; k++) {
                        u32 at = (u32)(rnd() % (n + KTHREADS));
                        struct sim *s = at < n ? &sims[at] : &sims[THREADS + at - n];
                        if (s->state == ASLEEP)
                                wake(s, rnd() & 1);
                }
                if (rnd() % 4 == 0)
                        random_changes();
                step(rnd() % (8 * NSEC_PER_MSEC), 300);
                check_all();
        }
}

/* Hogs of two weights on one CPU get shares by weight, within a few percent. */
static void shares(void)
{
        reset(4, 1);
        sched_set_nice(thread_at(2), 5);
        sched_set_nice(thread_at(3), -5);
        for (u32 i = 0; i < 4; i++)
                wake(&sims[i], false);
        for (u32 i = 0; i < 40000; i++)
                step(NSEC_PER_MSEC, 0);
        u64 total = 0, weights = 0;
        for (u32 i = 0; i < 4; i++) {
                total += sims[i].ran;
                weights += thread_at(i)->se.weight;
        }
        for (u32 i = 0; i < 4; i++) {
                u64 due = total * thread_at(i)->se.weight / weights;
                CHECK(sims[i].ran * 100 > due * 93 && sims[i].ran * 100 < due * 107);
        }
}

/* One that sleeps much is served soon, in spite of hogs. */
static void latency(void)
{
        reset(5, 1);
        for (u32 i = 0; i < 4; i++)
                wake(&sims[i], false);
        u64 worst = 0;
        for (u32 i = 0; i < 2000; i++) {
                for (u32 k = 0; k < 20; k++)
                        step(NSEC_PER_MSEC / 2, 0);
                u64 at = now;
                wake(&sims[4], true);
                while (sims[4].state != RUNNING)
                        step(NSEC_PER_MSEC / 10, 0);
                if (i)                  /* a new thread queues up once */
                        worst = max_u64(worst, now - at);
                now += NSEC_PER_MSEC / 10;
                leave(0, true, false);
                enter(0);
        }
        if (worst > 4 * NSEC_PER_MSEC) printf("worst %lu\n", worst);
        CHECK(worst <= 4 * NSEC_PER_MSEC);
}

/* Two that wake each other do not preempt each other. */
static void ping_pong(void)
{
        reset(2, 1);
        wake(&sims[0], false);
        enter(0);
        for (u32 i = 0; i < 100; i++) {
                u32 other = cpu[0].cur == &sims[0];
                now += 2000;
                resched[0] = false;
                wake(&sims[other], true);
                CHECK(!resched[0] || i < 1);
                now += 1000;
                leave(0, true, false);
                enter(0);
                CHECK(cpu[0].cur == &sims[other]);
        }
}

/* Hogs spread over idle CPUs. */
static void spread(void)
{
        reset(8, 4);
        for (u32 i = 0; i < 8; i++) {
                wake(&sims[i], false);
                for (u32 c = 0; c < cpus; c++)
                        if (resched[c] && !cpu[c].cur)
                                enter(c);
        }
        for (u32 i = 0; i < 8000; i++)
                step(NSEC_PER_MSEC, 0);
        for (u32 i = 0; i < 8; i++)
                CHECK(sims[i].ran > 3 * NSEC_PER_SEC);
}

/* On one CPU: hogs with budgets get these, in spite of a real-time hog, which gets 95 % of what it may, and a fair one that gets the rest. */
static void budgets(void)
{
        reset(4, 1);
        CHECK(succeeded(sched_set(thread_at(0), (struct sched_params){ .policy = SCHED_DEADLINE, .runtime = 10 * NSEC_PER_MSEC, .deadline = 100 * NSEC_PER_MSEC })));
        CHECK(succeeded(sched_set(thread_at(1), (struct sched_params){ .policy = SCHED_DEADLINE, .runtime = 3 * NSEC_PER_MSEC, .deadline = 10 * NSEC_PER_MSEC })));
        CHECK(succeeded(sched_set(thread_at(2), (struct sched_params){ .policy = SCHED_FIFO, .rt_priority = 5 })));
        CHECK(err_is(sched_set(thread_at(3), (struct sched_params){ .policy = SCHED_DEADLINE, .runtime = 6 * NSEC_PER_MSEC, .deadline = 10 * NSEC_PER_MSEC }), EBUSY));
        for (u32 i = 0; i < 4; i++)
                wake(&sims[i], false);
        for (u32 i = 0; i < 100000; i++)
                step(NSEC_PER_MSEC / 10, 0);
        u64 want[4] = { 1000, 3000, 6000, 0 };           /* ms of 10 s; the FIFO hog gets the rest, which is less than 95 % */
        for (u32 i = 0; i < 3; i++)
                CHECK(sims[i].ran / NSEC_PER_MSEC > want[i] * 9 / 10 && sims[i].ran / NSEC_PER_MSEC < want[i] * 11 / 10);
        sched_exit(thread_at(0));
        sched_exit(thread_at(1));
        CHECK(reservations.reserved == 0);
        check_all();
        reset(2, 1);
        CHECK(succeeded(sched_set(thread_at(0), (struct sched_params){ .policy = SCHED_FIFO, .rt_priority = 5 })));
        wake(&sims[0], false);
        wake(&sims[1], false);
        for (u32 i = 0; i < 100000; i++)
                step(NSEC_PER_MSEC / 10, 0);
        CHECK(sims[1].ran / NSEC_PER_MSEC > 400 && sims[1].ran / NSEC_PER_MSEC < 600);
}

int main(void)
{
        sched_init();
        ping_pong();
        shares();
        latency();
        spread();
        budgets();
        yields = true;
        chaos(6, 1, 40000);
        chaos(THREADS, 1, 20000);
        chaos(40, 2, 40000);
        chaos(THREADS, 8, 20000);
        printf("sched: passed\n");
        return 0;
}
