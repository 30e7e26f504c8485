#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""symbols: `nm -n` of the kernel on stdin → an assembly file with its function names.

    k_sym_count     u32
    k_sym_addr      u32 each: distance from k_image_start, ascending
    k_sym_name      u32 each: offset into k_sym_text
    k_sym_text      NUL-terminated names

The table lies behind all code and in a section of its own, so its size moves no function.
"""
import re
import sys

syms, base = {}, None
for line in sys.stdin:
    m = re.match(r"([0-9a-f]{16}) (\w) (\S+)$", line)
    if not m:
        continue
    addr, kind, name = int(m[1], 16), m[2], m[3]
    if name == "k_image_start":
        base = addr
    if kind in "tT" and not name.startswith((".L", "__cfi_", "$")):
        syms.setdefault(addr, name)

rows = sorted((a - base, n) for a, n in syms.items() if base is not None and a >= base)
out = ['.section .keel.symbols, "a"', ".globl k_sym_count, k_sym_addr, k_sym_name, k_sym_text", ".balign 4",
       "k_sym_count:", f".long {len(rows)}", "k_sym_addr:"]
out += [f".long {a}" for a, _ in rows]
out.append("k_sym_name:")
text = []
offset = 0
for _, name in rows:
    out.append(f".long {offset}")
    text.append(f'.asciz "{name}"')
    offset += len(name) + 1
print("\n".join(out + ["k_sym_text:"] + text + ['.byte 0', '.section .note.GNU-stack, "", @progbits']))
