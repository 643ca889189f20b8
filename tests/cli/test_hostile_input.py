"""What a caller may give that is wrong or meant to do harm: each ends in one sentence and a sysexits status with nothing
sent, or goes out as one message with the recipients, header fields and commands that the caller has a right to."""
import os
import pwd
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

try:
    PROGRAMS, WHY = sandbox.programs(), ""
except sandbox.Unavailable as unavailable:
    PROGRAMS, WHY = {}, str(unavailable)
pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY)

CONF = """smarthost = 127.0.0.1::%d
primary_hostname = debian
qualify_domain = debian
local_domains = debian
dead_letter = no
command_timeout = 10s
aliases = %s/aliases
email_addresses = %s/email-addresses
passwd_client = %s/passwd.client
spool_directory = %s/spool
log_file = %s/mainlog
"""
TO_X = ["-f", "me@here.example", "x@far.example"]
MESSAGE = b"Subject: s\n\nbody\n"


class Sink(threading.Thread):
    """Takes everything: .mails are (commands, wire form of the text) of each message."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.mails = []

    def run(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            with conn, conn.makefile("rb") as lines:
                try:
                    self.talk(conn, lines)
                except OSError:
                    pass

    def talk(self, conn, lines):
        commands = []
        conn.sendall(b"220 hi\r\n")
        for line in lines:
            if line.startswith(b"QUIT"):
                return
            commands.append(line)
            if line.startswith(b"EHLO"):
                conn.sendall(b"250-hi\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250 PIPELINING\r\n")
            elif line == b"DATA\r\n":
                conn.sendall(b"354 go\r\n")
                text = []
                for line in lines:
                    if line == b".\r\n":
                        break
                    text.append(line)
                else:
                    return
                self.mails.append((commands, b"".join(text)))
                commands = []
                conn.sendall(b"250 taken\r\n")
            else:
                conn.sendall(b"250 ok\r\n")


class Caller:
    def __init__(self, directory):
        self.directory, self.sink = directory, Sink()
        self.sink.start()
        self.config = directory / "onehop.conf"
        self.config.write_text(CONF % (self.sink.port, *[directory] * 5))
        self.program = PROGRAMS["onehop"]
        for name in ("aliases", "email-addresses", "passwd.client"):
            self.put(name, "")

    def put(self, name, content):
        (self.directory / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    def call(self, argv, stdin=MESSAGE, **how):
        """(exit status, stdout and stderr, mails)"""
        given = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        del self.sink.mails[:]
        r = subprocess.run([self.program, "-C", str(self.config), *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=60, **given, **how)
        return r.returncode, r.stdout, list(self.sink.mails)

    def refused(self, status, *args, **how):
        rc, words, mails = self.call(*args, **how)
        assert rc == status and mails == [], words
        one_sentence(words)
        return words

    def waiting(self):
        """How many messages are in the spool."""
        return len(list(self.directory.glob("spool/input/*-H")))

    def kept(self, *args, **how):
        """Nothing is said and nothing is sent: it waits.  The reason, as mailq has it."""
        before = self.waiting()
        rc, words, mails = self.call(*args, **how)
        mails = [m for m in mails if b"MAIL FROM:<>\r\n" not in m[0]]         # a bounce of a part of it may be quick
        assert rc == 0 and words == b"" and mails == [] and self.waiting() > before, words
        return self.call(["-bp"], b"")[1]

    def sent(self, *args, warned=False, **how):
        rc, words, mails = self.call(*args, **how)
        assert rc == 0 and (words != b"") == warned, words
        for line in words.splitlines(True):
            assert line.startswith(b"onehop: warning: ")
            one_sentence(line)
        (mail,) = mails
        return mail


def one_sentence(words):
    assert words.startswith(b"onehop: ") and words.count(b"\n") == 1 and words.endswith(b"\n")
    assert not any(c < 32 or c == 127 for c in words[:-1])


@pytest.fixture(scope="module", autouse=True)
def no_dead_letters_of_ours():
    """Where the configuration cannot be read, dead_letter = no cannot hold, and the home is what the passwd entry says."""
    path = os.path.join(pwd.getpwuid(os.getuid()).pw_dir, "dead.letter")
    before = os.path.getsize(path) if os.path.exists(path) else None
    yield
    if before is not None:
        os.truncate(path, before)
    elif os.path.exists(path):
        os.unlink(path)


@pytest.fixture
def caller(tmp_path):
    c = Caller(tmp_path)
    yield c
    c.sink.sock.shutdown(socket.SHUT_RDWR)
    c.sink.sock.close()


# ---------------------------------------------------------------- addresses and arguments
EVIL = ["a@b\nRCPT TO:<evil@x>", "a@b\r\nRCPT TO:<evil@x>", "a@b\rX", "a@b> BODY=8BITMIME", "<a@b>,<c@d", "a@b\x01", "\"a\n\"@b",
        "x@[1\n]", "a@b <c@d> e", b"x\xff@b", "a" * 70000 + "@b", "a@" + "b" * 70000]


@pytest.mark.parametrize("address", EVIL, ids=[repr(e)[:30] for e in EVIL])
@pytest.mark.parametrize("flag", [[], ["-f"], ["-r"]], ids=["recipient", "-f", "-r"])
def test_address(caller, flag, address):
    caller.refused(65, flag + [address] + (["x@far.example"] if flag else []))


@pytest.mark.parametrize("field", [b"To", b"Cc", b"Bcc"])
@pytest.mark.parametrize("value", [b"<a@b", b"a@b\0", b"a@b <c@d> e", b"(" * 100000 + b"a@b", b"g:" * 1000, b"<" * 100000, b"\"\\" * 100000],
                         ids=lambda v: repr(v)[:20])
def test_header_address(caller, field, value):
    caller.refused(65, ["-t"], field + b": " + value + b"\n\nbody\n")


ARGUMENTS = {  # (argv, status, what is said)
    "nobody": ([""], 64, b"no recipients"), "-f alone": (["-f"], 64, b"-f"), "mode": (["-bz\n\x1b[31m"], 64, b"no mode"),
    "-be": (["-be", "${run{/bin/id}}"], 64, b"-be"), "-bh": (["-bh", "192.0.2.1"], 64, b"-bh"),
    "-C": (["-C", "/nonexistent\n\x1b[31m", "x@far.example"], 78, b"/nonexistent"),
    "pipe": (["|/bin/sh"], 67, b"|/bin/sh"), "file": (["/etc/passwd"], 67, b"/etc/passwd"), "include": ([":include:/etc/passwd"], 65, b"include"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_argument(caller, name):
    argv, status, says = ARGUMENTS[name]
    assert says in caller.refused(status, argv, stdin=b"")


def test_too_many(caller):
    words = caller.refused(64, ["-t"], b"To: " + b",".join(b"x%d@far.ex" % i for i in range(60000)) + b"\n\nbody\n")
    assert b"more than 10000 recipients (recipients_max)" in words


IGNORED = [["-V", "a\nRSET"], ["-V", "v" * 101], ["-R", "x\n\x1b[31m"], ["-N", "x\n\x1b[31m"], ["-B", "\r\n"], ["-Y\n\x1b[31m"]]


@pytest.mark.parametrize("flag", IGNORED, ids=repr)
def test_ignored_flag(caller, flag):
    rc, words, mails = caller.call(flag + TO_X)
    assert rc == 0 and len(mails) == 1 and not any(b"ENVID" in c for c in mails[0][0])
    one_sentence(words)


@pytest.mark.parametrize("flag", ["-X", "-oQ", "-oA", "-oP", "-OQueueDirectory=", "-D"])
def test_names_no_file(caller, flag):
    """PHP's mail() gives its fifth argument to us (CVE-2016-10033)."""
    path = str(caller.directory / "made")
    caller.sent([flag + path] + TO_X)
    assert not os.path.exists(path)


