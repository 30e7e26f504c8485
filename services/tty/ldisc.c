/* SPDX-License-Identifier: Apache-2.0
 *
 * The line discipline.  See ldisc.h; termios(3) is the specification.
 */
#include "services/tty/ldisc.h"
#include "abi/const/tty.h"
#include "abi/const/signal.h"

#define DISABLED 0              /* a control character of this value is off */

static bool iflag(const struct ldisc *d, u32 bit) { return d->termios.c_iflag & bit; }
static bool oflag(const struct ldisc *d, u32 bit) { return d->termios.c_oflag & bit; }
static bool lflag(const struct ldisc *d, u32 bit) { return d->termios.c_lflag & bit; }
static u8   cc(const struct ldisc *d, u32 which)  { return d->termios.c_cc[which]; }
static bool is_cc(const struct ldisc *d, u32 which, u8 c) { return c == cc(d, which) && c != DISABLED; }

static u8 byte_at(const struct ldisc *d, u32 at)  { return d->buffer[at & (LDISC_SIZE - 1)]; }
static bool ends_at(const struct ldisc *d, u32 at)
{
        u32 i = at & (LDISC_SIZE - 1);
        return d->ends[i >> 6] >> (i & 63) & 1;
}
static void set_end(struct ldisc *d, u32 at, bool end)
{
        u32 i = at & (LDISC_SIZE - 1);
        u64 bit = 1ul << (i & 63);
        d->ends[i >> 6] = end ? d->ends[i >> 6] | bit : d->ends[i >> 6] & ~bit;
}

void ldisc_init(struct ldisc *d, const struct ldisc_ops *ops)
{
        static const u8 control[19] = {
                [VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VMIN] = 1,
                [VSTART] = 17, [VSTOP] = 19, [VSUSP] = 26, [VREPRINT] = 18, [VDISCARD] = 15,
                [VWERASE] = 23, [VLNEXT] = 22,
        };
        d->ops = ops;
        d->termios = (struct linux_termios){
                .c_iflag = ICRNL | IXON,
                .c_oflag = OPOST | ONLCR,
                .c_cflag = B38400 | CS8 | CREAD | HUPCL,
                .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
        };
        for (u32 i = 0; i < 19; i++)
                d->termios.c_cc[i] = control[i];
}

struct linux_termios ldisc_termios(const struct ldisc *d) { return d->termios; }

void ldisc_flush_input(struct ldisc *d)
{
        d->tail = d->canon = d->head = 0;
        for (u32 i = 0; i < LDISC_SIZE / 64; i++)
                d->ends[i] = 0;
        d->literal_next = false;
        d->erasing = false;
        d->line_column = d->column;
}

/* As on Linux: leaving canonical mode makes the unfinished line readable; entering it
 * makes what is there one complete line. */
void ldisc_set_termios(struct ldisc *d, struct linux_termios t)
{
        bool was = lflag(d, ICANON), is = t.c_lflag & ICANON;

        d->termios = t;
        if (was != is) {
                d->literal_next = false;
                d->erasing = false;
                for (u32 i = 0; i < LDISC_SIZE / 64; i++)
                        d->ends[i] = 0;
                d->canon = d->head;
                if (is && d->head != d->tail)
                        set_end(d, d->head - 1, true);
        }
        if (!iflag(d, IXON) && d->stopped) {
                d->stopped = false;
                d->ops->flow(d, false);
        }
}

/* Letters of Latin-1, as Linux has them. */
static bool is_upper(u8 c) { return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7); }
static bool is_lower(u8 c) { return (c >= 'a' && c <= 'z') || (c >= 0xdf && c != 0xf7); }

/* ---- output ---- */

/* Room for one rendered byte: a tab may become eight. */
#define RENDER_MAX 8

static usize put(mbytes out, usize n, u8 c)
{
        mbytes_put(out, n, c);
        return n + 1;
}

