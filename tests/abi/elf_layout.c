/* SPDX-License-Identifier: Apache-2.0
 *
 * elf_layout: how the parts of a program are protected.
 */
#include "abi.h"

static const int constant = 7;
static int       data = 7, zero[3 * PAGE];
static char      code_bytes[16] = { (char)0xc3 };       /* ret */

__attribute__((noinline, used)) static int some_code(void)
{
        return 5;
}

static int write_text(void)
{
        *(volatile char *)(uintptr_t)some_code = 0;
        return 0;
}

static int write_constant(void)
{
        *(volatile int *)(uintptr_t)&constant = 8;
        return 0;
}

static int run_data(void)
{
        ((void (*)(void))(uintptr_t)code_bytes)();
        return 0;
}

static int run_stack(void)
{
        volatile char ret[16] = { (char)0xc3 };

        ((void (*)(void))(uintptr_t)ret)();
        return 0;
}

static int touch_null(void)
{
        return *(volatile int *)BAD_PTR;
}

int main(void)
{
        int sum = 0;

        for (unsigned i = 0; i < sizeof zero / sizeof zero[0]; i++)
                sum |= zero[i];
        CHECK("bss is zero", sum == 0);
        data = 8;
        CHECK("data is writable", data == 8);
        CHECK("code is read-only", in_child(write_text) == KILLED(SIGSEGV));
        CHECK("constants are read-only", in_child(write_constant) == KILLED(SIGSEGV));
        CHECK("data does not run", in_child(run_data) == KILLED(SIGSEGV));
        CHECK("the stack does not run", in_child(run_stack) == KILLED(SIGSEGV));
        CHECK("the first page is not there", in_child(touch_null) == KILLED(SIGSEGV));
        CHECK("code still runs", some_code() == 5);
        return done();
}
