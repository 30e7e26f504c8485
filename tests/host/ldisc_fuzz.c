/* SPDX-License-Identifier: Apache-2.0
 *
 * Anything typed under any settings.  A byte 0xff begins a command: 0 break, 1 input flags,
 * 2 output flags, 3 local flags (16 bits follow), 4 a control character, 5 a read, 6 output.
 */
#include "tests/host/frame/host.h"
#include "services/tty/ldisc.h"

static void on_output(struct ldisc *d, bytes text) { CHECK(bytes_len(text) <= 64); }
static void on_signal(struct ldisc *d, u32 sig)    { CHECK(sig == 2 || sig == 3 || sig == 20); }
static void on_flow(struct ldisc *d, bool stop)    { }
static const struct ldisc_ops ops = { .output = on_output, .signal = on_signal, .flow = on_flow };
static struct ldisc it;

int LLVMFuzzerTestOneInput(const u8 *data, usize size);
int LLVMFuzzerTestOneInput(const u8 *data, usize size)
{
        memset(&it, 0, sizeof it);
        ldisc_init(&it, &ops);
        for (usize i = 0; i < size; i++) {
                if (data[i] != 0xff || i + 3 >= size) {
                        ldisc_receive(&it, (bytes){ data + i, 1 });
                } else {
                        struct linux_termios t = ldisc_termios(&it);
                        u32 bits = (u32)data[i + 2] | (u32)data[i + 3] << 8;
                        u8 out[300];
                        bool done = false;
                        usize used = 0;
                        switch (data[i + 1] % 7) {
                        case 0: ldisc_break(&it); break;
                        case 1: t.c_iflag ^= bits; break;
                        case 2: t.c_oflag ^= bits; break;
                        case 3: t.c_lflag ^= bits; break;
                        case 4: t.c_cc[data[i + 2] % 19] = data[i + 3]; break;
                        case 5: {
                                usize n = ldisc_available(&it), room = 1 + data[i + 2], got = ldisc_read(&it, mbytes_take(MBYTES_OF(out), room), &done);
                                CHECK(got <= n && got <= room);
                                break;
                        }
                        case 6: CHECK(ldisc_render(&it, MBYTES_OF(out), (bytes){ data + i, size - i }, &used) <= sizeof out && used <= size - i); break;
                        }
                        if (data[i + 1] % 7 - 1u < 4)
                                ldisc_set_termios(&it, t);
                        i += 3;
                }
                if (size < 2000 || i % 64 == 0)
                        CHECK(ldisc_validate(&it));
        }
        CHECK(ldisc_validate(&it));
        return 0;
}
