/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: rseq: registration, the CPU's number, critical sections that are broken by preemption, signals and bad descriptions;
 * membarrier; what fork and exec keep.
 */
#include "abi.h"
#include <pthread.h>

#define SIG 0x53053053u
struct area { uint32_t cpu_id_start, cpu_id; uint64_t cs; uint32_t flags, pad[3]; } __attribute__((aligned(32)));
struct section { uint32_t version, flags; uint64_t start, len, abort; } __attribute__((aligned(32)));

static struct area area;
static int rseq_(struct area *a, uint32_t len, int flags, uint32_t sig) { return syscall(SYS_rseq, a, len, flags, sig); }
static int set(void) { return rseq_(&area, 32, 0, SIG); }
static int unset(void) { return rseq_(&area, 32, 1, SIG); }
static int barrier(int cmd, int flags, int cpu) { return syscall(SYS_membarrier, cmd, flags, cpu); }

/* Counts up in a critical section till `limit`; returns 1 if it was aborted. */
static int spin(struct section *cs, volatile uint64_t *count, uint64_t limit)
{
        int aborted;
        __asm__ volatile(
                "lea 1f(%%rip), %%rax\n\tmov %%rax, 8(%[cs])\n\t"
                "lea 2f(%%rip), %%rcx\n\tsub %%rax, %%rcx\n\tmov %%rcx, 16(%[cs])\n\t"
                "lea 4f(%%rip), %%rax\n\tmov %%rax, 24(%[cs])\n\t"
                "mov %[cs], %[slot]\n\t"
                "1:\n\tincq %[count]\n\tcmp %[limit], %[count]\n\tjb 1b\n\t"
                "2:\n\txor %[aborted], %[aborted]\n\tjmp 5f\n\t"
                ".long 0x53053053\n\t"
                "4:\n\tmov $1, %[aborted]\n\t"
                "5:\n\t"
                : [aborted] "=&r"(aborted), [count] "+m"(*count), [slot] "=m"(area.cs)
                : [cs] "r"(cs), [limit] "r"(limit) : "rax", "rcx", "memory", "cc");
        return aborted;
}

static volatile int caught;
static volatile uint64_t cs_in_handler;
static void handler(int sig) { (void)sig; caught++; cs_in_handler = area.cs; }
static volatile int stop;
static void *busy(void *arg) { while (!stop) ; return arg; }

static void registration(void)
{
        struct area other;
        FAILS("unset without", EINVAL, unset());
        FAILS("length", EINVAL, rseq_(&area, 24, 0, SIG));
        FAILS("a longer one", EINVAL, rseq_(&area, 64, 0, SIG));
        FAILS("alignment", EINVAL, rseq_((void *)((char *)&area + 8), 32, 0, SIG));
        FAILS("flags", EINVAL, rseq_(&area, 32, 2, SIG));
        FAILS("flags with unset", EINVAL, rseq_(&area, 32, 3, SIG));
        FAILS("not user space", EFAULT, rseq_((void *)(1ul << 63), 32, 0, SIG));
        area.cpu_id = -1;
        OKAY("set", set());
        CHECK("the CPU", area.cpu_id < 64 && area.cpu_id_start == area.cpu_id);
        FAILS("again", EBUSY, set());
        FAILS("again, another signature", EPERM, rseq_(&area, 32, 0, SIG + 1));
        FAILS("another place", EINVAL, rseq_(&other, 32, 0, SIG));
        FAILS("unset: signature", EPERM, rseq_(&area, 32, 1, SIG + 1));
        FAILS("unset: another place", EINVAL, rseq_(&other, 32, 1, SIG));
        FAILS("unset: length", EINVAL, rseq_(&area, 24, 1, SIG));
        OKAY("unset", unset());
        CHECK("no CPU", area.cpu_id == (uint32_t)-1 && area.cpu_id_start == 0);
}

static void moves(void)
{
        cpu_set_t all, one;
        int good = 1;
        set();
        sched_getaffinity(0, sizeof all, &all);
        for (int i = 0; i < 50; i++)
                for (int cpu = 0; cpu < 64; cpu++)
                        if (CPU_ISSET(cpu, &all)) {
                                CPU_ZERO(&one);
                                CPU_SET(cpu, &one);
                                sched_setaffinity(0, sizeof one, &one);
                                good &= *(volatile uint32_t *)&area.cpu_id == (uint32_t)cpu;
                        }
        CHECK("the CPU's number follows", good);
        sched_setaffinity(0, sizeof all, &all);
        unset();
}

static void sections(void)
{
        struct section cs = { 0 };
        struct itimerval v = { { 0, 0 }, { 0, 20000 } };
        volatile uint64_t count = 0;
        pthread_t t;

        set();
        CHECK("undisturbed", spin(&cs, &count, 100) == 0 && count == 100);
        sleep_ms(5);
        CHECK("outside: forgotten", area.cs == 0);
        on(SIGALRM, handler, 0);
        setitimer(ITIMER_REAL, &v, NULL);
        count = 0;
        CHECK("a signal, or before it the scheduler", spin(&cs, &count, ~0ull) == 1);
        while (!caught)
                ;
        CHECK("the handler sees none", cs_in_handler == 0 && area.cs == 0);
        pthread_create(&t, NULL, busy, NULL);
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(0, &one);
        sched_setaffinity(0, sizeof one, &one);
        pthread_setaffinity_np(t, sizeof one, &one);
        count = 0;
        CHECK("preemption", spin(&cs, &count, ~0ull) == 1);
        stop = 1;
        pthread_join(t, NULL);
        unset();
        cs.flags = 0;
}

