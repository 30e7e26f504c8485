/* SPDX-License-Identifier: Apache-2.0
 *
 * lease_race: a write lease and another's open at the same time: one of the two is refused.
 */
#include "abi.h"

#define ROUNDS 3000

static struct shared { volatile int round, opened, answered; } *s;

static void wait_for(volatile int *what, int n)
{
        while (__atomic_load_n(what, __ATOMIC_SEQ_CST) < n)
                sched_yield();
}

static int opener(int flags)
{
        for (int i = 1; i <= ROUNDS; i++) {
                wait_for(&s->round, 2 * i);
                int fd = open("f", flags | O_NONBLOCK);
                s->opened = fd >= 0;
                __atomic_store_n(&s->answered, 2 * i, __ATOMIC_SEQ_CST);
                wait_for(&s->round, 2 * i + 1);             /* keeps it until both are known */
                if (fd >= 0)
                        close(fd);
                __atomic_store_n(&s->answered, 2 * i + 1, __ATOMIC_SEQ_CST);
        }
        return 0;
}

static int against(int flags)
{
        int both = 0, fd = open("f", O_RDONLY);
        pid_t pid;

        memset((void *)s, 0, sizeof *s);
        if ((pid = fork()) == 0)
                _exit(opener(flags));
        for (int i = 1; i <= ROUNDS; i++) {
                __atomic_store_n(&s->round, 2 * i, __ATOMIC_SEQ_CST);
                int leased = fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
                wait_for(&s->answered, 2 * i);
                both += leased && s->opened;
                fcntl(fd, F_SETLEASE, F_UNLCK);
                __atomic_store_n(&s->round, 2 * i + 1, __ATOMIC_SEQ_CST);
                wait_for(&s->answered, 2 * i + 1);
        }
        result_of(pid);
        close(fd);
        return both;
}

int main(void)
{
        on(SIGIO, SIG_IGN, 0);
        put_text("f", "text");
        s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        CHECK("never a reader beside the lease", against(O_RDONLY) == 0);
        CHECK("nor a writer", against(O_RDWR) == 0);
        return done();
}
