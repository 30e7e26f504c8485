/* SPDX-License-Identifier: Apache-2.0
 *
 * What a task has in the processor beside its registers: kernel stack pointer, x87/SSE/AVX
 * state, FS and GS base.  The framework itself uses none of the extended state, so the
 * current user task's is live in the CPU whenever its kernel code runs.
 *
 * Invariant U4   an arch_ustate is written by XSAVE, by reset and with load_unsafe behind it, so XRSTOR
 *                accepts it: XSTATE_BV within XCR0, no compaction, reserved bytes 0, MXCSR masked.
 */
#include "x86.h"
#include "task_impl.h"
#include "mem.h"

#define MXCSR_AT     24                 /* in the legacy area */
#define MXCSR_MASK_AT 28
#define MXCSR_RESET  0x1f80u
#define FCW_RESET    0x37fu
#define SOFTWARE_AT  464                /* bytes that the processor leaves alone */
#define FEATURES_LEGACY 3ul             /* x87 and SSE */
#define HEADER_AT    512                /* XSTATE_BV, XCOMP_BV, 48 reserved bytes */
#define XCR0_WANTED  0xe7ul             /* x87, SSE, AVX, AVX-512 */
#define KEYS_RESET   0x55555554u        /* what a program and a signal handler begin with: key 0 alone */

struct arch_ustate {
        u64 fs, gs;
        u64 spare[6];
        u8  area[] __attribute__((aligned(64)));        /* cpu_has.xsave_size bytes */
};

/* ---- kernel stacks ---- */

void arch_context_init(struct arch_context *c, u64 stack_top, void (*fn)(void))
{
        /* SAFETY: K4: a new stack, the caller's. */
        u64 *sp = (u64 *)(stack_top & ~15ul);

        *--sp = 0;                      /* alignment, and the end of backtraces */
        *--sp = (u64)fn;                /* arch_switch returns to it */
        for (u32 i = 0; i < 6; i++)
                *--sp = 0;              /* rbp rbx r12 r13 r14 r15 */
        c->sp = (u64)sp;
}

/* ---- the instructions ---- */

/* SAFETY: U4: XCR0 is the same on every CPU. */
static void xsetbv(u64 v) { __asm__ volatile ("xsetbv" :: "c"(0), "a"((u32)v), "d"((u32)(v >> 32))); }

static void save_area(u8 *area, bool all)
{
        u32 low = (u32)cpu_has.xcr0, high = (u32)(cpu_has.xcr0 >> 32);

        /* SAFETY: U4: area is xsave_size bytes, 64-aligned. */
        if (!cpu_has.xsave)
                __asm__ volatile ("fxsaveq (%0)" :: "r"(area) : "memory");
        else if (cpu_has.xsaveopt && !all)
                __asm__ volatile ("xsaveoptq (%0)" :: "r"(area), "a"(low), "d"(high) : "memory");
        else
                __asm__ volatile ("xsaveq (%0)" :: "r"(area), "a"(low), "d"(high) : "memory");
}

/* False: the processor refused it. */
static bool load_area(const u8 *area)
{
        u32 low = (u32)cpu_has.xcr0, high = (u32)(cpu_has.xcr0 >> 32);
        u32 ok = 0;

        /* SAFETY: U4, T5: what was saved, reset or checked; refused all the same, it goes on at 2. */
        if (cpu_has.xsave)
                __asm__ volatile ("1: xrstorq (%1)\n movl $1, %0\n 2:\n"
                        ".pushsection .ex_table, \"a\"\n .balign 4\n .long 1b - .\n .long 2b - .\n .popsection"
                        : "+r"(ok) : "r"(area), "a"(low), "d"(high) : "memory");
        else
                __asm__ volatile ("1: fxrstorq (%1)\n movl $1, %0\n 2:\n"
                        ".pushsection .ex_table, \"a\"\n .balign 4\n .long 1b - .\n .long 2b - .\n .popsection"
                        : "+r"(ok) : "r"(area) : "memory");
        return ok;
}

static void reset_area(u8 *area)
{
        u32 mxcsr = MXCSR_RESET;
        u16 fcw = FCW_RESET;

        __builtin_memset(area, 0, cpu_has.xsave_main);
        __builtin_memset(area + cpu_has.pkru_at, 0, cpu_has.pku ? 8 : 0);
        __builtin_memcpy(area, &fcw, sizeof fcw);
        __builtin_memcpy(area + MXCSR_AT, &mxcsr, sizeof mxcsr);
}

static u64 live_fs(void)
{
        u64 v;
        if (!cpu_has.fsgsbase)
                return rdmsr(MSR_FS_BASE);
        __asm__ volatile ("rdfsbase %0" : "=r"(v));
        return v;
}

static void set_live_fs(u64 v)
{
        /* SAFETY: U6. */
        if (cpu_has.fsgsbase)
                __asm__ volatile ("wrfsbase %0" :: "r"(v));
        else
                wrmsr(MSR_FS_BASE, v);
}

