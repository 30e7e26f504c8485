/* SPDX-License-Identifier: Apache-2.0
 *
 * Unpacking the initramfs: cpio archives ("newc", with or without checksums), plain or gzip,
 * one behind the other with zeros between, as the boot loader put them into memory.
 *
 * Entry points  initramfs.h
 * How           The outer loop tells zeros, cpio and compressed members apart; either way the
 *               archive's bytes go through feed(), a state machine that takes them in any
 *               portions.
 * Errors        What is wrong with the archive ends the unpacking with one line in the log; an
 *               entry that cannot be made (its directory is missing, say) is skipped.
 */
#include "services/init/initramfs.h"
#include "services/vfs/vfs.h"
#include "lib/inflate.h"
#include "lib/num.h"
#include "lib/split.h"
#include "abi/const/time.h"

#define HEADER_LEN  110u
#define LINK_SLOTS  64u

/* The first name of a file with several. */
OBJECT(unpack_link) {
        struct unpack_link *next;       /* owned */
        u64 ino, dev;
        u32 type;
        struct blob *name;              /* counted */
};
POOL_DECLARE(unpack_link)
static void unpack_link_fini(struct unpack_link *l) { blob_drop(l->name); }
POOL_DEFINE(unpack_link, unpack_link_fini);

/* A directory's time, set when everything in it has been made. */
OBJECT(unpack_dir) {
        struct unpack_dir *next;        /* owned */
        i64 mtime;
        struct blob *name;              /* counted */
};
POOL_DECLARE(unpack_dir)
static void unpack_dir_fini(struct unpack_dir *d) { blob_drop(d->name); }
POOL_DEFINE(unpack_dir, unpack_dir_fini);

enum state {
        RESET,                          /* between archives */
        HEADER,                         /* collecting HEADER_LEN bytes */
        NAME,                           /* collecting the name */
        TARGET,                         /* collecting a symlink's target */
        BODY,                           /* writing to `file` */
        SKIP,                           /* passing over `left` bytes, then a header */
};

enum trouble { FINE, NO_MAGIC, OLD_MAGIC, BAD_HEADER, BAD_PADDING, BAD_MEMBER, JUNK_IN, JUNK_AFTER, BAD_CRC, TOO_SHORT, WRITE_FAILED,
        NO_MEMORY, UNKNOWN_METHOD };

struct entry { u64 ino, mode, uid, gid, nlink, mtime, size, dev, rdev, name_len; };

OBJECT(unpack) {
        struct inflate base;
        struct actor who;               /* what it points to outlives the unpacking */
        u64 frames, frame_at;           /* of the initrd */
        u64 size_left;                  /* bytes of the initrd not read yet */
        struct frame *frame;            /* counted: the current page */
        usize frame_off;

        enum state state;
        enum trouble trouble;
        bool compressed;                /* inside a member */
        u64 position;                   /* in the initrd, or in the member's content: for alignment */
        u64 collected;                  /* bytes of header, name or target so far */
        u64 left;                       /* BODY, SKIP: bytes */
        u64 pad;                        /* bytes to skip after the body */
        u64 offset;                     /* BODY: in the file */
        struct entry e;
        struct file *file;              /* counted */
        struct blob *name, *target;     /* PATH_MAX_LEN each; owned */
        struct unpack_link *links[LINK_SLOTS];
        struct unpack_dir *dirs;
        u8 header[HEADER_LEN];
};
POOL_DECLARE(unpack)
DOWNCASTABLE(unpack, inflate);

static void forget_links(struct unpack *u)
{
        for (u32 i = 0; i < LINK_SLOTS; i++) {
                while (u->links[i]) {
                        struct unpack_link *l = u->links[i];
                        u->links[i] = l->next;
                        unpack_link_drop(l);
                }
        }
}

static void unpack_fini(struct unpack *u)
{
        forget_links(u);
        while (u->dirs) {
                struct unpack_dir *d = u->dirs;
                u->dirs = d->next;
                unpack_dir_drop(d);
        }
        file_drop(u->file);
        blob_drop(u->name);
        blob_drop(u->target);
        frame_drop(u->frame);
}
POOL_DEFINE(unpack, unpack_fini);

static void trouble(struct unpack *u, enum trouble what)
{
        if (u->trouble == FINE)
                u->trouble = what;
}

/* ---- Input ---- */

