/* SPDX-License-Identifier: Apache-2.0
 *
 * userfaultfd_protect: writes to protected pages are asked about.
 */
#include "uffd.h"

static int fd, mode = UFFDIO_REGISTER_MODE_WP;
static char *p;
static volatile int seen, flags, fds[2];

static void *judge(void *arg)
{
        struct uffd_msg m;

        (void)arg;
        while (read(fd, &m, sizeof m) == sizeof m) {
                seen++;
                flags = (int)m.arg.pagefault.flags;
                if (flags & UFFD_PAGEFAULT_FLAG_WP)
                        uffd_protect(fd, (void *)(uintptr_t)m.arg.pagefault.address, PAGE, 0);
                else
                        uffd_zero(fd, (void *)(uintptr_t)m.arg.pagefault.address, PAGE, 0);
        }
        return NULL;
}

int main(void)
{
        pthread_t t;
        int status;
        char *page = anon(1);

        p = anon(16);
        memset(p, 1, 8 * PAGE);
        BARRIER();
        fd = uffd_new(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
        OKAY("register", uffd_register(fd, p, 16 * PAGE, mode));
        CHECK("its commands", (ioctls_of & 1 << _UFFDIO_WRITEPROTECT) != 0);
        pthread_create(&t, NULL, judge, NULL);
        SET(p[0], 2);
        CHECK("nothing is protected yet", seen == 0);
        OKAY("protect", uffd_protect(fd, p, 4 * PAGE, UFFDIO_WRITEPROTECT_MODE_WP));
        CHECK("reads go on", p[0] == 2 && p[PAGE] == 1 && seen == 0);
        SET(p[0], 3);
        CHECK("a write asks", seen == 1 && flags == (UFFD_PAGEFAULT_FLAG_WP | UFFD_PAGEFAULT_FLAG_WRITE) && p[0] == 3);
        SET(p[1], 3);
        CHECK("once", seen == 1);
        int q[2];
        pipe(q);
        write(q[1], "ab", 2);
        CHECK("the kernel's writes too", read(q[0], p + PAGE, 2) == 2 && seen == 2 && p[PAGE] == 'a');
        if (fork() == 0) {
                SET(p[2 * PAGE], 9);
                _exit(p[2 * PAGE] != 9);
        }
        wait(&status);
        CHECK("a child writes freely", status == 0 && seen == 2);
        SET(p[2 * PAGE], 7);
        CHECK("its parent is still asked", seen == 3 && p[2 * PAGE] == 7);
        OKAY("protect all, what is not there too", uffd_protect(fd, p, 16 * PAGE, UFFDIO_WRITEPROTECT_MODE_WP));
        OKAY("protection is left by mprotect", mprotect(p, 16 * PAGE, PROT_READ) | mprotect(p, 16 * PAGE, RW));
        SET(p[4 * PAGE], 8);
        CHECK("asked", seen == 4);
        SET(p[12 * PAGE], 8);
        CHECK("a page that was not there is not", seen == 4);
        OKAY("taken back", uffd_protect(fd, p, 16 * PAGE, 0));
        memset(p, 5, 16 * PAGE);
        BARRIER();
        CHECK("nobody asks", seen == 4);
        uffd_protect(fd, p, 16 * PAGE, UFFDIO_WRITEPROTECT_MODE_WP);
        OKAY("unregister", uffd_range(fd, UFFDIO_UNREGISTER, p, 16 * PAGE));
        memset(p, 6, 16 * PAGE);
        BARRIER();
        CHECK("nobody asks then", seen == 4 && p[5 * PAGE] == 6);

        /* Both modes: a page comes protected. */
        char *b = anon(4);
        OKAY("both modes", uffd_register(fd, b, 4 * PAGE, UFFDIO_REGISTER_MODE_WP | UFFDIO_REGISTER_MODE_MISSING));
        page[0] = 4;
        OKAY("a protected copy", uffd_copy(fd, b, page, PAGE, UFFDIO_COPY_MODE_WP));
        CHECK("can be read", b[0] == 4 && seen == 4);
        SET(b[0], 5);
        CHECK("a write asks", seen == 5 && b[0] == 5);
        CHECK("a missing one asks as such", b[PAGE] == 0 && seen == 6 && flags == 0);
        SET(b[2 * PAGE], 1);
        CHECK("by a write", seen == 7 && flags == UFFD_PAGEFAULT_FLAG_WRITE);
        return done();
}
