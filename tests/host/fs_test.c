/* SPDX-License-Identifier: Apache-2.0
 *
 * tmpfs through the calls of vfs: files and directories against models, the rules of each call
 * one by one, limits, and all of it with each allocation failing in turn.
 */
#include "tests/host/world.h"
#include "services/random/random.h"
#include "services/tmpfs/tmpfs.h"
#include "abi/const/time.h"
#include "abi/const/fs.h"
#include "abi/linux/file.h"

static struct world w;
static struct actor who;
static u64 before;

static u64 rnd(u64 n) { return host_random() % n; }

static void begin(void)
{
        world_boot();
        host_settle();
        before = host_live();
        CHECK_ERR(world_new(&w), 0);
        who = world_actor(&w);
}
static void end(void)
{
        world_drop(&w);
        host_settle();
        host_at_rest();
        if (host_live() != before)
                host_report_live();
        CHECK_EQ(host_live(), before);
}

/* Each call returns its error's number. */
static int code(err_t e) { host_at_rest(); return err_code(e); }
static int do_mkdir(const char *p)                     { return code(vfs_mkdir(&who, AT_FDCWD, str(p), 0755)); }
static int do_rmdir(const char *p)                     { return code(vfs_rmdir(&who, AT_FDCWD, str(p))); }
static int do_unlink(const char *p)                    { return code(vfs_unlink(&who, AT_FDCWD, str(p))); }
static int do_link(const char *a, const char *b)       { return code(vfs_link(&who, AT_FDCWD, str(a), AT_FDCWD, str(b), 0)); }
static int do_symlink(const char *t, const char *p)    { return code(vfs_symlink(&who, str(t), AT_FDCWD, str(p))); }
static int do_rename2(const char *a, const char *b, u32 flags) { return code(vfs_rename(&who, AT_FDCWD, str(a), AT_FDCWD, str(b), flags)); }
static int do_rename(const char *a, const char *b)     { return do_rename2(a, b, 0); }
static int do_chmod(const char *p, u32 mode)           { return code(vfs_chmod(&who, AT_FDCWD, str(p), mode, 0)); }
static int do_open(const char *p, u32 flags, struct file **f)
{
        *f = NULL;
        return code(vfs_open(&who, AT_FDCWD, str(p), (struct open_how){ .flags = flags, .mode = 0644 }, f));
}
static int try_open(const char *p, u32 flags)
{
        struct file *f;
        int e = do_open(p, flags, &f);
        CHECK((f != NULL) == (e == 0));
        file_drop(f);
        return e;
}
static int do_create(const char *p) { return try_open(p, O_CREAT | O_WRONLY | O_EXCL); }
static struct file *open_it(const char *p, u32 flags)
{
        struct file *f;
        CHECK_EQ(do_open(p, flags, &f), 0);
        return f;
}
static int do_stat(const char *p, u32 at, struct stat_info *st) { *st = (struct stat_info){}; return code(vfs_stat(&who, AT_FDCWD, str(p), at, st)); }
static struct stat_info stat_of(const char *p)
{
        struct stat_info st;
        CHECK_EQ(do_stat(p, AT_SYMLINK_NOFOLLOW, &st), 0);
        return st;
}
static int stat_error(const char *p) { struct stat_info st; return do_stat(p, 0, &st); }

static int pwrite_at(struct file *f, const void *data, usize n, u64 pos, usize *done)
{
        struct io io = io_from_kernel((bytes){ data, n });
        *done = 0;
        return code(file_pwrite(f, &io, pos, done));
}
static int pread_at(struct file *f, void *data, usize n, u64 pos, usize *done)
{
        struct io io = io_to_kernel((mbytes){ data, n });
        *done = 0;
        return code(file_pread(f, &io, pos, done));
}
static void put(struct file *f, const char *text)
{
        struct io io = io_from_kernel(str(text));
        usize done = 0;
        CHECK_EQ(code(file_write(f, &io, &done)), 0);
        CHECK_EQ(done, strlen(text));
}
static bool holds(const char *p, const char *text)
{
        struct file *f = open_it(p, O_RDONLY);
        char buf[300] = {};
        usize n = 0;
        CHECK_EQ(pread_at(f, buf, sizeof buf - 1, 0, &n), 0);
        file_drop(f);
        return n == strlen(text) && !memcmp(buf, text, n);
}
static void make(const char *p, const char *text)
{
        struct file *f = open_it(p, O_CREAT | O_WRONLY | O_TRUNC);
        put(f, text);
        file_drop(f);
}

/* ---- one file against an array ---- */

#define FILE_MAX 200000u
static u8 model[FILE_MAX], data[FILE_MAX];

static void test_file_model(void)
{
        begin();
        for (u32 round = 0; round < 6; round++) {
                struct file *f = open_it("/f", O_CREAT | O_RDWR | O_TRUNC);
                u64 size = 0;
                memset(model, 0, sizeof model);
                for (u32 step = 0; step < 1500; step++) {
                        u64 pos = rnd(FILE_MAX), n = rnd(4) ? rnd(300) : rnd(20000);
                        usize done = 0;
                        if (rnd(2))
                                pos &= ~PAGE_MASK;
                        n = min_u64(n, FILE_MAX - pos);
                        switch (rnd(6)) {
                        case 0: case 1:
                                random_fill((mbytes){ data, n });
                                CHECK_EQ(pwrite_at(f, data, n, pos, &done), 0);
                                CHECK_EQ(done, n);
                                memcpy(model + pos, data, n);
                                if (n)
                                        size = max_u64(size, pos + n);
                                break;
                        case 2:
                                if (rnd(4))
                                        break;
                                CHECK_EQ(code(file_truncate(&who, f, (i64)pos)), 0);
                                if (pos < size)
                                        memset(model + pos, 0, size - pos);
                                size = pos;
                                break;
                        case 3: {
                                u32 mode = rnd(2) ? FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE : rnd(2) ? FALLOC_FL_KEEP_SIZE : 0;
                                if (!n)
                                        break;
                                int e = code(file_fallocate(f, mode, (i64)pos, (i64)n));
                                if (e == EOPNOTSUPP)
                                        break;
                                CHECK_EQ(e, 0);
                                if (mode & FALLOC_FL_PUNCH_HOLE)
                                        memset(model + pos, 0, n);
                                else if (!mode)
                                        size = max_u64(size, pos + n);
                                break;
                        }
                        default: {
                                u64 want = pos < size ? min_u64(n, size - pos) : 0;
                                CHECK_EQ(pread_at(f, data, n, pos, &done), 0);
                                CHECK_EQ(done, want);
                                CHECK(!memcmp(data, model + pos, want));
                        }
                        }
                        if (step % 50 == 0)
                                CHECK_EQ(stat_of("/f").size, size);
                        CHECK(stat_of("/f").blocks <= (FILE_MAX / PAGE_SIZE + 1) * 8);
                        if (step % 500 == 400)
                                CHECK_EQ(mem_reclaim(1000) < 1000, true);
                }
                file_drop(f);
                CHECK_EQ(do_unlink("/f"), 0);
        }
        end();
}

