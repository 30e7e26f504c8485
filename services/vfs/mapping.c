/* SPDX-License-Identifier: Apache-2.0
 *
 * Page caches: the frames of a file by index.
 *
 * Entry points  mapping.h
 * Lifetime      The tree holds one count on each frame; a frame found is counted for the finder.
 * Locking       mapping.lock (spin, class mapping) for all changes.  Look-up takes none:
 * Invariants    M1  removals is odd while pages or tree nodes are being taken out, and even,
 *                   with another value, after.  So a frame found between two equal even
 *                   readings, and held before the second, was in this mapping at this index.
 *               M2  no page lies wholly behind the size the inode had when it was added.
 *               M3  an index has a page in one tree at most; those of `promised` hold zeros and are nowhere mapped.
 */
#include "services/vfs/mapping.h"
#include "services/vfs/inode.h"
#include "services/vfs/registry.h"
#include "services/vfs/path.h"

LOCK_CLASS_DECLARE(inode);
LOCK_CLASS_DECLARE(mmap);               /* the vm's */
LOCK_CLASS(mapping);
LOCK_CLASS(mapping_areas, AFTER2(inode, mmap));
RADIX_POOLS(page_tree)
RADIX_FUNCTIONS(page_tree, frame)

#define BATCH 32                        /* pages taken out under one hold of the lock */
#define AT_ONCE 512                     /* pages looked at under one hold of the lock */
#define TRIES 8                         /* reclaim rounds for a tree node */

void mapping_init(struct mapping *m, struct inode *host, const struct mapping_ops *ops)
{
        m->host = host;
        m->ops = ops;
        lock_init(&m->lock, mapping);
        lock_init(&m->areas_lock, mapping_areas);
}

struct mapping *mapping_hold(struct mapping *m)
{
        inode_hold(m->host);
        return m;
}

void mapping_drop(struct mapping *m)
{
        if (m)
                inode_drop(m->host);
}

err_t mapping_deny_writers(struct mapping *m)
{
        WRITE_GUARD(&m->areas_lock);
        if (m->writable_areas > 0)
                return ERR(EBUSY);
        m->no_writers = true;
        return OK;
}

static inline struct frame *get(const struct mapping *m, u64 index)
{
        return index < MAPPING_FEW ? PTR_LOAD(m->few[index]) : page_tree_get(&m->tree, index);
}

static struct frame *find_locked(struct mapping *m, u64 index)
{
        SPIN_GUARD(&m->lock);
        struct frame *f = get(m, index);
        return f ? frame_hold(f) : NULL;
}

struct frame *mapping_find(struct mapping *m, u64 index)
{
        u64 at = LOAD(m->removals);
        struct frame *f = get(m, index);

        if (f && !frame_try_hold(f))
                return find_locked(m, index);
        if ((at & 1) == 0 && LOAD(m->removals) == at)
                return f;               /* by M1 */
        frame_drop(f);
        return find_locked(m, index);
}

u64 mapping_run(struct mapping *m, u64 index, struct frame_run *run)
{
        u64 at = LOAD(m->removals);
        struct page_tree_leaf *l = NULL;

        for (u32 i = 0; i < run->n; i++, index++) {
                if (index < MAPPING_FEW) {
                        run->frame[i] = PTR_LOAD(m->few[index]);
                        continue;
                }
                if (!l || (index & 63) == 0)
                        l = page_tree_find_leaf(&m->tree, index);
                run->frame[i] = l ? PTR_LOAD(l->slot[index & 63]) : NULL;
        }
        return at;
}

bool mapping_has(struct mapping *m, u64 index, struct frame *f)
{
        return get(m, index) == f;
}

u64 mapping_pages(struct mapping *m) { return LOAD_RELAXED(m->pages); }

/* OK: stored, or *out is another; f NULL: the promised page, or none.  EAGAIN: no node without reclaim. */
static err_t add_locked(struct mapping *m, u64 index, struct frame *f, u64 limit, struct frame **out)
{
        struct frame *old = get(m, index);

        if (old) {
                *out = frame_hold(old);
                return OK;
        }
        if (index >= limit && index >= page_up(LOAD(m->host->size)) >> PAGE_SHIFT)
                return ERR(EFAULT);     /* keeps M2 */
        struct frame *promised = page_tree_get(&m->promised, index);
        if (promised)
                f = promised;
        if (!f)
                return OK;
        if (index < MAPPING_FEW)
                PTR_STORE(m->few[index], f);
        else if (!page_tree_set(&m->tree, index, f, payer_current(), NOWAIT))
                return ERR(EAGAIN);
        *out = frame_hold(f);
        if (promised) {
                page_tree_clear(&m->promised, index);   /* keeps M3; its count is the other tree's now */
        } else {
                frame_hold(f);
                m->pages++;
        }
        return OK;
}

