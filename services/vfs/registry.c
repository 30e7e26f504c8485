/* SPDX-License-Identifier: Apache-2.0
 *
 * What is one per machine in the file layer, and not a namespace's: file system types,
 * character devices, hooks of upper services, the list of superblocks for sync and the
 * shrinker.  All but the list is written at boot only.
 *
 * This is vfs's entry in the reviewed list of file-scope state (docs): `registry` and the
 * per-CPU `unique`.
 *
 * Locking    registry.lock (spin, class registry) guards the list of superblocks.
 */
#include "services/vfs/registry.h"
#include "services/vfs/chrdev.h"
#include "services/vfs/dentry.h"
#include "lib/split.h"

#define FS_TYPES 24
#define CHRDEVS  64

STABLE(registry) {
        const struct vfs_vm_ops *vm;            /* fixed after boot, as all up to lock */
        const struct vfs_signal_ops *signal;
        const struct vfs_process_ops *process;
        const struct vfs_clock_ops *clock;
        const struct vfs_event_ops *events;
        u64 boot_time;                          /* ns since 1970 when the machine started */
        const struct file_ops *fifo;
        const struct fs_type *fs[FS_TYPES];
        const struct chrdev *chr[CHRDEVS];
        u32 n_fs, n_chr;
        u32 next_dev, next_mount;               /* ATOMIC */
        struct superblock *anon;                /* counted */
        struct mount *anon_mount;               /* counted */
        struct inode *anon_inode;               /* counted */
        struct spinlock lock;
        struct superblock *first, *last;        /* not counted: a superblock takes itself off; lock */
};
LOCK_CLASS(registry);
static struct registry registry;

/* Each CPU hands out every MAX_CPUS-th number. */
STABLE(unique) { CACHE_ALIGNED u64 next; };
static struct unique unique[MAX_CPUS];

u64 unique_u64(void)
{
        u32 cpu = cpu_id() & (MAX_CPUS - 1);            /* or was a moment ago */
        u64 n = FETCH_ADD(unique[cpu].next, 1ul) + 1;
        return n * MAX_CPUS + cpu;
}

void vfs_register_vm(const struct vfs_vm_ops *ops)         { registry.vm = ops; }
void vfs_register_signal(const struct vfs_signal_ops *ops) { registry.signal = ops; }
void vfs_register_process(const struct vfs_process_ops *ops) { registry.process = ops; }
void vfs_register_clock(const struct vfs_clock_ops *ops)   { registry.clock = ops; }
void vfs_register_events(const struct vfs_event_ops *ops)   { registry.events = ops; }
void fifo_register(const struct file_ops *ops)             { registry.fifo = ops; }
const struct file_ops *registry_fifo(void)                 { return registry.fifo; }

bool registry_fault_in(u64 addr, usize len, bool write)
{
        return registry.vm && registry.vm->fault_in(addr, len, write);
}

void registry_unmap(struct mapping *m, u64 first, u64 last, bool cows)
{
        if (registry.vm)
                registry.vm->unmap_range(m, first, last, cows);
}

void registry_file_gone(struct file *f)
{
        if (registry.events)
                registry.events->gone(f);
}

bool registry_signal_owner(const struct signal_target *to, const struct siginfo *info)
{
        return registry.signal && registry.signal->to_owner(to, info);
}

void registry_move_root(struct pid_ns *ns, const struct path *old, const struct path *new)
{
        if (registry.process)
                registry.process->move_root(ns, old, new);
}

void registry_raise(u32 sig)
{
        if (registry.signal)
                registry.signal->raise(sig);
}

u64 super_new_dev(void) { return dev_make(0, FETCH_ADD(registry.next_dev, 1)); }

u32 registry_new_mount_id(void) { return FETCH_ADD(registry.next_mount, 1); }

struct timestamp time_wall(void)
{
        u64 ns = registry.clock ? registry.clock->realtime() : registry.boot_time + time_coarse();

        return (struct timestamp){ .sec = (i64)(ns / NSEC_PER_SEC), .nsec = (u32)(ns % NSEC_PER_SEC) };
}

