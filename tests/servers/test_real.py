"""One message each through real servers: Postfix with Dovecot's SASL (587 with STARTTLS, 465 with TLS from the first byte),
Exim with CRAM-MD5, OpenSMTPD, and LMTP to Dovecot.  Certificates are verified against a test CA; the servers are unpacked by
tests/harness/fetch-servers and run in the sandbox's second network namespace."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

ADDR = "192.0.2.25"
DOVECOT = {
    "setup": r"""
case $(/run/sbin/dovecot --version) in
2.3.*) cat <<'.' ;;
auth_username_format = %n
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
passdb {
  driver = static
  args = password=pass
}
userdb {
  driver = passwd
}
.
*) cat <<'.' ;;
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
auth_username_format = %{user | username}
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = ~/Maildir
passdb static {
  password = pass
}
userdb passwd {
}
.
esac > /etc/dovecot/dovecot.conf
cat >> /etc/dovecot/dovecot.conf <<'.'
protocols = lmtp
base_dir = /run/dovecot
default_internal_user = dovecot
default_login_user = dovenull
log_path = /dev/stderr
ssl = no
auth_mechanisms = plain login
service auth {
  unix_listener /run/sasl {
    mode = 0666
  }
}
service lmtp {
  unix_listener /run/lmtp {
    mode = 0666
  }
}
.
""", "argv": ["/run/sbin/dovecot", "-F"], "listens": ["/run/sasl", "/run/lmtp"]}
POSTFIX = {
    "setup": r"""
echo postdrop:x:211: >> /etc/group
cd /etc/postfix
cat > main.cf <<'.'
compatibility_level = 3.6
myhostname = smtp.isp.example
mydestination = far.example
inet_interfaces = 192.0.2.25
local_recipient_maps =
alias_maps =
home_mailbox = Maildir/
smtpd_tls_cert_file = /run/certs/good.crt
smtpd_tls_key_file = /run/certs/good.key
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = /run/sasl
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
maillog_file = /var/log/postfix.log
.
cat > master.cf <<'.'
192.0.2.25:587 inet n - n - - smtpd
192.0.2.25:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n - 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
local unix - n n - - local
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
.
q=/var/spool/postfix
mkdir -p $q /var/lib/postfix
cd $q && mkdir active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved trace
chown postfix active bounce corrupt defer deferred flush hold incoming maildrop private public saved trace /var/lib/postfix
chgrp postdrop maildrop public && chmod 700 private && chmod 710 public && chmod 730 maildrop
""", "argv": ["/usr/lib/postfix/sbin/master", "-d"], "listens": [[ADDR, 587], [ADDR, 465]]}
EXIM = {
    "setup": r"""
mkdir -p /var/spool/exim4 /var/log/exim4 && chown Debian-exim /var/spool/exim4 /var/log/exim4
cat > /etc/exim4/exim4.conf <<'.'
primary_hostname = smtp.isp.example
exim_path = /run/sbin/exim4
daemon_smtp_ports = 587
local_interfaces = 192.0.2.25
tls_advertise_hosts = *
tls_certificate = /run/certs/good.crt
tls_privatekey = /run/certs/good.key
acl_smtp_rcpt = rcpt
keep_environment =
begin acl
rcpt:
  accept authenticated = *
begin routers
local:
  driver = accept
  domains = far.example
  check_local_user
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = $home/Maildir
  maildir_format
begin authenticators
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{user}{pass}fail}
  server_set_id = $auth1
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{user}}{eq{$auth3}{pass}}}}
.
""", "argv": ["/run/sbin/exim4", "-bdf"], "listens": [[ADDR, 587]]}
OPENSMTPD = {    # in clear: the TLS server of Debian 12's does not work with its OpenSSL 3 (OpenSMTPD issue 1239)
    "setup": r"""
