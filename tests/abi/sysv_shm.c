/* System V shared memory: getting, attaching, counting, permissions, limits. */
#include "abi.h"
#include <sys/ipc.h>
#include <sys/shm.h>

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

static struct shmid_ds ds;

static long attached(int id)
{
        return shmctl(id, IPC_STAT, &ds) < 0 ? -1 : (long)ds.shm_nattch;
}

static int sums;

static int child_detaches(void)
{
        CHECK("a child has what its parent had", attached(sums) == 4);
        return done();
}

static int user_tries(void)
{
        become_user(1000);
        FAILS("another's segment: no access", EACCES, shmget(0x5000, 100, 0600));
        FAILS("another's segment: attach", EACCES, (long)shmat(sums, NULL, 0));
        FAILS("another's segment: stat", EACCES, shmctl(sums, IPC_STAT, &ds));
        FAILS("another's segment: remove", EPERM, shmctl(sums, IPC_RMID, NULL));
        FAILS("another's segment: set", EPERM, shmctl(sums, IPC_SET, &ds));
        FAILS("another's segment: lock", EPERM, shmctl(sums, SHM_LOCK, NULL));
        FAILS("another's segment, too large: EINVAL first", EINVAL, shmget(0x5000, 100000, 0600));
        FAILS("another's segment, exclusive", EEXIST, shmget(0x5000, 100, IPC_CREAT | IPC_EXCL | 0600));
        OKAY("one's own", sums = shmget(0x5001, 100, IPC_CREAT | 0400));
        FAILS("read-only for its owner", EACCES, (long)shmat(sums, NULL, 0));
        void *p = shmat(sums, NULL, SHM_RDONLY);
        CHECK("attached read-only", p != (void *)-1);
        FAILS("not to be written", EACCES, mprotect(p, PAGE, PROT_READ | PROT_WRITE));
        FAILS("asked for more than allowed", EACCES, shmget(0x5001, 100, 0600));
        OKAY("asked for nothing", shmget(0x5001, 0, 0));
        FAILS("huge pages", EPERM, shmget(IPC_PRIVATE, 1 << 21, SHM_HUGETLB | 0600));
        OKAY("removed", shmctl(sums, IPC_RMID, NULL));
        return done();
}

static int removes_then_exits(void)
{
        OKAY("removed while attached", shmctl(sums, IPC_RMID, NULL));
        CHECK("it can still be looked at", attached(sums) == 4 && (ds.shm_perm.mode & SHM_DEST));
        CHECK("its key is gone", ds.shm_perm.__key == IPC_PRIVATE);
        FAILS("nor found by it", ENOENT, shmget(0x5000, 0, 0));
        void *p = shmat(sums, NULL, 0);
        CHECK("and attached by its id", p != (void *)-1 && attached(sums) == 5);
        return done();
}

