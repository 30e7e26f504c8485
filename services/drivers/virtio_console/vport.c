/* SPDX-License-Identifier: Apache-2.0
 *
 * A port as a file, /dev/vportNpM: a stream to and from the host, open once at a time.
 *
 * As on Linux: reading finds the end while the host's side is closed and nothing is left, writing waits for
 * the host; what arrives while the file is closed, or was not read when it is, is thrown away.
 */
#include "services/drivers/virtio_console/impl.h"
#include "services/devfs/devfs.h"
#include "services/sysfs/sysfs.h"
#include "lib/split.h"
#include "services/vfs/file.h"
#include "services/vfs/dentry.h"
#include "abi/const/event.h"
#include "abi/const/signal.h"

#define PER_DEVICE 32u                  /* minors of a device */
#define VPORTS     128u

LOCK_CLASS_DECLARE(tty_io);

OBJECT(vport_file) {
        struct file base;
        struct vport *port;             /* counted; fixed */
};
POOL_DECLARE(vport_file)
DOWNCASTABLE(vport_file, file);

/* The file-scope state (reviewed list): the ports by minor number, and how many devices there are. */
STABLE(vport_table) {
        struct vport *port[VPORTS];     /* counted; PTR_LOAD, set once */
        u32 devices;                    /* at boot only */
};
static struct vport_table vports;

static u32 minor_of(const struct vport *p) { return p->dev->number * PER_DEVICE + p->id; }

/* Nobody reads: what came is gone. */
static void discard(struct vport *p)
{
        u32 page, at, n;

        while ((n = port_peek(p, &page, &at)) != 0)
                port_took(p, n);
}

static void vport_file_fini(struct vport_file *vf)
{
        struct vport *p = vf->port;

        if (p) {
                async_end(&vf->base);
                vcon_tell(p->dev, p->id, PORT_OPEN, 0);
                STORE(p->opened, 0);
                discard(p);
        }
        file_fini(&vf->base);
        vport_drop(p);
}
POOL_DEFINE(vport_file, vport_file_fini);

static struct vport *port_of(struct file *f) { return DOWNCAST(vport_file, f)->port; }

static err_t sleep(struct waiter *w) { return failed(waiter_sleep(w, WAIT_INTERRUPTIBLE, NEVER)) ? ERR(ERESTARTSYS) : OK; }

/* At least a byte, if there is one to come. */
static err_t read_locked(struct vport *p, struct file *f, struct io *io)
{
        WAITER(w);

        waiter_add(&w, &p->changed);
        while (io_left(io)) {
                u32 page = 0, at = 0, n = port_peek(p, &page, &at);
                if (n) {
                        u32 done = (u32)io_from_frame(io, p->in_page[page], at, min_u64(n, io_left(io)));
                        if (!done)
                                return ERR(EFAULT);
                        port_took(p, done);
                        continue;
                }
                if (io_done(io) || !LOAD(p->host_open))
                        return OK;
                if (file_nonblock(f))
                        return ERR(EAGAIN);
                TRY(sleep(&w));
        }
        return OK;
}

static err_t read_vport(struct file *f, struct io *io, u64 *pos)
{
        struct vport *p = port_of(f);

        (void)pos;
        TRY(mutex_lock_killable(&p->read_mutex));
        err_t err = read_locked(p, f, io);
        mutex_unlock(&p->read_mutex);
        return err;
}

/* A page that the host will take, or PORT_OUT for now. */
static u32 page_for(struct vport *p) { return LOAD(p->host_open) ? port_get_page(p) : PORT_OUT; }

static err_t write_vport(struct file *f, struct io *io, u64 *pos)
{
        struct vport *p = port_of(f);
        WAITER(w);

        (void)pos;
        waiter_add(&w, &p->changed);
        while (io_left(io)) {
                if (virtio_is_stopped(&p->dev->v))
                        return ERR(ENODEV);
                u32 page = page_for(p);
                if (page != PORT_OUT) {
                        u32 n = (u32)io_to_frame(io, p->out_page[page], 0, min_u64(PAGE_SIZE, io_left(io)));
                        port_send(p, page, n);
                        if (!n)
                                return ERR(EFAULT);
                        continue;
                }
                if (file_nonblock(f))
                        return ERR(EAGAIN);
                TRY(sleep(&w));
        }
        return OK;
}

