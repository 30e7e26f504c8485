/* SPDX-License-Identifier: Apache-2.0
 *
 * User address spaces: four levels of page tables, the cursor, ranges.
 *
 * Objects    A mapping is a leaf word that is not 0: a frame's page number and what was asked for.
 *            PTE_WANT_R, PTE_WANT_W and PTE_COW are software bits; the hardware's P, W and NX follow
 *            from them (VM_NONE: mapped, not present).  A table's frame (kind TABLE) counts its
 *            entries that are not 0; an empty last-level table is freed by range operations.
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

#define PTE_WANT_R (1ul << 52)
#define LEAF_KEEP  (PTE_ADDR | PTE_A | PTE_D | PTE_U | PTE_ZERO)

static u64 leaf(u64 pfn, u32 prot, bool zero)
{
        u64 e = pfn << PAGE_SHIFT | PTE_U | PTE_A;

        if (prot & (VM_READ | VM_WRITE | VM_EXEC))
                e |= PTE_P;
        if (prot & VM_READ)
                e |= PTE_WANT_R;
        if (prot & VM_WRITE)
                e |= PTE_WANT_W | (prot & VM_COW || zero ? 0 : PTE_W);
        if (prot & VM_COW)
                e |= PTE_COW;
        if (!(prot & VM_EXEC))
                e |= PTE_NX;
        return zero ? e | PTE_ZERO : e;
}

static u32 prot_of(u64 e)
{
        return (e & PTE_WANT_R ? VM_READ : 0) | (e & PTE_WANT_W ? VM_WRITE : 0) |
               (e & PTE_NX ? 0 : VM_EXEC) | (e & PTE_COW ? VM_COW : 0);
}

static inline u64 pfn_in(u64 e) { return (e & PTE_ADDR) >> PAGE_SHIFT; }

/* Could a translation cached from `old` allow what `new` does not, or lead elsewhere? */
static inline bool must_flush(u64 old, u64 new)
{
        if (!(old & PTE_P))
                return false;
        if (!(new & PTE_P) || (old ^ new) & PTE_ADDR)
                return true;
        return (old & ~new & PTE_W) || (new & ~old & PTE_NX);
}

/* ---- counts ---- */

