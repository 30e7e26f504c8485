/* listen(2), accept(2), connect(2) of streams: states, backlog, waiting. */
#include "unix.h"
#include <pthread.h>

static char buf[64];

static void states(void)
{
        struct sockaddr_un a;
        socklen_t          n;
        int                u = socket(AF_UNIX, SOCK_STREAM, 0);

        FAILS("listen without a name", EINVAL, listen(u, 1));
        FAILS("accept", EINVAL, accept(u, NULL, NULL));
        bind_to(u, "l");
        FAILS("connect before listen", ECONNREFUSED, connect_to(socket(AF_UNIX, SOCK_STREAM, 0), "l"));
        CHECK("SO_ACCEPTCONN off", option(u, SO_ACCEPTCONN) == 0);
        OKAY("listen", listen(u, 5));
        CHECK("SO_ACCEPTCONN on", option(u, SO_ACCEPTCONN) == 1);
        OKAY("listen again", listen(u, 3));
        CHECK("listener polls", ready(u) == 0);
        FAILS("recv", EINVAL, recv(u, buf, 1, 0));
        FAILS("send", ENOTCONN, send(u, "x", 1, MSG_NOSIGNAL));
        FAILS("getpeername", ENOTCONN, (n = sizeof a, getpeername(u, (struct sockaddr *)&a, &n)));
        fcntl(u, F_SETFL, O_NONBLOCK);
        FAILS("accept, nobody there", EAGAIN, accept(u, NULL, NULL));
        FAILS("connect of a listener", EINVAL, connect_to(u, "l"));
        int c = socket(AF_UNIX, SOCK_STREAM, 0);
        FAILS("unconnected peer", ENOTCONN, (n = sizeof a, getpeername(c, (struct sockaddr *)&a, &n)));
        OKAY("connect", connect_to(c, "l"));
        CHECK("listener is readable", ready(u) == POLLIN);
        FAILS("connect again", EISCONN, connect_to(c, "l"));
        FAILS("listen when connected", EINVAL, listen(c, 1));
        OKAY("write before accept", write(c, "early", 5));
        n = sizeof a;
        OKAY("getpeername", getpeername(c, (struct sockaddr *)&a, &n));
        CHECK("the listener's name", n == 2 + 2 && !strcmp(a.sun_path, "l"));
        n = sizeof a;
        int s = accept(u, (struct sockaddr *)&a, &n);
        OKAY("accept", s);
        CHECK("of an unnamed one", n == 2 && a.sun_family == AF_UNIX);
        CHECK("does not inherit O_NONBLOCK", (fcntl(s, F_GETFL) & O_NONBLOCK) == 0 && fcntl(s, F_GETFD) == 0);
        n = sizeof a;
        getsockname(s, (struct sockaddr *)&a, &n);
        CHECK("has the listener's name", n == 4 && !strcmp(a.sun_path, "l"));
        CHECK("what came early", read(s, buf, 9) == 5);
        FAILS("sendto when connected", EISCONN, send_to(c, "x", 1, 0, "l"));
        FAILS("sendto when not", EOPNOTSUPP, send_to(socket(AF_UNIX, SOCK_STREAM, 0), "x", 1, 0, "l"));
        close(c);
        close(s);
        c = socket(AF_UNIX, SOCK_STREAM, 0);
        bind_to(c, "@client");
        connect_to(c, "l");
        n = sizeof a;
        s = accept4(u, (struct sockaddr *)&a, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        CHECK("accept4's flags", (fcntl(s, F_GETFL) & O_NONBLOCK) && fcntl(s, F_GETFD) == FD_CLOEXEC);
        CHECK("name of the client", n == 2 + 7 && !memcmp(a.sun_path, "\0client", 7));
        FAILS("accept4, bad flags", EINVAL, accept4(u, NULL, NULL, 1));
        close(s);
        close(c);
        c = connected(SOCK_STREAM, "l");
        FAILS("accept, bad length address", EFAULT, accept(u, (struct sockaddr *)&a, BAD_PTR));
        FAILS("takes the connection", EAGAIN, accept(u, NULL, NULL));
        CHECK("which ends", read(c, buf, 1) <= 0);
        close(c);
        FAILS("accept of a datagram socket", EOPNOTSUPP, accept(socket(AF_UNIX, SOCK_DGRAM, 0), NULL, NULL));
        FAILS("listen of one", EOPNOTSUPP, listen(socket(AF_UNIX, SOCK_DGRAM, 0), 1));
        close(u);
}

static void backlogs(void)
{
        int u = listener(SOCK_STREAM, "@b", 2), c[8], i;

        for (i = 0; i < 8; i++) {
                c[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
                if (connect_to(c[i], "@b") < 0)
                        break;
        }
        CHECK("one more than the backlog", i == 3 && errno == EAGAIN);
        int s = accept(u, NULL, NULL);
        OKAY("room again", connect_to(c[3], "@b"));
        FAILS("and full", EAGAIN, connect_to(c[4] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), "@b"));
        listen(u, 3);
        OKAY("a longer backlog", connect_to(c[4], "@b"));
        struct timeval tv = { 0, 30000 };
        int w = socket(AF_UNIX, SOCK_STREAM, 0);
        setsockopt(w, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
        FAILS("SO_SNDTIMEO of connect", EAGAIN, connect_to(w, "@b"));
        pid_t pid = fork();
        if (pid == 0)
                _exit(connect_to(socket(AF_UNIX, SOCK_STREAM, 0), "@b") == 0 ? 0 : errno);
        CHECK("connect waits", state_becomes(pid, 'S'));
        close(accept(u, NULL, NULL));
        CHECK("until there is room", result_of(pid) == 0);
        pid = fork();
        if (pid == 0) {
                close(u);
                _exit(connect_to(socket(AF_UNIX, SOCK_STREAM, 0), "@b") == 0 ? 0 : errno);
        }
        state_becomes(pid, 'S');
        close(u);
        CHECK("or the listener goes", result_of(pid) == ECONNREFUSED);
        char ch;
        FAILS("what was not accepted is reset", ECONNRESET, read(c[3], &ch, 1));
        CHECK("and over", read(c[3], &ch, 1) == 0);
        FAILS("for writing too", EPIPE, send(c[4], "x", 1, MSG_NOSIGNAL));
        CHECK("what was accepted is not", send(s, "x", 1, 0) == 1 && read(c[0], &ch, 1) == 1);
        u = listener(SOCK_STREAM, "@z", 0);
        OKAY("backlog 0 takes one", connect_to(c[5] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), "@z"));
        FAILS("not two", EAGAIN, connect_to(c[6] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), "@z"));
        OKAY("negative", listen(u, -1));
        OKAY("is many", connect_to(c[6], "@z"));
        close(u);
}

