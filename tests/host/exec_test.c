/* SPDX-License-Identifier: Apache-2.0
 *
 * services/exec as a host program: a well-formed program's address space and stack, scripts,
 * limits, headers with random damage, and each allocation failing in turn.  Whatever
 * happens: an error or a program, and nothing left behind.
 */
#include "tests/host/vmhost.h"
#include "services/exec/exec_impl.h"

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
        usize done = 0;
        if (f && (failed(file_write_kernel(f, 0, (bytes){ content, n }, &done)) || done != n)) {
                file_drop(f);
                return NULL;
        }
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
static err_t cred_it(struct file *f, struct cred **c, u32 *secure)
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
                .domain = domain, .ops = &ops, .stack_limit = 8ul << 20, .randomize = host_random() & 1 };
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
                for (u64 n = 1 + host_random() % 4; n > 0; n--) {
                        u8 *at = (u8 *)(host_random() & 1 ? &x : &ld) + host_random() % sizeof x;
                        static const u64 odd[] = { 0, 1, ~0ul, 1ul << 63, VM_MAX, VM_MAX - 1, 4096, 0x7fffffff, U32_MAX };
                        if (host_random() & 1)
                                *at ^= (u8)(1 << host_random() % 8);
                        else if (at + 8 <= (u8 *)(&x + 1) && at >= (u8 *)&x)
                                memcpy(at, &odd[host_random() % ARRAY_SIZE(odd)], 8);
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

/* What is wrong, and what execve says to it. */
static int error_of(struct program *x, usize size, struct program *ld)
{
        struct exec_image im = {};
        struct file *f = new_file(x, size);
        struct actor who = world_actor(&vmhost);
        interp_file = ld ? new_file(ld, sizeof *ld) : NULL;
        if (size < sizeof *x)
                CHECK_ERR(file_truncate(&who, f, (i64)size), 0);
        int e = err_code(run(f, &im));
        if (!e)
                exec_discard(&im);
        file_drop(f);
        file_drop(interp_file);
        interp_file = NULL;
        return e;
}
static void test_errors_of(bool pie)
{
        struct program good = make_program(pie, true), ld = make_program(true, false), x, bad_ld = ld;
        CHECK_EQ(error_of(&good, sizeof good, &ld), 0);
        CHECK_EQ(error_of(&good, sizeof good, NULL), ENOENT);
        CHECK_EQ(error_of(&good, 0, &ld), ENOEXEC);
        CHECK_EQ(error_of(&good, 63, &ld), ENOEXEC);
        x = good, x.h.e_ident[0] = 0x7e;        CHECK_EQ(error_of(&x, sizeof x, &ld), ENOEXEC);
        x = good, x.h.e_machine = 3;            CHECK_EQ(error_of(&x, sizeof x, &ld), ENOEXEC);
        x = good, x.h.e_type = 1;               CHECK_EQ(error_of(&x, sizeof x, &ld), ENOEXEC);
        x = good, x.h.e_phentsize = 32;         CHECK_EQ(error_of(&x, sizeof x, &ld), ENOEXEC);
        x = good, x.h.e_phnum = 0;              CHECK_EQ(error_of(&x, sizeof x, &ld), ENOEXEC);
        x = good, x.p[3].p_filesz = 1;          CHECK_EQ(error_of(&x, sizeof x, &ld), ENOEXEC);
        x = good, x.p[3].p_filesz = 5000;       CHECK_EQ(error_of(&x, sizeof x, &ld), ENOEXEC);
        x = good, x.interp[10] = 'x';           CHECK_EQ(error_of(&x, sizeof x, &ld), ENOEXEC);
        bad_ld.h.e_ident[1] = 'x';              CHECK_EQ(error_of(&good, sizeof good, &bad_ld), ELIBBAD);
}
static void start(void);
static void check_rest(void);
static void test_errors(void)
{
        start();
        test_errors_of(false);
        test_errors_of(true);
        check_rest();
}

static u64 alive;

static void start(void)
{
        vmhost_begin();
        domain = vm_domain_new();
        path = blob_copy(NULL, STR("/bin/prog"));
        argv = blob_copy(NULL, STR("prog\0-x\0"));
        envp = blob_copy(NULL, STR("A=b\0"));
        test_program(true, true);               /* what is made once has been made */
        alive = host_live();
}
static void check_rest(void)
{
        host_at_rest();
        if (host_live() != alive)
                host_report_live();
        CHECK_EQ(host_live(), alive);
        CHECK(!vm_committed(domain));
}

static void test_programs(void)
{
        start();
        for (u32 i = 0; i < 4; i++)
                test_program(i & 1, i & 2);
        check_rest();
}
static void test_scripts(void)
{
        start();
        test_script();
        check_rest();
}
static void test_damaged(void)
{
        start();
        test_damage(8000);
        check_rest();
}

static void test_no_memory(void)
{
        start();
        for (u32 kind = 0; kind < 4; kind++)
                for (u32 n = 1;; n++) {
                        struct program x = make_program(kind & 1, kind & 2), ld = make_program(true, false);
                        struct exec_image im = {};
                        struct file *f = new_file(&x, sizeof x);
                        interp_file = new_file(&ld, sizeof ld);
                        host_fail_from(n);
                        err_t err = run(f, &im);
                        bool one = host_failed_one();
                        CHECK(succeeded(err) || (one && err_is(err, ENOMEM)));
                        host_fail_from(0);
                        if (succeeded(err))
                                exec_discard(&im);
                        file_drop(f);
                        file_drop(interp_file);
                        interp_file = NULL;
                        check_rest();
                        CHECK(one || n > 8);
                        if (!one)
                                break;
                }
}

TESTS({ "programs", test_programs }, { "errors", test_errors }, { "scripts", test_scripts }, { "damaged", test_damaged }, { "no_memory", test_no_memory })
