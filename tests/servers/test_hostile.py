"""Servers that mean harm, or break, at every step: what the caller is told, and what the server is given.

A scenario is a list of what the server does: bytes are sent, a str is waited for at the start of a line, the rest are
the functions below.  Class: 0 only when the server said 2xx to the dot; 0 and in the spool later; 69 and 65 never.  In every scenario
the programs return within their deadlines and their memory, and the password goes over TLS only."""
import base64
import ctypes
import hashlib
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

CLONE_NEWNET = 0x40000000
HOST = "192.0.2.25"  # not loopback: a link on which others listen
PASSWORD = b"s3cret-w0rd"
pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

LIMIT = 8  # seconds; what is waited for in vain ends after 1
WORKERS = 24  # they wait most of the time


class Over(Exception):
    """The client has gone, or the script is at its end."""


# ---------------------------------------------------------------- what a server can do
def close(s):
    raise Over()


def rst(s):
    s.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Over()


def silence(s):
    while s.fill():
        pass
    raise Over()


def tls(s):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(s.certs + "/good.crt", s.certs + "/good.key")
    s.flush_heard()
    s.conn = context.wrap_socket(s.conn, server_side=True)
    s.secure = True


def text(s):
    """The message, up to the dot."""
    while b"\r\n.\r\n" not in s.heard:
        s.need()
    s.taken += 1
    s.heard = s.heard.split(b"\r\n.\r\n", 1)[1]


def flood(piece):
    """Send piece for ever."""
    def act(s):
        while True:
            s.conn.sendall(piece)
    return act


def drip(line):
    """A byte a moment, for ever: each comes long before a deadline that starts anew."""
    def act(s):
        for at in range(10 ** 6):
            s.conn.sendall(line[at % len(line):][:1])
            if s.stop.wait(0.1):
                raise Over()
    return act


class Server(threading.Thread):
    """Plays the script on each connection, one after another."""

    def __init__(self, script, certs):
        super().__init__(daemon=True)
        self.script, self.certs = script, certs
        self.sock = socket.create_server((HOST, 0))
        self.port = self.sock.getsockname()[1]
        self.connections = self.taken = 0
        self.clear, self.secret = b"", b""  # all that was heard without TLS, and with
        self.secure, self.heard = False, b""
        self.stop = threading.Event()

    def fill(self):
        data = self.conn.recv(65536)
        self.heard += data
        if self.secure:
            self.secret += data
        else:
            self.clear += data
        return data

    def need(self):
        if not self.fill():
            raise Over()

    def flush_heard(self):
        self.heard = b""

    def wait_for(self, word):
        while True:
            while b"\n" not in self.heard:
                self.need()
            line, self.heard = self.heard.split(b"\n", 1)
            if line.upper().startswith(word.encode()):
                return

    def play(self):
        for act in self.script:
            if isinstance(act, bytes):
                self.conn.sendall(act)
            elif isinstance(act, str):
                self.wait_for(act)
            else:
                act(self)
        silence(self)

    def run(self):
        while True:
            try:
                self.conn, _ = self.sock.accept()
            except OSError:
                return
            self.connections += 1
            self.secure, self.heard = False, b""
            self.conn.settimeout(LIMIT)
            try:
                self.play()
            except (Over, OSError, ValueError):
                pass
            self.conn.close()

    def finish(self):
        self.stop.set()
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.join(LIMIT)


# ---------------------------------------------------------------- scripts
HELLO = [b"220 hi\r\n", "EHLO", b"250 hello\r\n"]
PIPE = [b"220 hi\r\n", "EHLO", b"250-hello\r\n250 PIPELINING\r\n"]
CHUNK = [b"220 hi\r\n", "EHLO", b"250-hello\r\n250-CHUNKING\r\n250 PIPELINING\r\n"]
MAIL = HELLO + ["MAIL", b"250 ok\r\n"]
RCPT = MAIL + ["RCPT", b"250 ok\r\n"]
DATA = RCPT + ["DATA", b"354 go\r\n"]
DOT = DATA + [text]
OFFER = [b"220 hi\r\n", "EHLO", b"250-hello\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n"]
TLS = OFFER + ["STARTTLS", b"220 go\r\n", tls]
AUTH = TLS + ["EHLO", b"250-hello\r\n250 AUTH PLAIN LOGIN\r\n"]
LOGIN = TLS + ["EHLO", b"250-hello\r\n250 AUTH LOGIN\r\n", "AUTH LOGIN"]
MAIL_IN = ["MAIL", b"250 ok\r\n", "RCPT", b"250 ok\r\n", "DATA", b"354 go\r\n", text, b"250 taken\r\n"]
USER = b"334 VXNlcm5hbWU6\r\n"

