/* SPDX-License-Identifier: Apache-2.0
 *
 * Page faults: from an address to a mapped page, or to the signal that tells why not.
 *
 * Entry points  vm_fault         a fault of user code, or of a copy on its behalf
 *               fault_page       the inner step, for remote access and populating
 *               vm_unmap_mapping pages leave a file
 * Locking       mmap_lock for reading; frames are allocated and files read under it, and the
 *               page tables are touched under the cursor alone.  What was looked up before the
 *               cursor is checked again within it: the page table may have changed, and the
 *               page may have left the file.  Truncation takes pages out of the file first and
 *               unmaps them after, so a page that is still in the file when it is mapped under
 *               the cursor is found by that unmapping.
 * Keeps         V2, V3.
 */
#include "services/vm/vm_impl.h"

#define LARGE_PAGE 0x200000ul

static struct vm_fault_result fine(void) { return (struct vm_fault_result){}; }
static struct vm_fault_result no_memory(void) { return (struct vm_fault_result){ .signal = SIGKILL }; }
static struct vm_fault_result segv(u16 code) { return (struct vm_fault_result){ .signal = SIGSEGV, .code = code }; }
static struct vm_fault_result bus(void) { return (struct vm_fault_result){ .signal = SIGBUS, .code = BUS_ADRERR }; }

static struct vm_fault_result result_of(err_t err)
{
        if (succeeded(err))
                return fine();
        return err_is(err, ENOMEM) ? no_memory() : bus();
}

/* ---- Copy on write ---- */

enum step { DONE, ABSENT, NO_MEMORY };

static struct vm_fault_result result_of_step(enum step s) { return s == NO_MEMORY ? no_memory() : fine(); }

/* The page that is there becomes this address space's own.  It is copied under the cursor, so that it stays
 * what it is, into *spare; if there is none, into a frame had without sleeping.  NO_MEMORY: there was none. */
static enum step take_over(struct vm *vm, struct vm_area *a, u64 page, struct frame **spare)
{
        VM_CURSOR(c, vm->space, page);
        struct vm_page now = cursor_get(&c);
        if (!now.frame)
                return ABSENT;
        if ((now.prot & VM_WP) && (a->flags & AREA_WP))
                return DONE;                    /* protected meanwhile: the next fault asks */
        if (!(now.prot & VM_COW)) {             /* another thread was faster; or the area was watched once */
                if (now.prot & VM_WP)
                        cursor_protect(&c, area_hw(a));
                return DONE;
        }
        area_has_own_pages(a);
        if (now.frame != frame_zero_page() && frame_refs(now.frame) == 1) {
                cursor_protect(&c, area_hw(a));
                return DONE;
        }
        if (!*spare)
                *spare = frame_alloc(vm->payer, FRAME_NOWAIT | FRAME_FILL);
        if (!*spare)
                return NO_MEMORY;
        frame_copy(*spare, now.frame);
        return succeeded(cursor_map(&c, *spare, area_hw(a))) ? DONE : NO_MEMORY;
}

/* A write to a page of a private area that may be there, shared with others. */
static enum step break_cow(struct vm *vm, struct vm_area *a, u64 page)
{
        struct frame *spare = NULL;
        enum step s = take_over(vm, a, page, &spare);
        if (s == NO_MEMORY && !spare && (spare = frame_alloc(vm->payer, FRAME_FILL)))
                s = take_over(vm, a, page, &spare);
        frame_drop(spare);
        return s;
}

/* Maps f at page unless something is there already: then f is not needed. */
static enum step map_new(struct vm *vm, u64 page, struct frame *f, u32 prot)
{
        VM_CURSOR(c, vm->space, page);
        return err_is(cursor_map(&c, f, prot | VM_NEW), ENOMEM) ? NO_MEMORY : DONE;
}

/* ---- Anonymous memory ---- */

/* Linux puts one page of 2 MiB there: so that several small ones appear at once is nothing new to a program. */
static bool in_large_page(struct vm_area *a, u64 page)
{
        u64 block = page & ~(LARGE_PAGE - 1);
        return block >= a->start && block + LARGE_PAGE <= a->end && !(a->flags & (AREA_NOHUGE | AREA_GROWSDOWN | AREA_WATCHED));
}

