# SPDX-License-Identifier: Apache-2.0
"""What end-to-end tests share: one Kafka, one registry, one PostgreSQL, a temporary folder, and mandated as a process.

Topic names are made unique per test, so that one broker serves all. stop() ends everything that was started here.
"""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from tests.real.kafka import Kafka
from tests.real.parts import ROOT, Failed, Process, tail, wait_for
from tests.real.postgres import Postgres
from tests.real.registry import Registry

BIN = os.environ.get("MANDATED_BIN", os.path.join(ROOT, "build", "bin"))
MANDATED, MANDATECTL = os.path.join(BIN, "mandated"), os.path.join(BIN, "mandatectl")
ISSUER = "https://mandates.test"

_servers = {}
_daemons = []
_folder = None
_count = 0
_note = ""


def terminated(*_):
    """unittest takes a SystemExit for one test's failure and goes on with the next one."""
    raise KeyboardInterrupt


def folder(name):
    global _folder, _count
    if _folder is None:
        _folder = tempfile.mkdtemp(prefix="mandated-e2e-")
        os.chmod(_folder, 0o755)
        signal.signal(signal.SIGTERM, terminated)
    _count += 1
    path = os.path.join(_folder, "%02d-%s" % (_count, name))
    os.makedirs(path)
    return path


def server(kind, make):
    if kind not in _servers:
        _servers[kind] = make(folder(kind))
        _servers[kind].start()
    return _servers[kind]


def kafka():
    return server("kafka", Kafka)


def registry():
    return server("registry", Registry)


def postgres():
    return server("postgres", Postgres)


def note(text):
    """What a test wants said beside its name: counts, not times."""
    global _note
    _note = ": " + text


def take_note():
    global _note
    out, _note = _note, ""
    return out


