/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptor tables.  See files.h.
 *
 * Descriptors below 64 lie in the object; the others in leaves of 256 under a middle node
 * per 65536.  Leaves are made as needed and stay until the table dies, so a slot, once
 * seen, is always this table's slot for this number.
 *
 * Invariants  F1  a slot is set only while its used bit is.
 *             F2  no descriptor below `next` is free.
 */
#include "services/vfs/files.h"
#include "services/vfs/locks.h"
#include "services/vfs/path.h"

LOCK_CLASS(files);

POOL_DECLARE(fd_leaf)
POOL_DECLARE(fd_mid)

POOL_DEFINE(fd_leaf, NO_FINI);
static void fd_mid_fini(struct fd_mid *m)
{
        for (u32 i = 0; i < FILES_MID; i++)
                fd_leaf_drop(m->leaf[i]);
}
POOL_DEFINE(fd_mid, fd_mid_fini);

static struct file *take(struct files *files, u32 fd);
static err_t finish(struct files *files, struct file *f);
static void files_fini(struct files *files)
{
        u32 fd = 0;

        while (files_next(files, fd, &fd)) {
                struct file *f = take(files, fd);
                if (f)
                        ignore(finish(files, f));
        }
        for (u32 i = 0; i < FILES_TOP; i++)
                fd_mid_drop(files->mid[i]);
}
POOL_DEFINE(files, files_fini);

struct files *files_new(struct payer *payer)
{
        struct files *files = files_alloc(payer, MAY_RECLAIM);

        if (!files)
                return NULL;
        lock_init(&files->lock, files);
        files_publish(files);
        return files;
}

/* ---- Slots ---- */

static inline void slot_set(struct files *files, u32 fd, struct file *f)
{
        if (fd < FILES_INLINE)
                PTR_STORE(files->slot[fd], f);
        else
                PTR_STORE(files_leaf(files, fd)->slot[fd % FILES_LEAF], f);
}

static bool bit_in(u64 word, u32 fd) { return (word >> (fd % 64) & 1) != 0; }

static bool is_used(const struct files *files, u32 fd)
{
        if (fd < FILES_INLINE)
                return bit_in(files->used, fd);
        struct fd_leaf *l = files_leaf(files, fd);
        return l && bit_in(l->used[fd / 64 % 4], fd);
}

static bool is_cloexec(const struct files *files, u32 fd)
{
        if (fd < FILES_INLINE)
                return bit_in(files->cloexec, fd);
        struct fd_leaf *l = files_leaf(files, fd);
        return l && bit_in(l->cloexec[fd / 64 % 4], fd);
}

static void mark(u64 *word, u32 fd, bool on)
{
        u64 bit = 1ul << (fd % 64);

        *word = on ? *word | bit : *word & ~bit;
}

static void mark_cloexec(struct files *files, u32 fd, bool on)
{
        mark(fd < FILES_INLINE ? &files->cloexec : &files_leaf(files, fd)->cloexec[fd / 64 % 4], fd, on);
}

static void mark_used(struct files *files, u32 fd, bool on)
{
        mark(fd < FILES_INLINE ? &files->used : &files_leaf(files, fd)->used[fd / 64 % 4], fd, on);
}

static void lower_top(struct files *files)
{
        u32 top = files->top;

        while (top > 0 && !is_used(files, top - 1))
                top--;
        STORE(files->top, top);
}

/* The first free descriptor >= from; it may have no leaf yet. */
static u32 first_free(const struct files *files, u32 from)
{
        if (from < FILES_INLINE) {
                u64 w = ~files->used >> from;
                if (w)
                        return from + bit_lowest(w);
                from = FILES_INLINE;
        }
        while (from < FILES_MAX) {
                struct fd_leaf *l = files_leaf(files, from);
                if (!l)
                        return from;
                u64 w = ~l->used[from / 64 % 4] >> (from % 64);
                if (w)
                        return from + bit_lowest(w);
                from = (from | 63) + 1;
        }
        return FILES_MAX;
}

static err_t make_leaf(struct files *files, u32 fd)
{
        struct payer *payer = payer_current();
        struct fd_mid *m = fd_mid_alloc(payer, MAY_RECLAIM);
        struct fd_leaf *l = fd_leaf_alloc(payer, MAY_RECLAIM);

        if (!m || !l) {
                fd_mid_drop(m);
                fd_leaf_drop(l);
                return ERR(ENOMEM);
        }
        spin_lock(&files->lock);
        u32 top = fd / (FILES_LEAF * FILES_MID), at = fd / FILES_LEAF % FILES_MID;
        if (!files->mid[top]) {
                PTR_STORE(files->mid[top], m);
                m = NULL;
        }
        if (!files->mid[top]->leaf[at]) {
                PTR_STORE(files->mid[top]->leaf[at], l);
                l = NULL;
        }
        spin_unlock(&files->lock);
        fd_mid_drop(m);
        fd_leaf_drop(l);
        return OK;
}

