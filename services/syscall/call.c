/* SPDX-License-Identifier: Apache-2.0
 *
 * What the handlers share.  See call.h.
 */
#include "services/syscall/call.h"
#include "services/vfs/path.h"

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

err_t path_arg_get(struct path_arg *p, u64 addr)
{
        usize len = 0;
        err_t err = vm_copy_string(MBYTES_OF(p->small), addr, &len);
        p->len = len;
        if (!err_is(err, ENAMETOOLONG))
                return err;
        p->big = blob_alloc(NULL, PATH_MAX_LEN);
        if (!p->big)
                return ERR(ENOMEM);
        err = vm_copy_string(blob_mbytes(p->big), addr, &len);
        p->len = len;
        return err;
}

bytes path_arg_bytes(struct path_arg *p)
{
        return p->big ? bytes_take(blob_bytes(p->big), p->len) : bytes_take(BYTES_OF(p->small), p->len);
}

void path_arg_drop(struct path_arg *p) { blob_drop(p->big); }
