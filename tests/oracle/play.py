"""The recorded cases, and the words in which purpose.py says what onehop does instead.

An entry of the table is on_purpose(reason, edit...).  An edit gets (case, expected): it may change the case before
it is played, and what is expected of it, which at first is what Exim did.
"""
import copy
import glob
import json
import os
import re

import facts

HERE = os.path.dirname(os.path.abspath(__file__))
SENDMAIL = ("/usr/sbin/sendmail", "/usr/sbin/exim4")


def recorded():
    """{id: case} in the order of the files."""
    cases = {}
    for path in sorted(glob.glob(HERE + "/cases/*.jsonl")):
        with open(path, encoding="ascii") as f:
            for line in f:
                case = json.loads(line)
                cases[case["id"]] = case
    return cases


def prepared(case):
    """The case as it is played with onehop: who submits may read the password, as the file's group."""
    case = copy.deepcopy(case)
    submitters = [s["user"] for s in case["steps"] if s.get("user", "root") != "root"]
    if submitters:
        case["config"].setdefault("passwd_reader", submitters[0])
    return case


def expectation(case):
    """What Exim did, as facts; that a command failed counts, the number does not (Exim knows only 1)."""
    expected = facts.facts(case["observed"])
    if any(s.get("user", "root") != "root" for s in case["steps"] if "argv" in s):
        expected["log"] = None
    for step in expected["steps"]:
        if step["rc"] != 0 and "-bt" not in step["argv"]:
            step["rc"] = "error"
    return expected


class Purpose:
    def __init__(self, reason, edits):
        self.reason, self.edits = reason, edits

    def apply(self, case):
        """(case to play, what is expected)"""
        played, expected = prepared(case), expectation(case)
        for edit in self.edits:
            edit(played, expected)
        return played, expected


def on_purpose(reason, *edits):
    return Purpose(reason, edits)


# ---------------------------------------------------------------- edits
def exits(rc, says=None, step=0):
    """Exit status, and what stderr must say (a regular expression)."""
    def edit(case, expected):
        expected["steps"][step].update(rc=rc, says=says)
    return edit


def clean(*keys):
    """None of these happens."""
    def edit(case, expected):
        for key in keys:
            expected[key] = []
    return edit


def anyhow(*keys):
    """These are not looked at."""
    def edit(case, expected):
        expected.update(dict.fromkeys(keys))
    return edit


def dead_letter(case, expected):
    user = next(s.get("user") or "root" for s in case["steps"] if "argv" in s and s["argv"][0] in SENDMAIL)
    home = "/root" if user == "root" else "/home/" + user
    expected["dead"] = [{"path": home + "/dead.letter", "mode": "0o600", "owner": "%s:%s" % (user, user)}]


def not_sent(rc, says=None, step=0):
    """The message is handed back: this status, these words, a dead letter, nothing delivered."""
    def edit(case, expected):
        exits(rc, says, step)(case, expected)
        clean("wire", "files", "waiting")(case, expected)
        expected["log"] = None
        dead_letter(case, expected)
    return edit


def refused(rc, says=None, step=0):
    """The call itself is wrong: nothing is read, nothing is kept."""
    def edit(case, expected):
        exits(rc, says, step)(case, expected)
        clean("wire", "tried", "files", "waiting")(case, expected)
        expected["log"] = None
    return edit


def waits(says, sender="alice@debian", rcpt="x@far.example"):
    """It is in the spool, nobody has got it, and the log has the reason (a regular expression)."""
    def edit(case, expected):
        clean("wire", "tried", "files")(case, expected)
        expected.update(waiting=[{"sender": "<%s>" % sender, "rcpts": [rcpt], "done": [], "frozen": False}], log=None,
                        log_says=r"== %s .*%s" % (re.escape(rcpt), says))
    return edit


def sent(case, expected):
    """Delivered as far as Exim's recording says; no error, no error mail."""
    expected["steps"][0]["rc"] = 0
    expected["files"], expected["log"] = [], None


