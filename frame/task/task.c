/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks: making and ending them, the loops that call services, interrupts, times.
 *
 * Entry points  task_new_user, task_new_kernel, task_start, task_discard   (services)
 *               k_on_syscall, k_on_user_fault, k_before_user               (the entry code)
 *               task_end, task_reap, task_after_oops                       (the framework)
 *
 * Lifetime   A struct task lies in a table whose memory is never anything else.  It is used again
 *            only when the body that named it is gone (body->task is another, or zero): a service
 *            that keeps the object of an ended thread may go on asking for its times.
 *            The stack belongs to the task until the next task on that CPU has let go of it.
 * User stack layout, from the top: struct arch_ustate, struct user_regs, C frames, guard page.
 */
#include "task_impl.h"
#include "timer.h"
#include "mem.h"

#define STACKS_KEPT 6                   /* per CPU */
#define KTHREAD_OOPSES 16               /* then the thread is parked */

TABLE(tasks, struct task);
static struct { struct klock lock; struct task *head, *tail; } ended;
static struct { u32 n; u64 top[STACKS_KEPT]; } CACHE_ALIGNED stacks[MAX_CPUS];

/* ---- memory ---- */

static u64 stack_new(void)
{
        u64 top = 0;

        preempt_add(PREEMPT_SECTION);
        u32 cpu = this_cpu()->cpu;
        if (stacks[cpu].n)
                top = stacks[cpu].top[--stacks[cpu].n];
        preempt_sub_check(PREEMPT_SECTION);
        return top ? top : kstack_alloc(NULL);
}

static void stack_free(u64 top)
{
#ifdef KEEL_SELFTEST
        __builtin_memset((void *)(top - KSTACK_SIZE), 0xcc, KSTACK_SIZE);       /* SAFETY: K4: whoever still stands there falls */
#endif
        preempt_add(PREEMPT_SECTION);
        u32 cpu = this_cpu()->cpu;
        if (stacks[cpu].n < STACKS_KEPT) {
                stacks[cpu].top[stacks[cpu].n++] = top;
                top = 0;
        }
        preempt_sub_check(PREEMPT_SECTION);
        if (top)
                kstack_free(top, NULL);
}

/* Does somebody's body still name it? */
static bool is_named(const struct task *t)
{
        return t->body && __atomic_load_n(&t->body->task, __ATOMIC_ACQUIRE) == t;
}

static void append_ended(struct task *t)
{
        t->ended_next = NULL;
        *(ended.head ? &ended.tail->ended_next : &ended.head) = t;
        ended.tail = t;
}

static struct task *take_ended(void)
{
        struct task *t = NULL;

        klock_lock(&ended.lock);
        for (u32 tries = 0; tries < 4 && (t = ended.head); tries++) {
                ended.head = t->ended_next;
                t->ended_next = NULL;
                if (!is_named(t))
                        break;
                append_ended(t);
                t = NULL;
        }
        klock_unlock(&ended.lock);
        return t;
}

static void give_ended(struct task *t)
{
        klock_lock_anyhow(&ended.lock);
        append_ended(t);
        klock_unlock(&ended.lock);
}

struct task *task_by_id(u32 id) { return table_at(&tasks, id); }

void task_for_each(void (*fn)(struct task *t, void *arg), void *arg)
{
        u32 n = __atomic_load_n(&tasks.n, __ATOMIC_ACQUIRE);
        for (u32 i = 1; i <= n; i++)
                fn(table_at(&tasks, i), arg);
}

/* ---- first steps on a new stack ---- */

static void check_clean(const struct task *t)
{
        if (__builtin_expect(t->n_held | preempt_count(), 0))
                __builtin_trap();       /* a guard would outlive its service function */
}

static void user_main(struct task *t)
{
        struct user_regs *regs = k_regs_of(t->stack_top);

        *regs = (struct user_regs){ .orig_rax = ~0ul };
        t->uops->start(t->body, regs);
        arch_enter_user(regs);
}

/* Until kicked, or `when`. */
static void kthread_wait(struct task *t, u64 when)
{
        for (;;) {
                sched_park_begin(TS_KICK_OK);
                if (__atomic_load_n(&t->kicked, __ATOMIC_SEQ_CST) || (t->work & WORK_EXIT) || (when != NEVER && arch_clock_now() >= when))
                        break;
                if (when != NEVER)
                        tnode_arm(&t->timer, when);
                sched_park();
        }
        sched_park_cancel();
        tnode_cancel(&t->timer);
}

