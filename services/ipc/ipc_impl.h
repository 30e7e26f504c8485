/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of services/ipc share: objects with an id and a key, and the table that holds
 * those of one kind in a namespace.
 *
 * Lifetime   An object is counted: by its table from ipc_get to ipc_remove_locked, and by whoever found it.
 *            What was found may have been removed since: look at `removed` under the object's lock.
 * Locking    ids.lock (mutex) guards a table: making, removing and looking for keys.  Looking for an id
 *            takes no lock.  object.lock (mutex) guards one object; order: ids.lock, object.lock.
 * Invariants I1  an object is in its table, under its index, until `removed`
 *            I2  an object with a key other than IPC_PRIVATE that is in the table is in its key chain
 */
#pragma once
#include "services/ipc/ipc.h"
#include "lib/bitmap.h"
#include "lib/hmap.h"
#include "lib/list.h"
#include "lib/radix.h"
#include "abi/const/ipc.h"

LOCK_CLASS_DECLARE(ipc_ids);
LOCK_CLASS_DECLARE(ipc_object);
LOCK_CLASS_DECLARE(sem_undos);

#define IPC_INDEXES 32768u              /* objects of a kind in a namespace; ids are seq * this + index */
#define IPC_SEQS    65536u
#define IPC_KEY_HEADS 256u

STABLE(ipc_ids);

BASE(ipc_object) {
        struct ipc_ids *ids;            /* fixed once published, as the next two */
        i32  id;
        u32  index;
        i32  key;                       /* ids.lock */
        struct ipc_object *key_next;    /* ids.lock */
        struct mutex lock;
        /* lock */
        u32  uid, gid, cuid, cgid, mode;
        bool removed;
};
BASE_DECLARE(ipc_object)

RADIX_TYPES(ipc_tree, ipc_object)
BITMAP(ipc_bits, IPC_INDEXES);
HMAP_HEAD(ipc_keys, ipc_object, IPC_KEY_HEADS);

STABLE(ipc_ids) {
        u32  wanted;                    /* the id that the next object shall have, and 1; 0: any; ATOMIC */
        struct mutex lock;
        u32 count;                      /* lock, as all below; tree: read without it */
        u32 next, seq;                  /* where to look for a free index; ids change with seq */
        u64 total;                      /* the kind's own: pages, bytes, semaphores; ATOMIC */
        u64 items;                      /* messages; ATOMIC */
        struct ipc_bits used;
        struct ipc_keys keys;
        struct ipc_tree tree;
};

OBJECT(ipc_ns) {
        u64 inum;                       /* fixed */
        struct user_ns *user;           /* counted; fixed */
        struct ipc_limits limits;
        struct ipc_ids shm, msg, sem;
        struct fs_context *mq_root;     /* counted: the root of POSIX queues; fixed */
};

/* ---- ids.c ---- */

struct ipc_request { i32 key; u32 flags; u64 size; };   /* of shmget and the others */
/* make: a new object, not published, whole but for what ids.c fills in; `ids` locked.
 * added: it has come into the table.
 * fits: is one found by its key good for this request? */
STABLE(ipc_kind) {
        err_t (*make)(struct ipc_ns *ns, const struct ipc_request *r, struct ipc_object **out);
        void  (*added)(struct ipc_object *o);           /* NULL: nothing to do */
        err_t (*fits)(struct ipc_object *o, const struct ipc_request *r);
};
err_t ipc_get(struct ipc_ns *ns, struct ipc_ids *ids, const struct ipc_kind *kind, struct ipc_request r, i32 *id);

void ipc_ids_init(struct ipc_ids *ids);
/* Counted, perhaps removed meanwhile; NULL: no such id. */
struct ipc_object *ipc_find(struct ipc_ids *ids, i32 id);
struct ipc_object *ipc_find_index(struct ipc_ids *ids, u32 index);
struct ipc_object *ipc_find_next(struct ipc_ids *ids, u32 *index);      /* the smallest index >= *index, which is moved behind it */
/* ids and object locked.  forget_key: it can only be found by its id from now on. */
void ipc_remove_locked(struct ipc_object *o);
void ipc_forget_key_locked(struct ipc_object *o);
u64  ipc_highest_index(struct ipc_ids *ids);            /* 0 too if there is none */

/* May the current thread do what the permission bits of `flags` ask (any of the three digits)?  EACCES. */
err_t ipc_permission(const struct ipc_object *o, u32 flags);
/* Object locked.  Is it there, and does it permit that?  EIDRM, EACCES. */
err_t ipc_may_use_locked(const struct ipc_object *o, u32 flags);
/* Object locked.  Is it there, and the current thread's to change or remove?  EIDRM, EPERM. */
err_t ipc_may_change_locked(const struct ipc_object *o);
struct linux_ipc_perm ipc_perm_of(const struct ipc_object *o);
err_t ipc_perm_set(struct ipc_object *o, const struct linux_ipc_perm *perm);    /* EINVAL */
u32 ipc_pid(void);                                      /* of the current process */

/* ---- sleeper.c ---- */

/* Who waits in a queue or at a set: made by the thread that sleeps, served by others under the object's lock.
 * Served: off its list, error (and message) set, then done: the sleeper need not take the lock. */
OBJECT(ipc_message);
OBJECT(sem_undo);
OBJECT(ipc_sleeper) {
        struct ipc_sleeper *next, *prev;                /* the object's lock, as all below */
        struct waitq wait;
        u32 pid;
        u32 done;                       /* LOAD */
        u32 error;
        struct ipc_message *message;    /* owned: to be sent, or received */
        i64 type; u32 mode; u64 size;   /* a receiver: what it wants */
        u32 rank;                       /* of a POSIX queue: lesser ones are served first */
        struct blob *ops;               /* counted: semaphore operations */
        struct sem_undo *undo;          /* not counted: as long as the sleeper's thread */
        u32 blocked_on;                 /* index of the operation that cannot be done */
};
POOL_DECLARE(ipc_sleeper)
LIST_HEAD(ipc_sleepers, ipc_sleeper);
LIST_FUNCTIONS(ipc_sleepers, ipc_sleeper, next, prev)

void ipc_serve_locked(struct ipc_sleepers *list, struct ipc_sleeper *s, u32 error);
void ipc_serve_all_locked(struct ipc_sleepers *list, u32 error);
/* Called and returns with `lock` held if !*served; takes s off the list then.  EINTR, ETIMEDOUT. */
err_t ipc_sleep(struct mutex *lock, struct ipc_sleepers *list, struct ipc_sleeper *s, u64 deadline, bool *served);

/* ---- message.c ---- */

OBJECT(ipc_message) {
        struct ipc_message *next, *prev;        /* of its queue */
        i64 type;
        u64 len;                        /* in all */
        struct ipc_message *more;       /* owned: what does not fit here */
        u32 here;                       /* bytes in this part */
        struct blob *data;              /* owned; NULL: few */
        u8 few[48];
};
POOL_DECLARE(ipc_message)
LIST_HEAD(ipc_messages, ipc_message);
LIST_FUNCTIONS(ipc_messages, ipc_message, next, prev)

/* From user memory.  ENOMEM, EFAULT. */
err_t ipc_message_read(u64 addr, u64 len, struct ipc_message **out);
err_t ipc_message_write(struct ipc_message *m, u64 addr, u64 len);      /* its first len bytes; EFAULT */
struct ipc_message *ipc_message_share(struct ipc_message *m);           /* m, once more: type and body stay until that is freed, too */
void  ipc_message_free(struct ipc_message *m);          /* NULL ignored */
