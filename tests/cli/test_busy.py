"""Many at once, behind a door that does not take them all: each goes, or its caller hears the true reason.

tests/harness/superserver.py plays systemd with its limits; tests/on RELEASE systemd has the real one.
"""
import concurrent.futures
import json
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli.test_doors import AS_ONEHOP, CONFIG, LOCAL, SERVER, SETUP  # noqa: E402
from harness import sandbox  # noqa: E402

HARNESS = os.path.dirname(os.path.abspath(sandbox.__file__))
SLOW = {**SERVER, "dot": ["SLEEP 0.1", "250 2.0.0 queued"]}
# Messages at once as one user; then the statuses, how many of each, and what else was said, by how many.
CROWD = """
n=$1; shift
for i in $(seq $n); do
  ( echo "Subject: $i\n\ntext" | /usr/sbin/sendmail "$@" 2>/tmp/$(id -u).$i; echo $? >/tmp/$(id -u).$i.status ) &
done
wait
cat /tmp/$(id -u).*.status | sort | uniq -c
cat /tmp/$(id -u).*[0-9] | sort | uniq -c
"""


def door(**limits):
    return {"setup": SETUP, "listens": [], "argv": [*AS_ONEHOP, "/usr/bin/python3", "/opt/harness/superserver.py", "/run/onehop/submit",
                                                    json.dumps(limits), "/opt/onehop/onehop-send"]}


def crowd(n, *words, user="alice", **step):
    return {"argv": ["/bin/sh", "-c", CROWD, "sh", str(n), *words], "user": user, "limit": 120, **step}


def play(*steps, daemons=None, servers=(SLOW,), config=None):
    daemons = [door()] if daemons is None else daemons
    wait = {"argv": ["/bin/sh", "-c", "until test -S /run/onehop/submit; do :; done" if daemons else ":"]}
    try:
        seen = sandbox.run_case({"config": {**CONFIG, **(config or {})}, "steps": [wait, *steps], "daemons": daemons,
                                 "servers": [{"sessions": [s]} for s in servers], "snap": ["/var/log", "/var/spool"]}, binds={HARNESS: "/opt/harness"})
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    seen["steps"] = seen["steps"][1:]
    return seen


def subjects(seen):
    found = [re.search(r"(?m)^Subject: (.*)\r$", m["data"]).group(1) for c in seen["smtp"] for m in c["messages"]]
    return sorted(found)


def statuses(step):
    return dict((int(status), int(n)) for n, status in re.findall(r"(?m)^ *(\d+) (\d+)$", step["stdout"]))


@pytest.mark.parametrize("n", [40, 100])
def test_a_crowd_of_one_user(n):
    """More than the superserver takes of one user, and than onehop-send delivers at the same moment."""
    slower = {**SLOW, "dot": ["SLEEP 0.4", "250 2.0.0 queued"]}         # than a loaded machine starts them
    seen = play(crowd(n, "x@far.example"), daemons=[door(source=8)], servers=[slower])
    assert statuses(seen["steps"][0]) == {0: n}, seen["steps"][0]["stdout"]
    assert subjects(seen) == sorted(str(i + 1) for i in range(n))
    assert "user 1001 dropped" in seen["daemons"]


BOTH = """
setpriv --reuid=alice --regid=alice --clear-groups -- /bin/sh -c '%s' sh 60 a@far.example &
sleep 1
for i in 1 2 3; do
  echo "Subject: b$i" | setpriv --reuid=bob --regid=bob --clear-groups -- /usr/sbin/sendmail b@far.example; echo "bob $?"
done
date +bob:%%s%%N; wait; date +all:%%s%%N
""" % CROWD.replace("'", "'\\''")


def test_a_flood_bites_the_flooder_alone():
    """While 60 of alice's are under way bob's are sent at once."""
    slow = {**SERVER, "dot": ["SLEEP 0.5", "250 2.0.0 queued"]}
    seen = play({"argv": ["/bin/sh", "-c", BOTH], "limit": 120}, daemons=[door(most=24)], servers=[slow])
    step = seen["steps"][0]
    assert statuses(step) == {0: 60} and step["stdout"].count("bob 0") == 3, step
    bob, everybody = (int(re.search(r"(?m)^%s:(\d+)$" % name, step["stdout"]).group(1)) for name in ("bob", "all"))
    assert bob < everybody and len(subjects(seen)) == 63, step["stdout"]


def test_no_more_at_once_than_turns():
    """Who waits for his turn too long has his message in the spool, and it goes when the others have gone."""
    seen = play(crowd(9, "x@far.example"), servers=[{**SERVER, "dot": ["SLEEP 11", "250 2.0.0 queued"]}])
    assert statuses(seen["steps"][0]) == {0: 9}, seen["steps"][0]
    assert seen["mainlog"].count("no immediate delivery: 8 messages of user alice are being sent") == 1, seen["mainlog"]
    assert subjects(seen) == [str(i + 1) for i in range(9)]


