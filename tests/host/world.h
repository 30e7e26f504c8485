/* SPDX-License-Identifier: Apache-2.0
 *
 * A system with one process, as services/init makes it: namespaces, a tmpfs as the root,
 * credentials, descriptors, and a thread that system calls are made for.  There can be several.
 */
#pragma once
#include "tests/host/frame/host.h"
#include "services/namespace/namespace.h"
#include "services/process/pid.h"
#include "services/security/cred.h"
#include "services/task/thread.h"
#include "services/vfs/vfs.h"

struct world {
        struct payer *payer;
        struct user_ns *users;
        struct uts_ns *uts;
        struct pid_ns *pids;
        struct mnt_ns *mounts;
        struct ns_set *ns;
        struct superblock *root;        /* counted by the namespace alone */
        struct cred *cred;
        struct thread *thread;          /* holds ns, cred, files, fs, process */
};

void  world_boot(void);                 /* once in a program's life: what services/init starts */
err_t world_new(struct world *w);       /* ENOMEM: nothing is left */
void  world_drop(struct world *w);
void  world_use(struct world *w);       /* its thread is the current one */
struct actor world_actor(const struct world *w);
/* Exchanges the thread's credentials for those of a plain user. */
err_t world_set_user(struct world *w, u32 uid, u32 gid);

static inline bytes str(const char *s) { return (bytes){ (const u8 *)s, strlen(s) }; }