static struct section bad;
static int with_bad(void)
{
        struct itimerval v = { { 0, 1000 }, { 0, 1000 } };
        volatile uint64_t count = 0;
        on(SIGALRM, handler, 0);
        set();
        area.cs = (uint64_t)&bad;
        setitimer(ITIMER_REAL, &v, NULL);
        while (count++ < 4000000000ull && caught < 3)
                ;
        return 0;
}
static int nowhere(void)
{
        set();
        area.cs = 8;
        for (int i = 0; i < 1000; i++)
                sched_yield(), sleep_ms(1);
        return 0;
}
static int not_there(void)
{
        char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        rseq_((void *)p, 32, 0, SIG);
        munmap(p, PAGE);
        for (int i = 0; i < 1000; i++)
                sleep_ms(1);
        return 0;
}

static void bad_ones(void)
{
        static uint32_t code[8] = { 0, 0, 0, SIG };
        bad = (struct section){ .version = 1, .start = 4096, .len = 16, .abort = (uint64_t)(code + 4) };
        CHECK("version", in_child(with_bad) == KILLED(SIGSEGV));
        bad = (struct section){ .start = (uint64_t)code, .len = 32, .abort = (uint64_t)(code + 4) };
        CHECK("abort inside", in_child(with_bad) == KILLED(SIGSEGV));
        bad = (struct section){ .start = 4096, .len = 16, .abort = (uint64_t)(code + 3) };
        CHECK("signature", in_child(with_bad) == KILLED(SIGSEGV));
        bad = (struct section){ .start = ~0ull - 5, .len = 16, .abort = (uint64_t)(code + 4) };
        CHECK("around the end", in_child(with_bad) == KILLED(SIGSEGV));
        bad = (struct section){ .start = 4096, .len = 16, .abort = 1ull << 63 };
        CHECK("abort not in user space", in_child(with_bad) == KILLED(SIGSEGV));
        bad = (struct section){ .start = 4096, .len = 16, .abort = (uint64_t)(code + 4) };
        CHECK("a good one elsewhere", in_child(with_bad) == 0);
        CHECK("a description that is not there", in_child(nowhere) == KILLED(SIGSEGV));
        CHECK("an area that is not there", in_child(not_there) == KILLED(SIGSEGV));
}

static int forked(void)
{
        FAILS("fork keeps it", EBUSY, set());
        OKAY("and it can be unset", unset());
        return done();
}
static void *threaded(void *arg) { return rseq_(arg, 32, 0, SIG) == 0 ? arg : NULL; }

static void inheritance(void)
{
        static struct area its;
        pthread_t t;
        void *r;
        set();
        CHECK("in a child", in_child(forked) == 0);
        pthread_create(&t, NULL, threaded, &its);
        pthread_join(t, &r);
        CHECK("a thread has none", r != NULL);
        unset();
}

static void barriers(void)
{
        CHECK("query", (barrier(0, 0, 0) & 0x1ff) == 0x1ff);
        FAILS("flags", EINVAL, barrier(0, 1, 0));
        FAILS("no command", EINVAL, barrier(3, 0, 0));
        FAILS("nor this", EINVAL, barrier(0x200, 0, 0));
        FAILS("not registered", EPERM, barrier(8, 0, 0));
        FAILS("SYNC_CORE, not registered", EPERM, barrier(0x20, 0, 0));
        FAILS("RSEQ, not registered", EPERM, barrier(0x80, 0, 0));
        OKAY("global", barrier(1, 0, 0));
        OKAY("global expedited", barrier(2, 0, 0));
        OKAY("register global", barrier(4, 0, 0));
        OKAY("register", barrier(0x10, 0, 0));
        OKAY("private", barrier(8, 0, 0));
        FAILS("private, flags", EINVAL, barrier(8, 1, 0));
        OKAY("register SYNC_CORE", barrier(0x40, 0, 0));
        OKAY("SYNC_CORE", barrier(0x20, 0, 0));
        OKAY("register RSEQ", barrier(0x100, 0, 0));
        OKAY("RSEQ", barrier(0x80, 0, 0));
        OKAY("RSEQ of a CPU", barrier(0x80, 1, 0));
        FAILS("RSEQ, other flags", EINVAL, barrier(0x80, 2, 0));
        OKAY("RSEQ of no CPU", barrier(0x80, 1, 5000));
        int ok = 1;
        for (int i = 0; i < 1000; i++)
                ok &= barrier(8, 0, 0) == 0;
        CHECK("a thousand", ok);
}

int main(void)
{
        registration();
        moves();
        sections();
        bad_ones();
        inheritance();
        barriers();
        return done();
}
