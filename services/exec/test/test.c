/* SPDX-License-Identifier: Apache-2.0
 *
 * services/exec as a host program: a well-formed program's address space and stack, scripts,
 * limits, headers with random damage, and each allocation failing in turn.  Whatever
 * happens: an error or a program, and nothing left behind.
 */
#include "services/vm/test/host.h"
#include "services/exec/exec_impl.h"

/* ---- what host.c does not have ---- */

struct blob { usize cap, len; u8 b[]; };
struct blob *blob_alloc(struct payer *p, usize cap)
{
        (void)p;
        if (cap > BLOB_MAX || ++allocs == fail_at)
                return NULL;
        struct blob *b = calloc(1, sizeof *b + cap);
        b->cap = b->len = cap;
        live_objects++;
        return b;
}
struct blob *blob_copy(struct payer *p, bytes s)
{
        struct blob *b = blob_alloc(p, s.n_k);
        if (b)
                memcpy(b->b, s.p_k, s.n_k);
        return b;
}
void   blob_drop(struct blob *b) { if (b) { live_objects--; free(b); } }
bytes  blob_bytes(struct blob *b) { return (bytes){ b->b, b->len }; }
mbytes blob_mbytes(struct blob *b) { return (mbytes){ b->b, b->cap }; }
usize bytes_find(bytes b, u8 v)  { usize i = 0; while (i < b.n_k && b.p_k[i] != v) i++; return i; }
usize bytes_rfind(bytes b, u8 v) { for (usize i = b.n_k; i-- > 0;) if (b.p_k[i] == v) return i; return b.n_k; }
bool  bytes_starts(bytes b, bytes p) { return b.n_k >= p.n_k && !memcmp(b.p_k, p.p_k, p.n_k); }
struct cpu_info cpu_info(u32 cpu) { (void)cpu; return (struct cpu_info){ .hwcap = 1 }; }
usize fpu_size(void) { return 832; }
void  fpu_reset(void) { }
err_t user_set_fs(struct task *t, u64 b) { (void)t, (void)b; return OK; }
err_t user_set_gs(struct task *t, u64 b) { (void)t, (void)b; return OK; }
void  task_set_space(struct vmspace *s) { (void)s; }
void  spin_lock(struct spinlock *l) { (void)l; }
void  spin_unlock(struct spinlock *l) { (void)l; }
struct pin k_pin(struct frame *f) { return (struct pin){ f }; }
void  k_unpin(struct pin *p) { (void)p; }
POOL_DEFINE(cred, NO_FINI);
err_t file_read_kernel(struct file *f, u64 off, mbytes dst, usize *done)
{
        usize n = 0;
        for (; n < dst.n_k && off + n < f->inode->size; n++) {
                struct frame *p = host_file_page(f, (off + n) >> PAGE_SHIFT);
                if (p)
                        frame_read(p, (off + n) & PAGE_MASK, (mbytes){ dst.p_k + n, 1 });
        }
        *done = n;
        return OK;
}

/* ---- a program ---- */

#define FILE_SIZE 3

struct program { struct linux_elf64_ehdr h; struct linux_elf64_phdr p[4]; u8 interp[16]; };

static struct program make_program(bool pie, bool interp)
{
        struct program x = {
                .h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 }, .e_type = pie ? ET_DYN : ET_EXEC,
                       .e_machine = EM_X86_64, .e_version = 1, .e_entry = (pie ? 0 : 0x400000) + 0x100, .e_phoff = 64, .e_ehsize = 64,
                       .e_phentsize = 56, .e_phnum = 4 },
                .interp = "/lib/ld.so",
        };
        u64 base = pie ? 0 : 0x400000;
        x.p[0] = (struct linux_elf64_phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = base, .p_filesz = 0x1000, .p_memsz = 0x1000, .p_align = 0x1000 };
        x.p[1] = (struct linux_elf64_phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = base + 0x2e00, .p_offset = 0x1e00, .p_filesz = 0x300, .p_memsz = 0x3000, .p_align = 0x1000 };
        x.p[2] = (struct linux_elf64_phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W };
        if (interp)
                x.p[3] = (struct linux_elf64_phdr){ .p_type = PT_INTERP, .p_offset = 64 + 4 * 56, .p_filesz = 11, .p_memsz = 11 };
        return x;
}

