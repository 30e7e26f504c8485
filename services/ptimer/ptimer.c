/* SPDX-License-Identifier: Apache-2.0
 *
 * POSIX timers.
 *
 * Objects       ptimer: counted by its owner's list, and by who looks at it.  It holds its owner, which lets go of it at
 *               exec and exit (ptimers_end), and the process or thread whose time it measures.
 * Locking       the owner's process.lock guards a timer's state; what ties it to the process whose time it measures, and
 *               `due` of such a timer, are changed under that process's cpu_lock (class cpu_timers), too.
 * Times         `due` counts on the timer's own clock: boot time for relative ones (as on Linux, setting the clock does
 *               not touch them), boot time + offset for absolute ones of wall clocks (`wall`), processor time.
 * States        off        armed false: not set, or a single shot that was fired
 *               armed      armed: `timer` runs to due, or it is in the cpu list; SIGEV_NONE: nothing runs, time passes
 *               fired      waiting: its signal is queued; when that is taken (ptimer_taken) it is armed again
 * Invariants T1  waiting  =>  interval != 0 and the signal is in a queue
 *            T2  listed  <=>  it is in cpu.process->cpu_timers
 *            T3  overrun is -1 + the periods that began since the last signal was taken or the timer set
 *            T4  ended  =>  neither armed nor listed, for ever: who found it before it was deleted does not set it any more
 *            T5  taken  <=>  it is in the chain of one ptimer_cpu_check; no other check takes it
 */
#include "services/ptimer/ptimer.h"
#include "services/process/process.h"
#include "services/signal/signal.h"
#include "services/time/clock.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"
#include "abi/const/time.h"

#define SLEEPER U32_MAX                 /* notify: of ptimer_cpu_sleep */

OBJECT(ptimer) {
        u32 id, clock, notify, signo;   /* fixed */
        u64 value;                      /* fixed */
        struct process *owner;          /* counted; fixed */
        struct thread *to;              /* counted; SIGEV_THREAD_ID, or NULL; fixed */
        struct sigqueued *signal;       /* counted; NULL: a sleeper */
        struct timer timer;             /* not of CPU clocks */
        struct notifier on_set;         /* of wall clocks */
        struct waitq done;              /* the sleeper */
        /* owner->lock */
        struct ptimer *next;
        bool armed, waiting, wall;
        bool ended;
        u64 due, interval;              /* ns */
        i64 overrun;
        u32 overrun_last;
        /* CPU clocks */
        struct cpu_clock cpu;           /* counted; process NULL: another clock; fixed */
        bool listed;                    /* cpu.process->cpu_lock, as what follows */
        struct ptimer *cpu_next, *cpu_prev;
        bool taken;
        struct ptimer *due_next;        /* counted; of the check that took it */
};
POOL_DECLARE(ptimer)

static void ptimer_fini(struct ptimer *t)
{
        timer_fini(&t->timer);
        notifier_fini(&t->on_set);
        cpu_clock_drop(&t->cpu);
        thread_drop(t->to);
        process_drop(t->owner);
        signal_timer_drop(t->signal);
}
POOL_DEFINE(ptimer, ptimer_fini);

static bool is_cpu(const struct ptimer *t) { return t->cpu.process != NULL; }

/* The time on the clock that `due` counts on.  Takes the lock of the process whose time it is: call it without. */
static u64 cpu_now(const struct ptimer *t) { return is_cpu(t) ? cpu_clock_read(&t->cpu) : 0; }
static u64 now_locked(const struct ptimer *t, u64 cpu)
{
        return is_cpu(t) ? cpu : time_now() + (t->wall ? clock_offset(t->clock) : 0);
}

/* ---- Arming ---- */

static void list_locked(struct ptimer *t)
{
        struct process *p = t->cpu.process;

        SPIN_GUARD(&p->cpu_lock);
        t->listed = true;
        t->cpu_prev = NULL;
        t->cpu_next = p->cpu_timers;
        if (p->cpu_timers)
                p->cpu_timers->cpu_prev = t;
        p->cpu_timers = t;
        STORE(p->cpu_watch, true);
}

/* cpu_lock held. */
static void unlist_cpu_locked(struct ptimer *t)
{
        struct process *p = t->cpu.process;

        if (!t->listed)
                return;
        t->listed = false;
        if (t->cpu_prev)
                t->cpu_prev->cpu_next = t->cpu_next;
        else
                p->cpu_timers = t->cpu_next;
        if (t->cpu_next)
                t->cpu_next->cpu_prev = t->cpu_prev;
        t->cpu_next = NULL;
        t->cpu_prev = NULL;
}

