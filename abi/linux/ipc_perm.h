/* SPDX-License-Identifier: Apache-2.0
 *
 * What the three kinds of System V IPC objects begin with.
 */
#pragma once

struct linux_ipc_perm {
        i32 key;
        u32 uid;
        u32 gid;
        u32 cuid;
        u32 cgid;
        u32 mode;
        u16 seq;
        u16 pad2;
        u32 pad3;
        u64 unused1;
        u64 unused2;
};
