/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_memory: /proc/PID/{mem,pagemap,smaps,smaps_rollup,clear_refs,oom_adj,oom_score_adj}: form, content, permission.
 */
#include "show.h"
#include <ctype.h>
#include <sys/prctl.h>

#define RW (PROT_READ | PROT_WRITE)
#define AN (MAP_PRIVATE | MAP_ANONYMOUS)

static char *p;                         /* 8 pages: written, written, read, untouched, read-only, no access, hole, written */

static void of_mem(void)
{
        int  fd = open("/proc/self/mem", O_RDWR), ro = open("/proc/self/mem", O_RDONLY), wo = open("/proc/self/mem", O_WRONLY);
        char b[3 * PAGE];

        CHECK("opened", fd >= 0 && ro >= 0 && wo >= 0);
        SHOW("read", pread(fd, b, 10, (long)p));
        CHECK("the same", memcmp(b, "aaaaaaaaaa", 10) == 0);
        SHOW("read over pages", pread(fd, b, 2 * PAGE, (long)p + 100));
        SHOW("untouched", pread(fd, b, 10, (long)p + 3 * PAGE));
        SHOW("without access", pread(fd, b, 10, (long)p + 5 * PAGE));
        SHOW("a hole", pread(fd, b, 10, (long)p + 6 * PAGE));
        SHOW("up to the hole", pread(fd, b, 3 * PAGE, (long)p + 4 * PAGE));
        SHOW("at 0", pread(fd, b, 10, 0));
        SHOW("above the top", pread(fd, b, 10, 1L << 62));
        SHOW("nothing", pread(fd, b, 0, 0));
        SHOW("to a bad place", pread(fd, BAD_PTR, 10, (long)p));
        SHOW("write", pwrite(fd, "new", 3, (long)p));
        CHECK("written", memcmp(p, "newaa", 5) == 0);
        SHOW("write where read-only", pwrite(fd, "new", 3, (long)p + 4 * PAGE));
        CHECK("it is", memcmp(p + 4 * PAGE, "newee", 5) == 0);
        SHOW("write without access", pwrite(fd, "new", 3, (long)p + 5 * PAGE));
        SHOW("write into a hole", pwrite(fd, "new", 3, (long)p + 6 * PAGE));
        SHOW("write, opened to read", pwrite(ro, "x", 1, (long)p));
        SHOW("read, opened to write", pread(wo, b, 1, (long)p));
        CHECK("lseek", lseek(fd, (long)p, SEEK_SET) == (long)p && lseek(fd, 5, SEEK_CUR) == (long)p + 5);
        SHOW("read at the position", read(fd, b, 4));
        CHECK("moves it", lseek(fd, 0, SEEK_CUR) == (long)p + 9);
        SHOW("SEEK_END", lseek(fd, 0, SEEK_END));
        SHOW("SEEK_DATA", lseek(fd, 0, SEEK_DATA));
        char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        SHOW("write to shared, read-only", pwrite(fd, "x", 1, (long)shared));
        put_text("f", "file");
        int   f = open("f", O_RDONLY);
        char *m = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, f, 0);
        SHOW("write to a private file", pwrite(fd, "F", 1, (long)m));
        char c = 0;
        CHECK("a copy", m[0] == 'F' && pread(f, &c, 1, 0) == 1 && c == 'f');
        close(fd);
        close(ro);
        close(wo);
}

static unsigned long long word(int fd, void *at)
{
        unsigned long long w = 0x77;

        if (pread(fd, &w, 8, (unsigned long)at / PAGE * 8) != 8)
                return 0x77;
        return w;
}

static void of_pagemap(void)
{
        int  fd = open("/proc/self/pagemap", O_RDONLY);
        char b[64];

        say("written: %llx\n", word(fd, p) >> 55);
        say("untouched: %llx\n", word(fd, p + 3 * PAGE) >> 55);
        say("without access: %llx\n", word(fd, p + 5 * PAGE) >> 55);
        say("a hole: %llx\n", word(fd, p + 6 * PAGE));
        CHECK("a number, for root", (word(fd, p) & 0x7fffffffffffffULL) != 0);
        char *s = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        *s = 1;
        say("shared: %llx\n", word(fd, s) >> 55);
        pid_t pid = fork();
        if (pid == 0) {
                pause();
                _exit(0);
        }
        say("shared by fork: %llx\n", word(fd, p) >> 55);
        kill(pid, SIGKILL);
        result_of(pid);
        SHOW("crooked length", pread(fd, b, 12, 0));
        SHOW("crooked place", pread(fd, b, 8, 4));
        SHOW("nothing", pread(fd, b, 0, 0));
        SHOW("several", pread(fd, b, 64, (unsigned long)p / PAGE * 8));
        SHOW("beyond", pread(fd, b, 8, 1L << 60));
        SHOW("bad place", pread(fd, BAD_PTR, 8, 0));
        SHOW("write", write(fd, b, 8));
        SHOW("open to write", open("/proc/self/pagemap", O_WRONLY));
        close(fd);
}

