// Further routes, each found by thinking of one more way round.
//! T9 bool_enum_by_typedef
typedef bool flag;
enum e : flag { NO, YES };
//! B4 exchange_into_outer
static u32 f(void) { u32 z = 0; u32 *p = &z; { u32 x = 1; XCHG(p, &x); } return *p; }
//! clang huge_by_value
OBJECT(o) { struct big { u8 x[60000]; } big; };
noinline static u8 g(struct big b, u32 i) { return b.x[i]; }
u8 f(struct o *o, u32 i) { return g(o->big, i); }
//! clang huge_result
OBJECT(o) { struct big { u8 x[60000]; } big; };
noinline static struct big g(struct o *o) { return o->big; }
u8 f(struct o *o, u32 i) { struct big b = g(o); return b.x[i]; }
//! H3 digraph_directive
%:line 7 "x"
//! N1+ escaped_name
static void f(struct blob *b) { \u006B_hold(b); }
//! N1+ escaped_underscore
static void f(void) { \u005F_builtin_trap(); }
//! A1 attribute_digraph
<:<:gnu::constructor:>:> void f(void) { }
//! S5 pool_of_unknown
struct x;
BASE_DECLARE(x)
//! clang marked_afterwards
struct x { u32 a; };
static u32 f(void) { struct x v = { 1 }; return v.a; }
OBJECT(x);
//! clang hold_a_stable_framework_type
BASE_DECLARE(frame)
//! U1 bool_bit_in_union
union u { struct { bool b : 1; } s; u8 x; };
//! U4 union_with_bool_by_struct
struct v { u8 a; bool b; };
static usize f(struct v *v) { return bytes_len(BYTES_OF(*v)); }
//! B5 literal_of_argument
struct v { const u32 *p; };
static struct v f(u32 x) { return (struct v){ .p = &x }; }
//! B5 address_of_loaded_parameter
struct v { u32 a[4]; };
static u32 *f(struct v v, u32 i) { return &v.a[i]; }
//! B5 conditional_slices
static bytes f(bytes b, bool c) { u8 x[4] = { }; return c ? b : BYTES_OF(x); }
//! B3 store_by_field_address
struct cur { bytes b; u32 n; };
static void f(struct cur *c, bytes b) { bytes *p = &c->b; *p = b; }
//! B3 store_by_function_pointer_result
struct cur { bytes b; };
static struct cur *same(struct cur *c) { return c; }
static void f(struct cur *c, bytes b) { struct cur *(*g)(struct cur *) = same; g(c)->b = b; }
//! B4 for_header
static u32 f(void) { u32 z = 5; const u32 *p = &z; for (u32 i = 0, *q = &i; i < 2; i++) p = q; return *p; }
//! B4 do_while
static u32 f(void) { u32 z = 5; u32 *p = &z; do { u32 x = *p; p = &x; } while (*p < 3); return z; }
//! B4 slice_of_slice
static u8 f(void) { bytes b = NO_BYTES; { u8 x[4] = { }; mbytes m = MBYTES_OF(x); b = bytes_skip(bytes_const(m), 1); } return bytes_at(b, 0); }
//! B4 array_of_structs
struct v { bytes b; };
static u8 f(u32 i) { struct v v[2] = { }; { u8 x[4] = { }; v[i].b = BYTES_OF(x); } return bytes_at(v[0].b, 0); }
//! B8 two_pins
static u8 f(struct frame *x, struct frame *y) { PIN(p, x); mbytes b = pin_bytes(&p); PIN(q, y); b = pin_bytes(&q); return mbytes_at(b, 0); }
//! B8 cleanup_over_pin
struct held { mbytes b; };
static void done(struct held *h) { if (mbytes_len(h->b)) mbytes_put(h->b, 0, 1); }
static void f(struct frame *x) { struct held h CLEANUP(done) = { }; PIN(p, x); h.b = pin_bytes(&p); }
//! B5 pin_of_caller_is_fine_but_not_own
static mbytes g(struct pin *p) { return pin_bytes(p); }
static mbytes f(struct frame *x) { PIN(p, x); return g(&p); }
//! P5 discarded_pun
OBJECT(a) { u32 x; };
OBJECT(b) { u64 x; };
static bool f(struct a *a, struct b *b) { return (struct b *)a == b; }
//! P5+ compare_kinds
OBJECT(a) { u32 x; };
OBJECT(b) { u64 x; };
static bool f(struct a *a, struct b *b) { return a == b; }
//! P5+ choose_kinds
OBJECT(a) { u32 x; };
OBJECT(b) { u64 x; };
static u64 f(struct a *a, struct b *b, bool c) { struct b *r = c ? a : b; return r->x; }
//! clang initialise_table_wrongly
STABLE(ops) { u32 (*f)(struct blob *); };
static u32 g(struct frame *f) { return frame_refs(f); }
static const struct ops ops = { .f = g };
//! P5+ initialise_object_pointer_wrongly
STABLE(s) { u32 x; };
STABLE(t) { u64 x; };
static struct t one;
STABLE(holder) { struct s *s; };
static const struct holder h = { .s = &one };
//! P5+ return_void_pun
static u64 *f(struct payer *p) { return k_pool_alloc(NULL, p, NOWAIT); }
//! P7 decay_in_literal
struct v { const u8 *p; };
static const u8 text[4] = "abc";
static const struct v v = { text };
//! P7 decay_in_condition
static u32 f(void) { u32 a[4] = { }; return a ? 1 : a[0]; }
//! P7 decay_negated
static u32 f(void) { u32 a[4] = { 1 }; return !a + a[1]; }
//! X2 embed_choice
static u32 f(u32 a) { return a ? : 3; }
//! clang void_parameter_cast
static void f(struct blob *b) { void (*g)(void) = blob_drop; g(); ignore(b ? OK : OK); }
//! clang missing_argument
static void f(void) { blob_drop(); }
//! clang extra_argument
static void f(struct blob *b) { blob_drop(b, 1); }
//! clang const_object_write
STABLE(s) { const u32 x; };
static void f(struct s *s) { s->x = 5; }
//! clang struct_with_const_copied
struct v { const u32 n; u32 m; };
static void f(struct v *a, struct v *b) { *a = *b; }
//! clang goto_into_guard
static u32 f(bool c, struct mutex *m) { { GUARD(m); in: if (c) return 1; } goto in; }
//! J1+ switch_into_loop_variable
static u32 f(u32 c) { u32 n = 0; switch (c) { for (u32 i = 0; ; ) { default: n += 1; if (n > 3) return n; case 1: n += 2; i++; } } return n; }
//! J3+ switch_in_loop
enum e { A, B };
static u32 f(enum e e) { for (u32 i = 0; i < 2; i++) switch (e) { case A: return 1; case B: return 2; } }
//! J4 self_in_address
struct n { u32 x; struct n *p; };
static u32 f(void) { struct n n = { 1, &n }; return n.x; }
//! S2 stable_through_pointer_type
STABLE(s) { u32 x; };
STABLE(ops) { u32 (*f)(struct s); };
//! S3 stable_in_choice
STABLE(s) { u32 x; };
static struct s a, b;
static u32 f(bool c) { return (c ? a : b).x; }
//! S3 stable_by_comma
STABLE(s) { u32 x; };
static struct s a;
static u32 f(void) { return (0, a).x; }
//! O1+ opaque_by_offset
static usize f(struct waiter *w) { return w->index_k; }
//! O3 readonly_by_pod_write
static void f(struct err *e, bytes b) { POD_READ(&e->code, b); }
//! clang own_services_start_type
u32 services_start(void) { return 1; }
//! N2 typedef_function
typedef u32 fn(u32 x);
fn other;
static u32 f(void) { return other(1); }
//! V1+ thread_local_by_paste
#define GLUE(a, b) a##b
static GLUE(thread_, local) u32 x;
//! I1 division_of_choice
static i32 f(i32 a, bool c) { return a / (c ? 1 : 0); }
//! O4+ cursor_by_pointer_copy
static void f(struct vm_cursor *a, struct vm_cursor *b) { *a = *b; }