static void test_positions(void)
{
        char buf[20] = {};
        u64 pos = 0;
        usize done = 0;
        begin();
        struct file *f = open_it("/f", O_CREAT | O_RDWR);
        put(f, "hello");
        put(f, " world");
        CHECK_EQ(code(file_lseek(f, 0, SEEK_CUR, &pos)), 0);
        CHECK_EQ(pos, 11);
        CHECK_EQ(code(file_lseek(f, -5, SEEK_END, &pos)), 0);
        CHECK_EQ(pos, 6);
        struct io io = io_to_kernel((mbytes){ (u8 *)buf, 20 });
        CHECK_EQ(code(file_read(f, &io, &done)), 0);
        CHECK(done == 5 && !memcmp(buf, "world", 5));
        CHECK_EQ(code(file_lseek(f, -1, SEEK_SET, &pos)), EINVAL);
        CHECK_EQ(code(file_lseek(f, 0, 99, &pos)), EINVAL);
        CHECK_EQ(code(file_lseek(f, 1000, SEEK_SET, &pos)), 0);
        put(f, "x");
        CHECK_EQ(stat_of("/f").size, 1001);
        file_drop(f);
        /* Appending goes to the end, wherever one stands; reading only and writing only are kept to. */
        f = open_it("/f", O_WRONLY | O_APPEND);
        CHECK_EQ(code(file_truncate(&who, f, 3)), 0);
        put(f, "ABC");
        CHECK(holds("/f", "helABC"));
        CHECK_EQ(pread_at(f, buf, 1, 0, &done), EBADF);
        file_drop(f);
        f = open_it("/f", O_RDONLY);
        CHECK_EQ(pwrite_at(f, "x", 1, 0, &done), EBADF);
        CHECK_EQ(code(file_truncate(&who, f, 0)), EINVAL);
        file_drop(f);
        /* Holes, and where the data is. */
        f = open_it("/sparse", O_CREAT | O_RDWR);
        CHECK_EQ(pwrite_at(f, "a", 1, 1ul << 40, &done), 0);
        CHECK_EQ(stat_of("/sparse").size, (1ul << 40) + 1);
        CHECK(stat_of("/sparse").blocks <= 16);
        CHECK_EQ(code(file_lseek(f, 0, SEEK_DATA, &pos)), 0);
        CHECK_EQ(pos, 1ul << 40);
        CHECK_EQ(code(file_lseek(f, 0, SEEK_HOLE, &pos)), 0);
        CHECK_EQ(pos, 0);
        CHECK_EQ(code(file_lseek(f, 1l << 40, SEEK_HOLE, &pos)), 0);
        CHECK_EQ(pos, (1ul << 40) + 1);
        CHECK_EQ(code(file_lseek(f, (1l << 40) + 1, SEEK_DATA, &pos)), ENXIO);
        CHECK_EQ(pread_at(f, buf, 20, 12345, &done), 0);
        CHECK(done == 20 && !buf[0] && !buf[19]);
        CHECK_EQ(pwrite_at(f, "a", 1, U64_MAX >> 1, &done), EINVAL);
        CHECK_EQ(code(file_truncate(&who, f, -1)), EINVAL);
        file_drop(f);
        end();
}

/* ---- directories ---- */

static void test_directories(void)
{
        begin();
        CHECK_EQ(do_mkdir("/a"), 0);
        CHECK_EQ(do_mkdir("/a"), EEXIST);
        CHECK_EQ(do_mkdir("/a/"), EEXIST);
        CHECK_EQ(do_mkdir("/a/b/"), 0);
        CHECK_EQ(do_mkdir("/x/y"), ENOENT);
        CHECK_EQ(do_mkdir("/"), EEXIST);
        CHECK_EQ(do_mkdir("/a/."), EEXIST);
        CHECK_EQ(do_mkdir("/a/.."), EEXIST);
        CHECK_EQ(do_mkdir(""), ENOENT);
        make("/f", "");
        CHECK_EQ(do_mkdir("/f/x"), ENOTDIR);
        CHECK_EQ(do_mkdir("/f"), EEXIST);
        CHECK_EQ(do_rmdir("/f"), ENOTDIR);
        CHECK_EQ(do_rmdir("/a"), ENOTEMPTY);
        CHECK_EQ(do_rmdir("/a/."), EINVAL);
        CHECK_EQ(do_rmdir("/a/b/.."), ENOTEMPTY);
        CHECK_EQ(do_rmdir("/"), EBUSY);
        CHECK_EQ(do_rmdir("/none"), ENOENT);
        CHECK_EQ(do_unlink("/a"), EISDIR);
        CHECK_EQ(do_unlink("/f/"), ENOTDIR);
        CHECK_EQ(do_unlink("/none"), ENOENT);
        CHECK_EQ(do_unlink("/"), EISDIR);
        CHECK_EQ(stat_of("/a").nlink, 3);
        CHECK_EQ(stat_of("/a/b").nlink, 2);
        CHECK_EQ(stat_of("/a/b/..").ino, stat_of("/a").ino);
        CHECK_EQ(stat_of("/..").ino, stat_of("/").ino);
        CHECK_EQ(do_rmdir("/a/b/"), 0);
        CHECK_EQ(stat_of("/a").nlink, 2);
        CHECK_EQ(try_open("/a", O_WRONLY), EISDIR);
        CHECK_EQ(try_open("/a", O_RDONLY | O_DIRECTORY), 0);
        CHECK_EQ(try_open("/f", O_RDONLY | O_DIRECTORY), ENOTDIR);
        CHECK_EQ(try_open("/f/", O_RDONLY), ENOTDIR);
        CHECK_EQ(try_open("/new/", O_CREAT | O_RDWR), EISDIR);
        CHECK_EQ(try_open("/f", O_CREAT | O_EXCL | O_RDWR), EEXIST);
        CHECK_EQ(try_open("/none", O_RDONLY), ENOENT);
        CHECK_EQ(stat_error("/f/."), ENOTDIR);
        CHECK_EQ(stat_error("/f/.."), ENOTDIR);
        /* What was removed while open goes on as a file, and nothing is made in a removed directory. */
        struct file *f = open_it("/f", O_RDWR), *d = open_it("/a", O_RDONLY | O_DIRECTORY);
        CHECK_EQ(do_unlink("/f"), 0);
        put(f, "still here");
        struct stat_info st = {};
        CHECK_EQ(code(vfs_fstat(f, &st)), 0);
        CHECK(st.nlink == 0 && st.size == 10);
        CHECK_EQ(code(vfs_chdir(&who, str("/a"))), 0);
        CHECK_EQ(do_rmdir("/a"), 0);
        CHECK_EQ(do_create("x"), ENOENT);
        CHECK_EQ(do_mkdir("x"), ENOENT);
        u8 buf[100];
        usize len = 0;
        CHECK_EQ(code(vfs_getcwd(&who, MBYTES_OF(buf), &len)), ENOENT);
        CHECK_EQ(code(vfs_chdir(&who, str(".."))), 0);
        CHECK_EQ(code(vfs_getcwd(&who, MBYTES_OF(buf), &len)), 0);
        CHECK(len == 2 && buf[0] == '/' && !buf[1]);
        file_drop(f);
        file_drop(d);
        end();
}

