/* SPDX-License-Identifier: Apache-2.0
 *
 * System V semaphores: semget(2), semop(2), semctl(2).
 *
 * A call whose operations cannot all be done leaves them in its sleeper; whoever changes the set tries the sleepers'
 * in order and does what can be done for them, so the woken need no lock.
 *
 * SEM_UNDO   A thread has an undo list (struct sem_undos), shared by CLONE_SYSVSEM; in it, per set, what is to be
 *            added to each semaphore when the last thread that shares the list ends.
 * Lifetime   An undo record is in its list, and counts its set; the set's list of records does not count.  Of a set
 *            that was removed, the records go when their list is next walked.
 * Locking    sem_undos.lock (mutex), then object.lock.  A record's adjustments and its place at the set:
 *            the set's lock; its place in the list: the list's.
 * Invariants E1  0 <= value <= SEMVMX of every semaphore
 *            E2  no sleeper's operations can all be done
 */
#include "services/ipc/ipc_impl.h"
#include "services/process/process.h"
#include "services/security/cred.h"
#include "services/vfs/vfs.h"
#include "services/vm/vm.h"

LOCK_CLASS(sem_undos);

#define FEW_SEMS   8u
#define CHUNK_SEMS 256u
#define SEMS_MAX   32000u               /* in one set, whatever semmsl says */

struct sem { i32 value; u32 pid; };
OBJECT(sem_chunk) { struct sem sem[CHUNK_SEMS]; };
POOL_DECLARE(sem_chunk)
POOL_DEFINE(sem_chunk, NO_FINI);
OBJECT(sem_chunks) { struct sem_chunk *chunk[SEMS_MAX / CHUNK_SEMS]; };         /* counted */
POOL_DECLARE(sem_chunks)

static void sem_chunks_fini(struct sem_chunks *c)
{
        for (u32 i = 0; i < SEMS_MAX / CHUNK_SEMS; i++)
                sem_chunk_drop(c->chunk[i]);
}
POOL_DEFINE(sem_chunks, sem_chunks_fini);

OBJECT(sem_set) {
        struct ipc_object base;
        u32 count;                      /* fixed */
        struct sem few[FEW_SEMS];       /* base.lock, as all below */
        struct sem_chunks *many;        /* counted; fixed: the semaphores if they are more than FEW_SEMS */
        struct ipc_sleepers sleepers;
        struct sem_undo *undos;         /* list by set_next */
        i64 otime, ctime;               /* seconds since 1970 */
};
POOL_DECLARE(sem_set)
DOWNCASTABLE(sem_set, ipc_object);
static void sem_set_fini(struct sem_set *s) { sem_chunks_drop(s->many); }
POOL_DEFINE(sem_set, sem_set_fini);

OBJECT(sem_undo) {
        struct sem_set *set;            /* counted; fixed */
        struct blob *adjust;            /* counted; fixed: an i16 per semaphore; the set's lock */
        struct sem_undo *set_next, *set_prev;   /* the set's lock */
        struct sem_undo *next;          /* the list's lock */
};
POOL_DECLARE(sem_undo)

static void sem_undo_fini(struct sem_undo *u)
{
        blob_drop(u->adjust);
        sem_set_drop(u->set);
}
POOL_DEFINE(sem_undo, sem_undo_fini);

OBJECT(sem_undos) {
        struct mutex lock;
        u32 threads;                    /* that share it; ATOMIC */
        struct sem_undo *first;         /* counted; lock */
};
POOL_DECLARE(sem_undos)
POOL_DEFINE(sem_undos, NO_FINI);

static struct sem_set *of(struct ipc_object *o) { return DOWNCAST(sem_set, o); }

static struct sem *sem_at(struct sem_set *s, u32 i)
{
        if (!s->many)
                return &s->few[i % FEW_SEMS];
        return &s->many->chunk[i / CHUNK_SEMS % (SEMS_MAX / CHUNK_SEMS)]->sem[i % CHUNK_SEMS];
}

/* ---- Operations; the set's lock is held ---- */

static struct linux_sembuf op_at(bytes ops, u32 i)
{
        struct linux_sembuf op = {};
        POD_READ(&op, bytes_skip(ops, i * sizeof op));
        return op;
}

