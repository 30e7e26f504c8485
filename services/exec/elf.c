/* SPDX-License-Identifier: Apache-2.0
 *
 * ELF programs: checked, then mapped.  Nothing of the file is trusted: every sum is
 * checked before it is used, and what is mapped goes through vm_mmap's own checks.
 *
 * Errors   ENOEXEC  not a 64-bit x86-64 program, or headers that cannot be
 *          EINVAL   segments that cannot be mapped
 *          ELIBBAD  the interpreter is not an ELF program
 *          EIO      the file ends within what the headers name
 */
#include "services/exec/exec_impl.h"

/* One ELF file while it is loaded. */
struct elf {
        struct file *file;              /* borrowed */
        struct linux_elf64_ehdr h;
        struct blob *phdrs;             /* counted */
        u64 low, high;                  /* of all PT_LOADs: page-aligned start, end of memory */
        u64 align;                      /* the largest asked for; a power of two */
        u64 bias;                       /* added to each address */
};

static bool check_header(const struct linux_elf64_ehdr *h)
{
        bytes id = BYTES_OF(h->e_ident);
        return bytes_starts(id, STR("\177ELF")) && bytes_at(id, EI_CLASS) == ELFCLASS64 &&
               bytes_at(id, EI_DATA) == ELFDATA2LSB && (h->e_type == ET_EXEC || h->e_type == ET_DYN) &&
               h->e_machine == EM_X86_64 && h->e_phentsize == sizeof(struct linux_elf64_phdr) &&
               h->e_phnum >= 1 && h->e_phnum <= 65536 / sizeof(struct linux_elf64_phdr);
}

static struct linux_elf64_phdr phdr_at(const struct elf *e, u32 i)
{
        struct linux_elf64_phdr p = {};
        POD_READ(&p, bytes_skip(blob_bytes(e->phdrs), i * sizeof p));
        return p;
}

static err_t read_whole(struct file *f, u64 at, mbytes to, int how)
{
        usize done = 0;
        if (at > (u64)I64_MAX)
                return ERR(how);
        TRY(file_read_kernel(f, at, to, &done));
        return done == mbytes_len(to) ? OK : ERR(how);
}

static err_t read_phdrs(struct elf *e, struct payer *payer)
{
        usize size = e->h.e_phnum * sizeof(struct linux_elf64_phdr);
        e->phdrs = blob_alloc(payer, size);
        if (!e->phdrs)
                return ERR(ENOMEM);
        return read_whole(e->file, e->h.e_phoff, mbytes_take(blob_mbytes(e->phdrs), size), ENOEXEC);
}

/* Looks at all segments; EINVAL: one that cannot lie in user space. */
static err_t measure(struct elf *e)
{
        bool any = false;
        e->low = U64_MAX;
        e->align = PAGE_SIZE;
        for (u32 i = 0; i < e->h.e_phnum; i++) {
                struct linux_elf64_phdr p = phdr_at(e, i);
                if (p.p_type != PT_LOAD || !p.p_memsz)
                        continue;
                if (p.p_filesz > p.p_memsz || !vm_is_user(p.p_vaddr, p.p_memsz) ||
                    ((p.p_vaddr ^ p.p_offset) & PAGE_MASK) || add_overflows(p.p_offset, p.p_filesz))
                        return ERR(EINVAL);
                any = true;
                e->low = min_u64(e->low, page_down(p.p_vaddr));
                e->high = max_u64(e->high, p.p_vaddr + p.p_memsz);
                if (bit_count(p.p_align) == 1)
                        e->align = max_u64(e->align, p.p_align);
        }
        return any ? OK : ERR(ENOEXEC);
}

static u32 prot_of(const struct linux_elf64_phdr *p)
{
        return (p->p_flags & PF_R ? PROT_READ : 0) | (p->p_flags & PF_W ? PROT_WRITE : 0) |
               (p->p_flags & PF_X ? PROT_EXEC : 0);
}

