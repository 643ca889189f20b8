"""Logging in at a server that computes (tests/harness/loginserver.py): each mechanism, what refusals lead to, and that a wrong
password locks no account."""
import base64
import concurrent.futures
import os
import re
import ssl
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import planted  # noqa: E402
from harness.loginserver import LoginPost  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")
ALL = "PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256 CRAM-MD5"
RESTS = "the login of %s/passwd.client:1 at 127.0.0.1 rests until "


@pytest.fixture
def make(tmp_path):
    made = []

    def one(offers=ALL, password="pencil", **how):
        post = LoginPost(tmp_path, offers, **how)
        post.configure(password=password)
        made.append(post)
        return post
    yield one
    for post in made:
        post.down()
        planted.look_below(post.directory, "".join(post.said))


def send(post, *words):
    r = post.sendmail("-i", *words, "x@far.example")
    assert r.returncode == 0, r.stderr
    return r.stderr.decode()


def mode(post):
    """A= of the last delivery."""
    found = re.findall(r"=> x@far\.example .* A=(\S+)", post.mainlog())
    return found[-1] if found else None


def pass_hours(post, hours):
    """What db/ knows by the wall clock is made older."""
    for name in os.listdir(post.spool + "/db"):
        if name.startswith(("login.", "host.")):
            with open(os.path.join(post.spool, "db", name), "r+", encoding="utf-8") as f:
                text = re.sub(r"(?m)^(last-try|next-try|left-out-until) (\d+)", lambda m: "%s %d" % (m[1], int(m[2]) - hours * 3600), f.read())
                f.seek(0)
                f.write(text)


# ---------------------------------------------------------------- each mechanism
@pytest.mark.parametrize("name", ALL.split())
def test_the_only_one(make, name):
    post = make(name)
    send(post)
    assert len(post.mails) == 1 and post.tries == [(name, True)] and mode(post) == name.lower().replace("-", "_")
    assert post.headers == (["n"] if "SCRAM" in name else [])


VERSIONS = {"tls-unique": ssl.TLSVersion.TLSv1_2, "tls-exporter": ssl.TLSVersion.TLSv1_3}


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
@pytest.mark.parametrize("binding", VERSIONS)
@pytest.mark.parametrize("offers, name, header", [
    (ALL, "SCRAM-SHA-256", "n"), ("SCRAM-SHA-1 PLAIN", "SCRAM-SHA-1", "n"), (ALL + " SCRAM-SHA-256-PLUS", "SCRAM-SHA-256-PLUS", "p="),
    ("PLAIN SCRAM-SHA-1-PLUS", "SCRAM-SHA-1-PLUS", "p="), ("plain Login", "PLAIN", None)])
def test_over_tls(make, offers, name, header, binding, implicit):
    """SCRAM without -PLUS says "n,,"; with it the binding of the TLS version."""
    post = make(offers, tls=VERSIONS[binding], implicit=implicit)
    send(post)
    assert len(post.mails) == 1 and post.tries == [(name, True)]
    assert post.headers == ([] if header is None else [header + binding if header == "p=" else header])


@pytest.mark.parametrize("name", ALL.split())
@pytest.mark.parametrize("text", ["", None, "VXNlcm5hbWU6", "Name?"], ids=["empty", "nothing", "base64", "clear"])
def test_a_deaf_server(make, name, text):
    """It asks for what came with AUTH; what a prompt of PLAIN or LOGIN says does not count."""
    post = make(name)
    post.deaf = True
    if name in ("PLAIN", "LOGIN"):
        post.prompt = lambda octets: text
    send(post)
    assert len(post.mails) == 1 and post.tries == [(name, True)]


# ---------------------------------------------------------------- the server's part
@pytest.mark.parametrize("lies, proof, says", [
    ({"v": b"v=AAAA"}, "334", "signature"), ({"v": b"v=AAAA"}, "in 235", "signature"), ({}, "none", "before it had shown"),
    ({"r": b"abc"}, "334", "nonce"), ({"i": 1}, "334", "1 rounds"), ({"i": 50000000}, "334", "50000000 rounds"), ({"s": b""}, "334", "no salt"),
    ({"e": b"invalid-proof"}, "334", "invalid-proof"), ({"e": b"channel-bindings-dont-match"}, "334", "somebody else"),
], ids=str)
@pytest.mark.parametrize("offers", [ALL, ALL + " SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS"], ids=["plain", "plus"])
def test_a_server_that_does_not_prove_itself(make, lies, proof, says, offers):
    """No other mechanism, no mail; the mail waits."""
    post = make(offers, tls=ssl.TLSVersion.TLSv1_3)
    post.lies, post.proof = lies, proof
    send(post)
    assert post.mails == [] and len(post.asked) == 1 and post.connections == 1 and post.input() == ["D", "H"]
    assert "does not prove that it knows the password of %s/passwd.client:1" % post.directory in post.mainlog()
    assert says in post.sendmail("-bp").stdout.decode()


