/* SPDX-License-Identifier: Apache-2.0
 *
 * Inflate, as RFC 1951 and 1952 describe it.  See inflate.h.
 *
 * Nearly all is decoded by run(), which keeps the state in registers as long as there are eight
 * bytes of input and room for the longest match; the rest is symbol by symbol.
 *
 * Invariants  I1  n_bits <= 63, and bits above them are 0 (not inside run()).
 *             I2  out[0, at) is output, and at least the last 32768 bytes of it if there are so
 *                 many; a match that reaches before it is refused.
 */
#include "lib/inflate.h"

#define BYTE 0x100u                  /* kinds of entries; none: a length or a distance */
#define END     0x200u
#define BAD     0x400u
#define ENTRY(value, extra, kind) ((u32)(value) << 16 | (kind) | (u32)(extra) << 4)

#define MATCH_MAX 258u
#define OUT_LIMIT (INFLATE_OUT - MATCH_MAX - 8)  /* below: room for a match, copied in words */

/* ---- Bits ---- */

/* More input behind what is left of it, so that there are eight bytes; fewer only at the end. */
static void more_input(struct inflate *z)
{
        mbytes in = MBYTES_OF(z->in);
        u32 left = z->in_len - z->in_at;

        mbytes_copy(in, bytes_sub(bytes_const(in), z->in_at, left));
        z->in_at = 0;
        z->in_len = left;
        while (z->in_len < 8 && !z->ended) {
                u32 n = (u32)min_u64(z->ops->read(z, mbytes_skip(in, z->in_len)), INFLATE_IN - z->in_len);
                z->in_len += n;
                z->ended = n == 0;
        }
}

/* At least n (<= 32) bits in hand; false: the input has ended. */
static bool need(struct inflate *z, u32 n)
{
        while (z->n_bits < n) {
                if (z->in_at >= z->in_len)
                        more_input(z);
                if (z->in_at >= z->in_len)
                        return false;
                z->bits |= (u64)z->in[z->in_at++] << z->n_bits;
                z->n_bits += 8;
        }
        return true;
}

static void drop_bits(struct inflate *z, u32 n)
{
        z->bits >>= n;
        z->n_bits -= n;
}

static err_t take_bits(struct inflate *z, u32 n, u32 *out)
{
        if (!need(z, n))
                return ERR(ENODATA);
        *out = (u32)(z->bits & ((1ul << n) - 1));
        drop_bits(z, n);
        return OK;
}

/* ---- Huffman codes ---- */

static u32 reversed(u32 code, u32 n)
{
        u32 r = 0;

        for (u32 i = 0; i < n; i++)
                r |= (code >> i & 1) << (n - 1 - i);
        return r;
}

static const u16 length_base[29] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258 };
static const u8 length_extra[29] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
static const u16 distance_base[30] = { 1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
                                       4097, 6145, 8193, 12289, 16385, 24577 };
static const u8 distance_extra[30] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13 };

static const u8 code_order[19] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };

enum alphabet { CODE_LENGTHS, LITERALS, DISTANCES };

static u32 entry_of(enum alphabet a, u32 symbol)
{
        if (a == DISTANCES)
                return symbol < ARRAY_SIZE(distance_base) ? ENTRY(distance_base[symbol], distance_extra[symbol], 0) : BAD;
        if (a == CODE_LENGTHS || symbol < 256)
                return ENTRY(symbol, 0, BYTE);
        if (symbol == 256)
                return END;
        return symbol - 257 < ARRAY_SIZE(length_base) ? ENTRY(length_base[symbol - 257], length_extra[symbol - 257], 0) : BAD;
}

/* From the code lengths of symbols 0 to n-1, at `from` in z->lengths.  EINVAL: more codes than there can be, or
 * fewer; but one alone may have one bit if `lone`, and none at all is an error only where one is looked for. */
static err_t build(struct inflate *z, struct huffman *h, enum alphabet a, u32 from, u32 n, bool lone)
{
        u16 first[16] = { }, next[16] = { };
        u32 code = 0, longest = 0;
        i32 left = 1;

        for (u32 i = 0; i < 16; i++)
                h->count[i] = 0;
        mbytes_fill(MBYTES_OF(h->fast), 0);
        for (u32 i = 0; i < n; i++)
                h->count[z->lengths[from + i] & 15]++;
        h->count[0] = 0;
        for (u32 len = 1; len < 16; len++) {
                left = left * 2 - h->count[len];
                if (left < 0)
                        return ERR(EINVAL);
                if (h->count[len] > 0)
                        longest = len;
                first[len] = (u16)(first[len - 1] + h->count[len - 1]);
                code = (code + h->count[len - 1]) << 1;
                next[len] = (u16)code;
        }
        if (left > 0 && longest > (lone ? 1 : 0))
                return ERR(EINVAL);
        for (u32 i = 0; i < n; i++) {
                u32 len = z->lengths[from + i] & 15;
                if (len == 0)
                        continue;
                u32 e = entry_of(a, i) | len;
                h->entry[first[len]++] = e;
                u32 c = next[len]++;
                if (len <= HUFFMAN_FAST)
                        for (u32 at = reversed(c, len); at < ARRAY_SIZE(h->fast); at += 1u << len)
                                h->fast[at] = e;
        }
        return OK;
}

