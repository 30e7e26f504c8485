/* SPDX-License-Identifier: Apache-2.0
 *
 * Self-test of PCI, windows, message interrupts and DMA: a kernel of `make selftest`, started with selftest=pci on a
 * machine with QEMU's edu, virtio-rng-pci and e1000e.  Each check names the invariant of SOUNDNESS.md that
 * it would find broken.  The models of edu and e1000e are here because only the test needs them.
 */
#ifdef KEEL_SELFTEST
#include "pci_impl.h"
#include "task_impl.h"
#include "impl.h"
#include "bh.h"

void pci_selftest(void);
static u32 failures;

static void check(const char *what, bool good)
{
        k_print(good ? "selftest: %s ok\n" : "selftest: %s FAILED\n", (u64)what, 0, 0);
        failures += !good;
}

static void wait_ms(u32 ms) { ignore(sleep_until(time_now() + ms * NSEC_PER_MSEC, WAIT_KILLABLE)); }

/* ---- models ---- */

enum { EDU_LIVE = 4, EDU_FACTORIAL = 8, EDU_STATUS = 0x20, EDU_RAISE = 0x60, EDU_ACK = 0x64,
       EDU_SRC = 0x80, EDU_DST = 0x88, EDU_COUNT = 0x90, EDU_CMD = 0x98, EDU_BUFFER = 0x40000 };
#define LOCAL U64_MAX                   /* the device's own buffer, in place of a map's number */
enum { SRC, DST, COUNT, ROOM };         /* pci_device.state */

static volatile u8 *edu_at;

static bool edu_match(struct pci_device *d) { return d->info.vendor == 0x1234 && d->info.device == 0x11e8; }
static bool edu_runs(void)                  { return *(volatile u64 *)(edu_at + EDU_CMD) & 1; }

static bool edu_reset(struct pci_device *d)
{
        if (!edu_at)
                edu_at = pci_map_own(d, 0, 0, 4096);
        if (!edu_at || edu_runs())
                return false;
        for (u32 i = 0; i < 4; i++)
                d->state[i] = 0;
        return true;
}

static bool edu_address(struct pci_device *d, u32 which, u64 v, u32 map, u64 room, bool dir_fits)
{
        if (map ? !dir_fits : v != EDU_BUFFER)
                return false;
        d->state[which] = map ? map : LOCAL;
        if (map)
                d->state[ROOM] = room;
        return true;
}

/* One side is the device's buffer, the other a map of the right direction with room for what is moved. */
static bool edu_may_start(struct pci_device *d, u64 cmd)
{
        u64 local = d->state[cmd & 2 ? SRC : DST], map = d->state[cmd & 2 ? DST : SRC];

        return local == LOCAL && map && map != LOCAL && d->state[COUNT] && d->state[COUNT] <= d->state[ROOM];
}

static bool edu_may_write(struct pci_device *d, u32 bar, u64 off, u32 size, u64 v, u32 map, u64 room, u32 dir)
{
        if (off < 0x80)
                return !map;
        if (size != 8 || !edu_at || edu_runs())
                return false;
        if (off == EDU_SRC)
                return edu_address(d, SRC, v, map, room, dir & DMA_TO_DEVICE);
        if (off == EDU_DST)
                return edu_address(d, DST, v, map, room, dir & DMA_FROM_DEVICE);
        if (map)
                return false;
        if (off == EDU_COUNT && v < 4096) {      /* with all 4096 QEMU 7.2 says that it is too many, and ends */
                d->state[COUNT] = v;
                return true;
        }
        return off == EDU_CMD && v <= 7 && (!(v & 1) || edu_may_start(d, v));
}

static bool edu_release(struct pci_device *d, u32 map)
{
        if (edu_runs())
                return false;
        for (u32 i = SRC; i <= DST; i++)
                if (d->state[i] == map)
                        d->state[i] = 0;
        return true;
}

const struct pci_model edu_model = { "edu", edu_match, edu_reset, edu_may_write, edu_release };

