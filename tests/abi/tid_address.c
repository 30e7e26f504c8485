/* SPDX-License-Identifier: Apache-2.0
 *
 * tid_address: set_tid_address: the word is cleared and woken at a thread's end.
 */
#include "futex.h"

static volatile int word = 1;

int main(void)
{
        volatile int *s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        CHECK("says the tid", syscall(SYS_set_tid_address, &word) == getpid());
        s[0] = 5;
        pid_t pid = fork();
        if (pid == 0) {
                /* Another thread of this memory must be there: only then is it cleared. */
                syscall(SYS_set_tid_address, &s[0]);
                _exit(0);
        }
        result_of(pid);
        CHECK("alone in its memory: not cleared", s[0] == 5);
        return done();
}
