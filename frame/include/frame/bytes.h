/* SPDX-License-Identifier: Apache-2.0
 *
 * Slices of untyped bytes, and the doors between bytes and POD values.
 * A slice is a borrow: it lives on the stack only.  Every accessor checks its
 * range and traps outside it; none fails silently.
 */
#pragma once

typedef struct K_OPAQUE K_BORROW bytes  { const u8 *p_k; usize n_k; } bytes;   /* read only */
typedef struct K_OPAQUE K_BORROW mbytes { u8 *p_k; usize n_k; } mbytes;        /* writable */

static inline bytes  k_bytes(const void *p K_POD, usize n)  { return (bytes){ p, n }; }
static inline mbytes k_mbytes(void *p K_MPOD, usize n)      { return (mbytes){ p, n }; }

/* A string literal as a slice, without its NUL. */
#define STR(LITERAL)      k_bytes("" LITERAL "", sizeof(LITERAL) - 1)
/* The bytes of a POD lvalue (an integer, array or struct without pointers). */
#define BYTES_OF(lvalue)  k_bytes(&(lvalue), sizeof(lvalue))
#define MBYTES_OF(lvalue) k_mbytes(&(lvalue), sizeof(lvalue))
#define NO_BYTES          k_bytes("", 0)
#define NO_MBYTES         ((mbytes){ })

static inline void k_range(bool in_range) { if (__builtin_expect(!in_range, 0)) __builtin_trap(); }

SAFE_API static inline usize bytes_len(bytes b)   { return b.n_k; }
SAFE_API static inline usize mbytes_len(mbytes b) { return b.n_k; }
SAFE_API static inline bytes bytes_const(mbytes b) { return (bytes){ b.p_k, b.n_k }; }

/* sub: [off, off+len); skip: without the first n; take: the first n. */
SAFE_API static inline bytes bytes_sub(bytes b, usize off, usize len)
{ k_range(off <= b.n_k && len <= b.n_k - off); return (bytes){ b.p_k + off, len }; }
SAFE_API static inline bytes bytes_skip(bytes b, usize n) { k_range(n <= b.n_k); return (bytes){ b.p_k + n, b.n_k - n }; }
SAFE_API static inline bytes bytes_take(bytes b, usize n) { k_range(n <= b.n_k); return (bytes){ b.p_k, n }; }
SAFE_API static inline mbytes mbytes_sub(mbytes b, usize off, usize len)
{ k_range(off <= b.n_k && len <= b.n_k - off); return (mbytes){ b.p_k + off, len }; }
SAFE_API static inline mbytes mbytes_skip(mbytes b, usize n) { k_range(n <= b.n_k); return (mbytes){ b.p_k + n, b.n_k - n }; }
SAFE_API static inline mbytes mbytes_take(mbytes b, usize n) { k_range(n <= b.n_k); return (mbytes){ b.p_k, n }; }

SAFE_API static inline u8 bytes_at(bytes b, usize i)   { k_range(i < b.n_k); return b.p_k[i]; }
SAFE_API static inline u8 mbytes_at(mbytes b, usize i) { k_range(i < b.n_k); return b.p_k[i]; }
SAFE_API static inline void mbytes_put(mbytes b, usize i, u8 v) { k_range(i < b.n_k); b.p_k[i] = v; }

