/* SPDX-License-Identifier: Apache-2.0
 *
 * Virtio consoles: finding them, their control messages, their interrupts.
 *
 * A port's life   DEVICE_ADD (we make it: PORT_READY), then CONSOLE_PORT, or PORT_NAME or PORT_OPEN, which make
 *                 it a terminal or a file.  A file that comes without a name is made by its PORT_OPEN.
 */
#include "services/drivers/virtio_console/impl.h"
#include "services/drivers/virtio_console/virtio_console.h"
#include "services/drivers/pci/pci.h"
#include "abi/const/signal.h"

LOCK_CLASS_DECLARE(virtio_console);
static void vport_fini(struct vport *p)
{
        for (u32 i = 0; i < PORT_IN; i++)
                frame_drop(p->in_page[i]);
        for (u32 i = 0; i < PORT_OUT; i++)
                frame_drop(p->out_page[i]);
        vcon_drop(p->dev);
}
POOL_DEFINE(vport, vport_fini);

static void vcon_fini(struct vcon *dev)
{
        frame_drop(dev->in_page);
        frame_drop(dev->out_page);
}
POOL_DEFINE(vcon, vcon_fini);

void vcon_lied(struct vcon *dev, bytes how)
{
        virtio_stop(&dev->v, how);
        for (u32 i = 0; i < dev->n_ports; i++) {
                struct vport *p = dev->port[i];
                struct tty *tty = PTR_LOAD(p->base.tty);
                if (tty)
                        tty_written(tty);
                waitq_wake_all(&p->changed);
        }
}

/* ---- control messages: id, event, value (5.3.6.2) ---- */

enum { CONTROL_IN = 2, CONTROL_OUT = 3, MESSAGE = 8 };

/* If the device has not taken the last CONTROL_SLOTS messages it gets no more. */
void vcon_tell(struct vcon *dev, u32 port, enum control_event event, u32 value)
{
        u8 text[MESSAGE] = {};
        bool sent = false;

        if (!dev->multiport)
                return;
        mbytes_put_le32(MBYTES_OF(text), 0, port);
        mbytes_put_le16(MBYTES_OF(text), 4, (u16)event);
        mbytes_put_le16(MBYTES_OF(text), 6, (u16)value);
        {
                SPIN_GUARD(&dev->lock);
                struct virtq_done done;
                while ((done = virtq_take(dev->control_out)).what == VIRTQ_DONE)
                        dev->out_busy &= ~(1u << done.cookie);
                if (dev->out_busy != (1u << CONTROL_SLOTS) - 1) {
                        u32 slot = bit_lowest(~dev->out_busy);
                        struct virtq_request r = { .cookie = slot, .out = 1,
                                                   .part[0] = { dev->out_page, slot * CONTROL_SIZE, MESSAGE } };
                        frame_write(dev->out_page, slot * CONTROL_SIZE, BYTES_OF(text));
                        sent = succeeded(virtq_add(dev->control_out, &r));
                        if (sent)
                                dev->out_busy |= 1u << slot;
                }
        }
        if (sent)
                virtio_ring(&dev->v, dev->control_out, CONTROL_OUT);
}

static void lend(struct vcon *dev, u32 slot)
{
        struct virtq_request r = { .cookie = slot, .in = 1, .part[0] = { dev->in_page, slot * CONTROL_SIZE, CONTROL_SIZE } };
        ignore(virtq_add(dev->control_in, &r));
}

/* Ports with their queues, as many as there can be: the device wants to know them all before it is on. */
static err_t make_ports(struct vcon *dev, u32 wanted)
{
        for (u32 id = 0; id < wanted; id++) {
                struct vport *p = vport_alloc(NULL, MAY_RECLAIM);
                if (!p)
                        return ERR(ENOMEM);
                p->dev = vcon_hold(dev);
                p->id = id;
                err_t err = port_open_queues(p);
                if (failed(err)) {
                        vport_drop(p);
                        return id ? OK : err;
                }
                vport_publish(p);
                dev->port[id] = p;
                dev->n_ports = id + 1;
        }
        return OK;
}

