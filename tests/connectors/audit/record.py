#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The record from outside: a daemon, its log read by a program that shares no code with it, and everything that could go wrong.

  the tree           recomputed here (RFC 6962) from exported bundles: leaves, tiles and root are those that were signed
  kill -9            in the middle of commits, again and again: no entry that was answered is lost, none stands twice, and every
                     checkpoint that was ever seen is still a beginning of the log
  tampering          of database, tiles, bundles, checkpoint: each found, and named
  an older database  put back by hand or from a backup: refused; accepted only when told to, and that is in the log
  no signature       the checkpoint cannot be written: within the bound nothing is granted, and ending goes on
  the topic          has the checkpoints that the file had
  formats            every line that is exported is what docs/audit.md says: hashes, CloudEvents, OCSF's required attributes

Usage: record.py BIN [SEED]
"""
import base64
import calendar
import hashlib
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

BIN = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
failed = 0


def report(what, ok, detail=""):
    global failed
    failed += not ok
    print(("ok   " if ok else "FAIL ") + what)
    if not ok and detail:
        print("     " + str(detail).replace("\n", "\n     "))
    sys.stdout.flush()


# --- RFC 6962, once more ------------------------------------------------------------------------------------------------
def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(root_of(leaves[:k]), root_of(leaves[k:]))


def tile_path(level, index, width):
    groups = ["%03d" % (index % 1000)]
    while index >= 1000:
        index //= 1000
        groups.insert(0, "x%03d" % (index % 1000))
    return "tile/%s/%s%s" % (level, "/".join(groups), "" if width == 256 else ".p/%d" % width)


def read_checkpoint(text):
    origin, size, root = text.split("\n")[:3]
    return origin, int(size), base64.b64decode(root)


def read_folder(folder):
    """Entries of an exported log, with every hash of it recomputed."""
    origin, size, root = read_checkpoint(open(os.path.join(folder, "checkpoint")).read())
    entries = []
    for index in range((size + 255) // 256):
        width = min(256, size - index * 256)
        data = open(os.path.join(folder, tile_path("entries", index, width)), "rb").read()
        while data:
            n, = struct.unpack(">H", data[:2])
            entries.append(data[2:2 + n])
            data = data[2 + n:]
    leaves = [leaf_hash(e) for e in entries]
    assert len(entries) == size and root_of(leaves) == root, "the root is another one"
    level, hashes = 0, leaves
    while hashes:
        for index in range((len(hashes) + 255) // 256):
            part = hashes[index * 256:(index + 1) * 256]
            stored = open(os.path.join(folder, tile_path(level, index, len(part))), "rb").read()
            assert stored == b"".join(part), "%s differs" % tile_path(level, index, len(part))
        hashes = [root_of(hashes[i:i + 256]) for i in range(0, len(hashes) - 255, 256)]
        level += 1
    return origin, entries, leaves


# --- a daemon ------------------------------------------------------------------------------------------------------------
class World:
    def __init__(self, audit="interval: 20ms"):
        self.folder = tempfile.mkdtemp(prefix="mandated-record-")
        self.data = os.path.join(self.folder, "data")
        self.config = os.path.join(self.folder, "mandated.yaml")
        self.socket = os.path.join(self.folder, "sock")
        self.env = dict(os.environ, MANDATED_SOCKET=self.socket, NO_COLOR="1")
        with open(self.config, "w") as f:
            f.write("issuer: https://mandates.example\ndata_dir: data\nkafka: {embedded: true, embedded_port_file: port}\n"
                    "http: {unix_socket: sock}\naudit: {%s}\nlog: {level: warn}\n" % audit)
        self.daemon = None

    def run(self, *more):
        """Starts it; the process, which may have ended already."""
        if os.path.exists(self.socket):
            os.remove(self.socket)
        log = open(os.path.join(self.folder, "log"), "a")
        daemon = subprocess.Popen([os.path.join(BIN, "mandated"), "--config", self.config, *more], stderr=log)
        for _ in range(3000):
            if os.path.exists(self.socket) and self.ctl("audit", "key").returncode == 0:
                break
            if daemon.poll() is not None:
                break
            time.sleep(0.01)
        return daemon

    def start(self, *more):
        self.daemon = self.run(*more)
        assert self.daemon.poll() is None, self.log()

    def log(self):
        return open(os.path.join(self.folder, "log")).read()

    def refused(self, what, words, *more):
        before = len(self.log())
        daemon = self.run(*more)
        code = daemon.poll()
        if code is None:
            daemon.kill()
            daemon.wait()
        text = self.log()[before:]
        report(what, code == 70 and words in text, "exit %s\n%s" % (code, text))

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        assert self.daemon.wait(60) == 0, self.log()

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()

    def ctl(self, *args, stdin=None):
        return subprocess.run([os.path.join(BIN, "mandatectl"), *args], env=self.env, input=stdin, text=True, capture_output=True)

    def issue(self, name):
        claims = {"id": name, "grantor": "user:a", "agent": "agent:b", "purpose": "a test", "expires_at": "2040-01-01T00:00:00Z",
                  "scope": {"actions": ["a.*"], "resources": ["*"]}, "targets": {"workflow": ["w-7"]}}
        return self.ctl("mandate", "issue", "-", stdin=json.dumps(claims)).returncode == 0

    def settled(self):
        """Until everything is signed."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            note = self.ctl("audit", "checkpoint").stdout
            page = json.loads(self.ctl("audit", "entries", "--limit", "1", "--json").stdout or "null")
            if page is not None and int(note.split("\n")[1]) == self.size():
                return note
            time.sleep(0.01)
        raise AssertionError("never signed")

    def size(self):
        text = subprocess.run(["curl", "-s", "--unix-socket", self.socket, "http://localhost/v1/audit/entries?limit=1"],
                              capture_output=True, text=True).stdout
        return json.loads(text)["size"]

    def copy(self, name):
        for suffix in ("", ".anchor", ".checkpoint"):
            source, target = self.data + suffix, os.path.join(self.folder, name + suffix)
            if os.path.isdir(source):
                shutil.copytree(source, target)
            else:
                shutil.copy2(source, target)

    def put_back(self, name, *suffixes):
        for suffix in suffixes:
            source, target = os.path.join(self.folder, name + suffix), self.data + suffix
            if os.path.isdir(target):
                shutil.rmtree(target)
            if os.path.isdir(source):
                shutil.copytree(source, target)
            else:
                shutil.copy2(source, target)


