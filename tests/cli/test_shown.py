"""What is somebody else's, a server's words or a user's address, is shown as text: it does not play with the reader's terminal.

Controls of one octet are kept out elsewhere; here are those of UTF-8 (U+0080 to U+009F), octets that are no UTF-8, and what
turns or hides the text beside it."""
import os

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")

TRICKS = {"CSI": "\x9b2J", "OSC": "\x9d0;title\x9c", "next line": "a\x85b", "override": "\u202etxt.exe", "isolate": "\u2066x\u2069",
          "mark": "\u200fx", "nothing": "a\u200bb", "byte order": "\ufeffx"}


def harmless(data):
    text = data.decode()                                                    # it is UTF-8
    found = [c for c in text if "\x7f" <= c <= "\x9f" or c in "\u200b\u200f\u202e\u2066\u2069\ufeff"]
    assert not found, text
    return text


def everywhere(post):
    """The main log, the queue in its forms, status."""
    said = [post.sendmail(*words, stdin="") for words in (("-bp",), ("-bpr",), ("-bp", "-oJ") , ("status",))]
    return [harmless(post.mainlog().encode()), *(harmless(s.stdout + s.stderr) for s in said)]


@pytest.mark.parametrize("name", TRICKS)
@pytest.mark.parametrize("step", ["greeting", "mail", "rcpt", "dot"])
def test_a_server_s_words(post, step, name):
    post.rules[step] = lambda line: "451 4.3.0 mark %s" % TRICKS[name]
    got = post.sendmail("-v", "a@far.example")
    assert got.returncode == 0 and "mark" in harmless(got.stdout + got.stderr)
    assert "mark" in everywhere(post)[0]


@pytest.mark.parametrize("name", TRICKS)
def test_an_address(post, name):
    address = "a%s@far.example" % TRICKS[name]
    got = post.sendmail("-v", address)                                        # the server has no SMTPUTF8
    assert got.returncode in (65, 69)
    harmless(got.stdout + got.stderr)
    got = post.sendmail("-v", "-odq", address)
    harmless(got.stdout + got.stderr)
    assert (got.returncode, post.input()) == ((65, []) if "\x7f" < TRICKS[name][0] < "\xa0" or "\x85" in TRICKS[name] else (0, ["D", "H"]))
    everywhere(post)
