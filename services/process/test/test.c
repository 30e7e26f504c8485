/* SPDX-License-Identifier: Apache-2.0
 *
 * The process core on the host: fork, exec, exit and wait with every allocation failing once,
 * signals and their frames, stops, groups and orphans, numbers, futexes.
 */
#include "services/process/test/host.h"
#include "services/exec/exec.h"
#include "services/futex/futex.h"
#include "services/security/cred.h"
#include "services/vfs/files.h"
#include "services/vfs/fs_context.h"
#include "services/vm/vm.h"
#include "abi/cpu/sigframe.h"
#include "abi/cpu/sysargs.h"

static void no_syscall(struct task_body *b, struct user_regs *r) { (void)b, (void)r; }
static const struct user_ops user = { user_start, no_syscall, user_fault, user_exception, user_pending, user_died };
static bool no_dump(struct thread *t, const struct user_regs *r, const struct siginfo *i) { (void)t, (void)r, (void)i; return false; }
static void no_timers(struct process *p) { (void)p; }
static void no_timer(struct ptimer *t, struct siginfo *info) { (void)t, (void)info; }
static err_t undo_share(struct thread *from, struct thread *child) { (void)from, (void)child; return OK; }
static void undo_exit(struct thread *t) { (void)t; }
static void shm_exit(struct thread *t) { (void)t; }
static const struct process_ops ops = { .user = &user, .robust_exit = futex_exit_robust, .wake_address = futex_wake_addr, .priority_changed = futex_pi_changed,
        .undo_share = undo_share, .undo_exit = undo_exit, .shm_exit = shm_exit,
                                        .dump = no_dump, .timers_end = no_timers, .cpu_check = no_timers, .timer_taken = no_timer };

static struct thread *init_thread;
static struct user_regs regs;

static struct thread *thread_of(u32 tid)
{
        struct thread *t = thread_find(init_thread->ns->pid, tid);
        CHECK(t);
        thread_drop(t);
        return t;
}

/* What the framework does before user code runs. */
static void to_user(struct thread *t)
{
        self = t;
        if (t->base.task->notified) {
                t->base.task->notified = false;
                user_pending(&t->base, &t->base.task->regs);
        }
        if (t->base.task->exiting)
                host_end(t);
}

static void quit(struct thread *t, u32 code)
{
        self = t;
        thread_exit(code << 8);
        host_end(t);
}

static struct thread *clone(struct thread *from, u64 flags, u32 sig)
{
        u32 tid = 0;
        self = from;
        CHECK(succeeded(process_clone(&from->base.task->regs, (struct clone_args){ .flags = flags, .exit_signal = sig }, &tid)));
        return thread_of(tid);
}
static struct thread *fork(struct thread *from) { return clone(from, 0, SIGCHLD); }
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static struct wait_found wait_for(struct thread *t, u32 options)
{
        struct wait_found f = {};
        self = t;
        err_t err = process_wait(P_ALL, 0, options | WNOHANG, &f);
        CHECK(succeeded(err) || err_is(err, ECHILD));
        return f;
}
static bool childless(struct thread *t)
{
        struct wait_found f = {};
        self = t;
        return err_is(process_wait(P_ALL, 0, WEXITED | WNOHANG, &f), ECHILD);
}
static void kill(struct thread *from, i32 pid, u32 sig)
{
        self = from;
        CHECK(succeeded(signal_kill(pid, (struct siginfo){ .signo = sig, .pid = from->tid })));
}
static void act(struct thread *t, u32 sig, u64 handler, u64 flags)
{
        struct sigaction new = { .handler = handler, .flags = flags | SA_RESTORER, .restorer = 0x4444 }, old;
        self = t;
        CHECK(succeeded(signal_action(sig, &new, &old)));
}

/* ---- the first process ---- */

static struct ns_set *make_ns(void)
{
        struct pid_ns *pid = pid_ns_new(NULL);
        struct user_ns *u = user_ns_first(NULL);
        struct uts_ns *uts = uts_ns_first(NULL, u);
        struct ns_set *ns = ns_set_new(NULL, u, uts, NULL, pid, NULL, NULL);
        pid_ns_drop(pid);
        uts_ns_drop(uts);
        user_ns_drop(u);
        CHECK(ns);
        return ns;
}