def verify(w, folder, *kept):
    return w.ctl("audit", "verify", folder, "--key", w.key, "--json", *[a for k in kept for a in ("--checkpoint", k)])


# --- parts -----------------------------------------------------------------------------------------------------------------
def the_tree(w):
    for i in range(300):
        w.issue("m-%d" % i)
    w.ctl("mandate", "revoke", "m-7", "--reason", "enough")
    w.ctl("mandate", "revoke", "no-such-mandate")
    note = w.settled()
    kept = os.path.join(w.folder, "kept")
    open(kept, "w").write(note)
    w.key = w.ctl("audit", "key").stdout.strip()
    out = os.path.join(w.folder, "out")
    done = w.ctl("audit", "export", out)
    report("an export succeeds", done.returncode == 0, done.stderr)
    origin, entries, leaves = read_folder(out)
    report("leaves, tiles and root are those of a recomputation (%d entries)" % len(entries), len(entries) == 302)
    parsed = [json.loads(e) for e in entries]
    report("entries are numbered, and one step after the other",
           [p["index"] for p in parsed] == list(range(302)) and all(a["seq"] <= b["seq"] for a, b in zip(parsed, parsed[1:])))
    revoked, refused = parsed[300], parsed[301]
    report("a revocation says who, why, what, and what was in flight",
           revoked["event"] == "ended" and revoked["state"] == "revoked" and revoked["mandate"] == "m-7" and
           revoked["cause"]["principal"].startswith("uid:") and revoked["cause"]["note"] == "enough" and
           revoked["targets"] == {"workflow": ["w-7"]}, revoked)
    states = [json.loads(w.ctl("mandate", "explain", "m-7", "--json", "--as-of", when).stdout)["state"]
              for when in (str(revoked["seq"] - 1), parsed[299]["time"], str(revoked["seq"]))]
    report("explain --as-of tells what it was, by step and by time", states == ["active", "active", "revoked"], states)
    report("an issuance says what was issued", parsed[7]["claims"]["scope"] == {"actions": ["a.*"], "resources": ["*"]}, parsed[7])
    report("a refused command is an entry", refused["event"] == "refused" and refused["command"] == "revoke", refused)
    done = verify(w, out, kept)
    report("audit verify agrees", done.returncode == 0 and json.loads(done.stdout)["checked"] == 302, done.stdout + done.stderr)
    done = w.ctl("audit", "proof", "300", "--key", w.key)
    report("an inclusion proof verifies", done.returncode == 0 and "verified" in done.stdout, done.stdout + done.stderr)
    w.issue("m-later")
    w.settled()
    done = w.ctl("audit", "proof", "--since", kept, "--key", w.key)
    report("a consistency proof verifies", done.returncode == 0, done.stdout + done.stderr)
    mine = [json.loads(line) for line in w.ctl("audit", "entries", "--mandate", "m-7", "--json").stdout.splitlines()]
    report("entries are found by mandate", [m["event"] for m in mine] == ["issued", "ended"], mine)
    found = [json.loads(line) for line in w.ctl("audit", "entries", "--txn", revoked["txn"], "--json").stdout.splitlines()]
    report("entries are found by their root cause", [m["index"] for m in found] == [300], found)
    return out


