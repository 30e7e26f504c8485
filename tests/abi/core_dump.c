/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: core dumps: when there is one and what it is called, wait statuses, its headers, notes and memory, limits,
 * coredump_filter, threads.
 */
#include "abi.h"
#include <dirent.h>
#include <elf.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/user.h>

static char  marker[64] = "this is in the data of the program";
#define FAR (3ul << 30)
static char *anon, *shared, *secret, *large;
static int   cores(void)
{
        int n = 0;
        DIR *d = opendir(".");
        for (struct dirent *e; (e = readdir(d));)
                n += strncmp(e->d_name, "core", 4) == 0;
        closedir(d);
        return n;
}
static void limit(rlim_t n)
{
        struct rlimit r = { n, RLIM_INFINITY };
        must(setrlimit(RLIMIT_CORE, &r) == 0, "setrlimit");
}

/* The status of a child that runs fn, and what waitid says. */
static siginfo_t info;
static int ends(void (*fn)(void))
{
        int st;
        pid_t pid = fork();
        if (pid == 0) {
                fn();
                _exit(0);
        }
        memset(&info, 0, sizeof info);
        waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
        waitpid(pid, &st, 0);
        return st;
}

static void crash(void) { *(volatile int *)BAD_PTR = 1; }
static void aborts(void) { signal(SIGABRT, SIG_DFL); raise(SIGABRT); }
static void quits(void) { kill(getpid(), SIGQUIT); }
static void terms(void) { kill(getpid(), SIGTERM); }
static void undumpable(void) { prctl(PR_SET_DUMPABLE, 0); crash(); }

static void *sleeps(void *arg) { for (;;) pause(); return arg; }
static void threads(void)
{
        pthread_t t;
        for (int i = 0; i < 3; i++)
                pthread_create(&t, NULL, sleeps, NULL);
        sleep_ms(20);
        crash();
}

static unsigned char *file;
static size_t length;
static void load(const char *name)
{
        struct stat st;
        int fd = open(name, O_RDONLY);
        must(fd >= 0 && fstat(fd, &st) == 0, name);
        length = st.st_size;
        file = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
        close(fd);
}
static Elf64_Ehdr *ehdr(void) { return (void *)file; }
static Elf64_Phdr *phdr(int i) { return (Elf64_Phdr *)(file + ehdr()->e_phoff) + i; }

/* The nth note of a type, its length in *len. */
static void *note(unsigned type, int nth, size_t *len)
{
        size_t at = phdr(0)->p_offset, end = at + phdr(0)->p_filesz;
        while (at + sizeof(Elf64_Nhdr) <= end) {
                Elf64_Nhdr *n = (void *)(file + at);
                unsigned char *desc = file + at + sizeof *n + (n->n_namesz + 3) / 4 * 4;
                if (n->n_type == type && nth-- == 0) {
                        *len = type ? n->n_descsz : 1;
                        return desc;
                }
                at = desc - file + (n->n_descsz + 3) / 4 * 4;
        }
        *len = 0;
        return NULL;
}

/* What the core holds at an address. */
static void *memory(void *addr)
{
        for (int i = 1; i < ehdr()->e_phnum; i++) {
                Elf64_Phdr *p = phdr(i);
                uint64_t at = (uint64_t)addr;
                if (p->p_type == PT_LOAD && at >= p->p_vaddr && at < p->p_vaddr + p->p_memsz)
                        return at < p->p_vaddr + p->p_filesz && p->p_offset + (at - p->p_vaddr) < length ? file + p->p_offset + (at - p->p_vaddr) : NULL;
        }
        return NULL;
}

static struct user_regs_struct *regs_of(struct elf_prstatus *ps) { return (void *)&ps->pr_reg; }

