/* SPDX-License-Identifier: Apache-2.0
 *
 * userfaultfd's messages and arguments (userfaultfd(2), ioctl_userfaultfd(2)).
 */
#pragma once

struct linux_uffd_pagefault {
        u64 flags;
        u64 address;
        u32 ptid;
        u32 pad;
};

struct linux_uffd_msg {
        u8 event;
        u8 reserved1;
        u16 reserved2;
        u32 reserved3;
        struct linux_uffd_pagefault pagefault;
};

struct linux_uffdio_api {
        u64 api;
        u64 features;
        u64 ioctls;
};

struct linux_uffdio_range {
        u64 start;
        u64 len;
};

struct linux_uffdio_register {
        struct linux_uffdio_range range;
        u64 mode;
        u64 ioctls;
};

struct linux_uffdio_copy {
        u64 dst;
        u64 src;
        u64 len;
        u64 mode;
        i64 copy;
};

struct linux_uffdio_zeropage {
        struct linux_uffdio_range range;
        u64 mode;
        i64 zeropage;
};

struct linux_uffdio_writeprotect {
        struct linux_uffdio_range range;
        u64 mode;
};
