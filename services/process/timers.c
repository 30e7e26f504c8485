/* SPDX-License-Identifier: Apache-2.0
 *
 * Interval timers: setitimer(2), alarm(2), and the limit of processor time.
 *
 * ITIMER_REAL is a timer of the framework, whose function sends SIGALRM from a bottom
 * half.  ITIMER_VIRTUAL, ITIMER_PROF, RLIMIT_CPU and RLIMIT_RTTIME count processor time: while one of
 * them is on, `cpu_watch` makes the scheduler's tick notify the running thread, which
 * looks at the process's time on its way to user code.
 */
#include "services/process/process_impl.h"
#include "services/sched/sched.h"
#include "abi/const/process.h"
#include "abi/const/time.h"

#define TIMER_MADE 2u
#define INTERVAL_LEAST (100 * NSEC_PER_USEC)    /* between two expirations, however short the interval: nobody may take them */

enum { CPUCLOCK_PROF, CPUCLOCK_VIRT, CPUCLOCK_SCHED, CPUCLOCK_FD };

/* Bottom half. */
static void real_expired(struct timer *timer)
{
        struct process *p = OWNER_OF(process, itimer_real, timer);
        u64 now = time_now();

        spin_lock(&p->lock);
        u64 due = p->itimer_value;
        if (due && due <= now) {
                if (p->itimer_interval) {
                        /* Periods that have passed by give one signal, as a pending one would absorb them. */
                        u64 periods = (now + INTERVAL_LEAST - due) / p->itimer_interval + 1;
                        p->itimer_value = due + periods * p->itimer_interval;
                        timer_arm(timer, p->itimer_value);
                } else {
                        p->itimer_value = 0;
                }
        }
        spin_unlock(&p->lock);
        if (due && due <= now)
                ignore(signal_send_process(p, (struct siginfo){ .signo = SIGALRM, .code = SI_KERNEL }));
}

/* Makes the timer at its first use.  ENOMEM. */
static err_t make_timer(struct process *p)
{
        for (;;) {
                spin_lock(&p->lock);
                u32 state = p->itimer_state;
                if (state == 0)
                        p->itimer_state = 1;
                spin_unlock(&p->lock);
                if (state == TIMER_MADE)
                        return OK;
                if (state == 0)
                        break;
                task_yield();           /* another thread is making it */
        }
        err_t err = timer_init(&p->itimer_real, real_expired);
        spin_lock(&p->lock);
        p->itimer_state = failed(err) ? 0 : TIMER_MADE;
        spin_unlock(&p->lock);
        return err;
}

static err_t set_real(struct process *p, u64 value, u64 interval)
{
        u64 now = time_now();

        if (p->itimer_state != TIMER_MADE && !value)
                return OK;
        TRY(make_timer(p));
        spin_lock(&p->lock);
        p->itimer_value = !value ? 0 : add_overflows(now, value) ? NEVER - 1 : now + value;
        p->itimer_interval = interval;
        timer_arm(&p->itimer_real, value ? p->itimer_value : NEVER);
        spin_unlock(&p->lock);
        return OK;
}

static u64 cpu_clock(struct process *p, u32 which)
{
        struct task_times t = process_times(p);
        return which == ITIMER_VIRTUAL ? t.user : t.user + t.system;
}

void process_getitimer(u32 which, u64 *value, u64 *interval)
{
        struct process *p = thread_current()->process;
        u64 now = which == ITIMER_REAL ? time_now() : cpu_clock(p, which);
        u64 due;

        spin_lock(&p->lock);
        if (which == ITIMER_REAL) {
                due = p->itimer_value;
                *interval = p->itimer_interval;
        } else {
                due = p->cpu_timer[which == ITIMER_PROF].at;
                *interval = p->cpu_timer[which == ITIMER_PROF].interval;
        }
        spin_unlock(&p->lock);
        /* Never 0 while it is on: it has not been seen to expire. */
        *value = !due ? 0 : due > now ? due - now : NSEC_PER_USEC;
}

err_t process_setitimer(u32 which, u64 value, u64 interval, u64 *old_value, u64 *old_interval)
{
        struct process *p = thread_current()->process;

        process_getitimer(which, old_value, old_interval);
        if (which == ITIMER_REAL)
                return set_real(p, value, interval);
        u64 now = cpu_clock(p, which);
        spin_lock(&p->lock);
        p->cpu_timer[which == ITIMER_PROF].at = value ? now + value : 0;
        p->cpu_timer[which == ITIMER_PROF].interval = interval;
        if (value)
                p->cpu_watch = true;
        spin_unlock(&p->lock);
        return OK;
}

