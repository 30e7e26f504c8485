/* SPDX-License-Identifier: Apache-2.0
 *
 * Path walk.  Two walkers with one meaning:
 *
 *   fast  no locks, no counts, no stores: goes from dentry to dentry by their seq (dentry.h)
 *         and holds only what it ends at.  Whatever is unusual (not cached, changed under
 *         its feet, a link too long) makes it give up, without having done anything.
 *   slow  counts each place it stands on, asks file systems, waits.  It alone gives errors,
 *         except the two that fast is sure of: ENOENT (a negative dentry) and ENOTDIR.
 *
 * Entry points  path_lookup, path_parent, path_child, path_stat_fast, path_text, path_dotdot
 * Locking       slow takes a directory's inode lock (shared) to ask the file system.
 */
#include "services/vfs/path.h"
#include "services/vfs/dentry_impl.h"
#include "services/vfs/files.h"
#include "services/vfs/fs_context.h"
#include "services/vfs/inode.h"
#include "services/vfs/mount.h"
#include "services/vfs/namei.h"
#include "services/vfs/protect.h"
#include "lib/split.h"

/* ---- Who asks ---- */

struct actor actor_current(void)
{
        struct thread *t = thread_current();

        return (struct actor){ .cred = t->cred, .fs = t->fs, .files = t->files, .ns = t->ns, .payer = t->payer, .process = t->process };
}

struct payer *payer_current(void)
{
        struct task_body *body = task_current();

        return IS_A(thread, body) ? DOWNCAST(thread, body)->payer : NULL;
}

/* ---- The fast walker ---- */

#define LINK_TEXT 240                   /* longer link + rest: slow */

enum fast { FAST_DONE, FAST_ERROR, FAST_GIVE_UP, FAST_LINK };
struct fast_place { struct mount *mnt; struct dentry *dentry; u64 seq; };
struct fast_walk {
        struct fast_place at, root;
        struct fast_place link;         /* FAST_LINK: the link it met, seen from `at`, */
        usize left;                     /* and how many bytes of the text follow it, */
        bool slash;                     /* after a slash */
        u32 links;
        struct mnt_ns *ns;
        u64 changes;                    /* of ns at the start */
        u32 fs_seq;                     /* of the actor's fs */
};

static inline bool is_valid(const struct fast_place *p) { return p->seq != 0 && LOAD(p->dentry->seq) == p->seq; }

static inline void place(struct fast_place *p, struct mount *m, struct dentry *d)
{
        p->mnt = m;
        p->dentry = d;
        p->seq = d ? LOAD(d->seq) : 0;
}

/* Where it begins. base: the directory of dirfd, pinned by the caller; NULL: the working directory. */
static bool fast_begin(struct fast_walk *w, const struct actor *who, const struct path *base, bool absolute)
{
        struct fs_context *fs = who->fs;

        w->fs_seq = LOAD(fs->seq);
        place(&w->root, PTR_LOAD(fs->root.mnt), PTR_LOAD(fs->root.dentry));
        if (absolute)
                w->at = w->root;
        else if (base)
                place(&w->at, base->mnt, base->dentry);
        else
                place(&w->at, PTR_LOAD(fs->cwd.mnt), PTR_LOAD(fs->cwd.dentry));
        if ((w->fs_seq & 1) != 0 || w->at.seq == 0 || w->root.seq == 0)
                return false;
        w->ns = PTR_LOAD(w->at.mnt->ns);
        if (!w->ns)
                return false;
        w->changes = LOAD(w->ns->changes);
        return (w->changes & 1) == 0 && LOAD(fs->seq) == w->fs_seq;
}

/* May the actor search this directory?  Without touching what may be gone.  No: slow says which error. */
static inline bool fast_search(const struct actor *who, struct dentry *dir)
{
        struct inode *inode = PTR_LOAD(dir->inode);

        if (!inode || (inode->flags & INODE_PLAIN) == 0)
                return false;
        u32 mode = LOAD_RELAXED(inode->mode);
        if ((mode & (S_IFMT | 0111)) == (S_IFDIR | 0111))
                return true;
        struct file_owner owner = { inode->uid, inode->gid, mode };
        return (mode & S_IFMT) == S_IFDIR && succeeded(cred_may_access(who->cred, owner, MAY_EXEC));
}

