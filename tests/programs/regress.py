#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""regress: modules of python's own regression suite, a line per test and no times.

    regress.py MODULE... [-NAME...] [--unix]
        MODULE may be MODULE.CLASS; -NAME leaves out the tests whose id ends with NAME, or that are of a class NAME;
        --unix: sockets of AF_INET are of AF_UNIX instead, with abstract names for ports (see UnixForInet)
"""
import errno, itertools, os, re, socket, sys, unittest


class Result(unittest.TestResult):
    def say(self, test, word, why=""):
        name = test.id().removeprefix("test.") if hasattr(test, "id") else str(test)
        why = re.sub(r"@test_\d+", "@test_N", why)            # a process number
        print(f"{word:5} {name}{': ' + why if why else ''}", flush=True)

    def addSuccess(self, test):
        self.say(test, "ok")

    def addSkip(self, test, reason):
        self.say(test, "skip", reason)

    def addExpectedFailure(self, test, err):
        self.say(test, "xfail")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.say(test, "XOK")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.wrong(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.wrong(test, err)

    addError = addFailure

    def wrong(self, test, err):
        self.say(test, "WRONG", f"{err[0].__name__}: {str(err[1]).strip().splitlines()[-1:]}")


class UnixForInet(socket.socket):
    """What a test does with TCP on the loopback, over AF_UNIX: a port is an abstract name, and a connect
    that may not block says EINPROGRESS, as TCP's does. For kernels without AF_INET."""

    ports = itertools.count(30000 + os.getpid() % 1000 * 30)

    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        if fileno is None and family in (-1, socket.AF_INET):
            family, proto = socket.AF_UNIX, 0
        super().__init__(family, type, proto, fileno)

    def name(self, address):
        if self.family != socket.AF_UNIX or not isinstance(address, tuple):
            return address
        return f"\0port-{address[1] or next(self.ports)}"

    def address(self, name):
        if isinstance(name, bytes) and name.startswith(b"\0port-"):
            return ("127.0.0.1", int(name[6:]))
        return ("127.0.0.1", 0) if not name else name

    def bind(self, address):
        super().bind(self.name(address))

    def connect(self, address):
        super().connect(self.name(address))
        if isinstance(address, tuple) and self.gettimeout() == 0:
            raise BlockingIOError(errno.EINPROGRESS, os.strerror(errno.EINPROGRESS))

    def connect_ex(self, address):
        return super().connect_ex(self.name(address))

    def getsockname(self):
        return self.address(super().getsockname())

    def getpeername(self):
        return self.address(super().getpeername())

    def accept(self):
        other, name = super().accept()
        return other, self.address(name)


def without(suite, names):
    """The suite less the tests of these names, its order and nesting kept."""
    def out(test):
        return any(test.id().endswith(n) or f".{n}." in test.id() for n in names)
    kept = [without(t, names) if isinstance(t, unittest.TestSuite) else t for t in suite
            if isinstance(t, unittest.TestSuite) or not out(t)]
    return type(suite)(kept)


def main():
    from test import support
    modules = [a for a in sys.argv[1:] if not a.startswith("-")]
    names = [a[1:] for a in sys.argv[1:] if a.startswith("-") and a != "--unix"]
    if "--unix" in sys.argv:
        socket.socket = UnixForInet
    support.use_resources = ["subprocess"]
    support.verbose = 0
    os.environ["PYTHONUNBUFFERED"] = "1"
    result = Result()
    for m in modules:
        try:
            suite = unittest.defaultTestLoader.loadTestsFromName("test." + m)
        except unittest.SkipTest as why:
            print(f"skip  {m}: {why}", flush=True)
            continue
        without(suite, names).run(result)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
