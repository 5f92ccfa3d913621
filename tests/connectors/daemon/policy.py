#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may do what, over a running daemon: every route against every power, and every way to say who one is.

    policy.py BIN SOURCE

The table of routes is read from connectors/http/route.c; each power is a role of its own. Principals are named on the socket, by
client certificates that openssl makes (right, of another authority, expired, for servers, with two names), and by tokens that
openssl signs. Prints "ok   name" or "FAIL name" a test.
"""
import base64
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

BIN, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
failed = 0


def report(name, good, why=""):
    global failed
    failed += not good
    print("%s %s" % ("ok  " if good else "FAIL", name), flush=True)
    if not good and why:
        print("       " + str(why).strip().replace("\n", "\n       "), flush=True)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


def ask(connection, method, path, headers=None, body=None):
    text = json.dumps(body) if isinstance(body, dict) else body
    connection.request(method, path, text, dict(headers or {}, **({"Content-Type": "application/json"} if text else {})))
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


class World:
    def __init__(self, policy, tls=False):
        self.folder = tempfile.mkdtemp(prefix="mandated-policy-")
        self.tls = tls
        self.write("policy.yaml", policy)
        self.write("types.yaml", "types: {e.envelope: {attributes: {status: {type: string, values: [open, signed], manual: true}, "
                                 "due: {type: timestamp, manual: true}, amount: int}}}\n")
        self.write("mandated.yaml", "issuer: https://mandates.test\ndata_dir: data\nkafka: {embedded: true}\npolicy: policy.yaml\n"
                   "entities: types.yaml\n"
                   "http: {unix_socket: s.sock, tcp: '127.0.0.1:0'%s}\n" % (
                       ", tls_certificate: server.pem, tls_key: server.key, tls_client_ca: ca.pem" if tls else ""))

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as f:
            f.write(text)

    def log(self):
        return open(os.path.join(self.folder, "log")).read()

    def start(self):
        with open(os.path.join(self.folder, "log"), "w") as log:
            self.process = subprocess.Popen([os.path.join(BIN, "mandated"), "--config", "mandated.yaml"], cwd=self.folder,
                                            stderr=log, stdout=log)
        deadline = time.monotonic() + 60
        while "serving on" not in self.log():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit("the daemon does not serve:\n" + self.log())
            time.sleep(0.05)
        self.port = int(re.search(r"127\.0\.0\.1:(\d+); step", self.log()).group(1))
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder)

    def unix(self):
        return UnixConnection(os.path.join(self.folder, "s.sock"))

    def tcp(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def wait_log(self, text, times=1):
        deadline = time.monotonic() + 30
        while self.log().count(text) < times and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.log().count(text) >= times


# --- every route against every power -------------------------------------------------------------------------------
def routes():
    text = open(os.path.join(SOURCE, "connectors", "http", "route.c")).read()
    rows = re.findall(r'\{"([A-Z]+)",\s*"([^"]+)",\s*\w+,\s*POWER_(\w+),', text)
    return [(m, re.sub(r"\{\w+\}", "nobody", p), power.lower()) for m, p, power in rows]


def powers():
    text = open(os.path.join(SOURCE, "connectors", "policy", "power.h")).read()
    return [n for n in re.findall(r'X\([A-Z_]+, "([a-z_]+)"', text) if n not in ("none", "local", "health", "self")]


def matrix():
    names = powers()
    rules = "".join("  %s:\n    - powers: %s\n%s" % (n, n, "      events: '*'\n" if n == "assert_event" else "") for n in names)
    binds = "".join("  - match: principal.name == 'user:%s'\n    roles: %s\n" % (n, n) for n in names)
    w = World("policy: matrix\nprincipals:\n  - match: principal.uid == %d\n    speaks_for: 'user:*'\n%sroles:\n%s"
              % (os.getuid(), binds, rules)).start()
    table = routes()
    report("there are routes and powers", len(table) > 25 and len(names) > 15, (len(table), len(names)))
    wrong, asked, c = [], 0, w.unix()
    for method, path, needed in table:
        for who in names + ["nobody"]:
            code, text = ask(c, method, path, {"X-Mandate-Principal": "user:" + who})
            asked += 1
            may = who == needed or needed in ("health", "self") or (needed == "issue" and who == "delegate")
            if may != (code not in (401, 403)):
                wrong.append("%s %s as %s: %d %s" % (method, path, who, code, text))
    report("each of %d routes is open to its own power and to no other (%d requests)" % (len(table), asked), not wrong,
           "\n".join(wrong[:20]))
    wrong, c = [], w.tcp()
    for method, path, needed in table:
        code, text = ask(c, method, path)
        if (code == 401) == (needed == "health"):
            wrong.append("%s %s: %d %s" % (method, path, code, text))
    report("nobody whom nobody vouches for gets more than health", not wrong, "\n".join(wrong))
    code, text = ask(w.tcp(), "GET", "/readyz")
    report("readiness says no names to them", json.loads(text) == {"ready": True}, text)
    w.stop()


# --- whose word counts ----------------------------------------------------------------------------------------------
POLICY = """policy: words
issuers:
  - issuer: https://login.example
    audience: mandated
    jwks: keys.json
    prefix: "user:"
    algorithms: RS256