def auth(*attempts):
    """(mech, decoded, last reply) of each AUTH."""
    def edit(case, expected):
        tls = bool(expected["auth"] and expected["auth"][0]["tls"])
        expected["auth"] = [{"server": "%s:%d" % (server.get("addr", "192.0.2.25"), server.get("port", 2525)), "tls": tls,
                             "mech": mech, "decoded": decoded, "reply": reply}
                            for server in case["servers"][:1] for mech, decoded, reply in attempts]
    return edit


def tries(mail, *rcpt, server="192.0.2.25:2525"):
    """One transaction that ends without a message."""
    def edit(case, expected):
        expected["tried"] = [{"server": server, "mail": mail, "rcpt": ["TO:<%s>" % r for r in rcpt]}]
    return edit


def message(**changes):
    """Change fields of every message a server took; a callable gets the old value."""
    def edit(case, expected):
        for w in expected["wire"]:
            for key, value in changes.items():
                w[key] = value(w[key]) if callable(value) else value
    return edit


def received(rcpt, server="192.0.2.25:2525", mail="FROM:<alice@debian>", **changes):
    """One message to these recipients, though Exim sent none: the text as submission makes it of the case's stdin."""
    def edit(case, expected):
        clean("tried", "files", "waiting")(case, expected)
        expected["log"] = None
        expected["steps"][-1].update(rc=0, routers=[])
        expected["wire"] = [{"server": server, "tls": False, "mail": mail,
                             "rcpt": [["TO:<%s>" % r, "250 2.1.5 recipient ok"] for r in sorted(rcpt)],
                             "data": changes.get("data") or plain_text(case, rcpt)}]
    return edit


def delivered(user, content):
    """One message in the user's Maildir, in one that has just been made."""
    def edit(case, expected):
        base = "/home/%s/Maildir/" % user
        owner = {"owner": "%s:%s" % (user, user)}
        expected["files"] = sorted(
            [{"path": base + d, "mode": "0o700", **owner, "content": None} for d in ("", "cur/", "new/", "tmp/")]
            + [{"path": base + "new/<UNIQUE>.debian", "mode": "0o600", **owner, "content": content}], key=lambda f: f["path"])
        clean("wire", "tried")(case, expected)
        expected["log"] = None
    return edit


def logged(*changes, more=()):
    """Exim's log, line for line, but for these (pattern, replacement); what becomes empty is not there, more is."""
    def edit(case, expected):
        for pattern, replacement in changes:
            expected["log"] = [re.sub(pattern, replacement, line) for line in expected["log"]]
        expected["log"] = sorted([*filter(None, expected["log"]), *more])
    return edit


def aged(seconds):
    """Where Exim's message is made old in its -H file, the spool's clock is put forward: no other clock makes it old."""
    def edit(case, expected):
        for step in case["steps"]:
            if "perl" in "".join(step.get("argv", [])):
                step["argv"][-1] = re.sub(
                    r"cd /var/spool/exim4/input; .* \$H;(?: rm -f \S+;)?",
                    "perl -pi -e '@f = split; $f[0] += %d; $f[4] = $f[0] ^ $f[1] << 1 ^ $f[2] << 2; $_ = \"@f\\n\"' "
                    "/var/spool/onehop/db/clock;" % seconds, step["argv"][-1])
    return edit


def report(status, why=None, shown=None):
    """What a bounce or warning has for programs: in RFC 3464's order, since when, a status of its own, why if no server
    said it; shown: (pattern, replacement) in what it has for people."""
    def edit(case, expected):
        said = "Diagnostic-Code: X-onehop; %s\n" % why if why else ""
        for item in expected["files"]:
            text = re.sub(r"(Reporting-MTA: .*\n)", r"\1Arrival-Date: <DATE>\n", item["content"] or "")
            text = re.sub(r"(Action: .*\n)(Final-Recipient: .*\n)Status: .*\n", r"\2\1Status: %s\n%s" % (status, said), text)
            text = re.sub(*shown, text) if shown else text
            item["content"] = item["content"] and text
    return edit


def explained(*steps):
    """mailq says under each message why it waits, and until when."""
    def edit(case, expected):
        for step in steps:
            messages = expected["steps"][step]["stdout"].split("\n\n")
            expected["steps"][step]["stdout"] = re.compile(
                r"\n(?: {8}last error for .*\n)?(?: {8}next try for .*\n)?\n".join(map(re.escape, messages)))
    return edit


