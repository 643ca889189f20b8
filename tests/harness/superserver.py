"""What systemd does for a socket with Accept=yes, with its limits: a program for each connection, and none where too many
are there (MaxConnections=, MaxConnectionsPerSource=, which counts users on such a socket) or it cannot be started.

    superserver.py PATH '{"most": 64, "source": 16, "failing": 0}' PROGRAM ARGUMENT...

failing: so many connections are closed before one is served, as when a unit cannot start.  Each connection is a line of
standard error: "user ID dropped" or "user ID served".
"""
import json
import os
import socket
import struct
import sys

WHO = 17                                    # SO_PEERCRED


def uid_of(conn):
    return struct.unpack("3i", conn.getsockopt(socket.SOL_SOCKET, WHO, struct.calcsize("3i")))[1]


def main():
    path, limits, program = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
    served = {}                             # pid: uid
    failing = limits.get("failing", 0)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen(4096)
    listener.settimeout(0.01)               # it has children to wait for
    while True:
        try:
            conn, _ = listener.accept()
        except TimeoutError:
            conn = None
        while served:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            del served[pid]
        if conn is None:
            continue
        uid = uid_of(conn)
        full = len(served) >= limits.get("most", 64) or list(served.values()).count(uid) >= limits.get("source", 16)
        refuse, failing = full or failing > 0, failing - 1
        os.write(2, b"user %d %s\n" % (uid, b"dropped" if refuse else b"served"))
        if not refuse:
            pid = os.fork()
            if pid == 0:
                for fd in (0, 1):
                    os.dup2(conn.fileno(), fd)
                os.execv(program[0], program)
            served[pid] = uid
        conn.close()


main()
