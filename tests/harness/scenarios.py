"""What hostile and broken servers do (villain.py), and what must come of it: one table, for onehop (tests/servers/test_hostile.py)
and for the programs beside it (tests/bench/hostile)."""
import base64
import itertools
import os
import ssl
from collections import namedtuple

from harness.villain import PASSWORD, PATIENCE, chunk, close, deaf, drip, filtered, flood, handshake, login, part, quoted, rst, silence, \
    split, text, tls

# script     what the server does; a list of scripts of bytes and acts, or None and "full" (villain.serve)
# rc         0 or 69: exit status      acks     messages that the server says it has
# waiting    left in the spool         texts    most messages that the server may have whole, answered or not
# wait       seconds of every deadline, because it ends by one; 0: none is reached
# login      there is a password, over TLS     verified  False: the server is not the one it says, the password stays here
# to, body   recipients, and the message's body         then  scripts of the smarthosts that stand behind the first one
Scenario = namedtuple("Scenario", "script rc acks waiting texts wait login verified to body then",
                      defaults=(0, 1, 0, 1, 0, False, True, ("x@far.example",), b"body\n", ()))

CONF = """configtype = smarthost
smarthost = %s
primary_hostname = debian
qualify_domain = debian
dead_letter = no
passwd_client = %s
email_addresses = /dev/null/none
spool_directory = %s/spool
log_file = %s/mainlog
tls_trust_file = %s/ca.crt
connect_timeout = %ds
command_timeout = %ds
data_timeout = %ds
final_timeout = %ds
total_timeout = %ds
"""
BIG = (b"x" * 69 + b"\n") * 30000


def delivered(script, **more):
    return Scenario(script, **more)


def queued(script, **more):
    return Scenario(script, **{"acks": 0, "waiting": 1, "wait": 1, **more})


def refused(script, **more):
    return Scenario(script, **{"rc": 69, "acks": 0, "wait": 0, **more})


# ---------------------------------------------------------------- the steps of a session
HELLO = [b"220 hi\r\n", "EHLO", b"250 hello\r\n"]
PIPE = [b"220 hi\r\n", "EHLO", b"250-hello\r\n250 PIPELINING\r\n"]
CHUNK = [b"220 hi\r\n", "EHLO", b"250-hello\r\n250-CHUNKING\r\n250 PIPELINING\r\n"]
MAIL = HELLO + ["MAIL", b"250 ok\r\n"]
RCPT = MAIL + ["RCPT", b"250 ok\r\n"]
DATA = RCPT + ["DATA", b"354 go\r\n"]
DOT = DATA + [text]
BDAT = CHUNK + ["MAIL", b"250 ok\r\n", "RCPT", b"250 ok\r\n", "BDAT", chunk]
OFFER = [b"220 hi\r\n", "EHLO", b"250-hello\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n"]
ASK = OFFER + ["STARTTLS"]
GO = ASK + [b"220 go\r\n"]
TLS = GO + [tls]
AUTH = TLS + ["EHLO", b"250-hello\r\n250 AUTH PLAIN LOGIN\r\n"]
LOGIN = TLS + ["EHLO", b"250-hello\r\n250 AUTH LOGIN\r\n", "AUTH LOGIN"]
IN = AUTH + ["AUTH", login]
MAIL_IN = ["MAIL", b"250 ok\r\n", "RCPT", b"250 ok\r\n", "DATA", b"354 go\r\n", text, b"250 taken\r\n"]
WELL = HELLO + MAIL_IN
USER = b"334 VXNlcm5hbWU6\r\n"
TWO = ("x@far.example", "y@far.example")


def sasl(mechanism):
    return TLS + ["EHLO", b"250-hello\r\n250 AUTH " + mechanism + b"\r\n", "AUTH"]


def offers(*lines):
    """A greeting and the answer to EHLO."""
    return [b"220 hi\r\n", "EHLO", b"250-hello\r\n" + b"".join(b"250-" + line + b"\r\n" for line in lines) + b"250 HELP\r\n"]


