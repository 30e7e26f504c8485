/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of services/coredump share.
 */
#pragma once
#include "services/coredump/coredump.h"
#include "services/process/process.h"
#include "services/signal/signal.h"
#include "services/security/cred.h"
#include "services/vfs/vfs.h"
#include "services/vm/vm.h"
#include "abi/const/elf.h"
#include "abi/const/process.h"
#include "abi/const/signal.h"
#include "abi/cpu/core.h"
#include "abi/linux/elf.h"

/* A dump under way: a stack value of the dumper's. */
struct dump {
        struct thread *t;
        const struct siginfo *info;
        struct file *file;
        struct blob *page;              /* PAGE_SIZE: scratch */
        struct blob *names;             /* NT_FILE, made at the start */
        usize names_len;
        u64 at, limit;                  /* bytes */
        bool is_pipe;                   /* the file is a pipe: holes are written, too */
        u32 filter;
};

/* Writes at the end.  EFBIG: RLIMIT_CORE. */
err_t dump_bytes(struct dump *d, bytes b);
/* notes.c: what the notes take, and they. */
void  notes_collect(struct dump *d);
u64   notes_size(struct dump *d, u32 threads);
err_t notes_write(struct dump *d);
/* name.c: where to, by core_pattern.  Not a pipe: a file's name.  A pipe: the program and its arguments, each ended by
 * NUL.  len 0: nowhere. */
struct core_target { bool is_pipe; usize len; u32 words; };
struct core_target core_target(struct dump *d, mbytes out);
