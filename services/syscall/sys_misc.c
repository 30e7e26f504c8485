/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls about the system: names, memory, random numbers, log, power; credentials; futexes.
 */
#include "services/syscall/calls.h"
#include "services/process/process.h"
#include "services/namespace/namespace.h"
#include "services/security/cred.h"
#include "services/futex/futex.h"
#include "services/syslog/syslog.h"
#include "services/time/clock.h"
#include "services/tty/tty.h"
#include "services/vfs/vfs.h"
#include "services/random/random.h"
#include "abi/linux/process.h"
#include "abi/const/process.h"
#include "abi/const/time.h"

/* ---- the system ---- */

err_t sys_vhangup(struct call *c)
{
        (void)c;
        return tty_vhangup();
}

static void put_text(mbytes field, bytes text) { mbytes_copy(field, text); }

err_t sys_uname(struct call *c)
{
        struct linux_utsname u = {};
        put_text(MBYTES_OF(u.sysname), STR("Linux"));
        put_text(MBYTES_OF(u.release), STR(UTS_RELEASE));
        put_text(MBYTES_OF(u.version), STR(UTS_VERSION));
        put_text(MBYTES_OF(u.machine), (c->t->personality & PER_MASK) == PER_LINUX32 ? STR("i686") : STR("x86_64"));
        uts_get_nodename(c->t->ns->uts, MBYTES_OF(u.nodename));
        uts_get_domainname(c->t->ns->uts, MBYTES_OF(u.domainname));
        return PUT_USER(arg(c, 0), u);
}

static err_t set_uts(struct call *c, bool domain)
{
        u8 name[UTS_LEN] = {};
        i32 len = arg_int(c, 1);

        if (!capable(CAP_SYS_ADMIN))
                return ERR(EPERM);
        if (len < 0 || len > (i32)UTS_LEN)
                return ERR(EINVAL);
        TRY(vm_copy_in(mbytes_take(MBYTES_OF(name), (usize)len), arg(c, 0)));
        bytes text = bytes_take(BYTES_OF(name), (usize)len);
        return domain ? uts_set_domainname(c->t->ns->uts, text) : uts_set_nodename(c->t->ns->uts, text);
}

err_t sys_sethostname(struct call *c)   { return set_uts(c, false); }
err_t sys_setdomainname(struct call *c) { return set_uts(c, true); }

err_t sys_sysinfo(struct call *c)
{
        struct mem_stats m = mem_stats();
        struct linux_sysinfo s = {
                .uptime = (i64)((time_now() + NSEC_PER_SEC - 1) / NSEC_PER_SEC), .totalram = m.total * PAGE_SIZE,
                .freeram = m.free * PAGE_SIZE, .procs = (u16)pid_ns_threads(pid_ns_current()), .mem_unit = 1,
        };
        return PUT_USER(arg(c, 0), s);
}

