/* SPDX-License-Identifier: Apache-2.0
 * fallocate(2) on tmpfs, SEEK_DATA and SEEK_HOLE, what a hole reads as and weighs. */
#include "abi.h"

#ifndef SEEK_DATA
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif
#define KEEP  1 /* FALLOC_FL_KEEP_SIZE */
#define PUNCH 2
#define COLLAPSE 8
#define ZERO  16
#define INSERT 32

static long fall(int fd, int mode, long off, long len) { return syscall(SYS_fallocate, fd, mode, off, len); }
static long size(int fd)   { struct stat st; fstat(fd, &st); return st.st_size; }
static long pages(int fd)  { struct stat st; fstat(fd, &st); return st.st_blocks / 8; }
static int byte_at(int fd, long off) { unsigned char c; return pread(fd, &c, 1, off) == 1 ? c : -1; }

int main(void)
{
        int fd = open("f", O_CREAT | O_RDWR, 0644);

        OKAY("allocate", fall(fd, 0, 0, 5 * PAGE));
        CHECK("size grows", size(fd) == 5 * PAGE);
        CHECK("pages are there", pages(fd) == 5);
        CHECK("of zeroes", byte_at(fd, 3 * PAGE) == 0);
        OKAY("keeping the size", fall(fd, KEEP, 5 * PAGE, 3 * PAGE));
        CHECK("size is kept", size(fd) == 5 * PAGE);
        CHECK("pages behind the end", pages(fd) == 8);
        OKAY("truncate to the size", ftruncate(fd, 5 * PAGE));
        CHECK("drops them", pages(fd) == 5);
        OKAY("part of a page", fall(fd, 0, 5 * PAGE + 10, 20));
        CHECK("ends where asked", size(fd) == 5 * PAGE + 30);

        char block[PAGE];
        memset(block, 'x', sizeof block);
        for (int i = 0; i < 6; i++)
                pwrite(fd, block, PAGE, i * PAGE);
        ftruncate(fd, 5 * PAGE + 30);
        OKAY("punch one page", fall(fd, PUNCH | KEEP, PAGE, PAGE));
        CHECK("a hole reads zero", byte_at(fd, PAGE) == 0 && byte_at(fd, 2 * PAGE - 1) == 0);
        CHECK("neighbours stay", byte_at(fd, PAGE - 1) == 'x' && byte_at(fd, 2 * PAGE) == 'x');
        CHECK("a page fewer", pages(fd) == 5);
        OKAY("punch parts", fall(fd, PUNCH | KEEP, 3 * PAGE - 10, 20));
        CHECK("parts are zeroed", byte_at(fd, 3 * PAGE - 10) == 0 && byte_at(fd, 3 * PAGE + 9) == 0);
        CHECK("the rest stays", byte_at(fd, 3 * PAGE - 11) == 'x' && byte_at(fd, 3 * PAGE + 10) == 'x');
        CHECK("and weighs the same", pages(fd) == 5);
        OKAY("punch behind the end", fall(fd, PUNCH | KEEP, 100 * PAGE, PAGE));
        CHECK("changes nothing", size(fd) == 5 * PAGE + 30);
        FAILS("punch must keep the size", EOPNOTSUPP, fall(fd, PUNCH, 0, PAGE));

        CHECK("data at 0", lseek(fd, 0, SEEK_DATA) == 0);
        CHECK("first hole", lseek(fd, 0, SEEK_HOLE) == PAGE);
        CHECK("data behind it", lseek(fd, PAGE, SEEK_DATA) == 2 * PAGE);
        CHECK("inside the hole", lseek(fd, PAGE + 7, SEEK_HOLE) == PAGE + 7);
        CHECK("the end is a hole", lseek(fd, 2 * PAGE, SEEK_HOLE) == 5 * PAGE + 30);
        FAILS("behind the end", ENXIO, lseek(fd, 5 * PAGE + 30, SEEK_DATA));
        FAILS("hole behind the end", ENXIO, lseek(fd, 6 * PAGE, SEEK_HOLE));
        FAILS("negative", ENXIO, lseek(fd, -1, SEEK_DATA));
        int sparse = open("sparse", O_CREAT | O_RDWR, 0644);
        OKAY("a file of a hole", ftruncate(sparse, 10 * PAGE));
        CHECK("weighs nothing", pages(sparse) == 0);
        FAILS("has no data", ENXIO, lseek(sparse, 0, SEEK_DATA));
        CHECK("reads as zeroes", byte_at(sparse, 9 * PAGE) == 0);
        CHECK("and reading fills nothing", lseek(sparse, 0, SEEK_HOLE) == 0);

        FAILS("length 0", EINVAL, fall(fd, 0, 0, 0));
        FAILS("negative length", EINVAL, fall(fd, 0, 0, -1));
        FAILS("negative offset", EINVAL, fall(fd, 0, -1, 10));
        FAILS("too far", EFBIG, fall(fd, 0, 0x7fffffffffffffffl, 1));
        FAILS("unknown mode", EOPNOTSUPP, fall(fd, 0x100, 0, PAGE));
        FAILS("collapse", EOPNOTSUPP, fall(fd, COLLAPSE, 0, PAGE));
        FAILS("insert", EOPNOTSUPP, fall(fd, INSERT, 0, PAGE));
        FAILS("zero", EOPNOTSUPP, fall(fd, ZERO, 0, PAGE));
        FAILS("punch and zero", EOPNOTSUPP, fall(fd, PUNCH | ZERO | KEEP, 0, PAGE));
        int ro = open("f", O_RDONLY), p[2], dir = open(".", O_RDONLY);
        pipe(p);
        FAILS("read only", EBADF, fall(ro, 0, 0, PAGE));
        FAILS("pipe", ESPIPE, fall(p[1], 0, 0, PAGE));
        FAILS("directory", EBADF, fall(dir, 0, 0, PAGE));
        FAILS("device", ENODEV, fall(open("/dev/null", O_WRONLY), 0, 0, PAGE));
        FAILS("closed", EBADF, fall(99, 0, 0, PAGE));
        int app = open("f", O_WRONLY | O_APPEND);
        OKAY("append only allocates", fall(app, 0, 0, PAGE));
        OKAY("and punches", fall(app, PUNCH | KEEP, 0, PAGE));
        return done();
}
