/* SPDX-License-Identifier: Apache-2.0
 *
 * The mount tree: namespaces, crossing, and how /proc shows it.  The calls that change it are
 * mount_ops.c.
 *
 * Locking     ns.lock for changes; `changes` is odd meanwhile.  A reader without the lock
 *             believes what it found, and held, between two equal even readings.
 * Invariants  T1  a mount in a table has ns set, stands in the namespace's list, and the tree has
 *                 one count on it; parent and point are counted by it.
 */
#include "services/vfs/mount_impl.h"
#include "services/vfs/dentry.h"
#include "services/vfs/fs_context.h"
#include "services/vfs/registry.h"
#include "lib/num.h"
#include "lib/split.h"

LOCK_CLASS(mount_ns);

static void mount_fini(struct mount *m)
{
        struct superblock *sb = m->sb;

        dentry_drop(m->point);
        mount_drop(m->parent);
        if (!sb)
                return;
        dentry_drop(m->root);
        superblock_put_mount(sb);
        superblock_drop(sb);
}
POOL_DEFINE(mount, mount_fini);

struct mount *mount_new(struct payer *payer, struct superblock *sb, struct dentry *root, u32 flags)
{
        struct mount *m = mount_alloc(payer, MAY_RECLAIM);

        if (!m)
                return NULL;
        m->sb = superblock_hold(sb);
        superblock_get_mount(sb);
        m->root = dentry_hold(root);
        m->flags = flags;
        m->id = registry_new_mount_id();
        m->propagation = MS_PRIVATE;
        mount_publish(m);
        return m;
}

struct mount *mount_new_internal(struct superblock *sb, u32 flags)
{
        return mount_new(NULL, sb, sb->root, flags);
}

/* ---- The table ---- */

static u32 slot_of(struct mount *parent, struct dentry *point)
{
        return hash_u64(point->id * 0x9e3779b97f4a7c15ul + parent->id) % MNT_HASH;
}

static void changing(struct mnt_ns *ns) { FETCH_ADD(ns->changes, 1); }

void mount_link_locked(struct mnt_ns *ns, struct mount *m, struct mount *parent, struct dentry *point)
{
        changing(ns);
        m->ns = ns;
        if (parent) {
                u32 slot = slot_of(parent, point);
                PTR_STORE(m->parent, mount_hold(parent));
                PTR_STORE(m->point, dentry_hold(point));
                FETCH_ADD(point->mounted, 1);
                parent->children++;
                PTR_STORE(m->chain, ns->table[slot]);
                PTR_STORE(ns->table[slot], m);
        }
        m->next = NULL;
        m->prev = ns->last;
        if (ns->last)
                ns->last->next = m;
        else
                ns->first = m;
        ns->last = m;
        ns->count++;
        changing(ns);
}

static void unchain(struct mnt_ns *ns, struct mount *m)
{
        u32 slot = slot_of(m->parent, m->point);
        struct mount *at = ns->table[slot];

        if (at == m) {
                PTR_STORE(ns->table[slot], m->chain);
                return;
        }
        while (at->chain != m)
                at = at->chain;
        PTR_STORE(at->chain, m->chain);
}

/* From its place; what it held on parent and point comes back for the caller to drop. */
struct path mount_unplace_locked(struct mnt_ns *ns, struct mount *m)
{
        struct path was = { .mnt = m->parent, .dentry = m->point };

        changing(ns);
        if (m->parent) {
                unchain(ns, m);
                FETCH_SUB(m->point->mounted, 1);
                m->parent->children--;
        }
        PTR_STORE(m->parent, NULL);
        PTR_STORE(m->point, NULL);
        changing(ns);
        return was;
}

void mount_place_locked(struct mnt_ns *ns, struct mount *m, struct mount *parent, struct dentry *point)
{
        u32 slot = slot_of(parent, point);

        changing(ns);
        PTR_STORE(m->parent, mount_hold(parent));
        PTR_STORE(m->point, dentry_hold(point));
        FETCH_ADD(point->mounted, 1);
        parent->children++;
        PTR_STORE(m->chain, ns->table[slot]);
        PTR_STORE(ns->table[slot], m);
        changing(ns);
}

