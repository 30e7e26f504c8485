/* SPDX-License-Identifier: Apache-2.0
 *
 * Virtio devices (1.x, over PCI): the model, the common configuration, and the queues.  The specification is
 * OASIS virtio 1.2, sections 2.7 (split queues) and 4.1.4.  A service may read all of a device's registers, write its own
 * configuration and ring its bells.
 *
 * Objects    A virtq has a ring, which the device reads and writes, and slots, one per descriptor, which it cannot reach.
 *            The ring is written from the slots; of the ring only the used part is read, each word once.
 * States     A slot is free (in the list from `free`) or of a request under way; the request's first one has the cookie,
 *            and `count` of its slots, which is 0 in all others.  A virtq is live from virtq_open until it has lied or its
 *            device is reset; its memory stays for the next time.
 * Locking    virtq.lock, after pci_device.lock; then queues_lock.
 * Invariants I9  queue addresses and sizes are written by frame/ alone: the common configuration is closed, the
 *                 legacy port window is never given out, and configuration space (a second way in) is read-only
 *            I11  a frame that a descriptor in the ring names has a pin, from before the device can know of it until the device has
 *                 given the request back, once, or does not master the bus
 *            I12  requests of a kind of device that has a model hold no addresses of memory
 */
#include "pci_impl.h"

#define CAP_VENDOR  9
#define COMMON_CFG  1
#define COMMON_SIZE 64                  /* at least so much is kept, whatever the device says */
#define QUEUES      256                 /* of all devices */

enum { FEATURE_SELECT = 0, FEATURE = 4, ACCEPT_SELECT = 8, ACCEPT = 12, CONFIG_ENTRY = 16, NUM_QUEUES = 18, STATUS = 20,
       QUEUE = 22, QUEUE_SIZE = 24, QUEUE_ENTRY = 26, QUEUE_ENABLE = 28, QUEUE_BELL = 30, QUEUE_DESC = 32, QUEUE_DRIVER = 40,
       QUEUE_DEVICE = 48 };
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };
#define TRANSPORT (0xfffful << 24 | 0x3ul << 40)       /* bits 24 to 41 are not the kind's own */
#define VERSION_1 (1ul << 32)

enum { COMMON_AT, COMMON_BAR, COMMON_MAPPED };  /* pci_device.state */

struct desc { u64 addr; u32 len; u16 flags, next; };
enum { DESC_NEXT = 1, DESC_WRITE = 2 };
struct used { u32 id, len; };
struct slot { struct frame *f; u64 cookie; u32 room; u16 next, count; };        /* room: bytes that the device may write */

STABLE(virtq) {
        struct pci_device *d;           /* NULL: of no device yet; fixed then, as index, size, slots and ring */
        u32 index, size;
        struct slot *slots;
        struct desc *desc;              /* the ring: descriptors, */
        volatile u16 *avail;            /* flags, index, entries, */
        volatile u16 *used;             /* flags, index, entries (struct used) */
        struct klock lock;
        bool live;                      /* lock, as all below */
        bool lied;
        u16 bell, free, n_free, added, taken;
};
static struct virtq queues[QUEUES];     /* d and index: queues_lock, as what is left of the last pages taken */
static u8 *spare;
static u64 spare_left;
static struct klock queues_lock;

/* By the kinds whose requests are bytes.  (A balloon's, a GPU's or an IOMMU's hold addresses.)  keeps I12 */
static bool is_known_kind(const struct pci_info *in)
{
        u32 kind = in->device >= 0x1040 ? in->device - 0x1040u : in->subsystem;

        return kind < 32 && 1u << kind & (1u << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 9 | 1 << 18 | 1 << 19);
}

static bool virtio_match(struct pci_device *d)
{
        bool found = false;

        if (d->info.vendor != 0x1af4 || d->info.device < 0x1000 || d->info.device > 0x107f || !is_known_kind(&d->info))
                return false;
        for (u32 i = 0, at = 0; i < 48 && (at = pci_next_cap(d, at)); i++) {
                if (pci_cfg(d, at, 1) != CAP_VENDOR || pci_cfg(d, at + 3, 1) != COMMON_CFG)
                        continue;
                u32 bar = pci_cfg(d, at + 4, 1), off = pci_cfg(d, at + 8, 4), len = pci_cfg(d, at + 12, 4);

                pci_close(d, bar, off, max_u64(len, COMMON_SIZE));      /* keeps I9 */
                if (!found && bar < 6) {
                        d->state[COMMON_AT] = off;
                        d->state[COMMON_BAR] = bar;
                        found = true;
                }
        }
        return found;
}

