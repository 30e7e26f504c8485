/* SPDX-License-Identifier: Apache-2.0
 *
 * Mounts and umounts that spread to peers and slaves, in whatever namespace they are.
 *
 * To attach a tree at a shared place, copies for all who receive are made first (nobody can see them), then
 * all appear.  The groups that receive are walked from the place's own downwards: the copies for a
 * group's members are peers of each other, and receive from the copies made for the nearest group above that has any.
 *
 * Locking     the family's lock throughout: one attachment or umount at a time.
 */
#include "services/vfs/mount_impl.h"
#include "services/vfs/dentry.h"

/* ---- Copies ---- */

static struct mount *copy_one(struct payer *payer, struct mount_family *family, struct mount *m, struct dentry *root, u32 how)
{
        struct mount *c = mount_new(payer, m->sb, root, LOAD(m->flags) & ~MNT_EXPIRING);

        if (!c)
                return NULL;
        c->unbindable = (how & COPY_ALL) != 0 && m->unbindable;
        if (succeeded(peer_copy(payer, family, m, c, how)))
                return c;
        mount_drop(c);
        return NULL;
}

/* A copy that did not get anywhere.  What it copied still holds all that it held. */
void mount_forget(struct mount *top)
{
        struct mount *gone = NULL;

        for (struct mount *m = top; m; m = mount_below(m, top))
                mount_discard(m, &gone);
        mounts_drop(gone);
}

static bool is_left_out(struct mount *m, struct mount *top, struct dentry *root, u32 how)
{
        return (m->unbindable && (how & COPY_ALL) == 0) || (m->parent == top && !dentry_is_below(m->point, root));
}

struct mount *mount_copy(struct payer *payer, struct mount_family *family, struct mount *top, struct dentry *root, u32 how)
{
        struct mount *copy = copy_one(payer, family, top, root, how), *from = top, *to = copy;

        if (!copy || (how & COPY_ONE) != 0)
                return copy;
        for (struct mount *m = mount_below(top, top); m;) {
                if (is_left_out(m, top, root, how)) {
                        m = mount_past(m, top);
                        continue;
                }
                for (; from != m->parent; from = from->parent)
                        to = to->parent;
                struct mount *c = copy_one(payer, family, m, m->root, how);
                if (!c) {
                        mount_forget(copy);
                        return NULL;
                }
                mount_aim(c, to, m->point);
                mount_adopt(c);
                from = m;
                to = c;
                m = mount_below(m, top);
        }
        return copy;
}

/* ---- Attaching ---- */

static bool receives(struct mount *p, const struct path *at)
{
        return p != at->mnt && p->ns && dentry_is_below(at->dentry, p->root);
}

/* A copy for a member of g; the top group's is the tree itself. */
static struct mount *copy_for(struct payer *payer, struct mount_family *family, struct peer_group *g)
{
        if (g->copy)
                return mount_copy(payer, family, g->copy, g->copy->root, 0);
        struct peer_group *above = g->master;
        while (!above->copy)
                above = above->master;
        g->copy = mount_copy(payer, family, above->copy, above->copy->root, PEER_SLAVE | (g->id ? PEER_SHARED : 0));
        return g->copy;
}

static u32 tree_size(struct mount *top)
{
        u32 n = 0;

        for (struct mount *m = top; m; m = mount_below(m, top))
                n++;
        return n;
}

/* So many mounts more will come to ns.  ENOSPC: there is no room. */
static err_t expect(struct mount_family *family, struct mnt_ns *ns, u32 n)
{
        ns->pending += n;
        return (u64)ns->count + ns->pending <= LOAD(family->max) ? OK : ERR(ENOSPC);
}

/* Copies of the top group's for all who receive what is mounted at `at`, aimed there; *copies: by `next`.  ENOSPC at
 * the first that finds no room, lest a tree of many is copied for many. */
static err_t make_copies(struct payer *payer, struct mount_family *family, const struct path *at, struct mount **copies)
{
        struct peer_group *top = at->mnt->group;

        for (struct peer_group *g = top; g; g = peer_group_after(g, top)) {
                for (struct mount *p = g->first; p; p = p->peer_next) {
                        if (!receives(p, at))
                                continue;
                        struct mount *c = copy_for(payer, family, g);
                        if (!c)
                                return ERR(ENOMEM);
                        mount_aim(c, p, at->dentry);
                        c->next = *copies;
                        *copies = c;
                        TRY(expect(family, p->ns, tree_size(c)));
                }
        }
        return OK;
}

static struct mount *topmost(struct mount *m)
{
        for (struct mount *k = m->children; k;) {
                if (k->point == m->root) {
                        m = k;
                        k = m->children;
                } else {
                        k = k->next_sibling;
                }
        }
        return m;
}

