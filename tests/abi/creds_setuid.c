/* SPDX-License-Identifier: Apache-2.0
 *
 * creds_setuid: user and group ids: who may become whom.
 */
#include "abi.h"

static int ids(uid_t r, uid_t e, uid_t s)
{
        uid_t a, b, c;

        return getresuid(&a, &b, &c) == 0 && a == r && b == e && c == s;
}

static int root_for_good(void)
{
        OKAY("setuid as root", setuid(1000));
        CHECK("all three", ids(1000, 1000, 1000));
        FAILS("no way back", EPERM, setuid(0));
        FAILS("nor with seteuid", EPERM, syscall(SYS_setresuid, -1, 0, -1));
        FAILS("groups", EPERM, setgroups(0, NULL));
        OKAY("to what one is", setuid(1000));
        return done();
}

static int for_a_while(void)
{
        OKAY("seteuid", seteuid(1000));
        CHECK("effective alone", ids(0, 1000, 0));
        FAILS("no rights meanwhile", EACCES, open("roots", O_RDONLY));
        OKAY("back", seteuid(0));
        CHECK("root again", ids(0, 0, 0));
        OKAY("setreuid", setreuid(1000, 0));
        CHECK("exchanged", ids(1000, 0, 0));
        OKAY("and back", setreuid(0, 1000));
        CHECK("saved follows", ids(0, 1000, 1000));
        return done();
}

static int saved(void)
{
        setresuid(1, 2, 3);
        CHECK("three different ones", ids(1, 2, 3));
        FAILS("a fourth", EPERM, setresuid(4, -1, -1));
        OKAY("turned around", setresuid(3, 1, 2));
        CHECK("turned", ids(3, 1, 2));
        FAILS("setuid to a fourth", EPERM, setuid(9));
        OKAY("setuid to the saved one", setuid(2));
        CHECK("effective alone", ids(3, 2, 2));
        return done();
}

static int groups(void)
{
        gid_t g[40], back[40];

        for (int i = 0; i < 40; i++)
                g[i] = 100 + i;
        OKAY("setgroups", setgroups(40, g));
        CHECK("getgroups", getgroups(40, back) == 40 && !memcmp(g, back, sizeof g));
        CHECK("how many", getgroups(0, NULL) == 40);
        FAILS("too small", EINVAL, getgroups(10, back));
        FAILS("too many", EINVAL, syscall(SYS_setgroups, 65537, g));
        OKAY("setgid", setgid(1000));
        CHECK("gids", getgid() == 1000 && getegid() == 1000);
        setuid(1000);
        OKAY("a group opens the door", open("group120", O_RDONLY));
        FAILS("another does not", EACCES, open("group200", O_RDONLY));
        FAILS("setgid to another", EPERM, setgid(0));
        return done();
}

/* Set-user-id programs: this very one, as another user's. */
static int setuid_program(void)
{
        execl("./suid", "suid", "show", NULL);
        return 1;
}

static int as_1000(void)
{
        become_user(1000);
        return setuid_program();
}

static int as_1000_no_new_privs(void)
{
        become_user(1000);
        syscall(SYS_prctl, 38, 1, 0, 0, 0);
        return setuid_program();
}

int main(int argc, char **argv)
{
        if (argc > 1)
                return ids(1000, 77, 77) && getgid() == 1000 && getegid() == 88 ? 50 : ids(1000, 1000, 1000) ? 51 : 52;
        put_file("roots", "", 0, 0600);
        put_file("group120", "", 0, 0640);
        chown("group120", 0, 120);
        put_file("group200", "", 0, 0640);
        chown("group200", 0, 200);
        chmod(".", 0755);
        CHECK("for good", in_child(root_for_good) == 0);
        CHECK("for a while", in_child(for_a_while) == 0);
        CHECK("saved", in_child(saved) == 0);
        CHECK("groups", in_child(groups) == 0);
        static char self[4 << 20];
        int         fd = open(argv[0], O_RDONLY);
        put_file("suid", self, read(fd, self, sizeof self), 0755);
        chown("suid", 77, 88);
        chmod("suid", 06755);
        CHECK("a set-id program", in_child(as_1000) == 50);
        CHECK("without new privileges", in_child(as_1000_no_new_privs) == 51);
        return done();
}