# ---------------------------------------------------------------- what breaks any step, whatever is asked: try again later
BAD = {
    "silence": [silence], "close": [close], "reset": [rst],
    "garbage": [b"\x16\x03\x01\x00\xff\xfe\r\n", silence], "http": [b"HTTP/1.1 400 Bad Request\r\n\r\n", silence],
    "one digit less": [b"22 ok\r\n", silence],
    "one digit more": [b"2500 ok\r\n", silence],
    "a blank in the code": [b"2 50 ok\r\n", silence],
    "code 199": [b"199 ok\r\n", silence], "code 600": [b"600 ok\r\n", silence], "code 000": [b"000 ok\r\n", silence],
    "code 99999": [b"99999 ok\r\n", silence], "code -250": [b"-250 ok\r\n", silence], "250_": [b"250_ok\r\n", silence],
    "a blank before": [b" 250 ok\r\n", silence], "other digits": ["\u0662\u0665\u0660 ok\r\n".encode(), silence],
    "no code": [b"ok then\r\n", silence], "empty lines": [flood(b"\r\n")], "one empty line": [b"\r\n250 ok\r\n", silence],
    "NUL": [b"250 o\0k\r\n", silence], "bare CR": [b"250 ok\r250 ok\r\n", silence], "only CR": [flood(b"250 ok\r")],
    "endless line": [flood(b"2" * 65536)], "endless reply": [flood(b"250-more\r\n")],
    "reply without end": [b"250-more\r\n", silence], "two codes in a reply": [b"250-a\r\n550 b\r\n", silence],
    "half a line and gone": [b"250 ok", close], "half a reply and gone": [b"250-ok\r\n", close],
    "a huge line": [b"250 " + b"x" * 100000 + b"\r\n", silence], "1000 lines": [b"250-x\r\n" * 1000 + b"250 x\r\n", silence],
    "a byte at a time": [drip(b"250 " + b"x" * 10 ** 6)], "a line at a time": [drip(b"250-x\r\n")],
    "421": [b"421 going down\r\n", close], "421 and stays": [b"421 going down\r\n", silence], "450": [b"450 later\r\n"],
    "354": [b"354 go\r\n"], "100 replies": [b"450 no\r\n" * 100],
}
STEPS = {"connect": [], "EHLO": HELLO[:2], "HELO": HELLO[:2] + [b"500 no\r\n", "HELO"], "MAIL": MAIL[:-1], "RCPT": RCPT[:-1],
         "DATA": DATA[:-1], "dot": DOT, "pipelined": PIPE + ["MAIL"], "chunk": CHUNK + ["BDAT"]}
STEPS_WITH_LOGIN = {"EHLO": OFFER[:2], "STARTTLS": ASK, "handshake": GO, "EHLO in TLS": TLS + ["EHLO"], "AUTH": AUTH + ["AUTH PLAIN"],
                    "user": LOGIN, "pass": LOGIN + [USER, ""], "MAIL": IN + ["MAIL"]}
GOES_ON = {("DATA", "354")}                # not bad there: it waits for the text, and hears nothing more

