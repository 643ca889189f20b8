"""A whole queue at real servers, of the release that the tests run on: 120 messages over one run, with NUL, 8-bit text, lines of
5,000 octets and what else a text may have, and one message for 1,500 recipients.  All arrives once, octet for octet once what a
transfer encoding did is undone; and OpenSMTPD's limit of 100 messages a connection is no matter."""
import base64
import collections
import email
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402
from servers import test_real, test_real_logins  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

MESSAGES, RECIPIENTS, LIMIT_S = 120, 1500, 240
BODIES = [b"plain\n", b"a NUL \0 in a line\nand\0more\n", "8-bit: \u00e4\u00f6\u00fc \u20ac\n".encode(), b"x" * 5000 + b"\n",
          "\u00e4".encode() * 2500 + b"\n\0\n", b".\n..\n.dot\nFrom here\n", b"no end of line", b"", b"\n\n  \t\n\n", bytes(range(0x80, 0x100)) + b"\n"]
QUEUE = """
cd /tmp
for i in $(seq 0 %d); do
	(echo "From: alice@debian"; echo "To: $1"; echo "Subject: $i"; echo; cat body.$((i %% %d))) | /usr/sbin/sendmail -i -odq -f alice@debian "$1" || exit 1
done
""" % (MESSAGES - 1, len(BODIES))
MANY = """
(echo From: alice@debian; echo Subject: many; echo; echo for all) | /usr/sbin/sendmail -i -odq -f alice@debian $(seq -f "${1%%@*}+%%g@${1#*@}" %d)
""" % RECIPIENTS
COLLECT = """
import base64, glob, json, sys, time
user, wanted, end, found = sys.argv[1], int(sys.argv[2]), time.monotonic() + int(sys.argv[3]), []
while len(found) < wanted and time.monotonic() < end:
    time.sleep(0.5)  # polls
    found = glob.glob("/home/%s/Maildir/new/*" % user) + glob.glob("/home/%s/Maildir/cur/*" % user)
time.sleep(1)       # for what would be one too many
found = glob.glob("/home/%s/Maildir/new/*" % user) + glob.glob("/home/%s/Maildir/cur/*" % user)
print(json.dumps([base64.b64encode(open(path, "rb").read()).decode() for path in found]))
"""


def changed(daemon, *pairs):
    setup = daemon["setup"]
    for old, new in pairs:
        assert old in setup
        setup = setup.replace(old, new)
    return {**daemon, "setup": setup}


POSTFIX = changed(test_real.POSTFIX, ("mydestination = far.example\n", "mydestination = far.example\nrecipient_delimiter = +\n"))
EXIM = changed(test_real.EXIM, ("keep_environment =\n", "keep_environment =\nsmtp_accept_queue_per_connection = 0\n"),
               ("  check_local_user\n", "  check_local_user\n  local_part_suffix = +*\n  local_part_suffix_optional\n"))
WITH_TLS = """sed -i 's/^ssl = no/ssl = yes/' /etc/dovecot/dovecot.conf
case $(/run/sbin/dovecot --version) in
2.3.*) printf 'ssl_cert = </run/certs/good.crt\\nssl_key = </run/certs/good.key\\nrecipient_delimiter = +\\n' ;;
*) printf 'ssl_server_cert_file = /run/certs/good.crt\\nssl_server_key_file = /run/certs/good.key\\nrecipient_delimiter = +\\nlmtp_user_concurrency_limit = unlimited\\n' ;;
esac >> /etc/dovecot/dovecot.conf
"""
DOVECOT = {**test_real.DOVECOT, "setup": test_real.DOVECOT["setup"] + WITH_TLS}


def submission():
    postfix, dovecot = test_real_logins.submission("plain")
    return [changed(postfix, ("mydestination = far.example\n", "mydestination = far.example\nrecipient_delimiter = +\n")), dovecot]


def play(packages, daemons, to="bob@far.example", login="user:pass", port=587, **config):
    user = to.split("@")[0]
    how = {"users": test_real.SYSTEM, "tls": True, "passwd_reader": "root", **test_real.smarthost(port), **config,
           "files": {"/tmp/body.%d" % i: {"content": body.decode("latin-1")} for i, body in enumerate(BODIES)}}
    if login:
        how["passwd_client"] = "smtp.isp.example:%s\n" % login
    steps = [{"argv": ["/bin/sh", "-ec", QUEUE, "queue", to], "limit": LIMIT_S}, {"argv": ["/bin/sh", "-ec", MANY, "many", to], "limit": LIMIT_S},
             {"argv": ["/usr/sbin/sendmail", "-q"], "limit": LIMIT_S}, {"argv": ["/usr/sbin/mailq"]},
             {"argv": ["/usr/bin/python3", "-c", COLLECT, user, str(MESSAGES + RECIPIENTS), str(LIMIT_S)], "limit": LIMIT_S + 20}]
    try:
        observed = sandbox.run_case({"packages": packages, "daemons": daemons, "srv_addrs": [test_real.ADDR], "config": how,
                                     "steps": [{"user": "root", **step} for step in steps]}, limit=5 * LIMIT_S)
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    for step in observed["steps"]:
        assert step["rc"] == 0, (step, observed["daemons"][-2000:])
    assert observed["steps"][3]["stdout"] == "", observed["steps"][3]["stdout"][:2000] + observed["mainlog"][-2000:]
    return observed, [email.message_from_bytes(base64.b64decode(text)) for text in json.loads(observed["steps"][4]["stdout"])]


def expected(body):
    """Each line has its end, also the last."""
    return body if body.endswith(b"\n") or not body else body + b"\n"


def look(observed, mails):
    seen = collections.Counter(m["Subject"] for m in mails)
    assert seen == {**{str(i): 1 for i in range(MESSAGES)}, "many": RECIPIENTS}, (seen - collections.Counter(many=RECIPIENTS), observed["mainlog"][-3000:])
    for m in mails:
        body = b"for all\n" if m["Subject"] == "many" else expected(BODIES[int(m["Subject"]) % len(BODIES)])
        got = m.get_payload(decode=True)
        if m["Content-Transfer-Encoding"] == "base64":       # of text: its line ends are CRLF (RFC 2045 6.8)
            got = got.replace(b"\r\n", b"\n")
        assert got == body, m.as_bytes()[:3000]
    log = observed["mainlog"]
    assert log.count(" => ") + log.count(" -> ") == MESSAGES + RECIPIENTS and " == " not in log and " ** " not in log


def test_postfix():
    look(*play(["postfix", "dovecot-core", "dovecot-lmtpd"], [test_real.DOVECOT, POSTFIX]))


def test_exim():
    look(*play(["exim4-base", "exim4-daemon-light"], [EXIM]))


def test_opensmtpd():
    """More than one connection, and no message is put off."""
    observed, mails = play(["opensmtpd"], [test_real.OPENSMTPD], login=None, port=25)
    look(observed, mails)


def test_lmtp_on_a_unix_socket_with_tls_on():
    observed, mails = play(["dovecot-core", "dovecot-lmtpd"], [DOVECOT], login=None, dc={"dc_smarthost": "lmtp:/run/lmtp"})
    look(observed, mails)
    assert " X=TLS" not in observed["mainlog"]


def test_submission_at_dovecot():
    if test_real_logins.has_plus() is False:
        pytest.skip("its configuration here is that of Dovecot 2.4")
    look(*play(["postfix", "dovecot-core", "dovecot-lmtpd", "dovecot-submissiond"], submission(), login="bob:pass"))
