/* SPDX-License-Identifier: Apache-2.0
 *
 * POSIX message queues, and their file system: one flat directory.
 *
 * As in msg.c, a sender that finds no room leaves its message in its sleeper, and a receiver that finds no
 * message is handed one.
 *
 * Lifetime   A queue is an inode: it lives while it has a name or is open.  Its name's dentry is held by the queue, so the
 *            name is always in the dentry cache, and lookup is asked only for names that are not there.
 * Locking    Names, and the list of queues: the root's inode lock.  queue.lock (mutex): its messages.
 *            super.creating (mutex): held over an open that may create, so that attributes find their way.
 * Invariants Q1  a receiver sleeps only while there is no message, a sender only while there is no room
 *            Q2  messages are sorted by priority, those of one priority by age; who sleeps, by rank and age
 */
#include "services/ipc/mqueue.h"
#include "services/net/netlink/netlink.h"
#include "services/ipc/ipc_impl.h"
#include "services/process/account.h"
#include "services/process/process.h"
#include "services/sched/sched.h"
#include "services/security/cred.h"
#include "services/signal/signal.h"
#include "services/vm/vm.h"
#include "lib/num.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"

LOCK_CLASS_DECLARE(inode);
LOCK_CLASS_DECLARE(file_pos);
LOCK_CLASS(mqueue, AFTER(inode));

#define HARD_MESSAGES  65536u           /* whatever CAP_SYS_RESOURCE */
#define HARD_SIZE      (16u << 20)
#define ENTRY_SIZE     20u              /* what a name adds to the directory's size */
#define STATUS_SIZE    80u
#define MESSAGE_COST   48u              /* of each message, and each priority, against RLIMIT_MSGQUEUE: getrlimit(2) */

OBJECT(mq_queue);

OBJECT(mq_super) {
        struct superblock base;
        struct ipc_ns *ns;              /* not counted: its namespace, which holds it */
        struct mutex creating;
        struct thread *creator;         /* who creates with attr; creating, LOAD by itself */
        struct linux_mq_attr attr;
        struct mq_queue *first, *last;  /* the root's inode lock */
        u32 count;                      /* ATOMIC */
};
POOL_DECLARE(mq_super)
DOWNCASTABLE(mq_super, superblock);
static void mq_super_fini(struct mq_super *s) { superblock_fini(&s->base); }
POOL_DEFINE(mq_super, mq_super_fini);

/* The root is one without messages. */
OBJECT(mq_queue) {
        struct inode base;
        struct mq_super *super;         /* held by base; NULL: the root */
        struct dentry *node;            /* counted: its name; the root's inode lock */
        struct mq_queue *next, *prev;   /* the same */
        u32 max_messages, max_size;     /* fixed */
        struct account *account;        /* counted: who pays for `cost` of RLIMIT_MSGQUEUE; fixed */
        u64 cost;
        struct mutex lock;
        /* lock */
        struct ipc_messages messages;
        u32 count;                      /* LOAD by poll */
        u64 bytes;
        struct ipc_sleepers senders, receivers;
        struct process *notified;       /* counted: who has asked to be told; NULL: nobody */
        struct mq_notification notify;
        struct waitq readable, writable;
};
POOL_DECLARE(mq_queue)
DOWNCASTABLE(mq_queue, inode);

/* how: NOTIFY_*, for who is told by a note. */
static void end_notify_locked(struct mq_queue *q, u8 how)
{
        if (q->notify.note) {
                mbytes_copy(mbytes_skip(netlink_note_data(q->notify.note), MQ_COOKIE - 1), BYTES_OF(how));
                netlink_note_send(q->notify.note);
                q->notify.note = NULL;
        }
        process_drop(q->notified);
        q->notified = NULL;
}

static void mq_queue_fini(struct mq_queue *q)
{
        while (q->messages.first)
                ipc_message_free(ipc_messages_pop_front(&q->messages));
        if (q->account) {
                FETCH_SUB(q->account->mq_bytes, q->cost);
                account_drop(q->account);
        }
        if (q->notified)
                end_notify_locked(q, NOTIFY_REMOVED);
        if (q->super)
                FETCH_SUB(q->super->count, 1u);
        inode_fini(&q->base);
}
POOL_DEFINE(mq_queue, mq_queue_fini);

static const struct fs_type mqueue_type;
static const struct file_ops queue_ops;

static struct mq_super *super_of(struct superblock *sb) { return DOWNCAST(mq_super, sb); }

/* NULL: no queue. */
static struct mq_queue *of(struct file *f) { return f->ops == &queue_ops ? DOWNCAST(mq_queue, f->inode) : NULL; }

