#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libmandate as somebody else gets it: installed into an empty folder and used from there.

    library.py BUILD CC CXX [FLAGS...]

Headers compile alone in C and C++; what can be seen of both libraries is what the headers declare; the program in
docs/embedding.md prints what the page says, linked with the shared and with the static one, in C and in C++.
Prints "ok   name" or "FAIL name" a test.
"""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD, CC, CXX, FLAGS = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]
failed = 0


def report(name, good, why=""):
    global failed
    failed += not good
    print("%s %s" % ("ok  " if good else "FAIL", name), flush=True)
    if not good and why:
        print("       " + why.strip().replace("\n", "\n       "), flush=True)


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], text=True, capture_output=True, **more)


def headers(prefix):
    folder = os.path.join(prefix, "include", "mandate")
    names = sorted(os.listdir(folder))
    report("all public headers are installed", names == sorted(n for n in os.listdir(ROOT + "/include/mandate") if n.endswith(".h")))
    for name in names:
        for compiler, standard, suffix in ((CC, "c17", "c"), (CXX, "c++17", "cc")):
            path = os.path.join(prefix, "alone." + suffix)
            open(path, "w").write("#include <mandate/%s>\n#include <mandate/%s>\nint main(void) { return 0; }\n" % (name, name))
            done = run(compiler, "-std=" + standard, *STRICT, "-I", prefix + "/include", "-fsyntax-only", path)
            report("%s compiles alone as %s" % (name, standard), done.returncode == 0, done.stderr)
    return [open(os.path.join(folder, n), encoding="utf-8").read() for n in names]


def declared(texts):
    names = set()
    for text in texts:
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        text = re.sub(r"^#(?:.*\\\n)*.*$", "", text, flags=re.M)
        for part in re.findall(r"MANDATE_API\b(.*?);", text, re.S):
            names.add(re.search(r"\b(mandate_\w+)\s*\(", part).group(1))
    return names


def symbols(lib, texts):
    wanted = declared(texts)
    report("the headers declare functions", len(wanted) > 60, str(len(wanted)))
    for name, argv in (("libmandate.so", ("nm", "-D", "--defined-only")), ("libmandate.a", ("nm", "-g", "--defined-only"))):
        listed = run(*argv, os.path.join(lib, name)).stdout
        seen = {line.split()[2] for line in listed.splitlines() if len(line.split()) == 3 and line.split()[1] in "TDBRVWu"}
        seen = {s for s in seen if not re.match(r"__(asan|ubsan|odr|gcov)|_?_?_odr_asan", s)}
        report(name + " shows what the headers declare, and nothing else", seen == wanted,
               "missing: %s\ntoo many: %s" % (sorted(wanted - seen), sorted(seen - wanted)))
    needed = run("objdump", "-p", os.path.join(lib, "libmandate.so")).stdout
    report("the shared library carries its name", "SONAME               libmandate.so.0" in needed, needed)


def example(prefix, lib, env):
    page = open(os.path.join(ROOT, "docs", "embedding.md"), encoding="utf-8").read()
    source = re.search(r"^```c\n(.*?)^```", page, re.S | re.M).group(1)
    shown = re.search(r"^```text\n(.*?)^```", page, re.S | re.M).group(1)
    flags = run("pkg-config", "--cflags", "mandate", env=env).stdout.split()
    shared = run("pkg-config", "--libs", "mandate", env=env).stdout.split()
    static = [f for f in run("pkg-config", "--libs", "--static", "mandate", env=env).stdout.split()]
    report("pkg-config knows mandate", bool(shared and static))
    static = [os.path.join(lib, "libmandate.a") if f == "-lmandate" else f for f in static]
    for compiler, standard, suffix in ((CC, "c17", "c"), (CXX, "c++17", "cc")):
        path = os.path.join(prefix, "example." + suffix)
        open(path, "w").write(source)
        for way, libs in (("shared", shared), ("static", static)):
            out = os.path.join(prefix, "example-%s-%s" % (suffix, way))
            done = run(compiler, "-std=" + standard, *STRICT, *FLAGS, *flags, path, "-o", out, *libs)
            if done.returncode == 0:
                done = run(out, env=dict(env, LD_LIBRARY_PATH=lib))
            report("the program of docs/embedding.md, %s, %s" % (standard, way), done.returncode == 0 and done.stdout == shown,
                   done.stderr + done.stdout)
            if way == "static" and done.returncode == 0:
                report("it needs no libmandate.so", "libmandate" not in run("ldd", out).stdout)


def main():
    with tempfile.TemporaryDirectory(prefix="libmandate-") as prefix:
        done = run("cmake", "--install", BUILD, "--component", "library", "--prefix", prefix)
        report("it installs", done.returncode == 0, done.stderr)
        found = [d for d, _, files in os.walk(prefix) if "mandate.pc" in files]
        if done.returncode or not found:
            return 1
        lib = os.path.dirname(found[0])
        env = dict(os.environ, PKG_CONFIG_PATH=found[0])
        texts = headers(prefix)
        symbols(lib, texts)
        example(prefix, lib, env)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
