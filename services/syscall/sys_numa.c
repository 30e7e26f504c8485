/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls of memory placement, as a Linux with one memory node answers them: policies are kept and
 * told, node 0 is all there is.
 */
#include "services/syscall/calls.h"
#include "services/process/process.h"
#include "services/security/cred.h"
#include "abi/const/mm.h"
#include "abi/const/process.h"

#define MODE_FLAGS  ((u32)(MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES))
#define NODES_MAX   1024                /* what a mask may have bits for */
#define MASK_BITS   (PAGE_SIZE * 8)     /* what one may be long */

/* ---- Masks and policies ---- */

/* The words of a user's mask that says it has max - 1 bits.  *any: a node is named; *ours: node 0 is.  EINVAL: nodes
 * that cannot be; EFAULT. */
static err_t get_nodes(u64 addr, u64 max, bool *any, bool *ours)
{
        u64 bits = max ? max - 1 : U64_MAX;
        *any = *ours = false;
        if (!bits || !addr)
                return OK;
        if (bits > MASK_BITS)
                return ERR(EINVAL);
        for (u64 at = 0; at < bits; at += 64) {
                u64 word = 0;
                TRY(vm_copy_in(MBYTES_OF(word), addr + at / 8));
                if (bits - at < 64)
                        word &= (1ul << (bits - at)) - 1;
                if (word && at >= NODES_MAX)
                        return ERR(EINVAL);
                *any |= word != 0;
                if (!at)
                        *ours = word & 1;
        }
        return OK;
}

/* Copies the mask {0}, or {}, out to a mask of max - 1 bits.  EINVAL, EFAULT. */
static err_t put_nodes(u64 addr, u64 max, bool ours)
{
        u64 size = (max - 1 + 63) / 64 * 8, word = ours;
        if (size > sizeof word) {
                if (size > PAGE_SIZE)
                        return ERR(EINVAL);
                TRY(vm_zero(addr + sizeof word, size - sizeof word));
        }
        return size ? PUT_USER(addr, word) : OK;
}

/* What the arguments say, as VM_POLICY_* keeps it.  EINVAL, EFAULT. */
static err_t get_policy(u32 mode, u64 addr, u64 max, u32 *policy)
{
        u32 flags = mode & MODE_FLAGS;
        bool any = false, ours = false;

        mode &= ~MODE_FLAGS;
        if (mode > MPOL_PREFERRED_MANY || flags == MODE_FLAGS)
                return ERR(EINVAL);
        TRY(get_nodes(addr, max, &any, &ours));
        if (mode == MPOL_DEFAULT || mode == MPOL_LOCAL || (mode == MPOL_PREFERRED && !any)) {
                if (any || (flags && mode != MPOL_DEFAULT))
                        return ERR(EINVAL);
                *policy = mode == MPOL_DEFAULT ? MPOL_DEFAULT : MPOL_LOCAL;
                return OK;
        }
        /* Relative nodes are counted round. */
        if (!ours && !(any && (flags & MPOL_F_RELATIVE_NODES)))
                return ERR(EINVAL);
        *policy = mode | (flags & MPOL_F_STATIC_NODES ? VM_POLICY_STATIC : 0) | (flags & MPOL_F_RELATIVE_NODES ? VM_POLICY_RELATIVE : 0);
        return OK;
}

static u32 mode_of(u32 policy)
{
        return (policy & VM_POLICY_MODE) | (policy & VM_POLICY_STATIC ? MPOL_F_STATIC_NODES : 0) |
               (policy & VM_POLICY_RELATIVE ? MPOL_F_RELATIVE_NODES : 0);
}

static bool names_node(u32 policy)
{
        return (policy & VM_POLICY_MODE) != MPOL_DEFAULT && (policy & VM_POLICY_MODE) != MPOL_LOCAL;
}

/* ---- Setting and asking ---- */

err_t sys_set_mempolicy(struct call *c)
{
        u32 policy = 0;
        TRY(get_policy(arg_uint(c, 0), arg(c, 1), arg(c, 2), &policy));
        STORE(c->t->mempolicy, policy);
        return OK;
}

