#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a mandate restricts, over a running daemon with a policy: each audience gets what is its, on every way out, and nothing else.

    restricted.py BIN

Restricted values are words that stand nowhere else, so that a leak is found wherever it is: every answer, the topic and the log are
searched for them. Prints "ok   name" or "FAIL name" a test.
"""
import base64
import json
import os
import random
import subprocess
import sys
import urllib.parse

from rig import Rig, finish, report

POLICY = """policy: restricted
principals:
  - match: principal.uid == %d && principal.kind == "unix"
    roles: boss
    speaks_for: ["user:*", "agent:*", "https://*"]
  - match: principal.name == "user:auditor"
    roles: auditor
  - match: principal.kind == "named"
    roles: reader
roles:
  boss:
    - powers: [issue, delegate, widen]
      in_name_of: "user:*"
    - powers: [amend, revoke, suspend, resume, discover, observe, define]
  auditor:
    - powers: [read, disclose, audit]
  reader:
    - powers: [read, check, delegate, revoke, amend, suspend, resume, define]
""" % os.getuid()
TYPES = "types: {e.deal: {attributes: {status: {type: string, manual: true}, zeal: {type: string, manual: true}}}}\n"

PURPOSE, ACTION, RESOURCE, LIMIT, CLAUSE, PARAM, TARGET = ("quokka-purpose", "numbat.act", "bilby/7", 770077, "potoroo", "wombat-9",
                                                           "dunnart-3")
WORDS = {"purpose": PURPOSE, "scope.actions": ACTION, "scope.resources": "bilby", "scope.limits": str(LIMIT), "limit name": "lim_kowari",
         "while": CLAUSE, "params": PARAM, "targets": TARGET}
ERP, CRM = "https://erp.test", "https://crm.test"
RULES = {"purpose": {"audiences": [CRM], "handle": True}, "scope.actions." + ACTION: {"audiences": [ERP]},
         "scope.resources." + RESOURCE: {"audiences": [ERP]}, "scope.limits.lim_kowari": {"audiences": [ERP]},
         "while": {"audiences": [ERP], "handle": True}, "params.deal": {"audiences": [ERP]}, "targets.w": {"audiences": [CRM]}}
SEES = {ERP: {"scope.actions", "scope.resources", "scope.limits", "limit name", "while", "params"}, CRM: {"purpose", "targets"},
        "user:ann": set(WORDS), "user:auditor": set(WORDS), "agent:bot": set(), "user:other": set()}


def mandate(name, **more):
    return dict({"id": name, "grantor": "user:ann", "agent": "agent:bot", "purpose": PURPOSE,
                 "scope": {"actions": ["open.act", ACTION], "resources": ["open/1", RESOURCE], "limits": {"lim_kowari": LIMIT, "seen": 5}},
                 "while": "e.deal[mandate.params.deal].status != \"%s\"" % CLAUSE, "params": {"deal": PARAM, "o": 1},
                 "targets": {"w": TARGET, "l": "open"}, "expires_at": "2099-01-01T00:00:00Z", "disclosure": RULES}, **more)


def decoded(text):
    """With what stands in its tokens in the clear."""
    out = [text]
    for part in text.replace("~", ".").replace('"', ".").split("."):
        try:
            out.append(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8", "ignore"))
        except ValueError:
            pass
    return "\n".join(out)


def found(answer):
    text = decoded(answer if isinstance(answer, str) else json.dumps(answer))
    return {name for name, word in WORDS.items() if word in text}


def check(action="open.act", resource=("open", "1"), **properties):
    return {"subject": {"type": "agent", "id": "agent:bot"}, "action": {"name": action, "properties": properties},
            "resource": {"type": resource[0], "id": resource[1]}, "context": {"mandate": "m"}}


def no_more_than(name, who, answer):
    leaked = found(answer) - SEES[who]
    report("%s: %s is told nothing that is restricted to others" % (name, who), not leaked, (sorted(leaked), answer))


def reading(r):
    for who in SEES:
        for path in ("/v1/mandates/m", "/v1/mandates/m/explain", "/v1/mandates/m/token", "/v1/mandates", "/v1/mandates/m/explain?as_of=100"):
            code, answer = r.by(who, "GET", path)
            if "as_of" not in path:
                report("%s answers %s" % (path, who), code == 200, answer)
            no_more_than(path, who, [code, answer])
        code, answer = r.by(who, "GET", "/v1/mandates/m")
        missing = {"purpose", "scope.actions", "scope.resources", "scope.limits", "while", "params", "targets"} - SEES[who]
        report("%s is told what is missing" % who, set(answer.get("undisclosed", [])) == missing, answer)
        report("%s sees all that is its" % who, SEES[who] - {"targets", "while"} <= found(answer), answer)


def tokens(r):
    ask = lambda who, audience: r.by(who, "GET", "/v1/mandates/m/token?audience=" + urllib.parse.quote(audience, ""))
    code, own = ask(ERP, ERP)
    report("an audience gets the token for itself", code == 200 and found(own) == SEES[ERP], own)
    code, answer = ask("agent:bot", ERP)
    report("the agent does not get what is restricted to an audience by asking in its name", code == 403, answer)
    code, answer = ask(CRM, ERP)
    report("nor does another audience", code == 403 and not found(answer), answer)
    for who in ("user:ann", "user:auditor"):
        code, answer = ask(who, ERP)
        report("%s gets it for any audience, and it is that audience's" % who, code == 200 and answer["token"] == own["token"], answer)
    code, answer = r.by("agent:bot", "GET", "/v1/mandates/m/token")
    report("the agent gets what it may show to anybody", code == 200 and not found(answer) and answer["token"].endswith("~"), answer)
    report("there is one signature for all", answer["token"].split("~")[0] == own["token"].split("~")[0])


def handles(r):
    code, answer = r.by("agent:bot", "GET", "/v1/mandates/m")
    names = answer.get("handles", {})
    report("handles stand for what asks for them", set(names) == {"purpose", "while"}, answer)
    at = lambda handle: "/v1/handles/" + urllib.parse.quote(handle, "")
    report("the token says the same ones", names["purpose"] in decoded(json.dumps(r.by("agent:bot", "GET", "/v1/mandates/m/token")[1])))
    for who in ("user:ann", "user:auditor", CRM):
        code, answer = r.by(who, "GET", at(names["purpose"]))
        report("%s may know what it stands for" % who, code == 200 and answer["value"] == PURPOSE and answer["mandate"] == "m", answer)
    for who in ("agent:bot", ERP, "user:other"):
        code, answer = r.by(who, "GET", at(names["purpose"]))
        report("%s may not" % who, code == 403 and not found(answer), answer)
    wrong = names["purpose"][:-1] + ("A" if names["purpose"][-1] != "A" else "B")
    for handle in (wrong, names["purpose"][:-4], "urn:mandated:handle:", "m", "x" * 500):
        code, answer = r.by("user:auditor", "GET", at(handle))
        report("what is no handle of ours is none: %.40s" % handle, code == 404 and not found(answer), answer)
    code, entries = r.by("user:auditor", "GET", "/v1/audit/entries?event=handle_resolved")
    report("each that was told is recorded, and who was told", code == 200 and entries and json.dumps(entries).count("handle_resolved") == 3,
           entries)


def checking(r):
    for who in ("agent:bot", CRM, ERP):
        said = []
        for body in (check(seen=1), check(seen=1, lim_other=3), check(seen=1, lim_x=10 ** 9), check(ACTION), check("no.act", seen=1),
                     check("open.act", ("nowhere", "1")), check(seen=9)):
            said.append(r.by(who, "POST", "/access/v1/evaluation", body))
        said.append(r.by(who, "POST", "/access/v1/evaluations", dict(check(), evaluations=[{}, {"action": {"name": "x"}}])))
        for kind, body in (("action", {"resource": {"type": "open", "id": "1"}}), ("subject", {"action": {"name": "open.act"}, "resource": {"type": "open", "id": "1"}}),
                           ("resource", {"action": {"name": "open.act", "properties": {"lim_kowari": 1, "seen": 1}}, "resource": {"type": "bilby"}}),
                           ("resource", {"action": {"name": "open.act", "properties": {"lim_kowari": 1, "seen": 1}}, "resource": {"type": "open"}})):
            said.append(r.by(who, "POST", "/access/v1/search/" + kind, dict(
                {"subject": {"type": "agent", "id": "agent:bot"} if kind != "subject" else {"type": "agent"}}, **body)))
        leaked = found([a for c, a in said]) - {"scope.actions"} if who == ERP else found([a for c, a in said])
        # What the question says comes back in words; what it does not say must not.
        leaked -= {"scope.actions"}
        report("checks and searches tell %s nothing that is restricted" % who, not leaked, (sorted(leaked), said))
    code, answer = r.by("agent:bot", "POST", "/access/v1/evaluation", check(ACTION, tuple(RESOURCE.split("/")), lim_kowari=LIMIT, seen=5))
    report("what is restricted decides all the same", answer == dict(answer, decision=True), answer)
    code, answer = r.by("agent:bot", "POST", "/access/v1/evaluation", check(ACTION, tuple(RESOURCE.split("/")), lim_kowari=LIMIT + 1, seen=5))
    report("and denies", answer["decision"] is False and str(LIMIT) not in json.dumps(answer["context"]), answer)


def delegating(r):
    by = lambda body: r.by("agent:bot", "POST", "/v1/mandates/m/delegate", body)
    base = {"agent": "agent:sub", "max_depth": 0}
    for wide in ({"scope": {"limits": {"lim_kowari": 10 ** 9}}}, {"scope": {"actions": ["other.*"]}}, {"scope": {"resources": ["other/*"]}},
                 {"disclosure": {"purpose": {"audiences": ["https://anybody"]}}}, {"disclosure": {"while": {}}},
                 {"purpose": "p", "disclosure": {"purpos": {}}}):
        code, answer = by(dict(base, id="wide", **wide))
        said = json.dumps(wide)
        leaked = {n for n in found(answer) if WORDS[n] not in said}
        report("a refusal of %s does not say what is restricted" % list(wide)[-1], code in (400, 403, 409) and not leaked, (code, answer))
    code, answer = by(dict(base, id="c"))
    report("the agent delegates what it does not see", code == 201 and not found(answer), answer)
    for who in ("agent:bot", "agent:sub", ERP):
        code, answer = r.by(who, "GET", "/v1/mandates/c/token")
        SEES.setdefault(who, set())
        no_more_than("the token of a child", who, answer)
    code, answer = r.by("user:auditor", "GET", "/v1/mandates/c")
    report("the child restricts what its parent does", set(answer["mandate"]["disclosure"]) ==
           {"purpose", "scope.actions." + ACTION, "scope.resources." + RESOURCE, "scope.limits.lim_kowari"}, answer)


def amending(r):
    code, answer = r.by("user:other", "POST", "/v1/mandates/m/amend", {"change": {"scope": {"limits": {"lim_kowari": LIMIT - 1}}}, "cascade": True})
    report("who amends sees no more than before", code == 200 and not found(answer) - {"limit name"}, answer)
    code, answer = r.by("user:other", "POST", "/v1/mandates/m/amend", {"change": {"disclosure": {"purpose": {"audiences": ["*"]}}}})
    report("showing it to more takes the power to widen", code == 403 and not found(answer), answer)
    for who in ("user:other", CRM, ERP):
        code, answer = r.by(who, "GET", "/v1/mandates/m/explain")
        report("what an amendment changed is told to %s as far as it may see" % who, code == 200, answer)
        no_more_than("amendments", who, answer)


def topic(r):
    """Everything that was published so far."""
    done = subprocess.run([os.path.join(r.bin, "mandatectl"), "topic", "tail", "--json", "--from-beginning", "--exit-at-end"], capture_output=True,
                          text=True, timeout=60, env=dict(os.environ, MANDATED_BOOTSTRAP=r.read("port").strip()))
    records = [json.loads(line)["value"] for line in done.stdout.splitlines() if '"mandate":"m"' in line]
    report("the topic tells what happened", len(records) >= 2, (done.stdout[-2000:], done.stderr))
    leaked = {n for n, w in WORDS.items() if w in done.stdout + done.stderr}
    report("and nothing that is restricted", not leaked, (sorted(leaked), done.stdout[-4000:]))
    report("and what it keeps back", all("purpose" in v["restricted"] for v in records), records)
    amended = [v for v in records if v["reason"] == "amended"]
    report("and of which version the claims are", amended and amended[-1]["claims_version"] == amended[-1]["version"], records)


def ended(r):
    handle = r.by("agent:bot", "GET", "/v1/mandates/m")[1]["handles"]["purpose"]
    code, answer = r.by("user:other", "POST", "/v1/mandates/m/revoke", {"reason": "over"})
    report("who ends it is told no more than before", code == 200 and not found(answer), answer)
    code, answer = r.by("user:auditor", "GET", "/v1/handles/" + urllib.parse.quote(handle, ""))
    report("what has ended can still be resolved", code == 200 and answer["value"] == PURPOSE and answer["state"] == "revoked", answer)
    r.again()
    code, answer = r.by("user:auditor", "GET", "/v1/handles/" + urllib.parse.quote(handle, ""))
    report("also after a restart", code == 200 and answer["value"] == PURPOSE, answer)


def at_random(r):
    """A property: of random rules, no audience is told a word that no rule shows it."""
    rng = random.Random(20261130)
    audiences = [ERP, CRM, "agent:bot", "user:other"]
    bad, asked = [], 0
    for n in range(40):
        words = {f: "w%06x" % rng.getrandbits(24) + f for f in ("purpose", "a", "r", "l", "p", "t")}
        paths = {"purpose": "purpose", "scope.actions." + words["a"]: "a", "scope.resources." + words["r"]: "r",
                 "scope.limits." + words["l"]: "l", "params." + words["p"]: "p", "targets.t": "t"}
        whole = {"scope.actions": "a", "scope.resources": "r", "scope.limits": "l", "params": "p", "targets": "t"}
        rules, who = {}, {}
        for path, key in paths.items():
            if rng.random() < 0.2:
                continue
            to = rng.sample(audiences, rng.randrange(3))
            path = next((w for w, k in whole.items() if k == key and rng.random() < 0.4), path)
            rules[path] = {"audiences": to}
            who[key] = set(to)
        name = "r%d" % n
        code, answer = r.call("POST", "/v1/mandates", {
            "id": name, "grantor": "user:ann", "agent": "agent:bot", "purpose": words["purpose"],
            "scope": {"actions": ["x", words["a"]], "resources": ["y", words["r"]], "limits": {words["l"]: 1, "k": 2}},
            "params": {words["p"]: 1, "q": 2}, "targets": {"t": words["t"], "u": 1}, "expires_at": "2099-01-01T00:00:00Z",
            "disclosure": rules})
        if code != 201:
            bad.append((rules, answer))
        for viewer in audiences:
            for path in ("", "/token", "/explain"):
                code, answer = r.by(viewer, "GET", "/v1/mandates/%s%s" % (name, path))
                text, asked = decoded(json.dumps(answer)), asked + 1
                for key, word in words.items():
                    shown = key not in who or viewer in who[key]
                    if (word in text and not shown) or (word not in text and shown and path != "/explain"):
                        bad.append((viewer, path, key, rules, answer))
    report("each of %d answers about random rules holds what its reader may see, and nothing else" % asked, not bad, bad[:2])


def defaults(bin_dir):
    """disclosure.restrict, for what is issued without rules of its own."""
    config = "policy: policy.yaml\nentities: types.yaml\ndisclosure: {restrict: ['purpose=handle,%s', scope.limits.lim_kowari, until, 'params=%s']}\n" % (CRM, ERP)
    with Rig(bin_dir, config, {"policy.yaml": POLICY, "types.yaml": TYPES}) as r:
        r.start()
        for name, more in (("m", {}), ("own", {"disclosure": {"while": {}}}), ("none", {"disclosure": {}})):
            body = dict(mandate(name), **more)
            if not more:
                del body["disclosure"]
            code, answer = r.call("POST", "/v1/mandates", body)
            report("%s is issued" % name, code == 201, answer)
        by = lambda who, name: r.by(who, "GET", "/v1/mandates/" + name)[1]
        said = by("user:auditor", "m")["mandate"]["disclosure"]
        report("a mandate without rules gets those of the configuration that restrict what it has",
               {path: (rule.get("audiences", []), rule.get("handle", False)) for path, rule in said.items()} ==
               {"purpose": ([CRM], True), "scope.limits.lim_kowari": ([], False), "params": ([ERP], False)}, said)
        for who, hidden in (("agent:bot", {"purpose", "scope.limits", "params"}), (CRM, {"scope.limits", "params"}), (ERP, {"purpose", "scope.limits"})):
            answer = by(who, "m")
            report("and %s is not told them" % who, set(answer.get("undisclosed", [])) == hidden and not hidden & found(answer), answer)
        report("one that has rules has its own alone", set(by("agent:bot", "own")["undisclosed"]) == {"while"}, by("agent:bot", "own"))
        report("and one that says that there are none has none", "undisclosed" not in by("agent:bot", "none"), by("agent:bot", "none"))
        # A child that says nothing of it, of a parent that restricts nothing, and of one that restricts something else.
        for parent in ("none", "own"):
            for name, more in (("", {}), ("-open", {"disclosure": {}}), ("-own", {"disclosure": {"scope.limits": {"audiences": [ERP]}}})):
                code, answer = r.by("agent:bot", "POST", "/v1/mandates/%s/delegate" % parent, dict({"id": "%s-child%s" % (parent, name), "agent": "agent:bot"}, **more))
                report("%s-child%s is delegated" % (parent, name), code == 201, answer)
        r.again()
        hides = lambda name: set(by("agent:bot", name).get("undisclosed", []))
        report("a delegated child that says nothing of it gets them too, as far as it has what they restrict", hides("none-child") == {
            "purpose", "scope.limits"} and not {"purpose", "scope.limits"} & found(by("agent:bot", "none-child")), by("agent:bot", "none-child"))
        report("  beside what its parent restricts", hides("own-child") == {"purpose", "scope.limits"}, by("agent:bot", "own-child"))
        report("  and none where it says itself", (hides("none-child-open"), hides("own-child-own")) == (set(), {"scope.limits"}),
               (by("agent:bot", "none-child-open"), by("agent:bot", "own-child-own")))
        report("  the audience that they name is shown it", "purpose" not in by(CRM, "none-child").get("undisclosed", []), by(CRM, "none-child"))
        # An amendment: what it adds, not what it changes of what was shown.
        code, answer = r.call("POST", "/v1/mandates/none/amend", {"change": {"until": "e.deal['D'].status == 'b'", "scope": {"limits": {"lim_other": 1}}}, "cascade": True})
        report("an amendment is taken", code == 200, answer)
        report("what it adds is restricted as they say, and nothing else", hides("none") == {"until"}, by("agent:bot", "none"))
        code, answer = r.call("POST", "/v1/mandates/own/amend", {"change": {"until": "e.deal['D'].status == 'b'", "disclosure": {}}, "cascade": True})
        report("  unless it says itself", code == 200 and hides("own") == {"while"}, (answer, by("agent:bot", "own")))
        r.stop()
    for wrong, why in (("[purpos]", "cannot be restricted"), ("[purpose, purpose=x]", "stands there twice"), ("['scope.limits.a=handle']", "handle stands"),
                       ("['purpose=,']", "none of them empty"), ("{purpose: x}", "disclosure.restrict")):
        with Rig(bin_dir, "disclosure: {restrict: %s}\n" % wrong) as r:
            done = subprocess.run([os.path.join(bin_dir, "mandated"), "check-config", r.path("mandated.yaml")], cwd=r.folder, capture_output=True,
                                  text=True, timeout=60)
            text = done.stdout + done.stderr
            report("check-config says what is wrong with %s" % wrong, done.returncode == 1 and why in text and "disclosure.restrict" in text, text)


def main():
    defaults(os.path.abspath(sys.argv[1]))
    with Rig(sys.argv[1], "policy: policy.yaml\nentities: types.yaml\n", {"policy.yaml": POLICY, "types.yaml": TYPES}) as r:
        r.start()
        code, answer = r.call("POST", "/v1/mandates", mandate("m"))
        report("it is issued", code == 201, answer)
        report("who issues in another's name sees no more than that lets it", not found(answer), answer)
        reading(r)
        tokens(r)
        handles(r)
        checking(r)
        delegating(r)
        amending(r)
        topic(r)
        at_random(r)
        ended(r)
        leaked = {n for n, w in WORDS.items() if w in r.log()}
        report("the log says nothing of it", not leaked, sorted(leaked))
    finish()


if __name__ == "__main__":
    main()
