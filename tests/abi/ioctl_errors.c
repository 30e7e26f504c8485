/* SPDX-License-Identifier: Apache-2.0
 *
 * ioctl_errors: ioctl: ENOTTY, EBADF and the calls that all files know.
 */
#include "abi.h"
#include <termios.h>

int main(void)
{
        struct termios t;
        struct winsize w;
        int            p[2], n, file = open("file", O_RDWR | O_CREAT, 0644), on1 = 1;

        pipe(p);
        FAILS("a file is no terminal", ENOTTY, tcgetattr(file, &t));
        FAILS("nor a pipe", ENOTTY, ioctl(p[0], TIOCGWINSZ, &w));
        FAILS("nor /dev/null", ENOTTY, ioctl(open("/dev/null", O_RDWR), TCGETS, &t));
        FAILS("nor a directory", ENOTTY, ioctl(open(".", O_RDONLY), TCGETS, &t));
        CHECK("isatty", !isatty(file) && errno == ENOTTY);
        FAILS("descriptor", EBADF, ioctl(99, TCGETS, &t));
        FAILS("unknown", ENOTTY, ioctl(file, 0x12345678, &n));
        write(file, "12345", 5);
        lseek(file, 2, SEEK_SET);
        OKAY("FIONREAD of a file", ioctl(file, FIONREAD, &n));
        CHECK("the rest", n == 3);
        OKAY("FIONBIO", ioctl(p[0], FIONBIO, &on1));
        CHECK("sets O_NONBLOCK", fcntl(p[0], F_GETFL) & O_NONBLOCK);
        OKAY("FIOCLEX", ioctl(p[0], FIOCLEX));
        CHECK("sets close-on-exec", fcntl(p[0], F_GETFD) == FD_CLOEXEC);
        OKAY("FIONCLEX", ioctl(p[0], FIONCLEX));
        CHECK("clears it", fcntl(p[0], F_GETFD) == 0);
        FAILS("pointer", EFAULT, ioctl(p[0], FIONREAD, BAD_PTR));
        return done();
}
