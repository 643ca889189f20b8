"""localhost is 127.0.0.1 and ::1 without any file and whatever a file or a name server says (RFC 6761 section 6.3).

The password goes to loopback without TLS, so where the word leads decides who gets it.
"""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

AUTH = {"ehlo": ["250-hi", "250 AUTH PLAIN"], "auth": {"PLAIN": ["235 ok"]}}
OUTSIDE = "192.0.2.25"
NO_FILES = [{"argv": ["/bin/rm", "/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf"]}]


def play(name, before=(), hosts="", addr="127.0.0.1", more="", **case):
    conf = "qualify_domain = debian\nsmarthost = %s\n%s" % (name if name.startswith("srv:") else name + "::2525", more)
    got = sandbox.run_case({
        "config": {"dc": False, "hosts": "127.0.1.1 debian\n" + hosts,
                   "files": {"/etc/onehop/onehop.conf": {"content": conf},
                             "/etc/onehop/passwd.client": {"content": "*:me:secret\n"}}},
        "servers": [{"addr": addr, "port": 2525, "sessions": [AUTH]}, {"addr": OUTSIDE, "port": 2525, "sessions": [AUTH]}],
        "steps": [*before, {"argv": ["/usr/sbin/sendmail", "x@far.example"], "stdin": "Subject: s\n\nb\n", "limit": 20}], **case})
    return got, got["steps"][-1]


def arrived_inside(got, step, addr="127.0.0.1"):
    assert step["rc"] == 0, step["stderr"]
    (session,) = got["smtp"]
    assert session["server"].startswith(addr), session["server"]
    assert session["auth"][0]["decoded"] == ["\\0me\\0secret"]


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "localhost.", "smtp.localhost", "[localhost]"])
def test_no_file_is_needed(name):
    arrived_inside(*play(name, before=NO_FILES))


@pytest.mark.parametrize("hosts", [
    OUTSIDE + " localhost\n", OUTSIDE + " smtp.localhost localhost\n", OUTSIDE + " localhost\n127.0.0.1 localhost\n"])
@pytest.mark.parametrize("name", ["localhost", "smtp.localhost"])
def test_no_file_leads_it_elsewhere(name, hosts):
    arrived_inside(*play(name, hosts=hosts))


@pytest.mark.parametrize("name", ["localhost", "smtp.localhost"])
def test_no_name_server_is_asked(name):
    got, step = play(name, dns={"localhost": {"A": [OUTSIDE]}, "smtp.localhost": {"A": [OUTSIDE]}})
    arrived_inside(got, step)
    assert not got["dns_queries"]


@pytest.mark.parametrize("more, addr", [("ip_family = ipv6\n", "::1"), ("", "::1")])
def test_either_family(more, addr):
    arrived_inside(*play("localhost", before=NO_FILES, more=more, addr=addr), addr=addr)


def test_a_service_of_localhost_is_none():
    """There is no record below localhost: it waits, and nobody was asked."""
    got, step = play("srv:localhost")
    assert step["rc"] == 0 and "no _submissions or _submission service of localhost" in got["mainlog"]
    assert not got["smtp"] and not got["dns_queries"]


def test_another_name_is_looked_up():
    """The positive control: a name that only looks like it goes where the file says."""
    got, step = play("localhost.example", hosts=OUTSIDE + " localhost.example\n", more="auth_client_allow_notls_passwords = yes\n")
    arrived_inside(got, step, addr=OUTSIDE)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.3.4.5", "::1"])
@pytest.mark.parametrize("source", ["hosts", "dns"])
def test_a_name_that_leads_here_is_not_secure(address, source):
    """What it leads to is somebody's word: a local listener on a port of his own would get the password."""
    known = {"hosts": address + " smtp.isp.example\n"} if source == "hosts" else \
        {"dns": {"smtp.isp.example": {"AAAA" if ":" in address else "A": [address]}}}
    got, step = play("smtp.isp.example", addr=address, **known)
    assert step["rc"] == 0                                              # it waits
    (session,) = got["smtp"]
    assert not session["auth"] and not session["messages"]
    log = got["files"]["/var/log/onehop.log"]["content"] if "/var/log/onehop.log" in got["files"] else str(got["files"])
    assert "so the password of /etc/onehop/passwd.client:1 is not sent to it" in log
    assert "write the address in smarthost" in log


@pytest.mark.parametrize("address", ["127.0.0.1", "127.3.4.5", "::1"])
def test_an_address_that_is_written_is_secure(address):
    arrived_inside(*play("[%s]" % address if ":" in address else address, addr=address), addr=address)