principals:
  - match: principal.uid == %d && principal.kind == "unix"
    roles: [boss]
    speaks_for: ["user:*", "agent:*"]
  - match: principal.name.startsWith("agent:") || principal.name.startsWith("spiffe://acme.example/agent/")
    roles: [agent, everything]
  - match: principal.kind == "token" && "sales" in principal.claims.groups
    roles: grantor
  - match: principal.name == "user:second"
    roles: [second]
  - match: principal.name == "user:notary"
    roles: witness
  - match: principal.kind == "token" && "audit" in principal.claims.groups
    roles: auditor
roles:
  boss:
    - powers: [issue, read, revoke, observe]
      in_name_of: "user:*"
    - powers: [revoke]
      when: mandate.actions.exists(a, a.startsWith("finance."))
      two_person: true
  grantor:
    - powers: [issue]
    - powers: [read, revoke]
      when: mandate.grantor == principal.name
  second:
    - powers: [decide]
  auditor:
    - powers: audit
  witness:
    - powers: assert_event
      events: e.envelope.status
  everything:
    - powers: [read, suspend, resume, revoke, amend, widen, decide, issue]
  agent:
    - powers: [give_back, check]
"""


def claims(id, **more):
    return dict({"id": id, "grantor": "user:ann", "agent": "agent:bot", "purpose": "p",
                 "scope": {"actions": ["contract.sign"], "resources": ["*"]}, "expires_at": "2099-01-01T00:00:00Z"}, **more)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Tokens:
    def __init__(self, folder):
        self.key = os.path.join(folder, "login.pem")
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True, stderr=subprocess.DEVNULL)
        n = subprocess.run(["openssl", "rsa", "-in", self.key, "-noout", "-modulus"], check=True, capture_output=True, text=True)
        modulus = bytes.fromhex(n.stdout.strip().split("=")[1])
        self.jwks = json.dumps({"keys": [{"kty": "RSA", "kid": "k1", "use": "sig", "alg": "RS256", "n": b64(modulus), "e": "AQAB"}]})

    def make(self, payload=None, header=None):
        now = int(time.time())
        h = dict({"alg": "RS256", "kid": "k1", "typ": "at+jwt"}, **(header or {}))
        p = dict({"iss": "https://login.example", "aud": "mandated", "sub": "ann", "iat": now, "exp": now + 600,
                  "groups": ["sales"]}, **(payload or {}))
        text = b64(json.dumps(h).encode()) + "." + b64(json.dumps(p).encode())
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=text.encode(), check=True,
                                capture_output=True).stdout
        return text + "." + b64(signed)


def certificates(folder):
    def run(*argv):
        subprocess.run(["openssl", *argv], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for ca in ("ca", "evil"):
        run("req", "-x509", *curve, "-keyout", ca + ".key", "-out", ca + ".pem", "-days", "10", "-subj", "/CN=" + ca)
    agent = "URI:spiffe://acme.example/agent/n"
    for name, ca, names, usage, days in [
            ("server", "ca", "DNS:localhost,IP:127.0.0.1", "serverAuth", 5), ("good", "ca", agent, "clientAuth", 5),
            ("dns", "ca", "DNS:gateway.acme.example", "clientAuth", 5), ("foreign", "evil", agent, "clientAuth", 5),
            ("servers", "ca", agent, "serverAuth", 5), ("expired", "ca", agent, "clientAuth", -1),
            ("two", "ca", agent + ",URI:spiffe://acme.example/agent/m", "clientAuth", 5), ("plain", "ca", "", "clientAuth", 5),
            ("control", "ca", "URI:spiffe://acme.example/agent/\x01n", "clientAuth", 5)]:
        run("req", *curve, "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/O=Acme/CN=spiffe:%2F%2Facme")
        with open(os.path.join(folder, name + ".ext"), "w") as f:
            f.write(("subjectAltName=%s\n" % names if names else "") + "extendedKeyUsage=%s\n" % usage)
        dates = ["-not_before", "20200101000000Z", "-not_after", "20200102000000Z"] if days < 0 else []
        if dates:  # openssl 3.0's x509 cannot date back; ca can
            run("req", "-x509", "-key", name + ".key", "-subj", "/CN=x", "-days", "1", "-out", "ignored.pem")
            with open(os.path.join(folder, "ca.cnf"), "w") as f:
                f.write("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n"
                        "copy_extensions=none\nunique_subject=no\nx509_extensions=e\n[p]\n[e]\nsubjectAltName=%s\nextendedKeyUsage=%s\n"
                        % (names, usage))
            open(os.path.join(folder, "index.txt"), "w").close()
            open(os.path.join(folder, "serial"), "w").write("77")
            run("ca", "-batch", "-config", "ca.cnf", "-in", name + ".csr", "-cert", ca + ".pem", "-keyfile", ca + ".key", "-out",
                name + ".pem", "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-notext")
        else:
            run("x509", "-req", "-in", name + ".csr", "-CA", ca + ".pem", "-CAkey", ca + ".key", "-CAcreateserial", "-out",
                name + ".pem", "-days", str(days), "-extfile", name + ".ext")


def words():
    w = World(POLICY % os.getuid(), tls=True)
    tokens = Tokens(w.folder)
    w.write("keys.json", tokens.jwks)
    certificates(w.folder)
    w.start()
    try:
        by_socket(w)
        by_certificate(w)
        by_token(w, tokens)
        by_rules(w, tokens)
        by_reload(w, tokens)
    finally:
        w.stop()


def me(connection, headers=None):
    code, text = ask(connection, "GET", "/v1/me", headers)
    return code, json.loads(text)


def as_nobody(what):
    """What it gives, in a process of another user."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os.write(into, what().encode())
        finally:
            os._exit(0)
    os.close(into)
    text = os.fdopen(out).read()
    os.waitpid(child, 0)
    return text


