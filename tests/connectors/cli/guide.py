#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Manual pages, completion and the systemd unit, as they are installed.

    guide.py BUILD [sanitized]

Every command and every option that --help and a command's --help name is in the manual page and completed by the script;
every key of the configuration is in mandated.yaml(5). Pages are formatted with all warnings where groff is, the unit is
judged by systemd-analyze where that is, and a daemon is run under what the unit forbids it: memory that is both
written and run, and every system call outside its filter (by what strace saw). Prints "ok   name", "FAIL name" or "skip name" a test.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(sys.argv[1])
MOST_EXPOSED = 2.0  # of systemd-analyze security: 0 is none, 10 all
failed = 0


def report(name, good, why=""):
    global failed
    failed += not good
    print("%s %s" % ("ok  " if good else "FAIL", name), flush=True)
    if not good and why:
        print("       " + why.strip().replace("\n", "\n       "), flush=True)


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], text=True, capture_output=True, **more)


def found(prefix, name):
    places = [os.path.join(d, name) for d, _, files in os.walk(prefix) if name in files and not d.endswith("/bin")]
    report(name + " is installed once", len(places) == 1, str(places))
    return places[0] if places else sys.exit(1)


def table(ctl):
    """(group, command) -> options, from what the program says of itself."""
    rows = {}
    for group, name in re.findall(r"^  ([a-z]+) +([a-z]+) +\S", run(ctl, "--help").stdout.split("Every command takes")[0], re.M):
        usage = run(ctl, group, name, "--help").stdout
        rows[group, name] = set(re.findall(r"--[a-z][a-z-]*", usage.splitlines()[0])) | {"--json", "--socket", "--url", "--token-file", "--tls-ca", "--tls-certificate", "--tls-key", "--help"}
    return rows


def plain(page):
    return page.replace("\\-", "-").replace("\\(aq", "'").replace("\\fB", "").replace("\\fR", "")


def pages(prefix, rows, daemon, mandatectl):
    ctl = found(prefix, "mandatectl.1")
    text = plain(open(ctl, encoding="utf-8").read())
    for (group, name), options in sorted(rows.items()):
        term = re.search(r"^\.TP\n%s %s( .*)?$" % (group, name), text, re.M)
        missing = [o for o in options if o not in (term.group(0) if term else "") and not re.search(r"^" + o + r"\b", text, re.M)]
        report("mandatectl(1) has %s %s with its options" % (group, name), term and not missing, str(missing))
        power = re.search(r"^the power .*: (\S+)$", run(mandatectl, group, name, "--help").stdout, re.M)
        report("%s %s says which power it takes, if any" % (group, name), power is None or power.group(1) != "none")
    yaml = found(prefix, "mandated.yaml.5")
    text = plain(open(yaml, encoding="utf-8").read())
    keys = re.findall(r"^([a-z_.]+)  \(", run(daemon, "--help-config").stdout, re.M)
    missing = [k for k in keys if "\n.TP\n%s (" % k not in text]
    report("mandated.yaml(5) has every key", len(keys) > 30 and not missing, str(missing))
    run_page = found(prefix, "mandated.8")
    text = plain(open(run_page, encoding="utf-8").read())
    words = re.findall(r"^  mandated (\S+)", run(daemon, "--help").stdout, re.M)
    missing = [w for w in words if "\n.TP\nmandated " + w not in text]
    report("mandated(8) has every command", len(words) > 5 and not missing, str(missing))
    for page in (ctl, yaml, run_page):
        name = os.path.basename(page)
        if shutil.which("groff"):
            done = run("groff", "-man", "-Tutf8", "-ww", "-K", "utf8", "-P", "-cbou", page)
            report(name + " is formatted without a warning", done.returncode == 0 and not done.stderr, done.stderr)
            shown = done.stdout
            report(name + " shows its name and no macro", "NAME" in shown and not re.search(r"^\.[A-Z]|\\f[BR]", shown, re.M), shown[:400])
        else:
            print("skip %s is formatted without a warning: no groff" % name)


def completion(prefix, rows):
    script = found(prefix, "mandatectl")

    def ask(*words):
        done = run("bash", "--norc", "-c", 'source "$1" && shift && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && _mandatectl && '
                   'printf "%s\\n" "${COMPREPLY[@]}"', "bash", script, "mandatectl", *words)
        if done.returncode or done.stderr:
            return {"!" + done.stderr}
        return set(done.stdout.split())

    groups = {g for g, _ in rows}
    report("groups are completed", groups < ask("") and ask("connec") == {"connector"}, str(ask("")))
    for group in sorted(groups):
        report("commands of %s are completed" % group, ask(group, "") == {n for g, n in rows if g == group}, str(ask(group, "")))
    for (group, name), options in sorted(rows.items()):
        report("options of %s %s are completed" % (group, name), ask(group, name, "x", "-") == options, str(ask(group, name, "x", "-")))
    report("a beginning completes to what begins so", ask("topic", "tail", "--de") == {"--decode"}, str(ask("topic", "tail", "--de")))
    report("what is no group completes to nothing", ask("$(id)", "") == set() and ask("mandate", "$(id)", "--") == set())
    shown = run("bash", "--norc", "-c", 'source "$1" && complete -p mandatectl', "bash", script)
    report("bash knows it", "-F _mandatectl" in shown.stdout, shown.stderr)


