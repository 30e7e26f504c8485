// What only the objects, or all units together, can show.
//! link kind_differs
//+ own.h
STABLE(thing);
u32 use(struct thing *t);
//-
#include "own.h"
STABLE(keeper) { struct thing *t; };
void keep(struct keeper *k, struct thing *t) { k->t = t; }
//+ other.c
#include "other.h"
u32 use(struct thing *t) { return t->x; }
//+ other.h
struct thing { u32 x; };
u32 use(struct thing *t);
//! link size_differs
#include "own.h"
u32 use(struct thing *t) { return t->x; }
//+ own.h
STABLE(thing) { u32 x; };
u32 use(struct thing *t);
//+ other.h
STABLE(thing) { u32 x, y; };
u32 use(struct thing *t);
//+ other.c
#include "other.h"
static struct thing t;
u32 call(void) { return use(&t); }
//! link field_type_differs
#include "own.h"
u32 use(struct thing *t) { return t->a->x; }
//+ own.h
OBJECT(one) { u32 x; };
STABLE(thing) { struct one *a; };
u32 use(struct thing *t);
//+ other.h
OBJECT(two) { u64 x; };
STABLE(thing) { struct two *a; };
u32 use(struct thing *t);
//+ other.c
#include "other.h"
static struct thing t;
u32 call(void) { return use(&t); }
//! link enum_width_differs
#include "own.h"
STABLE(pair) { enum e e[2]; };
u32 use(struct pair *p, enum e *e) { *e = BIG; return p->e[0]; }
//+ own.h
enum e : u64 { BIG = 1 };
//+ other.h
enum e : u8 { SMALL = 1 };
//+ other.c
#include "other.h"
u32 call(enum e *e) { return *e; }
//! link function_type_differs
#include "own.h"
u32 use(u32 *p) { return *p; }
//+ own.h
u32 use(u32 *p);
//+ other.h
u32 use(u64 *p);
//+ other.c
#include "other.h"
u32 call(u64 *p) { return use(p); }
//! link variable_type_differs
#include "own.h"
const u32 table[4] = { };
//+ own.h
extern const u32 table[4];
//+ other.h
extern const u32 table[400];
//+ other.c
#include "other.h"
u32 call(u32 i) { return table[i]; }
//! link object_or_base
#include "own.h"
u32 use(struct thing *t) { return t->x; }
//+ own.h
BASE(thing) { u32 x; };
//+ other.h
OBJECT(thing) { u32 x; };
//+ other.c
#include "other.h"
u32 call(struct thing *t) { return t->x; }
//! object:weak weak_symbol
__attribute__((weak)) int f(void) { return 1; }
//! object:common common_symbol
__attribute__((common)) int x;
//! object:indirect ifunc
static int one(void) { return 1; }
static int (*pick(void))(void) { return one; }
int f(void) __attribute__((ifunc("pick")));
//! object:section own_section
__attribute__((section(".init.early"))) int x = 1;
//! object:section constructor
void g(void);
__attribute__((constructor)) void f(void) { g(); }
//! object:thread-local thread_local
__thread int x = 1;
int *f(void) { return &x; }
//! object:instruction cli
void f(void) { __asm__ volatile("cli"); }
//! object:instruction fs_access
unsigned long f(void) { unsigned long x; __asm__("mov %%fs:0, %0" : "=r"(x)); return x; }
//! object:instruction write_cr3
void f(unsigned long x) { __asm__ volatile("mov %0, %%cr3" : : "r"(x)); }
//! object:instruction port_output
void f(unsigned short p) { __asm__ volatile("outb %%al, %0" : : "Nd"(p)); }
//! object:neither framework_internal
void pool_secret(void *p);
void f(void *p) { pool_secret(p); }
//! object:checker no_facts
int f(void) { return 1; }
//! link rule_switched_off
//= -fplugin-arg-safec-off=P1
u32 f(void) { return 1; }
//! link other_trust
//= -fplugin-arg-safec-trust=tests/safec
u32 f(void) { return 1; }
//! link no_pass
//= -fplugin-arg-safec-ir=off
u32 f(void) { return 1; }
//! link function_without_a_header
STABLE(thing) { u64 a, b; };
static struct thing one;
struct thing *make(void) { return &one; }
//+ other.h
STABLE(thing) { u8 raw[500]; };
struct thing *make(void);
//+ other.c
#include "other.h"
u8 f(void) { return make()->raw[400]; }
//! whole pool_of_the_framework
OBJECT(blob_40) { u32 len; u32 x; struct blob *forged[5]; };
POOL_DECLARE(blob_40)
void f(struct blob_40 *b);
void f(struct blob_40 *b) { b->forged[0] = NULL; blob_40_drop(blob_40_alloc(NULL, NOWAIT)); }
//! whole class_of_the_framework
LOCK_CLASS_DECLARE(secret);
void f(struct mutex *m);
void f(struct mutex *m) { lock_init(m, secret); }