/* A code longer than the table's: bit by bit, in the order of codes.  0: there is none such. */
static noinline u32 long_entry(const struct huffman *h, u64 bits)
{
        u32 code = 0, first = 0, index = 0;

        for (u32 len = 1; len < 16; len++) {
                code |= (u32)bits & 1;
                bits >>= 1;
                u32 count = h->count[len];
                if (code < first + count)
                        return h->entry[index + (code - first)];
                index += count;
                first = (first + count) << 1;
                code <<= 1;
        }
        return 0;
}

static inline u32 entry_at(const struct huffman *h, u64 bits)
{
        u32 e = h->fast[bits & (ARRAY_SIZE(h->fast) - 1)];
        return e ? e : long_entry(h, bits);
}

static err_t decode(struct inflate *z, const struct huffman *h, u32 *entry)
{
        (void)need(z, 15);              /* at the end of the input fewer may do; zeros follow: I1 */
        u32 e = entry_at(h, z->bits);
        if (!e || (e & 15) > z->n_bits)
                return z->n_bits < 15 ? ERR(ENODATA) : ERR(EINVAL);
        drop_bits(z, e & 15);
        *entry = e;
        return OK;
}

/* The value of an entry with its extra bits. */
static err_t take_value(struct inflate *z, u32 e, u32 *value)
{
        u32 extra = 0;

        TRY(take_bits(z, e >> 4 & 15, &extra));
        *value = (e >> 16) + extra;
        return OK;
}

/* ---- Output ---- */

static u32 crc_of(const struct inflate *z, bytes b)
{
        usize i = 0, n = bytes_len(b);
        u32 crc = z->crc;

        for (; n - i >= 4; i += 4) {
                u32 w = crc ^ bytes_le32(b, i);
                crc = z->crc_table[3][w & 0xff] ^ z->crc_table[2][w >> 8 & 0xff] ^ z->crc_table[1][w >> 16 & 0xff] ^ z->crc_table[0][w >> 24];
        }
        for (; i < n; i++)
                crc = crc >> 8 ^ z->crc_table[0][(crc ^ bytes_at(b, i)) & 0xff];
        return crc;
}

/* Writes what is new; the window moves to the front when there is no room for more. */
static err_t flush(struct inflate *z)
{
        mbytes out = MBYTES_OF(z->out);
        bytes done = bytes_sub(bytes_const(out), z->flushed, z->at - z->flushed);

        z->crc = crc_of(z, done);
        z->total += bytes_len(done);
        z->flushed = z->at;
        if (bytes_len(done) > 0)
                TRY(z->ops->write(z, done));
        if (z->at >= OUT_LIMIT) {
                mbytes_copy(out, bytes_sub(bytes_const(out), z->at - INFLATE_WINDOW, INFLATE_WINDOW));  /* keeps I2 */
                z->at = INFLATE_WINDOW;
                z->flushed = INFLATE_WINDOW;
        }
        return OK;
}

/* To out[at, at + len), from `distance` before.  Up to seven bytes behind are written over. */
static inline void copy_match(mbytes out, usize at, usize distance, usize len)
{
        usize end = at + len;

        if (distance >= 8) {
                for (; at < end; at += 8)
                        mbytes_put_le64(out, at, bytes_le64(bytes_const(out), at - distance));
        } else if (distance == 1) {
                mbytes_fill(mbytes_sub(out, at, len), mbytes_at(out, at - 1));
        } else {
                for (; at < end; at++)
                        mbytes_put(out, at, mbytes_at(out, at - distance));
        }
}

/* ---- Blocks ---- */

