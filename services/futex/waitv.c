/* SPDX-License-Identifier: Apache-2.0
 *
 * futex_waitv: a thread that waits on several words at once.
 *
 * Objects    A futex_item per word, in a list that the call owns: a place in the word's queue, and the key, held.
 * Lifetime   From the call's beginning to its end.  A waker touches an item with its bucket's lock held only, and the call takes
 *            each item off under that lock before it frees it.
 * Locking    One bucket at a time.
 */
#include "services/futex/futex_impl.h"
#include "services/vfs/path.h"
#include "abi/linux/process.h"

#define MAX_WORDS 128u
#define FLAGS     ((u32)(FUTEX_32 | FUTEX_PRIVATE_FLAG))

OBJECT(futex_item) {
        struct futex_waiter w;
        struct futex_key key;           /* held if key.of.at is set */
        bool has_key;
        u64 addr;
        u32 val;
        bool shared;
        struct futex_item *next;
};
POOL_DECLARE(futex_item)

static void futex_item_fini(struct futex_item *it)
{
        if (it->has_key)
                vm_key_put(&it->key.of);
}
POOL_DEFINE(futex_item, futex_item_fini);

static void free_all(struct futex_item *first)
{
        while (first) {
                struct futex_item *next = first->next;
                futex_item_drop(first);
                first = next;
        }
}

static err_t read_one(u64 at, struct futex_item **out)
{
        struct linux_futex_waitv v = {};

        TRY(VM_GET(at, v));
        if ((v.flags & ~FLAGS) || (v.flags & FUTEX_32) == 0 || v.reserved)
                return ERR(EINVAL);
        struct futex_item *it = futex_item_alloc(payer_current(), MAY_RECLAIM);
        if (!it)
                return ERR(ENOMEM);
        it->addr = v.uaddr;
        it->val = (u32)v.val;
        it->shared = !(v.flags & FUTEX_PRIVATE_FLAG);
        futex_item_publish(it);
        *out = it;
        return OK;
}

/* *first: the items, in the words' order, also after an error. */
static err_t read_all(u64 at, u32 n, struct futex_item **first)
{
        struct futex_item *last = NULL;

        for (u32 i = 0; i < n; i++) {
                struct futex_item *it = NULL;
                TRY(read_one(at + i * sizeof(struct linux_futex_waitv), &it));
                if (last)
                        last->next = it;
                else
                        *first = it;
                last = it;
        }
        for (struct futex_item *it = *first; it; it = it->next) {
                TRY(futex_key_get(it->addr, it->shared, false, &it->key));
                it->has_key = true;
        }
        return OK;
}

static err_t queue_all(struct thread *t, struct futex_item *first)
{
        for (struct futex_item *it = first; it; it = it->next) {
                struct futex_wait what = { .addr = it->addr, .val = it->val, .bitset = FUTEX_BITSET_MATCH_ANY };
                TRY(futex_wait_begin(t, &it->w, &what, &it->key));
        }
        return OK;
}

/* Takes all off; true: *index is the last that had been woken. */
static bool take_off_all(struct futex_item *first, u64 *index)
{
        bool woken = false;
        u64 i = 0;

        for (struct futex_item *it = first; it; it = it->next, i++) {
                if (!it->w.thread || futex_take_off(&it->w))
                        continue;
                *index = i;
                woken = true;
        }
        return woken;
}

static err_t wait_all(struct thread *t, struct futex_item *first, const struct futex_waitv_args *a, u64 *index)
{
        STORE(t->futex_woken, 0u);
        if (a->wall)
                TRY(futex_clock_watch(t));
        err_t err = queue_all(t, first);
        if (succeeded(err))
                err = futex_sleep(t, a->wall, a->deadline);
        if (a->wall)
                futex_clock_unwatch(t);
        if (take_off_all(first, index))
                return OK;
        return err_is(err, EINTR) ? ERR(ERESTARTSYS) : err;
}

err_t futex_waitv(const struct futex_waitv_args *a, u64 *index)
{
        struct futex_item *first = NULL;

        if (a->n == 0 || a->n > MAX_WORDS || !a->at)
                return ERR(EINVAL);
        err_t err = read_all(a->at, a->n, &first);
        if (succeeded(err))
                err = wait_all(thread_current(), first, a, index);
        free_all(first);
        return err;
}
