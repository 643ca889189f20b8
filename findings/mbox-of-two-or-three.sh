#!/bin/sh
# One mbox, two messages or three: it depends on the reader.
#
# - "From c@x.example Mon Nov 30 ..." in a text, after a line that is not blank: reformail -s and mboxgrep begin a message there;
#   formail, s-nail and mb2md want a blank line before it.
# - the same line after a blank line, inside of what Content-Length says is one text: formail goes by the length (unless -Y),
#   and makes one message of it; reformail, s-nail, mboxgrep and mb2md do not.
#
# So no way of writing that line unquoted is safe, and none of the two ways to tell (a blank line, a length) is read by all.
#
# Guess before the run: all of them want the blank line; mboxgrep goes by the length too.
# Seen with maildrop 2.9.3-2.1 (reformail), procmail 3.22-27 (formail), s-nail 14.9.24-2, mboxgrep 0.7.9-6, mb2md 3.20-10 (Debian 12).
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
	printf '%-34s %s\n' "$1" "$3"
	[ "$2" = "$3" ] || { echo "  it was: $2"; changed=1; }
}
changed=0

fetch maildrop 2.9.3-2.1
fetch procmail 3.22-27
fetch s-nail 14.9.24-2
fetch mboxgrep 0.7.9-6
fetch mb2md 3.20-10
fetch libcourier-unicode4 2.1.2-2+b2
fetch libpcre3 2:8.39-15
LD_LIBRARY_PATH=$(printf '%s:' "$dir"/lib*/usr/lib/*-linux-gnu "$dir"/lib*/lib/*-linux-gnu)
export LD_LIBRARY_PATH HOME="$dir"

first='From a@x.example Mon Nov 30 10:00:00 2026
From: a@x.example
To: b@x.example
Subject: one'
text='first paragraph%s
From c@x.example Mon Nov 30 09:00:00 2026
Subject: what was quoted

text
'
last='From d@x.example Mon Nov 30 11:00:00 2026
From: d@x.example
To: b@x.example
Subject: two

body two

'
# shellcheck disable=SC2059 # the text is a format
printf "$text" '' >joined
# shellcheck disable=SC2059
printf "$text" '
' >apart
{ printf '%s\n\n' "$first"; cat joined; printf '\n%s\n\n' "$last"; } >no-blank-line
{ printf '%s\nContent-Length: %d\n\n' "$first" "$(wc -c <apart)"; cat apart; printf '\n%s\n\n' "$last"; } >length

messages() {
	"$@" | grep -c '^one message$'
}

count() {
	say="cat >/dev/null; echo one message"
	is "$1: reformail -s" "$2" "$(messages maildrop/usr/bin/reformail -s sh -c "$say" <"$1")"
	is "$1: formail -s" "$3" "$(messages procmail/usr/bin/formail -s sh -c "$say" <"$1")"
	is "$1: formail -Y -s" "$4" "$(messages procmail/usr/bin/formail -Y -s sh -c "$say" <"$1")"
	is "$1: s-nail" "$5" "$(s-nail/usr/bin/s-nail -n -R -H -f "./$1" | grep -c x.example)"
	is "$1: mboxgrep" "$6" "$(mboxgrep/usr/bin/mboxgrep -c . "$1")"
	rm -rf maildir
	perl mb2md/usr/bin/mb2md -s "$dir/$1" -d "$dir/maildir" >/dev/null 2>&1
	is "$1: mb2md" "$7" "$(find maildir -type f | wc -l)"
}
count no-blank-line 3 2 2 2 3 2
count length 3 2 3 3 3 3
exit $changed
