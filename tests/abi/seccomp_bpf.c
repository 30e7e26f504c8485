/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: seccomp(2): which programs are filters, and what their instructions do.
 */
#include "seccomp.h"

/* A filter that allows everything, with an instruction behind its return. */
static int accepted(unsigned code, unsigned k)
{
        return INSTALL(0, ALLOW, { code, 0, 0, k }, ALLOW, ALLOW) == 0;
}

static int codes(void)
{
        char line[400] = "";

        for (unsigned code = 0; code < 0x200; code++)
                if (accepted(code, 1))
                        sprintf(line + strlen(line), " %02x", code);
        say("ok instructions with constant 1:%s\n", line);
        line[0] = 0;
        for (unsigned code = 0; code < 0x100; code++)
                if (!accepted(code, 1) && accepted(code, 0))
                        sprintf(line + strlen(line), " %02x", code);
        say("ok with constant 0 alone:%s\n", line);
        return done();
}

static int constants(void)
{
        static const unsigned short code[] = { 0x20, 0x00, 0x02, 0x03, 0x34, 0x64, 0x74, 0x84, 0x80, 0x05, 0x06 };
        static const unsigned k[] = { 0, 2, 4, 15, 16, 31, 32, 60, 61, 64, 0xfffff000, 0xffffffff };

        for (unsigned i = 0; i < sizeof code / sizeof *code; i++) {
                char line[100] = "";
                for (unsigned j = 0; j < sizeof k / sizeof *k; j++)
                        strcat(line, accepted(code[i], k[j]) ? " yes" : " no");
                say("ok %02x:%s\n", code[i], line);
        }
        return done();
}

static int programs(void)
{
        static struct sock_filter big[BPF_MAXINSNS + 1];

        FAILS("nothing", EINVAL, install(0, big, 0));
        FAILS("no return", EINVAL, INSTALL(0, BPF_STMT(BPF_LD | BPF_IMM, 1)));
        FAILS("a return, but not at the end", EINVAL, INSTALL(0, ALLOW, BPF_STMT(BPF_LD | BPF_IMM, 1)));
        FAILS("a jump behind the end", EINVAL, INSTALL(0, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), ALLOW));
        FAILS("the other way", EINVAL, INSTALL(0, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), ALLOW));
        FAILS("without condition", EINVAL, INSTALL(0, BPF_STMT(BPF_JMP | BPF_JA, 1), ALLOW));
        OKAY("to the last", INSTALL(0, BPF_STMT(BPF_JMP | BPF_JA, 1), ALLOW, ALLOW));
        FAILS("memory that nobody wrote", EINVAL, INSTALL(0, BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW));
        FAILS("or another word", EINVAL, INSTALL(0, BPF_STMT(BPF_ST, 2), BPF_STMT(BPF_LDX | BPF_MEM, 3), ALLOW));
        OKAY("memory that was written", INSTALL(0, BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LDX | BPF_MEM, 3), ALLOW));
        FAILS("on one way", EINVAL, INSTALL(0, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 1), BPF_STMT(BPF_ST, 3),
                                            BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW));
        OKAY("on both", INSTALL(0, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 2), BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_JMP | BPF_JA, 1),
                                BPF_STMT(BPF_STX, 3), BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW));
        FAILS("behind a return", EINVAL, INSTALL(0, ALLOW, BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW));
        OKAY("behind one that wrote it", INSTALL(0, BPF_STMT(BPF_ST, 3), ALLOW, BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW));
        OKAY("jumped over", INSTALL(0, BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW));
        OKAY("either way", INSTALL(0, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7, 1, 1), BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW));
        for (unsigned i = 0; i <= BPF_MAXINSNS; i++)
                big[i] = (struct sock_filter)ALLOW;
        FAILS("too long", EINVAL, install(0, big, BPF_MAXINSNS + 1));
        OKAY("as long as may be", install(0, big, BPF_MAXINSNS));
        int n = 0, r;
        while ((r = install(0, big, BPF_MAXINSNS)) == 0 && n < 20)
                n++;
        CHECK("not for ever", r == -1 && errno == ENOMEM && n > 0);
        while ((r = install(0, big, 1)) == 0 && n < 10000)
                n++;
        CHECK("nor short ones", r == -1 && errno == ENOMEM);
        CHECK("a child with all of them", result_of(fork() ?: (_exit(3), 0)) == 3);
        return done();
}

#define A(op, v)  BPF_STMT(BPF_ALU | (op) | BPF_K, v)
#define AX(op)    BPF_STMT(BPF_ALU | (op) | BPF_X, 0)
#define IMM(v)    BPF_STMT(BPF_LD | BPF_IMM, v)
#define XIMM(v)   BPF_STMT(BPF_LDX | BPF_IMM, v)
static int call_nr = 5000;

/* What a program leaves in A, 12 bits of it, as the error of a call of its own number. */
#define RESULT(name, want, ...) do {                                                                    \
        int nr_ = ++call_nr;                                                                            \
        must(INSTALL(0, LOAD(NR), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr_, 1, 0), ALLOW, __VA_ARGS__,     \
                     A(BPF_AND, 0xfff), A(BPF_OR, SECCOMP_RET_ERRNO), BPF_STMT(BPF_RET | BPF_A, 0)) == 0, name); \
        FAILS(name, want, syscall(nr_, 0x1122334455667788, 2, 3, 4, 5, 0x9a00000000000666));            \
} while (0)
#define JUMPS(name, is, cond, ...) RESULT(name, (is) ? 1 : 2, __VA_ARGS__, BPF_JUMP(BPF_JMP | (cond), 0x80000000, 0, 2), \
                                          IMM(1), BPF_STMT(BPF_JMP | BPF_JA, 1), IMM(2))

