"""What is compared: facts(observation) takes from a run, Exim's recorded one or ours, what both must agree on.

Left out is what differs by nature: ids, dates, versions, sizes, EHLO and its answers, the order of
connections and recipients.
  steps  one entry a call: argv, rc, stdout, routers (the "R: router for address" lines of -bt, -bv and -v), warned (of values
         in the map of senders that are no address)
  wire   each message a server took: server, tls, mail, rcpt (command and reply), data
  tried  transactions that ended without a message: server, mail, rcpt
  auth   each AUTH: server, tls, mech, decoded (what was sent), reply (the last one)
  files  what is new or changed where mail may land: path, mode, owner, content
  dead   dead letters: path, mode, owner
  waiting  each message in the spool: sender, rcpts, done (what needs no more delivery), frozen
  log    the main log, line by line, in any order
"""
import re

ID = re.compile(r"(?<![0-9A-Za-z])E?[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})(?![0-9A-Za-z])")
TOKENS = (
    (ID, "<ID>"),
    (re.compile(r"E?<MSGID\d+>"), "<ID>"),
    (re.compile(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), +\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
                r"\d\d:\d\d:\d\d [+-]\d{4}"), "<DATE>"),
    (re.compile(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d "
                r"\d\d:\d\d:\d\d \d{4}"), "<CTIME>"),
    (re.compile(r"\((?:Exim|onehop) [0-9][0-9.a-z~+-]*\)"), "(<VERSION>)"),
    (re.compile(r"<ID>-onehopdsn"), "<BOUNDARY>"),
    (re.compile(r"(?m)^X-(?:Exim|Onehop)-DSN-"), "X-<MTA>-DSN-"),
    (re.compile(r"(?m)(?<=^Received: from )(?:Debian-exim|onehop)(?= by)"), "<MTA>"),
    (re.compile(r"(?m)^( *\d+[mhd]) *[0-9.]+[KM]?(?= \S+ <)"), r"\1 <SIZE>"),
    (re.compile(r"(?m)^( +next try for .*: )\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"), r"\1<TIME>"),
    (re.compile(r"(?<=,r=)[A-Za-z0-9+/=]{16,}"), "<NONCE>"),
    (re.compile(r"(MAIL FROM:<[^<>]*>) SIZE=\d+"), r"\1 SIZE=<N>"),
    (re.compile(r"/(new|cur|tmp)/(?:\d+\.[-_0-9A-Za-z]+\.|<MAILDIR-UNIQUE\d+>\.)"), r"/\1/<UNIQUE>."),
)
LOG_TOKENS = (
    (re.compile(r"^(?:<TIME>|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) "), ""),
    (re.compile(r"pid=(?:<PID>|\d+)"), "pid=<PID>"),
    (re.compile(r" S=(?:<N>|\d+)"), " S=<N>"),
    (re.compile(r"(?<=<= <> R=<ID> U=)\S+"), "<MTA>"),
    (re.compile(r" X=\S+"), " X=<TLS>"),
)
QUEUED = re.compile(r"^/var/spool/[a-z0-9]+/input/(?:[^/]+/)?[^/]+-H$")
LISTS = ("wire", "tried", "auth", "files", "dead", "waiting", "log")
MAILBOX = re.compile(r"^(/home/|/root/|/var/mail/)")


def stable(value):
    if isinstance(value, str):
        for pattern, token in TOKENS:
            value = pattern.sub(token, value)
        return value
    if isinstance(value, list):
        return [stable(v) for v in value]
    if isinstance(value, dict):
        return {k: stable(v) for k, v in value.items()}
    return value


def without_size(mail):
    return re.sub(r" SIZE=\d+", "", mail)


def step_facts(step):
    routers = [line.strip() for line in step["stderr"].splitlines()
               if re.match(r"\s*R: \S+ for ", line) and "lowuid_aliases" not in line]
    warned = re.findall(r"Rewrite of \S+ yielded \w+ address", step["stderr"])
    return {"argv": step["argv"], "rc": step["rc"], "stdout": step["stdout"], "routers": routers, "warned": warned, "stderr": step["stderr"]}


def transactions(connection):
    """(MAIL line, RCPT lines) of those in which no message was taken."""
    taken = [(m["mail"], [r[0] for r in m["rcpt"]]) for m in connection["messages"]]
    found = []
    for who, text in connection["dialogue"]:
        if who == "C" and text.upper().startswith("MAIL "):
            found.append((text[5:], []))
        elif who == "C" and text.upper().startswith("RCPT ") and found:
            found[-1][1].append(text[5:])
    for t in taken:
        if t in found:
            found.remove(t)
    return found


def log_lines(mainlog):
    lines = stable(mainlog).splitlines()
    for pattern, token in LOG_TOKENS:
        lines = [pattern.sub(token, line) for line in lines]
    return sorted(lines)