static bool is_empty(struct vm *vm, u64 from, u64 to)
{
        VM_CURSOR(c, vm->space, from);
        return !cursor_find(&c, to);
}

/* Maps `own` at `page`, and new pages around it as far as they can be had at once.  False: something is
 * mapped there, or no memory. */
static bool map_anon_around(struct vm *vm, struct vm_area *a, u64 page, struct frame *own)
{
        u64 from = page & ~(VM_RUN * PAGE_SIZE - 1);
        if (!is_empty(vm, from, from + VM_RUN * PAGE_SIZE))
                return false;
        struct frame_run run = { .n = VM_RUN };
        for (u32 i = 0; i < VM_RUN; i++)
                run.frame[i] = from + i * PAGE_SIZE == page ? frame_hold(own)
                                                            : frame_alloc(vm->payer, FRAME_ZERO | FRAME_NOWAIT);
        err_t err = OK;
        {
                VM_CURSOR(c, vm->space, from);
                err = cursor_map_run(&c, &run, area_hw(a), NULL, 0);
        }
        for (u32 i = 0; i < VM_RUN; i++)
                frame_drop(run.frame[i]);
        return succeeded(err);
}

static struct vm_fault_result fault_anon(struct vm *vm, struct vm_area *a, u64 page, u32 access)
{
        if (!(access & VM_WRITE))
                return map_new(vm, page, frame_zero_page(), area_hw(a) | VM_COW) == NO_MEMORY ? no_memory() : fine();
        if (!(access & VM_ABSENT)) {
                enum step s = break_cow(vm, a, page);
                if (s != ABSENT)
                        return result_of_step(s);
        }
        struct frame *f = frame_alloc(vm->payer, FRAME_ZERO);
        if (!f)
                return no_memory();
        area_has_own_pages(a);
        enum step s = in_large_page(a, page) && map_anon_around(vm, a, page, f) ? DONE
                                                                                : map_new(vm, page, f, area_hw(a));
        frame_drop(f);
        /* Something is there after all: if it cannot be written, the next fault will say so. */
        return result_of_step(s);
}

/* ---- Pages of files ---- */

/* Files without `fill` live in memory alone: nobody needs to hear of the first write to a page.  In
 * the others VM_COW keeps a shared page read-only until mapping_fault was told of the write. */
static bool watches_writes(struct mapping *m) { return m->ops && m->ops->fill; }

/* Maps what is cached of the pages around `page` and is not mapped yet, in one go.  True: `page` is mapped. */
static bool map_around(struct vm *vm, struct vm_area *a, u64 page, u32 prot)
{
        struct mapping *m = a->mapping;
        u64 window = a->flags & AREA_RANDOM ? PAGE_SIZE : VM_RUN * PAGE_SIZE;
        u64 from = max_u64(page & ~(window - 1), a->start), to = min_u64((page & ~(window - 1)) + window, a->end);
        u64 index = area_offset_of(a, from) >> PAGE_SHIFT, end = page_up(LOAD(m->host->size)) >> PAGE_SHIFT;
        u64 at = (page - from) >> PAGE_SHIFT;

        if (index + at >= end)
                return false;
        struct frame_run run = { .n = (u32)min_u64((to - from) >> PAGE_SHIFT, end - index) };
        u64 seq = mapping_run(m, index, &run);
        if ((seq & 1) || !run.frame[at])
                return false;
        VM_CURSOR(c, vm->space, from);
        return succeeded(cursor_map_run(&c, &run, prot, &m->removals, seq));
}

/* Maps a page of the file; ABSENT: it is no longer the file's, look again. */
static enum step map_file_page(struct vm *vm, struct vm_area *a, u64 page, struct frame *f, u32 prot)
{
        VM_CURSOR(c, vm->space, page);
        struct vm_page now = cursor_get(&c);
        if (now.frame == f) {
                if ((now.prot & VM_COW) && !(prot & VM_COW))
                        cursor_protect(&c, prot);
                return DONE;
        }
        /* A private area's own copy stays; in a shared one another page is one that has left the file. */
        if (now.frame && !area_is_shared(a))
                return DONE;
        if (!mapping_has(a->mapping, area_offset_of(a, page) >> PAGE_SHIFT, f))
                return ABSENT;
        return succeeded(cursor_map(&c, f, prot)) ? DONE : NO_MEMORY;
}

