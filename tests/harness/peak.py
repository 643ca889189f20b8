"""Peak memory of each process that a command starts, read by ptrace at the moment when it exits."""
import contextlib
import ctypes
import os
import re
import signal
import subprocess
import threading

TRACEME, CONT, SETOPTIONS = 0, 7, 0x4200
FORK, VFORK, CLONE, EXIT, EXITKILL = 0x2, 0x4, 0x8, 0x40, 0x100000
EVENT_EXIT, WALL = 6, 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


MIB = 1 << 20
LINE = b"x" * 63 + b"\n"


def big_message(size):
    """A descriptor from which a message with a body of size octets (a multiple of MIB) can be read."""
    reader, writer = os.pipe()

    def feed():
        with contextlib.suppress(BrokenPipeError), os.fdopen(writer, "wb") as f:
            f.write(b"From: <root@isp.example>\nTo: <far@far.example>\nSubject: big\n\n")
            for _ in range(size // MIB):
                f.write(LINE * (MIB // len(LINE)))
    threading.Thread(target=feed, daemon=True).start()
    return reader


def ptrace(request, pid=0, data=0):
    """False: the process is gone, or the system does not allow it."""
    return LIBC.ptrace(ctypes.c_long(request), ctypes.c_long(pid), None, ctypes.c_void_p(data)) == 0


def status(pid):
    with open("/proc/%d/status" % pid, encoding="latin-1") as f:
        return dict(re.findall(r"(\w+):\s*(\S+)", f.read()))


def kill(pids):
    for pid in list(pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def resume(pid, what, found):
    """Let a stopped process go on; found gets its name and peak in KiB if it was about to exit."""
    deliver, event = os.WSTOPSIG(what), what >> 16
    if event == EVENT_EXIT:
        now = status(pid)
        if "VmHWM" in now:
            found[int(now["Tgid"])] = (now["Name"], int(now["VmHWM"]))
    ptrace(CONT, pid, 0 if event or deliver in (signal.SIGSTOP, signal.SIGTRAP) else deliver)


def peaks(argv, limit=60, **how):
    """Run argv, how as for Popen, until it and all that it has started are gone.
    Returns its exit status and {pid: (name, KiB)}; PermissionError where there is no ptrace."""
    child = subprocess.Popen(argv, preexec_fn=lambda: ptrace(TRACEME), **how)
    alive, found, code = {child.pid}, {}, None
    timer = threading.Timer(limit, kill, [alive])
    timer.start()
    _, what = os.waitpid(child.pid, WALL)
    if not os.WIFSTOPPED(what) or not ptrace(SETOPTIONS, child.pid, FORK | VFORK | CLONE | EXIT | EXITKILL):
        timer.cancel()
        kill(alive)
        raise PermissionError("processes cannot be traced here")
    ptrace(CONT, child.pid)
    while alive:
        pid, what = os.waitpid(-1, WALL)
        if os.WIFSTOPPED(what):
            alive.add(pid)
            resume(pid, what, found)
            continue
        alive.discard(pid)
        if pid == child.pid:
            code = child.returncode = os.waitstatus_to_exitcode(what)
    timer.cancel()
    return code, found