def a_cascade(w):
    """Which descendants fell with a mandate: one txn for all of them."""
    w.issue("root")
    for i in range(40):
        child = {"id": "child-%d" % i, "parent": "root", "grantor": "user:a", "agent": "agent:c", "purpose": "a part",
                 "expires_at": "2039-01-01T00:00:00Z", "scope": {"actions": ["a.b"], "resources": ["*"]}}
        assert w.ctl("mandate", "issue", "-", stdin=json.dumps(child)).returncode == 0
    w.ctl("mandate", "revoke", "root")
    w.settled()
    ended = json.loads(w.ctl("audit", "entries", "--mandate", "root", "--event", "ended", "--json").stdout)
    for _ in range(200):
        fell = [json.loads(line) for line in
                w.ctl("audit", "entries", "--from", str(ended["index"]), "--txn", ended["txn"], "--json").stdout.splitlines()]
        if len(fell) == 41:
            break
        time.sleep(0.05)
    report("a cascade is one txn: the root says how many, and each has its entry",
           ended["cascade"]["count"] == 40 and {f["mandate"] for f in fell[1:]} == {"child-%d" % i for i in range(40)}, len(fell))
    said = w.ctl("mandate", "explain", "root").stdout
    report("explain says who ended it, and what fell with it", "active -> revoked  v2  command  by uid:" in said and
           "  40 fell with it: mandatectl audit entries --txn " + ended["txn"] in said, said)


def in_flight(w):
    """What was known of work under a mandate that ends stands in its entry and its explanation."""
    claims = {"id": "busy", "grantor": "user:a", "agent": "agent:c", "purpose": "work", "expires_at": "2039-01-01T00:00:00Z",
              "scope": {"actions": ["a.b"], "resources": ["*"], "budgets": {"eur": "10"}}}
    assert w.ctl("mandate", "issue", "-", stdin=json.dumps(claims)).returncode == 0
    assert w.ctl("mandate", "spend", "busy", "eur", "4", "--key", "order-1").returncode == 0
    w.ctl("mandate", "revoke", "busy", "--reason", "enough")
    w.settled()
    ended = json.loads(w.ctl("audit", "entries", "--mandate", "busy", "--event", "ended", "--json").stdout)
    known = {"spends": [{"key": "order-1", "budget": "eur", "amount": "4"}], "spends_total": 1}
    whole = json.loads(w.ctl("mandate", "explain", "busy", "--json").stdout)
    report("what was known of work in flight stands in the record of an end", ended["in_flight"] == known and
           whole["transition"]["in_flight"] == known and whole["transition"]["cause"]["note"] == "enough" and
           whole["checks"] == [], (ended, whole))


