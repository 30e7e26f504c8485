/* SPDX-License-Identifier: Apache-2.0
 *
 * orphan_group: a stopped group that becomes orphaned gets SIGHUP and SIGCONT.
 */
#include "abi.h"

static int p[2];

static void note(int sig)
{
        char c = sig == SIGHUP ? 'H' : sig == SIGCONT ? 'C' : '?';

        write(p[1], &c, 1);
}

/* A process whose child, in a group of its own, is stopped when it ends. */
static int parent(void)
{
        pid_t pid = fork();
        int   st;

        if (pid == 0) {
                setpgid(0, 0);
                on(SIGHUP, note, 0);
                on(SIGCONT, note, 0);
                raise(SIGSTOP);
                sleep_ms(100);
                /* Orphaned now: terminal stop signals do nothing. */
                raise(SIGTSTP);
                write(p[1], "E", 1);
                _exit(0);
        }
        waitpid(pid, &st, WUNTRACED);
        CHECK("stopped", WIFSTOPPED(st));
        return done();
}

int main(void)
{
        char got[8] = { 0 };
        int  n = 0;

        pipe(p);
        in_child(parent);
        close(p[1]);
        for (ssize_t r; n < 7 && (r = read(p[0], got + n, 7 - n)) > 0;)
                n += r;
        CHECK("SIGHUP", strchr(got, 'H'));
        CHECK("SIGCONT", strchr(got, 'C'));
        CHECK("SIGTSTP is ignored", strchr(got, 'E'));
        CHECK("nothing else", strlen(got) == 3);
        return done();
}