static bool fast_up(const struct fast_walk *w, struct fast_place *at)
{
        struct dentry *d = at->dentry;

        if (at->mnt == w->root.mnt && d == w->root.dentry)
                return true;
        if (d == PTR_LOAD(at->mnt->root))
                return false;           /* crossing upwards: slow */
        struct fast_place up;
        place(&up, at->mnt, PTR_LOAD(d->parent));
        if (!up.dentry || !is_valid(at) || LOAD(up.dentry->mounted) != 0)
                return false;
        *at = up;
        return up.seq != 0;
}

/* Down to what is mounted there. */
static noinline bool fast_mounts(const struct fast_walk *w, struct fast_place *at)
{
        struct mount *m;

        while (LOAD(at->dentry->mounted) != 0 && (m = mount_peek(at->mnt, at->dentry)) != NULL) {
                place(at, m, PTR_LOAD(m->root));
                if (at->seq == 0)
                        return false;
        }
        return LOAD(w->ns->changes) == w->changes;
}

static bool is_dot(bytes name)    { return bytes_len(name) == 1 && bytes_at(name, 0) == '.'; }
static bool is_dotdot(bytes name) { return bytes_len(name) == 2 && bytes_at(name, 0) == '.' && bytes_at(name, 1) == '.'; }

static bytes skip_slashes(bytes path)
{
        while (bytes_len(path) > 0 && bytes_at(path, 0) == '/')
                path = bytes_skip(path, 1);
        return path;
}

/* Along the names of `rest`, from w->at.  ERROR: it is surely not there. */
static enum fast fast_names(const struct actor *who, struct fast_walk *w, bytes rest, u32 how)
{
        struct fast_place at = w->at;

        rest = skip_slashes(rest);
        while (bytes_len(rest) > 0) {
                struct bytes_part part = bytes_part(rest, '/');
                bytes name = bytes_take(rest, part.len);
                bool slash = part.len < bytes_len(rest);
                rest = skip_slashes(bytes_skip(rest, slash ? part.len + 1 : part.len));
                if (!fast_search(who, at.dentry))
                        return FAST_GIVE_UP;
                if (is_dot(name))
                        continue;
                if (is_dotdot(name)) {
                        if (!fast_up(w, &at))
                                return FAST_GIVE_UP;
                        continue;
                }
                u64 seq = 0;
                struct dentry *d = dentry_peek(at.dentry, name, dentry_name_hash(at.dentry, part.hash), &seq);
                struct fast_place child = { at.mnt, d, seq };
                if (!child.dentry || child.seq == 0)
                        return FAST_GIVE_UP;
                u32 flags = LOAD(child.dentry->flags);
                struct inode *inode = PTR_LOAD(child.dentry->inode);
                u32 type = inode ? inode_type(inode) : 0;
                bool mounted = LOAD(child.dentry->mounted) != 0;
                if ((flags & DENTRY_HASHED) == 0 || !is_valid(&child) || !is_valid(&at))
                        return FAST_GIVE_UP;
                if ((flags & DENTRY_REFERENCED) == 0)
                        FETCH_OR(child.dentry->flags, DENTRY_REFERENCED);
                if (mounted) {
                        struct fast_place below = child;
                        if (!fast_mounts(w, &below))
                                return FAST_GIVE_UP;
                        child = below;
                        inode = PTR_LOAD(child.dentry->inode);
                        if (!inode)
                                return FAST_GIVE_UP;
                        type = inode_type(inode);
                }
                if (!inode)
                        return FAST_ERROR;
                bool last = bytes_len(rest) == 0;
                if (type == S_IFLNK && (!last || slash || (how & LOOK_FOLLOW) != 0)) {
                        w->at = at;
                        w->link = child;
                        w->left = bytes_len(rest);
                        w->slash = slash;
                        return FAST_LINK;
                }
                if (last && (slash || (how & LOOK_DIRECTORY) != 0) && type != S_IFDIR)
                        return FAST_GIVE_UP;
                at = child;
        }
        w->at = at;
        return FAST_DONE;
}

