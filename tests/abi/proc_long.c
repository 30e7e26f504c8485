/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_long: files of /proc that are longer than any buffer: cmdline and environ of a program with much to tell, sysvipc.
 */
#include "abi.h"
#include <sys/ipc.h>
#include <sys/msg.h>

#define WORDS 50                      /* more than 2 MiB in all */
#define WORD  50000                     /* bytes, with the NUL */
#define QUEUES 2000

static char *words[WORDS + 2];

static void fill(const char *first)
{
        words[0] = (char *)first;
        for (int i = 0; i < WORDS; i++) {
                words[i + 1] = malloc(WORD);
                memset(words[i + 1], 'A' + i, WORD - 1);
                words[i + 1][WORD - 1] = 0;
        }
}

/* Does the file have the words, at these offsets, whatever the steps? */
static int has_words(const char *path, size_t from, size_t step)
{
        static char buf[WORDS * WORD + 400000];
        size_t      n = 0;
        ssize_t     got = 1;
        int         fd = open(path, O_RDONLY);

        while (got > 0 && n + step < sizeof buf) {
                got = read(fd, buf + n, step);
                n += got > 0 ? got : 0;
        }
        close(fd);
        if (n < from + WORDS * WORD)
                return 0;
        for (int i = 0; i < WORDS; i++)
                if (memcmp(buf + from + i * WORD, words[i + 1], WORD))
                        return 0;
        return 1;
}

static int at_offset(const char *path, off_t from)
{
        char    c[2] = "";
        int     fd = open(path, O_RDONLY);
        ssize_t n = pread(fd, c, 2, from + 20 * WORD - 1);

        close(fd);
        return n == 2 && c[0] == 0 && c[1] == 'A' + 20;
}

/* Run anew with much in its arguments ("args") or its environment. */
static int again(const char *which)
{
        fill(which);
        int         args = !strcmp(which, "args");
        const char *path = args ? "/proc/self/cmdline" : "/proc/self/environ";
        size_t      from = args ? strlen("proc_long") + 1 + strlen(which) + 1 : 0;

        CHECK("all of it", has_words(path, from, 4096));
        CHECK("in large steps", has_words(path, from, 300000));
        CHECK("in odd steps", has_words(path, from, 777));
        CHECK("in the middle", at_offset(path, from));
        int  fd = open(path, O_RDONLY);
        char c;
        CHECK("far behind the end", pread(fd, &c, 1, 1l << 40) == 0 && pread(fd, &c, 1, 1l << 62) == 0);
        close(fd);
        return done();
}

static int run(const char *which)
{
        char *short_args[] = { (char *)"proc_long", (char *)which, NULL }, *none[] = { NULL }, *long_args[WORDS + 3] = { (char *)"proc_long", (char *)which };

        memcpy(long_args + 2, words + 1, WORDS * sizeof *words);
        if (!strcmp(which, "args"))
                execve("/proc/self/exe", long_args, none);
        else
                execve("/proc/self/exe", short_args, words + 1);
        return 99;
}

static void queues(void)
{
        static int id[QUEUES];
        FILE      *f;
        char       line[300];
        int        lines = 0, found = 0, made = 0;

        must(set_text("/proc/sys/kernel/msgmni", "32000") == 0, "msgmni");
        for (; made < QUEUES && (id[made] = msgget(IPC_PRIVATE, 0600)) >= 0; made++)
                ;
        CHECK("queues", made == QUEUES);
        f = fopen("/proc/sysvipc/msg", "r");
        for (; fgets(line, sizeof line, f); lines++) {
                int key, n;

                if (sscanf(line, "%d %d", &key, &n) == 2 && found < QUEUES && n == id[found])
                        found++;
        }
        fclose(f);
        CHECK("each once, in order", lines == QUEUES + 1 && found == QUEUES);
        for (int i = 0; i < made; i++)
                msgctl(id[i], IPC_RMID, NULL);
        f = fopen("/proc/sysvipc/msg", "r");
        for (lines = 0; fgets(line, sizeof line, f); lines++)
                ;
        fclose(f);
        CHECK("the heading alone", lines == 1);
}

int main(int argc, char **argv)
{
        if (argc > 1)
                return again(argv[1]);
        struct rlimit stack = { 64 << 20, RLIM_INFINITY };
        setrlimit(RLIMIT_STACK, &stack);
        fill("");
        for (int i = 0; i < 2; i++) {
                const char *which = i ? "environment" : "args";
                pid_t       pid = fork();

                if (pid == 0)
                        _exit(run(which));
                CHECK(which, result_of(pid) == 0);
        }
        queues();
        return done();
}
