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
        struct inode *inode;            /* not counted: whose they are; fixed */
        struct inode_locks *next, *prev;        /* all of the file system; superblock.locks_lock */
        struct mutex lock;              /* class file_locks */
        struct waitq changed;
        struct file_lock *whole, *ranges;       /* owned; lock */
        struct file_lock *waiting;      /* not counted: who waits for one of those takes its own off, by next_waiting; lock */
        struct lease *leases;           /* owned; lock, PTR_LOAD */
        struct spinlock notify_lock;    /* class dnotify */
        struct dnotify *notify;         /* owned; notify_lock, PTR_LOAD */
        u64 notify_rounds;              /* notify_lock */
};
POOL_DECLARE(inode_locks)

struct inode_locks *locks_of(struct inode *inode);       /* made if there are none; NULL: no memory */
/* lease.c.  end: the file's, if it has one; REQUIRES(lock). */
/* The lease behind `last` (NULL: the first); NULL: there are no more. */
struct lease *lease_describe(struct inode_locks *s, struct lease *last, struct lock_info *out);
void leases_end_locked(struct inode_locks *s, struct file *f);
void leases_free(struct lease *l);
/* dnotify.c */
void dnotify_init(struct inode_locks *s);
