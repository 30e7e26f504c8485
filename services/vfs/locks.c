/* SPDX-License-Identifier: Apache-2.0
 *
 * Advisory file locks.
 *
 * Objects     inode_locks hangs off an inode from its first lock on; file_lock is one lock in
 *             one of its two lists: whole-file locks (flock) and ranges (POSIX and OFD).
 * Lifetime    A lock goes when it is unlocked, when its owner's file ends, or (POSIX) when its
 *             owner closes any descriptor of the file.  Owners are not counted.
 * Locking     inode_locks.lock (mutex); waiters sleep on `changed`.  Under it waits.lock (spin, leaf).
 * Invariants  K1  no two locks of different owners conflict.
 *             K2  an owner's ranges do not overlap, and touching ones of one type are one; they stand together, by
 *                 start; it has one whole-file lock at most.
 *             K3  a POSIX owner that sleeps is listed in `waits`, with the owner it sleeps for, until
 *                 the inode's locks change; so no owner sleeps for itself, through whatever others.
 * EDEADLK     is told where the first owner in the way leads back; as on Linux, only POSIX locks
 *             look, and one that waits for several readers is followed to one of them.
 * File-scope state   `waits` (reviewed list): a cycle may lead through any inodes.
 */
#include "services/vfs/locks_impl.h"
#include "services/vfs/files.h"

LOCK_CLASS_DECLARE(file_pos);
LOCK_CLASS(file_locks, AFTER(file_pos));        /* /proc/locks is read */
LOCK_CLASS(lock_waits);

#define TO_THE_END LOCK_TO_THE_END

OBJECT(file_lock) {
        struct file_lock *next;         /* owned list; inode_locks.lock, as all here */
        struct file *file;              /* owner: flock and OFD */
        struct files *files;            /* owner: POSIX */
        struct file *via;               /* through which it was taken; not counted, not followed */
        u64 start, end;                 /* end: the last byte */
        u32 pid;
        bool write, whole;              /* whole: flock's */
        bool waited;                    /* of a lock: some `behind` may be it */
        struct file_lock *next_waiting; /* of one that is waited for: in inode_locks.waiting */
        struct file_lock *behind;       /* the same: the first in its way, for /proc; NULL: to be looked up; not counted */
        /* of a lock that is waited for: it is in `waits` by `next`; waits.lock */
        struct files *blocker;          /* not counted, not followed; NULL: to be looked at again */
};
POOL_DECLARE(file_lock)
POOL_DEFINE(file_lock, NO_FINI);

STABLE(waits) {
        struct spinlock lock;
        struct file_lock *first;        /* not counted: who waits takes its own off */
};
static struct waits waits;

void locks_init(void) { lock_init(&waits.lock, lock_waits); }

static void drop_list(struct file_lock *l)
{
        while (l) {
                struct file_lock *next = l->next;
                file_lock_drop(l);
                l = next;
        }
}

static void inode_locks_fini(struct inode_locks *s)
{
        drop_list(s->whole);
        drop_list(s->ranges);
        leases_free(s->leases);
}
POOL_DEFINE(inode_locks, inode_locks_fini);

static void list_in_super(struct inode_locks *s)
{
        struct superblock *sb = s->inode->sb;

        SPIN_GUARD(&sb->locks_lock);
        s->next = sb->first_locks;
        if (s->next)
                s->next->prev = s;
        sb->first_locks = s;
}

void locks_free(struct inode *inode)
{
        struct inode_locks *s = inode->locks;
        struct superblock *sb = inode->sb;

        spin_lock(&sb->locks_lock);
        if (s->prev)
                s->prev->next = s->next;
        else
                sb->first_locks = s->next;
        if (s->next)
                s->next->prev = s->prev;
        spin_unlock(&sb->locks_lock);
        inode_locks_drop(s);
}

struct inode_locks *locks_of(struct inode *inode)
{
        struct inode_locks *s = PTR_LOAD(inode->locks);

