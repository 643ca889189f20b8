"""What keeps mail of a service or a user from going is said as it is, and what does not matter keeps none."""
import doors
import pytest


def service(box, *properties, user="bob"):
    more = [word for p in properties for word in ("-p", p)]
    return box.run("systemd-run", "--wait", "--pipe", "-q", "-p", "User=" + user, *more, "sh", "-c", "onehop -t", stdin=doors.MAIL % "you@example.org")


HARMLESS = {"no homes": ["ProtectHome=yes"], "empty homes": ["ProtectHome=tmpfs"], "homes to read": ["ProtectHome=read-only"],
            "a home that is hidden": ["InaccessiblePaths=/home/bob"], "no network": ["PrivateNetwork=yes"],
            "unix sockets alone": ["RestrictAddressFamilies=AF_UNIX"], "no devices, no tmp": ["PrivateDevices=yes", "PrivateTmp=yes"],
            "a strict system": ["ProtectSystem=strict", "ProtectHome=yes", "NoNewPrivileges=yes", "PrivateTmp=yes"],
            "other users": ["PrivateUsers=yes"]}


@pytest.mark.parametrize("sandbox", HARMLESS)
def test_a_sandbox_that_does_not_matter(box, smarthost, sandbox):
    """A way that may not be searched means that he has no configuration of his own."""
    got = service(box, *HARMLESS[sandbox])
    assert (got.rc, got.out, got.err) == (0, "", ""), got
    assert len(smarthost.mails) == 1


@pytest.mark.parametrize("properties,words", [
    (["RestrictAddressFamilies=AF_INET AF_INET6"], ["AF_UNIX"]),
    (["InaccessiblePaths=/run/onehop"], ["/run/onehop"]),
], ids=["no unix sockets", "a hidden door"])
def test_a_sandbox_that_does(box, smarthost, properties, words):
    box.write("/etc/exim4/passwd.client", "smtp.isp.example:joe:secret\n", 0o640, "root:onehop")
    got = service(box, *properties)
    assert got.rc == 75 and smarthost.mails == [] and all(w in got.err for w in words), got
    assert "may have been" not in got.err and "no door is open" not in got.err


@pytest.mark.parametrize("owner,mode,words", [("root:root", 0o600, "chgrp onehop /etc/exim4/passwd.client"),
                                              ("root:shadow", 0o640, "usermod -aG shadow onehop")], ids=["root's", "a group's"])
def test_a_password_that_is_not_for_user_onehop(box, smarthost, owner, mode, words):
    box.write("/etc/exim4/passwd.client", "smtp.isp.example:joe:secret\n", mode, owner)
    got = doors.user(box, "you@example.org")
    said = got.err + box.mainlog()
    assert words in said and "no door is open" not in said and smarthost.mails == [], got
    assert got.rc == 75 or len(box.waiting()) == 1


@pytest.mark.parametrize("wrong,status", [("User=nobody-of-that-name", "217/USER"), ("ExecStart=\nExecStart=/nowhere/onehop-send", "203/EXEC"),
                                          ("LoadCredential=x:/nowhere/x", "243/CREDENTIALS")], ids=["217", "203", "243"])
def test_a_unit_that_cannot_start(box, smarthost, wrong, status):
    """Nothing was taken: nobody says that it may have been delivered."""
    box.write("/etc/systemd/system/onehop-submit@.service.d/wrong.conf", "[Service]\n%s\n" % wrong)
    box.must("systemctl", "daemon-reload")
    since = box.cursor()
    got = doors.user(box, "you@example.org")
    assert got.rc == 75 and smarthost.mails == [], got
    assert "nothing was taken" in got.err and "may have been" not in got.err and "systemctl status" in got.err, got
    assert any(status in line for line in box.journal(since))


def test_no_socket(box, smarthost):
    box.write("/etc/exim4/passwd.client", "smtp.isp.example:joe:secret\n", 0o640, "root:onehop")
    box.must("systemctl", "stop", "onehop-submit.socket")
    got = doors.user(box, "you@example.org")
    assert got.rc == 75 and "systemctl enable --now onehop-submit.socket" in got.err and smarthost.mails == [], got


def test_no_socket_to_mailboxes(box):
    box.must("systemctl", "stop", "onehop-local.socket")
    got = doors.user(box, "alice")
    assert got.rc == 75 and "onehop-local.socket" in got.err, got
    box.must("systemctl", "start", "onehop-local.socket")
    assert doors.user(box, "alice").rc == 0 and len(box.mailbox("alice")) == 1


def test_a_mailbox_service_that_cannot_start(box):
    box.write("/etc/systemd/system/onehop-local@.service.d/wrong.conf", "[Service]\nExecStart=\nExecStart=/nowhere/onehop-local\n")
    box.must("systemctl", "daemon-reload")
    got = doors.user(box, "alice")
    assert got.rc == 0 and len(box.waiting()) == 1 and "/run/onehop/local gave no answer" in box.mainlog(), (got, box.mainlog())
    box.remove("/etc/systemd/system/onehop-local@.service.d")
    box.must("systemctl", "daemon-reload")
    box.must("onehop", "-qf")
    assert len(box.mailbox("alice")) == 1
