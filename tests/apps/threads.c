/* SPDX-License-Identifier: Apache-2.0
 *
 * threads: a dynamically linked glibc program with threads: locks, thread-local data, stdio,
 * time, memory of all sizes.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS 6

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long            total;
static __thread int    mine;

static void *work(void *arg)
{
        long n = (long)arg;

        for (int i = 0; i < 300; i++) {
                size_t size = (size_t)(n * 977 + i * 331) % 70000 + 1;
                char  *p = malloc(size);

                memset(p, (int)n, size);
                mine += p[size - 1];
                free(p);
        }
        pthread_mutex_lock(&lock);
        total += mine;
        pthread_mutex_unlock(&lock);
        return (void *)(long)mine;
}

int main(int argc, char **argv)
{
        pthread_t t[THREADS];
        void     *r;

        printf("%d arguments, first %s\n", argc - 1, argc > 1 ? argv[1] : "none");
        for (long i = 0; i < THREADS; i++)
                if (pthread_create(&t[i], NULL, work, (void *)(i + 1)))
                        return 1;
        for (long i = 0; i < THREADS; i++) {
                pthread_join(t[i], &r);
                printf("thread %ld: %ld\n", i + 1, (long)r);
        }
        printf("total %ld, mine %d\n", total, mine);
        time_t day = 86400 * 365;
        char   text[64];
        strftime(text, sizeof text, "%Y-%m-%d %H:%M", gmtime(&day));
        printf("%s, %s\n", text, getenv("HOME") ? "home" : "no home");
        return total == 300 * (1 + 2 + 3 + 4 + 5 + 6) ? 0 : 1;
}
