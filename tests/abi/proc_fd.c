/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_fd: /proc/self/fd and fdinfo.
 */
#include "abi.h"
#include <dirent.h>

static int listed(int fd)
{
        DIR           *d = opendir("/proc/self/fd");
        struct dirent *e;
        int            found = 0;

        while ((e = readdir(d)))
                found |= e->d_name[0] != '.' && atoi(e->d_name) == fd;
        closedir(d);
        return found;
}

static const char *target(int fd)
{
        static char buf[300];
        char        path[40];

        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(path, buf, sizeof buf - 1);
        buf[n > 0 ? n : 0] = 0;
        return buf;
}

int main(void)
{
        char path[60], c;
        int  p[2], fd = open("/dev/null", O_RDWR);

        pipe(p);
        dup2(fd, 33);
        CHECK("listed", listed(33) && listed(0) && !listed(34));
        CHECK("a device", !strcmp(target(33), "/dev/null"));
        CHECK("a pipe", !strncmp(target(p[0]), "pipe:[", 6) && !strcmp(strcpy(path, target(p[0])), target(p[1])));
        int file = open("file", O_RDWR | O_CREAT | O_APPEND, 0644);
        CHECK("a file", strstr(target(file), "/file"));
        write(p[1], "x", 1);
        snprintf(path, sizeof path, "/proc/self/fd/%d", p[0]);
        int again = open(path, O_RDONLY | O_NONBLOCK);
        CHECK("a pipe opened again", again >= 0 && read(again, &c, 1) == 1 && c == 'x');
        FAILS("closed", ENOENT, access("/proc/self/fd/99", F_OK));
        struct stat st;
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
        lstat(path, &st);
        CHECK("a link", S_ISLNK(st.st_mode));
        write(file, "12345", 5);
        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", file);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        CHECK("fdinfo, close-on-exec", strstr(text_of("/proc/self/fdinfo/3"), "flags:\t02100002\n"));
        fcntl(fd, F_SETFD, 0);
        CHECK("fdinfo", strstr(text_of(path), "pos:\t5\n") && strstr(text_of(path), "flags:\t0102002\n"));
        return done();
}
