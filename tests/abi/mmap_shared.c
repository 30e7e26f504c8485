/* SPDX-License-Identifier: Apache-2.0
 *
 * mmap_shared: shared anonymous memory between processes.
 */
#include "abi.h"

#define RW (PROT_READ | PROT_WRITE)

int main(void)
{
        volatile int *p = mmap(NULL, 16 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int          *quiet = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        pid_t         pids[4];

        CHECK("zero", p[0] == 0 && p[16 * 1024 - 1] == 0);
        for (int c = 0; c < 4; c++)
                if ((pids[c] = fork()) == 0) {
                        for (int i = 0; i < 10000; i++)
                                __atomic_fetch_add(&p[0], 1, __ATOMIC_SEQ_CST);
                        p[(c + 1) * 1024] = 100 + c;
                        quiet[0] = 1;
                        _exit(0);
                }
        for (int c = 0; c < 4; c++)
                result_of(pids[c]);
        CHECK("all counted", p[0] == 40000);
        CHECK("pages made by children", p[1024] == 100 && p[4 * 1024] == 103);
        CHECK("private memory is not", quiet[0] == 0);

        int fd = open("/dev/zero", O_RDWR);
        volatile int *z = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
        CHECK("/dev/zero does it too", z != MAP_FAILED);
        pid_t pid = fork();
        if (pid == 0) {
                z[3] = 9;
                _exit(0);
        }
        result_of(pid);
        CHECK("shared", z[3] == 9);
        return done();
}
