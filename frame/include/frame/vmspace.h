/* SPDX-License-Identifier: Apache-2.0
 *
 * User address spaces: page tables, nothing more; areas and policy are services/vm.
 * Addresses are u64 in [VM_MIN, VM_MAX); anything else traps.  A mapping holds a
 * reference on its frame until every CPU has forgotten the translation.
 *
 * The cursor holds the space's page-table lock (a spin lock) from VM_CURSOR to
 * the block's end, and works on one page at a time:
 *
 *      VM_CURSOR(c, space, addr);
 *      struct vm_page pg = cursor_get(&c);
 *      if (!pg.frame) TRY(cursor_map(&c, frame, VM_READ | VM_WRITE));
 *
 * Page-table pages are charged to the space's payer.  TLB shootdown is done by
 * the functions themselves, batched; translations of unmapped pages are gone
 * when a range function returns or the cursor ends.
 */
#pragma once

#define VM_MIN  0x10000UL
#define VM_MAX  0x7ffffffff000UL

enum vm_prot { VM_NONE = 0, VM_READ = 1, VM_WRITE = 2, VM_EXEC = 4,
        VM_COW = 8,             /* logically private and shared: hardware write is off until the page is replaced or VM_COW is cleared */
        VM_NEW = 16,            /* cursor_map only: EEXIST if something is mapped */
        VM_WP = 32,             /* hardware write is off until it is cleared; kept as VM_COW is */
        VM_KEY = 0x780 };       /* the protection key, << VM_KEY_SHIFT: see user_keys */
#define VM_KEY_SHIFT 7

struct vm_page { struct frame *frame; u32 prot; bool accessed; bool dirty; };   /* frame NULL: not mapped */

OBJECT(vmspace);
SAFE_API struct vmspace *vmspace_new(struct payer *payer);       /* count 1; NULL: no memory */
SAFE_API void vmspace_drop(struct vmspace *s);           /* the last frees all mappings and tables */
SAFE_API u64  vmspace_mapped(struct vmspace *s);         /* pages mapped now */
SAFE_API u64  vmspace_tables(struct vmspace *s);         /* page-table pages */

struct K_OPAQUE K_BORROW K_PINNED vm_cursor { struct vmspace *s; u64 addr; u64 *pte; u64 n; u64 flush[8]; u32 drop[8]; };
struct vm_cursor k_cursor(struct vmspace *s, u64 addr);
void k_cursor_end(struct vm_cursor *c);
#define VM_CURSOR(NAME, space, addr)  struct vm_cursor NAME __attribute__((cleanup(k_cursor_end))) = k_cursor((space), (addr))

SAFE_API u64   cursor_addr(struct vm_cursor *c);
SAFE_API void  cursor_seek(struct vm_cursor *c, u64 addr);
/* Moves to the first mapped page at or after the cursor, below end; false: none. */
SAFE_API bool  cursor_find(struct vm_cursor *c, u64 end);
SAFE_API struct vm_page cursor_get(struct vm_cursor *c);
/* Maps the frame here, with a reference of its own, in place of what was here.  ENOMEM: no page table, or mapped too often. */
SAFE_API err_t cursor_map(struct vm_cursor *c, struct frame *f, u32 prot);
/* Maps frames that follow each other from the cursor on, where nothing is yet, within its 2 MiB; leaves out
 * NULLs and frames that are none.  They need not be held: EAGAIN, and nothing mapped, if `seq` (NULL: not
 * asked) is not `was` once all are referenced.  ENOMEM: no page table. */
#define VM_RUN 16
struct frame_run { u32 n; struct frame *frame[VM_RUN]; };
SAFE_API err_t cursor_map_run(struct vm_cursor *c, const struct frame_run *run, u32 prot, const u64 *seq, u64 was);
SAFE_API void  cursor_unmap(struct vm_cursor *c);
SAFE_API void  cursor_protect(struct vm_cursor *c, u32 prot);
SAFE_API void  cursor_clear_accessed(struct vm_cursor *c);

/* Ranges are page-aligned, [start, end). */
SAFE_API void  vmspace_unmap(struct vmspace *s, u64 start, u64 end);
/* Sets R/W/X and the key of the mapped pages; pages with VM_COW or VM_WP keep it, so stay read-only in hardware. */
SAFE_API void  vmspace_protect(struct vmspace *s, u64 start, u64 end, u32 prot);
/* Maps src's pages of the range at the same addresses in dst.  cow: writable pages become VM_COW in
 * both.  ENOMEM: dst may have a part; the caller drops it. */
SAFE_API err_t vmspace_clone(struct vmspace *dst, struct vmspace *src, u64 start, u64 end, bool cow);
/* Moves the mappings of [from, from+len) to [to, to+len); the ranges do not overlap. ENOMEM: nothing moved. */
SAFE_API err_t vmspace_move(struct vmspace *s, u64 from, u64 to, u64 len);
