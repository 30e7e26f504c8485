/* SPDX-License-Identifier: Apache-2.0
 *
 * lib's containers against arrays that say the same, under random operations; numbers and
 * text against what C's own library says.
 */
#include "tests/host/frame/host.h"
#include "lib/bitmap.h"
#include "lib/cursor.h"
#include "lib/hmap.h"
#include "lib/list.h"
#include "lib/num.h"
#include "lib/radix.h"
#include "lib/rbtree.h"
#include "lib/ring.h"
#include "lib/split.h"

#define N 300

OBJECT(item) {
        u64 key;
        u32 size, most;                 /* rbtree: the subtree's count and greatest key */
        struct item *next, *prev, *chain, *left, *right, *up;
        bool red;
};
POOL_DECLARE(item)
POOL_DEFINE(item, NO_FINI);

static struct item *items[N];
static u64 rnd(u64 n) { return host_random() % n; }

static void make_items(void)
{
        for (u32 i = 0; i < N; i++) {
                items[i] = item_alloc(NULL, NOWAIT);
                items[i]->key = i;
        }
}
static void drop_items(void)
{
        for (u32 i = 0; i < N; i++)
                item_drop(items[i]);
        CHECK_EQ(host_live(), 0);
}

/* ---- list ---- */

LIST_HEAD(line, item);
LIST_FUNCTIONS(line, item, next, prev)

static void test_list(void)
{
        struct line l = {};
        struct item *model[N];
        u32 n = 0;
        bool in[N] = {};

        make_items();
        CHECK(line_is_empty(&l) && !line_pop_front(&l));
        for (u32 step = 0; step < 30000; step++) {
                u32 i = (u32)rnd(N), at = n ? (u32)rnd(n) : 0, to = n;
                if (!in[i] && rnd(100) < (step / 3000 % 2 ? 30 : 80)) {
                        switch (rnd(3)) {
                        case 0: line_push_back(&l, items[i]); break;
                        case 1: line_push_front(&l, items[i]); to = 0; break;
                        default:
                                if (!n)
                                        continue;
                                line_insert_after(&l, model[at], items[i]);
                                to = at + 1;
                        }
                        memmove(&model[to + 1], &model[to], (n++ - to) * sizeof model[0]);
                        model[to] = items[i];
                        in[i] = true;
                } else if (n) {
                        if (rnd(4) == 0) {
                                at = 0;
                                CHECK(line_pop_front(&l) == model[0]);
                        } else {
                                line_remove(&l, model[at]);
                        }
                        CHECK(!model[at]->next && !model[at]->prev);
                        in[model[at]->key] = false;
                        memmove(&model[at], &model[at + 1], (--n - at) * sizeof model[0]);
                }
                CHECK(line_is_empty(&l) == (n == 0));
                struct item *x = l.first, *before = NULL;
                for (u32 k = 0; k < n; k++, before = x, x = x->next)
                        CHECK(x == model[k] && x->prev == before);
                CHECK(!x && l.last == before);
        }
        drop_items();
}

/* ---- hmap: few heads, so that chains are long ---- */

HMAP_HEAD(map, item, 16);
HMAP_FUNCTIONS(map, item, chain, 16)

static void test_hmap(void)
{
        static struct map m;
        bool in[N] = {};
        u64 changes = map_begin(&m);

        make_items();
        for (u32 step = 0; step < 60000; step++) {
                u32 i = (u32)rnd(N);
                if (!in[i]) {
                        map_add(&m, items[i], (u32)(items[i]->key * 7));
                        CHECK(!map_moved(&m, changes));         /* adding diverts nobody */
                } else {
                        map_remove(&m, items[i], (u32)(items[i]->key * 7));
                        CHECK(map_moved(&m, changes));
                        changes = map_begin(&m);
                        CHECK(!(changes & 1));
                }
                in[i] = !in[i];
                u32 k = (u32)rnd(N), seen = 0;
                for (struct item *x = map_first(&m, k * 7); x; x = PTR_LOAD(x->chain)) {
                        seen += x == items[k];
                        CHECK((x->key * 7 & 15) == (k * 7 & 15) && in[x->key]);
                }
                CHECK_EQ(seen, in[k]);
        }
        drop_items();
}

/* ---- rbtree ---- */

