/* SPDX-License-Identifier: Apache-2.0
 *
 * /dev/kmsg: each read gives one record, "level,sequence,microseconds,-;text\n"; each write
 * makes one.  A file's position is the sequence number it reads next.
 */
#include "services/devfs/devfs_impl.h"
#include "lib/num.h"

#define LINE_MAX 1000
#define USER_FACILITY 8u                /* records from user space: facility 1 in the level's upper bits */

/* Without "<level>[time] ", which stands in front. */
static bytes text_of(bytes line)
{
        if (bytes_len(line) == 0 || bytes_at(line, 0) != '<')
                return line;
        usize end = bytes_find(line, ']');
        return end + 2 <= bytes_len(line) ? bytes_skip(line, end + 2) : line;
}

static err_t put_record(struct io *io, const struct log_record *rec, bytes line)
{
        u8 head[64];
        struct writer w = writer_of(MBYTES_OF(head));

        num_write(&w, rec->level, 10, 1);
        writer_u8(&w, ',');
        num_write(&w, rec->seq, 10, 1);
        writer_u8(&w, ',');
        num_write(&w, rec->time / NSEC_PER_USEC, 10, 1);
        writer_put(&w, STR(",-;"));
        usize total = w.at + bytes_len(line) + 1;
        if (total > io_left(io))
                return ERR(EINVAL);
        usize done = io_copy_out(io, writer_text(&w));
        done += io_copy_out(io, line);
        done += io_copy_out(io, STR("\n"));
        return done < total ? ERR(EFAULT) : OK;
}

static err_t read_one(struct io *io, u64 *pos, bool *there)
{
        u8 line[LINE_MAX];
        struct log_record rec = { };

        *there = log_read(*pos, &rec, MBYTES_OF(line));
        if (!*there)
                return OK;
        TRY(put_record(io, &rec, text_of(bytes_take(BYTES_OF(line), min_u64(rec.len, sizeof line)))));
        *pos = rec.seq + 1;
        return OK;
}

static err_t kmsg_read(struct file *f, struct io *io, u64 *pos)
{
        WAITER(w);
        bool there = false;

        TRY(read_one(io, pos, &there));
        if (there)
                return OK;
        if (file_nonblock(f))
                return ERR(EAGAIN);
        waiter_add(&w, log_waitq());
        for (;;) {
                TRY(read_one(io, pos, &there));
                if (there)
                        return OK;
                if (failed(waiter_sleep(&w, WAIT_INTERRUPTIBLE, NEVER)))
                        return ERR(ERESTARTSYS);
        }
}

/* "<N>text": N is facility and level. */
static err_t kmsg_write(struct file *f, struct io *io, u64 *pos)
{
        u8 text[LINE_MAX];
        usize all = io_left(io), n = min_u64(all, sizeof text);
        u64 prio = LOG_NOTICE + USER_FACILITY;

        (void)f;
        (void)pos;
        if (io_copy_in(io, mbytes_take(MBYTES_OF(text), n)) < n)
                return ERR(EFAULT);
        io_skip(io, all - n);
        bytes line = bytes_take(BYTES_OF(text), n);
        while (bytes_len(line) > 0 && bytes_at(line, bytes_len(line) - 1) == '\n')
                line = bytes_take(line, bytes_len(line) - 1);
        usize end = bytes_find(line, '>');
        if (bytes_len(line) > 2 && bytes_at(line, 0) == '<' && end < bytes_len(line) &&
            num_parse(bytes_sub(line, 1, end - 1), 10, &prio))
                line = bytes_skip(line, end + 1);
        klog((enum log_level)(prio & 7), "{}", line);
        return OK;
}

static u32 kmsg_poll(struct file *f, struct waiter *w)
{
        struct log_record rec = { };
        u8 line[16];

        waiter_add(w, log_waitq());
        return EPOLLOUT | EPOLLWRNORM | (log_read(f->pos, &rec, MBYTES_OF(line)) ? EPOLLIN | EPOLLRDNORM : 0);
}

static err_t kmsg_llseek(struct file *f, i64 off, u32 whence, u64 *pos)
{
        struct log_record rec = { };
        u8 line[16];

        (void)f;
        if (off != 0)
                return ERR(ESPIPE);
        *pos = 0;
        if (whence == SEEK_END)
                while (log_read(*pos, &rec, MBYTES_OF(line)))
                        *pos = rec.seq + 1;
        else if (whence != SEEK_SET && whence != SEEK_DATA)
                return ERR(EINVAL);
        return OK;
}

static const struct file_ops kmsg_ops = { .read = kmsg_read, .write = kmsg_write, .poll = kmsg_poll, .llseek = kmsg_llseek };
static const struct chrdev kmsg_dev = { .name = "kmsg", .major = 1, .minor = 11, .mode = 0644, .ops = &kmsg_ops };

void kmsg_init(void) { chrdev_register(&kmsg_dev); }
