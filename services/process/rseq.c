/* SPDX-License-Identifier: Apache-2.0
 *
 * rseq(2) and membarrier(2): what threads of a program tell each other through the kernel.
 *
 * A registered thread has a struct rseq in user memory. When it comes back to user code after it was preempted, moved to
 * another CPU or interrupted by a signal, rseq_resume writes the CPU's number there and, if it was inside a
 * critical section, sends it to that section's abort handler. The scheduler notifies such threads (rseq_area); a signal
 * passes by here on its way to its frame.
 */
#include "services/process/process_impl.h"
#include "services/vm/vm.h"
#include "abi/cpu/sysargs.h"

err_t process_rseq(u64 area, u32 len, u32 flags, u32 sig)
{
        struct thread *t = thread_current();
        bool same = area == t->rseq_area && len == sizeof(struct linux_rseq);

        if (flags == RSEQ_FLAG_UNREGISTER) {
                struct linux_rseq none = { .cpu_id = (u32)RSEQ_CPU_ID_UNINITIALIZED };
                if (!t->rseq_area || !same)
                        return ERR(EINVAL);
                if (sig != t->rseq_sig)
                        return ERR(EPERM);
                TRY(vm_copy_out(area, bytes_take(BYTES_OF(none), 8)));
                STORE(t->rseq_area, 0ul);
                return OK;
        }
        if (flags)
                return ERR(EINVAL);
        if (t->rseq_area)
                return ERR(!same ? EINVAL : sig != t->rseq_sig ? EPERM : EBUSY);
        if (area % sizeof(struct linux_rseq) || len != sizeof(struct linux_rseq))
                return ERR(EINVAL);
        if (!vm_is_user(area, len))
                return ERR(EFAULT);
        t->rseq_sig = sig;
        t->rseq_len = len;
        STORE(t->rseq_area, area);
        task_notify(t->base.task);
        return OK;
}

/* The section whose description is at `at`.  EINVAL: it makes no sense. */
static err_t get_section(struct thread *t, u64 at, struct linux_rseq_cs *out)
{
        struct linux_rseq_cs cs = {};
        u32 sig = 0;

        if (!vm_is_user(at, sizeof cs))
                return ERR(EINVAL);
        TRY(vm_copy_in(MBYTES_OF(cs), at));
        if (cs.version || !vm_is_user(cs.start_ip, cs.post_commit_offset) || !vm_is_user(cs.abort_ip, 1))
                return ERR(EINVAL);
        if (cs.abort_ip - cs.start_ip < cs.post_commit_offset)
                return ERR(EINVAL);
        TRY(vm_copy_in(MBYTES_OF(sig), cs.abort_ip - sizeof sig));
        *out = cs;
        return sig == t->rseq_sig ? OK : ERR(EINVAL);
}

static err_t leave_section(struct thread *t, struct user_regs *regs)
{
        struct linux_rseq area = {};
        struct linux_rseq_cs cs = {};

        TRY(vm_load64(t->rseq_area + 8, &area.rseq_cs));
        if (!area.rseq_cs)
                return OK;
        TRY(get_section(t, area.rseq_cs, &cs));
        bool inside = user_ip(regs) - cs.start_ip < cs.post_commit_offset;
        if (inside) {
                TRY(vm_load32(t->rseq_area + 16, &area.flags));
                if (cs.flags || area.flags)
                        return ERR(EINVAL);
        }
        TRY(vm_store64(t->rseq_area + 8, 0));
        if (inside)
                user_set_ip(regs, cs.abort_ip);
        return OK;
}

void rseq_resume(struct thread *t, struct user_regs *regs)
{
        err_t err = leave_section(t, regs);
        u64 cpu = cpu_id();

        /* cpu_id_start and cpu_id at once. */
        if (succeeded(err))
                err = vm_store64(t->rseq_area, cpu | cpu << 32);
        if (failed(err))
                signal_force((struct siginfo){ .signo = SIGSEGV, .code = SI_KERNEL });
}

/* ---- membarrier(2) ---- */

#define GLOBAL    (MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED)
#define EXPEDITED (MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | \
                   MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ)
#define REGISTER  (EXPEDITED << 1)

/* Threads of the process that run a critical section begin it again. */
static void restart_sections(struct process *p)
{
        SPIN_GUARD(&p->lock);
        for (struct thread *t = p->threads; t; t = t->next)
                if (LOAD(t->rseq_area) && !t->exiting)
                        task_notify(t->base.task);
}

err_t process_membarrier(u32 cmd, u32 flags, u32 cpu, u64 *result)
{
        struct process *p = thread_current()->process;

        if (flags && !(cmd == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ && flags == MEMBARRIER_CMD_FLAG_CPU))
                return ERR(EINVAL);
        *result = 0;
        switch (cmd) {
        case MEMBARRIER_CMD_QUERY:
                *result = GLOBAL | EXPEDITED | REGISTER;
                return OK;
        case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
                return OK;              /* all CPUs are asked anyway */
        case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
        case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
        case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
                FETCH_OR(p->membarrier, cmd);
                return OK;
        case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
        case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
        case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
                if (!(LOAD(p->membarrier) & cmd << 1))
                        return ERR(EPERM);
                if (cmd == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ && (!flags || cpu < cpu_count()))
                        restart_sections(p);
                break;
        case MEMBARRIER_CMD_GLOBAL:
        case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
                break;
        default:
                return ERR(EINVAL);
        }
        cpu_barrier();
        return OK;
}
