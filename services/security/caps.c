/* SPDX-License-Identifier: Apache-2.0
 *
 * Capability sets: capset(2), the prctl(2) operations on them, and what execve(2) does, on
 * an unpublished cred.  The rules are those of capabilities(7).
 */
#include "services/security/cred.h"
#include "abi/const/fs.h"

#define SECURE_ALL (SECURE_ALL_BITS | SECURE_ALL_LOCKS)

err_t cred_capset(struct cred *c, struct cap_sets sets)
{
        sets.effective &= CAP_MASK_ALL;
        sets.permitted &= CAP_MASK_ALL;
        sets.inheritable &= CAP_MASK_ALL;
        if (!cred_has(c, CAP_SETPCAP) && (sets.inheritable & ~(c->cap_inheritable | c->cap_permitted)) != 0)
                return ERR(EPERM);
        if ((sets.inheritable & ~(c->cap_inheritable | c->cap_bounding)) != 0)
                return ERR(EPERM);
        if ((sets.permitted & ~c->cap_permitted) != 0 || (sets.effective & ~sets.permitted) != 0)
                return ERR(EPERM);
        c->cap_effective = sets.effective;
        c->cap_permitted = sets.permitted;
        c->cap_inheritable = sets.inheritable;
        c->cap_ambient &= sets.permitted & sets.inheritable;
        return OK;
}

err_t cred_bounding_drop(struct cred *c, u32 cap)
{
        if (cap > CAP_LAST_CAP)
                return ERR(EINVAL);
        if (!cred_has(c, CAP_SETPCAP))
                return ERR(EPERM);
        c->cap_bounding &= ~CAP_BIT(cap);
        return OK;
}

err_t cred_ambient_raise(struct cred *c, u32 cap)
{
        if (cap > CAP_LAST_CAP)
                return ERR(EINVAL);
        if ((c->cap_permitted & c->cap_inheritable & CAP_BIT(cap)) == 0 || (c->securebits & SECBIT_NO_CAP_AMBIENT_RAISE) != 0)
                return ERR(EPERM);
        c->cap_ambient |= CAP_BIT(cap);
        return OK;
}

err_t cred_ambient_lower(struct cred *c, u32 cap)
{
        if (cap > CAP_LAST_CAP)
                return ERR(EINVAL);
        c->cap_ambient &= ~CAP_BIT(cap);
        return OK;
}

void cred_ambient_clear(struct cred *c) { c->cap_ambient = 0; }

err_t cred_set_securebits(struct cred *c, u32 bits)
{
        u32 locked = (c->securebits & SECURE_ALL_LOCKS) >> 1;
        u32 changed = bits ^ c->securebits;

        if ((bits & ~SECURE_ALL) != 0 || (changed & locked) != 0 || (c->securebits & SECURE_ALL_LOCKS & ~bits) != 0 ||
            !cred_has(c, CAP_SETPCAP))
                return ERR(EPERM);
        c->securebits = bits;
        return OK;
}

err_t cred_set_keepcaps(struct cred *c, bool on)
{
        if (c->securebits & SECBIT_KEEP_CAPS_LOCKED)
                return ERR(EPERM);
        c->securebits = on ? c->securebits | SECBIT_KEEP_CAPS : c->securebits & ~(u32)SECBIT_KEEP_CAPS;
        return OK;
}

/* The ids that set-id bits give; true: there were such bits. */
static bool take_ids(struct cred *c, const struct exec_file *f)
{
        bool uid = (f->owner.mode & S_ISUID) != 0, gid = (f->owner.mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);

        if (f->nosuid || c->no_new_privs)
                return false;
        if (uid)
                c->euid = f->owner.uid;
        if (gid)
                c->egid = f->owner.gid;
        return uid || gid;
}

err_t cred_exec(struct cred *c, struct exec_file f, u32 *secure)
{
        struct cap_sets file = { };
        u64 old_permitted = c->cap_permitted;
        bool has_bits = take_ids(c, &f);
        bool caps = f.has_caps && !f.nosuid, effective = caps && f.caps.effective != 0;

        if (caps)
                file = f.caps;
        u64 from_file = (c->cap_inheritable & file.inheritable) | (file.permitted & c->cap_bounding);
        if (effective && (file.permitted & ~from_file) != 0)
                return ERR(EPERM);

        /* Root, by either id, unless its rights come from a set-user-id file that says itself which. */
        bool root = (c->securebits & SECBIT_NOROOT) == 0 && !(caps && c->uid != 0 && c->euid == 0);
        if (root && (c->uid == 0 || c->euid == 0))
                from_file = c->cap_inheritable | c->cap_bounding;
        effective = effective || (root && c->euid == 0);

        bool gains_caps = (from_file & ~old_permitted) != 0, two_ids = c->euid != c->uid || c->egid != c->gid;
        c->cap_permitted = from_file;
        if ((two_ids || gains_caps) && (c->no_new_privs || f.shared)) {         /* what is gained goes again */
                if (c->no_new_privs || !cred_has(c, CAP_SETUID)) {
                        c->euid = c->uid;
                        c->egid = c->gid;
                }
                c->cap_permitted &= old_permitted;
        }
        if (caps || two_ids)
                c->cap_ambient = 0;
        c->cap_permitted |= c->cap_ambient;
        c->cap_effective = effective ? c->cap_permitted : c->cap_ambient;
        c->suid = c->euid;
        c->fsuid = c->euid;
        c->sgid = c->egid;
        c->fsgid = c->egid;
        c->securebits &= ~(u32)SECBIT_KEEP_CAPS;
        *secure = has_bits || gains_caps ? CRED_CLEARS : 0;
        if (two_ids || (c->uid != 0 && (effective || (c->cap_permitted & ~c->cap_ambient) != 0)))
                *secure |= CRED_SECURE;
        if ((two_ids || gains_caps) && !f.shared)
                *secure |= CRED_GAINS;
        return OK;
}
