/* SPDX-License-Identifier: Apache-2.0
 *
 * readv_writev: vectors of buffers.
 */
#include "abi.h"

int main(void)
{
        int          fd = open("file", O_RDWR | O_CREAT, 0644);
        char         a[4] = "abc", b[4] = "def", c[10] = "ghi";
        struct iovec v[4] = { { a, 3 }, { b, 0 }, { b, 3 }, { c, 3 } }, bad[2] = { { a, 3 }, { BAD_PTR, 3 } };
        struct iovec huge[2] = { { a, 3 }, { b, -1UL } };
        static struct iovec many[1025];

        CHECK("writev", writev(fd, v, 4) == 9);
        CHECK("in order", !strcmp(text_of("file"), "abcdefghi"));
        lseek(fd, 0, SEEK_SET);
        struct iovec r[3] = { { c, 2 }, { a, 3 }, { b, 3 } };
        CHECK("readv", readv(fd, r, 3) == 8 && !memcmp(c, "ab", 2) && !memcmp(a, "cde", 3) && !memcmp(b, "fgh", 3));
        CHECK("the rest", readv(fd, r, 3) == 1 && c[0] == 'i');
        CHECK("the end", readv(fd, r, 3) == 0);
        CHECK("preadv", preadv(fd, r, 1, 4) == 2 && !memcmp(c, "ef", 2));
        CHECK("pwritev", pwritev(fd, r, 1, 0) == 2 && !memcmp(text_of("file"), "efcd", 4));
        CHECK("a bad one after a good one", writev(fd, bad, 2) == 3);
        FAILS("a bad one first", EFAULT, writev(fd, bad + 1, 1));
        FAILS("sum too large", EINVAL, writev(fd, huge, 2));
        FAILS("too many", EINVAL, writev(fd, many, 1025));
        CHECK("1024 empty ones", writev(fd, many, 1024) == 0);
        FAILS("negative", EINVAL, readv(fd, r, -1));
        FAILS("bad vector", EFAULT, readv(fd, BAD_PTR, 1));
        int p[2];
        pipe(p);
        v[0].iov_base = "123";
        CHECK("into a pipe", writev(p[1], v, 1) == 3 && readv(p[0], r, 3) == 3);
        return done();
}
