/* SPDX-License-Identifier: Apache-2.0
 *
 * Address spaces: areas, page faults, user memory, and the mmap family.
 *
 * A struct vm is what a process has mapped: a tree of areas over a vmspace (the page
 * tables) of the framework.  Threads of a process share one (CLONE_VM).
 *
 * Lifetime   Counted: each thread's `vm` holds one, so does whoever looks at another's.
 *            The last drop unmaps everything.  An exiting thread does task_set_space(NULL)
 *            before its vm_drop, so that the memory is free at once.
 * Locking    mmap_lock (rwlock, class mmap) guards areas and totals; all functions here take
 *            it themselves and are called with no page, mapping or spin lock held.
 *            Order: mmap_lock, a mapping's areas lock, a page's lock, the page tables.
 * Limits     RLIMIT_AS, _DATA, _STACK, _MEMLOCK are those of the current process.
 */
#pragma once
#include "services/task/thread.h"

OBJECT(vm);
OBJECT(vm_domain);
OBJECT(vm_special);
OBJECT(vm_monitor);
STABLE(mapping);                        /* vfs/mapping.h */
BASE(superblock);                       /* vfs/super.h */
STABLE(file_ops);                       /* vfs/file.h */
POOL_DECLARE(vm)
POOL_DECLARE(vm_domain)
POOL_DECLARE(vm_special)
POOL_DECLARE(vm_monitor)

/* ---- The domain: what is one per system, and becomes one per container ---- */

/* Picks a victim when a frame cannot be had after reclaim, and kills it (SIGKILL, and a report to
 * the log).  May sleep; no lock of vm is held.  True: something was or is being killed (perhaps
 * the caller): try again.  False: nothing can be killed. */
STABLE(vm_oom_ops) { bool (*kill)(struct vm *for_vm, u64 pages); };

struct vm_settings {                    /* /proc/sys/vm and kernel.randomize_va_space */
        u32 overcommit;                 /* OVERCOMMIT_GUESS, _ALWAYS, _NEVER */
        u32 overcommit_ratio;           /* percent of memory that NEVER allows */
        u32 max_map_count;              /* areas per address space */
        u32 randomize;                  /* 0 none, 1 all but brk, 2 all */
        u64 mmap_min_addr;              /* below it only with CAP_SYS_RAWIO, and nothing below VM_MIN */
        u64 legacy_layout;              /* not 0: mmap grows up */
        u64 overcommit_kbytes;          /* not 0: what NEVER allows, in place of the ratio */
        u32 oom_kill_caller;            /* oom_kill_allocating_task */
        u32 oom_dump_tasks;
        u32 admin_reserve, user_reserve;        /* kbytes that NEVER keeps for CAP_SYS_ADMIN, and of each address space */
        u32 swappiness;
        u32 user_faults;                /* unprivileged_userfaultfd */
};
struct vm_domain *vm_domain_new(void);  /* count 1; NULL: no memory.  Linux's defaults */
struct vm_settings vm_settings(struct vm_domain *d);
struct vm_settings *vm_settings_of(struct vm_domain *d);         /* each is written by itself, STORE */
void  vm_domain_set_oom(struct vm_domain *d, const struct vm_oom_ops *ops);    /* at boot */
/* Makes the file behind shared anonymous memory: `size` bytes of zeros, unlinked, open for reading and
 * writing, its pages in sb, which the domain holds.  *file is counted.  init joins it to tmpfs_new_file; the
 * name "dev/zero" makes /proc/PID/maps show what Linux's does. */
STABLE(vm_shmem_ops) { err_t (*file_new)(struct superblock *sb, u64 size, struct file **file); };
void  vm_domain_set_shmem(struct vm_domain *d, const struct vm_shmem_ops *ops, struct superblock *sb);  /* at boot */
struct superblock *vm_shmem(struct vm_domain *d);      /* borrowed: for memfd, System V shm; NULL: none */
u64   vm_committed(struct vm_domain *d);                /* pages: Committed_AS */
u64   vm_commit_limit(struct vm_domain *d);             /* pages: CommitLimit */
/* The counted pages for other users of memory that is promised (tmpfs, System V shm): ENOMEM. */
err_t vm_commit(struct vm_domain *d, u64 pages);
void  vm_uncommit(struct vm_domain *d, u64 pages);

