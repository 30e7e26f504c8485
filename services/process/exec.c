/* SPDX-License-Identifier: Apache-2.0
 *
 * execve(2): what happens to the process around services/exec's new address space.
 *
 *   1  open, prepare, and allocate all that may be needed: every error comes from here
 *   2  end the other threads and, if another led the group, take over its number
 *   3  the point of no return: memory, credentials, descriptors, signals
 *
 * Step 2 fails only when the process is being killed, or another thread is in exec already.
 */
#include "services/process/process_impl.h"
#include "services/exec/exec.h"
#include "services/security/cred.h"
#include "services/vfs/vfs.h"
#include "services/vm/vm.h"
#include "abi/const/fcntl.h"
#include "abi/const/process.h"

/* ---- What services/exec asks ---- */

static err_t open_interpreter(bytes path, struct file **out)
{
        struct actor who = actor_current();
        return vfs_open_exec(&who, AT_FDCWD, path, 0, out);
}

/* Is there a thread of another process that could move this one's root and working directory (CLONE_FS)? */
static bool fs_is_shared(struct thread *t)
{
        u32 own = 0;

        SPIN_GUARD(&t->process->lock);
        for (struct thread *other = t->process->threads; other; other = other->next)
                own += other->fs == t->fs;
        return LOAD(t->fs->users) > own;
}

static err_t cred_for(struct file *program, struct cred **out, u32 *secure)
{
        struct thread *t = thread_current();
        struct inode *inode = program->inode;
        struct cred *cred = cred_copy(t->payer, t->cred);

        if (!cred)
                return ERR(ENOMEM);
        struct exec_file f = {
                .owner = { .uid = inode->uid, .gid = inode->gid, .mode = inode->mode },
                .nosuid = (LOAD_RELAXED(program->path.mnt->flags) & MNT_NOSUID) != 0,
                .shared = fs_is_shared(t),
        };
        cred->no_new_privs = LOAD(t->no_new_privs);
        f.has_caps = inode_file_caps(inode, &f.caps);
        err_t err = cred_exec(cred, f, secure);
        if (failed(err)) {
                cred_drop(cred);
                return err;
        }
        cred_publish(cred);
        *out = cred;
        return OK;
}

/* What the new program is apart from what its credentials gain it (thread_set_cred): of two identities, others may not look into it. */
static u8 dumpable_as(struct process *p, const struct cred *new, bool readable)
{
        bool one = new->euid == new->uid && new->egid == new->gid;
        return readable && one ? DUMP_USER : (u8)process_core_settings(p).suid_dumpable;
}

static const struct exec_ops exec_callbacks = { .open = open_interpreter, .cred = cred_for };

/* ---- Step 2 ---- */

/* OK: the caller is the only live thread, and the leader, if that is another, has ended.  EAGAIN: killed. */
static err_t wait_for_others(struct process *p)
{
        WAITER(w);
        waiter_add(&w, &p->exec_wait);
        for (;;) {
                spin_lock(&p->lock);
                bool alone = p->live == 1, killed = p->exiting;
                spin_unlock(&p->lock);
                if (killed)
                        return ERR(EAGAIN);
                if (alone)
                        return OK;
                err_t err = waiter_sleep(&w, WAIT_KILLABLE, NEVER);
                if (err_is(err, EINTR))
                        task_clear_interrupts(INTR_KILL);       /* looked at above, under the lock */
                else if (failed(err))
                        ignore(sleep_until(time_now() + NSEC_PER_MSEC, WAIT_UNINTERRUPTIBLE));
        }
}

/* The old leader has ended: its number becomes this thread's. */
static void take_over_leadership(struct thread *t, struct process *p)
{
        struct pid_ns *ns = ns_of(p);

        tree_lock(ns);
        struct thread *old = p->leader;
        struct pid *own = t->pid;
        thread_unlink_tree(old);
        spin_lock(&p->lock);
        t->pid = old->pid;
        t->tid = old->tid;
        old->pid = own;
        old->tid = own->nr;
        PTR_STORE(p->leader, t);
        spin_unlock(&p->lock);
        PTR_STORE(own->thread, NULL);
        PTR_STORE(t->pid->thread, t);
        pid_retire_tree(own);
        tree_unlock(ns);
        thread_drop(old);
}

