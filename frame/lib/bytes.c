/* SPDX-License-Identifier: Apache-2.0
 *
 * Moving and comparing bytes; the names the compiler calls.
 *
 * Words are moved as words wherever both sides are aligned, so that a copy of typed data never
 * shows half a pointer (SAFE-C.md, 5.9).  Not rep movsb: it is slow where ERMS is absent.
 */
#include "frame/frame.h"
#include "lib.h"

typedef u64 word __attribute__((aligned(1), may_alias));
typedef u32 half __attribute__((aligned(1), may_alias));
typedef u16 quarter __attribute__((aligned(1), may_alias));
/* SAFETY: B1. */
#define W(p, off) (*(volatile word *)((u8 *)(p) + (off)))
#define H(p, off) (*(volatile half *)((u8 *)(p) + (off)))
#define Q(p, off) (*(volatile quarter *)((u8 *)(p) + (off)))
#define STRING_FROM 128                 /* bytes from which rep movsq and stosq win on real processors */

void *memcpy(void *dst, const void *src, usize n);
void *memmove(void *dst, const void *src, usize n);
void *memset(void *dst, int c, usize n);
int   memcmp(const void *a, const void *b, usize n);

/* All sizes below 33: everything is loaded before anything is stored, so overlap does no harm. */
/* SAFETY: B1. */
static inline void small_copy(void *d, const void *s, usize n)
{
        if (n >= 16) {
                u64 a = W(s, 0), b = W(s, 8), c = W(s, n - 16), e = W(s, n - 8);
                W(d, 0) = a;
                W(d, 8) = b;
                W(d, n - 16) = c;
                W(d, n - 8) = e;
        } else if (n >= 8) {
                u64 a = W(s, 0), b = W(s, n - 8);
                W(d, 0) = a;
                W(d, n - 8) = b;
        } else if (n >= 4) {
                u32 a = H(s, 0), b = H(s, n - 4);
                H(d, 0) = a;
                H(d, n - 4) = b;
        } else if (n >= 2) {
                u16 a = Q(s, 0), b = Q(s, n - 2);
                Q(d, 0) = a;
                Q(d, n - 2) = b;
        } else if (n) {
                *(u8 *)d = *(const u8 *)s;
        }
}

void *memcpy(void *dst, const void *src, usize n)
{
        void *d = dst;

        if (n <= 32) {
                small_copy(d, src, n);
        } else if (n < STRING_FROM) {
                usize i = 0;
                for (; i + 16 <= n; i += 16) {
                        u64 a = W(src, i), b = W(src, i + 8);
                        W(d, i) = a;
                        W(d, i + 8) = b;
                }
                small_copy((u8 *)d + i, (const u8 *)src + i, n - i);
        } else {
                usize words = n / 8, rest = n & 7;
                const void *s = src;
                /* SAFETY: B1: the caller vouches for n bytes on both sides; copied words do not overrun them */
                __asm__ volatile ("rep movsq" : "+D"(d), "+S"(s), "+c"(words) :: "memory");
                small_copy(d, s, rest);
        }
        return dst;
}

void *memmove(void *dst, const void *src, usize n)
{
        if ((u64)dst - (u64)src >= n)           /* dst is below src, or beyond its end */
                return memcpy(dst, src, n);     /* which goes upward, and loads before it stores */
        usize i = n;

        for (; i >= 8; i -= 8)
                W(dst, i - 8) = W(src, i - 8);
        small_copy(dst, src, i);
        return dst;
}

/* SAFETY: B1. */
void *memset(void *dst, int c, usize n)
{
        u64 v = (u8)c * 0x0101010101010101ul;
        u8 *d = dst;

        if (n >= STRING_FROM) {
                usize words = n / 8;
                void *to = d;
                __asm__ volatile ("rep stosq" : "+D"(to), "+c"(words) : "a"(v) : "memory");
                d += n & ~7ul;
                n &= 7;
        }
        for (; n >= 8; n -= 8, d += 8)
                W(d, 0) = v;
        if (n >= 4) {
                H(d, 0) = (u32)v;
                d += 4;
                n -= 4;
        }
        for (; n; n--)
                *(volatile u8 *)d++ = (u8)v;
        return dst;
}

int memcmp(const void *a, const void *b, usize n)
{
        const u8 *x = a, *y = b;
        usize i = 0;

        for (; i + 8 <= n; i += 8)
                if (W(x, i) != W(y, i))
                        break;
        for (; i < n; i++)
                if (x[i] != y[i])
                        return (int)x[i] - (int)y[i];
        return 0;
}

/* ---- slices ---- */

usize mbytes_copy(mbytes dst, bytes src)
{
        usize n = min_u64(dst.n_k, src.n_k);

        if (n <= 32)
                small_copy(dst.p_k, src.p_k, n);
        else
                memmove(dst.p_k, src.p_k, n);
        return n;
}

