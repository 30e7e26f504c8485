// Attacks with types and struct kinds.
//! T1 void_pointer
static u32 f(void *p) { return p != NULL; }
//! T1 void_pointer_field
struct a { void *p; };
//! T1 void_pointer_local
static bool f(struct blob *b) { void *p = NULL; return p == NULL && b; }
//! T1 void_pointer_by_auto
static bool f(void) { auto p = NULL; return p != NULL; }
//! T1 void_pointer_result
static void *f(void) { return NULL; }
//! T1+ void_pointer_pun
static u64 *f(u32 *p) { void *q = p; return q; }
//! T1 pointer_to_void_pointer
static u32 f(void **p) { return p != NULL; }
//! T2 zero_array
struct a { u32 n; u32 none[0]; };
//! T2+ vla
static u32 f(u32 n) { u32 a[n]; a[0] = 1; return a[0]; }
//! T2+ vla_pointer
static u32 f(u32 n, u32 (*p)[n]) { return (*p)[0]; }
//! T2 pointer_to_unbounded
static u32 f(u32 (*p)[]) { return (*p)[5]; }
//! T2 unbounded_extern
//+ own.h
extern const u32 table[];
//-
#include "own.h"
//! T3 flexible_array
OBJECT(a) { const u32 n; u32 rest[]; };
//! T3 flexible_array_value
struct a { u32 n; u8 rest[]; };
//! T4 variadic
static u32 f(u32 n, ...) { return n; }
//! T4 variadic_pointer
static u32 f(u32 (*g)(u32, ...)) { return g(1); }
//! T5 float_field
struct a { u32 x; float y; };
//! X2+ float_literal
static u32 f(void) { return (u32)3.5; }
//! X2+ complex
static u32 f(u32 x) { return (u32)(x * 3.0i); }
//! T5 long_double
struct b { long double x; };
//! T5+ bit_int
struct b { unsigned _BitInt(77) x; };
//! T5+ vector
typedef u32 v4 [[gnu::vector_size(16)]];
//! T5+ int128
static u64 f(u64 a) { unsigned __int128 x = a; return (u64)x; }
//! T7 large_pointee
struct big { u8 x[70000]; };
static u8 f(struct big *p) { return p->x[69999]; }
//! T7 large_pointee_by_address
struct big { u8 x[70000]; };
static const struct big all = { };
static bool f(void) { return &all != NULL; }
//! T7 large_array_pointee
static u8 f(u8 (*p)[80000]) { return (*p)[7]; }
//! T8 array_parameter
static u32 f(u32 a[4]) { return a != NULL; }
//! T8 array_parameter_static
static u32 f(u32 a[static 4]) { return a != NULL; }
//! T8 empty_struct
struct a { };
//! T9 bool_enum
enum a : bool { NO, YES };
//! T9+ bool_enum_pun
enum a : bool { NO, YES };
union u { enum a a; u8 b; };
//! U1 union_pointer
union u { struct blob *b; u64 x; };
//! U1 union_bool
union u { bool b; u8 x; };
//! U1 union_nested_pointer
struct s { u32 n; struct blob *b; };
union u { struct s s; u64 x[2]; };
//! U1 union_slice
union u { bytes b; u64 x[2]; };
//! U1 union_function
union u { u32 (*f)(u32); u64 x; };
//! U1+ union_stable
STABLE(t) { u32 x; };
union u { struct t t; u32 x; };
//! U1 union_error
union u { err_t e; bool b; };
//! U1 anonymous_union
OBJECT(t) { union { struct blob *b; u64 x; }; };
//! U1+ union_guard
union u { struct pin p; u64 x; };
//! U2 packed_pointer
struct PACKED a { u8 x; struct blob *b; };
//! U2 packed_bool
struct PACKED a { u8 x; bool b; };
//! U2 packed_nested
struct a { struct blob *b; };
struct PACKED c { u8 x; struct a a; };
//! U3 address_of_packed
struct PACKED a { u8 x; u64 y; };
static u64 *f(struct a *p) { return &p->y; }
//! U3 address_of_packed_nested
struct in { u64 y; };
struct PACKED a { u8 x; struct in in[2]; };
static u64 f(struct a *p) { u64 *q = &p->in[1].y; return *q; }
//! U3 atomic_on_packed
struct PACKED a { u8 x; u64 y; };
static u64 f(struct a *p) { return LOAD(p->y); }
//! S1 local_object
OBJECT(o) { u32 x; };
static u32 f(void) { struct o o = { 1 }; return o.x; }
//! S1 local_stable
STABLE(s) { u32 x; };
static u32 f(void) { struct s s = { 1 }; return s.x; }
//! S1 local_lock
static void f(void) { struct mutex m; mutex_lock(&m); }
//! S1 local_lock_array
static void f(void) { struct spinlock m[2]; spin_lock(&m[1]); }
//! S1 local_timer
static void f(void) { struct timer t; timer_fini(&t); }
//! S1 global_object
OBJECT(o) { u32 x; };
static struct o one;
//! S1 global_base
BASE(o) { u32 x; };
struct o one;
//! S1 global_object_array
OBJECT(o) { u32 x; };
static struct o all[4];
//! S1 static_local_object
OBJECT(o) { u32 x; };
static struct o *f(void) { static struct o one; return &one; }
//! S2 object_parameter
OBJECT(o) { u32 x; };
static u32 f(struct o o) { return o.x; }
//! S2+ stable_result
STABLE(s) { u32 x; };
static struct s f(struct s *p) { return *p; }
//! S2 lock_parameter_type
struct a { u32 (*f)(struct mutex m); };
//! S3 copy_object
OBJECT(o) { u32 x; };
static void f(struct o *a, struct o *b) { *a = *b; }
//! S3 copy_stable_member
OBJECT(o) { struct mutex m; };
static void f(struct o *a, struct o *b) { a->m = b->m; }
//! S3 literal_object
OBJECT(o) { u32 x; };
static struct o *f(void) { return &(struct o){ 1 }; }
//! S3 literal_lock
OBJECT(o) { struct mutex m; };
static void f(struct o *o) { o->m = (struct mutex){ }; }
//! clang copy_by_atomic
STABLE(s) { u32 x; };
static void f(struct s *a, struct s *b) { STORE(*a, *b); }
//! S3 discarded_copy
STABLE(s) { u32 x; };
static void f(struct s *a) { (void)*a; }
//! S4 value_holds_stable
struct a { struct mutex m; };
//! S4 value_holds_stable_array
struct a { struct waitq w[3]; };
//! S4 object_in_object
OBJECT(a) { u32 x; };
OBJECT(b) { struct a a; };
//! S4 object_in_stable
OBJECT(a) { u32 x; };
STABLE(b) { u32 y; struct a a[2]; };
//! S4 base_not_first
BASE(a) { u32 x; };
OBJECT(b) { u32 y; struct a a; };
//! S4 base_in_stable
BASE(a) { u32 x; };
STABLE(b) { struct a a; };
//! S4 base_in_value
BASE(a) { u32 x; };
struct b { struct a a; };
//! S4 base_array_first
BASE(a) { u32 x; };
OBJECT(b) { struct a a[2]; };
//! S4 base_in_nested_struct
BASE(a) { u32 x; };
OBJECT(b) { struct { struct a a; } in; };
//! S4 object_in_union
OBJECT(a) { u32 x; };
OBJECT(b) { struct { struct a a; } in; };
//! S4 forward_kind_differs
BASE(a);
OBJECT(a) { u32 x; };
//! B1 borrow_in_object
OBJECT(o) { bytes b; };
//! B1 pointer_in_object
OBJECT(o) { u32 *p; };
//! B1 pointer_to_value_in_stable
struct v { u32 x; };
STABLE(o) { struct v *p; };
//! B1 nested_in_object
struct v { bytes b; };
OBJECT(o) { struct v v[2]; };
//! B1 anonymous_in_object
OBJECT(o) { struct { u32 n; bytes b; }; };
//! B1 unknown_struct_in_object
struct unknown;
OBJECT(o) { struct unknown *p; };
//! B1 pointer_to_object_pointer
OBJECT(o) { struct o **p; };
//! B1+ guard_in_object
OBJECT(o) { struct pin p; };
//! B1 waiter_in_object
OBJECT(o) { struct waiter w; };
//! B1 waiter_pointer_in_object
OBJECT(o) { struct waiter *w; };
//! B1 base_with_borrow
BASE(o) { mbytes m; };
//! B2 global_borrow
static bytes last;
//! B2 global_pointer
static u32 *last;
//! B2 static_local_borrow
static void f(bytes b) { static bytes last; if (bytes_len(b)) last = NO_BYTES; }
//! B2 global_struct_borrow
struct v { u32 n; u8 *p; };
struct v last[2];
//! B2 pointer_to_const_is_not_const
static const u32 *last;
