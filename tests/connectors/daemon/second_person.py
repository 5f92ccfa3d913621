#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A command that waits for a second person is judged whole when it is permitted: who asked, by the policy in force then, and the mandate.

    second_person.py BIN
"""
import os
import sys

from rig import Rig, finish, report

ASKS = "user:ann"
DECIDES = "user:bob"


def policy(asker_roles="[asker]", rule="powers: [revoke, amend, suspend, resume, issue, delegate], two_person: true, in_name_of: '*'",
           more="", speaks="'user:*'", names=("", "")):
    return """policy: two
principals:
  - match: principal.kind == 'unix' && principal.uid == %d
    speaks_for: %s
    roles: [root]
  - match: principal.name == '%s'
    roles: %s%s
  - match: principal.name == '%s'
    roles: [decider]%s
  - match: principal.name == 'user:op'
    roles: [op]
roles:
  root:
    - powers: [decide, audit, observe, read]
  asker:
    - {%s}
    - powers: [read, check]
  decider:
    - powers: [decide, read]
  op:
    - powers: [issue, amend, suspend, resume, read, audit, observe]
      in_name_of: '*'
%s""" % (os.getuid(), speaks, ASKS, asker_roles, names[0], DECIDES, names[1], rule, more)


def open_one(r, what="revoke", body=None, mandate="m"):
    status, answer = r.by(ASKS, "POST", "/v1/mandates/%s/%s" % (mandate, what), body or {"reason": "fraud"})
    assert status == 202, (status, answer)
    return answer["decision"]["id"] if isinstance(answer.get("decision"), dict) else answer["id"]


def permit(r, ident, who=DECIDES):
    path = "/v1/decisions/%s/permit" % ident
    return r.by(who, "POST", path, {"note": "seen"}) if who else r.call("POST", path, {"note": "seen"})


def recorded(r, event):
    return r.entries(event, who="user:op")


def state(r, mandate="m"):
    return r.by("user:op", "GET", "/v1/mandates/" + mandate)[1]["state"]


class World(Rig):
    def __init__(self, bin_dir):
        super().__init__(bin_dir, "policy: policy.yaml\n", {"policy.yaml": policy()})

    def metric(self, line):
        for text in self.by("user:op", "GET", "/metrics")[1].splitlines():
            if text.startswith(line + " "):
                return float(text.rsplit(" ", 1)[1])
        return None

    def rule(self, text):
        self.write("policy.yaml", text)
        assert self.reload(), self.log()[-1500:]

    def grant(self, name, **claims):
        body = {"id": name, "grantor": "user:g", "agent": "agent:a", "purpose": "p", "expires_at": "2099-01-01T00:00:00Z",
                "scope": {"actions": ["*"], "resources": ["*"], "limits": {"eur": 100}}}
        body.update(claims)
        status, answer = self.by("user:op", "POST", "/v1/mandates", body)
        assert status == 201, (status, answer)


def denied(r, name, ident, why, sentence, who=DECIDES):
    before = len(recorded(r, "permit_refused"))
    status, answer = permit(r, ident, who)
    report(name + " is refused, and says why", status == 403 and sentence in str(answer), (status, answer))
    seen = recorded(r, "permit_refused")
    last = seen[-1] if seen else {}
    report("  on record, with who permitted and who asked",
           len(seen) == before + 1 and last["detail"]["why"] == why and last["detail"]["asker"] == ASKS
           and last["detail"]["decision"] == ident and sentence in last["detail"]["text"], seen[-1:])
    report("  and nothing was done", state(r) == "active")


with World(sys.argv[1]) as r:
    r.start()
    r.grant("m")
    ident = open_one(r)
    r.rule(policy(asker_roles="[decider]"))
    denied(r, "a permit after the asker lost the role", ident, "asker_denied", "may not do it any more")
    r.again()
    denied(r, "the same after a kill", ident, "asker_denied", "may not do it any more")

    r.rule(policy(rule="powers: [revoke], two_person: true, when: mandate.purpose == 'other'"))
    denied(r, "a permit after the rule became narrower", ident, "asker_denied", "may not do it any more")
    r.rule(policy(more="forbid:\n  - powers: revoke\n    because: not in the last week of a quarter\n"))
    denied(r, "a permit of what is forbidden by now", ident, "asker_denied", "not in the last week of a quarter")
    r.rule(policy(speaks="['user:bob', 'user:op']"))
    denied(r, "a permit after nobody may speak for the asker", ident, "asker_unknown", "does not let uid:%d speak for them" % os.getuid())
    r.rule(policy(names=("\n    name: user:boss", "\n    name: user:boss")))
    denied(r, "a permit by whom the policy calls the same", ident, "same_person", "is you by another name")
    r.rule(policy().replace("roles: [root]", "roles: [root]\n    name: %s" % ASKS))
    status, answer = permit(r, ident, None)
    report("so is one by a process that the policy calls as the asker", status == 403 and "another person must" in str(answer) and
           state(r) == "active", (status, answer))

    r.rule(policy())
    status, answer = permit(r, ident)
    report("with the powers back it is carried out", status == 200 and state(r) == "revoked", (status, answer))
    ended = [e for e in recorded(r, "ended") if e.get("mandate") == "m"]
    report("in the name of who asked", len(ended) == 1 and ended[0]["cause"]["principal"] == ASKS, ended)

    # The mandate is another than the one that it was asked for.
    r.grant("n")
    narrower = {"change": {"scope": {"limits": {"eur": 20}}}, "reason": "tidy"}
    ident = open_one(r, "amend", narrower, "n")
    ending = open_one(r, "revoke", None, "n")
    status, answer = r.by("user:op", "POST", "/v1/mandates/n/amend", {"change": {"scope": {"limits": {"eur": 50}}}})
    report("somebody else amends it meanwhile", status == 200, (status, answer))
    status, answer = permit(r, ident)
    report("a permit of an amendment of what it was is refused", status == 409 and "at version" in str(answer), (status, answer))
    refused = [e for e in recorded(r, "refused") if "at version" in str(e)]
    report("  on record", len(refused) == 1 and refused[0]["principal"] == DECIDES, refused)
    again = open_one(r, "amend", narrower, "n")
    status, answer = permit(r, again)
    report("asked anew it is another question, and is carried out", again != ident and status == 200, (again, ident, status, answer))
    status, answer = permit(r, ending)
    report("what takes power away is done whatever it has become", status == 200 and state(r, "n") == "revoked", (status, answer))

    # Issuing: the claims are judged again, and the parent.
    body = {"id": "c", "grantor": "user:g", "agent": "agent:b", "purpose": "p", "expires_at": "2099-01-01T00:00:00Z",
            "scope": {"actions": ["x"], "resources": ["*"]}}
    status, answer = r.by(ASKS, "POST", "/v1/mandates", body)
    issued = answer.get("id") or answer["decision"]["id"]
    r.rule(policy(rule="powers: [issue], two_person: true, in_name_of: 'user:h*'"))
    status, answer = permit(r, issued)
    report("an issuance in a name that no rule gives any more is refused", status == 403 and "may not do it any more" in str(answer),
           (status, answer))
    r.rule(policy())
    status, answer = permit(r, issued)
    report("and carried out when one does", status == 201 or status == 200, (status, answer))
    report("a second permit of the same is told so", permit(r, issued)[0] == 200)
    r.stop()
finish()
