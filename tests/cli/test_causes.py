"""Why a door cannot be reached, as the system says it and what helps; and homes that cannot be looked into."""
import os
import platform
import re
import struct
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli.test_busy import door, play, subjects  # noqa: E402
from cli.test_doors import SERVER  # noqa: E402

SECRET_AS = r"cannot read the passwords in /etc/exim4/passwd.client as uid 1001: Permission denied"
ALICE = "setpriv --reuid=alice --regid=alice --clear-groups --"
MAIL = ALICE + " /bin/sh -c 'echo \"Subject: 1\" | /usr/sbin/sendmail x@far.example'"

# As systemd's RestrictAddressFamilies= and SystemCallFilter= do it: socket(AF_UNIX) is refused with an errno of theirs.
ARCHITECTURES = {"x86_64": 41, "aarch64": 198}
FILTER = """
import ctypes, os, sys
program = ctypes.create_string_buffer(bytes.fromhex(sys.argv[1]))
class Prog(ctypes.Structure):
    _fields_ = [("n", ctypes.c_ushort), ("at", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Prog(len(program.raw) // 8, ctypes.addressof(program)))) == 0
os.execvp(sys.argv[2], sys.argv[2:])
"""


def refuse(errno):
    call = ARCHITECTURES.get(platform.machine())
    if call is None:
        pytest.skip("the number of socket(2) here is not known to this test")
    code = [(0x20, 0, 0, 0), (0x15, 0, 3, call), (0x20, 0, 0, 16), (0x15, 0, 1, 1), (0x06, 0, 0, 0x50000 | errno), (0x06, 0, 0, 0x7FFF0000)]
    return "/usr/bin/python3 -c '%s' %s " % (FILTER, b"".join(struct.pack("HBBI", *c) for c in code).hex())


HIDDEN = "unshare --mount /bin/sh -c 'mount -t tmpfs -o mode=%s t %s && exec \"$@\"' sh "
# Its words in the sentence; what is done to the door before; what stands before the caller's command.
CAUSES = {
    "no door": ("systemctl enable --now onehop-submit.socket", "rm /run/onehop/submit; rmdir /run/onehop", lambda: ""),
    "a service that does not see it": (r"BindReadOnlyPaths=/run/onehop\)", ":", lambda: HIDDEN % ("755", "/run")),
    "InaccessiblePaths": (r"/run/onehop/submit is not to be reached from here \(InaccessiblePaths=", ":", lambda: HIDDEN % ("000", "/run/onehop")),
    "RestrictAddressFamilies": (r"add AF_UNIX to its RestrictAddressFamilies=", ":", lambda: refuse(97)),
    "SystemCallFilter": (r"a filter of system calls .*SystemCallFilter= of this service", ":", lambda: refuse(1)),
    "nobody listens": (r"nothing listens at /run/onehop/submit \(as root: systemctl restart onehop-submit.socket",
                       "kill $(cat /run/onehop/pid)", lambda: ""),
    "a file": ("/run/onehop/submit is no socket", "rm /run/onehop/submit; touch /run/onehop/submit; chmod 666 /run/onehop/submit", lambda: ""),
    "a socket of another kind": (r"cannot connect to /run/onehop/submit: Protocol wrong type",
                                 "rm /run/onehop/submit; /usr/bin/python3 -c \"import socket, os; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
                                 "s.bind('/run/onehop/submit'); os.chmod('/run/onehop/submit', 0o666); import signal; signal.alarm(20); signal.pause()\" >/dev/null 2>&1 & "
                                 "until test -S /run/onehop/submit -a -w /run/onehop/submit; do :; done; sleep 1", lambda: ""),
    "a mode": (r"is not to be reached from here", "chmod 600 /run/onehop/submit", lambda: ""),
}


def numbered():
    """The superserver, its number in /run/onehop/pid."""
    d = door()
    return {**d, "argv": ["/bin/sh", "-c", "echo $$ >/run/onehop/pid; exec \"$@\"", "sh", *d["argv"]]}