/* Pages of the kernel's own that processes map: the vDSO and its data.  Frames are held. */
#define VM_SPECIAL_PAGES 8
struct vm_special *vm_special_new(bytes name);          /* "[vdso]"; no pages yet */
void  vm_special_add(struct vm_special *s, struct frame *f);     /* traps past VM_SPECIAL_PAGES */
u32   vm_special_pages(struct vm_special *s);
void  vm_domain_set_vdso(struct vm_domain *d, struct vm_special *code, struct vm_special *data);
struct vm_special *vm_vdso_code(struct vm_domain *d);   /* borrowed; NULL: none */
struct vm_special *vm_vdso_data(struct vm_domain *d);

/* ---- Address spaces ---- */

struct vm *vm_new(struct vm_domain *d, struct payer *payer);     /* empty, count 1; NULL: no memory */
/* fork: a copy of `from`, private pages copy-on-write.  ENOMEM. */
err_t vm_clone(struct vm *from, struct payer *payer, struct vm **out);
struct vmspace *vm_space(struct vm *vm);                /* borrowed: for task_set_space(_of) */
struct vm_domain *vm_domain_of(struct vm *vm);          /* borrowed */
u64   vm_serial(struct vm *vm);                         /* of this and of no other of the domain, ever; not 0 */
struct vm *vm_current(void);                            /* the current thread's, borrowed; NULL: none */

/* What exec sets and /proc/pid/{stat,cmdline,environ,auxv} tell. */
#define VM_AUXV_WORDS 48
struct vm_layout {
        u64 start_code, end_code, start_data, end_data;
        u64 start_brk, brk, start_stack;
        u64 arg_start, arg_end, env_start, env_end;
};
struct vm_layout vm_layout(struct vm *vm);
void  vm_set_layout(struct vm *vm, struct vm_layout l); /* exec, prctl(PR_SET_MM) */
/* prctl(2), PR_SET_MM.  check: EINVAL: parts that are no user addresses or out of order, RLIMIT_DATA.
 * change: one part by prctl's number; EFAULT as well: it wants an area above. */
err_t vm_check_layout(struct vm *vm, const struct vm_layout *l);
err_t vm_change_layout(struct vm *vm, u32 part, u64 value);
void  vm_set_auxv(struct vm *vm, bytes auxv);           /* at most VM_AUXV_WORDS words */
usize vm_auxv(struct vm *vm, mbytes out);               /* bytes written */

/* ---- Faults ---- */

/* signal 0: resolved, run on.  Else the signal to force, with its code and the address:
 * SIGSEGV SEGV_MAPERR/SEGV_ACCERR/SEGV_PKUERR (and `key`), SIGBUS BUS_ADRERR, SIGKILL when memory is gone for good. */
struct vm_fault_result {
        u16 signal, code;
        u16 key;
        bool major;                     /* it waited for a device */
};
/* access: VM_READ, VM_WRITE or VM_EXEC, as the instruction wanted it; with VM_ABSENT if the CPU found no
 * page there (a hint that saves a look: `fault.present ? 0 : VM_ABSENT`). */
#define VM_ABSENT 0x100
#define VM_USER   0x200         /* by the program itself: a signal ends the wait for who provides watched memory */
struct vm_fault_result vm_fault(struct vm *vm, u64 addr, u32 access);

/* ---- User memory of the current thread ---- */

/* All or EFAULT; they fault in what is missing and may sleep: no vm, page or spin lock held. */
err_t vm_copy_in_rest(mbytes dst, u64 addr, usize done);         /* what the framework found missing after `done` bytes */
err_t vm_copy_out_rest(u64 addr, bytes src, usize done);
static inline err_t vm_copy_in(mbytes dst, u64 addr)
{
        usize n = user_copy_in(dst, addr);
        return n == mbytes_len(dst) ? OK : vm_copy_in_rest(dst, addr, n);
}
static inline err_t vm_copy_out(u64 addr, bytes src)
{
        usize n = user_copy_out(addr, src);
        return n == bytes_len(src) ? OK : vm_copy_out_rest(addr, src, n);
}
err_t vm_zero(u64 addr, u64 len);
/* The same, but tell how many bytes were done before the first bad page. */
u64   vm_copy_in_some(mbytes dst, u64 addr);
u64   vm_copy_out_some(u64 addr, bytes src);
u64   vm_zero_some(u64 addr, u64 len);
u64   vm_copy_from_frame(u64 addr, struct frame *f, usize off, usize len);     /* frame → user */
u64   vm_copy_to_frame(struct frame *f, usize off, u64 addr, usize len);       /* user → frame */
/* A NUL-terminated string: *len without the NUL, which is stored too.  ENAMETOOLONG: no NUL within dst. */
err_t vm_copy_string(mbytes dst, u64 addr, usize *len);
/* Words; addr is aligned (EINVAL else).  cmpxchg: *seen is what was there. */
err_t vm_load32(u64 addr, u32 *value);
err_t vm_store32(u64 addr, u32 value);
err_t vm_load64(u64 addr, u64 *value);
err_t vm_store64(u64 addr, u64 value);
err_t vm_cmpxchg32(u64 addr, u32 old, u32 new, u32 *seen);
/* A POD lvalue from or to user memory: TRY(VM_GET(addr, ts)). */
#define VM_GET(addr, lvalue) vm_copy_in(MBYTES_OF(lvalue), (addr))
#define VM_PUT(addr, lvalue) vm_copy_out((addr), BYTES_OF(lvalue))

