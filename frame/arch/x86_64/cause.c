/* SPDX-License-Identifier: Apache-2.0
 *
 * What a kernel trap says, in words.
 */
#include "x86.h"
#include "mem.h"

/* The compiler's checks are UD1 with their kind as displacement, 67 0f b9 40 kind; traps and kcfi are UD2. */
static const char *invalid_opcode(u64 ip)
{
        u64 w;

        if (ip < (u64)k_image_start || ip >= (u64)k_text_end || !arch_peek(ip, &w))
                return "invalid instruction";
        if ((w & 0xffff) == 0x0b0f)
                return "failed check";
        if ((w & 0xffffff) != 0xb90f67)
                return "invalid instruction";
        switch (w >> 32 & 0xff) {
        case 3:  return "division by zero";
        case 10: return "bool that is neither 0 nor 1";
        case 18: return "array index out of bounds";
        case 20: return "shift too large";
        default: return "failed check of the compiler";
        }
}

const char *arch_trap_cause(const struct kernel_trap *t)
{
        switch (t->vector) {
        case 0:  return "division error";
        case 6:  return invalid_opcode(t->ip);
        case 8:  return kstack_is_guard(t->sp - 8) || kstack_is_guard(t->sp) ? "stack overflow" : "double fault";
        case 13: return "general protection fault";
        case 14:
                if (t->addr < VM_MIN)
                        return "NULL pointer";
                return kstack_is_guard(t->addr) ? "stack overflow" : "bad address";
        default: return "unexpected exception";
        }
}
