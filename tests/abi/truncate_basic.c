/* SPDX-License-Identifier: Apache-2.0
 *
 * truncate_basic: truncate and ftruncate.
 */
#include "abi.h"

static off_t size_of(const char *path)
{
        struct stat st;

        return stat(path, &st) < 0 ? -1 : st.st_size;
}

int main(void)
{
        char buf[20];

        put_text("file", "0123456789");
        OKAY("shorter", truncate("file", 4));
        CHECK("cut", !strcmp(text_of("file"), "0123"));
        OKAY("longer", truncate("file", 8));
        int fd = open("file", O_RDWR), ro = open("file", O_RDONLY);
        CHECK("zero, not what was there", pread(fd, buf, 20, 0) == 8 && !memcmp(buf, "0123\0\0\0\0", 8));
        OKAY("ftruncate", ftruncate(fd, 100000));
        CHECK("large", size_of("file") == 100000);
        OKAY("to nothing", ftruncate(fd, 0));
        CHECK("empty", size_of("file") == 0);
        lseek(fd, 10, SEEK_SET);
        write(fd, "x", 1);
        CHECK("the offset stays", size_of("file") == 11);
        FAILS("read-only descriptor", EINVAL, ftruncate(ro, 1));
        FAILS("negative", EINVAL, truncate("file", -1));
        FAILS("missing", ENOENT, truncate("missing", 0));
        FAILS("directory", EISDIR, truncate(".", 0));
        FAILS("descriptor", EBADF, ftruncate(99, 0));
        FAILS("pipe", EINVAL, ({ int p[2]; pipe(p); ftruncate(p[1], 0); }));
        OKAY("fallocate", syscall(SYS_fallocate, fd, 0, 0, 20000));
        CHECK("grown", size_of("file") == 20000);
        OKAY("punch a hole", syscall(SYS_fallocate, fd, 3, 0, 11));
        CHECK("zero", pread(fd, buf, 11, 0) == 11 && buf[10] == 0);
        return done();
}
