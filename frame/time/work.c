/* SPDX-License-Identifier: Apache-2.0
 *
 * Work items: functions that bottom halves and others leave to a kernel thread.
 *
 * Locking     `lock` guards the queue and every entry's state.
 * Invariants  D5  an entry's function runs in one worker at a time, and not after work_fini has returned,
 *                 unless work_fini was called by the function itself.
 */
#include "timer.h"
#include "mem.h"

#define WORKERS 3

enum { W_IDLE, W_QUEUED, W_RUNNING, W_AGAIN };

struct kwork {
        struct tentry entry;
        struct work *owner;
        void (*fn)(struct work *w);     /* NULL: switched off after an oops */
        struct kwork *next;
        u32 state;
        u32 dying;                      /* its function called work_fini */
        struct waitq done;
};
TABLE(works, struct kwork);

static struct {
        struct klock lock;
        struct kwork *head, *tail;
        struct waitq more;
        u32 started;
        struct { struct task *task; struct kwork *running; } worker[WORKERS];
} q;

static void append(struct kwork *k)
{
        k->next = NULL;
        *(q.head ? &q.tail->next : &q.head) = k;
        q.tail = k;
        k->state = W_QUEUED;
}

static struct kwork *take(u32 me)
{
        klock_lock(&q.lock);
        struct kwork *k = q.head;
        if (k) {
                q.head = k->next;
                k->state = W_RUNNING;
                q.worker[me].running = k;
        }
        klock_unlock(&q.lock);
        return k;
}

/* The function has run, or failed. */
static void finish(u32 me)
{
        klock_lock(&q.lock);
        struct kwork *k = q.worker[me].running;
        bool again = k->state == W_AGAIN && !k->dying && k->fn, dying = k->dying;
        q.worker[me].running = NULL;
        if (again)
                append(k);
        else
                k->state = W_IDLE;
        klock_unlock(&q.lock);
        waitq_wake_all(&k->done);
        if (dying)
                table_free(&works, k);
}

static void run(struct kwork *k)
{
        struct work *w = k->owner;

        /* SAFETY: D3: w is stable memory of its type. */
        if (k->fn && __atomic_load_n(&w->index_k, __ATOMIC_RELAXED) == k->entry.index && __atomic_load_n(&w->gen_k, __ATOMIC_RELAXED) == k->entry.gen)
                k->fn(w);
}

static void worker(void)
{
        u32 me = 0;

        klock_lock(&q.lock);
        while (me < WORKERS - 1 && q.worker[me].task && q.worker[me].task != current_task())
                me++;
        q.worker[me].task = current_task();
        klock_unlock(&q.lock);
        if (q.worker[me].running) {             /* this is the start after an oops */
                k_print("work: a work function failed; it is switched off\n", 0, 0, 0);
                q.worker[me].running->fn = NULL;
                finish(me);
        }
        for (;;) {
                WAITER(w);
                waiter_add_exclusive(&w, &q.more);
                struct kwork *k;
                while (!(k = take(me)))
                        ignore(waiter_sleep(&w, WAIT_UNINTERRUPTIBLE, NEVER));
                run(k);
                if (current_task()->n_held | preempt_count())
                        __builtin_trap();       /* it left a guard */
                finish(me);
        }
}

/* The first work item brings the workers. */
static bool have_workers(void)
{
        if (__atomic_exchange_n(&q.started, 1, __ATOMIC_ACQ_REL))
                return true;
        for (u32 i = 0; i < WORKERS; i++)
                if (!task_boot_thread(worker, "worker", true) && i == 0) {
                        __atomic_store_n(&q.started, 0, __ATOMIC_RELEASE);
                        return false;
                }
        return true;
}

err_t work_init(struct work *w, void (*fn)(struct work *w))
{
        w->index_k = 0;
        if (!fn)
                return ERR(EINVAL);
        struct kwork *k = have_workers() ? table_new(&works) : NULL;
        if (!k)
                return ERR(ENOMEM);
        k->owner = w;
        k->fn = fn;
        k->dying = 0;
        k->state = W_IDLE;
        w->gen_k = k->entry.gen;
        __atomic_store_n(&w->index_k, k->entry.index, __ATOMIC_RELEASE);
        return OK;
}

void work_queue(struct work *w)
{
        u32 gen = w->gen_k;
        struct kwork *k = table_get(&works, w->index_k, gen);

        if (!k)
                __builtin_trap();               /* not initialised */
        klock_lock(&q.lock);
        if (k->entry.gen == gen && !k->dying) {
                if (k->state == W_IDLE)
                        append(k);
                else if (k->state == W_RUNNING)
                        k->state = W_AGAIN;
        }
        klock_unlock(&q.lock);
        waitq_wake_one(&q.more);
}

static void unqueue(struct kwork *k)
{
        struct kwork *prev = NULL;

        for (struct kwork *x = q.head; x && x != k; x = x->next)
                prev = x;
        *(prev ? &prev->next : &q.head) = k->next;
        if (q.tail == k)
                q.tail = prev;
        k->state = W_IDLE;
}

static bool is_mine(const struct kwork *k)
{
        for (u32 i = 0; i < WORKERS; i++)
                if (q.worker[i].running == k && q.worker[i].task == current_task())
                        return true;
        return false;
}

/* May sleep. */
void work_fini(struct work *w)
{
        u32 index = __atomic_exchange_n(&w->index_k, 0, __ATOMIC_ACQ_REL), gen = w->gen_k;
        struct kwork *k = table_get(&works, index, gen);

        if (!k || k->owner != w)
                return;
        assert_may_sleep();
        WAITER(wt);
        waiter_add(&wt, &k->done);
        for (;;) {
                klock_lock(&q.lock);
                if (k->state == W_QUEUED)
                        unqueue(k);
                bool idle = k->state == W_IDLE, mine = !idle && is_mine(k);
                if (mine)
                        k->dying = 1;
                klock_unlock(&q.lock);
                if (mine)
                        return;
                if (idle)
                        break;
                ignore(waiter_sleep(&wt, WAIT_UNINTERRUPTIBLE, NEVER));
        }
        table_free(&works, k);
}
