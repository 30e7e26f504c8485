/* A log daemon's socket: datagrams from many processes to a path, as syslog(3) sends them. */
#include "unix.h"

enum { SENDERS = 4, EACH = 50 };

int main(void)
{
        int  log = bound(SOCK_DGRAM, "log"), count[SENDERS] = { 0 }, ok = 1;
        char buf[256];
        pid_t pid[SENDERS];

        set_option(log, SO_PASSCRED, 1);
        for (int i = 0; i < SENDERS; i++) {
                pid[i] = fork();
                if (pid[i] == 0) {
                        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
                        must(connect_to(fd, "log") == 0, "connect");
                        for (int k = 0; k < EACH; k++) {
                                int n = snprintf(buf, sizeof buf, "<13>sender %d: line %d", i, k);
                                if (send(fd, buf, n, 0) != n)
                                        _exit(1);
                        }
                        _exit(0);
                }
        }
        for (int i = 0; i < SENDERS * EACH; i++) {
                struct message m;
                int who, line;
                message_init(&m, buf, sizeof buf - 1);
                m.h.msg_controllen = sizeof m.control;
                ssize_t n = recvmsg(log, &m.h, 0);
                struct cmsghdr *c = CMSG_FIRSTHDR(&m.h);
                buf[n > 0 ? n : 0] = 0;
                if (n <= 0 || !c || sscanf(buf, "<13>sender %d: line %d", &who, &line) != 2 || who >= SENDERS || line != count[who]++)
                        ok = 0;
                else if (((int *)CMSG_DATA(c))[0] != pid[who])
                        ok = 0;
        }
        CHECK("every line, in each sender's order, with its pid", ok);
        for (int i = 0; i < SENDERS; i++)
                ok = ok && result_of(pid[i]) == 0;
        CHECK("all senders ended well", ok);
        close(log);
        log = socket(AF_UNIX, SOCK_DGRAM, 0);
        FAILS("a restarted daemon finds the old name", EADDRINUSE, bind_to(log, "log"));
        OKAY("removes it", unlink("log"));
        OKAY("and binds again", bind_to(log, "log"));
        return done();
}