# ---------------------------------------------------------------- what ends well, or has a class of its own
ANSWERS = {
    "all is well": delivered(WELL),
    "nobody listens": queued(None), "lets nobody in": queued("full"),
    "a greeting of two lines": delivered([b"220-hi\r\n220 there\r\n"] + WELL[1:]),
    "greeting 521": queued([b"521 no mail here\r\n", close]), "greeting 554": queued([b"554 no\r\n"]),
    "greeting 250": delivered([b"250 hi\r\n"] + WELL[1:]),
    "replies by the byte": delivered([split(b"220 hi\r\n"), "EHLO", split(b"250-hello\r\n250 HELP\r\n"), "MAIL", split(b"250 ok\r\n"), "RCPT",
                                      split(b"250 ok\r\n"), "DATA", split(b"354 go\r\n"), text, split(b"250 ok\r\n")]),
    "bare LF": delivered([act.replace(b"\r", b"") if isinstance(act, bytes) else act for act in WELL]),
    "codes alone": delivered([b"220\r\n", "EHLO", b"250\r\n", "MAIL", b"250\r\n", "RCPT", b"250\r\n", "DATA", b"354\r\n", text, b"250\r\n"]),
    "other 2xx": delivered([b"299 hi\r\n", "EHLO", b"200 hello\r\n", "MAIL", b"251 ok\r\n", "RCPT", b"252 ok\r\n", "DATA", b"354 go\r\n",
                            text, b"200 ok\r\n"]),
    "EHLO 5xx, HELO": delivered([b"220 hi\r\n", "EHLO", b"500 no\r\n", "HELO", b"250 ok\r\n"] + MAIL_IN),
    "EHLO and HELO 5xx": queued([b"220 hi\r\n", "EHLO", b"500 no\r\n", "HELO", b"500 no\r\n"]),
    "EHLO 5xx and gone": queued([b"220 hi\r\n", "EHLO", b"550 no\r\n", close]),
    "odd capabilities": delivered(offers(b"", b" ", b"X", b"SIZE abc", b"AUTH", b"AUTH=", b"LIMITS RCPTMAX=x MAILMAX= =", b"8BITMIME x", b"SIZE -1",
                                         b"\xff\xfe", b"PIPELININGX", b"=", b"DSN" + b" x" * 100) + MAIL_IN),
    "100 capabilities": delivered(offers(*[b"X%d" % i for i in range(100)]) + MAIL_IN),
    "capabilities in lower case": delivered(offers(b"pipelining") + ["DATA", b"250 ok\r\n250 ok\r\n354 go\r\n", text, b"250 ok\r\n"]),
    "SIZE 10": refused(offers(b"SIZE 10") + MAIL_IN, texts=0),
    "SIZE 0": delivered(offers(b"SIZE 0") + MAIL_IN),
    "SIZE beyond 64 bits": delivered(offers(b"SIZE 99999999999999999999") + MAIL_IN),
    "RCPTMAX=1": delivered(offers(b"LIMITS RCPTMAX=1") + MAIL_IN * 2, to=TWO, acks=2, texts=2),
    "RCPTMAX=0": delivered(offers(b"LIMITS RCPTMAX=0 MAILMAX=0") + MAIL_IN),
    "MAILMAX=1, RCPTMAX=1": delivered(offers(b"LIMITS MAILMAX=1 RCPTMAX=1") + MAIL_IN, to=TWO, acks=2, texts=2),
    "CHUNKING without PIPELINING": delivered(offers(b"CHUNKING") + MAIL_IN),
    "CHUNKING": delivered(BDAT + [b"250 ok\r\n"]),
    "CHUNKING that is none": delivered(CHUNK + [filtered]),
    "BDAT 4xx": queued(BDAT + [b"451 later\r\n"]),
    "BDAT 5xx": refused(BDAT + [b"550 no\r\n"]),
    "BDAT 354": queued(BDAT + [b"354 go\r\n"]),
    "BDAT and no answer": queued(BDAT + [silence]), "BDAT and gone": queued(BDAT + [close]),
    "SMTPUTF8 is missing": refused(WELL, to=("\u00fc@far.example",), texts=0),
    "8BITMIME is missing": delivered(WELL, body="\u00fc\n".encode()),
    "MAIL 5xx": refused(MAIL[:-1] + [b"550 no\r\n"], texts=0),
    "MAIL 5xx and gone": refused(MAIL[:-1] + [b"550 no\r\n", close], texts=0),
    "MAIL 552": refused(MAIL[:-1] + [b"552 too big\r\n"], texts=0), "MAIL 452": queued(MAIL[:-1] + [b"452 full\r\n"]),
    "MAIL 530": queued(MAIL[:-1] + [b"530 log in\r\n"]),
    "RCPT 5xx": refused(RCPT[:-1] + [b"550 no\r\n"], texts=0), "RCPT 552": refused(RCPT[:-1] + [b"552 full\r\n"], texts=0),
    "RCPT 452": queued(RCPT[:-1] + [b"452 busy\r\n"]),
    "RCPT 550-, endless": queued(RCPT[:-1] + [flood(b"550-no\r\n")]),
    "one RCPT 5xx": delivered(MAIL + ["RCPT", b"250 ok\r\n", "RCPT", b"550 no\r\n", "DATA", b"354 go\r\n", text, b"250 ok\r\n"],
                              to=TWO, waiting=1, wait=1),
    "one RCPT 4xx": delivered(MAIL + ["RCPT", b"450 no\r\n", "RCPT", b"250 ok\r\n", "DATA", b"354 go\r\n", text, b"250 ok\r\n"],
                              to=TWO, waiting=1, wait=1),
    "RCPT 452 behind the first": delivered(MAIL + ["RCPT", b"250 ok\r\n", "RCPT", b"452 enough\r\n", "DATA", b"354 go\r\n", text,
                                            b"250 ok\r\n"] + MAIL_IN,
                                           to=TWO, acks=2, texts=2),
    "RCPT 5xx and 4xx": queued(MAIL + ["RCPT", b"550 no\r\n", "RCPT", b"450 no\r\n"], to=TWO, waiting=2),
    "both RCPT 5xx": refused(MAIL + ["RCPT", b"550 no\r\n", "RCPT", b"551 no\r\n"], to=TWO, texts=0),
    "gone behind one RCPT": queued(MAIL + ["RCPT", b"250 ok\r\n", "RCPT", close], to=TWO),
    "DATA 5xx": refused(DATA[:-1] + [b"550 no\r\n"], texts=0),
    "DATA 554": refused(DATA[:-1] + [b"554 no valid recipients\r\n"], texts=0),
    "DATA 4xx": queued(DATA[:-1] + [b"451 later\r\n"]),
    "DATA 250": queued(DATA[:-1] + [b"250 ok\r\n"]),
    "DATA 355": queued(DATA[:-1] + [b"355 go\r\n"]),
    "DATA 354-, 354": delivered(DATA[:-1] + [b"354-go\r\n354 on\r\n", text, b"250 ok\r\n"]),
    "DATA 354 and 250 at once": queued(DATA[:-1] + [b"354 go\r\n250 taken\r\n", close]),
    "DATA 354 and 550 at once": queued(DATA[:-1] + [b"354 go\r\n550 no\r\n", close]),
    "text: gone in the middle": queued(DATA + [part, close], body=BIG, texts=0),
    "text: reset in the middle": queued(DATA + [part, rst], body=BIG, texts=0),
    "text: a closed window": queued(DATA + [part, deaf], body=BIG, texts=0),
    "text: 552 in the middle": refused(DATA + [part, b"552 too big\r\n", text], body=BIG),
    "text: 451 in the middle": queued(DATA + [part, b"451 full\r\n", text], body=BIG),
    "dot 4xx": queued(DOT + [b"451 later\r\n"]),
    "dot 5xx": refused(DOT + [b"550 no\r\n"]),
    "dot 552": refused(DOT + [b"552 too big\r\n"]),
    "dot 571": refused(DOT + [b"571 spam\r\n"]),
    "dot 599": refused(DOT + [b"599 no\r\n"]),
    "dot 535": queued(DOT + [b"535 log in\r\n"]),
    "dot 354": queued(DOT + [b"354 go on\r\n"]),
    "dot 250 5.0.0": delivered(DOT + [b"250 5.0.0 no\r\n"]),
    "dot 550 2.0.0": refused(DOT + [b"550 2.0.0 ok\r\n"]),
    "dot 450 5.0.0": queued(DOT + [b"450 5.0.0 no\r\n"]), "dot 550 4.0.0": refused(DOT + [b"550 4.0.0 later\r\n"]),
    "dot 250-, 250": delivered(DOT + [b"250-ok\r\n", b"250 thanks\r\n"]),
    "dot 250, 550": delivered(DOT + [b"250 ok\r\n550 no\r\n"]), "dot 550, 250": refused(DOT + [b"550 no\r\n250 ok\r\n"]),
    "dot 250, 250": delivered(DOT + [b"250 ok\r\n250 ok\r\n"]),
    "dot 250, 421": delivered(DOT + [b"250 ok\r\n421 bye\r\n", close]),
    "dot 250 and gone": delivered(DOT + [b"250 ok\r\n", close]),
    "dot 250 and reset": delivered(DOT + [b"250 ok\r\n", "QUIT", rst]),
    "dot 250, control characters": delivered(DOT + [b"250 ok \x1b[31m\x07\x7f\xff\r\n"]),
    "QUIT: silence": delivered(DOT + [b"250 ok\r\n", silence]),
    "QUIT: 500": delivered(DOT + [b"250 ok\r\n", "QUIT", b"500 no\r\n"]),
    "QUIT: endless 500": delivered(DOT + [b"250 ok\r\n", "QUIT", flood(b"500 no\r\n")]),
    "QUIT: garbage": delivered(DOT + [b"250 ok\r\n", "QUIT", b"\0\xff" * 1000, silence]),
    "all pipelined 5xx": refused(PIPE + ["DATA", b"550 no\r\n503 no\r\n503 no\r\n"], texts=0),
    "MAIL 5xx pipelined and gone": refused(PIPE + ["DATA", b"550 no\r\n", close], texts=0),
    "MAIL 5xx before a chunk and gone": refused(CHUNK + ["BDAT", b"550 no\r\n", close], texts=0),
    "354 though all were refused": refused(PIPE + ["DATA", b"250 ok\r\n550 no\r\n354 go\r\n", ".", b"554 no\r\n"], texts=0),
    "2xx without a message": queued(PIPE + ["DATA", b"250 ok\r\n250 ok\r\n250 ok\r\n"], texts=0),
    "a reply too many, MAIL": queued(HELLO + ["MAIL", b"250 ok\r\n250 ok\r\n", "RCPT", b"250 ok\r\n", "DATA", b"354 go\r\n", text,
                                              b"250 ok\r\n"], texts=0),
    "a reply too many, RCPT": queued(MAIL + ["RCPT", b"250 ok\r\n250 ok\r\n", "DATA", b"354 go\r\n", text, b"250 ok\r\n"], texts=0),
    "replies in advance": queued([b"220 hi\r\n250 hello\r\n550 no\r\n550 no\r\n550 no\r\n", silence], texts=0),
    "all replies in advance, a chunk": queued([b"220 hi\r\n250-hello\r\n250-CHUNKING\r\n250 PIPELINING\r\n"
                                               b"250 ok\r\n250 ok\r\n250 taken\r\n", silence], texts=0),
    "all replies in advance": queued([b"220 hi\r\n250 hello\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n", silence], texts=0),
    "STARTTLS, a foreign certificate, no password": delivered([b"220 hi\r\n", "EHLO", b"250-hello\r\n250 STARTTLS\r\n", "STARTTLS", b"220 go\r\n",
                                                              handshake("selfsigned"), "EHLO", b"250 hello\r\n"] + MAIL_IN),
}
HALF_HELLO = b"\x16\x03\x03\x00\x7a\x02\x00"
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
CLEAR_AUTH = [b"220 hi\r\n", "EHLO", b"250-hello\r\n250 AUTH PLAIN LOGIN\r\n", "AUTH", login]
IN_TLS = ["EHLO", b"250-hello\r\n250 AUTH PLAIN LOGIN\r\n", "AUTH", login] + MAIL_IN


