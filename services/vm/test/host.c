/* SPDX-License-Identifier: Apache-2.0
 *
 * The stand-in of host.h.
 */
#include "services/vm/test/host.h"
#include "services/vfs/mount.h"

void *mmap(void *, usize, int, int, int, long);
#define REGION (1ul << K_REGION_SHIFT)

u64 allocs, fail_at, live_objects, live_frames;

static bool fails(void) { return ++allocs == fail_at; }

static u64 seed = 88172645463325252ul;
u64 rnd(void)
{
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        return seed;
}
u64 random_u64(void) { return rnd(); }

/* ---- pools ---- */

struct host_pool { u64 used; void *free; };

void *k_pool_alloc(struct pool *pool, struct payer *payer, enum alloc_mode mode)
{
        (void)payer, (void)mode;
        if (fails())
                return NULL;
        struct host_pool *h = pool->state_k;
        if (!h) {
                h = pool->state_k = calloc(1, sizeof *h);
                pool->base_k = (u64)mmap(NULL, REGION, 3, 0x4022, -1, 0) + 16;
        }
        void *p = h->free;
        if (p)
                h->free = *(void **)p;
        else
                p = (void *)(pool->base_k + pool->slot_k * h->used++);
        memset(p, 0, pool->size_k);
        k_hdr(p)->refs = 1 | K_UNPUBLISHED;
        live_objects++;
        k_hdr(p)->payer = (struct payer *)pool;
        return p;
}

void k_pool_free(void *p)
{
        struct pool *pool = (struct pool *)k_hdr(p)->payer;
        if (pool->fini_k)
                pool->fini_k(p);
        memset(p, 0, pool->size_k);
        *(void **)p = ((struct host_pool *)pool->state_k)->free;
        ((struct host_pool *)pool->state_k)->free = p;
        live_objects--;
}

void k_count_trap(void *p) { printf("bad count of %p\n", p); __builtin_trap(); }
bool k_try_hold(void *p) { if (!p || !k_refs(p)) return false; k_hold(p); return true; }
struct payer *payer_hold(struct payer *p) { return p; }
void payer_drop(struct payer *p) { (void)p; }

/* ---- frames ---- */

struct frame { u32 refs, maps; u8 data[PAGE_SIZE]; };
static struct frame zero = { .refs = 1 };

struct frame *frame_zero_page(void) { return &zero; }
struct frame *frame_alloc(struct payer *payer, u32 flags)
{
        (void)payer;
        if (fails())
                return NULL;
        struct frame *f = malloc(sizeof *f);
        f->refs = 1;
        f->maps = 0;
        memset(f->data, flags & FRAME_ZERO ? 0 : 0xdd, PAGE_SIZE);
        live_frames++;
        return f;
}
struct frame *frame_hold(struct frame *f) { CHECK(f->refs); f->refs++; return f; }
void frame_drop(struct frame *f)
{
        if (!f)
                return;
        CHECK(f->refs && f != &zero);
        if (!--f->refs) {
                CHECK(!f->maps);
                live_frames--;
                free(f);
        }
}
u32 frame_refs(struct frame *f) { return f->refs; }
u32 frame_mappings(struct frame *f) { return f->maps; }
u64 frame_number(struct frame *f) { return (u64)f >> 12; }
void frame_read(struct frame *f, usize off, mbytes dst) { k_range(off + dst.n_k <= PAGE_SIZE); memcpy(dst.p_k, f->data + off, dst.n_k); }
void frame_write(struct frame *f, usize off, bytes src) { CHECK(f != &zero); k_range(off + src.n_k <= PAGE_SIZE); memcpy(f->data + off, src.p_k, src.n_k); }
void frame_fill(struct frame *f, usize off, usize len, u8 v) { CHECK(f != &zero); k_range(off + len <= PAGE_SIZE); memset(f->data + off, v, len); }
void frame_copy(struct frame *d, struct frame *s) { memcpy(d->data, s->data, PAGE_SIZE); }
struct mem_stats mem_stats(void) { return (struct mem_stats){ .total = 1 << 20 }; }
static void map_frame(struct frame *f) { if (f != &zero) frame_hold(f)->maps++; }
static void unmap_frame(struct frame *f) { if (f != &zero) { f->maps--; frame_drop(f); } }

