/* SPDX-License-Identifier: Apache-2.0
 *
 * mmap_flags: the flags of mmap one by one, and the rules of the address space.
 */
#include "show.h"
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)
#define AN (MAP_PRIVATE | MAP_ANONYMOUS)

static long map(void *a, size_t n, int prot, int flags, int fd, off_t off)
{
        return syscall(SYS_mmap, a, n, prot, flags, fd, off);
}

static int resident(char *p, int pages)
{
        unsigned char v[64];
        int           n = 0;

        if (mincore(p, pages * PAGE, v) < 0)
                return -1;
        for (int i = 0; i < pages; i++)
                n += v[i] & 1;
        return n;
}

static void types(void)
{
        put_text("file", "hello");
        int fd = open("file", O_RDWR), ro = open("file", O_RDONLY), dev = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR);
        int p[2], o_path = open("file", O_PATH);

        pipe(p);
        PLACED("type 0", map(NULL, PAGE, RW, 0, fd, 0));
        PLACED("type 0, anonymous", map(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0));
        PLACED("all type bits", map(NULL, PAGE, RW, MAP_TYPE, fd, 0));
        PLACED("validate", map(NULL, PAGE, RW, MAP_SHARED_VALIDATE, fd, 0));
        PLACED("validate, anonymous", map(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0));
        PLACED("validate, sync", map(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0));
        PLACED("validate, unknown flag", map(NULL, PAGE, RW, MAP_SHARED_VALIDATE | 0x8000000, fd, 0));
        PLACED("validate, old flags", map(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED | MAP_POPULATE, fd, 0));
        PLACED("validate, read-only file", map(NULL, PAGE, RW, MAP_SHARED_VALIDATE, ro, 0));
        PLACED("shared, sync", map(NULL, PAGE, RW, MAP_SHARED | MAP_SYNC, fd, 0));
        PLACED("shared, unknown flag", map(NULL, PAGE, RW, MAP_SHARED | 0x8000000, fd, 0));
        PLACED("private, sync", map(NULL, PAGE, RW, MAP_PRIVATE | MAP_SYNC, fd, 0));
        PLACED("old flags", map(NULL, PAGE, RW, MAP_PRIVATE | MAP_DENYWRITE | MAP_EXECUTABLE, fd, 0));
        PLACED("MAP_STACK", map(NULL, PAGE, RW, AN | MAP_STACK, -1, 0));
        PLACED("MAP_UNINITIALIZED", map(NULL, PAGE, RW, AN | 0x4000000, -1, 0));
        PLACED("MAP_NONBLOCK", map(NULL, PAGE, RW, AN | MAP_NONBLOCK, -1, 0));
        PLACED("anonymous with an offset", map(NULL, PAGE, RW, AN, -1, 3 * PAGE));
        PLACED("anonymous with a crooked offset", map(NULL, PAGE, RW, AN, -1, 3));
        PLACED("anonymous with a file", map(NULL, PAGE, RW, AN, fd, 0));
        PLACED("anonymous with a bad file", map(NULL, PAGE, RW, AN, 99, 0));
        PLACED("O_PATH", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, o_path, 0));
        PLACED("/dev/zero private", map(NULL, PAGE, RW, MAP_PRIVATE, dev, 0));
        PLACED("/dev/zero shared", map(NULL, PAGE, RW, MAP_SHARED, dev, 0));
        PLACED("/dev/zero, an offset", map(NULL, PAGE, RW, MAP_PRIVATE, dev, 7 * PAGE));
        PLACED("/dev/null", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, null, 0));
        PLACED("a pipe", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0));
        PLACED("a bad file, no length", map(NULL, 0, PROT_READ, MAP_PRIVATE, 99, 0));
        PLACED("no length, neither type", map(NULL, 0, PROT_READ, MAP_ANONYMOUS, -1, 0));
        PLACED("a hole behind the file", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 64 * PAGE));
        PLACED("unknown protection", map(NULL, PAGE, 0x40 | PROT_READ, AN, -1, 0));
        PLACED("PROT_GROWSDOWN", map(NULL, PAGE, PROT_GROWSDOWN | PROT_READ, AN, -1, 0));
        PLACED("growing, shared", map(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0));
        PLACED("growing, a file", map(NULL, PAGE, RW, MAP_PRIVATE | MAP_GROWSDOWN, fd, 0));
        PLACED("growing, /dev/zero", map(NULL, PAGE, RW, MAP_PRIVATE | MAP_GROWSDOWN, dev, 0));
        PLACED("growing, shared /dev/zero", map(NULL, PAGE, RW, MAP_SHARED | MAP_GROWSDOWN, dev, 0));
        PLACED("huge pages", map(NULL, 2 << 20, RW, AN | MAP_HUGETLB, -1, 0));
        PLACED("huge pages, less than one", map(NULL, PAGE, RW, AN | MAP_HUGETLB, -1, 0));
        PLACED("huge pages of 1 GiB", map(NULL, 1 << 30, RW, AN | MAP_HUGETLB | (30 << 26), -1, 0));
        PLACED("huge pages of 64 KiB", map(NULL, 2 << 20, RW, AN | MAP_HUGETLB | (16 << 26), -1, 0));
        PLACED("huge pages of a file", map(NULL, 2 << 20, RW, MAP_PRIVATE | MAP_HUGETLB, fd, 0));
        PLACED("largest offset", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0x7ffffffffffff000));
        PLACED("offset and length beyond", map(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0x7ffffffffffff000));
        PLACED("largest offset but one", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0x7fffffffffffe000));
        PLACED("negative offset", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, -8192));
}

