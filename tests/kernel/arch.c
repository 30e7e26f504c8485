/* SPDX-License-Identifier: Apache-2.0
 *
 * Self-test of the entry code, user state and user copies: a kernel of `make selftest`, started with
 * selftest=arch.  Each check names the invariant of SOUNDNESS.md that it would find broken.
 */
#ifdef KEEL_SELFTEST
#include "x86.h"
#include "mem.h"
#include "task_impl.h"
#pragma clang diagnostic ignored "-Wunused-function"

#define USERS    4
#define CODE_AT  0x400000ul
#define DATA_AT  0x500000ul

OBJECT(st_user) { struct task_body base; u64 n; u32 seen; };
POOL_DECLARE(st_user)
DOWNCASTABLE(st_user, task_body);
POOL_DEFINE(st_user, NO_FINI);

extern const u8 selftest_user[], selftest_user_end[];
void arch_selftest(void);

static u32 failed_checks, ended;

static void check(const char *what, bool good)
{
        k_print(good ? "selftest: %s ok\n" : "selftest: %s FAILED\n", (u64)what, 0, 0);
        failed_checks += !good;
}

/* What user 0 is expected to do after its yields, in order. */
struct event { const char *what; u32 vector; u32 error; u64 value; };
#define CALL 256u
#define ANY  ~0u                        /* QEMU and hardware differ */
static const struct event expected[] = {
        { "U1 CS", CALL, 0, USER_CS }, { "U1 RFLAGS", CALL, 0, 0x202 },
        { "T3 ud2", 6, 0, 0 }, { "int3", 3, 0, 0 },
        { "kernel text", 14, 5, IMAGE_BASE + 0x200000 }, { "direct map", 14, 7, DIRECT_BASE + 0x100000 }, { "null", 14, 4, 0 },
        { "hlt", 13, 0, 0 }, { "cli", 13, 0, 0 }, { "I1 in", 13, 0, 0 }, { "int 0x80", 13, ANY, 0 }, { "int 14", 13, ANY, 0 },
        { "cr3", 13, 0, 0 }, { "rdmsr", 13, 0, 0 }, { "not canonical", 13, 0, 0 },
        { "single step", 1, 0, 0 }, { "after it", CALL, 0, 0x202 },
        { "T1 AC DF NT", CALL, 0, 0x202 }, { "U2 AC DF NT kept", CALL, 0, 0x44602 }, { "T1 ud2 with AC DF NT", 6, 0, 0 },
        { "U2 kernel stack pointer", CALL, 0, 0x44602 }, { "U2 wild stack pointer", CALL, 0, 0x44602 },
        { "U3 wild ip", 13, 0, 0 }, { "U3 kernel ip", 14, 0x15, IMAGE_BASE + 0x200000 }, { "U3 ip at the top", 14, 0x14, 0x7ffffffff000 },
};

#define KEPT (~0x8d5ul)                 /* arithmetic flags may be anything */

static void happens(struct task_body *self, u32 vector, u32 error, u64 value)
{
        struct st_user *u = DOWNCAST(st_user, self);
        u32 i = u->seen++;

        if (vector == CALL && value == 0xbad)
                check("U4 state kept over switches", false);
        if (u->n != 0)
                return;
        if (i >= ARRAY_SIZE(expected)) {
                check("number of events", false);
                return;
        }
        const struct event *e = &expected[i];
        bool flags = e->vector == CALL && i > 0;
        bool good = e->vector == vector && (e->error == ANY || e->error == error) && (flags ? value & KEPT : value) == e->value;
        check(e->what, good);
        if (!good)
                k_print("  vector %d error %x value %x\n", vector, error, value);
}

/* ---- the user's ops ---- */

static void write_null(void *p)  { *(volatile u64 *)p = 1; }
static void write_text(void *p)  { *(volatile u8 *)p = 0xcc; }

