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

static volatile u8 *edu_at;

static bool edu_match(struct pci_device *d) { return d->info.vendor == 0x1234 && d->info.device == 0x11e8; }
static bool edu_runs(void)                  { return *(volatile u64 *)(edu_at + EDU_CMD) & 1; }

static bool edu_reset(struct pci_device *d)
{
        if (!edu_at)
                edu_at = pci_map_own(d, 0, 0, 4096);
        return edu_at && !edu_runs();
}

const struct pci_model edu_model = { edu_match, edu_reset };

enum { E1000_ICS = 0xc8, E1000_IMS = 0xd0, E1000_IVAR = 0xe4 };
static bool e1000e_match(struct pci_device *d) { return d->info.vendor == 0x8086 && d->info.device == 0x10d3; }
static bool e1000e_reset(struct pci_device *d) { return true; }         /* as the firmware, which does not use it, has left it */
const struct pci_model e1000e_model = { e1000e_match, e1000e_reset };

/* ---- traps ---- */

struct access { struct mmio *w; u64 off; u64 v; u32 size; bool write; struct pci_device *d; };

static void do_access(void *arg)
{
        struct access *a = arg;

        if (a->d)
                (void)(a->size == 1 ? pci_read8(a->d, (u32)a->off) : a->size == 2 ? pci_read16(a->d, (u32)a->off) : pci_read32(a->d, (u32)a->off));
        else if (!a->write)
                (void)(a->size == 1 ? mmio_read8(a->w, a->off) : a->size == 2 ? mmio_read16(a->w, a->off) : mmio_read32(a->w, a->off));
        else if (a->size == 1)
                mmio_write8(a->w, a->off, (u8)a->v);
        else if (a->size == 2)
                mmio_write16(a->w, a->off, (u16)a->v);
        else
                mmio_write32(a->w, a->off, (u32)a->v);
}
static bool traps(struct access a)                                       { return !contained(do_access, &a); }
static bool read_traps(struct mmio *w, u64 off, u32 size)                { return traps((struct access){ .w = w, .off = off, .size = size }); }
static bool write_traps(struct mmio *w, u64 off, u32 size, u64 v)
{ return traps((struct access){ .w = w, .off = off, .size = size, .v = v, .write = true }); }
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
        check("BARs", edu->bar[0].size == 1 << 20 && !edu->bar[1].size);
        check("configuration space", pci_read16(edu, 0) == 0x1234 && pci_read16(edu, 2) == 0x11e8 && pci_read8(edu, 255) != 1);
        check("I5 configuration offsets", config_traps(edu, 256, 1) && config_traps(edu, 255, 2) && config_traps(edu, 254, 4) &&
              config_traps(edu, U32_MAX, 1) && config_traps(host, 64, 4));
        check("capabilities", pci_capability(edu, 5, 0) >= 64 && !pci_capability(edu, 5, 1) && !pci_capability(edu, 17, 0));
        for (u32 i = 0; (d = pci_device(i)) && (d->bridge || d->model || failed(pci_enable(d))); i++)
                ;
        static struct irq_handler h;
        for (u32 i = 0; d && i < 6 && !w; i++)
                w = pci_map_bar(d, i);
        check("I6 without a model no mastering", d && !masters(d) && !pci_may_dma(d) &&
              (!pci_msix_entries(d) || err_is(irq_attach_msix(&h, d, 0, NULL), EINVAL)));
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
        check("I7 offsets", read_traps(w, n, 1) && read_traps(w, n - 2, 4) && read_traps(w, 2, 4) &&
              read_traps(w, U64_MAX, 1) && read_traps(w, U64_MAX - 3, 4) && read_traps(w, 1, 2));
        check("I7 offsets, writing", write_traps(w, n, 1, 0) && write_traps(w, n - 2, 4, 0) && write_traps(w, 2, 4, 0) &&
              write_traps(w, U64_MAX - 3, 4, 0) && write_traps(w, 1, 2, 0));
        check("I7 a window not given out", read_traps(&edu->window[1], 0, 1) && write_traps(&edu->window[1], 0, 4, 0));
        u64 mem = other->bar[0].size ? other->bar[0].addr : other->bar[1].addr;
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
        check("I10 MSI comes", comes(2, 1) && t->cpu == 0 && irq_count(20, 0) == before + 1);
        mmio_write32(w, EDU_RAISE, 5);
        check("MSI again", comes(2, 2));
        irq_detach(&t->h);
        check("I10 detached", !(pci_read16(edu, cap + 2) & 1));
        mmio_write32(w, EDU_RAISE, 1);
        wait_ms(20);
        check("I10 quiet", comes(2, 2));
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
                good &= write_traps(w, off, 4, 0) && write_traps(w, off, 1, 0) && write_traps(w, off + 2, 2, 0);
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
        check("I10 entries", mmio_read32(w, table + 12) == 0 && mmio_read32(w, table + 28) == 0 && mmio_read32(w, table + 44) == 1 &&
              mmio_read32(w, table) >> 20 == 0xfee);
        /* Receive queues 0 and 1 to vectors 0 and 1. */
        testers[0].calls = testers[1].calls = 0;
        mmio_write32(regs, E1000_IVAR, 0x8 | 0x9 << 4);
        mmio_write32(regs, E1000_IMS, 3 << 20);
        mmio_write32(regs, E1000_ICS, 1 << 20);
        check("I10 MSI-X comes", comes(0, 1) && testers[1].calls == 0 && testers[0].cpu == 0);
        mmio_write32(regs, E1000_ICS, 2 << 20);
        check("I10 MSI-X comes to its CPU", comes(1, 1) && testers[0].calls == 1 && testers[1].cpu == second);
        irq_detach(&testers[0].h);
        check("I10 masked", mmio_read32(w, table + 12) == 1);
        mmio_write32(regs, E1000_IMS, 3 << 20);
        mmio_write32(regs, E1000_ICS, 1 << 20);
        wait_ms(20);
        check("I10 quiet when masked", testers[0].calls == 1);
        irq_detach(&testers[1].h);
        pci_reset(d);
        check("given back", !masters(d) && succeeded(pci_enable(d)));
        pci_reset(d);
}