# What breaks any step, whatever is asked: try again later.
BAD = {
    "silence": [silence], "close": [close], "reset": [rst],
    "garbage": [b"\x16\x03\x01\x00\xff\xfe\r\n", silence], "http": [b"HTTP/1.1 400 Bad Request\r\n\r\n", silence],
    "one digit less": [b"22 ok\r\n", silence], "code 199": [b"199 ok\r\n", silence], "code 600": [b"600 ok\r\n", silence],
    "no code": [b"ok then\r\n", silence], "empty lines": [flood(b"\r\n")],
    "NUL": [b"250 o\0k\r\n", silence], "bare CR": [b"250 ok\r250 ok\r\n", silence], "only CR": [flood(b"250 ok\r")],
    "endless line": [flood(b"2" * 65536)], "endless reply": [flood(b"250-more\r\n")],
    "reply without end": [b"250-more\r\n", silence], "two codes in a reply": [b"250-a\r\n550 b\r\n", silence],
    "a huge line": [b"250 " + b"x" * 100000 + b"\r\n", silence],
    "a byte at a time": [drip(b"250 " + b"x" * 10 ** 6)], "a line at a time": [drip(b"250-x\r\n")],
    "421": [b"421 going down\r\n", close], "450": [b"450 later\r\n"], "354": [b"354 go\r\n"], "100 replies": [b"450 no\r\n" * 100],
}
STEPS = {"connect": [], "EHLO": HELLO[:2], "MAIL": MAIL[:-1], "RCPT": RCPT[:-1], "DATA": DATA[:-1], "dot": DOT,
         "pipelined": PIPE + ["MAIL"], "chunk": CHUNK + ["BDAT"]}
STEPS_WITH_LOGIN = {"EHLO": OFFER[:2], "STARTTLS": OFFER + ["STARTTLS"], "handshake": OFFER + ["STARTTLS", b"220 go\r\n"],
                    "EHLO in TLS": TLS + ["EHLO"], "AUTH": AUTH + ["AUTH PLAIN"], "user": LOGIN, "pass": LOGIN + [USER, ""]}