static u32 op_count(bytes ops) { return (u32)(bytes_len(ops) / sizeof(struct linux_sembuf)); }

static i32 adjust_get(struct sem_undo *u, u32 i) { return (i16)bytes_le16(blob_bytes(u->adjust), 2 * i); }
static void adjust_set(struct sem_undo *u, u32 i, i32 v) { mbytes_put_le16(blob_mbytes(u->adjust), 2 * i, (u16)v); }

enum outcome { DONE, BLOCKED, REFUSED };

/* REFUSED: ERANGE. */
static enum outcome do_one(struct sem_set *s, struct linux_sembuf op, struct sem_undo *undo)
{
        struct sem *sem = sem_at(s, op.sem_num);
        i32 after = sem->value + op.sem_op;

        if ((op.sem_op == 0 && sem->value != 0) || after < 0)
                return BLOCKED;
        if (after > SEMVMX)
                return REFUSED;
        if (op.sem_op != 0 && (op.sem_flg & SEM_UNDO)) {
                i32 adjust = adjust_get(undo, op.sem_num) - op.sem_op;
                if (adjust < -SEMAEM - 1 || adjust > SEMAEM)
                        return REFUSED;
                adjust_set(undo, op.sem_num, adjust);
        }
        sem->value = after;
        return DONE;
}

static void take_back(struct sem_set *s, bytes ops, u32 n, struct sem_undo *undo)
{
        while (n-- > 0) {
                struct linux_sembuf op = op_at(ops, n);
                sem_at(s, op.sem_num)->value -= op.sem_op;
                if (op.sem_flg & SEM_UNDO)
                        adjust_set(undo, op.sem_num, adjust_get(undo, op.sem_num) + op.sem_op);
        }
}

/* All of them, or none; *at: the one that cannot be done. */
static enum outcome do_all(struct sem_set *s, bytes ops, struct sem_undo *undo, u32 pid, u32 *at)
{
        u32 n = op_count(ops);

        for (u32 i = 0; i < n; i++) {
                enum outcome out = do_one(s, op_at(ops, i), undo);
                if (out == DONE)
                        continue;
                take_back(s, ops, i, undo);
                *at = i;
                return out;
        }
        for (u32 i = 0; i < n; i++)
                sem_at(s, op_at(ops, i).sem_num)->pid = pid;
        s->otime = time_wall().sec;
        return DONE;
}

static bool alters(bytes ops)
{
        for (u32 i = 0; i < op_count(ops); i++)
                if (op_at(ops, i).sem_op != 0)
                        return true;
        return false;
}

/* Values have changed: keeps E2. */
static void serve_sleepers_locked(struct sem_set *s)
{
        struct ipc_sleeper *next;

        for (struct ipc_sleeper *w = s->sleepers.first; w; w = next) {
                bytes ops = blob_bytes(w->ops);
                next = w->next;
                enum outcome out = do_all(s, ops, w->undo, w->pid, &w->blocked_on);
                if (out == BLOCKED) {
                        if (op_at(ops, w->blocked_on).sem_flg & IPC_NOWAIT)
                                ipc_serve_locked(&s->sleepers, w, EAGAIN);
                        continue;
                }
                bool altered = out == DONE && alters(ops);
                ipc_serve_locked(&s->sleepers, w, out == DONE ? 0 : ERANGE);
                if (altered)                    /* an earlier one may go on now */
                        next = s->sleepers.first;
        }
}

/* ---- Undo lists ---- */

static struct sem_undos *undos_of(struct thread *t)
{
        if (!t->sem_undos) {
                struct sem_undos *l = sem_undos_alloc(t->payer, MAY_RECLAIM);
                if (!l)
                        return NULL;
                lock_init(&l->lock, sem_undos);
                l->threads = 1;
                sem_undos_publish(l);
                t->sem_undos = l;
        }
        return t->sem_undos;
}

static void unlink_from_set_locked(struct sem_undo *u)
{
        if (u->set_prev)
                u->set_prev->set_next = u->set_next;
        else
                u->set->undos = u->set_next;
        if (u->set_next)
                u->set_next->set_prev = u->set_prev;
}

