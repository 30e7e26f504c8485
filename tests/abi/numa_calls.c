/* SPDX-License-Identifier: Apache-2.0
 *
 * numa_calls: memory policies and moving pages on a machine with one node.
 */
#include "show.h"
#include <linux/mempolicy.h>

#define RW (PROT_READ | PROT_WRITE)
#define AN (MAP_PRIVATE | MAP_ANONYMOUS)
#define STATIC   (1 << 15)
#define RELATIVE (1 << 14)

static unsigned long mask[1024];

static long bind_to(void *p, size_t n, int mode, unsigned long m, unsigned long max, unsigned flags)
{
        mask[0] = m;
        return syscall(SYS_mbind, p, n, mode, mask, max, flags);
}

static long set(int mode, unsigned long m, unsigned long max)
{
        mask[0] = m;
        return syscall(SYS_set_mempolicy, mode, mask, max);
}

static void told(const char *what, void *addr, unsigned long flags)
{
        int mode = 77;

        errno = 0;
        memset(mask, 0xff, sizeof mask);
        long r = syscall(SYS_get_mempolicy, &mode, mask, 1024, addr, flags);
        if (r < 0)
                say("%s: errno %d\n", what, errno);
        else
                say("%s: mode %x nodes %lx\n", what, mode, mask[0]);
}

static void of_thread(void)
{
        told("at first", NULL, 0);
        SHOW("bind", set(MPOL_BIND, 1, 64));
        told("bind", NULL, 0);
        SHOW("bind, of two nodes", set(MPOL_BIND, 3, 64));
        SHOW("bind, node 1", set(MPOL_BIND, 2, 64));
        SHOW("bind, none", set(MPOL_BIND, 0, 64));
        SHOW("interleave", set(MPOL_INTERLEAVE, 1, 64));
        told("interleave", NULL, 0);
        told("where next", NULL, MPOL_F_NODE);
        SHOW("preferred", set(MPOL_PREFERRED, 1, 64));
        told("preferred", NULL, 0);
        told("where next", NULL, MPOL_F_NODE);
        SHOW("preferred, none", set(MPOL_PREFERRED, 0, 64));
        told("preferred, none", NULL, 0);
        SHOW("local", set(4, 0, 0));
        told("local", NULL, 0);
        SHOW("local, a node", set(4, 1, 64));
        SHOW("many", set(5, 1, 64));
        told("many", NULL, 0);
        SHOW("unknown mode", set(6, 1, 64));
        SHOW("static", set(MPOL_BIND | STATIC, 1, 64));
        told("static", NULL, 0);
        SHOW("static, node 1", set(MPOL_BIND | STATIC, 2, 64));
        SHOW("relative", set(MPOL_BIND | RELATIVE, 1, 64));
        told("relative", NULL, 0);
        SHOW("relative, node 1", set(MPOL_BIND | RELATIVE, 2, 64));
        SHOW("both", set(MPOL_BIND | STATIC | RELATIVE, 1, 64));
        SHOW("default, a node", set(MPOL_DEFAULT, 1, 64));
        SHOW("default", set(MPOL_DEFAULT, 0, 0));
        SHOW("a mask of one bit", set(MPOL_BIND, 1, 2));
        SHOW("of none", set(MPOL_BIND, 1, 1));
        SHOW("max 0", set(MPOL_BIND, 1, 0));
        SHOW("of 32768 bits", set(MPOL_BIND, 1, 32769));
        SHOW("of more", set(MPOL_BIND, 1, 32770));
        mask[100] = 1;
        SHOW("a node that cannot be", set(MPOL_BIND, 1, 32769));
        mask[100] = 0;
        SHOW("bad mask", syscall(SYS_set_mempolicy, MPOL_BIND, (void *)(1UL << 62), 64));
        SHOW("no mask", syscall(SYS_set_mempolicy, MPOL_BIND, NULL, 64));
        pid_t pid = fork();
        if (pid == 0) {
                told("the child's", NULL, 0);
                _exit(0);
        }
        result_of(pid);
        set(MPOL_DEFAULT, 0, 0);
}