static usize read_initrd(struct unpack *u, mbytes buf)
{
        usize done = 0;

        while (done < mbytes_len(buf) && u->size_left > 0) {
                if (!u->frame) {
                        u->frame = boot_initrd_frame(u->frame_at++);
                        u->frame_off = 0;
                        if (!u->frame)
                                break;
                }
                usize n = min_u64(PAGE_SIZE - u->frame_off, min_u64(mbytes_len(buf) - done, u->size_left));
                frame_read(u->frame, u->frame_off, mbytes_sub(buf, done, n));
                done += n;
                u->frame_off += n;
                u->size_left -= n;
                if (u->frame_off == PAGE_SIZE) {
                        frame_drop(u->frame);
                        u->frame = NULL;
                }
        }
        return done;
}

/* ---- Making what entries say ---- */

static bytes name_of(struct unpack *u) { return split_nul(blob_bytes(u->name)); }

static struct timestamp time_of(const struct unpack *u) { return (struct timestamp){ .sec = (i64)u->e.mtime }; }

static void set_times(struct unpack *u, bytes name)
{
        struct utimes t = { time_of(u), time_of(u) };

        ignore(vfs_utimens(&u->who, AT_FDCWD, name, &t, AT_SYMLINK_NOFOLLOW));
}

static void set_owner(struct unpack *u, bytes name)
{
        ignore(vfs_chown(&u->who, AT_FDCWD, name, (u32)u->e.uid, (u32)u->e.gid, AT_SYMLINK_NOFOLLOW));
}

static u32 type_of(const struct unpack *u) { return (u32)u->e.mode & S_IFMT; }

/* What is in the way, if it is of another kind: a later archive overrides an earlier one. */
static void clean(struct unpack *u, bytes name, u32 type)
{
        struct stat_info st = { };

        if (failed(vfs_stat(&u->who, AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, &st)) || (st.mode & S_IFMT) == type)
                return;
        if ((st.mode & S_IFMT) == S_IFDIR)
                ignore(vfs_rmdir(&u->who, AT_FDCWD, name));
        else
                ignore(vfs_unlink(&u->who, AT_FDCWD, name));
}

static struct unpack_link *find_link(struct unpack *u)
{
        struct unpack_link *l = u->links[(u->e.ino ^ u->e.dev) % LINK_SLOTS];

        while (l && (l->ino != u->e.ino || l->dev != u->e.dev || l->type != type_of(u)))
                l = l->next;
        return l;
}

/* A further name of a file that is there already?  Makes it, or remembers the first one. */
static bool linked(struct unpack *u)
{
        if (u->e.nlink < 2)
                return false;
        struct unpack_link *l = find_link(u);
        if (l) {
                clean(u, name_of(u), 0);
                return succeeded(vfs_link(&u->who, AT_FDCWD, blob_bytes(l->name), AT_FDCWD, name_of(u), 0));
        }
        l = unpack_link_alloc(NULL, MAY_RECLAIM);
        if (l)
                l->name = blob_copy(NULL, name_of(u));
        if (!l || !l->name) {
                unpack_link_drop(l);
                trouble(u, NO_MEMORY);
                return false;
        }
        l->ino = u->e.ino;
        l->dev = u->e.dev;
        l->type = type_of(u);
        u32 slot = (u32)((u->e.ino ^ u->e.dev) % LINK_SLOTS);
        l->next = u->links[slot];
        u->links[slot] = l;
        return false;
}

static void make_file(struct unpack *u)
{
        bool again = linked(u);
        struct open_how how = { .flags = O_WRONLY | O_CREAT | (again ? 0 : O_TRUNC), .mode = (u32)u->e.mode & 07777 };

        u->state = SKIP;
        if (failed(vfs_open(&u->who, AT_FDCWD, name_of(u), how, &u->file)))
                return;
        ignore(vfs_fchown(&u->who, u->file, (u32)u->e.uid, (u32)u->e.gid));
        ignore(vfs_fchmod(&u->who, u->file, (u32)u->e.mode));
        u->offset = 0;
        u->state = BODY;
}

static void make_dir(struct unpack *u)
{
        struct unpack_dir *d = unpack_dir_alloc(NULL, MAY_RECLAIM);

        ignore(vfs_mkdir(&u->who, AT_FDCWD, name_of(u), (u32)u->e.mode & 07777));
        set_owner(u, name_of(u));
        ignore(vfs_chmod(&u->who, AT_FDCWD, name_of(u), (u32)u->e.mode, 0));
        if (d)
                d->name = blob_copy(NULL, name_of(u));
        if (!d || !d->name) {
                unpack_dir_drop(d);
                return;                 /* only its time is lost */
        }
        d->mtime = (i64)u->e.mtime;
        d->next = u->dirs;
        u->dirs = d;
}

