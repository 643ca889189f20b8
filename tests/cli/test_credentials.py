"""The smarthost's password, through the socket door: where it may come from, who may read it, what is told of that; and where
it is afterwards: in one locked page of a process that nobody looks into, and in nothing that is shown or kept."""
import base64
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli import test_doors as doors  # noqa: E402
from cli.test_doors import CONFIG, LOCAL, SECRET, SERVER, SUBMIT, mail, messages  # noqa: E402
from harness import sandbox  # noqa: E402

LINE = "smtp.isp.example:user:%s\n"
NO_FILE = {**CONFIG, "passwd_client": None}


def play(*steps, daemons=(SUBMIT,), **how):
    """A door that differs from SUBMIT needs its mode too."""
    other = [doors.MODES] if daemons and SUBMIT not in daemons else []
    seen = doors.play(*other, *steps, daemons=daemons, **how)
    seen["steps"] = seen["steps"][len(other):]
    return seen


def sent_as(seen):
    return [a["decoded"] for c in seen["smtp"] for a in c["auth"]]


def submit(*more, as_onehop=("--clear-groups",), env=(), setup=""):
    """The socket unit, with what systemd gives its service besides."""
    argv = ["/usr/bin/setpriv", "--reuid=onehop", "--regid=onehop", *as_onehop, *more, "/usr/bin/systemd-socket-activate", *env,
            "-l", "/run/onehop/submit", "-a", "--inetd", "/opt/onehop/onehop-send"]
    return {**SUBMIT, "setup": SUBMIT["setup"] + setup, "argv": argv}


def file(content, owner="root:onehop", mode="640"):
    """Its owner and mode as a script sets them, because the user is made by the same configuration."""
    def put(path):
        return "; mkdir -p %s; printf '%%s' '%s' > %s; chown %s %s; chmod %s %s" % (os.path.dirname(path), content, path, owner, path, mode, path)
    return put


# ---------------------------------------------------------------- where it comes from
def test_a_credential_of_systemd_s():
    """As LoadCredential leaves it: a directory and a file of the service's user alone; it is read before any other."""
    place = "/run/credentials/onehop-submit@1.service"
    door = submit(env=["-E", "CREDENTIALS_DIRECTORY=" + place],
                  setup=file(LINE % "from-systemd", "onehop:onehop", "400")(place + "/passwd.client") + "; chown onehop: %s; chmod 500 %s" % (place, place))
    seen = play(mail(["-v", "x@far.example"]), servers=[SERVER], daemons=[door])
    assert seen["steps"][0]["rc"] == 0 and sent_as(seen) == [["\\0user\\0from-systemd"]], seen["steps"][0]
    assert "from-systemd" not in str(seen["steps"]) + seen["mainlog"]


def test_the_directory_of_credentials_may_have_none():
    seen = play(mail(["x@far.example"]), servers=[SERVER], daemons=[submit(env=["-E", "CREDENTIALS_DIRECTORY=/run/nothing"])])
    assert seen["steps"][0]["rc"] == 0 and sent_as(seen) == [["\\0user\\0" + SECRET]]


def test_a_caller_has_no_credentials_of_his_own():
    """The variable is the service's; what the caller's environment says goes nowhere."""
    step = {**mail(["x@far.example"]), "env": {"CREDENTIALS_DIRECTORY": "/home/alice"}}
    config = {**CONFIG, "files": {"/home/alice/passwd.client": {"content": LINE % "hers"}}}
    assert sent_as(play(step, servers=[SERVER], config=config)) == [["\\0user\\0" + SECRET]]


def kept_back(place):
    """A password that systemd keeps for the units, and what else there is: a file with none."""
    return {**CONFIG, "passwd_client": "# none\n", "files": {place + "/passwd.client": {"content": LINE % "kept", "mode": "0600"}}}


STORES = ["/etc/credstore", "/run/credstore", "/etc/credstore.encrypted", "/run/credentials/@system"]


@pytest.mark.parametrize("place", STORES)
def test_root_does_not_go_without_a_login_that_the_units_have(place):
    """It waits in the spool for them, and the log says so."""
    seen = play(mail(["x@far.example"], user="root"), {"argv": ["/usr/sbin/sendmail", "-qf"]}, shell_count(), servers=[{}], config=kept_back(place), daemons=())
    assert [s["rc"] for s in seen["steps"]] == [0, 0, 0] and seen["steps"][2]["stdout"] == "1\n", seen["steps"]
    assert messages(seen) == [] and "the passwords are a credential, %s/passwd.client, which onehop's units get" % place in seen["mainlog"]
    assert "systemctl enable --now onehop-submit.socket" in seen["mainlog"]


def shell_count():
    return {"argv": ["/usr/sbin/sendmail", "-bpc"]}