enum { E1000_ICS = 0xc8, E1000_IMS = 0xd0, E1000_IVAR = 0xe4 };
static bool e1000e_match(struct pci_device *d) { return d->info.vendor == 0x8086 && d->info.device == 0x10d3; }
static bool e1000e_reset(struct pci_device *d) { return true; }         /* as the firmware, which does not use it, has left it */
static bool e1000e_may_write(struct pci_device *d, u32 bar, u64 off, u32 size, u64 v, u32 map, u64 room, u32 dir)
{ return !map && bar == 0 && (off == E1000_ICS || off == E1000_IMS || off == E1000_IVAR); }
const struct pci_model e1000e_model = { "e1000e", e1000e_match, e1000e_reset, e1000e_may_write, NULL };

/* ---- traps ---- */

struct access { struct mmio *w; u64 off; u64 v; u32 size; bool write; struct dma_map *m; struct pci_device *d; };

static void do_access(void *arg)
{
        struct access *a = arg;

        if (a->d)
                (void)(a->size == 1 ? pci_read8(a->d, (u32)a->off) : a->size == 2 ? pci_read16(a->d, (u32)a->off) : pci_read32(a->d, (u32)a->off));
        else if (a->m)
                mmio_write64_dma(a->w, a->off, a->m, a->v);
        else if (!a->write)
                (void)(a->size == 1 ? mmio_read8(a->w, a->off) : a->size == 2 ? mmio_read16(a->w, a->off) :
                       a->size == 4 ? mmio_read32(a->w, a->off) : mmio_read64(a->w, a->off));
        else if (a->size == 1)
                mmio_write8(a->w, a->off, (u8)a->v);
        else if (a->size == 2)
                mmio_write16(a->w, a->off, (u16)a->v);
        else if (a->size == 4)
                mmio_write32(a->w, a->off, (u32)a->v);
        else
                mmio_write64(a->w, a->off, a->v);
}
static bool traps(struct access a)                                       { return !contained(do_access, &a); }
static bool read_traps(struct mmio *w, u64 off, u32 size)                { return traps((struct access){ .w = w, .off = off, .size = size }); }
static bool write_traps(struct mmio *w, u64 off, u32 size, u64 v)
{ return traps((struct access){ .w = w, .off = off, .size = size, .v = v, .write = true }); }
static bool dma_traps(struct mmio *w, u64 off, struct dma_map *m, u64 at) { return traps((struct access){ .w = w, .off = off, .m = m, .v = at }); }
static bool config_traps(struct pci_device *d, u64 off, u32 size)        { return traps((struct access){ .d = d, .off = off, .size = size }); }

/* ---- the list, configuration space ---- */

static struct pci_device *find(u32 vendor, u32 device)
{
        struct pci_device *d;

        for (u32 i = 0; (d = pci_device(i)); i++)
                if (pci_info(d).vendor == vendor && pci_info(d).device == device)
                        return d;
        return NULL;
}

static bool masters(struct pci_device *d) { return pci_read16(d, 4) & 4; }

static void bad_bar(void *d) { (void)pci_bar(d, 6); }

static void test_list(struct pci_device *edu)
{
        struct pci_device *host = pci_device(0), *d;
        struct mmio *w = NULL;
        bool off = true;

        for (u32 i = 0; (d = pci_device(i)); i++) {
                off &= d->bridge || !masters(d);
                k_print("selftest: device %x:%x class %x\n", pci_info(d).vendor, pci_info(d).device, pci_info(d).class);
        }
        check("I6 nothing masters the bus after boot", off);
        check("the host bridge can only be asked", host->bridge && err_is(pci_enable(host), EPERM) && !pci_map_bar(host, 0));
        check("BARs", pci_bar(edu, 0).size == 1 << 20 && pci_bar(edu, 0).kind == PCI_BAR_MEMORY && pci_bar(edu, 1).kind == PCI_BAR_NONE);
        check("no seventh BAR", !contained(bad_bar, edu));
        check("configuration space", pci_read16(edu, 0) == 0x1234 && pci_read16(edu, 2) == 0x11e8 && pci_read8(edu, 255) != 1);
        check("I5 configuration offsets", config_traps(edu, 256, 1) && config_traps(edu, 255, 2) && config_traps(edu, 254, 4) &&
              config_traps(edu, U32_MAX, 1) && config_traps(host, 64, 4));
        check("capabilities", pci_capability(edu, 5, 0) >= 64 && !pci_capability(edu, 5, 1) && !pci_capability(edu, 17, 0));
        for (u32 i = 0; (d = pci_device(i)) && (d->bridge || d->model || failed(pci_enable(d))); i++)
                ;
        static struct irq_handler h;
        static struct dma_map m;
        struct frame *f = frame_alloc(NULL, 0);
        for (u32 i = 0; d && i < 6 && !w; i++)
                w = pci_map_bar(d, i);
        check("I6 without a model no mastering", d && !masters(d) && !pci_may_dma(d) && err_is(dma_map(&m, d, f, DMA_BOTH), ENODEV) &&
              (!pci_msix_entries(d) || err_is(irq_attach_msix(&h, d, 0, NULL), EINVAL)));
        frame_drop(f);
}