static void test_copies(void)
{
        u8 buf[1024];
        bool found;
        u32 seen = 9;
        mbytes all = MBYTES_OF(buf);

        check("U5 copy out ends at the page", user_copy_out(DATA_AT + PAGE_SIZE - 13, bytes_const(mbytes_take(all, 100))) == 13);
        u64 flags = arch_irq_save();
        arch_irq_restore(flags);
        check("T5 AC is clear after a fault", !(flags & FLAG_AC));
        check("U5 long copy in ends at the page", user_copy_in(all, DATA_AT + PAGE_SIZE - 1001) == 1001);
        check("U5 zero ends at the page", user_zero(DATA_AT + PAGE_SIZE - 29, 4000) == 29);
        check("U5 nothing of the kernel", user_copy_in(all, IMAGE_BASE + 0x200000) == 0 && user_copy_in(all, DIRECT_BASE) == 0);
        check("U5 nothing that wraps", user_copy_in(all, U64_MAX - 4) == 0 && user_copy_in(all, VM_MAX - 8) == 0);
        check("U5 no write to text", user_copy_out(CODE_AT, bytes_const(all)) == 0);
        check("U5 string without end", user_copy_string(all, DATA_AT + PAGE_SIZE, &found) == 0 && !found);
        check("U5 words", user_cmpxchg32(DATA_AT + 2048, 0, 5, &seen) && seen == 0 && user_load32(DATA_AT + 2048, &seen) && seen == 5 &&
              !user_store64(DATA_AT + PAGE_SIZE, 1) && user_store32(DATA_AT + 2048, 0));
        check("5.7 user memory outside of the copies", !contained(write_null, (void *)(DATA_AT + 3000)) || !cpu_has.smap);
        check("T5 null", !contained(write_null, NULL));
        check("A2 text is read-only", !contained(write_text, (void *)(k_image_start + 64)));
}

static err_t load(bytes state)
{
        bool missing;

        user_copy_out(DATA_AT + 1024, state);
        return user_fpu_load(DATA_AT + 1024, state.n_k, fpu_features(), &missing);
}

static void test_fpu(struct task *t)
{
        u8 buf[1024];
        mbytes all = MBYTES_OF(buf);

        if (fpu_size() > sizeof buf)
                return;
        usize n = fpu_save(all);
        bytes state = bytes_const(mbytes_take(all, n));
        check("fpu reset state", bytes_le16(state, 0) == 0x37f && bytes_le32(state, 24) == 0x1f80);
        mbytes_put_le32(all, 24, U32_MAX);
        check("U4 MXCSR masked", succeeded(load(state)));
        fpu_save(all);
        check("U4 MXCSR masked", bytes_le32(state, 24) == cpu_has.mxcsr_mask);
        for (u32 i = 512u + 8; n > 512 && i < 576; i += 8) {
                fpu_save(all);
                mbytes_put(all, i, 1);
                check("U4 header refused", failed(load(state)));
        }
        if (n > 512) {
                fpu_save(all);
                mbytes_put(all, 512u + 7, 0x80);
                check("U4 XSTATE_BV masked", succeeded(load(state)));
        }
        fpu_reset();
        check("U6 FS refused", failed(user_set_fs(t, 0x8000000000000000)) && failed(user_set_gs(t, DIRECT_BASE)));
}

static void start(struct task_body *self, struct user_regs *r)
{
        struct st_user *u = DOWNCAST(st_user, self);
        u64 mine = DATA_AT + 64 * u->n;

        /* What no user may have; U1. */
        r->cs = KERNEL_CS;
        r->ss = 0;
        r->rflags = 0x1b3000;
        r->rip = CODE_AT;
        r->rsp = DATA_AT + 1024 + 128 * (u->n + 1);
        r->rbx = u->n;
        ignore(user_set_fs(self->task, mine));
        ignore(user_set_gs(self->task, mine));
        user_store64(mine, u->n);
        if (u->n == 0) {
                test_copies();
                test_fpu(self->task);
        }
}