/* Makes the pages of [addr, addr+len) present, so that user_copy_* under a lock gets on: faults in at
 * least the first page.  EFAULT: the first page cannot be had. */
err_t vm_fault_in(u64 addr, u64 len, bool write);
/* Is it user space at all: addr + len does not pass the top. */
static inline bool vm_is_user(u64 addr, u64 len) { return len <= VM_MAX && addr <= VM_MAX - len; }
/* What access_ok is elsewhere: the range does not reach the kernel's half; whether there is memory, copying finds out. */
static inline bool vm_in_lower_half(u64 addr, u64 len) { return !add_overflows(addr, len) && (i64)(addr + len) >= 0; }

/* Bytes from `from` on, below `to`, where no page is mapped; it does not look beyond 1 GiB. */
u64   vm_gap(struct vm *vm, u64 from, u64 to);

/* Another's memory: ptrace, /proc/pid/mem, process_vm_*.  Bytes done; force: as a debugger may,
 * against the area's protection (a private copy is made). */
u64   vm_read_remote(struct vm *vm, u64 addr, mbytes dst, bool force);
u64   vm_write_remote(struct vm *vm, u64 addr, bytes src, bool force);

/* What a futex's address means.  Private: the vm (not counted: the caller's own) and the address.  Shared
 * file pages: the mapping and the byte offset; `file`, held until vm_key_put, keeps the mapping what it is; other memory: as
 * private, but never equal to that.  Equal keys: equal vm, mapping and at.  EFAULT; write: the caller will write the word. */
struct vm_key { struct vm *vm; struct mapping *mapping; struct file *file; u64 at; };
err_t vm_key_get(u64 addr, bool shared, bool write, struct vm_key *out);
void  vm_key_put(struct vm_key *key);

/* ---- The mmap family: arguments and errors as the man pages say ---- */

struct vm_mmap {
        u64 addr, len;
        u32 prot, flags;                /* PROT_*, MAP_* */
        struct file *file;              /* borrowed; NULL with MAP_ANONYMOUS */
        u64 offset;
};
err_t vm_mmap(struct vm *vm, struct vm_mmap args, u64 *out);
err_t vm_remap_file_pages(struct vm *vm, u64 addr, u64 len, u32 prot, u64 page);   /* as Linux since 4.0: by mmap */
err_t vm_munmap(struct vm *vm, u64 addr, u64 len);
/* shmdt: unmaps what is left of a file with these operations whose byte 0 was mapped to addr.  EINVAL: nothing is. */
err_t vm_detach(struct vm *vm, u64 addr, const struct file_ops *ops);
err_t vm_mprotect(struct vm *vm, u64 addr, u64 len, u32 prot);
/* pkeys(7): rights are PKEY_DISABLE_*, of the current thread.  EINVAL; ENOSPC: no key left, or a CPU without them. */
err_t vm_pkey_alloc(struct vm *vm, u32 rights, u32 *key);
err_t vm_pkey_free(struct vm *vm, i32 key);
err_t vm_pkey_mprotect(struct vm *vm, u64 addr, u64 len, u32 prot, i32 key);     /* key -1: as mprotect */
bool  vm_has_keys(void);                                /* the CPU has them */
u64   vm_brk(struct vm *vm, u64 brk);                   /* the break then in force */
struct vm_mremap { u64 addr, old_len, new_len, flags, new_addr; };
err_t vm_mremap(struct vm *vm, struct vm_mremap args, u64 *out);
err_t vm_msync(struct vm *vm, u64 addr, u64 len, u32 flags);
err_t vm_mincore(struct vm *vm, u64 addr, u64 len, u64 vec);     /* vec: user address */
err_t vm_madvise(struct vm *vm, u64 addr, u64 len, u32 advice);
err_t vm_mlock(struct vm *vm, u64 addr, u64 len, u32 flags);     /* flags: 0, MLOCK_ONFAULT */
err_t vm_munlock(struct vm *vm, u64 addr, u64 len);
err_t vm_mlockall(struct vm *vm, u32 flags);
err_t vm_munlockall(struct vm *vm);

