/* SPDX-License-Identifier: Apache-2.0
 *
 * Signal frames: what is put on the user stack for a handler, and taken back by
 * rt_sigreturn(2).  Their form is the CPU's: abi/cpu/sigframe.h.
 *
 * The FPU state goes between the registers and user memory without a stop. Everything read back is checked: registers and FPU state by
 * the framework when it loads them, the rest here.
 */
#include "services/signal/signal_impl.h"
#include "services/vm/vm.h"
#include "abi/cpu/const.h"
#include "abi/cpu/sigframe.h"
#include "abi/cpu/sysargs.h"

bool signal_fpu_ready(struct thread *t)
{
        if (!t->fpu_buffer)
                t->fpu_buffer = blob_alloc(t->payer, sigframe_fpu_bytes(fpu_size()));
        return t->fpu_buffer != NULL;
}

/* ---- To the handler ---- */

/* Where the frame goes.  False: it would not fit the alternate stack that it is meant for. */
static bool place_frame(struct thread *t, u64 sp, u64 flags, struct sigframe_place *place)
{
        u32  state = altstack_state(t, sp);
        bool enters = (flags & SA_ONSTACK) && state == 0;

        *place = sigframe_place(enters ? t->altstack_sp + t->altstack_size : sp, !enters, fpu_size());
        return !(enters || state == SS_ONSTACK) || place->frame > t->altstack_sp;
}

static bool push_fpu(u64 at)
{
        u64 size = fpu_size();
        struct linux_fpx_sw_bytes sw = sigframe_sw_bytes(size, fpu_features());

        while (!user_fpu_save(at, BYTES_OF(sw)))
                if (failed(vm_fault_in(at, size, true)))
                        return false;
        return size == SIGFRAME_LEGACY_FPU || succeeded(vm_store32(at + size, FP_XSTATE_MAGIC2));
}

static struct linux_stack stack_of(struct thread *t, u64 sp)
{
        u32 flags = altstack_state(t, sp) | (t->altstack_flags & SS_FLAG_BITS);
        return (struct linux_stack){ .ss_sp = t->altstack_sp, .ss_size = t->altstack_size, .ss_flags = (i32)flags };
}

bool frame_push(struct thread *t, struct user_regs *regs, const struct frame_request *req)
{
        struct linux_rt_sigframe frame = {};
        struct sigframe_place place;
        u64 sp = user_sp(regs);

        if (!(req->action->flags & SA_RESTORER) || !place_frame(t, sp, req->action->flags, &place) || !push_fpu(place.fp))
                return false;
        frame.pretcode = req->action->restorer;
        frame.uc.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (fpu_size() > SIGFRAME_LEGACY_FPU ? UC_FP_XSTATE : 0);
        frame.uc.uc_stack = stack_of(t, sp);
        sigframe_save_regs(&frame.uc.uc_mcontext, regs,
                           (struct sigframe_fault){ t->fault.vector, t->fault.error, t->fault.addr });
        frame.uc.uc_mcontext.oldmask = req->old_mask;
        frame.uc.uc_mcontext.fpstate = place.fp;
        frame.uc.uc_sigmask = req->old_mask;
        frame.info = siginfo_to_linux(req->info);
        if (failed(vm_copy_out(place.frame, BYTES_OF(frame))))
                return false;
        if (t->altstack_flags & SS_AUTODISARM) {
                t->altstack_sp = 0;
                t->altstack_size = 0;
                t->altstack_flags = SS_DISABLE;
        }
        sigframe_enter(regs, req->action->handler, place.frame, req->info->signo);
        fpu_reset();                    /* a handler begins with no exception unmasked or pending, and the rights of key 0 alone */
        return true;
}

/* ---- And back ---- */

static err_t load_fpu(u64 at)
{
        struct linux_fpx_sw_bytes sw = {};
        u64 size = fpu_size();
        u32 magic2 = 0;
        bool missing;

        if (!at) {
                fpu_reset();
                return OK;
        }
        TRY(vm_copy_in(mbytes_take(MBYTES_OF(sw), SIGFRAME_SW_USED), at + SIGFRAME_SW_OFFSET));
        u64 extent = sigframe_fpu_extent(&sw, size), features = fpu_features();
        if (extent > SIGFRAME_LEGACY_FPU) {
                TRY((at + extent) % 4 ? vm_copy_in(MBYTES_OF(magic2), at + extent) : vm_load32(at + extent, &magic2));
                features &= sw.xfeatures;
        }
        if (magic2 != FP_XSTATE_MAGIC2) {
                extent = SIGFRAME_LEGACY_FPU;
                features = fpu_features();
        }
        if (at % (extent > SIGFRAME_LEGACY_FPU ? 64 : 16))
                return ERR(EINVAL);
        for (;;) {
                err_t err = user_fpu_load(at, extent, features, &missing);
                if (!missing)
                        return err;
                TRY(vm_fault_in(at, extent, false));
        }
}

static err_t take_back(struct thread *t, struct user_regs *regs)
{
        struct linux_ucontext uc;
        struct linux_stack old;
        struct sigframe_fault fault = {};
        u64 frame = sigframe_of_return(regs);

        /* The return address was popped; the siginfo is of no interest any more. */
        TRY(vm_copy_in(MBYTES_OF(uc), frame + 8));
        TRY(load_fpu(uc.uc_mcontext.fpstate));
        signal_set_blocked(t, uc.uc_sigmask);
        bool good = sigframe_restore_regs(regs, &uc.uc_mcontext, (uc.uc_flags & UC_STRICT_RESTORE_SS) != 0, &fault);
        ignore(signal_altstack(&uc.uc_stack, &old, user_sp(regs)));
        if (good)
                return OK;
        t->fault.vector = fault.vector;
        t->fault.error = fault.error;
        return ERR(EINVAL);
}

err_t signal_return(struct user_regs *regs)
{
        struct thread *t = thread_current();

        t->restart.kind = RESTART_NONE;         /* what the handler interrupted was settled when it ran */
        if (failed(take_back(t, regs)))
                signal_force((struct siginfo){ .signo = SIGSEGV, .code = SI_KERNEL });
        return OK;
}
