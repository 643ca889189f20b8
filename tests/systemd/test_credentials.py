"""The password is a credential of systemd's, plain or encrypted: every way to send has it, and none goes without a login."""
import os

import doors
import pytest
from harness import planted
from machine import Smarthost

NAME = "passwd.client"
LOGIN = "smtp.isp.example:joe:%s\n" % planted.PASSWORD
UNITS = ("onehop-submit@", "onehop-smtp@", "onehop-queue", "onehop-flush")
STORES = {"plain": "/etc/credstore", "of this boot": "/run/credstore", "encrypted": "/etc/credstore.encrypted"}


def keep(box, kind, text=LOGIN):
    """As onehop(8) says."""
    path = STORES[kind] + "/" + NAME
    box.must("install", "-d", "-m", "700", STORES[kind])
    if kind == "encrypted":
        box.must("systemd-creds", "encrypt", "--with-key=host", "--name=" + NAME, "-", path, stdin=text)
        if box.systemd() < 254:
            for unit in UNITS:
                box.write("/etc/systemd/system/%s.service.d/credential.conf" % unit, "[Service]\nLoadCredentialEncrypted=%s\n" % NAME)
            box.must("systemctl", "daemon-reload")
    else:
        box.must("sh", "-c", "umask 077; cat >" + path, stdin=text)


@pytest.fixture
def submission(box, certs):
    """Takes mail from joe alone, over TLS."""
    clear = ["250-smtp.isp.example", "250-STARTTLS", "250 8BITMIME"]
    host = Smarthost(box, certs, 587)
    host.profile = {"ehlo": clear, "ehlo_tls": ["250-smtp.isp.example", "250-AUTH PLAIN", "250 8BITMIME"], "auth": {"PLAIN": ["235 2.7.0 hello"]},
                    "mail": lambda line: "250 ok" if host.records[-1]["auth"] else "530 5.7.0 login first"}
    box.write("/etc/exim4/update-exim4.conf.conf", box.read("/etc/exim4/update-exim4.conf.conf").replace("smtp.isp.example", "smtp.isp.example::587") +
              "tls_trust_file='/etc/exim4/ca.crt'\n")
    since = box.cursor()
    yield host
    host.down()
    planted.look({("joe", planted.PASSWORD)}, {"the journal": "\n".join(box.journal(since)), "the log": box.mainlog()})


def logged_in(host):
    return [login for login in host.logins() if login == ["\\0joe\\0" + planted.PASSWORD]]


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("door", doors.ALL, ids=lambda door: door.__name__)
def test_every_way_has_the_login(box, submission, door, kind):
    if kind == "of this boot" and box.systemd() < 254:
        pytest.skip("systemd 252 has no such place")
    keep(box, kind)
    got = door(box, "you@example.org")
    assert got.rc == 0, got
    box.until(lambda: len(submission.mails) == 1)
    assert logged_in(submission) and box.waiting() == []
    assert box.journal(box.cursor()) == []


@pytest.mark.parametrize("door", doors.ALL, ids=lambda door: door.__name__)
def test_it_counts_before_the_file_that_exim_left(box, submission, door):
    """Debian's exim4 ships one with nothing but comments."""
    box.write("/etc/exim4/passwd.client", "# password file used when the local exim is authenticating to a remote host\n", 0o640, "root:onehop")
    keep(box, "plain")
    got = door(box, "you@example.org")
    assert got.rc == 0, got
    box.until(lambda: len(submission.mails) == 1)
    assert logged_in(submission)


@pytest.mark.parametrize("kind", ["plain", "encrypted"])
def test_without_the_socket_roots_mail_waits_for_the_timer(box, submission, kind):
    """It does not go without a login, and it is not lost."""
    keep(box, kind)
    box.must("systemctl", "stop", "onehop-submit.socket")
    got = doors.root(box, "you@example.org")
    assert got.rc == 0, got
    assert submission.records == [] or not [who for r in submission.records for who, text in r["dialogue"] if text.startswith("MAIL")]
    assert "the passwords are a credential, %s/%s" % (STORES[kind], NAME) in box.mainlog()
    assert len(box.waiting()) == 1
    assert box.run("onehop", "-qf").rc == 0 and len(box.waiting()) == 1
    box.must("systemctl", "start", "onehop-flush.service")
    assert len(submission.mails) == 1 and logged_in(submission) and box.waiting() == []


def test_an_encrypted_one_that_cannot_be_read(box, submission):
    """Of another machine, say: nothing goes without it, and nothing is lost.  systemd 257 starts no unit then, 262 starts it without."""
    keep(box, "encrypted")
    text = box.read(STORES["encrypted"] + "/" + NAME)
    box.write(STORES["encrypted"] + "/" + NAME, text[:40] + text[40:80].swapcase() + text[80:], 0o600)
    got = doors.root(box, "you@example.org")
    assert submission.mails == [] and (got.rc == 75 or len(box.waiting()) == 1), got
    before = len(box.waiting())
    got = doors.user(box, "you@example.org")
    assert submission.mails == [] and (got.rc, len(box.waiting()) - before) in [(75, 0), (0, 1)], got
    box.remove(STORES["encrypted"] + "/" + NAME)
    keep(box, "encrypted")
    got = doors.user(box, "you@example.org")
    assert got.rc == 0 and logged_in(submission), got


def test_none_at_all(box, smarthost):
    """Then there is no login, and nobody says a word about it."""
    for _ in range(2):          # the slices are made once
        since = box.cursor()
        for door in doors.ALL:
            got = door(box, "you@example.org")
            assert got.rc == 0, got
        box.quiet()
    assert len(smarthost.mails) == 2 * len(doors.ALL)
    lines = [line for line in box.journal(since) if "onehop" in line and "systemd-run" not in line]
    if box.systemd() < 254:     # it speaks of each mount of credentials
        lines = [line for line in lines if "run-credentials-" not in line]
    assert lines == []


def test_the_configured_file_counts_alone(box, submission):
    """Who names a file has no credential."""
    keep(box, "plain", "smtp.isp.example:joe:another\n")
    box.write("/etc/onehop.passwd", LOGIN, 0o640, "root:onehop")
    box.write("/etc/exim4/update-exim4.conf.conf", box.read("/etc/exim4/update-exim4.conf.conf") + "passwd_client='/etc/onehop.passwd'\n")
    for door in doors.user, doors.root:
        got = door(box, "you@example.org")
        assert got.rc == 0, got
    assert len(logged_in(submission)) == 2
    os.unlink(box.path("/etc/onehop.passwd"))
