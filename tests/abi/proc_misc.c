/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_misc: what ps, free, uptime and mount read.
 */
#include "abi.h"

static int has(const char *file, const char *what)
{
        return strstr(text_of(file), what) != NULL;
}

int main(void)
{
        double up, idle, l1, l5, l15;
        int    run, all, last;

        CHECK("meminfo", has("/proc/meminfo", "MemTotal:") && has("/proc/meminfo", "MemFree:") &&
              has("/proc/meminfo", "MemAvailable:") && has("/proc/meminfo", "Buffers:") && has("/proc/meminfo", "Cached:") &&
              has("/proc/meminfo", "SwapTotal:"));
        CHECK("uptime", sscanf(text_of("/proc/uptime"), "%lf %lf", &up, &idle) == 2 && up > 0);
        CHECK("loadavg", sscanf(text_of("/proc/loadavg"), "%lf %lf %lf %d/%d %d", &l1, &l5, &l15, &run, &all, &last) == 6 && all > 0);
        CHECK("stat", has("/proc/stat", "cpu  ") && has("/proc/stat", "\ncpu0 ") && has("/proc/stat", "\nbtime ") &&
              has("/proc/stat", "\nctxt "));
        CHECK("version", !strncmp(text_of("/proc/version"), "Linux version ", 14));
        CHECK("cmdline", has("/proc/cmdline", "console=ttyS0"));
        CHECK("filesystems", has("/proc/filesystems", "nodev\tproc\n") && has("/proc/filesystems", "nodev\ttmpfs\n"));
        CHECK("mounts", has("/proc/mounts", " /proc proc rw") && has("/proc/mounts", " /dev devtmpfs rw"));
        CHECK("mountinfo", has("/proc/self/mountinfo", " /proc rw"));
        CHECK("cpuinfo", has("/proc/cpuinfo", "processor\t: 0\n") && has("/proc/cpuinfo", "flags\t\t: fpu "));
        CHECK("devices", has("/proc/devices", "Character devices:\n"));
        CHECK("hostname", !strcmp(text_of("/proc/sys/kernel/hostname"), "keel\n"));
        CHECK("pid_max", atoi(text_of("/proc/sys/kernel/pid_max")) >= 32768);
        CHECK("ostype", !strcmp(text_of("/proc/sys/kernel/ostype"), "Linux\n"));
        FAILS("nothing can be made", ENOENT, open("/proc/new", O_CREAT | O_WRONLY, 0644));
        FAILS("nor removed", EPERM, unlink("/proc/version"));
        int fd = open("/proc/version", O_RDONLY);
        char a[20], b[20];
        CHECK("read in pieces", read(fd, a, 5) == 5 && read(fd, b, 8) == 8 && !memcmp(a, "Linux", 5) && !memcmp(b, " version", 8));
        CHECK("seek", lseek(fd, 1, SEEK_SET) == 1 && read(fd, a, 4) == 4 && !memcmp(a, "inux", 4));
        return done();
}
