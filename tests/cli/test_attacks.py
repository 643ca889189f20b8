"""What a user can give the set-uid gate (onehop-post) and its sender along, or do to them while they run: nothing is gained.

All rows are played on one machine, some at a time; each has a message of its own, whose subject is the row's number.
Its outcome is "one" (it goes out or waits, once, as alice's), "none" (the gate or the sender refuses it and says so) or
"either" (she has taken away what they need; what they said of the message still holds)."""
import json
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli.test_doors import MAKE_SPOOL, RECORDS, SECRET, SERVER, installed, messages, play  # noqa: E402
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

# Alice: PRE runs before there is a child, CHILD in it just before the gate is started, DURING while that runs.
PLAYER = """
import ctypes, fcntl, json, mmap, resource, signal, stat, threading, time
libc = ctypes.CDLL(None, use_errno=True)
NAME, PLACE, HOME = %(name)r, %(place)r, "/home/alice"
program, argv, env, killed = PLACE + "/onehop-post", ["onehop-post"], {}, []
mine, theirs = socket.socketpair()
stdin, notes = theirs.fileno(), []
HEAD = raw("H", b"Subject: row " + NAME.encode() + b"\\n")
SLOW = "slow@isp.example"                            # the server thinks about this sender for a second
said = [HELLO + envelope() + rcpt() + HEAD + BODY + GO]
VERBOSE = record("V", "2", "1", "0", "0")

def limit(which, soft, hard=None):
    resource.setrlimit(getattr(resource, "RLIMIT_" + which), (soft, soft if hard is None else hard))

def library(**more):
    env.update({k: HOME + "/x.so" for k in more.pop("all", "").split()}, **more)

def with_file(fd, size="5", start="0", before=HELLO + envelope()):
    '''The message with the body behind fd: up to the descriptor, the descriptor, the end.'''
    said[:] = [before + rcpt() + HEAD, fd, record("G", size, "1", "4", "0", "0", start)]
    return fd

def memory(text=b"body\\n"):
    fd = os.memfd_create("body")
    os.write(fd, text)
    return fd

def until(text):
    '''Read what the sender tells of its session until it says this.'''
    while text not in heard[0]:
        got = mine.recv(4096)
        if not got:
            return
        heard[0] += got

def pid_of_sender():
    while True:
        with open("/proc/%%d/status" %% pid) as f:
            text = f.read()
        if "Name:\\tonehop-send" in text and "Uid:\\t120\\t120\\t120" in text:
            return pid

def forbidden(what, *args):
    '''It fails with EPERM or EACCES (or there is nothing of hers to find).'''
    try:
        what(*args)
        notes.append("possible: %%s%%s" %% (getattr(what, "__name__", what), args))
    except (PermissionError, ProcessLookupError):
        pass

def call(name, *args):
    if libc[name](*args) == -1:
        raise OSError(ctypes.get_errno(), name)

def ptrace(*args):
    libc.ptrace.restype = ctypes.c_long
    if libc.ptrace(*(ctypes.c_long(a) for a in args)) == -1:
        raise OSError(ctypes.get_errno(), "ptrace")

def run():
    call("execve", ctypes.c_char_p(program.encode()), (ctypes.c_char_p * (len(argv) + 1))(*[a.encode() for a in argv], None),
         (ctypes.c_char_p * (len(env) + 1))(*["{}={}".format(*kv).encode() for kv in env.items()], None))

def say():
    for part in said:
        if isinstance(part, bytes):
            mine.sendall(part)
        else:
            part = part if isinstance(part, list) else [part]
            mine.sendmsg([raw("F", b"")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", part))])

heard = [b""]
%(pre)s
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    try:
        if stdin is not None:
            os.dup2(stdin, 0)
        %(child)s
        run()
    except BaseException as e:
        os.write(2, ("the gate was not started: %%s" %% e).encode())
    os._exit(126)
theirs.close()
mine.settimeout(20)
try:
    say()
    %(during)s
    while True:
        got = mine.recv(65536)
        if not got:
            break
        heard[0] += got
except OSError as e:
    notes.append("socket: %%s" %% e.__class__.__name__)
_, status = os.waitpid(pid, 0)

def records(text):
    while len(text) >= 5:
        n = struct.unpack(">I", text[1:5])[0]
        yield text[:1].decode("latin-1"), text[5:5 + n].decode("latin-1").split("\\0")
        text = text[5 + n:]

got = list(records(heard[0]))
states = [int(fields[0]) for letter, fields in got if letter == "R"]
ends = [fields[0] == "0" for letter, fields in got if letter == "Z"]
print("\\nEND " + json.dumps({"status": status, "taken": ends == [True] and states in ([1], [4]), "said": bool(ends), "notes": notes}))
"""

