#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules that are files (the policy, the kinds of checks): taken over by SIGHUP as a whole or not at all, and on record as they were read.

    rules.py BIN
"""
import hashlib
import sys

from rig import Rig, finish, report

KINDS = """kinds:
  - actions: [pay.*]
    reversibility: external_commitment
    mode: synchronous
    max_staleness: 10s
"""
FEED = """kinds:
  - actions: [draft.*]
    reversibility: reversible_write
    mode: feed
    max_staleness: 30s
"""
POLICY = "policy: one\nprincipals: [{match: 'true', roles: all}]\nroles: {all: [{powers: [issue, read, audit, observe]}]}\n"


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def mode(r, action):
    return r.check(action, mandate="m")[1]["context"].get("mode")


def kinds(bin_dir):
    with Rig(bin_dir, "check: {kinds: kinds.yaml}\n", {"kinds.yaml": KINDS}) as r:
        r.start()
        r.issue("m")
        report("an action has the kind that the file says", (mode(r, "pay.now"), mode(r, "draft.it")) == ("synchronous", None))
        r.write("kinds.yaml", FEED)
        r.reload()
        report("another file of kinds is taken over", (mode(r, "pay.now"), mode(r, "draft.it")) == (None, "feed"))
        r.write("kinds.yaml", FEED.replace("mode: feed", "mode: fed"))
        r.reload("refused")
        report("a mistake in it changes nothing and is told with its place",
               mode(r, "draft.it") == "feed" and "kinds.yaml:4:" in r.log(), r.log()[-600:])
        # All or nothing: right kinds beside a wrong connector file are not taken over either.
        r.write("kinds.yaml", KINDS)
        r.write("mandated.yaml", r.read("mandated.yaml") + "connectors: c.yaml\n")
        r.write("c.yaml", "connector: c\n")
        r.reload("refused")
        report("right kinds beside something wrong are not taken over", mode(r, "draft.it") == "feed")
        r.write("mandated.yaml", r.read("mandated.yaml").replace("connectors: c.yaml\n", "").replace("check: {kinds: kinds.yaml}\n", ""))
        r.reload()
        report("no file, no kinds", (mode(r, "pay.now"), mode(r, "draft.it")) == (None, None))
        r.write("mandated.yaml", r.read("mandated.yaml") + "check: {kinds: more.yaml}\n")
        r.write("more.yaml", KINDS)
        r.reload()
        report("a file that was not there at the start", mode(r, "pay.now") == "synchronous")
        r.wait("four entries", lambda: len(r.entries("check_kinds_loaded")) >= 4)
        seen = [(e["detail"].get("file"), e["detail"].get("sha256")) for e in r.entries("check_kinds_loaded")]
        kept, more = r.path("kinds.yaml"), r.path("more.yaml")
        short = [(f and f.rsplit("/", 1)[-1], s) for f, s in seen]
        report("every change of them is on record, once",
               short == [("kinds.yaml", digest(KINDS)), ("kinds.yaml", digest(FEED)), (None, None), ("more.yaml", digest(KINDS))],
               (seen, kept, more))
        r.again()
        report("a restart with the same kinds records nothing new", len(r.entries("check_kinds_loaded")) == 4)
        r.stop()


def policy(bin_dir):
    with Rig(bin_dir, "policy: policy.yaml\n", {"policy.yaml": POLICY}) as r:
        r.start()
        r.wait("the entry", lambda: r.entries("policy_loaded"))
        seen = r.entries("policy_loaded")
        report("the policy on record is the text that was read", [e["detail"]["sha256"] for e in seen] == [digest(POLICY)]
               and seen[0]["detail"]["text"] == POLICY, seen)
        r.write("policy.yaml", POLICY.replace("one", "two"))
        r.reload()
        r.write("policy.yaml", POLICY.replace("one", "three").replace("powers", "power"))
        r.reload("refused")
        r.stop()
        r.write("policy.yaml", POLICY.replace("one", "two"))
        r.start()
        r.wait("the entry", lambda: len(r.entries("policy_loaded")) >= 2)
        report("one that was refused is not on record", [e["detail"]["sha256"] for e in r.entries("policy_loaded")] ==
               [digest(POLICY), digest(POLICY.replace("one", "two"))])
        r.stop()


kinds(sys.argv[1])
policy(sys.argv[1])
finish()