static err_t promise_locked(struct mapping *m, u64 index, struct frame *f)
{
        if (get(m, index) || page_tree_get(&m->promised, index))
                return ERR(EEXIST);
        if (!page_tree_set(&m->promised, index, f, payer_current(), NOWAIT))
                return ERR(EAGAIN);
        frame_hold(f);
        m->pages++;
        return OK;
}

/* limit: indexes below it may be added whatever the size is.  out NULL: as a promise, EEXIST if there is a page. */
static err_t add(struct mapping *m, u64 index, struct frame *f, u64 limit, struct frame **out)
{
        err_t err = ERR(ENOMEM);

        if (f && m->ops && m->ops->reserve)
                TRY(m->ops->reserve(m, 1));
        for (u32 i = 0; i < TRIES; i++) {
                spin_lock(&m->lock);
                err = out ? add_locked(m, index, f, limit, out) : promise_locked(m, index, f);
                spin_unlock(&m->lock);
                if (!err_is(err, EAGAIN))
                        break;
                err = ERR(ENOMEM);
                if (mem_reclaim(16) == 0)
                        break;
        }
        if (f && (failed(err) || (out && *out != f)) && m->ops && m->ops->release)
                m->ops->release(m, 1);
        return err;
}

static bool has_promised(const struct mapping *m) { return PTR_LOAD(m->promised.leaf) || PTR_LOAD(m->promised.top); }

/* The promised page, for which there is room whatever is left: *out; NULL: there is none. */
static err_t redeem(struct mapping *m, u64 index, u64 limit, struct frame **out)
{
        *out = NULL;
        return has_promised(m) ? add(m, index, NULL, limit, out) : OK;
}

err_t mapping_add(struct mapping *m, u64 index, struct frame *f, struct frame **out)
{
        err_t err = redeem(m, index, U64_MAX, out);
        return failed(err) || *out ? err : add(m, index, f, U64_MAX, out);
}

static err_t make(struct mapping *m, u64 index, u64 limit, struct frame **out)
{
        err_t err = redeem(m, index, limit, out);
        if (failed(err) || *out)
                return err;
        struct frame *f = frame_alloc(payer_current(), FRAME_ZERO);

        if (!f)
                return ERR(ENOMEM);
        if (m->ops && m->ops->fill)
                err = m->ops->fill(m, index, f);
        if (succeeded(err))
                err = add(m, index, f, limit, out);
        frame_drop(f);
        return err;
}

err_t mapping_get(struct mapping *m, u64 index, struct frame **out)
{
        *out = mapping_find(m, index);
        return *out ? OK : make(m, index, U64_MAX, out);
}

err_t mapping_promise(struct mapping *m, u64 index)
{
        struct frame *f = mapping_find(m, index);
        /* As on Linux: what is promised twice is no hole any more. */
        err_t err = f ? OK : redeem(m, index, U64_MAX, &f);
        if (failed(err))
                return err;
        if (!f) {
                f = frame_alloc(payer_current(), FRAME_ZERO);
                err = f ? add(m, index, f, U64_MAX, NULL) : ERR(ENOMEM);
        }
        frame_drop(f);
        return err_is(err, EEXIST) ? OK : err;
}

err_t mapping_fault(struct mapping *m, u64 index, bool write, struct frame **out)
{
        if (index >= page_up(LOAD(m->host->size)) >> PAGE_SHIFT)
                return ERR(EFAULT);
        *out = mapping_find(m, index);
        if (*out || (!write && !(m->ops && m->ops->fill)))
                return OK;
        return make(m, index, 0, out);
}

/* The first index in [from, to) with a page, or to. */
static u64 next_locked(const struct mapping *m, u64 from, u64 to)
{
        for (; from < MAPPING_FEW && from < to; from++)
                if (m->few[from])
                        return from;
        return from < to ? page_tree_next(&m->tree, from, to) : to;
}

u64 mapping_next_page(struct mapping *m, u64 from, u64 to)
{
        SPIN_GUARD(&m->lock);
        return next_locked(m, from, to);
}

