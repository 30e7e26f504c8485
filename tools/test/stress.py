# SPDX-License-Identifier: Apache-2.0
"""stress: what a hostile program does to the kernel, and that it is still there afterwards.

    stress/fuzz        random system calls for a minute, on 2 CPUs (tests/stress/fuzz.c); what it does not know is a failure
    stress/fuzz-debug  the same on the debug kernel: lock order, and allocations that fail; in `make test-long` alone
    stress/forkbomb    processes until there are no more (tests/stress/forkbomb.c)
    stress/memhog      memory until there is no more (tests/stress/memhog.c)
    stress/output      four writers fill a serial port at once: nothing is lost, nobody waits for ever
    stress/oom         caches shrink first, then the right one is killed (tests/stress/oom.c)
    stress/failnth     each allocation of calls of many kinds fails once, on the debug kernel (tests/stress/failnth.c)
    stress/failnth-programs  each call stack that allocates in the programs of tests/abi fails once; in `make test` as many of
                       them as a minute allows, from the first on or from the one that SEED= names

Each is a command in a machine of its own; it must print what is expected, the shell must go
on, and the kernel's log must know of no oops.  SEED= repeats a run; without it `make test` has always the same seed,
`make test-long` a new one.
"""
import os, re, subprocess, time
import vm as vmlib

AFTER = "echo status $?; dmesg | grep -i -A12 'oops\\|lock order'; echo the shell goes on"
SHOWN = 10000                   # characters of a failure


def tests(long_run):
    seed = os.environ.get("SEED") or (str(int(time.time())) if long_run else "1")
    seconds = 600 if long_run else 60
    first = "a" if seed.isdigit() else seed         # of the programs of tests/abi
    whole = 7200 if long_run else 60
    fuzzed = [r"^fuzz: seed \d+", r"^fuzz: [1-9]\d{3,} calls by [1-9]\d* workers, done$"]
    return [
        ("stress/forkbomb", "256M", 300, "/tests/stress/forkbomb",
         [r"^limited: EAGAIN after 49 children$", r"^limited: status 0$", r"^afterwards: fork works$", r"^status 0$"]),
        ("stress/memhog", "256M", 300, "/tests/stress/memhog",
         [r"^pages: ended$", r"^file: ended$", r"^limit: ended$", r"^the shell answers$", r"^status 0$"]),
        ("stress/output", "256M", 300, "for i in 1 2 3 4; do (head -c 500000 /dev/zero | tr '\\0' x) & done; wait; echo",
         [r"^x{2000000}$", r"^status 0$"]),
        ("stress/oom", "192M", 120, "/tests/stress/oom",
         [r"^oom: the cache fills: yes$", r"^oom: more than was free: had$", r"^oom: the cache shrank: yes$", r"^oom: the hog: killed$",
          r"^oom: the volunteer: killed$", r"^oom: the modest: lives$", r"^oom: the spared: lives$", r"^oom: reports: 2$", r"^status 0$"]),
        ("stress/failnth", "256M", 300, "/tests/stress/failnth",
         [r"^failnth: [1-9]\d+ operations, no leaks$", r"^status 0$"]),
        ("stress/failnth-programs", "512M", whole + 300, f"/tests/stress/failnth programs {whole} {first}",
         [r"^failnth: [1-9]\d* programs, [1-9]\d* sites, no leaks$", r"^status 0$"]),
        ("stress/fuzz", "512M", seconds + 180, f"/tests/stress/fuzz {seconds} {seed}", fuzzed),
    ] + long_run * [("stress/fuzz-debug", "512M", seconds + 180, f"/tests/stress/fuzz {seconds} {seed}", fuzzed)]


def unknown_calls():
    """System calls that Keel has and the fuzzer does not call, nor says why not."""
    def text(*path):
        with open(os.path.join(vmlib.TOP, *path)) as f:
            return f.read()
    fuzz = text("tests", "stress", "fuzz.c")
    known = set(re.findall(r"\b[CL]\((\w+), \"", fuzz)) | set(re.search(r"NOT_CALLED: ([\w\s*]+?)\*/", fuzz).group(1).split())
    return sorted(set(re.findall(r"X\((\w+)\)", text("services", "syscall", "calls.h"))) - known)


def one(name, mem, limit, command, patterns):
    """What is wrong; empty: nothing."""
    env = dict(os.environ, INITRD="test", MEM=mem, SMP=os.environ.get("SMP") or "2")
    if name == "stress/fuzz" and unknown_calls():
        return f"calls that tests/stress/fuzz.c does not know: {' '.join(unknown_calls())}"
    if "failnth" in name or "debug" in name:
        subprocess.run(["make", "-s", "--no-print-directory", "-C", vmlib.TOP, "kernel", "DEBUG=1"], stdout=subprocess.DEVNULL, check=True)
        env["KERNEL"] = os.path.join(vmlib.TOP, "build", "debug", "keel")
    done = subprocess.run([os.path.join(vmlib.TOP, "tools", "run", "keel"), "--timeout", str(limit), "-c", f"{command}; {AFTER}"],
                          env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode("latin-1")        # and the console's end, if the guest hung or died
    missing = [p for p in patterns + [r"^the shell goes on$"] if not re.search(p, text, re.M)]
    if missing:
        return "no " + ", ".join(f"/{p}/" for p in missing) + f" in:\n{text[-SHOWN:]}"
    if re.search(r"oops|lock order", text, re.I):
        return text[-SHOWN:]
    return ""


def run(score, selected, long_run):
    for name, mem, limit, command, patterns in tests(long_run):
        if not selected(name):
            continue
        start = time.monotonic()
        wrong = one(name, mem, limit, command, patterns)
        seed = " SEED=" + command.split()[-1] if "fuzz" in name or "programs" in name else ""
        if wrong:
            score.fail(name, wrong, f"make test T={name}{seed}")
        else:
            score.ok(name, time.monotonic() - start)