static struct file *new_file(const void *content, usize n)
{
        struct file *f = host_file(FILE_SIZE);
        for (u32 i = 0; f && i < FILE_SIZE; i++)
                if (!host_file_page(f, i)) {
                        file_drop(f);
                        return NULL;
                }
        if (f)
                frame_write(host_file_page(f, 0), 0, (bytes){ content, n });
        return f;
}

static struct file *interp_file;        /* what open() gives */
static err_t open_it(bytes path, struct file **out)
{
        (void)path;
        if (!interp_file)
                return ERR(ENOENT);
        *out = file_hold(interp_file);
        return OK;
}
static err_t cred_it(struct file *f, struct cred **c, bool *secure)
{
        (void)f, (void)secure;
        *c = cred_alloc(NULL, MAY_RECLAIM);
        return *c ? OK : ERR(ENOMEM);
}
static const struct exec_ops ops = { .open = open_it, .cred = cred_it };

static struct vm_domain *domain;
static struct blob *path, *argv, *envp;

static err_t run(struct file *f, struct exec_image *image)
{
        struct exec_request r = { .file = f, .path = path, .argv = { .blob = argv, .count = 2 }, .envp = { .blob = envp, .count = 1 },
                .domain = domain, .ops = &ops, .stack_limit = 8ul << 20, .randomize = rnd() & 1 };
        return exec_prepare(&r, image);
}

static u64 word(struct vm *vm, u64 at) { u64 v = 0; CHECK(vm_read_remote(vm, at, MBYTES_OF(v), false) == 8); return v; }
static bool text_is(struct vm *vm, u64 at, const char *s)
{
        u8 c = 1;
        for (; c; s++, at++) {
                CHECK(vm_read_remote(vm, at, MBYTES_OF(c), false) == 1);
                if (c != (u8)*s)
                        return false;
        }
        return true;
}
static u64 auxv(struct vm *vm, u64 sp, u64 type)
{
        u64 at = sp + 8 * (1 + word(vm, sp) + 1);
        while (word(vm, at))
                at += 8;
        for (at += 8; word(vm, at); at += 16)
                if (word(vm, at) == type)
                        return word(vm, at + 8);
        return U64_MAX;
}

static void test_program(bool pie, bool interp)
{
        struct program x = make_program(pie, interp);
        struct program ld = make_program(true, false);
        struct exec_image im = {};
        struct file *f = new_file(&x, sizeof x);
        interp_file = new_file(&ld, sizeof ld);
        CHECK(succeeded(run(f, &im)));
        struct vm *vm = im.vm;
        areas_check(vm);
        CHECK(im.stack % 16 == 0 && word(vm, im.stack) == 2);
        CHECK(text_is(vm, word(vm, im.stack + 8), "prog") && text_is(vm, word(vm, im.stack + 16), "-x") && !word(vm, im.stack + 24));
        CHECK(text_is(vm, word(vm, im.stack + 32), "A=b") && !word(vm, im.stack + 40));
        u64 entry = auxv(vm, im.stack, AT_ENTRY), base = entry - 0x100;
        CHECK(pie || entry == 0x400100);
        CHECK(interp ? im.entry != entry && auxv(vm, im.stack, AT_BASE) + 0x100 == im.entry : im.entry == entry);
        CHECK(auxv(vm, im.stack, AT_PHDR) == base + 64 && auxv(vm, im.stack, AT_PHNUM) == 4);
        CHECK(text_is(vm, auxv(vm, im.stack, AT_EXECFN), "/bin/prog") && text_is(vm, auxv(vm, im.stack, AT_PLATFORM), "x86_64"));
        CHECK(word(vm, base) == 0x00010102464c457f && word(vm, base + 0x2e00) == 0x0202020202020202);
        CHECK(word(vm, base + 0x30f8) == 0x0303030303030303 && !word(vm, base + 0x3100) && !word(vm, base + 0x5df8));
        CHECK(!im.exec_stack && !memcmp(im.comm, "prog", 5));
        CHECK(vm_layout(vm).start_brk >= base + 0x5e00 || (pie && !interp));
        exec_discard(&im);
        file_drop(f);
        file_drop(interp_file);
        interp_file = NULL;
}

