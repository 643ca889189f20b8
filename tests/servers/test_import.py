"""onehop -Mimport takes over what waits in a real Exim's spool, of whatever release is unpacked (16 characters up to 4.96, 23 from
4.97 on): nobody lost, nobody twice, killed at any moment or not."""
import json
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402
from harness.exim import FILES, ID, PACKAGES, WHO, mail, shell  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

EXIM, FROM, _ = WHO["exim"]
HOSTS = "127.0.0.1 localhost\n127.0.1.1 debian\n192.0.2.25 smtp.isp.example\n"
LATER = {"rcpt": {"later@": "450 4.2.1 later"}}
ONEHOP = "/usr/sbin/sendmail"
IMPORT = {"argv": [ONEHOP, "-Mimport", FROM]}
LIST, LEFT = {"argv": [ONEHOP, "-bpj"]}, shell("ls %(s)s/input %(s)s/input/*/ 2>/dev/null | grep -c -- '-[HDJ]$'", s=FROM)
RUN = {"argv": [ONEHOP, "-qff"]}
WITH = "for id in $(cd %(spool)s/input && grep -rl '%(line)s$' . | sed -n 's/.*\\/\\(.*\\)-H$/\\1/p'); do %(what)s; done"

QUEUE = [
    mail(EXIM, "plain", "-odq", "x@far.example", user="alice"),
    mail(EXIM, "null", "-odq", "x@far.example", sender="<>"),
    mail(EXIM, "dsn", "-odq", "x@far.example"),
    shell(WITH, spool=FROM, line="Subject: dsn", what="sed -i -e 's/^x@far.example$/x@far.example rfc822;z@far.example 20,2  0,-1#3/' "
          "-e 's/^-local$/-dsn_envid e=1\\n-dsn_ret 2\\n&/' %s/input/$id-H" % FROM),
    mail(EXIM, "several", "-odq", "x@far.example", "y@far.example", "bob@debian"),
    mail(EXIM, "part", "x@far.example", "later@far.example"),
    mail(EXIM, "frozen", "-odq", "x@far.example"),
    shell(WITH, spool=FROM, line="Subject: frozen", what=EXIM + " -Mf $id"),
    {"argv": [EXIM, "-oi", "-odq", "-f", "alice@debian", "x@far.example"], "user": "alice", "stdin": "Subject: dots\n\n.\n..a\n\nlast \t\n"},
]


def play(*steps, files=None, **more):
    try:
        return sandbox.run_case({"packages": PACKAGES, "config": {"files": {**FILES, **(files or {})}, "hosts": HOSTS},
                                 "servers": [{"session": LATER}, {"addr": "192.0.2.26"}], "steps": list(steps), **more}, limit=200)
    except sandbox.Unavailable as e:
        return pytest.skip(str(e))


def subjects(steps):
    return sorted(re.findall(r"(?m)^\d{3}  Subject: (\w+)$", steps["stdout"]))


def arrived(got):
    """How often each subject was taken, by recipient."""
    found = {}
    for session in got["smtp"]:
        for m in session["messages"]:
            subject = re.search(r"(?m)^Subject: (\w+)\r?$", m["data"])
            for rcpt, reply in m["rcpt"]:
                if str(reply).startswith("2"):
                    key = subject.group(1), re.search("<(.*?)>", rcpt).group(1)
                    found[key] = found.get(key, 0) + 1
    return found


ALL = {(s, "x@far.example") for s in ("plain", "null", "dsn", "several", "part", "frozen", "dots")} | {("several", "y@far.example")}


def test_all_that_waits():
    """With sender, recipients not yet done, the time it came, the user, DSN; the frozen one stays frozen."""
    old = shell("cat %s/input/*-H" % FROM)
    got = play(*QUEUE, old, IMPORT, LIST, LEFT, shell("cat /var/spool/onehop/input/*-H"), IMPORT, RUN, LIST)
    before, done, listed, left, after, again, _, rest = got["steps"][-8:]
    assert (done["rc"], done["stderr"]) == (0, ""), done
    assert re.fullmatch("(?:%s taken over\n){7}" % ID, done["stdout"]) and left["stdout"] == "0\n"
    assert (again["rc"], again["stdout"], again["stderr"]) == (0, "", "")
    messages = json.loads(listed["stdout"])
    assert len(messages) == 7 and [m["frozen"] for m in messages].count(True) == 1
    assert sorted(m["login"] for m in messages) == ["alice"] * 2 + ["root"] * 5
    assert [m["waiting"] for m in messages if m["delivered"]] == [["later@far.example"]]
    for line in r"(?m)^<.*>$", r"(?m)^\w+ \d+ \d+$", r"(?m)^(\d{10}) \d$", r"(?m)^-dsn_.*$", r"(?m)^\d{3}[A-Z* ] .*$", r"(?m)^-received_time_usec .*$":
        assert sorted(re.findall(line, before["stdout"])) == sorted(re.findall(line, after["stdout"])), line
    assert arrived(got) == dict.fromkeys(ALL, 1)
    assert json.loads(rest["stdout"])[0]["waiting"] == ["later@far.example"]
    assert [m["data"].partition("\r\n\r\n")[2] for s in got["smtp"] for m in s["messages"] if "Subject: dots" in m["data"]] == ["..\r\n...a\r\n\r\nlast \t\r\n"]