def echo(said):
    """AUTH fails, and the reply repeats what was said."""
    return queued(AUTH + ["AUTH PLAIN", b"535 no: " + said + b"\r\n", "AUTH LOGIN", b"535-no: " + said + b"\r\n535 no\r\n"], wait=0)


def impostor(act):
    """A server that is not who it should be."""
    return queued(GO + [act] + IN_TLS, verified=False, wait=0)


def tls_only(version):
    return handshake(minimum_version=version, maximum_version=version)


ANSWERS_WITH_LOGIN = {
    "all is well": delivered(IN + MAIL_IN),
    "clear text offered": queued(CLEAR_AUTH + MAIL_IN, wait=0),
    "clear text offered the old way": queued([b"220 hi\r\n", "EHLO", b"250-hello\r\n250 AUTH=LOGIN\r\n", "AUTH", USER], wait=0),
    "no AUTH": queued(WELL, wait=0, texts=0),
    "HELO only": queued([b"220 hi\r\n", "EHLO", b"500 no\r\n", "HELO", b"250 ok\r\n"] + MAIL_IN, wait=0, texts=0),
    "STARTTLS 454": queued(ASK + [b"454 no\r\n", "AUTH", login] + MAIL_IN, wait=0),
    "STARTTLS 501": queued(ASK + [b"501 no\r\n", "AUTH", login] + MAIL_IN, wait=0),
    "STARTTLS 502": queued(ASK + [b"502 no\r\n", "AUTH", login] + MAIL_IN, wait=0),
    "text behind the 220": queued(ASK + [b"220 go\r\n250-x\r\n250 AUTH PLAIN\r\n", tls, "AUTH", login], wait=0),
    "STARTTLS, and clear text": queued(GO + ["", b"250 hello\r\n", "AUTH", login]),
    "an alert": queued(GO + [ALERT, close]),
    "half a server hello": queued(GO + [HALF_HELLO, close]),
    "half a server hello, silence": queued(GO + [HALF_HELLO, silence]),
    "self-signed": impostor(handshake("selfsigned")),
    "another name": impostor(handshake("wrongname")),
    "expired": impostor(handshake("expired")),
    "TLS 1.0": impostor(tls_only(ssl.TLSVersion.TLSv1))._replace(verified=True),
    "TLS 1.1": impostor(tls_only(ssl.TLSVersion.TLSv1_1))._replace(verified=True),
    "TLS 1.2": delivered(GO + [tls_only(ssl.TLSVersion.TLSv1_2)] + IN_TLS),
    "AUTH before TLS only": queued(TLS + ["EHLO", b"250 hello\r\n"] + MAIL_IN, wait=0, texts=0),
    "mechanisms that nobody has": queued(sasl(b"FOO BAR X-" + b"Y" * 100)[:-1], wait=0),
    "AUTH 454": queued(AUTH + ["AUTH", b"454 later\r\n"], wait=0),
    "AUTH 421": queued(AUTH + ["AUTH", b"421 later\r\n", close], wait=0),
    "AUTH 535": queued(AUTH + ["AUTH PLAIN", b"535 no\r\n", "AUTH LOGIN", b"535 no\r\n"] + MAIL_IN, wait=0, texts=0),
    "PLAIN 504, LOGIN": delivered(AUTH + ["AUTH PLAIN", b"504 no\r\n", "AUTH LOGIN", USER, "", b"334 UGFzc3dvcmQ6\r\n", "", b"235 ok\r\n"] + MAIL_IN),
    "334 for ever": queued(LOGIN + [USER, ""] * 52, wait=0),
    "334 that is no base64": queued(sasl(b"CRAM-MD5") + [b"334 !!!\r\n", "*", b"501 ok\r\n"], wait=0),
    "334 of 60 KiB": queued(sasl(b"CRAM-MD5") + [b"334 " + base64.b64encode(b"x" * 45000) + b"\r\n", silence]),
    "a CRAM-MD5 challenge of NULs": queued(sasl(b"CRAM-MD5") + [b"334 " + base64.b64encode(b"\0" * 60) + b"\r\n", "", b"535 no\r\n"], wait=0),
    "SCRAM 235 at once": queued(sasl(b"SCRAM-SHA-256") + [b"235 ok\r\n"] + MAIL_IN, texts=0),
    "SCRAM nonsense": queued(sasl(b"SCRAM-SHA-256") + [b"334 " + base64.b64encode(b"r=x,s=,i=0") + b"\r\n", "", b"501 no\r\n"], wait=0),
    "SCRAM of 2^31 rounds": queued(sasl(b"SCRAM-SHA-256") + [b"334 " + base64.b64encode(b"r=x,s=eA==,i=2147483647") + b"\r\n", "", b"501 no\r\n"]),
    "the password repeated": echo(PASSWORD), "the password repeated, base64": echo(base64.b64encode(PASSWORD)),
    "the password repeated, PLAIN": echo(base64.b64encode(b"\0user\0" + PASSWORD)),
    "the password repeated, %XX": echo(quoted(PASSWORD, b"%")),
    "the password repeated, =XX": echo(quoted(PASSWORD, b"=")),
    "the password repeated, hexadecimal": echo(PASSWORD.hex().encode()),
    "the password as a challenge": queued(AUTH + ["AUTH PLAIN", b"334 " + base64.b64encode(PASSWORD) + b"\r\n", silence]),
    "the password in MAIL's 5xx": refused(IN + ["MAIL", b"550 " + PASSWORD + b"\r\n"], texts=0),
    "the password in RCPT's 4xx": queued(IN + ["MAIL", b"250 ok\r\n", "RCPT", b"450 " + PASSWORD + b"\r\n"], wait=0),
    "the password in the last 250": delivered(IN + MAIL_IN[:-1] + [b"250 taken from " + PASSWORD + b"\r\n"]),
    "MAIL 530 after AUTH": queued(IN + ["MAIL", b"530 log in\r\n"], wait=0),
    "RCPT 535 after AUTH": queued(IN + ["MAIL", b"250 ok\r\n", "RCPT", b"535 no\r\n"]),
}
# The first of two smarthosts is bad, the second one is well.
FIRST = {
    "nobody": None, "full": "full", "greeting 554": [b"554 no\r\n"],
    "silence": [silence], "EHLO and gone": HELLO[:2] + [close],
    "garbage": [b"\0\xff\r\n"], "HELO 5xx": HELLO[:2] + [b"500 no\r\n", "HELO", b"500 no\r\n"], "MAIL 450": MAIL[:-1] + [b"450 no\r\n"],
    "MAIL 421": MAIL[:-1] + [b"421 no\r\n", close], "RCPT 450": RCPT[:-1] + [b"450 no\r\n"], "DATA 421": DATA[:-1] + [b"421 no\r\n", close],
    "dot 450": DOT + [b"450 no\r\n"], "endless reply": [flood(b"220-x\r\n")],
}


