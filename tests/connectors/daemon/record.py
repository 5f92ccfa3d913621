#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the record says, over a running daemon: who asserted what flipped a watch; what is beyond the history
horizon; which work was known when a mandate ended.

    record.py BIN
"""
import json
import subprocess
import sys

from rig import Rig, finish, report

BIN = sys.argv[1]
TYPES = "types: {e.envelope: {attributes: {status: {type: string, values: [open, signed], manual: true}}}}\n"


def flips(rig):
    """The flips on the topic now, as `watch tail --json` shows them."""
    run = subprocess.run([rig.bin + "/mandatectl", "watch", "tail", "--from-beginning", "--exit-at-end", "--json", "--bootstrap",
                          rig.read("port").strip()], capture_output=True, text=True, timeout=60)
    records = [json.loads(line) for line in run.stdout.splitlines()]
    return [r["value"] for r in records if "watch" in (r.get("value") or {})]


def watches():
    with Rig(BIN, "entities: types.yaml\n", {"types.yaml": TYPES}) as rig:
        rig.start()
        rig.call("POST", "/v1/watches", {"id": "w-1", "condition": 'e.envelope["E-7"].status == "signed"'})
        for status, reason in (("signed", 'seen "it"'), ("open", None)):
            rig.call("POST", "/v1/events", dict({"type": "e.envelope", "id": "E-7", "attributes": {"status": status}},
                                                **({"reason": reason} if reason else {})))
        seen = rig.wait("two flips", lambda: (lambda all: len(all) >= 2 and all)(flips(rig))) or flips(rig)
        who = [(f["cause"].get("source"), f["cause"].get("principal"), f["cause"].get("note")) for f in seen]
        report("a flip names who asserted its event, and why", [w[0] for w in who] == ["manual"] * 2 and
               all(w[1] and w[1].startswith("uid:") for w in who) and [w[2] for w in who] == ['seen "it"', None], seen)
        shown = subprocess.run([rig.bin + "/mandatectl", "watch", "tail", "--from-beginning", "--exit-at-end", "--bootstrap",
                                rig.read("port").strip()], capture_output=True, text=True, timeout=60).stdout
        report("`watch tail` shows it", 'by uid:' in shown and '"seen "it""' in shown, shown)


def explain(rig, *more):
    run = rig.ctl("mandate", "explain", "m", *more)
    return run.returncode, run.stdout + run.stderr


def horizon():
    """An ended mandate's amendments are no longer kept: said, and not left out in silence."""
    with Rig(BIN, "entities: types.yaml\nhistory: {horizon: 1s}\n", {"types.yaml": TYPES}) as rig:
        rig.start()
        rig.issue("m", scope={"actions": ["*"], "resources": ["*"], "limits": {"eur": 5}})
        rig.call("POST", "/v1/mandates/m/amend", {"change": {"scope": {"limits": {"eur": 4}}}, "reason": "less"})
        early = rig.call("GET", "/v1/mandates/m")[1]["transition"]
        rig.call("POST", "/v1/mandates/m/revoke", {"reason": "over"})
        body, (_, text) = rig.call("GET", "/v1/mandates/m/explain")[1], explain(rig)
        report("what is kept is all there", [a["version"] for a in body["amendments"]] == [2] and "beyond_horizon" not in body and
               'amended    v2' in text and 'scope.limits  by uid:' in text and '"less"' in text and "horizon" not in text, (body, text))

        def trimmed():  # with the cuts, which follow inputs
            rig.call("POST", "/v1/events", {"type": "e.envelope", "id": "E", "attributes": {"status": "open"}})
            body = rig.call("GET", "/v1/mandates/m/explain")[1]
            return body if body.get("amendments") == [] else None

        body = rig.wait("the horizon to pass", trimmed, 120)
        if not body:
            return report("the horizon passes", False)
        beyond = body.get("beyond_horizon", {})
        report("what is not kept is said", beyond.get("members") == ["amendments"] and beyond.get("before_seq", 0) > early["seq"] and
               beyond.get("before", "") > early["committed_at"] and body["transition"]["state"] == "revoked", body)
        code, text = explain(rig)
        report("and shown", code == 0 and "amendments earlier than %s (step %d) are beyond the history horizon: mandatectl audit entries "
               "--mandate m" % (beyond.get("before"), beyond.get("before_seq")) in text, text)
        for at in (str(early["seq"]), early["committed_at"]):
            code, text = explain(rig, "--as-of", at)
            report("as of %s before it is refused" % ("a step" if at.isdigit() else "a time"), code == 1 and
                   "is beyond the history horizon: what is kept begins with step" in text, (code, text))
        events = [e["event"] for e in rig.entries() if e.get("mandate") == "m"]
        report("the audit log has it", events == ["issued", "amended", "ended"], events)