LOADER = "LD_PRELOAD LD_AUDIT LD_LIBRARY_PATH LD_PROFILE LD_ORIGIN_PATH LD_PROFILE_OUTPUT LD_DEBUG_OUTPUT"
# A filter of system calls by which setresuid says that it has worked, and does nothing.
FILTER = """class F(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]
class P(ctypes.Structure):
    _fields_ = [("len", ctypes.c_uint16), ("filter", ctypes.POINTER(F))]
rules = (F * 4)(F(0x20, 0, 0, 0), F(0x15, 0, 1, 117), F(6, 0, 0, 0x50000), F(6, 0, 0, 0x7fff0000))
filter = P(4, rules)
"""
FALSE_END = "said[0] = HELLO + envelope() + rcpt() + HEAD + raw('B', %r) + record('G', %r, '1', '4', '0', '0', '0')"
INJECTED = b"MAIL FROM:<chief@isp.example>\r\nRCPT TO:<y@far.example>\r\nDATA\r\nSubject: row injected\r\n\r\n.\r\n"


def smuggled(between):
    text = b"x" + between + INJECTED + b"\n"
    return FALSE_END % (text, str(len(text)))


STDIN = {
    "nothing": "stdin = os.open('/dev/null', os.O_RDWR)",
    "a file": "stdin = os.open(HOME + '/in', os.O_RDWR | os.O_CREAT)",
    "a pipe": "stdin = os.pipe()[0]",
    "a directory": "stdin = os.open('/', os.O_RDONLY)",
    "a FIFO": "os.mkfifo(HOME + '/fifo'); stdin = os.open(HOME + '/fifo', os.O_RDWR)",
    "a name only": "stdin = os.open('/etc/passwd', os.O_PATH)",
    "a TCP socket": "l = socket.create_server(('127.0.0.1', 0)); t = socket.create_connection(l.getsockname()); stdin = t.fileno()",
    "a netlink socket": "t = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); stdin = t.fileno()",
    "a socket without an end": "t = socket.socket(socket.AF_UNIX); stdin = t.fileno()",
    "zeros": "stdin = os.open('/dev/zero', os.O_RDONLY)",
    "an event descriptor": "stdin = libc.eventfd(0, 0)",
}
FDS = {"descriptors %s closed" % " ".join(map(str, fds)): ("none" if 0 in fds else "one", "", "; ".join("os.close(%d)" % n for n in fds), "")
       for fds in ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2))}
LIMITS = {"%s %s" % (name, value): (outcome, "", "limit(%r, %d)" % (name, value), "") for outcome, name, value in (
    ("either", "AS", 1 << 22), ("either", "AS", 1 << 24), ("either", "AS", 1 << 26), ("either", "DATA", 0), ("either", "STACK", 1 << 17),
    ("either", "FSIZE", 0), ("either", "FSIZE", 100), ("either", "FSIZE", 1500), ("either", "NOFILE", 3), ("either", "NOFILE", 6), ("either", "NOFILE", 10),
    ("either", "CPU", 0), ("one", "CPU", 1), ("either", "NPROC", 0), ("one", "CORE", -1), ("one", "MEMLOCK", 0), ("one", "SIGPENDING", 0), ("one", "NICE", 0),
    ("one", "RTPRIO", 0), ("one", "MSGQUEUE", 0), ("one", "RSS", 0))}
