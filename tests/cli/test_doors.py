"""Callers who may not read the password: the socket behind which a superserver starts onehop-send as user onehop.

The superserver is systemd-socket-activate, which does for one socket what systemd does for the units in dist/systemd.
"""
import os
import re
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import planted, sandbox  # noqa: E402

SECRET = planted.PASSWORD
TEXT = "Subject: hello\n\nthe text\n"
CONFIG = {"passwd_client": "smtp.isp.example:user:%s\n" % SECRET, "passwd_reader": "onehop",
          "localmacros": "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\n",
          "users": {"onehop": {"uid": 120, "gecos": "", "home": "/var/spool/onehop"}}}
SERVER = {"ehlo": ["250-smtp.isp.example", "250 AUTH PLAIN"], "auth": {"PLAIN": ["235 ok"]}}
SETUP = "mkdir -p -m 755 /run/onehop; chown onehop: /run/onehop; " \
        "install -d -o onehop -g onehop -m 750 /var/spool/onehop /var/log/onehop"
AS_ONEHOP = ["/usr/bin/setpriv", "--reuid=onehop", "--regid=onehop", "--clear-groups"]
SUBMIT = {"setup": SETUP, "listens": ["/run/onehop/submit"],
          "argv": [*AS_ONEHOP, "/usr/bin/systemd-socket-activate", "-l", "/run/onehop/submit", "-a", "--inetd", "/opt/onehop/onehop-send"]}
LOCAL = {"setup": SETUP, "listens": ["/run/onehop/local"],
         "argv": ["/usr/bin/systemd-socket-activate", "-l", "/run/onehop/local", "-a", "--inetd", "/opt/onehop/onehop-local", "serve"]}
# It makes sockets of mode 644; the units say SocketMode and SocketUser.
MODES = {"argv": ["/bin/sh", "-c", "chmod 666 /run/onehop/submit; cd /run/onehop && test ! -e local || chown onehop: local"]}


def mail(words, user="alice", stdin=TEXT, before=()):
    return {"argv": [*before, "/usr/sbin/sendmail", *words], "user": user, "stdin": stdin}


def play(*steps, servers=({},), config=None, daemons=(SUBMIT,), packages=()):
    for program in ("/usr/bin/systemd-socket-activate", "/usr/bin/setpriv") if daemons else ():
        if not os.access(program, os.X_OK):
            pytest.skip("there is no " + program)
    try:
        seen = sandbox.run_case({"config": {**CONFIG, **(config or {})}, "steps": [*([MODES] if SUBMIT in daemons else []), *steps], "daemons": list(daemons),
                                 "servers": [{"sessions": [s]} for s in servers], "snap": ["/var/log"],
                                 "packages": list(packages)})
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    seen["steps"] = seen["steps"][-len(steps):]
    return seen


def messages(seen):
    return [m for c in seen["smtp"] for m in c["messages"]]


@pytest.mark.parametrize("before", [[], ["/usr/bin/setpriv", "--no-new-privs"]], ids=["plain", "no-new-privs"])
def test_sent_by_who_cannot_read_the_password(before):
    seen = play(mail(["-v", "x@far.example"], before=before), servers=[SERVER])
    step = seen["steps"][0]
    assert step["rc"] == 0, (step["stderr"], seen["daemons"], seen["mainlog"])
    assert [m["rcpt"] for m in messages(seen)] == [[["TO:<x@far.example>", "250 2.1.5 recipient ok"]]]
    assert " U=alice " in seen["mainlog"] and "A=plain" in seen["mainlog"]
    assert SECRET not in str(step) + seen["mainlog"]


# What a hardened unit of systemd's is to a program, by hand: no new privileges, no capability, a user without a passwd
# entry (DynamicUser), nothing to write to but /tmp (ProtectSystem=strict, PrivateTmp), no homes.
UNIT = ["/usr/bin/unshare", "--mount", "--ipc", "/bin/sh", "-ec",
        "mount -t tmpfs t /tmp; mount -t tmpfs -o ro t /home; mount -t tmpfs -o ro t /root; mount -o remount,bind,ro /; "
        "exec setpriv --reuid=61234 --regid=61234 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all -- \"$@\"", "sh"]


