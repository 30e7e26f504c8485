/* SPDX-License-Identifier: Apache-2.0
 *
 * Virtio consoles: the objects.  See README.md.
 */
#pragma once
#include "services/drivers/virtio/virtio.h"
#include "services/tty/tty.h"
#include "services/vfs/chrdev.h"

#define PORTS_MAX     31u               /* of a device */
#define VPORT_MAJOR   242u
#define PORT_IN       4u                /* buffers, a page each */
#define PORT_OUT      8u
#define CONTROL_SLOTS 16u               /* messages each way, CONTROL_SIZE bytes each: one page in, one out */
#define CONTROL_SIZE  256u
#define PORT_NAME     64u

enum { F_SIZE = 0, F_MULTIPORT = 1 };
enum control_event { DEVICE_READY, DEVICE_ADD, DEVICE_REMOVE, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME_IS };

OBJECT(vcon);
OBJECT(vport) {
        struct tty_port base;           /* base.tty: of a console; PTR_LOAD */
        struct vcon *dev;               /* fixed, as all up to lock */
        u32  id;
        struct virtq *in, *out;
        struct frame *in_page[PORT_IN], *out_page[PORT_OUT];     /* counted */
        struct spinlock lock;
        u32  out_busy;                  /* lock: bit i: out_page[i] is being filled or under way */
        u32  out_len[PORT_OUT];         /* lock: bytes in it under way */
        u32  held_page, held_at, held_len;      /* lock: bytes [at, len) of in_page[page] came in and were not taken yet */
        u32  typing, again;             /* ATOMIC: hvc.c */
        u32  host_open;                 /* ATOMIC */
        u32  opened;                    /* ATOMIC: vport_file is open */
        struct mutex read_mutex;        /* one reader of a vport at a time */
        struct waitq changed;           /* readers, writers and pollers of a vport */
        struct async_list tell;
        struct chrdev chr;              /* of a vport */
        bool is_console;                /* the thread's alone, as below: control messages come in order */
        bool is_there;                  /* the host has added it */
        u32  is_vport;                  /* ATOMIC */
        u8   name[PORT_NAME];           /* NUL-padded; set once */
};
POOL_DECLARE(vport)
DOWNCASTABLE(vport, tty_port);

OBJECT(vcon) {
        struct task_body base;          /* a kernel thread, which reads control messages and changes */
        struct virtio_device v;
        struct irq_handler changes, queues;     /* interrupts; both by the first, if there is but one */
        u32  number;                    /* fixed, as all up to lock */
        u32  n_ports;
        bool multiport;
        struct virtq *control_in, *control_out;
        struct frame *in_page, *out_page;       /* counted */
        struct spinlock lock;
        u32  out_busy;                  /* lock: bit i: slot i of out_page is under way */
        struct vport *port[PORTS_MAX];  /* counted; fixed, n_ports of them */
};
POOL_DECLARE(vcon)
DOWNCASTABLE(vcon, task_body);

/* device.c */
void  vcon_tell(struct vcon *dev, u32 port, enum control_event event, u32 value);       /* any context */
void  vcon_lied(struct vcon *dev, bytes how);

/* port.c: any context, without locks but a tty's. */
err_t port_open_queues(struct vport *p);                 /* EIO */
err_t port_start(struct vport *p);                       /* the device is on: it gets its buffers.  ENOMEM */
/* What came in and was not taken: *page, *at.  0: nothing. */
u32   port_peek(struct vport *p, u32 *page, u32 *at);
void  port_took(struct vport *p, u32 n);                 /* n of it */
/* A page to fill, or PORT_OUT: none is free. */
u32   port_get_page(struct vport *p);
void  port_send(struct vport *p, u32 page, u32 len);     /* len 0: not after all */
u32   port_queued(struct vport *p);                      /* bytes on the way out */
bool  port_has_room(struct vport *p);

/* hvc.c */
err_t hvc_add(struct vport *p);                          /* p is a terminal from now on */
void  hvc_interrupt(struct vport *p);
void  hvc_choose(i32 console);

/* vport.c */
err_t vport_add(struct vport *p);                        /* p is a file from now on */
void  vport_interrupt(struct vport *p);
void  vport_register(void);
u32   vport_new_device(void);                            /* the next device's number */
