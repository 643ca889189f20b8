"""An SMTP server that takes every message, keeps none, and counts how often a client waits for it.

A turn is: the client wrote, then waited.  With a patience (seconds) nothing is answered before the client has
been silent for so long; so what it writes in several pieces without waiting is one turn, and a QUIT whose answer
is not waited for is none.
"""
import select
import ssl
import threading

CAPABILITIES = ["PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8"]


class Link:
    """The bytes of one connection, in clear or through TLS.  What is said goes out when more is waited for."""

    def __init__(self, conn, patience):
        self.conn, self.patience = conn, patience
        self.tls, self.incoming, self.outgoing = None, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.unsent = self.buf = b""
        self.commands = self.turns = self.tls_turns = 0  # commands: since the last turn

    def say(self, *lines):
        data = "".join(line + "\r\n" for line in lines).encode()
        if self.tls:
            self.tls.write(data)
        else:
            self.unsent += data

    def receive(self):
        """Octets as they come; b"" when the client has left."""
        self.unsent += self.outgoing.read()
        if self.unsent:
            if self.patience and select.select([self.conn], [], [], self.patience)[0]:
                return self.conn.recv(65536)
            self.conn.sendall(self.unsent)
            self.unsent = b""
            self.turns += self.commands > 0
            self.tls_turns += self.commands == 0 and self.tls is not None
            self.commands = 0
        return self.conn.recv(65536)

    def through_tls(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                data = self.receive()
                if not data:
                    return b""
                self.incoming.write(data)
            except ssl.SSLZeroReturnError:
                return b""

    def start_tls(self, context):
        self.buf = b""
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.through_tls(self.tls.do_handshake)

    def read(self):
        data = self.through_tls(lambda: self.tls.read(65536)) if self.tls else self.receive()
        if not data:
            raise EOFError
        return data

    def line(self):
        while b"\n" not in self.buf:
            self.buf += self.read()
        line, self.buf = self.buf.split(b"\n", 1)
        self.commands += 1
        return line.decode("latin-1").strip()

    def skip(self, n):
        while n > len(self.buf):
            n -= len(self.buf)
            self.buf = self.read()
        self.buf = self.buf[n:]

    def skip_to_dot(self):
        """How many octets the text has."""
        size, tail = -2, b"\r\n"
        while True:
            tail, self.buf = tail + (self.buf or self.read()), b""
            at = tail.find(b"\r\n.\r\n")
            if at >= 0:
                self.buf = tail[at + 5:]
                self.commands += 1
                return size + at + 2
            kept = tail[-4:]
            size, tail = size + len(tail) - len(kept), kept


class Sink(threading.Thread):
    """Serves a listening socket.  tls: None, "starttls" or "implicit"; with TLS it wants
    a login, too.  cert: a function from nothing to (certificate, key) files."""

    def __init__(self, sock, tls=None, cert=None, patience=0.0, chunking=True):
        super().__init__(daemon=True)
        self.sock, self.tls, self.cert, self.patience, self.chunking = sock, tls, cert, patience, chunking
        self.taken = []        # the size of each message that was taken
        self.links = []
        self.start()

    def run(self):
        while True:
            threading.Thread(target=self.serve, args=(self.sock.accept()[0],), daemon=True).start()

    def serve(self, conn):
        with conn:
            conn.settimeout(60)
            link = Link(conn, self.patience)
            self.links.append(link)
            try:
                self.talk(link)
            except (EOFError, OSError):
                pass

    def start_tls(self, link):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.cert())
        link.start_tls(context)

    def hello(self, link):
        more = CAPABILITIES + ["CHUNKING"] * self.chunking
        if link.tls:
            more += ["AUTH PLAIN LOGIN"]
        elif self.tls:
            more += ["STARTTLS"]
        link.say("250-smtp.isp.example", *("250-" + m for m in more[:-1]), "250 " + more[-1])

    @staticmethod
    def auth(link, words):
        for ask in {"PLAIN": [""], "LOGIN": ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"]}[words[1].upper()][len(words) - 2:]:
            link.say("334 " + ask)
            link.line()
        link.say("235 2.7.0 welcome")

    def talk(self, link):
        if self.tls == "implicit":
            self.start_tls(link)
        link.say("220 smtp.isp.example ESMTP")
        known = False
        while True:
            words = link.line().split()
            verb = words[0].upper() if words else ""
            if verb in ("EHLO", "HELO"):
                self.hello(link)
            elif verb == "STARTTLS":
                link.say("220 go ahead")
                self.start_tls(link)
            elif verb == "AUTH":
                self.auth(link, words)
                known = True
            elif verb == "MAIL" and self.tls and not known:
                link.say("530 5.7.0 log in first")
            elif verb == "DATA":
                link.say("354 go")
                self.taken.append(link.skip_to_dot())
                link.say("250 2.0.0 taken")
            elif verb == "BDAT":
                link.skip(int(words[1]))
                if words[-1].upper() == "LAST":
                    self.taken.append(int(words[1]))
                link.say("250 2.0.0 taken")
            elif verb == "QUIT":
                link.say("221 2.0.0 bye")
            else:
                link.say("250 2.0.0 ok")