static void make_node(struct unpack *u)
{
        if (linked(u))
                return;
        ignore(vfs_mknod(&u->who, AT_FDCWD, name_of(u), (u32)u->e.mode, u->e.rdev));
        set_owner(u, name_of(u));
        ignore(vfs_chmod(&u->who, AT_FDCWD, name_of(u), (u32)u->e.mode, 0));
        set_times(u, name_of(u));
}

static void make_symlink(struct unpack *u)
{
        clean(u, name_of(u), 0);
        ignore(vfs_symlink(&u->who, split_nul(blob_bytes(u->target)), AT_FDCWD, name_of(u)));
        set_owner(u, name_of(u));
        set_times(u, name_of(u));
}

/* ---- The archive ---- */

static u64 pad4(u64 n) { return (4 - (n & 3)) & 3; }

/* Passes over what is left of the entry, then reads a header. */
static void skip_body(struct unpack *u)
{
        u->left = u->left + u->pad;
        u->pad = 0;
        u->state = SKIP;
}

static void end_file(struct unpack *u)
{
        struct utimes t = { time_of(u), time_of(u) };

        ignore(vfs_futimens(&u->who, u->file, &t));
        file_drop(u->file);
        u->file = NULL;
}

static void got_name(struct unpack *u)
{
        bytes name = name_of(u);

        u->left = u->e.size;
        u->pad = pad4(u->e.size);
        if (bytes_eq(name, STR("TRAILER!!!"))) {
                forget_links(u);
                u->left = 0;
                u->pad = 0;
                u->state = RESET;
                return;
        }
        if (bytes_len(name) + 1 != u->e.name_len) {
                skip_body(u);
                return;
        }
        u32 type = type_of(u);
        clean(u, name, type);
        switch (type) {
        case S_IFREG:
                make_file(u);
                break;
        case S_IFDIR:
                make_dir(u);
                break;
        case S_IFCHR:
        case S_IFBLK:
        case S_IFIFO:
        case S_IFSOCK:
                make_node(u);
                break;
        case S_IFLNK:
                u->collected = 0;
                u->state = TARGET;
                if (u->e.size >= PATH_MAX_LEN)
                        break;
                return;
        default:
                break;
        }
        if (u->state != BODY)
                skip_body(u);
}

static u64 field(const struct unpack *u, u32 i, bool *ok)
{
        u64 v = 0;

        if (!num_parse(bytes_sub(BYTES_OF(u->header), 6 + (usize)i * 8, 8), 16, &v))
                *ok = false;
        return v;
}

static void got_header(struct unpack *u)
{
        bytes h = BYTES_OF(u->header);
        bool ok = true;

        if (bytes_starts(h, STR("070707"))) {
                trouble(u, OLD_MAGIC);
                return;
        }
        if (!bytes_starts(h, STR("070701")) && !bytes_starts(h, STR("070702"))) {
                trouble(u, NO_MAGIC);
                return;
        }
        u->e = (struct entry){
                .ino = field(u, 0, &ok), .mode = field(u, 1, &ok), .uid = field(u, 2, &ok), .gid = field(u, 3, &ok),
                .nlink = field(u, 4, &ok), .mtime = field(u, 5, &ok), .size = field(u, 6, &ok),
                .dev = field(u, 7, &ok) << 32 | field(u, 8, &ok),
                .rdev = dev_make((u32)field(u, 9, &ok), (u32)field(u, 10, &ok)),
                .name_len = field(u, 11, &ok),
        };
        if (!ok) {
                trouble(u, BAD_HEADER);
                return;
        }
        u->collected = 0;
        mbytes_fill(blob_mbytes(u->name), 0);
        u->state = NAME;
        if (u->e.name_len == 0 || u->e.name_len > PATH_MAX_LEN) {
                u->left = u->e.name_len + pad4(HEADER_LEN + u->e.name_len) + u->e.size + pad4(u->e.size);
                u->state = SKIP;
        }
}

/* Takes bytes of a collection that is `total` long (kept in dst as far as it reaches); returns how many. */
static usize collect(struct unpack *u, mbytes dst, u64 total, bytes in)
{
        usize n = min_u64(total - u->collected, bytes_len(in));

        if (u->collected < mbytes_len(dst))
                mbytes_copy(mbytes_skip(dst, u->collected), bytes_take(in, n));
        u->collected += n;
        return n;
}

static usize take_name(struct unpack *u, bytes in)
{
        u64 total = u->e.name_len + pad4(HEADER_LEN + u->e.name_len);
        usize n = collect(u, blob_mbytes(u->name), total, in);

        if (u->collected == total) {
                /* Whatever follows the name's own length is padding. */
                mbytes_fill(mbytes_skip(blob_mbytes(u->name), u->e.name_len), 0);
                got_name(u);
        }
        return n;
}

