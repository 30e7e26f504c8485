/* Many threads bind and find the same names. */
#include "unix.h"
#include <pthread.h>

enum { THREADS = 4, ROUNDS = 150 };

static volatile int round_no, won[ROUNDS], odd;
static pthread_barrier_t barrier;

static void *binder(void *arg)
{
        int  abstract = *(int *)arg;
        char name[32];

        for (int i = 0; i < ROUNDS; i++) {
                pthread_barrier_wait(&barrier);
                int fd = socket(AF_UNIX, SOCK_STREAM, 0);
                snprintf(name, sizeof name, abstract ? "@name%d" : "name%d", i);
                if (bind_to(fd, name) == 0)
                        __atomic_fetch_add(&won[i], 1, __ATOMIC_SEQ_CST);
                else if (errno != EADDRINUSE)
                        odd++;
                pthread_barrier_wait(&barrier);
                close(fd);
        }
        return NULL;
}

static void contest(int abstract)
{
        pthread_t t[THREADS];
        int       ok = 1;

        memset((void *)won, 0, sizeof won);
        pthread_barrier_init(&barrier, NULL, THREADS);
        for (int i = 0; i < THREADS; i++)
                pthread_create(&t[i], NULL, binder, &abstract);
        for (int i = 0; i < THREADS; i++)
                pthread_join(t[i], NULL);
        for (int i = 0; i < ROUNDS; i++)
                ok = ok && won[i] == 1;
        CHECK(abstract ? "one gets the abstract name" : "one gets the path", ok && !odd);
}

/* One socket, several threads: it gets one name. */
static int shared_fd;
static void *name_it(void *arg)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        long               i = (long)arg;
        char               name[32];
        snprintf(name, sizeof name, "@me%ld", i);
        pthread_barrier_wait(&barrier);
        return (void *)(long)(i == 0 ? bind(shared_fd, (struct sockaddr *)&a, 2) : bind_to(shared_fd, name));
}

int main(void)
{
        contest(0);
        contest(1);
        int ok = 1;
        pthread_barrier_init(&barrier, NULL, 3);
        for (int k = 0; k < ROUNDS; k++) {
                pthread_t t[3];
                void     *r[3];
                shared_fd = socket(AF_UNIX, SOCK_DGRAM, 0);
                for (long i = 0; i < 3; i++)
                        pthread_create(&t[i], NULL, name_it, (void *)i);
                for (int i = 0; i < 3; i++)
                        pthread_join(t[i], &r[i]);
                int good = 0;
                for (int i = 1; i < 3; i++)
                        good += r[i] == 0;
                struct sockaddr_un a;
                socklen_t n = sizeof a;
                getsockname(shared_fd, (struct sockaddr *)&a, &n);
                ok = ok && good <= 1 && n > 2 && (good == 1) == (a.sun_path[1] == 'm');
                close(shared_fd);
        }
        CHECK("one socket gets one name", ok);
        int fds[200], same = 0;
        static struct sockaddr_un a[200];
        for (int i = 0; i < 200; i++) {
                struct sockaddr_un any = { .sun_family = AF_UNIX };
                socklen_t n = sizeof a[i];
                fds[i] = socket(AF_UNIX, SOCK_DGRAM, 0);
                bind(fds[i], (struct sockaddr *)&any, 2);
                getsockname(fds[i], (struct sockaddr *)&a[i], &n);
                for (int k = 0; k < i; k++)
                        same += !memcmp(a[k].sun_path, a[i].sun_path, 6);
        }
        CHECK("autobind never gives a name twice", same == 0);
        return done();
}
