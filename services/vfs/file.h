/* SPDX-License-Identifier: Apache-2.0
 *
 * Open file descriptions: what descriptors and mappings point to.
 *
 * A file type with state of its own embeds a struct file first in its own OBJECT; the
 * others are plain files made by vfs.  The last drop runs the pool's fini, which frees the
 * type's own and then calls file_fini: that is "release".
 *
 * Locking    pos_lock (mutex, class file_pos) is taken by read, write, lseek and readdir
 *            when the file is shared.  Order: pos_lock, inode.lock, mmap_lock.
 */
#pragma once
#include "services/vfs/async.h"
#include "services/vfs/io.h"
#include "services/vfs/inode.h"
#include "services/vfs/path.h"
#include "abi/const/event.h"

BASE(file);
OBJECT(epoll_item);            /* services/epoll */
struct dir_out;

/* How a file wants to be mapped: the answer to mmap. */
enum map_kind {
        MAP_PAGES,                      /* by its mapping's pages */
        MAP_ZERO,                       /* /dev/zero: private: anonymous; shared: like MAP_ANONYMOUS|MAP_SHARED */
};
struct map_request {
        u64 offset, len; u32 prot, flags;        /* in: PROT_*, MAP_* */
        enum map_kind kind;             /* out */
        struct mapping *mapping;        /* out, MAP_PAGES: lives as long as the file is held */
        bool read_only;                 /* out: a shared mapping never becomes writable */
};

/*             locks held            may sleep  contract
 * open        none                  yes        makes the file for an inode of this type: file_open_plain or an own
 *                                              object with file_init; *out counted.  NULL: a plain one
 * read        pos_lock if shared    yes        bytes into io from *pos, which it advances; what was done is
 *                                              io_done, 0 with OK: end of file.  An error after some bytes is dropped.
 * write       pos_lock if shared    yes        the same; O_APPEND is the type's own affair
 * poll        none, perhaps a bottom half's   no   adds w (may be NULL) to its queues, returns EPOLL* mask
 * ioctl       none                  yes        ENOTTY: not known; *result is the call's value on OK
 * mmap        mmap_lock             no locks   fills the answer; ENODEV
 * readdir     inode lock, shared    yes        dir_emit from out->pos on until it says stop
 * llseek      pos_lock if shared    yes        NULL: generic, by the inode's size; ESPIPE with FOPS_STREAM
 * fsync       none                  yes        NULL: nothing to write
 * fallocate   none                  yes        NULL: EOPNOTSUPP
 * flush       none                  yes        at every close of a descriptor (NULL: OK)
 * setfl       none                  yes        O_APPEND, O_NONBLOCK, O_ASYNC, O_DIRECT about to change (NULL: fine)
 * area        the vm's              no         with FOPS_AREAS: an area of memory now maps it, or no longer does (mmap_lock is
 *                                              not held then)
 * async       none                  no         the list of those to be told of events of this side; NULL: it has no such side
 *                                              (no function: no O_ASYNC)
 * show_fdinfo none                  yes        further lines for /proc/PID/fdinfo; bytes written (NULL: none)
 * A NULL read or write is EINVAL; a NULL poll means always readable and writable. */