/* The record of this set, or NULL; those of sets that are gone are dropped. */
static struct sem_undo *find_undo_locked(struct sem_undos *l, struct sem_set *s)
{
        struct sem_undo *last = NULL, *next, *found = NULL;

        for (struct sem_undo *u = l->first; u; u = next) {
                next = u->next;
                if (u->set == s)
                        found = u;
                if (u->set == s || !LOAD(u->set->base.removed)) {
                        last = u;
                        continue;
                }
                if (last)
                        last->next = next;
                else
                        l->first = next;
                mutex_lock(&u->set->base.lock);
                unlink_from_set_locked(u);
                mutex_unlock(&u->set->base.lock);
                sem_undo_drop(u);
        }
        return found;
}

static err_t make_undo_locked(struct sem_undos *l, struct sem_set *s, struct sem_undo **out)
{
        struct sem_undo *u = sem_undo_alloc(payer_current(), MAY_RECLAIM);

        if (!u)
                return ERR(ENOMEM);
        u->adjust = blob_alloc(payer_current(), 2ul * s->count);
        if (!u->adjust) {
                sem_undo_drop(u);
                return ERR(ENOMEM);
        }
        u->set = sem_set_hold(s);
        u->next = l->first;
        l->first = u;
        mutex_lock(&s->base.lock);
        u->set_prev = NULL;
        u->set_next = s->undos;
        if (s->undos)
                s->undos->set_prev = u;
        s->undos = u;
        mutex_unlock(&s->base.lock);
        *out = u;
        return OK;
}

static err_t undo_for(struct sem_set *s, struct sem_undo **out)
{
        struct sem_undos *l = undos_of(thread_current());

        if (!l)
                return ERR(ENOMEM);
        GUARD(&l->lock);
        *out = find_undo_locked(l, s);
        return *out ? OK : make_undo_locked(l, s, out);
}

err_t sem_undo_share(struct thread *from, struct thread *child)
{
        struct sem_undos *l = undos_of(from);

        if (!l)
                return ERR(ENOMEM);
        FETCH_ADD(l->threads, 1u);
        child->sem_undos = sem_undos_hold(l);
        return OK;
}

static void undo_set(struct sem_undo *u, u32 pid)
{
        struct sem_set *s = u->set;
        bool changed = false;

        GUARD(&s->base.lock);
        unlink_from_set_locked(u);
        if (s->base.removed)
                return;
        for (u32 i = 0; i < s->count; i++) {
                i32 by = adjust_get(u, i);
                if (by == 0)
                        continue;
                struct sem *sem = sem_at(s, i);
                i32 v = sem->value + by;
                sem->value = v < 0 ? 0 : v > SEMVMX ? SEMVMX : v;
                sem->pid = pid;
                changed = true;
        }
        if (!changed)
                return;
        s->otime = time_wall().sec;
        serve_sleepers_locked(s);
}

void sem_undo_exit(struct thread *t)
{
        struct sem_undos *l = t->sem_undos;

        if (!l)
                return;
        t->sem_undos = NULL;
        if (FETCH_SUB(l->threads, 1u) == 1) {
                while (l->first) {
                        struct sem_undo *u = l->first;
                        l->first = u->next;
                        undo_set(u, t->process->tgid);
                        sem_undo_drop(u);
                }
        }
        sem_undos_drop(l);
}

/* ---- semop ---- */

/* Called with the set's lock, returns without. */
static err_t wait_for_ops(struct sem_set *s, bytes ops, struct sem_undo *undo, u32 blocked_on, u64 deadline)
{
        struct ipc_sleeper *w = ipc_sleeper_alloc(payer_current(), MAY_RECLAIM);
        bool served = false;

        if (w)
                w->ops = blob_copy(payer_current(), ops);
        if (!w || !w->ops) {
                mutex_unlock(&s->base.lock);
                ipc_sleeper_drop(w);
                return ERR(ENOMEM);
        }
        w->undo = undo;
        w->pid = ipc_pid();
        w->blocked_on = blocked_on;
        ipc_sleepers_push_back(&s->sleepers, w);
        err_t err = ipc_sleep(&s->base.lock, &s->sleepers, w, deadline, &served);
        if (served) {
                err = ERR((int)w->error);
        } else {
                mutex_unlock(&s->base.lock);
                err = err_is(err, ETIMEDOUT) ? ERR(EAGAIN) : err;
        }
        ipc_sleeper_drop(w);
        return err;
}