def formats(w, out):
    _, entries, leaves = read_folder(out)
    lines = w.ctl("audit", "export", "--format", "jsonl").stdout.splitlines()
    report("jsonl: a line's bytes are the entry's", [leaf_hash(x.encode()) for x in lines[:len(leaves)]] == leaves)
    required = json.load(open(os.path.join(HERE, "ocsf_required.json")))
    bad = []
    for line, entry in zip(w.ctl("audit", "export", "--format", "ocsf").stdout.splitlines(), entries):
        event = json.loads(line)
        for path, kind in required["attributes"].items():
            value = event
            for part in path.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if not isinstance(value, {"integer": int, "string": str, "object": dict}[kind]) or value == "":
                bad.append((path, line))
        if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"] or event["class_uid"] != required["class_uid"] or \
                event["category_uid"] != required["category_uid"] or str(event["activity_id"]) not in required["activity_ids"] or \
                event["metadata"]["version"] != required["version"] or event["unmapped"] != json.loads(entry):
            bad.append(("values", line))
        if event["activity_id"] != 99 and event["activity_name"] != required["activity_ids"][str(event["activity_id"])]:
            bad.append(("activity_name", line))
    report("ocsf: required attributes are there, and of their types", not bad, bad[:2])
    bad = [line for line in w.ctl("audit", "export", "--format", "cloudevents").stdout.splitlines()
           if not all(json.loads(line).get(k) for k in ("specversion", "id", "source", "type")) or
           json.loads(line)["specversion"] != "1.0"]
    report("cloudevents: required attributes are there", not bad, bad[:2])
    first = w.ctl("audit", "export", "--format", "jsonl", "--from", "300").stdout.splitlines()[0]
    report("--from takes the number of an entry", json.loads(first)["index"] == 300)
    when = json.loads(entries[250])["time"]
    first = w.ctl("audit", "export", "--format", "jsonl", "--from", when).stdout.splitlines()[0]
    report("--from takes a time", json.loads(first)["time"] == when, first)
    size = w.size()
    report("--from the end is nothing yet", w.ctl("audit", "export", "--format", "jsonl", "--from", str(size)).returncode == 0)
    done = w.ctl("audit", "export", "--format", "jsonl", "--from", str(size + 1000))
    report("--from behind the end is an error, not silence", done.returncode == 1 and done.stdout == "" and "entries" in done.stderr, done)
    done = w.ctl("audit", "export", "--format", "jsonl", "--from", "99999999999999999999999")
    report("also when it is no number that there is", done.returncode != 0 and done.stdout == "", done)
    moment = time.strptime(when.split(".")[0].rstrip("Z"), "%Y-%m-%dT%H:%M:%S")
    east = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(calendar.timegm(moment) + 2 * 3600)) + (
        "." + when.split(".")[1].rstrip("Z") if "." in when else "") + "+02:00"
    first = w.ctl("audit", "export", "--format", "jsonl", "--from", east).stdout.splitlines()[0]
    report("--from takes a time of another zone", json.loads(first)["time"] == when, (east, first))
    follower = subprocess.Popen([os.path.join(BIN, "mandatectl"), "audit", "export", "--format", "jsonl", "--from", str(w.size()),
                                 "--follow", "--interval", "20"], env=w.env, stdout=subprocess.PIPE, text=True)
    w.issue("followed")
    line = follower.stdout.readline()
    report("--follow tells what comes", json.loads(line)["mandate"] == "followed", line)
    follower.terminate()
    follower.wait(10)


