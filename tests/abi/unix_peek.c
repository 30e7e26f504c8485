/* MSG_PEEK and SO_PEEK_OFF. */
#include "unix.h"

static int  s[2];
static char buf[64];

static int got(ssize_t n, const char *text) { return n == (ssize_t)strlen(text) && !memcmp(buf, text, n); }

int main(void)
{
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        write(s[0], "abcdef", 6);
        CHECK("peek", got(recv(s[1], buf, 3, MSG_PEEK), "abc") && got(recv(s[1], buf, 3, MSG_PEEK), "abc"));
        CHECK("all", got(recv(s[1], buf, 60, MSG_PEEK), "abcdef"));
        CHECK("SO_PEEK_OFF is off", option(s[1], SO_PEEK_OFF) == -1);
        OKAY("on", set_option(s[1], SO_PEEK_OFF, 2));
        CHECK("from there", got(recv(s[1], buf, 2, MSG_PEEK), "cd") && option(s[1], SO_PEEK_OFF) == 4);
        CHECK("and on", got(recv(s[1], buf, 60, MSG_PEEK), "ef"));
        FAILS("no more", EAGAIN, recv(s[1], buf, 60, MSG_PEEK | MSG_DONTWAIT));
        CHECK("reading moves it back", got(recv(s[1], buf, 2, 0), "ab") && option(s[1], SO_PEEK_OFF) == 4);
        write(s[0], "gh", 2);
        CHECK("what is new", got(recv(s[1], buf, 60, MSG_PEEK), "gh"));
        CHECK("reading", got(recv(s[1], buf, 60, 0), "cdefgh") && option(s[1], SO_PEEK_OFF) == 0);
        OKAY("off", set_option(s[1], SO_PEEK_OFF, -1));
        close(s[0]);
        CHECK("peek the end", recv(s[1], buf, 9, MSG_PEEK) == 0);
        close(s[1]);

        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        send(s[0], "one", 3, 0);
        send(s[0], "two2", 4, 0);
        set_option(s[1], SO_PEEK_OFF, 0);
        CHECK("first", got(recv(s[1], buf, 60, MSG_PEEK), "one"));
        CHECK("second", got(recv(s[1], buf, 60, MSG_PEEK), "two2"));
        FAILS("no third", EAGAIN, recv(s[1], buf, 60, MSG_PEEK | MSG_DONTWAIT));
        CHECK("read the first", got(recv(s[1], buf, 60, 0), "one") && option(s[1], SO_PEEK_OFF) == 4);
        set_option(s[1], SO_PEEK_OFF, 1);
        CHECK("inside a message", got(recv(s[1], buf, 2, MSG_PEEK), "wo") && option(s[1], SO_PEEK_OFF) == 3);
        CHECK("read it", got(recv(s[1], buf, 60, 0), "two2"));
        return done();
}
