/* SPDX-License-Identifier: Apache-2.0
 *
 * getdents_basic: getdents64: entries, types, buffer sizes, seeking.
 */
#include "abi.h"

struct entry {
        uint64_t       ino;
        int64_t        off;
        unsigned short len;
        unsigned char  type;
        char           name[];
};

static char buf[65536];
static int  seen[500], dots, others;

/* Reads all entries with a buffer of `size` bytes. */
static int read_all(int fd, int size)
{
        long n, calls = 0;

        memset(seen, 0, sizeof seen);
        dots = others = 0;
        while ((n = syscall(SYS_getdents64, fd, buf, size)) > 0) {
                calls++;
                for (long at = 0; at < n;) {
                        struct entry *e = (void *)(buf + at);
                        if (!strcmp(e->name, ".") || !strcmp(e->name, ".."))
                                dots++;
                        else if (e->name[0] == 'f')
                                seen[atoi(e->name + 1)]++;
                        else
                                others++;
                        at += e->len;
                }
        }
        return n < 0 ? -1 : calls;
}

static int all_once(int n)
{
        int good = dots == 2;

        for (int i = 0; i < n; i++)
                good &= seen[i] == 1;
        return good;
}

static int type_of(int fd, const char *name)
{
        lseek(fd, 0, SEEK_SET);
        long n = syscall(SYS_getdents64, fd, buf, sizeof buf);
        for (long at = 0; at < n;) {
                struct entry *e = (void *)(buf + at);
                if (!strcmp(e->name, name))
                        return e->type;
                at += e->len;
        }
        return -1;
}

int main(void)
{
        char name[20];

        mkdir("many", 0755);
        for (int i = 0; i < 500; i++) {
                snprintf(name, sizeof name, "many/f%d", i);
                put_text(name, "");
        }
        int fd = open("many", O_RDONLY);
        CHECK("large buffer", read_all(fd, sizeof buf) >= 1 && all_once(500));
        CHECK("at the end: nothing", read_all(fd, sizeof buf) == 0);
        lseek(fd, 0, SEEK_SET);
        CHECK("small buffer", read_all(fd, 100) > 100 && all_once(500));
        lseek(fd, 0, SEEK_SET);
        FAILS("too small for one", EINVAL, syscall(SYS_getdents64, fd, buf, 10));
        /* Removing what was read must not hide what was not. */
        lseek(fd, 0, SEEK_SET);
        int left = 500, hits = 0;
        long n;
        while ((n = syscall(SYS_getdents64, fd, buf, 400)) > 0)
                for (long at = 0; at < n;) {
                        struct entry *e = (void *)(buf + at);
                        if (e->name[0] == 'f') {
                                hits++;
                                left -= unlinkat(fd, e->name, 0) == 0;
                        }
                        at += e->len;
                }
        CHECK("removing on the way", hits == 500 && left == 0);
        OKAY("empty now", rmdir("many"));
        CHECK("a removed one has no entries", syscall(SYS_getdents64, fd, buf, 400) <= 0);

        put_text("file", "");
        mkdir("dir", 0755);
        symlink("x", "link");
        mkfifo("fifo", 0600);
        mknod("node", S_IFCHR | 0600, 0x103);
        fd = open(".", O_RDONLY);
        CHECK("types", type_of(fd, "file") == 8 && type_of(fd, "dir") == 4 && type_of(fd, "link") == 10 &&
              type_of(fd, "fifo") == 1 && type_of(fd, "node") == 2 && type_of(fd, ".") == 4);
        FAILS("a file", ENOTDIR, syscall(SYS_getdents64, open("file", O_RDONLY), buf, sizeof buf));
        FAILS("pointer", EFAULT, ({ lseek(fd, 0, SEEK_SET); syscall(SYS_getdents64, fd, BAD_PTR, 4096); }));
        return done();
}
