/* SPDX-License-Identifier: Apache-2.0
 *
 * Inflate, and cpio archives unpacked into a tmpfs: good ones, plain and compressed, one behind
 * the other; cut off anywhere, damaged anywhere; and each allocation failing.
 * The contents come from tests/host/seeds.py.
 */
#include "tests/host/world.h"
#include "services/init/initramfs.h"
#include "lib/inflate.h"

/* ---- inflate ---- */

OBJECT(decoder) {
        struct inflate base;
        u64 in_at, out_at, piece;
};
POOL_DECLARE(decoder)
POOL_DEFINE(decoder, NO_FINI);
DOWNCASTABLE(decoder, inflate);

static bytes input, wanted;
static bool same;                       /* so far */

static usize decoder_read(struct inflate *z, mbytes buf)
{
        struct decoder *d = DOWNCAST(decoder, z);
        usize n = min_u64(min_u64(d->piece ? d->piece : mbytes_len(buf), mbytes_len(buf)), bytes_len(input) - d->in_at);
        mbytes_copy(buf, bytes_sub(input, d->in_at, n));
        d->in_at += n;
        return n;
}
static err_t decoder_write(struct inflate *z, bytes data)
{
        struct decoder *d = DOWNCAST(decoder, z);
        same = same && d->out_at + bytes_len(data) <= bytes_len(wanted) && bytes_eq(data, bytes_sub(wanted, d->out_at, bytes_len(data)));
        d->out_at += bytes_len(data);
        return d->out_at > (8ul << 20) ? ERR(EFBIG) : OK;
}
static const struct inflate_ops decoder_ops = { .read = decoder_read, .write = decoder_write };

static int decode(bytes in, bytes want, u64 piece, u64 *left)
{
        struct decoder *d = decoder_alloc(NULL, NOWAIT);
        d->base.ops = &decoder_ops;
        d->piece = piece;
        input = in;
        wanted = want;
        same = true;
        int e = err_code(inflate_gzip(&d->base));
        same = same && d->out_at == bytes_len(want);
        if (left)
                *left = d->base.in_len - d->base.in_at + bytes_len(in) - d->in_at;
        decoder_drop(d);
        return e;
}

static u32 n_data;
static bytes data(u32 i, const char *kind)
{
        char name[80];
        snprintf(name, sizeof name, "build/host/data/inflate/%03u.%s", i, kind);
        return host_file_content(name);
}
static void count_data(void)
{
        bytes n = host_file_content("build/host/data/inflate/count");
        for (usize i = 0; i < bytes_len(n); i++)
                n_data = n_data * 10 + bytes_at(n, i) - '0';
        CHECK(n_data > 40);
}

static void test_inflate(void)
{
        static const u64 pieces[] = { 0, 1, 7, 4095 };
        count_data();
        for (u32 i = 0; i < n_data; i++) {
                bytes gz = data(i, "gz"), raw = data(i, "raw");
                for (u32 k = 0; k < ARRAY_SIZE(pieces); k++) {
                        u64 left = 1;
                        CHECK_EQ(decode(gz, raw, pieces[k], &left), 0);
                        CHECK(same && left == 0);
                }
                /* What follows a member stays. */
                u8 *more = malloc(bytes_len(gz) + 100);
                memset(more, 0x55, bytes_len(gz) + 100);
                mbytes_copy((mbytes){ more, bytes_len(gz) }, gz);
                u64 left = 0;
                CHECK_EQ(decode((bytes){ more, bytes_len(gz) + 100 }, raw, 0, &left), 0);
                CHECK(same && left == 100);
                free(more);
                /* A part is never the whole. */
                for (u64 len = 0; len < bytes_len(gz); len += len < 40 || len + 40 > bytes_len(gz) ? 1 : 1 + bytes_len(gz) / 20)
                        CHECK_EQ(decode(bytes_take(gz, len), raw, 0, NULL), ENODATA);
        }
}

/* A match that reaches before the beginning is refused, even where the sums would be right. */
static void test_inflate_before(void)
{
        static const u8 gz[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x03, 0x02, 0x00, 0x12, 0xd9, 0x41, 0xff, 3, 0, 0, 0 };
        u8 three[3] = {};
        CHECK_EQ(decode(BYTES_OF(gz), BYTES_OF(three), 0, NULL), EINVAL);
        CHECK(!same);
}

