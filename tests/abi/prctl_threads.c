/* prctl(2): what is a thread's own, what is its process's, and what a child of either begins with. */
#include "seccomp.h"
#include <pthread.h>
#include <linux/securebits.h>

#define GET(op, ...) ((int)syscall(SYS_prctl, op, ##__VA_ARGS__, 0, 0, 0, 0))

static int by_address(int op)
{
        int v = -1;
        syscall(SYS_prctl, op, &v, 0, 0, 0);
        return v;
}

static int get_pdeathsig(void)   { return by_address(PR_GET_PDEATHSIG); }
static int get_subreaper(void)   { return by_address(PR_GET_CHILD_SUBREAPER); }
static int get_dumpable(void)    { return GET(PR_GET_DUMPABLE); }
static int get_keepcaps(void)    { return GET(PR_GET_KEEPCAPS); }
static int get_securebits(void)  { return GET(PR_GET_SECUREBITS); }
static int get_slack(void)       { return GET(PR_GET_TIMERSLACK); }
static int get_mce(void)         { return GET(PR_MCE_KILL_GET); }
static int get_nnp(void)         { return GET(PR_GET_NO_NEW_PRIVS); }
static int get_thp(void)         { return GET(PR_GET_THP_DISABLE); }
static int get_flusher(void)     { return GET(PR_GET_IO_FLUSHER); }
static int get_bound(void)       { return GET(PR_CAPBSET_READ, 5); }
static int get_persona(void)     { return (int)syscall(SYS_personality, 0xffffffffu) & 0x0040000; }

static const struct setting {
        const char *name;
        int (*get)(void);
        int  call;
        long a[5];
} settings[] = {
        { "PDEATHSIG", get_pdeathsig, SYS_prctl, { PR_SET_PDEATHSIG, 23 } },
        { "CHILD_SUBREAPER", get_subreaper, SYS_prctl, { PR_SET_CHILD_SUBREAPER, 1 } },
        { "DUMPABLE", get_dumpable, SYS_prctl, { PR_SET_DUMPABLE, 0 } },
        { "KEEPCAPS", get_keepcaps, SYS_prctl, { PR_SET_KEEPCAPS, 1 } },
        { "SECUREBITS", get_securebits, SYS_prctl, { PR_SET_SECUREBITS, SECBIT_NO_CAP_AMBIENT_RAISE } },
        { "TIMERSLACK", get_slack, SYS_prctl, { PR_SET_TIMERSLACK, 77777 } },
        { "MCE_KILL", get_mce, SYS_prctl, { PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY } },
        { "THP_DISABLE", get_thp, SYS_prctl, { PR_SET_THP_DISABLE, 1 } },
        { "IO_FLUSHER", get_flusher, SYS_prctl, { PR_SET_IO_FLUSHER, 1 } },
        { "CAPBSET_DROP", get_bound, SYS_prctl, { PR_CAPBSET_DROP, 5 } },
        { "personality", get_persona, SYS_personality, { 0x0040000 } },
        { "NO_NEW_PRIVS", get_nnp, SYS_prctl, { PR_SET_NO_NEW_PRIVS, 1 } },
};

static const struct setting *now;
static pthread_barrier_t     meet;

static void *beside(void *at)
{
        pthread_barrier_wait(&meet);
        pthread_barrier_wait(&meet);
        *(int *)at = now->get();
        return NULL;
}

static void *born(void *at)
{
        *(int *)at = now->get();
        return NULL;
}

static int of_child(void)
{
        pid_t pid = fork();
        if (pid == 0)
                _exit(now->get() & 0xff);
        int st = 0;
        waitpid(pid, &st, 0);
        return WEXITSTATUS(st);
}

/* A thread sets it: what do the first, one that was there, one that it makes, and children of both see? */
static void *setter(void *unused)
{
        pthread_t t;
        int       v = -1;

        (void)unused;
        pthread_barrier_wait(&meet);
        long r = syscall(now->call, now->a[0], now->a[1], now->a[2], now->a[3], now->a[4]);
        say("%s: set %ld", now->name, now->call == SYS_personality ? 0 : r);
        pthread_create(&t, NULL, born, &v);
        pthread_join(t, NULL);
        say("; itself %d, its thread %d, its child %d", now->get(), v, of_child());
        pthread_barrier_wait(&meet);
        return NULL;
}

