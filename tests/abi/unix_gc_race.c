/* Collection while others send, receive, peek and close: nothing is lost that can be reached. */
#include "unix.h"
#include <pthread.h>

static volatile int stop, lost;

/* A token goes to and fro in the queue of a socket that is itself only in flight. */
static void *walker(void *arg)
{
        char byte;

        (void)arg;
        while (!stop) {
                int a[2], b[2], p[2], fd = -1, w = -1;
                must(socketpair(AF_UNIX, SOCK_DGRAM, 0, a) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, b) == 0 && pipe(p) == 0, "walker");
                send_fds(a[0], &p[1], 1, 0);            /* a[1]'s queue: the pipe */
                send_fds(b[0], &a[1], 1, 0);            /* b[1]'s queue: a[1] */
                close(p[1]);
                close(a[1]);
                sched_yield();
                if (recv_fds(b[1], &fd, 1, random() & 1 ? MSG_PEEK : 0, NULL) != 1 || recv_fds(fd, &w, 1, 0, NULL) != 1 ||
                    write(w, "t", 1) != 1 || read(p[0], &byte, 1) != 1)
                        lost++;
                close(fd);
                close(w);
                close(a[0]);
                close(b[0]);
                close(b[1]);
                close(p[0]);
        }
        return NULL;
}

/* Makes garbage, so that there is something to collect. */
static void *litter(void *arg)
{
        (void)arg;
        while (!stop) {
                int s[2];
                must(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0, "litter");
                send_fds(s[0], &s[1], 1, 0);
                send_fds(s[1], &s[0], 1, 0);
                close(s[0]);
                close(s[1]);
        }
        return NULL;
}

int main(void)
{
        pthread_t t[4];
        int       before = count_fds();

        pthread_create(&t[0], NULL, walker, NULL);
        pthread_create(&t[1], NULL, walker, NULL);
        pthread_create(&t[2], NULL, litter, NULL);
        pthread_create(&t[3], NULL, litter, NULL);
        sleep_ms(1500);
        stop = 1;
        for (int i = 0; i < 4; i++)
                pthread_join(t[i], NULL);
        CHECK("nothing reachable was lost", lost == 0);
        CHECK("no descriptor stayed", count_fds() == before);
        return done();
}
