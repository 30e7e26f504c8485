/* SPDX-License-Identifier: Apache-2.0
 *
 * Growing text.  See text.h.
 */
#include "services/procfs/text.h"
#include "lib/num.h"
#include "services/vfs/io.h"

static void text_fini(struct text *t)
{
        text_clear(t);
        payer_drop(t->payer);
}
POOL_DEFINE(text, text_fini);

struct text *text_new(struct payer *payer)
{
        struct text *t = text_alloc(payer, MAY_RECLAIM);
        if (t && payer)
                t->payer = payer_hold(payer);
        return t;
}

void text_clear(struct text *t)
{
        for (u32 i = 0; i < TEXT_PARTS; i++) {
                blob_drop(t->part[i]);
                t->part[i] = NULL;
        }
        t->len = 0;
        t->failed = false;
}

void text_add(struct text *t, bytes b)
{
        while (bytes_len(b) && !t->failed) {
                u64 index = t->len / TEXT_PART, at = t->len % TEXT_PART;
                if (index >= TEXT_PARTS) {
                        t->failed = true;
                        return;
                }
                if (!t->part[index])
                        t->part[index] = blob_alloc(t->payer, TEXT_PART);
                if (!t->part[index]) {
                        t->failed = true;
                        return;
                }
                usize n = mbytes_copy(mbytes_sub(blob_mbytes(t->part[index]), at, TEXT_PART - at), b);
                t->len += n;
                b = bytes_skip(b, n);
        }
}

void text_add_line(struct text *t, bytes b, bytes newline, bytes backslash)
{
        while (bytes_len(b)) {
                usize n = 0;
                while (n < bytes_len(b) && bytes_at(b, n) != '\n' && bytes_at(b, n) != '\\')
                        n++;
                text_add(t, bytes_take(b, n));
                if (n < bytes_len(b))
                        text_add(t, bytes_at(b, n) == '\n' ? newline : backslash);
                b = bytes_skip(b, min_u64(n + 1, bytes_len(b)));
        }
}

void text_char(struct text *t, u8 c) { text_add(t, BYTES_OF(c)); }

static void add_digits(struct text *t, u64 v, u32 base, u32 width, u8 fill)
{
        u8 out[24] = {};
        u32 at = sizeof out;

        do {
                u32 d = (u32)(base == 16 ? v & 15 : v % 10);
                out[--at] = (u8)(d < 10 ? '0' + d : 'a' + d - 10);
                v = base == 16 ? v >> 4 : v / 10;
        } while (v);
        while (sizeof out - at < width && at)
                out[--at] = fill;
        text_add(t, bytes_skip(BYTES_OF(out), at));
}

void text_number(struct text *t, u64 v, u32 width) { add_digits(t, v, 10, width, ' '); }
void text_hex(struct text *t, u64 v, u32 digits)   { add_digits(t, v, 16, digits, '0'); }

err_t text_read(struct text *t, struct io *io, u64 *pos)
{
        while (*pos < t->len && io_left(io)) {
                u64 index = *pos / TEXT_PART, at = *pos % TEXT_PART;
                u64 n = min_u64(min_u64(TEXT_PART - at, t->len - *pos), io_left(io));
                if (index >= TEXT_PARTS)
                        break;
                usize done = io_copy_out(io, bytes_sub(blob_bytes(t->part[index]), at, n));
                *pos += done;
                if (done < n)
                        return ERR(EFAULT);
        }
        return OK;
}

static bool is_blank(u8 c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool text_parse_i64(bytes text, u32 base, i64 *out)
{
        u64 v = 0;

        while (bytes_len(text) && is_blank(bytes_at(text, 0)))
                text = bytes_skip(text, 1);
        while (bytes_len(text) && is_blank(bytes_at(text, bytes_len(text) - 1)))
                text = bytes_take(text, bytes_len(text) - 1);
        bool minus = bytes_len(text) && bytes_at(text, 0) == '-';
        if (minus || (bytes_len(text) && bytes_at(text, 0) == '+'))
                text = bytes_skip(text, 1);
        if (!(base ? num_parse(text, base, &v) : num_parse_c(text, &v)) || v > (u64)I64_MAX)
                return false;
        *out = minus ? -(i64)v : (i64)v;
        return true;
}

/* Up to the first blank. */
static bytes first_word(bytes text)
{
        usize n = 0;

        while (n < bytes_len(text) && !is_blank(bytes_at(text, n)))
                n++;
        return bytes_take(text, n);
}

bool text_parse_setting(bytes text, bool *minus, u64 *out)
{
        while (bytes_len(text) && is_blank(bytes_at(text, 0)))
                text = bytes_skip(text, 1);
        text = first_word(text);
        *minus = bytes_len(text) && bytes_at(text, 0) == '-';
        return num_parse_c(bytes_skip(text, *minus), out);
}

/* The next number of the text from *at on; false: that is no number.  None left: *there is false. */
static bool next_number(bytes text, usize *at, u32 *v, bool *there)
{
        usize len = bytes_len(text);
        u64 n = 0;

        while (*at < len && is_blank(bytes_at(text, *at)))
                (*at)++;
        *there = *at < len;
        if (!*there)
                return true;
        bytes word = first_word(bytes_skip(text, *at));
        *at += bytes_len(word);
        bool good = num_parse_c(word, &n) && n <= I32_MAX;
        *v = (u32)n;
        return good;
}

bool text_parse_four(bytes text, struct text_four *f)
{
        usize at = 0;
        bool there = true;

        for (u32 i = 0; i < 4 && there; i++) {
                u32 n = f->v[i];
                if (!next_number(text, &at, &n, &there))
                        return false;
                if (there)
                        f->v[i] = n;
                else if (i == 0)
                        return false;
        }
        return true;
}