@pytest.mark.parametrize("name", CAUSES)
def test_why_there_is_no_door(name):
    words, before, wrap = CAUSES[name]
    seen = play({"argv": ["/bin/sh", "-c", before + "\n" + wrap() + MAIL], "limit": 60}, daemons=[numbered()], servers=[SERVER])
    step = seen["steps"][0]
    assert step["rc"] == 75 and re.search(words + r".*: " + SECRET_AS, step["stderr"]), step
    assert "delivered" not in step["stderr"] and not subjects(seen) and step["secs"] < 20
    assert ("no door is open" in step["stderr"]) == (name in ("no door", "a service that does not see it"))


@pytest.mark.parametrize("gap", ["gone", "shut"])
def test_a_door_that_is_opened_again(gap):
    """systemctl restart, or an upgrade: who comes in between waits a moment."""
    shut = "kill $(cat /run/onehop/pid)" + ("; rm /run/onehop/submit" if gap == "gone" else "")
    again = "(sleep 2; rm -f /run/onehop/submit; exec setpriv --reuid=onehop --regid=onehop --clear-groups /usr/bin/timeout 20 /usr/bin/python3 " \
        "/opt/harness/superserver.py /run/onehop/submit '{}' /opt/onehop/onehop-send) & "
    seen = play({"argv": ["/bin/sh", "-c", "%s\n%s %s; rc=$?; kill $!; exit $rc" % (shut, again, MAIL)]}, daemons=[numbered()], servers=[SERVER])
    assert seen["steps"][0]["rc"] == 0 and subjects(seen) == ["1"], seen["steps"][0]


@pytest.mark.parametrize("reader,words", [
    ("Debian-exim", r"user onehop is not in its group (as root: usermod -aG Debian-exim onehop)"),
    ("root", r"it is not for user onehop (as root: chgrp onehop /etc/exim4/passwd.client; chmod 640 /etc/exim4/passwd.client)")])
def test_the_door_is_open_and_the_password_is_not(reader, words):
    """The message waits; what is to be mended is the file's group or mode, and not the door."""
    chown = {"argv": ["/bin/sh", "-c", "chown root:%s /etc/exim4/passwd.client; chmod %s /etc/exim4/passwd.client"
                      % (reader, "600" if reader == "root" else "640")]}
    seen = play(chown, {"argv": ["/bin/sh", "-c", MAIL]}, {"argv": ["/usr/sbin/mailq"], "user": "alice"}, servers=[SERVER])
    assert seen["steps"][1]["rc"] == 0 and not subjects(seen), seen["steps"]
    for said in seen["mainlog"], seen["steps"][2]["stdout"]:
        assert words in said and "no door" not in said, said


THIS_DOOR = "this door has not the groups of user onehop (as root: chgrp onehop /etc/exim4/passwd.client; chmod 640 /etc/exim4/passwd.client)"


@pytest.mark.parametrize("members,words", [("onehop", THIS_DOOR), ("alice,onehop", THIS_DOOR), ("onehop2", "user onehop is not in its group")])
def test_the_door_has_not_the_groups_of_its_user(members, words):
    """As of a superserver that sets none, and of onehop-post: usermod was said, and was done."""
    member = {"argv": ["/bin/sh", "-c", "sed -i 's/^Debian-exim:.*:/&%s/' /etc/group; chown root:Debian-exim /etc/exim4/passwd.client; "
                       "chmod 640 /etc/exim4/passwd.client" % members]}
    seen = play(member, {"argv": ["/bin/sh", "-c", MAIL]}, servers=[SERVER])
    assert seen["steps"][1]["rc"] == 0 and not subjects(seen) and words in seen["mainlog"], seen["mainlog"]


