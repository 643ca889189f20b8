"""What one user may have: rate_limit and queue_max, for whom the kernel names; and a caller who does not read what he is told."""
import concurrent.futures
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli.test_doors import CONFIG, RECORDS, SERVER, mail, messages, play  # noqa: E402
from cli.test_waiting import pass_time  # noqa: E402

root = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")


def to(post):
    return sorted(rcpts[0].split("@")[0] for _, rcpts, _ in post.mails)


def send(post, name, *words):
    return post.sendmail(*words, name + "@far.example")


def run(post, how="-q"):
    assert post.sendmail(how, stdin="").returncode == 0


# ---------------------------------------------------------------- rate_limit
@root
def test_the_next_is_queued(post):
    post.configure(rate_limit="2/1h")
    got = [send(post, name, "-v") for name in "abcd"]
    assert [r.returncode for r in got] == [0] * 4 and to(post) == ["a", "b"] and post.input() == ["D", "D", "H", "H"]
    line = "no immediate delivery: user root has sent 2/1h (rate_limit)"
    assert [line in r.stderr.decode() for r in got] == [False, False, True, True]
    assert post.mainlog().count(line) == 2 and post.sendmail("-bp").stdout.decode().count(line) == 2
    assert post.connections == 2, "who has had his share does not even knock"


@root
def test_it_goes_as_time_goes_by(post):
    post.configure(rate_limit="2/1h")
    for name in "abcde":
        send(post, name)
    run(post)
    assert to(post) == ["a", "b"]
    pass_time(post, 1)
    run(post)
    assert to(post) == ["a", "b", "c", "d"], "oldest first, no more than two an hour"
    assert send(post, "f").returncode == 0 and len(post.input()) == 4
    run(post, "-qf")
    assert to(post) == ["a", "b", "c", "d", "e", "f"] and post.input() == []


@root
def test_tries_again_are_not_counted(post):
    post.configure(rate_limit="2/1h", retry="F,1d,1s")
    post.rules["rcpt"] = lambda line: "450 4.2.1 later"
    send(post, "a")
    send(post, "b")
    for _ in range(3):
        pass_time(post, 0)
        run(post, "-qf")
    assert send(post, "c").returncode == 0
    post.rules.clear()
    run(post, "-qf")
    assert to(post) == ["a", "b", "c"]


@root
@pytest.mark.parametrize("how", ["-odq", "-odb"])
def test_however_it_is_asked_for(post, how):
    post.configure(rate_limit="2/1h")
    for sent, name in enumerate("abcd", 1):
        assert send(post, name, how).returncode == 0
        post.until(lambda: how == "-odq" or (len(post.mails), len(post.input())) == (min(sent, 2), 2 * max(sent - 2, 0)))
    run(post)
    assert to(post) == ["a", "b"]
    pass_time(post, 1)
    run(post)
    assert to(post) == ["a", "b", "c", "d"]


@root
def test_in_one_moment(post):
    post.configure(rate_limit="5/1h")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda i: send(post, "u%d" % i), range(12)))
    assert [r.returncode for r in got] == [0] * 12 and len(post.mails) == 5 and len(post.input()) == 14


@root
def test_bounces_are_not_counted(post):
    post.configure(rate_limit="1/1h")
    post.rules["rcpt"] = lambda line: "550 no" if "bad" in line else "250 ok"
    assert post.sendmail("-f", "me@far.example", "a@far.example", "bad@far.example").returncode == 0
    post.until(lambda: post.input() == [])
    assert sorted(m[0] for m in post.mails) == ["", "me@far.example"]


@root
@pytest.mark.parametrize("value", ["5", "0/1h", "x", "1/1y", "20000/1h"])
def test_a_bad_value(post, value):
    post.configure(rate_limit=value)
    got = send(post, "a")
    assert got.returncode == 78 and b"onehop.conf:7: rate_limit" in got.stderr and b'"%s"' % value.encode() in got.stderr


@root
@pytest.mark.parametrize("line", ["rate_limit = 9/1h", "queue_max = 1"])
def test_the_sender_s_address_plays_no_part(post, line):
    post.configure(more="[sender *@far.example]\n%s\n" % line)
    got = send(post, "a")
    assert got.returncode == 78 and b"onehop.conf:8: %s is a user's" % line.split()[0].encode() in got.stderr


def replaced(post, what):
    path = post.spool + "/db/rate.%d" % os.geteuid()
    os.unlink(path)
    if what is None:
        os.mkdir(path)
    else:
        with open(path, "wb") as f:
            f.write(what)


@root
@pytest.mark.parametrize("what", [b"", b"noise", b"\0" * 100000, b"9" * 42, b"99999999999999999999\n" * 3], ids=["empty", "noise", "nul", "digits", "lines"])
def test_a_damaged_file(post, what):
    """No mail is lost, and from there on the limit holds."""
    post.configure(rate_limit="2/1h")
    assert send(post, "a").returncode == 0
    replaced(post, what)
    assert [send(post, name).returncode for name in "bcde"] == [0] * 4
    assert to(post) == list("abc")
    run(post, "-qf")
    assert to(post) == list("abcde")


@root
def test_what_cannot_be_counted_is_queued(post):
    post.configure(rate_limit="2/1h")
    send(post, "a")
    replaced(post, None)
    assert send(post, "b").returncode == 0 and "cannot be counted" in post.mainlog() and to(post) == ["a"]
    run(post)
    assert to(post) == ["a", "b"]


