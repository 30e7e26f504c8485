/* SPDX-License-Identifier: Apache-2.0
 *
 * fd_kinds_move: each kind of descriptor as the source and the target of the calls that move data between two.
 */
#include "fds.h"
#include <sys/sendfile.h>

static int   p[2], file, out;
static off_t off;

static void fresh(void)
{
        char b[100];

        while (read(p[0], b, sizeof b) > 0)
                ;
        write(p[1], "abcdefgh", 8);
        lseek(file, 0, SEEK_SET);
        ftruncate(out, 0);
        lseek(out, 0, SEEK_SET);
        off = 2;
}
#define FRESH(call) ({ fresh(); call; })

int main(void)
{
        struct iovec v = { "uvw", 3 };

        signal(SIGPIPE, SIG_IGN);
        must(pipe2(p, O_NONBLOCK) == 0, "pipe");
        put_text("source", "ABCDEFGHIJ");
        file = open("source", O_RDONLY);
        out = open("target", O_RDWR | O_CREAT, 0644);
        EACH("sendfile from", FRESH(sendfile(out, fd, NULL, 4)));
        EACH("sendfile from, offset", FRESH(sendfile(out, fd, &off, 4)));
        EACH("sendfile to", FRESH(sendfile(fd, file, NULL, 4)));
        EACH("sendfile from to a pipe", FRESH(sendfile(p[1], fd, NULL, 4)));
        EACH("sendfile none", FRESH(sendfile(out, fd, NULL, 0)));
        EACH("splice from", FRESH(splice(fd, NULL, p[1], NULL, 4, SPLICE_F_NONBLOCK)));
        EACH("splice from, offset", FRESH(splice(fd, &off, p[1], NULL, 4, SPLICE_F_NONBLOCK)));
        EACH("splice to", FRESH(splice(p[0], NULL, fd, NULL, 4, SPLICE_F_NONBLOCK)));
        EACH("splice to, offset", FRESH(splice(p[0], NULL, fd, &off, 4, SPLICE_F_NONBLOCK)));
        EACH("splice from to a file", FRESH(splice(fd, NULL, out, NULL, 4, SPLICE_F_NONBLOCK)));
        EACH("splice none", FRESH(splice(fd, NULL, p[1], NULL, 0, SPLICE_F_NONBLOCK)));
        EACH("tee from", FRESH(tee(fd, p[1], 4, SPLICE_F_NONBLOCK)));
        EACH("tee to", FRESH(tee(p[0], fd, 4, SPLICE_F_NONBLOCK)));
        EACH("vmsplice", vmsplice(fd, &v, 1, SPLICE_F_NONBLOCK));
        EACH("copy_file_range from", FRESH(syscall(SYS_copy_file_range, fd, NULL, out, NULL, 4, 0)));
        EACH("copy_file_range to", FRESH(syscall(SYS_copy_file_range, file, NULL, fd, NULL, 4, 0)));
        EACH("copy_file_range none", FRESH(syscall(SYS_copy_file_range, fd, NULL, out, NULL, 0, 0)));
        EACH("copy_file_range flag", FRESH(syscall(SYS_copy_file_range, fd, NULL, out, NULL, 4, 1)));
        CHECK("the table was gone through", 1);
        return done();
}
