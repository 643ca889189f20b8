"""What a command costs: instructions and system calls of all its processes, and the machine on which that was found."""
import datetime
import glob
import os
import re
import subprocess

from harness import world


def have_perf():
    r = subprocess.run(["sh", "-c", "perf stat -x, -e instructions:u true"], stderr=subprocess.PIPE, check=False)
    return r.returncode == 0 and re.match(rb"\d", r.stderr) is not None


def instructions(run):
    """Millions.  run(*wrapper) runs the command behind those words.  A process that forks hands its counters on; so
    they are dumped before."""
    if have_perf():
        run("perf", "stat", "-x,", "-e", "instructions:u", "-o", "/tmp/perf")
        return int(re.search(r"(?m)^(\d+),", world.read("/tmp/perf")).group(1)) / 1e6
    for path in glob.glob("/tmp/cg.*"):
        os.unlink(path)
    run("valgrind", "-q", "--tool=callgrind", "--trace-children=yes", "--dump-before=*fork*", "--callgrind-out-file=/tmp/cg.%p")
    dumps = map(world.read, glob.glob("/tmp/cg.*"))
    return sum(int(n) for dump in dumps for n in re.findall(r"(?m)^totals: (\d+)", dump)) / 1e6


def calls(run):
    """How many of each: {name: count}."""
    run("strace", "-f", "-c", "-U", "name,calls", "-o", "/tmp/calls")
    return {name: int(n) for name, n in re.findall(r"(?m)^(\w+) +(\d+)$", world.read("/tmp/calls"))}


def machine():
    model = re.search(r"model name\s*: (.*)", world.read("/proc/cpuinfo"))
    release = re.search(r'PRETTY_NAME="(.*)"', world.read("/usr/lib/os-release"))
    return "%s; %s; Linux %s; %s; instructions: %s" % (
        datetime.date.today(), release.group(1) if release else "?", os.uname().release,
        model.group(1) if model else os.uname().machine, "perf" if have_perf() else "callgrind")
