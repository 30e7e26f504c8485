/* SPDX-License-Identifier: Apache-2.0
 *
 * Interval timers: setitimer(2), alarm(2), and the limit of processor time.
 *
 * ITIMER_REAL is a timer of the framework, whose function sends SIGALRM from a bottom
 * half.  ITIMER_VIRTUAL, ITIMER_PROF and RLIMIT_CPU count processor time: while one of
 * them is on, `cpu_watch` makes the scheduler's tick notify the running thread, which
 * looks at the process's time on its way to user code.
 */
#include "services/process/process_impl.h"
#include "abi/const/time.h"

#define TIMER_MADE 2u

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
                        u64 periods = (now - due) / p->itimer_interval + 1;
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

void timers_exit(struct process *p) { timer_fini(&p->itimer_real); }

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

        spin_lock(&p->lock);
        bool virtual = expired_locked(p, 0, t.user);
        bool prof = expired_locked(p, 1, all);
        struct rlimit limit = p->rlimit[RLIMIT_CPU];
        if (limit.cur != RLIM_INFINITY) {
                over_hard = seconds >= limit.max;
                u64 next = p->cpu_limit_next ? p->cpu_limit_next : max_u64(limit.cur, 1);
                over_soft = !over_hard && seconds >= next;
                p->cpu_limit_next = over_soft ? seconds + 1 : next;
        }
        p->cpu_watch = p->cpu_timer[0].at || p->cpu_timer[1].at || limit.cur != RLIM_INFINITY;
        spin_unlock(&p->lock);

        if (virtual)
                ignore(signal_send_process(p, (struct siginfo){ .signo = SIGVTALRM, .code = SI_KERNEL }));
        if (prof)
                ignore(signal_send_process(p, (struct siginfo){ .signo = SIGPROF, .code = SI_KERNEL }));
        if (over_soft)
                ignore(signal_send_process(p, (struct siginfo){ .signo = SIGXCPU, .code = SI_KERNEL }));
        if (over_hard)
                ignore(signal_send_process(p, (struct siginfo){ .signo = SIGKILL, .code = SI_KERNEL }));
}
