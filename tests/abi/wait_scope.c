/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: whose children wait finds: __WNOTHREAD, __WCLONE, __WALL, groups, pidfds, other exit signals, CLONE_PARENT, children of
 * threads that ended, subreapers and init, zombies whose leader has ended, exec by a thread, vfork and signals.
 */
#include "show.h"
#include <pthread.h>
#include <sys/prctl.h>

#ifndef __WALL
#define __WALL 0x40000000
#endif
#define NOTHREAD 0x20000000
#define WCLONE_   0x80000000u

static pid_t spawn(int sig, int status)
{
        pid_t pid = (pid_t)syscall(SYS_clone, sig, 0, 0, 0, 0);
        if (pid == 0) {
                sleep_ms(1);
                _exit(status);
        }
        return pid;
}
static int ended(pid_t pid) { return state_becomes(pid, 'Z'); }
static long w4(pid_t pid, unsigned options)
{
        int st = 0;
        long r = syscall(SYS_wait4, pid, &st, options, NULL);
        return r < 0 ? -1 : r == 0 ? 0 : WIFEXITED(st) ? 100 + WEXITSTATUS(st) : 1000 + WTERMSIG(st);
}
static long wid(int which, pid_t id, unsigned options)
{
        siginfo_t i = { 0 };
        long r = syscall(SYS_waitid, which, id, &i, options, NULL);
        return r < 0 ? -1 : i.si_pid == 0 ? 0 : i.si_code * 1000 + i.si_status;
}

static int options(void)
{
        pid_t pid;
        static const unsigned all[] = { 0, __WALL, WCLONE_, NOTHREAD, __WALL | WCLONE_, __WALL | NOTHREAD };

        SHOW("wait4: nobody", w4(-1, WNOHANG));
        SHOW("wait4: unknown option", w4(-1, 0x100));
        SHOW("wait4: WEXITED", w4(-1, WEXITED));
        SHOW("wait4: WNOWAIT", w4(-1, WNOWAIT));
        SHOW("waitid: no event", wid(P_ALL, 0, WNOHANG));
        SHOW("waitid: unknown option", wid(P_ALL, 0, WEXITED | 0x100));
        SHOW("waitid: unknown kind", wid(9, 0, WEXITED));
        SHOW("waitid: P_PID 0", wid(P_PID, 0, WEXITED));
        SHOW("waitid: P_PID -1", wid(P_PID, -1, WEXITED));
        SHOW("waitid: P_PGID -1", wid(P_PGID, -1, WEXITED));
        SHOW("waitid: P_PGID 0", wid(P_PGID, 0, WEXITED));
        SHOW("waitid: P_PIDFD -1", wid(3, -1, WEXITED));
        SHOW("waitid: P_PIDFD of a file", wid(3, 0, WEXITED));
        SHOW("wait4: the least pid", w4((pid_t)0x80000000, 0));
        const int sigs[] = { SIGCHLD, 0, SIGUSR1, SIGRTMIN };
        signal(SIGUSR1, SIG_IGN);
        signal(SIGRTMIN, SIG_IGN);
        for (unsigned s = 0; s < 4; s++)
                for (unsigned o = 0; o < sizeof all / sizeof *all; o++) {
                        char title[64];
                        pid = spawn(sigs[s], 5);
                        ended(pid);
                        snprintf(title, sizeof title, "exit signal %d, options %x", sigs[s], all[o]);
                        SHOW(title, w4(pid, all[o] | WNOHANG));
                        w4(pid, __WALL);
                        pid = spawn(sigs[s], 5);
                        ended(pid);
                        snprintf(title, sizeof title, "  waitid %d, options %x", sigs[s], all[o]);
                        SHOW(title, wid(P_PID, pid, WEXITED | all[o] | WNOHANG));
                        w4(pid, __WALL);
                }
        pid = spawn(SIGCHLD, 6);
        SHOW("WNOWAIT", wid(P_PID, pid, WEXITED | WNOWAIT));
        SHOW("again", wid(P_PID, pid, WEXITED | WNOWAIT));
        SHOW("only stops asked for", wid(P_PID, pid, WSTOPPED | WNOHANG));
        SHOW("only continuations", wid(P_PID, pid, WCONTINUED | WNOHANG));
        SHOW("at last", wid(P_PID, pid, WEXITED));
        SHOW("gone", wid(P_PID, pid, WEXITED));
        return 0;
}

static int groups(void)
{
        pid_t a = fork(), b;
        if (a == 0) {
                setpgid(0, 0);
                pause();
        }
        setpgid(a, a);
        b = fork();
        if (b == 0) {
                pause();
        }
        setpgid(b, a);
        SHOW("own group: nobody", w4(0, WNOHANG));
        SHOW("that group", w4(-a, WNOHANG));
        SHOW("P_PGID 0", wid(P_PGID, 0, WEXITED | WNOHANG));
        SHOW("P_PGID", wid(P_PGID, a, WEXITED | WNOHANG));
        kill(a, SIGKILL);
        SHOW("the leader", w4(-a, 0));
        SHOW("the other is left", w4(-a, WNOHANG));
        kill(b, SIGTERM);
        SHOW("the other", wid(P_PGID, a, WEXITED));
        SHOW("none is left", w4(-a, 0));
        return 0;
}

