/* SPDX-License-Identifier: Apache-2.0
 *
 * Seals: what may no longer be done to a file, as in Linux fcntl(2), F_ADD_SEALS.
 *
 * Locking     seals are added, and asked for changes of content and size, under the inode's lock for writing.
 * Invariants  S1  while F_SEAL_WRITE is set no shared area can write to the file: mapping.no_writers is set with
 *                 it, before which there were none.  mmap looks without the lock; who then comes too
 *                 late is refused by no_writers.
 */
#include "services/tmpfs/tmpfs_impl.h"
#include "abi/const/mm.h"

#define SEALS_WRITE ((u32)(F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
#define SEALS_ALL   ((u32)(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) | SEALS_WRITE)

/* ---- What they forbid ---- */

/* As on Linux, a page that a write would make longer is not begun. */
static err_t may_grow_by(u64 size, struct io *io, u64 at)
{
        if (at <= size && io_left(io) <= size - at)
                return OK;
        u64 end = page_down(size);
        if (at >= end)
                return ERR(EPERM);
        io_truncate(io, end - at);
        return OK;
}

err_t tmpfs_seals_may_write(struct tmpfs_inode *i, struct io *io, u64 at)
{
        if (io_left(io) == 0)
                return OK;
        if (i->seals & SEALS_WRITE) {
                TRY(io_fault_in(io, false));    /* as Linux: the bytes must be there to be refused */
                return ERR(EPERM);
        }
        return i->seals & F_SEAL_GROW ? may_grow_by(i->base.size, io, at) : OK;
}

err_t tmpfs_seals_may_resize(struct tmpfs_inode *i, u64 size)
{
        u64 now = i->base.size;
        bool forbidden = (size < now && (i->seals & F_SEAL_SHRINK)) || (size > now && (i->seals & F_SEAL_GROW));

        return forbidden ? ERR(EPERM) : OK;
}

err_t tmpfs_seals_may_punch(struct tmpfs_inode *i)
{
        return i->seals & SEALS_WRITE ? ERR(EPERM) : OK;
}

err_t tmpfs_seals_may_map(struct tmpfs_inode *i, struct map_request *req)
{
        if (!(LOAD(i->seals) & SEALS_WRITE) || (req->flags & MAP_TYPE) == MAP_PRIVATE)
                return OK;
        req->read_only = true;
        return req->prot & PROT_WRITE ? ERR(EPERM) : OK;
}

/* ---- Having and adding them ---- */

static struct tmpfs_inode *sealable(struct file *f)
{
        struct inode *inode = f->inode;

        return IS_A(tmpfs_inode, inode) && inode_is_regular(inode) ? tmpfs_of(inode) : NULL;
}

void tmpfs_let_seal(struct file *f) { tmpfs_of(f->inode)->seals = 0; }

err_t tmpfs_get_seals(struct file *f, u32 *seals)
{
        struct tmpfs_inode *i = sealable(f);

        if (!i)
                return ERR(EINVAL);
        *seals = LOAD(i->seals);
        return OK;
}

static err_t add_locked(struct tmpfs_inode *i, u32 seals)
{
        if (i->seals & F_SEAL_SEAL)
                return ERR(EPERM);
        if (seals & ~i->seals & F_SEAL_WRITE)
                TRY(mapping_deny_writers(&i->base.mapping));    /* keeps S1 */
        STORE(i->seals, i->seals | seals);
        return OK;
}

err_t tmpfs_add_seals(struct file *f, u32 seals)
{
        struct tmpfs_inode *i = sealable(f);

        if (!file_may_write(f))
                return ERR(EPERM);
        if (!i || (seals & ~SEALS_ALL))
                return ERR(EINVAL);
        WRITE_GUARD(&i->base.lock);
        return add_locked(i, seals);
}
