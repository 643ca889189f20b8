"""What a user's .forward, procmail and their like start behaves behind every door as it would from Exim."""
import doors
import pytest

STAYS = """#!/bin/sh
# Sorts the mail later, and is not waited for.
cat >$HOME/new
(
	trap '' HUP
	sleep 2
	mv $HOME/new $HOME/kept
) >/dev/null 2>&1 &
"""


every_door = pytest.mark.parametrize("door", doors.ALL, ids=lambda door: door.__name__)


def alice_has(box, name, text, mode=0o644):
    box.write("/home/alice/" + name, text, mode, "alice:")


# ---------------------------------------------------------------- it lives on
@every_door
def test_what_a_forward_pipe_leaves_running_lives_on(box, door):
    alice_has(box, "later", STAYS, 0o755)
    alice_has(box, ".forward", '"|/home/alice/later"\n')
    got = door(box, "alice")
    assert got.rc == 0, got
    assert box.read("/home/alice/kept") == ""
    box.until(lambda: "Subject: keep" in box.read("/home/alice/kept"))


@every_door
def test_what_procmail_leaves_running_lives_on(box, door):
    alice_has(box, ".procmailrc", ":0 w\n| /home/alice/later\n")
    alice_has(box, "later", STAYS, 0o755)
    got = door(box, "alice")
    assert got.rc == 0, got
    box.until(lambda: "Subject: keep" in box.read("/home/alice/kept"))


def test_what_lives_on_holds_nothing_of_ours(box):
    """No descriptor of ours but the ends of pipes that nobody holds at the other end, no slot of the door, no lock; and
    many of them do not keep mail out."""
    alice_has(box, "later", "#!/bin/sh\ncat >/dev/null\nsleep 600 &\n", 0o755)
    alice_has(box, ".forward", '"|/home/alice/later"\n')
    assert doors.user(box, "alice").rc == 0
    pid = box.must("pgrep", "-u", "alice", "sleep").split()[0]
    held = box.must("sh", "-c", "ls -l /proc/%s/fd | sed -n 's/.*-> //p'" % pid).split()
    assert sorted(set(name.split(":")[0] for name in held)) == ["/dev/null", "pipe"], held
    box.quiet()
    assert box.show("onehop-local.socket", "NConnections") == ["0"]
    assert box.show("onehop-submit.socket", "NConnections") == ["0"]
    assert box.must("systemctl", "list-units", "--plain", "--no-legend", "onehop-*@*.service") == ""
    many = box.sh("for i in $(seq 5); do for j in $(seq 15); do "
                  "printf 'Subject: s\\n\\nx\\n' | runuser -u bob -- onehop alice || echo failed & done; wait; done", timeout=300)
    assert many.out == "" and box.waiting() == [], many
    assert len(box.must("pgrep", "-u", "alice", "sleep").split()) == 76
    box.must("pkill", "-u", "alice", "sleep")


# ---------------------------------------------------------------- it has what it is entitled to
@every_door
def test_procmail_sorts(box, door):
    """It is set-uid root: without that right it reads no .procmailrc, and says nothing."""
    alice_has(box, ".procmailrc", ":0:\n* ^Subject: keep\nsorted\n")
    got = door(box, "alice")
    assert got.rc == 0, got
    box.until(lambda: "Subject: keep" in box.read("/home/alice/sorted"))
    assert box.mailbox("alice") == []


@every_door
def test_maildrop_sorts(box, door):
    """It is set-gid mail, for locks beside /var/mail."""
    alice_has(box, ".mailfilter", 'if (/^Subject: keep/)\n{\n  to "$HOME/sorted"\n}\n', 0o600)
    got = door(box, "alice")
    assert got.rc == 0, got
    box.until(lambda: "Subject: keep" in box.read("/home/alice/sorted"))


@every_door
def test_vacation_answers(box, door, smarthost):
    """It keeps a data base in the home, and sends through sendmail."""
    alice_has(box, ".vacation.msg", "Subject: away\n\nI am away.\n")
    alice_has(box, ".forward", '\\alice, "|/usr/bin/vacation -j alice"\n')
    box.must("vacation", "-I", user="alice")
    got = door(box, "alice")
    assert got.rc == 0, got
    box.until(lambda: any("I am away" in text for text in box.mailbox("bob") + box.mailbox("mail") + [m["data"] for m in smarthost.mails]))
    assert len(box.mailbox("alice")) == 1


def copy_with(box, name, mode, owner):
    """A program with a right of its own: touch."""
    box.must("sh", "-c", "cp /usr/bin/touch $0 && chown $1 $0 && chmod $2 $0", name, owner, mode)


COMMANDS = {
    "set-gid": "/usr/local/bin/touch-mail /var/lib/mail-only/done",
    "set-uid": "/usr/local/bin/touch-root /root/done",
    "a directory of its group below /usr": "touch /usr/local/staff/done",
    "a directory of its own below /etc": "touch /etc/alice/done",
    "/tmp as others see it": "touch /tmp/seen-by-alice",
    "a device": "test -e /dev/console -a -e /dev/pts",
    "memory that is written and run": "python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=7)'",
    "a sandbox of its own": "bwrap --ro-bind / / --dev /dev --proc /proc --unshare-all true",
    "another personality": "setarch x86_64 -R true",
    "a core file, should it want one": "sh -c 'ulimit -c unlimited'",
    "a pipe that is closed early": "sh -c 'yes | head -n 1 >$HOME/yes; test $(wc -l <$HOME/yes) = 1'",
    "sudo": "sudo -n touch /usr/local/by-sudo",
    "the network": "python3 -c 'import socket; socket.create_connection((\"192.0.2.1\", 25), 5)'",
}
MADE = {"set-gid": "/var/lib/mail-only/done", "set-uid": "/root/done", "a directory of its group below /usr": "/usr/local/staff/done",
        "a directory of its own below /etc": "/etc/alice/done", "/tmp as others see it": "/tmp/seen-by-alice", "sudo": "/usr/local/by-sudo"}


@every_door
def test_a_command_gets_what_it_is_entitled_to(box, smarthost, door):
    """A user's program is no part of onehop: whatever a unit takes from itself is not to be taken from it."""
    assert smarthost
    copy_with(box, "/usr/local/bin/touch-mail", "2755", "root:mail")
    copy_with(box, "/usr/local/bin/touch-root", "4755", "root:root")
    box.must("sh", "-c", "rm -f $*", "sh", *MADE.values())
    box.must("sh", "-ec", "install -d -m 770 -g mail /var/lib/mail-only; install -d -m 770 -g alice /usr/local/staff; install -d -o alice /etc/alice")
    box.write("/etc/sudoers.d/alice", "alice ALL=(root) NOPASSWD: /usr/bin/touch\n", 0o440)
    script = "#!/bin/sh\ncat >/dev/null\n" + "".join("{ %s; } 2>>$HOME/err || echo '%s' >>$HOME/refused\n" % (c, what) for what, c in COMMANDS.items())
    alice_has(box, "commands", script + "echo done >>$HOME/refused\n", 0o755)
    alice_has(box, ".forward", '"|/home/alice/commands"\n')
    got = door(box, "alice")
    assert got.rc == 0, got
    box.until(lambda: "done" in box.read("/home/alice/refused"))
    assert box.read("/home/alice/refused") == "done\n", box.read("/home/alice/err")
    assert box.must("sh", "-c", 'for f; do test -e "$f" || echo "$f"; done', "sh", *MADE.values()) == ""
