"""A DNS server for one sandbox: answers from a table, on 127.0.0.1:53.

The zone is {"name": {"A": [..], "AAAA": [..], "CNAME": "x", "MX": [[10, "h"]], "SRV": [[0, 0, 465, "h"]],
"PTR": "h", "TXT": "t"}}; "AAAA-CNAME" is an alias for questions of that type only.  A name that is not there is NXDOMAIN, the value "SERVFAIL" is that, "SILENT" gets no answer.
"""
import socket
import struct
import threading

LINKS = 24                      # of a chain of aliases, in one answer
TYPES = {1: "A", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 52: "TLSA"}


def wire_name(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.rstrip(".").split(".") if x) + b"\0"


def rdata(kind, value):
    if kind == "A":
        return socket.inet_aton(value)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, value)
    if kind in ("PTR", "CNAME"):
        return wire_name(value)
    if kind == "MX":
        return struct.pack(">H", value[0]) + wire_name(value[1])
    if kind == "SRV":
        return struct.pack(">HHH", *value[:3]) + wire_name(value[3])
    if kind == "TXT":
        return bytes([len(value)]) + value.encode()
    return None


class DNS(threading.Thread):
    def __init__(self, zone):
        super().__init__(daemon=True)
        self.zone = {k.lower().rstrip("."): v for k, v in (zone or {}).items()}
        self.log = []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 53))

    def run(self):
        while True:
            query, peer = self.sock.recvfrom(4096)
            reply = self.answer(query)
            if reply:
                self.sock.sendto(reply, peer)

    def answer(self, query):
        i, labels = 12, []
        while query[i]:
            labels.append(query[i + 1:i + 1 + query[i]].decode("latin-1"))
            i += query[i] + 1
        qtype = struct.unpack(">H", query[i + 1:i + 3])[0]
        kind = TYPES.get(qtype, str(qtype))
        name = ".".join(labels).lower()
        self.log.append("%s %s" % (kind, name))
        entry = self.zone.get(name)
        if entry == "SILENT":
            return None
        rcode = 2 if entry == "SERVFAIL" else 3 if entry is None else 0
        records = self.chain(name, kind, qtype) if rcode == 0 else []
        out = query[:2] + struct.pack(">HHHHH", 0x8580 | rcode, 1, len(records), 0, 0) + query[12:i + 5]
        for owner, number, data in records:
            out += wire_name(owner) + struct.pack(">HHIH", number, 1, 60, len(data)) + data
        return out

    def chain(self, name, kind, qtype):
        records = []
        for _ in range(LINKS):
            entry = self.zone.get(name)
            if not isinstance(entry, dict):
                break
            alias = entry.get(kind + "-CNAME", entry.get("CNAME"))
            if alias is not None and kind != "CNAME":
                records.append((name, 5, wire_name(alias)))
                name = alias.lower().rstrip(".")
                continue
            value = entry.get(kind, [])
            for item in value if isinstance(value, list) else [value]:
                data = rdata(kind, item)
                if data is not None:
                    records.append((name, qtype, data))
            break
        return records