/* May the link that was met not be followed?  Perhaps: then slow looks again. */
static bool fast_protected(const struct actor *who, const struct fast_walk *w, u32 how)
{
        if (w->left != 0 || (how & LOOK_INSIDE) != 0)
                return false;
        struct inode *dir = PTR_LOAD(w->at.dentry->inode), *link = PTR_LOAD(w->link.dentry->inode);

        return !dir || !link || protect_symlink(who, dir, link);
}

/* Writes "<link>/<rest>" to out; 0: it does not fit, or the link has gone. */
static usize fast_link(struct fast_walk *w, bytes rest, mbytes out)
{
        struct inode *inode = PTR_LOAD(w->link.dentry->inode);
        struct blob *text = inode ? inode->link : NULL;
        if (!text || !is_valid(&w->link) || (LOAD_RELAXED(w->link.mnt->flags) & MNT_NOSYMFOLLOW) != 0)
                return 0;
        bytes target = blob_bytes(text);
        usize n = bytes_len(target), total = n + (w->slash ? 1 + bytes_len(rest) : 0);
        if (n == 0 || total > mbytes_len(out) || ++w->links > SYMLINKS_MAX)
                return 0;
        mbytes_copy(out, target);
        if (w->slash) {
                mbytes_put(out, n, '/');
                mbytes_copy(mbytes_skip(out, n + 1), rest);
        }
        return is_valid(&w->link) ? total : 0;
}

/* Goes on after FAST_LINK in `name`. */
static noinline enum fast fast_links(const struct actor *who, struct fast_walk *w, bytes name, u32 how)
{
        u8 text[2][LINK_TEXT];
        bytes rest = name;

        for (u32 side = 0;; side ^= 1) {
                if (fast_protected(who, w, how))
                        return FAST_GIVE_UP;
                usize n = fast_link(w, bytes_skip(rest, bytes_len(rest) - w->left), MBYTES_OF(text[side]));
                if (n == 0)
                        return FAST_GIVE_UP;
                rest = bytes_take(BYTES_OF(text[side]), n);
                if (bytes_at(rest, 0) == '/')
                        w->at = w->root;
                enum fast r = fast_names(who, w, rest, how);
                if (r != FAST_LINK)
                        return r;
        }
}

static inline bool fast_is_true(const struct fast_walk *w, const struct actor *who)
{
        return is_valid(&w->at) && LOAD(w->ns->changes) == w->changes && LOAD(who->fs->seq) == w->fs_seq;
}

/* Counts where it stands: the only stores of a fast walk. */
static enum fast fast_end(struct fast_walk *w, const struct actor *who, struct path *out)
{
        if (!dentry_try_hold(w->at.dentry))
                return FAST_GIVE_UP;
        if (mount_try_hold(w->at.mnt)) {
                if (fast_is_true(w, who)) {
                        out->mnt = w->at.mnt;
                        out->dentry = w->at.dentry;
                        return FAST_DONE;
                }
                mount_drop(w->at.mnt);
        }
        dentry_drop(w->at.dentry);
        return FAST_GIVE_UP;
}

/* how: LOOK_FOLLOW, LOOK_DIRECTORY.  FAST_ERROR is ENOENT. */
static enum fast fast_walk(const struct actor *who, const struct path *base, bytes name, u32 how, struct path *out)
{
        struct fast_walk w = { };

        if (!fast_begin(&w, who, base, bytes_at(name, 0) == '/'))
                return FAST_GIVE_UP;
        enum fast r = fast_names(who, &w, name, how);
        if (r == FAST_LINK)
                r = fast_links(who, &w, name, how);
        return r == FAST_DONE ? fast_end(&w, who, out) : r;
}

