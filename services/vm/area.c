/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of areas: a treap by address, threaded as a list, each node knowing the largest
 * gap below an area of its subtree.  Ranks are random once there are many, so no program can unbalance it.
 *
 * Entry points  area_find, area_add, area_remove, area_split, area_merge_around, area_gap_down
 * Locking       mmap_lock, for writing where the tree changes; the mapping's areas lock is
 *               taken here, when an area with a mapping appears, moves or goes (V4).
 */
#include "services/vm/vm_impl.h"
#include "services/random/random.h"

#define FEW_AREAS 64

static void area_fini(struct vm_area *a)
{
        if (a->flags & AREA_COUNTED)
                a->file->ops->area(a->file, false);
        if (a->file)
                file_drop(a->file);
        vm_special_drop(a->special);
        vm_monitor_drop(a->monitor);
}

POOL_DEFINE(vm_area, area_fini);

/* ---- Gaps ---- */

/* Where the area begins, with the guard of a growing stack. */
u64 area_low_end(struct vm_area *a)
{
        if (!(a->flags & AREA_GROWSDOWN))
                return a->start;
        return a->start > VM_MIN + STACK_GUARD ? a->start - STACK_GUARD : VM_MIN;
}

static u64 max_gap_of(struct vm_area *a)
{
        u64 gap = a->gap;
        if (a->left)
                gap = max_u64(gap, a->left->max_gap);
        if (a->right)
                gap = max_u64(gap, a->right->max_gap);
        return gap;
}

/* The gap below `a` may have changed: tells its ancestors. */
static void gap_changed(struct vm_area *a)
{
        u64 from = a->prev ? a->prev->end : VM_MIN;
        u64 low = area_low_end(a);
        a->gap = low > from ? low - from : 0;
        for (struct vm_area *n = a; n; n = n->up) {
                u64 gap = max_gap_of(n);
                if (n != a && gap == n->max_gap)
                        break;
                n->max_gap = gap;
        }
}

static void bounds_changed(struct vm_area *a)
{
        gap_changed(a);
        if (a->next)
                gap_changed(a->next);
}

/* ---- The treap ---- */

static void replace_child(struct vm *vm, struct vm_area *up, struct vm_area *old, struct vm_area *new)
{
        if (!up)
                vm->root = new;
        else if (up->left == old)
                up->left = new;
        else
                up->right = new;
        if (new)
                new->up = up;
}

/* Puts `a` above its parent. */
static void rotate_up(struct vm *vm, struct vm_area *a)
{
        struct vm_area *p = a->up;
        replace_child(vm, p->up, p, a);
        if (p->left == a) {
                p->left = a->right;
                if (p->left)
                        p->left->up = p;
                a->right = p;
        } else {
                p->right = a->left;
                if (p->right)
                        p->right->up = p;
                a->left = p;
        }
        p->up = a;
        p->max_gap = max_gap_of(p);
        a->max_gap = max_gap_of(a);
}

/* The first areas of an address space have ranks that are the same in every run; many have ranks that no
 * program can know. */
static u32 next_rank(struct vm *vm)
{
        if (vm->areas == FEW_AREAS)
                vm->seed ^= random_u64();
        vm->seed = vm->seed * 6364136223846793005ul + 1442695040888963407ul;
        return (u32)(vm->seed >> 32);
}

/* Links `a`, whose neighbours in the list will be prev and next, into tree and list. */
static void link_area(struct vm *vm, struct vm_area *a, struct vm_area *prev)
{
        struct vm_area *next = prev ? prev->next : vm->first;
        a->prev = prev;
        a->next = next;
        if (prev)
                prev->next = a;
        else
                vm->first = a;
        if (next)
                next->prev = a;
        else
                vm->last = a;

        /* Between neighbours one of two places is free: right of prev, or left of next. */
        if (prev && !prev->right) {
                prev->right = a;
                a->up = prev;
        } else if (next) {
                next->left = a;
                a->up = next;
        } else {
                vm->root = a;
        }
        a->rank = next_rank(vm);
        bounds_changed(a);
        while (a->up && a->up->rank < a->rank)
                rotate_up(vm, a);
        vm->areas++;
}