        if (s)
                return s;
        s = inode_locks_alloc(payer_current(), MAY_RECLAIM);
        if (!s)
                return NULL;
        lock_init(&s->lock, file_locks);
        dnotify_init(s);
        inode_locks_publish(s);
        s->inode = inode;
        if (CMPXCHG(inode->locks, NULL, s)) {
                list_in_super(s);
                return s;
        }
        inode_locks_drop(s);
        return PTR_LOAD(inode->locks);
}

/* Whoever waits here looks again, and until then waits for nobody (K3). */
static void tell_changed(struct inode_locks *s)
{
        if (s->waiting) {
                SPIN_GUARD(&waits.lock);
                for (struct file_lock *w = s->waiting; w; w = w->next_waiting) {
                        w->behind = NULL;
                        w->blocker = NULL;
                }
        }
        waitq_wake_all(&s->changed);
}

/* Sleeps until something changes; meanwhile /proc/locks shows what w, which describes it, waits for.  ERESTARTSYS. */
static err_t sleep_locked(struct inode_locks *s, struct file_lock *w)
{
        w->pid = thread_current()->process->tgid;
        w->next_waiting = s->waiting;
        s->waiting = w;
        err_t err = waitq_sleep(&s->changed, &s->lock, WAIT_INTERRUPTIBLE, NEVER);
        if (s->waiting == w) {
                s->waiting = w->next_waiting;
        } else {
                struct file_lock *before = s->waiting;
                while (before->next_waiting != w)
                        before = before->next_waiting;
                before->next_waiting = w->next_waiting;
        }
        w->next_waiting = w->behind = NULL;
        return failed(err) ? ERR(ERESTARTSYS) : OK;
}

/* ---- Whole files ---- */

static struct file_lock *flock_conflict(const struct inode_locks *s, struct file *f, bool write)
{
        struct file_lock *l = s->whole;

        while (l && (l->file == f || (!write && !l->write)))
                l = l->next;
        return l;
}

static bool take_whole(struct inode_locks *s, struct file *f)
{
        struct file_lock *before = NULL;

        for (struct file_lock *l = s->whole; l; before = l, l = l->next) {
                if (l->file != f)
                        continue;
                if (before)
                        before->next = l->next;
                else
                        s->whole = l->next;
                file_lock_drop(l);
                tell_changed(s);
                return true;
        }
        return false;
}

/* new: what becomes the lock; set to NULL when it did. */
static err_t flock_locked(struct inode_locks *s, struct file *f, u32 op, struct file_lock **new)
{
        bool write = (op & LOCK_EX) != 0;

        (*new)->file = f;
        (*new)->via = f;
        (*new)->write = write;
        (*new)->end = TO_THE_END;
        (*new)->whole = true;
        for (;;) {
                for (struct file_lock *l = s->whole; l; l = l->next)
                        if (l->file == f && l->write == write)
                                return OK;
                /* A change of kind lets go first, as flock(2) warns; after a wait, of what another thread got through f. */
                (void)take_whole(s, f);
                if (!flock_conflict(s, f, write))
                        break;
                if (op & LOCK_NB)
                        return ERR(EAGAIN);
                TRY(sleep_locked(s, *new));
        }
        (*new)->pid = thread_current()->process->tgid;
        (*new)->next = s->whole;
        s->whole = *new;
        *new = NULL;
        return OK;
}

err_t file_flock(struct file *f, u32 operation)
{
        u32 kind = operation & ~(u32)LOCK_NB;

        if (kind != LOCK_SH && kind != LOCK_EX && kind != LOCK_UN)
                return ERR(EINVAL);
        if (kind == LOCK_UN && !PTR_LOAD(f->inode->locks))
                return OK;
        struct inode_locks *s = locks_of(f->inode);
        struct file_lock *new = s ? file_lock_alloc(payer_current(), MAY_RECLAIM) : NULL;
        if (!new)
                return ERR(ENOMEM);
        mutex_lock(&s->lock);
        err_t err = OK;
        if (kind == LOCK_UN)
                (void)take_whole(s, f);
        else
                err = flock_locked(s, f, operation, &new);
        mutex_unlock(&s->lock);
        file_lock_drop(new);
        return err;
}

/* ---- Ranges ---- */

