/* SPDX-License-Identifier: Apache-2.0
 * name_to_handle_at(2), open_by_handle_at(2) on tmpfs; readahead, sync_file_range, syncfs, ustat, sysfs, vhangup's errors. */
#include "abi.h"
#include <sys/sysmacros.h>

struct handle { struct file_handle h; unsigned char room[128]; };

int main(void)
{
        struct handle a = { .h.handle_bytes = 128 }, b = { .h.handle_bytes = 128 };
        int           mnt = -1, mnt2 = -2, dir = open(".", O_RDONLY);
        struct stat   st, st2;

        int fd = open("f", O_CREAT | O_RDWR, 0644);
        write(fd, "text", 4);
        OKAY("handle", name_to_handle_at(AT_FDCWD, "f", &a.h, &mnt, 0));
        CHECK("some bytes", a.h.handle_bytes > 0 && a.h.handle_bytes <= 128);
        OKAY("again", name_to_handle_at(fd, "", &b.h, &mnt2, AT_EMPTY_PATH));
        CHECK("the same", mnt == mnt2 && a.h.handle_bytes == b.h.handle_bytes && a.h.handle_type == b.h.handle_type &&
              !memcmp(a.h.f_handle, b.h.f_handle, a.h.handle_bytes));
        struct handle small = { .h.handle_bytes = 0 };
        FAILS("no room", EOVERFLOW, name_to_handle_at(AT_FDCWD, "f", &small.h, &mnt, 0));
        CHECK("says how much", small.h.handle_bytes == a.h.handle_bytes);
        struct handle big = { .h.handle_bytes = 129 };
        FAILS("too much", EINVAL, name_to_handle_at(AT_FDCWD, "f", &big.h, &mnt, 0));
        FAILS("missing", ENOENT, name_to_handle_at(AT_FDCWD, "none", &b.h, &mnt, 0));
        FAILS("flags", EINVAL, name_to_handle_at(AT_FDCWD, "f", &b.h, &mnt, 0x8000));
        FAILS("on proc", EOPNOTSUPP, name_to_handle_at(AT_FDCWD, "/proc/version", &b.h, &mnt, 0));

        int o = open_by_handle_at(dir, &a.h, O_RDONLY);
        CHECK("opened", o >= 0 && !fstat(o, &st) && !fstat(fd, &st2) && st.st_ino == st2.st_ino);
        char c[4];
        CHECK("read", read(o, c, 4) == 4 && !memcmp(c, "text", 4));
        close(o);
        rename("f", "g");
        o = open_by_handle_at(dir, &a.h, O_RDONLY);
        CHECK("whatever its name", o >= 0);
        close(o);
        unlink("g");
        close(fd);
        FAILS("gone", ESTALE, open_by_handle_at(dir, &a.h, O_RDONLY));
        mkdir("d", 0755);
        b.h.handle_bytes = 128;
        OKAY("directory", name_to_handle_at(AT_FDCWD, "d", &b.h, &mnt, 0));
        o = open_by_handle_at(dir, &b.h, O_RDONLY | O_DIRECTORY);
        CHECK("opened as one", o >= 0);
        FAILS("for writing", EISDIR, open_by_handle_at(dir, &b.h, O_RDWR));
        pid_t pid = fork();
        int   status;
        if (!pid) {
                setresuid(1000, 1000, 1000);
                FAILS("without rights", EPERM, open_by_handle_at(dir, &b.h, O_RDONLY));
                _exit(failures);
        }
        waitpid(pid, &status, 0);
        CHECK("child", status == 0);

        fd = open("r", O_CREAT | O_RDWR, 0644);
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
