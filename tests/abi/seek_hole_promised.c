/* SPDX-License-Identifier: Apache-2.0
 *
 * seek_hole_promised: pages of tmpfs and of memfds that fallocate promised and nobody wrote: what SEEK_HOLE and SEEK_DATA say.
 */
#include "show.h"
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/vfs.h>

static void seeks(int fd, const char *name, int pages)
{
        say("-- %s\n", name);
        for (int i = 0; i <= pages; i++) {
                char what[40];
                snprintf(what, sizeof what, "data from %d", i);
                SHOW(what, lseek(fd, i * PAGE, SEEK_DATA));
                snprintf(what, sizeof what, "hole from %d", i);
                SHOW(what, lseek(fd, i * PAGE, SEEK_HOLE));
        }
}

static void blocks(int fd)
{
        struct stat st;
        fstat(fd, &st);
        SHOW("size", st.st_size);
        SHOW("blocks", st.st_blocks);
}

static void file(const char *name, int fd)
{
        say("== %s\n", name);
        SHOW("promised", fallocate(fd, 0, 0, 8 * PAGE));
        seeks(fd, "promised", 8);
        blocks(fd);
        pwrite(fd, "x", 1, 2 * PAGE);
        pwrite(fd, "x", 1, 5 * PAGE + 7);
        seeks(fd, "written in 2 and 5", 8);
        char c;
        pread(fd, &c, 1, 3 * PAGE);
        seeks(fd, "read from 3", 8);
        char *m = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (m != MAP_FAILED) {
                *(volatile char *)(m + 6 * PAGE);
                seeks(fd, "6 mapped and read", 8);
                m[7 * PAGE] = 1;
                seeks(fd, "7 mapped and written", 8);
                m[1 * PAGE] = 0;
                seeks(fd, "1 mapped and written 0", 8);
                munmap(m, 8 * PAGE);
        }
        SHOW("punched", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * PAGE, PAGE));
        seeks(fd, "2 punched", 8);
        SHOW("promised behind", fallocate(fd, FALLOC_FL_KEEP_SIZE, 8 * PAGE, 4 * PAGE));
        seeks(fd, "promised behind the end", 9);
        blocks(fd);
        SHOW("longer", ftruncate(fd, 12 * PAGE));
        seeks(fd, "longer", 12);
        blocks(fd);
        SHOW("promised again", fallocate(fd, 0, 0, 12 * PAGE));
        seeks(fd, "promised again", 12);
        SHOW("half a page", ftruncate(fd, 10 * PAGE + 100));
        seeks(fd, "half a page", 10);
        SHOW("punched in part", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 9 * PAGE + 100, 100));
        seeks(fd, "9 punched in part", 10);
        SHOW("shorter", ftruncate(fd, 4 * PAGE + 5));
        SHOW("longer", ftruncate(fd, 6 * PAGE));
        seeks(fd, "4 cut", 6);
        blocks(fd);
        struct fiemap fm = { .fm_length = 8 * PAGE };
        SHOW("fiemap", ioctl(fd, FS_IOC_FIEMAP, &fm));
        int p[2];
        ftruncate(fd, 0);
        fallocate(fd, 0, 0, 2 * PAGE);
        pipe(p);
        loff_t off = 0;
        SHOW("spliced", splice(fd, &off, p[1], NULL, PAGE, 0));
        seeks(fd, "0 spliced", 2);
        off = PAGE;
        write(p[1], "y", 1);
        read(p[0], &c, 1);
        close(p[0]), close(p[1]);
        ftruncate(fd, 0);
        fallocate(fd, 0, 0, 6 * PAGE);
        ftruncate(fd, 5 * PAGE + 10);
        seeks(fd, "promised 5 cut", 6);
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE + 100, 100);
        seeks(fd, "promised 1 punched in part", 6);
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * PAGE + 100, 2 * PAGE);
        seeks(fd, "promised 2 to 4 punched", 6);
        blocks(fd);
        close(fd);
}

/* What was promised is there when all the room is taken. */
static void full(void)
{
        static char page[3 * PAGE];
        mkdir("s", 0700);
        must(syscall(SYS_mount, "none", "s", "tmpfs", 0, "size=64k") == 0, "mount");
        int a = open("s/a", O_CREAT | O_RDWR, 0600), b = open("s/b", O_CREAT | O_RDWR, 0600);
        SHOW("promised", fallocate(a, 0, 0, 4 * PAGE));
        SHOW("promised in part, twice", fallocate(a, 0, 2 * PAGE, 4 * PAGE));
        int n = 0;
        while (write(b, page, PAGE) == PAGE)
                n++;
        SHOW("pages left", n);
        FAILS("no more", ENOSPC, write(b, page, PAGE));
        SHOW("written", pwrite(a, page, PAGE, 0));
        SHOW("written", pwrite(a, page, 3 * PAGE, 3 * PAGE));
        FAILS("behind it", ENOSPC, pwrite(a, page, PAGE, 6 * PAGE));
        SHOW("promised again", fallocate(a, 0, 0, 6 * PAGE));
        FAILS("promised more", ENOSPC, fallocate(a, 0, 0, 7 * PAGE));
        blocks(a);
        struct statfs fs;
        statfs("s", &fs);
        SHOW("free", fs.f_bfree);
        SHOW("punched", fallocate(a, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, PAGE));
        statfs("s", &fs);
        SHOW("free", fs.f_bfree);
        SHOW("behind the end, kept", fallocate(a, FALLOC_FL_KEEP_SIZE, 6 * PAGE, PAGE));
        statfs("s", &fs);
        SHOW("free", fs.f_bfree);
        ftruncate(a, 6 * PAGE);
        statfs("s", &fs);
        SHOW("free", fs.f_bfree);
        unlink("s/a"), unlink("s/b");
        close(a), close(b);
        statfs("s", &fs);
        SHOW("free", fs.f_bfree);
}

int main(void)
{
        mkdir("m", 0700);
        OKAY("mounted", syscall(SYS_mount, "none", "m", "tmpfs", 0, NULL));
        file("tmpfs", open("m/f", O_CREAT | O_RDWR, 0600));
        file("memfd", (int)syscall(SYS_memfd_create, "f", 0));
        full();
        return done();
}
