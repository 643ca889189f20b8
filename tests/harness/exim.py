"""A real Exim (package exim4-daemon-light, unpacked) in the sandbox, with a setup like the one that onehop has there, and what
its log and onehop's have to be stripped of before they are compared."""
import re

EXIM4_CONF = r"""
exim_path = /run/sbin/exim4
primary_hostname = debian
log_file_path = /var/log/exim4/%slog
tls_advertise_hosts =
keep_environment =
begin routers
smarthost:
  driver = manualroute
  domains = ! debian
  transport = remote_smtp_smarthost
  route_list = * smtp.isp.example::2525 byname
local_user:
  driver = accept
  check_local_user
  transport = maildir_home
begin transports
remote_smtp_smarthost:
  driver = smtp
  multi_domain
  hosts_avoid_tls = *
maildir_home:
  driver = appendfile
  directory = $home/Maildir
  maildir_format
begin retry
* * F,2h,15m; G,16h,1h,1.5; F,4d,6h
"""
EXIMS = {"dir": True, "owner": "Debian-exim"}
FILES = {"/etc/exim4/exim4.conf": {"content": EXIM4_CONF}, "/var/spool/exim4": EXIMS, "/var/log/exim4": EXIMS}
PACKAGES = ["exim4-base", "exim4-daemon-light"]
# (program, spool, log)
ID = "[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})"      # the longer since Exim 4.97
WHO = {"exim": ("/run/sbin/exim4", "/var/spool/exim4", "/var/log/exim4/mainlog"),
       "onehop": ("/usr/sbin/sendmail", "/var/spool/onehop", "/var/log/onehop/mainlog")}


def mail(sendmail, subject, *words, user="root", conf=None, sender="alice@debian"):
    return {"argv": [sendmail, *(["-C", conf] if conf else []), "-oi", "-f", sender, *words], "user": user,
            "stdin": "From: alice@debian\nTo: x@far.example\nSubject: %s\n\nbody\n" % subject}


def shell(script, **names):
    return {"argv": ["/bin/sh", "-c", script % names]}


def plain(text):
    """Without what is different by nature: times, ids, sizes, process ids, who writes the bounce."""
    ids = {}
    text = re.sub(ID, lambda m: ids.setdefault(m[0], "ID%d" % len(ids)), text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", text)
    text = re.sub(r"S=\d+", "S=N", re.sub(r"pid=\d+", "pid=N", text))
    return re.sub(r"Debian-exim|onehop", "WRITER", text)
