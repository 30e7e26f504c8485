/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: each call that waits, when a signal comes: with a handler and SA_RESTART, with a handler without it, a stop and
 * SIGCONT, a handler for SIGCONT with SA_RESTART, and a signal that is ignored by default.  signal(7).
 */
#include "show.h"
#include <linux/futex.h>
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

static char buf[1 << 17];
static int pipe_r, pipe_w, full_r, full_w, sock, sock_full, listener, dgram, inotify, event, event_full, timer, sigfd, ep, sem, msg, mq, mq_full, file, pty;
static const struct timespec far = { 1000, 0 };
static pid_t sleeper;

static long do_read(void) { return read(pipe_r, buf, 1); }
static long do_readv(void) { struct iovec v = { buf, 1 }; return readv(pipe_r, &v, 1); }
static long do_write(void) { return write(full_w, buf, 1); }
static long do_writev(void) { struct iovec v = { buf, 1 }; return writev(full_w, &v, 1); }
static long do_write_part(void) { int p[2]; pipe(p); return write(p[1], buf, sizeof buf); }
static long do_splice_in(void) { return splice(pipe_r, NULL, full_w, NULL, 1, 0); }
static long do_splice_out(void) { return splice(file, NULL, full_w, NULL, 1, 0); }
static long do_tee(void) { return tee(pipe_r, full_w, 1, 0); }
static long do_vmsplice(void) { struct iovec v = { buf, 1 }; return vmsplice(full_w, &v, 1, 0); }
static long do_sendfile(void) { return sendfile(full_w, file, NULL, 1); }
static long do_fifo_read(void) { return open("fifo", O_RDONLY); }
static long do_fifo_write(void) { return open("fifo2", O_WRONLY); }
static const char *lock_file;
static long do_flock(void) { int fd = open(lock_file, O_RDWR); return flock(fd, LOCK_EX); }
static long do_setlkw(void) { struct flock l = { .l_type = F_WRLCK }; return fcntl(open(lock_file, O_RDWR), F_SETLKW, &l); }
static long do_ofd_setlkw(void) { struct flock l = { .l_type = F_WRLCK }; return fcntl(open(lock_file, O_RDWR), F_OFD_SETLKW, &l); }
static pid_t child(void) { pid_t p = fork(); if (p == 0) for (;;) pause(); return p; }
static long do_wait4(void) { int st; return waitpid(sleeper = child(), &st, 0); }
static long do_waitid(void) { siginfo_t i; return waitid(P_PID, sleeper = child(), &i, WEXITED); }
static long do_accept(void) { return accept(listener, NULL, NULL); }
static long do_accept4(void) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }
static long do_recv(void) { return recv(sock, buf, 1, 0); }
static long do_recvfrom(void) { return recvfrom(dgram, buf, 1, 0, NULL, NULL); }
static long do_recvmsg(void) { struct iovec v = { buf, 1 }; struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 }; return recvmsg(sock, &h, 0); }
static long do_recvmmsg(void) { struct iovec v = { buf, 1 }; struct mmsghdr h = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } }; return recvmmsg(dgram, &h, 1, 0, NULL); }
static long do_send(void) { return send(sock_full, buf, 1000, 0); }
static long do_sendmsg(void) { struct iovec v = { buf, 1000 }; struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 }; return sendmsg(sock_full, &h, 0); }
static void timeouts(int fd) { struct timeval t = { 1000, 0 }; setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t); setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t); }
static long do_recv_timeout(void) { int s[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, s); timeouts(s[0]); return recv(s[0], buf, 1, 0); }
static long do_read_timeout(void) { int s[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, s); timeouts(s[0]); return read(s[0], buf, 1); }
static long do_send_timeout(void)
{
        int s[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        while (send(s[0], buf, 4096, MSG_DONTWAIT) > 0)
                ;
        timeouts(s[0]);
        return send(s[0], buf, 4096, 0);
}
static long do_connect(void)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "listen2" };
        for (int i = 0; i < 20; i++) {
                int s = socket(AF_UNIX, SOCK_STREAM, 0);
                if (connect(s, (void *)&a, sizeof a) < 0)
                        return -1;
        }
        return 0;
}
static long do_mq_receive(void) { char b[10]; return mq_receive(mq, b, 10, NULL); }
static long do_mq_timedreceive(void) { char b[10]; struct timespec t; clock_gettime(CLOCK_REALTIME, &t); t.tv_sec += 1000; return mq_timedreceive(mq, b, 10, NULL, &t); }
static long do_mq_send(void) { return mq_send(mq_full, "x", 1, 0); }
static long do_futex(void) { static int w; return syscall(SYS_futex, &w, FUTEX_WAIT, 0, NULL); }
static long do_futex_timeout(void) { static int w; return syscall(SYS_futex, &w, FUTEX_WAIT, 0, &far); }
static long do_futex_bitset(void) { static int w; struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); t.tv_sec += 1000; return syscall(SYS_futex, &w, FUTEX_WAIT_BITSET, 0, &t, NULL, ~0); }
static long do_semop(void) { struct sembuf b = { 0, -1, 0 }; return semop(sem, &b, 1); }
static long do_semtimedop(void) { struct sembuf b = { 0, -1, 0 }; return semtimedop(sem, &b, 1, &far); }
static long do_msgrcv(void) { struct { long t; char c[8]; } m; return msgrcv(msg, &m, 8, 5, 0); }
static long do_msgsnd(void) { struct { long t; char c[8000]; } m = { .t = 1 }; while (msgsnd(msg, &m, 8000, IPC_NOWAIT) == 0) ; return msgsnd(msg, &m, 8000, 0); }
static long do_poll(void) { struct pollfd p = { pipe_r, POLLIN, 0 }; return poll(&p, 1, -1); }
static long do_poll_timeout(void) { struct pollfd p = { pipe_r, POLLIN, 0 }; return poll(&p, 1, 100000); }
static long do_ppoll(void) { struct pollfd p = { pipe_r, POLLIN, 0 }; return ppoll(&p, 1, &far, NULL); }
static long do_select(void) { fd_set f; FD_ZERO(&f); FD_SET(pipe_r, &f); return select(pipe_r + 1, &f, NULL, NULL, NULL); }
static long do_pselect(void) { fd_set f; FD_ZERO(&f); FD_SET(pipe_r, &f); return pselect(pipe_r + 1, &f, NULL, NULL, &far, NULL); }
static long do_epoll_wait(void) { struct epoll_event e; return epoll_wait(ep, &e, 1, -1); }
static long do_epoll_pwait(void) { struct epoll_event e; return epoll_pwait(ep, &e, 1, 100000, NULL); }
static long do_nanosleep(void) { return nanosleep(&far, NULL); }
static long do_clock_nanosleep(void) { long r = clock_nanosleep(CLOCK_MONOTONIC, 0, &far, NULL); errno = (int)r; return r ? -1 : 0; }
static long do_clock_nanosleep_abs(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); t.tv_sec += 1000; long r = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL); errno = (int)r; return r ? -1 : 0; }
static long do_pause(void) { return pause(); }
static long do_sigsuspend(void) { sigset_t s; sigemptyset(&s); return sigsuspend(&s); }
static long do_sigtimedwait(void) { sigset_t s; sigemptyset(&s); sigaddset(&s, SIGUSR2); return sigtimedwait(&s, NULL, &far); }
static long do_sigwaitinfo(void) { sigset_t s; sigemptyset(&s); sigaddset(&s, SIGUSR2); return sigwaitinfo(&s, NULL); }
static long do_inotify(void) { return read(inotify, buf, 1000); }
static long do_eventfd(void) { return read(event, buf, 8); }
static long do_eventfd_write(void) { uint64_t v = 10; return write(event_full, &v, 8); }
static long do_timerfd(void) { return read(timer, buf, 8); }
static long do_signalfd(void) { return read(sigfd, buf, 128); }
static long do_tty(void) { return read(pty, buf, 1); }
static long do_sleep_rest(void) { return sleep(1000) ? 1 : 0; }

