/* System V semaphores: operations, waiting, undo, permissions, limits. */
#include "abi.h"
#include <sys/ipc.h>
#include <sys/sem.h>

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif
#define MANY 300

union semun { int val; struct semid_ds *buf; unsigned short *array; struct seminfo *info; };
static struct semid_ds ds;
static int s;

static int op1(int num, int by, int flags)
{
        struct sembuf b = { num, by, flags };
        return semop(s, &b, 1);
}
static int value(int num) { return semctl(s, num, GETVAL); }
static int set(int num, int v) { return semctl(s, num, SETVAL, (union semun){ .val = v }); }
static int stat_set(void) { return semctl(s, 0, IPC_STAT, (union semun){ .buf = &ds }); }

static void basics(void)
{
        unsigned short all[3] = { 4, 5, 6 };

        CHECK("all are 0", value(0) == 0 && value(1) == 0 && value(2) == 0);
        CHECK("nobody yet", semctl(s, 0, GETPID) == 0);
        CHECK("what stat says", stat_set() == 0 && ds.sem_nsems == 3 && ds.sem_otime == 0 && ds.sem_ctime != 0 &&
              ds.sem_perm.mode == 0600);
        OKAY("up", op1(0, 3, 0));
        CHECK("is 3, by this process", value(0) == 3 && semctl(s, 0, GETPID) == getpid() && stat_set() == 0 && ds.sem_otime != 0);
        OKAY("down", op1(0, -2, 0));
        FAILS("too far down", EAGAIN, op1(0, -2, IPC_NOWAIT));
        FAILS("not zero", EAGAIN, op1(0, 0, IPC_NOWAIT));
        OKAY("zero", op1(1, 0, IPC_NOWAIT));
        struct sembuf both[2] = { { 0, -1, 0 }, { 1, -1, IPC_NOWAIT } };
        FAILS("all or nothing", EAGAIN, semop(s, both, 2));
        CHECK("nothing", value(0) == 1);
        struct sembuf same[3] = { { 1, 1, 0 }, { 1, -1, 0 }, { 1, 0, IPC_NOWAIT } };
        OKAY("one after the other", semop(s, same, 3));
        FAILS("above the maximum", ERANGE, op1(0, 32767, 0));
        FAILS("SETVAL above", ERANGE, set(0, 32768));
        FAILS("SETVAL below", ERANGE, set(0, -1));
        OKAY("SETALL", semctl(s, 0, SETALL, (union semun){ .array = all }));
        memset(all, 0, sizeof all);
        CHECK("GETALL", semctl(s, 0, GETALL, (union semun){ .array = all }) == 0 && all[0] == 4 && all[1] == 5 && all[2] == 6);
        all[1] = 40000;
        FAILS("SETALL above", ERANGE, semctl(s, 0, SETALL, (union semun){ .array = all }));
        CHECK("changed nothing", value(0) == 4 && value(1) == 5);
}

static void errors(void)
{
        struct sembuf b[501];
        struct timespec bad = { 0, -1 }, past = { -1, 0 };

        for (int i = 0; i < 501; i++)
                b[i] = (struct sembuf){ 2, i % 2 ? -1 : 1, 0 };
        FAILS("no operations", EINVAL, semop(s, b, 0));
        FAILS("too many", E2BIG, semop(s, b, 501));
        OKAY("just not", semop(s, b, 500));
        FAILS("from nowhere", EFAULT, semop(s, BAD_PTR, 1));
        FAILS("no such semaphore", EFBIG, op1(3, 1, 0));
        FAILS("no such set", EINVAL, semop(s + 1, b, 1));
        FAILS("negative set", EINVAL, semop(-1, b, 1));
        FAILS("bad time", EINVAL, semtimedop(s, b, 1, &bad));
        FAILS("negative time", EINVAL, semtimedop(s, b, 1, &past));
        FAILS("time from nowhere", EFAULT, semtimedop(s, b, 1, BAD_PTR));
        FAILS("GETVAL of none", EINVAL, semctl(s, 3, GETVAL));
        FAILS("GETVAL of -1", EINVAL, semctl(s, -1, GETVAL));
        FAILS("SETVAL of none", EINVAL, set(3, 1));
        FAILS("no such command", EINVAL, semctl(s, 0, 99));
        FAILS("GETALL to nowhere", EFAULT, semctl(s, 0, GETALL, (union semun){ .array = BAD_PTR }));
        FAILS("SETALL from nowhere", EFAULT, semctl(s, 0, SETALL, (union semun){ .array = BAD_PTR }));
        FAILS("stat to nowhere", EFAULT, semctl(s, 0, IPC_STAT, (union semun){ .buf = BAD_PTR }));
        FAILS("none", EINVAL, semget(IPC_PRIVATE, 0, 0600));
        FAILS("fewer than none", EINVAL, semget(IPC_PRIVATE, -1, 0600));
        FAILS("far too many", EINVAL, semget(IPC_PRIVATE, 32001, 0600));
        FAILS("more than there are", EINVAL, semget(0x7000, 4, 0));
        OKAY("fewer than there are", semget(0x7000, 2, 0));
        OKAY("it does not matter how many", semget(0x7000, 0, 0));
        FAILS("exclusive", EEXIST, semget(0x7000, 1, IPC_CREAT | IPC_EXCL));
        FAILS("no such key", ENOENT, semget(0x7001, 1, 0));
}

