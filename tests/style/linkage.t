#!/usr/bin/python3
"""Each program links what its job needs and no more, and is hardened as configured."""

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


report([(f"{p} links libc and what it needs", foreign(p)) for p in MAY] +
       [(f"{p} is hardened", soft(p)) for p in MAY])
