/* SPDX-License-Identifier: Apache-2.0
 *
 * System V message queues: msgget(2), msgop(2), msgctl(2).
 *
 * A sender that finds no room leaves its message in its sleeper, and whoever makes room puts it into the
 * queue; a receiver that finds no message sleeps until a sender hands it one.  So both are served in order, and the woken
 * need no lock.
 *
 * Locking    object.lock.
 * Invariants M1  no receiver sleeps for a message that is in the queue
 *            M2  the first sender that sleeps does not fit
 */
#include "services/ipc/ipc_impl.h"
#include "services/process/process.h"
#include "services/security/cred.h"
#include "services/vfs/vfs.h"
#include "services/vm/vm.h"

OBJECT(msg_queue) {
        struct ipc_object base;
        /* base.lock */
        struct ipc_messages messages;
        u64 bytes, count, max_bytes;
        struct ipc_sleepers senders, receivers;
        i64 stime, rtime, ctime;        /* seconds since 1970 */
        u32 lspid, lrpid;
};
POOL_DECLARE(msg_queue)
DOWNCASTABLE(msg_queue, ipc_object);

static void msg_queue_fini(struct msg_queue *q)
{
        while (q->messages.first)
                ipc_message_free(ipc_messages_pop_front(&q->messages));
}
POOL_DEFINE(msg_queue, msg_queue_fini);

static struct msg_queue *of(struct ipc_object *o) { return DOWNCAST(msg_queue, o); }

/* ---- Messages in a queue; its lock is held ---- */

static void count_locked(struct msg_queue *q, const struct ipc_message *m, bool add)
{
        struct ipc_ids *ids = q->base.ids;

        if (add) {
                q->bytes += m->len;
                q->count++;
                FETCH_ADD(ids->total, m->len);
                FETCH_ADD(ids->items, 1ul);
        } else {
                q->bytes -= m->len;
                q->count--;
                FETCH_SUB(ids->total, m->len);
                FETCH_SUB(ids->items, 1ul);
        }
}

static bool has_room(const struct msg_queue *q, u64 len)
{
        return q->bytes + len <= q->max_bytes && q->count + 1 <= q->max_bytes;
}

enum { BY_TYPE, EXCEPT };

static bool wants(i64 type, u32 mode, const struct ipc_message *m)
{
        if (type == 0)
                return true;
        if (type > 0)
                return mode == EXCEPT ? m->type != type : m->type == type;
        return m->type <= (type == -I64_MAX - 1 ? I64_MAX : -type);
}

/* The message for a receiver, or NULL. */
static struct ipc_message *choose(const struct msg_queue *q, i64 type, u32 mode)
{
        struct ipc_message *best = NULL;

        for (struct ipc_message *m = q->messages.first; m; m = m->next) {
                if (!wants(type, mode, m))
                        continue;
                if (type >= 0)
                        return m;
                if (!best || m->type < best->type)
                        best = m;
        }
        return best;
}

static void sent_by(struct msg_queue *q, u32 pid)
{
        q->lspid = pid;
        q->stime = time_wall().sec;
}

static void received_by(struct msg_queue *q, u32 pid)
{
        q->lrpid = pid;
        q->rtime = time_wall().sec;
}

#define NOT_TRUNCATED 1u                /* ipc_sleeper.mode besides BY_TYPE, EXCEPT in the bits above */

/* Gives m to a receiver that waits for it; one for whom it is too long is told so.  False: nobody does. */
static bool hand_over_locked(struct msg_queue *q, struct ipc_message *m)
{
        struct ipc_sleeper *next;

        for (struct ipc_sleeper *s = q->receivers.first; s; s = next) {
                next = s->next;
                if (!wants(s->type, s->mode >> 1, m))
                        continue;
                if ((s->mode & NOT_TRUNCATED) && m->len > s->size) {
                        ipc_serve_locked(&q->receivers, s, E2BIG);
                        continue;
                }
                s->message = m;
                received_by(q, s->pid);
                ipc_serve_locked(&q->receivers, s, 0);
                return true;
        }
        return false;
}

static void put_locked(struct msg_queue *q, struct ipc_message *m, u32 pid)
{
        sent_by(q, pid);
        if (!hand_over_locked(q, m)) {
                ipc_messages_push_back(&q->messages, m);
                count_locked(q, m, true);
        }
}