struct range {
        struct file *file;              /* the owner: one of these two */
        struct files *files;
        struct file *via;
        u64 start, end;
        bool write, unlock;
        struct file_lock *mine;         /* what is set by it: already in the list */
};

static bool is_owner(const struct file_lock *l, const struct range *r) { return l->file == r->file && l->files == r->files; }
static bool overlaps(const struct file_lock *l, const struct range *r) { return l->start <= r->end && r->start <= l->end; }

static struct file_lock *conflict(const struct inode_locks *s, const struct range *r)
{
        for (struct file_lock *l = s->ranges; l; l = l->next)
                if (!is_owner(l, r) && overlaps(l, r) && (r->write || l->write))
                        return l;
        return NULL;
}

/* keeps K2's order; owners by their first one, as F_GETLK tells on Linux. */
static void insert(struct inode_locks *s, struct file_lock *new)
{
        struct range r = { .file = new->file, .files = new->files };
        struct file_lock *before = NULL, *at = s->ranges;

        for (; at && !is_owner(at, &r); at = at->next)
                before = at;
        for (; at && is_owner(at, &r) && at->start < new->start; at = at->next)
                before = at;
        new->next = at;
        if (before)
                before->next = new;
        else
                s->ranges = new;
}

static void copy_owner(struct file_lock *to, const struct file_lock *from)
{
        to->file = from->file;
        to->files = from->files;
        to->via = from->via;
        to->pid = from->pid;
        to->write = from->write;
}

/* Cuts r out of the owner's locks, and takes in touching ones of the same type (r grows).  spare: for the one
 * lock that may fall in two; NULL afterwards if it was used. */
static void cut(struct inode_locks *s, struct range *r, struct file_lock **spare)
{
        struct file_lock *before = NULL, *next;

        for (struct file_lock *l = s->ranges; l; l = next) {
                next = l->next;
                bool same = l != r->mine && is_owner(l, r) && !r->unlock && l->write == r->write;
                bool touches = same && ((r->start > 0 && l->end == r->start - 1) || (l->start > 0 && l->start - 1 == r->end));
                if (l == r->mine || !is_owner(l, r) || !(overlaps(l, r) || touches)) {
                        before = l;
                        continue;
                }
                if (same) {
                        r->start = min_u64(r->start, l->start);
                        r->end = max_u64(r->end, l->end);
                } else if (l->start < r->start) {
                        if (l->end > r->end) {
                                copy_owner(*spare, l);
                                (*spare)->start = r->end + 1;
                                (*spare)->end = l->end;
                                insert(s, *spare);      /* behind mine */
                                *spare = NULL;
                        }
                        l->end = r->start - 1;
                        before = l;
                        continue;
                } else if (l->end > r->end) {
                        l->start = r->end + 1;
                        before = l;
                        continue;
                }
                if (before)
                        before->next = next;
                else
                        s->ranges = next;
                file_lock_drop(l);
        }
}

/* Whom does this owner wait for? */
static struct files *blocker_of(struct files *owner)
{
        for (struct file_lock *w = waits.first; w; w = w->next)
                if (w->files == owner && w->blocker)
                        return w->blocker;
        return NULL;
}

#define CHAIN_MAX 64u                   /* longer ones are taken for no cycle */

/* Lists w, which waits for `blocker`.  EDEADLK: that one waits for w's owner. */
static err_t wait_begin(struct file_lock *w, struct files *owner, struct files *blocker)
{
        SPIN_GUARD(&waits.lock);
        struct files *at = blocker;

        for (u32 i = 0; at && i < CHAIN_MAX; i++) {
                if (at == owner)
                        return ERR(EDEADLK);
                at = blocker_of(at);
        }
        w->files = owner;
        w->blocker = blocker;
        w->next = waits.first;
        waits.first = w;
        return OK;
}

static void wait_end(struct file_lock *w)
{
        SPIN_GUARD(&waits.lock);
        if (waits.first == w) {
                waits.first = w->next;
        } else {
                struct file_lock *before = waits.first;
                while (before->next != w)
                        before = before->next;
                before->next = w->next;
        }
        w->next = NULL;
        w->blocker = NULL;
}