# (script, status, messages that the server has whole)
ANSWERS = {
    "all is well": (DOT + [b"250 ok\r\n"], 0, 1),
    "2xx to the dot": (DOT + [b"299 ok\r\n"], 0, 1),
    "closes behind the 250": (DOT + [b"250 ok\r\n", close], 0, 1),
    "resets behind the 250": (DOT + [b"250 ok\r\n", "QUIT", rst], 0, 1),
    "QUIT gets no answer": (DOT + [b"250 ok\r\n", silence], 0, 1),
    "QUIT gets 500s": (DOT + [b"250 ok\r\n", "QUIT", flood(b"500 no\r\n")], 0, 1),
    "5xx greeting": ([b"554 no\r\n"], 75, 0),
    "5xx EHLO and HELO": ([b"220 hi\r\n", "EHLO", b"500 no\r\n", "HELO", b"500 no\r\n"], 75, 0),
    "5xx EHLO only": ([b"220 hi\r\n", "EHLO", b"500 no\r\n", "HELO", b"250 ok\r\n"] + MAIL_IN, 0, 1),
    "5xx MAIL": (MAIL[:-1] + [b"550 no\r\n"], 69, 0),
    "5xx MAIL and gone": (MAIL[:-1] + [b"550 no\r\n", close], 69, 0),
    "5xx RCPT": (RCPT[:-1] + [b"550 no\r\n"], 69, 0),
    "5xx DATA": (DATA[:-1] + [b"550 no\r\n"], 69, 0),
    "250 to DATA": (DATA[:-1] + [b"250 ok\r\n"], 75, 0),
    "5xx dot": (DOT + [b"550 no\r\n"], 69, 1),
    "354 to the dot": (DOT + [b"354 go on\r\n"], 75, 1),
    "all pipelined 5xx": (PIPE + ["DATA", b"550 no\r\n503 no\r\n503 no\r\n"], 69, 0),
    "5xx MAIL pipelined and gone": (PIPE + ["DATA", b"550 no\r\n", close], 69, 0),
    "5xx MAIL before a chunk and gone": (CHUNK + ["BDAT", b"550 no\r\n", close], 69, 0),
    "354 though all were refused": (PIPE + ["DATA", b"250 ok\r\n550 no\r\n354 go\r\n", ".", b"554 no\r\n"], 69, 0),
    "2xx without a message": (PIPE + ["DATA", b"250 ok\r\n250 ok\r\n250 ok\r\n"], 75, 0),
    "replies in advance": ([b"220 hi\r\n250 hello\r\n550 no\r\n550 no\r\n550 no\r\n", silence], 69, 0),
}
ANSWERS_WITH_LOGIN = {
    "all is well": (AUTH + ["AUTH", b"235 ok\r\n"] + MAIL_IN, 0),
    "clear text offered": ([b"220 hi\r\n", "EHLO", b"250-hello\r\n250 AUTH PLAIN LOGIN\r\n", "AUTH", b"235 ok\r\n"] + MAIL_IN, 75),
    "clear text offered the old way": ([b"220 hi\r\n", "EHLO", b"250-hello\r\n250 AUTH=LOGIN\r\n", "AUTH", USER], 75),
    "no AUTH": (HELLO + MAIL_IN, 75),
    "HELO only": ([b"220 hi\r\n", "EHLO", b"500 no\r\n", "HELO", b"250 ok\r\n"] + MAIL_IN, 75),
    "STARTTLS refused, AUTH offered": (OFFER + ["STARTTLS", b"454 no\r\n", "AUTH", b"235 ok\r\n"] + MAIL_IN, 75),
    "STARTTLS refused for good": (OFFER + ["STARTTLS", b"502 no\r\n", "AUTH", b"235 ok\r\n"] + MAIL_IN, 75),
    "text behind the 220": (OFFER + ["STARTTLS", b"220 go\r\n250-x\r\n250 AUTH PLAIN\r\n", tls, "AUTH", b"235 ok\r\n"], 75),
    "AUTH said before TLS only": (TLS + ["EHLO", b"250 hello\r\n"] + MAIL_IN, 75),
    "AUTH refused": (AUTH + ["AUTH PLAIN", b"535 no\r\n", "AUTH LOGIN", b"535 no\r\n"] + MAIL_IN, 75),
    "the password in the refusal": (AUTH + ["AUTH PLAIN", b"535 " + PASSWORD + b"\r\n", "AUTH LOGIN", b"535-" + PASSWORD + b"\r\n535 "
                                    + base64.b64encode(b"\0user\0" + PASSWORD) + b" " + base64.b64encode(PASSWORD) + b"\r\n"], 75),
    "the password in the greeting of AUTH": (AUTH + ["AUTH PLAIN", b"334 " + base64.b64encode(PASSWORD) + b"\r\n", silence], 75),
    "530 to MAIL after AUTH": (AUTH + ["AUTH", b"235 ok\r\n", "MAIL", b"530 log in\r\n"], 75),
    "prompts for ever": (LOGIN + [USER, "", USER, ""] + [USER, ""] * 50, 75),
}


