/* SPDX-License-Identifier: Apache-2.0
 *
 * seccomp(2), and prctl(2)'s PR_SET_SECCOMP.  watched.c does what filters say.
 */
#include "services/syscall/calls.h"
#include "services/process/process.h"
#include "services/seccomp/bpf.h"
#include "services/seccomp/seccomp.h"
#include "services/vm/vm.h"
#include "abi/const/process.h"
#include "abi/const/socket.h"

#define FLAGS (SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC_ESRCH)

err_t call_seccomp_strict(struct call *c)
{
        return seccomp_strict(process_ops_of(c->t->process)->watched);
}

/* EACCES: it could keep from set-user-ID programs what they rely on. */
err_t call_seccomp_filter(struct call *c, u64 flags, u64 at)
{
        struct linux_sock_fprog p = {};
        u32 culprit = 0;

        if (flags & ~(u64)FLAGS)
                return ERR(EINVAL);
        TRY(GET_USER(p, at));
        if (p.len == 0 || p.len > BPF_MAXINSNS)
                return ERR(EINVAL);
        if (!LOAD(c->t->no_new_privs) && !capable(CAP_SYS_ADMIN))
                return ERR(EACCES);
        struct blob *program = blob_alloc(c->t->payer, p.len * BPF_INSN);
        if (!program)
                return ERR(ENOMEM);
        blob_set_len(program, p.len * BPF_INSN);
        err_t err = vm_copy_in(mbytes_take(blob_mbytes(program), p.len * BPF_INSN), p.filter);
        if (succeeded(err))
                err = seccomp_attach(program, flags & SECCOMP_FILTER_FLAG_TSYNC, process_ops_of(c->t->process)->watched, &culprit);
        if (failed(err))
                blob_drop(program);
        if (culprit && !(flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH)) {
                c->result = culprit;
                return OK;
        }
        return err;
}

static err_t action_available(u64 at)
{
        u32 action;

        TRY(GET_USER(action, at));
        switch (action) {
        case SECCOMP_RET_KILL_PROCESS:
        case SECCOMP_RET_KILL_THREAD:
        case SECCOMP_RET_TRAP:
        case SECCOMP_RET_ERRNO:
        case SECCOMP_RET_TRACE:
        case SECCOMP_RET_LOG:
        case SECCOMP_RET_ALLOW:
                return OK;
        default:
                return ERR(EOPNOTSUPP);
        }
}

err_t sys_seccomp(struct call *c)
{
        u32 flags = arg_uint(c, 1);

        switch (arg_uint(c, 0)) {
        case SECCOMP_SET_MODE_STRICT:
                return flags || arg(c, 2) ? ERR(EINVAL) : call_seccomp_strict(c);
        case SECCOMP_SET_MODE_FILTER:
                return call_seccomp_filter(c, flags, arg(c, 2));
        case SECCOMP_GET_ACTION_AVAIL:
                return flags ? ERR(EINVAL) : action_available(arg(c, 2));
        default:
                return ERR(EINVAL);
        }
}
