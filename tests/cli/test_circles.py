"""Mail that comes back to where it was: it ends, and says so (received_headers_max)."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli.test_doors import LOCAL, SERVER, SUBMIT, mail, messages, play  # noqa: E402
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

# Root's queue runs follow it as the timer's would; what does not end otherwise is ended.
ROUND = """
printf 'To: alice\\nSubject: round\\n\\nbody\\n' | timeout -s KILL 60 /usr/sbin/sendmail -f '%s' alice; echo $?
tries=0
while test $(/usr/sbin/sendmail -bpc) != 0 && test $((tries += 1)) -lt %d; do timeout -s KILL 60 /usr/sbin/sendmail -qff; sleep 0.5; done
/usr/sbin/sendmail -bpc
"""
FORWARDS = {"to himself": {"alice": "|/usr/sbin/sendmail -i alice"}, "by -t": {"alice": "|/usr/sbin/sendmail -i -t -oem"},
            "two users": {"alice": "|/usr/sbin/sendmail -i bob", "bob": "|/usr/sbin/sendmail -i alice"}}


def come_round(name, sender, runs, **dc):
    """([status, what waits], the log, how many messages came)"""
    files = {"/home/%s/.forward" % user: {"content": '"%s"\n' % forward, "owner": user} for user, forward in FORWARDS[name].items()}
    seen = play({"argv": ["/bin/sh", "-c", ROUND % (sender, runs)], "limit": 200}, daemons=[SUBMIT, LOCAL], config={"files": files, "dc": dc})
    log = seen["mainlog"]
    return seen["steps"][0]["stdout"].split(), log, len(re.findall(r"(?m)^\S+ \S+ \S+ <= (?!<> R=)", log))


@pytest.mark.parametrize("sender", ["root@debian", "<>"])
@pytest.mark.parametrize("name", FORWARDS)
def test_a_forward_that_leads_back(name, sender):
    """Each waits for the next, up to the one that is refused: nobody has it, and he who sent it hears."""
    said, log, came = come_round(name, sender, 2, received_headers_max="5")
    assert said == ["69", "0"] and came <= 6, (came, said, log)


def test_a_long_way_round():
    """By default, and with what one user may have of the door: the queue runs carry it on, to its end; there is one bounce."""
    said, log, came = come_round("to himself", "bob@debian", 200)
    assert said == ["0", "0"] and 25 < came < 35, (came, said, log[-3000:])
    assert "the message has 31 Received fields, more than received_headers_max = 30" in log
    assert len(re.findall(" <= <> R=", log)) == 1 and " => bob <bob@debian> R=local_user" in log, log[-3000:]


def header(n):
    return "".join("Received: from h%d by h%d; Tue, 24 Nov 2026 06:42:02 +0000\n" % (i, i + 1) for i in range(n)) + "Subject: s\n\nbody\n"


@pytest.mark.parametrize("user", ["alice", "root"])
@pytest.mark.parametrize("n, limit", [(30, None), (31, None), (200, None), (2, 2), (3, 2), (31, 31)])
def test_how_often(n, limit, user):
    """As many as it says go, one more is the caller's again."""
    good = n <= (limit or 30)
    config = {"dc": {"received_headers_max": str(limit)}} if limit else {}
    seen = play(mail(["x@far.example"], user, stdin=header(n)), servers=[SERVER], config=config)
    step = seen["steps"][0]
    assert step["rc"] == (0 if good else 69) and len(messages(seen)) == good, step
    assert good or "%d Received fields, more than received_headers_max = %d" % (n, limit or 30) in step["stderr"]


def test_over_smtp():
    text = "EHLO h\nMAIL FROM:<a@b.example>\nRCPT TO:<x@far.example>\nDATA\n%s.\nRSET\nMAIL FROM:<a@b.example>\nRCPT TO:<x@far.example>\nDATA\n%s.\nQUIT\n"
    seen = play(mail(["-bs"], stdin=(text % (header(31), header(30))).replace("\n", "\r\n")), servers=[SERVER])
    assert re.findall(r"(?m)^(550 5\.4\.6|250 2\.0\.0 OK id)", seen["steps"][0]["stdout"]) == ["550 5.4.6", "250 2.0.0 OK id"], seen["steps"]
    assert len(messages(seen)) == 1
