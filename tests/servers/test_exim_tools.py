"""The same mail through a real Exim and through onehop: the main logs, and what exigrep, eximstats and exipick say of log and
spool, while some of it waits and when all is done."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402
from harness.exim import FILES, PACKAGES, WHO, mail, plain, shell  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

STERN = {"rcpt": {"no@": "550 5.1.1 no such", "later@": "450 4.2.1 later"}, "mail": {"<>": "550 5.1.8 no bounces"}}
SERVERS = [{"session": STERN}, {"addr": "192.0.2.26"}]
HOSTS = "127.0.0.1 localhost\n127.0.1.1 debian\n192.0.2.%d smtp.isp.example\n"
# the ids of the messages whose file has such a line
WITH = "for id in $(cd %(spool)s/input && grep -l '%(line)s$' *-H | sed 's/-H$//'); do %(sendmail)s %(flag)s $id; done"

ASKED = {"exigrep": [".", "later@", "no@far", "-M no@far", "-l w@far.example", "-v far.example", "-I FAR", "-t 3600 .", "Frozen", "removed"],
         "eximstats": ["", "-ne -nr -nt", "-byhost -bydomain -byemail -byedomain", "-h0 -q0 -t0", "-pattern frozen /rozen/"],
         "exipick": ["", "-bpa", "-bpu", "-bpc", "-z", "-x", "-f <>", "-f alice@debian", "-r later@", "-r p@", "-y 1m", "-o 1m",
                     "$recipients_del_count==1", "$deliver_freeze", "$h_subject=~/held/", "$h_auto-submitted:",
                     "--show-vars sender_address,recipients,recipients_count,recipients_del,recipients_undel,deliver_freeze,"
                     "manually_thawed,first_delivery,warning_count,received_protocol,originator_login,sender_local,authenticated_id,"
                     "header_subject"],
         "mainlog": [""]}
QUESTIONS = [(program, words) for program, all_words in ASKED.items() for words in all_words]


def asked(spool, log):
    """The steps that ask QUESTIONS."""
    start = {"exigrep": ["/usr/bin/perl", "/run/sbin/exigrep"], "eximstats": ["/usr/bin/perl", "/run/sbin/eximstats"],
             "exipick": ["/usr/bin/perl", "/run/sbin/exipick", "--spool", spool], "mainlog": ["/bin/cat"]}
    one_order = {"PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"}
    return [{"argv": start[program] + words.split() + ([] if program == "exipick" else [log]), "env": one_order}
            for program, words in QUESTIONS]


def life(sendmail, spool, log):
    """Delivered, deferred, in part, refused, its bounce refused, removed, frozen and kept for later; then the rest of it."""
    def do(flag, line):
        return shell(WITH, sendmail=sendmail, spool=spool, flag=flag, line=line)
    return [
        mail(sendmail, "two", "x@far.example", "y@far.example"),
        mail(sendmail, "mixed", "fax@debian", "far@far.example"),
        mail(sendmail, "refused", "z@far.example", "no@far.example"),
        mail(sendmail, "bounce refused", "v@far.example", "no@far.example", sender="far@far.example"),
        mail(sendmail, "later", "later@far.example"),
        mail(sendmail, "some", "p@far.example", "later@far.example", "fax@debian"),
        mail(sendmail, "queued and refused", "-odq", "no@far.example"),
        shell("%(sendmail)s -q", sendmail=sendmail),
        mail(sendmail, "removed", "-odq", "u@far.example"), do("-Mrm", "Subject: removed"),
        mail(sendmail, "held", "-odq", "t@far.example"), do("-Mf", "Subject: held"),
        mail(sendmail, "queued", "-odq", "w@far.example", "bob@debian"),
        *asked(spool, log),
        {"write": {"/etc/hosts": {"content": HOSTS % 26}}},
        shell("%(sendmail)s -qf", sendmail=sendmail),
        do("-Mt", "Subject: held"), shell("%(sendmail)s -q", sendmail=sendmail),
        do("-Mrm", "<>"),
        *asked(spool, log)]


@pytest.fixture(scope="module")
def both():
    """{who: [{question: answer} while some waits, the same at the end]}"""
    def answers(who):
        steps = sandbox.run_case({"packages": PACKAGES, "config": {"files": FILES, "hosts": HOSTS % 25}, "servers": SERVERS,
                                  "steps": life(*WHO[who])}, limit=200)["steps"]
        ends = [i + 1 for i, step in enumerate(steps) if step["argv"][0] == "/bin/cat"]
        return [dict(zip(QUESTIONS, steps[end - len(QUESTIONS):end], strict=True)) for end in ends]
    try:
        return {who: answers(who) for who in WHO}
    except sandbox.Unavailable as e:
        return pytest.skip(str(e))


WHEN = {"while some waits": 0, "at the end": 1}


def like(text):
    """On purpose: what is not due is not logged at each run, and a run has one connection for all (the asterisk)."""
    text = re.sub(r"(?m)^.* routing defer(?: \(-52\))?: retry time not reached\n?", "", text)
    text = re.sub(r"(?m)\]\*(?= C=|: |$)", "]", text)
    text = re.sub(r" defer \(-44\)(?= H=)", " defer", text.replace("] : ", "]: "))       # as Exim 4.100 writes it
    return plain(text)


def groups(text):
    """What is printed of each message.  Lines may be in another order (local and remote deliveries; recipients in exipick's
    hash), and so may messages (a queue run's)."""
    return sorted(sorted(like(part).splitlines()) for part in text.strip("\n").split("\n\n"))


def unsized(text):
    """exipick's column of sizes counts the Received line, which names the program."""
    return re.sub(r"(?m)^( *\d+[mhd] ) *[\d.]+K? ", r"\1", text)


def tables(text):
    """All but octets and the hours of the day: messages, addresses, hosts, delays, failures, transports, users, errors."""
    text = re.sub(r"(?m)^\d\d-\d\d .*\n", "", text)
    text = re.sub(r"\b\d{3,} +(?=\d)", "", re.sub(r"\b\d{3,}(?= |$)", "N", like(text)))
    return sorted(re.sub(r" +", " ", text).splitlines())


READ = {"exigrep": groups, "eximstats": tables, "exipick": lambda text: groups(unsized(text)), "mainlog": lambda text: groups(text)[0]}


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_the_same_answer(both, question, when):
    exims, ours = (both[who][WHEN[when]][question] for who in ("exim", "onehop"))
    read = READ[question[0]]
    assert (ours["rc"], ours["stderr"]) == (exims["rc"], exims["stderr"])
    assert read(ours["stdout"]) == read(exims["stdout"])


def test_there_is_something_to_answer(both):
    waits, end = ({question: step["stdout"] for question, step in answers.items()} for answers in both["onehop"])
    assert (waits["exipick", "-bpc"], end["exipick", "-bpc"]) == ("5\n", "0\n")
    assert waits["exigrep", "."].count("has not completed") == 5 and waits["exigrep", "."].count(" Completed\n") == 8
    assert end["exigrep", "."].count(" Completed\n") == 13 and "not completed" not in end["exigrep", "."]
    for question, words in ((("eximstats", ""), "no@far.example"), (("exigrep", "-M no@far"), "<> R="), (("exipick", "-z"), "frozen"),
                            (("exipick", "-r later@"), "D fax@debian")):
        assert words in waits[question], question
