/* SPDX-License-Identifier: Apache-2.0
 *
 * access_basic: access checks with the real ids, faccessat with the effective ones.
 */
#include "abi.h"

static int as_user(void)
{
        become_user(1000);
        FAILS("no read", EACCES, access("secret", R_OK));
        FAILS("no way through", EACCES, access("closed/x", F_OK));
        OKAY("read", access("plain", R_OK));
        FAILS("no write", EACCES, access("plain", W_OK));
        FAILS("no execution", EACCES, access("plain", X_OK));
        OKAY("through only", access("through/x", F_OK));
        FAILS("no listing", EACCES, open("through", O_RDONLY));
        return done();
}

static int as_mixed(void)
{
        must(setgroups(0, NULL) == 0 && setresgid(1000, 0, 0) == 0 && setresuid(1000, 0, 0) == 0, "ids");
        FAILS("the real ids", EACCES, access("secret", R_OK));
        OKAY("open uses the effective ones", open("secret", O_RDONLY));
        return done();
}

int main(void)
{
        put_file("secret", "", 0, 0600);
        put_file("plain", "", 0, 0644);
        put_file("none", "", 0, 0);
        mkdir("closed", 0700);
        put_text("closed/x", "");
        mkdir("through", 0711);
        put_text("through/x", "");
        OKAY("exists", access("plain", F_OK));
        OKAY("root reads all", access("none", R_OK | W_OK));
        FAILS("but runs only what somebody may", EACCES, access("none", X_OK));
        OKAY("directories it searches", access("closed", X_OK));
        FAILS("missing", ENOENT, access("missing", F_OK));
        FAILS("mode", EINVAL, access("plain", 8));
        FAILS("pointer", EFAULT, access(BAD_PTR, F_OK));
        CHECK("user", in_child(as_user) == 0);
        CHECK("mixed", in_child(as_mixed) == 0);
        return done();
}