static void when(void)
{
        limit(0);
        int st = ends(crash);
        CHECK("no limit, no core", WTERMSIG(st) == SIGSEGV && !WCOREDUMP(st) && info.si_code == CLD_KILLED && cores() == 0);
        limit(RLIM_INFINITY);
        st = ends(terms);
        CHECK("not by SIGTERM", WTERMSIG(st) == SIGTERM && !WCOREDUMP(st) && cores() == 0);
        st = ends(undumpable);
        CHECK("not of one that is not dumpable", WTERMSIG(st) == SIGSEGV && !WCOREDUMP(st) && cores() == 0);
        st = ends(crash);
        CHECK("SIGSEGV", WTERMSIG(st) == SIGSEGV && WCOREDUMP(st) && info.si_code == CLD_DUMPED && info.si_status == SIGSEGV && cores() == 1);
        unlink("core");
        st = ends(aborts);
        CHECK("SIGABRT", WTERMSIG(st) == SIGABRT && WCOREDUMP(st) && cores() == 1);
        unlink("core");
        st = ends(quits);
        CHECK("SIGQUIT", WTERMSIG(st) == SIGQUIT && WCOREDUMP(st) && cores() == 1);
        struct stat s;
        stat("core", &s);
        CHECK("its mode", (s.st_mode & 07777) == 0600 && s.st_nlink == 1);
        link("core", "other");
        st = ends(crash);
        CHECK("a new file", WCOREDUMP(st) && stat("core", &s) == 0 && s.st_nlink == 1 && stat("other", &s) == 0);
        unlink("other");
        unlink("core");
        symlink("elsewhere", "core");
        st = ends(crash);
        CHECK("not through a link", WCOREDUMP(st) && access("elsewhere", F_OK) < 0 && lstat("core", &s) == 0 && S_ISREG(s.st_mode));
        unlink("core");
        mkdir("core", 0755);
        st = ends(crash);
        CHECK("not over a directory", !WCOREDUMP(st));
        rmdir("core");
        limit(4095);
        st = ends(crash);
        CHECK("a limit below a page", !WCOREDUMP(st) && cores() == 0);
        limit(8192);
        st = ends(crash);
        CHECK("a small limit cuts it", stat("core", &s) == 0 && s.st_size <= 8192);
        unlink("core");
        limit(RLIM_INFINITY);
}

static void set(const char *file_name, const char *text)
{
        int fd = open(file_name, O_WRONLY);
        must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), file_name);
        close(fd);
}

static void names(void)
{
        char want[64];
        int st;
        pid_t pid;

        must(!strncmp(text_of("/proc/sys/kernel/core_pattern"), "core\n", 5), "core_pattern");
        set("/proc/sys/kernel/core_pattern", "core.%p.%s.%u.%%.%e.%i%q%");
        CHECK("set", !strcmp(text_of("/proc/sys/kernel/core_pattern"), "core.%p.%s.%u.%%.%e.%i%q%\n"));
        prctl(PR_SET_NAME, "a/b");
        pid = fork();
        if (pid == 0)
                crash();
        waitpid(pid, &st, 0);
        snprintf(want, sizeof want, "core.%d.11.0.%%.a!b.%d", pid, pid);
        CHECK("by pattern", WCOREDUMP(st) && unlink(want) == 0);
        set("/proc/sys/kernel/core_pattern", "core\n");
        set("/proc/sys/kernel/core_uses_pid", "1\n");
        pid = fork();
        if (pid == 0)
                crash();
        waitpid(pid, &st, 0);
        snprintf(want, sizeof want, "core.%d", pid);
        CHECK("with the number", WCOREDUMP(st) && unlink(want) == 0);
        set("/proc/sys/kernel/core_uses_pid", "0\n");
}

