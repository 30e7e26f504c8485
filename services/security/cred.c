/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials: objects, groups, and the questions asked of them.
 */
#include "services/security/cred.h"
#include "services/namespace/namespace.h"
#include "abi/const/fs.h"

#define GIDS_PER_BLOB (BLOB_MAX / 4)

static void group_list_fini(struct group_list *g)
{
        for (u32 i = 0; i < ARRAY_SIZE(g->many); i++)
                blob_drop(g->many[i]);
}
POOL_DEFINE(group_list, group_list_fini);

static void cred_fini(struct cred *c)
{
        group_list_drop(c->groups);
        user_ns_drop(c->user_ns);
}
POOL_DEFINE(cred, cred_fini);

struct cred *cred_new_root(struct payer *payer, struct user_ns *ns)
{
        struct cred *c = cred_alloc(payer, MAY_RECLAIM);

        if (!c)
                return NULL;
        c->cap_permitted = CAP_MASK_ALL;
        c->cap_effective = CAP_MASK_ALL;
        c->cap_bounding = CAP_MASK_ALL;
        c->user_ns = user_ns_hold(ns);
        cred_publish(c);
        return c;
}

struct cred *cred_copy(struct payer *payer, struct cred *old)
{
        struct cred *c = cred_alloc(payer, MAY_RECLAIM);

        if (!c)
                return NULL;
        c->uid = old->uid;
        c->euid = old->euid;
        c->suid = old->suid;
        c->fsuid = old->fsuid;
        c->gid = old->gid;
        c->egid = old->egid;
        c->sgid = old->sgid;
        c->fsgid = old->fsgid;
        c->cap_inheritable = old->cap_inheritable;
        c->cap_permitted = old->cap_permitted;
        c->cap_effective = old->cap_effective;
        c->cap_bounding = old->cap_bounding;
        c->cap_ambient = old->cap_ambient;
        c->securebits = old->securebits;
        c->no_new_privs = old->no_new_privs;
        if (old->groups)
                c->groups = group_list_hold(old->groups);
        c->user_ns = user_ns_hold(old->user_ns);
        return c;
}

u32 cred_group_count(const struct cred *c) { return c->groups ? c->groups->count : 0; }

static u32 group_at(const struct group_list *g, u32 i)
{
        if (g->count <= ARRAY_SIZE(g->few))
                return g->few[i];
        return bytes_le32(blob_bytes(g->many[i / GIDS_PER_BLOB]), (usize)(i % GIDS_PER_BLOB) * 4);
}

u32 cred_group(const struct cred *c, u32 i)
{
        assert(c->groups && i < c->groups->count);
        return group_at(c->groups, i);
}

static bool in_list(const struct group_list *g, u32 gid)
{
        u32 low = 0, high = g ? g->count : 0;

        while (low < high) {
                u32 mid = low + (high - low) / 2;
                u32 at = group_at(g, mid);
                if (at == gid)
                        return true;
                if (at < gid)
                        low = mid + 1;
                else
                        high = mid;
        }
        return false;
}

bool cred_in_group(const struct cred *c, u32 gid)  { return c->fsgid == gid || in_list(c->groups, gid); }
bool cred_in_egroup(const struct cred *c, u32 gid) { return c->egid == gid || in_list(c->groups, gid); }

static void group_put(struct group_list *g, u32 i, u32 gid)
{
        if (g->count <= ARRAY_SIZE(g->few))
                g->few[i] = gid;
        else
                mbytes_put_le32(blob_mbytes(g->many[i / GIDS_PER_BLOB]), (usize)(i % GIDS_PER_BLOB) * 4, gid);
}

/* Moves entry i down to its place in the heap of n entries. */
static void sift(struct group_list *g, u32 i, u32 n)
{
        u32 v = group_at(g, i);

        while (2 * i + 1 < n) {
                u32 child = 2 * i + 1;
                if (child + 1 < n && group_at(g, child + 1) > group_at(g, child))
                        child++;
                if (group_at(g, child) <= v)
                        break;
                group_put(g, i, group_at(g, child));
                i = child;
        }
        group_put(g, i, v);
}

