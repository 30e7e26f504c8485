/* SPDX-License-Identifier: Apache-2.0
 *
 * mremap_flags: MREMAP_FIXED, MREMAP_DONTUNMAP, an old size of 0, over several areas, limits, kinds of memory.
 */
#include "show.h"
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)
#define AN (MAP_PRIVATE | MAP_ANONYMOUS)
#define MAY MREMAP_MAYMOVE
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#define GONE(p) FAULTS(SIGSEGV, SEGV_MAPERR, (p), READS(p))

static char *anon(int pages, int flags) { return mmap(NULL, pages * PAGE, RW, AN | flags, -1, 0); }
static long  re(void *p, size_t o, size_t n, int flags, void *to) { return syscall(SYS_mremap, p, o, n, flags, to); }

static void arguments(void)
{
        char *p = anon(8, 0), *q = anon(8, 0);

        PLACED("FIXED without MAYMOVE", re(p, PAGE, PAGE, MREMAP_FIXED, q));
        PLACED("DONTUNMAP without MAYMOVE", re(p, PAGE, PAGE, MREMAP_DONTUNMAP, 0));
        PLACED("DONTUNMAP, another size", re(p, PAGE, 2 * PAGE, MAY | MREMAP_DONTUNMAP, 0));
        PLACED("unknown flag", re(p, PAGE, PAGE, 8, 0));
        PLACED("unknown flag above", syscall(SYS_mremap, p, PAGE, PAGE, 1UL << 32, 0));
        PLACED("crooked", re(p + 1, PAGE, PAGE, MAY, 0));
        PLACED("crooked sizes", re(p, PAGE - 5, PAGE - 1, 0, 0));
        PLACED("new size 0", re(p, PAGE, 0, MAY, 0));
        PLACED("new size wraps to 0", re(p, PAGE, -5UL, MAY, 0));
        PLACED("new size enormous", re(p, PAGE, 1UL << 60, MAY, 0));
        PLACED("new size too large", re(p, PAGE, 1UL << 45, MAY, 0));
        PLACED("old size enormous", re(p, 1UL << 60, PAGE, MAY, 0));
        PLACED("old size wraps", re(p, -4096UL, PAGE, MAY, 0));
        PLACED("FIXED crooked", re(p, PAGE, PAGE, MAY | MREMAP_FIXED, q + 1));
        PLACED("FIXED above the top", re(p, PAGE, PAGE, MAY | MREMAP_FIXED, (void *)(1UL << 62)));
        PLACED("FIXED onto itself", re(p, PAGE, PAGE, MAY | MREMAP_FIXED, p));
        PLACED("FIXED, old range reaches it", re(p, 3 * PAGE, PAGE, MAY | MREMAP_FIXED, p + 2 * PAGE));
        PLACED("FIXED, new range reaches it", re(p + 2 * PAGE, PAGE, 3 * PAGE, MAY | MREMAP_FIXED, p));
        PLACED("FIXED in a hole", re(BAD_PTR - 8, PAGE, PAGE, MAY | MREMAP_FIXED, q));
        PLACED("a hole", re((void *)(1UL << 40), PAGE, PAGE, MAY, 0));
        PLACED("a hole, smaller", re((void *)(1UL << 40), 2 * PAGE, PAGE, MAY, 0));
        PLACED("old size 0, private", re(p, 0, PAGE, MAY, 0));
        PLACED("old size 0, not to move", re(p, 0, PAGE, 0, 0));
        munmap(p + 3 * PAGE, PAGE);
        PLACED("the same size over a hole", re(p, 8 * PAGE, 8 * PAGE, 0, 0));
        PLACED("larger over a hole", re(p, 8 * PAGE, 9 * PAGE, MAY, 0));
        PLACED("smaller over a hole", re(p, 8 * PAGE, 2 * PAGE, 0, 0));
        CHECK("which cut what was behind", GONE(p + 5 * PAGE) && GONE(p + 2 * PAGE));
        mprotect(q + 2 * PAGE, PAGE, PROT_READ);
        PLACED("larger over two areas", re(q, 4 * PAGE, 9 * PAGE, MAY, 0));
        PLACED("the same over two areas", re(q, 4 * PAGE, 4 * PAGE, MAY, 0));
        PLACED("moved over two areas", re(q, 4 * PAGE, 4 * PAGE, MAY | MREMAP_FIXED, p));
        PLACED("smaller over two areas", re(q, 8 * PAGE, PAGE, MAY, 0));
}

static void fixed(void)
{
        char *p = anon(8, 0), *q = anon(8, 0);

        memset(p, 1, 8 * PAGE);
        memset(q, 2, 8 * PAGE);
        CHECK("from the middle to the middle", (char *)re(p + 2 * PAGE, 2 * PAGE, 2 * PAGE, MAY | MREMAP_FIXED, q + 3 * PAGE) == q + 3 * PAGE);
        CHECK("there", q[3 * PAGE - 1] == 2 && q[3 * PAGE] == 1 && q[5 * PAGE - 1] == 1 && q[5 * PAGE] == 2);
        CHECK("gone here", GONE(p + 2 * PAGE) && GONE(p + 3 * PAGE) && p[PAGE] == 1 && p[4 * PAGE] == 1);
        CHECK("smaller", (char *)re(p + 4 * PAGE, 4 * PAGE, 2 * PAGE, MAY | MREMAP_FIXED, q) == q);
        CHECK("all the old is gone", GONE(p + 4 * PAGE) && GONE(p + 7 * PAGE) && q[0] == 1 && q[2 * PAGE] == 2);
        CHECK("larger", (char *)re(q, PAGE, 3 * PAGE, MAY | MREMAP_FIXED, p + 4 * PAGE) == p + 4 * PAGE);
        CHECK("and zeros", p[4 * PAGE] == 1 && p[5 * PAGE] == 0 && p[6 * PAGE] == 0 && GONE(p + 7 * PAGE));
}

