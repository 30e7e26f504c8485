/* SPDX-License-Identifier: Apache-2.0
 *
 * fork_advice: what madvise keeps from a child: MADV_DONTFORK, MADV_WIPEONFORK, and their ends.
 */
#include "abi.h"

#define RW (PROT_READ | PROT_WRITE)

static char *p, *wiped, *shared;

static int there(void *at) { unsigned char v; return mincore(at, PAGE, &v) == 0; }

static int child(void)
{
        CHECK("not there in the child", !there(p) && !there(p + PAGE) && there(p + 2 * PAGE));
        CHECK("empty in the child", wiped[0] == 0 && wiped[PAGE] == 0 && wiped[2 * PAGE] == 7);
        wiped[0] = 5;
        CHECK("it can be mapped there", mmap(p, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == p);
        pid_t pid = fork();
        if (pid == 0)
                _exit(wiped[0] != 0 || wiped[2 * PAGE] != 7);
        CHECK("empty in its child as well", result_of(pid) == 0);
        CHECK("but its own is kept", wiped[0] == 5);
        return done();
}

static int later(void) { return !(there(p) && wiped[0] == 7); }

int main(void)
{
        int fd = open("file", O_RDWR | O_CREAT, 0600);

        ftruncate(fd, PAGE);
        p = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        wiped = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        shared = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
        char *file = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
        memset(p, 7, 3 * PAGE);
        memset(wiped, 7, 3 * PAGE);
        OKAY("dontfork", madvise(p, 2 * PAGE, MADV_DONTFORK));
        OKAY("wipeonfork", madvise(wiped, 2 * PAGE, MADV_WIPEONFORK));
        FAILS("wipeonfork: shared", EINVAL, madvise(shared, PAGE, MADV_WIPEONFORK));
        FAILS("wipeonfork: a file, private", EINVAL, madvise(file, PAGE, MADV_WIPEONFORK));
        OKAY("keeponfork: there too", madvise(shared, PAGE, MADV_KEEPONFORK));
        OKAY("dontfork: shared", madvise(shared, PAGE, MADV_DONTFORK));
        CHECK("child", in_child(child) == 0);
        CHECK("nothing is lost here", p[0] == 7 && wiped[0] == 7 && wiped[PAGE] == 7);
        OKAY("dofork", madvise(p, 3 * PAGE, MADV_DOFORK));
        OKAY("keeponfork", madvise(wiped, 3 * PAGE, MADV_KEEPONFORK));
        CHECK("as usual again", in_child(later) == 0);
        FAILS("dontfork: a hole", ENOMEM, (munmap(p + PAGE, PAGE), madvise(p, 3 * PAGE, MADV_DONTFORK)));
        return done();
}
