# SPDX-License-Identifier: Apache-2.0
"""./dev bench quick: what is promised, measured in five minutes, each with its figure and "met" or "short".

    python3 -m bench.bars [--celgo PROGRAM] [--drools PROGRAM]

Runs mandate-bench and keeps what it prints in build/bench/*.jsonl, where `./dev bench report` reads it. Any command of
mandate-bench can add bars of its own by printing {"record":"bar","bar":...,"figure":...,"limit":...,"unit":...,"met":...}.
Times are CPU times of the measured thread where that can be had; the machine's load stands in the first line.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BENCH = os.path.join(ROOT, "build", "bin", "mandate-bench")
OUT = os.path.join(ROOT, "build", "bench")
BUDGET_S = 290  # of all commands together


class Runs:
    def __init__(self):
        self.until = time.monotonic() + BUDGET_S
        self.records = {}
        self.why = {}
        os.makedirs(OUT, exist_ok=True)

    def run(self, name, *arguments):
        left = self.until - time.monotonic()
        if left < 5:
            self.why[name] = "five minutes were over"
            return
        try:
            done = subprocess.run([BENCH, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", timeout=left)
        except subprocess.TimeoutExpired:
            self.why[name] = "five minutes were over"
            return
        if done.returncode != 0:
            self.why[name] = (done.stderr.strip().splitlines() or ["exit %d" % done.returncode])[-1]
            return
        self.records[name] = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        with open(os.path.join(OUT, name + ".jsonl"), "w", encoding="utf-8") as f:
            f.write(done.stdout)

    def get(self, name, **wanted):
        """The record of a run that has these members, or None."""
        for r in self.records.get(name, []):
            if all(r.get(k) == v for k, v in wanted.items()):
                return r
        return None


def measure(runs, celgo, drools):
    java = ("--drools", drools) if drools else ()
    more = (("--celgo", celgo) if celgo else ()) + java
    runs.run("flat-10k", "peers", "--only", "--mandates", "10000", "--fanout", "50", "--changes", "50000")
    runs.run("peers-100", "peers", "--mandates", "100000", "--fanout", "100", "--changes", "10000", *more)
    runs.run("peers-10", "peers", "--mandates", "10000", "--fanout", "10", "--changes", "20000", *more)
    runs.run("own-constants", "peers", "--only", "--mandates", "100000", "--fanout", "50", "--changes", "20000", "--shape", "threshold")
    runs.run("cases", "cases", "--quick", *java)
    runs.run("check", "check", "--seconds", "2")
    runs.run("flat-1m", "peers", "--only", "--mandates", "1000000", "--fanout", "50", "--changes", "50000")
    runs.run("verify", "verify")
    runs.run("issue", "issue", "--mandates", "30000")
    with tempfile.TemporaryDirectory() as folder:
        runs.run("recover", "recover", "--mandates", "1000000", "--dir", os.path.join(folder, "a"))
        runs.run("revoke-all", "revoke-all", "--mandates", "50000", "--shape", "own", "--dir", os.path.join(folder, "b"))


def ratio(runs, name, arm):
    r = runs.get(name, record="peer", arm=arm)
    return r and r["index_is_faster"]


def figure(record, key):
    return record and record.get(key)


def bars(runs):
    """(what, figure or None, unit, limit, at least?, where it comes from)"""
    index = {n: runs.get(n, record="peer", arm="index") for n in ("flat-10k", "flat-1m", "peers-100", "own-constants")}
    flat = index["flat-10k"] and index["flat-1m"] and index["flat-1m"]["ns_per_change"] / index["flat-10k"]["ns_per_change"]
    thresholds = runs.get("cases", case="thresholds")
    http, open_loop = (runs.get("check", load=n) for n in ("closed_loop", "open_loop_20k"))
    inside = runs.get("check", way="in_process")
    restart, ends = runs.get("recover", record="recover"), runs.get("revoke-all", record="revoke_all")
    beside = ends and ends["step_ms_during"]["p50"] / ends["step_ms_before"]["p50"]
    return [
        ("a change costs the same at 1 M mandates as at 10 k (10 M: ./dev bench report --full)", flat, "x", 1.5, False, "flat-1m"),
        ("condition engine, fan-out 50, 1 M mandates", figure(index["flat-1m"], "ns_per_change"), "ns a change", 500, False, "flat-1m"),
        ("binding a mandate of a known template", figure(index["own-constants"], "load_ns_per_mandate"), "ns", 2000, False, "own-constants"),
        ("memory of a mandate, shared condition", figure(index["flat-1m"], "bytes_per_mandate"), "bytes", 48, False, "flat-1m"),
        ("memory of a mandate, own constants", figure(index["own-constants"], "bytes_per_mandate"), "bytes", 96, False, "own-constants"),
        ("against the loop by hand, fan-out 100", ratio(runs, "peers-100", "c_loop"), "x faster", 3, True, "peers-100"),
        ("against the loop by hand, packed by entity, fan-out 100", ratio(runs, "peers-100", "c_loop_packed"), "x faster", 3, True, "peers-100"),
        ("against our naive evaluation, fan-out 100", ratio(runs, "peers-100", "naive_cel"), "x faster", 10, True, "peers-100"),
        ("against CLIPS, fan-out 100", ratio(runs, "peers-100", "clips"), "x faster", 100, True, "peers-100"),
        ("against cel-go with an inverted index, fan-out 100", ratio(runs, "peers-100", "celgo"), "x faster", 25, True, "peers-100"),
        ("against Drools, fan-out 100", ratio(runs, "peers-100", "drools"), "x faster", 100, True, "peers-100"),
        ("against Drools, 10,000 thresholds", thresholds and "drools_ns" in thresholds and thresholds["drools_ns"] / thresholds["ns_per_flip"] or None,
         "x faster", 100, True, "cases"),
        ("against the loop by hand, 10,000 thresholds",
         thresholds and thresholds["c_loop_ns"] / thresholds["index_ns"], "x faster", 100, True, "cases"),
        ("10,000 thresholds on one attribute, one flip", figure(thresholds, "ns_per_flip"), "ns", 200, False, "cases"),
        ("check in process", figure(inside, "ns"), "ns", 1000, False, "check"),
        ("check over HTTP, one server thread", figure(http, "requests_per_second"), "a second", 100000, True, "check"),
        ("check over HTTP, the server's CPU", figure(http, "server_cpu_us"), "us", 8, False, "check"),
        ("restart with 1 M mandates, their conditions bound", figure(restart, "ready_ms"), "ms", 2000, False, "recover"),
        ("what a set of records waits while very many ends are recorded, against before", beside, "x", 2, False, "revoke-all"),
        ("check over HTTP, p99 at 20,000 a second", open_loop and open_loop["latency_us"]["99"], "us", 500, False, "check"),
    ]


# Proved elsewhere: no times.
ELSEWHERE = [
    ("nothing is allocated for a change after warm-up: a test with a counting allocator", "0"),
]


def kept(name):
    """What the last ./dev bench e2e of this kind left behind; [] when there is none."""
    try:
        with open(os.path.join(OUT, name + ".jsonl"), encoding="utf-8") as f:
            return [json.loads(line) for line in f]
    except OSError:
        return []


def end_to_end():
    """Rows of what needs a real Kafka, from its own last run: this command has no time for one."""
    def row(what, figure, unit, met, bar, records):
        when = records[0]["when"] if records else None
        said = "%.3g %s (%s)" % (figure, unit, when) if figure is not None else "./dev bench e2e has not been run here"
        return (what, said, bar, "?" if figure is None else "met" if met(figure) else "SHORT")

    avro, slow = kept("e2e-avro"), kept("e2e-avro-latency")
    share = next((r["share"] for r in avro or slow if r["record"] == "share"), None)
    half = next((after["acked_to_readable_ms"]["p99"] for r, after in zip(slow, slow[1:])
                 if r["record"] == "load" and r.get("share") == 0.5 and "acked_to_readable_ms" in after), None)
    return [row("Avro end to end as a share of a bare consumer", share, "of bare", lambda x: x >= 0.55, ">= 0.55", avro or slow),
            row("event to readable revocation, p99 at half load (e2e --latency)", half, "ms", lambda x: x <= 5, "<= 5 ms", slow)]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--celgo")
    options.add_argument("--drools")
    o = options.parse_args()
    runs = Runs()
    started = time.monotonic()
    print("load of the machine before: %.1f (times of threads do not count others' work, caches do)" % os.getloadavg()[0])
    measure(runs, o.celgo, o.drools)
    short = 0
    rows = []
    for what, value, unit, limit, at_least, source in bars(runs):
        bar = "%s %s %s" % (">=" if at_least else "<=", "{:,g}".format(limit), unit)
        if value is None:
            rows.append((what, "not measured: %s" % runs.why.get(source, "not here"), bar, "?"))
            continue
        met = value >= limit if at_least else value <= limit
        short += not met
        rows.append((what, "{:,.4g} {}".format(value, unit) if value < 1000 else "{:,.0f} {}".format(value, unit), bar,
                     "met" if met else "SHORT"))
    for name, records in runs.records.items():
        for r in records:
            if r.get("record") == "bar":
                short += not r["met"]
                rows.append((r["bar"], "%s %s" % (r["figure"], r.get("unit", "")), str(r["limit"]), "met" if r["met"] else "SHORT"))
    measured_apart = end_to_end()
    short += sum(r[3] == "SHORT" for r in measured_apart)
    rows += measured_apart
    rows += [(what, "not measured here", bar, "?") for what, bar in ELSEWHERE]
    width = max(len(r[0]) for r in rows)
    for what, value, bar, verdict in rows:
        print("%-*s  %-28s %-24s %s" % (width, what, value, bar, verdict))
    print("%d short, %.0f s, records in build/bench" % (short, time.monotonic() - started))
    with open(os.path.join(OUT, "bars.json"), "w", encoding="utf-8") as f:
        json.dump(rows, f, indent=1)


if __name__ == "__main__":
    main()