static void kept(void)
{
        char *p = anon(4, 0), *q, *r;

        memset(p, 3, 4 * PAGE);
        q = (char *)re(p, 4 * PAGE, 4 * PAGE, MAY | MREMAP_DONTUNMAP, 0);
        CHECK("DONTUNMAP moves", q != MAP_FAILED && q != p && q[0] == 3 && q[4 * PAGE - 1] == 3);
        CHECK("and leaves zeros", p[0] == 0 && p[4 * PAGE - 1] == 0);
        p[0] = 4;
        r = anon(4, 0);
        CHECK("to a place", (char *)re(p, 4 * PAGE, 4 * PAGE, MAY | MREMAP_FIXED | MREMAP_DONTUNMAP, r) == r && r[0] == 4 && p[0] == 0);
        char *s = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        s[0] = 5;
        char *t = (char *)re(s, 4 * PAGE, 4 * PAGE, MAY | MREMAP_DONTUNMAP, 0);
        CHECK("of shared memory: both", t != MAP_FAILED && t[0] == 5 && s[0] == 5);
        put_text("file", "contents");
        int   fd = open("file", O_RDWR);
        char *f = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
        f[0] = 'X';
        char *g = (char *)re(f, PAGE, PAGE, MAY | MREMAP_DONTUNMAP, 0);
        CHECK("of a private file: the copy moves, the file's stays", g != MAP_FAILED && g[0] == 'X' && f[0] == 'c');
        mlock(q, PAGE);
        char *u = (char *)re(q, PAGE, PAGE, MAY | MREMAP_DONTUNMAP, 0);
        SHOW("a locked one's lock goes along", status_kb("VmLck:"));
        munlock(u, PAGE);
        SHOW("and is undone", status_kb("VmLck:"));
        CHECK("fork", fork() ? 1 : (_exit(0), 0));
        wait(NULL);
}

static void twice(void)
{
        char *s = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        s[PAGE] = 6;
        char *t = (char *)re(s + PAGE, 0, 2 * PAGE, MAY, 0);
        CHECK("old size 0: a second map", t != MAP_FAILED && t[0] == 6 && (t[PAGE] = 7) == s[2 * PAGE]);
        char *u = anon(2, 0);
        CHECK("to a place", (char *)re(s, 0, 2 * PAGE, MAY | MREMAP_FIXED, u) == u && u[PAGE] == 6);
        munmap(s, 4 * PAGE);
        CHECK("the first may go", t[0] == 6 && u[PAGE] == 6);
        PLACED("longer than the file", re(t, 0, 16 * PAGE, MAY, 0));
        put_text("two", "two");
        int   fd = open("two", O_RDONLY);
        char *f = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
        PLACED("of a file to read", re(f, 0, PAGE, MAY, 0));
        char *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
        PLACED("of a private one", re(p, 0, PAGE, MAY, 0));
}

static void special(void)
{
        FILE *m = fopen("/proc/self/maps", "r");
        char  line[256];
        unsigned long from = 0, to = 0;

        while (fgets(line, sizeof line, m))
                if (strstr(line, "[vdso]"))
                        sscanf(line, "%lx-%lx", &from, &to);
        fclose(m);
        if (!from)
                return;
        PLACED("the vDSO grows", re((void *)from, to - from, to - from + PAGE, MAY, 0));
        PLACED("the vDSO moves", re((void *)from, to - from, to - from, MAY | MREMAP_FIXED, anon(8, 0)));
}

static void limits(void)
{
        struct rlimit r = { 8 * PAGE, 8 * PAGE }, as = { status_kb("VmSize:") * 1024 + 64 * PAGE, RLIM_INFINITY };
        char         *p = anon(4, 0);

        setrlimit(RLIMIT_MEMLOCK, &r);
        become_user(1000);
        mlock(p, 4 * PAGE);
        PLACED("locked, within the limit", p = (char *)re(p, 4 * PAGE, 8 * PAGE, MAY, 0));
        PLACED("locked, above the limit", re(p, 8 * PAGE, 9 * PAGE, MAY, 0));
        SHOW("locked", status_kb("VmLck:"));
        setrlimit(RLIMIT_AS, &as);
        PLACED("above RLIMIT_AS", re(anon(1, 0), PAGE, 100 * PAGE, MAY, 0));
        struct rlimit data = { status_kb("VmData:") * 1024 + 8 * PAGE, RLIM_INFINITY };
        setrlimit(RLIMIT_DATA, &data);
        PLACED("above RLIMIT_DATA", re(anon(1, 0), PAGE, 20 * PAGE, MAY, 0));
        PLACED("within", re(anon(1, 0), PAGE, 2 * PAGE, MAY, 0));
}

static int in_special(void) { special(); return failures; }
static int in_limits(void)  { limits(); return failures; }

int main(void)
{
        catch_faults();
        arguments();
        fixed();
        kept();
        twice();
        in_child(in_special);
        in_child(in_limits);
        return done();
}
