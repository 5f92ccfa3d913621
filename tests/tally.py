#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every test, counts single tests, and ends with one line: "N passed, N failed".

Units by ctest (build/dev, sanitizers on): each cmocka test counts; a program that dies counts as one failure more. Then the
CEL specification's tests and the end-to-end tests, unless --quick. A run that counts no test at all has failed.
"""
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEV = os.path.join(ROOT, "build", "dev")
TTY = sys.stdout.isatty()


def bold(text):
    return "\033[1m%s\033[0m" % text if TTY else text


def output_of(part):
    """What a test program printed, from ctest's log: between its ruler and the end-of-test mark."""
    found = re.search(r"\nOutput:\n-{20,}\n(.*?)\n?<end of output>", part, re.S)
    return found.group(1) if found else ""


def single_tests(output):
    """(passed, names of failed) as cmocka, unittest-like or golden runners print them."""
    ok = len(re.findall(r"^\[ +OK \]|^ok   ", output, re.M))
    failed = re.findall(r"^\[  FAILED  \] (\w+)$|^FAIL (.+)$", output, re.M)
    return ok, sorted({a or b for a, b in failed})


def units(patterns):
    argv = ["ctest", "--test-dir", DEV, "-j", os.environ.get("JOBS", "2"), "--output-on-failure", "--timeout", "600",
            "--no-tests=%s" % ("ignore" if patterns else "error")]
    if patterns:
        argv += ["-R", "|".join(patterns)]
    print(bold("==> unit tests (sanitizers on)"), flush=True)
    start = time.monotonic()
    env = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "detect_leaks=1"),
               UBSAN_OPTIONS=os.environ.get("UBSAN_OPTIONS", "print_stacktrace=1"))
    log = os.path.join(DEV, "Testing", "Temporary", "LastTest.log")
    if os.path.exists(log):
        os.unlink(log)
    done = subprocess.run(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    passed, failed = 0, []
    text = open(log, errors="replace").read() if os.path.exists(log) else ""
    for part in re.split(r"^-{58}\n(?=\d+/\d+ Test)|^(?=\d+/\d+ Testing: )", text, flags=re.M):
        name = re.match(r"\d+/\d+ Testing: (\S+)", part)
        if not name:
            continue
        good = re.search(r"^Test Passed\.$", part, re.M) is not None
        ok, bad = single_tests(output_of(part))
        passed += ok if ok or bad else int(good)
        failed += ["%s: %s" % (name.group(1), b) for b in bad]
        if not good and not bad:
            failed.append("%s: the program failed" % name.group(1))
    if done.returncode != 0:
        print(done.stdout[-20000:])
        if not failed:
            failed.append("ctest: exit code %d" % done.returncode)
    print("    %d passed, %d failed in %.0f s" % (passed, len(failed), time.monotonic() - start), flush=True)
    return passed, failed


def end_to_end(patterns):
    print(bold("==> end to end, on real servers"), flush=True)
    child = subprocess.Popen([sys.executable, "-u", "-m", "tests.e2e"] + patterns, cwd=ROOT, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace")
    lines = []
    for line in child.stdout:
        lines.append(line)
        print("    " + line, end="", flush=True)
    code = child.wait()
    passed, failed = single_tests("".join(lines))
    if code != 0 and not failed:
        failed.append("end to end: exit code %d" % code)
    return passed, ["e2e: " + f for f in failed]


def conformance(patterns):
    """The CEL specification's tests; it counts them itself."""
    if patterns and not any(p in "conformance" for p in patterns):
        return 0, []
    print(bold("==> conformance, the CEL specification's own tests"), flush=True)
    done = subprocess.run([sys.executable, "-m", "tests.conformance"], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    print("".join("    " + line for line in done.stdout.splitlines(True)[-200:]), end="", flush=True)
    counted = re.search(r"^conformance: (\d+) passed, (\d+) failed$", done.stdout, re.M)
    failed = re.findall(r"^FAIL (.+)$", done.stdout, re.M)
    if done.returncode != 0 and not failed:
        failed.append("exit code %d" % done.returncode)
    return int(counted.group(1)) if counted else 0, ["conformance: " + f for f in failed]


def main(argv):
    quick = "--quick" in argv
    patterns = [a for a in argv if not a.startswith("--")]
    start = time.monotonic()
    passed, failed = units(patterns) if "--e2e" not in argv else (0, [])
    if not quick:
        more, bad = conformance(patterns)
        passed, failed = passed + more, failed + bad
        more, bad = end_to_end(patterns)
        passed, failed = passed + more, failed + bad
    for f in failed:
        print("FAILED " + f)
    if passed + len(failed) == 0:
        print("no test ran" + (" that matches " + " ".join(patterns) if patterns else ""))
    print("all of it took %.0f s" % (time.monotonic() - start))
    print("%d passed, %d failed" % (passed, len(failed)), flush=True)
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