static void look_at_flags(void)
{
        u64 flags = arch_irq_save();

        arch_irq_restore(flags);
        /* DF, NT.  Without SMAP nothing clears AC, and in the kernel it means nothing. */
        if (flags & ((cpu_has.smap ? FLAG_AC : 0) | 0x400 | 0x4000 | FLAG_TF))
                check("T1 flags in the kernel", false);
}

static void on_call(struct task_body *self, struct user_regs *r)
{
        if (r->orig_rax == 0x104)
                return;
        look_at_flags();
        switch (r->orig_rax) {
        case 0x100: happens(self, CALL, 0, r->rdi); break;
        case 0x101: r->rip = r->rdi; break;
        case 0x102: task_yield(); break;
        case 0x105: k_print("selftest: a system call takes %d cycles\n", r->rdi / 1000, 0, 0); break;
        default:
                task_exit();
                __atomic_add_fetch(&ended, 1, __ATOMIC_RELEASE);
        }
}

static void on_fault(struct task_body *self, struct user_regs *r, struct user_fault f)
{
        look_at_flags();
        happens(self, f.vector, f.error, f.addr);
        r->rip = r->r14;
        r->rflags &= ~(u64)FLAG_TF;
}

static void never_called(struct task_body *self, struct user_regs *r)
{
        check("no death", false);
        task_exit();
}

static const struct user_ops ops = { start, on_call, on_fault, on_fault, never_called, never_called };

bool asked_for(bytes what);             /* tasks.c: the command line ends so */

void arch_selftest(void)
{
        if (!asked_for(STR("selftest=arch")))
                return;
        struct vmspace *vm = vmspace_new(NULL);
        struct frame *code = frame_alloc(NULL, FRAME_ZERO), *data = frame_alloc(NULL, FRAME_ZERO);
        bool others = false;
        u64 v;

        check("U5 no space, no user memory", user_copy_in(MBYTES_OF(v), CODE_AT) == 0);
        struct { u16 limit; u64 base; } __attribute__((packed)) idt, gdt;
        __asm__ volatile ("sidt %0; sgdt %1" : "=m"(idt), "=m"(gdt));
        check("A3 the IDT is read-only", !contained(write_text, (void *)(idt.base + 200 * 16)));
        bool apart = gdt.base == (u64)this_cpu() + PERCPU_GDT;
        for (u32 c = 0; c < cpu_count(); c++)
                for (u32 d = 0; d < c; d++)
                        apart &= percpu_of[c]->irq_stack != percpu_of[d]->irq_stack && percpu_of[c]->tss != percpu_of[d]->tss;
        check("A3 tables and stacks of its own", apart);
        check("arch_peek", arch_peek((u64)k_image_start, &v) && !arch_peek(STACKS_BASE - 4096, &v));
        frame_write(code, 0, (bytes){ selftest_user, (usize)(selftest_user_end - selftest_user) });
        { VM_CURSOR(c, vm, CODE_AT); ignore(cursor_map(&c, code, VM_READ | VM_EXEC)); }
        { VM_CURSOR(c, vm, DATA_AT); ignore(cursor_map(&c, data, VM_READ | VM_WRITE)); }
        for (u32 i = 0; i < USERS; i++) {
                struct st_user *u = st_user_alloc(NULL, NOWAIT);
                u->n = i;
                st_user_publish(u);
                struct task *t = task_new_user(&u->base, &ops, NULL, false);
                task_set_space_of(t, vm);
                task_start(t);
        }
        while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) < USERS) {
                for (u32 i = 0; i < 50; i++)            /* T4: NMIs wherever the others are */
                        for (u32 c = 0; c < cpu_count(); c++)
                                lapic_send(percpu_of[c]->apic_id, 0x4400);
                ignore(sleep_until(time_now() + NSEC_PER_MSEC / 2, WAIT_KILLABLE));
                others |= user_copy_in(MBYTES_OF(v), CODE_AT) != 0;     /* what was loaded last is a user's */
        }
        check("U5 another's space", !others);
        k_print("selftest: arch: %d failed\n", failed_checks, 0, 0);
        power_off();
}
#endif
