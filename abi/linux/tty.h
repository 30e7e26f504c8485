/* SPDX-License-Identifier: Apache-2.0
 *
 * Terminals and consoles as user space lays them out.
 */
#pragma once

struct linux_termios {                  /* TCGETS; glibc has its own, longer one */
        u32 c_iflag;
        u32 c_oflag;
        u32 c_cflag;
        u32 c_lflag;
        u8 c_line;
        u8 c_cc[19];
};

struct linux_termios2 {                 /* TCGETS2, and what a tty keeps */
        u32 c_iflag;
        u32 c_oflag;
        u32 c_cflag;
        u32 c_lflag;
        u8 c_line;
        u8 c_cc[19];
        u32 c_ispeed;
        u32 c_ospeed;
};

struct linux_termio {                   /* TCGETA */
        u16 c_iflag;
        u16 c_oflag;
        u16 c_cflag;
        u16 c_lflag;
        u8 c_line;
        u8 c_cc[8];
        u8 pad;
};

struct linux_winsize {
        u16 ws_row;
        u16 ws_col;
        u16 ws_xpixel;
        u16 ws_ypixel;
};

struct linux_serial_struct {            /* TIOCGSERIAL */
        i32 type;
        i32 line;
        u32 port;
        i32 irq;
        i32 flags;
        i32 xmit_fifo_size;
        i32 custom_divisor;
        i32 baud_base;
        u16 close_delay;
        u8 io_type;
        u8 reserved_char;
        i32 hub6;
        u16 closing_wait;
        u16 closing_wait2;
        u32 pad0;
        u64 iomem_base;
        u16 iomem_reg_shift;
        u16 pad1;
        u32 port_high;
        u64 iomap_base;
};

struct linux_serial_icounter_struct {   /* TIOCGICOUNT */
        i32 cts;
        i32 dsr;
        i32 rng;
        i32 dcd;
        i32 rx;
        i32 tx;
        i32 frame;
        i32 overrun;
        i32 parity;
        i32 brk;
        i32 buf_overrun;
        i32 reserved[9];
};

struct linux_vt_mode {
        u8 mode;
        u8 waitv;
        i16 relsig;
        i16 acqsig;
        i16 frsig;
};

struct linux_vt_stat {
        u16 v_active;
        u16 v_signal;
        u16 v_state;
};

struct linux_kbd_repeat {
        i32 delay;
        i32 period;
};

struct linux_kbentry {
        u8 kb_table;
        u8 kb_index;
        u16 kb_value;
};