static void unlink_area(struct vm *vm, struct vm_area *a)
{
        while (a->left || a->right) {
                if (!a->right || (a->left && a->left->rank > a->right->rank))
                        rotate_up(vm, a->left);
                else
                        rotate_up(vm, a->right);
        }
        struct vm_area *up = a->up;
        replace_child(vm, up, a, NULL);
        if (a->prev)
                a->prev->next = a->next;
        else
                vm->first = a->next;
        if (a->next)
                a->next->prev = a->prev;
        else
                vm->last = a->prev;
        /* The gap values on the path still count the gap of `a`. */
        for (struct vm_area *n = up; n; n = n->up)
                n->max_gap = max_gap_of(n);
        if (a->next)
                gap_changed(a->next);
        if (vm->recent == a)
                PTR_STORE(vm->recent, NULL);
        vm->areas--;
        a->prev = a->next = a->up = NULL;
}

struct vm_area *area_find(struct vm *vm, u64 addr)
{
        struct vm_area *found = NULL;
        for (struct vm_area *a = vm->root; a; ) {
                if (addr < a->end) {
                        found = a;
                        if (addr >= a->start)
                                break;
                        a = a->left;
                } else {
                        a = a->right;
                }
        }
        return found;
}

struct vm_area *area_at(struct vm *vm, u64 addr)
{
        struct vm_area *a = PTR_LOAD(vm->recent);
        if (a && addr >= a->start && addr < a->end)
                return a;
        a = area_find(vm, addr);
        if (!a || addr < a->start)
                return NULL;
        PTR_STORE(vm->recent, a);
        return a;
}

struct vm_area *area_overlap(struct vm *vm, u64 start, u64 end)
{
        struct vm_area *a = area_find(vm, start);
        return a && a->start < end ? a : NULL;
}

/* The last area that begins at or below addr. */
static struct vm_area *before(struct vm *vm, u64 addr)
{
        struct vm_area *a = area_find(vm, addr);
        return a ? a->prev : vm->last;
}

/* ---- Looking for room ---- */

/* The highest `len` free bytes in [low, high). */
bool area_gap_down(struct vm *vm, u64 len, u64 low, u64 high, u64 *out)
{
        u64 from = max_u64(vm->last ? vm->last->end : VM_MIN, low);
        if (high > from && high - from >= len) {
                *out = high - len;
                return true;
        }
        struct vm_area *a = vm->root;
        if (!a || a->max_gap < len)
                return false;
        for (bool down = true;;) {
                /* Right first, where there is a gap that may begin below high. */
                while (down && a->right && a->right->max_gap >= len && a->end < high)
                        a = a->right;
                u64 top = area_low_end(a);
                u64 bottom = top - a->gap;
                if (a->gap >= len) {
                        u64 hi = min_u64(top, high), lo = max_u64(bottom, low);
                        if (hi > lo && hi - lo >= len) {
                                *out = hi - len;
                                return true;
                        }
                }
                if (a->start <= low)
                        return false;
                if (a->left && a->left->max_gap >= len) {
                        a = a->left;
                        down = true;
                        continue;
                }
                struct vm_area *child = NULL;
                do {
                        child = a;
                        a = a->up;
                        if (!a)
                                return false;
                } while (child == a->left);
                down = false;
        }
}

/* The lowest `len` free bytes in [low, high). */
bool area_gap_up(struct vm *vm, u64 len, u64 low, u64 high, u64 *out)
{
        u64 from = low;
        for (struct vm_area *a = area_find(vm, low); a && from < high; a = a->next) {
                u64 top = min_u64(area_low_end(a), high);
                if (top > from && top - from >= len) {
                        *out = from;
                        return true;
                }
                from = max_u64(from, a->end);
        }
        if (high <= from || high - from < len)
                return false;
        *out = from;
        return true;
}

/* ---- Areas ---- */

/* The pages of a private anonymous area are found by address alone. */
static bool is_plain(const struct area_spec *s) { return !s->mapping && !s->special; }

#define KEEPS_APART  (AREA_SPECIAL | AREA_COUNTED)
#define MERGE_IGNORE AREA_ANON_PAGES

