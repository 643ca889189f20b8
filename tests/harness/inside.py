"""Play one case inside fresh namespaces; sandbox.py starts it as process 1 of them.

Standard input is {"case", "programs", "certs", "binds"} as JSON, standard output what was observed.
"""
import base64
import glob
import grp
import json
import os
import pwd
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import dnsstub, doors, smtpserver, world  # noqa: E402

L1 = "latin-1"


def children():
    """Those of process 1, that is of this one and of all that have lost their parent."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        status = world.read("/proc/%s/stat" % pid)
        if status and status.rpartition(")")[2].split()[1] == "1":
            found.add(int(pid))
    return found


def nobody_calls():
    """There are no doors."""
    return True


def reap(limit, keep, idle):
    """As process 1: wait until no process is left but those to keep, and none is due.  True when that came to pass."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            pid = 0
        if pid == 0 and idle() and not children() - keep:
            return True
        if pid == 0:
            time.sleep(0.005)  # polls
    return False


def become(user):
    if user == "root":
        return None
    p = pwd.getpwnam(user)
    groups = [p.pw_gid] + [g.gr_gid for g in grp.getgrall() if user in g.gr_mem]

    def drop():
        os.setgroups(groups)
        os.setresgid(p.pw_gid, p.pw_gid, p.pw_gid)
        os.setresuid(p.pw_uid, p.pw_uid, p.pw_uid)
    return drop


def wait_for(reached, limit=30):
    end = time.monotonic() + limit
    while not reached():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)  # polls
    return True


def answers(where):
    """Does somebody listen at [address, port] or at the path of a socket?"""
    unix = isinstance(where, str)
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as s:
        return s.connect_ex(where if unix else tuple(where)) == 0


def run_step(step, keep, idle):
    user = step.get("user", "root")
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": pwd.getpwnam(user).pw_dir, "USER": user, "LOGNAME": user,
           "TERM": "dumb", "LANG": "C.UTF-8", **step.get("env", {})}
    env = {k: v for k, v in env.items() if v is not None}
    stdin = base64.b64decode(step["stdin_b64"]) if "stdin_b64" in step else step.get("stdin", "").encode(L1)
    argv = [a.encode(L1) for a in step["argv"]]
    program = argv[0]
    if not os.path.exists(program) and os.path.basename(program).decode() in world.NAMES:
        program = b"/usr/sbin/" + os.path.basename(program)
    given = {"stdin": subprocess.DEVNULL} if step.get("stdin_null") else {"input": stdin}
    start = time.monotonic()
    try:
        r = subprocess.run(argv, executable=program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                           cwd=step.get("cwd", "/"), preexec_fn=become(user), timeout=step.get("limit", 40), **given)
        rc, out, err = r.returncode, r.stdout, r.stderr
    except subprocess.TimeoutExpired as e:
        rc, out, err = "timeout", e.stdout or b"", e.stderr or b""
    except FileNotFoundError:
        rc, out, err = 127, b"", b"no such program"
    secs = round(time.monotonic() - start, 3)
    return {"argv": step["argv"], "user": user, "rc": rc, "stdout": out.decode(L1), "stderr": err.decode(L1),
            "secs": secs, "settled": reap(step.get("settle", 25), keep, idle)}


class Play:
    def __init__(self, job):
        self.case, self.certs = job["case"], job["certs"]
        servers = self.case.get("servers", [])
        socket.sethostname(self.case.get("hostname", "debian"))
        self.net = world.Network({s.get("addr", "192.0.2.25") for s in servers} | set(self.case.get("srv_addrs", [])))
        world.build_root(job["programs"], {job["certs"]: "/run/certs", **job["binds"]}, job["packages"])
        self.certs = "/run/certs"
        world.configure(self.case.get("config", {}), self.certs)
        self.idle = self.open_doors(job["doors"]) if self.case.get("doors") else nobody_calls
        self.sink, self.servers = [], []
        self.dns = dnsstub.DNS(self.case.get("dns"))
        self.dns.start()
        self.serve(servers)
        for daemon in self.case.get("daemons", []):
            self.start(daemon)

    def open_doors(self, units):
        doors.machine(units)
        served = doors.Doors(units, open("/tmp/daemons.log", "ab"))
        served.start()
        return served.idle

    def start(self, daemon):
        """A real server, in the servers' network: {setup: shell script, argv, listens: [[address, port] or path]}."""
        with open("/tmp/daemons.log", "ab") as log:
            how = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            if subprocess.run(["/bin/sh", "-ec", daemon.get("setup", "")], **how).returncode != 0:
                raise RuntimeError(world.read("/tmp/daemons.log"))
            self.net.there(lambda: subprocess.Popen(daemon["argv"], env={"PATH": "/usr/sbin:/usr/bin:/bin"}, **how))
        for where in daemon["listens"]:
            if not wait_for(lambda: self.net.there(answers, where)):
                raise RuntimeError("%s does not answer\n%s" % (daemon["argv"][0], world.read("/tmp/daemons.log")))

    def serve(self, specs):
        for spec in specs:
            server = smtpserver.Server(spec, self.sink, self.certs, self.net.listen)
            server.start()
            self.servers.append(server)

    def changed(self, before):
        return {k: v for k, v in world.snapshot(self.case.get("snap", ())).items() if before.get(k) != v}

    def steps(self):
        before = world.snapshot(self.case.get("snap", ()))
        keep = children()
        steps = []
        for step in self.case["steps"]:
            if "sleep" in step:
                time.sleep(step["sleep"])  # what the case says
            elif "write" in step:
                for path, spec in step["write"].items():
                    world.add_file(path, spec)
            elif "new_servers" in step:
                self.serve(step["new_servers"])
            elif "await" in step:
                if steps[-1]["rc"] == 0:
                    wait_for(lambda: glob.glob(step["await"]))
            else:
                result = run_step(step, keep, self.idle)
                if step.get("snap"):
                    result["files"] = self.changed(before)
                steps.append(result)
        for server in self.servers:
            server.settle(time.monotonic() + 3)
        return {"steps": steps, "smtp": self.sink, "files": self.changed(before), "dns_queries": self.dns.log,
                "mainlog": world.read("/var/log/onehop/mainlog"), "daemons": world.read("/tmp/daemons.log")}


def main():
    job = json.load(sys.stdin)
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        play = Play(job)
    except OSError as e:
        os.write(out, json.dumps({"unavailable": str(e)}).encode())
        os._exit(0)
    with os.fdopen(out, "wb") as f:
        f.write(json.dumps(play.steps()).encode())
    os._exit(0)


main()