KINDS = """kinds:
  - {actions: [pay], reversibility: external_commitment, mode: synchronous, max_staleness: 30s, track: 1h}
  - {actions: [brief], reversibility: reversible_write, mode: feed, max_staleness: 30s, track: 1s}
  - {actions: [quiet], reversibility: reversible_write, mode: feed, max_staleness: 30s}
  - {actions: ['*'], reversibility: reversible_write, mode: feed, max_staleness: 30s, track: 1h}
"""


def listed(rig, mandate):
    """The permits in flight, as explain says."""
    body = rig.call("GET", "/v1/mandates/%s/explain" % mandate)[1]
    return [(p["action"], p["resource"], p.get("key")) for p in body.get("in_flight", {}).get("permits", [])]


def in_flight():
    """Permits of checks that are tracked, through a kill -9 and into the record of the end."""
    with Rig(BIN, "check: {kinds: kinds.yaml, max_staleness: 60s}\n", {"kinds.yaml": KINDS}) as rig:
        rig.start()
        rig.issue("m")
        rig.issue("two", agent="agent:two")
        rig.issue("three", agent="agent:two")
        named = lambda action, resource, **properties: rig.check(action, resource, properties=properties, mandate="m")[1]["decision"]
        report("they are permitted", all([named("draft", "doc/1"), named("draft", "doc/2", idempotency_key="k-2"), named("quiet", "doc/3"),
                                          named("pay", "doc/4"), named("draft", "doc/2", idempotency_key="k-2")]))
        report("and one that two mandates govern", rig.check("draft", "doc/5", agent="agent:two")[1]["decision"])
        rig.check("pay", "doc/4", agent="agent:other", mandate="m")
        ocsf = [json.loads(line) for line in rig.ctl("audit", "export", "--format", "ocsf").stdout.splitlines()]
        checks = [(e["activity_id"], e["status"], e["status_id"], e.get("status_code")) for e in ocsf if e["message"] == "checked"]
        report("in OCSF a denied check is a failure", checks == [(2, "Success", 1, None), (2, "Failure", 2, "actor_invalid")], checks)
        report("what is not permitted is not", not rig.check("draft", "doc/6", agent="agent:other", mandate="m")[1]["decision"])
        want = [("draft", "doc/1", None), ("draft", "doc/2", "k-2"), ("pay", "doc/4", None)]
        report("those that are tracked are listed", rig.wait("the next step", lambda: len(listed(rig, "m")) >= 3) and listed(rig, "m") == want,
               listed(rig, "m"))
        both = lambda: [listed(rig, m) for m in ("two", "three")]
        report("under each mandate that governs", rig.wait("the next step", lambda: both() == [[("draft", "doc/5", None)]] * 2), both())
        _, text = explain(rig)
        report("and shown", "in flight" in text and "doc/4" in text and "k-2" in text, text)
        rig.again()
        report("after a kill they are still", listed(rig, "m") == want, listed(rig, "m"))
        report("one more", named("draft", "doc/7") and named("brief", "doc/8"))
        said = rig.call("POST", "/v1/mandates/m/revoke", {"reason": "over"})[1]["transition"]
        permits = said.get("in_flight", {}).get("permits", [])
        report("the record of the end says so, of those that are not over", [p["resource"] for p in permits][:4] ==
               ["doc/1", "doc/2", "doc/4", "doc/7"] and set(permits[0]) == {"action", "resource", "at", "until"} and
               permits[0]["at"] < permits[0]["until"], said)
        entry = [e for e in rig.entries("ended") if e["mandate"] == "m"]
        report("and so does the audit log", entry and entry[0]["in_flight"]["permits"] == permits, entry)
        rig.wait("the topic", lambda: rig.metric("mandated_outbox_pending") == 0)
        rig.again()
        body = rig.call("GET", "/v1/mandates/m/explain")[1]
        report("after another kill the record says the same", body["transition"]["in_flight"]["permits"] == permits and
               "in_flight" not in body, body)
        for i in range(17):
            rig.check("draft", "doc/%d" % i, agent="agent:two", mandate="two")
        last = rig.wait("the last", lambda: [p[1] for p in listed(rig, "two")][-1:] == ["doc/16"] and listed(rig, "two"))
        report("of one mandate the last 16 are kept", last and [p[1] for p in last] == ["doc/%d" % i for i in range(1, 17)], last)
        report("and nobody else's go for them", listed(rig, "three") == [("draft", "doc/5", None)], listed(rig, "three"))


watches()
horizon()
in_flight()
finish()
