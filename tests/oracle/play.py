"""The recorded cases, and the words in which purpose.py says what onehop does instead.

An entry of the table is on_purpose(reason, edit...).  An edit is called with (expected, case) and changes what is expected,
which at first is what Exim did; played(change) changes the case before it is played.  judge() looks at one observation of
the case: it must be as the entry says, and nothing that the entry says may be superfluous.
"""
import copy
import glob
import json
import os
import re

import facts

MADE_OLD = ("perl -pi -e '@f = split; $f[0] += %s; $f[4] = $f[0] ^ $f[1] << 1 ^ $f[2] << 2; $_ = \"@f\\n\"' "
            "/var/spool/onehop/db/clock;")
HERE = os.path.dirname(os.path.abspath(__file__))


def recorded():
    """{id: case} in the order of the files."""
    cases = {}
    for path in sorted(glob.glob(HERE + "/cases/*.jsonl")):
        with open(path, encoding="ascii") as f:
            for line in f:
                case = json.loads(line)
                cases[case["id"]] = case
    return cases


def unavailable():
    """Why the doors cannot be served here, or None."""
    return None if os.access("/usr/bin/setpriv", os.X_OK) else "there is no setpriv"


def prepared(case):
    """The case as it is played with onehop: on a machine with user onehop and its doors.  Where Exim's message is made old in
    its -H file, the spool's clock is put forward: no other clock makes mail old."""
    case = {**copy.deepcopy(case), "doors": True}
    for step in case["steps"]:
        if "perl" in "".join(step.get("argv", [])):
            step["argv"][-1] = re.sub(r"cd /var/spool/exim4/input; .*?\$a-=(\d+).* \$H;(?: rm -f \S+;)?",
                                      lambda m: MADE_OLD % m.group(1), step["argv"][-1])
    return case


def queued(case):
    """The same where the caller does not wait: -odq and a queue run, which is in Exim's log, too.  It bounces as when Exim's caller
    waits: he never hears of it."""
    case = copy.deepcopy(case)
    observed, run = case["observed"], {"argv": ["/usr/sbin/sendmail", "-q"]}
    case["steps"][0]["argv"] = [case["steps"][0]["argv"][0], "-odq", *[w for w in case["steps"][0]["argv"][1:] if w != "-odi"]]
    case["steps"].insert(1, run)
    observed["steps"][0].update(argv=case["steps"][0]["argv"], rc=0, stderr="")
    observed["steps"].insert(1, {**run, "rc": 0, "stdout": "", "stderr": ""})
    observed["mainlog"] += "".join("<TIME> %s queue run: pid=<PID>\n" % word for word in ("Start", "End"))
    return case


def expectation(case):
    """What Exim did, as facts; that a command failed counts, the number does not (Exim knows only 1)."""
    expected = facts.facts(case["observed"])
    for step in expected["steps"]:
        if step["rc"] != 0 and "-bt" not in step["argv"]:
            step["rc"] = "error"
    return expected


# ---------------------------------------------------------------- entries
class Played:
    """Not what is expected, but what is played."""

    def __init__(self, change):
        self.change = change


def flat(edits):
    return [e for edit in edits for e in (flat(edit) if isinstance(edit, (list, tuple)) else [edit])]


class Purpose:
    def __init__(self, reason, edits):
        self.reason, edits = reason, flat(edits)
        self.plays = [e for e in edits if isinstance(e, Played)]
        self.edits = [e for e in edits if not isinstance(e, Played)]

    def played(self, case):
        case = prepared(case)
        for play in self.plays:
            before = copy.deepcopy(case)
            play.change(case)
            assert case != before, "what is played is not changed by it"
        return case

    def expected(self, case, without=None):
        """without: the number of an edit."""
        expected = expectation(case)
        for number, edit in enumerate(self.edits):
            if number != without:
                edit(expected, case)
        return expected


def on_purpose(reason, *edits):
    return Purpose(reason, edits)