static usize take_target(struct unpack *u, bytes in)
{
        u64 total = u->e.size + pad4(u->e.size);
        usize n = collect(u, blob_mbytes(u->target), total, in);

        if (u->collected == total) {
                mbytes_fill(mbytes_skip(blob_mbytes(u->target), u->e.size), 0);
                make_symlink(u);
                u->left = 0;
                u->pad = 0;
                u->state = SKIP;
        }
        return n;
}

static usize take_body(struct unpack *u, bytes in)
{
        usize n = min_u64(u->left, bytes_len(in)), done = 0;

        if (n > 0) {
                err_t err = file_write_kernel(u->file, u->offset, bytes_take(in, n), &done);
                if (failed(err) || done < n)
                        trouble(u, WRITE_FAILED);
                u->offset += n;
                u->left -= n;
        }
        if (u->left == 0) {
                end_file(u);
                skip_body(u);
        }
        return n;
}

static usize take_skip(struct unpack *u, bytes in)
{
        usize n = min_u64(u->left, bytes_len(in));

        u->left -= n;
        if (u->left == 0) {
                u->collected = 0;
                u->state = HEADER;
        }
        return n;
}

/* Between archives: zeros, then the next header.  The caller looks at what is neither. */
static usize take_reset(struct unpack *u, bytes in)
{
        usize n = 0;

        while (n < bytes_len(in) && bytes_at(in, n) == 0)
                n++;
        if (n < bytes_len(in) && bytes_at(in, n) == '0') {
                bool aligned = ((u->position + n) & 3) == 0;
                if (!aligned && u->compressed)
                        trouble(u, BAD_PADDING);
                if (aligned) {
                        u->collected = 0;
                        u->state = HEADER;
                }
        }
        return n;
}

/* Goes on until the bytes are used up, or something that is no archive begins; returns how many were used. */
static usize feed(struct unpack *u, bytes in)
{
        usize done = 0, n = 0;

        while (u->trouble == FINE) {
                bytes rest = bytes_skip(in, done);
                bool empty = bytes_len(rest) == 0;
                /* Empty bodies and names end without a further byte. */
                if (empty && !((u->state == BODY || u->state == SKIP) && u->left == 0) && !(u->state == TARGET && u->e.size == 0))
                        return done;
                switch (u->state) {
                case RESET:
                        n = take_reset(u, rest);
                        break;
                case HEADER:
                        n = collect(u, MBYTES_OF(u->header), HEADER_LEN, rest);
                        if (u->collected == HEADER_LEN)
                                got_header(u);
                        break;
                case NAME:
                        n = take_name(u, rest);
                        break;
                case TARGET:
                        n = take_target(u, rest);
                        break;
                case BODY:
                        n = take_body(u, rest);
                        break;
                case SKIP:
                        n = take_skip(u, rest);
                        break;
                }
                done += n;
                u->position += n;
                if (u->state == RESET && n == 0 && !empty)
                        return done;
        }
        return done;
}

/* ---- Members ---- */

static usize gzip_read(struct inflate *z, mbytes buf) { return read_initrd(DOWNCAST(unpack, z), buf); }

static err_t gzip_write(struct inflate *z, bytes data)
{
        struct unpack *u = DOWNCAST(unpack, z);
        usize used = feed(u, data);

        if (u->trouble == FINE && used < bytes_len(data))
                trouble(u, JUNK_IN);
        return u->trouble == FINE ? OK : ERR(ECANCELED);
}

static const struct inflate_ops gzip_ops = { .read = gzip_read, .write = gzip_write };

static void unpack_member(struct unpack *u)
{
        u->compressed = true;
        u->position = 0;
        err_t err = inflate_gzip(&u->base);
        u->compressed = false;
        if (err_is(err, EBADMSG))
                trouble(u, BAD_CRC);
        else if (err_is(err, ENODATA))
                trouble(u, TOO_SHORT);
        else if (failed(err))
                trouble(u, BAD_MEMBER);
        else if (u->state != RESET)
                trouble(u, JUNK_AFTER);
}

/* The first two bytes of other methods. */
static bytes method_of(u8 a, u8 b)
{
        if (a == 0x42 && b == 0x5a)
                return STR("bzip2");
        if (a == 0x5d && b == 0x00)
                return STR("lzma");
        if (a == 0xfd && b == 0x37)
                return STR("xz");
        if (a == 0x89 && b == 0x4c)
                return STR("lzo");
        if (a == 0x02 && b == 0x21)
                return STR("lz4");
        if (a == 0x28 && b == 0xb5)
                return STR("zstd");
        return NO_BYTES;
}