/* ---- address spaces: an array of pages, looked through ---- */

#define SLOTS 4096
struct page { u64 va; struct frame *f; u32 prot; };
OBJECT(vmspace) { struct page page[SLOTS]; u32 n; bool locked; };

struct vmspace *vmspace_new(struct payer *payer)
{
        (void)payer;
        if (fails())
                return NULL;
        live_objects++;
        return calloc(1, sizeof(struct vmspace));
}
void vmspace_drop(struct vmspace *s)
{
        CHECK(!s->locked);
        for (u32 i = 0; i < s->n; i++)
                unmap_frame(s->page[i].f);
        free(s);
        live_objects--;
}
u64 vmspace_mapped(struct vmspace *s) { return s->n; }
u64 vmspace_tables(struct vmspace *s) { (void)s; return 1; }

mbytes pin_bytes(struct pin *p) { return (mbytes){ p->f_k->data, PAGE_SIZE }; }

static struct page *find(struct vmspace *s, u64 va)
{
        for (u32 i = 0; i < s->n; i++)
                if (s->page[i].va == va)
                        return &s->page[i];
        return NULL;
}
static void forget(struct vmspace *s, struct page *p)
{
        unmap_frame(p->f);
        *p = s->page[--s->n];
}
static err_t enter(struct vmspace *s, u64 va, struct frame *f, u32 prot)
{
        struct page *p = find(s, va);
        if (fails())
                return ERR(ENOMEM);
        map_frame(f);
        if (p) {
                unmap_frame(p->f);
        } else {
                CHECK(s->n < SLOTS);
                p = &s->page[s->n++];
        }
        *p = (struct page){ va, f, prot };
        return OK;
}
static void check_addr(u64 a) { CHECK(a >= VM_MIN && a < VM_MAX && !(a & PAGE_MASK)); }
static void check_range(struct vmspace *s, u64 a, u64 b)
{ CHECK(!s->locked && a >= VM_MIN && a <= b && b <= VM_MAX && !((a | b) & PAGE_MASK)); }

struct vm_cursor k_cursor(struct vmspace *s, u64 addr) { check_addr(addr); CHECK(!s->locked); s->locked = true; return (struct vm_cursor){ .s = s, .addr = addr }; }
void k_cursor_end(struct vm_cursor *c) { c->s->locked = false; }
u64  cursor_addr(struct vm_cursor *c) { return c->addr; }
void cursor_seek(struct vm_cursor *c, u64 addr) { check_addr(addr); c->addr = addr; }
bool cursor_find(struct vm_cursor *c, u64 end)
{
        u64 best = end;
        for (u32 i = 0; i < c->s->n; i++)
                if (c->s->page[i].va >= c->addr && c->s->page[i].va < best)
                        best = c->s->page[i].va;
        if (best == end)
                return false;
        c->addr = best;
        return true;
}
struct vm_page cursor_get(struct vm_cursor *c)
{
        struct page *p = find(c->s, c->addr);
        return p ? (struct vm_page){ .frame = p->f, .prot = p->prot } : (struct vm_page){};
}
err_t cursor_map(struct vm_cursor *c, struct frame *f, u32 prot) { return enter(c->s, c->addr, f, prot); }
void cursor_unmap(struct vm_cursor *c) { struct page *p = find(c->s, c->addr); if (p) forget(c->s, p); }
void cursor_protect(struct vm_cursor *c, u32 prot) { struct page *p = find(c->s, c->addr); if (p) p->prot = prot; }
void cursor_clear_accessed(struct vm_cursor *c) { (void)c; }

