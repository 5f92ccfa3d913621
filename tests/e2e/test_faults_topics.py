# SPDX-License-Identifier: Apache-2.0
"""What happens to topics, on a real Kafka: cut by retention, deleted and made anew, grown, compacted, read again; records late,
twice and out of order; a registry that is away. Nothing is jumped over in silence, and nothing ends by what was true once.
"""
import json
import os
import signal
import random
import struct
import time
import unittest

from tests.e2e import shared
from tests.e2e.shared import Daemon, mandatectl
from tests.real import wire
from tests.real.parts import wait_for
from tests.real.proxy import Proxy

ENTITIES = """types:
  f.case:
    attributes: {status: string, owner: string, n: int}
"""
CONNECTOR = """connector: cases
topics: [%(topic)s]
decode: {format: json}
on_error: %(policy)s
entities:
  - type: f.case
    id: value.id
    attributes: {status: value.status, n: value.n%(more)s}
"""


def record(name, status, n=0, **more):
    return (name, json.dumps(dict(more, id=name, status=status, n=n)))


class Topics(unittest.TestCase):
    count = 0

    def world(self, policy="fail_closed", partitions=1, configs=None, more="", keys="", start=True):
        Topics.count += 1
        self.topic = "faults-%d" % Topics.count
        self.kafka = shared.kafka()
        self.make_topic(partitions, configs)
        text = CONNECTOR % dict(topic=self.topic, policy=policy, more=more) + keys
        self.d = self.daemon(text)
        if start:
            self.d.start()
        return self.d

    def daemon(self, text):
        d = Daemon("faults", {"cases": text}, ENTITIES, revocations=self.topic + "-out", dead_letter=self.topic + "-dead")
        self.addCleanup(d.kill)
        return d

    def make_topic(self, partitions=1, configs=None):
        self.kafka.create({self.topic: partitions}, {self.topic: configs} if configs else None)

    def make_anew(self, partitions=1):
        wire.delete_topics(self.kafka.port, [self.topic])
        wait_for("the topic to be gone", lambda: wire.partitions(self.kafka.port, self.topic) == 0)
        self.make_topic(partitions)

    def send(self, *records, partition=None):
        self.kafka.send(self.topic, list(records), partition)

    def status(self, name):
        return self.d.value("f.case", name, "status")

    def read(self, name, status):
        self.d.wait("%s to be %s" % (name, status), lambda: self.status(name) == status)

    def connector(self):
        return self.d.get("/v1/connectors")["connectors"][0]

    def wait_connector(self, state):
        return self.d.wait("the connector to be " + state, lambda: (lambda c: c["state"] == state and c)(self.connector()))

    def settled(self, offset):
        """Everything is committed, and the mark of the last record is stored: it is a second behind."""
        self.d.wait("offset %d" % offset, lambda: sum(p["offset"] for p in self.connector()["partitions"]) == offset)
        time.sleep(2.5)

    def watch(self):
        """A mandate that shows what the connector's word is worth: suspended while it is worth nothing."""
        code, body = self.d.issue("watch", on_unknown="suspend", unknown_grace="0s", **{"while": 'f.case["w"].status == "open"'})
        self.assertEqual((code, body.get("state")), (201, "active"), body)

    def lost(self, why):
        c = self.wait_connector("doubtful")
        self.assertEqual(c["positions_lost"], 1)
        self.assertIn(why, c["reason"])
        self.d.wait_state("watch", "suspended")
        self.assertIn("mandated_positions_lost_total{connector=\"cases\"} 1", self.d.get("/metrics"))
        done = mandatectl("connector", "status", "--socket", self.d.socket)
        self.assertIn("1 positions lost", done.stdout)

    def went_on(self, offset):
        """Everything up to there is read, though it is not believed yet."""
        self.d.wait("offset %d" % offset, lambda: sum(p["offset"] for p in self.connector()["partitions"]) == offset)
        self.assertEqual(self.connector()["state"], "doubtful")

    def clear(self):
        done = mandatectl("connector", "clear", "cases", "--socket", self.d.socket)
        self.assertEqual(done.returncode, 0, done.stderr)

    # --- positions ---------------------------------------------------------------------------------------------------
    def test_faults__retention_that_ran_past_our_offset_is_noticed(self):
        self.world()
        self.send(record("w", "open"))
        self.read("w", "open")
        self.watch()
        self.d.stop()
        self.send(*[record("x%d" % i, "open") for i in range(10)])
        wire.delete_records(self.kafka.port, self.topic, 0, 8)
        self.d.start()
        self.lost("out of range")
        self.went_on(11)
        self.clear()
        self.wait_connector("live")
        self.read("x9", "open")
        self.assertIsNone(self.status("x3"))
        self.d.wait_state("watch", "active")

    def test_faults__retention_that_stopped_at_our_offset_lost_nothing(self):
        self.world()
        self.send(*[record("x%d" % i, "open") for i in range(5)])
        self.settled(5)
        self.d.stop()
        self.send(record("x5", "open"))
        wire.delete_records(self.kafka.port, self.topic, 0, 5)
        self.d.start()
        self.read("x5", "open")
        self.assertEqual((self.connector()["state"], self.connector()["positions_lost"]), ("live", 0))

    def test_faults__a_topic_made_anew_while_we_were_down_is_noticed_even_when_it_is_longer(self):
        self.world()
        self.send(record("w", "open"), record("x", "open"))
        self.read("x", "open")
        self.watch()
        self.settled(2)
        self.d.stop()
        self.make_anew()
        self.send(*[record("y%d" % i, "open") for i in range(30)])
        self.d.start()
        self.lost("another one")
        self.went_on(30)
        self.clear()
        self.wait_connector("live")
        self.read("y0", "open")
        self.read("y29", "open")
        self.settled(30)  # and after a restart it is the topic that we know
        self.d.stop()
        self.send(record("y30", "open"))
        self.d.start()
        self.read("y30", "open")
        self.assertEqual((self.connector()["state"], self.connector()["positions_lost"]), ("live", 0))

    def test_faults__a_topic_made_anew_under_us_is_noticed(self):
        self.world()
        self.send(record("w", "open"), record("x", "open"), record("y", "open"))
        self.read("y", "open")
        self.watch()
        self.settled(3)
        self.make_anew()
        self.send(record("z", "open"))
        self.lost("were lost")
        self.went_on(1)
        self.clear()
        self.wait_connector("live")
        self.read("z", "open")
        self.send(record("w", "closed"))
        self.d.wait_state("watch", "revoked")

    def test_faults__a_topic_made_anew_and_filled_beyond_our_offset_between_two_looks_is_noticed(self):
        self.world()
        self.send(record("x", "open"))
        self.read("x", "open")
        time.sleep(0.05)  # a record of a later millisecond
        self.send(record("w", "open"), record("y", "open"))
        self.read("y", "open")
        self.watch()
        self.settled(3)
        pid = self.d.process.child.pid
        os.kill(pid, signal.SIGSTOP)  # so that it cannot see it away
        try:
            self.make_anew()
            self.send(*(record("n%d" % i, "open") for i in range(8)))
        finally:
            os.kill(pid, signal.SIGCONT)
        self.lost("are others")
        self.went_on(8)
        self.clear()
        self.wait_connector("live")
        self.read("n0", "open")
        self.assertEqual(self.status("n7"), "open")

    def test_faults__fewer_partitions_than_before_are_noticed_running_and_after_a_restart(self):
        self.world(partitions=3)
        self.send(record("w", "open"), partition=0)
        self.send(record("x", "open"), partition=2)
        self.read("x", "open")
        self.watch()
        self.make_anew(1)
        self.wait_connector("doubtful")
        self.d.wait("the reason", lambda: "has 1 partitions and had 3" in self.connector()["reason"])
        self.d.wait_state("watch", "suspended")
        self.send(record("y", "open"))
        self.went_on(1)
        self.clear()
        self.wait_connector("live")
        self.read("y", "open")
        time.sleep(2.5)
        self.d.stop()
        self.d.start()
        self.assertEqual((self.connector()["state"], self.connector()["positions_lost"]), ("live", 0))
        self.assertEqual(len(self.connector()["partitions"]), 1)

    def test_faults__under_halt_a_lost_position_stops_the_connector_until_it_is_cleared(self):
        self.world(policy="halt")
        self.send(record("w", "open"), record("x", "open"))
        self.read("x", "open")
        self.watch()
        self.settled(2)
        self.d.stop()
        self.make_anew()
        self.send(*[record("y%d" % i, "open") for i in range(5)])
        self.d.start(ready=False)
        self.d.wait("its API", lambda: self.d.status("/healthz") == 200)
        self.wait_connector("halted")
        self.d.wait_state("watch", "suspended")
        self.assertIsNone(self.status("y0"))
        self.assertIn("halted", json.dumps(self.d.call("GET", "/readyz")[1]))
        self.clear()
        self.read("y4", "open")
        self.wait_connector("live")

    def test_faults__new_partitions_are_read_while_running(self):
        self.world()
        self.send(record("a", "open"))
        self.read("a", "open")
        wire.create_partitions(self.kafka.port, self.topic, 4)
        self.send(record("b", "open"), partition=3)
        self.read("b", "open")
        self.assertEqual(len(self.connector()["partitions"]), 4)
        self.assertEqual(self.connector()["positions_lost"], 0)

    # --- order ---------------------------------------------------------------------------------------------------------
    def graph(self, d, names):
        out = {}
        for name in names:
            e = d.entity("f.case", name)
            out[name] = e and (e["exists"], {k: v.get("value") for k, v in e["attributes"].items()})
        return out

    def test_faults__a_compacted_topic_from_its_start_gives_the_graph_of_the_live_one(self):
        settings = {"cleanup.policy": "compact", "segment.ms": "200", "min.cleanable.dirty.ratio": "0.01",
                    "max.compaction.lag.ms": "200", "delete.retention.ms": "600000"}
        self.world(configs=settings, start=False)
        text = CONNECTOR % dict(topic=self.topic, policy="fail_closed", more="") + "    tombstone: delete\n"
        text = text.replace("id: value.id", "id: key").replace("{format: json}", "{format: json, key_format: string}")
        self.d = self.daemon(text)
        self.d.start()
        chance, names = random.Random(7), ["k%d" % i for i in range(8)]
        for turn in range(4):
            batch = [record(chance.choice(names), chance.choice(["open", "closed", "held"]), n) for n in range(40)]
            self.send(*batch)
            self.kafka.send(self.topic, [(chance.choice(names), None)])
            time.sleep(0.3)
        self.send(record("last", "open"))
        self.read("last", "open")
        self.d.wait("compaction", lambda: len(self.kafka.read(self.topic)) < 80, 30)
        second = self.daemon(text)
        second.start()
        second.wait("the end", lambda: second.value("f.case", "last", "status") == "open")
        live, compacted = self.graph(self.d, names + ["last"]), self.graph(second, names + ["last"])
        self.assertEqual(live, compacted)
        self.assertTrue(any(v and not v[0] for v in live.values()), "no tombstone survived: the test shows less than it says")

    def test_faults__late_repeated_and_reordered_records_change_nothing(self):
        """The same changes in order, and shuffled with repetitions: with an event time, one graph."""
        keys = "event_time: value.at\n"
        self.world(keys=keys)
        chance, names = random.Random(11), ["s%d" % i for i in range(6)]
        now = int(time.time() * 1000) - 1000000
        story = [record(chance.choice(names), chance.choice(["open", "closed"]), n, at=now + n * 10) for n in range(120)]
        self.send(*story)
        self.send(record("end", "open", at=now + 5000))
        self.read("end", "open")
        first, before = self.graph(self.d, names), self.d
        noise = story * 2
        chance.shuffle(noise)
        self.send(*noise)
        self.send(record("end", "closed", at=now + 6000))
        self.read("end", "closed")
        self.assertEqual(self.graph(self.d, names), first)
        self.world(keys=keys)
        self.send(*noise)
        self.send(record("end", "closed", at=now + 6000))
        self.read("end", "closed")
        self.assertEqual(self.graph(self.d, names), first)

    # --- reading again ---------------------------------------------------------------------------------------------------
    def test_faults__a_corrected_mapping_reads_again_and_nothing_ends_by_the_past_or_twice(self):
        self.world()
        self.send(record("a", "open", owner="ann"), record("b", "closed", owner="bob"), record("a", "closed", owner="ann"),
                  record("a", "open", owner="eve"), record("c", "open", owner="cat"))
        self.read("c", "open")
        self.assertEqual(self.d.issue("ended", **{"while": 'f.case["c"].status == "open"'})[0], 201)
        self.send(record("c", "closed", owner="cat"))
        self.d.wait_state("ended", "revoked")
        self.send(record("c", "open", owner="cat"))
        self.read("c", "open")
        # Active now; the records behind us once said otherwise.
        self.assertEqual(self.d.issue("alive", **{"while": 'f.case["a"].status == "open"'})[0], 201)
        self.assertEqual(self.d.issue("owned", **{"while": 'f.case["a"].owner == "eve"'})[0], 201)
        self.d.stop()
        self.d.write("connectors/cases.yaml", CONNECTOR % dict(topic=self.topic, policy="fail_closed", more=", owner: value.owner"))
        self.d.start()
        self.assertIsNone(self.d.value("f.case", "b", "owner"))
        done = mandatectl("connector", "replay", "cases", "--from", "beginning", "--socket", self.d.socket)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.d.wait("the owners", lambda: self.d.value("f.case", "c", "owner") == "cat")
        self.wait_connector("live")
        self.assertEqual(self.d.value("f.case", "b", "owner"), "bob")
        self.assertEqual([self.d.state(m) for m in ("alive", "owned", "ended")], ["active", "active", "revoked"])
        self.assertEqual(self.d.get("/v1/mandates/ended")["version"], 2)
        self.send(record("a", "closed", owner="eve"))
        self.d.wait_state("alive", "revoked")
        self.d.wait("all to be published", lambda: self.d.metric("mandated_outbox_pending") == 0)
        ends = [v["mandate"] for _, v in self.d.transitions() if v["state"] == "revoked"]
        self.assertEqual(sorted(ends), ["alive", "ended"])

    def test_faults__killed_while_reading_again_it_goes_on_and_nothing_ends_by_the_past(self):
        self.world()
        self.send(*[record("a", "closed", n) for n in range(20000)])
        self.send(record("a", "open", 20000), record("z", "open"))
        self.read("z", "open")
        self.assertEqual(self.d.issue("alive", **{"while": 'f.case["a"].status == "open"'})[0], 201)
        for _ in range(3):
            done = mandatectl("connector", "replay", "cases", "--from", "beginning", "--socket", self.d.socket)
            time.sleep(0.1)
            self.d.kill()
            self.d.start(ready=False)
            self.d.wait("its API", lambda: self.d.status("/healthz") == 200)
        self.wait_connector("live")
        self.d.wait("its end", lambda: self.connector()["partitions"][0]["offset"] == 20002)
        self.assertEqual(self.d.state("alive"), "active")
        self.assertEqual(self.d.get("/v1/mandates/alive")["version"], 1)

    # --- silence ---------------------------------------------------------------------------------------------------------
    def test_faults__without_heartbeats_the_word_of_a_source_is_worth_nothing_until_it_is_back(self):
        Topics.count += 1
        beats = "beats-%d" % Topics.count
        shared.kafka().create({beats: 1})
        shared.kafka().send(beats, [("k", "tick")])
        self.world(keys="max_silence: 5s\nheartbeat: %s\n" % beats)
        self.send(record("w", "open"))
        self.read("w", "open")
        self.kafka.send(beats, [("k", "tick")])
        self.wait_connector("live")
        self.watch()
        self.d.wait_state("watch", "suspended")
        self.assertEqual(self.connector()["state"], "silent")
        self.kafka.send(beats, [("k", "tick")])
        self.d.wait_state("watch", "active")
        self.assertEqual(self.status("w"), "open")

    def test_faults__lag_is_told_in_records_and_seconds(self):
        """A connector that waits for its registry falls behind; both lags are there, by partition."""
        self.world(policy="halt", keys="event_time: value.at\n")
        at = int(time.time() * 1000) - 60000
        self.send(record("a", "open", at=at))
        self.read("a", "open")
        self.send(("k", "poison"), *[record("b%d" % i, "open", at=at) for i in range(4)])
        self.wait_connector("halted")
        p = self.d.wait("the lag", lambda: (lambda p: p["lag_records"] == 5 and p)(self.connector()["partitions"][0]))
        self.assertGreaterEqual(p["lag_seconds"], 60)
        self.assertEqual(self.d.metric("mandated_consumer_lag_records"), 5)
        self.assertGreaterEqual(self.d.metric("mandated_consumer_lag_seconds"), 60)
        done = mandatectl("connector", "status", "--socket", self.d.socket)
        row = [line.split() for line in done.stdout.splitlines() if line.startswith("cases")][0]
        self.assertEqual((row[1], row[5]), ("halted", "5"))
        self.clear()
        self.read("b3", "open")

    # --- the registry ----------------------------------------------------------------------------------------------------
    def registry(self):
        """The shared one, behind a wire that can be cut."""
        wire_to = Proxy(shared.registry().port)
        self.addCleanup(wire_to.away)
        return wire_to

    def avro(self, wire_to=None):
        Topics.count += 1
        self.topic = "faults-%d" % Topics.count
        self.kafka = shared.kafka()
        self.make_topic()
        text = (CONNECTOR % dict(topic=self.topic, policy="quarantine", more="")).replace(
            "{format: json}", "{format: avro, registry: '%s'}" % (
                shared.registry().url if wire_to is None else shared.registry().url_at(wire_to.port)))
        self.d = self.daemon(text)
        fields = [{"name": n, "type": t} for n, t in (("id", "string"), ("status", "string"), ("n", "int"))]
        self.schema = shared.registry().register(self.topic + "-value", json.dumps({"type": "record", "name": "Case", "fields": fields}))

    def send_avro(self, name, status, schema=None):
        def text(t):
            return bytes([2 * len(t)]) + t.encode()
        value = b"\x00" + struct.pack(">I", self.schema if schema is None else schema) + text(name) + text(status) + b"\x00"
        self.kafka.send(self.topic, [(name, value, {"h": "1"})])

    def test_faults__with_the_registry_away_a_restart_reads_on_by_its_cache(self):
        wire_to = self.registry()
        self.avro(wire_to)
        self.send_avro("a", "open")
        self.d.start()
        self.read("a", "open")
        self.d.stop()
        wire_to.away()
        self.send_avro("b", "open")
        self.d.start()
        self.read("b", "open")
        self.assertEqual(self.connector()["state"], "live")

    def test_faults__an_unknown_schema_id_is_asked_for_a_few_times_and_then_poison(self):
        self.avro()
        self.d.start()
        self.send_avro("a", "open", schema=987654)
        self.send_avro("b", "open")
        self.read("b", "open")
        self.assertIsNone(self.status("a"))
        dead = self.kafka.read(self.d.dead_letter)
        self.assertEqual(len(dead), 1)
        self.assertEqual(dead[0].header("__connect.errors.offset"), "0")
        self.assertEqual(self.connector()["records"]["dead_lettered"], 1)

    def held_until_back(self, leave):
        wire_to = self.registry()
        self.avro(wire_to)
        leave(wire_to)
        self.send_avro("a", "open")
        self.d.start(ready=False)
        self.d.wait("its API", lambda: self.d.status("/healthz") == 200)
        self.d.wait("the reason", lambda: "registry" in self.connector().get("reason", ""))
        self.assertEqual(sum(self.kafka.end_offsets(self.d.dead_letter).values()), 0)
        wire_to.back()
        self.read("a", "open")

    def test_faults__a_registry_that_cannot_be_reached_holds_the_record_until_it_can(self):
        self.held_until_back(Proxy.away)

    def test_faults__a_registry_that_does_not_answer_holds_the_record_until_it_does(self):
        self.held_until_back(Proxy.stall)


if __name__ == "__main__":
    unittest.main()