def tampering(w, out):
    def with_copy(what, change, words, expect=None):
        folder = os.path.join(w.folder, "bad")
        shutil.copytree(out, folder)
        change(folder)
        done = verify(w, folder)
        answer = json.loads(done.stdout) if done.stdout.startswith("{") else {"error": done.stderr}
        text = (answer.get("error") or "") + done.stderr
        report("tampering: %s is found" % what,
               done.returncode == 3 and words in text and (expect is None or answer.get("first_wrong") == expect), done.stdout + done.stderr)
        shutil.rmtree(folder)

    def flip(name, at):
        def change(folder):
            path = os.path.join(folder, name)
            data = bytearray(open(path, "rb").read())
            data[at] ^= 1
            open(path, "wb").write(data)
        return change
    with_copy("a changed entry", flip("tile/entries/001.p/46", 100), "entry 256 is the first", 256)
    with_copy("a changed leaf hash", flip("tile/0/000", 5 * 32), "tile/0/000 is wrong")
    with_copy("a changed tile hash", flip("tile/1/000.p/1", 3), "tile/1/000.p/1 is wrong")
    with_copy("a missing bundle", lambda f: os.remove(os.path.join(f, "tile/entries/000")), "tile/entries/000")
    with_copy("a checkpoint of another size",
              lambda f: open(os.path.join(f, "checkpoint"), "r+").write("mandates.example/audit\n301"), "signature")
    now = os.path.join(w.folder, "now")
    assert w.ctl("audit", "export", now).returncode == 0
    leaves = read_folder(now)[2]
    w.stop()
    w.copy("whole")
    # What a byte on the disk does: RocksDB's own sums find it, or ours do. Never is it taken.
    shutil.copytree(w.data, os.path.join(w.folder, "bytes"))
    found = 0
    rng = random.Random(7)
    names = sorted(n for n in os.listdir(w.data) if n.endswith((".sst", ".log")) and os.path.getsize(os.path.join(w.data, n)) > 400)
    for name in names[:6]:
        path = os.path.join(w.data, name)
        data = bytearray(open(path, "rb").read())
        data[rng.randrange(40, len(data) // 2)] ^= 0x10
        open(path, "wb").write(data)
        daemon = w.run()
        if daemon.poll() is None:
            folder = os.path.join(w.folder, "damaged")
            done = w.ctl("audit", "export", folder)
            found += done.returncode != 0 or verify(w, folder).returncode == 3 or read_folder(folder)[2] == leaves
            daemon.kill()
            daemon.wait()
            shutil.rmtree(folder, ignore_errors=True)
        else:
            found += daemon.returncode == 70
        w.put_back("whole", "", ".anchor", ".checkpoint")
    report("tampering: a changed byte of the database stops the start, or the export, or is in nothing that is told",
           found == len(names[:6]), "%d of %d" % (found, len(names[:6])))
    note = open(w.data + ".checkpoint").read()
    lines = note.split("\n")
    open(w.data + ".checkpoint", "w").write("\n".join([lines[0], str(int(lines[1]) - 1)] + lines[2:]))
    w.refused("tampering: a changed checkpoint file is found", "was not signed by audit.key")
    open(w.data + ".checkpoint", "w").write(note)
    w.start()


def older(w):
    size = w.size()
    done = w.ctl("backup", "make", "monday")
    report("a backup is made while the daemon runs", done.returncode == 0, done.stderr)
    done = w.ctl("backup", "make", "monday")
    report("and not made over another one", done.returncode == 1 and "already" in done.stderr, done.stderr)
    done = w.ctl("backup", "make", "../monday")
    report("nor outside its folder", done.returncode == 1, done.stderr)
    w.ctl("mandate", "revoke", "m-1", "--reason", "stolen")
    w.settled()
    before = os.path.join(w.folder, "before")
    assert w.ctl("audit", "export", before).returncode == 0
    w.stop()
    w.copy("newest")
    backup = os.path.join(w.folder, "data.backups", "monday")
    keys = {n: open(os.path.join(w.data, n), "rb").read() for n in ("audit-key.pem", "signing-key.pem")}

    def restore(*more):
        shutil.rmtree(w.data)
        shutil.copytree(os.path.join(backup, "data"), w.data)
        os.chmod(w.data, 0o700)
        for name, data in keys.items():
            with open(os.open(os.path.join(w.data, name), os.O_CREAT | os.O_WRONLY, 0o600), "wb") as f:
                f.write(data)
        for suffix in more:
            shutil.copy2(os.path.join(backup, "data" + suffix), w.data + suffix)
    restore()
    w.refused("a restored backup is refused: it would revive what was revoked since", "says so")
    restore(".anchor")
    w.refused("also when its anchor was put back with it", "the database is older than its last checkpoint")
    os.rename(w.data + ".checkpoint", w.data + ".away")
    w.refused("also when the checkpoint is gone", "is missing")
    os.rename(w.data + ".away", w.data + ".checkpoint")
    restore()
    w.start("--accept-older-database")
    entry = json.loads(w.ctl("audit", "entries", "--event", "database_accepted", "--json").stdout)
    report("accepted, it is an entry that names the checkpoint it contradicts",
           entry["index"] == size and entry["detail"]["checkpoint"]["size"] == size + 1, entry)
    w.settled()
    origin = read_checkpoint(w.ctl("audit", "checkpoint").stdout)[0]
    report("and another log from there on", origin == "mandates.example/audit/2", origin)
    done = w.ctl("audit", "export", before)
    report("a folder that holds the log of before does not get tiles of this one", done.returncode == 1 and "holds another log" in done.stderr, done)
    done = verify(w, before)
    report("and is still whole", done.returncode == 0, done.stdout + done.stderr)
    w.stop()
    daemon = w.run("--accept-older-database")
    report("--accept-older-database with nothing to accept is a mistake", daemon.poll() == 1, daemon.poll())
    w.put_back("newest", "", ".anchor")
    w.refused("the database that it replaced is another log now", "is of the log mandates.example/audit/2")
    w.put_back("newest", "", ".anchor", ".checkpoint")
    w.start()


def kills(w, seed):
    rng = random.Random(seed)
    answered, seen = set(), []
    w.settled()
    for round_ in range(8):
        stop = threading.Event()

        def client(number):
            i = 0
            while not stop.is_set():
                name = "k-%d-%d-%d" % (round_, number, i)
                i += 1
                if w.issue(name):
                    answered.add(name)
                if rng.random() < 0.3:
                    w.ctl("mandate", "revoke", name)
        threads = [threading.Thread(target=client, args=(n,)) for n in range(3)]
        for t in threads:
            t.start()
        time.sleep(0.2 + rng.random() * 0.5)
        seen.append(open(w.data + ".checkpoint").read())
        w.kill()
        stop.set()
        for t in threads:
            t.join()
        seen.append(open(w.data + ".checkpoint").read())
        w.start()
    seen.append(w.settled())
    out = os.path.join(w.folder, "killed")
    assert w.ctl("audit", "export", out).returncode == 0
    _, entries, leaves = read_folder(out)
    parsed = [json.loads(e) for e in entries]
    issued = [p["mandate"] for p in parsed if p["event"] == "issued"]
    report("kill -9: every issuance that was answered is an entry, once (%d)" % len(answered),
           answered <= set(issued) and len(issued) == len(set(issued)), sorted(answered - set(issued))[:3])
    report("kill -9: no entry is missing or stands twice", [p["index"] for p in parsed] == list(range(len(parsed))))
    versions = {}
    for p in parsed:
        if "version" in p and "mandate" in p:
            versions.setdefault(p["mandate"], []).append(p["version"])
    report("kill -9: versions of a mandate are 1, 2, ...", all(v == list(range(1, len(v) + 1)) for v in versions.values()))
    held = [root_of(leaves[:size]) == root for _, size, root in map(read_checkpoint, seen)]
    report("kill -9: every checkpoint that was seen is a beginning of the log (%d)" % len(seen), all(held), held)


def the_topic(w):
    note = w.settled()
    bootstrap = open(os.path.join(w.folder, "port")).read().strip()
    for _ in range(100):
        text = w.ctl("topic", "tail", "mandate.checkpoints", "--bootstrap", bootstrap, "--from-beginning", "--exit-at-end",
                     "--json").stdout
        records = [json.loads(line) for line in text.splitlines()]
        if records and records[-1].get("value") == note:
            break
        time.sleep(0.05)
    report("the topic has the checkpoint of the file", records and records[-1].get("value") == note, records[-1:])


def no_signature(seed):
    w = World("interval: 20ms, max_unsigned: 3s, file: out/checkpoint")
    out = os.path.join(w.folder, "out")
    try:
        w.start()
        w.issue("m-1")
        w.issue("m-2")
        w.settled()
        check = ("mandate", "check", "--mandate", "m-1", "--agent", "agent:b", "--action", "a.x", "--resource", "t/1")
        report("a check is permitted while the log is signed", w.ctl(*check).returncode == 0)
        os.rename(out, out + ".away")
        open(out, "w").close()  # a folder that is a file takes no checkpoint
        for i in range(500):
            if w.issue("late-%d" % i):
                time.sleep(0.02)
            else:
                break
        done = w.ctl("mandate", "issue", "-", stdin="{}")
        answer = w.ctl(*check)
        report("no signature: within the bound a check is denied", answer.returncode == 3 and "audit log" in answer.stdout + answer.stderr,
               answer.stdout + answer.stderr)
        report("no signature: nothing is issued", not w.issue("never") and not w.issue("never"), done.stderr)
        asked = {"subject": {"type": "agent", "id": "agent:b"}, "resource": {"type": "t", "id": "1"}, "context": {"mandate": "m-1"}}
        code = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", w.socket, "-H",
                               "Content-Type: application/json", "-d", json.dumps(asked), "http://localhost/access/v1/search/action"],
                              capture_output=True, text=True).stdout
        report("no signature: a search finds nothing", code == "503", code)
        report("no signature: no token is handed out", w.ctl("mandate", "token", "m-1").returncode == 2)
        w.ctl("mandate", "suspend", "m-2")
        report("no signature: nothing is resumed", w.ctl("mandate", "resume", "m-2").returncode == 2)
        report("no signature: ending goes on", w.ctl("mandate", "revoke", "m-2").returncode == 0)
        ready = subprocess.run(["curl", "-s", "-w", "%{http_code}", "--unix-socket", w.socket, "http://localhost/readyz"],
                               capture_output=True, text=True).stdout
        report("no signature: /readyz says so", ready.endswith("503") and '"granting":false' in ready and "reason" in ready, ready)
        metrics = subprocess.run(["curl", "-s", "--unix-socket", w.socket, "http://localhost/metrics"], capture_output=True,
                                 text=True).stdout
        report("no signature: the metric too", "mandated_audit_granting 0" in metrics)
        os.remove(out)
        os.rename(out + ".away", out)
        w.settled()
        report("once it can be signed again, grants go on", w.issue("never") and w.ctl(*check).returncode == 0)
        w.stop()
    finally:
        if w.daemon.poll() is None:
            w.kill()
        shutil.rmtree(w.folder)