static void of_memory(void)
{
        char *p = mmap(NULL, 8 * PAGE, RW, AN, -1, 0);

        told("memory", p, MPOL_F_ADDR);
        SHOW("mbind", bind_to(p + PAGE, 2 * PAGE, MPOL_BIND, 1, 64, 0));
        told("before", p, MPOL_F_ADDR);
        told("bound", p + PAGE, MPOL_F_ADDR);
        told("within a page", p + 2 * PAGE + 77, MPOL_F_ADDR);
        told("behind", p + 3 * PAGE, MPOL_F_ADDR);
        p[PAGE] = 1;
        told("its node", p + PAGE, MPOL_F_ADDR | MPOL_F_NODE);
        told("its node, not there yet", p + 2 * PAGE, MPOL_F_ADDR | MPOL_F_NODE);
        SHOW("home node", syscall(450, p + PAGE, 2 * PAGE, 0, 0));
        SHOW("home node, none bound", syscall(450, p + 4 * PAGE, 2 * PAGE, 0, 0));
        SHOW("home node 1", syscall(450, p + PAGE, 2 * PAGE, 1, 0));
        SHOW("home node, flags", syscall(450, p + PAGE, 2 * PAGE, 0, 1));
        SHOW("home node, crooked", syscall(450, p + 1, PAGE, 0, 0));
        SHOW("home node, nothing", syscall(450, p, 0, 0, 0));
        bind_to(p + 4 * PAGE, PAGE, MPOL_INTERLEAVE, 1, 64, 0);
        SHOW("home node, interleaved", syscall(450, p + 4 * PAGE, PAGE, 0, 0));
        SHOW("flags", bind_to(p, PAGE, MPOL_BIND, 1, 64, 8));
        SHOW("move", bind_to(p, PAGE, MPOL_BIND, 1, 64, MPOL_MF_MOVE | MPOL_MF_STRICT));
        SHOW("move all", bind_to(p, PAGE, MPOL_BIND, 1, 64, MPOL_MF_MOVE_ALL));
        SHOW("crooked", bind_to(p + 1, PAGE, MPOL_BIND, 1, 64, 0));
        SHOW("nothing", bind_to(p, 0, MPOL_BIND, 1, 64, 0));
        SHOW("wraps", bind_to(p, -PAGE, MPOL_BIND, 1, 64, 0));
        munmap(p + 6 * PAGE, PAGE);
        SHOW("over a hole", bind_to(p, 8 * PAGE, MPOL_BIND, 1, 64, 0));
        told("nothing was done", p + 5 * PAGE, MPOL_F_ADDR);
        SHOW("default over a hole", bind_to(p, 8 * PAGE, MPOL_DEFAULT, 0, 0, 0));
        told("undone", p + PAGE, MPOL_F_ADDR);
        told("undone behind", p + 4 * PAGE, MPOL_F_ADDR);
        SHOW("in a hole", bind_to(p + 6 * PAGE, PAGE, MPOL_DEFAULT, 0, 0, 0));
        told("a hole", p + 6 * PAGE, MPOL_F_ADDR);
        told("address without its flag", p, 0);
        told("unknown flag", p, 8);
        told("allowed", NULL, MPOL_F_MEMS_ALLOWED);
        told("allowed, of an address", p, MPOL_F_MEMS_ALLOWED | MPOL_F_ADDR);
        int mode;
        SHOW("a short mask", syscall(SYS_get_mempolicy, &mode, mask, 0, NULL, 0));
        SHOW("a mask of no bits", syscall(SYS_get_mempolicy, &mode, mask, 1, NULL, 0));
        SHOW("no mask", syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0));
        SHOW("nothing to fill", syscall(SYS_get_mempolicy, NULL, NULL, 0, NULL, 0));
        SHOW("bad mode", syscall(SYS_get_mempolicy, (void *)(1UL << 62), NULL, 0, NULL, 0));
        SHOW("bad mask", syscall(SYS_get_mempolicy, NULL, (void *)(1UL << 62), 64, NULL, 0));
        SHOW("enormous mask", syscall(SYS_get_mempolicy, NULL, mask, 1 << 20, NULL, 0));
}

