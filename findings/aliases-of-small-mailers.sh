#!/bin/sh
# One /etc/aliases, read by dma and by msmtp (--aliases): neither reads it as aliases(5) of sendmail and Postfix has it.
#
# - names are matched with their case: "Team:" is no alias for team, in both.
# - a name that stands twice: dma sends to both values; msmtp refuses the message.
# - an address with a display name: dma refuses the message and gives the reason "Success"; msmtp makes one address of all.
#
# Guess before the run: names without regard to case, the first value of two, and the address between the brackets.
# Seen with dma 0.13-1+b1 and msmtp 1.8.23-1 (Debian 12).  Needs root: dma reads /etc/dma, which is ours in a mount
# namespace of its own.
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

by_msmtp() {
	: >rcpt
	printf 'Subject: s\n\nb\n' | msmtp/usr/bin/msmtp --host=127.0.0.1 --port="$port" -f me@x.example --aliases="$dir/aliases" team 2>&1 |
		sed 's/^.*: //'
	sed 's/ $//; s/> </>\n</g' rcpt | sort | paste -sd' '
}

by_dma() {
	: >rcpt
	rm -rf spool
	mkdir -m 777 spool
	# shellcheck disable=SC2016 # for the inner shell
	printf 'Subject: s\n\nb\n' | unshare -m sh -c 'mount -t tmpfs etc /etc/dma && cp "$1/dma.conf" "$1/aliases" /etc/dma &&
		timeout 20 "$1/dma/usr/sbin/dma" -D -f me@x.example team' sh "$dir" 2>&1 | sed -n 's/^dma: //p' || :
	sed 's/ $//; s/> </>\n</g' rcpt | sort | paste -sd' '
}

fetch msmtp 1.8.23-1
fetch dma 0.13-1+b1
made=
[ -d /etc/dma ] || { mkdir /etc/dma && made=1; }
trap 'kill $sink 2>/dev/null || :; rm -rf "$dir"; [ -z "$made" ] || rmdir /etc/dma' EXIT
chmod 755 "$dir"
printf 'SMARTHOST 127.0.0.1\nPORT %s\nSPOOLDIR %s/spool\nMAILNAME host.example\nALIASES /etc/dma/aliases\n' "$port" "$dir" >dma.conf

# with LINE MSMTP DMA
with() {
	printf '%s\n' "$1" >aliases
	printf '%s\n' "$1"
	is '  msmtp' "$2" "$(by_msmtp)"
	is '  dma' "$3" "$(by_dma)"
}
with 'team: a@x.example, b@x.example' '<a@x.example> <b@x.example>' '<a@x.example> <b@x.example>'
with 'Team: a@x.example' '<team>' "invalid recipient \`team'"
with 'team: a@x.example
team: b@x.example' "duplicate alias 'team'" '<a@x.example> <b@x.example>'
with 'team: "Alice L" <a@x.example>' '<"Alice L" <a@x.example>>' "could not parse aliases file \`/etc/dma/aliases': Success"
exit "$changed"
