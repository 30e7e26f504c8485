/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: core dumps into a program (core(5)): its arguments, what it finds, RLIMIT_CORE, core_pipe_limit, programs that are
 * not there, do not read or are killed.  This program is its own collector.
 */
#include "show.h"
#include <dirent.h>
#include <elf.h>
#include <sys/prctl.h>

#define PATTERN "/proc/sys/kernel/core_pattern"
#define LIMIT   "/proc/sys/kernel/core_pipe_limit"
#define OUT     "/tmp/core_pipe"

/* ---- The collector: collect MODE DYING ARGS ---- */

/* Reads all; *expected: the length by the program headers, which come within the first 64 KiB. */
static size_t drain(size_t *expected)
{
        static char buf[65536];
        size_t n = 0, head = 0;
        ssize_t got;

        while ((got = read(0, buf + head, sizeof buf - head)) > 0 && (head += got) < sizeof buf)
                ;
        n = head;
        Elf64_Ehdr *h = (Elf64_Ehdr *)buf;
        Elf64_Phdr *p = (Elf64_Phdr *)(buf + h->e_phoff);
        for (int i = 0; i < h->e_phnum && (char *)(p + i + 1) <= buf + head; i++)
                if (p[i].p_offset + p[i].p_filesz > *expected)
                        *expected = p[i].p_offset + p[i].p_filesz;
        while ((got = read(0, buf, sizeof buf)) > 0)
                n += got;
        return n;
}

static int count_fds(void)
{
        int n = 0;
        DIR *d = opendir("/proc/self/fd");
        for (struct dirent *e; (e = readdir(d));)
                n += e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d);
        closedir(d);
        return n;
}

extern char **environ;
static int collect(int argc, char **argv)
{
        char cwd[100] = "", path[64], text[4096];
        struct rlimit r;
        struct stat st;
        size_t expected = 0, n = 0;
        int envs = 0, len = 0;

        if (!strcmp(argv[2], "deaf"))
                return 0;
        if (!strcmp(argv[2], "asleep")) {               /* until it writes, and then until the writer is gone */
                struct pollfd w = { .fd = 0 };
                int have = 0;
                AWAIT(ioctl(0, FIONREAD, &have) == 0 && have >= PAGE);
                put_text(OUT, "begun");
                poll(&w, 1, 60000);
                return 0;
        }
        n = drain(&expected);
        if (!strcmp(argv[2], "slow"))
                sleep_ms(150);
        getrlimit(RLIMIT_CORE, &r);
        getcwd(cwd, sizeof cwd);
        while (environ[envs])
                envs++;
        snprintf(path, sizeof path, "/proc/%s", argv[3]);
        len += sprintf(text + len, "uid %d gid %d cwd %s fds %d core %ld %ld pgrp %d sid %d env %d\n", geteuid(), getegid(), cwd, count_fds(),
                       (long)r.rlim_cur, (long)r.rlim_max, getpgrp(), getsid(0), envs);
        for (int i = 0; i < envs; i++)
                len += sprintf(text + len, "env %s\n", environ[i]);
        len += sprintf(text + len, "input %s %s\n", n && n == expected ? "whole" : n ? "not whole" : "empty", fstat(0, &st) == 0 && S_ISFIFO(st.st_mode) ? "pipe" : "other");
        len += sprintf(text + len, "args");
        for (int i = 4; i < argc; i++)
                len += sprintf(text + len, " <%s>", argv[i]);
        sprintf(text + len, "\ndying process %s\n", stat(path, &st) ? "gone" : "there");
        if (!strcmp(argv[2], "plain"))                  /* whether it is there is a race */
                strstr(text, "dying")[0] = 0;
        put_text(OUT ".new", text);
        rename(OUT ".new", OUT);
        return 0;
}

/* ---- Those that dump ---- */

static char *self;
static void pattern(const char *format, ...)
{
        char text[200];
        va_list ap;

        va_start(ap, format);
        int n = snprintf(text, sizeof text, "|%s collect ", self);
        vsnprintf(text + n, sizeof text - n, format, ap);
        va_end(ap);
        must(strlen(text) < 128 && set_text(PATTERN, text) == 0, "core_pattern");
}

static int dies(rlim_t limit, void (*prepare)(void))
{
        struct rlimit r = { limit, limit };
        int st = 0;

        unlink(OUT);
        pid_t pid = fork();
        if (pid == 0) {
                setrlimit(RLIMIT_CORE, &r);
                if (prepare)
                        prepare();
                raise(SIGQUIT);
                _exit(0);
        }
        waitpid(pid, &st, 0);
        return st;
}

