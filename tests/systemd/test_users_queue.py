"""A user with a configuration of his own has a queue of his own, which his own manager serves."""
import pytest

SOON = "[Timer]\nOnStartupSec=\nOnStartupSec=1\nOnUnitActiveSec=2\nRandomizedDelaySec=0\nAccuracySec=1\n"  # an empty one clears all of them
TIMER = "onehop-queue.timer"


def uid(box, user):
    return box.must("id", "-u", user).strip()


def manager(box, user, *argv):
    """His systemctl --user."""
    return box.must("env", "XDG_RUNTIME_DIR=/run/user/" + uid(box, user), "systemctl", "--user", *argv, user=user)


def his_manager_is_up(box, user):
    box.until(lambda: box.show("user@%s.service" % uid(box, user), "ActiveState") == ["active"])


@pytest.fixture
def lingering(box):
    """alice and bob have managers while they are not logged in."""
    for user in "alice", "bob":
        box.must("loginctl", "enable-linger", user)
        his_manager_is_up(box, user)
    yield box
    for user in "alice", "bob":
        box.must("loginctl", "disable-linger", user)
        box.must("systemctl", "stop", "user@%s.service" % uid(box, user))


def own_configuration(box):
    box.write("/home/alice/.config/onehop/onehop.conf", "smarthost = smtp.isp.example\nprimary_hostname = box.example\nqualify_domain = box.example\n")
    box.write("/home/alice/.config/systemd/user/%s.d/soon.conf" % TIMER, SOON)
    box.must("chown", "-R", "alice:", "/home/alice/.config")
    manager(box, "alice", "daemon-reload")


def test_it_is_served(lingering, smarthost):
    """The system's runs leave it alone."""
    box = lingering
    own_configuration(box)
    box.must("onehop", "-odq", "you@example.org", user="alice", stdin="Subject: own\n\nx\n")
    box.must("systemctl", "start", "onehop-flush.service")
    assert smarthost.mails == [] and box.waiting() == []
    manager(box, "alice", "enable", "--now", TIMER)
    box.until(lambda: smarthost.subjects() == ["own"])


def test_and_after_the_next_boot(lingering, smarthost):
    box = lingering
    own_configuration(box)
    manager(box, "alice", "enable", TIMER)
    box.must("onehop", "-odq", "you@example.org", user="alice", stdin="Subject: own\n\nx\n")
    box.reboot()
    box.until(lambda: smarthost.subjects() == ["own"])


def test_without_a_configuration_nothing_runs(lingering, smarthost):
    """And nothing fails: the timer may be enabled for all users."""
    box = lingering
    box.must("onehop", "-odq", "you@example.org", user="bob", stdin="Subject: the system's\n\nx\n")
    since = box.cursor()
    manager(box, "bob", "start", "onehop-queue.service")
    assert manager(box, "bob", "show", "-P", "ConditionResult", "onehop-queue.service") == "no\n"
    assert len(box.waiting()) == 1 and smarthost.mails == [] and manager(box, "bob", "list-units", "--failed", "--no-legend", "onehop-*") == ""
    assert [line for line in box.journal(since) if line.startswith("onehop[")] == []
