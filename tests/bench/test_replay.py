#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mandate-bench replay: a workload with its flips worked out by hand, the example of docs/replay.md, bad lines, and random
workloads against a naive evaluator written here from docs/conditions.md: after every line everything is evaluated anew.

    test_replay.py BIN [ROUNDS [SEED]]

Prints "ok   name" or "FAIL name" a test.
"""
import json
import os
import random
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BENCH = os.path.join(os.path.abspath(sys.argv[1]), "mandate-bench")
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 40
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
failed = 0


def report(name, good, why=""):
    global failed
    failed += not good
    print("%s %s" % ("ok  " if good else "FAIL", name), flush=True)
    if not good and why:
        print("       " + str(why).strip().replace("\n", "\n       "), flush=True)


def replay(text, *more):
    with tempfile.TemporaryDirectory() as folder:
        path, out = os.path.join(folder, "in"), os.path.join(folder, "out")
        with open(path, "w", encoding="utf-8", newline="") as f:
            f.write(text)
        done = subprocess.run([BENCH, "replay", path, "--flips", out, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding="utf-8", timeout=120)
        with open(out, encoding="utf-8") as f:
            return done.returncode, f.read(), done.stderr, done.stdout


# --- by hand -------------------------------------------------------------------------------------------------------
BY_HAND = r'''{"types":{"crm.deal":{"status":"string","amount":"int","due":"timestamp","account":{"type":"crm.account","inverse":"deals"}}}}
{"types":{"crm.account":{"tier":"int"}}}

{"watch":{"id":"open","condition":"crm.deal[\"D-1\"].status == \"open\""}}
{"watch":{"id":"Zbig","condition":"crm.deal[\"D-1\"].amount > 100 || crm.deal[\"D-1\"].status == \"open\""}}
{"watch":{"id":"gold","condition":"crm.deal[\"D-1\"].account.tier == 1"}}
{"watch":{"id":"any","condition":"crm.account[\"A-1\"].deals.exists(d, d.status == \"open\")"}}
{"watch":{"id":"early","condition":"now < crm.deal[\"D-1\"].due"}}
{"change":{"type":"crm.deal","id":"D-1","set":{"status":"open","amount":5}}}
{"change":{"type":"crm.deal","id":"D-1","set":{"status":"open"}}}
{"change":{"type":"crm.deal","id":"D-1","refs":{"account":"A-1"}}}
{"change":{"type":"crm.account","id":"A-1","set":{"tier":1}}}
{"issue":{"id":"m-1","grantor":"user:g","agent":"agent:a","purpose":"p","scope":{"actions":["*"],"resources":["*"]},"while":"crm.deal[\"D-1\"].status == \"open\"","expires_at":"1970-01-02T00:00:00Z"}}
{"issue":{"id":"Bm","parent":"m-1","grantor":"user:g","agent":"agent:a","purpose":"p","scope":{"actions":["*"],"resources":["*"]},"expires_at":"1970-01-01T12:00:00Z"}}
{"issue":{"id":"m-2","grantor":"user:g","agent":"agent:a","purpose":"p","scope":{"actions":["*"],"resources":["*"]},"expires_at":"1970-01-01T06:00:00Z"}}
{"change":{"type":"crm.deal","id":"D-1","set":{"due":"1970-01-01T05:00:00Z"}}}
{"tick":"1970-01-01T06:30:00Z"}
{"change":{"type":"crm.deal","id":"D-1","set":{"status":"won","amount":200}}}
{"change":{"type":"crm.deal","id":"D-1","set":{},"delete":true}}
{"change":{"type":"crm.deal","id":"D-1","set":{"status":"open"}}}
{"change":{"type":"crm.deal","id":"D-1","forget":["status"]}}
'''
BY_HAND_OUT = [
    (9, "Zbig", "true"), (9, "open", "true"),                       # any: the account is not heard of
    (11, "any", "true"),                                            # the reference makes it known
    (12, "gold", "true"),
    (13, "m-1", "active"), (14, "Bm", "active"), (15, "m-2", "active"),
    (16, "early", "true"),
    (17, "early", "false"), (17, "m-2", "expired"),
    (18, "Bm", "cascaded"), (18, "any", "false"), (18, "m-1", "revoked"), (18, "open", "false"),
    # gone: null > 100 is an error, null == "open" is false; null.tier and now < null are errors
    (19, "Zbig", "error"), (19, "early", "error"), (19, "gold", "error"),
    # there again: what it does not say is unknown
    (20, "Zbig", "true"), (20, "early", "unknown"), (20, "gold", "unknown"), (20, "open", "true"),
    (21, "Zbig", "unknown"), (21, "open", "unknown"),
]


def table(rows):
    return "".join("%d\t%s\t%s\n" % row for row in rows)


def test_by_hand():
    code, out, err, stdout = replay(BY_HAND)
    report("replay: what a workload causes is what it ought to by hand", code == 0 and out == table(BY_HAND_OUT),
           err + "\n" + out)
    records = [json.loads(line) for line in stdout.splitlines()]
    report("replay: two JSON records, with what was counted",
           [r["record"] for r in records] == ["run", "replay"] and records[1]["flips"] == 17 and
           records[1]["transitions"] == 6 and records[1]["watches"] == 5 and records[1]["lines"] == 21, stdout)
    code, other, err, _ = replay(BY_HAND.replace("\n", "\r\n"))
    report("replay: lines may end with CR LF", code == 0 and other == out, err)
    with open(os.path.join(ROOT, "docs", "replay.md"), encoding="utf-8") as f:
        blocks = re.findall(r"```(\w+)\n(.*?)```", f.read(), re.S)
    code, out, err, _ = replay(blocks[0][1])
    report("replay: the example of docs/replay.md", code == 0 and out == blocks[1][1], err + out)


# --- bad lines -----------------------------------------------------------------------------------------------------
GOOD = '{"types":{"t.x":{"s":"string","n":"int","r":"t.x"}}}\n{"watch":{"id":"w","condition":"t.x[\\"a\\"].s == \\"y\\""}}\n'
FLIP = '{"change":{"type":"t.x","id":"a","set":{"s":"y"}}}\n'
BAD = [
    ('{"change":', "JSON"),
    ('[1]', "expected an object"),
    ('{}', "expected an object"),
    ('{"change":{},"watch":{}}', "expected an object"),
    ('{"chnge":{}}', "expected \"types\""),
    ('{"change":{"type":"t.y","id":"a"}}', "no entity type \"t.y\""),
    ('{"change":{"type":"t.x"}}', "\"id\""),
    ('{"change":{"type":"t.x","id":""}}', "1 to 512"),
    ('{"change":{"type":"t.x","id":"a","set":{"z":1}}}', "no attribute \"z\""),
    ('{"change":{"type":"t.x","id":"a","set":{"r":"b"}}}', "no attribute \"r\""),
    ('{"change":{"type":"t.x","id":"a","refs":{"s":"b"}}}', "no reference \"s\""),
    ('{"change":{"type":"t.x","id":"a","refs":{"r":5}}}', "an entity id"),
    ('{"change":{"type":"t.x","id":"a","set":{"n":"five"}}}', "declared type is int"),
    ('{"change":{"type":"t.x","id":"a","set":[]}}', "\"set\""),
    ('{"change":{"type":"t.x","id":"a","delete":1}}', "\"delete\""),
    ('{"change":{"type":"t.x","id":"a","sets":{}}}', "sets"),
    ('{"watch":{"id":"v"}}', "\"condition\" is required"),
    ('{"watch":"v"}', "\"watch\""),
    ('{"tick":"yesterday"}', "\"tick\""),
    ('{"tick":17}', "\"tick\""),
    ('{"issue":{"id":"m"}}', ""),
    ('\x00\xff', "JSON"),
]


def test_bad_lines():
    for bad, says in BAD:
        code, out, err, _ = replay(GOOD + bad + "\n" + FLIP)
        name = "replay: %s is refused with its number" % bad.encode("unicode_escape").decode()
        report(name, code == 1 and "line 3:" in err and says in err and out == "", err + out)
        code, out, err, _ = replay(GOOD + bad + "\n" + FLIP, "--keep-going")
        report(name + ", and can be passed over", code == 1 and "line 3:" in err and out == "4\tw\ttrue\n", err + out)
    code, out, err, _ = replay('{"types":{"t.x":{"s":"strin"}}}\n')
    report("replay: a type that does not exist is refused with its line", code == 1 and "line 1:" in err, err)
    code, out, err, _ = replay(GOOD + '{"watch":{"id":"v","condition":"t.x[\\"a\\"].q"}}\n' + FLIP)
    report("replay: what the engine refuses is told and the run goes on",
           code == 0 and "line 3: refused" in err and out == "4\tw\ttrue\n", err + out)


# --- against a naive evaluator ---------------------------------------------------------------------------------------
UNKNOWN, ERROR = "unknown", "error"  # beside Python's own values; None is null
TYPES = {"a.deal": {"s": "string", "n": "int", "b": "bool", "t": "timestamp", "x": "double"}, "b.acc": {"s": "string", "n": "int"}}


def stamp(seconds):
    return "1970-01-%02dT%02d:%02d:%02dZ" % (1 + seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)


class World:
    def __init__(self):
        self.now = 0
        self.cells = {}   # (type, id) -> {field: value}
        self.gone = set()

    def read(self, type_, id_, field):
        if (type_, id_) in self.gone:
            return None
        return self.cells.get((type_, id_), {}).get(field, UNKNOWN)

    def change(self, c):
        key = (c["type"], c["id"])
        if c.get("delete"):
            self.gone.add(key)
            self.cells[key] = {}
            return
        self.gone.discard(key)
        cell = self.cells.setdefault(key, {})
        cell.update(c.get("set", {}))
        cell.update(c.get("refs", {}))
        for name in c.get("forget", []):
            cell.pop(name, None)


def both(values, absorbing):
    """&& (absorbing False) or || (absorbing True) of four-valued operands."""
    for v in (absorbing, UNKNOWN, ERROR):
        if v in [x if isinstance(x, bool) or x in (UNKNOWN, ERROR) else ERROR for x in values]:
            return v
    return not absorbing


def strict(a, b, f):
    if UNKNOWN in (a, b):
        return UNKNOWN
    if ERROR in (a, b):
        return ERROR
    return f(a, b)


def evaluate(w, c):
    op = c[0]
    if op == "and":
        return both([evaluate(w, x) for x in c[1:]], False)
    if op == "or":
        return both([evaluate(w, x) for x in c[1:]], True)
    if op == "not":
        v = evaluate(w, c[1])
        return (not v) if isinstance(v, bool) else v if v in (UNKNOWN, ERROR) else ERROR
    if op == "if":
        v = evaluate(w, c[1])
        if not isinstance(v, bool):
            return v if v in (UNKNOWN, ERROR) else ERROR
        return evaluate(w, c[2] if v else c[3])
    if op == "const":
        return c[1]
    if op == "get":
        return w.read(*c[1:])
    if op == "chain":
        target = w.read("a.deal", c[1], "acc")
        return target if target in (UNKNOWN, ERROR) else ERROR if target is None else w.read("b.acc", target, c[2])
    if op == "has":
        v = w.read(*c[1:])
        return UNKNOWN if v == UNKNOWN else v is not None
    if op == "now<":
        return strict(w.now, evaluate(w, c[1]), lambda a, b: ERROR if b is None else a < b)
    a, b = evaluate(w, c[1]), evaluate(w, c[2]) if op != "in" else c[2]
    if op == "==":
        return strict(a, b, lambda p, q: p == q)
    if op == "!=":
        return strict(a, b, lambda p, q: p != q)
    if op == "in":
        return a if a in (UNKNOWN, ERROR) else a in b
    return strict(a, b, lambda p, q: ERROR if None in (p, q) else {"<": p < q, "<=": p <= q, ">": p > q, ">=": p >= q}[op])


def text(c):
    op = c[0]
    if op in ("and", "or"):
        return "(" + (" && " if op == "and" else " || ").join(text(x) for x in c[1:]) + ")"
    if op == "not":
        return "!(%s)" % text(c[1])
    if op == "if":
        return "(%s ? %s : %s)" % tuple(text(x) for x in c[1:])
    if op == "const":
        return json.dumps(c[1])
    if op in ("get", "has"):
        path = '%s["%s"].%s' % c[1:]
        return "has(%s)" % path if op == "has" else path
    if op == "chain":
        return 'a.deal["%s"].acc.%s' % c[1:]
    if op == "now<":
        return "now < %s" % ('timestamp("%s")' % stamp(c[1][1]) if c[1][0] == "const" else text(c[1]))
    return "%s %s %s" % (text(c[1]), op, json.dumps(c[2]) if op == "in" else text(c[2]))


DEALS, ACCOUNTS, WORDS = ["d%d" % i for i in range(5)], ["k%d" % i for i in range(3)], ["v%d" % i for i in range(4)]


def leaf(r, until):
    d = r.choice(DEALS)
    kind = r.randrange(10)
    if kind == 0:
        return ("get", "a.deal", d, "b")
    if kind <= 2:
        return (r.choice(["==", "!="]), ("get", "a.deal", d, "s"), ("const", r.choice(WORDS)))
    if kind == 3:
        return ("in", ("get", "a.deal", d, "s"), r.sample(WORDS, r.randrange(1, 4)))
    if kind <= 5:
        return (r.choice(["<", "<=", ">", ">="]), ("get", "a.deal", d, "n"), ("const", r.randrange(6)))
    if kind == 6:
        return (r.choice(["<", ">="]), ("get", "a.deal", d, "x"), ("const", r.randrange(12) / 2))
    if kind == 7:
        return ("==", ("chain", d, "s"), ("const", r.choice(WORDS)))
    if kind == 8:
        return ("has", "a.deal", d, r.choice("snb"))
    return ("now<", ("get", "a.deal", d, "t") if r.randrange(2) else ("const", r.randrange(until)))


def condition(r, depth, until):
    if depth == 0 or r.randrange(3) == 0:
        return leaf(r, until)
    op = r.choice(["and", "or", "and", "or", "not", "if"])
    count = {"not": 1, "if": 3}.get(op, r.randrange(2, 4))
    return (op, *[condition(r, depth - 1, until) for _ in range(count)])


def value(r, field, now):
    if r.randrange(12) == 0:
        return None
    return {"s": lambda: r.choice(WORDS), "n": lambda: r.randrange(6), "b": lambda: bool(r.randrange(2)),
            "t": lambda: max(0, now + r.randrange(-20, 60)), "x": lambda: r.randrange(12) / 2}[field]()


def random_change(r, now):
    if r.randrange(4) == 0:
        c = {"type": "b.acc", "id": r.choice(ACCOUNTS)}
    else:
        c = {"type": "a.deal", "id": r.choice(DEALS)}
        if r.randrange(5) == 0:
            c["refs"] = {"acc": r.choice(ACCOUNTS + [None])}
    if r.randrange(25) == 0:
        c["delete"] = True
        return c
    names = list(TYPES[c["type"]])
    c["set"] = {f: value(r, f, now) for f in r.sample(names, r.randrange(0, len(names) + 1))}
    if r.randrange(15) == 0:
        c["forget"] = [f for f in names if f not in c["set"]][:1]
    return c


def show(c):
    """As it stands in the file: times as text."""
    out = dict(c)
    if "t" in c.get("set", {}):
        out["set"] = dict(c["set"], t=None if c["set"]["t"] is None else stamp(c["set"]["t"]))
    return out


WORD = {True: "true", False: "false", UNKNOWN: "unknown", ERROR: "error", None: "error"}


def random_workload(seed, lines=150, until=2000):
    r, w = random.Random(seed), World()
    types = {"a.deal": dict(TYPES["a.deal"], acc="b.acc"), "b.acc": TYPES["b.acc"]}
    out, expected, watches = [json.dumps({"types": types})], [], {}

    def settle(line):
        """(id, value) of what flips now."""
        for name, entry in watches.items():
            v = WORD[evaluate(w, entry[0])]
            if v != entry[1]:
                entry[1] = v
                expected.append((line, name, v))

    for number in range(2, lines + 2):
        kind = r.randrange(10)
        if kind < 3 and len(watches) < 60:
            name, c = "%s%d" % (r.choice("WwxÄ"), number), condition(r, 3, until)
            watches[name] = [c, WORD[evaluate(w, c)]]
            out.append(json.dumps({"watch": {"id": name, "condition": text(c)}}))
        elif kind == 3:
            to = w.now + r.randrange(0, 40)
            while w.now < to:
                w.now += 1
                settle(number)
            out.append(json.dumps({"tick": stamp(w.now)}))
        else:
            c = random_change(r, w.now)
            w.change(c)
            settle(number)
            out.append(json.dumps({"change": show(c)}))
    # Stable: of one id within a line the order of time stays.
    expected.sort(key=lambda e: (e[0], e[1].encode()))
    return "\n".join(out) + "\n", expected


def test_random():
    flips = 0
    for seed in range(SEED, SEED + ROUNDS):
        workload, expected = random_workload(seed)
        code, out, err, _ = replay(workload)
        flips += len(expected)
        if code or out != table(expected):
            got, want = out.splitlines(), table(expected).splitlines()
            first = next((i for i in range(max(len(got), len(want))) if got[i:i + 1] != want[i:i + 1]), None)
            report("replay: random workloads flip as a naive evaluator says (seed %d)" % seed, False,
                   "%s\nfirst difference: got %s, expected %s" % (err, got[first:first + 1], want[first:first + 1]))
            return
    report("replay: %d random workloads flip as a naive evaluator says, %d flips" % (ROUNDS, flips), flips > 0)


test_by_hand()
test_bad_lines()
test_random()
sys.exit(1 if failed else 0)
