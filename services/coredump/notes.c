/* SPDX-License-Identifier: Apache-2.0
 *
 * The notes of a core file: for the thread that got the signal its registers, then who, the signal, the auxiliary vector and
 * the mapped files, its FPU state; then the registers and FPU state of the others.
 */
#include "services/coredump/coredump_impl.h"
#include "services/sched/sched.h"
#include "lib/num.h"

#define NAME_LEN 8u                     /* "CORE" and "LINUX" with NUL, 4-aligned */
#define FPREGS   512u

static u64 note_size(u64 len) { return sizeof(struct linux_elf64_nhdr) + NAME_LEN + ((len + 3) & ~3ul); }

static err_t note_begin(struct dump *d, u32 type, u64 len)
{
        bool linux_name = type == NT_X86_XSTATE;
        struct { struct linux_elf64_nhdr h; u8 name[NAME_LEN]; } n = {
                .h = { .n_namesz = linux_name ? 6 : 5, .n_descsz = (u32)len, .n_type = type },
        };
        bytes name = linux_name ? STR("LINUX") : STR("CORE");
        for (u32 i = 0; i < bytes_len(name); i++)
                n.name[i] = bytes_at(name, i);
        return dump_bytes(d, BYTES_OF(n));
}

static err_t note(struct dump *d, u32 type, bytes b)
{
        u32 pad = 0;
        TRY(note_begin(d, type, bytes_len(b)));
        TRY(dump_bytes(d, b));
        return dump_bytes(d, bytes_take(BYTES_OF(pad), (4 - bytes_len(b) % 4) % 4));
}

/* ---- Sizes ---- */

static bool has_xstate(void) { return fpu_size() > FPREGS; }

static u64 thread_size(void)
{
        return note_size(sizeof(struct linux_elf_prstatus)) + note_size(FPREGS) + (has_xstate() ? note_size(fpu_size()) : 0);
}

static usize auxv_len(struct dump *d)
{
        u64 words[VM_AUXV_WORDS] = {};
        return vm_auxv(d->t->vm, MBYTES_OF(words));
}

u64 notes_size(struct dump *d, u32 threads)
{
        return threads * thread_size() + note_size(sizeof(struct linux_elf_prpsinfo)) + note_size(sizeof(struct linux_siginfo)) +
               note_size(auxv_len(d)) + (d->names_len ? note_size(d->names_len) : 0);
}

/* ---- The mapped files ---- */

struct file_entry { u64 start, end, offset; };

/* NT_FILE: count, page size; an entry per area with a file; their names.  Too many for the buffer: none. */
void notes_collect(struct dump *d)
{
        struct vm_area_info a = {};
        struct writer w = writer_of(blob_mbytes(d->names));
        struct { u64 count, page; } head = { .page = 1 };
        struct path root = {};

        for (u64 at = 0; vm_area_at(d->t->vm, at, &a); at = a.end) {
                head.count += a.file != NULL;
                vm_area_info_put(&a);
        }
        head.page = PAGE_SIZE;
        u64 names_at = sizeof head + head.count * sizeof(struct file_entry);
        if (!head.count || names_at + head.count * 2 > BLOB_MAX)
                return;
        writer_put(&w, BYTES_OF(head));
        u64 left = head.count;
        for (u64 at = 0; left && vm_area_at(d->t->vm, at, &a); at = a.end) {
                if (a.file) {
                        struct file_entry e = { a.start, a.end, a.offset / PAGE_SIZE };
                        writer_put(&w, BYTES_OF(e));
                        left--;
                }
                vm_area_info_put(&a);
        }
        left = head.count;
        for (u64 at = 0; left && vm_area_at(d->t->vm, at, &a); at = a.end) {
                usize start = 0;
                if (a.file && succeeded(path_text(&a.file->path, &root, 0, mbytes_take(blob_mbytes(d->page), PAGE_SIZE), &start)))
                        writer_put(&w, bytes_skip(bytes_take(bytes_const(blob_mbytes(d->page)), PAGE_SIZE), start));
                if (a.file) {
                        writer_u8(&w, 0);
                        left--;
                }
                vm_area_info_put(&a);
        }
        d->names_len = w.at < BLOB_MAX ? w.at : 0;
}

/* ---- Registers ---- */

static struct linux_timeval timeval(u64 ns)
{
        return (struct linux_timeval){ .tv_sec = (i64)(ns / NSEC_PER_SEC), .tv_usec = (i64)(ns % NSEC_PER_SEC / 1000) };
}

static struct linux_user_regs regs_of(struct thread *t)
{
        const struct user_regs r = t->start_regs;
        return (struct linux_user_regs){
                .r15 = r.r15, .r14 = r.r14, .r13 = r.r13, .r12 = r.r12, .rbp = r.rbp, .rbx = r.rbx, .r11 = r.r11, .r10 = r.r10,
                .r9 = r.r9, .r8 = r.r8, .rax = r.rax, .rcx = r.rcx, .rdx = r.rdx, .rsi = r.rsi, .rdi = r.rdi,
                .orig_rax = r.orig_rax, .rip = r.rip, .cs = r.cs, .eflags = r.rflags, .rsp = r.rsp, .ss = r.ss,
                .fs_base = t->stands_fs, .gs_base = t->stands_gs,
        };
}

