/* SPDX-License-Identifier: Apache-2.0
 *
 * mprotect_basic: mprotect takes effect at once, also for pages already touched.
 */
#include "fault.h"

int main(void)
{
        char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        catch_faults();
        memset(p, 0xc3, 4 * PAGE);                      /* ret */
        OKAY("read-only", mprotect(p, 2 * PAGE, PROT_READ));
        CHECK("reads", p[0] == (char)0xc3);
        CHECK("no writes", FAULTS(SIGSEGV, SEGV_ACCERR, p + 5, WRITES(p + 5, 1)));
        CHECK("the next area is writable", !FAULTS(SIGSEGV, SEGV_ACCERR, p, WRITES(p + 2 * PAGE, 1)));
        OKAY("nothing", mprotect(p, PAGE, PROT_NONE));
        CHECK("no reads", FAULTS(SIGSEGV, SEGV_ACCERR, p + 9, READS(p + 9)));
        OKAY("writable again", mprotect(p, PAGE, PROT_READ | PROT_WRITE));
        CHECK("contents kept", p[9] == (char)0xc3);
        p[9] = 1;
        CHECK("does not run", FAULTS(SIGSEGV, SEGV_ACCERR, p + PAGE, ((void (*)(void))(uintptr_t)(p + PAGE))()));
        OKAY("executable", mprotect(p + PAGE, PAGE, PROT_READ | PROT_EXEC));
        CHECK("runs", !FAULTS(SIGSEGV, SEGV_ACCERR, p, ((void (*)(void))(uintptr_t)(p + PAGE))()));

        put_text("in", "12345678");
        int fd = open("in", O_RDONLY);
        mprotect(p, PAGE, PROT_READ);
        FAILS("the kernel may not write either", EFAULT, read(fd, p, 8));
        mprotect(p, PAGE, PROT_NONE);
        FAILS("nor read", EFAULT, write(fd = open("out", O_WRONLY | O_CREAT, 0644), p, 8));
        munmap(p + 2 * PAGE, PAGE);
        FAILS("a hole on the way", ENOMEM, mprotect(p + PAGE, 3 * PAGE, PROT_NONE));
        CHECK("what was before it is done", FAULTS(SIGSEGV, SEGV_ACCERR, p + PAGE, READS(p + PAGE)));
        return done();
}
