"""The machine and what is in it before each test.  run calls these tests, with the tree in $ONEHOP_TREE."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machine import OUTSIDE, Machine, Smarthost  # noqa: E402

USERS = ("alice", "bob", "carol")
MKCERTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "harness", "mkcerts")
CONFIG = """\
dc_eximconfig_configtype='smarthost'
dc_other_hostnames='box.example'
dc_local_interfaces='127.0.0.1 ; ::1'
dc_readhost='box.example'
dc_smarthost='smtp.isp.example'
dc_hide_mailname='true'
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
"""
# What a test may have left.
LEFT = ("/etc/onehop", "/etc/exim4", "/var/spool/onehop", "/var/log/onehop", "/etc/credstore/passwd.client", "/run/credstore/passwd.client",
        "/etc/credstore.encrypted/passwd.client", "/etc/aliases", "/etc/email-addresses")
SOCKETS = ("onehop-submit.socket", "onehop-local.socket")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """What the machine said of a failure."""
    report = (yield).get_result()
    if report.failed and "box" in item.funcargs:
        box = item.funcargs["box"]
        journal = box.run("journalctl", "-q", "--no-pager", "-n", "40") if box.is_up() else "it is not up"
        report.sections += [("mainlog", box.mainlog()), ("journal", getattr(journal, "out", journal))]


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    directory = str(tmp_path_factory.mktemp("certs"))
    subprocess.run([MKCERTS, directory], check=True)
    return directory


@pytest.fixture(scope="session")
def tree():
    machine = Machine(os.environ["ONEHOP_TREE"])
    machine.boot()
    yield machine
    machine.boot("end")


EMPTY = """systemctl stop 'onehop-*'
systemctl -q disable --now onehop-smtp.socket onehop-online.path onehop-alarm.timer
systemctl reset-failed
rm -rf /etc/systemd/system/onehop-*.d /run/systemd/system/onehop-*.d %s
for user in %s; do
	rm -rf /home/$user /var/mail/$user && cp -r /etc/skel /home/$user && chown -R $user: /home/$user && chmod 700 /home/$user || exit
done
install -d -m 2750 -g adm /var/log/onehop && ln -sf $(command -v onehop) /usr/sbin/sendmail
""" % (" ".join(LEFT), " ".join(USERS))


def as_installed(machine, certs):
    """As README's commands leave it, with exim4's configuration, its users and no mail."""
    machine.must("sh", "-c", EMPTY)
    machine.write("/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\tbox.example box\n%s\tsmtp.isp.example\n" % OUTSIDE)
    machine.write("/etc/mailname", "box.example\n")
    machine.write("/etc/exim4/update-exim4.conf.conf", CONFIG)
    with open(certs + "/ca.crt", encoding="ascii") as f:
        machine.write("/etc/exim4/ca.crt", f.read())
    machine.must("sh", "-ec", "systemctl daemon-reload; systemd-tmpfiles --create onehop.conf; systemctl start " + " ".join(SOCKETS))


@pytest.fixture
def box(tree, certs):
    """The machine, up, as README's commands leave it."""
    tree.boot()
    as_installed(tree, certs)
    yield tree


@pytest.fixture
def smarthost(box, certs):
    """Takes all, without TLS."""
    host = Smarthost(box, certs)
    yield host
    host.down()
