"""Run a program and let one of its system calls go wrong: fault.run(argv, ...) -> Run.

A seccomp filter tells this process of each call before it is made (seccomp_unotify(2)).  The call is then made, or
it fails with an error and is not made, or the process that wanted to make it is killed, or all are.  Which call: the
n-th of a name that a process makes, counted for each process of a program on its own and from its main() on (the
dynamic loader before it holds nothing).  So a fault stays where it is from one run to the next.

It is to be process 1 of a pid namespace: kill(-1) is its power cut, and orphans come to it.
"""
import ctypes
import errno
import fcntl
import os
import re
import select
import signal
import stat
import struct
import subprocess
import time

PROGRAMS = ("onehop", "onehop-send", "onehop-local")
# No call here is a step of the work, and none of them can fail.
UNTOLD = ("rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending munmap mprotect madvise munlock futex "
          "getpid gettid getppid getuid geteuid getgid getegid getgroups rseq arch_prctl set_tid_address set_robust_list "
          "clock_gettime clock_nanosleep gettimeofday time sched_yield sysinfo restart_syscall").split()
MEMORY = set("mmap mremap brk mlock".split())
PREAMBLE_ENDS = "umask"                     # the first thing that main() does and that we are told of

KILL, CUT = "kill", "cut"                   # that process; all of them at the same moment
LIE = "lie"                                 # it is said to have been made
SHORT = "short"                             # it is made for half of the octets
# The first program gets it, whoever makes the call; the call is made, unless that has ended who makes it.
CALLER = {"caller " + name: getattr(signal, "SIG" + name) for name in ("TERM", "INT", "HUP", "ALRM", "QUIT", "KILL")}
NO_ERROR = set("exit exit_group umask".split())
STORES = set("write writev pwrite64 openat mkdir mkdirat link linkat rename renameat renameat2 fallocate ftruncate fsync "
             "fdatasync copy_file_range sendfile symlinkat".split())
WAITS = set("read readv pread64 write writev pwrite64 openat recvmsg recvfrom sendmsg sendto connect accept4 poll ppoll select "
            "pselect6 wait4 waitid flock fcntl fsync close getrandom".split())
FORKS = set("fork vfork clone clone3".split())

SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ALLOW, CONTINUE = 0x7FC00000, 0x7FFF0000, 1
NEW_LISTENER, WAIT_KILLABLE = 1 << 3, 1 << 5
RECV, SEND = 0xC0502100, 0xC0182101
LIBC = ctypes.CDLL(None, use_errno=True)
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}


def faults_of(name):
    """What may happen at a call of this name."""
    if name in MEMORY:
        return ["ENOMEM"]
    found = [KILL, CUT] + [SHORT] * (name in ("read", "write", "pread64", "pwrite64", "sendto"))
    if name in FORKS:
        return found + ["EAGAIN"]
    if name not in NO_ERROR:
        found += ["EIO"] + ["ENOSPC"] * (name in STORES)
    return found + ["EINTR"] * (name in WAITS)


def syscall_numbers():
    """{name: number}, from the C compiler's headers."""
    out = subprocess.run([os.environ.get("CC", "cc").split()[0], "-E", "-dM", "-include", "sys/syscall.h", "-xc", "/dev/null"],
                         stdout=subprocess.PIPE, check=True).stdout.decode()
    return {n: int(v) for n, v in re.findall(r"#define __NR_(\w+) (\d+)", out)}


class Call:
    """One call of a recorded run."""

    def __init__(self, process, name, count, args, target, data):
        self.process, self.name, self.count, self.args, self.target, self.data = process, name, count, args, target, data

    def key(self):
        return self.process, self.name, self.count

    def __str__(self):
        return "%s %s #%d %s" % (*self.key(), self.target)


class Run:
    """status: the first program's exit status, or -SIGNAL, or "hangs"; hit: the Call that met the fault, or None."""
    status, hit, calls, out, err, pid = "hangs", None, (), b"", b"", 0


class Tasks:
    """Who is who: each task is the n-th process of its program; its calls are counted by name."""

    def __init__(self):
        self.known, self.ordinals = {}, {}

    def enter(self, pid, comm, forked):
        n = self.ordinals[comm] = self.ordinals.get(comm, 0) + 1
        task = {"name": comm if n == 1 else "%s.%d" % (comm, n), "in_main": forked, "counts": {}}
        self.known[pid] = task
        return task

    def of(self, pid):
        task = self.known.get(pid)
        if task is None or task == "exec":
            comm = read_proc(pid, "comm").decode().strip()
            task = self.enter(pid, comm, task is None) if comm in PROGRAMS else None
        return task

    def count(self, task, name):
        """Which call of this name it is, or 0 when the task is not in main() yet."""
        if not task["in_main"]:
            task["in_main"] = name == PREAMBLE_ENDS
            return 0
        task["counts"][name] = task["counts"].get(name, 0) + 1
        return task["counts"][name]


