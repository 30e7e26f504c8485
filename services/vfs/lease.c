/* SPDX-License-Identifier: Apache-2.0
 *
 * Leases: whoever has one is told by a signal before others open the file for what it does not allow, and they wait.
 *
 * Objects     lease: of one open file, in its inode's list.
 * States      read or write; with `go` asked to go, with `shrink` asked to become a read lease, each until a time
 *             after which it is made so by whoever looks next.
 * Lifetime    A lease goes when it is given back, when its time is over, or when its file ends.
 * Locking     inode_locks.lock; who waits for leases sleeps on `changed`.
 * Invariants  L1  a write lease is the only one of its inode.
 * File-scope state   `settings` (reviewed list): /proc/sys/fs's.
 */
#include "services/vfs/locks_impl.h"
#include "services/vfs/notify.h"
#include "services/security/cred.h"
#include "abi/const/signal.h"

OBJECT(lease) {
        struct lease *next;             /* inode_locks.lock, as all here */
        struct file *file;              /* not counted: file_fini takes it off */
        bool write;
        bool go, shrink;
        u32 pid;                        /* who took it */
        u64 go_at, shrink_at;           /* ns since boot, or NEVER */
};
POOL_DECLARE(lease)
POOL_DEFINE(lease, NO_FINI);

STABLE(lease_settings) { u32 off, break_time; };        /* ATOMIC; break_time: seconds, less the usual 45 */
static struct lease_settings settings;

#define BREAK_TIME 45u
bool leases_on(void) { return !LOAD(settings.off); }
void leases_set_on(bool on) { STORE(settings.off, !on); }
u32  leases_break_time(void) { return LOAD(settings.break_time) + BREAK_TIME; }
void leases_set_break_time(u32 seconds) { STORE(settings.break_time, seconds - BREAK_TIME); }

void leases_free(struct lease *l)
{
        while (l) {
                struct lease *next = l->next;
                lease_drop(l);
                l = next;
        }
}

static u32 becomes(const struct lease *l)
{
        return l->go ? F_UNLCK : l->shrink || !l->write ? F_RDLCK : F_WRLCK;
}

static struct lease *lease_of(struct inode_locks *s, struct file *f)
{
        struct lease *l = s->leases;

        while (l && l->file != f)
                l = l->next;
        return l;
}

static void remove_locked(struct inode_locks *s, struct lease *gone)
{
        struct lease *before = s->leases;

        if (before == gone) {
                PTR_STORE(s->leases, gone->next);
        } else {
                while (before->next != gone)
                        before = before->next;
                before->next = gone->next;
        }
        lease_drop(gone);
        waitq_wake_all(&s->changed);
}

/* Makes true what was asked for long enough. */
static void expire_locked(struct inode_locks *s)
{
        struct lease *next;

        for (struct lease *l = s->leases; l; l = next) {
                next = l->next;
                if (l->go && time_now() >= l->go_at) {
                        file_forget_owner(l->file);
                        remove_locked(s, l);
                } else if (l->shrink && time_now() >= l->shrink_at) {
                        l->write = l->shrink = false;
                }
        }
}

/* ---- Breaking ---- */

/* Asks all in the way of an open to go or to shrink; returns when that will be made so, *any: there is one. */
static u64 ask_locked(struct inode_locks *s, bool write, bool *any)
{
        u32 seconds = leases_break_time();
        u64 at = seconds ? time_now() + seconds * NSEC_PER_SEC : NEVER, first = NEVER;

        *any = false;
        for (struct lease *l = s->leases; l; l = l->next) {
                if (!write && !l->write)
                        continue;
                *any = true;
                bool asked = l->go || (!write && l->shrink);
                if (!asked && write) {
                        l->go = true;
                        l->go_at = at;
                } else if (!asked) {
                        l->shrink = true;
                        l->shrink_at = at;
                }
                if (!asked)
                        file_tell_owner(l->file, SIGIO, POLL_MSG);
                first = min_u64(first, l->go ? l->go_at : l->shrink_at);
        }
        return first;
}

err_t lease_break_slow(struct inode *inode, bool write, bool wait)
{
        struct inode_locks *s = PTR_LOAD(inode->locks);
        bool any = false;

        if (!PTR_LOAD(s->leases))
                return OK;
        GUARD(&s->lock);
        for (;;) {
                expire_locked(s);
                u64 until = ask_locked(s, write, &any);
                if (!any)
                        return OK;
                if (!wait)
                        return ERR(EAGAIN);
                if (err_is(waitq_sleep(&s->changed, &s->lock, WAIT_INTERRUPTIBLE, until), EINTR))
                        return ERR(ERESTARTSYS);
        }
}

