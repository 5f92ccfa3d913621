# SPDX-License-Identifier: Apache-2.0
"""The last checkpoint outside the database, on a topic of a real Kafka: what goes back is found out, and what is lost is read back."""
import os
import shutil
import unittest

from tests.e2e import shared

ENTITIES = "types:\n  shop.item:\n    attributes: {open: bool}\n"


class Checkpoint(unittest.TestCase):
    def daemon(self, name):
        d = shared.Daemon(name, {}, ENTITIES, revocations=name + ".revocations", dead_letter=name + ".dead",
                          config="audit: {interval: 50ms}\n")
        with open(d.config) as f:
            text = f.read()
        d.write("mandated.yaml", text.replace("dead_letter:", "checkpoints: %s.checkpoints, dead_letter:" % name))
        self.addCleanup(d.stop)
        return d

    def path(self, d, name):
        return os.path.join(d.folder, name)

    def published(self, d, name):
        """The note on the topic that covers most, as the file has it."""
        records = shared.kafka().read(name + ".checkpoints")
        return max((r.value.decode() for r in records), key=lambda text: int(text.splitlines()[1]), default="")

    def settled(self, d, name, size):
        """So many entries are signed, written and published."""
        d.wait("%d entries on the topic" % size, lambda: self.published(d, name).startswith("mandates.test/audit\n%d\n" % size))
        with open(self.path(d, "data.checkpoint")) as f:
            self.assertEqual(f.read(), self.published(d, name))

    def refused(self, d, words):
        done = shared.mandated("--config", d.config)
        self.assertEqual(done.returncode, 70, done.stderr)
        self.assertIn(words, done.stderr)

    def test_checkpoint__a_missing_file_is_read_back_and_without_topic_and_file_nothing_starts(self):
        shared.kafka().create({"cpa.checkpoints": 1})
        d = self.daemon("cpa").start()
        self.assertEqual(d.issue("a")[0], 201)
        self.settled(d, "cpa", 1)
        d.kill()
        kept = open(self.path(d, "data.checkpoint")).read()
        os.remove(self.path(d, "data.checkpoint"))
        d.start()
        self.assertEqual(open(self.path(d, "data.checkpoint")).read(), kept)
        self.assertIn("is made anew from the topic cpa.checkpoints, which vouches for 1 of 1 entries", d.log())
        self.assertEqual(d.issue("b")[0], 201)
        self.settled(d, "cpa", 2)
        d.kill()
        os.remove(self.path(d, "data.checkpoint"))
        with open(d.config) as f:
            text = f.read()
        d.write("mandated.yaml", text.replace("cpa.checkpoints", "cpa.not-there"))
        self.refused(d, "is missing; there is no topic cpa.not-there")
        d.write("mandated.yaml", text)
        d.start()

    def test_checkpoint__a_machine_that_was_put_back_whole_is_refused(self):
        shared.kafka().create({"cpb.checkpoints": 3})
        d = self.daemon("cpb").start()
        self.assertEqual(d.issue("a")[0], 201)
        self.settled(d, "cpb", 1)
        d.stop()
        names = ("data", "data.anchor", "data.checkpoint")
        for name in names:
            copy = shutil.copytree if os.path.isdir(self.path(d, name)) else shutil.copy2
            copy(self.path(d, name), self.path(d, "old-" + name))
        d.start()
        self.assertEqual(d.call("POST", "/v1/mandates/a/revoke", {"reason": "fraud"})[0], 200)
        self.settled(d, "cpb", 2)
        d.stop()
        for name in names:
            there = self.path(d, name)
            shutil.rmtree(there) if os.path.isdir(there) else os.remove(there)
            os.rename(self.path(d, "old-" + name), there)
        self.refused(d, "its audit log has 1 entries and the topic cpb.checkpoints was signed over 2")
