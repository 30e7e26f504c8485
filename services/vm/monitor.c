/* SPDX-License-Identifier: Apache-2.0
 *
 * Watched memory: areas whose missing or write-protected pages a program provides itself (userfaultfd(2)).
 *
 * Objects   A vm_monitor stands for one userfaultfd.  Areas that it watches (AREA_MISSING, AREA_WP) count it; it names
 *           their address space without counting it, by serial number: memory ends with its users, not with a
 *           descriptor that somebody still holds.
 *           A vm_ask is one thread's fault that waits to be answered: on the monitor's list from the fault until it is
 *           woken, freed by the thread alone.
 * Locking   mmap_lock for what areas say; `lock` (spin, class monitor) under it for the list.
 * Invariants W1  an ask is put on the list under mmap_lock, and the page looked at again after that: who fills the page
 *                and then wakes finds the ask, or the page is seen
 *            W2  an ask that is not on the list is done
 */
#include "services/vm/vm_impl.h"

LOCK_CLASS(monitor);

OBJECT(vm_ask) {
        struct vm_monitor *monitor;     /* counted */
        struct vm_ask *next, *prev;     /* monitor.lock */
        struct vm_asked what;           /* fixed */
        bool read, done;                /* monitor.lock */
};

OBJECT(vm_monitor) {
        struct vm *vm;                  /* not counted: vm_of */
        u64 serial;                     /* its; fixed */
        bool user_only;                 /* fixed: the kernel's own accesses fail */
        bool sigbus;                    /* nobody is asked: SIGBUS */
        struct spinlock lock;
        struct waitq asked, answered;
        struct vm_ask *first, *last;    /* lock; oldest first */
        u32 unread, waiting;            /* lock; of the list */
        bool closed;                    /* lock */
};

POOL_DECLARE(vm_ask)
POOL_DEFINE(vm_ask, NO_FINI);
POOL_DEFINE(vm_monitor, NO_FINI);

struct vm_monitor *vm_monitor_new(struct vm *vm, bool user_only)
{
        struct vm_monitor *m = vm_monitor_alloc(vm->payer, MAY_RECLAIM);
        if (!m)
                return NULL;
        m->vm = vm;
        m->serial = vm->serial;
        m->user_only = user_only;
        lock_init(&m->lock, monitor);
        vm_monitor_publish(m);
        return m;
}

void vm_monitor_sigbus(struct vm_monitor *m) { STORE(m->sigbus, true); }

/* Held; NULL: it has ended. */
static struct vm *vm_of(struct vm_monitor *m)
{
        struct vm *vm = m->vm;
        if (!vm_try_hold(vm))
                return NULL;
        if (vm->serial == m->serial)
                return vm;
        vm_drop(vm);
        return NULL;
}

/* ---- Faults ---- */

static void unlink_locked(struct vm_monitor *m, struct vm_ask *k)
{
        if (k->done)
                return;
        if (k->prev)
                k->prev->next = k->next;
        else
                m->first = k->next;
        if (k->next)
                k->next->prev = k->prev;
        else
                m->last = k->prev;
        k->next = k->prev = NULL;
        k->done = true;
        m->waiting--;
        if (!k->read)
                m->unread--;
}

static void link(struct vm_monitor *m, struct vm_ask *k)
{
        SPIN_GUARD(&m->lock);
        if (m->closed) {
                k->done = true;
                return;
        }
        k->prev = m->last;
        if (m->last)
                m->last->next = k;
        else
                m->first = k;
        m->last = k;
        m->waiting++;
        m->unread++;
}

/* REQUIRES vm->mmap_lock.  Does this access meet what the area's monitor provides? */
static bool is_asked(struct vm *vm, struct vm_area *a, u64 page, u32 access, bool *protected)
{
        VM_CURSOR(c, vm->space, page);
        struct vm_page now = cursor_get(&c);
        *protected = now.frame != NULL;
        return now.frame ? (now.prot & VM_WP) && (access & VM_WRITE) && (a->flags & AREA_WP) : (a->flags & AREA_MISSING) != 0;
}

/* Who would answer may have ended with it. */
static bool is_ending(struct thread *t) { return t->exiting || PTR_LOAD(t->process->dumper) == t; }

enum watch monitor_fault(struct vm *vm, struct vm_area *a, u64 addr, u32 access, struct vm_ask **out)
{
        u64 page = page_down(addr);
        bool protected = false;
        struct vm_monitor *m = a->monitor;

