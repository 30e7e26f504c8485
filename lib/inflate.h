/* SPDX-License-Identifier: Apache-2.0
 *
 * Inflate: RFC 1951 (deflate) in the wrapping of RFC 1952 (gzip), streaming.
 *
 * The user embeds the BASE first in an OBJECT of its own, gives it two functions, and calls
 * inflate_gzip for each member:
 *
 *      OBJECT(unpack) { struct inflate base; … };
 *      u->base.ops = &ops;
 *      err = inflate_gzip(&u->base);
 *
 * Input is taken in chunks into `in`; what a member did not use stays there, from in_at to
 * in_len.  Any input is safe: bad data is EINVAL, a wrong checksum or
 * length EBADMSG, input that ends too soon ENODATA.
 */
#pragma once

BASE(inflate);

/* read: the next chunk of input into buf; its length, 0 at the end.
 * write: takes decoded bytes; an error ends the decoding. */
STABLE(inflate_ops) {
        usize (*read)(struct inflate *z, mbytes buf);
        err_t (*write)(struct inflate *z, bytes data);
};

#define INFLATE_WINDOW 32768u
#define INFLATE_IN     4096u
#define HUFFMAN_FAST   9u               /* bits decoded by one look into the table */

struct huffman {
        u16 fast[1u << HUFFMAN_FAST];   /* symbol << 4 | length; 0: a longer code */
        u16 count[16];                  /* codes of each length */
        u16 symbol[288];                /* in order of code */
};

BASE(inflate) {
        const struct inflate_ops *ops;
        u64 bits;                       /* not yet used, lowest first */
        u32 n_bits;
        u32 in_at, in_len;              /* of in */
        bool ended;                     /* the input has */
        u32 at;                         /* where in the window the next byte goes */
        u32 flushed;                    /* the window up to here has been written */
        u64 total;
        u32 crc;
        struct huffman literals, distances;
        u8  lengths[320];
        u8  in[INFLATE_IN];
        u8  window[INFLATE_WINDOW];
        u32 crc_table[256];
};

/* Is this the beginning of a gzip member? */
static inline bool inflate_is_gzip(bytes b) { return bytes_len(b) >= 2 && bytes_at(b, 0) == 0x1f && bytes_at(b, 1) == 0x8b; }
err_t inflate_gzip(struct inflate *z);
