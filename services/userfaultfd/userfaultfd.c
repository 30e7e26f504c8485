/* SPDX-License-Identifier: Apache-2.0
 *
 * userfaultfd: the file before a vm_monitor.
 *
 * Entry points  userfaultfd_new; reading, poll and ioctl through file_ops.
 * Lifetime      The file owns its monitor, and closes it with its end: then nothing is watched any more, and all who wait go on.
 * Locking       none: `features` is set once, by UFFDIO_API, and everything else waits for that.
 */
#include "services/userfaultfd/userfaultfd.h"
#include "services/vm/vm.h"
#include "abi/const/mm.h"
#include "abi/const/event.h"
#include "abi/const/process.h"
#include "abi/linux/userfaultfd.h"
#include "lib/num.h"

/* What there is of Linux's. */
#define FEATURES (UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_SIGBUS | UFFD_FEATURE_THREAD_ID | UFFD_FEATURE_EXACT_ADDRESS)
#define READY    (1u << 31)             /* UFFDIO_API was called */
#define BIT(n)   (1ul << (n))
/* The numbers of the commands, as the answers' masks have them. */
enum { CMD_WAKE = 2, CMD_COPY = 3, CMD_ZEROPAGE = 4, CMD_WRITEPROTECT = 6 };

OBJECT(userfaultfd) {
        struct file base;
        struct vm_monitor *monitor;     /* counted; fixed */
        u32 features;                   /* UFFD_FEATURE_* and READY; ATOMIC */
};
POOL_DECLARE(userfaultfd)
DOWNCASTABLE(userfaultfd, file);

static void userfaultfd_fini(struct userfaultfd *u)
{
        if (u->monitor)
                vm_monitor_close(u->monitor);
        file_fini(&u->base);
}
POOL_DEFINE(userfaultfd, userfaultfd_fini);

static struct userfaultfd *of(struct file *f) { return DOWNCAST(userfaultfd, f); }

/* ---- Messages ---- */

static struct linux_uffd_msg message(struct userfaultfd *u, struct vm_asked what)
{
        u32 features = LOAD(u->features);
        return (struct linux_uffd_msg){ .event = UFFD_EVENT_PAGEFAULT, .pagefault = {
                .flags = (what.write ? UFFD_PAGEFAULT_FLAG_WRITE : 0u) | (what.protected ? UFFD_PAGEFAULT_FLAG_WP : 0u),
                .address = features & UFFD_FEATURE_EXACT_ADDRESS ? what.addr : page_down(what.addr),
                .ptid = features & UFFD_FEATURE_THREAD_ID ? what.tid : 0 } };
}

static err_t userfaultfd_read(struct file *f, struct io *io, u64 *pos)
{
        struct userfaultfd *u = of(f);
        bool wait = !file_nonblock(f) && !io->nowait;
        u64 done = 0;

        (void)pos;
        if (!(LOAD(u->features) & READY))
                return ERR(EINVAL);
        for (;;) {
                struct vm_asked what = {};
                if (io_left(io) < sizeof(struct linux_uffd_msg))
                        return done ? OK : ERR(EINVAL);
                err_t err = vm_monitor_take(u->monitor, wait && !done, &what);
                if (failed(err))
                        return done ? OK : err;
                struct linux_uffd_msg m = message(u, what);
                if (io_copy_out(io, BYTES_OF(m)) < sizeof m)
                        return done ? OK : ERR(EFAULT);
                done += sizeof m;
        }
}

/* As on Linux: only who does not block may rely on it. */
static u32 userfaultfd_poll(struct file *f, struct waiter *w)
{
        struct userfaultfd *u = of(f);

        waiter_add(w, vm_monitor_asked(u->monitor));
        if (!(LOAD(u->features) & READY) || !file_nonblock(f))
                return EPOLLERR;
        return vm_monitor_unread(u->monitor) ? EPOLLIN : 0;
}

static usize userfaultfd_fdinfo(struct file *f, mbytes out)
{
        struct userfaultfd *u = of(f);
        struct writer w = writer_of(out);

        writer_put(&w, STR("pending:\t"));
        num_write(&w, vm_monitor_unread(u->monitor), 10, 1);
        writer_put(&w, STR("\ntotal:\t"));
        num_write(&w, vm_monitor_waiting(u->monitor), 10, 1);
        writer_put(&w, STR("\nAPI:\t"));
        num_write(&w, UFFD_API, 16, 1);
        writer_put(&w, STR(":"));
        num_write(&w, LOAD(u->features) & ~READY, 16, 1);
        writer_put(&w, STR(":"));
        num_write(&w, UFFD_API_IOCTLS | UFFD_API_RANGE_IOCTLS, 16, 1);
        writer_put(&w, STR("\n"));
        return w.at;
}

