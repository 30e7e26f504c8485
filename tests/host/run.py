#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run: runs the programs and fuzz targets that mk/host.mk has built, two at a time.

    run.py [--fuzz SECONDS] [T]     T: host/PROGRAM[.TEST] or a prefix of it

Prints what failed with the command that repeats it, and closes with `N passed, N failed`.
"""
import concurrent.futures, glob, os, re, shutil, subprocess, sys, time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOST = os.path.join(TOP, "build/host")
SUM = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


def programs(suffix):
    names = (os.path.basename(p)[:-2] for p in glob.glob(os.path.join(TOP, f"tests/host/*{suffix}.c")))
    return sorted(n.removesuffix("_test") for n in names)


def wanted(name, t):
    full = "host/" + name
    return not t or full.startswith(t) or t.startswith(full + ".")


def run_tests(name, t):
    """Returns (passed, failed, text)."""
    start = time.monotonic()
    try:
        done = subprocess.run([os.path.join(HOST, name)] + ([t] if t else []), cwd=TOP, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=1500)
        text, status = done.stdout, done.returncode
    except subprocess.TimeoutExpired as e:
        text, status = (e.stdout or b"").decode(errors="replace"), "time"
    found = SUM.search(text)
    passed, failed = (int(found[1]), int(found[2])) if found else (0, 1)
    if not found or (status != 0 and not failed):
        failed += bool(found)
        text += f"not ok host/{name} (status {status})\n      repeat: make test-host T=host/{name}\n"
    if not failed:
        text = ""
    return passed, failed, SUM.sub("", text).rstrip() + f"\n      host/{name}: {passed} passed, {time.monotonic() - start:.1f} s"


def run_script(name, _):
    """The tests that a service brings along with a stand-in of its own."""
    start = time.monotonic()
    done = subprocess.run([os.path.join(TOP, f"services/{name}/test/run")], cwd=TOP, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode == 0:
        return 1, 0, f"      host/{name}: 1 passed, {time.monotonic() - start:.1f} s"
    return 0, 1, done.stdout[-6000:] + f"\nnot ok host/{name} (status {done.returncode})\n      repeat: make test-host T=host/{name}"


def run_fuzz(name, seconds):
    short = name.removesuffix("_fuzz")
    corpus, crashes = os.path.join(HOST, "corpus", short), os.path.join(HOST, "crash", short)
    for d in (corpus, crashes):
        os.makedirs(d, exist_ok=True)
    for f in os.listdir(crashes):
        os.remove(os.path.join(crashes, f))
    seeds = [d for d in (os.path.join(HOST, "seeds", short), os.path.join(TOP, "tests/host/regress", short)) if os.path.isdir(d)]
    start = time.monotonic()
    command = [os.path.join(HOST, name), f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=3000", "-max_len=16384",
               f"-artifact_prefix={crashes}/", "-print_final_stats=1", "-close_fd_mask=1", corpus] + seeds
    done = subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    runs = re.search(r"number_of_executed_units: (\d+)", done.stdout)
    n = int(runs[1]) if runs else 0
    if done.returncode == 0 and n >= 100:
        return 1, 0, f"      host/{name}: {n} inputs, {time.monotonic() - start:.1f} s"
    said = [l for l in done.stdout.splitlines() if not l.startswith(("#", "INFO:", "0x", "stat::"))]     # progress, the input
    text = "\n".join(said)[-6000:] + f"\nnot ok host/{name} (status {done.returncode}, {n} inputs)\n"
    for f in os.listdir(crashes):
        kept = os.path.join(HOST, "corpus", short)
        shutil.copy(os.path.join(crashes, f), kept)         # so that the command repeats it
        text += f"      input: {os.path.relpath(os.path.join(crashes, f), TOP)}\n"
    return 0, 1, text + f"      repeat: make test-host T=host/{name}"


def main():
    words = sys.argv[1:]
    seconds = 8
    if "--fuzz" in words:
        i = words.index("--fuzz")
        seconds = int(words[i + 1])
        del words[i:i + 2]
    t = words[0].rstrip("*") if words else None
    subprocess.run([os.path.join(TOP, "tests/host/seeds.py"), HOST], check=True)
    jobs = [(run_tests, n, t) for n in programs("_test") if wanted(n, t)]
    scripts = sorted(p.split("/")[-3] for p in glob.glob(os.path.join(TOP, "services/*/test/run")))
    jobs += [(run_script, n, t) for n in scripts if wanted(n, t)]
    jobs += [(run_fuzz, n, seconds) for n in programs("_fuzz") if wanted(n, t)]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for p, f, text in pool.map(lambda j: j[0](*j[1:]), jobs):
            passed, failed = passed + p, failed + f
            print(text.lstrip("\n"), flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
