/* SPDX-License-Identifier: Apache-2.0
 *
 * sysctl_parse: what is a number, a list of them and a name to the files of /proc/sys, and to some of /proc/PID.
 */
#include "abi.h"

/* Writes a text, shows what became of it, and writes back what was there. */
static void put_in(const char *file, const char *text, size_t len)
{
        char was[300], now[300], shown[40];
        int  fd = open(file, O_WRONLY);

        snprintf(was, sizeof was, "%s", text_of(file));
        errno = 0;
        ssize_t n = write(fd, text, len);
        int     err = errno;
        close(fd);
        snprintf(now, sizeof now, "%s", text_of(file));
        snprintf(shown, sizeof shown, "%.20s", text);
        for (char *c = shown; *c; c++)
                *c = *c == '\n' ? '$' : *c == '\t' ? '>' : *c;
        say("ok %s [%s] %s %d: %s", strrchr(file, '/') + 1, shown, n < 0 ? "error" : n == 0 ? "nothing" : "taken", n < 0 ? err : 0, strcmp(now, was) ? now : "as it was\n");
        n = 0;
        for (int tries = 0; n <= 0 && tries < 3; tries++) {     /* others need what was there, even if memory for it was short once */
                fd = open(file, O_WRONLY);
                n = write(fd, was, strlen(was));
                close(fd);
        }
}

static void set(const char *file, const char *text) { put_in(file, text, strlen(text)); }

int main(void)
{
        static const char *const texts[] = { "1", "0x1", "010", "1 2", "", "\n", " 1 ", "1\t", "1abc", "1\n2", "+1", "2 x", "99999999999999999999999", "x", "1,2" };
        static const char *const files[] = { "/proc/sys/fs/inotify/max_queued_events", "/proc/sys/fs/pipe-user-pages-soft", "/proc/sys/kernel/msgmax",
                                             "/proc/sys/kernel/shmmax", "/proc/sys/fs/mqueue/msg_max", "/proc/sys/vm/max_map_count" };
        static const char *const lists[] = { "1", "0x10 2", "1\n2\n3\n", "", "\n", " 1 2\t3  4 ", "1 2 3 4 5", "1,2", "+1", "99999999999" };
        char big[1000];

        for (unsigned f = 0; f < sizeof files / sizeof *files; f++)
                for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
                        set(files[f], texts[i]);
        set("/proc/sys/kernel/threads-max", "0");
        set("/proc/sys/fs/inotify/max_queued_events", "-1");
        for (unsigned i = 0; i < sizeof lists / sizeof *lists; i++) {
                set("/proc/sys/kernel/printk", lists[i]);
                set("/proc/sys/kernel/sem", lists[i]);
        }
        memset(big, 'h', sizeof big);
        big[sizeof big - 1] = 0;
        set("/proc/sys/kernel/hostname", big);
        set("/proc/sys/kernel/hostname", "one\ntwo");
        set("/proc/sys/kernel/hostname", " a b ");
        set("/proc/sys/kernel/hostname", "");
        set("/proc/sys/kernel/hostname", "\n");
        set("/proc/sys/kernel/domainname", "x.y\n");
        set("/proc/sys/kernel/core_pattern", big);
        set("/proc/self/comm", big);
        set("/proc/self/coredump_filter", "033");
        set("/proc/self/coredump_filter", "0x1f\n");
        set("/proc/self/coredump_filter", " 1");
        set("/proc/self/coredump_filter", "1 ");
        return done();
}
