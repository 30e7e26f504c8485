/* SPDX-License-Identifier: Apache-2.0
 *
 * System V shared memory: shmget(2), shmat(2), shmctl(2).
 *
 * A segment is an unlinked file of tmpfs.  Each attachment is an open file of its own (as /proc/PID/map_files
 * shows on Linux) over the same pages; what counts as attached is each area of memory that maps one, so a fork adds
 * as many as the parent has, and a hole in the middle makes two of one.  The vm tells of areas by file_ops.area.
 *
 * Lifetime   The table holds a segment until IPC_RMID; if it is attached then, it is marked SHM_DEST and
 *            loses its key, and the last area to go takes it out of the table.  An open file holds its segment.
 * Locking    object.lock; under it and under the vm's locks attach_lock (spin, a leaf).
 * Invariants S1  a segment in the table with SHM_DEST is attached
 */
#include "services/ipc/ipc_impl.h"
#include "services/process/account.h"
#include "services/process/process.h"
#include "services/security/cred.h"
#include "services/tmpfs/tmpfs.h"
#include "services/vfs/vfs.h"
#include "services/vm/vm.h"
#include "abi/const/mm.h"

LOCK_CLASS(shm_attach);

OBJECT(shm_segment) {
        struct ipc_object base;
        struct ipc_ns *ns;              /* borrowed: whoever asks holds it */
        struct file *file;              /* counted; fixed, as all to `domain` */
        u64   size, pages;
        u64   promised;                 /* pages charged to the domain */
        u32   cpid;
        struct vm_domain *domain;       /* counted */
        i64   ctime;                    /* base.lock; seconds since 1970, as all times */
        struct thread *maker;           /* not counted: NULL once it has ended; base.lock */
        struct account *locker;         /* counted: who pays for SHM_LOCK; base.lock */
        struct spinlock attach_lock;
        /* attach_lock */
        u32   attached, lpid;
        i64   atime, dtime;
};
POOL_DECLARE(shm_segment)
DOWNCASTABLE(shm_segment, ipc_object);

static void unlock_memory(struct shm_segment *s)
{
        if (!s->locker)
                return;
        FETCH_SUB(s->locker->shm_locked, s->pages);
        account_drop(s->locker);
        s->locker = NULL;
}

static void shm_segment_fini(struct shm_segment *s)
{
        unlock_memory(s);
        file_drop(s->file);
        if (s->domain) {
                vm_uncommit(s->domain, s->promised);
                vm_domain_drop(s->domain);
        }
}
POOL_DEFINE(shm_segment, shm_segment_fini);

/* One attachment's open file. */
OBJECT(shm_file) {
        struct file base;
        struct shm_segment *segment;    /* counted; fixed */
        struct ipc_ns *ns;              /* counted; fixed: the segment's table is in it */
};
POOL_DECLARE(shm_file)
DOWNCASTABLE(shm_file, file);

static void shm_file_fini(struct shm_file *f)
{
        file_fini(&f->base);
        shm_segment_drop(f->segment);
        ipc_ns_drop(f->ns);
}
POOL_DEFINE(shm_file, shm_file_fini);

static struct shm_segment *of(struct ipc_object *o) { return DOWNCAST(shm_segment, o); }

/* ---- Attachments ---- */

static u32 attached(struct shm_segment *s)
{
        SPIN_GUARD(&s->attach_lock);
        return s->attached;
}

static void remove_locked(struct shm_segment *s)
{
        FETCH_SUB(s->base.ids->total, s->pages);
        ipc_remove_locked(&s->base);
}

static bool may_go(struct shm_segment *s)
{
        return (s->base.mode & SHM_DEST) != 0 || LOAD(s->ns->limits.shm_rmid_forced);
}

/* Out of the table, if it is time (S1). */
static void remove_unattached(struct shm_segment *s)
{
        if (!may_go(s) || LOAD(s->base.removed))
                return;
        GUARD(&s->base.ids->lock);
        GUARD(&s->base.lock);
        if (may_go(s) && !s->base.removed && attached(s) == 0)
                remove_locked(s);
}

static void attach(struct shm_segment *s)
{
        SPIN_GUARD(&s->attach_lock);
        s->attached++;
}

static void detach(struct shm_segment *s)
{
        spin_lock(&s->attach_lock);
        bool last = --s->attached == 0;
        spin_unlock(&s->attach_lock);
        if (last)
                remove_unattached(s);
}

