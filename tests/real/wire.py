# SPDX-License-Identifier: Apache-2.0
"""The few requests of Kafka's protocol that a test needs and kcat cannot make: topics, partitions, ends, cutting off records.

Small on purpose: fixed versions, one connection a call, loopback only.
"""
import socket
import struct

CREATE_TOPICS, DELETE_TOPICS, DELETE_RECORDS, CREATE_PARTITIONS, LIST_OFFSETS, METADATA = 19, 20, 21, 37, 2, 3
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


def create_topics(port, topics, configs=None, replicas=1):
    """`topics`: name -> partitions. A topic that exists is left alone."""
    body = struct.pack(">i", len(topics))
    for name, partitions in topics.items():
        body += _string(name) + struct.pack(">ih", partitions, replicas) + struct.pack(">i", 0)
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


def delete_topics(port, names):
    r = _call(port, DELETE_TOPICS, 1, struct.pack(">i", len(names)) + b"".join(_string(n) for n in names)
              + struct.pack(">i", 20000))
    r.take("i")
    for _ in range(r.take("i")):
        name, code = r.string(), r.take("h")
        if code:
            raise RuntimeError("deleting topic %s: error %d" % (name, code))


def create_partitions(port, topic, count):
    """Grows a topic to `count` partitions."""
    r = _call(port, CREATE_PARTITIONS, 0, struct.pack(">i", 1) + _string(topic) + struct.pack(">iii?", count, -1, 20000, False))
    r.take("i")
    for _ in range(r.take("i")):
        name, code, text = r.string(), r.take("h"), r.string()
        if code:
            raise RuntimeError("growing topic %s: error %d %s" % (name, code, text))


def delete_records(port, topic, partition, offset):
    """What retention does: everything before `offset` is gone."""
    r = _call(port, DELETE_RECORDS, 0, struct.pack(">i", 1) + _string(topic) + struct.pack(">iiqi", 1, partition, offset, 20000))
    r.take("i")
    for _ in range(r.take("i")):
        r.string()
        for _ in range(r.take("i")):
            p, low, code = r.take("i"), r.take("q"), r.take("h")
            if code:
                raise RuntimeError("cutting off %s/%d: error %d" % (topic, p, code))


def _describe(port, topic):
    """(partitions, number of replicas in step of the one that has fewest)."""
    r = _call(port, METADATA, 4, struct.pack(">i", 1) + _string(topic) + struct.pack(">?", False))
    r.take("i")
    for _ in range(r.take("i")):
        r.take("i"), r.string(), r.take("i"), r.string()
    r.string(), r.take("i")
    for _ in range(r.take("i")):
        code, _name, _internal, count = r.take("h"), r.string(), r.take("?"), r.take("i")
        in_step = []
        for _ in range(count):
            r.take("h"), r.take("i"), r.take("i")
            for ids in ("replicas", "in step"):
                n = r.take("i")
                r.at += 4 * n
            in_step.append(n)
        return (count, min(in_step, default=0)) if code == 0 else (0, 0)
    return 0, 0


def partitions(port, topic):
    return _describe(port, topic)[0]


def in_step(port, topic):
    return _describe(port, topic)[1]


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
