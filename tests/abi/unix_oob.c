/* MSG_OOB on streams. */
#include "unix.h"

static int  s[2];
static char buf[64];

static int got(ssize_t n, const char *text) { return n == (ssize_t)strlen(text) && !memcmp(buf, text, n); }
static void pair(void) { must(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0, "socketpair"); }
static void end(void) { close(s[0]); close(s[1]); }
static int at_mark(void) { int v = -1; ioctl(s[1], SIOCATMARK, &v); return v; }

#ifndef SIOCATMARK
#define SIOCATMARK 0x8905
#endif

int main(void)
{
        pair();
        FAILS("none there", EINVAL, recv(s[1], buf, 1, MSG_OOB));
        CHECK("send", send(s[0], "a", 1, MSG_OOB) == 1);
        CHECK("POLLPRI", (ready(s[1]) & (POLLIN | POLLPRI)) == (POLLIN | POLLPRI));
        CHECK("peek", recv(s[1], buf, 9, MSG_OOB | MSG_PEEK) == 1 && buf[0] == 'a');
        CHECK("take", recv(s[1], buf, 9, MSG_OOB) == 1 && buf[0] == 'a');
        FAILS("once", EINVAL, recv(s[1], buf, 9, MSG_OOB));
        CHECK("POLLPRI gone", (ready(s[1]) & POLLPRI) == 0);
        end();

        pair();
        FAILS("nothing to send", EOPNOTSUPP, send(s[0], "", 0, MSG_OOB));
        send(s[0], "ab", 2, 0);
        send(s[0], "c", 1, MSG_OOB);
        send(s[0], "de", 2, 0);
        CHECK("not at the mark", at_mark() == 0);
        CHECK("a read stops before it", got(recv(s[1], buf, 9, 0), "ab"));
        CHECK("at the mark", at_mark() == 1);
        CHECK("take it", recv(s[1], buf, 9, MSG_OOB) == 1 && buf[0] == 'c');
        ssize_t n = recv(s[1], buf, 9, MSG_DONTWAIT);
        if (n < 0)              /* Linux 6.1 meets the place it left first */
                n = recv(s[1], buf, 9, MSG_DONTWAIT);
        CHECK("and go on", got(n, "de"));
        end();

        pair();
        send(s[0], "ab", 2, 0);
        send(s[0], "c", 1, MSG_OOB);
        send(s[0], "de", 2, 0);
        CHECK("take it first", recv(s[1], buf, 9, MSG_OOB) == 1 && buf[0] == 'c');
        CHECK("its place still parts", got(recv(s[1], buf, 9, MSG_DONTWAIT), "ab") && got(recv(s[1], buf, 9, MSG_DONTWAIT), "de"));
        end();

        pair();
        send(s[0], "ab", 2, 0);
        send(s[0], "c", 1, MSG_OOB);
        send(s[0], "de", 2, 0);
        CHECK("before it", got(recv(s[1], buf, 9, 0), "ab"));
        CHECK("passed over", got(recv(s[1], buf, 9, 0), "de"));
        FAILS("and lost", EINVAL, recv(s[1], buf, 9, MSG_OOB));
        end();

        pair();
        send(s[0], "xyz", 3, MSG_OOB);
        CHECK("the last byte is the urgent one", recv(s[1], buf, 9, MSG_OOB) == 1 && buf[0] == 'z');
        CHECK("the others are ordinary", got(recv(s[1], buf, 9, 0), "xy"));
        end();

        pair();
        send(s[0], "1", 1, MSG_OOB);
        send(s[0], "2", 1, MSG_OOB);
        CHECK("a second takes its place", recv(s[1], buf, 9, MSG_OOB) == 1 && buf[0] == '2');
        CHECK("the first becomes ordinary", got(recv(s[1], buf, 9, MSG_DONTWAIT), "1"));
        end();

        pair();
        set_option(s[1], SO_OOBINLINE, 1);
        send(s[0], "ab", 2, 0);
        send(s[0], "c", 1, MSG_OOB);
        send(s[0], "de", 2, 0);
        FAILS("inline: not apart", EINVAL, recv(s[1], buf, 9, MSG_OOB));
        CHECK("inline: up to it", got(recv(s[1], buf, 9, 0), "ab"));
        CHECK("inline: at the mark", at_mark() == 1);
        CHECK("inline: with the rest", got(recv(s[1], buf, 9, 0), "cde"));
        end();

        pair();
        shutdown(s[0], SHUT_WR);
        FAILS("after shutdown", EPIPE, send(s[0], "x", 1, MSG_OOB | MSG_NOSIGNAL));
        end();
        return done();
}
