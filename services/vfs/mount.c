/* SPDX-License-Identifier: Apache-2.0
 *
 * The mount tree: namespaces, crossing, and how /proc shows it.  The calls that change it are
 * mount_ops.c.
 *
 * Locking     mount_family.lock for changes; `changes` is odd meanwhile.  A reader without the lock
 *             believes what it found, and held, between two equal even readings.
 * Invariants  T1  a mount in a table has ns set, stands in the namespace's list and its parent's, and the tree
 *                 has one count on it; parent and point are counted by it.
 */
#include "services/vfs/mount_impl.h"
#include "services/vfs/dentry.h"
#include "services/vfs/fs_context.h"
#include "services/vfs/registry.h"
#include "lib/num.h"
#include "lib/split.h"

LOCK_CLASS_DECLARE(mmap);
LOCK_CLASS(mount_ns, AFTER(mmap));             /* and after what that comes after: a file that is dropped may be the last of a namespace; mountinfo is read */

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

static void begin_change(struct mnt_ns *ns) { FETCH_ADD(ns->changes, 1); }

static void end_change(struct mnt_ns *ns)
{
        FETCH_ADD(ns->changes, 1);
        waitq_wake_all(&ns->changed);
}

void mount_aim(struct mount *m, struct mount *parent, struct dentry *point)
{
        PTR_STORE(m->parent, mount_hold(parent));
        PTR_STORE(m->point, dentry_hold(point));
}

void mount_adopt(struct mount *m)
{
        struct mount *parent = m->parent;

        m->next_sibling = NULL;
        m->prev_sibling = parent->last_child;
        if (parent->last_child)
                parent->last_child->next_sibling = m;
        else
                parent->children = m;
        parent->last_child = m;
}

static void disown(struct mount *m)
{
        struct mount *parent = m->parent;

        if (m->prev_sibling)
                m->prev_sibling->next_sibling = m->next_sibling;
        else
                parent->children = m->next_sibling;
        if (m->next_sibling)
                m->next_sibling->prev_sibling = m->prev_sibling;
        else
                parent->last_child = m->prev_sibling;
        m->next_sibling = m->prev_sibling = NULL;
}

static void chain(struct mnt_ns *ns, struct mount *m)
{
        u32 slot = slot_of(m->parent, m->point);

        FETCH_ADD(m->point->mounted, 1);
        PTR_STORE(m->chain, ns->table[slot]);
        PTR_STORE(ns->table[slot], m);
}

static void unchain(struct mnt_ns *ns, struct mount *m)
{
        u32 slot = slot_of(m->parent, m->point);
        struct mount *at = ns->table[slot];

        FETCH_SUB(m->point->mounted, 1);
        if (at == m) {
                PTR_STORE(ns->table[slot], m->chain);
                return;
        }
        while (at->chain != m)
                at = at->chain;
        PTR_STORE(at->chain, m->chain);
}

void mount_enter(struct mnt_ns *ns, struct mount *m)
{
        begin_change(ns);
        PTR_STORE(m->ns, ns);
        if (m->parent)
                chain(ns, m);
        m->next = NULL;
        m->prev = ns->last;
        if (ns->last)
                ns->last->next = m;
        else
                ns->first = m;
        ns->last = m;
        ns->count++;
        end_change(ns);
}

struct path mount_unplace(struct mount *m)
{
        struct path was = { .mnt = m->parent, .dentry = m->point };

        begin_change(m->ns);
        if (m->parent) {
                unchain(m->ns, m);
                disown(m);
        }
        PTR_STORE(m->parent, NULL);
        PTR_STORE(m->point, NULL);
        end_change(m->ns);
        return was;
}

void mount_place(struct mount *m, struct mount *parent, struct dentry *point)
{
        begin_change(m->ns);
        mount_aim(m, parent, point);
        mount_adopt(m);
        chain(m->ns, m);
        end_change(m->ns);
}

void mount_discard(struct mount *m, struct mount **gone)
{
        peer_leave(m);
        m->next = *gone;
        *gone = m;
}

