/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_altstack: sigaltstack: used, reported, refused.
 */
#include "abi.h"

#define SIZE 32768
static char         area[SIZE];
static volatile int inside, flags_inside, change_refused;

static void handler(int sig)
{
        stack_t ss, other = { .ss_sp = area, .ss_size = SIZE };
        char    here;

        (void)sig;
        inside = &here >= area && &here < area + SIZE;
        sigaltstack(NULL, &ss);
        flags_inside = ss.ss_flags;
        change_refused = sigaltstack(&other, NULL) < 0 && errno == EPERM;
}

int main(void)
{
        stack_t ss = { .ss_sp = area, .ss_size = SIZE }, old;

        sigaltstack(NULL, &old);
        CHECK("none at first", old.ss_flags == SS_DISABLE && old.ss_sp == NULL && old.ss_size == 0);
        OKAY("set", sigaltstack(&ss, NULL));
        sigaltstack(NULL, &old);
        CHECK("asked for", old.ss_sp == area && old.ss_size == SIZE && old.ss_flags == 0);
        on(SIGUSR1, handler, SA_ONSTACK);
        raise(SIGUSR1);
        CHECK("used", inside && flags_inside == SS_ONSTACK);
        CHECK("no change while on it", change_refused);
        on(SIGUSR1, handler, 0);
        raise(SIGUSR1);
        CHECK("only where asked for", !inside && flags_inside == 0);
        pid_t pid = fork();
        if (pid == 0) {
                on(SIGUSR1, handler, SA_ONSTACK);
                raise(SIGUSR1);
                _exit(inside);
        }
        CHECK("inherited by fork", result_of(pid) == 1);
        ss.ss_size = 1024;
        FAILS("too small", ENOMEM, syscall(SYS_sigaltstack, &ss, NULL));
        ss.ss_size = SIZE;
        ss.ss_flags = 0x40;
        FAILS("flags", EINVAL, syscall(SYS_sigaltstack, &ss, NULL));
        FAILS("pointer", EFAULT, syscall(SYS_sigaltstack, BAD_PTR, NULL));
        ss.ss_flags = SS_DISABLE;
        OKAY("off", sigaltstack(&ss, NULL));
        sigaltstack(NULL, &old);
        CHECK("is off", old.ss_flags == SS_DISABLE);
        return done();
}
