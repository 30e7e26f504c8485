/* SPDX-License-Identifier: Apache-2.0
 *
 * anon_large: anonymous memory large enough that a kernel may hand out several pages at a touch: threads that
 * touch neighbours at once, pages given back in between, copies on write by fork.
 */
#include "abi.h"
#include <pthread.h>

#define SIZE    (8ul << 20)
#define PAGES   (SIZE / PAGE)
#define THREADS 2
#define TOUCHED 512ul           /* pages that they touch */

static unsigned char *mem;
static volatile int   bad;

/* Every THREADS-th page is this thread's: zero but for what it writes. */
static void *toucher(void *arg)
{
        long me = (long)arg;

        for (int round = 0; round < 2; round++) {
                for (size_t p = (size_t)me; p < TOUCHED; p += THREADS) {
                        unsigned char *at = mem + p * PAGE;
                        at[8] = (unsigned char)(me + 1);
                        bad += at[0] != 0 || at[PAGE - 1] != 0;
                }
                for (size_t p = (size_t)me; p < TOUCHED; p += THREADS) {
                        unsigned char *at = mem + p * PAGE;
                        bad += at[8] != me + 1 || at[0] != 0;
                        if (p % 255 == 0)
                                madvise(at, PAGE, MADV_DONTNEED);
                }
        }
        return NULL;
}

static void threads_touch(void)
{
        pthread_t t[THREADS];

        for (long i = 0; i < THREADS; i++)
                pthread_create(&t[i], NULL, toucher, (void *)i);
        for (int i = 0; i < THREADS; i++)
                pthread_join(t[i], NULL);
        CHECK("zero, but for their own", bad == 0);
}

static size_t wrong(size_t step, unsigned char want)
{
        size_t n = 0;
        for (size_t p = 0; p < PAGES; p += step)
                n += mem[p * PAGE + 9] != want;
        return n;
}

int main(void)
{
        int rw = PROT_READ | PROT_WRITE, how = MAP_PRIVATE | MAP_ANONYMOUS;

        mem = mmap(NULL, SIZE, rw, how, -1, 0);
        CHECK("8 MiB", mem != MAP_FAILED);
        threads_touch();

        CHECK("all given back", madvise(mem, SIZE, MADV_DONTNEED) == 0);
        for (size_t p = 0; p < PAGES; p += 16)
                mem[p * PAGE + 9] = 7;
        CHECK("what lies between is zero", mem[PAGE + 9] == 0 && mem[15 * PAGE + 9] == 0);
        pid_t pid = fork();
        if (pid == 0) {
                int ok = wrong(16, 7) == 0 && mem[3 * PAGE] == 0;
                memset(mem, 1, SIZE);
                _exit(ok && wrong(1, 1) == 0 ? 0 : 1);
        }
        CHECK("a child's writes are its own", result_of(pid) == 0 && wrong(16, 7) == 0 && mem[PAGE + 9] == 0);

        CHECK("a part read-only", mprotect(mem + (1 << 20), 1 << 20, PROT_READ) == 0);
        mem[(1 << 20) - 1] = mem[2 << 20] = 3;
        CHECK("neighbours written", mem[(1 << 20) - 1] == 3 && mem[2 << 20] == 3);
        int fd = open("/dev/zero", O_RDONLY);
        FAILS("the part itself", EFAULT, read(fd, mem + (1 << 20), 1));
        CHECK("gone", munmap(mem + (4 << 20), 2 << 20) == 0);
        mem[(4 << 20) - 1] = mem[6 << 20] = 4;
        FAILS("not mapped by a touch beside it", EFAULT, read(fd, mem + (4 << 20), 1));
        CHECK("not large", madvise(mem, 1 << 20, MADV_NOHUGEPAGE) == 0);
        mem[5 * PAGE] = 1;
        CHECK("the rest", munmap(mem, SIZE) == 0);
        return done();
}
