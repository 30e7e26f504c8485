/* SPDX-License-Identifier: Apache-2.0
 *
 * elf_bad: files that are no programs, and broken ones, give errors.
 */
#include "abi.h"
#include <elf.h>
#include <stddef.h>

static char self[4 * 1024 * 1024];
static long self_len;

static int try_file(const void *data, size_t n, int mode)
{
        char *argv[] = { "bad", NULL };

        unlink("bad");
        put_file("bad", data, n, mode);
        pid_t pid = fork();
        if (pid == 0) {
                execve("./bad", argv, argv + 1);
                _exit(errno);
        }
        return result_of(pid);
}

/* The error for this very program with one header field changed. */
#define WITH(field, value)                                      \
        ({                                                      \
                static char copy[sizeof self];                  \
                memcpy(copy, self, self_len);                   \
                ((Elf64_Ehdr *)copy)->field = (value);          \
                try_file(copy, self_len, 0755);                 \
        })

static int interpreter_missing(const char *name)
{
        struct {
                Elf64_Ehdr e;
                Elf64_Phdr p[2];
                char       interp[32];
        } f = { 0 };

        memcpy(&f.e, self, sizeof f.e);
        f.e.e_type = ET_DYN;
        f.e.e_phoff = offsetof(__typeof__(f), p);
        f.e.e_phnum = 2;
        f.p[0] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = offsetof(__typeof__(f), interp),
                               .p_filesz = strlen(name) + 1, .p_memsz = strlen(name) + 1 };
        f.p[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_filesz = sizeof f, .p_memsz = sizeof f,
                               .p_flags = PF_R | PF_X, .p_align = PAGE };
        strcpy(f.interp, name);
        return try_file(&f, sizeof f, 0755);
}

int main(int argc, char **argv)
{
        int   fd = open(argv[0], O_RDONLY);
        char *av[] = { "x", NULL };

        if (argc == 1 && !strcmp(argv[0], "bad"))
                return 0;
        self_len = read(fd, self, sizeof self);
        close(fd);
        must(self_len > 1000, "read self");

        CHECK("empty file", try_file("", 0, 0755) == ENOEXEC);
        CHECK("text", try_file("hello world, hello world", 24, 0755) == ENOEXEC);
        CHECK("not executable", try_file(self, self_len, 0644) == EACCES);
        CHECK("header alone, cut", try_file(self, 40, 0755) == ENOEXEC);
        CHECK("magic", WITH(e_ident[1], 'X') == ENOEXEC);
        CHECK("object file", WITH(e_type, ET_REL) == ENOEXEC);
        CHECK("other machine", WITH(e_machine, EM_AARCH64) == ENOEXEC);
        CHECK("no headers", WITH(e_phnum, 0) == ENOEXEC);
        CHECK("header size", WITH(e_phentsize, 32) == ENOEXEC);
        CHECK("too many headers", WITH(e_phnum, 65535) == ENOEXEC);
        CHECK("headers beyond the file", WITH(e_phoff, 1UL << 40) != 0);
        CHECK("headers at a negative place", WITH(e_phoff, -64UL) != 0);
        CHECK("interpreter missing", interpreter_missing("/no/such/interp") == ENOENT);
        CHECK("interpreter is a directory", interpreter_missing("/tmp") == EACCES);
        CHECK("unchanged it runs", try_file(self, self_len, 0755) == 0);

        mkdir("dir", 0755);
        mkfifo("fifo", 0777);
        FAILS("directory", EACCES, execv("dir", av));
        FAILS("fifo", EACCES, execv("fifo", av));
        FAILS("missing", ENOENT, execv("missing", av));
        FAILS("empty name", ENOENT, execv("", av));
        FAILS("through a file", ENOTDIR, execv("bad/x", av));
        FAILS("bad name pointer", EFAULT, execv(BAD_PTR, av));
        FAILS("bad argv pointer", EFAULT, execv(argv[0], BAD_PTR));
        return done();
}
