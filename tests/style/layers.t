#!/usr/bin/python3
"""A directory of src/ includes only what stands above it in the order that tests/README gives."""

import re

from tap import report, sources, text

ORDER = re.search(r"^ {4}(base .* main)$", text("tests/README"), re.M).group(1).split()
INCLUDE = re.compile(r'^#\s*include\s+"([^"]+)"', re.M)


def complaints(path):
    if path.parts[1] not in ORDER:
        yield f"{path.parts[1]}/ is not in the order of tests/README"
        return
    level = ORDER.index(path.parts[1])
    for included in INCLUDE.findall(text(path)):
        directory = included.split("/")[0]
        if directory not in ORDER:
            yield f'"{included}" should be written "directory/file.h"'
        elif ORDER.index(directory) > level:
            yield f'"{included}" stands below {path.parts[1]}/'


report((str(p), list(complaints(p))) for p in sources(".c", ".h"))