def places(expected):
    """{name: (dictionary, key)} of all that is compared."""
    found = {key: (expected, key) for key in facts.LISTS}
    for n, step in enumerate(expected["steps"]):
        found.update({"step %d's %s" % (n + 1, key): (step, key) for key in ("rc", "stdout", "routers", "warned")})
    return found


def changed(exims, ours):
    """Names of the places that Exim has, too, with something else."""
    ours = places(ours)
    return [name for name, (there, key) in places(exims).items() if there[key] != ours[name][0][ours[name][1]]]


def superfluous(purpose, case, got):
    """What is said of the case, and not needed to explain what was observed."""
    exims, out = expectation(case), []
    if not facts.differences(exims, got):
        return ["it is as Exim: take the entry out"]
    for number, edit in enumerate(purpose.edits):
        if not facts.differences(purpose.expected(case, number), got, strict=True):
            out.append("edit %d (%s) changes nothing that is seen: take it out" % (number + 1, edit.__qualname__.split(".")[0]))
    ours = purpose.expected(case)
    for name in changed(exims, ours):
        one = copy.deepcopy(ours)
        there, key = places(one)[name]
        there[key] = places(exims)[name][0][key]
        if not facts.differences(one, got, strict=True):
            out.append("%s is as Exim's: nothing else is to be expected there" % name)
    return out


def judge(purpose, case, got):
    """What is wrong with the entry, given the facts of the case as it was played; nothing when all is well."""
    found = facts.differences(purpose.expected(case), got)
    return ["not as purpose.py says:", *found] if found else superfluous(purpose, case, got)


# ---------------------------------------------------------------- parts
def submits(step):
    """Is it a call that brings a message?"""
    return "argv" in step and "stdin" in step and not any(re.match("-([Mq]|b[^msS])", word) for word in step["argv"])


def caller(case):
    """The call that brings the message."""
    return next(filter(submits, case["steps"]))


def user_of(case):
    return caller(case).get("user") or "root"


def arrivals(expected):
    """The log's lines of what came from users."""
    return [line for line in expected["log"] if re.match("<ID> <= (?!<> (R=<ID> )?U=(<MTA>|Debian-exim) )", line)]


def arrival(sender, user):
    return "<ID> <= %s U=%s P=local S=<N>" % (sender, user)


def to_smarthost(rcpt, host="smtp.isp.example [192.0.2.25]", sign="=>", auth="", reply="250 2.0.0 queued"):
    return '<ID> %s %s R=smarthost T=remote_smtp_smarthost H=%s%s C="%s"' % (sign, rcpt, host, auth, reply)


COMPLETED = "<ID> Completed"


# ---------------------------------------------------------------- edits
def exits(rc, says=None, step=0):
    """Exit status, and what stderr must say (a regular expression)."""
    def edit(expected, case):
        expected["steps"][step].update(rc=rc, says=says)
    return edit


def is_not_here(*steps):
    """These are Exim's own tools."""
    def not_here(step):
        def edit(expected, case):
            expected["steps"][step].update(rc=127, stdout="", routers=[])
        return edit
    return [not_here(step) for step in steps]


def clean(*keys):
    """None of these happens."""
    def clean_of(key):
        def edit(expected, case):
            expected[key] = []
        return edit
    return [clean_of(key) for key in keys]


def dead_letter(expected, case):
    user = user_of(case)
    home = "/root" if user == "root" else "/home/" + user
    expected["dead"] = [{"path": home + "/dead.letter", "mode": "0o600", "owner": "%s:%s" % (user, user)}]


def nothing_done(expected):
    expected.update(wire=[], files=[], waiting=[])


def told(rc, says, step=0, wire=False):
    """The message is handed back: this status, these words, a dead letter; nobody has it, and the log says why.
    wire: but the server has heard all of it."""
    def edit(expected, case):
        heard = expected["wire"] if wire else []
        expected["steps"][step].update(rc=rc, says=says)
        nothing_done(expected)
        expected["wire"] = heard
        expected["log"] = arrivals(expected) + [line for line in expected["log"] if line.startswith("<ID> ** ")]
        dead_letter(expected, case)
    return edit


