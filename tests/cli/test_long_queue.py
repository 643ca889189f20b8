"""A queue of hundreds: connections, logins and memory do not grow with it (tests/bench/queue has one of ten thousand)."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import backlog, peak, planted, sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")
MANY, FEW = 200, 20
ALONG = 10                 # src/send/main.c


def fill(post, n):
    assert post.sendmail("-odq", "far@far.example").returncode == 0
    backlog.grow(post.spool, n)


def run(post, flag="-q"):
    got = post.sendmail(flag)
    assert (got.returncode, got.stderr) == (0, b"")


def count(post):
    return int(post.sendmail("-bpc").stdout)


def test_one_connection_for_all(post):
    fill(post, MANY)
    assert count(post) == MANY
    run(post)
    assert (len(post.mails), post.connections, count(post)) == (MANY, 1, 0)
    assert post.input() == [] and post.mainlog().count(" Completed\n") == MANY


@pytest.mark.parametrize("sick", ["421 busy", "554 not for you", ""])
def test_one_connect_a_run_when_it_takes_nothing(post, sick):
    fill(post, MANY)
    post.rules["greeting"] = sick
    for connects, flag in enumerate(("-q", "-qf", "-qf"), 1):
        run(post, flag)
        assert post.connections == connects
    run(post)
    assert post.connections == 3 and count(post) == MANY       # it is not due


def test_one_login_a_run_with_a_wrong_password(post):
    post.configure(auth_client_allow_notls_passwords="yes", passwd_client=post.directory + "/passwd.client")
    with open(post.directory + "/passwd.client", "w", encoding="ascii") as f:
        f.write("*:user:%s\n" % planted.PASSWORD)
    post.ehlo, post.rules["auth"] = ["250-post", "250 AUTH PLAIN"], "535 5.7.8 wrong"
    fill(post, MANY)
    for how, logins in (("-qf", 1), ("-qf", 1), ("-qff", 2), ("-qff", 3)):      # a login that was refused rests
        run(post, how)
        assert sum(c.startswith("AUTH") for c in post.commands) == logins
    assert post.mails == [] and count(post) == MANY


def test_a_few_go_along(post):
    fill(post, MANY)
    assert post.sendmail("now@far.example").returncode == 0
    post.until(lambda: len(post.mails) == 1 + ALONG and count(post) == MANY - ALONG)
    assert post.connections == 1 and post.mails[0][1] == ["now@far.example"]


def largest(post, *words):
    argv = [sandbox.programs()["onehop"], "-C", post.directory + "/onehop.conf", *words]
    code, found = peak.peaks(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert code == 0
    return {name: kib for name, kib in found.values()}


@pytest.mark.skipif(sandbox.sanitized(), reason="the sanitizer's memory grows")
def test_memory_does_not_grow(post):
    found = {}
    for n in (FEW, MANY):
        fill(post, n)
        post.rules["greeting"] = "421 busy"
        found[n] = [largest(post, flag) for flag in ("-bp", "-bpj", "-qf")]
        post.rules.clear()
        found[n] += [largest(post, "-qf")]
        assert post.input() == []
    for few, many in zip(found[FEW], found[MANY]):
        for name in few:
            assert many[name] < few[name] + 400, (few, many)
