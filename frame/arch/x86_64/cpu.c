/* SPDX-License-Identifier: Apache-2.0
 *
 * Processors: what they have, and the descriptor tables, control registers and
 * stacks that each gets.  arch_cpu_early() runs on every CPU before anything else.
 */
#include "x86.h"
#include "mem.h"

#define GDT_ENTRIES 16
#define GDT_CPU     15                  /* its limit is the CPU number: Linux's getcpu without RDPID */

struct tss {
        u32 spare0;
        u64 rsp[3];
        u64 spare1;
        u64 ist[7];
        u64 spare2;
        u16 spare3, iomap;
} __attribute__((packed));

/* One per CPU.  The entry code finds it by SGDT where GS cannot be trusted. */
struct cpu_block {
        struct percpu p;
        u64 gdt[GDT_ENTRIES] __attribute__((aligned(64)));
        struct tss tss __attribute__((aligned(64)));
};
_Static_assert(__builtin_offsetof(struct cpu_block, gdt) == PERCPU_GDT, "entry code");
_Static_assert(sizeof(struct cpu_block) <= PAGE_SIZE, "one page per CPU");

struct gate { u16 offset0, selector; u8 ist, type; u16 offset1; u32 offset2, spare; };
struct table { u16 limit; u64 base; } __attribute__((packed));

struct percpu *percpu_of[MAX_CPUS];
u32 cpus_online = 1;
struct cpu_features cpu_has RO_AFTER_BOOT;

static struct cpu_block boot_block __attribute__((aligned(4096)));
static u8 boot_irq_stack[4096] __attribute__((aligned(16)));    /* until arch_stacks_init */
static struct gate idt[256] RO_AFTER_BOOT __attribute__((aligned(16)));
static struct cpu_info infos[MAX_CPUS];
extern u8 trap_stubs[];                 /* trap.S: 256 stubs, 16 bytes apart */

struct smap_site { i32 at; u32 last; };
extern struct smap_site k_smap_start[], k_smap_end[];

/* ---- what there is ---- */

static void find_features(void)
{
        u32 max = cpuid(0, 0).eax;
        struct cpuid l1 = cpuid(1, 0), l7 = { }, e1 = cpuid(0x80000001, 0);

        if (max >= 7)
                l7 = cpuid(7, 0);
        cpu_has.apic      = l1.edx >> 9 & 1;
        cpu_has.xsave     = l1.ecx >> 26 & 1;
        cpu_has.rdrand    = l1.ecx >> 30 & 1;
        cpu_has.fsgsbase  = l7.ebx & 1;
        cpu_has.smep      = l7.ebx >> 7 & 1;
        cpu_has.rdseed    = l7.ebx >> 18 & 1;
        cpu_has.smap      = l7.ebx >> 20 & 1;
        cpu_has.umip      = l7.ecx >> 2 & 1;
        cpu_has.pku       = l7.ecx >> 3 & 1 && cpu_has.xsave && max >= 0xd && cpuid(0xd, 0).eax & XCR0_PKRU;
        cpu_has.nx        = e1.edx >> 20 & 1;
        cpu_has.gib_pages = e1.edx >> 26 & 1;
        cpu_has.rdtscp    = e1.edx >> 27 & 1;
        cpu_has.xsaveopt  = cpu_has.xsave && max >= 0xd && (cpuid(0xd, 1).eax & 1);
}

/* Writes STAC and CLAC into their places, while text is still writable. */
static void patch_smap_sites(void)
{
        for (struct smap_site *s = k_smap_start; s < k_smap_end; s++) {
                /* SAFETY: A2: a three-byte NOP that the assembler placed there. */
                u8 *at = (u8 *)&s->at + s->at;
                at[0] = 0x0f;
                at[1] = 0x01;
                at[2] = (u8)s->last;
        }
}

static void copy_words(u8 *dst, struct cpuid r, bool vendor)
{
        u32 w[4] = { r.eax, r.ebx, r.ecx, r.edx };
        if (vendor)
                w[0] = r.ebx, w[1] = r.edx, w[2] = r.ecx, w[3] = 0;
        for (u32 i = 0; i < 16; i++)
                dst[i] = (u8)(w[i / 4] >> i % 4 * 8);
}