/* A tree that was aimed at its place appears there; what stood there already stands on it then. */
static void appear(struct mount *top)
{
        struct mnt_ns *ns = top->parent->ns;
        struct mount *other = mount_peek(top->parent, top->point), *on = topmost(top);

        if (other) {
                struct path was = mount_unplace(other);
                path_drop(&was);        /* top holds the same */
        }
        mount_adopt(top);
        for (struct mount *m = top; m; m = mount_below(m, top))
                mount_enter(ns, m);
        if (other)
                mount_place(other, on, on->root);
}

/* The copies for all who receive; m's tree is shared then.  On failure all is as before. */
static err_t spread(struct payer *payer, struct mount_family *family, struct mount *m, const struct path *at, struct mount **copies)
{
        struct peer_group *top = at->mnt->group;
        struct mount *made = NULL, *next;

        TRY(peer_share(payer, family, m));
        top->copy = m;
        err_t err = make_copies(payer, family, at, &made);
        for (struct peer_group *g = top; g; g = peer_group_after(g, top))
                g->copy = NULL;
        for (struct mount *c = made; c; c = c->next)
                c->parent->ns->pending = 0;
        for (struct mount *c = made; c && failed(err); c = next) {
                next = c->next;
                c->next = NULL;
                mount_forget(c);
        }
        peer_share_end(m, succeeded(err));
        TRY(err);
        *copies = made;
        return OK;
}

err_t mount_attach(struct payer *payer, struct mount_family *family, struct mount *m, const struct path *at, struct path *was)
{
        struct mnt_ns *ns = at->mnt->ns;
        struct mount *copies = NULL, *next;
        bool moves = m->ns == ns;

        err_t err = moves ? OK : expect(family, ns, tree_size(m));
        if (succeeded(err) && mount_is_shared(at->mnt))
                err = spread(payer, family, m, at, &copies);
        ns->pending = 0;
        TRY(err);
        if (moves) {
                *was = mount_unplace(m);
                mount_place(m, at->mnt, at->dentry);
        } else {
                mount_aim(m, at->mnt, at->dentry);
                appear(m);
        }
        for (struct mount *c = copies; c; c = next) {
                next = c->next;
                c->next = NULL;
                appear(c);
        }
        return OK;
}

/* ---- Detaching ---- */

/* What stands where p, who receives from m's parent, has the like of m. */
static struct mount *like_of(struct mount *m, struct mount *p)
{
        return p == m->parent || !p->ns ? NULL : mount_peek(p, m->point);
}

/* The one mount that stays when c goes, if it covers c: it takes c's place. */
static struct mount *cover_of(struct mount *c)
{
        struct mount *cover = NULL;

        for (struct mount *k = c->children; k; k = k->next_sibling) {
                if (k->going)
                        continue;
                if (cover || k->point != c->root)
                        return NULL;
                cover = k;
        }
        return cover;
}

static bool may_go(struct mount *c)
{
        if (cover_of(c))
                return true;
        for (struct mount *k = c->children; k; k = k->next_sibling)
                if (!k->going || cover_of(k))
                        return false;
        return true;
}

typedef bool visit_fn(struct mount *c, struct mount **list);

/* Calls visit with the likes of m until it says true. */
static bool for_likes(struct mount *m, visit_fn *visit, struct mount **list)
{
        struct peer_group *top = m->parent ? m->parent->group : NULL;

        for (struct peer_group *g = top; g; g = peer_group_after(g, top)) {
                if (g == top && !g->id)
                        return false;
                for (struct mount *p = g->first; p; p = p->peer_next) {
                        struct mount *c = like_of(m, p);
                        if (c && visit(c, list))
                                return true;
                }
        }
        return false;
}

static bool visit_busy(struct mount *c, struct mount **list)
{
        (void)list;
        return !c->children && mount_refs(c) > 1;
}

bool mount_is_busy(struct mount *m, u32 refs)
{
        return m->children || mount_refs(m) > refs || for_likes(m, visit_busy, NULL);
}

static bool visit_going(struct mount *c, struct mount **list)
{
        if (c->going || !may_go(c))
                return false;
        c->going = true;
        c->next_going = *list;
        *list = c;
        return false;
}

static void go(struct mount *c, struct mount **gone)
{
        struct mount *cover = cover_of(c), *parent = c->parent;
        struct dentry *point = c->point;

        if (cover) {
                struct path was = mount_unplace(cover);
                path_drop(&was);        /* c is there still */
        }
        mount_leave(c, gone);
        if (cover)
                mount_place(cover, parent, point);
}

void mount_detach(struct mount *top, struct mount **gone)
{
        struct mount *own = NULL, *likes = NULL;

        /* Children before parents: the likes of children go first. */
        for (struct mount *m = top; m; m = mount_below(m, top)) {
                m->going = true;
                m->next_going = own;
                own = m;
        }
        for (struct mount *m = own; m; m = m->next_going)
                for_likes(m, visit_going, &likes);
        for (struct mount *m = likes; m; m = m->next_going)
                go(m, gone);
        for (struct mount *m = own; m; m = m->next_going)
                go(m, gone);
        for (struct mount *m = *gone; m; m = m->next) {
                m->going = false;
                m->next_going = NULL;
        }
}
