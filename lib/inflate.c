/* SPDX-License-Identifier: Apache-2.0
 *
 * Inflate, as RFC 1951 and 1952 describe it.  See inflate.h.
 *
 * Invariants  I1  n_bits <= 63, and bits above them are 0.
 *             I2  window bytes before `total` that are less than 32768 behind `at` are output; a
 *                 distance that reaches further back is refused.
 */
#include "lib/inflate.h"

/* ---- Bits ---- */

static bool next_byte(struct inflate *z, u8 *out)
{
        if (z->in_at >= z->in_len) {
                if (z->ended)
                        return false;
                z->in_len = (u32)min_u64(z->ops->read(z, MBYTES_OF(z->in)), INFLATE_IN);
                z->in_at = 0;
                z->ended = z->in_len == 0;
                if (z->ended)
                        return false;
        }
        *out = z->in[z->in_at++];
        return true;
}

/* At least n (<= 32) bits in hand; false: the input has ended. */
static bool need(struct inflate *z, u32 n)
{
        u8 b = 0;

        while (z->n_bits < n) {
                if (!next_byte(z, &b))
                        return false;
                z->bits |= (u64)b << z->n_bits;
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

/* From the code lengths of symbols 0 to n-1, at `from` in z->lengths.  EINVAL: more codes than there can be, or
 * fewer; but one alone may have one bit if `lone`, and none at all is an error only where one is looked for. */
static err_t build(struct inflate *z, struct huffman *h, u32 from, u32 n, bool lone)
{
        u16 first[16] = { }, next[16] = { };
        u32 code = 0, longest = 0;
        i32 left = 1;

        for (u32 i = 0; i < 16; i++)
                h->count[i] = 0;
        for (u32 i = 0; i < ARRAY_SIZE(h->fast); i++)
                h->fast[i] = 0;
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
                h->symbol[first[len]++] = (u16)i;
                u32 c = next[len]++;
                if (len <= HUFFMAN_FAST)
                        for (u32 at = reversed(c, len); at < ARRAY_SIZE(h->fast); at += 1u << len)
                                h->fast[at] = (u16)(i << 4 | len);
        }
        return OK;
}

/* A code longer than the table's: bit by bit, in the order of codes. */
static err_t decode_long(struct inflate *z, const struct huffman *h, u32 *symbol)
{
        u32 code = 0, first = 0, index = 0;

        for (u32 len = 1; len < 16; len++) {
                if (!need(z, len))
                        return ERR(ENODATA);
                code |= (u32)(z->bits >> (len - 1) & 1);
                u32 count = h->count[len];
                if (code < first + count) {
                        drop_bits(z, len);
                        *symbol = h->symbol[index + (code - first)];
                        return OK;
                }
                index += count;
                first = (first + count) << 1;
                code <<= 1;
        }
        return ERR(EINVAL);
}

static inline err_t decode(struct inflate *z, const struct huffman *h, u32 *symbol)
{
        if (z->n_bits < 15)
                (void)need(z, 15);      /* at the end of the input fewer may do */
        u32 e = h->fast[z->bits & (ARRAY_SIZE(h->fast) - 1)];
        if (e == 0 || (e & 15) > z->n_bits)
                return decode_long(z, h, symbol);
        drop_bits(z, e & 15);
        *symbol = e >> 4;
        return OK;
}

/* ---- Output ---- */

static err_t flush(struct inflate *z)
{
        bytes done = bytes_sub(BYTES_OF(z->window), z->flushed, z->at - z->flushed);
        u32 crc = z->crc;

        for (usize i = 0; i < bytes_len(done); i++)
                crc = crc >> 8 ^ z->crc_table[(crc ^ bytes_at(done, i)) & 0xff];
        z->crc = crc;
        z->flushed = z->at;
        if (bytes_len(done) > 0)
                TRY(z->ops->write(z, done));
        if (z->at == INFLATE_WINDOW) {
                z->at = 0;
                z->flushed = 0;
        }
        return OK;
}

static inline err_t put(struct inflate *z, u8 v)
{
        z->window[z->at++ & (INFLATE_WINDOW - 1)] = v;
        z->total++;
        return z->at == INFLATE_WINDOW ? flush(z) : OK;
}

static err_t copy_back(struct inflate *z, u32 distance, u32 len)
{
        if (distance > z->total || distance > INFLATE_WINDOW)
                return ERR(EINVAL);     /* keeps I2 */
        while (len > 0) {
                u32 from = (z->at - distance) & (INFLATE_WINDOW - 1);
                u32 n = INFLATE_WINDOW - (from > z->at ? from : z->at);
                n = min_u32(n, len);
                for (u32 i = 0; i < n; i++)
                        z->window[(z->at + i) & (INFLATE_WINDOW - 1)] = z->window[(from + i) & (INFLATE_WINDOW - 1)];
                z->at += n;
                z->total += n;
                len -= n;
                if (z->at == INFLATE_WINDOW)
                        TRY(flush(z));
        }
        return OK;
}

/* ---- Blocks ---- */

static const u16 length_base[29] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258 };
static const u8 length_extra[29] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
static const u16 distance_base[30] = { 1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
                                       4097, 6145, 8193, 12289, 16385, 24577 };
