/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: the signal frame: its place and alignment, the extended state and its magic numbers, what changing it does, and what
 * rt_sigreturn makes of frames that are not as they were.
 */
#include "show.h"
#include <cpuid.h>
#include <sys/auxv.h>

/* As asm/sigcontext.h has them, which the C library's headers do not go with. */
#define FP_XSTATE_MAGIC1 0x46505853U
#define FP_XSTATE_MAGIC2 0x46505845U
struct fpx_sw { uint32_t magic1, extended_size; uint64_t xfeatures; uint32_t xstate_size, padding[7]; };
struct mcontext {
        uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
        uint16_t cs, gs, fs, ss;
        uint64_t err, trapno, oldmask, cr2;
        void    *fpstate;
        uint64_t reserved[8];
};

struct uc {
        unsigned long flags;
        struct uc *link;
        struct { void *sp; int flags; size_t size; } stack;
        struct mcontext mc;
        uint64_t mask;
};

static volatile int runs;
static void (*inside)(siginfo_t *si, struct uc *uc);
static void handler(int sig, siginfo_t *si, void *c)
{
        (void)sig;
        runs++;
        if (inside)
                inside(si, c);
}

static struct fpx_sw sw;
static uint32_t magic2;
static uintptr_t at, fp_at, sp_then;
static struct uc seen;

static void look(siginfo_t *si, struct uc *uc)
{
        seen = *uc;
        at = (uintptr_t)uc;
        fp_at = (uintptr_t)uc->mc.fpstate;
        sp_then = uc->mc.rsp;
        memcpy(&sw, (char *)uc->mc.fpstate + 464, sizeof sw);
        if (sw.magic1 == FP_XSTATE_MAGIC1)
                memcpy(&magic2, (char *)uc->mc.fpstate + sw.extended_size - 4, 4);
        (void)si;
}

static int has_avx(void)
{
        unsigned a, b, c, d;
        __cpuid(1, a, b, c, d);
        return c >> 28 & 1 && c >> 27 & 1;
}

__attribute__((target("avx"))) static void ymm_set(const unsigned char *v) { asm volatile("vmovdqu %0, %%ymm7" :: "m"(*(const char (*)[32])v) : "xmm7"); }
__attribute__((target("avx"))) static void ymm_get(unsigned char *v) { asm volatile("vmovdqu %%ymm7, %0" : "=m"(*(char (*)[32])v)); }

/* Sets ymm7, takes a signal, gives ymm7. */
__attribute__((target("avx"), noinline)) static void through(const unsigned char *in, unsigned char *out)
{
        long pid = getpid(), r;
        asm volatile("vmovdqu (%[in]), %%ymm7\n\tsyscall\n\tvmovdqu %%ymm7, (%[out])"
                     : "=a"(r) : "a"(SYS_kill), "D"(pid), "S"(SIGUSR1), [in] "r"(in), [out] "r"(out) : "rcx", "r11", "xmm7", "memory");
}

static unsigned char in[32], out[32], within[32];

