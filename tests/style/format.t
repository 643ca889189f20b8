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


def complaints(path):
    run = subprocess.run([tool, "--dry-run", "-Werror", path], cwd=TOP, capture_output=True, text=True)
    return run.stderr.splitlines()[:4] + [f"clang-format -i {path} would mend it"] if run.returncode else []


report((str(p), complaints(p)) for p in sources(".c", ".h", under=("src", "tests", "man")))
