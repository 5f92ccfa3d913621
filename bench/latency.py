# SPDX-License-Identifier: Apache-2.0
"""How soon a revocation can be read, for bench/e2e.py: the generator (`mandate-bench latency`) beside broker and daemon, in open loop.

Beside what mandated takes stands what relays take in the same moments, a bare one and one that syncs a file first (bench/latency.h), and what each process had of
the cores, the broker's pauses for its garbage and the daemon's syncs: who judges the figure needs to know whose it is.
"""
import os
import pathlib
import re
import resource
import time

WARM_S = 8
TOOK = ("step", "commit", "sync")
PROBES, PROBE_S, PROBE_MARKERS = 8, 4, 20
MANDATES_MIN = PROBES * PROBE_MARKERS + 30
SUSTAINED_P50_MS = 200  # no queue grows: one of a tenth too much would make the median of four seconds some 200 ms
TOPICS = {"relay.in": 1, "relay.out": 1}
PAUSE = re.compile(r"\[([0-9.]+)s\].*Pause.* ([0-9.]+)ms$", re.M)


def spread(before, after):
    """Of what was added between two looks at a histogram: how many, and the bounds of their buckets."""
    added = [(bound, n - m) for (_, m), (bound, n) in zip(before, after)]
    count = added[-1][1]
    at = {name: next(bound for bound, n in added if n >= count * share) for name, share in (("p50", .5), ("p99", .99), ("max", 1))}
    return dict({"count": count}, **{k + "_ms": v if v != float("inf") else None for k, v in at.items()})


def gc_log(folder):
    """A JVM's options: what Loads reads."""
    return ["-Xlog:gc:file=%s:uptime" % os.path.join(folder, "gc.log")]


def cpu_s(pid):
    """Seconds on a CPU so far, by thread."""
    out = {}
    for task in pathlib.Path("/proc/%d/task" % pid).iterdir():
        try:
            name = (task / "comm").read_text().strip().rstrip("0123456789")
            out[name] = out.get(name, 0) + int((task / "schedstat").read_text().split()[0]) / 1e9
        except OSError:
            pass  # it ended meanwhile
    return out


def machine_s():
    """(busy, all) seconds of all CPUs so far."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = [int(x) for x in f.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK"), sum(ticks) / os.sysconf("SC_CLK_TCK")


class Loads:
    """Open loops of the generator beside the daemon, each with mandates of its own to end."""

    def __init__(self, bench, say, kafka, daemon, folder, options):
        self.bench, self.say, self.kafka, self.daemon, self.options = bench, say, kafka, daemon, options
        self.gc_log, self.file, self.first = os.path.join(folder, "gc.log"), os.path.join(folder, "relay.file"), 0

    def _pauses(self):
        with open(self.gc_log, encoding="utf-8") as f:
            return [float(ms) for _, ms in PAUSE.findall(f.read())]

    def _histogram(self, name):
        """[(upper bound in ms, how many up to it)]"""
        text = self.daemon.text()
        return [(float(le) * 1e3, int(n)) for le, n in re.findall(r'^mandated_%s_seconds_bucket\{le="([^"]+)"\} (\d+)$' % name, text, re.M)]

    def _now(self):
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"at": time.monotonic(), "broker": sum(cpu_s(self.kafka.process.child.pid).values()),
                "daemon": cpu_s(self.daemon.process.child.pid), "generator": children.ru_utime + children.ru_stime,
                "machine": machine_s(), "pauses": len(self._pauses()), "took": {name: self._histogram(name) for name in TOOK}}

    def run(self, rate, seconds, markers, **more):
        first, self.first = self.first, self.first + markers
        self.say(record="load", **more)
        before = self._now()
        r = self.bench("latency", "--servers", self.kafka.servers, "--rate", str(int(rate)), "--seconds", str(seconds), "--markers", str(markers),
                       "--first", str(first), "--relay-file", self.file, *self.options)
        after = self._now()
        took = after["at"] - before["at"]
        busy, total = (a - b for a, b in zip(after["machine"], before["machine"]))
        pauses = self._pauses()[before["pauses"]:]
        cores = {k: round((after[k] - before[k]) / took, 2) for k in ("broker", "generator")}
        threads = {k: round((v - before["daemon"].get(k, 0)) / took, 3) for k, v in after["daemon"].items()}
        self.say(record="beside", cores=dict(cores, mandated=round(sum(threads.values()), 2)), idle=round(1 - busy / total, 3),
                 mandated_threads={k: v for k, v in sorted(threads.items(), key=lambda e: -e[1]) if v >= 0.005},
                 broker_pauses=len(pauses), broker_pause_ms_max=max(pauses, default=0.0), broker_pause_ms_sum=round(sum(pauses), 1),
                 **{name: spread(before["took"][name], after["took"][name]) for name in TOOK})
        return r

    def holds(self, rate):
        r = self.run(rate, PROBE_S, PROBE_MARKERS, probe=True)
        return r["read"] == r["markers"] and r["due_to_readable_ms"]["p50"] <= SUSTAINED_P50_MS

    def sustained(self, drained):
        """The highest rate that generator, broker, daemon and reader keep up with together, by search."""
        low, high = 0, None
        probe = drained / 10
        for _ in range(PROBES):
            if self.holds(probe):
                low = probe
            else:
                high = probe
            probe = (low + high) / 2 if high else low * 1.5
        return low

    def at(self, rates, seconds, mandates):
        self.run(rates[0], WARM_S, PROBE_MARKERS, probe=True)  # until the broker's code is compiled
        for rate in rates:
            self.run(rate, seconds, (mandates - PROBE_MARKERS) // len(rates))

    def shares(self, drained, mandates):
        """At a tenth, half and four fifths of what the four can sustain together."""
        rate = self.sustained(drained)
        self.say(record="sustained", per_second=round(rate), share_of_drained=round(rate / drained, 3))
        if not rate:
            raise SystemExit("a tenth of the rate at which a backlog is read is already too much for these cores")
        for share in (0.1, 0.5, 0.8):
            self.run(rate * share, 10, (mandates - PROBES * PROBE_MARKERS) // 3, share=share)
