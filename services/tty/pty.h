/* SPDX-License-Identifier: Apache-2.0
 *
 * Between pty.c (pairs) and devpts.c (their names).
 */
#pragma once
#include "services/tty/tty_impl.h"
#include "services/vfs/path.h"

#define PTY_SIZE    8192u               /* bytes on the way to the master */
#define PTY_ARRIVED 4096u               /* that a flush of the slave's output leaves alone */

OBJECT(pty) {
        struct tty_port base;           /* base.tty: the slave, which counts this */
        u32  index;                     /* of /dev/pts/<index>; fixed */
        struct superblock *instance;    /* counted; fixed */
        struct dentry *node;            /* counted: /dev/pts/<index> while the master is open; the root's inode lock */
        struct pty *next;               /* in the instance, by index; its lock */
        struct mutex write_mutex;       /* one master's writer at a time */
        struct waitq changed;           /* what the master may wait for */
        /* the slave's tty.lock */
        u32  head, tail;                /* of ring, free-running */
        bool listed;                    /* has its index */
        bool locked;                    /* TIOCSPTLCK: the slave cannot be opened */
        bool master_open, slave_closed; /* slave_closed: and was open before */
        bool stopped;                   /* the slave's output, by STOP */
        bool typing_stopped;            /* the master's output, by TCOOFF */
        bool packet;
        u32  exclusive;                 /* TIOCEXCL on the master; ATOMIC */
        u8   status;                    /* TIOCPKT_*: for the master's next read */
        u8   ring[PTY_SIZE];            /* what the slave wrote */
};
POOL_DECLARE(pty)
DOWNCASTABLE(pty, tty_port);

extern const struct file_ops ptmx_ops, pty_slave_ops;
void pty_init(void);

/* devpts.c */
void  devpts_init(void);
/* The root of the instance that an open ptmx at `at` belongs to: its own, or that of "pts" beside it; counted.  ENODEV. */
err_t devpts_of(const struct actor *who, const struct path *at, struct path *root);
/* Gives p the lowest free index of the instance.  ENOSPC. */
err_t devpts_take_index(struct superblock *sb, struct pty *p);
void  devpts_free_index(struct pty *p);                  /* tty.lock may be held */
/* The node of p, which has its index and slave.  ENOMEM. */
err_t devpts_add_node(const struct actor *who, struct dentry *root, struct pty *p);
void  devpts_remove_node(struct pty *p);
/* The slave behind a node, borrowed of the inode; NULL: no node of devpts, or not a slave's. */
struct tty *devpts_tty(struct inode *inode);