/* ---- The slow walker ---- */

/* What the file system knows of a name that is not in the cache.  enter: that there is nothing is worth knowing.
 * REQUIRES(dir->lock), shared at least. */
static err_t ask_locked(struct inode *dir, struct dentry *parent, const struct qname *q, bool enter, struct dentry **out)
{
        if (dir->flags & INODE_DEAD)
                return ERR(ENOENT);
        struct dentry *d = dentry_new(parent, q->name, q->hash);
        if (!d)
                return ERR(ENOMEM);
        err_t err = dir->ops->lookup(dir, d);
        if (failed(err)) {
                dentry_drop(d);
                return err;
        }
        *out = enter || d->inode ? dentry_hash(d) : d;
        return OK;
}

static err_t ask(struct inode *dir, struct dentry *parent, const struct qname *q, struct dentry **out)
{
        READ_GUARD(&dir->lock);
        *out = dir->flags & INODE_DEAD ? NULL : dentry_find(parent, q);         /* somebody may have been here meanwhile */
        return *out ? OK : ask_locked(dir, parent, q, true, out);
}

/* What the cache knows, if it is still true. */
static struct dentry *find_fresh(struct dentry *dir, const struct qname *q)
{
        struct dentry *d = dentry_find(dir, q);

        if (!d || !d->sb->ops->revalidate || d->sb->ops->revalidate(d))
                return d;
        dentry_unhash(d);
        dentry_drop(d);
        return NULL;
}

static err_t may_hold(struct dentry *dir, bytes name)
{
        struct inode *inode = PTR_LOAD(dir->inode);

        if (!inode || !inode->ops->lookup)
                return ERR(ENOTDIR);
        return bytes_len(name) > dir->sb->name_max ? ERR(ENAMETOOLONG) : OK;
}

err_t path_child_dentry(struct dentry *dir, bytes name, struct dentry **out)
{
        TRY(may_hold(dir, name));
        struct qname q = qname(dir, name);
        *out = find_fresh(dir, &q);
        return *out ? OK : ask(dir->inode, dir, &q, out);
}

static err_t child_locked(struct dentry *dir, bytes name, bool enter, struct dentry **out)
{
        TRY(may_hold(dir, name));
        struct qname q = qname(dir, name);
        *out = find_fresh(dir, &q);
        return *out ? OK : ask_locked(dir->inode, dir, &q, enter, out);
}

err_t path_child_locked(struct dentry *dir, bytes name, struct dentry **out) { return child_locked(dir, name, true, out); }
err_t path_target_locked(struct dentry *dir, bytes name, struct dentry **out) { return child_locked(dir, name, false, out); }

err_t path_child(const struct actor *who, const struct path *dir, bytes name, struct path *out)
{
        struct dentry *d = NULL;

        (void)who;
        TRY(path_child_dentry(dir->dentry, name, &d));
        out->mnt = mount_hold(dir->mnt);
        out->dentry = d;
        path_descend(out);
        return OK;
}

static struct dentry *parent_of(struct dentry *d)
{
        SPIN_GUARD(&d->sb->dcache);
        return dentry_hold(d->parent ? d->parent : d);
}

struct path path_dotdot(const struct path *p, const struct path *root)
{
        struct path at = path_hold(p), above = { };

        for (;;) {
                if (path_same(&at, root))
                        return at;
                if (at.dentry != at.mnt->root)
                        break;
                if (!mount_above(at.mnt, &above))
                        return at;
                path_drop(&at);
                at = above;
        }
        struct dentry *up = parent_of(at.dentry);
        dentry_drop(at.dentry);
        at.dentry = up;
        path_descend(&at);
        return at;
}

struct slow {
        struct path at, root, start;    /* counted; start: for RESOLVE_BENEATH */
        struct blob *text;              /* what is left of the path after a link; counted */
        u32 links;
        bool jumped;
};

