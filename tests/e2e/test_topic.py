# SPDX-License-Identifier: Apache-2.0
"""The revocation topic as others read it: JSON and registered Avro, CloudEvents headers, heartbeats on every partition, and one mandated
that hangs its own mandates on what another one publishes.
"""
import json
import os
import unittest
import urllib.request

from tests.e2e import shared
from tests.real.parts import ROOT

ENTITIES = "types:\n  shop.item:\n    attributes: {open: bool}\n"
CONNECTOR = """connector: shop
topics: [%s]
decode: {format: json}
entities:
  - {type: shop.item, id: value.id, attributes: {open: value.open}}
"""
FEED = """connector: feed
topics: [%s]
decode: {%s, envelope: cloudevents, key_format: none}
when: event.type != "dev.mandated.heartbeat.v1"
entities:
  - {type: far.mandate, id: data.mandate, attributes: {state: data.state, version: data.version, reason: data.reason}}
"""
FAR = "types:\n  far.mandate:\n    attributes: {state: string, version: int, reason: string}\n"


class Topic(unittest.TestCase):
    def far_and_near(self, name, revocations, decode):
        """One mandated publishes; the second one reads that topic as any other."""
        kafka = shared.kafka()
        kafka.create({name + ".items": 1})
        d = shared.Daemon(name, {"shop": CONNECTOR % (name + ".items")}, ENTITIES, revocations=name + ".revocations")
        with open(d.config) as f:
            text = f.read()
        d.write("mandated.yaml", text.replace("revocations: {heartbeat: 500ms}", "revocations: {heartbeat: 500ms%s}" % revocations))
        self.addCleanup(d.stop)
        d.start()
        reader = shared.Daemon(name + "-reader", {"feed": FEED % (name + ".revocations", decode)}, FAR,
                               revocations=name + ".second", dead_letter=name + ".dead")
        self.addCleanup(reader.stop)
        reader.start()
        kafka.send(name + ".items", [("a", '{"id": "a", "open": true}', None)])
        d.wait("the item", lambda: d.value("shop.item", "a", "open") is True)
        self.assertEqual(d.issue("m", **{"while": 'shop.item["a"].open'})[0], 201)
        reader.wait("the issuance", lambda: reader.value("far.mandate", "m", "version") == 1)
        self.assertEqual(reader.issue("dependent", **{"while": 'far.mandate["m"].state == "active"'})[0], 201)
        kafka.send(name + ".items", [("a", '{"id": "a", "open": false}', None)])
        reader.wait_state("dependent", "revoked")
        self.assertEqual(reader.value("far.mandate", "m", "reason"), "while_false")
        self.assertEqual(kafka.read(reader.dead_letter), [])
        return d, kafka.read(d.revocations)

    def check_headers(self, records):
        for r in records:
            self.assertTrue(r.key and r.value, "a record of the topic has neither a null key nor a null value")
            self.assertEqual(r.header("ce_specversion"), "1.0")
            self.assertEqual(r.header("ce_source"), shared.ISSUER)
            for h in ("ce_id", "ce_type", "ce_time", "content-type"):
                self.assertTrue(r.header(h), h)
        beats = [r for r in records if "heartbeat" in r.header("ce_type")]
        self.assertEqual({r.partition for r in beats}, {0, 1, 2})
        return [r for r in records if r not in beats], beats

    def test_topic__json_by_the_schema_with_cloudevents_headers_and_a_watermark_on_every_partition(self):
        _, records = self.far_and_near("topic-json", "", "format: json")
        transitions, beats = self.check_headers(records)
        with open(os.path.join(ROOT, "schemas", "revocation.schema.json")) as f:
            schema = json.load(f)
        for r in transitions:
            value = json.loads(r.value)
            self.assertEqual(sorted(set(schema["required"]) - set(value)), [])
            self.assertEqual(sorted(set(value) - set(schema["properties"])), [])
            self.assertEqual((value["id"], value["mandate"]), (r.header("ce_id"), r.key.decode()))
        for partition in range(3):
            seqs = [json.loads(r.value)["watermark"]["seq"] for r in beats if r.partition == partition]
            self.assertEqual(seqs, sorted(seqs))

    def test_topic__avro_by_a_registered_schema(self):
        registry = shared.registry()
        _, records = self.far_and_near("topic-avro", ", format: avro, registry: \"%s\"" % registry.url,
                                       "format: avro, registry: \"%s\"" % registry.url)
        transitions, beats = self.check_headers(records)
        for kind, file in ((transitions, "revocation.avsc"), (beats, "heartbeat.avsc")):
            with open(os.path.join(ROOT, "schemas", file)) as f:
                ours = json.load(f)
            self.assertEqual({r.value[:1] for r in kind}, {b"\0"})
            for schema_id in {int.from_bytes(r.value[1:5], "big") for r in kind}:
                with urllib.request.urlopen("%s/schemas/ids/%d" % (registry.url, schema_id)) as answer:
                    self.assertEqual(json.loads(json.load(answer)["schema"]), ours)
        self.assertEqual([r.key for r in transitions], [b"m", b"m"])


if __name__ == "__main__":
    unittest.main()
