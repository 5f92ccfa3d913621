#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Examples in the documentation are tests.

    docs.py BIN

README.md: its connector file passes `connector check`, its mandate is accepted by a running daemon that has this connector.
docs/mandates.md: its mandates are accepted one after the other, its commands do what they say, in one folder.
docs/definitions.md: its commands do what they say, in the same folder.
docs/checks.md: likewise, and its rules of kinds are in the daemon's configuration.
docs/conditions.md: every line of a ```cel block is accepted as a `while`; the errors that it shows are what the daemon says;
its ```console sessions print what they show; its table of costs is that of the code.
docs/operating.md: its configuration checks, its commands run, every metric is in its table and the reverse, and what its backup
copied is a database that starts with every mandate.
docs/audit.md: its commands run, in the same folder; every entry of the log there is valid by schemas/audit-entry.schema.json.
docs/policy.md: its ```console sessions print what they show, over the example in docs/policy/.
docs/security.md: its table of faults is that of tests/e2e/fail_closed.py, which is tested.
docs/connectors.md: every connector file passes `connector check`.
Prints "ok   name" or "FAIL name" a test.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import costs

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BIN = os.path.abspath(sys.argv[1])
failed = 0


def report(name, good, why=""):
    global failed
    failed += not good
    print("%s %s" % ("ok  " if good else "FAIL", name), flush=True)
    if not good and why:
        print("       " + why.strip().replace("\n", "\n       "), flush=True)


def blocks(path, language):
    text = open(os.path.join(ROOT, path), encoding="utf-8").read()
    return re.findall(r"^```%s\n(.*?)^```" % language, text, re.S | re.M)


def ctl(env, *argv, stdin=""):
    return subprocess.run([os.path.join(BIN, "mandatectl"), *argv], input=stdin, env=env, text=True, capture_output=True)


def mandate(ident, condition):
    return {"id": ident, "grantor": "user:docs", "agent": "agent:docs", "purpose": "an example",
            "scope": {"actions": ["*"], "resources": ["*"]}, "while": condition,
            "params": {"conversation": "R-42"}, "expires_at": "2099-01-01T00:00:00Z"}


def start(folder, env):
    log = open(os.path.join(folder, "log"), "w")
    daemon = subprocess.Popen([os.path.join(BIN, "mandated"), "--config", os.path.join(folder, "mandated.yaml")],
                              cwd=folder, env=env, stderr=log)
    deadline = time.monotonic() + 60
    while ctl(env, "mandate", "list", "--json").returncode != 0:
        if daemon.poll() is not None or time.monotonic() > deadline:
            daemon.kill()
            sys.exit("the daemon does not serve:\n" + open(os.path.join(folder, "log")).read())
        time.sleep(0.05)
    return daemon


def flat(text):
    """Without the indentation that keeps a message's later lines apart."""
    return re.sub(r"^ +", "", text, flags=re.M)


def readme(env):
    yaml, claims = blocks("README.md", "yaml")[0], json.loads(blocks("README.md", "json")[0])
    claims["expires_at"] = "2099-01-01T00:00:00Z"  # the README's own date passes one day
    done = ctl(env, "mandate", "issue", "-", "--json", stdin=json.dumps(claims))
    report("the README's mandate is accepted", done.returncode == 0, done.stderr)
    sample = json.loads(re.sub("…", "", blocks("README.md", "json")[1]))
    schema = json.load(open(os.path.join(ROOT, "schemas", "revocation.schema.json")))
    unknown = set(sample) - set(schema["properties"])
    report("the README's revocation has the schema's members", not unknown, str(unknown))
    return yaml


def conditions(env):
    lines = [l for b in blocks("docs/conditions.md", "cel") for l in b.splitlines() if l.strip()]
    report("docs/conditions.md has examples", len(lines) >= 5)
    for i, line in enumerate(lines):
        done = ctl(env, "mandate", "issue", "-", "--json", stdin=json.dumps(mandate("docs-%d" % i, line)))
        # an example that is false today is still an example: what counts is that it means something
        good = done.returncode == 0 or "is already false" in done.stderr
        report("condition: " + line, good, done.stderr)
    for shown in blocks("docs/conditions.md", "text"):
        wrong = re.search(r"^ \| (.*)$", shown, re.M).group(1)
        done = ctl(env, "mandate", "issue", "-", stdin=json.dumps(mandate("docs-wrong", wrong)))
        report("the error shown for %s is what is said" % wrong,
               done.returncode == 1 and flat(shown.strip()) in flat(done.stderr), done.stderr)


def sessions(folder, page):
    """Commands after "$ ", each with what it prints."""
    bin_first = dict(os.environ, PATH=BIN + os.pathsep + os.environ["PATH"], NO_COLOR="1")
    shutil.copy(os.path.join(HERE, "entities.yaml"), os.path.join(folder, "entities.yaml"))
    for block in blocks(page, "console"):
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
            if command.startswith("cat "):
                open(os.path.join(folder, command[4:]), "w").write(shown)
                continue
            done = subprocess.run(command, shell=True, cwd=folder, env=bin_first, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
            report("%s: session: %s" % (page, command), done.stdout == shown, done.stdout)


def entity_types(folder):
    for i, block in enumerate(blocks("docs/conditions.md", "yaml")):
        path = os.path.join(folder, "types-%d.yaml" % i)
        open(path, "w").write(block)
        done = subprocess.run([os.path.join(BIN, "mandatectl"), "connector", "check", "--entities", path], text=True,
                              capture_output=True)
        report("the entity types of docs/conditions.md check", done.returncode == 0, done.stderr)


def cost_table():
    page = open(os.path.join(ROOT, "docs", "conditions.md"), encoding="utf-8").read()
    table = "\n".join(costs.table(os.path.join(BIN, "mandatectl")))
    report("the table of costs is that of the code (tests/docs/costs.py prints it)", table in page, table)


def connectors(folder):
    """Every connector file in docs/connectors.md is right, and each mistake of its table is found with those words."""
    path = os.path.join(folder, "example.yaml")
    shown = [b for b in blocks("docs/connectors.md", "yaml") if b.startswith("connector:")]
    report("docs/connectors.md has its recipes", len(shown) >= 6)
    for block in shown:
        open(path, "w").write(block)
        done = subprocess.run([os.path.join(BIN, "mandatectl"), "connector", "check", path], text=True, capture_output=True)
        report("docs/connectors.md: " + block.split("\n")[0], done.returncode == 0, done.stderr)
    open(path, "w").write("connector: a\ntopics: t\ndecode: {format: json}\nentities: [{type: t.e, id: after.id}]\n")
    done = subprocess.run([os.path.join(BIN, "mandatectl"), "connector", "check", path], text=True, capture_output=True)
    report("docs/connectors.md: what check says of a wrong envelope",
           done.returncode == 1 and "envelope raw gives no 'after'" in done.stderr, done.stderr)
    done = ctl(dict(os.environ), "connector", "infer", stdin='{"id": 7, "status": "open"}')
    report("docs/connectors.md: connector infer proposes", done.returncode == 0 and "id: 'value.id'" in done.stdout, done.stderr)


def mandates(env, folder):
    for text in blocks("docs/mandates.md", "json"):
        done = ctl(env, "mandate", "issue", "-", "--json", stdin=text)
        report("docs/mandates.md: %s is accepted" % json.loads(text)["id"], done.returncode == 0, done.stderr)
    for text in blocks("docs/mandates.md", "sh") + blocks("docs/definitions.md", "sh") + blocks("docs/checks.md", "sh"):
        done = subprocess.run(["sh", "-e", "-c", text], cwd=folder, text=True, capture_output=True,
                              env=dict(env, PATH=BIN + ":" + env["PATH"], DATA_DIR=os.path.join(folder, "data")))
        report("docs/mandates.md: " + text.splitlines()[-1].strip(), done.returncode == 0, done.stdout + done.stderr)


BACKUP = ".anchor"  # the block of docs/operating.md that is run when the daemon has stopped


def shell(env, folder, page, text):
    done = subprocess.run(["sh", "-e", "-c", text], cwd=folder, text=True, capture_output=True,
                          env=dict(env, PATH=BIN + ":" + env["PATH"], DATA_DIR=os.path.join(folder, "data")))
    report("%s: %s" % (page, text.splitlines()[-1].strip()), done.returncode == 0, done.stdout + done.stderr)


def operating(env, folder):
    copy = os.path.join(folder, "etc")
    shutil.copytree(os.path.join(ROOT, "docs", "demo", "connectors"), os.path.join(copy, "connectors"))
    os.mkdir(os.path.join(copy, "entities"))
    shutil.copy(os.path.join(ROOT, "docs", "demo", "entities.yaml"), os.path.join(copy, "entities"))
    open(os.path.join(copy, "mandated.yaml"), "w").write(blocks("docs/operating.md", "yaml")[0])
    done = subprocess.run([os.path.join(BIN, "mandated"), "check-config", os.path.join(copy, "mandated.yaml")], text=True,
                          capture_output=True)
    report("docs/operating.md: its configuration checks", done.returncode == 0, done.stderr)
    for text in blocks("docs/operating.md", "sh"):
        if BACKUP not in text:
            shell(env, folder, "docs/operating.md", text)
    served = set(re.findall(r"^# TYPE (\S+)", open(os.path.join(folder, "metrics.txt")).read(), re.M))
    page = open(os.path.join(ROOT, "docs", "operating.md"), encoding="utf-8").read()
    named = {m for row in re.findall(r"^\| (`mandated_[^|]*)\|", page, re.M) for m in re.findall(r"`(mandated_\w+)`", row)}
    report("docs/operating.md: its table has every metric that is served", len(served) > 25 and served == named,
           "missing: %s\ntoo many: %s" % (sorted(served - named), sorted(named - served)))


