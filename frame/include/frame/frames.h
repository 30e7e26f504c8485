/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of bytes: user pages, page cache, DMA buffers.  A struct frame names
 * a page of physical memory; the array of them is never freed, so a
 * handle may be stored anywhere, counted or not.  References are counted; what
 * is mapped in an address space holds one per mapping.
 *
 * Bytes are reached through a pin, which ends with its block:
 *      PIN(p, frame);
 *      mbytes b = pin_bytes(&p);               whole frame; empty if the frame was freed
 * or by the copying functions, which pin for themselves.
 */
#pragma once

STABLE(frame);

enum frame_flags {
        FRAME_ZERO    = 1,      /* zeroed; otherwise it is still cleared of other owners' bytes before
                                   user space or a slice can see it, unless FRAME_FILL */
        FRAME_NOWAIT  = 2,      /* never sleeps or reclaims */
        FRAME_FILL    = 4,      /* the caller promises to overwrite it all; old bytes may be visible till then */
};
SAFE_API struct frame *frame_alloc(struct payer *payer, u32 flags);               /* count 1; NULL: no memory */
SAFE_API struct frame *frame_hold(struct frame *f);      /* traps on a free frame */
SAFE_API bool  frame_try_hold(struct frame *f);
SAFE_API void  frame_drop(struct frame *f);              /* NULL ignored */
SAFE_API u32   frame_refs(struct frame *f);              /* holds and mappings; a snapshot */
SAFE_API u32   frame_mappings(struct frame *f);          /* of those, mappings */
SAFE_API u64   frame_number(struct frame *f);            /* physical page number, for pagemap only */
SAFE_API struct frame *frame_zero_page(void);            /* the shared page of zeros: read only, not counted; a pin of it is empty */

struct K_OPAQUE K_BORROW K_PINNED pin { struct frame *f_k; };
struct pin k_pin(struct frame *f);
void k_unpin(struct pin *p);
#define PIN(NAME, frame)  struct pin NAME __attribute__((cleanup(k_unpin))) = k_pin(frame)
SAFE_API mbytes pin_bytes(struct pin *p);

/* Trap if [off, off+len) is not inside the page. */
SAFE_API void  frame_read(struct frame *f, usize off, mbytes dst);
SAFE_API void  frame_write(struct frame *f, usize off, bytes src);
SAFE_API void  frame_fill(struct frame *f, usize off, usize len, u8 value);
SAFE_API void  frame_copy(struct frame *dst, struct frame *src);

struct mem_stats {              /* pages */
        u64 total, free, byte_frames, pools, page_tables, stacks, other;
};
SAFE_API struct mem_stats mem_stats(void);
/* name, objects in use, slots, bytes each; false past the last pool */
struct pool_stats { bytes name; u64 used, slots; u32 size; };
SAFE_API bool pool_stats(u32 index, struct pool_stats *out);

/* Shrinkers give memory back on demand, in a reclaim task or a MAY_RECLAIM caller:
 * trylock only.  scan frees up to `pages` pages' worth and returns what it did. */
STABLE(shrinker) { u64 (*scan)(u64 pages); };
SAFE_API void shrinker_register(const struct shrinker *s);               /* at boot; up to 16, else traps */
SAFE_API u64  mem_reclaim(u64 pages);                    /* runs the shrinkers; returns pages freed */