/* A text with each number made N and each run of blanks one. */
static void form(const char *text, int lines)
{
        char out[400];
        int  n = 0;

        for (; *text && lines > 0; text++) {
                if (isdigit(*text)) {
                        if (n == 0 || out[n - 1] != 'N')
                                out[n++] = 'N';
                } else if (*text == ' ' && n > 0 && out[n - 1] == ' ') {
                        ;
                } else {
                        out[n++] = *text;
                        if (*text == '\n')
                                lines--;
                }
                if (*text == '\n' || n > 300) {
                        out[n] = 0;
                        say("%s", out);
                        n = 0;
                }
        }
}

/* The lines of smaps about the area at `at`, without the first. */
static const char *smaps_of(void *at)
{
        char key[32];

        snprintf(key, sizeof key, "%lx-", (long)at);
        const char *t = strstr(text_of("/proc/self/smaps"), key);
        t = t ? strchr(t, '\n') : NULL;
        return t ? t + 1 : "";
}

static long field(const char *text, const char *key)
{
        const char *t = strstr(text, key);

        return t ? strtol(t + strlen(key), NULL, 10) : -1;
}

static void flags(const char *what, void *at)
{
        const char *t = strstr(smaps_of(at), "VmFlags:");
        const char *e = t ? strchr(t, '\n') : NULL;

        say("%s: %.*s|\n", what, e ? (int)(e - t) : 0, t ? t : "");
}

static void *area(int prot, int how)
{
        mmap(NULL, PAGE, PROT_NONE, AN, -1, 0);         /* keeps them apart */
        return mmap(NULL, 4 * PAGE, prot, how, -1, 0);
}

static void of_smaps(void)
{
        char *a = area(RW, AN), *s = area(RW, MAP_SHARED | MAP_ANONYMOUS);

        memset(a, 1, 2 * PAGE);
        memset(s, 1, PAGE);
        const char *t = smaps_of(a);
        for (int i = 0, at = 0; i < 21; i++, at++) {
                const char *e = strchr(t + at, '\n');
                say("%.*s\n", (int)(e - t - at), t + at);
                at = e - t;
        }
        t = smaps_of(s);
        say("shared: rss %ld pss %ld dirty %ld %ld anon %ld\n", field(t, "Rss:"), field(t, "Pss:"), field(t, "Private_Dirty:"),
            field(t, "Shared_Dirty:"), field(t, "Anonymous:"));
        pid_t pid = fork();
        if (pid == 0) {
                (void)*(volatile char *)s;
                kill(getpid(), SIGSTOP);
                _exit(0);
        }
        waitpid(pid, NULL, WUNTRACED);
        t = smaps_of(a);
        say("after fork: rss %ld pss %ld private %ld shared %ld anon %ld\n", field(t, "Rss:"), field(t, "Pss:"),
            field(t, "Private_Dirty:"), field(t, "Shared_Dirty:"), field(t, "Anonymous:"));
        t = smaps_of(s);
        say("shared: rss %ld pss %ld private %ld shared %ld\n", field(t, "Rss:"), field(t, "Pss:"), field(t, "Private_Dirty:"), field(t, "Shared_Dirty:"));
        kill(pid, SIGKILL);
        result_of(pid);
        flags("private", a);
        flags("shared", s);
        flags("read-only", area(PROT_READ, AN));
        flags("executable", area(PROT_READ | PROT_EXEC, AN));
        flags("none", area(PROT_NONE, AN));
        flags("noreserve", area(RW, AN | MAP_NORESERVE));
        flags("grows", area(RW, AN | MAP_GROWSDOWN));
        a = area(RW, AN);
        mlock(a, 4 * PAGE);
        flags("locked", a);
        say("locked: %ld\n", field(smaps_of(a), "Locked:"));
        munlock(a, 4 * PAGE);
        syscall(SYS_mlock2, a, 4 * PAGE, 1);
        flags("locked on fault", a);
        munlock(a, 4 * PAGE);
        static const int advice[] = { MADV_RANDOM, MADV_SEQUENTIAL, MADV_DONTFORK, MADV_WIPEONFORK, MADV_DONTDUMP };
        for (unsigned i = 0; i < sizeof advice / sizeof *advice; i++) {
                madvise(a, 4 * PAGE, advice[i]);
                flags("advised", a);
        }
        t = strchr(text_of("/proc/self/smaps_rollup"), '\n');
        form(t ? t + 1 : "", 21);
        t = strstr(text_of("/proc/self/smaps_rollup"), "[rollup]");
        CHECK("rollup", t && t - text_of("/proc/self/smaps_rollup") == 73);
}

