/* SPDX-License-Identifier: Apache-2.0
 *
 * futex_robust: robust lists: the owner's death is noted and a waiter woken.
 */
#include "futex.h"
#include <stddef.h>

struct lock {
        struct robust_list list;
        volatile int       word;
};

static struct shared {
        struct robust_list_head head;
        struct lock             lock;
        volatile int            ready;
} *s;

static int owner(void)
{
        s->head.list.next = &s->lock.list;
        s->head.futex_offset = offsetof(struct lock, word) - offsetof(struct lock, list);
        s->head.list_op_pending = NULL;
        s->lock.list.next = &s->head.list;
        must(syscall(SYS_set_robust_list, &s->head, sizeof s->head) == 0, "set_robust_list");
        s->lock.word = syscall(SYS_gettid) | FUTEX_WAITERS;
        s->ready = 1;
        state_becomes(getppid(), 'S');  /* it waits */
        return 0;
}

int main(void)
{
        s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pid_t pid = fork();

        if (pid == 0)
                _exit(owner());
        while (!s->ready)
                sleep_ms(1);
        int v = s->lock.word;
        if (v & FUTEX_TID_MASK)
                futex(&s->lock.word, FUTEX_WAIT, v, NULL, NULL, 0);
        CHECK("owner died", s->lock.word & FUTEX_OWNER_DIED);
        CHECK("nobody's now", (s->lock.word & FUTEX_TID_MASK) == 0);
        CHECK("waiters kept", s->lock.word & FUTEX_WAITERS);
        result_of(pid);
        FAILS("size", EINVAL, syscall(SYS_set_robust_list, &s->head, 8));
        struct robust_list_head *head;
        size_t                   len;
        OKAY("asked for", syscall(SYS_get_robust_list, 0, &head, &len));
        CHECK("its size", len == sizeof *head);
        FAILS("of nobody", ESRCH, syscall(SYS_get_robust_list, 999999, &head, &len));
        return done();
}
