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
        searches = {what: document.pop("search_%s_endpoint" % what) for what in ("subject", "resource", "action")}
        self.assertEqual(set(document), {"access_evaluation_endpoint", "access_evaluations_endpoint"})
        question = {"subject": subject("a"), "action": {"name": "pay.now", "properties": {"eur": 1}}, "resource": resource("7"),
                    "context": {"mandate": "root"}}
        for url in document.values():
            self.assertTrue(url.startswith(base))
            self.assertIs(self.ask(url[len(base):], question)["decision"], True)
        for what, url in searches.items():
            self.assertTrue(url.startswith(base))
            asked = dict(question, **{what: {"type": question[what]["type"]} if what != "action" else None})
            results = self.ask(url[len(base):], {k: v for k, v in asked.items() if v})["results"]
            # Without an action there are no properties, so the limit of this mandate permits none.
            self.assertEqual(bool(results), what != "action", what)
            for found in results:
                self.assertIs(self.ask(ONE, dict(question, **{what: dict(question[what], **found)}))["decision"], True, (what, found))

    def test_authzen__many_questions_each_get_the_answer_they_get_alone(self):
        items = [{}, {"resource": resource("8")}, {"resource": {"type": "ledger", "id": "7"}}, {"subject": subject("b")},
                 {"action": {"name": "pay.now", "properties": {"eur": 101}}}, {"action": {"name": "pay.now"}},
                 {"action": {"name": "read"}}, {"context": {"mandate": "nobody"}}, {"context": {}},
                 {"subject": subject("b"), "context": {"mandate": "child"}, "action": {"name": "pay.small", "properties": {"eur": 10}}},
                 {"subject": subject("b"), "context": {"mandate": "child"}, "action": {"name": "pay.small", "properties": {"eur": 11}}}]
        got = self.many(items)
        self.assertEqual([e["decision"] for e in got],
                         [True, True, False, False, False, False, False, False, True, True, False])
        self.assertEqual((got[8]["context"]["mandate"], got[8]["context"]["governing"]), ("root", 1))
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

    def found(self, agent, eur, kind="account"):
        answer = self.ask(ONE, {"subject": subject(agent), "action": {"name": "pay", "properties": {"eur": eur}},
                                "resource": {"type": kind, "id": "1"}})
        c = answer["context"]
        return answer["decision"], c["reason"], c.get("mandate"), c.get("governing")

    def test_authzen__without_a_mandate_all_that_govern_must_permit_also_after_a_restart(self):
        for name, eur in (("c-wide", 100), ("c-small", 10)):
            self.d.issue(name, agent="c", scope={"actions": ["pay"], "resources": ["account/*"], "limits": {"eur": eur}})
        self.d.issue("c-other", agent="c", scope={"actions": ["read"], "resources": ["*"]})
        self.d.issue("c-ended", agent="c", scope={"actions": ["pay"], "resources": ["*"], "limits": {"eur": 1}})
        self.d.call("POST", "/v1/mandates/c-ended/revoke", {"reason": "over"})
        for restarted in (False, True):
            self.assertEqual(self.found("c", 10)[::3], (True, 2))
            self.assertEqual(self.found("c", 11), (False, "parameter_violation", "c-small", self.found("c", 11)[3]))
            self.assertEqual(self.found("c", 1, "ledger"), (False, "no_mandate", None, None))
            self.assertEqual(self.found("c2", 1), (False, "no_mandate", None, None))
            if not restarted:
                self.d.kill()
                self.d.start()
        self.d.call("POST", "/v1/mandates/c-small/revoke", {"reason": "over"})
        self.assertEqual(self.found("c", 100), (True, "ok", "c-wide", 1))
        self.assertEqual(self.found("c", 101)[:3], (False, "parameter_violation", "c-wide"))
        self.d.call("POST", "/v1/mandates/c-wide/suspend", {"reason": "wait"})
        self.assertEqual(self.found("c", 1), (False, "no_mandate", None, None))

    def test_authzen__of_too_many_mandates_one_must_be_named(self):
        for i in range(33):
            self.assertEqual(self.found("d", 1)[:2], (True, "ok") if i else (False, "no_mandate"))
            self.d.issue("d-%d" % i, agent="d")
        self.assertEqual(self.found("d", 1), (False, "too_many_mandates", None, None))
        self.assertIs(self.d.decision("d-7", "d")["decision"], True)
        self.d.call("POST", "/v1/mandates/d-9/revoke", {"reason": "over"})
        self.assertEqual(self.found("d", 1)[::3], (True, 32))

    def test_authzen__errors_are_plain_strings_and_every_answer_echoes_the_requests_id(self):
        for path, body, code in ((ONE, b"{}", 400), (MANY, b"{", 400), (MANY, b'{"options":{"evaluations_semantic":"some"}}', 400),
                                 (MANY, b'{"evaluations":[%s]}' % b",".join([b"{}"] * 257), 400), (MANY, None, 413),
                                 (MANY, b'{"evaluations":[{}]}', 200), ("/access/v1/search/subject", b"{}", 400),
                                 ("/access/v1/search/owner", b"{}", 404)):
            c = UnixConnection(self.d.socket, 10)
            try:
                # Too long a body is refused by its length, before a byte of it is sent.
                c.request("POST", path, body, dict({"Content-Type": "application/json", "X-Request-ID": "r-17"},
                                                   **({} if body else {"Content-Length": "70000"})))
                answer = c.getresponse()
                text = answer.read().decode()
            finally:
                c.close()
            self.assertEqual(answer.status, code, text)
            self.assertEqual(answer.getheader("X-Request-ID"), "r-17")
            self.assertEqual(answer.getheader("Content-Type").startswith("text/plain"), code != 200)
            self.assertTrue(text)
