"""The machine that a case sees: a root file system of its own, users, files, addresses.

Everything is built on a tmpfs; of the real machine only /usr (read-only), a few devices and the resolver's
libraries are seen.  The servers live in a second network namespace behind a veth pair, because an MTA
treats an address of its own host in a special way.
"""
import contextlib
import ctypes
import grp
import os
import pwd
import shutil
import socket
import stat
import subprocess
import threading

L1 = "latin-1"
MS_RDONLY, MS_NOSUID, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 32, 4096, 16384, 1 << 18
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)

NAMES = ("sendmail", "onehop", "mailq", "newaliases", "runq", "exim4", "exim", "rsmtp", "rmail")
SYSTEM_USERS = (("root", 0, 0, "root", "/root"), ("daemon", 1, 1, "daemon", "/usr/sbin"), ("bin", 2, 2, "bin", "/bin"),
                ("sys", 3, 3, "sys", "/dev"), ("man", 6, 12, "man", "/var/cache/man"), ("mail", 8, 8, "mail", "/var/mail"),
                ("news", 9, 9, "news", "/var/spool/news"), ("uucp", 10, 10, "uucp", "/var/spool/uucp"),
                ("www-data", 33, 33, "www-data", "/var/www"), ("backup", 34, 34, "backup", "/var/backups"),
                ("Debian-exim", 101, 103, "", "/var/spool/exim4"), ("nobody", 65534, 65534, "nobody", "/nonexistent"))
SYSTEM_GROUPS = (("root", 0), ("daemon", 1), ("bin", 2), ("sys", 3), ("adm", 4), ("mail", 8), ("news", 9), ("uucp", 10),
                 ("man", 12), ("www-data", 33), ("backup", 34), ("shadow", 42), ("Debian-exim", 103), ("nogroup", 65534))
USERS = {"alice": {"uid": 1001, "gecos": "Alice Liddell,,,"}, "bob": {"uid": 1002, "gecos": "Bob B. Builder"},
         "fax": {"uid": 1003, "gecos": ""}}
HOSTS = "127.0.0.1 localhost\n127.0.1.1 debian\n192.0.2.25 smtp.isp.example\n"
DC = {"dc_eximconfig_configtype": "smarthost", "dc_other_hostnames": "debian", "dc_local_interfaces": "127.0.0.1",
      "dc_readhost": "", "dc_relay_domains": "", "dc_minimaldns": "false", "dc_relay_nets": "",
      "dc_smarthost": "smtp.isp.example::2525", "CFILEMODE": "644", "dc_use_split_config": "false",
      "dc_hide_mailname": "false", "dc_mailname_in_oh": "true", "dc_localdelivery": "maildir_home"}
ALIASES = "mailer-daemon: postmaster\npostmaster: root\nroot: alice\n"


def check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, "%s: %s" % (what, os.strerror(error)))


def mount(source, target, kind=None, flags=0, options=""):
    check(LIBC.mount(source.encode(), target.encode(), kind and kind.encode(), ctypes.c_ulong(flags), options.encode()),
          "mount " + target)


def bind(source, target, readonly=True):
    mount(source, target, flags=MS_BIND | MS_REC)
    if readonly:
        try:
            mount("none", target, flags=MS_BIND | MS_REMOUNT | MS_RDONLY)
        except OSError:
            pass                # a container may have locked the flags; nothing here writes there


def put(path, content, mode=0o644, uid=0, gid=0):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "wb") as f:
        f.write(content.encode(L1) if isinstance(content, str) else content)
    os.chown(path, uid, gid)
    os.chmod(path, mode)


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read().decode(L1)
    except OSError:
        return ""


# ---------------------------------------------------------------- root file system
def private_base():
    """A directory of which the mounts that follow are nobody else's.  In a plain chroot / is no mount point;
    /proc then is the one to hide the new root below."""
    try:
        mount("none", "/", flags=MS_REC | MS_PRIVATE)
        return "/mnt"
    except OSError:
        mount("none", "/proc", flags=MS_REC | MS_PRIVATE)
        return "/proc"


