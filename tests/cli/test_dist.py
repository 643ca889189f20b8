"""dist/ as it is installed: where `make install` puts it, what the distribution's own checkers say of it, and that cron,
logrotate, ifupdown, NetworkManager and systemd, given it, do what it is for."""
import glob
import os
import re
import shutil
import stat
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import clock, sandbox  # noqa: E402

needs_sandbox = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))


def variables():
    """What the build under test was configured with."""
    with open(sandbox.build_dir() + "/Makefile", encoding="utf-8") as f:
        return dict(re.findall("(?m)^(prefix|sysconfdir|localstatedir|systemdsystemunitdir|systemduserunitdir) = (.*)$", f.read()))


UNIT_DIRECTORIES = ("/lib/systemd/system", "/usr/lib/systemd/system")       # Debian 12's systemd.pc says the first, later ones the other
UNITS = variables()["systemdsystemunitdir"] + "/"
USER_UNITS = ["%s/onehop-queue.%s" % (variables()["systemduserunitdir"], kind) for kind in ("service", "timer")]
DISPATCHER, IF_UP = "/usr/lib/NetworkManager/dispatcher.d/90-onehop", "/etc/network/if-up.d/onehop"
CRON, LOGROTATE = "/etc/cron.d/onehop", "/etc/logrotate.d/onehop"
APPARMOR = "/usr/share/doc/onehop/apparmor/onehop"
TMPFILES, SYSUSERS = "/usr/lib/tmpfiles.d/onehop.conf", "/usr/lib/sysusers.d/onehop.conf"
PROGRAMS = ["/usr/sbin/onehop"] + ["/usr/libexec/onehop/onehop-" + name for name in ("local", "sasl.so", "send", "tls.so")]
PAGES = ["/usr/share/man/man5/onehop%s.5" % name for name in (".conf", "-email-addresses", "-passwd.client")] + [
    "/usr/share/man/man8/onehop.8"]
INSTALLED = {**dict.fromkeys(PROGRAMS + [DISPATCHER, IF_UP], 0o755),
             **dict.fromkeys(PAGES + [CRON, LOGROTATE, TMPFILES, SYSUSERS, APPARMOR, *USER_UNITS], 0o644),
             **{UNITS + "onehop-" + name: 0o644 for name in (
                 "alarm.service", "alarm.timer", "online.path", "online.service", "queue.service", "queue.timer", "flush.service",
                 "local.socket", "local@.service", "smtp.socket", "smtp@.service", "submit.socket", "submit@.service")}}


def needs(tool):
    return pytest.mark.skipif(not shutil.which(tool), reason=tool + " is not installed")