static int listening;
static void *accept_one(void *arg)
{
        (void)arg;
        return (void *)(intptr_t)accept(listening, NULL, NULL);
}

static void nothing(int sig) { (void)sig; }

static void waiting(void)
{
        pthread_t t;
        void     *r;

        listening = listener(SOCK_STREAM, "@w", 5);
        pthread_create(&t, NULL, accept_one, NULL);
        sleep_ms(20);
        int c = connected(SOCK_STREAM, "@w");
        pthread_join(t, &r);
        CHECK("accept waits", (intptr_t)r >= 0);
        close(c);
        struct timeval tv = { 0, 20000 };
        setsockopt(listening, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        FAILS("SO_RCVTIMEO of accept", EAGAIN, accept(listening, NULL, NULL));
        on(SIGALRM, nothing, 0);
        tv = (struct timeval){ 0, 0 };
        setsockopt(listening, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        ALARMED("a signal", accept(listening, NULL, NULL));
        pid_t pid = fork();
        if (pid == 0)
                _exit(accept(listening, NULL, NULL) < 0 ? errno : 0);
        state_becomes(pid, 'S');
        shutdown(listening, SHUT_RD);
        CHECK("shutdown ends accept", result_of(pid) == EINVAL);
        CHECK("and polls", (ready(listening) & (POLLIN | POLLRDHUP)) == (POLLIN | POLLRDHUP));
        FAILS("nobody connects", ECONNREFUSED, connect_to(socket(AF_UNIX, SOCK_STREAM, 0), "@w"));
        close(listening);
}

/* An exhausted table loses no connection. */
static int no_descriptors(void)
{
        int u = listener(SOCK_STREAM, "@e", 5), c = connected(SOCK_STREAM, "@e");
        struct rlimit r = { c + 1, c + 1 };
        setrlimit(RLIMIT_NOFILE, &r);
        FAILS("accept without descriptors", EMFILE, accept(u, NULL, NULL));
        FAILS("socket without", EMFILE, socket(AF_UNIX, SOCK_STREAM, 0));
        int s[2];
        FAILS("socketpair without", EMFILE, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
        close(0);
        OKAY("the connection is still there", accept(u, NULL, NULL));
        return done();
}

int main(void)
{
        states();
        backlogs();
        waiting();
        in_child(no_descriptors);
        return done();
}
