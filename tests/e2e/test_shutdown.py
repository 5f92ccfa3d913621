# SPDX-License-Identifier: Apache-2.0
"""SIGTERM amid load: exit code 0 in less than two seconds, and afterwards nothing is missing: no record, no answered command, no
transition on the topic.
"""
import http.client
import json
import threading
import time
import unittest

from tests.e2e import shared

ENTITIES = "types:\n  shop.item:\n    attributes: {n: int, open: bool}\n"
CONNECTOR = """connector: shop
topics: [%s]
decode: {format: json}
entities:
  - {type: shop.item, id: value.id, attributes: {n: value.n, open: value.open}}
"""
RECORDS, ITEMS, ROUNDS = 30000, 50, 3
BOUND_S, SLACK_S = 2.0, 1.0


class Shutdown(unittest.TestCase):
    def test_shutdown__sigterm_amid_load_takes_less_than_two_seconds_and_loses_nothing(self):
        topic = "shutdown.items"
        shared.kafka().create({topic: 3})
        d = shared.Daemon("shutdown", {"shop": CONNECTOR % topic}, ENTITIES, revocations="shutdown.revocations")
        self.addCleanup(d.stop)
        answered, asked, stop = set(), iter(range(10 ** 9)), threading.Event()

        def client():
            while not stop.is_set():
                name = "m%05d" % next(asked)
                try:
                    code, _ = d.issue(name, **{"while": 'shop.item["i%d"].open' % (int(name[1:]) % ITEMS)})
                except (OSError, http.client.HTTPException):
                    time.sleep(0.01)
                    continue
                if code == 201:
                    answered.add(name)

        clients = [threading.Thread(target=client) for _ in range(3)]
        for c in clients:
            c.start()
        try:
            took = []
            for part in range(ROUNDS):
                d.start()
                lines = [("i%d" % (n % ITEMS), json.dumps({"id": "i%d" % (n % ITEMS), "n": part * RECORDS + n, "open": n % 997 != 5}),
                          None) for n in range(RECORDS)]
                shared.kafka().send(topic, lines)
                time.sleep(0.1 * part)
                code, seconds = d.stop()
                self.assertEqual(code, 0, d.log())
                self.assertLess(seconds, BOUND_S + SLACK_S)
                took.append(seconds)
        finally:
            stop.set()
            for c in clients:
                c.join()
        d.start()
        d.wait("all records", lambda: all(p["lag_records"] == 0 and p["offset"] > 0 for c in d.get("/v1/connectors")["connectors"]
                                          for p in c["partitions"]), 60)
        d.wait("the outbox to be empty", lambda: d.metric("mandated_outbox_pending") == 0)
        for i in range(ITEMS):
            self.assertEqual(d.value("shop.item", "i%d" % i, "n"), ROUNDS * RECORDS - ITEMS + i)
        self.assertEqual(d.stop()[0], 0)
        self.check_journal(d, topic, answered)
        shared.note("%d records, %d mandates" % (ROUNDS * RECORDS, len(answered)))

    def check_journal(self, d, topic, answered):
        offsets, transitions, issued = {}, {}, set()
        for line in d.journal():
            if line["kind"] == "record":
                offsets.setdefault(line["origin"]["partition"], []).append(line["origin"]["offset"])
            elif line["kind"] == "transition":
                t = line["transition"]
                transitions[t["mandate"], t["version"]] = t
                if t["version"] == 1:
                    issued.add(t["mandate"])
        for partition, end in shared.kafka().end_offsets(topic).items():
            self.assertEqual(offsets[partition], list(range(end)), "records of partition %d, each once and in order" % partition)
        self.assertEqual(answered - issued, set(), "answered, and not there")
        self.assertGreater(len(answered), 20)
        told = {(v["mandate"], v["version"]): v for _, v in d.transitions()}
        self.assertEqual(told, transitions)


if __name__ == "__main__":
    unittest.main()
