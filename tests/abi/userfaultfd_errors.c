/* SPDX-License-Identifier: Apache-2.0
 *
 * userfaultfd_errors: who gets a userfaultfd, and what its commands refuse.
 */
#include "uffd.h"
#include <sys/auxv.h>

static int as_user(void)
{
        become_user(1000);
        FAILS("an ordinary user", EPERM, uffd_open(0));
        FAILS("also with bad flags", EPERM, uffd_open(0x100000));
        OKAY("for its own accesses alone", uffd_open(UFFD_USER_MODE_ONLY));
        return done();
}

int main(void)
{
        struct uffdio_api api = { .api = 1 };
        struct pollfd pfd = { .events = POLLIN };
        char buf[64], *p = anon(8), *other = anon(4);
        char *vdso = (char *)getauxval(AT_SYSINFO_EHDR);

        FAILS("unknown flags", EINVAL, uffd_open(0x100000));
        CHECK("a user's", in_child(as_user) == 0);
        int fd = uffd_open(O_CLOEXEC | O_NONBLOCK);
        CHECK("flags of the descriptor", (fcntl(fd, F_GETFD) & FD_CLOEXEC) && (fcntl(fd, F_GETFL) & O_NONBLOCK));
        FAILS("before the API", EINVAL, uffd_register(fd, p, PAGE, UFFDIO_REGISTER_MODE_MISSING));
        FAILS("read before the API", EINVAL, read(fd, buf, sizeof buf));
        pfd.fd = fd;
        CHECK("poll before the API", poll(&pfd, 1, 0) == 1 && pfd.revents == POLLERR);
        CHECK("wrong API", ioctl(fd, UFFDIO_API, &api) == -1 && errno == EINVAL && api.features == 0 && api.ioctls == 0);
        api = (struct uffdio_api){ .api = UFFD_API, .features = 1ull << 63 };
        CHECK("unknown feature", ioctl(fd, UFFDIO_API, &api) == -1 && errno == EINVAL && api.api == 0 && api.features == 0);
        FAILS("bad address", EFAULT, ioctl(fd, UFFDIO_API, BAD_PTR));
        api = (struct uffdio_api){ .api = UFFD_API };
        OKAY("the API", ioctl(fd, UFFDIO_API, &api));
        CHECK("its commands", api.ioctls == UFFD_API_IOCTLS);
        uint64_t want = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_SIGBUS | UFFD_FEATURE_THREAD_ID | UFFD_FEATURE_EXACT_ADDRESS;
        CHECK("its features", (api.features & want) == want);
        FAILS("the API twice", EINVAL, uffd_api(fd, 0));
        FAILS("an unknown command", EINVAL, ioctl(fd, 0xaa55, 0));
        FAILS("nothing to read", EAGAIN, read(fd, buf, sizeof buf));
        FAILS("too short a buffer", EINVAL, read(fd, buf, 31));
        CHECK("nothing to poll", poll(&pfd, 1, 0) == 0);
        FAILS("write", EINVAL, write(fd, buf, 8) == -1 && errno == EBADF ? (errno = EINVAL, -1) : -1);

        FAILS("register: no mode", EINVAL, uffd_register(fd, p, PAGE, 0));
        FAILS("register: unknown mode", EINVAL, uffd_register(fd, p, PAGE, 8));
        FAILS("register: crooked start", EINVAL, uffd_register(fd, p + 1, PAGE, 1));
        FAILS("register: crooked length", EINVAL, uffd_register(fd, p, 100, 1));
        FAILS("register: nothing", EINVAL, uffd_register(fd, p, 0, 1));
        FAILS("register: low", EINVAL, uffd_register(fd, NULL, PAGE, 1));
        FAILS("register: too high", EINVAL, uffd_register(fd, (void *)(1ul << 57), PAGE, 1));
        FAILS("register: too long", EINVAL, uffd_register(fd, p, -PAGE, 1));
        FAILS("register: minor faults of anonymous memory", EINVAL, uffd_register(fd, p, PAGE, UFFDIO_REGISTER_MODE_MINOR));
        FAILS("register: the vDSO", EINVAL, uffd_register(fd, vdso, PAGE, 1));
        munmap(other, 2 * PAGE);
        FAILS("register: a hole", EINVAL, uffd_register(fd, other, 2 * PAGE, 1));
        OKAY("register: a hole before", uffd_register(fd, other, 4 * PAGE, 1));
        FAILS("register: bad address", EFAULT, ioctl(fd, UFFDIO_REGISTER, BAD_PTR));
        OKAY("register", uffd_register(fd, p, 4 * PAGE, UFFDIO_REGISTER_MODE_MISSING));
        CHECK("register: its commands", (ioctls_of & (1 << _UFFDIO_COPY | 1 << _UFFDIO_WAKE | 1 << _UFFDIO_ZEROPAGE | 1 << _UFFDIO_WRITEPROTECT)) ==
              (1 << _UFFDIO_COPY | 1 << _UFFDIO_WAKE | 1 << _UFFDIO_ZEROPAGE));
        OKAY("register: again", uffd_register(fd, p, 4 * PAGE, UFFDIO_REGISTER_MODE_MISSING));
        int fd2 = uffd_new(0);
        FAILS("register: another's", EBUSY, uffd_register(fd2, p, 8 * PAGE, 1));
        pfd.fd = fd2;
        CHECK("poll of one that blocks", poll(&pfd, 1, 0) == 1 && pfd.revents == POLLERR);

        memset(buf, 1, sizeof buf);
        char *page = anon(1);
        page[0] = 5;
        FAILS("copy: crooked", EINVAL, uffd_copy(fd, p + 1, page, PAGE, 0));
        FAILS("copy: nothing", EINVAL, uffd_copy(fd, p, page, 0, 0));
        FAILS("copy: unknown mode", EINVAL, uffd_copy(fd, p, page, PAGE, 8));
        CHECK("copy: the answer is left alone", copied == 77);
        FAILS("copy: not registered", ENOENT, uffd_copy(fd, page, page, PAGE, 0));
        CHECK("copy: says so twice", copied == -ENOENT);
        FAILS("copy: over the end", ENOENT, uffd_copy(fd, p + 3 * PAGE, p + 4 * PAGE, 2 * PAGE, 0));
        FAILS("copy: bad source", EFAULT, uffd_copy(fd, p, NULL, PAGE, 0));
        FAILS("copy: protected, without that mode", EINVAL, uffd_copy(fd, p, page, PAGE, UFFDIO_COPY_MODE_WP));
        OKAY("copy", uffd_copy(fd, p, page, PAGE, 0));
        CHECK("copy: bytes", copied == PAGE && p[0] == 5);
        FAILS("copy: there already", EEXIST, uffd_copy(fd, p, page, PAGE, 0));
        CHECK("copy: said", copied == -EEXIST);
        FAILS("zero: there already", EEXIST, uffd_zero(fd, p, PAGE, 0));
        FAILS("zero: unknown mode", EINVAL, uffd_zero(fd, p, PAGE, 2));
        OKAY("copy to the third", uffd_copy(fd, p + 2 * PAGE, page, PAGE, 0));
        FAILS("zero: as far as it goes", EAGAIN, uffd_zero(fd, p + PAGE, 2 * PAGE, 0));
        CHECK("zero: that much", copied == PAGE && p[PAGE] == 0);
        FAILS("wake: crooked", EINVAL, uffd_range(fd, UFFDIO_WAKE, p, 5));
        OKAY("wake: nobody", uffd_range(fd, UFFDIO_WAKE, p, PAGE));
        FAILS("protect: not registered for it", ENOENT, uffd_protect(fd, p, PAGE, UFFDIO_WRITEPROTECT_MODE_WP));
        FAILS("protect: unknown mode", EINVAL, uffd_protect(fd, p, PAGE, 4));
        FAILS("protect: both modes", EINVAL, uffd_protect(fd, p, PAGE, 3));
        FAILS("unregister: crooked", EINVAL, uffd_range(fd, UFFDIO_UNREGISTER, p, 5));
        FAILS("unregister: the vDSO", EINVAL, uffd_range(fd, UFFDIO_UNREGISTER, vdso, PAGE));
        OKAY("unregister: what is not registered too", uffd_range(fd, UFFDIO_UNREGISTER, p, 8 * PAGE));
        FAILS("then it is not", ENOENT, uffd_zero(fd, p + 3 * PAGE, PAGE, 0));
        CHECK("and plain memory", p[3 * PAGE] == 0);
        CHECK("the other may now", uffd_register(fd2, p + 4 * PAGE, PAGE, 1) == 0);
        close(fd2);
        CHECK("the end of the descriptor is the end of it", p[4 * PAGE] == 0);
        return done();
}