#define CALL(fn) { #fn, do_##fn }
static const struct { const char *name; long (*fn)(void); } calls[] = {
        CALL(read), CALL(readv), CALL(write), CALL(writev), CALL(write_part), CALL(splice_in), CALL(splice_out), CALL(tee), CALL(vmsplice), CALL(sendfile),
        CALL(fifo_read), CALL(fifo_write), CALL(flock), CALL(setlkw), CALL(ofd_setlkw), CALL(wait4), CALL(waitid), CALL(accept), CALL(accept4),
        CALL(recv), CALL(recvfrom), CALL(recvmsg), CALL(recvmmsg), CALL(send), CALL(sendmsg), CALL(recv_timeout), CALL(read_timeout), CALL(send_timeout),
        CALL(connect), CALL(mq_receive), CALL(mq_timedreceive), CALL(mq_send), CALL(futex), CALL(futex_timeout), CALL(futex_bitset), CALL(semop),
        CALL(semtimedop), CALL(msgrcv), CALL(msgsnd), CALL(poll), CALL(poll_timeout), CALL(ppoll), CALL(select), CALL(pselect), CALL(epoll_wait),
        CALL(epoll_pwait), CALL(nanosleep), CALL(clock_nanosleep), CALL(clock_nanosleep_abs), CALL(pause), CALL(sigsuspend), CALL(sigtimedwait),
        CALL(sigwaitinfo), CALL(inotify), CALL(eventfd), CALL(eventfd_write), CALL(timerfd), CALL(signalfd), CALL(tty), CALL(sleep_rest),
};
#define CALLS (sizeof calls / sizeof *calls)