static int user_tries(void)
{
        become_user(1000);
        FAILS("another's set", EACCES, semget(0x7000, 1, 0600));
        FAILS("up", EACCES, op1(0, 1, 0));
        FAILS("wait for 0", EACCES, op1(0, 0, IPC_NOWAIT));
        FAILS("GETVAL", EACCES, semctl(s, 0, GETVAL));
        FAILS("SETVAL", EACCES, set(0, 1));
        FAILS("stat", EACCES, stat_set());
        FAILS("remove", EPERM, semctl(s, 0, IPC_RMID));
        FAILS("beyond the set: told first", EFBIG, op1(7, 1, 0));
        return done();
}

static int user_reads(void)
{
        become_user(1000);
        CHECK("GETVAL", semctl(s, 0, GETVAL) >= 0);
        FAILS("up", EACCES, op1(0, 1, 0));
        FAILS("wait for 0", EAGAIN, op1(0, 0, IPC_NOWAIT));
        FAILS("SETVAL", EACCES, set(0, 1));
        return done();
}

static pid_t asleep(int (*fn)(void))
{
        pid_t pid = fork();

        if (pid == 0)
                _exit(fn());
        CHECK("sleeps", state_becomes(pid, 'S'));
        return pid;
}

static void catch(int sig) { (void)sig; }
static int downs(void) { return op1(0, -1, 0) == 0 ? 0 : 1; }
static int zeroes(void) { return op1(0, 0, 0) == 0 ? 0 : 1; }
static int removed(void) { return op1(0, -1, 0) < 0 && errno == EIDRM ? 0 : 1; }
static int two(void)
{
        struct sembuf b[2] = { { 0, -1, 0 }, { 1, -1, 0 } };
        return semop(s, b, 2) == 0 ? 0 : 1;
}
static int interrupted(void)
{
        on(SIGUSR1, catch, SA_RESTART);
        return op1(0, -1, 0) < 0 && errno == EINTR ? 0 : 1;
}
static int stopped(void) { return op1(0, -1, 0) < 0 && errno == EINTR ? 0 : 1; }

static void waiting(void)
{
        struct timespec soon = { 0, 20000000 };
        struct sembuf b = { 0, -1, 0 };

        set(0, 0), set(1, 0), set(2, 0);
        pid_t a = asleep(downs), c = asleep(downs);
        CHECK("two wait for more", semctl(s, 0, GETNCNT) == 2 && semctl(s, 0, GETZCNT) == 0);
        op1(0, 1, 0);
        CHECK("the first is first", result_of(a) == 0 && semctl(s, 0, GETNCNT) == 1 && value(0) == 0);
        CHECK("who did it", semctl(s, 0, GETPID) == a);
        set(0, 1);
        CHECK("SETVAL wakes, too", result_of(c) == 0 && value(0) == 0);
        set(0, 2);
        a = asleep(zeroes);
        CHECK("one waits for 0", semctl(s, 0, GETZCNT) == 1 && semctl(s, 0, GETNCNT) == 0);
        op1(0, -1, 0);
        CHECK("not yet", semctl(s, 0, GETZCNT) == 1);
        op1(0, -1, 0);
        CHECK("at 0", result_of(a) == 0);
        a = asleep(two);
        CHECK("waits at the first", semctl(s, 0, GETNCNT) == 1 && semctl(s, 1, GETNCNT) == 0);
        op1(0, 1, 0);
        CHECK("then at the second", semctl(s, 0, GETNCNT) == 0 && semctl(s, 1, GETNCNT) == 1 && value(0) == 1);
        op1(0, -1, 0);
        CHECK("at the first again, once asked", semctl(s, 1, GETNCNT) + semctl(s, 0, GETNCNT) == 1);
        struct sembuf up[2] = { { 0, 1, 0 }, { 1, 1, 0 } };
        semop(s, up, 2);
        CHECK("both", result_of(a) == 0 && value(0) == 0 && value(1) == 0);
        FAILS("time is up", EAGAIN, semtimedop(s, &b, 1, &soon));
        soon.tv_nsec = 0;
        FAILS("no time", EAGAIN, semtimedop(s, &b, 1, &soon));
        CHECK("nobody waits", semctl(s, 0, GETNCNT) == 0);
        a = asleep(interrupted);
        kill(a, SIGUSR1);
        CHECK("interrupted, never restarted", result_of(a) == 0);
        a = asleep(stopped);
        kill(a, SIGSTOP);
        state_becomes(a, 'T');
        kill(a, SIGCONT);
        CHECK("a stop interrupts", result_of(a) == 0);
        a = asleep(downs);
        kill(a, SIGKILL);
        CHECK("killed", result_of(a) == KILLED(SIGKILL) && semctl(s, 0, GETNCNT) == 0);
        a = asleep(removed);
        OKAY("removed", semctl(s, 0, IPC_RMID));
        CHECK("is told", result_of(a) == 0);
        FAILS("gone", EINVAL, op1(0, 1, 0));
}

