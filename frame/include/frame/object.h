/* SPDX-License-Identifier: Apache-2.0
 *
 * Typed object pools.
 *
 * Each OBJECT type has one pool, and the pool one virtual region for ever, a
 * true array of slots.  A 16-byte header before each object holds its count,
 * out of services' reach.  Objects are zero when allocated and zeroed when
 * freed, so a stale pointer sees a valid object of its own type: stale look-ups
 * are logic to get right (try_hold, then re-check), never memory corruption.
 *
 *   header:  OBJECT(inode) { ... };   POOL_DECLARE(inode);
 *   one .c:  POOL_DEFINE(inode, inode_fini);        (fini may be NO_FINI)
 *
 * gives   struct inode *inode_alloc(payer, mode)   count 1, not yet findable; NULL: no memory
 *         struct inode *inode_hold(p)              traps on a dead object; returns p
 *         bool          inode_try_hold(p)          false if dead or not published (NULL too)
 *         void          inode_publish(p)           from now on try_hold may succeed
 *         void          inode_drop(p)              the last one runs fini, then frees; NULL ignored
 *         u32           inode_refs(p)              a snapshot
 *
 * The drop that reaches 0 runs fini(p) in the caller's context; fini drops what
 * the object holds and may not keep p.  Counts saturate; a drop at 0 traps.
 *
 * A BASE type gets hold/try_hold/publish/drop/refs by BASE_DECLARE(file).
 */
#pragma once

OBJECT(payer);

enum alloc_mode {
        MAY_RECLAIM,            /* may run shrinkers and sleep; no spin lock held */
        NOWAIT,                 /* never sleeps */
};

struct K_OPAQUE k_obj {         /* lies just before each object */
        u32 refs;               /* count, plus K_UNPUBLISHED until published; K_FREE: free; 0: never used */
        u32 charge;             /* bytes charged to the payer */
        struct payer *payer;    /* NULL: the kernel's own */
};
#define K_UNPUBLISHED 0x80000000u
#define K_SATURATED   0x40000000u
#define K_FREE        0xe0000000u       /* far from any count: stray holds and drops, which trap, do not leave it */
#define K_REGION_SHIFT 34       /* 16 GiB of addresses per pool */

STABLE(pool) {
        u64   base_k;           /* address of the first object; fixed at boot */
        u32   slot_k;           /* bytes from object to object, header included */
        u32   size_k;           /* bytes of the object */
        void (*fini_k)(void *);
        const char *name_k;
        void *state_k;          /* the allocator's, in frame/mem */
};

void *k_pool_alloc(struct pool *pool, struct payer *payer, enum alloc_mode mode);
void  k_pool_free(void *p);                             /* the count has just become K_FREE */
void  k_count_trap(void *p);                            /* dead, saturated or foreign object */

