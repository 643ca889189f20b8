"""The password, while a process has it: it is in no argument, environment, core file or answer; and the look for it can fail."""
import base64
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli.test_doors import CONFIG, MAKE_SPOOL, SERVER, SUBMIT, mail, play  # noqa: E402
from harness import planted, sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))
OWN = {**CONFIG, "passwd_reader": "alice"}

# Root: alice sends, and the server holds the session at AUTH; all of onehop's processes are looked at, then killed so that they leave a core.
HELD = """
import json, os, resource, signal, subprocess, sys
who, signals = sys.argv[1], [int(s) for s in sys.argv[2:]]
os.mkdir("/tmp/core")
os.chmod("/tmp/core", 0o1777)
resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))
sendmail = subprocess.Popen(["/usr/bin/setpriv", "--reuid=" + who, "--regid=" + who, "--clear-groups", "/usr/sbin/sendmail", "-v", "x@far.example"], cwd="/tmp/core",
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"HOME": "/home/alice", "USER": who})
sendmail.stdin.write(b"Subject: s\\n\\nb\\n")
sendmail.stdin.close()
heard = b""
while b"AUTH PLAIN *" not in heard:
    line = sendmail.stdout.readline()
    if not line:
        break
    heard += line

def read(pid, name):
    try:
        with open("/proc/%s/%s" % (pid, name), "rb") as f:
            return f.read().decode("latin-1")
    except OSError as e:
        return str(e)

seen = []
for pid in filter(str.isdigit, os.listdir("/proc")):
    if read(pid, "comm").startswith("onehop") or read(pid, "comm").strip() == "sendmail":
        maps = [line.split(" ")[0].split("-") for line in read(pid, "maps").splitlines() if " rw" in line]
        seen.append({"pid": int(pid), "comm": read(pid, "comm").strip(), "environ": read(pid, "environ"), "cmdline": read(pid, "cmdline"),
                     "owner": os.stat("/proc/%s/environ" % pid).st_uid, "core": [l for l in read(pid, "limits").splitlines() if "core" in l][0]})
        found = 0
        with open("/proc/%s/mem" % pid, "rb") as memory:
            for start, end in maps:
                if int(end, 16) - int(start, 16) > 1 << 26:         # AddressSanitizer's own
                    continue
                memory.seek(int(start, 16))
                try:
                    found += PASSWORD.encode() in memory.read(int(end, 16) - int(start, 16))
                except OSError:
                    pass
        seen[-1]["has it"] = found > 0
for process in seen:
    if process["comm"] == "onehop-send":
        for s in signals:
            try:
                os.kill(process["pid"], s)
            except ProcessLookupError:          # it ends with its parent
                pass
heard += sendmail.stdout.read()
sendmail.wait()
cores = []
for parent, _, names in os.walk("/tmp/core"):
    cores += names
print(json.dumps({"heard": heard.decode("latin-1"), "seen": seen, "cores": cores, "pattern": open("/proc/sys/kernel/core_pattern").read()}))
"""


def held(who, *signals, **how):
    server = {**SERVER, "auth": {"PLAIN": [["SLEEP 4", "235 ok"]]}}
    script = HELD.replace("PASSWORD.encode()", "bytes([%s])" % ", ".join(str(b) for b in planted.PASSWORD.encode()))
    seen = play(MAKE_SPOOL, {"argv": ["/usr/bin/python3", "-c", script, who, *map(str, signals)]}, servers=[server], **how)
    step = seen["steps"][1]
    assert step["rc"] == 0, step["stderr"][-1500:]
    return json.loads(step["stdout"]), seen


@pytest.mark.parametrize("who, how", [("alice", {"config": OWN, "daemons": ()}), ("root", {"daemons": ()}), ("alice", {"daemons": (SUBMIT,)})],
                         ids=["alice's own", "root's", "behind the socket"])
def test_while_the_server_asks_for_it(who, how):
    said, seen = held(who, **how)
    senders = [p for p in said["seen"] if p["comm"] == "onehop-send"]
    assert senders and any(p["has it"] for p in senders), "nobody has the password: this test sees nothing\n%s" % said
    assert not any(p["has it"] for p in said["seen"] if p["comm"] != "onehop-send"), said["seen"]

    planted.look({("user", planted.PASSWORD)}, {"environment and arguments": str([(p["environ"], p["cmdline"]) for p in said["seen"]]), "-v": said["heard"]})
    for p in senders:
        assert p["core"].split()[-3:-1] == ["0", "0"], p
        assert sandbox.sanitized() or p["owner"] == 0, "its environment and memory are open to its user: %s" % p
    assert len([m for c in seen["smtp"] for m in c["messages"]]) == 1


@pytest.mark.parametrize("signal", [3, 11, 6])
def test_no_core(signal):
    said, seen = held("alice", signal, config=OWN, daemons=())
    assert [p for p in said["seen"] if p["comm"] == "onehop-send"] and said["cores"] == [], said
    # SIGQUIT tells it to stop: onehop asks another one
    assert len([m for c in seen["smtp"] for m in c["messages"]]) <= (signal == 3)


