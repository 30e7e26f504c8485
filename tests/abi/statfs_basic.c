/* SPDX-License-Identifier: Apache-2.0
 *
 * statfs_basic: statfs of tmpfs and proc.
 */
#include "abi.h"
#include <sys/statfs.h>

int main(void)
{
        struct statfs s;

        OKAY("proc", statfs("/proc", &s));
        CHECK("proc's number", s.f_type == 0x9fa0);
        mkdir("m", 0755);
        OKAY("a tmpfs of 1 MiB", syscall(SYS_mount, "tmpfs", "m", "tmpfs", 0, "size=1m,nr_inodes=100"));
        OKAY("tmpfs", statfs("m", &s));
        CHECK("its number", s.f_type == 0x01021994);
        CHECK("its size", s.f_bsize == 4096 && s.f_blocks == 256 && s.f_bfree == 256 && s.f_files == 100);
        CHECK("its name length", s.f_namelen == 255);
        put_file("m/file", "x", 1, 0644);
        OKAY("by descriptor", fstatfs(open("m/file", O_RDONLY | O_CLOEXEC), &s));
        CHECK("one block less", s.f_bfree == 255);
        FAILS("missing", ENOENT, statfs("missing", &s));
        FAILS("descriptor", EBADF, fstatfs(99, &s));
        FAILS("pointer", EFAULT, statfs("m", BAD_PTR));
        syscall(SYS_umount2, "m", 2);
        return done();
}
