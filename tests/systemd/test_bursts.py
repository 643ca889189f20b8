"""Many at once, of one user, of two, through port 25: all are served, whoever else is at the door."""
import json
import time

import doors

# Each of them starts, then all are given their mail.
AT_ONCE = """
import json, pwd, subprocess, sys
people, to = json.loads(sys.argv[1]), sys.argv[2]
runs = []
for name, count in people:
    p = pwd.getpwnam(name)
    env = {"HOME": p.pw_dir, "LOGNAME": name, "PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/bin"}
    for n in range(count):
        runs.append((name, n, subprocess.Popen(["onehop", "-i", to], user=p.pw_uid, group=p.pw_gid, extra_groups=[], env=env, cwd="/",
                                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)))
for name, n, run in runs:
    run.stdin.write(("Subject: %s %03d\\n\\nhello\\n" % (name, n)).encode())
    run.stdin.close()
for name, n, run in runs:
    print(json.dumps([run.wait(), run.stdout.read().decode("utf-8", "replace")]))
"""
# So many sessions are open before the first says more than hello.
SESSIONS = """
import smtplib, sys, threading
count = int(sys.argv[1])
sessions = [smtplib.SMTP("127.0.0.1", 25, timeout=100) for n in range(count)]
def send(n, s):
    try:
        s.sendmail("x@box.example", ["you@example.org"], "Subject: session %03d\\n\\nhello\\n" % n)
        s.quit()
        print("sent")
    except Exception as e:
        print("session", n, e)
all = [threading.Thread(target=send, args=pair) for pair in enumerate(sessions)]
[t.start() for t in all]
[t.join() for t in all]
"""
# Says nothing, and stays.
IDLE = """
import socket, sys, time
held = []
for n in range(int(sys.argv[1])):
    s = socket.socket(socket.AF_UNIX)
    s.connect("/run/onehop/submit")
    held.append(s)
print("there", flush=True)
time.sleep(float(sys.argv[2]))                     # as long as it is told
"""


def at_once(box, people, to="you@example.org"):
    return [json.loads(line) for line in box.must("python3", "-c", AT_ONCE, json.dumps(people), to, timeout=300).splitlines()]


def wanted(people):
    return sorted("%s %03d" % (name, n) for name, count in people for n in range(count))


def all_arrive(box, smarthost, people):
    assert [said for said in at_once(box, people) if said != [0, ""]] == []
    box.until(lambda: box.waiting() == [], 60)
    assert smarthost.subjects() == wanted(people)


def test_a_hundred_of_one_user(box, smarthost):
    all_arrive(box, smarthost, [("alice", 100)])


def test_fifty_each_of_two_users(box, smarthost):
    all_arrive(box, smarthost, [("alice", 50), ("bob", 50)])


def test_a_hundred_into_one_mailbox(box):
    assert [said for said in at_once(box, [("alice", 100)], "bob") if said != [0, ""]] == []
    box.must("onehop", "-qf")
    assert len(box.mailbox("bob")) == 100 and box.waiting() == []


def test_sixty_sessions(box, smarthost):
    """All sessions of port 25 are one user's, onehop's: they do not share what one user may have of the door."""
    box.must("systemctl", "start", "onehop-smtp.socket")
    assert box.must("python3", "-c", SESSIONS, "60", timeout=300).split() == ["sent"] * 60
    assert len(set(smarthost.subjects())) == len(smarthost.mails) == 60


def test_who_knocks_often_does_not_shut_the_door(box, smarthost):
    """systemd gives up a socket after 200 connections within 2 s, unless told otherwise; one with PollLimitBurst= comes back to it later."""
    box.must("python3", "-c", IDLE, "400", "0", user="alice")
    got = doors.user(box, "you@example.org")
    assert got.rc == 0 and len(smarthost.mails) == 1, got
    assert box.show("onehop-submit.socket", "ActiveState") == ["active"]


def test_who_stands_in_the_door_is_in_nobody_elses_way(box, smarthost):
    """alice has all that she may have: bob's goes at once, and hers when there is room again."""
    idle = box.start("python3", "-c", IDLE, "60", "12", user="alice")
    assert idle.stdout.readline() == b"there\n"
    began = time.monotonic()
    got = doors.user(box, "you@example.org")
    assert got.rc == 0 and len(smarthost.mails) == 1 and time.monotonic() - began < 9, got
    got = box.run("onehop", "you@example.org", user="alice", stdin="Subject: hers\n\nx\n")
    assert got.rc == 0 and len(smarthost.mails) == 2, got
    idle.wait()


def test_who_never_gets_in_hears_why(box, smarthost):
    """And keeps the message: nothing was taken, and nobody says that it may have been delivered."""
    idle = box.start("python3", "-c", IDLE, "60", "100", user="alice")
    assert idle.stdout.readline() == b"there\n"
    got = box.run("onehop", "you@example.org", user="alice", stdin="Subject: hers\n\nx\n")
    assert got.rc == 75 and "is busy: 16 messages of this user are in hand" in got.err and "may have been" not in got.err, got
    assert smarthost.mails == [] and box.waiting() == []
    box.must("pkill", "-u", "alice", "python3")
    idle.wait()


def test_twelve_dead_letters_at_once(box, smarthost):
    """Each of them is in the file."""
    smarthost.profile = {"rcpt": "550 5.1.1 no such user"}
    said = at_once(box, [("bob", 12)])
    assert [rc for rc, _ in said] == [69] * 12, said
    letters = box.read("/home/bob/dead.letter")
    assert [letters.count("Subject: bob %03d" % n) for n in range(12)] == [1] * 12
