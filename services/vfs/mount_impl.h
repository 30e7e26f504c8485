/* SPDX-License-Identifier: Apache-2.0
 *
 * The mount tree's inside, for mount.c, mount_ops.c, peer.c and propagate.c.  REQUIRES(the family's lock)
 * but where it says otherwise.
 *
 * A mount in a namespace stands in its table (by place), its list and its parent's list of children.  A copy
 * in the making has parent and point (counted) and its own children, and ns NULL: nobody can walk to it.
 * What leaves a namespace goes to a list `gone` and is dropped when the lock is free.
 */
#pragma once
#include "services/vfs/mount.h"

struct mount *mount_new(struct payer *payer, struct superblock *sb, struct dentry *root, u32 flags);    /* no lock needed */

/* Gives m, which is nowhere, a place: takes counts on both.  mount_adopt: also among the parent's children. */
void mount_aim(struct mount *m, struct mount *parent, struct dentry *point);
void mount_adopt(struct mount *m);
/* Into the namespace, at the place it was aimed at (none: as its root). The caller's count becomes the tree's. */
void mount_enter(struct mnt_ns *ns, struct mount *m);
/* Out of it and out of its peers; the tree's count goes to *gone. */
void mount_leave(struct mount *m, struct mount **gone);
/* The same for one that is in no namespace. */
void mount_discard(struct mount *m, struct mount **gone);
void mounts_drop(struct mount *gone);                    /* without the lock */
/* From one place to another within a namespace; what it held of the old place is the caller's to drop. */
struct path mount_unplace(struct mount *m);
void mount_place(struct mount *m, struct mount *parent, struct dentry *point);

/* The tree under top, parents before children; NULL: that was all.  mount_past leaves out what is below m. */
struct mount *mount_below(struct mount *m, struct mount *top);
struct mount *mount_past(struct mount *m, struct mount *top);
static inline bool mount_is_under(struct mount *m, struct mount *top)
{
        while (m && m != top)
                m = m->parent;
        return m != NULL;
}

/* ---- peer.c: who sends to whom ---- */

/* Mounts that are mounted on alike.  A group with id 0 is one mount that receives and does not send: a slave
 * without peers.  Groups that receive from another are a tree.  It lives as long as it has members. */
OBJECT(peer_group) {
        u64 id;                         /* as mountinfo shows it */
        struct peer_group *master;      /* from whom it receives, or NULL */
        struct peer_group *slaves, *next, *prev;        /* those that receive from it; their list */
        struct mount *first;            /* members, by peer_next */
        struct mount *copy;             /* while a mount spreads: the tree that was made for the first member */
        u32 fresh;                      /* while a mount spreads: how to undo it */
};
POOL_DECLARE(peer_group)

static inline bool mount_is_shared(const struct mount *m) { return m->group && m->group->id; }
/* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE for top and, with rec, all below. ENOMEM: nothing changed. */
err_t peer_change(struct payer *payer, struct mount_family *family, struct mount *top, u32 kind, bool rec);
void peer_leave(struct mount *m);
/* c, a copy of m, gets into m's groups; PEER_SLAVE: into one that receives from m's; PEER_SHARED: and sends. ENOMEM. */
#define PEER_SLAVE  1u
#define PEER_SHARED 2u
err_t peer_copy(struct payer *payer, struct mount_family *family, struct mount *m, struct mount *c, u32 how);
/* All of the tree shared, ENOMEM: nothing changed; and then kept so, or undone. */
err_t peer_share(struct payer *payer, struct mount_family *family, struct mount *top);
void peer_share_end(struct mount *top, bool keep);
struct peer_group *peer_group_after(struct peer_group *g, struct peer_group *top);       /* the groups that receive, top first */
struct writer;
/* " shared:1 master:2 …" for a process whose root is `root`. */
void peer_describe(struct writer *w, struct mount *m, const struct path *root);

/* ---- propagate.c: mounts and umounts that spread ---- */

/* A copy of the tree, of what lies under `root` of its first mount.  NULL: no memory.  how: PEER_*, and
 * COPY_ALL: unbindable ones too; COPY_ONE: the first alone. */
#define COPY_ALL 0x10u
#define COPY_ONE 0x20u
struct mount *mount_copy(struct payer *payer, struct mount_family *family, struct mount *top, struct dentry *root, u32 how);
void mount_forget(struct mount *copy);                   /* one that did not get anywhere */
/* The tree m, new or taken from its place (which is dropped, *was), to `at` and wherever that sends to.  ENOMEM, ENOSPC. */
err_t mount_attach(struct payer *payer, struct mount_family *family, struct mount *m, const struct path *at, struct path *was);
/* Takes the tree out, and what was mounted by its like where the parents of its mounts send to; what has other
 * mounts on it stays (of those below top: with what is on them). */
void mount_detach(struct mount *top, struct mount **gone);
/* Something is on it, or it has more references than these; or someone is in what would go with it. */
bool mount_is_busy(struct mount *m, u32 refs);
