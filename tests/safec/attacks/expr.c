// Attacks with expressions and conversions.
//! P1 add
static u32 f(u32 *p) { return *(p + 1); }
//! P1 add_reversed
static u32 f(u32 *p) { return *(1 + p); }
//! P1 subtract
static u32 f(u32 *p) { return *(p - 1); }
//! P1 difference
static i64 f(u32 *p, u32 *q) { return p - q; }
//! P1+ compound
static u32 f(u32 *p) { p += 3; return *p; }
//! P1 compound_minus
static void f(struct timer *b) { struct timer *c = b; c -= 1; timer_fini(c); }
//! P1 atomic_add
OBJECT(o) { struct o *next; };
static void f(struct o *o) { FETCH_ADD(o->next, 8); }
//! P1 atomic_sub_pointer
static void f(u32 *p) { u32 *q = p; FETCH_SUB(q, 1); }
//! P1 atomic_add_bool
OBJECT(o) { bool yes; };
static void f(struct o *o) { FETCH_ADD(o->yes, 5); }
//! P1 atomic_or_bool
OBJECT(o) { bool yes; };
static void f(struct o *o) { FETCH_OR(o->yes, 5); }
//! P2 order
static bool f(u32 *p, u32 *q) { return p < q; }
//! P2 order_objects
static bool f(struct blob *p, struct blob *q) { return p >= q; }
//! P3 increment
static u32 f(u32 *p) { p++; return *p; }
//! P3 decrement
static u32 f(u32 *p) { --p; return *p; }
//! P3 post_in_deref
static void f(u32 *p, u32 *q) { *p++ = *q; }
//! P4 pointer_subscript
static u32 f(u32 *p) { return p[1]; }
//! P4 pointer_subscript_constant_0
static u32 f(u32 *p) { return p[0]; }
//! P4 object_subscript
static void f(struct timer *p) { timer_fini(&p[1]); }
//! P4 reversed
static u32 f(u32 i) { u32 a[4] = { }; return i[a]; }
//! P4 string_subscript
static u32 f(u32 i) { return "abc"[i]; }
//! P4 literal_subscript
static u32 f(u32 i) { return (u32[3]){ 1, 2, 3 }[i]; }
//! P4+ choice_subscript
static u32 f(u32 i) { u32 a[4] = { }, b[2] = { }; return (i ? a : b)[i]; }
//! P4+ comma_subscript
static u32 f(u32 i) { u32 a[4] = { }; return (0, a)[i]; }
//! P4 parenthesised
static u32 f(u32 i) { u32 a[4] = { }; return (a)[i]; }
//! P4 parenthesised_member
struct v { u32 a[4]; };
static u32 f(struct v *v, u32 i) { return (v->a)[i]; }
//! P4 rvalue_member
struct v { u32 a[4]; };
static struct v g(void) { return (struct v){ }; }
static u32 f(u32 i) { return g().a[i]; }
//! P5+ assign_pun
static u64 *f(u32 *p) { return (u64 *)p; }
//! P5 cast_object
OBJECT(a) { u32 x; };
OBJECT(b) { u64 x; };
static struct b *f(struct a *p) { return (struct b *)p; }
//! P5 cast_base
BASE(a) { u32 x; };
OBJECT(b) { struct a a; u64 y; };
static struct b *f(struct a *p) { return (struct b *)p; }
//! P5 cast_char
static u8 f(u64 *p) { return *(u8 *)p; }
//! P5 cast_signed
static i32 f(u32 *p) { return *(i32 *)p; }
//! P5 cast_array
static u32 f(u32 *p) { return (*(u32 (*)[9])p)[4]; }
//! P5 cast_function
static u32 g(u32 x) { return x; }
static u64 f(void) { return ((u64 (*)(u64))g)(1); }
//! P5 cast_enum_pointer
enum e { ONE = 1 };
static u32 f(enum e *p) { return *(u32 *)p; }
//! clang implicit_pun
static u64 *f(u32 *p) { return p; }
//! clang implicit_object
OBJECT(a) { u32 x; };
OBJECT(b) { u64 x; };
static struct b *f(struct a *p) { return p; }
//! clang implicit_int_pointer
static struct blob *f(u64 x) { return x; }
//! clang implicit_pointer_int
static u64 f(struct blob *x) { return x; }
//! clang drop_const
static u32 *f(const u32 *p) { return p; }
//! clang drop_const_nested
static u32 f(const u32 **p, u32 **q) { p = q; return **p; }
//! clang function_type
static u32 g(struct blob *b) { return b != NULL; }
static u32 (*f(void))(struct frame *) { return g; }
//! P6 cast_int_pointer
static struct blob *f(u64 x) { return (struct blob *)x; }
//! P6 cast_pointer_int
static u64 f(struct blob *p) { return (u64)p; }
//! P6 cast_function_int
static u64 f(void) { return (u64)f; }
//! P6 cast_constant
static struct blob *f(void) { return (struct blob *)0x1000; }
//! P6+ cast_pointer_int_arithmetic
static u32 *f(u32 *p) { return (u32 *)((u64)p + 4); }
//! P7 decay_assign
static u32 f(void) { u32 a[4] = { }; u32 *p = a; return *p; }
//! P7 decay_argument
static u32 g(u32 *p) { return *p; }
static u32 f(void) { u32 a[4] = { }; return g(a); }
//! P7 decay_deref
static u32 f(void) { u32 a[4] = { }; return *a; }
//! P7 string_pointer
static const char *const name = "abc";
//! P7 string_argument
static u32 g(const char *p) { return (u32)*p; }
static u32 f(void) { return g("abc"); }
//! P7 decay_return
static const u32 a[4] = { };
static const u32 *f(void) { return a; }
//! P7 decay_compare
static bool f(void) { u32 a[4] = { }, b[4] = { }; return a == b; }
//! P8 cast_drops_const
static u32 *f(const u32 *p) { return (u32 *)p; }
//! P8 cast_drops_const_object
static struct blob *f(const struct blob *p) { return (struct blob *)p; }
//! P5+ cast_drops_const_nested
static u32 **f(const u32 **p) { return (u32 **)p; }
//! P10+ constant_index
static u32 f(void) { static const u32 a[4] = { }; return a[4]; }
//! P10+ constant_index_negative
static u32 f(void) { u32 a[4] = { }; return a[-1]; }
//! P10+ constant_index_sum
static u32 f(void) { u32 a[4] = { }; return a[2 + 2]; }
//! P10+ constant_index_comma
static u32 g(void) { return 1; }
static u32 f(void) { u32 a[4] = { }; return a[(g(), 4)]; }
//! P10 constant_address
static u32 f(void) { u32 a[4] = { }; u32 *p = &a[4]; return *p; }
//! P10+ constant_index_inner
static u32 f(u32 i) { u32 a[4][2] = { }; return a[i][2]; }
//! P10 constant_index_macro
static u32 f(void) { u32 a[4] = { }; return LOAD(a[4]); }
//! L2+ builtin_by_redeclaration
void abort(void);
static void f(void) { abort(); }
//! clang implicit_function
static u32 f(void) { return strlen("abc"); }
//! O1+ slice_field
static usize f(bytes b) { return b.n_k; }
//! O2+ slice_forged
static bytes f(const u8 *p) { return (bytes){ .p_k = p, .n_k = 77 }; }
//! O2 slice_positional
static bytes f(const u8 *p) { return (bytes){ p, 1000 }; }
//! O2 slice_length
static bytes f(void) { return (bytes){ NULL, 1000 }; }
//! O2 slice_nested
struct v { u32 n; bytes b; };
static struct v f(const u8 *p) { return (struct v){ 1, { p, 1000 } }; }
//! O2+ slice_nested_flat
struct v { u32 n; bytes b; };
static struct v f(const u8 *p) { return (struct v){ 1, p, 1000 }; }
//! O2 slice_array
static void f(const u8 *p) { bytes b[2] = { { p, 1000 } }; ignore(bytes_len(b[1]) ? OK : OK); }
//! O2 mutex_forged
STABLE(s) { struct mutex m; };
static struct s one = { { 1, 2, 3, 4 } };
//! O2+ pin_forged
static void f(struct frame *x) { struct pin p = { x }; pin_bytes(&p); }
//! O2 waiter_forged
static void f(void) { struct waiter w = { 1, 2 }; waiter_add_exclusive(&w, NULL); }
//! O3 write_readonly
static void f(struct task_body *b, struct task *t) { b->task = t; }
//! O3 write_error_code
static err_t f(err_t e) { e.code = 1000; return e; }
//! O3 readonly_address
static i32 *f(err_t *e) { return &e->code; }
//! O3 readonly_by_store
static void f(struct task_body *b) { PTR_STORE(b->task, NULL); }
//! O3 readonly_increment
static err_t f(err_t e) { e.code++; return e; }
//! O3 readonly_as_bytes
static bytes f(err_t *e) { return BYTES_OF(e->code); }
//! X2 statement_expression
static u32 f(u32 x) { return ({ u32 y = x; y + 1; }); }
//! X2 elvis
static u32 f(u32 x) { return x ?: 1; }
//! X2 label_address
static bool f(void) { if (&&out == NULL) return false; out: return true; }
//! X1+ computed_goto
static u32 f(u32 x) { static const u32 t = 0; goto *(&&out); out: return x + t; }
//! X2+ real_part
static u32 f(u32 x) { u32 y = x; y = y; return (u32)(y + 1i); }
//! clang nested_function
static u32 f(u32 x) { u32 g(u32 y) { return y; } return g(x); }
//! I1 signed_division
static i32 f(i32 a, i32 b) { return a / b; }
//! I1 signed_remainder
static i32 f(i32 a, i32 b) { return a % b; }
//! I1 signed_by_minus_one
static i64 f(i64 a) { return a / -1; }
//! I1+ signed_by_zero
static i64 f(i64 a) { return a % 0; }
//! I1 small_types
static u32 f(u8 a, u8 b) { return a / b; }
//! I1 compound_division
static i32 f(i32 a, i32 b) { a /= b; return a; }
//! I1 compound_narrow
static u8 f(u8 a, u8 b) { a %= b; return a; }
//! O2 timer_forged
STABLE(s) { struct timer t; };
static struct s one = { { 5, 6 } };
//! O2 global_timer_forged
static struct timer one = { 5, 6 };
