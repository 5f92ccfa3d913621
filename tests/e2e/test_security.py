# SPDX-License-Identifier: Apache-2.0
"""Security of the wire: TLS, mutual TLS, PLAIN, SCRAM, tokens, and the registry's logins, against a real broker.

Records are written through the broker's plain listener; mandated reads, publishes and sets aside through a secured one.
"""
import json
import struct
import unittest

from tests.e2e import shared
from tests.e2e.shared import Daemon, mandated, mandatectl
from tests.real.kafka import Kafka
from tests.real.security import CLIENT, PASSWORD, SECRET, USER, Security, Server, TokenEndpoint

ENTITIES = """
types:
  w.ticket:
    attributes: {status: string}
"""
CONNECTOR = """
connector: w
topics: [%s]
decode: {format: json}
on_error: quarantine
entities:
  - type: w.ticket
    id: value.id
    attributes: {status: value.status}
"""
SCHEMA = {"type": "record", "name": "Ticket", "fields": [{"name": "id", "type": "string"}, {"name": "status", "type": "string"}]}

_security = None


def security():
    global _security
    if _security is None:
        _security = Security(shared.folder("certificates"))
    return _security


def broker():
    return shared.server("secured", lambda folder: Kafka(folder, security=security()))


def old_broker():
    """Debian's librdkafka 2.0.2 logs in by SCRAM only to brokers before 4.0 (its issue 4895)."""
    return shared.server("secured39", lambda folder: Kafka(folder, version="kafka39", security=security()))


