/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals about files: O_ASYNC with F_SETOWN and F_SETSIG (fcntl(2)).
 *
 * A type that can tell of input or room has one struct async_list for each side in the object behind its files, names it
 * by file_ops.async, and calls async_signal where it wakes those who poll.  What a file has asked for stands in
 * its io_owner, which is on the lists while the file has O_ASYNC.
 *
 * Lifetime   An io_owner is made by the first F_SETOWN, F_SETSIG or O_ASYNC, and is its file's: file_fini frees it.
 *            A type with lists calls async_end(f) first in its fini, while the lists are there.
 * Locking    list.lock (spin, class async): the list.  It is let go of while each owner is told, who is counted meanwhile.  The owner's own fields: its lock.
 */
#pragma once
#include "services/task/thread.h"

BASE(file);
OBJECT(io_owner);
OBJECT(pid_ns);

STABLE(async_list) {
        struct spinlock lock;
        struct io_owner *first;         /* those of this side; lock; PTR_LOAD */
        u64 rounds;                     /* lock */
        u32 side;                       /* 0 or 1: which links of an io_owner it uses; fixed */
};
#define ASYNC_SIDES 2

void  async_init(struct async_list *l, u32 side);       /* a zeroed one of side 0 needs none */
/* Tells all on the list: POLL_IN, POLL_OUT …  Callable from anywhere where the signals' locks may be taken. */
void  async_tell(struct async_list *l, u32 code);
static inline void async_signal(struct async_list *l, u32 code) { if (PTR_LOAD(l->first)) async_tell(l, code); }

/* O_ASYNC goes on or off; ENOTTY: the type has no lists; ENOMEM. */
err_t file_set_async(struct file *f, u32 fd, bool on);
void  async_end(struct file *f);

/* kind: F_OWNER_*; id 0: nobody; the current credentials are what is allowed to send.  ENOMEM. */
struct owner_id { u32 kind, id; };
err_t file_set_owner(struct file *f, struct owner_id owner);
/* For leases and dnotify: the current process, if nobody was named; signals tell of fd.  ENOMEM.  And nobody, no signal, no
 * O_ASYNC (which a lease shows by) any more. */
err_t file_own_by_default(struct file *f, u32 fd);
void  file_forget_owner(struct file *f);
struct owner_id file_get_owner(struct file *f);
struct owner_id file_owner_uids(struct file *f);        /* kind, id: real and effective user id of who set it */
err_t file_set_signal(struct file *f, u32 sig);         /* ENOMEM; 0: SIGIO without information */
u32   file_get_signal(struct file *f);
/* To the owner of f, as async_tell does (leases, dnotify); sig: instead of SIGIO when none was chosen. */
void  file_tell_owner(struct file *f, u32 sig, u32 code);
/* In two steps, for who finds f under a lock of its own: counted, or NULL; told, and the count dropped. */
struct io_owner *file_owner_hold(struct file *f);
void  io_owner_tell(struct io_owner *o, u32 sig, u32 code);
void  async_file_gone(struct file *f);                   /* file_fini's */
