/* SPDX-License-Identifier: Apache-2.0
 *
 * What is registered at boot: file system types and character devices.  After boot these
 * lists only are read.
 *
 * A device's file_ops.open makes the file (NULL: a plain one); devfs makes a node for
 * each registered name.
 */
#pragma once
#include "services/vfs/file.h"

STABLE(chrdev) {
        u8  name[16];                   /* node in /dev, NUL-padded; empty: no node */
        u32 major, minor;
        u32 count;                      /* minors from `minor` on; 0 means 1.  Nodes only for the first */
        u32 mode;                       /* permissions of the node */
        const struct file_ops *ops;
};
void chrdev_register(const struct chrdev *dev);
const struct chrdev *chrdev_find(u64 dev);               /* NULL: ENXIO */
const struct chrdev *chrdev_at(u32 n);                   /* the n-th registered, or NULL */

void fs_register(const struct fs_type *type);
const struct fs_type *fs_find(bytes name);               /* NULL: ENODEV */
const struct fs_type *fs_at(u32 n);                      /* for /proc/filesystems */
/* The one superblock of a single-instance type, if it was made; counted, or NULL. */
struct superblock *fs_single(const struct fs_type *type);

/* FIFOs: the pipe service opens them. */
void fifo_register(const struct file_ops *ops);
