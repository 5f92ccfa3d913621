# SPDX-License-Identifier: Apache-2.0
"""kill -9 again and again while records and commands flow, on a real Kafka; then the revocation topic says exactly what the naive
oracle says. SEED=N repeats the choices of a run (not its timing); KILLS=N changes their number.

What is taken from mandated is the order in which it merged partitions and commands, and the time of each step; that this
order holds every record of every topic once, in order, and every answered command, is checked against the topics and
against what the client was told. What follows from the order is the oracle's own work, from the topics' own bytes.
"""
import json
import os
import random
import threading
import time
import unittest
from datetime import datetime, timezone

from tests.e2e import shared
from tests.e2e.kill_world import CONNECTORS, ENTITIES, TOPICS, Business, Client, changes_of, new_world, now_us
from tests.e2e.oracle import FINAL, REFUSED, Cause, Oracle, Origin

KILLS = int(os.environ.get("KILLS", "60"))
RECORDS_MAX, MANDATES_MAX = 12000, 900
REVOCATIONS, DEAD = "kill.revocations", "kill.dead"


def micros(text):
    """RFC 3339 to microseconds since 1970, exactly."""
    whole, _, rest = text.rstrip("Z").partition(".")
    moment = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return int(moment.timestamp()) * 1000000 + int((rest + "000000")[:6])


