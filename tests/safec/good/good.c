// Programs that must be accepted: the ordinary ways of writing a service.
//! good object_with_pool
LOCK_CLASS(counter);
OBJECT(counter) { struct mutex lock; u64 value; bool frozen; struct counter *next; struct waitq changed; };
POOL_DECLARE(counter)
static void counter_fini(struct counter *c) { counter_drop(c->next); }
POOL_DEFINE(counter, counter_fini);
struct counter *counter_make(struct payer *payer, struct counter *next)
{
        struct counter *c = counter_alloc(payer, MAY_RECLAIM);
        if (!c)
                return NULL;
        lock_init(&c->lock, counter);
        c->next = next ? counter_hold(next) : NULL;
        counter_publish(c);
        return c;
}
err_t counter_add(struct counter *c, u64 n)
{
        GUARD(&c->lock);
        if (c->frozen)
                return ERR(EPERM);
        if (add_overflows(c->value, n))
                return ERR(EOVERFLOW);
        c->value += n;
        waitq_wake_all(&c->changed);
        return OK;
}
err_t counter_wait(struct counter *c, u64 until)
{
        GUARD(&c->lock);
        while (c->value < until)
                TRY(waitq_sleep(&c->changed, &c->lock, WAIT_INTERRUPTIBLE, NEVER));
        return OK;
}
//! good base_and_object
STABLE(node_ops);
BASE(node) { const struct node_ops *ops; u32 flags; struct node *parent; };
BASE_DECLARE(node)
STABLE(node_ops) { err_t (*read)(struct node *n, mbytes to, usize *done); };
OBJECT(leaf) { struct node base; u8 data[64]; u32 used; };
POOL_DECLARE(leaf)
DOWNCASTABLE(leaf, node);
static err_t leaf_read(struct node *n, mbytes to, usize *done)
{
        struct leaf *l = DOWNCAST(leaf, n);
        *done = mbytes_copy(to, bytes_take(BYTES_OF(l->data), l->used));
        return OK;
}
static const struct node_ops leaf_ops = { .read = leaf_read };
struct node *leaf_make(struct payer *payer)
{
        struct leaf *l = leaf_alloc(payer, NOWAIT);
        if (!l)
                return NULL;
        l->base.ops = &leaf_ops;
        leaf_publish(l);
        return &l->base;
}
bool is_leaf(struct node *n) { return IS_A(leaf, n); }
bool are_sorted(struct leaf *a, struct leaf *b) { return OBJECT_BEFORE(a, b); }
static void leaf_fini(struct leaf *l) { if (l->base.parent) node_drop(l->base.parent); }
POOL_DEFINE(leaf, leaf_fini);
err_t node_read(struct node *n, mbytes to, usize *done) { return n->ops->read(n, to, done); }
//! good timer_owner
OBJECT(conn) { struct timer retransmit; struct timer close; u32 tries; };
POOL_DECLARE(conn)
static void on_timer(struct timer *t) { struct conn *c = OWNER_OF(conn, retransmit, t); c->tries++; timer_arm(t, time_now() + NSEC_PER_SEC); }
static void on_close(struct timer *t) { OWNER_OF(conn, close, t)->tries = 0; }
err_t conn_start(struct conn *c)
{
        TRY(timer_init(&c->retransmit, on_timer));
        TRY(timer_init(&c->close, on_close));
        timer_arm(&c->retransmit, time_now() + 5 * NSEC_PER_MSEC);
        return OK;
}
static void conn_fini(struct conn *c) { timer_fini(&c->retransmit); timer_fini(&c->close); }
POOL_DEFINE(conn, conn_fini);
//! good slices_and_cursors
struct cursor { bytes rest; };
static bool next_line(struct cursor *c, bytes *unused_out) { return bytes_len(c->rest) > 0 && unused_out != NULL; }
struct line { bytes text; bool more; };
static struct line take_line(struct cursor *c)
{
        usize at = bytes_find(c->rest, '\n');
        if (at == bytes_len(c->rest))
                return (struct line){ c->rest, false };
        bytes text = bytes_take(c->rest, at);
        c->rest = bytes_skip(c->rest, at + 1);
        return (struct line){ .text = text, .more = true };
}
u32 count_lines(bytes all)
{
        struct cursor c = { all };
        u32 n = 0;
        while (bytes_len(c.rest) > 0) {
                struct line l = take_line(&c);
                n += bytes_starts(l.text, STR("#")) ? 0 : 1;
                if (!l.more)
                        break;
        }
        return n + next_line(&c, NULL);
}
static bytes trim(bytes b)
{
        while (bytes_len(b) && bytes_at(b, 0) == ' ')
                b = bytes_skip(b, 1);
        return b;
}
bytes longer(bytes a, bytes b) { bytes x = trim(a), y = trim(b); return bytes_len(x) > bytes_len(y) ? x : y; }
//! good pod_and_bytes
struct header { u16 kind, size; u32 sum; u8 name[24]; };
err_t parse(bytes b, struct header *out)
{
        if (bytes_len(b) < sizeof *out)
                return ERR(EINVAL);
        POD_READ(out, b);
        out->name[sizeof out->name - 1] = 0;
        return out->kind == bytes_be16(b, 0) ? OK : ERR(EIO);
}
usize build(mbytes to, u16 kind)
{
        struct header h = { .kind = kind, .size = sizeof h };
        mbytes_copy(MBYTES_OF(h.name), STR("keel"));
        POD_WRITE(to, h);
        mbytes_put_le32(to, 4, bytes_hash(BYTES_OF(h)));
        return sizeof h;
}
//! good packed_wire_format
struct PACKED wire { u8 version; u32 length; u16 port; u8 data[9]; };
u32 wire_length(bytes b)
{
        struct wire w = { };
        POD_READ(&w, b);
        u32 n = w.length;
        n += bytes_le32(BYTES_OF(w.length), 0) + w.data[n & 7];
        return n + w.port;
}
//! good lock_free_list
OBJECT(entry) { struct entry *next; u64 key; u32 users; };
POOL_DECLARE(entry)
STABLE(bucket) { struct entry *first; struct spinlock lock; };
static struct bucket buckets[64];
struct entry *find(u64 key)
{
        struct bucket *b = &buckets[hash_u64(key) % ARRAY_SIZE(buckets)];
        for (struct entry *e = PTR_LOAD(b->first); e; e = PTR_LOAD(e->next))
                if (LOAD(e->key) == key && entry_try_hold(e)) {
                        if (LOAD(e->key) == key)
                                return e;
                        entry_drop(e);
                }
        return NULL;
}
void insert(struct entry *e)
{
        struct bucket *b = &buckets[hash_u64(e->key) % ARRAY_SIZE(buckets)];
        SPIN_GUARD(&b->lock);
        e->next = b->first;
        PTR_STORE(b->first, e);
        FETCH_ADD(e->users, 1);
}
bool claim(struct entry *e) { return CMPXCHG(e->users, 0, 1) && XCHG(e->key, 5) != 5; }
POOL_DEFINE(entry, NULL);
//! good list_template
#define LIST_DEFINE(NAME, TYPE, FIELD) \
        STABLE(NAME) { struct TYPE *first; struct TYPE *last; u32 count; }; \
        static inline void NAME##_push(struct NAME *l, struct TYPE *x) \
        { \
                x->FIELD = NULL; \
                if (l->last) \
                        l->last->FIELD = x; \
                else \
                        l->first = x; \
                l->last = x; \
                l->count++; \
        } \
        static inline struct TYPE *NAME##_pop(struct NAME *l) \
        { \
                struct TYPE *x = l->first; \
                if (x) { \
                        l->first = x->FIELD; \
                        if (!l->first) \
                                l->last = NULL; \
                        l->count--; \
                } \
                return x; \
        } \
        static inline bool NAME##_empty(const struct NAME *l) { return l->first == NULL; }
