/* System V message queues: order, types, limits, waiting, permissions. */
#include "abi.h"
#include <sys/ipc.h>
#include <sys/msg.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef MSG_EXCEPT
#define MSG_EXCEPT 020000
#endif

struct message { long type; char text[9000]; };
static struct message m;
static struct msqid_ds ds;
static int q;

static int put(long type, const char *text, int flags)
{
        m.type = type;
        strcpy(m.text, text);
        return msgsnd(q, &m, strlen(text), flags);
}

/* The text received, "" for none. */
static const char *get(long type, int flags)
{
        memset(&m, 0, sizeof m);
        return msgrcv(q, &m, sizeof m.text, type, flags | IPC_NOWAIT) < 0 ? "" : m.text;
}

static int is(const char *a, const char *b) { return strcmp(a, b) == 0; }

static void types(void)
{
        put(3, "three", 0), put(1, "one", 0), put(2, "two", 0), put(1, "uno", 0), put(5, "five", 0);
        CHECK("five queued", msgctl(q, IPC_STAT, &ds) == 0 && ds.msg_qnum == 5 && ds.__msg_cbytes == 18 &&
              ds.msg_lspid == getpid() && ds.msg_lrpid == 0 && ds.msg_stime != 0 && ds.msg_rtime == 0);
        FAILS("MSG_COPY needs IPC_NOWAIT", EINVAL, msgrcv(q, &m, 100, 0, MSG_COPY));
        FAILS("MSG_COPY and MSG_EXCEPT", EINVAL, msgrcv(q, &m, 100, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT));
        CHECK("a copy of the third", is(get(2, MSG_COPY), "two") && m.type == 2);
        FAILS("a copy of the sixth", ENOMSG, msgrcv(q, &m, 100, 5, MSG_COPY | IPC_NOWAIT));
        CHECK("the first of type 1", is(get(1, 0), "one"));
        CHECK("the lowest up to 2", is(get(-2, 0), "uno") && m.type == 1);
        CHECK("the next lowest", is(get(-2, 0), "two"));
        CHECK("none so low", is(get(-2, 0), "") && errno == ENOMSG);
        CHECK("any but 3", is(get(3, MSG_EXCEPT), "five"));
        CHECK("any but 3: none", is(get(3, MSG_EXCEPT), "") && errno == ENOMSG);
        FAILS("too long", E2BIG, msgrcv(q, &m, 2, 0, 0));
        memset(&m, 0, sizeof m);
        CHECK("cut", msgrcv(q, &m, 2, 0, MSG_NOERROR) == 2 && is(m.text, "th"));
        CHECK("empty", msgctl(q, IPC_STAT, &ds) == 0 && ds.msg_qnum == 0 && ds.__msg_cbytes == 0 && ds.msg_lrpid == getpid());
        OKAY("no bytes", msgsnd(q, &m, 0, 0));
        CHECK("are a message", msgrcv(q, &m, 0, 0, 0) == 0);
}

static void errors(void)
{
        m.type = 0;
        FAILS("type 0", EINVAL, msgsnd(q, &m, 1, 0));
        m.type = -1;
        FAILS("type -1", EINVAL, msgsnd(q, &m, 1, 0));
        m.type = 1;
        FAILS("too large", EINVAL, msgsnd(q, &m, 8193, 0));
        FAILS("negative size", EINVAL, msgsnd(q, &m, -1, 0));
        FAILS("negative size to receive", EINVAL, msgrcv(q, &m, -1, 0, IPC_NOWAIT));
        FAILS("from nowhere", EFAULT, msgsnd(q, BAD_PTR, 1, 0));
        FAILS("no queue", EINVAL, msgsnd(q + 1, &m, 1, 0));
        FAILS("no queue to receive from", EINVAL, msgrcv(q + 1, &m, 1, 0, IPC_NOWAIT));
        FAILS("negative id", EINVAL, msgsnd(-1, &m, 1, 0));
        FAILS("no such command", EINVAL, msgctl(q, 77, &ds));
        FAILS("stat to nowhere", EFAULT, msgctl(q, IPC_STAT, BAD_PTR));
        OKAY("one more", msgsnd(q, &m, 1, 0));
        FAILS("received to nowhere", EFAULT, msgrcv(q, BAD_PTR, 10, 0, IPC_NOWAIT));
        FAILS("is lost", ENOMSG, msgrcv(q, &m, 10, 0, IPC_NOWAIT));
}