# ---------------------------------------------------------------- the look for it
SHOWN = {"as it is": planted.PASSWORD, "base64": "cExhbnRlZCw0LXBhNTUrdzByZA==", "PLAIN": "AHVzZXIAcExhbnRlZCw0LXBhNTUrdzByZA==", "six octets": "to nted,4 it",
         "six of its base64": "to ZCw0LX it"}


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("where", ["/usr/bin/printf '%s\\n'", "/bin/sh -c 'echo \"$0\" >/tmp/x'", "/bin/sh -c 'echo \"$0\" >/home/alice/dead.letter'",
                                   "/bin/sh -c 'echo \"$0\" >&2'", "/bin/sh -c 'mkdir -p /var/log/onehop; echo \"$0\" >/var/log/onehop/mainlog'"])
def test_a_case_that_shows_it_fails(name, where):
    with pytest.raises(AssertionError, match="a password"):
        play({"argv": ["/bin/sh", "-c", "%s '%s'" % (where, SHOWN[name])]}, daemons=(), servers=[])


def test_a_server_that_says_it_back():
    """Through the socket, in all that is left: -v, the log, the message's log, the queue's list, the bounce."""
    words = "535 5.7.8 %s AHVzZXIAcExhbnRlZCw0LXBhNTUrdzByZA== cExhbnRlZCw0LXBhNTUrdzByZA==" % planted.PASSWORD
    seen = play(mail(["-v", "x@far.example"]), {"argv": ["/usr/sbin/mailq"]}, {"argv": ["/bin/sh", "-c", "sendmail -Mvl $(mailq | awk '/</ { print $3 }'); "
                "sendmail -Mg $(mailq | awk '/</ { print $3 }'); sendmail -qff"]}, servers=[{**SERVER, "auth": {"PLAIN": [words]}}])
    assert "535 5.7.8 " in seen["steps"][0]["stderr"] + seen["steps"][0]["stdout"], seen["steps"][0]
    assert "535 5.7.8 " in seen["mainlog"] and "535 5.7.8 " in seen["steps"][1]["stdout"] + seen["steps"][2]["stdout"], seen["steps"]


# ---------------------------------------------------------------- from the first octet to the last
TOKEN = "oauth:ya29.pLanted4Tokens-of.mine"
KINDS = {"a password": (planted.PASSWORD, "PLAIN"), "a token": (TOKEN, "XOAUTH2"), "a token of RFC 7628": (TOKEN, "OAUTHBEARER")}
# How each is answered; a server that offers STARTTLS and does not mean it gets no login.
STAGES = {"greeting": "220 %s", "ehlo": ["250-post", "250-AUTH %s", "250 X-SAID %s"], "starttls": "454 4.7.0 %s", "auth": "535 5.7.8 %s", "mail": "451 4.1.8 %s",
          "rcpt": "451 4.2.0 %s", "data": "451 4.3.0 %s", "dot": "451 4.3.0 %s", "quit": "221 %s"}


def echoes(login, password):
    """What a server has heard of it, whole and cut."""
    raw = password.removeprefix("oauth:")
    blobs = ["\0%s\0%s" % (login, raw), "user=%s\x01auth=Bearer %s\x01\x01" % (login, raw), "n,a=%s,\x01host=h\x01port=25\x01auth=Bearer %s\x01\x01" % (login, raw)]
    coded = [base64.b64encode(text.encode()).decode() for text in [raw, *blobs]]
    return [raw, raw[:6], raw[-7:], raw.upper(), "xx%syy" % raw, "Bearer " + raw, *coded, *(text[:-9] for text in coded), *(text[-15:] for text in coded)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_server_that_says_it_at_any_stage(stage, kind):
    """In -v, the log, the queue's list and the next run's -v there is nothing of it; the rest of the line is there."""
    password, mechanism = KINDS[kind]
    said = "MARKED " + " ".join(echoes("user", password))
    server = {"ehlo": ["250-post", "250 AUTH " + mechanism], "auth": {mechanism: ["235 2.7.0 ok"]}}
    if stage == "ehlo":
        server["ehlo"] = ["250-post", "250-AUTH " + mechanism, "250 X-SAID " + said]
    elif stage == "auth":
        server["auth"] = {mechanism: [STAGES[stage] % said]}
    else:
        server[stage] = STAGES[stage] % said
    if stage == "starttls":
        server["ehlo"] = ["250-post", "250-STARTTLS", "250 AUTH " + mechanism]
    seen = play(mail(["-v", "x@far.example"]), {"argv": ["/usr/sbin/mailq"]}, {"argv": ["/usr/sbin/sendmail", "-v", "-qff"]}, servers=[server],
                config={"passwd_client": "smtp.isp.example:user:%s\n" % password})
    shown = "".join(step["stdout"] + step["stderr"] for step in seen["steps"])
    if stage == "auth":
        assert "535 5.7.8 ***" in shown, (shown, seen["smtp"])
    elif stage != "quit":                       # what is said to QUIT is shown to nobody
        assert "MARKED" in shown and "****" in shown, (shown, seen["smtp"])
