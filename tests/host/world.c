/* SPDX-License-Identifier: Apache-2.0
 *
 * See world.h.
 */
#include "tests/host/world.h"
#include "services/tmpfs/tmpfs.h"
#include "services/pipe/pipe.h"
#include "services/process/account.h"
#include "services/vfs/files.h"

OBJECT(host_starter) { struct task_body base; };
POOL_DECLARE(host_starter)
POOL_DEFINE(host_starter, NO_FINI);
static struct host_starter *starter;    /* a kernel thread: the one that starts everything */

void world_boot(void)
{
        if (starter)
                return;
        starter = host_starter_alloc(NULL, NOWAIT);
        host_starter_publish(starter);
        host_become(&starter->base);
        vfs_init();
        tmpfs_init();
        pipe_init();
}

static err_t make(struct world *w)
{
        w->payer = payer_new(NULL, U64_MAX);
        w->users = w->payer ? user_ns_first(NULL) : NULL;
        w->uts = w->users ? uts_ns_first(NULL, w->users) : NULL;
        w->pids = w->uts ? pid_ns_new(NULL) : NULL;
        if (!w->pids)
                return ERR(ENOMEM);
        TRY(tmpfs_new_root(NULL, &w->root));
        err_t err = mnt_ns_new(NULL, w->users, w->root, &w->mounts);
        superblock_get_mount(w->root);          /* if it is not mounted, it goes as if it had been */
        superblock_put_mount(w->root);
        superblock_drop(w->root);
        TRY(err);
        w->ns = ns_set_new(NULL, w->users, w->uts, w->mounts, w->pids, NULL, NULL);
        w->cred = w->ns ? cred_new_root(w->payer, w->users) : NULL;
        struct process *p = w->cred ? process_alloc(w->payer, MAY_RECLAIM) : NULL;
        if (!p)
                return ERR(ENOMEM);
        for (u32 i = 0; i < RLIMITS; i++)
                p->rlimit[i] = (struct rlimit){ U64_MAX, U64_MAX };
        p->rlimit[7] = (struct rlimit){ 1024, 4096 };   /* descriptors */
        struct thread *t = thread_alloc(w->payer, MAY_RECLAIM);
        if (!t) {
                process_drop(p);
                return ERR(ENOMEM);
        }
        process_publish(p);
        thread_publish(t);
        w->thread = t;
        t->process = p;
        t->payer = payer_hold(w->payer);
        t->cred = cred_hold(w->cred);
        t->ns = ns_set_hold(w->ns);
        struct path top = { .mnt = w->mounts->root, .dentry = w->mounts->root->root };
        t->fs = fs_context_new(w->payer, &top, &top);
        t->files = t->fs ? files_new(w->payer) : NULL;
        t->account = account_get(w->pids, 0);
        return t->files && t->account ? OK : ERR(ENOMEM);
}

err_t world_new(struct world *w)
{
        world_boot();
        *w = (struct world){};
        err_t err = make(w);
        if (failed(err))
                world_drop(w);
        else
                world_use(w);
        return err;
}

void world_drop(struct world *w)
{
        if (w->thread)
                world_use(w);
        struct thread *t = w->thread;
        if (t) {
                files_drop(t->files);
                t->files = NULL;
        }
        host_become(&starter->base);
        thread_drop(t);
        cred_drop(w->cred);
        ns_set_drop(w->ns);
        mnt_ns_drop(w->mounts);
        pid_ns_drop(w->pids);
        uts_ns_drop(w->uts);
        user_ns_drop(w->users);
        payer_drop(w->payer);
        *w = (struct world){};
}

void world_use(struct world *w) { host_become(&w->thread->base); }

struct actor world_actor(const struct world *w)
{
        const struct thread *t = w->thread;
        return (struct actor){ .cred = t->cred, .fs = t->fs, .files = t->files, .ns = t->ns, .payer = t->payer, .process = t->process };
}

err_t world_set_user(struct world *w, u32 uid, u32 gid)
{
        struct cred *c = cred_copy(w->payer, w->cred);
        if (!c)
                return ERR(ENOMEM);
        CHECK_ERR(cred_setresgid(c, gid, gid, gid), 0);
        CHECK_ERR(cred_setresuid(c, uid, uid, uid), 0);
        cred_publish(c);
        cred_drop(w->thread->cred);
        w->thread->cred = c;
        return OK;
}
