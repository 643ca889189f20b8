"""One message from each of the programs that call /usr/sbin/sendmail, as the smarthost gets it.

The programs are Debian's, unpacked by tests/harness/fetch-servers; what is not there is skipped.  Of those that
need more than a sandbox (an array that degrades, a package to upgrade), WORDS has the call that they make and such
text as they write.  Each message is found by its subject, so a second copy shows.  All is played once more with no
smarthost: then the programs must hear of it.
"""
import email
import email.policy
import functools
import os
import re
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

FAR, HIDDEN, ADMIN = "x@far.example", "hidden@far.example", "admin@far.example"
ALICE, ROOT = "alice@isp.example", "root@isp.example"
SHOP = {"sender": "shop@isp.example", "author": "Shop <shop@isp.example>"}
BODY = "Grüße: naïve, 测试, ½.\n\nFrom the second part\n.\nafter the dot\n"
PAM = "".join("%s required pam_permit.so\n" % kind for kind in ("auth", "account", "session"))
PHP = r"""mail("x@far.example", "php: disk full", "Grüße: naïve, 测试, ½.\n\nFrom the second part\n.\nafter the dot\n",
  ["From" => "Shop <shop@isp.example>", "Bcc" => "hidden@far.example", "Content-Type" => "text/plain; charset=UTF-8"],
  "-fbounce@isp.example") || exit(1);"""
NODE = r"""require("/usr/share/nodejs/nodemailer").createTransport({sendmail: true, path: "/usr/sbin/sendmail"}).sendMail(
  {from: "Shop <shop@isp.example>", to: "x@far.example", bcc: "hidden@far.example", subject: "nodemailer: Größe",
   text: require("fs").readFileSync(0, "utf8"), attachments: [{filename: "a.bin", path: "/home/alice/a.bin"}]},
  e => { if (e) throw e; });"""
PERL = r"""use MIME::Lite; my $m = MIME::Lite->new(From => 'alice', To => 'x@far.example', Subject => 'MIME::Lite report',
  Type => 'multipart/mixed'); $m->attach(Type => 'text/plain; charset=UTF-8', Encoding => '8bit', Data => join '', <STDIN>);
  $m->attach(Type => 'application/octet-stream', Path => '/home/alice/a.bin', Disposition => 'attachment');
  $m->send or die;"""
PYTHON = r"""
import email.message, subprocess, sys
m = email.message.EmailMessage()
m["From"], m["To"], m["Subject"] = "Shop <shop@isp.example>", "x@far.example", "python: Größe"
m.set_content(sys.stdin.read(), cte="8bit")
m.add_attachment(open("/home/alice/a.bin", "rb").read(), maintype="application", subtype="octet-stream", filename="a.bin")
p = subprocess.Popen(["/usr/sbin/sendmail", "-i", "-f", "shop@isp.example", "x@far.example", "hidden@far.example"],
                     stdin=subprocess.PIPE)
p.communicate(m.as_bytes())
sys.exit(p.returncode)
"""
PATCH = """From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001
From: =?UTF-8?q?J=C3=BCrgen=20M=C3=BCller?= <jm@isp.example>
Date: Mon, 2 Nov 2026 10:00:00 +0100
Subject: [PATCH] git: mend the door
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

Grüße: naïve, 测试, ½.

Cc: Carol <carol@far.example>
---
 door | 1 +

diff --git a/door b/door
"""
SMARTD = {"SMARTD_ADDRESS": "root", "SMARTD_FAILTYPE": "EmailTest", "SMARTD_MESSAGE": "TEST EMAIL from smartd for /dev/sda",
          "SMARTD_DEVICEINFO": "½ TB", "SMARTD_MAILER": "/usr/share/smartmontools/smartd-runner"}
JOB, OUTPUT = "echo 'Grüße'; echo .; echo after the dot", "Grüße\n.\nafter the dot\n"
REBOOT = JOB + "; kill $(cat /run/crond.pid)"


def client(name, packages, run, subject, **more):
    """run: shell script; more: user, stdin, env, and what is to come (else the defaults here)."""
    return {"name": name, "packages": packages.split(), "run": run, "subject": subject, "user": "alice", "stdin": BODY,
            "env": {}, "sender": ALICE, "to": [FAR], "author": "Alice Liddell <%s>" % ALICE, "body": BODY,
            "attached": False, **more}


