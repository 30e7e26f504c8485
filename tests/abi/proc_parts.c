/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_parts: /proc/locks and /proc/net/unix are told to the end, however long they are; and what a dead process's status leaves out.
 */
#include "abi.h"
#include <sys/socket.h>
#include <sys/un.h>

#define FILES   150
#define LOCKS   400
#define SOCKETS 14000

/* How many lines of a text have a word, read so many bytes at a time. */
static int lines_with(const char *path, const char *word, size_t piece)
{
        static char text[1 << 17];
        size_t len = 0;
        int    fd = open(path, O_RDONLY), found = 0;

        must(fd >= 0, path);
        for (;;) {
                ssize_t n = read(fd, text + len, piece);
                must(n >= 0, "read");
                if (n == 0)
                        break;
                text[len += n] = 0;
                char *line = text;
                for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
                        *end = 0;
                        found += strstr(line, word) != NULL;
                }
                len = strlen(line);
                memmove(text, line, len);
        }
        close(fd);
        return found;
}

static void locks(void)
{
        struct flock f = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
        static int fd[FILES];
        char name[32], word[64];
        int  good = 0;

        for (int i = 0; i < FILES; i++) {
                snprintf(name, sizeof name, "file%d", i);
                fd[i] = open(name, O_RDWR | O_CREAT, 0600);
                for (int l = 0; l < LOCKS; l++) {
                        f.l_start = 1000000000 + 2 * (long)l;
                        good += fcntl(fd[i], F_SETLK, &f) == 0;
                }
        }
        CHECK("all locks are taken", good == FILES * LOCKS);
        snprintf(word, sizeof word, "POSIX  ADVISORY  WRITE %d ", getpid());
        CHECK("and told", lines_with("/proc/locks", word, 65536) == FILES * LOCKS);
        snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd[FILES - 1]);
        CHECK("those of one file as well", lines_with(name, "POSIX", 65536) == LOCKS);
        for (int i = 0; i < FILES; i++)
                close(fd[i]);
        CHECK("they are gone with their files", lines_with("/proc/locks", word, 1000) == 0);
}

static void sockets(void)
{
        struct rlimit many = { SOCKETS + 100, SOCKETS + 100 };
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        char rest[90];
        int  good = 0;

        must(setrlimit(RLIMIT_NOFILE, &many) == 0, "RLIMIT_NOFILE");
        memset(rest, 'x', sizeof rest - 1);
        rest[sizeof rest - 1] = 0;
        for (int i = 0; i < SOCKETS; i++) {
                int s = socket(AF_UNIX, SOCK_DGRAM, 0);
                int n = snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "part%05d%s", i, rest);
                good += bind(s, (struct sockaddr *)&a, 3 + n) == 0;
        }
        CHECK("all sockets have names", good == SOCKETS);
        CHECK("and are told", lines_with("/proc/net/unix", "@part", 65536) == SOCKETS);
        CHECK("with one heading", lines_with("/proc/net/unix", "RefCount", 65536) == 1);
}

static void dead(void)
{
        char  path[64];
        pid_t pid = fork();

        if (pid == 0)
                _exit(0);
        must(state_becomes(pid, 'Z'), "dead");
        snprintf(path, sizeof path, "/proc/%d/status", pid);
        CHECK("the dead have no umask", lines_with(path, "Umask", 1000) == 0);
        CHECK("and no descriptors", lines_with(path, "FDSize:\t0", 1000) == 1);
        CHECK("the living have", lines_with("/proc/self/status", "Umask:\t0022", 1000) == 1);
        result_of(pid);
}

int main(void)
{
        umask(022);
        dead();
        locks();
        sockets();
        return done();
}