static void recount(struct item *x)
{
        x->size = 1 + (x->left ? x->left->size : 0) + (x->right ? x->right->size : 0);
        x->most = (u32)x->key;
        if (x->left && x->left->most > x->most)
                x->most = x->left->most;
        if (x->right && x->right->most > x->most)
                x->most = x->right->most;
}
#define ITEM_LESS(a, b) ((a)->key < (b)->key)
RBTREE_HEAD(tree, item);
RBTREE_FUNCTIONS(tree, item, left, right, up, red, ITEM_LESS, recount)

static u32 depth_of(const struct item *x) { return x ? 1 + (u32)max_u64(depth_of(x->left), depth_of(x->right)) : 0; }

static void test_rbtree(void)
{
        struct tree t = {};
        bool in[N] = {};
        u32 n = 0;

        make_items();
        CHECK(tree_check(&t) && !tree_first(&t) && !tree_last(&t));
        for (u32 step = 0; step < 40000; step++) {
                u32 i = (u32)rnd(N);
                if (!in[i] && rnd(100) < (step / 4000 % 2 ? 20 : 90)) {
                        tree_insert(&t, items[i]);
                        n++;
                        in[i] = true;
                } else if (in[i]) {
                        tree_remove(&t, items[i]);
                        CHECK(!items[i]->left && !items[i]->right && !items[i]->up);
                        n--;
                        in[i] = false;
                } else {
                        continue;
                }
                CHECK(tree_check(&t));
                CHECK_EQ(t.root ? t.root->size : 0, n);
                CHECK(depth_of(t.root) <= 2 * (n ? bit_highest(n + 1) + 1 : 0));
                struct item *x = tree_first(&t), *before = NULL;
                for (u32 k = 0; k < N; k++) {
                        if (!in[k])
                                continue;
                        CHECK(x == items[k] && tree_prev(x) == before);
                        struct item want = *x;
                        recount(&want);
                        CHECK(want.size == x->size && want.most == x->most);
                        before = x;
                        x = tree_next(x);
                }
                CHECK(!x && tree_last(&t) == before);
        }
        for (struct item *x; (x = t.root);)
                tree_remove(&t, x);
        /* In order, and backwards: no rotation is left out. */
        for (u32 i = 0; i < N; i++)
                tree_insert(&t, items[i]);
        CHECK(tree_check(&t));
        for (u32 i = 0; i < N; i++) {
                tree_remove(&t, items[i]);
                CHECK(tree_check(&t));
        }
        for (u32 i = N; i-- > 0;)
                tree_insert(&t, items[i]);
        for (u32 i = N; i-- > 0;) {
                tree_remove(&t, items[i]);
                CHECK(tree_check(&t));
        }
        drop_items();
}

/* Equal keys stand in the order in which they came. */
static void test_rbtree_equal(void)
{
        struct tree t = {};
        u32 count[5] = {};
        make_items();
        for (u32 i = 0; i < N; i++) {
                items[i]->key = i % 5;
                tree_insert(&t, items[i]);
        }
        CHECK(tree_check(&t));
        for (struct item *x = tree_first(&t); x; x = tree_next(x)) {
                CHECK(x == items[x->key + 5 * count[x->key]]);
                count[x->key]++;
        }
        for (u32 i = 0; i < 5; i++)
                CHECK_EQ(count[i], N / 5);
        drop_items();
}

/* ---- radix ---- */

RADIX_TYPES(array, item)
RADIX_POOLS(array)
RADIX_FUNCTIONS(array, item)

#define KEYS 600
static u64 keys[KEYS];
static struct item *there[KEYS];

static void make_keys(u32 shape)
{
        for (u32 i = 0; i < KEYS; i++) {
                u64 r = host_random();
                keys[i] = shape == 0 ? i : shape == 1 ? r >> (r & 63) : shape == 2 ? r : (r & 3) << 62 | (r & 0xff0) << 30 | (r >> 60);
                there[i] = NULL;
        }
        keys[0] = U64_MAX;
        keys[1] = 63;
        keys[2] = 64;
        keys[3] = U64_MAX - 64;
        for (u32 i = 0; i < KEYS; i++)                  /* distinct */
                for (u32 k = 0; k < i; k++)
                        if (keys[k] == keys[i])
                                keys[i] ^= host_random() & 0xffff, k = U32_MAX;
}

