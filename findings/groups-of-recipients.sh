#!/bin/sh
# A group of recipients ("Team: c@x.example, d@x.example;", RFC 5322 3.4) is no list of its members to three readers.
#
# s-nail -t refuses the message: each member is checked with the group's name or its semicolon in it.  esmtp -t sends to
# <Team:c@x.example> and <d@x.example;>.  Perl's Mail::Address glues the name and the first member to one address.
#
# Guess before the run: s-nail and Mail::Address know groups, esmtp does not.
# Seen with s-nail 14.9.24-2, esmtp 1.2-18+b1 with libesmtp6 1.1.0-3.1~deb12u1, libmailtools-perl 2.21-2 (Debian 12).
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

GROUP='Team: c@x.example, d@x.example;'
printf 'From: me@x.example\nTo: z@x.example\nCc: %s\nSubject: s\n\nb\n' "$GROUP" >message
echo "To: z@x.example, Cc: $GROUP"

fetch s-nail 14.9.24-2
printf '#!/bin/sh\necho "$@"\ncat >/dev/null\n' >mta
chmod +x mta
is 's-nail -t' 'Some addressees were classified as "hard error"' "$(HOME=$dir s-nail/usr/bin/s-nail -:/ -S mta="$dir/mta" -t <message 2>&1 |
	sed -n 's/^s-nail: \(Some.*\)/\1/p')"

fetch esmtp 1.2-18+b1
fetch libesmtp6 1.1.0-3.1~deb12u1
printf 'hostname = 127.0.0.1:%s\nstarttls = disabled\n' "$port" >esmtprc
chmod 600 esmtprc
: >rcpt
LD_LIBRARY_PATH=$(echo libesmtp6/usr/lib/*) esmtp/usr/bin/esmtp -C "$dir/esmtprc" -f me@x.example -t <message
is 'esmtp -t: RCPT TO' '<d@x.example;> <Team:c@x.example> <z@x.example>' "$(sed "s| \$||" rcpt)"

fetch libmailtools-perl 2.21-2
is 'Mail::Address->parse' 'Team:c@x.example d@x.example' "$(perl -Ilibmailtools-perl/usr/share/perl5 -MMail::Address -e \
	'print join " ", map { $_->address } Mail::Address->parse($ARGV[0])' "$GROUP")"
exit "$changed"
