/* SPDX-License-Identifier: Apache-2.0
 *
 * Who waits for what: one hash table for wait queues and sleeping locks, keyed by
 * address.  A bucket's list is in order of arrival.
 */
#pragma once
#include "task_impl.h"

enum { WN_SHARED, WN_ONCE, WN_EXCLUSIVE, WN_MUTEX, WN_READ, WN_WRITE };        /* ONCE: its wake-up takes it out of the bucket */

struct bucket { struct klock lock; u32 spare; struct wnode *head, *tail; u64 spare2; };
struct bucket *bucket_lock(const void *key);
struct bucket *bucket_lock_anyhow(const void *key);     /* does not trap where the stack is nearly full */
static inline void bucket_unlock(struct bucket *b) { klock_unlock(&b->lock); }
void bucket_append(struct bucket *b, struct wnode *n, const void *key, u32 kind);
void bucket_remove(struct bucket *b, struct wnode *n);

/* Debug build: the lock order; nothing else. */
#ifdef KEEL_DEBUG
void order_taking(u32 class, bool spin);        /* before the lock is waited for */
#else
static inline void order_taking(u32 class, bool spin) { (void)class; (void)spin; }
#endif
