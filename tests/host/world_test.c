/* SPDX-License-Identifier: Apache-2.0
 *
 * Worlds come and go without a trace, also without memory; two of them know nothing of
 * each other.
 */
#include "tests/host/world.h"

static void test_alone(void)
{
        struct world w;
        world_boot();
        u64 live = host_live();
        for (u32 i = 0; i < 20; i++) {
                CHECK_ERR(world_new(&w), 0);
                world_drop(&w);
                host_settle();
                host_at_rest();
                if (host_live() != live)
                        host_report_live();
                CHECK_EQ(host_live(), live);
        }
}

static err_t once(void)
{
        struct world w;
        err_t err = world_new(&w);
        if (succeeded(err))
                world_drop(&w);
        return err;
}
static void test_no_memory(void)
{
        world_boot();
        CHECK(FAIL_EACH(once, ENOMEM) > 10);
}

TESTS({ "alone", test_alone }, { "no_memory", test_no_memory })
