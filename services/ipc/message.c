/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of messages, charged to who sends them: a chain of parts, since a blob is at most BLOB_MAX bytes.
 */
#include "services/ipc/ipc_impl.h"
#include "services/vfs/path.h"
#include "services/vm/vm.h"

static void ipc_message_fini(struct ipc_message *m) { blob_drop(m->data); }
POOL_DEFINE(ipc_message, ipc_message_fini);

void ipc_message_free(struct ipc_message *m)
{
        while (m) {
                struct ipc_message *more = m->more;
                ipc_message_drop(m);
                m = more;
        }
}

struct ipc_message *ipc_message_share(struct ipc_message *m)
{
        for (struct ipc_message *part = m; part; part = part->more)
                ipc_message_hold(part);
        return m;
}

static bytes part_bytes(struct ipc_message *m)
{
        return m->data ? bytes_take(blob_bytes(m->data), m->here) : bytes_take(BYTES_OF(m->few), m->here);
}

static err_t read_part(u64 addr, u64 len, struct ipc_message **out)
{
        struct ipc_message *m = ipc_message_alloc(payer_current(), MAY_RECLAIM);

        if (!m)
                return ERR(ENOMEM);
        *out = m;
        m->here = (u32)min_u64(len, BLOB_MAX);
        if (m->here <= sizeof m->few)
                return vm_copy_in(mbytes_take(MBYTES_OF(m->few), m->here), addr);
        m->data = blob_alloc(payer_current(), m->here);
        return m->data ? vm_copy_in(mbytes_take(blob_mbytes(m->data), m->here), addr) : ERR(ENOMEM);
}

err_t ipc_message_read(u64 addr, u64 len, struct ipc_message **out)
{
        struct ipc_message *first = NULL, *last = NULL;
        u64 done = 0;

        do {
                struct ipc_message *m = NULL;
                err_t err = read_part(addr + done, len - done, &m);
                if (!first)
                        first = m;
                else
                        last->more = m;
                if (failed(err)) {
                        ipc_message_free(first);
                        return err;
                }
                last = m;
                done += m->here;
        } while (done < len);
        first->len = len;
        *out = first;
        return OK;
}

err_t ipc_message_write(struct ipc_message *m, u64 addr, u64 len)
{
        for (u64 done = 0; m && done < len; m = m->more) {
                usize n = min_u64(m->here, len - done);
                TRY(vm_copy_out(addr + done, bytes_take(part_bytes(m), n)));
                done += n;
        }
        return OK;
}
