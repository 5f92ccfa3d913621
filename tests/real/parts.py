# SPDX-License-Identifier: Apache-2.0
"""What every real server of the tests has in common: a process, a free port, a wait with a deadline.

Invariants: everything listens on loopback; every process started here is stopped by the same object, by its own id;
every wait is a poll with a deadline and says what it waited for. Nothing here knows any particular server.
"""
import os
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Failed(Exception):
    """A server that did not come up, or a thing that did not happen in time."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, probe, timeout_s=30.0, every_s=0.05, alive=None):
    """Calls `probe` until it gives something true and returns that. `alive` may raise to give up early."""
    deadline = time.monotonic() + timeout_s
    while True:
        got = probe()
        if got:
            return got
        if alive is not None:
            alive()
        if time.monotonic() > deadline:
            raise Failed("after %.0f s still waiting for %s" % (timeout_s, what))
        time.sleep(every_s)


def port_open(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def tail(path, lines=25):
    try:
        with open(path, "rb") as f:
            return b"\n".join(f.read()[-20000:].splitlines()[-lines:]).decode("utf-8", "replace")
    except OSError as e:
        return "(no log: %s)" % e


class Process:
    """One server process with its log in a file. Restarts on the same directory by start() after stop() or kill()."""

    def __init__(self, name, argv, folder, cwd=None, env=None, user=None):
        self.name, self.argv, self.folder, self.cwd, self.env = name, argv, folder, cwd, env
        self.log = os.path.join(folder, name + ".log")
        self.child = None
        if user is not None and os.geteuid() == 0:
            self.argv = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"] + argv

    def start(self):
        assert not self.running(), self.name + " runs already"
        os.makedirs(self.folder, exist_ok=True)
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(self.argv, cwd=self.cwd, env=self.env, stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log, start_new_session=True)
        return self

    def running(self):
        return self.child is not None and self.child.poll() is None

    def check_alive(self):
        if not self.running():
            code = None if self.child is None else self.child.returncode
            raise Failed("%s ended with %s; its log ends with:\n%s" % (self.name, code, tail(self.log)))

    def wait_ready(self, what, probe, timeout_s=60.0):
        try:
            wait_for("%s: %s" % (self.name, what), probe, timeout_s, alive=self.check_alive)
        except Failed as e:
            if self.running():
                raise Failed("%s; its log ends with:\n%s" % (e, tail(self.log))) from None
            raise
        return self

    def stop(self, timeout_s=15.0):
        """SIGTERM, then SIGKILL. Returns the exit code, None when it did not run."""
        if self.child is None:
            return None
        if self.running():
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.child.kill()
        return self.child.wait()

    def kill(self):
        """kill -9: what a power cut looks like from inside."""
        if self.running():
            self.child.kill()
            self.child.wait()
