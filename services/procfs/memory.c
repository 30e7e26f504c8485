/* SPDX-License-Identifier: Apache-2.0
 *
 * What /proc/PID tells of a process's memory: maps, smaps, smaps_rollup, pagemap, mem, clear_refs.
 *
 * mem and pagemap are files of their own (OBJECT proc_memory), which hold the address space that the process
 * had when they were opened; the others are texts, maps and smaps in parts that begin at an address.
 */
#include "services/procfs/tree.h"
#include "services/security/cred.h"
#include "services/vm/vm.h"
#include "lib/num.h"

/* ---- maps ---- */

static void add_path(struct text *t, const struct path *p)
{
        struct blob *space = blob_alloc(thread_current()->payer, PATH_MAX_LEN);
        struct path root = fs_root(thread_current()->fs);
        usize start = 0;

        if (space && succeeded(path_text(p, &root, 0, blob_mbytes(space), &start)))
                text_add_line(t, bytes_skip(blob_bytes(space), start), STR("\\012"), STR("\\"));
        path_drop(&root);
        blob_drop(space);
}

static bytes special_name(const struct vm_area_info *a)
{
        return a->special ? vm_special_name(a->special) : a->kind == VM_KIND_HEAP ? STR("[heap]")
               : a->kind == VM_KIND_STACK ? STR("[stack]") : NO_BYTES;
}

/* "start-end perms offset dev inode   name" */
static void say_area(struct text *t, const struct vm_area_info *a)
{
        u64 begin = t->len, dev = 0, ino = 0;

        if (a->file) {
                dev = a->file->inode->sb->dev;
                ino = a->file->inode->ino;
        }
        text_hex(t, a->start, 8);
        text_char(t, '-');
        text_hex(t, a->end, 8);
        text_char(t, ' ');
        text_char(t, a->prot & VM_READ ? 'r' : '-');
        text_char(t, a->prot & VM_WRITE ? 'w' : '-');
        text_char(t, a->prot & VM_EXEC ? 'x' : '-');
        text_char(t, a->flags & AREA_SHARED ? 's' : 'p');
        text_char(t, ' ');
        text_hex(t, a->file ? a->offset : 0, 8);
        text_char(t, ' ');
        text_hex(t, dev_major(dev), 2);
        text_char(t, ':');
        text_hex(t, dev_minor(dev), 2);
        SAY(t, " {} ", ino);
        bytes name = special_name(a);
        if (a->file || bytes_len(name)) {
                u64 used = t->len - begin;
                text_add(t, bytes_take(STR("                                                                         "), used < 73 ? 73 - used : 0));
        }
        if (a->file)
                add_path(t, &a->file->path);
        else
                text_add(t, name);
        text_char(t, '\n');
}


/* ---- smaps ---- */

#define KB_LABEL 16u                    /* columns of the label, and of the number behind it */
#define KB_DIGITS 8u

/* In one piece: processes with thousands of areas are asked often. */
static void say_kb(struct text *t, bytes label, u64 bytes_of)
{
        u8 line[] = "                         kB\n";
        u64 kb = bytes_of / 1024;
        u32 at = KB_LABEL + KB_DIGITS;

        line[mbytes_copy(mbytes_take(MBYTES_OF(line), KB_LABEL - 1), label)] = ':';
        if (kb > 99999999) {
                text_add(t, bytes_take(BYTES_OF(line), KB_LABEL));
                text_number(t, kb, KB_DIGITS);
        } else {
                do
                        line[--at] = (u8)('0' + kb % 10);
                while (kb /= 10);
                text_add(t, bytes_take(BYTES_OF(line), KB_LABEL + KB_DIGITS));
        }
        text_add(t, STR(" kB\n"));
}

/* The lines that smaps and smaps_rollup share, those behind Pss. */
static void say_usage(struct text *t, const struct vm_usage *u)
{
        say_kb(t, STR("Shared_Clean"), u->shared_clean);
        say_kb(t, STR("Shared_Dirty"), u->shared_dirty);
        say_kb(t, STR("Private_Clean"), u->private_clean);
        say_kb(t, STR("Private_Dirty"), u->private_dirty);
        say_kb(t, STR("Referenced"), u->referenced);
        say_kb(t, STR("Anonymous"), u->anonymous);
        say_kb(t, STR("LazyFree"), 0);
        say_kb(t, STR("AnonHugePages"), 0);
        say_kb(t, STR("ShmemPmdMapped"), 0);
        say_kb(t, STR("FilePmdMapped"), 0);
        say_kb(t, STR("Shared_Hugetlb"), 0);
        say_kb(t, STR("Private_Hugetlb"), 0);
        say_kb(t, STR("Swap"), 0);
        say_kb(t, STR("SwapPss"), 0);
        say_kb(t, STR("Locked"), u->locked);
}

