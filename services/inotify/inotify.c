/* SPDX-License-Identifier: Apache-2.0
 *
 * inotify: instances, watches, events.
 *
 * Entry points  inotify_new, inotify_add, inotify_remove; reading through file_ops; events
 *               come in through vfs_notify_ops.
 * Lifetime      A watch stands in its inode's list, its instance's tree and the list of all
 *               as long as it exists; these together have its one count.  What takes it off
 *               under the lock drops it, and its inode, without (let_go).
 * Locking       state.lock (spin, class inotify): all lists, trees and queues.
 * Invariants    I1  notify_state.watches is the number of watches.
 *               I2  IN_IGNORED is the last event of a watch, unless its instance is closed.
 *               I3  at most max_events events and one IN_Q_OVERFLOW are queued.
 */
#include "services/inotify/inotify.h"
#include "services/process/account.h"
#include "services/vfs/notify.h"
#include "abi/linux/file.h"
#include "abi/const/event.h"
#include "abi/const/tty.h"
#include "lib/list.h"
#include "lib/rbtree.h"

LOCK_CLASS(inotify);

#define OPTIONS  ((u32)(IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ISDIR) | IN_ONESHOT)
#define ACCEPTED ((u32)(IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED) | OPTIONS)

OBJECT(inotify);

OBJECT(inotify_event) {
        struct inotify_event *next;     /* state.lock */
        i32 wd;                         /* fixed once queued, as all below */
        u32 mask, cookie;
        u32 len;                        /* of the name */
        u8  name[NAME_MAX_LEN + 1];
};
POOL_DECLARE(inotify_event)
POOL_DEFINE(inotify_event, NO_FINI);

OBJECT(inotify_watch) {
        struct inotify *owner;          /* not counted: takes its watches off before it goes; fixed */
        struct inode *inode;            /* counted; fixed */
        struct account *account;        /* counted; fixed */
        i32 wd;                         /* fixed */
        u32 mask;                       /* state.lock, as all below */
        struct inotify_watch *inode_next;       /* among the inode's; later among those to let go */
        struct inotify_watch *left, *right, *up;        /* the owner's tree, by wd */
        bool red;
        struct inotify_watch *next, *prev;      /* all */
};
POOL_DECLARE(inotify_watch)

static void inotify_watch_fini(struct inotify_watch *w)
{
        inode_drop(w->inode);
        account_drop(w->account);
}
POOL_DEFINE(inotify_watch, inotify_watch_fini);

static bool wd_less(struct inotify_watch *a, struct inotify_watch *b) { return a->wd < b->wd; }
RBTREE_HEAD(watch_tree, inotify_watch);
RBTREE_FUNCTIONS(watch_tree, inotify_watch, left, right, up, red, wd_less, RBTREE_NO_UPDATE)
LIST_HEAD(watch_list, inotify_watch);
LIST_FUNCTIONS(watch_list, inotify_watch, next, prev)

OBJECT(inotify) {
        struct file base;
        struct account *account;        /* counted; fixed */
        struct payer *payer;            /* counted: of the events; fixed */
        u32 max_events;                 /* fixed: the limit when it was made */
        struct waitq readable;
        /* state.lock */
        struct watch_tree watches;
        i32 last_wd;
        struct inotify_event *first, *last;     /* counted, each */
        u32 queued;                     /* LOAD by poll */
        struct inotify_event *overflow; /* counted */
        bool overflowed;                /* it is in the queue */
};
POOL_DECLARE(inotify)
DOWNCASTABLE(inotify, file);

/* The file-scope state (reviewed list): one lock for all, and all watches, for unmounting. */
STABLE(inotify_state) {
        struct spinlock lock;
        struct watch_list all;          /* lock */
        u32 limit[INOTIFY_LIMITS];      /* ATOMIC */
};
static struct inotify_state state = { .limit = { 16384, 128, 8192 } };

u32  inotify_limit(enum inotify_limit which)                 { return LOAD(state.limit[which % INOTIFY_LIMITS]); }
void inotify_set_limit(enum inotify_limit which, u32 value)  { STORE(state.limit[which % INOTIFY_LIMITS], value); }

static struct inotify *of(struct file *f) { return DOWNCAST(inotify, f); }

/* ---- The queue ---- */

static void push_locked(struct inotify *in, struct inotify_event *e)
{
        e->next = NULL;
        if (in->last)
                in->last->next = e;
        else
                in->first = e;
        in->last = e;
        STORE(in->queued, in->queued + 1);
        waitq_wake_all(&in->readable);
}

