"""A message that waits while the clocks do what they like (doc/SECURITY 4, I12); test_clocks.py starts it as process 1 of fresh
namespaces.  Every program has clock.c preloaded, and reads /etc/clock."""
import json
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from crash import outside, walk  # noqa: E402
from harness import world  # noqa: E402

HOUR, DAY, YEAR = 3600, 86400, 365 * 86400
BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Clocks(walk.Walk):
    """wall and boot: what the clocks are off by.  The real ones pass so little time that it does not count."""

    def __init__(self, job):
        super().__init__(job, "queue-run")
        self.scenario = {"to": [walk.A], "waiting": 1}
        self.wall = self.boot = 0
        self.boots = 0
        world.put("/etc/crash/clock.c", job["clock"])
        subprocess.run(["cc", "-D_GNU_SOURCE", "-O2", "-fPIC", "-shared", "-o", "/usr/sbin/clock.so", "/etc/crash/clock.c"], check=True)
        world.put("/etc/boot_id", "")
        world.bind("/etc/boot_id", BOOT_ID)
        self.reboot()
        world.put("/etc/ld.so.preload", "/usr/sbin/clock.so\n")

    def set(self):
        with open("/etc/clock", "w", encoding="ascii") as f:
            f.write("%d %d\n" % (self.wall, self.boot))

    def reboot(self):
        """The time since the boot begins again."""
        self.boots += 1
        self.boot = -int(time.clock_gettime(time.CLOCK_BOOTTIME)) + 10
        with open("/etc/boot_id", "w", encoding="ascii") as f:
            f.write("00000000-0000-4000-8000-%012d\n" % self.boots)
        self.set()

    def sleep(self, seconds):
        """Time really passes."""
        self.wall += seconds
        self.boot += seconds
        self.set()

    def jump(self, to):
        """The wall clock alone says something else."""
        self.wall = to - int(time.time())
        self.set()

    def begin(self):
        self.wall = 0
        self.reboot()
        walk.wipe("/var/tmp/waiting")
        self.fresh()

    def waits(self):
        """Is it still there, with nobody told anything?"""
        self.host.settle()
        counts = walk.Counts(self.scenario, self.host.taken())
        return not counts.copies and not counts.bounces and self.plain(["-bpc"]).out.strip() == b"1"

    def arrives(self):
        self.host.up({})
        run = self.plain(["-q"])
        self.host.settle()
        counts = walk.Counts(self.scenario, self.host.taken())
        return [] if list(counts.copies.values()) == [1] else ["not delivered in the end: %s %s" % (counts.copies, run.err)]


def month_of_jumps(c, down):
    """Two runs a day for a month, each with the wall clock somewhere else."""
    c.begin()
    c.host.up(down) if down else None
    dice = random.Random(1)
    now = int(time.time())
    for i in range(60):
        to = dice.choice([now, 0, 86400, now + YEAR, now - YEAR, now + 19 * YEAR, now + 5 * DAY, now - 5 * DAY, 2371161600])
        c.jump(to)
        if i % 20 == 19:
            c.reboot()
        c.plain(["-q" if i % 2 else "-qf"])
        if not c.waits():
            return ["at the %d-th jump, to %d" % (i, to)]
        c.jump(now)
        c.sleep(60)
    c.jump(now)
    c.sleep(13 * HOUR)
    return c.arrives()


def to_2045_and_back(c):
    """What was put off in 2045 is not put off until then."""
    c.begin()
    now = int(time.time())
    c.jump(2371161600)
    c.plain(["-qf"])
    c.jump(now)
    c.sleep(60)
    wrong = [] if c.waits() else ["it does not wait"]
    return wrong + c.arrives()


def switched_off(c):
    """A month in which the machine was off is not a month of tries."""
    c.begin()
    c.plain(["-qf"])
    c.wall += 30 * DAY
    c.reboot()
    c.plain(["-qf"])
    wrong = [] if c.waits() else ["given up after the machine was off"]
    c.sleep(7 * HOUR)
    return wrong + c.arrives()


def suspended(c):
    """The same with a laptop that slept, and then was awake for a day."""
    c.begin()
    c.plain(["-qf"])
    c.sleep(30 * DAY)
    for _ in range(24):
        c.sleep(HOUR)
        c.plain(["-q"])
    wrong = [] if c.waits() else ["given up after it slept"]
    c.sleep(7 * HOUR)
    return wrong + c.arrives()


def given_up(c):
    """Five days of tries are the end of it: the trials above can fail."""
    c.begin()
    for _ in range(5 * 8):
        c.sleep(3 * HOUR)
        c.plain(["-q"])
    c.host.up({})
    c.plain(["-qf"])
    c.host.settle()
    counts = walk.Counts(c.scenario, c.host.taken())
    told = sum(counts.bounces.values())
    return [] if told == 1 and not counts.copies else ["copies %s, bounces %s" % (counts.copies, counts.bounces)]


TRIALS = {"month of jumps, nobody listens": lambda c: month_of_jumps(c, None),
          "month of jumps, recipient deferred": lambda c: month_of_jumps(c, {"rcpt": "451 4.2.0 later"}),
          "to 2045 and back": to_2045_and_back, "switched off": switched_off, "suspended": suspended, "given up": given_up}


def main():
    job, name = json.load(sys.stdin), sys.argv[1]
    out = os.dup(1)
    os.dup2(2, 1)

    def made():
        c = Clocks(job)
        return {"wrong": TRIALS[name](c)} if c.queue else {"skipped": "this onehop keeps no queue"}
    outside.answer(out, made)


if __name__ == "__main__":
    main()