static int undoes(void)
{
        op1(0, -3, SEM_UNDO);
        op1(1, 2, SEM_UNDO);
        return value(0) == 2 && value(1) == 2 ? 0 : 1;
}
static int undoes_and_loses(void)
{
        op1(0, -3, SEM_UNDO);
        kill(getppid(), SIGUSR1);
        pause();
        return 0;
}
static int undoes_below(void)
{
        op1(0, 5, SEM_UNDO);
        op1(0, -8, 0);
        return 0;
}
static int undo_range(void)
{
        int bad = 0;
        for (int i = 0; i < 2; i++) {
                if (op1(2, 32767, SEM_UNDO) < 0)
                        bad = i * 100 + errno;
                set(2, 0), semctl(s, 2, SETVAL, 0);
        }
        /* SETVAL forgets: so by another's hand. */
        for (int i = 0; i < 3; i++) {
                if (op1(2, 20000, SEM_UNDO) < 0)
                        bad = errno;
                op1(2, -20000, IPC_NOWAIT);
        }
        return bad == ERANGE ? 0 : 1;
}
static int waits_with_undo(void) { return op1(0, -1, SEM_UNDO) == 0 && value(0) == 0 ? 0 : 1; }

static int shares(void *arg)
{
        (void)arg;
        op1(0, -1, SEM_UNDO);
        return 0;
}
static char stack[65536] __attribute__((aligned(16)));

static int clones(void)
{
        int st = 0;
        pid_t pid = clone(shares, stack + sizeof stack, CLONE_SYSVSEM | SIGCHLD, NULL);

        waitpid(pid, &st, 0);
        CHECK("shared: nothing is undone yet", value(0) == 4);
        pid = clone(shares, stack + sizeof stack, SIGCHLD, NULL);
        waitpid(pid, &st, 0);
        CHECK("not shared: undone", value(0) == 4);
        op1(0, -1, SEM_UNDO);
        if (fork() == 0)
                _exit(0);
        wait(&st);
        CHECK("a fork has none", value(0) == 3);
        execl("/proc/self/exe", "sysv_sem", "exec", NULL);
        return 1;
}

static void undo(void)
{
        s = semget(IPC_PRIVATE, 3, 0600);
        set(0, 5);
        CHECK("with undo", in_child(undoes) == 0);
        CHECK("undone", value(0) == 5 && value(1) == 0);
        on(SIGUSR1, catch, 0);
        pid_t a = fork();
        if (a == 0)
                _exit(undoes_and_loses());
        for (int i = 0; i < 400 && value(0) == 5; i++)
                sleep_ms(5);
        CHECK("done", value(0) == 2);
        set(0, 4);
        kill(a, SIGKILL);
        result_of(a);
        CHECK("SETVAL made it forget", value(0) == 4);
        CHECK("below", in_child(undoes_below) == 0);
        CHECK("stops at 0", value(0) == 0);
        CHECK("a sum too large", in_child(undo_range) == 0);
        set(2, 0);
        set(0, 5);
        CHECK("CLONE_SYSVSEM", in_child(clones) == 0);
        CHECK("and undone at the end", value(0) == 5);
        set(0, 0);
        a = asleep(waits_with_undo);
        op1(0, 1, 0);
        CHECK("woken with undo", result_of(a) == 0 && value(0) == 1);
        if ((a = fork()) == 0) {
                op1(0, -1, SEM_UNDO);
                for (;;)
                        pause();
        }
        while (value(0) == 1)
                sleep_ms(1);
        pid_t b = asleep(downs);
        kill(a, SIGKILL);
        CHECK("an exit wakes", result_of(a) == KILLED(SIGKILL) && result_of(b) == 0);
        semctl(s, 0, IPC_RMID);
        s = semget(IPC_PRIVATE, 1, 0600);
        if ((a = fork()) == 0) {
                for (int i = 0; i < 200; i++) {
                        s = semget(IPC_PRIVATE, 1, 0600);
                        op1(0, 1, SEM_UNDO);
                        semctl(s, 0, IPC_RMID);
                }
                _exit(0);
        }
        CHECK("undo of sets that are gone", result_of(a) == 0);
        semctl(s, 0, IPC_RMID);
}