/* Renders c at out[n..]; returns the new n.  RENDER_MAX bytes must fit. */
static usize render_byte(struct ldisc *d, mbytes out, usize n, u8 c)
{
        if (!oflag(d, OPOST))
                return put(out, n, c);
        switch (c) {
        case '\n':
                if (oflag(d, ONLRET))
                        d->column = 0;
                if (oflag(d, ONLCR)) {
                        d->column = 0;
                        n = put(out, n, '\r');
                }
                return put(out, n, '\n');
        case '\r':
                if (oflag(d, ONOCR) && d->column == 0)
                        return n;
                if (oflag(d, OCRNL)) {
                        if (oflag(d, ONLRET))
                                d->column = 0;
                        return put(out, n, '\n');
                }
                d->column = 0;
                return put(out, n, '\r');
        case '\t': {
                u32 spaces = 8 - (d->column & 7);
                d->column += spaces;
                if ((d->termios.c_oflag & TABDLY) != XTABS)
                        return put(out, n, '\t');
                for (u32 i = 0; i < spaces; i++)
                        n = put(out, n, ' ');
                return n;
        }
        case '\b':
                if (d->column)
                        d->column--;
                return put(out, n, c);
        default:
                if (oflag(d, OLCUC) && is_lower(c))
                        c = (u8)(c - 32);
                /* Control bytes and UTF-8 continuation bytes do not move the cursor. */
                if (c >= 32 && c != 127 && !(iflag(d, IUTF8) && (c & 0xc0) == 0x80))
                        d->column++;
                return put(out, n, c);
        }
}

usize ldisc_render(struct ldisc *d, mbytes out, bytes text, usize *used)
{
        usize n = 0, i = 0;

        for (; i < bytes_len(text) && mbytes_len(out) - n >= RENDER_MAX; i++)
                n = render_byte(d, out, n, bytes_at(text, i));
        *used = i;
        return n;
}

/* ---- echo ---- */

static void echo_rendered(struct ldisc *d, u8 c)
{
        u8 out[RENDER_MAX] = {};
        usize n = render_byte(d, MBYTES_OF(out), 0, c);
        d->ops->output(d, bytes_take(BYTES_OF(out), n));
}

static void echo_raw(struct ldisc *d, bytes text) { d->ops->output(d, text); }

static bool is_shown_as_caret(const struct ldisc *d, u8 c)
{
        return lflag(d, ECHOCTL) && (c < 32 || c == 127) && c != '\t';
}

static void echo(struct ldisc *d, u8 c)
{
        if (is_shown_as_caret(d, c)) {
                echo_rendered(d, '^');
                echo_rendered(d, c ^ 0x40);
        } else {
                echo_rendered(d, c);
        }
}

static void end_erasing(struct ldisc *d)
{
        if (d->erasing) {
                d->erasing = false;
                echo_rendered(d, '/');
        }
}

/* The column after the typed, unfinished line without its last byte: where a tab goes back to. */
static u32 column_before(const struct ldisc *d, u32 end)
{
        u32 column = d->line_column;

        for (u32 at = d->canon; at != end; at++) {
                u8 c = byte_at(d, at);
                if (c == '\t')
                        column = (column | 7) + 1;
                else if (is_shown_as_caret(d, c))
                        column += 2;
                else if (c >= 32 && c != 127 && !(iflag(d, IUTF8) && (c & 0xc0) == 0x80))
                        column++;
        }
        return column;
}

/* Over what was a tab there is nothing to wipe out. */
static void back_to(struct ldisc *d, u32 column, bool tab)
{
        while (d->column > column) {
                echo_raw(d, tab ? STR("\b") : STR("\b \b"));
                d->column--;
        }
}

/* ---- editing ---- */

/* Where the last byte (with IUTF8: the last character) of the line being typed begins; head: there is none, or only a part of one. */
static u32 last_character(const struct ldisc *d)
{
        u32 at = d->head;

        do {
                if (at == d->canon)
                        return d->head;
                at--;
        } while (iflag(d, IUTF8) && (byte_at(d, at) & 0xc0) == 0x80);
        return at;
}

static void erase_from(struct ldisc *d, u32 at)
{
        u8 c = byte_at(d, at);
        u32 end = d->head;

        d->head = at;
        if (!lflag(d, ECHO))
                return;
        if (lflag(d, ECHOPRT)) {
                if (!d->erasing) {
                        d->erasing = true;
                        echo_rendered(d, '\\');
                }
                echo(d, c);
                while (++at != end)
                        echo_rendered(d, byte_at(d, at));
        } else if (!lflag(d, ECHOE)) {
                echo(d, cc(d, VERASE));
        } else {
                back_to(d, column_before(d, at), c == '\t');
        }
}

/* False: there is nothing to erase. */
static bool erase_one(struct ldisc *d)
{
        u32 at = last_character(d);

        if (at == d->head)
                return false;
        erase_from(d, at);
        return true;
}

static bool is_word_byte(u8 c) { return (c >= '0' && c <= '9') || is_upper(c) || is_lower(c) || c == '_'; }

