/* SPDX-License-Identifier: Apache-2.0
 *
 * /dev/kmsg: each read gives one record, "level,sequence,microseconds,-;text\n"; each write
 * makes one.  A file's position is the sequence number it reads next; EPIPE: that one is gone.
 */
#include "services/devfs/devfs_impl.h"
#include "services/syslog/syslog.h"
#include "lib/num.h"

#define LINE_MAX 1000
#define USER_FACILITY 8u                /* of records from user space that say none */

/* Without "<level>[time] ", which stands in front. */
static bytes text_of(bytes line)
{
        if (bytes_len(line) == 0 || bytes_at(line, 0) != '<')
                return line;
        usize end = bytes_find(line, ']');
        return end + 2 <= bytes_len(line) ? bytes_skip(line, end + 2) : line;
}

static bool is_plain(u8 c) { return c >= 32 && c < 127 && c != '\\'; }

/* Puts the text, what is not printable as \xNN, to io if there is one.  How much that is. */
static usize put_escaped(struct io *io, bytes text)
{
        usize all = 0, n = 0;

        for (; bytes_len(text) > 0; text = bytes_skip(text, n), all += n) {
                u8 hex[4];
                struct writer w = writer_of(MBYTES_OF(hex));
                for (n = 0; n < bytes_len(text) && is_plain(bytes_at(text, n)); n++)
                        ;
                bytes part = bytes_take(text, n);
                if (n == 0) {
                        writer_put(&w, STR("\\x"));
                        num_write(&w, bytes_at(text, 0), 16, 2);
                        part = writer_text(&w);
                        text = bytes_skip(text, 1);
                        all += bytes_len(part);
                }
                if (io)
                        io_copy_out(io, part);
        }
        return all;
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
        usize total = w.at + put_escaped(NULL, line) + 1, before = io_done(io);
        if (total > io_left(io))
                return ERR(EINVAL);
        io_copy_out(io, writer_text(&w));
        put_escaped(io, line);
        io_copy_out(io, STR("\n"));
        return io_done(io) - before < total ? ERR(EFAULT) : OK;
}

static err_t read_one(struct io *io, u64 *pos, bool *there)
{
        u8 line[LINE_MAX];
        struct log_record rec = { };

        *there = log_read(*pos, &rec, MBYTES_OF(line));
        if (!*there)
                return OK;
        bool lost = *pos && rec.seq != *pos;
        if (lost) {
                *pos = rec.seq;
                return ERR(EPIPE);
        }
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
        u64 prio = (u64)syslog_levels().message;

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
        klog((enum log_level)(prio < 8 ? prio | USER_FACILITY : prio & 0x7ff), "{}", line);
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
        *pos = whence == SEEK_DATA ? syslog_cleared() : 0;
        if (whence == SEEK_END)
                while (log_read(*pos, &rec, MBYTES_OF(line)))
                        *pos = rec.seq + 1;
        else if (whence != SEEK_SET && whence != SEEK_DATA)
                return ERR(EINVAL);
        return OK;
}

static const struct file_ops kmsg_ops;

static err_t kmsg_open(const struct actor *who, const struct path *p, u32 flags, struct file **out)
{
        if ((flags & O_ACCMODE) != O_WRONLY)
                TRY(syslog_may(false));
        return file_open_plain(who, p, &kmsg_ops, flags, out);
}

static const struct file_ops kmsg_ops = { .open = kmsg_open, .read = kmsg_read, .write = kmsg_write, .poll = kmsg_poll, .llseek = kmsg_llseek };
static const struct chrdev kmsg_dev = { .name = "kmsg", .major = 1, .minor = 11, .mode = 0644, .ops = &kmsg_ops };

void kmsg_init(void) { chrdev_register(&kmsg_dev); }