err_t sys_getrandom(struct call *c)
{
        u32 flags = arg_uint(c, 2);
        u64 len = min_u64(arg(c, 1), IO_MAX_BYTES), done = 0;

        if ((flags & ~(u32)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) ||
            (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
                return ERR(EINVAL);
        u8 chunk[256] = {};
        while (done < len) {
                u64 n = min_u64(len - done, sizeof chunk);
                random_fill(mbytes_take(MBYTES_OF(chunk), n));
                u64 out = vm_copy_out_some(arg(c, 0) + done, bytes_take(BYTES_OF(chunk), n));
                done += out;
                if (out < n || task_interrupts())
                        break;
        }
        mbytes_fill(MBYTES_OF(chunk), 0);
        c->result = done;
        return done < len && done == 0 ? ERR(EFAULT) : OK;
}

err_t sys_getcpu(struct call *c)
{
        u32 cpu = cpu_id(), node = 0;
        if (arg(c, 0))
                TRY(PUT_USER(arg(c, 0), cpu));
        return arg(c, 1) ? PUT_USER(arg(c, 1), node) : OK;
}

err_t sys_reboot(struct call *c)
{
        u32 magic2 = arg_uint(c, 1);

        if (!capable(CAP_SYS_BOOT))
                return ERR(EPERM);
        if (arg_uint(c, 0) != LINUX_REBOOT_MAGIC1 ||
            (magic2 != LINUX_REBOOT_MAGIC2 && magic2 != LINUX_REBOOT_MAGIC2A && magic2 != LINUX_REBOOT_MAGIC2B &&
             magic2 != LINUX_REBOOT_MAGIC2C))
                return ERR(EINVAL);
        switch (arg_uint(c, 2)) {
        case LINUX_REBOOT_CMD_RESTART:
        case LINUX_REBOOT_CMD_RESTART2:
                klog(LOG_EMERG, "reboot: Restarting system");
                power_reset();
                return OK;
        case LINUX_REBOOT_CMD_HALT:
                klog(LOG_EMERG, "reboot: System halted");
                power_halt();
                return OK;
        case LINUX_REBOOT_CMD_POWER_OFF:
                klog(LOG_EMERG, "reboot: Power down");
                power_off();
                return OK;
        case LINUX_REBOOT_CMD_CAD_ON:           /* there is no Ctrl-Alt-Del on a serial console */
        case LINUX_REBOOT_CMD_CAD_OFF:
                return OK;
        default:
                return ERR(EINVAL);
        }
}

/* ---- syslog(2) ---- */

err_t sys_syslog(struct call *c)
{
        u32 type = arg_uint(c, 0);
        i32 len = arg_int(c, 2);
        struct io io = io_user(arg(c, 1), len < 0 ? 0 : (usize)len);
        struct syslog_levels levels = syslog_levels();
        err_t err = OK;

        TRY(syslog_may(type != SYSLOG_ACTION_READ_ALL && type != SYSLOG_ACTION_SIZE_BUFFER));
        switch (type) {
        case SYSLOG_ACTION_CLOSE:
        case SYSLOG_ACTION_OPEN:
                return OK;
        case SYSLOG_ACTION_READ:
        case SYSLOG_ACTION_READ_ALL:
        case SYSLOG_ACTION_READ_CLEAR:
                if (!arg(c, 1) || len < 0)
                        return ERR(EINVAL);
                if (len > 0 && type == SYSLOG_ACTION_READ)
                        err = syslog_read(&io, false);
                else if (len > 0)
                        err = syslog_read_all(&io, type == SYSLOG_ACTION_READ_CLEAR);
                c->result = io_done(&io);
                return err;
        case SYSLOG_ACTION_CLEAR:
                syslog_clear();
                return OK;
        case SYSLOG_ACTION_CONSOLE_OFF:
                syslog_console_off();
                return OK;
        case SYSLOG_ACTION_CONSOLE_ON:
                syslog_console_on();
                return OK;
        case SYSLOG_ACTION_CONSOLE_LEVEL:
                if (len < 1 || len > 8)
                        return ERR(EINVAL);
                levels.console = (u32)max_u64((u64)len, levels.least);
                syslog_set_levels(levels);
                return OK;
        case SYSLOG_ACTION_SIZE_UNREAD:
                c->result = syslog_unread();
                return OK;
        case SYSLOG_ACTION_SIZE_BUFFER:
                c->result = SYSLOG_BUFFER;
                return OK;
        default:
                return ERR(EINVAL);
        }
}

/* ---- credentials ---- */

err_t sys_getuid(struct call *c)  { c->result = c->t->cred->uid; return OK; }
err_t sys_geteuid(struct call *c) { c->result = c->t->cred->euid; return OK; }
err_t sys_getgid(struct call *c)  { c->result = c->t->cred->gid; return OK; }
err_t sys_getegid(struct call *c) { c->result = c->t->cred->egid; return OK; }

static err_t put_three(struct call *c, u32 a, u32 b, u32 d)
{
        TRY(PUT_USER(arg(c, 0), a));
        TRY(PUT_USER(arg(c, 1), b));
        return PUT_USER(arg(c, 2), d);
}

err_t sys_getresuid(struct call *c) { return put_three(c, c->t->cred->uid, c->t->cred->euid, c->t->cred->suid); }
err_t sys_getresgid(struct call *c) { return put_three(c, c->t->cred->gid, c->t->cred->egid, c->t->cred->sgid); }

err_t call_install_cred(struct call *c, struct cred *new, err_t err)
{
        (void)c;
        if (failed(err)) {
                cred_drop(new);
                return err;
        }
        cred_publish(new);
        thread_set_cred(new);
        return OK;
}

struct cred *call_own_cred(struct call *c) { return cred_copy(c->t->payer, c->t->cred); }

err_t sys_setuid(struct call *c)
{
        struct cred *new = call_own_cred(c);
        return new ? call_install_cred(c, new, cred_setuid(new, arg_uint(c, 0))) : ERR(ENOMEM);
}
err_t sys_setgid(struct call *c)
{
        struct cred *new = call_own_cred(c);
        return new ? call_install_cred(c, new, cred_setgid(new, arg_uint(c, 0))) : ERR(ENOMEM);
}
err_t sys_setreuid(struct call *c)
{
        struct cred *new = call_own_cred(c);
        return new ? call_install_cred(c, new, cred_setreuid(new, arg_uint(c, 0), arg_uint(c, 1))) : ERR(ENOMEM);
}
err_t sys_setregid(struct call *c)
{
        struct cred *new = call_own_cred(c);
        return new ? call_install_cred(c, new, cred_setregid(new, arg_uint(c, 0), arg_uint(c, 1))) : ERR(ENOMEM);
}
err_t sys_setresuid(struct call *c)
{
        struct cred *new = call_own_cred(c);
        return new ? call_install_cred(c, new, cred_setresuid(new, arg_uint(c, 0), arg_uint(c, 1), arg_uint(c, 2))) : ERR(ENOMEM);
}
err_t sys_setresgid(struct call *c)
{
        struct cred *new = call_own_cred(c);
        return new ? call_install_cred(c, new, cred_setresgid(new, arg_uint(c, 0), arg_uint(c, 1), arg_uint(c, 2))) : ERR(ENOMEM);
}
err_t sys_setfsuid(struct call *c)
{
        struct cred *new = call_own_cred(c);
        c->result = c->t->cred->fsuid;
        if (!new)
                return OK;
        cred_setfsuid(new, arg_uint(c, 0));
        return call_install_cred(c, new, OK);
}
err_t sys_setfsgid(struct call *c)
{
        struct cred *new = call_own_cred(c);
        c->result = c->t->cred->fsgid;
        if (!new)
                return OK;
        cred_setfsgid(new, arg_uint(c, 0));
        return call_install_cred(c, new, OK);
}

err_t sys_getgroups(struct call *c)
{
        struct cred *cred = c->t->cred;
        i32 size = arg_int(c, 0);
        u32 n = cred_group_count(cred);

        c->result = n;
        if (size < 0 || (size && (u32)size < n))
                return ERR(EINVAL);
        if (!size)
                return OK;
        for (u32 i = 0; i < n; i++) {
                u32 gid = cred_group(cred, i);
                TRY(PUT_USER(arg(c, 1) + i * sizeof gid, gid));
        }
        return OK;
}

err_t sys_setgroups(struct call *c)
{
        u32 n = arg_uint(c, 0);
        if (!capable(CAP_SETGID))
                return ERR(EPERM);
        if (n > GROUPS_MAX)
                return ERR(EINVAL);
        if (n * sizeof(u32) > BLOB_MAX)         /* over 16384 groups: not there yet */
                return ERR(EINVAL);
        struct blob *gids CLEANUP(drop_blob) = blob_alloc(c->t->payer, n ? n * sizeof(u32) : 1);
        if (!gids)
                return ERR(ENOMEM);
        mbytes list = mbytes_take(blob_mbytes(gids), n * sizeof(u32));
        TRY(vm_copy_in(list, arg(c, 1)));
        struct cred *new = call_own_cred(c);
        return new ? call_install_cred(c, new, cred_setgroups(c->t->payer, new, bytes_const(list))) : ERR(ENOMEM);
}

/* The header of capget and capset: version 3 and 2 have two data words. */
static err_t cap_header(struct call *c, u32 *words, i32 *pid)
{
        struct linux_cap_header h = {};
        TRY(GET_USER(h, arg(c, 0)));
        *pid = h.pid;
        switch (h.version) {
        case LINUX_CAPABILITY_VERSION_1:
                *words = 1;
                return OK;
        case LINUX_CAPABILITY_VERSION_2:
        case LINUX_CAPABILITY_VERSION_3:
                *words = 2;
                return OK;
        default:
                h.version = LINUX_CAPABILITY_VERSION_3;
                TRY(PUT_USER(arg(c, 0), h));
                return ERR(EINVAL);
        }
}

err_t sys_capget(struct call *c)
{
        u32 words = 0;
        i32 pid = 0;
        struct linux_cap_data data[2] = {};

        err_t err = cap_header(c, &words, &pid);
        if (failed(err))
                return !arg(c, 1) && err_is(err, EINVAL) ? OK : err;
        if (pid < 0)
                return ERR(EINVAL);
        if (!arg(c, 1))
                return OK;
        struct thread *t = pid ? thread_find(pid_ns_current(), (u32)pid) : thread_hold(c->t);
        if (!t)
                return ERR(ESRCH);
        struct cap_sets sets = {};
        {
                SPIN_GUARD(&t->process->lock);
                sets = (struct cap_sets){ .effective = t->cred->cap_effective, .permitted = t->cred->cap_permitted,
                                          .inheritable = t->cred->cap_inheritable };
        }
        thread_drop(t);
        for (u32 i = 0; i < 2; i++)
                data[i] = (struct linux_cap_data){ .effective = (u32)(sets.effective >> (32 * i)),
                        .permitted = (u32)(sets.permitted >> (32 * i)), .inheritable = (u32)(sets.inheritable >> (32 * i)) };
        return vm_copy_out(arg(c, 1), bytes_take(BYTES_OF(data), words * sizeof data[0]));
}

err_t sys_capset(struct call *c)
{
        u32 words = 0;
        i32 pid = 0;
        struct linux_cap_data data[2] = {};
        struct cap_sets sets = {};

        TRY(cap_header(c, &words, &pid));
        if (pid && (u32)pid != c->t->tid)
                return ERR(EPERM);
        TRY(vm_copy_in(mbytes_take(MBYTES_OF(data), words * sizeof data[0]), arg(c, 1)));
        for (u32 i = 0; i < 2; i++) {
                sets.effective |= (u64)data[i].effective << (32 * i);
                sets.permitted |= (u64)data[i].permitted << (32 * i);
                sets.inheritable |= (u64)data[i].inheritable << (32 * i);
        }
        sets.effective &= CAP_MASK_ALL;
        sets.permitted &= CAP_MASK_ALL;
        sets.inheritable &= CAP_MASK_ALL;
        struct cred *new = call_own_cred(c);
        return new ? call_install_cred(c, new, cred_capset(new, sets)) : ERR(ENOMEM);
}

/* ---- futex ---- */

err_t sys_futex(struct call *c)
{
        u32 op = arg_uint(c, 1), cmd = op & (u32)FUTEX_CMD_MASK;
        struct futex_args a = { .addr = arg(c, 0), .op = op, .val = arg_uint(c, 2), .addr2 = arg(c, 4), .val3 = arg_uint(c, 5) };
        bool waits = cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI || cmd == FUTEX_LOCK_PI2 ||
                     cmd == FUTEX_WAIT_REQUEUE_PI;

        if (waits && arg(c, 3)) {
                struct linux_timespec ts = {};
                TRY(GET_USER(ts, arg(c, 3)));
                TRY(ns_from_timespec(ts, &a.timeout_ns));
                a.has_timeout = true;
        } else {
                a.val2 = (u32)arg(c, 3);
        }
        return futex_call(a, &c->result);
}

/* waiters, how many, flags (none), time-out (absolute), its clock */
err_t sys_futex_waitv(struct call *c)
{
        struct futex_waitv_args a = { .at = arg(c, 0), .n = arg_uint(c, 1), .deadline = NEVER };

        if (arg_uint(c, 2) || a.n == 0 || !a.at)
                return ERR(EINVAL);
        if (arg(c, 3)) {
                struct linux_timespec ts = {};
                a.wall = arg_int(c, 4) == CLOCK_REALTIME;
                if (!a.wall && arg_int(c, 4) != CLOCK_MONOTONIC)
                        return ERR(EINVAL);
                TRY(GET_USER(ts, arg(c, 3)));
                TRY(ns_from_timespec(ts, &a.deadline));
                a.deadline = min_u64(a.deadline, NEVER - 1);
        }
        return futex_waitv(&a, &c->result);
}