/* ---- windows ---- */

static bool usable_at(struct pci_device *d, u64 addr)
{
        u64 old = d->bar[0].addr;

        d->bar[0].addr = addr;
        bool yes = pci_bar_usable(d, 0);
        d->bar[0].addr = old;
        return yes;
}

static struct mmio *test_windows(struct pci_device *edu, struct pci_device *other)
{
        check("enable", succeeded(pci_enable(edu)) && masters(edu) && pci_may_dma(edu));
        check("second claim refused", err_is(pci_enable(edu), EBUSY));
        struct mmio *w = pci_map_bar(edu, 0);
        check("window", w && mmio_size(w) == 1 << 20);
        if (!w)
                return NULL;
        check("second claim of a window refused", !pci_map_bar(edu, 0));
        check("no window where there is no BAR", !pci_map_bar(edu, 1) && !pci_map_bar(edu, 6) && !pci_map_bar(edu, U32_MAX));
        u64 n = mmio_size(w);
        check("I7 offsets", read_traps(w, n, 1) && read_traps(w, n - 2, 4) && read_traps(w, 2, 4) && read_traps(w, n, 8) &&
              read_traps(w, U64_MAX, 1) && read_traps(w, U64_MAX - 7, 8) && read_traps(w, 1, 2));
        check("I7 offsets, writing", write_traps(w, n, 1, 0) && write_traps(w, n - 2, 4, 0) && write_traps(w, 2, 4, 0) &&
              write_traps(w, U64_MAX - 7, 8, 0) && write_traps(w, 1, 2, 0));
        check("I7 a window not given out", read_traps(&edu->window[1], 0, 1) && write_traps(&edu->window[1], 0, 4, 0));
        u64 mem = other->bar[0].b.kind == PCI_BAR_MEMORY ? other->bar[0].addr : other->bar[1].addr;
        check("I7 not RAM", !usable_at(edu, 0x1000000) && !usable_at(edu, 0) && !usable_at(edu, 0x100000));
        check("I7 not APICs, not HPET", !usable_at(edu, 0xfee00000) && !usable_at(edu, 0xfec00000) && !usable_at(edu, 0xfed00000) &&
              !arch_mmio_ok(0xfed00000, 4096) && !arch_mmio_ok(0xfee01000, 4096) && arch_mmio_ok(edu->bar[0].addr, 1 << 20));
        check("I7 not another's", !usable_at(edu, mem & ~0xffffful) && usable_at(edu, edu->bar[0].addr));
        mmio_write32(w, EDU_LIVE, 0x12345678);
        check("register", mmio_read32(w, 0) == 0x010000ed && mmio_read32(w, EDU_LIVE) == ~0x12345678u);
        mmio_write32(w, EDU_FACTORIAL, 6);
        for (u32 i = 0; i < 1000 && mmio_read32(w, EDU_STATUS) & 1; i++)
                wait_ms(1);
        check("factorial", mmio_read32(w, EDU_FACTORIAL) == 720);
        return w;
}

/* ---- interrupts ---- */

static struct tester { struct irq_handler h; u32 calls, cpu; bool fail; } testers[3];
static struct mmio *edu_window;