def build_root(programs, extra_binds, packages):
    """packages: directories that fetch-servers has unpacked, to see as if they were installed (/run/sbin has
    their /usr/sbin, whatever the names)."""
    root = private_base()
    mount("none", root, "tmpfs", options="mode=0755")
    for d in ("usr", "etc", "dev", "proc", "tmp", "run/sbin", "home", "root", "var/mail", "var/spool", "var/log", "var/tmp",
              "var/lib", "opt/onehop"):
        os.makedirs(root + "/" + d)
    os.symlink("/run", root + "/var/run")
    if packages:
        layers = ":".join([p + "/usr" for p in packages] + ["/usr"])
        mount("overlay", root + "/usr", "overlay", MS_RDONLY, "lowerdir=" + layers)
        bind(root + "/usr/sbin", root + "/run/sbin")
    else:
        bind("/usr", root + "/usr")
    for d in ("bin", "sbin", "lib", "lib64", "lib32", "libx32"):
        if os.path.islink("/" + d):
            os.symlink(os.readlink("/" + d), root + "/" + d)
        elif os.path.isdir("/" + d):
            os.mkdir(root + "/" + d)
            bind("/" + d, root + "/" + d)
    mount("none", root + "/usr/sbin", "tmpfs", options="mode=0755")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        put(root + "/dev/" + name, "")
        bind("/dev/" + name, root + "/dev/" + name, readonly=False)
    os.symlink("/proc/self/fd", root + "/dev/fd")
    for d, mode in (("tmp", 0o1777), ("var/tmp", 0o1777), ("root", 0o700), ("var/mail", 0o2775)):
        os.chmod(root + "/" + d, mode)
    os.chown(root + "/var/mail", 0, 8)
    base_etc(root)
    for name, path in programs.items():
        shutil.copy(path, "%s/opt/onehop/%s" % (root, name))
        os.chmod("%s/opt/onehop/%s" % (root, name), 0o755)
    for name in NAMES:
        os.symlink("/opt/onehop/onehop", root + "/usr/sbin/" + name)
    for package in packages:
        for name in set(os.listdir(package + "/usr/sbin") if os.path.isdir(package + "/usr/sbin") else ()) - set(NAMES):
            os.symlink("/run/sbin/" + name, root + "/usr/sbin/" + name)
        if os.path.isdir(package + "/etc"):
            shutil.copytree(package + "/etc", root + "/etc", symlinks=True, dirs_exist_ok=True)
    for source, target in extra_binds.items():
        os.makedirs(root + target, exist_ok=True)
        bind(source, root + target)
    os.chroot(root)
    os.chdir("/")
    mount("none", "/proc", "proc")


def base_etc(root):
    etc = root + "/etc/"
    put(etc + "passwd", "".join("%s:x:%d:%d:%s:%s:/usr/sbin/nologin\n" % u for u in SYSTEM_USERS))
    put(etc + "group", "".join("%s:x:%d:\n" % g for g in SYSTEM_GROUPS))
    put(etc + "nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\n")
    for name in ("ld.so.cache", "ld.so.conf", "services", "protocols", "host.conf", "gai.conf"):
        if os.path.exists("/etc/" + name):
            shutil.copy("/etc/" + name, etc + name)
    for name in ("alternatives", "ssl/certs", "ld.so.conf.d"):
        if os.path.isdir("/etc/" + name):
            shutil.copytree("/etc/" + name, etc + name, symlinks=True)
    os.makedirs(etc + "exim4", exist_ok=True)