static u8 reset_state[4096] __attribute__((aligned(64))) RO_AFTER_BOOT;        /* U4: as reset_area makes it */

/* ---- for the scheduler ---- */

usize arch_ustate_size(void) { return sizeof(struct arch_ustate) + cpu_has.xsave_size; }

void arch_ustate_init(struct arch_ustate *u)
{
        u->fs = u->gs = 0;
        reset_area(u->area);
}

/* The current task's state is live; src_current is where it will be saved one day. */
void arch_ustate_copy(struct arch_ustate *dst, struct arch_ustate *src_current)
{
        reset_area(dst->area);
        dst->fs = live_fs();
        dst->gs = rdmsr(MSR_KERNEL_GS);
        save_area(dst->area, true);
}

/* Without FSGSBASE the bases change by user_set_* alone, which keep u->fs and u->gs. */
void arch_ustate_save(struct arch_ustate *u)
{
        save_area(u->area, false);
        if (cpu_has.fsgsbase) {
                u->fs = live_fs();
                u->gs = rdmsr(MSR_KERNEL_GS);
        }
}

void arch_ustate_load(struct arch_ustate *u)
{
        set_live_fs(u->fs);
        if (rdmsr(MSR_KERNEL_GS) != u->gs)              /* 0 in most programs; writing is dear */
                wrmsr(MSR_KERNEL_GS, u->gs);
        if (!load_area(u->area)) {
                reset_area(u->area);
                load_area(u->area);
        }
}

/* Per CPU. */
void fpu_setup(void)
{
        /* SAFETY: U4: the first state of this CPU; no task has one yet. */
        __asm__ volatile ("fninit");
        if (!cpu_has.xsave) {
                cpu_has.xcr0 = 3;
                cpu_has.xsave_main = cpu_has.xsave_size = 512;
        } else if (!cpu_has.xcr0) {
                struct cpuid d = cpuid(0xd, 0);
                cpu_has.xcr0 = d.eax & XCR0_WANTED;
                if ((cpu_has.xcr0 & 0xe0) != 0xe0)
                        cpu_has.xcr0 &= ~0xe0ul;
                xsetbv(cpu_has.xcr0);
                cpu_has.xsave_main = cpu_has.xsave_size = cpuid(0xd, 0).ebx;
                if (cpu_has.pku) {
                        xsetbv(cpu_has.xcr0 |= XCR0_PKRU);
                        cpu_has.xsave_size = cpuid(0xd, 0).ebx;
                        cpu_has.pkru_at = cpuid(0xd, 9).ebx;
                }
                if (cpu_has.xsave_size > 4096)
                        k_panic("the extended state is larger than 4096 bytes");
        } else {
                xsetbv(cpu_has.xcr0);
        }
        if (!cpu_has.mxcsr_mask) {
                static u8 area[512] __attribute__((aligned(64)));
                __asm__ volatile ("fxsaveq (%0)" :: "r"(area) : "memory");
                __builtin_memcpy(&cpu_has.mxcsr_mask, area + MXCSR_MASK_AT, 4);
                if (!cpu_has.mxcsr_mask)
                        cpu_has.mxcsr_mask = 0xffbf;
        }
        u32 mxcsr = MXCSR_RESET;
        __asm__ volatile ("ldmxcsr %0" :: "m"(mxcsr));
        if (!reset_state[MXCSR_AT])             /* the boot CPU */
                reset_area(reset_state);
}

/* ---- for services: the current task ---- */

usize fpu_size(void)     { return cpu_has.xsave_size; }
u64   fpu_features(void) { return cpu_has.xcr0; }

/* SAFETY: U7: user pages alone have keys. */
u32 user_keys(void)
{
        u32 v = 0;

        if (cpu_has.pku)
                __asm__ volatile ("rdpkru" : "=a"(v) : "c"(0) : "edx");
        return v;
}

/* SAFETY: U7. */
void user_set_keys(u32 keys)
{
        if (cpu_has.pku)
                __asm__ volatile ("wrpkru" :: "a"(keys), "c"(0), "d"(0) : "memory");
}

bool uxsave(u64 to, u64 components);

static struct arch_ustate *my_ustate(void)
{
        struct arch_ustate *u = current_task()->ustate;
        k_range(u != NULL);
        return u;
}

usize fpu_save(mbytes out)
{
        struct arch_ustate *u = my_ustate();
        u64 f = arch_irq_save();

        save_area(u->area, true);
        arch_irq_restore(f);
        /* A switch away in between saves the same state here again. */
        k_range(out.n_k >= cpu_has.xsave_size);
        mbytes_fill(out, 0);                    /* a hole in the area has old bytes */
        mbytes_copy(out, (bytes){ u->area, cpu_has.xsave_main });
        if (cpu_has.pku)
                mbytes_copy(mbytes_skip(out, cpu_has.pkru_at), (bytes){ u->area + cpu_has.pkru_at, 8 });
        return cpu_has.xsave_size;
}

static bool header_good(const u8 *area)
{
        u64 h[8];

        __builtin_memcpy(h, area + HEADER_AT, sizeof h);
        for (u32 i = 1; i < 8; i++)
                if (h[i])
                        return false;
        return !(h[0] & ~cpu_has.xcr0);
}

