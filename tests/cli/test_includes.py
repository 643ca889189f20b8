"""A list in /etc/aliases that somebody else keeps (:include:): his addresses are served, and nothing that he cannot read comes
back by it, neither in words nor as an address, whatever he makes of the file's name."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

HASH, MEMBER = "the-hash-of-root", "member@far.example"
LIST, HOME = "/home/alice/list", "/home/alice"


def alice(command):
    return "setpriv --reuid=alice --regid=alice --clear-groups sh -ec '%s'" % command


# What is there, and what is said of it.
REFUSED = {
    "a link to the secret": (alice("ln -s /etc/shadow " + LIST), "symbolic link"),
    "a relative link": (alice("ln -s ../../etc/shadow " + LIST), "symbolic link"),
    "a link to a link of root's": ("ln -s /etc/shadow /srv/list; " + alice("ln -s /srv/list " + LIST), "symbolic link"),
    "a directory that is a link": (alice("ln -s /etc d"), "symbolic link", "/home/alice/d/shadow"),
    "a second name of the secret": ("ln /etc/shadow " + LIST, "directory of somebody whose file it is not"),
    "root's own copy in her directory": ("cp -p /etc/shadow " + LIST, "directory of somebody whose file it is not"),
    "a second name of bob's": ("ln /home/bob/private " + LIST, "directory of somebody whose file it is not"),
    "a nested one": (alice("echo :include:/etc/shadow >" + LIST), "may include no other"),
    "a nested one with a path of her own": (alice("ln -s /etc/shadow s; echo :include:/home/alice/s >" + LIST), "may include no other"),
    "one of root's that the group may write": (
        "echo :include:/etc/shadow >/srv/list; chgrp bob /srv/list; chmod 664 /srv/list", "may include no other", "/srv/list"),
    "a FIFO": (alice("mkfifo " + LIST), "not a regular file"),
    "a directory": (alice("mkdir " + LIST), "directory"),
    "a path through a file": (alice("touch " + LIST), "ot a directory", LIST + "/x"),
    "a link to itself": ("ln -s /srv/list /srv/list", "symbolic links", "/srv/list"),
    "root's list of no addresses": ("cp -p /etc/shadow /srv/list", "/srv/list:1 is no address", "/srv/list"),
    "her list of no addresses": (alice("printf \"x@far.example\\nroot:" + HASH + " a b\\n\" >" + LIST), "list:2 is no address"),
}
SERVED = {
    "her own file": alice("echo %s >%s" % (MEMBER, LIST)),
    "root's own file": ("echo %s >/srv/list" % MEMBER, "/srv/list"),
    "root's, which includes hers": ("echo :include:%s >/srv/list; " % LIST + alice("echo %s >%s" % (MEMBER, LIST)), "/srv/list"),
    "a link of root's": ("ln -s %s /srv/list; " % LIST + alice("echo %s >%s" % (MEMBER, LIST)), "/srv/list"),
    "a home elsewhere, by a link of root's": (
        "mkdir -p /srv/home; ln -s ../srv/home /homes; mv /home/alice /srv/home/; ln -s /srv/home/alice /home/alice; "
        + alice("echo %s >/homes/alice/list" % MEMBER), "/homes/alice/list"),
    "a directory of a daemon's": ("mkdir /srv/lists; chown daemon /srv/lists; echo %s >/srv/lists/x; chown daemon /srv/lists/x" % MEMBER,
                                  "/srv/lists/x"),
    "hers in a directory for all": (alice("echo %s >/tmp/list" % MEMBER), "/tmp/list"),
}


def play(what):
    prepare, path = (what, LIST) if isinstance(what, str) else (what[0], what[-1] if what[-1].startswith("/") else LIST)
    got = sandbox.run_case({
        "config": {"dc": {}, "aliases": "team: :include:%s\n" % path,
                   "files": {"/etc/shadow": {"content": "root:%s:19000:0:99999:7:::\n" % HASH, "mode": "0600"},
                             "/home/bob/private": {"content": "bob %s\n" % HASH, "owner": "bob", "mode": "0600"}}},
        "servers": [{}],
        "steps": [{"argv": ["/bin/sh", "-ec", "mkdir -p /srv; cd %s; %s" % (HOME, prepare)]},
                  {"argv": ["/usr/sbin/sendmail", "-v", "team"], "user": "root", "stdin": "Subject: s\n\nb\n"},
                  {"argv": ["/usr/sbin/sendmail", "-bt", "team"], "user": "root"},
                  {"argv": ["/usr/sbin/sendmail", "-bV"], "user": "root"},
                  {"argv": ["/usr/bin/mailq"], "user": "root"}]})
    assert got["steps"][0]["rc"] == 0, got["steps"][0]
    return got, [s["stdout"] + s["stderr"] for s in got["steps"][1:]]


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_comes_back(name):
    got, said = play(REFUSED[name][:1] + REFUSED[name][2:])
    assert HASH not in str(said) and HASH not in str(got["smtp"])
    assert not any(HASH in f.get("content", "") for path, f in got["files"].items() if path.startswith(("/var/log", "/var/spool")))
    assert REFUSED[name][1] in said[0], said[0]


@pytest.mark.parametrize("name", SERVED)
def test_his_addresses_are_served(name):
    got, said = play(SERVED[name])
    assert [r[0] for c in got["smtp"] for m in c["messages"] for r in m["rcpt"]] == ["TO:<%s>" % MEMBER], said[0]
