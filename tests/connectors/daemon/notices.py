#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Notices of commands that wait: what a mandate restricts is in none, save what is shown to decisions.webhook_audience; and a receiver
that is away for longer than they are kept.

    notices.py BIN

Restricted values are words that stand nowhere else. The deciders, who judge the whole command, see them.
"""
import http.server
import json
import os
import sys
import threading

from rig import Rig, finish, report

POLICY = """policy: notices
principals:
  - match: principal.kind == 'unix' && principal.uid == %d
    speaks_for: 'user:*'
    roles: [root]
  - match: principal.name == 'user:ann'
    roles: [asker]
  - match: principal.name == 'user:bob'
    roles: [decider]
roles:
  root:
    - powers: [observe]
  asker:
    - {powers: [issue, delegate, amend, revoke], two_person: true, in_name_of: '*'}
    - powers: [read]
  decider:
    - powers: [decide, read, disclose]
""" % os.getuid()
ERP, CRM = "https://erp.test", "https://crm.test"
PURPOSE, ACTION, RESOURCE, LIMIT, CLAUSE, PARAM, TARGET = ("quokka-purpose", "numbat.act", "bilby/7", 770077, "potoroo", "wombat-9", "dunnart-3")
WORDS = {"purpose": PURPOSE, "scope.actions": ACTION, "scope.resources": RESOURCE, "scope.limits": str(LIMIT), "while": CLAUSE,
         "params": PARAM, "targets": TARGET}
RULES = {"purpose": {"audiences": [CRM]}, "scope.actions." + ACTION: {"audiences": [ERP]}, "scope.resources": {},
         "scope.limits.eur": {"audiences": [ERP]}, "while": {"audiences": [ERP]}, "params.deal": {}, "targets": {"audiences": ["https://*"]}}
SHOWN = {None: set(), ERP: {"scope.actions", "scope.limits", "while", "targets"}, CRM: {"purpose", "targets"}}
SAYS = {"purpose": PURPOSE, "scope": {"actions": ["open.act", ACTION], "resources": ["open/1", RESOURCE], "limits": {"eur": LIMIT, "seen": 5}},
        "while": "'%s' != mandate.params.deal" % CLAUSE, "params": {"deal": PARAM, "o": 1}, "targets": {"w": TARGET}}
# What an amendment or a child says of it, without rules of its own: the mandate restricts it.
PART = {"purpose": PURPOSE, "scope": SAYS["scope"], "while": SAYS["while"], "params": SAYS["params"], "targets": SAYS["targets"]}


def found(value):
    text = json.dumps(value)
    return {name for name, word in WORDS.items() if word in text}


def taker(notices):
    """Handles requests: takes every notice."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            notices.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    return Handler


class Receiver:
    def __init__(self):
        self.notices = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), taker(self.notices))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d/hook" % self.server.server_port


def told(r, receiver, ident, state="open"):
    of = lambda: [n["decision"] for n in receiver.notices if n["decision"]["id"] == ident and n["decision"]["state"] == state]
    return r.wait("the notice of %s" % ident, of)[0]


def one(r, receiver, audience, what, code, answer, missing):
    """The notice, and what a decider sees; decides. (Not all of what is amended there can be.)"""
    if not report("%s waits for a second person" % what, code == 202, answer):
        return
    ident = answer["decision"]["id"] if isinstance(answer.get("decision"), dict) else answer["id"]
    notice = told(r, receiver, ident)
    command = notice["command"]
    whole = r.by("user:bob", "GET", "/v1/decisions/" + ident)[1]
    report("who decides on %s sees all of it" % what, found(whole) == set(WORDS) and "undisclosed" not in whole["command"], whole)
    report("%s: %s is told what is shown to it" % (what, audience), found(notice) == missing[0], notice)
    report("%s: and what is missing" % what, set(command.get("undisclosed", [])) == missing[1], command)
    say, state = ("refuse", "refused") if what == "amend" else ("permit", "permitted")
    code, answer = r.by("user:bob", "POST", "/v1/decisions/%s/%s" % (ident, say), {"note": "seen"})
    report("%s is %s" % (what, state), code == 200, answer)
    report("%s: the notice of that says no more" % what, found(told(r, receiver, ident, state)) == missing[0], receiver.notices[-1])


def run(bin_dir, audience):
    receiver = Receiver()
    config = "policy: policy.yaml\ndecisions: {webhook: \"%s\"%s}\n" % (receiver.url, ", webhook_audience: \"%s\"" % audience if audience else "")
    with Rig(bin_dir, config, {"policy.yaml": POLICY}) as r:
        r.start()
        shown = SHOWN[audience]
        whole = set(WORDS) - shown
        # A rule for an entry, a name or a whole member: what the audience sees of its own, and the members of which something is missing.
        own = (shown, whole)
        claims = dict(SAYS, id="m", grantor="user:ann", agent="agent:a", max_depth=3, expires_at="2099-01-01T00:00:00Z", disclosure=RULES)
        one(r, receiver, audience, "issue", *r.by("user:ann", "POST", "/v1/mandates", claims), own)
        one(r, receiver, audience, "amend", *r.by("user:ann", "POST", "/v1/mandates/m/amend", {"change": dict(PART, expires_at="2098-06-01T00:00:00Z")}), own)
        one(r, receiver, audience, "delegate", *r.by("user:ann", "POST", "/v1/mandates/m/delegate", dict(PART, id="c", agent="agent:b")), own)
        one(r, receiver, audience, "issue under a parent", *r.by("user:ann", "POST", "/v1/mandates", dict(
            SAYS, id="d", grantor="agent:a", agent="agent:b", parent="m", expires_at="2098-01-01T00:00:00Z", disclosure=RULES)), own)
        leaked = found(r.log())
        report("the log says nothing of it", not leaked, leaked)
        r.stop()
    receiver.server.shutdown()


