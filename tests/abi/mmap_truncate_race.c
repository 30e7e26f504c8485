/* SPDX-License-Identifier: Apache-2.0
 *
 * mmap_truncate_race: pages leave a file and come back while others fault them in.  Who looks sees
 * what the file had, zeros, or SIGBUS; never a page that has become somebody else's.
 */
#include "abi.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

#define PAGES  32
#define ROUNDS 150
#define MINE   0x11
#define POISON 0xee

static int fd;
static volatile int stop;
static __thread sigjmp_buf back;

static void on_bus(int sig) { (void)sig; siglongjmp(back, 1); }

/* Cuts the file and fills it anew; in between its pages are somebody's. */
static void *cutter(void *arg)
{
        static char buf[PAGES * PAGE];

        memset(buf, MINE, sizeof buf);
        for (int i = 0; i < ROUNDS; i++) {
                ftruncate(fd, i % 3 * PAGE);
                char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                memset(p, POISON, PAGES * PAGE);
                munmap(p, PAGES * PAGE);
                pwrite(fd, buf, sizeof buf, 0);
        }
        stop = 1;
        return arg;
}

/* Reads, and writes where it is its own, every page through a fresh mapping. */
static void *reader(void *arg)
{
        int flags = *(int *)arg;
        volatile int strange = 0;

        while (!stop) {
                volatile unsigned char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

                for (volatile int i = 0; i < PAGES; i++) {
                        if (sigsetjmp(back, 1))
                                continue;
                        int v = p[i * PAGE + 7];
                        strange += v != 0 && v != MINE;
                        if (flags == MAP_PRIVATE && i % 5 == 0) {
                                p[i * PAGE + 8] = 5;
                                v = p[i * PAGE + 8];         /* truncation takes private pages too */
                                strange += v != 5 && v != 0 && v != MINE;
                        }
                }
                munmap((void *)p, PAGES * PAGE);
        }
        *(int *)arg = strange;
        return NULL;
}

int main(void)
{
        struct sigaction sa = { .sa_handler = on_bus };
        int              how[3] = { MAP_SHARED, MAP_PRIVATE, MAP_SHARED };
        pthread_t        t[3], cut;
        char             name[] = "/tmp/raceXXXXXX";

        sigaction(SIGBUS, &sa, NULL);
        fd = mkstemp(name);
        unlink(name);
        pthread_create(&cut, NULL, cutter, NULL);
        for (int i = 0; i < 3; i++)
                pthread_create(&t[i], NULL, reader, &how[i]);
        pthread_join(cut, NULL);
        for (int i = 0; i < 3; i++)
                pthread_join(t[i], NULL);
        CHECK("shared mappings saw the file only", how[0] == 0 && how[2] == 0);
        CHECK("a private one too, and its own bytes", how[1] == 0);
        return done();
}
