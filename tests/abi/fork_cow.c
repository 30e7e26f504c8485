/* SPDX-License-Identifier: Apache-2.0
 *
 * fork_cow: copy on write: many pages, many generations, writes on all sides.
 */
#include "abi.h"

#define PAGES 256

static unsigned char *mem;

static int all_are(unsigned char v)
{
        for (int i = 0; i < PAGES; i++)
                if (mem[i * PAGE] != v || mem[i * PAGE + PAGE - 1] != v)
                        return 0;
        return 1;
}

static void fill(unsigned char v)
{
        memset(mem, v, PAGES * PAGE);
}

/* Each generation checks, changes everything, makes the next, and checks again. */
static int generation(int n)
{
        if (!all_are(n - 1))
                return 1;
        fill(n);
        if (n == 6)
                return 0;
        pid_t pid = fork();
        if (pid == 0)
                _exit(generation(n + 1));
        int r = result_of(pid);
        return r ? r : all_are(n) ? 0 : 2;
}

static void *private_of(int fd)
{
        return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
}

int main(void)
{
        pid_t pids[8];
        int   good = 0, p[2];
        char  byte = 0;

        mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK("six generations", generation(1) == 0);
        CHECK("the first is unharmed", all_are(1));

        for (int i = 0; i < 8; i++)
                if ((pids[i] = fork()) == 0) {
                        fill(100 + i);
                        _exit(all_are(100 + i));
                }
        fill(50);
        for (int i = 0; i < 8; i++)
                good += result_of(pids[i]) == 1;
        CHECK("eight at once", good == 8);
        CHECK("and the parent", all_are(50));

        pipe(p);
        pid_t pid = fork();
        if (pid == 0) {
                read(p[0], &byte, 1);
                _exit(all_are(50));
        }
        fill(51);
        write(p[1], "x", 1);
        CHECK("the child keeps what was", result_of(pid) == 1);

        put_text("file", "original");
        int   fd = open("file", O_RDWR);
        char *q = private_of(fd);
        pid = fork();
        if (pid == 0) {
                q[0] = 'X';
                _exit(q[0] == 'X' && q[1] == 'r');
        }
        CHECK("a private file page", result_of(pid) == 1 && q[0] == 'o');
        q[0] = 'Y';
        CHECK("the file is unharmed", !strcmp(text_of("file"), "original"));

        pid = fork();
        if (pid == 0) {
                int fd0 = open("/dev/zero", O_RDONLY);
                _exit(read(fd0, mem, PAGES * PAGE) == PAGES * PAGE && all_are(0));
        }
        CHECK("the kernel's writes copy too", result_of(pid) == 1 && all_are(51));
        return done();
}