u64 mapping_next_hole(struct mapping *m, u64 from, u64 to)
{
        while (from < to) {
                u64 end = min_u64(to, from + AT_ONCE);
                SPIN_GUARD(&m->lock);
                while (from < end && get(m, from))
                        from++;
                if (from < end)
                        break;
        }
        return from;
}

static struct frame *take_out_locked(struct mapping *m, u64 index)
{
        struct frame *f;

        if (index >= MAPPING_FEW)
                return page_tree_clear(&m->tree, index);
        f = m->few[index];
        PTR_STORE(m->few[index], NULL);
        return f;
}

struct batch { u32 n; struct frame *frame[BATCH]; };

/* Takes up to BATCH pages of [*next, end) out; *next: where to go on. */
static void take_batch(struct mapping *m, u64 *next, u64 end, struct batch *b)
{
        b->n = 0;
        SPIN_GUARD(&m->lock);
        u64 at = next_locked(m, *next, end);
        if (at < end) {
                FETCH_ADD(m->removals, 1);
                while (at < end && b->n < BATCH) {
                        b->frame[b->n++] = take_out_locked(m, at);
                        at = next_locked(m, at + 1, end);
                }
                FETCH_ADD(m->removals, 1);
                m->pages -= b->n;
                if (m->ops && m->ops->release)
                        m->ops->release(m, b->n);
        }
        *next = at;
}

static void take_promised(struct mapping *m, u64 *next, u64 end, struct batch *b)
{
        b->n = 0;
        SPIN_GUARD(&m->lock);
        u64 at = page_tree_next(&m->promised, *next, end);
        while (at < end && b->n < BATCH) {
                b->frame[b->n++] = page_tree_clear(&m->promised, at);
                at = page_tree_next(&m->promised, at + 1, end);
        }
        m->pages -= b->n;
        if (b->n > 0 && m->ops && m->ops->release)
                m->ops->release(m, b->n);
        *next = at;
}

void mapping_take_back(struct mapping *m, u64 from, u64 to)
{
        struct batch b = { };

        for (u64 at = has_promised(m) ? from : to; at < to;) {
                take_promised(m, &at, to, &b);
                for (u32 i = 0; i < b.n; i++)
                        frame_drop(b.frame[i]);
        }
}

static void remove_pages(struct mapping *m, u64 first, u64 end)
{
        struct batch b = { };

        /* These first: a fault may make one a page meanwhile, but no page becomes one of these. */
        mapping_take_back(m, first, end);
        while (first < end) {
                take_batch(m, &first, end, &b);
                for (u32 i = 0; i < b.n; i++)
                        frame_drop(b.frame[i]);
        }
}

void mapping_fini(struct mapping *m)
{
        if (m->pages)
                remove_pages(m, 0, U64_MAX);
}

void mapping_remove(struct mapping *m, u64 first, u64 last, bool cows)
{
        bool mapped = PTR_LOAD(m->areas) != NULL;

        if (mapped)
                registry_unmap(m, first, last, false);
        if (LOAD_RELAXED(m->pages))
                remove_pages(m, first, last == U64_MAX ? last : last + 1);
        /* A fault may have mapped a page it had found before it went.  (Where a private area with copies of its own
         * did, it keeps what it read: as if it had been a copy.) */
        if (mapped)
                registry_unmap(m, first, last, cows);
}

/* Zeroes [from, to) within one page, if there is a page. */
static void zero_part(struct mapping *m, u64 from, u64 to)
{
        struct frame *f = from < to ? mapping_find(m, from >> PAGE_SHIFT) : NULL;

        if (f)
                frame_fill(f, from & PAGE_MASK, to - from, 0);
        frame_drop(f);
}

void mapping_truncate(struct mapping *m, u64 size)
{
        if (size <= U64_MAX - PAGE_SIZE)
                mapping_remove(m, page_up(size) >> PAGE_SHIFT, U64_MAX, true);
        zero_part(m, size, page_up(size));
}

void mapping_punch(struct mapping *m, u64 from, u64 to)
{
        u64 first = page_up(from), last = page_down(to);

        if (first > last) {
                zero_part(m, from, to);
                return;
        }
        zero_part(m, from, first);
        zero_part(m, last, to);
        if (first < last)
                mapping_remove(m, first >> PAGE_SHIFT, (last >> PAGE_SHIFT) - 1, false);
}