static void clobber(siginfo_t *si, struct uc *uc)
{
        unsigned char zero[32] = { 0 };
        (void)si, (void)uc;
        ymm_get(within);
        ymm_set(zero);
}
static void change_high(siginfo_t *si, struct uc *uc)
{
        (void)si;
        /* YMM_Hi128 stands at 576: its place by CPUID leaf 0xd. */
        unsigned a, b, c, d;
        __cpuid_count(0xd, 2, a, b, c, d);
        memset((char *)uc->mc.fpstate + b + 7 * 16, 0xab, 16);
        ((uint64_t *)((char *)uc->mc.fpstate + 512))[0] |= 4;
}
static void change_low(siginfo_t *si, struct uc *uc) { (void)si; memset((char *)uc->mc.fpstate + 160 + 7 * 16, 0xcd, 16); }
static void without_magic1(siginfo_t *si, struct uc *uc) { (void)si; ((struct fpx_sw *)((char *)uc->mc.fpstate + 464))->magic1 = 0; }
static void without_magic2(siginfo_t *si, struct uc *uc)
{
        struct fpx_sw s;
        (void)si;
        memcpy(&s, (char *)uc->mc.fpstate + 464, sizeof s);
        memset((char *)uc->mc.fpstate + s.extended_size - 4, 0, 4);
}
static void small_size(siginfo_t *si, struct uc *uc) { (void)si; ((struct fpx_sw *)((char *)uc->mc.fpstate + 464))->xstate_size = 100; }
static void big_size(siginfo_t *si, struct uc *uc) { (void)si; ((struct fpx_sw *)((char *)uc->mc.fpstate + 464))->extended_size = 1 << 30; }
static void fewer_features(siginfo_t *si, struct uc *uc) { (void)si; ((struct fpx_sw *)((char *)uc->mc.fpstate + 464))->xfeatures = 3; }
static void no_features(siginfo_t *si, struct uc *uc) { (void)si; ((uint64_t *)((char *)uc->mc.fpstate + 512))[0] = 0; }
static void compact(siginfo_t *si, struct uc *uc) { (void)si; ((uint64_t *)((char *)uc->mc.fpstate + 512))[1] = 1ull << 63 | 7; }
static void bad_mxcsr(siginfo_t *si, struct uc *uc) { (void)si; *(uint32_t *)((char *)uc->mc.fpstate + 24) = ~0u; }
static void no_fpstate(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.fpstate = 0; }
static void bad_fpstate(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.fpstate = (void *)8; }
static void kernel_fpstate(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.fpstate = (void *)0xffff888000000000ul; }
static void unaligned_fpstate(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.fpstate = (void *)((char *)uc->mc.fpstate + 8); }
static void moved_fpstate(siginfo_t *si, struct uc *uc)
{
        static char copy[16384] __attribute__((aligned(64)));
        (void)si;
        memcpy(copy, uc->mc.fpstate, sw.extended_size);
        memset(copy + 160 + 7 * 16, 0x77, 16);
        uc->mc.fpstate = (void *)copy;
}
static void misplaced_copy(siginfo_t *si, struct uc *uc)
{
        static char copy[16384] __attribute__((aligned(64)));
        (void)si;
        memcpy(copy + 16, uc->mc.fpstate, sw.extended_size);
        uc->mc.fpstate = (void *)(copy + 16);
}
static void bad_rip(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.rip = 0x8000000000000000ul; }
static void null_rip(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.rip = 0; }
static void bad_cs(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.cs = 0x1230; }
static void null_cs(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.cs = 0; }
static void kernel_cs(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.cs = 0x10; }
static void bad_ss(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.ss = 0x1230; }
static void null_ss(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.ss = 0; }
static void bad_segments(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.gs = uc->mc.fs = 0x1233; }
static void io_flags(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.eflags = 0x3000 | 0x3202; }
static void no_interrupts(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.eflags &= ~0x200ul; }
static void virtual_8086(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.eflags |= 0x20000; }
static void high_flags(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.eflags |= 0xffffffff00000000ul; }
static void direction(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.eflags |= 0x400; }
static void bad_mask(siginfo_t *si, struct uc *uc) { (void)si; uc->mask = ~0ull; }
static void bad_flags(siginfo_t *si, struct uc *uc) { (void)si; uc->flags = ~0ul; }
static void no_flags(siginfo_t *si, struct uc *uc) { (void)si; uc->flags = 0; }
static void bad_stack(siginfo_t *si, struct uc *uc) { (void)si; uc->stack.flags = 77; uc->stack.size = 1; }
static void zero_rsp(siginfo_t *si, struct uc *uc) { (void)si; uc->mc.rsp = 0; }

static void nothing(siginfo_t *si, struct uc *uc) { (void)si, (void)uc; }

