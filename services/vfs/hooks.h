/* SPDX-License-Identifier: Apache-2.0
 *
 * What vfs needs from services above it: const tables registered once, at boot.
 * Until then the defaults of registry.c hold: nothing can be faulted in, no area maps a file.
 */
#pragma once
#include "services/task/thread.h"
STABLE(mapping);
BASE(inode);
BASE(file);
BASE(superblock);

/*                     called with                     may sleep
 * fault_in            no spin lock                    yes; makes the user page(s) of [addr, addr+len), which
 *                                                     lies in one page, present; false: EFAULT
 * unmap_range         inode lock or nothing           yes; removes pages [first, last] of the file from every
 *                                                     address space; private copies too if `cows` */
STABLE(vfs_vm_ops) {
        bool (*fault_in)(u64 addr, usize len, bool write);
        void (*unmap_range)(struct mapping *m, u64 first, u64 last, bool cows);
};
/* raise: send sig to the current thread (SIGPIPE, SIGXFSZ); any context that may take spin locks
 * to_owner: to whom F_SETOWN named, if it may be sent there; false: no room in the queue; the same */
STABLE(vfs_signal_ops) {
        void (*raise)(u32 sig);
        bool (*to_owner)(const struct signal_target *to, const struct siginfo *info);
};
/* move_root: after pivot_root: fs_move for every thread of the processes of ns; no lock held */
struct path;
OBJECT(pid_ns);
STABLE(vfs_process_ops) {
        void (*move_root)(struct pid_ns *ns, const struct path *old, const struct path *new);
};
/* realtime: ns since 1970, coarse, for time stamps; until it is there, the boot's clock is used */
STABLE(vfs_clock_ops) {
        u64 (*realtime)(void);
};
/* What happened to a watched inode; name: in it, if it is a directory. unlinked: the name no longer leads there. */
struct notify_event { u32 mask; u32 cookie; bytes name; bool unlinked; };
/* event, gone, unmount: no spin lock held; do not sleep.  See notify.h.
 * gone: nothing leads to the inode any more; unmount: the last mount of sb goes. */
STABLE(vfs_notify_ops) {
        void (*event)(struct inode *inode, const struct notify_event *e);
        void (*gone)(struct inode *inode);
        void (*unmount)(struct superblock *sb);
};
/* gone: the last reference of a file with epoll_items goes; no lock held */
STABLE(vfs_event_ops) {
        void (*gone)(struct file *f);
};
void vfs_register_events(const struct vfs_event_ops *ops);
void vfs_register_notify(const struct vfs_notify_ops *ops);
void vfs_register_clock(const struct vfs_clock_ops *ops);
void vfs_register_vm(const struct vfs_vm_ops *ops);
void vfs_register_process(const struct vfs_process_ops *ops);
void vfs_register_signal(const struct vfs_signal_ops *ops);
