/* SPDX-License-Identifier: Apache-2.0
 *
 * What the handlers share.  See call.h.
 */
#include "services/syscall/call.h"
#include "services/process/process.h"
#include "services/vfs/files.h"
#include "services/vfs/path.h"
#include "abi/linux/file.h"
#include "abi/const/fcntl.h"
#include "abi/const/process.h"

err_t call_get_versioned(mbytes dst, u64 addr, u64 user_size)
{
        u64 known = min_u64(user_size, mbytes_len(dst));
        TRY(vm_copy_in(mbytes_take(dst, known), addr));
        for (u64 at = known; at < user_size; at++) {
                u8 byte = 0;
                TRY(GET_USER(byte, addr + at));
                if (byte)
                        return ERR(E2BIG);
        }
        return OK;
}

err_t call_add_file(struct call *c, struct file *f, bool cloexec)
{
        u32 fd = 0;
        err_t err = files_add(c->t->files, f, cloexec ? FD_CLOEXEC : 0, 0, rlimit_get(c->t->process, RLIMIT_NOFILE), &fd);

        if (failed(err))
                file_drop(f);
        c->result = fd;
        return err;
}

err_t call_get_vec(struct call *c, u64 addr, u32 count, bool local, struct blob **vec, usize *total)
{
        if (count > IO_MAX_VECS)
                return ERR(EINVAL);
        *vec = blob_alloc(c->t->payer, max_u64(count, 1) * sizeof(struct linux_iovec));
        if (!*vec)
                return ERR(ENOMEM);
        blob_set_len(*vec, count * sizeof(struct linux_iovec));
        TRY(vm_copy_in(mbytes_take(blob_mbytes(*vec), count * sizeof(struct linux_iovec)), addr));
        return io_vec_check(blob_bytes(*vec), local, total);
}

static struct path_arg long_path(u64 addr)
{
        usize len = 0;
        struct blob *big = blob_alloc(NULL, PATH_MAX_LEN);
        if (!big)
                return (struct path_arg){ .text = NO_BYTES, .err = ERR(ENOMEM) };
        err_t err = vm_copy_string(blob_mbytes(big), addr, &len);
        return (struct path_arg){ .text = bytes_take(blob_bytes(big), len), .err = err, .big = big };
}

struct path_arg path_arg_get(struct scratch *small, u64 addr)
{
        while (!scratch_string(small, addr)) {
                usize n = bytes_len(scratch_bytes(small));
                if (n == SCRATCH_SIZE)
                        return long_path(addr);
                if (failed(vm_fault_in(addr + n, 1, false)))
                        return (struct path_arg){ .text = NO_BYTES, .err = ERR(EFAULT) };
        }
        bytes text = scratch_bytes(small);
        return (struct path_arg){ .text = bytes_take(text, bytes_len(text) - 1) };
}