static void limits(void)
{
        struct seminfo info;

        CHECK("IPC_INFO", semctl(0, 0, IPC_INFO, (union semun){ .info = &info }) >= 0 && info.semmni == 32000 && info.semmsl == 32000 &&
              info.semmns == 1024000000 && info.semopm == 500 && info.semvmx == 32767 && info.semmnu == 1024000000 &&
              info.semmap == 1024000000 && info.semume == 500 && info.semusz == 20 && info.semaem == 32767);
        OKAY("a large set", s = semget(IPC_PRIVATE, MANY, 0600));
        unsigned short all[MANY];
        for (int i = 0; i < MANY; i++)
                all[i] = i;
        semctl(s, 0, SETALL, (union semun){ .array = all });
        CHECK("its values", value(0) == 0 && value(7) == 7 && value(8) == 8 && value(255) == 255 && value(256) == 256 && value(299) == 299);
        struct sembuf b[40];
        for (int i = 0; i < 40; i++)
                b[i] = (struct sembuf){ 260 + i, -5, SEM_UNDO };
        CHECK("forty at once", semop(s, b, 40) == 0 && value(260) == 255 && value(299) == 294 && value(259) == 259);
        int top = semctl(0, 0, SEM_INFO, (union semun){ .info = &info });
        CHECK("SEM_INFO", top >= 0 && info.semusz == 1 && info.semaem == MANY);
        CHECK("SEM_STAT", semctl(top, 0, SEM_STAT, (union semun){ .buf = &ds }) == s && ds.sem_nsems == MANY);
        CHECK("SEM_STAT_ANY", semctl(top, 0, SEM_STAT_ANY, (union semun){ .buf = &ds }) == s);
        set_text("/proc/sys/kernel/sem", "4 302 2 2\n");
        CHECK("reads back", strcmp(text_of("/proc/sys/kernel/sem"), "4\t302\t2\t2\n") == 0);
        FAILS("beyond semmsl", EINVAL, semget(IPC_PRIVATE, 5, 0600));
        FAILS("beyond semmns", ENOSPC, semget(IPC_PRIVATE, 3, 0600));
        FAILS("beyond semopm", E2BIG, semop(s, b, 3));
        int other = semget(IPC_PRIVATE, 1, 0600);
        FAILS("beyond semmni", ENOSPC, semget(IPC_PRIVATE, 1, 0600));
        set_text("/proc/sys/kernel/sem", "32000 1024000000 500 32000\n");
        semctl(other, 0, IPC_RMID);
        semctl(s, 0, IPC_RMID);
}

/* Processes that pass two tokens around. */
static void ring(void)
{
        enum { N = 4, ROUNDS = 300 };
        pid_t kids[N];
        int bad = 0;

        s = semget(IPC_PRIVATE, N, 0600);
        for (int k = 0; k < N; k++)
                if ((kids[k] = fork()) == 0) {
                        for (int i = 0; i < ROUNDS; i++)
                                must(op1(k, -1, 0) == 0 && op1((k + 1) % N, 1, 0) == 0, "semop");
                        _exit(0);
                }
        op1(0, 1, 0), op1(0, 1, 0);
        for (int k = 0; k < N; k++)
                bad += result_of(kids[k]) != 0;
        CHECK("a ring", bad == 0 && value(0) == 2);
        semctl(s, 0, IPC_RMID);
}

int main(int argc, char **argv)
{
        (void)argv;
        if (argc > 1)           /* from clones(): the undo list outlives exec */
                return 0;
        OKAY("made", s = semget(0x7000, 3, IPC_CREAT | 0600));
        basics();
        errors();
        CHECK("user", in_child(user_tries) == 0);
        set(0, 1);
        stat_set();
        ds.sem_perm.mode = 0644;
        OKAY("readable for all", semctl(s, 0, IPC_SET, (union semun){ .buf = &ds }));
        CHECK("user who reads", in_child(user_reads) == 0);
        waiting();
        undo();
        limits();
        ring();
        return done();
}
