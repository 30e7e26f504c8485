/* SPDX-License-Identifier: Apache-2.0
 *
 * poll_basic: poll: readiness, hang-ups, time-outs.
 */
#include "abi.h"

static short events(int fd, short want)
{
        struct pollfd p = { .fd = fd, .events = want };

        return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

int main(void)
{
        int           p[2], fd = open("file", O_RDWR | O_CREAT, 0644);
        char          buf[100000] = { 0 };
        struct pollfd many[3] = { { -1, POLLIN, 7 }, { fd, POLLIN, 0 }, { 99, POLLIN, 0 } };

        pipe(p);
        CHECK("empty: not readable", events(p[0], POLLIN) == 0);
        CHECK("empty: writable", events(p[1], POLLOUT) == POLLOUT);
        write(p[1], "x", 1);
        CHECK("readable", events(p[0], POLLIN | POLLRDNORM) == (POLLIN | POLLRDNORM));
        fcntl(p[1], F_SETFL, O_NONBLOCK);
        write(p[1], buf, sizeof buf);
        CHECK("full: not writable", events(p[1], POLLOUT) == 0);
        CHECK("a file: always", events(fd, POLLIN | POLLOUT) == (POLLIN | POLLOUT));
        CHECK("/dev/null: always", events(open("/dev/null", O_RDWR), POLLIN | POLLOUT) == (POLLIN | POLLOUT));
        CHECK("several", poll(many, 3, 0) == 2);
        CHECK("-1 is skipped", many[0].revents == 0);
        CHECK("closed: POLLNVAL", many[2].revents == POLLNVAL);
        close(p[1]);
        CHECK("data and hang-up", events(p[0], POLLIN) == (POLLIN | POLLHUP));
        while (read(p[0], buf, sizeof buf) > 0)
                ;
        CHECK("hang-up", events(p[0], POLLIN) == POLLHUP);
        close(p[0]);
        pipe(p);
        close(p[0]);
        CHECK("nobody reads", events(p[1], POLLOUT) == (POLLOUT | POLLERR));
        close(p[1]);

        int64_t start = now_ms();
        CHECK("time-out", poll(NULL, 0, 50) == 0 && now_ms() - start >= 49);
        pipe(p);
        pid_t pid = fork();
        if (pid == 0) {
                sleep_ms(50);
                write(p[1], "x", 1);
                _exit(0);
        }
        struct pollfd one = { .fd = p[0], .events = POLLIN };
        CHECK("waits", poll(&one, 1, -1) == 1 && one.revents == POLLIN);
        result_of(pid);
        FAILS("pointer", EFAULT, poll(BAD_PTR, 1, 0));
        FAILS("too many", EINVAL, poll(BAD_PTR, 10000000, 0));
        return done();
}