static void sort(struct group_list *g)
{
        for (u32 i = g->count / 2; i > 0; i--)
                sift(g, i - 1, g->count);
        for (u32 n = g->count; n > 1; n--) {
                u32 max = group_at(g, 0);
                group_put(g, 0, group_at(g, n - 1));
                group_put(g, n - 1, max);
                sift(g, 0, n - 1);
        }
}

err_t cred_setgroups(struct payer *payer, struct cred *c, bytes gids)
{
        usize count = bytes_len(gids) / 4;
        struct group_list *g;

        if (count > GROUPS_MAX)
                return ERR(EINVAL);
        g = group_list_alloc(payer, MAY_RECLAIM);
        if (!g)
                return ERR(ENOMEM);
        g->count = (u32)count;
        for (u32 i = 0; count > ARRAY_SIZE(g->few) && i * (usize)GIDS_PER_BLOB < count; i++) {
                g->many[i] = blob_alloc(payer, (usize)min_u64(count - i * (usize)GIDS_PER_BLOB, GIDS_PER_BLOB) * 4);
                if (!g->many[i]) {
                        group_list_drop(g);
                        return ERR(ENOMEM);
                }
        }
        for (u32 i = 0; i < g->count; i++) {
                u32 gid = bytes_le32(gids, (usize)i * 4);
                if (gid == NO_ID) {
                        group_list_drop(g);
                        return ERR(EINVAL);
                }
                group_put(g, i, gid);
        }
        sort(g);
        group_list_publish(g);
        group_list_drop(c->groups);
        c->groups = g;
        return OK;
}

err_t cred_may_access(const struct cred *c, struct file_owner f, u32 want)
{
        u32 bits = f.mode & 7;

        if (c->fsuid == f.uid)
                bits = f.mode >> 6 & 7;
        else if ((f.mode >> 3 & 7) != bits && cred_in_group(c, f.gid))
                bits = f.mode >> 3 & 7;
        want &= MAY_READ | MAY_WRITE | MAY_EXEC;
        if ((want & ~bits) == 0)
                return OK;

        bool dir = (f.mode & S_IFMT) == S_IFDIR;
        if (dir && (want & MAY_WRITE) == 0 && cred_has(c, CAP_DAC_READ_SEARCH))
                return OK;
        if (!dir && want == MAY_READ && cred_has(c, CAP_DAC_READ_SEARCH))
                return OK;
        /* Running a file needs an execute bit for someone, for root too. */
        if ((dir || (want & MAY_EXEC) == 0 || (f.mode & 0111) != 0) && cred_has(c, CAP_DAC_OVERRIDE))
                return OK;
        return ERR(EACCES);
}

bool cred_owns(const struct cred *c, struct file_owner f)
{
        return c->fsuid == f.uid || cred_has(c, CAP_FOWNER);
}

bool cred_sticky_allows(const struct cred *c, struct file_owner dir, struct file_owner entry)
{
        return (dir.mode & S_ISVTX) == 0 || c->fsuid == entry.uid || c->fsuid == dir.uid || cred_has(c, CAP_FOWNER);
}

bool cred_may_signal(const struct cred *c, const struct cred *target)
{
        return c->euid == target->suid || c->euid == target->uid || c->uid == target->suid || c->uid == target->uid ||
               cred_has(c, CAP_KILL);
}

bool cred_may_ptrace(const struct cred *c, const struct cred *target, bool real)
{
        u32 uid = real ? c->uid : c->fsuid, gid = real ? c->gid : c->fsgid;

        if (cred_has(c, CAP_SYS_PTRACE))
                return true;
        return uid == target->euid && uid == target->suid && uid == target->uid &&
               gid == target->egid && gid == target->sgid && gid == target->gid &&
               (target->cap_permitted & ~c->cap_permitted) == 0;
}