static void __attribute__((noreturn)) kthread_main(struct task *t)
{
        for (;;) {
                __atomic_exchange_n(&t->kicked, 0, __ATOMIC_SEQ_CST);
                u64 when = t->kops->step(t->body);
                check_clean(t);
                if (t->work & WORK_EXIT)
                        task_end();
                if (when)
                        kthread_wait(t, when);
        }
}

static void thread_start(void)
{
        sched_first_run();
        struct task *t = current_task();
        if (t->uops)
                user_main(t);
        if (t->kops)
                kthread_main(t);
        t->boot_fn();
        check_clean(t);
        task_end();
}

/* ---- making ---- */

static void fire_wake(struct tnode *n)
{
        /* SAFETY: D1: the node is its task's. */
        struct task *t = (struct task *)((u8 *)n - __builtin_offsetof(struct task, timer));
        sched_wake(t, MODE_ANY & ~TS_LOCK);
}

/* Everything but body, ops and user state.  Its state is not TS_NEW yet. */
static struct task *make(struct payer *payer, usize ustate_size)
{
        if (!payer_charge(payer, KSTACK_SIZE + sizeof(struct task)))
                return NULL;
        u64 stack = stack_new();
        struct task *t = stack ? take_ended() : NULL;
        if (stack && !t)
                t = table_new(&tasks);
        if (!t) {
                if (stack)
                        stack_free(stack);
                payer_uncharge(payer, KSTACK_SIZE + sizeof(struct task));
                return NULL;
        }
        u64 room = (ustate_size + 63) & ~63ul;
        t->stack = stack;
        t->stack_low = stack - KSTACK_SIZE + STACK_ROOM;
        t->stack_top = stack - room;
        t->ustate = room ? (struct arch_ustate *)t->stack_top : NULL;   /* SAFETY: K4: the stack is ours alone */
        t->ustate_cpu = NO_CPU;
        if (payer)
                k_hold(payer);
        t->payer = payer;
        t->uops = NULL;
        t->kops = NULL;
        t->boot_fn = NULL;
        t->body = NULL;
        t->space = NULL;
        t->n_held = t->work = t->intr = t->kicked = t->oopses = t->restarting = t->in_user = t->in_policy = t->ending = 0;
        t->fail_nth = 0;
#ifdef KEEL_DEBUG
        if (current_task() && current_task()->fail_nth == FAIL_EACH_SITE)
                t->fail_nth = FAIL_EACH_SITE;
#endif
        t->held_limit = MAX_HELD;
        t->held[0] = HELD_BASE;
        t->hands_off = t->urgent = 0;
        t->woke_at = t->cycles[0] = t->cycles[1] = t->switches[0] = t->switches[1] = t->tick_user = 0;
        t->cpu = cpu_id();
        t->started = arch_clock_now();
        t->timer.fire = fire_wake;
        for (u32 i = 0; i < sizeof t->name; i++)
                t->name[i] = 0;
        waiters_init(t);
        arch_context_init(&t->ctx, (t->stack_top - sizeof(struct user_regs)) & ~15ul, thread_start);
        return t;
}