static void overflow_locked(struct inotify *in)
{
        if (in->overflowed)
                return;
        in->overflowed = true;
        push_locked(in, inotify_event_hold(in->overflow));
}

static bool is_same(struct inotify_event *e, i32 wd, u32 mask, u32 cookie, bytes name)
{
        return e->wd == wd && e->mask == mask && e->cookie == cookie && bytes_eq(bytes_take(BYTES_OF(e->name), e->len), name);
}

static void queue_locked(struct inotify *in, i32 wd, u32 mask, u32 cookie, bytes name)
{
        if (in->last && is_same(in->last, wd, mask, cookie, name))
                return;
        struct inotify_event *e = in->queued < in->max_events ? inotify_event_alloc(in->payer, NOWAIT) : NULL;
        if (!e) {
                overflow_locked(in);
                return;
        }
        e->wd = wd;
        e->mask = mask;
        e->cookie = cookie;
        e->len = (u32)mbytes_copy(MBYTES_OF(e->name), name);
        push_locked(in, e);
}

static struct inotify_event *pop_locked(struct inotify *in)
{
        struct inotify_event *e = in->first;

        in->first = e->next;
        if (!in->first)
                in->last = NULL;
        STORE(in->queued, in->queued - 1);
        if (e == in->overflow)
                in->overflowed = false;
        return e;
}

/* ---- Watches ---- */

/* Takes w off everything, onto the list `gone`. */
static void take_off_locked(struct inotify_watch *w, struct inotify_watch **gone)
{
        struct inotify_watch *at = w->inode->watches;

        if (at == w) {
                PTR_STORE(w->inode->watches, w->inode_next);
        } else {
                while (at->inode_next != w)
                        at = at->inode_next;
                at->inode_next = w->inode_next;
        }
        watch_tree_remove(&w->owner->watches, w);
        watch_list_remove(&state.all, w);
        FETCH_SUB(notify_state.watches, 1);                     /* keeps I1 */
        FETCH_SUB(w->account->inotify_watches, 1);
        w->inode_next = *gone;
        *gone = w;
}

static void end_locked(struct inotify_watch *w, struct inotify_watch **gone)
{
        queue_locked(w->owner, w->wd, IN_IGNORED, 0, NO_BYTES); /* I2 */
        take_off_locked(w, gone);
}

static void let_go(struct inotify_watch *gone)
{
        while (gone) {
                struct inotify_watch *next = gone->inode_next;
                inotify_watch_drop(gone);
                gone = next;
        }
}

static struct inotify_watch *find_locked(struct inotify *in, i32 wd)
{
        struct inotify_watch *w = in->watches.root;

        while (w && w->wd != wd)
                w = wd < w->wd ? w->left : w->right;
        return w;
}

/* ---- What vfs tells ---- */

static void on_event(struct inode *inode, const struct notify_event *e)
{
        struct inotify_watch *gone = NULL, *next;
        u32 mask = e->mask;

        if (mask & IN_MOVE_SELF)
                mask &= ~(u32)IN_ISDIR;
        spin_lock(&state.lock);
        for (struct inotify_watch *w = inode->watches; w; w = next) {
                next = w->inode_next;
                if ((mask & w->mask & IN_ALL_EVENTS) == 0)
                        continue;
                if (e->unlinked && (w->mask & IN_EXCL_UNLINK) != 0)
                        continue;
                queue_locked(w->owner, w->wd, mask, e->cookie, e->name);
                if (w->mask & IN_ONESHOT)
                        end_locked(w, &gone);
        }
        spin_unlock(&state.lock);
        let_go(gone);
}

static void on_gone(struct inode *inode)
{
        struct inotify_watch *gone = NULL, *next;

        spin_lock(&state.lock);
        for (struct inotify_watch *w = inode->watches; w; w = next) {
                next = w->inode_next;
                if (w->mask & IN_DELETE_SELF)
                        queue_locked(w->owner, w->wd, IN_DELETE_SELF, 0, NO_BYTES);
                end_locked(w, &gone);
        }
        spin_unlock(&state.lock);
        let_go(gone);
}

static void on_unmount(struct superblock *sb)
{
        struct inotify_watch *gone = NULL, *next;

        spin_lock(&state.lock);
        for (struct inotify_watch *w = state.all.first; w; w = next) {
                next = w->next;
                if (w->inode->sb != sb)
                        continue;
                queue_locked(w->owner, w->wd, IN_UNMOUNT | notify_isdir(w->inode), 0, NO_BYTES);
                end_locked(w, &gone);
        }
        spin_unlock(&state.lock);
        let_go(gone);
}

static const struct vfs_notify_ops notify_ops = { .event = on_event, .gone = on_gone, .unmount = on_unmount };

