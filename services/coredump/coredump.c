/* SPDX-License-Identifier: Apache-2.0
 *
 * Core dumps: when, where, and the file: header, program headers, notes, memory.  See README.md.
 *
 * The address space may be shared with another process (vfork), which goes on: what it changes meanwhile is written as
 * it is found, and an area that is gone reads as zeros; offsets keep to what the headers said.
 */
#include "services/coredump/coredump_impl.h"
#include "abi/const/fcntl.h"

#define FILTER_ANON_PRIVATE 1u
#define FILTER_ANON_SHARED  2u
#define FILTER_FILE_PRIVATE 4u
#define FILTER_FILE_SHARED  8u
#define FILTER_ELF_HEADERS  16u
#define AREAS_MAX           60000u      /* program headers are counted in 16 bits */

err_t dump_bytes(struct dump *d, bytes b)
{
        usize done = 0;

        if (bytes_len(b) > d->limit - d->at)
                return ERR(EFBIG);
        TRY(file_write_kernel(d->file, d->at, b, &done));
        d->at += done;
        return done == bytes_len(b) ? OK : ERR(ENOSPC);
}

/* ---- Which memory ---- */

static bool begins_as_elf(struct dump *d, const struct vm_area_info *a)
{
        u8 magic[4] = {};
        return a->offset == 0 && (a->prot & VM_READ) && vm_read_remote(d->t->vm, a->start, MBYTES_OF(magic), false) == sizeof magic &&
               magic[0] == 0x7f && magic[1] == 'E' && magic[2] == 'L' && magic[3] == 'F';
}

/* How much of an area is written. */
static u64 dumped(struct dump *d, const struct vm_area_info *a)
{
        u64 all = a->end - a->start;
        struct vm_usage u = {};

        if (a->special)
                return all;             /* vDSO and its data: always */
        if (a->flags & AREA_DONTDUMP)
                return 0;
        if (a->flags & AREA_SHARED)
                return d->filter & (a->file && a->file->inode->nlink ? FILTER_FILE_SHARED : FILTER_ANON_SHARED) ? all : 0;
        if ((d->filter & FILTER_ANON_PRIVATE) && (!a->file || (vm_area_usage(d->t->vm, a->start, &u) && u.anonymous)))
                return all;
        if (!a->file)
                return 0;
        if (d->filter & FILTER_FILE_PRIVATE)
                return all;
        return (d->filter & FILTER_ELF_HEADERS) && begins_as_elf(d, a) ? PAGE_SIZE : 0;
}

static u32 count_areas(struct dump *d)
{
        struct vm_area_info a = {};
        u32 n = 0;

        for (u64 at = 0; n < AREAS_MAX && vm_area_at(d->t->vm, at, &a); at = a.end, n++)
                vm_area_info_put(&a);
        return n;
}

static err_t write_header(struct dump *d, u32 areas)
{
        struct linux_elf64_ehdr h = {
                .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_CORE, .e_machine = EM_X86_64,
                .e_version = EV_CURRENT, .e_phoff = sizeof(struct linux_elf64_ehdr), .e_ehsize = sizeof(struct linux_elf64_ehdr),
                .e_phentsize = sizeof(struct linux_elf64_phdr), .e_phnum = (u16)(areas + 1),
        };
        return dump_bytes(d, BYTES_OF(h));
}

/* The headers of notes and areas; memory begins at `offset`. */
static err_t write_headers(struct dump *d, u32 areas, u64 notes, u64 offset)
{
        struct linux_elf64_phdr h = { .p_type = PT_NOTE, .p_filesz = notes, .p_align = 4,
                                      .p_offset = sizeof(struct linux_elf64_ehdr) + (areas + 1ul) * sizeof h };
        struct vm_area_info a = {};
        u64 at = 0;

        TRY(dump_bytes(d, BYTES_OF(h)));
        for (u32 i = 0; i < areas; i++, at = a.end) {
                h = (struct linux_elf64_phdr){ .p_type = PT_LOAD, .p_offset = offset, .p_align = PAGE_SIZE };
                if (vm_area_at(d->t->vm, at, &a)) {
                        h.p_vaddr = a.start;
                        h.p_memsz = a.end - a.start;
                        h.p_filesz = dumped(d, &a);
                        h.p_flags = (a.prot & VM_READ ? PF_R : 0) | (a.prot & VM_WRITE ? PF_W : 0) | (a.prot & VM_EXEC ? PF_X : 0);
                        vm_area_info_put(&a);
                }
                offset += h.p_filesz;
                TRY(dump_bytes(d, BYTES_OF(h)));
        }
        return OK;
}