static bool fits(struct vm_area *low, const struct area_spec *high)
{
        if (low->end != high->start || low->prot != high->prot ||
            (low->flags & ~MERGE_IGNORE) != (high->flags & ~MERGE_IGNORE) || (low->flags & KEEPS_APART) ||
            low->monitor != high->monitor || low->file != high->file || low->mapping != high->mapping)
                return false;
        return is_plain(high) || low->offset + area_size(low) == high->offset;
}

static bool fits_below(const struct area_spec *low, struct vm_area *high)
{
        if (low->end != high->start || low->prot != high->prot ||
            (low->flags & ~MERGE_IGNORE) != (high->flags & ~MERGE_IGNORE) || (low->flags & KEEPS_APART) ||
            low->monitor != high->monitor || low->file != high->file || low->mapping != high->mapping)
                return false;
        return is_plain(low) || low->offset + (low->end - low->start) == high->offset;
}

struct area_spec area_spec_of(struct vm_area *a)
{
        return (struct area_spec){ .start = a->start, .end = a->end, .prot = a->prot, .flags = a->flags,
                .offset = a->offset, .file = a->file, .mapping = a->mapping, .special = a->special, .monitor = a->monitor };
}

static void set_bounds(struct vm_area *a, u64 start, u64 end)
{
        if (a->mapping || a->special)
                a->offset += start - a->start;
        a->start = start;
        a->end = end;
}

void area_set_bounds(struct vm_area *a, u64 start, u64 end)
{
        if (a->mapping) {
                WRITE_GUARD(&a->mapping->areas_lock);
                set_bounds(a, start, end);
        } else {
                set_bounds(a, start, end);
        }
        bounds_changed(a);
}

/* May become a way to write to the file: these flags do not change in an area's life. */
static bool writes_file(const struct vm_area *a)
{
        return (a->flags & (AREA_SHARED | AREA_MAY_WRITE)) == (AREA_SHARED | AREA_MAY_WRITE);
}

/* REQUIRES the mapping's areas lock. */
static void map_link_locked(struct vm_area *a)
{
        struct mapping *m = a->mapping;
        a->map_prev = NULL;
        a->map_next = m->areas;
        if (m->areas)
                m->areas->map_prev = a;
        m->areas = a;
        if (writes_file(a))
                m->writable_areas++;
}

/* False: the file was sealed against writers meanwhile.  (Who extends or splits an area that writes is one already.) */
static bool map_link(struct vm_area *a)
{
        WRITE_GUARD(&a->mapping->areas_lock);
        if (a->mapping->no_writers && writes_file(a))
                return false;
        map_link_locked(a);
        return true;
}

static void map_unlink(struct vm_area *a)
{
        struct mapping *m = a->mapping;
        if (!m)
                return;
        WRITE_GUARD(&m->areas_lock);
        if (a->map_prev)
                a->map_prev->map_next = a->map_next;
        else
                m->areas = a->map_next;
        if (a->map_next)
                a->map_next->map_prev = a->map_prev;
        a->map_prev = a->map_next = NULL;
        if (writes_file(a))
                m->writable_areas--;
}

static struct vm_area *area_make(struct vm *vm, const struct area_spec *s)
{
        struct vm_area *a = vm_area_alloc(vm->payer, MAY_RECLAIM);
        if (!a)
                return NULL;
        a->vm = vm;
        a->start = s->start;
        a->end = s->end;
        a->prot = s->prot;
        a->flags = s->flags;
        a->offset = s->offset;
        a->mapping = s->mapping;
        if (s->file)
                a->file = file_hold(s->file);
        if (s->special)
                a->special = vm_special_hold(s->special);
        if (s->monitor)
                a->monitor = vm_monitor_hold(s->monitor);
        if (a->flags & AREA_COUNTED)
                a->file->ops->area(a->file, true);
        return a;
}

err_t area_add_own(struct vm *vm, const struct area_spec *s, struct vm_area **out)
{
        struct vm_area *a = area_make(vm, s);
        if (!a)
                return ERR(ENOMEM);
        if (a->mapping && !map_link(a)) {
                vm_area_drop(a);
                return ERR(EPERM);
        }
        link_area(vm, a, before(vm, s->start));
        *out = a;
        return OK;
}

