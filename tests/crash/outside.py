"""What the tests of this directory have in common: a script of it is played as process 1 of fresh namespaces."""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from crash import fault  # noqa: E402
from harness import sandbox  # noqa: E402


def unavailable():
    if sandbox.sanitized():
        return "the calls of a sanitizer are not the program's"
    return sandbox.unavailable()


needs_namespaces = pytest.mark.skipif(bool(unavailable()), reason=str(unavailable()))


def play(module, *args, limit=3600, **job):
    """What the script says; words that it has under "wrong" fail the test, "skipped" skips it."""
    job = {"programs": sandbox.programs(), "numbers": fault.syscall_numbers(), **job}
    r = subprocess.run(sandbox.UNSHARE + [sys.executable, "-B", module.__file__, *args], input=json.dumps(job).encode(),
                       stdout=subprocess.PIPE, timeout=limit)
    assert r.stdout, "%s has failed" % module.__file__
    got = json.loads(r.stdout)
    if "skipped" in got:
        pytest.skip(got["skipped"])
    return got


def fail_if(wrong):
    if wrong:
        pytest.fail("%d times wrong\n" % len(wrong) + "\n".join(wrong[:25]), pytrace=False)


def answer(out, made):
    """In the script: made() -> the answer, or an OSError that says why it cannot be made here."""
    try:
        said = made()
    except OSError as e:
        said = {"skipped": str(e)}
    with os.fdopen(out, "wb") as f:
        f.write(json.dumps(said).encode())
    os._exit(0)
