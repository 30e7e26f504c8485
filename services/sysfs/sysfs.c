/* SPDX-License-Identifier: Apache-2.0
 *
 * sysfs: the tree, and the file system that shows it.
 *
 * Objects    A node is a directory, file or link.  Its parent's list holds its one count of the tree; a node
 *            holds its parent, an inode its node.
 * States     In the tree, or removed (`gone`, never back): inodes of a removed node go stale.
 * Locking    tree.lock (spin, class sysfs): all lists and `gone`.  A leaf: nothing is called under it but pools.
 * Order      Children are listed in the order they came; `ino` rises with it and is the cookie of readdir.
 */
#include "services/sysfs/sysfs.h"
#include "services/vfs/vfs.h"
#include "lib/list.h"
#include "lib/split.h"
#include "abi/const/fs.h"

LOCK_CLASS(sysfs);

OBJECT(sysfs_node);
LIST_HEAD(sysfs_list, sysfs_node);

OBJECT(sysfs_node) {
        struct sysfs_node *parent;      /* counted; NULL: the top; fixed, as all up to children */
        u64 ino;
        u8  name[SYSFS_NAME];
        u32 type;                       /* S_IFDIR, S_IFREG, S_IFLNK */
        const struct sysfs_file *file;
        u64 key;
        struct blob *target;            /* counted: a link's text */
        struct sysfs_list children;     /* counted, each; tree.lock, as all below */
        struct sysfs_node *next, *prev;
        bool gone;                      /* LOAD without the lock */
};
POOL_DECLARE(sysfs_node)
LIST_FUNCTIONS(sysfs_list, sysfs_node, next, prev)

static void sysfs_node_fini(struct sysfs_node *n)
{
        sysfs_node_drop(n->parent);
        blob_drop(n->target);
}
POOL_DEFINE(sysfs_node, sysfs_node_fini);

/* The file-scope state (reviewed list): there is one machine to show. */
STABLE(sysfs_tree) {
        struct spinlock lock;
        struct sysfs_node *top;         /* counted; fixed after boot */
        u64 last_ino;                   /* lock */
};
static struct sysfs_tree tree;

OBJECT(sysfs_super) { struct superblock base; };
POOL_DECLARE(sysfs_super)
DOWNCASTABLE(sysfs_super, superblock);

static void sysfs_super_fini(struct sysfs_super *ss) { superblock_fini(&ss->base); }
POOL_DEFINE(sysfs_super, sysfs_super_fini);

OBJECT(sysfs_inode) {
        struct inode base;
        struct sysfs_node *node;        /* counted; fixed */
};
POOL_DECLARE(sysfs_inode)
DOWNCASTABLE(sysfs_inode, inode);

static void sysfs_inode_fini(struct sysfs_inode *si)
{
        sysfs_node_drop(si->node);
        inode_fini(&si->base);
}
POOL_DEFINE(sysfs_inode, sysfs_inode_fini);

OBJECT(sysfs_open) {
        struct file base;
        struct text *text;              /* counted; made at the first read; pos_lock */
};
POOL_DECLARE(sysfs_open)
DOWNCASTABLE(sysfs_open, file);

static void sysfs_open_fini(struct sysfs_open *o)
{
        text_drop(o->text);
        file_fini(&o->base);
}
POOL_DEFINE(sysfs_open, sysfs_open_fini);

static struct sysfs_node *node_of(struct inode *inode) { return DOWNCAST(sysfs_inode, inode)->node; }
static bytes name_of(const struct sysfs_node *n)       { return padded(BYTES_OF(n->name)); }

/* ---- The tree ---- */

static struct sysfs_node *child_locked(struct sysfs_node *dir, bytes name)
{
        for (struct sysfs_node *n = dir->children.first; n; n = n->next) {
                if (bytes_eq(name_of(n), name))
                        return n;
        }
        return NULL;
}

static struct sysfs_node *node_child(struct sysfs_node *dir, bytes name)        /* counted, or NULL */
{
        SPIN_GUARD(&tree.lock);
        struct sysfs_node *n = child_locked(dir, name);
        return n ? sysfs_node_hold(n) : NULL;
}

/* The first child from this inode number on, counted, or NULL. */
static struct sysfs_node *node_child_from(struct sysfs_node *dir, u64 ino)
{
        SPIN_GUARD(&tree.lock);
        for (struct sysfs_node *n = dir->children.first; n; n = n->next) {
                if (n->ino >= ino)
                        return sysfs_node_hold(n);
        }
        return NULL;
}

