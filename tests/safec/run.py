#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of the Safe C checker.

usage: run.py [NAME...] -- COMPILER FLAGS...

attacks/*.c hold many programs.  Each begins with a line
    //! RULE name       the checker must report exactly RULE, and with that rule
                        switched off the program must get through (mutation test)
    //! RULE+ name      RULE must be reported; others, or clang, may object too
    //! clang name      clang itself must reject it
    //! link name       compiles; the object or cross-unit check must reject it
    //! whole name      compiles; the check of the whole kernel's objects must reject it
    //! global name     compiles; rule G1 must reject it, with its globals.txt or an empty one,
                        and nothing else at the object check
    //! trap name       compiles; attack(n) must trap at run time, at -O0 and -O2
    //! ok name         compiles; attack(n) must run to its end, at -O0 and -O2
    //! hole:PART name  with that PART of the IR pass off, some call must get through
    //! object:WORD name  compiled without the checker; the object check must say WORD
    //! good name       must be accepted, without a warning, by the object check too
and goes to the next such line.  `//+ file` to `//-` is a further file beside it;
`//= flags` are further compiler flags.  good/*.c have the same form.

Each failure prints the command that repeats it.
"""
import glob, os, re, subprocess, sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.relpath(__file__))
OUT = 'build/test-safec'


class Program:
    def __init__(self, family, sort, name):
        self.sort, self.name = sort, family + '/' + name
        self.dir = os.path.join(OUT, family, name)
        self.files = {'attack.c': ''}
        self.flags = []

    def write(self):
        os.makedirs(self.dir, exist_ok=True)
        for name, text in self.files.items():
            path = os.path.join(self.dir, name)
            if not os.path.exists(path) or open(path).read() != text:
                with open(path, 'w') as f:
                    f.write(text)
        return os.path.join(self.dir, 'attack.c')


def programs():
    for path in sorted(glob.glob(os.path.join(HERE, 'attacks/*.c')) + glob.glob(os.path.join(HERE, 'good/*.c'))):
        family = os.path.basename(path)[:-2]
        program, into = None, 'attack.c'
        for line in open(path):
            m = re.match(r'//! (\S+) (\w+)\s*$', line)
            if m:
                if program:
                    yield program
                program, into = Program(family, m[1], m[2]), 'attack.c'
            elif line.startswith('//+ ') and program:
                into = line[4:].strip()
                program.files[into] = ''
            elif line.startswith('//= ') and program:
                program.flags += line[4:].split()
            elif line.startswith('//-') and program:
                into = 'attack.c'
            elif program:
                program.files[into] += line
        if program:
            yield program


def run(cmd):
    p = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
    return p.returncode, p.stdout


class Tests:
    def __init__(self, compiler):
        self.cc = compiler

    def compile(self, src, extra=()):
        out = src[:-2] + ('.' + re.sub(r'\W', '', ''.join(extra)) if extra else '') + '.o'
        cmd = self.cc + list(extra) + ['-fplugin-arg-safec-allow=' + os.path.dirname(src), '-fplugin-arg-safec-allow=' + HERE, '-c', src, '-o', out]
        code, text = run(cmd)
        return cmd, code, text, out

    def link(self, exe, out):
        return [self.cc[0], '-no-pie', '-O1', '-Wl,--unresolved-symbols=ignore-all', '-o', exe, os.path.join(OUT, 'harness.o'), out]

    def one(self, p):
        """Returns a list of (what, command)."""
        bad = []
        src = p.write()
        sort = p.sort.rstrip('+')
        if sort in ('trap', 'ok'):
            for level in ('-O0', '-O2'):
                cmd, code, text, out = self.compile(src, (level, '-Wno-error=frame-larger-than'))
                if code:
                    bad.append(('does not compile at %s:\n%s' % (level, text), cmd))
                    continue
                exe = out[:-2]
                cmd = self.link(exe, out)
                code, text = run(cmd)
                if code:
                    bad.append(('does not link:\n' + text, cmd))
                    continue
                code, text = run([exe, sort])
                if code:
                    bad.append(('%s: %s' % (level, text.strip()), [exe, sort]))
            return bad
        if sort.startswith('hole:'):
            for level in ('-O0', '-O2'):
                cmd, code, text, out = self.compile(src, (level, '-fplugin-arg-safec-off=' + sort[5:], '-fplugin-arg-safec-off=IR-VERIFY',
                                                          '-Wno-error=frame-larger-than'))
                exe = out[:-2]
                if not code:
                    cmd = self.link(exe, out)
                    code, text = run(cmd)
                if code:
                    return [('does not compile:\n' + text, cmd)]
                if run([exe, 'trap' if 'BOUNDS' in sort else 'ok'])[0]:
                    return []
            return [('without %s nothing gets through' % sort[5:], [exe, 'trap'])]
        if sort.startswith('object:'):
            out = src[:-2] + '.o'
            cmd = [self.cc[0], '-O2', '-ffreestanding', '-c', src, '-o', out]
            code, text = run(cmd)
            if code:
                return [('does not compile:\n' + text, cmd)]
            cmd = ['tools/safec/objcheck', '--partial', out]
            code, text = run(cmd)
            return [] if code and sort[7:] in text else [('the object check must say "%s":\n%s' % (sort[7:], text), cmd)]
        cmd, code, text, out = self.compile(src, p.flags)
        if sort == 'global':
            if code:
                return [('does not compile:\n' + text, cmd)]
            cmd = ['tools/safec/objcheck', '--partial', out]
            code, text = run(cmd)
            if code:
                return [('mutation: without the list it must get through:\n' + text, cmd)]
            listing = os.path.join(p.dir, 'globals.txt')
            open(listing, 'a').close()
            whole = [] if 'whole' in p.name else ['--partial']
            cmd = ['tools/safec/objcheck'] + whole + ['--globals', listing, out]
            code, text = run(cmd)
            return [] if code and '[G1]' in text else [('wanted [G1]:\n' + text, cmd)]
        if sort == 'good':
            if code or 'warning' in text:
                return [('must be accepted:\n' + text, cmd)]
            cmd = ['tools/safec/objcheck', '--partial', out]
            if 'globals.txt' in p.files:
                cmd[2:2] = ['--globals', os.path.join(p.dir, 'globals.txt')]
            code, text = run(cmd)
            return [('objcheck:\n' + text, cmd)] if code else []
        if sort in ('link', 'whole'):
            if code:
                return [('does not compile:\n' + text, cmd)]
            objects = [out]
            for name in p.files:
                if name.endswith('.c') and name != 'attack.c':
                    cmd, code, text, more = self.compile(os.path.join(p.dir, name))
                    if code:
                        return [('does not compile:\n' + text, cmd)]
                    objects.append(more)
            cmd = ['tools/safec/objcheck'] + (['--partial'] if sort == 'link' else []) + objects
            code, text = run(cmd)
            return [] if code else [('the link checks accept it', cmd)]
        rules = set(re.findall(r'error: (?:safec: )?\[([A-Z]+[0-9]*)\]', text))
        if sort == 'clang':
            if not code:
                bad.append(('clang must reject it:\n' + text, cmd))
            return bad
        if not code:
            return [('is accepted; wanted [%s]' % sort, cmd)]
        if sort not in rules:
            return [('wanted [%s]:\n%s' % (sort, text), cmd)]
        if not p.sort.endswith('+'):
            if rules != {sort} or 'error: ' in re.sub(r'error: (safec: )?\[', '', text):
                bad.append(('wanted only [%s]:\n%s' % (sort, text), cmd))
            cmd, code, text, _ = self.compile(src, p.flags + ['-fplugin-arg-safec-off=' + sort])
            if code:
                bad.append(('mutation: without [%s] it must get through:\n%s' % (sort, text), cmd))
        return bad


def main():
    split = sys.argv.index('--')
    only, compiler = sys.argv[1:split], sys.argv[split + 1:]
    os.makedirs(OUT, exist_ok=True)
    subprocess.run([compiler[0], '-O1', '-c', os.path.join(HERE, 'harness.c'), '-o', os.path.join(OUT, 'harness.o')], check=True)
    todo = [p for p in programs() if not only or any(o in p.name for o in only)]
    names = [p.name for p in todo]
    double = {n for n in names if names.count(n) > 1}
    if double:
        sys.exit('two programs of one name: ' + ', '.join(double))
    tests = Tests(compiler)
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        for p, bad in zip(todo, pool.map(tests.one, todo)):
            if bad:
                failed += 1
                for what, cmd in bad:
                    name = p.name
                    lines = [l for l in what.splitlines() if not l.startswith(' ') and 'note:' not in l][:None if len(todo) == 1 else 4]
                    print('FAIL %s: %s' % (p.sort + ' ' + name, '\n  '.join(lines)))
                    print('  repeat: make test-safec ONLY=' + name)
                    if len(todo) == 1:
                        print('  ' + ' '.join(cmd))
    print('%d passed, %d failed' % (len(todo) - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