struct relations { u32 ppid, pgrp, sid; };

static struct relations relations_of(struct process *p)
{
        struct pid_ns *ns = p->pid->ns;
        tree_lock(ns);
        struct relations r = { p->parent ? p->parent->tgid : 0, p->pgrp->nr, p->session->sid->nr };
        tree_unlock(ns);
        return r;
}

static err_t write_prstatus(struct dump *d, struct thread *t)
{
        struct process *p = t->process;
        struct relations r = relations_of(p);
        struct task_times own = t == d->t ? process_times(p) : task_times(t->base.task);
        struct linux_elf_prstatus s = {
                .pr_info = { .si_signo = (i32)d->info->signo }, .pr_cursig = (i16)d->info->signo,
                .pr_sigpend = t->pending.mask, .pr_sighold = t->blocked,
                .pr_pid = (i32)t->tid, .pr_ppid = (i32)r.ppid, .pr_pgrp = (i32)r.pgrp, .pr_sid = (i32)r.sid,
                .pr_utime = timeval(own.user), .pr_stime = timeval(own.system),
                .pr_cutime = timeval(p->child_times.user), .pr_cstime = timeval(p->child_times.system),
                .pr_reg = regs_of(t), .pr_fpvalid = 1,
        };
        return note(d, NT_PRSTATUS, BYTES_OF(s));
}

static err_t write_fpu(struct dump *d, struct thread *t)
{
        mbytes image = blob_mbytes(t->fpu_buffer);
        bytes state = bytes_const(image);

        /* The bytes that are software's: debuggers find there which components there are. */
        mbytes_fill(mbytes_sub(image, FPREGS - FPU_SOFTWARE, FPU_SOFTWARE), 0);
        mbytes_put_le64(image, FPREGS - FPU_SOFTWARE, fpu_features());
        TRY(note(d, NT_PRFPREG, bytes_take(state, FPREGS)));
        return has_xstate() ? note(d, NT_X86_XSTATE, bytes_take(state, fpu_size())) : OK;
}

/* ---- Who ---- */

static err_t write_prpsinfo(struct dump *d)
{
        struct thread *t = d->t;
        struct process *p = t->process;
        struct relations r = relations_of(p);
        struct vm_layout l = vm_layout(t->vm);
        i32 nice = sched_get(t).nice;
        struct linux_elf_prpsinfo s = {
                .pr_sname = 'R', .pr_nice = (i8)nice, .pr_flag = 0x400600, .pr_uid = t->cred->uid, .pr_gid = t->cred->gid,
                .pr_pid = (i32)p->tgid, .pr_ppid = (i32)r.ppid, .pr_pgrp = (i32)r.pgrp, .pr_sid = (i32)r.sid,
        };
        for (u32 i = 0; i < COMM_LEN; i++)
                s.pr_fname[i] = t->comm[i];
        u8 args[79] = {};
        usize n = vm_read_remote(t->vm, l.arg_start, mbytes_take(MBYTES_OF(args), min_u64(sizeof args, l.arg_end - l.arg_start)), false);
        for (u32 i = 0; i < n && i < sizeof args; i++)
                s.pr_psargs[i] = args[i] || i + 1 == n ? args[i] : ' ';
        return note(d, NT_PRPSINFO, BYTES_OF(s));
}

static err_t write_auxv(struct dump *d)
{
        u64 words[VM_AUXV_WORDS] = {};
        usize n = vm_auxv(d->t->vm, MBYTES_OF(words));
        return note(d, NT_AUXV, bytes_take(BYTES_OF(words), n));
}

/* The next thread that stands with a higher number, counted, or NULL. */
static struct thread *next_standing(struct process *p, struct thread *but, u32 tid)
{
        struct thread *best = NULL;
        SPIN_GUARD(&p->lock);
        for (struct thread *t = p->threads; t; t = t->next)
                if (t != but && t->stands && !t->exiting && t->tid > tid && (!best || t->tid < best->tid))
                        best = t;
        return best ? thread_hold(best) : NULL;
}

err_t notes_write(struct dump *d)
{
        struct linux_siginfo info = siginfo_to_linux(d->info);
        struct thread *t;

        TRY(write_prstatus(d, d->t));
        TRY(write_prpsinfo(d));
        TRY(note(d, NT_SIGINFO, BYTES_OF(info)));
        TRY(write_auxv(d));
        if (d->names_len)
                TRY(note(d, NT_FILE, bytes_take(bytes_const(blob_mbytes(d->names)), d->names_len)));
        TRY(write_fpu(d, d->t));
        for (u32 tid = 0; (t = next_standing(d->t->process, d->t, tid)) != NULL;) {
                tid = t->tid;
                err_t err = write_prstatus(d, t);
                if (succeeded(err))
                        err = write_fpu(d, t);
                thread_drop(t);
                TRY(err);
        }
        return OK;
}
