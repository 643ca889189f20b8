"""What another user's .forward says is his: who sends him mail with -v sees that it went, and not where."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli.test_doors import LOCAL, SERVER, SUBMIT, mail, messages, play  # noqa: E402

FORWARD = "lover@far.example\n\"|/bin/sh -c 'exit %d' --key=HIDDEN\"\n/home/bob/box-HIDDEN\n"
SECRETS = ("lover", "HIDDEN", "far.example", "/bin/sh", "box")


def forward(text, user="bob"):
    return {"/home/%s/.forward" % user: {"content": text, "mode": "600", "owner": user}}


def send(words, files, user="alice", **more):
    seen = play(mail(["-v", *words], user), servers=[{**SERVER, **more}], daemons=[SUBMIT, LOCAL], config={"files": files})
    return seen, seen["steps"][0]["stdout"] + seen["steps"][0]["stderr"]


@pytest.mark.parametrize("user", ["alice", "bob", "root"])
def test_who_sees_it(user):
    seen, said = send(["bob"], forward(FORWARD % 0), user)
    assert seen["steps"][0]["rc"] == 0 and len(messages(seen)) == 1, (said, seen["mainlog"])
    assert " => lover@far.example <bob@debian>" in seen["mainlog"] and "T=address_pipe" in seen["mainlog"]
    found = [word for word in SECRETS if word in said]
    assert found == (list(SECRETS) if user != "alice" else []), said
    assert said.count("=> an undisclosed address <bob@debian>") == (3 if user == "alice" else 0), said
    assert "R: userforward for bob@debian" in said


@pytest.mark.parametrize("name, text, more", [
    ("a pipe that fails", "\"|/bin/sh -c 'echo no; exit 1' --key=HIDDEN\"", {}),
    ("a pipe that waits", "\"|/bin/sh -c 'exit 75' --key=HIDDEN\"", {}),
    ("a quote that is open", "\"|/bin/sh -c 'HIDDEN\"", {}),
    ("a server that refuses", "lover@far.example", {"rcpt": ["550 5.1.1 no lover here"]}),
    ("a user who is none", "HIDDEN", {}),
    ("a file that is none", "/home/bob/HIDDEN/box", {})])
def test_what_fails(name, text, more):
    """The sender hears that it failed; the words of a server are the sender's, too, as in Exim's bounces."""
    seen, said = send(["bob"], forward(text), **more)
    rows = [line for line in said.splitlines() if line.startswith("  ") and "<bob@debian>" in line]
    assert rows and all("an undisclosed address <bob@debian>: the main log says why" in line for line in rows), said
    assert "--key" not in said and "-c" not in said and "SMTP>> RCPT" not in said, said
    assert "--key=HIDDEN" not in str([f for p, f in seen["files"].items() if "/alice/" in p])
    assert name != "a pipe that waits" or "--key" in seen["mainlog"]


def test_two_of_whom_one_is_private():
    """The session names both, and is not shown; the other's line is."""
    seen, said = send(["bob", "x@far.example"], forward("lover@far.example"))
    assert [len(m["rcpt"]) for m in messages(seen)] == [2] and "lover" not in said and "RCPT" not in said, said
    assert "=> x@far.example" in said.replace("->", "=>") and "=> an undisclosed address <bob@debian>" in said.replace("->", "=>"), said


def test_on_from_one_to_another():
    """It comes to her own, and from there to bob's: she sees hers and not his."""
    files = {**forward("lover@far.example"), **forward("bob\n\\alice", "alice")}
    seen, said = send(["alice"], files)
    assert "R: userforward for alice@debian" in said and "R: userforward for bob@debian" in said, said
    assert "lover" not in said and " => lover@far.example <alice@debian>" in seen["mainlog"], (said, seen["mainlog"])
