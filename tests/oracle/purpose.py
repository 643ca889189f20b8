"""Where onehop differs from Exim on purpose: case, reason, and what is expected instead (play.py has the words).

A reason is one that a user would approve; a difference without such a reason is a fault, not an entry.
"""
import re

from play import (aged, anyhow, argv, as_root, auth, clean, dead_letter, delivered, exits, explained, logged, message, not_sent, on_purpose,
                  only_step, options, received, refused, report, sent, shows, sub, tries, waits)

# ---------------------------------------------------------------- passwords
NEVER_WITHOUT = ("a password is configured for this host, so the mail waits rather than go without login: "
                 "a wrong password is the administrator's to mend, not the sender's loss")
NO_DOOR = ("a caller who is not root has no spool before onehop-send has its doors: he gets status 75 and nothing is kept; "
           "root has one, and then it is as Exim")
PLAIN = r"\0user\0pass"
TO_THE_END = ("what a prompt says does not count, a response that was not looked at is said again, and neither a bad challenge nor a "
              "connection that ends over one mechanism is the end of the login")


def logs_in(*attempts):
    return on_purpose(TO_THE_END, as_root, received(["x@far.example"]), message(data=sub("<root@debian>", "<alice@debian>")), auth(*attempts))


def login_fails(says, reason=NEVER_WITHOUT, **who):
    return on_purpose(reason, as_root, waits(says, **who))


AUTH = {
    "auth-454": on_purpose(NO_DOOR, as_root),
    "auth-538": login_fails("538 5.7.11"),
    "auth-all-535-mail530": login_fails("535 5.7.8"),
    "auth-all-535-rcpt554": login_fails("535 5.7.8"),
    "auth-auth-first-line": login_fails("AUTH"),
    "auth-helo-only": login_fails("AUTH|HELO"),
    "auth-no-auth": login_fails("AUTH"),
    "auth-login-user-535": login_fails("535 no such user"),
    "auth-login-extra-prompt": on_purpose("a question after all was said is left with * (RFC 4954, 4), and the sentence says so", as_root,
                                          waits("asks on after all of LOGIN"), auth(("LOGIN", ["user", "pass", None], "334 bW9yZQ=="))),
    "auth-plain-334-b64": logs_in(("PLAIN", [PLAIN, PLAIN], "235 ok")),
    "auth-plain-334": logs_in(("PLAIN", [PLAIN, PLAIN], "235 ok")),
    "auth-login-empty-prompt": logs_in(("LOGIN", ["user", "pass"], "235 ok")),
    "auth-login-not-base64": logs_in(("LOGIN", ["user", "pass"], "235 ok")),
    "auth-421": logs_in(("PLAIN", [PLAIN], "421 4.7.0 closing"), ("LOGIN", ["user", "pass"], "235 ok")),
    "auth-drop": on_purpose(TO_THE_END + "; here the next mechanism is refused, with words", as_root, waits("with PLAIN, LOGIN: .*504 "),
                            auth(("PLAIN", [PLAIN], "DROP"), ("LOGIN", [], "504 Unrecognized authentication type"))),
    "auth-all-535": login_fails("535 5.7.8"),
    "auth-cram-bad-challenge": logs_in(("CRAM-MD5", [None], "334 !!!not base64"), ("PLAIN", [PLAIN], "235 ok")),
    "auth-none-common": on_purpose(NEVER_WITHOUT + "; and SCRAM is spoken", as_root, waits("504 "), anyhow("auth")),
    "auth-starttls-untrusted": on_purpose(
        "mail does not go in clear after the certificate failed", as_root, clean("auth"), waits("certificate")),
    "auth-port-465-plain": on_purpose("on port 465 TLS comes first, unless tls says otherwise", as_root, clean("auth"), waits("TLS")),
    "auth-unreadable": on_purpose("a password file that cannot be read is said, and the mail does not go without its login",
                                  not_sent(75, r"passwd\.client", 2)),
    "auth-colon-in-pass-cram": on_purpose("the password is the same for every mechanism, colon or not",
                                          auth(("CRAM-MD5", ["user d7ab7b25983f6b677a98eecba2efa368"], "235 ok"))),
    "auth-continuation": on_purpose("the blank that joins two lines is no part of the login", auth(("PLAIN", [PLAIN], "235 ok"))),
    "auth-no-newline": on_purpose("white space at the end is no part of the password, with or without a newline behind it",
                                  auth(("PLAIN", [PLAIN], "235 ok"))),
    "auth-lowercase": on_purpose("EHLO keywords are read without regard to case (RFC 5321, 2.4)", auth(("PLAIN", [PLAIN], "235 ok")),
                                 message(mail="FROM:<alice@debian> AUTH=alice@debian")),
    "auth-cname-both": on_purpose("the name in dc_smarthost is looked up first: DNS does not choose the password",
                                  auth(("PLAIN", [r"\0alias\0pass"], "235 ok"))),
    "auth-legacy-only": on_purpose(
        "AUTH= lines of old servers count (the walkthrough's server has one)", auth(("PLAIN", [PLAIN], "235 ok")),
        message(mail="FROM:<alice@debian> AUTH=alice@debian")),
    "auth-two-auth-lines": on_purpose(
        "all AUTH lines count", auth(("CRAM-MD5", [], "504 no"), ("PLAIN", [PLAIN], "235 ok")),
        message(mail="FROM:<alice@debian> AUTH=alice@debian")),
    "auth-login-only": on_purpose(
        "a passwd.client line without a password is named with its place, not sent as garbage",
        as_root, clean("auth"), waits(r"passwd\.client:1")),
    "auth-port-key": on_purpose(
        "a passwd.client line that cannot be read as HOST:LOGIN:PASSWORD is named with its place, not sent as garbage",
        as_root, clean("auth"), waits(r"passwd\.client:1")),
    "auth-macro-false": on_purpose(
        "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = false means no", as_root, clean("auth"), waits("auth_client_allow_notls_passwords")),
    "auth-notls-nomacro": login_fails("auth_client_allow_notls_passwords"),
    "auth-notls-nomacro-530": login_fails("auth_client_allow_notls_passwords"),
    "auth-notls-nomacro-cram": on_purpose(
        "with a password TLS is required before any AUTH, unless the administrator says otherwise",
        as_root, clean("auth"), waits("auth_client_allow_notls_passwords")),
    "auth-starttls-untrusted-mac": on_purpose(
        "a server that fails the check of its certificate does not get the password in clear either",
        as_root, clean("auth"), waits("certificate")),
    "auth-starttls-require-bad": on_purpose("the log says what is wrong with the certificate, and what would accept it",
                                            waits("certificate")),
    "auth-starttls-rcpt-550": on_purpose("a bounce has RFC 3464's order, since when, and a status of its own",
                                         report("5.1.1")),
    "auth-starttls-wrongname": on_purpose(
        "mail does not go in clear after the certificate failed", as_root, clean("auth"), waits("certificate")),
    "seed-alias-name-in-passwd": on_purpose(
        "passwd.client may name the host as dc_smarthost does, not only as DNS calls it",
        auth(("PLAIN", [r"\0yjnet\01234"], "504 Unknown authentication mechanism"),
             ("LOGIN", ["yjnet", "1234"], "235 OK Authenticated")),
        logged((r"(\[202.104.32.230\])", r"\1 A=login"),
               more=["<ID> plain authenticator failed H=smtp.cdn.21cn.com [202.104.32.230] 504 Unknown authentication mechanism"]),
        message(mail="FROM:<yjnet@21cn.com> AUTH=root@debian")),
    "seed-v-remote": on_purpose("8-bit text is declared to a server that has 8BITMIME",
                                message(mail="FROM:<yjnet@21cn.com> BODY=8BITMIME AUTH=root@debian")),
    "seed-v-remote-nomacro": login_fails("auth_client_allow_notls_passwords", sender="yjnet@21cn.com", rcpt="jims.yang@gmail.com"),
}