static void start_init(void)
{
        struct ns_set *ns = make_ns();
        struct fs_context *fs = fs_context_alloc(NULL, MAY_RECLAIM);
        struct files *files = files_alloc(NULL, MAY_RECLAIM);
        struct init_args args = { .ops = &ops, .path = blob_copy(NULL, STR("/init")) };
        i64 before = live_objects;
        err_t err = ERR(EIO);

        for (u64 n = 1; failed(err); n++) {
                i64 kept = before;
                fail_at = allocs + n;
                err = process_start_init(args, ns, fs, files);
                fail_at = 0;
                /* The page of numbers stays. */
                if (failed(err))
                        CHECK(live_objects == kept || live_objects == kept + 1);
                CHECK(n < 100);
        }
        init_thread = thread_hold(ns->pid->init->leader);
        CHECK(init_thread->tid == 1 && init_thread->process->is_init);
        fs_context_drop(fs);
        files_drop(files);
        blob_drop(args.path);
        self = init_thread;
}

/* ---- fork, exec, wait ---- */

static void fork_exit_wait(void)
{
        struct thread *c = fork(init_thread);
        CHECK(c->process->parent == init_thread->process && c->base.task->regs.rax == 0);
        CHECK(wait_for(init_thread, WEXITED).pid == 0);
        u32 nr = c->tid;
        quit(c, 7);
        CHECK(wait_for(init_thread, WEXITED | WNOWAIT).status == 7 << 8);
        struct wait_found f = wait_for(init_thread, WEXITED);
        CHECK(f.pid == nr && f.status == 7 << 8 && f.code == CLD_EXITED);
        CHECK(childless(init_thread));
        CHECK(!process_find(init_thread->ns->pid, nr));
        CHECK(init_thread->process->pending.mask == 0);         /* init has no handler for SIGCHLD */
}

/* Every allocation of clone fails once; nothing stays behind. */
static void clone_fails(u64 flags)
{
        i64 before = live_objects;
        for (u64 n = 1;; n++) {
                u32 tid = 0;
                self = init_thread;
                fail_at = allocs + n;
                err_t err = process_clone(&regs, (struct clone_args){ .flags = flags, .exit_signal = SIGCHLD }, &tid);
                fail_at = 0;
                if (succeeded(err)) {
                        quit(thread_of(tid), 0);
                        if (!(flags & CLONE_THREAD))
                                CHECK(wait_for(init_thread, WEXITED).pid == tid);
                        break;
                }
                CHECK(err_is(err, ENOMEM) && live_objects == before && n < 50);
        }
        CHECK(live_objects == before);
}

static void exec(void)
{
        struct thread *c = fork(init_thread), *a;
        i64 before = live_objects;
        err_t err = ERR(ENOMEM);
        u32 tid = c->tid;

        memcpy(user_memory + 128, "/x", 3);
        self = c;
        CHECK(err_is(process_exec(&c->base.task->regs, AT_FDCWD, 0, 0, 0, 0), EFAULT));
        act(c, SIGUSR1, 0x2000, 0);
        act(c, SIGUSR2, SIG_IGN, 0);
        for (u64 n = 1; failed(err); n++) {
                CHECK(err_is(err, ENOMEM) && live_objects == before && n < 50);
                fail_at = allocs + n;
                err = process_exec(&c->base.task->regs, AT_FDCWD, USER_BASE + 128, 0, 0, 0);
                fail_at = 0;
        }
        CHECK(c->base.task->regs.rip == 1 && c->process->did_exec);
        CHECK(c->process->actions->act[SIGUSR1 - 1].handler == SIG_DFL && c->process->actions->act[SIGUSR2 - 1].handler == SIG_IGN);
        /* A thread whose leader has ended becomes the leader, with its number. */
        a = clone(c, THREAD_FLAGS, 0);
        quit(c, 0);
        self = a;
        CHECK(succeeded(process_exec(&a->base.task->regs, AT_FDCWD, USER_BASE + 128, 0, 0, 0)));
        CHECK(a->tid == tid && a->process->leader == a && thread_of(tid) == a);
        quit(a, 4);
        struct wait_found f = wait_for(init_thread, WEXITED);
        CHECK(f.pid == tid && f.status == 4 << 8);
}

/* A vfork parent waits until its child has its own memory. */
static u32 vfork_child;
static void vfork_exec(void)
{
        struct thread *c = thread_of(vfork_child);
        self = c;
        CHECK(PTR_LOAD(c->vfork_parent));
        CHECK(succeeded(process_exec(&c->base.task->regs, AT_FDCWD, USER_BASE + 128, 0, 0, 0)));
        CHECK(!PTR_LOAD(c->vfork_parent));
}

