/* SPDX-License-Identifier: Apache-2.0
 *
 * pipe_basic: pipes: data, ends, sizes.
 */
#include "abi.h"

int main(void)
{
        int  p[2], q[2], n;
        char buf[100];

        OKAY("pipe", pipe(p));
        CHECK("lowest descriptors", p[0] == 3 && p[1] == 4);
        CHECK("write", write(p[1], "hello", 5) == 5);
        CHECK("read what is there", read(p[0], buf, 100) == 5 && !memcmp(buf, "hello", 5));
        write(p[1], "abcdef", 6);
        CHECK("in parts", read(p[0], buf, 2) == 2 && read(p[0], buf + 2, 100) == 4 && !memcmp(buf, "abcdef", 6));
        write(p[1], "xy", 2);
        OKAY("FIONREAD", ioctl(p[0], FIONREAD, &n));
        CHECK("two", n == 2);
        close(p[1]);
        CHECK("what was written stays", read(p[0], buf, 100) == 2);
        CHECK("then the end", read(p[0], buf, 100) == 0);
        FAILS("write to the reading end", EBADF, write(p[0], "x", 1));
        FAILS("seek", ESPIPE, lseek(p[0], 0, SEEK_SET));
        FAILS("pread", ESPIPE, pread(p[0], buf, 1, 0));

        pipe2(q, O_CLOEXEC | O_NONBLOCK);
        CHECK("flags", fcntl(q[0], F_GETFD) == FD_CLOEXEC && (fcntl(q[1], F_GETFL) & O_NONBLOCK));
        CHECK("modes", (fcntl(q[0], F_GETFL) & O_ACCMODE) == O_RDONLY && (fcntl(q[1], F_GETFL) & O_ACCMODE) == O_WRONLY);
        FAILS("read from the writing end", EBADF, read(q[1], buf, 1));
        FAILS("bad flags", EINVAL, pipe2(q, 0x1));
        FAILS("bad pointer", EFAULT, syscall(SYS_pipe, BAD_PTR));
        struct stat st;
        fstat(p[0], &st);
        CHECK("a fifo by stat", S_ISFIFO(st.st_mode) && st.st_size == 0);

        pipe(q);
        pid_t pid = fork();
        if (pid == 0) {
                close(q[0]);
                sleep_ms(50);
                write(q[1], "late", 4);
                _exit(0);
        }
        close(q[1]);
        CHECK("read waits", read(q[0], buf, 100) == 4);
        CHECK("the last writer's end is the end", read(q[0], buf, 100) == 0);
        result_of(pid);
        return done();
}
