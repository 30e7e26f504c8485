/* SPDX-License-Identifier: Apache-2.0
 *
 * munmap_split: unmapping the start, the middle and the end of an area.
 */
#include "fault.h"

static int areas_in(char *from, char *to)
{
        char *line = strdup(text_of("/proc/self/maps"));
        int   n = 0;

        for (char *l = strtok(line, "\n"); l; l = strtok(NULL, "\n")) {
                unsigned long a, b;
                if (sscanf(l, "%lx-%lx", &a, &b) == 2 && a >= (unsigned long)from && b <= (unsigned long)to)
                        n++;
        }
        free(line);
        return n;
}

int main(void)
{
        catch_faults();
        char *p = mmap(NULL, 64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(p, 64 * PAGE);
        p = mmap(p + 8 * PAGE, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        char *end = p + 10 * PAGE;

        memset(p, 3, 10 * PAGE);
        CHECK("one area", areas_in(p, end) == 1);
        munmap(p + 4 * PAGE, PAGE);
        CHECK("two", areas_in(p, end) == 2);
        CHECK("the hole", FAULTS(SIGSEGV, SEGV_MAPERR, p + 4 * PAGE, READS(p + 4 * PAGE)));
        CHECK("its neighbours", p[4 * PAGE - 1] == 3 && p[5 * PAGE] == 3);
        munmap(p, PAGE);
        munmap(p + 9 * PAGE, PAGE);
        CHECK("the ends", FAULTS(SIGSEGV, SEGV_MAPERR, p, READS(p)) &&
              FAULTS(SIGSEGV, SEGV_MAPERR, p + 9 * PAGE, READS(p + 9 * PAGE)));
        CHECK("what is left", p[PAGE] == 3 && p[9 * PAGE - 1] == 3);
        munmap(p - PAGE, 12 * PAGE);
        CHECK("over holes and areas", areas_in(p, end) == 0);

        p = mmap(p, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        for (int i = 0; i < 10; i += 2)
                mprotect(p + i * PAGE, PAGE, PROT_READ);
        CHECK("ten by protection", areas_in(p, end) == 10);
        mprotect(p, 10 * PAGE, PROT_READ);
        CHECK("merged again", areas_in(p, end) == 1);
        return done();
}
