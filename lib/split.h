/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking text apart: path components, comma-separated options, words.
 */
#pragma once

/* The first component of a path without leading slashes; *rest is what follows it, without the
 * slashes between; *slashed: at least one slash followed. */
static inline bytes split_component(bytes path, bytes *rest, bool *slashed)
{
        usize n = bytes_find(path, '/');
        bytes name = bytes_take(path, n);

        path = bytes_skip(path, n);
        *slashed = bytes_len(path) > 0;
        while (bytes_len(path) > 0 && bytes_at(path, 0) == '/')
                path = bytes_skip(path, 1);
        *rest = path;
        return name;
}

/* The part before `sep`; *rest: after it. */
static inline bytes split_at(bytes text, u8 sep, bytes *rest)
{
        usize n = bytes_find(text, sep);
        *rest = n < bytes_len(text) ? bytes_skip(text, n + 1) : bytes_skip(text, n);
        return bytes_take(text, n);
}

/* "name=value" → name; *value: after '=', *has: there was one. */
static inline bytes split_option(bytes word, bytes *value, bool *has)
{
        usize n = bytes_find(word, '=');
        *has = n < bytes_len(word);
        *value = *has ? bytes_skip(word, n + 1) : bytes_skip(word, n);
        return bytes_take(word, n);
}

/* A name kept in a NUL-padded array. */
static inline bytes split_nul(bytes padded) { return bytes_take(padded, bytes_find(padded, 0)); }