static void disarm_locked(struct ptimer *t)
{
        t->armed = false;
        t->waiting = false;
        if (is_cpu(t)) {
                SPIN_GUARD(&t->cpu.process->cpu_lock);
                unlist_cpu_locked(t);
        } else {
                timer_arm(&t->timer, NEVER);
        }
}

/* t->due is set, and t not listed. */
static void arm_locked(struct ptimer *t)
{
        t->armed = true;
        if (t->notify == SIGEV_NONE)
                return;
        if (is_cpu(t)) {
                list_locked(t);
                return;
        }
        u64 offset = t->wall ? clock_offset(t->clock) : 0;
        timer_arm(&t->timer, t->due > offset ? t->due - offset : 0);
}

/* Goes over the periods that have begun by now; returns how many. */
static u64 forward_locked(struct ptimer *t, u64 now)
{
        if (t->due > now)
                return 0;
        u64 n = (now - t->due) / t->interval + 1;
        t->due += n * t->interval;
        return n;
}

static void count_locked(struct ptimer *t, u64 periods) { t->overrun += (i64)min_u64(periods, (u64)I32_MAX); }

/* It is due; not listed. */
static void expire_locked(struct ptimer *t, u64 now)
{
        if (t->notify == SLEEPER) {
                t->armed = false;
                waitq_wake_all(&t->done);
                return;
        }
        enum timer_sent sent = t->waiting ? TIMER_SENT : signal_send_timer_locked(t->owner, t->to, t->signal);
        bool again = t->interval && sent != TIMER_NOBODY;
        t->armed = false;
        t->waiting = again && sent == TIMER_SENT;
        if (!again)
                return;
        if (is_cpu(t)) {                /* runs on: who looks comes by with the tick only */
                count_locked(t, forward_locked(t, now));
                arm_locked(t);
        } else if (sent == TIMER_IGNORED) {
                /* Nobody will take it.  At most once in a tick. */
                count_locked(t, forward_locked(t, t->interval < SCHED_TICK ? now + SCHED_TICK : now));
                arm_locked(t);
        }
}

/* Bottom half. */
static void fired(struct timer *timer)
{
        struct ptimer *t = OWNER_OF(ptimer, timer, timer);

        SPIN_GUARD(&t->owner->lock);
        u64 now = now_locked(t, 0);
        if (t->armed && t->due <= now)
                expire_locked(t, now);
        else if (t->armed)
                arm_locked(t);          /* the clock was set back */
}

/* The clock was set; in the setter's context. */
static void clock_set(struct notifier *n)
{
        struct ptimer *t = OWNER_OF(ptimer, on_set, n);

        SPIN_GUARD(&t->owner->lock);
        if (t->armed && t->wall)
                arm_locked(t);
}

/* ---- Processor time ---- */

/* Takes those that are due off the list: a chain, each of them counted. */
static struct ptimer *take_due(struct process *p, struct task_times times)
{
        struct ptimer *first = NULL, *next;

        SPIN_GUARD(&p->cpu_lock);
        for (struct ptimer *t = p->cpu_timers; t; t = next) {
                next = t->cpu_next;
                if (t->taken || t->due > cpu_clock_of(&t->cpu, times))
                        continue;
                unlist_cpu_locked(t);
                t->taken = true;
                t->due_next = first;
                first = ptimer_hold(t);
        }
        return first;
}

/* Each timer expires at most once in a check, however short its interval. */
void ptimer_cpu_check(struct process *p)
{
        struct task_times times = process_times(p);
        struct ptimer *next;

        for (struct ptimer *t = take_due(p, times); t; t = next) {
                u64 now = cpu_clock_of(&t->cpu, times);
                struct process *owner = t->owner;
                spin_lock(&owner->lock);
                spin_lock(&p->cpu_lock);
                next = t->due_next;
                t->due_next = NULL;
                t->taken = false;
                spin_unlock(&p->cpu_lock);
                if (t->armed && !t->listed)
                        expire_locked(t, now);
                spin_unlock(&owner->lock);
                ptimer_drop(t);
        }
}

/* ---- The signal is taken ---- */

void ptimer_taken(struct ptimer *t, struct siginfo *info)
{
        if (!t->waiting)
                return;
        t->waiting = false;
        if (!is_cpu(t)) {
                count_locked(t, forward_locked(t, now_locked(t, 0)));
                arm_locked(t);
        }
        t->overrun_last = (u32)max_i64(0, min_i64(t->overrun, I32_MAX));
        t->overrun = -1;
        info->status = (u32)min_u64((u64)t->overrun_last + info->status, (u64)I32_MAX);
}

/* ---- Making, finding, deleting ---- */