struct path mount_unlink_locked(struct mnt_ns *ns, struct mount *m)
{
        struct path was = mount_unplace_locked(ns, m);

        changing(ns);
        if (m->prev)
                m->prev->next = m->next;
        else
                ns->first = m->next;
        if (m->next)
                m->next->prev = m->prev;
        else
                ns->last = m->prev;
        m->next = NULL;
        m->prev = NULL;
        m->ns = NULL;
        ns->count--;
        changing(ns);
        return was;
}

/* ---- Crossing ---- */

struct mount *mount_peek(struct mount *mnt, struct dentry *d)
{
        struct mnt_ns *ns = PTR_LOAD(mnt->ns);

        if (!ns)
                return NULL;
        struct mount *m = PTR_LOAD(ns->table[slot_of(mnt, d)]);
        for (u32 i = 0; m && i < 1024; i++) {
                if (PTR_LOAD(m->parent) == mnt && PTR_LOAD(m->point) == d)
                        return m;
                m = PTR_LOAD(m->chain);
        }
        return NULL;
}

struct mount *mount_at(struct mount *mnt, struct dentry *d)
{
        if (LOAD(d->mounted) == 0)
                return NULL;
        struct mnt_ns *ns = PTR_LOAD(mnt->ns);
        if (!ns)
                return NULL;
        u64 at = LOAD(ns->changes);
        struct mount *m = mount_peek(mnt, d);
        bool held = m && mount_try_hold(m);
        if ((at & 1) == 0 && (held || !m) && LOAD(ns->changes) == at)
                return m;
        if (held)
                mount_drop(m);
        GUARD(&ns->lock);
        m = mount_peek(mnt, d);
        return m ? mount_hold(m) : NULL;
}

void path_descend(struct path *p)
{
        while (LOAD(p->dentry->mounted) != 0) {
                struct mount *m = mount_at(p->mnt, p->dentry);
                if (!m)
                        return;
                struct dentry *root = dentry_hold(m->root);
                path_drop(p);
                p->mnt = m;
                p->dentry = root;
        }
}

bool mount_above(struct mount *mnt, struct path *out)
{
        struct mnt_ns *ns = PTR_LOAD(mnt->ns);

        if (!ns)
                return false;
        GUARD(&ns->lock);
        if (mnt->ns != ns || !mnt->parent)
                return false;
        out->mnt = mount_hold(mnt->parent);
        out->dentry = dentry_hold(mnt->point);
        return true;
}

err_t mount_want_write(struct mount *m)
{
        return mount_is_readonly(m) ? ERR(EROFS) : OK;
}

/* ---- Namespaces ---- */

static void mnt_ns_fini(struct mnt_ns *ns)
{
        mount_drop(ns->root);
        ns->root = NULL;
        while (ns->last) {
                struct mount *m = ns->last;
                struct path was = mount_unlink_locked(ns, m);
                path_drop(&was);
                mount_drop(m);
        }
        user_ns_drop(ns->user);
}
POOL_DEFINE(mnt_ns, mnt_ns_fini);

static struct mnt_ns *new_ns(struct payer *payer, struct user_ns *user, u64 inum)
{
        struct mnt_ns *ns = mnt_ns_alloc(payer, MAY_RECLAIM);

        if (!ns)
                return NULL;
        lock_init(&ns->lock, mount_ns);
        ns->inum = inum;
        ns->user = user_ns_hold(user);
        return ns;
}

err_t mnt_ns_new(struct payer *payer, struct user_ns *user, struct superblock *root, struct mnt_ns **out)
{
        struct mnt_ns *ns = new_ns(payer, user, NS_INUM_MNT);
        struct mount *m = ns ? mount_new(payer, root, root->root, MNT_RELATIME) : NULL;

        if (!m) {
                mnt_ns_drop(ns);
                return ERR(ENOMEM);
        }
        mount_link_locked(ns, m, NULL, NULL);
        PTR_STORE(ns->root, mount_hold(m));
        mnt_ns_publish(ns);
        *out = ns;
        return OK;
}