static err_t operate(struct sem_set *s, bytes ops, struct sem_undo *undo, u64 deadline)
{
        u32 at = 0;
        err_t err = OK;

        mutex_lock(&s->base.lock);
        enum outcome out = s->base.removed ? REFUSED : do_all(s, ops, undo, ipc_pid(), &at);
        if (out == BLOCKED && !(op_at(ops, at).sem_flg & IPC_NOWAIT))
                return wait_for_ops(s, ops, undo, at, deadline);
        if (s->base.removed)
                err = ERR(EIDRM);
        else if (out == REFUSED)
                err = ERR(ERANGE);
        else if (out == BLOCKED)
                err = ERR(EAGAIN);
        else if (s->sleepers.first)
                serve_sleepers_locked(s);
        mutex_unlock(&s->base.lock);
        return err;
}

static err_t permit(struct sem_set *s, bytes ops)
{
        GUARD(&s->base.lock);
        return ipc_permission(&s->base, alters(ops) ? 0222 : 0444);
}

static err_t operate_found(struct sem_set *s, bytes ops, u64 deadline)
{
        struct sem_undo *undo = NULL;
        bool undoes = false;

        for (u32 i = 0; i < op_count(ops); i++) {
                struct linux_sembuf op = op_at(ops, i);
                if (op.sem_num >= s->count)
                        return ERR(EFBIG);
                undoes |= (op.sem_flg & SEM_UNDO) != 0;
        }
        TRY(permit(s, ops));
        if (undoes)
                TRY(undo_for(s, &undo));
        return operate(s, ops, undo, deadline);
}

err_t sem_operate(i32 id, bytes ops, u64 deadline)
{
        struct ipc_object *o = ipc_find(&ipc_ns_current()->sem, id);

        if (!o)
                return ERR(EINVAL);
        err_t err = operate_found(of(o), ops, deadline);
        ipc_object_drop(o);
        return err;
}

/* ---- semget ---- */

static bool make_chunks(struct sem_set *s, u32 count)
{
        if (count <= FEW_SEMS)
                return true;
        s->many = sem_chunks_alloc(payer_current(), MAY_RECLAIM);
        if (!s->many)
                return false;
        for (u32 i = 0; i * CHUNK_SEMS < count; i++) {
                s->many->chunk[i] = sem_chunk_alloc(payer_current(), MAY_RECLAIM);
                if (!s->many->chunk[i])
                        return false;
        }
        return true;
}

static err_t sem_make(struct ipc_ns *ns, const struct ipc_request *r, struct ipc_object **out)
{
        u32 count = (u32)r->size;

        if (count == 0)
                return ERR(EINVAL);
        if (ns->sem.count >= ns->limits.semmni || ns->sem.total + count > ns->limits.semmns)
                return ERR(ENOSPC);
        struct sem_set *s = sem_set_alloc(payer_current(), MAY_RECLAIM);
        if (!s)
                return ERR(ENOMEM);
        if (!make_chunks(s, count)) {
                sem_set_drop(s);
                return ERR(ENOMEM);
        }
        s->count = count;
        s->ctime = time_wall().sec;
        *out = &s->base;
        return OK;
}

static void sem_added(struct ipc_object *o) { FETCH_ADD(o->ids->total, (u64)of(o)->count); }

static err_t sem_fits(struct ipc_object *o, const struct ipc_request *r) { return r->size > of(o)->count ? ERR(EINVAL) : OK; }

static const struct ipc_kind sem_kind = { .make = sem_make, .added = sem_added, .fits = sem_fits };

err_t sem_get(i32 key, i32 count, u32 flags, i32 *id)
{
        struct ipc_ns *ns = ipc_ns_current();

        if (count < 0 || (u32)count > min_u32(ns->limits.semmsl, SEMS_MAX))
                return ERR(EINVAL);
        return ipc_get(ns, &ns->sem, &sem_kind, (struct ipc_request){ key, flags, (u64)count }, id);
}

