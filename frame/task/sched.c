/* SPDX-License-Identifier: Apache-2.0
 *
 * The switch, and who runs next.
 *
 * Entry points  sched_claim, sched_wake     make a sleeper runnable
 *               sched_park_*                the current task sleeps
 *               preempt_sub_check, k_irq_exit_to_kernel, sched_preempt   at the end of every no-preemption stretch
 *               sched_register (services)   the policy; before it, and after an oops in it, round robin
 *               task_idle_loop              what a CPU does with nothing to do
 *
 * The runnable token.  A task's state is one atomic word.  QUEUED means that the policy, or
 * round robin's list, may hand the task out; who turns QUEUED into RUNNING owns the right to
 * run it, and only he does (K1).  So whatever a policy answers, twice, stale or never, a task
 * runs on one CPU at a time.
 *
 * Going to sleep.  RUNNING -> PARKING, look at the condition, then schedule(): the policy is
 * told `stop` while the task still is PARKING, and the *next* task, standing on its own stack,
 * turns PARKING into SLEEPING.  A wake-up before that turns PARKING back into RUNNING, and the
 * next task then enqueues it.  So a waker never waits for a switch, and the policy sees `stop`
 * before the `enqueue` that follows it.
 *
 * Being put back.  A preempted task is QUEUED before its stack is free: on_cpu says so.  A CPU
 * that picks it meanwhile keeps the claim and goes through its idle task, where it may wait:
 * the idle task is never picked, so two CPUs cannot wait for each other.
 *
 * Hand-off.  Some wake a task that last ran here and sleep soon after: that task, QUEUED, is held back from the policy in
 * pc->woken, this CPU's alone, until the waker leaves the CPU: pick() gets it then, and may answer with it.  Anything else
 * that is due (preempt_work), the tick at the latest, sends it to the policy, and the waker is not trusted again before it
 * was seen to sleep soon after a wake-up (HANDOFF_NEAR).  Nothing is held back while a CPU idles, and nobody who is urgent.
 *
 * Contexts      Policy functions run with the count at PREEMPT_ONE, interrupts on, contained.
 *               A task may be preempted, or be woken by one, with little stack left: nothing between a
 *               change of state and the end of enqueue() or schedule() checks for room (with_room).
 *               arch_switch runs with the count at PREEMPT_ONE | PREEMPT_SECTION, interrupts off,
 *               on both sides: so the per-CPU count needs no saving.
 */
#include "task_impl.h"
#include "mem.h"
#include "timer.h"
#include "bh.h"

enum how { HOW_PREEMPT = PREV_PREEMPTED, HOW_YIELD = PREV_YIELDED, HOW_SLEEP = PREV_STOPPED, HOW_END };

struct cpu_sched {
        struct task *from;              /* whom the running task was switched to from … */
        u32   how;                      /* … and why; for the tail */
        u32   rr_last;                  /* the last one picked came from round robin */
        struct task *claimed;           /* picked, but its stack was still in use */
        struct task *ustate_of;         /* whose user state the registers hold */
        u64   bad_answers;
} CACHE_ALIGNED;

static struct cpu_sched cpu_sched[MAX_CPUS];
static const struct sched_ops *policy;          /* NULL: none, or it failed */
static struct { struct klock lock; struct task *head, *tail; u32 n; } rr;

/* ---- stacks ---- */

/* Calls fn where a service's function fits: on this stack, or if it is nearly full on the CPU's other one.
 * Count > 0. */
static void with_room(void (*fn)(void *), void *arg)
{
        struct percpu *pc = this_cpu();
        u64 low = pc->stack_low;

        if (__builtin_expect((u64)__builtin_frame_address(0) >= low + 2048, 1) || !pc->bh_stack || on_bh_stack(pc)) {
                fn(arg);
                return;
        }
        pc->stack_low = bh_stack_low(pc);
        arch_run_on(pc->bh_stack, fn, arg);
        pc->stack_low = low;
}

/* ---- round robin: the framework's own threads, and everybody without a policy ---- */

/* An entry is a hint: it counts only if the task is QUEUED when it is popped. */
static void rr_add(struct task *t)
{
        klock_lock_anyhow(&rr.lock);
        if (!t->on_rr) {
                t->on_rr = 1;
                t->rr_next = NULL;
                *(rr.head ? &rr.tail->rr_next : &rr.head) = t;
                rr.tail = t;
                __atomic_store_n(&rr.n, rr.n + 1, __ATOMIC_RELEASE);
        }
        klock_unlock(&rr.lock);
}