static volatile int *ran, *mine;                /* has the handler run, of each child; shared */
static void handler(int sig) { (void)sig; *mine = 1; }

static void prepare(void)
{
        int p[2], s[2];
        struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "listen" };
        struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 10 };
        sigset_t set;

        pipe(p);
        pipe_r = p[0];
        pipe_w = p[1];
        pipe(p);
        full_r = p[0];
        full_w = p[1];
        fcntl(full_w, F_SETFL, O_NONBLOCK);
        while (write(full_w, buf, 4096) > 0)
                ;
        while (write(full_w, buf, 1) > 0)
                ;
        fcntl(full_w, F_SETFL, 0);
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        sock = s[0];
        socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
        dgram = s[0];
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        sock_full = s[0];
        while (send(sock_full, buf, 1000, MSG_DONTWAIT) > 0)
                ;
        listener = socket(AF_UNIX, SOCK_STREAM, 0);
        bind(listener, (void *)&a, sizeof a);
        listen(listener, 1);
        strcpy(a.sun_path, "listen2");
        int l2 = socket(AF_UNIX, SOCK_STREAM, 0);
        bind(l2, (void *)&a, sizeof a);
        listen(l2, 1);
        mkfifo("fifo", 0600);
        mkfifo("fifo2", 0600);
        put_text("locked", "x");
        inotify = inotify_init();
        inotify_add_watch(inotify, "locked", IN_MODIFY);
        event = eventfd(0, 0);
        event_full = eventfd(0, 0);
        uint64_t v = ~0ull - 1;
        write(event_full, &v, 8);
        timer = timerfd_create(CLOCK_MONOTONIC, 0);
        struct itimerspec its = { .it_value = far };
        timerfd_settime(timer, 0, &its, NULL);
        sigemptyset(&set);
        sigaddset(&set, SIGUSR2);
        sigfd = signalfd(-1, &set, 0);
        ep = epoll_create1(0);
        struct epoll_event e = { .events = EPOLLIN };
        epoll_ctl(ep, EPOLL_CTL_ADD, pipe_r, &e);
        mq = mq_open("/restart", O_CREAT | O_RDWR, 0600, &attr);
        mq_full = mq_open("/restart2", O_CREAT | O_RDWR, 0600, &attr);
        mq_send(mq_full, "x", 1, 0);
        mq_unlink("/restart");
        mq_unlink("/restart2");
        file = open("locked", O_RDWR);
        int m = posix_openpt(O_RDWR | O_NOCTTY);
        grantpt(m);
        unlockpt(m);
        pty = open(ptsname(m), O_RDWR | O_NOCTTY);
}

static const struct mode { const char *name; int sig, handled, flags; int stop; } modes[] = {
        { "SA_RESTART", SIGUSR1, 1, SA_RESTART, 0 },
        { "no SA_RESTART", SIGUSR1, 1, 0, 0 },
        { "stop and continue", 0, 0, 0, 1 },
        { "SIGCONT with a handler", 0, 1, SA_RESTART, 1 },
        { "an ignored signal", SIGURG, 0, 0, 0 },
        { "a blocked signal", SIGUSR2, 1, 0, 0 },
};

