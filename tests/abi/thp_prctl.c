/* SPDX-License-Identifier: Apache-2.0
 *
 * thp_prctl: PR_SET_THP_DISABLE and what /proc/PID/status and statm tell of memory.
 */
#include "show.h"
#include <sys/prctl.h>

static long pr(int op, long a, long b, long c, long d) { return syscall(SYS_prctl, op, a, b, c, d); }

int main(void)
{
        SHOW("at first", pr(PR_GET_THP_DISABLE, 0, 0, 0, 0));
        SHOW("status", status_kb("THP_enabled:"));
        SHOW("set", pr(PR_SET_THP_DISABLE, 1, 0, 0, 0));
        SHOW("set with more", pr(PR_SET_THP_DISABLE, 1, 1, 0, 0));
        SHOW("set with more yet", pr(PR_SET_THP_DISABLE, 1, 0, 0, 1));
        SHOW("get with more", pr(PR_GET_THP_DISABLE, 1, 0, 0, 0));
        SHOW("is set", pr(PR_GET_THP_DISABLE, 0, 0, 0, 0));
        SHOW("status", status_kb("THP_enabled:"));
        pid_t pid = fork();
        if (pid == 0)
                _exit(pr(PR_GET_THP_DISABLE, 0, 0, 0, 0));
        SHOW("the child's", result_of(pid));
        pid = fork();
        if (pid == 0) {
                execl("/bin/grep", "grep", "THP_enabled", "/proc/self/status", NULL);
                _exit(9);
        }
        SHOW("of a program executed", result_of(pid));
        SHOW("set to 7", pr(PR_SET_THP_DISABLE, 7, 0, 0, 0));
        SHOW("is 1", pr(PR_GET_THP_DISABLE, 0, 0, 0, 0));
        SHOW("unset", pr(PR_SET_THP_DISABLE, 0, 0, 0, 0));
        SHOW("is unset", pr(PR_GET_THP_DISABLE, 0, 0, 0, 0));
        long rss = status_kb("VmRSS:"), parts = status_kb("RssAnon:") + status_kb("RssFile:") + status_kb("RssShmem:");
        CHECK("the parts make the whole", labs(rss - parts) < 64);
        CHECK("code and libraries", status_kb("VmExe:") > 0 && status_kb("VmLib:") >= 0 && status_kb("VmLib:") < 100);
        CHECK("no huge pages", status_kb("HugetlbPages:") == 0);
        unsigned long size, resident, shared, text, lib, data, dt;
        int n = sscanf(text_of("/proc/self/statm"), "%lu %lu %lu %lu %lu %lu %lu", &size, &resident, &shared, &text, &lib, &data, &dt);
        CHECK("statm", n == 7 && lib == 0 && dt == 0 && shared <= resident && resident < size);
        CHECK("its code is status's", (long)text * 4 == status_kb("VmExe:"));
        CHECK("its data", (long)data * 4 == status_kb("VmData:") + status_kb("VmStk:"));
        return done();
}