void inotify_register(void)
{
        lock_init(&state.lock, inotify);
        vfs_register_notify(&notify_ops);
}

/* ---- Reading ---- */

/* The name with its NUL, filled up to a whole number of headers. */
static usize name_room(const struct inotify_event *e)
{
        usize header = sizeof(struct linux_inotify_event);

        return e->len ? (e->len + header) / header * header : 0;
}

static usize record_len(const struct inotify_event *e) { return sizeof(struct linux_inotify_event) + name_room(e); }

/* The next event, counted; waits for one if `wait`.  EAGAIN, ERESTARTSYS; EINVAL: it is longer than room. */
static err_t next_event(struct inotify *in, bool wait, usize room, struct inotify_event **out)
{
        SPIN_GUARD(&state.lock);
        while (!in->first) {
                if (!wait)
                        return ERR(EAGAIN);
                if (failed(waitq_sleep_spin(&in->readable, &state.lock, WAIT_INTERRUPTIBLE, NEVER)))
                        return ERR(ERESTARTSYS);
        }
        if (record_len(in->first) > room)
                return ERR(EINVAL);
        *out = pop_locked(in);
        return OK;
}

static err_t put_event(struct io *io, struct inotify_event *e)
{
        u8 record[sizeof(struct linux_inotify_event) + NAME_MAX_LEN + 1] = {};
        struct linux_inotify_event head = { .wd = e->wd, .mask = e->mask, .cookie = e->cookie, .len = (u32)name_room(e) };
        usize len = record_len(e);

        POD_WRITE(MBYTES_OF(record), head);
        mbytes_copy(mbytes_skip(MBYTES_OF(record), sizeof head), bytes_take(BYTES_OF(e->name), e->len));
        return io_copy_out(io, bytes_take(BYTES_OF(record), len)) < len ? ERR(EFAULT) : OK;
}

static err_t inotify_read(struct file *f, struct io *io, u64 *pos)
{
        struct inotify *in = of(f);
        bool wait = !file_nonblock(f) && !io->nowait;
        struct inotify_event *e = NULL;

        (void)pos;
        for (;;) {
                err_t err = next_event(in, wait && io_done(io) == 0, io_left(io), &e);
                if (failed(err))
                        return io_done(io) > 0 ? OK : err;
                err = put_event(io, e);         /* as on Linux, a bad address loses it */
                inotify_event_drop(e);
                TRY(err);
        }
}

static u32 inotify_poll(struct file *f, struct waiter *w)
{
        struct inotify *in = of(f);

        waiter_add(w, &in->readable);
        return LOAD(in->queued) ? EPOLLIN | EPOLLRDNORM : 0;
}

static err_t inotify_ioctl(struct file *f, u32 cmd, u64 arg, u64 *result)
{
        struct inotify *in = of(f);
        u32 n = 0;

        *result = 0;
        if (cmd != FIONREAD)
                return ERR(ENOTTY);
        spin_lock(&state.lock);
        for (struct inotify_event *e = in->first; e; e = e->next)
                n += (u32)record_len(e);
        spin_unlock(&state.lock);
        return user_put(arg, BYTES_OF(n));
}

static const struct file_ops inotify_ops = {
        .read = inotify_read, .poll = inotify_poll, .ioctl = inotify_ioctl, .llseek = generic_noop_llseek,
        .flags = FOPS_STREAM | FOPS_NOLOCK | FOPS_READ_PIECES,
};

/* ---- Instances ---- */

static void inotify_fini(struct inotify *in)
{
        struct inotify_watch *gone = NULL, *w;

        spin_lock(&state.lock);
        while ((w = watch_tree_first(&in->watches)) != NULL)
                take_off_locked(w, &gone);
        spin_unlock(&state.lock);
        let_go(gone);
        while (in->first)
                inotify_event_drop(pop_locked(in));     /* nobody else knows it any more */
        inotify_event_drop(in->overflow);
        if (in->account)
                FETCH_SUB(in->account->inotify_instances, 1);
        account_drop(in->account);
        payer_drop(in->payer);
        file_fini(&in->base);
}
POOL_DEFINE(inotify, inotify_fini);

static err_t fill(struct inotify *in, const struct actor *who, u32 flags)
{
        struct account *a = thread_current()->account;

        if (FETCH_ADD(a->inotify_instances, 1) >= inotify_limit(INOTIFY_INSTANCES)) {
                FETCH_SUB(a->inotify_instances, 1);
                return ERR(EMFILE);
        }
        in->account = account_hold(a);
        in->max_events = inotify_limit(INOTIFY_EVENTS);
        if (who->payer)
                in->payer = payer_hold(who->payer);
        in->overflow = inotify_event_alloc(who->payer, MAY_RECLAIM);
        if (!in->overflow)
                return ERR(ENOMEM);
        in->overflow->wd = -1;
        in->overflow->mask = IN_Q_OVERFLOW;
        return file_init_anon(&in->base, &inotify_ops, who->cred, flags & (u32)IN_NONBLOCK, STR("anon_inode:inotify"));
}

