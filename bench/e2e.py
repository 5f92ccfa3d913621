#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The end-to-end benchmark: a real Apache Kafka, the bare librdkafka consumer, and then mandated, on the same topic.

    python3 bench/e2e.py [--bin build/bin] [--format avro] [--messages 3000000] [--deals 1000000] [--mandates 1000] [--runs 3]
    python3 bench/e2e.py --messages 200000 --deals 200000 --runs 1 --mandates 1000 --rate 20000      # latency only, within a minute

1. starts Kafka on loopback in a temporary folder (tests/real), makes the topics
2. starts mandated, issues the mandates (each `while` reads one deal), stops it
3. fills the topic with the workload's changes
4. reads the topic with `mandate-bench consume`, `runs` times
5. starts mandated on a copy of its database, `runs` times, and waits until its metrics say that every record went through
   the engine and was committed

--format avro (8 fields, Confluent framing, schemas from a registry on loopback), debezium (about 770 bytes of JSON) or json.

JSON lines on stdout. The rate of either is records over the time from its first record to its last; `share` is the
daemon's median over the bare consumer's. `threads` is the CPU a record of every thread of the daemon, in microseconds. Broker, daemon and consumer share the machine: the share is the result, the
rates are only where it comes from.
"""
import argparse
import http.client
import http.server
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench import latency  # noqa: E402
from tests.real.kafka import Kafka  # noqa: E402
from tests.real.parts import Process, wait_for  # noqa: E402

TOPIC = "crm.deals"
# With --latency the broker's collector has nothing to do within a run, or nearly: its pauses are nobody's figure here.
BROKER_JVM = ["-Xms1g", "-Xmn700m", "-XX:+AlwaysPreTouch", "-XX:+UseParallelGC", "-XX:TieredStopAtLevel=1"]
STATUSES = ["draft", "open", "review", "offer", "signing", "won", "lost", "archived"]

CONFIG = """issuer: https://bench.example
data_dir: {data}
entities: {folder}/entities.yaml
connectors: {folder}/crm.yaml
kafka: {{bootstrap_servers: "{servers}"}}
http: {{unix_socket: {socket}}}
log: {{level: warn}}
"""
ENTITIES = """types:
  crm.deal:
    attributes: {status: string, amount: int, score: int, a: bool, b: bool, c: bool}
