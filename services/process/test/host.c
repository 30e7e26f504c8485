/* SPDX-License-Identifier: Apache-2.0
 *
 * The stand-in of host.h.
 */
#include "services/process/test/host.h"
#include "services/exec/exec.h"
#include "services/time/clock.h"
#include "services/vfs/vfs.h"
#include "services/vm/vm.h"

LOCK_CLASS(io_owner);                   /* vfs's */

void *mmap(void *, usize, int, int, int, long);

u8 user_memory[USER_SIZE];
u64 allocs, fail_at, now = NSEC_PER_SEC;
i64 live_objects;
struct thread *self;
void (*asleep_hook)(void);
struct timer *armed;
void (*armed_fn)(struct timer *t);

/* ---- pools ---- */

struct host_pool { u64 used; void *free; };

void *k_pool_alloc(struct pool *pool, struct payer *payer, enum alloc_mode mode)
{
        (void)payer, (void)mode;
        if (++allocs == fail_at)
                return NULL;
        struct host_pool *h = pool->state_k;
        if (!h) {
                h = pool->state_k = calloc(1, sizeof *h);
                pool->base_k = (u64)mmap(NULL, 1ul << K_REGION_SHIFT, 3, 0x4022, -1, 0) + 64;
        }
        void *p = h->free;
        if (p)
                h->free = *(void **)p;
        else
                p = (void *)(pool->base_k + pool->slot_k * h->used++);
        memset(p, 0, pool->size_k);
        k_hdr(p)->refs = 1 | K_UNPUBLISHED;
        k_hdr(p)->payer = (struct payer *)pool;
        live_objects++;
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

void k_count_trap(void *p) { printf("bad count of %p (%s)\n", p, ((struct pool *)k_hdr(p)->payer)->name_k); __builtin_trap(); }
bool k_try_hold(void *p)
{
        if (!p || !k_refs(p) || (k_hdr(p)->refs & K_UNPUBLISHED))
                return false;
        k_hold(p);
        return true;
}
struct payer *payer_hold(struct payer *p) { return p; }
void payer_drop(struct payer *p) { (void)p; }

OBJECT(blob) { u64 len, cap; u8 data[4096]; };
struct blob *blob_alloc(struct payer *payer, usize cap)
{
        (void)payer;
        if (++allocs == fail_at)
                return NULL;
        struct blob *b = calloc(1, sizeof *b);
        b->len = b->cap = cap;
        live_objects++;
        return b;
}
void free(void *);
struct blob *blob_hold(struct blob *b) { return b; }
void blob_drop(struct blob *b) { if (b) { live_objects--; free(b); } }
mbytes blob_mbytes(struct blob *b) { return (mbytes){ b->data, b->cap }; }
bytes blob_bytes(struct blob *b) { return (bytes){ b->data, b->len }; }
void blob_set_len(struct blob *b, usize n) { b->len = n; }
struct blob *blob_copy(struct payer *payer, bytes c)
{
        struct blob *b = blob_alloc(payer, c.n_k);
        if (b)
                memcpy(b->data, c.p_k, c.n_k);
        return b;
}

/* ---- tasks ---- */

static u32 task_at;
static struct task tasks[65536];

struct task *task_new_user(struct task_body *body, const struct user_ops *ops, struct payer *payer, bool copy_fpu)
{
        (void)ops, (void)payer, (void)copy_fpu;
        if (++allocs == fail_at)
                return NULL;
        struct task *t = &tasks[task_at++];
        *t = (struct task){ .body = task_body_hold(body) };
        *(struct task **)&body->task = t;
        live_objects++;
        return t;
}
/* The new thread begins at once, as far as its first user instruction. */
void task_start(struct task *t)
{
        struct thread *old = self;
        self = DOWNCAST(thread, t->body);
        user_start(t->body, &t->regs);
        if (t->exiting)
                host_end(self);
        self = old;
}
void task_discard(struct task *t) { live_objects--; task_body_drop(t->body); }
struct task_body *task_current(void) { return &self->base; }
void task_set_urgent(struct task *t, bool urgent) { (void)t; (void)urgent; }
void task_exit(void) { self->base.task->exiting = true; }
void task_set_ops(struct task *t, const struct user_ops *ops) { (void)t, (void)ops; }
void task_set_name(struct task *t, bytes name) { (void)t, (void)name; }
void task_set_space(struct vmspace *s) { (void)s; }
void task_set_space_of(struct task *t, struct vmspace *s) { (void)t, (void)s; }
void task_interrupt(struct task *t, enum intr why) { t->intr |= why; t->notified = true; }
void task_clear_interrupts(u32 mask) { self->base.task->intr &= ~mask; }
u32  task_interrupts(void) { return self->base.task->intr; }
void cpu_barrier(void) {}
void task_notify(struct task *t) { t->notified = true; }
struct task_times task_times(struct task *t) { (void)t; return (struct task_times){ 1000000, 2000000, 0 }; }
u64  task_switches(struct task *t, bool v) { (void)t; return v; }
enum task_state task_state(struct task *t) { (void)t; return TASK_RUNNABLE; }
bool task_sleeps_interruptibly(struct task *t) { (void)t; return false; }
u32  cpu_count(void) { return 1; }
void task_yield(void) {}
u32  cpu_id(void) { return 0; }
void sched_register(const struct sched_ops *o) { (void)o; }
void sched_resched(u32 cpu) { (void)cpu; }

void host_run(struct thread *t) { self = t; }
void host_end(struct thread *t)
{
        CHECK(t->base.task->exiting);
        live_objects--;
        thread_drop(t);
}

/* ---- locks: taken once each, in the right order as far as two classes go ---- */

static u32 spins;
void spin_lock(struct spinlock *l)   { CHECK(!l->word_k); l->word_k = 1; spins++; }
void spin_unlock(struct spinlock *l) { CHECK(l->word_k); l->word_k = 0; spins--; }
void k_spin_init(struct spinlock *l, const struct lock_class *c) { (void)l, (void)c; }
void k_mutex_init(struct mutex *l, const struct lock_class *c) { (void)l, (void)c; }
void k_rw_init(struct rwlock *l, const struct lock_class *c) { (void)l, (void)c; }
void cpu_relax(void) {}

/* ---- waiting ---- */

struct waiter k_waiter_begin(void) { return (struct waiter){}; }
void  k_waiter_end(struct waiter *w) { (void)w; }
void  k_waiter_add(struct waiter *w, struct waitq *q) { (void)w, (void)q; }
static err_t asleep(void)
{
        CHECK(!spins && asleep_hook);
        struct thread *sleeper = self;
        void (*hook)(void) = asleep_hook;
        asleep_hook = NULL;
        hook();
        self = sleeper;
        return OK;
}
err_t waiter_sleep(struct waiter *w, enum wait_mode m, u64 d) { (void)w, (void)m, (void)d; return asleep(); }
err_t task_sleep_while(const u32 *word, u32 is, enum wait_mode m, u64 d) { (void)m, (void)d; return *word == is ? asleep() : OK; }
void  task_wake(struct task *t) { (void)t; }
err_t waitq_sleep_spin(struct waitq *q, struct spinlock *l, enum wait_mode m, u64 d)
{
        (void)q, (void)m, (void)d;
        spin_unlock(l);
        err_t err = asleep();
        spin_lock(l);
        return err;
}
u32   waitq_wake_one(struct waitq *q) { (void)q; return 0; }
u32   waitq_wake_all(struct waitq *q) { (void)q; return 0; }
err_t sleep_until(u64 d, enum wait_mode m) { (void)d, (void)m; return asleep(); }
u64   time_now(void) { return now; }
u64   time_coarse(void) { return now; }
static struct waitq clock_set;
struct waitq *clock_changed(void) { return &clock_set; }
err_t notifier_init(struct notifier *n, void (*notify)(struct notifier *n)) { (void)n, (void)notify; return OK; }
struct waiter notifier_waiter(struct notifier *n) { (void)n; return (struct waiter){}; }
void  notifier_fini(struct notifier *n) { (void)n; }
u64   clock_deadline(u32 id, bool absolute, u64 ns) { (void)id; return absolute ? ns : now + ns; }
err_t timer_init(struct timer *t, void (*fn)(struct timer *)) { (void)t; if (++allocs == fail_at) return ERR(ENOMEM); armed_fn = fn; return OK; }
void  timer_arm(struct timer *t, u64 d) { armed = d == NEVER ? NULL : t; }
void  timer_fini(struct timer *t) { if (armed == t) armed = NULL; }

/* ---- bytes, log, machine ---- */

usize mbytes_copy(mbytes d, bytes s) { usize n = min_u64(d.n_k, s.n_k); __builtin_memmove(d.p_k, s.p_k, n); return n; }
void  mbytes_fill(mbytes d, u8 v) { memset(d.p_k, v, d.n_k); }
usize bytes_find(bytes b, u8 v) { usize i = 0; while (i < b.n_k && b.p_k[i] != v) i++; return i; }
u32   hash_u64(u64 v) { return (u32)(v * 0x9e3779b97f4a7c15ul >> 32); }
u32   bytes_hash(bytes b) { return (u32)b.n_k; }
bool  bytes_eq(bytes a, bytes b) { return a.n_k == b.n_k && !__builtin_memcmp(a.p_k, b.p_k, a.n_k); }
void  k_log(enum log_level l, bytes f, u32 n, const struct log_arg *a) { (void)l, (void)f, (void)n, (void)a; }
usize k_format(mbytes d, bytes f, u32 n, const struct log_arg *a) { (void)n, (void)a; return mbytes_copy(d, f); }
void  machine_panic(bytes why) { printf("panic: %.*s\n", (int)why.n_k, why.p_k); exit(2); }
struct mem_stats mem_stats(void) { return (struct mem_stats){ .total = 1 << 18 }; }
u64   random_u64(void) { return 4; }

/* ---- user memory, FPU ---- */

static u8 *user_at(u64 a, u64 n) { return a >= USER_BASE && a + n <= USER_BASE + USER_SIZE ? user_memory + (a - USER_BASE) : NULL; }
usize user_copy_in(mbytes d, u64 a) { u8 *p = user_at(a, d.n_k); if (p) memcpy(d.p_k, p, d.n_k); return p ? d.n_k : 0; }
usize user_copy_out(u64 a, bytes s) { u8 *p = user_at(a, s.n_k); if (p) memcpy(p, s.p_k, s.n_k); return p ? s.n_k : 0; }
bool  user_load32(u64 a, u32 *v) { return user_copy_in(MBYTES_OF(*v), a) == 4; }
bool  user_cmpxchg32(u64 a, u32 old, u32 new, u32 *seen) { return user_load32(a, seen) && (*seen != old || user_copy_out(a, BYTES_OF(new)) == 4); }
err_t vm_copy_in_rest(mbytes d, u64 a, usize n) { (void)d, (void)a, (void)n; return ERR(EFAULT); }
err_t vm_copy_out_rest(u64 a, bytes s, usize n) { (void)a, (void)s, (void)n; return ERR(EFAULT); }
err_t vm_load32(u64 a, u32 *v) { return vm_copy_in(MBYTES_OF(*v), a); }
err_t vm_load64(u64 addr, u64 *value) { (void)addr, (void)value; return ERR(EFAULT); }
struct vm_domain *vm_domain_of(struct vm *vm) { (void)vm; return NULL; }
struct vm_settings vm_settings(struct vm_domain *d) { (void)d; return (struct vm_settings){ 0 }; }
err_t inode_permission(const struct actor *who, struct inode *inode, u32 want) { (void)who, (void)inode, (void)want; return OK; }
bool inode_file_caps(struct inode *inode, struct cap_sets *caps) { (void)inode, (void)caps; return false; }
err_t vm_store64(u64 addr, u64 value) { (void)addr, (void)value; return ERR(EFAULT); }
err_t vm_store32(u64 a, u32 v) { return vm_copy_out(a, BYTES_OF(v)); }
err_t vm_cmpxchg32(u64 a, u32 old, u32 new, u32 *seen) { return user_cmpxchg32(a, old, new, seen) ? OK : ERR(EFAULT); }
err_t vm_copy_string(mbytes d, u64 a, usize *len)
{
        for (*len = 0; *len < d.n_k; ++*len)
                if (!user_at(a + *len, 1))
                        return ERR(EFAULT);
                else if (!(d.p_k[*len] = *user_at(a + *len, 1)))
                        return OK;
        return ERR(ENAMETOOLONG);
}
err_t vm_fault_in(u64 a, u64 n, bool w) { (void)w; CHECK(!spins); return user_at(a, n) ? OK : ERR(EFAULT); }
err_t user_set_fs(struct task *t, u64 b) { (void)t; return b < VM_MAX ? OK : ERR(EPERM); }
err_t user_set_gs(struct task *t, u64 b) { (void)t, (void)b; return OK; }
u64   user_get_fs(struct task *t) { (void)t; return 0; }
u64   user_get_gs(struct task *t) { (void)t; return 0; }
static u8 fpu[832];
usize fpu_size(void) { return sizeof fpu; }
u64   fpu_features(void) { return 7; }
u32   user_keys(void) { return 0; }
void  user_set_keys(u32 v) { (void)v; }
usize fpu_save(mbytes out) { memcpy(out.p_k, fpu, sizeof fpu); return sizeof fpu; }
bool user_fpu_save(u64 addr, bytes software)
{
        u8 *p = user_at(addr, sizeof fpu);
        if (!p)
                return false;
        memcpy(p, fpu, sizeof fpu);
        memcpy(p + 464, software.p_k, software.n_k < FPU_SOFTWARE ? software.n_k : FPU_SOFTWARE);
        return true;
}
err_t user_fpu_load(u64 addr, usize len, u64 mask, bool *missing)
{
        u8 *p = user_at(addr, len);
        (void)mask;
        *missing = !p;
        if (!p)
                return ERR(EFAULT);
        memset(fpu, 0, sizeof fpu);
        memcpy(fpu, p, len < sizeof fpu ? len : sizeof fpu);
        memset(fpu + 464, 0, FPU_SOFTWARE);
        return OK;
}
void  fpu_reset(void) { memset(fpu, 0, sizeof fpu); }

/* ---- address spaces, descriptors, programs: objects that only count ---- */

OBJECT(vm) { u32 x; };
POOL_DEFINE(vm, NO_FINI);
POOL_DEFINE(files, NO_FINI);
POOL_DEFINE(fs_context, NO_FINI);
err_t vm_clone(struct vm *from, struct payer *p, struct vm **out) { (void)from; return (*out = vm_alloc(p, MAY_RECLAIM)) ? OK : ERR(ENOMEM); }
struct vmspace *vm_space(struct vm *vm) { (void)vm; return NULL; }
u64   vm_rss(struct vm *vm) { (void)vm; return 10; }
u64   vmspace_tables(struct vmspace *s) { (void)s; return 1; }
struct vm_fault_result vm_fault(struct vm *vm, u64 a, u32 w) { (void)vm, (void)a, (void)w; return (struct vm_fault_result){ SIGSEGV, SEGV_MAPERR, false }; }
err_t vm_key_get(u64 a, bool shared, bool w, struct vm_key *k) { (void)shared, (void)w; *k = (struct vm_key){ .vm = self->vm, .at = a }; return user_at(a, 4) ? OK : ERR(EFAULT); }
void  vm_key_put(struct vm_key *k) { (void)k; }
struct files *files_copy(struct payer *p, struct files *old) { (void)old; return files_alloc(p, MAY_RECLAIM); }
struct fs_context *fs_context_copy(struct payer *p, struct fs_context *old) { (void)old; return fs_context_alloc(p, MAY_RECLAIM); }
void fs_move(struct fs_context *fs, const struct path *old, const struct path *new) { (void)fs; (void)old; (void)new; }
void  files_close_on_exec(struct files *f) { (void)f; }
err_t files_get_flags(struct files *f, u32 fd, u32 *flags) { (void)f, (void)fd, (void)flags; return ERR(EBADF); }
/* There are no pidfds here. */
err_t files_reserve(struct files *f, u32 flags, u32 from, u64 limit, u32 *fd)
{
        (void)f, (void)flags, (void)from, (void)limit, (void)fd;
        return ERR(EMFILE);
}
void  files_unreserve(struct files *f, u32 fd) { (void)f, (void)fd; }
void  files_set(struct files *f, u32 fd, struct file *file) { (void)f, (void)fd, (void)file; }
struct fd_ref fd_get_shared(struct files *f, u32 fd) { (void)f, (void)fd; return (struct fd_ref){}; }
void  file_fini(struct file *f) { (void)f; }
err_t file_init_anon(struct file *f, const struct file_ops *ops, struct cred *cred, u32 flags, bytes name)
{
        (void)f, (void)ops, (void)cred, (void)flags, (void)name;
        return ERR(ENOMEM);
}
err_t generic_noop_llseek(struct file *f, i64 off, u32 whence, u64 *pos) { (void)f, (void)off, (void)whence, (void)pos; return OK; }
struct actor actor_current(void) { return (struct actor){}; }

static struct mount mnt;
OBJECT(host_file) { struct file base; };
POOL_DECLARE(host_file)
POOL_DEFINE(host_file, NO_FINI);
OBJECT(host_inode) { struct inode base; };
static struct host_inode program;
err_t vfs_open_exec(const struct actor *who, i32 dfd, bytes path, u32 flags, struct file **out)
{
        (void)who, (void)dfd, (void)path, (void)flags;
        struct host_file *f = host_file_alloc(NULL, MAY_RECLAIM);
        if (!f)
                return ERR(ENOMEM);
        program.base.mode = 0100755;
        f->base.inode = &program.base;
        f->base.path.mnt = &mnt;
        *out = &f->base;
        return OK;
}
err_t exec_check_arguments(const struct exec_strings *argv, const struct exec_strings *envp) { (void)argv, (void)envp; return OK; }
err_t exec_prepare(struct exec_request *r, struct exec_image *image)
{
        *image = (struct exec_image){ .program = file_hold(r->file) };
        image->vm = vm_alloc(r->payer, MAY_RECLAIM);
        err_t err = image->vm ? r->ops->cred(r->file, &image->cred, &image->secure) : ERR(ENOMEM);
        if (failed(err))
                exec_discard(image);
        return err;
}
void exec_commit(struct exec_image *image, struct user_regs *regs)
{
        struct vm *old = self->vm;
        self->vm = image->vm;
        *regs = (struct user_regs){ .rip = 1, .orig_rax = ~0ul };
        vm_drop(old);
}
void exec_discard(struct exec_image *image)
{
        vm_drop(image->vm);
        file_drop(image->program);
        cred_drop(image->cred);
        *image = (struct exec_image){};
}
POOL_DEFINE(mnt_ns, NO_FINI);
err_t mnt_ns_copy(struct payer *p, struct mnt_ns *old, struct user_ns *user, struct fs_context *fs, struct mnt_ns **out)
{
        (void)p, (void)old, (void)user, (void)fs, (void)out;
        return ERR(ENOMEM);
}

/* What helpers of the kernel stand in: no test starts one. */
struct files *files_new(struct payer *payer) { return files_alloc(payer, MAY_RECLAIM); }
err_t files_add(struct files *files, struct file *file, u32 fd_flags, u32 from, u64 limit, u32 *fd)
{
        (void)files, (void)file, (void)fd_flags, (void)from, (void)limit, (void)fd;
        return ERR(EMFILE);
}
struct fs_context *fs_context_new(struct payer *payer, const struct path *root, const struct path *cwd)
{
        (void)root, (void)cwd;
        return fs_context_alloc(payer, MAY_RECLAIM);
}
struct path fs_root(struct fs_context *fs) { (void)fs; return (struct path){}; }
void fs_set_root(struct fs_context *fs, const struct path *p) { (void)fs, (void)p; }
void fs_set_cwd(struct fs_context *fs, const struct path *p) { (void)fs, (void)p; }
void path_descend(struct path *p) { (void)p; }
void path_drop(struct path *p) { (void)p; }
struct payer *payer_current(void) { return NULL; }