def test_it_hangs_up_after_its_proof(make):
    """The password is right, so that is no refusal, and nothing rests: the next mechanism, and the next message at once."""
    post = make("SCRAM-SHA-256 PLAIN")
    post.proof = "and gone"
    send(post)
    assert post.asked == ["SCRAM-SHA-256", "PLAIN"] and len(post.mails) == 1
    post.offers = "SCRAM-SHA-256"
    send(post)
    send(post)
    assert post.asked[2:] == ["SCRAM-SHA-256"] * 2 and "rests" not in post.mainlog()
    assert "Remote host closed connection in response to an empty response" in post.sendmail("-bp").stdout.decode()


def test_a_proof_in_the_235(make):
    post = make("SCRAM-SHA-256")
    post.proof = "in 235"
    send(post)
    assert len(post.mails) == 1


# ---------------------------------------------------------------- ours
@pytest.mark.parametrize("offers, taken", [("CRAM-MD5 PLAIN", True), ("SCRAM-SHA-256 LOGIN", True), ("CRAM-MD5", False), ("SCRAM-SHA-1", False)])
def test_a_password_that_the_library_cannot_prepare(make, offers, taken):
    """Octets that are no UTF-8."""
    post = make(offers, password="p\xe4\xdf\xff")
    post.account = (b"user", b"p\xe4\xdf\xff")
    send(post)
    assert len(post.mails) == taken
    if not taken:
        said = post.sendmail("-bp").stdout.decode()
        assert "the login of %s/passwd.client:1 cannot be used with %s: it has octets that are no UTF-8" % (post.directory, offers) in said
        assert "refused" not in said


# ---------------------------------------------------------------- it hangs up
@pytest.mark.parametrize("words", ["504 5.5.4 not this", "535 5.7.8 Error: authentication failed", "535-5.7.8 Error:\n535 5.7.8 authentication failed",
                                   "454 4.7.0 Temporary authentication failure", "421 4.7.0 Too many errors", None],
                         ids=["504", "535", "535-", "454", "421", "nothing"])
@pytest.mark.parametrize("bad, good", [("PLAIN", "LOGIN"), ("CRAM-MD5", "PLAIN"), ("SCRAM-SHA-256", "LOGIN")])
def test_it_hangs_up_over_a_refusal(make, words, bad, good):
    """The next mechanism over a new connection, and the one that cost the first is left out for a day."""
    post = make("%s %s" % (bad, good))
    post.words, post.hangs_up = words, (bad,)
    post.refused = (bad,)
    send(post)
    assert [name for name, _ in post.tries] == [bad, good] and len(post.mails) == 1 and post.connections == 2
    post.asked.clear()
    send(post)
    assert post.asked == [good] and post.connections == 3, "it is left out"
    pass_hours(post, 25)
    post.asked.clear()
    send(post)
    assert post.asked[0] == bad, "for a day"


def test_what_is_left_out_is_tried_when_nothing_else_is_there(make):
    post = make("PLAIN", password="wrong")
    post.hangs_up = ("PLAIN",)
    send(post)
    post.account = (b"user", b"wrong")
    send(post, "-odq")
    assert post.sendmail("-qff").returncode == 0 and len(post.mails) == 2


# ---------------------------------------------------------------- what is shown
def echoes(post, how):
    b64 = base64.b64encode(b"\0user\0" + planted.PASSWORD.encode()).decode()
    echo = {"as it is": planted.PASSWORD, "cut": "%s... ...%s" % (planted.PASSWORD[:8], planted.PASSWORD[-7:]), "upper": planted.PASSWORD.upper(),
            "PLAIN": b64, "PLAIN, cut": b64[:-7], "base64": base64.b64encode(planted.PASSWORD.encode()).decode(),
            "more in base64": base64.b64encode(b"it is %s, is it?" % planted.PASSWORD.encode()).decode()}[how]
    post.rules.update(greeting="220 post %s" % echo, mail="250 2.1.0 %s ok" % echo, rcpt="250-2.1.5 ok\r\n250 2.1.5 %s" % echo, dot="250 2.0.0 taken %s" % echo)
    post.keywords = ["X %s" % echo]
    post.words = "535-5.7.8 Error: authentication failed\n535 5.7.8 for %s" % echo
    return echo


HOW = ["as it is", "cut", "upper", "PLAIN", "PLAIN, cut", "base64", "more in base64"]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"])
def test_a_server_that_repeats_it(make, how, mechanism):
    """Before the login, in it and behind it, in all that is shown and kept (the fixture looks); it is said all the same."""
    post = make(mechanism, password=planted.PASSWORD)
    echo = echoes(post, how)
    said = send(post, "-v")
    assert "535 5.7.8 for ***" in said and "220 post *" in said and post.mails == []
    post.account = (b"user", planted.PASSWORD.encode())
    said += post.sendmail("-qff", "-v").stderr.decode()
    assert len(post.mails) == 1 and 'C="250 2.0.0 taken *' in post.mainlog() and echo not in said + post.mainlog()


