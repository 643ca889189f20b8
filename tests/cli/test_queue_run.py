"""What waits, for how long, and what becomes of it: submissions in bad weather and the queue runs behind them."""
import fcntl
import os
import re
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import planted  # noqa: E402
from harness.post import Post  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")
THREE = ["a@far.example", "bad@far.example", "c@far.example"]


def only_bad(reply):
    return lambda line: reply if "bad@" in line else "250 ok"


def run(post, *flags):
    got = post.sendmail(*(flags or ["-q"]))
    assert got.returncode == 0, got.stderr
    return got


def test_the_direct_way_leaves_no_message(post):
    """Nor a log of one; when the host last took mail is all that stays."""
    assert post.sendmail("x@far.example").returncode == 0
    found = {os.path.relpath(os.path.join(at, name), post.spool) for at, _, names in os.walk(post.spool) for name in names}
    assert len(post.mails) == 1 and sorted(name.partition(".")[0] for name in found) == ["db/clock", "db/host"]


def test_down_then_up(post):
    post.down()
    got = post.sendmail("-f", "me@here.example", "x@far.example")
    assert (got.returncode, got.stderr) == (0, b"") and post.input() == ["D", "H"]
    run(post)
    assert post.input() == ["D", "H"]
    post.up()
    run(post)
    assert post.mails == []                                    # its time has not come
    run(post, "-qf")
    assert [(m[0], m[1]) for m in post.mails] == [("me@here.example", ["x@far.example"])] and post.input() == []
    assert post.mails[0][2].endswith("\r\n\r\nbody\r\n")
    assert "Completed" in post.mainlog()
    run(post, "-qf")
    assert len(post.mails) == 1


def test_one_of_three_is_refused(post):
    post.rules["rcpt"] = only_bad("550 5.1.1 who is bad?")
    got = post.sendmail("-f", "me@here.example", *THREE)
    assert (got.returncode, got.stderr) == (0, b"")
    post.until(lambda: len(post.mails) == 2 and post.input() == [])
    assert post.mails[0][1] == ["a@far.example", "c@far.example"]
    sender, to, text = post.mails[1]
    assert (sender, to) == ("", ["me@here.example"])
    assert "550 5.1.1 who is bad?" in text and "Status: 5.1.1" in text and "bad@far.example" in text


def test_all_are_refused(post):
    post.rules["rcpt"] = "550 5.1.1 nobody"
    got = post.sendmail("-f", "me@here.example", *THREE)
    assert got.returncode == 69 and b"550 5.1.1 nobody" in got.stderr and post.mails == []
    assert post.input() == []


def test_one_of_three_has_to_wait(post):
    post.rules["rcpt"] = only_bad("451 4.2.0 later")
    assert post.sendmail("-f", "me@here.example", *THREE).returncode == 0
    assert post.input() == ["D", "H"] and post.mails[0][1] == ["a@far.example", "c@far.example"]
    post.rules.clear()
    run(post, "-qf")
    assert [m[1] for m in post.mails] == [["a@far.example", "c@far.example"], ["bad@far.example"]] and post.input() == []


def test_a_bounce_that_fails_is_frozen(post):
    post.rules["rcpt"] = lambda line: "250 ok" if "a@" in line else "550 no"
    assert post.sendmail("-f", "me@here.example", "a@far.example", "bad@far.example").returncode == 0
    post.until(lambda: "Frozen" in post.mainlog())
    run(post, "-qf")
    assert post.input() == ["D", "H"] and len(post.mails) == 1


@pytest.mark.parametrize("flag", ["-odq", "-odb"])
def test_not_in_the_foreground(post, flag):
    assert post.sendmail(flag, "x@far.example").returncode == 0
    if flag == "-odq":
        assert post.connections == 0 and post.input() == ["D", "H"]
        run(post)
    post.until(lambda: len(post.mails) == 1 and post.input() == [])


def test_what_waits_goes_along(post):
    for n in range(3):
        assert post.sendmail("-odq", "x%d@far.example" % n).returncode == 0
    assert post.sendmail("now@far.example").returncode == 0
    post.until(lambda: len(post.mails) == 4 and post.input() == [])
    assert post.connections == 1 and post.mails[0][1] == ["now@far.example"]


def test_one_connect_for_all_that_wait(post):
    for n in range(20):
        assert post.sendmail("-odq", "x%d@far.example" % n).returncode == 0
    post.rules["greeting"] = "421 busy"
    run(post)
    assert post.connections == 1
    run(post)
    assert post.connections == 1                               # not due
    run(post, "-qf")
    assert post.connections == 2
    post.rules.clear()
    run(post, "-qf")
    assert post.connections == 3 and len(post.mails) == 20 and post.input() == []


def test_a_wrong_password_is_tried_once_a_run(post):
    post.ehlo = ["250-post", "250 AUTH PLAIN"]
    post.rules["auth"] = "535 5.7.8 wrong"
    with open(post.directory + "/passwd.client", "w", encoding="ascii") as f:
        f.write("127.0.0.1:user:%s\n" % planted.PASSWORD)
    for n in range(5):
        assert post.sendmail("-odq", "x%d@far.example" % n).returncode == 0
    run(post)
    assert len([c for c in post.commands if c.startswith("AUTH")]) == 1 and len(post.input()) == 10
    assert "535 5.7.8 wrong" in post.mainlog() and planted.PASSWORD not in post.mainlog()


