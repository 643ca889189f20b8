"""What the checks of the tree's style share: where the sources are, and TAP lines."""

import os
import sys
from pathlib import Path

TOP = Path(os.environ.get("top_srcdir", Path(__file__).parents[2]))
BUILD = Path(os.environ.get("top_builddir", "."))


def skip_all(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def sources(*suffixes, under=("src",)):
    """Files of the tree with one of these suffixes, as paths relative to its top."""
    found = (p for d in under for p in (TOP / d).rglob("*") if p.suffix in suffixes)
    return sorted(p.relative_to(TOP) for p in found)


def text(path):
    return (TOP / path).read_text(encoding="utf-8")


def report(results):
    """One TAP line for each (name, list of complaints); what is wrong stands below it."""
    results = list(results)
    print(f"1..{len(results)}")
    for number, (name, complaints) in enumerate(results, 1):
        print(f"{'not ok' if complaints else 'ok'} {number} - {name}")
        for line in complaints:
            print(f"# {line}")
