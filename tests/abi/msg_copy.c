/* SPDX-License-Identifier: Apache-2.0
 *
 * msg_copy: msgrcv with MSG_COPY: what is told first, what is cut, and that a queue goes on while a copy is being written.
 */
#include "show.h"
#include "uffd.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

struct msg { long type; char text[20000]; };
static struct msg m;
static int q;
static char *watched;

static long copy(void *at, size_t size, long n, int flags) { return syscall(SYS_msgrcv, q, at, size, n, flags | MSG_COPY | IPC_NOWAIT); }

static void send(long type, size_t size, char c)
{
        m.type = type;
        memset(m.text, c, size);
        must(msgsnd(q, &m, size, 0) == 0, "msgsnd");
}

static void errors(void)
{
        SHOW("none there", copy(&m, 10, 0, 0));
        SHOW("none there, bad memory", copy(BAD_PTR, 10, 0, 0));
        send(1, 10, 'a');
        send(2, 5000, 'b');
        SHOW("the first", copy(&m, 10, 0, 0));
        CHECK("it", m.type == 1 && m.text[9] == 'a');
        SHOW("more room", copy(&m, 100, 0, 0));
        SHOW("less room", copy(&m, 5, 0, 0));
        memset(&m, 'z', sizeof m);
        SHOW("cut", copy(&m, 5, 0, MSG_NOERROR));
        CHECK("where it was cut", m.text[0] == 'z' && m.text[5] == 'z');
        SHOW("the second", copy(&m, 5000, 1, 0));
        CHECK("it", m.type == 2 && m.text[4999] == 'b');
        SHOW("less room", copy(&m, 4999, 1, 0));
        SHOW("cut", copy(&m, 4999, 1, MSG_NOERROR));
        SHOW("no third", copy(&m, 5000, 2, 0));
        SHOW("no third, bad memory", copy(BAD_PTR, 5000, 2, 0));
        SHOW("before the first", copy(&m, 5000, -1, 0));
        SHOW("before all", copy(&m, 5000, LONG_MIN, 0));
        SHOW("far", copy(&m, 5000, LONG_MAX, 0));
        SHOW("more than a message may be", copy(&m, 20000, 1, 0));
        SHOW("bad memory", copy(BAD_PTR, 5000, 1, 0));
        char *ro = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        SHOW("read only memory", copy(ro, 5000, 1, 0));
        SHOW("read only memory, no message", copy(ro, 5000, 7, 0));
        char *end = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(end + PAGE, PAGE);
        SHOW("room is there for the message only", copy(end + PAGE - 18, 5000, 0, 0));
        SHOW("no size", copy(&m, 0, 0, 0));
        SHOW("no size, cut", copy(&m, 0, 0, MSG_NOERROR));
        struct msqid_ds ds;
        msgctl(q, IPC_STAT, &ds);
        CHECK("none left, none read", ds.msg_qnum == 2 && ds.msg_rtime == 0 && ds.msg_lrpid == 0);
}

static void *copier(void *arg)
{
        (void)arg;
        long n = copy(watched, 5000, 1, 0);
        return (void *)(n == -1 ? -(long)errno : n);
}

/* The memory that is written is another's to provide: meanwhile the queue is used, and goes away. */
static void meanwhile(void)
{
        static char page[PAGE];
        int u = uffd_new(0);
        pthread_t t;
        void *got;
        struct uffd_msg asked;

        watched = anon(3);
        must(uffd_register(u, watched, 3 * PAGE, UFFDIO_REGISTER_MODE_MISSING) == 0, "register");
        pthread_create(&t, NULL, copier, NULL);
        must(read(u, &asked, sizeof asked) == sizeof asked, "asked");
        SHOW("received by another", msgrcv(q, &m, 5000, 2, IPC_NOWAIT));
        SHOW("sent", msgsnd(q, &m, 10, IPC_NOWAIT));
        SHOW("removed", msgctl(q, IPC_RMID, NULL));
        for (int i = 0; i < 3; i++)
                uffd_copy(u, watched + i * PAGE, page, PAGE, 0);
        pthread_join(t, &got);
        say("told: %ld\n", (long)got);
        close(u);
}

static void *write_copier(void *arg)
{
        (void)arg;
        long n = copy(watched, 10, 0, 0);
        return (void *)(n == -1 ? -(long)errno : n);
}

/* It may be read, but who writes waits: the copy is made, and the queue goes on while it is written out. */
static void while_written(void)
{
        int u = uffd_new(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
        struct uffd_msg asked;
        pthread_t t;
        void *got;

        q = msgget(IPC_PRIVATE, 0600);
        send(5, 10, 'w');
        watched = anon(1);
        memset(watched, 0, PAGE);
        must(uffd_register(u, watched, PAGE, UFFDIO_REGISTER_MODE_WP) == 0, "register");
        must(uffd_protect(u, watched, PAGE, UFFDIO_WRITEPROTECT_MODE_WP) == 0, "protect");
        pthread_create(&t, NULL, write_copier, NULL);
        must(read(u, &asked, sizeof asked) == sizeof asked, "asked");
        SHOW("received by another", msgrcv(q, &m, 10, 5, IPC_NOWAIT));
        memset(m.text, 0, sizeof m.text);
        SHOW("sent", msgsnd(q, &m, 10, IPC_NOWAIT));
        SHOW("removed", msgctl(q, IPC_RMID, NULL));
        uffd_protect(u, watched, PAGE, 0);
        pthread_join(t, &got);
        say("told: %ld\n", (long)got);
        CHECK("the copy", ((struct msg *)watched)->type == 5 && ((struct msg *)watched)->text[9] == 'w');
        close(u);
}

int main(void)
{
        q = msgget(IPC_PRIVATE, 0600);
        errors();
        meanwhile();
        while_written();
        return done();
}
