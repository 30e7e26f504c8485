/* SPDX-License-Identifier: Apache-2.0
 *
 * procfs: what the kernel tells about processes and itself, as text in files (proc(5)).
 */
#pragma once

OBJECT(process);
BASE(file);

void procfs_init(void);                 /* registers the file system type "proc"; at boot */
/* The namespace that f, from /proc/PID/ns, stands for, borrowed, in its field of *out (none: there is but one of the kind); its
 * CLONE_NEW* flag.  0: f is no such file. */
struct ns_change;
u32  procfs_namespace(struct file *f, struct ns_change *out);
struct process *procfs_process(struct file *f);          /* counted: f is the directory /proc/PID; or NULL */
