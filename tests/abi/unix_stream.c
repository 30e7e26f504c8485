/* AF_UNIX streams: bytes, ends, errors. */
#include "abi.h"
#include <sys/socket.h>
#include <sys/un.h>

static int s[2];
static char buf[300000];

static int ready(int fd)
{
        struct pollfd p = { fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM | POLLWRBAND, 0 };
        poll(&p, 1, 0);
        return p.revents;
}

static void pair(void) { must(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0, "socketpair"); }
static void end(void) { close(s[0]); close(s[1]); }

static void basic(void)
{
        pair();
        CHECK("both writable", ready(s[0]) == (POLLOUT | POLLWRNORM | POLLWRBAND) && ready(s[1]) == ready(s[0]));
        CHECK("write", write(s[0], "hello", 5) == 5);
        CHECK("readable", ready(s[1]) == (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | POLLWRBAND));
        CHECK("peek", recv(s[1], buf, 3, MSG_PEEK) == 3 && !memcmp(buf, "hel", 3));
        CHECK("read part", read(s[1], buf, 2) == 2 && !memcmp(buf, "he", 2));
        CHECK("write more", write(s[0], "12345", 5) == 5);
        CHECK("boundaries vanish", read(s[1], buf, 100) == 8 && !memcmp(buf, "llo12345", 8));
        FAILS("empty", EAGAIN, recv(s[1], buf, 1, MSG_DONTWAIT));
        CHECK("the other way", write(s[1], "x", 1) == 1 && read(s[0], buf, 9) == 1 && buf[0] == 'x');
        CHECK("zero write", write(s[0], "", 0) == 0);
        FAILS("leaves nothing", EAGAIN, recv(s[1], buf, 1, MSG_DONTWAIT));
        CHECK("zero read", read(s[1], buf, 0) == 0);
        FAILS("recv of nothing waits", EAGAIN, recv(s[1], buf, 0, MSG_DONTWAIT));
        write(s[0], "y", 1);
        CHECK("recv of nothing with a byte", recv(s[1], buf, 0, MSG_DONTWAIT) == 0);
        CHECK("which stays", recv(s[1], buf, 5, MSG_DONTWAIT) == 1);
        FAILS("bad address in", EFAULT, send(s[0], BAD_PTR, 5, 0));
        write(s[0], "abc", 3);
        FAILS("bad address out", EFAULT, recv(s[1], BAD_PTR, 5, 0));
        CHECK("nothing was lost", recv(s[1], buf, 5, MSG_DONTWAIT) == 3);
        end();
}

static void ends(void)
{
        pair();
        write(s[0], "last", 4);
        close(s[0]);
        CHECK("after close", ready(s[1]) == (POLLIN | POLLOUT | POLLHUP | POLLRDHUP | POLLRDNORM | POLLWRNORM | POLLWRBAND));
        CHECK("what was sent comes", read(s[1], buf, 9) == 4);
        CHECK("then the end", read(s[1], buf, 9) == 0 && read(s[1], buf, 9) == 0);
        FAILS("write to the dead", EPIPE, send(s[1], "x", 1, MSG_NOSIGNAL));
        close(s[1]);

        pair();
        write(s[0], "unread", 6);
        close(s[1]);
        CHECK("reset shows", ready(s[0]) == (POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP | POLLRDNORM | POLLWRNORM | POLLWRBAND));
        FAILS("unread data resets", ECONNRESET, read(s[0], buf, 1));
        CHECK("once", read(s[0], buf, 1) == 0);
        close(s[0]);

        pair();
        write(s[1], "mine", 4);
        write(s[0], "unread", 6);
        close(s[1]);
        CHECK("data before the reset", read(s[0], buf, 9) == 4);
        FAILS("then the reset", ECONNRESET, read(s[0], buf, 1));
        close(s[0]);

        pair();
        write(s[0], "unread", 6);
        close(s[1]);
        int e = 0;
        socklen_t l = sizeof e;
        getsockopt(s[0], SOL_SOCKET, SO_ERROR, &e, &l);
        CHECK("SO_ERROR takes it", e == ECONNRESET && read(s[0], buf, 1) == 0);
        close(s[0]);
}

static volatile int pipes;
static void on_pipe(int sig) { (void)sig; pipes++; }

static void sigpipe(void)
{
        on(SIGPIPE, on_pipe, 0);
        pair();
        close(s[1]);
        FAILS("write", EPIPE, write(s[0], "x", 1));
        CHECK("SIGPIPE", pipes == 1);
        FAILS("MSG_NOSIGNAL", EPIPE, send(s[0], "x", 1, MSG_NOSIGNAL));
        CHECK("none", pipes == 1);
        CHECK("zero bytes", send(s[0], "", 0, 0) == -1 && errno == EPIPE);
        CHECK("SIGPIPE for that, too", pipes == 2);
        close(s[0]);
}

