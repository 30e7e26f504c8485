/* SPDX-License-Identifier: Apache-2.0
 *
 * procfs: what the kernel tells about processes and itself, as text in files (proc(5)).
 */
#pragma once

OBJECT(process);
BASE(file);

void procfs_init(void);                 /* registers the file system type "proc"; at boot */
struct process *procfs_process(struct file *f);          /* counted: f is the directory /proc/PID; or NULL */
