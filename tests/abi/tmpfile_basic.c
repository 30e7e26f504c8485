/* SPDX-License-Identifier: Apache-2.0
 * open(2) with O_TMPFILE, linking it into place. */
#include "abi.h"

int main(void)
{
        struct stat st;
        char        link[64], proc[64];

        umask(022);
        int fd = open(".", O_TMPFILE | O_RDWR, 0666);
        CHECK("opened", fd >= 0);
        fstat(fd, &st);
        CHECK("regular, no links", S_ISREG(st.st_mode) && st.st_nlink == 0);
        CHECK("umask counts", (st.st_mode & 0777) == 0644);
        CHECK("written", write(fd, "hello", 5) == 5);
        snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(proc, link, sizeof link - 1);
        CHECK("shown as deleted", n > 10 && !memcmp(link + n - 10, " (deleted)", 10));
        OKAY("linked by /proc", linkat(AT_FDCWD, proc, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
        fstat(fd, &st);
        CHECK("one link", st.st_nlink == 1);
        CHECK("with its content", !stat("named", &st) && st.st_size == 5);
        OKAY("linked by descriptor", linkat(fd, "", AT_FDCWD, "named2", AT_EMPTY_PATH));
        FAILS("name taken", EEXIST, linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
        close(fd);

        fd = open(".", O_TMPFILE | O_EXCL | O_WRONLY, 0600);
        snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
        FAILS("O_EXCL cannot be linked", ENOENT, linkat(AT_FDCWD, proc, AT_FDCWD, "excl", AT_SYMLINK_FOLLOW));
        close(fd);
        FAILS("read only", EINVAL, open(".", O_TMPFILE | O_RDONLY, 0600));
        FAILS("not a directory", ENOTDIR, open("named", O_TMPFILE | O_RDWR, 0600));
        FAILS("missing", ENOENT, open("none", O_TMPFILE | O_RDWR, 0600));
        FAILS("with O_CREAT", EINVAL, open(".", O_TMPFILE | O_CREAT | O_RDWR, 0600));
        FAILS("on proc", EOPNOTSUPP, open("/proc", O_TMPFILE | O_RDWR, 0600));
        mkdir("ro", 0555);
        pid_t pid = fork();
        if (!pid) {
                setresuid(1000, 1000, 1000);
                FAILS("no rights to the directory", EACCES, open("ro", O_TMPFILE | O_RDWR, 0600));
                _exit(failures);
        }
        int status;
        waitpid(pid, &status, 0);
        CHECK("child", status == 0);
        mkdir("sg", 02775);
        chown("sg", 0, 77);
        chmod("sg", 02775);
        fd = open("sg", O_TMPFILE | O_RDWR, 0600);
        fstat(fd, &st);
        CHECK("the directory's group", st.st_gid == 77);
        return done();
}
