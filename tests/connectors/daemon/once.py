#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is done once is permitted once, whatever is killed in between; and one caller's keys leave room for another's.

    once.py BIN
"""
import sys
import threading
import time

from rig import Rig, finish, report

KINDS = "kinds: [{actions: [pay], reversibility: external_commitment, mode: synchronous, max_staleness: 30s, once: true}]\n"


def pay(r, key, amount=1):
    answer = r.check("pay", properties={"parameters": {"eur": amount}, "idempotency_key": key}, mandate="m")[1]
    return answer["decision"], answer["context"]["reason"]


def killed(bin_dir):
    with Rig(bin_dir, "check: {kinds: kinds.yaml}\n", {"kinds.yaml": KINDS}) as r:
        r.start()
        r.issue("m")
        report("the first is permitted", pay(r, "k-1") == (True, "ok"))
        report("and no second", pay(r, "k-1") == (False, "duplicate_suppressed"))
        report("nor anything else under its key", pay(r, "k-1", 2) == (False, "idempotency_conflict"))
        r.again()
        report("nor after a kill", pay(r, "k-1") == (False, "duplicate_suppressed"), pay(r, "k-1"))
        report("nor anything else under its key then", pay(r, "k-1", 2) == (False, "idempotency_conflict"), pay(r, "k-1", 2))
        report("another key is another", pay(r, "k-2") == (True, "ok"))
        # Killed in the midst of it, again and again: no key is ever permitted twice, whoever heard of it.
        heard, turns = {}, 6
        for turn in range(turns):
            keys = ["t%d-%d" % (turn, i) for i in range(200)]

            def ask(part):
                for key in keys[part::4]:
                    try:
                        heard.setdefault(key, []).append(pay(r, key)[0])
                    except Exception:  # it was killed
                        return
            clients = [threading.Thread(target=ask, args=(part,)) for part in range(4)]
            for c in clients:
                c.start()
            while sum(k in heard for k in keys) < 10 * (turn + 1):
                time.sleep(0.005)
            r.kill()
            for c in clients:
                c.join()
            r.start()
        permitted = [k for k, v in heard.items() if v == [True]]
        again = [k for k in permitted if pay(r, k)[0]]
        report("of %d that were permitted around %d kills none is again" % (len(permitted), turns), len(permitted) > 20 and not again,
               (len(permitted), again[:5]))
        # What was committed and not heard of is not permitted either; what was not committed is, once.
        recorded = [e for e in r.entries("checked") if e["detail"]["answer"]["decision"]]
        rest = ["t%d-%d" % (turn, i) for turn in range(turns) for i in range(200) if "t%d-%d" % (turn, i) not in permitted]
        later = [k for k in rest if pay(r, k)[0]]
        report("what was recorded and never heard of stays permitted once", len(later) + len(recorded) - 2 == turns * 200,
               (len(later), len(recorded), len(rest)))
        r.stop()


killed(sys.argv[1])
finish()
