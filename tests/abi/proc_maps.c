/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_maps: /proc/self/maps.
 */
#include "abi.h"

static int line_for(unsigned long addr, char *perms, unsigned long *from, unsigned long *to, unsigned long *off, char *name)
{
        char *all = strdup(text_of("/proc/self/maps"));
        int   found = 0;

        for (char *l = strtok(all, "\n"); l && !found; l = strtok(NULL, "\n")) {
                unsigned ma, mi;
                unsigned long ino;
                name[0] = 0;
                if (sscanf(l, "%lx-%lx %4s %lx %x:%x %lu %s", from, to, perms, off, &ma, &mi, &ino, name) >= 7)
                        found = *from <= addr && addr < *to;
        }
        free(all);
        return found;
}

int main(int argc, char **argv)
{
        char          perms[5], name[256];
        unsigned long from, to, off;
        int           local;

        (void)argc;
        CHECK("code", line_for((unsigned long)main, perms, &from, &to, &off, name) && !strcmp(perms, "r-xp"));
        CHECK("its file", !strcmp(name, argv[0]));
        CHECK("stack", line_for((unsigned long)&local, perms, &from, &to, &off, name) && !strcmp(name, "[stack]") && !strcmp(perms, "rw-p"));
        sbrk(PAGE);
        CHECK("heap", line_for((unsigned long)sbrk(0) - 1, perms, &from, &to, &off, name) && !strcmp(name, "[heap]"));
        CHECK("vdso", strstr(text_of("/proc/self/maps"), "[vdso]\n") != NULL);
        char *p = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
        CHECK("one's own", line_for((unsigned long)p + PAGE, perms, &from, &to, &off, name) && !strcmp(perms, "rwxp") &&
              from == (unsigned long)p + PAGE && to == from + PAGE && !name[0]);
        put_file("mapped", p + PAGE, PAGE, 0644);
        int fd = open("mapped", O_RDWR);
        ftruncate(fd, 3 * PAGE);
        p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE);
        CHECK("a shared file", line_for((unsigned long)p, perms, &from, &to, &off, name) && !strcmp(perms, "r--s") && off == 2 * PAGE &&
              strstr(name, "/mapped"));
        unlink("mapped");
        CHECK("deleted", strstr(text_of("/proc/self/maps"), "/mapped (deleted)\n") != NULL);
        return done();
}
