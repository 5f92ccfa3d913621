# SPDX-License-Identifier: Apache-2.0
"""Rows of a real PostgreSQL end mandates: Debezium reads its log, Kafka carries it, as Avro by a registry and as JSON with inline
schemas. Inserts, updates, deletes, transactions, a truncate, and what happened while mandated was down.
"""
import unittest

from tests.e2e import shared
from tests.real.connect import Connect

ENTITIES = """types:
  sales.account:
    attributes: {name: string}
  sales.opportunity:
    attributes: {status: string, amount: double, closes: timestamp, notes: string, region: string}
    references: {account: {type: sales.account, inverse: opportunities}}
"""
CONNECTOR = """connector: sales
topics: [%(name)s.public.opportunity, %(name)s.public.account]
decode: {%(decode)s, envelope: debezium}
entities:
  - type: sales.opportunity
    when: source.table == "opportunity"
    id: after.id
    attributes: {status: after.status, amount: double(after.amount), closes: after.closes, notes: after.notes,
      region: after.region}
    references: {account: {type: sales.account, id: after.account_id}}
    delete: op == "d"
  - type: sales.account
    when: source.table == "account"
    id: after.id
    attributes: {name: after.name}
    delete: op == "d"
event_time: source.ts_ms
on_error: fail_closed
"""
TABLES = """
CREATE TABLE account (id integer PRIMARY KEY, name text);
CREATE TABLE opportunity (id text PRIMARY KEY, status text, amount numeric(12, 2), closes timestamptz, account_id integer,
                          notes text);
ALTER TABLE opportunity ALTER COLUMN notes SET STORAGE EXTERNAL;
INSERT INTO account VALUES (7, 'Initech');
INSERT INTO opportunity VALUES ('OP-1', 'open', 50000.00, '2030-01-01T00:00:00Z', 7, repeat('x', 9000)),
    ('OP-2', 'open', 100.25, NULL, 7, NULL), ('OP-3', 'open', 1, NULL, NULL, NULL), ('OP-4', 'open', 1, NULL, 7, NULL);
"""


def status(name, value):
    return 'sales.opportunity["%s"].status == "%s"' % (name, value)


