/* SPDX-License-Identifier: Apache-2.0
 *
 * pread_pwrite: pread and pwrite leave the offset alone.
 */
#include "abi.h"

int main(void)
{
        int  fd = open("file", O_RDWR | O_CREAT, 0644);
        char buf[10];

        write(fd, "0123456789", 10);
        lseek(fd, 5, SEEK_SET);
        CHECK("pread", pread(fd, buf, 3, 2) == 3 && !memcmp(buf, "234", 3));
        CHECK("pwrite", pwrite(fd, "abc", 3, 8) == 3);
        CHECK("the offset", lseek(fd, 0, SEEK_CUR) == 5);
        CHECK("the contents", !strcmp(text_of("file"), "01234567abc"));
        CHECK("at the end", pread(fd, buf, 3, 11) == 0);
        CHECK("over the end", pread(fd, buf, 9, 9) == 2);
        FAILS("negative", EINVAL, pread(fd, buf, 3, -1));
        FAILS("negative, writing", EINVAL, pwrite(fd, buf, 3, -1));
        FAILS("pointer", EFAULT, pread(fd, BAD_PTR, 3, 0));
        CHECK("nothing to read", pread(fd, BAD_PTR, 0, 0) == 0);
        CHECK("behind a gap", pwrite(fd, "x", 1, 20) == 1 && pread(fd, buf, 9, 12) == 9 && buf[0] == 0 && buf[8] == 'x');
        return done();
}