/* The zeros after a segment's file part: the rest of its last page, all of it (programs count on what
 * lies beyond their bss being zero too), then whole pages. */
static err_t map_zeros(struct vm *vm, u64 from, u64 to, u32 prot)
{
        u64 whole = page_up(from), at = 0;
        if ((from & PAGE_MASK) && (prot & PROT_WRITE)) {
                u64 n = whole - from;
                if (vm_zero_remote(vm, from, n) != n)
                        return ERR(ENOMEM);
        }
        if (to <= whole)
                return OK;
        return vm_mmap(vm, (struct vm_mmap){ .addr = whole, .len = to - whole, .prot = prot,
                .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED }, &at);
}

static err_t map_segment(struct vm *vm, struct elf *e, const struct linux_elf64_phdr *p)
{
        u64 addr = p->p_vaddr + e->bias, skew = addr & PAGE_MASK, at = 0;
        u32 prot = prot_of(p);
        if (!p->p_filesz)
                return map_zeros(vm, page_down(addr), addr + p->p_memsz, prot);
        TRY(vm_mmap(vm, (struct vm_mmap){ .addr = addr - skew, .len = p->p_filesz + skew, .prot = prot,
                .flags = MAP_PRIVATE | MAP_FIXED, .file = e->file, .offset = p->p_offset - skew }, &at));
        if (p->p_memsz == p->p_filesz)
                return OK;
        return map_zeros(vm, addr + p->p_filesz, addr + p->p_memsz, prot);
}

static err_t map_segments(struct vm *vm, struct elf *e)
{
        for (u32 i = 0; i < e->h.e_phnum; i++) {
                struct linux_elf64_phdr p = phdr_at(e, i);
                if (p.p_type == PT_LOAD && p.p_memsz)
                        TRY(map_segment(vm, e, &p));
        }
        return OK;
}

/* Where an ELF file that may lie anywhere goes. */
static err_t choose_bias(struct vm *vm, struct elf *e, u64 wanted)
{
        u64 size = page_up(e->high) - e->low;
        if (e->h.e_type == ET_EXEC)
                return OK;
        if (e->align > VM_MAX || size > VM_MAX)
                return ERR(ENOMEM);
        u64 at = wanted & ~(e->align - 1);
        if (!wanted) {
                at = vm_place(vm, size + e->align - PAGE_SIZE);
                if (!at)
                        return ERR(ENOMEM);
                at = (at + e->align - 1) & ~(e->align - 1);
        }
        if (at < VM_MIN || !vm_is_user(at, size))
                return ERR(ENOMEM);
        e->bias = at - e->low;                  /* modulo 2^64 */
        return OK;
}

static void elf_close(struct elf *e)
{
        blob_drop(e->phdrs);
        e->phdrs = NULL;
}

/* ---- The interpreter ---- */

static err_t open_interp(struct loading *l, const struct elf *e, const struct linux_elf64_phdr *p, struct file **out)
{
        if (p->p_filesz < 2 || p->p_filesz > PATH_MAX_LEN)
                return ERR(ENOEXEC);
        struct blob *path = blob_alloc(l->req->payer, p->p_filesz);
        if (!path)
                return ERR(ENOMEM);
        err_t err = read_whole(e->file, p->p_offset, mbytes_take(blob_mbytes(path), p->p_filesz), EIO);
        bytes text = bytes_take(blob_bytes(path), p->p_filesz);
        if (succeeded(err) && bytes_at(text, p->p_filesz - 1))
                err = ERR(ENOEXEC);
        if (succeeded(err))
                err = l->req->ops->open(bytes_take(text, bytes_find(text, 0)), out);
        blob_drop(path);
        return err;
}