ENVIRONMENT = {name: ("one", pre, "", "") for name, pre in {
    "the loader's variables": "library(all=%r, LD_DEBUG='all', LD_BIND_NOW='1', LD_SHOW_AUXV='1')" % LOADER,
    "the loader shall only check": "env.update(LD_VERBOSE='1', LD_WARN='1', LD_USE_LOAD_BIAS='1', LD_DYNAMIC_WEAK='1', LD_ASSUME_KERNEL='2.4')",
    "tunables": "env['GLIBC_TUNABLES'] = 'glibc.malloc.mxfast=glibc.malloc.mxfast=' + 'A' * 4000",
    "tunables of malloc": "env['GLIBC_TUNABLES'] = 'glibc.malloc.check=3:glibc.malloc.perturb=7:glibc.rtld.optional_static_tls=4096'",
    "character sets": "library(all='GCONV_PATH', LC_ALL='x.UTF-7', CHARSET='UTF-7')",
    "locales": "library(all='LOCPATH NLSPATH', LANG='../../home/alice', LANGUAGE='../x', LC_ALL='/home/alice/x')",
    "malloc": "library(all='MALLOC_TRACE', MALLOC_CHECK_='3', MALLOC_PERTURB_='255', MALLOC_ARENA_MAX='1', MALLOC_TOP_PAD_='9999999')",
    "temporary directories": "env.update({k: HOME for k in ('TMPDIR', 'TMP', 'TEMP', 'TEMPDIR', 'TMPPREFIX')})",
    "a time zone": "env.update(TZ=':/home/alice/x.so', TZDIR=HOME)",
    "a long time zone": "env['TZ'] = 'A' * 100000",
    "the resolver": "library(all='HOSTALIASES RESOLV_HOST_CONF', RES_OPTIONS='debug attempts:9', LOCALDOMAIN='evil.example')",
    "TLS": "library(all='SSLKEYLOGFILE GNUTLS_SYSTEM_PRIORITY_FILE P11_KIT_CONFIG_FILE', GNUTLS_DEBUG_LEVEL='9', GNUTLS_FORCE_FIPS_MODE='1')",
    "a setup of hers": "env.update(HOME=HOME, XDG_CONFIG_HOME=HOME, XDG_STATE_HOME=HOME, CREDENTIALS_DIRECTORY=HOME)",
    "who she says she is": "env.update(USER='root', LOGNAME='root', SUDO_USER='bob', PATH=HOME, IFS='/', ENV=HOME + '/x', BASH_ENV=HOME + '/x')",
    "sockets handed over": "env.update(LISTEN_FDS='5', LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET='/home/alice/n', JOURNAL_STREAM='8:1', INVOCATION_ID='x')",
    "much environment": "env.update({'V%d' % n: 'x' * 100000 for n in range(15)})",
    "many variables": "env.update({'V%d' % n: '' for n in range(60000)})",
    "names that are none": "env.update({'': 'x', 'A\\nB': 'y', '%s%n': '%s%n'})",
    "sanitizers": "env.update(ASAN_OPTIONS='detect_leaks=0', UBSAN_OPTIONS='log_path=/tmp/ubsan', LLVM_PROFILE_FILE='/tmp/prof')",
}.items()}
ENVIRONMENT["the loader shall only list"] = ("either", "env['LD_TRACE_LOADED_OBJECTS'] = '1'", "", "")     # glibc ends a set-uid program
# The child goes on when all is said.
HOLD, HELD, LET_GO = "held = os.pipe()", "os.read(held[0], 1); ", "os.write(held[1], b'x')"
OWNED = "fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid()); fcntl.fcntl(0, 10, 9); fcntl.fcntl(0, fcntl.F_SETFL, os.O_ASYNC)"
OWNED_BY_GROUP = "os.setpgid(0, 0); fcntl.fcntl(0, fcntl.F_SETOWN, -os.getpid()); fcntl.fcntl(0, fcntl.F_SETFL, os.O_ASYNC)"
SIGNALS = {
    "signals ignored": ("one", "[signal.signal(s, signal.SIG_IGN) for s in range(1, 65) if s not in (9, 19, 17, 32, 33)]", "", ""),
    "children ignored": ("one", "", "signal.signal(signal.SIGCHLD, signal.SIG_IGN)", ""),
    "signals blocked": ("one", "", "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))", ""),
    "signals pending": ("either", "", "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); [os.kill(os.getpid(), s) for s in (1, 2, 3, 10, 14, 15)]", ""),
    "a fault pending": ("either", "", "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); [os.kill(os.getpid(), s) for s in (6, 7, 8, 11)]", ""),
    "signals queued": ("either", "", "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); [os.kill(os.getpid(), 40) for n in range(500)]", ""),
    "a timer in real time": ("either", "", "signal.setitimer(signal.ITIMER_REAL, 0.05, 0.01)", ""),
    "a timer in its own time": ("one", "", "signal.setitimer(signal.ITIMER_VIRTUAL, 0.02, 0.001)", ""),
    "a timer that profiles": ("one", "", "signal.setitimer(signal.ITIMER_PROF, 0.02, 0.001)", ""),
    "an alarm": ("one", "said[0] = HELLO + envelope('slower@isp.example') + rcpt() + HEAD + BODY + GO", "signal.alarm(2)", ""),
    "a POSIX timer": ("one", "said[0] = HELLO + envelope('slower@isp.example') + rcpt() + HEAD + BODY + GO", "t = ctypes.c_void_p(); call('timer_create', 1, None, ctypes.byref(t)); "
                      "call('timer_settime', t, 0, (ctypes.c_long * 4)(0, 5000000, 2, 0), None)", ""),
    "a signal when its parent ends": ("one", "", "libc.prctl(1, 9)", ""),
    # Who sent them is alice until the gate has become another: what comes before that may end it, what comes later may not.
    "signals for its socket": ("one", HOLD, HELD + OWNED, LET_GO),
    "signals for its socket's group": ("one", HOLD, HELD + OWNED_BY_GROUP, LET_GO),
    "signals for its socket from the start": ("either", "", OWNED, ""),
    "signals for its socket's group from the start": ("either", "", OWNED_BY_GROUP, ""),
}
PLACES = {
    "umask 0": ("one", "", "os.umask(0)", ""), "umask 777": ("one", "", "os.umask(0o777)", ""),
    "a directory of hers": ("one", "", "os.chdir(HOME)", ""),
    "a directory that is gone": ("one", "", "os.mkdir('/tmp/gone'); os.chdir('/tmp/gone'); os.rmdir('/tmp/gone')", ""),
    "a directory not to be read": ("one", "", "os.makedirs('/tmp/shut/in'); os.chdir('/tmp/shut/in'); os.chmod('/tmp/shut', 0)", ""),
    "no name": ("one", "argv = []", "", ""), "an empty name": ("one", "argv = ['']", "", ""),
    "a path for a name": ("one", "argv = ['/home/alice/bin/onehop-post']", "", ""),
    "a format for a name": ("one", "argv = ['%n%s\\n']", "", ""), "a huge name": ("one", "argv = ['x' * 130000]", "", ""),
    "many arguments": ("one", "argv = ['onehop-post'] + ['-C', HOME + '/c', '-v', '--', '-oQ/tmp'] * 2000", "", ""),
    "a symbolic link to it": ("one", "os.symlink(program, HOME + '/bin/link'); program = HOME + '/bin/link'", "", ""),
    "a link to it beside a sender of hers": ("one", "program = HOME + '/bin/onehop-post'", "os.chdir(HOME + '/bin')", ""),
    "a hard link of hers": ("one", "try:\n    os.link(program, HOME + '/bin/hard')\n    notes.append('possible: link')\nexcept OSError:\n    pass", "", ""),
}
STATE = {
    "nice": ("one", "", "os.nice(19)", ""), "idle": ("one", "", "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))", ""),
    "no room in memory": ("one", "", "open('/proc/self/oom_score_adj', 'w').write('1000')", ""),
    "input and output when idle": ("one", "", "libc.syscall(251, 1, 0, 3 << 13)", ""),
    "one processor": ("one", "", "os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])", ""),
    "addresses not random, all executable": ("one", "", "libc.personality(0x0440000)", ""),
    "page 0, 32 bits, sticky": ("one", "", "libc.personality(0x0100000 | 0x4000000 | 0x0800000 | 8)", ""),
    "slack": ("one", "", "libc.prctl(29, 999999999)", ""), "an orphans' home": ("one", "", "libc.prctl(36, 1)", ""),
    "another root of keys": ("one", "", "libc.syscall(250, 1, None)", ""),
    "no new privileges": ("none", "", "libc.prctl(38, 1, 0, 0, 0)", ""),
    "a filter that lies": ("none", FILTER, "libc.prctl(38, 1, 0, 0, 0); call('prctl', 22, 2, ctypes.byref(filter))", ""),
    "a filter that lies, with privileges": ("none", FILTER, "call('prctl', 22, 2, ctypes.byref(filter))", ""),
    "traced": ("none", "", "ptrace(0, 0, 0, 0)", "os.waitpid(pid, 0); ptrace(7, pid, 0, 0)"),
    "many descriptors": ("one", "", "[os.dup2(1, n, inheritable=True) for n in range(20, 900)]", ""),
    "a lock that it holds": ("one", "", "fcntl.flock(os.dup2(os.open(HOME + '/in', os.O_RDWR | os.O_CREAT), 9), fcntl.LOCK_EX)", ""),
    "a socket that does not wait": ("either", "theirs.setblocking(False)", "", ""),
    "a socket that gives up": ("either", "", "theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 0, 1))", ""),
    "a socket of packets": ("either", "mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET); stdin = theirs.fileno()", "",
                            "mine.shutdown(1)"),
    "a socket that tells credentials": ("one", "theirs.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)", "", ""),
    "a socket shut down": ("either", "theirs.shutdown(1)", "", ""),
}
BODIES = {name: (outcome, pre, "", during) for name, (outcome, pre, during) in {
    "in memory": ("one", "with_file(memory())", ""),
    "a pipe that does not end": ("none", "with_file(os.pipe()[0])", ""),
    "a FIFO": ("none", "os.mkfifo(HOME + '/f2'); with_file(os.open(HOME + '/f2', os.O_RDWR))", ""),
    "a name only": ("none", "with_file(os.open(HOME + '/c', os.O_PATH), str(os.path.getsize(HOME + '/c')))", ""),
    "a directory": ("none", "with_file(os.open('/', 0))", ""),
    "zeros": ("none", "with_file(os.open('/dev/zero', 0))", ""),
    "a socket": ("none", "t = socket.socketpair(); with_file(t[0].fileno())", ""),
    "its own socket": ("none", "d = with_file(os.dup(theirs.fileno()))", "os.close(d)"),
    "memory of hers": ("one", "with_file(os.open('/proc/self/mem', os.O_RDWR), '0')", ""),
    "an epoll descriptor": ("none", "import select; e = select.epoll(); with_file(e.fileno())", ""),
    "to write to only": ("none", "open(HOME + '/w', 'w').write('body\\n'); with_file(os.open(HOME + '/w', os.O_WRONLY))", ""),
    "shorter than said": ("none", "with_file(memory(b'b'))", ""),
    "with a start behind its end": ("none", "with_file(memory(), '0', '9')", ""),
    "with a start like a spool file": ("one", "with_file(memory(b'1xVsfr-00000K-3L-D\\n'[:19] + b'body\\n'), '5', '19')", ""),
    "of no end": ("none", "f = memory(); os.ftruncate(f, 1 << 40); with_file(f, str(1 << 40))", ""),
    "shrunk before it is used": ("none", "f = with_file(memory()); os.ftruncate(f, 1)", ""),
    "shrunk while it is sent": ("either", "f = with_file(memory(b'body\\n' * 100000), '500000', '0', VERBOSE + envelope(SLOW))",
                                "until(b'MAIL FROM'); os.ftruncate(f, 1000)"),
    "grown while it is sent": ("either", "f = with_file(memory(), '5', '0', VERBOSE + envelope(SLOW))", "until(b'MAIL FROM'); os.ftruncate(f, 1 << 30)"),
    "changed while it is sent": ("either", "f = with_file(memory(b'body\\n' * 20000), '100000', '0', VERBOSE + envelope(SLOW))",
                                 "until(b'MAIL FROM'); os.pwrite(f, b'\\r\\n.\\r\\n' + %r, 0)" % INJECTED),
    "leased": ("one", "open(HOME + '/l', 'w').write('body\\n'); f = os.open(HOME + '/l', os.O_RDONLY); fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_RDLCK); "
               "with_file(f)", ""),
    "locked": ("one", "open(HOME + '/k', 'w').write('body\\n'); f = os.open(HOME + '/k', os.O_RDWR); fcntl.flock(f, fcntl.LOCK_EX); "
               "fcntl.lockf(f, fcntl.LOCK_EX); with_file(f)", ""),
    "sent and closed, with its name gone": ("one", "open(HOME + '/g', 'w').write('body\\n'); with_file(os.open(HOME + '/g', os.O_RDONLY)); os.unlink(HOME + '/g')", ""),
    "many at once": ("either", "with_file([memory() for n in range(200)])", ""),
    "many one after the other": ("one", "f = memory(); with_file(f); said[1:1] = [f] * 3000", ""),
    "with what has no body": ("either", "said[:] = [memory(), said[0]]", ""),
}.items()}
ENDS = {"a false end %r" % between: ("either", smuggled(between), "", "") for between in (b"\r\n.\r\n", b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r.\n", b"\n\r.\r\n")}
# What she does to the sender, which is another user's process while the server thinks.
RUNNING = "said[0] = HELLO + envelope(SLOW) + rcpt() + HEAD + BODY + GO"
AT_WORK = {name: ("one", RUNNING, "", "p = pid_of_sender(); " + during) for name, during in {
    "killed": "[forbidden(os.kill, p, s) for s in (9, 15, 6, 3, 2, 1)]",
    "stopped": "[forbidden(os.kill, p, s) for s in (19, 20, 21)]",
    "its group killed": "forbidden(os.killpg, p, 9)",
    "attached to": "forbidden(ptrace, 16, p, 0, 0); forbidden(ptrace, 0x4206, p, 0, 0)",
    "its memory": "forbidden(open, '/proc/%d/mem' % p, 'r+b')",
    "its maps": "forbidden(open, '/proc/%d/maps' % p)",
    "its environment": "forbidden(open, '/proc/%d/environ' % p)",
    "its descriptors": "forbidden(os.listdir, '/proc/%d/fd' % p)",
    "its directory": "forbidden(os.readlink, '/proc/%d/cwd' % p); forbidden(os.readlink, '/proc/%d/root' % p)",
    "its stack": "forbidden(open('/proc/%d/syscall' % p).read) if os.access('/proc/%d/syscall' % p, os.R_OK) else None",
    "its limits": "forbidden(resource.prlimit, p, resource.RLIMIT_FSIZE, (0, 0))",
    "its priority": "forbidden(os.setpriority, os.PRIO_PROCESS, p, 19); forbidden(os.sched_setaffinity, p, [0])",
    "its worth": "forbidden(open, '/proc/%d/oom_score_adj' % p, 'w')",
    "its descriptors by pidfd": "q = os.pidfd_open(p); forbidden(call, 'syscall', 438, q, 0, 0); forbidden(signal.pidfd_send_signal, q, 9)",
    "its memory by another call": "forbidden(call, 'process_vm_readv', p, None, 0, None, 0, 0) if 0 else None; "
                                  "forbidden(call, 'syscall', 312, os.getpid(), p, 0, 0, 0)",
    "its program": "forbidden(open, '/proc/%d/exe' % p, 'ab')",
    "its namespaces": "forbidden(os.readlink, '/proc/%d/ns/net' % p)",
    "the file that it writes": "forbidden(os.listdir, '/var/spool/onehop'); forbidden(os.listdir, '/var/log/onehop')",
    "the password": "forbidden(open, '/etc/exim4/passwd.client')",
}.items()}
ROWS = {**FDS, **LIMITS, **ENVIRONMENT, **SIGNALS, **PLACES, **STATE, **{"stdin: " + k: ("none", v, "", "") for k, v in STDIN.items()},
        **{"body: " + k: v for k, v in BODIES.items()}, **ENDS, **{"at work: " + k: v for k, v in AT_WORK.items()}}
TRAPS = {"x.so": "not a library\n", "c": "smarthost = 127.0.0.1::1\n", "passwd.client": "*:me:hers\n", "onehop/onehop.conf": "smarthost = 127.0.0.1::1\n",
         "bin/onehop-send": "#!/bin/sh\nid >/tmp/evil-ran\n", "bin/sh": "#!/bin/sh\nid >/tmp/evil-ran\n"}


# Plays the rows that it reads, each in a process of its own.
DRIVER = """
import json, os, select, signal, sys, time
ROOM, SECONDS = 6, 45
rows, at_work, told = list(enumerate(json.load(sys.stdin))), {}, {}

def start(number, text):
    out, put = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.dup2(put, 1)
        os.dup2(put, 2)
        os.closerange(3, 50)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        try:
            exec(compile(text, "row", "exec"), {"__name__": "row"})
            sys.stdout.flush()
        except BaseException as e:
            os.write(1, ("row: %r" % e).encode())
        os._exit(0)
    os.close(put)
    at_work[out] = [number, pid, time.monotonic() + SECONDS, b""]

while rows or at_work:
    while rows and len(at_work) < ROOM:
        start(*rows.pop(0))
    for out in select.select(list(at_work), [], [], 0.2)[0]:
        got = os.read(out, 65536)
        at_work[out][3] += got
        if not got:
            number, pid, _, text = at_work.pop(out)
            os.close(out)
            os.waitpid(pid, 0)
            told[number] = text.decode("utf-8", "replace")
    for out, (number, pid, end, text) in list(at_work.items()):
        if time.monotonic() > end:
            at_work[out][2] += SECONDS
            at_work[out][3] += b"row: it took too long"
            os.killpg(pid, signal.SIGKILL)
print(json.dumps([told[n] for n in sorted(told)]))
"""


def script(number, place):
    _, pre, child, during = list(ROWS.values())[number]
    return RECORDS + PLAYER % {"name": "%03d" % number, "place": place, "pre": pre, "child": child or "pass", "during": during or "pass"}


def before(place):
    """Root, once: alice's traps, and what she could have made where hard links are not protected."""
    return ["/bin/sh", "-ec", "chmod 755 /home/alice/bin/*; cp %s/onehop-post /home/alice/bin; chown onehop:onehop /home/alice/bin/onehop-post; "
            "chmod 6755 /home/alice/bin/onehop-post; chown alice: /home/alice/bin" % place]


def attack(directory, rows):
    how, place = installed(directory)
    run = {"argv": ["/usr/bin/python3", "-c", DRIVER], "user": "alice", "stdin": json.dumps([script(n, place) for n in rows]), "limit": 200}
    # No CHUNKING, so that the text ends with a dot.
    server = {**SERVER, "mail": {"slow@": ["SLEEP 1", "250 ok"], "slower@": ["SLEEP 3", "250 ok"], "default": "250 ok"}}
    config = {"files": {"/home/alice/" + k: {"content": v, "owner": "alice"} for k, v in TRAPS.items()}}
    got = play(MAKE_SPOOL, {"argv": before(place)}, run, servers=[server], daemons=(), config=config, **how)
    assert got["steps"][2]["rc"] == 0 and got["steps"][2]["settled"], got["steps"][2]
    got["rows"] = json.loads(got["steps"][2]["stdout"])
    return got


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    return attack(tmp_path_factory.mktemp("attacks"), range(len(ROWS)))


def number_of(text):
    return re.findall(r"(?m)^Subject: row (\w+)", text)


def copies_of(seen, number):
    number = "%03d" % number
    sent = [m for m in messages(seen) if number_of(m["data"])[:1] == [number] and m["reply"].startswith("250")]
    waiting = [path for path, f in seen["files"].items() if path.endswith("-H") and "Subject: row %s\n" % number in f["content"]]
    return sent, waiting


@pytest.mark.parametrize("name", ROWS)
def test_row(seen, name):
    number = list(ROWS).index(name)
    outcome, text = ROWS[name][0], seen["rows"][number]
    words, _, end = text.rpartition("\nEND ")
    assert end and "row: " not in text, text
    said = json.loads(end)
    assert "not started" not in words or outcome != "one", text
    assert all(note.startswith("socket") for note in said["notes"]), text
    copies = sum(map(len, copies_of(seen, number)))
    if sandbox.sanitized() and re.search("timer|signals", name):        # it is slow, and they may come before main()
        outcome = "either"
    assert copies <= 1 and (copies == 1 or outcome != "one") and (copies == 0 or outcome != "none"), (copies, text)
    assert copies == 1 or not said["taken"], "it was lost: " + text
    assert "x.so" not in words and SECRET not in text


def test_each_message_is_alice_s(seen):
    for m in messages(seen):
        assert "AUTH=alice@debian" in m["mail"] and len(number_of(m["data"])) >= 1, m
        assert number_of(m["data"])[0] != "injected", m
    assert not [c for c in seen["smtp"] for who, line in c["dialogue"] if who == "C" and line.startswith("RCPT") and "y@far" in line]
    heads = [f["content"] for path, f in seen["files"].items() if path.endswith("-H")]
    assert all(re.search(r"(?m)^-ident alice$", h) and "\n-ident root" not in h for h in heads), heads
    assert " U=root " not in seen["mainlog"] and " U=onehop " not in seen["mainlog"]


def test_nothing_is_touched(seen):
    spool = ("/var/spool/onehop", "/var/log/onehop")
    for path, f in seen["files"].items():
        owner = f["owner"].split(":")[0]
        assert owner in ("alice", "onehop") or path.startswith("/tmp/daemons.log"), (path, f)
        assert path.startswith(spool) == (owner == "onehop") or path == "/home/alice/bin/onehop-post", (path, f)
        assert path.rsplit("/", 1)[-1] not in ("evil-ran", "x.so", "core", "ubsan") and SECRET not in f.get("content", ""), (path, f)


def test_there_are_enough():
    assert len(ROWS) >= 60
