/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: what the programs about seccomp(2) share.
 */
#pragma once
#include "abi.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#define NR    offsetof(struct seccomp_data, nr)
#define ARG(n) (offsetof(struct seccomp_data, args) + 8 * (n))
#define LOAD(offset)     BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define RETURN(verdict)  BPF_STMT(BPF_RET | BPF_K, verdict)
#define ALLOW            RETURN(SECCOMP_RET_ALLOW)
/* Of a call: the verdict; of others nothing. */
#define CALL(number, verdict) LOAD(NR), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), RETURN(verdict)
#define INSTALL(flags, ...) install(flags, (struct sock_filter[]){ __VA_ARGS__ }, sizeof((struct sock_filter[]){ __VA_ARGS__ }) / sizeof(struct sock_filter))

UNUSED static long install(unsigned flags, struct sock_filter *f, unsigned n)
{
        struct sock_fprog p = { n, f };

        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

UNUSED static void no_new_privs(void) { must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs"); }
