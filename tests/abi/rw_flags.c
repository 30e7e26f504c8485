/* SPDX-License-Identifier: Apache-2.0
 *
 * preadv2, pwritev2: the RWF_ flags on a file in RAM and on a pipe.
 */
#include "abi.h"
#define O_LATER 0x20                    /* RWF_NOAPPEND, which 6.1 does not have */
enum { RWF_HIPRI = 1, RWF_DSYNC = 2, RWF_SYNC = 4, RWF_NOWAIT = 8, RWF_APPEND = 16 };

static char         buf[64];
static struct iovec vec = { buf, 4 };

static ssize_t get(int fd, off_t at, int flags) { return syscall(SYS_preadv2, fd, &vec, 1, at, 0, flags); }

static ssize_t put(int fd, const char *text, off_t at, int flags)
{
        struct iovec out = { (void *)text, strlen(text) };

        return syscall(SYS_pwritev2, fd, &out, 1, at, 0, flags);
}

static const char *content(int fd)
{
        static char all[64];
        ssize_t     n = pread(fd, all, sizeof all - 1, 0);

        all[n > 0 ? n : 0] = 0;
        return all;
}

int main(void)
{
        int fd = open("f", O_RDWR | O_CREAT, 0644), p[2];

        CHECK("no flags", put(fd, "0123456789", 0, 0) == 10 && get(fd, 2, 0) == 4 && !memcmp(buf, "2345", 4));
        CHECK("offset -1 is the position", get(fd, -1, 0) == 4 && lseek(fd, 0, SEEK_CUR) == 4);
        FAILS("offset -2", EINVAL, get(fd, -2, 0));
        CHECK("read, RWF_HIPRI", get(fd, 0, RWF_HIPRI) == 4);
        CHECK("write, RWF_HIPRI", put(fd, "ab", 0, RWF_HIPRI) == 2);
        CHECK("write, RWF_DSYNC", put(fd, "cd", 2, RWF_DSYNC) == 2);
        CHECK("write, RWF_SYNC", put(fd, "ef", 4, RWF_SYNC) == 2);
        CHECK("read, RWF_SYNC", get(fd, 0, RWF_SYNC | RWF_DSYNC) == 4);
        FAILS("an unknown flag", EOPNOTSUPP, get(fd, 0, 0x1000));
        FAILS("an unknown flag, write", EOPNOTSUPP, put(fd, "x", 0, 0x1000));
        FAILS("the flag is looked at after the descriptor", EBADF, get(99, 0, 0x1000));
        FAILS("RWF_NOWAIT on tmpfs", EOPNOTSUPP, get(fd, 0, RWF_NOWAIT));
        FAILS("RWF_NOAPPEND is of a later kernel", EOPNOTSUPP, put(fd, "x", 0, O_LATER));

        CHECK("RWF_APPEND with an offset", put(fd, "tail", 0, RWF_APPEND) == 4 && !strcmp(content(fd), "abcdef6789tail"));
        CHECK("leaves the position", lseek(fd, 0, SEEK_CUR) == 4);
        CHECK("RWF_APPEND at the position", put(fd, "!", -1, RWF_APPEND) == 1 && !strcmp(content(fd), "abcdef6789tail!"));
        CHECK("moves it to the end", lseek(fd, 0, SEEK_CUR) == 15);
        CHECK("read, RWF_APPEND", get(fd, 0, RWF_APPEND) == 4);

        OKAY("pipe", pipe(p));
        FAILS("pipe, an offset", ESPIPE, get(p[0], 0, 0));
        FAILS("pipe, RWF_NOWAIT", EOPNOTSUPP, get(p[0], -1, RWF_NOWAIT));
        CHECK("pipe, RWF_HIPRI", put(p[1], "more", -1, RWF_HIPRI | RWF_SYNC) == 4 && get(p[0], -1, RWF_HIPRI) == 4);
        OKAY("no vectors, an unknown flag", syscall(SYS_preadv2, fd, &vec, 0, 0, 0, 0x1000));
        CHECK("no vectors", syscall(SYS_preadv2, fd, &vec, 0, 0, 0, RWF_HIPRI) == 0);
        return done();
}
