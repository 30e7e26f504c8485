/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: securebits: each bit and each lock, set, unset, set again; unknown bits; without CAP_SETPCAP; at fork and execve; what
 * NOROOT, NO_SETUID_FIXUP and KEEP_CAPS do, with their locks; PR_SET_KEEPCAPS.
 */
#include "caps.h"

static int table(void)
{
        static const char *const names[] = { "NOROOT", "NOROOT_LOCKED", "NO_SETUID_FIXUP", "NO_SETUID_FIXUP_LOCKED", "KEEP_CAPS",
                                             "KEEP_CAPS_LOCKED", "NO_CAP_AMBIENT_RAISE", "NO_CAP_AMBIENT_RAISE_LOCKED" };

        for (int first = 0; first < 8; first++)
                for (int second = 0; second < 256; second += first % 2 ? 17 : 51) {
                        pid_t pid = fork();
                        if (pid == 0) {
                                int a = prctl(PR_SET_SECUREBITS, 1 << first), ea = errno;
                                int b = prctl(PR_SET_SECUREBITS, second), eb = errno;
                                say("%s then %x: %d %d, %d %d: %x\n", names[first], second, a, a ? ea : 0, b, b ? eb : 0, prctl(PR_GET_SECUREBITS));
                                _exit(0);
                        }
                        result_of(pid);
                }
        return 0;
}

static int errors(void)
{
        SHOW("bit 8", prctl(PR_SET_SECUREBITS, 1 << 8));
        SHOW("bit 31", prctl(PR_SET_SECUREBITS, 1u << 31));
        SHOW("bit 32", prctl(PR_SET_SECUREBITS, 1ul << 32));
        SHOW("-1", prctl(PR_SET_SECUREBITS, -1L));
        SHOW("all that there are", prctl(PR_SET_SECUREBITS, 0xff));
        SHOW("get", prctl(PR_GET_SECUREBITS));
        SHOW("the same again", prctl(PR_SET_SECUREBITS, 0xff));
        SHOW("none", prctl(PR_SET_SECUREBITS, 0));
        return 0;
}

static int unprivileged(void)
{
        caps_set(CAP_ALL & ~CAP(CAP_SETPCAP), CAP_ALL, 0);
        SHOW("without the capability", prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
        SHOW("no change", prctl(PR_SET_SECUREBITS, 0));
        SHOW("keep caps", prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS));
        SHOW("PR_SET_KEEPCAPS", prctl(PR_SET_KEEPCAPS, 1));
        SHOW("the bit", prctl(PR_GET_SECUREBITS));
        return 0;
}

static int keepcaps(void)
{
        SHOW("2", prctl(PR_SET_KEEPCAPS, 2));
        SHOW("-1", prctl(PR_SET_KEEPCAPS, -1L));
        SHOW("1", prctl(PR_SET_KEEPCAPS, 1));
        SHOW("bits", prctl(PR_GET_SECUREBITS));
        pid_t pid = fork();
        if (pid == 0)
                _exit(prctl(PR_GET_KEEPCAPS));
        SHOW("a child's", result_of(pid));
        SHOW("lock it", prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_KEEP_CAPS_LOCKED));
        SHOW("off", prctl(PR_SET_KEEPCAPS, 0));
        SHOW("on", prctl(PR_SET_KEEPCAPS, 1));
        SHOW("2 when locked", prctl(PR_SET_KEEPCAPS, 2));
        return 0;
}

static int transitions(void)
{
        for (int bits = 0; bits < 0x40; bits++) {
                if (bits & 0x2a && bits != 0x3f && bits != 0x2a)
                        continue;       /* locks: a few are enough */
                for (int way = 0; way < 3; way++) {
                        pid_t pid = fork();
                        if (pid == 0) {
                                char title[64];
                                prctl(PR_SET_SECUREBITS, bits);
                                int r = way == 0 ? setresuid(1000, 1000, 1000) : way == 1 ? seteuid(1000) : (seteuid(1000), seteuid(0));
                                snprintf(title, sizeof title, "bits %x way %d: %d", bits, way, r);
                                caps_show(title);
                                _exit(0);
                        }
                        result_of(pid);
                }
        }
        return 0;
}

static int programs(void)
{
        for (int bits = 0; bits < 0x100; bits++) {
                if (bits & 0xaa && bits != 0xff && bits != 0xaa)
                        continue;
                for (int uid = 0; uid < 3; uid++) {
                        pid_t pid = fork();
                        if (pid == 0) {
                                char title[64];
                                snprintf(title, sizeof title, "exec, bits %x, uid %d", bits, uid);
                                prctl(PR_SET_SECUREBITS, bits);
                                if (uid == 1)
                                        setresuid(1000, 1000, 1000);
                                if (uid == 2)
                                        setresuid(1000, 0, 0);
                                execl("/proc/self/exe", "prog", title, NULL);
                                say("%s: errno %d\n", title, errno);
                                _exit(0);
                        }
                        result_of(pid);
                }
        }
        return 0;
}

int main(int argc, char **argv)
{
        if (argc > 1) {
                caps_show(argv[1]);
                return 0;
        }
        in_child(table);
        in_child(errors);
        in_child(unprivileged);
        in_child(keepcaps);
        in_child(transitions);
        in_child(programs);
        CHECK("to the end", 1);
        return done();
}
