#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The expressions of `mandate-bench cel`, by us and by other implementations of CEL, in one run.

    bench/peers.py [--bin build/bin/mandate-bench] [--work build/peers]

A peer runs when its toolchain is present (go, cargo). JSON lines on standard output, a table on standard error.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def build_go(work):
    subprocess.run(["go", "build", "-o", os.path.join(work, "cel-go"), "."], cwd=os.path.join(HERE, "peers", "cel-go"), check=True,
                   stdout=sys.stderr)
    return [os.path.join(work, "cel-go")]


def build_rust(work):
    env = dict(os.environ, CARGO_TARGET_DIR=os.path.join(work, "rust"))
    subprocess.run(["cargo", "build", "--release"], cwd=os.path.join(HERE, "peers", "cel-rust"), check=True, env=env,
                   stdout=sys.stderr)
    return [os.path.join(work, "rust", "release", "cel-rust-peer")]


PEERS = (("go", build_go), ("cargo", build_rust))


def records(argv, text=None):
    done = subprocess.run(argv, input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def cell(record, key, form):
    return form % record[key] if record and key in record else "-" if not record else "no"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--bin", default=os.path.join(os.path.dirname(HERE), "build", "bin", "mandate-bench"))
    options.add_argument("--work", default=os.path.join(os.path.dirname(HERE), "build", "peers"))
    o = options.parse_args()
    work = os.path.abspath(o.work)
    os.makedirs(work, exist_ok=True)
    listing = subprocess.run([o.bin, "cel", "--expressions"], text=True, stdout=subprocess.PIPE, check=True).stdout
    commands = []
    for tool, build in PEERS:
        if shutil.which(tool):
            commands.append(build(work))
        else:
            print("%s is not installed: left out" % tool, file=sys.stderr)
    ours = [r for r in records([o.bin, "cel"]) if r["record"] == "eval"]
    columns = [("mandate", {r["what"]: r for r in ours})]
    for command in commands:
        theirs = records(command, listing)
        columns.append((theirs[0]["peer"], {r["what"]: r for r in theirs}))
    for _, column in columns:
        for record in column.values():
            print(json.dumps(record, sort_keys=True))
    print("%-32s" % "evaluation ns; compile us; bytes" + "".join("%28s" % name for name, _ in columns), file=sys.stderr)
    for line in listing.splitlines():
        what = line.split("\t")[0]
        cells = ["%s; %s; %s" % (cell(c.get(what), "ns", "%.1f"), cell(c.get(what), "compile_us", "%.1f"), cell(c.get(what), "bytes", "%d"))
                 for _, c in columns]
        print("%-32s" % what + "".join("%28s" % c for c in cells), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
