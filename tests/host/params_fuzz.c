/* SPDX-License-Identifier: Apache-2.0
 *
 * Any kernel command line.
 */
#include "tests/host/frame/host.h"
#include "services/init/params.h"

int LLVMFuzzerTestOneInput(const u8 *data, usize size);
int LLVMFuzzerTestOneInput(const u8 *data, usize size)
{
        struct params *p = params_parse((bytes){ data, size });
        u32 words = 0;
        CHECK(p && p->n_args <= INIT_STRINGS && p->n_env <= INIT_STRINGS);
        for (usize i = 0; i < blob_len(p->args); i++)
                words += bytes_at(blob_bytes(p->args), i) == 0;
        CHECK_EQ(words, p->n_args);
        CHECK(p->init < INIT_TEXT && p->rdinit < INIT_TEXT);
        CHECK(bytes_len(params_value(p, p->init)) < INIT_TEXT);
        params_drop(p);
        CHECK_EQ(host_live(), 0);
        return 0;
}