static void erase_word(struct ldisc *d)
{
        bool in_word = false;

        for (u32 at; (at = last_character(d)) != d->head; erase_from(d, at)) {
                bool is = is_word_byte(byte_at(d, at));
                if (in_word && !is)
                        return;
                in_word = is;
        }
}

static void erase_line(struct ldisc *d)
{
        if (lflag(d, ECHO) && !(lflag(d, ECHOK) && lflag(d, ECHOKE) && lflag(d, ECHOE))) {
                d->head = d->canon;
                end_erasing(d);
                echo(d, cc(d, VKILL));
                if (lflag(d, ECHOK))
                        echo_rendered(d, '\n');
                return;
        }
        while (erase_one(d))
                ;
}

static void reprint(struct ldisc *d)
{
        end_erasing(d);
        echo(d, cc(d, VREPRINT));
        echo_rendered(d, '\n');
        d->line_column = d->column;
        for (u32 at = d->canon; at != d->head; at++)
                echo(d, byte_at(d, at));
}

/* ---- input ---- */

static bool is_full(const struct ldisc *d) { return d->head - d->tail >= LDISC_SIZE - 1; }

static void store(struct ldisc *d, u8 c)
{
        d->buffer[d->head & (LDISC_SIZE - 1)] = c;
        set_end(d, d->head, false);
        d->head++;
}

/* Ends the line with c, which may be the invisible EOF mark. */
static void finish_line(struct ldisc *d, u8 c)
{
        if (d->head - d->tail >= LDISC_SIZE)
                return;
        store(d, c);
        set_end(d, d->head - 1, true);
        d->canon = d->head;
}

/* return_key: a newline that was typed as a carriage return is not shown as ^J outside of canonical mode, either. */
static void echo_typed(struct ldisc *d, u8 c, bool return_key)
{
        if (!lflag(d, ECHO))
                return;
        end_erasing(d);
        if (d->head == d->canon)
                d->line_column = d->column;
        if (c == '\n' && return_key)
                echo_rendered(d, c);
        else
                echo(d, c);
}

static void typed_signal(struct ldisc *d, u32 sig, u8 c)
{
        if (!lflag(d, NOFLSH))
                ldisc_flush_input(d);
        d->ops->signal(d, sig);                         /* may drop output: before the echo */
        if (lflag(d, ECHO))
                echo(d, c);
        if (iflag(d, IXON) && d->stopped) {             /* as on Linux: whoever interrupts wants to see it */
                d->stopped = false;
                d->ops->flow(d, false);
        }
}

static void store_typed(struct ldisc *d, u8 c, bool return_key)
{
        if (is_full(d)) {
                if (iflag(d, IMAXBEL))
                        echo_raw(d, STR("\a"));
                return;
        }
        echo_typed(d, c, return_key);
        if (c == 0xff && iflag(d, PARMRK) && !iflag(d, ISTRIP) && d->head - d->tail < LDISC_SIZE - 2)
                store(d, c);
        store(d, c);
}

/* Canonical mode's special characters. True: c was one. */
static bool edit(struct ldisc *d, u8 c)
{
        if (is_cc(d, VERASE, c)) {
                (void)erase_one(d);
        } else if (is_cc(d, VKILL, c)) {
                erase_line(d);
        } else if (lflag(d, IEXTEN) && is_cc(d, VWERASE, c)) {
                erase_word(d);
        } else if (lflag(d, IEXTEN) && is_cc(d, VLNEXT, c)) {
                d->literal_next = true;
                if (lflag(d, ECHO)) {
                        end_erasing(d);
                        if (lflag(d, ECHOCTL))
                                echo_raw(d, STR("^\b"));
                }
        } else if (lflag(d, IEXTEN) && lflag(d, ECHO) && is_cc(d, VREPRINT, c)) {
                reprint(d);
        } else if (c == '\n') {
                if (lflag(d, ECHO) || lflag(d, ECHONL))
                        echo_rendered(d, '\n');         /* as on Linux, ECHOPRT's \ stays without its / */
                finish_line(d, '\n');
        } else if (is_cc(d, VEOF, c)) {
                finish_line(d, DISABLED);
        } else if (is_cc(d, VEOL, c) || (lflag(d, IEXTEN) && is_cc(d, VEOL2, c))) {
                if (lflag(d, ECHO))
                        echo_typed(d, c, false);
                finish_line(d, c);
        } else {
                return false;
        }
        return true;
}

