#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions of the hot paths, counted by callgrind on fixed inputs: what times cannot say on a busy machine.

    python3 bench/budget.py --bench build/bin/mandate-bench           fails when a path costs 5 % more than its budget
    python3 bench/budget.py --bench ... --print                       the figures, to write new budgets from

A budget is lowered when a path has become cheaper, and raised only with the reason in the commit. They hold for the release
build of Debian 12's compiler; without valgrind or that build the script says so and exits 77 (skipped).
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

MANDATES, FANOUT, CHANGES, WARMUP = 10000, 50, 2560, 256
SLACK = 1.05

RECORDS = 1024
CHECKS = 2000
ROWS = 20480


def engine(arm, shape):
    return ["engine", "--mandates", str(MANDATES), "--fanout", str(FANOUT), "--changes", str(CHANGES), "--shape", shape, "--arm", arm]


def decode(kind):
    return ["decode", "--only", str(kind), "1"]


def rows():
    return ["rows", "--deals", str(ROWS), "--rows", str(4 * ROWS)]


def check():
    return ["check", "--mandates", "1000", "--connections", "1", "--events", "0", "--requests", str(CHECKS)]


# (what is counted, arguments, function, times it works, instructions each time)
BUDGETS = [
    ("a change, equality", engine("index", "equality"), "bench_index_changes", CHANGES + WARMUP, 1075),
    ("a change, threshold", engine("index", "threshold"), "bench_index_changes", CHANGES + WARMUP, 905),
    ("a change, boolean", engine("index", "boolean"), "bench_index_changes", CHANGES + WARMUP, 1455),
    ("a change, nested", engine("index", "nested"), "bench_index_changes", CHANGES + WARMUP, 1365),
    ("binding, equality", engine("index", "equality"), "bench_bind", MANDATES, 1865),
    ("binding, nested", engine("index", "nested"), "bench_bind", MANDATES, 4090),
    ("engine_step, boolean", engine("step", "boolean"), "bench_step_changes", CHANGES + WARMUP, 6945),
    ("issuing, engine_step", engine("step", "threshold"), "bench_step_issues", MANDATES, 28175),
    # Every entity new once, then changed four times.
    ("a row of six, engine_step", rows(), "bench_rows_step", 5 * ROWS, 2360),
    ("Avro of 8 fields", decode(0), "bench_decode_records", RECORDS, 2030),
    ("Debezium Avro", decode(1), "bench_decode_records", RECORDS, 3500),
    ("Debezium JSON", decode(2), "bench_decode_records", RECORDS, 14610),
    # Ours and what of libmicrohttpd we call; parsing the request's head and sending the answer are outside.
    ("a check over HTTP", check(), "http_on_request", CHECKS, 10510),
]


def count(bench, arguments, function):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", f"--toggle-collect={function}", bench, *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"budget: {' '.join(done.args)} gave {done.returncode}:\n{done.stderr[-2000:]}")
    if found.group(1) == "0":
        sys.exit(f"budget: {function} is not there under its name: nothing was counted")
    return int(found.group(1))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bench", default="build/bin/mandate-bench")
    options.add_argument("--print", action="store_true")
    chosen = options.parse_args()
    if not shutil.which("valgrind"):
        print("budget: valgrind is not installed: nothing was counted")
        return 77
    if not os.path.exists(chosen.bench):
        print(f"budget: {chosen.bench} is not there: build the release preset")
        return 77
    over = 0
    for what, arguments, function, times, budget in BUDGETS:
        each = count(chosen.bench, arguments, function) / times
        bad = not chosen.print and each > budget * SLACK
        over += bad
        print(f"{what:26} {each:9.0f} instructions, budget {budget:7}{'   OVER' if bad else ''}", flush=True)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
