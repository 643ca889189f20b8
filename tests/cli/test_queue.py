"""Seeing and steering the queue: -bp, -bpc, -bpj, -M..., -q's words, status; as root, as another user, with exiqgrep."""
import glob
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")
NONE = "1vNabc-000123-0A"
SOMEBODY = 65534
VERBS = {"run": 0, "try": 3, "freeze": 4, "thaw": 5, "remove": 6, "give up": 7, "header": 8, "body": 9, "log": 10, "list": 11,
         "status": 12}


def call(post, *words):
    got = post.sendmail(*words, stdin="")
    return got.returncode, got.stdout.decode(), got.stderr.decode()


def status(post, *words):
    got = subprocess.run([sandbox.programs()["onehop"], "status", "-C", post.directory + "/onehop.conf", *words],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
    return got.returncode, got.stdout.decode(), got.stderr.decode()


def queue(post, n=1):
    """n messages that wait because the smarthost is down; their ids."""
    post.down()
    for i in range(n):
        assert post.sendmail("-f", "me@here.example", "x%d@far.example" % i).returncode == 0
    return ids(post)


def ids(post):
    return re.findall(r"(?m)^ ?\d+[mhd] .{5} (\S+) <", call(post, "-bpr")[1])


def ask_as(post, uid, verb, *about):
    """What onehop-send answers to this user over its socket: ([(letter, payload)], exit status)."""
    os.seteuid(uid)
    try:
        mine, its = socket.socketpair()
    finally:
        os.seteuid(0)
    child = subprocess.Popen([sandbox.programs()["onehop-send"], "-C", post.directory + "/onehop.conf"], stdin=its)
    its.close()
    for letter, fields in (b"V", ["2", "0", "0", "9"]), (b"Q", [str(VERBS[verb]), *about]):
        payload = "".join(f + "\0" for f in fields).encode()
        mine.sendall(letter + struct.pack(">I", len(payload)) + payload)
    answer = b""
    while more := mine.recv(65536):
        answer += more
    mine.close()
    records = []
    while answer:
        size = struct.unpack(">I", answer[1:5])[0]
        records.append((answer[:1].decode(), answer[5:5 + size].decode()))
        answer = answer[5 + size:]
    assert records.pop(0) == ("T", "5serving")
    return records, child.wait(60)


def test_no_spool_is_an_empty_queue(post):
    assert call(post, "-bp") == (0, "", "")
    assert call(post, "-bpc") == (0, "0\n", "")
    assert json.loads(call(post, "-bpj")[1]) == []
    for run in "-q", "-qf", "-qff", "-qqff":
        assert call(post, run) == (0, "", "")
    assert call(post, "-Mf", NONE) == (1, "Spool data file for %s does not exist\n" % NONE, "")
    assert status(post)[0] == 0 and not os.path.exists(post.spool)


def test_columns(post):
    first, second = queue(post, 2)
    rc, out, err = call(post, "-bp")
    assert (rc, err) == (0, "")
    assert re.fullmatch(r"""( 0m   \d{3} \S{16} <me@here.example>
          x\d@far.example
        last error for x\d@far.example: .+
        next try for x\d@far.example: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d

){2}""", out), out
    assert call(post, "-bpc")[1] == "2\n"
    assert call(post, "-bp", second)[1].count("<me@") == 1 and second in call(post, "-bp", second)[1]
    assert re.fullmatch(r" 0m   \d{3} %s <me@here.example>\n          x0@far.example\n\n" % first, call(post, "-bpu", first)[1])
    assert call(post, "-bpi", first)[1] == call(post, "-bpri", first)[1] == first + "\n"
    assert call(post, "-bpru", first) == call(post, "-bpu", first) and call(post, "-bpra") == call(post, "-bpr")
    assert call(post, "-bp", "nonsense")[0] == 1


def test_standard_output_is_full(post):
    queue(post)
    for mode in "-bp", "-bpc", "-bpj":
        with open("/dev/full", "wb") as full:
            got = subprocess.run([sandbox.programs()["onehop"], "-C", post.directory + "/onehop.conf", mode], stdout=full,
                                 stderr=subprocess.PIPE, check=False, timeout=60)
        assert got.returncode == 74 and b"standard output" in got.stderr


def test_a_message_with_many_recipients(post):
    post.configure(recipients_max="50000")
    many = ["someone.with.a.rather.long.name.%d@mail-server.some-department.far.example" % i for i in range(12000)]
    assert post.sendmail("-odq", "-t", stdin="To: " + ",\n ".join(many) + "\n\nbody\n").returncode == 0
    assert json.loads(call(post, "-bpj")[1])[0]["waiting"] == many
    out = call(post, "-bp")[1].splitlines()
    assert len(out) == len(many) + 3 and out[-2].startswith("        next try for %s and 11999 more: " % many[0])


def test_json(post):
    (one,) = queue(post)
    (got,) = json.loads(call(post, "-bpj")[1])
    assert got["id"] == one and got["waiting"] == ["x0@far.example"] and got["delivered"] == [] and got["login"] == "root"
    assert got["next_try"] > got["received"] > 0 and got["error"] and not got["frozen"] and not got["damaged"]


def test_freeze_thaw_remove(post):
    one, two = queue(post, 2)
    assert call(post, "-Mf", one) == (0, "Message %s is now frozen\n" % one, "")
    assert call(post, "-Mf", one, two) == (
        1, "Message %s is already frozen\nMessage %s is now frozen\n" % (one, two), "")
    assert call(post, "-bp")[1].count(" *** frozen ***\n") == 2 and "next try" not in call(post, "-bp")[1]
    post.up()
    call(post, "-qf")
    assert post.mails == []
    assert call(post, "-Mt", one) == (0, "Message %s is no longer frozen\n" % one, "")
    assert call(post, "-Mt", one) == (1, "Message %s is not frozen\n" % one, "")
    assert call(post, "-M", one)[0] == 0 and len(post.mails) == 1
    assert call(post, "-Mrm", one, two, NONE) == (
        1, "Spool data file for %s does not exist\nMessage %s has been removed\nSpool data file for %s does not exist\n"
        % (one, two, NONE), "")
    assert post.input() == [] and len(post.mails) == 1
    for line in one + " frozen by root", one + " unfrozen by root", two + " removed by root", two + " Completed":
        assert line in post.mainlog()


def test_a_forced_try_thaws(post):
    (one,) = queue(post)
    call(post, "-Mf", one)
    post.up()
    assert call(post, "-M", one)[0] == 0 and len(post.mails) == 1 and ids(post) == []


def test_give_up(post):
    (one,) = queue(post)
    post.up()
    assert call(post, "-Mg", one)[0] == 0
    post.until(lambda: post.input() == [])
    assert [(m[0], m[1]) for m in post.mails] == [("", ["me@here.example"])]
    assert "cancelled by" in post.mails[0][2] and " %s cancelled by " % one in post.mainlog()


def test_views(post):
    (one,) = queue(post)
    rc, out, _ = call(post, "-Mvh", one)
    assert rc == 0 and out.startswith(one + "-H\n") and "Subject: s\n" in out
    assert call(post, "-Mvb", one) == (0, one + "-D\nbody\n", "")
    assert call(post, "-Mvh", NONE) == (1, "Spool data file for %s does not exist\n" % NONE, "")


def test_a_message_at_work_is_not_touched(post):
    (one,) = queue(post)
    (body,) = glob.glob(post.spool + "/input/*-D")
    with subprocess.Popen(["flock", body, "-c", "echo; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        for flag in "-Mf", "-Mrm":
            assert call(post, flag, one) == (1, "Message %s is locked: another process works on it\n" % one, "")
        assert call(post, "-bpc")[1] == "1\n"
        holder.communicate(b"\n")


def test_split_spool(post):
    post.configure(split_spool_directory="yes")
    (one,) = queue(post)
    assert os.path.exists("%s/input/%s/%s-H" % (post.spool, one[5], one))
    assert call(post, "-Mvb", one)[1].startswith(one + "-D\n")
    assert call(post, "-Mrm", one)[0] == 0


def test_damaged_files_are_listed(post):
    one, two = queue(post, 2)
    with open("%s/input/%s-H" % (post.spool, one), "r+b") as f:
        f.truncate(100)
    rc, out, _ = call(post, "-bp")
    assert rc == 0 and re.search(r"(?m)^ +%s \*\*\* spool format error: .* \*\*\*$" % one, out) and two in out
    call(post, "-qf")
    out = call(post, "-bp")[1]
    assert re.search(r"(?m)^ +%s-H \*\*\* spool format error: .*bad/ \*\*\*$" % one, out) and two in out
    assert call(post, "-bpc")[1] == "1\n" and "spool format" not in call(post, "-bpu")[1]
    assert any(m["damaged"] for m in json.loads(call(post, "-bpj")[1]))
    assert json.loads(status(post, "--json")[1])["damaged"] >= 1


@pytest.mark.parametrize("words,rc,says", [
    (["-q15m"], 64, "onehop-queue.timer"),
    (["-q30m", "-bd"], 69, "no daemon"),
    (["-qx"], 64, "no flag -qx"),
    (["-q", NONE], 64, "takes no"),
    (["-Mrm"], 64, "no message ids given after -Mrm option"),
    (["-Mes", NONE, "x@y"], 64, "no flag -Mes"),
    (["-M", "../../etc/passwd"], 1, "malformed message id ../../etc/passwd after -M option"),
    (["-Mvb", ""], 1, "malformed message id  after -Mvb option"),
])
def test_what_is_wrong_with_the_command(post, words, rc, says):
    got = call(post, *words)
    assert got[:2] == (rc, "") and says in got[2] and not os.path.exists(post.spool)


def test_status(post):
    queue(post)
    rc, out, err = status(post)
    assert (rc, err) == (0, "") and "messages: 1 (0 frozen)\n" in out and re.search("last error: .+: .+", out)
    got = json.loads(status(post, "--json")[1])
    assert got["messages"] == 1 and got["alarm"] is False and got["alarm_after"] == 3600 and got["error"]
    lines = status(post, "--prometheus")[1].splitlines()
    assert "onehop_queue_messages 1" in lines and "# TYPE onehop_queue_messages gauge" in lines
    assert status(post, "--xml")[0] == 64
    post.up()
    call(post, "-qf")
    got = json.loads(status(post, "--json")[1])
    assert got["messages"] == 0 and got["last_success"] > 0 and got["error"] == ""


GONE_AT_ONCE = {
    "at once": (["you@far.example"], "Subject: s\n\nbody\n"),
    "to several": (["you@far.example", "they@far.example"], "Subject: s\n\nbody\n"),
    "in the background": (["-odb", "you@far.example"], "Subject: s\n\nbody\n"),
    "-bs": (["-bs"], "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<you@far.example>\r\nDATA\r\nSubject: s\r\n\r\nb\r\n.\r\nQUIT\r\n"),
    "-t": (["-t"], "To: you@far.example\n\nbody\n"),
}


def last_success(post):
    return json.loads(status(post, "--json")[1])["last_success"]


@pytest.mark.parametrize("how", GONE_AT_ONCE)
def test_last_success_of_mail_that_goes_at_once(post, how):
    """An alert on it would fire on every healthy host."""
    words, text = GONE_AT_ONCE[how]
    before = int(time.time())
    assert last_success(post) is None
    assert post.sendmail(*words, stdin=text).returncode == 0
    post.until(lambda: last_success(post) is not None)
    assert len(post.mails) == 1 and before <= last_success(post) <= time.time()
    assert "last success: not known" not in status(post)[1]
    (gauge,) = re.findall(r"(?m)^onehop_last_success_timestamp_seconds (\d+)$", status(post, "--prometheus")[1])
    assert int(gauge) == last_success(post)


def test_last_success_is_no_guess(post):
    """What a smarthost refused, or never saw, is none."""
    post.rules["rcpt"] = "550 5.1.1 no"
    assert post.sendmail("you@far.example").returncode == 69
    queue(post)
    assert last_success(post) is None


def test_success_ends_the_failure(post):
    """Though it is another message that goes, and the first one not due."""
    queue(post)
    assert "cannot connect" in json.loads(status(post, "--json")[1])["error"]
    post.up()
    post.rules["rcpt"] = lambda line: "451 4.2.0 later" if "x0@" in line else "250 ok"
    assert post.sendmail("you@far.example").returncode == 0
    post.until(lambda: last_success(post) is not None and "cannot connect" not in json.loads(status(post, "--json")[1])["error"])


def test_others_see_their_own_and_change_nothing(post):
    (one,) = queue(post)
    assert [r[0] for r in ask_as(post, 0, "list")[0]] == ["R", "M", "Z"]
    assert [r[0] for r in ask_as(post, SOMEBODY, "list")[0]] == ["Z"]
    assert [r[0] for r in ask_as(post, SOMEBODY, "list", one)[0]] == ["Z"]
    (answer, _), _ = ask_as(post, SOMEBODY, "status")
    assert answer[0] == "S" and answer[1].startswith("0\0")
    assert "cannot connect" not in answer[1] and "the smarthost takes no mail now" in answer[1]     # others' logins and what was said to them
    assert "cannot connect" in ask_as(post, 0, "status")[0][0][1]
    for verb in set(VERBS) - {"list", "status"}:
        records, rc = ask_as(post, SOMEBODY, verb, *([] if verb == "run" else [one]))
        assert rc == 77 and [r[0] for r in records] == ["Z"] and "permission denied" in records[0][1], verb
    assert post.input() == ["D", "H"] and "frozen" not in call(post, "-bp")[1]


def test_a_path_is_not_an_id(post):
    queue(post)
    for verb in "header", "body", "log", "remove":
        for name in "../onehop.conf", "a/b", "", "." * 30:
            records, rc = ask_as(post, 0, verb, name)
            assert rc != 0 and [r[0] for r in records] == ["Z"]


def test_exiqgrep(post, tmp_path):
    if not shutil.which("perl"):
        pytest.skip("perl is not installed")
    try:
        (base,) = sandbox.packages("exim4-base")
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    one, two = queue(post, 2)
    call(post, "-Mf", two)
    wrapper = tmp_path / "exim"
    wrapper.write_text("#!/bin/sh\nexec %s -C %s/onehop.conf \"$@\"\n" % (sandbox.programs()["onehop"], post.directory))
    wrapper.chmod(0o755)
    def exiqgrep(*words):
        got = subprocess.run(["perl", base + "/usr/sbin/exiqgrep", "-E", str(wrapper), "-i", *words],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert (got.returncode, got.stderr) == (0, b""), got
        return sorted(got.stdout.decode().split())  # it has no order

    for words, found in ((["-f", "me@here"], [one, two]), (["-r", "x1@far"], [two]), (["-z"], [two]), (["-x"], [one])):
        assert exiqgrep(*words) == exiqgrep("-a", *words) == sorted(found)
