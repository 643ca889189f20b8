#!/usr/bin/python3
"""Files, headers and functions fit a screen; banned.h comes last; no variable outlives a call."""

import re

from tap import report, sources, text

FILE, HEADER, FUNCTION = 500, 150, 60
MUTABLE = re.compile(r"^(?!.*\bconst\b)(static\s|struct\s+\w+\s+\w+\s*[=;]|int\s+\w+\s*[=;])[^()]*[=;]")


def length(path, lines):
    limit = HEADER if path.suffix == ".h" else FILE
    if len(lines) > limit:
        yield f"{len(lines)} lines, at most {limit}"


def functions(lines):
    """KNF: the body of a function starts and ends with a brace in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > FUNCTION:
                yield f"line {start}: a function of {number - start - 1} lines, at most {FUNCTION}"
            start = None


def banned_last(path, lines):
    includes = [line for line in lines if re.match(r"#\s*include", line) and ".def" not in line]
    if path.suffix == ".c" and includes and "base/banned.h" not in includes[-1]:
        yield "base/banned.h is not the last include"


def mutable(path, lines):
    if path.suffix == ".c":
        for number, line in enumerate(lines, 1):
            if MUTABLE.match(line):
                yield f"line {number}: a file-scope variable that is not const: {line}"


def guard(path, lines):
    name = "ONEHOP_" + "_".join(path.parts[1:]).upper().replace(".", "_")
    if path.suffix == ".h" and f"#ifndef {name}" not in lines:
        yield f"its guard is not {name}"


def check(path):
    lines = text(path).splitlines()
    found = [*length(path, lines), *functions(lines)]
    if path.parts[0] == "src":
        found += [*mutable(path, lines), *banned_last(path, lines), *guard(path, lines)]
    return str(path), found


report([check(p) for p in sources(".c", ".h", under=("src", "tests", "man"))])
