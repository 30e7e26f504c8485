/* SPDX-License-Identifier: Apache-2.0
 *
 * prctl(2).
 */
#include "services/syscall/calls.h"
#include "services/process/process.h"
#include "services/signal/signal.h"
#include "services/security/cred.h"
#include "services/vm/vm.h"
#include "abi/const/process.h"

static err_t set_name(struct call *c)
{
        u8 name[COMM_LEN] = {};
        usize len = 0;

        if (err_is(vm_copy_string(mbytes_take(MBYTES_OF(name), COMM_LEN - 1), arg(c, 1), &len), EFAULT))
                return ERR(EFAULT);             /* a longer one is cut */
        for (u32 i = 0; i < COMM_LEN; i++)
                c->t->comm[i] = name[i];
        task_set_name(c->t->base.task, BYTES_OF(name));
        return OK;
}

static err_t cap_ambient(struct call *c)
{
        u64 op = arg(c, 1), cap = arg(c, 2);

        if (arg(c, 3) || arg(c, 4))
                return ERR(EINVAL);
        if (op == PR_CAP_AMBIENT_CLEAR_ALL ? cap != 0 : cap > CAP_LAST_CAP)
                return ERR(EINVAL);
        if (op == PR_CAP_AMBIENT_IS_SET) {
                c->result = cred_current()->cap_ambient >> cap & 1;
                return OK;
        }
        if (op != PR_CAP_AMBIENT_RAISE && op != PR_CAP_AMBIENT_LOWER && op != PR_CAP_AMBIENT_CLEAR_ALL)
                return ERR(EINVAL);
        struct cred *new = call_own_cred(c);
        if (!new)
                return ERR(ENOMEM);
        err_t err = OK;
        if (op == PR_CAP_AMBIENT_RAISE)
                err = cred_ambient_raise(new, (u32)cap);
        else if (op == PR_CAP_AMBIENT_LOWER)
                err = cred_ambient_lower(new, (u32)cap);
        else
                cred_ambient_clear(new);
        return call_install_cred(c, new, err);
}

/* The prctl operations that change the caller's credentials. */
static err_t change_cred(struct call *c, u32 op)
{
        struct cred *new = call_own_cred(c);

        if (!new)
                return ERR(ENOMEM);
        switch (op) {
        case PR_SET_KEEPCAPS:
                return call_install_cred(c, new, arg(c, 1) > 1 ? ERR(EINVAL) : cred_set_keepcaps(new, arg(c, 1) == 1));
        case PR_SET_SECUREBITS:
                return call_install_cred(c, new, arg(c, 1) > U32_MAX ? ERR(EPERM) : cred_set_securebits(new, (u32)arg(c, 1)));
        default:
                return call_install_cred(c, new, arg(c, 1) > CAP_LAST_CAP ? ERR(EINVAL) : cred_bounding_drop(new, (u32)arg(c, 1)));
        }
}

/* PR_MCE_KILL: kept and told; this machine reports no memory failures. */
static err_t mce_kill(struct call *c)
{
        if (arg(c, 3) || arg(c, 4))
                return ERR(EINVAL);
        if (arg(c, 1) == PR_MCE_KILL_CLEAR) {
                if (arg(c, 2))
                        return ERR(EINVAL);
                c->t->mce_kill = 0;
                return OK;
        }
        if (arg(c, 1) != PR_MCE_KILL_SET || arg(c, 2) > PR_MCE_KILL_DEFAULT)
                return ERR(EINVAL);
        c->t->mce_kill = arg(c, 2) == PR_MCE_KILL_DEFAULT ? 0 : 1 + (u8)arg(c, 2);
        return OK;
}

static bool any_arg(struct call *c, u32 from)
{
        for (u32 i = from; i < 5; i++)
                if (arg(c, i))
                        return true;
        return false;
}

/* A thread may look after devices that memory is written to: kept and told. */
static err_t io_flusher(struct call *c, bool set)
{
        if (!capable(CAP_SYS_RESOURCE))
                return ERR(EPERM);
        if (any_arg(c, set ? 2 : 1) || (set && arg(c, 1) > 1))
                return ERR(EINVAL);
        if (set)
                c->t->io_flusher = arg(c, 1) == 1;
        else
                c->result = c->t->io_flusher;
        return OK;
}

