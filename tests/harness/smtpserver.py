"""A scripted SMTP server: plays a profile and writes down what it heard.

A profile says what is answered: greeting, ehlo, ehlo_tls, ehlo_auth (after the login), helo, starttls, cert (a name of
mkcerts), smtps (a cert: TLS from the first byte), auth (MECH -> list of replies), mail, rcpt, data, dot, quit,
rset, auth_abort.  A reply is a string, a list (several lines), or a dict by substring of the command, with "default";
a greeting, ehlo, mail, rcpt, data, dot or quit may be a function of the command (of the text, at the dot) that gives one.
In it "DROP" closes the connection, "SLEEP n" waits, and "FORGET" throws away what has come behind the command.
drop_in_data closes after the first line of the text; mail_behind is the answer to a MAIL that more came along with.
"""
import base64
import os
import re
import socket
import ssl
import threading
import time

L1 = "latin-1"
KEPT = 20000


class Drop(Exception):
    """The script closes the connection."""


def clip(data):
    if len(data) <= KEPT:
        return data
    return data[:8000] + b"\r\n<... %d octets left out ...>\r\n" % (len(data) - 12000) + data[-4000:]


def last(reply):
    return reply if isinstance(reply, str) else reply[-1]


def pick(reply, line):
    if callable(reply):
        reply = reply(line)
    if not isinstance(reply, dict):
        return reply
    for key, value in reply.items():
        if key != "default" and key.lower() in line.lower():
            return value
    return reply.get("default", "250 ok")


