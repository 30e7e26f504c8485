/* SPDX-License-Identifier: Apache-2.0
 *
 * Two of each namespace in one program: what happens in one is not seen in the other, and
 * either may go first.
 */
#include "tests/host/world.h"
#include "abi/const/fs.h"

static struct world a, b;
static struct actor in_a, in_b;
static u64 before;

static void begin(void)
{
        world_boot();
        before = host_live();
        CHECK_ERR(world_new(&a), 0);
        CHECK_ERR(world_new(&b), 0);
        in_a = world_actor(&a);
        in_b = world_actor(&b);
}
static void end(bool a_first)
{
        world_drop(a_first ? &a : &b);
        world_drop(a_first ? &b : &a);
        host_settle();
        host_at_rest();
        if (host_live() != before)
                host_report_live();
        CHECK_EQ(host_live(), before);
}

static void test_uts(void)
{
        u8 name[65];
        begin();
        CHECK_ERR(uts_set_nodename(a.uts, STR("one")), 0);
        CHECK_ERR(uts_set_nodename(b.uts, STR("two")), 0);
        struct uts_ns *copy = uts_ns_copy(NULL, a.uts, a.users);
        CHECK_ERR(uts_set_nodename(a.uts, STR("changed")), 0);
        uts_get_nodename(copy, MBYTES_OF(name));
        CHECK(name[0] == 'o' && !name[3]);
        uts_get_nodename(a.uts, MBYTES_OF(name));
        CHECK(name[0] == 'c' && !name[7] && !name[64]);
        uts_get_nodename(b.uts, MBYTES_OF(name));
        CHECK(name[0] == 't');
        u8 longest[65];
        memset(longest, 'n', 65);
        CHECK_ERR(uts_set_domainname(a.uts, bytes_take(BYTES_OF(longest), 64)), 0);
        CHECK_ERR(uts_set_domainname(a.uts, BYTES_OF(longest)), EINVAL);
        uts_get_domainname(a.uts, MBYTES_OF(name));
        CHECK(name[63] == 'n' && !name[64]);
        uts_ns_drop(copy);
        end(true);
}

static void test_pid(void)
{
        struct pid *pa[200], *pb[200];
        begin();
        for (u32 i = 0; i < 200; i++) {
                struct pid_result ra = pid_new(a.pids, NULL), rb = pid_new(b.pids, NULL);
                CHECK(succeeded(ra.err) && succeeded(rb.err));
                pa[i] = ra.p;
                pb[i] = rb.p;
                CHECK(pa[i]->nr == i + 1 && pb[i]->nr == i + 1 && pa[i] != pb[i] && pa[i]->ns == a.pids);
        }
        for (u32 i = 0; i < 200; i++) {
                struct pid *found = pid_find(a.pids, i + 1);
                CHECK(found == pa[i]);
                pid_drop(found);
                pid_drop(pa[i]);
                CHECK(!pid_find(a.pids, i + 1));
                found = pid_find(b.pids, i + 1);
                CHECK(found == pb[i]);
                pid_drop(found);
        }
        /* Numbers are not used again at once; when they run out that is EAGAIN, in this namespace alone. */
        struct pid_result r = pid_new(a.pids, NULL);
        CHECK(succeeded(r.err) && r.p->nr == 201);
        pid_drop(r.p);
        CHECK_ERR(pid_ns_set_max(a.pids, 0), EINVAL);
        CHECK_EQ(pid_ns_max(b.pids), PID_MAX_DEFAULT);
        for (u32 i = 0; i < 200; i++)
                pid_drop(pb[i]);
        end(false);
}

static void test_mounts(void)
{
        struct stat_info st;
        begin();
        world_use(&a);
        CHECK_ERR(vfs_mkdir(&in_a, AT_FDCWD, STR("/only-a"), 0755), 0);
        CHECK_ERR(vfs_stat(&in_b, AT_FDCWD, STR("/only-a"), 0, &st), ENOENT);
        struct mount_args m = { .source = STR("t"), .target = STR("/only-a"), .type = STR("tmpfs"), .options = NO_BYTES };
        CHECK_ERR(vfs_mount(&in_a, &m), 0);
        CHECK(a.mounts->count == 2 && b.mounts->count == 1);
        /* A copy of a's mounts goes its own way from then on. */
        struct mnt_ns *copy = NULL;
        struct fs_context *fs = fs_context_copy(NULL, a.thread->fs);
        CHECK_ERR(mnt_ns_copy(NULL, a.mounts, a.users, fs, &copy), 0);
        struct ns_change change = { .mnt = copy };
        struct ns_set *set = ns_set_change(NULL, a.ns, &change);
        struct actor in_copy = in_a;
        in_copy.fs = fs;
        in_copy.ns = set;
        CHECK(set->mnt == copy && set->uts == a.uts && set->pid == a.pids);
        CHECK_ERR(vfs_umount(&in_copy, STR("/only-a"), 0), 0);
        CHECK(a.mounts->count == 2 && copy->count == 1);
        CHECK_ERR(vfs_mkdir(&in_copy, AT_FDCWD, STR("/shared"), 0755), 0);      /* the file system is the same */
        CHECK_ERR(vfs_stat(&in_a, AT_FDCWD, STR("/shared"), 0, &st), 0);
        struct stat_info on_mount, below;
        CHECK_ERR(vfs_stat(&in_a, AT_FDCWD, STR("/only-a"), 0, &on_mount), 0);
        CHECK_ERR(vfs_stat(&in_copy, AT_FDCWD, STR("/only-a"), 0, &below), 0);
        CHECK(on_mount.dev != below.dev);
        ns_set_drop(set);
        fs_context_drop(fs);
        mnt_ns_drop(copy);
        CHECK_ERR(vfs_umount(&in_a, STR("/only-a"), 0), 0);
        end(true);
}

/* The same places and descriptors in both, with different things behind them. */
static void test_places(void)
{
        struct file *f[2];
        struct actor *who[2] = { &in_a, &in_b };
        begin();
        for (u32 i = 0; i < 2; i++) {
                u32 fd = 99;
                world_use(i ? &b : &a);
                CHECK_ERR(vfs_mkdir(who[i], AT_FDCWD, STR("/d"), 0755), 0);
                CHECK_ERR(vfs_chdir(who[i], STR("/d")), 0);
                CHECK_ERR(vfs_open(who[i], AT_FDCWD, STR("f"), (struct open_how){ .flags = O_CREAT | O_RDWR, .mode = 0644 }, &f[i]), 0);
                usize done = 0;
                CHECK_ERR(file_write_kernel(f[i], 0, i ? STR("bb") : STR("a"), &done), 0);
                CHECK_ERR(files_add(who[i]->files, f[i], 0, 0, 64, &fd), 0);
                CHECK_EQ(fd, 0);
        }
        for (u32 i = 0; i < 2; i++) {
                struct stat_info st;
                world_use(i ? &b : &a);
                struct file *got = files_get(who[i]->files, 0);
                CHECK(got == f[i]);
                file_drop(got);
                CHECK_ERR(vfs_stat(who[i], AT_FDCWD, STR("/d/f"), 0, &st), 0);
                CHECK_EQ(st.size, i + 1);
        }
        CHECK_ERR(world_set_user(&a, 1000, 1000), 0);
        CHECK(a.thread->cred->uid == 1000 && b.thread->cred->uid == 0);
        end(false);
}

TESTS({ "uts", test_uts }, { "pid", test_pid }, { "mounts", test_mounts }, { "places", test_places })
