/* SPDX-License-Identifier: Apache-2.0
 *
 * Files, directories, locks and notification as user space lays them out.
 */
#pragma once

struct linux_iovec {
        u64 iov_base;
        u64 iov_len;
};

struct linux_open_how {
        u64 flags;
        u64 mode;
        u64 resolve;
};

struct linux_flock {
        i16 l_type;
        i16 l_whence;
        u32 pad0;
        i64 l_start;
        i64 l_len;
        i32 l_pid;
        u32 pad1;
};

struct linux_f_owner_ex {
        i32 type;
        i32 pid;
};

/* A record of getdents64(2): this, the name, a zero byte; records are 8-aligned.
 * The name begins at LINUX_DIRENT64_NAME, inside the struct's last word. */
struct linux_dirent64 {
        u64 d_ino;
        i64 d_off;
        u16 d_reclen;
        u8 d_type;
        u8 pad[5];
};
#define LINUX_DIRENT64_NAME 19

/* A record of getdents(2): this, the name, a zero byte; the type is the record's last byte. */
struct linux_dirent {
        u64 d_ino;
        u64 d_off;
        u16 d_reclen;
        u8 pad[6];
};
#define LINUX_DIRENT_NAME 18

/* name_to_handle_at(2): this, then handle_bytes bytes */
struct linux_file_handle {
        u32 handle_bytes;
        i32 handle_type;
};

struct linux_mount_attr {
        u64 attr_set;
        u64 attr_clr;
        u64 propagation;
        u64 userns_fd;
};

struct linux_file_clone_range {
        i64 src_fd;
        u64 src_offset;
        u64 src_length;
        u64 dest_offset;
};

struct linux_fstrim_range {
        u64 start;
        u64 len;
        u64 minlen;
};

struct linux_fsxattr {
        u32 fsx_xflags;
        u32 fsx_extsize;
        u32 fsx_nextents;
        u32 fsx_projid;
        u32 fsx_cowextsize;
        u8 fsx_pad[8];
};

/* FS_IOC_FIEMAP: this, then fm_extent_count extents */
struct linux_fiemap {
        u64 fm_start;
        u64 fm_length;
        u32 fm_flags;
        u32 fm_mapped_extents;
        u32 fm_extent_count;
        u32 fm_reserved;
};

struct linux_fiemap_extent {
        u64 fe_logical;
        u64 fe_physical;
        u64 fe_length;
        u64 fe_reserved64[2];
        u32 fe_flags;
        u32 fe_reserved[3];
};

/* Read from an inotify descriptor: this, then len bytes of name */
struct linux_inotify_event {
        i32 wd;
        u32 mask;
        u32 cookie;
        u32 len;
};

struct linux_fanotify_event_metadata {
        u32 event_len;
        u8 vers;
        u8 reserved;
        u16 metadata_len;
        u64 mask;
        i32 fd;
        i32 pid;
};

struct linux_fanotify_event_info_header {
        u8 info_type;
        u8 pad;
        u16 len;
};

struct linux_fanotify_response {
        i32 fd;
        u32 response;
};

/* Values of system.posix_acl_*: a header, then entries; little-endian */
struct linux_posix_acl_xattr_header {
        u32 a_version;
};

struct linux_posix_acl_xattr_entry {
        u16 e_tag;
        u16 e_perm;
        u32 e_id;
};