static err_t load_interp(struct loading *l, struct file *file)
{
        struct elf e = { .file = file };
        err_t err = read_whole(file, 0, MBYTES_OF(e.h), ELIBBAD);
        if (succeeded(err) && !check_header(&e.h))
                err = ERR(ELIBBAD);
        if (succeeded(err))
                err = read_phdrs(&e, l->req->payer);
        if (succeeded(err))
                err = measure(&e);
        if (succeeded(err))
                err = choose_bias(l->vm, &e, 0);
        if (succeeded(err))
                err = map_segments(l->vm, &e);
        l->interp_base = e.low + e.bias;
        l->start = e.h.e_entry + e.bias;
        elf_close(&e);
        return err;
}

/* ---- The program ---- */

/* What /proc shows, and where the program headers lie in memory. */
static void note_layout(struct loading *l, const struct elf *e)
{
        struct vm_layout *o = &l->layout;
        o->start_code = U64_MAX;
        for (u32 i = 0; i < e->h.e_phnum; i++) {
                struct linux_elf64_phdr p = phdr_at(e, i);
                u64 addr = p.p_vaddr + e->bias;
                if (p.p_type == PT_PHDR)
                        l->phdr = addr;
                if (p.p_type != PT_LOAD || !p.p_memsz)
                        continue;
                if (!l->phdr && e->h.e_phoff >= p.p_offset && e->h.e_phoff - p.p_offset < p.p_filesz)
                        l->phdr = addr + (e->h.e_phoff - p.p_offset);
                o->start_data = max_u64(o->start_data, addr);
                o->end_data = max_u64(o->end_data, addr + p.p_filesz);
                if (p.p_flags & PF_X) {
                        o->start_code = min_u64(o->start_code, addr);
                        o->end_code = max_u64(o->end_code, addr + p.p_filesz);
                }
        }
        l->phnum = e->h.e_phnum;
        l->entry = e->h.e_entry + e->bias;
}

static err_t map_program(struct loading *l, struct elf *e, struct file *interp)
{
        bool random = l->req->randomize;
        l->vm = vm_new(l->req->domain, l->req->payer);
        if (!l->vm)
                return ERR(ENOMEM);
        l->places = vm_choose_places(l->vm, l->req->stack_limit, random);
        vm_use_places(l->vm, l->places);
        /* A loader started by hand goes to the mappings, so that what it loads has the usual place. */
        TRY(choose_bias(l->vm, e, interp ? l->places.pie_base : 0));
        TRY(map_segments(l->vm, e));
        note_layout(l, e);
        bool loader = e->h.e_type == ET_DYN && !interp;
        u64 brk = vm_random_brk(l->vm, loader ? l->places.pie_base : e->high + e->bias, random);
        l->layout.start_brk = l->layout.brk = brk;
        l->start = l->entry;
        if (interp)
                TRY(load_interp(l, interp));
        return vm_is_user(l->start, 1) ? OK : ERR(EINVAL);
}

static err_t scan(struct loading *l, struct elf *e, struct file **interp)
{
        for (u32 i = 0; i < e->h.e_phnum; i++) {
                struct linux_elf64_phdr p = phdr_at(e, i);
                if (p.p_type == PT_INTERP && !*interp)
                        TRY(open_interp(l, e, &p, interp));
                if (p.p_type == PT_GNU_STACK)
                        l->exec_stack = (p.p_flags & PF_X) != 0;
        }
        return measure(e);
}

err_t elf_load(struct loading *l)
{
        struct elf e = { .file = l->file };
        struct file *interp = NULL;
        if (l->head_len < sizeof e.h)
                return ERR(ENOEXEC);
        POD_READ(&e.h, BYTES_OF(l->head));
        if (!check_header(&e.h))
                return ERR(ENOEXEC);
        err_t err = read_phdrs(&e, l->req->payer);
        if (succeeded(err))
                err = scan(l, &e, &interp);
        if (succeeded(err))
                err = map_program(l, &e, interp);
        if (interp)
                file_drop(interp);
        elf_close(&e);
        return err;
}
