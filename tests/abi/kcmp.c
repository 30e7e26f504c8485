/* kcmp(2): what two processes share: all kinds, order, errors, rights. */
#include "abi.h"
#include <linux/kcmp.h>
#include <sys/epoll.h>
#include <sys/sem.h>
#include <sys/prctl.h>

static long cmp(pid_t a, pid_t b, int type, unsigned long x, unsigned long y)
{
        return syscall(SYS_kcmp, a, b, type, x, y);
}

static pid_t me;

/* A child that lives until it is killed, sharing what the flags say. */
static char stack[65536] __attribute__((aligned(16)));
static int child(void *arg)
{
        (void)arg;
        for (;;)
                pause();
        return 0;
}

static pid_t sharing(int flags)
{
        pid_t pid = clone(child, stack + sizeof stack, flags | SIGCHLD, NULL);

        must(pid > 0, "clone");
        sleep_ms(20);
        return pid;
}
static void end(pid_t pid)
{
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

static int differ(long r) { return r == 1 || r == 2; }

static void kinds(void)
{
        static const struct { const char *name; int type, flags; } k[] = {
                { "vm", KCMP_VM, CLONE_VM }, { "files", KCMP_FILES, CLONE_FILES }, { "fs", KCMP_FS, CLONE_FS },
                { "sighand", KCMP_SIGHAND, CLONE_SIGHAND | CLONE_VM },
        };
        char name[64];

        for (unsigned i = 0; i < sizeof k / sizeof k[0]; i++) {
                snprintf(name, sizeof name, "%s of one process", k[i].name);
                CHECK(name, cmp(me, me, k[i].type, 0, 0) == 0);
                pid_t pid = sharing(k[i].flags);
                snprintf(name, sizeof name, "%s shared", k[i].name);
                CHECK(name, cmp(me, pid, k[i].type, 0, 0) == 0);
                end(pid);
                pid = sharing(0);
                snprintf(name, sizeof name, "%s apart", k[i].name);
                CHECK(name, differ(cmp(me, pid, k[i].type, 0, 0)));
                snprintf(name, sizeof name, "%s has an order", k[i].name);
                CHECK(name, cmp(me, pid, k[i].type, 0, 0) + cmp(pid, me, k[i].type, 0, 0) == 3);
                end(pid);
        }
        CHECK("indexes are ignored there", cmp(me, me, KCMP_VM, 77, 88) == 0);
}

static void files(void)
{
        int a = open("/dev/null", O_RDONLY), b = dup(a), c = open("/dev/null", O_RDONLY);

        CHECK("the same description", cmp(me, me, KCMP_FILE, a, b) == 0);
        CHECK("another", differ(cmp(me, me, KCMP_FILE, a, c)));
        CHECK("an order", cmp(me, me, KCMP_FILE, a, c) + cmp(me, me, KCMP_FILE, c, a) == 3);
        CHECK("that stays", cmp(me, me, KCMP_FILE, a, c) == cmp(me, me, KCMP_FILE, b, c));
        FAILS("a bad descriptor", EBADF, cmp(me, me, KCMP_FILE, a, 999));
        FAILS("a bad one first", EBADF, cmp(me, me, KCMP_FILE, 999, a));
        pid_t pid = sharing(0);
        CHECK("the child's is the same", cmp(me, pid, KCMP_FILE, a, b) == 0);
        CHECK("or another", differ(cmp(me, pid, KCMP_FILE, a, c)));
        end(pid);
        int p = open("/dev/null", O_PATH);
        CHECK("O_PATH is one, too", cmp(me, me, KCMP_FILE, p, p) == 0);
        /* sorting many by it ends with equals beside each other */
        int ok = 1;
        int fd[12];
        for (int i = 0; i < 12; i++)
                fd[i] = i % 3 == 2 ? dup(fd[i - 1]) : open("/dev/zero", O_RDONLY);
        for (int i = 0; i < 12; i++)
                for (int j = 0; j < 12; j++)
                        for (int k = 0; k < 12; k++)
                                if (cmp(me, me, KCMP_FILE, fd[i], fd[j]) == 1 && cmp(me, me, KCMP_FILE, fd[j], fd[k]) == 1)
                                        ok = ok && cmp(me, me, KCMP_FILE, fd[i], fd[k]) == 1;
        CHECK("an order that is transitive", ok);
}

static void undo(void)
{
        struct sembuf op = { 0, 1, SEM_UNDO };
        pid_t pid = sharing(0);

        CHECK("no undo lists are the same", cmp(me, pid, KCMP_SYSVSEM, 0, 0) == 0);
        int id = semget(IPC_PRIVATE, 1, 0600);
        OKAY("semop", semop(id, &op, 1));
        CHECK("one has one", differ(cmp(me, pid, KCMP_SYSVSEM, 0, 0)));
        end(pid);
        pid = sharing(CLONE_SYSVSEM);
        CHECK("shared undo", cmp(me, pid, KCMP_SYSVSEM, 0, 0) == 0);
        end(pid);
        semctl(id, 0, IPC_RMID);
}

static void io(void)
{
        pid_t pid = sharing(0);

        CHECK("no I/O contexts are the same", cmp(me, pid, KCMP_IO, 0, 0) == 0);
        end(pid);
}

static void epolls(void)
{
        int ep = epoll_create1(0), p[2], q[2];
        struct epoll_event ev = { .events = EPOLLIN };
        struct kcmp_epoll_slot slot = { .efd = ep };

        must(pipe(p) == 0 && pipe(q) == 0, "pipe");
        epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev);
        slot.tfd = p[0];
        CHECK("the target", cmp(me, me, KCMP_EPOLL_TFD, p[0], (long)&slot) == 0);
        CHECK("another file", differ(cmp(me, me, KCMP_EPOLL_TFD, p[1], (long)&slot)));
        slot.tfd = q[0];
        FAILS("a target that is not there", ENOENT, cmp(me, me, KCMP_EPOLL_TFD, p[0], (long)&slot));
        slot.tfd = p[0], slot.toff = 1;
        FAILS("the second of that number", ENOENT, cmp(me, me, KCMP_EPOLL_TFD, p[0], (long)&slot));
        int copy = dup(p[0]);
        dup2(q[0], p[0]);
        epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev);
        slot.toff = 0;
        long first = cmp(me, me, KCMP_EPOLL_TFD, copy, (long)&slot);
        slot.toff = 1;
        long second = cmp(me, me, KCMP_EPOLL_TFD, copy, (long)&slot);
        CHECK("two of one number", (first == 0 && differ(second)) || (second == 0 && differ(first)));
        slot.toff = 2;
        FAILS("no third", ENOENT, cmp(me, me, KCMP_EPOLL_TFD, copy, (long)&slot));
        slot.toff = 0, slot.efd = 999;
        FAILS("a bad epoll", EBADF, cmp(me, me, KCMP_EPOLL_TFD, copy, (long)&slot));
        slot.efd = copy;
        FAILS("not an epoll", EINVAL, cmp(me, me, KCMP_EPOLL_TFD, copy, (long)&slot));
        slot.efd = ep;
        FAILS("a bad file", EBADF, cmp(me, me, KCMP_EPOLL_TFD, 999, (long)&slot));
        FAILS("a bad slot", EFAULT, cmp(me, me, KCMP_EPOLL_TFD, copy, 8));
        FAILS("a bad slot and file", EFAULT, cmp(me, me, KCMP_EPOLL_TFD, 999, 8));
}

