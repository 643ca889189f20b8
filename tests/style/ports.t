#!/usr/bin/python3
"""Tests take port 0 or make a network of their own, do not sleep and hold no real address."""

import re

from tap import report, sources, text

RULES = [
    ("fixed ports", r'(?:\(|bind\S*|listen\S*)\s*\(?["\'](?:127\.0\.0\.1|::1|localhost|0\.0\.0\.0)?["\'],\s*[1-9]\d{2,}'),
    # Polling for a state and a server that is slow on purpose say so behind the call.
    ("sleeps", r"\b(?:time\.sleep|usleep)\((?!.*#)"),
    ("somebody's key", r"PRIVATE KEY-----(?:\\n|\s)*[A-Za-z0-9+/]{32}"),
]


def complaints(pattern):
    for path in sources(".py", ".c", ".t", ".sh", under=("tests",)):
        if str(path) == "tests/style/ports.t":
            continue
        content = text(path)
        for match in re.finditer(pattern, content, re.M):
            start = content.count("\n", 0, match.start()) + 1
            yield f"{path}:{start}: {match.group().strip()}"


report((name, list(complaints(pattern))) for name, pattern in RULES)