# ---------------------------------------------------------------- what the smarthost says
TO_THE_CALLER = "the caller waits, so a refusal is his exit status and the server's words, and no bounce is made"
ONE_CONNECTION = "what goes to one host goes over one connection, in the order in which it came"
NOT_DUE = "a message whose time has not come is left alone without a line in the log"
EACH_ONCE = "a new message always gets its try, and when that goes well, what waits goes along"
OWN_TOOLS = "what Exim's own programs say of its retry database, mailq and onehop status say here"
SPOOL_CLOCK = "how long mail waits is counted by a clock of the spool's own, which no clock that jumps makes old"
REFUSED, CANCELLED = "cannot connect to 192.0.2.25: Connection refused", "cancelled by timeout_frozen_after"
REASONS = "mailq says under each message why it waits, and until when"


def mailq_young(case, expected):
    """It shows the time since it came, by the wall clock."""
    expected["steps"][2]["stdout"] = expected["steps"][2]["stdout"].replace("25h ", " 0m ")


TUNNEL = "a tunnel or a daemon on this host may be the smarthost"
ONLY_HIM = "the caller waits, so a refusal is his exit status: there is no bounce that could fail, and nothing to freeze"


def both_arrive(case, expected):
    """x, which waited, and y, for whom the host was tried."""
    one = {"steps": [{}]}
    for rcpt in "xy":
        received([rcpt + "@far.example"])(case, one)
        one["wire"][0]["data"] = one["wire"][0]["data"].replace("<root@debian>", "<alice@debian>")
        expected["wire"] += one["wire"]


def waits_too(case, expected):
    """It is in the spool."""
    expected["waiting"] = [{"sender": "<alice@debian>", "rcpts": ["x@far.example"], "done": [], "frozen": False}]


def twice(rcpt):
    """Both messages arrive."""
    def edit(case, expected):
        one = {"steps": [{}]}
        received([rcpt])(case, one)
        one["wire"][0]["data"] = one["wire"][0]["data"].replace("<root@debian>", "<alice@debian>")
        expected["wire"] = one["wire"] * 2
    return edit