def refused(rc, says, step=0, kept=True):
    """The call or the message is wrong: nothing is begun, and the caller keeps it (in a dead letter)."""
    def edit(expected, case):
        expected["steps"][step].update(rc=rc, says=says, routers=[])
        nothing_done(expected)
        expected.update(tried=[], log=[])
        if kept:
            dead_letter(expected, case)
    return edit


def waits(code, why, rcpt="x@far.example", host="smtp.isp.example [192.0.2.25]",
          by="R=smarthost T=remote_smtp_smarthost", sender="alice@debian"):
    """It is in the spool, nobody has got it, and the log has the reason (a regular expression), of the host and the recipient."""
    def edit(expected, case):
        nothing_done(expected)
        expected.update(tried=[], waiting=[{"sender": "<%s>" % sender, "rcpts": [rcpt], "done": [], "frozen": False}])
        at = re.escape(" H=" + host) if host else ""
        expected["log"] = arrivals(expected) + [line for line in expected["log"] if " authenticator " in line] + [
            re.compile(r"<ID> == %s defer \(%d\)%s: %s" % (re.escape("%s %s" % (rcpt, by)), code, at, why))]
        if host:
            expected["log"].append(re.compile("<ID>%s: %s" % (at, why)))
    return edit


def auth(*attempts):
    """(mech, decoded, last reply) of each AUTH."""
    def edit(expected, case):
        tls = bool(expected["auth"] and expected["auth"][0]["tls"])
        expected["auth"] = [{"server": "%s:%d" % (server.get("addr", "192.0.2.25"), server.get("port", 2525)), "tls": tls,
                             "mech": mech, "decoded": decoded, "reply": reply}
                            for server in case["servers"][:1] for mech, decoded, reply in attempts]
    return edit


def tries(mail, *rcpt, server="192.0.2.25:2525"):
    """One transaction that ends without a message."""
    def edit(expected, case):
        expected["tried"] = [{"server": server, "mail": mail, "rcpt": ["TO:<%s>" % r for r in rcpt]}]
    return edit


def message(**changes):
    """Change fields of every message a server took; a callable gets the old value."""
    def field(key, value):
        def edit(expected, case):
            for w in expected["wire"]:
                w[key] = value(w[key]) if callable(value) else value
        return edit
    return [field(key, value) for key, value in changes.items()]


def one_message(case, rcpt, server="192.0.2.25:2525", sender="alice@debian"):
    """As a server gets it: the text as submission makes it of the case's stdin."""
    return {"server": server, "tls": False, "mail": "FROM:<%s>" % sender,
            "rcpt": [["TO:<%s>" % r, "250 2.1.5 recipient ok"] for r in sorted(rcpt)], "data": plain_text(case, rcpt)}


def received(*rcpt, server="192.0.2.25:2525", host="smtp.isp.example [192.0.2.25]", sender="alice@debian", user="alice", data=None, says=None):
    """One message to these recipients, though Exim sent none."""
    def edit(expected, case):
        nothing_done(expected)
        expected["tried"] = []
        expected["steps"][-1].update(rc=0, says=says, routers=[])
        expected["wire"] = [{**one_message(case, rcpt, server, sender), **({"data": data} if data else {})}]
        expected["log"] = [arrival(sender, user), *[to_smarthost(r, host, "->" if n else "=>") for n, r in enumerate(rcpt)], COMPLETED]
    return edit


def delivered(user, content):
    """One message in the user's Maildir, in one that has just been made."""
    def edit(expected, case):
        base = "/home/%s/Maildir/" % user
        owner = {"owner": "%s:%s" % (user, user)}
        nothing_done(expected)
        expected["files"] = sorted(
            [{"path": base + d, "mode": "0o700", **owner, "content": None} for d in ("", "cur/", "new/", "tmp/")]
            + [{"path": base + "new/<UNIQUE>.debian", "mode": "0o600", **owner, "content": content}], key=lambda f: f["path"])
        expected["log"] = [arrival("alice@debian", user_of(case)), "<ID> => {0} <{0}@debian> R=local_user T=maildir_home".format(user), COMPLETED]
    return edit