# ---------------------------------------------------------------- homes
OWN = {"/home/alice/.config/onehop/onehop.conf": {"content": "smarthost = smtp.isp.example::2525\nprimary_hostname = own.example\n", "owner": "alice"}}
HOMES = {                                   # what is done, as root; what stands before the command; its environment
    "ProtectHome": (":", HIDDEN % ("000", "/home"), {}),
    "TemporaryFileSystem": (":", HIDDEN % ("755", "/home"), {}),
    "a home without rights": ("chmod 000 /home/alice", "", {}),
    "a home of another": ("chown root: /home/alice; chmod 700 /home/alice", "", {}),
    "no rights to ~/.config": ("chown alice: /home/alice/.config; chmod 000 /home/alice/.config", "", {}),
    "no home": ("sed -i 's,:/home/alice:,:/nonexistent:,' /etc/passwd", "", {}),
    "an entry without home": ("sed -i 's,:/home/alice:,::,' /etc/passwd", "", {}),
    "a home that is no path": ("mkdir -p /tmp/there/home; cp -r /home/alice/.config /tmp/there/home; sed -i 's,:/home/alice:,:home:,' /etc/passwd; "
                               "chmod -R a+rX /tmp/there; cd /tmp/there", "", {}),
    "a home that is a file": ("rm -r /home/alice; touch /home/alice", "", {}),
    "a loop on the way": ("rm -r /home/alice/.config; ln -s .config /home/alice/.config", "", {}),
    "XDG_CONFIG_HOME of root's": ("chmod 700 /root", "", {"XDG_CONFIG_HOME": "/root/.config"}),
    "XDG_CONFIG_HOME too long": (":", "", {"XDG_CONFIG_HOME": "/" + "x" * 300}),
}


@pytest.mark.parametrize("name", HOMES)
def test_a_home_that_cannot_be_looked_into(name):
    """There is no setup of the user's then: the system's is used, and his mail goes."""
    before, wrap, env = HOMES[name]
    seen = play({"argv": ["/bin/sh", "-c", before + "\n" + wrap + MAIL], "env": env}, servers=[SERVER], config={"files": OWN})
    assert seen["steps"][0]["rc"] == 0 and subjects(seen) == ["1"], seen["steps"][0]
    assert " U=alice " in seen["mainlog"]


@pytest.mark.parametrize("mend", ["chmod 000 /home/alice/.config/onehop/onehop.conf", "chown root: /home/alice/.config/onehop/onehop.conf"])
def test_a_file_that_is_there_and_cannot_be_read(mend):
    """It may say that mail is to go elsewhere."""
    seen = play({"argv": ["/bin/sh", "-c", "%s; chmod o-r /home/alice/.config/onehop/onehop.conf\n%s" % (mend, MAIL)]}, servers=[SERVER],
                config={"files": OWN})
    step = seen["steps"][0]
    assert step["rc"] == 75 and "cannot read /home/alice/.config/onehop/onehop.conf as uid 1001" in step["stderr"] and not subjects(seen), step


# ---------------------------------------------------------------- a user's own queue
WHOSE = "onehop: this is alice's own queue, /home/alice/.local/state/onehop"


def test_whose_queue_it_is():
    """No run of the system's timer touches it, and who has it sees no other.  What other programs read is as it was."""
    listings = [["-bp"], ["-bpr"], ["-bpu"], ["-bpc"], ["-bpj"]]
    ask = [{"argv": ["/usr/sbin/sendmail", *words], "user": "alice"} for words in listings]
    mail = {"argv": ["/usr/sbin/sendmail", "-odq", "x@far.example"], "user": "alice", "stdin": "Subject: 1\n\nb\n"}
    others = [{"argv": ["/usr/sbin/sendmail", "-bp"], "user": "root"}, {"argv": ["/usr/sbin/sendmail", "-qf"], "user": "root"}]
    seen = play(ask[0], mail, *ask, *others, ask[3], config={"files": OWN})["steps"]
    assert [s["rc"] for s in seen] == [0] * len(seen), seen
    assert (seen[0]["stdout"], seen[0]["stderr"]) == ("", WHOSE + "\n")
    assert "x@far.example" in seen[2]["stdout"]
    assert seen[2]["stderr"] == WHOSE + " (systemctl --user enable --now onehop-queue.timer runs it)\n"
    assert [s["stderr"] for s in seen[3:7]] == [""] * 4
    assert (seen[7]["stdout"], seen[7]["stderr"]) == ("", "") and seen[-1]["stdout"] == "1\n"
