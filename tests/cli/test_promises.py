"""Servers that promise and do not keep: refusals that are not meant, limits of a connection, TLS, keywords and names that are
not what they seem."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import planted, sandbox  # noqa: E402
from harness.played import Played  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")
PIPELINING = ["250-hi", "250 PIPELINING"]
CHUNKING = ["250-hi", "250-PIPELINING", "250 CHUNKING"]


@pytest.fixture
def make(tmp_path):
    made = []

    def one(*sessions, more="", unix=False, **options):
        post = Played(tmp_path, *sessions, unix=unix)
        made.append(post)
        post.configure(more, **options)
        return post
    yield one
    for post in made:
        post.down()
        planted.look_below(post.directory, "".join(post.said))


# ---------------------------------------------------------------- it refuses the sender, and goes on
@pytest.mark.parametrize("reply, status", [("550 5.7.1 not you", 69), ("451 4.7.1 later", 0), ("552 5.2.2 full", 69)])
def test_a_sender_refused_and_354(make, reply, status):
    """Such a server would deliver an empty message; it gets not even a dot."""
    post = make({"ehlo": PIPELINING, "mail": reply})
    r = post.send()
    assert r.returncode == status and post.messages() == []
    assert post.heard(0)[-1] == "DATA" and len(post.records) == 1
    assert post.input() == (["D", "H"] if status == 0 else [])


@pytest.mark.parametrize("reply", ["550 5.7.1 not you", "451 4.7.1 later"])
def test_a_sender_refused_and_the_text_taken(make, reply):
    """It is in the same flight (BDAT), and the server's last word is that it has the message: so that it is not sent again."""
    post = make({"ehlo": CHUNKING, "mail": reply})
    r = post.send("-odi")
    assert r.returncode == 0 and len(post.messages()) == 1 and post.input() == []
    post.send("-qff", to=None)
    assert len(post.messages()) == 1 and "=> x@far.example" in post.mainlog()


def test_a_sender_refused_and_gone(make):
    """What it said counts, not that it hung up before the rest was answered."""
    post = make({"ehlo": CHUNKING, "mail": ["450 4.7.1 later", "DROP"]})
    post.send("-odi")
    assert "450 4.7.1 later" in post.sendmail("-bp").stdout.decode() and "may arrive twice" not in post.mainlog()


# ---------------------------------------------------------------- a connection's limit
def at_most(n, reply, drop=False):
    """A server that takes n messages over a connection."""
    def session():
        left = [n]

        def mail(line):
            left[0] -= 1
            return "250 ok" if left[0] >= 0 else [reply, "DROP"] if drop else reply
        return {"ehlo": PIPELINING, "mail": mail}
    return session


def queue(post, n):
    """n messages, and a server that is there now."""
    for i in range(n):
        assert post.send("-odq", stdin="Subject: %d\n\nbody\n" % i).returncode == 0


def subjects(post):
    return sorted(int(m["data"].split("Subject: ")[1].split()[0]) for m in post.messages())


@pytest.mark.parametrize("reply, drop", [("452 4.3.1 Too many messages sent", False), ("421 4.7.0 too many messages in this connection", True),
                                         ("451 4.7.1 slow down", False), ("450 no more", True)])
def test_a_limit_of_a_connection(make, reply, drop):
    """The rest of the run goes over new connections."""
    post = make(at_most(3, reply, drop))
    queue(post, 10)
    post.send("-q", to=None)
    assert subjects(post) == list(range(10)) and post.input() == [] and len(post.records) == 4
    assert reply in post.mainlog()


@pytest.mark.parametrize("reply, drop", [("452 4.3.1 Too many messages sent", False), ("421 4.7.0 enough for today", True)])
def test_a_limit_of_the_host(make, reply, drop):
    """Refused as the first of a fresh connection as well: the host backs off, the rest is not tried."""
    post = make(at_most(3, reply, drop), at_most(0, reply, drop))
    queue(post, 10)
    post.send("-q", to=None)
    assert len(post.messages()) == 3 and len(post.records) == 2 and len(post.input()) == 14
    assert [c.split(":")[0] for c in post.heard(1)].count("MAIL FROM") == 1
    post.send("-q", to=None)                    # it is not due
    assert len(post.records) == 2
    post.sessions[:] = [at_most(100, reply)]
    post.send("-qf", to=None)
    assert subjects(post) == list(range(10)) and post.input() == []


