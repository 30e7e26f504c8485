/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a thread stands: root directory, working directory, umask.  Shared by CLONE_FS.
 *
 * Locking    lock (spin, class fs_context, leaf).  `seq` is odd while root or cwd changes:
 *            a path walk reads them without the lock and looks again.
 */
#pragma once
#include "services/vfs/path.h"

OBJECT(fs_context) {
        struct spinlock lock;
        u32 seq;                        /* ATOMIC */
        u32 umask;                      /* ATOMIC */
        u32 users;                      /* threads that stand here; ATOMIC, with thread->fs (fs_enter, fs_leave) */
        struct path root, cwd;          /* counted; lock, PTR_LOAD with seq */
};
POOL_DECLARE(fs_context)

struct fs_context *fs_context_new(struct payer *payer, const struct path *root, const struct path *cwd);  /* takes own counts; published; NULL: no memory */
struct fs_context *fs_context_copy(struct payer *payer, struct fs_context *old);         /* NULL: no memory */
/* A thread's `fs` becomes, or is no longer, this: under its process's lock, once others know the thread. */
static inline void fs_enter(struct fs_context *fs) { FETCH_ADD(fs->users, 1); }
static inline void fs_leave(struct fs_context *fs) { FETCH_SUB(fs->users, 1); }
struct path fs_root(struct fs_context *fs);              /* counted */
struct path fs_cwd(struct fs_context *fs);               /* counted */
void fs_set_root(struct fs_context *fs, const struct path *p);           /* takes own counts */
void fs_set_cwd(struct fs_context *fs, const struct path *p);
/* pivot_root: whichever of the two is `old` becomes `new`. */
void fs_move(struct fs_context *fs, const struct path *old, const struct path *new);
u32  fs_umask(struct fs_context *fs);
u32  fs_set_umask(struct fs_context *fs, u32 mask);      /* returns the old one */
