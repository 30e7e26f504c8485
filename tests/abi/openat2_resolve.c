/* SPDX-License-Identifier: Apache-2.0
 * openat2(2): struct sizes, flag checks, and each RESOLVE_ flag. */
#include "abi.h"
#include <linux/openat2.h>

static int o2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
        struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };
        int fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
        if (fd >= 0)
                close(fd);
        return fd < 0 ? -1 : 0;
}

int main(void)
{
        struct { struct open_how how; uint64_t more; } big = { .how = { .flags = O_RDONLY } };

        mkdir("top", 0755); mkdir("top/in", 0755);
        close(open("top/in/file", O_CREAT | O_WRONLY, 0644));
        close(open("outside", O_CREAT | O_WRONLY, 0644));
        symlink("in/file", "top/rel"); symlink("../outside", "top/up"); symlink("/in/file", "top/abs"); symlink("in", "top/dirlink");
        symlink("loop", "top/loop");
        int top = open("top", O_PATH | O_DIRECTORY);

        OKAY("plain", o2(top, "in/file", O_RDONLY, 0, 0));
        OKAY("create", o2(top, "new", O_CREAT | O_RDWR, 0600, 0));
        FAILS("mode without create", EINVAL, o2(top, "in/file", O_RDONLY, 0644, 0));
        FAILS("bits of no mode", EINVAL, o2(top, "new2", O_CREAT | O_RDWR, 0200000, 0));
        FAILS("unknown flag", EINVAL, o2(top, "in/file", 1ull << 31, 0, 0));
        FAILS("flag above 32 bits", EINVAL, o2(top, "in/file", 1ull << 40, 0, 0));
        FAILS("unknown resolve", EINVAL, o2(top, "in/file", O_RDONLY, 0, 0x100));
        FAILS("beneath and in root", EINVAL, o2(top, "in/file", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
        FAILS("O_PATH with O_CREAT", EINVAL, o2(top, "x", O_PATH | O_CREAT, 0600, 0));
        FAILS("directory and create", EINVAL, o2(top, "x", O_DIRECTORY | O_CREAT, 0600, 0));

        FAILS("no symlinks: last", ELOOP, o2(top, "rel", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
        FAILS("no symlinks: middle", ELOOP, o2(top, "dirlink/file", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
        OKAY("no symlinks: the link itself", o2(top, "rel", O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS));
        FAILS("no magic links", ELOOP, o2(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
        OKAY("plain links are no magic", o2(top, "rel", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));

        OKAY("beneath", o2(top, "in/file", O_RDONLY, 0, RESOLVE_BENEATH));
        OKAY("beneath: link that stays", o2(top, "rel", O_RDONLY, 0, RESOLVE_BENEATH));
        OKAY("beneath: down and up", o2(top, "in/../in/file", O_RDONLY, 0, RESOLVE_BENEATH));
        FAILS("beneath: up", EXDEV, o2(top, "..", O_RDONLY, 0, RESOLVE_BENEATH));
        FAILS("beneath: up and back", EXDEV, o2(top, "../top/in/file", O_RDONLY, 0, RESOLVE_BENEATH));
        FAILS("beneath: absolute", EXDEV, o2(top, "/in/file", O_RDONLY, 0, RESOLVE_BENEATH));
        FAILS("beneath: absolute link", EXDEV, o2(top, "abs", O_RDONLY, 0, RESOLVE_BENEATH));
        FAILS("beneath: link out", EXDEV, o2(top, "up", O_RDONLY, 0, RESOLVE_BENEATH));
        FAILS("beneath: magic link", EXDEV, o2(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0, RESOLVE_BENEATH));

        OKAY("in root: absolute", o2(top, "/in/file", O_RDONLY, 0, RESOLVE_IN_ROOT));
        OKAY("in root: absolute link", o2(top, "abs", O_RDONLY, 0, RESOLVE_IN_ROOT));
        OKAY("in root: up stays", o2(top, "../../in/file", O_RDONLY, 0, RESOLVE_IN_ROOT));
        FAILS("in root: nothing outside", ENOENT, o2(top, "up", O_RDONLY, 0, RESOLVE_IN_ROOT));
        FAILS("loop", ELOOP, o2(top, "loop", O_RDONLY, 0, RESOLVE_IN_ROOT));

        FAILS("other mount", EXDEV, o2(AT_FDCWD, "/proc/version", O_RDONLY, 0, RESOLVE_NO_XDEV));
        OKAY("same mount", o2(top, "in/file", O_RDONLY, 0, RESOLVE_NO_XDEV));

        FAILS("cached cannot create", EAGAIN, o2(top, "new3", O_CREAT | O_RDWR, 0600, RESOLVE_CACHED));
        FAILS("cached cannot truncate", EAGAIN, o2(top, "in/file", O_TRUNC | O_RDWR, 0, RESOLVE_CACHED));
        OKAY("cached", o2(top, "in/file", O_RDONLY, 0, RESOLVE_CACHED));

        FAILS("size 0", EINVAL, syscall(SYS_openat2, top, "in/file", &big, 0));
        FAILS("too small", EINVAL, syscall(SYS_openat2, top, "in/file", &big, sizeof big.how - 1));
        OKAY("bigger, zero", close(syscall(SYS_openat2, top, "in/file", &big, sizeof big)));
        big.more = 1;
        FAILS("bigger, not zero", E2BIG, syscall(SYS_openat2, top, "in/file", &big, sizeof big));
        FAILS("far too big", E2BIG, syscall(SYS_openat2, top, "in/file", &big, 5000000));
        FAILS("bad struct", EFAULT, syscall(SYS_openat2, top, "in/file", BAD_PTR, sizeof big.how));
        return done();
}
