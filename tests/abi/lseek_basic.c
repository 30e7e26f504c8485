/* SPDX-License-Identifier: Apache-2.0
 *
 * lseek_basic: lseek, holes, SEEK_DATA and SEEK_HOLE.
 */
#include "abi.h"

int main(void)
{
        int         fd = open("file", O_RDWR | O_CREAT, 0644);
        char        buf[10];
        struct stat st;

        write(fd, "0123456789", 10);
        CHECK("set", lseek(fd, 3, SEEK_SET) == 3 && read(fd, buf, 1) == 1 && buf[0] == '3');
        CHECK("current", lseek(fd, 2, SEEK_CUR) == 6);
        CHECK("end", lseek(fd, -1, SEEK_END) == 9);
        FAILS("before the start", EINVAL, lseek(fd, -1, SEEK_SET));
        FAILS("before the start, from the end", EINVAL, lseek(fd, -11, SEEK_END));
        FAILS("whence", EINVAL, lseek(fd, 0, 99));
        CHECK("beyond the end", lseek(fd, 100000, SEEK_SET) == 100000);
        CHECK("reads nothing", read(fd, buf, 10) == 0);
        fstat(fd, &st);
        CHECK("and changes nothing", st.st_size == 10);
        write(fd, "x", 1);
        fstat(fd, &st);
        CHECK("until written", st.st_size == 100001);
        pread(fd, buf, 10, 50000);
        CHECK("a hole is zero", !memcmp(buf, "\0\0\0\0\0\0\0\0\0\0", 10));
        CHECK("holes take no blocks", st.st_blocks * 512 < 100000);
        CHECK("data", lseek(fd, 0, SEEK_DATA) == 0);
        CHECK("the hole", lseek(fd, 0, SEEK_HOLE) == PAGE);
        CHECK("data again", lseek(fd, PAGE, SEEK_DATA) == 100000 / PAGE * PAGE);
        FAILS("beyond the end", ENXIO, lseek(fd, 200000, SEEK_DATA));
        FAILS("descriptor", EBADF, lseek(99, 0, SEEK_SET));
        CHECK("largest", lseek(fd, LONG_MAX, SEEK_SET) == LONG_MAX || errno == EINVAL);
        CHECK("/dev/null", lseek(open("/dev/null", O_RDWR), 5, SEEK_SET) == 0);
        return done();
}
