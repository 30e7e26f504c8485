/* SPDX-License-Identifier: Apache-2.0
 *
 * sigbus_truncate: memory of a file behind its end: programs get SIGBUS, the kernel EFAULT, private copies go.
 */
#include "abi.h"
#include <setjmp.h>

#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf back;
static volatile int code;
static char *volatile where;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
        (void)uc;
        code = sig * 100 + si->si_code;
        where = si->si_addr;
        siglongjmp(back, 1);
}

static int touch(char *p, int write)
{
        code = 0;
        if (sigsetjmp(back, 1) == 0) {
                if (write)
                        *(volatile char *)p = 1;
                else
                        (void)*(volatile char *)p;
        }
        return code;
}

#define BUS (SIGBUS * 100 + BUS_ADRERR)

int main(void)
{
        struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
        int fd = open("file", O_RDWR | O_CREAT, 0600), p[2];
        char buf[16];
        unsigned char vec[8];

        sigaction(SIGBUS, &sa, NULL);
        sigaction(SIGSEGV, &sa, NULL);
        pipe(p);
        ftruncate(fd, 2 * PAGE + 100);
        char *s = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, fd, 0), *m = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE, fd, 0);
        CHECK("the last page", touch(s + 2 * PAGE + 4000, 1) == 0);
        CHECK("behind it", touch(s + 3 * PAGE + 5, 0) == BUS && where == s + 3 * PAGE + 5);
        CHECK("behind it, a write", touch(s + 4 * PAGE, 1) == BUS);
        CHECK("private, behind it", touch(m + 3 * PAGE, 0) == BUS && touch(m + 3 * PAGE, 1) == BUS);
        FAILS("the kernel reads", EFAULT, write(p[1], s + 3 * PAGE, 1));
        write(p[1], "abcd", 4);
        FAILS("the kernel writes", EFAULT, read(p[0], s + 3 * PAGE, 1));
        CHECK("nothing is lost by that", read(p[0], buf, 16) == 4);
        m[PAGE] = 7;
        s[PAGE] = 8;
        s[2 * PAGE + 200] = 9;
        OKAY("shorter", ftruncate(fd, PAGE + 10));
        CHECK("shared, cut off", touch(s + 2 * PAGE, 0) == BUS);
        CHECK("a private copy stays in the last page", touch(m + PAGE, 0) == 0 && m[PAGE] == 7);
        OKAY("shorter still", ftruncate(fd, 10));
        CHECK("a private copy goes with its page", touch(m + PAGE, 0) == BUS);
        OKAY("longer", ftruncate(fd, 3 * PAGE));
        CHECK("zeros", s[PAGE] == 0 && m[PAGE] == 0 && s[2 * PAGE + 200] == 0);
        CHECK("the bytes behind the end went", s[4000] == 0);
        FAILS("mlock behind the end", ENOMEM, mlock(s + 4 * PAGE, PAGE));
        FAILS("populate behind the end", EFAULT, madvise(s + 4 * PAGE, PAGE, 22));
        OKAY("mincore behind the end", mincore(s, 8 * PAGE, vec));
        CHECK("mincore says no", !(vec[5] & 1));
        OKAY("msync behind the end", msync(s, 8 * PAGE, MS_SYNC));
        OKAY("mprotect behind the end", mprotect(s + 5 * PAGE, PAGE, PROT_NONE));
        CHECK("PROT_NONE comes first", touch(s + 5 * PAGE, 0) == SIGSEGV * 100 + SEGV_ACCERR);
        int empty = open("empty", O_RDWR | O_CREAT, 0600);
        char *e = mmap(NULL, PAGE, RW, MAP_SHARED, empty, 0);
        CHECK("an empty file can be mapped", e != MAP_FAILED && touch(e, 0) == BUS);
        write(empty, "x", 1);
        CHECK("and written to then", touch(e, 0) == 0 && e[0] == 'x');
        return done();
}
