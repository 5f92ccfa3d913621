# SPDX-License-Identifier: Apache-2.0
"""bench/e2e.py on a small topic of a real Kafka: its records are complete and count what went through. Never a time."""
import json
import os
import subprocess
import sys
import unittest

from tests.e2e.shared import BIN, ROOT

MESSAGES, MANDATES = 20000, 20


class Bench(unittest.TestCase):
    def run_small(self, *more):
        done = subprocess.run([sys.executable, os.path.join(ROOT, "bench/e2e.py"), "--bin", BIN, "--messages", str(MESSAGES), "--deals", "1000",
                               "--mandates", str(MANDATES), "--runs", "1", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        records = {}
        for line in done.stdout.splitlines():
            record = json.loads(line)
            records.setdefault(record["record"], []).append(record)
        return records

    def check(self, records, form):
        self.assertEqual(list(records), ["run", "produce", "bare_consumer", "mandated", "share"])
        self.assertTrue(all(len(r) == 1 for r in records.values()), records)
        run, made, bare, ours, share = (r[0] for r in records.values())
        self.assertEqual((run["benchmark"], run["format"], run["messages"]), ("e2e", form, MESSAGES))
        self.assertEqual((made["messages"], made["ok"]), (MESSAGES, True))
        self.assertEqual((bare["messages"], bare["bytes"], bare["partitions"], bare["ok"]), (MESSAGES, made["bytes"], 4, True))
        self.assertEqual((ours["messages"], ours["applied"]), (MESSAGES, MESSAGES))
        self.assertGreater(ours["batches"], 0)
        self.assertLessEqual({"engine", "source"}, set(ours["threads"]))
        self.assertAlmostEqual(sum(ours["threads"].values()), ours["cpu_us_per_record"], delta=0.5 + 0.1 * ours["cpu_us_per_record"])
        self.assertEqual((share["format"], share["bare_per_second"]), (form, bare["per_second"]))
        self.assertEqual(share["mandated_per_second"], ours["per_second"])
        self.assertAlmostEqual(share["share"], ours["per_second"] / bare["per_second"], places=2)

    def test_bench__e2e_counts_what_went_through_for_avro(self):
        self.check(self.run_small(), "avro")

    def test_bench__e2e_counts_what_went_through_for_debezium(self):
        self.check(self.run_small("--format", "debezium"), "debezium")