void cpu_identify(u32 cpu)
{
        struct cpu_info *ci = &infos[cpu];
        struct cpuid l0 = cpuid(0, 0), l1 = cpuid(1, 0), e0 = cpuid(0x80000000, 0);

        copy_words(ci->vendor, l0, true);
        for (u32 i = 0; i < 3 && e0.eax >= 0x80000004; i++)
                copy_words(ci->model_name + 16 * i, cpuid(0x80000002 + i, 0), false);
        ci->family   = (l1.eax >> 8 & 15) + ((l1.eax >> 8 & 15) == 15 ? l1.eax >> 20 & 255 : 0);
        ci->model    = (l1.eax >> 4 & 15) | (ci->family >= 6 ? l1.eax >> 12 & 0xf0 : 0);
        ci->stepping = l1.eax & 15;
        ci->apic_id  = percpu_of[cpu]->apic_id;
        ci->leaf1_ecx = l1.ecx;
        ci->leaf1_edx = l1.edx;
        if (l0.eax >= 7) {
                struct cpuid l7 = cpuid(7, 0);
                ci->leaf7_ebx = l7.ebx, ci->leaf7_ecx = l7.ecx, ci->leaf7_edx = l7.edx;
        }
        struct cpuid e1 = cpuid(0x80000001, 0);
        ci->ext1_ecx = e1.ecx;
        ci->ext1_edx = e1.edx;
        ci->phys_bits = 36;
        ci->virt_bits = 48;
        if (e0.eax >= 0x80000008) {
                u32 a = cpuid(0x80000008, 0).eax;
                ci->phys_bits = a & 255;
                ci->virt_bits = a >> 8 & 255;
        }
        if (e0.eax >= 0x80000006)
                ci->cache_kib = cpuid(0x80000006, 0).ecx >> 16;
        ci->hwcap  = l1.edx;
        ci->hwcap2 = cpu_has.fsgsbase ? 2 : 0;          /* HWCAP2_FSGSBASE */
}

struct cpu_info cpu_info(u32 cpu)
{
        if (cpu >= MAX_CPUS || !percpu_of[cpu])
                return (struct cpu_info){ };
        struct cpu_info ci = infos[cpu];
        struct clock_params cp = clock_params();
        if (cp.mult)
                ci.mhz = (u32)((1000ul << cp.shift) / cp.mult);
        return ci;
}

void cpu_relax(void) { cpu_pause(); }

/* ---- tables ---- */

static void set_gate(u32 vec, u8 ist, u8 dpl)
{
        u64 at = (u64)trap_stubs + 16 * vec;
        idt[vec] = (struct gate){ (u16)at, KERNEL_CS, ist, (u8)(0x8e | dpl << 5), (u16)(at >> 16), (u32)(at >> 32), 0 };
}

static void fill_idt(void)
{
        for (u32 v = 0; v < 256; v++)
                set_gate(v, 0, v == 3 || v == 4 ? 3 : 0);       /* INT3 and INTO are user's to raise */
        set_gate(8, 1, 0);
        set_gate(VEC_NMI, 2, 0);
        set_gate(18, 3, 0);
        set_gate(1, 4, 0);
}

static void fill_block(struct cpu_block *b, u32 cpu)
{
        u64 tss = (u64)&b->tss;

        b->p.self = &b->p;
        b->p.cpu = cpu;
        b->p.tss = &b->tss;
        b->p.timer_deadline = b->p.tick_deadline = NEVER;
        b->gdt[KERNEL_CS / 8] = 0x00af9b000000ffff;
        b->gdt[KERNEL_SS / 8] = 0x00cf93000000ffff;
        b->gdt[USER_SS / 8]   = 0x00cff3000000ffff;
        b->gdt[USER_CS / 8]   = 0x00affb000000ffff;
        b->gdt[TSS_SEL / 8]   = 0x0000890000000000 | (sizeof(struct tss) - 1) |
                                (tss & 0xffffff) << 16 | (tss >> 24 & 0xff) << 56;
        b->gdt[TSS_SEL / 8 + 1] = tss >> 32;
        b->gdt[GDT_CPU]       = 0x0040f50000000000 | cpu;       /* user data, read only */
        b->tss.iomap = sizeof(struct tss);
}

static void set_stacks(struct cpu_block *b, u64 irq_top, u64 double_fault, u64 others)
{
        b->p.irq_stack = irq_top;
        b->tss.ist[0] = double_fault;
        b->tss.ist[1] = others;                         /* NMI */
        b->tss.ist[2] = others - 4096;                  /* machine check */
        b->tss.ist[3] = others - 8192;                  /* debug */
}

static void load_tables(struct cpu_block *b)
{
        struct table g = { sizeof b->gdt - 1, (u64)b->gdt }, i = { sizeof idt - 1, (u64)idt };

        /* SAFETY: A3: the tables live as long as the CPU runs. */
        __asm__ volatile ("lgdt %0; lidt %1; ltr %w2" :: "m"(g), "m"(i), "r"(TSS_SEL) : "memory");
        __asm__ volatile ("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:" :: "i"(KERNEL_CS) : "rax", "memory");
        __asm__ volatile ("movl %0, %%ds; movl %0, %%es; movl %1, %%ss; movl %0, %%fs" :: "r"(0), "r"(KERNEL_SS));
}