/* Every entry is listed once, in pieces of any size, while others come and go. */
static void test_listing(void)
{
        static u8 seen[500];
        begin();
        CHECK_EQ(do_mkdir("/d"), 0);
        for (u32 i = 0; i < 400; i++) {
                char name[40];
                snprintf(name, sizeof name, "/d/entry%03u", i);
                CHECK_EQ(i % 3 ? do_create(name) : do_mkdir(name), 0);
        }
        for (u32 size = 60; size < 3000; size = size * 2 + 7) {
                struct file *f = open_it("/d", O_RDONLY | O_DIRECTORY);
                u32 dots = 0, rounds = 0;
                memset(seen, 0, sizeof seen);
                for (;; rounds++) {
                        u8 buf[3000];
                        struct io io = io_to_kernel(mbytes_take(MBYTES_OF(buf), size));
                        usize n = 0;
                        CHECK_EQ(code(file_readdir(f, &io, DIR_64, &n)), 0);
                        if (!n)
                                break;
                        for (usize at = 0; at < n;) {
                                bytes e = bytes_sub(BYTES_OF(buf), at, n - at);
                                usize len = bytes_le16(e, 16);
                                CHECK(len % 8 == 0 && len >= 24 && at + len <= n);
                                bytes name = bytes_take(bytes_skip(e, 19), bytes_find(bytes_take(bytes_skip(e, 19), len - 19), 0));
                                u8 type = bytes_at(e, 18);
                                if (bytes_at(name, 0) == '.') {
                                        dots++;
                                        CHECK_EQ(type, 4);
                                } else {
                                        u32 i = 0;
                                        CHECK(bytes_starts(name, STR("entry")) && bytes_len(name) == 8);
                                        for (u32 k = 5; k < 8; k++)
                                                i = i * 10 + bytes_at(name, k) - '0';
                                        CHECK_EQ(type, i % 3 || i >= 400 ? 8 : 4);
                                        seen[i]++;
                                }
                                at += len;
                        }
                        if (rounds == 1) {              /* these must neither hide nor double the others */
                                CHECK_EQ(do_create("/d/entry450"), 0);
                                CHECK_EQ(do_unlink("/d/entry001"), 0);
                        }
                }
                CHECK_EQ(dots, 2);
                for (u32 i = 0; i < 400; i++)
                        CHECK(seen[i] == 1 || (i == 1 && rounds > 1 && seen[i] <= 1));
                if (rounds > 1) {
                        CHECK_EQ(do_unlink("/d/entry450"), 0);
                        CHECK_EQ(do_create("/d/entry001"), 0);
                }
                file_drop(f);
        }
        struct file *f = open_it("/d", O_RDONLY | O_DIRECTORY);
        u8 tiny[20];
        usize n = 0;
        struct io io = io_to_kernel(MBYTES_OF(tiny));
        CHECK_EQ(code(file_readdir(f, &io, DIR_64, &n)), EINVAL);
        file_drop(f);
        end();
}

/* ---- links ---- */

