/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls on another process's memory: process_vm_readv, process_vm_writev, process_madvise.
 */
#include "services/syscall/calls.h"
#include "services/process/process.h"
#include "services/security/cred.h"
#include "services/vfs/io.h"
#include "abi/linux/file.h"
#include "abi/const/mm.h"
#include "abi/const/process.h"

/* The address space of p for a caller who may look into it, counted.  It is taken before the question is asked:
 * a program that p executes meanwhile is not what we got.  ESRCH: it has none; EACCES. */
static err_t vm_of(struct process *p, bool real, struct vm **out)
{
        struct vm *vm = process_vm(p);

        if (!vm)
                return ERR(ESRCH);
        if (vm != vm_current() && !process_may_trace(p, real)) {
                vm_drop(vm);
                return ERR(EACCES);
        }
        *out = vm;
        return OK;
}

/* ---- Reading and writing ---- */

#define CHUNK 512u

/* To `at`, within a page, by way of the kernel's own memory: what is written goes there while the mapping cannot change, so
 * never into a file that was sealed meanwhile. */
static usize write_page(struct vm *vm, u64 at, usize n, struct io *local)
{
        usize done = 0, part = CHUNK, got = CHUNK;

        while (done < n && got == part) {
                u8 chunk[CHUNK] = {};
                part = min_u64(CHUNK, n - done);
                got = io_copy_in(local, mbytes_take(MBYTES_OF(chunk), part));
                if (vm_write_remote(vm, at + done, bytes_take(BYTES_OF(chunk), got), false) < got) {
                        local->done -= got;     /* all or nothing of it */
                        break;
                }
                done += got;
        }
        return done;
}

static usize read_page(struct vm *vm, u64 at, usize n, struct io *local)
{
        struct frame *f = vm_grab(vm, at, false);
        if (!f)
                return 0;
        usize got = f == frame_zero_page() ? io_zero(local, n) : io_from_frame(local, f, at & PAGE_MASK, n);
        vm_ungrab(f);
        return got;
}

/* Between one range of vm and what is left of `local`.  False: a page, here or there, cannot be had. */
static bool transfer_range(struct vm *vm, struct linux_iovec range, struct io *local, bool write)
{
        u64 at = range.iov_base, left = min_u64(range.iov_len, io_left(local));

        while (left > 0) {
                usize off = at & PAGE_MASK, n = min_u64(PAGE_SIZE - off, left);
                usize got = write ? write_page(vm, at, n, local) : read_page(vm, at, n, local);
                if (got < n)
                        return false;
                at += n;
                left -= n;
        }
        return true;
}

static err_t transfer(struct vm *vm, bytes remote, struct io *local, bool write)
{
        for (usize at = 0; at < bytes_len(remote) && io_left(local) > 0; at += sizeof(struct linux_iovec)) {
                struct linux_iovec range;
                POD_READ(&range, bytes_skip(remote, at));
                if (!transfer_range(vm, range, local, write))
                        return io_done(local) > 0 ? OK : ERR(EFAULT);
        }
        return OK;
}

static err_t transfer_process(u32 tid, bytes remote, struct io *local, bool write)
{
        struct thread *t = thread_find(pid_ns_current(), tid);
        struct vm *vm = NULL;

        if (!t)
                return ERR(ESRCH);
        err_t err = vm_of(t->process, true, &vm);
        thread_drop(t);
        if (failed(err))
                return err_is(err, EACCES) ? ERR(EPERM) : err;
        err = transfer(vm, remote, local, write);
        vm_drop(vm);
        return err;
}

static err_t process_vm_call(struct call *c, bool write)
{
        struct blob *here CLEANUP(drop_blob) = NULL, *there CLEANUP(drop_blob) = NULL;
        usize total = 0, total_there = 0;

        if (arg(c, 5))
                return ERR(EINVAL);
        TRY(call_get_vec(c, arg(c, 1), arg_uint(c, 2), true, &here, &total));
        if (!total)
                return OK;
        TRY(call_get_vec(c, arg(c, 3), arg_uint(c, 4), false, &there, &total_there));
        if (!total_there)
                return OK;
        struct io local = io_vec(blob_bytes(here), total);
        err_t err = transfer_process(arg_uint(c, 0), blob_bytes(there), &local, write);
        c->result = io_done(&local);
        return err;
}

err_t sys_process_vm_readv(struct call *c)  { return process_vm_call(c, false); }
err_t sys_process_vm_writev(struct call *c) { return process_vm_call(c, true); }

/* ---- Advice ---- */

static err_t advise_ranges(struct vm *vm, bytes ranges, u32 advice, u64 *done)
{
        for (usize at = 0; at < bytes_len(ranges); at += sizeof(struct linux_iovec)) {
                struct linux_iovec range;
                POD_READ(&range, bytes_skip(ranges, at));
                err_t err = vm_madvise(vm, range.iov_base, range.iov_len, advice);
                if (failed(err))
                        return *done > 0 ? OK : err;
                *done += range.iov_len;
        }
        return OK;
}

err_t sys_process_madvise(struct call *c)
{
        u32 advice = arg_uint(c, 3);
        struct blob *ranges CLEANUP(drop_blob) = NULL;
        struct process *p = NULL;
        struct vm *vm = NULL;
        usize total = 0;

        if (arg_uint(c, 4))
                return ERR(EINVAL);
        TRY(call_get_vec(c, arg(c, 1), arg_uint(c, 2), true, &ranges, &total));
        TRY(call_process_of_fd(c, arg_uint(c, 0), false, &p));
        err_t err = advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED ? vm_of(p, false, &vm) : ERR(EINVAL);
        process_drop(p);
        TRY(err);
        err = cred_has(c->t->cred, CAP_SYS_NICE) ? advise_ranges(vm, blob_bytes(ranges), advice, &c->result) : ERR(EPERM);
        vm_drop(vm);
        return err;
}