STABLE(file_ops) {
        err_t (*open)(const struct actor *who, const struct path *p, u32 flags, struct file **out);
        err_t (*read)(struct file *f, struct io *io, u64 *pos);
        err_t (*write)(struct file *f, struct io *io, u64 *pos);
        u32   (*poll)(struct file *f, struct waiter *w);
        err_t (*ioctl)(struct file *f, u32 cmd, u64 arg, u64 *result);
        err_t (*mmap)(struct file *f, struct map_request *req);
        err_t (*readdir)(struct file *f, struct dir_out *out);
        err_t (*llseek)(struct file *f, i64 off, u32 whence, u64 *pos);
        err_t (*fsync)(struct file *f, bool data_only);
        err_t (*fallocate)(struct file *f, u32 mode, u64 off, u64 len);
        err_t (*flush)(struct file *f);
        err_t (*setfl)(struct file *f, u32 flags);
        usize (*show_fdinfo)(struct file *f, mbytes out);
        void  (*area)(struct file *f, bool mapped);
        struct async_list *(*async)(struct file *f, u32 side);
        u32   flags;                    /* FOPS_* */
};
#define FOPS_STREAM  1u                 /* no position: pread, lseek: ESPIPE */
#define FOPS_AREAS   4u                 /* wants to be told of areas that map it; they are never merged */
#define FOPS_NOLOCK  2u                 /* needs no pos_lock (read and write ignore *pos) */
#define FOPS_READ_PIECES  0x100u        /* readv: each piece is a read of its own; records are not spread over them */
#define FOPS_WRITE_PIECES 0x200u        /* writev, the same */
#define FOPS_NO_SPLICE_IN  8u           /* neither sendfile nor splice takes anything from it */
#define FOPS_NO_SPLICE_OUT 0x10u        /* nor gives anything to it */
#define FOPS_NO_EXEC 0x40u              /* as on a file system mounted noexec, always */
#define FOPS_SERIAL  0x80u              /* pos_lock for reads at a place, too: what is read is kept with the file */
#define FOPS_NOWAIT  0x20u              /* takes RWF_NOWAIT: it never waits, or asks io.nowait */

BASE(file) {
        const struct file_ops *ops;     /* fixed */
        struct inode *inode;            /* held by the dentry; fixed */
        struct path path;               /* counted; fixed */
        u32 mode;                       /* FILE_*; fixed */
        u32 flags;                      /* O_* as F_GETFL shows them; ATOMIC */
        u64 pos;                        /* pos_lock, or alone */
        struct mutex pos_lock;
        struct cred *cred;              /* counted: who opened it; fixed */
        u64 version;                    /* readdir caches */
        struct epoll_item *epoll_items; /* not counted: services/epoll's list; PTR_LOAD */
        struct io_owner *owner;         /* owned: F_SETOWN, F_SETSIG, O_ASYNC (async.h); NULL: none of them; PTR_LOAD */
};
BASE_DECLARE(file)

#define FILE_READ   1u
#define FILE_WRITE  2u
#define FILE_EXEC   4u                  /* opened to be run: writing is denied meanwhile */
#define FILE_PATH   8u                  /* O_PATH */
#define FILE_WRITER 0x10u               /* counted as a writer of inode and mount */
#define FILE_READER 0x80u               /* counted as a reader of the inode */
#define FILE_NOSEEK 0x20u
#define FILE_OPENED 0x40u               /* watchers were told of its opening: notify.h */

/* For a new file object (count 1): takes counts of its own on path and cred.  flags: O_*.  The caller
 * publishes it (file_publish) when complete.  file_fini: what the pool's fini calls last. */
void file_init(struct file *f, const struct file_ops *ops, const struct path *p, struct cred *cred, u32 flags);
void file_fini(struct file *f);
/* A file without an object of its own; published. */
/* In two steps, for who must not fail late: not published (NULL: no memory); and what it becomes. */
struct file *file_new_plain(struct payer *payer);
void  file_open_new(struct file *f, const struct actor *who, const struct path *p, const struct file_ops *ops, u32 flags);
err_t file_open_plain(const struct actor *who, const struct path *p, const struct file_ops *ops, u32 flags, struct file **out);
/* A file with no place in any file system: "anon_inode:[eventfd]".  f as for file_init.  ENOMEM. */
err_t file_init_anon(struct file *f, const struct file_ops *ops, struct cred *cred, u32 flags, bytes name);

static inline u32  file_poll(struct file *f, struct waiter *w)           /* EPOLLIN | … */
{
        return f->ops->poll ? f->ops->poll(f, w) : EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;
}
static inline bool file_nonblock(const struct file *f) { return (LOAD_RELAXED(f->flags) & O_NONBLOCK) != 0; }
static inline bool file_may_read(const struct file *f)  { return (f->mode & FILE_READ) != 0; }
static inline bool file_may_write(const struct file *f) { return (f->mode & FILE_WRITE) != 0; }
bool  file_is_seekable(const struct file *f);            /* lseek is no ESPIPE */