/* The copy of `m` in a namespace that is being made: they stand at the same place in both lists. */
static struct mount *twin(struct mnt_ns *old, struct mnt_ns *new, struct mount *m)
{
        struct mount *b = new->first;

        for (struct mount *a = old->first; a && b; a = a->next, b = b->next)
                if (a == m)
                        return b;
        return NULL;
}

static err_t copy_tree_locked(struct payer *payer, struct mnt_ns *old, struct mnt_ns *new)
{
        for (struct mount *m = old->first; m; m = m->next) {
                struct mount *c = mount_new(payer, m->sb, m->root, LOAD(m->flags));
                if (!c)
                        return ERR(ENOMEM);
                c->propagation = m->propagation;
                mount_link_locked(new, c, NULL, NULL);
                if (m == old->root)
                        PTR_STORE(new->root, mount_hold(c));
        }
        for (struct mount *m = old->first, *c = new->first; m; m = m->next, c = c->next)
                if (m->parent)
                        mount_place_locked(new, c, twin(old, new, m->parent), m->point);
        return OK;
}

static void move_over(struct mnt_ns *old, struct mnt_ns *new, struct fs_context *fs)
{
        struct path root = fs_root(fs), cwd = fs_cwd(fs);
        struct path new_root = { twin(old, new, root.mnt), root.dentry }, new_cwd = { twin(old, new, cwd.mnt), cwd.dentry };

        if (new_root.mnt)
                fs_set_root(fs, &new_root);
        if (new_cwd.mnt)
                fs_set_cwd(fs, &new_cwd);
        path_drop(&root);
        path_drop(&cwd);
}

err_t mnt_ns_copy(struct payer *payer, struct mnt_ns *old, struct user_ns *user, struct fs_context *fs, struct mnt_ns **out)
{
        struct mnt_ns *ns = new_ns(payer, user, ns_new_inum());

        if (!ns)
                return ERR(ENOMEM);
        mutex_lock(&old->lock);
        err_t err = copy_tree_locked(payer, old, ns);
        if (succeeded(err) && fs)
                move_over(old, ns, fs);
        mutex_unlock(&old->lock);
        if (failed(err)) {
                mnt_ns_drop(ns);
                return err;
        }
        mnt_ns_publish(ns);
        *out = ns;
        return OK;
}

/* ---- /proc ---- */

/* Spaces and the like in octal, as fstab(5) wants them. */
static void put_escaped(struct writer *w, bytes text)
{
        for (usize i = 0; i < bytes_len(text); i++) {
                u8 c = bytes_at(text, i);
                if (c == ' ' || c == '\t' || c == '\n' || c == '\\' || c == '#') {
                        writer_u8(w, '\\');
                        num_write(w, c, 8, 3);
                } else {
                        writer_u8(w, c);
                }
        }
}

static void put_flags(struct writer *w, u32 flags)
{
        if (flags & MNT_NOSUID)
                writer_put(w, STR(",nosuid"));
        if (flags & MNT_NODEV)
                writer_put(w, STR(",nodev"));
        if (flags & MNT_NOEXEC)
                writer_put(w, STR(",noexec"));
        if (flags & MNT_NOSYMFOLLOW)
                writer_put(w, STR(",nosymfollow"));
        if (flags & MNT_NOATIME)
                writer_put(w, STR(",noatime"));
        if (flags & MNT_NODIRATIME)
                writer_put(w, STR(",nodiratime"));
        if (flags & MNT_RELATIME)
                writer_put(w, STR(",relatime"));
}

static void put_super(struct writer *w, struct superblock *sb)
{
        if (LOAD_RELAXED(sb->flags) & MS_SYNCHRONOUS)
                writer_put(w, STR(",sync"));
        if (LOAD_RELAXED(sb->flags) & MS_DIRSYNC)
                writer_put(w, STR(",dirsync"));
        if (sb->ops->show_options)
                w->at += sb->ops->show_options(sb, mbytes_skip(w->buf, w->at));
}

static bytes source_of(struct superblock *sb)
{
        bytes source = split_nul(BYTES_OF(sb->source));

        if (bytes_len(source) > 0)
                return source;
        return STR("none");
}