/* Keeps M2. */
static void admit_senders_locked(struct msg_queue *q)
{
        struct ipc_sleeper *s;

        while ((s = q->senders.first) && has_room(q, s->message->len)) {
                struct ipc_message *m = s->message;
                s->message = NULL;
                put_locked(q, m, s->pid);
                ipc_serve_locked(&q->senders, s, 0);
        }
}

/* ---- msgsnd ---- */

/* *m is taken over (NULL then), and the queue's lock let go of. */
static err_t wait_to_send(struct msg_queue *q, struct ipc_message **m)
{
        struct ipc_sleeper *s = ipc_sleeper_alloc(payer_current(), MAY_RECLAIM);
        bool served = false;

        if (!s) {
                mutex_unlock(&q->base.lock);
                return ERR(ENOMEM);
        }
        s->message = *m;
        *m = NULL;
        s->pid = ipc_pid();
        ipc_sleepers_push_back(&q->senders, s);
        err_t err = ipc_sleep(&q->base.lock, &q->senders, s, NEVER, &served);
        if (served) {
                err = ERR((int)s->error);
        } else {
                mutex_unlock(&q->base.lock);
                err = err_is(err, EINTR) ? ERR(ERESTARTNOHAND) : err;
        }
        ipc_sleeper_drop(s);
        return err;
}

static err_t send(struct msg_queue *q, struct ipc_message **m, bool wait)
{
        mutex_lock(&q->base.lock);
        err_t err = q->base.removed ? ERR(EIDRM) : ipc_permission(&q->base, 0222);
        if (succeeded(err) && q->senders.first == NULL && has_room(q, (*m)->len)) {
                put_locked(q, *m, ipc_pid());
                *m = NULL;
        } else if (succeeded(err) && wait) {
                return wait_to_send(q, m);
        } else if (succeeded(err)) {
                err = ERR(EAGAIN);
        }
        mutex_unlock(&q->base.lock);
        return err;
}

err_t msg_send(i32 id, u64 at, u64 size, u32 flags)
{
        struct ipc_ns *ns = ipc_ns_current();
        struct ipc_message *m = NULL;
        i64 type = 0;

        TRY(VM_GET(at, type));
        if (size > ns->limits.msgmax || id < 0 || type < 1)
                return ERR(EINVAL);
        TRY(ipc_message_read(at + sizeof type, size, &m));
        m->type = type;
        struct ipc_object *o = ipc_find(&ns->msg, id);
        err_t err = o ? send(of(o), &m, !(flags & IPC_NOWAIT)) : ERR(EINVAL);
        ipc_object_drop(o);
        ipc_message_free(m);
        return err;
}

/* ---- msgrcv ---- */

struct receiving { u64 size; i64 type; u32 flags, mode; };

/* The queue's lock is held, and let go of. */
static err_t wait_to_receive(struct msg_queue *q, const struct receiving *r, struct ipc_message **out)
{
        struct ipc_sleeper *s = ipc_sleeper_alloc(payer_current(), MAY_RECLAIM);
        bool served = false;

        if (!s) {
                mutex_unlock(&q->base.lock);
                return ERR(ENOMEM);
        }
        s->pid = ipc_pid();
        s->type = r->type;
        s->size = r->size;
        s->mode = r->mode << 1 | (r->flags & MSG_NOERROR ? 0 : NOT_TRUNCATED);
        ipc_sleepers_push_back(&q->receivers, s);
        err_t err = ipc_sleep(&q->base.lock, &q->receivers, s, NEVER, &served);
        if (served) {
                err = ERR((int)s->error);
                *out = s->message;
                s->message = NULL;
        } else {
                mutex_unlock(&q->base.lock);
                err = err_is(err, EINTR) ? ERR(ERESTARTNOHAND) : err;
        }
        ipc_sleeper_drop(s);
        return err;
}