static void flag(struct text *t, bool set, bytes word)
{
        if (set)
                text_add(t, word);
}

/* In the order of Linux's bits. */
static void say_flags(struct text *t, const struct vm_area_info *a)
{
        u32 f = a->flags;

        text_add(t, STR("VmFlags: "));
        flag(t, a->prot & VM_READ, STR("rd "));
        flag(t, a->prot & VM_WRITE, STR("wr "));
        flag(t, a->prot & VM_EXEC, STR("ex "));
        flag(t, (f & (AREA_SHARED | AREA_MAY_WRITE)) == (AREA_SHARED | AREA_MAY_WRITE), STR("sh "));
        flag(t, f & AREA_MAY_READ, STR("mr "));
        flag(t, f & AREA_MAY_WRITE, STR("mw "));
        flag(t, f & AREA_MAY_EXEC, STR("me "));
        flag(t, f & AREA_SHARED, STR("ms "));
        flag(t, f & AREA_GROWSDOWN, STR("gd "));
        flag(t, f & AREA_MISSING, STR("um "));
        flag(t, f & AREA_WP, STR("uw "));
        flag(t, f & AREA_LOCKED, STR("lo "));
        flag(t, f & AREA_SEQUENTIAL, STR("sr "));
        flag(t, f & AREA_RANDOM, STR("rr "));
        flag(t, f & AREA_DONTFORK, STR("dc "));
        flag(t, f & AREA_SPECIAL, STR("de "));
        flag(t, f & AREA_LOCK_ONFAULT, STR("?? "));
        flag(t, (f & (AREA_ACCOUNT | AREA_SHARED)) == AREA_ACCOUNT, STR("ac "));
        flag(t, f & AREA_NORESERVE, STR("nr "));
        flag(t, f & AREA_WIPEONFORK, STR("wf "));
        flag(t, (f & (AREA_DONTDUMP | AREA_SPECIAL)) == AREA_DONTDUMP, STR("dd "));
        text_add(t, STR("sd "));
        flag(t, f & AREA_HUGE, STR("hg "));
        flag(t, f & AREA_NOHUGE, STR("nh "));
        text_char(t, '\n');
}

static void say_details(struct text *t, struct vm *vm, const struct vm_area_info *a)
{
        struct vm_usage u = {};

        if (!vm_area_usage(vm, a->start, &u))
                return;
        say_kb(t, STR("Size"), a->end - a->start);
        say_kb(t, STR("KernelPageSize"), PAGE_SIZE);
        say_kb(t, STR("MMUPageSize"), PAGE_SIZE);
        say_kb(t, STR("Rss"), u.rss);
        say_kb(t, STR("Pss"), u.pss);
        say_kb(t, STR("Pss_Dirty"), u.pss_dirty);
        say_usage(t, &u);
        text_add(t, STR("THPeligible:    0\n"));
        if (vm_has_keys()) {
                text_add(t, STR("ProtectionKey:  "));
                text_number(t, (a->flags & AREA_KEY) >> AREA_KEY_SHIFT, 8);
                text_char(t, '\n');
        }
        say_flags(t, a);
}

/* ---- In parts ---- */

static err_t show_part(struct text *t, const struct subject *s, u64 *at, bool details)
{
        struct vm *vm = subject_vm(s);
        struct vm_area_info a = {};

        while (vm && t->len < TEXT_PART_ENOUGH && !(task_interrupts() & INTR_KILL) && vm_area_at(vm, *at, &a)) {
                say_area(t, &a);
                if (details)
                        say_details(t, vm, &a);
                *at = a.end;
                vm_area_info_put(&a);
        }
        vm_drop(vm);
        return OK;
}

err_t proc_show_maps(struct text *t, const struct subject *s, u64 *at)  { return show_part(t, s, at, false); }
err_t proc_show_smaps(struct text *t, const struct subject *s, u64 *at) { return show_part(t, s, at, true); }