/* SAFETY: A5. */
static void set_control_registers(void)
{
        u64 cr4 = 1 << 5 | 1 << 6 | 1 << 7 | 1 << 9 | 1 << 10;  /* PAE MCE PGE OSFXSR OSXMMEXCPT */

        cr4 |= cpu_has.umip ? 1 << 11 : 0;
        cr4 |= cpu_has.fsgsbase ? 1 << 16 : 0;
        cr4 |= cpu_has.xsave ? 1 << 18 : 0;
        cr4 |= cpu_has.smep ? 1 << 20 : 0;
        cr4 |= cpu_has.smap ? 1 << 21 : 0;
        cr4 |= cpu_has.pku ? 1 << 22 : 0;
        write_cr4(cr4);
        write_cr0(0x80050033);                          /* PG AM WP NE ET MP PE */
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 1 | 1 << 11); /* SCE, NXE */
        __asm__ volatile ("movq %0, %%dr7" :: "r"(0x400ul));
}

static void set_syscall_msrs(u32 cpu)
{
        wrmsr(MSR_STAR, (u64)(USER_SS - 8) << 48 | (u64)KERNEL_CS << 32);
        wrmsr(MSR_LSTAR, (u64)entry_syscall);
        wrmsr(MSR_CSTAR, 0);
        wrmsr(MSR_SFMASK, 0x257fd5);                    /* everything but ID, and IF among it */
        if (cpu_has.rdtscp)
                wrmsr(MSR_TSC_AUX, cpu);
}

/* What must stand before anything else: struct percpu in GS. */
void cpu_setup_boot(void)
{
        struct cpu_block *b = &boot_block;

        fill_block(b, 0);
        set_stacks(b, (u64)boot_irq_stack + sizeof boot_irq_stack, (u64)boot_irq_stack + sizeof boot_irq_stack,
                   (u64)boot_irq_stack + sizeof boot_irq_stack);
        b->p.online = 1;
        percpu_of[0] = &b->p;
        wrmsr(MSR_GS_BASE, (u64)b);
        find_features();
        if (!cpu_has.nx)
                k_panic("this processor cannot make data non-executable (NX)");
        if (cpu_has.smap)
                patch_smap_sites();
        fill_idt();
        arch_cpu_early();
}

/* GS is this CPU's struct percpu already. */
void arch_cpu_early(void)
{
        /* SAFETY: T2: struct percpu is a cpu_block's first member. */
        struct cpu_block *b = (struct cpu_block *)this_cpu();

        load_tables(b);
        wrmsr(MSR_GS_BASE, (u64)b);                     /* loading GS's selector would have cleared it */
        wrmsr(MSR_KERNEL_GS, 0);
        set_control_registers();
        set_syscall_msrs(b->p.cpu);
        fpu_setup();
        b->p.apic_id = cpuid(1, 0).ebx >> 24;
        cpu_identify(b->p.cpu);
}

static bool give_stacks(struct cpu_block *b)
{
        u64 irq = kstack_alloc(NULL), df = kstack_alloc(NULL), others = kstack_alloc(NULL);

        if (!irq || !df || !others)
                return false;
        set_stacks(b, irq, df, others);
        return true;
}

void arch_stacks_init(void)
{
        if (!give_stacks(&boot_block))
                k_panic("no memory for interrupt stacks");
}

struct percpu *cpu_new(u32 cpu, u32 apic_id)
{
        struct cpu_block *b = kpages_alloc(0);

        if (!b)
                return NULL;
        fill_block(b, cpu);
        b->p.apic_id = apic_id;
        return give_stacks(b) ? &b->p : NULL;
}

void arch_set_kernel_stack(u64 top)
{
        /* SAFETY: T3. */
        struct cpu_block *b = (struct cpu_block *)this_cpu();

        b->p.kernel_sp = top;
        b->tss.rsp[0] = top;
}

/* ---- randomness ---- */

static bool hardware_random(u64 *v)
{
        bool ok = false;

        for (u32 i = 0; i < 16 && !ok; i++) {
                if (cpu_has.rdseed)
                        __asm__ volatile ("rdseed %0" : "=r"(*v), "=@ccc"(ok));
                if (!ok && cpu_has.rdrand)
                        __asm__ volatile ("rdrand %0" : "=r"(*v), "=@ccc"(ok));
                if (!cpu_has.rdseed && !cpu_has.rdrand)
                        break;
        }
        return ok;
}

/* Eight words, each from the hardware where it can, and from the time it took. */
void arch_random_seed(u8 out[64])
{
        u64 mix = 0x9e3779b97f4a7c15;

        for (u32 i = 0; i < 8; i++) {
                u64 v = 0;
                hardware_random(&v);
                for (u32 j = 0; j < 32; j++) {          /* time of port reads and cache misses: a few bits each */
                        mix = (mix ^ read_tsc()) * 0xff51afd7ed558ccd;
                        mix ^= mix >> 29;
                        if (j % 8 == 0)
                                in8(0x61);
                }
                v ^= mix;
                __builtin_memcpy(out + 8 * i, &v, 8);
        }
}