void shm_exit(struct thread *t)
{
        struct ipc_ids *ids = &t->ns->ipc->shm;
        struct ipc_object *o;

        if (!t->made_shm)
                return;
        for (u32 i = 0; (o = ipc_find_next(ids, &i)); ipc_object_drop(o)) {
                if (PTR_LOAD(of(o)->maker) != t)
                        continue;
                mutex_lock(&o->lock);
                PTR_STORE(of(o)->maker, NULL);
                mutex_unlock(&o->lock);
                remove_unattached(of(o));
        }
}

void shm_forced(struct ipc_ns *ns)
{
        struct ipc_object *o;

        for (u32 i = 0; LOAD(ns->limits.shm_rmid_forced) && (o = ipc_find_next(&ns->shm, &i)); ipc_object_drop(o))
                if (!PTR_LOAD(of(o)->maker))
                        remove_unattached(of(o));
}

static void shm_area(struct file *f, bool mapped)
{
        struct shm_segment *s = DOWNCAST(shm_file, f)->segment;
        i64 now = time_wall().sec;

        {
                SPIN_GUARD(&s->attach_lock);
                s->lpid = ipc_pid();
                if (mapped)
                        s->atime = now;
                else
                        s->dtime = now;
        }
        if (mapped)
                attach(s);
        else
                detach(s);
}

/* For madvise(2), MADV_REMOVE. */
static err_t shm_fallocate(struct file *f, u32 mode, u64 off, u64 len)
{
        return DOWNCAST(shm_file, f)->segment->file->ops->fallocate(f, mode, off, len);
}

static const struct file_ops shm_file_ops = { .mmap = generic_mmap, .fallocate = shm_fallocate, .area = shm_area, .flags = FOPS_AREAS };

static err_t open_segment(struct shm_segment *s, struct ipc_ns *ns, bool write, struct file **out)
{
        struct shm_file *f = shm_file_alloc(payer_current(), MAY_RECLAIM);

        if (!f)
                return ERR(ENOMEM);
        file_init(&f->base, &shm_file_ops, &s->file->path, cred_current(), write ? O_RDWR : O_RDONLY);
        f->segment = shm_segment_hold(s);
        f->ns = ipc_ns_hold(ns);
        shm_file_publish(f);
        *out = &f->base;
        return OK;
}

struct attaching { u64 addr; u32 flags, prot, need; };

static err_t check_attach(u64 addr, u32 flags, struct attaching *a)
{
        *a = (struct attaching){ .addr = addr, .flags = flags, .prot = PROT_READ | PROT_WRITE, .need = 0666 };
        if (addr & PAGE_MASK) {
                if (!(flags & SHM_RND))
                        return ERR(EINVAL);
                a->addr = addr & ~PAGE_MASK;
        }
        if (!a->addr && (flags & SHM_REMAP))
                return ERR(EINVAL);
        if (flags & SHM_RDONLY) {
                a->prot = PROT_READ;
                a->need = 0444;
        }
        if (flags & SHM_EXEC) {
                a->prot |= PROT_EXEC;
                a->need |= 0111;
        }
        return OK;
}

static err_t attach_checked(struct shm_segment *s, u32 need)
{
        GUARD(&s->base.lock);
        TRY(ipc_may_use_locked(&s->base, need));
        attach(s);
        return OK;
}

static err_t map_segment(struct shm_segment *s, struct ipc_ns *ns, const struct attaching *a, u64 *at)
{
        struct file *f = NULL;

        TRY(open_segment(s, ns, !(a->flags & SHM_RDONLY), &f));
        struct vm_mmap m = { .addr = a->addr, .len = s->size, .prot = a->prot, .flags = MAP_SHARED, .file = f };
        if (a->addr)
                m.flags |= a->flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
        err_t err = a->addr && a->addr + s->size < a->addr ? ERR(EINVAL) : vm_mmap(vm_current(), m, at);
        file_drop(f);
        return err_is(err, EEXIST) ? ERR(EINVAL) : err;
}

err_t shm_attach(i32 id, u64 addr, u32 flags, u64 *at)
{
        struct ipc_ns *ns = ipc_ns_current();
        struct attaching a;

        if (id < 0)
                return ERR(EINVAL);
        TRY(check_attach(addr, flags, &a));
        struct ipc_object *o = ipc_find(&ns->shm, id);
        if (!o)
                return ERR(EINVAL);
        struct shm_segment *s = of(o);
        /* Counted as attached meanwhile, so that it stays. */
        err_t err = attach_checked(s, a.need);
        if (succeeded(err)) {
                err = map_segment(s, ns, &a, at);
                detach(s);
        }
        shm_segment_drop(s);
        return err;
}

err_t shm_detach(u64 addr) { return vm_detach(vm_current(), addr, &shm_file_ops); }

/* ---- Making ---- */

