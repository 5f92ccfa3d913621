#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of mandate-bench on small sizes: what they count is right, arms that differ are not reported. Never a time.

    test_commands.py BIN

Prints "ok   name" or "FAIL name" a test.
"""
import json
import os
import subprocess
import sys
import tempfile

BENCH = os.path.join(os.path.abspath(sys.argv[1]), "mandate-bench")
failed = 0


def report(name, good, why=""):
    global failed
    failed += not good
    print("%s %s" % ("ok  " if good else "FAIL", name), flush=True)
    if not good:
        print("       %s" % why, flush=True)


def run(*arguments):
    done = subprocess.run([BENCH, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", timeout=250)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


code, records, err = run("peers", "--mandates", "3000", "--fanout", "10", "--changes", "1024")
arms = {r["arm"]: r for r in records if r["record"] == "peer"}
report("peers: ours, the loop by hand and the naive arm count the same flips",
       code == 0 and {"index", "engine", "c_loop", "c_loop_packed", "naive_cel"} <= set(arms) and len({r["flips"] for r in arms.values()}) == 1, err)
report("peers: something flips", all(r["flips"] > 100 for r in arms.values()), err)
report("peers: the first record says which machine and command", records and records[0]["record"] == "run" and
       records[0]["command"].startswith("mandate-bench peers"), records[:1])
code, records, err = run("peers", "--mandates", "3000", "--fanout", "10", "--changes", "1024", "--shape", "threshold")
report("peers: thresholds too", code == 0 and len({r["flips"] for r in records if r["record"] == "peer"}) == 1, err)
with tempfile.TemporaryDirectory(prefix="bench-") as folder:
    for said, words in (("5 5 5 1.0 1.0 1.0", "does not count: 5 flips"), ("nothing", "not here")):
        program = os.path.join(folder, "peer")
        with open(program, "w") as f:
            f.write("#!/bin/sh\necho %s\n" % said)
        os.chmod(program, 0o755)
        code, records, err = run("peers", "--mandates", "3000", "--fanout", "10", "--changes", "1024", "--drools", program)
        report("peers: a program that says \"%s\" is left out" % said, code == 0 and "drools" not in [r.get("arm") for r in records] and
               words in err[err.index("drools"):], err)

for case, key, expected in (("references", "flips", 20480), ("timers", "served", 3000), ("storm", "attributes", 100000),
                            ("churn", "live", 20000)):
    code, records, err = run("cases", "--quick", "--timers", "3000", case)
    report("cases: %s counts what it must" % case, code == 0 and records[-1].get(key) == expected, err + str(records[-1:]))

code, records, err = run("check", "--mandates", "500", "--seconds", "0.3", "--events", "200", "--connections", "4")
by_load = {r.get("load", r.get("way")): r for r in records if r["record"] == "check"}
report("check: in process and over HTTP, every request answered",
       code == 0 and set(by_load) == {"in_process", "fixed_answer", "closed_loop", "open_loop_20k"} and
       all(r.get("failed", 0) == 0 for r in by_load.values()), err)
report("check: what the generator costs, and how late it is, is told beside", by_load.get("open_loop_20k", {}).get("generator", {})
       .get("cpu_us", 0) > 0 and "99" in by_load["open_loop_20k"]["generator"]["late_us"], err)
report("check: what is active is permitted", by_load.get("closed_loop", {}).get("permitted", 0) > 0, err)
code, records, err = run("issue", "--bin", sys.argv[1], "--mandates", "320", "--connections", "8")
report("issue: what was answered is there after kill -9",
       code == 0 and records[0].get("after_kill") == 320 and records[0].get("failed") == 0, err + str(records[-1:]))
with tempfile.TemporaryDirectory(prefix="bench-") as folder:
    code, records, err = run("recover", "--mandates", "1500", "--dir", os.path.join(folder, "recover"))
    last = records[-1] if records else {}
    report("recover: the state is the same, with all that it held",
           code == 0 and (last.get("record"), last.get("mandates"), last.get("entities"), last.get("same_state")) ==
           ("recover", 1500, 150, True), err + str(records[-1:]))
    for shape in ("own", "cascade"):
        code, records, err = run("revoke-all", "--mandates", "1500", "--shape", shape, "--dir", os.path.join(folder, shape))
        last = records[-1] if records else {}
        report("revoke-all: %s, all denied from the first commit and recorded once" % shape,
               code == 0 and (last.get("shape"), last.get("transitions"), last.get("denied_from_first_commit"), last.get("each_once")) ==
               (shape, 1500, True, True), err + str(records[-1:]))
for bad in (["peers", "--mandates", "0"], ["cases", "nothing"], ["check", "--seconds", "0"], ["replay"], ["load"],
            ["issue", "--mandates", "10"]):
    code, records, err = run(*bad)
    report("%s is refused" % " ".join(bad), code != 0 and not records, err)
sys.exit(1 if failed else 0)