static void vfork(void)
{
        vfork_child = pid_ns_last(init_thread->ns->pid) + 1;
        asleep_hook = vfork_exec;
        struct thread *c = clone(init_thread, CLONE_VFORK | CLONE_VM, SIGCHLD);
        CHECK(!asleep_hook && c->tid == vfork_child && c->vm != init_thread->vm);
        quit(c, 0);
        wait_for(init_thread, WEXITED);
}

/* ---- threads ---- */

static void threads(void)
{
        struct thread *c = fork(init_thread);
        i64 before = live_objects;
        struct thread *a = clone(c, THREAD_FLAGS, 0), *b = clone(c, THREAD_FLAGS, 0);
        CHECK(a->process == c->process && c->process->live == 3 && a->tid != b->tid);
        quit(a, 1);
        quit(b, 2);
        CHECK(live_objects == before && c->process->live == 1);

        /* The leader goes first: the process lives on, and its status is that of the last to go. */
        a = clone(c, THREAD_FLAGS, 0);
        quit(c, 5);
        CHECK(wait_for(init_thread, WEXITED).pid == 0);
        quit(a, 6);
        CHECK(wait_for(init_thread, WEXITED).status == 6 << 8);

        /* exit_group takes all along, with its status. */
        c = fork(init_thread);
        a = clone(c, THREAD_FLAGS, 0);
        self = a;
        process_exit_group(9 << 8);
        host_end(a);
        CHECK(c->base.task->intr & INTR_KILL);
        to_user(c);
        CHECK(wait_for(init_thread, WEXITED).status == 9 << 8);
        CHECK(childless(init_thread));
}

/* ---- signals ---- */

static void default_kill(void)
{
        struct thread *c = fork(init_thread);
        kill(init_thread, (i32)c->tid, SIGTERM);
        CHECK(c->process->exiting);
        to_user(c);
        struct wait_found f = wait_for(init_thread, WEXITED);
        CHECK(f.status == SIGTERM && f.code == CLD_KILLED);

        c = fork(init_thread);
        kill(init_thread, (i32)c->tid, SIGCHLD);                /* ignored by default */
        kill(init_thread, (i32)c->tid, 0);
        CHECK(!c->process->pending.mask);
        kill(init_thread, (i32)c->tid, SIGQUIT);                /* would dump core: at delivery */
        CHECK(!c->process->exiting);
        to_user(c);
        CHECK(wait_for(init_thread, WEXITED).status == SIGQUIT);

        kill(init_thread, 1, SIGKILL);                          /* init is safe */
        CHECK(!init_thread->process->exiting);
}

static void handler(void)
{
        struct thread *c = fork(init_thread);
        struct user_regs *r = &c->base.task->regs, before;

        *r = (struct user_regs){ .rsp = USER_BASE + USER_SIZE - 256, .rip = 0x1000, .rax = 1, .rbx = 77, .rflags = 0x246, .cs = 0x33, .ss = 0x2b, .orig_rax = ~0ul };
        before = *r;
        act(c, SIGUSR1, 0x2000, SA_SIGINFO);
        act(c, SIGUSR2, 0x3000, SA_SIGINFO);
        kill(init_thread, (i32)c->tid, SIGUSR1);
        CHECK(c->base.task->intr & INTR_SIGNAL);
        to_user(c);
        CHECK(r->rip == 0x2000 && r->rdi == SIGUSR1 && (r->rsp & 15) == 8 && c->blocked == sig_bit(SIGUSR1));
        CHECK(!c->base.task->intr);
        struct linux_rt_sigframe frame;
        memcpy(&frame, user_memory + (r->rsp - USER_BASE), sizeof frame);
        CHECK(frame.pretcode == 0x4444 && frame.info.si_signo == SIGUSR1 && frame.info.f.kill.pid == 1);
        CHECK(frame.uc.uc_mcontext.rbx == 77 && frame.uc.uc_mcontext.rip == 0x1000 && frame.uc.uc_sigmask == 0);
        CHECK(frame.uc.uc_mcontext.fpstate % 64 == 0);
        /* A second one nests. */
        kill(init_thread, (i32)c->tid, SIGUSR2);
        to_user(c);
        CHECK(r->rip == 0x3000 && c->blocked == (sig_bit(SIGUSR1) | sig_bit(SIGUSR2)));
        for (u32 i = 0; i < 2; i++) {
                r->rsp += 8;
                self = c;
                CHECK(succeeded(signal_return(r)));
        }
        CHECK(r->rip == before.rip && r->rsp == before.rsp && r->rbx == 77 && r->rax == 1 && c->blocked == 0);

        /* A bad frame. */
        r->rsp = 8;
        CHECK(succeeded(signal_return(r)));
        to_user(c);
        CHECK(wait_for(init_thread, WEXITED).status == SIGSEGV);
}