def test_from_a_hardened_unit():
    asks = {"argv": [*UNIT, "/bin/sh", "-c", "grep NoNewPrivs /proc/self/status; id; touch /var/x; cat /etc/exim4/passwd.client"]}
    seen = play(asks, mail(["-v", "-f", "unit@isp.example", "x@far.example"], user="root", before=UNIT), servers=[SERVER])
    said = seen["steps"][0]["stdout"] + seen["steps"][0]["stderr"]
    assert re.search(r"NoNewPrivs:\t1\nuid=61234 gid=61234 groups=61234\n", said) and "Read-only" in said and "passwd.client: Permission denied" in said, said
    assert seen["steps"][1]["rc"] == 0, seen["steps"][1]
    assert [m["mail"] for m in messages(seen)] == ["FROM:<unit@isp.example> AUTH=61234@debian"] and " U=61234 " in seen["mainlog"]


def test_no_door_of_a_hardened_unit():
    seen = play(mail(["-f", "unit@isp.example", "x@far.example"], user="root", before=UNIT), servers=[SERVER], daemons=())
    assert seen["steps"][0]["rc"] == 75 and "onehop-submit.socket" in seen["steps"][0]["stderr"] and not messages(seen), seen["steps"][0]


def test_another_superserver():
    """As the manual has it."""
    if not os.access("/usr/bin/socat", os.X_OK):
        pytest.skip("there is no socat")
    socat = {**SUBMIT, "argv": [*AS_ONEHOP, "/usr/bin/socat", "UNIX-LISTEN:/run/onehop/submit,fork,mode=666", "EXEC:/opt/onehop/onehop-send,nofork"]}
    seen = play(mail(["-v", "x@far.example"]), mail(["y@far.example"], "bob", before=["/usr/bin/setpriv", "--no-new-privs"]), servers=[SERVER], daemons=[socat])
    assert [s["rc"] for s in seen["steps"]] == [0, 0], (seen["steps"], seen["daemons"])
    assert [m["mail"].rpartition("=")[2] for m in messages(seen)] == ["alice@debian", "bob@debian"] and " U=onehop " not in seen["mainlog"]


def test_no_door():
    seen = play(mail(["x@far.example"]), servers=[SERVER], daemons=())
    step = seen["steps"][0]
    assert step["rc"] == 75 and "onehop-submit.socket" in step["stderr"], step
    assert "the text" in seen["files"]["/home/alice/dead.letter"]["content"]
    assert not messages(seen) and SECRET not in str(seen["steps"])


def test_kept_and_listed_for_its_owner():
    seen = play(mail(["x@far.example"]), mail(["y@far.example"], "bob"),
                *[{"argv": ["/usr/sbin/mailq"], "user": user} for user in ("alice", "bob", "fax", "root")],
                {"argv": ["/usr/sbin/sendmail", "-q"], "user": "alice"}, servers=[])
    alice, bob, fax, root = [re.findall(r"(?m)^ +([xy]@far)", s["stdout"]) for s in seen["steps"][2:6]]
    assert [s["rc"] for s in seen["steps"]] == [0] * 6 + [77], seen["steps"]
    assert (alice, bob, fax, sorted(root)) == (["x@far"], ["y@far"], [], ["x@far", "y@far"])
    assert {f["owner"] for path, f in seen["files"].items() if path.endswith("-H")} == {"onehop:onehop"}


def test_another_user_s_mailbox():
    seen = play(mail(["bob", "alice"]), daemons=[SUBMIT, LOCAL])
    assert seen["steps"][0]["rc"] == 0, seen["steps"][0]["stderr"]
    for user in ("alice", "bob"):
        new = [f for path, f in seen["files"].items() if path.startswith("/home/%s/Maildir/new/" % user) and path[-1] != "/"]
        assert [(f["owner"], f["mode"]) for f in new] == [("%s:%s" % (user, user), "0o600")]


def test_nobody_else_may_ask_for_a_delivery():
    """The socket's owner is user onehop; should its mode be wrong, the program looks who is there."""
    ask = "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('/run/onehop/local')\n" \
          "try:\n s.sendall(b'00000012deliver\\0bob\\0')\n s.shutdown(1)\n print(s.recv(999))\n" \
          "except (ConnectionResetError, BrokenPipeError):\n print(b'')"
    seen = play({"argv": ["/bin/chmod", "666", "/run/onehop/local"]}, {"argv": ["/usr/bin/python3", "-c", ask], "user": "alice"},
                {"argv": ["/usr/bin/python3", "-c", ask]}, daemons=[SUBMIT, LOCAL])
    assert seen["steps"][1]["stdout"] == "b''\n", seen["steps"][1]
    assert "is started by onehop" in seen["steps"][2]["stdout"], seen["steps"][2]


