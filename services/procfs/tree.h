/* SPDX-License-Identifier: Apache-2.0
 *
 * The shape of /proc: static tables of entries, and directories whose names are
 * processes, threads and descriptors.
 */
#pragma once
#include "services/procfs/text.h"
#include "services/process/process.h"
#include "services/vfs/vfs.h"

/* What an entry is about: borrows for one call.  In system-wide entries process and thread are NULL. */
struct subject {
        struct process *process;
        struct thread *thread;          /* in task/TID; else NULL */
        u32 fd;
        u64 memory;                     /* not 0: only as long as its address space has this serial, subject_vm finds it */
};

STABLE(proc_dir);
/* Text is made when a read begins at 0, by each read, or when the file is opened. */
enum proc_life { LIFE_READ, LIFE_CALL, LIFE_FILE };
/* Exactly one of show, part, link, follow, dir is set (link and follow may both be).
 *   show    adds the file's text
 *   part    adds some of it, from *at on, and moves *at behind that; nothing: the end.  At first *at is 0; with LIFE_CALL it is
 *           the place in the file
 *   write   takes what is written, in one piece of at most a page (NULL: read only)
 *   link    the text of a symlink, into buf
 *   follow  the place a magic link leads to, counted
 *   dir     a directory */
STABLE(proc_entry) {
        u8    name[32];                 /* NUL-padded; empty: the table's end */
        u32   mode;                     /* permission bits */
        bool  guarded;                  /* only for those who may trace the process: EACCES */
        bool  of_memory;                /* it tells of the address space that there is when it is opened, and of no other */
        enum proc_life life;            /* of its text */
        err_t (*show)(struct text *t, const struct subject *s);
        err_t (*part)(struct text *t, const struct subject *s, u64 *at);
        err_t (*write)(bytes text, const struct subject *s);
        err_t (*link)(mbytes buf, usize *len, const struct subject *s);
        err_t (*follow)(struct path *out, const struct subject *s);
        const struct proc_dir *dir;
        const struct file_ops *fops;    /* instead of all these: a file of its own kind */
};

enum dynamic { DYN_NONE, DYN_PROCESSES, DYN_THREADS, DYN_FDS, DYN_FDINFO };
#define PROC_ENTRIES 48
STABLE(proc_dir) {
        enum dynamic dynamic;           /* names besides the table's */
        struct proc_entry entry[PROC_ENTRIES];
};

/* memory.c */
extern const struct file_ops proc_mem_ops, proc_pagemap_ops;
err_t proc_show_maps(struct text *t, const struct subject *s, u64 *at);
err_t proc_show_smaps(struct text *t, const struct subject *s, u64 *at);
err_t proc_show_rollup(struct text *t, const struct subject *s);
err_t proc_write_clear_refs(bytes text, const struct subject *s);

/* locks.c; the locks that were taken through f, POSIX ones by this table */
err_t proc_show_locks(struct text *t, const struct subject *s, u64 *at);
void proc_say_file_locks(struct text *t, struct file *f, struct files *files);

struct subject procfs_subject(struct inode *inode);      /* of an inode of /proc */
extern const struct proc_dir proc_root_dir, proc_process_dir, proc_thread_dir, proc_sys_dir, proc_keel_dir;

/* The vm of a process, counted; NULL: a zombie or kernel thread. And its first live thread. */
struct vm *subject_vm(const struct subject *s);
u64   subject_memory(const struct subject *s);           /* the vm's serial; U64_MAX: there is none */
struct thread *subject_thread(const struct subject *s);  /* counted; NULL: none lives */