#define CASE(fn) { #fn, fn }
static const struct { const char *name; void (*fn)(siginfo_t *, struct uc *); } cases[] = {
        CASE(nothing), CASE(clobber), CASE(change_high), CASE(change_low), CASE(without_magic1), CASE(without_magic2), CASE(small_size), CASE(big_size),
        CASE(fewer_features), CASE(no_features), CASE(compact), CASE(bad_mxcsr), CASE(no_fpstate),
        CASE(bad_fpstate), CASE(kernel_fpstate), CASE(unaligned_fpstate), CASE(moved_fpstate), CASE(misplaced_copy), CASE(bad_rip), 
        CASE(null_rip), CASE(bad_cs), CASE(null_cs), CASE(kernel_cs), CASE(bad_ss), CASE(null_ss), CASE(bad_segments), CASE(io_flags), CASE(no_interrupts),
        CASE(virtual_8086), CASE(high_flags), CASE(direction), CASE(bad_mask), CASE(bad_flags), CASE(no_flags), CASE(bad_stack), CASE(zero_rsp),
};

static char alt[65536];
static void segv(int sig, siginfo_t *si, void *c)
{
        struct uc *uc = c;
        say("  caught %d code %d addr %s trap %ld err %lx\n", sig, si->si_code, si->si_addr ? "some" : "0", (long)uc->mc.trapno, (long)uc->mc.err);
        _exit(40);
}

static void one(unsigned i)
{
        pid_t pid = fork();
        if (pid == 0) {
                struct sigaction sa = { .sa_sigaction = segv, .sa_flags = SA_SIGINFO | SA_ONSTACK };
                stack_t ss = { .ss_sp = alt, .ss_size = sizeof alt };
                sigset_t mask;
                sigaltstack(&ss, NULL);
                sigaction(SIGSEGV, &sa, NULL);
                inside = cases[i].fn;
                through(in, out);
                uint64_t flags;
                asm volatile("pushfq; popq %0; cld" : "=r"(flags));
                inside = NULL;
                sigprocmask(SIG_SETMASK, NULL, &mask);
                say("%s: low %02x high %02x flags %llx masked %d %d\n", cases[i].name, out[0], out[31], (long long)(flags & 0xffffffff00247700), sigismember(&mask, SIGUSR2), sigismember(&mask, SIGKILL));
                _exit(0);
        }
        int r = result_of(pid);
        if (r)
                say("%s: ends %d\n", cases[i].name, r);
}

int main(void)
{
        struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
        struct rlimit none = { 0, 0 };
        unsigned a, b, c, d;

        setrlimit(RLIMIT_CORE, &none);
        sigaction(SIGUSR1, &sa, NULL);
        inside = look;
        raise(SIGUSR1);
        CHECK("fpstate is aligned", fp_at % 64 == 0);
        CHECK("the handler's stack was", at % 8 == 0);
        CHECK("below the red zone", fp_at < sp_then - 128 && at < fp_at);
        CHECK("magic 1", sw.magic1 == FP_XSTATE_MAGIC1);
        CHECK("magic 2", magic2 == FP_XSTATE_MAGIC2);
        __cpuid_count(0xd, 0, a, b, c, d);
        CHECK("features are those of XCR0", (sw.xfeatures & 7) == (a & 7));
        CHECK("its size", sw.xstate_size == b || sw.xstate_size < b);
        CHECK("the extended size is 4 more", sw.extended_size == sw.xstate_size + 4);
        say("flags %lx segments cs %x ss %x fs %x gs %x\n", seen.flags, seen.mc.cs, seen.mc.ss, seen.mc.fs, seen.mc.gs);
        say("link %d stack flags %d sp %d size %ld\n", seen.link != NULL, seen.stack.flags, seen.stack.sp != NULL, (long)seen.stack.size);
        CHECK("minimal stack size is told", getauxval(AT_MINSIGSTKSZ) >= sw.extended_size + sizeof(struct uc) + 128);
        if (!has_avx()) {
                say("no AVX\n");
                return 1;
        }
        for (int i = 0; i < 32; i++)
                in[i] = (unsigned char)(i < 16 ? 0x11 : 0x22);
        for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
                one(i);
        inside = clobber;
        through(in, out);
        CHECK("AVX registers come back", memcmp(in, out, 32) == 0);
        say("in the handler they begin as %02x %02x\n", within[0], within[31]);
        return done();
}