/* SAFETY: I7, I9: inside the BAR's mapping, made by virtio_reset */
static u32  get8(struct pci_device *d, u32 off)           { return *(volatile u8 *)(d->state[COMMON_MAPPED] + off); }
static u32  get16(struct pci_device *d, u32 off)          { return *(volatile u16 *)(d->state[COMMON_MAPPED] + off); }
static u32  get32(struct pci_device *d, u32 off)          { return *(volatile u32 *)(d->state[COMMON_MAPPED] + off); }
static void put8(struct pci_device *d, u32 off, u32 v)    { *(volatile u8 *)(d->state[COMMON_MAPPED] + off) = (u8)v; }
static void put16(struct pci_device *d, u32 off, u32 v)   { *(volatile u16 *)(d->state[COMMON_MAPPED] + off) = (u16)v; }
static void put32(struct pci_device *d, u32 off, u32 v)   { *(volatile u32 *)(d->state[COMMON_MAPPED] + off) = v; }
static void put_address(struct pci_device *d, u32 off, const volatile void *p)
{
        u64 at = direct_to_phys((const void *)p);

        put32(d, off, (u32)at);
        put32(d, off + 4, (u32)(at >> 32));
}

/* Writing 0 resets; it is done when 0 is read. */
static bool virtio_reset(struct pci_device *d)
{
        if (!d->state[COMMON_MAPPED])
                d->state[COMMON_MAPPED] = (u64)pci_map_own(d, (u32)d->state[COMMON_BAR], d->state[COMMON_AT], COMMON_SIZE);
        if (!d->state[COMMON_MAPPED])
                return false;
        put8(d, STATUS, 0);
        for (u32 i = 0; i < 10000; i++) {
                if (get8(d, STATUS) == 0)
                        return true;
                __builtin_ia32_pause();
        }
        return false;
}

const struct pci_model virtio_model = { .match = virtio_match, .reset = virtio_reset };

/* ---- a device's start ---- */

static bool is_on(struct pci_device *d) { return d->model == &virtio_model && d->enabled; }

