"""The units as systemd has read them: their limits, their timers, what they say of themselves."""
import re
import time

import doors
import pytest

KILLED_AFTER = "TimeoutStopUSec"
LIMITS = {  # this kernel's cgroups enforce none; what is written is what counts where they do
    "onehop-submit@1.service": {"MemoryMax": str(256 << 20), "TasksMax": "32", "LimitNOFILE": "1024", "LimitCORE": "0", "RuntimeMaxUSec": "2h",
                                KILLED_AFTER: "1min 30s", "OOMPolicy": "continue", "KillMode": "control-group", "User": "onehop",
                                "NoNewPrivileges": "yes"},
    "onehop-smtp@1.service": {"MemoryMax": str(256 << 20), "TasksMax": "32", "LimitNOFILE": "1024", "LimitCORE": "0", "RuntimeMaxUSec": "1d",
                              KILLED_AFTER: "1min 30s", "OOMPolicy": "continue", "User": "onehop", "NoNewPrivileges": "yes"},
    # a user's programs run here: nothing is limited but the time that the delivery itself takes
    "onehop-local@1.service": {"MemoryMax": "infinity", "RuntimeMaxUSec": "2h", KILLED_AFTER: "1min 30s", "KillMode": "process", "NoNewPrivileges": "no",
                               "LimitCORE": "infinity"},
    "onehop-queue.service": {"TimeoutStartUSec": "2h", KILLED_AFTER: "1min 30s", "KillMode": "process"},
    "onehop-flush.service": {"TimeoutStartUSec": "2h", KILLED_AFTER: "1min 30s", "KillMode": "process"},
    "onehop-submit.socket": {"MaxConnections": "128", "MaxConnectionsPerSource": "32", "TriggerLimitIntervalUSec": "0", "SocketMode": "0666",
                             "Accept": "yes", "Backlog": "1024"},
    "onehop-local.socket": {"MaxConnections": "256", "TriggerLimitIntervalUSec": "0", "SocketMode": "0600", "SocketUser": "onehop", "Accept": "yes"},
    "onehop-smtp.socket": {"MaxConnections": "64", "TriggerLimitIntervalUSec": "0", "Accept": "yes"},
}


@pytest.mark.parametrize("unit", LIMITS)
def test_limits(box, unit):
    """What bursts, the users' commands and a stop need of the units."""
    want = dict(LIMITS[unit])
    if box.systemd() < 254:
        want = {k: v for k, v in want.items() if k != "RuntimeMaxUSec" or unit != "onehop-smtp@1.service" or v}
    assert dict(zip(want, box.show(unit, *want))) == want


def test_all_units_are_valid(box):
    """No word that this systemd does not know, no complaint at all."""
    since = box.cursor()
    units = box.must("sh", "-c", "cd $(dirname $(systemctl show -P FragmentPath onehop-submit.socket)) && ls -d onehop-*").split()
    got = box.run("systemd-analyze", "verify", "--man=no", *[u.replace("@.", "@1.") for u in units])
    assert (got.rc, got.out, [line for line in got.err.splitlines() if "onehop" in line]) == (0, "", []), got
    box.must("systemctl", "daemon-reload")
    assert [line for line in box.journal(since) if "onehop" in line] == []


def test_no_unit_has_failed(box, smarthost):
    for door in doors.ALL:
        assert door(box, "alice, you@example.org" if door is not doors.smtp else "you@example.org").rc == 0
    box.quiet()
    assert smarthost.mails and box.must("systemctl", "list-units", "--failed", "--no-legend", "onehop-*") == ""


def test_a_boot_with_mail_waiting(box, smarthost):
    """The timer sends it."""
    box.must("onehop", "-odq", "you@example.org, alice", stdin="Subject: early\n\nx\n")
    box.write("/etc/systemd/system/onehop-queue.timer.d/soon.conf", "[Timer]\nOnBootSec=\nOnBootSec=1\nRandomizedDelaySec=0\nAccuracySec=1\n")
    box.reboot()
    box.until(lambda: box.waiting() == [] and len(box.mailbox("alice")) == 1)
    assert smarthost.subjects() == ["early"]
    assert box.must("systemctl", "is-enabled", "onehop-submit.socket", "onehop-local.socket", "onehop-queue.timer").split() == ["enabled"] * 3
    assert doors.user(box, "alice").rc == 0


def test_the_timer_comes_again(box):
    """And it is there from the next boot on."""
    box.must("systemctl", "start", "onehop-queue.timer")
    next_run = box.must("systemctl", "list-timers", "--no-legend", "onehop-queue.timer")
    assert "onehop-queue.service" in next_run and box.must("systemctl", "is-enabled", "onehop-queue.timer") == "enabled\n"
    minutes = re.findall(r"OnUnitActiveUSec=([^;]+) ;|OnBootUSec=([^;]+) ;", box.must("systemctl", "show", "-p", "TimersMonotonic", "onehop-queue.timer"))
    assert sorted("".join(m) for m in minutes) == ["15min", "2min"]


def test_mail_of_cron(box):
    """cron starts sendmail as the user whose job it is; what the job prints is his mail."""
    box.write("/etc/cron.d/tests", "* * * * * bob echo from bobs job\n* * * * * root echo from roots job\n")
    box.write("/etc/aliases", "root: alice\n")
    box.until(lambda: box.mailbox("bob") and box.mailbox("alice"), 100)
    box.remove("/etc/cron.d/tests")
    assert "from bobs job" in box.mailbox("bob")[0] and "from roots job" in box.mailbox("alice")[0]


def test_the_alarm(box):
    """It fails when mail waits for too long."""
    assert box.run("systemctl", "start", "onehop-alarm.service").rc == 0
    box.must("onehop", "-odq", "you@example.org", stdin="Subject: s\n\nx\n")
    box.write("/etc/exim4/update-exim4.conf.conf", box.read("/etc/exim4/update-exim4.conf.conf") + "queue_alarm_after='1s'\n")
    time.sleep(2)           # longer than queue_alarm_after
    since = box.cursor()
    assert box.run("systemctl", "start", "onehop-alarm.service").rc == 1
    lines = box.journal(since)
    assert any(re.match(r"onehop\[.*messages: 1 ", line) for line in lines), lines
    box.must("systemctl", "reset-failed", "onehop-alarm.service")
