/* SPDX-License-Identifier: Apache-2.0
 *
 * User address spaces: a sorted array of pages; and user memory of the current space.
 */
#include "tests/host/frame/host_impl.h"

struct page { u64 va; struct frame *f; u32 prot; bool accessed, dirty; };
struct vmspace { u32 refs, n, cap; bool locked; struct page *page; };

static struct vmspace *current;

struct vmspace *vmspace_new(struct payer *payer)
{
        (void)payer;
        if (host_alloc_fails())
                return NULL;
        host_live_others++;
        struct vmspace *s = calloc(1, sizeof *s);
        s->refs = 1;
        return s;
}
void vmspace_drop(struct vmspace *s)
{
        if (!s)
                return;
        CHECK(s->refs && !s->locked);
        if (--s->refs)
                return;
        for (u32 i = 0; i < s->n; i++)
                host_unmap_frame(s->page[i].f);
        if (current == s)
                current = NULL;
        free(s->page);
        free(s);
        host_live_others--;
}
u64 vmspace_mapped(struct vmspace *s) { return s->n; }
u64 vmspace_tables(struct vmspace *s) { return s->n ? 1 + s->n / 512 : 0; }

/* The index of the first page at or after va. */
static u32 lower(const struct vmspace *s, u64 va)
{
        u32 lo = 0, hi = s->n;
        while (lo < hi) {
                u32 mid = (lo + hi) / 2;
                if (s->page[mid].va < va)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo;
}
static struct page *find(struct vmspace *s, u64 va)
{
        u32 i = lower(s, va);
        return i < s->n && s->page[i].va == va ? &s->page[i] : NULL;
}
static void forget(struct vmspace *s, u32 from, u32 to)
{
        for (u32 i = from; i < to; i++)
                host_unmap_frame(s->page[i].f);
        if (s->n > to)
                memmove(&s->page[from], &s->page[to], (s->n - to) * sizeof *s->page);
        s->n -= to - from;
}
static err_t enter(struct vmspace *s, u64 va, struct frame *f, u32 prot)
{
        u32 i = lower(s, va);
        if (i == s->n || s->page[i].va != va) {
                if (host_alloc_fails())         /* a page table */
                        return ERR(ENOMEM);
                if (s->n == s->cap)
                        s->page = realloc(s->page, (s->cap = s->cap ? 2 * s->cap : 16) * sizeof *s->page);
                memmove(&s->page[i + 1], &s->page[i], (s->n++ - i) * sizeof *s->page);
                host_map_frame(f);
        } else {
                host_map_frame(f);
                host_unmap_frame(s->page[i].f);
        }
        s->page[i] = (struct page){ .va = va, .f = f, .prot = prot };
        return OK;
}

static void check_addr(u64 a) { CHECK(a >= VM_MIN && a < VM_MAX && !(a & PAGE_MASK)); }
static void check_range(struct vmspace *s, u64 a, u64 b) { CHECK(!s->locked && a >= VM_MIN && a <= b && b <= VM_MAX && !((a | b) & PAGE_MASK)); }

struct vm_cursor k_cursor(struct vmspace *s, u64 addr)
{
        check_addr(addr);
        CHECK(!s->locked);
        s->locked = true;
        preempt_disable();
        return (struct vm_cursor){ .s = s, .addr = addr };
}
void k_cursor_end(struct vm_cursor *c) { CHECK(c->s->locked); c->s->locked = false; preempt_enable(); }
u64  cursor_addr(struct vm_cursor *c) { return c->addr; }
void cursor_seek(struct vm_cursor *c, u64 addr) { check_addr(addr); c->addr = addr; }
bool cursor_find(struct vm_cursor *c, u64 end)
{
        u32 i = lower(c->s, c->addr);
        if (i == c->s->n || c->s->page[i].va >= end)
                return false;
        c->addr = c->s->page[i].va;
        return true;
}
struct vm_page cursor_get(struct vm_cursor *c)
{
        struct page *p = find(c->s, c->addr);
        return p ? (struct vm_page){ .frame = p->f, .prot = p->prot, .accessed = p->accessed, .dirty = p->dirty } : (struct vm_page){};
}
err_t cursor_map(struct vm_cursor *c, struct frame *f, u32 prot)
{
        if ((prot & VM_NEW) && find(c->s, c->addr))
                return ERR(EEXIST);
        return enter(c->s, c->addr, f, prot & ~VM_NEW);
}
err_t cursor_map_run(struct vm_cursor *c, const struct frame_run *run, u32 prot, const u64 *seq, u64 was)
{
        CHECK(run->n <= VM_RUN && (c->addr >> 21) == ((c->addr + run->n * PAGE_SIZE - 1) >> 21));
        if (seq && LOAD(*seq) != was)
                return ERR(EAGAIN);
        for (u32 i = 0; i < run->n; i++)
                if (run->frame[i] && !find(c->s, c->addr + i * PAGE_SIZE))
                        TRY(enter(c->s, c->addr + i * PAGE_SIZE, run->frame[i], prot));
        return OK;
}
void cursor_unmap(struct vm_cursor *c) { u32 i = lower(c->s, c->addr); if (find(c->s, c->addr)) forget(c->s, i, i + 1); }
void cursor_protect(struct vm_cursor *c, u32 prot)     { struct page *p = find(c->s, c->addr); if (p) p->prot = prot; }
void cursor_clear_accessed(struct vm_cursor *c)        { struct page *p = find(c->s, c->addr); if (p) p->accessed = false; }

void vmspace_unmap(struct vmspace *s, u64 a, u64 b) { check_range(s, a, b); forget(s, lower(s, a), lower(s, b)); }
void vmspace_protect(struct vmspace *s, u64 a, u64 b, u32 prot)
{
        check_range(s, a, b);
        for (u32 i = lower(s, a); i < lower(s, b); i++)
                s->page[i].prot = prot | (s->page[i].prot & VM_COW);
}
err_t vmspace_clone(struct vmspace *d, struct vmspace *s, u64 a, u64 b, bool cow)
{
        check_range(s, a, b);
        check_range(d, a, b);
        for (u32 i = lower(s, a); i < lower(s, b); i++) {
                struct page *p = &s->page[i];
                if (cow && (p->prot & VM_WRITE))
                        p->prot |= VM_COW;
                TRY(enter(d, p->va, p->f, p->prot));
        }
        return OK;
}
err_t vmspace_move(struct vmspace *s, u64 from, u64 to, u64 len)
{
        check_range(s, from, from + len);
        check_range(s, to, to + len);
        CHECK(from + len <= to || to + len <= from);
        if (host_alloc_fails())
                return ERR(ENOMEM);
        vmspace_unmap(s, to, to + len);
        u32 a = lower(s, from), n = lower(s, from + len) - a;
        if (!n)
                return OK;
        struct page *moved = malloc(n * sizeof *moved);
        memcpy(moved, &s->page[a], n * sizeof *moved);
        memmove(&s->page[a], &s->page[a + n], (s->n - a - n) * sizeof *moved);
        s->n -= n;
        u32 at = lower(s, to);
        memmove(&s->page[at + n], &s->page[at], (s->n - at) * sizeof *moved);
        for (u32 i = 0; i < n; i++) {
                moved[i].va += to - from;
                s->page[at + i] = moved[i];
        }
        s->n += n;
        free(moved);
        return OK;
}

void task_set_space(struct vmspace *s) { current = s; }
void task_set_space_of(struct task *t, struct vmspace *s) { (void)t, (void)s; }

/* ---- user memory ---- */

/* The byte at addr for this access, or NULL. */
static u8 *byte_at(u64 addr, u32 want)
{
        struct page *p = current ? find(current, page_down(addr)) : NULL;
        if (!p || !(p->prot & want) || (want == VM_WRITE && (p->prot & VM_COW)))
                return NULL;
        CHECK(want != VM_WRITE || p->f != frame_zero_page());
        p->accessed = true;
        p->dirty |= want == VM_WRITE;
        return host_frame_bytes(p->f).p_k + (addr & PAGE_MASK);
}
usize user_copy_in(mbytes d, u64 a)  { usize n = 0; for (u8 *b; n < d.n_k && (b = byte_at(a + n, VM_READ)); n++) d.p_k[n] = *b; return n; }
usize user_copy_out(u64 a, bytes s)  { usize n = 0; for (u8 *b; n < s.n_k && (b = byte_at(a + n, VM_WRITE)); n++) *b = s.p_k[n]; return n; }
usize user_zero(u64 a, usize len)    { usize n = 0; for (u8 *b; n < len && (b = byte_at(a + n, VM_WRITE)); n++) *b = 0; return n; }
usize user_copy_string(mbytes d, u64 a, bool *found)
{
        usize n = 0;
        *found = false;
        for (u8 *b; n < d.n_k && !*found && (b = byte_at(a + n, VM_READ)); n++)
                *found = !(d.p_k[n] = *b);
        return n;
}
usize user_copy_from_frame(u64 a, struct frame *f, usize off, usize len) { return user_copy_out(a, bytes_sub(bytes_const(host_frame_bytes(f)), off, len)); }
usize user_copy_to_frame(struct frame *f, usize off, u64 a, usize len)   { return user_copy_in(mbytes_sub(host_frame_bytes(f), off, len), a); }
bool user_load32(u64 a, u32 *v)  { CHECK(!(a & 3)); return user_copy_in(MBYTES_OF(*v), a) == sizeof *v; }
bool user_store32(u64 a, u32 v)  { CHECK(!(a & 3)); return user_copy_out(a, BYTES_OF(v)) == sizeof v; }
bool user_load64(u64 a, u64 *v)  { CHECK(!(a & 7)); return user_copy_in(MBYTES_OF(*v), a) == sizeof *v; }
bool user_store64(u64 a, u64 v)  { CHECK(!(a & 7)); return user_copy_out(a, BYTES_OF(v)) == sizeof v; }
bool user_cmpxchg32(u64 a, u32 old, u32 new, u32 *seen) { return user_load32(a, seen) && byte_at(a, VM_WRITE) && (*seen != old || user_store32(a, new)); }

usize fpu_size(void)        { return 832; }
u64   fpu_features(void)    { return 7; }
u32   user_keys(void)       { return 0; }
void  user_set_keys(u32 v)  { (void)v; }
usize fpu_save(mbytes out)  { k_range(out.n_k >= 832); memset(out.p_k, 0, 832); return 832; }
bool  user_fpu_save(u64 addr, bytes software) { static u8 area[832]; return user_copy_out(addr, (bytes){ area, 832 }) == 832; }
err_t user_fpu_load(u64 addr, usize len, u64 mask, bool *missing)
{
        static u8 area[832];
        *missing = user_copy_in((mbytes){ area, len }, addr) != len;
        return *missing ? ERR(EFAULT) : OK;
}
void  fpu_reset(void)       { }
static u64 fs_base, gs_base;
static err_t set_base(u64 *at, u64 base) { if (base >= VM_MAX) return ERR(EPERM); *at = base; return OK; }
err_t user_set_fs(struct task *t, u64 base) { (void)t; return set_base(&fs_base, base); }
err_t user_set_gs(struct task *t, u64 base) { (void)t; return set_base(&gs_base, base); }
u64   user_get_fs(struct task *t) { (void)t; return fs_base; }
u64   user_get_gs(struct task *t) { (void)t; return gs_base; }