/* d->lock held. */
static err_t negotiate(struct pci_device *d, u64 wanted, u64 *features)
{
        if (!is_on(d))
                return ERR(ENODEV);
        put8(d, STATUS, ACKNOWLEDGE | DRIVER);
        put32(d, FEATURE_SELECT, 0);
        u64 offered = get32(d, FEATURE);
        put32(d, FEATURE_SELECT, 1);
        offered |= (u64)get32(d, FEATURE) << 32;
        *features = offered & ((wanted & ~TRANSPORT) | VERSION_1);
        for (u32 i = 0; i < 2; i++) {
                put32(d, ACCEPT_SELECT, i);
                put32(d, ACCEPT, (u32)(*features >> 32 * i));
        }
        put8(d, STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
        return *features & VERSION_1 && get8(d, STATUS) & FEATURES_OK ? OK : ERR(EIO);
}

err_t virtio_begin(struct pci_device *d, u64 wanted, u64 *features)
{
        u64 got = 0;

        klock_lock(&d->lock);
        err_t err = negotiate(d, wanted, &got);
        klock_unlock(&d->lock);
        *features = got;
        return err;
}

err_t virtio_go(struct pci_device *d, u32 config_entry)
{
        klock_lock(&d->lock);
        bool ok = is_on(d) && get8(d, STATUS) & FEATURES_OK;

        if (ok) {
                put16(d, CONFIG_ENTRY, config_entry);
                put8(d, STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
        }
        klock_unlock(&d->lock);
        return ok ? OK : ERR(ENODEV);
}

/* ---- opening a queue ---- */

static struct virtq *find_queue(struct pci_device *d, u32 index)
{
        struct virtq *q = NULL;

        klock_lock(&queues_lock);
        for (u32 i = 0; i < QUEUES && !q; i++)
                if (!queues[i].d || (queues[i].d == d && queues[i].index == index))
                        q = &queues[i];
        if (q && !q->d)
                q->d = d, q->index = index;
        klock_unlock(&queues_lock);
        return q;
}

/* Zeroed, for ever. */
static void *carve(u64 bytes)
{
        u32 order = 0;

        klock_lock(&queues_lock);
        bytes = (bytes + 15) & ~15ul;
        if (bytes > spare_left) {
                while (PAGE_SIZE << order < bytes)
                        order++;
                spare = kpages_alloc(order);
                spare_left = spare ? PAGE_SIZE << order : 0;
        }
        u8 *p = spare;

        if (p) {
                spare += bytes;
                spare_left -= bytes;
        }
        klock_unlock(&queues_lock);
        return p;
}

/* Memory for `size` descriptors, all of it or none, if it has none yet: for ever. */
static bool has_memory(struct virtq *q, u32 size)
{
        if (q->desc)
                return q->size <= size;
        u8 *p = carve(size * (sizeof(struct slot) + sizeof(struct desc) + 2 + sizeof(struct used)) + 16);

        if (!p)
                return false;
        q->size = size;
        q->slots = (struct slot *)p;
        /* SAFETY: I9: there is room for size of each; what comes first keeps the next one aligned, as size is even */
        q->desc = (struct desc *)(q->slots + size);
        q->avail = (volatile u16 *)(q->desc + size);
        q->used = q->avail + (4 + size);
        return true;
}

/* q->lock and the device's held; it is reset, or has not been told of the ring. */
static void prepare(struct virtq *q)
{
        for (u32 i = 0; i < q->size; i++)
                q->slots[i] = (struct slot){ .next = (u16)(i + 1) };
        q->avail[0] = q->avail[1] = 0;
        q->used[0] = q->used[1] = 0;
        q->free = q->added = q->taken = 0;
        q->n_free = (u16)q->size;
        q->lied = false;
        q->live = true;
}

/* d->lock and q->lock held. */
static bool open_locked(struct pci_device *d, struct virtq *q, u32 size, u32 entry)
{
        if (!is_on(d) || !(get8(d, STATUS) & FEATURES_OK) || q->index >= get16(d, NUM_QUEUES) || q->live || q->lied)
                return false;
        put16(d, QUEUE, q->index);
        size = min_u32(min_u32(size, VIRTQ_MAX), get16(d, QUEUE_SIZE));
        if (size < 2 || get16(d, QUEUE_ENABLE) || !has_memory(q, 1u << bit_highest(size)))
                return false;
        prepare(q);
        q->bell = (u16)get16(d, QUEUE_BELL);
        put16(d, QUEUE_SIZE, q->size);
        put_address(d, QUEUE_DESC, q->desc);            /* keeps I9 */
        put_address(d, QUEUE_DRIVER, q->avail);
        put_address(d, QUEUE_DEVICE, q->used);
        put16(d, QUEUE_ENTRY, entry);
        put16(d, QUEUE_ENABLE, 1);
        return true;
}

struct virtq *virtq_open(struct pci_device *d, u32 index, u32 size, u32 entry)
{
        struct virtq *q = d->model == &virtio_model && index <= U16_MAX ? find_queue(d, index) : NULL;

        if (!q)
                return NULL;
        klock_lock(&d->lock);
        klock_lock(&q->lock);
        bool ok = open_locked(d, q, size, entry);
        klock_unlock(&q->lock);
        klock_unlock(&d->lock);
        return ok ? q : NULL;
}

/* Nothing of it is under way any more: pins go. */
static void free_request(struct virtq *q, u32 id)
{
        u32 n = q->slots[id].count, i = id;

        q->slots[id].count = 0;
        q->n_free += (u16)n;
        for (;; i = q->slots[i].next) {
                struct frame *f = q->slots[i].f;

                q->slots[i].f = NULL;
                frame_dma_unpin(f);                     /* keeps I11 */
                if (--n == 0)
                        break;
        }
        q->slots[i].next = q->free;
        q->free = (u16)id;
}

/* d does not master the bus. */
void virtio_forget(struct pci_device *d)
{
        for (u32 i = 0; i < QUEUES && d->model == &virtio_model; i++) {
                struct virtq *q = &queues[i];

                if (q->d != d)
                        continue;
                klock_lock(&d->lock);
                klock_lock(&q->lock);
                for (u32 j = 0; j < q->size && !d->enabled; j++)
                        if (q->slots[j].count)
                                free_request(q, j);
                if (!d->enabled)
                        q->live = q->lied = false;
                klock_unlock(&q->lock);
                klock_unlock(&d->lock);
        }
}

/* ---- requests ---- */

u32 virtq_size(struct virtq *q) { return q->size; }
u32 virtq_bell(struct virtq *q) { return q->bell; }

/* Pins the part and fills descriptor i for it; next: whether another one follows. */
static bool put_part(struct virtq *q, u32 i, struct virtq_part part, bool in, bool more)
{
        if (!part.len || part.off >= PAGE_SIZE || part.len > PAGE_SIZE - part.off)
                return false;
        if (!part.frame || !frame_dma_pin(part.frame))  /* keeps I11 */
                return false;
        struct slot *s = &q->slots[i];

        s->f = part.frame;
        /* SAFETY: I11: i < size; bytes of a pinned frame */
        q->desc[i] = (struct desc){ (frame_number(part.frame) << PAGE_SHIFT) + part.off, part.len,
                                    (u16)((more ? DESC_NEXT : 0) | (in ? DESC_WRITE : 0)), s->next };
        return true;
}

/* q->lock held; there are n free slots. */
static err_t add(struct virtq *q, const struct virtq_request *r, u32 out, u32 n)
{
        u32 head = q->free, i = head, room = 0;

        for (u32 k = 0; k < n; k++, i = q->slots[i].next) {
                const struct virtq_part *from = &r->part[k];
                struct virtq_part part = { __atomic_load_n(&from->frame, __ATOMIC_RELAXED), __atomic_load_n(&from->off, __ATOMIC_RELAXED),
                                           __atomic_load_n(&from->len, __ATOMIC_RELAXED) };    /* once: it may be shared */

                if (!put_part(q, i, part, k >= out, k + 1 < n)) {
                        for (u32 j = head; k-- > 0; j = q->slots[j].next)
                                frame_dma_unpin(q->slots[j].f);
                        return ERR(EINVAL);
                }
                room += k >= out ? part.len : 0;        /* of at most 18 frames */
        }
        q->slots[head].cookie = r->cookie;
        q->slots[head].room = room;
        q->slots[head].count = (u16)n;
        q->free = (u16)i;
        q->n_free -= (u16)n;
        /* SAFETY: I11: size is a power of two; the device sees the entry only after the index */
        q->avail[2 + (q->added++ & (q->size - 1))] = (u16)head;
        __atomic_thread_fence(__ATOMIC_RELEASE);
        q->avail[1] = q->added;
        return OK;
}

err_t virtq_add(struct virtq *q, const struct virtq_request *r)
{
        u32 out = __atomic_load_n(&r->out, __ATOMIC_RELAXED), in = __atomic_load_n(&r->in, __ATOMIC_RELAXED), n = out + in;
        err_t err = OK;

        if (out > VIRTQ_PARTS || in > VIRTQ_PARTS || n > VIRTQ_PARTS || n == 0)
                return ERR(EINVAL);
        klock_lock(&q->lock);
        if (!q->live)
                err = ERR(EIO);
        else if (n > q->n_free)
                err = ERR(ENOSPC);
        else
                err = add(q, r, out, n);
        klock_unlock(&q->lock);
        return err;
}

/* The full barrier: the device either sees the index or has asked for the bell. */
bool virtq_must_notify(struct virtq *q)
{
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        /* SAFETY: I9: a ring, once there, stays */
        return q->live && !(q->used[0] & 1);
}

/* q->lock held.  keeps I11: only a request under way comes back, and one slot can be its first once. */
static struct virtq_done take(struct virtq *q)
{
        /* SAFETY: I9: inside the ring; each word is read once */
        u16 there = q->used[1] - q->taken;

        if (!there)
                return (struct virtq_done){ .what = VIRTQ_NONE };
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        volatile struct used *u = (volatile struct used *)(q->used + 2) + (q->taken & (q->size - 1));
        u32 id = u->id, len = u->len;

        if (there > q->size - q->n_free || id >= q->size || !q->slots[id].count || len > q->slots[id].room) {
                q->lied = true;
                q->live = false;
                return (struct virtq_done){ .what = VIRTQ_LIES };
        }
        q->taken++;
        struct virtq_done done = { q->slots[id].cookie, len, VIRTQ_DONE };
        free_request(q, id);
        return done;
}

struct virtq_done virtq_take(struct virtq *q)
{
        klock_lock(&q->lock);
        struct virtq_done done = q->live ? take(q) : (struct virtq_done){ .what = q->lied ? VIRTQ_LIES : VIRTQ_NONE };
        klock_unlock(&q->lock);
        return done;
}

#ifdef KEEL_SELFTEST
volatile u16 *virtq_used(struct virtq *q) { return q->used; }
#endif
