"""A Debian tree with a systemd of its own as pid 1 (see boot), onehop in it, and a smarthost at the other end of its cable."""
import ctypes
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import smtpserver  # noqa: E402

BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot")
CLONE_NEWNET = 0x40000000
OUTSIDE = "192.0.2.1"           # the smarthost, smtp.isp.example in the tree's /etc/hosts
# What systemd says because this kernel's cgroups have no controllers.
NO_CONTROLLERS = re.compile(r"Failed to read pids\.max|Failed to read memory\.|Failed to get CPU")


class Said:
    """What a command left."""

    def __init__(self, argv, got):
        self.argv, self.rc = argv, got.returncode
        self.out, self.err = got.stdout.decode("latin-1"), got.stderr.decode("latin-1")

    def __repr__(self):
        return "%s: %d\n%s%s" % (shlex.join(self.argv), self.rc, self.out, self.err)


class Machine:
    def __init__(self, tree):
        self.tree = os.path.realpath(tree)

    # ------------------------------------------------------------ the switch
    def boot(self, verb="start"):
        got = subprocess.run([BOOT, self.tree, verb], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             check=False, timeout=240)
        assert got.returncode == 0, got.stdout.decode()
        return got.stdout.decode()

    def poweroff(self):
        self.boot("stop")

    def pull_the_plug(self):
        self.boot("kill")

    def reboot(self):
        self.poweroff()
        self.boot()

    def is_up(self):
        return self.run("true").rc == 0

    # ------------------------------------------------------------ commands
    def start(self, *argv, user=None, **how):
        """As Popen(); user: by runuser, with his environment as cron makes it."""
        if user:
            argv = ("runuser", "-u", user, "--", "env", "HOME=/home/" + user, "LOGNAME=" + user, *argv)
        how = dict({"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}, **how)
        return subprocess.Popen([BOOT, self.tree, "run", *argv], **how)

    def run(self, *argv, user=None, stdin="", timeout=120):
        p = self.start(*argv, user=user, stdin=subprocess.PIPE)
        try:
            out, err = p.communicate(stdin.encode("latin-1"), timeout=timeout)
        finally:
            p.kill()
        return Said(list(argv), subprocess.CompletedProcess(argv, p.returncode, out, err))

    def must(self, *argv, **how):
        got = self.run(*argv, **how)
        assert got.rc == 0, got
        return got.out

    def sh(self, script, **how):
        return self.run("sh", "-c", script, **how)

    def systemd(self):
        """Its version."""
        return int(self.must("systemctl", "--version").split()[1])

    def show(self, unit, *properties):
        lines = self.must("systemctl", "show", unit, *["--property=" + p for p in properties]).splitlines()
        found = dict(line.split("=", 1) for line in lines)
        return [found.get(p, "") for p in properties]

    # ------------------------------------------------------------ files, as seen from outside
    def path(self, name):
        return self.tree + name

    def write(self, name, text="", mode=0o644, owner=None):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="latin-1") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        if owner:
            self.must("chown", owner, name)

    def read(self, name):
        """Its text; "" when there is none."""
        try:
            with open(self.path(name), encoding="latin-1") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def remove(self, *names):
        self.must("rm", "-rf", *names)

    def mailbox(self, user):
        return [("From " + m) for m in re.split(r"(?m)^From ", self.read("/var/mail/" + user))[1:]]

    def mainlog(self):
        return self.read("/var/log/onehop/mainlog")

    def waiting(self):
        """The ids in the spool."""
        directory = self.path("/var/spool/onehop/input")
        return sorted(name[:-2] for name in os.listdir(directory) if name.endswith("-H")) if os.path.isdir(directory) else []

    # ------------------------------------------------------------ the journal
    def cursor(self):
        return self.must("journalctl", "-q", "-n0", "--show-cursor", "--no-pager").rpartition("cursor: ")[2].strip()

    def journal(self, since, *more):
        """What was said since the cursor, but for the login sessions of our own commands and what this kernel is to blame for."""
        self.must("journalctl", "--sync")
        lines = self.must("journalctl", "-q", "--no-pager", "-o", "short-iso", "--after-cursor", since, *more).splitlines()
        lines = [line.split(" ", 2)[-1] for line in lines]
        return [line for line in lines if not NO_CONTROLLERS.search(line) and not re.match(r"(runuser|su|systemd-logind)\[", line)]

    def until(self, what, seconds=30):
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.02)  # polls

    def quiet(self):
        """No onehop is at work any more."""
        self.until(lambda: self.run("pgrep", "-f", "/onehop( |$)|/onehop-(send|local)").rc == 1, 60)


# ---------------------------------------------------------------- the smarthost
def listening_outside(machine, port, backlog=256):
    """A listening socket in the network at the other end of the cable."""
    made = []

    def make():
        with open(machine.tree + ".boot/outside", encoding="ascii") as f, open("/proc/%s/ns/net" % f.read().strip(), "rb") as ns:
            if ctypes.CDLL(None, use_errno=True).setns(ns.fileno(), CLONE_NEWNET) == 0:
                made.append(socket.create_server((OUTSIDE, port), backlog=backlog))
    there = threading.Thread(target=make)       # only this thread goes there
    there.start()
    there.join()
    return made[0]


class Smarthost:
    """Plays profile (harness/smtpserver.py) on each connection, until told otherwise."""

    def __init__(self, machine, certs, port=25, **profile):
        self.machine, self.certs, self.port = machine, certs, port
        self.profile, self.records, self.sock = profile, [], None
        self.up()

    def up(self):
        self.sock = listening_outside(self.machine, self.port)
        threading.Thread(target=self.serve, args=(self.sock,), daemon=True).start()

    def down(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def serve(self, sock):
        while True:
            try:
                conn, _ = sock.accept()
            except OSError:
                return
            conn.settimeout(120)
            record = {"tls": False, "dialogue": [], "auth": [], "messages": []}
            self.records.append(record)
            threading.Thread(target=smtpserver.Session(conn, self.profile, record, self.certs).run, daemon=True).start()

    @property
    def mails(self):
        """Those that it has taken."""
        return [m for r in list(self.records) for m in list(r["messages"]) if (m["reply"] or "")[:1] == "2"]

    def subjects(self):
        return sorted(re.search(r"(?m)^Subject: (.*?)\r?$", m["data"])[1] for m in self.mails)

    def logins(self):
        return [a["decoded"] for r in self.records for a in r["auth"]]
