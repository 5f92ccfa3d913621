# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: connector files are read anew, checked as a whole, and taken over where reading is; a bad one changes nothing."""
import json
import os
import re
import signal
import threading
import time
import unittest

from tests.e2e import shared
from tests.e2e.shared import Daemon

ENTITIES = """types:
  r.case:
    attributes: {status: string, n: int}
"""
CONNECTOR = """connector: %(name)s
topics: [%(topic)s]
decode: {format: json}
on_error: %(policy)s
entities:
  - type: r.case
    id: value.id
    attributes: {status: %(status)s, n: value.n}
"""


class Reload(unittest.TestCase):
    count = 0

    def text(self, name="cases", topic=None, policy="fail_closed", status="value.status"):
        return CONNECTOR % dict(name=name, topic=topic or self.topic, policy=policy, status=status)

    def world(self, policy="fail_closed", partitions=1, **more):
        Reload.count += 1
        self.topic = "reload-%d" % Reload.count
        shared.kafka().create({self.topic: partitions, self.topic + "-second": 1})
        files = {"cases": self.text(policy=policy)}
        files.update({name: self.text(name, self.topic + "-second") for name in more.get("others", [])})
        self.d = Daemon("reload", files, ENTITIES, revocations=self.topic + "-out", dead_letter=self.topic + "-dead")
        self.addCleanup(self.d.kill)
        self.d.start()

    def send(self, *values, topic=None):
        shared.kafka().send(topic or self.topic, [("k", json.dumps(v)) for v in values])

    def status(self, name):
        return self.d.value("r.case", name, "status")

    def read(self, name, status):
        self.d.wait("%s to be %s" % (name, status), lambda: self.status(name) == status)

    def reload(self, outcome, **files):
        for name, text in files.items():
            path = os.path.join("connectors", name + ".yaml")
            if text is None:
                os.unlink(os.path.join(self.d.folder, path))
            else:
                self.d.write(path, text)
        key = 'mandated_reloads_total{outcome="%s"} ' % outcome
        def count():
            return int(self.d.get("/metrics").split("\n" + key)[1].split("\n")[0])
        before = count()
        os.kill(self.d.process.child.pid, signal.SIGHUP)
        self.d.wait("the reload to be " + outcome, lambda: count() == before + 1)

    def said(self):
        """Of the last reload, whatever was logged behind it."""
        return re.findall(r"done: \d+ connectors changed", self.d.log(200))[-1]

    def connectors(self):
        return {c["name"]: c for c in self.d.get("/v1/connectors")["connectors"]}

    def test_reload__a_changed_mapping_takes_over_where_reading_is(self):
        self.world()
        self.send({"id": "a", "status": "open", "state": "S1", "n": 1})
        self.read("a", "open")
        pid = self.d.process.child.pid
        self.reload("done", cases=self.text(status="value.state"))
        self.send({"id": "b", "status": "open", "state": "S2", "n": 2})
        self.read("b", "S2")
        self.assertEqual(self.status("a"), "open")
        self.assertEqual(self.connectors()["cases"]["partitions"][0]["offset"], 2)
        self.assertEqual(self.d.process.child.pid, pid)
        self.assertEqual(self.connectors()["cases"]["state"], "live")

    def test_reload__a_bad_file_changes_nothing_and_says_where(self):
        self.world()
        self.reload("refused", cases=self.text(status="value.status +"))
        self.assertIn("cases.yaml:8:", self.d.log(50))
        self.assertIn("nothing was changed", self.d.log(50))
        self.send({"id": "a", "status": "open", "n": 1})
        self.read("a", "open")
        self.reload("refused", cases=self.text().replace("decode:", "decoed:"))
        self.assertIn("decode", self.d.log(50))
        self.reload("refused", cases=self.text() + "rdkafka: {fetch.min.bites: 1}\n")
        self.assertIn("fetch.min.bites", self.d.log(50))
        self.send({"id": "a", "status": "closed", "n": 2})
        self.read("a", "closed")

    def test_reload__an_attribute_that_changes_its_type_is_refused(self):
        self.world()
        self.d.write("entities.yaml", ENTITIES.replace("n: int", "n: string"))
        self.reload("refused", cases=self.text().replace("n: value.n", "n: string(value.n)"))
        self.assertIn("r.case.n changes its type", self.d.log(50))

    def test_reload__a_connector_halted_by_poison_goes_on_at_that_record_with_the_corrected_file(self):
        self.world(policy="halt")
        self.send({"id": "a", "status": 7, "n": 1}, {"id": "b", "status": "open", "n": 2})
        self.d.wait("the halt", lambda: self.connectors()["cases"]["state"] == "halted")
        self.reload("done", cases=self.text(policy="halt", status="string(value.status)"))
        self.read("b", "open")
        self.read("a", "7")
        self.assertEqual(self.connectors()["cases"]["records"]["dead_lettered"], 0)

    def test_reload__a_connector_that_is_gone_is_not_believed_any_more(self):
        self.world(others=["second"])
        self.send({"id": "w", "status": "open", "n": 1}, topic=self.topic + "-second")
        self.read("w", "open")
        code, body = self.d.issue("watch", on_unknown="suspend", unknown_grace="0s", **{"while": 'r.case["w"].status == "open"'})
        self.assertEqual((code, body["state"]), (201, "active"))
        self.reload("done", second=None)
        self.d.wait_state("watch", "suspended")
        self.assertEqual(list(self.connectors()), ["cases"])
        self.send({"id": "a", "status": "open", "n": 1})
        self.read("a", "open")
        self.d.stop()  # and not after the next start either
        self.d.start()
        self.assertEqual((self.d.state("watch"), self.status("w")), ("suspended", None))
        self.d.write("connectors/second.yaml", self.text("second", self.topic + "-second"))
        pid = self.d.process.child.pid
        os.kill(pid, signal.SIGHUP)
        self.d.wait("it to be believed again", lambda: self.d.status("/readyz") == 200 and self.status("w") == "open")
        self.d.wait_state("watch", "active")
        self.assertEqual(self.d.process.child.pid, pid)

    def test_reload__a_connector_removed_while_the_daemon_was_down_is_not_believed_any_more(self):
        self.world(others=["second"])
        self.assertIn("'r.case.status' is set by connector 'cases' too", self.d.log(50))
        self.send({"id": "w", "status": "open", "n": 1}, topic=self.topic + "-second")
        self.send({"id": "a", "status": "open", "n": 1})
        self.read("w", "open")
        self.read("a", "open")
        self.assertEqual(self.d.issue("watch", on_unknown="suspend", unknown_grace="0s",
                                      **{"while": 'r.case["w"].status == "open"'})[0], 201)
        self.d.stop()
        os.unlink(os.path.join(self.d.folder, "connectors/second.yaml"))
        self.d.start()
        self.d.wait_state("watch", "suspended")
        self.assertIn("connector second is not configured any more", self.d.log(50))
        self.assertEqual((self.status("w"), self.status("a")), (None, "open"))

    def test_reload__what_a_connector_file_names_is_read_anew_too(self):
        self.world()
        text = self.text() + "rdkafka: {client.id: 'file:client.txt'}\n"
        self.d.write("connectors/client.txt", "one")
        self.reload("done", cases=text)
        self.d.wait("it to be taken over", lambda: "cases: its file changed and is in effect" in self.d.log(50))
        self.reload("done")
        self.assertEqual(self.said(), "done: 0 connectors changed")
        self.d.write("connectors/client.txt", "two")
        self.reload("done")
        self.assertEqual(self.said(), "done: 1 connectors changed")

    def test_reload__a_new_connector_restarts_the_process_in_place(self):
        self.world()
        self.send({"id": "a", "status": "open", "n": 1})
        self.read("a", "open")
        self.assertEqual(self.d.issue("m", **{"while": 'r.case["x"].owner == "me"'})[0], 400)
        self.assertEqual(self.d.issue("m", **{"while": 'r.case["a"].status == "open"'})[0], 201)
        pid = self.d.process.child.pid
        text = self.text("second", self.topic + "-second").replace("n: value.n", "owner: value.owner")
        self.d.write("entities.yaml", ENTITIES.replace("n: int", "n: int, owner: string"))
        self.d.write("connectors/second.yaml", text)
        self.send({"id": "x", "status": "open", "owner": "me"}, topic=self.topic + "-second")
        os.kill(pid, signal.SIGHUP)
        self.d.wait("the new attribute", lambda: self.d.status("/readyz") == 200 and self.d.value("r.case", "x", "owner") == "me")
        self.assertEqual((self.d.process.child.pid, self.d.process.running()), (pid, True))
        self.assertEqual(self.d.state("m"), "active")
        self.assertEqual(sorted(self.connectors()), ["cases", "second"])
        self.send({"id": "a", "status": "closed", "n": 2})
        self.d.wait_state("m", "revoked")
        self.assertEqual(self.d.stop()[0], 0)

    def test_reload__again_and_again_under_load_nothing_is_lost_and_nothing_twice(self):
        self.world(partitions=3)
        ending, sent = threading.Event(), []

        def business():
            while not ending.is_set():
                batch = [{"id": "c%d" % (len(sent) + i), "status": "open", "state": "open", "n": len(sent) + i} for i in range(200)]
                shared.kafka().send(self.topic, [(v["id"], json.dumps(v)) for v in batch])
                sent.extend(batch)
        thread = threading.Thread(target=business)
        thread.start()
        for turn in range(12):
            self.reload("done", cases=self.text(status=("value.state", "value.status")[turn % 2]))
            time.sleep(0.1)
        ending.set()
        thread.join()
        self.d.wait("the end", lambda: sum(p["offset"] for p in self.connectors()["cases"]["partitions"]) == len(sent))
        self.d.wait("the last", lambda: self.d.value("r.case", sent[-1]["id"], "n") == len(sent) - 1)
        self.assertEqual(self.d.stop()[0], 0)
        seen = [(e["origin"]["partition"], e["origin"]["offset"]) for e in self.d.journal() if e["kind"] == "record"]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual(len(seen), len(sent))
        shared.note("%d records" % len(sent))


if __name__ == "__main__":
    unittest.main()
