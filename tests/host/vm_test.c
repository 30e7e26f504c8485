/* SPDX-License-Identifier: Apache-2.0
 *
 * services/vm against a model: random calls on a window of pages, in two related address
 * spaces; after each, every page is what the model says.  Then the same with each
 * allocation failing in turn.
 */
#include "tests/host/vmhost.h"

#define WINDOW 0x10000000ul
#define PAGES  16
#define SPACES 3

/* The model: what each page of the window holds. */
struct cell { bool mapped, shared; u32 prot; u8 value; i32 file; };     /* file: page of the file, -1: none or own copy */
struct model { struct vm *vm; struct cell cell[PAGES]; };

static struct vm_domain *domain;
static struct model model[SPACES];
static struct file *file;
static u8 file_value[PAGES];

static u64 at(u32 i) { return WINDOW + i * PAGE_SIZE; }
static u8 value_of(struct cell *c) { return c->file >= 0 ? file_value[c->file] : c->value; }

static void verify(struct model *m)
{
        host_use(m->vm);
        areas_check(m->vm);
        for (u32 i = 0; i < PAGES; i++) {
                struct cell *c = &m->cell[i];
                u8 got = 0;
                err_t err = vm_copy_in(MBYTES_OF(got), at(i) + 7);
                if (!c->mapped || !c->prot)
                        CHECK(err_is(err, EFAULT));
                else if (!host_fail_at)
                        CHECK(succeeded(err) && got == value_of(c));
        }
}

static void op_map(struct model *m, u32 i, u32 n, bool of_file)
{
        u32 prot = (u32)(host_random() & 3), type = host_random() & 1 ? MAP_SHARED : MAP_PRIVATE, off = (u32)(host_random() % (PAGES - n + 1));
        u64 out = 0;
        if (!of_file)
                type = MAP_PRIVATE;
        err_t err = vm_mmap(m->vm, (struct vm_mmap){ .addr = at(i), .len = n * PAGE_SIZE, .prot = prot, .offset = of_file ? off * PAGE_SIZE : 0,
                .flags = type | MAP_FIXED | (of_file ? 0 : MAP_ANONYMOUS), .file = of_file ? file : NULL }, &out);
        if (failed(err)) {
                CHECK(host_fail_at);
                for (u32 k = i; k < i + n; k++)         /* may be gone */
                        if (!area_at(m->vm, at(k)))
                                m->cell[k].mapped = false;
                return;
        }
        CHECK(out == at(i));
        for (u32 k = 0; k < n; k++)
                m->cell[i + k] = (struct cell){ .mapped = true, .shared = type == MAP_SHARED, .prot = prot, .file = of_file ? (i32)(off + k) : -1 };
}

static void op_unmap(struct model *m, u32 i, u32 n)
{
        err_t err = vm_munmap(m->vm, at(i), n * PAGE_SIZE);
        CHECK(succeeded(err) || host_fail_at);
        for (u32 k = i; k < i + n && succeeded(err); k++)
                m->cell[k] = (struct cell){ .file = -1 };
}

static void op_protect(struct model *m, u32 i, u32 n)
{
        u32 prot = (u32)(host_random() & 3), k = i;
        err_t err = vm_mprotect(m->vm, at(i), n * PAGE_SIZE, prot);
        if (host_fail_at && failed(err)) {
                for (; k < i + n && m->cell[k].mapped; k++)
                        m->cell[k].prot = area_at(m->vm, at(k))->prot;
                return;
        }
        while (k < i + n && m->cell[k].mapped)
                m->cell[k++].prot = prot;
        CHECK(succeeded(err) == (k == i + n));
}

static void op_write(struct model *m, u32 i)
{
        struct cell *c = &m->cell[i];
        u8 v = (u8)host_random();
        err_t err = vm_copy_out(at(i) + 7, BYTES_OF(v));
        if (!c->mapped || !(c->prot & VM_WRITE)) {
                CHECK(err_is(err, EFAULT));
                return;
        }
        if (failed(err)) {
                CHECK(host_fail_at);
                return;
        }
        if (c->shared) {
                file_value[c->file] = v;
        } else {
                c->value = v;
                c->file = -1;
        }
}

static void op_move(struct model *m, u32 i, u32 n, u32 j)
{
        struct cell old[PAGES];
        u64 out = 0;
        struct vm_area *a = area_at(m->vm, at(i));
        if ((i < j ? j - i : i - j) < n || !a || a->end < at(i) + n * PAGE_SIZE)
                return;
        err_t err = vm_mremap(m->vm, (struct vm_mremap){ .addr = at(i), .old_len = n * PAGE_SIZE, .new_len = n * PAGE_SIZE,
                .flags = MREMAP_MAYMOVE | MREMAP_FIXED, .new_addr = at(j) }, &out);
        CHECK(succeeded(err) || host_fail_at);
        memcpy(old, m->cell, sizeof old);
        for (u32 k = 0; k < n; k++) {
                if (succeeded(err))
                        m->cell[j + k] = old[i + k];
                if (succeeded(err))
                        m->cell[i + k] = (struct cell){ .file = -1 };
                else if (!area_at(m->vm, at(j + k)))
                        m->cell[j + k] = (struct cell){ .file = -1 };
        }
}

