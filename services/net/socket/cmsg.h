/* SPDX-License-Identifier: Apache-2.0
 *
 * Control messages (cmsg(3)): reading those that came with a sendmsg, and writing those that
 * a recvmsg returns.
 */
#pragma once
#include "lib/cursor.h"

/* Those in `rest`, one after the other. */
struct cmsg_cursor { bytes rest; };
struct cmsg {
        enum cmsg_kind { CMSG_END, CMSG_THERE, CMSG_BAD } kind;        /* BAD: a length that cannot be: EINVAL */
        i32 level, type;
        bytes data;
};
struct cmsg cmsg_next(struct cmsg_cursor *c);

/* Where recvmsg's go: user memory.  No lock held. */
struct control_out {
        u64 addr; usize left;           /* what is still free */
        usize done;                     /* bytes written, padding too */
        bool truncated;                 /* MSG_CTRUNC */
        bool cloexec;                   /* MSG_CMSG_CLOEXEC: of descriptors */
};
/* One message; what does not fit is cut, and a bad address leaves it out. */
void control_put(struct control_out *c, i32 level, i32 type, bytes data);
/* In two steps, for data written by the caller at control_data(): room for how many bytes there is, and
 * the header for as many as were written. */
static inline u64 control_data(const struct control_out *c) { return c->addr + 16; }
usize control_room(const struct control_out *c);
void control_end(struct control_out *c, i32 level, i32 type, usize data_len);
