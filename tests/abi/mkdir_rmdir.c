/* SPDX-License-Identifier: Apache-2.0
 *
 * mkdir_rmdir: making and removing directories.
 */
#include "abi.h"

int main(void)
{
        struct stat st;
        char        long_name[260];

        OKAY("mkdir", mkdir("dir", 0777));
        stat("dir", &st);
        CHECK("umask applies", (st.st_mode & 07777) == 0755);
        CHECK("two links", st.st_nlink == 2);
        FAILS("there already", EEXIST, mkdir("dir", 0777));
        FAILS("a file is there", EEXIST, ({ put_text("file", ""); mkdir("file", 0777); }));
        FAILS("below nothing", ENOENT, mkdir("no/dir", 0777));
        FAILS("below a file", ENOTDIR, mkdir("file/dir", 0777));
        OKAY("trailing slash", mkdir("dir/sub/", 0777));
        stat("dir", &st);
        CHECK("three links", st.st_nlink == 3);
        FAILS("rmdir of a full one", ENOTEMPTY, rmdir("dir"));
        FAILS("rmdir of a file", ENOTDIR, rmdir("file"));
        FAILS("rmdir of nothing", ENOENT, rmdir("nothing"));
        FAILS("rmdir of dot", EINVAL, rmdir("dir/sub/."));
        FAILS("rmdir of dot dot", ENOTEMPTY, rmdir("dir/sub/.."));
        FAILS("rmdir of the root", EBUSY, rmdir("/"));
        OKAY("rmdir", rmdir("dir/sub"));
        OKAY("mkdir sticky", mkdir("sticky", 01777));
        stat("sticky", &st);
        CHECK("keeps the bit", (st.st_mode & 07777) == 01755);
        chdir("dir");
        OKAY("rmdir of the current one", rmdir("../dir"));
        FAILS("nothing can be made in it", ENOENT, mkdir("x", 0777));
        FAILS("nor found", ENOENT, access("..x", F_OK));
        OKAY("its parent is still there", chdir(".."));
        memset(long_name, 'a', sizeof long_name);
        long_name[255] = 0;
        OKAY("255 characters", mkdir(long_name, 0777));
        long_name[255] = 'a';
        long_name[256] = 0;
        FAILS("256", ENAMETOOLONG, mkdir(long_name, 0777));
        return done();
}
