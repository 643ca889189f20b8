"""What the sender of a message that waits is told: a warning a day, or none; in the end a bounce.  Time passes when the
spool's own clock (db/clock) is put forward."""
import email
import email.policy
import os

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")
HOUR = 3600


@pytest.fixture(name="post")
def picky(post):
    post.rules["rcpt"] = lambda line: "450 4.2.1 later" if "later" in line else "550 5.1.1 who" if "bad" in line else "250 ok"
    return post


def pass_time(post, hours):
    path = post.spool + "/db/clock"
    with open(path, encoding="ascii") as f:
        count, again, wall, awake, _, boot = f.read().split()
    count = int(count) + hours * HOUR
    with open(path, "w", encoding="ascii") as f:
        f.write("%d %s %s %s %d %s\n" % (count, again, wall, awake, count ^ int(again) << 1 ^ int(wall) << 2, boot))


def run(post, hours=0, how="-qf"):
    """Let hours pass, run the queue; the notices that came of it."""
    pass_time(post, hours)
    post.mails.clear()
    assert post.sendmail(how, stdin="").returncode == 0
    return [email.message_from_bytes(text.encode("latin-1"), policy=email.policy.default) for _, _, text in post.mails]


def send(post, header="", *words, to="later@far.example", sender="me@here.example"):
    assert post.sendmail("-f", sender, *words, to, stdin="Subject: the plan\n" + header + "\nbody\n").returncode == 0


def test_a_warning_a_day(post):
    send(post)
    assert run(post) == [] and run(post, 23) == []
    (first,) = run(post, 1)
    assert post.mails[0][:2] == ("", ["me@here.example"])
    assert first["Subject"].startswith("Warning: message ") and first["Subject"].endswith(" delayed 24 hours")
    assert first["Auto-Submitted"] == "auto-replied" and first.get_content_type() == "multipart/report"
    text, status, original = first.get_payload()
    assert "the plan" in text.get_content() and original.get_content_type() == "text/rfc822-headers"
    assert (status.get_payload()[1]["Action"], status.get_payload()[1]["Status"]) == ("delayed", "4.2.1")
    assert run(post) == [] and run(post, 23) == []
    (second,) = run(post, 1)
    assert second["Subject"].endswith(" delayed 48 hours")
    assert run(post) == [] and len(run(post, 30)) == 1 and run(post, 17) == []


def test_one_warning_for_days_without_a_run(post):
    send(post)
    (only,) = run(post, 75)
    assert only["Subject"].endswith(" delayed 72 hours") and run(post) == [] and run(post, 20) == []


@pytest.mark.parametrize("header, warned", [
    ("Precedence: bulk\n", False), ("Precedence: first-class\nprecedence: LIST\n", False), ("Precedence: junk\n", False),
    ("List-Id: <l.example>\n", False), ("Auto-Submitted: auto-generated\n", False),
    ("Auto-Submitted: auto-replied; x=y\n", False), ("Auto-Submitted: no\n", True), ("Precedence: first-class\n", True)])
def test_who_is_warned(post, header, warned):
    send(post, header)
    assert len(run(post, 25)) == warned


def test_nobody_is_warned_of_a_bounce(post):
    send(post, sender="")
    assert run(post, 25) == []


@pytest.mark.parametrize("notify, warned", [("failure", False), ("never", False), ("delay", True), ("success,delay", True)])
def test_who_asked_for_it(post, notify, warned):
    send(post, "", "-N", notify)
    assert len(run(post, 25)) == warned and run(post) == []


def test_no_warnings(post):
    post.configure(delay_warning="0s")
    send(post)
    assert run(post, 50) == []


def test_the_end(post):
    """Neither age alone nor tries alone give a message up."""
    post.configure(retry="F,2h,15m; F,1d,1h", delay_warning="0s")
    send(post)
    assert run(post, 25) == []
    for _ in range(12):
        found = run(post)
        if found:
            break
    (bounce,) = found
    assert bounce["Subject"] == "Mail delivery failed: returning message to sender" and post.input() == []
    text, status, original = bounce.get_payload()
    assert "retry timeout exceeded" in text.get_content() and status.get_payload()[1]["Status"] == "5.4.7"
    assert original.get_payload()[0]["Subject"] == "the plan"


def test_a_frozen_bounce_ends_without_a_word(post):
    assert post.sendmail("-f", "bad@here.example", "x@far.example", "bad@far.example").returncode == 0
    post.until(lambda: post.input() == ["D", "H"] and "Frozen (delivery error message)" in post.mainlog())
    post.rest()
    assert run(post, 47, "-q") == [] and post.input() == ["D", "H"]
    assert run(post, 1, "-q") == [] and post.input() == []
    assert "bad@here.example: error ignored" in post.mainlog()


def test_a_frozen_message_comes_back(post):
    send(post)
    (one,) = [line.split()[2] for line in post.mainlog().splitlines() if " <= " in line]
    assert post.sendmail("-Mf", one, stdin="").returncode == 0
    assert run(post, 167, "-q") == [] and post.input() == ["D", "H"]
    (bounce,) = run(post, 1, "-q")
    assert "cancelled by timeout_frozen_after" in bounce.get_payload()[0].get_content() and post.input() == []


def test_no_storm(post):
    """A hundred bounces an hour are one sender's share; what comes then is frozen, and nothing is lost."""
    for _ in range(102):
        send(post, "", "-odq", to="bad@far.example")
    assert len(run(post)) == 100 and post.input() == ["D", "D", "H", "H"]
    assert post.mainlog().count("Frozen (its sender has had too many bounces in this hour, or") == 2
    send(post, "", "-odq", to="bad@far.example", sender="you@here.example")
    assert len(run(post)) == 1
    assert len(run(post, 1, "-qff")) == 2 and post.input() == []
