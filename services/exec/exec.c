/* SPDX-License-Identifier: Apache-2.0
 *
 * Preparing and committing a program.  See exec.h for the two steps.
 */
#include "services/exec/exec_impl.h"

static err_t credentials(struct loading *l)
{
        if (l->req->ops->cred)
                return l->req->ops->cred(l->file, &l->cred, &l->secure);
        l->cred = cred_hold(thread_current()->cred);
        return OK;
}

static err_t prepare(struct loading *l)
{
        TRY(script_resolve(l));
        TRY(credentials(l));
        TRY(elf_load(l));
        TRY(stack_build(l));
        vm_set_layout(l->vm, l->layout);
        return OK;
}

static void release_all(struct loading *l)
{
        for (u32 i = 0; i < l->scripts; i++)
                blob_drop(l->script[i].line);
        if (l->file)
                file_drop(l->file);
        if (l->cred)
                cred_drop(l->cred);
        vm_drop(l->vm);
}

/* The last component of the path, cut to COMM_LEN - 1. */
static void name_after(struct exec_image *image, bytes path)
{
        usize slash = bytes_rfind(path, '/');
        bytes name = slash < bytes_len(path) ? bytes_skip(path, slash + 1) : path;
        mbytes_fill(MBYTES_OF(image->comm), 0);
        mbytes_copy(mbytes_take(MBYTES_OF(image->comm), COMM_LEN - 1), name);
}

err_t exec_prepare(struct exec_request *req, struct exec_image *image)
{
        struct loading l = { .req = req, .file = file_hold(req->file) };
        if (!req->domain)
                req->domain = vm_domain_of(vm_current());
        err_t err = prepare(&l);
        if (failed(err)) {
                release_all(&l);
                return err;
        }
        *image = (struct exec_image){ .vm = l.vm, .program = l.file, .cred = l.cred, .secure = l.secure,
                .exec_stack = l.exec_stack, .entry = l.start, .stack = l.sp };
        name_after(image, blob_bytes(req->path));
        l.vm = NULL;
        l.file = NULL;
        l.cred = NULL;
        release_all(&l);
        return OK;
}

void exec_commit(struct exec_image *image, struct user_regs *regs)
{
        struct thread *t = thread_current();
        struct vm *old = t->vm;
        {
                SPIN_GUARD(&t->process->lock);
                PTR_STORE(t->vm, image->vm);
        }
        task_set_space(vm_space(image->vm));
        image->vm = NULL;
        fpu_reset();
        ignore(user_set_fs(t->base.task, 0));
        ignore(user_set_gs(t->base.task, 0));
        *regs = (struct user_regs){ .rip = image->entry, .rsp = image->stack, .orig_rax = U64_MAX };
        vm_drop(old);
}

void exec_discard(struct exec_image *image)
{
        vm_drop(image->vm);
        if (image->program)
                file_drop(image->program);
        if (image->cred)
                cred_drop(image->cred);
        *image = (struct exec_image){};
}
