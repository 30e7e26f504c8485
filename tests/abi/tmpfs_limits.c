/* SPDX-License-Identifier: Apache-2.0
 * tmpfs: size and nr_inodes, what remounting may change, statfs, ENOSPC in writes, maps and fallocate.  tmpfs(5). */
#include "abi.h"
#include <sys/mount.h>
#include <sys/vfs.h>

static long blocks(int fd)
{
        struct stat st;
        return fstat(fd, &st) == 0 ? st.st_blocks : -1;
}

static void nothing(int sig) { (void)sig; }

/* What fallocate could not have whole it gives back, but for what was written or had before. */
static void allocating(void)
{
        mkdir("u", 0700);
        OKAY("mount", mount("tmpfs", "u", "tmpfs", 0, "size=64k"));
        int g = open("u/g", O_RDWR | O_CREAT, 0600), fd = open("u/f", O_RDWR | O_CREAT, 0600);
        OKAY("40k of 64", fallocate(g, 0, 0, 40 << 10));
        ftruncate(fd, 1 << 20);
        pwrite(fd, "x", 1, 8192);
        FAILS("within the file", ENOSPC, fallocate(fd, 0, 0, 32 << 10));
        CHECK("what was written stays", blocks(fd) == 8);
        OKAY("a page", fallocate(fd, 0, 0, PAGE));
        FAILS("more", ENOSPC, fallocate(fd, 0, 16 << 10, 32 << 10));
        CHECK("that page stays", blocks(fd) == 16);
        FAILS("all", ENOSPC, fallocate(fd, 0, 0, 32 << 10));
        CHECK("it stays", blocks(fd) == 16);
        FAILS("behind the end", ENOSPC, fallocate(fd, FALLOC_FL_KEEP_SIZE, 1 << 20, 32 << 10));
        CHECK("nothing of it", blocks(fd) == 16);
        close(fd);
        close(g);
        umount("u");

        struct sigaction sa = { .sa_handler = nothing };
        struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { };
        fd = memfd_create("m", 0);
        sigaction(SIGALRM, &sa, NULL);
        setitimer(ITIMER_REAL, &often, NULL);
        int r = fallocate(fd, 0, 0, 96 << 20), err = errno;
        setitimer(ITIMER_REAL, &never, NULL);
        CHECK("a signal interrupts it", r < 0 && err == EINTR);
        CHECK("and nothing is left", blocks(fd) == 0);
        close(fd);
        OKAY("mount", mount("tmpfs", "u", "tmpfs", 0, "size=8k"));
        struct stat st;
        struct statfs s;
        char target[201] = "";
        CHECK("an empty directory's size", stat("u", &st) == 0 && st.st_size == 40);
        memset(target, 't', 127);
        OKAY("a link", symlink(target, "u/a"));
        CHECK("takes no page", statfs("u", &s) == 0 && s.f_bfree == 2);
        memset(target, 't', 128);
        OKAY("a longer one", symlink(target, "u/b"));
        CHECK("takes one", statfs("u", &s) == 0 && s.f_bfree == 1);
        OKAY("another", symlink(target, "u/c"));
        FAILS("too many", ENOSPC, symlink(target, "u/d"));
        OKAY("one less", unlink("u/b"));
        CHECK("gives it back", statfs("u", &s) == 0 && s.f_bfree == 1);
        CHECK("names count", stat("u", &st) == 0 && st.st_size == 80);
        umount("u");
        OKAY("a mode with a type", mount("tmpfs", "u", "tmpfs", 0, "mode=0100700"));
        CHECK("is a directory", stat("u", &st) == 0 && st.st_mode == (S_IFDIR | 0700));
        umount("u");
}

