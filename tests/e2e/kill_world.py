# SPDX-License-Identifier: Apache-2.0
"""The world of test_kill: orders (raw JSON), customers (Debezium), incidents (CloudEvents); a business that writes records, some of
them late, some broken; a client that issues, revokes, suspends and resumes; and what a record says, read anew in Python.
"""
import http.client
import json
import os
import random
import time
from collections import namedtuple
from datetime import datetime, timedelta, timezone

from tests.e2e import oracle as o

ENTITIES = """types:
  kill.order:
    attributes: {status: string, amount: int}
    references: {customer: {type: kill.customer, inverse: orders}}
  kill.customer:
    attributes: {tier: string, seen: timestamp}
  kill.incident:
    attributes: {open: bool, severity: int}
"""
FIELDS = {"kill.order": ("status", "amount", "customer"), "kill.customer": ("tier", "seen"),
          "kill.incident": ("open", "severity")}
TOPICS = {"kill.orders": 3, "kill.customers": 2, "kill.incidents": 2}
CONNECTORS = {
    "orders": """connector: orders
topics: [kill.orders]
decode: {format: json}
entities:
  - type: kill.order
    id: value.id
    attributes: {status: value.status, amount: value.amount}
    references: {customer: {type: kill.customer, id: value.customer}}
    delete: has(value.gone) && value.gone
event_time: value.at
on_error: quarantine
""",
    "customers": """connector: customers
topics: [kill.customers]
decode: {format: json, envelope: debezium}
entities:
  - type: kill.customer
    id: after.id
    attributes: {tier: after.tier, seen: time_of(after.seen)}
    delete: op == "d"
event_time: source.ts_ms
on_error: quarantine
""",
    "incidents": """connector: incidents
topics: [kill.incidents]
decode: {format: json, envelope: cloudevents}
entities:
  - type: kill.incident
    id: event.subject
    attributes: {open: data.open, severity: data.severity}
event_time: event.time
on_error: quarantine
"""}


def new_world():
    return o.World(FIELDS, {("kill.customer", "orders"): ("kill.order", "customer")})


