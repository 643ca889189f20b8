"""A message larger than memory ought to be goes through, and no process grows with it (invariant I6)."""
import hashlib
import os
import socket
import ssl
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import peak, planted, sandbox, sink  # noqa: E402

SIZE = (1024 if os.environ.get("ONEHOP_BIG") else 300) * peak.MIB
CONF = """smarthost = 127.0.0.1::%d
passwd_client = %s
tls = %s
tls_fingerprint = %s
message_size_limit = 0
spool_directory = %s
log_file = %s/mainlog
aliases = %s/none
dead_letter = no
"""


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_memory_does_not_grow_with_the_message(tmp_path, tls):
    try:
        program = sandbox.programs()["onehop"]
        certs = sandbox.certificates()
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    if sandbox.sanitized():
        pytest.skip("AddressSanitizer has memory of its own")
    files = "%s/good.crt" % certs, "%s/good.key" % certs
    with open(files[0], encoding="ascii") as f:
        fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()
    server = sink.Sink(socket.create_server(("127.0.0.1", 0)), tls, lambda: files)
    passwords, conf = tmp_path / "passwd.client", tmp_path / "onehop.conf"
    passwords.write_text("127.0.0.1:user:%s\n" % planted.PASSWORD)
    passwords.chmod(0o600)
    conf.write_text(CONF % (server.sock.getsockname()[1], passwords, tls, fingerprint, *[tmp_path] * 3))
    reader = peak.big_message(SIZE)
    begin = time.monotonic()
    with open(tmp_path / "errors", "w+b") as errors:
        try:
            code, found = peak.peaks([program, "-C", str(conf), "-f", "root@isp.example", "far@far.example"], limit=200,
                                     stdin=reader, stdout=subprocess.DEVNULL, stderr=errors)
        except PermissionError as e:
            pytest.skip(str(e))
        os.close(reader)
        errors.seek(0)
        assert code == 0, errors.read().decode()
    assert server.taken[0] >= SIZE + SIZE // len(peak.LINE)    # LF has become CRLF
    assert {"onehop", "onehop-send"} <= {name for name, _ in found.values()}
    assert all(kib < 32 * 1024 for _, kib in found.values()), found
    assert os.environ.get("ONEHOP_BIG") or time.monotonic() - begin < 60
