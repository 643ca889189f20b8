"""The password that is planted in the tests' passwd.client, and a look for it in all that comes out of them.

sandbox.run_case() and the fixture `post` look after every case: no program prints, logs or keeps a password in any form."""
import base64
import os

PASSWORD = "pLanted,4-pa55+w0rd"
SHORTEST = 7                    # a shorter one is in many a text by chance: it is looked for in base64 only
RUN, CUT = 6, 16                # of a password of CUT octets and more any RUN of them is too much, and of its base64


def in_lines(text):
    """(login, password) of the lines of a passwd.client."""
    fields = [line.split(":", 2) for line in text.splitlines() if line[:1] not in ("#", "")]
    return {(f[1].strip(), f[2].strip()) for f in fields if len(f) == 3 and len(f[2].strip()) >= 4 and not f[2].startswith("file:")}


def runs(text):
    return {text[i:i + RUN] for i in range(len(text) - RUN + 1)}


def forms(login, password):
    """How it may be written, or a part of it: as it is (a token without its mark), in base64 wherever it stands there (alone, in PLAIN's blob)."""
    password = password.removeprefix("oauth:")
    raw, blob = password.encode("latin-1"), ("\0%s\0%s" % (login, password)).encode("latin-1")
    found = {base64.b64encode(blob).decode(), base64.b64encode(raw).decode()}
    if len(password) < SHORTEST:
        return found
    shifted = [base64.b64encode(b"\0" * before + raw).rstrip(b"=").decode()[(before * 8 + 5) // 6:-1] for before in range(3)]
    return found.union([password], shifted) if len(password) < CUT else set().union(*map(runs, [password, *shifted]))


def look(passwords, places):
    """places: {where: text}.  AssertionError when there is one."""
    for login, password in passwords:
        for form in forms(login, password):
            for where, text in places.items():
                assert form not in text, "a password (%s) is in %s:\n%s" % (form, where, text[:4000])


def of_case(case):
    config = case.get("config", {})
    texts = [config.get("passwd_client") or ""] + [spec.get("content", "") for path, spec in config.get("files", {}).items()
                                                   if os.path.basename(path) == "passwd.client"]
    return set().union(*[in_lines(t if isinstance(t, str) else t.decode("latin-1")) for t in texts])


def look_at_case(case, observed):
    """What a case of sandbox.run_case() has left: what the steps said, the logs, the spool, mailboxes, dead letters."""
    passwords = of_case(case)
    places = {"the log": observed["mainlog"], "what the daemons say": observed["daemons"]}
    for number, step in enumerate(observed["steps"]):
        places.update({"step %d's %s" % (number, out): step[out] for out in ("stdout", "stderr")})
    places.update({path: f.get("content", "") for path, f in observed["files"].items() if path not in case.get("config", {}).get("files", {})})
    look(passwords, places)


def look_below(directory, said):
    """All files of a directory, and what was said; the passwords are those of its passwd.client."""
    passwords, places = set(), {"what was said": said}
    for parent, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(parent, name)
            if not os.path.isfile(path) or os.path.islink(path):
                continue
            with open(path, "rb") as f:
                text = f.read(1 << 22).decode("latin-1")
            if name == "passwd.client":
                passwords |= in_lines(text)
            else:
                places[path] = text
    look(passwords, places)