/* Puts n (counted, new) into dir; or returns the one of that name that is there already, and drops n. */
static struct sysfs_node *node_insert(struct sysfs_node *dir, struct sysfs_node *n)     /* counted */
{
        struct sysfs_node *there = NULL;
        {
                SPIN_GUARD(&tree.lock);
                there = child_locked(dir, name_of(n));
                if (there) {
                        there = sysfs_node_hold(there);
                } else {
                        n->ino = ++tree.last_ino;
                        sysfs_list_push_back(&dir->children, sysfs_node_hold(n));
                }
        }
        if (!there)
                return n;
        sysfs_node_drop(n);
        return there;
}

static struct sysfs_node *node_new(struct sysfs_node *parent, bytes name, u32 type)     /* NULL: no memory */
{
        struct sysfs_node *n = sysfs_node_alloc(NULL, MAY_RECLAIM);

        if (!n)
                return NULL;
        mbytes_copy(MBYTES_OF(n->name), name);
        n->type = type;
        if (parent)
                n->parent = sysfs_node_hold(parent);
        sysfs_node_publish(n);
        return n;
}

static err_t check_name(bytes name)
{
        return bytes_len(name) == 0 ? ERR(EINVAL) : bytes_len(name) > SYSFS_NAME ? ERR(ENAMETOOLONG) : OK;
}

/* The directory of that path, made where it is missing; counted. */
static err_t make_path(bytes path, struct sysfs_node **out)
{
        struct sysfs_node *at = sysfs_node_hold(tree.top);

        while (bytes_len(path) > 0) {
                struct split s = split_component(path);
                struct sysfs_node *next = NULL;
                err_t err = check_name(s.head);

                if (succeeded(err)) {
                        next = node_child(at, s.head);
                        if (!next) {
                                next = node_new(at, s.head, S_IFDIR);
                                next = next ? node_insert(at, next) : NULL;
                        }
                        err = !next ? ERR(ENOMEM) : next->type != S_IFDIR ? ERR(ENOTDIR) : OK;
                }
                sysfs_node_drop(at);
                if (failed(err)) {
                        sysfs_node_drop(next);
                        return err;
                }
                at = next;
                path = s.rest;
        }
        *out = at;
        return OK;
}

err_t sysfs_dir(bytes path)
{
        struct sysfs_node *n = NULL;
        TRY(make_path(path, &n));
        sysfs_node_drop(n);
        return OK;
}

/* Adds the new node n (NULL: no memory) to dir. */
static err_t add(struct sysfs_node *dir, struct sysfs_node *n)
{
        if (!n)
                return ERR(ENOMEM);
        struct sysfs_node *mine = sysfs_node_hold(n), *in = node_insert(dir, n);
        err_t err = in == mine ? OK : ERR(EEXIST);
        sysfs_node_drop(in);
        sysfs_node_drop(mine);
        return err;
}

err_t sysfs_file(bytes path, const struct sysfs_file *file, u64 key)
{
        struct sysfs_node *dir = NULL;

        TRY(make_path(path, &dir));
        struct sysfs_node *n = node_new(dir, padded(BYTES_OF(file->name)), S_IFREG);
        if (n) {
                n->file = file;
                n->key = key;
        }
        err_t err = add(dir, n);
        sysfs_node_drop(dir);
        return err;
}

/* "../../" as often as `path` has directories, and the target. */
static struct blob *link_text(bytes path, bytes target)
{
        u32 ups = 0;

        for (usize i = 0; i < bytes_len(path); i++)
                ups += bytes_at(path, i) == '/';
        struct blob *text = blob_alloc(NULL, (usize)ups * 3 + bytes_len(target));
        if (!text)
                return NULL;
        for (u32 i = 0; i < ups; i++)
                mbytes_copy(mbytes_skip(blob_mbytes(text), (usize)i * 3), STR("../"));
        mbytes_copy(mbytes_skip(blob_mbytes(text), (usize)ups * 3), target);
        blob_set_len(text, (usize)ups * 3 + bytes_len(target));
        return text;
}