err_t area_add(struct vm *vm, const struct area_spec *s)
{
        struct vm_area *prev = before(vm, s->start);
        struct vm_area *next = prev ? prev->next : vm->first;
        bool after_prev = prev && fits(prev, s), before_next = next && fits_below(s, next);

        if (after_prev && before_next) {
                u64 end = next->end;
                prev->flags |= next->flags & MERGE_IGNORE;
                area_remove(vm, next);
                area_set_bounds(prev, prev->start, end);
        } else if (after_prev) {
                area_set_bounds(prev, prev->start, s->end);
        } else if (before_next) {
                area_set_bounds(next, s->start, next->end);
        } else {
                struct vm_area *a = NULL;
                return area_add_own(vm, s, &a);
        }
        return OK;
}

void area_remove(struct vm *vm, struct vm_area *a)
{
        map_unlink(a);
        unlink_area(vm, a);
        vm_area_drop(a);
}

/* The same, but the drop, which may be a file's last, waits for unlock_and_reap. */
void area_retire(struct vm *vm, struct vm_area *a)
{
        map_unlink(a);
        unlink_area(vm, a);
        a->next = vm->retired;
        vm->retired = a;
}

void unlock_and_reap(struct vm *vm)
{
        struct vm_area *a = vm->retired;
        vm->retired = NULL;
        write_unlock(&vm->mmap_lock);
        while (a) {
                struct vm_area *next = a->next;
                vm_area_drop(a);
                a = next;
        }
}

err_t area_split(struct vm *vm, struct vm_area *a, u64 at)
{
        return vm->areas >= vm->domain->settings.max_map_count ? ERR(ENOMEM) : area_split_off(vm, a, at);
}

err_t area_split_off(struct vm *vm, struct vm_area *a, u64 at)
{
        assert(at > a->start && at < a->end && !(at & PAGE_MASK));
        struct area_spec rest = area_spec_of(a);
        rest.start = at;
        if (a->mapping || a->special)
                rest.offset = area_offset_of(a, at);
        struct vm_area *b = area_make(vm, &rest);
        if (!b)
                return ERR(ENOMEM);
        if (a->mapping) {
                WRITE_GUARD(&a->mapping->areas_lock);
                a->end = at;
                map_link_locked(b);
        } else {
                a->end = at;
        }
        link_area(vm, b, a);
        return OK;
}

static bool merge_with_next(struct vm *vm, struct vm_area *a)
{
        struct vm_area *n = a->next;
        if (!n)
                return false;
        struct area_spec s = area_spec_of(n);
        if (!fits(a, &s))
                return false;
        u64 end = n->end;
        a->flags |= n->flags & MERGE_IGNORE;
        area_remove(vm, n);
        area_set_bounds(a, a->start, end);
        return true;
}

struct vm_area *area_merge_around(struct vm *vm, struct vm_area *a)
{
        merge_with_next(vm, a);
        struct vm_area *p = a->prev;
        return p && merge_with_next(vm, p) ? p : a;
}

void areas_free(struct vm *vm)
{
        struct vm_area *a = vm->first;
        vm->root = vm->first = vm->last = NULL;
        PTR_STORE(vm->recent, NULL);
        vm->areas = 0;
        while (a) {
                struct vm_area *next = a->next;
                map_unlink(a);
                vm_area_drop(a);
                a = next;
        }
}

void areas_check(struct vm *vm)
{
        u64 n = 0, from = VM_MIN;
        struct vm_area *prev = NULL;
        for (struct vm_area *a = vm->first; a; a = a->next) {
                assert(a->start < a->end && a->start >= from && a->end <= VM_MAX && !((a->start | a->end) & PAGE_MASK));
                assert(a->prev == prev && a->vm == vm);
                u64 low = area_low_end(a);
                assert(a->gap == (low > from ? low - from : 0) && a->max_gap == max_gap_of(a));
                assert(a->up ? a->up->left == a || a->up->right == a : vm->root == a);
                assert(!a->up || a->up->rank >= a->rank);
                from = a->end;
                prev = a;
                n++;
        }
        assert(vm->last == prev && vm->areas == n);
}
