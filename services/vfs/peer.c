/* SPDX-License-Identifier: Apache-2.0
 *
 * Peer groups: which mounts are mounted on alike, and who receives from whom.  See mount_namespaces(7).
 *
 *      state           group                   shown as
 *      private         none                    (unbindable)
 *      shared          id != 0, no master      shared:1
 *      slave           id 0, a master          master:1        (alone in its group)
 *      slave, shared   id != 0, a master       shared:2 master:1
 *
 * Locking     the family's lock throughout.
 * Lifetime    A group has one count, which its members hold together: the last to leave gives it up, and those
 *             that received from it receive from its master instead, or become private.
 * Invariants  R1  a group with id 0 has a master, one member and no slaves
 */
#include "services/vfs/mount_impl.h"
#include "services/vfs/dentry.h"
#include "abi/const/fs.h"
#include "lib/num.h"

POOL_DEFINE(peer_group, NO_FINI);

enum { FRESH_NOT, FRESH_NEW, FRESH_SENDS };     /* peer_group.fresh: made for this mount, or made to send */

static void receive(struct peer_group *g, struct peer_group *master)
{
        g->master = master;
        g->prev = NULL;
        g->next = NULL;
        if (!master)
                return;
        g->next = master->slaves;
        if (g->next)
                g->next->prev = g;
        master->slaves = g;
}

static void receive_no_more(struct peer_group *g)
{
        if (!g->master)
                return;
        if (g->prev)
                g->prev->next = g->next;
        else
                g->master->slaves = g->next;
        if (g->next)
                g->next->prev = g->prev;
        g->master = NULL;
}

static void join(struct peer_group *g, struct mount *m)
{
        m->group = g;
        m->peer_prev = NULL;
        m->peer_next = g->first;
        if (g->first)
                g->first->peer_prev = m;
        g->first = m;
}

static void unlink_peer(struct mount *m)
{
        if (m->peer_prev)
                m->peer_prev->peer_next = m->peer_next;
        else
                m->group->first = m->peer_next;
        if (m->peer_next)
                m->peer_next->peer_prev = m->peer_prev;
        m->peer_next = m->peer_prev = NULL;
        m->group = NULL;
}

/* g sends no more: its slaves turn to its master. */
static void hand_up_slaves(struct peer_group *g)
{
        while (g->slaves) {
                struct peer_group *s = g->slaves;
                struct peer_group *master = g->master;
                receive_no_more(s);
                receive(s, master);
                if (!master && !s->id) {
                        unlink_peer(s->first);          /* keeps R1 */
                        peer_group_drop(s);
                }
        }
}

void peer_leave(struct mount *m)
{
        struct peer_group *g = m->group;

        if (!g)
                return;
        unlink_peer(m);
        if (g->first)
                return;
        hand_up_slaves(g);
        receive_no_more(g);
        peer_group_drop(g);
}

static struct peer_group *new_group(struct payer *payer)
{
        struct peer_group *g = peer_group_alloc(payer, MAY_RECLAIM);

        if (g)
                peer_group_publish(g);
        return g;
}

static bool needs_group(const struct mount *m, u32 kind)
{
        return kind == MS_SHARED ? !m->group : kind == MS_SLAVE && mount_is_shared(m) && m->group->first->peer_next;
}

static struct peer_group *take_spare(struct mount *m)
{
        struct peer_group *g = m->spare;

        m->spare = NULL;
        return g;
}

static void become_slave(struct mount *m)
{
        struct peer_group *g = m->group, *own;

        if (!mount_is_shared(m))
                return;
        if (g->first->peer_next) {
                own = take_spare(m);
                unlink_peer(m);
                receive(own, g);
                join(own, m);
                return;
        }
        hand_up_slaves(g);
        g->id = 0;
        if (!g->master)
                peer_leave(m);
}

static void become_shared(struct mount_family *family, struct mount *m)
{
        if (!m->group)
                join(take_spare(m), m);
        if (!m->group->id)
                m->group->id = ++family->next_group;
}