/* Memory policies: kept and told, nothing more: there is one node.  A policy is a mode (MPOL_*) with: */
#define VM_POLICY_MODE     7u
#define VM_POLICY_STATIC   8u
#define VM_POLICY_RELATIVE 0x10u
err_t vm_set_policy(struct vm *vm, u64 addr, u64 len, u32 policy);       /* mbind: EINVAL, EFAULT: a hole, ENOMEM */
err_t vm_get_policy(struct vm *vm, u64 addr, u32 *policy);               /* EFAULT: nothing is there */
err_t vm_has_policy(struct vm *vm, u64 addr, u64 len);                   /* set_mempolicy_home_node: EINVAL, ENOENT, EOPNOTSUPP */
i32   vm_page_node(struct vm *vm, u64 addr);             /* move_pages: 0, or -EFAULT, -ENOENT */

/* For exec, on an address space that nothing runs in yet.  Pages of `special` at addr, as vm_place gave it. ENOMEM. */
err_t vm_map_special(struct vm *vm, u64 addr, struct vm_special *special, u32 prot);
u64   vm_place(struct vm *vm, u64 len);                 /* a free place for len bytes; 0: none */
/* The stack's area [start, end), growing down to RLIMIT_STACK; ENOMEM, also if something is there.  trim: what is
 * above end was not needed. */
err_t vm_map_stack(struct vm *vm, u64 start, u64 end, u32 prot);
void  vm_trim_stack(struct vm *vm, u64 end);
void  vm_set_brk(struct vm *vm, u64 start);             /* start == end of the break area */
/* The frame behind addr, counted, faulted in (write: as this address space's own); NULL: not to be had. */
struct frame *vm_grab(struct vm *vm, u64 addr, bool write);
struct frame *vm_grab_forced(struct vm *vm, u64 addr, bool write);       /* against the area's protection, as a debugger may */
void  vm_ungrab(struct frame *f);
/* Bytes zeroed, as vm_write_remote. */
u64   vm_zero_remote(struct vm *vm, u64 addr, u64 len);

/* Addresses: where things go in a new address space, randomised as the domain says. */
struct vm_places { u64 stack_top, mmap_base, pie_base; };
struct vm_places vm_choose_places(struct vm *vm, u64 stack_limit, bool randomize);
void  vm_use_places(struct vm *vm, struct vm_places p);
u64   vm_random_brk(struct vm *vm, u64 end, bool randomize);

/* ---- Watched memory: monitor.c, for userfaultfd ---- */

/* Ranges are page-aligned and in user space, not empty.  The monitor's address space is the one it was made for; once that
 * has ended: ENOMEM from watch and unwatch, ESRCH. */
struct vm_monitor *vm_monitor_new(struct vm *vm, bool user_only);        /* count 1; NULL: no memory.  user_only: the kernel's accesses get EFAULT */
void  vm_monitor_close(struct vm_monitor *m);            /* watches nothing any more, lets all go on, and drops */
void  vm_monitor_sigbus(struct vm_monitor *m);           /* from now on faults are SIGBUS */
/* EINVAL: nothing there, or not private anonymous memory; EBUSY: another's. */
err_t vm_monitor_watch(struct vm_monitor *m, u64 start, u64 end, bool missing, bool protected);
err_t vm_monitor_unwatch(struct vm_monitor *m, u64 start, u64 end);
/* The next fault that nobody has taken yet.  EAGAIN, ERESTARTSYS. */
struct vm_asked { u64 addr; u32 tid; bool write, protected; };
err_t vm_monitor_take(struct vm_monitor *m, bool wait, struct vm_asked *out);
struct waitq *vm_monitor_asked(struct vm_monitor *m);
u32   vm_monitor_unread(struct vm_monitor *m);
u32   vm_monitor_waiting(struct vm_monitor *m);          /* read ones too */
void  vm_monitor_wake(struct vm_monitor *m, u64 start, u64 end);
/* Pages from `from`, or zeros, where nothing is yet.  *done: bytes, also on error.  ENOENT: not one watched area; EINVAL: protect,
 * and it is not watched for that; EEXIST, EFAULT, ENOMEM, EINTR. */
