/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: stat(2), fstat(2), lstat(2), newfstatat(2).
 */
#pragma once

struct linux_stat {
        u64 st_dev;
        u64 st_ino;
        u64 st_nlink;
        u32 st_mode;
        u32 st_uid;
        u32 st_gid;
        u32 pad0;
        u64 st_rdev;
        i64 st_size;
        i64 st_blksize;
        i64 st_blocks;                  /* of 512 bytes */
        u64 st_atime;
        u64 st_atime_nsec;
        u64 st_mtime;
        u64 st_mtime_nsec;
        u64 st_ctime;
        u64 st_ctime_nsec;
        i64 spare[3];
};
