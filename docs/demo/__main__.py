# SPDX-License-Identifier: Apache-2.0
"""./dev demo: business events end mandates, told in the terminal.

Real programs, real topics, real records; only the business is made up. --real brings PostgreSQL, Debezium, a schema
registry and Apache Kafka; --keep leaves it all running until Ctrl-C. Exits 0 only when everything happened as told.
"""
import argparse
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from docs.demo.stage import BIN, Stage, Trouble  # noqa: E402
from docs.demo.tell import Teller  # noqa: E402
from tests.real.parts import Failed  # noqa: E402

MANDATES = ["1-renewal-4711", "2-outreach-4711", "3-contingency-sourcing", "4-contingency-rfq", "5-refund-desk",
            "6-flash-quote"]
CHECKS = {
    "renewal-4711": ("negotiator", "contract.negotiate", "crm.account/4711", {"amount_eur": 42000}),
    "outreach-4711": ("outreach", "mail.send", "crm.account/4711", {}),
    "contingency-sourcing": ("sourcing", "supplier.contact", "procurement.program/CONT-9", {"amount_eur": 0}),
    "contingency-rfq": ("rfq-writer", "rfq.send", "procurement.program/CONT-9", {"amount_eur": 80000}),
    "refund-desk": ("refunds", "payment.refund", "payments.order/1093", {"amount_eur": 35}),
    "flash-quote": ("quoter", "quote.send", "crm.account/4711", {}),
}


class Demo:
    def __init__(self, stage, teller):
        self.stage, self.tell = stage, teller

    def check(self, mandate, expected):
        agent, action, resource, params = CHECKS[mandate]
        answer = self.stage.check(mandate, agent, action, resource, **params)
        self.tell.check(mandate, agent, action, resource, params, answer)
        if answer["decision"] is not expected:
            raise Trouble("the check under %s answered %s; the story says %s" % (mandate, answer["decision"], expected))

    def program(self, event, sql):
        """The one source that --real replaces: a row in PostgreSQL instead of a record on the topic."""
        if self.stage.real:
            self.tell.sql(sql)
            self.stage.postgres.sql(sql)
        else:
            self.stage.send("erp.public.program", "CONT-9", event)

    def conversation(self, event):
        self.stage.send("crm.conversations", "R-42", event, schema="crm-conversation.avsc")

    def incident(self, event, key="INC-311"):
        self.stage.send("tickets.webhooks", key, event)

    def envelope(self, event):
        self.stage.send("esign.events", "E-7", event, headers=["content-type=application/cloudevents+json"])

    # --- the acts --------------------------------------------------------------------------------------------------
    def facts(self):
        t = self.tell
        t.act("The business says what is so")
        self.program("program-running", "INSERT INTO program VALUES ('CONT-9', 'Contingency sourcing', false, 400000)")
        t.fact("procurement", "Debezium, " + ("Avro by registry" if self.stage.real else "JSON"),
               "program CONT-9 \"Contingency sourcing\" runs, budget 400 000")
        self.conversation("conversation-open")
        t.fact("crm", "Avro, schema file", "conversation R-42 with account 4711 is open")
        self.incident("incident-old", "INC-290")
        t.fact("ticketing", "JSON webhook", "incident INC-290 of service payments is resolved")
        self.envelope("envelope-sent")
        t.fact("esignature", "CloudEvents", "envelope E-7 waits for the CFO's signature")
        self.stage.known("procurement.program", "CONT-9", "cancelled", False)
        self.stage.known("crm.conversation", "R-42", "status", "open")
        self.stage.known("tickets.incident", "INC-290", "status", "resolved")
        self.stage.known("esign.envelope", "E-7", "status", "sent")

    def issue(self):
        self.tell.act("Six mandates: who may do what, and until when")
        for name in MANDATES:
            self.tell.mandate(self.stage.issue(name))
        self.check("flash-quote", True)

    def cascade(self):
        self.tell.act("Procurement cancels the program")
        self.check("contingency-rfq", True)
        self.tell.event("procurement", "program CONT-9: cancelled = true")
        self.program("program-cancelled", "UPDATE program SET cancelled = true WHERE id = 'CONT-9'")
        self.tell.transition(self.stage.transition("contingency-sourcing", "revoked"))
        self.tell.transition(self.stage.transition("contingency-rfq", "cascaded"))
        self.check("contingency-rfq", False)

    def suspension(self):
        self.tell.act("Payments have an incident, and then they do not")
        self.check("refund-desk", True)
        self.tell.event("ticketing", "incident INC-311 of service payments: open, severity 1")
        self.incident("incident-opened")
        self.tell.transition(self.stage.transition("refund-desk", "suspended"))
        self.check("refund-desk", False)
        self.tell.event("ticketing", "incident INC-311: resolved")
        self.incident("incident-resolved")
        self.tell.transition(self.stage.transition("refund-desk", "active"))
        self.check("refund-desk", True)

    def success(self):
        self.tell.act("The renewal is won, and the CFO signs")
        self.tell.event("crm", "conversation R-42: won")
        self.conversation("conversation-won")
        self.tell.transition(self.stage.transition("outreach-4711", "revoked"))
        self.check("renewal-4711", True)
        self.tell.event("esignature", "envelope E-7: signed by the CFO")
        self.envelope("envelope-signed")
        self.tell.transition(self.stage.transition("renewal-4711", "completed"))
        self.check("renewal-4711", False)

    def clock(self):
        self.tell.act("Nothing happens, and time passes")
        self.tell.transition(self.stage.transition("flash-quote", "expired", 20))
        self.check("flash-quote", False)

    def explain(self):
        self.tell.act("Why did it end?")
        self.tell.command("mandatectl mandate explain contingency-sourcing")
        self.stage.show("mandate", "explain", "contingency-sourcing")

    def run(self):
        for act in (self.facts, self.issue, self.cascade, self.suspension, self.success, self.clock, self.explain):
            act()


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description="Business events end mandates, told in the terminal.")
    parser.add_argument("--real", action="store_true", help="PostgreSQL, Debezium, a registry and Apache Kafka")
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    start = time.monotonic()
    tell = Teller()
    stage = Stage(options.real)
    try:
        tell.title()
        stage.open(tell.server)
        tell.server("mandated", "reads %s, serves %s" % (stage.bootstrap, stage.socket))
        Demo(stage, tell).run()
        tell.end(len(stage.told), time.monotonic() - start)
        if options.keep:
            tell.play(stage, BIN)
            signal.pause()
        return 0
    except KeyboardInterrupt:
        return 0 if options.keep else 130
    except Exception as e:  # whatever it is: say it, with what the daemon said, and leave nothing behind
        tell.trouble(e, stage.log_tail())
        if not isinstance(e, (Trouble, Failed)):
            raise
        return 1
    finally:
        stage.close()


if __name__ == "__main__":
    sys.exit(main())