err_t link_text(struct inode *inode, struct blob **out)
{
        usize len = 0;

        if (inode->link) {
                *out = blob_hold(inode->link);
                return OK;
        }
        if (!inode->ops->readlink)
                return ERR(EINVAL);
        struct blob *b = blob_alloc(payer_current(), PATH_MAX_LEN);
        if (!b)
                return ERR(ENOMEM);
        err_t err = inode->ops->readlink(inode, blob_mbytes(b), &len);
        if (failed(err)) {
                blob_drop(b);
                return err;
        }
        blob_set_len(b, len);
        *out = b;
        return OK;
}

static err_t join(bytes link, bytes rest, bool slash, struct blob **out)
{
        usize n = bytes_len(link), total = n + (slash ? 1 + bytes_len(rest) : 0);

        if (n == 0)
                return ERR(ENOENT);
        if (total >= PATH_MAX_LEN)
                return ERR(ENAMETOOLONG);
        struct blob *b = blob_alloc(payer_current(), total);
        if (!b)
                return ERR(ENOMEM);
        mbytes_copy(blob_mbytes(b), link);
        if (slash) {
                mbytes_put(blob_mbytes(b), n, '/');
                mbytes_copy(mbytes_skip(blob_mbytes(b), n + 1), rest);
        }
        blob_set_len(b, total);
        *out = b;
        return OK;
}

/* Steps into the link `link`: s->at and s->text say how to go on; a magic link goes there at once
 * (s->jumped).  rest: what follows it. */
static err_t slow_link(struct slow *s, const struct path *link, bytes rest, bool slash, u32 resolve)
{
        struct inode *inode = link->dentry->inode;
        struct blob *target = NULL, *text = NULL;

        s->jumped = false;
        if ((resolve & RESOLVE_NO_SYMLINKS) != 0 || (LOAD_RELAXED(link->mnt->flags) & MNT_NOSYMFOLLOW) != 0 || ++s->links > SYMLINKS_MAX)
                return ERR(ELOOP);
        inode_touch_atime(inode);
        if ((inode->flags & INODE_MAGICLINK) != 0) {
                struct path to = { };
                if (resolve & (RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT))
                        return ERR((resolve & RESOLVE_NO_MAGICLINKS) ? ELOOP : EXDEV);
                TRY(inode->ops->follow(inode, &to));
                if ((resolve & RESOLVE_NO_XDEV) != 0 && to.mnt != s->at.mnt) {
                        path_drop(&to);
                        return ERR(EXDEV);
                }
                path_drop(&s->at);
                s->at = to;
                s->jumped = true;
                return OK;
        }
        TRY(link_text(inode, &target));
        bytes words = blob_bytes(target);
        err_t err = join(words, rest, slash, &text);
        if (succeeded(err) && bytes_at(words, 0) == '/') {
                if (resolve & RESOLVE_BENEATH) {
                        err = ERR(EXDEV);
                } else {
                        struct path root = path_hold(&s->root);
                        path_drop(&s->at);
                        s->at = root;
                }
        }
        blob_drop(target);
        if (failed(err)) {
                blob_drop(text);
                return err;
        }
        blob_drop(s->text);
        s->text = text;
        return OK;
}

static err_t slow_up(struct slow *s, u32 resolve)
{
        if ((resolve & RESOLVE_BENEATH) != 0 && path_same(&s->at, &s->start))
                return ERR(EXDEV);
        struct path up = path_dotdot(&s->at, &s->root);
        if ((resolve & RESOLVE_NO_XDEV) != 0 && up.mnt != s->at.mnt) {
                path_drop(&up);
                return ERR(EXDEV);
        }
        path_drop(&s->at);
        s->at = up;
        return OK;
}

err_t path_may_search(const struct actor *who, const struct path *at)
{
        struct inode *inode = PTR_LOAD(at->dentry->inode);

        if (!inode || !inode_is_dir(inode))
                return ERR(ENOTDIR);
        return inode_permission(who, inode, MAY_EXEC);
}

