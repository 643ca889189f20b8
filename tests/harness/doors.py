"""The doors of a machine with systemd, served without it: user onehop, its directories, and a superserver that starts
for each connection what the units in dist/systemd say, with the user, the capabilities and the umask they say."""
import os
import pwd
import re
import select
import shlex
import socket
import subprocess
import threading

from harness import world

UNITS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../dist/systemd/")
DOORS = ("onehop-submit", "onehop-local")
USER = {"onehop": {"uid": 120, "gecos": "", "home": "/var/spool/onehop", "mkhome": False}}
PASSWORDS_GROUP = "Debian-exim"


def files():
    """What is read of dist/systemd, {name: text}: to be called where the sources are seen."""
    names = ["onehop.tmpfiles"] + [name + end for name in DOORS for end in (".socket", "@.service.in")]
    return {name: world.read(UNITS + name) for name in names}


def unit(text):
    """{key: value} of a unit; of a key that stands twice the last one."""
    return dict(re.findall(r"(?m)^(\w+)=(.*)$", text))


def machine(texts):
    """User onehop, who is in the group of passwd.client as the manual has it, and what tmpfiles makes."""
    world.add_users(USER)
    group = world.read("/etc/group")
    world.put("/etc/group", re.sub("(?m)^(%s:.*:)$" % PASSWORDS_GROUP, r"\1onehop", group))
    for kind, path, mode, user, owner in re.findall(r"(?m)^(\w) (\S+) (\S+) (\S+) (\S+)", texts["onehop.tmpfiles"]):
        if kind == "d":
            subprocess.run(["install", "-d", "-m", mode, "-o", user, "-g", owner, path], check=True)


def started(service):
    """The words that start a service with its user, groups and powers; all powers where the unit does not bound them."""
    user = service.get("User", "root")
    bounds = service.get("CapabilityBoundingSet")
    powers = [] if bounds is None else ["--inh-caps=-all", "--bounding-set=" + ",".join(
        ["-all"] + ["+" + word.lower().removeprefix("cap_") for word in bounds.split()])]
    return ["/usr/bin/setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups", *powers,
            *(["--no-new-privs"] if service.get("NoNewPrivileges") == "yes" else []),
            *shlex.split(service["ExecStart"].replace("@pkglibexecdir@", "/opt/onehop"))]


class Doors(threading.Thread):
    """Listens at the sockets and starts the services, as children of this process."""

    def __init__(self, texts, log):
        super().__init__(daemon=True)
        self.log, self.lock, self.services = log, threading.Lock(), {}
        for name in DOORS:
            listens, service = unit(texts[name + ".socket"]), unit(texts[name + "@.service.in"])
            os.makedirs(os.path.dirname(listens["ListenStream"]), int(listens["DirectoryMode"], 8), exist_ok=True)
            sock = socket.socket(socket.AF_UNIX)
            sock.bind(listens["ListenStream"])
            os.chmod(listens["ListenStream"], int(listens["SocketMode"], 8))
            os.chown(listens["ListenStream"], pwd.getpwnam(listens.get("SocketUser", "root")).pw_uid, -1)
            sock.listen(64)
            self.services[sock] = (started(service), service)

    def called(self, timeout=None):
        return select.select(list(self.services), [], [], timeout)[0]

    def idle(self):
        """Has everybody who has called been served, or is being?"""
        with self.lock:
            return not self.called(0)

    def run(self):
        while True:
            self.called()
            with self.lock:
                for sock in self.called(0):
                    self.serve(sock)

    def serve(self, sock):
        argv, service = self.services[sock]
        user = service.get("User", "root")
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8", "USER": user, "LOGNAME": user}
        with sock.accept()[0] as conn:
            out = conn if service["StandardOutput"] == "socket" else subprocess.DEVNULL
            subprocess.Popen(argv, stdin=conn, stdout=out, stderr=self.log, env=env, cwd="/", umask=int(service.get("UMask", "0022"), 8))
