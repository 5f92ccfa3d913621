# SPDX-License-Identifier: Apache-2.0
"""python3 -m tests.e2e [NAME...]: the end-to-end tests, one line each, "ok   ..." or "FAIL ...", exit 1 when one failed.

A NAME selects the tests whose module or sentence contains it. Servers are started when first needed and shared by all.
"""
import importlib
import os
import re
import sys
import time
import traceback
import unittest

from tests.e2e import shared

ORDER = ["test_demo", "test_commands", "test_start", "test_checkpoint", "test_poison", "test_requeue", "test_reload", "test_shutdown", "test_expiry", "test_fail_closed", "test_token", "test_authzen", "test_at_least",
         "test_security", "test_real", "test_debezium", "test_bench", "test_faults_topics", "test_faults_brokers", "test_kill"]


def sentence(test):
    """test_kill__nothing_is_lost -> kill: nothing is lost"""
    name = getattr(test, "_testMethodName", None)
    if name is None:  # a class that could not be set up
        return str(test)
    return re.sub(r"^test_", "", name).replace("__", ": ").replace("_", " ")


class Lines(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.passed, self.began = 0, time.monotonic()

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def _line(self, word, test, more=""):
        print("%s %s (%.1f s)%s" % (word, sentence(test), time.monotonic() - self.began, more), flush=True)

    def addSuccess(self, test):
        self.passed += 1
        self._line("ok  ", test, shared.take_note())

    def _bad(self, test, err):
        self._line("FAIL", test)
        print("".join("       " + line for line in "".join(traceback.format_exception(*err)).splitlines(True)), flush=True)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._bad(test, err)
            print("       in: %s" % subtest._message, flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._bad(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._bad(test, err)


def main(names):
    suite = unittest.TestSuite()
    here = os.path.dirname(os.path.abspath(__file__))
    modules = sorted((f[:-3] for f in os.listdir(here) if f.startswith("test_") and f.endswith(".py")),
                     key=lambda m: (ORDER.index(m) if m in ORDER else len(ORDER), m))
    for module in modules:
        for case in unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module("tests.e2e." + module)):
            for test in case:
                if not names or any(n in module or n in test._testMethodName or n in sentence(test) for n in names):
                    suite.addTest(test)
    result = Lines()
    try:
        suite.run(result)
    finally:
        shared.stop()
    bad = len(result.failures) + len(result.errors)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
