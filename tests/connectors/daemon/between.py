#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Between judging and doing nothing slips in: over a running daemon with a policy and compliance rules.

    between.py BIN

What waits for a second person is judged again by the mandate that it would change then; two amendments that are right each for
itself, sent at the same time over two connections, are not judged side by side; a mandate that is made in the same step is not
judged by the part of it that was said; and nobody is the second person for what they would hold. Prints "ok   name" or "FAIL name".
"""
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

BIN = os.path.abspath(sys.argv[1])
ROUNDS = 80
POLICY = """policy: between
principals:
  - match: principal.kind == "unix"
    speaks_for: ["user:*", "agent:*"]
  - match: principal.name == "user:boss"
    roles: [boss]
  - match: principal.name == "user:first"
    roles: [first]
  - match: principal.name == "user:second" || principal.name.startsWith("agent:")
    roles: [second]
roles:
  boss:
    - powers: [issue, read, delegate, amend, revoke]
      in_name_of: "*"
  first:
    - powers: [issue, delegate, amend, supersede]
      in_name_of: "*"
      two_person: true
  second:
    - powers: [decide, read, spend]
"""
COMPLIANCE = """compliance: between
rules:
  - name: deep-or-short
    require: mandate.max_depth > 1 || mandate.expires_at > timestamp("2050-01-01T00:00:00Z")
    action: refuse
    message: what ends early may be handed on
  - name: finance-until
    applies: mandate.scope.actions.overlaps("finance.*") && has(mandate.parent)
    require: has(mandate.until)
    action: refuse
    message: what is handed on over finance.* has an until clause
