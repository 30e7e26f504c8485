/* Much data in both directions at once, driven by poll; records and datagrams that are large; forced buffers. */
#include "unix.h"

enum { TOTAL = 4 << 20 };
static char in[65536], out[65536];

/* Sends and receives TOTAL bytes, never waiting in one of them. */
static int exchange(int fd, int seed)
{
        size_t sent = 0, got = 0;
        int    bad = 0;

        fcntl(fd, F_SETFL, O_NONBLOCK);
        while (sent < TOTAL || got < TOTAL) {
                struct pollfd p = { fd, (sent < TOTAL ? POLLOUT : 0) | (got < TOTAL ? POLLIN : 0), 0 };
                if (poll(&p, 1, 10000) != 1)
                        return 2;
                if (p.revents & POLLOUT) {
                        size_t n = TOTAL - sent < 30000 ? TOTAL - sent : 30000;
                        for (size_t i = 0; i < n; i++)
                                out[i] = (char)((sent + i) * 13 + seed);
                        ssize_t r = write(fd, out, n);
                        if (r < 0 && errno != EAGAIN)
                                return 3;
                        sent += r > 0 ? r : 0;
                }
                if (p.revents & POLLIN) {
                        ssize_t r = read(fd, in, sizeof in);
                        if (r <= 0)
                                return 4;
                        for (ssize_t i = 0; i < r; i++, got++)
                                bad += in[i] != (char)(got * 13 + !seed);
                }
        }
        return bad != 0;
}

int main(void)
{
        int s[2];

        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        pid_t pid = fork();
        if (pid == 0)
                _exit(exchange(s[0], 1));
        int r = exchange(s[1], 0);
        CHECK("four megabytes each way", r == 0 && result_of(pid) == 0);
        close(s[0]);
        close(s[1]);

        static char big[600000];
        int type[2] = { SOCK_DGRAM, SOCK_SEQPACKET };
        for (int i = 0; i < 2; i++) {
                socketpair(AF_UNIX, type[i], 0, s);
                set_option(s[0], SO_SNDBUFFORCE, 500000);
                for (size_t k = 0; k < sizeof big; k++)
                        big[k] = (char)(k * 7 + k / 4096);
                CHECK("half a megabyte in one", send(s[0], big, 600000, 0) == 600000);
                memset(big, 0, sizeof big);
                CHECK("comes", recv(s[1], big, sizeof big, 0) == 600000);
                int bad = 0;
                for (size_t k = 0; k < sizeof big; k++)
                        bad += big[k] != (char)(k * 7 + k / 4096);
                CHECK("whole", bad == 0);
                close(s[0]);
                close(s[1]);
        }
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        set_option(s[0], SO_SNDBUFFORCE, 1 << 19);
        size_t t = 0;
        ssize_t n;
        while ((n = send(s[0], big, 60000, MSG_DONTWAIT)) > 0)
                t += n;
        CHECK("a large buffer holds much", t > 800000);
        size_t got = 0;
        while ((n = recv(s[1], big, sizeof big, MSG_DONTWAIT)) > 0)
                got += n;
        CHECK("and all comes", got == t);
        set_option(s[0], SO_SNDBUF, 4096);
        for (t = 0; (n = send(s[0], big, 1000, MSG_DONTWAIT)) > 0; t += n)
                ;
        CHECK("a small one little", t > 0 && t < 20000);
        close(s[0]);
        close(s[1]);
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        set_option(s[0], SO_SNDBUFFORCE, 1 << 28);
        pid = fork();
        if (pid == 0) {
                for (int i = 0; i < 20; i++)
                        if (write(s[0], big, sizeof big) != (ssize_t)sizeof big)
                                _exit(1);
                _exit(0);
        }
        close(s[0]);
        for (got = 0; (n = read(s[1], big, 100000)) > 0; got += n)
                ;
        CHECK("one beyond all bounds: what is written comes", got == 20 * sizeof big && result_of(pid) == 0);
        return done();
}