/* ---- smaps_rollup ---- */

struct rollup { struct vm_usage all; u64 pss_anon, pss_file, pss_shmem, first, last; };

static void add_area(struct rollup *r, struct vm *vm, const struct vm_area_info *a)
{
        struct vm_usage u = {};

        if (!vm_area_usage(vm, a->start, &u))
                return;
        if (!r->last)
                r->first = a->start;
        r->last = a->end;
        r->all.rss += u.rss;
        r->all.pss += u.pss;
        r->all.pss_dirty += u.pss_dirty;
        r->all.shared_clean += u.shared_clean;
        r->all.shared_dirty += u.shared_dirty;
        r->all.private_clean += u.private_clean;
        r->all.private_dirty += u.private_dirty;
        r->all.referenced += u.referenced;
        r->all.anonymous += u.anonymous;
        r->all.locked += u.locked;
        r->pss_anon += u.pss_anon;
        r->pss_shmem += a->kind == VM_KIND_SHMEM ? u.pss - u.pss_anon : 0;
        r->pss_file += a->kind == VM_KIND_SHMEM ? 0 : u.pss - u.pss_anon;
}

err_t proc_show_rollup(struct text *t, const struct subject *s)
{
        struct vm *vm = subject_vm(s);
        struct vm_area_info a = {};
        struct rollup r = {};

        if (!vm)
                return ERR(ESRCH);
        for (u64 at = 0; vm_area_at(vm, at, &a); at = a.end) {
                add_area(&r, vm, &a);
                vm_area_info_put(&a);
        }
        vm_drop(vm);
        u64 begin = t->len;
        text_hex(t, r.first, 8);
        text_char(t, '-');
        text_hex(t, r.last, 8);
        text_add(t, STR(" ---p 00000000 00:00 0 "));
        while (t->len - begin < 73 && !t->failed)
                text_char(t, ' ');
        text_add(t, STR("[rollup]\n"));
        say_kb(t, STR("Rss"), r.all.rss);
        say_kb(t, STR("Pss"), r.all.pss);
        say_kb(t, STR("Pss_Dirty"), r.all.pss_dirty);
        say_kb(t, STR("Pss_Anon"), r.pss_anon);
        say_kb(t, STR("Pss_File"), r.pss_file);
        say_kb(t, STR("Pss_Shmem"), r.pss_shmem);
        say_usage(t, &r.all);
        return OK;
}

/* ---- clear_refs ---- */

#define CLEAR_ALL       1               /* 2, 3: of anonymous memory, of files */
#define CLEAR_SOFTDIRTY 4               /* every page counts as written since: nothing to clear */
#define CLEAR_PEAK      5

err_t proc_write_clear_refs(bytes text, const struct subject *s)
{
        i64 what = 0;

        if (!text_parse_i64(text, 10, &what) || what < CLEAR_ALL || what > CLEAR_PEAK)
                return ERR(EINVAL);
        struct vm *vm = subject_vm(s);
        if (!vm)
                return OK;
        if (what == CLEAR_PEAK)
                vm_clear_peak(vm);
        else if (what < CLEAR_SOFTDIRTY)
                vm_clear_refs(vm);
        vm_drop(vm);
        return OK;
}

/* ---- mem and pagemap ---- */

OBJECT(proc_memory) {
        struct file base;
        u64 memory;                     /* whose serial it is the memory of; fixed */
};
POOL_DECLARE(proc_memory)
DOWNCASTABLE(proc_memory, file);

static void proc_memory_fini(struct proc_memory *m)
{
        file_fini(&m->base);
}
POOL_DEFINE(proc_memory, proc_memory_fini);

static err_t open_memory(const struct actor *who, const struct path *p, const struct file_ops *ops, u32 flags, struct file **out)
{
        struct subject s = procfs_subject(p->dentry->inode);
        u64 memory = subject_memory(&s);        /* before the question: see process_vm */

        if (memory != U64_MAX && memory != vm_serial(vm_current()) && !process_may_trace(s.process, false))
                return ERR(EACCES);
        struct proc_memory *m = proc_memory_alloc(who->payer, MAY_RECLAIM);
        if (!m)
                return ERR(ENOMEM);
        m->memory = memory;
        file_init(&m->base, ops, p, who->cred, flags);
        proc_memory_publish(m);
        *out = &m->base;
        return OK;
}