static err_t end_other_threads(struct thread *t, struct process *p)
{
        spin_lock(&p->lock);
        if (p->exiting || p->exec_thread) {
                spin_unlock(&p->lock);
                return ERR(EAGAIN);
        }
        bool alone = p->live == 1;
        if (!alone) {
                p->exec_thread = t;
                for (struct thread *other = p->threads; other; other = other->next)
                        if (other != t && !other->dead)
                                task_interrupt(other->base.task, INTR_KILL);
        }
        spin_unlock(&p->lock);
        err_t err = alone ? OK : wait_for_others(p);
        if (succeeded(err) && p->leader != t)
                take_over_leadership(t, p);
        spin_lock(&p->lock);
        p->exec_thread = NULL;
        signal_recalc(t);
        spin_unlock(&p->lock);
        return err;
}

/* ---- Steps 1 and 3 ---- */

struct exec_spare { struct sigactions *actions; struct files *files; };

/* What was shared with others becomes the program's own. */
static err_t unshare(struct thread *t, struct exec_spare *spare)
{
        if (sigactions_refs(t->process->actions) > 1) {
                spare->actions = sigactions_copy(t->process->actions, t->payer);
                if (!spare->actions)
                        return ERR(ENOMEM);
        }
        if (files_refs(t->files) > 1) {
                spare->files = files_copy(t->payer, t->files);
                if (!spare->files)
                        return ERR(ENOMEM);
        }
        return OK;
}

/* A program that its caller may run but not read is not to be read in a dump either. */
static bool may_read(struct file *program)
{
        struct actor who = actor_current();
        return succeeded(inode_permission(&who, program->inode, MAY_READ));
}

static void become(struct thread *t, struct exec_image *image, struct exec_spare *spare, struct user_regs *regs)
{
        struct process *p = t->process;
        struct sigactions *old_actions = NULL;
        struct files *old_files = NULL;
        struct file *old_exe = p->exe;
        u8 dumpable = dumpable_as(p, image->cred, may_read(image->program));

        ns_of(p)->ops->timers_end(p);
        thread_release_mm(t);
        u64 rss = t->vm ? vm_rss(t->vm) : 0;
        exec_commit(image, regs);

        spin_lock(&p->lock);
        p->max_rss = max_u64(p->max_rss, rss);
        p->exe = image->program;
        if (spare->actions) {
                old_actions = p->actions;
                p->actions = spare->actions;
        }
        if (spare->files) {
                old_files = t->files;
                PTR_STORE(t->files, spare->files);
        }
        for (u32 i = 0; i < COMM_LEN; i++)
                t->comm[i] = image->comm[i];
        p->dumpable = dumpable;
        spin_unlock(&p->lock);
        task_set_name(t->base.task, BYTES_OF(t->comm));
        if (image->secure & CRED_SECURE)
                STORE(t->pdeath_signal, 0u);
        if (image->secure & CRED_CLEARS)
                t->personality &= ~(u64)PER_CLEAR_ON_SETID;
        STORE(p->did_exec, true);
        STORE(p->exit_signal, (u32)SIGCHLD);
        thread_set_cred(image->cred);
        files_close_on_exec(t->files);
        signal_reset_for_exec(t);
        STORE(t->rseq_area, 0ul);
        STORE(p->membarrier, 0u);
        t->restart.kind = RESTART_NONE;
        t->dispatch.on = false;
        file_drop(old_exe);
        sigactions_drop(old_actions);
        files_drop(old_files);
}

/* The file is open and the request complete but for what the thread itself gives. */
static err_t run(struct thread *t, struct exec_request *request, struct user_regs *regs)
{
        struct process *p = t->process;
        struct exec_image image = {};
        struct exec_spare spare = {};

        request->payer = t->payer;
        request->ops = &exec_callbacks;
        request->stack_limit = rlimit_get(p, RLIMIT_STACK);
        request->randomize = !(t->personality & ADDR_NO_RANDOMIZE);
        TRY(exec_prepare(request, &image));
        err_t err = unshare(t, &spare);
        if (succeeded(err))
                err = end_other_threads(t, p);
        if (failed(err)) {
                sigactions_drop(spare.actions);
                files_drop(spare.files);
                exec_discard(&image);
                return err;
        }
        /* A thread that has ended meanwhile let another process in, or gave this one a filter. */
        if ((image.secure & CRED_GAINS) && (fs_is_shared(t) || LOAD(t->no_new_privs) != image.cred->no_new_privs)) {
                SPIN_GUARD(&p->lock);
                process_kill_locked(p, SIGKILL);
        }
        become(t, &image, &spare, regs);
        return OK;
}