def logged(*changes, more=()):
    """The log line for line, but for these (pattern, replacement); what becomes empty is not there, more is."""
    def change(pattern, replacement):
        def edit(expected, case):
            if isinstance(replacement, re.Pattern):
                expected["log"] = [replacement if re.fullmatch(pattern, line) else line for line in expected["log"]]
            else:
                expected["log"] = list(filter(None, [re.sub(pattern, replacement, line) for line in expected["log"]]))
        return edit

    def added(line):
        def edit(expected, case):
            expected["log"] = [*expected["log"], line]
        return edit
    return [*[change(*c) for c in changes], *map(added, more)]


def configured(key, value):
    """With this in update-exim4.conf.conf."""
    return Played(lambda case: case["config"].setdefault("dc", {}).update({key: value}))


def report(status, why=None, shown=None):
    """What a bounce or warning has for programs: in RFC 3464's order, since when, a status of its own, why if no server
    said it; shown: (pattern, replacement) in what it has for people."""
    def edit(expected, case):
        said = "Diagnostic-Code: X-onehop; %s\n" % why if why else ""
        for item in expected["files"] + expected["wire"]:
            key = "data" if "data" in item else "content"
            text = (item[key] or "").replace("\r\n", "\n")
            text = re.sub(r"(Reporting-MTA: .*\n)", r"\1Arrival-Date: <DATE>\n", text)
            text = re.sub(r"(Action: .*\n)(Final-Recipient: .*\n)Status: .*\n", r"\2\1Status: %s\n%s" % (status, said), text)
            text = re.sub(*shown, text) if shown else text
            item[key] = item[key] and (text.replace("\n", "\r\n") if key == "data" else text)
    return edit


def explained(step, why=None, rcpt="x@far.example"):
    """mailq says under the message why it waits, and until when."""
    def edit(expected, case):
        said = "        last error for %s: %s\n" % (rcpt, why) if why else ""
        said += "        next try for %s: %s\n" % (rcpt, "<TIME>" if why else "the next queue run")
        expected["steps"][step]["stdout"] = re.sub(r"(?m)^$\n", lambda m: said + "\n", expected["steps"][step]["stdout"], count=1)
    return edit


def plain_text(case, rcpt):
    """The stock message with what submission adds to it (doc/EXIM 6)."""
    head, body = caller(case)["stdin"].split("\n\n", 1)
    for_one = "\n\tfor %s" % rcpt[0] if len(rcpt) == 1 else ""
    text = ("Received: from %s by debian with local (<VERSION>)\n\t(envelope-from <alice@debian>)\n\tid <ID>%s;\n\t<DATE>\n%s\n"
            "Message-Id: <<ID>@debian>\nDate: <DATE>\n\n%s" % (user_of(case), for_one, head, body))
    return text.replace("\n", "\r\n")


def sub(pattern, replacement):
    return lambda text: re.sub(pattern, replacement, text)


def shows(stdout, step=0):
    """Standard output of a step; a pattern if it is a compiled one, and if it is called: of what Exim shows."""
    def edit(expected, case):
        old = expected["steps"][step]["stdout"]
        expected["steps"][step]["stdout"] = stdout(old) if callable(stdout) else stdout
    return edit


def asks(*argv, rc=0, stdout="", says=None, user="root", stdin=""):
    """After Exim's steps this is called, too."""
    def expect(expected, case):
        out = stdout(expected) if callable(stdout) else stdout
        expected["steps"].append({"argv": list(argv), "rc": rc, "stdout": out, "routers": [], "warned": [], "says": says})
    return [Played(lambda case: case["steps"].append({"argv": list(argv), "user": user, "stdin": stdin})), expect]
