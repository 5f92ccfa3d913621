# SPDX-License-Identifier: Apache-2.0
"""python3 -m tests.conformance [--bin FOLDER] [--write] [NAME...]: the specification's own tests against our CEL.

Fetches the package (npm, exactly the bytes that package-lock.json names), sends each test through `mandatectl cel batch`
and compares. Three parts: the results of the conformance suite; the same suite's trees; the parser and checker goldens of the
reference implementation, trees and types. expected.txt lists what does not pass, by reason. A test that is on the list and
passes fails the run; so does one that is not and fails. --write writes the list anew, for a person to read.

The last line is "conformance: N passed, N failed"; listed tests count as neither.
"""
import collections
import copy
import json
import os
import shutil
import subprocess
import sys

from tests.conformance import judge, value

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
HOME = os.path.join(ROOT, "build", "conformance")
LIST = os.path.join(HERE, "expected.txt")
COUNTS = {"conformance": 2344, "parsing": 194, "checking": 135, "comprehension": 92}

# The declarations that the reference implementation's checker tests have besides their own.
SIMPLE = {"is": {"primitive": "STRING"}, "ii": {"primitive": "INT64"}, "iu": {"primitive": "UINT64"},
          "iz": {"primitive": "BOOL"}, "id": {"primitive": "DOUBLE"}, "ib": {"primitive": "BYTES"}, "ix": {"null": None}}
CHECKER_ENV = [{"name": n, "ident": {"type": t}} for n, t in SIMPLE.items()] + [
    {"name": "fg_s", "function": {"overloads": [{"overloadId": "fg_s_0", "resultType": SIMPLE["is"]}]}},
    {"name": "fi_s_s", "function": {"overloads": [{"overloadId": "fi_s_s_0", "params": [SIMPLE["is"]],
                                                   "isInstanceFunction": True, "resultType": SIMPLE["is"]}]}}]

PROTOBUF = "needs a protobuf message"
REASONS = {
    PROTOBUF: lambda t: any(w in json.dumps(t) for w in ("conformance.proto", "google.protobuf.", "google.expr.proto")),
    "the golden was made with quoted names switched off; they are part of the language here":
        lambda t: "unsupported syntax: '`'" in t.get("error", ""),
    "the golden was made with comparisons across number types switched off":
        lambda t: "'(int, double)'" in t.get("error", "") and "1.0" in t["test"]["expr"],
    "the golden was made with a limit of 32 on the height of the tree, of which ours has 256":
        lambda t: "recursion" in t.get("error", ""),
}


def same(path, other):
    return os.path.exists(other) and open(path, "rb").read() == open(other, "rb").read()


def fetch():
    """The package when the lock has changed; its tests as JSON lines when dump.mjs has."""
    lock, dump = os.path.join(HERE, "package-lock.json"), os.path.join(HERE, "dump.mjs")
    fetched, dumped = os.path.join(HOME, "fetched"), os.path.join(HOME, "dumped")
    if not same(lock, fetched):
        shutil.rmtree(HOME, ignore_errors=True)
        os.makedirs(HOME)
        shutil.copy(os.path.join(HERE, "package.json"), HOME)
        shutil.copy(lock, HOME)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"], cwd=HOME, check=True)
        shutil.copy(lock, fetched)
    if not same(dump, dumped):
        subprocess.run(["node", dump, HOME, HOME], check=True)
        shutil.copy(dump, dumped)


def read(name):
    """The tests of one suite, each with a key that is its own."""
    seen, out = collections.Counter(), []
    for number, line in enumerate(open(os.path.join(HOME, name + ".jsonl"), encoding="utf-8"), 1):
        t = json.loads(line)
        key = "/".join(t["suite"] + [t["test"]["name"]]) if t["suite"] else \
            "%s/%d %s" % (name, number, json.dumps(t["test"]["expr"])[:60])
        seen[key] += 1
        t["key"] = key + ("#%d" % seen[key] if seen[key] > 1 else "")
        out.append(t)
    if len(out) != COUNTS[name]:
        sys.exit("the suite %s has %d tests, not %d" % (name, len(out), COUNTS[name]))
    return out


