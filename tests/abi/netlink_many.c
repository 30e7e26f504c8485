/* SPDX-License-Identifier: Apache-2.0
 *
 * netlink_many: many sockets of NETLINK_USERSOCK: their ports, messages to each and to a group, while others come and go.
 */
#include "abi.h"
#include <linux/netlink.h>
#include <pthread.h>
#include <sys/socket.h>

#define N 300

static int fd[N];
static uint32_t port[N];

static int make(uint32_t groups)
{
        struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = groups };
        int s = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_USERSOCK);

        must(s >= 0 && bind(s, (void *)&a, sizeof a) == 0, "bound");
        return s;
}
static uint32_t port_of(int s)
{
        struct sockaddr_nl a = {};
        socklen_t n = sizeof a;

        must(getsockname(s, (void *)&a, &n) == 0, "getsockname");
        return a.nl_pid;
}
static long post(int s, uint32_t to, uint32_t groups, int v)
{
        struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_pid = to, .nl_groups = groups };

        return sendto(s, &v, sizeof v, 0, (void *)&a, sizeof a);
}
static int take(int s)
{
        int v = -1;

        return recv(s, &v, sizeof v, MSG_DONTWAIT) == sizeof v ? v : -1;
}

static void ports(void)
{
        int high = 0, twice = 0, sent = 0, got = 0, refused = 0;

        for (int i = 0; i < N; i++) {
                fd[i] = make(0);
                port[i] = port_of(fd[i]);
                high += port[i] >> 31;
                for (int j = 0; j < i; j++)
                        twice += port[i] == port[j];
        }
        CHECK("the first has the process's number", port[0] == (uint32_t)getpid());
        CHECK("the others have none that is a process's", high == N - 1);
        CHECK("no two the same", twice == 0);
        for (int i = 0; i < N; i++)
                sent += post(fd[0], port[i], 0, i) == sizeof(int);
        for (int i = 0; i < N; i++)
                got += take(fd[i]) == i && take(fd[i]) == -1;
        CHECK("each is found", sent == N && got == N);
        for (int i = 1; i < N; i += 2)
                close(fd[i]);
        for (int i = 1; i < N; i += 2)
                refused += post(fd[0], port[i], 0, i) == -1 && errno == ECONNREFUSED;
        CHECK("not those that are closed", refused == N / 2);
        sent = got = 0;
        for (int i = 0; i < N; i += 2)
                sent += post(fd[0], port[i], 0, i) == sizeof(int);
        for (int i = 0; i < N; i += 2)
                got += take(fd[i]) == i;
        CHECK("but the others", sent == N / 2 && got == N / 2);
        for (int i = 0; i < N; i += 2)
                close(fd[i]);
}

static volatile int stop;
static void *come_and_go(void *arg)
{
        int s[8];

        while (!stop) {
                for (int i = 0; i < 8; i++)
                        s[i] = make(i & 1 ? 4 : 0);
                for (int i = 0; i < 8; i++)
                        close(s[i * 3 % 8]);
        }
        return arg;
}

#define MEMBERS 20
#define ROUNDS  300
static void groups(void)
{
        int from = make(0), wrong = 0;
        pthread_t t[2];

        for (int i = 0; i < MEMBERS; i++)
                fd[i] = make(4);
        for (int i = 0; i < 2; i++)
                pthread_create(&t[i], NULL, come_and_go, NULL);
        for (int r = 0; r < ROUNDS; r++) {
                /* to the group, and to port 0, where nobody listens */
                wrong += !(post(from, 0, 4, r) == -1 && errno == ECONNREFUSED);
                for (int i = 0; i < MEMBERS; i++)
                        wrong += take(fd[i]) != r || take(fd[i]) != -1;
                wrong += take(from) != -1;
        }
        stop = 1;
        for (int i = 0; i < 2; i++)
                pthread_join(t[i], NULL);
        CHECK("each member has each message once", wrong == 0);
        for (int i = 0; i < MEMBERS; i++)
                close(fd[i]);
        close(from);
}

int main(void)
{
        ports();
        groups();
        return done();
}