@pytest.mark.parametrize("name", ["N\nBcc: evil@x", "N\r\n\r\nbody", "N\rBcc: evil@x", "N\0Bcc: evil@x".replace("\0", "\x01"), "N <evil@x>, b", "\"", "\\", "(", "=?x?="])
def test_full_name(caller, name):
    _, text = caller.sent(["-F", name] + TO_X)
    head = text.split(b"\r\n\r\n")[0]
    names = [line.split(b":")[0] for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert sorted(names) == [b"Date", b"From", b"Message-Id", b"Received", b"Subject"]
    assert text.endswith(b"\r\n\r\nbody\r\n")


# ---------------------------------------------------------------- the message
SMUGGLED = b"\nMAIL FROM:<evil@x>\nRCPT TO:<evil@x>\nDATA\n"
ENDS = [b"\n.\n", b"\r\n.\r\n", b"\r.\r", b"\n.\r", b"\r.\n", b"\r\n.\n", b"\n.\r\n", b"\r\n.\r", b"\n\r.\r\n", b"\r\r\n.\r\n", b"\0\n.\n"]


@pytest.mark.parametrize("end", ENDS, ids=repr)
def test_smuggling(caller, end):
    """A stray CR, a dot, and what looks like the end of the text to another server (CVE-2023-51764)."""
    _, text = caller.sent(["-i"] + TO_X, MESSAGE + end + SMUGGLED + end)
    assert text.replace(b"\r\n", b"").count(b"\r") == 0 and text.replace(b"\r\n", b"").count(b"\n") == 0
    assert not any(line == b"." for line in text.split(b"\r\n"))


@pytest.mark.parametrize("stray", [b"\r", b"\0", b"\r\r", b"\x0b", b"\x0c"], ids=repr)
def test_header_injection(caller, stray):
    _, text = caller.sent(TO_X, b"Subject: s" + stray + b"Bcc: evil@x" + stray + b"X-Evil: yes\n\nbody\n")
    assert b"\nBcc" not in text and b"\nX-Evil" not in text


BOMBS = {  # (header, status)
    "one long field": (b"Subject: " + b"a" * 2000000 + b"\n", 65), "folds": (b"Subject: a\n" + b" b\n" * 300000, 0),
    "fields": (b"X: y\n" * 100000, 65), "fewer fields": (b"X: y\n" * 9900, 0), "comments": (b"From: " + b"(a)" * 300000 + b"me@here.example\n", 0),
    "commas": (b"Cc: " + b"," * 900000 + b"x@far.example\n", 0), "to be qualified": (b"Cc: " + b"root," * 150000 + b"\n", 65),
    "nested parts": (b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n"
                     + b"--a\nContent-Type: multipart/mixed; boundary=a\n\n" * 50000 + b"z" * 2000, 0),
    "a long line": (b"\n" + b"x" * 5000000, 0),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb(caller, name):
    head, status = BOMBS[name]
    limit = None if sandbox.sanitized() else lambda: resource.setrlimit(resource.RLIMIT_DATA, (32 << 20, 32 << 20))
    rc, words, mails = caller.call(TO_X, head + b"\nbody\n", preexec_fn=limit)
    assert rc == status and len(mails) == (status == 0), words


def reset():
    listener = socket.create_server(("127.0.0.1", 0))
    far = socket.create_connection(listener.getsockname())
    near, _ = listener.accept()
    far.sendall(MESSAGE)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    far.close()
    listener.close()
    return near


STDIN = {"directory": lambda: os.open("/", os.O_RDONLY), "write-only": lambda: os.open("/dev/null", os.O_WRONLY),
         "path": lambda: os.open("/etc/passwd", os.O_PATH), "reset": reset}


@pytest.mark.parametrize("name", STDIN)
def test_stdin(caller, name):
    caller.refused(74, TO_X, stdin=STDIN[name]())


def close_all():
    for fd in range(3):
        os.close(fd)


def test_stdin_closed(caller):
    caller.refused(74, TO_X, stdin=None, preexec_fn=lambda: os.close(0))
    rc, _, mails = caller.call(TO_X, stdin=None, preexec_fn=close_all)
    assert rc == 74 and mails == []


def test_output_closed(caller):
    rc, _, mails = caller.call(TO_X, preexec_fn=lambda: (os.close(1), os.close(2)))
    assert rc == 0 and len(mails) == 1


def test_stdin_in_pieces(caller):
    """Not blocking and slow: a piece that is not there yet is no end."""
    read, write = os.pipe2(os.O_NONBLOCK)
    p = subprocess.Popen([caller.program, "-C", str(caller.config), *TO_X], stdin=read)
    for at in range(len(MESSAGE)):
        os.write(write, MESSAGE[at:at + 1])
    os.close(write)
    assert p.wait(60) == 0
    ((_, text),) = caller.sink.mails
    assert text.endswith(b"\r\n\r\nbody\r\n")


# ---------------------------------------------------------------- configuration and maps
def fifo(path):
    os.mkfifo(path)


def device(path):
    os.symlink("/dev/zero", path)


def loop(path):
    os.symlink(path, path)


STRANGE = {"fifo": fifo, "directory": os.mkdir, "device": device, "loop": loop, "huge": lambda p: open(p, "wb").truncate((64 << 20) + 1)}


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("name,argv,statuses", [
    ("onehop.conf", TO_X, [78]), ("aliases", ["bob@debian"], [75, 78]), ("passwd.client", TO_X, [0]), ("email-addresses", TO_X, [75, 78]),
], ids=["onehop.conf", "aliases", "passwd.client", "email-addresses"])
def test_strange_file(caller, name, argv, statuses, kind):
    path = caller.directory / name
    caller.directory.joinpath("onehop.conf").rename(caller.directory / "c.conf")
    if name != "onehop.conf":
        caller.config = caller.directory / "c.conf"
    path.unlink(missing_ok=True)
    STRANGE[kind](str(path))
    rc, words, mails = caller.call(argv)
    assert rc in statuses and mails == [], words
    if rc == 0:                                                 # it waits for the administrator
        assert caller.waiting() == 1
        words = caller.call(["-bp"], b"")[1]
    assert str(path).encode() in words


LINES = [b"helo_data=a\0b", b"helo_data=a\rb", b"helo_data=a\x1b[31mb", b"qualify_domain='a b> SIZE=1'", b"primary_hostname='a\tb'", b"smart_host=x",
         b"smarthost", b"final_timeout=0", b"final_timeout=-1", b"final_timeout=99999999999999999999w", b"message_size_limit=99999999999G",
         b".include onehop.conf", b"\0\0\0", b"\xff\xfe\x00"]


@pytest.mark.parametrize("line", LINES, ids=repr)
def test_configuration_line(caller, line):
    with open(caller.config, "ab") as f:
        f.write(line + b"\n")
    rc, words, mails = caller.call(TO_X)
    assert rc == 78 and mails == []
    assert words.startswith(b"onehop: ") and str(caller.config).encode() + b":" in words


ALIASES = {  # what aliases has for a: (content, status, what is said, or what mailq has)
    "loop": ("a: b\nb: a\n", 67, b""), "self": ("a: a\n", 67, b""), "pipe": ("a: |/usr/bin/touch %s/made\n", 69, b":1"),
    "file": ("a: %s/made\n", 69, b":1"), "include itself": ("a: :include:%s/aliases\n", 0, b":1"),
    "include a device": ("a: :include:/dev/zero\n", 0, b":1"), "fail": ("a: :fail: no\x1b[31m \r x\n", 69, b"no"),
    "line break": ("a: \"x\\\ny\"@far.example\n", 0, b":1"), "NUL": ("a: x@far.example\0, y@far.example\n", 78, b":1: there is a NUL"),
    "parameter": ("a: <x@far.example> SIZE=1\n", 0, b":1"), "quote": ("a: \"\n", 0, b":1"), "long": ("a: " + "x" * 500000 + "\n", 0, b""),
    "many": ("a: " + ", ".join("x%d@far.example" % i for i in range(10001)) + "\n", 69, b"more than 10000 items"),
    "deep": ("a: a0\n" + "".join("a%d: a%d\n" % (i, i + 1) for i in range(20000)) + "a20000: x@far.example\n", 0, b"a@debian"),
    "wide": ("a: n0x0\n" + "".join("n%dx%d: %s\n" % (r, i, ",".join("n%dx%d" % (r + 1, k) for k in range(30)))
                                   for r in range(4) for i in range(30)), 67, b"a@debian"),
}


@pytest.mark.parametrize("name", ALIASES)
def test_alias(caller, name):
    content, status, says = ALIASES[name]
    caller.put("aliases", content.replace("%s", str(caller.directory)))
    if name == "wide":
        with open(caller.config, "a", encoding="ascii") as f:
            f.write("recipients_max = 1000\n")
    call = ["-f", "me@here.example", "a@debian"]
    assert says in (caller.kept(call) if status == 0 else caller.refused(status, call))
    assert not (caller.directory / "made").exists()


def test_sender_map_with_a_nul(caller):
    caller.put("email-addresses", b"x: y@far.example\0\n")
    assert b"email-addresses:1: there is a NUL" in caller.refused(78, ["x@far.example"], b"From: me\nSubject: s\n\nbody\n")


@pytest.mark.parametrize("value", ["a@b\\\nRCPT", "a@b> BODY=7BIT", "a@b, c@d", "a\x01@b", "a@b\rX: y", "", "a" * 5000 + "@b", "g: a@b;"],
                         ids=repr)
def test_sender_map(caller, value):
    """A line that is not one address is no line, and is warned about."""
    login = subprocess.run(["id", "-un"], stdout=subprocess.PIPE, check=True).stdout.strip()
    caller.put("email-addresses", login + b": " + value.encode("latin-1") + b"\n")
    commands, text = caller.sent(["x@far.example"], b"From: " + login + b"\nSubject: s\n\nbody\n", warned=True)
    assert commands[1].startswith(b"MAIL FROM:<%s@debian>" % login)
    assert b"<%s@debian>\r\n" % login in text


# ---------------------------------------------------------------- limits, environment, broken programs
LIMITS = {"memory": (resource.RLIMIT_DATA, 4 << 20), "stack": (resource.RLIMIT_STACK, 256 << 10), "files": (resource.RLIMIT_NOFILE, 4),
          "file size": (resource.RLIMIT_FSIZE, 0), "locked memory": (resource.RLIMIT_MEMLOCK, 0)}


@pytest.mark.parametrize("size", [10, 3000000])
@pytest.mark.parametrize("name", LIMITS)
def test_limit(caller, name, size):
    if sandbox.sanitized():
        pytest.skip("the sanitizers need more")
    which, value = LIMITS[name]
    rc, words, mails = caller.call(TO_X, MESSAGE + b"x\n" * (size // 2), preexec_fn=lambda: resource.setrlimit(which, (value, value)))
    assert (rc == 0 and len(mails) == 1) or (rc == 75 and mails == []), words
    assert rc == 0 or words.startswith(b"onehop: ")


@pytest.mark.parametrize("value", ["", "/dev/zero", "A" * 100000, "\n\x1b[31m"], ids=lambda v: repr(v)[:20])
def test_environment(caller, value):
    names = ("TZ", "LANG", "LC_ALL", "HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "CREDENTIALS_DIRECTORY", "PATH", "IFS",
             "TMPDIR", "GNUTLS_SYSTEM_PRIORITY_FILE", "SSLKEYLOGFILE", "HOSTALIASES", "RES_OPTIONS", "LOCALDOMAIN", "NLSPATH")
    caller.sent(TO_X, env=dict.fromkeys(names, value))


PYTHON = "#!/usr/bin/python3\nimport socket, struct\ns = socket.socket(fileno=0)\ndef put(letter, b):\n" \
    "    s.sendall(letter + struct.pack('>I', len(b)) + b)\n"
FAIL = r"put(b'Z', b'3\0000\0000\0000\00075\0\0of another version\0')" + "\n"
SENDERS = {  # what stands in onehop-send's place
    "missing": None, "does nothing": "#!/bin/sh\n", "fails": "#!/bin/sh\nexit 1\n", "no program": "garbage\n", "no interpreter": "#!/none\n",
    "killed": "#!/bin/sh\nkill -9 $$\n", "crashes": "#!/bin/sh\nkill -11 $$\n", "another version": PYTHON + FAIL,
    "says yes to nobody": PYTHON + r"put(b'Z', b'0\0000\0000\0000\0000\0\0\0')", "garbage": PYTHON + r"s.sendall(b'\xff' * 1000)",
    "a huge record": PYTHON + r"s.sendall(b'T\xff\xff\xff\xff')",
}


@pytest.mark.parametrize("size", [10, 500000])
@pytest.mark.parametrize("name", SENDERS)
def test_broken_sender(caller, name, size):
    there = caller.directory / "bin"
    there.mkdir()
    caller.program = shutil.copy(PROGRAMS["onehop"], there)
    if SENDERS[name] is not None:
        (there / "onehop-send").write_text(SENDERS[name])
        (there / "onehop-send").chmod(0o755)
    words = caller.refused(75, TO_X, MESSAGE + b"x\n" * (size // 2))
    assert name != "another version" or b"of another version" in words


# ---------------------------------------------------------------- a caller that is killed
class Waiting(Sink):
    """Waits with its answer to the verb until told to go on, and then for the client to hang up by itself."""

    def __init__(self, verb):
        super().__init__()
        self.verb, self.reached, self.go_on, self.ended = verb, threading.Event(), threading.Event(), threading.Event()

    def talk(self, conn, lines):
        self.hung_up = select.poll()
        self.hung_up.register(conn, select.POLLRDHUP)
        try:
            super().talk(conn, self.slowly(lines))
        finally:
            self.ended.set()

    def slowly(self, lines):
        for line in lines:
            if line.startswith(self.verb):
                self.reached.set()
                self.go_on.wait(30)
                self.hung_up.poll(5000)
            yield line


@pytest.mark.parametrize("verb", [b"EHLO", b"MAIL", b"RCPT", b"DATA"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda s: s.name)
def test_killed(tmp_path, number, verb):
    """It still owns the message, so the message is not sent behind its back."""
    caller = Caller(tmp_path)
    sink = Waiting(verb)
    sink.start()
    caller.config.write_text(CONF % (sink.port, *[tmp_path] * 5))
    p = subprocess.Popen([caller.program, "-C", str(caller.config), *TO_X], stdin=subprocess.PIPE)
    p.stdin.write(MESSAGE)
    p.stdin.close()
    assert sink.reached.wait(30)
    p.send_signal(number)
    assert p.wait(30) == -number
    sink.go_on.set()
    assert sink.ended.wait(30)
    assert sink.mails == []
