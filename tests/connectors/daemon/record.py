#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the record says, over a running daemon: who asserted what flipped a watch.

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


watches()
finish()
