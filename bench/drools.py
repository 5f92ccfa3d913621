#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes build/bench/drools, the program that mandate-bench takes as --drools: Drools' jars by Maven, our part compiled by the compiler
among them.

    python3 -m bench.drools

Says what is missing (exit 1) where there is no Java or Maven.
"""
import glob
import os
import shutil
import subprocess
import sys

from tests.real import artifacts
from tests.real.parts import ROOT, Failed

HERE = os.path.join(ROOT, "bench", "peers", "drools")
OUT = os.path.join(ROOT, "build", "bench")
# A young generation that a run fits into, and one thread that collects: the least CPU time.
JAVA = "java -Xms1g -Xmx4g -Xmn640m -XX:+UseSerialGC -XX:-UseDynamicNumberOfCompilerThreads"


def main():
    missing = [tool for tool in ("java", "mvn") if not shutil.which(tool)]
    if missing:
        sys.exit("%s is not here" % " and ".join(missing))
    jars, classes = os.path.join(OUT, "drools-jars"), os.path.join(OUT, "drools-classes")
    try:
        artifacts.fetch(os.path.join(HERE, "pom.xml"), jars)
    except Failed as e:
        sys.exit(str(e))
    sources = sorted(glob.glob(os.path.join(HERE, "*.java")))
    subprocess.run(["java", "-cp", os.path.join(jars, "*"), "org.eclipse.jdt.internal.compiler.batch.Main", "-17", "-nowarn", "-proc:none",
                    "-cp", os.pathsep.join(sorted(glob.glob(os.path.join(jars, "*.jar")))), "-d", classes, *sources], check=True)
    program = os.path.join(OUT, "drools")
    with open(program + ".new", "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\nexec %s -cp '%s:%s' peer.Peer '%s' \"$@\"\n" % (JAVA, classes, os.path.join(jars, "*"), HERE))
    os.chmod(program + ".new", 0o755)
    os.replace(program + ".new", program)


if __name__ == "__main__":
    main()
