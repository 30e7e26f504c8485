/* SPDX-License-Identifier: Apache-2.0
 *
 * File and file system attributes as user space lays them out.
 */
#pragma once
#include "abi/cpu/stat.h"               /* struct linux_stat */

struct linux_statx_timestamp {
        i64 tv_sec;
        u32 tv_nsec;
        i32 reserved;
};

struct linux_statx {
        u32 stx_mask;
        u32 stx_blksize;
        u64 stx_attributes;
        u32 stx_nlink;
        u32 stx_uid;
        u32 stx_gid;
        u16 stx_mode;
        u16 spare0;
        u64 stx_ino;
        u64 stx_size;
        u64 stx_blocks;                 /* of 512 bytes */
        u64 stx_attributes_mask;
        struct linux_statx_timestamp stx_atime;
        struct linux_statx_timestamp stx_btime;
        struct linux_statx_timestamp stx_ctime;
        struct linux_statx_timestamp stx_mtime;
        u32 stx_rdev_major;
        u32 stx_rdev_minor;
        u32 stx_dev_major;
        u32 stx_dev_minor;
        u64 stx_mnt_id;
        u32 stx_dio_mem_align;
        u32 stx_dio_offset_align;
        u64 spare3[12];
};

/* statfs(2) and fstatfs(2) */
struct linux_statfs {
        i64 f_type;
        i64 f_bsize;
        i64 f_blocks;
        i64 f_bfree;
        i64 f_bavail;
        i64 f_files;
        i64 f_ffree;
        i32 f_fsid[2];
        i64 f_namelen;
        i64 f_frsize;
        i64 f_flags;
        i64 f_spare[4];
};

struct linux_ustat {
        i32 f_tfree;
        u32 pad;
        u64 f_tinode;
        u8 f_fname[6];
        u8 f_fpack[6];
        u32 pad2;
};
