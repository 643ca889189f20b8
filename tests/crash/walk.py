"""Play one scenario with each fault in turn, inside fresh namespaces; test_faults.py starts it as process 1 of them.

Its argument is the scenario; standard input is {"programs", "numbers", "points" (about how many), "caller" (it is killed, and
nothing else goes wrong)} as JSON, standard output {"points", "unmet", "duplicates", "wrong"} or {"skipped"}.  After each fault a healthy queue run recovers, and what
the smarthost, the Maildirs and the spool hold is counted.
"""
import glob
import json
import os
import re
import shutil
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from crash import fault, outside  # noqa: E402
from harness import smtpserver, world  # noqa: E402

ONEHOP, SPOOL, CONF, DEAD = "/opt/onehop/onehop", "/var/spool/onehop", "/etc/onehop-crash.conf", "/root/dead.letter"
OWN_CONF, OWN_SPOOL = "/home/alice/.config/onehop/onehop.conf", "/home/alice/.local/state/onehop"
FAILED = (74, 75)                           # EX_IOERR, EX_TEMPFAIL
BODY = "first line\n.a dot in front\n..two\n\nlast line of %s\n"
LOCAL = {"alice@debian": "/home/alice/Maildir", "bob@debian": "/home/bob/Maildir"}
MBOX = "/var/mail/alice"
A, B, C = "a@far.example", "bad@far.example", "c@far.example"
REFUSE, DEFER = {"rcpt": {"bad@": "550 5.1.1 who is that", "default": "250 ok"}}, {"rcpt": {"bad@": "451 4.2.0 later", "default": "250 ok"}}
NOBODY = {"rcpt": "550 5.7.1 not for you"}
LOGIN = {"ehlo": ["250-hi", "250 AUTH PLAIN"], "auth": {"PLAIN": ["235 ok"]}}
IN_CLEAR = "auth_client_allow_notls_passwords = yes\npasswd_client = /etc/onehop-crash.passwd\n"

# to: recipients; profile: what the smarthost does (None: nobody listens), and again when the queue is run (default: takes all);
# says: the exit status when nothing goes wrong; queue: needs the spool; waiting: so many messages wait in the spool and the
# queue is run, or words say what is done ("ID" is the first one's); bounced: those end in a bounce; gone: the first one is
# removed.  user: whose the spool is, and, with own, who calls.  large: the body goes through a temporary file.  unnamed: False
# where the file system has no O_TMPFILE.  mbox: a copy made again does not replace the one that is there.
SCENARIOS = {
    "up": {"to": [A], "says": 0},
    "up-in-clear": {"to": [A], "profile": LOGIN, "again": LOGIN, "conf": IN_CLEAR, "says": 0},
    "up-three": {"to": [A, B, C], "says": 0},
    "all-refused": {"to": [A, B], "profile": NOBODY, "again": NOBODY, "says": 69, "bounced": [A, B]},
    "local": {"to": ["alice@debian"], "says": 0},
    "local-and-remote": {"to": ["alice@debian", A], "says": 0, "queue": True},
    "down": {"to": [A, C], "profile": None, "says": 0, "queue": True},
    "one-refused": {"to": [A, B, C], "profile": REFUSE, "again": REFUSE, "says": 0, "queue": True, "bounced": [B]},
    "one-refused-remote-sender": {"to": [A, B], "profile": REFUSE, "again": REFUSE, "says": 0, "queue": True, "bounced": [B],
                                  "sender": "me@far.example"},
    "one-deferred": {"to": [A, B, C], "profile": DEFER, "says": 0, "queue": True},
    "two-locals": {"to": ["alice@debian", "bob@debian"], "says": 0, "queue": True},
    "odq": {"to": [A, "bob@debian"], "words": ["-odq"], "says": 0, "queue": True},
    "odb": {"to": [A, C], "words": ["-odb"], "says": 0, "queue": True},
    "queue-run": {"waiting": 3, "to": [A, C], "says": 0, "queue": True},
    "queue-run-mixed": {"waiting": 2, "to": [A, "alice@debian", "bob@debian"], "says": 0, "queue": True},
    "queue-run-refused": {"waiting": 1, "to": [A, B], "profile": REFUSE, "again": REFUSE, "says": 0, "queue": True, "bounced": [B]},
    "queue-run-refused-remote-sender": {"waiting": 1, "to": [A, B], "profile": REFUSE, "again": REFUSE, "says": 0, "queue": True,
                                        "bounced": [B], "sender": "me@far.example"},
    "bs": {"to": [A, "bob@debian"], "words": ["-bs"], "says": 0, "queue": True},
    "bs-down": {"to": [A, C], "words": ["-bs"], "profile": None, "says": 0, "queue": True},
    "large-down": {"to": [A], "profile": None, "large": True, "says": 0, "queue": True},
    "large-local": {"to": ["alice@debian", A], "large": True, "says": 0, "queue": True},
    "split-down": {"to": [A, "bob@debian"], "profile": None, "conf": "split_spool_directory = yes\n", "says": 0, "queue": True},
    "split-queue-run": {"waiting": 2, "to": [A, B], "profile": REFUSE, "again": REFUSE, "bounced": [B],
                        "conf": "split_spool_directory = yes\n", "says": 0, "queue": True},
    "unnamed-down": {"to": [A, "bob@debian"], "profile": None, "large": True, "unnamed": False, "says": 0, "queue": True},
    "unnamed-queue-run": {"waiting": 1, "to": [A, B, "bob@debian"], "profile": DEFER, "unnamed": False, "says": 0, "queue": True},
    "anothers-spool": {"to": [A, B], "profile": DEFER, "user": 101, "says": 0, "queue": True},
    "own-spool": {"to": [A, B], "profile": REFUSE, "again": REFUSE, "bounced": [B], "user": 1001, "own": True,
                  "sender": "me@far.example", "says": 0, "queue": True},
    "own-local": {"to": ["alice@debian"], "user": 1001, "own": True, "says": 0, "queue": True},
    "remove": {"waiting": 2, "to": [A, C], "profile": None, "words": ["-Mrm", "ID"], "gone": True, "says": 0, "queue": True},
    "give-up": {"waiting": 2, "to": [A, C], "profile": None, "words": ["-Mg", "ID"], "bounced": [A, C], "says": 0, "queue": True},
    "mbox": {"waiting": 1, "to": ["alice@debian", A], "conf": "local_delivery = mail_spool\n", "mbox": True, "says": 0, "queue": True},
    "freeze": {"waiting": 1, "to": [A], "profile": None, "words": ["-Mf", "ID"], "says": 0, "queue": True},
}


