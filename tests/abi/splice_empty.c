/* SPDX-License-Identifier: Apache-2.0
 *
 * splice_empty: splice, tee and vmsplice at pipes in which writes from bad memory have left slots without bytes; which end's
 * O_NONBLOCK counts; tee of a pipe with many slots.
 */
#include "show.h"
#include <pthread.h>
#include <sys/socket.h>

static int p[2], q[2], file;
static char buf[64 * PAGE];

static int inside(int fd)
{
        int n = -1;
        ioctl(fd, FIONREAD, &n);
        return n;
}

static int polled(int fd)
{
        struct pollfd w = { .fd = fd, .events = POLLIN | POLLOUT };
        return poll(&w, 1, 0) == 1 ? w.revents : 0;
}

static void fresh(int flags)
{
        for (int i = 0; i < 2; i++) {
                close(p[i]);
                close(q[i]);
        }
        must(pipe2(p, flags) == 0 && pipe2(q, flags) == 0, "pipe");
}

/* `n` slots without bytes. */
static void hollow(int n)
{
        for (int i = 0; i < n; i++)
                must(write(p[1], BAD_PTR, PAGE) < 0, "bad write");
}

/* How many pages still fit. */
static int room(int fd)
{
        int n = 0;
        while (write(fd, buf, PAGE) == PAGE)
                n++;
        return n;
}

static void state(const char *name)
{
        say("%s: %d bytes, poll %d, %d pages fit\n", name, inside(p[0]), polled(p[0]), room(p[1]));
}

enum { TO_FILE, TO_PIPE, TEE, VMSPLICE, READ, TO_NULL, KINDS };
static const char *const names[KINDS] = { "to file", "to pipe", "tee", "vmsplice", "read", "to null" };
static int null;

static long move(int kind, size_t n, unsigned flags)
{
        struct iovec v = { buf, n };

        switch (kind) {
        case TO_FILE: return splice(p[0], NULL, file, NULL, n, flags);
        case TO_PIPE: return splice(p[0], NULL, q[1], NULL, n, flags);
        case TEE:     return tee(p[0], q[1], n, flags);
        case TO_NULL: return splice(p[0], NULL, null, NULL, n, flags);
        case VMSPLICE: return vmsplice(p[0], &v, 1, flags);
        default:      return read(p[0], buf, n);
        }
}

static void empty_slots(int flags)
{
        for (int k = 0; k < KINDS; k++) {
                say("-- %s, pipe flags %x\n", names[k], flags != 0);
                fresh(flags | O_NONBLOCK);
                hollow(1);
                SHOW("one empty slot", move(k, 100, SPLICE_F_NONBLOCK));
                SHOW("poll", polled(p[0]));
                SHOW("again", move(k, 100, SPLICE_F_NONBLOCK));
                SHOW("other side", inside(q[0]));
                SHOW("its poll", polled(q[0]));
                state("then");

                fresh(flags | O_NONBLOCK);
                hollow(3);
                must(write(p[1], "hello", 5) == 5, "write");
                SHOW("three, and bytes behind", move(k, 3, SPLICE_F_NONBLOCK));
                SHOW("other side", inside(q[0]));
                SHOW("rest", move(k, 100, SPLICE_F_NONBLOCK));
                SHOW("other side", inside(q[0]));
                state("then");

                fresh(flags | O_NONBLOCK);
                must(write(p[1], buf, PAGE) == PAGE, "write");
                hollow(2);
                must(write(p[1], buf, PAGE) == PAGE, "write");
                SHOW("a page, two, a page", move(k, PAGE, SPLICE_F_NONBLOCK));
                SHOW("other side", inside(q[0]));
                SHOW("rest", move(k, 4 * PAGE, SPLICE_F_NONBLOCK));
                SHOW("other side", inside(q[0]));
                say("other side: %d pages fit\n", room(q[1]));
                state("then");

                fresh(flags | O_NONBLOCK);
                hollow(2);
                close(p[1]);
                SHOW("two, closed", move(k, 100, SPLICE_F_NONBLOCK));
                SHOW("poll", polled(p[0]));
                SHOW("again", move(k, 100, SPLICE_F_NONBLOCK));
                p[1] = -1;
        }
}

static void nothing(int sig) { (void)sig; }

/* It may block. */
static void waits(const char *name, int kind, unsigned flags)
{
        alarms(1);
        long r = move(kind, 100, flags);
        int err = errno;
        alarms(0);
        if (r < 0)
                say("%s: %s\n", name, err == EAGAIN ? "would block" : err == EINTR ? "blocks" : "?");
        else
                say("%s: %ld\n", name, r);
}

static void whose_nonblock(void)
{
        for (int k = 0; k < KINDS; k++) {
                say("-- %s\n", names[k]);
                for (int in = 0; in < 2; in++)
                        for (int out = 0; out < 2; out++) {
                                char name[80];
                                snprintf(name, sizeof name, "empty, in %s, out %s", in ? "nonblock" : "blocking", out ? "nonblock" : "blocking");
                                fresh(0);
                                fcntl(p[0], F_SETFL, in ? O_NONBLOCK : 0);
                                fcntl(q[1], F_SETFL, out ? O_NONBLOCK : 0);
                                waits(name, k, 0);
                                if (k != TO_PIPE && k != TEE)
                                        continue;
                                fcntl(q[1], F_SETFL, O_NONBLOCK);
                                room(q[1]);
                                fcntl(q[1], F_SETFL, out ? O_NONBLOCK : 0);
                                must(write(p[1], "x", 1) == 1, "write");
                                snprintf(name, sizeof name, "full, in %s, out %s", in ? "nonblock" : "blocking", out ? "nonblock" : "blocking");
                                waits(name, k, 0);
                        }
                fresh(0);
                waits("flag", k, SPLICE_F_NONBLOCK);
        }
}

