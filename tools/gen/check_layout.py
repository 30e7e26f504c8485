#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves that the structs in abi/linux/ have Linux's size and offsets.

    check_layout.py --out build/gen --cc clang-19

Reads the headers and tools/gen/layout.map, writes one ordinary C unit per group
of UAPI headers (build/gen/layout/<unit>.c) with an assertion for each size, and
for each field's offset, size and signedness, and compiles it.  Nothing is linked.
Also proves what Safe C asks: no implicit padding, integers only, every struct stands
in layout.map or in ALONE below, and no constant has the name of a framework macro.
"""
import argparse
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# Structs that no installed header has; the size is what Linux's own source says.
ALONE = {
    "linux_dirent": 24,             # fs/readdir.c: d_name begins at 18
    "linux_ustat": 32,              # include/linux/types.h
    "linux_sigset_argpack": 16,     # fs/select.c
    "linux_rt_sigframe": 440,       # arch/x86/include/asm/sigframe.h
    "linux_sifields": 112,          # the union of the linux_si_*, each checked
    "linux_ptrace_call": 64,        # the same
    "linux_ifreq_value": 24,        # the union in linux_ifreq, whose size is checked
}
INTEGERS = {"u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "linux_sigset"}
# Words that the framework's headers define and system headers spell too.
CLASHES = "unused noinline fallthrough must_check NULL PAGE_SIZE PAGE_SHIFT PAGE_MASK".split()


def read_structs(paths):
    """tag -> (kind, [(field, type, is_array)])"""
    structs = {}
    for path in paths:
        text = re.sub(r"/\*.*?\*/", "", open(path).read(), flags=re.S)
        for m in re.finditer(r"^(struct|union)\s+(?:PACKED\s+)?(\w+)\s*\{(.*?)^\};", text, re.S | re.M):
            fields = []
            for line in m[3].split(";"):
                line = line.strip()
                if not line:
                    continue
                f = re.fullmatch(r"((?:struct |union )?\w+) (\w+)((?:\[\d+\])?)", line)
                if not f:
                    sys.exit(f"{path}: {m[2]}: cannot read `{line}`")
                base = f[1].split()[-1]
                if base not in INTEGERS and base not in structs:
                    sys.exit(f"{path}: {m[2]}.{f[2]}: {base} is no ABI type")
                fields.append((f[2], f[1], bool(f[3])))
            structs[m[2]] = (m[1], fields)
    return structs


def order(paths):
    """Headers after those they include, so that types are known when used."""
    done, out = set(), []

    def visit(p):
        if p in done:
            return
        done.add(p)
        for inc in re.findall(r'^#include "abi/([\w./]+)"', open(p).read(), re.M):
            inc = inc.replace("cpu/", "linux/x86_64/")
            visit(os.path.join(ROOT, "abi", inc))
        out.append(p)
    for p in paths:
        visit(p)
    return out


def read_map(path):
    units = []
    for line in open(path):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        if m := re.match(r"\[(\w+)\]$", line):
            units.append((m[1], [], []))
        elif m := re.match(r"(\w+) = (.*?)( !)?(?: : (.*))?$", line):
            renames = dict(p.split("=", 1) for p in (m[4] or "").split())
            units[-1][2].append((m[1], m[2], bool(m[3]), renames))
        else:
            units[-1][1].extend(line.split())
    return units


def assertions(ours, theirs, prefix, renames, structs):
    kind, fields = structs[ours]
    a = f"{kind} {ours}"
    lines = []
    if not prefix:
        lines.append(f'_Static_assert(sizeof({a}) == sizeof({theirs}), "{ours}: size");')
    for name, base, is_array in fields:
        other = renames.get(name, name)
        if other == "-":
            continue
        signed = other != "~"
        other = name if other == "~" else other
        if name.startswith("pad") and name not in renames:
            continue
        where = f'"{ours}.{name}'
        lines.append(f'_Static_assert(offsetof({a}, {name}) == offsetof({theirs}, {other}), {where}: offset");')
        if base.startswith(("struct", "union")) or prefix:
            continue
        lines.append(f"_Static_assert(sizeof((({a} *)0)->{name}) == sizeof((({theirs} *)0)->{other}), "
                     f'{where}: size");')
        if signed and not is_array:
            lines.append(f"_Static_assert(SIGN((({theirs} *)0)->{other}) == 2 || "
                         f"SIGN((({theirs} *)0)->{other}) == SIGN((({a} *)0)->{name}), {where}: sign\");")
    return lines


def macros(paths):
    names = set()
    for path in paths:
        names |= set(re.findall(r"^\s*#\s*define\s+(\w+)", open(path).read(), re.M))
    return names


def framework_macros():
    return macros(glob.glob(f"{ROOT}/frame/include/**/*.h", recursive=True))


def constants(out):
    return macros(glob.glob(f"{out}/abi/*.h") + glob.glob(f"{out}/abi/const/*.h"))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", required=True)
    ap.add_argument("--cc", default="clang-19")
    args = ap.parse_args()
    # Headers of functions, not of layouts.
    code = ("sigframe.h", "sysargs.h")
    headers = order(sorted(glob.glob(f"{ROOT}/abi/linux/*.h")
                           + [h for h in glob.glob(f"{ROOT}/abi/linux/x86_64/*.h") if not h.endswith(code)]))
    structs = read_structs(headers)
    units = read_map(os.path.join(HERE, "layout.map"))

    mapped = {e[0] for u in units for e in u[2]}
    missing = sorted(set(structs) - mapped - set(ALONE))
    unknown = sorted((mapped | set(ALONE)) - set(structs))
    if missing or unknown:
        sys.exit(f"layout.map: not there: {missing}; no such struct: {unknown}")

    clashes = framework_macros() & constants(args.out)
    if clashes:
        sys.exit(f"both an ABI constant and a macro of frame/include: {' '.join(sorted(clashes))}")

    reserved = sorted(n for n in constants(args.out) if re.match(r"_|[kK]_", n) or n.endswith("_k"))
    if reserved:
        sys.exit(f"names that Safe C reserves: {' '.join(reserved)}")

    flags = ["-std=gnu23", "-fsyntax-only", f"-I{ROOT}", f"-I{args.out}", f"-I{ROOT}/frame/include",
             "-D_GNU_SOURCE"]
    own = ('#include "frame/marks.h"\n#include "frame/types.h"\n'
           + "".join(f'#include "{os.path.relpath(h, ROOT)}"\n' for h in headers))
    os.makedirs(f"{args.out}/layout", exist_ok=True)

    def compile_unit(name, text, more):
        path = f"{args.out}/layout/{name}.c"
        with open(path, "w") as f:
            f.write(text)
        p = subprocess.run(args.cc.split() + flags + more + [path], capture_output=True, text=True)
        if p.returncode:
            sys.exit(p.stderr)

    # Ours alone: no padding, and the sizes of what has no counterpart.
    # (clang looks for padding only where a size is asked for.)
    text = own + "".join(f'_Static_assert(sizeof({k} {t}) > 0, "{t}");\n' for t, (k, _) in structs.items())
    text += "".join(f'_Static_assert(sizeof({structs[t][0]} {t}) == {n}, "{t}: size");\n'
                    for t, n in ALONE.items())
    compile_unit("own", text, ["-Werror=padded", "-Werror=macro-redefined"])

    for name, includes, entries in units:
        text = own + "".join(f"#undef {w}\n" for w in CLASHES)
        text += "#include <stddef.h>\n#include <linux/types.h>\n" if name != "libc" else "#include <stddef.h>\n"
        text += "".join(f"#include <{h}>\n" for h in includes)
        # Some field names are macros there.
        text += "".join(f"#undef {f[0]}\n" for e in entries for f in structs[e[0]][1])
        text += ("#define SIGN(e) _Generic((e), char: 2, signed char: 1, short: 1, int: 1, long: 1, "
                 "long long: 1, unsigned char: 0, unsigned short: 0, unsigned: 0, unsigned long: 0, "
                 "unsigned long long: 0, default: 2)\n")
        for ours, theirs, offsets_only, renames in entries:
            text += "\n".join(assertions(ours, theirs, offsets_only, renames, structs)) + "\n"
        compile_unit(name, text, ["-w"])


if __name__ == "__main__":
    main()
