# SPDX-License-Identifier: Apache-2.0
"""How the demo speaks: one line a thing, coloured on a terminal, plain otherwise."""
import os
import sys
import textwrap

COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
STATES = {"active": "green", "suspended": "yellow", "completed": "blue"}


class Teller:
    def __init__(self):
        self.colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        self.mark = dict(zip(("event", "end", "child", "yes", "no"), "▶■└✓✗" if utf8 else ">#`+x"))
        self.number = 0

    def _(self, text, *styles):
        if not self.colour:
            return str(text)
        return "\033[%sm%s\033[0m" % (";".join(COLOURS[s] for s in styles), text)

    def line(self, text=""):
        print(text, flush=True)

    # --- frame -----------------------------------------------------------------------------------------------------
    def title(self):
        self.line()
        self.line(self._("mandated", "bold") + "  an agent's authority ends when its reason ends")
        self.line()

    def server(self, name, where):
        self.line("   %-16s %s" % (name, self._(where, "dim")))

    def act(self, text):
        self.number += 1
        self.line()
        self.line(self._("%d  %s" % (self.number, text), "bold"))

    def command(self, text):
        self.line("   " + self._("$ " + text, "dim"))

    def sql(self, text):
        self.line("   " + self._("sql> " + text, "dim"))

    # --- content ---------------------------------------------------------------------------------------------------
    def fact(self, connector, form, text):
        self.line("   %s %-12s %s  %s" % (self._(self.mark["event"], "cyan"), connector,
                                          self._("%-18s" % form, "dim"), text))

    def event(self, connector, text):
        self.line("   %s %s  %s" % (self._(self.mark["event"], "cyan"), self._(connector, "cyan"), self._(text, "bold")))

    def mandate(self, answer):
        m = answer["mandate"]
        child = self.mark["child"] + " " if m.get("parent") else ""
        scope = m["scope"]
        limits = ", ".join("%s <= %s" % (k, v) for k, v in (scope.get("limits") or {}).items())
        self.line("   %s %s may %s" % (self._("%-22s" % (child + m["id"]), "bold"), self._("%-11s" % m["agent"], "cyan"),
                                       m["purpose"][0].lower() + m["purpose"][1:]))
        self._more("scope", "%s on %s%s" % (", ".join(scope["actions"]), ", ".join(scope["resources"]),
                                            "; " + limits if limits else ""))
        for clause in ("while", "until", "suspend_while"):
            if m.get(clause):
                self._more(clause.replace("_", " "), m[clause])
        self._more("at the latest", m["expires_at"])

    def _more(self, label, text):
        for i, part in enumerate(textwrap.wrap(text, 84, break_long_words=False) or [""]):
            self.line("   %-22s %s %s" % ("", self._("%-13s" % (label if i == 0 else ""), "dim"), self._(part, "dim")))

    def transition(self, t):
        state = self._(t["state"], "bold", STATES.get(t["state"], "red"))
        self.line("   %s %s is %s, version %d: %s" % (self._(self.mark["end"], STATES.get(t["state"], "red")),
                                                        self._(t["mandate"], "bold"), state, t["version"],
                                                        self._why(t)))
        for term in t["terms"]:
            value = term.get("value", "unknown")
            where = " %s[%s]@%s" % (term["topic"], term["partition"], term["offset"]) if term.get("topic") else ""
            self.line("       %s = %s%s" % (term["path"], _plain(value), self._(where, "dim")))

    @staticmethod
    def _why(t):
        clause = t.get("clause")
        if t["reason"] == "ancestor_ended":
            return "its parent %s ended" % t["cascade"]["parent"]
        if t["reason"] == "hard_expiry":
            return "its time is over"
        if t["reason"] == "conditions_clear":
            return "nothing suspends it any more"
        if clause:
            return "its %s became %s" % (clause["kind"].replace("_", " "), "false" if t["reason"] == "while_false" else "true")
        return t["reason"]

    def check(self, mandate, agent, action, resource, params, answer):
        yes = answer["decision"]
        with_ = " with " + ", ".join("%s=%s" % p for p in params.items()) if params else ""
        context = answer.get("context", {})
        self.line("   %s may %s %s on %s%s, under %s? %s%s" % (
            self._("?", "dim"), agent, action, resource, with_, mandate,
            self._(self.mark["yes"] + " permit", "green", "bold") if yes else self._(self.mark["no"] + " deny", "red", "bold"),
            "" if yes else self._("  " + context.get("text", context.get("reason", "")), "dim")))

    # --- the end ----------------------------------------------------------------------------------------------------
    def end(self, transitions, seconds):
        self.line()
        self.line("   %s transitions on topic mandate.revocations, each with its evidence; %.1f s" % (transitions, seconds))
        self.line()

    def play(self, stage, bin_):
        short = os.path.relpath(bin_)
        self.line(self._("It is all still running; Ctrl-C ends it and removes it. In another terminal:", "bold"))
        for text in ("export MANDATED_SOCKET=%s MANDATED_BOOTSTRAP=%s" % (stage.socket, stage.bootstrap),
                     "%s/mandatectl mandate list" % short,
                     "%s/mandatectl mandate explain refund-desk" % short,
                     "%s/mandatectl mandate revoke refund-desk --reason 'that is enough'" % short,
                     "%s/mandatectl entity get crm.conversation R-42" % short,
                     "%s/mandatectl topic tail --from-beginning --exit-at-end" % short,
                     "curl --unix-socket %s http://localhost/metrics" % stage.socket,
                     "less %s" % stage.log):
            self.line("   " + text)
        if stage.real:
            self.line("   psql -h 127.0.0.1 -p %d -U postgres -c \"UPDATE program SET budget_eur = 1\"" % stage.postgres.port)

    def trouble(self, error, log):
        print(file=sys.stderr)
        print(self._("the demo failed: %s" % error, "red", "bold"), file=sys.stderr)
        if log:
            print("--- mandated's log ends with ---\n" + log, file=sys.stderr)


def _plain(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_plain(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join("%s: %s" % (k, _plain(v)) for k, v in sorted(value.items())) + "}"
    return str(value)