def job(name, packages, run, subject, body, author="root <%s>" % ROOT, **more):
    """What the system tells root."""
    return client(name, packages, run, subject, **{"body": body, "author": author, "user": "root", "sender": ROOT,
                                                   "to": [ADMIN], **more})


CLIENTS = [
    # -n: bsd-mailx's mail.rc, which it reads too, says that a dot ends the message
    client("mailutils", "mailutils", "mail.mailutils -n -s 'mailutils: disk full' x@far.example", "mailutils: disk full"),
    client("s-nail", "s-nail", "s-nail -s 's-nail: Größe' -a a.bin x@far.example", "s-nail: Größe", attached=True),
    client("s-nail -r", "s-nail", "s-nail -r shop@isp.example -c c@far.example -b hidden@far.example "
           "-s 's-nail: sender' x@far.example", "s-nail: sender",
           sender="shop@isp.example", to=[FAR, "c@far.example", HIDDEN], author="shop@isp.example"),
    client("bsd-mailx", "bsd-mailx", "bsd-mailx -s 'bsd-mailx: disk full' "
           "-c c@far.example -b hidden@far.example x@far.example", "bsd-mailx: disk full", to=[FAR, "c@far.example", HIDDEN]),
    client("mutt", "mutt", "mutt -n -s 'mutt: Größe' -c c@far.example -b hidden@far.example -a a.bin -- x@far.example",
           "mutt: Größe", to=[FAR, "c@far.example", HIDDEN], attached=True),
    client("mutt with all its flags", "mutt", "mutt -n -e 'set use_envelope_from use_8bitmime dsn_notify=failure,delay "
           "dsn_return=hdrs from=\"Shop <shop@isp.example>\"' -s 'mutt: flags' x@far.example", "mutt: flags", **SHOP),
    client("git send-email", "git git-email", "git -c user.name='Alice Liddell' -c user.email=alice@isp.example send-email "
           "--quiet --confirm=never --smtp-server=/usr/sbin/sendmail --envelope-sender=bounce@isp.example "
           "--to=x@far.example 0001.patch", "[PATCH] git: mend the door", sender="bounce@isp.example",
           to=[FAR, "jm@isp.example", "carol@far.example"], body="Grüße: naïve, 测试, ½.\n"),
    client("php mail()", "php-cli", "/usr/bin/php[0-9]* -n -r \"$PROGRAM\"", "php: disk full", env={"PROGRAM": PHP},
           to=[FAR, HIDDEN], **{**SHOP, "sender": "bounce@isp.example"}),
    client("nodemailer", "node-nodemailer" if shutil.which("node") else "nodejs node-nodemailer", "node -e \"$PROGRAM\"", "nodemailer: Größe", env={"PROGRAM": NODE},
           to=[FAR, HIDDEN], attached=True, **SHOP),
    client("MIME::Lite", "libmime-lite-perl", "perl -e \"$PROGRAM\"", "MIME::Lite report",
           env={"PROGRAM": PERL}, attached=True),
    client("python", "", "/usr/bin/python3 -c \"$PROGRAM\"", "python: Größe", env={"PROGRAM": PYTHON},
           to=[FAR, HIDDEN], attached=True, **SHOP),
    job("cron", "cron", "cron -f || test $? = 143", "Cron <root@debian> " + REBOOT, OUTPUT, "%s (Cron Daemon)" % ROOT),
    # anacron does not say -i, so there a dot would end the message
    job("anacron", "anacron", "anacron -f -n -s -d -t /etc/anacrontab.test -S /var/spool/anacron",
        "Anacron job 'daily' on debian", "Grüße\n", "Anacron <%s>" % ROOT),
    job("at", "at", "echo \"%s\" | at now && atd -s" % JOB, "Output from your job        1", OUTPUT),
    job("logwatch", "logwatch", "/usr/share/logwatch/scripts/logwatch.pl --output mail --mailto 'x@far.example root' "
        "--service sshd --range all", "Logwatch for debian (Linux)", "192.0.2.9: 1 Time", to=[FAR, ADMIN]),
    job("smartd", "smartmontools bsd-mailx", "/usr/share/smartmontools/smartd_warning.sh",
        "SMART error (EmailTest) detected on host: debian", "½ TB", env=SMARTD),
    job("sudo", "sudo", "! sudo -n id", "*** SECURITY information for debian ***", "root : command not allowed ; "),
]
DEAF = ("cron", "anacron", "at", "logwatch", "sudo")
# These write a dead.letter of their own over what is there.  (They stand first, so that the others' letters last.)
KEEPERS = ("s-nail", "s-nail -r", "bsd-mailx", "mailutils")