def by_socket(w):
    code, who = me(w.unix())
    report("the kernel says who is on the socket", code == 200 and who["principal"] == "uid:%d" % os.getuid() and
           who["kind"] == "unix" and who["roles"] == ["boss"], who)
    code, who = me(w.unix(), {"X-Mandate-Principal": "agent:bot"})
    report("a process speaks for whom the policy lets it", code == 200 and who["principal"] == "agent:bot" and
           who["kind"] == "named" and sorted(who["roles"]) == ["agent", "everything"], who)
    for name in ("root", "uid:0", "spiffe://acme.example/agent/n", "users:x", "user", "anonymous", ""):
        code, who = me(w.unix(), {"X-Mandate-Principal": name})
        report("it does not speak for %r" % name, code in (400, 403), who)
    for name in ("user:a\x01", "user:a\x7f", "user:\u202ea".encode().decode("latin-1"), "user:\xff", " user:a", "user:" + "a" * 508):
        if name.strip() == name:
            code, who = me(w.unix(), {"X-Mandate-Principal": name})
            report("%r is no name" % name[:12], code == 400, who)
    c = w.unix()
    c.putrequest("GET", "/v1/me")
    c.putheader("X-Mandate-Principal", "agent:bot")
    c.putheader("x-mandate-principal", "user:second")
    c.endheaders()
    report("nobody is two people", c.getresponse().status == 400)
    c = w.unix()
    seen = [me(c, h)[1].get("principal") for h in ({}, {"X-Mandate-Principal": "agent:a"}, {"X-Mandate-Principal": "agent:b"}, {})]
    own = "uid:%d" % os.getuid()
    report("each request of a connection is who it says", seen == [own, "agent:a", "agent:b", own], seen)
    if os.getuid() == 0:
        os.chmod(w.folder, 0o755)
        os.chmod(os.path.join(w.folder, "s.sock"), 0o777)
        for headers, code in (({}, 200), ({"X-Mandate-Principal": "agent:bot"}, 403)):
            text = as_nobody(lambda: "%d %s" % ask(w.unix(), "GET", "/v1/me", headers))
            good = text.startswith(str(code)) and ('"roles":[]' in text or code == 403)
            report("another user has no roles and speaks for nobody (%d)" % code, good, text)