def plain_text(case, rcpt):
    """The stock message with what submission adds to it (EXIM-SEMANTICS 6)."""
    step = next(s for s in case["steps"] if "argv" in s and s["argv"][0] in SENDMAIL)
    user = step.get("user") or "root"
    head, body = step["stdin"].split("\n\n", 1)
    for_one = "\n\tfor %s" % rcpt[0] if len(rcpt) == 1 else ""
    text = ("Received: from %s by debian with local (<VERSION>)\n\t(envelope-from <%s@debian>)\n\tid <ID>%s;\n\t<DATE>\n%s\n"
            "Message-Id: <<ID>@debian>\nDate: <DATE>\n\n%s" % (user, user, for_one, head, body))
    return text.replace("\n", "\r\n")


def sub(pattern, replacement):
    return lambda text: re.sub(pattern, replacement, text)


def shows(stdout, step=0, rc=0):
    """Standard output of a step; a pattern if it is a compiled one."""
    def edit(case, expected):
        expected["steps"][step].update(stdout=stdout, rc=rc)
    return edit


def argv(*words, step=0):
    """This call is played instead."""
    def edit(case, expected):
        played = [s for s in case["steps"] if "argv" in s][step]
        played["argv"] = list(words)
        expected["steps"][step].update(argv=list(words), routers=None)
    return edit


def only_step(*numbers):
    """The other steps are Exim's own tools."""
    def edit(case, expected):
        calls = [s for s in case["steps"] if "argv" in s]
        kept = [calls[n] for n in numbers]
        case["steps"] = [s for s in case["steps"] if "argv" not in s or any(s is k for k in kept)]
        expected["steps"] = [expected["steps"][n] for n in numbers]
    return edit


def options(**values):
    """The macros of Exim's generated file, asked of -bP as options; values: which of them are others."""
    def edit(case, expected):
        macros = dict(line.split("=", 1) for line in expected["steps"][0]["stdout"].split("\n") if "=" in line)
        names = {"configtype": macros.get("DC_eximconfig_configtype"), "smarthost": macros.get("DCsmarthost"),
                 "qualify_domain": macros.get("ETC_MAILNAME"),
                 "local_domains": macros.get("MAIN_LOCAL_DOMAINS", "").removeprefix("@:localhost").removeprefix(":"),
                 "hide_mailname": "yes" if "HIDE_MAILNAME" in macros else "no",
                 "visible_name": macros.get("DCreadhost"), "local_delivery": macros.get("LOCAL_DELIVERY"), **values}
        argv("/usr/sbin/sendmail", "-bP", *names)(case, expected)
        lines = "".join(r"%s = %s *\t# .*\n" % (name, re.escape(value or "")) for name, value in names.items())
        expected["steps"][0]["stdout"] = re.compile(lines)
    return edit


def submits(step):
    """Is it a call that brings a message?"""
    return "argv" in step and step["argv"][0] in SENDMAIL and not any(re.match("-([Mq]|b[^ms])", word) for word in step["argv"])


def as_root(case, expected):
    """Root submits for alice: until onehop-send has its doors he alone may deliver to others and has a spool."""
    nameless = False
    domain = case["config"].get("mailname", "debian").strip()
    for step in case["steps"]:
        if step.get("user", "root") != "root" and submits(step):
            nameless |= not re.search(r"(?im)^From:", step.get("stdin", "").split("\n\n")[0])
            if "-f" not in step["argv"]:
                step["argv"][1:1] = ["-f", step["user"] + "@" + domain]
            step["user"] = "root"
    case["config"]["passwd_reader"] = "root"

    def by_root(text):
        text = re.sub(r"(?m)^Received: from alice by", "Received: from root by", text or "")
        return text.replace("From: Alice Liddell <alice@debian>", "From: alice@debian") if nameless else text
    for item in expected["wire"]:
        item.update(data=by_root(item["data"]), mail=item["mail"].replace(" AUTH=alice@debian", ""))
    for item in expected["files"]:
        item["content"] = item["content"] and by_root(item["content"])
    expected["log"] = [line.replace(" U=alice ", " U=root ") for line in facts.log_lines(case["observed"]["mainlog"])]