static void restarts(void)
{
        static const struct { u32 code; bool sa_restart; u64 rip, rax; } with[] = {
                { ERESTARTSYS, true, 0xffe, 42 }, { ERESTARTSYS, false, 0x1000, (u64)-EINTR },
                { ERESTARTNOHAND, true, 0x1000, (u64)-EINTR }, { ERESTARTNOINTR, false, 0xffe, 42 },
                { ERESTART_RESTARTBLOCK, true, 0x1000, (u64)-EINTR }, { EIO, true, 0x1000, (u64)-EIO },
        };
        struct thread *c = fork(init_thread);
        struct user_regs *r = &c->base.task->regs;

        for (u32 i = 0; i < ARRAY_SIZE(with); i++) {
                act(c, SIGUSR1, 0x2000, with[i].sa_restart ? SA_RESTART : 0);
                *r = (struct user_regs){ .rsp = USER_BASE + USER_SIZE - 256, .rip = 0x1000, .cs = 0x33, .ss = 0x2b, .rax = 0 - (u64)with[i].code, .orig_rax = 42 };
                kill(init_thread, (i32)c->tid, SIGUSR1);
                to_user(c);
                CHECK(r->rip == 0x2000);
                r->rsp += 8;
                self = c;
                ignore(signal_return(r));
                CHECK(r->rip == with[i].rip && r->rax == with[i].rax);
        }
        /* Without a handler. */
        *r = (struct user_regs){ .rip = 0x1000, .rax = 0 - (u64)ERESTART_RESTARTBLOCK, .orig_rax = 42 };
        c->base.task->notified = true;
        to_user(c);
        CHECK(r->rip == 0xffe && r->rax == 219);
        quit(c, 0);
        wait_for(init_thread, WEXITED);
}

static void realtime(void)
{
        struct thread *c = fork(init_thread);
        struct siginfo info;
        i64 before = live_objects;

        self = c;
        u64 all = ~0ul, old;
        CHECK(succeeded(signal_mask(SIG_BLOCK, &all, &old)));
        for (u32 i = 0; i < 3; i++)
                for (u32 sig = 40; sig > 38; sig--)
                        CHECK(succeeded(signal_send_process(c->process, (struct siginfo){ .signo = sig, .code = SI_QUEUE, .value = i })));
        kill(init_thread, (i32)c->tid, SIGUSR1);
        kill(init_thread, (i32)c->tid, SIGUSR1);                /* one only */
        self = c;
        CHECK(succeeded(signal_timedwait(~0ul, 0, &info)) && info.signo == SIGUSR1);
        for (u32 sig = 39; sig <= 40; sig++)
                for (u32 i = 0; i < 3; i++)
                        CHECK(succeeded(signal_timedwait(~0ul, 0, &info)) && info.signo == sig && info.value == i);
        CHECK(err_is(signal_timedwait(~0ul, 0, &info), EAGAIN) && live_objects == before);
        /* The limit is for who sends with information. */
        c->process->rlimit[RLIMIT_SIGPENDING].cur = 2;
        err_t err = OK;
        for (u32 i = 0; i < 3; i++)
                err = signal_send_process(c->process, (struct siginfo){ .signo = 40, .code = SI_QUEUE });
        CHECK(err_is(err, EAGAIN));
        quit(c, 0);
        wait_for(init_thread, WEXITED);
}

/* ---- stops ---- */

static struct thread *stopper;
static void while_stopped(void)
{
        CHECK(stopper->process->stopped && process_state_letter(stopper->process) == 'T');
        struct wait_found f = wait_for(init_thread, WSTOPPED);
        CHECK(f.pid == stopper->tid && f.code == CLD_STOPPED && f.status == (SIGSTOP << 8 | 0x7f));
        CHECK(wait_for(init_thread, WSTOPPED).pid == 0);
        kill(init_thread, (i32)stopper->tid, SIGCONT);
}
static void while_stopped_kill(void)
{
        kill(init_thread, (i32)stopper->tid, SIGKILL);
}