/* One component.  *stop: the walk ends here with s->at the directory (LOOK_PARENT). */
static err_t slow_step(const struct actor *who, struct slow *s, struct split part, const struct walk *walk, bool *linked)
{
        struct path child = { };
        bool last = bytes_len(part.rest) == 0;

        *linked = false;
        if (is_dot(part.head))
                return OK;
        if (is_dotdot(part.head))
                return slow_up(s, walk->resolve);
        TRY(path_child(who, &s->at, part.head, &child));
        struct inode *inode = PTR_LOAD(child.dentry->inode);
        err_t err = OK;
        if ((walk->resolve & RESOLVE_NO_XDEV) != 0 && child.mnt != s->at.mnt)
                err = ERR(EXDEV);
        else if (!inode)
                err = ERR(ENOENT);
        if (failed(err)) {
                path_drop(&child);
                return err;
        }
        if (inode_is_symlink(inode) && (!last || part.found || (walk->how & LOOK_FOLLOW) != 0)) {
                if (last && (walk->how & LOOK_INSIDE) == 0 && protect_symlink(who, s->at.dentry->inode, inode))
                        err = ERR(EACCES);
                else
                        err = slow_link(s, &child, part.rest, part.found, walk->resolve);
                *linked = succeeded(err) && !s->jumped;
                path_drop(&child);
                return err;
        }
        path_drop(&s->at);
        s->at = child;
        if ((!last || part.found) && !inode_is_dir(inode))
                return ERR(ENOTDIR);
        return OK;
}

static err_t slow_begin(const struct actor *who, const struct path *base, const struct walk *walk, bool absolute, struct slow *s)
{
        s->start = base ? path_hold(base) : fs_cwd(who->fs);
        if ((walk->resolve & RESOLVE_BENEATH) != 0 && absolute)
                return ERR(EXDEV);
        s->root = (walk->resolve & RESOLVE_IN_ROOT) != 0 ? path_hold(&s->start) : fs_root(who->fs);
        if (absolute && (walk->resolve & RESOLVE_NO_XDEV) != 0 && s->root.mnt != s->start.mnt)
                return ERR(EXDEV);
        s->at = path_hold(absolute ? &s->root : &s->start);
        return OK;
}

static err_t slow_loop(const struct actor *who, struct slow *s, bytes name, const struct walk *walk)
{
        bytes rest = skip_slashes(name);
        bool linked = false;

        while (bytes_len(rest) > 0) {
                struct split part = split_component(rest);
                TRY(path_may_search(who, &s->at));
                TRY(slow_step(who, s, part, walk, &linked));
                rest = linked ? skip_slashes(blob_bytes(s->text)) : part.rest;
        }
        struct inode *inode = PTR_LOAD(s->at.dentry->inode);
        if ((walk->how & LOOK_DIRECTORY) != 0 && !(inode && inode_is_dir(inode)))
                return ERR(ENOTDIR);
        return OK;
}

static err_t slow_walk(const struct actor *who, const struct path *base, bytes name, const struct walk *walk, struct path *out)
{
        struct slow s = { };
        err_t err = slow_begin(who, base, walk, bytes_at(name, 0) == '/', &s);

        if (succeeded(err))
                err = slow_loop(who, &s, name, walk);
        if (succeeded(err))
                *out = path_hold(&s.at);
        path_drop(&s.at);
        path_drop(&s.root);
        path_drop(&s.start);
        blob_drop(s.text);
        return err;
}

/* ---- Entry points ---- */

