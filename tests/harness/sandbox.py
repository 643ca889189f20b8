"""Run a case of tests/oracle or of a test's own making in a sandbox: run_case(case) -> what was observed.

A case is a dictionary (tests/oracle/README): config, hostname, dns, servers, steps.  It is played in fresh mount,
network, uts, ipc and pid namespaces, so it needs root; where the kernel or a container refuses, Unavailable says why.
"""
import atexit
import functools
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

from harness import doors, planted

HERE = os.path.dirname(os.path.abspath(__file__))
UNSHARE = ["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--mount-proc", "--fork", "--kill-child", "--propagation", "unchanged"]
PROGRAMS = ("onehop", "onehop-send", "onehop-local", "onehop-post")


class Unavailable(Exception):
    """The sandbox cannot be made here; the text says why."""


def build_dir():
    return os.path.abspath(os.environ.get("top_builddir", os.environ.get("ONEHOP_BUILD", ".")))


@functools.lru_cache(None)
def programs():
    """The programs under test and the modules they load, {name: path}."""
    found = {name: os.path.join(build_dir(), name) for name in PROGRAMS}
    found.update({os.path.basename(path): path for path in glob.glob(build_dir() + "/onehop-*.so")})
    missing = [path for path in found.values() if not os.access(path, os.X_OK)]
    if missing:
        raise Unavailable("not built: %s (set top_builddir)" % missing[0])
    return found


@functools.lru_cache(None)
def sanitized():
    """Are the programs built with AddressSanitizer?  It has memory of its own, and looks for what valgrind does."""
    with open(programs()["onehop"], "rb") as f:
        return b"__asan_init" in f.read()


@functools.lru_cache(None)
def certificates():
    """A directory with a throw-away CA and server certificates (tests/harness/mkcerts)."""
    if not shutil.which("openssl"):
        raise Unavailable("openssl is not installed")
    path = tempfile.mkdtemp(prefix="onehop-certs-")
    atexit.register(shutil.rmtree, path, True)
    os.chmod(path, 0o755)
    made = subprocess.run(["/bin/sh", HERE + "/mkcerts", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if made.returncode != 0:
        raise RuntimeError("mkcerts: " + made.stdout.decode("utf-8", "replace"))
    return path


@functools.lru_cache(None)
def unavailable():
    """Why no sandbox can be made here, or None."""
    if os.geteuid() != 0:
        return "namespaces need root"
    for tool in ("unshare", "ip"):
        if not shutil.which(tool):
            return tool + " is not installed"
    try:
        run_case({"steps": []})
    except Unavailable as e:
        return str(e)
    return None


def packages(*names):
    """Directories of unpacked servers (fetch-servers); Unavailable if one is not there."""
    base = os.environ.get("ONEHOP_SERVERS") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "onehop-servers")
    found = [os.path.join(base, name) for name in names]
    missing = [path for path in found if not os.path.isdir(path)]
    if missing:
        raise Unavailable("%s is not there: run tests/harness/fetch-servers" % missing[0])
    return found


def run_case(case, limit=300, binds=None):
    """Play the case; binds: {directory here: directory there} to see read-only besides."""
    job = {"case": case, "programs": programs(), "certs": certificates(), "binds": binds or {},
           "doors": doors.files(), "packages": packages(*case.get("packages", []))}
    r = subprocess.run(UNSHARE + [sys.executable, "-B", HERE + "/inside.py"], input=json.dumps(job).encode(),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=limit)
    words = r.stderr.decode("utf-8", "replace").strip()
    if not r.stdout:
        if words.startswith("unshare:"):
            raise Unavailable(words)
        raise RuntimeError("case %s: harness failed (%s)\n%s" % (case.get("id"), r.returncode, words))
    observed = json.loads(r.stdout)
    if "unavailable" in observed:
        raise Unavailable(observed["unavailable"])
    planted.look_at_case(case, observed)
    return observed
