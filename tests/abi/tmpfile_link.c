/* SPDX-License-Identifier: Apache-2.0
 *
 * tmpfile_link: O_TMPFILE: which flags, how a name is given, what stat and /proc say before and after; AT_EMPTY_PATH; ETXTBSY.
 */
#include "show.h"

static char *proc_of(int fd)
{
        static char p[64];

        snprintf(p, sizeof p, "/proc/self/fd/%d", fd);
        return p;
}

static int user(void)
{
        become_user(1000);
        int fd = open("all", O_TMPFILE | O_RDWR, 0600);
        SHOW("a user's own", fd >= 0);
        SHOW("AT_EMPTY_PATH without rights", linkat(fd, "", AT_FDCWD, "all/u", AT_EMPTY_PATH));
        SHOW("where one may not", open("mine", O_TMPFILE | O_RDWR, 0600));
        SHOW("mode 0, still open", write(open("all", O_TMPFILE | O_RDWR, 0), "x", 1));
        return done();
}

int main(void)
{
        struct stat st;
        char text[300];

        mkdir("d", 0755);
        put_text("f", "");
        SHOW("reading only", open("d", O_TMPFILE | O_RDONLY, 0600));
        SHOW("with O_CREAT", open("d", O_TMPFILE | O_RDWR | O_CREAT, 0600));
        SHOW("a file", open("f", O_TMPFILE | O_RDWR, 0600));
        SHOW("missing", open("none", O_TMPFILE | O_RDWR, 0600));
        SHOW("the bit alone", open("d", (O_TMPFILE & ~O_DIRECTORY) | O_RDWR, 0600));
        SHOW("a link to a directory", (symlink("d", "l"), close(open("l", O_TMPFILE | O_RDWR, 0600))));
        SHOW("and O_NOFOLLOW", open("l", O_TMPFILE | O_RDWR | O_NOFOLLOW, 0600));
        SHOW("O_TRUNC", close(open("d", O_TMPFILE | O_RDWR | O_TRUNC, 0600)));
        SHOW("in /proc", open("/proc", O_TMPFILE | O_RDWR, 0600));
        SHOW("in /sys", open("/sys", O_TMPFILE | O_RDWR, 0600));
        umask(027);
        int fd = open("d", O_TMPFILE | O_WRONLY, 0666);
        SHOW("open", fd >= 0);
        SHOW("links", (fstat(fd, &st), st.st_nlink));
        SHOW("mode", st.st_mode & 07777);
        SHOW("flags", (fcntl(fd, F_GETFL) & (O_ACCMODE | O_TMPFILE)) == O_WRONLY || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY);
        SHOW("write", write(fd, "text", 4));
        SHOW("readlink says deleted", ({ int n = readlink(proc_of(fd), text, sizeof text - 1); text[n > 0 ? n : 0] = 0; strstr(text, " (deleted)") != NULL; }));
        SHOW("by name", linkat(AT_FDCWD, proc_of(fd), AT_FDCWD, "d/name", AT_SYMLINK_FOLLOW));
        SHOW("links", (fstat(fd, &st), st.st_nlink));
        SHOW("is that file", !strcmp(text_of("d/name"), "text"));
        SHOW("another name", linkat(AT_FDCWD, proc_of(fd), AT_FDCWD, "d/name2", AT_SYMLINK_FOLLOW));
        SHOW("taken", linkat(AT_FDCWD, proc_of(fd), AT_FDCWD, "d/name2", AT_SYMLINK_FOLLOW));
        SHOW("without following", linkat(AT_FDCWD, proc_of(fd), AT_FDCWD, "d/name3", 0));
        unlink("d/name");
        unlink("d/name2");
        SHOW("links", (fstat(fd, &st), st.st_nlink));
        SHOW("no name any more: by /proc", linkat(AT_FDCWD, proc_of(fd), AT_FDCWD, "d/name", AT_SYMLINK_FOLLOW));
        SHOW("no name any more: AT_EMPTY_PATH", linkat(fd, "", AT_FDCWD, "d/name", AT_EMPTY_PATH));
        close(fd);
        fd = open("d", O_TMPFILE | O_RDWR | O_EXCL, 0600);
        SHOW("O_EXCL", fd >= 0);
        SHOW("never a name", linkat(AT_FDCWD, proc_of(fd), AT_FDCWD, "d/name", AT_SYMLINK_FOLLOW));
        SHOW("not by AT_EMPTY_PATH", linkat(fd, "", AT_FDCWD, "d/name", AT_EMPTY_PATH));
        close(fd);
        fd = open("d", O_TMPFILE | O_RDWR, 0755);
        SHOW("AT_EMPTY_PATH", linkat(fd, "", AT_FDCWD, "d/prog", AT_EMPTY_PATH));
        SHOW("of a directory", linkat(open("d", O_RDONLY), "", AT_FDCWD, "d2", AT_EMPTY_PATH));
        SHOW("of O_PATH", linkat(open("f", O_PATH), "", AT_FDCWD, "f2", AT_EMPTY_PATH));
        SHOW("of a pipe", ({ int p[2]; pipe(p); linkat(p[0], "", AT_FDCWD, "f3", AT_EMPTY_PATH); }));
        SHOW("unknown flag", linkat(fd, "", AT_FDCWD, "d/x", AT_EMPTY_PATH | AT_REMOVEDIR));

        /* Running what is open for writing, and writing what is run. */
        put_file("prog", "#!/bin/true\n", 12, 0755);
        int w = open("prog", O_WRONLY);
        SHOW("run while open for writing", ({ pid_t pid = fork(); if (!pid) { execl("prog", "prog", NULL); _exit(errno); } result_of(pid); }));
        close(w);
        char self[256];
        int n = readlink("/proc/self/exe", self, sizeof self - 1);
        self[n > 0 ? n : 0] = 0;
        SHOW("write what is run", open(self, O_WRONLY));
        SHOW("both", open(self, O_RDWR));
        SHOW("cut it by opening", open(self, O_RDONLY | O_TRUNC));
        SHOW("cut it", truncate(self, 0));
        SHOW("read it", close(open(self, O_RDONLY)));
        SHOW("append to it", open(self, O_WRONLY | O_APPEND));
        SHOW("create it", open(self, O_CREAT | O_WRONLY, 0755));
        SHOW("chmod it", chmod(self, 0755));

        mkdir("all", 0777);
        chmod("all", 0777);
        mkdir("mine", 0700);
        CHECK("as a user", in_child(user) == 0);
        return done();
}