def waiting(header):
    """From a -H file: options, the tree of who needs no more delivery, the number of recipients, the recipients."""
    lines = header.split("\n\n")[0].split("\n")
    options = [line for line in lines[4:] if line.startswith("-")]
    rest = lines[4 + len(options):]
    tree = [line[3:] for line in rest if re.match(r"[YN][YN] ", line)]
    rcpts = [line.split(" ")[0] for line in rest[(len(tree) or 1) + 1:]]
    return {"sender": lines[2], "rcpts": rcpts, "done": sorted(tree), "frozen": any(o.startswith("-frozen ") for o in options)}


def facts(observed):
    wire, tried, auth = [], [], []
    for c in observed["smtp"]:
        where = {"server": c["server"], "tls": bool(c["tls"])}
        for m in c["messages"]:
            wire.append({**where, "mail": without_size(m["mail"]), "rcpt": sorted(m["rcpt"]), "data": m["data"] or ""})
        for mail, rcpt in transactions(c):
            tried.append({"server": c["server"], "mail": without_size(mail), "rcpt": sorted(rcpt)})
        for a in c["auth"]:
            auth.append({**where, "mech": a["mech"], "decoded": a["decoded"], "reply": (a["replies"] or [None])[-1]})
    files = [{"path": path, "mode": f["mode"], "owner": f["owner"], "content": f.get("content")}
             for path, f in observed["files"].items() if MAILBOX.match(path) and not path.endswith("/dead.letter")]
    dead = [{"path": path, "mode": f["mode"], "owner": f["owner"]}
            for path, f in observed["files"].items() if path.endswith("/dead.letter")]
    queue = [waiting(f["content"]) for path, f in observed["files"].items() if QUEUED.match(path)]
    out = stable({"steps": [step_facts(s) for s in observed["steps"]], "wire": wire, "tried": tried, "auth": auth,
                  "files": files, "dead": dead, "waiting": queue})
    out["log"] = log_lines(observed["mainlog"])
    out["wire"].sort(key=lambda w: (w["server"], w["mail"], str(w["rcpt"]), w["data"]))
    out["files"].sort(key=lambda f: (f["path"], f["content"] or ""))
    out["waiting"].sort(key=str)
    return out


def shown(value):
    """One fact as text, for a report of differences."""
    if isinstance(value, dict):
        return "".join("%s: %s\n" % (k, v if isinstance(v, str) else repr(v)) for k, v in value.items())
    return (value.pattern if isinstance(value, re.Pattern) else str(value)) + "\n"


def same(expected, got):
    return bool(expected.fullmatch(got)) if isinstance(expected, re.Pattern) else expected == got


def unmatched(expected, got):
    """(what is missing, what is there besides); each of expected stands for one of got, patterns for what is left."""
    missing, extra = [], list(got)
    for x in sorted(expected, key=lambda x: isinstance(x, re.Pattern)):
        found = next((n for n, g in enumerate(extra) if same(x, g)), None)
        if found is None:
            missing.append(x)
        else:
            del extra[found]
    return missing, extra


def same_status(e, g, strict):
    if e == "error":
        return g == 1 if strict else g not in (0, 127, "timeout")
    return e == g


def step_differences(e, g, strict):
    if not same_status(e["rc"], g["rc"], strict):
        yield "exit %s, expected %s; stderr: %s" % (g["rc"], e["rc"], g["stderr"].strip()[-600:])
    if not same(e["stdout"], g["stdout"]):
        yield "stdout %r, expected %r" % (g["stdout"], e["stdout"])
    for key in ("routers", "warned"):
        if e[key] != g[key]:
            yield "%s %s, expected %s" % (key, g[key], e[key])
    if e.get("says") and not re.search(e["says"], g["stderr"]):
        yield "stderr does not say %r: %s" % (e["says"], g["stderr"].strip()[-600:])


def differences(expected, got, strict=False):
    """Lines that say where got is not as expected; none when it is.  A step's rc of "error" is any but 0, or where that is
    the question Exim's 1; stdout and lines of the log may be compiled patterns; "says" is a pattern that must be found in
    stderr."""
    out = []
    if len(expected["steps"]) != len(got["steps"]):
        out.append("%d steps, expected %d" % (len(got["steps"]), len(expected["steps"])))
    for n, (e, g) in enumerate(zip(expected["steps"], got["steps"])):
        out += ["step %d %s: %s" % (n + 1, " ".join(g["argv"]), text) for text in step_differences(e, g, strict)]
    for key in LISTS:
        for sign, items in zip("-+", unmatched(expected[key], got[key])):
            for x in items:
                out.append("%s %s\n%s" % (sign, key, "".join("    %s %s\n" % (sign, l) for l in shown(x).split("\n") if l)))
    return out
