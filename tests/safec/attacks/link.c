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
