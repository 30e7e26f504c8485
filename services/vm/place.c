/* SPDX-License-Identifier: Apache-2.0
 *
 * Where things go in a new address space, as on x86-64 Linux:
 *
 *      0x7ffffffff000   top
 *                       stack, up to 16 GiB below the top, at random
 *                       a gap: the stack's limit, 128 MiB to 5/6 of it all, and what randomness takes
 *      mmap_base        mappings, downwards, up to 2^28 pages lower at random
 *      brk              after the program, up to 32 MiB further at random
 *      0x555555554000   programs that may lie anywhere, 2^28 pages at random
 *      0x400000         those that may not
 */
#include "services/vm/vm_impl.h"
#include "services/random/random.h"

#define STACK_RANDOM (0x3fffffull << PAGE_SHIFT)        /* 16 GiB */
#define MMAP_RANDOM  (0xfffffffull << PAGE_SHIFT)       /* 28 bits of pages */
#define MIN_GAP      (128ull << 20)
#define MAX_GAP      (VM_MAX / 6 * 5)
#define PIE_BASE     (VM_MAX / 3 * 2)
#define BRK_RANDOM   (32ull << 20)

struct vm_places vm_choose_places(struct vm *vm, u64 stack_limit, bool randomize)
{
        struct vm_places p = { .stack_top = VM_MAX, .pie_base = page_down(PIE_BASE) };
        bool random = randomize && vm->domain->settings.randomize;
        u64 pad = STACK_GUARD;
        if (random) {
                p.stack_top -= random_u64() & STACK_RANDOM;
                p.pie_base += random_u64() & MMAP_RANDOM;
                pad += STACK_RANDOM + PAGE_SIZE;
        }
        u64 gap = add_overflows(stack_limit, pad) ? MAX_GAP : stack_limit + pad;
        gap = min_u64(max_u64(gap, MIN_GAP), MAX_GAP);
        p.mmap_base = page_down(VM_MAX - gap);
        if (random)
                p.mmap_base -= random_u64() & MMAP_RANDOM;
        return p;
}

void vm_use_places(struct vm *vm, struct vm_places p)
{
        WRITE_GUARD(&vm->mmap_lock);
        vm->mmap_base = p.mmap_base;
        vm->mmap_low = vm->domain->settings.legacy_layout ? page_down(VM_MAX / 3) : 0;
}

u64 vm_random_brk(struct vm *vm, u64 end, bool randomize)
{
        u64 at = page_up(end);
        if (randomize && vm->domain->settings.randomize >= 2)
                at += page_down(random_u64() % BRK_RANDOM);
        return at;
}