def murmur2(data):
    """As Kafka's Java clients place a key."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(data)) & mask
    for i in range(0, len(data) & ~3, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        h = (h * m ^ (k ^ k >> 24) * m) & mask
    left = data[len(data) & ~3:]
    if left:
        h = (h ^ int.from_bytes(left, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return (h ^ h >> 15) & 0x7FFFFFFF


class Kill(unittest.TestCase):
    def test_kill__the_topic_says_what_the_oracle_says_after_more_than_fifty_kills(self):
        self.seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
        print("     seed %d" % self.seed, flush=True)
        self.rng = random.Random(self.seed)
        shared.kafka().create(TOPICS)
        self.daemon = shared.Daemon("kill", CONNECTORS, ENTITIES, revocations=REVOCATIONS, dead_letter=DEAD)
        self.run_under_fire()
        self.daemon.start()
        self.finish()
        self.judge()

    # --- the run -----------------------------------------------------------------------------------------------------
    def run_under_fire(self):
        business, self.client = Business(self.rng.random()), Client(self.daemon, self.rng.random(), MANDATES_MAX)
        stop = threading.Event()
        troubles = []

        def guarded(work):
            try:
                while not stop.is_set():
                    work()
            except Exception as e:  # pylint: disable=broad-except
                troubles.append(e)

        def talk():
            self.client.once()
            time.sleep(0.01)

        def write():
            if business.sent < RECORDS_MAX:
                business.burst(shared.kafka())
            stop.wait(0.05)

        threads = [threading.Thread(target=guarded, args=(w,)) for w in (talk, write)]
        for t in threads:
            t.start()
        try:
            for _ in range(KILLS):
                self.daemon.process.start()
                # Mostly in the midst of work, sometimes while it comes up.
                time.sleep(self.rng.choice([0.05, 0.3, 0.8, 1.2, 1.6]) * self.rng.uniform(0.5, 1.5))
                self.daemon.process.check_alive()
                self.daemon.kill()
        finally:
            stop.set()
            for t in threads:
                t.join()
        if troubles:
            raise troubles[0]
        self.business = business

    def finish(self):
        d, kafka = self.daemon, shared.kafka()
        d.wait("/readyz", d.is_ready, 60)
        self.client.settle_unanswered()

        def caught_up():
            at = {(p["topic"], p["partition"]): p["offset"] for c in d.get("/v1/connectors")["connectors"]
                  for p in c["partitions"]}
            return all(at.get((t, p)) == end for t in TOPICS for p, end in kafka.end_offsets(t).items())
        d.wait("every record to be taken", caught_up, 60)
        d.wait("the outbox to be empty", lambda: d.metric("mandated_outbox_pending") == 0, 30)
        self.states = {m: (d.get("/v1/mandates/" + m), now_us()) for m in sorted(self.client.exists)}
        code, _ = d.stop()
        self.assertEqual(code, 0, d.log())

    # --- the judgement -------------------------------------------------------------------------------------------------
    def judge(self):
        journal = [line for line in self.daemon.journal() if line["kind"] != "transition"]
        records = {(t, r.partition, r.offset): r for t in TOPICS for r in shared.kafka().read(t)}
        self.check_order(journal, records)
        oracle = Oracle(new_world(), self.client.conditions)
        self.replay(oracle, journal, records)
        counts = self.check_topic(oracle)
        self.check_dead_letters(records)
        self.check_answers_at_the_end(oracle)
        shared.note("%d kills, %d records, %d commands, %s (seed %d)" %
                    (KILLS, len(records), len(self.client.asked), counts, self.seed))

    def check_order(self, journal, records):
        """Each record that says something once and in its partition's order; steps without gaps, time never backwards."""
        taken, seq, now = {}, 0, 0
        for line in journal:
            self.assertIn(line["seq"], (seq, seq + 1), "a gap in the journal")
            self.assertGreaterEqual(micros(line["now"]), now)
            seq, now = line["seq"], micros(line["now"])
            if line["kind"] == "record":
                o = line["origin"]
                taken.setdefault((o["topic"], o["partition"]), []).append(o["offset"])
        speaking = {}
        for (topic, partition, offset), r in sorted(records.items()):
            if changes_of(topic, r):
                speaking.setdefault((topic, partition), []).append(offset)
        for place, offsets in taken.items():
            said = [o for o in offsets if changes_of(place[0], records[place + (o,)])]
            self.assertEqual(said, speaking.get(place, []), "records of %s[%d]" % place)
        self.assertEqual(sorted(speaking), sorted(p for p in taken if speaking.get(p)))

    def replay(self, oracle, journal, records):
        asked, steps = iter(self.client.asked), {}
        for line in journal:
            steps.setdefault(line["seq"], []).append(line)
        for seq in sorted(steps):
            lines = steps[seq]
            inputs = [self.as_input(line, records, seq) for line in lines if line["kind"] != "tick"]
            outcomes = oracle.step(seq, micros(lines[0]["now"]), inputs)
            commands = [(line["command"], out) for line, out in zip(lines, outcomes) if line["kind"] == "command"]
            for command, outcome in commands:
                self.check_answer(command, outcome, asked)
        for ask in asked:
            self.assertIsNone(ask.status, "answered, and not in the journal: %s" % (ask,))

    def check_answer(self, command, outcome, asked):
        for ask in asked:
            if (ask.kind, ask.mandate, ask.principal) == (command["kind"], command["mandate"], command["principal"]):
                break
            self.assertIsNone(ask.status, "answered, and not in the journal in this place: %s" % (ask,))
        else:
            self.fail("in the journal, and nobody asked: %s" % command)
        if ask.status is not None:
            told = REFUSED if ask.status // 100 == 4 else ask.status
            self.assertEqual(told, outcome, "%s; the journal says %s" % (ask, command))

    def as_input(self, line, records, seq):
        if line["kind"] == "command":
            c = line["command"]
            cause = Cause("command", None, c["principal"], c["note"])
            if c["kind"] == "issue":
                claims = self.client.claims_like(c["claims"])
                return lambda oracle: oracle.issue(claims, cause)
            return lambda oracle: oracle.command(c["kind"], c["mandate"], cause)
        self.assertEqual(line["kind"], "record", line)
        at = line["origin"]
        changes = changes_of(at["topic"], records[at["topic"], at["partition"], at["offset"]]) or []
        self.assertEqual(len(changes), len(line["changes"]), line)

        def apply(oracle):
            for kind, name, sets, event_time in changes:
                origin = Origin(at["source"], at["topic"], at["partition"], at["offset"], event_time, seq)
                if sets is None:
                    oracle.world.delete(kind, name, origin)
                else:
                    oracle.world.upsert(kind, name, sets, origin)
                oracle.settle(Cause("event", origin))
        return apply

    def check_answers_at_the_end(self, oracle):
        """What GET said after the last start; a mandate whose time came between that and the end may have moved on."""
        for name, (seen, asked_us) in self.states.items():
            m = oracle.mandates[name]
            self.assertEqual(seen["transition"]["state"], oracle.said[name, seen["version"]]["state"], name)
            moved = [a.id for a in [m, *m.ancestors()] if oracle.said[a.id, a.version]["committed"] >= asked_us]
            if not moved:
                self.assertEqual((seen["state"], seen["version"]), (m.effective(asked_us), m.version), name)

    # --- the topic -----------------------------------------------------------------------------------------------------
    def check_topic(self, oracle):
        found, copies, ends = {}, 0, 0
        for r, value in self.daemon.transitions():
            key = (value["mandate"], value["version"])
            copies += key in found
            if key in found:
                self.assertEqual((found[key][0].key, found[key][0].value, found[key][0].headers, found[key][0].partition),
                                 (r.key, r.value, r.headers, r.partition), "a repetition that differs")
            found[key] = (r, value)
            ends += value["state"] in FINAL
        self.assertEqual(sorted(set(oracle.said) - set(found)), [], "missing on the topic")
        self.assertEqual(sorted(set(found) - set(oracle.said)), [], "on the topic, and never happened")
        for name, m in oracle.mandates.items():
            self.assertEqual(sorted(v for n, v in found if n == name), list(range(1, m.version + 1)), "a gap")
        for key, (r, value) in found.items():
            self.check_one(key, r, value, oracle, found)
        states = [said["state"] for said in oracle.said.values()]
        self.assertGreater(ends, 20)
        for state in ("active", "suspended", "completed", "revoked", "expired", "cascaded"):
            self.assertIn(state, states, "this run proves little: nothing became " + state)
        return "%d transitions (%s), %d of them told again" % (
            len(found), ", ".join("%d %s" % (states.count(s), s) for s in sorted(set(states))), copies)

    def check_one(self, key, r, value, oracle, found):
        said = oracle.said[key]
        cause, seen = said["cause"], dict(value["cause"])
        self.assertEqual(r.key.decode(), key[0])
        self.assertEqual(r.partition, murmur2(r.key) % 3)
        self.assertEqual((r.header("ce_id"), r.header("ce_specversion")), (value["id"], "1.0"))
        self.assertEqual(
            {"state": value["state"], "prior": value["prior"], "reason": value["reason"],
             "clause": value["clause"] and value["clause"]["kind"], "cause": seen["kind"],
             "effective": micros(value["effective_at"]), "committed": micros(value["committed_at"]), "seq": value["seq"],
             "txn": value["txn"], "expires": micros(value["expires_at"]), "cascade": self.cascade_of(value)},
            {"state": said["state"], "prior": said["prior"], "reason": said["reason"],
             "clause": self.clause_of(said, value), "cause": cause.kind, "effective": said["effective"],
             "committed": said["committed"], "seq": said["seq"], "txn": found[said["txn"]][1]["id"],
             "expires": oracle.mandates[key[0]].expires_at, "cascade": said["cascade"]}, key)
        if cause.principal is not None:
            self.assertEqual((seen["principal"], seen.get("note", "")), (cause.principal, cause.note))
        if cause.origin is not None:
            o = cause.origin
            self.assertEqual((seen["source"], seen["topic"], seen["partition"], seen["offset"], seen["seq"],
                              micros(seen["event_time"])), (o.source, o.topic, o.partition, o.offset, o.seq, o.event_time))
        if value["clause"]:
            self.assertEqual(value["clause"]["text"], oracle.mandates[key[0]].claims[value["clause"]["kind"]])
            if said["cells"] is not None:
                self.check_terms(value, said["cells"])

    @staticmethod
    def cascade_of(value):
        c = value["cascade"]
        return (c["root"], c["parent"], c["depth"], c["count"]) if c and c["parent"] is not None else None

    @staticmethod
    def clause_of(said, value):
        """What makes a mandate active again may be told with the clause that had suspended it, or without."""
        if said["reason"] == "conditions_clear" and value["clause"]:
            return "suspend_while"
        return said["clause"]

    def check_terms(self, value, cells):
        """Each term is what the graph held, and who had said so."""
        for term in value["terms"]:
            kind, rest = term["path"].split("[", 1)
            name, field = json.loads(rest[:rest.index("]")]), rest[rest.index("]") + 2:]
            cell = cells.get((kind, name, field))
            if "topic" not in term:
                continue
            self.assertIsNotNone(cell, term)
            o = cell.origin
            self.assertEqual((term["topic"], term["partition"], term["offset"], term["seq"], micros(term["event_time"])),
                             (o.topic, o.partition, o.offset, o.seq, o.event_time), term)
            if term["observed"] and "value" in term:
                held = micros(term["value"]) if field == "seen" and term["value"] else term["value"]
                self.assertEqual(held, cell.value, term)

    def check_dead_letters(self, records):
        poison = {place for place, r in records.items() if changes_of(place[0], r) is None}
        letters = {}
        for r in shared.kafka().read(DEAD):
            place = (r.header("__connect.errors.topic"), int(r.header("__connect.errors.partition")),
                     int(r.header("__connect.errors.offset")))
            self.assertEqual((r.key, r.value), (records[place].key, records[place].value))
            letters[place] = r
        self.assertEqual(sorted(letters), sorted(poison))
        self.assertGreater(len(poison), 0)


if __name__ == "__main__":
    unittest.main()
