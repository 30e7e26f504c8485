/* SPDX-License-Identifier: Apache-2.0
 *
 * process_vm_rights: memory that may be written or executed but not read, and the other ways around, asked for by process_vm_readv and
 * process_vm_writev, /proc/PID/mem and the kernel's own copies.
 */
#include "show.h"

#define AN (MAP_PRIVATE | MAP_ANONYMOUS)

static const struct { const char *name; int prot; } rights[] = {
        { "none", PROT_NONE }, { "r", PROT_READ }, { "w", PROT_WRITE }, { "x", PROT_EXEC }, { "rw", PROT_READ | PROT_WRITE },
        { "rx", PROT_READ | PROT_EXEC }, { "wx", PROT_WRITE | PROT_EXEC }, { "rwx", PROT_READ | PROT_WRITE | PROT_EXEC },
};

int main(void)
{
        static char buf[16];
        int mem = open("/proc/self/mem", O_RDWR), fd[2];

        OKAY("a pipe", pipe(fd));
        for (unsigned i = 0; i < sizeof rights / sizeof *rights; i++)
                for (int touched = 0; touched < 2; touched++) {
                        char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, AN, -1, 0);
                        if (touched)
                                *p = 'p';
                        mprotect(p, PAGE, rights[i].prot);
                        struct iovec l = { buf, 8 }, r = { p, 8 };
                        say("-- %s%s\n", rights[i].name, touched ? ", touched" : "");
                        SHOW("read", syscall(SYS_process_vm_readv, getpid(), &l, 1, &r, 1, 0));
                        SHOW("written", syscall(SYS_process_vm_writev, getpid(), &l, 1, &r, 1, 0));
                        SHOW("mem read", pread(mem, buf, 8, (uintptr_t)p));
                        SHOW("mem written", pwrite(mem, buf, 8, (uintptr_t)p));
                        int x = rights[i].prot == PROT_EXEC;    /* readable, but where the CPU has keys */
                        if (!x)
                                SHOW("copied from", write(fd[1], p, 1));
                        SHOW("copied to", pread(mem, p, 1, (uintptr_t)buf));
                        munmap(p, PAGE);
                }
        return done();
}
