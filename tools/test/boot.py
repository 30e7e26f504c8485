# SPDX-License-Identifier: Apache-2.0
"""boot: machines, processors, sizes, command lines and broken images.

    boot/MACHINE-CPU-SMP-MEM     boots the tiny image and runs a command in it
    boot/NAME                    a command line or an image, and what Linux makes of it
"""
import gzip, importlib.machinery, importlib.util, os, re, stat, sys, tempfile, time
import vm as vmlib
from ports import Ports

LIMIT = 90
COMMAND = "echo booted; busybox nproc; busybox awk '/MemTotal/ { print ($2 > 30000) }' /proc/meminfo; exit 5"
PROBE = """#!/bin/sh
echo "probe: $0"
for a in "$@"; do echo "arg: $a"; done
echo "env: bar=$bar quoted=$quoted"
%s
"""

SHORT = [("q35", "max", 1, "512M"), ("q35", "max", 2, "64M"), ("q35", "max", 4, "512M"), ("q35", "max", 8, "8G"),
         ("pc", "max", 2, "512M"), ("pc", "qemu64", 1, "64M"), ("q35", "qemu64", 2, "512M"),
         ("q35", "max,-erms", 2, "512M"), ("microvm", "max", 1, "64M"), ("microvm", "qemu64", 2, "512M")]
LONG = [(m, c, s, mem) for m in ("q35", "pc", "microvm") for c in ("max", "max,-erms", "qemu64")
        for s in (1, 2, 4, 8) for mem in ("64M", "1G", "8G")]


