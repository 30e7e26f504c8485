#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""stressors: the stressors of a class of stress-ng, one after another on all CPUs, with --verify; a line for each.

    stressors.py CLASS... [-CLASS...] [+NAME...] [--without NAME...]
        -CLASS: not those that are of this class too; +NAME: this one as well

A stressor passes, is skipped (it says it cannot run here) or fails; how fast it was does not matter.
"""
import os, signal, subprocess, sys

SECONDS, LIMIT = 1, 120         # of a run; until it is taken to hang


def of_class(name):
    out = subprocess.run(["stress-ng", "--class", name + "?"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return out.stdout.strip().splitlines()[-1].partition(": ")[2].split()


def verdict(name):
    run = subprocess.Popen(["stress-ng", "--" + name, str(os.cpu_count()), "--timeout", str(SECONDS), "--verify"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                           start_new_session=True)
    try:
        out, _ = run.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        return "HANGS"
    if run.returncode == 0:
        return "skipped" if "skip" in out else "passed"
    if run.returncode in (3, 4) or "No stress workers invoked" in out:   # no resources, not implemented: it says so itself
        return "skipped"
    why = [line.split("] ")[-1] for line in out.splitlines() if "fail:" in line or "error:" in line]
    return f"FAILED {run.returncode} {'; '.join(why[:3])}"


def main():
    args, without = sys.argv[1:], []
    if "--without" in args:
        args, without = args[:args.index("--without")], args[args.index("--without") + 1:]
    names = sorted(({n for c in args if c[0] not in "+-" for n in of_class(c)}
                    - {n for c in args if c[0] == "-" for n in of_class(c[1:])} - set(without))
                   | {a[1:] for a in args if a[0] == "+"})
    for name in names:
        print(name, verdict(name), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
