"""The process that talks to the network: what the kernel says of it while a server holds it, and that neither its end nor a
kernel that cannot confine it costs a mail."""
import ctypes
import errno
import glob
import os
import pwd
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import post as posts, sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")


@pytest.fixture(name="filtered")
def a_build_with_a_filter():
    if sandbox.sanitized():
        pytest.skip("a build with sanitizers has no filter")


def text(path):
    try:
        with open(path, encoding="latin-1") as f:
            return f.read()
    except OSError:
        return ""


def status(pid):
    return dict(re.findall(r"(?m)^(\w+):\t(.*)$", text("/proc/%d/status" % pid)))


def senders(post):
    """The numbers of onehop-send and, with it as its parent, of the network's process."""
    pids = [int(p.split("/")[2]) for p in glob.glob("/proc/[0-9]*/cmdline")
            if "onehop-send\0-C\0" + post.directory in text(p)]
    child = [p for p in pids if int(status(p)["PPid"]) in pids]
    return [p for p in pids if p not in child], child


def while_held(post, step, act):
    """A rule that does act(parents, children) at this step, once."""
    begun, seen = [], []

    def rule(_line):
        if not begun:
            begun.append(step)          # before it, for what it ends is started again at once
            seen.append(act(*senders(post)))
        return "220 post" if step == "greeting" else "250 2.0.0 ok"
    post.rules[step] = rule
    return seen


def look(_parents, children):
    (child,) = children
    # who may not be traced has files of root's there, whoever he is
    assert os.stat("/proc/%d/environ" % child).st_uid == 0
    held = sorted(os.readlink(fd).split(":")[0] for fd in glob.glob("/proc/%d/fd/*" % child))
    return status(child), held, text("/proc/%d/limits" % child)


def user():
    """Who it is on this machine: user and group."""
    for name in "onehop-net", "onehop", "nobody":
        try:
            return pwd.getpwnam(name)[2:4]
        except KeyError:
            pass
    return 65534, 65534