#define LIST_EACH(x, l, FIELD) for ((x) = (l)->first; (x); (x) = (x)->FIELD)
OBJECT(job) { struct job *next; u32 size; };
LIST_DEFINE(job_list, job, next)
static struct job_list jobs;
u32 total(void) { struct job *j; u32 n = 0; LIST_EACH(j, &jobs, next) n += j->size; return n; }
struct job *take(void) { return job_list_empty(&jobs) ? NULL : job_list_pop(&jobs); }
void give(struct job *j) { job_list_push(&jobs, j); }
//! good control_flow
enum state { IDLE, BUSY, DEAD };
u32 name_length(enum state s)
{
        switch (s) {
        case IDLE: return 4;
        case BUSY: return 4;
        case DEAD: fallthrough;
        default: return 0;
        }
}
err_t setup(struct payer *payer, struct blob **out)
{
        struct blob *a = NULL, *b = NULL;
        err_t err = ERR(ENOMEM);

        a = blob_alloc(payer, 10);
        if (!a)
                goto out;
        b = blob_copy(payer, STR("hello"));
        if (!b)
                goto drop_a;
        for (u32 i = 0; i < 10; i++) {
                if (i == 3)
                        continue;
                if (i == 7)
                        break;
                u8 c = bytes_at(blob_bytes(b), i % 5);
                do {
                        c--;
                } while (c > 100);
        }
        *out = b;
        err = OK;
drop_a:
        blob_drop(a);
out:
        return err;
}
u32 forever(struct waitq *q)
{
        for (;;) {
                if (waitq_wake_one(q))
                        return 1;
                task_yield();
        }
}
//! good arithmetic
u64 mix(u32 a, i32 b, u8 c, bool d, i64 e)
{
        u64 s = (u64)a << (c & 31);
        s += (u64)(i64)b + d + (u32)e;
        s ^= s >> 13;
        s = s / (a | 1) + s % 7u;
        e = e / 10 + e % 1000 - (e >> 3);
        a = ~a & 0xff00u;
        b = -b;
        return s + (u64)e + a + (u32)b + (c > 3 ? 'x' : sizeof(u16)) + min_u64(a, s) + bit_count(s);
}
//! good unions_of_pods
struct v4 { u8 octet[4]; };
struct v6 { u16 part[8]; };
union address { struct v4 v4; struct v6 v6; u64 words[2]; };
struct endpoint { union address address; u16 port; u16 family; u32 scope; };
bool same(const struct endpoint *a, const struct endpoint *b)
{
        return a->family == b->family && a->port == b->port &&
               a->address.words[0] == b->address.words[0] && bytes_eq(BYTES_OF(*a), BYTES_OF(*b));
}
//! good frames_and_pins
err_t fill_frame(struct payer *payer, struct frame **out, u8 with)
{
        struct frame *f = frame_alloc(payer, FRAME_ZERO);
        if (!f)
                return ERR(ENOMEM);
        PIN(p, f);
        mbytes b = pin_bytes(&p);
        for (usize i = 0; i < mbytes_len(b); i += 8)
                mbytes_put(b, i, with);
        frame_write(f, 8, STR("x"));
        *out = f;
        return OK;
}
//! good small_result_structs
OBJECT(file) { u32 pos; };
struct file_result { struct file *file; err_t err; };
static struct file_result open(struct file *f) { return f ? (struct file_result){ .file = f } : (struct file_result){ .err = ERR(ENOENT) }; }
err_t use(struct file *f, u32 *pos)
{
        struct file_result r = open(f);
        if (failed(r.err))
                return r.err;
        *pos = r.file->pos;
        return OK;
}
//! good logging
void report(u32 a, u64 b, i32 c, bytes name, err_t e, bool f)
{
        klog(LOG_INFO, "nothing");
        klog(LOG_DEBUG, "a {} b {x} c {} name {} err {} flag {}", a, b, c, name, e, f);
        u8 line[80];
        usize n = format(MBYTES_OF(line), "{} {}", a, name);
        klog(LOG_INFO, "{}", bytes_take(BYTES_OF(line), n));
}
//! good tables
STABLE(entry) { u32 number; err_t (*run)(u64 a, u64 b); };
static err_t first(u64 a, u64 b) { return a == b ? OK : ERR(EINVAL); }
static err_t second(u64 a, u64 b) { return a > b ? OK : ERR(EINVAL); }
static const struct entry table[] = { [0] = { 1, first }, [1] = { .number = 2, .run = second }, };
static const u8 digits[16] = "0123456789abcdef";
static const bytes names[] = { { }, { } };
err_t run(u32 n, u64 a, u64 b)
{
        if (n >= ARRAY_SIZE(table) || !table[n].run)
                return ERR(ENOSYS);
        return table[n].run(a, digits[b & 15] + bytes_len(names[n & 1]));
}
//! good copies_of_user_memory
struct user_time { i64 sec; i64 nsec; };
err_t get_time(u64 user, u64 *out)
{
        struct user_time t = { };
        if (user_copy_in(MBYTES_OF(t), user) != sizeof t)
                return ERR(EFAULT);
        if (t.nsec < 0 || t.nsec >= (i64)NSEC_PER_SEC)
                return ERR(EINVAL);
        *out = (u64)t.sec * NSEC_PER_SEC + (u64)t.nsec;
        return user_copy_out(user, BYTES_OF(t)) == sizeof t ? OK : ERR(EFAULT);
}
//! good address_space
err_t map_at(struct vmspace *s, struct frame *f, u64 addr)
{
        VM_CURSOR(c, s, page_down(addr));
        struct vm_page pg = cursor_get(&c);
        if (pg.frame)
                return ERR(EEXIST);
        TRY(cursor_map(&c, f, VM_READ | VM_WRITE));
        return OK;
}
//! good waiting
err_t wait_two(struct waitq *a, struct waitq *b, const bool *done, u64 deadline)
{
        WAITER(w);
        waiter_add(&w, a);
        waiter_add(&w, b);
        while (!LOAD(*done))
                TRY(waiter_sleep(&w, WAIT_KILLABLE, deadline));
        return OK;
}
//! good scheduler
OBJECT(thread) { struct task_body body; struct thread *next; u64 slice; };
POOL_DECLARE(thread)
static struct thread *head;
static u64 step(struct task_body *self) { return self->task ? NEVER : 0; }
static const struct kthread_ops ops = { .step = step };
struct task *start(struct thread *t, struct payer *p) { head = t; return task_new_kernel(&t->body, &ops, p); }
//! good per_cpu_array
STABLE(count) { u64 events; u64 misses; } CACHE_ALIGNED;
static struct count counts[MAX_CPUS];
void event(void) { NO_PREEMPT(); counts[cpu_id()].events++; }
u64 events(void) { u64 n = 0; for (u32 i = 0; i < cpu_count() && i < MAX_CPUS; i++) n += LOAD_RELAXED(counts[i].events); return n; }
//! good cleanup_word
static void note(u32 *depth) { *depth = 0; }
u32 scoped(u32 x) { u32 depth CLEANUP(note) = x; { u32 inner CLEANUP(note) = depth; depth += inner; } return depth; }
//! good pointers_to_arrays
STABLE(grid) { u32 cell[8][8]; };
static struct grid grid;
static u32 sum(u32 (*row)[8]) { u32 n = 0; for (u32 i = 0; i < 8; i++) n += (*row)[i]; return n; }
u32 all(void) { u32 n = 0; for (u32 i = 0; i < 8; i++) n += sum(&grid.cell[i]); return n; }
//! good inner_scopes_of_borrows
u32 inner(bytes b)
{
        u32 n = 0;
        bytes rest = b;
        for (u32 i = 0; i < 3; i++) {
                u8 copy[16] = { };
                mbytes m = MBYTES_OF(copy);
                n += (u32)mbytes_copy(m, rest);
                bytes part = bytes_const(m);
                n += bytes_at(part, 0);
                rest = bytes_skip(rest, 1);
        }
        return n;
}
//! good services_entry
void services_start(void) { klog(LOG_INFO, "up"); }
//! good anonymous_parts
OBJECT(mixed) { u32 kind; union { u32 number; u8 raw[8]; }; struct { u32 a, b; struct mutex lock; } part; struct { u32 c; }; };
u32 mixed_sum(struct mixed *m) { GUARD(&m->part.lock); return m->number + m->raw[7] + m->part.a + m->c; }
//! good names_that_frame_also_uses
u32 names(u32 frame, u32 task, u64 bytes, u32 pool, u32 mutex, u32 base, u32 time) { return frame + task + (u32)bytes + pool + mutex + base + time; }
//! good header_templates
//+ map.h
#pragma once
#define MAP_DECLARE(NAME, TYPE) STABLE(NAME) { struct TYPE *slot[16]; }; struct TYPE *NAME##_get(struct NAME *m, u32 i);
#define MAP_DEFINE(NAME, TYPE) struct TYPE *NAME##_get(struct NAME *m, u32 i) { return PTR_LOAD(m->slot[i & 15]); }
//-
#include "map.h"
OBJECT(thing) { u32 x; };
MAP_DECLARE(thing_map, thing)
MAP_DEFINE(thing_map, thing)
//! good pci_driver
OBJECT(nic) { struct pci_device *dev; struct mmio *regs; struct irq_handler irq; struct virtq *queue; struct frame *frame; u32 events; };
POOL_DECLARE(nic)
POOL_DEFINE(nic, NO_FINI);
static void nic_event(struct irq_handler *h)
{
        struct nic *n = OWNER_OF(nic, irq, h);
        mmio_write32(n->regs, 0x64, mmio_read32(n->regs, 0x24));
        FETCH_ADD(n->events, 1);
}
static err_t nic_start(struct nic *n)
{
        TRY(pci_enable(n->dev));
        n->regs = pci_map_bar(n->dev, 0);
        if (!n->regs || mmio_size(n->regs) < 4096)
                return ERR(ENODEV);
        TRY(irq_attach_msix(&n->irq, n->dev, 0, nic_event));
        u64 features;
        TRY(virtio_begin(n->dev, 0, &features));
        n->queue = virtq_open(n->dev, 0, 64, 0);
        if (!n->queue)
                return ERR(ENODEV);
        TRY(virtio_go(n->dev, VIRTIO_NO_ENTRY));
        struct virtq_request r = { .cookie = 1, .out = 1, .part = { { n->frame, 0, 64 } } };
        return virtq_add(n->queue, &r);
}
static void nic_stop(struct nic *n)
{
        irq_detach(&n->irq);
        pci_reset(n->dev);
}
static struct pci_device *nic_find(void)
{
        struct pci_device *d;
        for (u32 i = 0; (d = pci_device(i)); i++) {
                struct pci_info in = pci_info(d);
                if (in.vendor == 0x1234 && in.class >> 16 == 2 && pci_capability(d, 17, 0))
                        return d;
        }
        return NULL;
}
err_t nic_probe(struct payer *payer)
{
        struct nic *n = nic_alloc(payer, MAY_RECLAIM);
        if (!n)
                return ERR(ENOMEM);
        n->dev = nic_find();
        if (!n->dev) {
                nic_drop(n);
                return ERR(ENODEV);
        }
        err_t err = nic_start(n);
        nic_stop(n);
        nic_drop(n);
        return err;
}
