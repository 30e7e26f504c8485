/* SPDX-License-Identifier: Apache-2.0
 *
 * Namespaces of IPC objects, tables of ids and keys, and permissions.  See ipc_impl.h.
 */
#include "services/ipc/ipc_impl.h"
#include "services/process/process.h"
#include "services/security/cred.h"
#include "services/ipc/mqueue.h"

LOCK_CLASS_DECLARE(file_pos);
LOCK_CLASS(ipc_ids, AFTER(file_pos));     /* /proc/sysvipc is read */
LOCK_CLASS(ipc_object, AFTER3(file_pos, ipc_ids, sem_undos));

static void ipc_ns_fini(struct ipc_ns *ns)
{
        fs_context_drop(ns->mq_root);
        user_ns_drop(ns->user);
}
POOL_DEFINE(ipc_ns, ipc_ns_fini);
RADIX_POOLS(ipc_tree)
RADIX_FUNCTIONS(ipc_tree, ipc_object)
BITMAP_FUNCTIONS(ipc_bits, IPC_INDEXES)
HMAP_FUNCTIONS(ipc_keys, ipc_object, key_next, IPC_KEY_HEADS)

/* ---- Namespaces ---- */

void ipc_ids_init(struct ipc_ids *ids) { lock_init(&ids->lock, ipc_ids); }

struct ipc_ns *ipc_ns_new(struct payer *payer, struct user_ns *user, u64 inum)
{
        struct ipc_ns *ns = ipc_ns_alloc(payer, MAY_RECLAIM);

        if (!ns)
                return NULL;
        ns->inum = inum;
        ns->user = user_ns_hold(user);
        ns->limits = (struct ipc_limits){
                .shmmax = SHMMAX, .shmall = SHMALL, .shmmni = SHMMNI, .msgmax = MSGMAX, .msgmnb = MSGMNB, .msgmni = MSGMNI,
                .semmsl = SEMMSL, .semmns = SEMMNS, .semopm = SEMOPM, .semmni = SEMMNI,
                .mq_msg_default = 10, .mq_msg_max = 10, .mq_msgsize_default = 8192, .mq_msgsize_max = 8192, .mq_queues_max = 256,
        };
        ipc_ids_init(&ns->shm);
        ipc_ids_init(&ns->msg);
        ipc_ids_init(&ns->sem);
        ipc_ns_publish(ns);
        if (failed(mqueue_ns_init(ns))) {
                ipc_ns_drop(ns);
                return NULL;
        }
        return ns;
}

struct ipc_ns *ipc_ns_current(void) { return thread_current()->ns->ipc; }

struct ipc_limits *ipc_limits_of(struct ipc_ns *ns) { return &ns->limits; }

static struct ipc_ids *ids_of(struct ipc_ns *ns, enum ipc_what what)
{
        return what == IPC_SHM ? &ns->shm : what == IPC_MSG ? &ns->msg : &ns->sem;
}

i64  ipc_next_id(struct ipc_ns *ns, enum ipc_what what) { return (i64)LOAD(ids_of(ns, what)->wanted) - 1; }
void ipc_set_next_id(struct ipc_ns *ns, enum ipc_what what, u32 id) { STORE(ids_of(ns, what)->wanted, id + 1); }

/* ---- Looking for ids: no lock ---- */

struct ipc_object *ipc_find_index(struct ipc_ids *ids, u32 index)
{
        struct ipc_object *o = ipc_tree_get(&ids->tree, index % IPC_INDEXES);

        if (!ipc_object_try_hold(o))
                return NULL;
        /* The tree's nodes may have become another's, and the object another, meanwhile. */
        if (o->ids == ids && o->index == index && !LOAD(o->removed))
                return o;
        ipc_object_drop(o);
        return NULL;
}

struct ipc_object *ipc_find(struct ipc_ids *ids, i32 id)
{
        if (id < 0)
                return NULL;
        struct ipc_object *o = ipc_find_index(ids, (u32)id % IPC_INDEXES);
        if (o && o->id != id) {
                ipc_object_drop(o);
                return NULL;
        }
        return o;
}

struct ipc_object *ipc_find_next(struct ipc_ids *ids, u32 *index)
{
        struct ipc_object *o = NULL;

        while (!o) {
                mutex_lock(&ids->lock);
                u32 i = *index < IPC_INDEXES ? ipc_bits_first_one(&ids->used, *index) : IPC_INDEXES;
                mutex_unlock(&ids->lock);
                *index = i + 1;
                if (i >= IPC_INDEXES)
                        return NULL;
                o = ipc_find_index(ids, i);
        }
        return o;
}

u64 ipc_highest_index(struct ipc_ids *ids)
{
        GUARD(&ids->lock);
        for (u32 w = IPC_INDEXES / 64; w-- > 0;)
                if (ids->used.word[w])
                        return w * 64 + bit_highest(ids->used.word[w]);
        return 0;
}

/* ---- Tables; ids.lock is held ---- */

static struct ipc_object *find_key_locked(struct ipc_ids *ids, i32 key)
{
        struct ipc_object *o = ipc_keys_first(&ids->keys, hash_u64((u32)key));

        while (o && o->key != key)
                o = o->key_next;
        return o;
}

/* Round and round, in a window that grows with what is in use: an id comes back late. */
static u32 free_index_locked(struct ipc_ids *ids)
{
        u32 window = (u32)min_u64(max_u64(ids->count + ids->count / 2 + 1, 64), IPC_INDEXES);
        u32 i = ids->next < window ? ipc_bits_first_zero(&ids->used, ids->next) : window;

        if (i < window)
                return i;
        ids->seq = (ids->seq + 1) % IPC_SEQS;
        return ipc_bits_first_zero(&ids->used, 0);
}

