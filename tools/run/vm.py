# SPDX-License-Identifier: Apache-2.0
"""vm: one QEMU virtual machine, started, listened to and ended.

Interface
    cfg = Config.from_environment()     KERNEL, INITRD, APPEND, ACCEL, SMP, MEM, MACHINE, CPU
    vm = VM(cfg)                        builds the command line
    vm.start()
    vm.pump(...)                        until QEMU has ended, a callback says stop, or time is up
    vm.stop()                           always safe; ends QEMU if it still runs
    vm.reason                           why it ended: guest-shutdown (power-off), guest-reset (reboot
                                        or triple fault), debug-exit, killed, ...

The console (ttyS0), the raw port (ttyS1) and QEMU's control channel are socket pairs, so no
byte of theirs touches a terminal or a file.
"""
import ctypes, json, os, select, signal, socket, subprocess, sys, time
from dataclasses import dataclass, field

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build")
BARE_MARK = b"keel: built without traps"        # mk/kernel.mk, BARE=1
DEBUG_EXIT_PORT = 0xF4          # isa-debug-exit: QEMU ends with status 2n + 1 for a written n


def can_kvm():
    """KVM only where the processor has it and /dev/kvm opens."""
    try:
        with open("/proc/cpuinfo") as f:
            flags = next(line for line in f if line.startswith("flags")).split()
        if not {"vmx", "svm"} & set(flags):
            return False
        os.close(os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC))
        return True
    except (OSError, StopIteration):
        return False


@dataclass
class Config:
    kernel: str = "keel"            # keel, linux (the oracle), or a path
    initrd: str = ""                # an image's name, or a path
    append: str = ""                # added to the launcher's own words
    bare_append: bool = False       # append is the whole command line
    accel: str = ""                 # kvm, tcg; empty: chosen
    smp: int = 2
    mem: str = "512M"
    machine: str = "q35"
    cpu: str = ""                   # empty: max, or host with KVM
    overlay: bytes = b""            # a cpio archive that is put after the initrd
    extra: list = field(default_factory=list)   # more QEMU arguments
    measuring: bool = False         # a kernel without traps may run

    @staticmethod
    def from_environment(**defaults):
        c = Config(**defaults)
        env = os.environ
        c.kernel = env.get("KERNEL") or c.kernel
        c.initrd = env.get("INITRD") or c.initrd
        c.append = env.get("APPEND") or c.append
        c.accel = env.get("ACCEL") or c.accel
        c.smp = int(env.get("SMP") or c.smp)
        c.mem = env.get("MEM") or c.mem
        c.machine = env.get("MACHINE") or c.machine
        c.cpu = env.get("CPU") or c.cpu
        return c

    def kernel_path(self):
        debug = "debug" if os.environ.get("DEBUG") == "1" else ""
        names = {"keel": os.path.join(BUILD, debug, "keel"),
                 "linux": os.path.join(BUILD, "oracle", "vmlinuz")}
        return names.get(self.kernel, self.kernel)

    def initrd_path(self):
        if not self.initrd or "/" in self.initrd:
            return self.initrd
        return os.path.join(BUILD, "images", self.initrd + ".img")

    def command_line(self):
        if self.bare_append:
            return self.append
        words = ["console=ttyS0", "panic=-1", "quiet"]
        if self.kernel == "linux":
            words += ["no_timer_check", "loglevel=3", "random.trust_cpu=on", "mitigations=off"]
        return " ".join(words + [self.append]).strip()


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)     # PR_SET_PDEATHSIG


