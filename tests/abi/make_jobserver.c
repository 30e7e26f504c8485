/* SPDX-License-Identifier: Apache-2.0
 *
 * make_jobserver: what make -j does: tokens in a pipe or a fifo, taken a byte at a time by many processes, blocking,
 * non-blocking or after pselect, while children's ends interrupt.
 */
#include "abi.h"
#include <sys/select.h>

enum { TOKENS = 3, MAKERS = 4, JOBS = 25 };
enum how { BLOCKING, NONBLOCKING, SELECTING };

static volatile sig_atomic_t ends;

static void on_child(int sig UNUSED)
{
        ends++;
}

static int *running;            /* jobs at work, in memory shared by all */

/* One token, however long it takes; a SIGCHLD may interrupt. */
static int take(int from, enum how how, const sigset_t *open_mask)
{
        char   c;
        fd_set in;

        for (;;) {
                if (how == SELECTING) {
                        FD_ZERO(&in);
                        FD_SET(from, &in);
                        if (pselect(from + 1, &in, NULL, NULL, NULL, open_mask) < 0 && errno != EINTR)
                                return -1;
                }
                ssize_t n = read(from, &c, 1);
                if (n == 1)
                        return c;
                if (n == 0 || (errno != EINTR && errno != EAGAIN))
                        return -1;
                if (how == NONBLOCKING)
                        poll(&(struct pollfd){ .fd = from, .events = POLLIN }, 1, -1);
        }
}

static int job(int n)
{
        int bad = __atomic_add_fetch(running, 1, __ATOMIC_SEQ_CST) > TOKENS;

        usleep(100 * (n % 7));
        __atomic_fetch_sub(running, 1, __ATOMIC_SEQ_CST);
        return bad;
}

/* A make: each job is a child that holds a token of the pipe. Its SIGCHLD handler has no SA_RESTART. */
static int maker(int from, int to, enum how how)
{
        struct sigaction sa = { .sa_handler = on_child };
        sigset_t         child, none;
        int              bad = 0;

        sigaction(SIGCHLD, &sa, NULL);
        sigemptyset(&none);
        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        if (how == SELECTING)
                sigprocmask(SIG_BLOCK, &child, NULL);
        for (int i = 0; i < JOBS; i++) {
                int   st, token = take(from, how, &none);
                pid_t pid, got;
                if (token < 0)
                        return 1;
                if ((pid = fork()) == 0)
                        _exit(job(i));
                while ((got = waitpid(pid, &st, 0)) < 0 && errno == EINTR)
                        ;
                bad |= got != pid || !WIFEXITED(st) || WEXITSTATUS(st);
                if (write(to, &(char){ (char)token }, 1) != 1)
                        return 2;
        }
        if (how == SELECTING)
                sigprocmask(SIG_UNBLOCK, &child, NULL);
        return bad || (how != SELECTING && ends != JOBS) ? 3 : 0;
}

static void serve(const char *name, int p[2], enum how how)
{
        pid_t pid[MAKERS];
        char  c, seen[TOKENS] = { 0 };
        int   bad = 0;

        for (int i = 0; i < TOKENS; i++)
                bad |= write(p[1], &(char){ (char)('a' + i) }, 1) != 1;
        for (int i = 0; i < MAKERS; i++)
                if ((pid[i] = fork()) == 0)
                        _exit(maker(p[0], p[1], how));
        for (int i = 0; i < MAKERS; i++)
                bad |= result_of(pid[i]);
        CHECK(name, bad == 0);
        fcntl(p[0], F_SETFL, O_NONBLOCK);
        while (read(p[0], &c, 1) == 1)
                if (c >= 'a' && c < 'a' + TOKENS)
                        seen[c - 'a']++;
        CHECK("each token came back once", seen[0] == 1 && seen[1] == 1 && seen[2] == 1);
        close(p[0]);
        close(p[1]);
}

int main(void)
{
        int p[2];

        running = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        OKAY("a pipe", pipe(p));
        serve("blocking reads", p, BLOCKING);
        OKAY("a pipe", pipe2(p, O_CLOEXEC));
        fcntl(p[0], F_SETFL, O_NONBLOCK);
        serve("non-blocking reads", p, NONBLOCKING);
        OKAY("a pipe", pipe(p));
        fcntl(p[0], F_SETFL, O_NONBLOCK);
        serve("pselect", p, SELECTING);
        OKAY("a fifo", mkfifo("tokens", 0600));
        p[0] = open("tokens", O_RDONLY | O_NONBLOCK);
        p[1] = open("tokens", O_WRONLY);
        fcntl(p[0], F_SETFL, 0);
        CHECK("opened at both ends", p[0] >= 0 && p[1] >= 0);
        serve("by a fifo", p, BLOCKING);
        OKAY("a pipe", pipe(p));
        char path[40];
        snprintf(path, sizeof path, "/proc/self/fd/%d", p[0]);
        int again = open(path, O_RDONLY | O_NONBLOCK);
        CHECK("the pipe opened once more", again >= 0 && again != p[0]);
        FAILS("its own O_NONBLOCK", EAGAIN, read(again, path, 1));
        CHECK("is not the first one's", !(fcntl(p[0], F_GETFL) & O_NONBLOCK));
        close(p[0]);
        p[0] = again;
        serve("by a pipe opened again", p, NONBLOCKING);
        return done();
}
