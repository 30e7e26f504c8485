/* Calls that wait, and signals: EINTR, restarts, what was done before. */
#include "unix.h"

static int  s[2];
static char buf[300000];
static volatile int hits;
static void handler(int sig) { (void)sig; hits++; }

static void fresh(int type) { must(socketpair(AF_UNIX, type, 0, s) == 0, "socketpair"); }
static void end(void) { close(s[0]); close(s[1]); }
static void soon(void) { ualarm(20000, 0); }

int main(void)
{
        struct timeval tv = { 5, 0 };

        on(SIGALRM, handler, 0);
        fresh(SOCK_STREAM);
        soon();
        FAILS("read", EINTR, read(s[1], buf, 1));
        soon();
        FAILS("recv of a datagram", EINTR, (end(), fresh(SOCK_DGRAM), recv(s[1], buf, 1, 0)));
        end();
        fresh(SOCK_STREAM);
        while (send(s[0], buf, 4096, MSG_DONTWAIT) > 0)
                ;
        soon();
        FAILS("write", EINTR, write(s[0], buf, 1));
        end();
        fresh(SOCK_STREAM);
        soon();
        ssize_t n = write(s[0], buf, sizeof buf);
        CHECK("a part was written", n > 0 && n < (ssize_t)sizeof buf);
        end();
        fresh(SOCK_STREAM);
        write(s[0], "abc", 3);
        soon();
        CHECK("a part was read", recv(s[1], buf, 10, MSG_WAITALL) == 3);
        end();

        on(SIGALRM, handler, SA_RESTART);
        fresh(SOCK_STREAM);
        hits = 0;
        pid_t pid = fork();
        if (pid == 0) {
                sleep_ms(60);
                write(s[0], "late", 4);
                _exit(0);
        }
        soon();
        CHECK("SA_RESTART", read(s[1], buf, 9) == 4 && hits == 1);
        result_of(pid);
        setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        soon();
        FAILS("not with a time limit", EINTR, read(s[1], buf, 1));
        soon();
        FAILS("of recv", EINTR, recv(s[1], buf, 1, 0));
        end();
        int l = listener(SOCK_STREAM, "@sig", 0);
        setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        soon();
        FAILS("of accept", EINTR, accept(l, NULL, NULL));
        connected(SOCK_STREAM, "@sig");
        int c = socket(AF_UNIX, SOCK_STREAM, 0);
        setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
        soon();
        FAILS("of connect", EINTR, connect_to(c, "@sig"));
        fresh(SOCK_SEQPACKET);
        setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
        while (send(s[0], "x", 1, MSG_DONTWAIT) == 1)
                ;
        soon();
        FAILS("of send", EINTR, send(s[0], "x", 1, 0));
        return done();
}
