# SPDX-License-Identifier: Apache-2.0
"""Dead-letter records come back: as they were, once the mapping is right, or corrected; each once."""
import json
import time
import unittest

from tests.e2e import shared
from tests.e2e.shared import Daemon, mandatectl

ENTITIES = "types:\n  q.case:\n    attributes: {status: string}\n"
CONNECTOR = """connector: cases
topics: [%(topic)s]
decode: {format: json}
on_error: quarantine
entities:
  - type: q.case
    id: value.id
    attributes: {status: %(status)s}
%(keys)s
"""


class Requeue(unittest.TestCase):
    count = 0

    def world(self, keys="event_time: value.at"):
        Requeue.count += 1
        self.topic = "requeue-%d" % Requeue.count
        self.keys = keys
        shared.kafka().create({self.topic: 2})
        self.d = Daemon("requeue", {"cases": self.text("value.status")}, ENTITIES, revocations=self.topic + "-out",
                        dead_letter=self.topic + "-dead")
        self.addCleanup(self.d.kill)
        self.d.start()

    def text(self, status):
        return CONNECTOR % dict(topic=self.topic, status=status, keys=self.keys)

    def send(self, name, status, at, headers=None):
        shared.kafka().send(self.topic, [(name, json.dumps({"id": name, "status": status, "at": at}), headers)], 1)

    def read(self, name, status):
        self.d.wait("%s to be %s" % (name, status), lambda: self.d.value("q.case", name, "status") == status)

    def requeue(self, *args, stdin=None):
        return mandatectl("connector", "requeue", "cases", "--config", self.d.config, "--socket", self.d.socket, *args, stdin=stdin)

    def poison(self):
        self.now = int(time.time() * 1000) - 100000
        self.send("a", 7, self.now, {"trace": "t-1"})
        self.send("b", 8, self.now)
        self.send("b", "newer", self.now + 10)
        self.read("b", "newer")
        self.d.wait("the dead letters", lambda: len(shared.kafka().read(self.d.dead_letter)) == 2)

    def test_requeue__as_they_were_once_the_mapping_is_corrected_each_once_and_never_over_a_newer_value(self):
        self.world()
        self.poison()
        shown = self.requeue("--dry-run")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("0/0  to %s/1" % self.topic, shown.stdout)
        self.assertIn("2 of 2", shown.stdout)
        self.d.stop()
        self.d.write("connectors/cases.yaml", self.text("string(value.status)"))
        self.d.start()
        done = self.requeue()
        self.assertEqual((done.returncode, done.stdout), (0, "2 records sent back\n"), done.stderr)
        self.read("a", "7")
        self.d.wait("both", lambda: self.d.get("/v1/connectors")["connectors"][0]["records"]["mapped"] == 2)
        self.assertEqual(self.d.value("q.case", "b", "status"), "newer")
        back = shared.kafka().read(self.topic)[-2]
        self.assertEqual((back.partition, back.key), (1, b"a"))
        self.assertEqual(json.loads(back.value), {"id": "a", "status": 7, "at": self.now})
        self.assertEqual(back.header("trace"), "t-1")
        self.assertEqual(back.header("mandated.requeued-from"), "%s/0@0" % self.d.dead_letter)
        self.assertIsNone(back.header("__connect.errors.topic"))
        again = self.requeue()
        self.assertEqual((again.returncode, again.stdout), (0, "0 of 2 dead-letter records of cases to send back\n"))
        self.assertEqual(len(shared.kafka().read(self.topic)), 5)

    def test_requeue__one_record_with_a_corrected_value(self):
        self.world()
        self.poison()
        corrected = self.d.write("corrected.json", json.dumps({"id": "a", "status": "repaired", "at": self.now}))
        refused = self.requeue("--file", corrected)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("--offset", refused.stderr)
        done = self.requeue("--offset", "0", "--file", corrected)
        self.assertEqual((done.returncode, done.stdout), (0, "1 records sent back\n"), done.stderr)
        self.read("a", "repaired")
        self.assertIn("1 of 2", self.requeue("--dry-run").stdout)

    def test_requeue__without_an_event_time_it_must_be_meant(self):
        self.world(keys="")
        self.poison()
        refused = self.requeue()
        self.assertEqual(refused.returncode, 1)
        self.assertIn("--in-any-order", refused.stderr)
        self.assertEqual(len(shared.kafka().read(self.topic)), 3)
        done = self.requeue("--in-any-order")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.d.wait("two more dead letters", lambda: len(shared.kafka().read(self.d.dead_letter)) == 6)
        self.assertIn("2 of 4", self.requeue("--dry-run").stdout)


if __name__ == "__main__":
    unittest.main()