/* Bytes exchanged at random: an error, or the content that the checksum vouches for. */
static void test_inflate_damaged(void)
{
        u32 errors = 0, rounds = 6000;
        count_data();
        for (u32 i = 0; i < rounds; i++) {
                u32 k = (u32)(host_random() % n_data);
                static bytes gz[200], raw[200];
                if (!gz[k].p_k) {
                        gz[k] = data(k, "gz");
                        raw[k] = data(k, "raw");
                }
                usize n = bytes_len(gz[k]);
                if (n > 60000)
                        continue;
                u8 *bad = malloc(n);
                mbytes_copy((mbytes){ bad, n }, gz[k]);
                for (u64 c = 1 + host_random() % 3; c > 0; c--)
                        bad[10 + host_random() % min_u64(n - 10, host_random() & 1 ? 60 : n)] ^= (u8)(1 + host_random() % 255);
                int e = decode((bytes){ bad, n }, raw[k], 0, NULL);
                CHECK(e == 0 || e == EINVAL || e == EBADMSG || e == ENODATA || e == EFBIG);
                if (!e && !same) {
                        printf("  member %u, %lu bytes of %lu; changed:", k, n, bytes_len(raw[k]));
                        for (usize b = 0; b < n; b++)
                                if (bad[b] != bytes_at(gz[k], b))
                                        printf(" [%lu] %02x -> %02x", b, bytes_at(gz[k], b), bad[b]);
                        printf("\n");
                }
                CHECK(e || same);
                errors += e != 0;
                free(bad);
        }
        CHECK(errors > rounds / 3);
}

/* ---- archives ---- */

static struct world w;
static u64 before;
static u8 *archive;
static usize length;

static void begin(void)
{
        world_boot();
        before = host_live();
        CHECK_ERR(world_new(&w), 0);
        host_forget_error();
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
static const char *unpack(bytes content)
{
        struct actor who = world_actor(&w);
        host_initrd(content);
        initramfs_unpack(&who);
        host_at_rest();
        for (u64 i = 0; i * PAGE_SIZE < bytes_len(content); i++)
                CHECK(!boot_initrd_frame(i));           /* all pages were taken, and given back */
        host_initrd(NO_BYTES);
        return host_error();
}

static bool there(const char *path, u32 mode, struct stat_info *st)
{
        struct actor who = world_actor(&w);
        *st = (struct stat_info){};
        err_t err = vfs_stat(&who, AT_FDCWD, str(path), AT_SYMLINK_NOFOLLOW, st);
        CHECK(succeeded(err) || err_is(err, ENOENT) || err_is(err, ENOTDIR));
        return succeeded(err) && (!mode || st->mode == mode);
}
static bytes content(const char *path)
{
        static u8 buf[100000];
        struct actor who = world_actor(&w);
        struct file *f = NULL;
        usize n = 0;
        if (failed(vfs_open(&who, AT_FDCWD, str(path), (struct open_how){ .flags = O_RDONLY }, &f)))
                return STR("<none>");
        CHECK_ERR(file_read_kernel(f, 0, MBYTES_OF(buf), &n), 0);
        file_drop(f);
        return bytes_take(BYTES_OF(buf), n);
}

/* All of data/cpio/tree is there, as it says. */
static void check_tree(bytes tree)
{
        struct stat_info st, st2;
        CHECK(there("/bin", S_IFDIR | 0755, &st) && st.mtime.sec == 2000);
        CHECK(there("/bin/tool", S_IFREG | 04755, &st) && st.uid == 5 && st.gid == 6 && st.mtime.sec == 3000);
        CHECK(bytes_eq(content("/bin/tool"), STR("#!/bin/sh\necho tool\n")) && bytes_eq(content("/bin/sh"), STR("#!/bin/sh\necho tool\n")));
        CHECK(there("/bin/sh", S_IFLNK | 0777, &st) && st.size == 4);
        CHECK(there("/dev/null", S_IFCHR | 0666, &st) && st.rdev == dev_make(1, 3));
        CHECK(there("/dev/fifo", S_IFIFO | 0600, &st));
        CHECK(there("/hard1", S_IFREG | 0644, &st) && there("/hard2", 0, &st2) && st.ino == st2.ino && st.nlink == 2);
        CHECK(bytes_eq(content("/hard1"), STR("shared\n")));
        CHECK(there("/empty", S_IFREG | 0644, &st) && st.size == 0);
        CHECK(bytes_eq(content("/crc"), STR("with sum")));
        bytes big = content("/big");
        CHECK_EQ(bytes_len(big), 70000);
        usize at = 0;
        while (at + 70000 <= bytes_len(tree) && !bytes_eq(bytes_sub(tree, at, 16), bytes_take(big, 16)))
                at += 4;
        CHECK(bytes_eq(bytes_sub(tree, at, 70000), big));
        CHECK(!there("/TRAILER!!!", 0, &st));
}

static void test_tree(void)
{
        static const char *names[] = { "tree", "tree.gz0", "tree.gz1", "tree.gz9" };
        bytes tree = host_file_content("build/host/data/cpio/tree");
        for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
                char name[80];
                snprintf(name, sizeof name, "build/host/data/cpio/%s", names[i]);
                begin();
                CHECK(!strcmp(unpack(host_file_content(name)), ""));
                check_tree(tree);
                end();
        }
}

