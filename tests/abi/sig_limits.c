/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: queued signals: RLIMIT_SIGPENDING for each way to send, SigQ, the order of delivery and of sigtimedwait, private before
 * shared, masks of handlers, what stays pending over fork and execve.
 */
#include "show.h"
#include <pthread.h>

static void limit(rlim_t n) { struct rlimit r = { n, n }; must(setrlimit(RLIMIT_SIGPENDING, &r) == 0, "setrlimit"); }
static void block(int how) { sigset_t s; sigfillset(&s); sigprocmask(how, &s, NULL); }
static int queue(int sig, int value) { union sigval v = { .sival_int = value }; return sigqueue(getpid(), sig, v); }
static void drain(const char *title)
{
        sigset_t s;
        siginfo_t i;
        struct timespec zero = { 0, 0 };
        char line[400];
        int n = 0, sig;

        sigfillset(&s);
        line[0] = 0;
        while ((sig = sigtimedwait(&s, &i, &zero)) > 0 && n < 350)
                n += sprintf(line + n, " %d/%d/%d/%d", sig, i.si_code, i.si_int, i.si_pid == getpid());
        say("%s:%s\n", title, line);
}
static void sigq(const char *title) { const char *p = strstr(text_of("/proc/self/status"), "SigQ:"); say("%s: %.*s\n", title, (int)strcspn(p, "\n"), p); }

static int limits(void)
{
        timer_t t;
        struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
        int n;

        become_user(4321);
        block(SIG_BLOCK);
        limit(3);
        sigq("nothing");
        for (n = 0; n < 10 && queue(SIGRTMIN, n) == 0; n++)
                ;
        say("queued %d, errno %d\n", n, errno);
        sigq("three");
        SHOW("sigqueue of a standard signal", queue(SIGUSR1, 5));
        SHOW("again", queue(SIGUSR1, 6));
        SHOW("kill", kill(getpid(), SIGUSR2));
        SHOW("kill real-time", kill(getpid(), SIGRTMIN + 1));
        SHOW("kill real-time again", kill(getpid(), SIGRTMIN + 1));
        SHOW("tgkill real-time", syscall(SYS_tgkill, getpid(), getpid(), SIGRTMIN + 2));
        SHOW("raise", raise(SIGTERM));
        SHOW("timer_create", timer_create(CLOCK_MONOTONIC, &e, &t));
        drain("what came");
        sigq("drained");
        SHOW("timer_create now", timer_create(CLOCK_MONOTONIC, &e, &t));
        sigq("a timer counts");
        for (n = 0; n < 10 && queue(SIGRTMIN, n) == 0; n++)
                ;
        say("queued with a timer %d\n", n);
        timer_delete(t);
        drain("and");
        limit(0);
        SHOW("limit 0", queue(SIGRTMIN, 1));
        SHOW("limit 0, standard", queue(SIGUSR1, 1));
        SHOW("limit 0, kill", kill(getpid(), SIGUSR1));
        drain("limit 0");
        pid_t pid = fork();
        if (pid == 0)
                _exit(3);
        sleep_ms(30);
        drain("SIGCHLD at limit 0");
        result_of(pid);
        return 0;
}

static int shared_count(void)
{
        block(SIG_BLOCK);
        become_user(4322);
        limit(4);
        queue(SIGRTMIN, 1);
        queue(SIGRTMIN, 2);
        pid_t pid = fork();
        if (pid == 0) {
                drain("a child has none pending");
                SHOW("third of the user", queue(SIGRTMIN, 1));
                SHOW("fourth", queue(SIGRTMIN, 1));
                SHOW("fifth", queue(SIGRTMIN, 1));
                _exit(0);
        }
        result_of(pid);
        drain("parent");
        queue(SIGRTMIN, 1);
        sigq("after the child");
        return 0;
}

static char order[200];
static int  len;
static void handler(int sig, siginfo_t *si, void *c)
{
        (void)c;
        len += sprintf(order + len, " %d/%d", sig, si->si_code == SI_QUEUE ? si->si_int : 0);
}
static void install(int full)
{
        struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
        if (full)
                sigfillset(&sa.sa_mask);
        for (int s = 1; s <= 64; s++)
                if (s != SIGKILL && s != SIGSTOP && (s < 32 || s >= SIGRTMIN))
                        sigaction(s, &sa, NULL);
}
static void send_many(void)
{
        static const int sigs[] = { 40, 38, 40, 39, SIGUSR2, SIGHUP, SIGTERM, 38, SIGUSR1, 64, SIGSEGV, SIGFPE, SIGCHLD, SIGALRM, SIGURG };
        for (unsigned i = 0; i < sizeof sigs / sizeof *sigs; i++)
                queue(sigs[i], (int)i + 1);
}

static int orders(void)
{
        union sigval v = { .sival_int = 100 };

        block(SIG_BLOCK);
        send_many();
        drain("sigtimedwait");
        install(1);
        send_many();
        len = 0;
        block(SIG_UNBLOCK);
        say("handlers with full masks:%s\n", order);
        block(SIG_BLOCK);
        install(0);
        send_many();
        len = 0;
        block(SIG_UNBLOCK);
        say("handlers with empty masks:%s\n", order);
        block(SIG_BLOCK);
        queue(40, 1);
        queue(SIGUSR1, 2);
        queue(50, 3);
        queue_here(45, v);
        queue_here(50, v);
        queue_here(40, v);
        queue_here(SIGUSR2, v);
        drain("private and shared");
        install(1);
        queue(40, 1);
        queue(SIGUSR1, 2);
        queue_here(45, v);
        queue_here(SIGSEGV, v);
        queue_here(SIGHUP, v);
        len = 0;
        block(SIG_UNBLOCK);
        say("private and shared to handlers:%s\n", order);
        return 0;
}

static int effects(void)
{
        sigset_t s;

        block(SIG_BLOCK);
        kill(getpid(), SIGTSTP);
        kill(getpid(), SIGTTIN);
        kill(getpid(), SIGCONT);
        drain("SIGCONT takes stops away");
        kill(getpid(), SIGCONT);
        kill(getpid(), SIGTSTP);
        drain("a stop takes SIGCONT away");
        signal(SIGUSR1, SIG_IGN);
        kill(getpid(), SIGUSR1);
        queue(SIGRTMIN, 1);
        sigpending(&s);
        say("blocked and ignored is pending %d\n", sigismember(&s, SIGUSR1));
        signal(SIGUSR1, SIG_IGN);
        sigpending(&s);
        say("ignored again it is discarded %d\n", sigismember(&s, SIGUSR1));
        kill(getpid(), SIGCHLD);
        kill(getpid(), SIGWINCH);
        sigpending(&s);
        say("ignored by default, blocked %d %d\n", sigismember(&s, SIGCHLD), sigismember(&s, SIGWINCH));
        signal(SIGCHLD, SIG_DFL);
        sigpending(&s);
        say("SIG_DFL discards %d %d\n", sigismember(&s, SIGCHLD), sigismember(&s, SIGWINCH));
        drain("left");
        kill(getpid(), SIGUSR2);
        queue(SIGRTMIN + 5, 9);
        execl("/proc/self/exe", "prog", "pending", NULL);
        return 1;
}

int main(int argc, char **argv)
{
        (void)argv;
        if (argc > 1) {
                drain("pending over execve");
                return 0;
        }
        in_child(limits);
        in_child(shared_count);
        in_child(orders);
        in_child(effects);
        CHECK("to the end", 1);
        return done();
}