def has_no_rights(found, uid, gid):
    assert (found["Uid"].split(), found["Gid"].split(), found["Groups"].split()) == ([str(uid)] * 4, [str(gid)] * 4, []), found
    assert [int(found[c], 16) for c in ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd")] == [0] * 5, found


ELSEWHERE = 'mount --bind "$0" /etc/passwd && exec "$@"'


def caught(post, *before, **how):
    """What the kernel says of it while the server holds it, and what was said."""
    seen = while_held(post, "dot", lambda parents, children: [status(c) for c in children])
    r = subprocess.run([*before, sandbox.programs()["onehop"], "-C", post.directory + "/onehop.conf", "-d", "a@far.example"],
                       input=b"Subject: s\n\nbody\n", capture_output=True, check=False, timeout=60, **how)
    said = (r.stdout + r.stderr).decode("latin-1")
    if re.search("unshare: |mount: |setpriv: ", said):
        pytest.skip(said)
    return r.returncode, [s for some in seen for s in some], said


@pytest.mark.parametrize("users, who", [
    ("onehop-net:x:4711:4712::/:\nonehop:x:4713:4714::/:\n", ("onehop-net", 4711, 4712)), ("onehop:x:4713:4714::/:\n", ("onehop", 4713, 4714)),
    ("nobody:x:4715:4716::/:\n", ("nobody", 4715, 4716)), ("", ("65534", 65534, 65534)),
    ("onehop-net:x:0:0::/:\nonehop:x:4713:4714::/:\n", ("onehop", 4713, 4714))], ids=["its own", "onehop", "nobody", "no user", "root by another name"])
def test_whom_root_becomes(post, tmp_path, users, who):
    """It was root, with all capabilities, for cron and the queue timer."""
    (tmp_path / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n" + users)
    rc, found, said = caught(post, "unshare", "--mount", "sh", "-c", ELSEWHERE, tmp_path / "passwd")
    assert rc == 0 and len(post.mails) == 1 and any("confinement: user %s, no capability" % name in said for name in {who[0], "nobody" if who[1] == 65534 else who[0]}), said
    has_no_rights(found[0], *who[1:])


def test_a_namespace_of_root_alone(post):
    """A container with one user: root there is who made it, and nobody else can be become."""
    rc, found, said = caught(post, "unshare", "--user", "--map-root-user")
    assert rc == 0 and len(post.mails) == 1 and "uid 0, who called (there is nobody else to become), no capability" in said, said
    assert [int(found[0][c], 16) for c in ("CapEff", "CapPrm")] == [0, 0]


@pytest.mark.parametrize("lacks", ["setuid", "setgid", "setuid,-setgid", "all"])
def test_root_who_cannot_become_another(post, lacks):
    """A container's root, as docker's --cap-drop=ALL leaves it: it keeps its number, and nothing else of root's."""
    rc, found, said = caught(post, "setpriv", "--bounding-set=-" + lacks)
    assert rc == 0 and len(post.mails) == 1 and "uid 0, who called (there is nobody else to become), no capability" in said, said
    assert [int(found[0][c], 16) for c in ("CapEff", "CapPrm")] == [0, 0]


def test_root_without_the_rest(post):
    """The unit of the queue run has no CAP_SETPCAP: what bounds cannot be made less, and does not matter."""
    rc, found, said = caught(post, "setpriv", "--bounding-set=-setpcap")
    assert rc == 0 and len(post.mails) == 1, said
    assert int(found[0]["CapEff"], 16) == int(found[0]["CapPrm"], 16) == 0 and found[0]["Uid"].split() == [str(user()[0])] * 4


def test_programs_where_others_may_not_look(post, tmp_path):
    """A tree of root's own: what is loaded later is found before nobody else can find it."""
    tree = tmp_path / "hidden"
    tree.mkdir(mode=0o700)
    for name, path in sandbox.programs().items():
        shutil.copy(path, tree / name)
    for name in "onehop-tls.so", "onehop-sasl.so":
        shutil.copy(os.path.join(sandbox.build_dir(), name), tree / name)
    post.ehlo = ["250-post", "250 STARTTLS"]
    r = subprocess.run([tree / "onehop", "-C", post.directory + "/onehop.conf", "-v", "a@far.example"],
                       input=b"Subject: s\n\nbody\n", capture_output=True, check=False, timeout=60)
    assert r.returncode == 0 and b"STARTTLS" in r.stderr and b"cannot load" not in r.stderr, r.stderr
    assert "cannot load" not in post.mainlog()


class Knows(posts.Handler):
    """Takes mail over TLS only from whom its authority knows."""

    def starttls(self):
        self.say("220 go")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.post.directory + "/127.crt", self.server.post.directory + "/127.key")
        context.load_verify_locations(sandbox.certificates() + "/ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        self.request = context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        self.server.post.known.append(dict(x[0] for x in self.request.getpeercert()["subject"])["commonName"])


@pytest.mark.parametrize("key", ["key", "", None], ids=["key apart", "key in the same file", "no key"])
def test_files_that_only_root_may_read(tmp_path, key):
    """What the tls_ options name is read before root's rights are given up, and nothing of it is the other user's to open."""
    certs, own = sandbox.certificates(), tmp_path / "own"
    own.mkdir(mode=0o700)
    post = posts.Post(own)
    post.down()
    post.handler, post.known, post.ehlo = Knows, [], ["250-post", "250-STARTTLS", "250 8BITMIME"]
    post.port = 0
    post.up()
    make = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout 127.key -out 127.csr -subj /CN=me.example && " \
           "printf subjectAltName=IP:127.0.0.1 >127.ext && " \
           "openssl x509 -req -in 127.csr -CA $0/ca.crt -CAkey $0/ca.key -set_serial 99 -days 30 -out 127.crt -extfile 127.ext && " \
           "cp $0/ca.crt trust.crt && cat 127.crt 127.key >both.pem && chmod 600 *.key *.crt *.pem"
    subprocess.run(["sh", "-ec", make, certs], cwd=own, check=True, stderr=subprocess.DEVNULL)
    client = {} if key is None else {"tls_certificate": own / "127.crt", "tls_privatekey": own / "127.key"} if key else {"tls_certificate": own / "both.pem"}
    post.configure(tls_verify="yes", tls_trust_file=own / "trust.crt", **client)
    assert post.sendmail("a@far.example").returncode == 0
    post.down()
    if key is None:
        assert not post.mails and not post.known
    else:
        assert len(post.mails) == 1 and post.known == ["me.example"] and " CV=yes " in post.mainlog(), post.mainlog()


@pytest.mark.usefixtures("filtered")
@pytest.mark.parametrize("lines", [1, 1500])
def test_what_the_kernel_says(post, lines):
    seen = while_held(post, "dot", look)
    assert post.sendmail("a@far.example", stdin="Subject: s\n\n" + ("x" * 900 + "\n") * lines).returncode == 0
    ((found, held, limits),) = seen
    assert (found["Seccomp"], found["NoNewPrivs"]) == ("2", "1")
    has_no_rights(found, *user())
    # nothing of the spool, the log or the caller: three times nothing, the parent, the server, a large message's text
    text_held = [fd for fd in held if fd not in ("/dev/null", "socket")]
    assert held.count("/dev/null") == 3 and held.count("socket") == 2
    assert len(text_held) == (lines > 1) and all("deleted" in fd or "/input/" in fd for fd in text_held)
    for limit in ("core file size", "file size"):
        assert re.search(r"Max %s +0 +0 " % limit, limits)


@pytest.mark.parametrize("step", ["greeting", "mail", "dot"])
@pytest.mark.parametrize("how", [signal.SIGSYS, signal.SIGKILL])
def test_its_end_keeps_the_mail(post, step, how):
    while_held(post, step, lambda _, children: os.kill(children[0], how))
    assert post.sendmail("a@far.example").returncode == 0
    # what ends before the message is there is started again with it
    if step == "greeting":
        assert len(post.mails) == 1 and post.input() == []
    else:
        assert post.input() == ["D", "H"]
    assert ("its filter forbids" if how == signal.SIGSYS else "killed by signal 9") in post.mainlog()
    if step != "greeting":
        assert post.sendmail("-qf", stdin="").returncode == 0
        assert post.input() == [] and post.mails


def test_it_ends_with_its_parent(post):
    children = []

    def end_parent(parents, found):
        children.extend(found)
        os.kill(parents[0], signal.SIGKILL)
    while_held(post, "greeting", end_parent)
    got = post.sendmail("a@far.example")
    post.until(lambda: not any(status(p).get("State", "Z")[0] != "Z" for p in children))
    assert len(children) == 1 and len(post.mails) == (got.returncode == 0)      # onehop may have asked once more


@pytest.mark.usefixtures("filtered")
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
def test_a_kernel_without(post, error):
    calls = ["seccomp", "landlock_create_ruleset", "prctl"]
    trace = ["strace", "-f", "-qq", "-o", post.directory + "/calls", "-e", "trace=" + ",".join(calls)]
    for call in calls[:2]:
        trace += ["-e", "inject=%s:error=%s" % (call, error)]
    got = subprocess.run([*trace, sandbox.programs()["onehop"], "-C", post.directory + "/onehop.conf", "-d", "a@far.example"],
                         input=b"Subject: s\n\nbody\n", stderr=subprocess.PIPE, check=False, timeout=60)
    assert got.returncode == 0 and len(post.mails) == 1
    said = got.stderr.decode()
    assert "confinement: no Landlock here: " in said and "confinement: no system call filter here: " in said
    assert text(post.directory + "/calls").count("(INJECTED)") == 2


@pytest.mark.usefixtures("filtered")
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("call, said", [
    (None, None), ("seccomp", "no system call filter here"), ("landlock_create_ruleset", "no Landlock here"),
    ("landlock_restrict_self", "no Landlock here")])
def test_what_a_machine_has(post, call, said):
    """-bV says which parts there are, each in a line, and it is no fault of the configuration when one is not."""
    trace = ["strace", "-f", "-qq", "-o", "/dev/null", *(["-e", "inject=%s:error=ENOSYS" % call] if call else [])]
    got = subprocess.run([*trace, sandbox.programs()["onehop"], "-C", post.directory + "/onehop.conf", "-bV"],
                         capture_output=True, check=False, timeout=60)
    lines = re.findall(r"(?m)^confinement: (.*)$", got.stdout.decode())
    has_landlock = ctypes.CDLL(None).syscall(444, None, 0, 1) > 0         # landlock_create_ruleset: its version
    assert (got.returncode, got.stderr) == (0, b"") and lines[0] == "no_new_privs"
    assert re.fullmatch("user (onehop-net|onehop|nobody|65534), no capability", lines[2])
    for part, at in (("Landlock", 1), ("system call filter", 3)):
        missing = said is not None and part in said or part == "Landlock" and not has_landlock
        assert lines[at].startswith("no %s here: " % part if missing else part), lines


# ---------------------------------------------------------------- the process that has been taken over
# In the place of the library that TLS is in, so that it runs where a server's octets would: what it can do, said as a line of the log.
TAKEN = r"""
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char answer[65536];
static size_t
ask(char letter, const char *fields, size_t n)
{
	unsigned size = htonl((unsigned)n);

	if (write(3, &letter, 1) != 1 || write(3, &size, 4) != 4 || write(3, fields, n) != (ssize_t)n || letter == 'T')
		return 0;
	if (read(3, answer, 1) != 1 || read(3, &size, 4) != 4)
		_exit(1);
	n = ntohl(size);
	for (size_t at = 0; at < n;) {
		ssize_t got = read(3, answer + at, n - at);

		if (got <= 0)
			_exit(1);
		at += (size_t)got;
	}
	return n;
}

__attribute__((constructor)) static void
probe(void)
{
	static const char S[] = "localhost\0smtp.work.example", N[] = "elsewhere.example\0" "0\0" "25\0" "0";
	int pair[2], unix_errno = socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0;
	int pair_errno = socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ? errno : 0;
	char line[512];
	size_t n = ask('S', S, sizeof S);
	int secret = memmem(answer, n, "of-another-host", 15) != NULL, own = memmem(answer, n, "of-this-host", 12) != NULL;
	int name;

	n = ask('N', N, sizeof N);
	name = memmem(answer, n, "another name", 12) != NULL;
	n = (size_t)snprintf(line, sizeof line, "0PROBE socket %d pair %d another's login %d own login %d another name refused %d", unix_errno, pair_errno, secret, own, name);
	(void)ask('T', line, n);
	_exit(0);
}
"""


@pytest.fixture(name="taken")
def a_library_of_ours():
    """onehop's programs with the library, where everybody may read."""
    if not shutil.which("cc"):
        pytest.skip("there is no C compiler")
    place = tempfile.mkdtemp()
    os.chmod(place, 0o755)
    subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", place + "/onehop-tls.so", "-x", "c", "-"], input=TAKEN.encode(), check=True)
    for name in "onehop", "onehop-send":
        shutil.copy(sandbox.programs()[name], place)
    yield place
    shutil.rmtree(place)


@pytest.mark.skipif(sandbox.sanitized(), reason="a build with sanitizers has no filter, and no library of ours")
@pytest.mark.parametrize("passwords, own", [("smtp.work.example:work:of-another-host\n", 0),
                                            ("smtp.work.example:work:of-another-host\nlocalhost:me:of-this-host\n", 1)], ids=["another's", "both"])
def test_what_a_server_that_took_it_over_has(post, taken, passwords, own):
    """No unix socket, so no door of onehop's or systemd's; no login but that of the name that the administrator wrote; no other name looked up."""
    with open(post.directory + "/passwd.client", "w", encoding="ascii") as f:
        f.write(passwords)
    post.configure(smarthost="localhost::%d" % post.server.server_address[1], tls="implicit", tls_verify="no")
    subprocess.run([taken + "/onehop", "-C", post.directory + "/onehop.conf", "x@far.example"], input=b"Subject: s\n\nbody\n", capture_output=True, check=False,
                   timeout=60)
    (line,) = {line[line.index("PROBE"):] for line in post.mainlog().splitlines() if "PROBE" in line}
    assert line == ("PROBE socket %d pair %d another's login 0 own login %d another name refused 1" % (errno.EAFNOSUPPORT, errno.EPERM, own)), line
