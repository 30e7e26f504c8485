# SPDX-License-Identifier: Apache-2.0
"""shell: drives the interactive shell through a pseudo-terminal, as a person at `make run` does.

One boot of the base image; the functions below run in order, each one test `shell/NAME`. What
is looked for in an answer never stands in the typed command itself (m$((1+1)) answers m2).
"""
import fcntl, os, pty, re, select, signal, struct, subprocess, sys, termios, time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROWS, COLS = 31, 97
BOOT, STEP = 60, 20             # seconds
PROMPT = r"root@keel:[^\n]*# $"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r|\x07")


class Lost(Exception):
    pass


class Terminal:
    def __init__(self, kernel):
        self.text, self.log = "", ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            env = dict(os.environ, TERM="xterm", KERNEL=kernel, INITRD="base")
            os.execve(os.path.join(TOP, "tools/run/keel"), ["keel", "--quiet"], env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLS, 0, 0))
        self.started = time.monotonic()

    def expect(self, pattern, seconds=STEP):
        """The text up to the end of the match; Lost if it does not come in time."""
        end = time.monotonic() + seconds
        while True:
            clean = ESCAPES.sub("", self.text)
            found = re.search(pattern, clean, re.M)
            if found:
                self.text = clean[found.end():]
                return clean[:found.end()]
            if time.monotonic() > end:
                raise Lost(f"no /{pattern}/ within {seconds} s; seen:\n{clean[-1500:]}")
            if not select.select([self.fd], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                raise Lost(f"the guest ended; no /{pattern}/; seen:\n{clean[-1500:]}")
            self.text += data.decode("utf-8", "replace")
            self.log = (self.log + data.decode("utf-8", "replace"))[-20000:]

    def type(self, text):
        os.write(self.fd, text.encode())

    def run(self, command, pattern, seconds=STEP):
        """Types a command, wants the pattern and then the prompt."""
        self.type(command + "\r")
        got = self.expect(pattern, seconds)
        self.expect(PROMPT, seconds)
        return got

    def end(self, seconds=STEP):
        """The launcher's exit status after the guest has gone."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    if not os.read(self.fd, 65536):
                        pass
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
        raise Lost(f"the launcher did not end within {seconds} s")

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


# ---- the tests, in order ----

def prompt(t):
    """bash comes up and answers."""
    t.run("echo m$((1+1))", r"^m2$")


def size(t):
    """the terminal's size at start."""
    t.run("stty size", rf"^{ROWS} {COLS}$")
    t.run("tput cols", rf"^{COLS}$")


def terminal(t):
    """the shell's terminal and session."""
    t.run("tty", r"^/dev/ttyS0$")
    t.run("test -t 0 && echo is$((0))", r"^is0$")
    t.run("ps -o sid=,tty= -p $$ | awk -v p=$$ '{ print ($1 == p) \"-\" $2 }'", r"^1-ttyS0$")


def line_editing(t):
    """backspace, moving, killing, history."""
    t.type("cho q$((2*3))X\x7f")
    t.type("\x01e\x05")
    t.run("", r"^q6$")
    t.type("rubbish rubbish\x15")
    t.run("echo k$((3*3))", r"^k9$")
    t.type("\x1b[A")
    t.run("", r"^k9$")
    t.type("echo one two\x17three$((1+2))")
    t.run("", r"^one three3$")
    t.type("echo ab\x1b[D\x1b[DX\x1b[C\x1b[CY$((4+4))")
    t.run("", r"^XabY8$")
    t.type("ech\t")
    t.run("c$((5+5))", r"^c10$")


def interrupt(t):
    """Ctrl-C ends a program, and a line being typed."""
    t.type("sleep 1000\r")
    time.sleep(0.7)
    t.type("\x03")
    t.expect(PROMPT)
    t.run("echo s$?", r"^s130$")
    t.type("never run this\x03")
    t.expect(PROMPT)
    t.run("echo m$((2+1))", r"^m3$")
    t.type("while :; do :; done\r")
    time.sleep(0.7)
    t.type("\x03")
    t.expect(PROMPT)
    t.run("cat | cat | sleep 1000 &\r", r"\[1\]")
    t.run("kill %1; wait; echo w$((1+6))", r"^w7$")


def quit(t):
    """Ctrl-\\ ends a program with SIGQUIT."""
    t.type("sleep 1000\r")
    time.sleep(0.7)
    t.type("\x1c")
    t.expect(PROMPT)
    t.run("echo s$?", r"^s131$")


def job_control(t):
    """Ctrl-Z, jobs, bg, fg."""
    t.type("sleep 1001\r")
    time.sleep(0.7)
    t.type("\x1a")
    t.expect(r"\[1\]\+ +Stopped +sleep 1001")
    t.expect(PROMPT)
    t.run("jobs", r"\[1\]\+ +Stopped +sleep 1001")
    t.run("bg", r"\[1\]\+ sleep 1001 &")
    t.run("jobs", r"\[1\]\+ +Running +sleep 1001 &")
    t.type("fg\r")
    t.expect(r"^sleep 1001$")
    time.sleep(0.3)
    t.type("\x03")
    t.expect(PROMPT)
    t.run("jobs; echo j$((3+3))", r"^j6$")
    t.run("cat &", r"\[1\]")
    time.sleep(0.5)
    t.run("jobs", r"Stopped +cat")
    t.run("kill %1; wait; echo x$((1+1))", r"^x2$")


def pipeline_stop(t):
    """Ctrl-Z stops a whole pipeline; fg continues it."""
    t.type("(sleep 1; echo p$((4*4))) | cat\r")
    time.sleep(0.4)
    t.type("\x1a")
    t.expect(r"Stopped")
    t.expect(PROMPT)
    t.type("fg\r")
    t.expect(r"^p16$")
    t.expect(PROMPT)


def end_of_file(t):
    """Ctrl-D ends the input of a program."""
    t.type("cat > typed; echo n$(wc -c < typed)\r")
    time.sleep(0.5)
    t.type("hello\r")
    t.type("\x04")
    t.expect(r"^n6$")
    t.expect(PROMPT)


def canonical(t):
    """the terminal's own editing, without readline."""
    t.type("cat\r")
    time.sleep(0.5)
    t.type("helpo\x7f\x7flo\r")
    t.expect(r"^hello$")
    t.type("rubbish\x15done$\r")
    t.expect(r"^done\$$")
    t.type("\x04")
    t.expect(PROMPT)


def no_echo(t):
    """stty -echo, and single characters."""
    t.type("read -s -p 'secret? ' x; echo; echo \"g${x}g\"\r")
    t.expect(r"^secret\? $")
    t.type("word\r")
    got = t.expect(r"^gwordg$")
    t.expect(PROMPT)
    if re.search(r"^word", got, re.M):
        raise Lost("the secret was echoed")
    t.type("read -n 1 c; echo; echo \"c${c}c\"\r")
    time.sleep(0.4)
    t.type("z")
    t.expect(r"^czc$")
    t.expect(PROMPT)


def editor(t):
    """a full-screen program."""
    t.type("busybox vi edited\r")
    time.sleep(1.0)
    t.type("ione line\rtwo\x1b")
    time.sleep(0.3)
    t.type(":wq\r")
    t.expect(PROMPT)
    t.run("wc -l < edited; head -n 1 edited | tr a-z A-Z", r"^ONE LINE$")


def paste(t):
    """a long line and many lines at once."""
    t.run("echo " + "x" * 1500 + " | wc -c", r"^1501$", 60)
    t.type("".join(f"a{i}=$((a{i - 1}+1))\r" for i in range(1, 41)) + "echo z$a40\r")
    t.expect(r"^z40$", 60)
    t.expect(PROMPT)


def here_document(t):
    """a here-document typed at the prompt."""
    t.type("tr a-z A-Z <<END\rfirst\rsecond $((6*6))\rEND\r")
    t.expect(r"^SECOND 36$")
    t.expect(PROMPT)


def nested_shell(t):
    """a shell in the shell, and back."""
    t.type("sh\r")
    t.expect(r"# $")
    t.type("echo $0$((1+3))\r")
    t.expect(r"^sh4$")
    t.type("exit 9\r")
    t.expect(PROMPT)
    t.run("echo s$?", r"^s9$")


def poweroff(t):
    """poweroff ends QEMU with exit status 0."""
    t.type("poweroff\r")
    status = t.end(30)
    if status != 0:
        raise Lost(f"exit status {status}")


TESTS = [prompt, size, terminal, line_editing, interrupt, quit, job_control, pipeline_stop,
         end_of_file, canonical, no_echo, editor, paste, here_document, nested_shell, poweroff]


def run(score, selected, long_run):
    names = {f: "shell/" + f.__name__.replace("_", "-") for f in TESTS}
    wanted = [f for f in TESTS if selected(names[f])]
    if not wanted:
        return
    kernel = os.environ.get("KERNEL") or "keel"
    repeat = lambda f: f"make test T={names[f]}" + (f" KERNEL={kernel}" if kernel != "keel" else "")
    t = Terminal(kernel)
    try:
        t.expect(PROMPT, BOOT)
        print(f"      the prompt was there after {time.monotonic() - t.started:.1f} s")
        for i, f in enumerate(wanted):
            start = time.monotonic()
            try:
                f(t)
                score.ok(names[f], time.monotonic() - start)
            except (Lost, OSError) as e:
                score.fail(names[f], f"{f.__doc__}\n{e}", repeat(f))
                if f is not poweroff:
                    t.type("\x03\x15\r")
                    t.run("echo r$((7*7))", r"^r49$")
    except (Lost, OSError) as e:
        done = wanted.index(f) + 1 if "f" in locals() else 0
        for f in wanted[done:]:
            score.fail(names[f], f"the shell does not answer: {e}", repeat(f))
    finally:
        t.kill()