static void unpack_all(struct unpack *u)
{
        struct inflate *z = &u->base;

        while (u->trouble == FINE) {
                if (z->in_at >= z->in_len) {
                        z->in_len = (u32)read_initrd(u, MBYTES_OF(z->in));
                        z->in_at = 0;
                        if (z->in_len == 0)
                                break;
                }
                bytes rest = bytes_sub(BYTES_OF(z->in), z->in_at, z->in_len - z->in_at);
                u->position = boot_initrd_size() - u->size_left - bytes_len(rest);
                usize used = feed(u, rest);
                z->in_at += (u32)used;
                if (u->trouble != FINE || u->state != RESET || z->in_at >= z->in_len)
                        continue;
                u8 a = bytes_at(rest, used), b = 0;
                if (used + 1 < bytes_len(rest))
                        b = bytes_at(rest, used + 1);
                bytes method = method_of(a, b);
                if (a == 0x1f) {
                        unpack_member(u);
                } else if (bytes_len(method) > 0) {
                        klog(LOG_ERR, "Initramfs unpacking failed: compression method {} not configured", method);
                        u->trouble = UNKNOWN_METHOD;
                } else {
                        trouble(u, BAD_MEMBER);
                }
        }
        /* An archive may lack its trailer, but not the end of an entry. */
        if (u->trouble == FINE && u->state != RESET && !(u->state == HEADER && u->collected == 0))
                trouble(u, TOO_SHORT);
}

static void set_dir_times(struct unpack *u)
{
        for (struct unpack_dir *d = u->dirs; d; d = d->next) {
                u->e.mtime = (u64)d->mtime;
                set_times(u, blob_bytes(d->name));
        }
}

static bytes text_of(enum trouble t)
{
        switch (t) {
        case NO_MAGIC:     return STR("no cpio magic");
        case OLD_MAGIC:    return STR("incorrect cpio method used: use -H newc option");
        case BAD_HEADER:   return STR("broken header");
        case BAD_PADDING:  return STR("broken padding");
        case BAD_MEMBER:   return STR("invalid magic at start of compressed archive");
        case JUNK_IN:      return STR("junk within compressed archive");
        case JUNK_AFTER:   return STR("junk at the end of compressed archive");
        case BAD_CRC:      return STR("crc error");
        case TOO_SHORT:    return STR("unexpected end of archive");
        case WRITE_FAILED: return STR("write error");
        case NO_MEMORY:    return STR("can't allocate buffers");
        default:           return STR("");
        }
}

/* What was not read goes back all the same. */
static void free_rest(struct unpack *u)
{
        for (; u->frame_at < u->frames; u->frame_at++)
                frame_drop(boot_initrd_frame(u->frame_at));
}

static bool prepare(struct unpack *u, const struct actor *who)
{
        u->base.ops = &gzip_ops;
        u->who = *who;
        u->size_left = boot_initrd_size();
        u->frames = page_up(u->size_left) >> PAGE_SHIFT;
        u->name = blob_alloc(NULL, PATH_MAX_LEN + 8);
        u->target = blob_alloc(NULL, PATH_MAX_LEN + 8);
        return u->name && u->target;
}

void initramfs_unpack(const struct actor *who)
{
        struct unpack *u;

        if (boot_initrd_size() == 0)
                return;
        klog(LOG_INFO, "Unpacking initramfs...");
        u = unpack_alloc(NULL, MAY_RECLAIM);
        if (!u || !prepare(u, who)) {
                klog(LOG_ERR, "Initramfs unpacking failed: {}", text_of(NO_MEMORY));
                unpack_drop(u);
                return;
        }
        unpack_all(u);
        if (u->file)
                end_file(u);
        set_dir_times(u);
        if (u->trouble != FINE && u->trouble != UNKNOWN_METHOD)
                klog(LOG_ERR, "Initramfs unpacking failed: {}", text_of(u->trouble));
        klog(LOG_INFO, "Freeing initrd memory: {}K", u->frames * (PAGE_SIZE / 1024));
        free_rest(u);
        unpack_drop(u);
}

err_t initramfs_defaults(const struct actor *who)
{
        TRY(vfs_mkdir(who, AT_FDCWD, STR("/dev"), 0755));
        TRY(vfs_mknod(who, AT_FDCWD, STR("/dev/console"), S_IFCHR | 0600, dev_make(5, 1)));
        return vfs_mkdir(who, AT_FDCWD, STR("/root"), 0700);
}