# ---------------------------------------------------------------- playing them
def namespace():
    """A network of this thread alone."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "addr", "add", HOST + "/32", "dev", "lo"], check=True)


CONF = """configtype = smarthost
smarthost = %s::%d
primary_hostname = debian
qualify_domain = debian
dead_letter = no
passwd_client = %s
email_addresses = /dev/null/none
spool_directory = %s/spool
log_file = %s/mainlog
connect_timeout = %ds
command_timeout = %ds
data_timeout = %ds
final_timeout = %ds
total_timeout = %ds
"""


def play(script, directory, wait, more=""):
    """Runs in the network: (server, exit status, what was said, seconds)."""
    os.mkdir(directory)
    server = Server(script, sandbox.certificates())
    server.start()
    passwd, conf = directory / "passwd.client", directory / "onehop.conf"
    passwd.write_bytes(b"" if not more else b"%s:user:%s\n" % (HOST.encode(), PASSWORD))
    passwd.chmod(0o600)
    conf.write_text(CONF % (HOST, server.port, passwd, directory, directory, *[wait] * 5) + more)
    memory = [] if sandbox.sanitized() else ["prlimit", "--data=%d" % (32 << 20)]
    argv = memory + [sandbox.programs()["onehop"], "-C", str(conf), "-f", "me@here.example", "x@far.example"]
    start = time.monotonic()
    try:
        r = subprocess.run(argv, input=b"Subject: s\n\nbody\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=3 * LIMIT)
        took = time.monotonic() - start
    finally:
        server.finish()
    with open(directory / "mainlog", "rb") as f:
        left = (len(list(directory.glob("spool/input/*-H"))), f.read() + b"".join(p.read_bytes() for p in directory.glob("spool/*/*")))
    return server, r.returncode, r.stdout, took, left


def check(result, status):
    server, rc, words, seconds, (waiting, written) = result
    later = status == 75                                        # it waits in the spool, and that is no error of the caller's
    assert rc == (0 if later else status), words
    assert waiting == later
    assert seconds < LIMIT
    assert b"out of memory" not in words
    assert PASSWORD not in words and base64.b64encode(PASSWORD) not in words
    assert base64.b64encode(b"\0user\0" + PASSWORD) not in words
    assert PASSWORD not in written and base64.b64encode(PASSWORD) not in written
    assert base64.b64encode(b"\0user\0" + PASSWORD) not in written
    assert PASSWORD not in server.clear and base64.b64encode(PASSWORD) not in server.clear
    assert base64.b64encode(b"\0user\0" + PASSWORD) not in server.clear
    assert b"Sanitizer" not in words and b"runtime error" not in words
    if rc:
        assert words.startswith(b"onehop: ") and words.endswith(b"\n")
        assert not any(c < 32 or c == 127 for c in words.replace(b"\n", b""))
    else:
        assert words == b""
    return server


def scenarios(fingerprint):
    """{name: (arguments of play, status, most messages that the server may have whole)}"""
    pin = "tls_fingerprint = %s\n" % fingerprint
    for bad, ends in BAD.items():
        for step, begins in STEPS.items():
            yield "%s, %s" % (step, bad), (begins + ends, 1), 75, 1
        for step, begins in STEPS_WITH_LOGIN.items():
            yield "login: %s, %s" % (step, bad), (begins + ends, 1, pin), 75, 0
    for name, (script, status, taken) in ANSWERS.items():
        yield name, (script, LIMIT), status, taken
    for name, (script, status) in ANSWERS_WITH_LOGIN.items():
        yield "login: " + name, (script, LIMIT, pin), status, int(status == 0)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """All at once, because most of the time is waiting."""
    with open(sandbox.certificates() + "/good.crt", encoding="ascii") as f:
        fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()
    top = tmp_path_factory.mktemp("hostile")
    with ThreadPoolExecutor(WORKERS, initializer=namespace) as pool:
        return {name: pool.submit(play, args[0], top / str(n), *args[1:])
                for n, (name, args, *_) in enumerate(scenarios(fingerprint))}


@pytest.mark.parametrize("name,status,taken", [(n, s, t) for n, _, s, t in scenarios("")], ids=[n for n, *_ in scenarios("")])
def test_hostile(played, name, status, taken):
    server = check(played[name].result(), status)
    assert server.taken == taken if status == 0 else server.taken <= taken
