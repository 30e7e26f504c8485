/* SPDX-License-Identifier: Apache-2.0
 *
 * pipe_nonblock: pipes without waiting, and their capacity.
 */
#include "abi.h"

int main(void)
{
        static char big[200000];
        int         p[2];
        long        n = 0, got;

        pipe2(p, O_NONBLOCK);
        FAILS("empty", EAGAIN, read(p[0], big, 1));
        CHECK("64 KiB", fcntl(p[0], F_GETPIPE_SZ) == 65536);
        CHECK("as much as fits", write(p[1], big, sizeof big) == 65536);
        FAILS("full", EAGAIN, write(p[1], big, 1));
        CHECK("room for a page", read(p[0], big, PAGE) == PAGE);
        CHECK("up to PIPE_BUF: all", write(p[1], big, PAGE) == PAGE);
        while ((got = read(p[0], big, sizeof big)) > 0)
                n += got;
        CHECK("all came", n == 65536);
        write(p[1], big, 65536 - 2 * PAGE);
        FAILS("PIPE_BUF or nothing", EAGAIN, ({ write(p[1], big, PAGE); write(p[1], big, PAGE - 1); write(p[1], big, PAGE); }));
        while (read(p[0], big, sizeof big) > 0)
                ;
        CHECK("larger", fcntl(p[1], F_SETPIPE_SZ, 100000) == 131072);
        CHECK("takes it", write(p[1], big, sizeof big) == 131072);
        FAILS("too small for its contents", EBUSY, fcntl(p[1], F_SETPIPE_SZ, PAGE));
        close(p[1]);
        n = 0;
        while ((got = read(p[0], big, 1000)) > 0)
                n += got;
        CHECK("and the end", n == 131072 && got == 0);
        return done();
}