/* Ties task and body; a body has one task in its life. */
static void bind(struct task *t, struct task_body *body)
{
        struct task *none = NULL;

        t->body = body;
        /* SAFETY: K5: body is an object, and only this writes its read-only field. */
        if (!__atomic_compare_exchange_n((struct task **)&body->task, &none, t, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
                __builtin_trap();
        __atomic_store_n(&t->state, TS_NEW, __ATOMIC_RELEASE);
}

static struct task *new_task(struct task_body *body, struct payer *payer, usize ustate_size)
{
        if (body->task)
                __builtin_trap();
        task_body_hold(body);
        struct task *t = make(payer, ustate_size);
        if (!t)
                task_body_drop(body);
        return t;
}

struct task *task_new_user(struct task_body *body, const struct user_ops *ops, struct payer *payer, bool copy_fpu)
{
        if (!ops->start || !ops->syscall || !ops->fault || !ops->exception || !ops->pending || !ops->died)
                __builtin_trap();
        struct task *t = new_task(body, payer, arch_ustate_size()), *self = current_task();
        if (!t)
                return NULL;
        if (copy_fpu && self->ustate)
                arch_ustate_copy(t->ustate, self->ustate);
        else
                arch_ustate_init(t->ustate);
        t->uops = ops;
        t->tick_user = 1;
        bind(t, body);
        return t;
}

struct task *task_new_kernel(struct task_body *body, const struct kthread_ops *ops, struct payer *payer)
{
        if (!ops->step)
                __builtin_trap();
        struct task *t = new_task(body, payer, 0);
        if (!t)
                return NULL;
        t->kops = ops;
        bind(t, body);
        return t;
}

static void set_name(struct task *t, const char *s, usize n)
{
        for (usize i = 0; i < sizeof t->name; i++)
                t->name[i] = i < n && i < sizeof t->name - 1 ? (u8)s[i] : 0;
}

static usize length(const char *s)
{
        usize n = 0;
        while (s[n])
                n++;
        return n;
}

struct task *task_boot_thread(void (*fn)(void), const char *name)
{
        struct task *t = make(NULL, 0);

        if (!t)
                return NULL;
        t->boot_fn = fn;
        set_name(t, name, length(name));
        __atomic_store_n(&t->state, TS_QUEUED, __ATOMIC_RELEASE);
        sched_enqueue_new(t);
        return t;
}

/* The task of a CPU with nothing to do: on cpu 0 the boot stack's, which is never freed. */
struct task *task_idle_new(u32 cpu)
{
        struct task *t = cpu ? make(NULL, 0) : table_new(&tasks);

        if (!t)
                return NULL;
        t->is_idle = 1;
        t->held_limit = MAX_HELD;
        t->held[0] = HELD_BASE;
        t->on_cpu = 1;
        t->cpu = cpu;
        t->stamp = arch_cycles();
        set_name(t, "idle", 4);
        __atomic_store_n(&t->state, TS_RUNNING, __ATOMIC_RELEASE);
        return t;
}

void task_init(void)
{
        struct percpu *pc = this_cpu();
        struct task *t = task_idle_new(0);

        if (!t)
                k_panic("no memory for the first task");
        waiters_init(t);
        pc->preempt = PREEMPT_ONE;
        pc->idle = pc->current = t;
        timers_init();
}

static bool change_state(struct task *t, u32 from, u32 to)
{
        return __atomic_compare_exchange_n(&t->state, &from, to, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void task_start(struct task *t)
{
        if (!change_state(t, TS_NEW, TS_QUEUED))
                __builtin_trap();
        sched_enqueue_new(t);
}

/* ---- ending ---- */

/* What the task gives back in its own context (or its discarder's).  The body goes last. */
static void let_go(struct task *t)
{
        struct vmspace *space = t->space;
        struct payer *payer = t->payer;

        t->payer = NULL;
        t->space = NULL;
        if (space)
                vmspace_unuse(space);
        waiters_reset(t);
        payer_uncharge(payer, KSTACK_SIZE + sizeof(struct task));
        k_drop(payer);
        if (t->body)
                task_body_drop(t->body);
}

void task_discard(struct task *t)
{
        if (!change_state(t, TS_NEW, TS_SETUP))
                __builtin_trap();
        let_go(t);
        __atomic_store_n(&t->state, TS_ENDED, __ATOMIC_RELEASE);
        task_reap(t);
}

void task_end(void)
{
        struct task *t = current_task();

        check_clean(t);
        task_set_space(NULL);
        tnode_cancel_wait(&t->timer);
        t->uops = NULL;
        t->kops = NULL;
        sched_leave_policy();
        let_go(t);
        sched_end();
}

void task_reap(struct task *t)
{
        u64 stack = t->stack;

        t->ustate = NULL;
        t->stack = 0;
        give_ended(t);
        stack_free(stack);              /* keeps K4: nobody runs on it, nothing names it */
}

void task_exit(void) { __atomic_fetch_or(&current_task()->work, WORK_EXIT, __ATOMIC_RELAXED); }

/* ---- after an oops: on a fresh stack, nothing held, irqs on, count 0 ---- */

static void __attribute__((noreturn)) park_forever(struct task *t)
{
        k_print("%s: parked for ever\n", (u64)t->name, 0, 0);
        for (;;) {
                sched_park_begin(TS_LOCK);
                sched_park();
        }
}

static void __attribute__((noreturn)) user_died(struct task *t)
{
        struct user_regs *regs = k_regs_of(t->stack_top);

        t->uops->died(t->body, regs);
        __atomic_fetch_or(&t->work, WORK_EXIT, __ATOMIC_RELAXED);
        k_before_user(regs);
        k_panic("a dead task went on");
}

static void __attribute__((noreturn)) kthread_again(struct task *t)
{
        if (!t->kops->restart)
                task_end();
        t->restarting = 1;
        t->kops->restart(t->body);
        check_clean(t);
        t->restarting = 0;
        if (t->work & WORK_EXIT)
                task_end();
        kthread_main(t);
}

void task_after_oops(struct task *t)
{
        u32 n = ++t->oopses;

        if (t->uops && n == 1)
                user_died(t);
        if (t->kops && !t->restarting && n <= KTHREAD_OOPSES)
                kthread_again(t);
        if (t->boot_fn)
                k_panic("an oops while starting services");
        park_forever(t);
}

/* ---- the user loop: the hot path of every system call ---- */
void k_on_syscall(struct user_regs *regs)
{
        struct task *t = current_task();

        t->uops->syscall(t->body, regs);
}

void k_on_user_fault(struct user_regs *regs, struct user_fault *f)
{
        struct task *t = current_task();

        COUNT(CPU_FAULTS);
        if (f->vector == 14)
                t->uops->fault(t->body, regs, *f);
        else
                t->uops->exception(t->body, regs, *f);
}

/* The entry code calls it when something is pending. */
void k_before_user(struct user_regs *regs)
{
        struct task *t = current_task();
        struct percpu *pc;

        t->in_user = regs->orig_rax == U64_MAX;         /* what a tick that is pending has interrupted */
        for (u32 tries = 0;; tries++) {
                arch_irq_on();
                check_clean(t);
                sched_preempt();
                u32 work = __atomic_load_n(&t->work, __ATOMIC_ACQUIRE);
                if (work & WORK_EXIT)
                        task_end();
                if (work & WORK_NOTIFY) {
                        __atomic_fetch_and(&t->work, ~(u32)WORK_NOTIFY, __ATOMIC_SEQ_CST);
                        t->uops->pending(t->body, regs);
                        check_clean(t);
                }
                arch_irq_off();
                pc = this_cpu();
                t->in_user = 0;
                /* Bottom halves over their budget do not keep a task from running. */
                if (!(t->work | pc->resched) && (!pc->bh_pending || tries > 2))
                        return;
        }
}

/* ---- interrupts and kicks ---- */

/* t has news in its work word: if it runs elsewhere, that CPU comes by the kernel. */
static void prod(struct task *t)
{
        preempt_add(PREEMPT_ONE);
        u32 cpu = __atomic_load_n(&t->cpu, __ATOMIC_RELAXED);
        if (__atomic_load_n(&t->state, __ATOMIC_SEQ_CST) == TS_RUNNING && cpu != this_cpu()->cpu && cpu < cpus_online)
                arch_send_ipi(cpu, IPI_RESCHED);
        preempt_sub_check(PREEMPT_ONE);
}

void task_interrupt(struct task *t, enum intr why)
{
        if (why == 0 || (why & ~(u32)(INTR_SIGNAL | INTR_KILL)))
                __builtin_trap();
        __atomic_fetch_or(&t->intr, why, __ATOMIC_SEQ_CST);
        __atomic_fetch_or(&t->work, WORK_NOTIFY, __ATOMIC_SEQ_CST);
        sched_wake(t, why & INTR_KILL ? TS_KILL_OK | TS_SIGNAL_OK : TS_SIGNAL_OK);
        prod(t);
}

void task_notify(struct task *t)
{
        __atomic_fetch_or(&t->work, WORK_NOTIFY, __ATOMIC_SEQ_CST);
        prod(t);
}

void task_clear_interrupts(u32 mask) { __atomic_fetch_and(&current_task()->intr, ~mask, __ATOMIC_SEQ_CST); }
u32  task_interrupts(void) { return __atomic_load_n(&current_task()->intr, __ATOMIC_ACQUIRE); }

void task_kick(struct task *t)
{
        __atomic_store_n(&t->kicked, 1, __ATOMIC_RELEASE);
        task_wake(t);
}

u32 task_fail_nth(u32 n) { return __atomic_exchange_n(&current_task()->fail_nth, n, __ATOMIC_RELAXED); }

/* ---- questions ---- */

struct task_body *task_current(void)
{
        return current_task()->body;
}

void task_set_urgent(struct task *t, bool urgent) { t->urgent = urgent; }

void task_set_ops(struct task *t, const struct user_ops *ops)
{
        const struct user_ops *old = __atomic_load_n(&t->uops, __ATOMIC_RELAXED);

        if (!ops)
                __builtin_trap();
        if (old)        /* and if it is another task by now, still one of a user */
                __atomic_compare_exchange_n(&t->uops, &old, ops, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

void task_set_name(struct task *t, bytes name) { set_name(t, (const char *)name.p_k, name.n_k); }

static u64 to_ns(u64 cycles, const struct clock_params *cp) { return mul_shift(cycles, cp->mult, cp->shift); }

/* Another CPU's running task: what it did since its last tick is estimated. */
struct task_times task_times(struct task *t)
{
        struct clock_params cp = clock_params();
        u64 c[2], now = arch_cycles();

        if (t == current_task())
                task_count_time(t);             /* so that neither part ever falls */
        for (u32 i = 0; i < 2; i++)
                c[i] = __atomic_load_n(&t->cycles[i], __ATOMIC_RELAXED);
        u64 stamp = __atomic_load_n(&t->stamp, __ATOMIC_RELAXED);
        if (__atomic_load_n(&t->state, __ATOMIC_RELAXED) == TS_RUNNING && now > stamp)
                c[t->tick_user & 1] += now - stamp;
        return (struct task_times){ to_ns(c[1], &cp), to_ns(c[0], &cp), t->started };
}

u64 cpu_user_time(u32 cpu)
{
        struct clock_params cp = clock_params();

        return cpu < cpus_online && percpu_of[cpu] ? to_ns(__atomic_load_n(&percpu_of[cpu]->user_cycles, __ATOMIC_RELAXED), &cp) : 0;
}

u64 task_switches(struct task *t, bool voluntary) { return __atomic_load_n(&t->switches[voluntary], __ATOMIC_RELAXED); }
u32 task_cpu(struct task *t) { return __atomic_load_n(&t->cpu, __ATOMIC_RELAXED); }
/* SAFETY: T2. */
u32 cpu_id(void) { u32 c; __asm__ volatile ("movl %%gs:24, %0" : "=r"(c)); return c; }
u32 cpu_count(void) { return cpus_online; }

enum task_state task_state(struct task *t)
{
        switch (__atomic_load_n(&t->state, __ATOMIC_ACQUIRE) & TS_MASK) {
        case TS_NEW:
        case TS_SETUP:    return TASK_NEW;
        case TS_QUEUED:   return TASK_RUNNABLE;
        case TS_RUNNING:
        case TS_PARKING:  return TASK_RUNNING;
        case TS_SLEEPING: return TASK_SLEEPING;
        default:          return TASK_ENDED;
        }
}

bool task_sleeps_interruptibly(struct task *t)
{
        u32 s = __atomic_load_n(&t->state, __ATOMIC_ACQUIRE);
        return (s & TS_MASK) == TS_SLEEPING && (s & (TS_SIGNAL_OK | TS_KICK_OK));
}

/* ---- address space and user state ---- */

void task_set_space(struct vmspace *space)
{
        struct task *t = current_task();
        struct vmspace *old = t->space;

        if (space)
                vmspace_use(space);
        preempt_add(PREEMPT_SECTION);
        arch_irq_off();
        t->space = space;
        if (space)
                vmspace_switch_to(space);
        else if (old)
                vmspace_leave();
        arch_irq_on();
        preempt_sub_check(PREEMPT_SECTION);
        if (old)
                vmspace_unuse(old);
}

void task_set_space_of(struct task *t, struct vmspace *space)
{
        if (space)
                vmspace_use(space);
        if (!change_state(t, TS_NEW, TS_SETUP)) {
                if (space)
                        vmspace_unuse(space);
                __builtin_trap();
        }
        struct vmspace *old = t->space;
        t->space = space;
        __atomic_store_n(&t->state, TS_NEW, __ATOMIC_RELEASE);
        if (old)
                vmspace_unuse(old);
}

struct arch_ustate *task_claim_ustate(struct task *t)
{
        if (t != current_task() && !change_state(t, TS_NEW, TS_SETUP))
                __builtin_trap();
        if (!t->ustate) {
                task_unclaim_ustate(t);
                __builtin_trap();
        }
        return t->ustate;
}

void task_unclaim_ustate(struct task *t)
{
        if (t != current_task())
                __atomic_store_n(&t->state, TS_NEW, __ATOMIC_RELEASE);
}
