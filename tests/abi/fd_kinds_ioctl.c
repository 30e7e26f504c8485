/* SPDX-License-Identifier: Apache-2.0
 *
 * fd_kinds_ioctl: each kind of descriptor by the ioctls that all know and those of terminals, pipes and sockets; and by mmap.
 */
#include "fds.h"
#include <termios.h>

static int            n, one = 1, zero;
static struct termios t;
static struct winsize w;

static int maps(int fd, int prot, int flags)
{
        void *p = mmap(NULL, PAGE, prot, flags, fd, 0);

        if (p == MAP_FAILED)
                return -1;
        munmap(p, PAGE);
        return 0;
}

int main(void)
{
        signal(SIGHUP, SIG_IGN);
        EACH("FIONBIO 1", ioctl(fd, FIONBIO, &one));
        EACH("FIONBIO nowhere", ioctl(fd, FIONBIO, BAD_PTR));
        EACH("FIOCLEX", ioctl(fd, FIOCLEX));
        EACH("FIONCLEX", ioctl(fd, FIONCLEX));
        EACH("FIOASYNC 0", ioctl(fd, FIOASYNC, &zero));
        EACH("FIGETBSZ", ioctl(fd, 2, &n));
        EACH("FIBMAP", ({ n = 0; ioctl(fd, 1, &n); }));
        EACH("FIONREAD", ({ n = 0; ioctl(fd, FIONREAD, &n) < 0 ? -1 : n; }));
        EACH("TIOCOUTQ", ({ n = 0; ioctl(fd, TIOCOUTQ, &n) < 0 ? -1 : n; }));
        EACH("TCGETS", ioctl(fd, TCGETS, &t));
        EACH("TCSETS nowhere", ioctl(fd, TCSETS, BAD_PTR));
        EACH("TCFLSH", ioctl(fd, TCFLSH, 2));
        EACH("TCFLSH 9", ioctl(fd, TCFLSH, 9));
        EACH("TIOCGWINSZ", ioctl(fd, TIOCGWINSZ, &w));
        EACH("TIOCGPGRP", ioctl(fd, TIOCGPGRP, &n));
        EACH("TIOCGSID", ioctl(fd, TIOCGSID, &n));
        EACH("TIOCGPTN", ioctl(fd, TIOCGPTN, &n));
        EACH("TIOCSTI", ioctl(fd, TIOCSTI, ""));
        EACH("TIOCNOTTY", ioctl(fd, TIOCNOTTY));
        EACH("TIOCEXCL", ioctl(fd, TIOCEXCL));
        EACH("TIOCGETD", ioctl(fd, TIOCGETD, &n));
        EACH("SIOCATMARK", ioctl(fd, 0x8905, &n));
        EACH("SIOCGPGRP", ioctl(fd, 0x8904, &n));
        EACH("SIOCINQ nowhere", ioctl(fd, FIONREAD, BAD_PTR));
        EACH("FICLONE", ioctl(fd, 0x40049409, 0));
        EACH("BLKGETSIZE64", ({ unsigned long long s; ioctl(fd, 0x80081272, &s); }));
        EACH("FS_IOC_FIEMAP nowhere", ioctl(fd, 0xc020660b, BAD_PTR));
        EACH("unknown", ioctl(fd, 0xdeadbeef, 0));
        EACH("mmap shared read", maps(fd, PROT_READ, MAP_SHARED));
        EACH("mmap shared write", maps(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
        EACH("mmap private write", maps(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE));
        EACH("mmap private exec", maps(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE));
        EACH("mmap write only", maps(fd, PROT_WRITE, MAP_PRIVATE));
        EACH("mmap 0 bytes", (long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0));
        EACH("mmap no kind", (long)mmap(NULL, PAGE, PROT_READ, 0, fd, 0));
        CHECK("the table was gone through", 1);
        return done();
}
