# SPDX-License-Identifier: Apache-2.0
"""Starting when something is not there: a clear error, or a clean wait that ends by itself; nothing is lost by it."""
import signal
import struct
import unittest

from tests.e2e import shared
from tests.real.parts import free_port

ENTITIES = "types:\n  shop.item:\n    attributes: {open: bool}\n"
JSON = """connector: shop
topics: [%s]
decode: {format: json}
entities:
  - {type: shop.item, id: value.id, attributes: {open: value.open}}
"""
AVRO = """connector: shop
topics: [%s]
decode: {format: avro, registry: "%s", key_format: none}
entities:
  - {type: shop.item, id: value.id, attributes: {open: value.open}}
"""
SCHEMA = '{"type":"record","name":"Item","fields":[{"name":"id","type":"string"},{"name":"open","type":"boolean"}]}'
NEWER = SCHEMA[:-2] + ',{"name":"note","type":["null","string"],"default":null}]}'
OPEN = 'shop.item["%s"].open'


def framed(schema_id, name, is_open, more=b""):
    raw = name.encode()
    return b"\0" + struct.pack(">i", schema_id) + bytes([len(raw) * 2]) + raw + bytes([is_open]) + more


class Start(unittest.TestCase):
    def daemon(self, name, connector, **more):
        d = shared.Daemon(name, {"shop": connector}, ENTITIES, revocations=name + ".revocations", dead_letter=name + ".dead",
                          **more)
        self.addCleanup(d.stop)
        return d

    def known(self, d, item, value):
        d.wait("%s to be %s" % (item, value), lambda: d.value("shop.item", item, "open") is value)

    def test_start__without_a_broker_it_waits_says_so_and_works_once_it_is_there(self):
        kafka = shared.kafka()
        kafka.create({"start.items": 2})
        d = self.daemon("start-broker", JSON % "start.items")
        kafka.send("start.items", [("a", '{"id": "a", "open": true}', None)])
        kafka.stop()
        try:
            d.start(ready=False)
            d.wait("/healthz", lambda: d.status("/healthz") == 200)
            code, body = d.call("GET", "/readyz")
            self.assertEqual((code, body["ready"], body["publisher"]["reachable"]), (503, False, False))
            self.assertFalse(body["connectors"][0]["caught_up"])
            # What is committed now is told later.
            self.assertEqual(d.issue("early", **{"while": OPEN % "a"})[0], 201)
            self.assertEqual(d.metric("mandated_outbox_pending"), 1)
        finally:
            kafka.start()
        d.wait("/readyz", d.is_ready, 60)
        self.known(d, "a", True)
        kafka.send("start.items", [("a", '{"id": "a", "open": false}', None)])
        d.wait_state("early", "revoked")
        d.wait("both transitions on the topic", lambda: [(v["version"], v["state"]) for _, v in d.transitions()] ==
               [(1, "active"), (2, "revoked")])

    def test_start__a_broker_that_goes_away_and_comes_back_loses_nothing(self):
        kafka = shared.kafka()
        kafka.create({"start.away": 1})
        d = self.daemon("start-away", JSON % "start.away").start()
        kafka.send("start.away", [("a", '{"id": "a", "open": true}', None)])
        self.known(d, "a", True)
        self.assertEqual(d.issue("m", **{"while": OPEN % "a"})[0], 201)
        kafka.kill()
        try:
            self.assertEqual(d.call("POST", "/v1/mandates/m/suspend", {"reason": "meanwhile"})[0], 200)
            self.assertFalse(d.decision("m")["decision"])
        finally:
            kafka.start()
        kafka.send("start.away", [("a", '{"id": "a", "open": false}', None)])
        d.wait_state("m", "revoked", 60)
        d.wait("three transitions on the topic", lambda: [v["version"] for _, v in d.transitions()] == [1, 2, 3], 60)

    def test_start__a_topic_that_is_not_there_yet_is_read_once_it_is(self):
        d = self.daemon("start-topic", JSON % "start.later")
        d.start(ready=False)
        d.wait("/healthz", lambda: d.status("/healthz") == 200)
        self.assertEqual(d.status("/readyz"), 503)
        d.wait("/readyz to name the topic", lambda: "start.later" in str(d.call("GET", "/readyz")[1]))
        shared.kafka().create({"start.later": 1})
        shared.kafka().send("start.later", [("a", '{"id": "a", "open": true}', None)])
        self.known(d, "a", True)
        d.wait("/readyz", d.is_ready)

    def test_start__with_the_registry_down_known_schemas_come_from_disk_and_unknown_ones_wait(self):
        registry, kafka = shared.registry(), shared.kafka()
        kafka.create({"start.avro": 1})
        known, unknown = registry.register("start.avro-value", SCHEMA), registry.register("start.avro-value", NEWER)
        d = self.daemon("start-registry", AVRO % ("start.avro", registry.url)).start()
        kafka.send("start.avro", [(None, framed(known, "a", True), None)])
        self.known(d, "a", True)
        for mandate, item in (("m", "a"), ("n", "b"), ("o", "c")):
            self.assertEqual(d.issue(mandate, **{"while": OPEN % item})[0], 201)
        # It does not answer: a schema that was met before is on disk; with another one the record waits, and is not judged.
        self.assertEqual(d.stop()[0], 0)
        registry.process.child.send_signal(signal.SIGSTOP)
        try:
            kafka.send("start.avro", [(None, framed(known, "a", False), None)])
            d.start()
            d.wait_state("m", "revoked")
            kafka.send("start.avro", [(None, framed(unknown, "b", False, b"\0"), None)])
            d.wait("the record to wait", lambda: "registry" in d.get("/v1/connectors")["connectors"][0].get("reason", ""), 60)
            self.assertEqual(d.state("n"), "active")
        finally:
            registry.process.child.send_signal(signal.SIGCONT)
        d.wait_state("n", "revoked", 60)
        # It is gone altogether.
        self.assertEqual(d.stop()[0], 0)
        registry.kill()
        try:
            kafka.send("start.avro", [(None, framed(unknown, "c", False, b"\0"), None)])
            d.start()
            d.wait_state("o", "revoked")
        finally:
            registry.start()
        self.assertEqual(kafka.read(d.dead_letter), [])

    def test_start__a_data_dir_in_use_is_refused_with_exit_code_69(self):
        d = self.daemon("start-twice", JSON % "start.items").start(ready=False)
        d.wait("/healthz", lambda: d.status("/healthz") == 200)
        done = shared.mandated("--config", d.config)
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn("data", done.stderr)

    def test_start__a_broker_that_never_answers_does_not_keep_it_from_stopping(self):
        d = self.daemon("start-nowhere", JSON % "start.items", servers="127.0.0.1:%d" % free_port())
        d.start(ready=False)
        d.wait("/healthz", lambda: d.status("/healthz") == 200)
        self.assertEqual(d.status("/readyz"), 503)
        code, seconds = d.stop()
        self.assertEqual(code, 0, d.log())
        self.assertLess(seconds, 3)


if __name__ == "__main__":
    unittest.main()
