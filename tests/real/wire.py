# SPDX-License-Identifier: Apache-2.0
"""The few requests of Kafka's protocol that a test needs and kcat cannot make: create topics, find the end offsets.

Small on purpose: fixed versions, one connection a call, loopback only.
"""
import socket
import struct

CREATE_TOPICS, LIST_OFFSETS, METADATA = 19, 2, 3
TOPIC_EXISTS = 36


def _string(text):
    raw = text.encode()
    return struct.pack(">h", len(raw)) + raw


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, fmt):
        out = struct.unpack_from(">" + fmt, self.data, self.at)
        self.at += struct.calcsize(">" + fmt)
        return out[0]

    def string(self):
        n = self.take("h")
        if n < 0:
            return None
        self.at += n
        return self.data[self.at - n:self.at].decode()


def _call(port, key, version, body):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        request = struct.pack(">hhi", key, version, 1) + _string("mandated-tests") + body
        s.sendall(struct.pack(">i", len(request)) + request)
        data = b""
        while len(data) < 4 or len(data) < 4 + struct.unpack(">i", data[:4])[0]:
            more = s.recv(65536)
            if not more:
                raise ConnectionError("the broker closed the connection")
            data += more
    return _Reader(data[8:])


def create_topics(port, topics, configs=None):
    """`topics`: name -> partitions. A topic that exists is left alone."""
    body = struct.pack(">i", len(topics))
    for name, partitions in topics.items():
        body += _string(name) + struct.pack(">ih", partitions, 1) + struct.pack(">i", 0)
        settings = (configs or {}).get(name, {})
        body += struct.pack(">i", len(settings))
        for k, v in settings.items():
            body += _string(k) + _string(v)
    r = _call(port, CREATE_TOPICS, 2, body + struct.pack(">i?", 20000, False))
    r.take("i")
    for _ in range(r.take("i")):
        name, code, text = r.string(), r.take("h"), r.string()
        if code not in (0, TOPIC_EXISTS):
            raise RuntimeError("creating topic %s: error %d %s" % (name, code, text))


def partitions(port, topic):
    r = _call(port, METADATA, 4, struct.pack(">i", 1) + _string(topic) + struct.pack(">?", False))
    r.take("i")
    for _ in range(r.take("i")):
        r.take("i"), r.string(), r.take("i"), r.string()
    r.string(), r.take("i")
    for _ in range(r.take("i")):
        code, _name, _internal, count = r.take("h"), r.string(), r.take("?"), r.take("i")
        return count if code == 0 else 0
    return 0


def end_offsets(port, topic):
    """{partition: offset of the next record}; all partitions live on the one broker."""
    count = partitions(port, topic)
    body = struct.pack(">i", -1) + struct.pack(">i", 1) + _string(topic) + struct.pack(">i", count)
    for p in range(count):
        body += struct.pack(">iq", p, -1)
    r = _call(port, LIST_OFFSETS, 1, body)
    out = {}
    for _ in range(r.take("i")):
        r.string()
        for _ in range(r.take("i")):
            p, code, _time, offset = r.take("i"), r.take("h"), r.take("q"), r.take("q")
            if code:
                raise RuntimeError("end offset of %s[%d]: error %d" % (topic, p, code))
            out[p] = offset
    return out