LONG = r"""cd %s/input && for h in *-H; do id=${h%%%%-H}; new=$(echo $id | sed 's/^\(......\)-\(......\)-\(..\)$/\1-00000\2-00\3/'); [ $new != $id ] || continue
for f in $id-*; do sed "1s/$id/$new/" $f > $new-${f##*-}; chown --reference=$f $new-${f##*-}; chmod --reference=$f $new-${f##*-}; rm $f; done; done""" % FROM


def test_ids_of_23_characters():
    """As 4.97 and later write them; exim4 of this release may write the short ones."""
    got = play(*QUEUE[:2], shell(LONG), IMPORT, LEFT, LIST, RUN)
    assert got["steps"][-4]["rc"] == 0 and got["steps"][-3]["stdout"] == "0\n", got["steps"][-4]
    assert {len(m["id"]) for m in json.loads(got["steps"][-2]["stdout"])} == {23}
    assert arrived(got) == {("plain", "x@far.example"): 1, ("null", "x@far.example"): 1}


def test_split_spool():
    split = shell("cd %s/input && for f in *-[HDJ]; do d=$(echo $f | cut -c6); mkdir -p $d; mv $f $d/; done" % FROM)
    got = play(*QUEUE[:2], split, IMPORT, LEFT, RUN)
    assert got["steps"][-3]["rc"] == 0 and got["steps"][-2]["stdout"] == "0\n", got["steps"][-3]
    assert len(arrived(got)) == 2