/* With the message out of the queue: the caller's. */
static err_t receive(struct msg_queue *q, const struct receiving *r, struct ipc_message **out)
{
        mutex_lock(&q->base.lock);
        err_t err = ipc_permission(&q->base, 0444);
        if (succeeded(err) && q->base.removed)
                err = ERR(EIDRM);
        struct ipc_message *m = succeeded(err) ? choose(q, r->type, r->mode) : NULL;
        if (m && m->len > r->size && !(r->flags & MSG_NOERROR)) {
                err = ERR(E2BIG);
        } else if (m) {
                ipc_messages_remove(&q->messages, m);
                count_locked(q, m, false);
                received_by(q, ipc_pid());
                admit_senders_locked(q);
                *out = m;
        } else if (succeeded(err)) {
                if (!(r->flags & IPC_NOWAIT))
                        return wait_to_receive(q, r, out);
                err = ERR(ENOMSG);
        }
        mutex_unlock(&q->base.lock);
        return err;
}

static err_t write_out(struct ipc_message *m, u64 at, u64 size, u64 *received)
{
        u64 n = min_u64(m->len, size);

        TRY(VM_PUT(at, m->type));
        TRY(ipc_message_write(m, at + sizeof m->type, n));
        *received = n;
        return OK;
}

/* MSG_COPY: the message with number r->type stays where it is, and the caller gets a count on it. */
static err_t copy(struct msg_queue *q, const struct receiving *r, struct ipc_message **out)
{
        GUARD(&q->base.lock);
        TRY(ipc_permission(&q->base, 0444));
        if (q->base.removed)
                return ERR(EIDRM);
        struct ipc_message *m = q->messages.first;
        for (i64 i = 0; m && i < r->type; i++)
                m = m->next;
        if (!m || r->type < 0)
                return ERR(ENOMSG);
        if (m->len > r->size)           /* MSG_NOERROR cuts no copy */
                return r->flags & MSG_NOERROR ? ERR(EINVAL) : ERR(E2BIG);
        *out = ipc_message_share(m);
        return OK;
}

err_t msg_receive(i32 id, u64 at, u64 size, i64 type, u32 flags, u64 *received)
{
        struct receiving r = { .size = size, .type = type, .flags = flags, .mode = flags & MSG_EXCEPT ? EXCEPT : BY_TYPE };
        struct ipc_message *m = NULL;

        if (id < 0 || (i64)size < 0)
                return ERR(EINVAL);
        if ((flags & MSG_COPY) && (!(flags & IPC_NOWAIT) || (flags & MSG_EXCEPT)))
                return ERR(EINVAL);
        struct ipc_ns *ns = ipc_ns_current();
        if (flags & MSG_COPY) {
                TRY(ipc_message_read(at, min_u64(size, ns->limits.msgmax), &m));        /* Linux asks so whether there is memory */
                ipc_message_free(m);
                m = NULL;
        }
        struct ipc_object *o = ipc_find(&ns->msg, id);
        if (!o)
                return ERR(EINVAL);
        err_t err = flags & MSG_COPY ? copy(of(o), &r, &m) : receive(of(o), &r, &m);
        ipc_object_drop(o);
        if (!m)
                return err;
        err = write_out(m, at, size, received);         /* as on Linux, a bad address loses the message */
        ipc_message_free(m);
        return err;
}

/* ---- msgget ---- */

static err_t msg_make(struct ipc_ns *ns, const struct ipc_request *r, struct ipc_object **out)
{
        (void)r;
        if (ns->msg.count >= ns->limits.msgmni)
                return ERR(ENOSPC);
        struct msg_queue *q = msg_queue_alloc(payer_current(), MAY_RECLAIM);
        if (!q)
                return ERR(ENOMEM);
        q->max_bytes = ns->limits.msgmnb;
        q->ctime = time_wall().sec;
        *out = &q->base;
        return OK;
}

static err_t msg_fits(struct ipc_object *o, const struct ipc_request *r)
{
        (void)o, (void)r;
        return OK;
}

static const struct ipc_kind msg_kind = { .make = msg_make, .fits = msg_fits };

err_t msg_get(i32 key, u32 flags, i32 *id)
{
        struct ipc_ns *ns = ipc_ns_current();

        return ipc_get(ns, &ns->msg, &msg_kind, (struct ipc_request){ key, flags, 0 }, id);
}

/* ---- msgctl ---- */

/* The lock is held. */
static struct linux_msqid_ds describe(struct msg_queue *q)
{
        return (struct linux_msqid_ds){
                .msg_perm = ipc_perm_of(&q->base), .msg_stime = q->stime, .msg_rtime = q->rtime, .msg_ctime = q->ctime,
                .msg_cbytes = q->bytes, .msg_qnum = q->count, .msg_qbytes = q->max_bytes,
                .msg_lspid = (i32)q->lspid, .msg_lrpid = (i32)q->lrpid,
        };
}