def read_proc(pid, name):
    try:
        with open("/proc/%d/%s" % (pid, name), "rb") as f:
            return f.read()
    except OSError:
        return b""


def memory(pid, address, size):
    try:
        with open("/proc/%d/mem" % pid, "rb", buffering=0) as f:
            f.seek(address)
            return f.read(size)
    except (OSError, OverflowError):
        return b""


def text(pid, address):
    """The C string there; it may end close to the end of what is mapped, and it may go on in the next page."""
    octets = memory(pid, address, 4096 - address % 4096)
    if b"\0" not in octets:
        octets += memory(pid, address + len(octets), 4096)
    return octets.split(b"\0")[0].decode("latin-1")


# Where the paths are in the arguments, and the directories that they are relative to (None: the current one).
PATHS = {"openat": ((0, 1),), "unlinkat": ((0, 1),), "mkdirat": ((0, 1),), "newfstatat": ((0, 1),), "linkat": ((0, 1), (2, 3)),
         "renameat": ((0, 1), (2, 3)), "renameat2": ((0, 1), (2, 3)), "unlink": ((None, 0),), "rename": ((None, 0), (None, 1)),
         "link": ((None, 0), (None, 1)), "mkdir": ((None, 0),), "execve": ((None, 0),), "access": ((None, 0),)}


def link(pid, number):
    try:
        return os.readlink("/proc/%d/fd/%d" % (pid, number))
    except (OSError, OverflowError):
        return ""


def path(pid, args, directory, at):
    name = text(pid, args[at])
    return name if directory is None or name.startswith("/") else os.path.join(link(pid, args[directory] & 0xFFFFFFFF), name)


def look(pid, name, args):
    """What a call works on, and what it writes."""
    if name in PATHS:
        return " ".join(path(pid, args, *where) for where in PATHS[name]), b""
    target = link(pid, args[0] & 0xFFFFFFFF)
    data = b""
    if name in ("write", "sendto", "pwrite64"):
        data = memory(pid, args[1], min(args[2], 1 << 20))
    elif name in ("writev", "sendmsg"):
        at, n = struct.unpack("QQ", memory(pid, args[1] + 16, 16)) if name == "sendmsg" else (args[1], args[2])
        vec = struct.unpack("%dQ" % (2 * n), memory(pid, at, 16 * n))
        data = b"".join(memory(pid, vec[i], vec[i + 1]) for i in range(0, 2 * n, 2))
    return target, data


