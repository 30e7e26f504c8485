/* SPDX-License-Identifier: Apache-2.0
 *
 * Classic BPF: an accumulator, an index register, sixteen words of memory.  Jumps go forward only, so a program ends.
 */
#include "services/seccomp/bpf.h"
#include "abi/const/socket.h"

#define ALL_WORDS 0xffffu

static struct linux_sock_filter insn_at(bytes program, u32 i)
{
        struct linux_sock_filter f;

        POD_READ(&f, bytes_sub(program, i * BPF_INSN, BPF_INSN));
        return f;
}

/* Is an instruction one of seccomp's, and its constant good? */
static bool known(const struct linux_sock_filter *f)
{
        switch (f->code) {
        case BPF_LD | BPF_W | BPF_ABS:
                return f->k < sizeof(struct linux_seccomp_data) && f->k % 4 == 0;
        case BPF_LD | BPF_MEM:
        case BPF_LDX | BPF_MEM:
        case BPF_ST:
        case BPF_STX:
                return f->k < BPF_MEMWORDS;
        case BPF_ALU | BPF_DIV | BPF_K:
                return f->k != 0;
        case BPF_ALU | BPF_LSH | BPF_K:
        case BPF_ALU | BPF_RSH | BPF_K:
                return f->k < 32;
        case BPF_LD | BPF_IMM:
        case BPF_LDX | BPF_IMM:
        case BPF_LD | BPF_W | BPF_LEN:
        case BPF_LDX | BPF_W | BPF_LEN:
        case BPF_ALU | BPF_ADD | BPF_K:
        case BPF_ALU | BPF_ADD | BPF_X:
        case BPF_ALU | BPF_SUB | BPF_K:
        case BPF_ALU | BPF_SUB | BPF_X:
        case BPF_ALU | BPF_MUL | BPF_K:
        case BPF_ALU | BPF_MUL | BPF_X:
        case BPF_ALU | BPF_DIV | BPF_X:
        case BPF_ALU | BPF_OR | BPF_K:
        case BPF_ALU | BPF_OR | BPF_X:
        case BPF_ALU | BPF_AND | BPF_K:
        case BPF_ALU | BPF_AND | BPF_X:
        case BPF_ALU | BPF_XOR | BPF_K:
        case BPF_ALU | BPF_XOR | BPF_X:
        case BPF_ALU | BPF_LSH | BPF_X:
        case BPF_ALU | BPF_RSH | BPF_X:
        case BPF_ALU | BPF_NEG:
        case BPF_JMP | BPF_JA:
        case BPF_JMP | BPF_JEQ | BPF_K:
        case BPF_JMP | BPF_JEQ | BPF_X:
        case BPF_JMP | BPF_JGT | BPF_K:
        case BPF_JMP | BPF_JGT | BPF_X:
        case BPF_JMP | BPF_JGE | BPF_K:
        case BPF_JMP | BPF_JGE | BPF_X:
        case BPF_JMP | BPF_JSET | BPF_K:
        case BPF_JMP | BPF_JSET | BPF_X:
        case BPF_RET | BPF_K:
        case BPF_RET | BPF_A:
        case BPF_MISC | BPF_TAX:
        case BPF_MISC | BPF_TXA:
                return true;
        default:
                return false;
        }
}

/* spare holds, for each instruction, the words of memory that some way to it has not written; bit set: unwritten. */
static bool flow_to(mbytes spare, u32 n, u64 to, u16 unwritten)
{
        if (to >= n)
                return false;
        mbytes_put_le16(spare, (usize)to * 2, bytes_le16(bytes_const(spare), (usize)to * 2) | unwritten);
        return true;
}