/* Symbols as long as there are eight bytes of input and room for any; *end: the block's end. */
static err_t run(struct inflate *z, bool *end)
{
        mbytes out = MBYTES_OF(z->out);
        bytes in = BYTES_OF(z->in);
        usize at = z->at, in_at = z->in_at, in_len = z->in_len;
        u64 bits = z->bits;             /* above n, further bits of the input may be there already */
        u32 n = z->n_bits;
        bool bad = false;

        while (at < OUT_LIMIT) {
                if (n < 48) {           /* the most that a match takes */
                        if (in_len - in_at < 8)
                                break;
                        bits |= bytes_le64(in, in_at) << n;
                        in_at += (63 - n) >> 3;
                        n |= 56;
                }
                u32 e = entry_at(&z->literals, bits);
                bits >>= e & 15;
                n -= e & 15;
                if (e & BYTE) {
                        mbytes_put(out, at++, (u8)(e >> 16));
                        continue;
                }
                if (!e || e & (END | BAD)) {
                        bad = !(e & END);
                        *end = true;
                        break;
                }
                u32 extra = e >> 4 & 15;
                usize len = (e >> 16) + (bits & ((1u << extra) - 1));
                bits >>= extra;
                n -= extra;
                e = entry_at(&z->distances, bits);
                bits >>= e & 15;
                extra = e >> 4 & 15;
                usize distance = (e >> 16) + (bits & ((1u << extra) - 1));
                bits >>= extra;
                n -= (e & 15) + extra;
                if (distance > at || distance == 0) {   /* keeps I2; 0: no such code, or no such distance */
                        bad = true;
                        break;
                }
                copy_match(out, at, distance, len);
                at += len;
        }
        z->at = (u32)at;
        z->in_at = (u32)in_at;
        z->bits = bits & ((1ul << (n & 63)) - 1);       /* keeps I1 */
        z->n_bits = n & 63;
        return bad ? ERR(EINVAL) : OK;
}

/* One symbol, near the end of the input. */
static err_t one(struct inflate *z, bool *end)
{
        u32 e = 0, len = 0, distance = 0;

        TRY(decode(z, &z->literals, &e));
        if (e & BYTE) {
                z->out[z->at++] = (u8)(e >> 16);
                return OK;
        }
        *end = (e & END) != 0;
        if (e & (END | BAD))
                return *end ? OK : ERR(EINVAL);
        TRY(take_value(z, e, &len));
        TRY(decode(z, &z->distances, &e));
        TRY(take_value(z, e, &distance));
        if (distance > z->at || distance == 0)
                return ERR(EINVAL);     /* keeps I2 */
        copy_match(MBYTES_OF(z->out), z->at, distance, len);
        z->at += len;
        return OK;
}

static err_t coded_block(struct inflate *z)
{
        bool end = false;

        while (!end) {
                if (z->at >= OUT_LIMIT)
                        TRY(flush(z));
                if (z->in_len - z->in_at < 8)
                        more_input(z);
                TRY(run(z, &end));
                if (!end && z->at < OUT_LIMIT && z->in_len - z->in_at < 8 && z->ended)
                        TRY(one(z, &end));
        }
        return OK;
}

static err_t stored_block(struct inflate *z)
{
        u32 len = 0, not_len = 0;

        drop_bits(z, z->n_bits & 7);
        TRY(take_bits(z, 16, &len));
        TRY(take_bits(z, 16, &not_len));
        if ((len ^ not_len) != 0xffff)
                return ERR(EINVAL);
        for (; len > 0 && z->n_bits > 0; len--) {       /* what is in hand already */
                u32 v = 0;
                if (z->at >= OUT_LIMIT)
                        TRY(flush(z));
                TRY(take_bits(z, 8, &v));
                z->out[z->at++] = (u8)v;
        }
        while (len > 0) {
                if (z->at >= OUT_LIMIT)
                        TRY(flush(z));
                if (z->in_at >= z->in_len)
                        more_input(z);
                u32 n = min_u32(min_u32(z->in_len - z->in_at, OUT_LIMIT - z->at), len);
                if (n == 0)
                        return ERR(ENODATA);
                mbytes_copy(mbytes_sub(MBYTES_OF(z->out), z->at, n), bytes_sub(BYTES_OF(z->in), z->in_at, n));
                z->at += n;
                z->in_at += n;
                len -= n;
        }
        return OK;
}

static err_t fixed_codes(struct inflate *z)
{
        for (u32 i = 0; i < 288; i++)
                z->lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
        TRY(build(z, &z->literals, LITERALS, 0, 288, false));
        for (u32 i = 0; i < 32; i++)            /* the last two mean nothing */
                z->lengths[i] = 5;
        return build(z, &z->distances, DISTANCES, 0, 32, false);
}