static u64 next_of(u64 from, u64 to)
{
        u64 best = to;
        for (u32 i = 0; i < KEYS; i++)
                if (there[i] && keys[i] >= from && keys[i] < best)
                        best = keys[i];
        return best;
}

static void test_radix(void)
{
        make_items();
        u64 fixed = host_live();
        for (u32 round = 0; round < 12; round++) {
                struct array a = {};
                make_keys(round % 4);
                for (u32 step = 0; step < 6000; step++) {
                        u32 i = (u32)rnd(KEYS);
                        if (rnd(100) < (step < 3000 ? 70 : 30)) {
                                struct item *x = items[rnd(N)];
                                CHECK(array_set(&a, keys[i], x, NULL, NOWAIT));
                                there[i] = x;
                        } else {
                                CHECK(array_clear(&a, keys[i]) == there[i]);
                                there[i] = NULL;
                        }
                        u32 k = (u32)rnd(KEYS);
                        CHECK(array_get(&a, keys[k]) == there[k]);
                        u64 from = keys[rnd(KEYS)] + rnd(3), to = rnd(2) ? U64_MAX : keys[rnd(KEYS)];
                        if (from <= to && step % 8 == 0)
                                CHECK_EQ(array_next(&a, from, to), next_of(from, to));
                }
                for (u32 i = 0; i < KEYS; i++)
                        CHECK(array_clear(&a, keys[i]) == there[i]);
                CHECK(!a.leaf && !a.top);
                CHECK_EQ(host_live(), fixed);
        }
        /* One element at a time, so that no other one hides a node that is left behind. */
        for (u32 i = 0; i < 200; i++) {
                struct array a = {};
                u64 k = host_random() >> (i & 63), k2 = host_random() >> (host_random() & 63);
                CHECK(array_set(&a, k, items[0], NULL, NOWAIT) && array_get(&a, k) == items[0] && array_next(&a, 0, U64_MAX) == k);
                CHECK(array_set(&a, k2, items[1], NULL, NOWAIT) && array_get(&a, k2) == items[1]);
                CHECK(k == k2 || array_get(&a, k) == items[0]);
                CHECK(array_clear(&a, k) == items[k == k2]);
                CHECK(array_clear(&a, k2) == (k == k2 ? NULL : items[1]));
                CHECK(!a.leaf && !a.top);
                CHECK_EQ(host_live(), fixed);
        }
        /* Without memory: nothing is stored, nothing is lost, and what was made goes again. */
        for (u64 n = 1; n < 40; n++) {
                struct array a = {};
                u64 at[4] = { 1, 1000, 1ul << 40, U64_MAX };
                bool ok[4];
                host_fail_from(n);
                for (u32 i = 0; i < 4; i++)
                        ok[i] = array_set(&a, at[i], items[i], NULL, NOWAIT);
                bool one = host_failed_one();
                host_fail_from(0);
                CHECK(one != (ok[0] && ok[1] && ok[2] && ok[3]));
                for (u32 i = 0; i < 4; i++)
                        CHECK(array_get(&a, at[i]) == (ok[i] ? items[i] : NULL));
                for (u32 i = 0; i < 4; i++)
                        if (!ok[i])
                                CHECK(array_set(&a, at[i], items[i], NULL, NOWAIT));
                for (u32 i = 0; i < 4; i++)
                        CHECK(array_clear(&a, at[i]) == items[i]);
                CHECK_EQ(host_live(), fixed);
        }
        drop_items();
}

/* ---- bitmap, ring ---- */

BITMAP(bits, 320);
BITMAP_FUNCTIONS(bits, 320)
RING(numbers, u32, 16);
RING_FUNCTIONS(numbers, u32, 16)

static void test_bitmap(void)
{
        struct bits b = {};
        bool model[320] = {};
        for (u32 step = 0; step < 30000; step++) {
                u32 i = (u32)rnd(320), from = (u32)rnd(330), one = from, zero = from, n = 0;
                if (rnd(100) < (step / 5000 % 2 ? 10 : 90)) {
                        bits_set(&b, i);
                        model[i] = true;
                } else {
                        bits_clear(&b, i);
                        model[i] = false;
                }
                while (one < 320 && !model[one])
                        one++;
                while (zero < 320 && model[zero])
                        zero++;
                CHECK_EQ(bits_first_one(&b, from), min_u32(one, 320));
                CHECK_EQ(bits_first_zero(&b, from), min_u32(zero, 320));
                for (u32 k = 0; k < 320; k++) {
                        CHECK(bits_test(&b, k) == model[k]);
                        n += model[k];
                }
                CHECK_EQ(bits_count(&b), n);
        }
}