err_t inotify_new(const struct actor *who, u32 flags, struct file **out)
{
        if ((flags & ~(u32)(IN_CLOEXEC | IN_NONBLOCK)) != 0)
                return ERR(EINVAL);
        struct inotify *in = inotify_alloc(who->payer, MAY_RECLAIM);
        if (!in)
                return ERR(ENOMEM);
        err_t err = fill(in, who, flags);
        if (failed(err)) {
                inotify_drop(in);
                return err;
        }
        inotify_publish(in);
        *out = &in->base;
        return OK;
}

/* ---- Adding and removing ---- */

static err_t change_locked(struct inotify_watch *w, u32 mask)
{
        if (mask & IN_MASK_CREATE)
                return ERR(EEXIST);
        u32 keep = (u32)IN_ALL_EVENTS | (u32)IN_EXCL_UNLINK | IN_ONESHOT;
        w->mask = (mask & keep) | ((mask & IN_MASK_ADD) != 0 ? w->mask : 0);
        return OK;
}

/* new: becomes the watch, or is left alone if there is one. */
static err_t add_locked(struct inotify *in, struct inode *inode, u32 mask, struct inotify_watch **new, i32 *wd)
{
        for (struct inotify_watch *w = inode->watches; w; w = w->inode_next) {
                if (w->owner == in) {
                        *wd = w->wd;
                        return change_locked(w, mask);
                }
        }
        struct inotify_watch *w = *new;
        if (in->last_wd == I32_MAX)
                return ERR(ENOSPC);
        if (FETCH_ADD(in->account->inotify_watches, 1) >= inotify_limit(INOTIFY_WATCHES)) {
                FETCH_SUB(in->account->inotify_watches, 1);
                return ERR(ENOSPC);
        }
        w->owner = in;
        w->inode = inode_hold(inode);
        w->account = account_hold(in->account);
        w->wd = ++in->last_wd;
        w->mask = mask & ((u32)IN_ALL_EVENTS | (u32)IN_EXCL_UNLINK | IN_ONESHOT);
        w->inode_next = inode->watches;
        PTR_STORE(inode->watches, w);
        watch_tree_insert(&in->watches, w);
        watch_list_push_back(&state.all, w);
        FETCH_ADD(notify_state.watches, 1);
        *wd = w->wd;
        *new = NULL;
        return OK;
}

static err_t add_to(struct inotify *in, struct inode *inode, u32 mask, i32 *wd)
{
        struct inotify_watch *new = inotify_watch_alloc(in->payer, MAY_RECLAIM);

        if (!new)
                return ERR(ENOMEM);
        spin_lock(&state.lock);
        err_t err = add_locked(in, inode, mask, &new, wd);
        spin_unlock(&state.lock);
        inotify_watch_drop(new);
        return err;
}

err_t inotify_add(const struct actor *who, struct file *f, bytes path, u32 mask, i32 *wd)
{
        struct path at = {};
        u32 how = ((mask & IN_DONT_FOLLOW) != 0 ? 0 : LOOK_FOLLOW) | ((mask & IN_ONLYDIR) != 0 ? LOOK_DIRECTORY : 0);

        if ((mask & ACCEPTED) == 0 || (mask & (IN_MASK_ADD | IN_MASK_CREATE)) == (IN_MASK_ADD | IN_MASK_CREATE))
                return ERR(EINVAL);
        if (!IS_A(inotify, f))
                return ERR(EINVAL);
        TRY(path_lookup(who, walk_at(AT_FDCWD, how), path, &at));
        err_t err = inode_permission(who, at.dentry->inode, MAY_READ);
        if (succeeded(err))
                err = add_to(of(f), at.dentry->inode, mask, wd);
        path_drop(&at);
        return err;
}

err_t inotify_remove(struct file *f, i32 wd)
{
        struct inotify_watch *gone = NULL;

        if (!IS_A(inotify, f))
                return ERR(EINVAL);
        spin_lock(&state.lock);
        struct inotify_watch *w = find_locked(of(f), wd);
        if (w)
                end_locked(w, &gone);
        spin_unlock(&state.lock);
        let_go(gone);
        return w ? OK : ERR(EINVAL);
}