static bool has_slot(const struct files *files, u32 fd) { return fd < FILES_INLINE || files_leaf(files, fd) != NULL; }

/* ---- Look-up ---- */

static struct file *get_counted(struct files *files, u32 fd)
{
        for (;;) {
                struct file *f = files_slot(files, fd);
                if (!f)
                        return NULL;
                if (!file_try_hold(f))
                        continue;       /* just closed: the slot changes before the last count goes */
                if (files_slot(files, fd) == f)
                        return f;
                file_drop(f);
        }
}

struct file *files_get(struct files *files, u32 fd) { return get_counted(files, fd); }

struct fd_ref fd_get_path(struct files *files, u32 fd)
{
        if (files_are_own(files))
                return (struct fd_ref){ .file = files_slot(files, fd) };
        return (struct fd_ref){ .file = get_counted(files, fd), .counted = true };
}

struct fd_ref fd_get_shared(struct files *files, u32 fd)
{
        struct file *f = get_counted(files, fd);

        if (f && (f->mode & FILE_PATH) != 0) {
                file_drop(f);
                f = NULL;
        }
        return (struct fd_ref){ .file = f, .counted = f != NULL };
}

/* ---- Adding ---- */

static u32 take_free(struct files *files, u32 from, u64 limit, u32 fd_flags)
{
        u32 fd = first_free(files, from > files->next ? from : files->next);

        if (fd >= limit || fd >= FILES_MAX || !has_slot(files, fd))
                return fd;
        mark_used(files, fd, true);
        mark_cloexec(files, fd, (fd_flags & FD_CLOEXEC) != 0);
        if (from <= files->next)
                files->next = fd + 1;
        if (fd >= files->top)
                STORE(files->top, fd + 1);
        return fd;
}

static err_t reserve(struct files *files, struct file *file, u32 fd_flags, u32 from, u64 limit, u32 *fd)
{
        if (from >= limit)
                return from == 0 ? ERR(EMFILE) : ERR(EINVAL);
        for (;;) {
                spin_lock(&files->lock);
                *fd = take_free(files, from, limit, fd_flags);
                bool full = *fd >= limit || *fd >= FILES_MAX, taken = !full && has_slot(files, *fd);
                if (taken && file)
                        slot_set(files, *fd, file);
                spin_unlock(&files->lock);
                if (full)
                        return ERR(EMFILE);
                if (taken)
                        return OK;
                TRY(make_leaf(files, *fd));
        }
}

err_t files_add(struct files *files, struct file *file, u32 fd_flags, u32 from, u64 limit, u32 *fd)
{
        return reserve(files, file, fd_flags, from, limit, fd);
}

err_t files_reserve(struct files *files, u32 fd_flags, u32 from, u64 limit, u32 *fd)
{
        return reserve(files, NULL, fd_flags, from, limit, fd);
}

void files_set(struct files *files, u32 fd, struct file *file)
{
        SPIN_GUARD(&files->lock);
        assert(is_used(files, fd) && !files_slot(files, fd));
        slot_set(files, fd, file);
}

static void release_locked(struct files *files, u32 fd)
{
        mark_used(files, fd, false);
        mark_cloexec(files, fd, false);
        if (fd < files->next)
                files->next = fd;
        if (fd + 1 == files->top)
                lower_top(files);
}

void files_unreserve(struct files *files, u32 fd)
{
        SPIN_GUARD(&files->lock);
        assert(is_used(files, fd) && !files_slot(files, fd));
        release_locked(files, fd);
}

/* ---- Closing ---- */

static struct file *take(struct files *files, u32 fd)
{
        SPIN_GUARD(&files->lock);
        struct file *f = files_slot(files, fd);

        if (f) {
                slot_set(files, fd, NULL);
                release_locked(files, fd);
        }
        return f;
}

static err_t finish(struct files *files, struct file *f)
{
        err_t err = file_flush(f);

        if (PTR_LOAD(f->inode->locks)) {
                locks_close(f->inode, files);
                dnotify_close(f, files);
        }
        file_drop(f);
        return err;
}

err_t files_close(struct files *files, u32 fd)
{
        struct file *f = take(files, fd);

        return f ? finish(files, f) : ERR(EBADF);
}

/* EAGAIN: no leaf for `new` yet. */
static err_t dup_locked(struct files *files, u32 old, u32 new, u32 fd_flags, struct file **replaced)
{
        struct file *f = files_slot(files, old);

        if (!f)
                return ERR(EBADF);
        if (!has_slot(files, new))
                return ERR(EAGAIN);
        *replaced = files_slot(files, new);
        if (!*replaced && is_used(files, new))
                return ERR(EBUSY);
        mark_used(files, new, true);
        mark_cloexec(files, new, (fd_flags & FD_CLOEXEC) != 0);
        slot_set(files, new, file_hold(f));
        if (new >= files->top)
                STORE(files->top, new + 1);
        return OK;
}