/* What is in the area is not trusted.  keeps U4 */
static bool load_unsafe(struct arch_ustate *u)
{
        u32 mxcsr;

        __builtin_memcpy(&mxcsr, u->area + MXCSR_AT, 4);
        mxcsr &= cpu_has.mxcsr_mask;
        __builtin_memcpy(u->area + MXCSR_AT, &mxcsr, 4);
        return (!cpu_has.xsave || header_good(u->area)) && load_area(u->area);
}

/* len bytes are in the area.  IRQs off: the registers change hands with it. */
static bool load_area_of(struct arch_ustate *u, usize len, u64 mask)
{
        u64 present = FEATURES_LEGACY;

        if (cpu_has.xsave) {
                if (len < HEADER_AT + 64) {
                        __builtin_memset(u->area + HEADER_AT, 0, cpu_has.xsave_main - HEADER_AT);
                } else {
                        __builtin_memset(u->area + len, 0, cpu_has.xsave_main - len);
                        __builtin_memcpy(&present, u->area + HEADER_AT, 8);
                }
                present &= mask & cpu_has.xcr0;
                __builtin_memcpy(u->area + HEADER_AT, &present, 8);
        }
        return load_unsafe(u);
}

/* What XSAVE leaves alone first: the software's bytes, and the header's that are 0.  FXSAVE takes the way by the area,
 * which is the task's spare while its registers are live, as long as no switch can come between: irqs off. */
bool user_fpu_save(u64 addr, bytes software)
{
        struct arch_ustate *u = my_ustate();
        u8 tail[HEADER_AT + 64 - SOFTWARE_AT] = { 0 };

        k_range(!(addr & 63) && software.n_k <= FPU_SOFTWARE);
        __builtin_memcpy(tail, software.p_k, software.n_k);
        if (cpu_has.xsave)                      /* SAFETY: U5: all of it is user space */
                return addr >= VM_MIN && addr < VM_MAX - cpu_has.xsave_size && user_copy_out(addr + SOFTWARE_AT, BYTES_OF(tail)) == sizeof tail &&
                       uxsave(addr, cpu_has.xcr0);
        u64 f = arch_irq_save();

        save_area(u->area, true);
        __builtin_memcpy(u->area + SOFTWARE_AT, tail, FPU_SOFTWARE);
        usize done = user_copy_out(addr, (bytes){ u->area, cpu_has.xsave_size });
        arch_irq_restore(f);
        return done == cpu_has.xsave_size;
}

err_t user_fpu_load(u64 addr, usize len, u64 mask, bool *missing)
{
        struct arch_ustate *u = my_ustate();
        u64 f = arch_irq_save();

        if (!cpu_has.pku || len < cpu_has.pkru_at + 8)
                mask &= ~XCR0_PKRU;
        len = min_u64(len, cpu_has.xsave_main);
        *missing = user_copy_in((mbytes){ u->area, len }, addr) != len;
        if (mask & XCR0_PKRU && !*missing)
                *missing = user_copy_in((mbytes){ u->area + cpu_has.pkru_at, 8 }, addr + cpu_has.pkru_at) != 8;
        bool good = !*missing && load_area_of(u, len, mask);
        if (!good) {
                reset_area(u->area);            /* XSAVEOPT counts on what is in the area */
                save_area(u->area, true);
        }
        arch_irq_restore(f);
        return good ? OK : *missing ? ERR(EFAULT) : ERR(EINVAL);
}

void fpu_reset(void)
{
        my_ustate();
        load_area(reset_state);         /* a switch in between takes along what is done so far */
        user_set_keys(KEYS_RESET);
}

/* ---- thread pointers ---- */

static err_t set_base(struct task *t, u64 base, bool fs)
{
        if (base >= VM_MAX)
                return ERR(EPERM);
        struct arch_ustate *u = task_claim_ustate(t);
        u64 f = arch_irq_save();
        if (fs)
                u->fs = base;
        else
                u->gs = base;
        if (t == current_task()) {
                if (fs)
                        set_live_fs(base);
                else
                        wrmsr(MSR_KERNEL_GS, base);
        }
        arch_irq_restore(f);
        task_unclaim_ustate(t);
        return OK;
}

static u64 get_base(struct task *t, bool fs)
{
        struct arch_ustate *u = task_claim_ustate(t);
        u64 f = arch_irq_save();
        u64 v = fs ? u->fs : u->gs;
        if (t == current_task())
                v = fs ? live_fs() : rdmsr(MSR_KERNEL_GS);
        arch_irq_restore(f);
        task_unclaim_ustate(t);
        return v;
}

err_t user_set_fs(struct task *t, u64 base) { return set_base(t, base, true); }
err_t user_set_gs(struct task *t, u64 base) { return set_base(t, base, false); }
u64   user_get_fs(struct task *t)           { return get_base(t, true); }
u64   user_get_gs(struct task *t)           { return get_base(t, false); }