bool bpf_check(bytes program, mbytes spare)
{
        u32 n = (u32)(bytes_len(program) / BPF_INSN);

        if (n == 0)
                return false;
        mbytes_put_le16(spare, 0, ALL_WORDS);
        for (u32 i = 0; i < n; i++) {
                struct linux_sock_filter f = insn_at(program, i);
                u16 unwritten = bytes_le16(bytes_const(spare), (usize)i * 2);
                u32 kind = f.code & 7u;
                if (!known(&f))
                        return false;
                if ((f.code == (BPF_LD | BPF_MEM) || f.code == (BPF_LDX | BPF_MEM)) && unwritten >> f.k & 1)
                        return false;
                if (kind == BPF_ST || kind == BPF_STX)
                        unwritten &= (u16)~(1u << f.k);
                /* What stands behind a return is looked at as if the way led there. */
                bool good = kind == BPF_RET ? i + 1 == n || flow_to(spare, n, i + 1ul, unwritten)
                          : kind != BPF_JMP ? flow_to(spare, n, i + 1ul, unwritten)
                          : f.code == (BPF_JMP | BPF_JA) ? flow_to(spare, n, i + 1ul + f.k, unwritten)
                          : flow_to(spare, n, i + 1ul + f.jt, unwritten) && flow_to(spare, n, i + 1ul + f.jf, unwritten);
                if (!good)
                        return false;
        }
        return (insn_at(program, n - 1).code & 7u) == BPF_RET;
}

static u32 word_of(const struct linux_seccomp_data *d, u32 offset)
{
        switch (offset) {
        case 0:  return (u32)d->nr;
        case 4:  return d->arch;
        case 8:  return (u32)d->instruction_pointer;
        case 12: return (u32)(d->instruction_pointer >> 32);
        default: return (u32)(d->args[(offset - 16) / 8 % ARRAY_SIZE(d->args)] >> (offset & 4 ? 32 : 0));
        }
}

static u32 alu(u32 op, u32 a, u32 b)
{
        switch (op) {
        case BPF_ADD: return a + b;
        case BPF_SUB: return a - b;
        case BPF_MUL: return a * b;
        case BPF_DIV: return a / b;
        case BPF_OR:  return a | b;
        case BPF_AND: return a & b;
        case BPF_XOR: return a ^ b;
        case BPF_LSH: return a << (b & 31);
        case BPF_RSH: return a >> (b & 31);
        default:      return 0 - a;     /* BPF_NEG */
        }
}

static bool jumps(u32 op, u32 a, u32 b)
{
        switch (op) {
        case BPF_JEQ: return a == b;
        case BPF_JGT: return a > b;
        case BPF_JGE: return a >= b;
        default:      return (a & b) != 0;      /* BPF_JSET */
        }
}

u32 bpf_run(bytes program, const struct linux_seccomp_data *data)
{
        u32 a = 0, x = 0, memory[BPF_MEMWORDS] = {};
        u32 n = (u32)(bytes_len(program) / BPF_INSN);

        for (u32 i = 0; i < n; i++) {
                struct linux_sock_filter f = insn_at(program, i);
                u32 b = f.code & BPF_X ? x : f.k, op = f.code & 0xf0u;

                switch (f.code & 7u) {
                case BPF_LD:
                        switch (f.code & 0xe0u) {
                        case BPF_ABS: a = word_of(data, f.k); break;
                        case BPF_MEM: a = memory[f.k % BPF_MEMWORDS]; break;
                        case BPF_LEN: a = sizeof *data; break;
                        default:      a = f.k; break;
                        }
                        break;
                case BPF_LDX:
                        switch (f.code & 0xe0u) {
                        case BPF_MEM: x = memory[f.k % BPF_MEMWORDS]; break;
                        case BPF_LEN: x = sizeof *data; break;
                        default:      x = f.k; break;
                        }
                        break;
                case BPF_ST:
                        memory[f.k % BPF_MEMWORDS] = a;
                        break;
                case BPF_STX:
                        memory[f.k % BPF_MEMWORDS] = x;
                        break;
                case BPF_ALU:
                        if (op == BPF_DIV && b == 0)
                                return 0;
                        a = alu(op, a, b);
                        break;
                case BPF_JMP:
                        i += op == BPF_JA ? f.k : jumps(op, a, b) ? f.jt : f.jf;
                        break;
                case BPF_RET:
                        return (f.code & 0x18u) == BPF_A ? a : f.k;
                default:                /* BPF_MISC */
                        if ((f.code & 0xf8u) == BPF_TXA)
                                a = x;
                        else
                                x = a;
                        break;
                }
        }
        return 0;
}