bool path_stat_fast(const struct actor *who, bytes name, u32 how, struct stat_info *out, err_t *err)
{
        struct fast_walk w = { };

        if (bytes_len(name) == 0 || bytes_len(name) >= PATH_MAX_LEN || !fast_begin(&w, who, NULL, bytes_at(name, 0) == '/'))
                return false;
        enum fast r = fast_names(who, &w, name, how);
        if (r == FAST_LINK)
                r = fast_links(who, &w, name, how);
        *err = r == FAST_ERROR ? ERR(ENOENT) : OK;
        if (r != FAST_DONE)
                return r == FAST_ERROR;
        struct inode *inode = PTR_LOAD(w.at.dentry->inode);
        if (!inode || !inode_stat_unheld(inode, out))
                return false;
        out->mnt_id = w.at.mnt->id;
        if (w.at.dentry == PTR_LOAD(w.at.mnt->root))
                out->attributes |= STATX_ATTR_MOUNT_ROOT;
        return fast_is_true(&w, who);
}

static err_t walk_from(const struct actor *who, const struct path *base, const struct walk *walk, bytes name, struct path *out)
{
        if (walk->resolve == 0 || walk->resolve == RESOLVE_CACHED) {
                enum fast r = fast_walk(who, base, name, walk->how, out);
                if (r != FAST_GIVE_UP)
                        return r == FAST_DONE ? OK : ERR(ENOENT);
        }
        if (walk->resolve & RESOLVE_CACHED)
                return ERR(EAGAIN);
        return slow_walk(who, base, name, walk, out);
}

/* "" names the directory itself, for AT_EMPTY_PATH. */
static err_t itself(const struct actor *who, const struct path *base, struct path *out)
{
        *out = base ? path_hold(base) : fs_cwd(who->fs);
        return OK;
}

err_t path_lookup(const struct actor *who, struct walk walk, bytes name, struct path *out)
{
        bool empty = bytes_len(name) == 0;
        err_t err;

        if (empty && (walk.how & LOOK_EMPTY) == 0)
                return ERR(ENOENT);
        if (bytes_len(name) >= PATH_MAX_LEN)
                return ERR(ENAMETOOLONG);
        if (walk.base)
                return empty ? itself(who, walk.base, out) : walk_from(who, walk.base, &walk, name, out);
        bool from_root = !empty && bytes_at(name, 0) == '/' && (walk.resolve & RESOLVE_IN_ROOT) == 0;
        if (walk.dfd == AT_FDCWD || from_root)
                return empty ? itself(who, NULL, out) : walk_from(who, NULL, &walk, name, out);
        if (walk.dfd < 0 || !who->files)
                return ERR(EBADF);
        struct fd_ref r = fd_get_path(who->files, (u32)walk.dfd);
        if (!r.file)
                return ERR(EBADF);
        if (empty)
                err = itself(who, &r.file->path, out);
        else if (!inode_is_dir(r.file->inode))
                err = ERR(ENOTDIR);
        else
                err = walk_from(who, &r.file->path, &walk, name, out);
        fd_put(r);
        return err;
}

struct parsed { struct last last; bytes dir; err_t err; };

static struct parsed parse(bytes name)
{
        struct parsed r = { };
        usize end = bytes_len(name);

        if (end == 0 || end >= PATH_MAX_LEN)
                r.err = ERR(end == 0 ? ENOENT : ENAMETOOLONG);
        while (end > 0 && bytes_at(name, end - 1) == '/')
                end--;
        r.last.slash = end < bytes_len(name);
        bytes trimmed = bytes_take(name, end);
        usize cut = bytes_rfind(trimmed, '/');
        bool has_dir = cut < end;
        r.last.name = has_dir ? bytes_skip(trimmed, cut + 1) : trimmed;
        if (end == 0)
                r.last.kind = LAST_ROOT;
        else if (is_dot(r.last.name))
                r.last.kind = LAST_DOT;
        else if (is_dotdot(r.last.name))
                r.last.kind = LAST_DOTDOT;
        r.dir = end == 0 ? STR("/") : has_dir ? bytes_take(trimmed, cut + 1) : STR(".");
        return r;
}

struct parent path_parent(const struct actor *who, struct walk walk, bytes name)
{
        struct parsed n = parse(name);
        struct parent r = { .last = n.last, .err = n.err };

