#!/bin/sh
# nullmailer-inject takes the quotes off a local part that needs them, and refuses domain literals.
#
# "a b"@x.example is a legal address only with its quotes (RFC 5322 3.4.1); nullmailer-inject writes the field anew and
# leaves them out, so the header that it queues is no longer legal, while "a@b"@x.example keeps its own.  A recipient at
# a domain literal (k@[192.0.2.1], RFC 5321 4.1.3) makes it refuse the whole message.
#
# Guess before the run: it does not touch fields that are legal, and literals are an address like another.
# Seen with nullmailer 1:2.2-4 (Debian 12).
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
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

# to FIELD: the To field that would be queued, or the last line of the error
to() {
	printf 'From: me@x.example\nTo: %s\nSubject: s\n\nb\n' "$1" >message
	if nullmailer/usr/bin/nullmailer-inject -n -h <message >out 2>&1; then
		sed -n 's/^To: //p' out
	else
		tail -n 1 out | sed 's/^ *//'
	fi
}

fetch nullmailer '1:2.2-4'
is 'To: "a b"@x.example' 'a b@x.example' "$(to '"a b"@x.example')"
is 'To: "a@b"@x.example' '"a@b"@x.example' "$(to '"a@b"@x.example')"
is 'To: z@x.example, k@[192.0.2.1]' 'Unable to parse the addresses.' "$(to 'z@x.example, k@[192.0.2.1]')"
is 'To: (one) z@x.example' 'z@x.example (one)' "$(to '(one) z@x.example')"
exit "$changed"
