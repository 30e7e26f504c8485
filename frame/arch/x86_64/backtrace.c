/* SPDX-License-Identifier: Apache-2.0
 *
 * Traces: return addresses by the chain of frame pointers, named by the table
 * that tools/symbols put into the image.
 */
#include "x86.h"

extern const u32 k_sym_count, k_sym_addr[], k_sym_name[];
extern const char k_sym_text[];

const char *k_symbol(u64 addr, u64 *offset)
{
        u64 at = addr - (u64)k_image_start;
        u32 low = 0, high = k_sym_count;

        if (addr < (u64)k_image_start || addr >= (u64)k_text_end)
                return NULL;
        while (low < high) {            /* the first symbol behind `at` */
                u32 mid = low + (high - low) / 2;
                if (k_sym_addr[mid] <= at)
                        low = mid + 1;
                else
                        high = mid;
        }
        if (low == 0)
                return NULL;
        *offset = at - k_sym_addr[low - 1];
        return k_sym_text + k_sym_name[low - 1];
}

static void print_frame(u64 ip)
{
        u64 off = 0;
        const char *name = k_symbol(ip, &off);

        if (name)
                k_print(" %s+0x%x\n", (u64)name, off, 0);
        else
                k_print(" %x\n", ip, 0, 0);
}

/* A frame is a saved RBP and a return address; arch_peek refuses what is not mapped. */
void arch_backtrace(u64 ip, u64 bp)
{
        print_frame(ip);
        for (u32 depth = 0; depth < 24 && bp >= DIRECT_BASE && bp % 8 == 0; depth++) {
                u64 next, ret;
                /* SAFETY: T5: reads through the exception table, of kernel addresses only. */
                if (!arch_peek(bp, &next) || !arch_peek(bp + 8, &ret))
                        break;
                if (ret < (u64)k_image_start || ret >= (u64)k_text_end)
                        break;
                print_frame(ret - 1);
                bp = next;
        }
}
