/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: seccomp(2): what filters answer and what comes of it, who has them, and the strict mode.
 */
#include "seccomp.h"
#include <linux/audit.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <ucontext.h>

static volatile int seen;
static siginfo_t info;
static greg_t rax;
static long answer;

static void on_sigsys(int sig, siginfo_t *i, void *context)
{
        ucontext_t *u = context;

        (void)sig;
        seen++;
        info = *i;
        rax = u->uc_mcontext.gregs[REG_RAX];
        if (answer)
                u->uc_mcontext.gregs[REG_RAX] = answer;
}

static void catch(void)
{
        struct sigaction act = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
        sigaction(SIGSYS, &act, NULL);
}

static int arguments(void)
{
        struct sock_filter f[] = { ALLOW };
        struct sock_fprog p = { 1, f }, bad = { 1, BAD_PTR };
        unsigned action;

        FAILS("no such operation", EINVAL, syscall(SYS_seccomp, 77, 0, 0));
        FAILS("unknown flag", EINVAL, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0x80, &p));
        FAILS("no program", EFAULT, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, BAD_PTR));
        FAILS("no instructions", EFAULT, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &bad));
        FAILS("strict with flags", EINVAL, syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, 0));
        FAILS("strict with an argument", EINVAL, syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, &p));
        FAILS("available, with flags", EINVAL, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &action));
        FAILS("available, nowhere", EFAULT, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, BAD_PTR));
        static const unsigned known[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO,
                                          SECCOMP_RET_TRACE, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW };
        for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
                action = known[i];
                OKAY("available", syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
        }
        action = SECCOMP_RET_ERRNO | 1;
        FAILS("an action with data", EOPNOTSUPP, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
        FAILS("prctl: no such mode", EINVAL, prctl(PR_SET_SECCOMP, 3, &p, 0, 0));
        FAILS("prctl: mode 0", EINVAL, prctl(PR_SET_SECCOMP, 0, &p, 0, 0));
        FAILS("prctl: no program", EFAULT, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, BAD_PTR, 0, 0));
        CHECK("no mode", prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0);
        OKAY("root needs no no_new_privs", INSTALL(0, ALLOW));
        CHECK("a mode", prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2);
        FAILS("no strict mode after it", EINVAL, syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, 0));
        FAILS("by prctl neither", EINVAL, prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0));
        OKAY("flags without effect here", INSTALL(SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW, ALLOW));
        OKAY("by prctl", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0));
        char line[200];
        FILE *status = fopen("/proc/self/status", "r");
        while (fgets(line, sizeof line, status))
                if (!strncmp(line, "Seccomp", 7))
                        say("ok %s", line);
        fclose(status);
        return done();
}

static int user(void)
{
        struct sock_fprog bad = { 1, BAD_PTR };

        must(setgid(1000) == 0 && setuid(1000) == 0, "user");
        FAILS("a user", EACCES, INSTALL(0, ALLOW));
        FAILS("before the instructions are looked at", EACCES, install(0, bad.filter, 1));
        FAILS("after their number was", EINVAL, install(0, bad.filter, 0));
        no_new_privs();
        OKAY("with no_new_privs", INSTALL(0, ALLOW));
        return done();
}

static int answers(void)
{
        catch();
        INSTALL(0, CALL(6001, SECCOMP_RET_ERRNO | 7), ALLOW);
        FAILS("an error", 7, syscall(6001));
        INSTALL(0, CALL(6002, SECCOMP_RET_ERRNO), ALLOW);
        CHECK("error 0", syscall(6002) == 0);
        INSTALL(0, CALL(6003, SECCOMP_RET_ERRNO | 0xffff), ALLOW);
        FAILS("the largest", 4095, syscall(6003));
        INSTALL(0, CALL(6004, SECCOMP_RET_TRACE | 5), ALLOW);
        FAILS("no tracer", ENOSYS, syscall(6004));
        INSTALL(0, CALL(6005, SECCOMP_RET_USER_NOTIF), ALLOW);
        FAILS("nobody to ask", ENOSYS, syscall(6005));
        INSTALL(0, CALL(SYS_getpid, SECCOMP_RET_LOG), ALLOW);
        CHECK("logged", syscall(SYS_getpid) == getpid());
        INSTALL(0, CALL(SYS_getppid, SECCOMP_RET_TRAP | 77), ALLOW);
        CHECK("a trap answers the number", syscall(SYS_getppid) == SYS_getppid && seen == 1 && rax == SYS_getppid);
        CHECK("its signal", info.si_signo == SIGSYS && info.si_code == 1 && info.si_errno == 77);
        CHECK("tells the call", info.si_syscall == SYS_getppid && info.si_arch == AUDIT_ARCH_X86_64);
        answer = 99;
        CHECK("the handler's answer", syscall(SYS_getppid) == 99);
        answer = 0;
        FAILS("a call that is none is none", ENOSYS, syscall(6099));
        INSTALL(0, CALL(6099, SECCOMP_RET_ERRNO | EPERM), ALLOW);
        FAILS("but may be filtered", EPERM, syscall(6099));
        INSTALL(0, LOAD(NR), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_dup, 0, 3), LOAD(ARG(0)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1), RETURN(SECCOMP_RET_ERRNO | EXDEV), ALLOW);
        FAILS("an argument", EXDEV, dup(1));
        OKAY("another", dup(2));
        return done();
}

