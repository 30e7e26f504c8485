# SPDX-License-Identifier: Apache-2.0
"""suites: which tests there are, what each runs in the guest, and the oracle's answers.

A test of these suites is one program that runs in the guest. Its verdict is what it printed
and how it ended, compared with what the oracle recorded:

    abi/NAME           tests/abi/NAME.c, a static program
    apps/GROUP/NAME    an entry of tests/apps/GROUP.list, a shell command
    programs/GROUP/NAME    the same of tests/programs, for `make test-long`: large programs

The .list files hold entries like
    NAME: COMMAND                     lines that are indented continue the command
    NAME (SECONDS): COMMAND           with its own time limit
    - NAME: REASON                    an applet that is left out, and why
    @shell PROGRAM ARGUMENT...        what runs the commands of this file (default /bin/sh)
    @image NAME MEMORY                the image that has the programs (default test), on a machine of that size
    # a comment
"""
import glob, os, re

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ABI = os.path.join(TOP, "tests", "abi")
APPS = os.path.join(TOP, "tests", "apps")
PROGRAMS = os.path.join(TOP, "tests", "programs")
SECONDS = 30                    # a test's limit inside the guest; TCG is slow


class Test:
    def __init__(self, name, argv, expected, seconds=SECONDS, script=None, machine=("test", "512M")):
        self.name, self.argv, self.expected = name, argv, expected
        self.seconds, self.script, self.machine = seconds, script, machine

    def recorded(self):
        try:
            with open(self.expected, "rb") as f:
                return f.read()
        except FileNotFoundError:
            return None


def verdict(output, how, value):
    """What is recorded and compared: the output, then how the program ended."""
    if output and not output.endswith(b"\n"):
        output += b"\n[no newline at end]\n"
    return output + f"[{how} {value}]\n".encode()


def abi_tests():
    tests = []
    for path in sorted(glob.glob(os.path.join(ABI, "*.c"))):
        name = os.path.basename(path)[:-2]
        tests.append(Test("abi/" + name, ["/tests/abi/" + name],
                          os.path.join(ABI, "expected", name), seconds_of(path)))
    return tests


def seconds_of(path):
    with open(path) as f:
        found = re.search(r"^ \* Seconds: (\d+)", f.read(2000), re.M)
    return int(found.group(1)) if found else SECONDS


class ListFile:
    """One tests/apps/*.list or tests/programs/*.list: its tests and its exclusions."""

    def __init__(self, path):
        self.folder, self.group = os.path.dirname(path), os.path.basename(path)[:-5]
        self.shell, self.tests, self.excluded = ["/bin/sh"], [], {}
        self.machine = ("test", "512M")
        entry = None
        for n, line in enumerate(open(path), 1):
            line = line.rstrip("\n")
            if line[:1] in (" ", "\t") and entry:
                entry[2].append(line.strip() if entry[3] else line[8:] if line.startswith(" " * 8)
                                else line.lstrip())
                continue
            entry = self.end(entry)
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("@shell "):
                self.shell = line.split()[1:]
                continue
            if line.startswith("@image "):
                self.machine = tuple(line.split()[1:])
                continue
            found = re.match(r"(- )?([^\s:(]+)(?: \((\d+)\))?:\s?(.*)", line)
            if not found:
                raise SystemExit(f"{path}:{n}: cannot read: {line}")
            out, name, seconds, rest = found.groups()
            entry = [name, int(seconds or SECONDS), [rest] if rest else [], bool(out)]
        self.end(entry)

    def end(self, entry):
        if entry is None:
            return None
        name, seconds, lines, excluded = entry
        if excluded:
            self.excluded[name] = " ".join(lines)
            return None
        full = f"{os.path.basename(self.folder)}/{self.group}/{name}"
        if any(t.name == full for t in self.tests):
            raise SystemExit(f"{full} is there twice")
        guest = f"/keel/{full}"
        self.tests.append(Test(full, self.shell + [guest],
                               os.path.join(self.folder, "expected", self.group, name), seconds,
                               "\n".join(lines) + "\n", self.machine))
        return None


def list_files(folder=APPS):
    return [ListFile(p) for p in sorted(glob.glob(os.path.join(folder, "*.list")))]


def app_tests(folder=APPS):
    return [t for f in list_files(folder) for t in f.tests]


def program_tests():
    return app_tests(PROGRAMS)


def guest_tests():
    return abi_tests() + app_tests() + program_tests()


def oracle_version():
    try:
        return open(os.path.join(TOP, "tests", "oracle-version")).read().strip()
    except FileNotFoundError:
        return None
