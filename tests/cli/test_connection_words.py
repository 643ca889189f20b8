"""Whatever was wrong with a connection, the sentence names host and port: in -bp, in status, and in the log."""
import json
import os
import re
import socket
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")
WHERE = r"localhost \(127\.0\.0\.1\) port %d"


class Silent:
    """Takes a connection, says these octets at each turn, and then is silent or hangs up."""

    def __init__(self, turns, ends=True, full=False):
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=0 if full else 5)
        self.port, self.turns, self.ends, self.held = self.sock.getsockname()[1], turns, ends, []
        if full:
            for _ in range(8):
                self.held.append(socket.socket())
                self.held[-1].setblocking(False)
                self.held[-1].connect_ex(("127.0.0.1", self.port))
        else:
            threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            self.held.append(conn)
            for i, turn in enumerate(self.turns):
                if i > 0 and not conn.recv(4096):
                    break
                conn.sendall(turn)
            try:
                if self.ends:
                    conn.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR) if self.turns is not None else None
        self.sock.close()
        for conn in self.held:
            conn.close()


def said(post):
    """What -bp and status say of the message that waits."""
    got = post.sendmail("-f", "me@here.example", "x@far.example")
    assert got.returncode == 0, got
    (line,) = re.findall(r"(?m)^ +last error for x@far.example: (.*)$", post.sendmail("-bp", stdin="").stdout.decode())
    out = subprocess.run([sandbox.programs()["onehop"], "status", "-C", post.directory + "/onehop.conf", "--json"],
                         stdout=subprocess.PIPE, check=True, timeout=60).stdout
    assert line in json.loads(out)["error"]
    return line


HELLO = [b"220 hi\r\n", b"250-hi\r\n250 STARTTLS\r\n", b"220 go\r\n"]
TROUBLE = {
    "closed at once": ([], {}, r"Remote host closed connection in response to initial connection: WHERE"),
    "silent": (None, {"command_timeout": "1s"}, r"WHERE after initial connection: the server did not answer in time"),
    "no SMTP": ([b"SSH-2.0-x\r\n"], {}, r"WHERE does not speak SMTP: its answer to initial connection is malformed"),
    "silent after EHLO": (HELLO[:1], {"command_timeout": "1s"}, r"WHERE after EHLO host\.example: the server did not answer in time"),
    "closed after EHLO": (HELLO[:1] + [b""], {}, r"Remote host closed connection in response to EHLO host\.example: WHERE"),
    "no STARTTLS": ([HELLO[0], b"250 hi\r\n", b"221 bye\r\n"], {"tls": "starttls"},
                    r"WHERE does not offer STARTTLS, and tls = starttls asks for it"),
    "no TLS with tls_verify": ([HELLO[0], b"250 hi\r\n", b"221 bye\r\n"], {"tls_verify": "yes", "tls": "starttls"}, r"WHERE does not offer STARTTLS.*"),
    "TLS is closed": (HELLO + [b""], {}, r"there is no TLS with WHERE.*: the server closed the connection in the TLS handshake"),
    "TLS is nonsense": (HELLO + [b"250 what?\r\n"], {}, r"there is no TLS with WHERE.*: the server does not speak TLS here.*"),
    "TLS is silent": (HELLO, {"command_timeout": "1s"}, r"there is no TLS with WHERE.*: the server did not finish the TLS handshake in time"),
}


@pytest.mark.parametrize("what", TROUBLE)
def test_trouble(post, what):
    turns, options, words = TROUBLE[what]
    server = Silent(turns or [], ends="silent" not in what)
    try:
        options = {"tls": "starttls", **options} if "TLS is" in what else options
        post.configure(smarthost="localhost::%d" % server.port, ip_family="ipv4", **options)
        line = said(post)
        assert re.fullmatch(words.replace("WHERE", WHERE % server.port), line), line
    finally:
        server.close()


def test_no_answer_to_connect(post):
    server = Silent(None, full=True)
    post.configure(smarthost="localhost::%d" % server.port, ip_family="ipv4", connect_timeout="1s")
    assert re.fullmatch("cannot connect to " + WHERE % server.port + ": Connection timed out", said(post))
    server.close()


@pytest.mark.parametrize("host, family, words", [
    ("localhost", "ipv4", WHERE + ": Connection refused"), ("127.0.0.1", "ipv4", r"127\.0\.0\.1 port %d: Connection refused"),
    ("localhost", "any", WHERE + r": Connection refused; ::1 port \d+: [A-Z].*")])
def test_refused(post, host, family, words):
    post.down()
    post.configure(smarthost="%s::%d" % (host, post.port), ip_family=family)
    line = said(post)
    assert re.fullmatch("cannot connect to " + words % post.port, line), line


def test_unix_socket(post):
    path = post.directory + "/nobody"
    post.configure(smarthost="lmtp:" + path)
    assert said(post) == "cannot connect to the socket %s: No such file or directory" % path


def test_no_such_name(post):
    post.configure(smarthost="no-such-host.invalid::2525", connect_timeout="3s")
    assert said(post).startswith("cannot connect to no-such-host.invalid port 2525: ")


def test_proxy(post):
    post.down()
    post.configure(smarthost="192.0.2.25::587", socks_proxy="localhost::%d" % post.port, ip_family="ipv4")
    assert re.search("cannot connect to " + WHERE % post.port, said(post))
