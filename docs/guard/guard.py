#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The guard of guard.c in Python: signatures are verified by mandatectl, the topic is followed here.

    mandatectl topic tail --json --from-beginning | guard.py JWKS ISSUER AUDIENCE CHAIN ACTION RESOURCE [SAID]...

SAID is what is known of the act: properties={"amount_eur":9}, resource_properties={"region":"eu"}, context={}.
Prints a line whenever the answer changes; the last answer is the exit code, 0 or 3. Whatever is not known is no.
"""
import base64
import datetime
import json
import os
import select
import subprocess
import sys

SILENCE = datetime.timedelta(seconds=15)


def verify(jwks, issuer, audience, chain, action, resource, said):
    """None, or why not. Asked every time: an expiry passes without an event."""
    done = subprocess.run(["mandatectl", "mandate", "verify", "--jwks", jwks, "--issuer", issuer, "--audience", audience,
                           "--action", action, "--resource", resource, *("--" + name.replace("_", "-") + "=" + text for name, text in said)], input=chain, text=True, capture_output=True)
    return None if done.returncode == 0 else done.stderr.strip() or done.stdout.strip() or "not verified"


class Feed:
    def __init__(self, issuer, ids):
        self.issuer, self.ids, self.said, self.complete, self.broken = issuer, ids, dict.fromkeys(ids), {}, False

    def take(self, line):
        try:
            record = json.loads(line)
            value, partition = record["value"], record["partition"]
            if value["issuer"] != self.issuer:
                return
            if "watermark" in value:
                self.complete[partition] = datetime.datetime.fromisoformat(value["watermark"]["complete_up_to"].replace("Z", "+00:00"))
            elif value["mandate"] in self.said:
                before, claims = self.said[value["mandate"]], value["claims_version"]
                if before is None or value["version"] > before[0]:
                    self.said[value["mandate"]] = (value["version"], partition, value["state"] == "active", claims)
        except (ValueError, KeyError, TypeError):
            self.broken = True  # what it would have said is not known

    def refusal(self):
        if self.broken:
            return "the topic has a record that this program cannot read"
        now = datetime.datetime.now(datetime.timezone.utc)
        for ident, said in self.said.items():
            if said is None:
                return "mandate %s has not been heard of" % ident
            if not said[2]:
                return "mandate %s is not active" % ident
            if said[3] > self.ids[ident]:
                return "mandate %s was amended: fetch its token again" % ident
            if said[1] not in self.complete or self.complete[said[1]] + SILENCE <= now:
                return "mandate %s may have ended: no heartbeat" % ident
        return None


def identity(token):
    """The mandate's id and the version of its claims; only of a token whose signature has been verified. Disclosures follow behind "~"."""
    body = token.split("~")[0].split(".")[1]
    payload = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return payload["jti"], payload.get("version", 1)


def main():
    jwks, issuer, audience, path, action, resource, *said = sys.argv[1:]
    said = [s.split("=", 1) for s in said]
    chain = open(path, encoding="utf-8").read()
    why = verify(jwks, issuer, audience, chain, action, resource, said)
    if why:
        print("denied: " + why)
        return 3
    feed, before, rest, is_open = Feed(issuer, dict(identity(t) for t in chain.split())), "?", b"", True
    while True:
        if select.select([0], [], [], 0.2)[0]:
            data = os.read(0, 1 << 20)
            is_open, lines = bool(data), (rest + data).split(b"\n")
            rest = lines.pop()
            for line in lines:
                feed.take(line)
            if is_open and select.select([0], [], [], 0)[0]:
                continue  # there is more: what was true in between is past
            feed.broken = feed.broken or (not is_open and bool(rest))
        why = feed.refusal() or verify(jwks, issuer, audience, chain, action, resource, said)
        if why != before:
            print("denied: " + why if why else "permitted", flush=True)
            before = why
        if not is_open:
            return 3 if why else 0


if __name__ == "__main__":
    sys.exit(main())