@root
def test_what_cannot_be_queued_either_is_the_caller_s(post):
    post.configure(rate_limit="2/1h", spool_directory="/dev/null/spool")
    got = send(post, "a")
    assert got.returncode == 75 and post.mails == [] and b"rate_limit" in got.stderr and b"cannot be kept" in got.stderr


# ---------------------------------------------------------------- queue_max
@root
def test_no_more_may_wait(post):
    post.configure(queue_max="2")
    post.rules["rcpt"] = lambda line: "450 4.2.1 later" if "@far" in line else "250 ok"
    assert [send(post, name).returncode for name in "abc"] == [0, 0, 75]
    got = send(post, "d", "-odq")
    assert got.returncode == 75 and b"user root has 2 messages waiting, and may have no more (queue_max)" in got.stderr
    assert post.sendmail("now@near.example").returncode == 0, "what can go goes"
    assert to(post) == ["now"] and post.input() == ["D", "D", "H", "H"]
    post.rules.clear()
    post.until(lambda: run(post, "-qf") or post.input() == [])     # the sender of "now" may be at work on what waits
    assert send(post, "c").returncode == 0 and to(post) == ["a", "b", "c", "now"]


@root
def test_both_limits(post):
    """-odq does not lead around rate_limit when no more may wait."""
    post.configure(rate_limit="1/1h", queue_max="1")
    assert [send(post, name, "-odq").returncode for name in "abc"] == [0, 0, 75]
    assert to(post) == ["b"] and post.input() == ["D", "H"]


# ---------------------------------------------------------------- through the socket
LIMITED = {**CONFIG, "dc": {"rate_limit": "1/1h"}}
CLAIM = RECORDS + """
s = socket.socket(socket.AF_UNIX)
s.connect("/run/onehop/submit")
s.sendall(HELLO + envelope(login="bob") + rcpt("claimed@far.example") + HEAD + BODY + GO)
s.shutdown(1)
while s.recv(4096):
    pass
"""


def test_it_is_the_kernel_who_names_the_user():
    seen = play(mail(["a@far.example"]), mail(["-f", "bob@debian", "b@far.example"]), {"argv": ["/usr/bin/python3", "-c", CLAIM], "user": "alice"},
                mail(["-v", "c@far.example"], "bob"), mail(["d@far.example"], "root"), servers=[SERVER], config=LIMITED)
    assert [s["rc"] for s in seen["steps"]] == [0] * 5, seen["steps"]
    assert [m["rcpt"][0][0] for m in messages(seen)] == ["TO:<a@far.example>", "TO:<c@far.example>", "TO:<d@far.example>"]
    assert seen["mainlog"].count("no immediate delivery: user alice has sent 1/1h (rate_limit)") == 2
    assert {f["owner"] for path, f in seen["files"].items() if "/db/rate." in path} == {"onehop:onehop"}
    assert len([path for path in seen["files"] if "/db/rate.100" in path]) == 2


def test_queue_max_is_each_user_s():
    seen = play(*[mail([name + "@far.example"], user) for name, user in (("a", "alice"), ("b", "alice"), ("c", "bob"))], servers=[],
                config={**CONFIG, "dc": {"queue_max": "1"}})
    assert [s["rc"] for s in seen["steps"]] == [0, 75, 0], seen["steps"]
    assert "user alice has 1 messages waiting" in seen["steps"][1]["stderr"]


# Alice sends to many, wants to see all, and reads nothing.  When no more comes her time is up: root sends the signal of the timer.
BLOCK = RECORDS + """
import fcntl, glob, signal, termios, time
held, tell = os.pipe()
child = os.fork()
if child == 0:
    os.setgroups([])
    os.setresgid(1001, 1001, 1001)
    os.setresuid(1001, 1001, 1001)
    s = socket.socket(socket.AF_UNIX)
    s.connect("/run/onehop/submit")
    s.sendall(record("V", "2", "1", "0", "0") + envelope() + b"".join(rcpt("u%d@far.example" % i) for i in range(600)) + HEAD + BODY + GO)
    last = same = 0
    while same < 50:
        time.sleep(0.02)       # polls
        unread = struct.unpack("i", fcntl.ioctl(s, termios.FIONREAD, b"1234"))[0]
        last, same = unread, same + 1 if unread == last > 10000 else 0
    os.write(tell, b"%d" % last)
    signal.pause()
os.close(tell)
print("unread:", os.read(held, 99).decode())
def senders():
    return [p for p in glob.glob("/proc/[0-9]*/comm") if os.path.exists(p) and open(p).read() == "onehop-send\\n"]
for p in senders():
    print("blocked")
    os.kill(int(p.split("/")[2]), signal.SIGALRM)
end = time.monotonic() + 20
while senders() and time.monotonic() < end:
    time.sleep(0.02)           # polls
print("left:", len(senders()))
os.kill(child, 9)
"""


@pytest.mark.parametrize("servers", [[SERVER], []], ids=["delivered", "kept"])
def test_who_does_not_read_holds_up_nobody(servers):
    seen = play({"argv": ["/usr/bin/python3", "-c", BLOCK]}, servers=servers)
    out = seen["steps"][0]["stdout"].splitlines()
    assert out[1:] == ["blocked", "left: 0"], seen["steps"][0]
    got = sum(len(m["rcpt"]) for m in messages(seen))
    kept = [f["content"].count("@far.example") for path, f in seen["files"].items() if path.endswith("-H")]
    # who is hung up on before he was told that it is safe has his message again
    assert (got, len(kept)) == ((600, 0) if servers else (0, 0)), (got, kept, seen["mainlog"])
    assert servers or "the caller was gone before he heard of it, it is his again; dropped: " in seen["mainlog"]
