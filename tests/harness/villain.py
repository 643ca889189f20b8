"""A server that plays a script, whatever the client says: for servers that mean harm, or break.

A script is a list of what the server does: bytes are sent, a str is waited for at the start of a line, the rest are the
functions below.  When it ends, the server waits for QUIT in silence."""
import base64
import ctypes
import os
import re
import socket
import ssl
import struct
import subprocess
import threading

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
HOST = "192.0.2.25"        # not loopback: a link on which others listen
PASSWORD = b"s3cret/w0rd+1"
PATIENCE = 8               # seconds for which a server waits for its client
PIECE = 65536
WORDS = {"EHLO": (b"EHLO", b"HELO")}       # there are clients that know no EHLO
PROMPTS = {b"LOGIN": [b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n"]}
TAKEN = re.compile(rb"2\d\d( [^\0\r\n]{0,1000})?\r?\n")


class Over(Exception):
    """The client has gone, or the script is at its end."""


def secrets():
    """The password in each form in which it could leak."""
    blob = b"\0user\0" + PASSWORD
    plain = [PASSWORD, base64.b64encode(PASSWORD), base64.b64encode(blob), PASSWORD.hex().encode(), base64.b64encode(b"user:" + PASSWORD)]
    return plain + [quoted(PASSWORD, b"%"), quoted(PASSWORD, b"=")]


def quoted(data, mark):
    """Each octet in hexadecimal behind a mark, as in URLs and in quoted-printable."""
    return b"".join(mark + b"%02X" % c for c in data)


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


def deaf(s):
    """Read nothing more: the window closes."""
    s.stop.wait(PATIENCE)
    raise Over()


def handshake(cert="villain", **how):
    """TLS with this certificate of mkcerts; how: attributes of the context."""
    def act(s):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("%s/%s.crt" % (s.certs, cert), "%s/%s.key" % (s.certs, cert))
        if how:
            context.set_ciphers("ALL:@SECLEVEL=0")
        for name, value in how.items():
            setattr(context, name, value)
        s.heard = b""
        s.conn = context.wrap_socket(s.conn, server_side=True)
        s.secure = True
    return act


tls = handshake()


def login(s):
    """Behind AUTH: take it in whichever way it comes."""
    words = s.line.split()
    for prompt in PROMPTS.get(words[1].upper(), [b"334 \r\n"])[len(words) > 2:]:
        s.say(prompt)
        s.wait_for("")
    s.say(b"235 ok\r\n")


def text(s):
    """The message, up to the dot."""
    while b"\r\n.\r\n" not in s.heard:
        s.need()
    s.take(*s.heard.split(b"\r\n.\r\n", 1))


def chunk(s):
    """The message behind BDAT, which was waited for."""
    size = int(s.line.split()[1])
    while len(s.heard) < size:
        s.need()
    s.take(s.heard[:size], s.heard[size:])


def filtered(s):
    """It has offered what it does not know: each line that is no command of RFC 5321 is answered with 500."""
    while True:
        s.wait_for("")
        if s.line.upper().startswith(b"QUIT"):
            s.say(b"221 bye\r\n")
            raise Over()
        if s.line.upper().startswith(b"DATA"):
            s.say(b"354 go\r\n")
            text(s)
        s.say(b"250 ok\r\n" if s.line.upper().startswith((b"MAIL", b"RCPT", b"DATA")) else b"500 what?\r\n")


def part(s):
    """Some of the message; the rest is not read."""
    while b"\r\n\r\n" not in s.heard:
        s.need()


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


def split(line):
    """A byte a packet, but all of it, and soon."""
    def act(s):
        s.conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(line)):
            s.conn.sendall(line[at:at + 1])
            s.stop.wait(0.002)
        s.acked += s.owes
        s.owes = 0
    return act


class Server(threading.Thread):
    """Plays the script on each connection, one after another."""

    def __init__(self, certs, script=()):
        super().__init__(daemon=True)
        self.script, self.certs = script, certs
        self.sock = socket.create_server((HOST, 0))
        self.port = self.sock.getsockname()[1]
        self.connections = self.taken = 0
        self.acked = self.owes = 0   # messages that it said 2xx to; that it has heard and not answered
        self.texts = []
        self.clear, self.secret = b"", b""  # all that was heard without TLS, and with
        self.secure, self.heard, self.line, self.waits = False, b"", b"", ""
        self.stop = threading.Event()

    def fill(self):
        data = self.conn.recv(PIECE)
        self.heard += data
        if self.secure:
            self.secret += data
        else:
            self.clear += data
        return data

    def need(self):
        if not self.fill():
            raise Over()

    def take(self, message, rest):
        self.taken += 1
        self.owes = 1
        self.texts.append(message)
        self.heard = rest

    def wait_for(self, word):
        self.waits = word
        while True:
            while b"\n" not in self.heard:
                self.need()
            self.line, self.heard = self.heard.split(b"\n", 1)
            if self.line.upper().startswith(WORDS.get(word, word.encode())):
                self.waits = ""
                return

    def say(self, reply):
        self.conn.sendall(reply)
        if not reply.startswith(b"250-"):
            self.acked += self.owes if TAKEN.match(reply) else 0
            self.owes = 0

    def serve(self):
        self.waits = ""
        for act in self.script:
            if isinstance(act, bytes):
                self.say(act)
            elif isinstance(act, str):
                self.wait_for(act)
            else:
                act(self)
        self.wait_for("QUIT")
        self.owes = 0
        self.say(b"221 bye\r\n")

    def run(self):
        while True:
            try:
                self.conn, _ = self.sock.accept()
            except OSError:
                return
            self.connections += 1
            self.secure, self.heard, self.owes = False, b"", 0
            self.conn.settimeout(PATIENCE)
            try:
                self.serve()
            except (Over, OSError, ValueError):
                pass
            self.conn.close()

    def finish(self):
        self.stop.set()
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.join(PATIENCE)


class Nobody:
    """A port at which nobody listens, and with full=True one that lets no connection through."""

    def __init__(self, full=False):
        self.connections = self.taken = self.acked = 0
        self.texts, self.clear, self.secret, self.waits = [], b"", b"", ""
        self.sock = socket.socket()
        self.sock.bind((HOST, 0))
        self.port = self.sock.getsockname()[1]
        self.callers = []
        if full:
            self.sock.listen(0)
            for _ in range(4):
                caller = socket.socket()
                caller.setblocking(False)
                caller.connect_ex((HOST, self.port))
                self.callers.append(caller)

    def start(self):
        pass

    def finish(self):
        for sock in [self.sock, *self.callers]:
            sock.close()


def serve(certs, script):
    """A server for a script; None is nobody, "full" one that lets nobody in."""
    if script is None or script == "full":
        return Nobody(script == "full")
    return Server(certs, script)


def namespace(more=0):
    """A network of this thread alone; more: what else is its own."""
    if LIBC.unshare(CLONE_NEWNET | more) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "addr", "add", HOST + "/32", "dev", "lo"], check=True)


def planted(*places):
    """Does any of these have the password in it?"""
    return any(secret in place for place in places for secret in secrets())


def below(directory):
    """All that the files below a directory hold."""
    return b"".join(contents(os.path.join(parent, name)) for parent, _, names in os.walk(directory) for name in names)


def contents(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return b""
