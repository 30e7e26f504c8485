/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors.  err_t is a type no integer can pass for; its numbers are Linux's.
 * ERR(EINVAL) is where an error is born; TRY(f()) passes it up.
 */
#pragma once
#include "abi/errno.h"                  /* generated: E* as Linux numbers them */
#include "abi/linux/restart.h"

typedef struct __attribute__((warn_unused_result)) err {
        int code K_READONLY;            /* 0, or a positive E* number */
} err_t;

#define OK          ((err_t){ 0 })
#define ERR(code)   ((err_t){ (code) })
#define TRY(expr)   do { err_t e_k = (expr); if (failed(e_k)) return e_k; } while (0)

SAFE_API static inline bool failed(err_t e)         { return e.code != 0; }
SAFE_API static inline bool succeeded(err_t e)      { return e.code == 0; }
SAFE_API static inline int  err_code(err_t e)       { return e.code; }
SAFE_API static inline bool err_is(err_t e, int c)  { return e.code == c; }
/* Says that an error is ignored on purpose. */
SAFE_API static inline void ignore(err_t e)         { (void)e; }

/* A failed check in a service ends the process it worked for (an oops), not
 * the machine.  The condition is evaluated in every build. */
#define assert(cond)  do { if (__builtin_expect(!(cond), 0)) k_assert_failed(); } while (0)
static inline void k_assert_failed(void) { __builtin_trap(); }