static void put_type(struct writer *w, struct superblock *sb) { writer_put(w, split_nul(BYTES_OF(sb->type->name))); }

static void mounts_line(struct writer *w, struct mount *m, bytes place)
{
        put_escaped(w, source_of(m->sb));
        writer_u8(w, ' ');
        put_escaped(w, place);
        writer_u8(w, ' ');
        put_type(w, m->sb);
        writer_put(w, mount_is_readonly(m) ? STR(" ro") : STR(" rw"));
        put_super(w, m->sb);
        put_flags(w, LOAD(m->flags));
        writer_put(w, STR(" 0 0\n"));
}

static void mountinfo_line(struct writer *w, struct mount *m, u32 parent, bytes place, bytes part)
{
        num_write(w, m->id, 10, 1);
        writer_u8(w, ' ');
        num_write(w, parent, 10, 1);
        writer_u8(w, ' ');
        num_write(w, dev_major(m->sb->dev), 10, 1);
        writer_u8(w, ':');
        num_write(w, dev_minor(m->sb->dev), 10, 1);
        writer_u8(w, ' ');
        put_escaped(w, part);
        writer_u8(w, ' ');
        put_escaped(w, place);
        writer_put(w, (LOAD(m->flags) & MNT_RDONLY) != 0 ? STR(" ro") : STR(" rw"));
        put_flags(w, LOAD(m->flags));
        writer_put(w, STR(" - "));
        put_type(w, m->sb);
        writer_u8(w, ' ');
        put_escaped(w, source_of(m->sb));
        writer_put(w, super_is_readonly(m->sb) ? STR(" ro") : STR(" rw"));
        put_super(w, m->sb);
        writer_u8(w, '\n');
}

static void mountstats_line(struct writer *w, struct mount *m, bytes place)
{
        writer_put(w, STR("device "));
        put_escaped(w, source_of(m->sb));
        writer_put(w, STR(" mounted on "));
        put_escaped(w, place);
        writer_put(w, STR(" with fstype "));
        put_type(w, m->sb);
        writer_u8(w, '\n');
}

static struct mount *nth(struct mnt_ns *ns, u32 n)
{
        GUARD(&ns->lock);
        struct mount *m = ns->first;

        while (m && n-- > 0)
                m = m->next;
        return m ? mount_hold(m) : NULL;
}

static err_t describe(struct mount *m, const struct path *root, enum mount_format how, mbytes text, struct writer *w)
{
        struct path place = { m, m->root }, top = { m, m->sb->root }, above = { };
        usize start = 0, part = 0;
        mbytes low = mbytes_take(text, PATH_MAX_LEN), high = mbytes_skip(text, PATH_MAX_LEN);

        err_t err = path_text(&place, root, PATH_NO_OUTSIDE, low, &start);
        if (err_is(err, EXDEV))
                return OK;
        TRY(err);
        TRY(path_text(&place, &top, PATH_RAW, high, &part));
        bytes at = bytes_skip(bytes_const(low), start);
        if (how == MOUNTS_LINE) {
                mounts_line(w, m, at);
        } else if (how == MOUNTSTATS_LINE) {
                mountstats_line(w, m, at);
        } else {
                u32 parent = mount_above(m, &above) ? above.mnt->id : m->id;
                path_drop(&above);
                mountinfo_line(w, m, parent, at, bytes_skip(bytes_const(high), part));
        }
        return w->full ? ERR(ENAMETOOLONG) : OK;
}

err_t mount_describe(struct mnt_ns *ns, const struct path *root, u32 n, enum mount_format how, mbytes out, usize *len)
{
        struct writer w = writer_of(out);
        struct mount *m = nth(ns, n);
        err_t err = ERR(ENOMEM);

        if (!m)
                return ERR(ENOENT);
        struct blob *text = blob_alloc(payer_current(), 2 * PATH_MAX_LEN);
        if (text)
                err = describe(m, root, how, blob_mbytes(text), &w);
        blob_drop(text);
        mount_drop(m);
        *len = w.at;
        return err;
}
