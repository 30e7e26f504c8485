/* SPDX-License-Identifier: Apache-2.0
 *
 * Block devices, loop devices and random numbers: ioctl arguments.
 */
#pragma once

struct linux_hd_geometry {              /* HDIO_GETGEO */
        u8 heads;
        u8 sectors;
        u16 cylinders;
        u32 pad;
        u64 start;
};

struct linux_loop_info64 {
        u64 lo_device;
        u64 lo_inode;
        u64 lo_rdevice;
        u64 lo_offset;
        u64 lo_sizelimit;
        u32 lo_number;
        u32 lo_encrypt_type;
        u32 lo_encrypt_key_size;
        u32 lo_flags;
        u8 lo_file_name[64];
        u8 lo_crypt_name[64];
        u8 lo_encrypt_key[32];
        u64 lo_init[2];
};

struct linux_loop_config {
        u32 fd;
        u32 block_size;
        struct linux_loop_info64 info;
        u64 reserved[8];
};

struct linux_blkpg_ioctl_arg {
        i32 op;
        i32 flags;
        i32 datalen;
        u32 pad;
        u64 data;
};

struct linux_blkpg_partition {
        i64 start;
        i64 length;
        i32 pno;
        u8 devname[64];
        u8 volname[64];
        u32 pad;
};

struct linux_rand_pool_info {           /* RNDADDENTROPY: then buf_size bytes */
        i32 entropy_count;
        i32 buf_size;
};

struct linux_watchdog_info {
        u32 options;
        u32 firmware_version;
        u8 identity[32];
};
