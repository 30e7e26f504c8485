// Variables that change and that nobody has reviewed (rule G1).
//! global file_static
static u32 calls;
u32 count(void) { return ++calls; }
u32 count(void);
//! global visible
//+ own.h
extern u32 calls;
//-
#include "own.h"
u32 calls;
//! global in_a_function
static u32 count(void) { static u32 calls; return ++calls; }
u32 f(void) { return count(); }
//! global in_a_block
u32 f(u32 n) { if (n) { static u32 calls[4]; calls[n % 4]++; return calls[0]; } return 0; }
//! global in_an_inline_function
//+ own.h
static inline u32 count(void) { static u32 calls; return ++calls; }
//-
#include "own.h"
u32 f(void) { return count(); }
//! global stable_with_a_lock
STABLE(table) { struct spinlock lock; u32 n; };
static struct table table;
u32 f(void) { SPIN_GUARD(&table.lock); return table.n++; }
//! global pointer_to_const
STABLE(ops) { u32 (*f)(void); };
static const struct ops *current;
void f(const struct ops *o) { current = o; }
//! global by_a_macro
#define COUNTER(n) static u32 n
COUNTER(calls);
u32 f(void) { return ++calls; }
//! global unnamed_literal
static u32 *const calls = &(u32){ 5 };
u32 f(void) { return ++*calls; }
//! global unnamed_in_a_table
struct cell { u32 n; };
struct row { struct cell *cell; };
static const struct row rows[2] = { { &(struct cell){ 1 } }, { &(struct cell){ 2 } } };
u32 f(u32 i) { return rows[i & 1].cell->n++; }
//! global listed_elsewhere
//+ globals.txt
services/other.c calls a reason
//-
static u32 calls;
u32 f(void) { return ++calls; }
//! global without_a_reason
//+ globals.txt
build/test-safec/globals/without_a_reason/attack.c calls
//-
static u32 calls;
u32 f(void) { return ++calls; }
//! global listed_twice
//+ globals.txt
build/test-safec/globals/listed_twice/attack.c calls a reason
build/test-safec/globals/listed_twice/attack.c calls another
//-
static u32 calls;
u32 f(void) { return ++calls; }
//! global whole_and_stale
//+ globals.txt
build/test-safec/globals/whole_and_stale/attack.c calls a reason
//-
static const u32 calls = 1;
u32 f(void);
u32 f(void) { return calls; }
//! good global_reviewed
//+ globals.txt
# a comment
build/test-safec/globals/global_reviewed/attack.c calls  how often
build/test-safec/globals/global_reviewed/attack.c cells  in a function  # fine
//-
static u32 calls;
static u32 f(u32 i) { static u32 cells[4]; return ++calls + cells[i % 4]++; }
u32 g(u32 i);
u32 g(u32 i) { return f(i); }
//! good global_free
//+ globals.txt
//-
OBJECT(thing) { struct spinlock lock; u32 n; };
POOL_DECLARE(thing)
POOL_DEFINE(thing, NO_FINI);
LOCK_CLASS(thing);
STABLE(ops) { u32 (*f)(struct thing *t); };
static u32 n_of(struct thing *t) { return t->n; }
static const struct ops ops = { .f = n_of };
static const u32 primes[4] = { 2, 3, 5, 7 };
static const struct ops *const all[1] = { &ops };
u32 g(struct thing *t, u32 i);
u32 g(struct thing *t, u32 i) { lock_init(&t->lock, thing); return all[0]->f(t) + primes[i % 4]; }