static bool all_zero(bytes b)
{
        for (usize i = 0; i < bytes_len(b); i += 8)
                if (bytes_le64(b, i))
                        return false;
        return true;
}

static err_t skip(struct dump *d, u64 n)
{
        if (d->limit - d->at < n)
                return ERR(EFBIG);
        d->at += n;
        return OK;
}

static err_t write_page(struct dump *d, u64 at, bool last)
{
        mbytes page = mbytes_take(blob_mbytes(d->page), PAGE_SIZE);

        if (vm_read_remote(d->t->vm, at, page, true) < PAGE_SIZE || (all_zero(bytes_const(page)) && !last))
                return skip(d, PAGE_SIZE);
        return dump_bytes(d, bytes_const(page));
}

/* Pages of zeros are skipped, and what is not mapped where that means zeros (anon); the last one is written, so that the
 * file has its length.  EINTR: SIGKILL, or the memory is wanted. */
static err_t write_memory(struct dump *d, u64 from, u64 to, bool anon)
{
        while (from < to) {
                if (task_interrupts() & INTR_KILL)
                        return ERR(EINTR);
                u64 gap = anon ? vm_gap(d->t->vm, from, to - PAGE_SIZE) : 0;
                TRY(gap ? skip(d, gap) : write_page(d, from, from + PAGE_SIZE == to));
                from += gap ? gap : PAGE_SIZE;
        }
        return OK;
}

static err_t write_areas(struct dump *d, u32 areas)
{
        struct vm_area_info a = {};
        u64 at = 0;

        for (u32 i = 0; i < areas && vm_area_at(d->t->vm, at, &a); i++, at = a.end) {
                u64 len = dumped(d, &a);
                bool anon = !a.file && !a.special;
                vm_area_info_put(&a);
                TRY(write_memory(d, a.start, a.start + len, anon));
        }
        return OK;
}

static u32 count_threads(struct process *p)
{
        u32 n = 0;
        SPIN_GUARD(&p->lock);
        for (struct thread *t = p->threads; t; t = t->next)
                n += t->stands && !t->exiting;
        return n;
}

static err_t write_all(struct dump *d)
{
        u32 areas = count_areas(d);
        notes_collect(d);
        u64 notes = notes_size(d, count_threads(d->t->process));
        u64 start = sizeof(struct linux_elf64_ehdr) + (areas + 1ul) * sizeof(struct linux_elf64_phdr) + notes;

        start = (start + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
        TRY(write_header(d, areas));
        TRY(write_headers(d, areas, notes, start));
        TRY(notes_write(d));
        if (start > d->limit)
                return ERR(EFBIG);
        d->at = start;
        return write_areas(d, areas);
}

/* ---- When and where ---- */

static bool is_ours(struct file *f)
{
        return (f->inode->mode & S_IFMT) == S_IFREG && f->inode->nlink == 1 && f->inode->uid == cred_current()->fsuid;
}

static struct file *create(struct thread *t, const struct siginfo *info)
{
        struct blob *name = blob_alloc(t->payer, PATH_MAX_LEN);
        struct actor who = actor_current();
        struct file *f = NULL;
        usize len = 0;

        if (name && core_name(t, info, blob_mbytes(name), &len)) {
                bytes path = bytes_take(bytes_const(blob_mbytes(name)), len);
                struct open_how how = { .flags = O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_LARGEFILE, .mode = 0600 };
                ignore(vfs_unlink(&who, AT_FDCWD, path));        /* an earlier one; whatever it is, nothing is written over */
                if (failed(vfs_open(&who, AT_FDCWD, path, how, &f)))
                        f = NULL;
                if (f && !is_ours(f)) {
                        file_drop(f);
                        f = NULL;
                }
        }
        blob_drop(name);
        return f;
}

bool coredump_write(struct thread *t, const struct user_regs *regs, const struct siginfo *info)
{
        struct dump d = { .t = t, .info = info, .limit = rlimit_get(t->process, RLIMIT_CORE), .filter = t->process->dump_filter };

        if (!t->process->dumpable || d.limit < PAGE_SIZE || !t->vm || !signal_stand(t, regs))
                return false;
        d.file = create(t, info);
        if (!d.file)
                return false;
        d.limit = min_u64(d.limit, (u64)I64_MAX);
        d.page = blob_alloc(t->payer, PAGE_SIZE);
        d.names = blob_alloc(t->payer, BLOB_MAX);
        err_t err = d.page && d.names ? write_all(&d) : ERR(ENOMEM);
        blob_drop(d.page);
        blob_drop(d.names);
        file_drop(d.file);
        return succeeded(err);
}
