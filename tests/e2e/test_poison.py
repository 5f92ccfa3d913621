# SPDX-License-Identifier: Apache-2.0
"""Hostile records through the whole daemon: each is in the dead-letter topic with its original bytes and Kafka Connect's headers, and
the good record behind it counts. What a poison record does to mandates is its connector's `on_error`.
"""
import json
import unittest
from datetime import datetime, timedelta, timezone

from tests.e2e import shared

ENTITIES = """types:
  shop.item:
    attributes: {n: int, text: string, at: timestamp}
  shop.box:
    attributes: {n: int}
"""
JSON = """connector: %(name)s
topics: [%(topic)s]
decode: {format: json}
entities:
  - {type: shop.item, id: value.id, attributes: {n: value.n, text: value.text}}
event_time: value.at
on_error: %(policy)s
"""
AVRO = """connector: boxes
topics: [poison.avro]
decode: {format: avro, schema: ../box.avsc, framing: none, key_format: none}
entities:
  - {type: shop.box, id: value.id, attributes: {n: value.n}}
on_error: quarantine
"""
SCHEMA = """{"type": "record", "name": "Box", "fields": [{"name": "id", "type": "string"}, {"name": "n", "type": "long"},
 {"name": "lots", "type": {"type": "array", "items": "int"}},
 {"name": "deep", "type": ["null", {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}]}]}"""


def good(name, n, **more):
    return json.dumps(dict({"id": name, "n": n, "at": "2026-01-01T00:00:00Z"}, **more))


