# SPDX-License-Identifier: Apache-2.0
"""A real Kafka Connect worker with the Debezium source for PostgreSQL; Avro (through the registry) or JSON records."""
import json
import os
import urllib.request

from tests.real import artifacts
from tests.real.parts import Process, free_port

WORKER = """bootstrap.servers={servers}
offset.storage.file.filename={folder}/offsets
offset.flush.interval.ms=1000
listeners=http://127.0.0.1:{port}
{converters}
"""

JSON = """key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter"""

AVRO = "\n".join("""{0}.converter=io.apicurio.registry.utils.converter.AvroConverter
{0}.converter.apicurio.registry.url={{registry}}
{0}.converter.apicurio.registry.auto-register=true
{0}.converter.apicurio.registry.find-latest=true
{0}.converter.apicurio.registry.as-confluent=true
{0}.converter.apicurio.registry.use-id=contentId
{0}.converter.apicurio.registry.headers.enabled=false""".format(side) for side in ("key", "value"))

SOURCE = """name={name}
connector.class=io.debezium.connector.postgresql.PostgresConnector
plugin.name=pgoutput
database.hostname=127.0.0.1
database.port={database}
database.user=postgres
database.password=none
database.dbname=postgres
topic.prefix={name}
slot.name={name}
publication.name={name}
table.include.list={tables}
poll.interval.ms=50
skipped.operations=none
topic.creation.default.replication.factor=1
topic.creation.default.partitions=1
"""


class Connect:
    """`registry` None: JSON with inline schemas. Topics are <name>.<schema>.<table>."""

    def __init__(self, folder, kafka, postgres, name, tables, registry=None):
        self.folder = os.path.abspath(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.name, self.port = name, free_port()
        converters = JSON if registry is None else AVRO.format(registry=registry.native_url)
        worker = os.path.join(self.folder, "worker.properties")
        source = os.path.join(self.folder, "source.properties")
        with open(worker, "w") as f:
            f.write(WORKER.format(servers=kafka.servers, folder=self.folder, port=self.port, converters=converters))
        with open(source, "w") as f:
            f.write(SOURCE.format(name=name, database=postgres.port, tables=tables))
        self.process = Process("connect-" + name, ["java", "-Xmx300m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
                                                   os.path.join(artifacts.folder("connect"), "*"),
                                                   "org.apache.kafka.connect.cli.ConnectStandalone", worker, source],
                               self.folder)

    def start(self):
        self.process.start()
        self.process.wait_ready("its source running", self._runs, 90)
        return self

    def _runs(self):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/connectors/%s/status" % (self.port, self.name), timeout=5) as a:
                state = json.load(a)
                return state["tasks"] and state["tasks"][0]["state"] == "RUNNING"
        except OSError:
            return False

    def stop(self):
        return self.process.stop()