static struct vm_fault_result fault_shared(struct vm *vm, struct vm_area *a, u64 page, u32 access)
{
        u64 index = area_offset_of(a, page) >> PAGE_SHIFT;
        bool write = (access & VM_WRITE) != 0, watched = watches_writes(a->mapping);
        u32 prot = area_hw(a) | (watched ? VM_COW : 0);
        if ((access & VM_ABSENT) && !(write && watched) && map_around(vm, a, page, prot))
                return fine();
        struct frame *f = NULL;
        err_t err = mapping_fault(a->mapping, index, write, &f);
        if (succeeded(err) && !f)
                err = mapping_fault(a->mapping, index, true, &f);
        if (failed(err))
                return result_of(err);
        if (write)
                prot &= ~VM_COW;
        enum step s = map_file_page(vm, a, page, f, prot);
        frame_drop(f);
        return result_of_step(s);
}

static struct vm_fault_result copy_file_page(struct vm *vm, struct vm_area *a, u64 page, struct frame *from)
{
        struct frame *f = frame_alloc(vm->payer, from ? FRAME_FILL : FRAME_ZERO);
        if (!f)
                return no_memory();
        if (from)
                frame_copy(f, from);
        area_has_own_pages(a);
        enum step s = map_new(vm, page, f, area_hw(a));
        frame_drop(f);
        return result_of_step(s);
}

static struct vm_fault_result fault_private(struct vm *vm, struct vm_area *a, u64 page, u32 access)
{
        if ((access & VM_WRITE) && !(access & VM_ABSENT)) {
                enum step s = break_cow(vm, a, page);
                if (s != ABSENT)
                        return result_of_step(s);
        }
        if ((access & (VM_WRITE | VM_ABSENT)) == VM_ABSENT && map_around(vm, a, page, area_hw(a) | VM_COW))
                return fine();
        struct frame *f = NULL;
        u64 index = area_offset_of(a, page) >> PAGE_SHIFT;
        err_t err = mapping_fault(a->mapping, index, false, &f);
        /* As on Linux, a hole that is read becomes a page: what others write to the file there is seen. */
        if (succeeded(err) && !f && !(access & VM_WRITE))
                err = mapping_fault(a->mapping, index, true, &f);
        if (failed(err))
                return result_of(err);
        struct vm_fault_result r = access & VM_WRITE ? copy_file_page(vm, a, page, f)
                                                     : result_of_step(map_file_page(vm, a, page, f, area_hw(a) | VM_COW));
        frame_drop(f);
        return r;
}

static struct vm_fault_result fault_special(struct vm *vm, struct vm_area *a, u64 page)
{
        u64 index = area_offset_of(a, page) >> PAGE_SHIFT;
        if (index >= a->special->pages)
                return bus();
        enum step s = map_new(vm, page, a->special->frame[index], area_hw(a));
        return result_of_step(s);
}

struct vm_fault_result fault_page(struct vm *vm, struct vm_area *a, u64 page, u32 access)
{
        if (!a->mapping)
                return a->special ? fault_special(vm, a, page) : fault_anon(vm, a, page, access);
        return area_is_shared(a) ? fault_shared(vm, a, page, access) : fault_private(vm, a, page, access);
}

/* ---- Stacks ---- */

/* REQUIRES vm->mmap_lock for writing.  `a` grows down to hold addr. */
static bool grow_locked(struct vm *vm, struct vm_area *a, u64 addr)
{
        u64 start = page_down(addr);
        u64 more = a->start - start;
        struct vm_area *prev = a->prev;
        if (!(a->flags & AREA_GROWSDOWN) || start < max_u64(vm->domain->settings.mmap_min_addr, VM_MIN))
                return false;
        /* What lies below must not be run into, except where nothing can be accessed. */
        if (prev && prev->end > start)
                return false;
        if (prev && prev->prot && !(prev->flags & AREA_GROWSDOWN) && start - prev->end < STACK_GUARD)
                return false;
        if (a->end - start > limit_of(RLIMIT_STACK) || failed(may_grow(vm, a->prot, a->flags, more)))
                return false;
        if ((a->flags & AREA_LOCKED) && !may_lock(vm, more))
                return false;
        if ((a->flags & AREA_ACCOUNT) && failed(vm_charge(vm, more)))
                return false;
        account(vm, a->prot, a->flags, a->mapping, more, true);
        area_set_bounds(a, start, a->end);
        return true;
}