def test_a_rule_that_ends(post):
    post.configure(retry="F,1s,1s")
    post.rules["mail"] = "451 4.3.0 later"
    assert post.sendmail("-f", "me@here.example", "x@far.example").returncode == 0

    def over():
        run(post, "-qf")
        return "retry timeout exceeded" in post.mainlog()
    post.until(over)
    assert re.search(r"<= <> R=\S+ U=\S+ P=local S=\d+", post.mainlog())


def test_what_goes_along_goes_as_its_own_sender(post, tmp_path):
    """The sections that a submission's sender has are not for the mail that it takes along."""
    other = tmp_path / "other"
    other.mkdir()
    elsewhere = Post(other)
    post.configure("[sender boss@here.example]\nsmarthost = 127.0.0.1::%d\n" % elsewhere.port)
    assert post.sendmail("-odq", "-f", "me@here.example", "waits@far.example").returncode == 0
    assert post.sendmail("-f", "boss@here.example", "now@far.example").returncode == 0
    post.until(lambda: post.input() == [] and len(post.mails) + len(elsewhere.mails) == 2)
    assert [m[1] for m in elsewhere.mails] == [["now@far.example"]] and [m[1] for m in post.mails] == [["waits@far.example"]]
    elsewhere.down()


def test_senders_of_one_section_share_a_connection(post, tmp_path):
    """And the server that they have is asked once when it is down."""
    other = tmp_path / "other"
    other.mkdir()
    elsewhere = Post(other)
    post.configure("[sender *@here.example]\nsmarthost = 127.0.0.1::%d\n" % elsewhere.port)
    for n in range(5):
        assert post.sendmail("-odq", "-f", "me%d@here.example" % n, "x%d@far.example" % n).returncode == 0
        assert post.sendmail("-odq", "-f", "me%d@there.example" % n, "y%d@far.example" % n).returncode == 0
    elsewhere.rules["greeting"] = "421 busy"
    run(post)
    assert (elsewhere.connections, len(elsewhere.mails)) == (1, 0) and (post.connections, len(post.mails)) == (1, 5)
    elsewhere.rules.clear()
    run(post, "-qf")
    assert (elsewhere.connections, len(elsewhere.mails)) == (2, 5) and post.connections == 1 and post.input() == []
    elsewhere.down()


def test_one_run_at_a_time(post):
    """Nothing is made for the lock, so that it can be had on a full disk, and whoever made the last run."""
    assert post.sendmail("-odq", "x@far.example").returncode == 0
    lock = os.open(post.spool + "/db", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert b"another queue run is at work" in run(post, "-v", "-qf").stderr and post.mails == []
    os.close(lock)
    run(post, "-qf")
    assert len(post.mails) == 1 and "runner" not in os.listdir(post.spool + "/db")


def test_a_server_that_limits_the_messages_of_a_connection(post):
    post.ehlo = ["250-post", "250 LIMITS MAILMAX=2"]
    for n in range(5):
        assert post.sendmail("-odq", "x%d@far.example" % n).returncode == 0
    run(post)
    assert post.connections == 3 and len(post.mails) == 5 and post.input() == []
    verbs = [c.split()[0] for c in post.commands if c.split()[0] in ("EHLO", "MAIL")]
    assert verbs == ["EHLO", "MAIL", "MAIL", "EHLO", "MAIL", "MAIL", "EHLO", "MAIL"]


def test_an_alias_that_names_its_own_user(post, tmp_path, request):
    """The copy that is in the Maildir does not stand for the one that waits."""
    (tmp_path / "aliases").write_text("nobody: nobody, later@far.example\n")
    home = tempfile.mkdtemp()                                  # pytest's own directories are closed to others
    request.addfinalizer(lambda: shutil.rmtree(home))
    os.chmod(home, 0o777)
    post.configure(aliases=tmp_path / "aliases", maildir_directory=home + "/Maildir", local_domains="host.example")
    post.rules["rcpt"] = "451 later"
    assert post.sendmail("-f", "me@here.example", "nobody@host.example").returncode == 0
    assert post.mails == [] and post.input().count("H") == 1
    post.rules.clear()
    run(post, "-qf")
    assert [m[1] for m in post.mails] == [["later@far.example"]] and post.input() == [], post.mainlog()
    assert len(os.listdir(home + "/Maildir/new")) == 1


def test_a_thawed_message_stays_thawed(post):
    post.rules["rcpt"] = "550 no"
    assert post.sendmail("-odq", "-f", "<>", "x@far.example").returncode == 0
    run(post)
    assert "Frozen" in post.mainlog() and b"*** frozen ***" in post.sendmail("-bp").stdout
    post.down()
    for _ in range(2):                                         # the second time there is nothing new to write of its host
        run(post, "-qff")
        assert b"*** frozen ***" not in post.sendmail("-bp").stdout
        run(post, "-Mf", *re.findall(r" (\S{16}) <= ", post.mainlog()))
        assert b"*** frozen ***" in post.sendmail("-bp").stdout
    post.up()