static void test_links(void)
{
        char long_name[300], long_path[5000];
        begin();
        make("/f", "one");
        CHECK_EQ(do_link("/f", "/g"), 0);
        CHECK_EQ(do_link("/f", "/g"), EEXIST);
        CHECK_EQ(do_link("/none", "/h"), ENOENT);
        CHECK_EQ(do_link("/f", "/none/h"), ENOENT);
        CHECK(stat_of("/f").nlink == 2 && stat_of("/g").ino == stat_of("/f").ino);
        make("/g", "two");
        CHECK(holds("/f", "two"));
        CHECK_EQ(do_unlink("/f"), 0);
        CHECK_EQ(stat_of("/g").nlink, 1);
        CHECK_EQ(do_mkdir("/d"), 0);
        CHECK_EQ(do_link("/d", "/e"), EPERM);
        /* Symbolic ones. */
        CHECK_EQ(do_symlink("g", "/s"), 0);
        CHECK_EQ(do_symlink("g", "/s"), EEXIST);
        CHECK_EQ(do_symlink("", "/t"), ENOENT);
        CHECK(holds("/s", "two"));
        CHECK_EQ(stat_of("/s").size, 1);
        CHECK_EQ(stat_of("/s").mode, S_IFLNK | 0777);
        CHECK_EQ(try_open("/s", O_RDONLY | O_NOFOLLOW), ELOOP);
        CHECK_EQ(try_open("/s", O_CREAT | O_EXCL | O_WRONLY), EEXIST);
        CHECK_EQ(do_symlink("missing", "/dangling"), 0);
        CHECK_EQ(stat_error("/dangling"), ENOENT);
        CHECK_EQ(do_mkdir("/dangling"), EEXIST);
        CHECK_EQ(try_open("/dangling", O_CREAT | O_WRONLY), 0);
        CHECK_EQ(stat_of("/missing").size, 0);
        CHECK_EQ(do_symlink("loop", "/loop"), 0);
        CHECK_EQ(stat_error("/loop"), ELOOP);
        CHECK_EQ(try_open("/loop", O_CREAT | O_WRONLY), ELOOP);
        CHECK_EQ(do_symlink("d/", "/slash"), 0);
        make("/d/in", "deep");
        CHECK(holds("/slash/in", "deep") && holds("/slash//in", "deep") && holds("//d/.././d/in", "deep"));
        CHECK_EQ(do_symlink("../../../d", "/d/up"), 0);
        CHECK(holds("/d/up/up/up/in", "deep"));
        CHECK_EQ(do_rmdir("/slash"), ENOTDIR);
        CHECK_EQ(do_unlink("/slash"), 0);
        struct io io;
        u8 text[10] = {};
        io = io_to_kernel(MBYTES_OF(text));
        CHECK_EQ(code(vfs_readlink(&who, AT_FDCWD, str("/dangling"), &io)), 0);
        CHECK(io_done(&io) == 7 && !memcmp(text, "missing", 7));
        io = io_to_kernel(mbytes_take(MBYTES_OF(text), 3));
        CHECK_EQ(code(vfs_readlink(&who, AT_FDCWD, str("/dangling"), &io)), 0);
        CHECK_EQ(io_done(&io), 3);
        io = io_to_kernel(MBYTES_OF(text));
        CHECK_EQ(code(vfs_readlink(&who, AT_FDCWD, str("/d"), &io)), EINVAL);
        /* Forty links are followed, more are not. */
        make("/l0", "end");
        for (u32 i = 1; i <= 41; i++) {
                char from[20], to[20];
                snprintf(from, sizeof from, "l%u", i - 1);
                snprintf(to, sizeof to, "/l%u", i);
                CHECK_EQ(do_symlink(from, to), 0);
        }
        CHECK(holds("/l40", "end"));
        CHECK_EQ(stat_error("/l41"), ELOOP);
        /* Names and paths at their limits. */
        memset(long_name, 'n', sizeof long_name);
        long_name[0] = '/';
        long_name[256] = 0;
        CHECK_EQ(do_create(long_name), 0);
        CHECK_EQ(stat_of(long_name).size, 0);
        CHECK_EQ(do_rename(long_name, "/short"), 0);
        CHECK_EQ(do_rename("/short", long_name), 0);
        CHECK_EQ(do_unlink(long_name), 0);
        long_name[256] = 'n';
        long_name[257] = 0;
        CHECK_EQ(do_create(long_name), ENAMETOOLONG);
        CHECK_EQ(do_mkdir(long_name), ENAMETOOLONG);
        CHECK_EQ(stat_error(long_name), ENAMETOOLONG);
        CHECK_EQ(do_symlink("x", long_name), ENAMETOOLONG);
        CHECK_EQ(do_rename("/g", long_name), ENAMETOOLONG);
        for (u32 i = 0; i + 2 < 4095; i += 2)
                memcpy(long_path + i, "./", 3);
        CHECK_EQ(stat_error(long_path), 0);
        memset(long_path, 'x', sizeof long_path);
        long_path[4095] = 0;
        CHECK_EQ(do_symlink(long_path, "/longest"), 0);
        CHECK_EQ(stat_of("/longest").size, 4095);
        CHECK_EQ(stat_error("/longest"), ENAMETOOLONG);
        end();
}

/* ---- renaming ---- */

