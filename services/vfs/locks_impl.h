/* SPDX-License-Identifier: Apache-2.0
 *
 * What hangs off an inode from its first lock, lease or dnotify on: shared by locks.c, lease.c and dnotify.c.
 */
#pragma once
#include "services/vfs/locks.h"

OBJECT(file_lock);
OBJECT(lease);
OBJECT(dnotify);

OBJECT(inode_locks) {
        struct mutex lock;              /* class file_locks */
        struct waitq changed;
        struct file_lock *whole, *ranges;       /* owned; lock */
        struct lease *leases;           /* owned; lock, PTR_LOAD */
        struct spinlock notify_lock;    /* class dnotify */
        struct dnotify *notify;         /* owned; notify_lock, PTR_LOAD */
        u64 notify_rounds;              /* notify_lock */
};
POOL_DECLARE(inode_locks)

struct inode_locks *locks_of(struct inode *inode);       /* made if there are none; NULL: no memory */
/* lease.c.  end: the file's, if it has one; REQUIRES(lock). */
void leases_end_locked(struct inode_locks *s, struct file *f);
void leases_free(struct lease *l);
/* dnotify.c */
void dnotify_init(struct inode_locks *s);