bool stack_grow(struct vm *vm, u64 addr)
{
        WRITE_GUARD(&vm->mmap_lock);
        struct vm_area *a = area_find(vm, addr);
        if (!a)
                return false;
        return addr >= a->start || grow_locked(vm, a, addr);
}

/* ---- The fault ---- */

static bool is_allowed(struct vm_area *a, u32 access)
{
        if (access & VM_WRITE)
                return (a->prot & VM_WRITE) != 0;
        if (access & VM_EXEC)
                return (a->prot & VM_EXEC) != 0;
        return a->prot != VM_NONE;
}

#define PATIENCE 64u                    /* tries of one fault before somebody is killed, while there is hope */
#define SCANS    8u                     /* a shrinker that finds a lock taken gives nothing */
#define SCAN     32u                    /* pages */

/* What is wanted under a cursor, or without sleeping, fails without any shrinker having been asked. */
static bool make_room(void)
{
        for (u32 i = 0; i < SCANS; i++) {
                if (mem_reclaim(SCAN))
                        return true;
                task_yield();
        }
        return false;
}

/* No lock held; *tries: how often this fault found no memory.  True: try again. */
static bool out_of_memory(struct vm *vm, u32 *tries)
{
        const struct vm_oom_ops *oom = vm->domain->oom;
        struct mem_stats m = mem_stats();
        /* What failed while there is memory fails by chance; but not all that is free can be had on this CPU (the reserve,
         * other CPUs' stocks), and then only caches that shrink help. */
        if (++*tries < PATIENCE && (make_room() || m.free > m.total / 64))
                return true;
        *tries = 0;
        return oom && oom->kill(vm, 1);
}

/* The lock is let go of: who watches is asked without it. */
static noinline struct vm_fault_result fault_watched(struct vm *vm, struct vm_area *a, u64 addr, u32 access)
{
        struct vm_ask *ask = NULL;
        enum watch w = monitor_fault(vm, a, addr, access, &ask);
        struct vm_fault_result r = w == WATCH_NOTHING ? fault_page(vm, a, page_down(addr), access)
                                   : w == WATCH_SIGBUS ? bus() : w == WATCH_NO_MEMORY ? no_memory() : fine();
        read_unlock(&vm->mmap_lock);
        if (ask)
                monitor_wait(ask, (access & VM_USER) != 0);
        return r;
}

/* The lock is let go of. */
static noinline struct vm_fault_result denied(struct vm *vm, u16 code, u32 key)
{
        read_unlock(&vm->mmap_lock);
        return (struct vm_fault_result){ .signal = SIGSEGV, .code = code, .key = (u16)key };
}

static struct vm_fault_result fault_once(struct vm *vm, u64 addr, u32 access)
{
        read_lock(&vm->mmap_lock);
        struct vm_area *a = area_at(vm, addr);
        if (!a)
                return denied(vm, SEGV_MAPERR, 0);
        if (!key_permits(a, access))
                return denied(vm, SEGV_PKUERR, area_key(a));
        if (!is_allowed(a, access))
                return denied(vm, SEGV_ACCERR, 0);
        if (a->flags & AREA_WATCHED)
                return fault_watched(vm, a, addr, access);
        struct vm_fault_result r = fault_page(vm, a, page_down(addr), access);
        read_unlock(&vm->mmap_lock);
        return r;
}

enum next { GIVE_UP, TRY_AGAIN, KILLED };

/* After a try that came to r, a signal that is perhaps not the last word; *tries: how often there was no memory. */
static noinline enum next after_failure(struct vm *vm, u64 addr, struct vm_fault_result r, u32 *tries)
{
        if (r.signal == SIGSEGV)
                return stack_grow(vm, addr) ? TRY_AGAIN : GIVE_UP;
        if (r.signal != SIGKILL || !out_of_memory(vm, tries))
                return GIVE_UP;
        /* The victim may be this very process. */
        return task_interrupts() & INTR_KILL ? KILLED : TRY_AGAIN;
}

