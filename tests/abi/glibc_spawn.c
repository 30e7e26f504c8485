/* SPDX-License-Identifier: Apache-2.0
 *
 * glibc_spawn: posix_spawn with every attribute and file action, system and popen: a child that shares memory until
 * it runs its program.
 */
#include "abi.h"
#include <spawn.h>

extern char **environ;
static posix_spawnattr_t          attr;
static posix_spawn_file_actions_t acts;

/* What the spawned program (this one again) says of itself. */
static int report(const char *what)
{
        sigset_t         set;
        struct sigaction sa;

        if (!strcmp(what, "group"))
                return getpgrp() == getpid() ? 7 : 1;
        if (!strcmp(what, "session"))
                return getsid(0) == getpid() ? 7 : 1;
        if (!strcmp(what, "mask"))
                return sigprocmask(SIG_BLOCK, NULL, &set) == 0 && sigismember(&set, SIGUSR1) && !sigismember(&set, SIGUSR2) ? 7 : 1;
        if (!strcmp(what, "default"))
                return sigaction(SIGHUP, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL ? 7 : 1;
        if (!strcmp(what, "ignored"))
                return sigaction(SIGHUP, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN ? 7 : 1;
        if (!strcmp(what, "policy"))
                return sched_getscheduler(0) == SCHED_RR ? 7 : 1;
        if (!strcmp(what, "ids"))
                return geteuid() == getuid() ? 7 : 1;
        if (!strcmp(what, "fds"))
                return fcntl(9, F_GETFD) == 0 && fcntl(10, F_GETFD) < 0 && fcntl(11, F_GETFD) == 0 ? 7 : 1;
        if (!strcmp(what, "cwd"))
                return access("in-d", F_OK) == 0 ? 7 : 1;
        if (!strcmp(what, "nothing open"))
                return fcntl(20, F_GETFD) < 0 && fcntl(21, F_GETFD) < 0 ? 7 : 1;
        if (!strcmp(what, "vfork'd"))
                return getppid() > 0 ? 7 : 1;
        return 2;
}

static int spawned(const char *what)
{
        char *argv[] = { (char *)"self", (char *)what, NULL };
        pid_t pid;
        int   err = posix_spawn(&pid, "/proc/self/exe", &acts, &attr, argv, environ);

        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&acts);
        posix_spawnattr_init(&attr);
        posix_spawn_file_actions_init(&acts);
        return err ? -err : result_of(pid);
}

static void attributes(void)
{
        sigset_t           set;
        struct sched_param p = { 0 };

        CHECK("nothing asked", spawned("vfork'd") == 7);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
        CHECK("a group of its own", spawned("group") == 7);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
        CHECK("a session of its own", spawned("session") == 7);
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        posix_spawnattr_setsigmask(&attr, &set);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
        CHECK("a mask", spawned("mask") == 7);
        signal(SIGHUP, SIG_IGN);
        CHECK("what is ignored stays so", spawned("ignored") == 7);
        sigemptyset(&set);
        sigaddset(&set, SIGHUP);
        posix_spawnattr_setsigdefault(&attr, &set);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
        CHECK("unless it is asked", spawned("default") == 7);
        signal(SIGHUP, SIG_DFL);
        p.sched_priority = 3;
        posix_spawnattr_setschedpolicy(&attr, SCHED_RR);
        posix_spawnattr_setschedparam(&attr, &p);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSCHEDULER);
        CHECK("a policy", spawned("policy") == 7);
        p.sched_priority = 1000;
        posix_spawnattr_setschedpolicy(&attr, SCHED_FIFO);
        posix_spawnattr_setschedparam(&attr, &p);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSCHEDULER);
        CHECK("a bad one is told to the parent", spawned("policy") == -EINVAL);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_RESETIDS);
        CHECK("the real ids", spawned("ids") == 7);
        posix_spawnattr_setpgroup(&attr, 99999);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
        CHECK("a group that is not there", spawned("group") == -EPERM);
        CHECK("no child of a failure is left", waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void actions(void)
{
        int a = open("a", O_RDWR | O_CREAT, 0600), b = dup2(a, 10), c = fcntl(a, F_DUPFD_CLOEXEC, 11);

        CHECK("descriptors", b == 10 && c == 11);
        posix_spawn_file_actions_addopen(&acts, 9, "made", O_WRONLY | O_CREAT, 0640);
        posix_spawn_file_actions_addclose(&acts, 10);
        posix_spawn_file_actions_adddup2(&acts, 11, 11);
        CHECK("opened, closed, kept", spawned("fds") == 7);
        CHECK("what it opened is there", access("made", F_OK) == 0);
        CHECK("and here as before", fcntl(10, F_GETFD) == 0 && fcntl(11, F_GETFD) == FD_CLOEXEC && fcntl(9, F_GETFD) < 0);
        mkdir("d", 0755);
        close(open("d/in-d", O_CREAT | O_WRONLY, 0600));
        posix_spawn_file_actions_addchdir_np(&acts, "d");
        CHECK("another directory", spawned("cwd") == 7);
        CHECK("not here", access("in-d", F_OK) < 0);
        int d = open("d", O_RDONLY | O_DIRECTORY);
        posix_spawn_file_actions_addfchdir_np(&acts, d);
        CHECK("by a descriptor", spawned("cwd") == 7);
        posix_spawn_file_actions_addchdir_np(&acts, "missing");
        CHECK("a missing directory", spawned("cwd") == -ENOENT);
        posix_spawn_file_actions_addopen(&acts, 9, "d", O_WRONLY, 0);
        CHECK("an open that fails", spawned("fds") == -EISDIR);
        posix_spawn_file_actions_adddup2(&acts, 77, 78);
        CHECK("a bad descriptor", spawned("fds") == -EBADF);
        dup2(a, 20);
        dup2(a, 21);
        posix_spawn_file_actions_addclosefrom_np(&acts, 20);
        CHECK("all from one on", spawned("nothing open") == 7);
        close(a);
        close(10);
        close(11);
}

static volatile int children;

static void on_child(int sig UNUSED)
{
        children++;
}

static void commands(void)
{
        char *argv[] = { (char *)"x", NULL };
        char  line[99];
        pid_t pid;

        CHECK("a missing program", posix_spawn(&pid, "/missing", NULL, NULL, argv, environ) == ENOENT);
        CHECK("no program", posix_spawn(&pid, "/etc/passwd", NULL, NULL, argv, environ) == EACCES);
        CHECK("by PATH", posix_spawnp(&pid, "true", NULL, NULL, argv, environ) == 0 && result_of(pid) == 0);
        signal(SIGCHLD, on_child);
        CHECK("system", WEXITSTATUS(system("exit 5")) == 5);
        CHECK("its child's signal comes afterwards", children == 1);
        CHECK("a signal's status", WTERMSIG(system("kill -9 $$")) == SIGKILL);
        FILE *f = popen("echo one; exit 6", "r");
        CHECK("popen", f && fgets(line, sizeof line, f) && !strcmp(line, "one\n") && WEXITSTATUS(pclose(f)) == 6);
        f = popen("cat > written", "w");
        CHECK("popen writes", f && fputs("text", f) >= 0 && pclose(f) == 0 && access("written", F_OK) == 0);
        signal(SIGCHLD, SIG_IGN);
        CHECK("system with SIGCHLD ignored", system("exit 0") == -1 && errno == ECHILD);
        signal(SIGCHLD, SIG_DFL);
        int ok = 0;
        for (int i = 0; i < 100; i++)
                ok += posix_spawnp(&pid, "true", NULL, NULL, argv, environ) == 0 && result_of(pid) == 0;
        CHECK("a hundred", ok == 100);
}

int main(int argc, char **argv)
{
        if (argc > 1)
                return report(argv[1]);
        posix_spawnattr_init(&attr);
        posix_spawn_file_actions_init(&acts);
        attributes();
        actions();
        commands();
        return done();
}
