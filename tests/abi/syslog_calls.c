/* SPDX-License-Identifier: Apache-2.0
 *
 * syslog_calls: syslog(2): who may, each type's results and errors, what is read, read once and cleared; kernel.printk.
 */
#include "abi.h"

enum { CLOSE, OPEN, READ, READ_ALL, READ_CLEAR, CLEAR, CONSOLE_OFF, CONSOLE_ON, CONSOLE_LEVEL, SIZE_UNREAD, SIZE_BUFFER };

static char buf[1 << 19];

static long sys(int type, void *p, int len) { return syscall(SYS_syslog, type, p, len); }

static void set(const char *path, const char *value)
{
        int fd = open(path, O_WRONLY);

        must(fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value), path);
        close(fd);
}

static void get(const char *path, char *value, size_t size)
{
        int fd = open(path, O_RDONLY);
        ssize_t n = read(fd, value, size - 1);

        must(n > 0, path);
        value[n] = 0;
        close(fd);
}

/* Is a line of this level and text among the n bytes of buf? */
static int has(const char *level, const char *text, long n)
{
        buf[n > 0 ? n : 0] = 0;
        for (char *p = buf; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
                char *end = strchr(p, ']');

                if (!strncmp(p, level, strlen(level)) && p[strlen(level)] == '[' && end && !strncmp(end + 2, text, strlen(text)) &&
                    end[2 + strlen(text)] == '\n')
                        return 1;
        }
        return 0;
}

/* What it says without a buffer, to whom. */
static void each(const char *who)
{
        for (int type = -1; type <= 11; type++) {
                long r = sys(type, NULL, 0);
                say("ok %s, type %d: error %d\n", who, type, r < 0 ? errno : 0);
        }
        say("ok %s, /dev/kmsg: error %d\n", who, open("/dev/kmsg", O_RDONLY) < 0 ? errno : 0);
        say("ok %s, /proc/kmsg: error %d\n", who, open("/proc/kmsg", O_RDONLY) < 0 ? errno : 0);
}

static void unprivileged(const char *restricted)
{
        set("/proc/sys/kernel/dmesg_restrict", restricted);
        if (fork() == 0) {
                must(setuid(1000) == 0, "setuid");
                each(restricted[0] == '1' ? "restricted" : "unrestricted");
                _exit(0);
        }
        wait(NULL);
}

static void levels(void)
{
        char was[64], now[64];

        get("/proc/sys/kernel/printk", was, sizeof was);
        set("/proc/sys/kernel/printk", "5 4 2 7");
        OKAY("CONSOLE_OFF", sys(CONSOLE_OFF, NULL, 0));
        get("/proc/sys/kernel/printk", now, sizeof now);
        CHECK("the least level", !strcmp(now, "2\t4\t2\t7\n"));
        OKAY("CONSOLE_OFF again", sys(CONSOLE_OFF, NULL, 0));
        OKAY("CONSOLE_ON", sys(CONSOLE_ON, NULL, 0));
        get("/proc/sys/kernel/printk", now, sizeof now);
        CHECK("the level before", !strcmp(now, "5\t4\t2\t7\n"));
        OKAY("CONSOLE_ON again", sys(CONSOLE_ON, NULL, 0));
        OKAY("CONSOLE_LEVEL 1", sys(CONSOLE_LEVEL, NULL, 1));
        get("/proc/sys/kernel/printk", now, sizeof now);
        CHECK("not below the least", !strcmp(now, "2\t4\t2\t7\n"));
        FAILS("CONSOLE_LEVEL 0", EINVAL, sys(CONSOLE_LEVEL, NULL, 0));
        FAILS("CONSOLE_LEVEL 9", EINVAL, sys(CONSOLE_LEVEL, NULL, 9));
        set("/proc/sys/kernel/printk", "3");
        get("/proc/sys/kernel/printk", now, sizeof now);
        CHECK("one number", !strcmp(now, "3\t4\t2\t7\n"));
        set("/proc/sys/kernel/printk", was);
}

static void all(void)
{
        FAILS("READ_ALL, len -1", EINVAL, sys(READ_ALL, buf, -1));
        FAILS("READ_ALL, no buffer", EINVAL, sys(READ_ALL, NULL, 100));
        CHECK("READ_ALL, len 0", sys(READ_ALL, buf, 0) == 0);
        FAILS("READ_ALL, bad address", EFAULT, sys(READ_ALL, BAD_PTR, 100000));
        OKAY("CLEAR", sys(CLEAR, NULL, 0));
        CHECK("nothing is left", sys(READ_ALL, buf, sizeof buf - 1) == 0);
        set("/dev/kmsg", "<14>one");
        set("/dev/kmsg", "<3>two");
        set("/dev/kmsg", "three\n");
        set("/dev/kmsg", "<30>four\nlines\n");
        long n = sys(READ_ALL, buf, sizeof buf - 1), m;
        CHECK("level and facility", has("<14>", "one", n));
        CHECK("a user's message is never the kernel's", has("<11>", "two", n));
        CHECK("without a level", has("<12>", "three", n));
        CHECK("lines of one message", has("<30>", "four", n) && has("<30>", "lines", n));
        m = sys(READ_ALL, buf, (int)n - 1);
        CHECK("the newest that fit", m > 0 && m < n && !has("<14>", "one", m) && has("<11>", "two", m) && has("<30>", "lines", m));
        CHECK("READ_CLEAR", sys(READ_CLEAR, buf, sizeof buf - 1) == n);
        CHECK("cleared", sys(READ_ALL, buf, sizeof buf - 1) == 0);
        CHECK("the buffer", sys(SIZE_BUFFER, NULL, 0) >= 65536);
}

/* What is unread goes to whoever is first, and others may read: no more than what it refuses. */
static void reading(void)
{
        FAILS("READ, len -1", EINVAL, sys(READ, buf, -1));
        FAILS("READ, no buffer", EINVAL, sys(READ, NULL, 100));
        CHECK("READ, len 0", sys(READ, buf, 0) == 0);
        int fd = open("/proc/kmsg", O_RDONLY | O_NONBLOCK);
        while (read(fd, buf, sizeof buf) > 0)
                ;
        CHECK("/proc/kmsg, nothing", errno == EAGAIN);
        CHECK("nothing is unread", sys(SIZE_UNREAD, NULL, 0) == 0);
        close(fd);
}

static void device(void)
{
        int fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK);

        FAILS("an offset", ESPIPE, lseek(fd, 1, SEEK_SET));
        FAILS("SEEK_CUR", EINVAL, lseek(fd, 0, SEEK_CUR));
        OKAY("SEEK_END", lseek(fd, 0, SEEK_END));
        OKAY("SEEK_DATA", lseek(fd, 0, SEEK_DATA));
        close(fd);
}

int main(void)
{
        char was[8];

        get("/proc/sys/kernel/dmesg_restrict", was, sizeof was);
        CHECK("restricted at first", !strcmp(was, "1\n"));
        unprivileged("1");
        unprivileged("0");
        set("/proc/sys/kernel/dmesg_restrict", was);
        levels();
        all();
        reading();
        device();
        return done();
}
