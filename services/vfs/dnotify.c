/* SPDX-License-Identifier: Apache-2.0
 *
 * F_NOTIFY of fcntl(2): a signal when something happens to an entry of a directory.
 *
 * Objects     dnotify: what one descriptor table asked through one open file, in its inode's list.
 * Lifetime    It goes when it is asked no more, when it was told and is not DN_MULTISHOT, or when a
 *             descriptor of that file closes in that table, which is before the file ends.
 * Locking     inode_locks.notify_lock (spin, class dnotify), a leaf: it is let go of while signals are sent.
 * Invariants  D1  each is counted in notify_state.watches.
 * File-scope state   `settings` (reviewed list): fs.dir-notify-enable.
 */
#include "services/vfs/locks_impl.h"
#include "services/vfs/async.h"
#include "services/vfs/files.h"
#include "services/vfs/notify.h"
#include "services/vfs/registry.h"
#include "abi/const/signal.h"

LOCK_CLASS(dnotify);

OBJECT(dnotify) {
        struct dnotify *next;           /* notify_lock, as all here */
        struct file *file;              /* not counted */
        struct files *files;            /* not counted, not followed: who asked */
        u32 mask;                       /* DN_* */
        u64 round;                      /* the last that told it */
};
POOL_DECLARE(dnotify)
POOL_DEFINE(dnotify, NO_FINI);

STABLE(dnotify_settings) { u32 off; };   /* ATOMIC */
static struct dnotify_settings settings;

bool dnotify_on(void) { return !LOAD(settings.off); }
void dnotify_set_on(bool on) { STORE(settings.off, !on); }

void dnotify_init(struct inode_locks *s) { lock_init(&s->notify_lock, dnotify); }

static struct dnotify *find_locked(struct inode_locks *s, struct file *f, struct files *files)
{
        struct dnotify *d = s->notify;

        while (d && (d->file != f || d->files != files))
                d = d->next;
        return d;
}

static void unlink_locked(struct inode_locks *s, struct dnotify *d)
{
        struct dnotify *before = s->notify;

        if (before == d) {
                PTR_STORE(s->notify, d->next);
        } else {
                while (before->next != d)
                        before = before->next;
                before->next = d->next;
        }
        FETCH_SUB(notify_state.watches, 1);
        dnotify_drop(d);
}

void dnotify_close(struct file *f, struct files *files)
{
        struct inode_locks *s = PTR_LOAD(f->inode->locks);

        if (!s || !PTR_LOAD(s->notify))
                return;
        SPIN_GUARD(&s->notify_lock);
        struct dnotify *d = find_locked(s, f, files);
        if (d)
                unlink_locked(s, d);
}

static bool is_open(struct file *f, struct files *files, u32 fd)
{
        struct fd_ref r = fd_get(files, fd);
        bool same = r.file == f;

        if (r.file)
                fd_put(r);
        return same;
}

err_t file_dnotify(struct file *f, struct files *files, u32 fd, u32 mask)
{
        if (!dnotify_on())
                return ERR(EINVAL);
        if ((mask & ~(u32)DN_MULTISHOT) == 0) {
                dnotify_close(f, files);
                return OK;
        }
        if (!inode_is_dir(f->inode))
                return ERR(ENOTDIR);
        struct inode_locks *s = locks_of(f->inode);
        struct dnotify *new = s ? dnotify_alloc(payer_current(), MAY_RECLAIM) : NULL;
        if (!new)
                return ERR(ENOMEM);
        dnotify_publish(new);
        err_t err = file_own_by_default(f, fd);
        if (succeeded(err)) {
                SPIN_GUARD(&s->notify_lock);
                struct dnotify *d = find_locked(s, f, files);
                if (d) {
                        d->mask |= mask;
                } else {
                        new->file = f;
                        new->files = files;
                        new->mask = mask;
                        new->next = s->notify;
                        PTR_STORE(s->notify, new);
                        FETCH_ADD(notify_state.watches, 1);
                        new = NULL;
                }
        }
        dnotify_drop(new);
        if (succeeded(err) && !is_open(f, files, fd))
                dnotify_close(f, files);        /* closed meanwhile, and that close may have come too early to see it */
        return err;
}

/* What fcntl(2) calls an event of an entry, or of the directory itself. */
static u32 kinds_of(u32 event)
{
        return (event & IN_ACCESS ? DN_ACCESS : 0) | (event & IN_MODIFY ? DN_MODIFY : 0) | (event & IN_ATTRIB ? DN_ATTRIB : 0) |
               (event & (IN_CREATE | IN_MOVED_TO) ? DN_CREATE : 0) | (event & (IN_DELETE | IN_MOVED_FROM) ? DN_DELETE : 0);
}

/* Whom to tell, counted: a batch, so that signals are sent without the lock. */
#define TOLD_BATCH 16u
struct told { u32 n; struct io_owner *owner[TOLD_BATCH]; };

static void take_untold_locked(struct inode_locks *s, u32 kinds, u64 round, struct told *t)
{
        struct dnotify *next;

        for (struct dnotify *d = s->notify; d && t->n < TOLD_BATCH; d = next) {
                next = d->next;
                if ((d->mask & kinds) == 0 || d->round >= round)
                        continue;
                d->round = round;
                struct io_owner *o = file_owner_hold(d->file);
                if (o)
                        t->owner[t->n++] = o;
                if ((d->mask & DN_MULTISHOT) == 0)
                        unlink_locked(s, d);
        }
}

void dnotify_tell(struct inode *dir, u32 kinds)
{
        struct inode_locks *s = PTR_LOAD(dir->locks);
        struct told t = { .n = TOLD_BATCH };

        if (!s || !PTR_LOAD(s->notify))
                return;
        for (u64 round = 0; t.n == TOLD_BATCH;) {
                t.n = 0;
                spin_lock(&s->notify_lock);
                if (!round)
                        round = ++s->notify_rounds;
                take_untold_locked(s, kinds, round, &t);
                spin_unlock(&s->notify_lock);
                for (u32 i = 0; i < t.n; i++)
                        io_owner_tell(t.owner[i], SIGIO, POLL_MSG);
        }
}

void dnotify_event(struct inode *dir, u32 event) { dnotify_tell(dir, kinds_of(event)); }

bool dnotify_is_on(struct inode *dir)
{
        struct inode_locks *s = PTR_LOAD(dir->locks);

        return s && PTR_LOAD(s->notify);
}
