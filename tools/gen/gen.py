#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes build/gen/abi/: Linux's ABI constants as Safe C headers.

The source is Debian's linux-libc-dev (/usr/include/linux, asm, asm-generic): the
numbers are the kernel's own, evaluated by the host compiler, never retyped.

    gen.py --out build/gen/abi --cc gcc

Rules of the output (see abi/linux/README.md):
  * `#define NAME value`, nothing else: a literal with the type the original has;
  * names that begin with underscores lose them; if that name is taken, the
    underscored one is left out; names that begin with K_ get LINUX_ in front;
  * a name stands in exactly one header.
Files are rewritten only when their text changes.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LICENCE = "/* SPDX-License-Identifier: Apache-2.0\n *\n"
NAME = re.compile(r"_*[A-Z][A-Z0-9_]*$")
# Names that the framework's headers own, and macros that are C's, not the ABI's.
NEVER = re.compile(r"(NULL|PAGE_(SIZE|SHIFT|MASK)|BITS_PER_LONG(_LONG)?|offsetof|U?INT\d+_MAX|NR_\w+|"
                   r"HAVE_\w+|UAPI_DEF_\w+|KERNEL_\w+|\w*BITFIELD|STRUCT_\w+|BYTE_ORDER|ARCH_SI\w+|"
                   r"ARCH_SIGEV\w+|ADDR_BND_PKEY_PAD)$")


class Const:
    def __init__(self, name, source, body):
        self.name = name        # as Linux spells it
        self.source = source    # the header that defines it
        self.body = body        # the macro's text, "" for an enumerator
        self.value = None       # int, or a string literal's text
        self.kind = None        # i, u, l, m (unsigned long), s (string)
        self.expansion = ""


def run(cc, args, text):
    p = subprocess.run(cc + args, input=text, capture_output=True, text=True)
    return p.returncode, p.stdout, p.stderr


def read_subjects(path):
    subjects = []
    for line in open(path):
        line = line.split("#", 1)[0].strip() if not line.startswith("- ") else line.strip()
        if not line:
            continue
        if m := re.match(r"\[(\w+)\](!?)$", line):
            subjects.append({"name": m[1], "umbrella": not m[2], "read": [], "also": [], "drop": []})
        elif line.startswith("- "):
            subjects[-1]["drop"].append(line[2:].strip())
        elif line.startswith("+ "):
            subjects[-1]["also"] += line[2:].split()
        else:
            subjects[-1]["read"] += line.split()
    return subjects


def short_name(path):
    """/usr/include/x86_64-linux-gnu/asm/fcntl.h -> asm/fcntl.h"""
    m = re.search(r"(?:^|/)((?:linux|asm|asm-generic)/[\w./-]+\.h)$", path)
    return m[1] if m else path


def prelude(subject):
    heads = ["stddef.h", "linux/types.h", "linux/ioctl.h"] + subject["also"] + subject["read"]
    text = "".join(f"#include <{h}>\n" for h in heads)
    if subject["extra"]:
        text += f'#include "{subject["extra"]}"\n'
    return text