# (program, words, user, text, what is to come, as for client and job): from the sources of Debian 12's packages
WORDS = [
    ("mdadm", "-t", "root", """From: mdadm monitoring <root>
To: root
Subject: DegradedArray event on /dev/md0:debian

This is an automatically generated mail message from mdadm
running on debian

A DegradedArray event had been detected on md device /dev/md0.

Faithfully yours, etc.
""", {"author": "mdadm monitoring <%s>" % ROOT}),
    ("unattended-upgrades", "-oi -t", "root", """Subject: unattended-upgrades result for debian: SUCCESS
From: root
To: root
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

Unattended upgrade result: All upgrades installed
Gr=C3=BC=C3=9Fe
""", {}),
    ("apt-listchanges", "-oi -t", "root", """Auto-Submitted: auto-generated
Subject: apt-listchanges: news for debian
To: root
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 8bit

½ of the news
""", {}),
    ("debsecan", "-t", "daemon", """Subject: Debian security status of debian
To: root

Security report based on the bookworm release
""", {"sender": "daemon@debian.example", "author": "daemon <daemon@debian.example>"}),
    ("systemd OnFailure", "-t", "root", """To: root
From: systemd <root@debian>
Subject: backup.service failed
Content-Transfer-Encoding: 8bit
Content-Type: text/plain; charset=UTF-8

● backup.service - Back up
     Active: failed (Result: exit-code)
""", {"author": "systemd <%s>" % ROOT}),
    ("fail2ban", "-f fail2ban root", "root", """Subject: [Fail2Ban] sshd: banned 192.0.2.9 from debian
Date: Tue, 24 Nov 2026 08:00:00 +0000
From: Fail2Ban <fail2ban>
To: root

Hi,

The IP 192.0.2.9 has just been banned by Fail2Ban after
5 attempts against sshd.

Regards,

Fail2Ban""", {"sender": "fail2ban@debian.example", "author": "Fail2Ban <fail2ban@debian.example>"}),
    ("reportbug", "-f alice@isp.example -oi -oem submit@far.example alice@isp.example", "alice",
     """Content-Type: text/plain; charset="us-ascii"
MIME-Version: 1.0
Content-Transfer-Encoding: 7bit
From: Alice Liddell <alice@isp.example>
To: Debian Bug Tracking System <submit@far.example>
Subject: onehop: says nothing
Message-ID: <179500000000.1234.5678@debian>
X-Reportbug-Version: 12.0.0
Date: Tue, 24 Nov 2026 08:00:00 +0000

Package: onehop
""", {"to": ["submit@far.example", ALICE]}),
    ("emacs", "-f alice@isp.example -oi -oem -odb -t", "alice", """From: Alice Liddell <alice@isp.example>
To: x@far.example
Bcc: hidden@far.example
Subject: emacs: sendmail-send-it
Date: Tue, 24 Nov 2026 08:00:00 +0000
Message-ID: <87ldx9m0zb.fsf@debian>
User-Agent: Gnus/5.13 (Gnus v5.13)
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Grüße
""", {"to": [FAR, HIDDEN]}),
    ("ruby's mail gem", "-i -f shop@isp.example -- x@far.example hidden@far.example", "www-data",
     """Date: Tue, 24 Nov 2026 08:00:00 +0000
From: Shop <shop@isp.example>
To: x@far.example
Message-ID: <5fbcc0e1_1a2b3c@debian.mail>
Subject: =?UTF-8?Q?mail_gem:_Gr=C3=B6=C3=9Fe?=
Mime-Version: 1.0
Content-Type: text/plain;
 charset=UTF-8
Content-Transfer-Encoding: 7bit

order 7
""", {"to": [FAR, HIDDEN], **SHOP}),
    ("symfony", "-t -i", "www-data", """From: Shop <shop@isp.example>
To: x@far.example
Bcc: hidden@far.example
Subject: symfony: order 7
Message-ID: <0cc175b9c0f1b6a831c399e269772661@isp.example>
MIME-Version: 1.0
Date: Tue, 24 Nov 2026 08:00:00 +0000
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe
""", {"to": [FAR, HIDDEN], **SHOP, "sender": "www-data@debian.example"}),
    ("an old PHP program", "-t -i -fshop@isp.example", "www-data", """To: x@far.example\r
Subject: lines end as on the wire\r
From: Shop <shop@isp.example>\r
Bcc: hidden@far.example\r
Content-Type: text/plain;\r
\tcharset=UTF-8\r
\r
Grüße\r
order 7\r
""", {"to": [FAR, HIDDEN], **SHOP}),
    ("alpine", "-oem -t -oi", "alice", """Date: Tue, 24 Nov 2026 08:00:00 +0000 (UTC)
From: Alice Liddell <alice@isp.example>
To: The club: x@far.example, c@far.example;
Subject: alpine: to a group
Message-ID: <c2d0f0a0-4ab1-11@debian>
MIME-Version: 1.0
Content-Type: text/plain; format=flowed; charset=US-ASCII

hello
""", {"to": [FAR, "c@far.example"]}),
]


