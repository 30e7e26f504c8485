/* SPDX-License-Identifier: Apache-2.0
 *
 * sendfile_basic: sendfile.
 */
#include "abi.h"
#include <sys/sendfile.h>

int main(void)
{
        static char big[200000], back[200000];
        off_t       off = 2;
        char        buf[20] = { 0 };
        int         p[2];

        put_text("in", "0123456789");
        int in = open("in", O_RDONLY), out = open("out", O_RDWR | O_CREAT, 0644);
        CHECK("from the offset", sendfile(out, in, NULL, 4) == 4 && lseek(in, 0, SEEK_CUR) == 4);
        CHECK("from a place", sendfile(out, in, &off, 3) == 3 && off == 5);
        CHECK("which leaves the offset", lseek(in, 0, SEEK_CUR) == 4);
        CHECK("what came", !strcmp(text_of("out"), "0123234"));
        off = 8;
        CHECK("to the end", sendfile(out, in, &off, 100) == 2);
        CHECK("at the end", sendfile(out, in, &off, 100) == 0);
        pipe(p);
        off = 0;
        CHECK("into a pipe", sendfile(p[1], in, &off, 10) == 10 && read(p[0], buf, 20) == 10);
        FAILS("from a pipe", EINVAL, sendfile(out, p[0], NULL, 1));
        FAILS("not readable", EBADF, sendfile(out, open("in", O_WRONLY), NULL, 1));
        FAILS("not writable", EBADF, sendfile(in, in, NULL, 1));
        off = -1;
        FAILS("negative", EINVAL, sendfile(out, in, &off, 1));
        for (size_t i = 0; i < sizeof big; i++)
                big[i] = i * 7 / 5;
        put_file("big", big, sizeof big, 0644);
        ftruncate(out, 0);
        lseek(out, 0, SEEK_SET);
        CHECK("much", sendfile(out, open("big", O_RDONLY), NULL, sizeof big) == sizeof big);
        CHECK("all right", pread(out, back, sizeof back, 0) == sizeof back && !memcmp(big, back, sizeof big));
        return done();
}
