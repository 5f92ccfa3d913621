#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A first start that is killed can be made again: killed at each file operation in turn, then started, and it serves.

    first_start.py BIN

strace kills the process as it enters the N-th call of a kind (in one of its threads): every 9th, but each where the checkpoint comes
to be (of opening and writing, which are many, every 41st), and then at twice the last N, until the start gets by without it. Whatever is left there, the next start serves; and it still refuses a database without its last checkpoint. Prints "ok   name",
"FAIL name" or "skip name" a test.
"""
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BIN = os.path.abspath(sys.argv[1])
CALLS = {"mkdir": 9, "rename": 9, "link": 1, "unlink": 9, "fsync": 9, "fdatasync": 9, "write": 41, "openat": 41}
CONFIG = ('issuer: https://mandates.test\ndata_dir: data\nkafka: {bootstrap_servers: "127.0.0.1:1"}\nhttp: {unix_socket: s.sock}\n'
          "audit: {interval: 10ms}\n")


def report(name, good, why=""):
    print("%s %s" % ("ok  " if good else "FAIL", name), flush=True)
    if not good:
        print("       " + str(why).strip().replace("\n", "\n       "), flush=True)
        sys.exit(1)


class World:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="mandated-first-")
        with open(os.path.join(self.folder, "mandated.yaml"), "w") as f:
            f.write(CONFIG)

    def path(self, name):
        return os.path.join(self.folder, name)

    def log(self):
        return open(self.path("log")).read()

    def start(self, inject=None):
        """Whether it came to serve; then it is killed."""
        command = [os.path.join(BIN, "mandated"), "--config", "mandated.yaml"]
        if inject:
            command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + inject[0], "-e",
                       "inject=%s:signal=KILL:when=%d" % inject] + command
        with open(self.path("log"), "w") as log:
            child = subprocess.Popen(command, cwd=self.folder, stderr=log, stdout=log, start_new_session=True)
        deadline = time.monotonic() + 60
        while "serving on" not in self.log() and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        served = "serving on" in self.log()
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait(30)
        self.wait_gone(deadline)
        return served

    def wait_gone(self, deadline):
        """The daemon under strace is not our child: it is gone when nobody holds its database."""
        try:
            with open(self.path("data/LOCK"), "r+") as lock:
                while time.monotonic() < deadline:
                    try:
                        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        return
                    except OSError:
                        time.sleep(0.005)
        except FileNotFoundError:
            pass  # killed before it made one

    def drop(self):
        shutil.rmtree(self.folder)


def killed_at(call, at, places):
    """Whether the start got by without it, and whether the checkpoint was there."""
    w = World()
    past = w.start(inject=(call, at))
    there = os.path.exists(w.path("data.checkpoint"))
    places.add((os.path.exists(w.path("data/audit-key.pem")), there))
    if not w.start():
        report("test_first_start__killed_at_any_file_operation_the_next_start_serves", False,
               "killed at %s %d, the next start:\n%s" % (call, at, w.log()))
    w.drop()
    return past, there


def killed_anywhere():
    killed, places = {}, set()
    for call, every in CALLS.items():
        at, past, there = 1, False, False
        while not past:
            before, (past, there) = there, killed_at(call, at, places)
            for n in range(at - every + 1, at) if there and not before and 1 < every < 10 else ():
                if n > 0:
                    killed_at(call, n, places)
            killed[call], at = killed.get(call, 0) + (not past), at * 2 if there else at + every
    report("test_first_start__killed_at_any_file_operation_the_next_start_serves", min(killed.values()) > 0, killed)
    report("test_first_start__it_was_killed_before_and_after_the_key_and_the_checkpoint",
           {(False, False), (True, False), (True, True)} <= places, places)


def still_refused():
    w = World()
    served = w.start()
    os.rename(w.path("data.checkpoint"), w.path("kept"))
    refused = not w.start() and "its last checkpoint, is missing" in w.log()
    why = w.log()
    os.rename(w.path("kept"), w.path("data.checkpoint"))
    report("test_first_start__a_log_that_lost_its_checkpoint_is_refused_as_ever", served and refused and w.start(), why)
    w.drop()


if not shutil.which("strace"):
    print("skip test_first_start: no strace")
    sys.exit(0)
killed_anywhere()
still_refused()
