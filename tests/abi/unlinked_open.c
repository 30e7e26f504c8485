/* SPDX-License-Identifier: Apache-2.0
 *
 * unlinked_open: a file without a name lives until its last descriptor goes.
 */
#include "abi.h"

int main(void)
{
        char        buf[10], name[64], to[256] = { 0 };
        struct stat st;
        int         fd = open("file", O_RDWR | O_CREAT, 0644);

        write(fd, "hello", 5);
        unlink("file");
        FAILS("no name", ENOENT, access("file", F_OK));
        CHECK("still readable", pread(fd, buf, 10, 0) == 5);
        CHECK("still writable", write(fd, "more", 4) == 4);
        fstat(fd, &st);
        CHECK("no links", st.st_nlink == 0 && st.st_size == 9);
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        readlink(name, to, sizeof to - 1);
        CHECK("procfs says deleted", strstr(to, "/file (deleted)"));
        int again = open(name, O_RDONLY);
        CHECK("and opens it again", again >= 0 && read(again, buf, 5) == 5 && !memcmp(buf, "hello", 5));
        put_text("file", "new");
        CHECK("another of the same name", pread(fd, buf, 5, 0) == 5 && !memcmp(buf, "hello", 5));
        pid_t pid = fork();
        if (pid == 0) {
                close(again);
                _exit(pread(fd, buf, 5, 0) == 5 ? 3 : 4);
        }
        close(fd);
        CHECK("in a child", result_of(pid) == 3);
        CHECK("by the other descriptor", pread(again, buf, 5, 0) == 5);
        return done();
}