static int user_tries(void)
{
        become_user(1000);
        FAILS("another's queue", EACCES, msgget(0x6000, 0600));
        FAILS("send", EACCES, put(1, "x", 0));
        FAILS("receive", EACCES, msgrcv(q, &m, 10, 0, IPC_NOWAIT));
        FAILS("stat", EACCES, msgctl(q, IPC_STAT, &ds));
        FAILS("set", EPERM, msgctl(q, IPC_SET, &ds));
        FAILS("remove", EPERM, msgctl(q, IPC_RMID, NULL));
        OKAY("one's own", q = msgget(IPC_PRIVATE, 0600));
        OKAY("stat it", msgctl(q, IPC_STAT, &ds));
        ds.msg_qbytes = 20000;
        FAILS("more bytes than msgmnb", EPERM, msgctl(q, IPC_SET, &ds));
        ds.msg_qbytes = 100;
        OKAY("fewer", msgctl(q, IPC_SET, &ds));
        OKAY("remove it", msgctl(q, IPC_RMID, NULL));
        return done();
}

static void catch(int sig) { (void)sig; }

static pid_t asleep(int (*fn)(void))
{
        pid_t pid = fork();

        if (pid == 0) {
                failures = 0;
                _exit(fn());
        }
        CHECK("sleeps", state_becomes(pid, 'S'));
        return pid;
}

static int receives_seven(void) { return msgrcv(q, &m, 100, 7, 0) == 5 && is(m.text, "seven") ? 0 : 1; }
static int receives_short(void) { return msgrcv(q, &m, 2, 8, 0) < 0 && errno == E2BIG ? 0 : 1; }
static int sends_more(void)     { return put(9, "more", 0) == 0 ? 0 : 1; }
static int receives_removed(void) { return msgrcv(q, &m, 100, 7, 0) < 0 && errno == EIDRM ? 0 : 1; }
static int sends_removed(void)  { return put(9, "more", 0) < 0 && errno == EIDRM ? 0 : 1; }
static int interrupted(void)
{
        on(SIGUSR1, catch, SA_RESTART);
        return msgrcv(q, &m, 100, 7, 0) < 0 && errno == EINTR ? 0 : 1;
}

static void waiting(void)
{
        pid_t a = asleep(receives_seven);
        put(1, "one", 0);
        put(7, "seven", 0);
        CHECK("woken by its type", result_of(a) == 0);
        CHECK("who received is known", msgctl(q, IPC_STAT, &ds) == 0 && ds.msg_lrpid == a && ds.msg_qnum == 1);
        a = asleep(receives_short);
        put(8, "eight", 0);
        CHECK("woken by one too long", result_of(a) == 0);
        CHECK("which stays", is(get(8, 0), "eight"));
        a = asleep(interrupted);
        kill(a, SIGUSR1);
        CHECK("interrupted, not restarted", result_of(a) == 0);

        msgctl(q, IPC_STAT, &ds);
        ds.msg_qbytes = 4;
        OKAY("a small queue", msgctl(q, IPC_SET, &ds));
        FAILS("is full", EAGAIN, put(9, "more", IPC_NOWAIT));
        a = asleep(sends_more);
        pid_t b = asleep(sends_more);
        CHECK("room for one", is(get(1, 0), "one"));
        int st = -1;
        pid_t first = waitpid(-1, &st, 0);
        CHECK("one sent", st == 0 && msgctl(q, IPC_STAT, &ds) == 0 && ds.msg_qnum == 1 && ds.msg_lspid == first);
        ds.msg_qbytes = 100;
        msgctl(q, IPC_SET, &ds);
        CHECK("more room by IPC_SET", result_of(first == a ? b : a) == 0 && is(get(0, 0), "more") && is(get(0, 0), "more"));
        for (int i = 0; i < 100; i++)
                msgsnd(q, &m, 0, IPC_NOWAIT);
        FAILS("as many messages as bytes", EAGAIN, msgsnd(q, &m, 0, IPC_NOWAIT));
        while (msgrcv(q, &m, 0, 0, IPC_NOWAIT) == 0)
                ;
        ds.msg_qbytes = 4;
        msgctl(q, IPC_SET, &ds);
        put(1, "four", 0);
        a = asleep(receives_removed);
        b = asleep(sends_removed);
        OKAY("removed", msgctl(q, IPC_RMID, NULL));
        CHECK("both are told", result_of(a) == 0 && result_of(b) == 0);
        FAILS("gone", EINVAL, put(1, "x", 0));
}

