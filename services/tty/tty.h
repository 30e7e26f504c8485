/* SPDX-License-Identifier: Apache-2.0
 *
 * Terminals: the device a process reads, writes and is job-controlled by.
 *
 * A tty stands between a line discipline (ldisc.h) and a port, which a driver embeds
 * as BASE in its own object.  /dev/ttyS<n> and /dev/hvc<n> open the tty of a port,
 * /dev/console the one chosen by console=, /dev/tty the caller's controlling one.
 *
 * Lifetime   A tty of a registered port lives for ever; sessions count it.
 * Locking    tty.lock (spin, class tty) guards discipline, size and flow; bottom halves
 *            take it.  tty.read_mutex and write_mutex keep one reader and one writer's
 *            bytes together.  session and foreground group: the pid namespace's tree lock.
 *            Order: read_mutex or write_mutex, tree, tty.lock, the port's own lock.
 */
#pragma once
#include "services/task/thread.h"
#include "services/tty/ldisc.h"
#include "services/vfs/async.h"

BASE(tty_port);
/* Called with tty.lock held; none may sleep.
 *   write   takes as many bytes as it has room for, returns that; tty_written() when room comes
 *   room    bytes that write would take now
 *   queued  bytes taken and not yet sent
 *   stop    true: send nothing more until false
 *   flush   drops what is queued
 * NULL for some:
 *   opened, closed  before each open (EIO), after the last close
 *   flushed         typed input was dropped
 *   set             the settings changed
 *   settled         without locks, after what may concern the other side: wakes it, or types what it kept back */
STABLE(tty_port_ops) {
        usize (*write)(struct tty_port *port, bytes text);
        u32   (*room)(struct tty_port *port);
        u32   (*queued)(struct tty_port *port);
        void  (*stop)(struct tty_port *port, bool stop);
        void  (*flush)(struct tty_port *port);
        err_t (*opened)(struct tty_port *port);
        void  (*closed)(struct tty_port *port);
        void  (*flushed)(struct tty_port *port);
        void  (*set)(struct tty_port *port, struct linux_termios old, struct linux_termios new);
        void  (*settled)(struct tty_port *port);
        bool  outlives_leader;                  /* the exit of a session leader does not hang it up */
};
BASE(tty_port) {
        const struct tty_port_ops *ops;         /* fixed */
        struct tty *tty;                        /* not counted; fixed once registered */
};

BASE_DECLARE(tty_port)

OBJECT(tty) {
        struct spinlock lock;
        struct ldisc ldisc;                     /* lock */
        struct linux_winsize size;              /* lock */
        struct tty_port *port;                  /* counted; fixed */
        u32   major, minor;                     /* fixed */
        u8    name[16];                         /* fixed; "ttyS0" */
        struct linux_termios locked;            /* TIOCSLCKTRMIOS: what may not change; lock */
        bool  tco_stopped;                      /* by TCOOFF: START does not start it; lock */
        bool  flow_stopped;                     /* that or ^S; lock */
        bool  exclusive;                        /* lock */
        bool  port_gone;                        /* hung up for good; LOAD */
        u32   hangups;                          /* ATOMIC: files opened before the last one are cut off */
        u32   pending_signals;                  /* lock: typed signals to send, bit = number */
        struct mutex read_mutex, write_mutex;
        struct waitq readers, writers;
        struct async_list tell;                 /* O_ASYNC */
        struct session *session;                /* whose controlling terminal this is, counted; tree lock */
        struct pid *foreground;                 /* its foreground group, counted; tree lock */
        u32   opens;                            /* open files; lock */
};
POOL_DECLARE(tty)

void tty_init(void);                            /* registers /dev/tty and /dev/console */
#define TTY_SERIAL_MAJOR  4             /* minors from 64: ttyS0 to ttyS3 */
#define TTY_VIRTUAL_MAJOR 229           /* hvc0 to hvc7 */
/* A new terminal for a port; its device node is major:minor.  The reference is the caller's. NULL: no memory. */
struct tty *tty_register(struct tty_port *port, u32 major, u32 minor, bytes name);
/* The same without a driver's table behind it. */
struct tty *tty_new(struct payer *payer, struct tty_port *port, u32 major, u32 minor, bytes name);
/* From a driver's bottom half. */
void tty_received(struct tty *tty, bytes typed);
/* The same, but takes only what there is room for and returns how much that was; settled() comes when there is more room. */
usize tty_offered(struct tty *tty, bytes typed);
void tty_resized(struct tty *tty, struct linux_winsize size);           /* SIGWINCH, if it is another size */
void tty_written(struct tty *tty);              /* there is room again */
void tty_break(struct tty *tty);
/* Makes tty the system console: /dev/console, and where the kernel log goes. */
void tty_set_console(struct tty *tty);
struct tty *tty_virtual(u32 index);             /* of hvc<index>; not counted, as it is for ever; NULL: none */
usize tty_console_name(mbytes out);             /* "ttyS0"; returns its length, 0: there is none */
void tty_log_write(bytes text);                 /* console_ops.write */
/* vhangup(2), for who has CAP_SYS_TTY_CONFIG: EPERM.  Files of the current process's controlling terminal are cut off. */
err_t tty_vhangup(void);
/* A session leader has exited: hang-up, and nobody's controlling terminal any more. */
void tty_session_leader_exit(struct session *s);
/* For /proc/pid/stat: device number and foreground group of p's controlling terminal; 0 and -1: none. */
void tty_of_process(struct process *p, u32 *device, i32 *foreground);
