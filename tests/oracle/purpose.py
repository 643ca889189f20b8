"""Where onehop differs from Exim on purpose: case, reason, and what is expected instead (play.py has the words).

A reason is one that a user would approve; a difference without such a reason is a fault, not an entry.
"""
import re

from play import (COMPLETED, Played, arrival, asks, auth, clean, configured, dead_letter, delivered, exits, explained, is_not_here, logged,
                  message, on_purpose, one_message, received, refused, report, shows, sub, to_smarthost, told, tries, waits)

# ---------------------------------------------------------------- passwords
NEVER_WITHOUT = ("a password is configured for this host, so the mail waits rather than go without login: "
                 "a wrong password is the administrator's to mend, not the sender's loss")
PLAIN = r"\0user\0pass"
HOST = "smtp.isp.example [192.0.2.25]"
SERVER_SAID = r"SMTP error from remote mail server after .*: "
REFUSED_LOGIN = r"smtp\.isp\.example refused the login of /etc/exim4/passwd\.client:1 with %s: " + SERVER_SAID + "%s .*"
AT_HOST = r"H=smtp\.isp\.example \[192\.0\.2\.25\]"
NO_AUTH = r"smtp\.isp\.example does not offer AUTH, and mail is not sent to it without the login of /etc/exim4/passwd\.client:1"
NO_TLS = (r"%s does not offer STARTTLS, so the password of /etc/exim4/passwd\.client:%d is not sent to it; "
          "auth_client_allow_notls_passwords = yes would send it in clear")
CERTIFICATE = (r"the certificate of smtp\.isp\.example is not accepted: %s; nothing is sent.* "
               r"tls_fingerprint or tls_verify = no would accept it")
NOT_TRUSTED = CERTIFICATE % "it is signed by an authority that is not trusted; its SHA-256 fingerprint is (?:[0-9A-F]{2}:?){32}"
SAID_OF_TLS = ".* TLS session: .*"


def login_fails(why, reason=NEVER_WITHOUT, **who):
    return on_purpose(reason, waits(-48, why, **who))


TO_THE_END = ("what a prompt says does not count, a response that was not looked at is said again, and neither a bad challenge nor a "
              "connection that ends over one mechanism is the end of the login")


def by_mechanism(name, what, why):
    """The log has it of each mechanism that was tried."""
    return logged(more=[re.compile("<ID> %s authenticator %s %s %s" % (name, what, AT_HOST, why))])


def logs_in_at_last(by, *attempts, more=()):
    """Exim does not, and sends without or not at all."""
    return on_purpose(TO_THE_END, received("x@far.example"), auth(*attempts), message(mail="FROM:<alice@debian> AUTH=alice@debian"), logged(
        (r"(\[192\.0\.2\.25\]) C=", r"\1 A=%s C=" % by)), *more)


def logs_in(*attempts):
    """It does, where Exim sends without."""
    return [auth(*attempts), message(mail="FROM:<alice@debian> AUTH=alice@debian"), logged((r"(\[192\.0\.2\.25\]) C=", r"\1 A=plain C="))]