        if (!m || !is_asked(vm, a, page, access, &protected))
                return WATCH_NOTHING;
        if (LOAD(m->sigbus) || (m->user_only && !(access & VM_USER)) || is_ending(thread_current()))
                return WATCH_SIGBUS;
        struct vm_ask *k = vm_ask_alloc(vm->payer, MAY_RECLAIM);
        if (!k)
                return WATCH_NO_MEMORY;
        vm_ask_publish(k);
        k->monitor = vm_monitor_hold(m);
        k->what = (struct vm_asked){ .addr = addr, .write = (access & VM_WRITE) != 0, .protected = protected, .tid = thread_current()->tid };
        link(m, k);
        waitq_wake_all(&m->asked);
        if (!is_asked(vm, a, page, access, &protected)) {
                SPIN_GUARD(&m->lock);
                unlink_locked(m, k);
        }
        *out = k;
        return WATCH_WAIT;
}

void monitor_wait(struct vm_ask *k, bool interruptible)
{
        struct vm_monitor *m = k->monitor;
        {
                SPIN_GUARD(&m->lock);
                while (!k->done)
                        if (failed(waitq_sleep_spin(&m->answered, &m->lock, interruptible ? WAIT_INTERRUPTIBLE : WAIT_KILLABLE, NEVER)))
                                unlink_locked(m, k);
        }
        vm_ask_drop(k);
        vm_monitor_drop(m);
}

/* ---- The other side ---- */

struct waitq *vm_monitor_asked(struct vm_monitor *m) { return &m->asked; }
u32 vm_monitor_unread(struct vm_monitor *m) { return LOAD(m->unread); }
u32 vm_monitor_waiting(struct vm_monitor *m) { return LOAD(m->waiting); }

static bool take_locked(struct vm_monitor *m, struct vm_asked *out)
{
        struct vm_ask *k = m->first;
        while (k && k->read)
                k = k->next;
        if (!k)
                return false;
        k->read = true;
        m->unread--;
        *out = k->what;
        return true;
}

err_t vm_monitor_take(struct vm_monitor *m, bool wait, struct vm_asked *out)
{
        SPIN_GUARD(&m->lock);
        while (!take_locked(m, out)) {
                if (!wait)
                        return ERR(EAGAIN);
                if (failed(waitq_sleep_spin(&m->asked, &m->lock, WAIT_INTERRUPTIBLE, NEVER)))
                        return ERR(ERESTARTSYS);
        }
        return OK;
}

void vm_monitor_wake(struct vm_monitor *m, u64 start, u64 end)
{
        {
                SPIN_GUARD(&m->lock);
                for (struct vm_ask *k = m->first, *next; k; k = next) {
                        next = k->next;
                        if (k->what.addr >= start && k->what.addr < end)
                                unlink_locked(m, k);
                }
        }
        waitq_wake_all(&m->answered);
}

/* ---- Which areas ---- */

/* REQUIRES vm->mmap_lock. */
static void protect_pages(struct vm *vm, u64 start, u64 end, bool on)
{
        while (start < end) {
                u64 to = min_u64(end, start + 512 * PAGE_SIZE);         /* under one cursor */
                VM_CURSOR(c, vm->space, start);
                while (cursor_find(&c, to)) {
                        struct vm_page page = cursor_get(&c);
                        cursor_protect(&c, on ? page.prot | VM_WP : page.prot & ~(u32)VM_WP);
                        if (!cursor_next(&c, to))
                                break;
                }
                start = to;
        }
}

/* Private anonymous memory alone. */
static bool may_watch(const struct vm_area *a) { return !a->mapping && !a->special && !(a->flags & AREA_SHARED); }

/* REQUIRES vm->mmap_lock for writing.  monitor NULL: no longer, and who waits there goes on. */
static err_t watch_area(struct vm *vm, struct vm_area **a, u64 start, u64 end, struct vm_monitor *m, u32 mode)
{
        struct vm_area *v = *a;
        u32 was = v->flags & AREA_WATCHED;
        if (v->monitor == m && was == mode)
                return OK;
        TRY(isolate(vm, &v, start, end));
        if (was & ~mode & AREA_WP)
                protect_pages(vm, v->start, v->end, false);
        v->flags = (v->flags & ~(u32)AREA_WATCHED) | mode;
        struct vm_monitor *old = v->monitor;
        v->monitor = m ? vm_monitor_hold(m) : NULL;
        if (old && !m)
                vm_monitor_wake(old, v->start, v->end);
        vm_monitor_drop(old);
        *a = area_merge_around(vm, v);
        return OK;
}

static err_t check_areas(struct vm *vm, u64 start, u64 end, struct vm_monitor *m)
{
        struct vm_area *a = area_find(vm, start);
        if (!a || a->start >= end)
                return a ? ERR(EINVAL) : ERR(ENOMEM);
        for (; a && a->start < end; a = a->next) {
                if (!may_watch(a))
                        return ERR(EINVAL);
                if (m && a->monitor && a->monitor != m)
                        return ERR(EBUSY);
        }
        return OK;
}

static err_t watch_locked(struct vm *vm, u64 start, u64 end, struct vm_monitor *m, u32 mode)
{
        TRY(check_areas(vm, start, end, m));
        for (struct vm_area *a = area_overlap(vm, start, end); a && a->start < end; a = a->next)
                TRY(watch_area(vm, &a, start, end, m, mode));
        return OK;
}