static pid_t of_thread;
static int p[2];
static void *makes_child(void *arg)
{
        of_thread = fork();
        if (of_thread == 0) {
                char c;
                read(p[0], &c, 1);
                _exit(8);
        }
        if (arg) {
                SHOW("its own, NOTHREAD", w4(of_thread, NOTHREAD | WNOHANG));
                write(p[1], "x", 1);
                SHOW("its own ends, NOTHREAD", w4(of_thread, NOTHREAD));
        }
        return NULL;
}

static int threads(void)
{
        pthread_t t;

        pipe(p);
        pthread_create(&t, NULL, makes_child, (void *)1);
        pthread_join(t, NULL);
        pthread_create(&t, NULL, makes_child, NULL);
        pthread_join(t, NULL);
        /* The thread is gone: its child is another thread's of the process. */
        must(AWAIT(strstr(text_of("/proc/self/status"), "Threads:\t1\n")), "the thread is gone");
        SHOW("of a thread that ended, NOTHREAD", w4(of_thread, NOTHREAD | WNOHANG));
        write(p[1], "x", 1);
        SHOW("any thread may wait", w4(of_thread, 0));
        return 0;
}

static void *other_thread(void *arg)
{
        SHOW("another thread's child, NOTHREAD", w4(of_thread, NOTHREAD | WNOHANG));
        SHOW("-1, NOTHREAD", w4(-1, NOTHREAD | WNOHANG));
        SHOW("another thread's child", w4(of_thread, WNOHANG));
        return arg;
}
static int threads_two(void)
{
        pthread_t t;
        of_thread = fork();
        if (of_thread == 0)
                pause();
        pthread_create(&t, NULL, other_thread, NULL);
        pthread_join(t, NULL);
        kill(of_thread, SIGKILL);
        return (int)w4(of_thread, 0) ? 0 : 1;
}

static int hold[2];             /* a byte lets go on */
static void held(void) { char c; read(hold[0], &c, 1); }
static void let_go(void) { write(hold[1], "x", 1); }
static void *outlives(void *arg) { held(); _exit((int)(long)arg); }
static void *ends_alone(void *arg) { held(); syscall(SYS_exit, 77); return arg; }
static int leaders(void)
{
        pipe(hold);
        pid_t pid = fork();
        if (pid == 0) {
                pthread_t t;
                pthread_create(&t, NULL, outlives, (void *)33);
                syscall(SYS_exit, 11);
        }
        CHECK("a leader that ended is a zombie", ended(pid));
        SHOW("but not for wait", w4(pid, WNOHANG));
        SHOW("kill finds it", kill(pid, 0));
        let_go();
        SHOW("until the last thread ends", w4(pid, 0));
        pid = fork();
        if (pid == 0) {
                pthread_t t;
                pthread_create(&t, NULL, ends_alone, NULL);
                syscall(SYS_exit, 12);
        }
        ended(pid);
        let_go();
        SHOW("each thread by itself", w4(pid, 0));
        pid = fork();
        if (pid == 0) {
                pthread_t t;
                pthread_create(&t, NULL, outlives, (void *)1);
                syscall(SYS_exit, 12);
        }
        ended(pid);
        SHOW("stop it", kill(pid, SIGSTOP));
        SHOW("it is told", wid(P_PID, pid, WSTOPPED));
        kill(pid, SIGKILL);
        SHOW("killed", w4(pid, 0));
        return 0;
}

static pid_t leader_pid;
static char program[200];       /* /proc/self/exe is none when the leader has ended */
static void *execs(void *arg)
{
        char pid[20];
        snprintf(pid, sizeof pid, "%d", leader_pid);
        state_becomes(leader_pid, arg ? 'Z' : 'S');
        execl(program, "prog", "pid", pid, NULL);
        _exit(99);
}
static int thread_exec(void)
{
        pid_t pid = fork();
        if (pid == 0) {
                pthread_t t;
                leader_pid = getpid();
                pthread_create(&t, NULL, execs, NULL);
                pause();
        }
        SHOW("a thread executes: the number stays", w4(pid, 0));
        pid = fork();
        if (pid == 0) {
                pthread_t t;
                leader_pid = getpid();
                pthread_create(&t, NULL, execs, (void *)1);
                syscall(SYS_exit, 3);
        }
        SHOW("after the leader ended", w4(pid, 0));
        return 0;
}

