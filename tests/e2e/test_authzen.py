# SPDX-License-Identifier: Apache-2.0
"""AuthZEN as a policy enforcement point meets it: discovery, one question, many, errors, and an ending between two questions."""
import unittest

from tests.e2e.shared import Daemon, UnixConnection, kafka

TOPIC = "authzen.a"
CONNECTOR = "connector: c\ntopics: [%s]\ndecode: {format: json}\nentities: [{type: a.b, id: value.id, attributes: {x: value.x}}]\n" % TOPIC
ENTITIES = "types:\n  a.b:\n    attributes: {x: string}\n"
ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"


def subject(agent):
    return {"type": "agent", "id": agent}


def resource(ident):
    return {"type": "account", "id": ident}


class AuthZEN(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kafka().create({TOPIC: 1})
        cls.d = Daemon("authzen", {"c": CONNECTOR}, ENTITIES, revocations="authzen.revocations").start()
        cls.d.issue("root", scope={"actions": ["pay.*"], "resources": ["account/*"], "limits": {"eur": 100}}, max_depth=1)
        cls.d.issue("child", parent="root", agent="b", max_depth=0,
                    scope={"actions": ["pay.small"], "resources": ["account/7"], "limits": {"eur": 10}})

    @classmethod
    def tearDownClass(cls):
        cls.d.stop()

    def ask(self, path, body):
        status, answer = self.d.call("POST", path, body)
        self.assertEqual(status, 200, answer)
        return answer

    def many(self, evaluations, semantic=None, **defaults):
        body = dict({"subject": subject("a"), "action": {"name": "pay.now", "properties": {"eur": 100}},
                     "resource": resource("7"), "context": {"mandate": "root"}, "evaluations": evaluations}, **defaults)
        if semantic:
            body["options"] = {"evaluations_semantic": semantic}
        return self.ask(MANY, body)["evaluations"]

    def outcomes(self, *args, **kw):
        return [(e["decision"], e["context"]["reason"]) for e in self.many(*args, **kw)]

    def test_authzen__discovery_names_endpoints_that_answer(self):
        document = self.d.get("/.well-known/authzen-configuration")
        base = document.pop("policy_decision_point")
        self.assertEqual(set(document), {"access_evaluation_endpoint", "access_evaluations_endpoint"})
        for url in document.values():
            self.assertTrue(url.startswith(base))
            self.assertIs(self.ask(url[len(base):], {"subject": subject("a"), "action": {"name": "pay.now", "properties": {"eur": 1}},
                                                     "resource": resource("7"), "context": {"mandate": "root"}})["decision"], True)

    def test_authzen__many_questions_each_get_the_answer_they_get_alone(self):
        items = [{}, {"resource": resource("8")}, {"resource": {"type": "ledger", "id": "7"}}, {"subject": subject("b")},
                 {"action": {"name": "pay.now", "properties": {"eur": 101}}}, {"action": {"name": "pay.now"}},
                 {"action": {"name": "read"}}, {"context": {"mandate": "nobody"}}, {"context": {}},
                 {"subject": subject("b"), "context": {"mandate": "child"}, "action": {"name": "pay.small", "properties": {"eur": 10}}},
                 {"subject": subject("b"), "context": {"mandate": "child"}, "action": {"name": "pay.small", "properties": {"eur": 11}}}]
        got = self.many(items)
        self.assertEqual([e["decision"] for e in got],
                         [True, True, False, False, False, False, False, False, False, True, False])
        whole = {"subject": subject("a"), "action": {"name": "pay.now", "properties": {"eur": 100}}, "resource": resource("7"),
                 "context": {"mandate": "root"}}
        for item, among in zip(items, got):
            alone = self.ask(ONE, dict(whole, **item))
            for answer in (alone, among):
                for when in ("as_of", "seq"):
                    answer["context"].pop(when, None)
            self.assertEqual(alone, among)

    def test_authzen__a_malformed_item_does_not_spoil_the_others(self):
        got = self.many([{}, {"resource": 5}, "nonsense", {}])
        self.assertEqual([e["decision"] for e in got], [True, False, False, True])
        self.assertEqual([e["context"]["error"]["status"] for e in got[1:3]], [400, 400])

    def test_authzen__the_semantics_stop_where_they_say(self):
        items = [{}, {"resource": {"type": "ledger", "id": "7"}}, {}]
        yes, no = (True, "ok"), (False, "out_of_authority")
        self.assertEqual(self.outcomes(items), [yes, no, yes])
        self.assertEqual(self.outcomes(items, "execute_all"), [yes, no, yes])
        self.assertEqual(self.outcomes(items, "deny_on_first_deny"), [yes, no])
        self.assertEqual(self.outcomes(items, "permit_on_first_permit"), [yes])

    def test_authzen__from_the_answer_to_a_revocation_every_question_is_denied(self):
        self.d.issue("parent", max_depth=1)
        self.d.issue("leaf", parent="parent", max_depth=0)
        items = [{"context": {"mandate": m}} for m in ("parent", "leaf", "root")]
        self.assertEqual([d for d, _ in self.outcomes(items)], [True, True, True])
        self.assertEqual(self.d.call("POST", "/v1/mandates/parent/revoke", {"reason": "over"})[0], 200)
        self.assertEqual(self.outcomes(items), [(False, "mandate_inactive"), (False, "mandate_inactive"), (True, "ok")])

    def test_authzen__errors_are_plain_strings_and_every_answer_echoes_the_requests_id(self):
        for path, body, code in ((ONE, b"{}", 400), (MANY, b"{", 400), (MANY, b'{"options":{"evaluations_semantic":"some"}}', 400),
                                 (MANY, b'{"evaluations":[%s]}' % b",".join([b"{}"] * 257), 400), (MANY, b" " * 70000, 413),
                                 (MANY, b'{"evaluations":[{}]}', 200), ("/access/v1/search/subject", b"{}", 404)):
            c = UnixConnection(self.d.socket, 10)
            try:
                c.request("POST", path, body, {"Content-Type": "application/json", "X-Request-ID": "r-17"})
                answer = c.getresponse()
                text = answer.read().decode()
            finally:
                c.close()
            self.assertEqual(answer.status, code, text)
            self.assertEqual(answer.getheader("X-Request-ID"), "r-17")
            self.assertEqual(answer.getheader("Content-Type").startswith("text/plain"), code != 200)
            self.assertTrue(text)