# ---------------------------------------------------------------- make install
class Tree:
    """What the build under test installs below `root`."""

    def __init__(self, root):
        self.root = str(root)
        self.make("install")

    def make(self, target):
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        got = subprocess.run(["make", "-C", sandbox.build_dir(), target, "DESTDIR=" + self.root], env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        assert got.returncode == 0, got.stdout.decode()[-4000:]

    def files(self):
        """{path: mode} of what is no directory."""
        paths = [os.path.join(parent, name) for parent, _, names in os.walk(self.root) for name in names]
        return {path[len(self.root):]: stat.S_IMODE(os.lstat(path).st_mode) for path in paths}

    def text(self, path):
        with open(self.root + path, encoding="utf-8") as f:
            return f.read()

    def unit(self, name, key):
        return re.findall(r"(?m)^%s=(.*)$" % key, self.text(UNITS + name))


def unfit():
    """Why the build under test cannot be installed here as a distribution does it, or None."""
    made = variables()
    if [made[name] for name in ("prefix", "sysconfdir", "localstatedir")] != ["/usr", "/etc", "/var"]:
        return "configured for another place: ./configure --prefix=/usr"
    if made["systemdsystemunitdir"] not in UNIT_DIRECTORIES:
        return "configured without Debian's systemd"
    return None


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    if unfit():
        pytest.skip(unfit())
    return Tree(tmp_path_factory.mktemp("dist"))


def test_all_is_where_debian_looks_for_it(tree):
    assert tree.files() == INSTALLED
    log = os.stat(tree.root + "/var/log/onehop")
    assert stat.S_IMODE(log.st_mode) == 0o2750
    assert not [path for path in tree.files() if re.search("@[a-z]+@", tree.text(path) if path not in PROGRAMS else "")]


def test_make_uninstall(tree, tmp_path):
    assert tree.files()
    there = Tree(tmp_path)
    there.make("uninstall")
    assert there.files() == {} and not os.path.exists(there.root + "/var/log/onehop")


# ---------------------------------------------------------------- what the checkers say
def play(tree, *steps, packages=(), binds=None, files=None, servers=()):
    """A machine with the tree installed."""
    return sandbox.run_case({"packages": [tree.root, *packages], "steps": list(steps), "servers": list(servers),
                             "config": {"users": {"onehop": {"uid": 110, "home": "/var/spool/onehop", "mkhome": False}},
                                        "files": files or {}}}, binds=binds)


def shell(script, **more):
    return {"argv": ["/bin/sh", "-c", script], **more}


@needs("systemd-analyze")
@needs_sandbox
def test_systemd_analyze_verify(tree):
    units = [os.path.basename(path) for path in INSTALLED if path.startswith(UNITS)]
    verify = [{"argv": ["/usr/bin/systemd-analyze", "--man=no", "verify", "/etc/systemd/system/" + unit]} for unit in sorted(units)]
    verify += [{"argv": ["/usr/bin/systemd-analyze", "--user", "--man=no", "verify", unit], "env": {"XDG_RUNTIME_DIR": "/tmp", "HOME": "/root"}} for unit in USER_UNITS]
    wrong = {"write": {"/run/systemd/system/wrong.service": {"content": "[Service]\nExecStart=/usr/sbin/onehop\nNicer=5\n"}}}
    verify += [wrong, {"argv": ["/usr/bin/systemd-analyze", "--man=no", "verify", "/run/systemd/system/wrong.service"]}]
    seen = play(tree, *verify, binds={tree.root + UNITS.rstrip("/"): "/etc/systemd/system"})["steps"]
    assert [(s["argv"][-1], s["rc"], s["stdout"], s["stderr"]) for s in seen[:-1]] == [
        (unit, 0, "", "") for unit in ["/etc/systemd/system/" + unit for unit in sorted(units)] + USER_UNITS]
    assert "Nicer" in seen[-1]["stderr"]


def test_a_users_own_queue_has_a_timer(tree):
    """systemctl --user enable --now onehop-queue.timer."""
    service, timer = (tree.text(unit) for unit in USER_UNITS)
    assert "\nExecStart=/usr/sbin/onehop -q\n" in service and "\nConditionPathExists=%E/onehop/onehop.conf\n" in service
    assert "\nOnUnitActiveSec=15min\n" in timer and timer.endswith("[Install]\nWantedBy=timers.target\n")


# What systemd makes of what a unit may do: 0 nothing, 10 all.  local@ runs the commands of users' .forward files: all that
# it gives up they lose (systemd/test_user_commands.py).
EXPOSURE = {"flush.service": 6.4, "queue.service": 6.4, "local@.service": 9.6, "alarm.service": 1.7, "online.service": 1.3,
            "smtp@.service": 1.7, "submit@.service": 1.7}


@needs("systemd-analyze")
def test_systemd_analyze_security(tree, tmp_path):
    assert {name for name in (path.rpartition("/onehop-")[2] for path in INSTALLED) if name.endswith(".service")} == set(EXPOSURE)
    for name, most in EXPOSURE.items():
        unit = str(tmp_path) + "/onehop-" + name.replace("@.", "@1.")
        shutil.copy(tree.root + UNITS + "onehop-" + name, unit)
        got = subprocess.run(["systemd-analyze", "--no-pager", "security", "--offline=true", unit], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, check=False)
        figure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", got.stdout)
        assert figure and float(figure[1]) <= most, (name, got.stdout[-600:])


def test_apparmor_parser(tree, tmp_path):
    try:
        (package,) = sandbox.packages("apparmor")
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    (parser,) = glob.glob(package + "/sbin/apparmor_parser") + glob.glob(package + "/usr/sbin/apparmor_parser")

    def parse(text):
        (tmp_path / "onehop").write_text(text, encoding="ascii")
        return subprocess.run([parser, "-Q", "-K", "--base", package + "/etc/apparmor.d", "--config-file=/dev/null",
                               str(tmp_path) + "/onehop"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    good = parse(tree.text(APPARMOR))
    assert good.returncode == 0, good.stdout
    assert parse(tree.text(APPARMOR).replace("capability", "capacity")).returncode != 0


def test_the_apparmor_profiles_name_what_is_installed(tree):
    named = re.findall(r"(?m)^profile \S+ (/\S+) {", tree.text(APPARMOR))
    assert set(named) - set(PROGRAMS) == {"/usr/libexec/onehop/onehop-post"} and "/usr/libexec/onehop/onehop-local Ux," in tree.text(APPARMOR)


def test_the_units_manual_pages(tree):
    pages = [page for path in INSTALLED if path.startswith(UNITS) for page in tree.unit(os.path.basename(path), "Documentation")]
    assert pages and {re.sub(r"man:(.*)\((.)\)", r"/usr/share/man/man\2/\1.\2", page) for page in pages} <= set(PAGES)


@needs("shellcheck")
def test_shellcheck(tree):
    commands = re.findall(r"(?m)^(?:@reboot|\S+ \S+ \S+ \S+ \S+) root (.*)$", tree.text(CRON))
    assert len(commands) == 2
    for script in [tree.text(DISPATCHER), tree.text(IF_UP)] + ["#!/bin/sh\n" + command + "\n" for command in commands]:
        got = subprocess.run(["shellcheck", "-"], input=script.encode(), stdout=subprocess.PIPE, check=False)
        assert (got.returncode, got.stdout) == (0, b"")


@needs("systemd-sysusers")
@needs("systemd-tmpfiles")
@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
def test_user_and_directories(tree, tmp_path):
    """Also where root has made a spool before there was the user."""
    root = str(tmp_path)
    for directory in "/etc", "/var/log", "/var/spool/onehop/input":
        os.makedirs(root + directory)
    with open(root + "/etc/group", "w", encoding="ascii") as f:
        f.write("root:x:0:\nadm:x:4:\n")
    with open(root + "/var/spool/onehop/input/1vNaKG-000001-2A-D", "w", encoding="ascii"):
        pass
    shutil.copytree(tree.root + "/usr/lib", root + "/usr/lib")
    for tool in ["systemd-sysusers"], ["systemd-tmpfiles", "--create"]:
        got = subprocess.run([*tool, "--root=" + root], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert got.returncode == 0 and b"onehop.conf" not in got.stderr, got.stderr
    with open(root + "/etc/passwd", encoding="ascii") as f:
        (user,) = [line.split(":") for line in f if line.startswith("onehop:")]
    uid, gid = int(user[2]), int(user[3])
    assert uid and user[5:] == ["/var/spool/onehop", "/usr/sbin/nologin\n"]
    with open(root + "/etc/passwd", encoding="ascii") as f:
        (network,) = [line.split(":") for line in f if line.startswith("onehop-net:")]
    assert int(network[2]) not in (0, uid) and int(network[3]) not in (0, gid) and network[5:] == ["/", "/usr/sbin/nologin\n"]

    def owned(path):
        st = os.lstat(root + path)
        return st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)
    assert owned("/var/spool/onehop") == (uid, gid, 0o750)
    assert owned("/var/log/onehop") == (uid, 4, 0o2750)
    assert owned("/var/spool/onehop/input")[:2] == owned("/var/spool/onehop/input/1vNaKG-000001-2A-D")[:2] == (uid, gid)


# ---------------------------------------------------------------- logrotate
MAIL = "Subject: s\n\nbody\n"
LOG = "/var/log/onehop/mainlog"
# One SMTP session, with a rotation between its two messages.
SESSION = r"""
import subprocess
p = subprocess.Popen(["/usr/sbin/onehop", "-bs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
def say(*lines):
    for line in lines:
        p.stdin.write(line + "\r\n")
        p.stdin.flush()
        while p.stdout.readline()[3] == "-":
            pass
p.stdout.readline()
say("EHLO debian")
for name in "third", "fourth":
    say("MAIL FROM:<alice@debian>", "RCPT TO:<%s@far.example>" % name, "DATA")
    say("Subject: s\r\n\r\nbody\r\n.")
    if name == "third":
        subprocess.run(["/run/sbin/logrotate", "-f", "-s", "/var/tmp/state", "/etc/logrotate.d/onehop"], check=True)
say("QUIT")
"""


@needs("logrotate")
@needs_sandbox
def test_logrotate(tree):
    def send(to):
        return {"argv": ["/usr/sbin/onehop", "-f", "alice@debian", to + "@far.example"], "stdin": MAIL}
    rotate = {"argv": ["/run/sbin/logrotate", "-v", "-f", "-s", "/var/tmp/state", LOGROTATE]}
    tell = shell("cd /var/log/onehop; for f in *; do echo; echo \"# $f $(stat -c '%U:%G %a' $f)\"; zcat -f $f; done")
    seen = play(tree, {"argv": ["/run/sbin/logrotate", "-d", LOGROTATE]}, send("first"), rotate, send("second"), tell,
                {"argv": ["/usr/bin/python3", "-c", SESSION]}, tell, servers=[{}],
                files={"/var/log/onehop": {"dir": True, "owner": "onehop", "group": "adm", "mode": "2750"}})["steps"]
    assert [(s["rc"], re.findall("(?i).*error.*", s["stderr"])) for s in seen] == [(0, [])] * len(seen), seen

    def found(step):
        """{(file, owner, mode): who the messages in it are to}"""
        return {tuple(part.split("\n", 1)[0].split()): re.findall(r" => (\w+)@", part)
                for part in step["stdout"].split("\n# ")[1:]}
    assert found(seen[4]) == {("mainlog", "onehop:adm", "640"): ["second"], ("mainlog.1", "onehop:adm", "640"): ["first"]}
    assert found(seen[6]) == {("mainlog", "onehop:adm", "640"): ["fourth"],
                              ("mainlog.1", "onehop:adm", "640"): ["second", "third"],
                              ("mainlog.2.gz", "onehop:adm", "640"): ["first"]}


# ---------------------------------------------------------------- the network comes up
LATER, SLOW = {"rcpt": "451 4.2.0 later"}, {"greeting": ["SLEEP 3", "220 post"]}
DEFERRED = {"argv": ["/usr/sbin/onehop", "-f", "alice@debian", "x@far.example"], "stdin": MAIL}
HOW_MANY = {"argv": ["/usr/sbin/onehop", "-bpc"]}
SYSTEMD = {"/run/systemd/system": {"dir": True}}
SYSTEMCTL = "#!/bin/sh\necho \"$*\" >>/tmp/systemctl\nexit %d\n"
NM_ENV = {"CONNECTION_UUID": "c5d1e3f0", "CONNECTION_ID": "home", "DEVICE_IFACE": "v0", "DEVICE_IP_IFACE": "v0",
          "CONNECTIVITY_STATE": "UNKNOWN", "NM_DISPATCHER_ACTION": "up", "HOME": None, "USER": None, "LOGNAME": None, "LANG": None,
          "TERM": None}
# (arguments, what NetworkManager's CONNECTIVITY_STATE says, is it a reason for a queue run?)
NM_CALLS = [(["v0", "up"], "UNKNOWN", True), (["tun0", "vpn-up"], "UNKNOWN", True), (["none", "connectivity-change"], "FULL", True),
            (["none", "connectivity-change"], "LIMITED", False), (["none", "connectivity-change"], "PORTAL", False),
            (["v0", "pre-up"], "UNKNOWN", False), (["v0", "down"], "FULL", False), (["none", "hostname"], "FULL", False),
            (["v0", "dhcp4-change"], "FULL", False), ([], "FULL", False)]


def counts(seen):
    return [s["stdout"].strip() for s in seen["steps"] if s["argv"] == HOW_MANY["argv"]]


@needs_sandbox
def test_networkmanager_dispatcher(tree):
    steps, wanted = [], []
    for words, state, goes in NM_CALLS:
        steps += [] if wanted[-1:] == ["1"] else [DEFERRED]
        steps += [{"argv": [DISPATCHER, *words], "env": {**NM_ENV, "CONNECTIVITY_STATE": state}}, HOW_MANY]
        wanted.append("0" if goes else "1")
    seen = play(tree, *steps, servers=[{"sessions": [LATER, {}] * 3 + [LATER]}])
    assert counts(seen) == wanted, seen["steps"]
    assert {(s["rc"], s["stdout"], s["stderr"]) for s in seen["steps"] if s["argv"][0] == DISPATCHER} == {(0, "", "")}
    assert sum(len(c["messages"]) for c in seen["smtp"]) == 3


@pytest.mark.parametrize("hook", [DISPATCHER, IF_UP])
@needs_sandbox
def test_a_hook_does_not_hold_up_others(tree, hook):
    seen = play(tree, DEFERRED, shell("%s v0 up; /usr/sbin/onehop -bpc" % hook, env={"IFACE": "v0", "PHASE": "post-up"}), HOW_MANY,
                servers=[{"sessions": [LATER, SLOW]}])
    assert seen["steps"][1]["stdout"] == "1\n" and counts(seen) == ["0"]


@pytest.mark.parametrize("hook", [DISPATCHER, IF_UP])
@pytest.mark.parametrize("status", [0, 1])
@needs_sandbox
def test_a_hook_leaves_the_run_to_systemd(tree, hook, status):
    """Where systemd is and takes it."""
    systemctl = {"/usr/sbin/systemctl": {"content": SYSTEMCTL % status, "mode": "0755"}}
    seen = play(tree, DEFERRED, {"argv": [hook, "v0", "up"], "env": {"IFACE": "v0"}}, HOW_MANY, shell("cat /tmp/systemctl"),
                servers=[{"sessions": [LATER, {}]}], files={**SYSTEMD, **systemctl})
    assert counts(seen) == ["0" if status else "1"]
    assert seen["steps"][-1]["stdout"] == "--no-block start onehop-online.service\n"
    (run,) = tree.unit("onehop-online.service", "OnSuccess")
    assert UNITS + run in INSTALLED and tree.unit(run, "ExecStart") == ["/usr/sbin/onehop -qf"]


@needs_sandbox
def test_ifup(tree):
    """ifupdown's own, with the loopback interface and another."""
    try:
        (ifupdown,) = sandbox.packages("ifupdown")
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    files = {"/etc/network/interfaces": {"content": "iface lo inet loopback\niface v0 inet manual\n"}, "/run/network": {"dir": True},
             "/etc/network/if-pre-up.d": {"dir": True}}
    (programs,) = glob.glob(ifupdown + "/sbin") + glob.glob(ifupdown + "/usr/sbin")
    seen = play(tree, DEFERRED, {"argv": ["/opt/ifupdown/ifup", "lo"]}, HOW_MANY, {"argv": ["/opt/ifupdown/ifup", "v0"]}, HOW_MANY,
                servers=[{"sessions": [LATER, {}]}], files=files, binds={programs: "/opt/ifupdown"})
    assert [(s["rc"], s["stderr"]) for s in seen["steps"]] == [(0, "")] * 5, seen["steps"]
    assert counts(seen) == ["1", "0"]


# ---------------------------------------------------------------- cron
PAM = "".join("%s required pam_permit.so\n" % kind for kind in ("auth", "account", "session"))
CRON_FILES = {"/etc/pam.d/cron": {"content": PAM}, "/var/spool/cron/crontabs": {"dir": True}}
# Until the queue has so many messages, then cron ends; inside.py's limit is the end of a wait in vain.
UNTIL = "cron -f & until [ \"$(/usr/sbin/onehop -bpc)\" = %d ]; do sleep 0.2; done; kill $!; wait $! 2>/dev/null || test $? = 143"
JOB = "echo 'the disk is full'; kill $(cat /run/crond.pid)"


def with_cron(tree, *steps, files=None, **more):
    try:
        return play(tree, *steps, packages=["cron"], binds=clock.BINDS, files={**CRON_FILES, **(files or {})}, **more)
    except sandbox.Unavailable as e:
        return pytest.skip(str(e))


def as_systemd_runs(tree, unit):
    """The unit's command with its umask, powers and environment."""
    (command,), (umask,), (caps,) = (tree.unit(unit, key) for key in ("ExecStart", "UMask", "CapabilityBoundingSet"))
    powers = "-all," + ",".join("+" + cap.removeprefix("CAP_").lower() for cap in caps.split())
    env = {"HOME": None, "USER": None, "LOGNAME": None, "TERM": None, "INVOCATION_ID": "0123456789abcdef0123456789abcdef",
           "JOURNAL_STREAM": "8:12345", "SYSTEMD_EXEC_PID": "1", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"}
    return shell("umask %s; exec setpriv --bounding-set %s -- %s" % (umask, powers, command), env=env)


@needs_sandbox
def test_a_cron_job_with_the_smarthost_down(tree):
    """Its mail waits, and is seen to wait; the timer's command delivers it when the server is back and it is time.  What
    waits for a user of this host needs no server, but the powers that the unit leaves."""
    run, mailq = as_systemd_runs(tree, "onehop-queue.service"), {"argv": ["/usr/bin/env", "mailq"]}
    crontab = {"/etc/crontab": {"content": "@reboot root %s\n" % JOB}, "/etc/aliases": {"content": "root: admin@far.example\n"}}
    local = {"argv": ["/usr/sbin/onehop", "-odq", "-f", "alice@debian", "fax@debian"], "stdin": MAIL}
    seen = with_cron(tree, clock.PRELOADED, shell("cron -f || test $? = 143"), mailq, local, run, HOW_MANY, {"new_servers": [{}]}, run, HOW_MANY,
                     clock.later(16 * 60), run, mailq, run, files={**SYSTEMD, **crontab})
    steps = seen["steps"]
    assert [s["rc"] for s in steps] == [0] * len(steps), steps
    assert re.fullmatch(r" 0m +\S+ \S{16} <root@debian>\n +root@debian\n +last error for root@debian: .*: Connection refused\n"
                        r" +next try for root@debian: \S+ \S+\n\n", steps[2]["stdout"]), steps[2]["stdout"]
    assert counts(seen) == ["1", "1"] and steps[-2]["stdout"] == ""
    assert [s["stdout"] + s["stderr"] for s in steps if s["argv"] == run["argv"]] == [""] * 4
    (message,) = [m for c in seen["smtp"] for m in c["messages"]]
    assert [r[0] for r in message["rcpt"]] == ["TO:<admin@far.example>"]
    assert "Subject: Cron <root@debian> " in message["data"] and message["data"].endswith("\r\n\r\nthe disk is full\r\n")
    assert len([path for path in seen["files"] if re.match("/home/fax/Maildir/new/.", path)]) == 1 and seen["mainlog"].count(" Completed\n") == 2


@needs_sandbox
def test_the_cron_fragment(tree):
    """Real cron, on a host without systemd: at the start of cron what is due, and again at a quarter of an hour."""
    queued = {"argv": ["/usr/sbin/onehop", "-odq", "-f", "alice@debian", "y@far.example"], "stdin": MAIL}
    quarter = shell("now=$(date +%s); echo $((900 - now % 900 + 900 + 896)) 0 >/etc/clock")
    seen = with_cron(tree, clock.PRELOADED, DEFERRED, queued, shell(UNTIL % 1), quarter, shell(UNTIL % 0), servers=[{"sessions": [LATER, {}]}])
    steps = seen["steps"]
    assert [s["rc"] for s in steps] == [0] * len(steps), steps
    assert [s["stdout"] + s["stderr"] for s in steps] == [""] * len(steps)
    assert [m["rcpt"][0][0] for c in seen["smtp"] for m in c["messages"]] == ["TO:<y@far.example>", "TO:<x@far.example>"]


def test_the_timer(tree):
    assert tree.unit("onehop-queue.timer", "OnUnitActiveSec") == ["15min"] and tree.unit("onehop-queue.timer", "Unit") == []
    assert tree.unit("onehop-queue.service", "ExecStart") == ["/usr/sbin/onehop -q"]
