/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_maps_many: maps and smaps of a process with thousands of areas: whole, in small reads, from the middle, and while it changes.
 */
#include "show.h"
#include <ctype.h>

#define AREAS 6000
#define RW (PROT_READ | PROT_WRITE)

static char *base;

/* Areas of the range, read `step` bytes at a time from `from` on; *order: no address came before one that was lower. */
static int count(const char *file, size_t step, off_t from, int *order)
{
        char *buf = malloc(step + 1), line[512];
        int fd = open(file, O_RDONLY), n = 0, len = 0;
        unsigned long last = 0;
        ssize_t got;

        must(fd >= 0, file);
        *order = 1;
        lseek(fd, from, SEEK_SET);
        while ((got = read(fd, buf, step)) > 0)
                for (ssize_t i = 0; i < got; i++) {
                        if (buf[i] != '\n') {
                                if (len < (int)sizeof line - 1)
                                        line[len++] = buf[i];
                                continue;
                        }
                        line[len] = 0;
                        len = 0;
                        unsigned long start = 0, end = 0;
                        if (sscanf(line, "%lx-%lx ", &start, &end) != 2)
                                continue;
                        *order &= start >= last;
                        last = end;
                        n += start >= (uintptr_t)base && end <= (uintptr_t)base + AREAS * PAGE;
                }
        must(got == 0, "end");
        close(fd);
        free(buf);
        return n;
}

static void whole(const char *file, const char *name)
{
        int order = 0;

        SHOW(name, count(file, 65536, 0, &order));
        CHECK("in order", order);
        SHOW("in small reads", count(file, 1000, 0, &order));
        CHECK("in order", order);
        int n = count(file, 4096, 100000, &order);
        CHECK("from the middle", n > 0 && n < AREAS && order);
        SHOW("behind the end", count(file, 4096, 1L << 40, &order));
}

/* The same bytes at the same place, forwards and backwards. */
static void places(const char *file)
{
        char a[600], b[600];
        int fd = open(file, O_RDONLY), same = 1;

        for (int i = 0; i < 20; i++) {
                off_t at = i * 7001;
                must(pread(fd, a, sizeof a, at) > 0, "pread");
                must(pread(fd, b, 100, i % 2 ? 0 : 200000) == 100, "pread");
                ssize_t n = pread(fd, b, sizeof b, at);
                same &= n > 0 && memcmp(a, b, (size_t)(n < 600 ? n : 600) < 300 ? (size_t)n : 300) == 0;
        }
        CHECK("the same at each place", same);
        close(fd);
}

/* Areas already told go, and others come before the place: what is still to come comes once. */
static void changing(void)
{
        char buf[2000];
        int fd = open("/proc/self/maps", O_RDONLY), n = 0;
        ssize_t got = 0;

        must(read(fd, buf, sizeof buf) > 0, "read");
        munmap(base + AREAS / 2 * PAGE, AREAS / 2 * PAGE);
        while ((got = read(fd, buf, sizeof buf)) > 0)
                for (ssize_t i = 0; i < got; i++)
                        n += buf[i] == '\n';
        CHECK("fewer lines then", n < AREAS - 2000 && n > 100);
        close(fd);
}

int main(void)
{
        base = mmap(NULL, AREAS * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (int i = 0; i < AREAS; i += 2)
                must(mprotect(base + i * PAGE, PAGE, PROT_READ) == 0, "mprotect");
        for (int i = 1; i < AREAS; i += 2)
                base[i * PAGE] = 1;
        whole("/proc/self/maps", "maps");
        whole("/proc/self/smaps", "smaps");
        places("/proc/self/smaps");
        changing();
        return done();
}
