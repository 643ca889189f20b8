"""What users leave in the way of mail that is delivered with somebody's rights: in homes, Maildirs, .forward files, /var/mail,
dead letters and the spool.  Nobody's file but the recipient's is read or written, nothing hangs, and no mail is lost.

Each row has a user of its own (u00, u01 ...) and a message whose subject is the row's number.  The outcome: "in" (it is in the
user's own files), "kept" (it waits in the spool), "out" (it is sent on), "back" (refused) or "either"."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli.test_doors import CONFIG, SERVER  # noqa: E402
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))
SHADOW = "root:$6$the-hash-of-root:19000:0:99999:7:::\n"


def forward(text):
    return "printf '%%s\\n' '%s' >.forward; chown $u: .forward" % text


# What is done in the user's home, as root ($u is the user) or as the user ("as").
HOMES = {
    "Maildir leads to bob's": ("kept", "as ln -s /home/bob/Maildir Maildir"),
    "Maildir leads to /etc": ("kept", "as ln -s /etc Maildir"),
    "Maildir leads to root's home": ("kept", "as ln -s /root Maildir"),
    "Maildir leads to itself": ("kept", "as ln -s Maildir Maildir"),
    "Maildir leads nowhere": ("kept", "as ln -s /nowhere/at/all Maildir"),
    "Maildir leads to descriptors": ("kept", "as ln -s /proc/self/fd Maildir"),
    "Maildir leads to a process": ("kept", "as ln -s /proc/1/root/etc Maildir"),
    "new leads to bob's": ("kept", "as mkdir -p Maildir; as ln -s /home/bob/Maildir/new Maildir/new"),
    "new leads to /etc": ("kept", "as mkdir -p Maildir; as ln -s /etc Maildir/new"),
    "tmp leads to /etc": ("kept", "as mkdir -p Maildir; as ln -s /etc Maildir/tmp"),
    "tmp leads to a directory for all": ("either", "as mkdir -p Maildir; as ln -s /tmp Maildir/tmp"),
    "cur leads to root's home": ("kept", "as mkdir -p Maildir; as ln -s /root Maildir/cur"),
    "tmp is a FIFO": ("kept", "as mkdir -p Maildir; as mkfifo Maildir/tmp"),
    "Maildir is a FIFO": ("kept", "as mkfifo Maildir"), "Maildir is a file": ("kept", "as touch Maildir"),
    "Maildir is a device": ("kept", "mknod Maildir c 1 5; chown $u Maildir"),
    "Maildir is bob's": ("kept", "mkdir Maildir; chown bob: Maildir"), "Maildir is root's": ("kept", "mkdir Maildir"),
    "Maildir is bob's and open": ("either", "mkdir Maildir; chown bob: Maildir; chmod 777 Maildir"),
    "Maildir is open to all": ("in", "as mkdir -m 777 Maildir"),
    "new is not to be written to": ("kept", "as mkdir -p Maildir/new; chmod 500 Maildir/new"),
    "there is no home": ("kept", "rmdir $PWD"), "the home is bob's": ("kept", "chown bob: .; chmod 700 ."),
    "the home is a FIFO": ("kept", "rmdir $PWD; mkfifo /home/$u; chown $u /home/$u"),
    "the home leads to bob's": ("kept", "rmdir $PWD; ln -s /home/bob /home/$u; chown -h $u /home/$u"),
    "the home leads to root's": ("kept", "rmdir $PWD; ln -s /root /home/$u; chown -h $u /home/$u"),
    ".forward leads to /etc/shadow": ("kept", "as ln -s /etc/shadow .forward"),
    ".forward leads to bob's": ("kept", "as ln -s /home/bob/private .forward"),
    ".forward is a FIFO": ("kept", "as mkfifo .forward"), ".forward is a directory": ("kept", "as mkdir .forward"),
    ".forward leads to zeros": ("kept", "as ln -s /dev/zero .forward"),
    ".forward is a device": ("kept", "mknod .forward c 1 5; chown $u .forward"),
    ".forward is bob's": ("kept", "cp /home/bob/addresses .forward; chown bob: .forward"),
    ".forward is root's": ("kept", "cp /home/bob/addresses .forward"),
    ".forward is a link to bob's": ("kept", "ln /home/bob/addresses .forward"),
    ".forward is a link to the shadow": ("kept", "ln /etc/shadow .forward"),
    ".forward has two names": ("kept", forward("x@far.example") + "; as ln .forward more"),
    ".forward is open to its group": ("kept", forward("x@far.example") + "; chmod 664 .forward"),
    ".forward is open to all": ("kept", forward("x@far.example") + "; chmod 646 .forward"),
    ".forward is large": ("kept", "as truncate -s 1G .forward"),
    ".forward is not to be read": ("kept", forward("x@far.example") + "; chmod 0 .forward"),
    ".forward says where": ("out", forward("x@far.example")),
    "it includes the shadow": ("kept", forward(":include:/etc/shadow")),
    "it includes bob's": ("kept", forward(":include:/home/bob/private")),
    "it includes a FIFO": ("kept", forward(":include:/home/bob/fifo")),
    "it includes zeros": ("kept", forward(":include:/dev/zero")),
    "it includes itself": ("either", "printf ':include:%s/.forward\\n' $PWD >.forward; chown $u: .forward"),
    "a pipe with a shell's signs": ("either", forward("|/bin/echo $(id >/tmp/evil-ran) `id >/tmp/evil-ran`; id >/tmp/evil-ran & id > /tmp/evil-ran")),
    "a pipe that tells what it is": ("either", "printf '#!/bin/sh\\n{ id; umask; pwd; env; ls -l /proc/self/fd; ulimit -c; cat /etc/shadow; cat; } >out 2>&1\\n' >p; "
                                     "chmod 755 p; printf '|%s/p\\n' $PWD >.forward; chown $u: p .forward"),
    "a pipe that kills its parent": ("either", "printf '#!/bin/sh\\nkill -9 $PPID\\n' >p; chmod 755 p; printf '|%s/p\\n' $PWD >.forward; chown $u: p .forward"),
    "a pipe that kills all": ("either", "printf '#!/bin/sh\\nkill -9 -1\\n' >p; chmod 755 p; printf '|%s/p\\n' $PWD >.forward; chown $u: p .forward"),
    "a pipe that looks at its parent": ("either", "printf '#!/bin/sh\\n{ cat /proc/$PPID/environ; ls -l /proc/$PPID/fd; grep -a hash /proc/$PPID/mem; } >out 2>&1; exit 0\\n' "
                                        ">p; chmod 755 p; printf '|%s/p\\n' $PWD >.forward; chown $u: p .forward"),
    "a pipe to a set-uid program": ("either", "cp /usr/bin/id sid; chown bob: sid; chmod 6755 sid; printf '|%s/sid\\n' $PWD >.forward; chown $u: .forward"),
    "a pipe to a script not to be run": ("back", forward("|/etc/shadow")),
    "round and round": ("either", "echo $u >.forward; chown $u: .forward"),
    "round and round by domain": ("either", "echo $u@debian, $u@localhost >.forward; chown $u: .forward"),
    "a file of root's": ("kept", forward("/etc/canary")), "a new file of root's": ("kept", forward("/etc/cron.d/evil")),
    "a file of bob's": ("kept", forward("/home/bob/private")), "a file in bob's Maildir": ("kept", forward("/home/bob/Maildir/new/evil")),
    "a directory of root's": ("kept", forward("/etc/")), "a directory of bob's": ("kept", forward("/home/bob/Maildir/")),
    "a file that leads to root's": ("kept", forward("$PWD") + "; printf '%s/box\\n' $PWD >.forward; as ln -s /etc/canary box"),
    "a file that leads to his own": ("kept", "as touch real; as ln -s real box; printf '%s/box\\n' $PWD >.forward; chown $u: .forward"),
    "a file that is bob's, too": ("kept", "ln /home/bob/private box; printf '%s/box\\n' $PWD >.forward; chown $u: .forward"),
    "a file that is root's, too": ("kept", "ln /etc/canary box; printf '%s/box\\n' $PWD >.forward; chown $u: .forward"),
    "a file with two names": ("kept", "as touch box; as ln box more; printf '%s/box\\n' $PWD >.forward; chown $u: .forward"),
    "a FIFO": ("kept", "as mkfifo box; printf '%s/box\\n' $PWD >.forward; chown $u: .forward"),
    "a device": ("kept", "mknod box c 1 7; chown $u box; printf '%s/box\\n' $PWD >.forward; chown $u: .forward"),
    "a disk": ("kept", forward("/dev/full")),
    "a file of bob's where all may write": ("kept", "touch /tmp/$u; chown bob: /tmp/$u; chmod 666 /tmp/$u; echo /tmp/$u >.forward; chown $u: .forward"),
    "bob's link where all may write": ("kept", "ln -s /home/$u/mine /tmp/$u; chown -h bob: /tmp/$u; echo /tmp/$u >.forward; chown $u: .forward"),
    "bob's Maildir where all may write": ("either", "mkdir -m 777 /tmp/$u; chown bob: /tmp/$u; ln -s /home/bob/Maildir/new /tmp/$u/new; echo /tmp/$u/ >.forward; chown $u: .forward"),
    "by way of a parent": ("kept", "echo /home/$u/../bob/private >.forward; chown $u: .forward"),
    "memory": ("kept", forward("/proc/self/mem")),
}
MAILBOXES = {
    "it leads to root's": ("kept", "ln -s /etc/canary /var/mail/$u; chown -h $u /var/mail/$u"),
    "it leads to bob's": ("kept", "ln -s /var/mail/bob /var/mail/$u; chown -h $u /var/mail/$u"),
    "it leads to his own": ("kept", "as touch box; ln -s /home/$u/box /var/mail/$u; chown -h $u /var/mail/$u"),
    "it is bob's, too": ("kept", "ln /var/mail/bob /var/mail/$u"), "it is root's, too": ("kept", "ln /etc/canary /var/mail/$u"),
    "it is bob's": ("kept", "echo >/var/mail/$u; chown bob:mail /var/mail/$u; chmod 666 /var/mail/$u"),
    "it is root's": ("kept", "echo >/var/mail/$u; chmod 666 /var/mail/$u"),
    "it is a FIFO": ("kept", "mkfifo /var/mail/$u; chown $u /var/mail/$u"), "it is a directory": ("kept", "mkdir /var/mail/$u; chown $u /var/mail/$u"),
    "it is a device": ("kept", "mknod /var/mail/$u c 1 5; chown $u /var/mail/$u"),
    "it is open to all": ("in", "touch /var/mail/$u; chown $u:mail /var/mail/$u; chmod 6777 /var/mail/$u"),
    "an old lock leads to root's": ("in", "ln -s /etc/canary /var/mail/$u.lock; touch -h -d '2 hours ago' /var/mail/$u.lock"),
    "the lock is locked by a name alone": ("in", "printf 'onehop: held as long as it is locked\\n' >/var/mail/$u.lock"),
}
VICTIMS = {"/etc/canary": {"content": "canary\n", "mode": "0600"}, "/etc/shadow": {"content": SHADOW, "mode": "0640", "group": "shadow"},
           "/home/bob/private": {"content": "bob's the-hash-of-bob\n", "mode": "0600", "owner": "bob"},
           "/home/bob/addresses": {"content": "thief@far.example\n", "owner": "bob"}, "/root/private": {"content": "root's the-hash\n", "mode": "0600"},
           "/var/mail/bob": {"content": "From x\n\nbob's the-hash\n", "mode": "0660", "owner": "bob", "group": "mail"},
           **{"/home/bob/Maildir/" + d: {"dir": True, "owner": "bob", "mode": "0700"} for d in ("", "new", "cur", "tmp")}}
PREPARE = "u=%s; cd /home/$u; as() { /usr/bin/setpriv --reuid=$u --regid=$u --clear-groups \"$@\"; }; %s"


def deliver(rows, **dc):
    """Root, or a user, sends to the user of each row."""
    users = {"u%02d" % n: {"uid": 2000 + n, "gecos": ""} for n in range(len(rows))}
    steps = [{"argv": ["/bin/sh", "-ec", "mkfifo /home/bob/fifo; chown bob: /home/bob/fifo; chmod 666 /home/bob/fifo"]}]
    steps += [{"argv": ["/bin/sh", "-ec", PREPARE % ("u%02d" % n, how)]} for n, (_, how) in enumerate(rows.values())]
    steps += [{"argv": ["/usr/sbin/sendmail", "-i", "u%02d" % n], "stdin": "Subject: row %03d\n\nthe text\n" % n, "settle": 20} for n in range(len(rows))]
    seen = sandbox.run_case({"config": {**CONFIG, "users": {**CONFIG["users"], **users}, "dc": dc, "files": VICTIMS},
                             "servers": [{"sessions": [SERVER]}], "steps": steps, "snap": ["/etc", "/var/log"]})
    prepared, seen["rows"] = seen["steps"][:1 + len(rows)], seen["steps"][1 + len(rows):]
    assert not [s for s in prepared if s["rc"] != 0], [s for s in prepared if s["rc"] != 0]
    return seen


@pytest.fixture(scope="module")
def homes():
    return deliver(HOMES)


@pytest.fixture(scope="module")
def mailboxes():
    return deliver(MAILBOXES, dc_localdelivery="mail_spool")


def check_row(seen, rows, name):
    number = list(rows).index(name)
    outcome, user, step = rows[name][0], "u%02d" % number, seen["rows"][number]
    mark = "Subject: row %03d\n" % number
    assert step["rc"] == (69 if outcome == "back" else 0) and step["settled"] and step["secs"] < 20, step
    found = {path: f for path, f in seen["files"].items() if mark in f.get("content", "")}
    kept = [path for path in found if path.endswith("-H")]
    own = [path for path, f in found.items() if f["owner"].startswith(user + ":") and not path.startswith("/var/spool")]
    out = [m for c in seen["smtp"] for m in c["messages"] if "row %03d" % number in m["data"]]
    told = re.findall(r"(?:=>|\*\*|==) .*\b%s\b" % user, seen["mainlog"])
    back = mark in seen["files"].get("/root/dead.letter", {}).get("content", "")
    assert {"in": own, "kept": kept, "out": out, "back": back, "either": found or out or told}[outcome], (step, found)
    assert outcome != "kept" or not own and not out, (own, out)
    assert "the-hash" not in str(step) + str(out) + str(list(found.values())), (step, found)
    assert all(int(found[path]["mode"], 8) & 0o7 == 0 for path in own if "/Maildir/" in path or path.startswith("/var/mail")), found


@pytest.mark.parametrize("name", HOMES)
def test_home(homes, name):
    check_row(homes, HOMES, name)


@pytest.mark.parametrize("name", MAILBOXES)
def test_mailbox(mailboxes, name):
    check_row(mailboxes, MAILBOXES, name)


@pytest.mark.parametrize("which", ["homes", "mailboxes"])
def test_of_others_nothing_has_changed(which, request):
    seen = request.getfixturevalue(which)
    for path, f in seen["files"].items():
        assert not path.startswith(("/home/bob/", "/root/", "/etc/canary", "/etc/cron", "/var/mail/bob", "/tmp/evil")) or path in ("/home/bob/fifo", "/root/dead.letter", *VICTIMS), (path, f)
        assert "the-hash" not in f.get("content", "") or path in VICTIMS or re.match(r"/(home/u\d\d/(box|\.forward)|var/mail/u\d\d)$", path), (path, f)
        assert path not in VICTIMS or f["content"] == VICTIMS[path]["content"], (path, f)
        assert not path.startswith("/etc/") or path in VICTIMS, (path, f)


def test_what_a_pipe_has(homes):
    user = "u%02d" % list(HOMES).index("a pipe that tells what it is")
    text = homes["files"]["/home/%s/out" % user]["content"]
    assert re.search(r"^uid=(\d+)\(%s\) gid=\1\(%s\) groups=\1\(%s\)$" % ((user,) * 3), text, re.M), text
    assert "Permission denied" in text and "Subject: row" in text and "pLanted" not in text, text
    assert sorted(set(re.findall(r" (\d+) -> ", text))) <= ["0", "1", "2", "3"], text            # ls has the directory


# ---------------------------------------------------------------- dead letters, and root in a user's surroundings
LETTERS = {
    "leads to bob's": "ln -s /home/bob/private dead.letter", "leads to root's": "ln -s /etc/canary dead.letter",
    "leads to another of his": "touch other; ln -s other dead.letter", "a FIFO": "mkfifo dead.letter", "a directory": "mkdir dead.letter",
    "two names": "touch dead.letter; ln dead.letter other", "a loop": "ln -s dead.letter dead.letter", "a terminal": "ln -s /dev/tty dead.letter",
}


@pytest.fixture(scope="module")
def letters():
    users = {"u%02d" % n: {"uid": 2000 + n, "gecos": ""} for n in range(len(LETTERS))}
    steps = []
    for n, how in enumerate(LETTERS.values()):
        steps += [{"argv": ["/bin/sh", "-ec", "cd; " + how], "user": "u%02d" % n},
                  {"argv": ["/usr/sbin/sendmail", "no@far.example"], "user": "u%02d" % n, "stdin": "Subject: row %03d\n\nthe text\n" % n}]
    steps += [{"argv": ["/usr/sbin/sendmail", "no@far.example"], "stdin": "Subject: row 099\n\nthe text\n",
               "env": {"HOME": "/home/alice", "XDG_CONFIG_HOME": "/home/alice/.config", "XDG_STATE_HOME": "/home/alice/.state", "USER": "alice", "LOGNAME": "alice"}}]
    files = {**VICTIMS, "/home/alice/.config/onehop/onehop.conf": {"content": "smarthost = 192.0.2.26::2525\npassword_command = /bin/touch /tmp/evil-ran\n", "owner": "alice"}}
    return sandbox.run_case({"config": {"users": users, "files": files}, "servers": [{"sessions": [{"rcpt": "550 5.1.1 no such user"}]}, {"addr": "192.0.2.26"}],
                             "steps": steps, "snap": ["/etc"]})


@pytest.mark.parametrize("name", LETTERS)
def test_dead_letter(letters, name):
    step = letters["steps"][2 * list(LETTERS).index(name) + 1]
    assert step["rc"] == 69 and step["secs"] < 20 and "dead.letter" in step["stderr"] and "the-hash" not in str(step), step
    home = "/home/u%02d/" % list(LETTERS).index(name)
    assert not [f for path, f in letters["files"].items() if path.startswith(home) and "the text" in f.get("content", "")]


def test_root_in_the_surroundings_of_alice(letters):
    assert letters["steps"][-1]["rc"] == 69 and "/root/dead.letter" in letters["files"], letters["steps"][-1]
    changed = [path for path in letters["files"] if path.startswith(("/home/alice", "/home/bob", "/etc/", "/tmp/"))]
    assert changed == [] and not [c for c in letters["smtp"] if c["server"].startswith("192.0.2.26")], changed


# ---------------------------------------------------------------- the spool, which is user onehop's, when root works on it
# As user onehop, in /var/spool/onehop: $id is a message that waits.
SPOOL = {
    "-D leads to the shadow": "ln -sf /etc/shadow input/$id-D", "-H leads to the shadow": "ln -sf /etc/shadow input/$id-H",
    "-D is a FIFO": "rm input/$id-D; mkfifo input/$id-D", "-H is a FIFO": "rm input/$id-H; mkfifo input/$id-H",
    "-D is a directory": "rm input/$id-D; mkdir input/$id-D", "-J leads to root's": "ln -s /etc/canary input/$id-J",
    "-J leads to a new file": "ln -s /etc/cron.d/evil input/$id-J", "-J is a FIFO": "mkfifo input/$id-J",
    "the message's log leads to root's": "mkdir -p msglog; ln -sf /etc/canary msglog/$id", "the message's log is a FIFO": "mkdir -p msglog; rm -f msglog/$id; mkfifo msglog/$id",
    "the log leads to root's": "ln -sf /etc/canary /var/log/onehop/mainlog", "the log is a FIFO": "rm -f /var/log/onehop/mainlog; mkfifo /var/log/onehop/mainlog",
    "a draft leads to root's": "ln -s /etc/canary input/hdr.$id-H",
    "input leads to /etc": "mv input old; ln -s /etc input", "the messages' logs lead to /etc": "rm -rf msglog; ln -s /etc msglog",
    "what is bad leads to /etc": "ln -s /etc bad; echo x >input/$id-H", "all states lead to root's": "for f in $(find . -type f ! -path './input/*' ! -path './msglog/*'); do ln -sf /etc/canary $f; done",
    "a recipient that is a file": "sed -i 's,^x@far.example.*,/etc/canary,' input/$id-H", "a recipient that is a pipe": "sed -i 's,^x@far.example.*,|/usr/bin/touch /etc/evil,' input/$id-H",
    "its owner is root": "sed -i '2s/.*/root 0 0/' input/$id-H", "a name with a path": "cp input/$id-H 'input/..-H'; cp input/$id-D 'input/..-D'",
    "the whole spool leads to /etc": "cd ..; mv onehop other 2>/dev/null || mv onehop/input onehop/gone",
}
PLAY = """cd /; rm -rf /var/spool/onehop /var/log/onehop; install -d -o onehop -g onehop -m 750 /var/spool/onehop /var/log/onehop
printf 'Subject: row %s\\n\\nthe text\\n' | sendmail -odq x@far.example
id=$(ls /var/spool/onehop/input | sed -n 's/-H$//p')
setpriv --reuid=onehop --regid=onehop --clear-groups sh -c "cd /var/spool/onehop; id=$id; $0"
for how in -bp -qff "-Mvl $id" "-Mvh $id" "-Mvb $id" "-M $id" -q; do timeout -s KILL 20 sendmail $how 2>&1; test $? != 137 || echo HUNG $how; done
cat /etc/canary; ls /etc/evil /etc/cron.d/evil /etc/*-[HDJ] /etc/hdr* /etc/$id 2>/dev/null; stat -c '%%U %%a' /etc /etc/canary /etc/shadow"""


@pytest.fixture(scope="module")
def spool():
    steps = [{"argv": ["/bin/sh", "-c", PLAY % n, how.replace("$f", "\\$f").replace("$(f", "\\$(f")], "limit": 150} for n, how in enumerate(SPOOL.values())]
    return sandbox.run_case({"config": {**CONFIG, "files": VICTIMS}, "servers": [{"sessions": [SERVER]}], "steps": steps, "snap": ["/etc"]})


@pytest.mark.parametrize("name", SPOOL)
def test_spool(spool, name):
    number = list(SPOOL).index(name)
    step = spool["steps"][number]
    assert step["rc"] == 0 and "HUNG" not in step["stdout"], step
    assert step["stdout"].endswith("canary\nroot 755\nroot 600\nroot 640\n"), step
    assert "the-hash" not in step["stdout"] + step["stderr"], step
    sent = [m for c in spool["smtp"] for m in c["messages"] if "row %d\r" % number in m["data"]]
    assert len(sent) <= 1 and not [m for c in spool["smtp"] for m in c["messages"] if "the-hash" in m["data"]], sent


def test_there_are_enough():
    assert len(HOMES) + len(MAILBOXES) + len(LETTERS) + len(SPOOL) >= 60