/* ---- Messages; the queue's lock is held ---- */

static bool is_full(const struct mq_queue *q) { return LOAD(q->count) >= q->max_messages; }

/* Keeps Q2. */
static void insert_locked(struct mq_queue *q, struct ipc_message *m)
{
        struct ipc_message *at = q->messages.last;

        while (at && at->type < m->type)
                at = at->prev;
        if (at)
                ipc_messages_insert_after(&q->messages, at, m);
        else
                ipc_messages_push_front(&q->messages, m);
        STORE(q->count, q->count + 1);
        q->bytes += m->len;
}

/* A message has come into the empty queue. */
static void notify_locked(struct mq_queue *q)
{
        struct siginfo info = { .signo = q->notify.sig, .code = SI_MESGQ, .pid = ipc_pid(), .uid = cred_current()->uid, .value = q->notify.value };

        if (!q->notified)
                return;
        if (q->notify.kind == SIGEV_SIGNAL && q->notify.sig != 0)
                ignore(signal_send_process(q->notified, info));
        end_notify_locked(q, NOTIFY_WOKENUP);
}

static void put_locked(struct mq_queue *q, struct ipc_message *m)
{
        struct ipc_sleeper *s = q->receivers.first;

        if (s) {
                s->message = m;
                ipc_serve_locked(&q->receivers, s, 0);
                return;
        }
        insert_locked(q, m);
        if (q->count == 1)
                notify_locked(q);
        waitq_wake_all(&q->readable);
}

static struct ipc_message *take_locked(struct mq_queue *q)
{
        struct ipc_message *m = ipc_messages_pop_front(&q->messages);
        struct ipc_sleeper *s = q->senders.first;

        STORE(q->count, q->count - 1);
        q->bytes -= m->len;
        if (s) {
                insert_locked(q, s->message);
                s->message = NULL;
                ipc_serve_locked(&q->senders, s, 0);
        } else {
                waitq_wake_all(&q->writable);
        }
        return m;
}

/* ---- Sending and receiving ---- */

/* By scheduling priority, from deadline threads to those of nice 19. */
static u32 rank_of(struct thread *t)
{
        u32 realtime = sched_rt_priority(t);

        return realtime ? RT_PRIORITY_DEADLINE - realtime : (u32)(120 + sched_nice(t));
}

static void line_up(struct ipc_sleepers *list, struct ipc_sleeper *s)
{
        struct ipc_sleeper *at = list->last;

        s->rank = rank_of(thread_current());
        while (at && at->rank > s->rank)
                at = at->prev;
        if (at)
                ipc_sleepers_insert_after(list, at, s);
        else
                ipc_sleepers_push_front(list, s);
}

/* Called with the lock, returns without. *m goes in or comes out. */
static err_t wait(struct mq_queue *q, struct ipc_sleepers *list, u64 deadline, struct ipc_message **m)
{
        struct ipc_sleeper *s = ipc_sleeper_alloc(payer_current(), MAY_RECLAIM);
        bool served = false;

        if (!s) {
                mutex_unlock(&q->lock);
                return ERR(ENOMEM);
        }
        s->message = *m;
        *m = NULL;
        line_up(list, s);
        err_t err = ipc_sleep(&q->lock, list, s, deadline, &served);
        if (!served)
                mutex_unlock(&q->lock);
        else
                err = OK;
        if (succeeded(err) && list == &q->receivers) {
                *m = s->message;
                s->message = NULL;
        }
        ipc_sleeper_drop(s);
        return err_is(err, EINTR) ? ERR(ERESTARTSYS) : err;
}

static err_t send(struct mq_queue *q, struct ipc_message **m, bool nonblock, u64 deadline)
{
        mutex_lock(&q->lock);
        if (is_full(q)) {
                if (!nonblock)
                        return wait(q, &q->senders, deadline, m);
                mutex_unlock(&q->lock);
                return ERR(EAGAIN);
        }
        put_locked(q, *m);
        *m = NULL;
        mutex_unlock(&q->lock);
        return OK;
}

err_t mq_send(struct file *f, u64 at, u64 len, u32 priority, u64 deadline)
{
        struct mq_queue *q = of(f);
        struct ipc_message *m = NULL;

        if (!q || !file_may_write(f))
                return ERR(EBADF);
        if (len > q->max_size)
                return ERR(EMSGSIZE);
        TRY(ipc_message_read(at, len, &m));
        m->type = priority;
        err_t err = send(q, &m, file_nonblock(f), deadline);
        ipc_message_free(m);
        if (succeeded(err))
                inode_touch_mtime(f->inode);
        return err;
}