static u32 poll_vport(struct file *f, struct waiter *w)
{
        struct vport *p = port_of(f);
        u32 page, at, mask = 0;

        waiter_add(w, &p->changed);
        if (port_peek(p, &page, &at))
                mask |= EPOLLIN | EPOLLRDNORM;
        if (!LOAD(p->host_open))
                mask |= EPOLLHUP;
        else if (port_has_room(p))
                mask |= EPOLLOUT;
        return mask;
}

static struct async_list *async_vport(struct file *f, u32 side) { return side == 0 ? &port_of(f)->tell : NULL; }

static const struct file_ops file_ops = {
        .read = read_vport, .write = write_vport, .poll = poll_vport, .async = async_vport, .llseek = generic_no_llseek,
        .flags = FOPS_STREAM | FOPS_NOLOCK,
};

static err_t open_vport(const struct actor *who, const struct path *at, u32 flags, struct file **out)
{
        u32 minor = dev_minor(at->dentry->inode->rdev);
        struct vport *p = minor < VPORTS ? PTR_LOAD(vports.port[minor]) : NULL;

        if (!p)
                return ERR(ENXIO);
        struct vport_file *vf = vport_file_alloc(who->payer, MAY_RECLAIM);
        if (!vf)
                return ERR(ENOMEM);
        file_init(&vf->base, &file_ops, at, who->cred, flags);
        if (XCHG(p->opened, 1)) {
                vport_file_drop(vf);
                return ERR(EBUSY);
        }
        vf->port = vport_hold(p);
        vport_file_publish(vf);
        vcon_tell(p->dev, p->id, PORT_OPEN, 1);
        *out = &vf->base;
        return OK;
}

static const struct file_ops open_ops = { .open = open_vport, .flags = FOPS_STREAM | FOPS_NOLOCK };
static const struct chrdev vport_devices = { .major = VPORT_MAJOR, .count = VPORTS, .ops = &open_ops };

u32  vport_new_device(void) { return vports.devices++; }
void vport_register(void) { chrdev_register(&vport_devices); }

void vport_interrupt(struct vport *p)
{
        if (!LOAD(p->opened))
                discard(p);
        waitq_wake_all(&p->changed);
        async_signal(&p->tell, POLL_IN);
}

/* ---- /sys/class/virtio-ports ---- */

static err_t show_name(struct text *t, u64 minor)
{
        struct vport *p = PTR_LOAD(vports.port[minor % VPORTS]);
        SAY(t, "{}\n", split_nul(BYTES_OF(p->name)));
        return OK;
}
static err_t show_dev(struct text *t, u64 minor)
{
        SAY(t, "{}:{}\n", VPORT_MAJOR, minor);
        return OK;
}
static const struct sysfs_file name_file = { .name = "name", .mode = 0444, .show = show_name };
static const struct sysfs_file dev_file = { .name = "dev", .mode = 0444, .show = show_dev };

static err_t show_in_sysfs(struct vport *p, bytes node)
{
        u8 room[80] = {}, link_room[80] = {};
        bytes dir = bytes_take(BYTES_OF(room), format(MBYTES_OF(room), "devices/virtual/virtio-ports/{}", node));
        bytes link = bytes_take(BYTES_OF(link_room), format(MBYTES_OF(link_room), "class/virtio-ports/{}", node));

        TRY(sysfs_file(dir, &dev_file, minor_of(p)));
        if (p->name[0])
                TRY(sysfs_file(dir, &name_file, minor_of(p)));
        return sysfs_link(link, dir);
}

err_t vport_add(struct vport *p)
{
        u8 room[24] = {};
        bytes node = bytes_take(BYTES_OF(room), format(MBYTES_OF(room), "vport{}p{}", p->dev->number, p->id));

        if (minor_of(p) >= VPORTS)
                return ERR(ENOSPC);
        lock_init(&p->read_mutex, tty_io);
        async_init(&p->tell, 0);
        PTR_STORE(vports.port[minor_of(p)], vport_hold(p));
        TRY(show_in_sysfs(p, node));
        return devfs_add(node, 0600, dev_make(VPORT_MAJOR, minor_of(p)));
}
