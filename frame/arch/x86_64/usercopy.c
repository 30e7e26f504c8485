/* SPDX-License-Identifier: Apache-2.0
 *
 * User memory for services: bounds here, the accesses in ucopy.S.
 * Nothing is reached but the current task's own space: a task without one (a kernel
 * thread, on whatever tables were loaded last) finds nothing there.
 */
#include "x86.h"
#include "task_impl.h"

_Static_assert(USER_LOW == VM_MIN && USER_TOP == VM_MAX && __builtin_offsetof(struct task, work) == TASK_WORK &&
        __builtin_offsetof(struct task, n_held) == TASK_WORK + 4 && __builtin_offsetof(struct task, space) == TASK_SPACE, "ucopy.S");

usize ucopy(void *to, const void *from, usize n);
usize ucopy_string(u8 *to, usize max, u64 from, bool *found);
usize user_copy_in_part(mbytes dst, u64 addr);
usize user_copy_out_part(u64 addr, bytes src);
usize user_copy_string_part(mbytes dst, u64 addr, bool *found);
bool  uload32(u64 from, u32 *value);
bool  uload64(u64 from, u64 *value);
bool  ustore32(u64 to, u32 value);
bool  ustore64(u64 to, u64 value);
bool  ucmpxchg32(u64 at, u32 old, u32 new, u32 *seen);

/* How much of [addr, addr + n) is below VM_MAX. SAFETY of all calls below: U5: the user side is user space. */
static usize reachable(u64 addr, usize n)
{
        if (addr < VM_MIN || addr >= VM_MAX || !current_task()->space)
                return 0;
        return min_u64(n, VM_MAX - addr);
}

static bool word_reachable(u64 addr, u64 size)
{
        if (addr & (size - 1))
                __builtin_trap();
        return reachable(addr, size) == size;
}

/* What ucopy.S leaves: not all of it is user space. */
usize user_copy_in_part(mbytes dst, u64 addr)
{
        return ucopy(dst.p_k, (const void *)addr, reachable(addr, dst.n_k));            /* SAFETY: U5 */
}

usize user_copy_out_part(u64 addr, bytes src)
{
        return ucopy((void *)addr, src.p_k, reachable(addr, src.n_k));          /* SAFETY: U5 */
}

usize user_copy_string_part(mbytes dst, u64 addr, bool *found)
{
        return ucopy_string(dst.p_k, reachable(addr, dst.n_k), addr, found);
}

bool user_load32(u64 addr, u32 *value)  { return word_reachable(addr, 4) && uload32(addr, value); }
bool user_load64(u64 addr, u64 *value)  { return word_reachable(addr, 8) && uload64(addr, value); }
bool user_store32(u64 addr, u32 value)  { return word_reachable(addr, 4) && ustore32(addr, value); }
bool user_store64(u64 addr, u64 value)  { return word_reachable(addr, 8) && ustore64(addr, value); }

bool user_cmpxchg32(u64 addr, u32 old, u32 new, u32 *seen)
{
        return word_reachable(addr, 4) && ucmpxchg32(addr, old, new, seen);
}