/* Sleeps for `in_way`'s owner; w: not yet a lock. */
static err_t wait_locked(struct inode_locks *s, const struct range *r, const struct file_lock *in_way, struct file_lock *w)
{
        bool listed = r->files && in_way->files;

        if (listed)
                TRY(wait_begin(w, r->files, in_way->files));
        err_t err = sleep_locked(s, w);
        if (listed)
                wait_end(w);
        return err;
}

static err_t set_locked(struct inode_locks *s, struct range *r, bool wait, struct file_lock **spare, struct file_lock **new)
{
        struct file_lock *in_way, *l = *new;

        l->file = r->file;
        l->files = r->files;
        l->via = r->via;
        l->start = r->start;
        l->end = r->end;
        l->write = r->write;
        while (!r->unlock && (in_way = conflict(s, r)) != NULL) {
                if (!wait)
                        return ERR(EAGAIN);
                TRY(wait_locked(s, r, in_way, *new));
        }
        if (!r->unlock) {
                l->pid = thread_current()->process->tgid;
                insert(s, l);
                r->mine = l;
                *new = NULL;
        }
        cut(s, r, spare);
        l->start = r->start;            /* it took in others */
        l->end = r->end;
        tell_changed(s);                /* a write lock may have become a read lock */
        return OK;
}

/* EINVAL, EOVERFLOW, EBADF. */
static err_t range_of(struct file *f, struct files *files, bool ofd, const struct linux_flock *fl, struct range *r)
{
        u64 base = 0;

        TRY(generic_seek_base(f, (u32)fl->l_whence, &base));
        if (fl->l_start > 0 && base > TO_THE_END - (u64)fl->l_start)
                return ERR(EOVERFLOW);
        i64 start = (i64)base + fl->l_start, end = I64_MAX;
        if (start < 0)
                return ERR(EINVAL);
        if (fl->l_len > 0) {
                if (fl->l_len - 1 > I64_MAX - start)
                        return ERR(EOVERFLOW);
                end = start + fl->l_len - 1;
        } else if (fl->l_len < 0) {
                if (start + fl->l_len < 0)
                        return ERR(EINVAL);
                end = start - 1;
                start += fl->l_len;
        }
        if (ofd && fl->l_pid != 0)
                return ERR(EINVAL);
        r->file = ofd ? f : NULL;
        r->via = f;
        r->files = ofd ? NULL : files;
        r->start = (u64)start;
        r->end = (u64)end;
        r->write = fl->l_type == F_WRLCK;
        r->unlock = fl->l_type == F_UNLCK;
        return fl->l_type == F_RDLCK || fl->l_type == F_WRLCK || fl->l_type == F_UNLCK ? OK : ERR(EINVAL);
}

err_t file_lock_get(struct file *f, struct files *files, bool ofd, struct linux_flock *fl)
{
        struct range r = { };

        TRY(range_of(f, files, ofd, fl, &r));
        if (r.unlock)
                return ERR(EINVAL);
        struct inode_locks *s = PTR_LOAD(f->inode->locks);
        fl->l_type = F_UNLCK;
        if (!s)
                return OK;
        GUARD(&s->lock);
        struct file_lock *l = conflict(s, &r);
        if (l) {
                fl->l_type = l->write ? F_WRLCK : F_RDLCK;
                fl->l_whence = SEEK_SET;
                fl->l_start = (i64)l->start;
                fl->l_len = l->end == TO_THE_END ? 0 : (i64)(l->end - l->start + 1);
                fl->l_pid = l->file ? -1 : (i32)l->pid;
        }
        return OK;
}

err_t file_lock_set(struct file *f, struct files *files, bool ofd, const struct linux_flock *fl, bool wait)
{
        struct range r = { };

        TRY(range_of(f, files, ofd, fl, &r));
        if (!r.unlock && (r.write ? !file_may_write(f) : !file_may_read(f)))
                return ERR(EBADF);
        if (r.unlock && !PTR_LOAD(f->inode->locks))
                return OK;
        struct inode_locks *s = locks_of(f->inode);
        struct file_lock *new = file_lock_alloc(payer_current(), MAY_RECLAIM);
        struct file_lock *spare = file_lock_alloc(payer_current(), MAY_RECLAIM);
        err_t err = ERR(ENOMEM);
        if (s && new && spare) {
                mutex_lock(&s->lock);
                err = set_locked(s, &r, wait, &spare, &new);
                mutex_unlock(&s->lock);
        }
        file_lock_drop(new);
        file_lock_drop(spare);
        return err;
}