FORCED = {"localmacros": CONFIG["localmacros"] + "MAIN_FORCE_SENDER = yes\n", "email_addresses": "alice: al@isp.example\n"}


def test_force_sender_holds():
    seen = play(mail(["-f", "chief@far.example", "x@far.example"], stdin="From: chief@far.example\n" + TEXT), servers=[SERVER], config=FORCED)
    assert seen["steps"][0]["rc"] == 0, seen["steps"][0]
    assert [m["mail"].split(" ")[0] for m in messages(seen)] == ["FROM:<al@isp.example>"]
    assert "\r\nSender: Alice Liddell <al@isp.example>" in messages(seen)[0]["data"]


# A machine of its own by mounts alone: in the sandbox, which is a chroot, the kernel makes no user namespace.
CONTAINER = """set -e
mount -t tmpfs t /run; mkdir -p /run/o /run/w /run/onehop /run/programs
for program in onehop onehop-send; do cp "$1/$program" /run/programs; done
mount -t overlay o -o lowerdir=/etc,upperdir=/run/o,workdir=/run/w /etc
mkdir -p /etc/onehop
printf 'smarthost = 127.0.0.1::1\\nspool_directory = /run/spool\\nlog_file = /run/spool/mainlog\\nmailname_file = /dev/null\\n' > /etc/onehop/onehop.conf
mkdir -m 750 /run/spool
chown daemon: /run/spool /run/onehop
setpriv --reuid=daemon --regid=daemon --clear-groups systemd-socket-activate -l /run/onehop/submit -a --inetd /run/programs/onehop-send 2>/dev/null &
until test -S /run/onehop/submit; do sleep 0.02; done
chmod 666 /run/onehop/submit
cd /
alone="setpriv --reuid=33 --regid=33 --clear-groups"
$alone unshare --user /bin/sh -c 'id -u; echo "Subject: s" | /run/programs/onehop -f me@h.example x@far.example'
$alone /run/programs/onehop -bp
kill $!
"""


# The gate where a user has made himself root, and the root directory, or has put a program of his in the place of the sender.
NAMESPACES = """set -e
mount -t tmpfs t /run; mkdir -m 755 /run/programs; mkdir -m 777 /run/his
cp "$1/onehop-post" /run/programs; chown daemon:daemon /run/programs/onehop-post; chmod 6755 /run/programs/onehop-post
printf '#!/bin/sh\nid >/run/his/ran\n' >/run/his/onehop-send; chmod 755 /run/his/onehop-send
alone="setpriv --reuid=33 --regid=33 --clear-groups"
in='exec 3<&0; /run/programs/onehop-post <&3 || echo status $?'
echo may; $alone unshare --user --map-root-user true
echo user; $alone unshare --user --map-root-user /bin/sh -c "$in"
echo unmapped; $alone unshare --user /bin/sh -c "$in"
echo mount; $alone unshare --user --map-root-user --mount /bin/sh -c "mount --bind /run/his /usr/sbin; mkdir -p /run/his/x; $in"
echo chroot; $alone unshare --user --map-root-user chroot / /bin/sh -c "$in"
echo pid; $alone unshare --user --map-root-user --pid --fork /bin/sh -c "$in"
test ! -e /run/his/ran
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts")
def test_the_gate_in_namespaces_of_the_caller(tmp_path):
    """The kernel gives no rights over users that the namespace does not have; the gate sees that it has none, and ends."""
    sandbox.programs()
    got = subprocess.run(["unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child", "/bin/sh", "-c", NAMESPACES, "sh", sandbox.build_dir()],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, cwd=tmp_path, timeout=60)
    words = got.stderr.decode()
    if re.search("unshare: |mount: ", words):
        pytest.skip(words)
    said = got.stdout.decode().split()
    assert got.returncode == 0 and said[0] == "may" and said[1::3] == ["user", "unmapped", "mount", "chroot", "pid"], (said, words)
    assert set(said[3::3]) <= ({"1", "77"} if sandbox.sanitized() else {"77"}), said            # 1: LeakSanitizer, as below
    assert words.count("onehop-post: ") == 5, words


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts")
@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="there is no systemd-socket-activate")
def test_from_a_user_namespace_without_ids(tmp_path):
    got = subprocess.run(["unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child", "/bin/sh", "-c", CONTAINER, "sh", sandbox.build_dir()],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, cwd=tmp_path, timeout=60)
    words = got.stderr.decode()
    if re.search("unshare: |mount: ", words):
        pytest.skip(words)
    assert got.returncode == 0, words
    lines = got.stdout.decode().splitlines()
    assert lines[0] == "65534" and lines[2].strip() == "x@far.example", lines


# ---------------------------------------------------------------- onehop-post
def installed(tmp_path, mode=0o6755, uid=120):
    """The programs where the build says that they are installed, as a package; the gate is user onehop's, set-uid."""
    with open(sandbox.programs()["onehop-post"], "rb") as f:
        place = re.search(rb"(/[!-~]+)/onehop-send\0", f.read()).group(1).decode()
    if not place.startswith("/usr/"):
        pytest.skip("the build is for another prefix than /usr: %s" % place)
    os.makedirs(str(tmp_path) + place)
    for name, path in sandbox.programs().items():
        shutil.copy(path, str(tmp_path) + place)
    gate = "%s%s/onehop-post" % (tmp_path, place)
    os.chown(gate, uid, uid)
    os.chmod(gate, mode)
    return {"packages": [str(tmp_path)]}, place


