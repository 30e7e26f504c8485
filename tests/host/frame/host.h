/* SPDX-License-Identifier: Apache-2.0
 *
 * The framework as a host program: the safe API of frame/include over malloc and one thread,
 * so that services and lib run under the sanitizers and a fuzzer.  What the framework traps,
 * this stops at, with the place; what it allocates is counted, and any allocation can be made
 * to fail.
 *
 * Time stands still but for sleeps: a sleep with nobody to wake it moves the clock on to the next
 * timer or its deadline.  A sleep without a deadline asks host_on_sleep to play the others; if
 * nothing comes of it the program has hung, and that is an error.
 */
#pragma once

int   printf(const char *, ...) __attribute__((__format__(__printf__, 1, 2)));
int   snprintf(char *, usize, const char *, ...) __attribute__((__format__(__printf__, 3, 4)));
int   strcmp(const char *, const char *);
usize strlen(const char *);
void *malloc(usize);
void *calloc(usize, usize);
void *realloc(void *, usize);
void  free(void *);
void  exit(int) __attribute__((noreturn));
void *memcpy(void *, const void *, usize);
void *memmove(void *, const void *, usize);
void *memset(void *, int, usize);
int   memcmp(const void *, const void *, usize);

/* Stops the program; the message says where. */
void host_fail(const char *file, int line, const char *what) __attribute__((noreturn));
#define CHECK(cond) do { if (!(cond)) host_fail(__FILE__, __LINE__, #cond); } while (0)
/* The same, with both numbers shown. */
void host_fail_eq(const char *file, int line, const char *what, long got, long want) __attribute__((noreturn));
#define CHECK_EQ(got, want) do { long got_k = (long)(got), want_k = (long)(want); \
        if (got_k != want_k) host_fail_eq(__FILE__, __LINE__, #got " == " #want, got_k, want_k); } while (0)
#define CHECK_ERR(err, code) CHECK_EQ(err_code(err), (code))
/* Does fn end with a trap?  It runs in a child. */
bool host_traps(void (*fn)(void));
void host_expect_trap(void);                    /* this process is such a child: stay silent */

/* Allocations: number `host_fail_at` fails (0: none), counted from host_fail_from(n) on. */
extern u64  host_allocs, host_fail_at;
extern bool host_fail_rest;                     /* and all after it */
void host_fail_from(u64 n);
bool host_failed_one(void);                     /* has one failed since? */
bool host_alloc_fails(void);                    /* for the frame's own allocations */

/* What is alive: objects of all pools, blobs, frames, timers, …. */
extern u64  host_live_objects, host_live_frames, host_live_others;
u64  host_payer_used(struct payer *p);
void host_payer_limit(struct payer *p, u64 limit);
u64  host_live(void);
void host_report_live(void);                    /* by pool, to stdout */

/* A freed slot of a pool is poisoned and rests a while; off where code follows stale pointers on purpose. */
extern bool host_poison;

u64  host_random(void);                         /* the same sequence for the same seed */
void host_seed(u64 seed);

extern u64  host_now;                           /* ns */
extern bool host_log;                           /* log lines to stdout */
const char *host_error(void);                   /* the last line logged as an error; "": none */
void host_forget_error(void);
bytes host_file_content(const char *name);      /* a file of the host, under the project's folder; never freed */
extern void (*host_on_sleep)(void);             /* plays everybody else while the thread sleeps */
extern bool host_hang_is_signal;                /* a sleep that nobody would end: interrupt it instead of failing */
extern bool host_spends;                        /* frames and objects are charged to their payers */
void host_settle(void);                         /* runs the timers that are due */
void host_at_rest(void);                        /* no lock held, no waiter, no pin: checked after each call */

struct task_body;
void host_become(struct task_body *body);       /* the current thread from now on; NULL: none */
void host_interrupt(u32 why);                   /* bits of enum intr, of the current task */
void host_initrd(bytes content);                /* what boot_initrd_frame gives, once more */

/* Tests.  One is a function, run in a process of its own: `program PREFIX`
 * (of host/PROGRAM.NAME) or all.  TESTS(…) is main. */
struct host_test { const char *name; void (*run)(void); };
int host_main(int argc, char **argv, const struct host_test *tests, u32 n);
#define TESTS(...) \
        int main(int argc, char **argv) \
        { static const struct host_test tests[] = { __VA_ARGS__ }; return host_main(argc, argv, tests, ARRAY_SIZE(tests)); }

/* Runs `body` with allocation 1, 2, … failing until none fails.  body returns the error of what it tried;
 * it must be ENOMEM-like (as `allowed` says) when an allocation failed and the call could not do without, and
 * nothing may be left over.  Returns how many allocations there were. */
u64 host_fail_each(err_t (*body)(void), const int *allowed, u32 n_allowed);
#define FAIL_EACH(body, ...) ({ static const int a_k[] = { __VA_ARGS__ }; host_fail_each(body, a_k, ARRAY_SIZE(a_k)); })
