# SPDX-License-Identifier: Apache-2.0
"""What mandated ought to say, the naive way: every condition of every mandate is evaluated anew after every change and at every
moment that matters. Written from docs/conditions.md, docs/connectors.md, docs/adr/0003 and schemas/, over Python dicts; it shares
nothing with the engine. Times are microseconds since 1970.

A condition here is a function of (world, now, params) that gives True, False, UNKNOWN or ERROR, beside the CEL text that
says the same; `moments` gives the times at which it may change by itself.
"""
from collections import namedtuple

UNKNOWN, ERROR = "unknown", "error"
REFUSED = 4
FINAL = ("completed", "revoked", "expired", "cascaded")
CLAUSES = ("while", "until", "suspend_while")

Origin = namedtuple("Origin", "source topic partition offset event_time seq")
Cell = namedtuple("Cell", "value origin")
Cause = namedtuple("Cause", "kind origin principal note", defaults=(None, None, None))
Condition = namedtuple("Condition", "test moments", defaults=(lambda world, params: (),))
CLOCK = Cause("clock")


# --- truth -----------------------------------------------------------------------------------------------------------
def all_of(values):
    """CEL's &&: false wins, then unknown, then error."""
    for wins in (False, UNKNOWN, ERROR):
        if wins in [v if v in (UNKNOWN, ERROR) else bool(v) for v in values]:
            return wins
    return True


def none_of_that(value):
    return value if value in (UNKNOWN, ERROR) else not value


def any_of(values):
    return none_of_that(all_of([none_of_that(v) for v in values]))


def known(value, test):
    return value if value in (UNKNOWN, ERROR) else test(value)


def equals(value, constant):
    return known(value, lambda v: v == constant)


def among(value, constants):
    return known(value, lambda v: v in constants)


def less(value, constant):
    """Comparing null with a number is an error."""
    return known(value, lambda v: ERROR if v is None else v < constant)


def truth(value):
    return known(value, lambda v: ERROR if v is None else v)


# --- the context graph -------------------------------------------------------------------------------------------------
class World:
    """`fields`: type -> names; `inverses`: (type, name) -> (type, reference) that points here."""

    def __init__(self, fields, inverses):
        self.fields, self.inverses = fields, inverses
        self.status, self.cells = {}, {}  # (type, id) -> "exists" | "absent"; (type, id, field) -> Cell

    def read(self, kind, name, field):
        if self.status.get((kind, name)) == "absent":
            return None
        cell = self.cells.get((kind, name, field))
        return UNKNOWN if cell is None else cell.value

    def inverse(self, kind, name, field):
        """Ids of those whose reference points here; known as soon as anything was heard of it or refers to it."""
        other, reference = self.inverses[kind, field]
        ids = sorted(n for (k, n, f), c in self.cells.items() if k == other and f == reference and c.value == name)
        return ids if ids or (kind, name) in self.status else UNKNOWN

    def _newer(self, kind, name, field, origin):
        cell = self.cells.get((kind, name, field))
        return cell is not None and cell.origin.event_time > origin.event_time

    def _any_newer(self, kind, name, origin):
        return any(self._newer(kind, name, f, origin) for f in self.fields[kind])

    def _set_all(self, kind, name, value, origin):
        for f in self.fields[kind]:
            self.cells[kind, name, f] = Cell(value, origin)

    def delete(self, kind, name, origin):
        if not self._any_newer(kind, name, origin):
            self.status[kind, name] = "absent"
            self._set_all(kind, name, None, origin)

    def upsert(self, kind, name, sets, origin):
        absent = self.status.get((kind, name)) == "absent"
        if absent and self._any_newer(kind, name, origin):
            return
        self.status[kind, name] = "exists"
        if absent:
            self._set_all(kind, name, UNKNOWN, origin)
        for field, value in sets.items():
            if not self._newer(kind, name, field, origin):
                self.cells[kind, name, field] = Cell(value, origin)


