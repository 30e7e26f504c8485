/* SPDX-License-Identifier: Apache-2.0
 *
 * sysinfo_basic: sysinfo and sysconf's sources.
 */
#include "abi.h"
#include <sys/sysinfo.h>

int main(void)
{
        struct sysinfo a, b;

        OKAY("sysinfo", sysinfo(&a));
        CHECK("memory", a.totalram * a.mem_unit > (32UL << 20) && a.freeram <= a.totalram && a.freeram > 0);
        CHECK("no swap", a.totalswap == 0);
        CHECK("processes", a.procs > 1);
        CHECK("unit", a.mem_unit == 1);
        char *p = mmap(NULL, 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(p, 1, 32 << 20);
        sysinfo(&b);
        CHECK("memory in use shows", a.freeram - b.freeram > (24UL << 20));
        munmap(p, 32 << 20);
        sysinfo(&b);
        CHECK("and comes back", (long)(a.freeram - b.freeram) < (16L << 20));
        sleep_ms(1100);
        sysinfo(&b);
        CHECK("uptime", b.uptime > a.uptime);
        FAILS("pointer", EFAULT, syscall(SYS_sysinfo, BAD_PTR));
        return done();
}