err_t sysfs_link(bytes path, bytes target)
{
        usize slash = bytes_rfind(path, '/');
        bool  deep = slash < bytes_len(path);
        bytes name = deep ? bytes_skip(path, slash + 1) : path;
        struct sysfs_node *dir = NULL;

        TRY(check_name(name));
        TRY(make_path(bytes_take(path, deep ? slash : 0), &dir));
        struct sysfs_node *n = node_new(dir, name, S_IFLNK);
        if (n)
                n->target = link_text(path, target);
        err_t err = n && !n->target ? ERR(ENOMEM) : OK;
        if (succeeded(err))
                err = add(dir, n);
        else
                sysfs_node_drop(n);
        sysfs_node_drop(dir);
        return err;
}

/* Takes one leaf of n's subtree (n itself at last) out of the tree: counted; NULL: n is out. */
static struct sysfs_node *take_leaf(struct sysfs_node *n)
{
        SPIN_GUARD(&tree.lock);
        if (n->gone)
                return NULL;
        while (n->children.first)
                n = n->children.first;
        sysfs_list_remove(&n->parent->children, n);
        STORE(n->gone, true);
        return n;                               /* with the list's count */
}

void sysfs_remove(bytes path)
{
        struct sysfs_node *at = sysfs_node_hold(tree.top);

        while (at && bytes_len(path) > 0) {
                struct split s = split_component(path);
                struct sysfs_node *next = node_child(at, s.head);
                sysfs_node_drop(at);
                at = next;
                path = s.rest;
        }
        if (!at)
                return;
        if (at->parent) {
                for (struct sysfs_node *leaf = take_leaf(at); leaf; leaf = take_leaf(at))
                        sysfs_node_drop(leaf);
        }
        sysfs_node_drop(at);
}

/* ---- Inodes and directories ---- */

static const struct inode_ops dir_inode_ops, file_inode_ops, link_inode_ops;
static const struct file_ops dir_file_ops, text_file_ops;

static err_t make_inode(struct superblock *sb, struct sysfs_node *n, struct inode **out)        /* counted */
{
        struct sysfs_inode *si = sysfs_inode_alloc(sb->payer, MAY_RECLAIM);
        bool is_dir = n->type == S_IFDIR, is_link = n->type == S_IFLNK;

        if (!si)
                return ERR(ENOMEM);
        struct inode_init init = {
                .ops = is_dir ? &dir_inode_ops : is_link ? &link_inode_ops : &file_inode_ops,
                .fops = is_dir ? &dir_file_ops : &text_file_ops, .sb = sb, .ino = n->ino,
                .mode = n->type | (is_dir ? n->parent ? 0755u : 0555u : is_link ? 0777u : n->file->mode),
        };
        inode_init(&si->base, &init);
        si->node = sysfs_node_hold(n);
        if (is_dir)
                si->base.nlink = 2;
        else if (is_link)
                si->base.link = blob_hold(n->target);
        else
                si->base.size = PAGE_SIZE;
        sysfs_inode_publish(si);
        *out = &si->base;
        return OK;
}

static err_t sysfs_lookup(struct inode *dir, struct dentry *d)
{
        struct sysfs_node *n = node_child(node_of(dir), dentry_name(d));
        struct inode *inode = NULL;

        if (!n)
                return OK;                      /* negative, and stale at once: devices come without notice */
        err_t err = make_inode(dir->sb, n, &inode);
        sysfs_node_drop(n);
        if (succeeded(err))
                dentry_set(d, inode);
        return err;
}

static err_t sysfs_readdir(struct file *f, struct dir_out *out)
{
        struct sysfs_node *dir = node_of(f->inode);

        if (!dir_emit_dots(f, out))
                return OK;
        for (;;) {
                struct sysfs_node *n = node_child_from(dir, out->pos);
                if (!n)
                        return OK;
                u32 type = n->type == S_IFDIR ? DT_DIR : n->type == S_IFLNK ? DT_LNK : DT_REG;
                bool fits = dir_emit(out, name_of(n), n->ino, type, n->ino + 1);
                sysfs_node_drop(n);
                if (!fits)
                        return OK;
        }
}

/* ---- Files ---- */