@pytest.mark.parametrize("place", STORES)
def test_root_sends_through_the_door_that_has_it(place):
    """His mail, and his queue run."""
    given = "/run/credentials/onehop-submit@1.service"
    door = submit(env=["-E", "CREDENTIALS_DIRECTORY=" + given],
                  setup=file(LINE % "kept", "onehop:onehop", "400")(given + "/passwd.client") + "; chown onehop: %s; chmod 500 %s" % (given, given))
    seen = play(mail(["x@far.example"], user="root"), mail(["-odq", "y@far.example"], user="root"), {"argv": ["/usr/sbin/sendmail", "-qf"]}, shell_count(),
                servers=[SERVER], config=kept_back(place), daemons=[door])
    assert [s["rc"] for s in seen["steps"]] == [0, 0, 0, 0] and seen["steps"][3]["stdout"] == "0\n", (seen["mainlog"], [s["stderr"] for s in seen["steps"]])
    assert len(messages(seen)) == 2 and {tuple(a) for a in sent_as(seen)} == {("\\0user\\0kept",)}


def test_who_names_a_file_has_no_credential():
    config = {**kept_back("/etc/credstore"), "passwd_client": LINE % "named", "dc": {"passwd_client": "/etc/exim4/passwd.client"}}
    seen = play(mail(["x@far.example"], user="root"), servers=[SERVER], config=config, daemons=())
    assert seen["steps"][0]["rc"] == 0 and sent_as(seen) == [["\\0user\\0named"]]


def test_onehop_s_own_file():
    config = {**NO_FILE, "dc": {"passwd_client": "/etc/onehop/passwd.client"}}
    seen = play(mail(["x@far.example"]), servers=[SERVER], config=config, daemons=[submit(setup=file(LINE % "own")("/etc/onehop/passwd.client"))])
    assert seen["steps"][0]["rc"] == 0 and sent_as(seen) == [["\\0user\\0own"]]


@pytest.mark.parametrize("group", [True, False], ids=["in Debian-exim", "not"])
def test_debian_s_file_when_its_group_allows(group):
    config = {**CONFIG, "passwd_reader": "Debian-exim"}
    seen = play(mail(["x@far.example"]), servers=[SERVER], config=config,
                daemons=[submit(as_onehop=("--groups=Debian-exim",) if group else ("--clear-groups",))])
    assert sent_as(seen) == ([["\\0user\\0" + SECRET]] if group else [])
    if not group:
        assert seen["steps"][0]["rc"] == 0, "it waits until somebody mends it"
        assert "cannot read the passwords in /etc/exim4/passwd.client as uid 120" in seen["mainlog"] and not messages(seen)