struct vm_fill { u64 start, len, from; bool zero, protect; };
err_t vm_monitor_fill(struct vm_monitor *m, struct vm_fill fill, u64 *done);
err_t vm_monitor_protect(struct vm_monitor *m, u64 start, u64 end, bool on);     /* ENOENT */

/* ---- For vfs: pages leave a file ---- */

/* What vfs calls through vfs/hooks.h (registered by vm_init): takes pages first .. last of the file out of
 * every address space; private copies too if cows.  Called after the pages have left the mapping. */
void  vm_unmap_mapping(struct mapping *m, u64 first, u64 last, bool cows);

/* ---- For /proc ---- */

enum vm_kind { VM_KIND_ANON, VM_KIND_FILE, VM_KIND_SHMEM, VM_KIND_STACK, VM_KIND_HEAP, VM_KIND_SPECIAL };
enum vm_area_flag {
        AREA_SHARED = 1, AREA_GROWSDOWN = 2, AREA_LOCKED = 4, AREA_NORESERVE = 8, AREA_SPECIAL = 0x10,
        AREA_DONTFORK = 0x20, AREA_WIPEONFORK = 0x40, AREA_DONTDUMP = 0x80, AREA_RANDOM = 0x100,
        AREA_SEQUENTIAL = 0x200, AREA_LOCK_ONFAULT = 0x400, AREA_HUGE = 0x800, AREA_NOHUGE = 0x1000,
        AREA_ACCOUNT = 0x2000,          /* private, and counted as committed */
        AREA_ANON_PAGES = 0x4000,       /* may have pages of its own: private copies */
        AREA_MAY_WRITE = 0x8000,        /* mprotect may allow writing (shared file opened for writing) */
        AREA_MAY_EXEC = 0x10000,        /* not on a noexec mount */
        AREA_MAY_READ = 0x20000,
        AREA_STACK = 0x40000,           /* the stack exec made */
        AREA_POLICY = 0x1f000000,       /* a memory policy, << AREA_POLICY_SHIFT */
        AREA_COUNTED = 0x80000,         /* its file is told of it (FOPS_AREAS) */
        AREA_MISSING = 0x20000000, AREA_WP = 0x40000000, AREA_WATCHED = AREA_MISSING | AREA_WP,      /* for its monitor */
        AREA_KEY = 0xf00000,            /* its protection key, << AREA_KEY_SHIFT */
};
#define AREA_KEY_SHIFT 20
#define AREA_POLICY_SHIFT 24
struct vm_area_info {
        u64 start, end, offset;         /* offset: bytes into the file */
        u32 prot, flags;                /* VM_*, AREA_* */
        enum vm_kind kind;
        struct file *file;              /* counted: vm_area_info_put */
        struct vm_special *special;     /* fixed name; lives as long as the domain */
};
/* The first area that ends above addr; false: none. */
bool  vm_area_at(struct vm *vm, u64 addr, struct vm_area_info *out);
void  vm_area_info_put(struct vm_area_info *info);
bytes vm_special_name(struct vm_special *s);

/* Pages by kind, for smaps; bytes. */
struct vm_usage {
        u64 rss, pss, shared_clean, shared_dirty, private_clean, private_dirty;
        u64 referenced, anonymous, locked;
        u64 pss_dirty, pss_anon;
};
bool  vm_area_usage(struct vm *vm, u64 start, struct vm_usage *out);     /* of the area that holds start */

struct vm_stats {                       /* pages */
        u64 total, data, stack, exec, locked;
        u64 rss, rss_anon, rss_file, rss_shmem;
        u64 peak_total, peak_rss, tables;
        u64 areas;                      /* a count */
};
struct vm_stats vm_stats(struct vm *vm);
u64   vm_rss(struct vm *vm);            /* pages; cheap */
u64   vm_pagemap(struct vm *vm, u64 addr, bool numbers);        /* the word of /proc/pid/pagemap; numbers: of frames, too */
void  vm_clear_refs(struct vm *vm);
void  vm_clear_peak(struct vm *vm);                      /* of rss */

void  vm_init(void);                    /* at boot: hooks into vfs */