static void sockets(void)
{
        int s[2];

        OKAY("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
        fresh(0);
        alarms(1);
        SHOW("from an empty socket, flag", splice(s[0], NULL, q[1], NULL, 100, SPLICE_F_NONBLOCK));
        SHOW("blocking", splice(s[0], NULL, q[1], NULL, 100, 0));
        alarms(0);
        fcntl(s[0], F_SETFL, O_NONBLOCK);
        SHOW("O_NONBLOCK", splice(s[0], NULL, q[1], NULL, 100, 0));
        must(write(s[1], "hello", 5) == 5, "write");
        SHOW("some", splice(s[0], NULL, q[1], NULL, 100, SPLICE_F_NONBLOCK));
        fcntl(s[0], F_SETFL, 0);
        must(write(s[1], "hello", 5) == 5, "write");
        fcntl(q[1], F_SETFL, O_NONBLOCK);
        alarms(1);
        SHOW("pipe O_NONBLOCK, some", splice(s[0], NULL, q[1], NULL, 100, 0));
        SHOW("pipe O_NONBLOCK", splice(s[0], NULL, q[1], NULL, 100, 0));
        alarms(0);
        SHOW("arrived", inside(q[0]));
        fcntl(q[1], F_SETFL, O_NONBLOCK);
        room(q[1]);
        must(write(s[1], "hello", 5) == 5, "write");
        SHOW("full pipe", splice(s[0], NULL, q[1], NULL, 100, SPLICE_F_NONBLOCK));
        SHOW("kept", inside(s[0]));
}

static volatile long moved = -1;

static void *moves(void *arg)
{
        (void)arg;
        sigset_t s;
        sigemptyset(&s);
        sigaddset(&s, SIGALRM);
        pthread_sigmask(SIG_BLOCK, &s, NULL);
        moved = splice(p[0], NULL, q[1], NULL, 1, 0);
        return NULL;
}

/* A splice that found room, waited for bytes, and finds the room taken keeps nobody from them. */
static void beside(void)
{
        pthread_t t;

        fresh(0);
        pthread_create(&t, NULL, moves, NULL);
        threads_asleep(1);
        fcntl(q[1], F_SETFL, O_NONBLOCK);
        say("room beside: %d\n", room(q[1]));
        must(write(p[1], "x", 1) == 1, "write");
        sleep_ms(50);
        threads_asleep(1);
        alarms(1);
        SHOW("the bytes are others' to read", read(p[0], buf, 10));
        alarms(0);
        SHOW("room again", read(q[0], buf, sizeof buf));
        sleep_ms(50);
        must(write(p[1], "y", 1) == 1, "write");
        pthread_join(t, NULL);
        SHOW("moved then", moved);
        SHOW("to there", read(q[0], buf, 10));
}

static void packets(void)
{
        fresh(O_DIRECT | O_NONBLOCK);
        for (int i = 0; i < 3; i++)
                must(write(p[1], "hello", 5) == 5, "write");
        SHOW("part of a packet", splice(p[0], NULL, file, NULL, 3, 0));
        SHOW("the rest is one", read(p[0], buf, 100));
        SHOW("tee of one and a half", tee(p[0], q[1], 7, 0));
        SHOW("one", read(q[0], buf, 100));
        SHOW("half of one", read(q[0], buf, 100));
        SHOW("both", splice(p[0], NULL, q[1], NULL, 100, 0));
        SHOW("one", read(q[0], buf, 100));
        SHOW("another", read(q[0], buf, 2));
        SHOW("is cut", read(q[0], buf, 100));
}

static void many(void)
{
        fresh(0);
        must(fcntl(p[1], F_SETPIPE_SZ, 64 * PAGE) > 0 && fcntl(q[1], F_SETPIPE_SZ, 64 * PAGE) > 0, "F_SETPIPE_SZ");
        must(write(p[1], buf, 50 * PAGE) == 50 * PAGE, "write");
        SHOW("tee of 50 pages", tee(p[0], q[1], sizeof buf, 0));
        SHOW("arrived", inside(q[0]));
        SHOW("there", inside(p[0]));
        SHOW("tee into what has 14 left", tee(p[0], q[1], sizeof buf, 0));
        SHOW("arrived", inside(q[0]));
        SHOW("splice of 50 pages", splice(p[0], NULL, file, NULL, sizeof buf, 0));
}

int main(void)
{
        struct sigaction sa = { .sa_handler = nothing };

        signal(SIGPIPE, SIG_IGN);
        sigaction(SIGALRM, &sa, NULL);
        file = open("f", O_RDWR | O_CREAT, 0600);
        null = open("/dev/null", O_RDWR);
        empty_slots(0);
        empty_slots(O_DIRECT);
        whose_nonblock();
        sockets();
        packets();
        beside();
        many();
        return done();
}
