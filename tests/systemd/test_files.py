"""Who owns what: a log, a spool and a configuration that root made before there was user onehop, or in another mode, are mended, and
-bV says what is not."""
import os
import stat

import doors
import pytest

LOG = "/var/log/onehop/mainlog"


def owner(box, path):
    return box.must("stat", "-c", "%U", path).strip()


def mended_by_tmpfiles(box):
    box.must("systemd-tmpfiles", "--create")


def mended_by_the_socket(box):
    box.must("systemctl", "restart", "onehop-submit.socket")


def mended_by_roots_next_mail(box):
    assert doors.root(box, "bob").rc == 0


@pytest.mark.parametrize("mend", [mended_by_tmpfiles, mended_by_the_socket, mended_by_roots_next_mail], ids=lambda mend: mend.__name__)
def test_a_log_that_is_roots(box, mend):
    box.write(LOG, "", 0o640, "root:root")
    assert doors.user(box, "bob").rc == 0
    assert "U=bob" not in box.mainlog()
    assert "Warning: user onehop, who sends for other users, may not write to %s: chown onehop it\n" % LOG in box.must("onehop", "-bV")
    mend(box)
    assert doors.user(box, "bob").rc == 0
    assert "U=bob" in box.mainlog() and "Warning" not in box.must("onehop", "-bV")


def without_the_user(box):
    """As after make install: no user, no directory but the log's, nothing enabled."""
    box.must("systemctl", "disable", "--now", "onehop-submit.socket", "onehop-local.socket", "onehop-queue.timer")
    box.must("sh", "-c", "userdel onehop; rm -rf /var/spool/onehop /var/log/onehop /run/onehop; ! id onehop 2>/dev/null")
    box.must("install", "-d", "-m", "2750", "-g", "adm", "/var/log/onehop")


README = {"in README's order": [["systemd-sysusers"], ["systemd-tmpfiles", "--create"], ["systemctl", "daemon-reload"],
                                ["systemctl", "enable", "--now", "onehop-submit.socket", "onehop-local.socket", "onehop-queue.timer"]],
          "the sockets alone": [["systemctl", "enable", "--now", "onehop-submit.socket", "onehop-local.socket", "onehop-queue.timer"]],
          "the queue's timer first": [["systemctl", "enable", "--now", "onehop-queue.timer"], ["systemctl", "start", "onehop-queue.service"],
                                      ["systemctl", "enable", "--now", "onehop-submit.socket"]],
          "port 25 first": [["systemctl", "enable", "--now", "onehop-smtp.socket"],
                            ["systemctl", "enable", "--now", "onehop-submit.socket", "onehop-local.socket"]]}


@pytest.mark.parametrize("order", README)
def test_the_order_does_not_matter(box, smarthost, order):
    """A socket that is enabled before sysusers ran made each mail 75 (217/USER)."""
    without_the_user(box)
    assert smarthost and box.run("onehop", "-odq", "bob, you@example.org", stdin="Subject: early\n\nx\n").rc == 0
    assert owner(box, LOG) == "root" and len(box.waiting()) == 1
    for command in README[order]:
        box.must(*command)
    got = doors.user(box, "alice, you@example.org")
    assert got.rc == 0, got
    assert "U=bob" in box.mainlog() and owner(box, LOG) == "onehop"
    box.must("systemctl", "start", "onehop-flush.service")
    assert smarthost.subjects() == ["early", "keep"] and [len(box.mailbox(u)) for u in ("alice", "bob")] == [1, 1]
    assert box.waiting() == [] and "Warning" not in box.must("onehop", "-bV")
    box.must("systemctl", "enable", "--now", "onehop-local.socket", "onehop-queue.timer")


def test_a_rotated_log(box):
    """Whoever writes first makes the new one."""
    for first in doors.root, doors.user:
        assert first(box, "bob").rc == 0
        box.must("logrotate", "-f", "/root/onehop/dist/logrotate.d/onehop")
        assert first(box, "bob").rc == 0 and doors.user(box, "bob").rc == 0 and doors.root(box, "bob").rc == 0
        assert owner(box, LOG) == "onehop" and box.mainlog().count("Completed") == 3
        box.remove(LOG)


MODES = {"/etc/exim4/update-exim4.conf.conf": ("root:root", 0o600, "read", "chmod a+r"),
         "/etc/exim4/passwd.client": ("root:root", 0o600, "read", "chmod 640 it and chgrp onehop"),
         LOG: ("root:adm", 0o640, "write to", "chown onehop"),
         "/var/spool/onehop": ("root:root", 0o755, "write to", "chown -R onehop"),
         "/var/spool/onehop/input": ("root:root", 0o750, "write to", "chown -R onehop"),
         "/var/spool/onehop/db": ("root:root", 0o750, "write to", "chown -R onehop")}


@pytest.mark.parametrize("path", MODES)
def test_what_user_onehop_may_not(box, path):
    who, mode, verb, cure = MODES[path]
    box.must("onehop", "-odq", "you@example.org", stdin="Subject: s\n\nx\n")
    box.must("sh", "-c", "test -e $0 || { umask 027; echo '# none' >$0; }", path)
    box.must("chown", "root:onehop" if "etc" in path else "onehop:adm", path)
    assert "Warning" not in box.must("onehop", "-bV")
    box.must("chown", who, path)
    box.must("chmod", "%o" % mode, path)
    assert "Warning: user onehop, who sends for other users, may not %s %s: %s it\n" % (verb, path, cure) in box.must("onehop", "-bV")


def test_bv_of_each_user(box):
    for who in "alice", "onehop", "nobody", None:
        got = box.run("onehop", "-bV", user=who)
        assert got.rc == 0 and "Configuration file is /etc/exim4/update-exim4.conf.conf\n" in got.out and got.err == "", got


def test_directories(box):
    for path, mode in {"/run/onehop": 0o755, "/var/spool/onehop": 0o750, "/var/log/onehop": 0o2750}.items():
        box.must("sh", "-c", "rm -rf $0; mkdir -m 700 $0", path)
        box.must("systemd-tmpfiles", "--create")
        assert box.must("stat", "-c", "%a", path).strip() == "%o" % mode
    assert stat.S_ISDIR(os.stat(box.path("/var/spool/onehop")).st_mode)
