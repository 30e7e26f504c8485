/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_cpu: what /proc/stat says the processors do: user code, the kernel, nothing.
 */
#include "abi.h"

struct ticks { long user, system, idle; };

/* In hundredths of a second. */
static struct ticks ticks(void)
{
        struct ticks t = { 0, 0, 0 };
        long nice = 0;

        if (sscanf(text_of("/proc/stat"), "cpu  %ld %ld %ld %ld", &t.user, &nice, &t.system, &t.idle) != 4)
                t.idle = -1;
        t.user += nice;
        return t;
}

static struct ticks since(struct ticks a)
{
        struct ticks b = ticks();

        return (struct ticks){ b.user - a.user, b.system - a.system, b.idle - a.idle };
}

static int64_t own_ms(void) { return clock_ms(CLOCK_PROCESS_CPUTIME_ID); }

int main(void)
{
        static char much[1 << 20];
        struct ticks a = ticks(), d;
        int zero = open("/dev/zero", O_RDONLY);

        CHECK("it is there", a.idle >= 0);
        for (int64_t t0 = own_ms(); own_ms() - t0 < 500;)
                for (volatile int i = 0; i < 1000000; i++)
                        ;
        d = since(a);
        CHECK("user code", d.user >= 30 && d.system < d.user);
        a = ticks();
        for (int64_t t0 = own_ms(); own_ms() - t0 < 500;)
                read(zero, much, sizeof much);
        d = since(a);
        CHECK("the kernel", d.system >= 30 && d.user < d.system);
        a = ticks();
        sleep_ms(500);
        d = since(a);
        CHECK("nothing", d.idle >= 30 && d.user + d.system < d.idle);
        return done();
}