static int file_comes(void)
{
        return AWAIT(access(OUT, F_OK) == 0);
}

static void show_end(const char *title, int st)
{
        say("%s: signal %d core %d\n", title, WIFSIGNALED(st) ? WTERMSIG(st) : 0, WCOREDUMP(st) ? 1 : 0);
}

static void show_all(const char *title, rlim_t limit, void (*prepare)(void))
{
        show_end(title, dies(limit, prepare));
        if (file_comes())
                say("%s", text_of(OUT));
}

static void user(void) { become_user(1000); prctl(PR_SET_DUMPABLE, 1); }
static void named(void) { prctl(PR_SET_NAME, "a b/c"); }
static void undumpable(void) { prctl(PR_SET_DUMPABLE, 0); }

static void killed(void)
{
        int st;

        unlink(OUT);
        pid_t pid = fork();
        if (pid == 0) {
                char *p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                memset(p, 1, 4 << 20);
                raise(SIGQUIT);
        }
        must(file_comes(), "it dumps");
        CHECK("it is still there", waitpid(pid, &st, WNOHANG) == 0);
        kill(pid, SIGKILL);
        CHECK("SIGKILL ends the dump", waitpid(pid, &st, 0) == pid);
        say("killed: signal %d core %d\n", WTERMSIG(st), WCOREDUMP(st) ? 1 : 0);
}

int main(int argc, char **argv)
{
        static char path[100], old[130];

        if (argc > 2 && !strcmp(argv[1], "collect"))
                return collect(argc, argv);
        must(readlink("/proc/self/exe", path, sizeof path - 1) > 0, "exe");
        /* A short name, so that the pattern has room. */
        unlink("/tmp/cp");
        must(symlink(path, "/tmp/cp") == 0, "symlink");
        self = "/tmp/cp";
        strcpy(old, text_of(PATTERN));
        say("limit %s", text_of(LIMIT));

        set_text(LIMIT, "4");
        pattern("wait %%p %%u %%g %%s %%d %%c x%%%%y %%q%%z  end  \n");
        show_all("core limit 0", 0, NULL);
        show_all("core limit 4096", 4096, NULL);
        show_all("a user's", RLIM_INFINITY, user);
        pattern("wait %%P %%e<%%s>%%e");
        show_all("a name with blanks", 0, named);
        show_end("core limit 1", dies(1, NULL));
        CHECK("no collector ran", access(OUT, F_OK) < 0);
        show_end("core limit 2", dies(2, NULL));
        show_end("not dumpable", dies(0, undumpable));
        set_text("/proc/sys/kernel/core_uses_pid", "1");
        pattern("wait %%p end");
        show_all("core_uses_pid", 0, NULL);
        pattern("wait %%P x");
        show_all("core_uses_pid without %p", 0, NULL);
        set_text("/proc/sys/kernel/core_uses_pid", "0");

        pattern("slow %%p");
        show_end("slow", dies(0, NULL));
        CHECK("the end waits for the collector", access(OUT, F_OK) == 0);
        set_text(LIMIT, "0");
        pattern("plain %%p end");
        show_all("limit 0", 0, NULL);
        pattern("deaf %%p");
        show_end("a collector that does not read", dies(0, NULL));
        pattern("asleep %%p");
        killed();

        set_text(LIMIT, "1");
        pattern("wait %%p one");
        show_all("limit 1", 0, NULL);
        set_text(PATTERN, "|/nowhere/at/all %p");
        show_end("no such program", dies(0, NULL));
        set_text(PATTERN, "|/etc");
        show_end("a directory", dies(0, NULL));
        set_text(PATTERN, "|tmp/cp collect wait %p relative");
        show_all("a relative name", 0, NULL);
        set_text(PATTERN, "|");
        show_end("nothing", dies(RLIM_INFINITY, NULL));
        set_text(PATTERN, "| /tmp/cp collect wait %p blank");
        show_end("a blank first", dies(RLIM_INFINITY, NULL));
        CHECK("the same pattern is read", strcmp(text_of(PATTERN), "| /tmp/cp collect wait %p blank\n") == 0);

        set_text(PATTERN, old);
        set_text(LIMIT, "0");
        unlink("/tmp/cp");
        unlink(OUT);
        return done();
}
