# SPDX-License-Identifier: Apache-2.0
"""The stage of the demo: a temporary folder, mandated, and what it reads from; sending events, asking, and waiting.

Every wait is a poll with a deadline. What was started is stopped by close(), whatever happened, and the folder is removed.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from datetime import datetime, timedelta, timezone

from docs.demo import avro

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BIN = os.environ.get("MANDATED_BIN", os.path.join(ROOT, "build", "bin"))


class Trouble(Exception):
    pass


def rfc3339(moment):
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Stage:
    def __init__(self, real=False):
        self.real = real
        self.folder = tempfile.mkdtemp(prefix="mandated-demo-")
        self.socket = os.path.join(self.folder, "mandated.sock")
        self.log = os.path.join(self.folder, "mandated.log")
        self.bootstrap = None
        self.daemon = self.feed = None
        self.servers = []
        self.told = []  # transitions, as they were read from the topic
        self.lock = threading.Lock()
        for name in ("mandated.yaml", "entities.yaml"):
            shutil.copy(os.path.join(HERE, name), self.folder)
        shutil.copytree(os.path.join(HERE, "connectors"), os.path.join(self.folder, "connectors"))

    # --- up and down ----------------------------------------------------------------------------------------------
    def open(self, say):
        if self.real:
            self._open_real(say)
        with open(self.log, "wb") as log:
            self.daemon = subprocess.Popen([os.path.join(BIN, "mandated"), "--config",
                                            os.path.join(self.folder, "mandated.yaml")], cwd=self.folder,
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        if not self.real:
            address = os.path.join(self.folder, "kafka.address")
            self.wait("the embedded broker's address", lambda: os.path.exists(address))
            with open(address) as f:
                self.bootstrap = f.read().strip()
        self.wait("mandated to be ready", lambda: self._call("connector", "status").returncode == 0, 20)
        self.feed = subprocess.Popen([os.path.join(BIN, "mandatectl"), "topic", "tail", "--json", "--from-beginning",
                                      "--bootstrap", self.bootstrap], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL, text=True, start_new_session=True)
        threading.Thread(target=self._read_feed, daemon=True).start()

    def _open_real(self, say):
        from tests.real.connect import Connect
        from tests.real.kafka import Kafka
        from tests.real.postgres import Postgres
        from tests.real.registry import Registry
        kafka = Kafka(os.path.join(self.folder, "kafka"))
        self.servers.append(kafka)
        kafka.start()
        self.bootstrap = kafka.servers
        say("Apache Kafka", kafka.servers)
        kafka.create({"mandate.revocations": 4, "mandate.watches": 4, "mandate.checkpoints": 1, "mandate.dead-letter": 1, "crm.conversations": 2, "tickets.webhooks": 2,
                      "esign.events": 2, "erp.public.program": 1})
        registry = Registry(os.path.join(self.folder, "registry"))
        self.servers.append(registry)
        registry.start()
        say("schema registry", registry.url)
        self.postgres = Postgres(tempfile.mkdtemp(prefix="mandated-demo-pg-", dir=self.folder))
        os.chmod(self.folder, 0o755)
        os.chmod(self.postgres.folder, 0o755)
        self.servers.append(self.postgres)
        self.postgres.start()
        self.postgres.sql("CREATE TABLE program (id text PRIMARY KEY, title text, cancelled boolean, budget_eur integer);"
                          "ALTER TABLE program REPLICA IDENTITY FULL")
        say("PostgreSQL", "127.0.0.1:%d" % self.postgres.port)
        connect = Connect(os.path.join(self.folder, "connect"), kafka, self.postgres, "erp", "public.program", registry)
        self.servers.append(connect)
        connect.start()
        say("Debezium", "table public.program -> topic erp.public.program, Avro")
        self._edit("mandated.yaml", r"kafka:\n(  .*\n)+", "kafka:\n  bootstrap_servers: %s\n" % kafka.servers)
        self._edit("connectors/procurement.yaml", r"decode: .*", "decode: {format: avro, registry: \"%s\", envelope: debezium}"
                   % registry.url)

    def _edit(self, name, pattern, text):
        path = os.path.join(self.folder, name)
        with open(path) as f:
            old = f.read()
        new = re.sub(pattern, lambda _: text, old, count=1)
        assert new != old
        with open(path, "w") as f:
            f.write(new)

    def close(self):
        for child in (self.feed, self.daemon):
            if child is not None and child.poll() is None:
                child.terminate()
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        for server in reversed(self.servers):
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log_tail(self, lines=20):
        try:
            with open(self.log, errors="replace") as f:
                return "".join(f.readlines()[-lines:])
        except OSError:
            return ""

    # --- waiting ---------------------------------------------------------------------------------------------------
    def wait(self, what, probe, seconds=15.0):
        deadline = time.monotonic() + seconds
        while True:
            got = probe()
            if got:
                return got
            if self.daemon is not None and self.daemon.poll() is not None:
                raise Trouble("mandated ended with exit code %s while the demo waited for %s" % (self.daemon.returncode, what))
            if time.monotonic() > deadline:
                raise Trouble("after %d s still waiting for %s" % (seconds, what))
            time.sleep(0.02)

    def _read_feed(self):
        for line in self.feed.stdout:
            record = json.loads(line)
            value = record.get("value")
            if isinstance(value, dict) and "mandate" in value and "version" in value:
                with self.lock:
                    self.told.append(value)

    def transition(self, mandate, state, seconds=15.0):
        """The newest transition of a mandate on the topic, once it is this one."""
        def found():
            with self.lock:
                mine = [t for t in self.told if t["mandate"] == mandate]
            return mine[-1] if mine and mine[-1]["state"] == state else None
        return self.wait("%s to be told %s on the revocation topic" % (mandate, state), found, seconds)

    # --- doing -----------------------------------------------------------------------------------------------------
    def _call(self, *args, stdin=None):
        return subprocess.run([os.path.join(BIN, "mandatectl"), *args, "--socket", self.socket], input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)

    def ask(self, *args, allow=(0,), stdin=None):
        """mandatectl ... --json, parsed."""
        done = self._call(*args, "--json", stdin=stdin)
        if done.returncode not in allow:
            raise Trouble("mandatectl %s: exit code %d: %s" % (" ".join(args), done.returncode, done.stderr.strip() or done.stdout))
        return json.loads(done.stdout)

    def show(self, *args):
        """mandatectl's own words, for people, in colour when we are on a terminal."""
        subprocess.run([os.path.join(BIN, "mandatectl"), *args, "--socket", self.socket], check=True, timeout=30)

    def send(self, topic, key, event, schema=None, headers=()):
        """Plays events/<event>.json; with a schema as Avro. Returns the event's text as sent."""
        with open(os.path.join(HERE, "events", event + ".json")) as f:
            text = f.read()
        now = datetime.now(timezone.utc)
        text = text.replace('"$now_ms"', str(int(now.timestamp() * 1000))).replace("$now", rfc3339(now))
        data = json.dumps(json.loads(text)).encode()
        if schema:
            with open(os.path.join(HERE, "connectors", schema)) as f:
                data = avro.single_object(json.load(f), json.loads(text))
        argv = [os.path.join(BIN, "mandatectl"), "topic", "send", topic, "--key", key, "--bootstrap", self.bootstrap]
        for h in headers:
            argv += ["--header", h]
        done = subprocess.run(argv, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
        if done.returncode != 0:
            raise Trouble("sending %s: %s" % (event, done.stderr.decode().strip()))
        return json.loads(text)

    def issue(self, name):
        with open(os.path.join(HERE, "mandates", name + ".json")) as f:
            text = f.read()
        span = re.search(r'"in (\d+) (seconds|days)"', text)
        until = datetime.now(timezone.utc) + timedelta(**{span.group(2): int(span.group(1))})
        return self.ask("mandate", "issue", "-", stdin=text.replace(span.group(0), '"%s"' % rfc3339(until)))

    def known(self, kind, entity, attribute, value):
        """Waits until the graph holds this value."""
        def probe():
            done = self._call("entity", "get", kind, entity, "--json")
            if done.returncode != 0:
                return False
            return json.loads(done.stdout)["attributes"].get(attribute, {}).get("value") == value
        self.wait("%s %s.%s = %r" % (kind, entity, attribute, value), probe)

    def check(self, mandate, agent, action, resource, **params):
        argv = ["mandate", "check", "--mandate", mandate, "--agent", agent, "--action", action, "--resource", resource]
        for name, value in params.items():
            argv += ["--param", "%s=%s" % (name, value)]
        return self.ask(*argv, allow=(0, 3))
