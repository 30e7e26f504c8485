/* SPDX-License-Identifier: Apache-2.0
 *
 * memfd_pages: shared and private mappings of a file in memory while it shrinks, grows and is punched.
 */
#include "abi.h"
#include <linux/falloc.h>
#include <pthread.h>
#include <setjmp.h>

#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf back;
static volatile siginfo_t seen;

static void handler(int sig, siginfo_t *si, void *uc)
{
        (void)uc;
        seen.si_signo = sig;
        seen.si_code = si->si_code;
        seen.si_addr = si->si_addr;
        siglongjmp(back, 1);
}

/* 0, or the signal of the access. */
static int touch(volatile char *p, int write)
{
        seen.si_signo = 0;
        if (sigsetjmp(back, 1) == 0) {
                if (write)
                        *p = 1;
                else
                        (void)*p;
        }
        return seen.si_signo;
}

static int punch(int fd, long off, long len) { return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len); }

static volatile int stop;
static int          race_fd;
static char        *race_map;

static void *toucher(void *arg)
{
        long faults = 0;

        while (!stop)
                for (int i = 0; i < 8; i++)
                        race_map[i * PAGE]++;
        (void)arg;
        return (void *)faults;
}

/* Punching under writers: each page read after a punch with nobody writing is zero. */
static void race(void)
{
        pthread_t t[2];
        int       fine = 1;

        race_fd = memfd_create("race", 0);
        ftruncate(race_fd, 8 * PAGE);
        race_map = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, race_fd, 0);
        for (int i = 0; i < 2; i++)
                pthread_create(&t[i], NULL, toucher, NULL);
        for (int i = 0; i < 300; i++)
                fine &= punch(race_fd, (i % 8) * PAGE, PAGE) == 0;
        stop = 1;
        for (int i = 0; i < 2; i++)
                pthread_join(t[i], NULL);
        CHECK("punched under writers", fine);
        punch(race_fd, 0, 8 * PAGE);
        for (int i = 0; i < 8; i++)
                fine &= race_map[i * PAGE] == 0;
        race_map[5] = 9;
        char c = 0;
        CHECK("map and file agree", fine && pread(race_fd, &c, 1, 5) == 1 && c == 9);
}

int main(void)
{
        struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
        struct stat      st;
        char             c;

        sigaction(SIGBUS, &sa, NULL);
        sigaction(SIGSEGV, &sa, NULL);
        int   fd = memfd_create("pages", 0);
        char *s = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0), *p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
        CHECK("an empty file", touch(s, 0) == SIGBUS && seen.si_code == BUS_ADRERR && seen.si_addr == s);
        CHECK("to write", touch(s + 10, 1) == SIGBUS && seen.si_addr == s + 10);
        CHECK("privately", touch(p, 0) == SIGBUS && touch(p, 1) == SIGBUS);
        ftruncate(fd, 2 * PAGE + 100);
        CHECK("grown under the map", touch(s + 2 * PAGE, 0) == 0 && touch(s + 3 * PAGE, 0) == SIGBUS);
        CHECK("the rest of the last page is there", touch(s + 2 * PAGE + 200, 1) == 0);
        CHECK("but not of the file", pread(fd, &c, 1, 2 * PAGE + 200) == 0);
        memset(s, 'a', 2 * PAGE + 100);
        CHECK("both see it", p[0] == 'a' && p[2 * PAGE + 99] == 'a');
        p[PAGE] = 'p';
        s[PAGE] = 'b';
        CHECK("a private page is its own", p[PAGE] == 'p' && s[PAGE] == 'b');
        s[0] = 'c';
        CHECK("the others follow", p[0] == 'c');
        ftruncate(fd, 50);
        CHECK("cut: the first page stays", s[49] == 'a' && s[50] == 0);
        CHECK("cut: behind it", touch(s + PAGE, 0) == SIGBUS && touch(s + 2 * PAGE, 1) == SIGBUS);
        CHECK("cut: private copies go too", touch(p + PAGE, 0) == SIGBUS);
        ftruncate(fd, 3 * PAGE);
        CHECK("grown again: zeros", s[50] == 0 && s[PAGE] == 0 && s[2 * PAGE + 99] == 0 && p[PAGE] == 0);
        memset(s, 'd', 3 * PAGE);
        p[PAGE] = 'q';
        OKAY("punch a page", punch(fd, PAGE, PAGE));
        CHECK("punch: zeros in the shared", s[PAGE] == 0 && s[0] == 'd' && s[2 * PAGE] == 'd');
        CHECK("punch: a private copy stays", p[PAGE] == 'q');
        CHECK("punch: what was not copied goes", p[2 * PAGE] == 'd' && punch(fd, 2 * PAGE, PAGE) == 0 && p[2 * PAGE] == 0);
        CHECK("punch: the size stays", fstat(fd, &st) == 0 && st.st_size == 3 * PAGE);
        memset(s, 'e', 3 * PAGE);
        OKAY("punch within a page", punch(fd, 10, 20));
        CHECK("zeros there", s[9] == 'e' && s[10] == 0 && s[29] == 0 && s[30] == 'e');
        OKAY("punch over pages", punch(fd, PAGE - 5, PAGE + 10));
        CHECK("with both edges", s[PAGE - 6] == 'e' && s[PAGE - 5] == 0 && s[PAGE] == 0 && s[2 * PAGE + 4] == 0 && s[2 * PAGE + 5] == 'e');
        CHECK("the page that was read is back", fstat(fd, &st) == 0 && st.st_blocks == 24);
        OKAY("punch behind the end", punch(fd, 10 * PAGE, PAGE));
        OKAY("MADV_REMOVE", madvise(s, PAGE, MADV_REMOVE));
        CHECK("punches", s[0] == 0 && pread(fd, &c, 1, 30) == 1 && c == 0);
        FAILS("MADV_REMOVE of a private map", EACCES, madvise(p, PAGE, MADV_REMOVE));
        OKAY("MADV_DONTNEED", (s[0] = 'z', madvise(s, PAGE, MADV_DONTNEED)));
        CHECK("keeps what is shared", s[0] == 'z');
        FAILS("MADV_FREE of a file", EINVAL, madvise(s, PAGE, MADV_FREE));
        FAILS("punch that grows", EOPNOTSUPP, fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE));
        FAILS("collapse", EOPNOTSUPP, fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE));
        FAILS("zero range", EOPNOTSUPP, fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, PAGE));
        close(fd);
        CHECK("the map keeps the file", s[0] == 'z' && touch(s + 3 * PAGE, 0) == SIGBUS);
        char *two = mremap(s, 0, 3 * PAGE, MREMAP_MAYMOVE);
        CHECK("a second map of it", two != MAP_FAILED && two[0] == 'z' && (two[1] = 'y') == s[1]);
        fd = memfd_create("holes", 0);
        ftruncate(fd, 2 * PAGE);
        p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
        CHECK("a hole, privately", p[0] == 0);
        CHECK("is a page of the file now", fstat(fd, &st) == 0 && st.st_blocks == 8 && lseek(fd, 0, SEEK_DATA) == 0);
        pwrite(fd, "w", 1, 0);
        CHECK("what is written to it is seen", p[0] == 'w');
        race();
        return done();
}