static void called(u32 i)
{
        __atomic_store_n(&testers[i].cpu, cpu_id(), __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&testers[i].calls, 1, __ATOMIC_SEQ_CST);
        if (testers[i].fail)
                __builtin_trap();
}
static void on_0(struct irq_handler *h) { called(0); }
static void on_1(struct irq_handler *h) { called(1); }
static void on_edu(struct irq_handler *h)
{
        mmio_write32(edu_window, EDU_ACK, mmio_read32(edu_window, 0x24));
        called(2);
}

static bool comes(u32 i, u32 calls)
{
        for (u32 n = 0; n < 2000 && __atomic_load_n(&testers[i].calls, __ATOMIC_SEQ_CST) < calls; n++)
                wait_ms(1);
        return __atomic_load_n(&testers[i].calls, __ATOMIC_SEQ_CST) == calls;
}

static void test_msi(struct pci_device *edu, struct mmio *w)
{
        struct tester *t = &testers[2];
        u32 cap = pci_capability(edu, 5, 0);

        edu_window = w;
        check("MSI refused", err_is(irq_attach_msix(&t->h, edu, 1, on_edu), EINVAL) && err_is(irq_attach_msix(&t->h, edu, 0, NULL), EINVAL));
        check("MSI", succeeded(irq_attach_msix(&t->h, edu, 0, on_edu)));
        check("MSI taken", err_is(irq_attach_msix(&testers[0].h, edu, 0, on_0), EBUSY));
        u64 before = irq_count(20, 0);
        mmio_write32(w, EDU_RAISE, 5);
        check("I12 MSI comes", comes(2, 1) && t->cpu == 0 && irq_count(20, 0) == before + 1);
        mmio_write32(w, EDU_RAISE, 5);
        check("MSI again", comes(2, 2));
        irq_detach(&t->h);
        check("I12 detached", !(pci_read16(edu, cap + 2) & 1));
        mmio_write32(w, EDU_RAISE, 1);
        wait_ms(20);
        check("I12 quiet", comes(2, 2));
        mmio_write32(w, EDU_ACK, 1);
        t->fail = true;
        check("MSI attached again", succeeded(irq_attach_msix(&t->h, edu, 0, on_edu)));
        mmio_write32(w, EDU_RAISE, 1);
        check("a handler that fails", comes(2, 3));
        wait_ms(20);
        t->fail = false;
        check("is switched off", !(pci_read16(edu, cap + 2) & 1));
        irq_detach(&t->h);
        bool good = true;
        for (u32 i = 0; i < 1000; i++) {
                good &= succeeded(irq_attach_msix(&t->h, edu, 0, on_edu));
                irq_detach(&t->h);
        }
        check("lines and vectors come back", good);
}

/* All of BAR `bar`'s words in [from, from + len) refuse to be written. */
static bool refuses(struct mmio *w, u64 from, u64 len)
{
        bool good = true;

        for (u64 off = from; off < from + len; off += len > 64 ? len - 4 : 4)
                good &= write_traps(w, off, 4, 0) && write_traps(w, off, 1, 0) && write_traps(w, off & ~7ul, 8, 0);
        return good;
}

