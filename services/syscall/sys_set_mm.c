/* SPDX-License-Identifier: Apache-2.0
 *
 * prctl(2), PR_SET_MM: what /proc/PID/{stat,cmdline,environ,auxv,exe} tell of a program.
 */
#include "services/syscall/calls.h"
#include "services/process/process.h"
#include "services/security/cred.h"
#include "services/vfs/files.h"
#include "services/vfs/vfs.h"
#include "services/vm/vm.h"
#include "abi/const/fs.h"
#include "abi/const/process.h"
#include "abi/linux/process.h"

static err_t set_auxv(struct call *c, u64 from, u64 len)
{
        u64 words[VM_AUXV_WORDS] = {};

        if (len > sizeof words)
                return ERR(EINVAL);
        TRY(vm_copy_in(mbytes_take(MBYTES_OF(words), len), from));
        words[VM_AUXV_WORDS - 2] = 0;   /* AT_NULL ends it */
        words[VM_AUXV_WORDS - 1] = 0;
        vm_set_auxv(c->t->vm, BYTES_OF(words));
        return OK;
}

/* Is any of this file mapped? */
static bool is_mapped(struct vm *vm, struct inode *inode)
{
        struct vm_area_info a = {};
        bool is = false;

        for (u64 at = 0; !is && vm_area_at(vm, at, &a); at = a.end) {
                is = a.file && a.file->inode == inode;
                vm_area_info_put(&a);
        }
        return is;
}

static err_t set_exe_file(struct call *c, struct file *f)
{
        struct process *p = c->t->process;
        struct actor who = actor_current();
        struct file *old;

        if ((f->inode->mode & S_IFMT) != S_IFREG || (LOAD_RELAXED(f->path.mnt->flags) & MNT_NOEXEC))
                return ERR(EACCES);
        TRY(inode_permission(&who, f->inode, MAY_EXEC));
        spin_lock(&p->lock);
        old = p->exe ? file_hold(p->exe) : NULL;
        spin_unlock(&p->lock);
        bool busy = old && is_mapped(c->t->vm, old->inode);
        file_drop(old);
        if (busy)
                return ERR(EBUSY);
        spin_lock(&p->lock);
        old = p->exe;
        p->exe = file_hold(f);
        spin_unlock(&p->lock);
        file_drop(old);
        return OK;
}

static err_t set_exe(struct call *c, u32 fd)
{
        struct fd_ref r = fd_get(c->t->files, fd);

        if (!r.file)
                return ERR(EBADF);
        err_t err = set_exe_file(c, r.file);
        fd_put(r);
        return err;
}

static err_t set_map(struct call *c, u64 from, u64 len)
{
        struct linux_prctl_mm_map m = {};

        if (len != sizeof m)
                return ERR(EINVAL);
        TRY(GET_USER(m, from));
        struct vm_layout l = {
                .start_code = m.start_code, .end_code = m.end_code, .start_data = m.start_data, .end_data = m.end_data,
                .start_brk = m.start_brk, .brk = m.brk, .start_stack = m.start_stack,
                .arg_start = m.arg_start, .arg_end = m.arg_end, .env_start = m.env_start, .env_end = m.env_end,
        };
        TRY(vm_check_layout(c->t->vm, &l));
        if (m.auxv_size && (!m.auxv || m.auxv_size > VM_AUXV_WORDS * sizeof(u64)))
                return ERR(EINVAL);
        if (m.exe_fd != U32_MAX) {
                if (!capable(CAP_CHECKPOINT_RESTORE) && !capable(CAP_SYS_ADMIN))
                        return ERR(EPERM);
                TRY(set_exe(c, m.exe_fd));
        }
        if (m.auxv_size)
                TRY(set_auxv(c, m.auxv, m.auxv_size));
        vm_set_layout(c->t->vm, l);
        return OK;
}

err_t call_set_mm(struct call *c)
{
        u64 what = arg(c, 1), value = arg(c, 2), len = arg(c, 3);
        bool sized = what == PR_SET_MM_AUXV || what == PR_SET_MM_MAP || what == PR_SET_MM_MAP_SIZE;

        if (arg(c, 4) || (len && !sized))
                return ERR(EINVAL);
        if (what == PR_SET_MM_MAP_SIZE) {
                u32 size = sizeof(struct linux_prctl_mm_map);
                return PUT_USER(value, size);
        }
        if (what == PR_SET_MM_MAP)
                return set_map(c, value, len);
        if (!capable(CAP_SYS_RESOURCE))
                return ERR(EPERM);
        if (what == PR_SET_MM_EXE_FILE)
                return set_exe(c, (u32)value);
        if (what == PR_SET_MM_AUXV)
                return set_auxv(c, value, len);
        return vm_change_layout(c->t->vm, (u32)min_u64(what, U32_MAX), value);
}
