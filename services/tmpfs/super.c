/* SPDX-License-Identifier: Apache-2.0
 *
 * tmpfs instances: options, limits, life and death.
 *
 * Lifetime   The last mount's end (kill) takes the tree of names apart; inodes still open
 *            live on until they are closed, and hold the superblock.
 */
#include "services/tmpfs/tmpfs_impl.h"
#include "services/vfs/chrdev.h"
#include "services/vfs/mount.h"
#include "lib/num.h"
#include "lib/split.h"

static void tmpfs_super_fini(struct tmpfs_super *s) { superblock_fini(&s->base); }
POOL_DEFINE(tmpfs_super, tmpfs_super_fini);

/* ---- Options ---- */

struct options { u64 pages, inodes; u32 mode, uid, gid; };

static bool parse_size(bytes text, u64 *pages)
{
        u64 v = 0;
        usize n = bytes_len(text);

        if (n > 0 && bytes_at(text, n - 1) == '%') {
                if (!num_parse(bytes_take(text, n - 1), 10, &v) || v > 1000)
                        return false;
                *pages = mem_stats().total * v / 100;
                return true;
        }
        if (!num_parse_size(text, &v))
                return false;
        *pages = v / PAGE_SIZE + (v % PAGE_SIZE != 0);
        return true;
}

static err_t parse_option(struct options *o, bytes word)
{
        struct split s = split_at(word, '=');
        u64 v = 0;
        bool ok = false;

        if (bytes_eq(s.head, STR("size"))) {
                ok = parse_size(s.rest, &o->pages);
        } else if (bytes_eq(s.head, STR("nr_blocks"))) {
                ok = num_parse_size(s.rest, &o->pages);
        } else if (bytes_eq(s.head, STR("nr_inodes"))) {
                ok = num_parse_size(s.rest, &o->inodes);
        } else if (bytes_eq(s.head, STR("mode"))) {
                ok = num_parse(s.rest, 8, &v) && v <= U32_MAX;
                o->mode = (u32)v & 07777;
        } else if (bytes_eq(s.head, STR("uid"))) {
                ok = num_parse(s.rest, 10, &v) && v < U32_MAX;
                o->uid = (u32)v;
        } else if (bytes_eq(s.head, STR("gid"))) {
                ok = num_parse(s.rest, 10, &v) && v < U32_MAX;
                o->gid = (u32)v;
        } else if (bytes_eq(s.head, STR("huge")) || bytes_eq(s.head, STR("mpol"))) {
                ok = true;              /* hints about pages we do not have */
        } else if (bytes_eq(s.head, STR("inode32")) || bytes_eq(s.head, STR("inode64"))) {
                ok = true;
        }
        return ok ? OK : ERR(EINVAL);
}

static err_t parse_options(struct options *o, bytes text)
{
        for (struct split s = split_nonempty(text, ','); bytes_len(s.head) > 0; s = split_nonempty(s.rest, ','))
                TRY(parse_option(o, s.head));
        return OK;
}

/* ---- Operations ---- */

static err_t tmpfs_statfs(struct superblock *sb, struct linux_statfs *out)
{
        struct tmpfs_super *s = tmpfs_super_of(sb);
        u64 pages = LOAD(s->max_pages), inodes = LOAD(s->max_inodes);
        u64 used = min_u64(LOAD(s->used_pages), pages), used_inodes = min_u64(LOAD(s->used_inodes), inodes);

        *out = (struct linux_statfs){ .f_type = (i64)sb->magic, .f_bsize = PAGE_SIZE, .f_frsize = PAGE_SIZE, .f_namelen = NAME_MAX_LEN };
        out->f_blocks = (i64)pages;
        out->f_bfree = (i64)(pages - used);
        out->f_bavail = out->f_bfree;
        out->f_files = (i64)inodes;
        out->f_ffree = (i64)(inodes - used_inodes);
        out->f_fsid[0] = (i32)sb->dev;
        return OK;
}

static err_t tmpfs_remount(struct superblock *sb, u32 flags, bytes text)
{
        struct tmpfs_super *s = tmpfs_super_of(sb);
        struct options o = { .pages = s->max_pages, .inodes = s->max_inodes, .mode = s->mode, .uid = s->uid, .gid = s->gid };

        (void)flags;
        TRY(parse_options(&o, text));
        if ((o.pages != 0 && LOAD(s->used_pages) > o.pages) || (o.inodes != 0 && LOAD(s->used_inodes) > o.inodes))
                return ERR(EINVAL);
        if ((o.pages != 0 && s->max_pages == 0) || (o.inodes != 0 && s->max_inodes == 0))
                return ERR(EINVAL);     /* what was not counted cannot be limited */
        STORE(s->max_pages, o.pages);
        STORE(s->max_inodes, o.inodes);
        return OK;
}

static usize tmpfs_show(struct superblock *sb, mbytes out)
{
        struct tmpfs_super *s = tmpfs_super_of(sb);
        struct writer w = writer_of(out);

        if (s->max_pages != s->default_pages || s->base.type->flags & FS_KERNEL_ONLY) {
                writer_put(&w, STR(",size="));
                num_write(&w, s->max_pages * (PAGE_SIZE / 1024), 10, 1);
                writer_u8(&w, 'k');
        }
        if (s->max_inodes != s->default_inodes || s->base.type->flags & FS_KERNEL_ONLY) {
                writer_put(&w, STR(",nr_inodes="));
                num_write(&w, s->max_inodes, 10, 1);
        }
        if (s->mode != 01777) {
                writer_put(&w, STR(",mode="));
                num_write(&w, s->mode, 8, 3);
        }
        if (s->uid) {
                writer_put(&w, STR(",uid="));
                num_write(&w, s->uid, 10, 1);
        }
        if (s->gid) {
                writer_put(&w, STR(",gid="));
                num_write(&w, s->gid, 10, 1);
        }
        return w.at;
}

