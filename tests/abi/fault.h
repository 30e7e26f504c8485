/* SPDX-License-Identifier: Apache-2.0
 *
 * fault: catches the signal of a fault and says what it told.
 *
 *   FAULTS(sig, code, addr, expression)   true if the expression ends in that signal
 */
#pragma once
#include "abi.h"
#include <setjmp.h>

static sigjmp_buf             fault_back;
static volatile int           fault_sig, fault_code;
static void *volatile         fault_addr;

UNUSED static void fault_handler(int sig, siginfo_t *si, void *context)
{
        (void)context;
        fault_sig = sig;
        fault_code = si->si_code;
        fault_addr = si->si_addr;
        siglongjmp(fault_back, 1);
}

UNUSED static void catch_faults(void)
{
        static const int sigs[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
        struct sigaction sa = { .sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO | SA_NODEFER };

        for (unsigned i = 0; i < sizeof sigs / sizeof *sigs; i++)
                sigaction(sigs[i], &sa, NULL);
}

#define FAULTS(sig, code, addr, ...)                                            \
        ({                                                                      \
                fault_sig = 0;                                                  \
                if (sigsetjmp(fault_back, 1) == 0) {                            \
                        __VA_ARGS__;                                            \
                }                                                               \
                fault_sig == (sig) && fault_code == (code) && fault_addr == (void *)(addr); \
        })

#define READS(p)     ((void)*(volatile char *)(p))
#define WRITES(p, v) (*(volatile char *)(p) = (v))