# --- mandates ------------------------------------------------------------------------------------------------------------
class Mandate:
    def __init__(self, claims, conditions, parent):
        self.id, self.claims, self.parent, self.children = claims["id"], claims, parent, []
        self.expires_at, self.on_unknown = claims["expires_us"], claims.get("on_unknown", "hold")
        self.grace_us, self.grace_at = claims.get("grace_us", 0), None
        self.clause = {c: conditions[claims[c]] for c in CLAUSES if claims.get(c)}
        self.state, self.version, self.held_by = None, 0, set()  # of "clause", "unknown", "error", "command"

    def ancestors(self):
        m = self.parent
        while m is not None:
            yield m
            m = m.parent

    def descendants(self):
        for child in self.children:
            yield child
            yield from child.descendants()

    def fallen(self):
        return any(a.state in FINAL for a in self.ancestors())

    def effective(self, now):
        if self.state in FINAL:
            return self.state
        if now >= self.expires_at:
            return "expired"
        if any(a.state in FINAL or now >= a.expires_at for a in self.ancestors()):
            return "cascaded"
        return "suspended" if any(a.state == "suspended" for a in self.ancestors()) else self.state


class Oracle:
    def __init__(self, world, conditions):
        self.world, self.conditions = world, conditions
        self.mandates, self.live = {}, {}
        self.now, self.batch_now, self.seq = 0, 0, 0
        self.said = {}   # (mandate, version) -> what the topic must say
        self.ended = []  # roots whose descendants are still to be recorded: (mandate, its transition, count)

    # --- time, inputs, cascades: in this order ---------------------------------------------------------------------
    def step(self, seq, now, inputs):
        """`inputs`: functions of the oracle, in order. Gives what each returned."""
        self.seq, self.batch_now = seq, max(now, self.now)
        while True:
            due = [t for m in self.live.values() for t in self._moments(m) if self.now < t <= self.batch_now]
            if not due:
                break
            self._cascade()
            self.now = min(due)
            self._expire()
            self._grace()
            self.settle(CLOCK)
        self.now = self.batch_now
        out = [each(self) for each in inputs]
        self._cascade()
        return out

    def _moments(self, m):
        yield m.expires_at
        if m.grace_at is not None:
            yield m.grace_at
        for condition in m.clause.values():
            yield from condition.moments(self.world, m.claims.get("params"))

    def _standing(self):
        """Those that can still change by themselves, in order of ids."""
        for name in sorted(self.live):
            m = self.mandates[name]
            if m.state not in FINAL and not m.fallen():
                yield m

    def _expire(self):
        for m in self._standing():
            if m.expires_at <= self.now:
                self._change(m, "expired", "hard_expiry", None, CLOCK, effective=m.expires_at)

    def _grace(self):
        for m in self._standing():
            if m.grace_at is not None and m.grace_at <= self.now:
                m.grace_at = None
                m.held_by.add("unknown")
                self._review(m, CLOCK)

    def settle(self, cause):
        for m in self._standing():
            self._review(m, cause)

    # --- what truth means ------------------------------------------------------------------------------------------
    def truths(self, m):
        out = {"while": True, "until": False, "suspend_while": False}
        out.update((c, f.test(self.world, self.now, m.claims.get("params"))) for c, f in m.clause.items())
        return out

    def _review(self, m, cause):
        value = self.truths(m)
        if value["while"] is False:
            return self._change(m, "revoked", "while_false", "while", cause)
        if value["until"] is True:
            return self._change(m, "completed", "until_true", "until", cause)
        if value["suspend_while"] is True:
            m.held_by.add("clause")
        elif value["suspend_while"] is False:
            m.held_by.discard("clause")
        if ERROR in value.values():
            m.held_by.add("error")
        self._watch_unknown(m, UNKNOWN in value.values())
        if m.state == "suspended" and not m.held_by:
            return self._change(m, "active", "conditions_clear", None, cause)
        if m.state != "active" or not m.held_by:
            return None
        first = {t: next((c for c in CLAUSES if value[c] == t and value[c] is not True), None) for t in (ERROR, UNKNOWN)}
        if "error" in m.held_by:
            return self._change(m, "suspended", "condition_error", first[ERROR], cause)
        if "clause" in m.held_by:
            return self._change(m, "suspended", "suspend_while_true", "suspend_while", cause)
        return self._change(m, "suspended", "condition_unknown", first[UNKNOWN], cause)

    def _watch_unknown(self, m, unknown):
        if not unknown:
            m.grace_at = None
            m.held_by.discard("unknown")
        elif m.on_unknown == "suspend" and "unknown" not in m.held_by and m.grace_at is None:
            if m.grace_us:
                m.grace_at = self.now + m.grace_us
            else:
                m.held_by.add("unknown")

    # --- what the topic says -----------------------------------------------------------------------------------------
    def _change(self, m, state, reason, clause, cause, effective=None, cascade=None, txn=None):
        m.version += 1
        key = (m.id, m.version)
        self.said[key] = dict(state=state, prior=m.state, reason=reason, clause=clause, cause=cause, cascade=cascade,
                              txn=txn or key, effective=self.now if effective is None else effective,
                              committed=self.batch_now, seq=self.seq, cells=dict(self.world.cells) if clause else None)
        m.state = state
        if state in FINAL:
            self.live.pop(m.id)
            if cascade is None:
                below = [d for d in m.descendants() if d.state not in FINAL and not self._sheltered(d, m)]
                self.said[key]["count"] = len(below)
                self.ended.append((m, key, len(below)))

    @staticmethod
    def _sheltered(d, root):
        """Below another one that ended before: counted there."""
        for a in d.ancestors():
            if a is root:
                return False
            if a.state in FINAL:
                return True
        return False

    def _cascade(self):
        ended, self.ended = self.ended, []
        for root, key, count in ended:
            said = self.said[key]
            for d in root.descendants():
                if d.state in FINAL:
                    continue
                over = d.expires_at <= said["effective"]
                cause = Cause("cascade", said["cause"].origin, said["cause"].principal, said["cause"].note)
                depth = 1 + next(i for i, a in enumerate(d.ancestors()) if a is root)
                self._change(d, "expired" if over else "cascaded", "hard_expiry" if over else "ancestor_ended", None, cause,
                             d.expires_at if over else said["effective"], (root.id, d.parent.id, depth, count), key)

    # --- commands: what HTTP answers, REFUSED for any 4xx ---------------------------------------------------------------
    def issue(self, claims, cause):
        there, parent = self.mandates.get(claims["id"]), self.mandates.get(claims.get("parent"))
        if there is not None:
            return 200 if there.claims == claims else REFUSED
        if claims["expires_us"] <= self.now:
            return REFUSED
        if claims.get("parent") and (parent is None or parent.effective(self.now) != "active"
                                     or claims["expires_us"] > parent.expires_at):
            return REFUSED
        m = Mandate(claims, self.conditions, parent)
        value = self.truths(m)
        if value["while"] is False or value["until"] is True:
            return REFUSED
        self.mandates[m.id] = self.live[m.id] = m
        if parent is not None:
            parent.children.append(m)
        self._change(m, "active", "issued", None, cause)
        self._review(m, cause)
        return 201

    def command(self, kind, name, cause):
        m = self.mandates.get(name)
        if m is None or m.effective(self.now) in FINAL:
            return REFUSED
        if kind == "revoke":
            self._change(m, "revoked", "command", None, cause)
        elif kind == "suspend":
            m.held_by.add("command")
            if m.state == "active":
                self._change(m, "suspended", "command", None, cause)
        else:
            by_hand = m.held_by & {"command", "error"}
            if m.state != "suspended" or not by_hand or "error" in by_hand and ERROR in self.truths(m).values():
                return REFUSED
            m.held_by -= {"command", "error"}
            if not m.held_by:
                self._change(m, "active", "command", None, cause)
        return 200