def header_file(case, expected):
    """As root's, who with -f is no author, and with onehop's lines; the longest line is that of the body."""
    step = expected["steps"][1]
    text = re.sub(r"(== -Mvc\n)(?:.*\n)*rc=0", r"\1rc=64", step["stdout"].replace("-auth_sender alice@debian\n", ""))
    text = re.sub(r"(?<=dent |h_id )alice|(?<=from )alice(?= by)", "root", text).replace("U=alice", "U=root")
    text = re.escape(text.replace("alice 1001 1001", "root 0 0").replace("linelength 18", "linelength 4"))
    for pattern, exims in ((r"\d+", "<EPOCH>"), (r"\d+", "<USEC>"), (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<TIME>"),
                           ("(?:-auth_id root\n)?", "-auth_id root\n"), ("(?:-local\n)?", "-local\n"),
                           (r"-tls_resumption A\n(?:-onehop_.*\n)+", "-tls_resumption A\n")):
        text = text.replace(re.escape(exims), pattern)
    step["stdout"] = re.compile(text)


def actions(case, expected):
    step = expected["steps"][1]
    script = case["steps"][1]["argv"]
    script[-1] = script[-1].replace('"-M $id -v" ', "")
    text = step["stdout"].replace("== -M <ID> -v\nrc=1\n", "").replace("<bob@debian>", "<alice@debian>")
    text = re.sub(r"(== -M(?:es|ar|md) .*\n)Message .* modified\nrc=0", r"\1rc=64", text)
    step["stdout"] = text.replace("        D y@far.example\n          fax@debian\n", "          y@far.example\n")
    step["says"] = "-Mes"
    explained(1)(case, expected)
    (one,) = expected["wire"]
    one.update(mail="FROM:<alice@debian>", rcpt=[["TO:<%s@far.example>" % x, "250 2.1.5 recipient ok"] for x in "xy"])
    expected["files"] = []
    logged((".* => fax .*|.*(?:marked delivered|added|changed).* by root", ""), more=[
        '<ID> -> y@far.example R=smarthost T=remote_smtp_smarthost H=smtp.isp.example [192.0.2.25] C="250 2.0.0 queued"'])(case, expected)


DELIVERY = {
    **{name: on_purpose(NO_DOOR, as_root) for name in (
        "del-data-451", "del-mail451-new-message", "del-own-address", "del-mail-451",
        "del-refused", "del-refused-odi", "del-rcpt450-new-message", "del-freeze-thaw",
        "sub-opt-odq")},
    "del-noresolve-servfail": on_purpose(NO_DOOR + ", and the log names the transport", as_root, logged(
        (r"defer \(-36\): .*", "T=remote_smtp_smarthost defer (-36): the name server could not answer for smtp.isp.example"))),
    "del-retry-local": on_purpose(OWN_TOOLS, only_step(0, 1), as_root, explained(1)),
    "del-queue-user": on_purpose(NOT_DUE, as_root, explained(2), logged((".*retry time not reached.*", ""))),
    "del-exinext": on_purpose(OWN_TOOLS, only_step(0), as_root),
    "del-queue-then-flush": on_purpose(NOT_DUE + "; " + REASONS, as_root, explained(1), logged((".*retry time not reached.*", ""))),
    "del-retry-old": on_purpose(SPOOL_CLOCK + "; giving up takes tries as well as time", as_root, aged(432000),
                                lambda case, e: case["config"].setdefault("dc", {}).update(retry="F,1d,1d"),
                                report("5.4.7", "retry timeout exceeded: " + REFUSED, (
                                    "(    retry timeout exceeded)", r"\1: cannot connect to 192.0.2.25:\n    Connection refused")),
                                logged((r"(?<=\*\* x@far.example).*", " R=smarthost T=remote_smtp_smarthost: retry timeout exceeded: " + REFUSED))),
    "del-warn-25h": on_purpose(SPOOL_CLOCK + "; a warning says why", as_root, aged(90000), report(
        "4.4.1", REFUSED, ("(?<=\n  x@far.example\n)", "    Delay reason: %s\n" % REFUSED)), mailq_young, explained(2)),
    "del-warn-25h-bulk": on_purpose(SPOOL_CLOCK, as_root, aged(90000)),
    "del-queue-many-deferred": on_purpose(
        ONE_CONNECTION + "; a host that cannot be reached is tried once a run", as_root,
        logged((r".* H=\S+ \S+ Connection refused", ""), more=["<ID> H=smtp.isp.example [192.0.2.25] Connection refused"] * 2)),
    "del-retry-rcpt": on_purpose(OWN_TOOLS, only_step(0, 2), as_root),
    "del-auth454-new-message": on_purpose(
        EACH_ONCE, as_root, shows("0\n", 2), clean("waiting"), auth(("PLAIN", [r"\0u\0p"], "454 later"), ("PLAIN", [r"\0u\0p"], "235 ok")),
        twice("x@far.example"), logged((".*retry time not reached.*", ""), more=[
            "<ID> => x@far.example R=smarthost T=remote_smtp_smarthost H=smtp.isp.example [192.0.2.25]%s A=plain C=\"250 2.0.0 queued\"" % star
            for star in ("", "*")] + ["<ID> Completed"] * 2)),
    "del-queue-many": on_purpose(ONE_CONNECTION, as_root, logged((r"(=> [bc]@.* \[192.0.2.25\])", r"\1*"))),
    "del-queue-qf": on_purpose(NOT_DUE, as_root, logged((".*retry time not reached.*", ""))),
    "del-spool-files": on_purpose(REASONS, as_root, explained(1)),
    "del-queue-second-message": on_purpose(EACH_ONCE, as_root, shows("0\n", 2), clean("waiting"), both_arrive,
                                           logged((".*retry time not reached.*", ""), more=[
                                               "<ID> => y@far.example R=smarthost T=remote_smtp_smarthost H=smtp.isp.example [192.0.2.25] "
                                               'C="250 2.0.0 queued"', "<ID> => x@far.example R=smarthost T=remote_smtp_smarthost "
                                               'H=smtp.isp.example [192.0.2.25]* C="250 2.0.0 queued"'] + ["<ID> Completed"] * 2)),
    **{name: on_purpose(TUNNEL, as_root, waits("Connection refused")) for name in ("del-localhost", "del-own-address-all")},
    "del-empty-smarthost": on_purpose("it says which setting is missing", as_root, waits("no smarthost is set")),
    "del-servfail-two": on_purpose("a name that DNS cannot find for now is passed over, as a host is that does not answer",
                                   received(["x@far.example"], server="192.0.2.26:2525")),
    "del-bounce-mapped-sender": on_purpose(TO_THE_CALLER, not_sent(69, "550 5.1.1")),
    "del-rcpt-550-foreign-sender": on_purpose(TO_THE_CALLER, not_sent(69, "550 5.1.1")),
    "del-two-first-550": on_purpose(TO_THE_CALLER, not_sent(69, "550 5.1.1")),
    "del-rcpt-mixed": on_purpose(NO_DOOR + "; " + REASONS, as_root, explained(1), report("5.1.1")),
    "del-bounce-refused": on_purpose(ONLY_HIM, not_sent(69, "550 5.1.1"), shows("", 1),
                                     tries("FROM:<someone@other.example>", "x@far.example")),
    "del-rcpt-550-nullsender": on_purpose(ONLY_HIM, not_sent(69, "550 5.1.1"), shows("", 1)),
    "del-interrupted": on_purpose("nothing was taken, so there is nothing in the log", logged((".*SIGTERM received.*", ""))),
    "del-log-full": on_purpose("a log that cannot be written is no reason to refuse mail", as_root, anyhow("log"), exits(0, None, 1),
                               waits_too),
    "del-spool-full": on_purpose("it says that the spool is full, and the mail is the caller's", as_root, anyhow("log"),
                                 not_sent(75, "spool .* make room", 1)),
    "del-dot-451": on_purpose(NO_DOOR + "; that is known only when the server has it all", as_root),
    "del-dot-554": on_purpose(TO_THE_CALLER, anyhow("log"), exits(69, "554 5.7.1"), dead_letter, clean("files", "waiting")),
    "del-size-too-big": on_purpose(ONLY_HIM + "; the server's limit is asked first", not_sent(69, "takes at most 500"), clean("tried")),
    "del-mvh-mvb": on_purpose("the -H file has lines of onehop's own, which Exim's programs pass over; -Mvc is not there", as_root,
                              header_file),
    "del-m-actions": on_purpose("a message that waits is not altered: -Mes, -Mar and -Mmd are not there; flags may follow the ids",
                                as_root, actions),
    "del-split-spool": on_purpose(REASONS, as_root, explained(1)),
    "del-timeout-frozen": on_purpose(SPOOL_CLOCK, as_root, aged(700000), report(
        "5.1.0", CANCELLED, ("(?<=\n  x@far.example\n)", "    %s\n" % CANCELLED))),
    "del-rcpt-452": on_purpose("who was too many is given to the same host once more", as_root,
                               tries("FROM:<alice@debian>", "y@far.example", "z@far.example")),
    "del-spool-partial": on_purpose(REASONS, as_root, explained(1)),
    "del-ehlo-421": on_purpose("421 ends the session: HELO is no answer to it", as_root, waits("421 busy")),
    "del-greet-554": on_purpose("a smarthost that does not want us is the administrator's to mend: "
                                "the mail is not lost for it", as_root, waits("554 no service")),
    "del-bounce-8bit": on_purpose(TO_THE_CALLER, not_sent(69, "550 no"), lambda case, e: e["tried"][0].update(
        mail="FROM:<alice@debian> BODY=8BITMIME")),
    "del-bounce-big": on_purpose(TO_THE_CALLER, not_sent(69, "550 no")),
    "del-data-554": on_purpose(TO_THE_CALLER, not_sent(69, "554 5.6.0 no")),
    "del-mail-550": on_purpose(TO_THE_CALLER, not_sent(69, "550 5.7.1")),
    "del-multiline-550": on_purpose(TO_THE_CALLER, not_sent(69, "550 5.1.1 three|550-5.1.1 one")),
    "del-size-552": on_purpose(TO_THE_CALLER, not_sent(69, "552 5.3.4")),
    "del-single-colon-port": on_purpose("host:port with one colon is a port, as everywhere else", only_step(2),
                                        received(["x@far.example"])),
    "del-two-noresolve-first": on_purpose("it says which name could not be found, and what to do", logged(
        ("no IP address found for host (.*)", r"no address of \1 is known; check the name, and the name server if it is right"))),
    "del-two-colon": on_purpose("blanks in dc_smarthost are harmless",
                                received(["x@far.example"], server="192.0.2.26:2525")),
    "del-two-semicolon-space": on_purpose("blanks in dc_smarthost are harmless",
                                          received(["x@far.example"], server="192.0.2.26:2525")),
}

# ---------------------------------------------------------------- local recipients
OTHERS = "another user's mailbox needs a door of onehop-send, which comes later: root has the right, and then it is as Exim"
WITH_PLACE = "the log says where it is and what to do; Exim's numbers for faults in a file are its own"
UNROUTEABLE = "Unrouteable address"
MAIL_TO_FAX = """Return-path: <alice@debian>
Envelope-to: fax@debian
Delivery-date: <DATE>
Received: from root by debian with local (<VERSION>)
\t(envelope-from <alice@debian>)
\tid <ID>
\tfor fax@debian;
\t<DATE>
From: alice@debian
To: someone@debian
Subject: s
Message-Id: <<ID>@debian>
Date: <DATE>

body
"""

LOCAL = {name: on_purpose(OTHERS, as_root) for name in (
    "loc-alias-backslash", "loc-alias-chain", "loc-alias-include", "loc-forward-loop", "loc-fwd-blackhole",
    "loc-fwd-crlf", "loc-fwd-empty", "loc-fwd-include", "loc-fwd-pipe", "loc-fwd-self-plain", "loc-fwd-self", "loc-mixed",
    "loc-real", "loc-root-noalias", "loc-spool", "loc-spool-existing", "loc-spool-two", "sub-t-local",
    "loc-alias-dup-key", "loc-alias-list", "loc-alias-list-odd", "loc-alias-self", "loc-alias-unknown", "loc-alias-unqualified-local",
    "loc-case", "loc-case-domain", "loc-fwd-ancestor", "loc-fwd-comment", "loc-fwd-devnull", "loc-localdomain-colon",
    "loc-localdomain-other", "loc-localdomain-pattern", "loc-maildir", "loc-maildir-dots", "loc-maildir-exists",
    "loc-mailname-notlocal-given", "loc-nologin", "loc-trace", "rw-hide-local")}
IN_PART = "a bounce has RFC 3464's order, since when, a status of its own, and who failed beside who was meant"


def failed_in_part(status, meant, failed, why=None):
    return on_purpose(IN_PART, report(status, why, ("(Final-Recipient: rfc822;)%s" % meant,
                                                    r"Original-Recipient: rfc822;%s\n\1%s" % (meant, failed))))


LOCAL.update({
    "loc-alias-part-unknown": failed_in_part("5.1.1", "ali@debian", "nosuch@debian", UNROUTEABLE),
    "loc-alias-part-550": failed_in_part("5.1.1", "ali@debian", "y@far.example"),
    "loc-fwd-part-550": failed_in_part("5.1.1", "bob@debian", "x@far.example"),
    "loc-alias-fail-mixed": on_purpose(IN_PART, report("5.1.0", "no")),
    "loc-alias-empty": on_purpose(TO_THE_CALLER, not_sent("error", UNROUTEABLE)),
    "loc-alias-fail": on_purpose(TO_THE_CALLER, not_sent("error", "no longer here")),
    "loc-alias-star": on_purpose(TO_THE_CALLER, not_sent("error", UNROUTEABLE)),
    "loc-caps-account": on_purpose(TO_THE_CALLER, not_sent("error", UNROUTEABLE)),
    "loc-configtype-local": on_purpose(TO_THE_CALLER, not_sent("error", "Mailing to remote domains not supported")),
    "loc-plus": on_purpose(TO_THE_CALLER, not_sent("error", UNROUTEABLE)),
    "loc-postmaster-noalias": on_purpose(TO_THE_CALLER, not_sent("error", UNROUTEABLE)),
    "loc-unknown": on_purpose(TO_THE_CALLER, not_sent("error", UNROUTEABLE)),
    "loc-unknown-oee": on_purpose(TO_THE_CALLER, not_sent("error", UNROUTEABLE)),
    "loc-mailname-missing": on_purpose("without /etc/mailname the host's own name is the mail name", only_step(0, 2), as_root,
                                       delivered("fax", MAIL_TO_FAX)),
    "loc-dup": on_purpose(OTHERS + "; of one copy for several the first is named", as_root, logged(("<ali@debian>", "<fax@debian>"))),
    "loc-alias-syntax": on_purpose(WITH_PLACE, as_root, logged(
        (r"\(-17\)(.*: )(domain missing or malformed) in (.*)", r"(-1)\1bad address \3: \2 (/etc/aliases:4)"))),
    **{name: on_purpose(
        "aliases lead to addresses only: a command run or a file written by a mail alias is refused at once, with its place",
        not_sent("error", r"/etc/aliases:4")) for name in (
            "loc-alias-file", "loc-alias-file-enabled", "loc-alias-pipe", "loc-alias-pipe-enabled")},
    "loc-alias-devnull": on_purpose("/dev/null in aliases throws the mail away, as it says; with Exim it waits for ever", clean("waiting")),
    "loc-alias-include-missing": on_purpose(WITH_PLACE, as_root, logged(
        (r"\(-17\)(.*: )failed to open included file (.*)", r"(-1)\1included file: cannot open \2 (/etc/aliases:4)"))),
    "loc-alias-loop": on_purpose(TO_THE_CALLER, not_sent(67, UNROUTEABLE)),
    "loc-alias-nofile": on_purpose("a host without /etc/aliases has no aliases, and its users get their mail", as_root,
                                   delivered("fax", MAIL_TO_FAX), clean("waiting")),
    "loc-bad-transport": on_purpose(WITH_PLACE, as_root, waits(
        r"local_delivery = nosuch \(/etc/exim4/update-exim4.conf.conf:13\)", rcpt="fax@debian")),
    "loc-configtype-none": on_purpose(
        "a configuration that says nothing usable is an error (78), not silence", not_sent(78, "conf:1: configtype none")),
    "loc-fwd-directory": on_purpose(WITH_PLACE, as_root, logged((r"\(-1\)", "(0)"))),
    "loc-fwd-pipe-fail": on_purpose(TO_THE_CALLER + "; it has the whole command and what it printed", as_root,
                                    not_sent(69, r"returned 3 from command: /bin/sh -c 'echo sorry; exit 3': sorry")),
    "loc-fwd-pipe-tempfail": on_purpose("the log has the whole command", as_root, logged(
        (r"75 \(could mean temporary error\) from command: /bin/sh", "75 from command: /bin/sh -c 'exit 75'"))),
    "loc-fwd-unreadable": on_purpose(WITH_PLACE, as_root, logged(
        (r"\(-1\): require_files: error for (\S+): (.*)", r"(13): \2: cannot read \1"))),
    "loc-lowuid": on_purpose(NO_DOOR, as_root),
    "loc-maildir-nohome": on_purpose(WITH_PLACE, as_root, logged(
        (r"\(2\): No such file or directory: failed to chdir to", "(13): Permission denied: cannot create"))),
    "loc-minus": on_purpose(TO_THE_CALLER, not_sent(67, UNROUTEABLE)),
    "loc-spool-default": on_purpose("without dc_localdelivery mail goes to the Maildir, as the walkthrough has it", as_root,
                                    delivered("fax", MAIL_TO_FAX)),
    "loc-spool-locked": on_purpose(WITH_PLACE, as_root, logged(
        (r"\(-9\)(.*) \(lock file\)", r"(0)\1: /var/mail/fax.lock is there; another program has it, or died with it"))),
    "loc-unknown-null": on_purpose(TO_THE_CALLER + "; from the queue it is frozen, as with Exim, and mailq shows it",
                                   not_sent(67, UNROUTEABLE)),
    "loc-unknown-odi": on_purpose(TO_THE_CALLER, not_sent(67, UNROUTEABLE)),
    "rw-hide-bounce": on_purpose(TO_THE_CALLER, not_sent(69, "550 5.1.1")),
    "loc-fwd-fail": on_purpose(WITH_PLACE, as_root, logged((r"\(-17\)(.*)", r"(0)\1 (/home/bob/.forward)"))),
    "loc-fwd-filter": on_purpose("Exim's filter language is not spoken here: the mail waits, and is not misdelivered",
                                 as_root, waits("filter", rcpt="bob@debian")),
    "loc-fwd-groupwritable": on_purpose(WITH_PLACE, as_root, logged((r"\(-1\)(.*)", r"(0)\1; chmod go-w it"))),
    "loc-hubbed": on_purpose(NO_DOOR, as_root),
    "sub-many-rcpt": on_purpose(NO_DOOR, as_root),
    "loc-spool-symlink": on_purpose(WITH_PLACE, as_root, logged((r"\(-6\)", "(0)"))),
    "loc-sysuser": on_purpose(NO_DOOR, as_root),
})

# ---------------------------------------------------------------- the command line and the message
BAD_ADDRESS = "a bad address is said to the caller at once, instead of in a mail to him"
DOT = "a lone dot from a pipe is text where text follows it: it is not lost"
BCC = "Bcc never leaves, with or without -t"
UNKNOWN = "an option that is not known is warned about, and the mail goes"
LONG_LINES = "a line over 998 octets is no reason to lose the mail: it goes as quoted-printable"


def encoded(body):
    """The stock header without a From, and the body in quoted-printable lines of 74."""
    lines = []
    for line in body.split("\n")[:-1]:
        while len(line) > 73:
            lines.append(line[:73] + "=")
            line = line[73:]
        lines.append(line)
    return "\r\n".join([
        "Received: from alice by debian with local (<VERSION>)", "\t(envelope-from <alice@debian>)", "\tid <ID>",
        "\tfor x@far.example;", "\t<DATE>", "Subject: s", "Message-Id: <<ID>@debian>",
        "From: Alice Liddell <alice@debian>", "Date: <DATE>", "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii", "Content-Transfer-Encoding: quoted-printable", "", *lines, ""])


def unnamed(login):
    return ("Received: from {0} by debian with local (<VERSION>)\r\n\t(envelope-from <{0}@debian>)\r\n\tid <ID>\r\n"
            "\tfor x@far.example;\r\n\t<DATE>\r\nFrom: alice@debian\r\nTo: x@far.example\r\nSubject: s\r\n"
            "Message-Id: <<ID>@debian>\r\nDate: <DATE>\r\n\r\nbody\r\n").format(login)


def folded(case, expected):
    """The Subject in two lines."""
    received(["x@far.example"])(case, expected)
    message(data=sub(r"(Subject: s{989})", r"\1\r\n "))(case, expected)


DSN_OPTIONS = "-N, -R and -V are sendmail's DSN options; Exim's -N drops the mail"
NO_RECIPIENT = "no recipient is a wrong call (64), said to the caller and not in a mail to him"

SUBMISSION = {
    "sub-arg-bad": on_purpose(BAD_ADDRESS, not_sent(65, "domain missing or malformed")),
    "sub-arg-bad-good": on_purpose(BAD_ADDRESS, not_sent(65, "domain missing or malformed")),
    "sub-newline-rcpt": on_purpose(BAD_ADDRESS, not_sent(65)),
    "sub-long-rcpt": on_purpose(BAD_ADDRESS, not_sent(65, "long")),
    "sub-t-bad": on_purpose(BAD_ADDRESS, not_sent(65, "domain missing or malformed")),
    "sub-t-bad-oep": on_purpose(BAD_ADDRESS, not_sent(65, "domain missing or malformed")),
    "sub-utf8-rcpt": on_purpose("an address that the smarthost cannot take is refused with the reason; Exim makes another of it",
                                not_sent(69, "SMTPUTF8"), tries("FROM:<alice@debian>")),
    "sub-utf8-rcpt-ext": on_purpose("8-bit text is declared to a server that has 8BITMIME",
                                    message(mail="FROM:<alice@debian> BODY=8BITMIME SMTPUTF8")),
    "sub-two-args": on_purpose(BAD_ADDRESS, not_sent(65)),
    "sub-null-rcpt": on_purpose("an empty address is no address: refused, not accepted and thrown away",
                                not_sent(64, "recipient")),
    "sub-big-header": on_purpose("an overlong header is refused to the caller's face", not_sent(65, "header"),
                                 clean("dead")),
    "sub-bcc-no-t": on_purpose(BCC, message(data=sub(r"Bcc: secret@far\.example\r\n", ""))),
    "sub-t-resent": on_purpose(BCC, message(data=sub(r"Bcc: ob@far\.example\r\n", ""))),
    "rw-to-cc": on_purpose(BCC, message(data=sub(r"Bcc: root@debian\r\n", ""))),
    "sub-eightbit": on_purpose("8-bit text is declared to a server that has 8BITMIME",
                               message(mail="FROM:<alice@debian> BODY=8BITMIME")),
    "sub-no-args": on_purpose(NO_RECIPIENT, not_sent(64, "recipient")),
    "sub-t-none-oee": on_purpose(NO_RECIPIENT, not_sent(64, "recipient")),
    "sub-t-none-oem": on_purpose(NO_RECIPIENT, not_sent(64, "recipient")),
    "sub-opt-G": on_purpose("-G says nothing that matters here, so everyone may", received(["x@far.example"])),
    **{name: on_purpose(DSN_OPTIONS, received(["x@far.example"])) for name in (
        "sub-opt-N", "sub-opt-N-sep", "sub-opt-R-V", "sub-opt-R-V-joined", "sub-opt-V")},
    "sub-opt-N-alone": on_purpose(DSN_OPTIONS + "; it takes a value, and then there is no recipient", not_sent(64, "recipient"),
                                  lambda case, e: e["steps"][0].update(routers=[])),
    "sub-opt-L": on_purpose("-L is a tag for sendmail's log: everyone may, and it is ignored", received(["x@far.example"])),
    "sub-opt-e": on_purpose("-e takes a value, as in every sendmail; then there is no recipient", not_sent(64, "recipient")),
    "sub-opt-oQ": on_purpose("-oQ names no directory here: taken and ignored", received(["x@far.example"])),
    "sub-opt-it": on_purpose("-it is -i -t", received(["x@far.example"]),
                             message(data=sub(r"\r\n\.\r\n", "\r\n..\r\n"))),
    "sub-opt-ta": on_purpose("-toi is -t -oi", received(["x@far.example"]), message(data=sub(r"\r\n\.\r\n", "\r\n..\r\n"))),
    "sub-f-missing": on_purpose("options may follow the recipients, as with getopt", not_sent(64, "-f needs a value")),
    "sub-f-missing-alone": on_purpose("what was not sent is kept in dead.letter", not_sent(64, "-f needs a value")),
    "sub-f-bad": on_purpose("what was not sent is kept in dead.letter", not_sent(65, "domain missing or malformed")),
    "sub-opts-after": on_purpose("options may follow the recipients, as with getopt", clean("files"),
                                 message(data=sub(r"x\r\n$", "x\r\n..\r\ny\r\n")),
                                 message(data=sub("<ID>;", "<ID>\r\n\tfor x@far.example;"))),
    "sub-unknown-opt": on_purpose(UNKNOWN, exits(0, "-Z"), received(["x@far.example"])),
    "sub-t-arg-all": on_purpose("arguments add to -t's recipients, as with everyone but Exim", sent,
                                received(["x@far.example"])),
    "sub-t-arg-removed": on_purpose("arguments add to -t's recipients, as with everyone but Exim",
                                    received(["x@far.example", "y@far.example"])),
    "sub-bcc-t": on_purpose(OTHERS, as_root),
    "sub-unknown-uid": on_purpose(
        "a caller whose uid has no name, as in a container, sends under the number", sent,
        received(["x@far.example"], mail="FROM:<4321@debian>", data=unnamed("4321"))),
    "sub-opt-p": on_purpose("Received says how the message came, whatever -p says",
                            message(data=sub("with test ", "with local ")), logged(("P=test", "P=local"))),
    "sub-no-from-null-root": on_purpose("From is obligatory, whoever the sender is",
                                        message(data=sub("Date: <DATE>", "From: root <root@debian>\\r\\nDate: <DATE>"))),
    "sub-dot": on_purpose(DOT, message(data=sub(r"line1\r\n$", "line1\r\n..\r\nline2\r\n"))),
    "sub-dot-header": on_purpose(DOT, message(data=sub(r"\Z", "..\r\nTo: y\r\n\r\nline2\r\n"))),
    "sub-crlf": on_purpose(DOT, message(data=sub(r"line2\r\n\Z", "line2\r\n..\r\nline3\r\n"))),
    "sub-nul": on_purpose("servers lose what stands behind NUL: it is encoded", message(data=sub(
        r"\r\n\r\nbo\0dy", "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nbo=00dy"))),
    "sub-mixed": on_purpose("LF and CRLF end a line of the header in any mixture, as for everyone but Exim: PHP writes them so",
                            message(data=sub(r"X-A: 1\r\n X-B: 2", "X-A: 1\r\nX-B: 2"))),
    "sub-rmail": on_purpose("Received says how the message came, whatever the name", message(data=sub("local-rmail", "local"))),
    "sub-bS-bad-rcpt": on_purpose("enhanced status codes, and the command", exits(65, "before it: 1"), shows(
        re.compile("501 5.1.3 .*: domain missing or malformed\nRCPT TO:<bad@@far.example>\n"), rc=65)),
    "sub-long-body-line": on_purpose(LONG_LINES, received(["x@far.example"], data=encoded("x" * 1200 + "\n"))),
    "sub-body-999": on_purpose(LONG_LINES, received(["x@far.example"], data=encoded("x" * 999 + "\n"))),
    "sub-long-header-line": on_purpose("a header line over 998 octets is no reason to lose the mail: it is folded", folded),
    "sub-long-line-ignore": on_purpose(LONG_LINES, received(["x@far.example"], data=encoded("x" * 1200 + "\n"))),
}

# ---------------------------------------------------------------- configuration and what is shown
NO_GENERATED_FILE = "there is no generated file: what the files say counts from the next call on, and -bP shows it"
OWN_WORDS = "-bV, -bP and --help speak of onehop"
NOT_OURS = "a test mode of Exim's that is not here is refused as a wrong call"
SHELL = "update-exim4.conf.conf is read, never run: shell in it is an error with its line (78)"
FIRST_LINE = "onehop version [0-9].*\n(.*\n)*"


def broken(line, file="/etc/exim4/update-exim4.conf.conf"):
    """-bP cannot show a configuration that does not hold."""
    return lambda case, expected: (
        argv("/usr/sbin/sendmail", "-bP", "smarthost")(case, expected), clean("files")(case, expected),
        expected["steps"][0].update(rc=78, says=r"%s:%d: ." % (re.escape(file), line), stdout=""))


CONF = {
    **{name: on_purpose(NO_GENERATED_FILE, options()) for name in (
        "conf-cfilemode", "conf-hide-cap", "conf-mailname", "conf-mailname-utf8", "conf-relay")},
    "conf-hostnames": on_purpose(NO_GENERATED_FILE, options(local_domains="a.example ; b.example:c.example ;")),
    "conf-missing-keys": on_purpose("without dc_localdelivery mail goes to the Maildir, as the walkthrough has it",
                                    options(local_delivery="maildir_home", local_domains="")),
    "conf-mailname-empty": on_purpose("an empty mailname is no name: the host's own is taken",
                                      options(qualify_domain="debian")),
    "conf-split-bad": on_purpose(NO_GENERATED_FILE + "; nor is an old one used further", broken(10)),
    **{name: on_purpose(NO_GENERATED_FILE, options()) for name in ("conf-relay6", "conf-upper-macro")},
    "conf-mailname-comment": on_purpose("a mailname that is no domain is an error with its place", broken(1, "/etc/mailname")),
    "conf-noconf": on_purpose(NO_GENERATED_FILE, as_root, delivered("fax", re.sub(
        r"From: .*\n(?:.*\n)*?(Message-Id: .*\n)(?:.*\n)*", r"\1From: alice@debian\nDate: <DATE>\n\na\n", MAIL_TO_FAX)), exits(0, None, 1)),
    "conf-shell-error": on_purpose(SHELL, broken(2)),
    "conf-exim4conf-writable": on_purpose("Exim's own exim4.conf is not read", only_step(0), shows(re.compile(
        FIRST_LINE + "Configuration file is /etc/exim4/update-exim4.conf.conf\n(Warning.*\n)*"))),
    "conf-mailname-at": on_purpose("a mailname that is no domain is an error with its place", broken(1, "/etc/mailname")),
    "conf-localmacros": on_purpose(OWN_WORDS, argv("/usr/sbin/sendmail", "-bP", "smarthost"),
                                   shows(re.compile(r"smarthost = other\.example::26\t# /etc/exim4/exim4.conf.localmacros:1\n"))),
    "conf-shell": on_purpose(SHELL, broken(4)),
    "conf-shell-upper-var": on_purpose("a variable serves the lines behind it, as in the shell, and breaks nothing",
                                       argv("/usr/sbin/sendmail", "-bP", "smarthost"), shows(re.compile(
                                           r"smarthost = smtp\.isp\.example\t# /etc/exim4/update-exim4.conf.conf:3\n"))),
    "conf-unknown-type": on_purpose("a configuration that says nothing usable is an error (78), not silence", broken(1)),
    "conf-hide-local": on_purpose("configtype internet is refused: there is no server here", broken(1)),
    "conf-badconf": on_purpose("a broken configuration is said with its line, status 78, and the mail is the caller's",
                               only_step(1),
                               lambda case, e: case["config"].update(dc_raw='dc_smarthost="$(x)"\n'),
                               not_sent(78, r"/etc/exim4/update-exim4\.conf\.conf:1: .")),
    "conf-exim4conf": on_purpose("Exim's own exim4.conf is not read", shows(re.compile(
        FIRST_LINE + "Configuration file is /etc/exim4/update-exim4.conf.conf\n(Warning.*\n)*"))),
}

GREETING = "220 debian ESMTP onehop .*\r\n"
BYE = "221 2.0.0 debian closing connection\r\n"


def smtp_as_root(case, expected):
    """root is trusted: he need not be the sender, and his name is not the sender's."""
    for item in [*expected["wire"], *expected["files"]]:
        key = "data" if "data" in item else "content"
        item[key] = item[key] and item[key].replace("from alice (helo", "from root (helo").replace(
            "From: Alice Liddell <alice@debian>", "From: alice@debian")


SHOW = {
    "seed-bV": on_purpose(OWN_WORDS, shows(re.compile(
        FIRST_LINE + "Configuration file is /etc/exim4/update-exim4.conf.conf\n(Warning.*\n)*"))),
    "seed-update-conf": on_purpose("without dc_localdelivery mail goes to the Maildir, as the walkthrough has it", shows(
        "fax@debian\n  router = local_user, transport = maildir_home\n")),
    "bt-local-smarthost": on_purpose("a tunnel or a daemon on this host may be the smarthost", shows(
        "x@far.example\n  router = smarthost, transport = remote_smtp_smarthost\n  host 127.0.0.1 [127.0.0.1] port=2525\n")),
    "bt-nosmarthost": on_purpose("it says which name could not be found", shows(re.compile(
        r"x@far\.example cannot be resolved at this time: .*smtp\.isp\.example.*\n"), rc=1)),
    "adm-bf": on_purpose(NOT_OURS, *[lambda case, e, n=n: e["steps"][n].update(rc=64, stdout="") for n in (0, 1)]),
    "adm-bh": on_purpose(NOT_OURS, exits(64, "-bh"), lambda case, e: e["steps"][0].update(stdout="", routers=[])),
    "adm-bd-user": on_purpose("there is no daemon to start", exits(69, "no daemon"), shows(re.compile(GREETING + BYE), 2)),
    "adm-bP-user": on_purpose(OWN_WORDS, *[
        lambda case, e, n=n, rc=rc, out=out: e["steps"][n].update(rc=rc, stdout=out)
        for n, rc, out in ((0, 0, re.compile(r"primary_hostname = debian\t# .*\n")), (1, 78, ""), (2, 78, ""))]),
    "adm-qopts": on_purpose(
        "-q takes no message; -R is sendmail's DSN option, and no recipient is 64", exits(64, "-q", 4),
        *[exits(64, "recipient", n) for n in (5, 6, 7)], exits(67, UNROUTEABLE, 8), exits(64, "-qfoo", 9), dead_letter,
        logged((r"^(?:Start|End) queue run: pid=<PID>$|.* -[RS] .*", ""), (" -q[qil]$", ""), more=[
            "<ID> <= root@debian U=root P=local S=<N>", "<ID> ** foo@debian: Unrouteable address"])),
    "adm-help": on_purpose(OWN_WORDS, *[
        lambda case, e, n=n, rc=rc, out=out: e["steps"][n].update(rc=rc, stdout=out)
        for n, rc, out in ((0, 0, re.compile("usage: sendmail (.*\n)*")), (1, 0, re.compile(FIRST_LINE)),
                           (2, 0, re.compile(FIRST_LINE)), (3, 64, ""), (4, 64, ""))]),
    "sub-bs": on_purpose("enhanced status codes, and what is offered is what is there", as_root, smtp_as_root, shows(re.compile(
        GREETING + "250-debian Hello root at localhost\r\n(250-[A-Z0-9]+.*\r\n)*250 HELP\r\n250 2.1.0 OK\r\n"
        "250 2.1.5 Accepted\r\n250 2.1.5 Accepted\r\n354 Enter message, ending with \"\\.\" on a line by itself\r\n"
        "250 2.0.0 OK id=.*\r\n" + BYE))),
    "sub-bs-badorder": on_purpose("enhanced status codes", shows(re.compile(
        GREETING + "500 5.5.2 unrecognized command\r\n503 5.5.1 HELO or EHLO required\r\n503 5.5.1 sender not yet given\r\n"
        "503 5.5.1 HELO or EHLO required\r\n503 5.5.1 valid RCPT command must precede DATA\r\n"
        "252 2.5.2 Administrative prohibition.*\r\n250 2.0.0 OK\r\n250 2.0.0 Reset OK\r\n" + BYE))),
}

PURPOSE = {**AUTH, **DELIVERY, **LOCAL, **SUBMISSION, **CONF, **SHOW}