static void tmpfs_kill(struct superblock *sb)
{
        if (sb->root)
                tmpfs_empty_tree(tmpfs_of(sb->root->inode));
}

static const struct super_ops tmpfs_super_ops = {
        .statfs = tmpfs_statfs, .remount = tmpfs_remount, .show_options = tmpfs_show,
        .handle_of = tmpfs_handle_of, .handle_find = tmpfs_handle_find, .kill = tmpfs_kill,
};

/* ---- Making ---- */

static err_t tmpfs_mount(const struct fs_type *type, const struct mount_request *req, struct superblock **out)
{
        return tmpfs_new(type, req->payer, req->options, out);
}

static const struct fs_type tmpfs_type = { .name = "tmpfs", .flags = FS_NODEV | FS_USERNS, .mount = tmpfs_mount };
static const struct fs_type ramfs_type = { .name = "ramfs", .flags = FS_NODEV | FS_USERNS, .mount = tmpfs_mount };
static const struct fs_type rootfs_type = { .name = "rootfs", .flags = FS_NODEV | FS_KERNEL_ONLY, .mount = tmpfs_mount };

static err_t make_root(struct tmpfs_super *s)
{
        struct tmpfs_owner owner = { S_IFDIR | s->mode, s->uid, s->gid };
        struct tmpfs_inode *root = NULL;

        TRY(tmpfs_new_inode(s, owner, 0, &root));
        return superblock_set_root(&s->base, &root->base);
}

err_t tmpfs_new(const struct fs_type *type, struct payer *payer, bytes options, struct superblock **out)
{
        struct options o = { .pages = mem_stats().total / 2, .inodes = mem_stats().total / 2, .mode = 01777 };
        u64 default_pages = o.pages, default_inodes = o.inodes;

        if (!type)
                type = &tmpfs_type;
        if (type == &ramfs_type) {
                o.pages = 0;
                o.inodes = 0;
                o.mode = 0755;
                default_pages = 0;
                default_inodes = 0;
        }
        if (type == &rootfs_type)
                o.mode = 0755;
        TRY(parse_options(&o, options));
        struct tmpfs_super *s = tmpfs_super_alloc(payer, MAY_RECLAIM);
        if (!s)
                return ERR(ENOMEM);
        tmpfs_handles_init(s);
        s->max_pages = o.pages;
        s->max_inodes = o.inodes;
        s->default_pages = default_pages;
        s->default_inodes = default_inodes;
        s->mode = o.mode;
        s->uid = o.uid;
        s->gid = o.gid;
        err_t err = superblock_init(&s->base, &tmpfs_super_ops, type, payer);
        s->base.magic = type == &ramfs_type ? RAMFS_MAGIC : TMPFS_MAGIC;
        if (succeeded(err))
                err = make_root(s);
        if (failed(err)) {
                tmpfs_super_drop(s);
                return err;
        }
        *out = &s->base;
        return OK;
}

err_t tmpfs_new_root(struct payer *payer, struct superblock **out)
{
        TRY(tmpfs_new(&rootfs_type, payer, NO_BYTES, out));
        mbytes_copy(MBYTES_OF((*out)->source), STR("rootfs"));
        return OK;
}

err_t tmpfs_new_shmem(struct superblock **out)
{
        struct superblock *sb = NULL;

        TRY(tmpfs_new(&tmpfs_type, NULL, STR("size=0,nr_inodes=0"), &sb));
        struct tmpfs_super *s = tmpfs_super_of(sb);
        s->internal = mount_new_internal(sb, 0);
        if (!s->internal) {
                superblock_drop(sb);
                return ERR(ENOMEM);
        }
        *out = sb;
        return OK;
}

/* ---- Files without names ---- */

err_t tmpfs_new_nameless(const struct actor *who, struct superblock *sb, bytes shown, u64 size, struct file **out)
{
        struct tmpfs_super *s = tmpfs_super_of(sb);
        struct tmpfs_owner owner = { S_IFREG | 0777, who->cred->fsuid, who->cred->fsgid };
        struct tmpfs_inode *i = NULL;

        if (!s->internal)
                return ERR(EINVAL);
        TRY(tmpfs_new_inode(s, owner, 0, &i));
        inode_set_nlink(&i->base, 0);
        i->base.size = size;
        struct dentry *d = dentry_new_anon(sb, shown, &i->base);
        if (!d)
                return ERR(ENOMEM);
        struct path at = { s->internal, d };
        err_t err = file_open_plain(who, &at, &tmpfs_file_ops, O_RDWR | O_LARGEFILE, out);
        dentry_drop(d);
        return err;
}

err_t tmpfs_new_file(const struct actor *who, struct superblock *sb, bytes name, u64 size, struct file **out)
{
        u8 text[280];
        usize n = format(MBYTES_OF(text), "/memfd:{} (deleted)", name);

        return tmpfs_new_nameless(who, sb, bytes_take(BYTES_OF(text), n), size, out);
}

err_t tmpfs_shmem_file(struct superblock *sb, u64 size, struct file **out)
{
        struct actor who = actor_current();

        return tmpfs_new_nameless(&who, sb, STR("/dev/zero (deleted)"), size, out);
}

void tmpfs_init(void)
{
        fs_register(&tmpfs_type);
        fs_register(&ramfs_type);
        fs_register(&rootfs_type);
}