static void limits(void)
{
        struct msginfo info;

        CHECK("IPC_INFO", msgctl(0, IPC_INFO, (void *)&info) >= 0 && info.msgmni == 32000 && info.msgmax == 8192 &&
              info.msgmnb == 16384 && info.msgssz == 16 && info.msgseg == 0xffff && info.msgpool == 512000 &&
              info.msgmap == 16384 && info.msgtql == 16384);
        q = msgget(IPC_PRIVATE, 0600);
        put(1, "one", 0), put(1, "two!", 0);
        int top = msgctl(0, MSG_INFO, (void *)&info);
        CHECK("MSG_INFO", top >= 0 && info.msgpool == 1 && info.msgmap == 2 && info.msgtql == 7);
        CHECK("MSG_STAT", msgctl(top, MSG_STAT, &ds) == q && msgctl(top, MSG_STAT_ANY, &ds) == q && ds.msg_qnum == 2);
        set_text("/proc/sys/kernel/msgmax", "4\n");
        FAILS("beyond msgmax", EINVAL, put(1, "fives", 0));
        set_text("/proc/sys/kernel/msgmax", "70000\n");
        set_text("/proc/sys/kernel/msgmnb", "80000\n");
        set_text("/proc/sys/kernel/msgmni", "1\n");
        FAILS("beyond msgmni", ENOSPC, msgget(IPC_PRIVATE, 0600));
        msgctl(q, IPC_RMID, NULL);
        OKAY("another", q = msgget(IPC_PRIVATE, 0600));
        char *big = malloc(70008);
        for (int i = 0; i < 70008; i++)
                big[i] = (char)(i * 7);
        *(long *)big = 4;
        OKAY("a large message", msgsnd(q, big, 70000, 0));
        memset(big, 0, 70008);
        CHECK("received whole", msgrcv(q, big, 70000, 0, 0) == 70000 && *(long *)big == 4 && big[8] == (char)56 &&
              big[70007] == (char)(70007 * 7) && big[66000] == (char)(66000 * 7));
        set_text("/proc/sys/kernel/msgmni", "32000\n");
        set_text("/proc/sys/kernel/msgmnb", "16384\n");
        set_text("/proc/sys/kernel/msgmax", "8192\n");
        msgctl(q, IPC_RMID, NULL);
}

/* Two writers and two readers: every message arrives once. */
static void crowd(void)
{
        enum { N = 500 };
        int sum[2];
        pid_t kids[4];

        q = msgget(IPC_PRIVATE, 0600);
        msgctl(q, IPC_STAT, &ds);
        ds.msg_qbytes = 64;
        msgctl(q, IPC_SET, &ds);
        must(pipe(sum) == 0, "pipe");
        for (int k = 0; k < 4; k++)
                if ((kids[k] = fork()) == 0) {
                        long total = 0;
                        for (int i = 1; i <= N; i++) {
                                m.type = 1 + (i & 1);
                                memcpy(m.text, &i, 4);
                                if (k < 2) {
                                        must(msgsnd(q, &m, 4, 0) == 0, "msgsnd");
                                } else {
                                        int v;
                                        must(msgrcv(q, &m, 4, 0, 0) == 4, "msgrcv");
                                        memcpy(&v, m.text, 4);
                                        total += v;
                                }
                        }
                        if (k >= 2)
                                must(write(sum[1], &total, 8) == 8, "write");
                        _exit(0);
                }
        long all = 0, one;
        for (int k = 0; k < 4; k++)
                result_of(kids[k]);
        for (int k = 0; k < 2; k++) {
                must(read(sum[0], &one, 8) == 8, "read");
                all += one;
        }
        CHECK("every message once", all == N * (N + 1));
        msgctl(q, IPC_RMID, NULL);
}

int main(void)
{
        FAILS("no such key", ENOENT, msgget(0x6000, 0600));
        OKAY("made", q = msgget(0x6000, IPC_CREAT | 0600));
        CHECK("found", msgget(0x6000, 0) == q && msgget(0x6000, IPC_CREAT) == q);
        FAILS("exclusive", EEXIST, msgget(0x6000, IPC_CREAT | IPC_EXCL));
        OKAY("stat", msgctl(q, IPC_STAT, &ds));
        CHECK("what it says", ds.msg_qnum == 0 && ds.msg_qbytes == 16384 && ds.msg_perm.mode == 0600 && ds.msg_ctime != 0 &&
              ds.msg_lspid == 0 && ds.msg_stime == 0);
        types();
        errors();
        CHECK("user", in_child(user_tries) == 0);
        waiting();
        limits();
        crowd();
        return done();
}