static err_t receive(struct mq_queue *q, bool nonblock, u64 deadline, struct ipc_message **m)
{
        mutex_lock(&q->lock);
        if (q->count == 0) {
                if (!nonblock)
                        return wait(q, &q->receivers, deadline, m);
                mutex_unlock(&q->lock);
                return ERR(EAGAIN);
        }
        *m = take_locked(q);
        mutex_unlock(&q->lock);
        return OK;
}

err_t mq_receive(struct file *f, u64 at, u64 len, u64 deadline, u32 *priority, u64 *received)
{
        struct mq_queue *q = of(f);
        struct ipc_message *m = NULL;

        if (!q || !file_may_read(f))
                return ERR(EBADF);
        if (len < q->max_size)
                return ERR(EMSGSIZE);
        TRY(receive(q, file_nonblock(f), deadline, &m));
        inode_touch_ctime(f->inode);
        *priority = (u32)m->type;
        *received = m->len;
        err_t err = ipc_message_write(m, at, m->len);
        ipc_message_free(m);
        return err;
}

/* ---- Notification and attributes ---- */

err_t mq_set_notify(struct file *f, const struct mq_notification *n)
{
        struct mq_queue *q = of(f);
        struct process *self = thread_current()->process;

        if (!q)
                return ERR(EBADF);
        GUARD(&q->lock);
        if (!n) {
                if (q->notified == self)
                        end_notify_locked(q, NOTIFY_REMOVED);
                return OK;
        }
        if (q->notified)
                return ERR(EBUSY);
        q->notify = *n;
        q->notified = process_hold(self);
        return OK;
}

err_t mq_attributes(struct file *f, const struct linux_mq_attr *new, struct linux_mq_attr *old)
{
        struct mq_queue *q = of(f);

        if (new && (new->mq_flags & ~(i64)O_NONBLOCK) != 0)
                return ERR(EINVAL);
        if (!q)
                return ERR(EBADF);
        *old = (struct linux_mq_attr){ .mq_flags = LOAD(f->flags) & O_NONBLOCK, .mq_maxmsg = q->max_messages, .mq_msgsize = q->max_size,
                                       .mq_curmsgs = LOAD(q->count) };
        if (!new)
                return OK;
        if (new->mq_flags & O_NONBLOCK)
                FETCH_OR(f->flags, (u32)O_NONBLOCK);
        else
                FETCH_AND(f->flags, ~(u32)O_NONBLOCK);
        inode_touch_ctime(f->inode);
        return OK;
}

/* ---- A queue as a file ---- */

static void put_field(struct writer *w, bytes name, u64 v, u32 width)
{
        usize from;

        writer_put(w, name);
        from = w->at;
        num_write(w, v, 10, 1);
        while (w->at - from < width)
                writer_u8(w, ' ');
}

static err_t queue_read(struct file *f, struct io *io, u64 *pos)
{
        struct mq_queue *q = of(f);
        u8 text[STATUS_SIZE] = {};
        struct writer w = writer_of(MBYTES_OF(text));

        {
                GUARD(&q->lock);
                struct process *p = q->notified;
                put_field(&w, STR("QSIZE:"), q->bytes, 10);
                put_field(&w, STR(" NOTIFY:"), p ? q->notify.kind : 0, 5);
                put_field(&w, STR(" SIGNO:"), p && q->notify.kind == SIGEV_SIGNAL ? q->notify.sig : 0, 5);
                put_field(&w, STR(" NOTIFY_PID:"), p ? p->tgid : 0, 6);
                writer_u8(&w, '\n');
        }
        return generic_read_bytes(io, pos, bytes_take(BYTES_OF(text), w.at));
}

static u32 queue_poll(struct file *f, struct waiter *w)
{
        struct mq_queue *q = of(f);

        waiter_add(w, &q->readable);
        waiter_add(w, &q->writable);
        u32 count = LOAD(q->count);
        return (count > 0 ? EPOLLIN | EPOLLRDNORM : 0) | (count < q->max_messages ? EPOLLOUT | EPOLLWRNORM : 0);
}

/* Closing any descriptor of it ends what the process has asked for. */
static err_t queue_flush(struct file *f)
{
        struct mq_queue *q = of(f);

        GUARD(&q->lock);
        if (q->notified == thread_current()->process)
                end_notify_locked(q, NOTIFY_REMOVED);
        return OK;
}

static const struct file_ops queue_ops = { .read = queue_read, .poll = queue_poll, .flush = queue_flush, .fsync = file_no_fsync,
                                           .flags = FOPS_NO_SPLICE_IN | FOPS_NO_EXEC | FOPS_READ_PIECES };