struct vm_fault_result vm_fault(struct vm *vm, u64 addr, u32 access)
{
        if (addr < VM_MIN || addr >= VM_MAX)
                return segv(SEGV_MAPERR);
        for (u32 tries = 0;;) {
                struct vm_fault_result r = fault_once(vm, addr, access);
                if (!r.signal || (r.signal == SIGSEGV && r.code != SEGV_MAPERR))
                        return r;
                enum next next = after_failure(vm, addr, r, &tries);
                if (next != TRY_AGAIN)
                        return next == KILLED ? fine() : r;
        }
}

/* REQUIRES vm->mmap_lock.  Pages of `a` in [start, end). */
static err_t populate_locked(struct vm *vm, struct vm_area *a, u64 start, u64 end, bool write)
{
        u32 access = write ? VM_WRITE : VM_READ;
        if (!is_allowed(a, access) || !key_permits(a, access))
                return ERR(EFAULT);
        for (u64 page = start; page < end; page += PAGE_SIZE) {
                struct vm_fault_result r = fault_page(vm, a, page, access);
                if (r.signal)
                        return ERR(r.signal == SIGKILL ? ENOMEM : EFAULT);
                if (task_interrupts() & INTR_KILL)
                        return ERR(EINTR);
        }
        return OK;
}

#define POPULATE_STEP (512 * PAGE_SIZE)         /* the lock is let go after as much */

/* A page of a watched area: who provides it may be waited for. */
static err_t populate_watched(struct vm *vm, u64 page, bool write)
{
        struct vm_fault_result r = vm_fault(vm, page, write ? VM_WRITE : VM_READ);
        return r.signal ? ERR(r.signal == SIGKILL ? ENOMEM : EFAULT) : task_interrupts() & INTR_KILL ? ERR(EINTR) : OK;
}

static bool is_watched(struct vm *vm, u64 page, bool *writable)
{
        READ_GUARD(&vm->mmap_lock);
        struct vm_area *a = area_at(vm, page);
        *writable = a && (a->prot & VM_WRITE);
        return a && (a->flags & AREA_WATCHED);
}

err_t fault_range(struct vm *vm, u64 start, u64 end, bool write)
{
        bool writable = false;
        while (start < end) {
                if (is_watched(vm, start, &writable)) {
                        TRY(populate_watched(vm, start, write && writable));
                        start += PAGE_SIZE;
                        continue;
                }
                READ_GUARD(&vm->mmap_lock);
                struct vm_area *a = area_at(vm, start);
                if (!a)
                        return ERR(ENOMEM);
                u64 to = min_u64(min_u64(end, a->end), start + POPULATE_STEP);
                TRY(populate_locked(vm, a, start, to, write && (a->prot & VM_WRITE)));
                start = to;
        }
        return OK;
}

/* ---- Pages leave a file ---- */

/* A private area's own copies stay. */
static void unmap_file_pages(struct vm *vm, struct vm_area *a, u64 from, u64 to)
{
        VM_CURSOR(c, vm->space, from);
        while (cursor_find(&c, to)) {
                struct vm_page page = cursor_get(&c);
                if ((page.prot & VM_COW) && mapping_has(a->mapping, area_offset_of(a, cursor_addr(&c)) >> PAGE_SHIFT, page.frame))
                        cursor_unmap(&c);
                if (!cursor_next(&c, to))
                        break;
        }
}

static void unmap_from_area(struct vm_area *a, u64 first, u64 last, bool cows)
{
        u64 low = a->offset >> PAGE_SHIFT, pages = area_pages(a);
        if (last < low || first >= low + pages)
                return;
        u64 from = a->start + ((max_u64(first, low) - low) << PAGE_SHIFT);
        u64 to = last - low >= pages ? a->end : a->start + ((last - low + 1) << PAGE_SHIFT);
        struct vm *vm = a->vm;
        if (cows || area_is_shared(a) || !(LOAD_RELAXED(a->flags) & AREA_ANON_PAGES))
                vmspace_unmap(vm->space, from, to);
        else
                unmap_file_pages(vm, a, from, to);
}

void vm_unmap_mapping(struct mapping *m, u64 first, u64 last, bool cows)
{
        READ_GUARD(&m->areas_lock);
        for (struct vm_area *a = m->areas; a; a = a->map_next)
                unmap_from_area(a, first, last, cows);
}