class Absent(http.server.ThreadingHTTPServer):
    """A receiver with a place of its own that does not listen yet."""

    def __init__(self):
        self.notices = []
        super().__init__(("127.0.0.1", 0), taker(self.notices), bind_and_activate=False)
        self.server_bind()
        self.url = "http://127.0.0.1:%d/hook" % self.server_address[1]

    def come(self):
        self.server_activate()
        threading.Thread(target=self.serve_forever, daemon=True).start()


def asks(r, names):
    """Commands that wait for a second person: name -> id of the decision."""
    out = {}
    for name in names:
        code, answer = r.by("user:ann", "POST", "/v1/mandates", {
            "id": name, "grantor": "user:ann", "agent": "agent:a", "purpose": "p", "expires_at": "2099-01-01T00:00:00Z",
            "scope": {"actions": ["*"], "resources": ["*"]}})
        out[name] = (answer["decision"]["id"] if isinstance(answer.get("decision"), dict) else answer["id"]) if code == 202 else answer
    return out


def dropped(r):
    """Each once: killed between the entry and the commit behind it, the daemon says so again."""
    seen = {}
    for e in r.entries("notice_dropped"):
        seen.setdefault(e["detail"]["notice"]["seq"], e["detail"])
    return [seen[at] for at in sorted(seen)]


def away(bin_dir):
    """A receiver that is away for longer than notices are kept, through a kill -9."""
    receiver = Absent()
    config = "policy: policy.yaml\ndecisions: {webhook: \"%s\", webhook_keep_max: 5%s}\n"
    with Rig(bin_dir, config % (receiver.url, ""), {"policy.yaml": POLICY.replace("[observe]", "[observe, audit]")}) as r:
        r.start()
        ids = asks(r, ["m%d" % i for i in range(8)])
        gone = r.wait("three to be dropped", lambda: len(dropped(r)) >= 3 and dropped(r)) or dropped(r)
        report("the oldest are dropped, each with an entry of the audit log", [d["decision"] for d in gone] == [ids["m0"], ids["m1"], ids["m2"]] and
               all(d["error"].startswith("more notices waited than are kept (decisions.webhook_keep_max): ") for d in gone), gone)
        counts = lambda: (r.metric('mandated_notices_total{outcome="dropped"}'), r.metric("mandated_notices_waiting"),
                          r.metric('mandated_notices_total{outcome="delivered"}'))
        report("and counted", r.wait("the counters", lambda: counts() == (3, 5, 0)), counts())
        report("and logged", r.wait("the log", lambda: "of the audit log say" in r.log()), r.log())
        r.again()
        report("a kill changes nothing in what waits", r.wait("a try", lambda: r.metric("mandated_notices_waiting") == 5) and
               len(dropped(r)) == 3, dropped(r))
        ids.update(asks(r, ["m8"]))
        gone = r.wait("one more to be dropped", lambda: len(dropped(r)) >= 4 and dropped(r)) or dropped(r)
        report("nor in the bound", [d["decision"] for d in gone[3:]] == [ids["m3"]], gone)
        receiver.come()
        r.wait("those that are kept", lambda: len({n["id"] for n in receiver.notices}) >= 5, 120)
        told = sorted({n["decision"]["id"] for n in receiver.notices})
        report("who comes back is told the rest", told == sorted(ids["m%d" % i] for i in range(4, 9)), (told, ids))
        report("and nothing waits any more", r.wait("none to wait", lambda: r.metric("mandated_notices_waiting") == 0))
        receiver.shutdown()
        receiver.server_close()
    late = Absent()
    with Rig(bin_dir, config % (late.url, ", webhook_keep: 1s"), {"policy.yaml": POLICY.replace("[observe]", "[observe, audit]")}) as r:
        r.start()
        ids = asks(r, ["m0", "m1"])
        gone = r.wait("both to be dropped", lambda: len(dropped(r)) >= 2 and dropped(r), 60) or dropped(r)
        report("what is too old is dropped", [d["decision"] for d in gone] == [ids["m0"], ids["m1"]] and
               all("decisions.webhook_keep)" in d["error"] for d in gone), gone)
    late.server_close()


def main():
    away(sys.argv[1])
    for audience in SHOWN:
        run(sys.argv[1], audience)
    finish()


if __name__ == "__main__":
    main()
