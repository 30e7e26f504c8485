/* SPDX-License-Identifier: Apache-2.0
 *
 * x86-64: the notes of a core file.
 */
#pragma once
#include "abi/linux/time.h"
#include "abi/linux/x86_64/regs.h"

struct linux_elf_siginfo {
        i32 si_signo;
        i32 si_code;
        i32 si_errno;
};

struct linux_elf_prstatus {             /* NT_PRSTATUS */
        struct linux_elf_siginfo pr_info;
        i16 pr_cursig;
        u16 pad0;
        u64 pr_sigpend;
        u64 pr_sighold;
        i32 pr_pid;
        i32 pr_ppid;
        i32 pr_pgrp;
        i32 pr_sid;
        struct linux_timeval pr_utime;
        struct linux_timeval pr_stime;
        struct linux_timeval pr_cutime;
        struct linux_timeval pr_cstime;
        struct linux_user_regs pr_reg;
        i32 pr_fpvalid;
        u32 pad1;
};

struct linux_elf_prpsinfo {             /* NT_PRPSINFO */
        u8 pr_state;
        u8 pr_sname;
        u8 pr_zomb;
        i8 pr_nice;
        u32 pad0;
        u64 pr_flag;
        u32 pr_uid;
        u32 pr_gid;
        i32 pr_pid;
        i32 pr_ppid;
        i32 pr_pgrp;
        i32 pr_sid;
        u8 pr_fname[16];
        u8 pr_psargs[80];
};
