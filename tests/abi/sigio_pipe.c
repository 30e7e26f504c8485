/* O_ASYNC, F_SETOWN, F_SETOWN_EX, F_SETSIG on pipes and terminals: who is told, when, and what. */
#include "abi.h"
#include <pthread.h>
#include <termios.h>

#ifndef F_SETSIG
#define F_SETSIG 10
#define F_GETSIG 11
#endif
#ifndef F_SETOWN_EX
#define F_SETOWN_EX 15
#define F_GETOWN_EX 16
struct f_owner_ex { int type; pid_t pid; };
#define F_OWNER_TID 0
#define F_OWNER_PID 1
#define F_OWNER_PGRP 2
#endif

static volatile int count, rt, code, band, fd_of, from;
static void plain(int sig, siginfo_t *si, void *ctx)
{
        (void)sig, (void)ctx;
        count++, code = si->si_code;
}
static void with_info(int sig, siginfo_t *si, void *ctx)
{
        (void)sig, (void)ctx;
        rt++, code = si->si_code, band = si->si_band, fd_of = si->si_fd, from = gettid();
}
static void catch(int sig, void (*fn)(int, siginfo_t *, void *))
{
        struct sigaction sa = { .sa_sigaction = fn, .sa_flags = SA_SIGINFO | SA_RESTART };
        sigaction(sig, &sa, NULL);
}

static int taken(volatile int *n)
{
        int was = *n;
        *n = 0;
        return was;
}

static void owners(int fd)
{
        struct f_owner_ex ex = { 9, 9 };

        CHECK("no owner", fcntl(fd, F_GETOWN) == 0 && fcntl(fd, F_GETOWN_EX, &ex) == 0 && ex.pid == 0);
        FAILS("no such process", ESRCH, fcntl(fd, F_SETOWN, 1 << 21));
        FAILS("no such group", ESRCH, fcntl(fd, F_SETOWN, -(1 << 21)));
        ex = (struct f_owner_ex){ 7, getpid() };
        FAILS("no such kind", EINVAL, fcntl(fd, F_SETOWN_EX, &ex));
        ex = (struct f_owner_ex){ F_OWNER_PID, 1 << 21 };
        FAILS("no such process, ex", ESRCH, fcntl(fd, F_SETOWN_EX, &ex));
        FAILS("from nowhere", EFAULT, fcntl(fd, F_SETOWN_EX, BAD_PTR));
        FAILS("to nowhere", EFAULT, fcntl(fd, F_GETOWN_EX, BAD_PTR));
        ex = (struct f_owner_ex){ F_OWNER_PGRP, getpgrp() };
        OKAY("a group", fcntl(fd, F_SETOWN_EX, &ex));
        CHECK("reads as one", fcntl(fd, F_GETOWN_EX, &ex) == 0 && ex.type == F_OWNER_PGRP && ex.pid == getpgrp());
        ex = (struct f_owner_ex){ F_OWNER_TID, gettid() };
        OKAY("a thread", fcntl(fd, F_SETOWN_EX, &ex));
        ex = (struct f_owner_ex){ 9, 9 };
        CHECK("reads as one", fcntl(fd, F_GETOWN_EX, &ex) == 0 && ex.type == F_OWNER_TID && ex.pid == gettid());
        OKAY("nobody", fcntl(fd, F_SETOWN, 0));
        CHECK("reads as nobody", fcntl(fd, F_GETOWN) == 0);
        FAILS("no such signal", EINVAL, fcntl(fd, F_SETSIG, 65));
        CHECK("signal 0", fcntl(fd, F_GETSIG) == 0);
        OKAY("signal 40", fcntl(fd, F_SETSIG, 40));
        CHECK("reads as 40", fcntl(fd, F_GETSIG) == 40);
        OKAY("signal 0 again", fcntl(fd, F_SETSIG, 0));
}

static void async(int fd, int on)
{
        int fl = fcntl(fd, F_GETFL);
        must(fcntl(fd, F_SETFL, on ? fl | O_ASYNC : fl & ~O_ASYNC) == 0, "F_SETFL");
}

static void readers(int r, int w)
{
        char b[10];

        CHECK("O_ASYNC is off", (fcntl(r, F_GETFL) & O_ASYNC) == 0);
        async(r, 1);
        CHECK("O_ASYNC is on", (fcntl(r, F_GETFL) & O_ASYNC) != 0);
        write(w, "x", 1);
        CHECK("no owner, no signal", taken(&count) == 0);
        fcntl(r, F_SETOWN, getpid());
        write(w, "x", 1);
        CHECK("SIGIO for each write", taken(&count) == 1 && code == SI_KERNEL);
        write(w, "x", 1);
        CHECK("again, though there was something", taken(&count) == 1);
        read(r, b, 10);
        CHECK("not for reads", taken(&count) == 0);
        fcntl(r, F_SETSIG, 40);
        write(w, "x", 1);
        CHECK("another signal tells", taken(&rt) == 1 && code == POLL_IN && band == (POLLIN | POLLRDNORM) && fd_of == r);
        fcntl(r, F_SETSIG, SIGIO);
        catch(SIGIO, with_info);
        write(w, "x", 1);
        CHECK("so does SIGIO, if asked for", taken(&rt) == 1 && code == POLL_IN && band == (POLLIN | POLLRDNORM) && fd_of == r);
        catch(SIGIO, plain);
        fcntl(r, F_SETSIG, 0);
        async(r, 0);
        write(w, "x", 1);
        CHECK("off", taken(&count) == 0 && (fcntl(r, F_GETFL) & O_ASYNC) == 0);
        int on = 1;
        OKAY("FIOASYNC", ioctl(r, FIOASYNC, &on));
        CHECK("shows", (fcntl(r, F_GETFL) & O_ASYNC) != 0);
        write(w, "x", 1);
        CHECK("and works", taken(&count) == 1);
        int dup2nd = dup(r);
        close(r);
        write(w, "x", 1);
        CHECK("a duplicate keeps it", taken(&count) == 1);
        dup2(dup2nd, r);
        close(dup2nd);
        write(w, "", 0);
        CHECK("nothing written, no signal", taken(&count) == 0);
        read(r, b, 10);
}

