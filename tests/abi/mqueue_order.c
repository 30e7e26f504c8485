/* SPDX-License-Identifier: Apache-2.0
 *
 * mqueue_order: of those who wait at a POSIX queue the one of the highest scheduling priority is served first, of equals the
 * one who has waited longest.
 */
#include "policy.h"
#include <mqueue.h>
#include <pthread.h>

#define N 7

static const struct { int policy, priority, nice; } of[N] = {
        { SCHED_OTHER, 0, 0 }, { SCHED_FIFO, 10, 0 }, { SCHED_OTHER, 0, 5 }, { SCHED_RR, 20, 0 }, { SCHED_OTHER, 0, -5 }, { SCHED_FIFO, 10, 0 },
        { SCHED_OTHER, 0, 0 },
};
static mqd_t q;
static int order[N];
static volatile int served;

static void take_policy(int i)
{
        fifo(0, of[i].policy, of[i].priority);
        setpriority(PRIO_PROCESS, gettid(), of[i].nice);
}

static void *receives(void *arg)
{
        char buf[16];
        long i = (long)arg;

        take_policy((int)i);
        if (mq_receive(q, buf, sizeof buf, NULL) > 0)
                order[(int)buf[0]] = (int)i;
        return NULL;
}

static void *sends(void *arg)
{
        long i = (long)arg;
        char c = (char)i;

        take_policy((int)i);
        mq_send(q, &c, 1, 0);
        return NULL;
}

static void show(const char *name)
{
        char text[100] = "";

        for (int i = 0; i < N; i++)
                sprintf(text + strlen(text), " %d", order[i]);
        say("ok %s:%s\n", name, text);
}

int main(void)
{
        struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 16 };
        pthread_t t[N];
        char buf[16];

        q = mq_open("/order", O_RDWR | O_CREAT, 0600, &a);
        CHECK("a queue", q != (mqd_t)-1);
        for (long i = 0; i < N; i++) {
                pthread_create(&t[i], NULL, receives, (void *)i);
                threads_asleep((int)i + 1);
        }
        for (char i = 0; i < N; i++)
                mq_send(q, &i, 1, 0);
        for (int i = 0; i < N; i++)
                pthread_join(t[i], NULL);
        show("receivers");
        char c = 99;
        mq_send(q, &c, 1, 0);
        for (long i = 0; i < N; i++) {
                pthread_create(&t[i], NULL, sends, (void *)i);
                threads_asleep((int)i + 1);
        }
        mq_receive(q, buf, sizeof buf, NULL);
        for (int i = 0; i < N; i++) {
                mq_receive(q, buf, sizeof buf, NULL);
                order[i] = buf[0];
        }
        for (int i = 0; i < N; i++)
                pthread_join(t[i], NULL);
        show("senders");
        mq_unlink("/order");
        return done();
}
