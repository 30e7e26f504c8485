// Attacks with names, declarations and linkage.
//! N2 extern_in_c
extern const u32 other;
//! N2 declaration_in_c
u32 other(u32 x);
static u32 f(void) { return other(1); }
//! N2 extern_in_function
u32 f(void) { extern const u32 other; return other; }
//! N2 function_in_function
u32 f(void) { u32 other(u32 x); return other(1); }
//! N4 tag_in_function
u32 f(void) { struct a { u32 x; } v = { 1 }; return v.x; }
//! N4+ tag_in_prototype
u32 f(struct never_seen *p);
//! N4 tag_in_cast
u32 f(void) { return ((struct b { u32 x; }){ 3 }).x; }
//! N4 typedef_in_function
u32 f(void) { typedef u32 number; number n = 3; return n; }
//! N4 enum_in_function
u32 f(void) { enum colour { RED = 1 }; return RED; }
//! N4 define_frame_tag
struct frame { u64 x; };
u64 f(struct frame *p) { return p->x; }
//! N4 define_payer
OBJECT(payer) { u64 x; };
u64 f(struct payer *p) { return p->x; }
//! N4 define_vmspace
OBJECT(vmspace) { u64 x; };
//! N4+ typedef_twice
typedef u32 number;
typedef u32 number;
//! N4 shadow_typedef_local
u32 f(void) { u32 err_t = 5; return err_t; }
//! N1+ shadow_pool_type
OBJECT(foo) { struct timer t; };
POOL_DECLARE(foo)
static u32 f(struct timer *t) { u32 k_type_foo = 0; return k_type_foo; }
//! N4 shadow_by_function_pointer
static bool never(err_t e) { return err_is(e, 0); }
err_t f(void) { bool (*failed)(err_t) = never; TRY(ERR(5)); return failed(OK) ? OK : OK; }
//! N4 shadow_by_parameter
err_t f(u32 failed) { return failed ? OK : OK; }
//! N4 shadow_by_enumerator
enum mine { OTHER, cleanup_dummy };
static u32 g(u32 task_current) { return task_current; }
u32 h(u32 mutex_lock) { return mutex_lock; }
u32 f(u32 spin_lock, u32 failed) { return spin_lock + failed; }
//! L1+ redeclare_frame_function
SAFE_API u32 cpu_id(void);
//! L1 redeclare_hidden
u64 mul_div(u64 a, u64 b, u64 d);
//! L1+ define_frame_function
u32 cpu_id(void) { return 99; }
//! L2 define_memcpy
u32 memcpy(u32 x) { return x; }
//! L2 define_memset
void memset(struct blob *b) { blob_drop(b); }
//! L3 undefined_static
static u32 g(u32 x);
u32 f(void) { return g(1); }
//! L3 inline_not_static
inline u32 g(u32 x) { return x; }
//! L3 body_in_header
//+ own.h
u32 in_header(u32 x) { return x; }
//-
#include "own.h"
//! C1+ not_safe_api
#define GLUE(a, b) a##b
static void g(bool x) { GLUE(k_, range)(x); }
//! A1 safe_api_on_own_function
SAFE_API u32 f(u32 x) { return x; }
//! A1+ opaque_on_own_struct
struct K_OPAQUE a { u32 x; };
//! A1+ readonly_on_own_field
struct a { u32 x K_READONLY; };
//! S4 two_kinds
OBJECT(foo);
STABLE(foo) { u32 x; };
