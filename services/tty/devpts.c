/* SPDX-License-Identifier: Apache-2.0
 *
 * devpts: the file system of pseudo-terminals' names.  Each mount is an instance of its own, with
 * its own numbers and a ptmx that makes pairs in it.
 *
 * Lifetime   A pair holds its instance, and while its master is open the dentry of its node: such
 *            a name is always in the dentry cache, so lookup is asked for ptmx and for names that
 *            are not there.
 * Locking    devpts_super.lock (spin, a leaf) guards the list of pairs.  Nodes come and go with the root's
 *            inode lock held exclusively.  Options: superblock.lock to change, read at any time.
 * Invariants V1  the list ascends strictly by index.
 */
#include "services/tty/pty.h"
#include "services/vfs/chrdev.h"
#include "services/vfs/dentry.h"
#include "services/vfs/mount.h"
#include "services/vfs/namei.h"
#include "services/vfs/notify.h"
#include "lib/num.h"
#include "lib/split.h"
#include "abi/const/fs.h"

#define MOST  1048576u                  /* what max= may say */
#define LIMIT 4096u                     /* kernel.pty.max of proc(5), which nobody can change yet; here of one instance */
enum { INO_ROOT = 1, INO_PTMX = 2, INO_FIRST = 3 };

struct options { u32 mode, ptmxmode, uid, gid, has_uid, has_gid, max; };

LOCK_CLASS(devpts, LEAF);

OBJECT(devpts_super) {
        struct superblock base;
        struct options options;
        struct inode *ptmx;             /* counted; until the last mount is gone: a cycle, ended by kill */
        struct spinlock lock;
        struct pty *first;              /* lock */
        u32 count;                      /* lock */
};
POOL_DECLARE(devpts_super)
DOWNCASTABLE(devpts_super, superblock);

static void devpts_super_fini(struct devpts_super *s) { superblock_fini(&s->base); }
POOL_DEFINE(devpts_super, devpts_super_fini);

OBJECT(devpts_inode) {
        struct inode base;
        struct tty *tty;                /* counted; NULL: the root, ptmx; fixed */
};
POOL_DECLARE(devpts_inode)
DOWNCASTABLE(devpts_inode, inode);

static void devpts_inode_fini(struct devpts_inode *i)
{
        struct tty *tty = i->tty;
        inode_fini(&i->base);
        tty_drop(tty);
}
POOL_DEFINE(devpts_inode, devpts_inode_fini);

static const struct fs_type devpts;

static struct devpts_super *super_of(struct superblock *sb) { return DOWNCAST(devpts_super, sb); }

struct tty *devpts_tty(struct inode *inode)
{
        return IS_A(devpts_inode, inode) ? DOWNCAST(devpts_inode, inode)->tty : NULL;
}

/* ---- numbers ---- */

err_t devpts_take_index(struct superblock *sb, struct pty *p)
{
        struct devpts_super *s = super_of(sb);
        u32 max = (u32)min_u64(LOAD(s->options.max), LIMIT);
        SPIN_GUARD(&s->lock);
        struct pty *before = NULL, *at = s->first;

        if (s->count >= max)
                return ERR(ENOSPC);
        for (; at && at->index == p->index; at = at->next) {
                before = at;
                p->index++;
        }
        p->next = at;
        if (before)
                before->next = p;
        else
                s->first = p;
        s->count++;
        p->listed = true;
        return OK;
}

void devpts_free_index(struct pty *p)
{
        struct devpts_super *s = super_of(p->instance);
        SPIN_GUARD(&s->lock);
        struct pty *at = s->first;

        if (!p->listed)
                return;
        p->listed = false;
        s->count--;
        if (at == p) {
                s->first = p->next;
                return;
        }
        while (at->next != p)
                at = at->next;
        at->next = p->next;
}

/* The lowest index >= from that is taken; MOST: none. */
static u32 next_index(struct devpts_super *s, u32 from)
{
        SPIN_GUARD(&s->lock);
        for (struct pty *p = s->first; p; p = p->next)
                if (p->index >= from && p->node)
                        return p->index;
        return MOST;
}

/* ---- inodes ---- */

static const struct inode_ops root_inode_ops, node_inode_ops;
static const struct file_ops root_ops;

static err_t new_inode(struct superblock *sb, struct payer *payer, const struct inode_init *init, struct devpts_inode **out)
{
        struct devpts_inode *i = devpts_inode_alloc(payer, MAY_RECLAIM);

        (void)sb;
        if (!i)
                return ERR(ENOMEM);
        inode_init(&i->base, init);
        *out = i;
        return OK;
}