/* ---- semctl on a set ---- */

/* The lock is held. */
static struct linux_semid_ds describe(struct sem_set *s)
{
        return (struct linux_semid_ds){ .sem_perm = ipc_perm_of(&s->base), .sem_otime = s->otime, .sem_ctime = s->ctime, .sem_nsems = s->count };
}

bool sem_next(struct ipc_ns *ns, u32 *index, struct sem_info *out)
{
        struct ipc_object *o = ipc_find_next(&ns->sem, index);

        if (!o)
                return false;
        mutex_lock(&o->lock);
        *out = (struct sem_info){ .id = o->id, .ds = describe(of(o)) };
        mutex_unlock(&o->lock);
        ipc_object_drop(o);
        return true;
}

static err_t tell_info(struct ipc_ns *ns, bool usage, u64 arg, u64 *result)
{
        struct linux_seminfo info = {
                .semmni = (i32)ns->limits.semmni, .semmns = (i32)ns->limits.semmns, .semmsl = (i32)ns->limits.semmsl,
                .semopm = (i32)ns->limits.semopm, .semvmx = SEMVMX, .semmnu = SEMMNU, .semmap = SEMMAP, .semume = SEMUME,
                .semusz = SEMUSZ, .semaem = SEMAEM,
        };

        if (usage) {
                info.semusz = (i32)LOAD(ns->sem.count);
                info.semaem = (i32)LOAD(ns->sem.total);
        }
        *result = ipc_highest_index(&ns->sem);
        return VM_PUT(arg, info);
}

static err_t stat_one(struct sem_set *s, bool any, struct linux_semid_ds *ds)
{
        GUARD(&s->base.lock);
        TRY(ipc_may_use_locked(&s->base, any ? 0 : 0444));
        *ds = describe(s);
        return OK;
}

static err_t set_one(struct sem_set *s, const struct linux_semid_ds *ds)
{
        GUARD(&s->base.lock);
        TRY(ipc_may_change_locked(&s->base));
        TRY(ipc_perm_set(&s->base, &ds->sem_perm));
        s->ctime = time_wall().sec;
        return OK;
}

static err_t remove_one(struct sem_set *s)
{
        GUARD(&s->base.ids->lock);
        GUARD(&s->base.lock);
        TRY(ipc_may_change_locked(&s->base));
        FETCH_SUB(s->base.ids->total, (u64)s->count);
        ipc_serve_all_locked(&s->sleepers, EIDRM);
        ipc_remove_locked(&s->base);
        return OK;
}

/* ---- semctl on semaphores ---- */

static u32 count_sleepers_locked(struct sem_set *s, u32 num, bool for_zero)
{
        u32 n = 0;

        for (struct ipc_sleeper *w = s->sleepers.first; w; w = w->next) {
                struct linux_sembuf op = op_at(blob_bytes(w->ops), w->blocked_on);
                if (op.sem_num == num && (op.sem_op == 0) == for_zero)
                        n++;
        }
        return n;
}

static err_t get_locked(struct sem_set *s, u32 num, u32 cmd, u64 *result)
{
        switch (cmd) {
        case GETVAL:
                *result = (u64)sem_at(s, num)->value;
                break;
        case GETPID:
                *result = sem_at(s, num)->pid;
                break;
        default:
                *result = count_sleepers_locked(s, num, cmd == GETZCNT);
                break;
        }
        return OK;
}

static void store_locked(struct sem_set *s, u32 i, i32 value)
{
        *sem_at(s, i) = (struct sem){ .value = value, .pid = ipc_pid() };
        for (struct sem_undo *u = s->undos; u; u = u->set_next)
                adjust_set(u, i, 0);
}

