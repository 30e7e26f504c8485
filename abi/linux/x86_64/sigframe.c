/* SPDX-License-Identifier: Apache-2.0
 *
 * The form of signal frames.  See sigframe.h.
 */
#include "abi/linux/x86_64/sigframe.h"
#include "abi/linux/x86_64/sysargs.h"
#include "abi/const/signal.h"
#include "abi/const/x86_64.h"

#define RED_ZONE        128
#define HEADER_END      576             /* of the XSAVE header */
/* The flags a program may have set. */
#define USER_FLAGS (X86_EFLAGS_AC | X86_EFLAGS_OF | X86_EFLAGS_DF | X86_EFLAGS_TF | X86_EFLAGS_SF | X86_EFLAGS_ZF | \
                    X86_EFLAGS_AF | X86_EFLAGS_PF | X86_EFLAGS_CF | X86_EFLAGS_RF)

#define HAS_XSAVE(size) ((size) > SIGFRAME_LEGACY_FPU)

u64 sigframe_fpu_bytes(u64 fpu_size)
{
        return HAS_XSAVE(fpu_size) ? fpu_size + FP_XSTATE_MAGIC2_SIZE : fpu_size;
}

struct sigframe_place sigframe_place(u64 sp, bool red_zone, u64 fpu_size)
{
        if (red_zone)
                sp -= RED_ZONE;
        u64 fp = (sp - sigframe_fpu_bytes(fpu_size)) & ~63ul;
        /* At the handler's first instruction the stack is as after a call: 8 below a multiple of 16. */
        u64 frame = ((fp - sizeof(struct linux_rt_sigframe)) & ~15ul) - 8;
        return (struct sigframe_place){ .frame = frame, .fp = fp };
}

struct linux_fpx_sw_bytes sigframe_sw_bytes(u64 fpu_size, u64 features)
{
        if (!HAS_XSAVE(fpu_size))
                return (struct linux_fpx_sw_bytes){};
        return (struct linux_fpx_sw_bytes){ .magic1 = FP_XSTATE_MAGIC1, .extended_size = (u32)sigframe_fpu_bytes(fpu_size),
                                            .xfeatures = features, .xstate_size = (u32)fpu_size };
}

u64 sigframe_fpu_extent(const struct linux_fpx_sw_bytes *sw, u64 fpu_size)
{
        if (!HAS_XSAVE(fpu_size) || sw->magic1 != FP_XSTATE_MAGIC1 || sw->xstate_size < HEADER_END ||
            sw->xstate_size > fpu_size || sw->xstate_size > sw->extended_size)
                return SIGFRAME_LEGACY_FPU;
        return sw->xstate_size;
}

void sigframe_save_regs(struct linux_sigcontext *sc, const struct user_regs *r, struct sigframe_fault fault)
{
        sc->r8 = r->r8;   sc->r9 = r->r9;   sc->r10 = r->r10; sc->r11 = r->r11;
        sc->r12 = r->r12; sc->r13 = r->r13; sc->r14 = r->r14; sc->r15 = r->r15;
        sc->rdi = r->rdi; sc->rsi = r->rsi; sc->rbp = r->rbp; sc->rbx = r->rbx;
        sc->rdx = r->rdx; sc->rax = r->rax; sc->rcx = r->rcx; sc->rsp = r->rsp;
        sc->rip = r->rip;
        sc->eflags = r->rflags;
        sc->cs = (u16)r->cs;
        sc->ss = (u16)r->ss;
        sc->err = fault.error;
        sc->trapno = fault.vector;
        sc->cr2 = fault.addr;
}

#define GENERAL_PROTECTION 13

bool sigframe_restore_regs(struct user_regs *r, const struct linux_sigcontext *sc, bool ss, struct sigframe_fault *fault)
{
        bool bad_cs = (sc->cs | 3u) != r->cs, bad_ss = ss && (sc->ss | 3u) != r->ss;

        r->r8 = sc->r8;   r->r9 = sc->r9;   r->r10 = sc->r10; r->r11 = sc->r11;
        r->r12 = sc->r12; r->r13 = sc->r13; r->r14 = sc->r14; r->r15 = sc->r15;
        r->rdi = sc->rdi; r->rsi = sc->rsi; r->rbp = sc->rbp; r->rbx = sc->rbx;
        r->rdx = sc->rdx; r->rax = sc->rax; r->rcx = sc->rcx; r->rsp = sc->rsp;
        r->rip = sc->rip;
        r->rflags = (r->rflags & ~USER_FLAGS) | (sc->eflags & USER_FLAGS);
        forget_syscall(r);
        fault->vector = GENERAL_PROTECTION;
        fault->error = (bad_cs ? sc->cs : sc->ss) & 0xfffcu;
        return !bad_cs && !bad_ss;
}

void sigframe_enter(struct user_regs *r, u64 handler, u64 frame, u32 sig)
{
        struct linux_rt_sigframe form;
        r->rdi = sig;
        r->rsi = frame + sizeof form.pretcode + sizeof form.uc;
        r->rdx = frame + sizeof form.pretcode;
        r->rax = 0;                     /* no vector arguments, for variadic handlers */
        r->rip = handler;
        r->rsp = frame;
        r->rflags &= ~(X86_EFLAGS_DF | X86_EFLAGS_RF | X86_EFLAGS_TF);
        forget_syscall(r);
}

u64 sigframe_of_return(const struct user_regs *r) { return r->rsp - 8; }

/* Of the x87 status or MXCSR flags not masked, the first in the order the manuals give. */
static i32 float_code(u32 raised)
{
        if (raised & 0x01)
                return FPE_FLTINV;
        if (raised & 0x04)
                return FPE_FLTDIV;
        if (raised & 0x08)
                return FPE_FLTOVF;
        if (raised & 0x12)              /* denormal operand, underflow */
                return FPE_FLTUND;
        if (raised & 0x20)
                return FPE_FLTRES;
        return FPE_FLTUNK;
}

bool trap_needs_fpu(u32 vector) { return vector == 16 || vector == 19; }

struct trap_signal trap_signal(u32 vector, u64 dr6, bytes fpu)
{
        switch (vector) {
        case 0:
                return (struct trap_signal){ SIGFPE, FPE_INTDIV, true };
        case 1:
                return (struct trap_signal){ SIGTRAP, dr6 & 0xf ? TRAP_HWBKPT : TRAP_TRACE, true };
        case 3:
                return (struct trap_signal){ SIGTRAP, SI_KERNEL, false };
        case 6:
                return (struct trap_signal){ SIGILL, ILL_ILLOPN, true };
        case 11:
        case 12:
                return (struct trap_signal){ SIGBUS, SI_KERNEL, false };
        case 16: {
                u32 control = bytes_le16(fpu, 0), status = bytes_le16(fpu, 2);
                return (struct trap_signal){ SIGFPE, float_code(status & ~control & 0x3f), true };
        }
        case 17:
                return (struct trap_signal){ SIGBUS, BUS_ADRALN, false };
        case 19: {
                u32 mxcsr = bytes_le32(fpu, 24);
                return (struct trap_signal){ SIGFPE, float_code(~(mxcsr >> 7) & mxcsr & 0x3f), true };
        }
        default:                        /* overflow, bound, general protection and what should not occur */
                return (struct trap_signal){ SIGSEGV, SI_KERNEL, false };
        }
}
