/* SPDX-License-Identifier: Apache-2.0
 *
 * The early console: com1, written by polling, until a driver takes over.
 * Its lines also carry a panic's last words when the log cannot.
 */
#include "x86.h"

#define COM1      0x3f8
#define LSR       5
#define LSR_EMPTY 0x20

static bool present;

void arch_console_init(void)
{
        out8(COM1 + 7, 0x5a);           /* the scratch register answers where there is a UART */
        present = in8(COM1 + 7) == 0x5a;
        if (!present)
                return;
        out8(COM1 + 1, 0);              /* no interrupts */
        out8(COM1 + 3, 0x80);
        out8(COM1 + 0, 1);              /* 115200 baud */
        out8(COM1 + 1, 0);
        out8(COM1 + 3, 3);              /* 8n1 */
        out8(COM1 + 2, 7);              /* FIFOs on, emptied */
        out8(COM1 + 4, 0xb);            /* DTR, RTS, OUT2 */
}

static void put(u8 c)
{
        for (u32 i = 0; i < 100000 && !(in8(COM1 + LSR) & LSR_EMPTY); i++)
                cpu_pause();
        out8(COM1, c);
}

/* Also when a driver has taken over: a panic has no other way. */
void console_write(const char *s, usize n)
{
        if (!present)
                return;
        for (usize i = 0; i < n; i++) {
                if (s[i] == '\n')
                        put('\r');
                put((u8)s[i]);
        }
}