/* ---- Owners that go ---- */

static void remove_owner(struct inode_locks *s, struct file *file, struct files *files)
{
        struct range all = { .file = file, .files = files, .end = U64_MAX, .unlock = true };
        struct file_lock *none = NULL;

        GUARD(&s->lock);
        cut(s, &all, &none);
        if (file) {
                (void)take_whole(s, file);
                leases_end_locked(s, file);
        }
        tell_changed(s);
}

void locks_close(struct inode *inode, struct files *files)
{
        struct inode_locks *s = PTR_LOAD(inode->locks);

        if (s && files)
                remove_owner(s, NULL, files);
}

void locks_end(struct inode *inode, struct file *f)
{
        struct inode_locks *s = PTR_LOAD(inode->locks);

        if (s)
                remove_owner(s, f, NULL);
}

/* ---- /proc ---- */

/* What all who wait here wait for: once per change, for it takes a look at every lock. */
static void look_up_waits(struct inode_locks *s)
{
        for (struct file_lock *w = s->waiting; w; w = w->next_waiting) {
                struct range r = { .file = w->file, .files = w->files, .start = w->start, .end = w->end, .write = w->write };
                if (!w->behind)
                        w->behind = w->whole ? flock_conflict(s, w->file, w->write) : conflict(s, &r);
                if (w->behind)
                        w->behind->waited = true;
        }
}

static struct lock_info info_of(const struct file_lock *l)
{
        return (struct lock_info){ .kind = l->whole ? LOCK_WHOLE : l->files ? LOCK_POSIX : LOCK_OFD, .type = l->write ? F_WRLCK : F_RDLCK,
                                   .pid = l->pid, .start = l->start, .end = l->end, .via = l->via, .files = l->files };
}

struct listing { u32 from; struct lock_list *out; };

static bool is_full(const struct listing *at) { return at->out->n == ARRAY_SIZE(at->out->lock); }

static void put(struct listing *at, const struct lock_info *info)
{
        if (at->out->passed < at->from)
                at->out->passed++;
        else if (!is_full(at))
                at->out->lock[at->out->n++] = *info;
}

static void put_waits(struct listing *at, const struct inode_locks *s, struct file_lock *l)
{
        l->waited = false;
        for (const struct file_lock *w = s->waiting; w; w = w->next_waiting) {
                if (w->behind != l)
                        continue;
                struct lock_info info = info_of(w);
                info.waits = true;
                put(at, &info);
                l->waited = true;
        }
}

static void put_list(struct listing *at, const struct inode_locks *s, struct file_lock *l)
{
        for (; l && !is_full(at); l = l->next) {
                struct lock_info info = info_of(l);
                put(at, &info);
                if (l->waited)
                        put_waits(at, s, l);
        }
}

void locks_list(struct inode *inode, u32 from, struct lock_list *out)
{
        struct inode_locks *s = PTR_LOAD(inode->locks);
        struct listing at = { .from = from, .out = out };
        struct lock_info info = { };

        out->n = out->passed = 0;
        if (!s)
                return;
        GUARD(&s->lock);
        look_up_waits(s);
        for (struct lease *one = NULL; !is_full(&at) && (one = lease_describe(s, one, &info)) != NULL;)
                put(&at, &info);
        put_list(&at, s, s->whole);
        put_list(&at, s, s->ranges);
}

struct inode *locks_next_inode(struct superblock *sb, struct inode *from)
{
        struct inode *found = NULL;
        {
                SPIN_GUARD(&sb->locks_lock);
                struct inode_locks *s = from ? from->locks->next : sb->first_locks;
                while (s && !inode_try_hold(s->inode))
                        s = s->next;
                found = s ? s->inode : NULL;
        }
        inode_drop(from);
        return found;
}
