"""exipick, which administrators know, answers for a -H file of ours what it answers for Exim's own of the same message.

Ours is printed by tests/unit/test_queued; Exim's is the recorded case del-spool-partial, with NOTIFY, frozen and warned."""
import os
import subprocess

import pytest

SERVERS = os.environ.get("ONEHOP_SERVERS") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "onehop-servers")
EXIPICK = SERVERS + "/exim4-base/usr/sbin/exipick"
WRITER = os.environ.get("top_builddir", ".") + "/tests/unit/test_queued"
ID = "1vNaKG-000001-2A"
EXIM = f"""{ID}-H
alice 1001 1002
<alice@debian>
1795501322 1
-received_time_usec .000042
-received_time_complete 1795501322.000042
-ident alice
-received_protocol local
-body_linecount 1
-max_received_linelength 4
-auth_id alice
-auth_sender alice@debian
-allow_unqualified_recipient
-allow_unqualified_sender
-frozen 1795501400
-local
-manual_thaw
-tls_resumption A
YY x@far.example
NN fax@debian
NN y@far.example
4
x@far.example
y@far.example rfc822;y@far.example 20,2  0,-1#3
later@far.example
fax@debian

019F From: alice@debian
014  Subject: s
	t
"""
QUESTIONS = [
    ["-bpa"], ["-bpu"], ["-bpc"], ["-i"], ["-z"], ["-x"], ["-f", "alice@debian"], ["-f", "bob@debian"], ["-r", "later@"],
    ["-r", "nobody@"],
    ["$recipients_undel_count == 1"], ["$deliver_freeze"], ["$h_subject =~ /s/"],
    ["--unsorted", "--show-vars",
     "message_size,message_linecount,body_linecount,max_received_linelength,warning_count,deliver_frozen_at,manually_thawed,"
     "first_delivery,originator_login,originator_uid,originator_gid,sender_address,sender_ident,authenticated_id,"
     "authenticated_sender,received_protocol,received_time,recipients_count,recipients_undel,recipients_del_count,"
     "dont_deliver,sender_local,allow_unqualified_sender,header_from,message_headers"],
]

pytestmark = [
    pytest.mark.skipif(not os.access(EXIPICK, os.X_OK), reason="tests/harness/fetch-servers exim4-base"),
    pytest.mark.skipif(not os.access(WRITER, os.X_OK), reason="tests/unit/test_queued is not built"),
]


@pytest.fixture(scope="module")
def spools(tmp_path_factory):
    ours = subprocess.run([WRITER, "--print"], stdout=subprocess.PIPE, check=True).stdout
    assert b"-onehop_error 451\\0alater\\0a-N\n" in ours
    spools = []
    for name, header in ("exim", EXIM.encode()), ("onehop", ours):
        spool = tmp_path_factory.mktemp(name)
        (spool / "input").mkdir()
        (spool / "input" / (ID + "-H")).write_bytes(header)
        (spool / "input" / (ID + "-D")).write_text(ID + "-D\nbody\n")
        spools.append(spool)
    return spools


def ask(spool, question):
    env = dict(os.environ, PERL_HASH_SEED="0", PERL_PERTURB_KEYS="0")
    run = subprocess.run([EXIPICK, "--spool", spool, *question], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    # it prints recipients in the order of a hash
    return run.returncode, sorted(run.stdout.splitlines()), run.stderr


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_same_answer(spools, question):
    assert ask(spools[1], question) == ask(spools[0], question)


def test_it_sees_the_message(spools):
    _, lines, stderr = ask(spools[1], [])
    assert b" ".join(lines).count(b"D ") == 3 and any(line.endswith(b"*** frozen ***") for line in lines)
    assert b"          later@far.example" in lines and stderr == b""