/* ---- Commands ---- */

/* The union of what was allowed and what is done has the same form everywhere: a range of whole pages of user space. */
static err_t check_range(struct linux_uffdio_range r)
{
        u64 min = vm_settings(vm_domain_of(vm_current())).mmap_min_addr;
        if (((r.start | r.len) & PAGE_MASK) || !r.len || r.start < min || !vm_is_user(r.start, r.len))
                return ERR(EINVAL);
        return OK;
}

static err_t handshake(struct userfaultfd *u, u64 arg)
{
        struct linux_uffdio_api api = {};

        TRY(VM_GET(arg, api));
        bool good = api.api == UFFD_API && !(api.features & ~(u64)FEATURES);
        u32 features = (u32)api.features | READY;
        if (good && !CMPXCHG(u->features, 0, features))
                return ERR(EINVAL);
        if (!good) {
                api = (struct linux_uffdio_api){};
                TRY(VM_PUT(arg, api));
                return ERR(EINVAL);
        }
        if (features & UFFD_FEATURE_SIGBUS)
                vm_monitor_sigbus(u->monitor);
        api.features = FEATURES;
        api.ioctls = UFFD_API_IOCTLS;
        return VM_PUT(arg, api);
}

/* The answer is the last word of the argument, which is not read. */
static err_t watch(struct userfaultfd *u, u64 arg)
{
        struct linux_uffdio_register r = {};

        TRY(vm_copy_in(mbytes_take(MBYTES_OF(r), sizeof r - sizeof r.ioctls), arg));
        if (!r.mode || (r.mode & ~(u64)(UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP)))
                return ERR(EINVAL);
        TRY(check_range(r.range));
        TRY(vm_monitor_watch(u->monitor, r.range.start, r.range.start + r.range.len,
                             (r.mode & UFFDIO_REGISTER_MODE_MISSING) != 0, (r.mode & UFFDIO_REGISTER_MODE_WP) != 0));
        r.ioctls = BIT(CMD_WAKE) | BIT(CMD_COPY) | BIT(CMD_ZEROPAGE) | (r.mode & UFFDIO_REGISTER_MODE_WP ? BIT(CMD_WRITEPROTECT) : 0);
        return VM_PUT(arg + sizeof r - sizeof r.ioctls, r.ioctls);
}

static err_t get_range(u64 arg, struct linux_uffdio_range *r)
{
        TRY(VM_GET(arg, *r));
        return check_range(*r);
}

static err_t unwatch(struct userfaultfd *u, u64 arg)
{
        struct linux_uffdio_range r = {};
        TRY(get_range(arg, &r));
        return vm_monitor_unwatch(u->monitor, r.start, r.start + r.len);
}

static err_t wake(struct userfaultfd *u, u64 arg)
{
        struct linux_uffdio_range r = {};
        TRY(get_range(arg, &r));
        vm_monitor_wake(u->monitor, r.start, r.start + r.len);
        return OK;
}

/* What was filled goes to `answer`, or the error if it was nothing; who waits there goes on. */
static err_t fill(struct userfaultfd *u, struct vm_fill what, bool quiet, u64 answer)
{
        u64 done = 0;
        err_t err = vm_monitor_fill(u->monitor, what, &done);
        i64 said = done ? (i64)done : -(i64)err_code(err);

        if (err_is(err, ESRCH))
                return err;
        TRY(VM_PUT(answer, said));
        if (!done)
                return err;
        if (!quiet)
                vm_monitor_wake(u->monitor, what.start, what.start + done);
        return done == what.len ? OK : ERR(EAGAIN);
}

