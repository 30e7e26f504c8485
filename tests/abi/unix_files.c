/* Sockets as files: dup, fork, exec, sendfile, writev, close by another thread. */
#include "unix.h"
#include <pthread.h>
#include <sys/sendfile.h>

static int  s[2];
static char buf[65536];

static void fresh(int type) { must(socketpair(AF_UNIX, type, 0, s) == 0, "socketpair"); }

static int fd_of;
static void *close_later(void *arg)
{
        (void)arg;
        threads_asleep(1);              /* it reads */
        close(fd_of);
        sleep_ms(20);
        write(s[0], "late", 4);
        return NULL;
}

int main(void)
{
        fresh(SOCK_STREAM);
        int d = dup(s[0]);
        close(s[0]);
        CHECK("a duplicate keeps it open", write(d, "x", 1) == 1 && read(s[1], buf, 9) == 1 && ready(s[1]) == POLLOUT);
        close(d);
        CHECK("the last one closes", read(s[1], buf, 9) == 0);
        close(s[1]);

        fresh(SOCK_STREAM);
        pid_t pid = fork();
        if (pid == 0) {
                close(s[0]);
                _exit(write(s[1], "child", 5) == 5 ? 0 : 1);
        }
        close(s[1]);
        CHECK("fork", read(s[0], buf, 9) == 5 && result_of(pid) == 0 && read(s[0], buf, 9) == 0);
        close(s[0]);

        fresh(SOCK_STREAM);
        memset(buf, 'f', sizeof buf);
        put_file("data", buf, 30000, 0644);
        int f = open("data", O_RDONLY);
        CHECK("sendfile", sendfile(s[0], f, NULL, 30000) == 30000);
        int n = 0, r;
        while (n < 30000 && (r = read(s[1], buf, sizeof buf)) > 0)
                n += r;
        CHECK("all of it", n == 30000);
        off_t at = 29990;
        CHECK("from an offset", sendfile(s[0], f, &at, 100) == 10 && at == 30000 && read(s[1], buf, 99) == 10);
        close(s[1]);
        close(f);
        close(s[0]);

        fresh(SOCK_STREAM);
        pthread_t t;
        fd_of = s[1];
        pthread_create(&t, NULL, close_later, NULL);
        CHECK("a read outlives the close of its descriptor", read(s[1], buf, 9) == 4);
        pthread_join(t, NULL);
        close(s[0]);

        fresh(SOCK_DGRAM);
        close(s[1]);
        FAILS("a pair's other end", ECONNREFUSED, send(s[0], "x", 1, 0));
        FAILS("is forgotten", ENOTCONN, send(s[0], "x", 1, 0));
        close(s[0]);

        fresh(SOCK_STREAM);
        fcntl(s[0], F_SETFL, O_NONBLOCK);
        FAILS("O_NONBLOCK", EAGAIN, read(s[0], buf, 1));
        FAILS("is this end's alone", EAGAIN, recv(s[1], buf, 1, MSG_DONTWAIT));
        size_t total = 0;
        while ((r = write(s[0], buf, 60000)) > 0)
                total += r;
        CHECK("a part of the last one", r == -1 && errno == EAGAIN && total > 100000);
        close(s[0]);
        close(s[1]);
        for (int i = 0; i < 2000; i++) {
                fresh(i % 3 == 0 ? SOCK_STREAM : i % 3 == 1 ? SOCK_DGRAM : SOCK_SEQPACKET);
                write(s[0], "x", 1);
                close(s[i & 1]);
                close(s[!(i & 1)]);
        }
        CHECK("two thousand pairs", 1);
        return done();
}