def test_scram_is_not_shown(make):
    """What is said in it is all that it takes to guess the password at leisure."""
    said = send(make("SCRAM-SHA-256"), "-v")
    assert said.count("SMTP<< 334 ***") == 2 and not re.search(r"(?m)^  SMTP<< 334 (?!\*\*\*$)", said)
    assert not re.search(r"(?m)^  SMTP>> (?!AUTH|EHLO|MAIL|RCPT|BDAT|DATA|QUIT|\(writing message\)$|\.$|\**$)", said)


@pytest.mark.parametrize("word", ["PIPELINING", "250-AUTH", "LOGIN PLAIN"])
def test_a_password_that_is_a_word_of_the_server_s(make, word):
    """What is shown is starred; what is understood is not."""
    post = make("PLAIN", password=word)
    post.account = (b"user", word.encode())
    said = send(post, "-v")
    assert len(post.mails) == 1 and word not in said.replace("SMTP>> AUTH PLAIN", "")


# ---------------------------------------------------------------- refusals
def test_three_refusals_and_then_a_rest(make):
    """In the order of strength; the second SCRAM is of the first's family."""
    post = make(password="wrong")
    send(post)
    assert [name for name, _ in post.tries] == ["SCRAM-SHA-256", "CRAM-MD5", "PLAIN"] and post.mails == []
    said = post.sendmail("-bp").stdout.decode()
    for words in ("refused the login of %s/passwd.client:1 with SCRAM-SHA-256, CRAM-MD5, PLAIN: " % post.directory,
                  "535 5.7.8 Error: authentication failed", "auth_mechanisms = SCRAM-SHA-1 LOGIN would try that"):
        assert words in said


@pytest.mark.parametrize("how", [[], ["-odq"], ["-odb"]], ids=["now", "queued", "background"])
def test_nobody_offers_it_before_the_back_off_is_over(make, how):
    post = make(password="wrong")
    send(post)
    for _ in range(4):
        send(post, *how)
        for run in ("-q", "-qf"):
            assert post.sendmail(run).returncode == 0
    post.until(lambda: len(post.input()) == 10)
    assert len(post.tries) == 3 and post.connections == 1
    assert RESTS % post.directory in post.mainlog() and "535 5.7.8 Error: authentication failed" in post.sendmail("-bp").stdout.decode()


def test_several_callers_at_once(make):
    post = make(password="wrong")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: send(post), range(12)))
    assert len(post.tries) == 3 and post.mails == [] and len(post.input()) == 24


def test_several_callers_with_a_login_that_was_good(make):
    """Three may try at once; what each is told counts for all."""
    post = make()
    send(post)
    post.account = (b"user", b"changed")
    post.tries.clear()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: send(post), range(12)))
    assert 1 <= len(post.tries) <= 3 and len(post.mails) == 1


def test_after_the_back_off(make):
    post = make(password="wrong")
    send(post)
    pass_hours(post, 1)
    post.sendmail("-q")
    assert len(post.tries) == 6
    post.account = (b"user", b"wrong")
    pass_hours(post, 2)
    post.sendmail("-q")
    assert len(post.mails) == 1
    send(post)
    assert len(post.mails) == 2, "it is good again"


def test_a_changed_file_ends_it(make):
    post = make(password="wrong")
    send(post)
    post.configure(password="pencil")
    send(post)
    assert len(post.mails) >= 1 and post.tries[-1][1]


def test_other_mechanisms_end_it(make):
    post = make(password="wrong")
    send(post)
    post.configure(password="wrong", auth_mechanisms="LOGIN")
    send(post)
    assert [name for name, _ in post.tries][3:] == ["LOGIN"]


@pytest.mark.parametrize("force", ["-M", "-qff"])
def test_an_administrator_may_ask_for_it(make, force):
    post = make(password="wrong")
    send(post)
    send(post)
    ids = re.findall(r"(\S{6}-\S{6}-\S{2}) <", post.sendmail("-bp").stdout.decode())
    post.sendmail(force, *(ids if force == "-M" else []))
    assert len(post.tries) == 6, "once more, not once more for each message"


def test_the_record_of_another_version(make):
    """What is not understood, and what is not there, is as if nothing was known; an older onehop finds host.* as it was."""
    post = make(password="wrong")
    send(post)
    (path,) = [os.path.join(post.spool, "db", name) for name in os.listdir(post.spool + "/db") if name.startswith("login.")]
    with open(path, "w", encoding="ascii") as f:
        f.write("what is this\n")
    send(post)
    assert len(post.tries) == 6
    hosts = [open(os.path.join(post.spool, "db", name), encoding="ascii").read() for name in os.listdir(post.spool + "/db") if name.startswith("host.")]
    assert [re.sub(r" .*", "", text, flags=re.M).split() for text in hosts] == [["tries", "first-failed", "last-try", "next-try", "last-success", "error"]]
