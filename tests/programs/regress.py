#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""regress: modules of python's own regression suite, a line per test and no times.

    regress.py MODULE... [-NAME...]     -NAME leaves out the tests whose id ends with NAME
"""
import os, re, sys, unittest


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


def without(suite, names):
    """The suite less the tests of these names, its order and nesting kept."""
    kept = [without(t, names) if isinstance(t, unittest.TestSuite) else t for t in suite
            if isinstance(t, unittest.TestSuite) or not any(t.id().endswith(n) for n in names)]
    return type(suite)(kept)


def main():
    from test import support
    modules = [a for a in sys.argv[1:] if not a.startswith("-")]
    names = [a[1:] for a in sys.argv[1:] if a.startswith("-")]
    support.use_resources = ["subprocess"]
    support.verbose = 0
    os.environ["PYTHONUNBUFFERED"] = "1"
    result = Result()
    for m in modules:
        suite = unittest.defaultTestLoader.loadTestsFromName("test." + m)
        without(suite, names).run(result)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