static void text(bytes b)
{
        archive = realloc(archive, length + bytes_len(b) + 1);
        length += mbytes_copy((mbytes){ archive + length, bytes_len(b) }, b);
}
static void zeros(usize n) { u8 z = 0; while (n--) text(BYTES_OF(z)); }
static void align(void) { zeros((4 - length % 4) % 4); }
struct entry { const char *name, *body; u32 mode, ino, nlink; u32 name_len, size; };
static void add(struct entry e)
{
        char head[120];
        usize n = strlen(e.name) + 1, size = e.body ? strlen(e.body) : 0;
        snprintf(head, sizeof head, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", e.ino, e.mode, 0u, 0u, e.nlink ? e.nlink : 1, 1000u,
                 e.size ? e.size : (u32)size, 8u, 1u, 1u, 3u, e.name_len ? e.name_len : (u32)n, 0u);
        text(str(head));
        text((bytes){ (const u8 *)e.name, n });
        align();
        if (e.body)
                text(str(e.body));
        align();
}
static void trailer(void) { add((struct entry){ .name = "TRAILER!!!" }); }
static void restart(void) { length = 0; }
static bytes made(void) { return (bytes){ archive, length }; }

static void test_concatenated(void)
{
        struct stat_info st;
        bytes tree = host_file_content("build/host/data/cpio/tree"), gz = host_file_content("build/host/data/cpio/tree.gz9");
        /* plain, zeros, compressed, compressed, plain: later ones override. */
        begin();
        restart();
        add((struct entry){ "bin", NULL, 0100644, 2 });
        add((struct entry){ "empty", "not yet", 0100644, 3 });
        add((struct entry){ "hard1", NULL, 040755, 3 });
        trailer();
        zeros(512);
        text(gz);
        align();
        text(gz);
        align();
        zeros(8);
        add((struct entry){ "last", "one", 0100644, 3 });
        add((struct entry){ "crc", "elsewhere", 0120777, 3 });
        trailer();
        CHECK(!strcmp(unpack(made()), ""));
        CHECK(bytes_eq(content("/last"), STR("one")) && there("/crc", S_IFLNK | 0777, &st));
        CHECK(there("/bin", S_IFDIR | 0755, &st) && there("/bin/tool", S_IFREG | 04755, &st) && there("/empty", 0, &st) && st.size == 0);
        end();
        /* Inode numbers mean something within one archive only. */
        begin();
        restart();
        for (u32 i = 0; i < 2; i++) {
                add((struct entry){ i ? "b1" : "a1", NULL, 0100644, 7, 2 });
                add((struct entry){ i ? "b2" : "a2", i ? "bb" : "aa", 0100644, 7, 2 });
                trailer();
        }
        CHECK(!strcmp(unpack(made()), ""));
        CHECK(bytes_eq(content("/a1"), STR("aa")) && bytes_eq(content("/b1"), STR("bb")));
        end();
        /* Nothing but zeros, and nothing at all. */
        begin();
        restart();
        zeros(5000);
        CHECK(!strcmp(unpack(made()), "") && !strcmp(unpack(NO_BYTES), ""));
        end();
        (void)tree;
}

