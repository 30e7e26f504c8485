// Attacks on the text of a unit.
//! H1 include_system
#include <stdint.h>
//! H1 include_frame_header
#include "frame/internal/arch.h"
//! H1+ include_absolute
#include "/usr/include/asm-generic/errno-base.h"
//! H1+ include_by_macro
#define HEADER "/usr/include/asm-generic/errno-base.h"
#include HEADER
//! H1 include_dotdot
#include "services/../frame/internal/arch.h"
//! H2 pragma_pack
#pragma pack(1)
struct a { u8 x; u64 y; };
//! H2+ pragma_system_header
//+ own.h
#pragma GCC system_header
//-
#include "own.h"
//! H2+ pragma_attribute
#pragma clang attribute push
//! H2 pragma_once_more
#pragma once twice
//! N1+ pragma_operator
_Pragma("pack(1)")
struct a { u8 x; u64 y; };
//! H3 line
#line 1 "frame/include/frame/marks.h"
u32 x;
//! H3+ line_marker
# 33 "frame/include/frame/marks.h" 3
u32 f(u32 a);
//! H3 include_next
#include_next "abi/errno.h"
//! H3 import
#import "abi/errno.h"
//! H3 ident
#ident "x"
//! H3+ embed
static const u8 x[] = {
#embed "/etc/hostname"
};
//! H3 line_in_dead_text
#if 0
#line 7 "x"
#endif
//! N1+ reserved_builtin
u64 f(void) { return (u64)__builtin_ctzl(8); }
//! N1+ reserved_attribute
u32 x __attribute__((section(".text")));
//! N1 reserved_in_dead_text
#if 0
__builtin_trap
#endif
//! N1 reserved_in_macro_body
#define X __builtin_trap()
//! N1+ reserved_by_splice
u64 f(void) { return (u64)__buil\
tin_ctzl(8); }
//! N1+ framework_prefix
u32 f(struct payer *k_x);
//! N1+ framework_suffix
u32 f(bytes b) { return (u32)b.n_k; }
//! N1+ framework_function
void f(void *p);
static void g(struct payer *p) { k_hold(p); }
//! N1+ underscore_generic
u32 f(u32 x) { return _Generic(x, u32: 1); }
//! N1+ underscore_atomic
static _Atomic u32 x;
//! N1 own_counter
#define NAME_OF __COUNTER__
//! N1 counter_line
u32 f(void) { return __LINE__; }
//! N3+ paste_builtin
#define GLUE(a, b) a##b
#define LINE -
u64 f(u64 u) { u64 a = GLUE(u, 6) - 4; return a; }
u64 u6 = GLUE(_, _) GLUE(builtin_, trap)();
//! N3+ paste_framework
#define GLUE(a, b) a##b
static void f(struct blob *b) { GLUE(k, GLUE(_, hold))(b); }
//! N3+ paste_field
#define GLUE(a, b) a##b
static usize f(bytes b) { return b.GLUE(n, GLUE(_, k)); }
//! X4+ asm_statement
void f(void) { asm("cli"); }
//! X4 asm_in_macro
#define STOP asm("hlt")
//! X4 asm_dead
#if 0
asm
#endif
//! X4+ asm_label
u32 f(void) asm("memcpy");
//! X4+ asm_by_paste
#define GLUE(a, b) a##b
void f(void) { GLUE(as, m)("cli"); }
//! X3 typeof
void f(u32 a) { typeof(a) b = a; ignore(b ? OK : OK); }
//! M1+ lower_case_macro
#define bytes_len(b) 5
//! M1 lower_case_object
#define true 7
//! M2+ redefine_framework
#define TRY(x) x
//! M2 undef_framework
#undef TRY
//! M2 undef_then_define
#undef LOAD
#define OTHER 1
//! M2 macro_is_frame_word
#define SAFE_API_ALIAS 1
#define MEMBER x
//! M2 macro_takes_over_enumerator
#define MAY_RECLAIM 77
//! M4+ pool_name_two_tokens
OBJECT(foo) { u32 x; };
POOL_DECLARE(foo bar)
//! M4+ guard_literal_not_literal
static const u8 text[4] = "abc";
bytes f(void) { return STR(text); }
//! M4+ literal_is_sum
bytes f(void) { return STR("abc" + 1); }
//! M4+ literal_is_choice
bytes f(u32 c) { return STR(c ? "a" : "bcd"); }
//! M4+ log_format_not_literal
void f(bytes b) { klog(LOG_INFO, b); }
//! M4+ downcast_type_macro
#define OTHER foo
OBJECT(foo) { struct task_body base; };
POOL_DECLARE(foo)
DOWNCASTABLE(foo, task_body);
struct foo *f(struct task_body *b) { return DOWNCAST(OTHER, b); }
//! M4+ owner_member_expression
OBJECT(foo) { struct timer t[2]; };
POOL_DECLARE(foo)
struct foo *f(struct timer *t) { return OWNER_OF(foo, t[1], t); }
//! M4+ pin_name_with_initialiser
void f(struct frame *x) { PIN(p = { x }, x); }
//! A1 alignas
alignas(64) static const u32 x = 1;
//! A1 c23_attribute
[[gnu::constructor]] void f(void) { }
//! A1+ c23_attribute_pasted
#define L [
#define R ]
L L gnu::section(".text") R R static const u32 x = 1;
//! A1+ c23_attribute_on_type
typedef u32 [[clang::address_space(1)]] far;
//! A1+ c23_noreturn
[[noreturn]] void f(void) { for (;;) { } }
//! V1 thread_local
static thread_local const u32 x = 1;
//! V2 register
void f(void) { register u32 x = 1; ignore(x ? OK : OK); }
//! T6 volatile
void f(volatile u32 *p) { *p = 1; }
//! T6 restrict
void f(u32 *restrict p) { *p = 1; }
//! T5+ nullptr
struct blob *f(void) { return nullptr; }
//! T5 double
double f(double x) { return x; }
//! F1 signed_overflow_undefined
//= -fno-wrapv
static i32 f(i32 x) { return x + 1 > x; }
//! F1 strict_aliasing
//= -fstrict-aliasing
u32 f(void) { return 1; }
//! F1 null_checks_deleted
//= -fdelete-null-pointer-checks
u32 f(void) { return 1; }
//! F1 finite_loops
//= -ffinite-loops
u32 f(void) { return 1; }
//! F1 no_bounds
//= -fno-sanitize=array-bounds
u32 f(void) { return 1; }
//! F1 bounds_continue
//= -fno-sanitize-trap=bool
u32 f(void) { return 1; }
//! F1 no_auto_init
//= -ftrivial-auto-var-init=uninitialized
u32 f(void) { return 1; }
//! F1 no_kcfi
//= -fno-sanitize=kcfi
u32 f(void) { return 1; }