static void stops(void)
{
        stopper = fork(init_thread);
        kill(init_thread, (i32)stopper->tid, SIGSTOP);
        asleep_hook = while_stopped;
        to_user(stopper);
        CHECK(!asleep_hook && !stopper->process->stopped);
        CHECK(wait_for(init_thread, WCONTINUED).code == CLD_CONTINUED);
        CHECK(wait_for(init_thread, WCONTINUED).pid == 0);
        /* Each takes the other back. */
        kill(init_thread, (i32)stopper->tid, SIGSTOP);
        kill(init_thread, (i32)stopper->tid, SIGCONT);
        to_user(stopper);
        CHECK(!stopper->process->stopped);
        /* Killed while stopped. */
        kill(init_thread, (i32)stopper->tid, SIGSTOP);
        asleep_hook = while_stopped_kill;
        to_user(stopper);
        CHECK(wait_for(init_thread, WEXITED).status == SIGKILL);
        /* The group is orphaned: only SIGSTOP stops. */
        stopper = fork(init_thread);
        kill(init_thread, (i32)stopper->tid, SIGTSTP);
        to_user(stopper);
        CHECK(!stopper->process->stopping);
        quit(stopper, 0);
        wait_for(init_thread, WEXITED);
}

/* ---- families ---- */

static void orphans(void)
{
        struct thread *p = fork(init_thread), *c = fork(p), *z = fork(p);
        quit(z, 3);
        quit(p, 0);
        CHECK(c->process->parent == init_thread->process);
        u32 seen = 0;
        while (wait_for(init_thread, WEXITED).pid)
                seen++;
        CHECK(seen == 2);                                       /* the parent, and its zombie */
        quit(c, 0);
        CHECK(wait_for(init_thread, WEXITED).pid);

        /* Ignoring SIGCHLD leaves no zombies. */
        p = fork(init_thread);
        act(p, SIGCHLD, SIG_IGN, 0);
        i64 before = live_objects;
        quit(fork(p), 0);
        CHECK(live_objects == before && childless(p));
        /* A subreaper adopts. */
        p->process->child_subreaper = true;
        act(p, SIGCHLD, SIG_DFL, 0);
        c = fork(p);
        z = fork(c);
        quit(c, 0);
        CHECK(z->process->parent == p->process);
        quit(z, 0);
        quit(p, 0);
        while (wait_for(init_thread, WEXITED).pid)
                ;
        CHECK(childless(init_thread));
}

static void groups(void)
{
        struct thread *p = fork(init_thread), *c = fork(p);
        u32 id = 0;

        self = p;
        CHECK(succeeded(process_setsid(&id)) && id == p->tid && err_is(process_setsid(&id), EPERM));
        CHECK(err_is(process_setpgid(c->tid, 0), EPERM));       /* another session */
        quit(c, 0);
        wait_for(p, WEXITED);
        c = fork(p);
        self = p;
        CHECK(succeeded(process_setpgid(c->tid, 0)) && succeeded(process_getpgid(c->tid, &id)) && id == c->tid);
        CHECK(err_is(process_setpgid(c->tid, 99), EPERM) && err_is(process_setpgid(0, 0), EPERM));
        struct thread *g = fork(c);
        kill(p, -(i32)c->tid, SIGTERM);
        CHECK(c->process->exiting && g->process->exiting && !p->process->exiting);
        to_user(g);
        to_user(c);
        quit(p, 0);
        while (wait_for(init_thread, WEXITED).pid)
                ;
}

static void numbers(void)
{
        struct pid_ns *ns = init_thread->ns->pid;
        u32 last = 0;

        CHECK(succeeded(pid_ns_set_max(ns, 310)) && err_is(pid_ns_set_max(ns, 1), EINVAL));
        for (u32 i = 0; i < 700; i++) {
                struct thread *c = fork(init_thread);
                CHECK(c->tid < 310 && c->tid != last && (c->tid >= 300 || c->tid > last));
                last = c->tid;
                quit(c, 0);
                wait_for(init_thread, WEXITED);
        }
        struct thread *all[16];
        u32 n = 0, tid;
        self = init_thread;
        while (succeeded(process_clone(&regs, (struct clone_args){ .exit_signal = SIGCHLD }, &tid)))
                all[n++] = thread_of(tid);
        CHECK(n == 10 && err_is(process_clone(&regs, (struct clone_args){ .exit_signal = SIGCHLD }, &tid), EAGAIN));
        for (u32 i = 0; i < n; i++)
                quit(all[i], 0);
        while (wait_for(init_thread, WEXITED).pid)
                ;
        CHECK(succeeded(pid_ns_set_max(ns, PID_MAX_DEFAULT)));
}