static void test_script(void)
{
        static const char line[] = "#! /bin/sh  -e x \nexit\n", bare[] = "#!\n", endless[300] = "#!/bin/sh-----------------------------------------------------------";
        struct program x = make_program(true, false);
        struct exec_image im = {};
        struct file *f = new_file(line, sizeof line);
        interp_file = new_file(&x, sizeof x);
        CHECK(succeeded(run(f, &im)));
        u64 sp = im.stack;
        CHECK(word(im.vm, sp) == 4);
        CHECK(text_is(im.vm, word(im.vm, sp + 8), "/bin/sh") && text_is(im.vm, word(im.vm, sp + 16), "-e x"));
        CHECK(text_is(im.vm, word(im.vm, sp + 24), "/bin/prog") && text_is(im.vm, word(im.vm, sp + 32), "-x") && !word(im.vm, sp + 40));
        exec_discard(&im);
        file_drop(interp_file);
        interp_file = f;                        /* a script that is its own interpreter */
        CHECK(err_is(run(f, &im), ELOOP));
        file_drop(f);
        interp_file = NULL;
        f = new_file(bare, sizeof bare);
        CHECK(err_is(run(f, &im), ENOEXEC));
        file_drop(f);
        u8 dashes[300];
        memset(dashes, '-', sizeof dashes);
        memcpy(dashes, endless, 10);
        f = new_file(dashes, sizeof dashes);
        CHECK(err_is(run(f, &im), ENOEXEC));
        file_drop(f);
}

static void test_damage(u32 rounds)
{
        for (u32 i = 0; i < rounds; i++) {
                struct program x = make_program(i & 1, i & 2), ld = make_program(true, false);
                struct exec_image im = {};
                for (u64 n = 1 + rnd() % 4; n > 0; n--) {
                        u8 *at = (u8 *)(rnd() & 1 ? &x : &ld) + rnd() % sizeof x;
                        static const u64 odd[] = { 0, 1, ~0ul, 1ul << 63, VM_MAX, VM_MAX - 1, 4096, 0x7fffffff, U32_MAX };
                        if (rnd() & 1)
                                *at ^= (u8)(1 << rnd() % 8);
                        else if (at + 8 <= (u8 *)(&x + 1) && at >= (u8 *)&x)
                                memcpy(at, &odd[rnd() % ARRAY_SIZE(odd)], 8);
                }
                struct file *f = new_file(&x, sizeof x);
                interp_file = new_file(&ld, sizeof ld);
                if (f && interp_file && succeeded(run(f, &im))) {
                        areas_check(im.vm);
                        exec_discard(&im);
                }
                if (f)
                        file_drop(f);
                if (interp_file)
                        file_drop(interp_file);
                interp_file = NULL;
        }
}

int main(void)
{
        host_init();
        domain = vm_domain_new();
        path = blob_copy(NULL, STR("/bin/prog"));
        argv = blob_copy(NULL, STR("prog\0-x\0"));
        envp = blob_copy(NULL, STR("A=b\0"));
        u64 objects = live_objects;
        for (u32 i = 0; i < 4; i++)
                test_program(i & 1, i & 2);
        test_script();
        CHECK(live_objects == objects && !live_frames && !vm_committed(domain));
        test_damage(20000);
        CHECK(live_objects == objects && !live_frames && !vm_committed(domain));
        for (u32 n = 1; n < 120; n++)
                for (u32 kind = 0; kind < 4; kind++) {
                        struct program x = make_program(kind & 1, kind & 2), ld = make_program(true, false);
                        struct exec_image im = {};
                        struct file *f = new_file(&x, sizeof x);
                        interp_file = new_file(&ld, sizeof ld);
                        allocs = 0;
                        fail_at = n;
                        err_t err = run(f, &im);
                        CHECK(succeeded(err) ? allocs < n : err_is(err, ENOMEM));
                        fail_at = 0;
                        if (succeeded(err))
                                exec_discard(&im);
                        file_drop(f);
                        file_drop(interp_file);
                        interp_file = NULL;
                        CHECK(live_objects == objects && !live_frames && !vm_committed(domain));
                }
        printf("exec: ok\n");
        exit(0);
}