/* ---- Making queues ---- */

static err_t check_attr(const struct ipc_limits *l, const struct linux_mq_attr *a)
{
        if (a->mq_maxmsg <= 0 || a->mq_msgsize <= 0)
                return ERR(EINVAL);
        if (capable(CAP_SYS_RESOURCE))
                return a->mq_maxmsg > HARD_MESSAGES || a->mq_msgsize > HARD_SIZE ? ERR(EINVAL) : OK;
        return a->mq_maxmsg > l->mq_msg_max || a->mq_msgsize > l->mq_msgsize_max ? ERR(EINVAL) : OK;
}

static err_t charge(struct mq_queue *q)
{
        struct thread *t = thread_current();
        u64 cost = (u64)q->max_messages * (MESSAGE_COST + q->max_size) + min_u64(q->max_messages, MQ_PRIO_MAX) * MESSAGE_COST;

        if (FETCH_ADD(t->account->mq_bytes, cost) + cost > rlimit_get(t->process, RLIMIT_MSGQUEUE)) {
                FETCH_SUB(t->account->mq_bytes, cost);
                return ERR(EMFILE);
        }
        q->account = account_hold(t->account);
        q->cost = cost;
        return OK;
}

static err_t set_limits(struct mq_queue *q, struct mq_super *s)
{
        struct ipc_limits l = *ipc_limits_of(s->ns);
        struct linux_mq_attr a = { .mq_maxmsg = min_u32(l.mq_msg_max, l.mq_msg_default),
                                   .mq_msgsize = min_u32(l.mq_msgsize_max, l.mq_msgsize_default) };

        if (PTR_LOAD(s->creator) == thread_current())
                a = s->attr;
        TRY(check_attr(&l, &a));
        q->max_messages = (u32)a.mq_maxmsg;
        q->max_size = (u32)a.mq_msgsize;
        if (LOAD(s->count) >= l.mq_queues_max && !capable(CAP_SYS_RESOURCE))
                return ERR(ENOSPC);
        return charge(q);
}

static const struct inode_ops queue_inode_ops = {};

static err_t root_create(const struct actor *who, struct inode *dir, struct dentry *d, u32 mode, u64 dev)
{
        struct mq_super *s = super_of(dir->sb);

        (void)dev;
        if ((mode & S_IFMT) != S_IFREG)
                return ERR(EPERM);
        struct mq_queue *q = mq_queue_alloc(who->payer, MAY_RECLAIM);
        if (!q)
                return ERR(ENOMEM);
        struct inode_init init = { .ops = &queue_inode_ops, .fops = &queue_ops, .sb = dir->sb, .ino = super_new_ino(dir->sb), .mode = mode,
                                   .uid = who->cred->fsuid, .gid = who->cred->fsgid };
        inode_init(&q->base, &init);
        lock_init(&q->lock, mqueue);
        q->base.size = STATUS_SIZE;
        err_t err = set_limits(q, s);
        if (failed(err)) {
                mq_queue_drop(q);
                return err;
        }
        q->super = s;
        FETCH_ADD(s->count, 1u);
        mq_queue_publish(q);
        q->prev = s->last;
        if (s->last)
                s->last->next = q;
        else
                s->first = q;
        s->last = q;
        dir->size += ENTRY_SIZE;
        inode_touch_mtime(dir);
        dentry_set(d, &q->base);
        q->node = dentry_hold(d);
        return OK;
}

static err_t root_unlink(struct inode *dir, struct dentry *d)
{
        struct mq_super *s = super_of(dir->sb);
        struct mq_queue *q = DOWNCAST(mq_queue, d->inode);

        if (q->prev)
                q->prev->next = q->next;
        else
                s->first = q->next;
        if (q->next)
                q->next->prev = q->prev;
        else
                s->last = q->prev;
        dir->size -= ENTRY_SIZE;
        inode_touch_mtime(dir);
        inode_set_nlink(&q->base, q->base.nlink - 1);
        inode_touch_ctime(&q->base);
        struct dentry *node = q->node;
        q->node = NULL;
        dentry_drop(node);
        return OK;
}

static err_t root_lookup(struct inode *dir, struct dentry *d)
{
        (void)dir, (void)d;
        return OK;
}

static err_t root_readdir(struct file *f, struct dir_out *out)
{
        if (!dir_emit_dots(f, out))
                return OK;
        for (struct mq_queue *q = super_of(f->inode->sb)->first; q; q = q->next)
                if (q->base.ino >= out->pos && !dir_emit(out, dentry_name(q->node), q->base.ino, S_IFREG >> 12, q->base.ino + 1))
                        return OK;
        return OK;
}