/* STOP, START and the signal characters. True: c was one. */
static bool control(struct ldisc *d, u8 c)
{
        if (iflag(d, IXON)) {
                if (is_cc(d, VSTART, c) || is_cc(d, VSTOP, c)) {
                        d->stopped = is_cc(d, VSTOP, c) && !(d->stopped && is_cc(d, VSTART, c));
                        d->ops->flow(d, d->stopped);
                        return true;
                }
        }
        if (lflag(d, ISIG)) {
                u32 sig = is_cc(d, VINTR, c) ? SIGINT : is_cc(d, VQUIT, c) ? SIGQUIT : is_cc(d, VSUSP, c) ? SIGTSTP : 0;
                if (sig) {
                        typed_signal(d, sig, c);
                        return true;
                }
        }
        return false;
}

static void receive_byte(struct ldisc *d, u8 c)
{
        if (iflag(d, ISTRIP))
                c &= 0x7f;
        if (iflag(d, IUCLC) && lflag(d, IEXTEN) && is_upper(c))
                c = (u8)(c + 32);
        if (lflag(d, EXTPROC)) {                        /* the other side edits and echoes */
                if (!is_full(d))
                        store(d, c);
                d->canon = d->head;
                return;
        }
        if (d->literal_next) {
                d->literal_next = false;
                store_typed(d, c, false);
                return;
        }
        if (d->stopped && iflag(d, IXON) && iflag(d, IXANY) && !is_cc(d, VSTOP, c)) {
                d->stopped = false;
                d->ops->flow(d, false);
        }
        if (control(d, c))
                return;
        bool return_key = c == '\r';
        if (return_key) {
                if (iflag(d, IGNCR))
                        return;
                if (iflag(d, ICRNL))
                        c = '\n';
        } else if (c == '\n' && iflag(d, INLCR)) {
                c = '\r';
        }
        if (lflag(d, ICANON) && edit(d, c))
                return;
        store_typed(d, c, return_key);
        if (!lflag(d, ICANON))
                d->canon = d->head;
}

bool ldisc_receive(struct ldisc *d, bytes typed)
{
        for (usize i = 0; i < bytes_len(typed); i++)
                receive_byte(d, bytes_at(typed, i));
        return ldisc_readable(d);
}

u32 ldisc_room(const struct ldisc *d)
{
        u32 room = is_full(d) ? 0 : LDISC_SIZE - 1 - (d->head - d->tail);

        if (iflag(d, PARMRK))
                room /= 2;                              /* 0xff is stored twice */
        return room == 0 && lflag(d, ICANON) && d->canon == d->tail ? U32_MAX : room;
}

void ldisc_break(struct ldisc *d)
{
        if (iflag(d, IGNBRK))
                return;
        if (iflag(d, BRKINT)) {
                ldisc_flush_input(d);
                d->ops->signal(d, SIGINT);
                return;
        }
        if (iflag(d, PARMRK) && d->head - d->tail < LDISC_SIZE - 3) {
                store(d, 0xff);
                store(d, 0);
        }
        store_typed(d, 0, false);
        if (!lflag(d, ICANON))
                d->canon = d->head;
}

/* ---- reading ---- */

bool ldisc_is_canonical(const struct ldisc *d) { return lflag(d, ICANON) && !lflag(d, EXTPROC); }

bool ldisc_readable(const struct ldisc *d) { return d->canon != d->tail; }

usize ldisc_available(const struct ldisc *d)
{
        usize n = 0;
        for (u32 at = d->tail; at != d->canon; at++)
                n += !(ldisc_is_canonical(d) && ends_at(d, at) && byte_at(d, at) == DISABLED);
        return n;
}

usize ldisc_read(struct ldisc *d, mbytes out, bool *done)
{
        usize n = 0;
        bool canonical = ldisc_is_canonical(d);

        *done = false;
        while (d->tail != d->canon) {
                u8   c = byte_at(d, d->tail);
                bool end = canonical && ends_at(d, d->tail);
                bool eof = end && c == DISABLED;

                if (!eof && n == mbytes_len(out))
                        break;
                set_end(d, d->tail, false);
                d->tail++;
                if (!eof)
                        n = put(out, n, c);
                if (end) {
                        *done = true;
                        break;
                }
        }
        return n;
}

bool ldisc_validate(const struct ldisc *d)
{
        if (d->canon - d->tail > LDISC_SIZE || d->head - d->canon > LDISC_SIZE - (d->canon - d->tail))
                return false;
        u32 marked = 0, inside = 0;
        for (u32 i = 0; i < LDISC_SIZE / 64; i++)
                marked += bit_count(d->ends[i]);
        for (u32 at = d->tail; at != d->canon; at++)
                inside += ends_at(d, at);
        return marked == inside;
}