class Session:
    """One connection."""

    def __init__(self, conn, profile, record, certs):
        self.conn, self.profile, self.record, self.certs = conn, profile, record, certs
        self.buf = b""
        self.msg = None

    # -- bytes
    def fill(self):
        data = self.conn.recv(65536)
        if not data:
            raise EOFError("client closed")
        self.buf += data

    def line(self):
        while b"\n" not in self.buf:
            self.fill()
        line, self.buf = self.buf.split(b"\n", 1)
        return line + b"\n"

    def exact(self, n):
        while len(self.buf) < n:
            self.fill()
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def note(self, who, text):
        self.record["dialogue"].append([who, text])

    def say(self, text):
        for line in text if isinstance(text, list) else [text]:
            if line is None:
                continue
            if line == "DROP":
                raise Drop()
            if line == "FORGET":
                self.buf = b""
                continue
            if line.startswith("SLEEP "):
                time.sleep(float(line[6:]))  # a slow server
                continue
            self.note("S", line)
            self.conn.sendall(line.encode(L1) + b"\r\n")

    def command(self):
        text = self.line().decode(L1)
        text = text[:-2] if text.endswith("\r\n") else text[:-1] + "<bare LF>"
        self.note("C", text)
        return text

    def start_tls(self, cert):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("%s/%s.crt" % (self.certs, cert), "%s/%s.key" % (self.certs, cert))
        self.conn = context.wrap_socket(self.conn, server_side=True)
        self.record["tls"] = self.conn.version()

    # -- protocol
    def run(self):
        try:
            self.talk()
        except Drop:
            self.note("S", "<server drops the connection>")
        except (OSError, EOFError) as e:
            self.note("!", type(e).__name__ + ": " + re.sub(r"\(_ssl.c:\d+\)", "", str(e)))
        try:
            if self.record["tls"] and not any(who == "!" for who, _ in self.record["dialogue"]):
                self.conn.settimeout(3)
                self.conn.unwrap()
        except (OSError, ValueError):
            pass
        try:
            self.conn.close()
        except OSError:
            pass

    def talk(self):
        if self.profile.get("smtps"):
            self.start_tls(self.profile["smtps"])
        self.say(pick(self.profile.get("greeting", "220 smtp.isp.example ESMTP test"), ""))
        verbs = {"EHLO": self.ehlo, "HELO": self.helo, "LHLO": self.ehlo, "STARTTLS": self.starttls, "AUTH": self.auth,
                 "MAIL": self.mail, "RCPT": self.rcpt, "DATA": self.data, "BDAT": self.bdat,
                 "RSET": lambda line: self.say(self.profile.get("rset", "250 reset")),
                 "NOOP": lambda line: self.say("250 ok")}
        while True:
            line = self.command()
            verb = line.upper().split(" ")[0]
            if verb == "QUIT":
                self.say(pick(self.profile.get("quit", "221 bye"), line))
                return
            verbs.get(verb, lambda line: self.say("500 what?"))(line)

    def ehlo(self, line):
        plain = self.profile.get("ehlo", ["250-smtp.isp.example", "250 8BITMIME"])
        if any(entry["replies"][-1].startswith("235") for entry in self.record["auth"]):
            plain = self.profile.get("ehlo_auth", plain)
        self.say(pick(self.profile.get("ehlo_tls", plain) if self.record["tls"] else plain, line))

    def helo(self, line):
        self.say(self.profile.get("helo", "250 smtp.isp.example"))

    def starttls(self, line):
        reply = self.profile.get("starttls", "220 go ahead")
        self.say(reply)
        if last(reply).startswith("220"):
            self.buf = b""
            self.start_tls(self.profile.get("cert", "good"))
            self.note("*", "TLS started")

    def mail(self, line):
        self.msg = {"mail": line[5:], "rcpt": [], "data": None}
        step = "mail_behind" if self.buf and "mail_behind" in self.profile else "mail"
        self.say(pick(self.profile.get(step, "250 2.1.0 sender ok"), line))

    def rcpt(self, line):
        reply = pick(self.profile.get("rcpt", "250 2.1.5 recipient ok"), line)
        if self.msg is None:
            reply = "503 MAIL first"
        else:
            self.msg["rcpt"].append([line[5:], last(reply)])
        self.say(reply)

    def data(self, line):
        reply = pick(self.profile.get("data", "354 go"), line)
        self.say(reply)
        if not last(reply).startswith("354"):
            return
        if self.profile.get("drop_in_data"):
            self.line()
            raise Drop()
        body = b""
        while not body.endswith(b"\r\n.\r\n") and body != b".\r\n":
            body += self.line()
        self.note("C", "<message, %d octets, then dot>" % (len(body) - 3))
        self.taken(body[:-3])

    def bdat(self, line):
        words = line.upper().split()
        self.msg["chunks"] = self.msg.get("chunks", b"") + self.exact(int(words[1]))
        self.msg["bdat"] = True
        if words[-1] != "LAST":
            self.say("250 chunk ok")
            return
        self.taken(self.msg.pop("chunks"))

    def taken(self, body):
        msg = self.msg or {"mail": None, "rcpt": []}
        msg["data"] = clip(body).decode(L1)
        reply = pick(self.profile.get("dot", "250 2.0.0 queued"), msg["data"])
        msg["reply"] = last(reply) if isinstance(reply, (str, list)) else None
        self.record["messages"].append(msg)
        self.say(reply)

    def auth(self, line):
        words = line.split(" ", 2)
        mech = words[1].upper()
        entry = {"mech": mech, "line": line, "sent": [], "decoded": [], "replies": []}
        self.record["auth"].append(entry)

        def got(text):
            entry["sent"].append(text)
            try:
                entry["decoded"].append(base64.b64decode(text, validate=True).decode(L1).replace("\0", "\\0"))
            except ValueError:
                entry["decoded"].append(None)

        if len(words) > 2:
            got(words[2])
        for reply in self.profile.get("auth", {}).get(mech, ["504 Unrecognized authentication type"]):
            entry["replies"].append(last(reply))
            self.say(reply)
            if not last(reply).startswith("334"):
                break
            text = self.command()
            got(text)
            if text == "*":
                self.say(self.profile.get("auth_abort", "501 aborted"))
                break


class Server(threading.Thread):
    """Listens at spec's addr and port, made in the network namespace netns (a file), and plays the
    n-th of spec's sessions on the n-th connection, the last one again and again."""

    def __init__(self, spec, sink, certs, listen):
        super().__init__(daemon=True)
        self.spec, self.sink, self.certs = spec, sink, certs
        self.name_port = "%s:%d" % (spec.get("addr", "192.0.2.25"), spec.get("port", 2525))
        self.talks = []
        if spec.get("unix"):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.bind(spec["unix"])
            os.chmod(spec["unix"], 0o666)
            self.name_port = spec["unix"]
            self.sock.listen(20)
        else:
            self.sock = listen(spec.get("addr", "192.0.2.25"), spec.get("port", 2525))

    def run(self):
        count = 0
        while True:
            conn, _ = self.sock.accept()
            conn.settimeout(30)
            scripts = self.spec.get("sessions") or [self.spec.get("session", {})]
            profile = scripts[min(count, len(scripts) - 1)]
            count += 1
            record = {"server": self.name_port, "tls": False, "dialogue": [], "auth": [], "messages": []}
            self.sink.append(record)
            talk = threading.Thread(target=Session(conn, profile, record, self.certs).run, daemon=True)
            self.talks.append(talk)
            talk.start()

    def settle(self, deadline):
        for talk in self.talks:
            talk.join(max(0.0, deadline - time.monotonic()))
