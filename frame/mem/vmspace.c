/* SPDX-License-Identifier: Apache-2.0
 *
 * User address spaces: four levels of page tables, the cursor, ranges.
 *
 * Objects    A mapping is a leaf word that is not 0: a frame's page number and what was asked for.
 *            The latter stands in it as it is, at PTE_PROT (VM_KEY is the hardware's there); the hardware's P, W and NX follow
 *            from them (VM_NONE: mapped, not present).  A table's frame (kind TABLE) counts its
 *            entries that are not 0, and knows which groups of eight may have some; an empty
 *            last-level table is freed by range operations.
 * States     counts == 0: dead, root == 0, waiting on `dead` for its next life.  Whoever brings
 *            counts to 0 tears down: root = 0 under the lock, every CPU leaves, tables and
 *            references are dropped.
 * Locking    `lock` guards root and all tables.  The cursor holds it with preemption off and
 *            recorded in the task; range operations hold it in a section, a table at a time.
 *            Two spaces: lower address first.
 * Invariants V1  a kernel-half entry is written only for a range that its caller owns
 *            V2  a leaf names a BYTES frame and holds one mapping reference on it, or is ZERO
 *            V3  a reference is dropped, or a table freed, only after every CPU that may have the
 *                space loaded has forgotten the translation
 *            V4  only [VM_MIN, VM_MAX) is ever mapped, always with PTE_U
 *            V5  the memory of a vmspace is a vmspace for ever and is never zeroed: lock and
 *                counts of a dead one can be looked at
 */
#include "impl.h"
#include "vmspace_impl.h"

POOL_DEFINE(vmspace, NO_FINI);
static struct vmspace *dead;
static struct klock dead_lock;

#define HOLD  1ul
#define USE   (1ul << 32)
#define LOW32 0xfffffffful

/* ---- the page-table words ---- */

#define ASKED(PROT) ((u64)(PROT) << PTE_PROT)
_Static_assert(ASKED(VM_KEY) == 15ul << 59, "the CPU's place for it");
#define LEAF_KEEP  (PTE_ADDR | PTE_A | PTE_D | PTE_U | PTE_ZERO)

#define ALL_PROT (VM_READ | VM_WRITE | VM_EXEC | VM_COW | VM_WP | VM_KEY)

static u64 leaf(u64 pfn, u32 prot, bool zero)
{
        return pfn << PAGE_SHIFT | PTE_U | PTE_A | (zero ? PTE_ZERO : 0) | ASKED(prot & ~VM_NEW) |
               (prot & (VM_READ | VM_WRITE | VM_EXEC) ? PTE_P : 0) | (prot & VM_EXEC ? 0 : PTE_NX) |
               (!zero && (prot & (VM_WRITE | VM_COW | VM_WP)) == VM_WRITE ? PTE_W : 0);
}

static u32 prot_of(u64 e) { return (u32)(e >> PTE_PROT) & ALL_PROT; }

static inline u64 pfn_in(u64 e) { return (e & PTE_ADDR) >> PAGE_SHIFT; }

/* Could a translation cached from `old` allow what `new` does not, or lead elsewhere? */
static inline bool must_flush(u64 old, u64 new)
{
        if (!(old & PTE_P))
                return false;
        if (!(new & PTE_P) || (old ^ new) & (PTE_ADDR | ASKED(VM_KEY)))
                return true;
        return (old & ~new & PTE_W) || (new & ~old & PTE_NX);
}

/* ---- counts ---- */

static void teardown(struct vmspace *s);

