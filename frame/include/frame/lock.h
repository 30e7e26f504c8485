/* SPDX-License-Identifier: Apache-2.0
 *
 * Locks.  A zeroed lock is a valid free one, of no class.  Each is embedded in
 * an OBJECT, BASE or STABLE and holds no links: waiters stand in tables of the
 * framework, keyed by the lock's address.
 *
 *   spinlock  disables preemption; no sleeping, no user copies, no may-reclaim
 *             allocation under it.  Bottom halves may take it too: they run
 *             only while no spin lock is held on their CPU.
 *   mutex     sleeps, uninterruptibly; handed to the longest waiter when contended
 *   rwlock    many readers or one writer; sleeps
 * Those that sleep may only be taken where sleeping is allowed (traps).
 *
 * GUARD(&lock) locks, and unlocks when the enclosing block ends.  Unlocking what
 * this task does not hold, taking a held lock again, or sleeping with a spin
 * lock held traps before anything changes (a second read lock: where it would wait, and always in
 * the debug build).  A task holds at most MAX_HELD at once.
 *
 * LOCK_CLASS(inode, AFTER(mount)); declares a class and what may be held when it
 * is taken; lock_init(&x->lock, inode) gives a lock its class.  A spin lock may be taken
 * under any mutex or rwlock without being declared so.  LOCK_CLASS(runq, LEAF); is taken
 * under anything, and nothing that has a class under it.  The debug build checks the order;
 * others ignore classes.
 */
#pragma once

#define MAX_HELD 32

STABLE(lock_class) { const char *name_k; const struct lock_class *after_k[8]; u32 id_k; bool leaf_k; };
#define LOCK_CLASS_DECLARE(NAME)  extern struct lock_class k_class_##NAME
#define LOCK_CLASS(NAME, ...) \
        struct lock_class k_class_##NAME __attribute__((section(".keel.lock_classes"), used)) = { .name_k = #NAME, __VA_ARGS__ }
#define LEAF                 .leaf_k = 1
#define K_AFTER1(A)          &k_class_##A
#define AFTER(A)             .after_k = { K_AFTER1(A) }
#define AFTER2(A, B)         .after_k = { K_AFTER1(A), K_AFTER1(B) }
#define AFTER3(A, B, C)      .after_k = { K_AFTER1(A), K_AFTER1(B), K_AFTER1(C) }
#define AFTER8(A, B, C, D, E, F, G, H) \
        .after_k = { K_AFTER1(A), K_AFTER1(B), K_AFTER1(C), K_AFTER1(D), K_AFTER1(E), K_AFTER1(F), K_AFTER1(G), K_AFTER1(H) }

/* Aligned: the held array keeps a kind in the low bits of their addresses. */
struct K_OPAQUE __attribute__((btf_decl_tag("keel:stable"), aligned(8))) spinlock { u32 word_k; u16 class_k; u16 spare_k; };
struct K_OPAQUE __attribute__((btf_decl_tag("keel:stable"), aligned(8))) mutex    { u32 owner_k; u16 class_k; u16 flags_k; };
struct K_OPAQUE __attribute__((btf_decl_tag("keel:stable"), aligned(8))) rwlock   { u32 word_k; u32 writer_k; u16 class_k; u16 flags_k; u32 spare_k; };

void k_spin_init(struct spinlock *l, const struct lock_class *c);
void k_mutex_init(struct mutex *l, const struct lock_class *c);
void k_rw_init(struct rwlock *l, const struct lock_class *c);
#define lock_init(lockp, NAME) \
        _Generic((lockp), struct spinlock *: k_spin_init, struct mutex *: k_mutex_init, struct rwlock *: k_rw_init) \
        ((lockp), &k_class_##NAME)

SAFE_API void spin_lock(struct spinlock *l);
SAFE_API bool spin_trylock(struct spinlock *l);
SAFE_API void spin_unlock(struct spinlock *l);

SAFE_API void  mutex_lock(struct mutex *l);                       /* may sleep */
SAFE_API err_t mutex_lock_killable(struct mutex *l);              /* EINTR: a fatal signal is pending; not locked */
SAFE_API void  mutex_unlock(struct mutex *l);

SAFE_API void read_lock(struct rwlock *l);                        /* may sleep */
SAFE_API void read_unlock(struct rwlock *l);
SAFE_API void write_lock(struct rwlock *l);                       /* may sleep */
SAFE_API void write_unlock(struct rwlock *l);

/* Preemption off until the guard ends: for per-CPU data. */
SAFE_API void preempt_disable(void);
SAFE_API void preempt_enable(void);
/* Traps unless sleeping is allowed here (no spin lock, not a bottom half). */
SAFE_API void assert_may_sleep(void);

struct K_OPAQUE K_BORROW k_guard_spin  { struct spinlock *l; };
struct K_OPAQUE K_BORROW k_guard_mutex { struct mutex *l; };
struct K_OPAQUE K_BORROW k_guard_read  { struct rwlock *l; };
struct K_OPAQUE K_BORROW k_guard_write { struct rwlock *l; };
struct K_OPAQUE k_guard_preempt { u32 on; };
static inline struct k_guard_spin  k_guard_spin(struct spinlock *l) { spin_lock(l);  return (struct k_guard_spin){ l }; }
static inline struct k_guard_mutex k_guard_mutex(struct mutex *l)   { mutex_lock(l); return (struct k_guard_mutex){ l }; }
static inline struct k_guard_read  k_guard_read(struct rwlock *l)   { read_lock(l);  return (struct k_guard_read){ l }; }
static inline struct k_guard_write k_guard_write(struct rwlock *l)  { write_lock(l); return (struct k_guard_write){ l }; }
static inline struct k_guard_preempt k_guard_preempt(void)          { preempt_disable(); return (struct k_guard_preempt){ 1 }; }
static inline void k_unguard_spin(struct k_guard_spin *g)   { spin_unlock(g->l); }
static inline void k_unguard_mutex(struct k_guard_mutex *g) { mutex_unlock(g->l); }
static inline void k_unguard_read(struct k_guard_read *g)   { read_unlock(g->l); }
static inline void k_unguard_write(struct k_guard_write *g) { write_unlock(g->l); }
static inline void k_unguard_preempt(struct k_guard_preempt *g) { (void)g; preempt_enable(); }

#define K_CAT2(a, b) a##b
#define K_CAT(a, b)  K_CAT2(a, b)
#define K_GUARD(kind, arg) \
        struct k_guard_##kind K_CAT(guard_k_, __COUNTER__) __attribute__((cleanup(k_unguard_##kind), __unused__)) = k_guard_##kind(arg)
#define SPIN_GUARD(lockp)   K_GUARD(spin, lockp)
#define GUARD(lockp)        K_GUARD(mutex, lockp)
#define READ_GUARD(lockp)   K_GUARD(read, lockp)
#define WRITE_GUARD(lockp)  K_GUARD(write, lockp)
#define NO_PREEMPT()        K_GUARD(preempt, )