SESSION = """
for i in $(seq $1); do
  ( printf 'EHLO x\\r\\nMAIL FROM:<a@isp.example>\\r\\nRCPT TO:<x@far.example>\\r\\nDATA\\r\\nSubject: %s\\r\\n\\r\\n.\\r\\nQUIT\\r\\n' $i |
    /usr/sbin/sendmail -bs | sed -n '/^354/{n;s/ .*//;p}' >/tmp/bs.$i ) &
done
wait
cat /tmp/bs.* | sort | uniq -c
"""


def test_sessions_do_not_share_one_user_s_door():
    seen = play({"argv": ["/bin/sh", "-c", SESSION, "sh", "60"], "user": "onehop", "limit": 120}, daemons=[door(source=2)])
    assert seen["steps"][0]["stdout"].split() == ["60", "250"], seen["steps"][0]
    assert subjects(seen) == sorted(str(i + 1) for i in range(60)) and "dropped" not in seen["daemons"]


@pytest.mark.parametrize("user", ["root", "alice"])
def test_a_crowd_without_a_socket(user, tmp_path):
    """Each starts its own: root onehop-send, others onehop-post."""
    how = {}
    if user == "alice":
        from cli.test_doors import MAKE_SPOOL, installed
        how = {"packages": installed(tmp_path)[0]["packages"]}
    case = {"config": CONFIG, "daemons": [], "servers": [{"sessions": [SLOW]}], "snap": ["/var/log"],
            "steps": [*([MAKE_SPOOL] if how else []), crowd(40, "x@far.example", user=user)], **how}
    try:
        seen = sandbox.run_case(case)
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    assert statuses(seen["steps"][-1]) == {0: 40}, seen["steps"][-1]["stdout"]
    assert subjects(seen) == sorted(str(i + 1) for i in range(40))


def test_a_door_that_is_slow_to_start():
    """Five units that could not start are not told to the caller."""
    seen = play(crowd(1, "x@far.example"), daemons=[door(failing=5)])
    assert statuses(seen["steps"][0]) == {0: 1} and subjects(seen) == ["1"], seen["steps"][0]
    assert seen["steps"][0]["stdout"].split() == ["1", "0"]


# What stands behind the socket: nothing that serves.
NEVER = {"dropped": door(failing=1 << 30),
         "exec fails": {**door(), "argv": [*door()["argv"][:-1], "/nonexistent"]},
         "ends at once": {**door(), "argv": [*door()["argv"][:-1], "/bin/false"]}}


def never_serves(how):
    seen = play(crowd(1, "x@far.example"), {"argv": ["/bin/cat", "/home/alice/dead.letter"], "user": "alice"}, daemons=[NEVER[how]])
    said = seen["steps"][0]["stdout"]
    assert statuses(seen["steps"][0]) == {75: 1} and 58 < seen["steps"][0]["secs"] < 80, (how, seen["steps"][0])
    assert re.search(r"asked \d+ times in 60 seconds: nothing was taken: .* cannot start; .*onehop-submit@", said) and "may have been" not in said, said
    assert seen["steps"][1]["stdout"].endswith("\ntext\n\n") and not subjects(seen)


def test_doors_that_never_serve():
    """At the same time, as each is asked for a minute."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(never_serves, how) for how in NEVER]:
            done.result()


# Connections of alice's that say nothing, for so many seconds.
HOLD = """
import signal, socket, sys
held = [socket.socket(socket.AF_UNIX) for _ in range(16)]
for s in held:
    s.connect("/run/onehop/submit")
signal.alarm(int(sys.argv[1]))
signal.pause()
"""


@pytest.mark.parametrize("seconds", [3, 120])
def test_all_places_are_taken(seconds):
    hold = "/usr/bin/python3 -c '%s' %d & sleep 1; echo 'Subject: 1' | /usr/sbin/sendmail x@far.example; echo $?; kill $!" % (HOLD, seconds)
    other = {"argv": ["/usr/sbin/sendmail", "y@far.example"], "user": "bob", "stdin": "Subject: 2\n\n"}
    seen = play({"argv": ["/bin/sh", "-c", hold], "user": "alice", "limit": 150}, other, daemons=[door(source=100)])
    step = seen["steps"][0]
    assert step["stdout"] == ("0\n" if seconds == 3 else "75\n") and seen["steps"][1]["rc"] == 0, step
    assert subjects(seen) == (["1", "2"] if seconds == 3 else ["2"])
    if seconds == 120:
        assert re.search(r"asked \d+ times in 60 seconds: onehop-send is busy: 16 messages of this user are in hand", step["stderr"]), step


def test_the_queue_is_listed_when_the_door_is_busy():
    seen = play({"argv": ["/usr/sbin/mailq"], "user": "alice"}, daemons=[door(failing=3)])
    assert (seen["steps"][0]["rc"], seen["steps"][0]["stderr"]) == (0, ""), seen["steps"][0]
    assert seen["daemons"].count("dropped") == 3
