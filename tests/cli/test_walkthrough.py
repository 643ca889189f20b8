"""The session that must work from end to end: a Debian desktop with an ISP's account (doc/EXIM 22).
Files, DNS and the server's replies are those of the session, word for word."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import clock, sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

CONF = """dc_eximconfig_configtype='smarthost'           # smarthost; 用smarthost方式发信
dc_other_hostnames=''
dc_local_interfaces='127.0.0.1'                # 只为本机
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost='smtp.21cn.com'                   # the smarthost
CFILEMODE='644'
dc_use_split_config='false'
dc_hide_mailname='false'
dc_mailname_in_oh='true'
dc_localdelivery='maildir_home'
"""
MACRO = "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\n"
TEMPLATE = "begin routers\n\nbegin authenticators\n\n%splain:\n  driver = plaintext\n  public_name = PLAIN\n" % MACRO
DNS = {"smtp.21cn.com": {"CNAME": "smtp.cdn.21cn.com"}, "smtp.cdn.21cn.com": {"A": ["202.104.32.230"]}}
SERVER = {"addr": "202.104.32.230", "port": 25, "sessions": [{
    "greeting": "220 21cn.com SMTP Server 5 of AIMC 2.9.5.2 (DELAYED).",
    "ehlo": ["250-21cn.com, helo (DELAYED)", "250-EXPN", "250-HELP", "250-8BITMIME", "250-AUTH=LOGIN PLAIN",
             "250-AUTH LOGIN PLAIN", "250 XTMD"],
    "auth": {"PLAIN": ["504 Unknown authentication mechanism"],
             "LOGIN": ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 OK Authenticated"]},
    "mail": "250 Ok", "rcpt": "250 User <jims.yang@gmail.com> is not local, will forward to <64.233.167.114:25>.",
    "data": "354 Start mail input; end with <CRLF>.<CRLF>", "dot": "250 Requested mail action okay, completed."}]}
SECRETS = ("AHlqbmV0ADEyMzQ=", "MTIzNA==", "yjnet:1234")
TO_FAX = "from:root\nto:fax@debian\nsubject:local mail test\ntest will be ok.\n.\n"
TO_GMAIL = "from:yjnet@21cn.com\nto:jims.yang@gmail.com\nsubject:test from exim4\n测试邮件正文。\n.\n"
FAX_ROUTERS = ["R: %s for fax@debian" % r for r in ("system_aliases", "userforward", "procmail", "maildrop", "local_user")]


def bytes_as_text(text):
    return text.encode().decode("latin-1")


def play(*steps, key="smtp.cdn.21cn.com", macro="localmacros", localdelivery=True, addresses="/etc/email-addresses",
         servers=(SERVER,), **more):
    conf = CONF if localdelivery else CONF[:CONF.rindex("dc_localdelivery")]
    if macro == "conf":
        conf += "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS='1'\n"
    config = {"dc_raw": bytes_as_text(conf), "mailname": "debian\n", "hosts": "127.0.0.1 localhost\n127.0.1.1 debian\n",
              "passwd_client": "# host:login:password\n%s:yjnet:1234\n" % key, "email_addresses": None,
              "files": {addresses: {"content": "root:yjnet@21cn.com\n"}},
              "localmacros": MACRO if macro == "localmacros" else None,
              "template": TEMPLATE if macro == "template" else None}
    return sandbox.run_case({"config": config, "dns": DNS, "servers": list(servers), "steps": list(steps),
                             "srv_addrs": ["202.104.32.230"], **more}, binds=clock.BINDS)


def call(*words, stdin=""):
    return {"argv": ["/usr/sbin/sendmail", *words], "stdin": bytes_as_text(stdin)}


def in_order(text, *wanted):
    """Each of these stands in a line of text, in this order."""
    lines = text.split("\n")
    at = 0
    for want in wanted:
        while at < len(lines) and want not in lines[at]:
            at += 1
        assert at < len(lines), "%r is missing, or not in this place, in:\n%s" % (want, text)
        at += 1


def routers(step):
    return re.findall(r"(?m)^\s*(R: \S+ for \S+)$", step["stderr"])


def new_mail(observed, user):
    found = {p: f for p, f in observed["files"].items() if p.startswith("/home/%s/Maildir/new/" % user) and p[-1] != "/"}
    assert len(found) == 1, sorted(observed["files"])
    return next(iter(found.values()))


def nothing_sent(observed):
    return not any(c["messages"] for c in observed["smtp"]) and not any("/new/" in p for p in observed["files"])


# ---------------------------------------------------------------- 1
def test_1_version():
    step = play(call("-bV"))["steps"][0]
    assert step["rc"] == 0
    in_order(step["stdout"], "onehop version ", "Support for:", "Lookups", "Authenticators:", "Routers:", "Transports:",
             "Configuration file is /etc/exim4/update-exim4.conf.conf")
    for title, words in (("Support for", "GnuTLS"), ("Lookups", "lsearch nwildlsearch"),
                         ("Authenticators", "cram_md5 plain login"),
                         ("Transports", "remote_smtp_smarthost maildir_home mail_spool")):
        for word in words.split():
            assert re.search(r"(?m)^%s\b.*[ /]%s\b" % (title, word), step["stdout"])


def test_1_broken_configuration():
    broken = {"write": {"/etc/exim4/update-exim4.conf.conf": {"content": "dc_smarthost='a'\ndc_hide_mailname=\"$(id)\"\n"}}}
    step = play(broken, call("-bV"))["steps"][0]
    assert step["rc"] == 78
    assert re.search(r"/etc/exim4/update-exim4\.conf\.conf:2: .", step["stderr"])


# ---------------------------------------------------------------- 2, 3
@pytest.mark.parametrize("localdelivery", [True, False])
def test_2_route_of_a_local_user(localdelivery):
    step = play(call("-bt", "fax"), localdelivery=localdelivery)["steps"][0]
    assert step["rc"] == 0
    assert step["stdout"] == "fax@debian\n  router = local_user, transport = maildir_home\n"
    assert routers(step) == FAX_ROUTERS


def test_3_route_through_the_smarthost():
    step = play(call("-bt", "jims.yang@gmail.com"))["steps"][0]
    assert step["rc"] == 0
    assert step["stdout"] == ("jims.yang@gmail.com\n  router = smarthost, transport = remote_smtp_smarthost\n"
                              "  host smtp.cdn.21cn.com [202.104.32.230]\n")


# ---------------------------------------------------------------- 4
@pytest.mark.parametrize("addresses", ["/etc/email-addresses", "/etc/exim4/email-addresses"])
@pytest.mark.parametrize("localdelivery", [True, False])
def test_4_local_delivery(addresses, localdelivery):
    observed = play(call("-v", "fax@debian", stdin=TO_FAX), addresses=addresses, localdelivery=localdelivery)
    step = observed["steps"][0]
    assert step["rc"] == 0, step["stderr"]
    in_order(step["stderr"], "LOG: MAIN", "<= yjnet@21cn.com U=root P=local S=", *FAX_ROUTERS,
             "T: maildir_home for fax@debian", "LOG: MAIN", "=> fax <fax@debian> R=local_user T=maildir_home",
             "LOG: MAIN", "Completed")
    mail = new_mail(observed, "fax")
    assert (mail["owner"], mail["mode"]) == ("fax:fax", "0o600")
    head, body = mail["content"].split("\n\n", 1)
    assert body == "test will be ok.\n"
    assert re.findall(r"(?im)^from:.*", head) == ["From: root <yjnet@21cn.com>"]
    in_order(head, "Return-path: <yjnet@21cn.com>", "Envelope-to: fax@debian", "Delivery-date: ",
             "Received: from root by debian with local", "to:fax@debian", "subject:local mail test", "From: ", "Message-Id: ",
             "Date: ")
    assert observed["smtp"] == []


# ---------------------------------------------------------------- 5
@pytest.mark.parametrize("key, macro", [("smtp.cdn.21cn.com", "localmacros"), ("smtp.cdn.21cn.com", "template"),
                                        ("smtp.cdn.21cn.com", "conf"), ("smtp.21cn.com", "localmacros"),
                                        ("smtp.21cn.com", "template"), ("smtp.21cn.com", "conf")])
def test_5_through_the_isp(key, macro):
    observed = play(call("-v", "jims.yang@gmail.com", stdin=TO_GMAIL), key=key, macro=macro)
    step = observed["steps"][0]
    assert step["rc"] == 0, step["stderr"]
    in_order(step["stderr"],
             "<= yjnet@21cn.com U=root P=local S=", "R: smarthost for jims.yang@gmail.com",
             "T: remote_smtp_smarthost for jims.yang@gmail.com",
             "LOG: MAIN", "plain authenticator failed H=smtp.cdn.21cn.com [202.104.32.230] 504 Unknown authentication mechanism",
             "LOG: MAIN", "=> jims.yang@gmail.com R=smarthost T=remote_smtp_smarthost H=smtp.cdn.21cn.com [202.104.32.230] "
             "A=login C=\"250 Requested mail action okay, completed.\"", "LOG: MAIN", "Completed")
    in_order(step["stderr"],
             "Connecting to smtp.cdn.21cn.com [202.104.32.230]:25 ...", "  SMTP<< 220 21cn.com SMTP Server 5 of AIMC",
             "  SMTP>> EHLO debian", "  SMTP<< 250-21cn.com, helo (DELAYED)", "         250-EXPN", "         250-AUTH=LOGIN PLAIN",
             "         250-AUTH LOGIN PLAIN", "         250 XTMD",
             "  SMTP>> AUTH PLAIN ****************", "  SMTP<< 504 Unknown authentication mechanism",
             "plain authenticator failed H=smtp.cdn.21cn.com [202.104.32.230] 504 Unknown authentication mechanism",
             "  SMTP>> AUTH LOGIN", "  SMTP<< 334 VXNlcm5hbWU6", "  SMTP>> ********", "  SMTP<< 334 UGFzc3dvcmQ6",
             "  SMTP>> ********", "  SMTP<< 235 OK Authenticated",
             "  SMTP>> MAIL FROM:<yjnet@21cn.com>", "  SMTP<< 250 Ok",
             "  SMTP>> RCPT TO:<jims.yang@gmail.com>", "  SMTP<< 250 User <jims.yang@gmail.com> is not local",
             "  SMTP>> DATA", "  SMTP<< 354 Start mail input", "  SMTP<< 250 Requested mail action okay, completed.")
    assert not [s for s in SECRETS if s in step["stderr"] + step["stdout"]]
    (connection,) = observed["smtp"]
    assert [a["mech"] for a in connection["auth"]] == ["PLAIN", "LOGIN"]
    assert connection["auth"][1]["decoded"] == ["yjnet", "1234"]
    (message,) = connection["messages"]
    assert message["mail"].replace(" BODY=8BITMIME", "") == "FROM:<yjnet@21cn.com> AUTH=root@debian"
    assert [r[0] for r in message["rcpt"]] == ["TO:<jims.yang@gmail.com>"]
    assert message["data"].endswith("\r\n\r\n" + bytes_as_text("测试邮件正文。\r\n"))


def test_5_without_the_auth_parameter():
    config = {"write": {"/etc/exim4/update-exim4.conf.conf": {"content": bytes_as_text(CONF) + "smtp_auth_parameter='no'\n"}}}
    observed = play(config, call("jims.yang@gmail.com", stdin=TO_GMAIL))
    assert observed["steps"][0]["rc"] == 0, observed["steps"][0]["stderr"]
    assert observed["smtp"][0]["messages"][0]["mail"].replace(" BODY=8BITMIME", "") == "FROM:<yjnet@21cn.com>"


# ---------------------------------------------------------------- 6
REFUSED = "H=smtp.cdn.21cn.com [202.104.32.230] Connection refused"
DEFERRED = "== jims.yang@gmail.com R=smarthost T=remote_smtp_smarthost defer (111): Connection refused"
SENT = ("=> jims.yang@gmail.com R=smarthost T=remote_smtp_smarthost H=smtp.cdn.21cn.com [202.104.32.230] A=login "
        'C="250 Requested mail action okay, completed."')
ID = "[0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}"
LOG, SPOOL = "/var/log/onehop/mainlog", "/var/spool/onehop"
MAILQ = {"argv": ["/usr/bin/env", "mailq"], "snap": True}


def waits_then_goes(flag, *time_passes, tools=(), **more):
    """The smarthost is down, and is tried once more; then it is back, the queue is run, and run again."""
    return play(call("-v", "jims.yang@gmail.com", stdin=TO_GMAIL), MAILQ, *tools, call(flag), MAILQ, {"new_servers": [SERVER]},
                *time_passes, call(flag), MAILQ, *tools, call("-qff"), servers=(), **more)


def test_6_the_smarthost_is_down():
    observed = waits_then_goes("-qf")
    submitted, first, *_ = observed["steps"]
    assert [s["rc"] for s in observed["steps"]] == [0] * 7, observed["steps"]
    in_order(submitted["stderr"], "<= yjnet@21cn.com U=root P=local S=", "R: smarthost for jims.yang@gmail.com",
             "T: remote_smtp_smarthost for jims.yang@gmail.com", "Connecting to smtp.cdn.21cn.com [202.104.32.230]:25 ... failed",
             "LOG: MAIN", REFUSED, "LOG: MAIN", DEFERRED)
    assert "Completed" not in submitted["stderr"]
    assert re.fullmatch(r" 0m   \d{3} %s <yjnet@21cn\.com>\n          jims\.yang@gmail\.com\n"
                        r"        last error for jims\.yang@gmail\.com: .*202\.104\.32\.230.*: Connection refused\n"
                        r"        next try for jims\.yang@gmail\.com: \S+ \S+\n\n" % ID, first["stdout"]), first["stdout"]
    assert observed["steps"][3]["stdout"] != "" and observed["steps"][5]["stdout"] == ""
    assert "".join(s["stdout"] + s["stderr"] for s in observed["steps"] if s["argv"][-1].startswith("-q")) == ""
    assert "/root/dead.letter" not in observed["files"]


def test_6_sent_once_and_as_it_would_have_been():
    observed = waits_then_goes("-qf")
    direct = play(call("-v", "jims.yang@gmail.com", stdin=TO_GMAIL))
    (connection,), (at_once,) = observed["smtp"], direct["smtp"]
    (message,), (wanted,) = connection["messages"], at_once["messages"]
    assert [a["decoded"] for a in connection["auth"]] == [a["decoded"] for a in at_once["auth"]]
    assert (message["mail"], message["rcpt"]) == (wanted["mail"], wanted["rcpt"])

    def timeless(data):
        return re.sub(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000", "DATE", re.sub(ID, "ID", data))
    assert timeless(message["data"]) == timeless(wanted["data"])


def test_6_the_next_run_is_when_it_is_time():
    """-q, as the timer says it: a quarter of an hour after the first try."""
    if sandbox.sanitized():
        pytest.skip("ASan wants to be loaded first")
    observed = waits_then_goes("-q", clock.PRELOADED, call("-q"), MAILQ, clock.later(16 * 60))
    queues = [s["stdout"] for s in observed["steps"] if s["argv"] == MAILQ["argv"]]
    assert ["jims.yang@gmail.com" in q for q in queues] == [True, True, True, False]
    assert len([m for c in observed["smtp"] for m in c["messages"]]) == 1


def test_6_the_spool_is_exims():
    observed = waits_then_goes("-qf")
    files = observed["steps"][1]["files"]
    names = sorted(p for p in files if p.startswith((SPOOL + "/input/", SPOOL + "/msglog/")) and p[-1] != "/")
    one = names[0][len(SPOOL + "/input/"):-2]
    assert re.fullmatch(ID, one)
    assert names == ["%s/input/%s-D" % (SPOOL, one), "%s/input/%s-H" % (SPOOL, one), "%s/msglog/%s" % (SPOOL, one)]
    assert {files[name]["mode"] for name in names} == {"0o640"}
    body, head, log = (files[name]["content"] for name in names)
    assert body == "%s-D\n" % one + bytes_as_text("测试邮件正文。\n")
    envelope, headers = head.split("\n\n", 1)
    assert re.match(r"%s-H\nroot 0 0\n<yjnet@21cn\.com>\n\d{10} 0\n(-.*\n)+XX\n1\njims\.yang@gmail\.com$" % one, envelope), envelope
    assert re.findall(r"(?m)^-(?!onehop_)(\w+)", envelope) == [
        "received_time_usec", "received_time_complete", "ident", "received_protocol", "body_linecount", "max_received_linelength",
        "auth_id", "allow_unqualified_recipient", "allow_unqualified_sender", "local", "tls_resumption"]
    assert re.findall(r"(?m)^\d{3}(. [A-Za-z-]+):", headers) == ["P Received", "F from", "T to", "  subject", "I Message-Id", "  Date"]
    assert re.sub(r"(?m)^\S+ \S+ ", "", log).splitlines()[1:] == [
        REFUSED, "== jims.yang@gmail.com R=smarthost T=remote_smtp_smarthost defer (111): Connection refused"]
    left = [p for p in observed["files"] if p.startswith(SPOOL) and one in p]
    assert left == []


def test_6_the_log_is_exims():
    log = waits_then_goes("-qf")["mainlog"]
    lines = re.findall(r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (.*)$", log)
    assert len(lines) == log.count("\n") and len(set(re.findall(ID, log))) == 1
    lines = [re.sub("pid=\\d+", "pid=N", re.sub("S=\\d+", "S=N", re.sub(ID, "ID", line))) for line in lines]
    assert lines == ["ID <= yjnet@21cn.com U=root P=local S=N", "ID " + REFUSED, "ID " + DEFERRED,
                     "Start queue run: pid=N -qf", "ID " + REFUSED, "ID " + DEFERRED, "End queue run: pid=N -qf",
                     "Start queue run: pid=N -qf",
                     "ID plain authenticator failed H=smtp.cdn.21cn.com [202.104.32.230] 504 Unknown authentication mechanism",
                     "ID " + SENT, "ID Completed", "End queue run: pid=N -qf",
                     "Start queue run: pid=N -qff", "End queue run: pid=N -qff"]


def test_6_exims_own_programs_read_them():
    tools = [{"argv": ["/usr/bin/perl", "/run/sbin/" + words[0], *words[1:]]} for words in (
        ["exipick", "--spool", SPOOL, "-r", "jims.yang@"], ["exipick", "--spool", SPOOL, "-i"], ["exigrep", "jims.yang@", LOG],
        ["eximstats", LOG])]
    try:
        steps = waits_then_goes("-qf", tools=tools, packages=["exim4-base"])["steps"]
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    (picked, id_then, grep_then, stats_then), (gone, no_id, grep_now, stats_now) = steps[2:6], steps[10:14]
    assert [(s["rc"], s["stderr"]) for s in steps[2:6] + steps[10:14]] == [(0, "")] * 8
    one = id_then["stdout"].strip()
    assert re.fullmatch(r" 0m   \d{3} %s <yjnet@21cn\.com>\n          jims\.yang@gmail\.com\n\n" % one, picked["stdout"])
    assert re.fullmatch(ID, one) and (gone["stdout"], no_id["stdout"]) == ("", "")
    in_order(grep_then["stdout"], "+++ %s has not completed +++" % one, one + " <= yjnet@21cn.com", one + " " + DEFERRED)
    in_order(grep_now["stdout"], one + " <= yjnet@21cn.com", one + " " + DEFERRED, one + " " + SENT, one + " Completed")
    assert "+++" not in grep_now["stdout"]

    def row(stats, name):
        """messages, addresses, hosts, delayed, failed"""
        return re.search(r"(?m)^  %s +\S+ +(.*)$" % name, stats["stdout"]).group(1).split()
    assert row(stats_then, "Received") == row(stats_now, "Received") == ["1", "1", "1", "100.0%", "0", "0.0%"]
    assert row(stats_then, "Delivered") == ["0", "0", "0"] and row(stats_now, "Delivered") == ["1", "1", "1"]
    assert row(stats_now, "remote_smtp_smarthost") == ["1"]


# ---------------------------------------------------------------- 7
@pytest.mark.parametrize("key", ["smtp.cdn.21cn.com", "smtp.21cn.com"])
def test_7_without_the_macro(key):
    observed = play(call("-v", "jims.yang@gmail.com", stdin=TO_GMAIL), key=key, macro=None)
    step = observed["steps"][0]
    assert step["rc"] == 0                                     # it waits
    sentence = [line for line in step["stderr"].split("\n") if "auth_client_allow_notls_passwords" in line.lower()]
    assert sentence, step["stderr"]
    assert "smtp.cdn.21cn.com" in sentence[0] or "smtp.21cn.com" in sentence[0]
    assert "/etc/exim4/" in sentence[0]
    assert nothing_sent(observed)
    assert not any(c["auth"] for c in observed["smtp"])
    assert not any(text.startswith("MAIL") for c in observed["smtp"] for who, text in c["dialogue"] if who == "C")
    assert "/root/dead.letter" not in observed["files"]


# ---------------------------------------------------------------- 8
def test_8_an_edited_file_counts_at_once():
    allow = {"write": {"/etc/exim4/exim4.conf.localmacros": {"content": MACRO}}}
    rename = {"write": {"/etc/email-addresses": {"content": "root:other@21cn.com\n"}}}
    observed = play(call("jims.yang@gmail.com", stdin=TO_GMAIL), allow, call("jims.yang@gmail.com", stdin=TO_GMAIL),
                    rename, call("jims.yang@gmail.com", stdin=TO_GMAIL.replace("yjnet@21cn.com", "root")), macro=None)
    assert [s["rc"] for s in observed["steps"]] == [0, 0, 0], [s["stderr"] for s in observed["steps"]]
    messages = [m for c in observed["smtp"] for m in c["messages"]]
    # the one that had to wait goes along with the second
    assert sorted(m["mail"].split(" ")[0] for m in messages) == ["FROM:<other@21cn.com>"] + ["FROM:<yjnet@21cn.com>"] * 2
    assert sum("From: root <other@21cn.com>" in m["data"] for m in messages) == 1
