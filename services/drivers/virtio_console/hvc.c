/* SPDX-License-Identifier: Apache-2.0
 *
 * A port as a terminal, /dev/hvcN.
 *
 * Typing     What came in is offered to the terminal by whoever sets `typing`; who finds it set leaves `again` behind. What
 *            the terminal has no room for stays in the port until a reader has made room (settled).
 */
#include "services/drivers/virtio_console/impl.h"
#include "services/devfs/devfs.h"

static bool type_some(struct vport *p, struct tty *tty)
{
        u8 chunk[256] = {};
        u32 page = 0, at = 0, n = min_u32(port_peek(p, &page, &at), sizeof chunk);

        if (!n)
                return false;
        frame_read(p->in_page[page], at, mbytes_take(MBYTES_OF(chunk), n));
        u32 took = (u32)tty_offered(tty, bytes_take(BYTES_OF(chunk), n));
        port_took(p, took);
        return took == n;
}

static void type_all(struct vport *p)
{
        struct tty *tty = PTR_LOAD(p->base.tty);

        STORE(p->again, 1);
        while (tty && LOAD(p->again) && !XCHG(p->typing, 1)) {
                STORE(p->again, 0);
                while (type_some(p, tty))
                        ;
                XCHG(p->typing, 0);                     /* a full barrier: then `again` is looked at */
        }
}

/* A stopped device takes everything: nobody waits for it. */
static usize hvc_write(struct tty_port *port, bytes text)
{
        struct vport *p = DOWNCAST(vport, port);

        if (virtio_is_stopped(&p->dev->v))
                return bytes_len(text);
        u32 page = port_get_page(p);
        if (page == PORT_OUT)
                return 0;
        u32 n = (u32)min_u64(bytes_len(text), PAGE_SIZE);
        frame_write(p->out_page[page], 0, bytes_take(text, n));
        port_send(p, page, n);
        return n;
}

static u32 hvc_room(struct tty_port *port)   { return port_has_room(DOWNCAST(vport, port)) ? PAGE_SIZE : 0; }
static u32 hvc_queued(struct tty_port *port) { return port_queued(DOWNCAST(vport, port)); }
static void hvc_settled(struct tty_port *port) { type_all(DOWNCAST(vport, port)); }
/* What the device has, it sends; the terminal itself holds back the rest. */
static void hvc_stop(struct tty_port *port, bool stop) { (void)port; (void)stop; }
static void hvc_flush(struct tty_port *port) { (void)port; }

static const struct tty_port_ops hvc_ops = {
        .write = hvc_write, .room = hvc_room, .queued = hvc_queued, .stop = hvc_stop, .flush = hvc_flush, .settled = hvc_settled,
};

void hvc_interrupt(struct vport *p)
{
        type_all(p);
        tty_written(PTR_LOAD(p->base.tty));
}

/* The lowest free number. */
err_t hvc_add(struct vport *p)
{
        u8 name[8] = {};
        u32 index = 0;

        while (tty_virtual(index))
                index++;
        if (index == 8)
                return ERR(ENOSPC);
        usize n = format(MBYTES_OF(name), "hvc{}", index);
        p->base.ops = &hvc_ops;
        struct tty *tty = tty_register(&p->base, TTY_VIRTUAL_MAJOR, index, bytes_take(BYTES_OF(name), n));
        if (!tty)
                return ERR(ENOMEM);
        PTR_STORE(p->base.tty, tty);
        type_all(p);
        return devfs_add(bytes_take(BYTES_OF(name), n), 0600, dev_make(TTY_VIRTUAL_MAJOR, index));
}

void hvc_choose(i32 console)
{
        struct tty *tty = NULL;

        for (u32 i = 0; i < 2000 && !(tty = tty_virtual((u32)console)); i++)
                if (failed(sleep_until(time_now() + NSEC_PER_MSEC, WAIT_UNINTERRUPTIBLE)))
                        break;
        if (!tty) {
                klog(LOG_ERR, "virtio_console: there is no hvc{} to be the console", console);
                return;
        }
        tty_set_console(tty);
}