MAKE_SPOOL = {"argv": ["/bin/sh", "-ec", SETUP]}


def test_the_gate(tmp_path):
    seen = play(MAKE_SPOOL, mail(["-v", "x@far.example"]), {"argv": ["/usr/sbin/mailq"], "user": "alice"}, servers=[SERVER], daemons=(),
                **installed(tmp_path)[0])
    assert [s["rc"] for s in seen["steps"]] == [0, 0, 0], seen["steps"]
    assert len(messages(seen)) == 1 and " U=alice " in seen["mainlog"]


def test_the_gate_has_one_group(tmp_path):
    """What set-uid gives is no membership: usermod does not help there, and chgrp does, as the log says."""
    exims = {"argv": ["/bin/sh", "-c", "sed -i 's/^Debian-exim:.*:/&onehop/' /etc/group; chgrp Debian-exim /etc/exim4/passwd.client"]}
    mended = {"argv": ["/bin/sh", "-c", "chgrp onehop /etc/exim4/passwd.client"]}
    seen = play(MAKE_SPOOL, exims, mail(["x@far.example"]), mended, mail(["y@far.example"]), servers=[SERVER], daemons=(), **installed(tmp_path)[0])
    assert [s["rc"] for s in seen["steps"]] == [0] * 5 and "y@far.example" in str(messages(seen)), seen["steps"]
    assert "(as root: chgrp onehop /etc/exim4/passwd.client; chmod 640" in seen["mainlog"] and "usermod" not in seen["mainlog"], seen["mainlog"]


@pytest.mark.parametrize("how", [{"mode": 0o755}, {"uid": 0}], ids=["not set-uid", "root's"])
def test_a_gate_that_is_installed_badly_is_none(tmp_path, how):
    seen = play(MAKE_SPOOL, mail(["x@far.example"]), servers=[SERVER], daemons=(), **installed(tmp_path, **how)[0])
    assert seen["steps"][1]["rc"] == 75 and not messages(seen)


# The protocol, spoken by a program that is not onehop.
RECORDS = """
import array, os, socket, struct, sys
def record(letter, *fields):
    payload = b"".join(f.encode() + b"\\0" for f in fields)
    return letter.encode() + struct.pack(">I", len(payload)) + payload
def raw(letter, payload):
    return letter.encode() + struct.pack(">I", len(payload)) + payload
HELLO = record("V", "2", "0", "0", "0")
def envelope(sender="chief@isp.example", login="root"):
    return record("E", "1xVsfr-00000K-3L", sender, login, "", "0", "1", "7", "local")
def rcpt(address="x@far.example", more=""):
    return record("R", address, address + more, "0", "0", "")
HEAD, BODY, GO = raw("H", b"Subject: s\\n"), raw("B", b"body\\n"), record("G", "5", "1", "4", "0", "0", "0")
"""