def unit(prefix, scratch):
    path = found(prefix, "mandated.service")
    found(prefix, "mandated.conf")
    text = open(path, encoding="utf-8").read()
    programs = re.findall(r"^ExecStart(?:Pre)?=(\S+)", text, re.M)
    report("the unit starts an installed program", len(programs) == 2 and all(p.endswith("/bin/mandated") for p in programs), text)
    if not shutil.which("systemd-analyze"):
        print("skip the unit verifies: no systemd-analyze")
        return
    # The prefix of the build is not where this copy is installed.
    here = os.path.join(scratch, "mandated.service")
    open(here, "w").write(text.replace(programs[0], os.path.join(prefix, "bin", "mandated")))
    done = run("systemd-analyze", "verify", "--man=no", here)
    complaints = [l for l in done.stderr.splitlines() if "mandated" in l]
    report("the unit verifies", done.returncode == 0 and not complaints, done.stderr)
    open(here, "a").write("[Service]\nNoSuchKeyAtAll=1\n")
    done = run("systemd-analyze", "verify", "--man=no", here)
    report("a wrong key would be found", "NoSuchKeyAtAll" in done.stderr, done.stderr)
    open(here, "w").write(text)
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", here)
    level = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    report("its exposure is at most %.1f" % MOST_EXPOSED, level and float(level.group(1)) <= MOST_EXPOSED, done.stdout + done.stderr)
    if level:
        print("     exposure %s" % level.group(1))


NO_CODE_IN_DATA = """import ctypes, os, sys
PR_SET_MDWE = 65
if ctypes.CDLL(None).prctl(PR_SET_MDWE, 1, 0, 0, 0) != 0:
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
"""


def call_groups():
    """Of systemd's named sets of system calls: name -> members, some of which are sets again."""
    groups, name = {}, None
    for line in run("systemd-analyze", "syscall-filter", "--no-pager", env=dict(os.environ, SYSTEMD_COLORS="0")).stdout.splitlines():
        if line.startswith("@"):
            name = line.strip()
            groups[name] = []
        elif line.startswith(" ") and not line.strip().startswith("#"):
            groups[name].append(line.strip())
    return groups


def members(groups, name):
    return set().union(*(members(groups, m) if m.startswith("@") else {m} for m in groups[name]))


def live(scratch, prefix, under):
    """A daemon below the command `under`, started, asked, told to reload and to stop: its exit code."""
    folder = tempfile.mkdtemp(dir=scratch)
    config = os.path.join(folder, "mandated.yaml")
    open(config, "w").write("issuer: https://mandates.example\ndata_dir: data\nkafka: {embedded: true}\n")
    ctl = [os.path.join(prefix, "bin", "mandatectl"), "mandate", "list", "--socket", os.path.join(folder, "data", "mandated.sock")]
    wrapped = subprocess.Popen([*under, os.path.join(prefix, "bin", "mandated"), "--config", config], cwd=folder, text=True,
                               stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while wrapped.poll() is None and run(*ctl).returncode != 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    served = wrapped.poll() is None and run(*ctl).returncode == 0
    try:
        below = open("/proc/%d/task/%d/children" % (wrapped.pid, wrapped.pid)).read().split()
    except OSError:
        below = []
    for number in (signal.SIGHUP, signal.SIGTERM):
        if wrapped.poll() is None:
            os.kill(int(below[0]) if below else wrapped.pid, number)
            time.sleep(0.5)
    try:
        log = wrapped.communicate(timeout=60)[1]
    except subprocess.TimeoutExpired:
        wrapped.kill()
        log = wrapped.communicate()[1]
    return wrapped.returncode, served and '"message":"stopped"' in log, log


def confined(prefix, scratch):
    code, good, log = live(scratch, prefix, [sys.executable, "-c", NO_CODE_IN_DATA])
    if code == 77:
        print("skip it runs with MemoryDenyWriteExecute: this kernel has no PR_SET_MDWE")
    else:
        report("it runs with MemoryDenyWriteExecute", code == 0 and good, log)
    if "sanitized" in sys.argv or not shutil.which("strace") or not shutil.which("systemd-analyze"):
        print("skip its system calls are within its filter: a sanitizer has its own, or no strace or systemd-analyze")
        return
    trace = os.path.join(scratch, "trace")
    code, good, log = live(scratch, prefix, ["strace", "-f", "-qq", "-e", "signal=none", "-o", trace])
    if not good and "ptrace" in log:
        print("skip its system calls are within its filter: tracing is not allowed here")
        return
    groups = call_groups()
    allowed = members(groups, "@system-service") - members(groups, "@privileged")
    seen = set(re.findall(r"^\d+ +(\w+)\(", open(trace, errors="replace").read(), re.M))
    report("its system calls are within its filter", code == 0 and good and len(seen) > 40 and "accept4" in seen and not seen - allowed,
           "%s\n%s" % (sorted(seen - allowed), log))


def main():
    with tempfile.TemporaryDirectory(prefix="mandated-guide-") as scratch:
        prefix = os.path.join(scratch, "usr")
        done = run("cmake", "--install", BUILD, "--component", "programs", "--prefix", prefix)
        report("it installs", done.returncode == 0, done.stderr)
        if done.returncode:
            return 1
        rows = table(os.path.join(prefix, "bin", "mandatectl"))
        report("there are commands", len(rows) > 30, str(rows))
        pages(prefix, rows, os.path.join(prefix, "bin", "mandated"), os.path.join(prefix, "bin", "mandatectl"))
        completion(prefix, rows)
        unit(prefix, scratch)
        confined(prefix, scratch)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