static const struct inode_ops root_inode_ops = { .lookup = root_lookup, .create = root_create, .unlink = root_unlink };
static const struct file_ops root_ops = { .readdir = root_readdir };

/* ---- The file system ---- */

static err_t mq_statfs(struct superblock *sb, struct linux_statfs *out)
{
        *out = (struct linux_statfs){ .f_type = (i64)sb->magic, .f_bsize = PAGE_SIZE, .f_frsize = PAGE_SIZE, .f_namelen = NAME_MAX_LEN };
        return OK;
}

static const struct super_ops mq_super_ops = { .statfs = mq_statfs };

static err_t mq_mount(const struct fs_type *type, const struct mount_request *req, struct superblock **out)
{
        (void)type, (void)req;
        *out = superblock_hold(ipc_ns_current()->mq_root->root.dentry->sb);
        return OK;
}

static const struct fs_type mqueue_type = { .name = "mqueue", .flags = FS_NODEV | FS_USERNS, .mount = mq_mount };

void mqueue_init(void) { fs_register(&mqueue_type); }

static err_t make_root(struct mq_super *s)
{
        struct mq_queue *root = mq_queue_alloc(NULL, MAY_RECLAIM);
        struct inode_init init = { .ops = &root_inode_ops, .fops = &root_ops, .sb = &s->base, .ino = super_new_ino(&s->base),
                                   .mode = S_IFDIR | S_ISVTX | 0777 };

        if (!root)
                return ERR(ENOMEM);
        inode_init(&root->base, &init);
        root->base.nlink = 2;
        root->base.size = 2 * ENTRY_SIZE;
        return superblock_set_root(&s->base, &root->base);
}

err_t mqueue_ns_init(struct ipc_ns *ns)
{
        struct mq_super *s = mq_super_alloc(NULL, MAY_RECLAIM);

        if (!s)
                return ERR(ENOMEM);
        lock_init(&s->creating, file_pos);     /* as a file's position: before the inodes */
        s->ns = ns;
        err_t err = superblock_init(&s->base, &mq_super_ops, &mqueue_type, NULL);
        s->base.magic = MQUEUE_MAGIC;
        s->base.block_size = PAGE_SIZE;
        if (succeeded(err))
                err = make_root(s);
        struct mount *mnt = succeeded(err) ? mount_new_internal(&s->base, 0) : NULL;
        if (mnt) {
                struct path root = { mnt, s->base.root };
                ns->mq_root = fs_context_new(NULL, &root, &root);
                mount_drop(mnt);
        }
        mq_super_drop(s);
        return ns->mq_root ? OK : failed(err) ? err : ERR(ENOMEM);
}

/* ---- Names ---- */

/* The current thread, standing in the root of its namespace's queues. */
static struct actor actor_in(struct ipc_ns *ns)
{
        struct actor who = actor_current();
        who.fs = ns->mq_root;
        who.files = NULL;
        return who;
}

/* A name is one component, and none of the directory's own. */
static err_t check_name(bytes name)
{
        if (bytes_len(name) == 0)
                return ERR(ENOENT);
        if (bytes_find(name, '/') < bytes_len(name) || bytes_eq(name, STR(".")) || bytes_eq(name, STR("..")))
                return ERR(EACCES);
        return bytes_len(name) > NAME_MAX_LEN ? ERR(ENAMETOOLONG) : OK;
}

err_t mq_open_file(const struct mq_opening *o, struct file **out)
{
        struct ipc_ns *ns = ipc_ns_current();
        struct mq_super *s = super_of(ns->mq_root->root.dentry->sb);
        struct actor who = actor_in(ns);
        u32 flags = o->flags & (u32)(O_ACCMODE | O_CREAT | O_EXCL | O_NONBLOCK);
        struct open_how how = { .flags = flags, .mode = o->mode & 0777 & ~fs_umask(thread_current()->fs) };

        TRY(check_name(o->name));
        if ((flags & O_ACCMODE) == O_ACCMODE)
                return ERR(EINVAL);
        if (!(flags & O_CREAT) || !o->attr)
                return vfs_open(&who, AT_FDCWD, o->name, how, out);
        GUARD(&s->creating);
        s->attr = *o->attr;
        PTR_STORE(s->creator, thread_current());
        err_t err = vfs_open(&who, AT_FDCWD, o->name, how, out);
        PTR_STORE(s->creator, NULL);
        return err;
}

err_t mq_unlink_name(bytes name)
{
        struct actor who = actor_in(ipc_ns_current());

        TRY(check_name(name));
        return vfs_unlink(&who, AT_FDCWD, name);
}