static void test_msix(struct pci_device *nic)
{
        struct pci_device *d = nic;
        u32 n = pci_msix_entries(d), cap = pci_capability(d, 17, 0), second = cpu_count() > 1;

        check("MSI-X", succeeded(pci_enable(d)) && n >= 2 && cap);
        struct mmio *regs = pci_map_bar(d, 0), *w = pci_map_bar(d, pci_read32(d, cap + 4) & 7);
        u32 table = pci_read32(d, cap + 4) & ~7u, pba = pci_read32(d, cap + 8) & ~7u;
        check("windows of MSI-X", regs && w);
        check("I8 MSI-X table and pending bits refuse writes", refuses(w, table, n * 16) && refuses(w, pba, 8));
        check("MSI-X refused", err_is(irq_attach_msix(&testers[0].h, d, n, on_0), EINVAL) &&
              err_is(irq_attach_msix(&testers[0].h, d, U32_MAX, on_0), EINVAL));
        check("MSI-X attached", succeeded(irq_attach_msix(&testers[0].h, d, 0, on_0)) && succeeded(irq_attach_msix(&testers[1].h, d, 1, on_1)));
        check("MSI-X taken", err_is(irq_attach_msix(&testers[2].h, d, 1, on_1), EBUSY));
        check("I12 entries", mmio_read32(w, table + 12) == 0 && mmio_read32(w, table + 28) == 0 && mmio_read32(w, table + 44) == 1 &&
              mmio_read32(w, table) >> 20 == 0xfee);
        /* Receive queues 0 and 1 to vectors 0 and 1. */
        testers[0].calls = testers[1].calls = 0;
        mmio_write32(regs, E1000_IVAR, 0x8 | 0x9 << 4);
        mmio_write32(regs, E1000_IMS, 3 << 20);
        mmio_write32(regs, E1000_ICS, 1 << 20);
        check("I12 MSI-X comes", comes(0, 1) && testers[1].calls == 0 && testers[0].cpu == 0);
        mmio_write32(regs, E1000_ICS, 2 << 20);
        check("I12 MSI-X comes to its CPU", comes(1, 1) && testers[0].calls == 1 && testers[1].cpu == second);
        irq_detach(&testers[0].h);
        check("I12 masked", mmio_read32(w, table + 12) == 1);
        mmio_write32(regs, E1000_IMS, 3 << 20);
        mmio_write32(regs, E1000_ICS, 1 << 20);
        wait_ms(20);
        check("I12 quiet when masked", testers[0].calls == 1);
        irq_detach(&testers[1].h);
        check("I10 no address where the model has none", write_traps(regs, 0x2800, 4, 0) && write_traps(regs, 0x3800, 4, 0));
        pci_reset(d);
        check("given back", !masters(d) && succeeded(pci_enable(d)));
        pci_reset(d);
}

/* ---- DMA ---- */

static bool edu_idle(struct mmio *w)
{
        for (u32 i = 0; i < 5000 && mmio_read64(w, EDU_CMD) & 1; i++)
                wait_ms(1);
        return !(mmio_read64(w, EDU_CMD) & 1);
}

static void to_device(struct mmio *w, struct dma_map *m, u64 at, u64 n)
{
        mmio_write64_dma(w, EDU_SRC, m, at);
        mmio_write64(w, EDU_DST, EDU_BUFFER);
        mmio_write64(w, EDU_COUNT, n);
        mmio_write64(w, EDU_CMD, 1);
}

static void from_device(struct mmio *w, struct dma_map *m, u64 at, u64 n)
{
        mmio_write64(w, EDU_SRC, EDU_BUFFER);
        mmio_write64_dma(w, EDU_DST, m, at);
        mmio_write64(w, EDU_COUNT, n);
        mmio_write64(w, EDU_CMD, 3);
}

static struct dma_map in, out, spare;

static void test_dma_refusals(struct pci_device *edu, struct pci_device *rng, struct mmio *w, struct frame *f)
{
        struct frame *dead = frame_alloc(NULL, 0);

        frame_drop(dead);
        check("I9 a dead frame is refused", err_is(dma_map(&spare, edu, dead, DMA_BOTH), EINVAL));
        check("I9 what is no frame of bytes is refused", err_is(dma_map(&spare, edu, frame_of(mmu_kernel_cr3 >> PAGE_SHIFT), DMA_BOTH), EINVAL) &&
              err_is(dma_map(&spare, edu, frame_zero_page(), DMA_TO_DEVICE), EINVAL) && err_is(dma_map(&spare, edu, NULL, DMA_BOTH), EINVAL));
        check("no such direction", err_is(dma_map(&spare, edu, f, 0), EINVAL) && err_is(dma_map(&spare, edu, f, 4), EINVAL));
        check("ENODEV before enable", err_is(dma_map(&spare, rng, f, DMA_BOTH), ENODEV));
        check("a map in use", err_is(dma_map(&in, edu, f, DMA_BOTH), EBUSY));
        check("I10 no number in an address register", write_traps(w, EDU_SRC, 8, 0x100000) && write_traps(w, EDU_DST, 8, 0x1000) &&
              write_traps(w, EDU_SRC, 4, EDU_BUFFER) && write_traps(w, EDU_DST + 4, 4, 0));
        check("I10 no address elsewhere", dma_traps(w, EDU_COUNT, &in, 0) && dma_traps(w, EDU_LIVE + 4, &in, 0) && dma_traps(w, EDU_CMD, &in, 0));
        check("I10 the direction", dma_traps(w, EDU_DST, &in, 0) && dma_traps(w, EDU_SRC, &out, 0));
        check("I10 inside the frame", dma_traps(w, EDU_SRC, &in, PAGE_SIZE) && dma_traps(w, EDU_SRC, &in, U64_MAX));
        check("I10 no map", dma_traps(w, EDU_SRC, &spare, 0));
        check("I10 offsets", dma_traps(w, mmio_size(w), &in, 0) && dma_traps(w, EDU_SRC + 4, &in, 0) && dma_traps(w, U64_MAX - 7, &in, 0));
        mmio_write64_dma(w, EDU_SRC, &in, 4000);
        mmio_write64(w, EDU_DST, EDU_BUFFER);
        mmio_write64(w, EDU_COUNT, 97);
        check("I10 not more than the frame has", write_traps(w, EDU_CMD, 8, 1));
        check("I10 not the other way", write_traps(w, EDU_CMD, 8, 3));
}

