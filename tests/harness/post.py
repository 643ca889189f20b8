"""A smarthost on loopback that can be told to refuse, and a spool, a log and a configuration for onehop beside it."""
import glob
import os
import re
import socketserver
import subprocess
import threading
import time

from harness import sandbox

EHLO = ["250-post", "250-PIPELINING", "250-CHUNKING", "250-8BITMIME", "250 SIZE"]


class Handler(socketserver.StreamRequestHandler):
    def say(self, *lines):
        self.wfile.write("".join(line + "\r\n" for line in lines).encode())

    def handle(self):
        try:
            self.talk()
        except (OSError, EOFError):
            pass

    def answer(self, step, line):
        return self.server.post.answer(step, line)

    def text(self):
        data = b""
        while not data.endswith(b"\r\n.\r\n"):
            more = self.rfile.readline()
            if not more:
                raise EOFError
            data += more
        return data[:-3]

    def taken(self, data):
        reply = self.answer("dot", data.decode("latin-1"))
        if reply[0] == "2":
            self.server.post.mails.append((self.sender, self.rcpts, data.decode("latin-1")))
        self.say(reply)

    def auth(self, line):
        self.say(self.answer("auth", line))

    def starttls(self):
        self.say("502 not here")

    def talk(self):
        post = self.server.post
        post.connections += 1
        self.sender, self.rcpts, chunks = None, [], b""
        self.say(self.answer("greeting", ""))
        while True:
            line = self.rfile.readline().decode("latin-1").strip()
            if not line:
                return
            post.commands.append(line)
            verb = line.split()[0].upper()
            if verb in ("EHLO", "HELO"):
                self.say(*post.ehlo)
            elif verb == "MAIL":
                reply = self.answer("mail", line)
                self.sender, self.rcpts, chunks = line.split("<")[1].split(">")[0] if reply[0] == "2" else None, [], b""
                self.say(reply)
            elif verb == "RCPT":
                reply = self.answer("rcpt", line) if self.sender is not None else "503 5.5.1 MAIL first"
                if reply[0] == "2":
                    self.rcpts.append(line.split("<")[1].split(">")[0])
                self.say(reply)
            elif verb == "DATA":
                if not self.rcpts:
                    self.say("503 no recipients")
                    continue
                self.say("354 go")
                self.taken(self.text().replace(b"\r\n..", b"\r\n."))
            elif verb == "BDAT":
                chunks += self.rfile.read(int(line.split()[1]))
                if not self.rcpts:
                    self.say("503 no recipients")
                elif line.upper().endswith("LAST"):
                    self.taken(chunks)
                else:
                    self.say("250 chunk")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            elif verb == "AUTH":
                self.auth(line)
            elif verb == "STARTTLS":
                self.starttls()
            else:
                self.say("250 ok")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    request_queue_size = 64


class Post:
    """rules: {step: reply, or a function of the line that gives one}; steps: greeting mail rcpt dot auth."""

    handler = Handler

    def __init__(self, directory):
        self.directory = str(directory)
        self.spool, self.log = self.directory + "/spool", self.directory + "/mainlog"
        self.rules, self.mails, self.commands, self.connections, self.server = {}, [], [], 0, None
        self.said = []
        self.ehlo, self.port, self.pause = EHLO, 0, threading.Event()
        self.up()
        self.configure()

    def configure(self, more="", **options):
        lines = dict({"smarthost": "127.0.0.1::%d" % self.port, "spool_directory": self.spool, "log_file": self.log,
                      "primary_hostname": "host.example", "qualify_domain": "host.example", "dead_letter": "no"}, **options)
        with open(self.directory + "/onehop.conf", "w", encoding="ascii") as f:
            f.write("".join("%s = %s\n" % item for item in lines.items()) + more)
        os.chmod(self.directory + "/onehop.conf", 0o600)

    def answer(self, step, line):
        rule = self.rules.get(step, "220 post" if step == "greeting" else "250 2.0.0 ok")
        return rule(line) if callable(rule) else rule

    def up(self):
        self.server = Server(("127.0.0.1", self.port), self.handler, bind_and_activate=True)
        self.server.post, self.port = self, self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def down(self):
        """Any number of times.  A server that is closed without it leaves a thread behind that turns for ever."""
        self.server.shutdown()
        self.server.server_close()

    def sendmail(self, *words, stdin="Subject: s\n\nbody\n", **how):
        r = subprocess.run([sandbox.programs()["onehop"], "-C", self.directory + "/onehop.conf", *words], input=stdin.encode(),
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120, **how)
        self.said.append((r.stdout + r.stderr).decode("latin-1"))
        return r

    def input(self):
        """The names in the spool's input directory, without the id's digits: how many of each kind."""
        names = [os.path.basename(p) for p in glob.glob(self.spool + "/input/*")]
        return sorted(re.sub(r"^.*-(?=[DHJ]$)", "", name) for name in names)

    def mainlog(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read()

    def rest(self):
        """Wait until no program is at work in the spool any more."""
        def at_work(fd):
            try:
                return os.readlink(fd).startswith(self.spool)
            except OSError:
                return False
        self.until(lambda: not any(map(at_work, glob.glob("/proc/[0-9]*/fd/*"))))

    def until(self, what):
        """Wait for what is done behind the caller's back."""
        end = time.monotonic() + 20
        while not what():
            assert time.monotonic() < end, "it did not happen"
            self.pause.wait(0.02)
