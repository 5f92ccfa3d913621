#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The certification scenario of AuthZEN's Authorization API 1.0, all levels, against a running daemon.

    authzen.py BIN

The fixture as mandates: alice may read and write record-1, delete it if `soft` is true, and write record-2 while its `status` is "active"; bob may
read record-1 and read and write record-2. Mandates require values of properties of actions and resources (rules 5, 7 and 8); properties of
subjects decide nothing, so that of rule 6, the administrator, is who holds what.
"""
import sys

from rig import Rig, finish, report

ONE, MANY, SEARCH = "/access/v1/evaluation", "/access/v1/evaluations", "/access/v1/search/"


def who(name, **properties):
    return dict({"type": "user", "id": name}, **({"properties": properties} if properties else {}))


def what(name=None, **properties):
    return dict({"type": "record"}, **({"id": name} if name else {}), **({"properties": properties} if properties else {}))


def do(name, **properties):
    return dict({"name": name}, **({"properties": properties} if properties else {}))


ARCHIVED = what("record-2", status="archived")
ADMIN = who("bob", role="admin")
CONTEXT = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}
ALICE_READS = {"subject": who("alice"), "action": do("read"), "resource": what("record-1")}

with Rig(sys.argv[1], "check: {subject_types: [user]}\n") as r:
    r.start()
    for name, agent, actions, resource, require in (
            ("a-1", "alice", ["read", "write"], "record/record-1", {}), ("a-2", "alice", ["write"], "record/record-2", {"resource.status": ["active"]}),
            ("a-3", "alice", ["delete"], "record/record-1", {"action.soft": [True]}), ("b-1", "bob", ["read"], "record/record-1", {}),
            ("b-2", "bob", ["read", "write"], "record/record-2", {})):
        status, answer = r.issue(name, agent=agent, scope={"actions": actions, "resources": [resource], "require": require})
        assert status == 201, answer

    def decision(subject, action, resource, **more):
        status, answer = r.call("POST", ONE, dict({"subject": subject, "action": action, "resource": resource}, **more))
        return answer["decision"] if status == 200 and isinstance(answer["decision"], bool) else (status, answer)

    def many(evaluations, **defaults):
        status, answer = r.call("POST", MANY, dict(defaults, evaluations=evaluations))
        return [e["decision"] for e in answer["evaluations"]] if status == 200 else (status, answer)

    def found(kind, key="id", **asked):
        status, answer = r.call("POST", SEARCH + kind, asked)
        return [x[key] for x in answer["results"]] if status == 200 else (status, answer)

    # --- Basic ---
    report("Basic Core: the four decisions by identifiers", [decision(who("alice"), do("read"), what("record-1")),
           decision(who("alice"), do("write"), what("record-1")), decision(who("bob"), do("read"), what("record-1")),
           decision(who("bob"), do("write"), what("record-1"))] == [True, True, True, False])
    report("Basic Core: context, more properties and unknown members change nothing", all(x is True for x in (
        decision(**ALICE_READS, context=CONTEXT), decision(**ALICE_READS, foo="bar", futureField={"nested": True}),
        decision(who("alice", department="Sales", role="manager"), do("read", method="GET"), what("record-1", status="active", owner="bob")))))
    report("Basic Core: a missing member is 400, and what is asked again is answered again", all(
        r.call("POST", ONE, {k: v for k, v in ALICE_READS.items() if k != gone})[0] == 400 for gone in ALICE_READS) and
        len({decision(**ALICE_READS) for _ in range(5)}) == 1)
    rules = {5: (decision(who("alice"), do("write"), ARCHIVED), False), 6: (decision(ADMIN, do("write"), ARCHIVED), True),
             7: (decision(who("alice"), do("delete", soft=True), what("record-1")), True),
             8: (decision(who("alice"), do("delete", soft=False), what("record-1")), False)}
    report("Basic Properties: rules 5 to 8", all(got is asked for got, asked in rules.values()), rules)
    report("Basic Properties: it is the values that decide", [
        decision(who("alice"), do("write"), what("record-2", status="active")), decision(who("alice"), do("write"), what("record-2")),
        decision(who("alice"), do("delete"), what("record-1")), decision(who("alice"), do("delete", soft="true"), what("record-1"))] == [
            True, False, False, False])

    # --- Batch ---
    report("Batch Core: decisions in order, with defaults and without, context for all and for one", [
        many([{"action": do("read")}, {"action": do("write")}], subject=who("bob"), resource=what("record-1")),
        many([ALICE_READS, {"subject": who("bob"), "action": do("write"), "resource": what("record-1")}]),
        len(many([{"resource": what("record-1")}, {"resource": what("record-2"), "context": {"source": "override"}}], subject=who("alice"),
                 action=do("read"), context=CONTEXT))] == [[True, False], [True, False], 2])
    report("Batch Core: an item without its members is a no among the others", many([{"resource": what("record-1")}, {}], subject=who("alice"),
           action=do("read")) == [True, False])
    report("Batch Core: without items it is one question", [r.call("POST", MANY, dict(ALICE_READS, **x))[1]["decision"] for x in
           ({}, {"evaluations": []})] == [True, True])
    report("Batch Properties: of resources, of subjects, each item its own", [
        many([{"resource": what("record-1", status="active")}, {"resource": ARCHIVED}], subject=who("alice"), action=do("write")),
        many([{"subject": who("alice")}, {"subject": ADMIN}], action=do("write"), resource=ARCHIVED)] == [[True, False], [False, True]])
    report("Batch Properties: a type that an item does not say is that of all",
           many([{"resource": {"id": "record-1", "properties": {"status": "active"}}}, {"resource": ARCHIVED}], subject=who("alice"),
                action=do("write"), resource=what()) == [True, False])

    # --- Search ---
    users = found("subject", subject={"type": "user"}, action=do("read"), resource=what("record-1"), context=CONTEXT)
    records = found("resource", subject=who("alice"), action=do("read"), resource=what())
    actions = found("action", "name", subject=who("alice"), resource=what("record-1"), context=CONTEXT)
    report("Search Core: subjects, resources, actions", {"alice", "bob"} <= set(users) and "record-1" in records and
           {"read", "write"} <= set(actions), (users, records, actions))
    report("Search Properties: of the resource, of the subject, of both", ["bob" in found("subject", subject={"type": "user"}, action=do("write"),
           resource=ARCHIVED), "record-2" in found("resource", subject=ADMIN, action=do("write"), resource=what()),
           "write" in found("action", "name", subject=ADMIN, resource=ARCHIVED)] == [True, True, True])
    report("Search: properties that are said decide as in a check", [
        found("subject", subject={"type": "user"}, action=do("write"), resource=what("record-2", status="active")),
        found("subject", subject={"type": "user"}, action=do("write"), resource=ARCHIVED),
        found("resource", subject=who("alice"), action=do("delete", soft=True), resource=what()),
        found("resource", subject=who("alice"), action=do("delete", soft=False), resource=what()),
        found("action", "name", subject=who("alice"), resource=what("record-2", status="active"))] == [
            ["alice", "bob"], ["bob"], ["record-1"], [], ["write"]])
    first = r.call("POST", SEARCH + "subject", {"subject": {"type": "user"}, "action": do("read"), "resource": what("record-1"), "page": {"limit": 1}})[1]
    token = first.get("page", {}).get("next_token")
    second = r.call("POST", SEARCH + "subject", {"subject": {"type": "user"}, "action": do("read"), "resource": what("record-1"),
                                                 "page": {"token": token}}) if token else (200, {"results": []})
    seen = [x["id"] for x in first["results"] + second[1]["results"]]
    report("Search Core: pages", len(first["results"]) == 1 and second[0] == 200 and sorted(seen) == ["alice", "bob"] and
           isinstance(second[1].get("page", {}).get("next_token"), str), (first, second))

    # --- Discovery ---
    status, document = r.call("GET", "/.well-known/authzen-configuration")
    report("Discovery: every endpoint that was asked", status == 200 and all(
        any(v == document["policy_decision_point"] + path for v in document.values())
        for path in (ONE, MANY, SEARCH + "subject", SEARCH + "resource", SEARCH + "action")), document)
    r.stop()
finish()