/* Fills in what a timer of this clock has; the caller drops it on failure. */
static err_t new_timer(u32 clock, struct ptimer **out)
{
        struct thread *self = thread_current();
        struct cpu_clock cpu = {};
        bool of_cpu = clock_is_cpu(clock);

        TRY(of_cpu ? cpu_clock_find(clock, &cpu) : clock_may_sleep(clock));
        struct ptimer *t = ptimer_alloc(self->payer, MAY_RECLAIM);
        if (!t) {
                cpu_clock_drop(&cpu);
                return ERR(EAGAIN);
        }
        t->clock = clock;
        t->cpu = cpu;
        t->overrun = -1;
        t->owner = process_hold(self->process);
        ptimer_publish(t);
        *out = t;
        if (of_cpu)
                return OK;
        TRY(timer_init(&t->timer, fired));
        if (!clock_is_wall(clock))
                return OK;
        TRY(notifier_init(&t->on_set, clock_set));
        struct waiter w = notifier_waiter(&t->on_set);
        waiter_add(&w, clock_changed());
        return OK;
}

static err_t set_event(struct ptimer *t, const struct ptimer_event *event)
{
        t->notify = event->notify;
        t->signo = event->signo;
        t->value = event->value;
        switch (event->notify) {
        case SIGEV_SIGNAL | SIGEV_THREAD_ID:
                t->to = thread_find(pid_ns_current(), event->tid);
                if (!t->to || t->to->process != t->owner)
                        return ERR(EINVAL);
                break;
        case SIGEV_NONE:
                return OK;
        case SIGEV_SIGNAL:
        case SIGEV_THREAD:
                break;
        default:
                return ERR(EINVAL);
        }
        return event->signo == 0 || event->signo > SIG_COUNT ? ERR(EINVAL) : OK;
}

/* The owner's list is in the order of making; numbers come in turn. */
static struct ptimer *find_locked(struct process *p, u32 id)
{
        struct ptimer *t = p->timers;
        while (t && t->id != id)
                t = t->next;
        return t;
}

/* Returns its number: from now on another thread may delete it. */
static u32 insert(struct ptimer *t, bool plain)
{
        struct process *p = t->owner;
        struct ptimer *last = NULL;

        SPIN_GUARD(&p->lock);
        do
                t->id = p->timer_next++ & (u32)I32_MAX;
        while (find_locked(p, t->id));
        for (struct ptimer *at = p->timers; at; at = at->next)
                last = at;
        if (last)
                last->next = t;
        else
                p->timers = t;
        if (plain)
                t->value = t->id;
        signal_timer_begin_locked(t->signal, t, (struct siginfo){ .signo = t->signo, .code = SI_TIMER, .pid = t->id, .value = t->value });
        return t->id;
}

err_t ptimer_create(u32 clock, const struct ptimer_event *event, u32 *id)
{
        const struct ptimer_event plain = { .notify = SIGEV_SIGNAL, .signo = SIGALRM };
        struct ptimer *t = NULL;

        err_t err = new_timer(clock, &t);
        if (succeeded(err))
                err = set_event(t, event ? event : &plain);
        if (succeeded(err)) {
                t->signal = signal_timer_new(thread_current());
                if (!t->signal)
                        err = ERR(EAGAIN);
        }
        if (failed(err)) {
                ptimer_drop(t);
                return err_is(err, ENOMEM) ? ERR(EAGAIN) : err;
        }
        *id = insert(t, !event);
        return OK;
}

/* Off the list: nothing finds it any more.  A queued signal stays. */
static void end(struct ptimer *t)
{
        spin_lock(&t->owner->lock);
        t->ended = true;
        disarm_locked(t);
        signal_timer_end_locked(t->signal);
        spin_unlock(&t->owner->lock);
        timer_fini(&t->timer);
        notifier_fini(&t->on_set);
        ptimer_drop(t);
}

void ptimers_end(struct process *p)
{
        for (;;) {
                spin_lock(&p->lock);
                struct ptimer *t = p->timers;
                if (t)
                        p->timers = t->next;
                else
                        p->timer_next = 0;
                spin_unlock(&p->lock);
                if (!t)
                        return;
                end(t);
        }
}

err_t ptimer_delete(u32 id)
{
        struct process *p = thread_current()->process;
        struct ptimer *before = NULL;

        spin_lock(&p->lock);
        struct ptimer *t = find_locked(p, id);
        for (struct ptimer *at = p->timers; t && at != t; at = at->next)
                before = at;
        if (before)
                before->next = t->next;
        else if (t)
                p->timers = t->next;
        spin_unlock(&p->lock);
        if (!t)
                return ERR(EINVAL);
        end(t);
        return OK;
}

