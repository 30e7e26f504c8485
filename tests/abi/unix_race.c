/* connect, accept, send and close by several threads at once. */
#include "unix.h"
#include <pthread.h>

#define ROUNDS 300

static int l;
static volatile int stop;

static void *client(void *arg)
{
        long good = 0;

        (void)arg;
        for (int i = 0; i < ROUNDS; i++) {
                int  c = socket(AF_UNIX, SOCK_STREAM, 0);
                char b = 0;
                if (connect_to(c, "@race") == 0 && send(c, "?", 1, MSG_NOSIGNAL) == 1 && read(c, &b, 1) == 1 && b == '!')
                        good++;
                close(c);
        }
        return (void *)good;
}

static void *server(void *arg)
{
        long served = 0;
        int  s;

        (void)arg;
        while ((s = accept(l, NULL, NULL)) >= 0) {
                char b;
                if (read(s, &b, 1) == 1 && send(s, "!", 1, MSG_NOSIGNAL) == 1)
                        served++;
                close(s);
        }
        return (void *)served;
}

static void meetings(void)
{
        pthread_t c[3], s[2];
        void     *r;
        long      good = 0, served = 0;

        l = listener(SOCK_STREAM, "@race", 1);
        for (int i = 0; i < 2; i++)
                pthread_create(&s[i], NULL, server, NULL);
        for (int i = 0; i < 3; i++)
                pthread_create(&c[i], NULL, client, NULL);
        for (int i = 0; i < 3; i++) {
                pthread_join(c[i], &r);
                good += (long)r;
        }
        shutdown(l, SHUT_RD);
        for (int i = 0; i < 2; i++) {
                pthread_join(s[i], &r);
                served += (long)r;
        }
        close(l);
        CHECK("every client was served", good == 3 * ROUNDS && served == good);
}

static int two[2];
static void *closer(void *arg)
{
        (void)arg;
        close(two[1]);
        return NULL;
}

/* The other end closes while this one writes and reads. */
static void closing(int type)
{
        int ok = 1;

        for (int i = 0; i < ROUNDS; i++) {
                pthread_t t;
                char      b[8];
                must(socketpair(AF_UNIX, type, 0, two) == 0, "socketpair");
                pthread_create(&t, NULL, closer, NULL);
                for (int k = 0; k < 20; k++) {
                        ssize_t n = send(two[0], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
                        if (n != 1 && errno != EPIPE && errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET)
                                ok = 0;
                        n = recv(two[0], b, 1, MSG_DONTWAIT);
                        if (n > 0 || (n < 0 && errno != EAGAIN && errno != ECONNRESET))
                                ok = 0;
                }
                pthread_join(t, NULL);
                close(two[0]);
        }
        CHECK("only the errors that may be", ok);
}

static int pairs[2];
static void *reconnect(void *arg)
{
        const char *name = arg;
        int         me = name[1] == 'a' ? 0 : 1;
        char        b[8];

        while (!stop) {
                struct sockaddr none = { .sa_family = AF_UNSPEC };
                connect_to(pairs[me], me ? "@a" : "@b");
                send(pairs[me], "x", 1, MSG_DONTWAIT);
                recv(pairs[me], b, 8, MSG_DONTWAIT);
                if (random() & 1)
                        connect(pairs[me], &none, sizeof none);
        }
        return NULL;
}

/* Two datagram sockets connect to each other, and away, all the time. */
static void changing_peers(void)
{
        pthread_t t[4];

        pairs[0] = bound(SOCK_DGRAM, "@a");
        pairs[1] = bound(SOCK_DGRAM, "@b");
        for (int i = 0; i < 4; i++)
                pthread_create(&t[i], NULL, reconnect, i & 1 ? "@b" : "@a");
        sleep_ms(700);
        stop = 1;
        for (int i = 0; i < 4; i++)
                pthread_join(t[i], NULL);
        char b[8];
        while (recv(pairs[0], b, 8, MSG_DONTWAIT) > 0 || errno == ECONNRESET)
                ;
        while (recv(pairs[1], b, 8, MSG_DONTWAIT) > 0 || errno == ECONNRESET)
                ;
        OKAY("still usable", connect_to(pairs[0], "@b"));
        CHECK("and tied", send(pairs[0], "end", 3, 0) == 3 && recv(pairs[1], b, 8, 0) == 3);
        close(pairs[0]);
        close(pairs[1]);
}

/* A listener closes while clients connect. */
static void *knock(void *arg)
{
        int ok = 1;

        (void)arg;
        while (!stop) {
                int c = socket(AF_UNIX, SOCK_STREAM, 0);
                if (connect_to(c, "@door") < 0 && errno != ECONNREFUSED)
                        ok = 0;
                close(c);
        }
        return (void *)(long)ok;
}

static void doors(void)
{
        pthread_t t[2];
        void     *a, *b;

        stop = 0;
        for (int i = 0; i < 2; i++)
                pthread_create(&t[i], NULL, knock, NULL);
        for (int i = 0; i < ROUNDS; i++) {
                int d = listener(SOCK_STREAM, "@door", 0);
                if (i & 1)
                        close(accept(d, NULL, NULL));
                close(d);
        }
        stop = 1;
        pthread_join(t[0], &a);
        pthread_join(t[1], &b);
        CHECK("refused or let in", (long)a && (long)b);
}

int main(void)
{
        meetings();
        closing(SOCK_STREAM);
        closing(SOCK_SEQPACKET);
        closing(SOCK_DGRAM);
        changing_peers();
        doors();
        return done();
}
