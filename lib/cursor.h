/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes in order: a reader that never runs past the end (it turns `bad` and yields zeros),
 * and a writer that never overflows (it turns `full` and drops the rest).
 */
#pragma once

struct reader { bytes left; bool bad; };

static inline struct reader reader_of(bytes b) { return (struct reader){ .left = b }; }
static inline usize reader_left(const struct reader *r) { return bytes_len(r->left); }
static inline bytes reader_take(struct reader *r, usize n)
{
        if (n > bytes_len(r->left)) {
                r->bad = true;
                n = bytes_len(r->left);
        }
        bytes b = bytes_take(r->left, n);
        r->left = bytes_skip(r->left, n);
        return b;
}

#define READER_GET(NAME, TYPE)                                                          \
static inline unused TYPE reader_##NAME(struct reader *r)                               \
{                                                                                       \
        if (bytes_len(r->left) < sizeof(TYPE)) {                                        \
                r->bad = true;                                                          \
                return 0;                                                               \
        }                                                                               \
        TYPE v = bytes_##NAME(r->left, 0);                                              \
        r->left = bytes_skip(r->left, sizeof(TYPE));                                    \
        return v;                                                                       \
}
READER_GET(le16, u16) READER_GET(le32, u32) READER_GET(le64, u64)
READER_GET(be16, u16) READER_GET(be32, u32) READER_GET(be64, u64)

static inline u8 reader_u8(struct reader *r)
{
        if (bytes_len(r->left) == 0) {
                r->bad = true;
                return 0;
        }
        u8 v = bytes_at(r->left, 0);
        r->left = bytes_skip(r->left, 1);
        return v;
}

struct writer { mbytes buf; usize at; bool full; };

static inline struct writer writer_of(mbytes b) { return (struct writer){ .buf = b }; }
static inline void writer_put(struct writer *w, bytes b)
{
        usize n = mbytes_copy(mbytes_skip(w->buf, w->at), b);
        w->at += n;
        if (n < bytes_len(b))
                w->full = true;
}
static inline void writer_u8(struct writer *w, u8 v)
{
        if (w->at < mbytes_len(w->buf))
                mbytes_put(w->buf, w->at++, v);
        else
                w->full = true;
}
static inline bytes writer_text(const struct writer *w) { return bytes_take(bytes_const(w->buf), w->at); }