def drive(binary, tests, *options):
    lines = "".join(json.dumps(t) + "\n" for t in tests)
    done = subprocess.run([binary, "cel", "batch", *options], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    if [a["name"] for a in answers] != [t.get("name", "") for t in tests]:
        sys.exit("cel batch did not answer each line in order")
    return answers


def results(binary):
    tests = read("conformance")
    for t, a in zip(tests, drive(binary, [t["test"] for t in tests])):
        yield t, t["key"], judge.result(t["test"], a), a


def trees(binary):
    """As parsed, without the libraries, which is how the goldens were made."""
    tests = read("conformance")
    asked = [{k: v for k, v in t["test"].items() if k not in ("bindings", "typeEnv")} for t in tests]
    for t, a in zip(tests, drive(binary, asked, "--libraries", "none", "--trees")):
        yield t, "tree " + t["key"], judge.tree(t, a, checked=False), a


def goldens(binary):
    for name in ("parsing", "checking", "comprehension"):
        tests = read(name)
        asked = [dict(t["test"]) for t in tests]
        for t in asked if name == "checking" else []:
            t.setdefault("typeEnv", CHECKER_ENV)
        plain = drive(binary, asked, "--libraries", "none", "--trees")
        # The checker tests know the functions of optional values, but not their syntax.
        full = drive(binary, asked, "--libraries", "optional", "--trees") if name == "checking" else plain
        for t, p, f in zip(tests, plain, full):
            wrong = judge.tree(t, p, checked=False) or judge.tree(t, f if "ast" in t else p, checked=True)
            yield t, t["key"], wrong, f


def listed():
    out, reason = {}, None
    for line in open(LIST, encoding="utf-8").read().splitlines():
        if line.startswith("## "):
            reason = line[3:]
            if reason not in REASONS:
                sys.exit("expected.txt: there is no reason '%s'" % reason)
        elif line and not line.startswith("# "):
            out[line] = reason
    return out


def write_list(failing):
    groups = collections.OrderedDict((r, []) for r in REASONS)
    for t, key, wrong, _ in failing:
        switched = wrong in ("it should not parse", "it should not check")
        reason = next((r for r in REASONS if (r == PROTOBUF) != switched and REASONS[r](t)), None)
        if not reason:
            print("no reason fits: %s: %s" % (key, wrong))
            continue
        groups[reason].append(key)
    with open(LIST, "w", encoding="utf-8") as f:
        f.write("# SPDX-License-Identifier: Apache-2.0\n# What does not pass, by reason (see __main__.py).\n")
        for reason, keys in groups.items():
            f.write("\n## %s\n" % reason + "".join(k + "\n" for k in sorted(keys)))


def perturbed(v):
    """Another value of the same kind, or of another one."""
    (kind, content), = v.items()
    other = {"boolValue": lambda: not content, "int64Value": lambda: str(int(content) ^ 1),
             "uint64Value": lambda: str(int(content) ^ 1), "stringValue": lambda: content + "x",
             "typeValue": lambda: "int" if content != "int" else "uint",
             "listValue": lambda: {"values": content.get("values", []) + [{"nullValue": None}]}}
    return {kind: other[kind]()} if kind in other else {"stringValue": "no such value"}


def judge_is_awake(passed):
    """A judge that takes anything proves nothing: with another expectation every test that passed must fail."""
    for t, key, _, answer in passed:
        test = copy.deepcopy(t["test"])
        if "evalError" in test:
            test["value"] = {"boolValue": True}
            del test["evalError"]
        elif "typedResult" in test:
            test["typedResult"]["deducedType"] = {"messageType": "none"}
        else:
            test["value"] = perturbed(test.get("value", {"boolValue": True}))
        if judge.result(test, answer) is None:
            return "%s passes with another expectation as well" % key
    return None if value.equal({"doubleValue": "NaN"}, {"doubleValue": "NaN"}) else "NaN is not NaN"


def main(argv):
    binaries = os.path.join(ROOT, "build", "dev", "bin")
    write = "--write" in argv
    names = [a for a in argv if not a.startswith("--")]
    if "--bin" in argv:
        binaries = names.pop(0)
    binary = os.path.join(binaries, "mandatectl")
    fetch()
    expected, passed, failed, failing, total_listed = {} if write else listed(), 0, [], [], 0
    known = set()
    for title, part in (("results", results), ("trees", trees), ("goldens", goldens)):
        counts, good = collections.Counter(), []
        for t, key, wrong, answer in part(binary):
            known.add(key)
            if names and not any(n in key for n in names):
                continue
            counts["all"] += 1
            if wrong:
                failing.append((t, key, wrong, answer))
            else:
                good.append((t, key, wrong, answer))
            if key in expected:
                counts["listed"] += 1
                if not wrong:
                    failed.append("%s: passes, but stands in expected.txt (%s)" % (key, expected[key]))
                elif not REASONS[expected[key]](t):
                    failed.append("%s: the reason in expected.txt does not fit: %s" % (key, expected[key]))
            elif wrong:
                failed.append("%s: %s" % (key, wrong))
            else:
                passed += 1
                counts["passed"] += 1
        if title == "results":
            asleep = judge_is_awake(good)
            failed += [asleep] if asleep else []
        total_listed += counts["listed"]
        print("ok   %-8s %d of %d pass, %d are listed" % (title, counts["passed"], counts["all"], counts["listed"]), flush=True)
    if write:
        write_list(failing)
        print("%s written: %d entries" % (LIST, len(failing)))
        return 0
    failed += ["%s: stands in expected.txt, but there is no such test" % k for k in expected if k not in known]
    for f in failed:
        print("FAIL " + f)
    print("conformance: %d passed, %d failed" % (passed, len(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
