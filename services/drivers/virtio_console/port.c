/* SPDX-License-Identifier: Apache-2.0
 *
 * A port's two queues.
 *
 * Invariants  P1  each in_page is the device's, or held, or (in port_took) on its way back to the device
 *             P2  bit i of out_busy is set from port_get_page until the device has given page i back
 */
#include "services/drivers/virtio_console/impl.h"

LOCK_CLASS_DECLARE(tty);
LOCK_CLASS(virtio_console, AFTER(tty));

/* 5.3.2: port 0 has queues 0 and 1, the control queues are 2 and 3, port n has 2n + 2 and 2n + 3. */
static u32 in_index(const struct vport *p) { return p->id ? 2 * p->id + 2 : 0; }

err_t port_open_queues(struct vport *p)
{
        struct virtio_device *v = &p->dev->v;
        u32 entry = pci_msix_entries(v->pci) > 1 ? 1 : 0;

        lock_init(&p->lock, virtio_console);
        p->in = virtq_open(v->pci, in_index(p), 8, entry);
        p->out = virtq_open(v->pci, in_index(p) + 1, 8, entry);
        return p->in && p->out && virtq_size(p->in) >= PORT_IN && virtq_size(p->out) >= PORT_OUT ? OK : ERR(EIO);
}

static void lend_locked(struct vport *p, u32 page)
{
        struct virtq_request r = { .cookie = page, .in = 1, .part[0] = { p->in_page[page], 0, PAGE_SIZE } };
        ignore(virtq_add(p->in, &r));                   /* EIO: the device is stopped */
}

err_t port_start(struct vport *p)
{
        for (u32 i = 0; i < PORT_IN; i++)
                if (!(p->in_page[i] = frame_alloc(NULL, 0)))
                        return ERR(ENOMEM);
        for (u32 i = 0; i < PORT_OUT; i++)
                if (!(p->out_page[i] = frame_alloc(NULL, 0)))
                        return ERR(ENOMEM);
        {
                SPIN_GUARD(&p->lock);
                for (u32 i = 0; i < PORT_IN; i++)
                        lend_locked(p, i);
        }
        virtio_ring(&p->dev->v, p->in, in_index(p));
        return OK;
}

/* False: the device lies. */
static bool fetch_locked(struct vport *p)
{
        while (p->held_at == p->held_len) {
                struct virtq_done done = virtq_take(p->in);
                if (done.what != VIRTQ_DONE)
                        return done.what == VIRTQ_NONE;
                p->held_page = (u32)done.cookie;
                p->held_at = 0;
                p->held_len = done.len;
                if (!done.len)
                        lend_locked(p, p->held_page);
        }
        return true;
}

u32 port_peek(struct vport *p, u32 *page, u32 *at)
{
        u32 n;
        bool good;
        {
                SPIN_GUARD(&p->lock);
                good = fetch_locked(p);
                n = p->held_len - p->held_at;
                *page = p->held_page;
                *at = p->held_at;
        }
        if (!good)
                vcon_lied(p->dev, STR("what it says it has received"));
        return n;
}

void port_took(struct vport *p, u32 n)
{
        bool lent;
        {
                SPIN_GUARD(&p->lock);
                p->held_at += n;
                lent = n && p->held_at == p->held_len;
                if (lent)
                        lend_locked(p, p->held_page);   /* keeps P1 */
        }
        if (lent)
                virtio_ring(&p->dev->v, p->in, in_index(p));
}

/* Pages that the device has sent are free again; keeps P2.  A device that is stopped sends nothing: they come back at once. */
static bool reap_locked(struct vport *p)
{
        struct virtq_done done;

        while ((done = virtq_take(p->out)).what == VIRTQ_DONE) {
                p->out_busy &= ~(1u << done.cookie);
                p->out_len[done.cookie] = 0;
        }
        return done.what == VIRTQ_NONE;
}

u32 port_get_page(struct vport *p)
{
        u32 page = PORT_OUT;
        bool good;
        {
                SPIN_GUARD(&p->lock);
                good = reap_locked(p);
                if (p->out_busy != (1u << PORT_OUT) - 1) {
                        page = bit_lowest(~p->out_busy);
                        p->out_busy |= 1u << page;
                }
        }
        if (!good)
                vcon_lied(p->dev, STR("what it says it has sent"));
        return page;
}

void port_send(struct vport *p, u32 page, u32 len)
{
        struct virtq_request r = { .cookie = page, .out = 1, .part[0] = { p->out_page[page], 0, len } };
        bool sent;
        {
                SPIN_GUARD(&p->lock);
                sent = len && succeeded(virtq_add(p->out, &r));
                p->out_len[page] = sent ? len : 0;
                if (!sent)
                        p->out_busy &= ~(1u << page);
        }
        if (sent)
                virtio_ring(&p->dev->v, p->out, in_index(p) + 1);
}

u32 port_queued(struct vport *p)
{
        u32 n = 0;
        SPIN_GUARD(&p->lock);

        if (virtio_is_stopped(&p->dev->v))
                return 0;
        (void)reap_locked(p);                           /* who sends next hears of a lie */
        for (u32 i = 0; i < PORT_OUT; i++)
                n += p->out_len[i];
        return n;
}

bool port_has_room(struct vport *p)
{
        SPIN_GUARD(&p->lock);
        (void)reap_locked(p);
        return p->out_busy != (1u << PORT_OUT) - 1 || virtio_is_stopped(&p->dev->v);
}
