/* mq_notify(2) with SIGEV_THREAD: the 32 bytes that come by a netlink socket. */
#include "netlink.h"
#include <mqueue.h>

#define NOTIFY_WOKENUP    1
#define NOTIFY_REMOVED    2
#define NOTIFY_COOKIE_LEN 32

static int q, s;
static char cookie[NOTIFY_COOKIE_LEN], got[64];

static long notify(int fd, int how, int sock, void *data)
{
        struct sigevent ev = { .sigev_notify = how, .sigev_signo = sock, .sigev_value.sival_ptr = data };
        return syscall(SYS_mq_notify, fd, &ev);
}
static long come(void) { return recv(s, got, sizeof got, MSG_DONTWAIT); }

int main(void)
{
        char buf[8192];
        int p[2], u = socket(AF_UNIX, SOCK_DGRAM, 0);

        must(pipe(p) == 0, "pipe");
        q = mq_open("/thread", O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
        must(q >= 0, "mq_open");
        mq_unlink("/thread");
        s = nl(SOCK_RAW, NETLINK_ROUTE);
        must(s >= 0, "netlink");
        for (int i = 0; i < NOTIFY_COOKIE_LEN; i++)
                cookie[i] = (char)(i + 100);

        FAILS("a bad cookie", EFAULT, notify(q, SIGEV_THREAD, s, BAD_PTR));
        FAILS("a bad socket", EBADF, notify(q, SIGEV_THREAD, 999, cookie));
        FAILS("no socket", ENOTSOCK, notify(q, SIGEV_THREAD, p[0], cookie));
        FAILS("another family", EINVAL, notify(q, SIGEV_THREAD, u, cookie));
        FAILS("no queue", EBADF, notify(p[0], SIGEV_THREAD, s, cookie));
        FAILS("no descriptor", EBADF, notify(999, SIGEV_THREAD, s, cookie));
        FAILS("a bad kind", EINVAL, notify(q, 77, s, cookie));
        CHECK("nothing came", come() == -1);

        OKAY("asked", notify(q, SIGEV_THREAD, s, cookie));
        FAILS("once", EBUSY, notify(q, SIGEV_THREAD, s, cookie));
        CHECK("nothing yet", come() == -1);
        cookie[0] = 0;
        OKAY("a message", mq_send(q, "x", 1, 0));
        struct sockaddr_nl from = at(7, 7);
        socklen_t n = sizeof from;
        CHECK("32 bytes", recvfrom(s, got, sizeof got, MSG_DONTWAIT, (void *)&from, &n) == NOTIFY_COOKIE_LEN);
        CHECK("from the kernel", from.nl_pid == 0 && from.nl_groups == 0);
        CHECK("woken up", got[NOTIFY_COOKIE_LEN - 1] == NOTIFY_WOKENUP);
        cookie[0] = 100;
        CHECK("as they were", !memcmp(got, cookie, NOTIFY_COOKIE_LEN - 1));
        mq_send(q, "x", 1, 0);
        CHECK("but once", come() == -1);
        OKAY("asked of a queue that is not empty", notify(q, SIGEV_THREAD, s, cookie));
        mq_send(q, "x", 1, 0);
        CHECK("nothing", come() == -1);
        OKAY("taken back", syscall(SYS_mq_notify, q, NULL));
        CHECK("told so", come() == NOTIFY_COOKIE_LEN && got[NOTIFY_COOKIE_LEN - 1] == NOTIFY_REMOVED);
        OKAY("taken back twice", syscall(SYS_mq_notify, q, NULL));
        CHECK("not told", come() == -1);
        while (mq_receive(q, buf, sizeof buf, NULL) >= 0 && ({ struct mq_attr a; mq_getattr(q, &a); a.mq_curmsgs > 0; }))
                ;
        /* a receiver that waits has it before */
        OKAY("asked again", notify(q, SIGEV_THREAD, s, cookie));
        pid_t pid = fork();
        if (pid == 0)
                _exit(mq_receive(q, buf, sizeof buf, NULL) == 3 ? 0 : 1);
        sleep_ms(60);
        mq_send(q, "abc", 3, 0);
        CHECK("a receiver that waits", result_of(pid) == 0);
        CHECK("is not told of", come() == -1);
        mq_send(q, "abc", 3, 0);
        CHECK("still asked", come() == NOTIFY_COOKIE_LEN);
        mq_receive(q, buf, sizeof buf, NULL);

        /* another process's wait is not this one's to take back */
        pid = fork();
        if (pid == 0) {
                if (notify(q, SIGEV_THREAD, s, cookie) != 0)
                        _exit(1);
                _exit(0);
        }
        CHECK("a child asked", result_of(pid) == 0);
        CHECK("its end takes it back", come() == NOTIFY_COOKIE_LEN && got[NOTIFY_COOKIE_LEN - 1] == NOTIFY_REMOVED);
        OKAY("asked, then closed", notify(q, SIGEV_THREAD, s, cookie));
        int again = dup(q);
        close(again);
        CHECK("a descriptor closed takes it back", come() == NOTIFY_COOKIE_LEN && got[NOTIFY_COOKIE_LEN - 1] == NOTIFY_REMOVED);
        OKAY("asked, the socket closed", notify(q, SIGEV_THREAD, s, cookie));
        close(s);
        OKAY("a message goes nowhere", mq_send(q, "x", 1, 0));
        s = nl(SOCK_RAW, NETLINK_USERSOCK);
        mq_receive(q, buf, sizeof buf, NULL);
        OKAY("of any protocol", notify(q, SIGEV_THREAD, s, cookie));
        mq_send(q, "x", 1, 0);
        CHECK("there", come() == NOTIFY_COOKIE_LEN && got[31] == NOTIFY_WOKENUP);
        return done();
}