"""
CONFIG = ("issuer: https://mandates.test\ndata_dir: data\nkafka: {embedded: true}\npolicy: policy.yaml\ncompliance: compliance.yaml\n"
          "entities: types.yaml\nhttp: {unix_socket: s.sock}\n")
TYPES = "types: {e.envelope: {attributes: {status: {type: string, manual: true}}}}\n"
UNTIL = 'e.envelope["E-7"].status == "signed"'
BOSS, FIRST, SECOND = "user:boss", "user:first", "user:second"
failed = 0


def report(name, good, why=""):
    global failed
    failed += not good
    print("%s test_between__%s" % ("ok  " if good else "FAIL", name), flush=True)
    if not good:
        print("       " + str(why).strip().replace("\n", "\n       "), flush=True)


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect("s.sock")


def ask(who, path, body=None, connection=None):
    c = connection or Unix("localhost")
    c.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body),
              {"X-Mandate-Principal": who, "Content-Type": "application/json"})
    answer = c.getresponse()
    return answer.status, json.loads(answer.read() or "null")


def issue(id, **more):
    claims = dict({"id": id, "grantor": "user:boss", "agent": "agent:bot", "purpose": "p", "scope":
                   {"actions": ["finance.pay"], "resources": ["*"]}, "expires_at": "2099-01-01T00:00:00Z"}, **more)
    code, answer = ask(BOSS, "/v1/mandates", claims)
    assert code == 201, answer
    return claims


def at_once(*questions):
    """Each over a connection of its own, as near to one another as can be; the answers."""
    answers, gate = [None] * len(questions), threading.Barrier(len(questions))

    def one(i, who, path, body, connection):
        connection.connect()
        gate.wait()
        answers[i] = ask(who, path, body, connection)

    threads = [threading.Thread(target=one, args=(i,) + q + (Unix("localhost"),)) for i, q in enumerate(questions)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answers


def what_waited_is_judged_again():
    issue("w1", max_depth=3)
    code, waits = ask(FIRST, "/v1/mandates/w1/amend", {"change": {"max_depth": 1}})
    early = ask(BOSS, "/v1/mandates/w1/amend", {"change": {"expires_at": "2040-01-01T00:00:00Z"}})
    late, answer = ask(SECOND, "/v1/decisions/%s/permit" % waits["id"], {})
    now = ask(BOSS, "/v1/mandates/w1")[1]
    report("a_permit_is_no_way_past_compliance_rules", code == 202 and early[0] == 200 and late == 403 and
           "handed on" in str(answer) and now["version"] == 2, (code, early, late, answer, now))
    state = ask(SECOND, "/v1/decisions/%s" % waits["id"])[1]
    report("what_was_refused_at_the_permit_stays_open", state["state"] == "open", state)
    issue("w2", max_depth=3)
    waits = ask(FIRST, "/v1/mandates/w2/amend", {"change": {"max_depth": 1}})[1]
    late, answer = ask(SECOND, "/v1/decisions/%s/permit" % waits["id"], {})
    report("what_still_complies_is_done", late == 200 and ask(BOSS, "/v1/mandates/w2")[1]["version"] == 2, answer)


def side_by_side():
    both = []
    for i in range(ROUNDS):
        issue("r%d" % i, max_depth=3)
        path = "/v1/mandates/r%d/amend" % i
        answers = at_once((BOSS, "/v1/events", {}), (BOSS, path, {"change": {"max_depth": 1}}),
                          (BOSS, path, {"change": {"expires_at": "2040-01-01T00:00:00Z"}}))[1:]
        if sorted(code for code, _ in answers) != [200, 403]:
            both.append(answers)
    report("of_two_amendments_that_contradict_the_rules_together_one_is_made", not both, "%d of %d: %s" % (
        len(both), ROUNDS, both[:1]))


def made_in_the_same_step():
    issue("p", max_depth=9, delegation={"max_children": 1000})
    through = []
    for i in range(ROUNDS):
        at_once((BOSS, "/v1/mandates/p/delegate", {"id": "c%d" % i, "agent": "agent:c", "until": UNTIL}),
                (BOSS, "/v1/mandates/c%d/delegate" % i, {"id": "g%d" % i, "agent": "agent:g"}))
        if ask(BOSS, "/v1/mandates/g%d" % i)[0] == 200:
            through.append(i)
    report("a_child_of_what_the_same_step_makes_is_judged_whole", not through, "%d of %d came through" % (len(through), ROUNDS))
    made = 0
    for i in range(ROUNDS):
        answers = at_once((BOSS, "/v1/mandates/p/delegate", {"id": "d%d" % i, "agent": "agent:c", "until": UNTIL}),
                          (BOSS, "/v1/mandates/d%d/delegate" % i, {"id": "h%d" % i, "agent": "agent:g", "until": UNTIL}))
        made += answers[1][0] == 201
        assert answers[0][0] == 201 and answers[1][0] in (201, 403, 404), answers
    report("and_made_when_it_complies", True, made)


def no_second_person_for_ones_own():
    issue("q", max_depth=9)
    code, waits = ask(FIRST, "/v1/mandates/q/delegate", {"id": "q1", "agent": "agent:x", "until": UNTIL})
    own = ask("agent:x", "/v1/decisions/%s/permit" % waits["id"], {})
    other = ask(SECOND, "/v1/decisions/%s/permit" % waits["id"], {})
    report("nobody_agrees_to_what_they_would_hold", code == 202 and own[0] == 403 and other[0] == 200, (waits, own, other))
    claims = issue("s", agent="agent:y")
    code, waits = ask(FIRST, "/v1/mandates", dict(claims, id="s1", agent="agent:z", supersedes="s"))
    own = ask("agent:y", "/v1/decisions/%s/permit" % waits["id"], {})
    other = ask(SECOND, "/v1/decisions/%s/permit" % waits["id"], {})
    report("nobody_agrees_to_what_takes_the_place_of_their_own", code == 202 and own[0] == 403 and other[0] == 200,
           (waits, own, other))


def spent_stays_spent():
    scope = {"actions": ["finance.pay"], "resources": ["*"], "budgets": {"eur": "100"}}
    issue("b", scope=scope, max_depth=3)
    spent = ask("agent:bot", "/v1/mandates/b/spend", {"name": "eur", "amount": "60", "key": "k"})
    own = ask("agent:bot", "/v1/mandates/b/unspend", {"key": "k"})
    more = ask("agent:bot", "/v1/mandates/b/spend", {"name": "eur", "amount": "60", "key": "l"})
    other = ask(SECOND, "/v1/mandates/b/unspend", {"key": "k"})
    report("an_agent_does_not_give_back_what_it_spent_itself", (spent[0], own[0], more[0], other[0]) == (200, 403, 409, 200),
           (spent, own, more, other))


def over_a_daemon(config, *tests):
    folder = tempfile.mkdtemp(prefix="mandated-between-")
    os.chdir(folder)
    for name, text in (("policy.yaml", POLICY), ("compliance.yaml", COMPLIANCE), ("mandated.yaml", config), ("types.yaml", TYPES)):
        with open(name, "w") as f:
            f.write(text)
    with open("log", "w") as log:
        daemon = subprocess.Popen([os.path.join(BIN, "mandated"), "--config", "mandated.yaml"], stderr=log, stdout=log)
    try:
        deadline = time.monotonic() + 60
        while "serving on" not in open("log").read():
            if daemon.poll() is not None or time.monotonic() > deadline:
                sys.exit("the daemon does not serve:\n" + open("log").read())
            time.sleep(0.05)
        for test in tests:
            test()
    finally:
        daemon.terminate()
        clean = daemon.wait(60) == 0
        report("the_daemon_ends_cleanly", clean, open("log").read()[-800:])
        os.chdir("/")
        shutil.rmtree(folder)


over_a_daemon(CONFIG, what_waited_is_judged_again, side_by_side, no_second_person_for_ones_own, spent_stays_spent)
over_a_daemon(CONFIG.replace("policy: policy.yaml\n", ""), made_in_the_same_step)
sys.exit(failed != 0)