void mount_leave(struct mount *m, struct mount **gone)
{
        struct mnt_ns *ns = m->ns;

        begin_change(ns);
        if (m->parent) {
                unchain(ns, m);
                disown(m);
        }
        if (m->prev)
                m->prev->next = m->next;
        else
                ns->first = m->next;
        if (m->next)
                m->next->prev = m->prev;
        else
                ns->last = m->prev;
        m->prev = NULL;
        PTR_STORE(m->ns, NULL);
        ns->count--;
        mount_discard(m, gone);
        end_change(ns);
}

void mounts_drop(struct mount *gone)
{
        while (gone) {
                struct mount *m = gone;
                struct path was = { .mnt = m->parent, .dentry = m->point };
                gone = m->next;
                m->next = NULL;
                PTR_STORE(m->parent, NULL);
                PTR_STORE(m->point, NULL);
                path_drop(&was);
                mount_drop(m);
        }
}

/* ---- Trees ---- */

struct mount *mount_past(struct mount *m, struct mount *top)
{
        while (m != top && !m->next_sibling)
                m = m->parent;
        return m == top ? NULL : m->next_sibling;
}

struct mount *mount_below(struct mount *m, struct mount *top) { return m->children ? m->children : mount_past(m, top); }

/* ---- Crossing ---- */

static bool is_on(struct mount *m, struct mount *mnt, struct dentry *d)
{
        return PTR_LOAD(m->parent) == mnt && PTR_LOAD(m->point) == d;
}

static noinline struct mount *peek_behind(struct mnt_ns *ns, struct mount *m, struct mount *mnt, struct dentry *d)
{
        for (u32 i = LOAD_RELAXED(ns->count); m && i > 0; i--) {
                if (is_on(m, mnt, d))
                        return m;
                m = PTR_LOAD(m->chain);
        }
        return NULL;
}

struct mount *mount_peek(struct mount *mnt, struct dentry *d)
{
        struct mnt_ns *ns = PTR_LOAD(mnt->ns);

        if (!ns)
                return NULL;
        struct mount *m = PTR_LOAD(ns->table[slot_of(mnt, d)]);
        return !m || is_on(m, mnt, d) ? m : peek_behind(ns, m, mnt, d);
}

/* The namespace that m is in, counted, its family locked.  NULL: it is in none, or in one that nobody has any more. */
static struct mnt_ns *lock_ns_of(struct mount *m)
{
        struct mnt_ns *ns = PTR_LOAD(m->ns);

        if (!ns || !mnt_ns_try_hold(ns))
                return NULL;
        mutex_lock(&ns->family->lock);
        return ns;
}

static void unlock_ns(struct mnt_ns *ns)
{
        mutex_unlock(&ns->family->lock);
        mnt_ns_drop(ns);
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
        ns = lock_ns_of(mnt);
        if (!ns)
                return NULL;
        m = mount_peek(mnt, d);
        if (m)
                mount_hold(m);
        unlock_ns(ns);
        return m;
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
        struct mnt_ns *ns = lock_ns_of(mnt);

        if (!ns)
                return false;
        bool has = mnt->ns == ns && mnt->parent;
        if (has) {
                out->mnt = mount_hold(mnt->parent);
                out->dentry = dentry_hold(mnt->point);
        }
        unlock_ns(ns);
        return has;
}

err_t mount_want_write(struct mount *m)
{
        return mount_is_readonly(m) ? ERR(EROFS) : OK;
}

static struct mount *any_on(struct mnt_ns *ns, struct dentry *d)
{
        struct mount *m = ns->first;

        while (m && m->point != d)
                m = m->next;
        return m;
}

bool mount_is_on(struct mnt_ns *ns, struct dentry *d)
{
        GUARD(&ns->family->lock);
        return any_on(ns, d) != NULL;
}

