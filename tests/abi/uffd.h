/* SPDX-License-Identifier: Apache-2.0
 *
 * uffd: userfaultfd's calls, for the userfaultfd_* programs.
 */
#pragma once
#include "abi.h"
#include <linux/userfaultfd.h>
#include <pthread.h>

/* The compiler knows nothing of the thread that answers. */
#define BARRIER()    __asm__ volatile ("" ::: "memory")
#define SET(lv, v)   do { (lv) = (v); BARRIER(); } while (0)

#define RW (PROT_READ | PROT_WRITE)

UNUSED static int uffd_open(int flags) { return (int)syscall(SYS_userfaultfd, flags); }

UNUSED static int uffd_api(int fd, uint64_t features)
{
        struct uffdio_api api = { .api = UFFD_API, .features = features };
        return ioctl(fd, UFFDIO_API, &api);
}

UNUSED static int uffd_new(uint64_t features)
{
        int fd = uffd_open(O_CLOEXEC);
        must(fd >= 0 && uffd_api(fd, features) == 0, "userfaultfd");
        return fd;
}

UNUSED static uint64_t ioctls_of;
UNUSED static int uffd_register(int fd, void *p, size_t n, uint64_t mode)
{
        struct uffdio_register r = { .range = { (uintptr_t)p, n }, .mode = mode };
        int err = ioctl(fd, UFFDIO_REGISTER, &r);
        ioctls_of = r.ioctls;
        return err;
}

UNUSED static int uffd_range(int fd, unsigned long cmd, void *p, size_t n)
{
        struct uffdio_range r = { (uintptr_t)p, n };
        return ioctl(fd, cmd, &r);
}

UNUSED static long copied;
UNUSED static int uffd_copy(int fd, void *to, const void *from, size_t n, uint64_t mode)
{
        struct uffdio_copy c = { .dst = (uintptr_t)to, .src = (uintptr_t)from, .len = n, .mode = mode, .copy = 77 };
        int err = ioctl(fd, UFFDIO_COPY, &c);
        copied = c.copy;
        return err;
}

UNUSED static int uffd_zero(int fd, void *to, size_t n, uint64_t mode)
{
        struct uffdio_zeropage z = { .range = { (uintptr_t)to, n }, .mode = mode, .zeropage = 77 };
        int err = ioctl(fd, UFFDIO_ZEROPAGE, &z);
        copied = z.zeropage;
        return err;
}

UNUSED static int uffd_protect(int fd, void *p, size_t n, uint64_t mode)
{
        struct uffdio_writeprotect w = { .range = { (uintptr_t)p, n }, .mode = mode };
        return ioctl(fd, UFFDIO_WRITEPROTECT, &w);
}

UNUSED static char *anon(size_t pages)
{
        char *p = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
        return p;
}