/* SAFETY: O1: p is at an object's place, so a header precedes it; O4: a dead one's is readable. */
static inline struct k_obj *k_hdr(void *p) { return (struct k_obj *)p - 1; }
static inline void k_hold(void *p K_ANYOBJ)
{
        u32 old = __atomic_fetch_add(&k_hdr(p)->refs, 1, __ATOMIC_RELAXED) & ~K_UNPUBLISHED;
        if (__builtin_expect(old == 0 || old >= K_SATURATED, 0))
                k_count_trap(p);
}
bool k_try_hold(void *p K_ANYOBJ);
static inline void k_drop(void *p K_ANYOBJ)
{
        if (!p)
                return;
        u32 *refs = &k_hdr(p)->refs;
        u32 old = __atomic_load_n(refs, __ATOMIC_RELAXED), n;
        do {
                n = old & ~K_UNPUBLISHED;
                if (__builtin_expect(n - 1 >= K_SATURATED - 1, 0))      /* 0, saturated or free */
                        k_count_trap(p);
        } while (!__atomic_compare_exchange_n(refs, &old, n == 1 ? K_FREE : old - 1, 1, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
        if (n == 1)
                k_pool_free(p);         /* exactly one caller sees each object's last count */
}
static inline void k_publish(void *p K_ANYOBJ) { __atomic_fetch_and(&k_hdr(p)->refs, ~K_UNPUBLISHED, __ATOMIC_RELEASE); }
static inline u32  k_refs(void *p K_ANYOBJ)
{
        u32 n = __atomic_load_n(&k_hdr(p)->refs, __ATOMIC_ACQUIRE) & ~K_UNPUBLISHED;
        return n < K_SATURATED ? n : 0;
}

#define BASE_DECLARE(TYPE) \
        SAFE_API static inline struct TYPE *TYPE##_hold(struct TYPE *p) { k_hold(p); return p; } \
        SAFE_API static inline bool TYPE##_try_hold(struct TYPE *p)     { return k_try_hold(p); } \
        SAFE_API static inline void TYPE##_publish(struct TYPE *p)      { k_publish(p); } \
        SAFE_API static inline void TYPE##_drop(struct TYPE *p)         { k_drop(p); } \
        SAFE_API static inline u32  TYPE##_refs(struct TYPE *p)         { return k_refs(p); }

#define POOL_DECLARE(TYPE) \
        extern struct pool k_pool_##TYPE; \
        typedef struct TYPE k_type_##TYPE; \
        SAFE_API static inline struct TYPE *TYPE##_alloc(struct payer *payer, enum alloc_mode mode) \
        { return k_pool_alloc(&k_pool_##TYPE, payer, mode); } \
        BASE_DECLARE(TYPE)

#define K_ALIGN(TYPE) (_Alignof(struct TYPE) > 16 ? _Alignof(struct TYPE) : 16)
#define K_SLOT(TYPE) (sizeof(struct TYPE) <= 48 ? 64 : (sizeof(struct TYPE) + 16 + K_ALIGN(TYPE) - 1) & ~(K_ALIGN(TYPE) - 1))

/* SAFETY: O1: the pool hands fini its own objects only. */
#define POOL_DEFINE(TYPE, fini) \
        static unused void k_fini_##TYPE(void *p) { void (*f)(struct TYPE *) = (fini); if (f) f((struct TYPE *)p); } \
        _Static_assert(sizeof(struct TYPE) > 0 && K_SLOT(TYPE) <= 65536, "object size"); \
        _Static_assert(_Alignof(struct TYPE) <= 64, "object alignment"); \
        struct pool k_pool_##TYPE __attribute__((section(".keel.pools"), used)) = \
        { .slot_k = K_SLOT(TYPE), .size_k = sizeof(struct TYPE), .name_k = #TYPE, \
          .fini_k = _Generic((fini), void *: NULL, default: k_fini_##TYPE) }
#define NO_FINI NULL

/* SAFETY: O1: a region has one type; a BASE or member pointer is where its type has it. */
static inline bool k_in_pool(const struct pool *pool, const void *p K_ANYOBJ)
{ return (u64)p - pool->base_k < 1ul << K_REGION_SHIFT; }
static inline void *k_downcast(const struct pool *pool, void *p K_ANYOBJ)
{ if (__builtin_expect(!k_in_pool(pool, p), 0)) __builtin_trap(); return p; }
/* An order of objects, whatever it is: the same as long as both live. */
static inline bool k_before(void *a K_ANYOBJ, void *b K_ANYOBJ) { return (u64)a < (u64)b; }
#define OBJECT_BEFORE(a, b) k_before((a), (b))
static inline void *k_owner(const struct pool *pool, u32 slot, void *member, u64 off)
{
        u64 at = (u64)member - off - pool->base_k;
        if (__builtin_expect(at >= 1ul << K_REGION_SHIFT || at % slot != 0, 0))
                __builtin_trap();
        return (u8 *)member - off;
}

/* DOWNCAST(ext_inode, inode): from a pointer to the BASE that is TYPE's first member, to the
 * OBJECT; traps if it is another type's.  NULL traps.  IS_A asks instead.  SAFETY: O1. */
#define DOWNCAST(TYPE, basep)   ((k_type_##TYPE *)k_downcast(&k_pool_##TYPE, K_FIRST(TYPE, basep)))
#define IS_A(TYPE, basep)       k_in_pool(&k_pool_##TYPE, K_FIRST(TYPE, basep))
/* UPCAST is plain C: &obj->base.  SAFETY: O1. */
#define K_FIRST(TYPE, basep) \
        ((void)sizeof(char[__builtin_types_compatible_p(__typeof__(*(basep)), k_first_##TYPE) ? 1 : -1]), (void *)(basep))
/* Names TYPE's first member's type, for DOWNCAST: DOWNCASTABLE(ext_inode, inode); after the OBJECT. */
#define DOWNCASTABLE(TYPE, NAME) \
        typedef struct NAME k_first_##TYPE; \
        _Static_assert(__builtin_types_compatible_p(__typeof__(((struct TYPE *)0)->base), struct NAME), "first member 'base'"); \
        _Static_assert(__builtin_offsetof(struct TYPE, base) == 0, "first member 'base'")

/* OWNER_OF(tcp_conn, retransmit, timerp): from a pointer to a STABLE member (a timer, a
 * notifier) to the OBJECT around it; traps if it is not that member of such an object.  SAFETY: O1. */
#define OWNER_OF(TYPE, MEMBER, memberp) \
        ((void)sizeof(char[__builtin_types_compatible_p(__typeof__(*(memberp)), __typeof__(((k_type_##TYPE *)0)->MEMBER)) ? 1 : -1]), \
         (k_type_##TYPE *)k_owner(&k_pool_##TYPE, K_SLOT(TYPE), (void *)(memberp), __builtin_offsetof(struct TYPE, MEMBER)))

/* Payers: memory that user space makes the kernel spend is charged to one.
 * A charge goes to the payer and all its parents; over a limit it fails.  What is charged keeps its payer
 * alive; a dead one may not be held, dropped or charged (traps). */
SAFE_API struct payer *payer_new(struct payer *parent, u64 limit_bytes);  /* NULL: no memory; parent may be NULL */
SAFE_API struct payer *payer_hold(struct payer *p);
SAFE_API void payer_drop(struct payer *p);               /* NULL ignored */