static err_t value_control(struct sem_set *s, i32 num, u32 cmd, u64 arg, u64 *result)
{
        i32 value = (i32)(u32)arg;

        if (cmd == SETVAL && (value < 0 || value > SEMVMX))
                return ERR(ERANGE);
        GUARD(&s->base.lock);
        if (cmd == SETVAL && (num < 0 || (u32)num >= s->count))
                return ERR(EINVAL);
        TRY(ipc_permission(&s->base, cmd == SETVAL ? 0222 : 0444));
        if (s->base.removed)
                return ERR(EIDRM);
        if (num < 0 || (u32)num >= s->count)
                return ERR(EINVAL);
        if (cmd != SETVAL)
                return get_locked(s, (u32)num, cmd, result);
        store_locked(s, (u32)num, value);
        s->ctime = time_wall().sec;
        serve_sleepers_locked(s);
        return OK;
}

/* All values, as u16s in buf. */
static err_t get_all(struct sem_set *s, mbytes buf)
{
        GUARD(&s->base.lock);
        if (s->base.removed)
                return ERR(EIDRM);
        for (u32 i = 0; i < s->count; i++)
                mbytes_put_le16(buf, 2 * i, (u16)sem_at(s, i)->value);
        return OK;
}

static err_t set_all(struct sem_set *s, bytes buf)
{
        for (u32 i = 0; i < s->count; i++)
                if (bytes_le16(buf, 2 * i) > SEMVMX)
                        return ERR(ERANGE);
        GUARD(&s->base.lock);
        if (s->base.removed)
                return ERR(EIDRM);
        for (u32 i = 0; i < s->count; i++)
                store_locked(s, i, bytes_le16(buf, 2 * i));
        s->ctime = time_wall().sec;
        serve_sleepers_locked(s);
        return OK;
}

static err_t all_with(struct sem_set *s, u32 cmd, u64 at, struct blob *buf)
{
        if (cmd == GETALL) {
                TRY(get_all(s, blob_mbytes(buf)));
                return vm_copy_out(at, blob_bytes(buf));
        }
        TRY(vm_copy_in(blob_mbytes(buf), at));
        return set_all(s, blob_bytes(buf));
}

static err_t all_control(struct sem_set *s, u32 cmd, u64 at)
{
        mutex_lock(&s->base.lock);
        err_t err = ipc_permission(&s->base, cmd == SETALL ? 0222 : 0444);
        mutex_unlock(&s->base.lock);
        TRY(err);
        struct blob *buf = blob_alloc(payer_current(), 2ul * s->count);
        if (!buf)
                return ERR(ENOMEM);
        err = all_with(s, cmd, at, buf);
        blob_drop(buf);
        return err;
}

static err_t control(struct sem_set *s, i32 num, u32 cmd, u64 arg, u64 *result)
{
        struct linux_semid_ds ds = {};

        switch (cmd) {
        case GETVAL:
        case GETPID:
        case GETNCNT:
        case GETZCNT:
        case SETVAL:
                return value_control(s, num, cmd, arg, result);
        case GETALL:
        case SETALL:
                return all_control(s, cmd, arg);
        case IPC_SET:
                TRY(VM_GET(arg, ds));
                return set_one(s, &ds);
        case IPC_RMID:
                return remove_one(s);
        case IPC_STAT:
        case SEM_STAT:
        case SEM_STAT_ANY:
                TRY(stat_one(s, cmd == SEM_STAT_ANY, &ds));
                TRY(VM_PUT(arg, ds));
                *result = cmd == IPC_STAT ? 0 : (u64)s->base.id;
                return OK;
        default:
                return ERR(EINVAL);
        }
}

err_t sem_control(i32 id, i32 num, u32 cmd, u64 arg, u64 *result)
{
        struct ipc_ns *ns = ipc_ns_current();
        bool by_index = cmd == SEM_STAT || cmd == SEM_STAT_ANY;

        *result = 0;
        if (id < 0)
                return ERR(EINVAL);
        if (cmd == IPC_INFO || cmd == SEM_INFO)
                return tell_info(ns, cmd == SEM_INFO, arg, result);
        struct ipc_object *o = by_index ? ipc_find_index(&ns->sem, (u32)id) : ipc_find(&ns->sem, id);
        if (!o)
                return ERR(EINVAL);
        err_t err = control(of(o), num, cmd, arg, result);
        ipc_object_drop(o);
        return err;
}
