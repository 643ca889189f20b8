#!/usr/bin/python3
"""Every C file is as clang-format 14 with the tree's .clang-format writes it."""

import shutil
import subprocess

from tap import TOP, report, skip_all, sources

tool = shutil.which("clang-format-14") or shutil.which("clang-format")
if tool is None:
    skip_all("clang-format is not installed")
if "version 14" not in subprocess.run([tool, "--version"], capture_output=True, text=True).stdout:
    skip_all("clang-format 14 is not installed, and others format differently")


files = sources(".c", ".h", under=("src", "tests", "man"))
run = subprocess.run([tool, "--dry-run", "-Werror", *files], cwd=TOP, capture_output=True, text=True)
said = {}
for line in run.stderr.splitlines():
    path, colon, _ = line.partition(":")
    if colon and not line[0].isspace():
        said.setdefault(path, [f"clang-format -i {path} would mend it"]).append(line)
other = [] if run.returncode == 0 or said else run.stderr.splitlines() or [f"clang-format ends with {run.returncode}"]
report([(str(p), said.get(str(p), [])) for p in files] + [("clang-format itself", other)])