def all_signed(env):
    """Until a checkpoint covers every entry."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        done = subprocess.run(["curl", "-s", "--unix-socket", env["MANDATED_SOCKET"], "http://localhost/readyz"], text=True, capture_output=True)
        if done.returncode == 0 and (lambda a: a["entries"] == a["signed"])(json.loads(done.stdout)["audit"]):
            return
        time.sleep(0.05)


def audit(env, folder):
    all_signed(env)
    for text in blocks("docs/audit.md", "sh"):
        shell(env, folder, "docs/audit.md", text)
    lines = open(os.path.join(folder, "entries.jsonl")).read().splitlines()
    events = {json.loads(line)["event"] for line in lines}
    report("docs/audit.md: events that it names are in the log", {"issued", "refused"} <= events, str(events))
    named = set(re.findall(r"`(\w+)`", re.search(r"^\| `event` .*$", open(os.path.join(ROOT, "docs", "audit.md")).read(), re.M).group(0)))
    report("docs/audit.md: it names the members of the example",
           all("`%s`" % name in open(os.path.join(ROOT, "docs", "audit.md")).read() for name in ("clause", "terms", "txn", "claims")) and
           "issued" in named)
    try:
        import jsonschema
    except ImportError:
        return
    schema = json.load(open(os.path.join(ROOT, "schemas", "audit-entry.schema.json")))
    validator = jsonschema.Draft202012Validator(schema)
    bad = [(line[:200], e.message) for line in lines for e in validator.iter_errors(json.loads(line))]
    unknown = {k for line in lines for k in json.loads(line)} - set(schema["properties"])
    report("docs/audit.md: every entry is valid by its schema, which has every member", not bad and not unknown,
           str(bad[:2]) + str(unknown))


def backup(env, folder, before):
    """The daemon has stopped."""
    for text in blocks("docs/operating.md", "sh"):
        if BACKUP in text:
            shell(env, folder, "docs/operating.md", text)
    data = os.path.join(folder, "data")
    shutil.rmtree(data)
    os.remove(data + ".anchor")
    os.rename(os.path.join(folder, "backup"), data)
    os.rename(os.path.join(folder, "backup.anchor"), data + ".anchor")
    daemon = start(folder, env)
    after = ctl(env, "mandate", "list", "--json").stdout
    report("docs/operating.md: what was backed up has every mandate", "renewal-4711" in before and before == after, after)
    daemon.terminate()
    daemon.wait(60)


def faults():
    sys.path.insert(0, ROOT)
    from tests.e2e import fail_closed
    text = open(os.path.join(ROOT, "docs", "security.md"), encoding="utf-8").read()
    report("docs/security.md: its table of faults is the tested one", "\n\n" + fail_closed.markdown() + "\n" in text,
           "python3 -m tests.e2e.fail_closed prints it:\n" + fail_closed.markdown())


def main():
    with tempfile.TemporaryDirectory(prefix="mandated-docs-") as folder:
        connector = os.path.join(folder, "crm.yaml")
        open(connector, "w").write(blocks("README.md", "yaml")[0])
        done = subprocess.run([os.path.join(BIN, "mandatectl"), "connector", "check", connector], text=True, capture_output=True)
        report("the README's connector file checks", done.returncode == 0, done.stderr)
        connectors(folder)
        open(os.path.join(folder, "kinds.yaml"), "w").write(blocks("docs/checks.md", "yaml")[0])
        entities = os.path.join(HERE, "entities.yaml")
        open(os.path.join(folder, "mandated.yaml"), "w").write(
            "issuer: https://mandates.example\ndata_dir: %s/data\ncheck: {kinds: kinds.yaml}\nkafka: {embedded: true}\nentities: [%s]\nconnectors: [crm.yaml]\n"
            % (folder, entities))
        env = dict(os.environ, MANDATED_SOCKET=os.path.join(folder, "data", "mandated.sock"), NO_COLOR="1")
        daemon = start(folder, env)
        try:
            readme(env)
            mandates(env, folder)
            conditions(env)
            sessions(folder, "docs/conditions.md")
            shutil.copy(os.path.join(ROOT, "docs", "policy", "policy.yaml"), folder)
            sessions(folder, "docs/policy.md")
            entity_types(folder)
            cost_table()
            faults()
            operating(env, folder)
            audit(env, folder)
            listed = ctl(env, "mandate", "list", "--json").stdout
        finally:
            daemon.terminate()
            daemon.wait(60)
        backup(env, folder, listed)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