def as_text(text):
    """The harness has bytes as latin-1."""
    return text.encode().decode("latin-1")


FILES = {"/home/alice/a.bin": {"content": bytes(range(256)).decode("latin-1")},
         "/home/alice/0001.patch": {"content": as_text(PATCH)},
         "/etc/crontab": {"content": as_text("LANG=C.UTF-8\n@reboot root %s\n" % REBOOT)},
         "/etc/anacrontab.test": {"content": as_text("1 0 daily echo Grüße\n")},
         "/var/spool/anacron": {"dir": True}, "/var/spool/cron": {"dir": True}, "/var/spool/cron/crontabs": {"dir": True},
         "/var/spool/cron/atjobs": {"dir": True, "owner": "daemon", "mode": "1770"},
         "/var/spool/cron/atspool": {"dir": True, "owner": "daemon", "mode": "1770"},
         "/var/spool/cron/atjobs/.SEQ": {"content": "0", "owner": "daemon", "mode": "0600"},
         "/var/cache/logwatch": {"dir": True}, "/var/log/onehop": {"dir": True},
         "/var/log/auth.log": {"content": "Nov 24 08:00:00 debian sshd[9]: Failed password for root from 192.0.2.9 port 22\n"},
         "/etc/sudoers": {"content": "Defaults mail_no_perms\nroot ALL=(ALL) /usr/bin/true\n", "mode": "0440"},
         **{"/etc/pam.d/" + name: {"content": PAM} for name in ("cron", "atd", "sudo", "other")}}
CONFIG = {"mailname": "debian.example\n", "dc": {"dc_other_hostnames": "debian;debian.example"},
          "email_addresses": "alice: %s\nroot: %s\n" % (ALICE, ROOT), "aliases": "root: %s\n" % ADMIN, "files": FILES}


@functools.lru_cache(None)
def lacks(name):
    """Why the package cannot be had, or None."""
    try:
        sandbox.packages(name)
    except sandbox.Unavailable as e:
        return str(e)
    return None


def lacking(one):
    return next(filter(None, map(lacks, one["packages"])), None)


def play(alternatives, servers):
    """All in one sandbox: {name: step}, and what was seen.  alternatives is a package with what update-alternatives makes."""
    (alternatives / "usr/bin").mkdir(parents=True)
    (alternatives / "usr/bin/mail").symlink_to("bsd-mailx")
    here = [c for c in CLIENTS if not lacking(c)]
    packages = sorted({p for c in here for p in c["packages"]}) + [str(alternatives)]
    steps = [{"argv": ["/bin/sh", "-ec", as_text(c["run"])], "user": c["user"], "stdin": as_text(c["stdin"]), "env": c["env"],
              "cwd": "/home/alice", "limit": 150} for c in here]
    steps += [{"argv": ["/usr/sbin/sendmail", *words.split()], "user": user, "stdin": as_text(text)}
              for _, words, user, text, _ in WORDS]
    seen = sandbox.run_case({"config": CONFIG, "packages": packages, "steps": steps, "servers": servers})
    names = [c["name"] for c in here] + [w[0] for w in WORDS]
    return dict(zip(names, seen["steps"])), seen


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    steps, seen = play(tmp_path_factory.mktemp("up"), [{}])
    return steps, [m for c in seen["smtp"] for m in c["messages"]]


