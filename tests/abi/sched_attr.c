/* SPDX-License-Identifier: Apache-2.0
 *
 * sched_attr: sched_setattr(2) and sched_getattr(2): sizes, flags, what fits together.
 */
#include "policy.h"

static void sizes(void)
{
        struct attr a = { .size = 47 };
        long (*const call)(long, ...) = syscall;

        FAILS("no attr", EINVAL, call(SYS_sched_setattr, 0, NULL, 0));
        FAILS("flags", EINVAL, call(SYS_sched_setattr, 0, &a, 1));
        FAILS("pid -1", EINVAL, call(SYS_sched_setattr, -1, &a, 0));
        FAILS("bad address", EFAULT, call(SYS_sched_setattr, 0, BAD_PTR, 0));
        FAILS("small", E2BIG, call(SYS_sched_setattr, 0, &a, 0));
        CHECK("the size is told", a.size == 56);
        a.size = 4097;
        FAILS("large", E2BIG, call(SYS_sched_setattr, 0, &a, 0));
        CHECK("and again", a.size == 56);
        a = (struct attr){ .size = 64, .tail = { 1 } };
        FAILS("more than is known", E2BIG, call(SYS_sched_setattr, 0, &a, 0));
        CHECK("the size", a.size == 56);
        a = (struct attr){ .size = 64 };
        OKAY("zeros behind", call(SYS_sched_setattr, 0, &a, 0));
        a = (struct attr){ .size = 0 };
        OKAY("size 0", call(SYS_sched_setattr, 0, &a, 0));
        a.size = 0;
        FAILS("nobody", ESRCH, call(SYS_sched_setattr, 999999, &a, 0));
        FAILS("no policy", EINVAL, setattr((struct attr){ .policy = 4 }));
        FAILS("policy 7", EINVAL, setattr((struct attr){ .policy = 7 }));
        FAILS("negative policy", EINVAL, setattr((struct attr){ .policy = 1u << 31 }));
        FAILS("negative, nobody", EINVAL, setattr_of(999999, (struct attr){ .policy = 1u << 31 }));
        FAILS("RESET_ON_FORK in the policy", EINVAL, setattr((struct attr){ .policy = 0x40000000 }));

        FAILS("get: no attr", EINVAL, call(SYS_sched_getattr, 0, NULL, 48, 0));
        FAILS("get: small", EINVAL, call(SYS_sched_getattr, 0, &a, 47, 0));
        FAILS("get: large", EINVAL, call(SYS_sched_getattr, 0, &a, 4097, 0));
        FAILS("get: flags", EINVAL, call(SYS_sched_getattr, 0, &a, 48, 1));
        FAILS("get: pid", EINVAL, call(SYS_sched_getattr, -1, &a, 48, 0));
        FAILS("get: nobody", ESRCH, call(SYS_sched_getattr, 999999, &a, 48, 0));
        FAILS("get: bad address", EFAULT, call(SYS_sched_getattr, 0, BAD_PTR, 48, 0));
        OKAY("get: 48", call(SYS_sched_getattr, 0, &a, 48, 0));
        CHECK("size 48", a.size == 48);
        memset(&a, 0xff, sizeof a);
        OKAY("get: 52", call(SYS_sched_getattr, 0, &a, 52, 0));
        CHECK("size 52", a.size == 52);
        CHECK("no more", a.util_max == 0xffffffff);
        memset(&a, 0xff, sizeof a);
        char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(page, 0xff, PAGE);
        OKAY("get: a page", call(SYS_sched_getattr, 0, page, PAGE, 0));
        memcpy(&a, page, sizeof a);
        CHECK("size 56", a.size == 56);
        CHECK("what is not known stays", a.tail[0] == ~0ull && a.tail[3] == ~0ull);
}

