/* semop(2), semtimedop(2), semctl(2): all errors, order of operations, undo, what waits and is counted. */
#include "abi.h"
#include <sys/ipc.h>
#include <sys/sem.h>

union arg { int val; struct semid_ds *buf; unsigned short *array; struct seminfo *info; };

static int id;
static int get(int n) { return semctl(id, n, GETVAL); }
static int set(int n, int v) { return semctl(id, n, SETVAL, (union arg){ .val = v }); }
static int op(int n, int v, int flags)
{
        struct sembuf b = { n, v, flags };
        return semop(id, &b, 1);
}

static void errors(void)
{
        struct sembuf b[2] = { { 0, 1, 0 }, { 0, -1, 0 } };
        struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 }, zero = { 0, 0 };
        static struct sembuf many[501];

        FAILS("no set", EINVAL, semop(-1, b, 1));
        FAILS("a set that is not there", EINVAL, semop(0x7ffffff0, b, 1));
        FAILS("no operations", EINVAL, semop(id, b, 0));
        FAILS("too many", E2BIG, semop(id, many, 501));
        FAILS("too many of no set", E2BIG, semop(-1, many, 501));
        FAILS("a bad address", EFAULT, semop(id, BAD_PTR, 1));
        FAILS("a bad address of no set", EFAULT, semop(-1, BAD_PTR, 1));
        FAILS("a bad time", EINVAL, semtimedop(id, b, 1, &bad));
        FAILS("a negative time", EINVAL, semtimedop(id, b, 1, &negative));
        FAILS("a time that is not there", EFAULT, semtimedop(id, b, 1, BAD_PTR));
        FAILS("no such semaphore", EFBIG, op(4, 1, 0));
        FAILS("a high number", EFBIG, op(65535, 1, IPC_NOWAIT));
        CHECK("nothing was done", get(0) == 0);
        b[1].sem_num = 9;
        FAILS("the second is bad", EFBIG, semop(id, b, 2));
        CHECK("the first is not done", get(0) == 0);
        set(0, 32767);
        FAILS("over the top", ERANGE, op(0, 1, 0));
        CHECK("it stays", get(0) == 32767);
        set(0, 0);
        struct sembuf up[3] = { { 0, 5, 0 }, { 0, 32767, 0 }, { 0, -32767, 0 } };
        FAILS("over the top on the way", ERANGE, semop(id, up, 3));
        CHECK("all is taken back", get(0) == 0);
        FAILS("would wait", EAGAIN, op(0, -1, IPC_NOWAIT));
        FAILS("not at once", EAGAIN, semtimedop(id, &(struct sembuf){ 0, -1, 0 }, 1, &zero));
        set(0, 1);
        FAILS("is not zero", EAGAIN, op(0, 0, IPC_NOWAIT));
        set(0, 0);
        OKAY("is zero", op(0, 0, 0));
}

static void order(void)
{
        struct sembuf a[3] = { { 0, 2, 0 }, { 0, -2, 0 }, { 0, 0, 0 } }, b[2] = { { 0, -1, IPC_NOWAIT }, { 0, 1, 0 } };
        struct sembuf c[2] = { { 0, 1, 0 }, { 1, -1, IPC_NOWAIT } }, d[2] = { { 0, 1, IPC_NOWAIT }, { 1, -1, 0 } };

        OKAY("one after the other", semop(id, a, 3));
        FAILS("the first cannot be", EAGAIN, semop(id, b, 2));
        FAILS("the second cannot be", EAGAIN, semop(id, c, 2));
        CHECK("together or not at all", get(0) == 0);
        struct timespec soon = { 0, 20000000 };
        int64_t from = now_ms();
        FAILS("whose flag it is that counts", EAGAIN, semtimedop(id, d, 2, &soon));
        CHECK("it waited", now_ms() - from >= 19);
        CHECK("nothing done", get(0) == 0 && get(1) == 0);
}

static int waits(int n, int v)
{
        pid_t pid = fork();
        if (pid == 0)
                _exit(op(n, v, 0) == 0 ? 0 : errno);
        must(state_becomes(pid, 'S'), "asleep");
        sleep_ms(20);
        return pid;
}

static void counts(void)
{
        int a = waits(0, -3), b = waits(0, -1);
        CHECK("two wait for more", semctl(id, 0, GETNCNT) == 2 && semctl(id, 0, GETZCNT) == 0);
        OKAY("one", op(0, 1, 0));
        CHECK("who needs least goes first", result_of(b) == 0 && semctl(id, 0, GETNCNT) == 1);
        CHECK("the pid", semctl(id, 0, GETPID) == b);
        OKAY("two", op(0, 2, 0));
        OKAY("a third", op(0, 1, 0));
        CHECK("then the other", result_of(a) == 0 && get(0) == 0);
        set(0, 1);
        a = waits(0, 0), b = waits(0, 0);
        CHECK("two wait for zero", semctl(id, 0, GETZCNT) == 2);
        OKAY("zero", op(0, -1, 0));
        CHECK("both", result_of(a) == 0 && result_of(b) == 0);
        a = waits(1, -1);
        OKAY("SETVAL wakes", set(1, 1));
        CHECK("it took", result_of(a) == 0 && get(1) == 0);
        a = waits(1, -1);
        unsigned short all[4] = { 0, 7, 0, 0 };
        OKAY("SETALL wakes", semctl(id, 0, SETALL, (union arg){ .array = all }));
        CHECK("it took one", result_of(a) == 0 && get(1) == 6);
        set(1, 0);
        a = waits(1, -1);
        kill(a, SIGKILL);
        CHECK("killed", result_of(a) == KILLED(SIGKILL) && semctl(id, 1, GETNCNT) == 0);
        int own = semget(IPC_PRIVATE, 1, 0600), keep = id;
        id = own;
        a = waits(0, -1);
        semctl(own, 0, IPC_RMID);
        id = keep;
        CHECK("removed under it", result_of(a) == EIDRM);
}