void vmspace_unmap(struct vmspace *s, u64 a, u64 b)
{
        check_range(s, a, b);
        for (u32 i = s->n; i-- > 0;)
                if (s->page[i].va >= a && s->page[i].va < b)
                        forget(s, &s->page[i]);
}
void vmspace_protect(struct vmspace *s, u64 a, u64 b, u32 prot)
{
        check_range(s, a, b);
        for (u32 i = 0; i < s->n; i++)
                if (s->page[i].va >= a && s->page[i].va < b)
                        s->page[i].prot = prot | (s->page[i].prot & VM_COW);
}
err_t vmspace_clone(struct vmspace *d, struct vmspace *s, u64 a, u64 b, bool cow)
{
        check_range(s, a, b);
        for (u32 i = 0; i < s->n; i++) {
                struct page *p = &s->page[i];
                if (p->va < a || p->va >= b)
                        continue;
                if (cow && (p->prot & VM_WRITE))
                        p->prot |= VM_COW;
                if (failed(enter(d, p->va, p->f, p->prot)))
                        return ERR(ENOMEM);
        }
        return OK;
}
err_t vmspace_move(struct vmspace *s, u64 from, u64 to, u64 len)
{
        check_range(s, from, from + len);
        check_range(s, to, to + len);
        CHECK(from + len <= to || to + len <= from);
        if (fails())
                return ERR(ENOMEM);
        vmspace_unmap(s, to, to + len);
        for (u32 i = 0; i < s->n; i++)
                if (s->page[i].va >= from && s->page[i].va < from + len)
                        s->page[i].va += to - from;
        return OK;
}

/* ---- the current thread and its user memory ---- */

static void no_fini_thread(struct thread *t) { (void)t; }
static void no_fini_process(struct process *p) { (void)p; }
POOL_DEFINE(thread, no_fini_thread);
POOL_DEFINE(process, no_fini_process);
static struct thread *self;

struct task_body *task_current(void) { return &self->base; }
u32 task_interrupts(void) { return 0; }
void host_use(struct vm *vm) { self->vm = vm; }

/* The byte at addr for this access, or NULL. */
static u8 *byte_at(u64 addr, u32 want)
{
        struct page *p = self->vm ? find(self->vm->space, page_down(addr)) : NULL;
        if (!p || !(p->prot & want) || (want == VM_WRITE && (p->prot & VM_COW)))
                return NULL;
        CHECK(want != VM_WRITE || p->f != &zero);
        return p->f->data + (addr & PAGE_MASK);
}
usize user_copy_in(mbytes d, u64 a) { usize n = 0; for (u8 *b; n < d.n_k && (b = byte_at(a + n, VM_READ)); n++) d.p_k[n] = *b; return n; }
usize user_copy_out(u64 a, bytes s) { usize n = 0; for (u8 *b; n < s.n_k && (b = byte_at(a + n, VM_WRITE)); n++) *b = s.p_k[n]; return n; }
usize user_zero(u64 a, usize len) { usize n = 0; for (u8 *b; n < len && (b = byte_at(a + n, VM_WRITE)); n++) *b = 0; return n; }
usize user_copy_string(mbytes d, u64 a, bool *found)
{
        usize n = 0;
        *found = false;
        for (u8 *b; n < d.n_k && !*found && (b = byte_at(a + n, VM_READ)); n++)
                *found = !(d.p_k[n] = *b);
        return n;
}
usize user_copy_from_frame(u64 a, struct frame *f, usize off, usize len) { return user_copy_out(a, (bytes){ f->data + off, len }); }
usize user_copy_to_frame(struct frame *f, usize off, u64 a, usize len) { return user_copy_in((mbytes){ f->data + off, len }, a); }
bool user_load32(u64 a, u32 *v)  { return user_copy_in(MBYTES_OF(*v), a) == sizeof *v; }
bool user_store32(u64 a, u32 v)  { return user_copy_out(a, BYTES_OF(v)) == sizeof v; }
bool user_load64(u64 a, u64 *v)  { return user_copy_in(MBYTES_OF(*v), a) == sizeof *v; }
bool user_store64(u64 a, u64 v)  { return user_copy_out(a, BYTES_OF(v)) == sizeof v; }
bool user_cmpxchg32(u64 a, u32 old, u32 new, u32 *seen) { return user_load32(a, seen) && (*seen != old || user_store32(a, new)); }

/* ---- locks, bytes ---- */

LOCK_CLASS(file_pos);
LOCK_CLASS(inode);

