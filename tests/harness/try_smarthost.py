#!/usr/bin/env python3
"""A smarthost for one user on 127.0.0.1, for `./bootstrap try`: STARTTLS, AUTH, and a directory of what came.

    try_smarthost.py DIRECTORY CERTIFICATE KEY LOGIN PASSWORD

The port (any free one) is written to DIRECTORY/port when connections are taken, each message to
DIRECTORY/message-N, headed by lines that say how it came.  Mail is taken only behind TLS and AUTH.
"""

import base64
import itertools
import os
import socketserver
import ssl
import sys

DIRECTORY, CERTIFICATE, KEY, LOGIN, PASSWORD = sys.argv[1:6]
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
TLS.load_cert_chain(CERTIFICATE, KEY)
NUMBER = itertools.count(1)


def put(name, data):
    """Under another name first: who waits for the file sees all of it."""
    path = os.path.join(DIRECTORY, name)
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.sender, self.recipients, self.user, self.tls = None, [], None, None
        self.say("220 smarthost.try ESMTP")
        while line := self.rfile.readline(2048):
            verb, _, rest = line.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
            answer = getattr(self, "do_" + verb.lower(), None)
            said = answer(rest.strip()) if answer else f"502 5.5.2 {verb} is not known here"
            if said:
                self.say(said)
            if verb.upper() == "QUIT":
                return

    def say(self, *lines):
        for line in lines:
            self.wfile.write(line.encode() + b"\r\n")

    def do_ehlo(self, name):
        self.say("250-smarthost.try", "250-PIPELINING", "250-8BITMIME", "250-SIZE 10485760")
        if not self.tls:
            return "250 STARTTLS"
        return "250 AUTH PLAIN LOGIN"

    def do_helo(self, name):
        return "250 smarthost.try"

    def do_starttls(self, rest):
        if self.tls:
            return "503 5.5.1 TLS is on"
        self.say("220 2.0.0 go ahead")
        self.connection = TLS.wrap_socket(self.connection, server_side=True)
        self.tls = f"{self.connection.version()} {self.connection.cipher()[0]}"
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

    def do_auth(self, rest):
        if not self.tls:
            return "538 5.7.11 TLS first"
        mechanism, _, initial = rest.partition(" ")
        if mechanism.upper() == "PLAIN":
            given = self.decoded(initial) if initial else self.ask("")
            login, password = (given.split("\0") + ["", "", ""])[1:3]
        elif mechanism.upper() == "LOGIN":
            login = self.decoded(initial) if initial else self.ask("VXNlcm5hbWU6")
            password = self.ask("UGFzc3dvcmQ6")
        else:
            return "504 5.5.4 only PLAIN and LOGIN"
        if (login, password) != (LOGIN, PASSWORD):
            return "535 5.7.8 wrong login or password"
        self.user = f"{login} by {mechanism.upper()}"
        return "235 2.7.0 welcome"

    def ask(self, challenge):
        self.say("334 " + challenge)
        return self.decoded(self.rfile.readline(2048).decode())

    @staticmethod
    def decoded(text):
        return base64.b64decode(text.strip()).decode("utf-8", "replace")

    def do_mail(self, rest):
        if not self.user:
            return "530 5.7.0 TLS and AUTH first"
        self.sender, self.recipients = rest, []
        return "250 2.1.0 sender ok"

    def do_rcpt(self, rest):
        if self.sender is None:
            return "503 5.5.1 MAIL first"
        self.recipients.append(rest)
        return "250 2.1.5 recipient ok"

    def do_data(self, rest):
        if not self.recipients:
            return "503 5.5.1 RCPT first"
        self.say("354 go on, end with a dot")
        text = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            text.append(line[1:] if line.startswith(b".") else line)
        if line == b"":
            return "421 4.4.2 cut off"
        name = f"message-{next(NUMBER)}"
        came = [f"TLS {self.tls}", f"AUTH {self.user}", f"MAIL {self.sender}", *(f"RCPT {r}" for r in self.recipients)]
        put(name, "".join(c + "\n" for c in came).encode() + b"\n" + b"".join(text).replace(b"\r\n", b"\n"))
        self.sender = None
        return f"250 2.0.0 taken as {name}"

    def do_rset(self, rest):
        self.sender, self.recipients = None, []
        return "250 2.0.0 forgotten"

    def do_noop(self, rest):
        return "250 2.0.0 ok"

    def do_quit(self, rest):
        return "221 2.0.0 bye"


with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
    server.daemon_threads = True
    put("port", str(server.server_address[1]).encode())
    server.serve_forever()