AUTH = {
    "auth-538": login_fails(REFUSED_LOGIN % ("PLAIN, LOGIN", 538)),
    "auth-all-535": login_fails(REFUSED_LOGIN % ("PLAIN, LOGIN", 535)),
    "auth-all-535-mail530": login_fails(REFUSED_LOGIN % ("PLAIN, LOGIN", 535)),
    "auth-all-535-rcpt554": login_fails(REFUSED_LOGIN % ("PLAIN, LOGIN", 535)),
    "auth-auth-first-line": login_fails(NO_AUTH),
    "auth-helo-only": login_fails(NO_AUTH),
    "auth-no-auth": login_fails(NO_AUTH),
    "auth-login-user-535": login_fails(REFUSED_LOGIN % ("LOGIN", 535)),
    "auth-login-extra-prompt": on_purpose("a question after all was said is left with * (RFC 4954, 4), and the sentence says so", waits(
        -48, ".*asks on after all of LOGIN.*"), auth(("LOGIN", ["user", "pass", None], "334 bW9yZQ==")), by_mechanism(
            "login", "cancelled authentication", "it asks on after all of LOGIN was said.*")),
    "auth-plain-334-b64": logs_in_at_last("plain", ("PLAIN", [PLAIN, PLAIN], "235 ok")),
    "auth-plain-334": logs_in_at_last("plain", ("PLAIN", [PLAIN, PLAIN], "235 ok")),
    "auth-login-empty-prompt": logs_in_at_last("login", ("LOGIN", ["user", "pass"], "235 ok")),
    "auth-login-not-base64": logs_in_at_last("login", ("LOGIN", ["user", "pass"], "235 ok")),
    "auth-421": logs_in_at_last("login", ("PLAIN", [PLAIN], "421 4.7.0 closing"), ("LOGIN", ["user", "pass"], "235 ok"), more=[
        logged(more=[re.compile("<ID> %s: %s421 .*" % (AT_HOST, SERVER_SAID))])]),
    "auth-drop": on_purpose(TO_THE_END + "; here the next mechanism is refused, with words",
                            waits(-48, REFUSED_LOGIN % ("PLAIN, LOGIN", 504)), by_mechanism("login", "failed", "504 .*"),
                            logged(more=[re.compile("<ID> %s: Remote host closed connection in response to AUTH PLAIN .*" % AT_HOST)]),
                            auth(("PLAIN", [PLAIN], "DROP"), ("LOGIN", [], "504 Unrecognized authentication type"))),
    "auth-cram-bad-challenge": logs_in_at_last("plain", ("CRAM-MD5", [None], "334 !!!not base64"), ("PLAIN", [PLAIN], "235 ok"), more=[
        by_mechanism("cram_md5", "cancelled authentication", "its challenge is not base64.*")]),
    "auth-530-multiline": on_purpose(
        "a reply of several lines is one line of the log, and what may be the password is starred in it, as here: pass",
        logged(("535 5.7.8 see .*", ""), (r"<ID> plain authenticator failed .*", re.compile(
            r"<ID> plain authenticator failed %s 535-5\.7\.8 .*\*\*\*\*.*" % AT_HOST)))),
    "auth-none-common": on_purpose(
        NEVER_WITHOUT + "; and SCRAM is spoken",
        auth(("SCRAM-SHA-256", ["n,,n=user,r=<NONCE>"], "504 Unrecognized authentication type")), waits(-48, REFUSED_LOGIN % ("SCRAM-SHA-256", 504)),
        by_mechanism("scram_sha_256", "failed", "504 .*")),
    "auth-starttls-untrusted": on_purpose("mail does not go in clear after the certificate failed", waits(-37, NOT_TRUSTED)),
    "auth-starttls-wrongname": on_purpose("mail does not go in clear after the certificate failed", waits(
        -37, CERTIFICATE % r"it is for other\.example, not for smtp\.isp\.example")),
    "auth-starttls-untrusted-mac": on_purpose(
        "a server that fails the check of its certificate does not get the password in clear either", clean("auth"), waits(-37, NOT_TRUSTED)),
    "auth-starttls-require-bad": on_purpose("the log says what is wrong with the certificate, and what would accept it", waits(-37, NOT_TRUSTED)),
    "auth-port-465-plain": on_purpose("on port 465 TLS comes first, unless tls says otherwise", clean("auth"), waits(
        -37, r"there is no TLS with smtp\.isp\.example \(192\.0\.2\.25\) port 465: the server does not speak TLS here, .*")),
    "auth-unreadable": on_purpose("a password file that cannot be read is said, and the mail does not go without its login", waits(
        13, r"Permission denied: .*cannot read the passwords in /etc/exim4/passwd\.client as uid 120.*", host="")),
    "auth-worldreadable": on_purpose("a password that everybody may read is said in the log", logged(
        more=["<ID> Warning: everybody may read the password in /etc/exim4/passwd.client: chmod o-r it"])),
    "auth-colon-in-pass-cram": on_purpose("the password is the same for every mechanism, colon or not",
                                          auth(("CRAM-MD5", ["user d7ab7b25983f6b677a98eecba2efa368"], "235 ok"))),
    "auth-continuation": on_purpose("the blank that joins two lines is no part of the login", auth(("PLAIN", [PLAIN], "235 ok"))),
    "auth-no-newline": on_purpose("white space at the end is no part of the password, with or without a newline behind it",
                                  auth(("PLAIN", [PLAIN], "235 ok"))),
    "auth-lowercase": on_purpose("EHLO keywords are read without regard to case (RFC 5321, 2.4)", logs_in(("PLAIN", [PLAIN], "235 ok"))),
    "auth-cname-both": on_purpose("the name in dc_smarthost is looked up first: DNS does not choose the password",
                                  auth(("PLAIN", [r"\0alias\0pass"], "235 ok"))),
    "auth-legacy-only": on_purpose("AUTH= lines of old servers count (the walkthrough's server has one)",
                                   logs_in(("PLAIN", [PLAIN], "235 ok"))),
    "auth-two-auth-lines": on_purpose("all AUTH lines count", logs_in(("CRAM-MD5", [], "504 no"), ("PLAIN", [PLAIN], "235 ok"))),
    "auth-login-only": on_purpose(
        "a passwd.client line without a password is named with its place, not sent as garbage", clean("auth"), waits(
            0, r"/etc/exim4/passwd\.client:1: the password is missing; a line is HOST:LOGIN:PASSWORD", host="")),
    "auth-port-key": on_purpose(
        "a passwd.client line that cannot be read as HOST:LOGIN:PASSWORD is named with its place, not sent as garbage", clean("auth"), waits(
            0, r"/etc/exim4/passwd\.client:1: there is nothing between two colons; a line is HOST:LOGIN:PASSWORD, without port", host="")),
    "auth-macro-false": on_purpose(
        "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = false means no", clean("auth"), waits(-48, NO_TLS % (r"smtp\.isp\.example", 1))),
    "auth-notls-nomacro": login_fails(NO_TLS % (r"smtp\.isp\.example", 1)),
    "auth-notls-nomacro-530": login_fails(NO_TLS % (r"smtp\.isp\.example", 1)),
    "auth-notls-nomacro-cram": on_purpose(
        "with a password TLS is required before any AUTH, unless the administrator says otherwise",
        clean("auth"), waits(-48, NO_TLS % (r"smtp\.isp\.example", 1))),
    "auth-starttls-rcpt-550": on_purpose("a bounce has RFC 3464's order, since when, and a status of its own",
                                         report("5.1.1")),
    "seed-alias-name-in-passwd": on_purpose(
        "passwd.client may name the host as dc_smarthost does, not only as DNS calls it",
        auth(("PLAIN", [r"\0yjnet\01234"], "504 Unknown authentication mechanism"),
             ("LOGIN", ["yjnet", "1234"], "235 OK Authenticated")),
        logged((r"(\[202.104.32.230\]) C=", r"\1 A=login C="), more=[re.compile(
            r"<ID> plain authenticator failed H=smtp\.cdn\.21cn\.com \[202\.104\.32\.230\] 504 .*")]),
        message(mail="FROM:<yjnet@21cn.com> AUTH=root@debian")),
    "seed-v-remote": on_purpose("8-bit text is declared to a server that has 8BITMIME",
                                message(mail="FROM:<yjnet@21cn.com> BODY=8BITMIME AUTH=root@debian")),
    "seed-v-remote-nomacro": login_fails(NO_TLS % (r"smtp\.cdn\.21cn\.com", 4), sender="yjnet@21cn.com", rcpt="jims.yang@gmail.com",
                                         host="smtp.cdn.21cn.com [202.104.32.230]"),
}

# ---------------------------------------------------------------- what the smarthost says
TO_THE_CALLER = "the caller waits, so a refusal is his exit status and the server's words, and no bounce is made"
ONE_CONNECTION = "what goes to one host goes over one connection, in the order in which it came"
NOT_DUE = "a message whose time has not come is left alone without a line in the log"
EACH_ONCE = "a new message always gets its try, and when that goes well, what waits goes along"
OWN_TOOLS = "what Exim's own programs say of its retry database, mailq and onehop status say here"
REFUSED, CANCELLED = "cannot connect to smtp.isp.example (192.0.2.25) port 2525: Connection refused", "cancelled by timeout_frozen_after"
REASONS = "mailq says under each message why it waits, and until when"
NOT_YET = (".*retry time not reached.*", "")


def mailq_young(expected, case):
    """It shows the time since it came, by the wall clock."""
    expected["steps"][2]["stdout"] = expected["steps"][2]["stdout"].replace("25h ", " 0m ")


TUNNEL = "a tunnel or a daemon on this host may be the smarthost"
ONLY_HIM = "the caller waits, so a refusal is his exit status: there is no bounce that could fail, and nothing to freeze"


def arrive(*rcpts):
    """One message for each of them."""
    def edit(expected, case):
        expected["wire"] = [one_message(case, [rcpt]) for rcpt in rcpts]
    return edit


def waits_too(expected, case):
    """It is in the spool."""
    expected["waiting"] = [{"sender": "<alice@debian>", "rcpts": ["x@far.example"], "done": [], "frozen": False}]


