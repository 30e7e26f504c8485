/* SPDX-License-Identifier: Apache-2.0
 *
 * User memory for services: bounds here, the accesses in ucopy.S.
 * Nothing is reached but the current task's own space: a task without one (a kernel
 * thread, on whatever tables were loaded last) finds nothing there.
 */
#include "x86.h"
#include "mem.h"
#include "task_impl.h"

usize ucopy(void *to, const void *from, usize n);
usize uzero(u64 to, usize n);
u64   ucopy_string(u8 *to, u64 from, usize max);
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

usize user_copy_in(mbytes dst, u64 addr)
{
        usize n = reachable(addr, dst.n_k);             /* SAFETY: U5 */
        return n - ucopy(dst.p_k, (const void *)addr, n);
}

usize user_copy_out(u64 addr, bytes src)
{
        usize n = reachable(addr, src.n_k);             /* SAFETY: U5 */
        return n - ucopy((void *)addr, src.p_k, n);
}

usize user_zero(u64 addr, usize len)
{
        usize n = reachable(addr, len);
        return n - uzero(addr, n);
}

usize user_copy_string(mbytes dst, u64 addr, bool *found)
{
        u64 r = ucopy_string(dst.p_k, addr, reachable(addr, dst.n_k));

        *found = r >> 63;
        return r & I64_MAX;
}

usize user_copy_from_frame(u64 addr, struct frame *f, usize off, usize len)
{
        PIN(p, f);
        return user_copy_out(addr, bytes_const(mbytes_sub(pin_bytes(&p), off, len)));
}

usize user_copy_to_frame(struct frame *f, usize off, u64 addr, usize len)
{
        PIN(p, f);
        return user_copy_in(mbytes_sub(pin_bytes(&p), off, len), addr);
}

bool user_load32(u64 addr, u32 *value)  { return word_reachable(addr, 4) && uload32(addr, value); }
bool user_load64(u64 addr, u64 *value)  { return word_reachable(addr, 8) && uload64(addr, value); }
bool user_store32(u64 addr, u32 value)  { return word_reachable(addr, 4) && ustore32(addr, value); }
bool user_store64(u64 addr, u64 value)  { return word_reachable(addr, 8) && ustore64(addr, value); }

bool user_cmpxchg32(u64 addr, u32 old, u32 new, u32 *seen)
{
        return word_reachable(addr, 4) && ucmpxchg32(addr, old, new, seen);
}