def test_it_is_the_sender_s(make):
    """Of one message: 4.1.X is about the sender's address; the others go on."""
    post = make({"ehlo": PIPELINING, "mail": {"bad@": "450 4.1.8 Sender address rejected: Domain not found", "default": "250 ok"}})
    queue(post, 2)
    post.send("-odq", "-f", "bad@b.example", stdin="Subject: 9\n\nbody\n")
    queue(post, 2)
    post.send("-q", to=None)
    assert subjects(post) == [0, 0, 1, 1] and len(post.input()) == 2


# ---------------------------------------------------------------- STARTTLS that does not work
TLS = ["250-hi", "250 STARTTLS"]
BROKEN = [("454 4.7.0 TLS not available due to local problem", 1), ("500 what?", 1), ("554 5.3.3 no", 1), ("421 4.7.0 out of keys", 2), ("DROP", 2),
          (["220 go", "DROP"], 2), (["220 go", "SLEEP 0.3", "HTTP/1.1 400", "DROP"], 2)]
NONE = {"passwd_client": "/dev/null"}


@pytest.mark.parametrize("reply, connections", BROKEN, ids=str)
def test_starttls_is_broken_and_there_is_no_login(make, reply, connections):
    """It goes on in clear, as Exim's does, and the log says so."""
    post = make({"ehlo": TLS, "starttls": reply}, {"ehlo": TLS})
    assert post.send("-odi").returncode == 0
    assert len(post.messages()) == 1 and len(post.records) == connections and not post.records[-1]["tls"]
    assert ": delivering unencrypted to H=127.0.0.1 [127.0.0.1] (not in hosts_require_tls)" in post.mainlog()
    assert "STARTTLS" not in post.heard(1) if connections == 2 else True


@pytest.mark.parametrize("reply", [reply for reply, _ in BROKEN], ids=str)
@pytest.mark.parametrize("options", [{"tls": "starttls"}, {"tls_verify": "yes"}, {"tls_trust_file": "/etc/ssl/certs"}, {"tls_fingerprint": "ab" * 32},
                                     {"login": "127.0.0.1:user:pencil\n"}, {"login": "elsewhere.example:user:pencil\n"}, {"password_command": "user:echo pencil"}],
                         ids=lambda o: list(o)[0])
def test_starttls_is_broken_and_matters(make, reply, options, tmp_path):
    """With a login, whosever, or a word about TLS: held."""
    options = dict(options)
    if "login" in options:
        (tmp_path / "passwd.client").write_text(options.pop("login"), encoding="ascii")
        (tmp_path / "passwd.client").chmod(0o600)
        options["passwd_client"] = str(tmp_path / "passwd.client")
    post = make({"ehlo": TLS, "starttls": reply}, **options)
    assert post.send("-odi").returncode == 0
    assert post.messages() == [] and post.input() == ["D", "H"] and len(post.records) == 1
    assert "there is no TLS with 127.0.0.1" in post.mainlog() and "unencrypted" not in post.mainlog()


def test_text_behind_the_220(make):
    """Somebody may be in between: no clear text."""
    post = make({"ehlo": TLS, "starttls": "220 go\r\n250 and more"})
    post.send("-odi")
    assert post.messages() == [] and len(post.records) == 1 and "unencrypted" not in post.mainlog()


def test_starttls_has_worked(make):
    """Within 30 days: then it waits, and the sentence says why and what would help."""
    post = make({"ehlo": TLS}, {"ehlo": TLS, "starttls": "454 no"})
    post.send("-odq", stdin="Subject: a spool\n\n")
    post.send("-q", to=None)
    assert post.records[0]["tls"] and len(post.messages()) == 1
    post.send("-odi")
    assert len(post.messages()) == 1 and "it has worked within the last 30 days, so the mail waits; tls = off" in post.sendmail("-bp").stdout.decode()
    seen = post.spool + "/db/seen.127.0.0.1"
    with open(seen, encoding="ascii") as f:
        word, when = f.read().split()
    assert word == "starttls"
    with open(seen, "w", encoding="ascii") as f:
        f.write("starttls %d\n" % (int(when) - 31 * 86400))
    post.send("-qf", to=None)
    assert len(post.messages()) == 2


def test_a_certificate_is_no_broken_starttls(make):
    """Without a login an expired one is taken, as by Exim, over TLS."""
    post = make({"ehlo": TLS, "cert": "expired"})
    post.send("-odi")
    assert len(post.messages()) == 1 and post.records[0]["tls"] and len(post.records) == 1


def test_it_wants_tls(make):
    """tls = off at a server that insists: it is not a login that it wants."""
    post = make({"ehlo": TLS, "mail": "530 5.7.0 Must issue a STARTTLS command first"}, tls="off")
    post.send("-odi")
    assert "Must issue a STARTTLS command first (it wants TLS first)" in post.sendmail("-bp").stdout.decode()


