/* SPDX-License-Identifier: Apache-2.0
 *
 * What the loader and the build brought along, for services: the command line, files in the image.
 */
#include "arch.h"

struct blob_file { const u8 *name; usize name_len; const u8 *data; usize len; };
extern const struct blob_file k_blobs[], k_blobs_end[];

bytes boot_cmdline(void)
{
        bytes all = { (const u8 *)boot_info.cmdline, sizeof boot_info.cmdline };
        return bytes_take(all, bytes_find(all, 0));
}

bytes boot_blob(bytes name)
{
        for (const struct blob_file *f = k_blobs; f < k_blobs_end; f++)
                if (bytes_eq(name, (bytes){ f->name, f->name_len }))
                        return (bytes){ f->data, f->len };
        return NO_BYTES;
}
