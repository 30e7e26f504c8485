/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of services/vm share: areas, their tree, and the inner steps.
 *
 * Invariants V1  areas do not overlap, are page-aligned, not empty, and lie within [VM_MIN, VM_MAX)
 *            V2  a page is mapped only inside an area, and with no more rights than the area's
 *            V3  a page that others may see as theirs (file page of a private area, page shared by
 *                fork, the zero page) is mapped with VM_COW
 *            V4  an area with a mapping is on the mapping's list from insertion to removal; start, end
 *                and offset of such an area change only with the mapping's areas lock held as well
 */
#pragma once
#include "services/vm/vm.h"
#include "services/vfs/file.h"
#include "services/vfs/mapping.h"
#include "services/vfs/super.h"
#include "abi/const.h"

LOCK_CLASS_DECLARE(mmap);

OBJECT(vm_area) {
        /* mmap_lock, written with it held for writing; V4 */
        u64   start, end;
        u32   prot;                     /* VM_READ | VM_WRITE | VM_EXEC */
        u32   flags;                    /* enum vm_area_flag */
        u64   offset;                   /* bytes into the file at start */
        struct vm *vm;                  /* not counted: the area dies first */
        struct file *file;              /* counted, or NULL */
        struct mapping *mapping;        /* of the file, or NULL: anonymous */
        struct vm_special *special;     /* counted, or NULL */
        struct vm_monitor *monitor;     /* counted; NULL: not watched; mmap_lock */
        /* the tree and the list by address; mmap_lock */
        struct vm_area *left, *right, *up, *prev, *next;
        u64   gap;                      /* free bytes between the area before and this one's guard */
        u64   max_gap;                  /* of the subtree */
        u32   rank;                     /* the tree is a heap by it */
        /* the mapping's list; its areas lock */
        struct vm_area *map_next, *map_prev;
};
POOL_DECLARE(vm_area)

OBJECT(vm) {
        struct vmspace   *space;        /* counted; fixed */
        struct vm_domain *domain;       /* counted; fixed */
        struct payer     *payer;        /* counted, or NULL; fixed */
        u64               serial;       /* of all address spaces of the domain; fixed */
        struct rwlock     mmap_lock;

        /* mmap_lock */
        struct vm_area *root, *first, *last;
        struct vm_area *recent;            /* the area of the last fault; PTR_LOAD, also written under the read lock */
        struct vm_area *retired;        /* list by next: removed, to be dropped without the lock */
        u64   areas;
        u64   seed;                     /* of the tree's ranks */
        u64   total, data, stack, exec, locked;         /* pages */
        u64   committed;                /* pages charged to the domain */
        u64   peak_total, peak_rss;     /* pages; peak_rss is raised without the lock too */
        u64   mmap_base;                /* top of the area for mappings */
        u64   mmap_low;                 /* not 0: legacy layout, upwards from here */
        u32   lock_future;              /* AREA_LOCKED, AREA_LOCK_ONFAULT: from mlockall(MCL_FUTURE) */
        u32   keys;                     /* bit n: protection key n is in use; key 0 always is, but after pkey_free(0) */
        u32   exec_key;                 /* of what may only be executed; 0: none yet */
        struct vm_layout layout;
        u64   auxv[VM_AUXV_WORDS];
        u64   auxv_words;
};

OBJECT(vm_special) {
        u8    name[16];                 /* fixed */
        u32   name_len;                 /* fixed */
        u32   pages;                    /* fixed once mapped */
        struct frame *frame[VM_SPECIAL_PAGES];          /* counted */
};

OBJECT(vm_domain) {
        struct vm_settings settings;    /* racy reads are fine: each word stands alone */
        u64   committed;                /* pages; ATOMIC */
        u64   total;                    /* pages of the machine; fixed */
        u64   serial;                   /* of the last address space; ATOMIC */
        const struct vm_oom_ops *oom;   /* fixed at boot; may be NULL */
        const struct vm_shmem_ops *shmem;       /* the same */
        struct superblock *shmem_sb;    /* counted; fixed at boot */
        struct vm_special *code, *data; /* counted; fixed at boot */
};