static int arithmetic(void)
{
        RESULT("add", 12, IMM(7), A(BPF_ADD, 5));
        RESULT("add wraps", 1, IMM(0xffffffff), XIMM(2), AX(BPF_ADD));
        RESULT("sub", 0xffe, IMM(3), A(BPF_SUB, 5));
        RESULT("sub x", 2, IMM(5), XIMM(3), AX(BPF_SUB));
        RESULT("mul", 6, IMM(2), A(BPF_MUL, 0x80000003));
        RESULT("mul x", 15, IMM(5), XIMM(3), AX(BPF_MUL));
        RESULT("div is unsigned", 0x7ff, IMM(0xffe00000), A(BPF_DIV, 0x200000));
        RESULT("div x", 3, IMM(10), XIMM(3), AX(BPF_DIV));
        RESULT("or", 0x33, IMM(0x30), A(BPF_OR, 3));
        RESULT("or x", 0x33, IMM(0x30), XIMM(3), AX(BPF_OR));
        RESULT("and x", 0x10, IMM(0x30), XIMM(0x11), AX(BPF_AND));
        RESULT("xor", 0x21, IMM(0x30), A(BPF_XOR, 0x11));
        RESULT("xor x", 0x21, IMM(0x30), XIMM(0x11), AX(BPF_XOR));
        RESULT("lsh", 0x400, IMM(1), A(BPF_LSH, 10));
        RESULT("rsh", 0x3ff, IMM(0xffc00000), A(BPF_RSH, 22));
        RESULT("lsh x", 0x40, IMM(1), XIMM(6), AX(BPF_LSH));
        RESULT("rsh x", 2, IMM(8), XIMM(2), AX(BPF_RSH));
        RESULT("neg", 0xfff, IMM(1), BPF_STMT(BPF_ALU | BPF_NEG, 0));
        RESULT("the length", 64, BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0));
        RESULT("the length to x", 64, BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_MISC | BPF_TXA, 0));
        RESULT("tax", 9, IMM(9), BPF_STMT(BPF_MISC | BPF_TAX, 0), IMM(1), BPF_STMT(BPF_MISC | BPF_TXA, 0));
        RESULT("memory", 5, IMM(5), BPF_STMT(BPF_ST, 0), IMM(6), BPF_STMT(BPF_ST, 15), BPF_STMT(BPF_LD | BPF_MEM, 0));
        RESULT("memory of x", 7, XIMM(7), BPF_STMT(BPF_STX, 15), XIMM(8), BPF_STMT(BPF_LDX | BPF_MEM, 15), BPF_STMT(BPF_MISC | BPF_TXA, 0));
        RESULT("low half of an argument", 0x788, LOAD(ARG(0)));
        RESULT("high half", 0x344, LOAD(ARG(0) + 4));
        RESULT("the last argument", 0x666, LOAD(ARG(5)));
        RESULT("its high half", 0x9a0, LOAD(ARG(5) + 4), A(BPF_RSH, 20));
        RESULT("the architecture", 0x03e, LOAD(offsetof(struct seccomp_data, arch)));
        JUMPS("equal", 1, BPF_JEQ | BPF_K, IMM(0x80000000));
        JUMPS("not equal", 0, BPF_JEQ | BPF_K, IMM(0));
        JUMPS("greater", 1, BPF_JGT | BPF_K, IMM(0x80000001));
        JUMPS("not greater", 0, BPF_JGT | BPF_K, IMM(0x80000000));
        JUMPS("unsigned", 0, BPF_JGT | BPF_K, IMM(1));
        JUMPS("greater or equal", 1, BPF_JGE | BPF_K, IMM(0x80000000));
        JUMPS("less", 0, BPF_JGE | BPF_K, IMM(0x7fffffff));
        JUMPS("bits", 1, BPF_JSET | BPF_K, IMM(0xc0000000));
        JUMPS("no bits", 0, BPF_JSET | BPF_K, IMM(0x40000000));
        JUMPS("equal to x", 1, BPF_JEQ | BPF_X, IMM(4), XIMM(4));
        JUMPS("greater than x", 0, BPF_JGT | BPF_X, IMM(4), XIMM(4));
        JUMPS("not less than x", 1, BPF_JGE | BPF_X, IMM(4), XIMM(4));
        JUMPS("bits of x", 0, BPF_JSET | BPF_X, IMM(4), XIMM(3));
        return done();
}

static int divides_by_zero(void)
{
        INSTALL(0, LOAD(NR), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 5000, 1, 0), ALLOW, XIMM(0), AX(BPF_DIV), ALLOW);
        syscall(5000);
        return 3;
}

int main(void)
{
        no_new_privs();
        CHECK("codes", in_child(codes) == 0);
        CHECK("constants", in_child(constants) == 0);
        CHECK("programs", in_child(programs) == 0);
        CHECK("arithmetic", in_child(arithmetic) == 0);
        CHECK("a division by zero kills", in_child(divides_by_zero) == KILLED(SIGSYS));
        return done();
}