/* What the calls do; the file is held by the caller.  *done: bytes transferred (also when > 0 bytes were
 * done before an error, which is then dropped). */
err_t file_read(struct file *f, struct io *io, usize *done);             /* at the file's position */
err_t file_write(struct file *f, struct io *io, usize *done);
err_t file_pread(struct file *f, struct io *io, u64 pos, usize *done);   /* ESPIPE, EINVAL */
err_t file_pwrite(struct file *f, struct io *io, u64 pos, usize *done);
err_t file_lseek(struct file *f, i64 off, u32 whence, u64 *pos);
err_t file_ioctl(struct file *f, u32 fd, u32 cmd, u64 arg, u64 *result); /* generic ones too: FIONBIO, FIOASYNC, FIONREAD */
err_t file_fsync(struct file *f, bool data_only);
err_t file_no_fsync(struct file *f, bool data_only);     /* for file_ops of types that cannot: EINVAL */
err_t file_fallocate(struct file *f, u32 mode, i64 off, i64 len);
err_t file_truncate(const struct actor *who, struct file *f, i64 len);
err_t file_setfl(struct file *f, u32 fd, u32 flags);     /* F_SETFL; fd: what signals of O_ASYNC shall tell */
err_t file_mmap(struct file *f, struct map_request *req);        /* access checks (EACCES, EPERM noexec, ENODEV) too */
err_t file_flush(struct file *f);
/* Kernel-internal whole reads (exec, firmware): from offset, up to dst's length; *done short at the end of file. */
err_t file_read_kernel(struct file *f, u64 off, mbytes dst, usize *done);
err_t file_write_kernel(struct file *f, u64 off, bytes src, usize *done);
/* copy_file_range(2), at these positions, which move along; both NULL or not, as each file's own are wanted.  EBADF, EINVAL, EISDIR,
 * EXDEV, EFBIG, ENOSPC … */
err_t file_copy_range(struct file *in, u64 *in_pos, struct file *out, u64 *out_pos, u64 len, u64 *done);
err_t file_sendfile(struct file *out, struct file *in, u64 *in_pos, usize len, usize *done);     /* in_pos NULL: in's own */

/* Reading directories.  The format is getdents64's or getdents', written to user memory. */
enum dir_format { DIR_64, DIR_OLD, DIR_COUNT };
struct dir_out {
        u64 pos;                        /* where to go on: cookies; 0 begins */
        struct io *io;                  /* a borrow */
        enum dir_format format;
        bool full, any, fault;
};
/* One entry; next: the cookie after it.  false: no room (or a bad address): stop, it was not taken. */
bool  dir_emit(struct dir_out *out, bytes name, u64 ino, u32 dtype, u64 next);
bool  dir_emit_dots(struct file *f, struct dir_out *out);        /* "." and ".." at pos 0 and 1 → pos 2; false: stop */
err_t file_readdir(struct file *f, struct io *io, enum dir_format format, usize *done);  /* ENOTDIR, ENOENT, EINVAL: no room for one */

/* Ready-made operations over inode.mapping, for tmpfs and its like. */
err_t generic_read(struct file *f, struct io *io, u64 *pos);
err_t generic_write(struct file *f, struct io *io, u64 *pos);
err_t generic_write_locked(struct file *f, struct io *io, u64 *pos);     /* the inode's lock is held for writing */
err_t generic_mmap(struct file *f, struct map_request *req);
/* What an offset is counted from: SEEK_SET, SEEK_CUR, SEEK_END.  EINVAL. */
err_t generic_seek_base(const struct file *f, u32 whence, u64 *base);
err_t generic_llseek(struct file *f, i64 off, u32 whence, u64 *pos);    /* SEEK_DATA and SEEK_HOLE too */
err_t generic_no_llseek(struct file *f, i64 off, u32 whence, u64 *pos); /* ESPIPE */
err_t generic_noop_llseek(struct file *f, i64 off, u32 whence, u64 *pos);       /* stays where it is: event files */
/* Reads from bytes already made (procfs): [*pos, …) of text. */
err_t generic_read_bytes(struct io *io, u64 *pos, bytes text);