/* Copies min(len) bytes and returns how many; the slices may overlap. */
SAFE_API usize mbytes_copy(mbytes dst, bytes src);
SAFE_API void  mbytes_fill(mbytes dst, u8 value);
SAFE_API bool  bytes_eq(bytes a, bytes b);
SAFE_API int   bytes_cmp(bytes a, bytes b);             /* as memcmp, then by length: <0, 0, >0 */
SAFE_API bool  bytes_starts(bytes b, bytes prefix);
SAFE_API usize bytes_find(bytes b, u8 value);           /* index, or bytes_len(b) */
SAFE_API usize bytes_rfind(bytes b, u8 value);          /* last index, or bytes_len(b) */
SAFE_API u32   bytes_hash(bytes b);                     /* keyed at boot; for hash tables */
SAFE_API u32   hash_u64(u64 v);                         /* the same for one word */
/* What comes before the first `end` (or all of b): its length and bytes_hash. */
struct bytes_part { u32 len; u32 hash; };
struct bytes_part k_bytes_part(bytes b, u8 end);
extern u64 k_hash_key[2];
/* One keyed multiply to 128 bits, folded. */
static inline u64 k_mix(u64 a, u64 b) { unsigned __int128 m = (unsigned __int128)a * b; return (u64)m ^ (u64)(m >> 64); }
/* The hash of `len` bytes: h of all whole words, and the first n < 8 bytes of the last. */
static inline u32 k_hash_end(u64 h, u64 last, u64 n, u64 len)
{ return (u32)(k_mix(h ^ (last & ((1ul << 8 * n) - 1)), (k_hash_key[1] | 1) + k_hash_key[0] * 2 + len * 2) >> 16); }
SAFE_API static inline struct bytes_part bytes_part(bytes b, u8 end)
{
        u64 w, x, hit, n, ones = 0x0101010101010101ul;
        if (b.n_k < 8)
                return k_bytes_part(b, end);
        __builtin_memcpy(&w, b.p_k, 8);
        x = w ^ ones * end;
        hit = (x - ones) & ~x & ones << 7;
        if (!hit)
                return k_bytes_part(b, end);
        n = (u64)__builtin_ctzl(hit) / 8;
        return (struct bytes_part){ (u32)n, k_hash_end(k_hash_key[0], w, n, n) };
}

/* Little- and big-endian integers at an offset; checked, any alignment. */
#define K_GET(name, T, swap) \
SAFE_API static inline T bytes_##name(bytes b, usize off) \
{ T v; k_range(off <= b.n_k && sizeof v <= b.n_k - off); __builtin_memcpy(&v, b.p_k + off, sizeof v); return swap(v); } \
SAFE_API static inline void mbytes_put_##name(mbytes b, usize off, T v) \
{ k_range(off <= b.n_k && sizeof v <= b.n_k - off); v = swap(v); __builtin_memcpy(b.p_k + off, &v, sizeof v); }
K_GET(le16, u16, ) K_GET(le32, u32, ) K_GET(le64, u64, )
K_GET(be16, u16, __builtin_bswap16) K_GET(be32, u32, __builtin_bswap32) K_GET(be64, u64, __builtin_bswap64)
#undef K_GET

/* POD_READ(&value, b): fills a POD value from the start of b; traps if b is shorter.
 * POD_WRITE(b, value): the other way, whole; lvalue only. */
#define POD_READ(pvalue, b)   k_pod_read((pvalue), sizeof *(pvalue), (b))
#define POD_WRITE(b, lvalue)  k_pod_write((b), &(lvalue), sizeof(lvalue))
static inline void k_pod_read(void *p K_MPOD, usize n, bytes b)
{ k_range(n <= b.n_k); __builtin_memcpy(p, b.p_k, n); }
static inline void k_pod_write(mbytes b, const void *p K_POD, usize n)
{ k_range(n <= b.n_k); __builtin_memcpy(b.p_k, p, n); }

/* Small byte stores on the heap: names, paths, argument blocks.  The storage of
 * a blob never becomes anything but blob bytes of the same capacity, so a slice
 * of it stays valid memory for ever (its content is the owner's while held). */
#define BLOB_MAX 65536u
OBJECT(blob);
struct payer;
SAFE_API struct blob *blob_alloc(struct payer *payer, usize capacity);   /* zeroed, count 1; NULL: no memory or > BLOB_MAX */
SAFE_API struct blob *blob_copy(struct payer *payer, bytes content);
SAFE_API struct blob *blob_hold(struct blob *b);
SAFE_API void   blob_drop(struct blob *b);               /* NULL is ignored */
SAFE_API bytes  blob_bytes(struct blob *b);              /* [0, length) */
SAFE_API mbytes blob_mbytes(struct blob *b);             /* [0, capacity) */
SAFE_API usize  blob_len(struct blob *b);                /* content length; capacity at first */
SAFE_API void   blob_set_len(struct blob *b, usize n);   /* n <= capacity, or traps */
