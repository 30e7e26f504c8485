/* SPDX-License-Identifier: Apache-2.0
 *
 * The host framework itself: it stops at what the framework traps, or the other tests would
 * prove nothing.
 */
#include "tests/host/frame/host.h"

OBJECT(thing) { struct spinlock spin; struct mutex mutex; struct rwlock rw; u64 value; };
POOL_DECLARE(thing)
POOL_DEFINE(thing, NO_FINI);
LOCK_CLASS(first);
LOCK_CLASS(second, AFTER(first));

static struct thing *x;
static void fresh(void)
{
        x = thing_alloc(NULL, MAY_RECLAIM);
        lock_init(&x->spin, second);
        lock_init(&x->mutex, first);
}

static void use_after_free(void)    { fresh(); thing_drop(x); x->value = 1; }
static void drop_twice(void)        { fresh(); thing_drop(x); thing_drop(x); }
static void hold_dead(void)         { fresh(); thing_drop(x); thing_hold(x); }
static void lock_twice(void)        { fresh(); mutex_lock(&x->mutex); mutex_lock(&x->mutex); }
static void unlock_free(void)       { fresh(); mutex_unlock(&x->mutex); }
static void sleep_in_spin(void)     { fresh(); spin_lock(&x->spin); (void)thing_alloc(NULL, MAY_RECLAIM); }
static void mutex_in_spin(void)     { fresh(); spin_lock(&x->spin); mutex_lock(&x->mutex); }
static void wrong_order(void)       { fresh(); struct thing *y = x; fresh(); lock_init(&y->rw, second); read_lock(&y->rw); mutex_lock(&x->mutex); }
static void writer_over_reader(void) { fresh(); read_lock(&x->rw); write_lock(&x->rw); }
static void endless_sleep(void)     { (void)sleep_until(NEVER, WAIT_INTERRUPTIBLE); }
static void frame_beyond(void)      { u8 b[2]; frame_read(frame_alloc(NULL, FRAME_ZERO), 4095, MBYTES_OF(b)); }
static void frame_dropped(void)     { struct frame *f = frame_alloc(NULL, 0); frame_drop(f); frame_hold(f); }
static void bytes_beyond(void)      { (void)bytes_at(STR("abc"), 3); }
static void array_beyond(void)      { static u8 a[4]; volatile u32 i = 4; a[i] = 1; }
static void wrong_assert(void)      { assert(host_live() == 12345); }
static void fine(void)              { fresh(); mutex_lock(&x->mutex); spin_lock(&x->spin); spin_unlock(&x->spin); mutex_unlock(&x->mutex); thing_drop(x); host_at_rest(); }
static void held_at_end(void)       { fresh(); read_lock(&x->rw); host_at_rest(); }

static void test_stops(void)
{
        static void (*const bad[])(void) = { use_after_free, drop_twice, hold_dead, lock_twice, unlock_free, sleep_in_spin, mutex_in_spin, wrong_order,
                writer_over_reader, endless_sleep, frame_beyond, frame_dropped, bytes_beyond, array_beyond, wrong_assert, held_at_end };
        CHECK(!host_traps(fine));
        for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
                if (!host_traps(bad[i]))
                        host_fail_eq(__FILE__, __LINE__, "a trap", 0, i);
}

static err_t three(void)
{
        struct thing *t = thing_alloc(NULL, MAY_RECLAIM);
        struct frame *f = t ? frame_alloc(NULL, 0) : NULL;
        struct blob *b = f ? blob_alloc(NULL, 10) : NULL;
        err_t err = b ? OK : ERR(ENOMEM);
        blob_drop(b);
        frame_drop(f);
        thing_drop(t);
        return err;
}
static err_t leaks(void) { return thing_alloc(NULL, MAY_RECLAIM) && frame_alloc(NULL, 0) ? OK : ERR(ENOMEM); }
static err_t hides(void) { ignore(three()); return host_failed_one() ? ERR(EIO) : OK; }
static void each_leaks(void) { FAIL_EACH(leaks, ENOMEM); }
static void each_hides(void) { FAIL_EACH(hides, ENOMEM); }
static void test_failing(void)
{
        CHECK_EQ(FAIL_EACH(three, ENOMEM), 3);
        CHECK(host_traps(each_leaks) && host_traps(each_hides));
}

static struct waitq queue;
static u32 played;
static void play(void) { if (++played == 3) waitq_wake_all(&queue); }
static void test_waiting(void)
{
        u64 start = host_now;
        WAITER(w);
        waiter_add(&w, &queue);
        CHECK_ERR(waiter_sleep(&w, WAIT_UNINTERRUPTIBLE, start + NSEC_PER_SEC), ETIMEDOUT);
        CHECK_EQ(host_now, start + NSEC_PER_SEC);
        host_on_sleep = play;
        CHECK_ERR(waiter_sleep(&w, WAIT_UNINTERRUPTIBLE, NEVER), 0);
        CHECK_EQ(played, 3);
        CHECK_EQ(waitq_wake_all(&queue), 1);            /* before the sleep: it is not lost */
        CHECK_ERR(waiter_sleep(&w, WAIT_UNINTERRUPTIBLE, NEVER), 0);
        host_on_sleep = NULL;
        host_interrupt(INTR_SIGNAL);
        CHECK_ERR(waiter_sleep(&w, WAIT_INTERRUPTIBLE, NEVER), EINTR);
        CHECK_ERR(waiter_sleep(&w, WAIT_KILLABLE, host_now + 5), ETIMEDOUT);
}

TESTS({ "stops", test_stops }, { "failing", test_failing }, { "waiting", test_waiting })