# Alice, with all that she can give a program along: what runs before, the hello and the message on the socket.
ATTACK = """
import resource, signal
PLACE = %r
mine, theirs = socket.socketpair()
zero = theirs
%s
mine.sendall(HELLO + envelope() + rcpt() + HEAD + BODY + GO)
pid = os.fork()
if pid == 0:
    os.dup2(zero.fileno(), 0)
    os.execve(PLACE + "/onehop-post", ["onehop-post", "-C", "/home/alice/c", "-v"],
              {k: "/home/alice/x.so" for k in ("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "TMPDIR", "CREDENTIALS_DIRECTORY", "XDG_CONFIG_HOME",
                                               "XDG_STATE_HOME", "TZ", "GCONV_PATH", "GNUTLS_SYSTEM_PRIORITY_FILE", "RES_OPTIONS", "HOSTALIASES",
                                               "LOCPATH", "MALLOC_TRACE", "NLSPATH", "HOME", "PATH")})
theirs.close()
mine.settimeout(20)
answer = b""
try:
    while True:
        got = mine.recv(4096)
        if not got:
            break
        answer += got
except OSError:
    pass
mine.close()
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status), b"Z" in answer)
"""
ATTACKS = {
    "environment": "",
    "no descriptors": "os.closerange(1, 3)",
    "no memory": "resource.setrlimit(resource.RLIMIT_AS, (1 << 24, 1 << 24))",
    "no files": "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))",
    "no descriptors left": "resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))",
    "no time": "resource.setrlimit(resource.RLIMIT_CPU, (1, 1))",
    "no stack": "resource.setrlimit(resource.RLIMIT_STACK, (1 << 17, 1 << 17))",
    "a core": "resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))",
    "signals ignored": "[signal.signal(s, signal.SIG_IGN) for s in range(1, 32) if s not in (9, 19)]",
    "signals blocked": "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))",
    "a timer": "signal.setitimer(signal.ITIMER_REAL, 0.01)",
    "a directory of hers": "os.chdir('/home/alice')",
    "umask 0": "os.umask(0)",
    "many descriptors": "[os.dup2(1, n, inheritable=True) for n in range(20, 200)]",
}


HINDERED = ("no memory", "no descriptors left", "no time", "no files", "a timer")      # it may say that it cannot


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_is_gained_by(tmp_path, name):
    """The message is alice's, whatever she says, or nothing happens; no file of hers is touched or read."""
    how, place = installed(tmp_path)
    run = {"argv": ["/usr/bin/python3", "-c", RECORDS + ATTACK % (place, ATTACKS[name])], "user": "alice", "stdin": ""}
    trap = {"x.so": "not a library\n", "c": "smarthost = 127.0.0.1::1\n", "passwd.client": "*:me:hers\n"}
    config = {"files": {"/home/alice/" + k: {"content": v, "owner": "alice"} for k, v in trap.items()}}
    seen = play(MAKE_SPOOL, run, servers=[SERVER], daemons=(), config=config, **how)
    assert not [path for path, f in seen["files"].items() if path.startswith("/home/alice/")], seen["files"]
    assert not [path for path, f in seen["files"].items() if f["owner"].startswith("root:") and "daemons.log" not in path
                and not path.endswith("/")], seen["files"]
    for m in messages(seen):
        assert "AUTH=alice@debian" in m["mail"], m["mail"]
    assert " U=root " not in seen["mainlog"] and SECRET not in str(seen["steps"]) + seen["mainlog"]
    copies = len(messages(seen)) + len([path for path in seen["files"] if path.endswith("-H")])
    assert copies == 1 or (copies == 0 and name in HINDERED), (copies, seen["steps"][1])


def test_a_socket_of_root_s_is_not_the_caller_s(tmp_path):
    """What a daemon of root's says over its socket is not said by root."""
    how, place = installed(tmp_path)
    daemon = {"setup": "", "argv": ["/usr/bin/python3", "-c",
                                    "import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('/run/root')\nimport os\nos.chmod('/run/root', 511)\n"
                                    "s.listen()\nwhile True:\n s.accept()[0].close()"], "listens": ["/run/root"]}
    run = {"argv": ["/usr/bin/python3", "-c", RECORDS + ATTACK % (place, "zero = socket.socket(socket.AF_UNIX); zero.connect('/run/root')")], "user": "alice"}
    seen = play(MAKE_SPOOL, run, servers=[SERVER], daemons=[daemon], **how)
    # LeakSanitizer cannot look into a set-uid process, and makes its status 1.
    assert seen["steps"][1]["stdout"].startswith("1 " if sandbox.sanitized() else "77 "), seen["steps"][1]
    assert not messages(seen) and seen["mainlog"] == ""


