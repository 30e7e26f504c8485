/* SPDX-License-Identifier: Apache-2.0
 *
 * A host stand-in for what services/vm needs of the framework and of vfs: ordinary C, one
 * thread.  Allocation number `fail_at` fails (0: none); live objects and frames are counted.
 */
#pragma once
#include "frame/frame.h"
#include "services/vm/vm_impl.h"

int  printf(const char *, ...);
void *malloc(usize);
void *calloc(usize, usize);
void free(void *);
void exit(int) __attribute__((noreturn));
void *memcpy(void *, const void *, usize);
void *memset(void *, int, usize);
int  memcmp(const void *, const void *, usize);

extern u64 allocs, fail_at, live_objects, live_frames;
void host_init(void);
void host_use(struct vm *vm);                   /* the current thread's vm from now on */
struct file *host_file(u32 pages);              /* page i is filled with i + 1; NULL: no memory */
struct frame *host_file_page(struct file *f, u64 i);
u64  rnd(void);

#define CHECK(cond) do { if (!(cond)) { printf("%s:%d: %s\n", __FILE__, __LINE__, #cond); exit(1); } } while (0)
