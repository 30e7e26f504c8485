# SPDX-License-Identifier: Apache-2.0
"""Reads relocatable ELF objects of services: sections, symbols, facts."""
import json
import struct

WEAK, GLOBAL, LOCAL = 2, 1, 0
OBJECT, FUNC, IFUNC, SECTION, FILE = 1, 2, 10, 3, 4
UNDEF, ABS, COMMON = 0, 0xfff1, 0xfff2
ALLOC, EXEC, TLS = 2, 4, 0x400


class Symbol:
    __slots__ = ('name', 'bind', 'type', 'section')

    def __init__(self, name, bind, type_, section):
        self.name, self.bind, self.type, self.section = name, bind, type_, section


class Object:
    def __init__(self, path):
        self.path = path
        with open(path, 'rb') as f:
            self.data = data = f.read()
        if data[:6] != b'\x7fELF\x02\x01':
            raise ValueError(path + ': no 64-bit little-endian ELF file')
        self.type, self.machine = struct.unpack_from('<HH', data, 16)
        shoff, = struct.unpack_from('<Q', data, 40)
        size, count, names = struct.unpack_from('<HHH', data, 58)
        raw = [struct.unpack_from('<IIQQQQIIQQ', data, shoff + i * size) for i in range(count)]
        strings = raw[names]
        self.sections = [(self._str(strings, s[0]), s) for s in raw]
        self.symbols = []
        for _, s in self.sections:
            if s[1] == 2:           # SHT_SYMTAB
                table = raw[s[6]]
                for at in range(s[4], s[4] + s[5], 24):
                    name, info, _, section, _, _ = struct.unpack_from('<IBBHQQ', data, at)
                    self.symbols.append(Symbol(self._str(table, name), info >> 4, info & 15, section))
        facts = self.section('.keel.facts')
        self.facts = json.loads(facts) if facts else None

    def _str(self, table, at):
        start = table[4] + at
        return self.data[start:self.data.index(b'\0', start)].decode()

    def section(self, name):
        for n, s in self.sections:
            if n == name:
                return self.data[s[4]:s[4] + s[5]]
        return None