# ---------------------------------------------------------------- what is said through the socket
SAY = """
s = socket.socket(socket.AF_UNIX)
s.connect("/run/onehop/submit")
s.settimeout(20)
answer = b""
try:
    %s
    s.shutdown(1)
    while True:
        got = s.recv(4096)
        if not got:
            break
        answer += got
except OSError as e:
    print(e)
print(answer.replace(b"\\0", b" "))
"""
WITH = "s.sendall(HELLO + envelope() + rcpt() + HEAD); s.sendmsg([raw('F', b'')], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [%s]))])" \
       "; s.sendall(GO)"
CLAIMS = {  # what is said, and the configuration: nothing is sent, nothing kept
    "another sender": ("s.sendall(HELLO + envelope() + rcpt() + HEAD + BODY + GO)", FORCED),
    "his own sender, another author": ("s.sendall(HELLO + envelope('al@isp.example') + rcpt() + raw('H', b'From: chief@isp.example\\n') + HEAD + BODY + GO)",
                                       FORCED),
    "too large": ("s.sendall(HELLO + envelope() + rcpt() + HEAD + raw('B', b'x' * 20000) + record('G', '20000', '1', '20000', '0', '0', '0'))",
                  {"localmacros": CONFIG["localmacros"] + "MESSAGE_SIZE_LIMIT = 10K\n"}),
    "a pipe for a body": (WITH % "os.pipe()[0]", {}),
    "a directory for a body": (WITH % "os.open('/', 0)", {}),
    "a body to write to only": (WITH % "os.open('/home/alice/w', os.O_WRONLY | os.O_CREAT)", {}),
    "a recipient with much behind it": ("s.sendall(HELLO + envelope() + rcpt(more='x' * 60000) + HEAD + BODY + GO)", {}),
    "a newline in the sender": ("s.sendall(HELLO + envelope('a@x\\nRCPT TO:<y@z>') + rcpt() + HEAD + BODY + GO)", {}),
    "a newline in a header": ("s.sendall(HELLO + envelope() + rcpt() + raw('H', b'A: b\\nBcc: y@z\\n') + HEAD + BODY + GO)", {}),
    "no end": ("s.sendall(HELLO + envelope() + rcpt() + HEAD + BODY)", {}),
    "more fields than a header has": ("s.sendall(HELLO + envelope() + rcpt() + HEAD * 10001 + BODY + GO)", {}),
    "more octets than an envelope has": ("s.sendall(HELLO + envelope() + record('R', 'x@far.example', 'x@far.example', '0', '0', 'rfc822;' + 'x' * 4000) * 1100"
                                         " + HEAD + BODY + GO)", {}),
    "no version": ("s.sendall(envelope() + rcpt() + HEAD + BODY + GO)", {}),
    "noise": ("s.sendall(os.urandom(4096))", {}),
    "a length of 4 GiB": ("s.sendall(HELLO + b'E' + b'\\xff' * 4)", {}),
    "the queue is run": ("s.sendall(HELLO + record('Q', '0'))", {}),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_is_checked(name):
    say, config = CLAIMS[name]
    seen = play({"argv": ["/usr/bin/python3", "-c", RECORDS + SAY % say], "user": "alice"}, servers=[SERVER], config=config)
    assert seen["steps"][0]["rc"] == 0, seen["steps"][0]
    assert not messages(seen) and not [path for path in seen["files"] if path.endswith(("-H", "-D"))], seen["steps"][0]
    assert SECRET not in seen["steps"][0]["stdout"]


def test_who_sends_is_what_the_kernel_says():
    say = "s.sendall(HELLO + envelope() + rcpt() + HEAD + BODY + GO)"
    seen = play({"argv": ["/usr/bin/python3", "-c", RECORDS + SAY % say], "user": "alice"}, servers=[SERVER])
    assert [m["mail"] for m in messages(seen)] == ["FROM:<chief@isp.example> AUTH=alice@debian"]
    assert " U=alice " in seen["mainlog"] and " U=root " not in seen["mainlog"]
