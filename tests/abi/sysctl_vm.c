/* SPDX-License-Identifier: Apache-2.0
 *
 * sysctl_vm: the settings of /proc/sys/vm, what they take, and what they do.
 */
#include "show.h"
#include <sys/prctl.h>
#include <linux/capability.h>

#define RW (PROT_READ | PROT_WRITE)
#define AN (MAP_PRIVATE | MAP_ANONYMOUS)

static const char *vm(const char *name)
{
        static char path[4][100];
        static int i;
        snprintf(path[++i & 3], 100, "/proc/sys/vm/%s", name);
        return path[i & 3];
}

static void try(const char *name, const char *text)
{
        char what[100], was[40];

        snprintf(was, sizeof was, "%s", text_of(vm(name)));
        snprintf(what, sizeof what, "%s %s", name, text);
        SHOW(what, set_text(vm(name), text));
        say("now %s", strcmp(text_of(vm(name)), was) ? text_of(vm(name)) : "as before\n");
        set_text(vm(name), was);
}

static int as_user(void)
{
        become_user(1000);
        SHOW("an ordinary user writes", set_text(vm("swappiness"), "10"));
        SHOW("maps below the minimum", mmap((void *)0x10000, PAGE, RW, AN | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0);
        CHECK("a hint is moved up", mmap((void *)0x1000, PAGE, RW, AN, -1, 0) == (void *)0x30000);
        SHOW("maps at the minimum", mmap((void *)0x31000, PAGE, RW, AN | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0);
        char *p = mmap(NULL, PAGE, RW, AN, -1, 0);
        SHOW("moves below it", mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x11000) == MAP_FAILED ? -1 : 0);
        return done();
}

int main(void)
{
        say("swappiness %s", text_of(vm("swappiness")));
        say("unprivileged_userfaultfd %s", text_of(vm("unprivileged_userfaultfd")));
        say("mmap_min_addr %s", text_of(vm("mmap_min_addr")));
        try("swappiness", "100");
        try("swappiness", "200");
        try("swappiness", "201");
        try("swappiness", "-1");
        try("unprivileged_userfaultfd", "1");
        try("unprivileged_userfaultfd", "2");
        try("overcommit_memory", "2");
        try("overcommit_memory", "3");
        try("overcommit_ratio", "70");
        try("max_map_count", "1000");
        try("max_map_count", "-5");
        try("admin_reserve_kbytes", "4096");
        try("user_reserve_kbytes", "0");
        try("mmap_min_addr", "196608");
        try("mmap_min_addr", "0x30000");
        try("oom_kill_allocating_task", "1");
        try("drop_caches", "5");
        OKAY("minimum of 192 KiB", set_text(vm("mmap_min_addr"), "196608"));
        CHECK("root maps below it", mmap((void *)0x10000, PAGE, RW, AN | MAP_FIXED, -1, 0) == (void *)0x10000);
        CHECK("root's hint is moved up too", mmap((void *)0x20000, PAGE, RW, AN, -1, 0) == (void *)0x30000);
        munmap((void *)0x30000, PAGE);
        munmap((void *)0x10000, PAGE);
        CHECK("others", in_child(as_user) == 0);
        OKAY("back", set_text(vm("mmap_min_addr"), "65536"));
        return done();
}
