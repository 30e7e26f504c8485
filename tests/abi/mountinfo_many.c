/* SPDX-License-Identifier: Apache-2.0
 *
 * mountinfo_many: /proc/self/mountinfo, mounts and mountstats of some thousand mounts, more than 2 MiB.
 */
#include "mounts.h"

#define MOUNTS 2600
#define DEEP   4

static char *whole;                     /* of a file of /proc */
static size_t length;

static void read_whole(const char *path, size_t step)
{
        int     fd = open(path, O_RDONLY);
        ssize_t got = 1;

        must(fd >= 0, path);
        length = 0;
        while (got > 0 && length + step < 16u << 20) {
                got = read(fd, whole + length, step);
                length += got > 0 ? got : 0;
        }
        whole[length] = 0;
        close(fd);
}

/* Each of ours stands in there once, in the order of mounting. */
static int all_there(const char *what)
{
        char *at = whole, want[32];

        for (int i = 0; i < MOUNTS; i++) {
                snprintf(want, sizeof want, "/m%d ", i);
                at = strstr(at, want);
                if (!at) {
                        say("%s: %d\n", what, i);
                        return 0;
                }
                at++;
                char *again = strchr(at, '\n');
                if (!again || again[1] == 0)
                        return i == MOUNTS - 1;
        }
        return 1;
}

int main(void)
{
        static char name[256], path[2000];

        whole = malloc((16u << 20) + 65536);
        memset(name, 'n', 220);
        begin();
        must(getcwd(here, sizeof here) != NULL, "getcwd");
        make(".", MS_PRIVATE);
        for (int i = 0; i < DEEP; i++) {
                mkdir(name, 0755);
                must(chdir(name) == 0, "deep");
        }
        for (int i = 0; i < MOUNTS; i++) {
                snprintf(path, sizeof path, "m%d", i);
                mkdir(path, 0755);
                must(mount("none", path, "tmpfs", 0, NULL) == 0, "mount");
        }
        read_whole("/proc/self/mountinfo", 65536);
        CHECK("mountinfo is long", length > 2u << 20);
        CHECK("mountinfo tells of all", all_there("mountinfo"));
        read_whole("/proc/self/mountinfo", 999);
        CHECK("in odd steps", all_there("mountinfo"));
        read_whole("/proc/self/mounts", 65536);
        CHECK("mounts is long", length > 2u << 20);
        CHECK("mounts tells of all", all_there("mounts"));
        read_whole("/proc/self/mountstats", 65536);
        CHECK("mountstats tells of all", all_there("mountstats"));
        for (int i = 0; i < MOUNTS; i += 2) {
                snprintf(path, sizeof path, "m%d", i);
                must(umount(path) == 0, "umount");
        }
        read_whole("/proc/self/mounts", 65536);
        int lines = 0;
        for (char *at = whole; (at = strstr(at, "/m")) != NULL; at++)
                lines += at[2] >= '0' && at[2] <= '9';
        CHECK("half of them", lines == MOUNTS / 2);
        return end();
}
