// SPDX-License-Identifier: Apache-2.0
//
// Runs attack(n) of a service object as an ordinary process.  Several values of
// n: the attack decides what it does with them.  "trap": each call must end in a
// trap instruction or a fault; "ok": each must come back.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern void attack(unsigned n);
// Attacks may say how many calls there are: attack(0) .. attack(attacks - 1).
extern const unsigned attacks __attribute__((weak));

// Stands in for storage that only the framework can make.
char scratch[1 << 16] __attribute__((aligned(64)));
void *scratch_object(void) { return scratch; }

int main(int argc, char **argv)
{
        int wantTrap = argc > 1 && !strcmp(argv[1], "trap");
        unsigned count = &attacks ? attacks : 1, bad = 0;

        for (unsigned n = 0; n < count; n++) {
                fflush(NULL);
                pid_t pid = fork();
                if (pid == 0) {
                        alarm(5);
                        attack(n);
                        _exit(0);
                }
                int status;
                waitpid(pid, &status, 0);
                int trapped = WIFSIGNALED(status) && (WTERMSIG(status) == SIGILL || WTERMSIG(status) == SIGSEGV ||
                                                      WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGFPE);
                int fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;
                if (wantTrap ? !trapped : !fine) {
                        printf("attack(%u) %s (status %#x)\n", n, wantTrap ? "did not trap" : "did not come back", status);
                        bad = 1;
                }
        }
        return bad;
}