COMMANDS = {    # the option, and what is sent: the words as they are, by user onehop, and the first line alone
    "words": ("user:/bin/echo s3;kr3t $HOME `id` > /tmp/made | x", "s3;kr3t $HOME `id` > /tmp/made | x"),
    "who": ("user:/usr/bin/id -un", "onehop"),
    "environment": ("user:/usr/bin/env -0", None),
    "first line": ('user:/usr/bin/printf "one\\\\ntwo\\\\n"', "one"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_run_without_a_shell(name):
    command, password = COMMANDS[name]
    step = {**mail(["x@far.example"]), "env": {"TELLTALE": "hers"}}
    seen = play(step, servers=[SERVER], config={**NO_FILE, "dc": {"password_command": command}})
    ((got,),) = sent_as(seen)
    assert "TELLTALE" not in got and (password is None or got == "\\0user\\0" + password), got
    assert "/tmp/made" not in seen["files"] and seen["steps"][0]["rc"] == 0


@pytest.mark.parametrize("readable", [True, False], ids=["readable", "not"])
def test_a_file_of_a_container_s(readable):
    door = submit(setup=file("in-a-file\nsecond line\n", "onehop:onehop" if readable else "root:root", "400")("/run/secrets/pw"))
    seen = play(mail(["-v", "x@far.example"]), servers=[SERVER], config={**CONFIG, "passwd_client": LINE % "file:/run/secrets/pw"}, daemons=[door])
    assert sent_as(seen) == ([["\\0user\\0in-a-file"]] if readable else []) and seen["steps"][0]["rc"] == 0
    assert "in-a-file" not in str(seen["steps"]) + seen["mainlog"]
    if not readable:
        assert "cannot read the password in /run/secrets/pw as uid 120" in seen["mainlog"] and not messages(seen)


# ---------------------------------------------------------------- who else may read it
EVERYBODY = "Warning: everybody may read the password in %s: chmod o-r it"


def mode(path, words):
    return {"argv": ["/bin/sh", "-c", "%s %s" % (words, path)]}


@pytest.mark.parametrize("where", ["/etc/exim4/passwd.client", "/run/secrets/pw"])
def test_everybody_may_read_it(where):
    """It is used, and each use says so, in the log and with -v; what has no password in it may be read by everybody."""
    elsewhere = where.startswith("/run")
    config = {**CONFIG, "passwd_client": LINE % ("file:/run/secrets/pw" if elsewhere else SECRET)}
    setup = file(SECRET, "root:onehop", "640")("/run/secrets/pw")
    seen = play(mode("/etc/exim4/passwd.client", "chmod 644" if elsewhere else "chmod 640"), mail(["-v", "a@far.example"]), mode(where, "chmod 644"),
                mail(["b@far.example"]), mail(["-v", "c@far.example"]), servers=[SERVER], config=config, daemons=[submit(setup=setup)])
    said = [EVERYBODY % where in s["stderr"] for s in seen["steps"]]
    assert said == [False, False, False, False, True] and seen["mainlog"].count(EVERYBODY % where) == 2, seen["mainlog"]
    assert seen["mainlog"].count("Warning") == 2 and len(messages(seen)) == 3 and SECRET not in str(seen["steps"]) + seen["mainlog"]


def test_the_check_of_the_setup():
    """-bV, which needs no right to read it."""
    path = "/etc/exim4/passwd.client"
    changes = ["chmod 640", "chmod 644", "chmod 660", "chown alice", "chmod 666"]
    steps = [s for words in changes for s in (mode(path, words), {"argv": ["/usr/sbin/sendmail", "-bV"], "user": "bob"})]
    said = [[line for line in s["stdout"].splitlines() if line.startswith("Warning") and "passwd.client" in line] for s in play(*steps, daemons=())["steps"][1::2]]
    everybody, others, owner = ("everybody may read the passwords in " + path, "others than its owner may write to " + path, path + " belongs to uid 1001")
    wanted = [[], [everybody], [others], [others, owner], [everybody, others, owner]]
    assert [len(lines) for lines in said] == [len(w) for w in wanted], said
    assert all(w in line for lines, ws in zip(said, wanted) for line, w in zip(lines, ws)), said


# ---------------------------------------------------------------- where it is afterwards
# The smarthost looks into onehop-send when it is logged in and asks for MAIL: which mappings have the password, and may anybody look?
LOOK = """
import base64, ctypes, glob, os, re, socket, subprocess
def called(name):
    (p,) = [p[:-5] for p in glob.glob("/proc/[0-9]*/comm") if open(p).read() == name + "\\n"]
    return p
assert ctypes.CDLL(None).setns(os.open(called("systemd-socket-") + "/ns/net", os.O_RDONLY), 0) == 0     # where the daemons of a case are
secret = b"%s"
forms = [secret] + [base64.b64encode(b"\\0" * n + secret)[(n * 8 + 5) // 6:(n + len(secret)) * 8 // 6] for n in range(3)]
listen = socket.create_server(("127.0.0.1", 0))
with open("/etc/exim4/update-exim4.conf.conf", "r+") as f:
    text = f.read().replace("PORT", str(listen.getsockname()[1]))
    f.seek(0)
    f.write(text)
become = ["/usr/bin/setpriv", "--regid=onehop", "--clear-groups"]
caller = subprocess.Popen(["/usr/bin/setpriv", "--reuid=alice", "--regid=alice", "--clear-groups", "/usr/sbin/sendmail", "x@far.example"],
                          stdin=subprocess.PIPE)
caller.stdin.write(b"Subject: s\\n\\n")
caller.stdin.close()
def look(when):
    senders = [p[:-5] for p in glob.glob("/proc/[0-9]*/comm") if open(p).read() == "onehop-send\\n"]
    assert len(senders) == 2                                # the spool's, and its child, the network's
    for p in sorted(senders, key=lambda q: "/proc/" + open(q + "/stat").read().split()[3] in senders):
        look_at(when, p)
def look_at(when, p):
    print(when, "owner", os.stat(p + "/environ").st_uid, "core", re.search(r"core file size +(\\d+)", open(p + "/limits").read()).group(1),
          "told", any(secret in open(p + f, "rb").read() for f in ("/environ", "/cmdline")), end=" ")
    where = []
    for block in re.split(r"\\n(?=[0-9a-f]+-[0-9a-f]+ )", open(p + "/smaps").read()):
        start, end = (int(x, 16) for x in block.split()[0].split("-"))
        flags = re.search("VmFlags: (.*)", block).group(1).split()
        try:
            with open(p + "/mem", "rb", 0) as memory:
                memory.seek(start)
                octets = memory.read(end - start)
        except (OSError, ValueError, OverflowError):
            continue
        if any(form in octets for form in forms):
            where.append("locked, not dumped" if {"lo", "dd"} <= set(flags) else block.splitlines()[0])
    print(where)
    for n in ("environ", "mem", "maps"):
        assert subprocess.run([*become, "--reuid=onehop", "/bin/cat", p + "/" + n], stdout=subprocess.PIPE, stderr=subprocess.PIPE).stderr
conn = listen.accept()[0].makefile("rwb", 0)
conn.write(b"220 hello\\r\\n")
for line in conn:
    for question in {"LOGIN": ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"], "CRAM-MD5": ["PDFAbWU+"]}.get("%s", []) if line[:4] == b"AUTH" else []:
        conn.write(b"334 " + question.encode() + b"\\r\\n")
        conn.readline()
    if line.startswith(b"MAIL"):
        look("MAIL")
    if line.startswith(b"QUIT"):                            # nobody waits for an answer
        break
    conn.write({b"EHLO": b"250-me\\r\\n250 AUTH %s\\r\\n", b"DATA": b"354 go\\r\\n", b"AUTH": b"235 ok\\r\\n"}.get(line[:4].upper(), b"250 ok\\r\\n"))
    if line.startswith(b"DATA"):
        while conn.readline() != b".\\r\\n":
            pass
        conn.write(b"250 ok\\r\\n")
print(caller.wait())
"""


@pytest.mark.skipif(sandbox.sanitized(), reason="it keeps copies, and has to look into itself")
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_it_stays_in_one_page(mechanism):
    """All copies but the one that the server's replies are redacted by are wiped after AUTH."""
    seen = play({"argv": ["/usr/bin/python3", "-c", LOOK % (SECRET, mechanism, mechanism)]},
                config={**CONFIG, "passwd_client": "127.0.0.1:user:%s\n" % SECRET, "dc": {"dc_smarthost": "127.0.0.1::PORT"}})
    lines = seen["steps"][0]["stdout"].splitlines()
    assert lines == ["MAIL owner 0 core 0 told False []", "MAIL owner 0 core 0 told False ['locked, not dumped']", "0"], seen["steps"][0]


def b64(text):
    return base64.b64encode(text.encode()).decode()


ECHOES = {
    "as it is": SECRET,
    "PLAIN": b64("\0user\0" + SECRET),
    "behind two, and more": b64("xy" + SECRET + " is wrong"),
    "in a word": "<" + SECRET + ">and" + SECRET,
    "as in a URL": SECRET.replace("-", "%2d"),
}


def hidden(text):
    """Nothing of the password's forms is in it."""
    core = [b64("\0" * n + SECRET)[(n * 8 + 5) // 6:(n + len(SECRET)) * 8 // 6] for n in range(3)]
    return not [form for form in [SECRET, SECRET[:6], *core] if form in text]


@pytest.mark.parametrize("name", ECHOES)
def test_the_server_repeats_it(name):
    """At the login, at a recipient that has to wait, at one that is refused: in no file, no bounce, no list."""
    echo = ECHOES[name]
    wrong = {**SERVER, "auth": {"PLAIN": ["535 5.7.8 your word %s is wrong" % echo]}}
    picky = {**SERVER, "mail": ["250-hello %s" % echo, "250 ok"],
             "rcpt": {"later": "450 4.2.1 %s comes too soon" % echo, "bad": ["550-5.1.1 %s" % echo, "550 5.1.1 no such user, %s" % echo], "default": "250 ok"}}
    steps = [mail(["-v", "x@far.example"]), mail(["-v", "-f", "alice@debian", "good@far.example", "later@far.example", "bad@far.example"]),
             mail(["-v", "-f", "alice@debian", "bad@far.example"])]
    lists = [{"argv": ["/usr/sbin/mailq"], "user": "alice"}, {"argv": ["/usr/sbin/sendmail", "-bpj"], "user": "root"},
             {"argv": ["/bin/sh", "-c", "cat /var/spool/onehop/input/* /var/spool/onehop/msglog/* /var/spool/onehop/db/*"]}]
    seen = play(steps[0], *lists, daemons=[SUBMIT, LOCAL], servers=[wrong])
    first = str(seen["steps"]) + seen["mainlog"] + str(seen["files"])
    assert "535" in seen["mainlog"] and "is wrong" in seen["steps"][0]["stderr"] and hidden(first)
    seen = play(*[{**step, "settle": 120} for step in steps[1:]], *lists, daemons=[SUBMIT, LOCAL], servers=[picky])
    everything = str(seen["steps"]) + seen["mainlog"] + str(seen["files"])
    assert [s["rc"] for s in seen["steps"][:2]] == [0, 69], seen["steps"]
    assert "comes too soon" in seen["steps"][2]["stdout"] and "no such user" in seen["steps"][1]["stderr"]
    bounces = [f["content"] for path, f in seen["files"].items() if "/home/alice/Maildir/new/" in path and path[-1] != "/"]
    assert len(bounces) == 1 and "no such user" in bounces[0] and "dead.letter" in str(seen["files"])
    assert "***" in seen["mainlog"] and "***" in bounces[0] and hidden(everything), everything
