/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program says of its own layout: prctl(2), PR_SET_MM.
 */
#include "services/vm/vm_impl.h"
#include "abi/const/process.h"

static bool in_order(const struct vm_layout *l)
{
        return l->start_code < l->end_code && l->start_data <= l->end_data && l->start_brk <= l->brk &&
               l->arg_start <= l->arg_end && l->env_start <= l->env_end;
}

static bool brk_fits(const struct vm_layout *l)
{
        u64 limit = limit_of(RLIMIT_DATA), heap = l->brk - l->start_brk;
        return heap <= limit && heap + (l->end_data - l->start_data) <= limit;
}

err_t vm_check_layout(struct vm *vm, const struct vm_layout *l)
{
        u64 all[11] = { l->start_code, l->end_code, l->start_data, l->end_data, l->start_brk, l->brk, l->start_stack,
                        l->arg_start, l->arg_end, l->env_start, l->env_end };

        for (u32 i = 0; i < ARRAY_SIZE(all); i++)
                if (all[i] < vm_settings(vm->domain).mmap_min_addr || all[i] >= VM_MAX)
                        return ERR(EINVAL);
        return in_order(l) && brk_fits(l) ? OK : ERR(EINVAL);
}

/* Sets the part that prctl's number says.  False: there is none. */
static bool set_part(struct vm_layout *l, u32 part, u64 value)
{
        switch (part) {
        case PR_SET_MM_START_CODE:  l->start_code = value;  return true;
        case PR_SET_MM_END_CODE:    l->end_code = value;    return true;
        case PR_SET_MM_START_DATA:  l->start_data = value;  return true;
        case PR_SET_MM_END_DATA:    l->end_data = value;    return true;
        case PR_SET_MM_START_STACK: l->start_stack = value; return true;
        case PR_SET_MM_START_BRK:   l->start_brk = value;   return true;
        case PR_SET_MM_BRK:         l->brk = value;         return true;
        case PR_SET_MM_ARG_START:   l->arg_start = value;   return true;
        case PR_SET_MM_ARG_END:     l->arg_end = value;     return true;
        case PR_SET_MM_ENV_START:   l->env_start = value;   return true;
        case PR_SET_MM_ENV_END:     l->env_end = value;     return true;
        default:                    return false;
        }
}

err_t vm_change_layout(struct vm *vm, u32 part, u64 value)
{
        WRITE_GUARD(&vm->mmap_lock);
        struct vm_layout l = vm->layout;
        bool needs_area = part == PR_SET_MM_START_STACK || (part >= PR_SET_MM_ARG_START && part <= PR_SET_MM_ENV_END);

        if (value >= VM_MAX || value < vm_settings(vm->domain).mmap_min_addr || !set_part(&l, part, value))
                return ERR(EINVAL);
        TRY(vm_check_layout(vm, &l));
        if (needs_area && !area_find(vm, value))
                return ERR(EFAULT);
        vm->layout = l;
        return OK;
}