void mount_forget_point(struct mount_family *family, struct dentry *d)
{
        struct mount *gone = NULL;

        mutex_lock(&family->lock);
        for (struct mnt_ns *ns = family->first; ns; ns = ns->next_ns)
                for (struct mount *m; (m = any_on(ns, d)) != NULL; )
                        mount_detach(m, &gone);
        mutex_unlock(&family->lock);
        mounts_drop(gone);
}

/* ---- Namespaces ---- */

POOL_DEFINE(mount_family, NO_FINI);

static void mnt_ns_fini(struct mnt_ns *ns)
{
        struct mount_family *f = ns->family;
        struct mount *gone = NULL;

        mutex_lock(&f->lock);
        if (ns->prev_ns)
                ns->prev_ns->next_ns = ns->next_ns;
        else
                f->first = ns->next_ns;
        if (ns->next_ns)
                ns->next_ns->prev_ns = ns->prev_ns;
        while (ns->last)
                mount_leave(ns->last, &gone);
        mutex_unlock(&f->lock);
        mount_drop(ns->root);
        mounts_drop(gone);
        user_ns_drop(ns->user);
        mount_family_drop(f);
}
POOL_DEFINE(mnt_ns, mnt_ns_fini);

/* family: takes the caller's count, also on failure. */
static struct mnt_ns *new_ns(struct payer *payer, struct mount_family *family, struct user_ns *user, u64 inum)
{
        struct mnt_ns *ns = family ? mnt_ns_alloc(payer, MAY_RECLAIM) : NULL;

        if (!ns) {
                mount_family_drop(family);
                return NULL;
        }
        ns->family = family;
        ns->inum = inum;
        ns->user = user_ns_hold(user);
        GUARD(&family->lock);
        ns->next_ns = family->first;
        if (family->first)
                family->first->prev_ns = ns;
        family->first = ns;
        return ns;
}

static struct mount_family *new_family(struct payer *payer)
{
        struct mount_family *f = mount_family_alloc(payer, MAY_RECLAIM);

        if (!f)
                return NULL;
        lock_init(&f->lock, mount_ns);
        f->max = MOUNT_MAX_DEFAULT;
        mount_family_publish(f);
        return f;
}

/* m, and what hangs on it, becomes the namespace's tree. */
static void set_root_locked(struct mnt_ns *ns, struct mount *m)
{
        PTR_STORE(ns->root, mount_hold(m));
        for (struct mount *c = m; c; c = mount_below(c, m))
                mount_enter(ns, c);
}

err_t mnt_ns_new(struct payer *payer, struct user_ns *user, struct superblock *root, struct mnt_ns **out)
{
        struct mnt_ns *ns = new_ns(payer, new_family(payer), user, NS_INUM_MNT);
        struct mount *m = ns ? mount_new(payer, root, root->root, MNT_RELATIME) : NULL;

        if (!m) {
                mnt_ns_drop(ns);
                return ERR(ENOMEM);
        }
        mutex_lock(&ns->family->lock);
        set_root_locked(ns, m);
        mutex_unlock(&ns->family->lock);
        mnt_ns_publish(ns);
        *out = ns;
        return OK;
}

/* The copy of `m` in a namespace that is being made: the trees are alike. */
static struct mount *twin(struct mnt_ns *old, struct mnt_ns *new, struct mount *m)
{
        struct mount *b = new->root;

        for (struct mount *a = old->root; a && b; a = mount_below(a, old->root), b = mount_below(b, new->root))
                if (a == m)
                        return b;
        return NULL;
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
        struct mnt_ns *ns = new_ns(payer, mount_family_hold(old->family), user, ns_new_inum());

        if (!ns)
                return ERR(ENOMEM);
        mutex_lock(&old->family->lock);
        struct mount *root = mount_copy(payer, old->family, old->root, old->root->root, COPY_ALL);
        if (root)
                set_root_locked(ns, root);
        if (root && fs)
                move_over(old, ns, fs);
        mutex_unlock(&old->family->lock);
        if (!root) {
                mnt_ns_drop(ns);
                return ERR(ENOMEM);
        }
        mnt_ns_publish(ns);
        *out = ns;
        return OK;
}

