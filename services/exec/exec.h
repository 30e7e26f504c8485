/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs: loading ELF files and scripts into a new address space.
 *
 * Two steps, so that a failing execve changes nothing:
 *      exec_prepare(&request, &image)   opens nothing, reads the file, builds a whole new
 *                                       address space with stack, arguments and auxv; every
 *                                       error of execve comes from here
 *      exec_commit(&image, regs)        the calling thread now runs in it; cannot fail
 * or   exec_discard(&image)             instead of commit.
 *
 * Between the two, process ends the other threads, changes credentials and so on.
 */
#pragma once
#include "services/task/thread.h"

OBJECT(vm_domain);
struct user_regs;

#define EXEC_MAX_DEPTH   5              /* interpreters after one another; then ELOOP */
#define EXEC_MAX_STRING  131072         /* bytes of one string, NUL included; E2BIG */

/* Where argument strings come from: an array of user pointers, ended by 0 (user_array; 0: empty),
 * or, for the kernel's own calls, NUL-ended strings in a blob (count of them). */
struct exec_strings {
        u64 user_array;
        struct blob *blob;              /* borrowed; used if not NULL */
        u32 count;                      /* strings in blob */
};

/* Opens an interpreter for execution: path as the program names it, relative to the thread's
 * cwd and root.  Gives an open file, counted; permission checked (EACCES, ENOENT, …). */
STABLE(exec_ops) {
        err_t (*open)(bytes path, struct file **out);
        /* Credentials the program will run with (set-id): called once, for the file that is finally
         * executed (for a script: the interpreter).  *cred is counted. *secure: CRED_*. */
        err_t (*cred)(struct file *program, struct cred **cred, u32 *secure);
};

struct exec_request {
        struct file *file;              /* borrowed: open for execution, permission checked */
        struct blob *path;              /* borrowed: as execve's caller named it (fexecve: /dev/fd/N); AT_EXECFN */
        struct exec_strings argv, envp;
        struct vm_domain *domain;       /* borrowed; NULL: that of the current vm */
        struct payer *payer;            /* borrowed */
        const struct exec_ops *ops;
        u64  stack_limit;               /* RLIMIT_STACK's current value */
        bool randomize;                 /* false: personality ADDR_NO_RANDOMIZE */
        bool fd_closes;                 /* the descriptor is close-on-exec: a script gives ENOENT */
};

/* What was prepared; the caller owns the counted fields until commit or discard. */
struct exec_image {
        struct vm *vm;                  /* counted */
        struct file *program;           /* counted: the file that runs (/proc/pid/exe) */
        struct cred *cred;              /* counted: process installs it */
        u32   secure;                   /* CRED_*: security/cred.h */
        bool  exec_stack;
        u64   entry, stack;             /* user instruction and stack pointers */
        u8    comm[COMM_LEN];           /* the last component of the path, NUL-padded */
};

/* The arrays of pointers are there, and no longer than any program's may be: asked before the file is looked for.  EFAULT, E2BIG. */
err_t exec_check_arguments(const struct exec_strings *argv, const struct exec_strings *envp);
/* ENOEXEC: no known format; EACCES, ELOOP, E2BIG, ENOMEM, EINVAL, ELIBBAD, EFAULT, EIO … as execve(2). */
err_t exec_prepare(struct exec_request *request, struct exec_image *image);
/* Installs image->vm as the current thread's (thread->vm under process.lock, task space), resets registers
 * and FPU state; takes over image->vm.  program and cred stay the caller's.  The old vm is dropped. */
void  exec_commit(struct exec_image *image, struct user_regs *regs);
void  exec_discard(struct exec_image *image);

/* At boot: builds the vDSO's pages from the boot blob and hands them to the domain.  data: vvar's frame. */
err_t exec_vdso_init(struct vm_domain *domain, bytes elf, struct frame *data);