static void nice_values(void)
{
        OKAY("nice 5", setattr((struct attr){ .nice = 5 }));
        CHECK("told", getattr(0).nice == 5 && getpriority(PRIO_PROCESS, 0) == 5);
        OKAY("nice 100", setattr((struct attr){ .nice = 100 }));
        CHECK("is 19", getattr(0).nice == 19);
        OKAY("nice -100", setattr((struct attr){ .nice = -100 }));
        CHECK("is -20", getattr(0).nice == -20);
        FAILS("priority", EINVAL, setattr((struct attr){ .priority = 1 }));
        OKAY("batch", setattr((struct attr){ .policy = SCHED_BATCH, .nice = 3 }));
        CHECK("batch told", getattr(0).policy == SCHED_BATCH && getattr(0).nice == 3);
        OKAY("idle", setattr((struct attr){ .policy = SCHED_IDLE, .nice = 4 }));
        CHECK("idle told", getattr(0).policy == SCHED_IDLE);
        CHECK("the nice value stays", getattr(0).nice == 3);
        FAILS("fifo 0", EINVAL, setattr((struct attr){ .policy = SCHED_FIFO }));
        FAILS("fifo 100", EINVAL, setattr((struct attr){ .policy = SCHED_FIFO, .priority = 100 }));
        OKAY("fifo 99", setattr((struct attr){ .policy = SCHED_FIFO, .priority = 99, .nice = 9 }));
        struct attr a = getattr(0);
        CHECK("fifo told", a.policy == SCHED_FIFO && a.priority == 99);
        CHECK("no nice told", a.nice == 0);
        CHECK("the nice value is kept", getpriority(PRIO_PROCESS, 0) == 3);
        OKAY("rr, runtime ignored", setattr((struct attr){ .policy = SCHED_RR, .priority = 1, .runtime = 5, .deadline = 6, .period = 7 }));
        a = getattr(0);
        CHECK("rr told", a.policy == SCHED_RR && a.priority == 1 && !a.runtime && !a.deadline && !a.period);
        OKAY("setpriority", setpriority(PRIO_PROCESS, 0, 7));
        CHECK("kept", getpriority(PRIO_PROCESS, 0) == 7 && getattr(0).nice == 0);
        struct sched_param p = {};
        OKAY("sched_setscheduler keeps nice", syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
        CHECK("nice 7", getattr(0).nice == 7);
        OKAY("back", fair());
        CHECK("nice 0", getattr(0).nice == 0);
}

static void flags(void)
{
        FAILS("unknown flag", EINVAL, setattr((struct attr){ .flags = 0x80 }));
        FAILS("unknown high flag", EINVAL, setattr((struct attr){ .flags = 1ull << 40 }));
        FAILS("internal flag", EINVAL, setattr((struct attr){ .flags = 0x10000000 }));
        OKAY("reset", setattr((struct attr){ .flags = RESET }));
        CHECK("told", getattr(0).flags == RESET);
        CHECK("by sched_getscheduler", syscall(SYS_sched_getscheduler, 0) == 0x40000000);
        OKAY("reclaim of a fair one", setattr((struct attr){ .flags = RECLAIM }));
        CHECK("not told", getattr(0).flags == 0);
        OKAY("overrun of a fair one", setattr((struct attr){ .flags = OVERRUN }));
        CHECK("not told", getattr(0).flags == 0);
        FAILS("clamp in a small attr", EINVAL, setattr((struct attr){ .flags = CLAMP_MIN }));
        FAILS("clamp", EOPNOTSUPP, setattr((struct attr){ .size = 56, .flags = CLAMP_MIN, .util_min = 10 }));
        FAILS("clamp max", EOPNOTSUPP, setattr((struct attr){ .size = 56, .flags = CLAMP_MAX, .util_max = 10 }));
        FAILS("clamp and a bad policy", EINVAL, setattr((struct attr){ .size = 56, .policy = 9, .flags = CLAMP_MAX }));
        CHECK("no clamps told", getattr(0).util_min == 0 && getattr(0).util_max == 0);

        OKAY("fifo, reset", setattr((struct attr){ .policy = SCHED_FIFO, .priority = 5, .flags = RESET }));
        OKAY("keep policy", setattr((struct attr){ .policy = SCHED_OTHER, .priority = 7, .flags = KEEP_POLICY }));
        struct attr a = getattr(0);
        CHECK("policy kept", a.policy == SCHED_FIFO && a.priority == 7);
        CHECK("reset too", a.flags == RESET);
        FAILS("keep policy, no priority", EINVAL, setattr((struct attr){ .flags = KEEP_POLICY, .nice = 5 }));
        OKAY("keep both", setattr((struct attr){ .policy = SCHED_OTHER, .priority = 30, .flags = KEEP_POLICY | KEEP_PARAMS }));
        a = getattr(0);
        CHECK("nothing changed", a.policy == SCHED_FIFO && a.priority == 7 && a.flags == RESET);
        OKAY("rr, keep params", setattr((struct attr){ .policy = SCHED_RR, .priority = 30, .flags = KEEP_PARAMS }));
        a = getattr(0);
        CHECK("keeping the parameters keeps the policy", a.policy == SCHED_FIFO && a.priority == 7);
        CHECK("reset went", a.flags == 0);
        FAILS("other, keep params", EINVAL, setattr((struct attr){ .policy = SCHED_OTHER, .flags = KEEP_PARAMS }));
        FAILS("keep policy, bad policy", EINVAL, setattr((struct attr){ .policy = 1u << 31, .flags = KEEP_POLICY }));
        OKAY("keep policy, a policy that is not there", setattr((struct attr){ .policy = 77, .flags = KEEP_POLICY, .priority = 3 }));
        OKAY("fair", setattr((struct attr){ .nice = 6 }));
        OKAY("batch, keep params", setattr((struct attr){ .policy = SCHED_BATCH, .nice = 1, .flags = KEEP_PARAMS }));
        CHECK("other with 6", getattr(0).policy == SCHED_OTHER && getattr(0).nice == 6);
        fair();
}

static void deadline_parts(void)
{
        FAILS("deadline: nothing", EINVAL, setattr(dl(0, 0, 0)));
        FAILS("no deadline", EINVAL, setattr(dl(1 * MS, 0, 10 * MS)));
        FAILS("runtime 1023", EINVAL, setattr(dl(1023, 10 * MS, 10 * MS)));
        FAILS("runtime above deadline", EINVAL, setattr(dl(11 * MS, 10 * MS, 20 * MS)));
        FAILS("deadline above period", EINVAL, setattr(dl(1 * MS, 20 * MS, 10 * MS)));
        FAILS("period too short", EINVAL, setattr(dl(2000, 99999, 99999)));
        FAILS("period too long", EINVAL, setattr(dl(1 * MS, 4194304001ull, 4194304001ull)));
        FAILS("period high bit", EINVAL, setattr(dl(1 * MS, 2 * MS, 1ull << 63)));
        FAILS("priority", EINVAL, setattr((struct attr){ .policy = DEADLINE, .priority = 1, .runtime = MS, .deadline = 10 * MS }));
        OKAY("shortest", setattr(dl(1024, 100000, 100000)));
        OKAY("longest", setattr(dl(1 * MS, 4194304000ull, 4194304000ull)));
        OKAY("no period", setattr(dl(1 * MS, 10 * MS, 0)));
        struct attr a = getattr(0);
        CHECK("told", a.policy == DEADLINE && a.runtime == MS && a.deadline == 10 * MS && a.period == 10 * MS && !a.flags &&
              !a.nice && !a.priority);
        OKAY("shorter than the period", setattr(dl(1 * MS, 5 * MS, 10 * MS)));
        a = getattr(0);
        CHECK("all three", a.runtime == MS && a.deadline == 5 * MS && a.period == 10 * MS);
        struct attr b = dl(1 * MS, 5 * MS, 10 * MS);
        b.flags = RECLAIM | OVERRUN | RESET;
        OKAY("flags", setattr(b));
        CHECK("flags told", getattr(0).flags == (RECLAIM | OVERRUN | RESET));
        b.flags = KEEP_POLICY | KEEP_PARAMS;
        OKAY("keep all", setattr(b));
        CHECK("runtime", getattr(0).runtime == MS);
        CHECK("flags kept", (getattr(0).flags & RESET) == RESET);
        struct sched_param p = {};
        OKAY("sched_getparam", syscall(SYS_sched_getparam, 0, &p));
        CHECK("priority 0", p.sched_priority == 0);
        FAILS("sched_setparam", EINVAL, syscall(SYS_sched_setparam, 0, &p));
        CHECK("policy by getscheduler", (syscall(SYS_sched_getscheduler, 0) & 0xff) == DEADLINE);
        struct timespec t = { 9, 9 };
        OKAY("rr interval", syscall(SYS_sched_rr_get_interval, 0, &t));
        CHECK("is 0", t.tv_sec == 0 && t.tv_nsec == 0);
        OKAY("setpriority", setpriority(PRIO_PROCESS, 0, 3));
        CHECK("still a deadline", getattr(0).policy == DEADLINE);
        OKAY("fair again", setattr((struct attr){ .nice = 0 }));
        FAILS("sched_setscheduler", EINVAL, syscall(SYS_sched_setscheduler, 0, DEADLINE, &p));
        CHECK("range", sched_get_priority_max(DEADLINE) == 0 && sched_get_priority_min(DEADLINE) == 0);
}

static int as_user(void)
{
        become_user(1000);
        FAILS("user: fifo", EPERM, setattr((struct attr){ .policy = SCHED_FIFO, .priority = 1 }));
        FAILS("user: deadline", EPERM, setattr(dl(1 * MS, 10 * MS, 10 * MS)));
        FAILS("user: bad deadline", EINVAL, setattr(dl(1, 10 * MS, 10 * MS)));
        FAILS("user: nicer", EPERM, setattr((struct attr){ .nice = -1 }));
        OKAY("user: less nice", setattr((struct attr){ .nice = 4, .flags = RESET }));
        FAILS("user: no reset", EPERM, setattr((struct attr){ .nice = 4 }));
        OKAY("user: idle", setattr((struct attr){ .policy = SCHED_IDLE, .nice = 4, .flags = RESET }));
        FAILS("user: from idle", EPERM, setattr((struct attr){ .policy = SCHED_BATCH, .nice = 4, .flags = RESET }));
        FAILS("user: another's", EPERM, setattr_of(1, (struct attr){ .nice = 5 }));
        OKAY("user: another's told", syscall(SYS_sched_getattr, 1, &(struct attr){}, 56, 0));
        FAILS("user: clamp", EOPNOTSUPP, setattr((struct attr){ .size = 56, .policy = SCHED_IDLE, .flags = CLAMP_MIN | RESET }));
        return done();
}

static int limited(void)
{
        struct rlimit prio = { 10, 10 }, nice = { 25, 25 };

        setrlimit(RLIMIT_RTPRIO, &prio);
        setrlimit(RLIMIT_NICE, &nice);
        become_user(1000);
        OKAY("limit: nice -5", setattr((struct attr){ .nice = -5 }));
        FAILS("limit: nice -6", EPERM, setattr((struct attr){ .nice = -6 }));
        OKAY("limit: fifo 10", setattr((struct attr){ .policy = SCHED_FIFO, .priority = 10 }));
        FAILS("limit: fifo 11", EPERM, setattr((struct attr){ .policy = SCHED_FIFO, .priority = 11 }));
        prio = (struct rlimit){ 0, 0 };
        setrlimit(RLIMIT_RTPRIO, &prio);
        OKAY("limit: lower", setattr((struct attr){ .policy = SCHED_FIFO, .priority = 5 }));
        FAILS("limit: not higher", EPERM, setattr((struct attr){ .policy = SCHED_FIFO, .priority = 6 }));
        FAILS("limit: not the other", EPERM, setattr((struct attr){ .policy = SCHED_RR, .priority = 5 }));
        OKAY("limit: fair", setattr((struct attr){ .nice = 0 }));
        FAILS("limit: not again", EPERM, setattr((struct attr){ .policy = SCHED_FIFO, .priority = 1 }));
        OKAY("limit: idle", setattr((struct attr){ .policy = SCHED_IDLE }));
        OKAY("limit: from idle", setattr((struct attr){ .policy = SCHED_OTHER }));
        return done();
}

int main(void)
{
        sizes();
        nice_values();
        flags();
        deadline_parts();
        CHECK("as user", in_child(as_user) == 0);
        CHECK("with limits", in_child(limited) == 0);
        return done();
}