static bool count_add(struct vmspace *s, u64 one)
{
        u64 c = LOAD_RELAXED(s->counts);

        do {
                if (c == 0 || (one == HOLD && (c & LOW32) >= 0x7fffffff))
                        return false;
        } while (!__atomic_compare_exchange_n(&s->counts, &c, c + one, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
        return true;
}

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

struct vmspace *vmspace_hold(struct vmspace *s)
{
        if (!count_add(s, HOLD))
                __builtin_trap();
        return s;
}

void vmspace_drop(struct vmspace *s)
{
        if (s)
                count_sub(s, HOLD);
}

void vmspace_use(struct vmspace *s)
{
        if (!count_add(s, USE))
                __builtin_trap();
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

/* Locked, alive, and in a section: an oops is impossible until range_end. */
static void range_begin(struct vmspace *s)
{
        stack_room();
        lock_space(s);
        if (!s->root) {
                unlock_space(s);
                __builtin_trap();
        }
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
static inline u64  entries(const void *p)       { return table_frame(p)->word & COUNT_MASK; }
static inline u32  index_at(u64 va, u32 level)  { return (u32)(va >> (12 + 9 * (level - 1))) & 511; }

static u64 *add_table(struct vmspace *s, u64 *e)
{
        if (!payer_charge(s->payer, PAGE_SIZE))
                return NULL;
        u64 pa = table_page(HALF_RESERVE);

        if (!pa) {
                payer_uncharge(s->payer, PAGE_SIZE);
                return NULL;
        }
        *(volatile u64 *)e = pa | PTE_P | PTE_W | PTE_U | PTE_A;
        entries_add(e, 1);
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
        while (*va < end) {
                u64 *t = phys_to_virt(s->root), *e = NULL;
                u32 level = 4;

                for (; level > 1; level--) {
                        e = &t[index_at(*va, level)];
                        if (!*e)
                                break;
                        t = below(*e);
                }
                u64 size = 1ul << (12 + 9 * (max_u64(level, 2) - 1));

                *stop = min_u64(end, (*va & ~(size - 1)) + size);
                if (level == 1) {
                        *up = e;
                        return &t[index_at(*va, 1)];
                }
                *va = *stop;
        }
        return NULL;
}

/* ---- dropping what translations may still lead to ---- */

/* Pages of frames and tables whose references go when the CPUs have forgotten them (V3). */
#define GATHER 256
struct gather { u32 n; u32 pfn[GATHER]; };

static void drop_page(struct vmspace *s, u32 pfn)
{
        if (kind_of(frame_of(pfn)) == F_TABLE) {
                table_page_free((u64)pfn << PAGE_SHIFT);
                payer_uncharge(s->payer, PAGE_SIZE);
        } else {
                frame_map_drop(pfn);
        }
}

static void gather_end(struct vmspace *s, struct gather *g, const u64 *va, u32 n_va)
{
        mmu_flush_space(s, va, n_va);
        for (u32 i = 0; i < g->n; i++)
                drop_page(s, g->pfn[i]);
        g->n = 0;
}

/* ---- life ---- SAFETY: V5, V3: a root that nobody has loaded yet, or any more. */

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

        if (payer_charge(payer, PAGE_SIZE) && !(root = table_page(KEEP_RESERVE))) {
                if (mem_reclaim(32))
                        root = table_page(KEEP_RESERVE);
                if (!root)
                        payer_uncharge(payer, PAGE_SIZE);
        }
        if (!root) {
                klock_lock(&dead_lock);
                s->next_free = dead;
                dead = s;
                klock_unlock(&dead_lock);
                return NULL;
        }
        mmu_space_init_top(phys_to_virt(root));
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

/* Frees a table and all below it: it is in no CPU's reach.  Looks at no more than its entries. */
static void free_tables(struct vmspace *s, u64 *t, u32 level)
{
        u64 n = entries(t);

        for (u32 i = 0; n > 0 && i < (level == 4 ? 256 : 512); i++) {
                u64 e = t[i];

                if (!(i & 7))
                        while (i < 504 && !(t[i] | t[i + 1] | t[i + 2] | t[i + 3] | t[i + 4] | t[i + 5] | t[i + 6] | t[i + 7]))
                                i += 8, e = t[i];
                if (!e)
                        continue;
                n--;
                if (level > 1)
                        free_tables(s, below(e), level - 1);
                else if (!(e & PTE_ZERO))
                        frame_map_drop(pfn_in(e));
        }
        table_page_free(direct_to_phys(t));
        payer_uncharge(s->payer, PAGE_SIZE);
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
        klock_lock(&dead_lock);
        s->next_free = dead;
        dead = s;
        klock_unlock(&dead_lock);
}

/* ---- the cursor ---- */

static void check_addr(u64 addr) { k_range(addr >= VM_MIN && addr < VM_MAX && !(addr & PAGE_MASK)); }

static void cursor_flush(struct vm_cursor *c)
{
        if (!c->n)
                return;
        section_enter();
        mmu_flush_space(c->s, c->flush, (u32)c->n);
        for (u32 i = 0; i < c->n; i++)
                if (c->drop[i])
                        drop_page(c->s, c->drop[i]);
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
        lock_space(s);
        if (!s->root) {
                unlock_space(s);
                __builtin_trap();
        }
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

static u64 *here(struct vm_cursor *c)
{
        if (!c->pte)
                c->pte = leaf_at(c->s, c->addr, false);
        return c->pte;
}

bool cursor_find(struct vm_cursor *c, u64 end)
{
        u64 va = c->addr, stop, *up;

        k_range(end <= VM_MAX);
        for (u64 *e; (e = next_leaf(c->s, &va, end, &stop, &up)); )
                for (; va < stop; va += PAGE_SIZE, e++)
                        if (*e) {
                                c->addr = va;
                                c->pte = e;
                                return true;
                        }
        return false;
}

struct vm_page cursor_get(struct vm_cursor *c)
{
        u64 *p = here(c), e = p ? __atomic_load_n(p, __ATOMIC_RELAXED) : 0;

        if (!e)
                return (struct vm_page){ 0 };
        struct frame *f = frame_head(pfn_in(e));

        return (struct vm_page){ .frame = f, .page = (u32)(pfn_in(e) - pfn_of(f)), .prot = prot_of(e),
                                 .accessed = e & PTE_A, .dirty = e & PTE_D };
}

err_t cursor_map_part(struct vm_cursor *c, struct frame *f, u32 page, u32 prot)
{
        bool zero = f == zero_frame;

        k_range(!(prot & ~(VM_READ | VM_WRITE | VM_EXEC | VM_COW)) && f && c->s);
        u64 *p = here(c);

        if (!p && !(p = c->pte = leaf_at(c->s, c->addr, true)))
                return ERR(ENOMEM);
        if (!zero && !frame_map_take(f)) {
                k_range(kind_of(f) == F_BYTES && frame_refs(f));        /* a frame that is none, or was freed */
                return ERR(ENOMEM);
        }
        if (page >= (zero ? 1u : 1u << f->aux)) {
                if (!zero)
                        frame_map_drop(pfn_of(f));
                __builtin_trap();
        }
        u64 new = leaf(pfn_of(f) + page, prot, zero);
        /* SAFETY: V2: the reference was just taken; V4: c->addr was checked */
        u64 old = *p ? __atomic_exchange_n(p, new, __ATOMIC_SEQ_CST) : (*(volatile u64 *)p = new, 0);

        if (old) {
                cursor_changed(c, old, new, true);
        } else {
                entries_add(p, 1);
                c->s->mapped++;
        }
        return OK;
}

err_t cursor_map(struct vm_cursor *c, struct frame *f, u32 prot) { return cursor_map_part(c, f, 0, prot); }

/* References first, then the question whether they are the right ones, then the leaves. */
err_t cursor_map_run(struct vm_cursor *c, const struct frame_run *run, u32 prot, const u64 *seq, u64 was)
{
        u32 n = run->n, pfn[VM_RUN] __attribute__((uninitialized));
        u64 base = leaf(0, prot, false), mapped = 0;

        k_range(!(prot & ~(VM_READ | VM_WRITE | VM_EXEC | VM_COW)) && c->s && n <= VM_RUN &&
                index_at(c->addr, 1) + n <= 512 && c->addr + n * PAGE_SIZE <= VM_MAX);
        u64 *p = here(c);

        if (!p && !(p = c->pte = leaf_at(c->s, c->addr, true)))
                return ERR(ENOMEM);
        for (u32 i = 0; i < n; i++) {
                struct frame *f = LOAD_RELAXED(run->frame[i]);

                pfn[i] = f && !p[i] && frame_map_take(f) ? pfn_of(f) : 0;
        }
        bool right = !seq || LOAD(*seq) == was;

        for (u32 i = 0; i < n; i++)
                if (pfn[i] && right)            /* SAFETY: V2: the reference was just taken; V4: the range was checked */
                        *(volatile u64 *)(p + i) = base | (u64)pfn[i] << PAGE_SHIFT, mapped++;
                else if (pfn[i])
                        frame_map_drop(pfn[i]);
        entries_add(p, (i64)mapped);
        c->s->mapped += mapped;
        return right ? OK : ERR(EAGAIN);
}

void cursor_unmap(struct vm_cursor *c)
{
        u64 *p = here(c), old = p && *p ? __atomic_exchange_n(p, 0, __ATOMIC_SEQ_CST) : 0;

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
        u64 *p = here(c), new;

        k_range(!(prot & ~(VM_READ | VM_WRITE | VM_EXEC | VM_COW)));
        if (!p || !*p)
                return;
        u64 set = leaf(0, prot, *p & PTE_ZERO) & ~(u64)PTE_A, old = change(p, ~LEAF_KEEP, set, &new);

        if (old != new)
                cursor_changed(c, old, new, false);
}

static void clear_bit(struct vm_cursor *c, u64 bit)
{
        u64 *p = here(c);

        if (p && *p & bit) {
                u64 old = __atomic_fetch_and(p, ~bit, __ATOMIC_SEQ_CST);

                if (old & PTE_P)                        /* else the CPUs would not note it again */
                        cursor_changed(c, old, 0, false);
        }
}

void cursor_clear_accessed(struct vm_cursor *c) { clear_bit(c, PTE_A); }
void cursor_clear_dirty(struct vm_cursor *c)    { clear_bit(c, PTE_D); }

/* ---- ranges ---- SAFETY: V2, V3, V4: leaves of a locked space in a checked range. */

void vmspace_unmap(struct vmspace *s, u64 start, u64 end)
{
        struct gather g = { .n = 0 };
        u64 va = start, stop, *up, flush[VM_FLUSH_PAGES];
        u32 n_flush = 0;

        check_range(start, end);
        range_begin(s);
        for (u64 *e; (e = next_leaf(s, &va, end, &stop, &up)); ) {
                i64 gone = 0;

                for (; va < stop && g.n < GATHER - 1; va += PAGE_SIZE, e++) {
                        u64 old = *e;

                        if (!old)
                                continue;
                        *(volatile u64 *)e = 0;         /* what the CPUs noted in between is lost with the page */
                        gone++;
                        if (n_flush < VM_FLUSH_PAGES)
                                flush[n_flush] = va;
                        n_flush++;
                        if (!(old & PTE_ZERO))
                                g.pfn[g.n++] = (u32)pfn_in(old);
                }
                s->mapped -= (u64)gone;
                entries_add(below(*up), -gone);
                if (entries(below(*up)) == 0) {
                        g.pfn[g.n++] = (u32)pfn_in(*up);
                        *(volatile u64 *)up = 0;
                        entries_add(up, -1);
                        s->tables--;
                        n_flush++;                      /* any flush forgets the tables' entries too */
                }
                if (g.n >= GATHER - 1) {
                        gather_end(s, &g, flush, n_flush);
                        n_flush = 0;
                        range_end(s);                   /* let others in */
                        range_begin(s);
                }
        }
        if (n_flush)
                gather_end(s, &g, flush, n_flush);
        range_end(s);
}

#define RIGHTS (PTE_P | PTE_W | PTE_NX | PTE_WANT_R | PTE_WANT_W)

void vmspace_protect(struct vmspace *s, u64 start, u64 end, u32 prot)
{
        u64 va = start, stop, *up, flush[VM_FLUSH_PAGES], any = leaf(0, prot, false) & RIGHTS;
        u32 n = 0;

        check_range(start, end);
        k_range(!(prot & ~(VM_READ | VM_WRITE | VM_EXEC)));
        range_begin(s);
        for (u64 *e; (e = next_leaf(s, &va, end, &stop, &up)); )
                for (; va < stop; va += PAGE_SIZE, e++) {
                        u64 new, old = *e;

                        if (!old)
                                continue;
                        old = change(e, RIGHTS, old & (PTE_COW | PTE_ZERO) ? any & ~(u64)PTE_W : any, &new);
                        if (!must_flush(old, new))      /* more rights: who has the old ones faults once and looks again */
                                continue;
                        if (n < VM_FLUSH_PAGES)
                                flush[n] = va;
                        n++;
                }
        if (n)
                mmu_flush_space(s, flush, n);
        range_end(s);
}

/* One table's part of a clone.  Both locked. */
static bool clone_leaves(struct vmspace *dst, u64 va, u64 stop, u64 *from, bool cow, u32 *changed)
{
        u64 *to = NULL, n = (stop - va) >> PAGE_SHIFT, i;
        i64 added = 0;

        for (i = 0; i < n; i++) {
                u64 e = from[i];

                if (!e)
                        continue;
                if (!to) {
                        u64 *first = leaf_at(dst, va + (i << PAGE_SHIFT), true);
                        if (!first)
                                return false;
                        to = first - i;
                }
                if (to[i] || (!(e & PTE_ZERO) && !frame_map_again(pfn_in(e))))
                        break;                          /* something is there; or mapped too often */
                if (cow && (e & (PTE_WANT_W | PTE_COW)) == PTE_WANT_W) {
                        change(&from[i], PTE_W, PTE_COW, &e);
                        ++*changed;
                }
                *(volatile u64 *)&to[i] = e & ~(u64)PTE_D;
                added++;
        }
        if (added) {
                entries_add(&to[i - 1], added);
                dst->mapped += (u64)added;
        }
        return i == n;
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
        lock_space(second);
        if (!second->root) {
                unlock_space(second);
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
                for (; va < stop; va += PAGE_SIZE, e++) {
                        u64 old = *e ? __atomic_exchange_n(e, 0, __ATOMIC_SEQ_CST) : 0;

                        if (!old)
                                continue;
                        u64 *p = leaf_at(s, va - from + to, false);

                        u64 lost = __atomic_exchange_n(p, old, __ATOMIC_SEQ_CST);

                        entries_add(e, -1);
                        if (!lost) {
                                entries_add(p, 1);
                                continue;
                        }
                        s->mapped--;                    /* a fault in between: the moved page wins */
                        mmu_flush_space(s, NULL, U32_MAX);
                        if (!(lost & PTE_ZERO))
                                frame_map_drop(pfn_in(lost));
                }
        if (ok)
                mmu_flush_space(s, NULL, U32_MAX);
        range_end(s);
        return ok ? OK : ERR(ENOMEM);
}
