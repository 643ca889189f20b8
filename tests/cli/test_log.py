"""The log: where its lines go when the file cannot be had; the log of each message that waits.  Whatever happens to a log,
the mail goes.  (tests/servers/test_exim_tools.py has what the lines say.)"""
import json
import os
import re
import sys
import threading

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402
from harness.exim import mail, plain, shell  # noqa: E402
from harness.post import Post  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

FIRST = "id=$(%(sendmail)s -bpr | awk 'NR == 1 { print $3 }'); "
ANSWERS = {"rcpt": {"no@": "550 5.1.1 no such", "later@": "450 4.2.1 later"}}

# ---------------------------------------------------------------- where the lines go
# Listen at sockets, run a command, and print what came as JSON: {path: [datagram...]}
LISTEN = r"""
import json, os, socket, subprocess, sys
split = sys.argv.index("--")
heard = {}
for path in sys.argv[1:split]:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    heard[path] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard[path].bind(path)
    os.chmod(path, 0o666)
r = subprocess.run(sys.argv[split + 1:])
def all(s):
    s.setblocking(False)
    try:
        while True:
            yield s.recv(65536).decode()
    except BlockingIOError:
        pass
print(json.dumps({path: list(all(s)) for path, s in heard.items()}))
sys.exit(r.returncode)
"""
JOURNAL, DEV_LOG = "/run/systemd/journal/socket", "/dev/log"
CONF = "smarthost = smtp.isp.example::2525\nlog_file = %s\nsyslog = %s\n"
FILE = "/var/log/onehop/mainlog"


