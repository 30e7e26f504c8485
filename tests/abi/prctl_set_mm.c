/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: PR_SET_MM: every option, its limits and errors, with and without CAP_SYS_RESOURCE; PR_SET_MM_MAP and its size; what
 * /proc/self/stat, cmdline, environ and auxv make of it; /proc/PID/stat for those who may not trace.
 */
#include "caps.h"
#include <sys/auxv.h>

struct map {
        uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start, arg_end, env_start, env_end, auxv;
        uint32_t auxv_size, exe_fd;
};
static struct map now;

/* Field n of /proc/PID/stat, from 1. */
static uint64_t field_of(const char *text, int n)
{
        const char *p = strrchr(text, ')');
        for (int i = 2; p && i < n; i++)
                p = strchr(p + 1, ' ');
        return p ? strtoull(p + 1, NULL, 10) : 0;
}
static uint64_t field(int n) { return field_of(text_of("/proc/self/stat"), n); }

static void read_map(void)
{
        now = (struct map){ .start_code = field(26), .end_code = field(27), .start_stack = field(28), .start_data = field(45), .end_data = field(46),
                            .start_brk = field(47), .brk = (uintptr_t)syscall(SYS_brk, 0), .arg_start = field(48), .arg_end = field(49),
                            .env_start = field(50), .env_end = field(51), .exe_fd = -1u };
}
static long set(int what, uint64_t v) { return prctl(PR_SET_MM, what, v, 0, 0); }

static const struct { const char *name; int what, field; } options[] = {
        { "START_CODE", PR_SET_MM_START_CODE, 26 }, { "END_CODE", PR_SET_MM_END_CODE, 27 }, { "START_DATA", PR_SET_MM_START_DATA, 45 },
        { "END_DATA", PR_SET_MM_END_DATA, 46 }, { "START_STACK", PR_SET_MM_START_STACK, 28 }, { "START_BRK", PR_SET_MM_START_BRK, 47 },
        { "BRK", PR_SET_MM_BRK, 0 }, { "ARG_START", PR_SET_MM_ARG_START, 48 }, { "ARG_END", PR_SET_MM_ARG_END, 49 },
        { "ENV_START", PR_SET_MM_ENV_START, 50 }, { "ENV_END", PR_SET_MM_ENV_END, 51 },
};

static int each(void)
{
        char *area = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        munmap(area + PAGE, PAGE);
        for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
                char title[64];
                const uint64_t values[] = { 0, 4096, 65535, 65536, (uintptr_t)area, (uintptr_t)area + PAGE, 0x7fffffffe000, ~0ull };
                for (unsigned k = 0; k < sizeof values / sizeof *values; k++) {
                        pid_t pid = fork();
                        if (pid == 0) {
                                long r = set(options[i].what, values[k]);
                                int e = errno;
                                snprintf(title, sizeof title, "%s value %u", options[i].name, k);
                                say("%s: %ld errno %d took %d\n", title, r, r ? e : 0, options[i].field ? field(options[i].field) == values[k] : r == 0 && (uint64_t)syscall(SYS_brk, 0) == values[k]);
                                _exit(0);
                        }
                        result_of(pid);
                }
                snprintf(title, sizeof title, "%s fourth argument", options[i].name);
                SHOW(title, prctl(PR_SET_MM, options[i].what, area, 1, 0));
        }
        SHOW("option 0", set(0, 65536));
        SHOW("option 16", set(16, 65536));
        SHOW("fifth argument", prctl(PR_SET_MM, PR_SET_MM_BRK, area, 0, 1));
        return 0;
}

static int order(void)
{
        read_map();
        SHOW("start of code at its end", set(PR_SET_MM_START_CODE, now.end_code));
        SHOW("start of code beyond its end", set(PR_SET_MM_START_CODE, now.end_code + 1));
        SHOW("start of data at its end", set(PR_SET_MM_START_DATA, now.end_data));
        SHOW("start of data beyond", set(PR_SET_MM_START_DATA, now.end_data + 1));
        SHOW("start of brk beyond it", set(PR_SET_MM_START_BRK, now.brk + PAGE));
        SHOW("arguments' start at their end", set(PR_SET_MM_ARG_START, now.arg_end));
        SHOW("arguments' start beyond", set(PR_SET_MM_ARG_START, now.arg_end + 1));
        SHOW("environment's start beyond", set(PR_SET_MM_ENV_START, now.env_end + 1));
        struct rlimit r = { PAGE, PAGE };
        setrlimit(RLIMIT_DATA, &r);
        SHOW("RLIMIT_DATA", set(PR_SET_MM_BRK, now.start_brk + 16 * PAGE));
        return 0;
}

