# SPDX-License-Identifier: Apache-2.0
"""What a table does to its rows while Debezium watches, beyond test_real: a row changes its key, the table gains a column. As Avro by
a registry and as JSON with inline schemas, from a real PostgreSQL.
"""
import unittest

from tests.e2e import shared
from tests.real.connect import Connect

ENTITIES = "types:\n  erp.order:\n    attributes: {status: string, region: string, note: string}\n"
CONNECTOR = """connector: erp
topics: [%(name)s.public.orders]
decode: {%(decode)s, envelope: debezium}
event_time: source.ts_ms
on_error: fail_closed
entities:
  - type: erp.order
    id: after.id
    attributes: {status: after.status, region: after.region, note: after.note}
    delete: op == "d"
"""


class Tables(unittest.TestCase):
    def test_debezium__keys_change_and_columns_are_added_as_avro_by_a_registry(self):
        registry = shared.registry()
        self.story("avrokeys", 'format: avro, registry: "%s"' % registry.url, registry)

    def test_debezium__keys_change_and_columns_are_added_as_json_with_inline_schemas(self):
        self.story("jsonkeys", "format: json", None)

    def story(self, name, decode, registry):
        database, d = shared.postgres(), None
        database.sql("DROP TABLE IF EXISTS orders; CREATE TABLE orders (id text PRIMARY KEY, status text, note text);"
                     "ALTER TABLE orders ALTER COLUMN note SET STORAGE EXTERNAL;"
                     "INSERT INTO orders VALUES ('A', 'open', repeat('n', 9000)), ('B', 'open', NULL)")
        shared.kafka().create({name + ".public.orders": 1})
        connect = Connect(shared.folder("connect"), shared.kafka(), database, name, "public.orders", registry)
        self.addCleanup(lambda: (connect.stop(), database.drop_slot(name)))
        connect.start()
        d = shared.Daemon(name, {"erp": CONNECTOR % dict(name=name, decode=decode)}, ENTITIES, revocations=name + ".out",
                          dead_letter=name + ".dead")
        self.addCleanup(d.kill)
        d.start()
        d.wait("the snapshot", lambda: d.value("erp.order", "B", "status") == "open")
        self.assertEqual(d.issue("m", **{"while": 'erp.order["A"].status == "open"'})[0], 201)
        self.assertEqual(d.issue("b", **{"while": 'erp.order["B"].status == "open"'})[0], 201)
        # A new key is a delete of the old row, a null value, and a new row.
        database.sql("UPDATE orders SET id = 'Z' WHERE id = 'A'")
        d.wait_state("m", "revoked")
        d.wait("the row under its new key", lambda: d.value("erp.order", "Z", "status") == "open")
        self.assertFalse(d.entity("erp.order", "A")["exists"])
        # (Without a default: Connect's converters write a column's default in place of null.) The column comes in the middle of the topic: a new schema, and records before and after it.
        database.sql("ALTER TABLE orders ADD COLUMN region text; UPDATE orders SET status = 'held', region = 'emea' "
                     "WHERE id = 'Z'")
        d.wait("the new column", lambda: d.value("erp.order", "Z", "region") == "emea")
        self.assertEqual(d.value("erp.order", "Z", "status"), "held")
        # The large column was not touched, so no record holds it: of the new key nobody has told it, and the placeholder is no value.
        self.assertIsNone(d.value("erp.order", "Z", "note"))
        self.assertIsNone(d.value("erp.order", "B", "region"))
        database.sql("INSERT INTO orders VALUES ('C', 'open', NULL, 'apac'); UPDATE orders SET region = NULL WHERE id = 'Z'")
        d.wait("a row with it", lambda: d.value("erp.order", "C", "region") == "apac")
        d.wait("null in it", lambda: d.entity("erp.order", "Z")["attributes"]["region"].get("value") is None)
        self.assertEqual(d.state("b"), "active")
        # It goes again: rows keep what was known of it.
        database.sql("ALTER TABLE orders DROP COLUMN region; UPDATE orders SET status = 'closed' WHERE id = 'B'")
        d.wait_state("b", "revoked")
        self.assertEqual(d.value("erp.order", "C", "region"), "apac")
        self.assertEqual(d.get("/v1/connectors")["connectors"][0]["records"]["dead_lettered"], 0)


if __name__ == "__main__":
    unittest.main()