/* ---- /proc ---- */

/* Spaces and the like in octal, as fstab(5) wants them; hash: '#', too. */
static void put_escaped(struct writer *w, bytes text, bool hash)
{
        for (usize i = 0; i < bytes_len(text); i++) {
                u8 c = bytes_at(text, i);
                if (c == ' ' || c == '\t' || c == '\n' || c == '\\' || (hash && c == '#')) {
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
        put_escaped(w, source_of(m->sb), true);
        writer_u8(w, ' ');
        put_escaped(w, place, false);
        writer_u8(w, ' ');
        put_type(w, m->sb);
        writer_put(w, mount_is_readonly(m) ? STR(" ro") : STR(" rw"));
        put_super(w, m->sb);
        put_flags(w, LOAD(m->flags));
        writer_put(w, STR(" 0 0\n"));
}

static void put_peers(struct writer *w, struct mount *m, const struct path *root)
{
        struct mnt_ns *ns = PTR_LOAD(m->ns);

        if (!ns)
                return;
        GUARD(&ns->family->lock);
        peer_describe(w, m, root);
}

static void mountinfo_line(struct writer *w, struct mount *m, u32 parent, bytes place, bytes part, const struct path *root)
{
        num_write(w, m->id, 10, 1);
        writer_u8(w, ' ');
        num_write(w, parent, 10, 1);
        writer_u8(w, ' ');
        num_write(w, dev_major(m->sb->dev), 10, 1);
        writer_u8(w, ':');
        num_write(w, dev_minor(m->sb->dev), 10, 1);
        writer_u8(w, ' ');
        put_escaped(w, part, false);
        writer_u8(w, ' ');
        put_escaped(w, place, false);
        writer_put(w, (LOAD(m->flags) & MNT_RDONLY) != 0 ? STR(" ro") : STR(" rw"));
        put_flags(w, LOAD(m->flags));
        put_peers(w, m, root);
        writer_put(w, STR(" - "));
        put_type(w, m->sb);
        writer_u8(w, ' ');
        put_escaped(w, source_of(m->sb), true);
        writer_put(w, super_is_readonly(m->sb) ? STR(" ro") : STR(" rw"));
        put_super(w, m->sb);
        writer_u8(w, '\n');
}

static void mountstats_line(struct writer *w, struct mount *m, bytes place)
{
        writer_put(w, STR("device "));
        put_escaped(w, source_of(m->sb), true);
        writer_put(w, STR(" mounted on "));
        put_escaped(w, place, false);
        writer_put(w, STR(" with fstype "));
        put_type(w, m->sb);
        writer_u8(w, '\n');
}

/* Moves the cursor on; false: there is none any more. */
static bool step(struct mnt_ns *ns, struct mount_cursor *c)
{
        struct mount *was = c->at, *m;

        mutex_lock(&ns->family->lock);
        if (was && was->ns == ns) {
                m = was->next;
        } else {
                m = ns->first;
                for (u64 n = c->n; m && n > 0; n--)
                        m = m->next;
        }
        c->at = m ? mount_hold(m) : NULL;
        mutex_unlock(&ns->family->lock);
        c->n++;
        mount_drop(was);
        return m != NULL;
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
                mountinfo_line(w, m, parent, at, bytes_skip(bytes_const(high), part), root);
        }
        return w->full ? ERR(ENAMETOOLONG) : OK;
}

err_t mount_describe(struct mnt_ns *ns, const struct path *root, struct mount_cursor *c, enum mount_format how, mbytes out, usize *len)
{
        struct writer w = writer_of(out);
        err_t err = ERR(ENOMEM);

        if (!step(ns, c))
                return ERR(ENOENT);
        struct blob *text = blob_alloc(payer_current(), 2 * PATH_MAX_LEN);
        if (text)
                err = describe(c->at, root, how, blob_mbytes(text), &w);
        blob_drop(text);
        *len = w.at;
        return err;
}
