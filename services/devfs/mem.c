/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory devices: null, zero, full, random, urandom.
 */
#include "services/devfs/devfs_impl.h"
#include "services/random/random.h"

#define MEM_MAJOR 1

static err_t read_nothing(struct file *f, struct io *io, u64 *pos)
{
        (void)f;
        (void)io;
        (void)pos;
        return OK;
}

static err_t write_away(struct file *f, struct io *io, u64 *pos)
{
        (void)f;
        (void)pos;
        io_skip(io, io_left(io));
        return OK;
}

static err_t read_zeros(struct file *f, struct io *io, u64 *pos)
{
        usize want = io_left(io);

        (void)f;
        (void)pos;
        return io_zero(io, want) < want ? ERR(EFAULT) : OK;
}

static err_t write_full(struct file *f, struct io *io, u64 *pos)
{
        (void)f;
        (void)pos;
        (void)io;
        return ERR(ENOSPC);
}

static err_t seek_nowhere(struct file *f, i64 off, u32 whence, u64 *pos)
{
        (void)f;
        (void)off;
        (void)whence;
        *pos = 0;
        return OK;
}

static err_t map_zero(struct file *f, struct map_request *req)
{
        (void)f;
        req->kind = MAP_ZERO;
        return OK;
}

static err_t read_random(struct file *f, struct io *io, u64 *pos)
{
        u8 chunk[256];

        (void)f;
        (void)pos;
        while (io_left(io) > 0) {
                usize n = min_u64(io_left(io), sizeof chunk);
                random_fill(mbytes_take(MBYTES_OF(chunk), n));
                if (io_copy_out(io, bytes_take(BYTES_OF(chunk), n)) < n)
                        return ERR(EFAULT);
                if ((io_done(io) & 0xffff) == 0 && task_interrupts() != 0)
                        break;          /* a long read is no reason to be deaf */
        }
        mbytes_fill(MBYTES_OF(chunk), 0);
        return OK;
}

static err_t write_random(struct file *f, struct io *io, u64 *pos)
{
        u8 chunk[256];

        (void)f;
        (void)pos;
        while (io_left(io) > 0) {
                usize n = min_u64(io_left(io), sizeof chunk);
                if (io_copy_in(io, mbytes_take(MBYTES_OF(chunk), n)) < n)
                        return ERR(EFAULT);
                random_add(bytes_take(BYTES_OF(chunk), n));
        }
        return OK;
}

static err_t random_ioctl(struct file *f, u32 cmd, u64 arg, u64 *result)
{
        u32 bits = 256;

        (void)f;
        *result = 0;
        switch (cmd) {
        case RNDGETENTCNT:
                return user_put(arg, BYTES_OF(bits));
        case RNDADDTOENTCNT:
        case RNDADDENTROPY:
        case RNDZAPENTCNT:
        case RNDCLEARPOOL:
        case RNDRESEEDCRNG: {
                struct actor who = actor_current();
                return cred_has(who.cred, CAP_SYS_ADMIN) ? OK : ERR(EPERM);
        }
        default:
                return ERR(EINVAL);
        }
}

static const struct file_ops null_ops = { .read = read_nothing, .write = write_away, .llseek = seek_nowhere, .flags = FOPS_NOLOCK | FOPS_NOWAIT | FOPS_NO_SPLICE_IN };
static const struct file_ops zero_ops = { .read = read_zeros, .write = write_away, .llseek = seek_nowhere, .mmap = map_zero,
                                          .flags = FOPS_NOLOCK | FOPS_NOWAIT | FOPS_NO_SPLICE_IN | FOPS_NO_SPLICE_OUT };
static const struct file_ops full_ops = { .read = read_zeros, .write = write_full, .llseek = seek_nowhere,
                                          .flags = FOPS_NOLOCK | FOPS_NO_SPLICE_IN | FOPS_NO_SPLICE_OUT };
static const struct file_ops random_ops = { .read = read_random, .write = write_random, .llseek = seek_nowhere, .ioctl = random_ioctl,
                                            .flags = FOPS_NOLOCK | FOPS_NOWAIT };

static const struct chrdev null_dev    = { .name = "null",    .major = MEM_MAJOR, .minor = 3, .mode = 0666, .ops = &null_ops };
static const struct chrdev zero_dev    = { .name = "zero",    .major = MEM_MAJOR, .minor = 5, .mode = 0666, .ops = &zero_ops };
static const struct chrdev full_dev    = { .name = "full",    .major = MEM_MAJOR, .minor = 7, .mode = 0666, .ops = &full_ops };
static const struct chrdev random_dev  = { .name = "random",  .major = MEM_MAJOR, .minor = 8, .mode = 0666, .ops = &random_ops };
static const struct chrdev urandom_dev = { .name = "urandom", .major = MEM_MAJOR, .minor = 9, .mode = 0666, .ops = &random_ops };

void mem_init(void)
{
        chrdev_register(&null_dev);
        chrdev_register(&zero_dev);
        chrdev_register(&full_dev);
        chrdev_register(&random_dev);
        chrdev_register(&urandom_dev);
}