static err_t make_file(struct shm_segment *s, i32 key, u64 size)
{
        struct actor who = actor_current();
        u8 name[32];
        mbytes m = MBYTES_OF(name);
        usize n = format(m, "/SYSV");

        for (u32 i = 0; i < 8; i++) {
                u32 d = (u32)key >> (28 - 4 * i) & 15;
                mbytes_put(m, n++, (u8)(d < 10 ? '0' + d : 'a' + d - 10));
        }
        n += mbytes_copy(mbytes_skip(m, n), STR(" (deleted)"));
        return tmpfs_new_nameless(&who, vm_shmem(s->domain), bytes_take(BYTES_OF(name), n), size, &s->file);
}

static err_t fill_segment(struct shm_segment *s, const struct ipc_request *r, u64 pages)
{
        s->domain = vm_domain_hold(vm_domain_of(vm_current()));
        if (!(r->flags & SHM_NORESERVE) || vm_settings(s->domain).overcommit == OVERCOMMIT_NEVER) {
                TRY(vm_commit(s->domain, pages));
                s->promised = pages;
        }
        s->size = r->size;
        s->pages = pages;
        return make_file(s, r->key, r->size);
}

static err_t shm_make(struct ipc_ns *ns, const struct ipc_request *r, struct ipc_object **out)
{
        u64 pages = (r->size >> PAGE_SHIFT) + ((r->size & PAGE_MASK) != 0);

        if (r->size < SHMMIN || r->size > ns->limits.shmmax)
                return ERR(EINVAL);
        if (pages + ns->shm.total < pages || pages + ns->shm.total > ns->limits.shmall || ns->shm.count >= ns->limits.shmmni)
                return ERR(ENOSPC);
        /* Huge pages: there are none in the pool. */
        if (r->flags & SHM_HUGETLB)
                return capable(CAP_IPC_LOCK) ? ERR(ENOMEM) : ERR(EPERM);
        struct shm_segment *s = shm_segment_alloc(payer_current(), MAY_RECLAIM);
        if (!s)
                return ERR(ENOMEM);
        err_t err = fill_segment(s, r, pages);
        if (failed(err)) {
                shm_segment_drop(s);
                return err;
        }
        lock_init(&s->attach_lock, shm_attach);
        s->ns = ns;
        s->cpid = ipc_pid();
        s->maker = thread_current();
        s->maker->made_shm = true;
        s->ctime = time_wall().sec;
        *out = &s->base;
        return OK;
}

static void shm_added(struct ipc_object *o) { FETCH_ADD(o->ids->total, of(o)->pages); }

static err_t shm_fits(struct ipc_object *o, const struct ipc_request *r) { return r->size > of(o)->size ? ERR(EINVAL) : OK; }

static const struct ipc_kind shm_kind = { .make = shm_make, .added = shm_added, .fits = shm_fits };

err_t shm_get(i32 key, u64 size, u32 flags, i32 *id)
{
        struct ipc_ns *ns = ipc_ns_current();

        return ipc_get(ns, &ns->shm, &shm_kind, (struct ipc_request){ key, flags, size }, id);
}

/* ---- Telling ---- */

/* base.lock is held. */
static struct linux_shmid_ds describe(struct shm_segment *s)
{
        SPIN_GUARD(&s->attach_lock);
        return (struct linux_shmid_ds){
                .shm_perm = ipc_perm_of(&s->base), .shm_segsz = s->size, .shm_atime = s->atime, .shm_dtime = s->dtime,
                .shm_ctime = s->ctime, .shm_cpid = (i32)s->cpid, .shm_lpid = (i32)s->lpid, .shm_nattch = s->attached,
        };
}

static u64 rss_pages(struct shm_segment *s) { return mapping_pages(&s->file->inode->mapping); }

bool shm_next(struct ipc_ns *ns, u32 *index, struct shm_info *out)
{
        struct ipc_object *o = ipc_find_next(&ns->shm, index);

        if (!o)
                return false;
        mutex_lock(&o->lock);
        *out = (struct shm_info){ .id = o->id, .ds = describe(of(o)), .rss = rss_pages(of(o)) * PAGE_SIZE };
        mutex_unlock(&o->lock);
        ipc_object_drop(o);
        return true;
}

static err_t tell_limits(struct ipc_ns *ns, u64 arg, u64 *result)
{
        struct linux_shminfo info = {
                .shmmax = ns->limits.shmmax, .shmmin = SHMMIN, .shmmni = ns->limits.shmmni, .shmseg = ns->limits.shmmni,
                .shmall = ns->limits.shmall,
        };

        *result = ipc_highest_index(&ns->shm);
        return VM_PUT(arg, info);
}