def rfc3339(us):
    return (datetime(1970, 1, 1) + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def now_us():
    return time.time_ns() // 1000


# --- what a record says ---------------------------------------------------------------------------------------------------
def changes_of(topic, record):
    """[(type, id, {field: value} or None for a delete, event time)]; None for a record that is poison."""
    try:
        v = None if record.value is None else json.loads(record.value)
    except ValueError:
        return None
    if v is None:
        return []
    if topic == "kill.orders":
        sets = {f: v[f] for f in FIELDS["kill.order"] if f in v}
        return [("kill.order", v["id"], None if v.get("gone") else sets, v["at"] * 1000)]
    if topic == "kill.customers":
        at = v["source"]["ts_ms"] * 1000
        if v["op"] == "d":
            return [("kill.customer", v["before"]["id"], None, at)]
        return [("kill.customer", v["after"]["id"], {"tier": v["after"]["tier"], "seen": v["after"]["seen"] * 1000}, at)]
    at = datetime.strptime(v["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return [("kill.incident", v["subject"], dict(v["data"]), round(at.timestamp() * 1000) * 1000)]


class Business:
    """Writes bursts of records. Some are older than what was said before; some are deletes; a few cannot be read."""

    def __init__(self, seed):
        self.rng, self.sent = random.Random(seed), 0

    def burst(self, kafka):
        topic = self.rng.choice(["kill.orders", "kill.orders", "kill.customers", "kill.incidents"])
        make = {"kill.orders": self.order, "kill.customers": self.customer, "kill.incidents": self.incident}[topic]
        records = [make() for _ in range(self.rng.choice([1, 3, 10, 30]))]
        self.sent += len(records)
        headers = ["-H", "content-type=application/cloudevents+json"] if topic == "kill.incidents" else []
        lines = "".join("%s\t%s\n" % (k, v) for k, v in records)
        kafka._kcat(["-P", "-t", topic, "-K", "\t", "-Z", "-X", "partitioner=murmur2_random"] + headers, lines.encode())

    def _at(self):
        return now_us() // 1000 - (self.rng.randint(100, 3000) if self.rng.random() < 0.15 else 0)

    def order(self):
        rng, name = self.rng, "o%d" % self.rng.randrange(24)
        if rng.random() < 0.01:
            return name, '{"id": "%s", "status": ' % name
        v = {"id": name, "at": self._at()}
        if rng.random() < 0.03:
            return name, json.dumps(dict(v, gone=True))
        if rng.random() < 0.9:
            v["status"] = rng.choices(["open", "shipped", "cancelled", None], [85, 8, 5, 2])[0]
        if rng.random() < 0.8:
            v["amount"] = rng.choices([rng.randint(1, 480), rng.randint(500, 900), None], [90, 8, 2])[0]
        if rng.random() < 0.6:
            v["customer"] = rng.choices(["c%d" % rng.randrange(8), None], [95, 5])[0]
        return name, json.dumps(v)

    def customer(self):
        rng, name = self.rng, "c%d" % self.rng.randrange(6)
        source, kind = {"ts_ms": self._at()}, rng.random()
        if kind < 0.02:
            return name, ""
        if kind < 0.05:
            return name, json.dumps({"op": "d", "before": {"id": name}, "after": None, "source": source})
        after = {"id": name, "tier": rng.choices(["gold", "silver", "none"], [70, 25, 5])[0], "seen": self._at()}
        return name, json.dumps({"op": rng.choice("cur"), "before": None, "after": after, "source": source})

    def incident(self):
        name = "i%d" % self.rng.randrange(5)
        data = {"open": self.rng.random() < 0.4, "severity": self.rng.randint(1, 5)}
        return name, json.dumps({"specversion": "1.0", "id": str(self.sent), "source": "/tickets", "type": "incident",
                                 "subject": name, "time": rfc3339(self._at() * 1000)[:-4] + "Z", "data": data})


# --- conditions: CEL, and the same in Python ---------------------------------------------------------------------------------
def order_is(name):
    return ('kill.order["%s"].status == "open"' % name,
            o.Condition(lambda w, now, p: o.equals(w.read("kill.order", name, "status"), "open")))


def order_of_params():
    return ('kill.order[mandate.params.order].status != "cancelled"',
            o.Condition(lambda w, now, p: o.none_of_that(o.equals(w.read("kill.order", p["order"], "status"), "cancelled"))))


def order_over(name):
    return ('kill.order["%s"].status in ["shipped", "cancelled"]' % name,
            o.Condition(lambda w, now, p: o.among(w.read("kill.order", name, "status"), ("shipped", "cancelled"))))


def small_and_known(order, customer):
    return ('kill.order["%s"].amount < 500 && kill.customer["%s"].tier != "none"' % (order, customer),
            o.Condition(lambda w, now, p: o.all_of([
                o.less(w.read("kill.order", order, "amount"), 500),
                o.none_of_that(o.equals(w.read("kill.customer", customer, "tier"), "none"))])))


def good_customer(order):
    def test(w, now, p):
        customer = w.read("kill.order", order, "customer")
        tier = customer if customer == o.UNKNOWN else o.ERROR if customer is None else w.read("kill.customer", customer, "tier")
        return o.any_of([o.among(tier, ("gold", "silver")), o.equals(w.read("kill.order", order, "status"), "open")])
    return ('kill.order["%s"].customer.tier in ["gold", "silver"] || kill.order["%s"].status == "open"' % (order, order),
            o.Condition(test))


def any_cancelled(customer):
    def test(w, now, p):
        orders = w.inverse("kill.customer", customer, "orders")
        if orders == o.UNKNOWN:
            return o.UNKNOWN
        return o.any_of([o.equals(w.read("kill.order", n, "status"), "cancelled") for n in orders])
    return 'kill.customer["%s"].orders.exists(x, x.status == "cancelled")' % customer, o.Condition(test)


def incident_open(name):
    return ('kill.incident["%s"].open && kill.incident["%s"].severity >= 3' % (name, name),
            o.Condition(lambda w, now, p: o.all_of([o.truth(w.read("kill.incident", name, "open")),
                                                    o.none_of_that(o.less(w.read("kill.incident", name, "severity"), 3))])))


def before(us):
    return ('now < timestamp("%s")' % rfc3339(us), o.Condition(lambda w, now, p: now < us, lambda w, p: (us,)))


def seen_lately(customer, seconds):
    span = seconds * 1000000

    def age(w):
        return w.read("kill.customer", customer, "seen")
    return ('now - kill.customer["%s"].seen < duration("%ds")' % (customer, seconds),
            o.Condition(lambda w, now, p: o.known(age(w), lambda t: o.ERROR if t is None else now - t < span),
                        lambda w, p: () if age(w) in (o.UNKNOWN, None) else (age(w) + span,)))


# --- the client ----------------------------------------------------------------------------------------------------------------
Asked = namedtuple("Asked", "kind mandate principal status")


class Client:
    """One command at a time; remembers what was answered. What was not answered is asked again after the last start."""

    def __init__(self, daemon, seed, mandates_max):
        self.daemon, self.rng, self.max = daemon, random.Random(seed), mandates_max
        self.conditions, self.claims, self.asked = {}, {}, []
        self.exists, self.revoked, self.unanswered = set(), set(), {}

    def once(self):
        kind = self.rng.choices(["issue", "again", "other", "revoke", "suspend", "resume", "check"], [60, 5, 2, 4, 6, 9, 8])[0]
        if not self.daemon.process.running() or not os.path.exists(self.daemon.socket):
            return
        names = list(self.claims)[-60:]
        if kind == "issue" and len(self.claims) < self.max:
            self.issue(self.new_claims())
        elif kind == "again" and names:
            self.issue(self.claims[self.rng.choice(names)])
        elif kind == "other" and names:
            self.issue(dict(self.claims[self.rng.choice(names)], purpose="another"))
        elif kind == "check" and self.revoked:
            self.check(self.rng.choice(sorted(self.revoked)))
        elif kind in ("revoke", "suspend", "resume") and names:
            name = self.rng.choice(names)
            if self._ask(kind, name, "/v1/mandates/%s/%s" % (name, kind), {"reason": "because of %s" % name}) == 200 \
                    and kind == "revoke":
                self.revoked.add(name)

    def issue(self, claims):
        status = self._ask("issue", claims["id"], "/v1/mandates", claims)
        if status in (200, 201):
            self.exists.add(claims["id"])
        if status is None and claims["purpose"] != "another":
            self.unanswered[claims["id"]] = claims

    def _ask(self, kind, mandate, path, body):
        principal = "caller-%05d" % len(self.asked)  # each command has its own: found again in the journal, answered or not
        try:
            status = self.daemon.call("POST", path, body, headers={"X-Mandate-Principal": principal})[0]
        except (OSError, http.client.HTTPException, ValueError):
            status = None
        if status == 503:
            status = None
        self.asked.append(Asked(kind, mandate, principal, status))
        return status

    def check(self, name):
        try:
            answer = self.daemon.decision(name)
        except (OSError, http.client.HTTPException, ValueError):
            return
        assert answer["decision"] is False, "%s was revoked, and is permitted: %s" % (name, answer)

    def settle_unanswered(self):
        """An unanswered command took effect or did not; asking again with the same content tells which."""
        for claims in self.unanswered.values():
            self.issue(claims)
            assert self.asked[-1].status is not None, "%s: no answer from a running daemon" % claims["id"]

    def _clause(self, condition):
        text, meaning = condition
        self.conditions[text] = meaning
        return text

    def new_claims(self):
        rng, now = self.rng, now_us()
        order, customer = "o%d" % rng.randrange(26), "c%d" % rng.randrange(9)
        claims = {"id": "m%04d" % (len(self.claims) * 617 % 10000), "grantor": "g", "agent": "a", "purpose": "p",
                  "scope": {"actions": ["*"], "resources": ["*"]}, "params": {"order": order},
                  "expires_at": rfc3339(now + rng.choices([rng.randint(-100000, 900000), rng.randint(1000000, 20000000),
                                                           rng.randint(60000000, 3600000000)], [2, 5, 6])[0])}
        if rng.random() < 0.5 and self.exists:
            claims["parent"] = rng.choice(list(self.claims)[-25:])
            if rng.random() < 0.9:
                claims["expires_at"] = min(claims["expires_at"], self.claims[claims["parent"]]["expires_at"])
        for clause, chance, makers in (
                ("while", 0.7, [lambda: order_is(order), order_of_params, lambda: small_and_known(order, customer),
                                lambda: good_customer(order), lambda: before(now + rng.randint(100000, 9000000)),
                                lambda: seen_lately(customer, rng.randint(2, 6))]),
                ("until", 0.4, [lambda: order_over(order), lambda: any_cancelled(customer)]),
                ("suspend_while", 0.5, [lambda: incident_open("i%d" % rng.randrange(6))])):
            if rng.random() < chance:
                claims[clause] = self._clause(rng.choice(makers)())
        if rng.random() < 0.4:
            claims.update(on_unknown="suspend", unknown_grace=rng.choice(["0s", "1s", "4s"]))
        self.claims[claims["id"]] = claims
        return claims

    def claims_like(self, journaled):
        """The claims that were sent under this id, as the oracle wants them; the journal says which of two contents it was."""
        claims = dict(self.claims[journaled["id"]], purpose=journaled["purpose"])
        claims["expires_us"] = o_time(claims["expires_at"])
        claims["grace_us"] = int(claims.get("unknown_grace", "0s")[:-1]) * 1000000
        return claims


def o_time(text):
    at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return int(at.replace(microsecond=0).timestamp()) * 1000000 + at.microsecond