def stop():
    global _folder
    for d in _daemons:
        d.process.kill()
    for s in reversed(list(_servers.values())):
        s.stop()
    _servers.clear()
    if _folder and not os.environ.get("KEEP"):
        shutil.rmtree(_folder, ignore_errors=True)
    elif _folder:
        print("kept " + _folder)
    _folder = None


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """mandated in a folder of its own. `connectors`: name -> YAML text; `entities`: YAML text; `config`: more YAML."""

    def __init__(self, name, connectors, entities, servers=None, config="", revocations="mandate.revocations",
                 dead_letter="mandate.dead-letter", partitions=3, kafka_keys="", env=None):
        self.folder = folder(name)
        self.config = os.path.join(self.folder, "mandated.yaml")
        self.socket = os.path.join(self.folder, "s.sock")
        self.revocations, self.dead_letter = revocations, dead_letter
        if servers is None:
            servers = kafka().servers
            kafka().create({revocations: partitions, dead_letter: 1})
        os.makedirs(os.path.join(self.folder, "connectors"))
        for file, text in connectors.items():
            self.write(os.path.join("connectors", file + ".yaml"), text)
        self.write("entities.yaml", entities)
        self.write("mandated.yaml", """issuer: %s
data_dir: data
entities: entities.yaml
%s
kafka: {bootstrap_servers: "%s"%s}
topics: {revocations: %s, dead_letter: %s}
http: {unix_socket: s.sock}
revocations: {heartbeat: 500ms}
%s
""" % (ISSUER, "connectors: connectors/*.yaml" if connectors else "", servers, kafka_keys and ", " + kafka_keys,
       revocations, dead_letter, config))
        self.process = Process("mandated", [MANDATED, "--config", self.config], self.folder, cwd=self.folder,
                               env=dict(os.environ, **env) if env else None)
        _daemons.append(self)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    # --- life ------------------------------------------------------------------------------------------------------
    def start(self, ready=True, timeout_s=60):
        self.process.start()
        if ready:
            self.process.wait_ready("/readyz", self.is_ready, timeout_s)
        return self

    def is_ready(self):
        return self.status("/readyz") == 200

    def stop(self):
        """Exit code, and how long it took after SIGTERM."""
        began = time.monotonic()
        code = self.process.stop()
        return code, time.monotonic() - began

    def kill(self):
        self.process.kill()

    def log(self, lines=30):
        return tail(self.process.log, lines)

    # --- talking -----------------------------------------------------------------------------------------------------
    def call(self, method, path, body=None, timeout=30, headers=None):
        """(status, parsed JSON or text). OSError or HTTPException when nobody answers."""
        c = UnixConnection(self.socket, timeout)
        try:
            data = None if body is None else body if isinstance(body, (bytes, str)) else json.dumps(body)
            c.request(method, path, data, dict(headers or {}, **({"Content-Type": "application/json"} if data else {})))
            answer = c.getresponse()
            raw = answer.read()
            kind = answer.getheader("Content-Type") or ""
            return answer.status, json.loads(raw) if "json" in kind and raw else raw.decode("utf-8", "replace")
        finally:
            c.close()

    def status(self, path):
        try:
            return self.call("GET", path)[0]
        except (OSError, http.client.HTTPException):
            return None

    def get(self, path):
        status, body = self.call("GET", path)
        if status != 200:
            raise Failed("GET %s: %d %s" % (path, status, body))
        return body

    def issue(self, mandate, **claims):
        body = {"id": mandate, "grantor": "g", "agent": "a", "purpose": "p", "scope": {"actions": ["*"], "resources": ["*"]},
                "expires_at": "2099-01-01T00:00:00Z"}
        body.update({k: v for k, v in claims.items() if v is not None})
        return self.call("POST", "/v1/mandates", body)

    def state(self, mandate):
        return self.get("/v1/mandates/" + mandate)["state"]

    def decision(self, mandate, agent="a"):
        return self.call("POST", "/access/v1/evaluation", {
            "subject": {"type": "agent", "id": agent}, "action": {"name": "x"}, "resource": {"type": "t", "id": "1"},
            "context": {"mandate": mandate}})[1]

    def entity(self, kind, name):
        status, body = self.call("GET", "/v1/entities/%s/%s" % (kind, name))
        return body if status == 200 else None

    def value(self, kind, name, attribute):
        e = self.entity(kind, name)
        return None if e is None else e["attributes"].get(attribute, {}).get("value")

    def wait(self, what, probe, timeout_s=60):
        try:
            return wait_for(what, probe, timeout_s, alive=self.process.check_alive)
        except Failed as e:
            reasons = [] if self.status("/v1/connectors") != 200 else [
                "%(name)s is %(state)s: %(reason)s" % c for c in self.get("/v1/connectors")["connectors"] if c.get("reason")]
            raise Failed("%s%s" % (e, "".join("; " + r for r in reasons))) from None

    def wait_state(self, mandate, state, timeout_s=60):
        return self.wait("%s to be %s" % (mandate, state), lambda: self.state(mandate) == state, timeout_s)

    def metric(self, name):
        """Sum over a metric's series."""
        total, found = 0.0, False
        for line in self.get("/metrics").splitlines():
            if line.startswith((name + " ", name + "{")):
                total, found = total + float(line.rsplit(" ", 1)[1]), True
        return total if found else None

    # --- afterwards ---------------------------------------------------------------------------------------------------
    def journal(self):
        """Every journaled input and transition; the daemon must be stopped."""
        done = subprocess.run([MANDATED, "journal", "--config", self.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise Failed("mandated journal: " + done.stderr.decode("utf-8", "replace"))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def transitions(self):
        """Every transition record on the revocation topic (heartbeats left out), as (Record, parsed value)."""
        out = []
        for r in kafka().read(self.revocations):
            if r.header("ce_type") and "heartbeat" in r.header("ce_type"):
                continue
            out.append((r, json.loads(r.value)))
        return out


def mandated(*args, stdin=None):
    return subprocess.run([MANDATED, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)


def mandatectl(*args, stdin=None, env=None):
    return subprocess.run([MANDATECTL, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                          env=dict(os.environ, **(env or {})))
