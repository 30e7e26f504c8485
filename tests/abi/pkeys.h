/* SPDX-License-Identifier: Apache-2.0
 *
 * pkeys: PKRU and the calls, for the pkey_* programs.
 */
#pragma once
#include "abi.h"
#include <setjmp.h>
#include <ucontext.h>

#ifndef PKEY_DISABLE_ACCESS
#define PKEY_DISABLE_ACCESS 1
#define PKEY_DISABLE_WRITE  2
#endif
#ifndef SEGV_PKUERR
#define SEGV_PKUERR 4
#endif

static unsigned rdpkru(void) { unsigned a, d; __asm__ volatile ("rdpkru" : "=a"(a), "=d"(d) : "c"(0)); return a; }
UNUSED static void wrpkru(unsigned v) { __asm__ volatile ("wrpkru" :: "a"(v), "c"(0), "d"(0) : "memory"); }
UNUSED static int rights(int key) { return rdpkru() >> 2 * key & 3; }
UNUSED static void set_rights(int key, unsigned r) { wrpkru((rdpkru() & ~(3u << 2 * key)) | r << 2 * key); }
UNUSED static long key_alloc(unsigned long flags, unsigned long r) { return syscall(SYS_pkey_alloc, flags, r); }
UNUSED static long key_free(int key) { return syscall(SYS_pkey_free, key); }
UNUSED static long key_protect(void *p, size_t n, int prot, int key) { return syscall(SYS_pkey_mprotect, p, n, prot, key); }

static sigjmp_buf back;
static volatile struct { int code, key, rights_of_key; unsigned pkru; char *addr; } last;
static volatile int watch;

UNUSED static void on_segv(int sig, siginfo_t *si, void *uc)
{
        (void)sig, (void)uc;
        last.code = si->si_code;
        last.key = si->si_code == SEGV_PKUERR ? *(int *)((char *)si + 32) : -1;
        last.addr = si->si_addr;
        last.pkru = rdpkru();
        siglongjmp(back, 1);
}

UNUSED static void catch_segv(void)
{
        struct sigaction sa = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };
        sigaction(SIGSEGV, &sa, NULL);
}

/* 0: it went through; else si_code, and PKRU is as it was. */
UNUSED static int touch(char *p, int write)
{
        unsigned was = rdpkru();

        last.code = 0;
        if (sigsetjmp(back, 1) == 0) {
                if (write)
                        *(volatile char *)p = 1;
                else
                        (void)*(volatile char *)p;
        }
        wrpkru(was);
        return last.code;
}

UNUSED static char *page_of(int prot)
{
        char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        p[0] = 1;
        mprotect(p, PAGE, prot);
        return p;
}
