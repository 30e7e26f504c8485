/* Calls that wait, and signals: EINTR, restarts, what was done before. */
#include "unix.h"

static int  s[2];
static char buf[300000];
static volatile int *hits;
static void handler(int sig) { (void)sig; ++*hits; }

static void fresh(int type) { must(socketpair(AF_UNIX, type, 0, s) == 0, "socketpair"); }
static void end(void) { close(s[0]); close(s[1]); }

int main(void)
{
        struct timeval tv = { 60, 0 };

        hits = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        on(SIGALRM, handler, 0);
        fresh(SOCK_STREAM);
        ALARMED("read", read(s[1], buf, 1));
        ALARMED("recv of a datagram", (end(), fresh(SOCK_DGRAM), recv(s[1], buf, 1, 0)));
        end();
        fresh(SOCK_STREAM);
        while (send(s[0], buf, 4096, MSG_DONTWAIT) > 0)
                ;
        ALARMED("write", write(s[0], buf, 1));
        end();
        fresh(SOCK_STREAM);
        alarms(1);
        ssize_t n = write(s[0], buf, sizeof buf);
        alarms(0);
        CHECK("a part was written", n > 0 && n < (ssize_t)sizeof buf);
        end();
        fresh(SOCK_STREAM);
        write(s[0], "abc", 3);
        alarms(1);
        n = recv(s[1], buf, 10, MSG_WAITALL);
        alarms(0);
        CHECK("a part was read", n == 3);
        end();

        on(SIGALRM, handler, SA_RESTART);
        fresh(SOCK_STREAM);
        *hits = 0;
        pid_t pid = fork();
        if (pid == 0) {
                state_becomes(getppid(), 'S');
                kill(getppid(), SIGALRM);
                while (*hits == 0)
                        sleep_ms(1);
                state_becomes(getppid(), 'S');
                write(s[0], "late", 4);
                _exit(0);
        }
        CHECK("SA_RESTART", read(s[1], buf, 9) == 4 && *hits == 1);
        result_of(pid);
        setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        ALARMED("not with a time limit", read(s[1], buf, 1));
        ALARMED("of recv", recv(s[1], buf, 1, 0));
        end();
        int l = listener(SOCK_STREAM, "@sig", 0);
        setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        ALARMED("of accept", accept(l, NULL, NULL));
        connected(SOCK_STREAM, "@sig");
        int c = socket(AF_UNIX, SOCK_STREAM, 0);
        setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
        ALARMED("of connect", connect_to(c, "@sig"));
        fresh(SOCK_SEQPACKET);
        setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
        while (send(s[0], "x", 1, MSG_DONTWAIT) == 1)
                ;
        ALARMED("of send", send(s[0], "x", 1, 0));
        return done();
}
