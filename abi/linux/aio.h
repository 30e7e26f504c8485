/* SPDX-License-Identifier: Apache-2.0
 *
 * Asynchronous I/O: io_submit(2) and io_uring(7).
 */
#pragma once

struct linux_io_event {
        u64 data;
        u64 obj;
        i64 res;
        i64 res2;
};

struct linux_iocb {
        u64 aio_data;
        u32 aio_key;
        i32 aio_rw_flags;
        u16 aio_lio_opcode;
        i16 aio_reqprio;
        u32 aio_fildes;
        u64 aio_buf;
        u64 aio_nbytes;
        i64 aio_offset;
        u64 aio_reserved2;
        u32 aio_flags;
        u32 aio_resfd;
};

struct linux_io_uring_sqe {
        u8 opcode;
        u8 flags;
        u16 ioprio;
        i32 fd;
        u64 off;                        /* addr2; the low half is cmd_op */
        u64 addr;                       /* splice_off_in */
        u32 len;
        u32 op_flags;                   /* rw_flags, fsync_flags, poll32_events, ... */
        u64 user_data;
        u16 buf_index;                  /* buf_group */
        u16 personality;
        i32 splice_fd_in;               /* file_index; the low half is addr_len */
        u64 addr3;
        u64 pad2;
};

struct linux_io_uring_cqe {
        u64 user_data;
        i32 res;
        u32 flags;
};

struct linux_io_sqring_offsets {
        u32 head;
        u32 tail;
        u32 ring_mask;
        u32 ring_entries;
        u32 flags;
        u32 dropped;
        u32 array;
        u32 resv1;
        u64 resv2;
};

struct linux_io_cqring_offsets {
        u32 head;
        u32 tail;
        u32 ring_mask;
        u32 ring_entries;
        u32 overflow;
        u32 cqes;
        u32 flags;
        u32 resv1;
        u64 resv2;
};

struct linux_io_uring_params {
        u32 sq_entries;
        u32 cq_entries;
        u32 flags;
        u32 sq_thread_cpu;
        u32 sq_thread_idle;
        u32 features;
        u32 wq_fd;
        u32 resv[3];
        struct linux_io_sqring_offsets sq_off;
        struct linux_io_cqring_offsets cq_off;
};

struct linux_io_uring_files_update {
        u32 offset;
        u32 resv;
        u64 fds;
};

struct linux_io_uring_rsrc_register {
        u32 nr;
        u32 flags;
        u64 resv2;
        u64 data;
        u64 tags;
};

struct linux_io_uring_rsrc_update2 {
        u32 offset;
        u32 resv;
        u64 data;
        u64 tags;
        u32 nr;
        u32 resv2;
};

struct linux_io_uring_probe {           /* then ops_len of the next */
        u8 last_op;
        u8 ops_len;
        u16 resv;
        u32 resv2[3];
};

struct linux_io_uring_probe_op {
        u8 op;
        u8 resv;
        u16 flags;
        u32 resv2;
};

struct linux_io_uring_getevents_arg {
        u64 sigmask;
        u32 sigmask_sz;
        u32 pad;
        u64 ts;
};

struct linux_io_uring_buf {
        u64 addr;
        u32 len;
        u16 bid;
        u16 resv;
};

struct linux_io_uring_buf_reg {
        u64 ring_addr;
        u32 ring_entries;
        u16 bgid;
        u16 pad;
        u64 resv[3];
};
