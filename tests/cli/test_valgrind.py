"""No process of a delivery reads what it has not written, writes what it does not own, or loses a block."""
import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import planted, sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

ERROR = 99
VALGRIND = ["/usr/bin/valgrind", "-q", "--vgdb=no", "--trace-children=yes", "--child-silent-after-fork=no", "--leak-check=full",
            "--errors-for-leak-kinds=definite,possible", "--error-exitcode=%d" % ERROR, "/usr/sbin/sendmail"]
MESSAGE = "From: root\nTo: x@far.example, \"Group\": a@b.example;\nSubject: %s\n\n.\nbody\n" % ("long " * 400)
PLAIN = {"sessions": [{"ehlo": ["250-smtp.isp.example", "250-PIPELINING", "250-SIZE 100000", "250 8BITMIME"]}]}
TLS = {"sessions": [{"ehlo": ["250-smtp.isp.example", "250 STARTTLS"], "cert": "good",
                     "ehlo_tls": ["250-smtp.isp.example", "250-CHUNKING", "250-PIPELINING", "250 AUTH PLAIN LOGIN"],
                     "auth": {"PLAIN": ["535 no"], "LOGIN": ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok"]}}]}
REFUSING = {"sessions": [{"rcpt": {"far": "250 ok", "default": "550 no such user"}}]}
LOGIN = {"tls": True, "passwd_client": "smtp.isp.example:user:%s\n*:other:%s\n^mail.*:third:%s\n" % ((planted.PASSWORD,) * 3)}
FORWARD = {"files": {"/home/bob/.forward": {"content": "\\bob, |/bin/cat, x@far.example\n", "owner": "bob"}},
           "email_addresses": "root: me@isp.example\n"}


@pytest.mark.parametrize("name, config, server, words, status", [
    ("plain", {}, PLAIN, ["-v", "x@far.example"], 0),
    ("STARTTLS and two logins", LOGIN, TLS, ["-i", "x@far.example"], 0),
    ("from the header", {}, PLAIN, ["-t", "-N", "failure", "-F", "Rööt"], 0),
    ("one refused", {}, REFUSING, ["x@far.example", "y@near.example"], 0),
    ("nobody there", {}, None, ["x@far.example"], 0),
    ("Maildir and mbox", {}, PLAIN, ["fax", "alice"], 0),
    (".forward", FORWARD, PLAIN, ["bob"], 0),
    ("unknown user", {}, PLAIN, ["nosuch"], 67),
    ("bad recipient", {}, PLAIN, ["a@@b"], 65),
    ("a broken file", {"dc_raw": "dc_smarthost='x\n"}, PLAIN, ["x@far.example"], 78),
    ("-bt", FORWARD, PLAIN, ["-bt", "bob", "x@far.example", "root"], 0),
    ("-bV", {}, PLAIN, ["-bV"], 0),
    ("-bP", LOGIN, PLAIN, ["-bP"], 0)])
def test_clean(name, config, server, words, status):
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed")
    if sandbox.sanitized():
        pytest.skip("AddressSanitizer looks already")
    got = sandbox.run_case({"config": config, "servers": [server] if server else [],
                            "steps": [{"argv": VALGRIND + words, "stdin": MESSAGE, "limit": 150}]})["steps"][0]
    assert got["rc"] == status, got["stderr"]
    assert "== " not in got["stderr"], got["stderr"]     # a child's errors do not reach the exit status
