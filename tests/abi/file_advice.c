/* SPDX-License-Identifier: Apache-2.0
 * readahead, sync_file_range, syncfs, posix_fadvise, ustat and sysfs: what they take and what they refuse. */
#include "abi.h"
#include <sys/sysmacros.h>

int main(void)
{
        struct stat st;
        int         fd = open("r", O_CREAT | O_RDWR, 0644);
        int p[2];
        pipe(p);
        OKAY("readahead", readahead(fd, 0, 4096));
        FAILS("readahead of a pipe", EINVAL, readahead(p[0], 0, 4096));
        FAILS("readahead, not open for reading", EBADF, readahead(open("r", O_WRONLY), 0, 4096));
        OKAY("sync_file_range", sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE));
        FAILS("its flags", EINVAL, sync_file_range(fd, 0, 4096, 8));
        FAILS("negative", EINVAL, sync_file_range(fd, -1, 4096, 0));
        FAILS("of a pipe", ESPIPE, sync_file_range(p[0], 0, 0, 0));
        OKAY("syncfs", syncfs(fd));
        FAILS("syncfs of nothing", EBADF, syncfs(99));
        OKAY("posix_fadvise", posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED) ? -1 : 0);
        CHECK("unknown advice", posix_fadvise(fd, 0, 0, 77) == EINVAL);
        CHECK("advice for a pipe", posix_fadvise(p[0], 0, 0, 0) == ESPIPE);
        char u[64];
        fstat(fd, &st);
        OKAY("ustat", syscall(SYS_ustat, (unsigned)st.st_dev, u));
        FAILS("ustat of no device", EINVAL, syscall(SYS_ustat, 0xffff, u));
        char name[64];
        long n = syscall(SYS_sysfs, 3);
        CHECK("file systems are counted", n > 3);
        OKAY("named", syscall(SYS_sysfs, 2, 0, name));
        CHECK("and found by name", syscall(SYS_sysfs, 1, name) == 0);
        FAILS("unknown name", EINVAL, syscall(SYS_sysfs, 1, "nosuchfs"));
        FAILS("unknown index", EINVAL, syscall(SYS_sysfs, 2, 1000, name));
        FAILS("unknown option", EINVAL, syscall(SYS_sysfs, 4));
        return done();
}
