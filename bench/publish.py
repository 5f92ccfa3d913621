#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What one event ended, published by the daemon, and the same records by a bare producer, through the same broker.

    python3 bench/publish.py [--bin build/bin] [--mandates 200000]

1. `mandate-bench revoke-all --prepare` makes a database of mandates that one value ends
2. starts Kafka on loopback in a temporary folder, and mandated on that database
3. sends the event, and waits until as many revocations are on their topic
4. `mandate-bench republish` reads them and publishes them once more with nothing but librdkafka, as safely as the daemon does

JSON lines on stdout. The daemon's rate is that of everything: the ends are recorded, synced, encoded and published meanwhile.
"""
import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench import e2e  # noqa: E402
from tests.real.kafka import Kafka  # noqa: E402

WAIT_S = 300
TOPIC = "crm.ends"  # not the one that the database has read to an offset of its own


def recorded_s(daemon, before, count):
    """Seconds until `count` transitions more than before are recorded."""
    began = time.monotonic()
    while daemon.metric("mandated_transitions_total") - before < count:
        if time.monotonic() - began > WAIT_S:
            raise SystemExit("after %d s not all ends are recorded" % WAIT_S)
        time.sleep(0.05)
    return time.monotonic() - began


def run(options, folder):
    data = os.path.join(folder, "data")
    prepared = e2e.bench(options, "revoke-all", "--prepare", "--shape", "shared", "--mandates", str(options.mandates), "--dir", data)
    kafka = Kafka(os.path.join(folder, "kafka"), heap="1g").start()
    try:
        kafka.create({TOPIC: 1, "mandate.revocations": options.partitions, "bare.revocations": options.partitions,
                      "mandate.checkpoints": 1, "mandate.dead-letter": 1})
        daemon = e2e.Daemon(options, folder, kafka.servers, data)
        connector = pathlib.Path(folder, "crm.yaml")
        connector.write_text(connector.read_text().replace(e2e.TOPIC, TOPIC))
        daemon.process.argv.append("--accept-older-database")  # nobody signed checkpoints of what was made without a daemon
        daemon.start()
        try:
            before, cpu = daemon.metric("mandated_transitions_total"), e2e.thread_cpu(daemon.process.child.pid)
            deal = {"id": prepared["deal"], "status": "open", "amount": prepared["amount"], "score": 1, "a": True, "b": True, "c": True}
            began = time.monotonic()
            kafka.send(TOPIC, [(deal["id"], json.dumps(deal))])
            recorded = recorded_s(daemon, before, options.mandates)
            e2e.wait_for("the revocations", lambda: sum(kafka.end_offsets("mandate.revocations").values()) >= options.mandates, WAIT_S,
                         alive=daemon.process.check_alive)
            seconds = time.monotonic() - began
            threads = {k: round((v - cpu.get(k, 0)) / 1000.0 / options.mandates, 2)
                       for k, v in e2e.thread_cpu(daemon.process.child.pid).items()}
        finally:
            daemon.stop()
        e2e.say(record="publish", mandates=options.mandates, recorded_seconds=round(recorded, 3), readable_seconds=round(seconds, 3),
                threads_us={k: v for k, v in sorted(threads.items(), key=lambda e: -e[1]) if v >= 0.01})
        e2e.bench(options, "republish", "--servers", kafka.servers, "--messages", str(options.mandates))
    finally:
        kafka.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "build/bin"))
    parser.add_argument("--mandates", type=int, default=200000)
    parser.add_argument("--partitions", type=int, default=1)
    options = parser.parse_args()
    options.format = "json"
    e2e.say(record="run", benchmark="publish", when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), cores=os.cpu_count(),
            command="bench/publish.py " + " ".join(sys.argv[1:]), mandates=options.mandates, partitions=options.partitions)
    folder = tempfile.mkdtemp(prefix="bench-")
    try:
        run(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