def collect(cc, subject):
    """Every macro without parameters and every enumerator that the subject's headers define."""
    wanted = set(subject["read"])
    rc, out, err = run(cc, ["-E", "-dD", "-w", "-x", "c", "-"], prelude(subject))
    if rc:
        sys.exit(f"gen: {subject['name']}: {err}")
    found = {}
    where = ""
    code = []                   # (header, line) outside directives: enums are there
    for line in out.splitlines():
        if m := re.match(r'# \d+ "([^"]*)"', line):
            where = m[1] if m[1] == subject["extra"] else short_name(m[1])
        elif m := re.match(r"#define (\w+)(\(?)\s*(.*)$", line):
            if m[2] or not (where in wanted or where == subject["extra"]):
                continue
            if m[3] == m[1] and m[1] in found:
                continue        # `#define X X` beside an enumerator
            found[m[1]] = Const(m[1], where, m[3])
        elif m := re.match(r"#undef (\w+)", line):
            found.pop(m[1], None)
        elif not line.startswith("#"):
            code.append((where, line))
    # Enumerators: the preprocessed code without directives, split at `enum ... { }`.
    marks = "".join(f"\x01{w}\x02{t}\n" for w, t in code)
    for m in re.finditer(r"\benum\b(?:[\s\w]|\x01[^\x02]*\x02)*\{([^}]*)\}", marks):
        body = m[1]
        head = marks.rfind("\x01", 0, m.start() + 1)
        where = marks[head + 1:marks.index("\x02", head)]
        if where not in wanted:
            continue
        body = re.sub(r"\x01[^\x02]*\x02", "", body)
        depth, item, items = 0, "", []
        for ch in body:
            depth += (ch == "(") - (ch == ")")
            if ch == "," and depth == 0:
                items.append(item)
                item = ""
            else:
                item += ch
        for item in items + [item]:
            if m2 := re.match(r"\s*(\w+)\s*(?:=(.*))?", item, re.S):
                name = m2[1]
                if name not in found or found[name].body in ("", name):
                    found[name] = Const(name, where, " ".join((m2[2] or "").split()) or "0+")
    drop = [re.compile(f"(?:{d})$") for d in subject["drop"]]
    keep = []
    for c in found.values():
        if not NAME.match(c.name) or NEVER.match(c.name.lstrip("_")) or not c.body:
            continue
        if c.source != subject["extra"] and any(d.match(c.name) for d in drop):
            continue
        keep.append(c)
    return keep


def evaluate(cc, subject, consts):
    """Fills in value and kind; returns the constants that have one."""
    pre = prelude(subject)
    ask = pre + "".join(f"\n@@{i}@@ {c.name} @@end@@\n" for i, c in enumerate(consts))
    rc, out, err = run(cc, ["-E", "-P", "-w", "-x", "c", "-"], ask)
    if rc:
        sys.exit(f"gen: {subject['name']}: {err}")
    for m in re.finditer(r"@@(\d+)@@\s(.*?)\s*@@end@@", out, re.S):
        consts[int(m[1])].expansion = " ".join(m[2].split())
    numbers, done = [], []
    for c in consts:
        text = c.expansion
        if re.fullmatch(r'(?:"(?:[^"\\]|\\.)*"\s*)+', text):
            c.value = '"' + "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)) + '"'
            c.kind = "s"
            done.append(c)
        elif text and not re.search(r'[{};]', text) and text.count("(") == text.count(")"):
            numbers.append(c)
    kinds = ("char: 'i', signed char: 'i', unsigned char: 'i', short: 'i', unsigned short: 'i',"
             "int: 'i', unsigned: 'u', long: 'l', long long: 'l', unsigned long: 'm',"
             "unsigned long long: 'm'")
    with tempfile.TemporaryDirectory() as tmp:
        exe = os.path.join(tmp, "values")
        while True:
            text = pre + "extern int printf(const char *, ...);\n"
            text += "static const struct { const char *n; int k; unsigned long long v; } t[] = {\n"
            first = text.count("\n") + 1
            for c in numbers:
                text += (f'{{ "{c.name}", _Generic(({c.name}), {kinds}), '
                         f"(unsigned long long)({c.name}) }},\n")
            text += ("};\nint main(void) { for (unsigned i = 0; i < sizeof t / sizeof *t; i++)"
                     ' printf("%s %c %llu\\n", t[i].n, t[i].k, t[i].v); return 0; }\n')
            rc, _, err = run(cc, ["-w", "-O0", "-ftrack-macro-expansion=0", "-fmax-errors=0",
                                  "-x", "c", "-", "-o", exe], text)
            if rc == 0:
                break
            lines = {int(m) for m in re.findall(r"<stdin>:(\d+):\d+: error", err)}
            bad = {n - first for n in lines if 0 <= n - first < len(numbers)}
            if not bad:
                sys.exit(f"gen: {subject['name']}: {err}")
            numbers = [c for i, c in enumerate(numbers) if i not in bad]
        out = subprocess.run([exe], capture_output=True, text=True, check=True).stdout
    answers = {}
    for line in out.splitlines():
        name, kind, value = line.split()
        answers[name] = (kind, int(value))
    for c in numbers:
        c.kind, c.value = answers[c.name]
        if c.kind in "il" and c.value >= 1 << 63:
            c.value -= 1 << 64
        done.append(c)
    return done