/* The lengths of n codes, themselves coded. */
static err_t read_lengths(struct inflate *z, u32 n)
{
        u32 i = 0;

        while (i < n) {
                u32 symbol = 0, times = 1, extra = 0;
                u8 value = 0;
                TRY(decode(z, &z->distances, &symbol));
                symbol >>= 16;
                switch (symbol) {
                case 16:
                        if (i == 0)
                                return ERR(EINVAL);
                        value = z->lengths[i - 1];
                        TRY(take_bits(z, 2, &extra));
                        times = 3 + extra;
                        break;
                case 17:
                        TRY(take_bits(z, 3, &extra));
                        times = 3 + extra;
                        break;
                case 18:
                        TRY(take_bits(z, 7, &extra));
                        times = 11 + extra;
                        break;
                default:
                        value = (u8)symbol;
                        break;
                }
                if (times > n - i)
                        return ERR(EINVAL);
                while (times-- > 0)
                        z->lengths[i++] = value;
        }
        return OK;
}

static err_t dynamic_codes(struct inflate *z)
{
        u32 literals = 0, distances = 0, codes = 0;

        TRY(take_bits(z, 5, &literals));
        TRY(take_bits(z, 5, &distances));
        TRY(take_bits(z, 4, &codes));
        literals += 257;
        distances += 1;
        if (literals > 286 || distances > 30)
                return ERR(EINVAL);
        for (u32 i = 0; i < 19; i++)
                z->lengths[i] = 0;
        for (u32 i = 0; i < codes + 4; i++) {
                u32 len = 0;
                TRY(take_bits(z, 3, &len));
                z->lengths[code_order[i]] = (u8)len;
        }
        TRY(build(z, &z->distances, CODE_LENGTHS, 0, 19, false));
        TRY(read_lengths(z, literals + distances));
        if (z->lengths[256] == 0)
                return ERR(EINVAL);
        TRY(build(z, &z->literals, LITERALS, 0, literals, true));
        return build(z, &z->distances, DISTANCES, literals, distances, true);
}

static err_t deflate_stream(struct inflate *z)
{
        u32 last = 0, kind = 0;

        while (!last) {
                TRY(take_bits(z, 1, &last));
                TRY(take_bits(z, 2, &kind));
                if (kind == 0) {
                        TRY(stored_block(z));
                        continue;
                }
                if (kind == 3)
                        return ERR(EINVAL);
                TRY(kind == 1 ? fixed_codes(z) : dynamic_codes(z));
                TRY(coded_block(z));
        }
        return flush(z);
}

/* ---- gzip ---- */

#define GZIP_HCRC    2u
#define GZIP_EXTRA   4u
#define GZIP_NAME    8u
#define GZIP_COMMENT 16u

static err_t skip_string(struct inflate *z)
{
        u32 c = 1;

        while (c != 0)
                TRY(take_bits(z, 8, &c));
        return OK;
}

static err_t gzip_header(struct inflate *z)
{
        u32 magic = 0, method = 0, flags = 0, skip = 0, v = 0;

        TRY(take_bits(z, 16, &magic));
        TRY(take_bits(z, 8, &method));
        TRY(take_bits(z, 8, &flags));
        if (magic != 0x8b1f || method != 8 || (flags & 0xe0) != 0)
                return ERR(EINVAL);
        for (u32 i = 0; i < 6; i++)             /* time, extra flags, system */
                TRY(take_bits(z, 8, &v));
        if (flags & GZIP_EXTRA) {
                TRY(take_bits(z, 16, &skip));
                while (skip-- > 0)
                        TRY(take_bits(z, 8, &v));
        }
        if (flags & GZIP_NAME)
                TRY(skip_string(z));
        if (flags & GZIP_COMMENT)
                TRY(skip_string(z));
        if (flags & GZIP_HCRC)
                TRY(take_bits(z, 16, &v));
        return OK;
}

static void make_crc_table(struct inflate *z)
{
        for (u32 i = 0; i < 256; i++) {
                u32 c = i;
                for (u32 k = 0; k < 8; k++)
                        c = (c & 1) != 0 ? 0xedb88320u ^ c >> 1 : c >> 1;
                z->crc_table[0][i] = c;
        }
        for (u32 k = 1; k < 4; k++)
                for (u32 i = 0; i < 256; i++) {
                        u32 c = z->crc_table[k - 1][i];
                        z->crc_table[k][i] = c >> 8 ^ z->crc_table[0][c & 0xff];
                }
}

err_t inflate_gzip(struct inflate *z)
{
        u32 crc = 0, size = 0;

        if (z->crc_table[0][1] == 0)
                make_crc_table(z);
        z->bits = 0;
        z->n_bits = 0;
        z->at = 0;
        z->flushed = 0;
        z->total = 0;
        z->crc = U32_MAX;
        TRY(gzip_header(z));
        TRY(deflate_stream(z));
        drop_bits(z, z->n_bits & 7);
        TRY(take_bits(z, 32, &crc));
        TRY(take_bits(z, 32, &size));
        return crc == ~z->crc && size == (u32)z->total ? OK : ERR(EBADMSG);
}