static err_t make_terminal(struct vport *p)
{
        if (p->is_console || p->is_vport)
                return OK;
        p->is_console = true;
        vcon_tell(p->dev, p->id, PORT_OPEN, 1);
        return hvc_add(p);
}

static err_t make_file(struct vport *p)
{
        if (p->is_console || p->is_vport)
                return OK;
        STORE(p->is_vport, 1);
        return vport_add(p);
}

static void resize(struct vport *p, u32 rows, u32 cols)
{
        struct tty *tty = PTR_LOAD(p->base.tty);
        if (tty)
                tty_resized(tty, (struct linux_winsize){ .ws_row = (u16)rows, .ws_col = (u16)cols });
}

static err_t add_port(struct vcon *dev, struct vport *p)
{
        if (p->is_there)
                return OK;
        p->is_there = true;
        err_t err = port_start(p);
        vcon_tell(dev, p->id, PORT_READY, succeeded(err));
        return err;
}

static err_t port_message(struct vcon *dev, struct vport *p, u32 event, u32 value, bytes rest)
{
        switch (event) {
        case CONSOLE_PORT:
                return make_terminal(p);
        case PORT_NAME_IS:
                if (!p->is_vport)
                        mbytes_copy(mbytes_take(MBYTES_OF(p->name), PORT_NAME - 1), bytes_take(rest, bytes_find(rest, 0)));
                return make_file(p);
        case PORT_OPEN:
                STORE(p->host_open, value != 0);
                waitq_wake_all(&p->changed);
                async_signal(&p->tell, POLL_IN);
                return make_file(p);
        case RESIZE:
                if (bytes_len(rest) >= 4)               /* columns come second here */
                        resize(p, bytes_le16(rest, 0), bytes_le16(rest, 2));
                return OK;
        default:
                klog(LOG_WARNING, "virtio_console: {}: message {} is not known", dev->number, event);
                return OK;
        }
}

static void message(struct vcon *dev, bytes text)
{
        if (bytes_len(text) < MESSAGE)
                return;
        u32 id = bytes_le32(text, 0), event = bytes_le16(text, 4), value = bytes_le16(text, 6);
        err_t err = OK;

        if (id >= dev->n_ports) {
                klog(LOG_WARNING, "virtio_console: {}: a message for port {}", dev->number, id);
                return;
        }
        struct vport *p = dev->port[id];
        if (event == DEVICE_ADD)
                err = add_port(dev, p);
        else if (p->is_there)
                err = port_message(dev, p, event, value, bytes_skip(text, MESSAGE));
        if (failed(err))
                klog(LOG_ERR, "virtio_console: {}: port {}: error {}", dev->number, id, err);
}

static void read_size(struct vcon *dev)
{
        struct vport *p = dev->port[0];
        u32 generation, cols, rows, tries = 0;

        if (!p || !virtio_has(&dev->v, F_SIZE))
                return;
        do {
                generation = virtio_generation(&dev->v);
                cols = virtio_read16(&dev->v, 0);
                rows = virtio_read16(&dev->v, 2);
        } while (generation != virtio_generation(&dev->v) && ++tries < 10);
        resize(p, rows, cols);
}

static u64 read_news(struct task_body *self)
{
        struct vcon *dev = DOWNCAST(vcon, self);
        struct virtq_done done = {};

        read_size(dev);
        while (dev->multiport && (done = virtq_take(dev->control_in)).what == VIRTQ_DONE) {
                u8 text[CONTROL_SIZE] = {};
                u32 slot = (u32)done.cookie;
                frame_read(dev->in_page, slot * CONTROL_SIZE, MBYTES_OF(text));
                lend(dev, slot);
                virtio_ring(&dev->v, dev->control_in, CONTROL_IN);
                message(dev, bytes_take(BYTES_OF(text), done.len));
        }
        if (done.what == VIRTQ_LIES)
                vcon_lied(dev, STR("what it says of its messages"));
        return NEVER;                   /* until it is kicked */
}

static void reader_died(struct task_body *self) { vcon_lied(DOWNCAST(vcon, self), STR("the kernel fails over it")); }

static const struct kthread_ops reader = { .step = read_news, .restart = reader_died };

/* ---- interrupts ---- */