/* Disarmed first: an expiry that runs now must not arm what is gone. */
void timers_exit(struct process *p)
{
        spin_lock(&p->lock);
        p->itimer_value = 0;
        spin_unlock(&p->lock);
        timer_fini(&p->itimer_real);
}

/* ---- Processor time ---- */

static bool expired_locked(struct process *p, u32 i, u64 now)
{
        u64 due = p->cpu_timer[i].at, interval = p->cpu_timer[i].interval;
        if (!due || due > now)
                return false;
        p->cpu_timer[i].at = interval ? due + ((now - due) / interval + 1) * interval : 0;
        return true;
}

void cpu_timers_check(struct process *p)
{
        struct task_times t = process_times(p);
        u64 all = t.user + t.system, seconds = all / NSEC_PER_SEC;
        bool over_soft = false, over_hard = false;
        u64 rt_ran = sched_rt_ran(thread_current());

        spin_lock(&p->lock);
        bool virtual = expired_locked(p, 0, t.user);
        bool prof = expired_locked(p, 1, all);
        struct rlimit limit = p->rlimit[RLIMIT_CPU];
        if (limit.cur != RLIM_INFINITY) {
                over_hard = seconds >= limit.max;
                over_soft = !over_hard && seconds >= limit.cur;
                if (over_soft)                          /* as on Linux, for all to see */
                        STORE(p->rlimit[RLIMIT_CPU].cur, limit.cur + 1);
        }
        limit = p->rlimit[RLIMIT_RTTIME];
        if (limit.cur != RLIM_INFINITY && rt_ran) {
                u64 us = rt_ran / 1000;
                bool hard = us > limit.max, soft = !hard && us > limit.cur;
                if (soft)
                        STORE(p->rlimit[RLIMIT_RTTIME].cur, limit.cur + 1000000);
                over_hard |= hard;
                over_soft |= soft;
        }
        spin_lock(&p->cpu_lock);
        bool others = p->cpu_timers != NULL;
        p->cpu_watch = others || p->cpu_timer[0].at || p->cpu_timer[1].at ||
                       p->rlimit[RLIMIT_CPU].cur != RLIM_INFINITY || p->rlimit[RLIMIT_RTTIME].cur != RLIM_INFINITY;
        spin_unlock(&p->cpu_lock);
        spin_unlock(&p->lock);

        if (virtual)
                ignore(signal_send_process(p, (struct siginfo){ .signo = SIGVTALRM, .code = SI_KERNEL }));
        if (prof)
                ignore(signal_send_process(p, (struct siginfo){ .signo = SIGPROF, .code = SI_KERNEL }));
        if (over_soft)
                ignore(signal_send_process(p, (struct siginfo){ .signo = SIGXCPU, .code = SI_KERNEL }));
        if (over_hard)
                ignore(signal_send_process(p, (struct siginfo){ .signo = SIGKILL, .code = SI_KERNEL }));
        if (others)
                ns_of(p)->ops->cpu_check(p);
}

/* ---- CPU clocks ---- */

/* The names of clocks: ~pid << 3 | 4 (of a thread) | which; pid 0: the caller.  With which 3 it is a descriptor's. */
bool clock_is_cpu(u32 id)
{
        return id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID || ((i32)id < 0 && (id & 3) != CPUCLOCK_FD);
}

err_t cpu_clock_find(u32 id, struct cpu_clock *out)
{
        struct thread *self = thread_current();
        bool named = (i32)id < 0;
        u32  nr = named ? ~(u32)((i32)id >> 3) : 0;
        bool per_thread = named ? (id & 4) != 0 : id == CLOCK_THREAD_CPUTIME_ID;

        if (!clock_is_cpu(id))
                return ERR(EINVAL);
        struct thread *t = nr ? thread_find(pid_ns_current(), nr) : thread_hold(self);
        if (!t)
                return ERR(EINVAL);
        bool may = per_thread ? t->process == self->process : !nr || t->tid == t->process->tgid;
        if (may)
                *out = (struct cpu_clock){ .process = process_hold(t->process), .thread = per_thread ? thread_hold(t) : NULL,
                                           .which = named ? id & 3 : CPUCLOCK_SCHED };
        thread_drop(t);
        return may ? OK : ERR(EINVAL);
}

u64 cpu_clock_of(const struct cpu_clock *c, struct task_times all)
{
        struct task_times t = c->thread ? task_times(c->thread->base.task) : all;
        return c->which == CPUCLOCK_VIRT ? t.user : t.user + t.system;
}

u64 cpu_clock_read(const struct cpu_clock *c)
{
        return cpu_clock_of(c, c->thread ? (struct task_times){} : process_times(c->process));
}

void cpu_clock_drop(struct cpu_clock *c)
{
        thread_drop(c->thread);
        process_drop(c->process);
        *c = (struct cpu_clock){};
}
