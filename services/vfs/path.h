/* SPDX-License-Identifier: Apache-2.0
 *
 * Places and how to find them.
 *
 *   struct path    a place: a dentry seen through a mount; both counted.  A value: whoever
 *                  stores one in an object holds it, and drops it.
 *   struct actor   on whose behalf: credentials, where relative paths begin, descriptors,
 *                  who pays.  A stack value of borrows; actor_current() for system calls.
 */
#pragma once
#include "services/task/thread.h"
#include "services/security/cred.h"
#include "abi/const/fcntl.h"

OBJECT(mount);
OBJECT(dentry);
BASE(inode);

struct path { struct mount *mnt; struct dentry *dentry; };
static inline bool path_is_empty(const struct path *p) { return p->mnt == NULL; }
struct path path_hold(const struct path *p);             /* a copy with counts of its own; empty stays empty */
void path_drop(struct path *p);                          /* and empties it */
static inline bool path_same(const struct path *a, const struct path *b) { return a->mnt == b->mnt && a->dentry == b->dentry; }

struct actor {
        struct cred *cred;
        struct fs_context *fs;
        struct files *files;            /* for dirfd; NULL: AT_FDCWD only */
        struct ns_set *ns;
        struct payer *payer;
        struct process *process;        /* rlimits; NULL: none */
};
struct actor actor_current(void);       /* the current thread's */
struct payer *payer_current(void);      /* borrowed; NULL in kernel threads */

#define PATH_MAX_LEN 4096u              /* with the NUL */
#define SYMLINKS_MAX 40u

/* How to walk: LOOK_* and RESOLVE_* (in resolve). */
#define LOOK_FOLLOW     1u              /* follow a symlink at the end */
#define LOOK_DIRECTORY  2u              /* the end must be a directory */
#define LOOK_EMPTY      4u              /* "" means dfd itself (AT_EMPTY_PATH) */
#define LOOK_INSIDE     8u              /* not the end of the path: see protect_symlink */
struct walk { i32 dfd; u32 how; u32 resolve; const struct path *base; };     /* base: begin there, whatever dfd is */
static inline struct walk walk_at(i32 dfd, u32 how) { return (struct walk){ .dfd = dfd, .how = how }; }

/* The place that `name` names, counted.  name is as user space gave it, without its NUL.
 * ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG, EBADF, EXDEV, ENOMEM. */
err_t path_lookup(const struct actor *who, struct walk walk, bytes name, struct path *out);

/* The directory in which the last component lies, and that component (a borrow of name).
 * kind tells "." and "..", which creating and removing refuse in their own ways. */
enum last_kind { LAST_NORM, LAST_DOT, LAST_DOTDOT, LAST_ROOT };
struct last { enum last_kind kind; bytes name; bool slash; };    /* slash: trailing slashes followed */
struct parent { struct path dir; struct last last; err_t err; }; /* dir counted unless err */
struct parent path_parent(const struct actor *who, struct walk walk, bytes name);
/* The same after path_parent found `dir` for the name `other`: it is not walked twice.  same_start: so were their walks'. */
struct parent path_sibling(const struct actor *who, const struct path *dir, bytes other, struct walk walk, bool same_start, bytes name);

/* The path text of a place as seen from `root` (getcwd, /proc links, mounts), written to the
 * END of buf; *text is the part of it, without NUL.  flags: what to do about the unreachable and deleted.
 * ENAMETOOLONG; ENOENT: PATH_NO_DELETED and it is. */
#define PATH_NO_DELETED 1u              /* getcwd: ENOENT if deleted; otherwise " (deleted)" is appended */
#define PATH_UNREACHABLE 2u             /* getcwd: "(unreachable)" in front when outside of root */
#define PATH_NO_OUTSIDE 4u              /* EXDEV when outside of root */
#define PATH_RAW 8u                     /* within the file system: mounts do not count */
err_t path_text(const struct path *p, const struct path *root, u32 flags, mbytes buf, usize *start);

/* One component below dir (".." and "." are the caller's affair): *out counted, mounts crossed, symlinks not
 * followed; it may be negative.  Search permission is the caller's to check. */
err_t path_child(const struct actor *who, const struct path *dir, bytes name, struct path *out);

/* The same for a dentry, within the file system. */
err_t path_child_dentry(struct dentry *dir, bytes name, struct dentry **out);

/* Parent of a place, staying below `root` and crossing mounts ("..").  Counted. */
struct path path_dotdot(const struct path *p, const struct path *root);