class VM:
    def __init__(self, cfg):
        self.cfg, self.proc, self.reason, self.status = cfg, None, "", None
        self.temporary = None
        self.console = self.port = self.control = None
        self.control_text = b""

    # ---- the command line ----

    def accel(self):
        if self.cfg.accel:
            return self.cfg.accel
        return "kvm" if can_kvm() else "tcg"

    def initrd(self):
        """The image, followed by the overlay when there is one."""
        path = self.cfg.initrd_path()
        if not self.cfg.overlay:
            return path
        data = open(path, "rb").read() if path else b""
        self.temporary = os.memfd_create("initrd")
        with os.fdopen(os.dup(self.temporary), "wb") as f:
            f.write(data + b"\0" * (-len(data) % 4) + self.cfg.overlay)
        return f"/proc/self/fd/{self.temporary}"

    def arguments(self, fds):
        c, accel = self.cfg, self.accel()
        console, port, control = fds
        args = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
                "-no-reboot", "-M", c.machine, "-accel", accel,
                "-cpu", c.cpu or ("host" if accel == "kvm" else "max"),
                "-smp", str(c.smp), "-m", c.mem, "-kernel", c.kernel_path()]
        initrd = self.initrd()
        if initrd:
            args += ["-initrd", initrd]
        args += ["-append", c.command_line(),
                 "-chardev", f"socket,id=console,fd={console}",
                 "-chardev", f"socket,id=port,fd={port}",
                 "-chardev", f"socket,id=control,fd={control}",
                 "-mon", "chardev=control,mode=control", "-serial", "chardev:console"]
        if c.machine.startswith("microvm"):
            args += ["-device", "isa-serial,index=1,iobase=0x2f8,irq=3,chardev=port"]
        else:
            args += ["-serial", "chardev:port"]
        args += ["-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT:#x},iosize=0x04"]
        return args + c.extra

    # ---- life ----

    def start(self):
        path = self.cfg.kernel_path()
        if not os.path.exists(path):
            raise FileNotFoundError(f"no kernel at {path}")
        if not self.cfg.measuring and BARE_MARK in open(path, "rb").read():
            raise PermissionError(f"{path} was built without traps (BARE=1): it is for measuring only")
        pairs = [socket.socketpair() for _ in range(3)]
        theirs = [p[1].fileno() for p in pairs]
        self.console, self.port, self.control = (p[0] for p in pairs)
        args = self.arguments(theirs)
        keep = theirs + ([self.temporary] if self.temporary is not None else [])
        self.started = time.monotonic()
        self.proc = subprocess.Popen(args, stdin=subprocess.DEVNULL, pass_fds=keep,
                                     preexec_fn=die_with_parent)
        for p in pairs:
            p[1].close()
        if self.temporary is not None:
            os.close(self.temporary)
            self.temporary = None
        self.control.sendall(b'{"execute":"qmp_capabilities"}\n')

    def pump(self, on_console=None, on_port=None, until=None, deadline=None, also=None):
        """Handles what arrives until QEMU has closed all channels (returns True), or until
        `until()` is true or the time `deadline()` has come (returns False). `also` maps
        further descriptors to functions called when they are readable."""
        handlers = {self.console: on_console, self.port: on_port, self.control: self.on_control}
        live = {s for s in handlers if s.fileno() >= 0}
        while live:
            now, limit = time.monotonic(), deadline() if deadline else None
            if limit is not None and now >= limit:
                return False
            wait = 1.0 if limit is None else min(1.0, limit - now)
            ready, _, _ = select.select(list(live) + list(also or ()), [], [], wait)
            for source in ready:
                if source in handlers:
                    try:
                        data = source.recv(65536)
                    except ConnectionError:
                        data = b""
                    if not data:
                        live.discard(source)
                        source.close()
                    elif handlers[source]:
                        handlers[source](data)
                else:
                    also[source]()
            if until and until():
                return False
        self.finish()
        return True

    def on_control(self, data):
        self.control_text += data
        while b"\n" in self.control_text:
            line, self.control_text = self.control_text.split(b"\n", 1)
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if message.get("event") == "SHUTDOWN":
                self.reason = message["data"].get("reason", "unknown")

    def finish(self):
        self.status = self.proc.wait()
        if self.status and self.status > 0 and self.status & 1 and not self.reason.startswith("guest"):
            self.reason = "debug-exit" if self.status > 1 or not self.reason else self.reason
        self.seconds = time.monotonic() - self.started

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.reason = "killed"
            self.proc.kill()
            self.proc.wait()
        for s in (self.console, self.port, self.control):
            if s:
                s.close()


class Trailer:
    """Splits the port's stream into the command's output and the final status line."""
    MARK = b"\0keel-exit "

    def __init__(self, out):
        self.out, self.held, self.status = out, b"", None

    def feed(self, data):
        self.held += data
        at = self.held.rfind(self.MARK)
        if at >= 0:
            tail = self.held[at + len(self.MARK):]
            if tail.endswith(b"\n") and tail[:-1].isdigit():
                self.status = int(tail)
                self.emit(at)
                return
            if len(tail) <= 4 and (not tail or tail.isdigit()):
                self.emit(at)
                return
            self.status = None
        keep = 0
        for n in range(min(len(self.MARK), len(self.held)), 0, -1):
            if self.held.endswith(self.MARK[:n]):
                keep = n
                break
        self.status = None
        self.emit(len(self.held) - keep)

    def emit(self, n):
        if n:
            self.out(self.held[:n])
            self.held = self.held[n:]

    def close(self):
        if self.status is None:
            self.emit(len(self.held))