static long put(const char *path, const char *text)
{
        int  fd = open(path, O_WRONLY);
        long r = fd < 0 ? -1 : write(fd, text, strlen(text));
        int  e = errno;

        if (fd >= 0)
                close(fd);
        errno = e;
        return r;
}

static void of_settings(void)
{
        char *a = area(RW, AN);

        memset(a, 1, 4 * PAGE);
        SHOW("clear_refs 1", put("/proc/self/clear_refs", "1"));
        SHOW("referenced", field(smaps_of(a), "Referenced:"));
        SHOW("clear_refs 2", put("/proc/self/clear_refs", "2\n"));
        SHOW("clear_refs 3", put("/proc/self/clear_refs", "3"));
        SHOW("clear_refs 0", put("/proc/self/clear_refs", "0"));
        SHOW("clear_refs 6", put("/proc/self/clear_refs", "6"));
        SHOW("clear_refs x", put("/proc/self/clear_refs", "x"));
        SHOW("open to read", open("/proc/self/clear_refs", O_RDONLY) < 0 ? errno : 0);
        char *big = mmap(NULL, 8 << 20, RW, AN | MAP_POPULATE, -1, 0);
        munmap(big, 8 << 20);
        long hwm = status_kb("VmHWM:");
        SHOW("clear_refs 5", put("/proc/self/clear_refs", "5"));
        CHECK("resets the peak", status_kb("VmHWM:") < hwm - 4096);
        static const char *const adj[] = { "0", "500", "1000", "-1000", "1001", "-1001", "x", "", " 7 ", "0x10", "100\n" };
        for (unsigned i = 0; i < sizeof adj / sizeof *adj; i++) {
                say("oom_score_adj '%d': ", i);
                SHOW("write", put("/proc/self/oom_score_adj", adj[i]));
                say("%s", text_of("/proc/self/oom_score_adj"));
                say("%s", text_of("/proc/self/oom_adj"));
        }
        static const char *const old[] = { "0", "10", "15", "-16", "-17", "16", "-18" };
        for (unsigned i = 0; i < sizeof old / sizeof *old; i++) {
                SHOW("oom_adj", put("/proc/self/oom_adj", old[i]));
                say("%s", text_of("/proc/self/oom_score_adj"));
        }
        static const struct { const char *adj; int low, high; } score[] = { { "-1000", 0, 0 }, { "-999", 0, 10 }, { "-500", 330, 345 }, { "0", 666, 676 }, { "500", 990, 1010 }, { "1000", 1320, 1345 } };
        for (unsigned i = 0; i < sizeof score / sizeof *score; i++) {
                put("/proc/self/oom_score_adj", score[i].adj);
                int is = atoi(text_of("/proc/self/oom_score"));
                CHECK("oom_score goes with it", is >= score[i].low && is <= score[i].high);
        }
        put("/proc/self/oom_score_adj", "100");
        pid_t pid = fork();
        if (pid == 0) {
                say("inherited: %s", text_of("/proc/self/oom_score_adj"));
                become_user(1000);
                prctl(PR_SET_DUMPABLE, 1);
                SHOW("a user raises it", put("/proc/self/oom_score_adj", "300"));
                SHOW("lowers it again", put("/proc/self/oom_score_adj", "100"));
                SHOW("below what it was", put("/proc/self/oom_score_adj", "50"));
                int fd = open("/proc/self/pagemap", O_RDONLY);
                CHECK("no numbers for users", word(fd, p) >> 63 == 1 && (word(fd, p) & 0x7fffffffffffffULL) == 0);
                static const char *const name[] = { "mem", "pagemap", "maps", "smaps", "smaps_rollup", "auxv", "environ", "cmdline", "statm",
                        "status", "oom_score", "oom_score_adj", "clear_refs" };
                char path[64];
                for (unsigned i = 0; i < sizeof name / sizeof *name; i++) {
                        snprintf(path, sizeof path, "/proc/1/%s", name[i]);
                        int f = open(path, strcmp(name[i], "clear_refs") == 0 ? O_WRONLY : O_RDONLY);
                        char c;
                        if (f < 0)
                                say("root's %s: open: errno %d\n", name[i], errno);
                        else
                                say("root's %s: %s\n", name[i], read(f, &c, 1) < 0 ? "unreadable" : "fine");
                }
                _exit(failures);
        }
        result_of(pid);
}

int main(void)
{
        p = mmap(NULL, 8 * PAGE, RW, AN, -1, 0);
        for (int i = 0; i < 8; i++)
                if (i != 2 && i != 3)
                        memset(p + i * PAGE, 'a' + i, PAGE);
        (void)*(volatile char *)(p + 2 * PAGE);
        mprotect(p + 4 * PAGE, PAGE, PROT_READ);
        mprotect(p + 5 * PAGE, PAGE, PROT_NONE);
        munmap(p + 6 * PAGE, PAGE);
        of_mem();
        of_pagemap();
        of_smaps();
        of_settings();
        return done();
}
