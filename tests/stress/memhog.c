/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes memory until there is none, in three ways: touching pages, filling a file on tmpfs, and under
 * RLIMIT_AS.  Each must end in an error or an OOM kill of the hog, and this program goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void touch_all(void)
{
        for (;;) {
                size_t n = 1 << 20;
                char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                if (p == MAP_FAILED)
                        _exit(errno == ENOMEM ? 10 : 11);
                for (size_t i = 0; i < n; i += 4096)
                        p[i] = 1;
        }
}

static void fill_file(void)
{
        static char block[65536];
        int fd = open("/tmp/hog", O_RDWR | O_CREAT | O_TRUNC, 0600);
        for (;;)
                if (write(fd, block, sizeof block) < 0)
                        _exit(errno == ENOSPC || errno == ENOMEM ? 10 : 11);
}

static void limited(void)
{
        struct rlimit as = { 64 << 20, 64 << 20 };
        setrlimit(RLIMIT_AS, &as);
        for (;;)
                if (!malloc(1 << 20))
                        _exit(errno == ENOMEM ? 10 : 11);
}

static void run(const char *name, void (*hog)(void))
{
        int status = 0;
        pid_t pid = fork();

        if (pid == 0)
                hog();
        if (pid < 0) {
                printf("%s: fork: %s\n", name, strerror(errno));
                return;
        }
        waitpid(pid, &status, 0);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
                printf("%s: ended\n", name);            /* by the OOM killer */
        else if (WIFEXITED(status) && WEXITSTATUS(status) == 10)
                printf("%s: ended\n", name);            /* by an error */
        else
                printf("%s: status %x\n", name, status);
        fflush(stdout);
}

int main(void)
{
        run("pages", touch_all);
        run("file", fill_file);
        unlink("/tmp/hog");
        run("limit", limited);
        return system("echo the shell answers") ? 1 : 0;
}
