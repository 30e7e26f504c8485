/* SPDX-License-Identifier: Apache-2.0
 *
 * setuid(2) and its relatives on an unpublished cred: credentials(7), capabilities(7).
 */
#include "services/security/cred.h"

/* The capabilities a file system check looks at: they go with fsuid 0. */
#define CAP_FS_MASK (CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_DAC_READ_SEARCH) | CAP_BIT(CAP_FOWNER) | \
        CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_LINUX_IMMUTABLE) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_MAC_OVERRIDE))

struct ids { u32 r, e, s; };
static struct ids uids(const struct cred *c) { return (struct ids){ c->uid, c->euid, c->suid }; }
static struct ids gids(const struct cred *c) { return (struct ids){ c->gid, c->egid, c->sgid }; }
static bool is_one_of(u32 id, struct ids of) { return id == of.r || id == of.e || id == of.s; }

static void fs_caps(struct cred *c, u32 old_fsuid)
{
        if (c->securebits & SECBIT_NO_SETUID_FIXUP)
                return;
        if (old_fsuid == 0 && c->fsuid != 0)
                c->cap_effective &= ~CAP_FS_MASK;
        else if (old_fsuid != 0 && c->fsuid == 0)
                c->cap_effective |= c->cap_permitted & CAP_FS_MASK;
}

/* Sets all user ids and does to the capabilities what becoming or ceasing to be root means. */
static void set_uids(struct cred *c, struct ids new)
{
        struct ids old = uids(c);

        c->uid = new.r;
        c->euid = new.e;
        c->suid = new.s;
        c->fsuid = new.e;
        if (c->securebits & SECBIT_NO_SETUID_FIXUP)
                return;
        if (is_one_of(0, old) && !is_one_of(0, new)) {
                if ((c->securebits & SECBIT_KEEP_CAPS) == 0) {
                        c->cap_permitted = 0;
                        c->cap_effective = 0;
                }
                c->cap_ambient = 0;
        }
        if (old.e == 0 && new.e != 0)
                c->cap_effective = 0;
        if (old.e != 0 && new.e == 0)
                c->cap_effective = c->cap_permitted;
}

static void set_gids(struct cred *c, struct ids new)
{
        c->gid = new.r;
        c->egid = new.e;
        c->sgid = new.s;
        c->fsgid = new.e;
}

err_t cred_setuid(struct cred *c, u32 uid)
{
        struct ids new = uids(c);

        if (uid == NO_ID)
                return ERR(EINVAL);
        if (cred_has(c, CAP_SETUID))
                new = (struct ids){ uid, uid, uid };
        else if (uid == c->uid || uid == c->suid)
                new.e = uid;
        else
                return ERR(EPERM);
        set_uids(c, new);
        return OK;
}

static bool may_setre(struct ids old, u32 r, u32 e, bool privileged)
{
        return privileged || ((r == NO_ID || r == old.r || r == old.e) && (e == NO_ID || is_one_of(e, old)));
}

static struct ids setre(struct ids old, u32 r, u32 e)
{
        struct ids new = { r == NO_ID ? old.r : r, e == NO_ID ? old.e : e, old.s };

        /* The saved id follows when the real one was given, or the effective one becomes another than the old real one. */
        if (r != NO_ID || (e != NO_ID && e != old.r))
                new.s = new.e;
        return new;
}

err_t cred_setreuid(struct cred *c, u32 ruid, u32 euid)
{
        if (!may_setre(uids(c), ruid, euid, cred_has(c, CAP_SETUID)))
                return ERR(EPERM);
        set_uids(c, setre(uids(c), ruid, euid));
        return OK;
}

err_t cred_setregid(struct cred *c, u32 rgid, u32 egid)
{
        if (!may_setre(gids(c), rgid, egid, cred_has(c, CAP_SETGID)))
                return ERR(EPERM);
        set_gids(c, setre(gids(c), rgid, egid));
        return OK;
}

static bool may_setres(struct ids old, struct ids new)
{
        return (new.r == NO_ID || is_one_of(new.r, old)) && (new.e == NO_ID || is_one_of(new.e, old)) &&
               (new.s == NO_ID || is_one_of(new.s, old));
}

static struct ids setres(struct ids old, struct ids new)
{
        return (struct ids){ new.r == NO_ID ? old.r : new.r, new.e == NO_ID ? old.e : new.e, new.s == NO_ID ? old.s : new.s };
}

err_t cred_setresuid(struct cred *c, u32 ruid, u32 euid, u32 suid)
{
        struct ids new = { ruid, euid, suid };

        if (!cred_has(c, CAP_SETUID) && !may_setres(uids(c), new))
                return ERR(EPERM);
        set_uids(c, setres(uids(c), new));
        return OK;
}

err_t cred_setresgid(struct cred *c, u32 rgid, u32 egid, u32 sgid)
{
        struct ids new = { rgid, egid, sgid };

        if (!cred_has(c, CAP_SETGID) && !may_setres(gids(c), new))
                return ERR(EPERM);
        set_gids(c, setres(gids(c), new));
        return OK;
}

err_t cred_setgid(struct cred *c, u32 gid)
{
        struct ids new = gids(c);

        if (gid == NO_ID)
                return ERR(EINVAL);
        if (cred_has(c, CAP_SETGID))
                new = (struct ids){ gid, gid, gid };
        else if (gid == c->gid || gid == c->sgid)
                new.e = gid;
        else
                return ERR(EPERM);
        set_gids(c, new);
        return OK;
}

void cred_setfsuid(struct cred *c, u32 uid)
{
        u32 old = c->fsuid;

        if (uid == NO_ID || !(is_one_of(uid, uids(c)) || uid == c->fsuid || cred_has(c, CAP_SETUID)))
                return;
        c->fsuid = uid;
        fs_caps(c, old);
}

void cred_setfsgid(struct cred *c, u32 gid)
{
        if (gid == NO_ID || !(is_one_of(gid, gids(c)) || gid == c->fsgid || cred_has(c, CAP_SETGID)))
                return;
        c->fsgid = gid;
}