static int order(void)
{
        static const unsigned strictness[] = { SECCOMP_RET_ALLOW, SECCOMP_RET_LOG, SECCOMP_RET_TRACE, SECCOMP_RET_ERRNO | 5 };

        for (unsigned i = 0; i < 4; i++) {
                INSTALL(0, CALL(6200, strictness[i]), ALLOW);
                INSTALL(0, CALL(6201, strictness[3 - i]), ALLOW);
        }
        FAILS("the strictest, last", 5, syscall(6200));
        FAILS("the strictest, first", 5, syscall(6201));
        INSTALL(0, CALL(6200, SECCOMP_RET_ERRNO | 6), ALLOW);
        FAILS("among equals the newest", 6, syscall(6200));
        INSTALL(0, CALL(6200, SECCOMP_RET_ALLOW), ALLOW);
        FAILS("nothing is given back", 6, syscall(6200));
        INSTALL(0, CALL(SYS_seccomp, SECCOMP_RET_ERRNO | EPERM), ALLOW);
        FAILS("no more filters", EPERM, INSTALL(0, ALLOW));
        return done();
}

static unsigned verdict;
static int killed(void)
{
        catch();
        INSTALL(0, CALL(6300, verdict), ALLOW);
        syscall(6300);
        return 3;
}

static int trap_ignored(void)
{
        signal(SIGSYS, SIG_IGN);
        INSTALL(0, CALL(6300, SECCOMP_RET_TRAP), ALLOW);
        syscall(6300);
        return 3;
}

static int trap_blocked(void)
{
        sigset_t all;

        catch();
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        return trap_ignored();
}

static int inherited(void)
{
        INSTALL(0, CALL(6400, SECCOMP_RET_ERRNO | EDOM), ALLOW);
        pid_t pid = fork();
        if (pid == 0) {
                FAILS("a child", EDOM, syscall(6400));
                INSTALL(0, CALL(6401, SECCOMP_RET_ERRNO | EDOM), ALLOW);
                FAILS("its own", EDOM, syscall(6401));
                char *argv[] = { "self", "again", NULL };
                execv("/proc/self/exe", argv);
                _exit(9);
        }
        CHECK("children end well", result_of(pid) == 0);
        FAILS("not the child's", ENOSYS, syscall(6401));
        return done();
}

static int after_exec(void)
{
        FAILS("after exec", EDOM, syscall(6400));
        FAILS("the child's", EDOM, syscall(6401));
        CHECK("mode", prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2);
        return done();
}

static int strict_calls(void)
{
        char c = 'x';
        int p[2];

        pipe(p);
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
        for (int i = 0; i < 100; i++)
                if (syscall(SYS_write, p[1], &c, 1) != 1 || syscall(SYS_read, p[0], &c, 1) != 1)
                        syscall(SYS_exit, 1);
        syscall(SYS_exit, 7);
        return 8;
}

static int strict_other(void)
{
        syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, 0);
        syscall(SYS_getpid);
        return 3;
}

static int strict_group(void)
{
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
        _exit(3);
}

static int strict_none(void)
{
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
        syscall(9999);
        syscall(SYS_exit, 3);
        return 3;
}

int main(int argc, char **argv)
{
        if (argc > 1 && !strcmp(argv[1], "again"))
                return after_exec();
        CHECK("arguments", in_child(arguments) == 0);
        CHECK("user", in_child(user) == 0);
        CHECK("answers", in_child(answers) == 0);
        CHECK("order", in_child(order) == 0);
        static const unsigned kills[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS | 5, 0x12340000, 0xffff0000 };
        for (unsigned i = 0; i < 5; i++) {
                verdict = kills[i];
                CHECK("killed, handler or not", in_child(killed) == KILLED(SIGSYS));
        }
        CHECK("a trap that is ignored", in_child(trap_ignored) == KILLED(SIGSYS));
        CHECK("a trap that is blocked", in_child(trap_blocked) == KILLED(SIGSYS));
        CHECK("inherited", in_child(inherited) == 0);
        CHECK("strict", in_child(strict_calls) == 7);
        CHECK("another call", in_child(strict_other) == KILLED(SIGKILL));
        CHECK("exit_group is another", in_child(strict_group) == KILLED(SIGKILL));
        CHECK("one that is none", in_child(strict_none) == KILLED(SIGKILL));
        return done();
}
