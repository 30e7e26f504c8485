/* SPDX-License-Identifier: Apache-2.0
 *
 * remap_file_pages: other pages of a file in a shared mapping.
 */
#include "show.h"

#define RW (PROT_READ | PROT_WRITE)

static long remap(void *p, size_t n, int prot, size_t page, int flags) { return syscall(SYS_remap_file_pages, p, n, prot, page, flags); }

int main(void)
{
        int   fd = memfd_create("pages", 0);
        char *p, *a = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        ftruncate(fd, 4 * PAGE);
        p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
        for (int i = 0; i < 4; i++)
                p[i * PAGE] = '0' + i;
        SHOW("the last page first", remap(p, PAGE, 0, 3, 0));
        say("%c%c%c%c\n", p[0], p[PAGE], p[2 * PAGE], p[3 * PAGE]);
        SHOW("over what was moved", remap(p, 2 * PAGE, 0, 1, 0));
        say("%c%c%c%c\n", p[0], p[PAGE], p[2 * PAGE], p[3 * PAGE]);
        p[0] = 'x';
        say("written: %c\n", (pread(fd, a, 1, PAGE), *a));
        SHOW("crooked address", remap(p + 5, PAGE, 0, 0, 0));
        SHOW("crooked length", remap(p, PAGE + 5, 0, 2, 0));
        say("%c%c\n", p[0], p[PAGE]);
        SHOW("a protection", remap(p, PAGE, PROT_READ, 0, 0));
        SHOW("flags are not looked at", remap(p, PAGE, 0, 0, 0x77));
        SHOW("nothing", remap(p, 0, 0, 0, 0));
        SHOW("less than a page", remap(p, 100, 0, 0, 0));
        SHOW("beyond the map", remap(p, 5 * PAGE, 0, 0, 0));
        SHOW("pages beyond the file", remap(p, PAGE, 0, 10, 0));
        SHOW("page numbers that wrap", remap(p, PAGE, 0, -1UL, 0));
        SHOW("enormous page numbers", remap(p, PAGE, 0, 1UL << 60, 0));
        SHOW("private memory", remap(a, PAGE, 0, 0, 0));
        SHOW("a hole", remap((void *)(1UL << 40), PAGE, 0, 0, 0));
        SHOW("above the top", remap((void *)(1UL << 62), PAGE, 0, 0, 0));
        char *s = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        s[2 * PAGE] = 'q';
        SHOW("shared anonymous", remap(s, PAGE, 0, 2, 0));
        CHECK("its third page", s[0] == 'q');
        return done();
}