err_t sys_mbind(struct call *c)
{
        u32 flags = arg_uint(c, 5), policy = 0;
        TRY(get_policy((u32)arg(c, 2), arg(c, 3), arg(c, 4), &policy));
        if (flags & ~(u32)(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
                return ERR(EINVAL);
        if ((flags & MPOL_MF_MOVE_ALL) && !cred_has(c->t->cred, CAP_SYS_NICE))
                return ERR(EPERM);
        return vm_set_policy(c->t->vm, arg(c, 0), arg(c, 1), policy);
}

/* *node: where the page at addr is.  EFAULT: it cannot be had. */
static err_t node_of(u64 addr)
{
        struct frame *f = vm_grab(vm_current(), addr, false);
        if (!f)
                return ERR(EFAULT);
        vm_ungrab(f);
        return OK;
}

static err_t answer(struct call *c, u32 value, bool ours)
{
        if (arg(c, 0))
                TRY(PUT_USER(arg(c, 0), value));
        return arg(c, 1) ? put_nodes(arg(c, 1), arg(c, 2), ours) : OK;
}

err_t sys_get_mempolicy(struct call *c)
{
        u64 addr = arg(c, 3), flags = arg(c, 4);
        u32 policy = LOAD(c->t->mempolicy);

        if (arg(c, 1) && arg(c, 2) < 1)
                return ERR(EINVAL);
        if (flags & ~(u64)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
                return ERR(EINVAL);
        if (flags & MPOL_F_MEMS_ALLOWED)
                return flags & (MPOL_F_NODE | MPOL_F_ADDR) ? ERR(EINVAL) : answer(c, 0, true);
        if (flags & MPOL_F_ADDR)
                TRY(vm_get_policy(c->t->vm, addr, &policy));
        else if (addr)
                return ERR(EINVAL);
        if (!(flags & MPOL_F_NODE))
                return answer(c, mode_of(policy), names_node(policy));
        if (flags & MPOL_F_ADDR)
                TRY(node_of(addr));
        else if ((policy & VM_POLICY_MODE) != MPOL_INTERLEAVE)
                return ERR(EINVAL);
        return answer(c, 0, names_node(policy));
}

err_t sys_set_mempolicy_home_node(struct call *c)
{
        if ((arg(c, 0) & PAGE_MASK) || arg(c, 3) || arg(c, 2) != 0)
                return ERR(EINVAL);
        return vm_has_policy(c->t->vm, arg(c, 0), arg(c, 1));
}

/* ---- Moving ---- */

/* The address space of a thread, counted; tid 0: the caller's.  ESRCH, EPERM, EINVAL: none. */
static err_t vm_of_thread(struct call *c, u32 tid, struct vm **out)
{
        if (!tid) {
                *out = vm_hold(c->t->vm);
                return OK;
        }
        struct thread *t = thread_find(pid_ns_current(), tid);
        if (!t)
                return ERR(ESRCH);
        struct vm *vm = process_vm(t->process);
        err_t err = process_may_trace(t->process, true) ? vm ? OK : ERR(EINVAL) : ERR(EPERM);
        thread_drop(t);
        if (failed(err))
                vm_drop(vm);
        else
                *out = vm;
        return err;
}

err_t sys_migrate_pages(struct call *c)
{
        bool any = false, from = false, to = false;
        struct vm *vm = NULL;
        TRY(get_nodes(arg(c, 2), arg(c, 1), &any, &from));
        TRY(get_nodes(arg(c, 3), arg(c, 1), &any, &to));
        TRY(vm_of_thread(c, arg_uint(c, 0), &vm));
        vm_drop(vm);
        if (any && !to && !cred_has(c->t->cred, CAP_SYS_NICE))
                return ERR(EPERM);
        return to ? OK : ERR(EINVAL);
}

/* The page at index i, to node 0 if the call names one. */
static err_t move_page(struct call *c, struct vm *vm, u64 i)
{
        u64 page = 0;
        i32 node = 0;
        TRY(GET_USER(page, arg(c, 2) + i * sizeof page));
        if (arg(c, 3)) {
                TRY(GET_USER(node, arg(c, 3) + i * sizeof node));
                if (node)
                        return ERR(ENODEV);
        }
        i32 status = vm_page_node(vm, page);
        return PUT_USER(arg(c, 4) + i * sizeof status, status);
}

err_t sys_move_pages(struct call *c)
{
        u32 flags = arg_uint(c, 5);
        struct vm *vm = NULL;
        if (flags & ~(u32)(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
                return ERR(EINVAL);
        if ((flags & MPOL_MF_MOVE_ALL) && !cred_has(c->t->cred, CAP_SYS_NICE))
                return ERR(EPERM);
        TRY(vm_of_thread(c, arg_uint(c, 0), &vm));
        err_t err = OK;
        for (u64 i = 0; i < arg(c, 1) && succeeded(err); i++)
                err = task_interrupts() & INTR_KILL ? ERR(EINTR) : move_page(c, vm, i);
        vm_drop(vm);
        return err;
}