def tls(w, name=None, port=None):
    context = ssl.create_default_context(cafile=os.path.join(w.folder, "ca.pem"))
    if name:
        context.load_cert_chain(os.path.join(w.folder, name + ".pem"), os.path.join(w.folder, name + ".key"))
    return http.client.HTTPSConnection("localhost", w.port, context=context, timeout=30)


def by_certificate(w):
    code, who = me(tls(w, "good"))
    report("a certificate says who somebody is", code == 200 and who["principal"] == "spiffe://acme.example/agent/n" and
           who["kind"] == "certificate" and "agent" in who["roles"], who)
    code, who = me(tls(w, "dns"))
    report("by its DNS name", code == 200 and who["principal"] == "dns:gateway.acme.example" and who["roles"] == [], who)
    code, who = me(tls(w, "plain"))
    report("or by its subject, which is no other name", code == 200 and who["principal"].startswith("x509:") and
           who["roles"] == [], who)
    for name in ("foreign", "servers", "expired", "two", "control"):
        code, who = me(tls(w, name))
        report("a certificate that is %s is refused" % name, code == 403, who)
        code, text = ask(tls(w, name), "POST", "/v1/mandates/x/revoke")
        report("... whatever is asked", code == 403, text)
    code, who = me(tls(w))
    report("without a certificate it is nobody", code == 401, who)
    report("who may ask for health", ask(tls(w), "GET", "/healthz")[0] == 200)
    code, who = me(tls(w, "good"), {"X-Mandate-Principal": "agent:x"})
    report("a certificate does not speak for others", code == 403, who)
    try:
        code = ask(http.client.HTTPConnection("127.0.0.1", w.port, timeout=10), "GET", "/healthz")[0]
    except (OSError, http.client.HTTPException):
        code = 0
    report("nothing is answered without TLS", code == 0, code)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        c = tls(w, "good")
        c._context.minimum_version = c._context.maximum_version = version
        report("%s is spoken" % version.name, me(c)[0] == 200)


def by_token(w, tokens):
    good = tokens.make()
    for c, where in ((tls(w), "over TLS"), (w.unix(), "on the socket"), (tls(w, "good"), "beside a certificate")):
        code, who = me(c, {"Authorization": "Bearer " + good})
        report("a token says who somebody is, " + where, code == 200 and who["principal"] == "user:ann" and
               who["kind"] == "token" and who["roles"] == ["grantor"], who)
    now = int(time.time())
    bad = {"expired": tokens.make({"exp": now - 1}), "of a stranger": tokens.make({"iss": "https://evil.example"}),
           "for somebody else": tokens.make({"aud": "x"}), "not yet": tokens.make({"nbf": now + 3600}),
           "of another type": tokens.make(header={"typ": "JWT"}), "of no type": tokens.make(header={"typ": None}),
           "with its own key": tokens.make(header={"jwk": {}}), "unsigned": good.rsplit(".", 1)[0] + ".",
           "none": b64(b'{"alg":"none","typ":"at+jwt","kid":"k1"}') + "." + good.split(".")[1] + ".",
           "changed": good[:-10] + ("A" if good[-10] != "A" else "B") + good[-9:], "cut": good[:-4], "empty": "",
           "a mandate": tokens.make(header={"typ": "mandate+jwt"}), "no token": "x" * 100, "long": "x" * 7000,
           "named like a socket": tokens.make({"sub": "\u0000"}), "named with a newline": tokens.make({"sub": "a\nb"})}
    for name, token in bad.items():
        for c, where in ((tls(w), "TLS"), (w.unix(), "socket"), (tls(w, "good"), "certificate")):
            code, text = ask(c, "GET", "/v1/me", {"Authorization": "Bearer " + token})
            report("a token that is %s is refused and not passed over (%s)" % (name, where), code == 401, text)
    for header in ("Basic dXNlcjpwYXNz", "bearer", "Token " + good, good):
        code, text = ask(w.unix(), "GET", "/v1/me", {"Authorization": header})
        report("%r is no login" % header[:10], code == 401, text)
    code, text = ask(w.unix(), "GET", "/v1/me", {"Authorization": "Bearer " + good, "X-Mandate-Principal": "agent:bot"})
    report("a token and a named principal are not mixed", code in (401, 403), text)
    c = tls(w)
    for lifetime in (2, 5):  # a busy machine may not have asked before the first is over
        ends = int(time.time()) + lifetime
        short = tokens.make({"exp": ends, "iat": int(time.time())})
        first = me(c, {"Authorization": "Bearer " + short})[0]
        if time.time() < ends:
            break
    time.sleep(max(0, ends - time.time()) + 0.2)
    code = me(c, {"Authorization": "Bearer " + short})[0]
    report("a token that expires on its connection is refused from then on", (first, code) == (200, 401), (first, code))


