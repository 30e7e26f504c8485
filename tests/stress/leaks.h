/* SPDX-License-Identifier: Apache-2.0
 *
 * leaks: what the stress programs share that kill, clean up and then count what the kernel still holds.
 *
 *   remember()           at the start: the processes and files that are there
 *   kill_all()           kills the processes that came since; 0, with their state shown: some do not die
 *   count(&pools)        removes the files and System V objects that came since, drops the caches, and counts objects and pages
 *   leaks(&a, &b)        names each class that grew; 1 if there is one
 *
 * WHO, the program's name in what it prints, is defined before.
 */
#pragma once
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ms(void)
{
        struct timespec ts;
        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- processes ---- */

enum { DIES_WITHIN = 60 };              /* seconds after SIGKILL */
static int before[4096], n_before;

static int is_new(int pid)
{
        for (int i = 0; i < n_before; i++)
                if (before[i] == pid)
                        return 0;
        return 1;
}

/* The processes that were not there at the start; with `kill_them`, they are killed. */
static int others(int kill_them, int remember)
{
        DIR *d = opendir("/proc");
        int  n = 0;

        for (struct dirent *e; d && (e = readdir(d));) {
                int pid = atoi(e->d_name);
                if (pid <= 0)
                        continue;
                if (remember && n_before < 4096)
                        before[n_before++] = pid;
                if (!is_new(pid))
                        continue;
                n++;
                if (kill_them)
                        kill(pid, SIGKILL);
        }
        closedir(d);
        return n;
}

static void show(const char *path)
{
        char text[4096];
        int  fd = open(path, O_RDONLY), n = fd < 0 ? -1 : (int)read(fd, text, sizeof text - 1);

        if (n > 0)
                printf("%s: %.*s\n", path, n, text);
        close(fd);
}

/* One that does not die. */
static void show_process(int pid)
{
        static const char *const files[] = { "stat", "status", "wchan" };
        char path[64];

        printf(WHO ": does not die: %d\n", pid);
        for (int i = 0; i < 3; i++) {
                snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
                show(path);
        }
        snprintf(path, sizeof path, "/proc/%d/task", pid);
        DIR *d = opendir(path);
        for (struct dirent *e; d && (e = readdir(d));)
                if (atoi(e->d_name) != pid && atoi(e->d_name) > 0) {
                        snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, atoi(e->d_name));
                        show(path);
                }
        if (d)
                closedir(d);
}

/* All are dead within a while, or they are shown. */
static int kill_all(void)
{
        uint64_t start = now_ms();

        while (others(1, 0) > 0) {
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        ;
                if (now_ms() - start > DIES_WITHIN * 1000) {
                        DIR *d = opendir("/proc");
                        for (struct dirent *e; d && (e = readdir(d));)
                                if (atoi(e->d_name) > 0 && is_new(atoi(e->d_name)))
                                        show_process(atoi(e->d_name));
                        return 0;
                }
                usleep(10000);
        }
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
        return 1;
}

/* ---- what outlives processes ---- */

/* Files, by device, number and name: `was_there` are those of before the run, in order. */
static struct id { dev_t dev; ino_t ino; uint64_t name; } was_there[20000];
static int n_there, learning;

static int by_id(const void *a, const void *b) { return memcmp(a, b, sizeof(struct id)); }
static int by_file(const void *a, const void *b) { return memcmp(a, b, offsetof(struct id, name)); }

static uint64_t hash(const char *text)
{
        uint64_t h = 14695981039346656037ull;

        for (; *text; text++)
                h = (h ^ (unsigned char)*text) * 1099511628211ull;
        return h;
}

/* A file that stays has no attributes at first. */
static void forget_attributes(const char *path)
{
        static char names[65536];
        ssize_t     n = llistxattr(path, names, sizeof names);

        for (char *name = names; n > 0 && name < names + n; name += strlen(name) + 1)
                lremovexattr(path, name);
}

static int each_file(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
        struct id id;

        (void)kind;
        (void)ftw;
        memset(&id, 0, sizeof id);
        id.dev = st->st_dev;
        id.ino = st->st_ino;
        id.name = hash(path);
        if (learning) {
                if (n_there < 20000)
                        was_there[n_there++] = id;
                return 0;
        }
        int was = bsearch(&id, was_there, n_there, sizeof id, by_file) != NULL;
        int new_name = was && !S_ISDIR(st->st_mode) && st->st_nlink > 1 && !bsearch(&id, was_there, n_there, sizeof id, by_id);
        if (was && !new_name)
                forget_attributes(path);
        else if (remove(path) != 0)
                printf(WHO ": stays behind: %s: %s\n", path, strerror(errno));
        return 0;
}

#define BARE "/tmp/bare"

/* Notes the files there are; later, removes those that came since.  Each file system is seen by a mount of its own, so that what lies
 * under other mounts is seen, too: a process with a mount namespace of its own can take them off. */