def literal(c):
    """The value in the base that the original uses, with its type's suffix."""
    if c.kind == "s":
        return c.value
    kind = c.kind
    if kind == "m" and c.value <= 0xffffffff and "sizeof" in c.expansion:
        kind = "u"              # _IOR() and its kin: ioctl numbers have 32 bits
    suffix = {"i": "", "u": "U", "l": "L", "m": "UL"}[kind]
    text = c.expansion + " " + c.body
    if c.value < 0:
        if c.value == -1 << 31 and kind == "i":
            return "(-2147483647 - 1)"
        return f"({c.value}{suffix})"
    if m := re.fullmatch(r"\(*\s*(0[0-7]+)[uUlL]*\s*\)*", c.expansion):
        return m[1] + suffix
    if (re.search(r"0[xX]|<<|\bsizeof\b", text) and c.value > 9) or c.value >= 1 << 62:
        return f"{c.value:#x}{suffix}"
    if "|" in text and re.search(r"\b0[0-7]+\b", text) and c.value > 7:
        return f"0{c.value:o}{suffix}"
    return f"{c.value}{suffix}"


def strip(name):
    """Linux's name as Safe C may spell it: `_...` and `K_...` are reserved there."""
    name = name.lstrip("_")
    return "LINUX_" + name if name.startswith("K_") else name


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path) and open(path).read() == text:
        return
    with open(path, "w") as f:
        f.write(text)


def header(title, note):
    return f"{LICENCE} * {title}\n * {note}\n */\n#pragma once\n"


def defines(consts):
    text, source = "", None
    for c in consts:
        if c.source != source:
            source = c.source
            text += f"\n/* {source if not source.startswith('/') else 'not in the UAPI headers'} */\n"
        text += f"#define {strip(c.name):<31} {literal(c)}\n"
    return text


def check_against_libc(cc, extras):
    """Where the C library knows a constant that extra/ adds, the values must agree."""
    pre = "#define _GNU_SOURCE\n" + "".join(f"#include <{h}>\n" for h in (
        "dirent.h", "fcntl.h", "sys/eventfd.h", "sys/mount.h", "sys/reboot.h", "sys/socket.h",
        "sys/stat.h", "sys/statvfs.h", "sys/wait.h", "syslog.h", "unistd.h", "netinet/tcp.h"))
    own = {"SOCK_TYPE_MASK", "SIG_DFL", "SIG_IGN", "SIG_ERR", "SIGRTMAX", "NSIG"}
    items = [c for c in extras if c.kind != "s" and c.name not in own]
    text = pre
    first = text.count("\n") + 1
    for c in items:
        text += f'_Static_assert((unsigned)({c.name}) == (unsigned)({literal(c)}), "KEEL");\n'
    _, _, err = run(cc, ["-w", "-fsyntax-only", "-ftrack-macro-expansion=0", "-fmax-errors=0",
                         "-x", "c", "-"], text)
    bad = [items[int(m) - first].name for m in
           re.findall(r"<stdin>:(\d+):\d+: error: static assertion failed", err)]
    if bad:
        sys.exit(f"gen: extra/ and the C library disagree on: {' '.join(bad)}")