def by_rules(w, tokens):
    c, bot = w.unix(), {"X-Mandate-Principal": "agent:bot"}
    ann = {"Authorization": "Bearer " + tokens.make()}
    report("a grantor issues in their own name", ask(c, "POST", "/v1/mandates", ann, claims("m1"))[0] == 201)
    code, text = ask(c, "POST", "/v1/mandates", ann, claims("m2", grantor="user:bob"))
    report("and in nobody else's", code == 403, text)
    code, text = ask(c, "POST", "/v1/mandates", ann, claims("m2", agent="user:ann"))
    report("nor to themselves", code == 403 and "themselves" in text, text)
    code, text = ask(c, "POST", "/v1/mandates", {}, claims("m3", grantor="user:bob"))
    report("a rule may let issue in others' names", code == 201, text)
    for verb in ("suspend", "resume", "revoke"):
        code, text = ask(c, "POST", "/v1/mandates/m1/" + verb, bot, {})
        report("an agent cannot %s its own mandate, whatever its roles" % verb, code == 403 and "its own" in text, text)
    code, text = ask(c, "GET", "/v1/mandates/m3", ann)
    report("who may read some may not read others", code == 403, text)
    code, missing = ask(c, "GET", "/v1/mandates/m9", ann)
    report("and does not learn which there are", code == 403 and missing == text, missing)
    listed = json.loads(ask(c, "GET", "/v1/mandates", ann)[1])["mandates"]
    report("a list has what they may read", [m["id"] for m in listed] == ["m1"], listed)
    first, seen = ask(c, "GET", "/v1/mandates?limit=1", ann)[1], []
    text, pages = first, 0
    while pages < 10:
        page, pages = json.loads(text), pages + 1
        seen += [m["id"] for m in page["mandates"]]
        if not page["next"]:
            break
        text = ask(c, "GET", "/v1/mandates?limit=1&after=" + urllib.parse.quote(page["next"]), ann)[1]
    report("a page that ends before something else does not say what", json.loads(first)["next"] and "m3" not in first, first)
    report("and the next ones go on behind it", seen == ["m1"] and not page["next"], (seen, page))
    hidden, none = (ask(c, "GET", "/v1/mandates?after=" + id, ann) for id in ("m3", "m9"))
    report("`after` does not tell what is hidden from what is not there", hidden == none and none[0] == 400, (hidden, none))
    code, text = ask(c, "GET", "/v1/mandates?after=m1", ann)
    report("`after` takes the id of what they may read", code == 200 and json.loads(text)["mandates"] == [], text)
    code, text = ask(c, "POST", "/access/v1/evaluation", ann, {"subject": {"type": "a", "id": "agent:bot"}, "action": {"name": "x"},
                                                                "resource": {"type": "r", "id": "1"}})
    report("who may not check is told so", code == 403, text)
    code, text = ask(c, "POST", "/v1/mandates/m1/return", bot, {})
    report("an agent gives its mandate back", code == 200 and json.loads(text)["state"] == "completed", text)
    report("who did it is on record", json.loads(text)["transition"].get("cause", {}).get("principal") == "agent:bot" or
           "agent:bot" in json.dumps(json.loads(text)["transition"]), text)
    successors(c, ann)
    events(c)
    two_person(c)