def anywhere():
    """{name: Scenario} of each fault at each step."""
    for bad, ends in BAD.items():
        for step, begins in STEPS.items():
            if (step, bad) not in GOES_ON:
                yield "%s, %s" % (step, bad), queued(begins + ends)
        for step, begins in STEPS_WITH_LOGIN.items():
            yield "login: %s, %s" % (step, bad), queued(begins + ends, texts=0, login=True)


def scenarios(every=1):
    """{name: Scenario}: all, or only one in so many of those of anywhere()."""
    found = dict(itertools.islice(anywhere(), 0, None, every))
    found.update(ANSWERS)
    found.update(("login: " + name, s._replace(login=True)) for name, s in ANSWERS_WITH_LOGIN.items())
    found.update(("first of two: " + name, delivered(script, wait=1, texts=2, then=(WELL,))) for name, script in FIRST.items())
    found["first of two: RCPT 550"] = refused(RCPT[:-1] + [b"550 no\r\n"], then=(WELL,), texts=0)
    found["first of two: dot and silence"] = queued(DOT + [silence], then=(WELL,))
    return found


def configure(directory, hosts, certs, scenario):
    """onehop's configuration for these smarthosts, HOST::PORT; its path.  Spool and log are in the directory."""
    passwd, conf = "%s/passwd.client" % directory, "%s/onehop.conf" % directory
    one = scenario.wait or PATIENCE
    all_of_it = 2 * scenario.wait + 1 if scenario.wait else PATIENCE
    with open(passwd, "wb") as f:
        os.chmod(passwd, 0o600)
        f.write(b"%s:user:%s\n" % (hosts[0].split(":")[0].encode(), PASSWORD) if scenario.login else b"")
    with open(conf, "w", encoding="ascii") as f:
        f.write(CONF % (";".join(hosts), passwd, directory, directory, certs, one, one, one, one, all_of_it))
    return conf
