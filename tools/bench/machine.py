# SPDX-License-Identifier: Apache-2.0
"""machine: boots one of the compared kernels with the benchmark as process 1.

Interface
    boot(kernel, mode, ...)     -> list of lines, each a list of fields
    image(name)                 the initramfs: build/images/NAME.img with /bench added
    ticks_at(kernel, address)   TSC when the CPU first gets to a physical address
"""
import hashlib, os, socket, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(TOP, "build")
BENCH = os.path.join(BUILD, "bench")                # the program and its images
OUT = os.path.abspath(os.environ.get("BENCH_OUT") or BENCH)     # what is measured
sys.path.insert(0, os.path.join(TOP, "tools", "run"))
sys.dont_write_bytecode = True
import vm as vmlib

PLAIN = "console=ttyS0 panic=-1 quiet"
LINUX = PLAIN + " loglevel=3 no_timer_check random.trust_cpu=on"
LEAN = ("mitigations=off init_on_alloc=0 randomize_kstack_offset=off hardened_usercopy=off "
        "lsm= cgroup_disable=memory audit=0")
KERNELS = {                     # name: kernel file, its words
    "keel": (os.path.join(BUILD, "keel"), PLAIN),
    "bare": (os.path.join(BUILD, "bare", "keel"), PLAIN),       # without traps: mk/kernel.mk, BARE=1
    "linux": (os.path.join(BUILD, "oracle", "vmlinuz"), LINUX),
    "lean": (os.path.join(BUILD, "oracle", "vmlinuz"), LINUX + " " + LEAN),
}
# KEEL=path/to/keel measures another build of the kernel, for comparing two.
if os.environ.get("KEEL"):
    KERNELS["keel"] = (os.path.abspath(os.environ["KEEL"]), PLAIN)


def icount_flags(seed):
    return ["-icount", "shift=0,sleep=off", "-seed", str(seed),
            "-rtc", "base=2026-01-01T00:00:00,clock=vm"]


def image(name):
    """The image with the benchmark program in it; made again when one of the two is newer."""
    base = os.path.join(BUILD, "images", name + ".img")
    prog = os.path.join(BENCH, "bench")
    out = os.path.join(BENCH, name + ".img")
    if os.path.exists(out) and os.path.getmtime(out) > max(map(os.path.getmtime, (base, prog))):
        return out
    import importlib.machinery, importlib.util
    loader = importlib.machinery.SourceFileLoader("mkimage", os.path.join(TOP, "tools/image/mkimage"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("mkimage", loader))
    loader.exec_module(module)
    data = open(base, "rb").read()
    extra = module.overlay({"bench": (0o100755, open(prog, "rb").read())})
    new = f"{out}.{os.getpid()}"
    with open(new, "wb") as f:
        f.write(data + b"\0" * (-len(data) % 4) + extra)
    os.replace(new, out)
    return out


class Trouble(Exception):
    pass


def config(kernel, words, *, seed=1, mem="512M", smp=1, img="tiny", icount=True, extra=()):
    path, own = KERNELS[kernel]
    cfg = vmlib.Config(kernel=path, initrd=image(img), bare_append=True, mem=mem, smp=smp,
                       append=f"{own} rdinit=/bench {words}".strip(), machine="q35", measuring=True)
    if icount:
        cfg.accel, cfg.cpu = "tcg,thread=single", "max,-erms"
        cfg.extra = icount_flags(seed)
    else:
        cfg.accel, cfg.cpu = "tcg,thread=multi", "max"
        cfg.extra = ["-rtc", "base=2026-01-01T00:00:00"]
    cfg.extra += list(extra)
    return cfg


def boot(kernel, mode, *, only="", budget=None, append="", timeout=900, on_line=None, **options):
    """Boots, waits for "end" and power-off, returns the fields of every line the program printed."""
    words = f"bench.mode={mode}"
    if only:
        words += " bench.only=" + only.replace(" ", "_")
    if budget:
        words += f" bench.budget={budget}"
    cfg = config(kernel, words + (" " + append if append else ""), **options)
    machine, text, lines, done = vmlib.VM(cfg), bytearray(), [], []

    def on_console(data):
        text.extend(data)
        while b"\n" in text:
            line, _, rest = bytes(text).partition(b"\n")
            text[:] = rest
            line = line.decode(errors="replace").strip("\r\0")
            lines.append(line.split("\t"))
            if line == "end":
                done.append(True)
            if on_line:
                on_line(machine, line)

    end = time.monotonic() + timeout
    machine.start()
    try:
        machine.pump(on_console, None, None, lambda: end)
    finally:
        machine.stop()
    if not done:
        tail = "\n".join("  " + "\t".join(l) for l in lines[-30:])
        raise Trouble(f"{kernel}: {mode}: did not come to its end\n{tail}\n  {bytes(text)!r}")
    return lines


# ---- the TSC at an address ------------------------------------------------------------

class Gdb:
    """As much of gdb's protocol as stopping at an address takes."""

    def __init__(self, port):
        for _ in range(100):
            try:
                self.s = socket.create_connection(("127.0.0.1", port), timeout=600)
                break
            except OSError:
                time.sleep(0.05)
        self.buf = b""

    def ask(self, text):
        data = text.encode()
        self.s.sendall(b"$" + data + b"#%02x" % (sum(data) & 255))
        while True:
            while self.buf.count(b"#") == 0 or len(self.buf) < self.buf.index(b"#") + 3:
                got = self.s.recv(65536)
                if not got:
                    raise Trouble("gdb: QEMU is gone")
                self.buf += got
            at = self.buf.index(b"$")
            end = self.buf.index(b"#", at)
            answer, self.buf = self.buf[at + 1:end], self.buf[end + 3:]
            self.s.sendall(b"+")
            return answer.decode()


def ticks_at(kernel, address, *, seed=1, append="", timeout=600, words="", img="tiny"):
    """Runs to `address`, puts `rdtsc` there, executes it: the instructions executed so far."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cfg = config(kernel, (words + " " + append).strip(), seed=seed, img=img,
                 extra=["-S", "-gdb", f"tcp:127.0.0.1:{port}"])
    machine = vmlib.VM(cfg)
    machine.start()
    try:
        gdb = Gdb(port)
        gdb.ask("?")
        if gdb.ask(f"Z1,{address:x},1") != "OK":
            raise Trouble("gdb: no breakpoint")
        stop = gdb.ask("c")
        if not stop.startswith("T05"):
            raise Trouble(f"gdb: stopped with {stop}")
        gdb.ask(f"z1,{address:x},1")
        gdb.ask(f"M{address:x},2:0f31")
        gdb.ask("s")
        regs = bytes.fromhex(gdb.ask("g").replace("x", "0"))
        # rax, rbx, rcx, rdx: eight bytes each in 64-bit mode, four each (eax, ecx, edx) else
        rax, rdx = regs[0:8], regs[24:32]
        low, high = int.from_bytes(rax[:4], "little"), int.from_bytes(rdx[:4], "little")
        return high << 32 | low
    finally:
        machine.stop()