# ---------------------------------------------------------------- a unix socket
@pytest.mark.parametrize("options", [{}, {"tls": "starttls"}, {"tls": "implicit"}, {"tls_verify": "yes"}], ids=str)
@pytest.mark.parametrize("kind", ["lmtp", "unix"])
def test_starttls_on_a_unix_socket(make, kind, options):
    """Not said there, whatever is offered and whatever the smarthost needs: a path is no name for a certificate."""
    post = make({"ehlo": TLS}, unix=True)
    post.configure(smarthost="%s:%s" % (kind, post.path), **options)
    assert post.send("-odi").returncode == 0
    assert len(post.messages()) == 1 and "STARTTLS" not in post.heard(0) and post.input() == []


# ---------------------------------------------------------------- PIPELINING and CHUNKING
FORGETFUL = [{"mail": ["FORGET", "250 ok"]}, {"mail_behind": ["554 SMTP synchronization error", "DROP"]},
             {"mail_behind": ["FORGET", "503 5.5.0 Improper use of SMTP command pipelining"]}, {"mail_behind": ["250 ok", "DROP"]}, {"mail_behind": "DROP"},
             {"rcpt": {"default": "250 ok"}, "mail_behind": ["FORGET", "451 4.3.0 what was that"]}]


@pytest.mark.parametrize("offer", [PIPELINING, CHUNKING], ids=["pipelining", "chunking"])
@pytest.mark.parametrize("how", FORGETFUL, ids=str)
def test_pipelining_that_is_not_kept(make, how, offer):
    """Without it over a new connection, and for a day."""
    in_doubt = offer is CHUNKING and "250" in str(how.get("mail", how.get("mail_behind"))) or offer is CHUNKING and how["mail_behind"] == "DROP"
    post = make({"ehlo": offer, **how}, command_timeout="2s", final_timeout="2s")
    post.send("-odq", stdin="Subject: a spool\n\n")
    post.send("-qf", to=None)
    if in_doubt:                        # the text was in the same flight: the next time
        assert post.messages() == [] and "may arrive twice" in post.mainlog()
        post.send("-qf", to=None)
    assert len(post.messages()) == 1 and len(post.records) == 2 and post.input() == []
    if not in_doubt:
        assert "offers PIPELINING and does not keep it; it is tried without" in post.mainlog()
    post.send("-odi")
    assert len(post.messages()) == 2 and len(post.records) == 3
    seen = post.spool + "/db/seen.127.0.0.1"
    with open(seen, encoding="ascii") as f:
        word, when = f.read().split()
    assert word == "no-pipelining"
    with open(seen, "w", encoding="ascii") as f:
        f.write("no-pipelining %d\n" % (int(when) - 86401))
    post.sessions[:] = [{"ehlo": PIPELINING}]
    post.send("-odi")
    assert len(post.messages()) == 3 and len(post.records) == 4 and post.heard(3)[1].startswith("MAIL")


def test_it_is_no_matter_of_pipelining(make):
    """It refuses the sender, all the recipients, the text: as ever, over one connection."""
    for how in ({"mail": "550 5.7.1 not you"}, {"rcpt": "550 5.1.1 who"}, {"data": "554 5.7.1 no"}):
        post = make({"ehlo": PIPELINING, **how})
        assert post.send().returncode == 69 and len(post.records) == 1
        post.down()


@pytest.mark.parametrize("reply", ["500 unknown", "502 5.5.2 not here", "DROP"])
def test_chunking_that_is_not_kept(make, reply):
    """DATA, over a new connection, and for a day; at the next try where the server may have the message."""
    post = make({"ehlo": CHUNKING, "dot": reply}, {"ehlo": CHUNKING})
    post.send("-odq", stdin="Subject: a spool\n\n")
    post.send("-qf", to=None)
    post.send("-qf", to=None)
    assert len(post.records) == 2 and [m.get("bdat") for m in post.messages()] == [True, None] and post.input() == []
    post.send("-odi")
    assert [m.get("bdat") for m in post.messages()] == [True, None, None]
    with open(post.spool + "/db/seen.127.0.0.1", encoding="ascii") as f:
        assert f.read().startswith("no-chunking ")


# ---------------------------------------------------------------- keywords after the login
@pytest.fixture
def logged_in(make, tmp_path):
    (tmp_path / "passwd.client").write_text("127.0.0.1:user:pencil\n", encoding="ascii")
    (tmp_path / "passwd.client").chmod(0o600)

    def one(before, after, **profile):
        return make({"ehlo": ["250-hi", *before, "250 AUTH PLAIN"], "auth": {"PLAIN": ["235 ok"]}, "ehlo_auth": after, **profile},
                    passwd_client=str(tmp_path / "passwd.client"))
    return one


