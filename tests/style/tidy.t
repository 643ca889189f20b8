#!/usr/bin/python3
"""clang-tidy with the tree's .clang-tidy finds nothing.

A verdict is kept under the build directory by the hash of what the compiler sees, so only
what changed is read again.  ONEHOP_TEST_TIDY=no leaves it out.
"""

import hashlib
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tap import BUILD, TOP, report, skip_all, sources

if os.environ.get("ONEHOP_TEST_TIDY") == "no":
    skip_all("ONEHOP_TEST_TIDY=no")
tool = shutil.which("clang-tidy-14") or shutil.which("clang-tidy")
clang = shutil.which("clang-14") or shutil.which("clang")
if tool is None or clang is None:
    skip_all("clang-tidy is not installed")

CACHE = BUILD / "tests/style/tidy.cache"
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", f"-I{TOP}/src", f"-I{BUILD}", f"-I{BUILD}/src", "-include", "config.h"]
config = (TOP / ".clang-tidy").read_bytes() + subprocess.run([tool, "--version"], capture_output=True).stdout
CACHE.mkdir(parents=True, exist_ok=True)


def complaints(path):
    seen = subprocess.run([clang, "-E", *FLAGS, TOP / path], capture_output=True)
    if seen.returncode:
        return seen.stderr.decode().splitlines()
    # Comments count too: they hold NOLINT.
    verdict = CACHE / hashlib.sha256(config + seen.stdout + (TOP / path).read_bytes()).hexdigest()
    if verdict.exists():
        return []
    # Nine tenths of the time are the analyzer's paths; those of a test end in its assertions.
    checks = ["--checks=-clang-analyzer-*"] if path.parts[0] == "tests" else []
    run = subprocess.run([tool, "--quiet", *checks, f"--header-filter=^{re.escape(str(TOP))}/src/", TOP / path, "--", *FLAGS],
                         capture_output=True, text=True)
    if run.returncode == 0:
        verdict.touch()
        return []
    return [line for line in (run.stdout + run.stderr).splitlines() if line]


# musl.c has libc's own names, and is for another libc's headers.
files = [path for path in sources(".c", under=("src", "tests", "man")) if path.name != "musl.c"]
with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
    report(zip(map(str, files), pool.map(complaints, files)))
