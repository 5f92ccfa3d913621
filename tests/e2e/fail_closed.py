# SPDX-License-Identifier: Apache-2.0
"""The table of test_fail_closed: faults x operations, and what each cell answers. docs/security.md shows it (tests/docs/docs.py
compares them); `python3 -m tests.e2e.fail_closed` prints it as it stands there. A row without a test, or a test without its row, fails.

An answer is one of
  yes              a check permits, and the committed state proves it
  no: REASON       a check denies, with this reason; a search finds nothing; a status list does not say "valid"
  done, suspended  done and committed, and what it made or changed is suspended: no check permits it
  done             done and committed: it is there after a kill
  done, unsigned: 503  the answer says that it is done and has no token yet: it is there after a kill
  refused: STATUS  answered with this HTTP status, and nothing was done, also after a kill
  open: 503        not answered in time, and the answer says so: it is there whole or not at all
  ends: 70         the process ends with this code, and until then checks answer from what is committed; what was not answered is
                   there whole or not at all
  down: CODE       the process does not start, and says why; nobody is answered
"""
from collections import namedtuple

# Those that only read are asked of one daemon, one after the other; each of the others has its own.
READS = ("check", "feed", "search", "status_list")
COMMANDS = ("issue", "delegate", "amend", "spend")
OPERATIONS = READS + COMMANDS

Row = namedtuple("Row", ("fault", "means") + OPERATIONS)


def row(fault, means, check, issue, delegate=None, amend=None, spend=None, **more):
    """A feed answers, a search finds and a status list says what a check answers, and commands are answered as the issuance is,
    where nothing else is said."""
    reads = {"feed": check, "search": "no: nothing found" if check.startswith("no") else check,
             "status_list": check if not check.startswith("no") else "no: 503"}
    commands = {"delegate": delegate or issue, "amend": amend or issue, "spend": spend or issue}
    return Row(fault=fault, means=means, check=check, issue=issue, **dict(reads, **commands, **more))


ROWS = [
    row("Kafka away", "no broker answers", "yes", "done"),
    row("source silent", "`max_silence` passed; the mandate says `on_unknown: suspend`", "no: mandate_inactive", "done, suspended",
        "refused: 409", "done, suspended", "refused: 409", status_list="no: suspended"),
    row("database read-only", "`EROFS` on every write below `data_dir`", "ends: 70", "ends: 70"),
    row("disk full", "`ENOSPC` on every write below `data_dir`", "ends: 70", "ends: 70"),
    row("disk full at the start", "the same, from the start on", "down: 70", "down: 70"),
    row("audit not writable", "`EROFS` on the checkpoint's file for longer than `audit.max_unsigned`", "no: audit_unavailable",
        "refused: 503"),
    row("signer away", "keys do not sign, for longer than `audit.max_unsigned`", "no: audit_unavailable", "refused: 503"),
    row("signing fails", "keys do not sign, from a moment ago on", "yes", "done, unsigned: 503", spend="done",
        status_list="no: 503"),
    row("signer process away", "`signing.signer` was killed", "yes", "refused: 503", spend="done", status_list="no: 503"),
    row("log's signer away", "`audit.signer` was killed, for longer than `audit.max_unsigned`", "no: audit_unavailable", "refused: 503"),
    row("signing key unreadable", "the file is readable by others, at the start", "down: 1", "down: 1"),
    row("clock set forward", "by an hour, beyond `expires_at`", "no: expired", "refused: 400", "refused: 409", "refused: 409",
        "refused: 409", status_list="no: ended"),
    row("clock set back", "by an hour, before `expires_at` by the wall clock, after it by time since boot", "no: expired", "done",
        "refused: 409", "refused: 409", "refused: 409", status_list="no: ended"),
    row("clock unsynchronised", "the kernel says so; `clock.require_synchronised` is set", "no: clock_unsynchronised", "refused: 503"),
    row("process stopped", "`SIGSTOP` until after `expires_at`", "no: expired", "done", "refused: 409", "refused: 409", "refused: 409",
        status_list="no: ended"),
    row("engine lagging", "a commit hangs for longer than `check.max_staleness`", "no: stale_state", "open: 503"),
    row("memory exhausted", "every allocation fails", "ends: 70", "ends: 70"),
    row("memory exhausted for what is large", "allocations of 16 KiB and more fail", "ends: 70", "ends: 70"),
]


def markdown():
    out = ["| fault | is | %s |" % " | ".join(o.replace("_", " ") for o in OPERATIONS), "|---" * (len(OPERATIONS) + 2) + "|"]
    out += ["| %s | %s | %s |" % (r.fault, r.means, " | ".join("`%s`" % getattr(r, o) for o in OPERATIONS)) for r in ROWS]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