static void walk_files(int learn)
{
        static const char *const tops[] = { "/", "/dev", "/dev/shm", "/dev/mqueue" };

        learning = learn;
        for (int i = 0; i < 4; i++) {
                if (mount(tops[i], BARE, NULL, MS_BIND, NULL) != 0) {
                        printf(WHO ": %s is not looked at: %s\n", tops[i], strerror(errno));
                        continue;
                }
                nftw(BARE, each_file, 20, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
                if (umount2(BARE, 0) != 0)
                        perror(WHO ": " BARE);
        }
        if (learn)
                qsort(was_there, n_there, sizeof(struct id), by_id);
}

/* System V objects, and files that were not there at first (message queues, too). */
static void clean_up(void)
{
        struct shmid_ds shm;
        struct msqid_ds msg;
        struct semid_ds sem;

        for (int i = 0; i < 32768; i++) {       /* IPCMNI: as many as there can be */
                int id = shmctl(i, SHM_STAT, &shm);
                if (id >= 0)
                        shmctl(id, IPC_RMID, NULL);
                if ((id = msgctl(i, MSG_STAT, &msg)) >= 0)
                        msgctl(id, IPC_RMID, NULL);
                if ((id = semctl(i, 0, SEM_STAT, &sem)) >= 0)
                        semctl(id, 0, IPC_RMID);
        }
        char *back = getcwd(NULL, 0);
        chdir("/");
        walk_files(0);
        if (back)
                chdir(back);
        free(back);
}

/* ---- objects ---- */

struct pool { char name[40]; long used; };
struct pools { int n; long free_pages; struct pool pool[300]; char meminfo[4096]; };

static void drop_caches(const char *which)
{
        int drop = open("/proc/sys/vm/drop_caches", O_WRONLY);

        if (drop < 0 || write(drop, which, 1) != 1)
                printf(WHO ": caches are not dropped\n");
        close(drop);
}

static long kib_of(const struct pools *p, const char *name)
{
        const char *at = strstr(p->meminfo, name);

        return at ? atol(at + strlen(name)) : 0;
}

/* Slabs and page tables count as free: objects are compared for themselves, and a slab without any may stay with its pool. */
static void read_pools(struct pools *p)
{
        char  line[256];
        FILE *f = fopen("/proc/slabinfo", "r");

        p->n = 0;
        while (f && p->n < 300 && fgets(line, sizeof line, f))
                if (sscanf(line, "%39s %ld", p->pool[p->n].name, &p->pool[p->n].used) == 2)
                        p->n++;
        if (f)
                fclose(f);
        int fd = open("/proc/meminfo", O_RDONLY), n = (int)read(fd, p->meminfo, sizeof p->meminfo - 1);
        close(fd);
        p->meminfo[n > 0 ? n : 0] = 0;
        p->free_pages = (kib_of(p, "MemFree:") + kib_of(p, "Slab:") + kib_of(p, "PageTables:")) / 4;
}

/* After a while for what ends late, and with the caches dropped. */
__attribute__((unused)) static void count(struct pools *p)
{
        clean_up();
        for (int i = 0; i < 3; i++) {
                usleep(100000);
                drop_caches("3");
        }
        read_pools(p);
}

/* What may differ, and by how much, though nothing leaked. */
static const struct { const char *name; long by; } may_grow[] = {
        { "vmspace", 1000 },            /* kept for their next use: as many as there ever were at once */
        { "inode_locks", 64 },          /* stay with their inode, such as /dev/null's */
        { "text", 2 },                  /* the buffers of files of /proc that are being read, this one's */
        { "tmpfs_handles_leaf", 64 }, { "tmpfs_handles_inner", 64 },    /* of lasting files that a handle was asked of */
        { "dentry_segment", 1024 }, { "dentry_table", 8 }, { "pid_page", 64 },     /* tables that only grow */
};
enum { PAGES_MAY_GROW = 1024 };         /* the CPUs' stocks */

/* Names each class of objects that grew by more than it may: 1 if there is one. */
static int leaks(const struct pools *a, const struct pools *b)
{
        int bad = 0;

        for (int i = 0; i < a->n && i < b->n; i++) {
                long may = 0;
                for (unsigned k = 0; k < sizeof may_grow / sizeof *may_grow; k++)
                        if (strcmp(may_grow[k].name, a->pool[i].name) == 0)
                                may = may_grow[k].by;
                if (b->pool[i].used > a->pool[i].used + may) {
                        printf(WHO ": leak: %s: %ld before, %ld after\n", a->pool[i].name, a->pool[i].used, b->pool[i].used);
                        bad = 1;
                }
        }
        printf(WHO ": free pages: %ld before, %ld after\n", a->free_pages, b->free_pages);
        if (b->free_pages < a->free_pages - PAGES_MAY_GROW) {
                printf(WHO ": leak: pages\nbefore:\n%safter:\n%s", a->meminfo, b->meminfo);
                bad = 1;
        }
        return bad;
}

/* Message queues get a place, if they have none, so that what came since can be removed. */
static void remember(void)
{
        if (mkdir("/dev/mqueue", 0777) == 0 && mount("none", "/dev/mqueue", "mqueue", 0, NULL) != 0)
                printf(WHO ": no /dev/mqueue\n");
        mkdir(BARE, 0700);
        others(0, 1);
        walk_files(1);
}
