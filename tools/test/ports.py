# SPDX-License-Identifier: Apache-2.0
"""ports: boots with a virtio console whose ports end in sockets here.

    Ports(mk, script, devices, names, append)   starts it; each name is a chardev, the script runs as /probe
    p.expect(name, pattern)                  reads the socket `name` until the pattern is there
    p.send(name, data)
"""
import os, re, select, shutil, socket, stat, tempfile, time
import vm as vmlib

LIMIT = 60


class Ports:
    def __init__(self, mk, script, devices, names, append, smp=2, more=()):
        self.dir = tempfile.mkdtemp()
        extra = list(more)
        for n in names:
            extra += ["-chardev", f"socket,id={n},path={self.dir}/{n},server=on,wait=off"]
        for d in devices:
            extra += ["-device", d]
        kernel = os.environ.get("KERNEL") or "keel"
        cfg = vmlib.Config(kernel=kernel, initrd="tiny", accel=os.environ.get("ACCEL") or "", smp=smp, extra=extra)
        cfg.append, cfg.bare_append = append, True
        cfg.overlay = mk.overlay({"probe": (stat.S_IFREG | 0o755, script.encode())})
        self.end = time.monotonic() + LIMIT
        self.got = {n: bytearray() for n in names}
        self.console = bytearray()
        self.vm = vmlib.VM(cfg)
        self.sockets = {}
        try:
            self.vm.start()
            for n in names:
                self.sockets[n] = self.connect(os.path.join(self.dir, n))
        except BaseException:
            self.stop()
            raise

    def connect(self, path):
        while True:
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(path)
                return s
            except OSError:
                s.close()
                if time.monotonic() > self.end:
                    raise
                time.sleep(0.02)

    def pump(self, wanted):
        """Handles what comes, of all sides, until wanted() is true. False: no time is left, or QEMU has ended."""
        def take(name):
            data = self.sockets[name].recv(65536)
            self.got[name] += data
            if not data:
                self.sockets.pop(name).close()
        while not wanted():
            also = {s: (lambda n=n: take(n)) for n, s in self.sockets.items()}
            ended = self.vm.pump(self.console.extend, None, lambda: True, lambda: self.end, also)
            if ended or time.monotonic() > self.end:
                return wanted()
        return True

    def expect(self, name, pattern):
        """What came up to the pattern and with it, taken away; None: it did not come."""
        found = []
        def look():
            m = re.search(pattern, bytes(self.got[name]), re.S)
            found[:] = [m] if m else []
            return bool(m)
        if not self.pump(look):
            return None
        text = bytes(self.got[name][:found[0].end()])
        del self.got[name][:found[0].end()]
        return text

    def take(self, name, n):
        self.pump(lambda: len(self.got[name]) >= n)
        data = bytes(self.got[name][:n])
        del self.got[name][:n]
        return data

    def send(self, name, data):
        """All of it, handling what comes meanwhile."""
        s, at = self.sockets[name], 0
        s.setblocking(False)
        while at < len(data) and time.monotonic() < self.end:
            try:
                at += s.send(data[at:at + 65536])
            except BlockingIOError:
                select.select([s], [s], [], 0.2)
            self.drain()
        s.setblocking(True)

    def drain(self):
        for n, s in list(self.sockets.items()):
            while select.select([s], [], [], 0)[0]:
                data = s.recv(65536)
                if not data:
                    break
                self.got[n] += data

    def stop(self):
        for s in self.sockets.values():
            s.close()
        self.vm.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
