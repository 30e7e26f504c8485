/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials: who a thread acts as, and what that allows.
 *
 * Lifetime   A cred is immutable from cred_publish on.  To change one: cred_copy, change
 *            the copy with the functions below, cred_publish, put it into the thread
 *            (process.lock), drop the old.  A copy that is not wanted is dropped.
 * Locking    none.
 */
#pragma once
#include "abi/const/process.h"

OBJECT(user_ns);                        /* namespace/namespace.h */

#define CAP_MASK_ALL ((2ul << CAP_LAST_CAP) - 1)
#define CAP_BIT(cap) (1ul << (cap))
#define NO_ID        U32_MAX            /* "leave it" in the set*id functions */
#define GROUPS_MAX   65536u

/* Supplementary groups, sorted; immutable once made. */
OBJECT(group_list) {
        u32 count;
        u32 few[32];                    /* count <= 32 */
        struct blob *many[4];           /* else: native u32s, 16384 in each; counted */
};
POOL_DECLARE(group_list)

OBJECT(cred) {
        u32 uid, euid, suid, fsuid;
        u32 gid, egid, sgid, fsgid;
        u64 cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
        u32 securebits;
        bool no_new_privs;
        struct group_list *groups;      /* counted; NULL: none */
        struct user_ns *user_ns;        /* counted */
};
POOL_DECLARE(cred)

struct cred *cred_new_root(struct payer *payer, struct user_ns *ns);   /* all ids 0, all capabilities; published; NULL: no memory */
struct cred *cred_copy(struct payer *payer, struct cred *old);         /* count 1, not published; NULL: no memory */

/* Questions.  capable() is about the caller's own user namespace. */
static inline bool cred_has(const struct cred *c, u32 cap) { return cap <= CAP_LAST_CAP && (c->cap_effective & CAP_BIT(cap)) != 0; }
bool cred_in_group(const struct cred *c, u32 gid);               /* fsgid or supplementary */
bool cred_in_egroup(const struct cred *c, u32 gid);              /* egid or supplementary */

/* What a file's owner and mode say to these credentials.  want: MAY_* bits.  EACCES.
 * Capabilities CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH are taken into account. */
#define MAY_EXEC  1u
#define MAY_WRITE 2u
#define MAY_READ  4u
struct file_owner { u32 uid, gid; u32 mode; };           /* mode with its S_IFMT bits */
err_t cred_may_access(const struct cred *c, struct file_owner f, u32 want);
/* Owner, or CAP_FOWNER. */
bool  cred_owns(const struct cred *c, struct file_owner f);
/* May entries of this sticky or plain directory be removed, as far as stickiness goes? */
bool  cred_sticky_allows(const struct cred *c, struct file_owner dir, struct file_owner entry);
/* May `c` send signals to, trace, or change priorities of a process with `target`? */
bool  cred_may_signal(const struct cred *c, const struct cred *target);
/* real: by c's real ids, else by those of the file system. */
bool  cred_may_ptrace(const struct cred *c, const struct cred *target, bool real);

/* Changes to an unpublished copy, as the calls of these names: EPERM, EINVAL. */
err_t cred_setuid(struct cred *c, u32 uid);
err_t cred_setreuid(struct cred *c, u32 ruid, u32 euid);
err_t cred_setresuid(struct cred *c, u32 ruid, u32 euid, u32 suid);
void  cred_setfsuid(struct cred *c, u32 uid);            /* silently refuses, as the call does */
err_t cred_setgid(struct cred *c, u32 gid);
err_t cred_setregid(struct cred *c, u32 rgid, u32 egid);
err_t cred_setresgid(struct cred *c, u32 rgid, u32 egid, u32 sgid);
void  cred_setfsgid(struct cred *c, u32 gid);
/* gids: native u32s, any order.  The caller has checked CAP_SETGID.  ENOMEM, EINVAL. */
err_t cred_setgroups(struct payer *payer, struct cred *c, bytes gids);
u32   cred_group_count(const struct cred *c);
u32   cred_group(const struct cred *c, u32 i);           /* i < count, sorted */

struct cap_sets { u64 effective, permitted, inheritable; };
err_t cred_capset(struct cred *c, struct cap_sets sets);
err_t cred_bounding_drop(struct cred *c, u32 cap);
err_t cred_ambient_raise(struct cred *c, u32 cap);
err_t cred_ambient_lower(struct cred *c, u32 cap);
void  cred_ambient_clear(struct cred *c);
err_t cred_set_securebits(struct cred *c, u32 bits);
err_t cred_set_keepcaps(struct cred *c, bool on);        /* until exec: set*id away from 0 leaves the permitted set */

/* execve: the credentials after running a file with this owner and mode.  `nosuid`: set-id
 * bits do not count (mount flag, tracing, no_new_privs is seen to here).  `shared`: another process
 * shares its root directory (CLONE_FS), so nothing is gained.  Works on an unpublished copy; *secure: CRED_*.  EPERM: the file demands capabilities that the
 * bounding set withholds. */
struct exec_file { struct file_owner owner; bool nosuid, shared; bool has_caps; struct cap_sets caps; };
#define CRED_SECURE 1u                  /* AT_SECURE */
#define CRED_CLEARS 2u                  /* flags of personality(2) that undo protections are cleared */
#define CRED_GAINS  4u                  /* more than there was, because nothing was shared */
err_t cred_exec(struct cred *c, struct exec_file f, u32 *secure);