def ahead():
    return (datetime.now(timezone.utc) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")


# What is wrong with it, the record, and the stage that finds it. (Only what an expression mentions is built, and so judged.)
BAD_JSON = [
    ("it ends too early", '{"id": "x", "n": 1', "VALUE_CONVERTER"),
    ("it is no JSON", "id=x", "VALUE_CONVERTER"),
    ("something follows", '{"id": "x", "n": 1} {}', "VALUE_CONVERTER"),
    ("a key stands twice", '{"id": "x", "id": "y", "n": 1}', "VALUE_CONVERTER"),
    ("a key stands twice, deep inside", '{"id": "x", "n": 1, "text": [{"a": {"b": 1, "b": 2}}]}', "VALUE_CONVERTER"),
    ("it nests deeper than allowed", '{"id": "x", "n": 1, "more": %s1%s}' % ("[" * 40, "]" * 40), "VALUE_CONVERTER"),
    ("it nests without end", "[" * 200000, "VALUE_CONVERTER"),
    ("it has too many items", '{"id": "x", "n": 1, "text": [%s]}' % ",".join(["0"] * 10001), "VALUE_CONVERTER"),
    ("a number is out of range", '{"id": "x", "n": 1e999}', "VALUE_CONVERTER"),
    ("it is not UTF-8", b'{"id": "x", "n": 1, "text": "\xc3\x28"}', "VALUE_CONVERTER"),
    ("a number is no integer", good("x", 1.5), "TRANSFORMATION"),
    ("a text stands for a number", good("x", "many"), "TRANSFORMATION"),
    ("an attribute is too long", good("x", 1, text="t" * (64 * 1024 + 1)), "TRANSFORMATION"),
    ("its id is empty", good("", 1), "TRANSFORMATION"),
    ("its id is too long", good("x" * 513, 1), "TRANSFORMATION"),
    ("it has no id", '{"n": 1, "at": "2026-01-01T00:00:00Z"}', "TRANSFORMATION"),
    ("its id is a list", '{"id": [1], "n": 1, "at": "2026-01-01T00:00:00Z"}', "TRANSFORMATION"),
    ("its time is no time", good("x", 1, at="yesterday"), "TRANSFORMATION"),
    ("its time is far ahead", good("x", 1, at=ahead()), "TRANSFORMATION"),
    ("the record is longer than allowed", good("x", 1, text="t" * (4 * 1024 * 1024)), "VALUE_CONVERTER"),
]


def zigzag(n):
    n, out = n << 1, bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def box(name, n, lots=b"\0", deep=b"\0"):
    return bytes([len(name) * 2]) + name.encode() + zigzag(n) + lots + deep


BAD_AVRO = [
    ("it claims 2^60 elements", box("x", 1, zigzag(1 << 60))),
    ("it claims 2^31 elements in five bytes", b"\2x\2" + zigzag(1 << 31)[:5] + b"\0"),
    ("it claims a text of 2^40 bytes", zigzag(1 << 40) + b"x"),
    ("a length is negative", b"\1x"),
    ("it ends too early", box("x", 1)[:-1]),
    ("something follows", box("x", 1) + b"\0"),
    ("a union has no such branch", box("x", 1, deep=b"\x08")),
    ("it nests without end", box("x", 1, deep=b"\2" * 100000)),
    ("a number has no end", b"\2x" + b"\xff" * 20),
]


class Poison(unittest.TestCase):
    def daemon(self, name, policy="quarantine", avro=False, dead=None):
        topic = name.replace("-", ".")
        shared.kafka().create({topic: 1, "poison.avro": 1})
        connectors = {"items": JSON % {"name": "items", "topic": topic, "policy": policy}}
        if avro:
            connectors["boxes"] = AVRO
        d = shared.Daemon(name, connectors, ENTITIES, revocations=name + ".revocations", dead_letter=dead or name + ".dead")
        d.write("box.avsc", SCHEMA)
        self.addCleanup(d.stop)
        return d, topic

    def check_letter(self, letter, record, topic, offset, connector, stage):
        self.assertEqual((letter.key, letter.value), (record.key, record.value))
        self.assertTrue(letter.headers.startswith("trace=t-%d," % offset), "the record's own headers: " + letter.headers[:100])
        told = {h: letter.header("__connect.errors." + h) for h in
                ("topic", "partition", "offset", "connector.name", "task.id", "stage", "class.name", "exception.class.name",
                 "exception.message", "exception.stacktrace")}
        self.assertEqual([told["topic"], told["partition"], told["offset"], told["connector.name"], told["task.id"], told["stage"]],
                         [topic, "0", str(offset), connector, "0", stage])
        for h in ("class.name", "exception.class.name", "exception.message", "exception.stacktrace"):
            self.assertTrue(told[h], h)

    def every_bad_one(self, d, topic, bad, good_one, connector, value_of):
        """Bad and good in turn, all on one partition; a restart in the middle."""
        kafka, first = shared.kafka(), len(shared.kafka().read(d.dead_letter))
        for i, (_, value, _) in enumerate(bad):
            kafka.send(topic, [("k%d" % i, value, {"trace": "t-%d" % (2 * i)}), ("g", good_one(i), None)])
            if i == len(bad) // 2:
                d.kill()
                d.start()
        d.wait("the last good record", lambda: value_of() == len(bad) - 1, 60)
        letters = {}
        for r in kafka.read(d.dead_letter)[first:]:
            letters[int(r.header("__connect.errors.offset"))] = r
        records = {r.offset: r for r in kafka.read(topic)}
        for i, (what, _, stage) in enumerate(bad):
            with self.subTest(what):
                self.assertIn(2 * i, letters, "it was taken for good")
                self.check_letter(letters[2 * i], records[2 * i], topic, 2 * i, connector, stage)
        self.assertEqual(sorted(letters), [2 * i for i in range(len(bad))])

    def test_poison__hostile_json_is_put_aside_with_its_bytes_and_what_follows_counts(self):
        d, topic = self.daemon("poison-json")
        d.start()
        self.every_bad_one(d, topic, BAD_JSON, lambda i: good("a", i), "items", lambda: d.value("shop.item", "a", "n"))
        self.assertIsNone(d.entity("shop.item", "x"))
        self.assertIsNone(d.entity("shop.item", "y"))
        self.assertEqual(d.status("/readyz"), 200)

    def test_poison__hostile_avro_is_put_aside_with_its_bytes_and_what_follows_counts(self):
        d, _ = self.daemon("poison-avro-daemon", avro=True)
        d.start()
        bad = [(what, value, "VALUE_CONVERTER") for what, value in BAD_AVRO]
        self.every_bad_one(d, "poison.avro", bad, lambda i: box("a", i), "boxes", lambda: d.value("shop.box", "a", "n"))
        self.assertIsNone(d.entity("shop.box", "x"))

    def mandates(self, d):
        for name, claims in (("holds", {}), ("careful", {"on_unknown": "suspend", "unknown_grace": "0s"})):
            code, body = d.issue(name, **dict(claims, **{"while": 'shop.item["a"].n < 100'}))
            self.assertEqual((code, body.get("state")), (201, "active"), body)

    def test_poison__fail_closed_makes_what_the_connector_told_unknown_until_it_is_cleared(self):
        d, topic = self.daemon("poison-closed", "fail_closed")
        d.start()
        shared.kafka().send(topic, [("a", good("a", 1), None)])
        d.wait("the good record", lambda: d.value("shop.item", "a", "n") == 1)
        self.mandates(d)
        shared.kafka().send(topic, [("a", "{", None), ("a", good("a", 2), None)])
        d.wait_state("careful", "suspended")
        self.assertEqual(d.get("/v1/mandates/careful")["transition"]["reason"], "condition_unknown")
        self.assertEqual(d.state("holds"), "active")
        self.assertIn("offset 1", d.get("/v1/connectors")["connectors"][0]["reason"])
        d.kill()
        d.start()
        self.assertEqual(d.state("careful"), "suspended", "a restart has cleared it")
        self.assertEqual(d.call("POST", "/v1/connectors/items/clear")[0], 200)
        d.wait_state("careful", "active")
        self.assertEqual(d.value("shop.item", "a", "n"), 2)

    def test_poison__halt_stops_at_the_record_and_goes_on_when_it_is_cleared(self):
        d, topic = self.daemon("poison-halt", "halt")
        d.start()
        shared.kafka().send(topic, [("a", good("a", 1), None)])
        d.wait("the good record", lambda: d.value("shop.item", "a", "n") == 1)
        self.mandates(d)
        shared.kafka().send(topic, [("a", "{", None), ("a", good("a", 200), None)])
        d.wait_state("careful", "suspended")
        self.assertEqual(d.get("/v1/connectors")["connectors"][0]["state"], "halted")
        self.assertEqual(d.state("holds"), "active", "it has read on")
        self.assertEqual(d.call("POST", "/v1/connectors/items/clear")[0], 200)
        d.wait_state("holds", "revoked")

    def test_poison__without_a_dead_letter_topic_nothing_is_passed_over(self):
        d, topic = self.daemon("poison-nowhere", dead="poison-nowhere.dead")
        self.assertEqual(shared.kafka().end_offsets("poison-nowhere.dead"), {0: 0})
        d.write("mandated.yaml", open(d.config).read().replace("poison-nowhere.dead", "poison-nowhere.later"))
        d.start()
        shared.kafka().send(topic, [("a", good("a", 1), None)])
        d.wait("the good record", lambda: d.value("shop.item", "a", "n") == 1)
        self.mandates(d)
        shared.kafka().send(topic, [("a", "{", None), ("a", good("a", 200), None)])
        d.wait("the reason", lambda: "poison-nowhere.later" in d.get("/v1/connectors")["connectors"][0].get("reason", ""))
        self.assertEqual(d.state("holds"), "active", "the record behind was read first")
        code, _ = d.stop()
        self.assertEqual(code, 0)
        d.start(ready=False)
        d.wait("/healthz", lambda: d.status("/healthz") == 200)
        shared.kafka().create({"poison-nowhere.later": 1})
        d.wait_state("holds", "revoked", 60)
        self.assertEqual([r.value for r in shared.kafka().read("poison-nowhere.later")], [b"{"])


if __name__ == "__main__":
    unittest.main()
