#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""seeds: writes what the tests and fuzz targets begin with, the same at every run.

    seeds.py FOLDER

FOLDER/data/inflate   N.raw and N.gz: contents and their gzip members, by all ways of deflate
FOLDER/data/cpio      one archive, plain and compressed
FOLDER/seeds/NAME     inputs for the fuzz target NAME
"""
import os, random, struct, sys, zlib

OUT = sys.argv[1]
rng = random.Random(1)


def write(name, content):
    path = os.path.join(OUT, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content)


def gzip_member(raw, level=6, strategy=zlib.Z_DEFAULT_STRATEGY, flags=0):
    z = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    body = z.compress(raw) + z.flush()
    head = bytes([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3])
    if flags & 4:
        head += struct.pack("<H", 6) + b"abcdef"
    if flags & 8:
        head += b"name\0"
    if flags & 16:
        head += b"comment\0"
    if flags & 2:
        head += struct.pack("<H", zlib.crc32(head) & 0xffff)
    return head + body + struct.pack("<II", zlib.crc32(raw), len(raw) & 0xffffffff)


def entry(name, mode, body=b"", ino=1, nlink=1, mtime=1000, uid=0, gid=0, rdev=(0, 0), magic=b"070701", check=0):
    name = name.encode() + b"\0"
    head = magic + b"".join(b"%08X" % v for v in
                            (ino, mode, uid, gid, nlink, mtime, len(body), 8, 1, rdev[0], rdev[1], len(name), check))
    out = head + name
    out += b"\0" * (-len(out) % 4) + body
    return out + b"\0" * (-len(out) % 4)


TRAILER = entry("TRAILER!!!", 0, ino=0)


def tree():
    big = bytes(rng.randrange(256) for _ in range(70000))
    return (entry(".", 0o40755, ino=1) + entry("bin", 0o40755, ino=2, mtime=2000) +
            entry("bin/tool", 0o104755, b"#!/bin/sh\necho tool\n", ino=3, uid=5, gid=6, mtime=3000) +
            entry("bin/sh", 0o120777, b"tool", ino=4) + entry("dev", 0o40755, ino=5) +
            entry("dev/null", 0o20666, ino=6, rdev=(1, 3)) + entry("dev/fifo", 0o10600, ino=7) +
            entry("hard1", 0o100644, b"", ino=8, nlink=2) + entry("hard2", 0o100644, b"shared\n", ino=8, nlink=2) +
            entry("big", 0o100600, big, ino=9) + entry("empty", 0o100644, ino=10) +
            entry("crc", 0o100644, b"with sum", ino=11, magic=b"070702", check=sum(b"with sum")))


def inflate_data():
    contents = [b"", b"a", b"hello, hello, hello", bytes(300000), bytes(rng.randrange(256) for _ in range(40000)),
                b"".join(b"line %d of many\n" % i for i in range(9000)),
                b"".join(bytes([rng.choice(b"abcd")]) * rng.randrange(1, 300) for _ in range(2000)),
                bytes(rng.choice(b"etaoin shrdlu") for _ in range(70000)),
                bytes(rng.randrange(256) for _ in range(32768)) * 3]
    n = 0
    for raw in contents:
        for level, strategy in ((0, 0), (1, 0), (6, 0), (9, 0), (6, zlib.Z_FIXED), (6, zlib.Z_HUFFMAN_ONLY), (6, zlib.Z_RLE)):
            write(f"data/inflate/{n:03}.raw", raw)
            member = gzip_member(raw, level, strategy, flags=(0, 8, 4, 30)[n % 4])
            write(f"data/inflate/{n:03}.gz", member)
            if len(member) < 8000:
                write(f"seeds/cpio/gz{n:03}", member)
            n += 1
    write("data/inflate/count", b"%d" % n)


def cpio_data():
    a = tree() + TRAILER
    write("data/cpio/tree", a)
    for level in (0, 1, 9):
        write(f"data/cpio/tree.gz{level}", gzip_member(a, level))
    small = entry("d", 0o40755, ino=2) + entry("d/f", 0o100644, b"content", ino=3) + entry("l", 0o120777, b"d/f", ino=4) + \
        entry("h1", 0o100644, b"", ino=8, nlink=2) + entry("h2", 0o100644, b"x", ino=8, nlink=2) + entry("n", 0o20666, rdev=(1, 3), ino=9)
    write("seeds/cpio/small", small + TRAILER)
    write("seeds/cpio/notrailer", small)
    write("seeds/cpio/two", small + TRAILER + b"\0" * 512 + small + TRAILER)
    write("seeds/cpio/gz", gzip_member(small + TRAILER))
    write("seeds/cpio/gz0", gzip_member(small + TRAILER, 0))
    write("seeds/cpio/fixed", gzip_member(small + TRAILER, 6, zlib.Z_FIXED))
    write("seeds/cpio/mixed", small + TRAILER + gzip_member(small + TRAILER) + b"\0" * 4 + small + TRAILER)
    write("seeds/cpio/long", entry("x/" * 2000, 0o100644, b"c"))
    write("seeds/cpio/up", entry("../../etc", 0o40755) + entry("a/../../b", 0o100644, b"c") + entry("/abs", 0o100644, b"d") + TRAILER)


def phdr(kind, flags, off, vaddr, filesz, memsz, align):
    return struct.pack("<IIQQQQQQ", kind, flags, off, vaddr, vaddr, filesz, memsz, align)


def elf(kind, base, interp, segments, **change):
    h = dict(type=kind, machine=62, version=1, entry=base + 0x100, phoff=64, shoff=0, flags=0, ehsize=64, phentsize=56, phnum=0)
    body = b"".join(phdr(*s) for s in segments)
    if interp:
        at = 64 + 56 * (len(segments) + 1)
        body += phdr(3, 4, at, base + at, len(interp), len(interp), 1) + interp
    h["phnum"] = len(segments) + bool(interp)
    h.update(change)
    return b"\x7fELF\2\1\1" + b"\0" * 9 + struct.pack("<HHIQQQIHHHHHH", *h.values(), 0, 0, 0) + body


def elf_data():
    text, data = (1, 5, 0, 0, 0x1000, 0x1000, 0x1000), (1, 6, 0x1e00, 0x2e00, 0x200, 0x3000, 0x1000)
    fixed = [(k, f, o, v + 0x400000, n, m, a) for k, f, o, v, n, m, a in (text, data)]
    write("seeds/elf/pie", elf(3, 0, None, [text, data]))
    write("seeds/elf/exec", elf(2, 0x400000, None, fixed))
    write("seeds/elf/interp", elf(3, 0, b"/lib/ld.so\0", [text, data, (0x6474e551, 6, 0, 0, 0, 0, 16)]))
    write("seeds/elf/many", elf(3, 0, None, [text] * 60))
    write("seeds/elf/huge", elf(2, 0x400000, None, [(1, 7, 0, 0x10000, 1, 0x7ffffffe0000, 0x1000)]))
    write("seeds/elf/script", b"#!/bin/sh -e\n")
    write("seeds/elf/script2", b"#! /bin/x \t y z\n")
    write("seeds/elf/script3", b"#!" + b"a" * 300)


def text_data():
    words = ["console=ttyS0", "init=/bin/sh", "rdinit=/init", "quiet", "loglevel=7", "panic=-1", "root=/dev/vda", "ro", "FOO=bar", "single",
             '"a b"', 'x="y z"', "--", "a.b=c", "console=ttyS0,115200n8", "loglevel=99999999999", "panic=", "="]
    for i, w in enumerate(words):
        write(f"seeds/params/{i}", w.encode())
    write("seeds/params/all", " ".join(words).encode())
    write("seeds/params/many", b"w " * 60)
    write("seeds/params/long", b"x" * 9000)
    write("seeds/params/many_long", b" ".join(b"%d=" % i + b"v" * 200 for i in range(50)))
    for i, p in enumerate(["a/b/c", "/../..", "./././a//b/", "l/x", "l2/../l/y", "loop/a", "d/e/../../d/e/f", "", "/", "a" * 256 + "/b", "x" * 255, "up/up/up"]):
        write(f"seeds/path/{i}", bytes([i]) + p.encode())
    write("seeds/path/pairs", b"\x05a/b\0c/d\0\x01d/e/f\0\x02a\0\x07l\0d/l")
    write("seeds/ldisc/line", b"\0hello\177\025world\n\004")
    write("seeds/ldisc/edit", b"\1ab\t\001\177\177\027\022\026\003\n")
    write("seeds/ldisc/modes", b"\377\1\0\0\0abc\377\2\2\0\0def\n\377\3\0\1\0\303\251\177\n\023\021\003\034\032")


inflate_data()
cpio_data()
elf_data()
text_data()


def cmsg(level, kind, data, length=None):
    body = struct.pack("<Qii", 16 + len(data) if length is None else length, level, kind) + data
    return body + b"\0" * (-len(body) % 8)


write("seeds/cmsg/rights", cmsg(1, 1, struct.pack("<3i", 0, 1, 2)))
write("seeds/cmsg/two", cmsg(1, 2, struct.pack("<3i", 1, 0, 0)) + cmsg(1, 1, struct.pack("<i", 0)))
write("seeds/cmsg/empty", cmsg(1, 1, b""))
write("seeds/cmsg/short", cmsg(1, 1, b"", 15))
write("seeds/cmsg/long", cmsg(1, 1, b"1234", 1 << 63))
