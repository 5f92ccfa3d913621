# SPDX-License-Identifier: Apache-2.0
"""What a visitor types, works: the README's commands, and the demo on both stages."""
import glob
import os
import re
import subprocess
import tempfile
import unittest

from tests.e2e import shared
from tests.real.parts import ROOT

STORY = ["contingency-sourcing is revoked", "contingency-rfq is cascaded", "refund-desk is suspended", "refund-desk is active",
         "outreach-4711 is revoked", "renewal-4711 is completed", "flash-quote is expired", "explain contingency-sourcing"]


def left_behind(folder):
    out = glob.glob(os.path.join(folder, "*"))
    for entry in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(entry, "rb") as f:
                line = f.read().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if folder in line:
            out.append(line)
    return out


class Demo(unittest.TestCase):
    def play(self, *options):
        temporary = tempfile.mkdtemp(prefix="e2e-demo-", dir="/tmp")
        os.chmod(temporary, 0o755)
        done = subprocess.run([os.path.join(ROOT, "dev"), "demo", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=240, env=dict(os.environ, TMPDIR=temporary))
        self.assertEqual(done.returncode, 0, done.stdout)
        for line in STORY:
            self.assertIn(line, done.stdout)
        self.assertEqual(left_behind(temporary), [])
        os.rmdir(temporary)

    def test_demo__tells_its_story_and_leaves_nothing_behind(self):
        self.play()

    def test_demo_real__the_same_story_from_postgresql_through_debezium_and_kafka(self):
        self.play("--real")

    def test_readme__the_two_commands_are_what_ci_and_these_tests_run(self):
        path = os.path.join(ROOT, "README.md")
        with open(path) as f:
            text = f.read()
        commands = [c.strip().split("#")[0].strip() for block in re.findall(r"```(?:sh|bash|console)?\n(.*?)```", text, re.S)
                    for c in block.splitlines() if c.strip().startswith(("./dev", "$ ./dev"))]
        commands = {c.lstrip("$ ") for c in commands}
        self.assertIn("./dev demo", commands)
        self.assertIn("./dev test", commands)
        with open(os.path.join(ROOT, ".ci", "run")) as f:
            self.assertIn("./dev test", f.read().split("\n", 3)[3])
        for c in sorted(commands):
            word = c.split()[1]
            done = subprocess.run([os.path.join(ROOT, "dev"), "help"], stdout=subprocess.PIPE, text=True)
            self.assertIn(word, done.stdout, c + " is not a command of ./dev")


if __name__ == "__main__":
    unittest.main()
