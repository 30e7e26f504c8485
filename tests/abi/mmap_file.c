/* SPDX-License-Identifier: Apache-2.0
 *
 * mmap_file: private and shared mappings of a file.
 */
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)

int main(void)
{
        char buf[8] = { 0 };
        int  fd = open("file", O_RDWR | O_CREAT, 0644);

        catch_faults();
        for (int i = 0; i < 4; i++) {
                char page[PAGE];
                memset(page, 'a' + i, PAGE);
                write(fd, page, i < 3 ? PAGE : 100);
        }
        char *priv = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
        char *shared = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
        char *part = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE);
        close(fd);
        CHECK("contents", priv[0] == 'a' && shared[PAGE] == 'b' && part[0] == 'c');
        CHECK("zero behind the end", priv[3 * PAGE + 99] == 'd' && priv[3 * PAGE + 100] == 0);
        priv[0] = 'X';
        CHECK("private stays private", shared[0] == 'a');
        fd = open("file", O_RDWR);
        shared[2 * PAGE] = 'S';
        pread(fd, buf, 1, 2 * PAGE);
        CHECK("shared is seen by read", buf[0] == 'S' && part[0] == 'S');
        CHECK("and by untouched private pages", priv[2 * PAGE] == 'S');
        pwrite(fd, "W", 1, PAGE);
        CHECK("a write is seen by both", shared[PAGE] == 'W' && priv[PAGE] == 'W');
        OKAY("msync", msync(shared, 4 * PAGE, MS_SYNC));
        FAILS("msync of two minds", EINVAL, msync(shared, PAGE, MS_SYNC | MS_ASYNC));

        pid_t pid = fork();
        if (pid == 0) {
                shared[1] = 'C';
                priv[1] = 'C';
                _exit(0);
        }
        result_of(pid);
        CHECK("over fork", shared[1] == 'C' && priv[1] == 'a');

        ftruncate(fd, PAGE);
        CHECK("beyond the end: SIGBUS", FAULTS(SIGBUS, BUS_ADRERR, shared + PAGE, READS(shared + PAGE)));
        CHECK("private too", FAULTS(SIGBUS, BUS_ADRERR, priv + 3 * PAGE, READS(priv + 3 * PAGE)));
        CHECK("within the end: fine", shared[0] == 'a');
        ftruncate(fd, 2 * PAGE);
        CHECK("grown again: zero", shared[PAGE] == 0);
        unlink("file");
        close(fd);
        CHECK("an unlinked file stays mapped", shared[1] == 'C');
        return done();
}
