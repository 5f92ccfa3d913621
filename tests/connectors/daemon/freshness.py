#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A synchronous check rests on the sources that its mandates' conditions depend on, and on no others.

    freshness.py BIN

Two connectors on the embedded broker; one is halted by a record that is none, later removed.
"""
import json
import os
import signal
import subprocess
import sys

from rig import Rig, finish, report

CONNECTOR = """connector: %(name)s
topics: [%(name)s.records]
decode: {format: json}
on_error: halt
entities:
  - type: %(type)s
    id: value.id
    attributes: {status: value.status}%(more)s
"""
FILES = {
    "crm.yaml": CONNECTOR % {"name": "crm", "type": "crm.conversation", "more": "\n    references: {account: {type: crm.account, id: value.account}}"},
    "tickets.yaml": CONNECTOR % {"name": "tickets", "type": "tickets.incident", "more": ""},
    "types.yaml": "types:\n  crm.account: {attributes: {tier: int}}\n",
    "kinds.yaml": "kinds: [{actions: [pay], reversibility: external_commitment, mode: synchronous, max_staleness: 30s}]\n",
}
CONFIG = "check: {kinds: kinds.yaml}\nentities: types.yaml\nconnectors: [crm.yaml, tickets.yaml]\n"


class World(Rig):
    def send(self, topic, value):
        with open(self.path("port")) as f:
            port = f.read().strip()
        done = subprocess.run([os.path.join(self.bin, "mandatectl"), "topic", "send", topic, "--bootstrap",
                               port if ":" in port else "127.0.0.1:" + port],
                              input=value if isinstance(value, str) else json.dumps(value), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def pay(self, *mandates, agent="agent:a"):
        context = {"mandate": mandates[0]} if len(mandates) == 1 else {"mandates": sorted(mandates)} if mandates else {}
        answer = self.check("pay", agent=agent, **context)[1]
        c = answer["context"]
        return answer["decision"], c["reason"], [s["name"] for s in c["freshness"]["sources"]] if "sources" in c["freshness"] else None

    def connector(self, name):
        return {c["name"]: c for c in self.call("GET", "/v1/connectors")[1]["connectors"]}.get(name)


with World(sys.argv[1], CONFIG, FILES) as w:
    w.start(ready=True)
    w.send("crm.records", {"id": "R-1", "status": "open", "account": "A"})
    w.send("tickets.records", {"id": "T-1", "status": "open"})
    w.wait("both records", lambda: all(w.call("GET", "/v1/entities/" + e)[0] == 200 for e in ("crm.conversation/R-1", "tickets.incident/T-1")))
    CRM, TICKETS = "crm.conversation['R-1'].status == 'open'", "tickets.incident['T-1'].status == 'open'"
    for name, claims in (("plain", {}), ("crm", {"while": CRM, "max_depth": 2}), ("tickets", {"while": TICKETS, "max_depth": 2}),
                         ("both", {"while": CRM, "suspend_while": "!(%s)" % TICKETS}),
                         ("unseen", {"until": "crm.conversation['R-1'].account.tier > 5"}),
                         ("crm-child", {"parent": "crm"}), ("tickets-child", {"parent": "tickets"}),
                         ("hush", {"while": TICKETS, "max_depth": 2, "disclosure": {"while": {}}}), ("hush-child", {"parent": "hush", "until": "!(%s)" % CRM}),
                         ("hush-purpose", {"while": CRM, "disclosure": {"purpose": {}}}),
                         ("hush-later", {"while": CRM})):
        status, answer = w.issue(name, **dict({"agent": "agent:%s" % name}, **claims))
        assert status == 201, (name, answer)

    def asked(name):
        return w.pay(name, agent="agent:" + name)

    yes = lambda *names: (True, "ok", list(names))
    no = lambda *names: (False, "stale_state", list(names))
    cases = (("plain", yes()), ("crm", yes("crm")), ("tickets", yes("tickets")), ("both", yes("crm", "tickets")),
             ("unseen", yes("crm", "tickets")), ("crm-child", yes("crm")), ("tickets-child", yes("tickets")), ("hush", (True, "ok", None)),
             ("hush-child", (True, "ok", None)), ("hush-purpose", yes("crm")), ("hush-later", yes("crm")))

    def compare(when, expected):
        got = {name: asked(name) for name, _ in expected}
        report(when, got == dict(expected), got)

    compare("with all sources live each answer names those that it rests on", cases)
    fresh = w.check("pay", agent="agent:crm", mandate="crm")[1]["context"]["freshness"]
    report("and how far they are", fresh["sources"][0]["lag_records"] == 0 and fresh["lag_ms"] >= 0 and fresh["bound_ms"] == 30000, fresh)
    hush = w.check("pay", agent="agent:hush", mandate="hush")[1]["context"]["freshness"]
    report("where a condition is restricted, only how old the state is", set(hush) == {"seq", "age_ms", "lag_ms", "bound_ms"}, hush)
    report("also where the mandate is found", w.pay(agent="agent:hush-child") == (True, "ok", None), w.pay(agent="agent:hush-child"))
    status, answer = w.call("POST", "/v1/mandates/hush-later/amend", {"change": {"disclosure": {"while": {}}}})
    report("and once an amendment restricts it", status == 200 and asked("hush-later") == (True, "ok", None), (status, answer))
    cases = tuple((n, (True, "ok", None) if n == "hush-later" else e) for n, e in cases)
    report("where a mandate is found, those of what governs", w.pay(agent="agent:crm") == yes("crm"), w.pay(agent="agent:crm"))

    w.send("tickets.records", "this is no record")
    w.wait("the halt", lambda: w.connector("tickets")["state"] == "halted")
    halted = tuple((n, (False, "stale_state", None) if n in ("hush", "hush-child") else no(*e[2]) if "tickets" in (e[2] or ()) else e)
                   for n, e in cases)
    compare("a halted source denies what rests on it, its descendants too, and nothing else", halted)
    why = w.check("pay", agent="agent:tickets", mandate="tickets")[1]["context"]["text"]
    report("by name", "tickets is not live" in why, why)
    for name in ("hush", "hush-child"):
        told = w.check("pay", agent="agent:" + name, mandate=name)[1]["context"]
        report("where a condition is restricted not by name: " + name, "is not live" in told["text"] and "tickets" not in json.dumps(told)
               and "crm" not in json.dumps(told), told)
    for name in ("crm", "tickets"):
        w.issue("of-one-" + name, agent="agent:one", scope={"actions": ["pay"], "resources": ["*"]},
                **{"while": CRM if name == "crm" else TICKETS})
    report("where several govern, each counts", w.pay(agent="agent:one") == no("crm", "tickets")
           and w.pay("of-one-crm", agent="agent:one") == yes("crm"), w.pay(agent="agent:one"))

    status, answer = w.call("POST", "/v1/mandates/tickets/amend", {"change": {"while": CRM}, "widen": True})
    if report("an amendment changes what it rests on", status == 200 and asked("tickets") == yes("crm") and
              asked("tickets-child") == yes("crm"), (status, answer, asked("tickets"))):
        pass
    w.again(ready=False)
    w.wait("crm to be live", lambda: (w.connector("crm") or {}).get("state") == "live" and w.connector("crm")["caught_up"])
    report("after a restart with what is stored", asked("plain") == yes() and asked("tickets") == yes("crm") and
           asked("crm-child") == yes("crm") and asked("hush-child")[2] is None and asked("hush-purpose") == yes("crm"), [asked(n) for n, _ in cases])

    # The embedded broker begins anew with the restart; what was read of it is behind its end.
    w.write("mandated.yaml", w.read("mandated.yaml").replace("connectors: [crm.yaml, tickets.yaml]", "connectors: crm.yaml"))
    w.reload()
    gone = w.check("pay", agent="agent:both", mandate="both")[1]
    report("a source that is gone denies what rests on it", gone["decision"] is False and gone["context"]["reason"] in
           ("stale_state", "mandate_inactive"), gone)
    told = w.check("pay", agent="agent:hush", mandate="hush")[1]
    report("not by name where that is restricted", told["decision"] is False and "tickets" not in json.dumps(told["context"]), told)
    report("and nothing else", asked("crm") == yes("crm") and asked("plain") == yes(), asked("crm"))
    w.stop()
finish()
