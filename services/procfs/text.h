/* SPDX-License-Identifier: Apache-2.0
 *
 * A text that grows: what a /proc file says, made whole when it is first read.
 */
#pragma once

#define TEXT_PART  16384u
#define TEXT_PARTS 128u                 /* 2 MiB: what does not fit is cut; files that may grow longer are in parts */
#define TEXT_PART_ENOUGH 8192u          /* what a file in parts (proc_entry.part) makes at once */
#define TEXT_PART_LONG (16 * TEXT_PART) /* of one where each part walks over all before it */

OBJECT(text) {
        u64   len;
        bool  failed;                   /* out of memory, or cut */
        struct payer *payer;            /* counted, or NULL */
        struct blob *part[TEXT_PARTS];  /* counted */
};
POOL_DECLARE(text)

struct text *text_new(struct payer *payer);             /* NULL: no memory */
void  text_clear(struct text *t);
void  text_add(struct text *t, bytes b);
/* On one line: what stands for a newline and for a backslash is added instead of it. */
void  text_add_line(struct text *t, bytes b, bytes newline, bytes backslash);
void  text_number(struct text *t, u64 v, u32 width);    /* right-aligned in width columns */
void  text_hex(struct text *t, u64 v, u32 digits);      /* at least this many digits, zero-filled */
void  text_char(struct text *t, u8 c);
/* Copies [*pos, …) of it to io and advances *pos. EFAULT. */
struct io;
err_t text_read(struct text *t, struct io *io, u64 *pos);

/* A NUL-padded field without its padding. */
static inline bytes padded(bytes b) { return bytes_take(b, bytes_find(b, 0)); }

/* A number as Linux's settings take them: blanks around it, a sign; base 0: 0x and 0 as in C. */
bool text_parse_i64(bytes text, u32 base, i64 *out);

/* A number as sysctl(8)'s files take it: blanks before it, '-', digits as in C; what follows behind a blank does not count. */
bool text_parse_setting(bytes text, bool *minus, u64 *out);

/* Four numbers below 2^31, as in C, with blanks between: as many as are given, one at least, from the first on. */
struct text_four { u32 v[4]; };
bool text_parse_four(bytes text, struct text_four *f);

/* SAY(t, "pid {} {}\n", nr, name): formatted as klog does it; at most 400 bytes. */
#define SAY(t, ...) do { u8 line[400] = {}; \
        text_add((t), bytes_take(BYTES_OF(line), format(MBYTES_OF(line), __VA_ARGS__))); } while (0)