/* ---- futexes, timers ---- */

#define WORD (USER_BASE + 64)
static struct thread *waker;
static void wake_it(void)
{
        u64 n = 0;
        self = waker;
        CHECK(succeeded(futex_call((struct futex_args){ .addr = WORD, .op = FUTEX_WAKE | FUTEX_PRIVATE_FLAG, .val = 5 }, &n)) && n == 1);
}
static void requeue_it(void)
{
        u64 n = 0;
        self = waker;
        struct futex_args a = { .addr = WORD, .op = FUTEX_REQUEUE | FUTEX_PRIVATE_FLAG, .val = 0, .val2 = 1, .addr2 = WORD + 4 };
        CHECK(succeeded(futex_call(a, &n)));
        CHECK(n == 1);
        a = (struct futex_args){ .addr = WORD + 4, .op = FUTEX_WAKE | FUTEX_PRIVATE_FLAG, .val = 1 };
        CHECK(succeeded(futex_call(a, &n)) && n == 1);
}

static void futexes(void)
{
        u64 n = 0;
        u32 word = 3;
        struct thread *c = fork(init_thread);
        waker = clone(c, THREAD_FLAGS, 0);
        memcpy(user_memory + 64, &word, 4);
        self = c;
        struct futex_args a = { .addr = WORD, .op = FUTEX_WAIT | FUTEX_PRIVATE_FLAG, .val = 4 };
        CHECK(err_is(futex_call(a, &n), EAGAIN));
        a.addr++;
        CHECK(err_is(futex_call(a, &n), EINVAL));
        a.addr = 64;
        CHECK(err_is(futex_call(a, &n), EFAULT));
        a = (struct futex_args){ .addr = WORD, .op = FUTEX_WAIT | FUTEX_PRIVATE_FLAG, .val = 3 };
        asleep_hook = wake_it;
        CHECK(succeeded(futex_call(a, &n)));
        asleep_hook = requeue_it;
        CHECK(succeeded(futex_call(a, &n)));
        /* WAKE_OP: the word becomes 8, and what it was decides. */
        a = (struct futex_args){ .addr = WORD + 8, .op = FUTEX_WAKE_OP, .addr2 = WORD,
                                 .val3 = FUTEX_OP_ADD << 28 | FUTEX_OP_CMP_EQ << 24 | 5 << 12 | 3 };
        CHECK(succeeded(futex_call(a, &n)));
        memcpy(&word, user_memory + 64, 4);
        CHECK(word == 8);
        /* A robust lock of a dead owner. */
        struct { u64 next; i64 offset; u64 pending; u64 entry; u32 lock; u32 pad; } *list = (void *)(user_memory + 1024);
        u64 at = USER_BASE + 1024;
        list->next = at + 24, list->offset = 8, list->pending = 0, list->entry = at, list->lock = waker->tid | FUTEX_WAITERS;
        waker->robust_list = at;
        waker->clear_child_tid = WORD;
        quit(waker, 0);
        CHECK(list->lock == (FUTEX_WAITERS | FUTEX_OWNER_DIED));
        memcpy(&word, user_memory + 64, 4);
        CHECK(word == 0);
        quit(c, 0);
        wait_for(init_thread, WEXITED);
}

static void timers(void)
{
        struct thread *c = fork(init_thread);
        u64 value, interval;
        self = c;
        act(c, SIGALRM, 0x2000, 0);
        CHECK(succeeded(process_setitimer(0, 1000000, 500000, &value, &interval)) && armed);
        now += 2200000;
        armed_fn(armed);
        CHECK(sig_bit(SIGALRM) & c->process->pending.mask);
        process_getitimer(0, &value, &interval);
        CHECK(value == 300000 && interval == 500000);
        quit(c, 0);
        CHECK(!armed);
        wait_for(init_thread, WEXITED);
}

int main(void)
{
        start_init();
        fork_exit_wait();
        clone_fails(0);
        clone_fails(CLONE_VM | CLONE_FILES);
        clone_fails(THREAD_FLAGS);
        i64 before = live_objects;
        exec();
        vfork();
        threads();
        default_kill();
        handler();
        restarts();
        realtime();
        stops();
        orphans();
        groups();
        futexes();
        timers();
        CHECK(live_objects == before);
        numbers();
        CHECK(live_objects == before);
        printf("process: passed\n");
        return 0;
}
