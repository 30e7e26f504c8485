/* SPDX-License-Identifier: Apache-2.0
 *
 * fd_kinds_io: each kind of descriptor by each call that reads, writes or seeks.
 */
#include "fds.h"

static char         buf[8192];
static struct iovec v = { buf, 4 };

int main(void)
{
        signal(SIGPIPE, SIG_IGN);
        EACH("read 0", read(fd, buf, 0));
        EACH("read 4", read(fd, buf, 4));
        EACH("read to nowhere", syscall(SYS_read, fd, BAD_PTR, 16));
        EACH("read huge to nowhere", syscall(SYS_read, fd, BAD_PTR, -1L));
        EACH("write 0", write(fd, buf, 0));
        EACH("write 4", write(fd, "abc\n", 4));
        EACH("write 8", write(fd, "\1\0\0\0\0\0\0\0", 8));
        EACH("write from nowhere", syscall(SYS_write, fd, BAD_PTR, 16));
        EACH("readv", readv(fd, &v, 1));
        EACH("readv none", readv(fd, &v, 0));
        EACH("readv -1", syscall(SYS_readv, fd, &v, -1));
        EACH("writev", writev(fd, &v, 1));
        EACH("writev none", writev(fd, &v, 0));
        EACH("pread", pread(fd, buf, 4, 2));
        EACH("pread -1", pread(fd, buf, 4, -1));
        EACH("pread 0 bytes", pread(fd, buf, 0, 0));
        EACH("pwrite", k_ == K_PROC ? 0 /* not sequential files */ : pwrite(fd, buf, 4, 2));
        EACH("pwrite -1", pwrite(fd, buf, 4, -1));
        EACH("preadv", preadv(fd, &v, 1, 2));
        EACH("pwritev", k_ == K_PROC ? 0 : pwritev(fd, &v, 1, 2));
        EACH("preadv2 -1", syscall(SYS_preadv2, fd, &v, 1, -1L, 0L, 0));
        EACH("preadv2 NOWAIT", syscall(SYS_preadv2, fd, &v, 1, 0L, 0L, 8));
        EACH("preadv2 unknown flag", syscall(SYS_preadv2, fd, &v, 1, 0L, 0L, 64));
        EACH("lseek SET", lseek(fd, 3, SEEK_SET));
        EACH("lseek SET -1", lseek(fd, -1, SEEK_SET));
        EACH("lseek CUR", lseek(fd, 0, SEEK_CUR));
        EACH("lseek END", lseek(fd, 0, SEEK_END) >= 0 ? 0 : -1);
        EACH("lseek DATA", lseek(fd, 0, SEEK_DATA));
        EACH("lseek HOLE", lseek(fd, 0, SEEK_HOLE));
        EACH("lseek 9", lseek(fd, 0, 9));
        EACH("getdents64", syscall(SYS_getdents64, fd, buf, sizeof buf) >= 0 ? 0 : -1);
        EACH("getdents64 of 1", syscall(SYS_getdents64, fd, buf, 1));
        EACH("readahead", readahead(fd, 0, 4));
        EACH("fadvise", syscall(SYS_fadvise64, fd, 0, 0, 0));
        EACH("fadvise 9", syscall(SYS_fadvise64, fd, 0, 0, 9));
        CHECK("the table was gone through", 1);
        return done();
}
