"""Mail goes and arrives on a machine that systemd runs."""
import pytest

MAIL = "To: %s\nSubject: %s\n\nhello\n"


def send(box, user, to, subject="s"):
    return box.run("onehop", "-t", user=user, stdin=MAIL % (to, subject))


@pytest.mark.parametrize("user", ["root", "alice"])
def test_to_the_smarthost_and_to_a_mailbox(box, smarthost, user):
    got = send(box, user if user != "root" else None, "bob, you@example.org")
    assert (got.rc, got.out, got.err) == (0, "", "")
    assert [m["mail"] for m in smarthost.mails] == ["FROM:<%s@box.example>" % user]
    assert len(box.mailbox("bob")) == 1 and box.waiting() == []
