/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of services/exec share.  A prepared program passes through them in this
 * order: script.c finds the file that really runs, elf.c maps it, stack.c writes what it
 * is started with, exec.c leads.
 */
#pragma once
#include "services/exec/exec.h"
#include "services/vm/vm.h"
#include "services/vfs/file.h"
#include "services/security/cred.h"
#include "abi/const.h"
#include "abi/linux/elf.h"

#define HEAD_BYTES 256                  /* of a file tell what it is */

/* One "#!" line on the way to the program. */
struct script { struct blob *line; u32 interp, interp_len, arg, arg_len; };     /* line: counted; offsets into it */

struct loading {
        struct exec_request *req;       /* borrowed */
        struct vm *vm;                  /* the new one; counted */
        struct file *file;              /* what is looked at now; counted */
        u8    head[HEAD_BYTES];
        usize head_len;
        struct script script[EXEC_MAX_DEPTH];
        u32   scripts;
        struct cred *cred;              /* counted */
        u32   secure;                   /* CRED_* */
        bool  exec_stack;
        struct vm_places places;
        /* elf.c */
        u64   entry;                    /* the program's */
        u64   start;                    /* where to begin: the interpreter's entry, or entry */
        u64   phdr, phnum, interp_base;
        struct vm_layout layout;
        /* stack.c */
        u64   vdso;
        u64   sp;
};

/* script.c: reads l->file's head and follows "#!" lines until it is no script. */
err_t script_resolve(struct loading *l);
bytes script_interp(const struct script *s);
bytes script_arg(const struct script *s);

/* elf.c: checks headers, makes l->vm, maps the program and its interpreter. */
err_t elf_load(struct loading *l);

/* stack.c: maps stack, vDSO; writes strings, pointers, auxv. */
err_t stack_build(struct loading *l);
