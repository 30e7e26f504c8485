/* SPDX-License-Identifier: Apache-2.0
 *
 * Namespaces of new threads, unshare(2), setns(2), and what pivot_root(2) does to other threads.
 *
 * Everything is made first; then the thread changes over in one step, under its process's lock, where
 * /proc reads what a thread of another process has.
 */
#include "services/process/process_impl.h"
#include "services/namespace/namespace.h"
#include "services/security/cred.h"
#include "services/vfs/files.h"
#include "services/vfs/dentry.h"
#include "services/vfs/fs_context.h"
#include "services/vfs/mount.h"

err_t namespaces_make(struct payer *payer, struct ns_set *old, u64 flags, struct fs_context *fs, struct ns_set **out)
{
        struct ns_change change = { };
        err_t err = OK;

        if ((flags & NAMESPACES) == 0) {
                *out = ns_set_hold(old);
                return OK;
        }
        if (!capable(CAP_SYS_ADMIN))
                return ERR(EPERM);
        if (flags & CLONE_NEWUTS) {
                change.uts = uts_ns_copy(payer, old->uts, old->user);
                err = change.uts ? OK : ERR(ENOMEM);
        }
        if (succeeded(err) && (flags & CLONE_NEWNS) != 0)
                err = mnt_ns_copy(payer, old->mnt, old->user, fs, &change.mnt);
        if (succeeded(err)) {
                *out = ns_set_change(payer, old, &change);
                err = *out ? OK : ERR(ENOMEM);
        }
        uts_ns_drop(change.uts);
        mnt_ns_drop(change.mnt);
        return err;
}

#define UNSHARED ((u64)(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | NAMESPACES))

/* What a thread gets of its own; NULL: it keeps what it has.  The rest of a call's work is on these. */
struct own { struct fs_context *fs; struct files *files; struct ns_set *ns; };

static err_t make_own(struct thread *t, u64 flags, struct own *own)
{
        if ((flags & CLONE_NEWNS) != 0 || ((flags & CLONE_FS) != 0 && fs_context_refs(t->fs) > 1)) {
                own->fs = fs_context_copy(t->payer, t->fs);
                if (!own->fs)
                        return ERR(ENOMEM);
        }
        if ((flags & CLONE_FILES) != 0 && files_refs(t->files) > 1) {
                own->files = files_copy(t->payer, t->files);
                if (!own->files)
                        return ERR(ENOMEM);
        }
        return (flags & NAMESPACES) != 0 ? namespaces_make(t->payer, t->ns, flags, own->fs, &own->ns) : OK;
}

/* Exchanges what there is in *own; what the thread had is in it then. */
static void install(struct thread *t, struct own *own)
{
        struct own had = { };

        SPIN_GUARD(&t->process->lock);
        if (own->fs) {
                had.fs = t->fs;
                fs_leave(had.fs);
                t->fs = own->fs;
                fs_enter(t->fs);
        }
        if (own->files) {
                had.files = t->files;
                t->files = own->files;
        }
        if (own->ns) {
                had.ns = t->ns;
                t->ns = own->ns;
        }
        *own = had;
}

err_t process_unshare(struct thread *t, u64 flags)
{
        struct own own = { };

        if (flags & ~UNSHARED)
                return ERR(EINVAL);
        if ((flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) != 0 && LOAD(t->process->live) > 1)
                return ERR(EINVAL);
        err_t err = make_own(t, flags, &own);
        if (succeeded(err)) {
                install(t, &own);
                if (flags & CLONE_SYSVSEM)
                        ns_of(t->process)->ops->undo_exit(t);
        }
        fs_context_drop(own.fs);
        files_drop(own.files);
        ns_set_drop(own.ns);
        return err;
}

/* ---- setns ---- */

#define KINDS ((u32)(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWCGROUP | CLONE_NEWTIME))

/* The user namespace is always the one that the thread is in: there are no others. */
static err_t may_enter(struct thread *t, u32 kinds)
{
        if (kinds & CLONE_NEWUSER)
                return ERR(EINVAL);
        if (!capable(CAP_SYS_ADMIN) || ((kinds & CLONE_NEWNS) != 0 && !capable(CAP_SYS_CHROOT)))
                return ERR(EPERM);
        if ((kinds & CLONE_NEWTIME) != 0 && LOAD(t->process->live) > 1)
                return ERR(EUSERS);
        return (kinds & CLONE_NEWNS) != 0 && LOAD(t->fs->users) > 1 ? ERR(EINVAL) : OK;
}

/* To what is mounted topmost at the root of its mount namespace. */
static void go_to_root(struct thread *t)
{
        struct mount *m = t->ns->mnt->root;
        struct path top = { .mnt = mount_hold(m), .dentry = dentry_hold(m->root) };

        path_descend(&top);
        fs_set_root(t->fs, &top);
        fs_set_cwd(t->fs, &top);
        path_drop(&top);
}

err_t process_setns(struct thread *t, u32 kinds, const struct ns_change *to)
{
        TRY(may_enter(t, kinds));
        struct own own = { .ns = ns_set_change(t->payer, t->ns, to) };
        if (!own.ns)
                return ERR(ENOMEM);
        install(t, &own);
        ns_set_drop(own.ns);
        if (kinds & CLONE_NEWNS)
                go_to_root(t);
        return OK;
}

err_t process_setns_of(struct thread *t, struct process *p, u32 kinds)
{
        struct ns_set *ns = NULL;

        if (kinds == 0 || (kinds & ~KINDS) != 0)
                return ERR(EINVAL);
        if (!process_may_trace(p, false))
                return ERR(EPERM);
        {
                SPIN_GUARD(&p->lock);
                if (p->threads && p->leader->ns)
                        ns = ns_set_hold(p->leader->ns);
        }
        if (!ns)
                return ERR(ESRCH);
        struct ns_change to = {
                .mnt = kinds & CLONE_NEWNS ? ns->mnt : NULL, .uts = kinds & CLONE_NEWUTS ? ns->uts : NULL,
                .net = kinds & CLONE_NEWNET ? ns->net : NULL, .ipc = kinds & CLONE_NEWIPC ? ns->ipc : NULL,
                .pid_for_children = kinds & CLONE_NEWPID ? ns->pid : NULL,
        };
        err_t err = process_setns(t, kinds, &to);
        ns_set_drop(ns);
        return err;
}

/* ---- pivot_root ---- */

static void move_thread(struct thread *t, const struct path *old, const struct path *new)
{
        struct fs_context *fs = NULL;
        {
                SPIN_GUARD(&t->process->lock);
                if (t->fs)
                        fs = fs_context_hold(t->fs);
        }
        if (fs)
                fs_move(fs, old, new);
        fs_context_drop(fs);
}

void process_move_root(struct pid_ns *ns, const struct path *old, const struct path *new)
{
        struct process *p;
        struct thread *t;

        for (u32 nr = 0; (p = process_next(ns, nr)) != NULL; process_drop(p)) {
                nr = p->tgid + 1;
                for (u32 tid = 0; (t = process_thread_next(p, tid)) != NULL; thread_drop(t)) {
                        tid = t->tid + 1;
                        move_thread(t, old, new);
                }
        }
}
