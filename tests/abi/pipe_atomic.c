/* SPDX-License-Identifier: Apache-2.0
 *
 * pipe_atomic: writes up to PIPE_BUF are not mixed; larger ones wait for room.
 */
#include "abi.h"

#define SIZE  4096
#define EACH  100

static int read_full(int fd, char *buf, int n)
{
        int got = 0;

        while (got < n) {
                ssize_t r = read(fd, buf + got, n - got);
                if (r <= 0)
                        return got;
                got += r;
        }
        return got;
}

int main(void)
{
        static char buf[300000];
        int         p[2], whole = 0, pieces = 0;
        pid_t       pids[4];

        pipe(p);
        for (int c = 0; c < 4; c++)
                if ((pids[c] = fork()) == 0) {
                        memset(buf, 'a' + c, SIZE);
                        for (int i = 0; i < EACH; i++)
                                if (write(p[1], buf, SIZE) != SIZE)
                                        _exit(1);
                        _exit(0);
                }
        close(p[1]);
        while (read_full(p[0], buf, SIZE) == SIZE) {
                pieces++;
                whole += buf[0] == buf[SIZE / 2] && buf[0] == buf[SIZE - 1] && !memcmp(buf, buf + 1, SIZE - 1);
        }
        CHECK("all pieces", pieces == 4 * EACH);
        CHECK("none mixed", whole == pieces);
        for (int c = 0; c < 4; c++)
                result_of(pids[c]);

        pipe(p);
        pid_t pid = fork();
        if (pid == 0)
                _exit(write(p[1], buf, sizeof buf) == sizeof buf ? 3 : 4);
        close(p[1]);
        int n = 0;
        for (ssize_t r; (r = read(p[0], buf, 7777)) > 0;)
                n += r;
        CHECK("a large write is complete", n == sizeof buf && result_of(pid) == 3);
        return done();
}