void k_rw_init(struct rwlock *l, const struct lock_class *c) { (void)l, (void)c; }
void read_lock(struct rwlock *l)    { CHECK(!l->writer_k); l->word_k++; }
void read_unlock(struct rwlock *l)  { CHECK(l->word_k); l->word_k--; }
void write_lock(struct rwlock *l)   { CHECK(!l->writer_k && !l->word_k); l->writer_k = 1; }
void write_unlock(struct rwlock *l) { CHECK(l->writer_k); l->writer_k = 0; }
usize mbytes_copy(mbytes d, bytes s) { usize n = min_u64(d.n_k, s.n_k); __builtin_memmove(d.p_k, s.p_k, n); return n; }
void mbytes_fill(mbytes d, u8 v) { memset(d.p_k, v, d.n_k); }
u64 mul_div(u64 a, u64 b, u64 d) { return (u64)((unsigned __int128)a * b / d); }

/* ---- files ---- */

#define FILE_PAGES 64
OBJECT(host_inode) { struct inode base; struct frame *page[FILE_PAGES]; };
POOL_DECLARE(host_inode)
DOWNCASTABLE(host_inode, inode);
OBJECT(host_file) { struct file base; };
POOL_DECLARE(host_file)

static void inode_done(struct host_inode *i) { for (u32 n = 0; n < FILE_PAGES; n++) frame_drop(i->page[n]); }
static void file_done(struct host_file *f) { inode_drop(f->base.inode); }
POOL_DEFINE(host_inode, inode_done);
POOL_DEFINE(host_file, file_done);

static struct host_inode *host(struct mapping *m) { return DOWNCAST(host_inode, m->host); }
static const struct mapping_ops no_ops;

struct file *host_file(u32 pages)
{
        struct host_inode *i = host_inode_alloc(NULL, MAY_RECLAIM);
        struct host_file *f = i ? host_file_alloc(NULL, MAY_RECLAIM) : NULL;
        if (!f) {
                host_inode_drop(i);
                return NULL;
        }
        i->base.mapping.host = &i->base;
        i->base.mapping.ops = &no_ops;
        i->base.size = pages * PAGE_SIZE;
        f->base.inode = &i->base;
        f->base.mode = FILE_READ | FILE_WRITE;
        for (u32 n = 0; n < pages; n++)
                if ((i->page[n] = frame_alloc(NULL, FRAME_ZERO)))
                        memset(i->page[n]->data, (int)n + 1, PAGE_SIZE);
        return &f->base;
}
struct frame *host_file_page(struct file *f, u64 i) { return host(&f->inode->mapping)->page[i]; }
err_t file_mmap(struct file *f, struct map_request *r) { r->kind = MAP_PAGES; r->mapping = &f->inode->mapping; return OK; }
err_t file_fallocate(struct file *f, u32 mode, i64 off, i64 len) { (void)f, (void)mode, (void)off, (void)len; return ERR(EOPNOTSUPP); }
err_t file_fsync(struct file *f, bool d) { (void)f, (void)d; return OK; }
struct frame *mapping_find(struct mapping *m, u64 i) { struct frame *f = i < FILE_PAGES ? host(m)->page[i] : NULL; return f ? frame_hold(f) : NULL; }
bool mapping_has(struct mapping *m, u64 i, struct frame *f) { return i < FILE_PAGES && host(m)->page[i] == f; }
err_t mapping_fault(struct mapping *m, u64 i, bool write, struct frame **out)
{
        if (i >= FILE_PAGES || i * PAGE_SIZE >= m->host->size)
                return ERR(EFAULT);
        struct host_inode *h = host(m);
        if (!h->page[i] && write && !(h->page[i] = frame_alloc(NULL, FRAME_ZERO)))
                return ERR(ENOMEM);
        *out = mapping_find(m, i);
        return OK;
}
void vfs_register_vm(const struct vfs_vm_ops *ops) { (void)ops; }

void host_init(void)
{
        self = thread_alloc(NULL, MAY_RECLAIM);
        self->process = process_alloc(NULL, MAY_RECLAIM);
        for (u32 i = 0; i < RLIMITS; i++)
                self->process->rlimit[i] = (struct rlimit){ U64_MAX, U64_MAX };
        self->cred = NULL;
}