static int shown(void)
{
        static const char a[] = "one\0two\0three", e[] = "A=1\0B=2";
        char *args = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *envs = args + 100;
        uint64_t aux[4] = { AT_PAGESZ, 12345, AT_NULL, 0 }, got[64] = { 0 };
        int fd;

        read_map();
        struct map m = now;
        memcpy(args, a, sizeof a);      /* in anonymous memory: what a file has is not shown */
        memcpy(envs, e, sizeof e);
        m.arg_start = (uintptr_t)args;
        m.arg_end = (uintptr_t)args + sizeof a;
        m.env_start = (uintptr_t)envs;
        m.env_end = (uintptr_t)envs + sizeof e;
        SHOW("map", prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0));
        CHECK("cmdline", !memcmp(text_of("/proc/self/cmdline"), a, sizeof a));
        CHECK("environ", !memcmp(text_of("/proc/self/environ"), e, sizeof e));
        SHOW("auxv", prctl(PR_SET_MM, PR_SET_MM_AUXV, aux, sizeof aux, 0));
        fd = open("/proc/self/auxv", O_RDONLY);
        read(fd, got, sizeof got);
        close(fd);
        say("auxv %lld %lld %lld\n", (long long)got[0], (long long)got[1], (long long)got[2]);
        SHOW("auxv too long", prctl(PR_SET_MM, PR_SET_MM_AUXV, aux, 4096, 0));
        SHOW("auxv nowhere", prctl(PR_SET_MM, PR_SET_MM_AUXV, BAD_PTR, 16, 0));
        SHOW("auxv of nothing", prctl(PR_SET_MM, PR_SET_MM_AUXV, aux, 0, 0));
        m.auxv = (uintptr_t)aux;
        m.auxv_size = sizeof aux;
        SHOW("map with auxv", prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0));
        m.auxv_size = 4096;
        SHOW("map with too long an auxv", prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0));
        m.auxv = 0;
        m.auxv_size = 16;
        SHOW("map without its auxv", prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0));
        return 0;
}

static int maps(void)
{
        uint32_t size = 0;
        struct map m;

        read_map();
        m = now;
        SHOW("size", prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0));
        say("size %u\n", size);
        SHOW("size nowhere", prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, BAD_PTR, 0, 0));
        SHOW("size, fourth argument", prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 7, 0));
        SHOW("the same", prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0));
        SHOW("smaller", prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m - 8, 0));
        SHOW("larger", prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m + 8, 0));
        SHOW("nowhere", prctl(PR_SET_MM, PR_SET_MM_MAP, BAD_PTR, sizeof m, 0));
        m.start_code = m.end_code;
        SHOW("code of no length", prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0));
        m = now;
        m.start_data = m.end_data + 1;
        SHOW("data backwards", prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0));
        m = now;
        m.arg_end = m.arg_start;
        SHOW("no arguments", prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0));
        m.arg_end = 1ull << 60;
        SHOW("arguments above all", prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0));
        m = now;
        m.start_stack = 0;
        SHOW("stack at 0", prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0));
        m = now;
        m.exe_fd = 99;
        SHOW("a descriptor that is none", prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0));
        return 0;
}

static int files(void)
{
        put_text("data", "x");
        mkdir("dir", 0755);
        SHOW("EXE_FILE, no descriptor", set(PR_SET_MM_EXE_FILE, 99));
        SHOW("a file that is not executable", set(PR_SET_MM_EXE_FILE, open("data", O_RDONLY)));
        SHOW("a directory", set(PR_SET_MM_EXE_FILE, open("dir", O_RDONLY)));
        SHOW("while the program is mapped", set(PR_SET_MM_EXE_FILE, open("/proc/self/exe", O_RDONLY)));
        return 0;
}

static int unprivileged(void)
{
        uint32_t size = 0;

        read_map();
        caps_user(0);
        for (unsigned i = 0; i < sizeof options / sizeof *options; i++)
                SHOW(options[i].name, set(options[i].what, now.start_stack));
        SHOW("AUXV", prctl(PR_SET_MM, PR_SET_MM_AUXV, &now, 16, 0));
        SHOW("EXE_FILE", set(PR_SET_MM_EXE_FILE, 0));
        SHOW("MAP", prctl(PR_SET_MM, PR_SET_MM_MAP, &now, sizeof now, 0));
        SHOW("MAP_SIZE", prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0));
        SHOW("unknown", set(77, 0));
        now.exe_fd = (uint32_t)open("/proc/self/exe", O_RDONLY);
        SHOW("MAP with a file", prctl(PR_SET_MM, PR_SET_MM_MAP, &now, sizeof now, 0));
        return 0;
}

static int strangers(void)
{
        static const int hidden[] = { 26, 27, 28, 29, 30, 35, 45, 46, 47, 48, 49, 50, 51, 52 };
        pid_t pid = fork();
        char path[64], line[300];
        int n = 0;

        if (pid == 0)
                for (;;)
                        pause();
        state_becomes(pid, 'S');
        caps_user(0);
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        for (unsigned i = 0; i < sizeof hidden / sizeof *hidden; i++)
                n += sprintf(line + n, " %d:%lld", hidden[i], (long long)field_of(text_of(path), hidden[i]));
        say("of another's process:%s\n", line);
        CHECK("its size is told", field_of(text_of(path), 23) > 0);
        return 0;
}

int main(void)
{
        in_child(each);
        in_child(order);
        in_child(shown);
        in_child(maps);
        in_child(files);
        in_child(unprivileged);
        in_child(strangers);
        return done();
}
