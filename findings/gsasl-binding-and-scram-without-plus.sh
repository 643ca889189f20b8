#!/bin/sh
# libgsasl: a client that has set its TLS channel binding cannot begin SCRAM without -PLUS.
#
# With GSASL_CB_TLS_UNIQUE or GSASL_CB_TLS_EXPORTER set on the session, the first gsasl_step() of SCRAM-SHA-256 and SCRAM-SHA-1
# gives GSASL_AUTHENTICATION_ERROR (31), before a server has said anything.  RFC 5802 6 wants "y,," there: this client could
# bind, and the server has not offered it.  So the property must be held back until a -PLUS mechanism is chosen, and "y,," cannot
# be said at all.  A client that sets it for every mechanism never logs in where a server offers SCRAM over TLS without -PLUS.
#
# Guess before the run: "y,,", and with -PLUS "p=tls-exporter,,".
# Seen with libgsasl18 2.2.0-1+deb12u2 (Debian 12): as below.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# fetch PACKAGE VERSION: unpacked into ./tree
fetch() {
	apt-get -qq -o APT::Sandbox::User=root download "$1=$2" 2>/dev/null ||
		{ echo "the archive has no $1 $2 any more; seen with $2"; exit 3; }
	dpkg-deb -x "$1"_*.deb tree
}
fetch libgsasl18 2.2.0-1+deb12u2
fetch libidn12 1.41-1
fetch libntlm0 1.6-4
fetch libgssglue1 0.7-1.1

cat >wanted <<'.'
SCRAM-SHA-256, no binding: 1 n,,
SCRAM-SHA-256, tls-unique: 31
SCRAM-SHA-256, tls-exporter: 31
SCRAM-SHA-1, no binding: 1 n,,
SCRAM-SHA-1, tls-unique: 31
SCRAM-SHA-1, tls-exporter: 31
SCRAM-SHA-256-PLUS, tls-unique: 1 p=tls-unique,,
SCRAM-SHA-256-PLUS, tls-exporter: 1 p=tls-exporter,,
.
lib=$(dirname "$(find "$dir/tree" -name libgsasl.so.18)")
LD_LIBRARY_PATH=$lib /usr/bin/python3 - "$lib/libgsasl.so.18" >said <<'PY'
import ctypes
import sys

gsasl = ctypes.CDLL(sys.argv[1])
AUTHID, PASSWORD, BINDINGS = 1, 3, {"no binding": 0, "tls-unique": 18, "tls-exporter": 25}
for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS"):
    for name, binding in BINDINGS.items():
        library, session, text, length = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_char_p(), ctypes.c_size_t()
        if mechanism.endswith("PLUS") and not binding:
            continue
        assert gsasl.gsasl_init(ctypes.byref(library)) == 0
        assert gsasl.gsasl_client_start(library, mechanism.encode(), ctypes.byref(session)) == 0
        for key, value in ((AUTHID, b"user"), (PASSWORD, b"pencil"), (binding, b"YmluZGluZw==")):
            assert not key or gsasl.gsasl_property_set(session, key, value) == 0
        result = gsasl.gsasl_step(session, None, ctypes.c_size_t(0), ctypes.byref(text), ctypes.byref(length))
        header = (text.value or b"").decode().partition("n=")[0]
        print(("%s, %s: %d %s" % (mechanism, name, result, header)).rstrip())
PY
cat said
diff wanted said