static bool claim_queued(struct task *t)        /* keeps K1 */
{
        u32 queued = TS_QUEUED;
        return __atomic_compare_exchange_n(&t->state, &queued, TS_RUNNING, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static struct task *rr_pick(void)
{
        struct task *t;

        if (!__atomic_load_n(&rr.n, __ATOMIC_ACQUIRE))
                return NULL;
        klock_lock_anyhow(&rr.lock);
        while ((t = rr.head)) {
                rr.head = t->rr_next;
                t->on_rr = 0;
                __atomic_store_n(&rr.n, rr.n - 1, __ATOMIC_RELEASE);
                if (claim_queued(t))
                        break;
        }
        klock_unlock(&rr.lock);
        return t;
}

static u64 idle_cpus;                   /* a bit each: atomic */
static bool is_idling(u32 cpu) { return __atomic_load_n(&idle_cpus, __ATOMIC_RELAXED) >> cpu & 1; }

/* The CPU that should look at round robin's list: where t was, unless another is idle. */
static u32 rr_cpu_for(const struct task *t)
{
        u64 idle = __atomic_load_n(&idle_cpus, __ATOMIC_RELAXED);
        return !idle || idle >> t->cpu & 1 ? t->cpu : (u32)__builtin_ctzl(idle);
}

/* ---- calls into the policy, contained ---- */

struct safe_call { void (*fn)(void *); void *arg; bool ok; };
static void safe_call(void *arg)
{
        struct safe_call *s = arg;
        s->ok = contained(s->fn, s->arg);
}

struct policy_call {
        const struct sched_ops *ops;
        struct task_body *body, *woken_body;
        enum prev_was was;
        bool want, woken, preempt;
        u32 cpu, answer;
        u64 ran;
        struct task_body *picked;
};

static void call_pick(void *arg)
{
        struct policy_call *c = arg;

        c->picked = c->ops->pick(c->cpu, c->body, c->was, c->ran, c->woken_body, c->want);
}

static void call_enqueue(void *arg)
{
        struct policy_call *c = arg;
        c->answer = c->ops->enqueue(c->body, c->cpu, c->woken);
}

static void call_tick(void *arg)
{
        struct policy_call *c = arg;
        c->preempt = c->ops->tick(c->body, c->cpu, c->ran);
}

/* False: it oopsed. */
static bool call_policy(void (*fn)(void *), struct policy_call *c)
{
        struct safe_call s = { fn, c, false };

        if (__builtin_expect((u64)__builtin_frame_address(0) >= this_cpu()->stack_low + 2048, 1))
                return contained(fn, c);
        with_room(safe_call, &s);
        return s.ok;
}

static bool policy_dead(const struct sched_ops *ops) { return __atomic_load_n(&policy, __ATOMIC_SEQ_CST) != ops; }

static void readd(struct task *t, void *arg)
{
        (void)arg;
        if ((__atomic_load_n(&t->state, __ATOMIC_SEQ_CST) & TS_MASK) == TS_QUEUED)
                rr_add(t);
}

/* After an oops in the policy: what it had queued goes to round robin.  A call into it that is
 * under way elsewhere sees policy_dead() afterwards and adds its task itself (E6). */
static void policy_failed(void)
{
        if (!__atomic_exchange_n(&policy, NULL, __ATOMIC_SEQ_CST))
                return;
        k_print("sched: the policy failed; going round robin\n", 0, 0, 0);
        task_for_each(readd, NULL);
        for (u32 cpu = 0; cpu < cpus_online; cpu++)
                sched_resched(cpu);
}

/* t is QUEUED by us.  It may run, and end, before this returns. Count > 0 or 0, no framework lock. */
static void enqueue(struct task *t, bool woken)
{
        preempt_add(PREEMPT_ONE);
        struct policy_call c __attribute__((uninitialized));
        c.ops = __atomic_load_n(&policy, __ATOMIC_ACQUIRE);
        c.body = t->body;
        c.cpu = t->cpu;
        c.woken = woken;
        c.answer = NO_CPU;
        if (c.ops && c.body && !t->ending) {
                t->in_policy = 1;
                if (!call_policy(call_enqueue, &c))
                        policy_failed();
                if (__builtin_expect(policy_dead(c.ops), 0))
                        readd(t, NULL);
                else if (c.answer < cpus_online)
                        sched_resched(c.answer);
        } else {
                t->in_policy = 0;
                u32 cpu = rr_cpu_for(t);
                rr_add(t);
                sched_resched(cpu);
        }
        preempt_sub_check(PREEMPT_ONE);
}

/* ---- held back ---- */

#define HANDOFF_NEAR (1ul << 17)        /* cycles */

/* SAFETY: K1: what is in pc->woken is QUEUED, and nobody else has it. */
static struct task *take_woken(struct percpu *pc)
{
        struct task *t = pc->woken;
        pc->woken = NULL;
        return t;
}

/* t is QUEUED by us. */
static void enqueue_woken(struct task *t)
{
        preempt_add(PREEMPT_ONE);
        struct percpu *pc = this_cpu();
        struct task *me = pc->current;
        if (me->hands_off && !t->urgent && t->cpu == pc->cpu && !pc->woken && policy && t->body && !t->ending &&
            !__atomic_load_n(&idle_cpus, __ATOMIC_RELAXED) && preempt_count() < PREEMPT_BH) {
                t->in_policy = 1;
                pc->woken = t;
        } else {
                me->woke_at = arch_cycles();
                enqueue(t, true);
        }
        preempt_sub_check(PREEMPT_ONE);
}

/* The task that the policy named, if it may be run. */
static struct task *claim_body(struct cpu_sched *cs, struct task_body *body)
{
        struct task *t = __atomic_load_n(&body->task, __ATOMIC_ACQUIRE);

        if (t && t->body == body && claim_queued(t))
                return t;
        if (cs->bad_answers++ % 1024 == 0)
                k_print("sched: the policy picked a task that is not runnable\n", 0, 0, 0);
        return NULL;
}

/* Gives prev back and chooses.  Count is PREEMPT_ONE. */
static struct task *choose(struct percpu *pc, struct cpu_sched *cs, struct task *prev, enum how how, u64 ran)
{
        struct policy_call c __attribute__((uninitialized));
        struct task *next = NULL, *woken;

        c.ops = __atomic_load_n(&policy, __ATOMIC_ACQUIRE);
        c.body = c.ops && prev->in_policy && !prev->ending ? prev->body : NULL;
        c.was = how == HOW_END ? PREV_STOPPED : (enum prev_was)how;
        c.woken_body = NULL;
        c.cpu = pc->cpu;
        c.ran = ran;
        c.picked = NULL;
        if (prev->is_idle) {
                next = cs->claimed;
                cs->claimed = NULL;
                if (next)
                        return next;            /* and the idle task holds nothing back */
        } else if (how <= HOW_YIELD) {
                prev->in_policy = c.body != NULL;
                /* From here on another CPU may claim prev; on_cpu holds it off our stack. */
                __atomic_store_n(&prev->state, TS_QUEUED, __ATOMIC_SEQ_CST);
                if (!c.body)
                        rr_add(prev);
        }
        woken = take_woken(pc);
        if (woken && c.ops)
                c.woken_body = woken->body;
        else if (woken)
                rr_add(woken);

        if (!cs->rr_last)
                next = rr_pick();
        c.want = !next;
        if (c.ops && (c.want || c.body || c.woken_body)) {
                if (!call_policy(call_pick, &c))
                        policy_failed();
                if (policy_dead(c.ops)) {
                        if (how <= HOW_YIELD && !prev->is_idle)
                                readd(prev, NULL);
                        if (woken)
                                readd(woken, NULL);
                }
                if (c.want && c.picked && !(next = claim_body(cs, c.picked)))
                        pc->resched = 1;                /* ask again, by way of the idle task */
        }
        if (!next)
                next = rr_pick();
        cs->rr_last = next && !next->in_policy;
        if (pc->woken)                                  /* by the policy itself, just now */
                pc->resched = 1;
        return next ? next : pc->idle;
}

/* ---- the switch ---- */

static void reap(void *arg) { task_reap(arg); }

/* The next task's first act, on its own stack: lets go of the one before. */
static void switch_tail(void)
{
        struct percpu *pc = this_cpu();
        struct cpu_sched *cs = &cpu_sched[pc->cpu];
        struct task *prev = cs->from;
        u32 how = cs->how;

        __atomic_store_n(&prev->on_cpu, 0, __ATOMIC_RELEASE);
        /* prev is ours no longer if it was put back; if it parks or ended it still is (K2). */
        arch_irq_on();
        preempt_sub_nocheck(PREEMPT_SECTION);
        if (how == HOW_SLEEP) {
                u32 s = __atomic_load_n(&prev->state, __ATOMIC_ACQUIRE);
                if ((s & TS_MASK) != TS_PARKING || !__atomic_compare_exchange_n(&prev->state, &s, (s & ~TS_MASK) | TS_SLEEPING,
                                0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
                        __atomic_store_n(&prev->state, TS_QUEUED, __ATOMIC_SEQ_CST);
                        enqueue(prev, true);
                }
        } else if (how == HOW_END)
                with_room(reap, prev);
}

void sched_first_run(void)
{
        switch_tail();
        preempt_sub_check(PREEMPT_ONE);
}

static void count_time(struct task *t, u64 cycles)
{
        u64 ran = cycles - t->stamp;

        t->cycles[t->tick_user & 1] += ran;
        if (t->tick_user & 1)
                this_cpu()->user_cycles += ran;
        t->stamp = cycles;
}

void task_count_time(struct task *t)
{
        preempt_add(PREEMPT_ONE);
        count_time(t, arch_cycles());
        preempt_sub_check(PREEMPT_ONE);
}

static void account(struct task *prev, struct task *next, struct percpu *pc, u64 cycles, u64 now)
{
        count_time(prev, cycles);
        next->stamp = cycles;
        if (prev->is_idle) {
                pc->idle_ns += now - pc->idle_since;
                __atomic_fetch_and(&idle_cpus, ~(1ul << pc->cpu), __ATOMIC_RELAXED);
        } else if (next->is_idle) {
                pc->idle_since = now;
                __atomic_fetch_or(&idle_cpus, 1ul << pc->cpu, __ATOMIC_RELAXED);
        }
        pc->switch_ns = now;
}

/* Count is PREEMPT_ONE, irqs on. */
static void schedule(enum how how)
{
        struct percpu *pc = this_cpu();
        struct cpu_sched *cs = &cpu_sched[pc->cpu];
        struct task *prev = pc->current;
        u64 cycles = arch_cycles(), now = arch_clock_at(cycles);

        if (pc->resched)                        /* set from here on: looked at on the way out */
                __atomic_store_n(&pc->resched, 0, __ATOMIC_SEQ_CST);
        if (how == HOW_SLEEP && cycles - prev->woke_at < HANDOFF_NEAR)
                prev->hands_off = 1;
        struct task *next = choose(pc, cs, prev, how, now - pc->switch_ns);
        if (next != prev && __atomic_load_n(&next->on_cpu, __ATOMIC_ACQUIRE)) {
                if (prev->is_idle) {
                        while (__atomic_load_n(&next->on_cpu, __ATOMIC_ACQUIRE))
                                __builtin_ia32_pause();
                } else {
                        cs->claimed = next;
                        pc->resched = 1;
                        next = pc->idle;
                }
        }
        if (next == prev) {
                pc->switch_ns = now;
                return;
        }

        arch_irq_off();
        preempt_add(PREEMPT_SECTION);
        account(prev, next, pc, cycles, now);
        if (prev->is_idle)
                timer_leave_idle(pc, now);
        prev->switches[how != HOW_PREEMPT]++;
        COUNT(CPU_SWITCHES);
        cs->from = prev;
        cs->how = how;
        next->on_cpu = 1;
        next->cpu = pc->cpu;
        pc->current = next;
        pc->stack_low = next->stack_low;
        arch_set_kernel_stack(next->stack_top);
        if (prev->ustate && how != HOW_END) {
                arch_ustate_save(prev->ustate);
                prev->ustate_cpu = pc->cpu;
                cs->ustate_of = prev;
        }
        if (next->ustate && (cs->ustate_of != next || next->ustate_cpu != pc->cpu)) {
                arch_ustate_load(next->ustate);
                cs->ustate_of = next;
        }
        vmspace_switch_to(next->space);
        /* SAFETY: K3: next is RUNNING by our claim and its stack is free; prev's context is saved before on_cpu falls. */
        arch_switch(&prev->ctx, &next->ctx);
        switch_tail();
}

/* The policy must not be asked about a body whose last reference may be gone: dropping it may sleep and
 * be preempted.  What is left of the task runs round robin. */
void sched_leave_policy(void)
{
        preempt_add(PREEMPT_ONE);
        struct percpu *pc = this_cpu();
        struct task *t = pc->current;
        struct policy_call c = { .ops = __atomic_load_n(&policy, __ATOMIC_ACQUIRE), .body = t->body, .cpu = pc->cpu,
                .ran = arch_clock_now() - pc->switch_ns, .was = PREV_STOPPED };

        t->ending = 1;
        if (c.ops && t->in_policy) {
                t->in_policy = 0;
                if (!call_policy(call_pick, &c))
                        policy_failed();
        }
        preempt_sub_check(PREEMPT_ONE);
}

void sched_end(void)
{
        preempt_add(PREEMPT_ONE);
        __atomic_store_n(&current_task()->state, TS_ENDED, __ATOMIC_SEQ_CST);
        schedule(HOW_END);
        k_panic("an ended task ran");
}

/* ---- preemption ---- */

/* Count PREEMPT_ONE, so that interrupts meanwhile only set flags; irqs on. */
static void preempt_work(struct percpu *pc)
{
        struct task *woken = take_woken(pc);

        if (woken) {
                pc->current->hands_off = 0;
                enqueue(woken, true);
        }
        if (pc->bh_pending)
                bh_run();
        /* With hardly any stack left it goes on a little: the flag stays. */
        if (pc->resched && (u64)__builtin_frame_address(0) >= pc->stack_low - STACK_ROOM / 2)
                schedule(HOW_PREEMPT);
}

/* Count 0, irqs on.  Bounded: what is left is looked at by the next who gets here. */
void sched_preempt(void)
{
        preempt_add(PREEMPT_ONE);
        preempt_work(this_cpu());
        preempt_sub_nocheck(PREEMPT_ONE);
}

/* A look on another CPU only means a look too many; what comes after the looks, the next finds. */
void preempt_at_zero(void)
{
        for (u32 i = 0; i < 2 && preempt_count() == 0 && preempt_due(); i++)
                sched_preempt();
}

void k_irq_enter(void)
{
#ifdef KEEL_DEBUG
        if (preempt_count() & PREEMPT_IRQ * 0xf)
                k_panic("hard interrupts nest");        /* T6 */
#endif
        preempt_add(PREEMPT_IRQ);
}

/* Irqs are on only while the count is not 0: interrupts do not nest here. */
void k_irq_exit_to_kernel(void)
{
        for (u32 i = 0; i < 2 && preempt_count() == 0 && preempt_due(); i++) {
                preempt_add(PREEMPT_ONE);
                arch_irq_on();
                preempt_work(this_cpu());
                arch_irq_off();
                preempt_sub_nocheck(PREEMPT_ONE);
        }
}

/* Sets the flag; a remote CPU gets an interrupt unless one is under way. */
void sched_resched(u32 cpu)
{
        if (cpu >= cpus_online || !percpu_of[cpu])
                return;
        preempt_add(PREEMPT_ONE);
        struct percpu *pc = percpu_of[cpu];
        if (pc == this_cpu())
                pc->resched = 1;
        else if (!__atomic_exchange_n(&pc->resched, 1, __ATOMIC_SEQ_CST))
                arch_send_ipi(cpu, IPI_RESCHED);
        preempt_sub_check(PREEMPT_ONE);
}

void sched_tick(struct percpu *pc, u64 now)
{
        struct task *t = pc->current;
        struct policy_call c = { .ops = __atomic_load_n(&policy, __ATOMIC_ACQUIRE), .body = t->body, .cpu = pc->cpu,
                .ran = now - pc->switch_ns };

        if (t->is_idle) {
                pc->tick_deadline = NEVER;
                return;
        }
        pc->tick_deadline = now + SCHED_TICK;
        t->tick_user = t->in_user;
        count_time(t, arch_cycles());
        if (c.ops && t->in_policy) {
                if (!call_policy(call_tick, &c))
                        policy_failed();
                else if (c.preempt)
                        pc->resched = 1;
        }
        if (__atomic_load_n(&rr.n, __ATOMIC_RELAXED))
                pc->resched = 1;
}

void task_yield(void)
{
        assert_may_sleep();
        preempt_add(PREEMPT_ONE);
        schedule(HOW_YIELD);
        preempt_sub_check(PREEMPT_ONE);
}

/* ---- sleep and wake ---- */

void sched_park_begin(u32 mode_bits)
{
        __atomic_exchange_n(&current_task()->state, TS_PARKING | mode_bits, __ATOMIC_SEQ_CST);
}

void sched_park_cancel(void)
{
        __atomic_store_n(&current_task()->state, TS_RUNNING, __ATOMIC_RELEASE); /* a waker would do the same */
}

/* Returns also when nothing woke it (a preemption on the way): callers loop. */
void sched_park(void)
{
        preempt_add(PREEMPT_ONE);
        if ((__atomic_load_n(&current_task()->state, __ATOMIC_ACQUIRE) & TS_MASK) == TS_PARKING)
                schedule(HOW_SLEEP);
        preempt_sub_check(PREEMPT_ONE);
}

/* Full barrier before: what the sleeper looks at after sched_park_begin was written before (W1). */
bool sched_claim(struct task *t, u32 modes)
{
        u32 s = __atomic_load_n(&t->state, __ATOMIC_SEQ_CST);

        for (;;) {
                u32 to = (s & TS_MASK) == TS_PARKING ? TS_RUNNING : TS_QUEUED;
                if (((s & TS_MASK) != TS_PARKING && (s & TS_MASK) != TS_SLEEPING) || !(s & modes & ~TS_MASK))
                        return false;
                if (__atomic_compare_exchange_n(&t->state, &s, to, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
                        return to == TS_QUEUED;
        }
}

void sched_wake(struct task *t, u32 modes)
{
        if (sched_claim(t, modes))
                enqueue_woken(t);
}

void task_wake(struct task *t)
{
        if (sched_claim_stored(t, TS_KICK_OK))
                enqueue_woken(t);
}

void sched_wake_chain(struct task *t)
{
        while (t) {
                struct task *next = t->wake_next;
                enqueue_woken(t);
                t = next;
        }
}

void sched_enqueue_new(struct task *t) { enqueue(t, false); }

void sched_register(const struct sched_ops *ops)
{
        if (!ops || !ops->enqueue || !ops->pick || !ops->tick || policy)
                __builtin_trap();
        __atomic_store_n(&policy, ops, __ATOMIC_SEQ_CST);
}

/* ---- idle ---- */

u64 cpu_idle_time(u32 cpu)
{
        if (cpu >= cpus_online || !percpu_of[cpu])
                return 0;
        struct percpu *pc = percpu_of[cpu];
        u64 ns = __atomic_load_n(&pc->idle_ns, __ATOMIC_RELAXED), since = __atomic_load_n(&pc->idle_since, __ATOMIC_RELAXED);
        return is_idling(cpu) ? ns + (arch_clock_now() - since) : ns;
}

u64 cpu_counter(u32 cpu, enum cpu_counter which)
{
        return cpu < cpus_online && percpu_of[cpu] && (u32)which < CPU_COUNTERS ? __atomic_load_n(&percpu_of[cpu]->counted[which], __ATOMIC_RELAXED) : 0;
}

/* On the idle task, count PREEMPT_ONE. */
void task_idle_loop(void)
{
        struct percpu *pc = this_cpu();

        if (!(pc->bh_stack = kstack_alloc(NULL)))
                k_panic("no memory for the bottom halves' stack");
        pc->idle_since = arch_clock_now();
        __atomic_fetch_or(&idle_cpus, 1ul << pc->cpu, __ATOMIC_RELAXED);
        __atomic_store_n(&pc->online, 1, __ATOMIC_SEQ_CST);
        for (;;) {
                arch_irq_off();
                if (pc->resched | pc->bh_pending)
                        arch_irq_on();
                else
                        arch_halt_wait();
                if (pc->bh_pending)
                        bh_run();
                if (pc->resched)
                        schedule(HOW_PREEMPT);
        }
}

void k_cpu_main(void)
{
        struct percpu *pc = this_cpu();

        pc->preempt = PREEMPT_ONE;
        pc->stack_low = pc->current->stack_low;
        pc->resched = 1;
        task_idle_loop();
}