static void queues_interrupt(struct vcon *dev)
{
        for (u32 i = 0; i < dev->n_ports; i++) {
                struct vport *p = dev->port[i];
                if (PTR_LOAD(p->base.tty))
                        hvc_interrupt(p);
                else if (LOAD(p->is_vport))
                        vport_interrupt(p);
        }
        if (dev->multiport)
                task_kick(dev->base.task);
}

static void changed(struct irq_handler *h)
{
        struct vcon *dev = OWNER_OF(vcon, changes, h);

        task_kick(dev->base.task);
        if (pci_msix_entries(dev->v.pci) == 1)
                queues_interrupt(dev);
}
static void queues_changed(struct irq_handler *h) { queues_interrupt(OWNER_OF(vcon, queues, h)); }

/* ---- the start ---- */

static bool is_console_device(struct pci_info in) { return virtio_kind_of(in) == VIRTIO_CONSOLE; }

static err_t open_control(struct vcon *dev)
{
        u32 entry = pci_msix_entries(dev->v.pci) > 1 ? 1 : 0;

        dev->in_page = frame_alloc(NULL, 0);
        dev->out_page = frame_alloc(NULL, 0);
        dev->control_in = virtq_open(dev->v.pci, CONTROL_IN, CONTROL_SLOTS, entry);
        dev->control_out = virtq_open(dev->v.pci, CONTROL_OUT, CONTROL_SLOTS, entry);
        return !dev->in_page || !dev->out_page ? ERR(ENOMEM) : dev->control_in && dev->control_out ? OK : ERR(EIO);
}

static err_t attach_interrupts(struct vcon *dev)
{
        TRY(irq_attach_msix(&dev->changes, dev->v.pci, 0, changed));
        return pci_msix_entries(dev->v.pci) > 1 ? irq_attach_msix(&dev->queues, dev->v.pci, 1, queues_changed) : OK;
}

static err_t start(struct vcon *dev)
{
        TRY(attach_interrupts(dev));
        if (dev->multiport)
                TRY(open_control(dev));
        TRY(make_ports(dev, dev->multiport ? min_u32(virtio_read32(&dev->v, 4), PORTS_MAX) : 1));
        TRY(virtio_go(dev->v.pci, 0));
        if (!dev->multiport) {
                TRY(port_start(dev->port[0]));
                TRY(make_terminal(dev->port[0]));
                read_size(dev);
                return OK;
        }
        u32 slots = min_u32(CONTROL_SLOTS, virtq_size(dev->control_in));
        for (u32 i = 0; i < slots; i++)
                lend(dev, i);
        virtio_ring(&dev->v, dev->control_in, CONTROL_IN);
        vcon_tell(dev, U32_MAX, DEVICE_READY, 1);
        return OK;
}

/* A device that did not start stays reset; what it had goes. */
static err_t probe(struct pci_device *d)
{
        struct vcon *dev = vcon_alloc(NULL, MAY_RECLAIM);

        if (!dev)
                return ERR(ENOMEM);
        lock_init(&dev->lock, virtio_console);
        err_t err = virtio_open(&dev->v, d, 1u << F_SIZE | 1u << F_MULTIPORT);
        if (failed(err)) {
                vcon_drop(dev);
                return err;
        }
        dev->multiport = virtio_has(&dev->v, F_MULTIPORT);
        dev->number = vport_new_device();
        vcon_publish(dev);
        struct task *t = task_new_kernel(&dev->base, &reader, NULL);
        err = t ? start(dev) : ERR(ENOMEM);
        if (failed(err)) {
                irq_detach(&dev->changes);
                irq_detach(&dev->queues);
                virtio_stop(&dev->v, STR("it does not start"));
                if (t)
                        task_discard(t);
                return err;
        }
        task_set_name(t, STR("virtio-console"));
        task_start(t);                  /* whatever it was kicked for meanwhile, it looks at first */
        return OK;
}

static const struct pci_driver driver = { .match = is_console_device, .probe = probe };

void virtio_console_register(void) { vport_register(); }

void virtio_console_init(i32 console)
{
        pci_drive(&driver);
        if (console >= 0)
                hvc_choose(console);
}
