/* SPDX-License-Identifier: Apache-2.0
 *
 * syslog(2) and /proc/kmsg.
 *
 * Objects    `state`, of the machine: the place of the one reader (a record, and bytes of it that were read), the first record that
 *            was not cleared, and settings.
 * Locking    state.lock (mutex): reader and cleared.  The settings are words: LOAD, STORE.
 * Errors     A reader that meets bad memory has not moved.
 */
#include "services/syslog/syslog.h"
#include "services/security/cred.h"
#include "abi/const/process.h"
#include "lib/num.h"

#define LINE 1088u                      /* of the longest record, with what stands in front */

LOCK_CLASS(syslog);

STABLE(syslog_state) {
        struct mutex lock;
        u64 seq, part;                  /* the reader's; lock */
        u64 cleared;                    /* lock; LOAD */
        u32 restricted;
        u32 message, least, standard;
        u32 before_off;                 /* console's level when it was switched off; 0: it was not */
};
static struct syslog_state state;

void syslog_init(void)
{
        lock_init(&state.lock, syslog);
        state.seq = state.cleared = 1;
        state.restricted = 1;
        state.message = LOG_WARNING;
        state.least = 1;
        state.standard = LOG_DEBUG;
}

err_t syslog_may(bool control)
{
        if (!control && !LOAD(state.restricted))
                return OK;
        return capable(CAP_SYSLOG) || capable(CAP_SYS_ADMIN) ? OK : ERR(EPERM);
}

/* ---- Records as text ---- */

/* What stands before each of its lines: "<level>[time] ". */
static usize head_of(bytes record)
{
        usize end = bytes_find(record, ']') + 2;
        return min_u64(end, bytes_len(record));
}

/* Puts the text of a record, without its first `skip` bytes, to io if there is one.  Returns how much text there is. */
static usize put(struct io *io, bytes record, usize skip)
{
        bytes head = bytes_take(record, head_of(record)), rest = bytes_skip(record, bytes_len(head));
        usize all = 0;

        for (bool more = true; more; ) {
                usize end = bytes_find(rest, '\n');
                bytes part[3] = { head, bytes_take(rest, end), STR("\n") };
                for (u32 i = 0; i < 3; i++) {
                        usize n = bytes_len(part[i]), from = skip > all ? min_u64(skip - all, n) : 0;
                        if (io)
                                io_copy_out(io, bytes_skip(part[i], from));
                        all += n;
                }
                more = end < bytes_len(rest);
                rest = more ? bytes_skip(rest, end + 1) : rest;
        }
        return all;
}

struct found { bytes record; u64 seq; bool there; };

/* The record numbered seq or the first behind it, in `line`. */
static struct found get(u64 seq, mbytes line)
{
        struct log_record rec = { };
        bool there = log_read(seq, &rec, line);

        return (struct found){ bytes_take(bytes_const(line), min_u64(rec.len, mbytes_len(line))), rec.seq, there };
}

struct extent { u64 seq, bytes; };

/* How much text the records from seq on are, and the number behind the last: all of them, or the first that make `enough`. */
static struct extent rendered(u64 seq, u64 enough)
{
        u8 line[LINE];
        struct extent e = { seq, 0 };

        for (struct found f; e.bytes < enough && (f = get(e.seq, MBYTES_OF(line))).there; e.seq = f.seq + 1)
                e.bytes += put(NULL, f.record, 0);
        return e;
}

/* ---- The one reader ---- */

/* state.lock held.  A record that does not fit begins a read, or waits for the next. */
static err_t read_locked(struct io *io)
{
        u8 line[LINE];
        u64 seq = state.seq, part = state.part;

        for (;;) {
                struct found f = get(seq, MBYTES_OF(line));
                if (!f.there)
                        break;
                if (f.seq != seq)
                        part = 0;       /* it was overwritten */
                usize room = io_left(io), done = io_done(io), n = put(NULL, f.record, 0) - part;
                if (n > room && done > 0)
                        break;
                put(io, f.record, part);
                if (io_done(io) - done < min_u64(n, room))
                        return ERR(EFAULT);
                seq = n > room ? f.seq : f.seq + 1;
                part = n > room ? part + room : 0;
                if (n >= room)
                        break;
        }
        state.seq = seq;
        state.part = part;
        return OK;
}

