/* kernel.{shm,msg,sem}_next_id, shm_rmid_forced, and the limits in /proc/sys/kernel. */
#include "abi.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static int make(int kind)
{
        return kind == 0 ? shmget(IPC_PRIVATE, 4096, 0600) : kind == 1 ? msgget(IPC_PRIVATE, 0600) : semget(IPC_PRIVATE, 1, 0600);
}
static void end(int kind, int id)
{
        if (kind == 0)
                shmctl(id, IPC_RMID, NULL);
        else if (kind == 1)
                msgctl(id, IPC_RMID, NULL);
        else
                semctl(id, 0, IPC_RMID);
}

static int kind;
static const char *const names[] = { "shm", "msg", "sem" };
static char path[64];

static int as_user(void)
{
        become_user(1000);
        FAILS("root's to set", EACCES, set_text(path, "5"));
        CHECK("all read it", !strcmp(text_of(path), "-1\n"));
        return done();
}

static void next_id(void)
{
        snprintf(path, sizeof path, "/proc/sys/kernel/%s_next_id", names[kind]);
        say("%s\n", names[kind]);
        CHECK("none at first", !strcmp(text_of(path), "-1\n"));
        OKAY("set", set_text(path, "1000"));
        CHECK("it shows", !strcmp(text_of(path), "1000\n"));
        int a = make(kind);
        CHECK("the next has it", a == 1000);
        CHECK("once", !strcmp(text_of(path), "-1\n"));
        int b = make(kind);
        CHECK("another is another", b >= 0 && b != 1000);
        OKAY("in use", set_text(path, "1000"));
        int c = make(kind);
        CHECK("another index", c >= 0 && c != 1000 && c / 32768 == 1000 / 32768);
        CHECK("asked once all the same", !strcmp(text_of(path), "-1\n"));
        end(kind, a);
        set_text(path, "118305");
        a = make(kind);
        CHECK("a sequence number", a == 118305);
        end(kind, a), end(kind, b), end(kind, c);
        OKAY("0", set_text(path, "0"));
        a = make(kind);
        CHECK("is an id", a == 0);
        end(kind, a);
        OKAY("the highest", set_text(path, "2147483647"));
        a = make(kind);
        CHECK("is one", a == 2147483647 || a >= 0);
        end(kind, a);
        FAILS("too high", EINVAL, set_text(path, "2147483648"));
        FAILS("negative", EINVAL, set_text(path, "-5"));
        FAILS("no number", EINVAL, set_text(path, "x"));
        FAILS("-1 cannot be said", EINVAL, set_text(path, "-1"));
        CHECK("as a user", in_child(as_user) == 0);
}

static void rmid_forced(void)
{
        struct shmid_ds d;

        CHECK("off", !strcmp(text_of("/proc/sys/kernel/shm_rmid_forced"), "0\n"));
        int used = shmget(IPC_PRIVATE, 4096, 0600), unused = shmget(IPC_PRIVATE, 4096, 0600);
        void *at = shmat(used, NULL, 0);
        must(at != (void *)-1, "shmat");
        OKAY("on", set_text("/proc/sys/kernel/shm_rmid_forced", "1"));
        CHECK("the attached one stays", shmctl(used, IPC_STAT, &d) == 0);
        CHECK("one whose maker lives stays", shmctl(unused, IPC_STAT, &d) == 0);
        OKAY("detach", shmdt(at));
        CHECK("then it goes", shmctl(used, IPC_STAT, &d) == -1 && errno == EINVAL);
        OKAY("off again", set_text("/proc/sys/kernel/shm_rmid_forced", "0"));
        FAILS("0 or 1", EINVAL, set_text("/proc/sys/kernel/shm_rmid_forced", "2"));
        shmctl(unused, IPC_RMID, NULL);
}

static void limit(const char *name, const char *value, const char *restored)
{
        char file[64], line[96];

        snprintf(file, sizeof file, "/proc/sys/kernel/%s", name);
        snprintf(line, sizeof line, "%s set", name);
        OKAY(line, set_text(file, value));
        snprintf(line, sizeof line, "%s shows", name);
        char want[64];
        snprintf(want, sizeof want, "%s\n", value);
        CHECK(line, !strcmp(text_of(file), want));
        snprintf(line, sizeof line, "%s back", name);
        OKAY(line, set_text(file, restored));
}

static void limits(void)
{
        int m, s;
        struct { long type; char text[64]; } msg = { 1, "" };
        struct sembuf ops[3] = { { 0, 1, 0 }, { 0, 1, 0 }, { 0, 1, 0 } };

        limit("msgmax", "1000", "8192");
        limit("msgmnb", "2000", "16384");
        limit("msgmni", "7", "32000");
        limit("shmmax", "8192", "18446744073692774399");
        limit("shmall", "100", "18446744073692774399");
        limit("shmmni", "5", "4096");
        limit("sem", "10\t20\t3\t4", "32000\t1024000000\t500\t32000");
        set_text("/proc/sys/kernel/msgmax", "32");
        m = msgget(IPC_PRIVATE, 0600);
        FAILS("msgmax holds", EINVAL, msgsnd(m, &msg, 33, 0));
        OKAY("up to it", msgsnd(m, &msg, 32, 0));
        set_text("/proc/sys/kernel/msgmax", "8192");
        msgctl(m, IPC_RMID, NULL);
        set_text("/proc/sys/kernel/sem", "2\t1024000000\t2\t32000");
        FAILS("semmsl holds", EINVAL, semget(IPC_PRIVATE, 3, 0600));
        s = semget(IPC_PRIVATE, 2, 0600);
        OKAY("up to semmsl", s);
        FAILS("semopm holds", E2BIG, semop(s, ops, 3));
        OKAY("up to semopm", semop(s, ops, 2));
        set_text("/proc/sys/kernel/sem", "32000\t1024000000\t500\t32000");
        semctl(s, 0, IPC_RMID);
        set_text("/proc/sys/kernel/shmmax", "4096");
        FAILS("shmmax holds", EINVAL, shmget(IPC_PRIVATE, 4097, 0600));
        set_text("/proc/sys/kernel/shmmax", "18446744073692774399");
        FAILS("negative", EINVAL, set_text("/proc/sys/kernel/msgmnb", "-1"));
        FAILS("no number", EINVAL, set_text("/proc/sys/kernel/msgmni", "many"));
        FAILS("too many ids", EINVAL, set_text("/proc/sys/kernel/msgmni", "32769"));
        FAILS("too many segments", EINVAL, set_text("/proc/sys/kernel/shmmni", "32769"));
}

int main(void)
{
        for (kind = 0; kind < 3; kind++)
                next_id();
        struct shm_info was = { 0 }, now = { 0 };
        int s;

        shmctl(0, SHM_INFO, (void *)&was);
        set_text("/proc/sys/kernel/shm_next_id", "32767");
        s = shmget(IPC_PRIVATE, PAGE, 0600);
        CHECK("the last index", s == 32767);
        set_text("/proc/sys/kernel/shm_next_id", "32767");
        FAILS("there is none behind it", ENOSPC, shmget(IPC_PRIVATE, PAGE, 0600));
        shmctl(s, IPC_RMID, NULL);
        shmctl(0, SHM_INFO, (void *)&now);
        CHECK("nothing of it is counted", was.shm_tot == now.shm_tot && was.used_ids == now.used_ids);
        rmid_forced();
        limits();
        return done();
}