def log_case(log, option, prepare="", sockets=(JOURNAL, DEV_LOG), user="root"):
    files = {"/etc/onehop.conf": {"content": CONF % (log, option)}, "/tmp/listen.py": {"content": LISTEN}}
    send = mail("/usr/sbin/sendmail", "s", "x@far.example", conf="/etc/onehop.conf")
    as_user = [] if user == "root" else ["/usr/bin/setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
    send["argv"] = ["/usr/bin/python3", "/tmp/listen.py", *sockets, "--", *as_user, *send["argv"]]
    return {"config": {"files": files}, "servers": [{}], "steps": [shell(prepare or ":"), send]}


def play(*args, **more):
    observed = sandbox.run_case(log_case(*args, **more))
    step = observed["steps"][-1]
    assert observed["steps"][0]["rc"] == 0, observed["steps"][0]["stderr"]
    assert step["rc"] == 0, step["stderr"]
    assert len([m for c in observed["smtp"] for m in c["messages"]]) == 1
    return observed["mainlog"], json.loads(step["stdout"].splitlines()[-1]), step["stderr"]


LINES = ["<= alice@debian ", "=> x@far.example R=smarthost ", "Completed"]
TO_FILE, TO_SYSLOG, TO_BOTH, NOWHERE = (True, False), (False, True), (True, True), (False, False)
STATES = {  # (log_file, syslog, what is done before, (does the file, does syslog have the lines?))
    "as it should be": (FILE, "auto", "", TO_FILE),
    "syslog too": (FILE, "yes", "", TO_BOTH),
    "the directory is a file": (FILE, "auto", "touch /var/log/onehop", TO_SYSLOG),
    "no directory above it": ("/var/log/a/b/log", "auto", "", TO_SYSLOG),
    "no file and no syslog": ("/var/log/a/b/log", "no", "", NOWHERE),
    "a full disk": (FILE, "auto", "mkdir /var/log/onehop && mount -t tmpfs -o size=4k none /var/log/onehop && "
                    "head -c 4096 /dev/zero >/var/log/onehop/junk", TO_SYSLOG),
    "a FIFO": ("/var/log/fifo", "auto", "mkfifo /var/log/fifo", TO_SYSLOG),
    "a symbolic link": (FILE, "auto", "mkdir /var/log/onehop && touch /etc/victim && ln -s /etc/victim " + FILE, TO_SYSLOG),
    "a hard link": (FILE, "auto", "mkdir /var/log/onehop && touch /var/victim && ln /var/victim " + FILE, TO_SYSLOG),
    "a device": ("/dev/full", "auto", "", TO_SYSLOG),
    "a directory": (FILE, "auto", "mkdir -p " + FILE, TO_SYSLOG),
}


@pytest.mark.parametrize("state", STATES)
def test_where_the_lines_go(state):
    log, option, prepare, (in_file, in_syslog) = STATES[state]
    mainlog, heard, stderr = play(log, option, prepare)
    assert stderr == ""
    assert in_file or mainlog == ""
    assert not in_file or all(re.match(r"[-\d]{10} [:\d]{8} \S{16} " + re.escape(start), line)
                              for start, line in zip(LINES, mainlog.splitlines(), strict=True))
    assert len(heard[JOURNAL]) == (3 if in_syslog else 0) and heard[DEV_LOG] == []


def test_journal_fields():
    _, heard, _ = play("/a/b/c", "auto")
    for start, datagram in zip(LINES, heard[JOURNAL], strict=True):
        fields = dict(line.split("=", 1) for line in datagram.splitlines())
        assert datagram.endswith("\n") and fields.pop("SYSLOG_PID").isdigit()
        assert fields.pop("MESSAGE").startswith(fields["ONEHOP_ID"] + " " + start)
        assert re.fullmatch(r"\w{6}-\w{6}-\w\w", fields.pop("ONEHOP_ID"))
        assert fields == {"PRIORITY": "6", "SYSLOG_FACILITY": "2", "SYSLOG_IDENTIFIER": "onehop"}


def test_syslogd_without_a_journal():
    _, heard, _ = play("/a/b/c", "auto", sockets=(DEV_LOG,))
    for start, datagram in zip(LINES, heard[DEV_LOG], strict=True):
        assert re.match(r"<22>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d onehop\[\d+\]: \w{6}-\w{6}-\w\w " + re.escape(start), datagram)


def test_nobody_listens():
    assert play("/a/b/c", "auto", sockets=())[1] == {}


def test_standard_error():
    _, heard, stderr = play("-", "auto")
    assert [line[37:].startswith(start) for start, line in zip(LINES, stderr.splitlines(), strict=True)] == [True] * 3
    assert heard[JOURNAL] == []


def test_a_caller_who_reads_to_the_end_does_not_wait(tmp_path):
    """What goes on behind his back keeps no pipe of his open, neither the log nor one that he forgot."""
    post, returned = Post(tmp_path), threading.Event()
    post.configure(log_file="-")
    post.rules["dot"] = lambda line: "250 2.0.0 ok" if returned.wait(20) else "451 4.0.0 he waited"
    (reader, writer) = os.pipe()
    got = post.sendmail("-odb", "-f", "me@here.example", "x@far.example", pass_fds=[writer])
    os.close(writer)
    assert os.read(reader, 1) == b""
    returned.set()
    os.close(reader)
    assert got.returncode == 0 and got.stderr.count(b"\n") == 1 and b" <= me@here.example " in got.stderr
    post.until(lambda: len(post.mails) == 1 and post.input() == [])
    post.down()


def test_a_server_that_has_much_to_say(tmp_path):
    """The line that says where a message went is in the log, whatever else it says."""
    post = Post(tmp_path)
    post.rules["dot"] = "250-" + "\\\"" * 450 + ("\r\n250-" + "w" * 900) * 60 + "\r\n250 ok"
    assert post.sendmail("-f", "me@here.example", "x@far.example").returncode == 0
    lines = post.mainlog().splitlines()
    assert [line.split()[3] for line in lines] == ["<=", "=>", "Completed"] and len(lines[1]) < 4096
    post.down()


def test_standard_error_of_a_container():
    """Nobody waits for the end of the pipe that is process 1's."""
    case = log_case("-", "no")
    send = "echo | /usr/sbin/sendmail -C /etc/onehop.conf -odb -f alice@debian x@far.example && until grep -q Completed /tmp/err; do :; done"
    case["steps"] = [shell("unshare --pid --fork --mount-proc /bin/sh -c '" + send + "' 2>&1 | cat >/tmp/err"), shell("cat /tmp/err")]
    lines = sandbox.run_case(case)["steps"][-1]["stdout"].splitlines()
    assert [line[37:].startswith(start) for start, line in zip(LINES, lines, strict=True)] == [True] * 3


def test_a_user_without_a_setup():
    """The file is not his to write."""
    mainlog, heard, _ = play(FILE, "auto", "mkdir -p -m 750 /var/log/onehop", user="alice")
    assert mainlog == "" and len(heard[JOURNAL]) == 3


def test_what_root_makes_is_the_owners():
    case = log_case(FILE, "auto", "mkdir -m 2750 /var/log/onehop && chown fax:adm /var/log/onehop")
    case["steps"].append(shell("stat -c '%%U:%%G %%a' " + FILE))
    assert sandbox.run_case(case)["steps"][-1]["stdout"] == "fax:adm 640\n"


def test_no_secret():
    """A server that says the password back."""
    case = log_case(FILE, "yes")
    case["config"]["files"]["/etc/passwd.client"] = {"content": "*:user:se%cret\n", "mode": "0600"}
    case["config"]["files"]["/etc/onehop.conf"]["content"] += (
        "passwd_client = /etc/passwd.client\nauth_client_allow_notls_passwords = yes\ntls = off\n")
    words = "535 5.7.8 se%cret is wrong"
    case["servers"] = [{"session": {"ehlo": ["250-a", "250 AUTH PLAIN LOGIN"], "auth": {"PLAIN": [words], "LOGIN": ["334 VXNlcm5hbWU6",
                                                                                                     "334 UGFzc3dvcmQ6", words]}}}]
    case["steps"].append(shell(FIRST + "%(sendmail)s -Mvl $id", sendmail="/usr/sbin/sendmail -C /etc/onehop.conf"))
    observed = sandbox.run_case(case)
    said = observed["mainlog"] + "".join(s["stdout"] + s["stderr"] for s in observed["steps"])
    assert observed["steps"][-1]["stdout"].count("535 5.7.8") >= 1 and observed["mainlog"].count("535 5.7.8") >= 1
    assert "se%cret" not in said and "c2UlY3JldA" not in said and "AHVzZXIAc2" not in said


# ---------------------------------------------------------------- the log of a message
SENDMAIL = "/usr/sbin/sendmail"
SHOW = "for id in $(%(sendmail)s -bpr | awk '/</ { print $3 }'); do %(sendmail)s -Mvl $id; done; ls /var/spool/onehop/msglog | wc -l"


def message_logs(*steps, conf="", servers=()):
    """What each step that shows them printed."""
    case = {"config": {"files": {"/etc/onehop.conf": {"content": "smarthost = smtp.isp.example::2525\n" + conf}}},
            "servers": list(servers), "steps": [shell(s, sendmail=SENDMAIL + " -C /etc/onehop.conf") if isinstance(s, str) else s
                                                for s in steps]}
    out = [plain(s["stdout"]) for s in sandbox.run_case(case)["steps"]]
    return [o for o, s in zip(out, [s for s in steps if "new_servers" not in s]) if s == SHOW]


def conf_mail(*words, **more):
    return mail(SENDMAIL, "s", *words, conf="/etc/onehop.conf", **more)


def test_message_log_has_the_main_log_s_lines():
    refused, gone = message_logs(conf_mail("x@far.example"), SHOW, {"new_servers": [{}]}, "%(sendmail)s -qf", SHOW)
    assert refused.splitlines()[0] == "TIME <= alice@debian U=root P=local S=N"
    assert refused.splitlines()[1] == "TIME H=smtp.isp.example [192.0.2.25] Connection refused"
    assert re.fullmatch(r"TIME == x@far\.example R=smarthost T=remote_smtp_smarthost defer \(111\).*: .*Connection refused",
                        refused.splitlines()[2])
    assert refused.splitlines()[3:] == ["1"] and gone == "0\n"


def test_message_log_of_some():
    log, = message_logs(conf_mail("fax@debian", "x@far.example", "later@far.example"), SHOW, servers=[{"sessions": [ANSWERS]}])
    assert sorted(log.splitlines()) == sorted([
        "TIME <= alice@debian U=root P=local S=N", "TIME => fax <fax@debian> R=local_user T=maildir_home",
        "TIME => x@far.example R=smarthost T=remote_smtp_smarthost H=smtp.isp.example [192.0.2.25] C=\"250 2.0.0 queued\"",
        "TIME == later@far.example R=smarthost T=remote_smtp_smarthost defer (-44) H=smtp.isp.example [192.0.2.25]: "
        "SMTP error from remote mail server after RCPT TO:<later@far.example>: 450 4.2.1 later", "1"])


def test_message_log_of_a_frozen_bounce():
    log, = message_logs(conf_mail("-f", "far@far.example", "no@far.example", "x@far.example"), SHOW,
                        servers=[{"sessions": [{**ANSWERS, "mail": {"<>": "550 5.1.8 no bounces", "default": "250 ok"}}]}])
    assert "TIME <= <> R=ID0 U=WRITER P=local S=N\n" in log and "TIME Frozen (delivery error message)\n" in log


def test_no_message_logs():
    assert message_logs(conf_mail("-odq", "x@far.example"), SHOW, conf="message_logs = no\n")[0].endswith("0\n")


# ---------------------------------------------------------------- the map of senders
BS = "HELO x\r\nMAIL FROM:<%s>\r\nRCPT TO:<x@far.example>\r\nDATA\r\nSubject: s\r\n\r\nbody\r\n.\r\nQUIT\r\n"
WAYS = {
    "user": {"argv": ["/usr/sbin/sendmail", "x@far.example"], "user": "fax", "stdin": "Subject: s\n\nbody\n"},
    "queued": {"argv": ["/usr/sbin/sendmail", "-odq", "x@far.example"], "user": "fax", "stdin": "Subject: s\n\nbody\n"},
    "root": {"argv": ["/usr/sbin/sendmail", "-f", "fax@debian", "x@far.example"], "stdin": "Subject: s\n\nbody\n"},
    "session": {"argv": ["/usr/sbin/sendmail", "-bs"], "user": "fax", "stdin": BS % "fax@debian"},
}


@pytest.mark.parametrize("value, said", [("a@one.example, b@two.example", 1), ("", 1), ("other", 1), ("f@isp.example", 0)])
def test_a_sender_that_the_map_does_not_map(value, said):
    """Whoever mends it reads of it where he reads of the message; what a program was told on standard error nobody reads."""
    seen = sandbox.run_case({"doors": True, "config": {"email_addresses": "# the map\nfax: %s\n" % value}, "servers": [{}], "steps": list(WAYS.values())})
    assert [s["rc"] for s in seen["steps"]] == [0] * len(WAYS), seen["steps"]
    lines = re.findall(r"(?m)^\S+ \S+ (\S+) Rewrite of fax@debian yielded un\w+ address.* \(/etc/email-addresses:2\)$", seen["mainlog"])
    assert len(lines) == len(set(lines)) == said * len(WAYS), seen["mainlog"]
    assert "Rewrite" not in re.sub("(?m)^.* Rewrite of fax@debian yielded .*:2\\)\n", "", seen["mainlog"])