def system_calls(cc):
    rc, out, err = run(cc, ["-E", "-dM", "-x", "c", "-"], "#include <asm/unistd_64.h>\n")
    if rc:
        sys.exit(f"gen: {err}")
    return sorted((int(m[2]), m[1].lstrip("_")) for m in re.finditer(r"#define __NR_(\w+) (\d+)", out))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", required=True)
    ap.add_argument("--cc", default="gcc")
    ap.add_argument("--cpu", default="x86_64")
    args = ap.parse_args()
    cc, out = args.cc.split(), args.out
    note = "Generated by tools/gen/gen.py from the UAPI headers of linux-libc-dev: do not edit."

    subjects = read_subjects(os.path.join(HERE, "subjects.conf"))
    errno = {"name": "errno", "umbrella": False, "also": ["asm/errno.h"], "drop": [],
             "read": ["asm-generic/errno-base.h", "asm-generic/errno.h"]}
    extras, skipped, taken = [], [], {}
    for s in [errno] + subjects:
        extra = os.path.join(HERE, "extra", s["name"] + ".h")
        s["extra"] = extra if os.path.exists(extra) else ""
        found = collect(cc, s)
        s["consts"] = evaluate(cc, s, found)
        good = {id(c) for c in s["consts"]}
        skipped += [f"{c.source} {c.name} {c.body}" for c in found if id(c) not in good]
        order = {n: i for i, n in enumerate(s["read"])}
        place = {id(c): i for i, c in enumerate(found)}
        s["consts"].sort(key=lambda c: (order.get(c.source, 999), place[id(c)]))
        extras += [c for c in s["consts"] if c.source == s["extra"]]
    plain = {c.name for s in subjects for c in s["consts"]}
    for s in [errno] + subjects:
        keep = []
        for c in s["consts"]:
            name = strip(c.name)
            if name != c.name and name in plain:
                continue
            if name in taken:
                if taken[name].value != c.value:
                    sys.exit(f"gen: {name} is {taken[name].value} in {taken[name].source} "
                             f"and {c.value} in {c.source}")
                continue
            taken[name] = c
            keep.append(c)
        s["consts"] = keep

    check_against_libc(cc, extras)
    write(f"{out}/errno.h", header("Linux's error numbers.", note) + defines(errno["consts"]))
    for s in subjects:
        write(f"{out}/const/{s['name']}.h",
              header(f"Linux's ABI constants: {s['name']}.", note) + defines(s["consts"]))
    write(f"{out}/const.h", header("Linux's ABI constants, all subjects that services share.", note)
          + "\n" + "".join(f'#include "abi/const/{s["name"]}.h"\n' for s in subjects if s["umbrella"]))
    calls = system_calls(cc)
    write(f"{out}/syscall_nr.h", header("Linux's x86-64 system-call numbers.", note) + "\n"
          + "".join(f"#define SYS_{n:<27} {i}\n" for i, n in calls)
          + f"\n/* One more than the highest number; there are holes below it. */\n"
          f"#define {'SYS_MAX':<31} {calls[-1][0] + 1}\n")
    write(f"{out}/syscalls.inc", LICENCE + " * SYSCALL(number, name) for each x86-64 system call, in order"
          " of number.\n"
          f" * {note}\n */\n" + "".join(f"SYSCALL({i}, {n})\n" for i, n in calls))
    # Services name no CPU: abi/cpu/X.h is the X.h of the CPU that the kernel is built for.
    cpu = os.path.join(os.path.dirname(os.path.dirname(HERE)), "abi", "linux", args.cpu)
    for h in sorted(os.listdir(cpu)):
        if h.endswith(".h"):
            write(f"{out}/cpu/{h}", header(f"{h} of {args.cpu}.", note.replace(
                "from the UAPI headers of linux-libc-dev", "for the CPU that is built for"))
                + f'#include "abi/linux/{args.cpu}/{h}"\n')
    write(f"{out}/cpu/const.h", header(f"Constants of {args.cpu}.", note.replace(
        "from the UAPI headers of linux-libc-dev", "for the CPU that is built for"))
        + f'#include "abi/const/{args.cpu}.h"\n')
    write(f"{out}/skipped.txt", "# Macros that are neither an integer constant nor a string.\n"
          + "".join(x + "\n" for x in sorted(skipped)))


if __name__ == "__main__":
    main()