static err_t try_read(struct io *io)
{
        GUARD(&state.lock);
        return read_locked(io);
}

err_t syslog_read(struct io *io, bool nonblock)
{
        WAITER(w);

        if (io_left(io) == 0)
                return OK;
        waiter_add(&w, log_waitq());
        for (;;) {
                TRY(try_read(io));
                if (io_done(io) > 0)
                        return OK;
                if (nonblock)
                        return ERR(EAGAIN);
                if (failed(waiter_sleep(&w, WAIT_INTERRUPTIBLE, NEVER)))
                        return ERR(ERESTARTSYS);
        }
}

u64 syslog_unread(void)
{
        GUARD(&state.lock);
        struct found f = get(state.seq, NO_MBYTES);
        u64 n = rendered(state.seq, U64_MAX).bytes;
        return f.there && f.seq == state.seq ? n - state.part : n;
}

bool syslog_is_unread(void)
{
        struct log_record rec = { };

        GUARD(&state.lock);
        return log_read(state.seq, &rec, NO_MBYTES);
}

/* ---- All of it ---- */

static err_t read_all_locked(struct io *io)
{
        u8 line[LINE];
        u64 all = rendered(state.cleared, U64_MAX).bytes, room = io_left(io);
        u64 seq = all > room ? rendered(state.cleared, all - room).seq : state.cleared;

        for (struct found f; (f = get(seq, MBYTES_OF(line))).there; seq = f.seq + 1) {
                usize done = io_done(io), n = put(NULL, f.record, 0);
                if (n > io_left(io))
                        break;          /* it came meanwhile */
                put(io, f.record, 0);
                if (io_done(io) - done < n)
                        return ERR(EFAULT);
        }
        return OK;
}

/* state.lock held. */
static void clear_locked(void)
{
        struct log_record rec = { };
        u64 at = state.cleared;

        while (log_read(at, &rec, NO_MBYTES))
                at = rec.seq + 1;
        STORE(state.cleared, at);
}

err_t syslog_read_all(struct io *io, bool clear)
{
        GUARD(&state.lock);
        TRY(read_all_locked(io));
        if (clear)
                clear_locked();
        return OK;
}

void syslog_clear(void)
{
        GUARD(&state.lock);
        clear_locked();
}

u64 syslog_cleared(void) { return LOAD(state.cleared); }

/* ---- Settings ---- */

struct syslog_levels syslog_levels(void)
{
        return (struct syslog_levels){ log_console_level(), LOAD(state.message), LOAD(state.least), LOAD(state.standard) };
}

void syslog_set_levels(struct syslog_levels l)
{
        log_set_console_level(l.console);
        STORE(state.message, l.message);
        STORE(state.least, l.least);
        STORE(state.standard, l.standard);
        STORE(state.before_off, 0);
}

void syslog_console_off(void)
{
        if (!LOAD(state.before_off))
                STORE(state.before_off, log_console_level());
        log_set_console_level(LOAD(state.least));
}

void syslog_console_on(void)
{
        u32 before = LOAD(state.before_off);

        STORE(state.before_off, 0);
        if (before)
                log_set_console_level(before);
}

u32  syslog_restrict(void)                { return LOAD(state.restricted); }
void syslog_set_restrict(u32 restrict_)   { STORE(state.restricted, restrict_); }

/* ---- /proc/kmsg ---- */

static err_t kmsg_read(struct file *f, struct io *io, u64 *pos)
{
        (void)pos;
        TRY(syslog_may(true));
        return syslog_read(io, file_nonblock(f));
}

static u32 kmsg_poll(struct file *f, struct waiter *w)
{
        (void)f;
        waiter_add(w, log_waitq());
        return syslog_is_unread() ? EPOLLIN | EPOLLRDNORM : 0;
}

const struct file_ops syslog_file_ops = { .read = kmsg_read, .poll = kmsg_poll };