/* What an area is made of, as a value. */
struct area_spec {
        u64 start, end;
        u32 prot, flags;
        u64 offset;
        struct file *file;              /* borrowed */
        struct mapping *mapping;        /* borrowed */
        struct vm_special *special;     /* borrowed */
        struct vm_monitor *monitor;     /* borrowed */
};

#define STACK_GUARD  (256 * PAGE_SIZE)  /* kept free below a growing stack */
#define ALL_PROT     (VM_READ | VM_WRITE | VM_EXEC)

static inline u64  area_size(struct vm_area *a)  { return a->end - a->start; }
static inline u64  area_pages(struct vm_area *a) { return (a->end - a->start) >> PAGE_SHIFT; }
static inline bool area_is_shared(struct vm_area *a) { return (a->flags & AREA_SHARED) != 0; }
static inline u64  area_offset_of(struct vm_area *a, u64 addr) { return a->offset + (addr - a->start); }
static inline u32  area_key(const struct vm_area *a) { return (a->flags & AREA_KEY) >> AREA_KEY_SHIFT; }
/* What the page table says of its pages: anything that can be accessed can be read. */
static inline u32  area_hw(const struct vm_area *a)
{ return (a->prot ? a->prot | VM_READ : VM_NONE) | area_key(a) << VM_KEY_SHIFT; }

/* To the page after the cursor's; false: that is the end, which may be no address at all. */
static inline bool cursor_next(struct vm_cursor *c, u64 end)
{
        u64 next = cursor_addr(c) + PAGE_SIZE;
        if (next >= end)
                return false;
        cursor_seek(c, next);
        return true;
}

/* area.c: the tree.  mmap_lock held; for writing where it changes. */
struct vm_area *area_find(struct vm *vm, u64 addr);         /* first that ends above addr, or NULL */
struct vm_area *area_at(struct vm *vm, u64 addr);           /* the one that holds addr, or NULL */
struct vm_area *area_overlap(struct vm *vm, u64 start, u64 end);
/* Inserts a new area, or grows a neighbour it fits to.  ENOMEM; EPERM: mapping_deny_writers.  Takes its own references. */
err_t area_add(struct vm *vm, const struct area_spec *spec);
err_t area_add_own(struct vm *vm, const struct area_spec *spec, struct vm_area **out);      /* never merged */
void  area_remove(struct vm *vm, struct vm_area *a);        /* from tree and mapping, and drops it; pages stay */
void  area_retire(struct vm *vm, struct vm_area *a);     /* the same; dropped by unlock_and_reap */
void  unlock_and_reap(struct vm *vm);                    /* mmap_lock, held for writing */
err_t area_split(struct vm *vm, struct vm_area *a, u64 at); /* a becomes [start, at); the rest is a->next.  ENOMEM, also at max_map_count */
err_t area_split_off(struct vm *vm, struct vm_area *a, u64 at);      /* the same, for parts that go: whatever the count */
struct vm_area *area_merge_around(struct vm *vm, struct vm_area *a);   /* with equal neighbours; returns what holds a's start */
void  area_set_bounds(struct vm_area *a, u64 start, u64 end);       /* start moves the offset along */
bool  area_gap_down(struct vm *vm, u64 len, u64 low, u64 high, u64 *out);
bool  area_gap_up(struct vm *vm, u64 len, u64 low, u64 high, u64 *out);
struct area_spec area_spec_of(struct vm_area *a);
void  areas_check(struct vm *vm);                        /* V1 and the tree's shape; traps */
void  areas_free(struct vm *vm);                         /* all of them; for the last drop */

