# SPDX-License-Identifier: Apache-2.0
"""The hard expiry: its event within a second of being due, also for what fell due while the process was down, and before anything
is served.
"""
import http.client
import time
import unittest
from datetime import datetime, timedelta, timezone

from tests.e2e import shared

SLACK_S = 1.0  # of a busy machine, on top of the second that is promised


def at(seconds):
    moment = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return moment.timestamp(), moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Expiry(unittest.TestCase):
    def daemon(self, name):
        d = shared.Daemon(name, {}, "types:\n  a.b:\n    attributes: {x: int}\n", revocations=name + ".revocations")
        self.addCleanup(d.stop)
        return d.start()

    def told(self, d, mandate):
        return [(r, v) for r, v in d.transitions() if v["mandate"] == mandate and v["state"] in ("expired", "cascaded")]

    def test_expiry__the_event_is_on_the_topic_within_a_second_of_being_due(self):
        d = self.daemon("expiry-running")
        due, text = at(2.5)
        for name, claims in (("ends", {}), ("ends-with-it", {"parent": "ends"}), ("stays", {})):
            code, body = d.issue(name, expires_at=None if name == "stays" else text, **claims)
            self.assertEqual(code, 201, body)
        self.assertTrue(d.decision("ends-with-it")["decision"])
        time.sleep(max(0, due - time.time()))
        for name in ("ends", "ends-with-it"):  # whether or not a timer has run by now
            answer = d.decision(name)
            self.assertFalse(answer["decision"], answer)
        for name in ("ends", "ends-with-it"):
            d.wait("the end of " + name, lambda n=name: self.told(d, n))
            record, value = self.told(d, name)[0]
            self.assertEqual((value["state"], value["version"], value["reason"]), ("expired", 2, "hard_expiry"))
            self.assertEqual(value["effective_at"].rstrip("Z").rstrip("0"), text.rstrip("Z").rstrip("0"))
            self.assertLess(record.timestamp_ms / 1000 - due, 1 + SLACK_S)
            self.assertGreaterEqual(record.timestamp_ms / 1000, due - 0.001)
        self.assertTrue(d.decision("stays")["decision"])

    def first_answer(self, d, mandate):
        """The first thing that a starting daemon says."""
        def ask():
            try:
                return d.call("GET", "/v1/mandates/" + mandate)
            except (OSError, http.client.HTTPException):
                return None
        return d.wait("the first answer", ask)

    def after_being_down(self, name, go_down):
        for seconds in (2, 8, 30):  # a busy machine needs longer until the process is down
            d = self.daemon("%s-%d" % (name, seconds))
            due, text = at(seconds)
            later, later_text = at(seconds + 0.4)
            codes = [d.issue(m, expires_at=t, **more)[0] for m, t, more in (
                ("root", later_text, {}), ("child", text, {"parent": "root"}), ("grandchild", text, {"parent": "child"}))]
            go_down(d)
            if time.time() < due:
                break
        self.assertLess(time.time(), due, "it fell due before the process was down")
        self.assertEqual(codes, [201] * 3)
        time.sleep(max(0, later - time.time()) + 0.2)
        d.start(ready=False)
        code, body = self.first_answer(d, "child")
        self.assertEqual((code, body["state"], body["version"], body["transition"]["state"]), (200, "expired", 2, "expired"))
        self.assertFalse(d.decision("root")["decision"])
        for mandate, moment in (("child", text), ("root", later_text), ("grandchild", text)):
            d.wait("the end of " + mandate, lambda m=mandate: self.told(d, m))
            told = self.told(d, mandate)
            self.assertEqual([v["version"] for _, v in told], [2])
            self.assertEqual(told[0][1]["effective_at"].rstrip("Z").rstrip("0"), moment.rstrip("Z").rstrip("0"))

    def test_expiry__what_fell_due_while_the_process_was_stopped_is_told_before_anything_is_served(self):
        self.after_being_down("expiry-stopped", lambda d: self.assertEqual(d.stop()[0], 0))

    def test_expiry__what_fell_due_after_a_kill_is_told_before_anything_is_served(self):
        self.after_being_down("expiry-killed", lambda d: d.kill())


if __name__ == "__main__":
    unittest.main()
