# SPDX-License-Identifier: Apache-2.0
"""Jars of the real servers, by Maven from the pom files beside this one, kept under build/real/.

A folder is complete when its stamp holds the hash of its pom; anything else is fetched again. Maven is asked offline
first, so that a machine that has fetched them once needs no network.
"""
import glob
import hashlib
import os
import shutil
import subprocess
import tarfile

from tests.real.parts import ROOT, Failed

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.path.join(ROOT, "build", "real")
COPY = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"


def _maven(pom, out, offline):
    argv = ["mvn", "-B", "-q", "-f", pom, COPY, "-DoutputDirectory=" + out, "-DincludeScope=runtime"]
    return subprocess.run(argv + (["-o"] if offline else []), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)


def fetch(pom, out):
    """Folder `out` with the jars of a pom file."""
    stamp = os.path.join(out, ".complete")
    with open(pom, "rb") as f:
        want = hashlib.sha256(f.read()).hexdigest()
    if os.path.exists(stamp) and open(stamp).read() == want:
        return out
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(os.path.dirname(out), exist_ok=True)
    for attempt, offline in enumerate([True, False, False]):
        done = _maven(pom, out, offline)
        if done.returncode == 0:
            break
    else:
        raise Failed("Maven could not fetch what %s lists:\n%s" % (os.path.basename(pom), done.stdout[-3000:]))
    for archive in glob.glob(os.path.join(out, "*.tar.gz")):
        with tarfile.open(archive) as tar:
            tar.extractall(out)
        os.unlink(archive)
    with open(stamp, "w") as f:
        f.write(want)
    return out


def folder(name):
    """Folder with the jars of pom-<name>.xml."""
    return fetch(os.path.join(HERE, "pom-%s.xml" % name), os.path.join(CACHE, name))


def fetch_all():
    for name in ("kafka", "kafka39", "registry", "connect"):
        folder(name)
