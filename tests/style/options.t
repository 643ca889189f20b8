#!/usr/bin/python3
"""The option table, `onehop -bP` and onehop.conf(5) name the same options."""

import re
import subprocess
import tempfile

from tap import BUILD, report, skip_all, text

table = re.findall(r"^OPT\((\w+),", text("src/conf/options.def"), re.M)
manual = re.findall(r"^\.It Ic (\w+) No = ", (BUILD / "man/onehop.conf.5").read_text(encoding="utf-8"), re.M)
with tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
    conf.write("smarthost = mail.example.com\n")
    conf.flush()
    shown = subprocess.run([BUILD / "onehop", "-C", conf.name, "-bP"], capture_output=True, text=True)
if shown.returncode != 0 or not shown.stdout:
    skip_all(f"onehop -bP does not answer (exit {shown.returncode})")
program = re.findall(r"^(\w+) =", shown.stdout, re.M)


def difference(one, other):
    return [f"{name} is missing" for name in one if name not in other] + \
           [f"{name} is not in the table" for name in other if name not in one]


report([("the manual page lists the table", difference(table, manual)),
        ("-bP lists the table", difference(table, program))])
