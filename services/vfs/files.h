/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptor tables.  Looking a descriptor up takes no lock.
 *
 * Lifetime   Shared by CLONE_FILES, counted by each thread.  The table's slots hold one
 *            count on each file; the last drop of the table closes all.
 * Locking    lock (spin, class files) for changes.  Slots never move and are read with
 *            PTR_LOAD: try_hold the file, then see that the slot still has it.
 */
#pragma once
#include "services/vfs/file.h"

#define FILES_INLINE  64u               /* descriptors in the object itself */
#define FILES_LEAF    256u
#define FILES_MID     256u
#define FILES_TOP     16u
#define FILES_MAX     (FILES_LEAF * FILES_MID * FILES_TOP)       /* 1048576: nr_open */

OBJECT(fd_leaf) {
        u64 used[FILES_LEAF / 64], cloexec[FILES_LEAF / 64];    /* files.lock */
        struct file *slot[FILES_LEAF];
};
OBJECT(fd_mid) { struct fd_leaf *leaf[FILES_MID]; };
OBJECT(files) {
        struct spinlock lock;
        u32 next;                       /* no free descriptor below; lock */
        u32 top;                        /* one above the highest in use; lock, LOAD */
        u64 used;                       /* bit per inline descriptor: taken (perhaps only reserved); lock */
        u64 cloexec;                    /* lock */
        struct file *slot[FILES_INLINE];        /* counted; PTR_LOAD; lock */
        struct fd_mid *mid[FILES_TOP];  /* owned, until the table dies; PTR_LOAD; lock */
};
POOL_DECLARE(files)

struct files *files_new(struct payer *payer);            /* published; NULL: no memory */
struct files *files_copy(struct payer *payer, struct files *old);        /* fork; NULL: no memory */

/* The file behind a descriptor, for the length of a call:
 *      struct fd_ref r = fd_get(files, fd);     r.file NULL: EBADF (O_PATH files count as bad, too)
 *      ...
 *      fd_put(r);
 * Not counted when the table is the current thread's alone: do not store r.file, file_hold it. */
struct fd_ref { struct file *file; bool counted; };
static inline struct fd_ref fd_get(struct files *files, u32 fd);
struct fd_ref fd_get_path(struct files *files, u32 fd);  /* O_PATH files too */
struct fd_ref fd_get_shared(struct files *files, u32 fd);        /* fd_get of a table that others have, too */
static inline void fd_put(struct fd_ref r) { if (r.counted) file_drop(r.file); }
struct file *files_get(struct files *files, u32 fd);     /* always counted, O_PATH too; of any process's table; NULL */

/* Puts a file into the lowest free descriptor >= from, below limit (RLIMIT_NOFILE).  Takes over the
 * caller's count on success only.  fd_flags: FD_CLOEXEC or 0.  EMFILE, ENOMEM; EINVAL: from >= limit. */
err_t files_add(struct files *files, struct file *file, u32 fd_flags, u32 from, u64 limit, u32 *fd);
/* In two steps: nobody sees the descriptor until it is set. */
err_t files_reserve(struct files *files, u32 fd_flags, u32 from, u64 limit, u32 *fd);
void  files_set(struct files *files, u32 fd, struct file *file);         /* takes over the count */
void  files_unreserve(struct files *files, u32 fd);

err_t files_close(struct files *files, u32 fd);          /* EBADF; else the result of flush */
/* dup2, dup3: new shares old's file.  EBADF, EBUSY (new is being opened). new == old is the caller's affair. */
err_t files_dup_to(struct files *files, u32 old, u32 new, u32 fd_flags, u64 limit);
err_t files_close_range(struct files *files, u32 first, u32 last, bool only_mark);       /* only_mark: set FD_CLOEXEC */
void  files_close_on_exec(struct files *files);
err_t files_get_flags(struct files *files, u32 fd, u32 *fd_flags);       /* EBADF */
err_t files_set_flags(struct files *files, u32 fd, u32 fd_flags);
/* The lowest descriptor in use >= from, for /proc/PID/fd; false: none. */
bool  files_next(struct files *files, u32 from, u32 *fd);
u32   files_top(struct files *files);                    /* FDSize: slots */

/* ---- Look-up, inline ---- */

static inline struct fd_leaf *files_leaf(const struct files *files, u32 fd)
{
        struct fd_mid *m = fd < FILES_MAX ? PTR_LOAD(files->mid[fd / (FILES_LEAF * FILES_MID)]) : NULL;

        return m ? PTR_LOAD(m->leaf[fd / FILES_LEAF % FILES_MID]) : NULL;
}

static inline struct file *files_slot(const struct files *files, u32 fd)
{
        if (fd < FILES_INLINE)
                return PTR_LOAD(files->slot[fd]);
        struct fd_leaf *l = files_leaf(files, fd);
        return l ? PTR_LOAD(l->slot[fd % FILES_LEAF]) : NULL;
}

/* The current thread's table is its alone: nobody else can take a file out of it. */
static inline bool files_are_own(struct files *files) { return files_refs(files) == 1; }

/* Without a count; of a table that files_are_own. NULL: EBADF. */
static inline struct file *fd_get_own(struct files *files, u32 fd)
{
        struct file *f = files_slot(files, fd);
        return f && (f->mode & FILE_PATH) == 0 ? f : NULL;
}

static inline struct fd_ref fd_get(struct files *files, u32 fd)
{
        return files_are_own(files) ? (struct fd_ref){ .file = fd_get_own(files, fd) } : fd_get_shared(files, fd);
}