/* Waits a while until the call has ended, or its handler, if it is to have run, has, and it sleeps again. */
static void settles(pid_t pid, int fd, volatile int *has_run)
{
        struct pollfd pf = { fd, POLLIN, 0 };

        for (int i = 0; i < 500 && has_run && !*has_run && poll(&pf, 1, 0) == 0; i++)
                sleep_ms(10);
        if (poll(&pf, 1, 0) == 0)
                state_becomes(pid, 'S');
}

static void run(const struct mode *m)
{
        pid_t pid[CALLS];
        struct { long r, e; } got[CALLS];
        int fd[CALLS], p[2];

        prepare();
        for (unsigned i = 0; i < CALLS; i++) {
                pipe(p);
                ran[i] = 0;
                pid[i] = fork();
                if (pid[i] == 0) {
                        sigset_t set;
                        long r[2];
                        mine = &ran[i];
                        setpgid(0, 0);
                        sigemptyset(&set);
                        sigaddset(&set, SIGUSR2);
                        sigprocmask(SIG_BLOCK, &set, NULL);
                        if (m->handled)
                                on(m->stop ? SIGCONT : m->sig, handler, m->flags);
                        if (calls[i].fn == do_flock || calls[i].fn == do_setlkw || calls[i].fn == do_ofd_setlkw) {
                                lock_file = calls[i].name;
                                put_text(lock_file, "x");
                                int h[2];
                                pipe(h);
                                pid_t holder = fork();
                                if (holder == 0) {
                                        struct flock l = { .l_type = F_WRLCK };
                                        int f = open(lock_file, O_RDWR);
                                        flock(f, LOCK_EX);
                                        fcntl(f, F_SETLK, &l);
                                        write(h[1], "h", 1);
                                        for (;;)
                                                pause();
                                }
                                char c;
                                read(h[0], &c, 1);
                        }
                        write(p[1], "r", 1);
                        errno = 0;
                        r[0] = calls[i].fn();
                        r[1] = errno;
                        write(p[1], r, sizeof r);
                        _exit(0);
                }
                close(p[1]);
                fd[i] = p[0];
        }
        for (unsigned i = 0; i < CALLS; i++) {
                char c = 0;
                while (read(fd[i], &c, 1) == 1 && c != 'r')
                        ;
                state_becomes(pid[i], 'S');
        }
        sleep_ms(60);
        for (unsigned i = 0; i < CALLS; i++) {
                if (m->stop)
                        kill(pid[i], SIGSTOP);
                else if (calls[i].fn != do_sigtimedwait && calls[i].fn != do_sigwaitinfo && calls[i].fn != do_signalfd && calls[i].fn != do_sigsuspend)
                        kill(pid[i], m->sig);
                else if (m->sig != SIGUSR2)
                        kill(pid[i], m->sig);
        }
        if (m->stop) {
                for (unsigned i = 0; i < CALLS; i++)
                        state_becomes(pid[i], 'T');
                for (unsigned i = 0; i < CALLS; i++)
                        kill(pid[i], SIGCONT);
        }
        sleep_ms(150);
        for (unsigned i = 0; i < CALLS; i++)
                settles(pid[i], fd[i], m->handled && m->sig != SIGUSR2 ? &ran[i] : NULL);
        for (unsigned i = 0; i < CALLS; i++) {
                struct pollfd pf = { fd[i], POLLIN, 0 };
                int any = poll(&pf, 1, 0) > 0;
                got[i].r = got[i].e = 0;
                if (any)
                        read(fd[i], &got[i], sizeof got[i]);
                if (!any)
                        say("%s, %s: goes on\n", m->name, calls[i].name);
                else if (got[i].r == -1)
                        say("%s, %s: errno %ld\n", m->name, calls[i].name, got[i].e);
                else
                        say("%s, %s: %ld\n", m->name, calls[i].name, got[i].r);
                kill(-pid[i], SIGKILL);
                kill(pid[i], SIGKILL);
                result_of(pid[i]);
                close(fd[i]);
        }
}

int main(void)
{
        ran = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        sem = semget(IPC_PRIVATE, 1, 0600);
        msg = msgget(IPC_PRIVATE, 0600);
        for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
                char dir[16];
                snprintf(dir, sizeof dir, "mode%u", i);
                mkdir(dir, 0700);
                chdir(dir);
                run(&modes[i]);
                chdir("..");
        }
        semctl(sem, 0, IPC_RMID);
        msgctl(msg, IPC_RMID, NULL);
        CHECK("to the end", 1);
        return done();
}