/* ---- Setting and asking ---- */

/* Counted, or NULL. */
static struct ptimer *find(u32 id)
{
        struct process *p = thread_current()->process;
        SPIN_GUARD(&p->lock);
        struct ptimer *t = find_locked(p, id);
        return t ? ptimer_hold(t) : NULL;
}

static struct ptimer_time time_locked(struct ptimer *t, u64 cpu)
{
        u64 now = now_locked(t, cpu);
        bool none = t->notify == SIGEV_NONE;
        struct ptimer_time out = { .interval = t->interval };

        if (!t->armed && !t->waiting)
                return out;
        if (t->interval && (t->waiting || none) && !is_cpu(t))
                count_locked(t, forward_locked(t, now));
        else if (t->interval && none)
                forward_locked(t, now);
        out.value = t->due > now ? t->due - now : none ? 0 : 1;
        return out;
}

err_t ptimer_gettime(u32 id, struct ptimer_time *out)
{
        struct ptimer *t = find(id);

        if (!t)
                return ERR(EINVAL);
        u64 cpu = cpu_now(t);
        spin_lock(&t->owner->lock);
        *out = time_locked(t, cpu);
        spin_unlock(&t->owner->lock);
        ptimer_drop(t);
        return OK;
}

err_t ptimer_overrun(u32 id, u32 *count)
{
        struct ptimer *t = find(id);

        if (!t)
                return ERR(EINVAL);
        spin_lock(&t->owner->lock);
        *count = t->overrun_last;
        spin_unlock(&t->owner->lock);
        ptimer_drop(t);
        return OK;
}

static void set_locked(struct ptimer *t, bool absolute, struct ptimer_time new, u64 cpu)
{
        disarm_locked(t);
        t->overrun = -1;
        t->overrun_last = 0;
        t->interval = new.value || is_cpu(t) ? new.interval : 0;
        if (!new.value)
                return;
        t->wall = absolute && clock_is_wall(t->clock);
        u64 now = now_locked(t, cpu);
        t->due = absolute ? new.value : new.value >= NEVER - now ? NEVER - 1 : now + new.value;
        if (is_cpu(t) && t->due <= now && t->notify != SIGEV_NONE)
                expire_locked(t, now);
        else
                arm_locked(t);
}

err_t ptimer_settime(u32 id, bool absolute, struct ptimer_time new, struct ptimer_time *old)
{
        struct ptimer *t = find(id);

        if (!t)
                return ERR(EINVAL);
        err_t err = is_cpu(t) && LOAD(t->cpu.process->zombie) ? ERR(ESRCH) : OK;
        u64 cpu = cpu_now(t);
        if (succeeded(err)) {
                SPIN_GUARD(&t->owner->lock);
                if (t->ended) {
                        err = ERR(EINVAL);
                } else {
                        *old = time_locked(t, cpu);
                        set_locked(t, absolute, new, cpu);
                }
        }
        ptimer_drop(t);
        return err;
}

/* ---- Sleeping by processor time ---- */

static err_t sleep_on(struct ptimer *t, u64 *left)
{
        err_t err = OK;

        SPIN_GUARD(&t->owner->lock);
        while (t->armed && succeeded(err))
                err = waitq_sleep_spin(&t->done, &t->owner->lock, WAIT_INTERRUPTIBLE, NEVER);
        *left = t->due;
        return t->armed ? err : OK;
}

err_t ptimer_cpu_sleep(u32 clock, bool absolute, u64 ns, u64 *left)
{
        struct ptimer *t = NULL;

        TRY(new_timer(clock, &t));
        t->notify = SLEEPER;
        u64 cpu = cpu_now(t);
        spin_lock(&t->owner->lock);
        if (ns || absolute)
                set_locked(t, absolute, (struct ptimer_time){ .value = max_u64(ns, 1) }, cpu);
        spin_unlock(&t->owner->lock);
        err_t err = sleep_on(t, left);
        u64 now = cpu_now(t);
        *left = *left > now ? *left - now : 0;
        end(t);
        return err;
}

/* ---- /proc ---- */

bool ptimer_next(struct process *p, u32 id, struct ptimer_shown *out)
{
        SPIN_GUARD(&p->lock);
        struct ptimer *best = NULL;
        for (struct ptimer *t = p->timers; t; t = t->next)
                if (t->id >= id && (!best || t->id < best->id))
                        best = t;
        if (!best)
                return false;
        *out = (struct ptimer_shown){ .id = best->id, .signo = best->signo, .notify = best->notify, .clock = best->clock,
                                      .tid = best->to ? best->to->tid : p->tgid, .value = best->value };
        return true;
}
