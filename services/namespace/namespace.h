/* SPDX-License-Identifier: Apache-2.0
 *
 * Namespaces: what "global" means to a process.  A thread points to one immutable
 * ns_set; changing one namespace makes a new set.
 *
 * The pools of mnt_ns, pid_ns, net_ns and ipc_ns are declared here, because a set holds them; the types are
 * completed and their pools defined by vfs (mount.h), process (pid.h), net/socket (net_ns.h) and ipc (ipc_impl.h).
 *
 * Lifetime   Counted throughout.  A set holds one count on each of its namespaces.
 * Locking    uts_ns.lock (spin, leaf).  Sets are immutable.
 */
#pragma once

OBJECT(user_ns) {
        u64 inum;                       /* what /proc/PID/ns/user shows; fixed */
        struct user_ns *parent;         /* counted, NULL at the top; fixed */
        u32 owner, group;               /* who made it; fixed */
        u32 level;                      /* fixed */
};
POOL_DECLARE(user_ns)

#define UTS_LEN 64
#define UTS_RELEASE "6.1.0-keel"         /* what uname(2) and /proc say; of Linux 6.1 is the ABI */
#define UTS_VERSION "#1 SMP PREEMPT Keel"
OBJECT(uts_ns) {
        u64 inum;                       /* fixed */
        struct user_ns *user;           /* counted; fixed */
        struct spinlock lock;
        u8  nodename[UTS_LEN + 1];      /* NUL-padded; lock */
        u8  domainname[UTS_LEN + 1];    /* lock */
};
POOL_DECLARE(uts_ns)

OBJECT(mnt_ns);                         /* vfs/mount.h */
POOL_DECLARE(mnt_ns)
/* Declared here and nowhere else; process/pid.h completes it. */
OBJECT(pid_ns);
POOL_DECLARE(pid_ns)
OBJECT(ipc_ns);                         /* ipc/ipc_impl.h */
POOL_DECLARE(ipc_ns)

OBJECT(net_ns);                         /* net/socket/net_ns.h */
POOL_DECLARE(net_ns)

OBJECT(ns_set) {
        struct user_ns *user;           /* all counted; fixed */
        struct uts_ns  *uts;
        struct mnt_ns  *mnt;
        struct pid_ns  *pid;            /* of the thread itself */
        struct pid_ns  *pid_for_children;
        struct net_ns  *net;
        struct ipc_ns  *ipc;
};
POOL_DECLARE(ns_set)

/* inode numbers of the first namespaces, as on Linux */
#define NS_INUM_IPC  0xeffffffful
#define NS_INUM_UTS  0xeffffffeul
#define NS_INUM_USER 0xeffffffdul
#define NS_INUM_PID  0xeffffffcul
#define NS_INUM_CGROUP 0xeffffffbul
#define NS_INUM_TIME 0xeffffffaul
#define NS_INUM_MNT  0xf0000000ul
#define NS_INUM_NET  0xf0000098ul
u64 ns_new_inum(void);                  /* for further ones */

struct user_ns *user_ns_first(struct payer *payer);              /* published; NULL: no memory */
struct uts_ns *uts_ns_first(struct payer *payer, struct user_ns *user);
struct uts_ns *uts_ns_copy(struct payer *payer, struct uts_ns *old, struct user_ns *user);
/* A published set; holds what it is given (the caller keeps its counts).  NULL: no memory.
 * mnt may be NULL until the root is mounted; pid for both pid fields; net and ipc may be NULL where nobody asks for them. */
struct ns_set *ns_set_new(struct payer *payer, struct user_ns *user, struct uts_ns *uts, struct mnt_ns *mnt, struct pid_ns *pid, struct net_ns *net,
                          struct ipc_ns *ipc);
/* The same with some exchanged: NULL keeps the old one. */
struct ns_change { struct user_ns *user; struct uts_ns *uts; struct mnt_ns *mnt; struct pid_ns *pid, *pid_for_children; struct net_ns *net;
        struct ipc_ns *ipc; };
struct ns_set *ns_set_change(struct payer *payer, struct ns_set *old, const struct ns_change *change);

/* The names as uname(2) shows them: n bytes of UTS_LEN + 1, NUL-padded. */
void  uts_get_nodename(struct uts_ns *u, mbytes out65);
void  uts_get_domainname(struct uts_ns *u, mbytes out65);
err_t uts_set_nodename(struct uts_ns *u, bytes name);            /* EINVAL: longer than UTS_LEN */
err_t uts_set_domainname(struct uts_ns *u, bytes name);