static void change(struct mount_family *family, struct mount *m, u32 kind)
{
        if (kind == MS_SLAVE) {
                become_slave(m);
                return;
        }
        if (kind == MS_SHARED)
                become_shared(family, m);
        else
                peer_leave(m);
        m->unbindable = kind == MS_UNBINDABLE;
}

static void drop_spares(struct mount *top)
{
        for (struct mount *m = top; m; m = mount_below(m, top))
                peer_group_drop(take_spare(m));
}

static err_t make_spares(struct payer *payer, struct mount *top, u32 kind, bool rec)
{
        for (struct mount *m = top; m; m = rec ? mount_below(m, top) : NULL) {
                if (!needs_group(m, kind))
                        continue;
                m->spare = new_group(payer);
                if (!m->spare) {
                        drop_spares(top);
                        return ERR(ENOMEM);
                }
        }
        return OK;
}

err_t peer_change(struct payer *payer, struct mount_family *family, struct mount *top, u32 kind, bool rec)
{
        TRY(make_spares(payer, top, kind, rec));
        for (struct mount *m = top; m; m = rec ? mount_below(m, top) : NULL)
                change(family, m, kind);
        drop_spares(top);
        return OK;
}

err_t peer_copy(struct payer *payer, struct mount_family *family, struct mount *m, struct mount *c, u32 how)
{
        struct peer_group *g = m->group;

        if (!g)
                return OK;
        if ((how & PEER_SLAVE) == 0 && g->id) {
                join(g, c);
                return OK;
        }
        struct peer_group *own = new_group(payer);
        if (!own)
                return ERR(ENOMEM);
        if (how & PEER_SHARED)
                own->id = ++family->next_group;
        receive(own, (how & PEER_SLAVE) != 0 ? g : g->master);
        join(own, c);
        return OK;
}

err_t peer_share(struct payer *payer, struct mount_family *family, struct mount *top)
{
        TRY(make_spares(payer, top, MS_SHARED, true));
        for (struct mount *m = top; m; m = mount_below(m, top)) {
                u32 fresh = !m->group ? FRESH_NEW : !m->group->id ? FRESH_SENDS : FRESH_NOT;
                become_shared(family, m);
                if (fresh)
                        m->group->fresh = fresh;
        }
        return OK;
}

void peer_share_end(struct mount *top, bool keep)
{
        for (struct mount *m = top; m; m = mount_below(m, top)) {
                u32 fresh = m->group->fresh;
                m->group->fresh = FRESH_NOT;
                if (!keep && fresh == FRESH_NEW)
                        peer_leave(m);
                else if (!keep && fresh == FRESH_SENDS)
                        m->group->id = 0;
        }
}

struct peer_group *peer_group_after(struct peer_group *g, struct peer_group *top)
{
        if (g->slaves)
                return g->slaves;
        while (g != top && !g->next)
                g = g->master;
        return g == top ? NULL : g->next;
}

/* ---- /proc ---- */

static bool is_reachable(struct mount *m, const struct path *root)
{
        struct dentry *d = m->root;

        for (; m != root->mnt; m = m->parent) {
                if (!m->parent)
                        return false;
                d = m->point;
        }
        return dentry_is_below(d, root->dentry);
}

static bool has_reachable(struct peer_group *g, struct mnt_ns *ns, const struct path *root)
{
        for (struct mount *m = g->first; m; m = m->peer_next)
                if (m->ns == ns && is_reachable(m, root))
                        return true;
        return false;
}

static void put_id(struct writer *w, bytes word, const struct peer_group *g)
{
        writer_put(w, word);
        num_write(w, g->id, 10, 1);
}

void peer_describe(struct writer *w, struct mount *m, const struct path *root)
{
        struct peer_group *g = m->group;

        if (mount_is_shared(m))
                put_id(w, STR(" shared:"), g);
        if (g && g->master) {
                put_id(w, STR(" master:"), g->master);
                struct peer_group *near = g->master;
                while (near && !has_reachable(near, m->ns, root))
                        near = near->master;
                if (near && near != g->master)
                        put_id(w, STR(" propagate_from:"), near);
        }
        if (m->unbindable)
                writer_put(w, STR(" unbindable"));
}
