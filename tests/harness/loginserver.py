"""A smarthost that logs people in, computed here: PLAIN, LOGIN, CRAM-MD5 and SCRAM (RFC 5802, 7677) with tls-exporter (RFC
9266) and tls-unique; it can be told to lie, to hang up, and to ask in odd ways."""
import base64
import ctypes
import hashlib
import hmac
import os
import ssl

from harness import sandbox
from harness.post import Handler, Post

SALT, ROUNDS = b"salt of the server", 4096
BINDINGS = ("tls-exporter", "tls-unique")


class Refused(Exception):
    """In these words."""


def b64(octets):
    return base64.b64encode(octets).decode()


def exporter(tls):
    """EXPORTER-Channel-Binding of a Python ssl socket, which offers tls-unique alone: asked of its OpenSSL, whose SSL * is the
    second member of the object."""
    libssl = ctypes.CDLL("libssl.so.3")
    label, out = b"EXPORTER-Channel-Binding", ctypes.create_string_buffer(32)
    pointer = ctypes.c_void_p.from_address(id(tls._sslobj) + object.__basicsize__ + ctypes.sizeof(ctypes.c_void_p))
    assert libssl.SSL_export_keying_material(pointer, out, ctypes.c_size_t(32), label, ctypes.c_size_t(len(label)), b"", ctypes.c_size_t(0), 1) == 1
    return out.raw


class LoginHandler(Handler):
    tls = None

    def handle(self):
        if self.server.post.implicit:
            self.wrap()
        super().handle()

    def wrap(self):
        post = self.server.post
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(post.certs + "/good.crt", post.certs + "/good.key")
        context.minimum_version = context.maximum_version = post.tls
        self.tls = context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.tls.makefile("rb"), self.tls.makefile("wb", 0)

    def starttls(self):
        self.say("220 go ahead")
        self.wrap()

    def ask(self, octets):
        """What the client answers to a 334."""
        text = self.server.post.prompt(octets)
        self.say("334 " + text if text is not None else "334")
        line = self.rfile.readline().decode().strip()
        self.server.post.commands.append(line)
        if line == "*":
            raise Refused("501 5.7.0 cancelled")
        return base64.b64decode(line)

    def check(self, name, ok):
        post = self.server.post
        ok = ok and name not in post.refused
        post.tries.append((name, ok))
        if not ok:
            raise Refused(post.words)

    def plain(self, first):
        message = first if first is not None and not self.server.post.deaf else self.ask(b"")
        _, login, password = message.split(b"\0")
        self.check("PLAIN", (login, password) == self.server.post.account)

    def login(self, first):
        login = self.ask(b"Username:")
        self.check("LOGIN", (login, self.ask(b"Password:")) == self.server.post.account)

    def cram(self, first):
        challenge = b"<17.42@server>"
        login, _, digest = self.ask(challenge).rpartition(b" ")
        right = hmac.new(self.server.post.account[1], challenge, "md5").hexdigest().encode()
        self.check("CRAM-MD5", login == self.server.post.account[0] and digest == right)

    def bound(self, kind):
        return exporter(self.tls) if kind == "tls-exporter" else self.tls.get_channel_binding(kind)

    def scram(self, name, first):
        post, algorithm, plus = self.server.post, "sha256" if "256" in name else "sha1", name.endswith("-PLUS")
        lie = post.lies.get
        gs2, _, bare = (first if first is not None and not post.deaf else self.ask(b"")).partition(b",,")
        post.headers.append(gs2.decode())
        fields = dict(part.split(b"=", 1) for part in bare.split(b","))
        nonce = lie("r", fields[b"r"] + b"theirs")
        server_first = b"r=%s,s=%s,i=%d" % (nonce, lie("s", base64.b64encode(SALT)), lie("i", ROUNDS))
        final = self.ask(server_first)
        without, _, proof = final.rpartition(b",p=")
        said = b",".join([bare, server_first, without])
        salted = hashlib.pbkdf2_hmac(algorithm, post.account[1], SALT, ROUNDS)
        key = hmac.new(salted, b"Client Key", algorithm).digest()
        signature = hmac.new(hashlib.new(algorithm, key).digest(), said, algorithm).digest()
        got = bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature))
        binding = self.bound(gs2.decode()[2:]) if gs2.startswith(b"p=") else b""
        header = base64.b64decode(dict(part.split(b"=", 1) for part in without.split(b","))[b"c"])
        ok = got == key and fields[b"n"] == post.account[0] and plus == gs2.startswith(b"p=") and header == gs2 + b",," + binding
        if "e" in post.lies:
            self.ask(b"e=" + post.lies["e"])
        self.check(name, ok)
        proof = lie("v", b"v=" + base64.b64encode(hmac.new(hmac.new(salted, b"Server Key", algorithm).digest(), said, algorithm).digest()))
        if post.proof == "in 235":
            raise Refused("235 2.7.0 " + b64(proof))
        if post.proof != "none":
            self.ask(proof)
        if post.proof == "and gone":
            raise EOFError

    def auth(self, line):
        post, (_, name, *rest) = self.server.post, line.split()
        first = None if not rest else b"" if rest[0] == "=" else base64.b64decode(rest[0])
        post.asked.append(name)
        try:
            if name not in post.offers.upper().split() or name in post.unknown:
                raise Refused("504 5.5.4 unrecognized authentication type")
            if name.startswith("SCRAM"):
                self.scram(name, first)
            else:
                {"PLAIN": self.plain, "LOGIN": self.login, "CRAM-MD5": self.cram}[name](first)
            self.say("235 2.7.0 Authentication successful")
        except Refused as words:
            if words.args[0] is not None:
                self.say(*words.args[0].split("\n"))
            if name in post.hangs_up:
                raise EOFError from words


class LoginPost(Post):
    """offers: mechanisms; account: (login, password) that is right; words: of a refusal (None: none, it hangs up); unknown: offered, and 504;
    refused: mechanisms that are not good, whatever the password; hangs_up: those over whose refusal it ends the connection; deaf: it does not look at what comes with AUTH; lies: r, s, i, v, e of SCRAM;
    proof: "334", "in 235", "none" or "and gone"; tls: a version, with STARTTLS."""

    handler = LoginHandler

    def __init__(self, directory, offers, tls=None, implicit=False):
        self.offers, self.account, self.words = offers, (b"user", b"pencil"), "535 5.7.8 Error: authentication failed"
        self.refused, self.keywords = (), []
        self.unknown, self.hangs_up, self.deaf, self.lies, self.proof = (), (), False, {}, "334"
        self.tls, self.implicit = tls, implicit
        self.certs = sandbox.certificates() if tls else None
        self.asked, self.tries, self.headers = [], [], []
        super().__init__(directory)

    @property
    def ehlo(self):
        more = ["250-STARTTLS"] if self.tls and not self.implicit else []
        return ["250-post", *["250-" + word for word in self.keywords], *more, "250-PIPELINING", "250 AUTH " + self.offers]

    @ehlo.setter
    def ehlo(self, lines):
        pass

    def prompt(self, octets):
        return b64(octets)

    def configure(self, more="", password="pencil", **options):
        path = self.directory + "/passwd.client"
        with open(path, "w", encoding="latin-1") as f:
            f.write("127.0.0.1:user:%s\n" % password)
        os.chmod(path, 0o600)
        super().configure(more, passwd_client=path, **({"tls": "implicit"} if self.implicit else {}), **options)