static int undoes(void)
{
        struct sembuf b[2] = { { 2, 3, SEM_UNDO }, { 3, -1, SEM_UNDO } };
        return semop(id, b, 2) == 0 && op(2, 1, 0) == 0 ? 0 : 1;
}
static int undoes_then_set(void)
{
        op(2, 5, SEM_UNDO);
        return set(2, 1) == 0 ? 0 : 1;
}
static int undo_range(void)
{
        set(2, 0);
        for (int i = 0; i < 1; i++)
                op(2, 32767, SEM_UNDO);
        op(2, -32767, 0);
        FAILS("undo itself is bounded", ERANGE, op(2, 2, SEM_UNDO));
        return 0;
}

static void undo(void)
{
        set(2, 0), set(3, 1);
        CHECK("a child", in_child(undoes) == 0);
        CHECK("its end undoes", get(2) == 1 && get(3) == 1);
        CHECK("another", in_child(undoes_then_set) == 0);
        CHECK("SETVAL forgets what was to be undone", get(2) == 1);
        in_child(undo_range);
        CHECK("never below zero", get(2) == 0);
}

static void control(void)
{
        struct semid_ds ds;
        struct seminfo info;
        unsigned short all[4];

        FAILS("a bad command", EINVAL, semctl(id, 0, 99));
        FAILS("SETVAL too much", ERANGE, set(0, 32768));
        FAILS("SETVAL too little", ERANGE, set(0, -1));
        FAILS("SETVAL of none", EINVAL, set(4, 1));
        FAILS("SETVAL of a negative one", EINVAL, set(-1, 1));
        FAILS("GETVAL of none", EINVAL, get(4));
        FAILS("GETPID of none", EINVAL, semctl(id, 4, GETPID));
        FAILS("GETNCNT of none", EINVAL, semctl(id, 4, GETNCNT));
        FAILS("GETZCNT of none", EINVAL, semctl(id, -1, GETZCNT));
        OKAY("GETALL heeds no number", semctl(id, 77, GETALL, (union arg){ .array = all }));
        all[2] = 40000;
        FAILS("SETALL too much", ERANGE, semctl(id, 0, SETALL, (union arg){ .array = all }));
        FAILS("GETALL to nowhere", EFAULT, semctl(id, 0, GETALL, (union arg){ .array = BAD_PTR }));
        FAILS("SETALL from nowhere", EFAULT, semctl(id, 0, SETALL, (union arg){ .array = BAD_PTR }));
        FAILS("STAT to nowhere", EFAULT, semctl(id, 0, IPC_STAT, (union arg){ .buf = BAD_PTR }));
        FAILS("SET from nowhere", EFAULT, semctl(id, 0, IPC_SET, (union arg){ .buf = BAD_PTR }));
        OKAY("STAT", semctl(id, 0, IPC_STAT, (union arg){ .buf = &ds }));
        CHECK("how many", ds.sem_nsems == 4);
        CHECK("INFO", semctl(0, 0, IPC_INFO, (union arg){ .info = &info }) >= 0 && info.semvmx == 32767 && info.semopm == 500 && info.semmsl == 32000);
        FAILS("size of a set that is there", EINVAL, semget(IPC_PRIVATE, -1, 0600));
        FAILS("none in a new one", EINVAL, semget(IPC_PRIVATE, 0, 0600));
        FAILS("too many in one", EINVAL, semget(IPC_PRIVATE, 32001, 0600));
        int k = semget(0x5151, 2, IPC_CREAT | 0600);
        OKAY("0 finds it", semget(0x5151, 0, 0));
        FAILS("more than it has", EINVAL, semget(0x5151, 3, 0));
        FAILS("it is there", EEXIST, semget(0x5151, 2, IPC_CREAT | IPC_EXCL | 0600));
        FAILS("it is not", ENOENT, semget(0x5252, 2, 0));
        semctl(k, 0, IPC_RMID);
        FAILS("removed", EINVAL, semctl(k, 0, IPC_RMID));
}

static int as_user(void)
{
        become_user(1000);
        FAILS("may not read", EACCES, get(0));
        FAILS("may not change", EACCES, op(0, 1, 0));
        FAILS("may not wait", EACCES, op(0, 0, IPC_NOWAIT));
        FAILS("a bad number first", EFBIG, op(9, 1, 0));
        FAILS("may not set", EACCES, set(0, 1));
        FAILS("may not remove", EPERM, semctl(id, 0, IPC_RMID));
        return done();
}
static int as_reader(void)
{
        become_user(1000);
        OKAY("reads", get(0));
        FAILS("does not change", EACCES, op(0, 1, 0));
        CHECK("waits for zero", op(0, 0, IPC_NOWAIT) == 0 || errno == EAGAIN);
        return done();
}

int main(void)
{
        id = semget(IPC_PRIVATE, 4, 0600);
        must(id >= 0, "semget");
        errors();
        order();
        counts();
        undo();
        control();
        CHECK("as a user", in_child(as_user) == 0);
        struct semid_ds ds;
        semctl(id, 0, IPC_STAT, (union arg){ .buf = &ds });
        ds.sem_perm.mode = 0604;
        semctl(id, 0, IPC_SET, (union arg){ .buf = &ds });
        CHECK("as a reader", in_child(as_reader) == 0);
        semctl(id, 0, IPC_RMID);
        return done();
}