ONE = FROM + "/input/*-"
DAMAGE = {                      # what is done to the file; what is said
    "cut header": ("truncate -s 60 %sH" % ONE, "-H: not in the format of a -H file"),
    "empty header": ("truncate -s 0 %sH" % ONE, "-H: not in the format"),
    "cut body": ("truncate -s -3 %sD" % ONE, "-D: it is cut"),
    "no body": ("rm %sD" % ONE, "-D: it is missing"),
    "another's body": ("sed -i 1s/^1/2/ %sD" % ONE, "-D: it does not begin with its name"),
    "-N": ("sed -i 's/^-local$/-N\\n&/' %sH" % ONE, "-N, and is never to be delivered"),
    "wire format": ("sed -i 's/^-local$/-spool_file_wireformat\\n&/' %sH" % ONE, "SMTP's line ends"),
    "errors_to": ("sed -i 's/^x@far.example$/x@far.example  0,0 other@debian 12,-1#3/' %sH" % ONE, "its own address for bounces"),
    "a link": ("for f in %sH; do mv $f /root/h; ln -s /root/h $f; done" % ONE, "-H: it is a symbolic link"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_cannot_be_read_stays(name):
    """And keeps nobody else's mail there."""
    damage, words = DAMAGE[name]
    count = shell("ls %s/input | wc -l" % FROM)
    got = play(QUEUE[0], shell(damage), count, QUEUE[1], IMPORT, count, LIST, RUN)
    before, _, done, after, listed, _ = got["steps"][-6:]
    assert done["rc"] == 65 and words in done["stderr"] and done["stderr"].startswith("onehop: left in %s/input: " % FROM), done
    assert before["stdout"] == after["stdout"] and len(json.loads(listed["stdout"])) == 1
    assert arrived(got) == {("null", "x@far.example"): 1}


def test_what_the_file_may_say():
    """An ACL's variables of several lines, tainted values, options that nobody knows, a parent of a one_time redirection."""
    edit = shell("sed -i -e 's/^-local$/--aclc _x 9\\n-frozen 1\\n--(mysql)helo_name a b\\n-of_a_later_version x\\n&/' "
                 "-e 's/^x@far.example$/x@far.example  0,0  0,3#3/' %sH" % ONE)
    got = play(QUEUE[0], edit, IMPORT, LIST, RUN)
    assert got["steps"][-3]["rc"] == 0 and not json.loads(got["steps"][-2]["stdout"])[0]["frozen"], got["steps"][-3]
    assert arrived(got) == {("plain", "x@far.example"): 1}


def test_an_address_with_a_blank():
    """It is no long form of a recipient."""
    got = play(mail(EXIM, "plain", "-odq", '"a b"@far.example'), IMPORT, LIST)
    assert got["steps"][-2]["rc"] == 0 and json.loads(got["steps"][-1]["stdout"])[0]["waiting"] == ['"a b"@far.example'], got["steps"][-2]


def test_exim_at_work():
    """It holds the beginning of -D."""
    hold = ("import fcntl, glob, subprocess, sys\nf = open(glob.glob('%sD')[0], 'r+b')\nfcntl.lockf(f, fcntl.LOCK_EX, 19)\n"
            "sys.exit(subprocess.run(sys.argv[1:]).returncode)" % ONE)
    got = play(QUEUE[0], {"argv": ["/usr/bin/python3", "-c", hold, *IMPORT["argv"]]}, LIST, IMPORT, LEFT)
    held, listed, done, left = got["steps"][-4:]
    assert held["rc"] == 75 and "Exim is delivering it" in held["stderr"] and json.loads(listed["stdout"]) == [], held
    assert done["rc"] == 0 and left["stdout"] == "0\n"


def test_who_may_and_what_is_asked():
    got = play(QUEUE[0], {**IMPORT, "user": "alice"}, {"argv": [ONEHOP, "-Mimport"]}, {"argv": [ONEHOP, "-Mimport", "/nowhere"]}, LEFT)
    alice, none, nowhere, left = got["steps"][-4:]
    assert alice["rc"] == 77 and "only root" in alice["stderr"] and none["rc"] == 64 and "/var/spool/exim4" in none["stderr"]
    assert nowhere["rc"] == 64 and "cannot open /nowhere" in nowhere["stderr"] and left["stdout"] == "2\n"


CALLS = ["linkat", "renameat2", "renameat", "unlinkat", "fsync", "fdatasync", "pwrite64", "write", "fchown", "openat"]


@pytest.mark.parametrize("call", CALLS)
def test_killed_at_any_moment(call):
    """kill -9 at the n-th such call, a run of onehop's queue, and once more: each arrives once."""
    if not os.path.exists("/usr/bin/strace"):
        pytest.skip("strace is not installed")
    kills = []
    for nth in range(1, 40 if call == "openat" else 12):
        kills += [{"argv": ["/usr/bin/strace", "-qq", "-o", "/dev/null", "-e", "inject=%s:signal=KILL:when=%d" % (call, nth), *IMPORT["argv"]]},
                  {"argv": [ONEHOP, "-qf"]}]
    got = play(*QUEUE, *kills, IMPORT, LEFT, RUN, RUN)
    killed = [s["rc"] for s in got["steps"] if s["argv"][0] == "/usr/bin/strace"]
    assert got["steps"][-4]["rc"] == 0 and got["steps"][-3]["stdout"] == "0\n", got["steps"][-4]
    assert any(rc not in (0, 75) for rc in killed) or call in ("renameat2", "renameat", "pwrite64", "fdatasync", "fchown"), killed
    assert arrived(got) == dict.fromkeys(ALL, 1)


def test_the_way_back():
    """As the manual has it: Exim sends what onehop has kept, also what it had from Exim, to those who have not got it."""
    kept = [mail(ONEHOP, "own", "-odq", "y@far.example", "bob@debian"), mail(ONEHOP, "half", "x@far.example", "later@far.example")]
    back = shell("cd /var/spool/onehop/input && chown Debian-exim: *-[HDJ]; mv *-D /var/spool/exim4/input/; "
                 "for f in *-J; do test ! -e $f || mv $f /var/spool/exim4/input/; done; mv *-H /var/spool/exim4/input/")
    got = play(*QUEUE[:2], IMPORT, *kept, back, shell(EXIM + " -qf"), {"argv": [EXIM, "-bp"]})
    assert arrived(got) == {("plain", "x@far.example"): 1, ("null", "x@far.example"): 1, ("own", "y@far.example"): 1, ("half", "x@far.example"): 1}
    assert re.findall(r"(?m)^ {8}(D| ) (\S+@\S+)$", got["steps"][-1]["stdout"]) == [("D", "x@far.example"), (" ", "later@far.example")]