static err_t new_node(const struct actor *who, struct devpts_super *s, struct pty *p, struct inode **out)
{
        const struct options *o = &s->options;
        struct inode_init init = { .ops = &node_inode_ops, .fops = &pty_slave_ops, .sb = &s->base, .ino = INO_FIRST + p->index,
                                   .mode = S_IFCHR | o->mode, .uid = o->has_uid ? o->uid : who->cred->fsuid,
                                   .gid = o->has_gid ? o->gid : who->cred->fsgid, .rdev = dev_make(136, p->index) };
        struct devpts_inode *i = NULL;

        TRY(new_inode(&s->base, who->payer, &init, &i));
        i->tty = tty_hold(p->base.tty);
        devpts_inode_publish(i);
        *out = &i->base;
        return OK;
}

static bytes name_of(u32 index, mbytes text)
{
        struct writer w = writer_of(text);
        num_write(&w, index, 10, 1);
        return bytes_take(bytes_const(text), w.at);
}

static err_t add_locked(struct dentry *root, struct pty *p, struct inode *inode)
{
        u8 text[12] = {};
        struct dentry *d = NULL;

        err_t err = path_child_locked(root, name_of(p->index, MBYTES_OF(text)), &d);
        if (succeeded(err) && d->inode)
                err = ERR(EIO);                 /* never: the index was free */
        if (failed(err)) {
                dentry_drop(d);
                return err;
        }
        dentry_set(d, inode_hold(inode));
        p->node = d;
        return OK;
}

err_t devpts_add_node(const struct actor *who, struct dentry *root, struct pty *p)
{
        struct inode *inode = NULL;
        u8 text[12] = {};

        TRY(new_node(who, super_of(root->sb), p, &inode));
        write_lock(&root->inode->lock);
        err_t err = add_locked(root, p, inode);
        write_unlock(&root->inode->lock);
        inode_drop(inode);
        TRY(err);
        notify_name(root->inode, name_of(p->index, MBYTES_OF(text)), IN_CREATE, 0);
        return OK;
}

void devpts_remove_node(struct pty *p)
{
        struct dentry *d = p->node;
        u8 text[12] = {};

        if (!d)
                return;
        struct inode *root = d->parent->inode;
        write_lock(&root->lock);
        p->node = NULL;
        inode_set_nlink(d->inode, 0);
        dentry_delete(d);
        write_unlock(&root->lock);
        notify_name(root, name_of(p->index, MBYTES_OF(text)), IN_DELETE, 0);
        dentry_drop(d);
}

/* ---- the directory ---- */

static err_t root_lookup(struct inode *dir, struct dentry *d)
{
        struct devpts_super *s = super_of(dir->sb);

        if (bytes_eq(dentry_name(d), STR("ptmx")) && s->ptmx)
                dentry_set(d, inode_hold(s->ptmx));
        return OK;
}

static err_t root_readdir(struct file *f, struct dir_out *out)
{
        struct devpts_super *s = super_of(f->inode->sb);

        if (!dir_emit_dots(f, out))
                return OK;
        if (out->pos == 2 && !dir_emit(out, STR("ptmx"), INO_PTMX, S_IFCHR >> 12, INO_FIRST))
                return OK;
        while (out->pos < INO_FIRST + MOST) {
                u32 index = next_index(s, (u32)(out->pos - INO_FIRST));
                u8 text[12] = {};
                if (index == MOST || !dir_emit(out, name_of(index, MBYTES_OF(text)), INO_FIRST + index, S_IFCHR >> 12, INO_FIRST + index + 1))
                        return OK;
        }
        return OK;
}

static const struct inode_ops root_inode_ops = { .lookup = root_lookup };
static const struct inode_ops node_inode_ops = {};
static const struct file_ops root_ops = { .readdir = root_readdir };

err_t devpts_of(const struct actor *who, const struct path *at, struct path *root)
{
        struct dentry *d = at->dentry;

        if (d->sb->type == &devpts) {
                struct dentry *top = d->parent;
                if (!top)
                        return ERR(ENODEV);
                *root = path_hold(&(struct path){ at->mnt, top });
                return OK;
        }
        struct path nowhere = {}, here = path_dotdot(at, &nowhere);
        err_t err = path_child(who, &here, STR("pts"), root);
        path_drop(&here);
        TRY(err);
        if (root->dentry->sb->type == &devpts && root->dentry == root->dentry->sb->root)
                return OK;
        path_drop(root);
        return ERR(ENODEV);
}

/* ---- instances ---- */