def unreachable(host):
    """The connection is refused."""
    return [waits(111, "Connection refused", host=""), logged(more=["<ID> H=%s Connection refused" % host])]


def once(line, fewer):
    """So often less."""
    def edit(expected, case):
        for _ in range(fewer):
            expected["log"].remove(line)
    return edit


def declared_8bit(expected, case):
    expected["tried"][0]["mail"] += " BODY=8BITMIME"


def header_file(expected, case):
    """With onehop's lines; the longest line is that of the body, and the version is no part of what is the same."""
    step = expected["steps"][1]
    text = re.sub(r"(== -Mvc\n)(?:.*\n)*rc=0", r"\1rc=64", step["stdout"])
    text = re.escape(text.replace("linelength 18", "linelength 4").replace(" Received from alice", " <= alice"))
    for pattern, exims in ((r"\d+", "<EPOCH>"), (r"\d+", "<USEC>"), (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<TIME>"),
                           (r"S=\d+", "S=291"), (r"\d+P Received", "160P Received"),
                           (r"-tls_resumption A\n(?:-onehop_.*\n)+", "-tls_resumption A\n")):
        text = text.replace(re.escape(exims), pattern)
    step["stdout"] = re.compile(text)


def delivers_at_the_end(case):
    """With the flag behind the id, which Exim does not take: where it is of use."""
    script = case["steps"][1]["argv"]
    script[-1] = script[-1].replace('"-M $id -v" ', "").replace('"-M $id"', '"-M $id -v"')


def actions(expected, case):
    step = expected["steps"][1]
    text = step["stdout"].replace("== -M <ID> -v\nrc=1\n", "").replace("== -M <ID>\n", "== -M <ID> -v\n")
    text = re.sub(r"(== -M(?:es|ar|md) .*\n)Message .* modified\nrc=0", r"\1rc=64", text.replace("<bob@debian>", "<alice@debian>"))
    step.update(stdout=text.replace("        D y@far.example\n          fax@debian\n",
                                    "          y@far.example\n        next try for x@far.example and 1 more: the next queue run\n"), says="-Mes",
                routers=["R: smarthost for %s@far.example" % x for x in "xy"])
    expected["wire"][0].update(mail="FROM:<alice@debian>", rcpt=[["TO:<%s@far.example>" % x, "250 2.1.5 recipient ok"] for x in "xy"])
    expected["files"] = []


LATER = "later@far.example: SMTP error from remote mail server after RCPT TO:<later@far.example>: "


def own_mail(expected, case):
    """What root sees."""
    expected["steps"][1]["stdout"] = expected["steps"][2]["stdout"]


DELIVERY = {
    "del-noresolve-servfail": on_purpose("the log names the transport, and says what the name server did", logged(
        (r"defer \(-36\): .*", "T=remote_smtp_smarthost defer (-36): cannot connect to smtp.isp.example port 2525: the name server could not answer for smtp.isp.example"))),
    "del-retry-local": on_purpose(OWN_TOOLS, is_not_here(2), explained(1, "bob@debian: cannot create /home/bob/Maildir/tmp: Permission denied", "bob@debian")),
    "del-queue-user": on_purpose(NOT_DUE + "; a user sees his own mail in the queue", exits(0, None, 1), own_mail, explained(1, REFUSED), explained(2, REFUSED), logged(NOT_YET)),
    "del-exinext": on_purpose(OWN_TOOLS, is_not_here(1, 2)),
    "del-queue-then-flush": on_purpose(NOT_DUE + "; " + REASONS, explained(1, REFUSED), logged(NOT_YET)),
    "del-retry-old": on_purpose(
        "giving up takes tries as well as time", configured("retry", "F,1d,1d"),
        report("5.4.7", "retry timeout exceeded: " + REFUSED, (
            "(    retry timeout exceeded)", r"\1: cannot connect to smtp.isp.example (192.0.2.25) port 2525:\n    Connection refused")),
        logged((r"(?<=\*\* x@far.example).*", " R=smarthost T=remote_smtp_smarthost: retry timeout exceeded: " + REFUSED))),
    "del-warn-25h": on_purpose("a warning says why; mailq counts from when it came", report(
        "4.4.1", REFUSED, ("(?<=\n  x@far.example\n)", "    Delay reason: %s\n" % REFUSED.replace(": ", ":\n    "))), mailq_young, explained(2, REFUSED)),
    "del-queue-many-deferred": on_purpose("a host that cannot be reached is tried once a run", once("<ID> H=smtp.isp.example [192.0.2.25] Connection refused", 2)),
    "del-retry-rcpt": on_purpose(OWN_TOOLS, is_not_here(1, 3)),
    "del-auth454-new-message": on_purpose(
        EACH_ONCE, shows("0\n", 2), clean("waiting"), auth(("PLAIN", [r"\0u\0p"], "454 later"), ("PLAIN", [r"\0u\0p"], "235 ok")),
        arrive("x@far.example", "x@far.example"), message(mail="FROM:<alice@debian> AUTH=alice@debian"), logged(NOT_YET, more=[
            to_smarthost("x@far.example", HOST, auth=" A=plain"), to_smarthost("x@far.example", HOST + "*", auth=" A=plain"),
            COMPLETED, COMPLETED])),
    "del-queue-many": on_purpose(ONE_CONNECTION, logged((r"(=> [bc]@.* \[192.0.2.25\]) ", r"\1* "))),
    "del-queue-qf": on_purpose(NOT_DUE, logged(NOT_YET)),
    "del-spool-files": on_purpose(REASONS, explained(1, rcpt="x@far.example and 1 more")),
    "del-split-spool": on_purpose(REASONS, explained(1)),
    "del-spool-partial": on_purpose(REASONS, explained(1, LATER + "450 no", "later@far.example")),
    "del-queue-second-message": on_purpose(
        EACH_ONCE, shows("0\n", 2), clean("waiting"), arrive("x@far.example", "y@far.example"), logged(NOT_YET, more=[
            to_smarthost("y@far.example"), to_smarthost("x@far.example", HOST + "*"), COMPLETED, COMPLETED])),
    "del-localhost": on_purpose(TUNNEL + "; localhost is ::1, too (RFC 6761)", unreachable("localhost [127.0.0.1]"), logged(
        more=["<ID> H=localhost [::1] Connection refused"])),
    "del-own-address-all": on_purpose(TUNNEL, unreachable("smtp.isp.example [192.0.2.1]")),
    "del-empty-smarthost": on_purpose("it says which setting is missing", waits(
        -1, r"no smarthost is set: write smarthost \(dc_smarthost\) into /etc/exim4/update-exim4\.conf\.conf", host="", by="R=smarthost")),
    "del-servfail-two": on_purpose("a name that DNS cannot find for now is passed over, as a host is that does not answer",
                                   received("x@far.example", server="192.0.2.26:2525", host="b.isp.example [192.0.2.26]"),
                                   logged(more=["<ID> cannot connect to a.isp.example port 2525: the name server could not answer for a.isp.example"])),
    **{name: on_purpose(TO_THE_CALLER, told(69, says)) for name, says in (
        ("del-bounce-mapped-sender", "550 5.1.1"), ("del-rcpt-550-foreign-sender", "550 5.1.1"), ("del-two-first-550", "550 5.1.1"),
        ("del-bounce-big", "550 no"), ("del-data-554", "554 5.6.0 no"), ("del-mail-550", "550 5.7.1"),
        ("del-multiline-550", "550 5.1.1 three|550-5.1.1 one"), ("del-size-552", "552 5.3.4"))},
    "del-bounce-8bit": on_purpose(TO_THE_CALLER, told(69, "550 no"), declared_8bit),
    "del-rcpt-mixed": on_purpose(REASONS + "; a bounce has a status of its own", explained(1, LATER + "450 4.2.0 later", "later@far.example"), report("5.1.1")),
    "del-bounce-refused": on_purpose(ONLY_HIM, told(69, "550 5.1.1"), shows("", 1), logged((r".*\*\* someone@other\.example .*", "")),
                                     tries("FROM:<someone@other.example>", "x@far.example")),
    "del-rcpt-550-nullsender": on_purpose(ONLY_HIM, told(69, "550 5.1.1"), shows("", 1)),
    "del-interrupted": on_purpose("nothing was taken, so there is nothing in the log", logged((".*SIGTERM received.*", ""))),
    "del-log-full": on_purpose("a log that cannot be written is no reason to refuse mail", exits(0, None, 1), waits_too),
    "del-spool-full": on_purpose("it says that the spool is full, and the mail is the caller's", exits(75, "spool .* make room", 1), dead_letter,
                                 logged((".*space check failed.*", ""), more=[
                                     arrival("alice@debian", "alice"), "<ID> H=smtp.isp.example [192.0.2.25] Connection refused",
                                     "<ID> == x@far.example R=smarthost T=remote_smtp_smarthost defer (111): Connection refused"])),
    "del-dot-554": on_purpose(TO_THE_CALLER, told(69, "554 5.7.1", wire=True)),
    "del-size-too-big": on_purpose(
        ONLY_HIM + "; the server's limit is asked first", told(69, "takes at most 500"), clean("tried"),
        logged((r"<ID> \*\* .*", re.compile(r"<ID> \*\* x@far\.example R=smarthost T=remote_smtp_smarthost H=smtp\.isp\.example "
                                            r"\[192\.0\.2\.25\]: the message has \d+ octets, smtp\.isp\.example takes at most 500")))),
    "del-mvh-mvb": on_purpose("the -H file has lines of onehop's own, which Exim's programs pass over; -Mvl has the main log's lines; -Mvc is not there", header_file),
    "del-m-actions": on_purpose(
        "a message that waits is not altered: -Mes, -Mar and -Mmd are not there; flags may follow the ids",
        Played(delivers_at_the_end), actions, logged((".* => fax .*", ""), (".*(?:marked delivered|added|changed).* by root", ""), more=[
            to_smarthost("y@far.example", sign="->")])),
    "del-timeout-frozen": on_purpose("a bounce says why, and has a status of its own", report(
        "5.1.0", CANCELLED, ("(?<=\n  x@far.example\n)", "    %s\n" % CANCELLED))),
    "del-rcpt-452": on_purpose("who was too many is given to the same host once more",
                               tries("FROM:<alice@debian>", "y@far.example", "z@far.example")),
    "del-ehlo-421": on_purpose("421 ends the session: HELO is no answer to it", waits(
        0, "SMTP error from remote mail server after EHLO debian: 421 busy")),
    "del-greet-554": on_purpose("a smarthost that does not want us is the administrator's to mend: the mail is not lost for it", waits(
        0, "SMTP error from remote mail server after initial connection: 554 no service")),
    "del-greet-drop": on_purpose("what breaks off a connection names its port, too", logged(
        ("(closed connection in response to initial connection)$", r"\1: smtp.isp.example (192.0.2.25) port 2525"))),
    "del-single-colon-port": on_purpose("host:port with one colon is a port, as everywhere else", received("x@far.example"), shows(
        "x@far.example\n  router = smarthost, transport = remote_smtp_smarthost\n  host smtp.isp.example [192.0.2.25] port=2525\n")),
    "del-two-noresolve-first": on_purpose("it says which name could not be found, and what to do", logged(
        ("no IP address found for host (.*)", r"cannot connect to \1 port 2525: no address of \1 is known; check the name, and the name server if it is right"))),
    **{name: on_purpose("blanks in dc_smarthost are harmless", received(
        "x@far.example", server="192.0.2.26:2525", host="b.isp.example [192.0.2.26]"), logged(
            more=["<ID> H=a.isp.example [192.0.2.25] Connection refused"])) for name in ("del-two-colon", "del-two-semicolon-space")},
}

# ---------------------------------------------------------------- local recipients
WITH_PLACE = "the log says where it is and what to do; Exim's numbers for faults in a file are its own"
UNROUTEABLE = "Unrouteable address"
IN_PART = "a bounce has RFC 3464's order, since when, a status of its own, and who failed beside who was meant"
TO_ADDRESSES = "aliases lead to addresses only: a command run or a file written by a mail alias is refused at once, with its place"
MAIL_TO_FAX = """Return-path: <alice@debian>
Envelope-to: fax@debian
Delivery-date: <DATE>
Received: from alice by debian with local (<VERSION>)
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
ONE_LINE_TO_FAX = re.sub(r"From: .*\n(?:.*\n)*?(Message-Id: .*\n)(?:.*\n)*", r"\1From: Alice Liddell <alice@debian>\nDate: <DATE>\n\na\n", MAIL_TO_FAX)


def failed_in_part(status, meant, failed, why=None):
    return on_purpose(IN_PART, report(status, why, ("(Final-Recipient: rfc822;)%s" % meant,
                                                    r"Original-Recipient: rfc822;%s\n\1%s" % (meant, failed))))


def asks_for(kind, what):
    return on_purpose(TO_ADDRESSES, told(69, r"/etc/aliases:4"), logged(more=[
        "<ID> ** %s <ali@debian> R=system_aliases: the alias ali in /etc/aliases:4 asks for a %s; onehop delivers aliases to addresses only"
        % (what, kind)]))


LOCAL = {
    **{name: on_purpose(TO_THE_CALLER, told(67, UNROUTEABLE)) for name in (
        "loc-alias-empty", "loc-alias-loop", "loc-alias-star", "loc-caps-account", "loc-minus", "loc-plus", "loc-postmaster-noalias",
        "loc-unknown", "loc-unknown-odi", "loc-unknown-oee")},
    "loc-alias-fail": on_purpose(TO_THE_CALLER, told(69, "no longer here")),
    "loc-configtype-local": on_purpose(TO_THE_CALLER, told(69, "Mailing to remote domains not supported")),
    "rw-hide-bounce": on_purpose(TO_THE_CALLER, told(69, "550 5.1.1")),
    "loc-unknown-null": on_purpose(TO_THE_CALLER + "; from the queue it is frozen, as with Exim, and mailq shows it", told(67, UNROUTEABLE)),
    "loc-fwd-pipe-fail": on_purpose(TO_THE_CALLER + "; it has what the command printed", told(
        69, r"returned 3 from command: /bin/sh: sorry"), logged(("(?<=from command: /bin/sh)", ": sorry"))),
    "loc-alias-part-unknown": failed_in_part("5.1.1", "ali@debian", "nosuch@debian", UNROUTEABLE),
    "loc-alias-part-550": failed_in_part("5.1.1", "ali@debian", "y@far.example"),
    "loc-fwd-part-550": failed_in_part("5.1.1", "bob@debian", "x@far.example"),
    "loc-alias-fail-mixed": on_purpose(IN_PART, report("5.1.0", "no")),
    "loc-mailname-missing": on_purpose("without /etc/mailname the host's own name is the mail name; update-exim4.conf is not there",
                                       is_not_here(1), delivered("fax", MAIL_TO_FAX)),
    "loc-dup": on_purpose("of one copy for several the first is named", logged(("<ali@debian>", "<fax@debian>"))),
    "loc-alias-syntax": on_purpose(WITH_PLACE, logged(
        (r"\(-17\)(.*: )(domain missing or malformed) in (.*)", r"(-1)\1bad address \3: \2 (/etc/aliases:4)"))),
    "loc-alias-file": asks_for("file", "/home/fax/file"),
    "loc-alias-file-enabled": asks_for("file", "/home/fax/file"),
    "loc-alias-pipe": asks_for("pipe", "|/usr/bin/tee /home/fax/out"),
    "loc-alias-pipe-enabled": asks_for("pipe", "|/usr/bin/tee /home/fax/out"),
    "loc-alias-devnull": on_purpose("/dev/null in aliases throws the mail away, as it says; with Exim it waits for ever", clean("waiting"), logged(
        ("== (/dev/null <ali@debian> R=system_aliases) .*", r"=> \1 T=**bypassed**"), more=[COMPLETED])),
    "loc-alias-include-missing": on_purpose(WITH_PLACE, logged(
        (r"\(-17\)(.*: )failed to open included file (.*)", r"(-1)\1included file: cannot open \2 (/etc/aliases:4)"))),
    "loc-alias-nofile": on_purpose("a host without /etc/aliases has no aliases, and its users get their mail", delivered("fax", MAIL_TO_FAX)),
    "loc-bad-transport": on_purpose(WITH_PLACE, logged((r"defer \(-30\).*", (
        "defer (-1): local_delivery = nosuch (/etc/exim4/update-exim4.conf.conf:13) is not one of maildir_home, mail_spool, "
        "procmail_pipe, maildrop_pipe, lmtp:/path, none")))),
    "loc-configtype-none": on_purpose("a configuration that says nothing usable is an error (78), not silence",
                                      refused(78, "conf:1: configtype none")),
    "loc-fwd-directory": on_purpose(WITH_PLACE, logged((r"\(-1\)", "(0)"))),
    "loc-fwd-pipe-tempfail": on_purpose("75 is TEMPFAIL, and needs no words", logged((r"75 \(could mean temporary error\)", "75"))),
    "loc-fwd-unreadable": on_purpose(WITH_PLACE, logged(
        (r"\(-1\): require_files: error for (\S+): (.*)", r"(13): \2: cannot read \1"))),
    "loc-maildir-nohome": on_purpose(WITH_PLACE, logged(
        (r"\(2\): No such file or directory: failed to chdir to", "(13): Permission denied: cannot create"))),
    "loc-spool-default": on_purpose("without dc_localdelivery mail goes to the Maildir, as the walkthrough has it", delivered("fax", MAIL_TO_FAX)),
    "loc-spool-locked": on_purpose(WITH_PLACE, logged(
        (r"\(-9\)(.*) \(lock file\)", r"(0)\1: /var/mail/fax.lock is there; another program has it, or died with it"))),
    "loc-fwd-fail": on_purpose(WITH_PLACE, logged((r"\(-17\)(.*)", r"(0)\1 (/home/bob/.forward)"))),
    "loc-fwd-filter": on_purpose("Exim's filter language is not spoken here: the mail waits, and is not misdelivered", waits(
        0, r"/home/bob/\.forward is an Exim or Sieve filter; filters are not supported, .*", rcpt="bob@debian", host="", by="R=userforward")),
    "loc-fwd-groupwritable": on_purpose(WITH_PLACE, logged((r"\(-1\)(.*)", r"(0)\1; chmod go-w it"))),
    "loc-spool-symlink": on_purpose(WITH_PLACE, logged((r"\(-6\)", "(0)"))),
}

# ---------------------------------------------------------------- the map of senders
SAID_ONCE = "a line of the map that is of no use is said to the caller with its place, and once in the log"


def said_once(why):
    """Exim logs it for each address that is looked up."""
    def first(expected, case):
        line = next(line for line in expected["log"] if "yielded" in line)
        expected["log"] = [line + why] + [x for x in expected["log"] if "yielded" not in x]
    return first


SENDERS = {
    **{name: on_purpose(SAID_ONCE, said_once(" (/etc/email-addresses:%d)" % line)) for name, line in (
        ("rw-cont-line", 2), ("rw-trailing-comment", 1), ("rw-value-empty", 1), ("rw-value-two", 1), ("rw-value-unqualified", 1))},
    "rw-wild-key": on_purpose("* in email-addresses is for all senders that have no line of their own",
                              message(mail=sub("fax@debian", "all@isp.example"), data=sub("fax@debian", "all@isp.example")),
                              logged(("(.*) <= fax@debian (.*)", r"\1 <= all@isp.example \2"))),
    "rw-broken": on_purpose("a From that cannot be read is no fault of the host's: the log is silent", logged(("<ID> rewrite: .*", ""))),
    "rw-file-missing": on_purpose("without /etc/email-addresses there is no map", logged(("<ID> Expansion of .*", ""))),
}

# ---------------------------------------------------------------- the command line and the message
BAD_ADDRESS = "a bad address is said to the caller at once, instead of in a mail to him"
MALFORMED = "domain missing or malformed"
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


TO_X = received("x@far.example")
DOTTED = message(data=sub(r"\r\n\.\r\n", "\r\n..\r\n"))
DOT_LOGGED = logged(more=["<ID> a line that is only a dot was taken for text, as more followed it: -i is not there"])
DSN_OPTIONS = "-N, -R and -V are sendmail's DSN options; Exim's -N drops the mail"
NO_RECIPIENT = "no recipient is a wrong call (64), said to the caller and not in a mail to him"
KEPT = "what was not sent is kept in dead.letter"

SUBMISSION = {
    **{name: on_purpose(BAD_ADDRESS, refused(65, MALFORMED)) for name in (
        "sub-arg-bad", "sub-arg-bad-good", "sub-t-bad", "sub-t-bad-oep")},
    **{name: on_purpose(BAD_ADDRESS, refused(65, "malformed address: .* may not follow")) for name in ("sub-newline-rcpt", "sub-two-args")},
    "sub-long-rcpt": on_purpose(BAD_ADDRESS, refused(65, "long")),
    "sub-utf8-rcpt": on_purpose(
        "an address that the smarthost cannot take is refused with the reason; Exim makes another of it",
        told(69, "SMTPUTF8"), tries("FROM:<alice@debian>"), logged(more=[
            "<ID> ** j\u00c3\u00b6rg@far.example R=smarthost T=remote_smtp_smarthost H=smtp.isp.example [192.0.2.25]: j\u00c3\u00b6rg@far.example has "
            "characters other than ASCII before the @, and the smarthost does not offer SMTPUTF8"])),
    "sub-utf8-rcpt-ext": on_purpose("8-bit text is declared to a server that has 8BITMIME",
                                    message(mail="FROM:<alice@debian> BODY=8BITMIME SMTPUTF8")),
    "sub-utf8-domain": on_purpose("the log has the domain as it was written; Exim's has an ASCII form that is another's", logged(
        ("x@xn--bcher.example-wob <(.*?)>", r"\1"))),
    "sub-null-rcpt": on_purpose("an empty address is no address: refused, not accepted and thrown away", refused(64, "recipient")),
    "sub-big-header": on_purpose("an overlong header is refused to the caller's face", refused(65, "header", kept=False)),
    "sub-bcc-no-t": on_purpose(BCC, message(data=sub(r"Bcc: secret@far\.example\r\n", ""))),
    "sub-t-resent": on_purpose(BCC, message(data=sub(r"Bcc: ob@far\.example\r\n", ""))),
    "rw-to-cc": on_purpose(BCC, message(data=sub(r"Bcc: root@debian\r\n", ""))),
    "sub-eightbit": on_purpose("8-bit text is declared to a server that has 8BITMIME", message(mail="FROM:<alice@debian> BODY=8BITMIME")),
    **{name: on_purpose(NO_RECIPIENT, refused(64, "recipient")) for name in ("sub-no-args", "sub-t-none-oee", "sub-t-none-oem")},
    "sub-opt-G": on_purpose("-G says nothing that matters here, so everyone may", TO_X),
    **{name: on_purpose(DSN_OPTIONS, TO_X) for name in ("sub-opt-N", "sub-opt-N-sep", "sub-opt-R-V", "sub-opt-R-V-joined", "sub-opt-V")},
    "sub-opt-N-alone": on_purpose(DSN_OPTIONS + "; it takes a value, and then there is no recipient", refused(64, "recipient")),
    "sub-opt-L": on_purpose("-L is a tag for sendmail's log: everyone may, and it is ignored", TO_X),
    "sub-opt-e": on_purpose("-e takes a value, as in every sendmail; then there is no recipient", refused(64, "recipient")),
    "sub-opt-oQ": on_purpose("-oQ names no directory here: taken and ignored", TO_X),
    "sub-opt-it": on_purpose("-it is -i -t", TO_X, DOTTED),
    "sub-opt-ta": on_purpose("-toi is -t -oi", TO_X, DOTTED),
    "sub-f-missing": on_purpose("options may follow the recipients, as with getopt", refused(64, "-f needs a value")),
    "sub-f-missing-alone": on_purpose(KEPT, refused(64, "-f needs a value")),
    "sub-f-bad": on_purpose(KEPT, refused(65, MALFORMED)),
    "sub-opts-after": on_purpose("options may follow the recipients, as with getopt", clean("files"),
                                 message(data=sub(r"x\r\n$", "x\r\n..\r\ny\r\n")),
                                 message(data=sub("<ID>;", "<ID>\r\n\tfor x@far.example;")),
                                 logged((r".*\*\* -i@debian: .*", ""), ("<ID> <= <> .*", ""), ("<ID> => alice .*", "")), once(COMPLETED, 1)),
    "sub-unknown-opt": on_purpose(UNKNOWN, received("x@far.example", says="-Z")),
    "sub-t-arg-all": on_purpose("arguments add to -t's recipients, as with everyone but Exim", TO_X),
    "sub-t-arg-removed": on_purpose("arguments add to -t's recipients, as with everyone but Exim", received("y@far.example", "x@far.example")),
    "sub-unknown-uid": on_purpose("a caller whose uid has no name, as in a container, sends under the number", received(
        "x@far.example", sender="4321@debian", user="4321", data=unnamed("4321"))),
    "sub-opt-p": on_purpose("Received says how the message came, whatever -p says",
                            message(data=sub("with test ", "with local ")), logged(("P=test", "P=local"))),
    "sub-no-from-null-root": on_purpose("From is obligatory, whoever the sender is",
                                        message(data=sub("Date: <DATE>", "From: root <root@debian>\\r\\nDate: <DATE>"))),
    "sub-dot": on_purpose(DOT, message(data=sub(r"line1\r\n$", "line1\r\n..\r\nline2\r\n")), DOT_LOGGED),
    "sub-dot-header": on_purpose(DOT, message(data=sub(r"\Z", "..\r\nTo: y\r\n\r\nline2\r\n")), DOT_LOGGED),
    "sub-crlf": on_purpose(DOT, message(data=sub(r"line2\r\n\Z", "line2\r\n..\r\nline3\r\n")), DOT_LOGGED),
    "sub-nul": on_purpose("servers lose what stands behind NUL: it is encoded", message(data=sub(
        r"\r\n\r\nbo\0dy", "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nbo=00dy"))),
    "sub-mixed": on_purpose("LF and CRLF end a line of the header in any mixture, as for everyone but Exim: PHP writes them so",
                            message(data=sub(r"X-A: 1\r\n X-B: 2", "X-A: 1\r\nX-B: 2"))),
    "sub-rmail": on_purpose("Received says how the message came, whatever the name",
                            message(data=sub("local-rmail", "local")), logged(("P=local-rmail", "P=local"))),
    "sub-bS-bad-rcpt": on_purpose("enhanced status codes, and the command", exits(65, "before it: 1"), shows(
        re.compile("501 5.1.3 .*: domain missing or malformed\nRCPT TO:<bad@@far.example>\n"))),
    "sub-long-body-line": on_purpose(LONG_LINES, received("x@far.example", data=encoded("x" * 1200 + "\n"))),
    "sub-body-999": on_purpose(LONG_LINES, received("x@far.example", data=encoded("x" * 999 + "\n"))),
    "sub-long-header-line": on_purpose("a header line over 998 octets is no reason to lose the mail: it is folded", TO_X,
                                       message(data=sub(r"(Subject: s{989})", r"\1\r\n "))),
    "sub-long-line-ignore": on_purpose(LONG_LINES, message(data=encoded("x" * 1200 + "\n"))),
}

# ---------------------------------------------------------------- configuration and what is shown
NO_GENERATED_FILE = "there is no generated file: what the files say counts from the next call on, and -bP shows it"
OWN_WORDS = "-bV, -bP and --help speak of onehop"
NOT_OURS = "a test mode of Exim's that is not here is refused as a wrong call"
SHELL = "update-exim4.conf.conf is read, never run: shell in it is an error with its line (78)"
NO_DOMAIN = "a mailname that is no domain is an error with its place"
EXIMS_OWN = "Exim's own exim4.conf is not read"
FIRST_LINE = "onehop version [0-9].*\n(.*\n)*"
VERSION = re.compile(FIRST_LINE + "Configuration file is /etc/exim4/update-exim4.conf.conf\n(Warning.*\n)*(confinement: .*\n)+")
CONF_FILE = "/etc/exim4/update-exim4.conf.conf"


def options(**values):
    """Exim's generated file is not there; its macros, asked of -bP as options; values: which of them are others."""
    names = ("configtype", "smarthost", "qualify_domain", "local_domains", "hide_mailname", "visible_name", "local_delivery")

    def lines(expected):
        macros = dict(line.split("=", 1) for line in expected["steps"][0]["stdout"].split("\n") if "=" in line)
        found = {"configtype": macros.get("DC_eximconfig_configtype"), "smarthost": macros.get("DCsmarthost"),
                 "qualify_domain": macros.get("ETC_MAILNAME"),
                 "local_domains": macros.get("MAIN_LOCAL_DOMAINS", "").removeprefix("@:localhost").removeprefix(":"),
                 "hide_mailname": "yes" if "HIDE_MAILNAME" in macros else "no",
                 "visible_name": macros.get("DCreadhost"), "local_delivery": macros.get("LOCAL_DELIVERY"), **values}
        return re.compile("".join(r"%s = %s *\t# .*\n" % (name, re.escape(found[name] or "")) for name in names))
    return [asks("/usr/sbin/sendmail", "-bP", *names, stdout=lines), shows("")]


def smarthost(line):
    """-bP has it with its place."""
    return asks("/usr/sbin/sendmail", "-bP", "smarthost", stdout=re.compile("smarthost = " + line))


def broken(line, file=CONF_FILE):
    """-bP cannot show a configuration that does not hold."""
    return [shows(""), asks("/usr/sbin/sendmail", "-bP", "smarthost", rc=78, says=r"%s:%d: ." % (re.escape(file), line))]


def sent_anew(step):
    """What Exim cannot send goes to fax."""
    return [delivered("fax", ONE_LINE_TO_FAX), exits(0, None, step)]


CONF = {
    **{name: on_purpose(NO_GENERATED_FILE, options()) for name in (
        "conf-cfilemode", "conf-hide-cap", "conf-mailname", "conf-mailname-utf8", "conf-relay", "conf-relay6", "conf-upper-macro")},
    "conf-hostnames": on_purpose(NO_GENERATED_FILE, options(local_domains="a.example ; b.example:c.example ;")),
    "conf-missing-keys": on_purpose("without dc_localdelivery mail goes to the Maildir, as the walkthrough has it",
                                    options(local_delivery="maildir_home", local_domains="")),
    "conf-mailname-empty": on_purpose("an empty mailname is no name: the host's own is taken", options(qualify_domain="debian")),
    "conf-split-bad": on_purpose(NO_GENERATED_FILE + "; nor is an old one used further", broken(10)),
    "conf-mailname-comment": on_purpose(NO_DOMAIN, broken(1, "/etc/mailname")),
    "conf-mailname-at": on_purpose(NO_DOMAIN, broken(1, "/etc/mailname")),
    "conf-noconf": on_purpose(NO_GENERATED_FILE, sent_anew(1)),
    "conf-shell": on_purpose(SHELL, broken(4)),
    "conf-shell-error": on_purpose(SHELL, broken(2)),
    "conf-shell-upper-var": on_purpose("a variable serves the lines behind it, as in the shell, and breaks nothing", shows(""),
                                       smarthost(r"smtp\.isp\.example\t# /etc/exim4/update-exim4.conf.conf:3\n")),
    "conf-unknown-type": on_purpose("a configuration that says nothing usable is an error (78), not silence", broken(1)),
    "conf-hide-local": on_purpose("configtype internet is refused: there is no server here", broken(1)),
    "conf-exim4conf": on_purpose(EXIMS_OWN, shows(VERSION)),
    "conf-exim4conf-writable": on_purpose(EXIMS_OWN, exits(0), shows(VERSION), sent_anew(1)),
    "conf-localmacros": on_purpose(OWN_WORDS, exits(78, "no option \"router\""), shows(re.compile("smarthost = other.*\n")),
                                   smarthost(r"other\.example::26\t# /etc/exim4/exim4.conf.localmacros:1\n")),
    "conf-badconf": on_purpose(
        NO_GENERATED_FILE + "; a broken configuration is said with its line, status 78, and the mail is the caller's",
        exits(2, "config.autogenerated", 0), sent_anew(1),
        Played(lambda case: case["steps"].append({"write": {CONF_FILE: {"content": 'dc_smarthost="$(x)"\n'}}})),
        asks("/usr/sbin/sendmail", "fax", user="alice", stdin="a\n", rc=78, says=re.escape(CONF_FILE) + ":1: ."), dead_letter),
}

GREETING = "220 debian ESMTP onehop .*\r\n"
BYE = "221 2.0.0 debian closing connection\r\n"

SHOW = {
    "seed-bV": on_purpose(OWN_WORDS, shows(VERSION)),
    "seed-update-conf": on_purpose("without dc_localdelivery mail goes to the Maildir, as the walkthrough has it", shows(
        "fax@debian\n  router = local_user, transport = maildir_home\n")),
    "bt-local-smarthost": on_purpose(TUNNEL, exits(0), shows(
        "x@far.example\n  router = smarthost, transport = remote_smtp_smarthost\n  host 127.0.0.1 [127.0.0.1] port=2525\n")),
    "bt-nosmarthost": on_purpose("it says which name could not be found", shows(re.compile(
        r"x@far\.example cannot be resolved at this time: .*smtp\.isp\.example.*\n"))),
    "adm-bf": on_purpose(NOT_OURS, *[[exits(64, "-bf", n), shows("", n)] for n in (0, 1)]),
    "adm-bh": on_purpose(NOT_OURS, exits(64, "-bh"), shows("")),
    "adm-bd-user": on_purpose("there is no daemon to start", exits(69, "no daemon"), shows(re.compile(GREETING + BYE), 2)),
    "adm-bP-user": on_purpose(OWN_WORDS, shows(re.compile(r"primary_hostname = debian\t# .*\n")), *[
        [exits(78, "no option", n), shows("", n)] for n in (1, 2)]),
    "adm-qopts": on_purpose(
        "-q takes no message; -R is sendmail's DSN option, and no recipient is 64", exits(64, "-q", 4),
        *[exits(64, "recipient", n) for n in (5, 6, 7)], exits(67, UNROUTEABLE, 8), exits(64, "-qfoo", 9), dead_letter,
        logged((r"^(?:Start|End) queue run: pid=<PID>$|.* -[RS] .*", ""), (" -q[qil]$", ""), more=[
            arrival("root@debian", "root"), "<ID> ** foo@debian: Unrouteable address"])),
    "adm-help": on_purpose(OWN_WORDS, exits(0), shows(re.compile("usage: sendmail (.*\n)*")), shows(re.compile(FIRST_LINE), 1),
                           shows(re.compile(FIRST_LINE), 2), *[exits(64, None, n) for n in (3, 4)]),
    "sub-bs": on_purpose("enhanced status codes, and what is offered is what is there", shows(re.compile(
        GREETING + "250-debian Hello alice at localhost\r\n(250-[A-Z0-9]+.*\r\n)*250 HELP\r\n250 2.1.0 OK\r\n"
        "250 2.1.5 Accepted\r\n250 2.1.5 Accepted\r\n354 Enter message, ending with \"\\.\" on a line by itself\r\n"
        "250 2.0.0 OK id=.*\r\n" + BYE))),
    "sub-bs-badorder": on_purpose("enhanced status codes; what a program says wrong is answered, and not logged", shows(re.compile(
        GREETING + "500 5.5.2 unrecognized command\r\n503 5.5.1 HELO or EHLO required\r\n503 5.5.1 sender not yet given\r\n"
        "503 5.5.1 HELO or EHLO required\r\n503 5.5.1 valid RCPT command must precede DATA\r\n"
        "252 2.5.2 Administrative prohibition.*\r\n250 2.0.0 OK\r\n250 2.0.0 Reset OK\r\n" + BYE)), clean("log")),
}

PURPOSE = {**AUTH, **DELIVERY, **LOCAL, **SENDERS, **SUBMISSION, **CONF, **SHOW}

# ---------------------------------------------------------------- the same when the caller does not wait: play.queued()
BOUNCE = "a bounce has RFC 3464's order, since when, a status of its own, why, and says that it is 8bit"
NOBODY_TOLD = "a message without a sender is frozen and shown by mailq, and nobody is written to"
PIPE_FAILED = "Child process of address_pipe transport returned 3 from command: /bin/sh: sorry"


def as_8bit(expected, case):
    text = expected["files"][-2]
    text["content"] = text["content"].replace("\nMIME-Version: 1.0\n", "\nMIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n").replace(
        "message/rfc822\n", "message/rfc822\nContent-Transfer-Encoding: 8bit\n")


def pipe_failed(expected, case):
    text = expected["files"][-2]
    text["content"] = re.sub(r"  pipe to (?:.*\n)*?sorry\n\n", "  bob@debian\n    %s\n\n" % PIPE_FAILED.replace(
        "command: ", "command:\n    "), text["content"]).replace("X-onehop; Child", "X-Unix; Child")


BOUNCES = {
    **{name: on_purpose(BOUNCE, report("5.1.1")) for name in (
        "del-bounce-mapped-sender", "del-rcpt-550-foreign-sender", "del-two-first-550", "del-bounce-big", "del-multiline-550", "rw-hide-bounce")},
    **{name: on_purpose(BOUNCE, report("5.1.1", UNROUTEABLE)) for name in (
        "loc-alias-empty", "loc-alias-loop", "loc-alias-star", "loc-caps-account", "loc-minus", "loc-plus", "loc-postmaster-noalias",
        "loc-unknown", "loc-unknown-odi", "loc-unknown-oee")},
    "del-bounce-8bit": on_purpose(BOUNCE, report("5.1.1"), declared_8bit, as_8bit),
    "del-data-554": on_purpose(BOUNCE, report("5.6.0")),
    "del-dot-554": on_purpose(BOUNCE, report("5.7.1")),
    "del-mail-550": on_purpose(BOUNCE, report("5.7.1")),
    "del-size-552": on_purpose(BOUNCE, report("5.3.4")),
    "loc-alias-fail": on_purpose(BOUNCE, report("5.1.0", "no longer here")),
    "loc-configtype-local": on_purpose(BOUNCE, report("5.1.0", "Mailing to remote domains not supported")),
    "loc-unknown-null": on_purpose(NOBODY_TOLD, clean("files"), logged(
        (r"<ID> <= <> R=.*", ""), ("<ID> => alice .*", "")), once(COMPLETED, 1)),
    "loc-fwd-pipe-fail": on_purpose(BOUNCE + "; the command stands where another error stands", report("5.2.0", PIPE_FAILED), pipe_failed, logged(
        ("(?<=from command: /bin/sh)", ": sorry"))),
}
