/* SPDX-License-Identifier: Apache-2.0
 *
 * path_resolution: how a path is walked: dots, slashes, lengths, links, permissions.
 */
#include "abi.h"

static int as_user(void)
{
        become_user(1000);
        FAILS("no search permission", EACCES, access("closed/file", F_OK));
        FAILS("not even for what is not there", EACCES, access("closed/missing", F_OK));
        FAILS("nor dot dot", EACCES, access("closed/../dir", F_OK));
        return done();
}

int main(void)
{
        static char path[PATH_MAX + 10];
        struct stat st;

        mkdir("dir", 0755);
        put_text("dir/file", "x");
        OKAY("many slashes", access("dir////file", F_OK));
        OKAY("dots", access("./dir/./../dir/./file", F_OK));
        OKAY("absolute dots", access("/../../tmp", F_OK));
        FAILS("a file is no directory", ENOTDIR, access("dir/file/", F_OK));
        FAILS("nor with a dot", ENOTDIR, access("dir/file/.", F_OK));
        FAILS("nor with dot dot", ENOTDIR, access("dir/file/..", F_OK));
        OKAY("trailing slash of a directory", access("dir/", F_OK));
        FAILS("trailing slash of nothing", ENOENT, access("missing/", F_OK));
        FAILS("creating with a trailing slash", EISDIR, open("new/", O_CREAT | O_WRONLY, 0644));
        symlink("dir", "link");
        OKAY("through a link", access("link/file", F_OK));
        lstat("link/", &st);
        CHECK("a trailing slash follows", S_ISDIR(st.st_mode));
        symlink("dir/file/", "bad");
        FAILS("a link's own slash", ENOTDIR, access("bad", F_OK));
        symlink("/", "root");
        OKAY("a link to the root", access("root/tmp", F_OK));
        memset(path, '/', PATH_MAX);
        strcpy(path + PATH_MAX - 4, "tmp");
        OKAY("4095 characters", access(path, F_OK));
        memset(path, '/', PATH_MAX);
        strcpy(path + PATH_MAX - 3, "tmp");
        FAILS("one more", ENAMETOOLONG, access(path, F_OK));
        memset(path, 'n', 300);
        path[300] = 0;
        FAILS("a long name", ENAMETOOLONG, access(path, F_OK));
        strcpy(path, "missing/");
        memset(path + 8, 'n', 300);
        path[308] = 0;
        FAILS("what fails first counts", ENOENT, access(path, F_OK));
        FAILS("empty", ENOENT, access("", F_OK));
        /* A string that ends right before an unmapped page, and one that runs into it. */
        char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(p + PAGE, PAGE);
        strcpy(p + PAGE - 4, "dir");
        OKAY("up to the edge of memory", access(p + PAGE - 4, F_OK));
        p[PAGE - 1] = 'x';
        FAILS("over it", EFAULT, access(p + PAGE - 4, F_OK));
        mkdir("closed", 0700);
        put_text("closed/file", "");
        CHECK("user", in_child(as_user) == 0);
        return done();
}
