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
        "/etc/credstore.encrypted/passwd.client",         "/etc/aliases", "/etc/email-addresses")
SOCKETS = ("onehop-submit.socket", "onehop-local.socket")


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


def as_installed(machine, certs):
    """As README's commands leave it, with exim4's configuration, its users and no mail."""
    machine.sh("""systemctl stop 'onehop-*'; systemctl -q disable --now onehop-smtp.socket onehop-online.path onehop-alarm.timer
        rm -rf /etc/systemd/system/onehop-*.d /run/systemd/system/onehop-*.d; systemctl reset-failed""")
    machine.remove(*LEFT)
    for user in USERS:
        machine.must("sh", "-c", "rm -rf /home/$0 /var/mail/$0 && cp -r /etc/skel /home/$0 && chown -R $0: /home/$0 && chmod 700 /home/$0", user)
    machine.must("install", "-d", "-m", "2750", "-g", "adm", "/var/log/onehop")
    machine.write("/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\tbox.example box\n%s\tsmtp.isp.example\n" % OUTSIDE)
    machine.write("/etc/mailname", "box.example\n")
    machine.write("/etc/exim4/update-exim4.conf.conf", CONFIG)
    with open(certs + "/ca.crt", encoding="ascii") as f:
        machine.write("/etc/exim4/ca.crt", f.read())
    machine.must("sh", "-c", "ln -sf $(command -v onehop) /usr/sbin/sendmail")
    machine.must("systemctl", "daemon-reload")
    machine.must("systemd-tmpfiles", "--create")
    machine.must("systemctl", "start", *SOCKETS)


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
