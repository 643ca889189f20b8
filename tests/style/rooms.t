#!/usr/bin/python3
"""Some calls and headers stay in a few rooms, so that one can see who does what."""

import re

from tap import report, sources, text

# (what, pattern, where it may stand, why)
ROOMS = [
    ("exit", r"\b_?exit\(", "src/base/arena.c src/base/child.c src/send/main.c src/send/post.c src/local/main.c src/guard/ src/local/pipe.c src/net/ src/front/main.c",
     "failures go up as struct fail; only a child after fork, main and an arena out of memory may end the process"),
    ("abort", r"\babort\(", "src/guard/", "once a message is taken no bug may cost it"),
    ("getenv", r"\b(secure_)?getenv\(|\benviron\b", "src/guard/environment.c src/front/door.c src/base/child.c src/send/main.c src/send/post.c src/local/main.c src/front/main.c",
     "the environment is read in one place"),
    ("putenv", r"\b(setenv|putenv|unsetenv|clearenv)\(", "src/guard/environment.c src/local/pipe.c",
     "and changed there, or for a user's command"),
    ("sockets", r"\bsocket(pair)?\(|\bconnect\(|\baccept4?\(|\bbind\(|\blisten\(", "src/net/ src/base/child.c src/base/unix.c src/send/syslog.c src/front/door.c",
     "the network is behind struct stream; the door and the log are local"),
    ("names", r"\b(getaddrinfo|getnameinfo|res_n?query|res_n?search)\(", "src/net/lookup.c src/net/resolve.c src/conf/names.c",
     "DNS is asked in one place; our own name in another"),
    ("gnutls", r"#\s*include\s+<gnutls/", "src/net/", "the only place that knows GnuTLS"),
    ("gsasl", r"#\s*include\s+<gsasl", "src/net/sasl.c", "the only place that knows libgsasl"),
    ("idn2", r"#\s*include\s+<idn2", "src/mail/domain.c", "the only place that knows libidn2"),
    ("nettle", r"#\s*include\s+<nettle/", "src/base/digest.c", "the only place that knows libnettle"),
    ("pcre2", r"#\s*include\s+<pcre2", "src/send/passwd.c", "the only place that runs regular expressions (keys of passwd.client)"),
    ("seccomp", r"#\s*include\s+<(linux/landlock|seccomp)", "src/guard/", "confinement is one subject"),
    ("identity", r"\b(set(e|re|res)?[ug]id|setgroups|initgroups|setfs[ug]id)\(",
     "src/local/become.c src/guard/ src/send/main.c src/send/post.c src/local/main.c", "who we are changes in few places"),
    ("time", r"\b(time|gettimeofday|clock_gettime)\(", "src/base/clock.c src/spool/ages.c src/front/ src/send/main.c src/local/main.c",
     "decisions take `now` as an argument"),
    ("sleep", r"\b(u|nano|clock_nano)?sleep\(", "src/base/clock.c", "waits have a deadline and a reason"),
    ("exec", r"\b(v?fork|posix_spawnp?|exec[lv]p?e?|fexecve)\(",
     "src/net/ src/base/child.c src/guard/ src/local/pipe.c src/front/door.c src/send/command.c src/send/main.c src/send/post.c src/local/main.c",
     "few places start a program, none with a shell"),
    ("locale", r"\b(setlocale|toupper|isalpha|isalnum|isdigit|ispunct|isprint|iscntrl)\(", "",
     "mail is ASCII and UTF-8, whatever the locale"),
    ("goto", r"\bgoto\b", "", "there is none"),
    ("stdout", r"\b(printf|puts|putchar|perror)\(|\bfprintf\(std|\bstd(out|err)\b",
     "src/front/ src/send/main.c src/send/post.c src/local/main.c src/guard/", "nobody but front/ prints"),
]

COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*', re.S)


def blank(match):
    """Comments and strings say what they like; the lines stay where they are."""
    return "\n" * match.group().count("\n") if match.group()[0] == "/" else '""'


def complaints(pattern, rooms, why):
    for path in sources(".c", ".h"):
        if str(path) == "src/base/banned.h" or any(str(path).startswith(r) for r in rooms.split()):
            continue
        for number, line in enumerate(COMMENT.sub(blank, text(path)).splitlines(), 1):
            if re.search(pattern, line):
                yield f"{path}:{number}: {line.strip()}  ({why})"


report((what, list(complaints(pattern, rooms, why))) for what, pattern, rooms, why in ROOMS)
