/* SPDX-License-Identifier: Apache-2.0
 *
 * Protection keys (pkeys(7)): which are in use, and what the current thread's PKRU makes of an area's key.
 *
 * A key is a number from 0 to 15 in an area's flags (AREA_KEY) and in the leaves of its pages; what a thread may do with
 * it stands in PKRU, which the program changes by itself.  The CPU asks PKRU at each access, and so do its copies of
 * user memory; a fault asks here, so that nobody tries for ever.  Other address spaces' memory is not asked about.
 *
 * Key 0 is what memory has that was never given another.  Memory that may only be executed gets a key of its own, as on
 * Linux, made when it is first needed.  On a CPU without keys there are none to be had, and PKRU reads as 0.
 *
 * Locking   mmap_lock: vm->keys, vm->exec_key.
 */
#include "services/vm/vm_impl.h"
#include "abi/const/mm.h"

#define KEYS 16u
#define FEATURE_PKRU 0x200ul            /* XCR0 */

bool vm_has_keys(void) { return (fpu_features() & FEATURE_PKRU) != 0; }

static u32 rights_of(u32 key) { return user_keys() >> 2 * key & 3; }

static void set_rights(u32 key, u32 rights) { user_set_keys((user_keys() & ~(3u << 2 * key)) | rights << 2 * key); }

/* KEYS: none left. */
static u32 take(struct vm *vm)
{
        u32 key = 0;

        while (key < KEYS && (vm->keys & 1u << key))
                key++;
        if (!vm_has_keys() || key == KEYS)
                return KEYS;
        vm->keys |= 1u << key;
        return key;
}

u32 key_for_exec(struct vm *vm)
{
        if (!vm->exec_key) {
                u32 key = take(vm);
                if (key == KEYS)
                        return 0;
                vm->exec_key = key;
        }
        if (!(rights_of(vm->exec_key) & PKEY_DISABLE_ACCESS))
                set_rights(vm->exec_key, PKEY_DISABLE_ACCESS);
        return vm->exec_key;
}

u32 key_after(struct vm *vm, const struct vm_area *a, u32 prot)
{
        u32 key = prot == VM_EXEC ? key_for_exec(vm) : 0;
        if (key)
                return key;
        bool leaves = a->prot == VM_EXEC && vm->exec_key && area_key(a) == vm->exec_key;
        return leaves ? 0 : area_key(a);
}

bool key_may_be_used(struct vm *vm, i32 key)
{
        return key == -1 || (vm_has_keys() && key >= 0 && (u32)key < KEYS && (vm->keys & 1u << key) && (!key || (u32)key != vm->exec_key));
}

err_t vm_pkey_alloc(struct vm *vm, u32 rights, u32 *key)
{
        if (rights & ~(u32)(PKEY_DISABLE_ACCESS | PKEY_DISABLE_WRITE))
                return ERR(EINVAL);
        WRITE_GUARD(&vm->mmap_lock);
        *key = take(vm);
        if (*key == KEYS)
                return ERR(ENOSPC);
        set_rights(*key, rights);
        return OK;
}

/* Areas that have the key keep it. */
err_t vm_pkey_free(struct vm *vm, i32 key)
{
        WRITE_GUARD(&vm->mmap_lock);
        if (key < 0 || !key_may_be_used(vm, key))
                return ERR(EINVAL);
        vm->keys &= ~(1u << key);
        return OK;
}

err_t vm_pkey_mprotect(struct vm *vm, u64 addr, u64 len, u32 prot, i32 key)
{
        return protect_range(vm, addr, len, prot, key);
}
