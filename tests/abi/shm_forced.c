/* SPDX-License-Identifier: Apache-2.0
 *
 * shm_forced: kernel.shm_rmid_forced: segments that nobody uses go, and which of those of a process that ends.
 */
#include "show.h"
#include <pthread.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define FORCED "/proc/sys/kernel/shm_rmid_forced"

static int id, other;

static int new(void) { return shmget(IPC_PRIVATE, PAGE, 0600); }

static const char *is(int n)
{
        struct shmid_ds ds;
        return shmctl(n, IPC_STAT, &ds) == 0 ? "is there" : errno == EINVAL ? "gone" : errno == EIDRM ? "removed" : "?";
}

static void tell(const char *name, int n) { say("%s: %s\n", name, is(n)); }

static void forced(const char *v) { must(set_text(FORCED, v) >= 0, "shm_rmid_forced"); }

static int makes(void)
{
        int *at = shmat(other, NULL, 0);
        at[0] = new();                          /* never attached */
        at[1] = new();                          /* attached at the end */
        at[2] = new();                          /* attached by the parent, too */
        at[3] = shmget(0x5eed, PAGE, IPC_CREAT | 0600);
        shmat(at[1], NULL, 0);
        at[4] = 0;
        kill(getpid(), SIGSTOP);
        return 0;
}

static void *a_thread(void *arg)
{
        (void)arg;
        id = new();
        return NULL;
}

static int in_thread(void)
{
        pthread_t t;
        pthread_create(&t, NULL, a_thread, NULL);
        pthread_join(t, NULL);
        for (int i = 0; i < 1000 && access("/proc/self/task", F_OK) == 0; i++) {
                const char *n = strstr(text_of("/proc/self/status"), "Threads:");
                if (n && atoi(n + 8) == 1)
                        break;
                sleep_ms(10);
        }
        tell("of a thread that ended", id);
        return 0;
}

static void *stays(void *arg)
{
        (void)arg;
        id = new();
        for (;;)
                pause();
        return NULL;
}

static int by_exec(void)
{
        int *at = shmat(other, NULL, 0);
        at[0] = new();
        execl("/proc/self/exe", "shm_forced", "exec", NULL);
        return 1;
}

static int all(void)
{
        OKAY("off", set_text(FORCED, "0"));
        id = new();
        other = new();
        tell("unused, off", id);
        forced("1");
        tell("unused, on", id);
        tell("the other", other);
        SHOW("attached to none", shmat(other, NULL, 0) == (void *)-1 ? -1 : 0);
        forced("0");

        other = new();
        int *at = shmat(other, NULL, 0);
        forced("1");
        tell("used, on", other);
        id = new();
        tell("new", id);
        forced("1");
        tell("set again", id);
        id = new();
        void *p = shmat(id, NULL, 0);
        tell("attached", id);
        shmdt(p);
        tell("detached", id);

        pid_t pid = fork();
        if (pid == 0)
                _exit(makes());
        int st;
        waitpid(pid, &st, WUNTRACED);
        int ids[4] = { at[0], at[1], at[2], at[3] };
        p = shmat(ids[2], NULL, 0);
        kill(pid, SIGCONT);
        result_of(pid);
        tell("of the dead, never attached", ids[0]);
        tell("attached by it", ids[1]);
        tell("attached by another", ids[2]);
        tell("with a key", ids[3]);
        tell("the parent's", other);
        shmdt(p);
        tell("and now not", ids[2]);
        tell("new, still", new());

        in_child(in_thread);
        pthread_t t;
        id = 0;
        pthread_create(&t, NULL, stays, NULL);
        while (*(volatile int *)&id == 0)
                sched_yield();
        tell("of a thread that is there", id);
        in_child(by_exec);
        tell("of who executed and ended", at[0]);

        /* Off when the process ends: what it made stays until the switch is on. */
        forced("0");
        pid = fork();
        if (pid == 0)
                _exit(makes());
        waitpid(pid, &st, WUNTRACED);
        for (int i = 0; i < 4; i++)
                ids[i] = at[i];
        kill(pid, SIGCONT);
        result_of(pid);
        tell("off: never attached", ids[0]);
        tell("off: attached by it", ids[1]);
        id = new();
        forced("1");
        tell("on: of the dead, never attached", ids[0]);
        tell("on: of the dead, attached by it", ids[1]);
        tell("on: of the living", id);
        return done();                  /* what is left goes with it */
}

int main(int argc, char **argv)
{
        if (argc > 1 && argv[1])
                return 0;
        int st = in_child(all);
        forced("0");
        CHECK("all", st == 0);
        return done();
}