# ---------------------------------------------------------------- network
class Network:
    """Ours: 192.0.2.1 and 2001:db8::1.  The servers': 192.0.2.25 to .28, 2001:db8::25 and what the case names."""

    def __init__(self, addresses):
        self.mine = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.theirs = None
        self.ip("link set lo up\nlink add v0 type veth peer name v1\naddr add 192.0.2.1/24 dev v0\n")
        thread = threading.Thread(target=self.make_theirs, args=(addresses,))
        thread.start()
        thread.join()
        self.ip("link set v0 up\nroute add default via 192.0.2.25\n")
        self.ip("addr add 2001:db8::1/64 dev v0 nodad\n", optional=True)

    @staticmethod
    def ip(batch, optional=False):
        r = subprocess.run(["ip", "-batch", "-"], input=batch.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if r.returncode != 0 and not optional:
            raise OSError("ip: " + r.stdout.decode(L1).strip())

    def make_theirs(self, addresses):
        mine = self.mine
        check(LIBC.unshare(CLONE_NEWNET), "unshare(CLONE_NEWNET)")
        self.theirs = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        holder = subprocess.Popen(["sleep", "60"])          # ip names a namespace by a process in it
        check(LIBC.setns(mine, CLONE_NEWNET), "setns")
        self.ip("link set v1 netns %d\n" % holder.pid)
        check(LIBC.setns(self.theirs, CLONE_NEWNET), "setns")
        holder.kill()
        holder.wait()
        more = [a for a in sorted(addresses) if ":" not in a and not a.startswith(("192.0.2.", "127."))]
        self.ip("link set lo up\nlink set v1 up\n" + "".join("addr add 192.0.2.%d/24 dev v1\n" % i for i in (25, 26, 27, 28))
                + "".join("addr add %s/32 dev lo\n" % a for a in more))
        self.ip("addr add 2001:db8::25/64 dev v1 nodad\n", optional=True)

    def there(self, function, *args):
        """Call a function with this thread in the servers' namespace."""
        check(LIBC.setns(self.theirs, CLONE_NEWNET), "setns")
        try:
            return function(*args)
        finally:
            check(LIBC.setns(self.mine, CLONE_NEWNET), "setns")

    def listen(self, addr, port):
        def make():
            sock = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((addr, port))
            sock.listen(20)
            return sock
        return make() if addr.startswith("127.") or addr == "::1" else self.there(make)


# ---------------------------------------------------------------- the case's files
def add_users(users):
    for name, u in users.items():
        if u is None:
            continue
        home = u.get("home", "/home/" + name)
        with open("/etc/passwd", "a", encoding=L1) as f:
            f.write("%s:x:%d:%d:%s:%s:/bin/sh\n" % (name, u["uid"], u["uid"], u.get("gecos", ""), home))
        with open("/etc/group", "a", encoding=L1) as f:
            f.write("%s:x:%d:\n" % (name, u["uid"]))
        if u.get("mkhome", True):
            os.makedirs(home, exist_ok=True)
            os.chown(home, u["uid"], u["uid"])
            os.chmod(home, u.get("homemode", 0o755))


def add_file(path, spec):
    uid, gid = 0, 0
    if spec.get("owner"):
        p = pwd.getpwnam(spec["owner"])
        uid, gid = p.pw_uid, p.pw_gid
    if spec.get("group"):
        gid = grp.getgrnam(spec["group"]).gr_gid
    if spec.get("dir"):
        os.makedirs(path, exist_ok=True)
        os.chown(path, uid, gid)
        os.chmod(path, int(spec.get("mode", "0755"), 8))
    elif spec.get("symlink"):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(spec["symlink"], path)
    else:
        put(path, spec["content"], int(spec.get("mode", "0644"), 8), uid, gid)


def configure(config, certs):
    """config as in tests/oracle/README: what differs from USERS, HOSTS, DC, ALIASES and mailname debian."""
    add_users({**USERS, **config.get("users", {})})
    put("/etc/hosts", config.get("hosts", HOSTS))
    put("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    for path, key, default in (("/etc/mailname", "mailname", "debian\n"), ("/etc/email-addresses", "email_addresses", ""),
                               ("/etc/aliases", "aliases", ALIASES),
                               ("/etc/exim4/exim4.conf.localmacros", "localmacros", None),
                               ("/etc/exim4/exim4.conf.template", "template", None)):
        if config.get(key, default) is not None:
            put(path, config.get(key, default))
    if config.get("passwd_client") is not None:
        # Exim's is set-uid and reads it for everyone.  Here the caller reads it, or nobody does.
        group = pwd.getpwnam(config.get("passwd_reader", "Debian-exim")).pw_gid
        put("/etc/exim4/passwd.client", config["passwd_client"], 0o640, 0, group)
    if config.get("dc") is not False:
        lines = {**DC, **config.get("dc", {})}
        put("/etc/exim4/update-exim4.conf.conf",
            config.get("dc_raw", "".join("%s='%s'\n" % kv for kv in lines.items() if kv[1] is not None)))
    for path, spec in config.get("files", {}).items():
        add_file(path, spec)
    if config.get("tls"):
        os.makedirs("/etc/ssl/certs", exist_ok=True)
        with open("/etc/ssl/certs/ca-certificates.crt", "ab") as f:
            f.write(b"\n" + open(certs + "/ca.crt", "rb").read())


# ---------------------------------------------------------------- what is there afterwards
def owner(st):
    try:
        user = pwd.getpwuid(st.st_uid).pw_name
    except KeyError:
        user = str(st.st_uid)
    try:
        return user + ":" + grp.getgrgid(st.st_gid).gr_name
    except KeyError:
        return "%s:%d" % (user, st.st_gid)


def entry_of(path, st):
    entry = {"mode": oct(stat.S_IMODE(st.st_mode)), "owner": owner(st)}
    if stat.S_ISREG(st.st_mode):
        with open(path, "rb") as f:
            data = f.read()
        if len(data) > 20000:
            data = data[:8000] + b"\n<... %d octets left out ...>\n" % (len(data) - 12000) + data[-4000:]
        entry["content"] = data.decode(L1)
    return entry


def snapshot(more=()):
    """All files below the places where mail may land: {path: mode, owner, content}; directories end with /."""
    found = {}
    for top in ("/home", "/root", "/var/mail", "/var/spool", "/tmp", "/var/tmp", *more):
        for parent, dirs, files in os.walk(top):
            for name in dirs + files:
                path = os.path.join(parent, name)
                with contextlib.suppress(FileNotFoundError):    # a real server of the case may be at work yet
                    st = os.lstat(path)
                    found[path + ("/" if stat.S_ISDIR(st.st_mode) else "")] = entry_of(path, st)
    return found