static bool same(struct frame *a, u64 a_at, struct frame *b, u64 b_at, u64 n)
{
        PIN(pa, a);
        PIN(pb, b);
        return bytes_eq(bytes_sub(bytes_const(pin_bytes(&pa)), a_at, n), bytes_sub(bytes_const(pin_bytes(&pb)), b_at, n));
}

static void test_dma(struct pci_device *edu, struct pci_device *rng, struct mmio *w)
{
        struct frame *a = frame_alloc(NULL, FRAME_ZERO), *b = frame_alloc(NULL, FRAME_ZERO);

        for (u32 i = 0; i < PAGE_SIZE; i++)
                frame_fill(a, i, 1, (u8)(i * 7 + i / 256));
        check("map", succeeded(dma_map(&in, edu, a, DMA_TO_DEVICE)) && succeeded(dma_map(&out, edu, b, DMA_FROM_DEVICE)) && dma_maps(edu) == 2);
        test_dma_refusals(edu, rng, w, a);
        to_device(w, &in, 100, 1000);
        check("I10 nothing is changed under way", write_traps(w, EDU_COUNT, 8, 4000) && dma_traps(w, EDU_DST, &out, 0));
        check("I9 EBUSY under way", err_is(dma_unmap(&in), EBUSY));
        check("DMA to the device", edu_idle(w));
        from_device(w, &out, 2000, 1000);
        frame_hold(b);
        frame_drop(b);
        check("DMA from the device", edu_idle(w) && same(a, 100, b, 2000, 1000) && !same(a, 100, b, 2001, 1000));
        /* A frame that everybody dropped stays while it is mapped. */
        u64 frames = mem_stats().byte_frames;
        frame_drop(a);
        check("I9 pinned", kind_of(a) == F_BYTES && mem_stats().byte_frames == frames);
        check("I9 unmap", succeeded(dma_unmap(&in)) && mem_stats().byte_frames == frames - 1 && succeeded(dma_unmap(&in)));
        check("I10 no map any more", dma_traps(w, EDU_SRC, &in, 0));
        mmio_write64(w, EDU_DST, EDU_BUFFER);
        check("I9 what was written before is worth nothing", write_traps(w, EDU_CMD, 8, 1));
        check("unmap", succeeded(dma_unmap(&out)) && dma_maps(edu) == 0);
        /* Reset in the middle. */
        frame_fill(b, 0, PAGE_SIZE, 0);
        check("map again", succeeded(dma_map(&out, edu, b, DMA_FROM_DEVICE)));
        from_device(w, &out, 0, 4000);
        pci_reset(edu);
        check("I6 reset", !masters(edu) && dma_maps(edu) == 0 && succeeded(dma_unmap(&out)) && !(word_of(b) & PIN_MASK));
        check("I6 not enabled while it is at work", err_is(pci_enable(edu), EBUSY) && !masters(edu));
        check("it comes to an end", edu_idle(w));
        bool zero = true;
        for (u32 i = 0; i < PAGE_SIZE; i++) {
                u8 c = 1;
                frame_read(b, i, MBYTES_OF(c));
                zero &= c == 0;
        }
        check("I9 nothing was written", zero);
        check("enabled again", succeeded(pci_enable(edu)) && write_traps(w, EDU_CMD, 8, 3));
        /* The table of maps is finite; what is lost comes back with a reset. */
        static struct dma_map many[300];
        u32 n = 0;
        while (n < 300 && succeeded(dma_map(&many[n], edu, b, DMA_BOTH)))
                n++;
        check("ENOMEM", n == 256 && err_is(dma_map(&many[n], edu, b, DMA_BOTH), ENOMEM));
        frames = mem_stats().byte_frames;
        frame_drop(b);
        check("I9 all pinned", mem_stats().byte_frames == frames);
        pci_reset(edu);
        check("I9 all given back", mem_stats().byte_frames == frames - 1 && dma_maps(edu) == 0);
}