def successors(c, ann):
    ask(c, "POST", "/v1/mandates", {}, claims("s1", grantor="user:bob"))
    code, text = ask(c, "POST", "/v1/mandates", ann, claims("s2", supersedes="s1"))
    state = json.loads(ask(c, "GET", "/v1/mandates/s1")[1])["state"]
    report("who may issue may not put another's mandate out of its place", code == 403 and state == "active", text)
    for change in ({"change": {"purpose": "q"}}, {"change": {"purpose": "q"}, "widen": True}):
        code, text = ask(c, "POST", "/v1/mandates/s1/amend", ann, change)
        report("nor amend it (%s)" % sorted(change), code == 403, text)
    code, text = ask(c, "POST", "/v1/mandates/s1/amend", {"X-Mandate-Principal": "agent:bot"}, {"change": {"purpose": "q"}})
    report("nor its agent, whatever its roles", code == 403 and "its own" in text, text)
    code, text = ask(c, "POST", "/v1/mandates/s1/delegate", ann, {"agent": "agent:x"})
    report("nor delegate from it", code == 403, text)


def events(c):
    def say(who, attributes, **more):
        return ask(c, "POST", "/v1/events", {"X-Mandate-Principal": who}, dict({"type": "e.envelope", "id": "E-7",
                                                                                "attributes": attributes}, **more))

    ask(c, "POST", "/v1/mandates", {}, claims("e1", until='e.envelope["E-7"].status == "signed"'))
    for who in ("agent:bot", "user:ann", "user:second"):
        code, text = say(who, {"status": "signed"})
        report("%s may not say what happened" % who, code == 403, text)
    for attributes in ({"due": "2030-01-01T00:00:00Z"}, {"status": "signed", "due": "2030-01-01T00:00:00Z"}, {"amount": 1},
                       {"nothing": 1}):
        code, text = say("user:notary", attributes)
        report("a witness says nothing but what the rule names (%s)" % ",".join(attributes), code == 403, text)
    report("nor of another type", say("user:notary", {"status": "signed"}, type="e.other")[0] == 403)
    for bad in ({"status": "lost"}, {"status": 3}, {"status": None}, {}):
        code, text = say("user:notary", bad)
        if bad != {"status": None}:
            report("what does not fit is refused (%s)" % json.dumps(bad), code == 400, text)
    report("an event has nothing else in it", say("user:notary", {"status": "signed"}, more=1)[0] == 400)
    code, text = say("user:notary", {"status": "signed"}, reason="seen it")
    after = json.loads(ask(c, "GET", "/v1/mandates/e1")[1])
    report("a witness ends a mandate by what happened", code == 200 and after["state"] == "completed" and
           after["transition"]["cause"]["source"] == "manual", after)
    seq = json.loads(text)["seq"]
    report("and where it came from is kept", after["transition"]["terms"][0]["seq"] == seq == after["transition"]["seq"], after)
    revoked, why = ask(c, "POST", "/v1/mandates/m3/revoke", {"X-Mandate-Principal": "user:notary"}, {})
    report("but may not revoke one", revoked == 403, why)


def two_person(c):
    ask(c, "POST", "/v1/mandates", {}, claims("f1", scope={"actions": ["finance.pay"], "resources": ["*"]}))
    code, text = ask(c, "POST", "/v1/mandates/f1/revoke", {}, {"reason": "r"})
    state = json.loads(ask(c, "GET", "/v1/mandates/f1")[1])["state"]
    report("what takes two waits for the second", code == 202 and state == "active", text)
    decision = json.loads(text)["id"]
    code, text = ask(c, "POST", "/v1/decisions/%s/permit" % decision, {}, {})
    report("the first is not the second", code == 403, text)
    for who in ("agent:bot", "user:ann"):
        code, text = ask(c, "POST", "/v1/decisions/%s/permit" % decision, {"X-Mandate-Principal": who}, {})
        report("nor is %s" % who, code == 403, text)
    code, text = ask(c, "POST", "/v1/decisions/%s/permit" % decision, {"X-Mandate-Principal": "user:second"}, {})
    state = json.loads(ask(c, "GET", "/v1/mandates/f1")[1])["state"]
    report("another who may decide is", code == 200 and state == "revoked", text)
    code, text = ask(c, "POST", "/v1/mandates/nothing/revoke", {}, {})
    report("nobody is asked about what there is not", code == 404, text)


