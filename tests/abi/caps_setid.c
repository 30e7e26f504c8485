/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: what the setuid family does to the capability sets, the ambient set, keepcaps and securebits: every sequence of calls of
 * a table, under every state of a table.  capabilities(7), "Effect of user ID changes on capabilities".
 */
#include "caps.h"

static long all_1000(void) { return setresuid(1000, 1000, 1000); }
static long setuid_1000(void) { return setuid(1000); }
static long seteuid_1000(void) { return seteuid(1000); }
static long seteuid_0(void) { return seteuid(0); }
static long setreuid_1000_0(void) { return setreuid(1000, 0); }
static long setreuid_0_1000(void) { return setreuid(0, 1000); }
static long setresuid_1000_1000_0(void) { return setresuid(1000, 1000, 0); }
static long setresuid_1000_0_0(void) { return setresuid(1000, 0, 0); }
static long setresuid_saved(void) { return setresuid(-1, -1, 1000); }
static long setfsuid_1000(void) { return syscall(SYS_setfsuid, 1000); }
static long setfsuid_0(void) { return syscall(SYS_setfsuid, 0); }
static long setuid_0(void) { return setuid(0); }
static long setresuid_none(void) { return setresuid(-1, -1, -1); }
static long all_2000(void) { return setresuid(2000, 2000, 2000); }
static long setgid_1000(void) { return setresgid(1000, 1000, 1000); }

#define STEP(fn) { #fn, fn }
static const struct { const char *name; long (*fn)(void); } steps[] = {
        STEP(all_1000), STEP(setuid_1000), STEP(seteuid_1000), STEP(seteuid_0), STEP(setreuid_1000_0), STEP(setreuid_0_1000),
        STEP(setresuid_1000_1000_0), STEP(setresuid_1000_0_0), STEP(setresuid_saved), STEP(setfsuid_1000), STEP(setfsuid_0),
        STEP(setuid_0), STEP(setresuid_none), STEP(all_2000), STEP(setgid_1000),
};
#define STEPS (sizeof steps / sizeof *steps)

static void plain(void) {}
static void keep(void) { prctl(PR_SET_KEEPCAPS, 1); }
static void fixed(void) { prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP); }
static void noroot(void) { prctl(PR_SET_SECUREBITS, SECBIT_NOROOT); }
static void ambient(void)
{
        caps_set(CAP_ALL, CAP_ALL, CAP(CAP_KILL) | CAP(CAP_CHOWN));
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0);
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0);
}
static void ambient_keep(void) { ambient(); keep(); }
static void few(void) { caps_set(CAP(CAP_SETUID) | CAP(CAP_CHOWN), CAP(CAP_SETUID) | CAP(CAP_CHOWN) | CAP(CAP_KILL) | CAP(CAP_FOWNER) | CAP(CAP_MKNOD), 0); }
static void user(void) { caps_user(CAP(CAP_SETUID) | CAP(CAP_KILL) | CAP(CAP_CHOWN)); }
static void user_keep(void) { user(); keep(); }

static const struct { const char *name; void (*fn)(void); } states[] = {
        { "root", plain }, { "keepcaps", keep }, { "no fixup", fixed }, { "noroot", noroot }, { "ambient", ambient },
        { "ambient and keepcaps", ambient_keep }, { "few", few }, { "user", user }, { "user and keepcaps", user_keep },
};

static void tell(const char *title, long r)
{
        struct caps c = caps_get();
        uid_t ru, eu, su;

        getresuid(&ru, &eu, &su);
        say("%s: %ld uid %d %d %d eff %llx prm %llx inh %llx amb %llx keep %d\n", title, r, ru, eu, su, (long long)c.effective,
            (long long)c.permitted, (long long)c.inheritable, (long long)caps_ambient(), prctl(PR_GET_KEEPCAPS));
}

int main(void)
{
        for (unsigned s = 0; s < sizeof states / sizeof *states; s++)
                for (unsigned a = 0; a < STEPS; a++) {
                        char title[200];
                        pid_t pid = fork();
                        if (pid == 0) {
                                states[s].fn();
                                long r = steps[a].fn();
                                sprintf(title, "%s, %s", states[s].name, steps[a].name);
                                tell(title, r);
                                /* And from there back to root, and away again. */
                                static const unsigned then[] = { 3, 11, 10, 12 };
                                for (unsigned b = 0; b < sizeof then / sizeof *then; b++) {
                                        pid_t p2 = fork();
                                        if (p2 == 0) {
                                                r = steps[then[b]].fn();
                                                sprintf(title, "  then %s", steps[then[b]].name);
                                                tell(title, r);
                                                _exit(0);
                                        }
                                        result_of(p2);
                                }
                                _exit(0);
                        }
                        result_of(pid);
                }
        CHECK("to the end", 1);
        return done();
}