/* ---- Taking ---- */

/* Has anyone else the file open, for writing or at all? */
static bool is_open_elsewhere(const struct file *f, bool at_all)
{
        if (!at_all)
                return inode_has_writers(f->inode);
        return LOAD(f->inode->writers) != (f->mode & FILE_WRITER ? 1 : 0) || LOAD(f->inode->readers) != (f->mode & FILE_READER ? 1 : 0);
}

static bool others_allow(const struct inode_locks *s, struct lease *own, bool write)
{
        for (struct lease *l = s->leases; l; l = l->next)
                if (l != own && (write || l->write || l->go))
                        return false;
        return true;
}

/* new: what becomes the lease if f has none; set to NULL when it did.  An open is counted before it looks for leases, so the list
 * is not empty before the counts are looked at: one of the two sees the other. */
static err_t take_locked(struct inode_locks *s, struct file *f, bool write, struct lease **new)
{
        struct lease *own = lease_of(s, f);

        if (!others_allow(s, own, write))
                return ERR(EAGAIN);
        if (!own) {
                (*new)->file = f;
                (*new)->write = write;
                (*new)->pid = thread_current()->process->tgid;
                (*new)->next = s->leases;
                (void)CMPXCHG(s->leases, s->leases, *new);
        }
        if (is_open_elsewhere(f, write)) {
                if (!own)
                        PTR_STORE(s->leases, (*new)->next);
                return ERR(EAGAIN);
        }
        if (!own) {
                *new = NULL;
                return OK;
        }
        own->write = write;
        own->shrink = false;
        waitq_wake_all(&s->changed);
        return OK;
}

static err_t give_back(struct file *f)
{
        struct inode_locks *s = PTR_LOAD(f->inode->locks);

        if (!s)
                return ERR(EAGAIN);
        GUARD(&s->lock);
        expire_locked(s);
        struct lease *l = lease_of(s, f);
        if (!l)
                return ERR(EAGAIN);
        file_forget_owner(f);
        remove_locked(s, l);
        return OK;
}

static err_t take(struct file *f, u32 fd, bool write)
{
        struct inode_locks *s = locks_of(f->inode);
        struct lease *new = s ? lease_alloc(payer_current(), MAY_RECLAIM) : NULL;

        if (!new)
                return ERR(ENOMEM);
        lease_publish(new);
        err_t err = file_own_by_default(f, fd);
        if (succeeded(err)) {
                GUARD(&s->lock);
                expire_locked(s);
                err = take_locked(s, f, write, &new);
                if (succeeded(err))
                        FETCH_OR(f->flags, FASYNC);     /* F_GETFL tells, as on Linux */
        }
        lease_drop(new);
        return err;
}

err_t file_lease_set(struct file *f, u32 fd, u32 type)
{
        struct cred *cred = thread_current()->cred;

        if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK)
                return ERR(EINVAL);
        if (cred->fsuid != f->inode->uid && !cred_has(cred, CAP_LEASE))
                return ERR(EACCES);
        if (!inode_is_regular(f->inode))
                return ERR(EINVAL);
        if (type == F_UNLCK)
                return give_back(f);
        return leases_on() ? take(f, fd, type == F_WRLCK) : ERR(EINVAL);
}

u32 file_lease_get(struct file *f)
{
        struct inode_locks *s = PTR_LOAD(f->inode->locks);

        if (!s)
                return F_UNLCK;
        GUARD(&s->lock);
        expire_locked(s);
        struct lease *l = lease_of(s, f);
        return l ? becomes(l) : F_UNLCK;
}

struct lease *lease_describe(struct inode_locks *s, struct lease *last, struct lock_info *out)
{
        struct lease *l = last ? last->next : s->leases;

        if (!l)
                return NULL;
        *out = (struct lock_info){ .kind = LOCK_LEASE, .type = becomes(l), .breaking = l->go || l->shrink, .pid = l->pid,
                                   .end = LOCK_TO_THE_END, .via = l->file };
        return l;
}

void leases_end_locked(struct inode_locks *s, struct file *f)
{
        struct lease *l = lease_of(s, f);

        if (l)
                remove_locked(s, l);
}