err_t files_dup_to(struct files *files, u32 old, u32 new, u32 fd_flags, u64 limit)
{
        struct file *replaced = NULL;

        if (new >= limit || new >= FILES_MAX)
                return ERR(EBADF);
        for (;;) {
                spin_lock(&files->lock);
                err_t err = dup_locked(files, old, new, fd_flags, &replaced);
                spin_unlock(&files->lock);
                if (succeeded(err))
                        break;
                if (!err_is(err, EAGAIN))
                        return err;
                TRY(make_leaf(files, new));
        }
        if (replaced)
                ignore(finish(files, replaced));
        return OK;
}

err_t files_close_range(struct files *files, u32 first, u32 last, bool only_mark)
{
        u32 fd = first;

        if (first > last)
                return ERR(EINVAL);
        while (files_next(files, fd, &fd) && fd <= last) {
                if (only_mark) {
                        ignore(files_set_flags(files, fd, FD_CLOEXEC));
                } else {
                        struct file *f = take(files, fd);
                        if (f)
                                ignore(finish(files, f));
                }
                fd++;
        }
        return OK;
}

void files_close_on_exec(struct files *files)
{
        for (u32 fd = 0; files_next(files, fd, &fd); fd++) {
                if (is_cloexec(files, fd)) {
                        struct file *f = take(files, fd);
                        if (f)
                                ignore(finish(files, f));
                }
        }
}

/* ---- Flags, listing, copying ---- */

err_t files_get_flags(struct files *files, u32 fd, u32 *fd_flags)
{
        SPIN_GUARD(&files->lock);
        if (!files_slot(files, fd))
                return ERR(EBADF);
        *fd_flags = is_cloexec(files, fd) ? FD_CLOEXEC : 0;
        return OK;
}

err_t files_set_flags(struct files *files, u32 fd, u32 fd_flags)
{
        SPIN_GUARD(&files->lock);
        if (!files_slot(files, fd))
                return ERR(EBADF);
        mark_cloexec(files, fd, (fd_flags & FD_CLOEXEC) != 0);
        return OK;
}

bool files_next(struct files *files, u32 from, u32 *fd)
{
        SPIN_GUARD(&files->lock);
        while (from < files->top) {
                if (from >= FILES_INLINE && !files_leaf(files, from)) {
                        from = (from | (FILES_LEAF - 1)) + 1;
                        continue;
                }
                if (files_slot(files, from)) {
                        *fd = from;
                        return true;
                }
                from++;
        }
        return false;
}

u32 files_top(struct files *files)
{
        u32 top = LOAD(files->top);

        return top <= FILES_INLINE ? FILES_INLINE : (top + FILES_LEAF - 1) / FILES_LEAF * FILES_LEAF;
}

/* A descriptor from `from` on, of a leaf that old has below its top and new has not; U32_MAX: none. */
static u32 missing_leaf(const struct files *new, const struct files *old, u32 from)
{
        u32 top = LOAD(old->top);

        for (u32 fd = from; fd < top; fd = (fd | (FILES_LEAF - 1)) + 1)
                if (files_leaf(old, fd) && !files_leaf(new, fd))
                        return fd;
        return U32_MAX;
}

static void copy_locked(struct files *new, struct files *old)
{
        for (u32 fd = 0; fd < old->top; fd++) {
                if (fd >= FILES_INLINE && !files_leaf(old, fd)) {
                        fd |= FILES_LEAF - 1;
                        continue;
                }
                struct file *f = files_slot(old, fd);
                if (!f)
                        continue;
                mark_used(new, fd, true);
                mark_cloexec(new, fd, is_cloexec(old, fd));
                slot_set(new, fd, file_hold(f));
                new->top = fd + 1;
        }
        new->next = first_free(new, 0);
}

/* Who shares `old` may make a leaf at any time, below its top, too: what counts is what there is under the lock. */
struct files *files_copy(struct payer *payer, struct files *old)
{
        struct files *new = files_new(payer);
        u32 fd = FILES_INLINE;

        while (new) {
                spin_lock(&old->lock);
                fd = missing_leaf(new, old, fd);
                if (fd == U32_MAX)
                        fd = missing_leaf(new, old, FILES_INLINE);
                if (fd == U32_MAX)
                        copy_locked(new, old);
                spin_unlock(&old->lock);
                if (fd == U32_MAX)
                        return new;
                if (failed(make_leaf(new, fd)))
                        break;
        }
        files_drop(new);
        return NULL;
}