static long move(pid_t pid, long n, void **pages, int *nodes, int *status, int flags)
{
        return syscall(SYS_move_pages, pid, n, pages, nodes, status, flags);
}

static void moving(void)
{
        char *p = mmap(NULL, 4 * PAGE, RW, AN, -1, 0);
        char *s = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        void *pages[] = { p, p + PAGE, p + 2 * PAGE, s, s + PAGE, (void *)(1UL << 40), p + 5 };
        int   nodes[] = { 0, 0, 0, 0, 0, 0, 0 }, st[7] = { 77, 77, 77, 77, 77, 77, 77 };

        p[0] = s[0] = 1;
        (void)*(volatile char *)(p + 2 * PAGE);
        SHOW("move_pages: where", move(0, 7, pages, NULL, st, 0));
        say("%d %d %d %d %d %d %d\n", st[0], st[1], st[2], st[3], st[4], st[5], st[6]);
        memset(st, 77, sizeof st);
        SHOW("move_pages: to node 0", move(0, 7, pages, nodes, st, MPOL_MF_MOVE));
        say("%d %d %d %d %d %d %d\n", st[0], st[1], st[2], st[3], st[4], st[5], st[6]);
        nodes[0] = 1;
        SHOW("move_pages: to node 1", move(0, 7, pages, nodes, st, MPOL_MF_MOVE));
        nodes[0] = -1;
        SHOW("move_pages: to node -1", move(0, 7, pages, nodes, st, MPOL_MF_MOVE));
        SHOW("move_pages: none", move(0, 0, NULL, NULL, NULL, 0));
        SHOW("move_pages: unknown flag", move(0, 1, pages, NULL, st, MPOL_MF_STRICT));
        SHOW("move_pages: all", move(0, 1, pages, NULL, st, MPOL_MF_MOVE_ALL));
        SHOW("move_pages: no such process", move(4000000, 1, pages, NULL, st, 0));
        SHOW("move_pages: itself", move(getpid(), 1, pages, NULL, st, 0));
        SHOW("move_pages: bad pages", move(0, 1, (void **)(1UL << 62), NULL, st, 0));
        SHOW("move_pages: bad status", move(0, 1, pages, NULL, (int *)(1UL << 62), 0));
        unsigned long from = 1, to = 1, one = 2, none = 0;
        SHOW("migrate_pages", syscall(SYS_migrate_pages, 0, 64, &from, &to));
        SHOW("migrate_pages: to node 1", syscall(SYS_migrate_pages, 0, 64, &from, &one));
        SHOW("migrate_pages: from nowhere", syscall(SYS_migrate_pages, 0, 64, &none, &to));
        SHOW("migrate_pages: to nowhere", syscall(SYS_migrate_pages, 0, 64, &from, &none));
        SHOW("migrate_pages: no such process", syscall(SYS_migrate_pages, 4000000, 64, &from, &to));
        SHOW("migrate_pages: bad mask", syscall(SYS_migrate_pages, 0, 64, (void *)(1UL << 62), &to));
        unsigned cpu = 77, node = 77;
        SHOW("getcpu", syscall(SYS_getcpu, &cpu, &node, NULL));
        CHECK("node 0", cpu < 64 && node == 0);
        become_user(1000);
        SHOW("a user: move all", move(0, 1, pages, NULL, st, MPOL_MF_MOVE_ALL));
        SHOW("a user: root's", move(1, 1, pages, NULL, st, 0));
        SHOW("a user: mbind, move all", bind_to(p, PAGE, MPOL_BIND, 1, 64, MPOL_MF_MOVE_ALL));
        SHOW("a user: migrate to node 1", syscall(SYS_migrate_pages, 0, 64, &from, &one));
        SHOW("a user: migrate root's", syscall(SYS_migrate_pages, 1, 64, &from, &to));
}

static int in_moving(void) { moving(); return failures; }

int main(void)
{
        of_thread();
        of_memory();
        in_child(in_moving);
        return done();
}