static const u8 distance_extra[30] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13 };
static const u8 code_order[19] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };

static err_t copy_match(struct inflate *z, u32 symbol)
{
        u32 extra = 0, code = 0, distance = 0;

        if (symbol - 257 >= ARRAY_SIZE(length_base))
                return ERR(EINVAL);
        TRY(take_bits(z, length_extra[symbol - 257], &extra));
        u32 len = length_base[symbol - 257] + extra;
        TRY(decode(z, &z->distances, &code));
        if (code >= ARRAY_SIZE(distance_base))
                return ERR(EINVAL);
        TRY(take_bits(z, distance_extra[code], &distance));
        return copy_back(z, distance_base[code] + distance, len);
}

static err_t coded_block(struct inflate *z)
{
        for (;;) {
                u32 symbol = 0;
                TRY(decode(z, &z->literals, &symbol));
                if (symbol < 256)
                        TRY(put(z, (u8)symbol));
                else if (symbol == 256)
                        return OK;
                else
                        TRY(copy_match(z, symbol));
        }
}

static err_t stored_block(struct inflate *z)
{
        u32 len = 0, not_len = 0;

        drop_bits(z, z->n_bits & 7);
        TRY(take_bits(z, 16, &len));
        TRY(take_bits(z, 16, &not_len));
        if ((len ^ not_len) != 0xffff)
                return ERR(EINVAL);
        while (len-- > 0) {
                u32 v = 0;
                TRY(take_bits(z, 8, &v));
                TRY(put(z, (u8)v));
        }
        return OK;
}

static err_t fixed_codes(struct inflate *z)
{
        for (u32 i = 0; i < 288; i++)
                z->lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
        TRY(build(z, &z->literals, 0, 288, false));
        for (u32 i = 0; i < 32; i++)            /* the last two mean nothing */
                z->lengths[i] = 5;
        return build(z, &z->distances, 0, 32, false);
}

/* The lengths of n codes, themselves coded. */
static err_t read_lengths(struct inflate *z, u32 n)
{
        u32 i = 0;

        while (i < n) {
                u32 symbol = 0, times = 1, extra = 0;
                u8 value = 0;
                TRY(decode(z, &z->distances, &symbol));
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
        TRY(build(z, &z->distances, 0, 19, false));
        TRY(read_lengths(z, literals + distances));
        if (z->lengths[256] == 0)
                return ERR(EINVAL);
        TRY(build(z, &z->literals, 0, literals, true));
        return build(z, &z->distances, literals, distances, true);
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
                z->crc_table[i] = c;
        }
}

err_t inflate_gzip(struct inflate *z)
{
        u32 crc = 0, size = 0;

        if (z->crc_table[1] == 0)
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
