# SPDX-License-Identifier: Apache-2.0
"""Certificates by openssl, logins of a broker, and a token endpoint: what a secured Kafka needs besides itself.

A certificate authority, one certificate for servers on localhost, one for clients (its key encrypted as well), one that
nobody trusts. Everything is made new for each run.
"""
import base64
import http.server
import json
import os
import ssl
import subprocess
import threading
import time

from tests.real.parts import Failed

USER, PASSWORD = "mandated", "correct-horse-battery"
CLIENT, SECRET = "mandated-client", "staple-of-the-token"

PROPERTIES = """ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.tls.ssl.client.auth=required
listener.name.login.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  user_{user}="{password}";
listener.name.login.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.login.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.login.oauthbearer.sasl.jaas.config=\\
  org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
"""


class Security:
    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        os.makedirs(self.folder, exist_ok=True)
        self._authority("ca")
        self._authority("other-ca")
        self._signed("server", "ca", "DNS:localhost,IP:127.0.0.1")
        self._signed("client", "ca", "DNS:client")
        self._signed("stranger", "other-ca", "DNS:client")
        with open(self.path("server.pem"), "w") as out:  # key and chain, as a Java PEM store wants them
            for part in ("server.key", "server.crt", "ca.pem"):
                out.write(open(self.path(part)).read())
        self._openssl("pkcs8", "-topk8", "-in", self.path("client.key"), "-out", self.path("client-encrypted.key"), "-passout",
                      "pass:" + PASSWORD)

    def path(self, name):
        return os.path.join(self.folder, name)

    def _openssl(self, *args):
        done = subprocess.run(["openssl"] + list(args), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Failed("openssl %s: %s" % (args[0], done.stdout[-1000:]))

    def _authority(self, name):
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                      "/CN=%s of a test" % name, "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem"))

    def _signed(self, name, authority, names):
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name, "-keyout",
                      self.path(name + ".key"), "-out", self.path(name + ".csr"))
        with open(self.path(name + ".ext"), "w") as f:
            f.write("subjectAltName=%s\n" % names)
        self._openssl("x509", "-req", "-in", self.path(name + ".csr"), "-CA", self.path(authority + ".pem"), "-CAkey",
                      self.path(authority + ".key"), "-CAcreateserial", "-days", "2", "-extfile", self.path(name + ".ext"), "-out",
                      self.path(name + ".crt"))

    def properties(self):
        return PROPERTIES.format(folder=self.folder, user=USER, password=PASSWORD)

    @staticmethod
    def format_options():
        out = []
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            out += ["--add-scram", "%s=[name=%s,password=%s]" % (mechanism, USER, PASSWORD)]
        return out

    def server_context(self, clients=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path("server.crt"), self.path("server.key"))
        if clients:
            context.load_verify_locations(self.path("ca.pem"))
            context.verify_mode = ssl.CERT_REQUIRED
        return context


class Server:
    """An HTTPS server of a test: `answer(method, path, headers, body)` gives (code, JSON)."""

    def __init__(self, answer, context):
        outer = self
        self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                code, value = answer(self.command, self.path, self.headers, body)
                data = json.dumps(value).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = _do

            def log_message(self, *args):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, request, address):
                pass  # a client that does not trust us, or that we do not trust

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.http.server_address[1]
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return "https://localhost:%d" % self.port

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


def _part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class TokenEndpoint(Server):
    """OAuth 2.0 client credentials; tokens without a signature, which a broker of a test takes, and of `seconds` of life."""

    def __init__(self, security, seconds=3600):
        self.seconds, self.given, self.refused = seconds, 0, 0
        super().__init__(self._token, security.server_context())

    def _token(self, method, path, headers, body):
        known = "Basic " + base64.b64encode(("%s:%s" % (CLIENT, SECRET)).encode()).decode()
        if headers.get("Authorization") != known or b"grant_type=client_credentials" not in body:
            self.refused += 1
            return 401, {"error": "invalid_client"}
        self.given += 1
        now = time.time()
        token = ".".join([_part({"alg": "none"}), _part({"sub": CLIENT, "iat": now, "exp": now + self.seconds, "scope": "kafka"}),
                          ""])
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.seconds}