static void op_discard(struct model *m, u32 i, u32 n)
{
        err_t err = vm_madvise(m->vm, at(i), n * PAGE_SIZE, MADV_DONTNEED);
        CHECK(succeeded(err) || err_is(err, ENOMEM));
        for (u32 k = i; k < i + n; k++) {
                struct vm_area *a = area_at(m->vm, at(k));
                m->cell[k].value = 0;
                if (a && a->mapping)
                        m->cell[k].file = (i32)(area_offset_of(a, at(k)) >> PAGE_SHIFT);
        }
}

static void op_fork(u32 from, u32 to)
{
        struct vm *child = NULL;
        if (from == to)
                return;
        err_t err = vm_clone(model[from].vm, NULL, &child);
        if (failed(err)) {
                CHECK(host_fail_at);
                return;
        }
        vm_drop(model[to].vm);
        memcpy(model[to].cell, model[from].cell, sizeof model[to].cell);
        model[to].vm = child;
}

static void step(void)
{
        u32 s = (u32)(host_random() % SPACES), i = (u32)(host_random() % PAGES), n = (u32)(1 + host_random() % min_u64(PAGES - i, 6)), j = (u32)(host_random() % (PAGES - n + 1));
        struct model *m = &model[s];
        host_use(m->vm);
        switch (host_random() % 14) {
        case 0: op_map(m, i, n, false); break;
        case 2: op_map(m, i, n, true); break;
        case 3: op_unmap(m, i, n); break;
        case 4: case 5: op_protect(m, i, n); break;
        case 6: op_move(m, i, n, j); break;
        case 7: op_discard(m, i, n); break;
        case 8: op_fork(s, (u32)(host_random() % SPACES)); break;
        default: op_write(m, i);
        }
        for (u32 k = 0; k < SPACES; k++)
                verify(&model[k]);
}

static bool begin(void)
{
        memset(model, 0, sizeof model);
        domain = vm_domain_new();
        file = domain ? host_file(PAGES) : NULL;
        bool ok = file != NULL;
        for (u32 i = 0; i < PAGES; i++)
                file_value[i] = (u8)(i + 1);
        for (u32 s = 0; ok && s < SPACES; s++) {
                ok = (model[s].vm = vm_new(domain, NULL)) != NULL;
                for (u32 i = 0; i < PAGES; i++)
                        model[s].cell[i].file = -1;
        }
        return ok;
}

static void end(void)
{
        for (u32 s = 0; s < SPACES; s++) {
                if (model[s].vm) {
                        CHECK(vm_munmap(model[s].vm, WINDOW, PAGES * PAGE_SIZE).code == 0 || host_fail_at);
                        struct vm *vm = model[s].vm;
                        if (!vm->areas)
                                CHECK(!vm->total && !vm->data && !vm->committed && !vm->locked);
                        vm_drop(vm);
                }
        }
        if (domain)
                CHECK(vm_committed(domain) == 0);
        vm_domain_drop(domain);
        domain = NULL;
        if (file) {
                CHECK(!file->inode->mapping.areas && !file->inode->mapping.writable_areas);
                file_drop(file);
                file = NULL;
        }
        host_use(NULL);
        host_at_rest();
        CHECK(host_live_frames == 0);
}

static void test_gaps(void)
{
        u64 out = 0, last = VM_MAX;
        vmhost_begin();
        CHECK(begin());
        struct vm *vm = model[0].vm;
        host_use(vm);
        struct vm_places p = vm_choose_places(vm, 8ul << 20, true);
        CHECK(p.stack_top <= VM_MAX && p.mmap_base < p.stack_top && p.pie_base < p.mmap_base);
        vm_use_places(vm, p);
        for (u32 i = 0; i < 2000; i++) {
                struct vm_mmap m = { .len = (1 + host_random() % 8) * PAGE_SIZE, .prot = 1u << (i & 1), .flags = MAP_PRIVATE | MAP_ANONYMOUS };
                CHECK(succeeded(vm_mmap(vm, m, &out)) && out + m.len <= p.mmap_base);
                if (host_random() % 3 == 0)
                        CHECK(succeeded(vm_munmap(vm, out, PAGE_SIZE)));
                last = min_u64(last, out);
        }
        areas_check(vm);
        /* No gap was passed over: each one is smaller than what did not fit into it. */
        u64 gap = 0;
        while (area_gap_down(vm, PAGE_SIZE, VM_MIN, p.mmap_base, &gap) && gap > last)
                CHECK(succeeded(vm_mmap(vm, (struct vm_mmap){ .addr = gap, .len = PAGE_SIZE, .prot = 1, .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE }, &out)));
        for (struct vm_area *a = vm->first; a->next; a = a->next)
                CHECK(a->end == a->next->start);
        CHECK(succeeded(vm_munmap(vm, 0, VM_MAX)));
        CHECK(!vm->areas && !vm->total);
        u64 brk = vm_random_brk(vm, 0x400123, false);
        vm_set_brk(vm, brk);
        CHECK(vm_brk(vm, brk + 5000) == brk + 5000 && vm->total == 2 && vm_brk(vm, brk) == brk && !vm->total);
        end();
}

