/* SPDX-License-Identifier: Apache-2.0
 *
 * mmap_errors: what mmap, munmap and mprotect refuse.
 */
#include "abi.h"

#define RW (PROT_READ | PROT_WRITE)
#define AN (MAP_PRIVATE | MAP_ANONYMOUS)

static long map(void *a, size_t n, int prot, int flags, int fd, off_t off)
{
        return syscall(SYS_mmap, a, n, prot, flags, fd, off);
}

int main(void)
{
        put_text("file", "text");
        int ro = open("file", O_RDONLY), wo = open("file", O_WRONLY), dir = open(".", O_RDONLY), p[2];

        pipe(p);
        FAILS("no length", EINVAL, map(NULL, 0, RW, AN, -1, 0));
        FAILS("far too long", ENOMEM, map(NULL, 1UL << 47, RW, AN, -1, 0));
        FAILS("longer than the address space", ENOMEM, map(NULL, -1UL, RW, AN, -1, 0));
        FAILS("neither shared nor private", EINVAL, map(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0));
        FAILS("crooked offset", EINVAL, map(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 1));
        FAILS("bad descriptor", EBADF, map(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0));
        FAILS("no descriptor", EBADF, map(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0));
        FAILS("file not readable", EACCES, map(NULL, PAGE, PROT_READ, MAP_PRIVATE, wo, 0));
        FAILS("shared, file not writable", EACCES, map(NULL, PAGE, RW, MAP_SHARED, ro, 0));
        OKAY("private, file not writable", map(NULL, PAGE, RW, MAP_PRIVATE, ro, 0));
        FAILS("directory", ENODEV, map(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0));
        FAILS("pipe", ENODEV, map(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0));
        FAILS("offset overflow", EOVERFLOW, map(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, ro, -PAGE));
        char *q = (char *)map(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
        FAILS("shared read-only stays so", EACCES, mprotect(q, PAGE, RW));
        FAILS("munmap crooked", EINVAL, syscall(SYS_munmap, q + 1, PAGE));
        FAILS("munmap nothing", EINVAL, munmap(q, 0));
        FAILS("munmap beyond", EINVAL, munmap((void *)(1UL << 56), PAGE));
        FAILS("mprotect crooked", EINVAL, syscall(SYS_mprotect, q + 1, PAGE, PROT_READ));
        OKAY("mprotect nothing", mprotect(q, 0, PROT_READ));
        munmap(q, PAGE);
        FAILS("mprotect of a hole", ENOMEM, mprotect(q, PAGE, PROT_READ));
        FAILS("bad protection", EINVAL, mprotect(q, PAGE, 0x100));
        return done();
}