static err_t tell_usage(struct ipc_ns *ns, u64 arg, u64 *result)
{
        struct linux_shm_info info = { .used_ids = (i32)LOAD(ns->shm.count), .shm_tot = LOAD(ns->shm.total) };
        struct shm_info one;

        for (u32 i = 0; shm_next(ns, &i, &one);)
                info.shm_rss += one.rss >> PAGE_SHIFT;
        *result = ipc_highest_index(&ns->shm);
        return VM_PUT(arg, info);
}

static err_t stat_one(struct shm_segment *s, bool any, struct linux_shmid_ds *ds)
{
        GUARD(&s->base.lock);
        TRY(ipc_may_use_locked(&s->base, any ? 0 : 0444));
        *ds = describe(s);
        return OK;
}

/* ---- Changing ---- */

static err_t set_one(struct shm_segment *s, const struct linux_shmid_ds *ds)
{
        GUARD(&s->base.lock);
        TRY(ipc_may_change_locked(&s->base));
        TRY(ipc_perm_set(&s->base, &ds->shm_perm));
        s->ctime = time_wall().sec;
        return OK;
}

static err_t remove_one(struct shm_segment *s)
{
        GUARD(&s->base.ids->lock);
        GUARD(&s->base.lock);
        TRY(ipc_may_change_locked(&s->base));
        if (attached(s) == 0) {
                remove_locked(s);
        } else {
                s->base.mode |= SHM_DEST;
                ipc_forget_key_locked(&s->base);
                /* The last may have gone between the two looks, and seen no SHM_DEST yet. */
                if (attached(s) == 0)
                        remove_locked(s);
        }
        return OK;
}

static err_t lock_memory(struct shm_segment *s)
{
        struct thread *t = thread_current();
        u64 limit = rlimit_get(t->process, RLIMIT_MEMLOCK) >> PAGE_SHIFT;
        bool may = capable(CAP_IPC_LOCK);

        if (s->base.mode & SHM_LOCKED)
                return OK;
        if (FETCH_ADD(t->account->shm_locked, s->pages) + s->pages > limit && !may) {
                FETCH_SUB(t->account->shm_locked, s->pages);
                return ERR(ENOMEM);
        }
        s->locker = account_hold(t->account);
        s->base.mode |= SHM_LOCKED;
        return OK;
}

static err_t lock_one(struct shm_segment *s, bool on)
{
        const struct cred *cred = cred_current();

        GUARD(&s->base.lock);
        if (s->base.removed)
                return ERR(EIDRM);
        if (!capable(CAP_IPC_LOCK)) {
                if (cred->euid != s->base.uid && cred->euid != s->base.cuid)
                        return ERR(EPERM);
                if (on && rlimit_get(thread_current()->process, RLIMIT_MEMLOCK) == 0)
                        return ERR(EPERM);
        }
        if (on)
                return lock_memory(s);
        unlock_memory(s);
        s->base.mode &= ~(u32)SHM_LOCKED;
        return OK;
}

static err_t control(struct shm_segment *s, u32 cmd, u64 arg, u64 *result)
{
        struct linux_shmid_ds ds = {};

        switch (cmd) {
        case IPC_STAT:
        case SHM_STAT:
        case SHM_STAT_ANY:
                TRY(stat_one(s, cmd == SHM_STAT_ANY, &ds));
                TRY(VM_PUT(arg, ds));
                *result = cmd == IPC_STAT ? 0 : (u64)s->base.id;
                return OK;
        case IPC_SET:
                TRY(VM_GET(arg, ds));
                return set_one(s, &ds);
        case IPC_RMID:
                return remove_one(s);
        case SHM_LOCK:
        case SHM_UNLOCK:
                return lock_one(s, cmd == SHM_LOCK);
        default:
                return ERR(EINVAL);
        }
}

err_t shm_control(i32 id, u32 cmd, u64 arg, u64 *result)
{
        struct ipc_ns *ns = ipc_ns_current();
        bool by_index = cmd == SHM_STAT || cmd == SHM_STAT_ANY;

        *result = 0;
        if (id < 0)
                return ERR(EINVAL);
        if (cmd == IPC_INFO)
                return tell_limits(ns, arg, result);
        if (cmd == SHM_INFO)
                return tell_usage(ns, arg, result);
        struct ipc_object *o = by_index ? ipc_find_index(&ns->shm, (u32)id) : ipc_find(&ns->shm, id);
        if (!o)
                return ERR(EINVAL);
        err_t err = control(of(o), cmd, arg, result);
        ipc_object_drop(o);
        return err;
}
