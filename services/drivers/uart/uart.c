/* SPDX-License-Identifier: Apache-2.0
 *
 * The 16550A driver.  Specification: National Semiconductor PC16550D data sheet.
 *
 * Sending    write() fills a ring and starts it: while the transmitter's FIFO is empty, up to
 *            FIFO_SIZE bytes go out at once; if the ring is not empty then, the transmitter
 *            interrupt is on and the bottom half goes on.
 * Receiving  The interrupt's bottom half drains the FIFO into tty_received().
 * Locking    uart.lock (spin, class uart) is a leaf; tty.lock may be held around it. Nothing of tty
 *            is called under it.
 * Invariants U1  out_head - out_tail <= RING_SIZE
 *            U2  the transmitter interrupt is on exactly while the ring is not empty and not stopped
 */
#include "services/drivers/uart/uart.h"
#include "services/tty/tty.h"

#define RING_SIZE 4096u
#define FIFO_SIZE 16u

enum { RBR = 0, THR = 0, IER = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };
enum { IER_RX = 1, IER_TX = 2, IER_LINE = 4 };
enum { IIR_NONE = 1 };
enum { LSR_DATA = 1, LSR_BREAK = 0x10, LSR_THR_EMPTY = 0x20 };
enum { LCR_8N1 = 3, LCR_DIVISOR = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT2 = 8 };
enum { FCR_ENABLE = 1, FCR_CLEAR = 6, FCR_TRIGGER_8 = 0x80 };

OBJECT(uart) {
        struct tty_port base;
        struct irq_handler irq;
        struct spinlock lock;
        struct ioports *ports;          /* fixed */
        bool stopped;                   /* lock */
        u8   ier;                       /* lock: what IER holds */
        u32  out_head, out_tail;        /* lock */
        u8   ring[RING_SIZE];           /* lock */
};
POOL_DECLARE(uart)
DOWNCASTABLE(uart, tty_port);
POOL_DEFINE(uart, NO_FINI);
LOCK_CLASS_DECLARE(tty);
LOCK_CLASS(uart, AFTER(tty));

static void set_ier_locked(struct uart *u, u8 ier)
{
        if (u->ier != ier) {
                u->ier = ier;
                ioports_write8(u->ports, IER, ier);
        }
}

/* Sends what the transmitter takes now; keeps U2.  What waited in the ring leaves it in the bottom half only, which
 * tells those who wait for room. */
static void send_locked(struct uart *u)
{
        while (!u->stopped && u->out_head != u->out_tail && (ioports_read8(u->ports, LSR) & LSR_THR_EMPTY)) {
                u8 out[FIFO_SIZE] = {};
                u32 n = 0;
                while (n < FIFO_SIZE && u->out_tail != u->out_head)
                        out[n++] = u->ring[u->out_tail++ & (RING_SIZE - 1)];
                ioports_write8_many(u->ports, THR, bytes_take(BYTES_OF(out), n));
        }
        bool more = !u->stopped && u->out_head != u->out_tail;
        set_ier_locked(u, more ? u->ier | IER_TX : u->ier & (u8)~IER_TX);
}

static usize port_write(struct tty_port *port, bytes text)
{
        struct uart *u = DOWNCAST(uart, port);
        SPIN_GUARD(&u->lock);
        usize n = min_u64(bytes_len(text), RING_SIZE - (u->out_head - u->out_tail));
        bool  idle = u->out_head == u->out_tail;

        for (usize i = 0; i < n; i++)
                u->ring[u->out_head++ & (RING_SIZE - 1)] = bytes_at(text, i);
        if (idle)
                send_locked(u);
        return n;
}

static u32 port_queued(struct tty_port *port)
{
        struct uart *u = DOWNCAST(uart, port);
        SPIN_GUARD(&u->lock);
        return u->out_head - u->out_tail;
}

static u32 port_room(struct tty_port *port) { return RING_SIZE - port_queued(port); }

static void port_stop(struct tty_port *port, bool stop)
{
        struct uart *u = DOWNCAST(uart, port);
        SPIN_GUARD(&u->lock);
        u->stopped = stop;
        send_locked(u);
}

static void port_flush(struct tty_port *port)
{
        struct uart *u = DOWNCAST(uart, port);
        SPIN_GUARD(&u->lock);
        u->out_tail = u->out_head;
        send_locked(u);
}

