/* SPDX-License-Identifier: Apache-2.0
 *
 * pkey_exec: memory that may only be executed has a key of its own.
 */
#include "pkeys.h"

#define RW (PROT_READ | PROT_WRITE)

static const unsigned char code[] = { 0xb8, 0x2a, 0, 0, 0, 0xc3 };      /* mov $42, %eax; ret */

int main(void)
{
        char *p = page_of(RW), *q = page_of(RW), *r;

        catch_segv();
        memcpy(p, code, sizeof code);
        memcpy(q, code, sizeof code);
        OKAY("PROT_EXEC alone", mprotect(p, PAGE, PROT_EXEC));
        CHECK("it runs", ((int (*)(void))p)() == 42);
        CHECK("it cannot be read", touch(p, 0) == SEGV_PKUERR && last.key == 1);
        CHECK("nor written", touch(p, 1) == SEGV_PKUERR);
        CHECK("key 1 is gone", key_alloc(0, 0) == 2);
        FAILS("and not to be given back", EINVAL, key_free(1));
        FAILS("nor to be used", EINVAL, key_protect(q, PAGE, RW, 1));
        OKAY("a second page", mprotect(q, PAGE, PROT_EXEC));
        CHECK("has the same key", touch(q, 0) == SEGV_PKUERR && last.key == 1);
        OKAY("readable again", mprotect(q, PAGE, PROT_READ | PROT_EXEC));
        CHECK("without the key", touch(q, 0) == 0);
        OKAY("with a key of the program's", key_protect(q, PAGE, PROT_EXEC, 2));
        CHECK("that one counts", touch(q, 0) == 0);
        OKAY("PROT_NONE after PROT_EXEC", mprotect(p, PAGE, PROT_NONE));
        CHECK("leaves the key", touch(p, 0) == SEGV_ACCERR);
        r = mmap(NULL, PAGE, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK("mmap PROT_EXEC", r != MAP_FAILED && touch(r, 0) == SEGV_PKUERR && last.key == 1);
        set_rights(1, 0);
        CHECK("PKRU is the program's own", touch(r, 0) == 0);
        OKAY("the next PROT_EXEC", mprotect(q, PAGE, PROT_READ) | mprotect(q, PAGE, PROT_EXEC));
        CHECK("rights now", rights(1) == 0 || rights(1) == 1);
        say("rights after it %d\n", rights(1));
        return done();
}
