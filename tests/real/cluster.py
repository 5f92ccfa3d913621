# SPDX-License-Identifier: Apache-2.0
"""Three brokers of a real Kafka (each a controller as well), every topic on all three, two of them enough to write."""
import os
import signal

from tests.real import wire
from tests.real.kafka import Kafka, new_cluster_id, parse_records, FORMAT
from tests.real.parts import free_port, wait_for


class Cluster:
    def __init__(self, folder, version="kafka39", size=3):
        controllers, cluster = {n: free_port() for n in range(1, size + 1)}, new_cluster_id()
        self.brokers = [Kafka(os.path.join(folder, "broker-%d" % n), heap="256m", version=version, node=n, controllers=controllers,
                              cluster_id=cluster) for n in controllers]

    @property
    def servers(self):
        return ",".join(b.servers for b in self.brokers)

    def start(self):
        for b in self.brokers:
            b.prepare()
            b.process.start()
        for b in self.brokers:
            b.process.wait_ready("an answer to a metadata request", b._answers, 90)
        return self

    def stop(self):
        for b in self.brokers:
            b.process.kill()

    def running(self):
        return [b for b in self.brokers if b.process.running()]

    def create(self, topics):
        """Partitions by name."""
        self.brokers[0].create(topics, {t: {"min.insync.replicas": "2"} for t in topics})

    def in_step(self, topics, count):
        """Waits until that many replicas of every partition are in step."""
        def probe():
            try:
                return all(wire.in_step(b.port, t) >= count for t in topics for b in self.running())
            except OSError:
                return False
        wait_for("%d replicas in step" % count, probe, 60, every_s=0.2)

    def signal(self, broker, number):
        os.kill(broker.process.child.pid, number)

    def pause(self, broker):
        self.signal(broker, signal.SIGSTOP)

    def resume(self, broker):
        self.signal(broker, signal.SIGCONT)

    def again(self, broker):
        """Starts one that was stopped or killed, without waiting."""
        broker.process.start()

    def write(self, topic, lines):
        """Keys and values with a tab between them; acknowledged when it returns."""
        servers = ",".join(b.servers for b in self.running())
        self.brokers[0]._kcat(["-P", "-t", topic, "-K", "\t", "-X", "acks=all"], lines, servers)

    def read(self, topic):
        servers = ",".join(b.servers for b in self.running())
        return parse_records(self.brokers[0]._kcat(["-C", "-t", topic, "-e", "-u", "-f", FORMAT, "-o", "beginning"], b"", servers))