static void shut(void)
{
        pair();
        OKAY("SHUT_WR", shutdown(s[0], SHUT_WR));
        CHECK("the other end", read(s[1], buf, 1) == 0);
        CHECK("polls as half closed", ready(s[1]) == (POLLIN | POLLOUT | POLLRDHUP | POLLRDNORM | POLLWRNORM | POLLWRBAND));
        CHECK("this one as it was", ready(s[0]) == (POLLOUT | POLLWRNORM | POLLWRBAND));
        FAILS("no more writing", EPIPE, send(s[0], "x", 1, MSG_NOSIGNAL));
        CHECK("the other way goes on", write(s[1], "y", 1) == 1 && read(s[0], buf, 1) == 1);
        OKAY("SHUT_RD", shutdown(s[0], SHUT_RD));
        CHECK("all shut", ready(s[0]) == (POLLIN | POLLOUT | POLLHUP | POLLRDHUP | POLLRDNORM | POLLWRNORM | POLLWRBAND));
        FAILS("nor the other way", EPIPE, send(s[1], "x", 1, MSG_NOSIGNAL));
        CHECK("reading ends", read(s[0], buf, 1) == 0);
        end();
        pair();
        write(s[1], "queued", 6);
        shutdown(s[0], SHUT_RD);
        CHECK("what was queued is still read", read(s[0], buf, 9) == 6 && read(s[0], buf, 9) == 0);
        FAILS("bad how", EINVAL, shutdown(s[0], 3));
        FAILS("negative how", EINVAL, shutdown(s[0], -1));
        end();
        int u = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK("unconnected polls", ready(u) == (POLLOUT | POLLHUP | POLLWRNORM | POLLWRBAND));
        FAILS("recv", EINVAL, recv(u, buf, 1, 0));
        FAILS("send", ENOTCONN, send(u, "x", 1, MSG_NOSIGNAL));
        OKAY("shutdown", shutdown(u, SHUT_WR));
        FAILS("send", ENOTCONN, send(u, "x", 1, MSG_NOSIGNAL));
        close(u);
}

static void much(void)
{
        pair();
        pid_t pid = fork();
        if (pid == 0) {
                close(s[1]);
                for (size_t i = 0; i < sizeof buf; i++)
                        buf[i] = (char)(i * 7 + i / 251);
                for (int k = 0; k < 10; k++)
                        if (write(s[0], buf, sizeof buf) != (ssize_t)sizeof buf)
                                _exit(1);
                _exit(0);
        }
        close(s[0]);
        size_t at = 0;
        int    bad = 0;
        ssize_t n;
        static char in[70001];
        while ((n = read(s[1], in, sizeof in)) > 0)
                for (ssize_t i = 0; i < n; i++, at++)
                        bad += in[i] != (char)((at % sizeof buf) * 7 + (at % sizeof buf) / 251);
        CHECK("three megabytes in order", at == 10 * sizeof buf && bad == 0 && result_of(pid) == 0);
        close(s[1]);
        pair();
        pid = fork();
        if (pid == 0) {
                for (int k = 0; k < 10; k++) {
                        sleep_ms(2);
                        if (write(s[0], buf, 1000) != 1000)
                                _exit(1);
                }
                _exit(0);
        }
        CHECK("MSG_WAITALL", recv(s[1], buf, 10000, MSG_WAITALL) == 10000 && result_of(pid) == 0);
        write(s[0], "abc", 3);
        shutdown(s[0], SHUT_WR);
        CHECK("MSG_WAITALL to the end", recv(s[1], buf, 10, MSG_WAITALL) == 3);
        end();
        pair();
        write(s[0], "abc", 3);
        CHECK("MSG_WAITALL without waiting", recv(s[1], buf, 10, MSG_WAITALL | MSG_DONTWAIT) == 3);
        int low = 4;
        setsockopt(s[1], SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low);
        write(s[0], "abc", 3);
        CHECK("less than SO_RCVLOWAT is read without waiting", recv(s[1], buf, 10, MSG_DONTWAIT) == 3);
        end();
}

static void full(void)
{
        size_t t = 0;
        ssize_t n;

        pair();
        while ((n = send(s[0], buf, 4096, MSG_DONTWAIT)) > 0)
                t += n;
        CHECK("filled", n == -1 && errno == EAGAIN && t >= 100000);
        CHECK("not writable", (ready(s[0]) & POLLOUT) == 0);
        CHECK("the other way is free", ready(s[1]) & POLLOUT);
        read(s[1], buf, 4096);
        CHECK("a little room is not enough for poll", (ready(s[0]) & POLLOUT) == 0);
        while (t > 8192 && (n = recv(s[1], buf, 4096, MSG_DONTWAIT)) > 0)
                t -= n;
        CHECK("room enough", ready(s[0]) & POLLOUT);
        end();
}

int main(void)
{
        basic();
        ends();
        sigpipe();
        shut();
        much();
        full();
        return done();
}
