/* POSIX message queues, by the system calls: names, attributes, order, waiting, notification, limits, the file system. */
#include "abi.h"
#include <sys/mount.h>
#include <sys/statfs.h>

struct attr { long flags, maxmsg, msgsize, curmsgs, reserved[4]; };
struct event { union { int i; void *p; } value; int signo, notify; char rest[48]; };

static int mq(const char *name, int flags, int mode, struct attr *a) { return syscall(SYS_mq_open, name, flags, mode, a); }
static int rm(const char *name) { return syscall(SYS_mq_unlink, name); }
static int put(int q, const char *text, unsigned prio) { return syscall(SYS_mq_timedsend, q, text, strlen(text), prio, NULL); }
static char got[16400];
static unsigned prio;
static int get(int q) { memset(got, 0, sizeof got); return syscall(SYS_mq_timedreceive, q, got, 8192L, &prio, NULL); }
static int is(const char *text) { return strcmp(got, text) == 0; }
static int notify(int q, struct event *e) { return syscall(SYS_mq_notify, q, e); }
static int attrs(int q, struct attr *new, struct attr *old) { return syscall(SYS_mq_getsetattr, q, new, old); }

static void names(void)
{
        char big[300];
        struct attr bad = { 0, 0, 10, 0, { 0 } };

        memset(big, 'x', 299), big[299] = 0;
        FAILS("none yet", ENOENT, mq("one", O_RDWR, 0, NULL));
        FAILS("no name", ENOENT, mq("", O_RDWR | O_CREAT, 0600, NULL));
        FAILS("a slash", EACCES, mq("/one", O_RDWR | O_CREAT, 0600, NULL));
        FAILS("a slash inside", EACCES, mq("o/ne", O_RDWR | O_CREAT, 0600, NULL));
        FAILS("a dot", EACCES, mq(".", O_RDWR | O_CREAT, 0600, NULL));
        FAILS("a long name", ENAMETOOLONG, mq(big, O_RDWR | O_CREAT, 0600, NULL));
        FAILS("from nowhere", EFAULT, mq(BAD_PTR, O_RDWR | O_CREAT, 0600, NULL));
        FAILS("attributes from nowhere", EFAULT, mq("one", O_RDWR | O_CREAT, 0600, BAD_PTR));
        FAILS("no messages", EINVAL, mq("one", O_RDWR | O_CREAT, 0600, &bad));
        bad.maxmsg = 10, bad.msgsize = 0;
        FAILS("no size", EINVAL, mq("one", O_RDWR | O_CREAT, 0600, &bad));
        bad.msgsize = -1;
        FAILS("a negative size", EINVAL, mq("one", O_RDWR | O_CREAT, 0600, &bad));
        bad.msgsize = 1L << 40;
        FAILS("a huge size", EINVAL, mq("one", O_RDWR | O_CREAT, 0600, &bad));
        FAILS("nothing was made", ENOENT, rm("one"));
        FAILS("removed without a name", ENOENT, rm(""));
        int q = mq("one", O_RDWR | O_CREAT, 0666, NULL);
        CHECK("made", q >= 0 && (fcntl(q, F_GETFD) & FD_CLOEXEC));
        FAILS("exclusive", EEXIST, mq("one", O_RDWR | O_CREAT | O_EXCL, 0600, NULL));
        int q2 = mq("one", O_RDONLY, 0, NULL);
        OKAY("opened again", q2);
        FAILS("not for writing", EBADF, put(q2, "x", 0));
        close(q2);
        q2 = mq("one", O_WRONLY, 0, NULL);
        FAILS("not for reading", EBADF, get(q2));
        close(q2);
        struct stat st;
        CHECK("what fstat says", fstat(q, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0644 && st.st_size == 80);
        OKAY("removed", rm("one"));
        OKAY("but usable", put(q, "x", 0));
        FAILS("and gone", ENOENT, mq("one", O_RDWR, 0, NULL));
        close(q);
        FAILS("closed", EBADF, put(q, "x", 0));
        q = open("file", O_RDWR | O_CREAT, 0600);
        FAILS("a file is none", EBADF, put(q, "x", 0));
        FAILS("nor for notify", EBADF, notify(q, NULL));
        FAILS("nor has attributes", EBADF, attrs(q, NULL, NULL));
        close(q);
}

static int q;

static void order(void)
{
        struct attr a = { 0, 5, 20, 0, { 0 } }, b;
        struct timespec past = { 1, 0 }, bad = { 1, -1 };

        q = mq("two", O_RDWR | O_CREAT | O_NONBLOCK, 0600, &a);
        CHECK("attributes", attrs(q, NULL, &b) == 0 && b.flags == O_NONBLOCK && b.maxmsg == 5 && b.msgsize == 20 && b.curmsgs == 0);
        FAILS("empty", EAGAIN, get(q));
        put(q, "low", 1), put(q, "high", 9), put(q, "low2", 1), put(q, "", 5);
        CHECK("four", attrs(q, NULL, &b) == 0 && b.curmsgs == 4);
        FAILS("a small buffer", EMSGSIZE, syscall(SYS_mq_timedreceive, q, got, 19L, &prio, NULL));
        CHECK("the highest first", get(q) == 4 && is("high") && prio == 9);
        CHECK("an empty one", get(q) == 0 && prio == 5);
        CHECK("then the oldest", get(q) == 3 && is("low") && prio == 1);
        CHECK("then the next", syscall(SYS_mq_timedreceive, q, got, 20L, NULL, NULL) == 4);
        FAILS("too long", EMSGSIZE, put(q, "123456789012345678901", 0));
        OKAY("just not", put(q, "12345678901234567890", 0));
        FAILS("priority too high", EINVAL, put(q, "x", 32768));
        OKAY("the highest priority", put(q, "x", 32767));
        put(q, "3", 0), put(q, "4", 0), put(q, "5", 0);
        FAILS("full", EAGAIN, put(q, "6", 0));
        FAILS("from nowhere", EFAULT, syscall(SYS_mq_timedsend, q, BAD_PTR, 5L, 0, NULL));
        FAILS("to nowhere", EFAULT, syscall(SYS_mq_timedreceive, q, BAD_PTR, 20L, NULL, NULL));
        CHECK("which lost it", attrs(q, NULL, &b) == 0 && b.curmsgs == 4);
        a.flags = O_APPEND;
        FAILS("other flags", EINVAL, attrs(q, &a, NULL));
        a.flags = 0;
        CHECK("blocking now", attrs(q, &a, &b) == 0 && b.flags == O_NONBLOCK && attrs(q, NULL, &b) == 0 && b.flags == 0);
        put(q, "5", 0);
        FAILS("no time to send", ETIMEDOUT, syscall(SYS_mq_timedsend, q, "x", 1L, 0, &past));
        FAILS("a bad time", EINVAL, syscall(SYS_mq_timedsend, q, "x", 1L, 0, &bad));
        FAILS("a time from nowhere", EFAULT, syscall(SYS_mq_timedsend, q, "x", 1L, 0, BAD_PTR));
        for (int i = 0; i < 5; i++)
                get(q);
        FAILS("no time to receive", ETIMEDOUT, syscall(SYS_mq_timedreceive, q, got, 20L, NULL, &past));
        struct pollfd p = { q, POLLIN | POLLOUT, 0 };
        CHECK("poll: may be written", poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
        for (int i = 0; i < 5; i++)
                put(q, "x", 0);
        CHECK("poll: may be read", poll(&p, 1, 0) == 1 && p.revents == POLLIN);
        get(q);
        CHECK("poll: both", poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT));
        while (attrs(q, NULL, &b) == 0 && b.curmsgs)
                get(q);
}

static pid_t asleep(int (*fn)(void))
{
        pid_t pid = fork();

        if (pid == 0)
                _exit(fn());
        CHECK("sleeps", state_becomes(pid, 'S'));
        return pid;
}

static int receives(void) { return get(q) == 5 && is("hello") && prio == 3 ? 0 : 1; }
static int sends(void)    { return put(q, "late", 7) == 0 ? 0 : 1; }
static volatile int count, value, code, from;
static void catch(int sig, siginfo_t *si, void *ctx)
{
        (void)sig, (void)ctx;
        count++, value = si->si_value.sival_int, code = si->si_code, from = si->si_pid;
}
static int interrupted(void) { return get(q) < 0 && errno == EINTR ? 0 : 1; }
static int polls(void)
{
        struct pollfd p = { q, POLLIN, 0 };
        return poll(&p, 1, 5000) == 1 && p.revents == POLLIN ? 0 : 1;
}

static void waiting(void)
{
        struct attr b;
        pid_t a = asleep(receives);

        put(q, "hello", 3);
        CHECK("a receiver is woken", result_of(a) == 0 && attrs(q, NULL, &b) == 0 && b.curmsgs == 0);
        for (int i = 0; i < 5; i++)
                put(q, "x", 0);
        a = asleep(sends);
        get(q);
        CHECK("a sender is woken", result_of(a) == 0 && get(q) == 4 && is("late") && prio == 7);
        while (attrs(q, NULL, &b) == 0 && b.curmsgs)
                get(q);
        a = asleep(polls);
        put(q, "x", 0);
        CHECK("a poller is woken", result_of(a) == 0);
        get(q);
        struct sigaction sa = { .sa_sigaction = catch, .sa_flags = SA_SIGINFO };
        sigaction(SIGUSR1, &sa, NULL);
        a = asleep(interrupted);
        kill(a, SIGUSR1);
        CHECK("interrupted", result_of(a) == 0);
        sa.sa_flags |= SA_RESTART;
        sigaction(SIGUSR1, &sa, NULL);
        a = asleep(receives);
        kill(a, SIGUSR1);
        sleep_ms(50);
        put(q, "hello", 3);
        CHECK("or restarted", result_of(a) == 0);
}

static int sends_one(void) { return put(q, "one", 0); }
static int asks(void)
{
        struct event e = { .notify = SIGEV_NONE };
        return notify(q, &e) == 0 ? 0 : errno;
}

static void notification(void)
{
        struct event e = { .value.i = 77, .signo = SIGUSR2, .notify = SIGEV_SIGNAL };
        struct sigaction sa = { .sa_sigaction = catch, .sa_flags = SA_SIGINFO };

        sigaction(SIGUSR2, &sa, NULL);
        OKAY("none to end", notify(q, NULL));
        e.notify = 99;
        FAILS("no such kind", EINVAL, notify(q, &e));
        e.notify = SIGEV_SIGNAL, e.signo = 65;
        FAILS("no such signal", EINVAL, notify(q, &e));
        FAILS("from nowhere", EFAULT, notify(q, BAD_PTR));
        e.signo = SIGUSR2;
        OKAY("asked for", notify(q, &e));
        FAILS("but once", EBUSY, notify(q, &e));
        CHECK("nor by another", in_child(asks) == EBUSY);
        CHECK("it reads", lseek(q, 0, SEEK_SET) == 0 && read(q, got, 100) > 0 && strncmp(got, "QSIZE:0          NOTIFY:0     SIGNO:12    NOTIFY_PID:", 53) == 0);
        count = 0;
        pid_t kid = fork();
        if (kid == 0)
                _exit(sends_one());
        CHECK("another sends", result_of(kid) == 0);
        CHECK("and we are told", count == 1 && value == 77 && code == SI_MESGQ && from == kid);
        put(q, "two", 0);
        CHECK("once", count == 1);
        CHECK("it reads 6 bytes", lseek(q, 0, SEEK_SET) == 0 && read(q, got, 100) > 0 && strncmp(got, "QSIZE:6          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n", 59) == 0);
        OKAY("asked for while not empty", notify(q, &e));
        put(q, "three", 0);
        CHECK("nothing", count == 1);
        get(q), get(q), get(q);
        put(q, "again", 0);
        CHECK("when it was empty", count == 2);
        get(q);
        OKAY("asked for", notify(q, &e));
        kid = asleep(receives);
        put(q, "hello", 3);
        CHECK("a receiver comes first", result_of(kid) == 0 && count == 2);
        int dup2nd = dup(q);
        close(dup2nd);
        OKAY("any close ended it", notify(q, &e));
        OKAY("taken back", notify(q, NULL));
        put(q, "x", 0);
        CHECK("not told", count == 2);
        get(q);
        CHECK("asked by a child that ends", in_child(asks) == 0);
        OKAY("leaves it free", notify(q, &e));
        notify(q, NULL);
        e.signo = 0;
        OKAY("signal 0", notify(q, &e));
        count = 0;
        OKAY("a message comes", put(q, "x", 0));
        CHECK("no signal", count == 0);
        OKAY("and it has ended", notify(q, &e));
        notify(q, NULL);
        get(q);
}

static int user_tries(void)
{
        struct attr a = { 0, 11, 100, 0, { 0 } };

        become_user(1000);
        FAILS("another's", EACCES, mq("two", O_RDONLY, 0, NULL));
        FAILS("another's, to remove", EPERM, rm("two"));
        FAILS("more messages than msg_max", EINVAL, mq("mine", O_RDWR | O_CREAT, 0600, &a));
        a.maxmsg = 10, a.msgsize = 8193;
        FAILS("larger ones than msgsize_max", EINVAL, mq("mine", O_RDWR | O_CREAT, 0600, &a));
        struct rlimit l = { 2000, 2000 };
        setrlimit(RLIMIT_MSGQUEUE, &l);
        a.msgsize = 105;
        FAILS("beyond RLIMIT_MSGQUEUE", EMFILE, mq("mine", O_RDWR | O_CREAT, 0600, &a));
        a.msgsize = 104;
        OKAY("at it", mq("mine", O_RDWR | O_CREAT, 0600, &a));
        a.maxmsg = 1, a.msgsize = 1;
        FAILS("nothing left", EMFILE, mq("mine2", O_RDWR | O_CREAT, 0600, &a));
        OKAY("removed", rm("mine"));
        FAILS("still open", EMFILE, mq("mine2", O_RDWR | O_CREAT, 0600, &a));
        for (int i = 3; i < 20; i++)
                close(i);
        OKAY("closed: room again", mq("mine2", O_RDWR | O_CREAT, 0600, &a));
        OKAY("removed, too", rm("mine2"));
        return done();
}

static void file_system(void)
{
        struct statfs fs;
        struct stat st;

        mkdir("mq", 0755);
        OKAY("mounted", mount("none", "mq", "mqueue", 0, NULL));
        CHECK("its magic", statfs("mq", &fs) == 0 && fs.f_type == 0x19800202);
        CHECK("its root", stat("mq", &st) == 0 && st.st_mode == (S_IFDIR | 01777));
        CHECK("a queue in it", stat("mq/two", &st) == 0 && st.st_mode == (S_IFREG | 0600) && st.st_size == 80);
        put(q, "some", 0);
        CHECK("can be read", strncmp(text_of("mq/two"), "QSIZE:4 ", 8) == 0);
        get(q);
        int fd = open("mq/three", O_RDWR | O_CREAT, 0600);
        OKAY("one made by open", fd);
        struct attr b;
        CHECK("has the defaults", attrs(fd, NULL, &b) == 0 && b.maxmsg == 10 && b.msgsize == 8192);
        OKAY("and works", put(fd, "x", 0));
        FAILS("but is not written", EINVAL, write(fd, "x", 1));
        close(fd);
        OKAY("opened by its name", fd = mq("three", O_RDONLY, 0, NULL));
        CHECK("with what is in it", get(fd) == 1);
        close(fd);
        FAILS("no directories", EPERM, mkdir("mq/dir", 0755));
        OKAY("unlinked", unlink("mq/three"));
        FAILS("gone", ENOENT, mq("three", O_RDONLY, 0, NULL));
        set_text("/proc/sys/fs/mqueue/msg_default", "3");
        OKAY("another default", fd = mq("four", O_RDWR | O_CREAT, 0600, NULL));
        CHECK("is used", attrs(fd, NULL, &b) == 0 && b.maxmsg == 3);
        set_text("/proc/sys/fs/mqueue/msg_default", "10");
        close(fd);
        rm("four");
        FAILS("a default of 0", EINVAL, set_text("/proc/sys/fs/mqueue/msg_default", "0"));
        OKAY("unmounted", umount("mq"));
        OKAY("the queue is still there", fd = mq("two", O_RDONLY, 0, NULL));
        close(fd);
}

static void crowd(void)
{
        enum { N = 400 };
        pid_t kids[4];
        int bad = 0;

        for (int k = 0; k < 4; k++)
                if ((kids[k] = fork()) == 0) {
                        long sum = 0;
                        for (int i = 1; i <= N; i++) {
                                if (k & 1) {
                                        sum += syscall(SYS_mq_timedreceive, q, got, 20L, NULL, NULL);
                                } else {
                                        must(syscall(SYS_mq_timedsend, q, got, (long)(i % 20), i % 3, NULL) == 0, "send");
                                }
                        }
                        _exit(0);
                }
        for (int k = 0; k < 4; k++)
                bad += result_of(kids[k]) != 0;
        struct attr b;
        CHECK("a crowd", bad == 0 && attrs(q, NULL, &b) == 0 && b.curmsgs == 0);
}

int main(void)
{
        umask(022);
        names();
        order();
        waiting();
        notification();
        CHECK("user", in_child(user_tries) == 0);
        file_system();
        crowd();
        OKAY("removed", rm("two"));
        return done();
}
