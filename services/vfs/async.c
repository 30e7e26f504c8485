/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is sent a signal when a file is ready.  See async.h.
 */
#include "services/vfs/async.h"
#include "services/vfs/file.h"
#include "services/vfs/registry.h"
#include "services/namespace/namespace.h"
#include "services/security/cred.h"
#include "abi/const/signal.h"

LOCK_CLASS(async);
LOCK_CLASS(io_owner, AFTER(async));

OBJECT(io_owner) {
        struct spinlock lock;
        struct signal_target to;        /* lock; ns counted */
        u32 sig;                        /* lock; 0: SIGIO, plain */
        u32 fd;                         /* lock: by which O_ASYNC was set */
        /* the lock of the list it is on */
        struct async_list *list[ASYNC_SIDES];
        struct io_owner *next[ASYNC_SIDES], *prev[ASYNC_SIDES];
        u64 round[ASYNC_SIDES];         /* the last that told it */
};
POOL_DECLARE(io_owner)
static void io_owner_fini(struct io_owner *o) { pid_ns_drop(o->to.ns); }
POOL_DEFINE(io_owner, io_owner_fini);

/* The file's, made if need be; NULL: no memory. */
static struct io_owner *owner_of(struct file *f)
{
        struct io_owner *o = PTR_LOAD(f->owner);

        if (o)
                return o;
        o = io_owner_alloc(payer_current(), MAY_RECLAIM);
        if (!o)
                return NULL;
        lock_init(&o->lock, io_owner);
        io_owner_publish(o);
        if (CMPXCHG(f->owner, NULL, o))
                return o;
        io_owner_drop(o);
        return PTR_LOAD(f->owner);
}

/* ---- Lists ---- */

void async_init(struct async_list *l, u32 side)
{
        lock_init(&l->lock, async);
        l->side = side % ASYNC_SIDES;
}

static void unlink_side(struct io_owner *o, u32 side)
{
        struct async_list *l = o->list[side];

        if (!l)
                return;
        SPIN_GUARD(&l->lock);
        if (o->prev[side])
                o->prev[side]->next[side] = o->next[side];
        else
                PTR_STORE(l->first, o->next[side]);
        if (o->next[side])
                o->next[side]->prev[side] = o->prev[side];
        o->next[side] = o->prev[side] = NULL;
        o->list[side] = NULL;
}

static void link_side(struct io_owner *o, struct async_list *l)
{
        u32 side = l->side % ASYNC_SIDES;

        SPIN_GUARD(&l->lock);
        if (o->list[side])
                return;
        o->list[side] = l;
        o->prev[side] = NULL;
        o->next[side] = l->first;
        if (l->first)
                l->first->prev[side] = o;
        PTR_STORE(l->first, o);
}

/* Bands as poll(2) says them, by POLL_*. */
static u32 band_of(u32 code)
{
        switch (code) {
        case POLL_IN:
                return EPOLLIN | EPOLLRDNORM;
        case POLL_OUT:
                return EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
        case POLL_MSG:
                return EPOLLIN | EPOLLRDNORM | EPOLLMSG;
        case POLL_ERR:
                return EPOLLERR;
        case POLL_PRI:
                return EPOLLPRI | EPOLLRDBAND;
        default:
                return EPOLLHUP | EPOLLERR;
        }
}

static void tell(struct io_owner *o, u32 plain, u32 code)
{
        SPIN_GUARD(&o->lock);
        if (!o->to.id)
                return;
        struct siginfo info = { .signo = o->sig, .code = (i32)code, .band = band_of(code), .fd = o->fd };
        if (!o->sig)
                info = (struct siginfo){ .signo = plain, .code = SI_KERNEL };
        /* A real-time signal that finds no room in the queue leaves a plain one. */
        if (!registry_signal_owner(&o->to, &info) && o->sig) {
                info = (struct siginfo){ .signo = plain, .code = SI_KERNEL };
                registry_signal_owner(&o->to, &info);
        }
}

/* The first of the list that this round has not told, counted. */
static struct io_owner *first_untold_locked(struct async_list *l, u64 round)
{
        u32 side = l->side % ASYNC_SIDES;
        struct io_owner *o = l->first;

        while (o && o->round[side] >= round)
                o = o->next[side];
        return o ? io_owner_hold(o) : NULL;
}

/* The one behind o; if o has left meanwhile, we look from the beginning. */
static struct io_owner *next_untold(struct async_list *l, struct io_owner *o, u64 round)
{
        u32 side = l->side % ASYNC_SIDES;

