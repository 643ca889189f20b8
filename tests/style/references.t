#!/usr/bin/python3
"""What comments, manuals and documents refer to is in the tree: a document's section, an invariant, a file, a function, a case.

A name of a document that is not in the tree is not left, the first line of each file of src/ names that file, and src/wire/PROTOCOL has
the letters that the code says."""

import json
import re

from tap import TOP, report, sources, text

DOCUMENTS = ("README", "HACKING", "NEWS", "doc/ARCHITECTURE", "doc/EXIM", "doc/SECURITY", "src/wire/PROTOCOL", "tests/README",
             "tests/oracle/README", "tests/bench/README", "findings/README")
OUTSIDE = re.compile(r"\b(?:DESIGN|EXIM-SEMANTICS|WALKTHROUGH|DECISIONS?|FIELD|AUDIT|HOUSE|STYLE|PEERS|COSTS)(?:\.md\b|[ ,]+(?:[A-Z]?\d|section)|\))"
                     r"|(?<!doc/)\bSECURITY(?:\.md\b| I?\d)|\.\./shared\b|" r'"""[A-HJ-Z]\d{1,2}(?:, [A-Z]\d{1,2})*[:.]')
REFERENCE = re.compile(r"\bdoc/([A-Z]+)\b(?: (\d+(?:\.\d+)?))?(?:,? (I\d+))?")
HEADING = re.compile(r"^(\d+(?:\.\d+)?)\.? +\S", re.M)
INVARIANT = re.compile(r"^  (I\d+) ", re.M)
FILE = re.compile(r"(?<![\w./~-])(?<!Exim's )((?:src|tests|man|dist|doc|findings)/(?:[\w.@-]+/)*[\w@-]+(?:\.[a-z]+)?)(?![\w/*])")
INCLUDED = re.compile(r"(?<![\w./-])((?:base|conf|guard|mail|route|wire|spool|local|net|send|front)/\w+\.(?:[ch]|def))\b(?! *>)")
FUNCTION = re.compile(r"\b(\w+)\(\) in (src/\w+/\w+\.[ch])")
CASES = re.compile(r"\[((?:auth|sub|rw|loc|del|conf|bt|adm|seed)-[^\]]*)\]")
MADE = ("src/base/paths.h", "base/paths.h", "net/if.h")


def there(path):
    """The file; or the program that is made of it; NOUN stands for any."""
    return path in MADE or "NOUN" in path or (TOP / path).exists() or (TOP / f"{path}.c").exists()


def referred(content):
    for document, section, invariant in REFERENCE.findall(content):
        if not there(f"doc/{document}"):
            yield f"there is no doc/{document}"
            continue
        body = text(f"doc/{document}")
        if section and section not in HEADING.findall(body):
            yield f"doc/{document} has no section {section}"
        if invariant and invariant not in INVARIANT.findall(body):
            yield f"doc/{document} has no invariant {invariant}"
    for found in OUTSIDE.finditer(content):
        yield f'"{found.group()}" is no name of anything in the tree'


def in_source(path):
    content = text(path)
    yield from referred(content)
    if path.parts[0] == "src":
        if not re.match(r"/\* %s - |/\* [A-Z]+\(" % re.escape(path.name), content):
            yield f"its first line does not begin with /* {path.name} - "
        for name in INCLUDED.findall(content):
            if not there(f"src/{name}") and not there(name):
                yield f"there is no src/{name}"


def recorded():
    lines = (line for path in (TOP / "tests/oracle/cases").glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines())
    return {json.loads(line)["id"] for line in lines}


def unknown_cases(content):
    cases = recorded()
    for inside in CASES.findall(content):
        for name in re.findall(r"\b(?:auth|sub|rw|loc|del|conf|bt|adm|seed)-[\w-]*\*?", inside):
            known = any(c.startswith(name[:-1]) for c in cases) if name.endswith("*") else name in cases
            if not known:
                yield f"there is no case {name} in tests/oracle/cases"


LETTER = re.compile(r"^  ([A-Za-z])   ", re.M)
SAID = re.compile(r"""record_(?:put|put_buf|hold|pass)\([^;']*'(\w)'|ask(?:_for)?\([^;"]*"(\w)\w"|LEAVES "(\w)\"""")
PARTS = [("^1[.] ", "^3[.] ", ["src/wire/submit.h", "src/wire/submit.c", "src/wire/receive.c", "src/wire/control.c"]),
         ("^3[.] ", "^4[.] ", ["src/send/courier.c", "src/net/errand.c"])]


def letters(content):
    """The first part of the page and its second: what is on it and what is said."""
    for begin, end, files in PARTS:
        page = content[re.search(begin, content, re.M).start():re.search(end, content, re.M).start()]
        have = set(LETTER.findall(page))
        said = {letter for path in files for found in SAID.findall(text(path)) for letter in found if letter}
        said |= {"T" for path in files if "submit_line(" in text(path)}
        yield from (f"{letter} is not on the page: {' '.join(files)}" for letter in sorted(said - have))
        yield from (f"{letter} is on the page, and nobody says it: {' '.join(files)}" for letter in sorted(have - said))


def in_document(name):
    content = text(name)
    yield from referred(content)
    for path in sorted(set(FILE.findall(content))):
        if not there(path):
            yield f"there is no {path}"
    for function, path in FUNCTION.findall(content):
        if there(path) and not re.search(rf"^{function}\(", text(path), re.M):
            yield f"there is no {function}() in {path}"
    if name == "src/wire/PROTOCOL":
        yield from letters(content)
    if name == "doc/EXIM":
        yield from unknown_cases(content)


plain = sources(".c", ".h", ".def", ".py", ".t", ".in", ".5", ".service", ".socket", under=("src", "tests", "man", "dist"))
plain = [path for path in plain if not str(path).startswith(("tests/oracle/cases", "tests/servers/conf/", "tests/fuzz/", "tests/style/references"))]
documents = [name for name in DOCUMENTS if there(name)]
report([(str(path), sorted(set(in_source(path)))) for path in plain] + [(name, list(in_document(name))) for name in documents])
