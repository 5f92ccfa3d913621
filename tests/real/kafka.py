# SPDX-License-Identifier: Apache-2.0
"""A real Apache Kafka (KRaft, one node) on loopback, and reading and writing its topics by kcat.

The data survives stop() and kill(): start() again uses the same directory and the same port, which is what the fault
tests are about. Topics are never created by accident; create() makes them.
"""
import os
import subprocess
import uuid
import base64

from tests.real import artifacts, wire
from tests.real.parts import Failed, Process, free_port, wait_for

PROPERTIES = """process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{more_listeners}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,LOGIN:SASL_SSL
controller.listener.names=CONTROLLER
log.dirs={folder}/data
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
message.max.bytes=9000000
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.backoff.ms=200
log.retention.check.interval.ms=500
log.segment.delete.delay.ms=100
log.retention.hours=-1
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=300
"""

QUICK_JVM = ["-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]

# One record a chunk: numbers, key and value by length, then the headers up to a separator no header holds.
FORMAT = "%p %o %T %K %S\\n%k%s%h\\x1e\\x1e\\n"


class Record:
    __slots__ = ("partition", "offset", "timestamp_ms", "key", "value", "headers")

    def __init__(self, partition, offset, timestamp_ms, key, value, headers):
        self.partition, self.offset, self.timestamp_ms = partition, offset, timestamp_ms
        self.key, self.value, self.headers = key, value, headers

    def header(self, name):
        """Text of a header; for values without commas."""
        for part in self.headers.split(","):
            k, _, v = part.partition("=")
            if k == name:
                return v
        return None


def parse_records(data):
    out, at = [], 0
    while at < len(data):
        line = data.index(b"\n", at)
        p, o, t, k, v = (int(x) for x in data[at:line].split())
        at = line + 1
        key = None if k < 0 else data[at:at + k]
        at += max(k, 0)
        value = None if v < 0 else data[at:at + v]
        at += max(v, 0)
        end = data.index(b"\x1e\x1e\n", at)
        out.append(Record(p, o, t, key, value, data[at:end].decode("utf-8", "replace")))
        at = end + 3
    return out


def new_cluster_id():
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")


class Kafka:
    """`version`: the artifacts to run. `security` (tests/real/security.py) adds a listener with mutual TLS (tls_servers) and
    one with TLS and logins (login_servers). `jvm`: made to start quickly, unless said otherwise."""

    def __init__(self, folder, heap="400m", version="kafka", security=None, node=1, controllers=None, cluster_id=None, jvm=QUICK_JVM):
        self.node, self.cluster_id, self.replicas = node, cluster_id, 1 if controllers is None else len(controllers)
        controllers = controllers or {node: free_port()}
        self.folder = os.path.abspath(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.port, self.tls_port, self.login_port = free_port(), free_port(), free_port()
        self.jars = os.path.join(artifacts.folder(version), "*")
        self.properties = os.path.join(self.folder, "server.properties")
        self.format_options = [] if security is None else security.format_options()
        listeners = "" if security is None else ",TLS://localhost:%d,LOGIN://localhost:%d" % (self.tls_port, self.login_port)
        with open(self.properties, "w") as f:
            f.write(PROPERTIES.format(port=self.port, controller=controllers[node], folder=self.folder, node=node,
                                      voters=",".join("%d@127.0.0.1:%d" % c for c in controllers.items()),
                                      replicas=self.replicas, more_listeners=listeners,
                                      advertised=listeners))
            f.write("" if security is None else security.properties())
        env = dict(os.environ)
        env.pop("KAFKA_OPTS", None)
        self.process = Process("kafka", ["java", "-Xmx" + heap, *jvm, "-cp", self.jars, "kafka.Kafka", self.properties], self.folder, env=env)

    @property
    def servers(self):
        return "127.0.0.1:%d" % self.port

    @property
    def tls_servers(self):
        return "localhost:%d" % self.tls_port

    @property
    def login_servers(self):
        return "localhost:%d" % self.login_port

    def prepare(self):
        """Formats the storage of one that never ran."""
        if not os.path.exists(os.path.join(self.folder, "data", "meta.properties")):
            cluster = self.cluster_id or new_cluster_id()
            done = subprocess.run(["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", self.jars, "kafka.tools.StorageTool",
                                   "format", "-t", cluster, "-c", self.properties] + self.format_options, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                raise Failed("formatting Kafka's storage: " + done.stdout[-2000:])

    def start(self, timeout_s=60.0):
        self.prepare()
        self.process.start()
        self.process.wait_ready("an answer to a metadata request", self._answers, timeout_s)
        return self

    def _answers(self):
        try:
            wire.partitions(self.port, "no-such-topic")
            return True
        except OSError:
            return False

    def stop(self):
        return self.process.stop()

    def kill(self):
        self.process.kill()

    def create(self, topics, configs=None):
        def made():
            try:
                wire.create_topics(self.port, topics, configs, self.replicas)
                return all(wire.partitions(self.port, t) == n for t, n in topics.items())
            except OSError:
                return False
        wait_for("topics %s" % ", ".join(topics), made, 30, alive=self.process.check_alive)

    def send(self, topic, records, partition=None):
        """`records`: (key, value, headers) with text or bytes, value None = tombstone, headers a dict or None."""
        plain = [r for r in records if len(r) < 3 or not r[2]]
        if len(plain) == len(records) and all(_one_line(r) for r in records):
            lines = b"".join(_raw(r[0]) + b"\t" + _raw(r[1]) + b"\n" for r in records)
            return self._kcat(["-P", "-t", topic, "-K", "\t", "-Z"] + _partition(partition), lines)
        for r in records:  # one process a record: binary values and headers pass untouched through a file
            argv = ["-P", "-t", topic, "-Z"] + _partition(partition)
            for name, value in ((r[2] if len(r) > 2 else None) or {}).items():
                argv += ["-H", "%s=%s" % (name, value)]
            if not r[1]:
                self._kcat(argv + ["-K", "\t"], _raw(r[0]) + b"\t\n")
                continue
            if r[0] is not None:
                argv += ["-k", _raw(r[0]).decode("utf-8")]
            path = os.path.join(self.folder, "send.bin")
            with open(path, "wb") as f:
                f.write(_raw(r[1]))
            self._kcat(argv + [path], b"")
        return None

    def _kcat(self, args, stdin, servers=None):
        done = subprocess.run(["kcat", "-q", "-b", servers or self.servers, "-X", "enable.idempotence=true", "-X",
                               "message.max.bytes=9000000"] + args, input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120)
        if done.returncode != 0:
            raise Failed("kcat %s: %s" % (" ".join(args[:3]), done.stderr.decode("utf-8", "replace")[-500:]))
        return done.stdout

    def end_offsets(self, topic):
        return wire.end_offsets(self.port, topic)

    def read(self, topic, offsets=None):
        """Every record of a topic from the beginning (or from {partition: offset}) to its present end, per partition."""
        if offsets is None:
            if sum(self.end_offsets(topic).values()) == 0:
                return []
            return parse_records(self._read(topic, []))
        out = []
        for p, end in self.end_offsets(topic).items():
            start = offsets.get(p, 0)
            if start < end:
                out += parse_records(self._read(topic, ["-p", str(p), "-o", str(start)]))
        return out

    def _read(self, topic, args):
        return self._kcat(["-C", "-t", topic, "-e", "-u", "-f", FORMAT, "-X", "fetch.message.max.bytes=9000000"]
                          + (args or ["-o", "beginning"]), b"")


def _raw(x):
    return b"" if x is None else x.encode() if isinstance(x, str) else x


def _one_line(r):
    return r[0] is not None and not set(_raw(r[0]) + _raw(r[1])) & {9, 10} and r[1] is not None and len(_raw(r[1])) > 0


def _partition(p):
    return [] if p is None else ["-p", str(p)]
