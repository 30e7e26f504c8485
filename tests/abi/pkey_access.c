/* SPDX-License-Identifier: Apache-2.0
 *
 * pkey_access: what PKRU forbids, to programs and to the kernel's copies on their behalf.
 */
#include "pkeys.h"

#define RW (PROT_READ | PROT_WRITE)

static void *other(void *arg)
{
        char **p = arg;
        int fds[2];

        pipe(fds);
        p[1] = (char *)(long)rights((int)(long)p[2]);
        write(fds[1], p[0], 1);
        return NULL;
}

int main(void)
{
        char buf[8] = "x", *p = page_of(RW), *fresh = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int fds[2], status, fd = open("file", O_RDWR | O_CREAT, 0600);

        pipe(fds);
        write(fd, "some text", 9);
        catch_segv();
        CHECK("PKRU at the start", rdpkru() == 0x55555554);
        int k = (int)key_alloc(0, 0);
        CHECK("a key", k == 1 && rights(k) == 0);
        OKAY("given to a page", key_protect(p, PAGE, RW, k));
        OKAY("and to one never touched", key_protect(fresh, PAGE, RW, k));
        CHECK("read, write", touch(p, 0) == 0 && touch(p, 1) == 0);
        set_rights(k, PKEY_DISABLE_WRITE);
        CHECK("read only: read", touch(p, 0) == 0);
        CHECK("read only: write", touch(p, 1) == SEGV_PKUERR && last.key == k && last.addr == p);
        CHECK("PKRU in the handler", last.pkru == 0x55555554);
        CHECK("PKRU after it", rights(k) == PKEY_DISABLE_WRITE);
        CHECK("read only, never touched: write", touch(fresh, 1) == SEGV_PKUERR && last.key == k);
        CHECK("read only, never touched: read", touch(fresh, 0) == 0);
        FAILS("the kernel writes there", EFAULT, syscall(SYS_pread64, fd, p, 4, 0));
        CHECK("the kernel reads from there", write(fds[1], p, 1) == 1 && read(fds[0], buf, 1) == 1);
        set_rights(k, PKEY_DISABLE_ACCESS);
        CHECK("no access: read", touch(p, 0) == SEGV_PKUERR && last.key == k);
        CHECK("no access: write", touch(p, 1) == SEGV_PKUERR);
        FAILS("the kernel reads from there", EFAULT, write(fds[1], p, 1));
        FAILS("the kernel writes there", EFAULT, syscall(SYS_pread64, fd, p, 4, 0));
        FAILS("a path there", EFAULT, syscall(SYS_open, p, O_RDONLY));
        FAILS("a struct there", EFAULT, syscall(SYS_fstat, fd, p));
        FAILS("a vector there", EFAULT, syscall(SYS_writev, fds[1], p, 1));
        FAILS("a time there", EFAULT, syscall(SYS_nanosleep, p, NULL));
        struct iovec l = { buf, 1 }, r = { p, 1 };
        CHECK("process_vm_readv from there", process_vm_readv(getpid(), &l, 1, &r, 1, 0) == 1);
        CHECK("process_vm_readv to there", process_vm_writev(getpid(), &r, 1, &l, 1, 0) == -1 && errno == EFAULT);
        int mem = open("/proc/self/mem", O_RDWR);
        CHECK("/proc/self/mem does not ask", pread(mem, buf, 1, (long)p) == 1);
        CHECK("nor for writing", pwrite(mem, "z", 1, (long)p) == 1);
        CHECK("execution is not asked about", mprotect(p, PAGE, RW | PROT_EXEC) == 0);
        if (fork() == 0)
                _exit(rights(k) == PKEY_DISABLE_ACCESS && touch(p, 0) == SEGV_PKUERR ? 0 : 1);
        wait(&status);
        CHECK("a child has the same rights", status == 0);
        set_rights(k, 0);
        CHECK("allowed again", touch(p, 0) == 0 && p[0] == 'z');
        OKAY("plain mprotect", mprotect(p, PAGE, PROT_READ));
        set_rights(k, PKEY_DISABLE_ACCESS);
        CHECK("leaves the key", touch(p, 0) == SEGV_PKUERR);
        OKAY("key 0 again", key_protect(p, PAGE, RW, 0));
        CHECK("is free of it", touch(p, 1) == 0);
        CHECK("a page without rights: MAPERR first", munmap(p, PAGE) == 0 && touch(p, 0) == SEGV_MAPERR);
        p = page_of(RW);
        key_protect(p, PAGE, PROT_READ, k);
        set_rights(k, 0);
        CHECK("rights of the area too", touch(p, 1) == SEGV_ACCERR);
        set_rights(k, PKEY_DISABLE_WRITE);
        CHECK("the key comes before the area's rights", touch(p, 1) == SEGV_PKUERR);
        OKAY("madvise does not ask", madvise(p, PAGE, MADV_DONTNEED));
        set_rights(k, PKEY_DISABLE_ACCESS);
        FAILS("mlock does", ENOMEM, mlock(p, PAGE));
        char *all[3] = { p, 0, (char *)(long)k };
        set_rights(k, PKEY_DISABLE_WRITE);
        other(all);
        CHECK("rights as set", (long)all[1] == PKEY_DISABLE_WRITE);
        return done();
}
