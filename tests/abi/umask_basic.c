/* SPDX-License-Identifier: Apache-2.0
 *
 * umask_basic: umask for files, directories, nodes.
 */
#include "abi.h"

static int mode_of(const char *path)
{
        struct stat st;

        return lstat(path, &st) < 0 ? -1 : (int)(st.st_mode & 07777);
}

int main(void)
{
        CHECK("at start", umask(0) == 022);
        close(open("a", O_CREAT | O_RDWR, 0666));
        CHECK("none", mode_of("a") == 0666);
        umask(077);
        close(open("b", O_CREAT | O_RDWR, 06777));
        CHECK("file", mode_of("b") == 06700);
        mkdir("d", 0777);
        CHECK("directory", mode_of("d") == 0700);
        mkfifo("f", 0666);
        CHECK("fifo", mode_of("f") == 0600);
        symlink("x", "l");
        CHECK("links: no", mode_of("l") == 0777);
        chmod("b", 0666);
        CHECK("chmod: no", mode_of("b") == 0666);
        CHECK("bits above are cut", umask(07777) == 077 && umask(0) == 0777);
        int fd = open("e", O_CREAT | O_WRONLY, 0444);
        CHECK("a new read-only file may be written", fd >= 0 && write(fd, "x", 1) == 1);
        return done();
}