/* ---- virtio ---- */

/* What a device could write into the used ring. */
static void device_says(struct virtq *q, u32 at, u32 id, u32 len, u16 index)
{
        volatile struct virtio_used { u32 id, len; } *u = (volatile struct virtio_used *)(virtq_used(q) + 2);

        u[at].id = id;
        u[at].len = len;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        virtq_used(q)[1] = index;
}

static struct virtq *open_anew(struct pci_device *d)
{
        u64 features = 0;

        pci_reset(d);
        return succeeded(pci_enable(d)) && succeeded(virtio_begin(d, 0, &features)) && features == 1ul << 32 ? virtq_open(d, 0, 8, VIRTIO_NO_ENTRY) : NULL;
}

/* The bell is not rung, so that the true device is silent and the test can lie for it. */
static void test_queue(struct pci_device *d)
{
        struct frame *f = frame_alloc(NULL, 0), *dead = frame_alloc(NULL, 0);
        struct virtq *q = open_anew(d);

        frame_drop(dead);
        check("I11 a queue", q && virtq_size(q) == 8 && !virtq_open(d, 0, 8, 0) && !virtq_open(d, 1, 8, 0) && !virtq_open(d, U32_MAX, 8, 0));
        if (!q)
                return;
        struct virtq_request r = { .cookie = 7, .in = 1, .part = { { f, 96, 4000 } } }, bad = r, two = r;

        two.in = 2;
        two.part[1] = (struct virtq_part){ f, 0, 16 };
        bad.part[0].len = 4001;
        check("I13 outside the frame", err_is(virtq_add(q, &bad), EINVAL));
        bad.part[0] = (struct virtq_part){ f, U32_MAX, 4001 };
        check("I13 wrapped", err_is(virtq_add(q, &bad), EINVAL));
        bad.part[0] = (struct virtq_part){ f, 0, 0 };
        check("I13 empty", err_is(virtq_add(q, &bad), EINVAL));
        bad.part[0] = (struct virtq_part){ dead, 0, 16 };
        check("I13 a dead frame", err_is(virtq_add(q, &bad), EINVAL));
        bad = two;
        bad.part[1].frame = frame_zero_page();
        check("I13 the zero page, second", err_is(virtq_add(q, &bad), EINVAL) && !(word_of(f) & PIN_MASK));
        bad = r;
        bad.in = U32_MAX, bad.out = 2;
        check("I13 too many parts", err_is(virtq_add(q, &bad), EINVAL));
        bad.in = bad.out = 0;
        check("I13 no parts", err_is(virtq_add(q, &bad), EINVAL));
        check("add", succeeded(virtq_add(q, &r)) && word_of(f) & PIN_MASK && virtq_take(q).what == VIRTQ_NONE);
        device_says(q, 0, 0, 100, 1);
        struct virtq_done done = virtq_take(q);
        check("done", done.what == VIRTQ_DONE && done.cookie == 7 && done.len == 100 && !(word_of(f) & PIN_MASK));
        u32 n = 0;
        while (succeeded(virtq_add(q, &two)))
                n++;
        check("ENOSPC", n == 4 && err_is(virtq_add(q, &r), ENOSPC));
        /* Each lie is found out, and what was under way stays pinned until the reset. */
        const struct { u32 id, len; u16 index; const char *name; } lies[] = {
                { 8, 0, 1, "I13 no such descriptor" }, { 0xffff0000, 0, 1, "I13 no such descriptor, far" }, { 1, 0, 1, "I13 the middle of a request" },
                { 0, 4017, 1, "I13 longer than the room" }, { 0, U32_MAX, 1, "I13 much longer" }, { 0, 0, 9, "I13 more than there are" },
                { 0, 0, 0xffff, "I13 backwards" },
        };
        for (u32 i = 0; i < ARRAY_SIZE(lies); i++) {
                q = open_anew(d);
                check("open anew", q && !(word_of(f) & PIN_MASK) && succeeded(virtq_add(q, &two)) && succeeded(virtq_add(q, &two)));
                device_says(q, 0, lies[i].id, lies[i].len, lies[i].index);
                check(lies[i].name, virtq_take(q).what == VIRTQ_LIES && virtq_take(q).what == VIRTQ_LIES && err_is(virtq_add(q, &r), EIO) &&
                      !virtq_must_notify(q) && word_of(f) & PIN_MASK);
        }
        q = open_anew(d);
        check("two requests", q && succeeded(virtq_add(q, &two)) && succeeded(virtq_add(q, &two)));
        device_says(q, 0, 0, 0, 1);
        check("the first", virtq_take(q).what == VIRTQ_DONE);
        device_says(q, 1, 0, 0, 2);
        check("I13 the same one twice", virtq_take(q).what == VIRTQ_LIES);
        pci_reset(d);
        check("I13 all pins go with the reset", !(word_of(f) & PIN_MASK) && virtq_take(q).what == VIRTQ_NONE && err_is(virtq_add(q, &r), EIO));
        check("not enabled", err_is(virtio_go(d, 0), ENODEV) && !virtq_open(d, 0, 8, 0));
        frame_drop(f);
}

