#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many mandates a second the daemon issues, each durable before its answer, and that they are.

    python3 bench/issue.py [--bin build/bin] [--mandates 100000] [--connections 64] [--dir FOLDER]

1. starts mandated with the embedded broker and a database in FOLDER (a temporary one; its file system counts)
2. issues mandates over HTTP on loopback, each with a condition of its own, from `connections` clients that each wait for the answer: a
   201 with the signed token, sent after the synced commit. The first tenth warms up and is not measured
3. kills the daemon (-9), starts it again, and asks for how many mandates there are: as many as were answered, or the run has failed

JSON lines on stdout. Generator and daemon share the machine. The CPU of the daemon is from /proc, with every thread.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.e2e import request  # noqa: E402
from tests.real.parts import Process, free_port, wait_for  # noqa: E402

CONFIG = """issuer: https://bench.example
data_dir: {folder}/data
entities: {folder}/entities.yaml
connectors: {folder}/crm.yaml
kafka: {{embedded: true}}
http: {{unix_socket: {folder}/m.sock, tcp: "127.0.0.1:{port}"}}
log: {{level: warn}}
"""
ENTITIES = "types:\n  crm.deal:\n    attributes: {status: string}\n"
CONNECTOR = """connector: crm
topics: [crm.deals]
decode: {format: json}
entities:
  - type: crm.deal
    id: value.id
    attributes: {status: value.status}
"""
PERCENTILES = ["50", "75", "90", "95", "99", "99.9", "99.99", "100"]


def cpu_seconds(pid):
    fields = pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def answers(socket):
    try:
        return request(socket, "GET", "/healthz")[0] == 200
    except OSError:
        return False


def metric(socket, name):
    text = request(socket, "GET", "/metrics")[1]
    found = re.findall(r"^%s(?:\{[^}]*\})? ([0-9.e+]+)$" % name, text, re.M)
    if not found:
        raise SystemExit("issue: the metric %s is not there" % name)
    return sum(float(value) for value in found)


def load(options, port, count, first):
    done = subprocess.run([os.path.join(options.bin, "mandate-bench"), "load", "--issue", "--port", str(port), "--first", str(first),
                           "--connections", str(options.connections), "--mandates", str(count), "--seconds", "600"],
                          stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit("issue: the generator failed")
    numbers = done.stdout.split()
    return int(numbers[0]), int(numbers[2]), float(numbers[3]), [int(n) / 1000 for n in numbers[4:-3]]  # then: how late, and what it cost


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", default=str(ROOT / "build" / "bin"))
    p.add_argument("--mandates", type=int, default=100000)
    p.add_argument("--connections", type=int, default=64)
    p.add_argument("--dir")
    options = p.parse_args()
    if options.connections < 1 or options.mandates < 20 * options.connections:
        p.error("--mandates must be at least 20 for each of --connections")
    folder = options.dir or tempfile.mkdtemp(prefix="mandate-issue-")
    port = free_port()
    for name, text in (("mandated.yaml", CONFIG.format(folder=folder, port=port)), ("entities.yaml", ENTITIES), ("crm.yaml", CONNECTOR)):
        pathlib.Path(folder, name).write_text(text)
    socket = os.path.join(folder, "m.sock")
    daemon = Process("mandated", [os.path.join(options.bin, "mandated"), "--config", os.path.join(folder, "mandated.yaml")], folder)
    try:
        daemon.start()
        wait_for("the API", lambda: answers(socket), 60, alive=daemon.check_alive)
        warm = options.mandates // 10
        done, failed, _, _ = load(options, port, warm, 0)
        before = cpu_seconds(daemon.child.pid)
        more, failed_more, seconds, us = load(options, port, options.mandates - warm, warm)
        cpu = cpu_seconds(daemon.child.pid) - before
        daemon.kill()
        daemon.start()
        wait_for("the API", lambda: answers(socket), 60, alive=daemon.check_alive)
        there = int(metric(socket, "mandated_mandates"))
    finally:
        daemon.stop()
        if not options.dir:
            shutil.rmtree(folder, ignore_errors=True)
    good = failed + failed_more == 0 and there == done + more == options.mandates
    print(json.dumps({"record": "issue", "mandates": options.mandates, "connections": options.connections, "seconds": round(seconds, 3),
                      "per_second": round(more / seconds), "daemon_cpu_us": round(cpu / more * 1e6, 1), "failed": failed + failed_more,
                      "after_kill": there, "latency_us": dict(zip(PERCENTILES, us)), "ok": good}), flush=True)
    print(json.dumps({"record": "bar", "bar": "mandates issued, durable and signed before the answer", "figure": round(more / seconds),
                      "unit": "a second", "limit": ">= 10,000", "met": more / seconds >= 10000}), flush=True)
    print("issue: %d a second, durable and signed, %.0f us of the daemon's CPU each, p99 %.1f ms; %d of %d there after kill -9"
          % (more / seconds, cpu / more * 1e6, us[4] / 1000, there, options.mandates), file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
