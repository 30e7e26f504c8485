/* SPDX-License-Identifier: Apache-2.0
 *
 * dev_nodes: /dev/null, zero, full, random and urandom.
 */
#include "abi.h"

static int rw(const char *name)
{
        int fd = open(name, O_RDWR);

        must(fd >= 0, name);
        return fd;
}

int main(void)
{
        char a[4096], b[4096];
        int  null = rw("/dev/null"), zero = rw("/dev/zero"), full = rw("/dev/full");

        CHECK("null: end of file", read(null, a, 10) == 0);
        CHECK("null: takes all", write(null, a, 4096) == 4096);
        CHECK("null: even from nowhere", write(null, BAD_PTR, 10) == 10);
        memset(a, 1, sizeof a);
        memset(b, 0, sizeof b);
        CHECK("zero: zeroes", read(zero, a, 4096) == 4096 && !memcmp(a, b, 4096));
        CHECK("zero: takes all", write(zero, a, 4096) == 4096);
        FAILS("zero: bad pointer", EFAULT, read(zero, BAD_PTR, 1));
        memset(a, 1, sizeof a);
        CHECK("full: zeroes", read(full, a, 100) == 100 && a[99] == 0);
        FAILS("full: no space", ENOSPC, write(full, a, 1));
        CHECK("urandom", read(rw("/dev/urandom"), a, 4096) == 4096 && memcmp(a, b, 4096));
        CHECK("random", read(rw("/dev/random"), b, 16) == 16 && memcmp(a, b, 16));
        CHECK("takes more", write(rw("/dev/urandom"), a, 16) == 16);
        mknod("mine", S_IFCHR | 0666, 0x105);
        CHECK("a node of one's own", read(rw("mine"), a, 10) == 10 && a[9] == 0);
        mknod("nobody", S_IFCHR | 0666, 0xfffe);
        FAILS("nobody's number", ENXIO, open("nobody", O_RDWR));
        return done();
}