static void test_ring(void)
{
        struct numbers r = { .head = U32_MAX - 100, .tail = U32_MAX - 100 };    /* the counters run over */
        u32 model[16], n = 0, out = 0;
        for (u32 step = 0; step < 20000; step++) {
                u32 x = (u32)host_random();
                if (rnd(100) < (step / 100 % 2 ? 30 : 70)) {
                        CHECK(numbers_push(&r, x) == (n < 16));
                        if (n < 16)
                                model[n++] = x;
                } else {
                        CHECK(numbers_pop(&r, &out) == (n > 0));
                        if (n) {
                                CHECK_EQ(out, model[0]);
                                memmove(model, model + 1, --n * sizeof model[0]);
                        }
                }
                CHECK(numbers_count(&r) == n && numbers_is_empty(&r) == !n && numbers_is_full(&r) == (n == 16));
        }
}

/* ---- bytes in order ---- */

static void test_cursor(void)
{
        u8 data[64], out[64] = {};
        for (u32 i = 0; i < 64; i++)
                data[i] = (u8)(i + 1);
        struct reader r = reader_of(BYTES_OF(data));
        CHECK(reader_u8(&r) == 1 && reader_le16(&r) == 0x0302 && reader_be32(&r) == 0x04050607 && reader_le64(&r) == 0x0f0e0d0c0b0a0908);
        CHECK(bytes_at(reader_take(&r, 3), 2) == 18 && reader_left(&r) == 46 && !r.bad);
        bytes rest = reader_take(&r, 47);               /* one too many */
        CHECK(r.bad && bytes_len(rest) == 46 && reader_left(&r) == 0);
        CHECK(reader_be16(&r) == 0 && reader_u8(&r) == 0 && r.bad);
        for (u32 len = 0; len < 8; len++) {             /* an integer that lies half outside is none */
                struct reader s = reader_of(bytes_take(BYTES_OF(data), len));
                CHECK(reader_le64(&s) == 0 && s.bad);
                CHECK_EQ(reader_left(&s), len);
        }
        struct writer w = writer_of(mbytes_take(MBYTES_OF(out), 10));
        writer_put(&w, STR("hello"));
        writer_u8(&w, '!');
        CHECK(bytes_eq(writer_text(&w), STR("hello!")) && !w.full);
        writer_put(&w, STR("world"));
        CHECK(w.full && bytes_eq(writer_text(&w), STR("hello!worl")) && !out[10]);
        writer_u8(&w, '?');
        writer_put(&w, STR("x"));
        CHECK(w.at == 10 && !out[10]);
}

static bytes text_of(const char *s) { return (bytes){ (const u8 *)s, strlen(s) }; }