void mbytes_fill(mbytes dst, u8 value) { memset(dst.p_k, value, dst.n_k); }
bool bytes_eq(bytes a, bytes b)
{
        const u8 *x = a.p_k, *y = b.p_k;
        usize n = a.n_k, i = 0;

        if (n != b.n_k)
                return false;
        if (n >= 8) {
                for (; i + 8 < n; i += 8)
                        if (W(x, i) != W(y, i))
                                return false;
                return W(x, n - 8) == W(y, n - 8);
        }
        if (n >= 4)
                return H(x, 0) == H(y, 0) && H(x, n - 4) == H(y, n - 4);
        return !n || (x[0] == y[0] && x[n / 2] == y[n / 2] && x[n - 1] == y[n - 1]);
}

int bytes_cmp(bytes a, bytes b)
{
        int d = memcmp(a.p_k, b.p_k, min_u64(a.n_k, b.n_k));
        return d ? d : a.n_k < b.n_k ? -1 : a.n_k > b.n_k;
}

bool bytes_starts(bytes b, bytes prefix)
{ return b.n_k >= prefix.n_k && memcmp(b.p_k, prefix.p_k, prefix.n_k) == 0; }

usize bytes_find(bytes b, u8 value)
{
        u64 ones = 0x0101010101010101ul, v = ones * value;
        usize i = 0;

        for (; i + 8 <= b.n_k; i += 8) {
                u64 x = W(b.p_k, i) ^ v, zero = (x - ones) & ~x & ones << 7;
                if (zero)               /* its lowest bit is the first zero byte's */
                        return i + (u32)__builtin_ctzl(zero) / 8;
        }
        for (; i < b.n_k && b.p_k[i] != value; i++)
                ;
        return i;
}

usize bytes_rfind(bytes b, u8 value)
{
        for (usize i = b.n_k; i-- > 0; )
                if (b.p_k[i] == value)
                        return i;
        return b.n_k;
}

/* ---- hashing, keyed at boot so that nobody outside can aim at one chain ---- */

u64 k_hash_key[2] = { 0x9e3779b97f4a7c15ul, 0xd1b54a32d192ed03ul };
void hash_init(void)
{
        u64 seed[ENTROPY_SEED / 8];

        entropy_seed(MBYTES_OF(seed));
        for (u32 i = 0; i < ENTROPY_SEED / 8; i++)
                k_hash_key[i % 2] = k_mix(k_hash_key[i % 2] ^ seed[i], 0x9e3779b97f4a7c15ul);
}

u32 hash_u64(u64 v) { return (u32)(k_mix(v ^ k_hash_key[0], k_hash_key[1] | 1) >> 16); }

/* The n < 8 bytes at p + i of p's `all`, zeros above.  SAFETY: B1: i + n <= all. */
static inline u64 last_word(const u8 *p, usize i, usize n, usize all)
{
        if (n == 0)
                return 0;
        if (all >= 8)
                return W(p, i + n - 8) >> (64 - 8 * n);
        if (n >= 4)
                return H(p, i) | (u64)H(p, i + n - 4) << 8 * (n - 4);
        return p[i] | (u64)p[i + n / 2] << 8 * (n / 2) | (u64)p[i + n - 1] << 8 * (n - 1);
}

/* tops: the top bits of the bytes of a word, or 0: nothing ends it. */
static inline struct bytes_part part(bytes b, u8 end, u64 tops)
{
        u64 ones = 0x0101010101010101ul, v = ones * end, h = k_hash_key[0];

        for (usize i = 0;; i += 8) {
                usize left = b.n_k - i, n = left;
                u64 w = left >= 8 ? W(b.p_k, i) : last_word(b.p_k, i, left, b.n_k);
                u64 x = w ^ v, hit = (x - ones) & ~x & tops;

                if (hit)                /* its lowest bit is the first such byte's */
                        n = min_u64(left, (u32)__builtin_ctzl(hit) / 8);
                else if (left >= 8) {
                        h = k_mix(h ^ w, k_hash_key[1] | 1);
                        continue;
                }
                return (struct bytes_part){ (u32)(i + n), k_hash_end(h, w, n & 7, i + n) };
        }
}

struct bytes_part k_bytes_part(bytes b, u8 end) { return part(b, end, 0x8080808080808080ul); }
u32 bytes_hash(bytes b) { return part(b, 0, 0).hash; }

/* ---- 128-bit arithmetic ---- */

u64 mul_div(u64 a, u64 b, u64 d)
{
        unsigned __int128 m = (unsigned __int128)a * b;
        u64 hi = (u64)(m >> 64), lo = (u64)m, rest;

        if (d == 0)
                __builtin_trap();
        hi %= d;                                /* what does not fit in 64 bits is cut off */
        __asm__ ("divq %4" : "=a"(lo), "=d"(rest) : "0"(lo), "1"(hi), "r"(d) : "cc");
        return lo;
}