static void test_bad(void)
{
        static const struct { const char *what; u32 kind; } t[] = {
                { "no cpio magic", 0 }, { "incorrect cpio method", 1 }, { "broken header", 2 }, { "invalid magic at start of compressed archive", 3 },
                { "unexpected end", 4 }, { "zstd", 5 }, { "junk", 6 }, { "crc error", 7 },
        };
        for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
                struct stat_info st;
                bytes gz = host_file_content("build/host/data/cpio/tree.gz9");
                begin();
                restart();
                add((struct entry){ "good", "good", 0100644, 2 });
                switch (t[i].kind) {
                case 0: add((struct entry){ "x", "y", 0100644, 3 }); archive[length - 116] = 'x'; archive[length - 115] = 'x'; break;
                case 1: text(STR("070707")); zeros(200); break;
                case 2: add((struct entry){ "x", "y", 0100644, 3 }); archive[length - 100] = '*'; break;
                case 3: trailer(); text(STR("garbage garbage")); break;
                case 4: add((struct entry){ .name = "x", .mode = 0100644, .size = 100000 }); text(STR("only this")); break;
                case 5: trailer(); text(STR("\x28\xb5\x2f\xfd....")); break;
                case 6: restart(); text(gz); text(STR("junk")); break;
                case 7: restart(); text(gz); archive[length - 7] ^= 1; break;
                }
                const char *said = unpack(made());
                bool found = false;
                for (usize k = 0; said[k]; k++)
                        found |= bytes_starts(str(said + k), str(t[i].what));
                if (!found && t[i].kind != 6)
                        printf("  case %u says: %s\n", i, said);
                CHECK(found || (t[i].kind == 6 && said[0]));
                if (t[i].kind < 6)
                        CHECK(there("/good", S_IFREG | 0644, &st) && bytes_eq(content("/good"), STR("good")));
                end();
        }
        /* Names that lead out of the root stay within it; what cannot be made is passed over. */
        struct stat_info st;
        begin();
        restart();
        add((struct entry){ "../../up", "1", 0100644, 2 });
        add((struct entry){ "none/below", "2", 0100644, 3 });
        add((struct entry){ "/abs", "3", 0100644, 4 });
        add((struct entry){ "", "4", 0100644, 5 });
        add((struct entry){ .name = "short", .body = "5", .mode = 0100644, .ino = 6, .name_len = 6 });
        add((struct entry){ "odd", "6", 0777, 7 });
        add((struct entry){ "after", "7", 0100644, 8 });
        trailer();
        CHECK(!strcmp(unpack(made()), ""));
        CHECK(there("/up", 0, &st) && there("/abs", 0, &st) && there("/after", 0, &st) && there("/short", 0, &st) && !there("/none", 0, &st));
        end();
}

/* Cut off anywhere: what came before is there, and the rest is said to be missing. */
static void test_truncated(void)
{
        restart();
        add((struct entry){ "d", NULL, 040755, 2 });
        add((struct entry){ "d/f", "some content", 0100644, 3 });
        add((struct entry){ "l", "d/f", 0120777, 4 });
        trailer();
        usize whole = length;
        for (usize len = 0; len < whole; len++) {
                begin();
                const char *said = unpack(bytes_take(made(), len));
                struct stat_info st;
                bool boundary = len == 0 || len == 112 || len == 112 + 116 + 12 || len == 112 + 116 + 12 + 116;
                if (len > 112 + 116 + 12)
                        CHECK(bytes_eq(content("/d/f"), STR("some content")));
                CHECK(there("/d", S_IFDIR | 0755, &st) == (len >= 112));
                if (boundary != !said[0])
                        printf("  cut at %lu: %s\n", len, said);
                CHECK_EQ(boundary, !said[0]);
                end();
        }
        bytes gz = host_file_content("build/host/data/cpio/tree.gz9");
        for (usize len = 2; len < bytes_len(gz); len += len < 60 || len + 20 > bytes_len(gz) ? 1 : 997) {
                begin();
                CHECK(unpack(bytes_take(gz, len))[0]);
                end();
        }
}

static void test_damaged(void)
{
        bytes small = host_file_content("build/host/seeds/cpio/small"), gz = host_file_content("build/host/seeds/cpio/gz");
        u32 errors = 0;
        for (u32 i = 0; i < 3000; i++) {
                bytes from = i & 1 ? small : gz;
                usize n = bytes_len(from);
                u8 *bad = malloc(n);
                mbytes_copy((mbytes){ bad, n }, from);
                for (u64 c = 1 + host_random() % 4; c > 0; c--)
                        bad[host_random() % n] = host_random() & 1 ? (u8)host_random() : (u8)"0123456789ABCDEF/."[host_random() % 18];
                begin();
                errors += unpack((bytes){ bad, n })[0] != 0;
                end();
                free(bad);
        }
        CHECK(errors > 500);
}

static bytes chosen;
static err_t unpack_once(void)
{
        struct world mine;
        u64 fails = host_fail_at;
        host_fail_at = 0;                       /* the world is there; what then fails belongs to the unpacking */
        err_t err = world_new(&mine);
        CHECK_ERR(err, 0);
        struct actor who = world_actor(&mine);
        host_initrd(chosen);
        host_fail_from(fails);
        initramfs_unpack(&who);
        host_fail_at = 0;
        host_initrd(NO_BYTES);
        host_at_rest();
        world_drop(&mine);
        return OK;
}
static void test_no_memory(void)
{
        world_boot();
        chosen = host_file_content("build/host/seeds/cpio/mixed");
        CHECK(FAIL_EACH(unpack_once, ENOMEM) > 30);
        host_fail_rest = true;
        CHECK(FAIL_EACH(unpack_once, ENOMEM) > 30);
}

TESTS({ "inflate", test_inflate }, { "inflate_before", test_inflate_before }, { "inflate_damaged", test_inflate_damaged }, { "tree", test_tree }, { "concatenated", test_concatenated },
      { "bad", test_bad }, { "truncated", test_truncated }, { "damaged", test_damaged }, { "no_memory", test_no_memory })
