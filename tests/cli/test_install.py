"""What configure decides and says, and what make builds again for another --prefix and installs."""
import os
import re
import shutil
import stat
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
pytestmark = [
    pytest.mark.skipif(not os.access(TOP + "/configure", os.X_OK), reason="there is no configure"),
    pytest.mark.skipif(os.path.exists(TOP + "/config.status"), reason="the source is configured in place: make distclean"),
    pytest.mark.skipif("-fsanitize" in open(sandbox.build_dir() + "/Makefile", encoding="utf-8").read(), reason="the same with sanitizers")]


class Build:
    """A build directory; configure remembers from call to call what the compiler can do."""

    def __init__(self, place):
        self.place = str(place)

    def run(self, *argv, umask=0o022):
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR")}
        got = subprocess.run(argv, cwd=self.place, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, check=False, preexec_fn=lambda: os.umask(umask))
        assert got.returncode == 0, got.stdout[-4000:]
        return got.stdout

    def configure(self, *words):
        """{what: where} of its last lines"""
        said = self.run(TOP + "/configure", "-C", "CFLAGS=-O0", "--disable-hardening", *words)
        return dict(re.findall(r"(?m)^  (\S.*?)  +(\S.*)$", said.partition("\ninstalled are\n")[2]))

    def made(self):
        """{name: when} of the objects"""
        return {os.path.relpath(os.path.join(d, n), self.place): os.stat(os.path.join(d, n)).st_mtime_ns
                for d, _, names in os.walk(self.place) for n in names if n.endswith(".o")}


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    return Build(tmp_path_factory.mktemp("build"))


LATER = "no (for the system alone, --sysconfdir=/etc)"
HOOKS = "cron, ifupdown and logrotate in %s, NetworkManager"


@pytest.mark.parametrize("words, units, hooks", [
    ([], LATER, LATER),
    (["--sysconfdir=/etc"], "/usr/local/lib/systemd/system", HOOKS % "/etc"),
    (["--prefix=/usr"], "/usr/lib/systemd/system", HOOKS % "/etc"),
    (["--prefix=/opt/x", "--sysconfdir=/etc"],
     "no (systemd looks for none below /opt/x: --with-systemdsystemunitdir=/etc/systemd/system)", HOOKS % "/etc"),
    (["--prefix=/opt/x", "--with-systemdsystemunitdir=/a/b", "--enable-hooks"], "/a/b", HOOKS % "/opt/x/etc"),
    (["--prefix=/usr", "--without-systemdsystemunitdir", "--disable-hooks"], "no (as asked for)", "no (as asked for)")])
def test_configure_says_what_it_leaves_out(build, words, units, hooks):
    said = build.configure(*words)
    assert (said["systemd units"], said["hooks"]) == (units, hooks)
    assert said["sendmail links"] == "no (--enable-sendmail-links)" and said["onehop-post"].startswith("no (--enable-post")


WITH_PATHS = {"src/%s.o" % name for name in ("base/program", "front/door", "front/show", "guard/environment", "send/post")}


def test_another_prefix(build, tmp_path):
    """Each object and page with a path in it is made again, and no other; all is installed for all users."""
    old, new = str(tmp_path / "old"), str(tmp_path / "new")
    build.configure("--prefix=" + old)
    build.run("make", "-s", "-j2")
    before = build.made()
    build.configure("--prefix=" + new)
    build.run("make", "-s", "-j2")
    assert {name for name, when in build.made().items() if when != before[name]} == WITH_PATHS
    left = subprocess.run(["grep", "-rl", "--exclude=config.*", "--exclude=Makefile", old, build.place], stdout=subprocess.PIPE, check=False)
    assert left.stdout == b""
    build.run("make", "-s", "install", umask=0o077)
    os.makedirs(new + "/etc/onehop")
    with open(new + "/etc/onehop/onehop.conf", "w", encoding="ascii") as f:
        f.write("smarthost = 127.0.0.1\n")
    assert new + "/etc/onehop/onehop.conf" in build.run(new + "/sbin/onehop", "-bV")
    os.unlink(new + "/etc/onehop/onehop.conf")
    os.rmdir(new + "/etc/onehop")
    modes = {stat.S_IMODE(os.stat(os.path.join(d, n)).st_mode) for d, dirs, names in os.walk(new) for n in dirs + names}
    assert modes == {0o755, 0o644}
    before = build.made()
    build.configure("--prefix=" + new)
    build.run("make", "-s")
    assert build.made() == before
    build.run("make", "-s", "uninstall")
    assert not [n for _, dirs, names in os.walk(new) for n in dirs + names if "onehop" in n]


def test_another_mail_system_keeps_its_names(build, tmp_path):
    root = str(tmp_path)
    build.configure("--prefix=/usr", "--enable-sendmail-links")
    build.run("make", "-s", "-j2")
    build.run("make", "-s", "install", "DESTDIR=" + root)
    build.run("make", "-s", "install", "DESTDIR=" + root)
    names = ("/usr/sbin/sendmail", "/usr/bin/mailq", "/usr/bin/newaliases")
    assert {os.readlink(root + name) for name in names} == {"/usr/sbin/onehop"}
    for name in names:
        if os.path.lexists(root + name):
            os.unlink(root + name)
        os.symlink("exim4", root + name)
        with pytest.raises(AssertionError, match=name + " is another mail system's"):
            build.run("make", "-s", "install", "DESTDIR=" + root)
        build.run("make", "-s", "uninstall", "DESTDIR=" + root)
        assert os.readlink(root + name) == "exim4"
        os.unlink(root + name)
    shutil.rmtree(root)
