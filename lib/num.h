/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers from text and to text.
 */
#pragma once
#include "lib/cursor.h"

/* The number that `text` is, whole, in this base (8, 10 or 16, without prefix); false: it is none, or too large. */
static inline bool num_parse(bytes text, u32 base, u64 *out)
{
        u64 v = 0;

        if (bytes_len(text) == 0)
                return false;
        for (usize i = 0; i < bytes_len(text); i++) {
                u32 c = bytes_at(text, i), d = base;
                if (c >= '0' && c <= '9')
                        d = c - '0';
                else if ((c | 32) >= 'a' && (c | 32) <= 'f')
                        d = (c | 32) - 'a' + 10;
                if (d >= base || mul_overflows(v, base) || add_overflows(v * base, d))
                        return false;
                v = v * base + d;
        }
        *out = v;
        return true;
}

/* As C writes them: 0x… hexadecimal, 0… octal, decimal. */
static inline bool num_parse_c(bytes text, u64 *out)
{
        if (bytes_len(text) > 2 && bytes_at(text, 0) == '0' && (bytes_at(text, 1) | 32) == 'x')
                return num_parse(bytes_skip(text, 2), 16, out);
        if (bytes_len(text) > 1 && bytes_at(text, 0) == '0')
                return num_parse(bytes_skip(text, 1), 8, out);
        return num_parse(text, 10, out);
}

/* With an optional sign. */
static inline bool num_parse_signed(bytes text, i64 *out)
{
        bool minus = bytes_len(text) > 0 && bytes_at(text, 0) == '-';
        u64 v = 0;

        if (minus || (bytes_len(text) > 0 && bytes_at(text, 0) == '+'))
                text = bytes_skip(text, 1);
        if (!num_parse(text, 10, &v) || v > (u64)I64_MAX + (minus ? 1 : 0))
                return false;
        *out = minus ? (i64)(0 - v) : (i64)v;
        return true;
}

/* A size with an optional suffix k, m, g, t, p, e (any case). */
static inline bool num_parse_size(bytes text, u64 *out)
{
        u32 shift = 0;
        usize n = bytes_len(text);

        if (n > 0) {
                switch (bytes_at(text, n - 1) | 32) {
                case 'k': shift = 10; break;
                case 'm': shift = 20; break;
                case 'g': shift = 30; break;
                case 't': shift = 40; break;
                case 'p': shift = 50; break;
                case 'e': shift = 60; break;
                default: break;
                }
                if (shift)
                        text = bytes_take(text, n - 1);
        }
        if (!num_parse_c(text, out) || (shift && *out >> (64 - shift) != 0))
                return false;
        *out <<= shift;
        return true;
}

/* At least `width` digits, filled up with zeros. */
static inline void num_write(struct writer *w, u64 v, u64 base, u32 width)
{
        u8 digit[64];
        u32 n = 0;

        while (v != 0 || n == 0) {
                u32 d = (u32)(v % base);
                digit[n++] = (u8)(d < 10 ? '0' + d : 'a' + d - 10);
                v /= base;
        }
        for (; width > n; width--)
                writer_u8(w, '0');
        while (n > 0)
                writer_u8(w, digit[--n]);
}