class Smarthost:
    """One port of loopback; refuses connections until it is told what to do with them."""

    def __init__(self):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.port, self.profile, self.records, self.talks = self.sock.getsockname()[1], None, [], []

    def up(self, profile):
        starts, self.profile = self.profile is None, profile
        if starts:
            self.sock.listen(20)
            threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            conn.settimeout(10)
            record = {"tls": False, "dialogue": [], "auth": [], "messages": []}
            self.records.append(record)
            talk = threading.Thread(target=smtpserver.Session(conn, self.profile, record, None).run, daemon=True)
            talk.start()
            self.talks.append(talk)

    def settle(self):
        """Everybody has left: what was sent is heard."""
        for talk in self.talks:
            talk.join(12)

    def taken(self):
        return [m for r in self.records for m in r["messages"] if str(m["reply"]).startswith("2")]

    def close(self):
        self.settle()
        if self.profile is not None:
            self.sock.shutdown(socket.SHUT_RDWR)        # wakes accept()
        self.sock.close()


def wipe(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def files_below(top):
    return [os.path.join(parent, f) for parent, _, files in os.walk(top) for f in files]


def text_of(scenario, name):
    return BODY % name + ("x" * 77 + "\n") * (14000 if scenario.get("large") else 0)


def is_text(got, text):
    """smtpserver.py leaves out the middle of what is large."""
    if "octets left out" not in got:
        return got == text
    return text.startswith(got[:5000]) and text.endswith(got[-3000:])


def body_of(data):
    return data.replace("\r\n", "\n").partition("\n\n")[2]


class Counts:
    """Copies and bounces, by (message, recipient), and what is not as it was given."""

    def __init__(self, scenario, taken):
        self.scenario, self.copies, self.bounces, self.wrong = scenario, {}, {}, []
        self.names = [str(i) for i in range(scenario.get("waiting", 1))]
        for m in taken:
            who = [re.search(r"<(.*?)>", r).group(1) for r, reply in m["rcpt"] if reply.startswith("2")]
            data = m["data"].replace("\r\n.", "\r\n") if not m.get("bdat") else m["data"]
            self.message(data, who, m["mail"].startswith("FROM:<>"))
        for who, maildir in LOCAL.items():
            for path in glob.glob(maildir + "/new/*"):
                data = world.read(path)
                self.message(data, [who], data.startswith("Return-path: <>"))
        for data in re.split(r"(?m)^From \S+ \w+ \w+ +\d.*\n", world.read(MBOX)):
            if data.endswith("last line of 0\n\n"):                                       # a part of one is no copy
                self.message(data[:-1], ["alice@debian"], False)

    def message(self, data, who, null_sender):
        subject = re.search(r"(?mi)^Subject: crash (\w+)", data)
        name = subject.group(1) if subject else "?"
        if null_sender:
            for block in re.split(r"\r?\n\r?\n", data):
                rcpt = re.search(r"(?mi)^Final-Recipient: *rfc822; *(\S+)", block)
                if rcpt and re.search(r"(?mi)^Action: *failed", block):                   # others are warnings
                    self.add(self.bounces, name, rcpt.group(1))
            return
        if not is_text(body_of(data), text_of(self.scenario, name)):
            self.wrong.append("I4: for %s: %r" % (who, data[:2000]))
        for rcpt in who:
            self.add(self.copies, name, rcpt)

    @staticmethod
    def add(where, name, rcpt):
        where[name, rcpt] = where.get((name, rcpt), 0) + 1

    def totals(self, name, rcpts):
        return [self.copies.get((name, r), 0) + self.bounces.get((name, r), 0) for r in rcpts]


class Windows:
    """The calls at which nobody can know what the others know.  step(call), for each call before it is made, says in
    which window it is, or None:

    reply    onehop-send has sent the last byte (or let its network process go on to it, which ends with it, but not at
             once), and has not yet written down that it was taken: which is the first thing that it does when it hears so
    commit   the message is in the spool, which onehop-send has not yet said; or it has said that it is not to stay there
    local    onehop-local has the message, and goes on when onehop-send is gone
    verdict  onehop has handed over the message, or asked for something, and has not heard yet what became of it

    Only in the first one there may be two copies; in the others the exit status may be wrong."""

    ELSEWHERE = re.compile(r"/var/log/|/msglog/|/db/|/localtime")

    def __init__(self):
        self.open, self.last, self.committed = set(), None, False

    def step(self, call):
        of_socket = "socket:" in call.target
        if call.process == "onehop":
            if self.last == b"Z" and not (of_socket and call.name in ("read", "recvmsg")):
                self.open.discard("verdict")
            answers = call.name == "write" and "memfd:out" in call.target                      # of -bs; lost, like Z
            window = self.which({"reply", "verdict"}) or ("verdict" if answers else None)
            if call.name == "write" and (b"G\0\0\0" in call.data or call.data[:1] == b"Q"):
                self.open.add("verdict")
            return window
        says = call.name == "write" and of_socket and call.args[0] == 0 and call.data[:1] in (b"R", b"Z")  # not to its network process
        if says or self.ELSEWHERE.search(call.target):
            self.open.discard("reply")
        window = "verdict" if says else self.which({"reply", "commit", "local"})
        if says:
            self.last = b"Z" if b"Z\0\0\0" in call.data else call.data[:1]
        self.work(call, of_socket)
        return window

    def which(self, some):
        return next((w for w in ("reply", "local", "commit", "verdict") if w in self.open & some), None)

    def work(self, call, of_socket):
        header = call.target.endswith("-H") and "/hdr." not in call.target
        leave = call.name == "write" and call.data[:1] == b"p"
        if of_socket and (leave or call.data.endswith(b"\r\n.\r\n") or re.search(rb"BDAT \d+ LAST", call.data)):
            self.open.add("reply")
        elif call.name == "write" and "pipe:" in call.target and call.process.startswith("onehop-send"):
            self.open.add("local")
        elif header and not self.committed and call.name in ("linkat", "renameat2", "renameat"):
            self.committed = True
            self.open.add("commit")
        elif of_socket and call.name == "write" and call.data[:1] == b"T" and call.data[5:] == b"50":
            self.open.add("commit")
        elif of_socket and call.name == "write" and call.data[:1] == b"T" and call.data[5:] == b"51":
            self.open &= {"verdict"}
        elif (call.name == "fdatasync" and call.target.endswith("-J")) or ("unlink" in call.name and header):
            self.open &= {"verdict"}


class Walk:
    def __init__(self, job, name):
        self.scenario, self.name, self.most, self.of_caller = SCENARIOS[name], name, job.get("points", 1), job.get("caller")
        socket.sethostname("debian")
        world.Network(set())
        world.build_root(job["programs"], {}, [])
        world.configure({"dc": False, "hosts": "127.0.0.1 localhost debian\n"}, None)
        self.inject = fault.Injector(job["numbers"])
        own = self.scenario.get("own")
        self.spool, self.log = (OWN_SPOOL, OWN_SPOOL + ".log") if own else (SPOOL, "/var/log/onehop.log")
        self.points = self.unmet = 0
        self.duplicates, self.wrong = {}, []
        self.host = Smarthost()
        self.configure()
        self.queue = b"no queue" not in self.plain(["-bpc"]).err

    def argv(self, words):
        own = self.scenario.get("own")
        return [ONEHOP, *([] if own else ["-C", CONF]), *words]

    def caller(self):
        return self.scenario["user"] if self.scenario.get("own") else 0

    def plain(self, words, given=b"", user=None):
        return fault.plain_run(self.argv(words), given, self.caller() if user is None else user)

    def configure(self):
        own = self.scenario.get("own")
        world.put(OWN_CONF if own else CONF, "smarthost = 127.0.0.1::%d\nspool_directory = %s\nlog_file = %s\n"
                  "local_domains = debian\nqualify_domain = debian\n%s"
                  % (self.host.port, self.spool, self.log, self.scenario.get("conf", "")))
        world.put("/etc/onehop-crash.passwd", "127.0.0.1:user:secret\n", 0o600)

    def submission(self, words, name):
        """Its arguments, and what is given to it."""
        sender, to = self.scenario.get("sender", "alice@debian"), self.scenario["to"]
        text = "From: %s\nTo: someone@far.example\nSubject: crash %s\n\n" % (sender, name) + text_of(self.scenario, name)
        if words != ["-bs"]:
            return ["-i", "-f", sender, *words, *to], text.encode()
        said = ["EHLO x", "MAIL FROM:<%s>" % sender, *("RCPT TO:<%s>" % r for r in to), "DATA",
                text.replace("\n.", "\n..").replace("\n", "\r\n") + ".", "QUIT", ""]
        return words, "\r\n".join(said).encode()

    def fresh(self):
        """The world before the run; with "waiting", messages in the spool."""
        self.host.close()
        self.host = Smarthost()
        self.configure()
        for path in [self.spool, DEAD, "/home/alice/dead.letter", self.log, MBOX, MBOX + ".lock", *LOCAL.values()]:
            wipe(path)
        if self.scenario.get("user") and not self.scenario.get("own"):
            os.mkdir(self.spool)
            os.chown(self.spool, self.scenario["user"], -1)
        if not self.scenario.get("waiting"):
            return
        if not os.path.isdir("/var/tmp/waiting"):
            for name in range(self.scenario["waiting"]):
                run = self.plain(*self.submission(["-odq"], str(name)))
                assert run.status == 0, run.err
            shutil.copytree(self.spool, "/var/tmp/waiting")
        else:
            shutil.copytree("/var/tmp/waiting", self.spool)

    def asked(self):
        """What the run is asked for."""
        words = self.scenario.get("words", [])
        if not self.scenario.get("waiting"):
            return self.submission(words, "0")
        headers = sorted(os.path.basename(f) for f in files_below(self.spool + "/input") if f.endswith("-H"))
        return [w.replace("ID", headers[0][:-2]) for w in words] or ["-qf"], b""

    def run(self, point=None):
        """The run, and in which window the fault was."""
        self.fresh()
        profile = self.scenario.get("profile", {})
        if profile is not None:
            self.host.up(profile)
        words, given = self.asked()
        self.has_verdict = False
        windows, now = Windows(), [None]

        def watch(call):
            window = windows.step(call)
            if point and call.key() == point[:3]:
                now[0] = window
                self.has_verdict = windows.last == b"Z"
            unnamed = call.name == "openat" and call.args[2] & os.O_TMPFILE == os.O_TMPFILE
            return "EOPNOTSUPP" if unnamed and not self.scenario.get("unnamed", True) else None
        run = self.inject.run(self.argv(words), given, point, watch, self.caller())
        if words == ["-bs"] and run.status in (0, 74):
            run.status = 0 if re.search(rb"\r\n354 .*\r\n250 ", run.out) else 75
        return run, now[0]

    def recover(self):
        self.host.settle()
        early = Counts(self.scenario, self.host.taken())
        left = [f for f in files_below(self.spool + "/input") if f.endswith("-H")]
        self.host.up(self.scenario.get("again", {}))
        for _ in range(3):                              # a bounce may come to be in the first run
            if files_below(self.spool):
                self.plain(["-qff"], user=self.scenario.get("user", 0))
            if not files_below(self.spool + "/input"):
                break
        self.host.settle()
        return early, left, Counts(self.scenario, self.host.taken())

    def judge(self, run, what, window):
        """What is wrong (sentences), and how many copies are too many."""
        early, left, late = self.recover()
        wrong, extra = list(late.wrong), 0
        given_up = what in fault.CALLER and run.status != 0         # and so it is his again
        killed = what in (fault.KILL, fault.CUT, *fault.CALLER)
        if run.status == "hangs":
            wrong.append("it hangs")
        for name in late.names:
            totals = late.totals(name, self.scenario["to"])
            extra += sum(max(0, n - 1) for n in totals)
            if self.scenario.get("gone") and name == "0":
                wrong += ["removed, but copies are %s" % totals] if run.status == 0 and any(totals) else []
            elif 0 in totals and (run.status == 0 or self.scenario.get("waiting")):
                wrong.append("I1: exit %s, but copies are %s" % (run.status, totals))
            if 0 in totals and any(totals) and not (given_up and self.is_named(totals)):
                wrong.append("I5: for some only: %s" % totals)
        if extra and window != "reply" and not (window == "local" and self.scenario.get("mbox")):
            wrong.append("I3: %d copies too many: %s %s" % (extra, late.copies, late.bounces))
        told = [r for _, r in late.bounces if r not in self.scenario.get("bounced", ())]
        if told:
            wrong.append("given up: %s" % told)
        if run.status not in (0, "hangs") and (not killed or run.status > 0) and not window and not self.scenario.get("waiting"):
            if early.copies or early.bounces or left:
                wrong.append("I2: exit %s, but %s %s %s" % (run.status, early.copies, early.bounces, left))
        if given_up and left and not self.scenario.get("waiting") and not self.has_verdict:
            wrong.append("a killed caller: exit %s, and the queue has %s" % (run.status, left))
        if not killed and run.status not in (0, "hangs", self.scenario["says"]):
            said = run.err.strip() or run.out.strip()
            died = what == "ENOMEM" and run.status == -11            # glibc's malloc, when there is no first page
            if not died and (run.status not in (*FAILED, *([1] if "words" in self.scenario else [])) or not said):
                wrong.append("exit %s, and it says %r %r" % (run.status, run.err, run.out))
        return wrong + self.leftovers(), extra

    def is_named(self, totals):
        """The log says who has it, as the others will not."""
        (line,) = re.findall("the caller was gone before he heard of it.*", world.read(self.log)) or [""]
        has = [r for r, n in zip(self.scenario["to"], totals) if n]
        return all(r in line.partition("delivered: ")[2].partition(";")[0] for r in has)

    def leftovers(self):
        found = [f for f in files_below(self.spool) if not f.startswith(self.spool + "/db/")] if self.queue else []
        found += [f for m in LOCAL.values() for f in files_below(m + "/tmp")] + [f for f in files_below("/var/mail") if "lock" in f]
        return ["I8: left behind: %s" % found] if found else []

    def clean_run(self):
        run, _ = self.run()
        wrong, extra = self.judge(run, None, None)
        if run.status != self.scenario["says"]:
            wrong.append("exit %s, not %s: %s" % (run.status, self.scenario["says"], run.err))
        if wrong or extra:
            self.wrong.append(["without a fault", *wrong])
        return run.calls

    def all_points(self):
        points = [(*c.key(), what) for c in self.clean_run() for what in (fault.CALLER if self.of_caller else fault.faults_of(c.name))]
        stride = max(1, len(points) // self.most)
        for point in points[sum(map(ord, self.name)) % stride::stride]:
            run, window = self.run(point)
            of_caller = point[0] == "onehop" and point[3] == fault.KILL
            wrong, extra = self.judge(run, "caller KILL" if of_caller else point[3], window)
            self.points += 1
            self.unmet += run.hit is None
            if extra:
                self.duplicates[window] = self.duplicates.get(window, 0) + 1
            if wrong:
                self.wrong.append(["%s at %s (%s): exit %s" % (point[3], run.hit or point, window, run.status), *wrong,
                                   run.err.decode("latin-1").strip()[:300]])

    def result(self):
        if self.scenario.get("queue") and not self.queue:
            return {"skipped": "this onehop keeps no queue"}
        self.all_points()
        return {"points": self.points, "unmet": self.unmet, "duplicates": self.duplicates, "wrong": self.wrong}


def main():
    job = json.load(sys.stdin)
    out = os.dup(1)
    os.dup2(2, 1)
    outside.answer(out, lambda: Walk(job, sys.argv[1]).result())


if __name__ == "__main__":
    main()