void fs_register(const struct fs_type *type)
{
        assert(registry.n_fs < FS_TYPES);
        registry.fs[registry.n_fs++] = type;
}

const struct fs_type *fs_find(bytes name)
{
        for (u32 i = 0; i < registry.n_fs; i++)
                if (bytes_eq(split_nul(BYTES_OF(registry.fs[i]->name)), name))
                        return registry.fs[i];
        return NULL;
}

const struct fs_type *fs_at(u32 n) { return n < registry.n_fs ? registry.fs[n] : NULL; }

void chrdev_register(const struct chrdev *dev)
{
        assert(registry.n_chr < CHRDEVS);
        registry.chr[registry.n_chr++] = dev;
}

const struct chrdev *chrdev_find(u64 dev)
{
        u32 major = dev_major(dev), minor = dev_minor(dev);

        for (u32 i = 0; i < registry.n_chr; i++) {
                const struct chrdev *c = registry.chr[i];
                if (c->major == major && minor >= c->minor && minor - c->minor < (c->count ? c->count : 1))
                        return c;
        }
        return NULL;
}

const struct chrdev *chrdev_at(u32 n) { return n < registry.n_chr ? registry.chr[n] : NULL; }

void superblock_list(struct superblock *sb)
{
        SPIN_GUARD(&registry.lock);
        sb->next = NULL;
        sb->prev = registry.last;
        if (registry.last)
                registry.last->next = sb;
        else
                registry.first = sb;
        registry.last = sb;
        sb->listed = true;
}

void superblock_unlist(struct superblock *sb)
{
        SPIN_GUARD(&registry.lock);
        if (!sb->listed)
                return;
        if (sb->prev)
                sb->prev->next = sb->next;
        else
                registry.first = sb->next;
        if (sb->next)
                sb->next->prev = sb->prev;
        else
                registry.last = sb->prev;
        sb->listed = false;
}

/* One that is being freed cannot be held and is passed over; it unlists itself under the lock. */
static struct superblock *next_locked(struct superblock *from)
{
        struct superblock *sb = from && from->listed ? from->next : from ? NULL : registry.first;

        while (sb && !superblock_try_hold(sb))
                sb = sb->next;
        return sb;
}

struct superblock *superblock_next(struct superblock *from)
{
        spin_lock(&registry.lock);
        struct superblock *sb = next_locked(from);
        spin_unlock(&registry.lock);
        superblock_drop(from);
        return sb;
}

struct superblock *fs_single(const struct fs_type *type)
{
        struct superblock *sb = superblock_next(NULL);

        while (sb && sb->type != type)
                sb = superblock_next(sb);
        return sb;
}

/* The shrinker: round all file systems' dentries.  A page holds 28 of them; we claim half of that, for
 * a page is free only when all of it is, and the pools are asked for the rest. */
#define DENTRIES_PER_PAGE 28

static u64 shrink(u64 pages)
{
        u64 done = 0, want = min_u64(pages, U32_MAX) * DENTRIES_PER_PAGE;

        for (struct superblock *sb = superblock_next(NULL); sb; sb = superblock_next(sb))
                if (done < want)
                        done += dentry_shrink(sb, want - done);
        return done / (2 * DENTRIES_PER_PAGE);
}
static const struct shrinker dentry_shrinker = { .scan = shrink };

struct superblock *registry_anon(void)  { return registry.anon; }
struct mount *registry_anon_mount(void) { return registry.anon_mount; }

struct inode *registry_anon_inode(void) { return registry.anon_inode; }

void registry_set_anon(struct superblock *sb, struct mount *m, struct inode *inode)
{
        registry.anon = sb;
        registry.anon_mount = m;
        registry.anon_inode = inode;
}

void registry_init(void)
{
        lock_init(&registry.lock, registry);
        registry.next_dev = 1;
        registry.next_mount = 1;
        registry.boot_time = rtc_read() * NSEC_PER_SEC;
        shrinker_register(&dentry_shrinker);
}
