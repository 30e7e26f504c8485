/* SPDX-License-Identifier: Apache-2.0
 *
 * pkey_alloc: which keys there are, who gets them, and what smaps tells of them.
 */
#include "pkeys.h"

#define RW (PROT_READ | PROT_WRITE)

static int smaps_key(void *p)
{
        char line[512];
        unsigned long from, to;
        int in = 0, key = -1;
        FILE *f = fopen("/proc/self/smaps", "r");

        while (fgets(line, sizeof line, f)) {
                if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
                        in = from <= (unsigned long)p && (unsigned long)p < to;
                else if (in)
                        sscanf(line, "ProtectionKey: %d", &key);
        }
        fclose(f);
        return key;
}

int main(void)
{
        char *p = page_of(RW);
        int n = 0, status;

        FAILS("flags", EINVAL, key_alloc(1, 0));
        FAILS("unknown rights", EINVAL, key_alloc(0, 4));
        FAILS("unknown high rights", EINVAL, key_alloc(0, 1ul << 40));
        CHECK("the first is 1", key_alloc(0, PKEY_DISABLE_WRITE) == 1);
        CHECK("with the rights asked for", rights(1) == PKEY_DISABLE_WRITE);
        CHECK("the next is 2", key_alloc(0, PKEY_DISABLE_ACCESS) == 2 && rights(2) == PKEY_DISABLE_ACCESS);
        CHECK("both rights", key_alloc(0, 3) == 3 && rights(3) == 3);
        OKAY("2 is given back", key_free(2));
        CHECK("its rights stay", rights(2) == PKEY_DISABLE_ACCESS);
        FAILS("twice", EINVAL, key_free(2));
        FAILS("its use", EINVAL, key_protect(p, PAGE, RW, 2));
        CHECK("and is the next", key_alloc(0, 0) == 2 && rights(2) == 0);
        while (key_alloc(0, 0) > 0)
                n++;
        CHECK("twelve more", n == 12 && errno == ENOSPC);
        FAILS("16", EINVAL, key_free(16));
        FAILS("-1", EINVAL, key_free(-1));
        FAILS("pkey_mprotect: 16", EINVAL, key_protect(p, PAGE, RW, 16));
        FAILS("pkey_mprotect: -2", EINVAL, key_protect(p, PAGE, RW, -2));
        OKAY("pkey_mprotect: -1", key_protect(p, PAGE, RW, -1));
        FAILS("pkey_mprotect: crooked", EINVAL, key_protect(p + 1, PAGE, RW, 5));
        FAILS("pkey_mprotect: unknown prot", EINVAL, key_protect(p, PAGE, 0x100, 5));
        OKAY("pkey_mprotect: nothing, key of nobody", key_protect(p, 0, RW, 99));
        CHECK("smaps: 0", smaps_key(p) == 0);
        OKAY("15", key_protect(p, PAGE, RW, 15));
        CHECK("smaps: 15", smaps_key(p) == 15);
        OKAY("15 is given back while in use", key_free(15));
        CHECK("smaps: still 15", smaps_key(p) == 15);
        char *q = mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
        CHECK("mremap keeps the key", q != MAP_FAILED && smaps_key(q) == 15 && smaps_key(q + PAGE) == 15);
        CHECK("a new mapping has none", smaps_key(page_of(RW)) == 0);
        if (fork() == 0) {
                int ok = smaps_key(q) == 15;
                ok = ok && key_alloc(0, 0) == 15 && key_free(7) == 0 && key_alloc(0, 0) == 7;
                _exit(!ok);
        }
        wait(&status);
        CHECK("a child has the areas' keys, and keys of its own", status == 0);
        CHECK("which are not its parent's", key_alloc(0, 0) == 15);
        if (vfork() == 0)
                _exit(key_free(9) != 0);
        CHECK("a child in the same memory shares them", key_alloc(0, 0) == 9);
        OKAY("key 0 too can be given back", key_free(0));
        FAILS("then it cannot be used", EINVAL, key_protect(q, PAGE, RW, 0));
        CHECK("and is the next", key_alloc(0, 0) == 0);
        return done();
}
