#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mandates that contradict each other: a human is asked once, however often the check is; nothing runs meanwhile; it ends in time.

    escalation.py BIN
"""
import sys
import threading
import time

from rig import Rig, finish, report

KINDS = "kinds: [{actions: [sign], reversibility: external_commitment, mode: synchronous, max_staleness: 30s}]\n"


def ask(r, action="pay", amount=5, resource="acc/1"):
    answer = r.check(action, resource, properties={"parameters": {"eur": amount}}, mandates=["narrow", "wide"])[1]
    c = answer["context"]
    return answer["decision"], c["reason"], c.get("escalation", {}).get("id"), c.get("escalation", {}).get("state")


def decisions(r, state="open"):
    return r.call("GET", "/v1/decisions?limit=1000&state=" + state)[1]["decisions"]


def lasts(r, question, permit):
    """Restarts it with other times; what was asked before keeps its own."""
    r.kill()
    lines = [line for line in r.read("mandated.yaml").splitlines() if not line.startswith("decisions:")]
    r.write("mandated.yaml", "\n".join(lines) + "\ndecisions: {open_for: %s, permit_for: %s}\n" % (question, permit))
    r.start()


with Rig(sys.argv[1], "check: {kinds: kinds.yaml}\n", {"kinds.yaml": KINDS}) as r:
    r.start()
    r.issue("wide", scope={"actions": ["*"], "resources": ["*"], "limits": {"eur": 100}})
    r.issue("narrow", scope={"actions": ["*"], "resources": ["doc/*"], "limits": {"eur": 100}})
    for action in ("pay", "sign"):  # at once, and recorded
        answers = []

        def client():
            for _ in range(10):
                answers.append(ask(r, action))
        clients = [threading.Thread(target=client) for _ in range(8)]
        for c in clients:
            c.start()
        for c in clients:
            c.join()
        ids = {a[2] for a in answers}
        report("80 checks at once ask one human one question (%s)" % action, len(answers) == 80 and len(ids) == 1 and ids != {None}, ids)
        report("  and none of them is a yes", not any(a[0] for a in answers) and {a[1:2] + a[3:] for a in answers} == {("approval_required", "open")},
               set(answers))
        mine = [d for d in decisions(r) if d["action"] == action]
        report("  of which there is one", [d["id"] for d in mine] == sorted(ids), mine)
    one = ask(r)[2]
    report("another amount is another question", ask(r, amount=6)[2] not in (one, None))
    r.again()
    report("a kill leaves the question as it was", ask(r) == (False, "approval_required", one, "open"), ask(r))

    # Values that have none in common: what a human permits is permitted for exactly those values.
    for name, region, context in (("eu", ["eu", "both"], {}), ("us", ["us", "both"], {"context.channel": ["web"]})):
        r.issue(name, agent="agent:r", scope={"actions": ["*"], "resources": ["*"], "require": dict({"resource.region": region}, **context)})
    for name, region in (("p", ["eu"]), ("q", ["us"])):
        r.issue(name, agent="agent:q", scope={"actions": ["*"], "resources": ["*"], "require": {"resource.region": region}})

    def regional(region, agent="agent:q", **context):
        answer = r.call("POST", "/access/v1/evaluation", {
            "subject": {"type": "agent", "id": agent}, "action": {"name": "pay"},
            "resource": {"type": "acc", "id": "1", "properties": {"region": region, "shape": "round"}}, "context": context})[1]
        return answer["decision"], answer["context"]["reason"], answer["context"].get("escalation", {}).get("id")
    report("values in common: the more restrictive wins, and nobody is asked", regional("eu", "agent:r", channel="web")[:2] ==
           (False, "parameter_violation") and regional("both", "agent:r", channel="web")[0] is True)
    eu, us = regional("eu"), regional("us")
    report("none in common: a human is asked, of each value anew", eu[1] == us[1] == "approval_required" and None not in (eu[2], us[2]) and
           eu[2] != us[2], (eu, us))
    d = r.call("GET", "/v1/decisions/" + eu[2])[1]
    report("  who is shown it", d["properties"] == {"resource.region": "eu"} and d["parameters"] == {}, d)
    report("  and not what no mandate asks for", "round" not in str(d), d)
    r.by("user:boss", "POST", "/v1/decisions/%s/permit" % eu[2], {"note": "once"})
    report("  the permit is of that value alone", regional("eu")[:2] == (True, "permitted_by_human") and regional("us") == us and
           regional("cn")[:2] == (False, "parameter_violation"), (regional("eu"), regional("us"), regional("cn")))
    r.again()
    report("  also after a kill", regional("eu")[:2] == (True, "permitted_by_human") and regional("us")[0] is False)

    # It lapses while nobody is there, and is not asked again by that.
    lasts(r, "2s", "1h")
    late = ask(r, amount=7)[2]
    r.kill()
    time.sleep(2.2)
    lasts(r, "1h", "1h")
    d = r.call("GET", "/v1/decisions/" + late)[1]
    report("a question that lapsed while the process was down has lapsed", d["state"] == "expired", d)
    report("  and cannot be permitted any more",
           r.by("user:boss", "POST", "/v1/decisions/%s/permit" % late, {"note": "late"})[0] == 409)
    new = ask(r, amount=7)
    report("  so that a check asks anew, once", new[2] not in (late, None) and ask(r, amount=7)[2] == new[2] and new[0] is False, new)

    status, answer = r.by("user:boss", "POST", "/v1/decisions/%s/permit" % one, {"note": "seen"})
    report("a permit is a yes", status == 200 and ask(r)[0] is True and ask(r)[3] == "permitted", (status, answer, ask(r)))
    r.again()
    report("  also after a kill", ask(r)[0] is True, ask(r))
    r.call("POST", "/v1/mandates/narrow/suspend", {"reason": "wait"})
    report("  not while a mandate is suspended", ask(r)[0] is False and ask(r)[1] == "mandate_inactive", ask(r))
    r.call("POST", "/v1/mandates/narrow/resume", {"reason": "on"})
    report("  and again after it", ask(r)[0] is True, ask(r))
    lasts(r, "1h", "2s")
    status, answer = r.by("user:boss", "POST", "/v1/decisions/%s/permit" % new[2], {"note": "seen"})
    r.kill()
    time.sleep(2.2)
    r.start()
    again = ask(r, amount=7)
    report("  and not after its time, whoever was down meanwhile",
           status == 200 and again[0] is False and again[3] == "open" and again[2] != new[2], (status, answer, again))
    r.stop()
finish()