err_t vm_monitor_watch(struct vm_monitor *m, u64 start, u64 end, bool missing, bool protected)
{
        struct vm *vm = vm_of(m);
        if (!vm)
                return ERR(ENOMEM);
        write_lock(&vm->mmap_lock);
        err_t err = watch_locked(vm, start, end, m, (missing ? AREA_MISSING : 0u) | (protected ? AREA_WP : 0u));
        write_unlock(&vm->mmap_lock);
        vm_drop(vm);
        return err;
}

err_t vm_monitor_unwatch(struct vm_monitor *m, u64 start, u64 end)
{
        struct vm *vm = vm_of(m);
        if (!vm)
                return ERR(ENOMEM);
        write_lock(&vm->mmap_lock);
        err_t err = check_areas(vm, start, end, NULL);
        if (succeeded(err))
                err = watch_locked(vm, start, end, NULL, 0);
        write_unlock(&vm->mmap_lock);
        vm_drop(vm);
        return err;
}

void vm_monitor_close(struct vm_monitor *m)
{
        struct vm *vm = vm_of(m);
        if (vm) {
                write_lock(&vm->mmap_lock);
                for (struct vm_area *a = vm->first; a; a = a->next)
                        if (a->monitor == m)
                                ignore(watch_area(vm, &a, a->start, a->end, NULL, 0));
                write_unlock(&vm->mmap_lock);
                vm_drop(vm);
        }
        {
                SPIN_GUARD(&m->lock);
                m->closed = true;
        }
        vm_monitor_wake(m, 0, VM_MAX);
        vm_monitor_drop(m);
}

/* ---- Answers ---- */

/* REQUIRES vm->mmap_lock.  The watched area that all of [start, end) lies in; NULL: there is none. */
static struct vm_area *watched_at(struct vm *vm, u64 start, u64 end)
{
        struct vm_area *a = area_at(vm, start);
        return a && a->monitor && end <= a->end ? a : NULL;
}

static err_t put_page(struct vm *vm, struct vm_fill fill, u64 at, struct frame *f)
{
        READ_GUARD(&vm->mmap_lock);
        struct vm_area *a = watched_at(vm, at, fill.start + fill.len);
        if (!a || at < fill.start)
                return ERR(ENOENT);
        if (fill.protect && !(a->flags & AREA_WP))
                return ERR(EINVAL);
        u32 prot = area_hw(a) | VM_NEW | (fill.protect ? VM_WP : 0) | (fill.zero ? VM_COW : 0);
        if (!fill.zero)
                area_has_own_pages(a);
        VM_CURSOR(c, vm->space, at);
        return cursor_map(&c, f, prot);
}

static err_t fill_page(struct vm *vm, struct vm_fill fill, u64 off)
{
        if (fill.zero)
                return put_page(vm, fill, fill.start + off, frame_zero_page());
        struct frame *f = frame_alloc(vm->payer, FRAME_ZERO);
        if (!f)
                return ERR(ENOMEM);
        err_t err = vm_copy_to_frame(f, 0, fill.from + off, PAGE_SIZE) == PAGE_SIZE ? put_page(vm, fill, fill.start + off, f) : ERR(EFAULT);
        frame_drop(f);
        return err;
}

static err_t check_target(struct vm *vm, struct vm_fill fill)
{
        READ_GUARD(&vm->mmap_lock);
        struct vm_area *a = watched_at(vm, fill.start, fill.start + fill.len);
        return !a ? ERR(ENOENT) : fill.protect && !(a->flags & AREA_WP) ? ERR(EINVAL) : OK;
}

err_t vm_monitor_fill(struct vm_monitor *m, struct vm_fill fill, u64 *done)
{
        struct vm *vm = vm_of(m);
        if (!vm)
                return ERR(ESRCH);
        err_t err = check_target(vm, fill);
        for (*done = 0; succeeded(err) && *done < fill.len; ) {
                err = task_interrupts() & INTR_KILL ? ERR(EINTR) : fill_page(vm, fill, *done);
                if (succeeded(err))
                        *done += PAGE_SIZE;
        }
        vm_drop(vm);
        return err;
}

err_t vm_monitor_protect(struct vm_monitor *m, u64 start, u64 end, bool on)
{
        struct vm *vm = vm_of(m);
        if (!vm)
                return ERR(ESRCH);
        read_lock(&vm->mmap_lock);
        struct vm_area *a = watched_at(vm, start, end);
        err_t err = a && (a->flags & AREA_WP) ? OK : ERR(ENOENT);
        if (succeeded(err))
                protect_pages(vm, start, end, on);
        read_unlock(&vm->mmap_lock);
        vm_drop(vm);
        return err;
}