/* SECCOMP_FILTER_FLAG_TSYNC gives it to the others. */
static void *synchronizes(void *unused)
{
        (void)unused;
        pthread_barrier_wait(&meet);
        no_new_privs();
        OKAY("filter for all", INSTALL(SECCOMP_FILTER_FLAG_TSYNC, ALLOW));
        pthread_barrier_wait(&meet);
        return NULL;
}

static int synchronized_all(void)
{
        pthread_t t[2];
        int       v = -1;

        now = &settings[sizeof settings / sizeof *settings - 1];
        pthread_barrier_init(&meet, NULL, 3);
        pthread_create(&t[0], NULL, beside, &v);
        pthread_create(&t[1], NULL, synchronizes, NULL);
        pthread_barrier_wait(&meet);
        pthread_barrier_wait(&meet);
        pthread_join(t[0], NULL);
        pthread_join(t[1], NULL);
        CHECK("NO_NEW_PRIVS comes with SECCOMP_FILTER_FLAG_TSYNC", v == 1 && now->get() == 1);
        return done();
}

/* Each thread of a child has a signal of its own when the parent ends. */
static volatile sig_atomic_t came[65];
static void count(int sig) { came[sig]++; }

static void *asks_for_usr2(void *unused)
{
        (void)unused;
        prctl(PR_SET_PDEATHSIG, SIGUSR2);
        pthread_barrier_wait(&meet);
        for (;;)
                pause();
        return NULL;
}

static void orphan(int ready, int out)
{
        pthread_t t;
        pid_t     parent = getppid();

        signal(SIGUSR1, count);
        signal(SIGUSR2, count);
        pthread_barrier_init(&meet, NULL, 2);
        pthread_create(&t, NULL, asks_for_usr2, NULL);
        pthread_barrier_wait(&meet);
        prctl(PR_SET_PDEATHSIG, SIGUSR1);
        write(ready, "r", 1);
        while (getppid() == parent)
                sleep_ms(1);
        AWAIT(came[SIGUSR1] && came[SIGUSR2]);
        dprintf(out, "an orphan of two threads: SIGUSR1 %d, SIGUSR2 %d\n", came[SIGUSR1], came[SIGUSR2]);
        _exit(0);
}

static void orphaned(void)
{
        int  ready[2], out[2];
        char text[200];

        must(pipe(ready) == 0 && pipe(out) == 0, "pipe");
        pid_t pid = fork();
        if (pid == 0) {
                if (fork() == 0)
                        orphan(ready[1], out[1]);
                read(ready[0], text, 1);
                _exit(0);
        }
        close(out[1]);
        waitpid(pid, NULL, 0);
        ssize_t n, got = 0;
        while ((n = read(out[0], text + got, sizeof text - got)) > 0)
                got += n;
        say("%.*s", (int)got, text);
}

int main(void)
{
        for (unsigned i = 0; i < sizeof settings / sizeof *settings; i++) {
                now = &settings[i];
                pid_t pid = fork();             /* each in a process of its own */
                if (pid == 0) {
                        pthread_t t[2];
                        int       v = -1;
                        say("%s: at first %d\n", now->name, now->get());
                        pthread_barrier_init(&meet, NULL, 3);
                        pthread_create(&t[0], NULL, beside, &v);
                        pthread_create(&t[1], NULL, setter, NULL);
                        pthread_barrier_wait(&meet);
                        pthread_barrier_wait(&meet);
                        pthread_join(t[0], NULL);
                        pthread_join(t[1], NULL);
                        say("; the first %d, one beside %d, the first's child %d\n", now->get(), v, of_child());
                        _exit(0);
                }
                CHECK(now->name, result_of(pid) == 0);
        }
        CHECK("all", in_child(synchronized_all) == 0);
        orphaned();
        return done();
}
