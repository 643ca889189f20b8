"""The journal is quiet while all goes well, and a network that changes often starts few runs."""
import threading

import doors
import pytest

RESOLV = "/etc/resolv.conf"
RUNS = "Start queue run"


def runs(box):
    return box.mainlog().count(RUNS + ":")


def change(box, n):
    """As resolvconf and its like do it: a new file takes the place of the old one."""
    box.must("sh", "-c", "echo '# %d' >/etc/resolv.conf.new && mv /etc/resolv.conf.new %s" % (n, RESOLV))


def at_rest(box):
    """The debounce and the run are over."""
    def idle():
        return all(s in ("inactive", "failed") for s in box.must(
            "systemctl", "show", "-p", "ActiveState", "--value", "onehop-online.service", "onehop-flush.service").split())
    box.until(lambda: idle() and "onehop" not in box.run("systemctl", "list-jobs", "--no-legend").out, 60)


def test_nothing_is_said_of_mail_that_goes(box, smarthost):
    """But for the slices, which are made once."""
    for _ in range(2):
        since = box.cursor()
        for door in doors.user, doors.root, doors.timer, doors.flush, doors.smtp, doors.root_q:
            got = door(box, "alice, you@example.org" if door is not doors.smtp else "you@example.org")
            assert got.rc == 0, got
        box.quiet()
    assert len(smarthost.mails) == 12
    assert box.journal(since) == []


def test_what_goes_wrong_is_said(box):
    """The quiet ones are not mute."""
    since = box.cursor()
    box.write("/etc/systemd/system/onehop-submit@.service.d/wrong.conf", "[Service]\nUser=nobody-of-that-name\n")
    box.must("systemctl", "daemon-reload")
    assert doors.user(box, "alice").rc == 75
    assert any("onehop-submit@" in line and "217/USER" in line for line in box.journal(since))


@pytest.fixture
def online(box):
    box.write(RESOLV, "# 0\n")
    box.must("systemctl", "start", "onehop-online.path")
    return box


def test_a_burst_is_one_run(online):
    online.must("sh", "-c", "for i in $(seq 30); do echo \"# $i\" >$0.new; mv $0.new $0; sleep 0.05; done", RESOLV)
    at_rest(online)
    assert runs(online) == 1


def test_hooks_and_changes_together_are_one_run(online):
    for n in range(10):
        online.must("systemctl", "--no-block", "start", "onehop-online.service")
        change(online, n)
    at_rest(online)
    assert runs(online) == 1


@pytest.mark.parametrize("by", [lambda box: change(box, 99), lambda box: box.must("systemctl", "--no-block", "start", "onehop-online.service")],
                         ids=["a change", "a hook"])
def test_a_change_during_a_run_is_another_run(online, smarthost, by):
    """It may be the one that brings the network back."""
    box, go, began = online, threading.Event(), threading.Event()

    def greet(_):
        began.set()
        assert go.wait(60)
        return "220 smtp.isp.example"
    box.must("onehop", "-odq", "you@example.org", stdin="Subject: s\n\nx\n")
    smarthost.profile = {"greeting": greet}
    change(box, 1)
    assert began.wait(30)
    by(box)
    go.set()
    at_rest(box)
    assert runs(box) == 2 and len(smarthost.mails) == 1


def test_a_change_during_the_timers_run_is_not_lost(online, smarthost):
    """Two runs at once do not get in each other's way: "another queue run is at work" would be the end of it."""
    box, go, began = online, threading.Event(), threading.Event()

    def greet(_):
        began.set()
        assert go.wait(60)
        return "220 smtp.isp.example"
    box.must("onehop", "-odq", "you@example.org", stdin="Subject: s\n\nx\n")
    smarthost.profile = {"greeting": greet}
    box.must("systemctl", "--no-block", "start", "onehop-queue.service")
    assert began.wait(30)
    change(box, 1)
    threading.Timer(20, go.set).start()         # the second run has begun by then
    at_rest(box)
    assert box.mainlog().count("pid=") == 4 and box.mainlog().count(" -qf") == 2
