#!/bin/sh
# "ip link set LINK netns PID" in a process namespace whose /proc is still the outer one: since iproute2 6.15 the link goes
# into the network namespace of a process that has this number outside, without an error.
#
# Up to 6.14 the number went to the kernel, which reads it in the caller's process namespace.  6.15 opens /proc/PID/ns/net
# instead.  `unshare --pid --fork` without --mount-proc leaves the outer /proc; so does a container's entry before it mounts
# its own.  Nothing fails: the link is gone from here, and somebody else has it.  (--mount-proc, or a name of `ip netns`, helps.)
#
# Guess before the run: the number means what it means for kill(2), as it did.
# Seen with iproute2 6.15.0-1 (Debian 13):
#   6.1 (if it is installed here): the link is with the process that was meant
#   6.15.0-1: the link is with another process
# Needs root.  All happens in a network and a process namespace of its own, so that the stranger is one of ours.
set -eu
version=6.15.0-1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# Debian 13's packages, whatever this machine's release is.
mkdir -p lists/partial archives/partial
echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main' >sources.list
apt() {
	apt-get -qq -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$dir/lists" \
		-o Dir::Cache="$dir" -o APT::Sandbox::User=root -o APT::Default-Release= -o Acquire::Check-Valid-Until=false "$@"
}
apt update 2>/dev/null
apt download "iproute2=$version" 2>/dev/null || {
	echo "the archive has no iproute2 $version any more; seen with $version"
	exit 3
}
apt download libc6/trixie libselinux1/trixie libbpf1/trixie libelf1t64/trixie libmnl0/trixie libcap2/trixie libpcre2-8-0/trixie \
	zlib1g/trixie libzstd1/trixie libtirpc3t64/trixie
for package in ./*.deb; do
	dpkg-deb -x "$package" root
done
libraries=$dir/root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo x86_64-linux-gnu)
ld=$(find root/usr/lib* -name 'ld-linux*.so.*' | head -n 1)
program=$(find root/usr root/bin root/sbin -path '*bin/ip' ! -type l 2>/dev/null | head -n 1)
printf '#!/bin/sh\nexec %s --library-path %s %s "$@"\n' "$dir/$ld" "$libraries" "$dir/$program" >new-ip
chmod 755 new-ip

# The outer namespaces: strangers with the numbers up to 40, each without a network of the others.
cat >outer <<'.'
for n in $(seq 40); do
	unshare --net sleep 30 &
done
sleep 1
# The inner ones, with the outer /proc: one process there has a network of its own, and is to get the link.
exec unshare --pid --fork --kill-child sh "$1/inner" "$@"
.
cat >inner <<'.'
ip=$2
"$ip" link add v0 type veth peer name v1
unshare --net sleep 20 &
meant=$!
sleep 1
"$ip" link set v1 netns "$meant" || exit
# As the kernel numbers it: nsenter would look into /proc, so ask by the descriptor of a pid.
/usr/bin/python3 - "$meant" <<'PY'
import ctypes, os, socket, sys
ctypes.CDLL(None, use_errno=True).setns(os.pidfd_open(int(sys.argv[1])), 0x40000000)
there = "v1" in [name for _, name in socket.if_nameindex()]
print("the link is with the process that was meant" if there else "the link is with another process")
PY
.
run() {
	unshare --net --pid --mount-proc --fork --kill-child sh outer "$dir" "$1" 2>&1 | tail -n 1
}
echo "$(ip -V 2>/dev/null | sed -n 's/.*iproute2-\([^,]*\),.*/\1/p') (installed here): $(run "$(command -v ip)")"
seen=$(run "$dir/new-ip")
echo "$version: $seen"
[ "$seen" = "the link is with another process" ]