@pytest.fixture(scope="module")
def down(tmp_path_factory):
    return play(tmp_path_factory.mktemp("down"), [])


def parsed(message):
    data = message["data"].encode("latin-1").replace(b"\r\n..", b"\r\n.")
    return email.message_from_bytes(data, policy=email.policy.default)


def received(observed, name, subject):
    """The one message with this subject, as (envelope and data, parsed)."""
    steps, messages = observed
    assert steps[name]["rc"] == 0, steps[name]
    found = [(m, p) for m, p in ((m, parsed(m)) for m in messages) if p["Subject"] == subject]
    assert len(found) == 1, (steps[name], [parsed(m)["Subject"] for m in messages])
    return found[0]


def check(message, mail, wanted):
    assert re.match("FROM:<(.*?)>", message["mail"]).group(1) == wanted["sender"]
    assert sorted(r[0].split(" ")[0] for r in message["rcpt"]) == sorted("TO:<%s>" % r for r in wanted["to"])
    assert re.findall("(?m)^From: (.*)\r$", message["data"].partition("\r\n\r\n")[0] + "\r\n") == [wanted["author"]]
    assert [len(mail.get_all(name, ())) for name in ("Date", "Message-ID", "Bcc")] == [1, 1, 0], message["data"]
    assert "hidden@" not in message["data"]


def skip_without(steps, one):
    if lacking(one):
        pytest.skip(lacking(one))
    step = steps[one["name"]]
    if step["rc"] == 127 and re.search("not found|shared librar", step["stderr"]):
        pytest.skip(step["stderr"].strip())


@pytest.mark.parametrize("one", CLIENTS, ids=[c["name"] for c in CLIENTS])
def test_program(observed, one):
    skip_without(observed[0], one)
    message, mail = received(observed, one["name"], one["subject"])
    check(message, mail, one)
    assert one["body"] in mail.get_body().get_payload(decode=True).decode().replace("\r\n", "\n")
    parts = [part.get_content() for part in mail.iter_attachments()]
    assert parts == ([bytes(range(256))] if one["attached"] else [])


@pytest.mark.parametrize("one", WORDS, ids=[w[0] for w in WORDS])
def test_words(observed, one):
    name, words, user, text, more = one
    head, body = text.replace("\r\n", "\n").split("\n\n", 1)
    subject = email.message_from_string(head, policy=email.policy.default)["Subject"]
    message, mail = received(observed, name, subject)
    kind = client if user in ("alice", "www-data") else job
    check(message, mail, kind(name, "", words, subject, **{"body": body, **more}))
    assert message["data"].split("\r\n\r\n", 1)[1] == as_text(body.rstrip("\n").replace("\n", "\r\n") + "\r\n")


@pytest.mark.parametrize("one", CLIENTS, ids=[c["name"] for c in CLIENTS])
def test_smarthost_down(down, one):
    """A user without a spool hears of it, and his message is a dead letter; root's waits in the queue."""
    steps, seen = down
    skip_without(steps, one)
    if one["user"] == "root":
        waiting = [f["content"] for path, f in seen["files"].items() if re.search(r"/var/spool/onehop/input/.*-H$", path)]
        subjects = [email.message_from_bytes(re.sub(r"(?m)^\d{3}[A-Z* ] ", "", text.split("\n\n", 1)[1]).encode("latin-1"),
                                              policy=email.policy.default)["Subject"] for text in waiting]
        assert one["subject"] in subjects
        assert steps[one["name"]]["rc"] != "timeout"
        return
    if one["name"] not in DEAF:
        assert steps[one["name"]]["rc"] not in (0, "timeout"), steps[one["name"]]
    if one["name"] in KEEPERS:
        return
    kept = seen["files"]["/home/alice/dead.letter"]["content"]
    letters = [email.message_from_bytes(letter.encode("latin-1"), policy=email.policy.default)
               for letter in re.split(r"(?m)^From \S+ .* \d{4}\n", kept)]
    assert len([x for x in letters if x["Subject"] == one["subject"]]) == 1
