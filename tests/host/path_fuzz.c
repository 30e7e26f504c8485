/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls on any paths in a small tree with links and a mount.  The input is a row of: what to
 * do, a path, and for calls with two paths another, each ended by NUL.
 */
#include "tests/host/world.h"
#include "lib/split.h"
#include "abi/const/fs.h"

static bytes next(bytes *in)
{
        usize n = bytes_find(*in, 0);
        bytes p = bytes_take(*in, n);
        *in = bytes_skip(*in, n < bytes_len(*in) ? n + 1 : n);
        return bytes_take(p, min_u64(bytes_len(p), PATH_MAX_LEN - 1));
}

/* A path taken apart gives its components and nothing else. */
static void check_split(bytes path)
{
        usize total = 0;
        while (bytes_len(path) > 0) {
                struct split s = split_component(path);
                CHECK(bytes_find(s.head, '/') == bytes_len(s.head));
                CHECK(bytes_len(s.rest) < bytes_len(path) && (s.found || bytes_len(s.rest) == 0));
                CHECK(bytes_len(s.rest) == 0 || bytes_at(s.rest, 0) != '/');
                total += bytes_len(s.head);
                path = s.rest;
        }
        CHECK(total <= PATH_MAX_LEN);
}

int LLVMFuzzerTestOneInput(const u8 *data, usize size);
int LLVMFuzzerTestOneInput(const u8 *data, usize size)
{
        struct world w;
        world_boot();
        u64 before = host_live();
        CHECK_ERR(world_new(&w), 0);
        struct actor who = world_actor(&w);
        struct { const char *link, *to; } links[] = { { "l", "d/e" }, { "l2", "/d/../l" }, { "loop", "loop" }, { "d/up", ".." } };
        CHECK_ERR(vfs_mkdir(&who, AT_FDCWD, str("a"), 0755), 0);
        CHECK_ERR(vfs_mkdir(&who, AT_FDCWD, str("d"), 0755), 0);
        CHECK_ERR(vfs_mkdir(&who, AT_FDCWD, str("d/e"), 0755), 0);
        for (u32 i = 0; i < ARRAY_SIZE(links); i++)
                CHECK_ERR(vfs_symlink(&who, str(links[i].to), AT_FDCWD, str(links[i].link)), 0);
        bytes in = { data, size };
        for (u32 calls = 0; bytes_len(in) > 0 && calls < 40; calls++) {
                u8 what = bytes_at(in, 0), buf[300];
                in = bytes_skip(in, 1);
                bytes p = next(&in), q = NO_BYTES;
                struct path at = {};
                struct stat_info st;
                struct file *f = NULL;
                usize len = 0;
                check_split(p);
                switch (what % 16) {
                case 0: ignore(vfs_mkdir(&who, AT_FDCWD, p, 0755)); break;
                case 1: ignore(vfs_rmdir(&who, AT_FDCWD, p)); break;
                case 2: ignore(vfs_unlink(&who, AT_FDCWD, p)); break;
                case 3: q = next(&in); ignore(vfs_rename(&who, AT_FDCWD, p, AT_FDCWD, q, what >> 6)); break;
                case 4: q = next(&in); ignore(vfs_link(&who, AT_FDCWD, p, AT_FDCWD, q, what & 0x40 ? AT_SYMLINK_FOLLOW : 0)); break;
                case 5: q = next(&in); ignore(vfs_symlink(&who, p, AT_FDCWD, q)); break;
                case 6: ignore(vfs_stat(&who, AT_FDCWD, p, what & 0x40 ? AT_SYMLINK_NOFOLLOW : 0, &st)); break;
                case 7: ignore(vfs_chdir(&who, p)); break;
                case 8: ignore(vfs_truncate(&who, p, 100)); break;
                case 9: ignore(vfs_mknod(&who, AT_FDCWD, p, S_IFIFO | 0600, 0)); break;
                case 10: {
                        struct mount_args a = { .source = p, .target = p, .type = STR("tmpfs"), .options = NO_BYTES, .flags = what & 0x40 ? MS_BIND : 0 };
                        ignore(vfs_mount(&who, &a));
                        break;
                }
                case 11: ignore(vfs_umount(&who, p, what & 0x40 ? 2 : 0)); break;
                case 12:
                        if (succeeded(path_lookup(&who, walk_at(AT_FDCWD, what >> 4), p, &at))) {
                                struct path root = fs_root(who.fs);
                                CHECK(at.mnt && at.dentry);
                                ignore(path_text(&at, &root, 0, MBYTES_OF(buf), &len));
                                CHECK(len <= sizeof buf);
                                path_drop(&root);
                                path_drop(&at);
                        }
                        break;
                case 13: ignore(vfs_getcwd(&who, MBYTES_OF(buf), &len)); CHECK(len <= sizeof buf); break;
                default:
                        if (succeeded(vfs_open(&who, AT_FDCWD, p, (struct open_how){ .flags = O_RDWR | (what & 0x40 ? O_CREAT : 0) | (what & 0x80 ? O_NONBLOCK : O_DIRECTORY), .mode = 0644 }, &f)))
                                file_drop(f);
                }
                host_at_rest();
        }
        world_drop(&w);
        host_settle();
        if (host_live() != before)
                host_report_live();
        CHECK_EQ(host_live(), before);
        return 0;
}
