/* SPDX-License-Identifier: Apache-2.0
 *
 * open_append: O_APPEND: every write goes to the end.
 */
#include "abi.h"

int main(void)
{
        int   a = open("file", O_RDWR | O_CREAT | O_APPEND, 0644), b = open("file", O_RDWR);
        pid_t pids[4];

        write(b, "12345", 5);
        write(a, "ab", 2);
        CHECK("after the other's", !strcmp(text_of("file"), "12345ab"));
        lseek(a, 0, SEEK_SET);
        write(a, "cd", 2);
        CHECK("wherever it points", !strcmp(text_of("file"), "12345abcd"));
        CHECK("and points behind", lseek(a, 0, SEEK_CUR) == 9);
        CHECK("pwrite too, as Linux does", pwrite(a, "e", 1, 0) == 1 && !strcmp(text_of("file"), "12345abcde"));
        fcntl(a, F_SETFL, 0);
        CHECK("switched off", pwrite(a, "X", 1, 0) == 1 && text_of("file")[0] == 'X');
        truncate("file", 0);
        for (int c = 0; c < 4; c++)
                if ((pids[c] = fork()) == 0) {
                        int fd = open("file", O_WRONLY | O_APPEND);
                        for (int i = 0; i < 100; i++)
                                write(fd, "0123456789", 10);
                        _exit(0);
                }
        for (int c = 0; c < 4; c++)
                result_of(pids[c]);
        const char *t = text_of("file");
        int         good = strlen(t) == 4000;
        for (int i = 0; i < 4000; i++)
                good &= t[i] == '0' + i % 10;
        CHECK("four writers lose nothing", good);
        return done();
}
