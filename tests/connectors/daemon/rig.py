# SPDX-License-Identifier: Apache-2.0
"""A running daemon in a folder of its own, for the tests of this folder that are scripts: files, life, requests, the record.

Everything is on loopback and in a temporary folder; `Rig` is a context manager and ends what it started. `report` prints "ok   name" or
"FAIL name" and `finish` exits accordingly.
"""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

failed = 0


def report(name, good, why=""):
    global failed
    failed += not good
    print("%s %s" % ("ok  " if good else "FAIL", name), flush=True)
    if not good and why:
        print("       " + str(why).strip().replace("\n", "\n       "), flush=True)
    return good


def finish():
    sys.exit(failed != 0)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=30):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Rig:
    """`files`: name -> text, written beside mandated.yaml; `config`: more YAML; `http`: more keys of http."""

    def __init__(self, bin_dir, config="", files=None, http="", kafka="embedded: true, embedded_port_file: port", env=None):
        self.bin, self.env = os.path.abspath(bin_dir), env
        self.folder = tempfile.mkdtemp(prefix="mandated-rig-")
        self.process = None
        for name, text in (files or {}).items():
            self.write(name, text)
        self.write("mandated.yaml", "issuer: https://mandates.test\ndata_dir: data\nkafka: {%s}\nhttp: {unix_socket: s.sock%s}\n%s"
                   % (kafka, ", " + http if http else "", config))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- files -------------------------------------------------------------------------------------------------------
    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as f:
            f.write(text)

    def read(self, name):
        with open(self.path(name)) as f:
            return f.read()

    def log(self):
        return self.read("log")

    # --- life --------------------------------------------------------------------------------------------------------
    def start(self, timeout_s=60, ready=False):
        with open(self.path("log"), "w") as log:
            self.process = subprocess.Popen([os.path.join(self.bin, "mandated"), "--config", "mandated.yaml"], cwd=self.folder,
                                            stderr=log, stdout=log, env=dict(os.environ, **(self.env or {})))
        deadline = time.monotonic() + timeout_s
        while "serving on" not in self.log() or (ready and self.call("GET", "/readyz")[0] != 200):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit("the daemon does not serve:\n" + self.log())
            time.sleep(0.05)
        return self

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)

    def again(self, ready=False):
        self.kill()
        return self.start(ready=ready)

    def wait(self, what, probe, timeout_s=30):
        deadline = time.monotonic() + timeout_s
        while True:
            got = probe()
            if got or time.monotonic() > deadline:
                if not got:
                    print("       waited in vain for " + what, flush=True)
                return got
            if self.process.poll() is not None:
                sys.exit("the daemon has ended:\n" + self.log())
            time.sleep(0.02)

    def port(self):
        return int(re.search(r"127\.0\.0\.1:(\d+); step", self.log()).group(1))

    # --- asking ------------------------------------------------------------------------------------------------------
    def call(self, method, path, body=None, headers=None, timeout=30):
        """(status, parsed JSON or text)"""
        c = UnixConnection(self.path("s.sock"), timeout)
        try:
            text = None if body is None else body if isinstance(body, (str, bytes)) else json.dumps(body)
            c.request(method, path, text, dict(headers or {}, **({"Content-Type": "application/json"} if text else {})))
            answer = c.getresponse()
            raw, kind = answer.read(), answer.getheader("Content-Type") or ""
            return answer.status, json.loads(raw) if "json" in kind and raw else raw.decode()
        finally:
            c.close()

    def by(self, who, method, path, body=None):
        return self.call(method, path, body, {"X-Mandate-Principal": who})

    def ctl(self, *args):
        return subprocess.run([os.path.join(self.bin, "mandatectl"), *args, "--socket", self.path("s.sock")], capture_output=True,
                              text=True, timeout=60)

    def issue(self, name, **claims):
        body = {"id": name, "grantor": "user:g", "agent": "agent:a", "purpose": "p", "expires_at": "2099-01-01T00:00:00Z",
                "scope": {"actions": ["*"], "resources": ["*"]}}
        body.update(claims)
        return self.call("POST", "/v1/mandates", body)

    def check(self, action="x", resource="t/1", agent="agent:a", properties=None, **context):
        kind, _, ident = resource.partition("/")
        return self.call("POST", "/access/v1/evaluation", {
            "subject": {"type": "agent", "id": agent}, "action": {"name": action, "properties": properties or {}},
            "resource": {"type": kind, "id": ident}, "context": context})

    def entries(self, event=None, who=None):
        """The audit log, oldest first."""
        out, at = [], 0
        while True:
            status, page = self.call("GET", "/v1/audit/entries?limit=1000&from=%d" % at, headers={"X-Mandate-Principal": who} if who else None)
            if status != 200:
                raise AssertionError((status, page))
            out += page["entries"]
            if not page.get("next"):
                break
            at = int(page["next"])
        return [e for e in out if event in (None, e.get("event"), e.get("entry", {}).get("event"))]

    def metric(self, line):
        """The value of the line of /metrics that begins so."""
        for text in self.call("GET", "/metrics")[1].splitlines():
            if text.startswith(line + " "):
                return float(text.rsplit(" ", 1)[1])
        return None

    def reload(self, outcome="done"):
        line = 'mandated_reloads_total{outcome="%s"}' % outcome
        before = self.metric(line)
        self.process.send_signal(signal.SIGHUP)
        return self.wait("a reload that is " + outcome, lambda: self.metric(line) == before + 1)