static void contents(void)
{
        size_t len;
        pid_t pid = fork();
        int st;

        if (pid == 0) {
                strcpy(anon, "anonymous");
                strcpy(shared, "shared");
                strcpy(secret, "secret");
                strcpy(large + FAR, "far away");
                madvise(secret, PAGE, MADV_DONTDUMP);
                marker[0] = 'T';
                __asm__ volatile("mov $0x1234567887654321, %%r15\n\tmov $8, %%eax\n\tmovl $1, (%%rax)" ::: "r15", "rax");
        }
        waitpid(pid, &st, 0);
        load("core");
        CHECK("an ELF core", !memcmp(file, ELFMAG, 4) && ehdr()->e_type == ET_CORE && ehdr()->e_machine == EM_X86_64 && ehdr()->e_phentsize == sizeof(Elf64_Phdr));
        CHECK("notes first", phdr(0)->p_type == PT_NOTE && phdr(0)->p_filesz > 0);
        struct elf_prstatus *ps = note(NT_PRSTATUS, 0, &len);
        CHECK("NT_PRSTATUS", ps && len == sizeof *ps && ps->pr_pid == pid && ps->pr_ppid == getpid() && ps->pr_cursig == SIGSEGV && ps->pr_info.si_signo == SIGSEGV);
        CHECK("registers", ps && regs_of(ps)->r15 == 0x1234567887654321ul && regs_of(ps)->rax == 8 &&
              regs_of(ps)->cs == 0x33 && regs_of(ps)->fs_base != 0);
        struct elf_prpsinfo *pi = note(NT_PRPSINFO, 0, &len);
        CHECK("NT_PRPSINFO", pi && len == sizeof *pi && pi->pr_pid == pid && pi->pr_sname == 'R' && strstr(pi->pr_psargs, "core_dump"));
        siginfo_t *si = note(NT_SIGINFO, 0, &len);
        CHECK("NT_SIGINFO", si && len == 128 && si->si_signo == SIGSEGV && si->si_code == SEGV_MAPERR && si->si_addr == (void *)8);
        uint64_t *aux = note(NT_AUXV, 0, &len);
        int page = 0;
        for (size_t i = 0; aux && i + 1 < len / 8; i += 2)
                page |= aux[i] == AT_PAGESZ && aux[i + 1] == PAGE;
        CHECK("NT_AUXV", page);
        uint64_t *files = note(NT_FILE, 0, &len);
        CHECK("NT_FILE", files && files[0] >= 1 && files[1] == PAGE && strstr((char *)(files + 2 + 3 * files[0]), "core_dump"));
        note(NT_PRFPREG, 0, &len);
        CHECK("NT_PRFPREG", len == 512);
        note(NT_PRSTATUS, 1, &len);
        CHECK("one thread", len == 0);
        note(0, 0, &len);
        CHECK("no more", len == 0 && phdr(0)->p_filesz % 4 == 0);
        uint64_t *x = note(NT_X86_XSTATE, 0, &len);
        CHECK("NT_X86_XSTATE", !x || (len >= 576 && (x[58] & 3) == 3));
        char *p = memory(marker);
        CHECK("data", p && !strcmp(p, "This is in the data of the program"));
        p = memory(anon);
        CHECK("anonymous memory", p && !strcmp(p, "anonymous"));
        p = memory(anon + 100 * PAGE);
        CHECK("and where it is zero", p && *p == 0);
        p = memory(shared);
        CHECK("shared memory", p && !strcmp(p, "shared"));
        CHECK("not where MADV_DONTDUMP was", memory(secret) == NULL);
        p = memory(large + FAR);
        CHECK("beyond a hole", p && !strcmp(p, "far away"));
        p = memory(large + FAR - PAGE);
        CHECK("the hole", p && *p == 0);
        CHECK("the stack", memory((void *)regs_of(ps)->rsp) != NULL);
        CHECK("aligned", phdr(1)->p_offset % PAGE == 0 && phdr(1)->p_align == PAGE);
        munmap(file, length);
        unlink("core");

        CHECK("filter", !strcmp(text_of("/proc/self/coredump_filter"), "00000033\n"));
        set("/proc/self/coredump_filter", "0x0\n");
        CHECK("set", !strcmp(text_of("/proc/self/coredump_filter"), "00000000\n"));
        pid = fork();
        if (pid == 0) {
                strcpy(anon, "anonymous");
                crash();
        }
        waitpid(pid, &st, 0);
        load("core");
        CHECK("nothing but headers", WCOREDUMP(st) && memory(anon) == NULL && memory(shared) == NULL && note(NT_PRSTATUS, 0, &len));
        munmap(file, length);
        unlink("core");
        set("/proc/self/coredump_filter", "51");
        st = ends(threads);
        load("core");
        int n = 0;
        while (note(NT_PRSTATUS, n, &len))
                n++;
        CHECK("four threads", WCOREDUMP(st) && n == 4);
        ps = note(NT_PRSTATUS, 0, &len);
        CHECK("the one that failed first", ps->pr_cursig == SIGSEGV);
        munmap(file, length);
        unlink("core");
}

/* What is dumpable after user 1000 has executed a copy of this program with that mode. */
static int dumpable_after(mode_t mode)
{
        static char buf[65536];
        int in = open("/proc/self/exe", O_RDONLY), out = open("copy", O_CREAT | O_TRUNC | O_WRONLY, 0600), st = 0;
        ssize_t n;

        while ((n = read(in, buf, sizeof buf)) > 0)
                must(write(out, buf, n) == n, "copy");
        fchmod(out, mode);
        close(in);
        close(out);
        pid_t pid = fork();
        if (pid == 0) {
                must(setgid(1000) == 0 && setuid(1000) == 0, "setuid");
                execl("copy", "copy", "dumpable", NULL);
                _exit(100);
        }
        waitpid(pid, &st, 0);
        unlink("copy");
        return WEXITSTATUS(st);
}

static void unreadable(void)
{
        CHECK("a program that may be read", dumpable_after(0755) == 1);
        CHECK("one that may only be executed", dumpable_after(0711) == 0);
}

int main(int argc, char **argv)
{
        if (argc == 2 && !strcmp(argv[1], "dumpable"))
                _exit(prctl(PR_GET_DUMPABLE));
        secret = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        large = mmap(NULL, 4ul << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        must(secret != MAP_FAILED && large != MAP_FAILED, "mmap");
        anon = mmap(NULL, 200 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        when();
        names();
        contents();
        unreadable();
        return done();
}
