"""Time passes for the programs of a sandbox: its steps, PRELOADED first, then later(SECONDS); BINDS are its binds."""
import os

BINDS = {os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "crash"): "/mnt/crash"}
PRELOADED = {"argv": ["/bin/sh", "-ec", "cc -D_GNU_SOURCE -fPIC -shared -o /usr/sbin/clock.so /mnt/crash/clock.c; "
                      "echo /usr/sbin/clock.so >/etc/ld.so.preload"]}


def later(seconds):
    """From here on it is so much later than it is."""
    return {"write": {"/etc/clock": {"content": "%d %d\n" % (seconds, seconds)}}}
