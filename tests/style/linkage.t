#!/usr/bin/python3
"""Each program links what its job needs and no more, and is hardened as configured."""

import re
import shutil
import subprocess

from tap import BUILD, report, skip_all

LIBC = {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
MAY = {
    # starts for every cron job, and parses a stranger's arguments (libidn2 is loaded when a domain needs it)
    "onehop": LIBC,
    # starts as root to become a user
    "onehop-local": LIBC,
    "onehop-send": LIBC | {"libpcre2-8.so.0"},
    # loaded when TLS starts: linking GnuTLS would cost each start
    "onehop-tls.so": LIBC | {"libgnutls.so.30"},
    # loaded for CRAM-MD5 and SCRAM
    "onehop-sasl.so": LIBC | {"libgsasl.so.18"},
}

# Code that a program must not have, by directory of src/: what reads passwords, what writes the spool ...
NEVER = {
    "onehop": "send",
    "onehop-local": "send net spool front",
    "onehop-post": "send net spool local front wire route mail",
    "onehop-send": "front",
    "onehop-tls.so": "send spool local front wire route",
    "onehop-sasl.so": "send spool local front wire route mail",
}

if shutil.which("readelf") is None:
    skip_all("readelf is not installed")
makefile = (BUILD / "Makefile").read_text(encoding="utf-8")
plain = "\nOH_TEST_CFLAGS = \n" in makefile or "\nOH_TEST_CFLAGS =\n" in makefile
if not plain:
    skip_all("a build with sanitizers, fuzzer or coverage links their libraries")


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *arguments], capture_output=True, text=True, check=True).stdout


def foreign(program):
    needed = [line.split("[")[1].split("]")[0]
              for line in readelf("-d", BUILD / program).splitlines() if "(NEEDED)" in line]
    return [f"{program} links {library}" for library in needed if library not in MAY[program]]


def soft(program):
    seen = readelf("-hdl", BUILD / program)
    wanted = {"-pie": "Type:                              DYN", "-Wl,-z,relro": "GNU_RELRO", "-Wl,-z,now": "NOW"}
    return [f"{program} lacks {flag}" for flag, mark in wanted.items()
            if flag in makefile and mark not in seen] + \
           [f"{program} has an executable stack" for line in seen.splitlines()
            if "GNU_STACK" in line and "RWE" in line]


def defined(path):
    """The functions with a name for other files that an object has."""
    out = subprocess.run(["nm", "--defined-only", path], capture_output=True, text=True, check=True).stdout
    return {line.split()[2] for line in out.splitlines() if re.fullmatch(r"\S+ T \S+", line)} - {"main", "_init", "_fini"}


def other_rights(program):
    has = defined(BUILD / program)
    return [f"{program} has {', '.join(sorted(strange)[:5])} of src/{room}"
            for room in NEVER[program].split()
            if (strange := has & defined(BUILD / f"lib{room}.a"))]


report([(f"{p} links libc and what it needs", foreign(p)) for p in MAY] +
       [(f"{p} is hardened", soft(p)) for p in MAY] +
       [(f"{p} has no code for other rights", other_rights(p)) for p in NEVER])
