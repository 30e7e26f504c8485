/* SPDX-License-Identifier: Apache-2.0
 *
 * sig_timedwait: sigtimedwait and sigwaitinfo.
 */
#include "abi.h"

static void nothing(int sig) { (void)sig; }

int main(void)
{
        sigset_t        set;
        siginfo_t       si;
        struct timespec none = { 0, 0 }, little = { 0, 50000000 }, bad = { 0, 1000000000 };

        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigaddset(&set, SIGCHLD);
        sigprocmask(SIG_BLOCK, &set, NULL);
        FAILS("nothing there", EAGAIN, sigtimedwait(&set, &si, &none));
        int64_t start = now_ms();
        FAILS("nothing comes", EAGAIN, sigtimedwait(&set, &si, &little));
        CHECK("after the time", now_ms() - start >= 49);
        sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 5 });
        CHECK("taken", sigtimedwait(&set, &si, &none) == SIGUSR1 && si.si_value.sival_int == 5 && si.si_code == SI_QUEUE);
        FAILS("once", EAGAIN, sigtimedwait(&set, &si, &none));
        pid_t pid = fork();
        if (pid == 0) {
                sleep_ms(30);
                _exit(12);
        }
        CHECK("waits for a child", sigwaitinfo(&set, &si) == SIGCHLD && si.si_pid == pid && si.si_status == 12);
        result_of(pid);
        on(SIGALRM, nothing, SA_RESTART);
        ALARMED("another signal interrupts", syscall(SYS_rt_sigtimedwait, &set, &si, &(struct timespec){ 10, 0 }, 8));
        FAILS("bad time", EINVAL, sigtimedwait(&set, &si, &bad));
        FAILS("size", EINVAL, syscall(SYS_rt_sigtimedwait, &set, &si, &none, 4));
        return done();
}