/* Takes over the count; the caller publishes before. */
static err_t add_locked(struct ipc_ids *ids, struct ipc_object *o, const struct ipc_request *r)
{
        const struct cred *cred = cred_current();
        /* kernel.*_next_id asks for an id, once: it has that index, or the next one that is free. */
        u32 wanted = LOAD(ids->wanted) ? XCHG(ids->wanted, 0u) : 0;
        u32 index = wanted ? ipc_bits_first_zero(&ids->used, (wanted - 1) % IPC_INDEXES) : free_index_locked(ids);
        u32 seq = wanted ? (wanted - 1) / IPC_INDEXES : ids->seq;

        if (index >= IPC_INDEXES)
                return ERR(ENOSPC);
        o->ids = ids;
        o->index = index;
        o->id = (i32)((seq % IPC_SEQS) * IPC_INDEXES + index) & I32_MAX;
        o->key = r->key;
        o->uid = o->cuid = cred->euid;
        o->gid = o->cgid = cred->egid;
        o->mode = r->flags & 0777;
        ipc_object_publish(o);
        if (!ipc_tree_set(&ids->tree, index, o, payer_current(), MAY_RECLAIM)) {
                o->removed = true;
                return ERR(ENOMEM);
        }
        if (!wanted)
                ids->next = index + 1;
        ipc_bits_set(&ids->used, index);
        ids->count++;
        if (o->key != IPC_PRIVATE)
                ipc_keys_add(&ids->keys, o, hash_u64((u32)o->key));
        return OK;
}

void ipc_forget_key_locked(struct ipc_object *o)
{
        if (o->key != IPC_PRIVATE)
                ipc_keys_remove(&o->ids->keys, o, hash_u64((u32)o->key));
        o->key = IPC_PRIVATE;
}

void ipc_remove_locked(struct ipc_object *o)
{
        struct ipc_ids *ids = o->ids;

        ipc_forget_key_locked(o);
        STORE(o->removed, true);
        ipc_tree_clear(&ids->tree, o->index);
        ipc_bits_clear(&ids->used, o->index);
        ids->count--;
        ipc_object_drop(o);             /* the table's: the caller has one of its own */
}

static err_t found_locked(struct ipc_object *o, const struct ipc_kind *kind, const struct ipc_request *r)
{
        if ((r->flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
                return ERR(EEXIST);
        GUARD(&o->lock);
        TRY(kind->fits(o, r));
        return ipc_permission(o, r->flags);
}

static err_t make_locked(struct ipc_ns *ns, struct ipc_ids *ids, const struct ipc_kind *kind, const struct ipc_request *r, i32 *id)
{
        struct ipc_object *o = NULL;

        TRY(kind->make(ns, r, &o));
        lock_init(&o->lock, ipc_object);
        err_t err = add_locked(ids, o, r);
        if (failed(err)) {
                ipc_object_drop(o);
                return err;
        }
        if (kind->added)
                kind->added(o);
        *id = o->id;
        return OK;
}

err_t ipc_get(struct ipc_ns *ns, struct ipc_ids *ids, const struct ipc_kind *kind, struct ipc_request r, i32 *id)
{
        GUARD(&ids->lock);
        if (r.key != IPC_PRIVATE) {
                struct ipc_object *o = find_key_locked(ids, r.key);
                if (o) {
                        *id = o->id;
                        return found_locked(o, kind, &r);
                }
                if (!(r.flags & IPC_CREAT))
                        return ERR(ENOENT);
        }
        return make_locked(ns, ids, kind, &r, id);
}

/* ---- Permissions; the object's lock is held ---- */

err_t ipc_permission(const struct ipc_object *o, u32 flags)
{
        const struct cred *cred = cred_current();
        u32 want = (flags >> 6 | flags >> 3 | flags) & 7, granted = o->mode;

        if (cred->euid == o->cuid || cred->euid == o->uid)
                granted >>= 6;
        else if (cred_in_egroup(cred, o->cgid) || cred_in_egroup(cred, o->gid))
                granted >>= 3;
        return (want & ~granted) == 0 || capable(CAP_IPC_OWNER) ? OK : ERR(EACCES);
}

err_t ipc_may_use_locked(const struct ipc_object *o, u32 flags) { return o->removed ? ERR(EIDRM) : ipc_permission(o, flags); }

err_t ipc_may_change_locked(const struct ipc_object *o)
{
        u32 euid = cred_current()->euid;

        if (o->removed)
                return ERR(EIDRM);
        return euid == o->cuid || euid == o->uid || capable(CAP_SYS_ADMIN) ? OK : ERR(EPERM);
}

struct linux_ipc_perm ipc_perm_of(const struct ipc_object *o)
{
        return (struct linux_ipc_perm){
                .key = o->key, .uid = o->uid, .gid = o->gid, .cuid = o->cuid, .cgid = o->cgid, .mode = o->mode,
                .seq = (u16)((u32)o->id / IPC_INDEXES),
        };
}

err_t ipc_perm_set(struct ipc_object *o, const struct linux_ipc_perm *perm)
{
        if (perm->uid == NO_ID || perm->gid == NO_ID)
                return ERR(EINVAL);
        o->uid = perm->uid;
        o->gid = perm->gid;
        o->mode = (o->mode & ~0777u) | (perm->mode & 0777);
        return OK;
}

u32 ipc_pid(void) { return thread_current()->process->tgid; }