static void writers(int r, int w)
{
        char b[4096] = { 0 };

        async(r, 0);
        fcntl(w, F_SETOWN, getpid());
        fcntl(w, F_SETSIG, 40);
        async(w, 1);
        write(w, b, 100);
        CHECK("a writer is not told of writes", taken(&rt) == 0);
        read(r, b, 10);
        CHECK("but of reads", taken(&rt) == 1 && code == POLL_OUT && band == (POLLOUT | POLLWRNORM | POLLWRBAND) && fd_of == w);
        async(w, 0);
        read(r, b, 4096);
        CHECK("off", taken(&rt) == 0);
}

static void ends(void)
{
        int p[2];

        must(pipe(p) == 0, "pipe");
        fcntl(p[0], F_SETOWN, getpid());
        fcntl(p[0], F_SETSIG, 40);
        async(p[0], 1);
        close(p[1]);
        CHECK("the other end closes", taken(&rt) == 1 && code == POLL_IN);
        close(p[0]);
        CHECK("one's own end closes", taken(&rt) == 0);
}

static void *threaded(void *arg)
{
        int *p = arg;
        struct f_owner_ex ex = { F_OWNER_TID, gettid() };

        fcntl(p[0], F_SETOWN_EX, &ex);
        write(p[2], "x", 1);
        for (int i = 0; i < 1000 && !rt; i++)
                sleep_ms(1);
        return (void *)(long)(rt == 1 && from == gettid());
}

static void owned_by_thread(int r, int w)
{
        int go[2], p[3];
        pthread_t t;
        void *good;
        char c;

        must(pipe(go) == 0, "pipe");
        p[0] = r, p[1] = w, p[2] = go[1];
        fcntl(r, F_SETSIG, 40);
        async(r, 1);
        pthread_create(&t, NULL, threaded, p);
        read(go[0], &c, 1);
        write(w, "x", 1);
        pthread_join(t, &good);
        CHECK("a thread is told", good != NULL);
        taken(&rt);
        write(w, "x", 1);
        CHECK("an ended one is not", taken(&rt) == 0);
        read(r, &c, 1), read(r, &c, 1);
        fcntl(r, F_SETOWN, getpid());
}

static int other_user(void)
{
        return 0;
}

static void permissions(int r, int w)
{
        int p[2];
        char c;

        must(pipe(p) == 0, "pipe");
        pid_t kid = fork();
        if (kid == 0) {
                catch(SIGIO, plain);
                write(p[1], "r", 1);
                for (int i = 0; i < 20 && !count; i++)
                        sleep_ms(10);
                _exit(count);
        }
        read(p[0], &c, 1);
        pid_t user = fork();
        if (user == 0) {
                become_user(1000);
                _exit(fcntl(r, F_SETOWN, kid) == 0 ? 0 : 1);
        }
        CHECK("another user may name it", result_of(user) == 0);
        fcntl(r, F_SETSIG, 0);
        async(r, 1);
        write(w, "x", 1);
        CHECK("but nothing is sent", result_of(kid) == 0);
        read(r, &c, 1);
        (void)other_user;
}

static void terminal(void)
{
        int m = open("/dev/ptmx", O_RDWR | O_NOCTTY), n = 0;
        char name[64];

        ioctl(m, TIOCSPTLCK, &n);
        ioctl(m, TIOCGPTN, &n);
        snprintf(name, sizeof name, "/dev/pts/%d", n);
        int s = open(name, O_RDWR | O_NOCTTY);
        must(s >= 0, "slave");
        fcntl(s, F_SETOWN, getpid());
        async(s, 1);
        taken(&count);
        write(m, "half", 4);
        CHECK("half a line is nothing", taken(&count) == 0);
        write(m, " line\n", 6);
        for (int i = 0; i < 2000 && !count; i++)
                sleep_ms(5);
        CHECK("a line is", taken(&count) >= 1);
        async(s, 0);
        fcntl(s, F_SETOWN, 0);
        async(s, 1);
        CHECK("who asks is the owner", fcntl(s, F_GETOWN) == getpid());
        int on = 1, f = open("file", O_RDWR | O_CREAT, 0600);
        FAILS("a file knows no O_ASYNC: FIOASYNC", ENOTTY, ioctl(f, FIOASYNC, &on));
        OKAY("F_SETFL", fcntl(f, F_SETFL, O_ASYNC));
        close(f), close(s), close(m);
}

int main(void)
{
        int p[2];

        catch(SIGIO, plain);
        catch(40, with_info);
        must(pipe(p) == 0, "pipe");
        owners(p[0]);
        readers(p[0], p[1]);
        writers(p[0], p[1]);
        ends();
        owned_by_thread(p[0], p[1]);
        permissions(p[0], p[1]);
        terminal();
        return done();
}
