/* SPDX-License-Identifier: Apache-2.0
 *
 * The line discipline of a terminal, as termios(3) describes it: what typed bytes
 * become lines, signals and echo, and how output is rendered.  Pure state: it calls
 * out through its ops only, so it runs and is fuzzed on the host.
 *
 * Locking    The caller holds the tty's lock around every function here.
 * Invariants D1  tail <= canon <= head <= tail + LDISC_SIZE (free-running counts)
 *            D2  bit i of `ends` is set only for a position in [tail, canon)
 *            D3  in canonical mode, readers see [tail, canon) only
 */
#pragma once
#include "abi/linux/tty.h"

#define LDISC_SIZE 4096u

STABLE(ldisc);
/* Called with the tty's lock held; neither may sleep.
 *   output  bytes for the device: the echo; what does not fit is lost
 *   signal  INTR, QUIT, SUSP was typed
 *   flow    STOP (true) or START was typed */
STABLE(ldisc_ops) {
        void (*output)(struct ldisc *d, bytes text);
        void (*signal)(struct ldisc *d, u32 sig);
        void (*flow)(struct ldisc *d, bool stop);
};

STABLE(ldisc) {
        const struct ldisc_ops *ops;            /* fixed */
        struct linux_termios termios;
        u8   buffer[LDISC_SIZE];
        u64  ends[LDISC_SIZE / 64];             /* a line ends at this position */
        u32  head, canon, tail;
        u32  column;                            /* of the cursor, from output and echo */
        u32  line_column;                       /* where the line being typed began */
        bool literal_next;                      /* VLNEXT was typed */
        bool erasing;                           /* between \ and / of ECHOPRT */
        bool stopped;                           /* by STOP */
};

void  ldisc_init(struct ldisc *d, const struct ldisc_ops *ops);         /* "sane" settings at 38400 baud */
struct linux_termios ldisc_termios(const struct ldisc *d);
void  ldisc_set_termios(struct ldisc *d, struct linux_termios t);       /* canonical on/off moves what was typed */
/* Input from the device. True: a reader may have something now. */
bool  ldisc_receive(struct ldisc *d, bytes typed);
/* Bytes that may be typed now without loss. U32_MAX: no reader can make room, an endless line loses bytes anyway. */
u32   ldisc_room(const struct ldisc *d);
void  ldisc_break(struct ldisc *d);                                     /* a break condition came in */
/* Renders output: reads from `text`, writes to `out`; *used is how much of text was rendered. Returns bytes in out. */
usize ldisc_render(struct ldisc *d, mbytes out, bytes text, usize *used);
/* Takes input for a reader.  *done: this read(2) is complete (line end, EOF).  Canonical: at most one line. */
usize ldisc_read(struct ldisc *d, mbytes out, bool *done);
bool  ldisc_is_canonical(const struct ldisc *d);        /* readers get lines: ICANON without EXTPROC */
/* Bytes a reader may take; in canonical mode those of complete lines. */
usize ldisc_available(const struct ldisc *d);
bool  ldisc_readable(const struct ldisc *d);            /* a canonical EOF counts, though it has no bytes */
void  ldisc_flush_input(struct ldisc *d);
bool  ldisc_validate(const struct ldisc *d);            /* D1 and D2 */