static err_t parse_option(struct options *o, bytes word)
{
        struct split s = split_at(word, '=');
        u64 v = 0;

        if (bytes_eq(word, STR("newinstance")))
                return OK;                      /* every mount is one */
        bool octal = bytes_eq(s.head, STR("mode")) || bytes_eq(s.head, STR("ptmxmode"));
        if (!num_parse(s.rest, octal ? 8 : 10, &v) || v > U32_MAX)
                return ERR(EINVAL);
        if (bytes_eq(s.head, STR("mode"))) {
                o->mode = (u32)v & 07777;
        } else if (bytes_eq(s.head, STR("ptmxmode"))) {
                o->ptmxmode = (u32)v & 07777;
        } else if (bytes_eq(s.head, STR("uid"))) {
                o->uid = (u32)v;
                o->has_uid = 1;
        } else if (bytes_eq(s.head, STR("gid"))) {
                o->gid = (u32)v;
                o->has_gid = 1;
        } else if (bytes_eq(s.head, STR("max")) && v <= MOST) {
                o->max = (u32)v;
        } else {
                return ERR(EINVAL);
        }
        return OK;
}

static err_t parse_options(struct options *o, bytes text)
{
        *o = (struct options){ .mode = 0600, .max = MOST };
        for (struct split s = split_nonempty(text, ','); bytes_len(s.head) > 0; s = split_nonempty(s.rest, ','))
                TRY(parse_option(o, s.head));
        return OK;
}

static err_t devpts_statfs(struct superblock *sb, struct linux_statfs *out)
{
        *out = (struct linux_statfs){ .f_type = (i64)sb->magic, .f_bsize = PAGE_SIZE, .f_frsize = PAGE_SIZE, .f_namelen = NAME_MAX_LEN };
        return OK;
}

static err_t devpts_remount(struct superblock *sb, u32 flags, bytes text)
{
        struct devpts_super *s = super_of(sb);
        struct options o = {};

        (void)flags;
        TRY(parse_options(&o, text));
        s->options = o;
        if (s->ptmx)
                STORE(s->ptmx->mode, S_IFCHR | o.ptmxmode);
        return OK;
}

static void show(struct writer *w, bytes name, u64 v, u64 base, u32 width)
{
        writer_put(w, name);
        num_write(w, v, base, width);
}

static usize devpts_show(struct superblock *sb, mbytes out)
{
        const struct options *o = &super_of(sb)->options;
        struct writer w = writer_of(out);

        if (o->has_uid)
                show(&w, STR(",uid="), o->uid, 10, 1);
        if (o->has_gid)
                show(&w, STR(",gid="), o->gid, 10, 1);
        show(&w, STR(",mode="), o->mode, 8, 3);
        show(&w, STR(",ptmxmode="), o->ptmxmode, 8, 3);
        if (o->max < MOST)
                show(&w, STR(",max="), o->max, 10, 1);
        return w.at;
}

static void devpts_kill(struct superblock *sb)
{
        struct devpts_super *s = super_of(sb);
        struct inode *ptmx = s->ptmx;

        s->ptmx = NULL;
        inode_drop(ptmx);
}

static const struct super_ops devpts_super_ops = {
        .statfs = devpts_statfs, .remount = devpts_remount, .show_options = devpts_show, .kill = devpts_kill,
};

/* ptmx and the root; what was made is dropped on an error. */
static err_t fill(struct devpts_super *s, struct payer *payer)
{
        struct inode_init ptmx = { .ops = &node_inode_ops, .fops = &ptmx_ops, .sb = &s->base, .ino = INO_PTMX,
                                   .mode = S_IFCHR | s->options.ptmxmode, .rdev = dev_make(5, 2) };
        struct inode_init top = { .ops = &root_inode_ops, .fops = &root_ops, .sb = &s->base, .ino = INO_ROOT, .mode = S_IFDIR | 0755 };
        struct devpts_inode *i = NULL, *root = NULL;

        TRY(new_inode(&s->base, payer, &ptmx, &i));
        devpts_inode_publish(i);
        err_t err = new_inode(&s->base, payer, &top, &root);
        if (succeeded(err)) {
                root->base.nlink = 2;
                err = superblock_set_root(&s->base, &root->base);
        }
        if (failed(err)) {
                devpts_inode_drop(i);
                return err;
        }
        s->ptmx = &i->base;
        return OK;
}

static err_t devpts_mount(const struct fs_type *type, const struct mount_request *req, struct superblock **out)
{
        struct options o = {};

        TRY(parse_options(&o, req->options));
        struct devpts_super *s = devpts_super_alloc(req->payer, MAY_RECLAIM);
        if (!s)
                return ERR(ENOMEM);
        s->options = o;
        lock_init(&s->lock, devpts);
        err_t err = superblock_init(&s->base, &devpts_super_ops, type, req->payer);
        s->base.magic = DEVPTS_SUPER_MAGIC;
        s->base.block_size = 1024;
        if (succeeded(err))
                err = fill(s, req->payer);
        if (failed(err)) {
                devpts_super_drop(s);
                return err;
        }
        *out = &s->base;
        return OK;
}

static const struct fs_type devpts = { .name = "devpts", .flags = FS_NODEV | FS_USERNS, .mount = devpts_mount };

void devpts_init(void) { fs_register(&devpts); }
