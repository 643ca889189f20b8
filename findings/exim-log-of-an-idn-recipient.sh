#!/bin/sh
# Exim logs an address that it has not used: mail for x@bücher.example goes to RCPT TO:<x@xn--bcher-kva.example>, and the main
# log has => x@xn--bcher.example-wob <x@bücher.example>.
#
# The smarthost has no SMTPUTF8, so the domain goes out in its ASCII form (RFC 5890), label by label, as it should.  The log's
# form is Punycode of the whole domain, dot and all, as if it were one label (or a local part): a name that nobody can look
# up and that was never on the wire.  Who searches the log for the address that the smarthost complains of does not find it.
#
# Guess before the run: the log has what stands behind RCPT TO.
# Seen with exim4-daemon-light 4.96-15+deb12u11 (Debian 12):
#     on the wire   <x@xn--bcher-kva.example>
#     in the log    => x@xn--bcher.example-wob <x@bücher.example>
set -eu
[ "$(id -u)" = 0 ] || { echo "it needs root (a mount namespace of its own)"; exit 2; }
dir=$(mktemp -d) sink=
trap 'kill $sink 2>/dev/null || :; rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir"

version=4.96-15+deb12u11
apt-get -qq -o APT::Sandbox::User=root download "exim4-daemon-light=$version" 2>/dev/null ||
	{ echo "the archive has no exim4-daemon-light $version any more; seen with $version"; exit 3; }
dpkg-deb -x exim4-daemon-light_*.deb .

# An SMTP server that takes everything: its port in ./port, the RCPT commands in ./rcpt.
/usr/bin/python3 - <<'PY' &
import os
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
                    f.write(line[8:] + "\n")
            text = line.upper() == "DATA"
            self.wfile.write(b"354 go\r\n" if text else b"250 ok\r\n")
            if line.upper() == "QUIT":
                return


server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
server.daemon_threads = True
with open("port.new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename("port.new", "port")
server.serve_forever()
PY
sink=$!
until [ -s port ]; do sleep 0.1; done

# Exim wants its user; this passwd is seen in the namespace alone.
{ cat /etc/passwd; echo "Debian-exim:x:61101:61101::/:/usr/sbin/nologin"; } >passwd
{ cat /etc/group; echo "Debian-exim:x:61101:"; } >group
mkdir spool
chown 61101:61101 spool
cat >exim.conf <<CONF
exim_path = $dir/usr/sbin/exim4
primary_hostname = here.example
spool_directory = $dir/spool
log_file_path = $dir/spool/%slog
smtputf8_advertise_hosts =
keep_environment =
begin routers
smarthost:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = smtp
begin transports
smtp:
  driver = smtp
  port = $(cat port)
  allow_localhost
  hosts_avoid_tls = *
begin retry
* * F,1h,15m
CONF
printf 'Subject: s\n\ntext\n' | unshare --mount sh -c '
	mount --bind passwd /etc/passwd; mount --bind group /etc/group
	exec ./usr/sbin/exim4 -C "$PWD/exim.conf" -odf -oi -f me@here.example "x@bücher.example"' 2>errors || { cat errors; exit 1; }

wire=$(cat rcpt)
logged=$(sed -n 's/.* \(=> [^ ]* <[^ ]*>\) .*/\1/p' spool/mainlog)
printf '%-14s%s\n' "on the wire" "$wire" "in the log" "$logged"
[ "$wire" = "<x@xn--bcher-kva.example>" ] && [ "$logged" = "=> x@xn--bcher.example-wob <x@bücher.example>" ]