def keys_by_https():
    """Keys from a server: of one that is trusted, and of one that is not."""
    policy = """policy: https
issuers:
  - {issuer: "https://good", audience: mandated, jwks: "https://localhost:%d/keys", ca: ca.pem, prefix: "good:"}
  - {issuer: "https://evil", audience: mandated, jwks: "https://localhost:%d/keys", ca: evil.pem, prefix: "evil:"}
  - {issuer: "https://moved", audience: mandated, jwks: "https://localhost:%d/moved", ca: ca.pem, prefix: "moved:"}
roles: {}
"""
    w = World("", tls=True)
    tokens = Tokens(w.folder)
    certificates(w.folder)

    class Keys(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            moved = self.path == "/moved"
            self.send_response(302 if moved else 200)
            if moved:
                self.send_header("Location", "/keys")
            self.end_headers()
            self.wfile.write(b"" if moved else tokens.jwks.encode())

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Keys)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(w.folder, "server.pem"), os.path.join(w.folder, "server.key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    w.write("policy.yaml", policy % ((server.server_port,) * 3))
    w.start()
    try:
        report("keys are fetched by https", w.wait_log("keys of https://good: fetched"), w.log())
        w.wait_log("keys of https://evil:")
        w.wait_log("keys of https://moved:")
        for name, expected in (("good", 200), ("evil", 503), ("moved", 503)):
            code, who = me(w.unix(), {"Authorization": "Bearer " + tokens.make({"iss": "https://" + name})})
            report("a token of https://%s is answered %d" % (name, expected), code == expected, who)
        code, who = me(w.unix(), {"Authorization": "Bearer " + tokens.make({"iss": "https://good"}, {"kid": "k2"})})
        report("an unknown key lets nobody in", code == 401, who)
    finally:
        server.shutdown()
        w.stop()


def by_reload(w, tokens):
    w.write("auditor", tokens.make({"sub": "auditor", "groups": ["audit"]}) + "\n")
    path = os.path.join(w.folder, "policy.yaml")
    good = open(path).read()
    c = w.unix()
    w.write("policy.yaml", good.replace("powers: [issue, read, revoke, observe]", "powers: [issue, reed, revoke]"))
    w.process.send_signal(signal.SIGHUP)
    report("a policy with a mistake changes nothing and is told with its place",
           w.wait_log("refused, and nothing was changed") and "policy.yaml:24:23" in w.log() and "did you mean 'read'" in w.log(),
           w.log()[-800:])
    report("what was in force stays", ask(c, "GET", "/v1/mandates/m3")[0] == 200)
    w.write("policy.yaml", good.replace("powers: [issue, read, revoke, observe]", "powers: [issue, revoke]"))
    w.process.send_signal(signal.SIGHUP)
    report("a policy is taken over", w.wait_log("is in effect"))
    code, text = ask(c, "GET", "/v1/mandates/m3")
    report("also by connections that were open", code == 403, text)
    entries = [json.loads(line) for line in subprocess.run(
        [os.path.join(BIN, "mandatectl"), "audit", "export", "--format", "jsonl", "--socket", os.path.join(w.folder, "s.sock"), "--token-file",
         os.path.join(w.folder, "auditor")], capture_output=True, text=True).stdout.splitlines()]
    seen = [e for e in entries if e["event"] == "policy_loaded"]
    report("which policy was in force is on record", len(seen) == 2, entries[-3:])
    said = [(e["principal"], e["detail"]) for e in entries if e["event"] == "event_asserted"]
    report("who said what happened is on record", said[-1:] == [("user:notary", {"type": "e.envelope", "id": "E-7", "attributes":
           {"status": "signed"}, "reason": "seen it"})], said)
    ended = [e["cause"] for e in entries if e["event"] == "ended" and e["cause"].get("source") == "manual"]
    report("and stands in the entry of what it ended", ended and all(
        c["principal"] == "user:notary" and c["note"] == "seen it" and c["offset"] == c["seq"] for c in ended), ended)
    w.write("policy.yaml", good)
    w.process.send_signal(signal.SIGHUP)
    w.wait_log("is in effect", 2)
    report("and back", ask(c, "GET", "/v1/mandates/m3")[0] == 200)


matrix()
words()
keys_by_https()
sys.exit(failed != 0)
