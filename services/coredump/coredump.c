/* SPDX-License-Identifier: Apache-2.0
 *
 * Core dumps: when, where, and the file: header, program headers, notes, memory.  See README.md.
 *
 * The address space may be shared with another process (vfork), which goes on: what it changes meanwhile is written as
 * it is found, and an area that is gone reads as zeros; offsets keep to what the headers said.
 */
#include "services/coredump/coredump_impl.h"
#include "services/pipe/pipe.h"
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

static err_t dump_zeros(struct dump *d, u64 n)
{
        u8 zeros[512] = {};

        while (n) {
                u64 now = min_u64(n, sizeof zeros);
                if (task_interrupts() & INTR_KILL)
                        return ERR(EINTR);
                TRY(dump_bytes(d, bytes_take(BYTES_OF(zeros), now)));
                n -= now;
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

/* Zeros: a hole in a file. */
static err_t skip(struct dump *d, u64 n)
{
        if (d->limit - d->at < n)
                return ERR(EFBIG);
        if (d->is_pipe)
                return dump_zeros(d, n);
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
        TRY(skip(d, start - d->at));
        return write_areas(d, areas);
}

/* ---- When and where ---- */

static bool is_ours(struct file *f, u32 uid)
{
        return (f->inode->mode & S_IFMT) == S_IFREG && f->inode->nlink == 1 && f->inode->uid == uid;
}

/* A file of that name.  Of a process that only root may look into: root's, under an absolute name, and new. */
static struct file *open_file(struct dump *d, bytes path)
{
        struct open_how how = { .flags = O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_LARGEFILE, .mode = 0600 };
        struct actor who = actor_current();
        bool roots = d->t->process->dumpable == DUMP_ROOT;
        struct cred *root = NULL;
        struct file *f = NULL;

        if (roots) {
                root = bytes_at(path, 0) == '/' ? cred_copy(d->t->payer, d->t->cred) : NULL;
                if (!root)
                        return NULL;
                root->fsuid = 0;
                cred_publish(root);
                who.cred = root;
        } else {
                ignore(vfs_unlink(&who, AT_FDCWD, path));        /* an earlier one; whatever it is, nothing is written over */
        }
        if (failed(vfs_open(&who, AT_FDCWD, path, how, &f)))
                f = NULL;
        if (f && !is_ours(f, who.cred->fsuid)) {
                file_drop(f);
                f = NULL;
        }
        cred_drop(root);
        return f;
}

/* Runs the collector; the result is its end of the pipe.  *helper: it, counted. */
static struct file *open_pipe(struct dump *d, struct blob *words, const struct core_target *to, struct process **helper)
{
        struct actor who = actor_current();
        struct file *reader = NULL, *writer = NULL;
        struct blob *path = blob_copy(d->t->payer, bytes_take(blob_bytes(words), bytes_find(blob_bytes(words), 0)));
        struct init_args args = {
                .path = path, .argv = words, .envp = words, .argc = to->words,
                .domain = vm_domain_of(d->t->vm), .payer = d->t->payer,
        };

        if (path && succeeded(pipe_new(&who, 0, &reader, &writer)) && failed(process_start_helper(args, reader, helper))) {
                file_drop(writer);
                writer = NULL;
        }
        file_drop(reader);
        blob_drop(path);
        return writer;
}

/* The process is not reaped before its collector is done with /proc/PID: core(5). */
static void wait_for_helper(struct process *helper)
{
        WAITER(w);
        waiter_add(&w, &helper->pid->exited);
        while (!LOAD(helper->zombie) && !(task_interrupts() & INTR_KILL))
                if (failed(waiter_sleep(&w, WAIT_KILLABLE, NEVER)) && failed(sleep_until(time_now() + NSEC_PER_MSEC, WAIT_KILLABLE)))
                        break;
}

static bool write_to(struct dump *d, struct file *f)
{
        d->file = f;
        d->page = blob_alloc(d->t->payer, PAGE_SIZE);
        d->names = blob_alloc(d->t->payer, BLOB_MAX);
        err_t err = d->page && d->names ? write_all(d) : ERR(ENOMEM);
        blob_drop(d->page);
        blob_drop(d->names);
        file_drop(f);
        return succeeded(err);
}

/* RLIMIT_CORE does not hold for a pipe, but 1, which helpers have, means: no dump.  With a limit on those that are under
 * way, the process waits for its collector. */
static bool dump_to_pipe(struct dump *d, struct blob *words, const struct core_target *to)
{
        struct process *p = d->t->process, *helper = NULL;
        u32 limit = process_core_settings(p).pipe_limit;
        u32 running = process_core_pipes(p, 1);
        struct file *f = NULL;

        if (d->limit != 1 && (!limit || running <= limit))
                f = open_pipe(d, words, to, &helper);
        d->limit = (u64)I64_MAX;
        d->is_pipe = true;
        bool done = f && write_to(d, f);
        if (done && limit)
                wait_for_helper(helper);
        process_drop(helper);
        process_core_pipes(p, -1);
        return f != NULL;
}

static bool dump_to_file(struct dump *d, struct blob *name, const struct core_target *to)
{
        struct file *f = d->limit >= PAGE_SIZE ? open_file(d, bytes_take(blob_bytes(name), to->len)) : NULL;

        d->limit = min_u64(d->limit, (u64)I64_MAX);
        return f && write_to(d, f);
}

bool coredump_write(struct thread *t, const struct user_regs *regs, const struct siginfo *info)
{
        struct dump d = { .t = t, .info = info, .limit = rlimit_get(t->process, RLIMIT_CORE), .filter = t->process->dump_filter };
        struct blob *name = blob_alloc(t->payer, PATH_MAX_LEN);
        bool done = false;

        if (name && t->process->dumpable != DUMP_NONE && t->vm && signal_stand(t, regs)) {
                blob_set_len(name, PATH_MAX_LEN);
                struct core_target to = core_target(&d, blob_mbytes(name));
                if (to.len)
                        done = to.is_pipe ? dump_to_pipe(&d, name, &to) : dump_to_file(&d, name, &to);
        }
        blob_drop(name);
        return done;
}