/* AT_EXECFN and what a script is told: the path, or the descriptor's name under /dev/fd. */
static struct blob *shown_path(struct payer *payer, i32 dirfd, bytes path)
{
        if (dirfd == AT_FDCWD || (bytes_len(path) > 0 && bytes_at(path, 0) == '/'))
                return blob_copy(payer, path);
        struct blob *b = blob_alloc(payer, bytes_len(path) + 24);
        if (!b)
                return NULL;
        usize n = bytes_len(path) ? format(blob_mbytes(b), "/dev/fd/{}/{}", dirfd, path)
                                  : format(blob_mbytes(b), "/dev/fd/{}", dirfd);
        blob_set_len(b, n);
        return b;
}

static err_t exec_file(struct thread *t, struct user_regs *regs, i32 dirfd, bytes path, u64 argv, u64 envp, u32 flags)
{
        struct actor who = actor_current();
        struct exec_strings arguments = { .user_array = argv }, environment = { .user_array = envp };
        struct file *file = NULL;
        u32 fd_flags = 0;

        TRY(exec_check_arguments(&arguments, &environment));
        TRY(vfs_open_exec(&who, dirfd, path, flags, &file));
        struct blob *shown = shown_path(t->payer, dirfd, path);
        if (dirfd != AT_FDCWD && bytes_len(path) == 0)
                ignore(files_get_flags(t->files, (u32)dirfd, &fd_flags));
        struct exec_request request = {
                .file = file, .path = shown, .fd_closes = fd_flags != 0,
                .argv = arguments, .envp = environment,
        };
        err_t err = shown ? run(t, &request, regs) : ERR(ENOMEM);
        blob_drop(shown);
        file_drop(file);
        return err;
}

#define SHORT_PATH 256u

/* The path is copied to the stack if it fits there, as nearly all do. */
err_t process_exec(struct user_regs *regs, i32 dirfd, u64 path, u64 argv, u64 envp, u32 flags)
{
        struct thread *t = thread_current();
        u8 name[SHORT_PATH];
        usize len = 0;

        if (flags & ~(u32)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
                return ERR(EINVAL);
        err_t err = vm_copy_string(MBYTES_OF(name), path, &len);
        if (succeeded(err))
                return exec_file(t, regs, dirfd, bytes_take(BYTES_OF(name), len), argv, envp, flags);
        if (!err_is(err, ENAMETOOLONG))
                return err;
        struct blob *longer = blob_alloc(t->payer, PATH_MAX_LEN);
        if (!longer)
                return ERR(ENOMEM);
        err = vm_copy_string(blob_mbytes(longer), path, &len);
        if (succeeded(err))
                err = exec_file(t, regs, dirfd, bytes_take(bytes_const(blob_mbytes(longer)), len), argv, envp, flags);
        blob_drop(longer);
        return err;
}

/* ---- The first program of a process that nobody forked ---- */

static err_t first_program(struct thread *t, struct init_args *args, struct user_regs *regs)
{
        struct actor who = actor_current();
        struct file *file = NULL;

        TRY(vfs_open_exec(&who, AT_FDCWD, blob_bytes(args->path), 0, &file));
        struct exec_request request = {
                .file = file, .path = args->path, .domain = args->domain,
                .argv = { .blob = args->argv, .count = args->argc },
                .envp = { .blob = args->envp, .count = args->envc },
        };
        err_t err = run(t, &request, regs);
        file_drop(file);
        return err;
}

void first_exec(struct thread *t, struct user_regs *regs)
{
        struct process *p = t->process;
        struct init_start *start = p->starting;         /* ours to drop */

        *regs = (struct user_regs){};
        start->err = first_program(t, &start->args, regs);
        PTR_STORE(p->starting, NULL);
        /* Not a dying init: the next program gets a new first process.  It is told only when this one is gone. */
        if (failed(start->err) && p->is_init)
                thread_exit_unborn(t);
        else if (failed(start->err))
                thread_exit(0);
        STORE(start->is_done, true);
        waitq_wake_all(&start->done);
        init_start_drop(start);
}