class Real(unittest.TestCase):
    def test_real__rows_end_mandates_as_avro_by_a_registry(self):
        registry = shared.registry()
        self.story("avrodb", "format: avro, registry: \"%s\"" % registry.url, registry)

    def test_real__rows_end_mandates_as_json_with_inline_schemas(self):
        self.story("jsondb", "format: json", None)

    def story(self, name, decode, registry):
        database = shared.postgres()
        database.sql("DROP TABLE IF EXISTS account, opportunity;" + TABLES)
        topics = {"%s.public.%s" % (name, t): 1 for t in ("opportunity", "account")}
        shared.kafka().create(topics)
        connect = Connect(shared.folder("connect"), shared.kafka(), database, name, "public.opportunity,public.account", registry)
        self.addCleanup(lambda: (connect.stop(), database.drop_slot(name)))
        connect.start()
        self.topic = name + ".public.opportunity"
        self.d = shared.Daemon(name, {"sales": CONNECTOR % dict(name=name, decode=decode)}, ENTITIES,
                               revocations=name + ".revocations", dead_letter=name + ".dead")
        self.addCleanup(self.d.stop)
        self.d.start()
        self.snapshot()
        self.update(database)
        self.insert_and_suspend(database)
        self.new_column_and_new_key(database)
        self.delete(database)
        self.while_down(database)
        self.truncate(database)
        self.assertEqual(shared.kafka().read(self.d.dead_letter), [])

    def issue(self, mandate, **claims):
        code, body = self.d.issue(mandate, **claims)
        self.assertEqual(code, 201, body)
        return body

    def ended(self, mandate, state, reason):
        self.d.wait_state(mandate, state)
        transition = self.d.get("/v1/mandates/" + mandate)["transition"]
        self.assertEqual(transition["reason"], reason)
        self.assertFalse(self.d.decision(mandate)["decision"])
        return transition

    def value(self, name, attribute):
        return self.d.value("sales.opportunity", name, attribute)

    # --- the acts --------------------------------------------------------------------------------------------------
    def snapshot(self):
        """What stood in the tables before anybody listened."""
        d = self.d
        d.wait("the snapshot", lambda: self.value("OP-4", "status") == "open")
        self.assertEqual((self.value("OP-1", "amount"), self.value("OP-2", "amount")), (50000, 100.25))
        self.assertEqual(self.value("OP-1", "closes"), "2030-01-01T00:00:00Z")
        self.assertIsNone(self.value("OP-2", "closes"))
        self.assertEqual(len(self.value("OP-1", "notes")), 9000)
        d.wait("the account", lambda: d.value("sales.account", "7", "name") == "Initech")
        fields = d.entity("sales.account", "7")["inverses"]
        self.assertEqual(fields["opportunities"]["value"], ["OP-1", "OP-2", "OP-4"])

    def update(self, database):
        d = self.d
        self.issue("deal", **{"while": status("OP-1", "open"), "until": status("OP-1", "closed_won")})
        self.issue("deal-mail", parent="deal")
        self.assertTrue(d.decision("deal-mail")["decision"])
        code, body = d.issue("late", **{"while": status("OP-1", "lost")})
        self.assertEqual(code, 409, body)
        # A column that the row's update did not touch is not in its log record: the old value stays.
        database.sql("UPDATE opportunity SET amount = 60000 WHERE id = 'OP-1'")
        d.wait("the new amount", lambda: self.value("OP-1", "amount") == 60000)
        self.assertEqual(len(self.value("OP-1", "notes")), 9000)
        self.assertEqual(d.state("deal"), "active")
        database.sql("UPDATE opportunity SET status = 'lost' WHERE id = 'OP-1'")
        t = self.ended("deal", "revoked", "while_false")
        self.assertEqual((t["cause"]["kind"], t["cause"]["source"], t["cause"]["topic"]), ("event", "sales", self.topic))
        self.assertEqual([(x["path"], x["value"]) for x in t["terms"]], [('sales.opportunity["OP-1"].status', "lost")])
        t = self.ended("deal-mail", "cascaded", "ancestor_ended")
        self.assertEqual((t["cascade"]["root"], t["cascade"]["depth"]), ("deal", 1))

    def insert_and_suspend(self, database):
        d = self.d
        self.issue("unborn", on_unknown="suspend", unknown_grace="0s", **{"while": status("OP-9", "open")})
        self.issue("win", until=status("OP-9", "closed_won"))
        self.issue("big", suspend_while='sales.account["7"].opportunities.exists(o, o.amount > 1000000.0)')
        self.assertEqual(d.state("unborn"), "suspended")
        database.sql("INSERT INTO opportunity VALUES ('OP-9', 'open', 2000000.5, now(), 7)")
        d.wait_state("unborn", "active")
        t = self.ended("big", "suspended", "suspend_while_true")
        self.assertIn(('sales.opportunity["OP-9"].amount', 2000000.5), [(x["path"], x.get("value")) for x in t["terms"]])
        self.assertEqual(d.state("win"), "active")
        database.sql("UPDATE opportunity SET account_id = NULL WHERE id = 'OP-9'")
        d.wait_state("big", "active")
        database.sql("BEGIN; UPDATE opportunity SET status = 'closed_won', amount = 1 WHERE id = 'OP-9';"
                     "UPDATE opportunity SET status = 'won too' WHERE id = 'OP-4'; COMMIT")
        self.ended("win", "completed", "until_true")
        self.ended("unborn", "revoked", "while_false")
        d.wait("the other row of the transaction", lambda: self.value("OP-4", "status") == "won too")

    def new_column_and_new_key(self, database):
        """The schema changes between two records; a row whose key changes is one that is gone and one that is new."""
        self.issue("region", **{"while": 'sales.opportunity["OP-3"].region != "APAC"'})
        database.sql("ALTER TABLE opportunity ADD COLUMN region text")
        database.sql("UPDATE opportunity SET region = 'EMEA' WHERE id = 'OP-3'")
        self.d.wait("the new column", lambda: self.value("OP-3", "region") == "EMEA")
        self.assertEqual(self.d.state("region"), "active")
        database.sql("UPDATE opportunity SET region = 'APAC' WHERE id = 'OP-3'")
        self.ended("region", "revoked", "while_false")
        self.issue("moved", **{"while": status("OP-4", "won too")})
        database.sql("UPDATE opportunity SET id = 'OP-44' WHERE id = 'OP-4'")
        self.ended("moved", "revoked", "while_false")
        self.d.wait("the row under its new key", lambda: self.value("OP-44", "status") == "won too")

    def delete(self, database):
        self.issue("care", **{"while": status("OP-2", "open")})
        self.issue("other", **{"while": status("OP-3", "open")})
        database.sql("BEGIN; UPDATE opportunity SET status = 'lost' WHERE id = 'OP-3'; ROLLBACK")
        database.sql("DELETE FROM opportunity WHERE id = 'OP-2'")
        t = self.ended("care", "revoked", "while_false")
        self.assertIsNone(t["terms"][0]["value"])
        self.assertFalse(self.d.entity("sales.opportunity", "OP-2")["exists"])
        self.assertEqual(self.d.state("other"), "active", "what was rolled back has ended it")

    def while_down(self, database):
        code, _ = self.d.stop()
        self.assertEqual(code, 0, self.d.log())
        database.sql("UPDATE opportunity SET status = 'lost' WHERE id = 'OP-3'")
        database.sql("UPDATE opportunity SET status = 'open' WHERE id = 'OP-3'")
        self.d.start()
        self.ended("other", "revoked", "while_false")  # it was lost for a moment: ended for ever
        self.d.wait("it to be open again", lambda: self.value("OP-3", "status") == "open")

    def truncate(self, database):
        self.issue("blind", on_unknown="suspend", unknown_grace="0s", **{"while": status("OP-3", "open")})
        database.sql("TRUNCATE opportunity")
        self.ended("blind", "suspended", "condition_unknown")
        self.assertEqual(self.d.entity("sales.opportunity", "OP-3")["attributes"]["status"].get("unknown"), True)


if __name__ == "__main__":
    unittest.main()