static void test_num(void)
{
        static const struct { const char *text; u32 base; bool ok; u64 value; } plain[] = {
                { "0", 10, true, 0 }, { "18446744073709551615", 10, true, U64_MAX }, { "18446744073709551616", 10, false, 0 },
                { "99999999999999999999", 10, false, 0 }, { "", 10, false, 0 }, { "-1", 10, false, 0 }, { "+1", 10, false, 0 }, { " 1", 10, false, 0 },
                { "1 ", 10, false, 0 }, { "ffffffffffffffff", 16, true, U64_MAX }, { "10000000000000000", 16, false, 0 }, { "fG", 16, false, 0 },
                { "FACE", 16, true, 0xface }, { "0x1", 16, false, 0 }, { "8", 8, false, 0 }, { "777", 8, true, 0777 }, { "1777777777777777777777", 8, true, U64_MAX },
                { "2000000000000000000000", 8, false, 0 }, { "a", 10, false, 0 }, { "00000000000000000000000000001", 10, true, 1 }, { "1@", 16, false, 0 }, { "1`", 16, false, 0 },
        };
        for (u32 i = 0; i < ARRAY_SIZE(plain); i++) {
                u64 v = 12345;
                CHECK_EQ(num_parse(text_of(plain[i].text), plain[i].base, &v), plain[i].ok);
                CHECK_EQ(v, plain[i].ok ? plain[i].value : 12345);
        }
        static const struct { const char *text; bool ok; i64 value; } with_sign[] = {
                { "-9223372036854775808", true, (i64)(1ul << 63) }, { "-9223372036854775809", false, 0 }, { "9223372036854775807", true, I64_MAX },
                { "9223372036854775808", false, 0 }, { "-", false, 0 }, { "+", false, 0 }, { "+5", true, 5 }, { "--5", false, 0 }, { "-0", true, 0 }, { "", false, 0 },
        };
        for (u32 i = 0; i < ARRAY_SIZE(with_sign); i++) {
                i64 v = 77;
                CHECK_EQ(num_parse_signed(text_of(with_sign[i].text), &v), with_sign[i].ok);
                CHECK_EQ(v, with_sign[i].ok ? with_sign[i].value : 77);
        }
        static const struct { const char *text; bool ok; u64 value; } sizes[] = {
                { "4k", true, 4096 }, { "1M", true, 1 << 20 }, { "2g", true, 2ul << 30 }, { "0x10K", true, 16384 }, { "010", true, 8 }, { "15e", true, 15ul << 60 },
                { "16e", false, 0 }, { "k", false, 0 }, { "1kk", false, 0 }, { "1b", false, 0 }, { "", false, 0 }, { "7", true, 7 }, { "16777216t", false, 0 }, { "3p", true, 3ul << 50 },
                { "0x", false, 0 }, { "09", false, 0 }, { "0", true, 0 },
        };
        for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
                u64 v = 0;
                bool ok = num_parse_size(text_of(sizes[i].text), &v);
                CHECK_EQ(ok, sizes[i].ok);
                CHECK(!ok || v == sizes[i].value);
        }
        for (u32 i = 0; i < 20000; i++) {               /* there and back, and as the C library writes it */
                static const struct { u32 base; const char *format; } as[3] = { { 10, "%0*lu" }, { 16, "%0*lx" }, { 8, "%0*lo" } };
                u64 v = host_random() >> rnd(64), back = 0;
                u32 k = (u32)rnd(3), width = (u32)rnd(20);
                char want[80];
                u8 got[80];
                snprintf(want, sizeof want, k == 0 ? "%0*lu" : k == 1 ? "%0*lx" : "%0*lo", (int)width, v);
                struct writer w = writer_of(MBYTES_OF(got));
                num_write(&w, v, as[k].base, width);
                CHECK(bytes_eq(writer_text(&w), text_of(want)));
                CHECK(num_parse(writer_text(&w), as[k].base, &back) && back == v);
        }
}

static void test_split(void)
{
        static const struct { const char *path, *head, *rest; bool found; } parts[] = {
                { "a/b", "a", "b", true }, { "a", "a", "", false }, { "a/", "a", "", true }, { "a///b//c", "a", "b//c", true }, { "", "", "", false }, { "/x", "", "x", true },
        };
        for (u32 i = 0; i < ARRAY_SIZE(parts); i++) {
                struct split s = split_component(text_of(parts[i].path));
                CHECK(bytes_eq(s.head, text_of(parts[i].head)) && bytes_eq(s.rest, text_of(parts[i].rest)) && s.found == parts[i].found);
        }
        static const struct { const char *text, *head, *rest; bool found; } at[] = {
                { "a=b", "a", "b", true }, { "a", "a", "", false }, { "a=", "a", "", true }, { "=", "", "", true }, { "", "", "", false }, { "a==b", "a", "=b", true },
        };
        for (u32 i = 0; i < ARRAY_SIZE(at); i++) {
                struct split s = split_at(text_of(at[i].text), '=');
                CHECK(bytes_eq(s.head, text_of(at[i].head)) && bytes_eq(s.rest, text_of(at[i].rest)) && s.found == at[i].found);
        }
        u8 padded[8] = { 'a', 'b' }, whole[2] = { 'x', 'y' };
        CHECK(bytes_eq(split_nul(BYTES_OF(padded)), STR("ab")) && bytes_eq(split_nul(BYTES_OF(whole)), STR("xy")));
}

TESTS({ "list", test_list }, { "hmap", test_hmap }, { "rbtree", test_rbtree }, { "rbtree_equal", test_rbtree_equal }, { "radix", test_radix },
      { "bitmap", test_bitmap }, { "ring", test_ring }, { "cursor", test_cursor }, { "num", test_num }, { "split", test_split })