"""
CONNECTOR = """connector: crm
topics: [crm.deals]
decode: {decode}
entities:
  - type: crm.deal
    id: {row}.id
    attributes: {{status: {row}.status, amount: {row}.amount, score: {row}.score, a: {row}.a, b: {row}.b, c: {row}.c}}
{more}on_error: halt
"""
DECODE = {"json": ("{format: json, key_format: none}", "value", ""),
          "debezium": ("{format: json, key_format: none, envelope: debezium}", "after", "event_time: source.ts_ms\n"),
          "avro": ("{format: avro, framing: confluent-prefix, key_format: none, registry: \"%s\"}", "value", "event_time: value.updated_at\n")}
AVRO = {"type": "record", "name": "Deal", "fields": [
    {"name": "id", "type": "string"}, {"name": "status", "type": "string"}, {"name": "amount", "type": "long"},
    {"name": "score", "type": "long"}, {"name": "a", "type": "boolean"}, {"name": "b", "type": "boolean"},
    {"name": "c", "type": "boolean"}, {"name": "updated_at", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}


class Registry(http.server.BaseHTTPRequestHandler):
    """GET /schemas/ids/1: all that a consumer asks of a schema registry."""

    def do_GET(self):
        found = self.path.split("?")[0] == "/schemas/ids/1"
        body = json.dumps({"schema": json.dumps(AVRO)} if found else {"error_code": 40403, "message": "no such schema"}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def registry():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_port


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def request(path, method, url, body=None):
    c = UnixConnection(path)
    try:
        c.request(method, url, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        answer = c.getresponse()
        return answer.status, answer.read().decode()
    finally:
        c.close()


class Daemon:
    def __init__(self, options, folder, servers, data):
        # A socket's path is short.
        self.socket = os.path.join(folder, "m.sock")
        config = os.path.join(folder, "mandated.yaml")
        pathlib.Path(config).write_text(CONFIG.format(data=data, folder=folder, servers=servers, socket=self.socket))
        pathlib.Path(folder, "entities.yaml").write_text(ENTITIES)
        decode, row, more = DECODE[options.format]
        decode = decode % options.registry if options.format == "avro" else decode
        pathlib.Path(folder, "crm.yaml").write_text(CONNECTOR.format(decode=decode, row=row, more=more))
        self.process = Process("mandated", [os.path.join(options.bin, "mandated"), "--config", config], folder)

    def start(self):
        self.process.start()
        wait_for("the API", self._answers, 60, alive=self.process.check_alive)
        return self

    def _answers(self):
        try:
            return request(self.socket, "GET", "/healthz")[0] < 500
        except OSError:
            return False

    def text(self):
        return request(self.socket, "GET", "/metrics")[1]

    def metric(self, name, label=""):
        """Sum over the labels, or of those series that have this one."""
        self.process.check_alive()
        try:
            text = self.text()
        except OSError:
            return 0.0
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name and label in line)

    def issue(self, number):
        body = {"id": "m-%08d" % number, "grantor": "user:grantor", "agent": "agent:one", "purpose": "a benchmark",
                "scope": {"actions": ["*"], "resources": ["*"]},
                "params": {"deal": "deal-%d" % number, "amount": -1},
                "while": "crm.deal[mandate.params.deal].amount > mandate.params.amount && "
                         "crm.deal[mandate.params.deal].status in %s" % json.dumps(STATUSES),
                "expires_at": "2100-01-01T00:00:00Z"}
        status, text = request(self.socket, "POST", "/v1/mandates", body)
        if status not in (200, 201):
            raise SystemExit("issuing: %d %s" % (status, text))

    def stop(self):
        self.process.stop()


SAID = []
KEPT = ROOT / "build/bench"  # where bench/bars.py and bench/report.py look


def say(**record):
    SAID.append(json.dumps(record))
    print(SAID[-1], flush=True)


def bench(options, *argv, may_fail=False):
    done = subprocess.run([os.path.join(options.bin, "mandate-bench"), *argv], stdout=subprocess.PIPE, text=True)
    if done.returncode and not (may_fail and done.stdout):
        sys.stderr.write(done.stdout)
        raise SystemExit("mandate-bench %s failed" % " ".join(argv))
    record = json.loads(done.stdout.splitlines()[-1])
    say(**record)
    return record


def thread_cpu(pid):
    """Nanoseconds on a CPU of every thread, by name (numbers at the end of a name taken off: a pool is one)."""
    out = {}
    for task in pathlib.Path("/proc/%d/task" % pid).iterdir():
        try:
            name = (task / "comm").read_text().strip().rstrip("0123456789")
            out[name] = out.get(name, 0) + int((task / "schedstat").read_text().split()[0])
        except OSError:
            pass  # it ended meanwhile
    return out


def measure(options, folder, servers, data, then=None):
    daemon = Daemon(options, folder, servers, data).start()
    name, first, first_at, cpu = "mandated_engine_changes_total", 0.0, None, {}
    began, deadline = time.monotonic(), time.monotonic() + 600
    try:
        while True:
            done = daemon.metric(name)
            now = time.monotonic()
            if first_at is None and done > 0:
                first, first_at, cpu = done, now, thread_cpu(daemon.process.child.pid)
            if done >= options.messages:
                break
            if now > deadline:
                raise SystemExit("after ten minutes %d of %d records are through" % (done, options.messages))
            time.sleep(0.02)
        if first > options.messages / 2:  # so few that the first look saw most: from the start, then
            first, first_at, cpu = 0.0, began, {}
        seconds, records = now - first_at, options.messages - first
        spent = {k: (v - cpu.get(k, 0)) / 1000.0 / records for k, v in thread_cpu(daemon.process.child.pid).items()}
        batches = daemon.metric("mandated_batches_total")
        step, commit = daemon.metric("mandated_step_seconds_sum"), daemon.metric("mandated_commit_seconds_sum")
        rate = records / seconds
        applied = daemon.metric(name, 'outcome="applied"')
        if applied != options.messages:
            raise SystemExit("%d records, and %d changes that were applied" % (options.messages, applied))
        say(record="mandated", messages=options.messages, applied=round(applied), first_seen=round(first), seconds=round(seconds, 3), per_second=round(rate),
            cpu_us_per_record=round(sum(spent.values()), 3), batches=batches,
            threads={k: round(v, 3) for k, v in sorted(spent.items(), key=lambda e: -e[1]) if v >= 0.001}, step_seconds=round(step, 3), commit_seconds=round(commit, 3))
        if then:
            then(rate, daemon)
        return rate
    finally:
        daemon.stop()


def beside(options, folder, kafka):
    """Latency, once the daemon has read what is there."""
    def then(drained, daemon):
        loads = latency.Loads(lambda *a: bench(options, *a, may_fail=True), say, kafka, daemon, folder,
                              ("--topic", TOPIC, "--deals", str(options.deals), "--format", options.format))
        if options.rate:
            loads.at(options.rate, options.load_s, options.mandates)
        else:
            loads.shares(drained, options.mandates)
    return then


def run(options, folder):
    kafka = Kafka(os.path.join(folder, "kafka"), **(dict(heap="1g", jvm=BROKER_JVM + latency.gc_log(folder)) if options.latency else {"heap": "1g"})).start()
    try:
        kafka.create({TOPIC: options.partitions, "mandate.revocations": 1, "mandate.checkpoints": 1, "mandate.dead-letter": 1, **latency.TOPICS})
        data = os.path.join(folder, "data")
        daemon = Daemon(options, folder, kafka.servers, data).start()
        for i in range(options.mandates):
            daemon.issue(i)
        daemon.stop()
        made = bench(options, "produce", "--servers", kafka.servers, "--topic", TOPIC, "--messages", str(options.messages),
              "--deals", str(options.deals), "--seed", str(options.seed), "--format", options.format)
        read = [bench(options, "consume", "--servers", kafka.servers, "--topic", TOPIC) for _ in range(options.runs)]
        if any((r["messages"], r["bytes"]) != (made["messages"], made["bytes"]) for r in read):
            raise SystemExit("the bare consumer did not read what was produced")
        bare = [r["per_second"] for r in read]
        rates = []
        for i in range(options.runs):
            copy = os.path.join(folder, "data-%d" % i)
            shutil.copytree(data, copy)
            shutil.copy(data + ".checkpoint", copy + ".checkpoint")
            last = options.latency and i == options.runs - 1
            rates.append(measure(options, folder, kafka.servers, copy, beside(options, folder, kafka) if last else None))
            shutil.rmtree(copy)
        say(record="share", format=options.format, bare_per_second=round(statistics.median(bare)), mandated_per_second=round(statistics.median(rates)),
            share=round(statistics.median(rates) / statistics.median(bare), 4))
    finally:
        kafka.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "build/bin"))
    parser.add_argument("--format", choices=sorted(DECODE), default="avro")
    parser.add_argument("--messages", type=int, default=3000000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--deals", type=int, default=1000000)
    parser.add_argument("--mandates", type=int, default=1000, help="each reads a deal of its own")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--latency", action="store_true", help="afterwards, at 10, 50 and 80 %% of what can be sustained with the generator beside it; --mandates 3160 gives 1,000 ends each")
    parser.add_argument("--rate", type=int, nargs="+", help="--latency at so many events a second, one rate after the other, and nothing else: no search")
    parser.add_argument("--load-s", type=int, default=10, help="with --rate: seconds at each")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.latency = options.latency or bool(options.rate)
    if options.latency and not options.rate and options.mandates < latency.MANDATES_MIN:
        parser.error("--latency needs --mandates %d or more" % latency.MANDATES_MIN)
    say(record="run", benchmark="e2e", when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), cores=os.cpu_count(),
        command="bench/e2e.py " + " ".join(sys.argv[1:]), **{k: v for k, v in vars(options).items() if k != "bin"})
    folder = tempfile.mkdtemp(prefix="bench-")
    options.registry = registry()
    try:
        run(options, folder)
        if options.messages >= 1000000 and not options.rate:  # less says nothing about rates
            KEPT.mkdir(parents=True, exist_ok=True)
            (KEPT / ("e2e-%s%s.jsonl" % (options.format, "-latency" if options.latency else ""))).write_text("\n".join(SAID) + "\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
