"""A spool on a small ext4 file system of its own, and the power cut; test_ext4.py starts it as process 1 of fresh namespaces.

The file behind the loop device has what the file system has written out, and no more: a copy of it is the disk after a
power cut at that moment.  The journal's own timer is set so that it does not help.  Arguments: a TRIAL; standard input as
walk.py's.  Standard output: {"wrong": [...]} or {"skipped": why}.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from crash import fault, outside, walk  # noqa: E402
from harness import world  # noqa: E402

A, B = "a@far.example", "bad@far.example"
MESSAGE = b"From: me@far.example\nSubject: crash\n\n" + b"a line of text\n" * 3000


def tool(*argv):
    r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if r.returncode != 0:
        raise OSError("%s: %s" % (argv[0], re.sub(r"/tmp/onehop-ext4-\w+/", "", r.stdout.decode().strip())))


class Disk:
    def __init__(self, base, options=()):
        self.image, self.copy, self.top, self.after = (os.path.join(base, n) for n in ("image", "copy", "top", "after"))
        os.mkdir(self.top)
        os.mkdir(self.after)
        with open(self.image, "wb") as f:
            f.truncate(8 << 20)
        tool("mkfs.ext4", "-q", "-m", "0", *options, self.image)
        tool("mount", "-o", "loop,commit=900", self.image, self.top)
        os.mkdir(self.top + "/spool")
        subprocess.run(["sync", "-f", self.top], check=True)

    def cut(self):
        """What a power cut would leave now: {path: octets}."""
        shutil.copyfile(self.image, self.copy)

    def left(self):
        """The spool after the last cut()."""
        tool("mount", "-o", "loop", self.copy, self.after)
        try:
            return contents(self.after + "/spool")
        finally:
            tool("umount", self.after)


def contents(top):
    found = {}
    for path in glob.glob(top + "/input/**", recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as f:
                found[os.path.basename(path)] = f.read()
    return found


class Trial:
    def __init__(self, job, options=()):
        self.base = tempfile.mkdtemp(prefix="onehop-ext4-")
        world.mount("none", "/", flags=world.MS_REC | world.MS_PRIVATE)
        world.mount("proc", "/proc", "proc")
        tool("ip", "link", "set", "lo", "up")
        self.disk = Disk(self.base, options)
        self.inject, self.onehop = fault.Injector(job["numbers"]), job["programs"]["onehop"]
        self.host = walk.Smarthost()
        self.conf = self.base + "/conf"
        world.put(self.conf, "smarthost = 127.0.0.1::%d\nspool_directory = %s/spool\nlog_file = %s/log\nprimary_hostname = debian\n"
                  "aliases = /dev/null\nemail_addresses = /dev/null\npasswd_client = %s/empty\n"
                  "dead_letter = no\n" % (self.host.port, self.disk.top, self.base, self.base))
        world.put(self.base + "/empty", "", 0o600)
        self.wrong, self.lies, self.live, self.cuts = [], False, None, 0
        if b"no queue" in self.run("-bpc").err:
            raise OSError("this onehop keeps no queue")

    def run(self, *words, given=b"", watch=None):
        return self.inject.run([self.onehop, "-C", self.conf, *words], given, watch=watch)

    def submit(self, *rcpts, watch=None):
        return self.run("-i", "-f", "me@far.example", *rcpts, given=MESSAGE, watch=watch)

    def cut_at_exit(self, call):
        if self.lies and call.name in ("fsync", "fdatasync"):
            return fault.LIE
        if call.process == "onehop" and call.name == "exit_group":
            self.live = contents(self.disk.top + "/spool")
            self.disk.cut()
        return None

    def cut_when_journalled(self, call):
        """Before the first call that onehop-send makes after a sync of the journal."""
        if self.cuts == 1:
            self.live = contents(self.disk.top + "/spool")
            self.disk.cut()
            self.cuts = 2
        if self.cuts == 0 and call.name in ("fdatasync", "fsync") and call.target.endswith("-J"):
            self.cuts = 1
        return None

    def expect(self, true, words):
        if not true:
            self.wrong.append(words)

    def close(self):
        os.chdir("/")
        subprocess.run(["umount", self.disk.top])
        shutil.rmtree(self.base, True)


def whole(files):
    return any(n.endswith("-H") for n in files) and any(n.endswith("-D") for n in files)


def queued(t):
    """At exit 0 of a submission that had to wait."""
    run = t.submit(A, watch=t.cut_at_exit)
    left = t.disk.left()
    t.expect(run.status == 0, "exit %s: %s" % (run.status, run.err))
    t.expect(whole(t.live), "not in the spool: %s" % sorted(t.live))
    for name, data in t.live.items():
        t.expect(left.get(name) == data, "%s is not on the disk as it was: %s" % (name, name in left))


def queued_only(t):
    """The same with -odq."""
    t.submit, submit = lambda *rcpts, watch: t.run("-odq", "-i", *rcpts, given=MESSAGE, watch=watch), t.submit
    queued(t)
    t.submit = submit


def liar(t):
    """A disk that syncs nothing loses the message: the trial above can fail."""
    t.lies = True
    run = t.submit(A, watch=t.cut_at_exit)
    left = t.disk.left()
    t.expect(run.status == 0 and whole(t.live), "exit %s" % run.status)
    t.expect(any(left.get(name) != data for name, data in t.live.items()), "all was on the disk though nothing was synced")


def journalled(t):
    """One recipient is taken, the other one waits: who has it is on the disk at once, and still at exit 0."""
    t.host.up(walk.DEFER)
    run = t.submit(A, B, watch=t.cut_when_journalled)
    t.expect(run.status == 0, "exit %s: %s" % (run.status, run.err))
    t.expect(t.cuts == 2, "no journal was synced")
    left = t.disk.left() if t.cuts else {}
    t.expect(whole(left), "the message is not on the disk: %s" % sorted(left))
    t.expect(any(A.encode() in data for name, data in left.items() if name.endswith("-J")), "the journal is not on the disk")
    for name, data in (t.live or {}).items():
        t.expect(left.get(name) == data, "%s is not on the disk as it was" % name)


def taken_of_two(t):
    t.host.up(walk.DEFER)
    run = t.submit(A, B, watch=t.cut_at_exit)
    left = t.disk.left()
    t.expect(run.status == 0, "exit %s: %s" % (run.status, run.err))
    for name, data in t.live.items():
        t.expect(left.get(name) == data, "%s is not on the disk as it was" % name)


def finished(t):
    """After a queue run that has delivered it, no power cut brings it back."""
    t.expect(t.submit(A).status == 0, "not queued")
    t.host.up({})
    run = t.run("-qf", watch=t.cut_at_exit)
    left = t.disk.left()
    t.expect(run.status == 0, "exit %s: %s" % (run.status, run.err))
    t.expect(not t.live, "still there: %s" % sorted(t.live))
    t.expect(not any(n.endswith("-H") for n in left), "it is back: %s" % sorted(left))


def refused_now(t, free):
    """No room: the caller keeps it, nothing is to be seen; with room again all is well."""
    run = t.submit(A)
    t.expect(run.status in (74, 75), "exit %s" % run.status)
    t.expect(not contents(t.disk.top + "/spool"), "left behind: %s" % sorted(contents(t.disk.top + "/spool")))
    t.expect(b" free" in run.err, "it does not say why: %s" % run.err)
    t.expect(t.run("-bpc").out.strip() == b"0", "-bpc does not say 0")
    free()
    run = t.submit(A)
    t.expect(run.status == 0 and whole(contents(t.disk.top + "/spool")), "exit %s: %s" % (run.status, run.err))


def no_space_left(t, leave=0):
    with open(t.disk.top + "/filler", "wb") as f:
        try:
            while True:
                f.write(b"\0" * 4096)
                f.flush()
        except OSError:
            pass
    os.truncate(t.disk.top + "/filler", max(0, os.stat(t.disk.top + "/filler").st_size - leave))


def no_space(t, leave=0):
    no_space_left(t, leave)
    refused_now(t, lambda: os.unlink(t.disk.top + "/filler"))


def little_space(t):
    no_space(t, 20480)


def no_space_for_the_journal(t):
    """Who has it could not be written down: nobody gets it until there is room; one recipient needs no note."""
    t.expect(t.run("-odq", "-i", A, B, given=MESSAGE).status == 0, "not queued")
    t.expect(t.run("-odq", "-i", "-f", "me@far.example", A, given=MESSAGE).status == 0, "not queued")
    t.host.up(walk.DEFER)
    no_space_left(t)
    run = t.run("-qf")
    t.host.settle()
    t.expect(run.status == 0 and len(t.host.taken()) == 1, "exit %s, %d taken" % (run.status, len(t.host.taken())))
    os.unlink(t.disk.top + "/filler")
    for _ in range(2):
        t.run("-qf")
        t.host.settle()
    t.expect(len(t.host.taken()) == 2, "%d copies" % len(t.host.taken()))


def no_inodes(t):
    made = []
    try:
        while True:
            fd, path = tempfile.mkstemp(dir=t.disk.top)
            os.close(fd)
            made.append(path)
    except OSError:
        pass
    refused_now(t, lambda: [os.unlink(path) for path in made])


TRIALS = {f.__name__: f for f in (queued, queued_only, liar, journalled, taken_of_two, finished, no_space, little_space, no_inodes,
                                  no_space_for_the_journal)}


def main():
    job, name = json.load(sys.stdin), sys.argv[1]
    out = os.dup(1)
    os.dup2(2, 1)

    def made():
        t = Trial(job, ("-N", "64") if name == "no_inodes" else ())
        try:
            TRIALS[name](t)
        finally:
            t.close()
        return {"wrong": t.wrong}
    outside.answer(out, made)


if __name__ == "__main__":
    main()