static int as_user(void)
{
        become_user(1000);
        FAILS("root's", EPERM, cmp(getpid(), me, KCMP_VM, 0, 0));
        FAILS("root's first", EPERM, cmp(me, getpid(), KCMP_VM, 0, 0));
        FAILS("a bad type of root's", EPERM, cmp(me, getpid(), 99, 0, 0));
        CHECK("after setuid its own is still its", cmp(getpid(), getpid(), KCMP_VM, 0, 0) == 0);
        return done();
}

int main(void)
{
        me = getpid();
        kinds();
        files();
        undo();
        io();
        epolls();
        FAILS("no such process", ESRCH, cmp(me, 0x3ffffff, KCMP_VM, 0, 0));
        FAILS("no such process first", ESRCH, cmp(0x3ffffff, me, KCMP_VM, 0, 0));
        FAILS("pid 0", ESRCH, cmp(me, 0, KCMP_VM, 0, 0));
        FAILS("a negative pid", ESRCH, cmp(-1, me, KCMP_VM, 0, 0));
        FAILS("a bad type", EINVAL, cmp(me, me, KCMP_TYPES, 0, 0));
        FAILS("a negative type", EINVAL, cmp(me, me, -1, 0, 0));
        CHECK("as another user", in_child(as_user) == 0);
        return done();
}
