"""The ways of a message on a machine: each takes the box and a recipient, and says what the command said last."""
MAIL = "To: %s\nSubject: keep\n\nhello\n"
SMTP = """
import smtplib, sys
with smtplib.SMTP("127.0.0.1", 25) as s:
    s.sendmail("x@box.example", [sys.argv[1]], "Subject: keep\\n\\nhello\\n")
"""


def user(box, to):
    return box.run("onehop", "-t", user="bob", stdin=MAIL % to)


def root(box, to):
    return box.run("onehop", "-t", stdin=MAIL % to)


def timer(box, to):
    """What the timer starts."""
    box.must("onehop", "-odq", "-t", stdin=MAIL % to)
    return box.run("systemctl", "start", "onehop-queue.service")


def flush(box, to):
    box.must("onehop", "-odq", "-t", user="bob", stdin=MAIL % to)
    return box.run("systemctl", "start", "onehop-flush.service")


def root_q(box, to):
    """A queue run by hand, or by cron."""
    box.must("onehop", "-odq", "-t", user="bob", stdin=MAIL % to)
    return box.run("onehop", "-q")


def smtp(box, to):
    box.must("systemctl", "start", "onehop-smtp.socket")
    return box.run("python3", "-c", SMTP, to)


def sandboxed_root(box, to):
    """A service of the distribution's, for instance: what it may do must not be what alice's procmail may do."""
    return box.run("systemd-run", "--wait", "--pipe", "-q", "-p", "NoNewPrivileges=yes", "-p", "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_CHOWN",
                   "-p", "ProtectSystem=full", "sh", "-c", "onehop -t", stdin=MAIL % to)


def strict_service(box, to, *who):
    return box.run("systemd-run", "--wait", "--pipe", "-q", *who, "-p", "NoNewPrivileges=yes", "-p", "ProtectSystem=strict", "-p", "ProtectHome=yes",
                   "-p", "PrivateTmp=yes", "-p", "RestrictAddressFamilies=AF_UNIX", "sh", "-c", "onehop -t", stdin=MAIL % to)


def strict_root(box, to):
    return strict_service(box, to)


def strict_user(box, to):
    return strict_service(box, to, "-p", "User=bob")


def dynamic_user(box, to):
    return strict_service(box, to, "-p", "DynamicUser=yes")


ALL = [user, root, timer, flush, root_q, smtp, sandboxed_root, strict_root, strict_user, dynamic_user]
