# SPDX-License-Identifier: Apache-2.0
"""`context.at_least`: a check that was asked for after an event sees that event, or says no; whatever became of the record."""
import json
import unittest

from tests.e2e import shared
from tests.e2e.shared import Daemon

ENTITIES = "types:\n  al.case:\n    attributes: {status: string}\n"
CONNECTOR = """connector: cases
topics: [%s]
decode: {format: json}
on_error: %s
when: value.status != "ignored"
entities:
  - type: al.case
    id: value.id
    attributes: {status: value.status}
"""


class AtLeast(unittest.TestCase):
    count = 0

    def world(self, partitions=2, policy="quarantine"):
        AtLeast.count += 1
        self.topic = "at-least-%d" % AtLeast.count
        shared.kafka().create({self.topic: partitions})
        self.d = Daemon("at-least", {"cases": CONNECTOR % (self.topic, policy)}, ENTITIES, revocations=self.topic + "-out",
                        dead_letter=self.topic + "-dead")
        self.addCleanup(self.d.kill)
        self.d.start()
        self.issue("m")

    def issue(self, name, case="R"):
        status, answer = self.d.issue(name, **{"until": "al.case['%s'].status == 'done'" % case})
        self.assertEqual(status, 201, answer)

    def send(self, *values, partition=0):
        raw = [("k", v if isinstance(v, (str, bytes)) or v is None else json.dumps(v)) for v in values]
        shared.kafka().send(self.topic, raw, partition=partition)

    def end(self, partition=0):
        return shared.kafka().end_offsets(self.topic)[partition]

    def place(self, offset, partition=0):
        return "%s/%d@%d" % (self.topic, partition, offset)

    def ask(self, *places, mandate="m"):
        status, answer = self.d.call("POST", "/access/v1/evaluation", {
            "subject": {"type": "agent", "id": "a"}, "action": {"name": "x"}, "resource": {"type": "t", "id": "1"},
            "context": {"mandate": mandate, "at_least": places[0] if len(places) == 1 else list(places)}}, timeout=20)
        return (status, answer["context"]["reason"], answer["decision"]) if status == 200 else (status, answer, None)

    def test_at_least__a_check_after_an_event_sees_it(self):
        self.world()
        for i in range(20):
            name, case = "m-%d" % i, "R-%d" % i
            self.issue(name, case)
            partition = i % 2
            at = self.end(partition)
            self.send({"id": case, "status": "open"}, {"id": case, "status": "done"}, partition=partition)
            self.assertEqual(self.ask(self.place(at + 1, partition), mandate=name), (200, "mandate_inactive", False), name)

    def test_at_least__an_offset_that_is_not_there_yet_is_waited_for_and_then_a_no(self):
        self.world()
        self.send({"id": "other", "status": "open"})
        self.assertEqual(self.ask(self.place(0)), (200, "ok", True))
        self.assertEqual(self.ask(self.place(self.end() + 5)), (200, "stale_state", False))
        self.assertEqual(self.ask(self.place(0), self.place(self.end())), (200, "stale_state", False))

    def test_at_least__what_no_connector_reads_is_an_error_at_once(self):
        self.world()
        status, answer, _ = self.ask("no-such-topic/0@1")
        self.assertEqual(status, 400, answer)
        self.assertIn("no connector reads", answer)
        status, answer, _ = self.ask(self.topic + "/2@0")
        self.assertEqual(status, 400, answer)
        self.assertIn("has 2 partitions", answer)
        self.assertEqual(self.ask(self.topic + "/1@0")[:2], (200, "stale_state"))
        many = self.d.call("POST", "/access/v1/evaluations", {
            "subject": {"type": "agent", "id": "a"}, "action": {"name": "x"}, "resource": {"type": "t", "id": "1"},
            "evaluations": [{"context": {"mandate": "m"}}, {"context": {"mandate": "m", "at_least": "no-such-topic/0@1"}},
                            {"context": {"mandate": "m"}}]})[1]["evaluations"]
        self.assertEqual([e["decision"] for e in many], [True, False, True])
        self.assertIn("no connector reads", many[1]["context"]["error"]["message"])

    def test_at_least__records_that_change_nothing_are_reached_too(self):
        self.world()
        self.send({"id": "o", "status": "ignored"})  # filtered
        self.assertEqual(self.ask(self.place(0)), (200, "ok", True))
        self.send("this is no record")  # to the dead letters
        self.assertEqual(self.ask(self.place(1)), (200, "ok", True))
        self.send(None)  # a tombstone that nothing is mapped from
        self.assertEqual(self.ask(self.place(2)), (200, "ok", True))
        self.send({"id": "R"})  # cannot be mapped
        self.assertEqual(self.ask(self.place(3)), (200, "ok", True))
        self.d.kill()
        self.d.start()
        self.assertEqual(self.ask(self.place(3)), (200, "ok", True))

    def test_at_least__a_halted_connector_does_not_settle_the_record_that_halted_it(self):
        self.world(policy="halt")
        self.send({"id": "o", "status": "open"}, "this is no record")
        self.assertEqual(self.ask(self.place(0)), (200, "ok", True))
        self.assertEqual(self.ask(self.place(1)), (200, "stale_state", False))