static err_t copy(struct userfaultfd *u, u64 arg)
{
        struct linux_uffdio_copy c = {};

        TRY(vm_copy_in(mbytes_take(MBYTES_OF(c), sizeof c - sizeof c.copy), arg));
        TRY(check_range((struct linux_uffdio_range){ c.dst, c.len }));
        if (c.src + c.len <= c.src || (c.mode & ~(u64)(UFFDIO_COPY_MODE_DONTWAKE | UFFDIO_COPY_MODE_WP)))
                return ERR(EINVAL);
        return fill(u, (struct vm_fill){ .start = c.dst, .len = c.len, .from = c.src, .protect = (c.mode & UFFDIO_COPY_MODE_WP) != 0 },
                    (c.mode & UFFDIO_COPY_MODE_DONTWAKE) != 0, arg + sizeof c - sizeof c.copy);
}

static err_t zeropage(struct userfaultfd *u, u64 arg)
{
        struct linux_uffdio_zeropage z = {};

        TRY(vm_copy_in(mbytes_take(MBYTES_OF(z), sizeof z - sizeof z.zeropage), arg));
        TRY(check_range(z.range));
        if (z.mode & ~(u64)UFFDIO_ZEROPAGE_MODE_DONTWAKE)
                return ERR(EINVAL);
        return fill(u, (struct vm_fill){ .start = z.range.start, .len = z.range.len, .zero = true },
                    (z.mode & UFFDIO_ZEROPAGE_MODE_DONTWAKE) != 0, arg + sizeof z - sizeof z.zeropage);
}

static err_t writeprotect(struct userfaultfd *u, u64 arg)
{
        struct linux_uffdio_writeprotect p = {};

        TRY(VM_GET(arg, p));
        TRY(check_range(p.range));
        bool on = (p.mode & UFFDIO_WRITEPROTECT_MODE_WP) != 0, quiet = (p.mode & UFFDIO_WRITEPROTECT_MODE_DONTWAKE) != 0;
        if ((p.mode & ~(u64)(UFFDIO_WRITEPROTECT_MODE_WP | UFFDIO_WRITEPROTECT_MODE_DONTWAKE)) || (on && quiet))
                return ERR(EINVAL);
        TRY(vm_monitor_protect(u->monitor, p.range.start, p.range.start + p.range.len, on));
        if (!on && !quiet)
                vm_monitor_wake(u->monitor, p.range.start, p.range.start + p.range.len);
        return OK;
}

static err_t userfaultfd_ioctl(struct file *f, u32 cmd, u64 arg, u64 *result)
{
        struct userfaultfd *u = of(f);

        (void)result;
        if (cmd != UFFDIO_API && !(LOAD(u->features) & READY))
                return ERR(EINVAL);
        switch (cmd) {
        case UFFDIO_API:          return handshake(u, arg);
        case UFFDIO_REGISTER:     return watch(u, arg);
        case UFFDIO_UNREGISTER:   return unwatch(u, arg);
        case UFFDIO_WAKE:         return wake(u, arg);
        case UFFDIO_COPY:         return copy(u, arg);
        case UFFDIO_ZEROPAGE:     return zeropage(u, arg);
        case UFFDIO_WRITEPROTECT: return writeprotect(u, arg);
        default:                  return ERR(EINVAL);
        }
}

static const struct file_ops userfaultfd_ops = {
        .read = userfaultfd_read, .poll = userfaultfd_poll, .ioctl = userfaultfd_ioctl, .llseek = generic_noop_llseek,
        .show_fdinfo = userfaultfd_fdinfo, .flags = FOPS_STREAM | FOPS_NOLOCK | FOPS_READ_PIECES,
};

err_t userfaultfd_new(const struct actor *who, u32 flags, struct file **out)
{
        struct vm *vm = vm_current();

        if (!(flags & UFFD_USER_MODE_ONLY) && !vm_settings(vm_domain_of(vm)).user_faults && !capable(CAP_SYS_PTRACE))
                return ERR(EPERM);
        if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY))
                return ERR(EINVAL);
        struct userfaultfd *u = userfaultfd_alloc(who->payer, MAY_RECLAIM);
        if (!u)
                return ERR(ENOMEM);
        u->monitor = vm_monitor_new(vm, (flags & UFFD_USER_MODE_ONLY) != 0);
        err_t err = u->monitor ? file_init_anon(&u->base, &userfaultfd_ops, who->cred, O_RDONLY | (flags & O_NONBLOCK), STR("anon_inode:[userfaultfd]"))
                               : ERR(ENOMEM);
        if (failed(err)) {
                userfaultfd_drop(u);
                return err;
        }
        userfaultfd_publish(u);
        *out = &u->base;
        return OK;
}
