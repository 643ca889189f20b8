"""What damaged and foreign spool files come to (doc/SECURITY 4, I11); test_damage.py starts it as process 1 of fresh namespaces.

For each damage: two messages wait, the first one's files are damaged, the queue is run.  The second one arrives; the
damaged one is not sent, not deleted, and is listed; nothing hangs.
"""
import glob
import json
import os
import pwd
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from crash import outside, walk  # noqa: E402

FLIPS = 16          # places in a file at which one bit is flipped, each in its turn


def flip(share):
    def harm(path):
        with open(path, "r+b") as f:
            at = int(os.path.getsize(path) * share)
            f.seek(at)
            octet = f.read(1)[0]
            f.seek(at)
            f.write(bytes([octet ^ 1]))
    return harm


def cut(path):
    os.truncate(path, os.path.getsize(path) * 2 // 3)


def empty(path):
    os.truncate(path, 0)


def grow(path):
    with open(path, "ab") as f:
        f.write(b"more\n")


def own(path):
    os.chown(path, pwd.getpwnam("alice").pw_uid, -1)


def fifo(path):
    os.rename(path, "/var/tmp/moved")
    os.mkfifo(path)


def directory(path):
    os.rename(path, "/var/tmp/moved")
    os.mkdir(path)


def symlink(path):
    os.rename(path, "/var/tmp/moved")
    os.symlink("/var/tmp/moved", path)


def hard_link(path):
    os.link(path, "/var/tmp/second")


def huge(path):
    os.truncate(path, 3 << 30)


def missing(path):
    os.rename(path, "/var/tmp/moved")


HARMS = {"cut": cut, "empty": empty, "grow": grow, "own": own, "fifo": fifo, "directory": directory, "symlink": symlink,
         "hard_link": hard_link, "huge": huge, **{"flip-%d" % i: flip((i + 0.5) / FLIPS) for i in range(FLIPS)}}
# A -D that is gone leaves a -H that cannot be sent; a -H that is gone never was a message, and -D is swept.
DAMAGES = [(kind, name) for kind in "HD" for name in HARMS] + [("D", "missing")] + \
    [("J", name) for name in ("fifo", "directory", "symlink", "hard_link", "own", "huge")]
FOREIGN = {"README": b"hello\n", "core": b"\x7fELF", "1abcde-000000-00-H": b"no message\n", ".hidden": b"x", "a b\nc-H": b"x"}


class Damage(walk.Walk):
    def __init__(self, job):
        super().__init__(job, "odq")
        self.scenario = {"to": [walk.A], "waiting": 2}

    def first(self, kind):
        path = sorted(glob.glob(walk.SPOOL + "/input/*-H"))[0][:-1] + kind
        if kind == "J":
            with open(path, "wb") as f:
                f.write(b"someone@else.example\n")
            os.chmod(path, 0o640)
        return path

    def one(self, harm, kind, label):
        for path in ("/var/tmp/moved", "/var/tmp/second"):
            walk.wipe(path)
        self.fresh()
        path = self.first(kind)
        ident = os.path.basename(path)[:-2]
        harm(path)
        self.host.up({})
        run = self.plain(["-qf"])
        again = self.plain(["-qf"])
        self.host.settle()
        counts = walk.Counts(self.scenario, self.host.taken())
        kept = [f for f in walk.files_below(walk.SPOOL) if ident in os.path.basename(f)]
        listed = self.plain(["-bp"]).out.decode("latin-1")
        wrong = list(counts.wrong)
        if "hangs" in (run.status, again.status):
            wrong.append("it hangs")
        if sorted(counts.copies.values()) != [1] or counts.bounces:
            wrong.append("copies: %s, bounces: %s" % (counts.copies, counts.bounces))
        if not kept:
            wrong.append("nothing is kept of it: %s" % walk.files_below(walk.SPOOL))
        if ident not in listed:
            wrong.append("it is not listed: %r" % listed)
        return ["%s: %s" % (label, "; ".join(wrong))] if wrong else []

    def foreign(self):
        self.fresh()
        for name, data in FOREIGN.items():
            with open(walk.SPOOL + "/input/" + name, "wb") as f:
                f.write(data)
        self.host.up({})
        run = self.plain(["-qf"])
        self.host.settle()
        counts = walk.Counts(self.scenario, self.host.taken())
        kept = {}
        for path in walk.files_below(walk.SPOOL):
            with open(path, "rb") as f:
                kept[os.path.basename(path)] = f.read()
        wrong = ["%r is gone or changed" % name for name, data in FOREIGN.items()
                 if not any(name in k and v == data for k, v in kept.items())]
        if run.status == "hangs" or sorted(counts.copies.values()) != [1, 1]:
            wrong.append("exit %s, copies %s" % (run.status, counts.copies))
        return wrong

    def elsewhere(self):
        """Directories that are symbolic links to somebody else's."""
        wrong = []
        for name in ("input", "db", "bad", "msglog", "input/" + self.letter()):
            self.fresh()
            walk.wipe("/var/tmp/moved")
            os.mkdir("/var/tmp/moved")
            walk.wipe(os.path.join(walk.SPOOL, name))
            os.symlink("/var/tmp/moved", os.path.join(walk.SPOOL, name))
            self.host.up({})
            runs = [self.plain(["-qf"]), self.plain(*self.submission(["-odq"], "0")), self.plain(["-qf"])]
            self.host.settle()
            statuses = [run.status for run in runs]
            whole = len(name) > 6                       # then it is only in nobody's way
            if os.listdir("/var/tmp/moved") or statuses != ([0, 0, 0] if whole else [75, 0, 75]) and statuses != [75, 75, 75]:
                wrong.append("%s elsewhere: exits %s, %s there: %s" % (name, statuses, os.listdir("/var/tmp/moved"), runs[0].err))
        return wrong

    def letter(self):
        self.fresh()
        return os.path.basename(self.first("H"))[5]

    def result(self):
        if not self.queue:
            return {"skipped": "this onehop keeps no queue"}
        wrong = self.foreign() + self.elsewhere()
        for kind, name in DAMAGES:
            wrong += self.one(HARMS.get(name, missing), kind, "-%s %s" % (kind, name))
        return {"wrong": wrong}


def main():
    job = json.load(sys.stdin)
    out = os.dup(1)
    os.dup2(2, 1)
    outside.answer(out, lambda: Damage(job).result())


if __name__ == "__main__":
    main()