static void count_sub(struct vmspace *s, u64 one)
{
        u64 c = LOAD_RELAXED(s->counts);

        do {
                if ((one == HOLD ? c & LOW32 : c >> 32) == 0)
                        __builtin_trap();
        } while (!__atomic_compare_exchange_n(&s->counts, &c, c - one, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
        if (c == one)
                teardown(s);
}

void vmspace_drop(struct vmspace *s)
{
        if (s)
                count_sub(s, HOLD);
}

void vmspace_use(struct vmspace *s)
{
        u64 c = LOAD_RELAXED(s->counts);

        do
                k_range(c != 0);
        while (!__atomic_compare_exchange_n(&s->counts, &c, c + USE, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
}

void vmspace_unuse(struct vmspace *s) { count_sub(s, USE); }

u64 vmspace_mapped(struct vmspace *s) { return LOAD_RELAXED(s->mapped); }
u64 vmspace_tables(struct vmspace *s) { return LOAD_RELAXED(s->tables); }

/* ---- the lock ---- */

static noinline void lock_contended(struct vmspace *s)
{
        do {
                if (held_has(HELD_CURSOR, s)) {         /* by this task: it would wait for ever */
                        preempt_sub_nocheck(PREEMPT_ONE);
                        __builtin_trap();
                }
                while (__atomic_load_n(&s->lock, __ATOMIC_RELAXED))
                        __builtin_ia32_pause();
        } while (__atomic_exchange_n(&s->lock, 1, __ATOMIC_ACQUIRE));
}

static inline void lock_space(struct vmspace *s)
{
        preempt_add(PREEMPT_ONE);
        if (__builtin_expect(__atomic_exchange_n(&s->lock, 1, __ATOMIC_ACQUIRE), 0))
                lock_contended(s);
}

static inline void unlock_space(struct vmspace *s)
{
        __atomic_store_n(&s->lock, 0, __ATOMIC_RELEASE);
        preempt_leave();
}

static inline bool lock_alive(struct vmspace *s)
{
        lock_space(s);
        if (__builtin_expect(!!s->root, 1))
                return true;
        unlock_space(s);
        return false;
}

/* Locked, alive, and in a section: an oops is impossible until range_end. */
static void range_begin(struct vmspace *s)
{
        stack_room();
        if (!lock_alive(s))
                __builtin_trap();
        section_enter();
}

static void range_end(struct vmspace *s)
{
        section_leave();
        unlock_space(s);
}

static void check_range(u64 start, u64 end)
{
        k_range(start >= VM_MIN && start <= end && end <= VM_MAX && !((start | end) & PAGE_MASK));
}

/* ---- tables; locked ---- SAFETY: V2, V4, V5: the space is locked and alive, so what root leads to is tables. */

static inline u64 *below(u64 e)              { return phys_to_virt(e & PTE_ADDR); }
static inline struct frame *table_frame(const void *p) { return frame_of(direct_to_phys(p) >> PAGE_SHIFT); }
static inline void entries_add(const void *p, i64 n) { table_frame(p)->word += (u64)n; }
static inline void entry_made(const u64 *e)     /* which was 0 */
{ struct frame *f = table_frame(e); f->word++; f->groups |= 1ul << ((u64)e >> 6 & 63); }
static inline u64  entries(const void *p)       { return table_frame(p)->word & COUNT_MASK; }
static inline u32  index_at(u64 va, u32 level)  { return (u32)(va >> (12 + 9 * (level - 1))) & 511; }

static u64 *add_table(struct vmspace *s, u64 *e)
{
        if (!payer_charge(s->payer, PAGE_SIZE))
                return NULL;
        u64 pa = table_page(false, HALF_RESERVE);

        if (!pa) {
                payer_uncharge(s->payer, PAGE_SIZE);
                return NULL;
        }
        *(volatile u64 *)e = pa | PTE_P | PTE_W | PTE_U | PTE_A;
        entry_made(e);
        s->tables++;
        return phys_to_virt(pa);
}

/* The leaf for va; NULL: no table (create: no memory). */
static u64 *leaf_at(struct vmspace *s, u64 va, bool create)
{
        u64 *t = phys_to_virt(s->root);

        for (u32 level = 4; level > 1; level--) {
                u64 *e = &t[index_at(va, level)];

                if (*e)
                        t = below(*e);
                else if (!create || !(t = add_table(s, e)))
                        return NULL;
        }
        return &t[index_at(va, 1)];
}

/* The first last-level table at or after *va and below end: moves *va there, *stop to where the
 * part of the range in that table ends, and returns the leaf for *va. */
static u64 *next_leaf(struct vmspace *s, u64 *va, u64 end, u64 *stop, u64 **up)
{
        for (; *va < end; *va = *stop) {
                u64 *t = phys_to_virt(s->root), *e = NULL;
                u32 level = 4;

                for (; level > 1 && *(e = &t[index_at(*va, level)]); level--)
                        t = below(*e);
                u64 size = 1ul << (12 + 9 * (max_u64(level, 2) - 1));

                *stop = min_u64(end, (*va & ~(size - 1)) + size);
                if (level == 1) {
                        *up = e;
                        return &t[index_at(*va, 1)];
                }
        }
        return NULL;
}

/* The first leaf that is not 0 from e, which is *va's, on: moves *va there; NULL: none below stop, where
 * their table ends or earlier. */
static inline u64 *next_used(u64 *e, u64 *va, u64 stop)
{
        if (*va >= stop) {                      /* e may be behind the table */
                *va = stop;
                return NULL;
        }
        u64 groups = table_frame(e)->groups;

        while (*va < stop && !*e) {
                u64 left = groups >> ((u64)e >> 6 & 63), n = 1;

                if (!(left & 1))
                        n = left ? bit_lowest(left) * 8ul - ((u64)e >> 3 & 7) : 512;
                e += n;
                *va += n << PAGE_SHIFT;
        }
        if (*va < stop)
                return e;
        *va = stop;
        return NULL;
}

/* ---- dropping what translations may still lead to ---- */

static void drop_table(struct payer *payer, u32 pfn, bool top)
{
        table_page_free((u64)pfn << PAGE_SHIFT, top);
        payer_uncharge(payer, PAGE_SIZE);
}

/* ---- life ---- SAFETY: V5, V3: a root that nobody has loaded yet, or any more. */

static void bury(struct vmspace *s)
{
        klock_lock(&dead_lock);
        s->next_free = dead;
        dead = s;
        klock_unlock(&dead_lock);
}

struct vmspace *vmspace_new(struct payer *payer)
{
        klock_lock(&dead_lock);
        struct vmspace *s = dead;
        if (s)
                dead = s->next_free;
        klock_unlock(&dead_lock);
        if (!s && !(s = k_pool_alloc(&k_pool_vmspace, NULL, MAY_RECLAIM)))
                return NULL;
        u64 root = 0;

        if (payer_charge(payer, PAGE_SIZE) && !(root = table_page(true, KEEP_RESERVE))) {
                if (mem_reclaim(32))
                        root = table_page(true, KEEP_RESERVE);
                if (!root)
                        payer_uncharge(payer, PAGE_SIZE);
        }
        if (!root) {
                bury(s);
                return NULL;
        }
        if (payer)
                k_hold(payer);
        lock_space(s);
        s->payer = payer;
        s->mapped = 0;
        s->tables = 1;
        s->root = root;
        STORE(s->counts, HOLD);
        unlock_space(s);
        return s;
}

/* Frees a table and all below it, leaving it as M6 says: it is in no CPU's reach. */
static void free_tables(struct vmspace *s, u64 *t, u32 level)
{
        struct frame *f = table_frame(t);
        u32 pfn[64], n = 0;

        for (u64 groups = f->groups; groups; groups &= groups - 1)
                for (u64 *e = t + bit_lowest(groups) * 8, *end = e + 8; e < end; e++) {
                        u64 old = *e;

                        if (!old)
                                continue;
                        *e = 0;
                        if (level > 1)
                                free_tables(s, below(old), level - 1);
                        else if (!(old & PTE_ZERO))
                                pfn[n++] = (u32)pfn_in(old);
                        if (n == ARRAY_SIZE(pfn))
                                frames_map_drop(pfn, n), n = 0;
                }
        frames_map_drop(pfn, n);
        set_word(f, KIND(F_TABLE));
        drop_table(s->payer, pfn_of(f), level == 4);
}

static void teardown(struct vmspace *s)
{
        lock_space(s);
        u64 root = s->root;
        __atomic_store_n(&s->root, 0, __ATOMIC_SEQ_CST);
        unlock_space(s);
        mmu_space_evict(s);
        free_tables(s, phys_to_virt(root), 4);
        k_drop(s->payer);
        s->payer = NULL;
        bury(s);
}

/* ---- the cursor ---- */

static void check_addr(u64 addr) { k_range(addr >= VM_MIN && addr < VM_MAX && !(addr & PAGE_MASK)); }

static void cursor_flush(struct vm_cursor *c)
{
        section_enter();
        mmu_flush_space(c->s, c->flush, (u32)c->n);
        for (u32 i = 0; i < c->n; i++)
                if (c->drop[i])
                        frame_map_drop(c->drop[i]);
        c->n = 0;
        section_leave();
}

/* The leaf was `old` and is now `new`; a reference on old's frame is to be dropped if `drop`. */
static void cursor_changed(struct vm_cursor *c, u64 old, u64 new, bool drop)
{
        drop = drop && !(old & PTE_ZERO);
        if (!drop && !must_flush(old, new)) {
                if (old & PTE_P)
                        mmu_flush_page(c->addr);        /* more rights: elsewhere it faults once and looks again */
                return;
        }
        c->flush[c->n] = c->addr;
        c->drop[c->n++] = drop ? (u32)pfn_in(old) : 0;
        if (c->n == ARRAY_SIZE(c->flush))
                cursor_flush(c);
}

struct vm_cursor k_cursor(struct vmspace *s, u64 addr)
{
        check_addr(addr);
        stack_room();
        struct task *t = held_room();
        if (!lock_alive(s))
                __builtin_trap();
        held_push(t, HELD_CURSOR, s);
        struct vm_cursor c __attribute__((uninitialized));      /* n entries of flush and drop are valid */

        c.s = s;
        c.addr = addr;
        c.pte = NULL;
        c.n = 0;
        return c;
}

void k_cursor_end(struct vm_cursor *c)
{
        struct vmspace *s = c->s;

        if (!s)
                return;
        if (c->n)
                cursor_flush(c);
        c->s = NULL;
        if (!held_pop(HELD_CURSOR, s))
                __builtin_trap();
        unlock_space(s);
}

void vmspace_unlock_recorded(struct vmspace *s)
{
        mmu_flush_space(s, NULL, U32_MAX);              /* what the cursor had not flushed yet */
        __atomic_store_n(&s->lock, 0, __ATOMIC_RELEASE);
}

u64 cursor_addr(struct vm_cursor *c) { return c->addr; }

void cursor_seek(struct vm_cursor *c, u64 addr)
{
        check_addr(addr);
        if (c->pte && (addr ^ c->addr) < 0x200000 && (addr & ~0x1ffffful) == (c->addr & ~0x1ffffful))
                c->pte += (i64)(addr - c->addr) >> PAGE_SHIFT;
        else
                c->pte = NULL;
        c->addr = addr;
}

/* The leaf of the cursor's address; NULL: no table (make: no memory). */
static inline u64 *here(struct vm_cursor *c, bool make)
{
        if (!c->pte)
                c->pte = leaf_at(c->s, c->addr, make);
        return c->pte;
}

bool cursor_find(struct vm_cursor *c, u64 end)
{
        u64 va = c->addr, stop, *up;

        k_range(end <= VM_MAX);
        for (u64 *e; (e = next_leaf(c->s, &va, end, &stop, &up)); )
                if ((c->pte = next_used(e, &va, stop))) {
                        c->addr = va;
                        return true;
                }
        return false;
}

struct vm_page cursor_get(struct vm_cursor *c)
{
        u64 *p = here(c, false), e = p ? __atomic_load_n(p, __ATOMIC_RELAXED) : 0;

        return (struct vm_page){ .frame = e ? frame_of(pfn_in(e)) : NULL, .prot = e ? prot_of(e) : 0,
                                 .accessed = e & PTE_A, .dirty = e & PTE_D };
}

static void check_prot(u32 prot) { k_range(!(prot & ~ALL_PROT)); }

err_t cursor_map(struct vm_cursor *c, struct frame *f, u32 prot)
{
        bool zero = f == zero_frame;

        check_prot(prot & ~VM_NEW);
        k_range(f && c->s);
        u64 *p = here(c, true);

        if (!p || (*p && prot & VM_NEW))
                return p ? ERR(EEXIST) : ERR(ENOMEM);
        if (!zero && !frame_map_take(f)) {
                k_range(kind_of(f) == F_BYTES && frame_refs(f));        /* a frame that is none, or was freed */
                return ERR(ENOMEM);
        }
        u64 new = leaf(pfn_of(f), prot, zero);
        /* SAFETY: V2: the reference was just taken; V4: c->addr was checked */
        u64 old = *p ? __atomic_exchange_n(p, new, __ATOMIC_SEQ_CST) : (*(volatile u64 *)p = new, 0);

        if (old) {
                cursor_changed(c, old, new, true);
        } else {
                entry_made(p);
                c->s->mapped++;
        }
        return OK;
}

/* References first, then the question whether they are the right ones, then the leaves. */
err_t cursor_map_run(struct vm_cursor *c, const struct frame_run *run, u32 prot, const u64 *seq, u64 was)
{
        u32 n = run->n, pfn[VM_RUN] __attribute__((uninitialized));
        u64 base = leaf(0, prot, false);

        check_prot(prot);
        k_range(c->s && n <= VM_RUN && index_at(c->addr, 1) + n <= 512 && c->addr + n * PAGE_SIZE <= VM_MAX);
        u64 *p = here(c, true);

        if (!p)
                return ERR(ENOMEM);
        for (u32 i = 0; i < n; i++) {
                struct frame *f = LOAD_RELAXED(run->frame[i]);

                pfn[i] = f && !p[i] && frame_map_take(f) ? pfn_of(f) : 0;
        }
        bool right = !seq || LOAD(*seq) == was;

        for (u32 i = 0; i < n; i++)
                if (pfn[i] && right) {          /* SAFETY: V2: the reference was just taken; V4: the range was checked */
                        *(volatile u64 *)(p + i) = base | (u64)pfn[i] << PAGE_SHIFT;
                        entry_made(p + i);
                        c->s->mapped++;
                } else if (pfn[i]) {
                        frame_map_drop(pfn[i]);
                }
        return right ? OK : ERR(EAGAIN);
}

void cursor_unmap(struct vm_cursor *c)
{
        u64 *p = here(c, false), old = p && *p ? __atomic_exchange_n(p, 0, __ATOMIC_SEQ_CST) : 0;

        if (!old)
                return;
        entries_add(p, -1);
        c->s->mapped--;
        cursor_changed(c, old, 0, true);
}

/* Replaces a leaf by what fits `prot`, keeping what the hardware noted meanwhile. */
static u64 change(u64 *p, u64 clear, u64 set, u64 *new)
{
        u64 old = __atomic_load_n(p, __ATOMIC_RELAXED);

        do
                *new = (old & ~clear) | set;
        while (!__atomic_compare_exchange_n(p, &old, *new, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
        return old;
}

void cursor_protect(struct vm_cursor *c, u32 prot)
{
        u64 *p = here(c, false), new;

        check_prot(prot);
        if (!p || !*p)
                return;
        u64 set = leaf(0, prot, *p & PTE_ZERO) & ~(u64)PTE_A, old = change(p, ~LEAF_KEEP, set, &new);

        if (old != new)
                cursor_changed(c, old, new, false);
}

void cursor_clear_accessed(struct vm_cursor *c)
{
        u64 *p = here(c, false);

        if (p && *p & PTE_A) {
                u64 old = __atomic_fetch_and(p, ~(u64)PTE_A, __ATOMIC_SEQ_CST);

                if (old & PTE_P)                        /* else the CPUs would not note it again */
                        cursor_changed(c, old, 0, false);
        }
}

/* One more translation to forget; how many there are now. */
static inline u32 note(u64 *flush, u32 n, u64 va)
{
        if (n < VM_FLUSH_PAGES)
                flush[n] = va;
        return n + 1;
}

/* ---- ranges ---- SAFETY: V2, V3, V4: leaves of a locked space in a checked range. */

/* Unmaps as much as the CPU's gather has room for; how far it came.  References go when the CPUs have forgotten (V3). */
static u64 unmap_some(struct vmspace *s, u64 va, u64 end)
{
        u64 stop, *up, flush[VM_FLUSH_PAGES];
        u32 n = 0, n_tables = 0, n_flush = 0, table[8];

        range_begin(s);
        struct payer *payer = s->payer;                 /* lives on by what is charged for the tables */
        u32 *pfn = mem_cpu()->gather;

        for (u64 *e; n < GATHER && n_tables < ARRAY_SIZE(table) && (e = next_leaf(s, &va, end, &stop, &up)); ) {
                i64 gone = 0;

                for (; n < GATHER && (e = next_used(e, &va, stop)); va += PAGE_SIZE, e++, gone++) {
                        u64 old = *e;

                        *(volatile u64 *)e = 0;         /* what the CPUs noted in between is lost with the page */
                        n_flush = note(flush, n_flush, va);
                        if (!(old & PTE_ZERO))
                                *(pfn + n++) = (u32)pfn_in(old);        /* SAFETY: V2: n < GATHER */
                }
                s->mapped -= (u64)gone;
                entries_add(below(*up), -gone);
                if (entries(below(*up)) == 0) {
                        table[n_tables++] = (u32)pfn_in(*up);
                        *(volatile u64 *)up = 0;
                        entries_add(up, -1);
                        s->tables--;
                        n_flush = note(flush, n_flush, va);     /* any flush forgets the tables' entries too */
                }
        }
        if (n_flush)
                mmu_flush_space(s, flush, n_flush);
        unlock_space(s);
        frames_map_drop(pfn, n);
        while (n_tables > 0)
                drop_table(payer, table[--n_tables], false);
        section_leave();
        return va;
}

void vmspace_unmap(struct vmspace *s, u64 start, u64 end)
{
        check_range(start, end);
        while (start < end)                             /* lets others in between */
                start = unmap_some(s, start, end);
}

#define RIGHTS (PTE_P | PTE_W | PTE_NX | ASKED(VM_READ | VM_WRITE | VM_EXEC | VM_KEY))

void vmspace_protect(struct vmspace *s, u64 start, u64 end, u32 prot)
{
        u64 va = start, stop, *up, flush[VM_FLUSH_PAGES], any = leaf(0, prot, false) & RIGHTS;
        u32 n = 0;

        check_range(start, end);
        k_range(!(prot & ~(VM_READ | VM_WRITE | VM_EXEC | VM_KEY)));
        range_begin(s);
        for (u64 *e; (e = next_leaf(s, &va, end, &stop, &up)); )
                for (; (e = next_used(e, &va, stop)); va += PAGE_SIZE, e++) {
                        u64 new, old = *e;

                        old = change(e, RIGHTS, old & (ASKED(VM_COW | VM_WP) | PTE_ZERO) ? any & ~(u64)PTE_W : any, &new);
                        if (!must_flush(old, new))      /* more rights: who has the old ones faults once and looks again */
                                continue;
                        n = note(flush, n, va);
                }
        if (n)
                mmu_flush_space(s, flush, n);
        range_end(s);
}

/* One table's part of a clone.  Both locked. */
static bool clone_leaves(struct vmspace *dst, u64 va, u64 stop, u64 *from, bool cow, u32 *changed)
{
        u64 *to = NULL;

        for (; (from = next_used(from, &va, stop)); va += PAGE_SIZE, from++) {
                u64 e = *from;

                if (!to && !(to = leaf_at(dst, va & ~0x1ffffful, true)))
                        return false;
                u64 *new = to + index_at(va, 1);

                if (*new || (!(e & PTE_ZERO) && !frame_map_again(pfn_in(e))))
                        return false;                   /* something is there; or mapped too often */
                if (cow && (e & ASKED(VM_WRITE | VM_COW)) == ASKED(VM_WRITE)) {
                        change(from, PTE_W, ASKED(VM_COW), &e);
                        ++*changed;
                }
                *(volatile u64 *)new = e & ~(u64)PTE_D;
                entry_made(new);
                dst->mapped++;
        }
        return true;
}

err_t vmspace_clone(struct vmspace *dst, struct vmspace *src, u64 start, u64 end, bool cow)
{
        struct vmspace *first = dst < src ? dst : src, *second = dst < src ? src : dst;
        u64 va = start, stop, *up;
        u32 changed = 0;
        bool ok = true;

        check_range(start, end);
        k_range(dst != src);
        range_begin(first);
        if (!lock_alive(second)) {
                range_end(first);
                __builtin_trap();
        }
        for (u64 *e; ok && (e = next_leaf(src, &va, end, &stop, &up)); va = stop)
                ok = clone_leaves(dst, va, stop, e, cow, &changed);
        if (changed)
                mmu_flush_space(src, NULL, U32_MAX);
        unlock_space(second);
        range_end(first);
        return ok ? OK : ERR(ENOMEM);
}

err_t vmspace_move(struct vmspace *s, u64 from, u64 to, u64 len)
{
        u64 va = from, stop, *up;
        bool ok = true;

        k_range(len <= VM_MAX);
        check_range(from, from + len);
        check_range(to, to + len);
        k_range(from + len <= to || to + len <= from);
        vmspace_unmap(s, to, to + len);
        range_begin(s);
        for (; ok && next_leaf(s, &va, from + len, &stop, &up); va = stop)      /* tables first: then nothing can fail */
                for (u64 at = va; ok && at < stop; at += PAGE_SIZE)
                        if (at == va || index_at(at - from + to, 1) == 0)
                                ok = leaf_at(s, at - from + to, true) != NULL;
        va = from;
        for (u64 *e; ok && (e = next_leaf(s, &va, from + len, &stop, &up)); )
                for (; (e = next_used(e, &va, stop)); va += PAGE_SIZE, e++) {
                        u64 *p = leaf_at(s, va - from + to, false);

                        if (*p)                         /* a fault in between: both stay */
                                continue;
                        *(volatile u64 *)p = __atomic_exchange_n(e, 0, __ATOMIC_SEQ_CST);
                        entry_made(p);
                        entries_add(e, -1);
                }
        if (ok)
                mmu_flush_space(s, NULL, U32_MAX);
        range_end(s);
        return ok ? OK : ERR(ENOMEM);
}