/* ---- DMA ---- */

static bool edu_idle(void)
{
        for (u32 i = 0; i < 5000 && edu_runs(); i++)
                wait_ms(1);
        return !edu_runs();
}

static void edu_write(u32 off, u64 v) { *(volatile u64 *)(edu_at + off) = v; }

/* The device's buffer, or the other way, n bytes at `at` of the frame, as a core in frame/ would begin it. */
static void edu_begin(struct frame *f, u64 at, u64 n, bool to_device)
{
        u64 addr = (frame_number(f) << PAGE_SHIFT) + at;

        edu_write(EDU_SRC, to_device ? addr : EDU_BUFFER);
        edu_write(EDU_DST, to_device ? EDU_BUFFER : addr);
        edu_write(EDU_COUNT, n);
        edu_write(EDU_CMD, to_device ? 1 : 3);
}

static bool same(struct frame *a, u64 a_at, struct frame *b, u64 b_at, u64 n)
{
        PIN(pa, a);
        PIN(pb, b);
        return bytes_eq(bytes_sub(bytes_const(pin_bytes(&pa)), a_at, n), bytes_sub(bytes_const(pin_bytes(&pb)), b_at, n));
}

static void test_dma(struct pci_device *edu)
{
        struct frame *a = frame_alloc(NULL, FRAME_ZERO), *b = frame_alloc(NULL, FRAME_ZERO);

        for (u32 i = 0; i < PAGE_SIZE; i++)
                frame_fill(a, i, 1, (u8)(i * 7 + i / 256));
        check("no pin of a frame that is none", !frame_dma_pin(frame_of(mmu_kernel_cr3 >> PAGE_SHIFT)) && !frame_dma_pin(frame_zero_page()));
        edu_begin(a, 100, 1000, true);
        check("DMA to the device", edu_idle());
        edu_begin(b, 2000, 1000, false);
        check("DMA from the device", edu_idle() && same(a, 100, b, 2000, 1000) && !same(a, 100, b, 2001, 1000));
        /* Reset in the middle. */
        frame_fill(b, 0, PAGE_SIZE, 0);
        edu_begin(b, 0, 4000, false);
        pci_reset(edu);
        check("I6 reset", !masters(edu));
        check("I6 not enabled while it is at work", err_is(pci_enable(edu), EBUSY) && !masters(edu));
        check("it comes to an end", edu_idle());
        frame_fill(a, 0, PAGE_SIZE, 0);
        check("I6 nothing was written", same(a, 0, b, 0, PAGE_SIZE));
        check("enabled again", succeeded(pci_enable(edu)) && masters(edu));
        pci_reset(edu);
        frame_drop(a);
        frame_drop(b);
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
        check("I9 a queue", q && virtq_size(q) == 8 && !virtq_open(d, 0, 8, 0) && !virtq_open(d, 1, 8, 0) && !virtq_open(d, U32_MAX, 8, 0));
        if (!q)
                return;
        struct virtq_request r = { .cookie = 7, .in = 1, .part = { { f, 96, 4000 } } }, bad = r, two = r;

        two.in = 2;
        two.part[1] = (struct virtq_part){ f, 0, 16 };
        bad.part[0].len = 4001;
        check("I11 outside the frame", err_is(virtq_add(q, &bad), EINVAL));
        bad.part[0] = (struct virtq_part){ f, U32_MAX, 4001 };
        check("I11 wrapped", err_is(virtq_add(q, &bad), EINVAL));
        bad.part[0] = (struct virtq_part){ f, 0, 0 };
        check("I11 empty", err_is(virtq_add(q, &bad), EINVAL));
        bad.part[0] = (struct virtq_part){ dead, 0, 16 };
        check("I11 a dead frame", err_is(virtq_add(q, &bad), EINVAL));
        bad = two;
        bad.part[1].frame = frame_zero_page();
        check("I11 the zero page, second", err_is(virtq_add(q, &bad), EINVAL) && !(word_of(f) & PIN_MASK));
        bad = r;
        bad.in = U32_MAX, bad.out = 2;
        check("I11 too many parts", err_is(virtq_add(q, &bad), EINVAL));
        bad.in = bad.out = 0;
        check("I11 no parts", err_is(virtq_add(q, &bad), EINVAL));
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
                { 8, 0, 1, "I11 no such descriptor" }, { 0xffff0000, 0, 1, "I11 no such descriptor, far" }, { 1, 0, 1, "I11 the middle of a request" },
                { 0, 4017, 1, "I11 longer than the room" }, { 0, U32_MAX, 1, "I11 much longer" }, { 0, 0, 9, "I11 more than there are" },
                { 0, 0, 0xffff, "I11 backwards" },
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
        check("I11 the same one twice", virtq_take(q).what == VIRTQ_LIES);
        pci_reset(d);
        check("I11 all pins go with the reset", !(word_of(f) & PIN_MASK) && virtq_take(q).what == VIRTQ_NONE && err_is(virtq_add(q, &r), EIO));
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
        check("I9 common configuration refuses writes", refuses(w, off, 56) && mmio_read16(w, off + 18) == 1);
        check("I8 MSI-X table refuses writes", refuses(t, table & ~7u, pci_msix_entries(d) * 16) && refuses(t, pba & ~7u, 8));
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
                test_dma(edu);
        }
        test_virtio(rng);
        k_print("selftest: pci: %d failed\n", failures, 0, 0);
}
#endif
