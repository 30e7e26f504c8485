/* SPDX-License-Identifier: Apache-2.0
 *
 * sysfs: the tree of devices and settings under /sys, one value per file (sysfs(5)).
 *
 * Whoever has something to show registers it by its path (without a leading slash, "devices/system/cpu");
 * directories on the way are made.  What is registered stays until sysfs_remove.
 * All functions may sleep and take no lock of the caller's.
 */
#pragma once
#include "services/procfs/text.h"

#define SYSFS_NAME 40

/* A file.  show adds its text, store takes what is written in one piece of at most a page (NULL: none); key is
 * what the file was registered with: the number of the CPU, of the device.  A borrow of the text for the call. */
STABLE(sysfs_file) {
        u8    name[SYSFS_NAME];         /* NUL-padded */
        u32   mode;                     /* permission bits */
        err_t (*show)(struct text *t, u64 key);
        err_t (*store)(bytes text, u64 key);
};

void  sysfs_init(void);                 /* registers the file system; at boot */
void  sysfs_system_init(void);          /* what every machine has: CPUs, memory, the registered character devices; at boot, after these */

err_t sysfs_dir(bytes path);                                                    /* ENOMEM, ENAMETOOLONG, ENOTDIR */
err_t sysfs_file(bytes dir, const struct sysfs_file *file, u64 key);            /* the same; EEXIST */
err_t sysfs_link(bytes path, bytes target);                                     /* the same; target is a path from the top too */
void  sysfs_remove(bytes path);         /* and what is below; open files read ENODEV from then on */