static void places(void)
{
        char *p = (char *)map(NULL, 8 * PAGE, RW, AN, -1, 0);

        munmap(p, 8 * PAGE);
        CHECK("a hint that is free", (char *)map(p + PAGE, PAGE, RW, AN, -1, 0) == p + PAGE);
        CHECK("a crooked hint", (char *)map(p + 3 * PAGE + 5, PAGE, RW, AN, -1, 0) == p + 3 * PAGE);
        CHECK("a hint that is taken", (char *)map(p + PAGE, PAGE, RW, AN, -1, 0) != p + PAGE);
        CHECK("FIXED_NOREPLACE where it is free", (char *)map(p + 5 * PAGE, PAGE, RW, AN | MAP_FIXED_NOREPLACE, -1, 0) == p + 5 * PAGE);
        PLACED("FIXED_NOREPLACE where it is taken", map(p + 5 * PAGE, PAGE, RW, AN | MAP_FIXED_NOREPLACE, -1, 0));
        PLACED("partly taken", map(p + 4 * PAGE, 2 * PAGE, RW, AN | MAP_FIXED_NOREPLACE, -1, 0));
        PLACED("with FIXED", map(p + 5 * PAGE, PAGE, RW, AN | MAP_FIXED_NOREPLACE | MAP_FIXED, -1, 0));
        PLACED("crooked", map(p + 4 * PAGE + 1, PAGE, RW, AN | MAP_FIXED_NOREPLACE, -1, 0));
        PLACED("FIXED crooked", map(p + 4 * PAGE + 1, PAGE, RW, AN | MAP_FIXED, -1, 0));
        p[PAGE] = 1;
        CHECK("FIXED replaces", (char *)map(p + PAGE, PAGE, RW, AN | MAP_FIXED, -1, 0) == p + PAGE && p[PAGE] == 0);
        CHECK("a failed FIXED leaves what was there", (p[PAGE] = 7) && map(p + PAGE, PAGE, RW, MAP_FIXED, 99, 0) == -1 && p[PAGE] == 7);
        PLACED("FIXED above the top", map((void *)(1UL << 60), PAGE, RW, AN | MAP_FIXED, -1, 0));
        PLACED("FIXED across the top", map((void *)0x7fffffffe000, 1UL << 57, RW, AN | MAP_FIXED, -1, 0));
        PLACED("a hint above the top", map((void *)(1UL << 63), PAGE, RW, AN, -1, 0));
        PLACED("too long", map(NULL, 1UL << 57, PROT_NONE, AN | MAP_NORESERVE, -1, 0));
        PLACED("length that wraps", map(NULL, -4095UL, RW, AN, -1, 0));
        PLACED("the longest length", map(NULL, -4096UL, RW, AN, -1, 0));
        unsigned long low = (unsigned long)map(NULL, PAGE, RW, AN | MAP_32BIT, -1, 0);
        CHECK("MAP_32BIT", low >= 0x40000000 && low < 0x80000000);
        low = (unsigned long)map(NULL, 256 << 20, PROT_NONE, AN | MAP_32BIT | MAP_NORESERVE, -1, 0);
        CHECK("MAP_32BIT, large", low >= 0x40000000 && low + (256 << 20) <= 0x80000000);
        PLACED("MAP_32BIT, too large", map(NULL, 1UL << 30, PROT_NONE, AN | MAP_32BIT | MAP_NORESERVE, -1, 0));
        /* a hint below mmap_min_addr is raised to it */
        unsigned long r = (unsigned long)map((void *)PAGE, PAGE, RW, AN, -1, 0);
        CHECK("a low hint", r >= 65536);
        become_user(1000);
        PLACED("FIXED at 0", map(0, PAGE, RW, AN | MAP_FIXED, -1, 0));
        PLACED("FIXED below mmap_min_addr", map((void *)(15 * PAGE), PAGE, RW, AN | MAP_FIXED, -1, 0));
        PLACED("FIXED at mmap_min_addr", map((void *)(16 * PAGE), PAGE, RW, AN | MAP_FIXED, -1, 0));
        PLACED("NOREPLACE below it", map((void *)(15 * PAGE), PAGE, RW, AN | MAP_FIXED_NOREPLACE, -1, 0));
        PLACED("mremap below it", mremap((void *)(16 * PAGE), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)PAGE));
        char *s = (char *)map((void *)(17 * PAGE), PAGE, RW, AN | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
        munmap((void *)(16 * PAGE), PAGE);
        CHECK("does not grow below it", s && FAULTS(SIGSEGV, SEGV_MAPERR, s - 2 * PAGE, READS(s - 2 * PAGE)));
        CHECK("grows to it", !FAULTS(SIGSEGV, SEGV_MAPERR, s - PAGE, READS(s - PAGE)));
}