static void map_games(void)
{
        int   id = shmget(IPC_PRIVATE, 5 * PAGE, 0600);
        char *p = shmat(id, NULL, 0), *q;

        CHECK("attached once", attached(id) == 1);
        p[0] = 'a', p[4 * PAGE] = 'b';
        OKAY("a page in the middle unmapped", munmap(p + 2 * PAGE, PAGE));
        CHECK("makes two", attached(id) == 2);
        OKAY("protected", mprotect(p, PAGE, PROT_READ));
        CHECK("makes three", attached(id) == 3);
        OKAY("and back", mprotect(p, PAGE, PROT_READ | PROT_WRITE));
        CHECK("stays three", attached(id) == 3);
        OKAY("first page unmapped", munmap(p, PAGE));
        CHECK("makes two again", attached(id) == 2);
        FAILS("detached by another address", EINVAL, shmdt(p + PAGE));
        OKAY("detached by its first address, though unmapped", shmdt(p));
        CHECK("no more", attached(id) == 0);
        p = shmat(id, NULL, 0);
        CHECK("its bytes are there", p[0] == 'a' && p[4 * PAGE] == 'b' && p[PAGE] == 0);
        FAILS("attached over itself", EINVAL, (long)shmat(id, p, 0));
        FAILS("attached over itself in part", EINVAL, (long)shmat(id, p + 2 * PAGE, 0));
        q = shmat(id, p + PAGE, SHM_REMAP);
        CHECK("or so with SHM_REMAP", q == p + PAGE && q[0] == 'a');
        CHECK("the rest of the first counts", attached(id) == 2);
        OKAY("detach the first", shmdt(p));
        CHECK("the second is left", attached(id) == 1 && q[0] == 'a');
        OKAY("detach the second", shmdt(q));
        FAILS("SHM_REMAP without an address", EINVAL, (long)shmat(id, NULL, SHM_REMAP));
        FAILS("a crooked address", EINVAL, (long)shmat(id, q + 5, 0));
        q = shmat(id, q + 5, SHM_RND);
        CHECK("rounded", q == p + PAGE);
        OKAY("read-only and executable", p = shmat(id, NULL, SHM_RDONLY | SHM_EXEC));
        CHECK("two attachments", attached(id) == 2);
        p = mremap(p, 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
        CHECK("still two", attached(id) == 2);
        OKAY("removed", shmctl(id, IPC_RMID, NULL));
        OKAY("detached one", shmdt(p));
        CHECK("one left", attached(id) == 1);
        OKAY("detached the other", shmdt(q));
        FAILS("and it is gone", EINVAL, shmctl(id, IPC_STAT, &ds));
        FAILS("attach what is gone", EINVAL, (long)shmat(id, NULL, 0));
        FAILS("nothing there to detach", EINVAL, shmdt(q));
        FAILS("detach a crooked address", EINVAL, shmdt(q + 1));
}

static int read_only_writes(void)
{
        volatile char *p = shmat(sums, NULL, SHM_RDONLY);
        *p = 1;
        return 0;
}

int main(void)
{
        long max = atol(text_of("/proc/sys/kernel/shmmni"));

        FAILS("no such key", ENOENT, shmget(0x5000, 100, 0600));
        FAILS("no size", EINVAL, shmget(0x5000, 0, IPC_CREAT | 0600));
        FAILS("a size beyond all", EINVAL, shmget(0x5000, -1UL, IPC_CREAT | 0600));
        FAILS("huge pages", ENOMEM, shmget(IPC_PRIVATE, 1 << 21, SHM_HUGETLB | 0600));
        OKAY("made", sums = shmget(0x5000, 100, IPC_CREAT | 0640));
        CHECK("found again", shmget(0x5000, 100, 0) == sums && shmget(0x5000, 0, IPC_CREAT) == sums);
        FAILS("exclusive", EEXIST, shmget(0x5000, 100, IPC_CREAT | IPC_EXCL));
        FAILS("too large for what is there", EINVAL, shmget(0x5000, 101, 0));
        OKAY("stat", shmctl(sums, IPC_STAT, &ds));
        CHECK("what stat says", ds.shm_segsz == 100 && ds.shm_nattch == 0 && ds.shm_cpid == getpid() && ds.shm_lpid == 0 &&
              ds.shm_perm.mode == 0640 && ds.shm_perm.__key == 0x5000 && ds.shm_atime == 0 && ds.shm_dtime == 0 &&
              ds.shm_ctime != 0);
        char *p = shmat(sums, NULL, 0), *q = shmat(sums, NULL, 0);
        CHECK("attached twice", p != q && attached(sums) == 2 && ds.shm_lpid == getpid() && ds.shm_atime != 0);
        p[3] = 77;
        CHECK("the same memory", q[3] == 77);
        CHECK("child", in_child(child_detaches) == 0);
        CHECK("its exit detached", attached(sums) == 2 && ds.shm_lpid != getpid() && ds.shm_dtime != 0);
        CHECK("maps name it", strstr(text_of("/proc/self/maps"), "/SYSV00005000 (deleted)") != NULL);
        CHECK("read-only memory", in_child(read_only_writes) == KILLED(SIGSEGV));
        ds.shm_perm.mode = 0600;
        OKAY("set", shmctl(sums, IPC_SET, &ds));
        CHECK("user", in_child(user_tries) == 0);
        ds.shm_perm.uid = -1;
        FAILS("set to no user", EINVAL, shmctl(sums, IPC_SET, &ds));
        FAILS("set from nowhere", EFAULT, shmctl(sums, IPC_SET, BAD_PTR));
        FAILS("stat to nowhere", EFAULT, shmctl(sums, IPC_STAT, BAD_PTR));
        OKAY("locked", shmctl(sums, SHM_LOCK, NULL));
        CHECK("says so", attached(sums) == 2 && (ds.shm_perm.mode & SHM_LOCKED));
        OKAY("unlocked", shmctl(sums, SHM_UNLOCK, NULL));
        CHECK("says so, too", attached(sums) == 2 && ds.shm_perm.mode == 0600);
        OKAY("detach one", shmdt(q));
        OKAY("attach again", q = shmat(sums, NULL, 0));
        CHECK("removal", in_child(removes_then_exits) == 0);
        shmdt(p), shmdt(q);
        FAILS("gone with the last", EINVAL, shmctl(sums, IPC_STAT, &ds));
        map_games();

        struct shminfo info;
        struct shm_info usage;
        CHECK("IPC_INFO", shmctl(0, IPC_INFO, (void *)&info) >= 0 && info.shmmin == 1 && info.shmmni == 4096 &&
              info.shmseg == 4096 && info.shmmax == info.shmall && info.shmall == -1UL - (1UL << 24));
        int a = shmget(IPC_PRIVATE, 3 * PAGE, 0600);
        p = shmat(a, NULL, 0);
        p[0] = p[PAGE] = 1;
        int top = shmctl(0, SHM_INFO, (void *)&usage);
        CHECK("SHM_INFO", top >= 0 && usage.used_ids == 1 && usage.shm_tot == 3 && usage.shm_rss == 2);
        CHECK("SHM_STAT", shmctl(top, SHM_STAT, &ds) == a && ds.shm_segsz == 3 * PAGE);
        CHECK("SHM_STAT_ANY", shmctl(top, SHM_STAT_ANY, &ds) == a);
        FAILS("no such index", EINVAL, shmctl(top + 1, SHM_STAT, &ds));
        FAILS("no such command", EINVAL, shmctl(a, 99, &ds));
        FAILS("a negative id", EINVAL, shmctl(-1, IPC_STAT, &ds));
        FAILS("a negative id to attach", EINVAL, (long)shmat(-1, NULL, 0));
        FAILS("an id of another age", EINVAL, shmctl(a + 32768, IPC_STAT, &ds));
        shmdt(p);
        shmctl(a, IPC_RMID, NULL);
        FAILS("twice removed", EINVAL, shmctl(a, IPC_RMID, NULL));

        set_text("/proc/sys/kernel/shmmax", "8192\n");
        FAILS("beyond shmmax", EINVAL, shmget(IPC_PRIVATE, 8193, 0600));
        OKAY("at shmmax", a = shmget(IPC_PRIVATE, 8192, 0600));
        set_text("/proc/sys/kernel/shmall", "3\n");
        FAILS("beyond shmall", ENOSPC, shmget(IPC_PRIVATE, 8192, 0600));
        set_text("/proc/sys/kernel/shmmni", "1\n");
        FAILS("beyond shmmni", ENOSPC, shmget(IPC_PRIVATE, 10, 0600));
        CHECK("shmmni reads back", atol(text_of("/proc/sys/kernel/shmmni")) == 1 && max == 4096);
        set_text("/proc/sys/kernel/shmmni", "4096\n");
        set_text("/proc/sys/kernel/shmall", "18446744073692774399\n");
        set_text("/proc/sys/kernel/shmmax", "18446744073692774399\n");
        shmctl(a, IPC_RMID, NULL);

        a = shmget(IPC_PRIVATE, 4 * PAGE, 0600);
        p = shmat(a, NULL, 0);
        memset(p, 'a', 4 * PAGE);
        OKAY("MADV_REMOVE", madvise(p, 2 * PAGE, MADV_REMOVE));
        CHECK("zeros, and the rest stays", p[PAGE] == 0 && p[2 * PAGE] == 'a');
        OKAY("msync", msync(p, 4 * PAGE, MS_SYNC));
        shmdt(p);
        p = shmat(a, NULL, SHM_RDONLY);
        FAILS("MADV_REMOVE of what is only read", EACCES, madvise(p, PAGE, MADV_REMOVE));
        shmdt(p);
        shmctl(a, IPC_RMID, NULL);

        /* Forks, detaches and removals at once. */
        int bad = 0;
        for (int i = 0; i < 40; i++) {
                a = shmget(IPC_PRIVATE, PAGE, 0600);
                p = shmat(a, NULL, 0);
                pid_t kids[4];
                for (int k = 0; k < 4; k++)
                        if ((kids[k] = fork()) == 0) {
                                p[k] = k + 1;
                                if (k & 1)
                                        shmdt(p);
                                _exit(0);
                        }
                shmctl(a, IPC_RMID, NULL);
                for (int k = 0; k < 4; k++)
                        bad += result_of(kids[k]) != 0;
                bad += p[0] != 1 || p[3] != 4 || attached(a) != 1;
                shmdt(p);
                bad += attached(a) != -1;
        }
        CHECK("forks and removals", bad == 0);
        return done();
}