def greetings(post):
    return sum(line.startswith("EHLO") for line in post.heard(0))


@pytest.mark.parametrize("before, after, words, to, said", [
    ([], ["250-hi", "250 SMTPUTF8"], [], "m\u00fcller@far.example", " SMTPUTF8"),
    ([], ["250-hi", "250 DSN"], ["-N", "success"], "x@far.example", " NOTIFY=SUCCESS"),
    ([], ["250-hi", "250 DSN"], ["-R", "hdrs"], "x@far.example", " RET=HDRS"),
    (["250-SIZE 10"], ["250-hi", "250 SIZE 100000"], [], "x@far.example", " SIZE="),
], ids=["SMTPUTF8", "NOTIFY", "RET", "SIZE"])
def test_keywords_after_the_login(logged_in, before, after, words, to, said):
    """EHLO again before anything is given up for a missing keyword."""
    post = logged_in(before, after)
    r = post.send(*words, to=to)
    assert r.returncode == 0 and len(post.messages()) == 1 and greetings(post) == 2, r.stderr
    assert any(said in line for line in post.heard(0) if line.startswith(("MAIL", "RCPT")))


def test_nothing_is_missing(logged_in):
    """Then EHLO is not said again."""
    post = logged_in([], ["250-hi", "250 SMTPUTF8"])
    assert post.send().returncode == 0 and greetings(post) == 1


@pytest.mark.parametrize("after", ["503 5.5.1 once is enough", ["250 hi"]], ids=str)
def test_no_keywords_after_the_login_either(logged_in, after):
    """It goes as it would have gone; the address that cannot is refused."""
    post = logged_in(["250-SIZE 100000"], after)
    assert post.send("-N", "success").returncode == 0 and len(post.messages()) == 1 and greetings(post) == 2
    r = post.send(to="m\u00fcller@far.example")
    assert r.returncode == 69 and b"SMTPUTF8" in r.stderr


# ---------------------------------------------------------------- our name
@pytest.mark.parametrize("profile", [
    {"rcpt": "504 5.5.2 <host>: Helo command rejected: need fully-qualified hostname"},
    {"rcpt": "450 4.7.1 <host>: Helo command rejected: Host not found"},
    {"mail": "550 5.7.1 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)"},
    {"ehlo": "501 Syntactically invalid EHLO argument(s)", "helo": "501 Syntactically invalid HELO argument(s)"},
    {"ehlo": "504 5.5.2 need fully-qualified hostname", "helo": "504 5.5.2 need fully-qualified hostname"}], ids=str)
def test_our_name_is_refused(make, profile):
    """The sentence names what to set."""
    post = make(profile, primary_hostname="host")
    r = post.send("-odi")
    said = r.stderr.decode() + post.sendmail("-bp").stdout.decode()
    assert '(it does not accept "host" as our name: set helo_data, or primary_hostname, to a full name that it can look up)' in said


@pytest.mark.parametrize("profile", [{"rcpt": "550 5.1.1 no helo@far.example here"}, {"ehlo": "502 no", "helo": "550 no"},
                                     {"mail": "503 polite people say EHLO first"}], ids=str)
def test_it_is_not_our_name(make, profile):
    post = make(profile)
    r = post.send("-odi")
    assert "helo_data" not in r.stderr.decode() + post.sendmail("-bp").stdout.decode()


# ---------------------------------------------------------------- a silent name server
@pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))
@pytest.mark.parametrize("name, zone", [("relay.isp.example::2525", "relay.isp.example"), ("smtp::2525", "smtp"),
                                        ("srv:isp.example", "_submissions._tcp.isp.example")])
def test_a_silent_name_server(name, zone):
    """About connect_timeout, whatever resolv.conf says; nothing is left that still waits."""
    conf = "qualify_domain = debian\nsmarthost = %s\nconnect_timeout = 2s\n" % name
    send = 'date +%s.%N; /usr/sbin/sendmail x@far.example; date +%s.%N; ps -e -o comm= | grep -c onehop-send'
    got = sandbox.run_case({
        "dns": {zone: "SILENT"},
        "config": {"dc": False, "files": {"/etc/onehop/onehop.conf": {"content": conf},
                                          "/etc/resolv.conf": {"content": "nameserver 127.0.0.1\noptions timeout:10 attempts:2\n"}}},
        "steps": [{"argv": ["/bin/sh", "-c", send], "user": "root", "stdin": "Subject: s\n\nb\n"}]})
    began, ended, left = got["steps"][0]["stdout"].split()
    assert float(ended) - float(began) < 4 and left == "0", got["steps"]
