#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the record says, over a running daemon: who asserted what flipped a watch; what is beyond the history horizon.

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


watches()
horizon()
finish()
