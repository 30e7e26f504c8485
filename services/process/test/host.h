/* SPDX-License-Identifier: Apache-2.0
 *
 * A host stand-in for what the process core needs: ordinary C.  Threads do not really run;
 * the test says which one is current, and what it calls.  Allocation number `fail_at` fails
 * (0: none); live objects are counted.  User memory is an array at USER_BASE, shared by all.
 */
#pragma once
#include "frame/frame.h"
#include "services/process/process_impl.h"

int  printf(const char *, ...);
void *calloc(usize, usize);
void exit(int) __attribute__((noreturn));
void *memset(void *, int, usize);
void *memcpy(void *, const void *, usize);

#define USER_BASE 0x100000ul
#define USER_SIZE 65536ul
extern u8 user_memory[USER_SIZE];
extern u64 allocs, fail_at, now;
extern i64 live_objects;
extern struct thread *self;                     /* the current thread */
extern void (*asleep_hook)(void);               /* what happens while the next sleeper sleeps; NULL: a sleep is a mistake */
extern struct timer *armed;                     /* the timer that was armed last, and what it runs */
extern void (*armed_fn)(struct timer *t);

struct task { struct task_body *body; u32 intr; bool exiting, notified; struct user_regs regs; };
void host_run(struct thread *t);                /* becomes current; its start is called when it is new */
void host_end(struct thread *t);                /* its task is gone */

#define CHECK(cond) do { if (!(cond)) { printf("%s:%d: %s\n", __FILE__, __LINE__, #cond); exit(1); } } while (0)