class Injector:
    def __init__(self, numbers):
        if os.getpid() != 1:
            raise RuntimeError("not process 1 of a pid namespace: a power cut would reach others")
        self.names = {v: k for k, v in numbers.items()}
        self.seccomp, self.getfd = numbers["seccomp"], numbers["pidfd_getfd"]
        allow = [numbers[n] for n in UNTOLD if n in numbers]
        ops = [(0x20, 0, 0, 0)]                                                           # load the number
        ops += [(0x15, len(allow) - i, 0, nr) for i, nr in enumerate(allow)]              # one of these: the last line
        ops += [(0x06, 0, 0, SECCOMP_RET_USER_NOTIF), (0x06, 0, 0, SECCOMP_RET_ALLOW)]
        self.filter = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *op) for op in ops))
        self.program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(ops), ctypes.addressof(self.filter)))

    def start(self, argv, files, user):
        """The program, held at its first call; its pid and the listener."""
        pid = os.fork()
        if pid == 0:
            for number, fd in enumerate(files):
                os.dup2(fd, number)
            for flags in (NEW_LISTENER | WAIT_KILLABLE, NEW_LISTENER):
                if LIBC.syscall(self.seccomp, 1, flags, self.program) >= 0:
                    become(user)
                    os.execve(argv[0], argv, ENVIRONMENT)
            os._exit(99)
        pidfd = os.pidfd_open(pid)
        try:
            while os.waitpid(pid, os.WNOHANG)[0] == 0:
                for number in os.listdir("/proc/%d/fd" % pid):
                    if "seccomp" in link(pid, int(number)):
                        return pid, LIBC.syscall(self.getfd, pidfd, int(number), 0)
                time.sleep(0.0002)  # polls
            raise OSError("no seccomp listener")
        finally:
            os.close(pidfd)

    def run(self, argv, given=b"", fault=None, watch=None, user=0, limit=30):
        """fault: (process, name, count, what); watch(call): called before each call is made, and not made when its answer
        is LIE or the name of an error."""
        files = [os.memfd_create(n, os.MFD_CLOEXEC) for n in ("in", "out", "err")]
        os.write(files[0], given)
        os.lseek(files[0], 0, os.SEEK_SET)
        run = Run()
        run.calls = []
        pid, listener = self.start(argv, files, user)
        run.pid = pid
        try:
            self.attend(listener, run, fault, watch, time.monotonic() + limit)
        finally:
            os.close(listener)
        run.status = self.reap(pid, run.status)
        run.out, run.err = (os.pread(fd, 1 << 20, 0) for fd in files[1:])
        for fd in files:
            os.close(fd)
        return run

    def attend(self, listener, run, fault, watch, end):
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        tasks = Tasks()
        while True:
            events = poll.poll(max(0, int((end - time.monotonic()) * 1000)))
            if not events:
                os.kill(-1, signal.SIGKILL)
                return
            if not events[0][1] & select.POLLIN:
                run.status = None                       # the last process that had the filter is gone
                return
            try:
                notice = fcntl.ioctl(listener, RECV, bytes(80))
                self.answer(listener, notice, tasks, run, fault, watch)
            except OSError as e:
                if e.errno not in (errno.ENOENT, errno.EINTR):                            # it was killed in between
                    raise

    def answer(self, listener, notice, tasks, run, fault, watch):
        ident, pid, _, nr, _, _, *args = struct.unpack("QIIiIQ6Q", notice)
        name = self.names.get(nr, str(nr))
        task = tasks.of(pid)
        count = tasks.count(task, name) if task else 0
        reply = struct.pack("QqiI", ident, 0, 0, CONTINUE)
        if count and watch:
            call = Call(task["name"], name, count, args, *look(pid, name, args))
            run.calls.append(call)
            said = watch(call)
            if said:
                reply = struct.pack("QqiI", ident, 0, 0 if said == LIE else -getattr(errno, said), 0)
        if count and fault and fault[:3] == (task["name"], name, count):
            run.hit = run.calls[-1]
            if fault[3] in CALLER:
                os.kill(run.pid, CALLER[fault[3]])
                fault = None
        if count and fault and fault[:3] == (task["name"], name, count):
            if fault[3] in (KILL, CUT):
                os.kill(pid if fault[3] == KILL else -1, signal.SIGKILL)
                return
            done = self.half(pid, name, args) if fault[3] == SHORT else -getattr(errno, fault[3])
            if done:
                reply = struct.pack("QqiI", ident, max(done, 0), min(done, 0), 0)
        elif name == "execve":
            tasks.known[pid] = "exec"
        fcntl.ioctl(listener, SEND, reply)

    def half(self, pid, name, args):
        """Read or write half of what was asked for, in its place; how much that was, 0 when there is no half to it."""
        pidfd, n = os.pidfd_open(pid), args[2] // 2
        fd = LIBC.syscall(self.getfd, pidfd, int(args[0] & 0xFFFFFFFF), 0)
        os.close(pidfd)
        if fd < 0:
            return 0
        try:
            if name not in ("read", "pread64"):
                data = memory(pid, args[1], n)
                return os.pwrite(fd, data, args[3]) if name == "pwrite64" else os.write(fd, data)
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                return 0
            data = os.pread(fd, n, args[3]) if name == "pread64" else os.read(fd, n)
        finally:
            os.close(fd)
        with open("/proc/%d/mem" % pid, "r+b", buffering=0) as mem:
            mem.seek(args[1])
            mem.write(data)
        return len(data)

    @staticmethod
    def reap(pid, said):
        status = os.waitpid(pid, 0)[1]
        wait_for_all()
        return said or os.waitstatus_to_exitcode(status)


def wait_for_all():
    """Until no process is left."""
    try:
        while os.waitpid(-1, 0)[0]:
            pass
    except ChildProcessError:
        pass


def become(user):
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def plain_run(argv, given=b"", user=0, limit=30):
    """The same with no fault, and so much faster."""
    run = Run()
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT,
                          preexec_fn=lambda: become(user)) as p:
        try:
            run.out, run.err = p.communicate(given, limit)
            run.status = p.returncode
        except subprocess.TimeoutExpired:
            os.kill(-1, signal.SIGKILL)
    wait_for_all()
    return run