        walk.how = LOOK_FOLLOW | LOOK_DIRECTORY | LOOK_INSIDE;
        if (succeeded(r.err))
                r.err = path_lookup(who, walk, n.dir, &r.dir);
        return r;
}

struct parent path_sibling(const struct actor *who, const struct path *dir, bytes other, struct walk walk, bool same_start, bytes name)
{
        struct parsed n = parse(name), o = parse(other);
        struct parent r = { .last = n.last, .err = n.err };

        if (failed(n.err) || !bytes_eq(n.dir, o.dir) || (!same_start && bytes_at(n.dir, 0) != '/'))
                return path_parent(who, walk, name);
        r.dir = path_hold(dir);
        return r;
}

/* ---- Paths as text ---- */

struct text { mbytes buf; usize at; };

static bool put_front(struct text *t, bytes part)
{
        if (bytes_len(part) > t->at)
                return false;
        t->at -= bytes_len(part);
        mbytes_copy(mbytes_skip(t->buf, t->at), part);
        return true;
}

/* Puts the names from d up to (without) `top` in front; *reached: where it ended. Not counted. */
static bool put_names_locked(struct text *t, struct dentry *d, struct dentry *top, struct dentry **reached)
{
        while (d != top && d->parent && d->parent != d) {
                if (!put_front(t, dentry_name(d)) || !put_front(t, STR("/")))
                        return false;
                d = d->parent;
        }
        *reached = d;
        return true;
}

static bool put_names(struct text *t, struct dentry *d, struct dentry *top, bool *at_top)
{
        struct dentry *reached = d;

        SPIN_GUARD(&d->sb->dcache);
        if (!put_names_locked(t, d, top, &reached))
                return false;
        *at_top = reached == top;
        return true;
}

/* Is `root` on the way up from p within p's mount? */
static bool root_is_above(const struct path *p, const struct path *root)
{
        return p->mnt == root->mnt && dentry_is_below(p->dentry, root->dentry);
}

static err_t put_path(struct text *t, const struct path *p, const struct path *root, u32 flags)
{
        struct path at = path_hold(p), above = { };
        bool ok = true, top = false, inside = true;

        for (;;) {
                bool end = (flags & PATH_RAW) != 0 || root_is_above(&at, root);
                ok = put_names(t, at.dentry, end ? root->dentry : at.mnt->root, &top);
                if (!ok || end)
                        break;
                if (!mount_above(at.mnt, &above)) {
                        inside = false;
                        break;
                }
                path_drop(&at);
                at = above;
        }
        path_drop(&at);
        if (ok && t->at == mbytes_len(t->buf))
                ok = put_front(t, STR("/"));
        if (ok && !inside && (flags & PATH_UNREACHABLE) != 0)
                ok = put_front(t, STR("(unreachable)"));
        if (!inside && (flags & PATH_NO_OUTSIDE) != 0)
                return ERR(EXDEV);
        return ok ? OK : ERR(ENAMETOOLONG);
}

err_t path_text(const struct path *p, const struct path *root, u32 flags, mbytes buf, usize *start)
{
        struct text t = { .buf = buf, .at = mbytes_len(buf) };
        u32 state = LOAD(p->dentry->flags);
        err_t err = OK;

        if (state & DENTRY_ANON) {
                if (!put_front(&t, dentry_name(p->dentry)))
                        return ERR(ENAMETOOLONG);
                *start = t.at;
                return OK;
        }
        if (state & DENTRY_DELETED) {
                if (flags & PATH_NO_DELETED)
                        return ERR(ENOENT);
                struct text shorter = { .buf = mbytes_take(buf, mbytes_len(buf) < 10 ? 0 : mbytes_len(buf) - 10) };
                shorter.at = mbytes_len(shorter.buf);
                err = put_path(&shorter, p, root, flags);
                mbytes_copy(mbytes_skip(buf, mbytes_len(shorter.buf)), STR(" (deleted)"));
                t.at = shorter.at;
        } else {
                err = put_path(&t, p, root, flags);
        }
        *start = t.at;
        return err;
}