        SPIN_GUARD(&l->lock);
        o->round[side] = round;
        if (o->list[side] != l)
                return first_untold_locked(l, round);
        return o->next[side] ? io_owner_hold(o->next[side]) : NULL;
}

void async_tell(struct async_list *l, u32 code)
{
        spin_lock(&l->lock);
        u64 round = ++l->rounds;
        struct io_owner *o = l->first ? io_owner_hold(l->first) : NULL;
        spin_unlock(&l->lock);
        while (o) {
                tell(o, SIGIO, code);
                struct io_owner *next = next_untold(l, o, round);
                io_owner_drop(o);
                o = next;
        }
}

void file_tell_owner(struct file *f, u32 sig, u32 code)
{
        struct io_owner *o = PTR_LOAD(f->owner);

        if (o)
                tell(o, sig, code);
}

struct io_owner *file_owner_hold(struct file *f)
{
        struct io_owner *o = PTR_LOAD(f->owner);

        return o ? io_owner_hold(o) : NULL;
}

void io_owner_tell(struct io_owner *o, u32 sig, u32 code)
{
        tell(o, sig, code);
        io_owner_drop(o);
}

/* ---- Files ---- */

void async_end(struct file *f)
{
        struct io_owner *o = PTR_LOAD(f->owner);

        for (u32 side = 0; o && side < ASYNC_SIDES; side++)
                unlink_side(o, side);
}

err_t file_set_async(struct file *f, u32 fd, bool on)
{
        bool any = false;

        if (!f->ops->async)
                return ERR(ENOTTY);
        GUARD(&f->pos_lock);            /* two that set it at once */
        if (!on) {
                FETCH_AND(f->flags, ~(u32)FASYNC);
                async_end(f);
                return OK;
        }
        struct io_owner *o = owner_of(f);
        if (!o)
                return ERR(ENOMEM);
        spin_lock(&o->lock);
        o->fd = fd;
        spin_unlock(&o->lock);
        for (u32 side = 0; side < ASYNC_SIDES; side++) {
                struct async_list *l = f->ops->async(f, side);
                if (l)
                        link_side(o, l);
                any = any || l;
        }
        if (any)
                FETCH_OR(f->flags, FASYNC);
        return OK;
}

err_t file_set_owner(struct file *f, struct owner_id owner)
{
        struct io_owner *o = owner_of(f);
        struct actor who = actor_current();

        if (!o)
                return ERR(ENOMEM);
        struct pid_ns *ns = pid_ns_hold(who.ns->pid);
        spin_lock(&o->lock);
        struct pid_ns *old = o->to.ns;
        o->to = (struct signal_target){ .ns = ns, .kind = owner.kind, .id = owner.id, .uid = who.cred->uid, .euid = who.cred->euid };
        spin_unlock(&o->lock);
        pid_ns_drop(old);
        return OK;
}

struct owner_id file_get_owner(struct file *f)
{
        struct io_owner *o = PTR_LOAD(f->owner);

        if (!o)
                return (struct owner_id){};
        SPIN_GUARD(&o->lock);
        return (struct owner_id){ o->to.kind, o->to.id };
}

err_t file_own_by_default(struct file *f, u32 fd)
{
        struct io_owner *o = owner_of(f);

        if (!o)
                return ERR(ENOMEM);
        spin_lock(&o->lock);
        bool owned = o->to.id != 0;
        o->fd = fd;
        spin_unlock(&o->lock);
        return owned ? OK : file_set_owner(f, (struct owner_id){ F_OWNER_PID, thread_current()->process->tgid });
}

void file_forget_owner(struct file *f)
{
        struct io_owner *o = PTR_LOAD(f->owner);

        FETCH_AND(f->flags, ~(u32)FASYNC);
        if (!o)
                return;
        SPIN_GUARD(&o->lock);
        o->to.id = 0;
        o->to.kind = F_OWNER_TID;
        o->sig = 0;
}

struct owner_id file_owner_uids(struct file *f)
{
        struct io_owner *o = PTR_LOAD(f->owner);

        if (!o)
                return (struct owner_id){};
        SPIN_GUARD(&o->lock);
        return (struct owner_id){ o->to.uid, o->to.euid };
}

err_t file_set_signal(struct file *f, u32 sig)
{
        struct io_owner *o = owner_of(f);

        if (!o)
                return ERR(ENOMEM);
        SPIN_GUARD(&o->lock);
        o->sig = sig;
        return OK;
}

u32 file_get_signal(struct file *f)
{
        struct io_owner *o = PTR_LOAD(f->owner);

        return o ? LOAD(o->sig) : 0;
}

void async_file_gone(struct file *f)
{
        async_end(f);
        io_owner_drop(f->owner);
}
