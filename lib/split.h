/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking text apart: path components, comma-separated options, words.
 */
#pragma once

/* `head`, and what follows the separator; found: there was one. */
struct split { bytes head, rest; bool found; };

/* The first component of a path without leading slashes; rest is without the slashes between. */
static inline struct split split_component(bytes path)
{
        usize n = bytes_find(path, '/');
        bytes rest = bytes_skip(path, n);
        struct split s = { .head = bytes_take(path, n), .found = bytes_len(rest) > 0 };

        while (bytes_len(rest) > 0 && bytes_at(rest, 0) == '/')
                rest = bytes_skip(rest, 1);
        s.rest = rest;
        return s;
}

static inline struct split split_at(bytes text, u8 sep)
{
        usize n = bytes_find(text, sep);
        struct split s = { .head = bytes_take(text, n), .found = n < bytes_len(text) };

        s.rest = bytes_skip(text, s.found ? n + 1 : n);
        return s;
}

/* The next one that is not empty; head is empty when there is none any more. */
static inline struct split split_nonempty(bytes text, u8 sep)
{
        while (bytes_len(text) > 0 && bytes_at(text, 0) == sep)
                text = bytes_skip(text, 1);
        return split_at(text, sep);
}

/* A name kept in a NUL-padded array. */
static inline bytes split_nul(bytes padded) { return bytes_take(padded, bytes_find(padded, 0)); }