class Failed(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Failed(what)


class Boot:
    """One boot to its end: the console's text, the port's, why and how it ended."""

    def __init__(self, mkimage, append="", files=None, initrd="tiny", bare=True, archive=None, **settings):
        kernel = os.environ.get("KERNEL") or "keel"
        cfg = vmlib.Config(kernel=kernel, initrd=initrd, accel=os.environ.get("ACCEL") or "", **settings)
        cfg.append, cfg.bare_append = append, bare
        if bare and kernel == "linux":
            cfg.append = "no_timer_check " + append
        cfg.overlay = archive if archive is not None else mkimage.overlay(files) if files else b""
        self.console, self.port = bytearray(), bytearray()
        machine = vmlib.VM(cfg)
        end = time.monotonic() + LIMIT
        try:
            machine.start()
            self.ended = machine.pump(self.console.extend, self.port.extend, None, lambda: end)
        finally:
            machine.stop()
        self.reason, self.status = machine.reason, machine.status
        self.text = self.console.decode("latin-1").replace("\r", "")

    def has(self, pattern):
        check(re.search(pattern, self.text, re.M), f"no /{pattern}/ on the console:\n{self.text[-1500:]}")

    def ends(self, reason):
        check(self.ended, f"no end within {LIMIT} s; the console's end:\n{self.text[-1500:]}")
        check(self.reason == reason, f"QEMU ended by {self.reason}, not {reason}; the console's end:\n{self.text[-1500:]}")


def script(body):
    return {"probe": (stat.S_IFREG | 0o755, (PROBE % body).encode())}


def machine_case(m, cpu, smp, mem):
    def run(mk):
        size = "128M" if mem == "64M" and os.environ.get("KERNEL") == "linux" else mem    # it needs more
        files = {"keel/cmd": (stat.S_IFREG | 0o755, ("#!/bin/sh\n" + COMMAND + "\n").encode())}
        b = Boot(mk, "", files, bare=False, machine=m, cpu=cpu, smp=smp, mem=size)
        want = b"booted\n%d\n1\n\0keel-exit 5\n" % smp
        check(bytes(b.port) == want, f"the port said {bytes(b.port)!r}; the console's end:\n{b.text[-1500:]}")
        b.ends("guest-shutdown")
    return run


# ---- command lines ----

C = "console=ttyS0 panic=-1 "


def arguments(mk):
    """unknown words go to init as arguments, assignments as environment, `--` ends ours."""
    b = Boot(mk, C + 'rdinit=/probe foo bar=1 quoted="a b" quiet -- one "two words" bar=3',
             script("poweroff -f"))
    b.has(r"^probe: /probe$")
    got = re.findall(r"^arg: (.*)$", b.text, re.M)
    check(got == ["foo", "one", "two words", "bar=3"], f"arguments {got}")
    b.has(r"^env: bar=1 quoted=a b$")
    b.ends("guest-shutdown")


def init_is_ignored(mk):
    """init= does not count where the initramfs has /init."""
    files = {**script("poweroff -f"), "init": (stat.S_IFREG | 0o755, b"#!/bin/sh\necho the real one\nbusybox poweroff -f\n")}
    b = Boot(mk, C + "quiet init=/probe", files)
    b.has(r"^the real one$")
    b.ends("guest-shutdown")


def restart(mk):
    """reboot, with -no-reboot, ends QEMU."""
    b = Boot(mk, C + "quiet rdinit=/probe", script("reboot -f"))
    b.ends("guest-reset")


def quiet(mk):
    """quiet: nothing of the kernel before init speaks."""
    b = Boot(mk, C + "quiet rdinit=/probe", script("exec poweroff -f"))
    before = b.text.split("probe:")[0]
    check(not re.search(r"^\[ *\d+\.\d+\]", before, re.M), f"the kernel spoke:\n{before[-1000:]}")


def not_quiet(mk):
    """without it: a log with times."""
    b = Boot(mk, C + "rdinit=/probe", script("poweroff -f"))
    b.has(r"^\[ *\d+\.\d{6}\] ")


def loglevel(mk):
    """loglevel=0 is as quiet."""
    b = Boot(mk, C + "loglevel=0 rdinit=/probe", script("exec poweroff -f"))
    before = b.text.split("probe:")[0]
    check(len(re.findall(r"^\[ *\d+\.\d+\]", before, re.M)) == 0, f"the kernel spoke:\n{before[-1000:]}")


def missing_init(mk):
    """rdinit= names nothing, and there is no root device: panic, and panic=-1 ends QEMU."""
    b = Boot(mk, C + "rdinit=/missing")
    b.has(r"Kernel panic - not syncing: ")
    b.ends("guest-reset")


def no_init(mk):
    """an image whose init cannot run."""
    files = {"init": (stat.S_IFREG | 0o755, b"not a program"), "dev/console": (stat.S_IFREG | 0o600, b"")}
    b = Boot(mk, C, files, initrd="")
    b.has(r"(Failed to execute /init \(error -8\)|No working init found)")
    b.has(r"Kernel panic - not syncing: No working init found")
    b.ends("guest-reset")


def dying_init(mk):
    """init exits: panic with its status."""
    b = Boot(mk, C + "rdinit=/probe", script("exit 3"))
    b.has(r"Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000300")
    b.ends("guest-reset")


def crashing_init(mk):
    """init does not handle SIGSEGV, and gets one."""
    from suites import TOP
    program = open(os.path.join(TOP, "build", "user", "crash"), "rb").read()
    b = Boot(mk, C + "rdinit=/crash", {"crash": (stat.S_IFREG | 0o755, program)})
    b.has(r"Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b")
    b.ends("guest-reset")


def no_initrd(mk):
    """no image at all."""
    b = Boot(mk, C, initrd="")
    b.has(r"Kernel panic - not syncing: ")
    b.ends("guest-reset")


# ---- images ----

def two_archives(mk):
    """gzip after gzip; the later file wins."""
    first = gzip.compress(mk.overlay({"probe": (stat.S_IFREG | 0o755, b"#!/bin/sh\necho first\n")}))
    first += b"\0" * (-len(first) % 4)
    second = mk.overlay({"probe": (stat.S_IFREG | 0o755, b"#!/bin/sh\necho second\npoweroff -f\n")})
    b = Boot(mk, C + "quiet rdinit=/probe", archive=first + second)
    b.has(r"^second$")
    b.ends("guest-shutdown")


def plain_archive(mk):
    """an image without compression."""
    data = gzip.decompress(open(os.path.join(vmlib.BUILD, "images", "tiny.img"), "rb").read())
    b = Boot(mk, C + "quiet rdinit=/probe", initrd="", archive=data + mk.overlay(script("poweroff -f")))
    b.has(r"^probe: /probe$")
    b.ends("guest-shutdown")


def hard_links(mk):
    """hard links, fifos and devices of an archive."""
    body = "busybox stat -c '%h %F' /l1 /f /d; busybox cat /l2; poweroff -f"
    image = mk.Image("")
    image.tree["probe"] = mk.Entry(stat.S_IFREG | 0o755, (PROBE % body).encode())
    image.tree["l1"] = mk.Entry(stat.S_IFREG | 0o644, b"linked\n")
    image.tree["l2"] = mk.Entry(stat.S_IFREG | 0o644, same="l1")
    image.tree["f"] = mk.Entry(stat.S_IFIFO | 0o600)
    image.tree["d"] = mk.Entry(stat.S_IFCHR | 0o600, rdev=(1, 5))
    b = Boot(mk, C + "quiet rdinit=/probe", archive=image.cpio())
    b.has(r"^2 regular file\n1 fifo\n1 character special file\nlinked$")
    b.ends("guest-shutdown")


def cut_image(mk):
    """an image cut before its init is complete: a message, no crash."""
    data = open(os.path.join(vmlib.BUILD, "images", "tiny.img"), "rb").read()
    b = Boot(mk, C, initrd="", archive=data[:15000])
    b.has(r"Kernel panic - not syncing: ")
    b.ends("guest-reset")


def rubbish_image(mk):
    """rubbish for an image."""
    b = Boot(mk, C, initrd="", archive=bytes((i * 7919 >> 3) & 255 for i in range(200000)))
    b.has(r"Kernel panic - not syncing: ")
    b.ends("guest-reset")


def hostile_archives(mk):
    """headers with impossible sizes, after a good image: it boots all the same or panics, in time."""
    head = lambda namesize, size: b"070701" + b"%08X" * 13 % (1, 0o100644, 0, 0, 1, 0, size, 0, 0, 0, 0, namesize, 0)
    bad = [head(0, 0), head(0xffffffff, 5), head(5, 0xfffffff0) + b"abcd\0", head(1 << 20, 1),
           head(0xfffffffc, 0xfffffffc) + b"x" * 50, b"070701" + b"Z" * 104, b"070702" + b"0" * 104]
    for data in bad:
        b = Boot(mk, C + "quiet rdinit=/probe", archive=mk.overlay(script("poweroff -f")) + data + b"\0" * 512)
        check(b.ended, f"no end with {data[:60]!r}; the console's end:\n{b.text[-800:]}")
        check("probe:" in b.text or "panic" in b.text, f"neither with {data[:60]!r}:\n{b.text[-800:]}")


def long_command_line(mk):
    """a command line of 1900 characters."""
    b = Boot(mk, C + "quiet rdinit=/probe -- " + "x" * 1800, script("poweroff -f"))
    b.has(r"^arg: x{1800}$")
    b.ends("guest-shutdown")


# ---- virtio consoles ----

SERIAL = "virtio-serial-pci"
MOUNT = "#!/bin/sh\nbusybox mount -t proc none /proc\nbusybox mount -t sysfs none /sys\nbusybox mount -t devtmpfs none /dev\n"
SHELL = MOUNT + "exec busybox setsid -c busybox sh -i < /dev/hvc0 > /dev/hvc0 2>&1\n"


def same(what, got, data):
    good = next((i for i, (a, b) in enumerate(zip(got, data)) if a != b), min(len(got), len(data)))
    check(got == data, f"{what}: {len(got)} bytes came, of which {good} are right")


def virtio_shell(mk, smp=2):
    """console=hvc0: a shell, typed into; 2 MB typed, and sent out again by a port and by a second console, without loss."""
    # QEMU drops a console's output that its socket has no room for, so the whole goes to a file.
    with tempfile.NamedTemporaryFile() as out:
        devices = [SERIAL, "virtconsole,chardev=hvc", "virtserialport,chardev=stream", "virtconsole,chardev=out"]
        p = Ports(mk, SHELL, devices, ["hvc", "stream"], "console=hvc0 panic=-1 rdinit=/probe", smp,
                  ["-chardev", f"file,id=out,path={out.name}"])
        try:
            check(p.expect("hvc", rb"# (\x1b\[6n)?$"), f"no prompt: {bytes(p.got['hvc'])[-500:]!r}; ttyS0: {bytes(p.console)[-800:]!r}")
            p.send("hvc", b"echo $((6 * 7)) $(busybox tty) $(busybox cat /sys/class/tty/console/active)\r")
            check(p.expect("hvc", rb"\n42 /dev/hvc0 hvc0\r\n.*# (\x1b\[6n)?$"), f"no answer: {bytes(p.got['hvc'])[-500:]!r}")
            data = bytes((i * 7919 >> 5) & 255 for i in range(2 << 20))
            p.send("hvc", b"busybox stty raw -echo; echo go; busybox head -c %d > /big; busybox stty sane; busybox cat /big > /dev/vport0p1; "
                          b"exec 4<>/dev/hvc1; busybox stty raw <&4; busybox cat /big >&4; echo done\r" % len(data))
            check(p.expect("hvc", rb"\ngo\n"), "it does not go")
            p.send("hvc", data)
            same("the port", p.take("stream", len(data)), data)
            check(p.expect("hvc", rb"done\r\n"), f"no end: {bytes(p.got['hvc'])[-500:]!r}")
            p.send("hvc", b"busybox poweroff -f\r")
            check(p.pump(lambda: p.vm.proc.poll() is not None), "no end")
            same("the second console", out.read(), data)
        finally:
            p.stop()


def virtio_shell_1(mk):
    """the same with one processor."""
    virtio_shell(mk, 1)


def virtio_port(mk):
    """a named port: its name in /sys, its bytes to the host and back, EBUSY, the end when the host closes."""
    script = MOUNT + """cd /sys/class/virtio-ports
for p in *; do echo "$p $(busybox cat $p/name)"; done
cd /dev
exec 3<>/dev/vport0p3
busybox dd if=/dev/vport0p3 of=/dev/null 2>&1 | busybox grep -o 'busy'
echo hello >&3
read -r line <&3
echo "the host says $line"
busybox head -c 500000 /dev/zero | busybox tr '\\0' x >&3
read -r line <&3
echo "then $line"
busybox cat <&3
echo "end"
busybox poweroff -f
"""
    p = Ports(mk, script, [SERIAL, "virtconsole,chardev=hvc", "virtserialport,chardev=echo,name=org.keel.echo,nr=3",
                           "virtserialport,chardev=other,name=another,nr=7"],
              ["hvc", "echo", "other"], "console=ttyS0 quiet panic=-1 rdinit=/probe")
    try:
        check(p.expect("echo", rb"hello\n"), f"no hello: {bytes(p.console)[-800:]!r}")
        p.send("echo", b"HELLO\n")
        got = p.take("echo", 500000)
        check(got == b"x" * 500000, f"{len(got)} bytes came")
        p.send("echo", b"thanks\n")
        p.pump(lambda: b"then" in p.console)
        p.sockets.pop("echo").close()
        check(p.pump(lambda: p.vm.proc.poll() is not None), f"no end: {bytes(p.console)[-800:]!r}")
        text = bytes(p.console).replace(b"\r", b"").decode("latin-1")
        check(text.startswith("vport0p3 org.keel.echo\nvport0p7 another\nbusy\nthe host says HELLO\nthen thanks\nend\n"), text[-800:])
    finally:
        p.stop()


CASES = [virtio_shell, virtio_shell_1, virtio_port, arguments, init_is_ignored, restart, quiet, not_quiet, loglevel, missing_init, no_init, dying_init,
         crashing_init, no_initrd, two_archives, plain_archive, hard_links, cut_image, rubbish_image, long_command_line]
LONG_CASES = [hostile_archives]


def load_mkimage():
    path = os.path.join(vmlib.TOP, "tools", "image", "mkimage")
    loader = importlib.machinery.SourceFileLoader("mkimage", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("mkimage", loader))
    loader.exec_module(module)
    return module


def run(score, selected, long_run):
    mk, tests = load_mkimage(), []
    for case in LONG if long_run else SHORT:
        tests.append(("boot/" + "-".join(str(x).replace(",-", "-no-") for x in case), machine_case(*case)))
    for f in CASES + (LONG_CASES if long_run else []):
        tests.append(("boot/" + f.__name__.replace("_", "-"), f))
    kernel = os.environ.get("KERNEL") or "keel"
    for name, f in tests:
        if not selected(name):
            continue
        if kernel == "linux" and "virtio" in name:
            print(f"skip  {name}: the oracle's driver is a module")
            continue
        if kernel == "linux" and "microvm" in name:
            print(f"skip  {name}: Linux finds no clock there without KVM")
            continue
        start = time.monotonic()
        try:
            f(mk)
            score.ok(name, time.monotonic() - start)
        except (Failed, OSError) as e:
            target = "test-long" if long_run else "test"
            score.fail(name, f"{f.__doc__ or 'boots and runs a command'}\n{e}",
                       f"make {target} T={name}" + (f" KERNEL={kernel}" if kernel != "keel" else ""))
