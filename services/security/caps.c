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

err_t cred_exec(struct cred *c, struct exec_file f, bool *secure)
{
        struct cap_sets file = { };
        bool setid = !f.nosuid && !c->no_new_privs;
        bool had_root = c->uid == 0;
        u32 old_euid = c->euid, old_egid = c->egid;

        if (setid && (f.owner.mode & S_ISUID) != 0)
                c->euid = f.owner.uid;
        if (setid && (f.owner.mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
                c->egid = f.owner.gid;
        bool gained_id = c->euid != old_euid || c->egid != old_egid;
        bool file_caps = f.has_caps && setid;
        if (file_caps)
                file = f.caps;
        if (gained_id || file_caps)
                c->cap_ambient = 0;

        u64 inheritable = c->cap_inheritable;
        bool root_caps = (c->securebits & SECBIT_NOROOT) == 0 && (c->euid == 0 || had_root) && !(file_caps && had_root == false);
        bool effective = file_caps && file.effective != 0;
        if (root_caps) {
                file.permitted = CAP_MASK_ALL;
                file.inheritable = CAP_MASK_ALL;
                effective = c->euid == 0;
        }
        u64 old_permitted = c->cap_permitted;
        c->cap_permitted = (inheritable & file.inheritable) | (file.permitted & c->cap_bounding) | c->cap_ambient;
        if (effective && !root_caps && (file.permitted & ~c->cap_permitted) != 0)
                return ERR(EPERM);
        c->cap_effective = effective ? c->cap_permitted : c->cap_ambient;
        c->suid = c->euid;
        c->fsuid = c->euid;
        c->sgid = c->egid;
        c->fsgid = c->egid;
        c->securebits &= ~(u32)SECBIT_KEEP_CAPS;
        *secure = c->euid != c->uid || c->egid != c->gid ||
                (!had_root && (effective || (c->cap_permitted & ~(c->cap_ambient | old_permitted)) != 0));
        return OK;
}
