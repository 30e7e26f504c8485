/* SPDX-License-Identifier: Apache-2.0
 *
 * madvise_basic: madvise: MADV_DONTNEED and errors.
 */
#include "abi.h"

int main(void)
{
        char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        memset(p, 4, 8 * PAGE);
        OKAY("drop", madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED));
        CHECK("zero again", p[PAGE] == 0 && p[3 * PAGE - 1] == 0);
        CHECK("the rest stays", p[0] == 4 && p[3 * PAGE] == 4);
        put_text("file", "contents");
        int   fd = open("file", O_RDWR);
        char *f = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        f[0] = 'X';
        OKAY("drop a private page", madvise(f, PAGE, MADV_DONTNEED));
        CHECK("the file's again", f[0] == 'c');
        OKAY("will need", madvise(p, 8 * PAGE, MADV_WILLNEED));
        OKAY("random", madvise(p, 8 * PAGE, MADV_RANDOM));
        FAILS("crooked", EINVAL, madvise(p + 1, PAGE, MADV_DONTNEED));
        FAILS("unknown", EINVAL, madvise(p, PAGE, 12345));
        munmap(p + 4 * PAGE, PAGE);
        FAILS("a hole", ENOMEM, madvise(p, 8 * PAGE, MADV_DONTNEED));
        CHECK("done around it", p[0] == 0 && p[5 * PAGE] == 0);
        return done();
}