static void test_rename_rules(void)
{
        begin();
        make("/f", "f");
        make("/g", "g");
        CHECK_EQ(do_mkdir("/d"), 0);
        CHECK_EQ(do_mkdir("/d/e"), 0);
        CHECK_EQ(do_mkdir("/empty"), 0);
        CHECK_EQ(do_rename("/f", "/f"), 0);
        CHECK_EQ(do_rename("/none", "/x"), ENOENT);
        CHECK_EQ(do_rename("/f", "/none/x"), ENOENT);
        CHECK_EQ(do_rename("/f", "/d"), EISDIR);
        CHECK_EQ(do_rename("/d", "/f"), ENOTDIR);
        CHECK_EQ(do_rename("/f", "/new/"), ENOTDIR);
        CHECK_EQ(do_rename("/empty", "/d"), ENOTEMPTY);
        CHECK_EQ(do_rename("/d", "/d/e/x"), EINVAL);
        CHECK_EQ(do_rename("/d", "/d/e"), EINVAL);
        CHECK_EQ(do_rename("/d/e", "/d"), ENOTEMPTY);
        CHECK_EQ(do_rename("/d/.", "/x"), EBUSY);
        CHECK_EQ(do_rename("/d/..", "/x"), EBUSY);
        CHECK_EQ(do_rename("/f", "/d/.."), EBUSY);
        CHECK_EQ(do_rename("/", "/x"), EBUSY);
        CHECK_EQ(do_rename2("/f", "/g", RENAME_NOREPLACE), EEXIST);
        CHECK_EQ(do_rename2("/f", "/g", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
        CHECK_EQ(do_rename2("/f", "/x", RENAME_EXCHANGE), ENOENT);
        CHECK_EQ(do_rename2("/f", "/g", 1u << 20), EINVAL);
        CHECK(holds("/f", "f") && holds("/g", "g"));
        CHECK_EQ(do_rename2("/f", "/g", RENAME_EXCHANGE), 0);
        CHECK(holds("/f", "g") && holds("/g", "f"));
        CHECK_EQ(do_rename2("/d/e", "/g", RENAME_EXCHANGE), 0);
        CHECK(holds("/d/e", "f") && inode_is_dir((struct inode[]){ { .mode = stat_of("/g").mode } }));
        CHECK(stat_of("/d").nlink == 2 && stat_of("/").nlink == 5);
        CHECK_EQ(do_rename2("/d", "/d/e", RENAME_EXCHANGE), EINVAL);
        CHECK_EQ(do_rename2("/d/e", "/d", RENAME_EXCHANGE), EINVAL);
        CHECK_EQ(do_rename2("/d/e", "/g", RENAME_EXCHANGE), 0);
        CHECK_EQ(do_rename2("/f", "/x", RENAME_NOREPLACE), 0);
        CHECK_EQ(stat_error("/f"), ENOENT);
        CHECK_EQ(do_rename("/x", "/g"), 0);
        CHECK(holds("/g", "g"));
        CHECK_EQ(do_rename("/d/e", "/empty"), 0);
        CHECK(stat_of("/d").nlink == 2 && stat_of("/").nlink == 4);
        CHECK_EQ(do_rename("/d", "/empty/moved/"), 0);
        CHECK(stat_of("/empty").nlink == 3 && stat_of("/empty/moved/..").ino == stat_of("/empty").ino);
        /* Two names of one file: nothing happens. */
        CHECK_EQ(do_link("/g", "/h"), 0);
        CHECK_EQ(do_rename("/g", "/h"), 0);
        CHECK(holds("/g", "g") && stat_of("/g").nlink == 2);
        /* What is replaced while open stays readable. */
        struct file *f = open_it("/h", O_RDONLY);
        CHECK_EQ(do_unlink("/g"), 0);
        make("/i", "i");
        CHECK_EQ(do_rename("/i", "/h"), 0);
        char c = 0;
        usize n = 0;
        CHECK_EQ(pread_at(f, &c, 1, 0, &n), 0);
        CHECK(c == 'g' && holds("/h", "i"));
        file_drop(f);
        end();
}

/* ---- a tree against a model ---- */

#define NODES 64
enum { FREE, DIR, PLAIN, LINK };
struct node { int kind; u32 ino; u32 n; struct { char name; u32 node; } entry[8]; u32 parent; u32 links; };
static struct node node[NODES];         /* 0: the root */

static u32 new_node(int kind, u32 parent)
{
        for (u32 i = 1; i < NODES; i++)
                if (node[i].kind == FREE) {
                        node[i] = (struct node){ .kind = kind, .parent = parent, .links = 1 };
                        return i;
                }
        return 0;
}
static u32 *slot(u32 dir, char name)
{
        for (u32 i = 0; i < node[dir].n; i++)
                if (node[dir].entry[i].name == name)
                        return &node[dir].entry[i].node;
        return NULL;
}
static void enter(u32 dir, char name, u32 to)
{
        u32 *at = slot(dir, name);
        if (!at) {
                node[dir].entry[node[dir].n].name = name;
                at = &node[dir].entry[node[dir].n++].node;
        }
        *at = to;
        if (node[to].kind == DIR)
                node[to].parent = dir;
}
static void leave(u32 dir, char name)
{
        for (u32 i = 0; i < node[dir].n; i++)
                if (node[dir].entry[i].name == name)
                        node[dir].entry[i] = node[dir].entry[--node[dir].n];
}
static void unlink_node(u32 i) { if (--node[i].links == 0) node[i].kind = FREE; }

/* A random path of up to four names of five; the directory and name it comes down to. */
struct where { char path[40]; int error; u32 dir; char name; u32 at; };         /* at: node or U32_MAX */
static struct where somewhere(void)
{
        struct where x = { .at = U32_MAX };
        u32 depth = 1 + (u32)min_u64(rnd(4), rnd(4)), dir = 0, len = 0;
        for (u32 i = 0; i < depth; i++) {
                char name = (char)('a' + rnd(5));
                x.path[len++] = '/';
                x.path[len++] = name;
                if (x.error)
                        continue;
                x.dir = dir;
                x.name = name;
                u32 *at = slot(dir, name);
                x.at = at ? *at : U32_MAX;
                if (i + 1 < depth) {
                        if (!at)
                                x.error = ENOENT;
                        else if (node[*at].kind != DIR)         /* a link leads nowhere */
                                x.error = node[*at].kind == LINK ? ENOENT : ENOTDIR;
                        else
                                dir = *at;
                }
        }
        return x;
}
static bool below(u32 d, u32 top)
{
        for (;; d = node[d].parent) {
                if (d == top)
                        return true;
                if (!d)
                        return false;
        }
}
static bool is_dir(u32 i) { return i != U32_MAX && node[i].kind == DIR; }

static int model_rename(const struct where *a, const struct where *b, u32 flags)
{
        if (a->error)
                return a->error;
        if (b->error)
                return b->error;
        if (a->at == U32_MAX)
                return ENOENT;
        if (b->at != U32_MAX && (flags & RENAME_NOREPLACE))
                return EEXIST;
        if (b->at == U32_MAX && (flags & RENAME_EXCHANGE))
                return ENOENT;
        if (is_dir(a->at) && below(b->dir, a->at))
                return EINVAL;
        if (b->at != U32_MAX && is_dir(b->at) && below(a->dir, b->at))
                return flags & RENAME_EXCHANGE ? EINVAL : ENOTEMPTY;
        if (a->at == b->at)
                return 0;
        if (flags & RENAME_EXCHANGE) {
                u32 x = a->at, y = b->at;
                enter(a->dir, a->name, y);
                enter(b->dir, b->name, x);
                return 0;
        }
        if (b->at != U32_MAX) {
                if (is_dir(a->at) && !is_dir(b->at))
                        return ENOTDIR;
                if (!is_dir(a->at) && is_dir(b->at))
                        return EISDIR;
                if (is_dir(b->at) && node[b->at].n)
                        return ENOTEMPTY;
        }
        u32 moved = a->at, gone = b->at;
        leave(a->dir, a->name);
        enter(b->dir, b->name, moved);
        if (gone != U32_MAX)
                unlink_node(gone);
        return 0;
}

static void compare(u32 dir, char *path, u32 len)
{
        u32 dirs = 0;
        for (char c = 'a'; c < 'f'; c++) {
                u32 *at = slot(dir, c);
                struct stat_info st;
                path[len] = '/', path[len + 1] = c, path[len + 2] = 0;
                int e = do_stat(path, AT_SYMLINK_NOFOLLOW, &st);
                CHECK_EQ(e, at ? 0 : ENOENT);
                if (!at)
                        continue;
                dirs += is_dir(*at);
                CHECK_EQ(st.mode & S_IFMT, is_dir(*at) ? S_IFDIR : node[*at].kind == PLAIN ? S_IFREG : S_IFLNK);
                if (!node[*at].ino)
                        node[*at].ino = (u32)st.ino;
                CHECK_EQ(st.ino, node[*at].ino);
                if (is_dir(*at))
                        compare(*at, path, len + 2);
                else
                        CHECK_EQ(st.nlink, node[*at].links);
        }
        path[len] = 0;
        CHECK_EQ(stat_of(len ? path : "/").nlink, 2 + dirs);
}

static void test_tree_model(void)
{
        begin();
        memset(node, 0, sizeof node);
        node[0] = (struct node){ .kind = DIR, .links = 1 };
        u32 done[8] = {};
        for (u32 step = 0; step < 40000; step++) {
                struct where a = somewhere(), b = somewhere();
                u32 op = (u32)rnd(9), used = 0, made;
                int want = a.error, got = 0;
                for (u32 i = 0; i < NODES; i++)
                        used += node[i].kind != FREE;
                if (used > 40 && op < 3)
                        op = 3 + (u32)rnd(2);
                switch (op) {
                case 0: case 1: case 2:
                        if (!want && a.at != U32_MAX)
                                want = EEXIST;
                        got = op == 0 ? do_mkdir(a.path) : op == 1 ? do_create(a.path) : do_symlink("x", a.path);
                        if (!want && (made = new_node(op == 0 ? DIR : op == 1 ? PLAIN : LINK, a.dir)))
                                enter(a.dir, a.name, made);
                        break;
                case 3:
                        if (!want)
                                want = a.at == U32_MAX ? ENOENT : is_dir(a.at) ? EISDIR : 0;
                        got = do_unlink(a.path);
                        if (!want) {
                                leave(a.dir, a.name);
                                unlink_node(a.at);
                        }
                        break;
                case 4:
                        if (!want)
                                want = a.at == U32_MAX ? ENOENT : !is_dir(a.at) ? ENOTDIR : node[a.at].n ? ENOTEMPTY : 0;
                        got = do_rmdir(a.path);
                        if (!want) {
                                leave(a.dir, a.name);
                                unlink_node(a.at);
                        }
                        break;
                case 5:
                        if (!want && a.at == U32_MAX)
                                want = ENOENT;
                        if (!want)
                                want = b.error ? b.error : b.at != U32_MAX ? EEXIST : is_dir(a.at) ? EPERM : 0;
                        got = do_link(a.path, b.path);
                        if (!want) {
                                enter(b.dir, b.name, a.at);
                                node[a.at].links++;
                        }
                        break;
                default: {
                        u32 flags = op == 6 ? 0 : op == 7 ? RENAME_NOREPLACE : RENAME_EXCHANGE;
                        want = model_rename(&a, &b, flags);
                        got = do_rename2(a.path, b.path, flags);
                        op = 6;
                }
                }
                if (got != want)
                        printf("step %u, call %u: %s %s\n", step, op, a.path, b.path);
                CHECK_EQ(got, want);
                done[op] += !got;
                if (step % 20 == 0) {
                        char path[40] = {};
                        compare(0, path, 0);
                }
                if (step % 1000 == 0)
                        mem_reclaim(rnd(50));
        }
        for (u32 i = 0; i < 7; i++)             /* each call has succeeded, too */
                if (done[i] < 50)
                        host_fail_eq(__FILE__, __LINE__, "calls that succeeded", done[i], i);
        end();
}

/* ---- who may ---- */

static void test_permission(void)
{
        begin();
        CHECK_EQ(do_mkdir("/tmp"), 0);
        CHECK_EQ(do_chmod("/tmp", 01777), 0);
        CHECK_EQ(do_mkdir("/private"), 0);
        CHECK_EQ(do_chmod("/private", 0700), 0);
        make("/private/f", "secret");
        make("/tmp/roots", "r");
        make("/readable", "x");
        CHECK_ERR(world_set_user(&w, 1000, 1000), 0);
        who = world_actor(&w);
        CHECK_EQ(do_create("/x"), EACCES);
        CHECK_EQ(do_create("/tmp/mine"), 0);
        CHECK_EQ(stat_of("/tmp/mine").uid, 1000);
        CHECK_EQ(do_unlink("/tmp/roots"), EPERM);
        CHECK_EQ(do_rename("/tmp/roots", "/tmp/x"), EPERM);
        CHECK_EQ(do_rename("/tmp/mine", "/tmp/roots"), EPERM);
        CHECK_EQ(try_open("/private/f", O_RDONLY), EACCES);
        CHECK_EQ(stat_error("/private/f"), EACCES);
        CHECK_EQ(stat_error("/private"), 0);
        CHECK_EQ(try_open("/private", O_RDONLY | O_DIRECTORY), EACCES);
        CHECK_EQ(try_open("/readable", O_RDONLY), 0);
        CHECK_EQ(try_open("/readable", O_WRONLY), EACCES);
        CHECK_EQ(try_open("/readable", O_RDONLY | O_TRUNC), EACCES);
        CHECK_EQ(code(vfs_truncate(&who, str("/readable"), 0)), EACCES);
        CHECK_EQ(do_chmod("/readable", 0666), EPERM);
        CHECK_EQ(code(vfs_chown(&who, AT_FDCWD, str("/tmp/mine"), 0, U32_MAX, 0)), EPERM);
        CHECK_EQ(do_chmod("/tmp/mine", 04755), 0);
        CHECK_EQ(stat_of("/tmp/mine").mode, S_IFREG | 04755);
        struct file *f = open_it("/tmp/mine", O_WRONLY);
        put(f, "x");                                    /* writing takes the set-id bit away */
        file_drop(f);
        CHECK_EQ(stat_of("/tmp/mine").mode, S_IFREG | 0755);
        CHECK_EQ(do_chmod("/tmp/mine", 0), 0);
        CHECK_EQ(try_open("/tmp/mine", O_RDONLY), EACCES);
        CHECK_EQ(code(vfs_mknod(&who, AT_FDCWD, str("/tmp/dev"), S_IFCHR | 0666, dev_make(1, 3))), EPERM);
        CHECK_EQ(code(vfs_mknod(&who, AT_FDCWD, str("/tmp/fifo"), S_IFIFO | 0666, 0)), 0);
        CHECK_EQ(code(vfs_chroot(&who, str("/tmp"))), EPERM);
        CHECK_EQ(code(vfs_access(&who, AT_FDCWD, str("/readable"), 4, 0)), 0);
        CHECK_EQ(code(vfs_access(&who, AT_FDCWD, str("/readable"), 2, 0)), EACCES);
        end();
}

/* ---- mounts and limits ---- */

static int mount_at_path(const char *p, const char *options, u64 flags)
{
        struct mount_args a = { .source = str("none"), .target = str(p), .type = str("tmpfs"), .options = str(options), .flags = flags };
        return code(vfs_mount(&who, &a));
}

static void test_limits(void)
{
        usize done = 0;
        begin();
        CHECK_EQ(do_mkdir("/m"), 0);
        make("/m/hidden", "h");
        CHECK_EQ(mount_at_path("/m", "size=64k,nr_inodes=10", 0), 0);
        CHECK_EQ(stat_error("/m/hidden"), ENOENT);
        struct file *f = open_it("/m/f", O_CREAT | O_RDWR);
        memset(data, 'x', sizeof data);
        CHECK_EQ(pwrite_at(f, data, 100000, 0, &done), 0);
        CHECK_EQ(done, 65536);
        CHECK_EQ(pwrite_at(f, data, 100, 65536, &done), ENOSPC);
        CHECK_EQ(pwrite_at(f, data, 100, 0, &done), 0);
        CHECK_EQ(code(file_truncate(&who, f, 1000)), 0);
        CHECK_EQ(pwrite_at(f, data, 1000, 30000, &done), 0);
        struct linux_statfs s = {};
        CHECK_EQ(code(vfs_fstatfs(f, &s)), 0);
        CHECK(s.f_blocks == 16 && s.f_bfree < 16 && s.f_files == 10);
        CHECK_EQ(code(vfs_umount(&who, str("/m"), 0)), EBUSY);
        file_drop(f);
        u32 made = 0;
        int e = 0;
        for (char name[] = "/m/g"; !e && made < 20; name[3]++, made++)
                e = do_create(name);
        CHECK_EQ(e, ENOSPC);
        CHECK_EQ(do_unlink("/m/g"), 0);
        CHECK_EQ(do_mkdir("/m/again"), 0);
        CHECK_EQ(do_rename("/m/again", "/again"), EXDEV);
        CHECK_EQ(do_link("/m/h", "/b"), EXDEV);
        CHECK_EQ(do_rmdir("/m"), EBUSY);
        CHECK_EQ(do_rename("/m", "/n"), EBUSY);
        CHECK_EQ(code(vfs_umount(&who, str("/m"), 0)), 0);
        CHECK(holds("/m/hidden", "h"));
        CHECK_EQ(code(vfs_umount(&who, str("/m"), 0)), EINVAL);
        /* Read-only; nothing that is not understood. */
        CHECK_EQ(mount_at_path("/m", "size=1m", MS_RDONLY), 0);
        CHECK_EQ(do_create("/m/x"), EROFS);
        CHECK_EQ(do_mkdir("/m/x"), EROFS);
        CHECK_EQ(code(vfs_umount(&who, str("/m"), 0)), 0);
        CHECK_EQ(mount_at_path("/m", "size=zero", 0), EINVAL);
        CHECK_EQ(mount_at_path("/m", "nonsense=1", 0), EINVAL);
        CHECK_EQ(mount_at_path("/none", "", 0), ENOENT);
        CHECK_EQ(mount_at_path("/m/hidden", "", 0), ENOTDIR);
        struct mount_args a = { .source = str("none"), .target = str("/m"), .type = str("nofs") };
        CHECK_EQ(code(vfs_mount(&who, &a)), ENODEV);
        /* A mount on a mount, seen by mount points and "..". */
        CHECK_EQ(mount_at_path("/m", "", 0), 0);
        make("/m/first", "1");
        CHECK_EQ(mount_at_path("/m", "", 0), 0);
        CHECK_EQ(stat_error("/m/first"), ENOENT);
        CHECK_EQ(stat_of("/m/..").ino, stat_of("/").ino);
        CHECK_EQ(do_mkdir("/m/sub"), 0);
        CHECK_EQ(mount_at_path("/m/sub", "", 0), 0);
        CHECK_EQ(code(vfs_umount(&who, str("/m"), 0)), EBUSY);
        CHECK_EQ(code(vfs_umount(&who, str("/m/sub"), 0)), 0);
        CHECK_EQ(code(vfs_umount(&who, str("/m"), 0)), 0);
        CHECK(holds("/m/first", "1"));
        CHECK_EQ(code(vfs_umount(&who, str("/m"), 0)), 0);
        /* A size limit of the process. */
        w.thread->process->rlimit[1].cur = 5000;
        f = open_it("/big", O_CREAT | O_RDWR);
        CHECK_EQ(pwrite_at(f, data, 10000, 0, &done), 0);
        CHECK_EQ(done, 5000);
        CHECK_EQ(pwrite_at(f, data, 1, 5000, &done), EFBIG);
        CHECK_EQ(code(file_truncate(&who, f, 5001)), EFBIG);
        CHECK_EQ(stat_of("/big").size, 5000);
        file_drop(f);
        end();
}

/* Whoever pays cannot take more than is allowed, and gets all of it back. */
static void test_payer(void)
{
        host_spends = true;
        begin();
        host_payer_limit(w.payer, host_payer_used(w.payer) + 300000);
        u64 used = host_payer_used(w.payer);
        CHECK_EQ(do_mkdir("/many"), 0);
        u32 made = 0;
        int e = 0;
        for (; !e && made < 10000; made++) {
                char name[40];
                snprintf(name, sizeof name, "/many/%u", made);
                e = do_create(name);
        }
        CHECK_EQ(e, ENOMEM);
        CHECK(made > 50 && made < 3000);
        for (u32 i = 0; i < made; i++) {
                char name[40];
                snprintf(name, sizeof name, "/many/%u", i);
                CHECK_EQ(do_unlink(name), i + 1 < made ? 0 : ENOENT);   /* the last open failed before it made a name */
        }
        mem_reclaim(100000);
        CHECK_EQ(do_rmdir("/many"), 0);
        mem_reclaim(100000);
        CHECK(host_payer_used(w.payer) < used + 20000);
        struct file *f = open_it("/f", O_CREAT | O_RDWR);
        usize done = 0;
        e = pwrite_at(f, data, sizeof data, 0, &done);
        CHECK(e == 0 && done > 100000);
        e = pwrite_at(f, data, sizeof data, 1000000, &done);
        CHECK(e == ENOMEM || (e == 0 && done < sizeof data));
        file_drop(f);
        end();
}

/* ---- each allocation failing ---- */

#define STEP(call) do { int e_k = (call); if (e_k) { err = (err_t){ e_k }; goto out; } } while (0)

static err_t many_calls(void)
{
        struct world mine;
        struct file *f = NULL;
        struct stat_info st;
        char long_name[200];
        usize done;
        u8 buf[600];
        err_t err = world_new(&mine);
        if (failed(err))
                return err;
        who = world_actor(&mine);
        memset(long_name, 'l', 199);
        memcpy(long_name, "/d/", 3);
        long_name[199] = 0;
        STEP(do_mkdir("/d"));
        STEP(do_mkdir("/d/e"));
        STEP(do_open("/d/f", O_CREAT | O_RDWR, &f));
        for (u64 at = 0; at < 6; at++) {                /* sparse: nodes of the tree, too */
                usize n = 0;
                STEP(pwrite_at(f, "data", 4, at * 300000, &n));
                if (n != 4) {
                        err = ERR(ENOMEM);
                        goto out;
                }
        }
        STEP(pread_at(f, buf, 100, 300000, &done));
        CHECK(done == 100 && !memcmp(buf, "data", 5));
        STEP(code(file_truncate(&who, f, 300002)));
        STEP(do_link("/d/f", long_name));
        STEP(do_symlink("/d/e/../f", "/link"));
        STEP(do_stat("/link", 0, &st));
        CHECK_EQ(st.size, 300002);
        STEP(do_symlink("this is a rather long text for a link, so that it does not fit into an inode or anything", "/d/long"));
        STEP(do_rename(long_name, "/d/e/g"));
        STEP(do_rename2("/d/e", "/link", RENAME_EXCHANGE));
        STEP(do_rename("/d/f", "/link/g"));
        STEP(code(vfs_mknod(&who, AT_FDCWD, str("/fifo"), S_IFIFO | 0600, 0)));
        struct file *fifo = NULL;
        STEP(do_open("/fifo", O_RDWR | O_NONBLOCK, &fifo));
        usize sent = 0;
        struct io io = io_from_kernel(STR("through the fifo"));
        err = file_write(fifo, &io, &sent);
        io = io_to_kernel(MBYTES_OF(buf));
        if (succeeded(err))
                err = file_read(fifo, &io, &done);
        CHECK(failed(err) || (done == 16 && !memcmp(buf, "through", 7)));
        file_drop(fifo);
        if (failed(err))
                goto out;
        STEP(mount_at_path("/d", "size=1m,mode=700", 0));
        STEP(do_create("/d/in"));
        STEP(code(vfs_chdir(&who, str("/d"))));
        STEP(code(vfs_getcwd(&who, MBYTES_OF(buf), &done)));
        STEP(code(vfs_chdir(&who, str("/"))));
        STEP(code(vfs_umount(&who, str("/d"), 0)));
        struct path p = {};
        STEP(code(path_lookup(&who, walk_at(AT_FDCWD, LOOK_FOLLOW), str("/link"), &p)));
        err = vfs_setxattr(&who, &p, STR("user.name"), STR("value"), 0);
        usize len = 0;
        if (succeeded(err))
                err = vfs_getxattr(&who, &p, STR("user.name"), MBYTES_OF(buf), &len);
        path_drop(&p);
        if (err_is(err, EOPNOTSUPP))
                err = OK;
        if (failed(err))
                goto out;
        {
                struct mnt_ns *copy = NULL;
                struct fs_context *fs = fs_context_copy(mine.payer, mine.thread->fs);
                if (!fs) {
                        err = ERR(ENOMEM);
                        goto out;
                }
                err = mnt_ns_copy(mine.payer, mine.mounts, mine.users, fs, &copy);
                fs_context_drop(fs);
                mnt_ns_drop(copy);
                if (failed(err))
                        goto out;
        }
        u32 fd = 0;
        for (u32 i = 0; i < 70; i++) {                  /* beyond the descriptors that are there from the start */
                err = files_add(mine.thread->files, file_hold(f), 0, 0, 1024, &fd);
                if (failed(err)) {
                        file_drop(f);
                        goto out;
                }
        }
        struct files *copy = files_copy(mine.payer, mine.thread->files);
        if (!copy) {
                err = ERR(ENOMEM);
                goto out;
        }
        files_drop(copy);
        STEP(do_unlink("/link/g"));
        int last = do_unlink("/link/g");
        CHECK(last == ENOENT || host_failed_one());
        err = last == ENOENT ? OK : (err_t){ last };
out:
        file_drop(f);
        host_at_rest();
        world_drop(&mine);
        return err;
}

static void test_no_memory(void)
{
        world_boot();
        CHECK(FAIL_EACH(many_calls, ENOMEM) > 60);
        host_fail_rest = true;                  /* and if it never gets better */
        CHECK(FAIL_EACH(many_calls, ENOMEM) > 60);
}

TESTS({ "file_model", test_file_model }, { "positions", test_positions }, { "directories", test_directories }, { "listing", test_listing },
      { "links", test_links }, { "rename_rules", test_rename_rules }, { "tree_model", test_tree_model }, { "permission", test_permission },
      { "limits", test_limits }, { "payer", test_payer }, { "no_memory", test_no_memory })
