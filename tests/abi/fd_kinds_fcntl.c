/* SPDX-License-Identifier: Apache-2.0
 *
 * fd_kinds_fcntl: each kind of descriptor by each command of fcntl, and dup and close_range.
 */
#include "fds.h"

static struct flock    l;
static struct f_owner_ex ex;
static uint64_t        hint;

static struct flock *lock(int type)
{
        l = (struct flock){ .l_type = type, .l_len = 4 };
        return &l;
}

int main(void)
{
        EACH("F_GETFD", fcntl(fd, F_GETFD));
        EACH("F_SETFD", fcntl(fd, F_SETFD, FD_CLOEXEC));
        EACH("F_GETFL", fcntl(fd, F_GETFL));
        EACH("F_SETFL O_APPEND", fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
        EACH("F_SETFL O_ASYNC", fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK));
        EACH("F_SETFL O_DIRECT", fcntl(fd, F_SETFL, O_DIRECT | O_NONBLOCK));
        EACH("F_SETFL O_NOATIME", fcntl(fd, F_SETFL, O_NOATIME | O_NONBLOCK));
        EACH("F_DUPFD", ({ int n = fcntl(fd, F_DUPFD, 500); if (n >= 0) close(n); n; }));
        EACH("F_DUPFD_CLOEXEC", ({ int n = fcntl(fd, F_DUPFD_CLOEXEC, 500); if (n >= 0) close(n); n; }));
        EACH("F_DUPFD too high", fcntl(fd, F_DUPFD, 1 << 30));
        EACH("F_GETLK", fcntl(fd, F_GETLK, lock(F_WRLCK)));
        EACH("F_SETLK read", fcntl(fd, F_SETLK, lock(F_RDLCK)));
        EACH("F_SETLK write", fcntl(fd, F_SETLK, lock(F_WRLCK)));
        EACH("F_SETLK unlock", fcntl(fd, F_SETLK, lock(F_UNLCK)));
        EACH("F_SETLK 9", fcntl(fd, F_SETLK, lock(9)));
        EACH("F_OFD_SETLK read", fcntl(fd, F_OFD_SETLK, lock(F_RDLCK)));
        EACH("F_OFD_SETLK write", fcntl(fd, F_OFD_SETLK, lock(F_WRLCK)));
        EACH("F_SETOWN 0", fcntl(fd, F_SETOWN, 0));
        EACH("F_SETOWN nobody", fcntl(fd, F_SETOWN, 4000000));
        EACH("F_GETOWN", fcntl(fd, F_GETOWN));
        EACH("F_GETOWN_EX", syscall(SYS_fcntl, fd, F_GETOWN_EX, &ex));
        EACH("F_SETSIG", fcntl(fd, F_SETSIG, SIGUSR1));
        EACH("F_SETSIG 99", fcntl(fd, F_SETSIG, 99));
        EACH("F_GETSIG", fcntl(fd, F_GETSIG));
        EACH("F_GETPIPE_SZ", fcntl(fd, F_GETPIPE_SZ));
        EACH("F_SETPIPE_SZ", fcntl(fd, F_SETPIPE_SZ, 8192));
        EACH("F_SETPIPE_SZ huge", fcntl(fd, F_SETPIPE_SZ, 1u << 31));
        EACH("F_GET_SEALS", fcntl(fd, F_GET_SEALS));
        EACH("F_ADD_SEALS", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
        EACH("F_GET_RW_HINT", fcntl(fd, 1035, &hint));
        EACH("F_SET_RW_HINT", fcntl(fd, 1036, &hint));
        EACH("F_SET_RW_HINT 9", ({ hint = 9; int r = fcntl(fd, 1036, &hint); hint = 0; r; }));
        EACH("unknown", fcntl(fd, 77));
        EACH("dup", ({ int n = dup(fd); if (n >= 0) close(n); n < 0 ? -1 : 0; }));
        EACH("dup2 to itself", dup2(fd, fd) < 0 ? -1 : 0);
        EACH("dup3 to itself", dup3(fd, fd, 0));
        EACH("dup3 unknown flag", dup3(fd, 500, 1));
        CHECK("the table was gone through", 1);
        return done();
}