static void line(int fd, const char *s) { write(fd, s, strlen(s)); }
static int reapers(void)
{
        int q[2], n;
        char who[100] = { 0 };

        pipe(q);
        SHOW("set", prctl(PR_SET_CHILD_SUBREAPER, 1));
        prctl(PR_GET_CHILD_SUBREAPER, &n);
        SHOW("get", n);
        pid_t me = getpid(), pid = fork();
        if (pid == 0) {
                prctl(PR_GET_CHILD_SUBREAPER, &n);
                line(q[1], n ? "inherited " : "not inherited ");
                pid_t mother = getpid();
                if (fork() == 0) {
                        AWAIT(getppid() != mother);
                        line(q[1], getppid() == me ? "reaper " : getppid() == 1 ? "init " : "other ");
                        _exit(21);
                }
                _exit(20);
        }
        SHOW("the child", w4(pid, 0));
        SHOW("the grandchild", w4(-1, 0));
        SHOW("nobody else", w4(-1, 0));
        close(q[1]);
        read(q[0], who, sizeof who - 1);
        say("%s\n", who);
        /* The nearest one. */
        pipe(q);
        pid = fork();
        if (pid == 0) {
                prctl(PR_SET_CHILD_SUBREAPER, 1);
                pid_t mid = getpid(), c = fork();
                if (c == 0) {
                        pid_t mother = getpid();
                        if (fork() == 0) {
                                AWAIT(getppid() != mother);
                                line(q[1], getppid() == mid ? "nearest" : "other");
                                _exit(22);
                        }
                        _exit(0);
                }
                w4(c, 0);
                _exit((int)w4(-1, 0) - 100);
        }
        SHOW("its status came to", w4(pid, 0));
        memset(who, 0, sizeof who);
        read(q[0], who, sizeof who - 1);
        say("%s\n", who);
        /* A zombie is inherited, too. */
        pid = fork();
        if (pid == 0) {
                pid_t c = fork();
                if (c == 0)
                        _exit(44);
                ended(c);
                _exit(1);
        }
        SHOW("a child with a zombie", w4(pid, 0));
        SHOW("its zombie", w4(-1, 0));
        /* With another exit signal it becomes an ordinary child. */
        pid = fork();
        if (pid == 0) {
                spawn(0, 45);
                _exit(1);
        }
        SHOW("child", w4(pid, 0));
        SHOW("a clone child is inherited as an ordinary one", w4(-1, 0));
        signal(SIGCHLD, SIG_IGN);
        pid = fork();
        if (pid == 0)
                _exit(1);
        SHOW("ignored SIGCHLD", w4(pid, 0));
        signal(SIGCHLD, SIG_DFL);
        SHOW("off", prctl(PR_SET_CHILD_SUBREAPER, 0));
        return 0;
}

static int siblings(void)
{
        int q[2];
        pid_t made = 0;
        pipe(q);
        pid_t pid = fork();
        if (pid == 0) {
                pid_t s = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
                if (s == 0)
                        _exit(31);
                write(q[1], &s, sizeof s);
                _exit((int)(w4(s, WNOHANG) < 0 && errno == ECHILD ? 32 : 1));
        }
        read(q[0], &made, sizeof made);
        SHOW("the maker", w4(pid, 0));
        SHOW("its sibling is our child", w4(made, 0));
        return 0;
}

static volatile int hits;
static void hit(int sig) { (void)sig; hits++; }
static int vforks(void)
{
        static volatile int last;
        pid_t me = getpid(), k;

        pipe(hold);
        on(SIGUSR1, hit, 0);
        k = fork();
        if (k == 0) {
                state_becomes(me, 'D');
                kill(me, SIGUSR1);
                let_go();
                _exit(0);
        }
        pid_t pid = vfork();
        if (pid == 0) {
                struct timespec t = { 0, 100000000 };
                held();
                syscall(SYS_nanosleep, &t, NULL);
                last = 1;
                _exit(hits);
        }
        CHECK("vfork is not interrupted", last == 1);
        SHOW("the handler ran after", hits);
        SHOW("the child saw", w4(pid, 0));
        w4(k, 0);
        /* A killed parent does not wait for its child. */
        pipe(hold);
        pid = fork();
        if (pid == 0) {
                pid_t c = vfork();
                if (c == 0) {
                        held();
                        _exit(0);
                }
                _exit(1);
        }
        state_becomes(pid, 'D');
        kill(pid, SIGKILL);
        SHOW("killed", w4(pid, 0));
        let_go();
        /* The parent of vfork does not stop meanwhile, but afterwards. */
        pipe(hold);
        pid = fork();
        if (pid == 0) {
                pid_t c = vfork();
                if (c == 0) {
                        held();
                        _exit(0);
                }
                _exit(7);
        }
        state_becomes(pid, 'D');
        kill(pid, SIGSTOP);
        sleep_ms(30);
        SHOW("stopped meanwhile", wid(P_PID, pid, WSTOPPED | WNOHANG));
        let_go();
        SHOW("stopped after", wid(P_PID, pid, WSTOPPED));
        kill(pid, SIGCONT);
        SHOW("ends", w4(pid, 0));
        return 0;
}

int main(int argc, char **argv)
{
        if (argc > 2)
                return getpid() == atoi(argv[2]) && syscall(SYS_gettid) == getpid() ? 55 : 56;
        must(readlink("/proc/self/exe", program, sizeof program - 1) > 0, "exe");
        in_child(options);
        in_child(groups);
        in_child(threads);
        in_child(threads_two);
        in_child(leaders);
        in_child(thread_exec);
        in_child(reapers);
        in_child(siblings);
        in_child(vforks);
        return done();
}
