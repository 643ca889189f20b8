#!/bin/sh
# msmtp drops a quoted local part: "a.b c"@x.example becomes RCPT TO:<@x.example>.
#
# A quoted string is a legal local part (RFC 5321 4.1.2, RFC 5322 3.4.1).  Whether it comes from the header (-t) or as an
# argument, the quotes and what is between them are gone: no error, and the message goes to an address without a local part.
#
# Guess before the run: msmtp, whose header parser knows comments, groups and quoted display names, passes it on; and on
# the command line, where nothing has to be parsed, all the more.
# Seen with msmtp 1.8.23-1 (Debian 12): lost in a field, in a group, and as an argument.
set -eu
dir=$(mktemp -d) sink=
trap 'kill $sink 2>/dev/null || :; rm -rf "$dir"' EXIT
cd "$dir"

# fetch PACKAGE VERSION: unpacked into ./PACKAGE
fetch() {
	apt-get -qq -o APT::Sandbox::User=root download "$1=$2" 2>/dev/null ||
		{ echo "the archive has no $1 $2 any more; seen with $2"; exit 3; }
	dpkg-deb -x "$1"_*.deb "$1"
}

# is WHAT WANT GOT
is() {
	printf '%-46s %s\n' "$1" "$3"
	[ "$2" = "$3" ] || { echo "  it was: $2"; changed=1; }
}
changed=0

# An SMTP server that takes everything: its port in ./port, the RCPT commands in ./rcpt.
/usr/bin/python3 - <<'PY' &
import socketserver


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        text = False
        self.wfile.write(b"220 sink\r\n")
        for line in self.rfile:
            line = line.rstrip(b"\r\n").decode("latin-1")
            if text:
                text = line != "."
                if not text:
                    self.wfile.write(b"250 taken\r\n")
                continue
            if line.upper().startswith("RCPT TO:"):
                with open("rcpt", "a") as f:
                    f.write(line[8:] + " ")
            text = line.upper() == "DATA"
            self.wfile.write(b"354 go\r\n" if text else b"250 ok\r\n")
            if line.upper() == "QUIT":
                return


server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
server.daemon_threads = True
with open("port.new", "w") as f:
    f.write(str(server.server_address[1]))
import os
os.rename("port.new", "port")
server.serve_forever()
PY
sink=$!
until [ -s port ]; do sleep 0.1; done
port=$(cat port)

# to HEADER [ARGUMENT]: the RCPT commands for it
to() {
	: >rcpt
	if [ $# -eq 1 ]; then
		printf 'From: me@x.example\nTo: %s\nSubject: s\n\nb\n' "$1" | msmtp/usr/bin/msmtp --host=127.0.0.1 --port="$port" -f me@x.example -t
	else
		printf 'Subject: s\n\nb\n' | msmtp/usr/bin/msmtp --host=127.0.0.1 --port="$port" -f me@x.example -- "$2"
	fi
	sed 's/ $//' rcpt
}

fetch msmtp 1.8.23-1
msmtp/usr/bin/msmtp --version | head -n 1
is 'To: "a.b c"@x.example' '<@x.example>' "$(to '"a.b c"@x.example')"
is 'To: Team: "a;b"@x.example, c@x.example;' '<@x.example> <c@x.example>' "$(to 'Team: "a;b"@x.example, c@x.example;')"
is 'To: "Doe, John" <d@x.example>' '<d@x.example>' "$(to '"Doe, John" <d@x.example>')"
is 'as an argument: "a.b c"@x.example' '<@x.example>' "$(to - '"a.b c"@x.example')"
exit "$changed"