mkdir -p /var/lib/opensmtpd/empty /var/spool/smtpd && chmod 711 /var/spool/smtpd
cat > /etc/smtpd.conf <<'.'
listen on 192.0.2.25 port 25 hostname smtp.isp.example
action "deliver" maildir "%{user.directory}/Maildir"
match from any for domain "far.example" action "deliver"
.
""", "argv": ["/run/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf"], "listens": [[ADDR, 25]]}
SYSTEM = {name: {"uid": uid, "home": "/nonexistent", "mkhome": False} for name, uid in (
    ("postfix", 210), ("dovecot", 212), ("dovenull", 213), ("opensmtpd", 214), ("opensmtpq", 215))}
TEXT = "From: alice@debian\nTo: bob@far.example\nSubject: real\n\n.dot\nFrom here\nend\n"


def deliver(packages, daemons, mailbox, rcpt, **config):
    """Alice sends; the mailbox (a user) gets it.  What was observed, and the message."""
    case = {"packages": packages, "daemons": daemons, "srv_addrs": [ADDR],
            "config": {"users": SYSTEM, "tls": True, "passwd_client": "smtp.isp.example:user:pass\n", "passwd_reader": "alice",
                       **config},
            "steps": [{"argv": ["/usr/sbin/sendmail", "-v", "-i", rcpt], "user": "alice", "stdin": TEXT}]}
    # Dovecot 2.4.5 gives it a keyword ($HasNoAttachment), and so it is in cur/.
    case["steps"].append({"await": "/home/%s/Maildir/[cn][ue][rw]/*" % mailbox})
    try:
        observed = sandbox.run_case(case)
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    step = observed["steps"][0]
    assert step["rc"] == 0, step["stderr"] + observed["daemons"]
    (mail,) = [f["content"] for p, f in observed["files"].items()
               if re.match("/home/%s/Maildir/(new|cur)/." % mailbox, p)]
    assert mail.endswith("\n\n.dot\nFrom here\nend\n")
    return step["stderr"], mail


def smarthost(port):
    return {"dc": {"dc_smarthost": "smtp.isp.example::%d" % port}}


def line_for_bob(stderr):
    (line,) = re.findall(r"(?m)^  => bob@far\.example .*", stderr)
    return line


@pytest.mark.parametrize("packages, daemons, port, mechanism", [
    (["postfix", "dovecot-core", "dovecot-lmtpd"], [DOVECOT, POSTFIX], 587, "plain"),
    (["postfix", "dovecot-core", "dovecot-lmtpd"], [DOVECOT, POSTFIX], 465, "plain"),
    (["exim4-base", "exim4-daemon-light"], [EXIM], 587, "cram_md5"),
], ids=["postfix-587", "postfix-465", "exim-587"])
def test_smarthost(packages, daemons, port, mechanism):
    stderr, mail = deliver(packages, daemons, "bob", "bob@far.example", **smarthost(port))
    line = line_for_bob(stderr)
    assert re.search(r" X=TLS1\.[23]:\S+ CV=yes ", line)
    assert " A=%s " % mechanism in line
    assert ("SMTP>> STARTTLS" in stderr) == (port == 587)
    assert "\nFrom: alice@debian\n" in mail and "\nSubject: real\n" in mail


def test_opensmtpd():
    stderr, mail = deliver(["opensmtpd"], [OPENSMTPD], "bob", "bob@far.example", passwd_client=None, **smarthost(25))
    assert " X=" not in line_for_bob(stderr)
    assert "\nFrom: alice@debian\n" in mail and "\nSubject: real\n" in mail


def test_postfix_with_a_wrong_password():
    case = {"packages": ["postfix", "dovecot-core", "dovecot-lmtpd"], "daemons": [DOVECOT, POSTFIX], "srv_addrs": [ADDR],
            "config": {"users": SYSTEM, "tls": True, "passwd_client": "smtp.isp.example:user:wrong\n", "passwd_reader": "alice",
                       **smarthost(587)},
            "steps": [{"argv": ["/usr/sbin/sendmail", "bob@far.example"], "user": "alice", "stdin": TEXT}]}
    try:
        observed = sandbox.run_case(case)
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    step = observed["steps"][0]
    assert step["rc"] == 75
    assert "535" in step["stderr"] and "passwd.client:1" in step["stderr"] and "wrong" not in step["stderr"]
    assert not [p for p in observed["files"] if "/bob/Maildir/new/" in p]


def test_lmtp_to_dovecot():
    stderr, mail = deliver(["dovecot-core", "dovecot-lmtpd"], [DOVECOT], "fax", "fax@debian",
                           dc={"dc_localdelivery": "lmtp:/run/lmtp"})
    assert re.search(r"(?m)^  => fax.* T=lmtp\b", stderr)
    assert "SMTP>> LHLO debian" in stderr
    assert "\nSubject: real\n" in mail