class Secured(unittest.TestCase):
    count = 0

    def daemon(self, keys, servers, env=None, connector=CONNECTOR):
        Secured.count += 1
        n = Secured.count
        self.topic, out, dead = "in%d" % n, "out%d" % n, "dead%d" % n
        self.broker = broker() if servers in (broker().servers, broker().tls_servers, broker().login_servers) else old_broker()
        self.broker.create({self.topic: 1, out: 1, dead: 1})
        d = Daemon("secured", {"w": connector % self.topic}, ENTITIES, servers=servers, revocations=out, dead_letter=dead,
                   kafka_keys=keys, env=env)
        self.addCleanup(d.kill)
        return d

    def flows(self, d):
        """A record comes in, a poison record is set aside, an end goes out: all through the secured listener."""
        self.broker.send(self.topic, [("k", '{"id":"1","status":"open"}')])
        d.start()
        d.wait("the entity", lambda: d.value("w.ticket", "1", "status") == "open")
        self.assertEqual(d.issue("m", **{"while": 'w.ticket["1"].status == "open"'})[0], 201)
        self.broker.send(self.topic, [("k", "no JSON"), ("k", '{"id":"1","status":"closed"}')])
        d.wait_state("m", "revoked")
        d.wait("the end to be published", lambda: d.metric("mandated_published_total") == 2)
        self.assertEqual(sum(self.broker.end_offsets(d.dead_letter).values()), 1)
        self.secret_nowhere(d)

    def refused(self, d, *sentences):
        """Nothing is read, nothing crashes, the reason is said, and no secret with it."""
        self.broker.send(self.topic, [("k", '{"id":"1","status":"open"}')])
        d.start(ready=False)
        d.wait("its API", lambda: d.status("/healthz") == 200)
        d.wait("a reason in the log", lambda: any(s in d.log(400) for s in sentences))
        d.wait("a reason in /readyz", lambda: "no Kafka broker can be reached: " in json.dumps(d.call("GET", "/readyz")[1]))
        self.assertEqual(d.status("/readyz"), 503)
        self.assertIsNone(d.entity("w.ticket", "1"))
        d.process.check_alive()
        self.secret_nowhere(d)

    def secret_nowhere(self, d):
        told = [d.log(100000), json.dumps(d.call("GET", "/readyz")[1]), json.dumps(d.get("/v1/connectors")), d.get("/metrics")]
        for secret in (PASSWORD, SECRET, "not-the-password"):
            self.assertFalse(any(secret in t for t in told), "a secret was printed")

    # --- TLS ---------------------------------------------------------------------------------------------------------
    def tls(self, ca="ca.pem", certificate="client", more=""):
        s = security()
        keys = "tls: true, tls_ca: %s" % s.path(ca)
        if certificate:
            keys += ", tls_certificate: %s, tls_key: %s" % (s.path(certificate + ".crt"), s.path(certificate + ".key"))
        return keys + more

    def test_tls__with_certificates_on_both_sides_everything_flows(self):
        self.flows(self.daemon(self.tls(), broker().tls_servers))

    def test_tls__dead_letters_are_sent_back_through_it(self):
        ordered = CONNECTOR.replace("attributes: {status: value.status}", "attributes: {status: value.status}\nevent_time: value.at")
        d = self.daemon(self.tls(), broker().tls_servers, connector=ordered)
        self.broker.send(self.topic, [("k", '{"id":"1","status":7,"at":1700000000000}'), ("k", '{"id":"2","status":"open","at":1700000000001}')])
        d.start()
        d.wait("what is right", lambda: d.value("w.ticket", "2", "status") == "open")
        d.wait("what is not", lambda: sum(self.broker.end_offsets(d.dead_letter).values()) == 1)
        d.write("connectors/w.yaml", ordered.replace("status: value.status", "status: string(value.status)") % self.topic)
        d.stop()
        d.start()
        done = mandatectl("connector", "requeue", "w", "--config", d.config, "--socket", d.socket)
        self.assertEqual((done.returncode, done.stdout), (0, "1 records sent back\n"), done.stderr)
        d.wait("it to be mapped", lambda: d.value("w.ticket", "1", "status") == "7")
        self.secret_nowhere(d)

    def test_tls__an_encrypted_key_opens_with_a_password_from_the_environment(self):
        s = security()
        keys = "tls: true, tls_ca: %s, tls_certificate: %s, tls_key: %s, tls_key_password: '${KEY_PASSWORD}'" % (
            s.path("ca.pem"), s.path("client.crt"), s.path("client-encrypted.key"))
        self.flows(self.daemon(keys, broker().tls_servers, env={"KEY_PASSWORD": PASSWORD}))

    def test_tls__a_broker_whose_certificate_is_not_trusted_is_not_spoken_to(self):
        self.refused(self.daemon(self.tls(ca="other-ca.pem"), broker().tls_servers), "certificate verify failed",
                     "broker certificate could not be verified")

    def test_tls__a_client_that_the_broker_does_not_know_reads_nothing(self):
        self.refused(self.daemon(self.tls(certificate="stranger"), broker().tls_servers), "no Kafka broker can be reached: sasl_ssl", "no Kafka broker can be reached: ssl://")

    def test_tls__a_client_without_a_certificate_reads_nothing(self):
        self.refused(self.daemon(self.tls(certificate=None), broker().tls_servers), "no Kafka broker can be reached: sasl_ssl", "no Kafka broker can be reached: ssl://")

    # --- logins --------------------------------------------------------------------------------------------------------
    def login(self, mechanism, password="file:password"):
        return self.tls(certificate=None) + ", sasl: %s, username: %s, password: '%s'" % (mechanism, USER, password)

    def with_password(self, d, text=PASSWORD):
        d.write("password", text + "\n")
        return d

    def test_sasl__plain_under_tls(self):
        self.flows(self.with_password(self.daemon(self.login("plain"), broker().login_servers)))

    def test_sasl__scram_sha_256_with_the_password_in_a_file(self):
        self.flows(self.with_password(self.daemon(self.login("scram-sha-256"), old_broker().login_servers)))

    def test_sasl__scram_sha_512_with_the_password_in_the_environment(self):
        self.flows(self.daemon(self.login("scram-sha-512", "${KAFKA_PASSWORD}"), old_broker().login_servers,
                               env={"KAFKA_PASSWORD": PASSWORD}))

    def test_sasl__scram_where_this_librdkafka_cannot_do_it_is_explained(self):
        """Kafka 4 and librdkafka before 2.6.1: if this one works, the library was mended, and the sentence may go."""
        d = self.with_password(self.daemon(self.login("scram-sha-512"), broker().login_servers))
        self.refused(d, "cannot log in by SCRAM to Kafka 4.0")

    def test_sasl__a_wrong_password_reads_nothing_and_is_not_printed(self):
        d = self.with_password(self.daemon(self.login("scram-sha-512"), old_broker().login_servers), "not-the-password")
        self.refused(d, "uthentication")

    def test_sasl__properties_of_a_connector_log_in_too(self):
        properties = """
rdkafka:
  security.protocol: SASL_SSL
  ssl.ca.location: %s
  sasl.mechanism: SCRAM-SHA-256
  sasl.username: %s
  sasl.password: ${KAFKA_PASSWORD}
""" % (security().path("ca.pem"), USER)
        self.flows(self.daemon(self.login("scram-sha-512", "${KAFKA_PASSWORD}"), old_broker().login_servers,
                               env={"KAFKA_PASSWORD": PASSWORD}, connector=CONNECTOR + properties))

    # --- tokens --------------------------------------------------------------------------------------------------------
    def token(self, endpoint, secret="${TOKEN_SECRET}"):
        return self.tls(certificate=None) + (
            ", sasl: oauthbearer, oauth_token_url: '%s/token', oauth_client_id: %s, oauth_client_secret: '%s', oauth_scope: kafka, "
            "oauth_ca: %s" % (endpoint.url, CLIENT, secret, security().path("ca.pem")))

    def test_oauth__a_token_of_an_endpoint_logs_in_and_is_renewed_before_it_ends(self):
        endpoint = TokenEndpoint(security(), seconds=5)
        self.addCleanup(endpoint.stop)
        d = self.daemon(self.token(endpoint), broker().login_servers, env={"TOKEN_SECRET": SECRET})
        self.flows(d)
        first = endpoint.given
        d.wait("new tokens for all clients", lambda: endpoint.given >= 2 * first, 30)
        self.broker.send(self.topic, [("k", '{"id":"2","status":"later"}')])
        d.wait("a record behind the first token's end", lambda: d.value("w.ticket", "2", "status") == "later")
        self.assertEqual(endpoint.refused, 0)

    def test_oauth__a_wrong_secret_reads_nothing_and_is_not_printed(self):
        endpoint = TokenEndpoint(security())
        self.addCleanup(endpoint.stop)
        d = self.daemon(self.token(endpoint, "not-the-password"), broker().login_servers)
        self.refused(d, "refuses the client (401)")
        self.assertEqual(endpoint.given, 0)

    def test_oauth__an_endpoint_that_is_not_trusted_is_told_nothing(self):
        endpoint = TokenEndpoint(security())
        self.addCleanup(endpoint.stop)
        keys = self.token(endpoint).replace("oauth_ca: %s" % security().path("ca.pem"), "oauth_ca: %s" % security().path("other-ca.pem"))
        self.refused(self.daemon(keys, broker().login_servers, env={"TOKEN_SECRET": SECRET}), "cannot be reached")
        self.assertEqual(endpoint.requests, [])

    def test_oauth__the_secret_goes_to_no_plain_endpoint(self):
        keys = "tls: true, sasl: oauthbearer, oauth_token_url: 'http://idp.example/token', oauth_client_id: a, oauth_client_secret: b"
        d = self.daemon(keys, broker().login_servers)
        done = mandated("--config", d.config)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("must be https", done.stderr)

    # --- the registry ----------------------------------------------------------------------------------------------------
    def registry(self, keys, admitted, clients=False):
        """An Avro connector with a registry of ours that answers only whom `admitted` (headers -> bool) knows."""
        def answer(method, path, headers, body):
            if not admitted(headers):
                return 401, {"error_code": 401, "message": "who are you?"}
            return (200, {"schema": json.dumps(SCHEMA)}) if path == "/schemas/ids/7" else (404, {"error_code": 40403})
        server = Server(answer, security().server_context(clients))
        self.addCleanup(server.stop)
        text = CONNECTOR.replace("{format: json}", "{format: avro, registry: '%s', registry_ca: %s, %s}" % (
            server.url, security().path("ca.pem"), keys))
        d = self.daemon("", broker().servers, env={"REGISTRY_PASSWORD": PASSWORD}, connector=text)
        value = b"\x00" + struct.pack(">I", 7) + bytes([2]) + b"1" + bytes([8]) + b"open"
        self.broker.send(self.topic, [("k", value, {"binary": "1"})])
        return d

    def admits(self, d):
        d.start()
        d.wait("the entity", lambda: d.value("w.ticket", "1", "status") == "open")
        self.secret_nowhere(d)

    def test_registry__basic_authentication(self):
        import base64
        known = "Basic " + base64.b64encode(("reader:" + PASSWORD).encode()).decode()
        self.admits(self.registry("registry_auth: 'reader:${REGISTRY_PASSWORD}'", lambda h: h.get("Authorization") == known))

    def test_registry__bearer_token(self):
        self.admits(self.registry("registry_auth: 'Bearer ${REGISTRY_PASSWORD}'",
                                  lambda h: h.get("Authorization") == "Bearer " + PASSWORD))

    def test_registry__mutual_tls(self):
        s = security()
        keys = "registry_certificate: %s, registry_key: %s, registry_key_password: '${REGISTRY_PASSWORD}'" % (
            s.path("client.crt"), s.path("client-encrypted.key"))
        self.admits(self.registry(keys, lambda h: True, clients=True))

    def test_registry__one_that_does_not_know_us_holds_the_record_back(self):
        d = self.registry("registry_auth: 'reader:not-the-password'", lambda h: False)
        d.start(ready=False)
        d.wait("a reason", lambda: d.status("/readyz") == 503 and "registry" in json.dumps(d.call("GET", "/readyz")[1]))
        self.assertIsNone(d.entity("w.ticket", "1"))
        self.assertEqual(sum(self.broker.end_offsets(d.dead_letter).values()), 0)
        self.secret_nowhere(d)


if __name__ == "__main__":
    unittest.main()
