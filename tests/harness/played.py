"""harness/post.py with a server of harness/smtpserver.py behind it: each connection is played by a script of its own."""
import os
import socket
import threading

from harness import sandbox, smtpserver
from harness.post import Post


class Played(Post):
    """sessions: profiles (smtpserver.py), or functions that give one, for one connection after the other; the last one again
    and again.  records: what each connection was like."""

    def __init__(self, directory, *sessions, unix=False):
        self.sessions, self.records, self.talks = list(sessions), [], []
        self.path = str(directory) + "/socket" if unix else None
        super().__init__(directory)

    def up(self):
        if self.path:
            self.server = socket.socket(socket.AF_UNIX)
            self.server.bind(self.path)
            self.server.listen(20)
        else:
            self.server = socket.create_server(("127.0.0.1", self.port))
            self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, args=(self.server,), daemon=True).start()

    def down(self):
        self.server.close()
        if self.path and os.path.exists(self.path):
            os.unlink(self.path)

    def serve(self, listener):
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            conn.settimeout(30)
            profile = self.sessions.pop(0) if len(self.sessions) > 1 else self.sessions[0]
            record = {"tls": False, "dialogue": [], "auth": [], "messages": []}
            self.records.append(record)
            session = smtpserver.Session(conn, profile() if callable(profile) else profile, record, sandbox.certificates())
            talk = threading.Thread(target=session.run, daemon=True)
            self.talks.append(talk)
            talk.start()

    def messages(self):
        """What was taken: the message after the dot, or in chunks."""
        return [m for record in self.records for m in record["messages"]]

    def heard(self, i):
        """The commands of connection i."""
        return [text for who, text in self.records[i]["dialogue"] if who == "C"]

    def send(self, *words, to="x@far.example", stdin="From: a@b.example\nTo: x@far.example\nSubject: s\n\nbody\n"):
        """sendmail; when it is over, so are its connections."""
        r = self.sendmail("-i", *words, *([to] if to else []), stdin=stdin)
        for talk in self.talks:
            talk.join(20)
        return r