static err_t others(struct call *c, u32 op)
{
        struct process *p = c->t->process;

        switch (op) {
        case PR_GET_TIMING:
                return OK;
        case PR_SET_TIMING:
                return arg(c, 1) == PR_TIMING_STATISTICAL ? OK : ERR(EINVAL);
        case PR_GET_TSC: {
                u32 mode = PR_TSC_ENABLE;
                return PUT_USER(arg(c, 1), mode);
        }
        case PR_SET_TSC:
                return arg(c, 1) == PR_TSC_ENABLE ? OK : ERR(EINVAL);
        case PR_TASK_PERF_EVENTS_DISABLE:
        case PR_TASK_PERF_EVENTS_ENABLE:
                return OK;              /* there are none */
        case PR_MCE_KILL:
                return mce_kill(c);
        case PR_MCE_KILL_GET:
                if (any_arg(c, 1))
                        return ERR(EINVAL);
                c->result = c->t->mce_kill ? c->t->mce_kill - 1u : PR_MCE_KILL_DEFAULT;
                return OK;
        case PR_SET_MM:
                return call_set_mm(c);
        case PR_GET_TID_ADDRESS: {
                u64 at = c->t->clear_child_tid;
                return PUT_USER(arg(c, 1), at);
        }
        case PR_SET_THP_DISABLE:
                if (any_arg(c, 2))
                        return ERR(EINVAL);
                p->thp_disable = arg(c, 1) != 0;
                return OK;
        case PR_GET_THP_DISABLE:
                if (any_arg(c, 1))
                        return ERR(EINVAL);
                c->result = p->thp_disable;
                return OK;
        case PR_SET_IO_FLUSHER:
        case PR_GET_IO_FLUSHER:
                return io_flusher(c, op == PR_SET_IO_FLUSHER);
        case PR_SET_SYSCALL_USER_DISPATCH:
                return call_user_dispatch(c);
        case PR_GET_SECCOMP:
                c->result = c->t->seccomp_mode;
                return OK;
        case PR_SET_SECCOMP:
                if (arg(c, 1) == SECCOMP_MODE_STRICT)
                        return call_seccomp_strict(c);
                return arg(c, 1) == SECCOMP_MODE_FILTER ? call_seccomp_filter(c, 0, arg(c, 2)) : ERR(EINVAL);
        case PR_SET_PTRACER: {
                /* Any descendant's tracer may attach anyway. */
                struct process *named = arg(c, 1) && arg(c, 1) != PR_SET_PTRACER_ANY && arg(c, 1) <= I32_MAX
                                      ? process_find(pid_ns_current(), arg_uint(c, 1)) : NULL;
                bool good = !arg(c, 1) || arg(c, 1) == PR_SET_PTRACER_ANY || named;
                process_drop(named);
                return good ? OK : ERR(EINVAL);
        }
        default:
                return ERR(EINVAL);
        }
}

err_t sys_prctl(struct call *c)
{
        struct process *p = c->t->process;

        switch (arg_uint(c, 0)) {
        case PR_SET_NAME:
                return set_name(c);
        case PR_GET_NAME:
                return vm_copy_out(arg(c, 1), BYTES_OF(c->t->comm));
        case PR_GET_DUMPABLE:
                c->result = p->dumpable;
                return OK;
        case PR_SET_DUMPABLE:
                if (arg(c, 1) > 1)
                        return ERR(EINVAL);
                p->dumpable = arg(c, 1) == 1 ? DUMP_USER : DUMP_NONE;
                return OK;
        case PR_SET_PDEATHSIG:
                if (arg(c, 1) > SIG_COUNT)
                        return ERR(EINVAL);
                STORE(c->t->pdeath_signal, (u32)arg(c, 1));
                return OK;
        case PR_GET_PDEATHSIG: {
                u32 sig = c->t->pdeath_signal;
                return PUT_USER(arg(c, 1), sig);
        }
        case PR_SET_TIMERSLACK:
                c->t->timer_slack = arg(c, 1) ? arg(c, 1) : c->t->default_slack;
                return OK;
        case PR_GET_TIMERSLACK:
                c->result = c->t->timer_slack;
                return OK;
        case PR_SET_CHILD_SUBREAPER:
                p->child_subreaper = arg(c, 1) != 0;
                return OK;
        case PR_GET_CHILD_SUBREAPER: {
                u32 is = p->child_subreaper;
                return PUT_USER(arg(c, 1), is);
        }
        case PR_SET_NO_NEW_PRIVS:
                if (arg(c, 1) != 1 || arg(c, 2) || arg(c, 3) || arg(c, 4))
                        return ERR(EINVAL);
                STORE(c->t->no_new_privs, true);
                return OK;
        case PR_GET_NO_NEW_PRIVS:
                if (arg(c, 1) || arg(c, 2) || arg(c, 3) || arg(c, 4))
                        return ERR(EINVAL);
                c->result = LOAD(c->t->no_new_privs);
                return OK;
        case PR_CAPBSET_READ:
                if (arg(c, 1) > CAP_LAST_CAP)
                        return ERR(EINVAL);
                c->result = cred_current()->cap_bounding >> arg(c, 1) & 1;
                return OK;
        case PR_SET_KEEPCAPS:
        case PR_SET_SECUREBITS:
        case PR_CAPBSET_DROP:
                return change_cred(c, arg_uint(c, 0));
        case PR_CAP_AMBIENT:
                return cap_ambient(c);
        case PR_GET_KEEPCAPS:
                c->result = (cred_current()->securebits & SECBIT_KEEP_CAPS) != 0;
                return OK;
        case PR_GET_SECUREBITS:
                c->result = cred_current()->securebits;
                return OK;
        default:
                return others(c, arg_uint(c, 0));
        }
}