bool msg_next(struct ipc_ns *ns, u32 *index, struct msg_info *out)
{
        struct ipc_object *o = ipc_find_next(&ns->msg, index);

        if (!o)
                return false;
        mutex_lock(&o->lock);
        *out = (struct msg_info){ .id = o->id, .ds = describe(of(o)) };
        mutex_unlock(&o->lock);
        ipc_object_drop(o);
        return true;
}

static err_t tell_info(struct ipc_ns *ns, bool usage, u64 arg, u64 *result)
{
        struct linux_msginfo info = {
                .msgmni = (i32)ns->limits.msgmni, .msgmax = (i32)ns->limits.msgmax, .msgmnb = (i32)ns->limits.msgmnb,
                .msgssz = MSGSSZ, .msgseg = MSGSEG, .msgpool = MSGPOOL, .msgmap = MSGMAP, .msgtql = MSGTQL,
        };

        if (usage) {
                info.msgpool = (i32)LOAD(ns->msg.count);
                info.msgmap = (i32)LOAD(ns->msg.items);
                info.msgtql = (i32)LOAD(ns->msg.total);
        }
        *result = ipc_highest_index(&ns->msg);
        return VM_PUT(arg, info);
}

static err_t stat_one(struct msg_queue *q, bool any, struct linux_msqid_ds *ds)
{
        GUARD(&q->base.lock);
        TRY(ipc_may_use_locked(&q->base, any ? 0 : 0444));
        *ds = describe(q);
        return OK;
}

static err_t set_one(struct msg_queue *q, const struct linux_msqid_ds *ds)
{
        GUARD(&q->base.lock);
        TRY(ipc_may_change_locked(&q->base));
        if (ds->msg_qbytes > ipc_ns_current()->limits.msgmnb && !capable(CAP_SYS_RESOURCE))
                return ERR(EPERM);
        TRY(ipc_perm_set(&q->base, &ds->msg_perm));
        q->max_bytes = ds->msg_qbytes;
        q->ctime = time_wall().sec;
        admit_senders_locked(q);
        return OK;
}

static err_t remove_one(struct msg_queue *q)
{
        GUARD(&q->base.ids->lock);
        GUARD(&q->base.lock);
        TRY(ipc_may_change_locked(&q->base));
        FETCH_SUB(q->base.ids->total, q->bytes);
        FETCH_SUB(q->base.ids->items, q->count);
        ipc_serve_all_locked(&q->receivers, EIDRM);
        ipc_serve_all_locked(&q->senders, EIDRM);
        ipc_remove_locked(&q->base);
        return OK;
}

static err_t control(struct msg_queue *q, u32 cmd, u64 arg, u64 *result)
{
        struct linux_msqid_ds ds = {};

        switch (cmd) {
        case IPC_SET:
                TRY(VM_GET(arg, ds));
                return set_one(q, &ds);
        case IPC_RMID:
                return remove_one(q);
        case IPC_STAT:
        case MSG_STAT:
        case MSG_STAT_ANY:
                TRY(stat_one(q, cmd == MSG_STAT_ANY, &ds));
                TRY(VM_PUT(arg, ds));
                *result = cmd == IPC_STAT ? 0 : (u64)q->base.id;
                return OK;
        default:
                return ERR(EINVAL);
        }
}

err_t msg_control(i32 id, u32 cmd, u64 arg, u64 *result)
{
        struct ipc_ns *ns = ipc_ns_current();
        bool by_index = cmd == MSG_STAT || cmd == MSG_STAT_ANY;

        *result = 0;
        if (id < 0)
                return ERR(EINVAL);
        if (cmd == IPC_INFO || cmd == MSG_INFO)
                return tell_info(ns, cmd == MSG_INFO, arg, result);
        struct ipc_object *o = by_index ? ipc_find_index(&ns->msg, (u32)id) : ipc_find(&ns->msg, id);
        if (!o)
                return ERR(EINVAL);
        err_t err = control(of(o), cmd, arg, result);
        ipc_object_drop(o);
        return err;
}
