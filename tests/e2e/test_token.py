# SPDX-License-Identifier: Apache-2.0
"""Signed mandates as a receiver meets them: fetched from the daemon, verified without it."""
import json
import os
import unittest

from tests.e2e.shared import ISSUER, Daemon, kafka, mandatectl

TOPIC = "token.a"
CONNECTOR = "connector: c\ntopics: [%s]\ndecode: {format: json}\nentities: [{type: a.b, id: value.id, attributes: {x: value.x}}]\n" % TOPIC
ENTITIES = "types:\n  a.b:\n    attributes: {x: string}\n"


class Token(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kafka().create({TOPIC: 1})
        cls.d = Daemon("token", {"c": CONNECTOR}, ENTITIES, revocations="token.revocations").start()
        cls.d.issue("root", audience=["gateway"], scope={"actions": ["pay.*"], "resources": ["account/*"],
                                                         "limits": {"eur": 100}}, max_depth=1)
        cls.d.issue("child", parent="root", agent="b", audience=["gateway"],
                    scope={"actions": ["pay.small"], "resources": ["account/7"], "limits": {"eur": 10}}, max_depth=0)
        cls.jwks = cls.d.write("jwks.json", json.dumps(cls.d.call("GET", "/.well-known/jwks.json")[1]))

    @classmethod
    def tearDownClass(cls):
        cls.d.stop()

    def chain(self, mandate):
        done = mandatectl("mandate", "token", mandate, "--socket", self.d.socket)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def verify(self, chain, *more):
        return mandatectl("mandate", "verify", "--jwks", self.jwks, "--issuer", ISSUER, "--audience", "gateway", *more,
                          stdin=chain)

    def test_token__a_chain_verifies_without_the_server_and_says_what_it_permits(self):
        chain = self.chain("child")
        self.assertEqual(len(chain.splitlines()), 2)
        asked = ["--action", "pay.small", "--resource", "account/7", "--properties"]
        self.assertEqual(self.verify(chain).returncode, 0)
        self.assertEqual(self.verify(chain, "--agent", "b", *asked, '{"eur": 10}').returncode, 0)
        for wrong in (["--agent", "a"], [*asked, '{"eur": 11}'], ["--action", "pay.large", "--resource", "account/7"],
                      ["--at", "2199-01-01T00:00:00Z"]):
            done = self.verify(chain, *wrong)
            self.assertEqual(done.returncode, 3, "%s: %s" % (wrong, done.stdout))
            self.assertTrue(done.stderr)

    def test_token__a_child_alone_or_a_changed_token_is_refused(self):
        root, child = self.chain("child").split()
        self.assertEqual(self.verify(child).returncode, 3)
        head, body, signature = child.split(".")
        self.assertEqual(self.verify("\n".join([root, ".".join([head, body, signature[:-4] + "AAAA"])])).returncode, 3)
        self.assertEqual(self.verify("").returncode, 3)

    def test_token__what_has_ended_is_not_signed_any_more(self):
        self.d.issue("short", audience=["gateway"])
        self.assertEqual(self.d.call("GET", "/v1/mandates/short/token")[0], 200)
        self.d.call("POST", "/v1/mandates/short/revoke", {"reason": "over"})
        self.assertEqual(self.d.call("GET", "/v1/mandates/short/token")[0], 409)
        self.assertEqual(self.d.call("GET", "/v1/mandates/nobody/token")[0], 404)

    def test_token__the_key_stays_the_same_after_a_restart_and_is_its_owners_alone(self):
        before = self.chain("root")
        self.d.kill()
        self.d.start()
        self.assertEqual(self.verify(before).returncode, 0)
        self.assertEqual(self.verify(self.chain("root")).returncode, 0)
        key = os.path.join(self.d.folder, "data", "signing-key.pem")
        self.assertEqual(os.stat(key).st_mode & 0o777, 0o600)
        shown = mandatectl("key", "show", key)
        self.assertEqual(json.loads(shown.stdout), json.load(open(self.jwks)))
