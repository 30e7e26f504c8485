/* SPDX-License-Identifier: Apache-2.0
 *
 * The system-call table of x86-64 and the one function that every call goes through.
 */
#include "services/syscall/call.h"
#include "services/syscall/calls.h"
#include "abi/linux/x86_64/regs.h"
#include "abi/syscall_nr.h"

STABLE(syscall_entry) {
        call_fn *fn;            /* NULL: not there yet */
};

#define ENTRY(name) [SYS_##name] = { sys_##name },
static const struct syscall_entry table[SYS_MAX + 1] = { ALL_CALLS(ENTRY) };

#define SYSCALL_NAME_LEN 28
STABLE(syscall_name) { u8 text[SYSCALL_NAME_LEN]; };
#define SYSCALL(nr, name) [nr] = { #name },
static const struct syscall_name names[SYS_MAX + 1] = {
#include "abi/syscalls.inc"
};

/* Calls that were found missing: each is logged once.  Bits only ever become set. */
STABLE(missing_calls) { u64 bits[SYS_MAX / 64 + 1]; };
static struct missing_calls missing;

static void log_missing(u64 nr)
{
        if (nr > SYS_MAX) {
                return;
        }
        u64 bit = 1ul << (nr & 63);
        if (FETCH_OR(missing.bits[nr / 64], bit) & bit)
                return;
        bytes name = BYTES_OF(names[nr].text);
        if (!bytes_at(name, 0))                 /* not a system call at all */
                return;
        klog(LOG_WARNING, "syscall: {} ({}) is not there yet", bytes_take(name, bytes_find(name, 0)), nr);
}

static noinline void no_such_call(struct user_regs *regs)
{
        log_missing(regs->orig_rax);
        regs->rax = (u64)-ENOSYS;
}

void syscall_dispatch(struct task_body *self, struct user_regs *regs)
{
        u64 nr = regs->orig_rax;
        call_fn *fn = nr <= SYS_MAX ? table[nr].fn : NULL;
        if (!fn) {
                no_such_call(regs);
                return;
        }
        struct call c = { .t = DOWNCAST(thread, self), .regs = regs };
        err_t err = fn(&c);
        regs->rax = failed(err) ? (u64)-(i64)err_code(err) : c.result;
}