int main(void)
{
        struct statfs s;
        char          block[PAGE];
        int           fd, n;

        memset(block, 'x', sizeof block);
        mkdir("t", 0755);
        OKAY("mount", mount("tmpfs", "t", "tmpfs", 0, "size=64k,nr_inodes=5,uid=7,gid=8,mode=1770"));
        struct stat st;
        stat("t", &st);
        CHECK("owner and mode", st.st_uid == 7 && st.st_gid == 8 && (st.st_mode & 07777) == 01770);
        OKAY("statfs", statfs("t", &s));
        CHECK("16 blocks", s.f_blocks == 16 && s.f_bfree == 16 && s.f_bavail == 16 && s.f_bsize == PAGE);
        CHECK("5 inodes, one is the root", s.f_files == 5 && s.f_ffree == 4);
        CHECK("the type", s.f_type == 0x01021994 && s.f_namelen == 255);

        fd = open("t/a", O_CREAT | O_RDWR, 0644);
        for (n = 0; write(fd, block, PAGE) == PAGE; n++)
                ;
        CHECK("16 pages fit", n == 16 && errno == ENOSPC);
        statfs("t", &s);
        CHECK("full", s.f_bfree == 0);
        FAILS("allocating more", ENOSPC, fallocate(fd, 0, 16 * PAGE, PAGE));
        OKAY("writing what is there", pwrite(fd, block, PAGE, 0));
        OKAY("a hole is free", ftruncate(fd, 32 * PAGE));
        FAILS("but not filled", ENOSPC, pwrite(fd, block, 1, 20 * PAGE));
        OKAY("truncate", ftruncate(fd, 15 * PAGE));
        CHECK("half fits", pwrite(fd, block, PAGE, 15 * PAGE - 100) == PAGE);
        ftruncate(fd, 15 * PAGE + 8);
        CHECK("a write over the end is cut", pwrite(fd, block, PAGE, 15 * PAGE + 8) == PAGE - 8);

        for (n = 0; n < 10; n++) {
                char name[16];
                snprintf(name, sizeof name, "t/n%d", n);
                int f = open(name, O_CREAT | O_WRONLY, 0644);
                if (f < 0)
                        break;
                close(f);
        }
        CHECK("three more inodes", n == 3 && errno == ENOSPC);
        FAILS("no directory either", ENOSPC, mkdir("t/d", 0755));
        FAILS("no link either", ENOSPC, symlink("x", "t/s"));
        FAILS("a hard link takes one too", ENOSPC, link("t/a", "t/b"));
        unlink("t/n0");
        OKAY("with one free", link("t/a", "t/b"));

        FAILS("smaller than what is used", EINVAL, mount(NULL, "t", NULL, MS_REMOUNT, "size=32k"));
        FAILS("fewer inodes than used", EINVAL, mount(NULL, "t", NULL, MS_REMOUNT, "nr_inodes=2"));
        OKAY("grown", mount(NULL, "t", NULL, MS_REMOUNT, "size=128k,nr_inodes=100"));
        statfs("t", &s);
        CHECK("shown", s.f_blocks == 32 && s.f_files == 100);
        OKAY("room again", pwrite(fd, block, PAGE, 20 * PAGE));
        OKAY("the limit taken away", mount(NULL, "t", NULL, MS_REMOUNT, "size=0"));
        FAILS("is not set again", EINVAL, mount(NULL, "t", NULL, MS_REMOUNT, "size=1m"));
        close(fd);
        OKAY("umount", umount("t"));
        OKAY("half of memory by default", mount("tmpfs", "t", "tmpfs", 0, NULL));
        statfs("t", &s);
        CHECK("about", s.f_blocks > 0 && s.f_files > 0);
        umount("t");
        OKAY("no limits", mount("tmpfs", "t", "tmpfs", 0, "size=0,nr_inodes=0"));
        statfs("t", &s);
        CHECK("are not shown", s.f_blocks == 0 && s.f_files == 0);
        OKAY("written", close(open("t/f", O_CREAT | O_WRONLY, 0600)));
        umount("t");
        OKAY("percent", mount("tmpfs", "t", "tmpfs", 0, "size=10%"));
        umount("t");
        FAILS("bad number", EINVAL, mount("tmpfs", "t", "tmpfs", 0, "size=abc"));
        FAILS("bad mode", EINVAL, mount("tmpfs", "t", "tmpfs", 0, "mode=9"));
        allocating();
        return done();
}