static const struct tty_port_ops port_ops = {
        .write = port_write, .room = port_room, .queued = port_queued, .stop = port_stop, .flush = port_flush,
};

/* Up to 64 bytes from the receiver; *breaks: a break condition was among them. */
static usize drain(struct uart *u, mbytes in, bool *breaks)
{
        SPIN_GUARD(&u->lock);
        usize n = 0;
        while (n < mbytes_len(in)) {
                u8 status = ioports_read8(u->ports, LSR);
                if (!(status & LSR_DATA))
                        break;
                u8 c = ioports_read8(u->ports, RBR);
                if (status & LSR_BREAK)
                        *breaks = true;
                else
                        mbytes_put(in, n++, c);
        }
        return n;
}

/* Everything the receiver has goes to the terminal. */
static void receive(struct uart *u)
{
        for (;;) {
                u8 in[64] = {};
                bool breaks = false;
                usize n = drain(u, MBYTES_OF(in), &breaks);
                if (n)
                        tty_received(u->base.tty, bytes_take(BYTES_OF(in), n));
                if (breaks)
                        tty_break(u->base.tty);
                if (!n && !breaks)
                        return;
        }
}

/* Goes on while the transmitter is the cause; true: bytes went out. */
static bool transmit(struct uart *u)
{
        SPIN_GUARD(&u->lock);
        bool on = u->ier & IER_TX;
        send_locked(u);
        return on;
}

/* The line falls and, if there still is a cause, rises again. */
static void raise_line_again(struct uart *u)
{
        SPIN_GUARD(&u->lock);
        ioports_write8(u->ports, IER, 0);
        ioports_write8(u->ports, IER, u->ier);
}

/* The line is an edge: no new one comes while a cause is pending.  So all causes are dealt with before the
 * end; or, where they keep coming, the line is made to rise once more. */
static void interrupted(struct irq_handler *h)
{
        struct uart *u = OWNER_OF(uart, irq, h);

        for (u32 rounds = 0; rounds < 64; rounds++) {
                if (ioports_read8(u->ports, IIR) & IIR_NONE)
                        return;
                receive(u);
                if (transmit(u))
                        tty_written(u->base.tty);
        }
        raise_line_again(u);
}

/* There is a port if the scratch register holds what is written, and the line status is not all ones. */
static bool is_present(struct ioports *ports)
{
        ioports_write8(ports, SCR, 0x5a);
        bool first = ioports_read8(ports, SCR) == 0x5a;
        ioports_write8(ports, SCR, 0xa5);
        return first && ioports_read8(ports, SCR) == 0xa5 && ioports_read8(ports, LSR) != 0xff;
}

static void program(struct ioports *ports)
{
        ioports_write8(ports, IER, 0);
        ioports_write8(ports, LCR, LCR_DIVISOR);
        ioports_write8(ports, 0, 1);            /* 115200 baud */
        ioports_write8(ports, 1, 0);
        ioports_write8(ports, LCR, LCR_8N1);
        ioports_write8(ports, FCR, FCR_ENABLE | FCR_CLEAR | FCR_TRIGGER_8);
        ioports_write8(ports, MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
}

static void probe(u32 index, bool console)
{
        static const u32 lines[4] = { 4, 3, 4, 3 };
        u8 com[4] = { 'c', 'o', 'm', (u8)('1' + index) };
        u8 name[5] = { 't', 't', 'y', 'S', (u8)('0' + index) };

        struct ioports *ports = ioports_claim(BYTES_OF(com));
        if (!ports || !is_present(ports))
                return;
        struct uart *u = uart_alloc(NULL, MAY_RECLAIM);
        if (!u)
                return;
        u->base.ops = &port_ops;
        u->ports = ports;
        lock_init(&u->lock, uart);
        struct tty *tty = tty_register(&u->base, 4, 64 + index, BYTES_OF(name));
        if (!tty) {
                uart_drop(u);
                return;
        }
        u->base.tty = tty;
        program(ports);
        err_t err = irq_attach_isa(&u->irq, lines[index], interrupted);
        if (failed(err))
                klog(LOG_ERR, "uart: {}: no interrupt {}: error {}", BYTES_OF(name), lines[index], err_code(err));
        {
                SPIN_GUARD(&u->lock);
                set_ier_locked(u, IER_RX | IER_LINE);
        }
        if (console)
                tty_set_console(tty);
}

void uart_init(i32 console)
{
        for (u32 i = 0; i < 4; i++)
                probe(i, (i32)i == console);
}
