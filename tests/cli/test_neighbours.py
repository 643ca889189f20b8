"""What one user's mail, limits, logins and files are to another's: nothing that he has asked for."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli.test_doors import MAKE_SPOOL, RECORDS, SERVER, TEXT, installed, mail, messages, play  # noqa: E402
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))


# ---------------------------------------------------------------- onehop-post: the caller's limits and control group
def test_the_gate_takes_no_other_mail_along(tmp_path):
    """Root's next mail does."""
    waits = {"argv": ["/usr/sbin/sendmail", "-odq", "bob@far.example"], "stdin": TEXT}
    now = {"argv": ["/usr/sbin/sendmail", "root@far.example"], "stdin": TEXT, "settle": 3}
    seen = play(MAKE_SPOOL, waits, {**mail(["alice@far.example"]), "settle": 3}, {"argv": ["/usr/sbin/sendmail", "-bpc"]}, now,
                {"argv": ["/usr/sbin/sendmail", "-bpc"]}, servers=[SERVER], daemons=(), **installed(tmp_path)[0])
    assert [s["rc"] for s in seen["steps"]] == [0] * 6, seen["steps"]
    assert [s["stdout"] for s in seen["steps"] if s["argv"][-1] == "-bpc"] == ["1\n", "0\n"], (seen["steps"], seen["mainlog"])


LIMITS = {"fsize": ("1000000", "the size of files (ulimit -f)"), "data": ("100000000", "data (ulimit -d)"), "stack": ("100000", "the stack (ulimit -s)"),
          "as": ("200000000", "the address space (ulimit -v)"), "nofile": ("40", "open files (ulimit -n)")}


@pytest.mark.skipif(sandbox.sanitized(), reason="a sanitizer needs more address space than that")
@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_with_which_mail_goes_unlogged(tmp_path, name):
    """It is said, once, and nothing is taken; with a soft limit alone the mail goes."""
    value, words = LIMITS[name]
    hard, soft = (mail(["x@far.example"], before=["/usr/bin/prlimit", "--%s=%s:%s" % (name, value, top)]) for top in (value, ""))
    seen = play(MAKE_SPOOL, hard, {"argv": ["/usr/sbin/sendmail", "-bpc"]}, soft, servers=[SERVER], daemons=(), **installed(tmp_path)[0])
    _, refused, count, sent = seen["steps"]
    assert refused["rc"] == 75 and refused["stderr"].count("onehop-post: the hard limit for %s is %s here" % (words, value)) == 1, refused
    assert refused["secs"] < 2 and "onehop-post does not work here" in refused["stderr"], refused
    assert (count["stdout"], sent["rc"], len(messages(seen))) == ("0\n", 0, 1), seen["steps"]


def test_no_set_uid_program_counts_here(tmp_path):
    """The door that would help is named, not how onehop-post is installed."""
    seen = play(MAKE_SPOOL, mail(["x@far.example"], before=["/usr/bin/setpriv", "--no-new-privs"]), servers=[SERVER], daemons=(), **installed(tmp_path)[0])
    step = seen["steps"][1]
    assert step["rc"] == 75 and "systemctl enable --now onehop-submit.socket" in step["stderr"] and "onehop-post" not in step["stderr"], step
    assert not messages(seen)


# ---------------------------------------------------------------- logins
CONNECT = RECORDS + """
import select
s = socket.socket(socket.AF_UNIX)
s.connect("/run/onehop/submit")
s.sendall(record("V", "2", "0", "1", "0") + envelope() + rcpt())
while s.recv(65536):
    if not select.select([s], [], [], 2)[0]:
        break
"""


def test_no_login_without_a_message():
    """Each would be one at the smarthost that no log names."""
    seen = play({"argv": ["/usr/bin/python3", "-c", CONNECT], "user": "alice", "settle": 1}, servers=[SERVER])
    assert seen["steps"][0]["rc"] == 0 and not seen["smtp"], seen


# ---------------------------------------------------------------- files
MINE = "/home/alice/.config/onehop/onehop.conf"


@pytest.mark.parametrize("owner, mode, says", [
    ("alice", "644", None), ("alice", "600", None), ("root", "644", None),
    ("alice", "664", "may be written by others than its owner: chmod go-w " + MINE), ("alice", "646", "chmod go-w " + MINE),
    ("bob", "644", "belongs to uid 1002: it has to be yours, or root's")])
def test_whose_the_configuration_is(owner, mode, says):
    """It names programs that are run as its user (password_command)."""
    config = {"files": {MINE: {"content": "smarthost = 127.0.0.1::587\nlog_file = /home/alice/own.log\n", "owner": owner, "mode": mode}}}
    seen = play(mail(["-odq", "x@far.example"]), {"argv": ["/usr/sbin/sendmail", "-bV"], "user": "alice"}, config=config, daemons=())
    assert [s["rc"] for s in seen["steps"]] == ([0, 0] if says is None else [78, 78]), seen["steps"]
    assert all((says or "") in s["stderr"] for s in seen["steps"]), seen["steps"]


def test_the_caller_of_a_set_uid_program(tmp_path):
    """Which sends mail with root's rights: by the system's configuration, not by his."""
    config = {"files": {MINE: {"content": "smarthost = 127.0.0.1::1\npassword_command = touch /home/alice/ran\n", "owner": "alice", "mode": "644"}}}
    seen = play(MAKE_SPOOL, {"argv": ["/usr/bin/setpriv", "--ruid=1001", "/usr/sbin/sendmail", "x@far.example"], "stdin": TEXT}, servers=[SERVER],
                config=config, daemons=(), **installed(tmp_path)[0])
    assert seen["steps"][1]["rc"] == 0 and len(messages(seen)) == 1 and "/home/alice/ran" not in seen["files"], seen


def test_what_the_caller_of_a_set_uid_program_gives_it(tmp_path):
    """A -C FILE of his is no more than his, as always."""
    config = {"files": {"/home/alice/c": {"content": "smarthost = 127.0.0.1::1\npassword_command = touch /home/alice/ran\n", "owner": "alice", "mode": "644"}}}
    seen = play(MAKE_SPOOL, {"argv": ["/usr/bin/setpriv", "--ruid=1001", "/usr/sbin/sendmail", "-C", "/home/alice/c", "x@far.example"], "stdin": TEXT},
                servers=[SERVER], config=config, daemons=(), **installed(tmp_path)[0])
    assert seen["steps"][1]["rc"] == 78 and "password_command" in seen["steps"][1]["stderr"], seen["steps"]
    assert not messages(seen) and "/home/alice/ran" not in seen["files"], seen


# ---------------------------------------------------------------- how much of a message there may be
def test_how_many_fields_and_how_long_an_envelope():
    many = "".join("X-%d: y\n" % i for i in range(10001))
    long = ["%s%d@%s.example" % ("x" * 50, i, ".".join(["y" * 60] * 3)) for i in range(9000)]
    seen = play(mail(["x@far.example"], stdin=many + "\nbody\n"), mail(["-t"], stdin="To: " + ",\n ".join(long) + "\n\nbody\n"), servers=[SERVER])
    fields, envelope = seen["steps"]
    assert fields["rc"] == 65 and "the header has more than 10000 fields" in fields["stderr"], fields
    assert envelope["rc"] == 65 and re.search("have more than \\d+ octets in all|header.*(long|large)", envelope["stderr"]), envelope["stderr"]
    assert not messages(seen) and "<=" not in seen["mainlog"]
