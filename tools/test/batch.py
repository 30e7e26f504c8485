# SPDX-License-Identifier: Apache-2.0
"""batch: runs many guest tests per boot and survives a guest that hangs or dies.

run_batch(cfg, tests) yields a Result per test, in order. When the guest stops answering or
ends, the test that was running gets the blame and a new guest goes on with the rest.
"""
import os, re, stat, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "run"))
import vm as vmlib
from suites import verdict

BOOT_SECONDS = 300              # a guest that has not begun a test by then is hung; the big image takes minutes on a loaded host
GRACE = 20                      # after a test's own limit
MAX_DEATHS = 25                 # then the rest is reported as not run
TROUBLE = re.compile(rb"(?i)^.*(\boops\b|\block order:|\bpanic\b|\bBUG:|sanitizer|double fault).*$", re.M)


class Result:
    def __init__(self, test, got=None, trouble="", seconds=0.0):
        self.test, self.got, self.trouble, self.seconds = test, got, trouble, seconds

    def passed(self):
        return self.got is not None and self.got == self.test.recorded()


class Reader:
    """Parses what user/runner.c writes."""

    def __init__(self, tests):
        self.by_name = {t.name: t for t in tests}
        self.data, self.results, self.current, self.done = b"", [], None, False
        self.since = time.monotonic()

    def feed(self, data):
        self.data += data
        while self.step():
            pass

    def step(self):
        at = self.data.find(b"\n")
        if at < 0:
            return False
        words = self.data[:at].decode("latin-1").split()
        if words[:1] == ["@@begin"] and words[1] in self.by_name:
            self.data = self.data[at + 1:]
            self.current, self.since = self.by_name[words[1]], time.monotonic()
        elif words[:1] == ["@@end"] and len(words) == 5:
            length = int(words[4])
            if len(self.data) < at + 1 + length:
                return False
            output = self.data[at + 1:at + 1 + length]
            self.data = self.data[at + 1 + length:]
            self.end(words, output)
        else:
            self.done = self.done or words == ["@@done"]
            self.data = self.data[at + 1:]
        return True

    def end(self, words, output):
        _, name, how, value, _ = words
        test = self.by_name[name]
        took = time.monotonic() - self.since
        trouble = f"no end within {value} s in the guest" if how == "timeout" else ""
        self.results.append(Result(test, verdict(output, how, value), trouble, took))
        self.current, self.since = None, time.monotonic()

    def deadline(self, first):
        limit = self.current.seconds if self.current else 0
        return self.since + limit + (BOOT_SECONDS if first() else GRACE)


def make_overlay(mkimage, tests):
    plan = "".join(f"{t.name} {t.seconds} {' '.join(t.argv)}\n" for t in tests)
    files = {"keel/cmd": (stat.S_IFLNK | 0o777, b"/tests/runner"),
             "keel/plan": (stat.S_IFREG | 0o644, plan.encode())}
    for t in tests:
        if t.script is not None:
            files[f"keel/{t.name}"] = (stat.S_IFREG | 0o755, t.script.encode())
    return mkimage.overlay(files)


def one_boot(cfg, tests, mkimage, on_result):
    """Returns (number of results, the console's text, why the guest ended, current test)."""
    cfg.overlay = make_overlay(mkimage, tests)
    machine, console, reader = vmlib.VM(cfg), bytearray(), Reader(tests)
    seen = 0

    def on_port(data):
        nonlocal seen
        reader.feed(data)
        for r in reader.results[seen:]:
            on_result(r)
        seen = len(reader.results)

    first = lambda: not reader.results and reader.current is None
    machine.start()
    try:
        ended = machine.pump(console.extend, on_port, None, lambda: reader.deadline(first))
    finally:
        machine.stop()
    why = "" if reader.done else \
        (f"the guest ended ({machine.reason or 'QEMU failed'})" if ended else "the guest hung")
    return seen, bytes(console), why, reader.current


def run_batch(cfg, tests, mkimage, on_result):
    """Runs all tests; returns the console's lines that speak of trouble in the kernel."""
    left, deaths, dead_boots, trouble = list(tests), 0, 0, []
    while left:
        seen, console, why, current = one_boot(cfg, left, mkimage, on_result)
        trouble += [m.group(0).decode("latin-1").strip() for m in TROUBLE.finditer(console)]
        left = left[seen:]
        if not why and not left:
            break
        deaths += 1
        why = why or "the runner ended early"
        tail = "\n".join(console.decode("latin-1").replace("\r", "").splitlines()[-25:])
        if seen == 0 and current is None:
            dead_boots += 1
        if left and current is not None:
            on_result(Result(left.pop(0), None, f"{why}; the console's end:\n{tail}"))
        if dead_boots >= 2 or deaths > MAX_DEATHS:
            for t in left:
                on_result(Result(t, None, f"not run: {why}; the console's end:\n{tail}"))
                tail = "(as above)"
            break
    return trouble
