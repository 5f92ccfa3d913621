# SPDX-License-Identifier: Apache-2.0
"""A real schema registry (Apicurio, in memory) with the Confluent-compatible API, and the two calls that tests make."""
import glob
import json
import os
import urllib.error
import urllib.request

from tests.real import artifacts
from tests.real.parts import Process, free_port


class Registry:
    def __init__(self, folder, port=None):
        self.folder = os.path.abspath(folder)
        self.port = port or free_port()
        home = artifacts.folder("registry")
        runner = glob.glob(os.path.join(home, "*-runner.jar"))[0]
        self.process = Process("registry", ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                                            "-Dquarkus.http.host=127.0.0.1", "-Dquarkus.http.port=%d" % self.port,
                                            "-cp", runner + ":" + os.path.join(home, "lib", "*"),
                                            "io.quarkus.runner.GeneratedMain"], self.folder)

    @property
    def url(self):
        """Base URL as a connector file wants it."""
        return self.url_at(self.port)

    @staticmethod
    def url_at(port):
        return "http://127.0.0.1:%d/apis/ccompat/v7" % port

    @property
    def native_url(self):
        return "http://127.0.0.1:%d/apis/registry/v2" % self.port

    def start(self):
        self.process.start()
        self.process.wait_ready("its list of subjects", lambda: self._try("/subjects") is not None)
        return self

    def stop(self):
        return self.process.stop()

    def kill(self):
        self.process.kill()

    def register(self, subject, schema):
        """Global id of an Avro schema (text)."""
        body = json.dumps({"schema": schema}).encode()
        request = urllib.request.Request(self.url + "/subjects/%s/versions" % subject, body,
                                         {"Content-Type": "application/vnd.schemaregistry.v1+json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)["id"]

    def _try(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return json.load(answer)
        except (OSError, ValueError, urllib.error.URLError):
            return None