static void test_stack(void)
{
        u8 v = 1;
        vmhost_begin();
        CHECK(begin());
        struct vm *vm = model[0].vm;
        host_use(vm);
        CHECK(succeeded(vm_map_stack(vm, 0x7f0000000000, 0x7f0000010000, VM_READ | VM_WRITE)));
        CHECK(succeeded(vm_copy_out(0x7f0000000000 - 0x20001, BYTES_OF(v))));
        CHECK(vm->first->start == 0x7f0000000000 - 0x21000);
        u64 out = 0;
        CHECK(succeeded(vm_mmap(vm, (struct vm_mmap){ .addr = 0x7effffe00000, .len = PAGE_SIZE, .prot = 1, .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED }, &out)));
        CHECK(err_is(vm_copy_out(0x7effffe01000, BYTES_OF(v)), EFAULT));        /* within the guard gap */
        CHECK(succeeded(vm_copy_out(0x7effffe01000 + STACK_GUARD, BYTES_OF(v))));
        vm_trim_stack(vm, 0x7f0000008000);
        CHECK(vm->last->end == 0x7f0000008000);
        areas_check(vm);
        CHECK(succeeded(vm_munmap(vm, 0x10000, VM_MAX - 0x10000)) && !vm->total && !vm->committed);
        end();
}

/* A page that is read-only at fork may become writable after it: it must not be shared then. */
static void test_fork_readonly(void)
{
        u64 out = 0;
        u8 v = 1, got = 0;
        vmhost_begin();
        CHECK(begin());
        struct vm *vm = model[0].vm, *child = NULL;
        host_use(vm);
        CHECK(succeeded(vm_mmap(vm, (struct vm_mmap){ .addr = WINDOW, .len = PAGE_SIZE, .prot = 3, .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED }, &out)));
        CHECK(succeeded(vm_copy_out(WINDOW, BYTES_OF(v))));
        CHECK(succeeded(vm_mprotect(vm, WINDOW, PAGE_SIZE, PROT_READ)) && succeeded(vm_clone(vm, NULL, &child)));
        v = 2;
        CHECK(succeeded(vm_mprotect(vm, WINDOW, PAGE_SIZE, PROT_READ | PROT_WRITE)) && succeeded(vm_copy_out(WINDOW, BYTES_OF(v))));
        host_use(child);
        CHECK(succeeded(vm_copy_in(MBYTES_OF(got), WINDOW)) && got == 1);
        vm_drop(child);
        end();
}

/* What lies behind a shortened file's end is gone from every space, private copies too. */
static void test_truncate(void)
{
        u64 out = 0;
        u8 v = 77, got = 0;
        vmhost_begin();
        CHECK(begin());
        struct vm *vm = model[0].vm;
        host_use(vm);
        for (u32 i = 0; i < 2; i++)
                CHECK(succeeded(vm_mmap(vm, (struct vm_mmap){ .addr = at(i * 4), .len = 4 * PAGE_SIZE, .prot = 3, .file = file,
                        .flags = MAP_FIXED | (i ? MAP_PRIVATE : MAP_SHARED) }, &out)));
        for (u32 i = 0; i < 8; i++)
                CHECK(succeeded(vm_copy_out(at(i) + 4000, BYTES_OF(v))));
        struct actor who = world_actor(&vmhost);
        CHECK_ERR(file_truncate(&who, file, PAGE_SIZE + 100), 0);
        for (u32 i = 0; i < 8; i++) {
                err_t err = vm_copy_in(MBYTES_OF(got), at(i) + 4000);
                CHECK((i & 3) < 2 ? succeeded(err) : err_is(err, EFAULT));
                CHECK(failed(err) || got == (i == 1 ? 0 : 77));
        }
        CHECK_ERR(file_truncate(&who, file, PAGES * PAGE_SIZE), 0);
        CHECK(succeeded(vm_copy_in(MBYTES_OF(got), at(2) + 4000)) && got == 0);
        CHECK(succeeded(vm_copy_in(MBYTES_OF(got), at(6) + 4000)) && got == 0);
        end();
}

static void test_random(void)
{
        vmhost_begin();
        u64 fixed = host_live();
        for (u32 round = 0; round < 150; round++) {
                CHECK(begin());
                for (u32 i = 0; i < 400; i++)
                        step();
                end();
                CHECK_EQ(host_live(), fixed);
        }
}

static void test_no_memory(void)
{
        vmhost_begin();
        CHECK(begin());
        end();
        u64 fixed = host_live();
        for (u32 n = 1; n < 500; n++) {
                host_fail_from(n);
                if (begin())
                        for (u32 i = 0; i < 100; i++)
                                step();
                end();
                host_fail_from(0);
                if (host_live() != fixed)
                        host_report_live();
                CHECK_EQ(host_live(), fixed);
        }
}

TESTS({ "gaps", test_gaps }, { "stack", test_stack }, { "fork_readonly", test_fork_readonly }, { "truncate", test_truncate },
      { "random", test_random }, { "no_memory", test_no_memory })
