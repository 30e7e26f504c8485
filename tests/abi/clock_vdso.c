/* SPDX-License-Identifier: Apache-2.0
 *
 * clock_vdso: the vDSO's clock and the system call's are one.
 */
#include "abi.h"
#include <elf.h>
#include <sys/auxv.h>

typedef int (*gettime_fn)(clockid_t, struct timespec *);

/* Finds a symbol of the vDSO, as a C library does. */
static void *find(const char *name)
{
        const char       *base = (void *)getauxval(AT_SYSINFO_EHDR);
        const Elf64_Ehdr *e = (void *)base;
        const Elf64_Phdr *ph = (void *)(base + e->e_phoff);
        const Elf64_Dyn  *dyn = NULL;
        uintptr_t         off = 0;

        for (int i = 0; i < e->e_phnum; i++) {
                if (ph[i].p_type == PT_LOAD && !off)
                        off = (uintptr_t)base + ph[i].p_offset - ph[i].p_vaddr;
                if (ph[i].p_type == PT_DYNAMIC)
                        dyn = (void *)(base + ph[i].p_offset);
        }
        const Elf64_Sym  *sym = NULL;
        const char       *str = NULL;
        const Elf64_Word *hash = NULL, *gnu = NULL;
        for (; dyn && dyn->d_tag; dyn++) {
                void *p = (void *)(off + dyn->d_un.d_ptr);
                if (dyn->d_tag == DT_SYMTAB)
                        sym = p;
                else if (dyn->d_tag == DT_STRTAB)
                        str = p;
                else if (dyn->d_tag == DT_HASH)
                        hash = p;
                else if (dyn->d_tag == DT_GNU_HASH)
                        gnu = p;
        }
        if (!sym || !str || (!hash && !gnu))
                return NULL;
        unsigned n = hash ? hash[1] : 64;
        for (unsigned i = 0; i < n; i++)
                if (!strcmp(str + sym[i].st_name, name))
                        return (void *)(off + sym[i].st_value);
        return NULL;
}

static int64_t ns(const struct timespec *t) { return t->tv_sec * 1000000000LL + t->tv_nsec; }

static int interleaved(gettime_fn fn, clockid_t id)
{
        struct timespec a, b;
        int64_t         last = 0;

        for (int i = 0; i < 5000; i++) {
                fn(id, &a);
                syscall(SYS_clock_gettime, id, &b);
                if (ns(&a) < last || ns(&b) < ns(&a))
                        return 0;
                last = ns(&b);
        }
        return 1;
}

int main(void)
{
        gettime_fn fn = (gettime_fn)find("__vdso_clock_gettime");
        struct timespec t;

        CHECK("found", fn != NULL);
        if (!fn)
                return done();
        CHECK("monotonic, interleaved", interleaved(fn, CLOCK_MONOTONIC));
        CHECK("real time, interleaved", interleaved(fn, CLOCK_REALTIME));
        CHECK("other clocks too", fn(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
        CHECK("no such clock", fn(99, &t) == -EINVAL);
        CHECK("gettimeofday", find("__vdso_gettimeofday") != NULL);
        CHECK("time", find("__vdso_time") != NULL);
        unsigned cpu = 99;
        int (*getcpu)(unsigned *, unsigned *, void *) = (int (*)(unsigned *, unsigned *, void *))find("__vdso_getcpu");
        CHECK("getcpu", getcpu && getcpu(&cpu, NULL, NULL) == 0 && cpu < 8);
        return done();
}
