/* SPDX-License-Identifier: Apache-2.0
 *
 * Control messages of any bytes: the cursor gives what lies in them, in order, and ends.
 */
#include "tests/host/world.h"
#include "services/net/socket/cmsg.h"

#define HEADER 16ul

int LLVMFuzzerTestOneInput(const u8 *data, usize size);
int LLVMFuzzerTestOneInput(const u8 *data, usize size)
{
        bytes in = { data, size };
        struct cmsg_cursor c = { .rest = in };
        usize seen = 0;

        for (;;) {
                usize left = bytes_len(c.rest);
                struct cmsg m = cmsg_next(&c);
                if (m.kind == CMSG_END) {
                        CHECK(left < HEADER);
                        break;
                }
                if (m.kind == CMSG_BAD) {
                        CHECK(left >= HEADER && bytes_len(c.rest) == left);
                        u64 len = bytes_le64(c.rest, 0);
                        CHECK(len < HEADER || len > left);
                        break;
                }
                /* It advances by the header and data, padded, and stays inside. */
                usize len = HEADER + bytes_len(m.data), step = left - bytes_len(c.rest);
                CHECK(len <= left && step >= len && step < len + 8 && (step % 8 == 0 || bytes_len(c.rest) == 0));
                seen += step;
                CHECK(seen <= size && bytes_len(c.rest) == size - seen);
        }
        return 0;
}
