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

#define INFLATE_WINDOW 32768u           /* how far back a match may reach */
#define INFLATE_OUT    40960u           /* the window and what is decoded between two writes */
#define INFLATE_IN     4096u
#define HUFFMAN_FAST   10u              /* bits decoded by one look into the table */

/* An entry says what a code means: its length (bits 0 to 3), how many extra bits follow (4 to 7), its kind
 * (8 to 10), the value they are added to (from 16 on). 0: no entry. */
struct huffman {
        u32 fast[1u << HUFFMAN_FAST];   /* by the next bits of the input; 0: a longer code */
        u32 entry[288];                 /* in order of code */
        u16 count[16];                  /* codes of each length */
};

BASE(inflate) {
        const struct inflate_ops *ops;
        u64 bits;                       /* not yet used, lowest first */
        u32 n_bits;
        u32 in_at, in_len;              /* of in */
        bool ended;                     /* the input has */
        u32 at;                         /* where in out the next byte goes */
        u32 flushed;                    /* out up to here has been written */
        u64 total;                      /* bytes written */
        u32 crc;
        struct huffman literals, distances;
        u8  lengths[320];
        u8  in[INFLATE_IN];
        u8  out[INFLATE_OUT];
        u32 crc_table[4][256];
};

/* Is this the beginning of a gzip member? */
static inline bool inflate_is_gzip(bytes b) { return bytes_len(b) >= 2 && bytes_at(b, 0) == 0x1f && bytes_at(b, 1) == 0x8b; }
err_t inflate_gzip(struct inflate *z);
