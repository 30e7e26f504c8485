/* SPDX-License-Identifier: Apache-2.0
 *
 * Control messages.  See cmsg.h.
 */
#include "services/net/socket/cmsg.h"
#include "services/vfs/io.h"
#include "abi/linux/socket.h"

#define HEADER sizeof(struct linux_cmsghdr)

static usize align8(usize n) { return (n + 7) & ~7ul; }

struct cmsg cmsg_next(struct cmsg_cursor *c)
{
        struct linux_cmsghdr h = {};
        usize left = bytes_len(c->rest);

        if (left < HEADER)
                return (struct cmsg){ .kind = CMSG_END };
        POD_READ(&h, c->rest);
        if (h.cmsg_len < HEADER || h.cmsg_len > left)
                return (struct cmsg){ .kind = CMSG_BAD };
        struct cmsg m = { .kind = CMSG_THERE, .level = h.cmsg_level, .type = h.cmsg_type,
                          .data = bytes_sub(c->rest, HEADER, h.cmsg_len - HEADER) };
        c->rest = bytes_skip(c->rest, min_u64(align8(h.cmsg_len), left));
        return m;
}

static void advance(struct control_out *c, usize n)
{
        n = min_u64(n, c->left);
        c->addr += n;
        c->left -= n;
        c->done += n;
}

void control_put(struct control_out *c, i32 level, i32 type, bytes data)
{
        struct linux_cmsghdr h = { .cmsg_len = HEADER + bytes_len(data), .cmsg_level = level, .cmsg_type = type };

        if (c->left < HEADER) {
                c->truncated = true;
                return;
        }
        if (c->left < h.cmsg_len) {
                c->truncated = true;
                h.cmsg_len = c->left;
        }
        if (failed(user_put(c->addr, BYTES_OF(h))) || failed(user_put(c->addr + HEADER, bytes_take(data, h.cmsg_len - HEADER))))
                return;
        advance(c, align8(HEADER + bytes_len(data)));
}

usize control_room(const struct control_out *c) { return c->left > HEADER ? c->left - HEADER : 0; }

void control_end(struct control_out *c, i32 level, i32 type, usize data_len)
{
        struct linux_cmsghdr h = { .cmsg_len = HEADER + data_len, .cmsg_level = level, .cmsg_type = type };

        if (succeeded(user_put(c->addr, BYTES_OF(h))))
                advance(c, align8(HEADER + data_len));
}