static err_t sysfs_open(const struct actor *who, const struct path *p, u32 flags, struct file **out)
{
        const struct sysfs_file *file = node_of(p->dentry->inode)->file;
        u32 access = flags & O_ACCMODE;

        if ((access != O_RDONLY && !file->store) || (access != O_WRONLY && !file->show))
                return ERR(EACCES);
        struct sysfs_open *o = sysfs_open_alloc(who->payer, MAY_RECLAIM);
        if (!o)
                return ERR(ENOMEM);
        file_init(&o->base, &text_file_ops, p, who->cred, flags);
        sysfs_open_publish(o);
        *out = &o->base;
        return OK;
}

static err_t sysfs_read(struct file *f, struct io *io, u64 *pos)
{
        struct sysfs_open *o = DOWNCAST(sysfs_open, f);
        struct sysfs_node *n = node_of(f->inode);

        if (*pos == 0 || !o->text) {
                if (LOAD(n->gone))
                        return ERR(ENODEV);
                if (!o->text)
                        o->text = text_new(f->inode->sb->payer);
                if (!o->text)
                        return ERR(ENOMEM);
                text_clear(o->text);
                TRY(n->file->show(o->text, n->key));
        }
        return text_read(o->text, io, pos);
}

static err_t sysfs_write(struct file *f, struct io *io, u64 *pos)
{
        struct sysfs_node *n = node_of(f->inode);
        usize len = min_u64(io_left(io), PAGE_SIZE);

        if (LOAD(n->gone))
                return ERR(ENODEV);
        struct blob *text = blob_alloc(NULL, PAGE_SIZE);
        if (!text)
                return ERR(ENOMEM);
        err_t err = io_copy_in(io, mbytes_take(blob_mbytes(text), len)) < len ? ERR(EFAULT) : OK;
        if (succeeded(err)) {
                bytes b = bytes_take(bytes_const(blob_mbytes(text)), len);
                if (len && bytes_at(b, len - 1) == '\n')
                        b = bytes_take(b, len - 1);
                err = n->file->store(b, n->key);
                *pos += len;
        }
        blob_drop(text);
        return err;
}

static const struct inode_ops dir_inode_ops = { .lookup = sysfs_lookup };
static const struct inode_ops file_inode_ops = { .setattr = NULL };
static const struct inode_ops link_inode_ops = { .setattr = NULL };
static const struct file_ops dir_file_ops = { .readdir = sysfs_readdir };
static const struct file_ops text_file_ops = { .open = sysfs_open, .read = sysfs_read, .write = sysfs_write, .flags = FOPS_SERIAL };

/* ---- The file system: one superblock, mounted any number of times ---- */

static bool sysfs_revalidate(struct dentry *d)
{
        struct inode *inode = PTR_LOAD(d->inode);
        return inode && !LOAD(node_of(inode)->gone);
}

static err_t sysfs_statfs(struct superblock *sb, struct linux_statfs *out)
{
        *out = (struct linux_statfs){ .f_type = (i64)sb->magic, .f_bsize = PAGE_SIZE, .f_frsize = PAGE_SIZE, .f_namelen = 255 };
        return OK;
}

static const struct super_ops super_ops = { .statfs = sysfs_statfs, .revalidate = sysfs_revalidate };

static err_t sysfs_mount(const struct fs_type *type, const struct mount_request *req, struct superblock **out)
{
        struct superblock *sb = fs_single(type);
        struct inode *root = NULL;

        if (sb) {
                *out = sb;
                return OK;
        }
        struct sysfs_super *ss = sysfs_super_alloc(req->payer, MAY_RECLAIM);
        if (!ss)
                return ERR(ENOMEM);
        sb = &ss->base;
        err_t err = superblock_init(sb, &super_ops, type, req->payer);
        if (succeeded(err)) {
                sb->magic = SYSFS_MAGIC;
                sb->block_size = PAGE_SIZE;
                sb->name_max = 255;
                err = make_inode(sb, tree.top, &root);
        }
        if (succeeded(err))
                err = superblock_set_root(sb, root);
        if (failed(err)) {
                sysfs_super_drop(ss);
                return err;
        }
        *out = sb;
        return OK;
}

static const struct fs_type sysfs_type = { .name = "sysfs", .flags = FS_NODEV | FS_USERNS, .mount = sysfs_mount };

void sysfs_init(void)
{
        lock_init(&tree.lock, sysfs);
        tree.top = node_new(NULL, STR(""), S_IFDIR);
        if (!tree.top) {
                klog(LOG_ERR, "sysfs: no memory");
                return;
        }
        tree.top->ino = tree.last_ino = 1;
        fs_register(&sysfs_type);
}
