/* SPDX-License-Identifier: Apache-2.0
 *
 * Port windows of known legacy devices.  No list entry reaches a device that does DMA
 * or that the framework itself programs (interrupt controllers, PIT, PCI configuration).
 */
#include "x86.h"

STABLE(ioports) { const char *name; u16 base; u16 size; u32 taken; };

static struct ioports windows[] = {
        { "com1", 0x3f8, 8, 0 }, { "com2", 0x2f8, 8, 0 }, { "com3", 0x3e8, 8, 0 }, { "com4", 0x2e8, 8, 0 },
        { "cmos", 0x70, 2, 0 },
};

static bool named(const struct ioports *w, bytes name)
{
        usize n = 0;

        while (w->name[n])
                n++;
        return bytes_eq(name, (bytes){ (const u8 *)w->name, n });
}

struct ioports *ioports_claim(bytes name)
{
        for (u32 i = 0; i < ARRAY_SIZE(windows); i++)
                if (named(&windows[i], name))
                        return __atomic_exchange_n(&windows[i].taken, 1, __ATOMIC_ACQ_REL) ? NULL : &windows[i];
        return NULL;
}

/* SAFETY: I4: the port lies in the window of a device on the list. */
u8 ioports_read8(struct ioports *w, u32 off)
{
        k_range(off < w->size);
        return in8((u16)(w->base + off));
}

void ioports_write8(struct ioports *w, u32 off, u8 v)
{
        k_range(off < w->size);
        out8((u16)(w->base + off), v);
}

void ioports_write8_many(struct ioports *w, u32 off, bytes data)
{
        k_range(off < w->size);
        for (usize i = 0; i < data.n_k; i++)
                out8((u16)(w->base + off), data.p_k[i]);
}
