/* SPDX-License-Identifier: Apache-2.0
 *
 * The last resort when memory is gone: the process whose death frees most is killed.
 *
 * Badness is pages in memory and page tables, and oom_score_adj thousandths of all memory;
 * the first process and those with -1000 are spared.  While a victim is still dying, no
 * other is chosen: the caller waits a little and tries again.
 */
#include "services/process/process_impl.h"
#include "services/security/cred.h"
#include "services/vm/vm.h"
#include "abi/const/mm.h"

#define PATIENCE (10 * NSEC_PER_MSEC)

static bool may_die(struct process *p)
{
        return !p->is_init && p->oom_score_adj != OOM_SCORE_ADJ_MIN && !p->zombie;
}

static i64 badness(struct process *p, struct vm *vm, u64 total)
{
        i64 pages = (i64)(vm_rss(vm) + vmspace_tables(vm_space(vm)));
        i64 adjusted = pages + (i64)p->oom_score_adj * (i64)(total / 1000);
        return max_i64(adjusted, 1);
}

struct choice { struct process *victim; i64 score; bool dying; };

/* p is counted by the caller; a chosen victim gets a count of its own. */
static void consider(struct choice *c, struct process *p, u64 total)
{
        struct vm *vm = process_vm(p);

        if (!vm)
                return;
        if (p->oom_victim) {
                c->dying = true;
        } else if (may_die(p)) {
                i64 score = badness(p, vm, total);
                if (score > c->score) {
                        process_drop(c->victim);
                        c->victim = process_hold(p);
                        c->score = score;
                }
        }
        vm_drop(vm);
}

static struct choice choose(struct pid_ns *ns)
{
        struct choice c = {};
        u64 total = mem_stats().total;
        struct process *p = process_next(ns, 1);

        while (p) {
                u32 nr = p->tgid;
                consider(&c, p, total);
                process_drop(p);
                p = process_next(ns, nr + 1);
        }
        return c;
}

static u64 kib(u64 pages) { return pages * (PAGE_SIZE / 1024); }

static bytes name_of(struct thread *t)
{
        bytes comm = BYTES_OF(t->comm);
        return bytes_take(comm, bytes_find(comm, 0));
}

/* The table of processes, for who reads the log afterwards. */
static void report_tasks(struct pid_ns *ns)
{
        struct process *p = process_next(ns, 1);

        klog(LOG_INFO, "Tasks state (memory values in pages):");
        klog(LOG_INFO, "[  pid  ]   uid  tgid rss pgtables oom_score_adj name");
        while (p) {
                u32 nr = p->tgid;
                struct vm *vm = process_vm(p);
                struct cred *cred = thread_cred(p->leader);
                if (vm && cred)
                        klog(LOG_INFO, "[{}] {} {} {} {} {} {}", nr, cred->uid, p->tgid, vm_rss(vm),
                             vmspace_tables(vm_space(vm)), p->oom_score_adj, name_of(p->leader));
                cred_drop(cred);
                vm_drop(vm);
                process_drop(p);
                p = process_next(ns, nr + 1);
        }
}

static void report(struct pid_ns *ns, struct process *victim, u64 pages)
{
        struct thread *self = thread_current();
        struct mem_stats m = mem_stats();

        klog(LOG_WARNING, "{} invoked oom-killer: pages={}, oom_score_adj={}", name_of(self), pages,
             self->process->oom_score_adj);
        klog(LOG_INFO, "Mem-Info: total {}kB free {}kB user and cache {}kB pools {}kB page tables {}kB stacks {}kB",
             kib(m.total), kib(m.free), kib(m.byte_frames), kib(m.pools), kib(m.page_tables), kib(m.stacks));
        if (vm_settings(vm_domain_of(self->vm)).oom_dump_tasks)
                report_tasks(ns);
        if (!victim)
                return;
        struct vm *vm = process_vm(victim);
        struct cred *cred = thread_cred(victim->leader);
        /* Nothing that takes the victim's mmap_lock: who holds it may be waiting for memory. */
        if (vm && cred)
                klog(LOG_ERR, "Out of memory: Killed process {} ({}) total-rss:{}kB, UID:{} pgtables:{}kB oom_score_adj:{}",
                     victim->tgid, name_of(victim->leader), kib(vm_rss(vm)), cred->uid,
                     kib(vmspace_tables(vm_space(vm))), victim->oom_score_adj);
        cred_drop(cred);
        vm_drop(vm);
}

/* Everyone who uses this memory must go, or nothing is freed. */
static void kill_sharers(struct pid_ns *ns, struct process *victim)
{
        struct vm *vm = process_vm(victim);
        struct process *p = process_next(ns, 1);

        while (p) {
                u32 nr = p->tgid;
                struct vm *its = process_vm(p);
                if (p == victim || (its && its == vm && !p->is_init)) {
                        p->oom_victim = true;
                        ignore(signal_send_process(p, (struct siginfo){ .signo = SIGKILL, .code = SI_KERNEL }));
                }
                vm_drop(its);
                process_drop(p);
                p = process_next(ns, nr + 1);
        }
        vm_drop(vm);
}

static bool oom_kill(struct vm *for_vm, u64 pages)
{
        struct task_body *body = task_current();
        if (!IS_A(thread, body))
                return false;
        struct thread *self = DOWNCAST(thread, body);
        struct pid_ns *ns = ns_of(self->process);

        if (LOAD(self->process->exiting))
                return false;           /* it is going anyway; to wait for memory would keep it from freeing its own */
        struct choice c = {};
        if (vm_settings(vm_domain_of(for_vm)).oom_kill_caller && may_die(self->process) && !self->process->oom_victim)
                c.victim = process_hold(self->process);
        else
                c = choose(ns);
        if (c.dying) {
                ignore(sleep_until(time_now() + PATIENCE, WAIT_KILLABLE));
        } else {
                report(ns, c.victim, pages);
                if (c.victim)
                        kill_sharers(ns, c.victim);
        }
        bool any = c.dying || c.victim;
        process_drop(c.victim);
        return any;
}

const struct vm_oom_ops process_oom_ops = { .kill = oom_kill };
