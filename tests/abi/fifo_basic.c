/* SPDX-License-Identifier: Apache-2.0
 *
 * fifo_basic: named pipes: opening waits for the other side.
 */
#include "abi.h"

int main(void)
{
        char        buf[10];
        struct stat st;

        OKAY("make", mkfifo("fifo", 0640));
        stat("fifo", &st);
        CHECK("its mode", S_ISFIFO(st.st_mode) && (st.st_mode & 0777) == 0640);
        FAILS("there already", EEXIST, mkfifo("fifo", 0640));
        FAILS("no reader", ENXIO, open("fifo", O_WRONLY | O_NONBLOCK));
        int r = open("fifo", O_RDONLY | O_NONBLOCK);
        CHECK("no writer is fine", r >= 0);
        CHECK("and reads as the end", read(r, buf, 1) == 0);
        int w = open("fifo", O_WRONLY | O_NONBLOCK);
        CHECK("now a writer may", w >= 0);
        FAILS("empty, with a writer", EAGAIN, read(r, buf, 1));
        write(w, "data", 4);
        CHECK("through", read(r, buf, 10) == 4);
        close(r);
        close(w);
        pid_t pid = fork();
        if (pid == 0) {
                w = open("fifo", O_WRONLY);
                write(w, "child", 5);
                _exit(0);
        }
        r = open("fifo", O_RDONLY);
        CHECK("both sides meet", read(r, buf, 10) == 5);
        CHECK("the end", read(r, buf, 10) == 0);
        result_of(pid);
        int rw = open("fifo", O_RDWR);
        CHECK("both at once", rw >= 0 && write(rw, "x", 1) == 1 && read(rw, buf, 1) == 1);
        OKAY("unlink", unlink("fifo"));
        CHECK("goes on while open", write(rw, "y", 1) == 1 && read(rw, buf, 1) == 1);
        return done();
}