/* Addresses are positions, all 64 bits of them. */
static err_t memory_llseek(struct file *f, i64 off, u32 whence, u64 *pos)
{
        if (whence != SEEK_SET && whence != SEEK_CUR)
                return ERR(EINVAL);
        *pos = whence == SEEK_SET ? (u64)off : f->pos + (u64)off;
        return OK;
}

/* Counted; NULL: it has ended, or another program is there. */
static struct vm *memory_of(struct file *f)
{
        struct subject s = procfs_subject(f->inode);

        s.memory = DOWNCAST(proc_memory, f)->memory;
        return subject_vm(&s);
}

/* Page by page, as a debugger may: the area's protection does not matter. */
static err_t read_from(struct vm *vm, struct io *io, u64 *pos)
{
        while (io_left(io) > 0) {
                usize off = *pos & PAGE_MASK, n = min_u64(PAGE_SIZE - off, io_left(io));
                struct frame *page = vm_grab_forced(vm, *pos, false);
                if (!page)
                        return ERR(EIO);
                usize got = page == frame_zero_page() ? io_zero(io, n) : io_from_frame(io, page, off, n);
                vm_ungrab(page);
                *pos += got;
                if (got < n)
                        return ERR(EFAULT);
        }
        return OK;
}

static err_t write_to(struct vm *vm, struct io *io, u64 *pos)
{
        while (io_left(io) > 0) {
                u8 chunk[1024];
                struct io next = *io;
                usize n = min_u64(min_u64(PAGE_SIZE - (*pos & PAGE_MASK), io_left(io)), sizeof chunk);
                usize got = io_copy_in(&next, mbytes_take(MBYTES_OF(chunk), n));
                if (vm_write_remote(vm, *pos, bytes_take(BYTES_OF(chunk), got), true) < got)
                        return ERR(EIO);
                *io = next;
                *pos += got;
                if (got < n)
                        return ERR(EFAULT);
        }
        return OK;
}

static err_t mem_read(struct file *f, struct io *io, u64 *pos)
{
        struct vm *vm = memory_of(f);
        err_t err = vm ? read_from(vm, io, pos) : OK;

        vm_drop(vm);
        return err;
}

static err_t mem_write(struct file *f, struct io *io, u64 *pos)
{
        struct vm *vm = memory_of(f);
        err_t err = vm ? write_to(vm, io, pos) : OK;

        vm_drop(vm);
        return err;
}

static err_t mem_open(const struct actor *who, const struct path *p, u32 flags, struct file **out)
{
        return open_memory(who, p, &proc_mem_ops, flags, out);
}

const struct file_ops proc_mem_ops = { .open = mem_open, .read = mem_read, .write = mem_write, .llseek = memory_llseek };

static err_t read_pagemap(struct vm *vm, struct io *io, u64 *pos, bool numbers)
{
        u64 words[64] = {};

        if ((*pos | io_left(io)) % sizeof(u64))
                return ERR(EINVAL);
        while (io_left(io) > 0 && *pos / sizeof(u64) < VM_MAX >> PAGE_SHIFT) {
                u64 first = *pos / sizeof(u64), n = 0;
                if (task_interrupts() & INTR_KILL)
                        return ERR(EINTR);
                for (; n < 64 && n * sizeof(u64) < io_left(io) && first + n < VM_MAX >> PAGE_SHIFT; n++)
                        words[n] = vm_pagemap(vm, (first + n) << PAGE_SHIFT, numbers);
                usize got = io_copy_out(io, bytes_take(BYTES_OF(words), n * sizeof(u64)));
                *pos += got;
                if (got < n * sizeof(u64))
                        return ERR(EFAULT);
        }
        return OK;
}

static err_t pagemap_read(struct file *f, struct io *io, u64 *pos)
{
        struct vm *vm = memory_of(f);
        err_t err = vm ? read_pagemap(vm, io, pos, cred_has(f->cred, CAP_SYS_ADMIN)) : OK;

        vm_drop(vm);
        return err;
}

static err_t pagemap_open(const struct actor *who, const struct path *p, u32 flags, struct file **out)
{
        return open_memory(who, p, &proc_pagemap_ops, flags, out);
}

const struct file_ops proc_pagemap_ops = { .open = pagemap_open, .read = pagemap_read, .llseek = memory_llseek };
