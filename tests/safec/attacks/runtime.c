// What is trapped at run time, and what undefined behaviour may not undo.
//! trap slice_at
void attack(u32 n) { u8 a[4] = { }; bytes b = BYTES_OF(a); assert(bytes_at(b, n + 4) == 0); }
//! trap slice_sub
static usize zero;
void attack(u32 n) { u8 a[4] = { }; bytes b = bytes_sub(BYTES_OF(a), zero + 2, n + 3); assert(bytes_len(b) == 3); }
//! trap slice_sub_wraps
void attack(u32 n) { u8 a[4] = { }; bytes b = bytes_sub(BYTES_OF(a), 2, U64_MAX - n); assert(bytes_len(b)); }
//! trap slice_skip
void attack(u32 n) { u8 a[4] = { }; bytes b = bytes_skip(BYTES_OF(a), n + 5); assert(bytes_len(b)); }
//! trap slice_take
void attack(u32 n) { u8 a[4] = { }; mbytes b = mbytes_take(MBYTES_OF(a), n + 5); assert(mbytes_len(b)); }
//! trap slice_put
void attack(u32 n) { u8 a[4] = { }; mbytes_put(MBYTES_OF(a), n + 4, 1); assert(a[0] == 0); }
//! trap slice_le32_at_end
void attack(u32 n) { u8 a[4] = { }; assert(bytes_le32(BYTES_OF(a), n + 1) == 0); }
//! trap slice_le32_wraps
void attack(u32 n) { u8 a[4] = { }; assert(bytes_le32(BYTES_OF(a), U64_MAX - n) == 0); }
//! trap slice_put_be64
void attack(u32 n) { u8 a[8] = { }; mbytes_put_be64(MBYTES_OF(a), n + 1, 7); assert(a[0] == 0); }
//! trap pod_read_short
void attack(u32 n) { u64 v = 0; u8 a[4] = { }; POD_READ(&v, BYTES_OF(a)); assert(v == n); }
//! trap pod_write_short
void attack(u32 n) { u64 v = n; u8 a[7] = { }; POD_WRITE(MBYTES_OF(a), v); assert(a[0] == 0); }
//! trap literal_slice_end
void attack(u32 n) { assert(bytes_at(STR("abc"), n + 3) == 0); }
//! trap shift_too_far
static u32 by = 40;
void attack(u32 n) { u32 x = 1u << (by + n); assert(x != 77); }
//! trap shift_right_too_far
static u32 by = 32;
void attack(u32 n) { u32 x = 0xffu >> (by + n); assert(x != 77); }
//! trap shift_u64
static u32 by = 64;
void attack(u32 n) { u64 x = (u64)1 << (by + n); assert(x != 77); }
//! trap divide_by_zero
static u32 by;
void attack(u32 n) { assert(100 / (by + n) != 77); }
//! trap remainder_by_zero
static u64 by;
void attack(u32 n) { assert(100 % (by + n) != 77); }
//! trap null_object
OBJECT(o) { u32 x; };
static struct o *none;
void attack(u32 n) { assert(none->x == n); }
//! trap null_object_far_field
OBJECT(o) { u8 pad[60000]; u32 x; };
static struct o *none;
void attack(u32 n) { none->x = n; }
//! trap null_array_in_object
OBJECT(o) { u32 x[4000]; };
static struct o *none;
void attack(u32 n) { none->x[n + 3999] = n; }
//! trap null_checked_later
OBJECT(o) { u32 x; };
struct o *none;
u32 sink;
void attack(u32 n) { struct o *o = none; u32 v = o->x; if (o == NULL) { sink = v + n; return; } sink = 7; }
//! trap null_function
STABLE(ops) { void (*f)(u32); };
static struct ops ops;
void attack(u32 n) { ops.f(n); }
//! trap bit_lowest_of_zero
void attack(u32 n) { assert(bit_lowest(n) == 0); }
//! trap assert_fails
void attack(u32 n) { assert(n == 1); }
//! trap index_checked_then_changed
static u32 a[4];
static u32 where = 9;
void attack(u32 n) { u32 i = where; if (i >= 4 && n == 0) i = where + 1; a[i] = 1; }
//! trap endless_recursion
static u32 deep(u32 n) { u32 a[100] = { n }; a[n % 100] = n; return deep(n + 1) + a[(n + 1) % 100]; }
void attack(u32 n) { assert(deep(n) == 77); }
//! ok partly_written_union
union u { u8 small; u64 large; u8 all[32]; };
noinline static u64 dirty(u64 x) { u64 a[64] = { }; for (u32 i = 0; i < 64; i++) a[i] = U64_MAX - x; return a[7]; }
noinline static u64 rest(union u u) { u64 s = 0; for (u32 i = 1; i < 32; i++) s += u.all[i]; return s; }
noinline static u64 clean(u8 x) { union u u = { .small = x }; return rest(u); }
noinline static u64 literal(u8 x) { return rest((union u){ .small = x }); }
void attack(u32 n) { dirty(n); assert(clean(1) == 0); dirty(n); assert(literal((u8)n) == 0); }
//! ok loop_local_is_fresh
void attack(u32 n) { for (u32 i = 0; i < 4; i++) { u32 a[8] = { }; assert(a[(i + n) & 7] == 0); a[(i + n) & 7] = 5; a[(i + n + 1) & 7] = 6; } }
//! ok slot_lives_on_after_goto_back
struct ptrs { struct blob *b[4]; };
noinline static void poke(mbytes b) { if (mbytes_len(b)) mbytes_put_le64(b, 0, 0x5a5a5a5a); }
noinline static bool clean(struct ptrs *p) { return !p->b[0] && !p->b[3]; }
void attack(u32 n)
{
        u32 turns = 0;
        mbytes b = NO_MBYTES;
again:;
        { struct ptrs y = { }; poke(b); assert(clean(&y)); }
        u8 x[32] = { };
        b = MBYTES_OF(x);
        poke(b);
        if (turns++ < 3 + n)
                goto again;
}
//! ok signed_overflow_wraps
static i32 x = I32_MAX;
void attack(u32 n) { i32 y = x + 1; assert(y < x && n == 0); }
//! ok endless_loop_stays
static u32 flag = 1;
void attack(u32 n) { u32 turns = 0; while (LOAD(flag)) { if (turns++ > n + 5) STORE(flag, 0); } assert(turns > 5); }
//! ok struct_copies
struct v { u64 a; u32 b; u16 c; u8 d[3]; u8 e[7]; };
struct large { u64 w[64]; u8 tail[5]; };
STABLE(all) { struct v v[3]; struct large l[2]; };
static struct all all;
static struct large pass(struct large l, u32 i) { l.w[i]++; return l; }
void attack(u32 n)
{
        for (u32 i = 0; i < 64; i++)
                all.l[0].w[i] = i * 3;
        all.l[0].tail[4] = 9;
        all.l[1] = all.l[0];
        for (u32 i = 0; i < 64; i++)
                assert(all.l[1].w[i] == i * 3);
        assert(all.l[1].tail[4] == 9);
        all.l[0] = pass(all.l[1], n + 5);
        assert(all.l[0].w[n + 5] == 16 && all.l[0].tail[4] == 9 && all.l[1].w[5] == 15);
        all.v[1] = (struct v){ 1, 2, 3, { 4, 5, 6 }, { 7, 8, 9, 10, 11, 12, 13 } };
        all.v[2] = all.v[1];
        struct v v = all.v[2];
        assert(v.a == 1 && v.b == 2 && v.c == 3 && v.d[2] == 6 && v.e[6] == 13);
        all.v[2] = (struct v){ };
        assert(all.v[2].e[6] == 0 && all.v[1].e[6] == 13 && all.v[0].a == 0);
        all.l[0] = (struct large){ };
        assert(all.l[0].w[63] == 0 && all.l[0].tail[4] == 0);
}
//! ok pod_of_any_size
struct v { u8 x[13]; };
STABLE(all) { struct v v; u8 raw[64]; };
static struct all all;
void attack(u32 n)
{
        for (u32 i = 0; i < 64; i++)
                all.raw[i] = (u8)(i + n);
        POD_READ(&all.v, bytes_skip(BYTES_OF(all.raw), 3));
        assert(all.v.x[0] == 3 && all.v.x[12] == 15);
        POD_WRITE(mbytes_skip(MBYTES_OF(all.raw), 40), all.v);
        assert(all.raw[39] == 39 && all.raw[40] == 3 && all.raw[52] == 15 && all.raw[53] == 53);
        assert(bytes_le32(BYTES_OF(all.raw), 1) == 0x04030201 && bytes_be16(BYTES_OF(all.raw), 5) == 0x0506);
}
//! ok small_copies_of_odd_sizes
struct a3 { u8 x[3]; };
struct a12 { u64 p; u32 q; } PACKED;
struct bits { u32 a : 5, b : 27; u64 c : 40; u64 d : 24; };
STABLE(all) { struct a3 a3[3]; struct a12 a12[3]; struct bits bits[2]; bool flags[3]; struct all *link; };
static struct all all;
static struct a3 three(struct a3 x) { x.x[2]++; return x; }
static struct a12 twelve(struct a12 x, u32 y) { x.q += y; return x; }
static struct bits some(struct bits b) { b.b++; b.c += 2; return b; }
void attack(u32 n)
{
        all.a3[1] = three(all.a3[0]);
        all.a3[1] = three(all.a3[1]);
        assert(all.a3[1].x[2] == 2 && all.a3[2].x[0] == 0 && all.a3[0].x[2] == 0);
        all.a12[1] = twelve((struct a12){ 7, 8 }, n + 1);
        all.a12[2] = twelve(all.a12[1], 1);
        assert(all.a12[2].p == 7 && all.a12[2].q == 10 && all.a12[1].q == 9 && all.a12[0].p == 0);
        all.bits[1] = some(all.bits[0]);
        all.bits[1] = some(all.bits[1]);
        all.bits[1].a = 31;
        assert(all.bits[1].b == 2 && all.bits[1].c == 4 && all.bits[1].d == 0 && all.bits[1].a == 31 && all.bits[0].a == 0);
        all.flags[n + 1] = n == 0;
        assert(all.flags[1] && !all.flags[2]);
        all.link = &all;
        assert(all.link->link == &all);
}
//! IR+ plain_load_is_noticed
//= -fplugin-arg-safec-off=IR-ATOMIC
OBJECT(o) { u64 x; };
u64 f(struct o *o) { return o->x; }
//! IR+ plain_store_is_noticed
//= -fplugin-arg-safec-off=IR-ATOMIC
OBJECT(o) { u64 x; };
void f(struct o *o) { o->x = 1; }
//! IR+ plain_copy_is_noticed
//= -fplugin-arg-safec-off=IR-ATOMIC
struct v { u64 w[40]; };
OBJECT(o) { struct v v; };
void f(struct o *a, struct o *b) { a->v = b->v; }
//! IR+ plain_by_value_is_noticed
//= -fplugin-arg-safec-off=IR-ATOMIC
struct v { u64 w[20]; };
OBJECT(o) { struct v v; };
noinline u64 g(struct v v) { return v.w[3]; }
u64 f(struct o *a) { return g(a->v); }
//! IR+ plain_zeroing_is_noticed
//= -fplugin-arg-safec-off=IR-ATOMIC
OBJECT(o) { u64 w[40]; };
void f(struct o *a) { for (u32 i = 0; i < 40; i++) a->w[i] = 0; }
//! trap scratch_is_empty
void attack(u32 n) { SCRATCH(s); assert(bytes_at(scratch_bytes(&s), n) == 0); }
