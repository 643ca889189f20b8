#!/usr/bin/python3
"""A directory of src/ includes only what HACKING's table lets it: the tree is the rights of the programs."""

import re

from tap import report, sources, text

ROW = re.compile(r"^ {4}(\w+) +\| *(.*)$", re.M)
MAY = {directory: [word for word in may.split() if word != "-"] for directory, may in ROW.findall(text("HACKING"))}
INCLUDE = re.compile(r'^#\s*include\s+"([^"]+)"', re.M)


def complaints(path):
    here = path.parts[1]
    if here not in MAY:
        yield f"{here}/ is not in the table of HACKING"
        return
    for included in INCLUDE.findall(text(path)):
        directory = included.split("/")[0]
        if directory not in MAY:
            yield f'"{included}" should be written "directory/file.h"'
        elif f"!{included}" in MAY[here]:
            yield f'"{included}" is not for {here}/'
        elif directory not in [here, *MAY[here]] and included not in MAY[here] and \
                f"{path.name}:{directory}" not in MAY[here]:
            yield f'"{included}" is not for {here}/'


def table():
    seen = list(MAY)
    for directory, may in MAY.items():
        for word in may:
            if word in MAY and seen.index(word) > seen.index(directory):
                yield f"{directory}/ includes from {word}/, which stands below it"


report([(str(p), list(complaints(p))) for p in sources(".c", ".h")] + [("HACKING", list(table()))])
