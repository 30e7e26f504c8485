/* SPDX-License-Identifier: Apache-2.0
 *
 * Sleeping at an IPC object until another thread has served what was asked for.  See ipc_impl.h.
 */
#include "services/ipc/ipc_impl.h"

static void ipc_sleeper_fini(struct ipc_sleeper *s)
{
        ipc_message_free(s->message);
        blob_drop(s->ops);
}
POOL_DEFINE(ipc_sleeper, ipc_sleeper_fini);

void ipc_serve_locked(struct ipc_sleepers *list, struct ipc_sleeper *s, u32 error)
{
        ipc_sleepers_remove(list, s);
        s->error = error;
        STORE(s->done, 1);
        waitq_wake_all(&s->wait);
}

void ipc_serve_all_locked(struct ipc_sleepers *list, u32 error)
{
        while (list->first)
                ipc_serve_locked(list, list->first, error);
}

err_t ipc_sleep(struct mutex *lock, struct ipc_sleepers *list, struct ipc_sleeper *s, u64 deadline, bool *served)
{
        WAITER(w);
        err_t err = OK;

        waiter_add(&w, &s->wait);
        mutex_unlock(lock);
        while (!LOAD(s->done) && succeeded(err))
                err = waiter_sleep(&w, WAIT_INTERRUPTIBLE, deadline);
        *served = LOAD(s->done) != 0;
        if (*served)
                return OK;
        mutex_lock(lock);
        *served = s->done != 0;
        if (!*served) {
                ipc_sleepers_remove(list, s);
                return err;
        }
        mutex_unlock(lock);
        return OK;
}