static void test_virtio(struct pci_device *d)
{
        u32 at = 0, cap = pci_capability(d, 17, 0), i = 0;

        while ((at = pci_capability(d, 9, i)) && pci_read8(d, at + 3) != 1)
                i++;
        check("virtio", at && succeeded(pci_enable(d)) && masters(d) && cap && pci_msix_entries(d) >= 1);
        if (!at || !cap)
                return;
        u32 off = pci_read32(d, at + 8), bar = pci_read8(d, at + 4), table = pci_read32(d, cap + 4), pba = pci_read32(d, cap + 8);
        struct mmio *w = pci_map_bar(d, bar), *t = pci_map_bar(d, table & 7);
        check("virtio windows", w && t);
        check("I11 common configuration refuses writes", refuses(w, off, 56) && mmio_read16(w, off + 18) == 1);
        check("I8 MSI-X table refuses writes", refuses(t, table & ~7u, pci_msix_entries(d) * 16) && refuses(t, pba & ~7u, 8));
        static struct dma_map m;
        check("I10 the core alone writes addresses", dma_traps(w, off + 32, &m, 0));
        check("virtio MSI-X", succeeded(irq_attach_msix(&testers[0].h, d, 0, on_0)) && mmio_read32(t, (table & ~7u) + 12) == 0);
        irq_detach(&testers[0].h);
        check("virtio MSI-X masked", mmio_read32(t, (table & ~7u) + 12) == 1);
        test_queue(d);
        pci_reset(d);
        check("virtio reset", !masters(d));
}

void pci_selftest(void)
{
        u32 n = 0;
        while (pci_device(n))
                n++;
        k_print("selftest: pci: %d devices\n", n, 0, 0);
        if (!n)
                return;
        struct pci_device *edu = find(0x1234, 0x11e8), *rng = find(0x1af4, 0x1005), *nic = find(0x8086, 0x10d3);
        check("devices", edu && rng && nic);
        if (!edu || !rng || !nic)
                return;
        test_list(edu);
        struct mmio *w = test_windows(edu, nic);
        if (w) {
                test_msi(edu, w);
                test_msix(nic);
                test_dma(edu, rng, w);
        }
        test_virtio(rng);
        k_print("selftest: pci: %d failed\n", failures, 0, 0);
}
#endif
