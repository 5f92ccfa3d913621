# SPDX-License-Identifier: Apache-2.0
"""Real servers by hand: python3 -m tests.real kafka [registry] [-- command ...]

Starts them in a temporary folder, runs the command with KAFKA_SERVERS and REGISTRY_URL set and {kafka}, {registry} in
its arguments replaced, stops them, and exits as the command did. Without a command it prints where they listen and waits
for Ctrl-C.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from tests.real import artifacts
from tests.real.kafka import Kafka
from tests.real.registry import Registry


def main(argv):
    command = argv[argv.index("--") + 1:] if "--" in argv else []
    wanted = argv[:argv.index("--")] if "--" in argv else argv
    if wanted == ["fetch"]:
        artifacts.fetch_all()
        return 0
    makers = {"kafka": Kafka, "registry": Registry}
    if not wanted or any(w not in makers for w in wanted):
        print(__doc__, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp(prefix="mandated-real-")
    servers = {}
    try:
        for w in wanted:
            servers[w] = makers[w](os.path.join(folder, w))
            servers[w].start()
        where = {"kafka": servers["kafka"].servers if "kafka" in servers else "",
                 "registry": servers["registry"].url if "registry" in servers else ""}
        env = dict(os.environ, KAFKA_SERVERS=where["kafka"], REGISTRY_URL=where["registry"])
        if command:
            return subprocess.call([c.replace("{kafka}", where["kafka"]).replace("{registry}", where["registry"])
                                    for c in command], env=env)
        for w in wanted:
            print("%s: %s" % (w, where[w]), flush=True)
        signal.pause()
        return 0
    except KeyboardInterrupt:
        return 130
    finally:
        for s in servers.values():
            s.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