static void filling(void)
{
        char *p = (char *)map(NULL, 8 * PAGE, RW, AN, -1, 0);
        SHOW("nothing is there", resident(p, 8));
        p = (char *)map(NULL, 8 * PAGE, RW, AN | MAP_POPULATE, -1, 0);
        SHOW("populated", resident(p, 8));
        p = (char *)map(NULL, 8 * PAGE, RW, AN | MAP_POPULATE | MAP_NONBLOCK, -1, 0);
        SHOW("populated, nonblock", resident(p, 8));
        p = (char *)map(NULL, 8 * PAGE, PROT_READ, AN | MAP_POPULATE, -1, 0);
        SHOW("populated to read", resident(p, 8));
        p = (char *)map(NULL, 8 * PAGE, PROT_NONE, AN | MAP_POPULATE, -1, 0);
        SHOW("populated without access", resident(p, 8));
        p = (char *)map(NULL, 8 * PAGE, RW, AN | MAP_LOCKED, -1, 0);
        SHOW("locked", resident(p, 8));
        SHOW("counted", status_kb("VmLck:"));
        SHOW("dropped while locked", madvise(p, PAGE, MADV_DONTNEED));
        SHOW("munmap", munmap(p, 8 * PAGE));
        SHOW("counted no more", status_kb("VmLck:"));
        p = (char *)map(NULL, 8 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        SHOW("shared, populated", resident(p, 8));
        int fd = open("large", O_RDWR | O_CREAT, 0644);
        ftruncate(fd, 4 * PAGE);
        p = (char *)map(NULL, 8 * PAGE, RW, MAP_SHARED | MAP_POPULATE, fd, 0);
        CHECK("a file, populated up to its end", resident(p, 4) == 4);
        struct rlimit r = { 4 * PAGE, 4 * PAGE };
        setrlimit(RLIMIT_MEMLOCK, &r);
        become_user(1000);
        PLACED("MAP_LOCKED within the limit", map(NULL, 2 * PAGE, RW, AN | MAP_LOCKED, -1, 0));
        PLACED("MAP_LOCKED above it", map(NULL, 3 * PAGE, RW, AN | MAP_LOCKED, -1, 0));
        r.rlim_cur = 0;
        setrlimit(RLIMIT_MEMLOCK, &r);
        PLACED("MAP_LOCKED without", map(NULL, PAGE, RW, AN | MAP_LOCKED, -1, 0));
}

static int in_places(void)  { catch_faults(); places(); return failures; }
static int in_filling(void) { filling(); return failures; }

int main(void)
{
        types();
        CHECK("places", in_child(in_places) == 0);
        CHECK("filling", in_child(in_filling) == 0);
        return done();
}