/* account.c: totals and promises.  mmap_lock held for writing. */
void  account(struct vm *vm, u32 prot, u32 flags, bool file, u64 bytes, bool add);
err_t may_grow(struct vm *vm, u32 prot, u32 flags, u64 bytes);   /* RLIMIT_AS, RLIMIT_DATA: ENOMEM */
bool  may_lock(struct vm *vm, u64 bytes);                /* RLIMIT_MEMLOCK */
bool  may_map_low(void);                                 /* has CAP_SYS_RAWIO */
bool  may_lock_any(void);                                /* has CAP_IPC_LOCK, or a limit above 0 */
err_t vm_promise(struct vm *vm, u64 pages);              /* commits for what outlives the vm; needs no lock */
err_t vm_charge(struct vm *vm, u64 bytes);               /* commits for an area of it */
void  vm_uncharge(struct vm *vm, u64 bytes);
u64   limit_of(u32 which);                               /* of the current process; U64_MAX: none */
void  note_rss(struct vm *vm);                           /* raises peak_rss; before pages go */

/* pkey.c: protection keys.  mmap_lock held, where it changes for writing. */
/* To the current thread, by its PKRU; who fetches instructions is not asked. */
static inline bool key_permits(const struct vm_area *a, u32 access)
{
        u32 rights = user_keys() >> 2 * area_key(a);
        return !(rights & (access & VM_WRITE ? 3 : 1)) || (access & VM_EXEC);   /* PKEY_DISABLE_ACCESS, _WRITE */
}
bool key_may_be_used(struct vm *vm, i32 key);           /* by pkey_mprotect: -1, or allocated by the program */
u32  key_for_exec(struct vm *vm);                       /* of PROT_EXEC alone: made if need be, and forbidden to this thread; 0: none to be had */
u32  key_after(struct vm *vm, const struct vm_area *a, u32 prot);       /* that mprotect leaves on the area */
err_t protect_range(struct vm *vm, u64 addr, u64 len, u32 prot, i32 key);        /* protect.c; takes the lock; key -1: mprotect */

/* map.c */
err_t unmap_locked(struct vm *vm, u64 start, u64 end);   /* splits; ENOMEM only before anything changed */
u64   place_locked(struct vm *vm, u64 len, u64 hint, bool low);  /* 0: no room; low: below 2 GiB (MAP_32BIT) */
/* Splits *a so that it lies within [start, end).  ENOMEM: at most a harmless split was made. */
err_t isolate(struct vm *vm, struct vm_area **a, u64 start, u64 end);
bool  room_at(struct vm *vm, u64 start, u64 end);        /* nothing there, guards of stacks included */

u64   area_low_end(struct vm_area *a);                   /* start, less the guard of a growing stack */

/* fault.c */
/* Makes `page` present for this access, which the area's rights are not asked about.  mmap_lock held for
 * reading.  signal SIGKILL: out of memory. */
struct vm_fault_result fault_page(struct vm *vm, struct vm_area *a, u64 page, u32 access);
err_t fault_range(struct vm *vm, u64 start, u64 end, bool write);       /* populate; takes the lock itself; ENOMEM, EFAULT */
bool  stack_grow(struct vm *vm, u64 addr);               /* takes the lock itself */

/* From now on fork must copy this area's pages. */
static inline void area_has_own_pages(struct vm_area *a)
{
        if (!(LOAD_RELAXED(a->flags) & AREA_ANON_PAGES))
                FETCH_OR(a->flags, AREA_ANON_PAGES);
}

/* monitor.c.  mmap_lock held for reading: is the monitor to be asked about this access?  WAIT: *ask is then to be waited for, without
 * the lock, and the access tried again; interruptible: by any signal. */
OBJECT(vm_ask);
enum watch { WATCH_NOTHING, WATCH_WAIT, WATCH_SIGBUS, WATCH_NO_MEMORY };
enum watch monitor_fault(struct vm *vm, struct vm_area *a, u64 addr, u32 access, struct vm_ask **ask);
void  monitor_wait(struct vm_ask *ask, bool interruptible);

/* protect.c: advice that is a flag of areas.  *known: false if it is not of this sort. */
err_t advise_flags(struct vm *vm, u64 start, u64 end, u32 advice, bool *known);
