/* SPDX-License-Identifier: Apache-2.0
 *
 * elf_auxv: the auxiliary vector that a new program finds.
 */
#include "abi.h"
#include <elf.h>
#include <sys/auxv.h>

int main(int argc, char **argv)
{
        const unsigned char *vdso = (void *)getauxval(AT_SYSINFO_EHDR);
        const Elf64_Phdr    *ph = (void *)getauxval(AT_PHDR);
        const unsigned char *random = (void *)getauxval(AT_RANDOM);
        int                  loads = 0, differ = 0;

        CHECK("argc", argc == 1);
        CHECK("page size", getauxval(AT_PAGESZ) == 4096);
        CHECK("clock ticks", getauxval(AT_CLKTCK) == 100);
        CHECK("header size", getauxval(AT_PHENT) == sizeof(Elf64_Phdr));
        for (unsigned i = 0; i < getauxval(AT_PHNUM); i++)
                loads += ph[i].p_type == PT_LOAD;
        CHECK("program headers", loads > 0);
        CHECK("entry", getauxval(AT_ENTRY) != 0);
        CHECK("no interpreter, no base", getauxval(AT_BASE) == 0);
        CHECK("uid", getauxval(AT_UID) == 0 && getauxval(AT_EUID) == 0);
        CHECK("gid", getauxval(AT_GID) == 0 && getauxval(AT_EGID) == 0);
        CHECK("not secure", getauxval(AT_SECURE) == 0);
        CHECK("file name", !strcmp((char *)getauxval(AT_EXECFN), argv[0]));
        CHECK("platform", !strcmp((char *)getauxval(AT_PLATFORM), "x86_64"));
        CHECK("flags", getauxval(AT_FLAGS) == 0);
        CHECK("cpu features", getauxval(AT_HWCAP) != 0);
        for (int i = 1; i < 16; i++)
                differ |= random[i] != random[0];
        CHECK("random bytes", differ);
        CHECK("vdso", vdso && !memcmp(vdso, ELFMAG, SELFMAG));
        CHECK("stack alignment", ((uintptr_t)__builtin_frame_address(0) & 15) == 0);
        return done();
}