def policies():
    w = World()
    path = os.path.join(w.folder, "policy.yaml")
    text = ("policy: one\nprincipals:\n  - match: principal.kind == \"unix\"\n    roles: everything\nroles:\n  everything:\n"
            "    - powers: [issue, read, audit, observe]\n")
    config = open(w.config).read()

    def loaded():
        lines = w.ctl("audit", "entries", "--event", "policy_loaded", "--json").stdout.splitlines()
        return [json.loads(line)["detail"] for line in lines]

    def until(count):
        for _ in range(200):
            if len(loaded()) >= count:
                break
            time.sleep(0.02)
        return loaded()
    try:
        open(path, "w").write(text)
        open(w.config, "w").write("policy: policy.yaml\n" + config)
        w.start()
        found = until(1)
        report("a policy is an entry, with its text",
               len(found) == 1 and found[0]["text"] == text and found[0]["sha256"] == hashlib.sha256(text.encode()).hexdigest(), found)
        open(path, "w").write(text + "# changed\n")
        w.daemon.send_signal(signal.SIGHUP)
        found = until(2)
        report("a changed one is another entry", len(found) == 2 and found[1]["text"].endswith("# changed\n"), found)
        w.stop()
        w.start()
        report("the same one at the next start is none", len(loaded()) == 2, loaded())
        w.stop()
        open(w.config, "w").write(config)
        w.start()
        found = until(3)
        report("that there is none any more is one", len(found) == 3 and found[2] == {"file": None}, found)
        w.stop()
    finally:
        if w.daemon and w.daemon.poll() is None:
            w.kill()
        shutil.rmtree(w.folder)


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    w = World()
    try:
        w.start()
        out = the_tree(w)
        the_topic(w)
        formats(w, out)
        a_cascade(w)
        in_flight(w)
        tampering(w, out)
        older(w)
        kills(w, seed)
    finally:
        if w.daemon and w.daemon.poll() is None:
            w.daemon.kill()
            w.daemon.wait()
        shutil.rmtree(w.folder)
    no_signature(seed)
    policies()
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
